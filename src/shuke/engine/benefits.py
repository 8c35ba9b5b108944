"""Benefits of a standing: what prices ask of them, and gifts that are given once.

A gift is given at the instant that brings it, under the standing of that instant: an upgrade gift with the
change of tier, a birthday gift at the start of its day of issue.
"""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from typing import Any

from msgspec import Struct

from shuke.engine import activity as of
from shuke.engine.activity import Line
from shuke.engine.assets import Cause, credit, has_room
from shuke.engine.conditions import Names, Test, compile_condition, exact_number
from shuke.engine.coupons import issue_template
from shuke.engine.effects import ISSUED, Refused, TierChanged
from shuke.engine.facts import month_and_day_in
from shuke.engine.lifecycle import earns
from shuke.engine.standing import AsOf
from shuke.engine.turn import Turn
from shuke.program.benefits import Benefit, BirthdayGift, Gift, MemberPrices, PercentBenefit, UpgradeGift
from shuke.program.chapter import ratio
from shuke.program.document import Program
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import NEVER, Day, Instant, month_of
from shuke.values.periods import end_of, fixed_date, start_of

_EARNED = frozenset(("joined", "reached", "applied"))
_MOST_REMEMBERED = 65_536


class PercentOff(Struct, frozen=True):
    """``numerator / denominator`` of the price is taken off lines for which ``lines`` holds (None: all)."""

    id: str
    numerator: int
    denominator: int
    lines: Test | None


class BenefitRules:
    """One benefit, compiled: who has it, and what it is."""

    __slots__ = (
        "benefit",
        "birthday",
        "id",
        "ladder",
        "member_prices",
        "percent",
        "prices",
        "tiers",
        "upgrade",
        "when",
    )

    def __init__(self, benefit: Benefit, names: Names) -> None:
        self.benefit, self.id = benefit, benefit.id
        self.ladder = benefit.for_.ladder if benefit.for_ else None
        self.tiers = frozenset(benefit.for_.tiers) if benefit.for_ else frozenset[str]()
        self.when: Test | None = None if benefit.when is None else compile_condition(benefit.when, names=names)
        self.percent = _percent(benefit, names)
        self.member_prices: MemberPrices | None = benefit.member_prices
        self.prices: dict[str, int] = {}
        for entry in benefit.member_prices.list_ if benefit.member_prices else ():
            self.prices[entry.sku] = int(entry.price * names.currency_scale)
        self.upgrade: UpgradeGift | None = benefit.upgrade_gift
        self.birthday: BirthdayGift | None = benefit.birthday_gift

    def stands(self, turn: Turn) -> bool:
        """Whether the member has one of the tiers that bring the benefit."""
        return self.ladder is None or turn.member.tiers.get(self.ladder) in self.tiers

    def held(self, turn: Turn) -> bool:
        """Whether the member has the benefit now, with this cart."""
        return self.stands(turn) and (self.when is None or self.when(turn, None))

    def asked(self, turn: Turn) -> bool:
        """Whether ``when`` holds of the member alone, whatever order or activity brought the moment."""
        if self.when is None:
            return True
        with AsOf(turn, turn.day):
            return self.when(turn, None)

    def price(self, line: Line, scale: int) -> int | None:
        """The member price of one item of the line, minor units; None if this list has none."""
        found = self.prices.get(line.sku) if line.sku is not None else None
        if found is not None or self.member_prices is None or self.member_prices.attribute is None:
            return found
        told = exact_number((line.attributes or {}).get(self.member_prices.attribute))
        return None if told is None or told < 0 else int(Fraction(told) * scale)


def _percent(benefit: Benefit, names: Names) -> PercentOff | None:
    percent = benefit.percent_off
    if percent is None:
        return None
    lines = percent.lines if isinstance(percent, PercentBenefit) else None
    top, bottom = ratio(percent.off if isinstance(percent, PercentBenefit) else percent)
    test = None if lines is None else compile_condition(lines, names=names)
    return PercentOff(benefit.id, top, bottom * 100, test)


