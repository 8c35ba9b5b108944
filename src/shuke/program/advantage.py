"""Whether a change is better or worse for members, where that can be decided from the document alone.

Each rule below is about one field; whatever no rule is about is ``unknown``. "Better" is said of the field by
itself: a better rate under a stricter condition are two changes, one better and one worse.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final, Literal

from shuke.program.assets import Validity, last_day
from shuke.program.condition_order import implies
from shuke.program.conditions import ALWAYS, Node
from shuke.program.discounts import Discount, PercentOff
from shuke.program.earning import Give, Steps
from shuke.program.tiers import TermEnd
from shuke.values.instants import day_of
from shuke.values.periods import Period, Unit, add, end_of

Effect = Literal["better", "worse", "neutral", "unknown"]

_A_YEAR: Final = range(day_of("2027-01-01"), day_of("2028-01-01"))


def effect_of(chapter: str, field: str, before: Any, after: Any) -> Effect:
    """The effect of changing ``field`` of a chapter (its class's name) from ``before`` to ``after``."""
    judge = _JUDGES.get(f"{chapter}.{field}") or _JUDGES.get(field)
    return "unknown" if judge is None else judge(before, after)


def turned(effect: Effect) -> Effect:
    """The effect of the opposite change."""
    opposites: dict[Effect, Effect] = {"better": "worse", "worse": "better"}
    return opposites.get(effect, effect)


# -- Ways to judge ----------------------------------------------------------------------------------------


def _neutral(before: Any, after: Any) -> Effect:
    return "neutral"


def _more(before: Any, after: Any) -> Effect:
    return "better" if after > before else "worse"


def _less(before: Any, after: Any) -> Effect:
    return turned(_more(before, after))


def _bound(before: Any, after: Any) -> Effect:
    """An upper bound: none at all is best."""
    if before is None or after is None:
        return "better" if after is None else "worse"
    return _more(before, after)


def _part(before: Any, after: Any) -> Effect:
    """Something that can be there or not: there is better."""
    if (before is None) != (after is None):
        return "better" if before is None else "worse"
    return "unknown"


def _restriction(before: Any, after: Any) -> Effect:
    """Something that narrows: without it is better."""
    return turned(_part(before, after))


def _ranked(*words: str) -> Callable[[Any, Any], Effect]:
    """Words from the worst to the best for members; what is not listed is not decided."""

    def judge(before: Any, after: Any) -> Effect:
        if before not in words or after not in words:
            return "unknown"
        return _more(words.index(before), words.index(after))

    return judge


def _fewer(before: Any, after: Any) -> Effect:
    return turned(_wider(before, after))


def _wider(before: Any, after: Any) -> Effect:
    """Lists: more of it is better."""
    was, now = set(before), set(after)
    return "better" if was < now else "worse" if now < was else "unknown"


def _places(before: Any, after: Any) -> Effect:
    """Channels or stores: an empty list means everywhere."""
    if not before or not after:
        return "worse" if after else "better"
    return _wider(before, after)


def _condition(before: Node | None, after: Node | None) -> Effect:
    """A condition for something good: whatever it lets through more is better."""
    was, now = before or ALWAYS, after or ALWAYS
    looser, stricter = implies(was, now), implies(now, was)
    if looser == stricter:
        return "neutral" if looser else "unknown"
    return "better" if looser else "worse"


def _criteria(before: Node | None, after: Node | None) -> Effect:
    """Entry criteria: without any a tier cannot be reached by oneself."""
    return _part(before, after) if before is None or after is None else _condition(before, after)


def _period(before: str | None, after: str | None) -> Effect:
    """How long: longer is better."""
    start = _A_YEAR[0]
    was = add(start, Period.parse(before)) if before else start
    now = add(start, Period.parse(after)) if after else start
    return "neutral" if was == now else _more(was, now)


def _lasting(before: str | None, after: str | None) -> Effect:
    """How long, where nothing said means for ever."""
    return _restriction(before, after) if before is None or after is None else _period(before, after)


def _waiting(before: str | None, after: str | None) -> Effect:
    return turned(_period(before, after))


def _ends(ends: Callable[[int], tuple[int, int]]) -> Effect:
    """Compare two ends for every day of a year on which something may begin."""
    pairs = [ends(day) for day in _A_YEAR]
    if all(was == now for was, now in pairs):
        return "neutral"
    if all(was <= now for was, now in pairs):
        return "better"
    return "worse" if all(was >= now for was, now in pairs) else "unknown"


def _validity(before: Any, after: Any) -> Effect:
    if not isinstance(before, Validity) or not isinstance(after, Validity):
        if "never" in (before, after):
            return "better" if after == "never" else "worse"
        return "unknown"
    if before.inactivity is not None or after.inactivity is not None:
        both = before.inactivity is not None and after.inactivity is not None
        return _period(before.inactivity, after.inactivity) if both else "unknown"
    if before.from_ != after.from_:
        return "unknown"
    was, now = before, after
    return _ends(lambda day: (last_day(was, day), last_day(now, day)))


def _term(before: Any, after: Any) -> Effect:
    if before is None or after is None:
        return "unknown"
    if "lifetime" in (before, after):
        return "better" if after == "lifetime" else "worse"
    return _ends(lambda day: (_term_end(before, day), _term_end(after, day)))


def _term_end(term: str | TermEnd, day: int) -> int:
    if isinstance(term, TermEnd):
        return end_of(add(day, Period(term.years_later, Unit.YEARS)), term.to_end_of)
    return add(day, Period.parse(term))


def _give(before: Give, after: Give) -> Effect:
    was, now = _rate(before), _rate(after)
    if was is not None and now is not None and was[0] == now[0]:
        return "neutral" if was[1] == now[1] else _more(was[1], now[1])
    if before.steps is not None and after.steps is not None and before.steps.of == after.steps.of:
        return _steps(before.steps, after.steps)
    return "unknown"


def _rate(give: Give) -> tuple[object, Fraction] | None:
    """What the amount is about, and how much of it: two rules about the same can be compared."""
    if give.fixed is not None:
        return "fixed", Fraction(give.fixed)
    if give.per is not None:
        return "per", Fraction(give.per.points) / Fraction(give.per.amount)
    if give.per_item is not None:
        return "per_item", Fraction(give.per_item)
    if give.per_unit is not None:
        return ("per_unit", give.per_unit.of), Fraction(give.per_unit.points) / Fraction(give.per_unit.every)
    if give.multiply is not None:
        return ("multiply", frozenset(give.multiply.rules)), Fraction(give.multiply.by)
    return None


def _steps(before: Steps, after: Steps) -> Effect:
    levels = {step.at_least for step in (*before.table, *after.table)}
    pairs = [(_reached(before, level), _reached(after, level)) for level in levels]
    if all(was <= now for was, now in pairs):
        return "neutral" if all(was == now for was, now in pairs) else "better"
    return "worse" if all(was >= now for was, now in pairs) else "unknown"


def _reached(steps: Steps, level: Decimal) -> Decimal:
    reached = [step for step in steps.table if step.at_least <= level]
    return max(reached, key=lambda step: step.at_least).points if reached else Decimal(0)


def _discount(before: Discount, after: Discount) -> Effect:
    if before.kind != after.kind:
        return "unknown"
    was, now = getattr(before, before.kind), getattr(after, after.kind)
    if isinstance(was, PercentOff) and isinstance(now, PercentOff):
        found = {_more(was.off, now.off)} if was.off != now.off else set()
        found |= {_bound(was.at_most, now.at_most)} if was.at_most != now.at_most else set()
        return found.pop() if len(found) == 1 else "unknown"
    if not isinstance(was, int | Decimal):
        return "unknown"
    return _less(was, now) if before.kind == "fixed_price" else _more(was, now)


def _percent(before: Any, after: Any) -> Effect:
    """A percent off that may be a number alone."""
    was, now = _off(before), _off(after)
    if was is None or now is None or was[1] != now[1]:
        return "unknown"
    return _more(was[0], now[0])


def _off(benefit: Any) -> tuple[Decimal, Node | None] | None:
    if benefit is None:
        return None
    return (benefit, None) if isinstance(benefit, Decimal) else (benefit.off, benefit.lines)


_ROUNDING: Final = _ranked("floor", "half_even", "ceiling")
_YES: Final = _more
_NO: Final = _less

_JUDGES: Final[dict[str, Callable[[Any, Any], Effect]]] = {
    # everywhere
    "title": _neutral,
    "description": _neutral,
    "unit": _neutral,
    "colour": _neutral,
    "when": _condition,
    "lines": _condition,
    "minimum_spend": _less,
    "minimum_items": _less,
    "rounding": _ROUNDING,
    # program
    "Program.locales": _neutral,
    "Program.announce": _neutral,
    "Program.hold_minutes": _more,
    # assets
    "Asset.validity": _validity,
    "Asset.validity_by_tier": _part,
    "TierValidity.validity": _validity,
    "Asset.pending": _waiting,
    "Asset.carry_fractions": _YES,
    "Asset.clawback": _ranked("debt", "forgive"),
    "Asset.on_refund": _ranked("forfeit", "restore"),
    "Asset.restored_after_expiry": _ranked("expire", "renew"),
    "Asset.redemption": _part,
    "Asset.transfer": _part,
    "Asset.expiry_notice_days": _wider,
    "Asset.cost": _neutral,
    "Redemption.worth": _more,
    "Redemption.per": _less,
    "Redemption.minimum_cart": _less,
    "Redemption.maximum_share_percent": _more,
    "Redemption.step": _less,
    "Redemption.minimum": _less,
    "Transfer.minimum": _less,
    "Transfer.maximum_per_day": _bound,
    "Transfer.dates": _ranked("keep", "renew"),
    # earning
    "Rule.give": _give,
    "Rule.validity": _validity,
    "Rule.pending": _waiting,
    "Rule.limits": _restriction,
    "span": _restriction,
    "Rule.net_of": _fewer,
    "Rule.include": _wider,
    "Limits": _bound,
    # tiers
    "Tier.entry": _criteria,
    "Tier.keep": _condition,
    "Tier.term": _term,
    "Ladder.term": _term,
    "Ladder.upgrade": _ranked("monthly", "nightly", "at_once"),
    "Ladder.requalify": _ranked("fixed", "redate"),
    "Ladder.on_drop": _ranked("to_base", "one_level", "never"),
    "Ladder.restart_when": lambda before, after: turned(_criteria(before, after)),
    "Ladder.grace_days": _more,
    "Ladder.cooldown": _period,
    "Ladder.void_assets": _fewer,
    "Ladder.invitation_only": _NO,
    "Ladder.on_refund": _ranked("at_once", "at_review"),
    "Ladder.reopen_reviews": _YES,
    "Ladder.notice_days": _wider,
    # benefits
    "Benefit.percent_off": _percent,
    "Benefit.for_": _restriction,
    "Holders.tiers": _wider,
    "Gift.amount": _more,
    "UpgradeGift.amount": _more,
    "UpgradeGift.granted": _YES,
    "BirthdayGift.amount": _more,
    "BirthdayGift.late_joiners": _YES,
    "BirthdayGift.window_days": _bound,
    "SkuPrice.price": _less,
    # coupons and prices
    "CouponTemplate.give": _discount,
    "Promotion.give": _discount,
    "channels": _places,
    "stores": _places,
    "CouponValidity.lasts": _lasting,
    "CouponValidity.starts_after": _waiting,
    "CouponValidity.until": _bound,
    "CouponTemplate.alone": _NO,
    "CouponTemplate.not_with": _fewer,
    "Promotion.not_with": _fewer,
    "CouponTemplate.transferable": _YES,
    "CouponTemplate.claimable": _YES,
    "CouponTemplate.on_refund": _ranked("forfeit", "restore"),
    "CouponTemplate.restored_after_expiry": _ranked("expire", "renew"),
    "CouponTemplate.renewed_for": _period,
    "CouponTemplate.cost_share": _neutral,
    "CouponLimits": _bound,
    "Prices.coupons_per_order": _more,
    # stored value
    "Offer.pay": _less,
    "Offer.bonus": _more,
    "StoredValue.cooling_off_days": _more,
    "StoredValue.refundable": _ranked("cooling_off", "always"),
    "StoredValue.refund_fee_percent": _less,
    "CardLimits.maximum_balance": _bound,
    "CardLimits.maximum_top_up": _bound,
    "CardLimits.minimum_top_up": lambda before, after: turned(_bound(before, after)),
}
