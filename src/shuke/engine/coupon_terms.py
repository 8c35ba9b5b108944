"""Coupon templates, compiled: their terms, dates and limits.

A coupon keeps the terms of the version that issued it (discount, scope, dates, what a refund does); limits
are those of the version in force. Totals that all members share are quotas, handed in with the context:

    coupon/<template>/issued        coupon/<template>/issued/<date>        coupon/<template>/redeemed
"""

from __future__ import annotations

import re
from base64 import b32encode
from typing import Any

from shuke.engine import activity as of
from shuke.engine.conditions import Names, Test, compile_condition, line_index
from shuke.engine.discounts import CompiledDiscount, minor
from shuke.engine.effects import Claimed, Refused
from shuke.engine.member import Coupon
from shuke.engine.turn import Turn
from shuke.program.conditions import show
from shuke.program.coupons import CouponTemplate
from shuke.program.document import Program
from shuke.values.ids import digest
from shuke.values.instants import NEVER, Day, Instant, LocalCalendar, day_of, format_day
from shuke.values.periods import Period, add

DECLARED = frozenset((of.COUPON_ISSUED, of.COUPON_CLAIMED, of.COUPON_REDEEMED, of.CART_HELD, of.ORDER_PAID))
"""Activities whose quotas are known beforehand (``quotas_of_coupons``): none handed in means none taken."""

_COUPON_ID = re.compile(r"([a-z][a-z0-9_-]{0,62})\.[0-9a-z]{13}")
_DAYS_KEPT = 45
_DATES_CACHED = 512


class Template:
    """A template, compiled. Amounts in minor units."""

    __slots__ = (
        "_calendar",
        "_dates",
        "channels",
        "discount",
        "id",
        "index",
        "limits",
        "limits_redemption",
        "limits_shared",
        "lines",
        "minimum_items",
        "minimum_spend",
        "not_with",
        "stores",
        "template",
        "when",
        "when_text",
    )

    def __init__(self, template: CouponTemplate, program: Program, calendar: LocalCalendar, names: Names) -> None:
        self.template, self.id, self.limits = template, template.id, template.limits
        rounding = program.prices.rounding
        self.discount = CompiledDiscount(template.give, rounding=rounding, names=names)
        self.lines: Test | None = compile_condition(template.lines, names=names) if template.lines else None
        self.index = line_index(template.lines) if template.lines else None
        self.when: Test | None = compile_condition(template.when, names=names) if template.when else None
        self.when_text = show(template.when) if template.when else ""
        self.minimum_spend = minor(template.minimum_spend, names.currency_scale)
        self.minimum_items = template.minimum_items
        self.channels = frozenset(template.channels)
        self.stores = frozenset(template.stores)
        self.not_with = frozenset(template.not_with)
        limits = template.limits
        self.limits_redemption = bool(limits.redeemed_per_member or limits.redeemed_total)
        self.limits_shared = any((limits.total, limits.total_per_day, limits.redeemed_total))
        self._calendar = calendar
        self._dates: dict[Day, tuple[Instant, Instant]] = {}

    def dates(self, day: Day) -> tuple[Instant, Instant]:
        """(valid from, valid until: exclusive or NEVER) of a coupon issued on ``day``."""
        found = self._dates.get(day)
        if found is None:
            if len(self._dates) >= _DATES_CACHED:
                self._dates.clear()
            found = self._dates[day] = self._compute(day)
        return found

    def _compute(self, day: Day) -> tuple[Instant, Instant]:
        valid, start = self.template.valid, self._calendar.day_start
        first = add(day, Period.parse(valid.starts_after)) if valid.starts_after else day
        if valid.from_:
            first = max(first, day_of(valid.from_))
        ends = [day_of(valid.until)] if valid.until else []
        if valid.lasts:
            ends.append(add(first, Period.parse(valid.lasts)))
        return start(first), start(min(ends) + 1) if ends else NEVER

    def renewed(self, day: Day) -> Instant:
        """When a coupon ends that comes back on ``day`` after its date."""
        return self._calendar.day_start(add(day, Period.parse(self.template.renewed_for)) + 1)

    def quotas_of_issue(self, day: Day) -> list[tuple[str, int, str]]:
        """(quota, cap, which limit) of issuing on ``day``."""
        limits = self.limits
        found = []
        if limits.total is not None:
            found.append((f"coupon/{self.id}/issued", limits.total, "total"))
        if limits.total_per_day is not None:
            found.append((f"coupon/{self.id}/issued/{format_day(day)}", limits.total_per_day, "total_per_day"))
        return found

    def quotas_of_redemption(self) -> list[tuple[str, int, str]]:
        """(quota, cap, which limit) of redeeming."""
        most = self.limits.redeemed_total
        return [] if most is None else [(f"coupon/{self.id}/redeemed", most, "redeemed_total")]


class Coupons(dict[str, Template]):
    """The templates of one edition by id, and the shared codes that open them (upper case)."""

    def __init__(self, program: Program, calendar: LocalCalendar, names: Names) -> None:
        super().__init__((template.id, Template(template, program, calendar, names)) for template in program.coupons)
        self.by_code = {
            plain_code(template.code): template.id for template in program.coupons if template.code is not None
        }


def plain_code(text: str) -> str:
    """A code as it is compared: without blanks around, in capitals."""
    return text.strip().upper()