class Benefits:
    """The benefits of one edition, by what asks for them."""

    def __init__(self, program: Program, names: Names) -> None:
        rules = [BenefitRules(benefit, names) for benefit in program.benefits]
        self._percents = [rule for rule in rules if rule.percent is not None]
        self._member_prices = [rule for rule in rules if rule.member_prices is not None]
        self._free_shipping = [rule for rule in rules if rule.benefit.free_shipping]
        self.upgrades = [(rule, rule.upgrade) for rule in rules if rule.upgrade is not None]
        self.birthdays = [(rule, rule.birthday) for rule in rules if rule.birthday is not None]
        self._scale = names.currency_scale
        self._next_issue: dict[tuple[int, int, Day], Day] = {}

    def percent_off(self, turn: Turn) -> list[PercentOff]:
        """The percent benefits the member has now, in the order of the document."""
        return [rule.percent for rule in self._percents if rule.percent is not None and rule.held(turn)]

    def member_price(self, turn: Turn, line: Line) -> int | None:
        """What one item costs the member, minor units: the lowest of her lists; None where there is none."""
        best: int | None = None
        for rule in self._member_prices:
            price = rule.price(line, self._scale)
            if price is not None and (best is None or price < best) and rule.held(turn):
                best = price
        return best

    def free_shipping(self, turn: Turn) -> str | None:
        """The first benefit that makes shipping free, None if none does."""
        return next((rule.id for rule in self._free_shipping if rule.held(turn)), None)

    def next_issue(self, birthday: tuple[int, int], day: Day) -> Day:
        """The next day after ``day`` on which a gift is issued for this birthday (month, day)."""
        key = (*birthday, day)
        found = self._next_issue.get(key)
        if found is None:
            if len(self._next_issue) > _MOST_REMEMBERED:
                self._next_issue.clear()
            year = month_of(day)[0]
            days = [
                _issue_day(chosen, _birthday_in(birthday, later))
                for _, chosen in self.birthdays
                for later in (year, year + 1, year + 2)
            ]
            found = self._next_issue[key] = min(issue for issue in days if issue > day)
        return found


def compile_benefits(program: Program, names: Names) -> Benefits:
    return Benefits(program, names)


def gift(turn: Turn) -> None:
    """Give what this instant brings: gifts of tiers just reached, and of birthdays; nothing to who does not earn."""
    if not earns(turn):
        return
    benefits = turn.program.benefits
    if benefits.upgrades and turn.effects.tiers:
        for change in turn.effects.tiers:
            if change.at == turn.now:  # others had their own instant
                _give_for_tier(turn, benefits, change)
    if benefits.birthdays:
        _give_for_birthday(turn, benefits)


# -- Upgrade gifts ----------------------------------------------------------------------------------------


def _give_for_tier(turn: Turn, benefits: Benefits, change: TierChanged) -> None:
    granted = change.reason == "granted"
    if not granted and change.reason not in _EARNED:
        return
    why = change.why or {}
    tier = why.get("granted") if granted else why.get("standing", change.after)
    for rule, upgrade in benefits.upgrades:
        if rule.ladder != change.ladder or tier not in rule.tiers:
            continue
        served = f"upgrade/{rule.id}/{tier}"
        if (granted and not upgrade.granted) or served in turn.member.once:
            continue
        if not rule.asked(turn):
            continue
        turn.member.once[served] = turn.now
        _give(turn, rule.id, upgrade, {"ladder": change.ladder, "tier": tier}, ends=None)


# -- Birthday gifts ---------------------------------------------------------------------------------------


def next_due(turn: Turn) -> Instant:
    """The start of the next day on which a birthday gift is issued."""
    benefits = turn.program.benefits
    if not benefits.birthdays:
        return NEVER
    birthday = month_and_day_in(turn.member.traits.get("birthday"))
    if birthday is None:
        return NEVER
    calendar = turn.program.calendar
    return calendar.day_start(benefits.next_issue(birthday, calendar.day(turn.member.now)))


