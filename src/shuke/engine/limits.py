"""Limits on earning: per day, month, year, member, and hard totals that all members share.

A counter is kept per rule and kind ("base/day"), for the periods a late activity may still fall into.
Shared totals are quotas: the shell holds them locked while the step runs and books what it claims.
"""

from __future__ import annotations

from msgspec import Struct

from shuke.engine.effects import Claimed
from shuke.engine.turn import Turn
from shuke.program.chapter import ratio
from shuke.program.earning import Rule
from shuke.values.instants import Day, Instant, month_of

_KEPT_PERIODS = {"day": 45, "month": 14, "year": 3, "ever": 1}


class Limit(Struct, frozen=True):
    """One upper bound of a rule. ``times`` counts occasions instead of units."""

    key: str
    period: str  # day | month | year | ever
    most: int
    times: bool
    shared: bool = False


class RuleLimits(Struct, frozen=True):
    per_order: int | None
    limits: tuple[Limit, ...]
    quotas: tuple[Limit, ...]


def compile_limits(rule: Rule, scale: int) -> RuleLimits | None:
    """The rule's limits in units of its asset, or None where it has none."""
    limits = rule.limits
    if limits is None:
        return None

    def units(number: object) -> int:
        top, bottom = ratio(number)  # type: ignore[arg-type]  # Decimal by the chapter's own validation
        return top * scale // bottom

    own: list[Limit] = []
    for period, amount, times in (
        ("day", limits.per_day, limits.times_per_day),
        ("month", limits.per_month, limits.times_per_month),
        ("year", limits.per_year, limits.times_per_year),
        ("ever", limits.per_member, limits.times_per_member),
    ):
        if amount is not None:
            own.append(Limit(f"{rule.id}/{period}", period, units(amount), False))
        if times is not None:
            own.append(Limit(f"{rule.id}/{period}/times", period, times, True))
    shared: list[Limit] = []
    if limits.total is not None:
        shared.append(Limit(f"earning/{rule.id}", "ever", units(limits.total), False, True))
    if limits.times_total is not None:
        shared.append(Limit(f"earning/{rule.id}/times", "ever", limits.times_total, True, True))
    per_order = None if limits.per_order is None else units(limits.per_order)
    return RuleLimits(per_order, tuple(own), tuple(shared))


def period_of(kind: str, day: Day) -> int:
    """The number of the period of this kind that ``day`` lies in."""
    if kind == "day":
        return day
    if kind == "ever":
        return 0
    year, month = month_of(day)
    return year if kind == "year" else year * 12 + month


def allowed(turn: Turn, limits: RuleLimits, wanted: int) -> tuple[int, str | None]:
    """How much of ``wanted`` the limits let through, and the key of the limit that bound it (if one did)."""
    amount, bound = wanted, None
    if limits.per_order is not None and amount > limits.per_order:
        amount, bound = limits.per_order, "per_order"
    for limit in limits.limits:
        used = turn.member.used.get(limit.key, {}).get(period_of(limit.period, turn.day), 0)
        amount, bound = _within(limit, used, amount, bound)
    for limit in limits.quotas:
        amount, bound = _within(limit, turn.context.taken.get(limit.key, 0), amount, bound)
    return amount, bound


def _within(limit: Limit, used: int, amount: int, bound: str | None) -> tuple[int, str | None]:
    left = max(0, limit.most - used)
    if limit.times:
        return (amount, bound) if left else (0, limit.key)
    return (amount, bound) if amount <= left else (left, limit.key)


def use(turn: Turn, limits: RuleLimits, amount: int) -> None:
    """Count ``amount`` (> 0) against every limit of the rule."""
    for limit in limits.limits:
        _count(turn, limit, period_of(limit.period, turn.day), 1 if limit.times else amount)
    for limit in limits.quotas:
        _claim(turn, limit.key, 1 if limit.times else amount)


def _count(turn: Turn, limit: Limit, period: int, amount: int) -> None:
    used = turn.member.used.setdefault(limit.key, {})
    used[period] = used.get(period, 0) + amount
    if len(used) > _KEPT_PERIODS[limit.period]:
        del used[min(used)]


def _claim(turn: Turn, quota: str, amount: int) -> None:
    turn.context.taken[quota] = turn.context.taken.get(quota, 0) + amount
    turn.effects.claims.append(Claimed(quota, amount))


def give_back(turn: Turn, rule_id: str, amount: int, *, given_at: Instant) -> None:
    """Free what a refund takes back (negative: use it again) of what the rule gave at ``given_at``.

    Occasions stay used: they did occur.
    """
    rule = turn.editions.at(given_at).rules.get(rule_id)
    if rule is None or rule.limits is None:
        return
    day = turn.program.calendar.day(given_at)
    for limit in rule.limits.limits:
        used = turn.member.used.get(limit.key, {})
        period = period_of(limit.period, day)
        if not limit.times and period in used:
            used[period] = max(0, used[period] - amount)
    for limit in rule.limits.quotas:
        if not limit.times:
            _claim(turn, limit.key, -amount)