def terms_of(turn: Turn, template_id: str, version: int) -> Template | None:
    """The template as that version of the program has it, or as the present one has it."""
    for edition in turn.editions.compiled:
        if edition.version == version:
            found = edition.coupons.get(template_id)
            if found is not None:
                return found
    return turn.program.coupons.get(template_id)


def template_of_id(text: str) -> str | None:
    """The template a coupon id belongs to; None if the text is no coupon id but a code."""
    found = _COUPON_ID.fullmatch(text)
    return found[1] if found else None


def coupon_id(turn: Turn, template_id: str, *, code: str | None = None) -> str:
    """An id that the same fact always gives: the template, and 64 bits of what was settled."""
    activity = turn.activity
    # Not the effects so far: those depend on what the clock has swept already.
    number = str(len(turn.member.coupons))
    # What time brings is named by its instant, whichever activity made it catch up.
    cause = ("", "time") if turn.due else (activity.source, activity.key)
    named = "\n".join((activity.member_id, *cause, str(turn.now), number, code or ""))
    return f"{template_id}.{b32encode(digest(named.encode())[:8]).decode().rstrip('=').lower()}"


def new_coupon(turn: Turn, template: Template, *, code: str | None) -> Coupon:
    """A fresh coupon of the template, by the dates and version of now. Changes nothing."""
    valid_from, valid_until = template.dates(turn.day)
    return Coupon(
        coupon_id(turn, template.id, code=code),
        template.id,
        turn.program.version,
        "issued",
        valid_from,
        valid_until,
        code,
        None,
        template.discount.face,
    )


# -- Limits -----------------------------------------------------------------------------------------------


def over_issue_limit(turn: Turn, template: Template, quantity: int) -> Refused | None:
    """``coupon_limit`` if ``quantity`` more would pass a limit, with which one and what is left of it."""
    used, id_, limits = turn.member.used, template.id, template.limits
    bounds = [
        (limits.per_member, used.get(f"coupon/{id_}/issued", {}).get(0, 0), "per_member"),
        (
            limits.per_member_per_day,
            used.get(f"coupon/{id_}/issued/day", {}).get(turn.day, 0),
            "per_member_per_day",
        ),
    ]
    for quota, most, name in template.quotas_of_issue(turn.day):
        bounds.append((most, turn.context.taken.get(quota, 0), name))
    return _first_passed(template, bounds, quantity)


def over_redemption_limit(turn: Turn, template: Template, quantity: int) -> Refused | None:
    """``coupon_limit`` if ``quantity`` more redemptions would pass a limit."""
    if not template.limits_redemption:
        return None
    limits = template.limits
    redeemed = turn.member.used.get(f"coupon/{template.id}/redeemed", {}).get(0, 0)
    bounds = [(limits.redeemed_per_member, redeemed, "redeemed_per_member")]
    for quota, most, name in template.quotas_of_redemption():
        bounds.append((most, turn.context.taken.get(quota, 0), name))
    return _first_passed(template, bounds, quantity)


def _first_passed(template: Template, bounds: list[tuple[int | None, int, str]], quantity: int) -> Refused | None:
    for most, used, name in bounds:
        if most is not None and used + quantity > most:
            left = max(0, most - used)
            return Refused("coupon_limit", {"template": template.id, "limit": name, "left": left})
    return None


def count_issued(turn: Turn, template: Template, quantity: int) -> None:
    """Count against every limit of issue."""
    if template.limits.per_member is not None:
        _count(turn, f"coupon/{template.id}/issued", 0, quantity)
    if template.limits.per_member_per_day is not None:
        _count(turn, f"coupon/{template.id}/issued/day", turn.day, quantity)
    for quota, _, _ in template.quotas_of_issue(turn.day):
        claim_quota(turn, quota, quantity)


def count_redeemed(turn: Turn, template_id: str, quantity: int) -> list[list[Any]]:
    """Count redemptions (negative: give them back) by the limits of now; returns the quotas claimed."""
    count_own_redemption(turn, template_id, quantity)
    template = turn.program.coupons.get(template_id)
    if template is None:
        return []
    claimed: list[list[Any]] = []
    for quota, _, _ in template.quotas_of_redemption():
        claim_quota(turn, quota, quantity)
        claimed.append([quota, quantity])
    return claimed


def count_own_redemption(turn: Turn, template_id: str, quantity: int) -> None:
    """Count redemptions against the member's own limit alone."""
    template = turn.program.coupons.get(template_id)
    if template is not None and template.limits.redeemed_per_member is not None:
        _count(turn, f"coupon/{template_id}/redeemed", 0, quantity)


def _count(turn: Turn, key: str, period: int, amount: int) -> None:
    used = turn.member.used.setdefault(key, {})
    used[period] = max(0, used.get(period, 0) + amount)
    if used[period] == 0:
        del used[period]
        if not used:
            del turn.member.used[key]
    elif len(used) > _DAYS_KEPT:
        del used[min(used)]


def claim_quota(turn: Turn, quota: str, amount: int) -> None:
    """Take from a quota, or give back.

    A quota that ``needs`` did not ask for (a cart lapses, an order is refunded) is not locked: what happens
    to it is only told, and the shell adds it up.
    """
    taken = turn.context.taken
    if quota in taken or turn.activity.type in DECLARED:
        taken[quota] = taken.get(quota, 0) + amount
    turn.effects.claims.append(Claimed(quota, amount))


def is_in_hand(coupon: Coupon | None) -> bool:
    """Whether the coupon is the member's to use, neither in a held cart nor gone."""
    return coupon is not None and coupon.state == "issued"