def _give_for_birthday(turn: Turn, benefits: Benefits) -> None:
    birthday = month_and_day_in(turn.member.traits.get("birthday"))
    if birthday is None:
        return
    day, year = turn.day, month_of(turn.day)[0]
    on_issue = turn.now == turn.program.calendar.day_start(day)
    late = _just_told(turn)
    if not on_issue and not late:
        return
    for rule, chosen in benefits.birthdays:
        for at in (year, year + 1):
            born = _birthday_in(birthday, at)
            issue = _issue_day(chosen, born)
            due = on_issue and issue == day
            due = due or (late and chosen.late_joiners and issue <= day <= _last_late_day(chosen, born))
            if due and not _served(turn, rule.id, at):
                _give_one(turn, rule, chosen, born)


def _just_told(turn: Turn) -> bool:
    """Whether the member has just joined, or has just told her birthday."""
    activity = turn.activity
    if activity.occurred_at != turn.now:
        return False
    if activity.type == of.UPDATED:
        return "birthday" in ((activity.payload or {}).get("traits") or {})
    return activity.type == of.JOINED or turn.member.seq == 0


def _served(turn: Turn, benefit: str, year: int) -> bool:
    """Whether this year's birthday, or a later one, has had its gift: moving it gives no second one."""
    served = turn.member.once.get(f"birthday/{benefit}")
    return served is not None and month_of(turn.program.calendar.day(served))[0] >= year


def _give_one(turn: Turn, rule: BenefitRules, chosen: BirthdayGift, born: Day) -> None:
    if not (rule.stands(turn) and rule.asked(turn)):
        return
    calendar = turn.program.calendar
    turn.member.once[f"birthday/{rule.id}"] = calendar.day_start(born)
    ends = None if chosen.window_days is None else calendar.day_start(born + chosen.window_days)
    if ends is None or ends > turn.now:
        _give(turn, rule.id, chosen, {"birthday": date.fromordinal(born).isoformat()}, ends=ends)


def _birthday_in(birthday: tuple[int, int], year: int) -> Day:
    """The day on which a birthday is kept: 29 February on the 28th in common years."""
    return fixed_date(date(year, 1, 1).toordinal(), birthday[0], birthday[1], 0)


def _issue_day(gift: BirthdayGift, born: Day) -> Day:
    if gift.day_of_month_before is not None:
        return start_of(start_of(born, "month") - 1, "month") + gift.day_of_month_before - 1
    return start_of(born, "month") if gift.first_of_month else born - gift.days_before


def _last_late_day(gift: BirthdayGift, born: Day) -> Day:
    by_month = gift.first_of_month or gift.day_of_month_before is not None
    return end_of(born, "month") if by_month else born


# -- Giving -----------------------------------------------------------------------------------------------


def _give(turn: Turn, rule: str, gift: Gift, why: dict[str, Any], *, ends: Instant | None) -> None:
    """Credit the amount and issue the coupon. A coupon that cannot be issued any more is told as skipped."""
    if gift.asset is not None and gift.amount is not None:
        asset = turn.program.assets[gift.asset]
        top, bottom = ratio(gift.amount)
        amount = top * asset.scale // bottom
        dates = None if ends is None else (0, ends)
        if has_room(turn.member, asset.id, amount):
            cause = Cause("gift", rule, None, why)
            credit(turn, asset.id, amount, source=ISSUED, cause=cause, dates=dates)
        else:
            turn.skip(rule, "balance_too_large", {"asset": asset.id, "most": MAX_AMOUNT})
    if gift.coupon is not None:
        issued = issue_template(turn, gift.coupon, rule=rule, why=why)
        if isinstance(issued, Refused):
            turn.skip(rule, issued.code, issued.facts)
