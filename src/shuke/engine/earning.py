"""Earning: which rules an activity meets, what they give, what limits leave of it.

The order of things: base rules compute exactly (as fractions), groups choose among them, multipliers
raise what is left, groups choose among the multipliers, every result is rounded once, limits cut, and
the value is credited with the rule and its numbers as the cause.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from shuke.engine.activity import Line
from shuke.engine.assets import AssetRules, Cause, credit
from shuke.engine.conditions import Names, compile_condition, compile_term, line_index
from shuke.engine.effects import ISSUED
from shuke.engine.limits import RuleLimits, allowed, compile_limits, use
from shuke.engine.measures import count_earned
from shuke.engine.orders import Award
from shuke.engine.turn import Turn
from shuke.program.chapter import ratio
from shuke.program.document import Program
from shuke.program.earning import Rule, Span
from shuke.values.amounts import Rounding, divide
from shuke.values.instants import Day, day_of, month_of, weekday
from shuke.values.periods import Period

Test = Callable[[Turn, Line | None], bool]
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_CACHED = 64


class EarnRule:
    """A rule, compiled. ``numerator / denominator`` turns its basis into units of the asset, exactly."""

    __slots__ = (
        "asset",
        "carry",
        "denominator",
        "group",
        "hours",
        "id",
        "index",
        "kind",
        "limits",
        "lines",
        "numerator",
        "net_of",
        "order_key",
        "include",
        "pending",
        "rounding",
        "rule",
        "steps",
        "targets",
        "term",
        "validity",
        "when",
    )

    def __init__(self, rule: Rule, assets: dict[str, AssetRules], names: Names) -> None:
        asset = assets[rule.asset]
        give = rule.give
        self.rule, self.id, self.asset = rule, rule.id, asset
        self.kind = next(iter(give.model_fields_set))
        self.when: Test | None = compile_condition(rule.when, names=names) if rule.when else None
        self.lines: Test | None = compile_condition(rule.lines, names=names) if rule.lines else None
        self.index = line_index(rule.lines) if rule.lines else None
        self.term: Callable[[Turn, Line | None], Any] | None = None
        self.steps: list[tuple[int, int, int]] = []
        self.targets: frozenset[str] = frozenset()
        self.numerator, self.denominator = 1, 1
        self._measure_out(asset, names)
        self.limits: RuleLimits | None = compile_limits(rule, asset.scale)
        self.group = rule.stack
        self.hours = _hours(rule.span)
        self.rounding = rule.rounding or asset.rounding
        self.carry = asset.asset.carry_fractions and self.kind in ("per", "per_unit")
        self.validity = rule.validity
        self.pending = Period.parse(rule.pending) if rule.pending else None
        self.net_of = frozenset(rule.net_of)
        self.include = frozenset(rule.include)
        self.order_key = (-rule.priority, rule.id)

    def _measure_out(self, asset: AssetRules, names: Names) -> None:
        """Bring the rule's amount to one exact fraction in units of the asset."""
        give = self.rule.give
        if give.per is not None:
            top, bottom = _quotient(ratio(give.per.points), ratio(give.per.amount))
            self.numerator, self.denominator = top * asset.scale, bottom * names.currency_scale
        elif give.per_unit is not None:
            top, bottom = _quotient(ratio(give.per_unit.points), ratio(give.per_unit.every))
            self.numerator, self.denominator = top * asset.scale, bottom
            self.term = compile_term(give.per_unit.of, names=names)
        elif give.multiply is not None:
            self.numerator, self.denominator = ratio(give.multiply.by)
            self.targets = frozenset(give.multiply.rules)
        elif give.steps is not None:
            self.term = compile_term(give.steps.of, names=names)
            for step in sorted(give.steps.table, key=lambda step: step.at_least):
                top, bottom = ratio(step.at_least)
                points, per = ratio(step.points)
                self.steps.append((top, bottom, points * asset.scale // per))
        else:
            fixed = give.fixed if give.fixed is not None else give.per_item
            assert fixed is not None  # the chapter allows exactly one kind
            top, self.denominator = ratio(fixed)
            self.numerator = top * asset.scale


def _quotient(over: tuple[int, int], under: tuple[int, int]) -> tuple[int, int]:
    return over[0] * under[1], over[1] * under[0]


def _hours(span: Span | None) -> tuple[tuple[int, int], ...]:
    """Spans of the day in seconds; one over midnight becomes two."""
    found: list[tuple[int, int]] = []
    for text in span.hours if span else ():
        start, end = (_seconds(part) for part in text.split("-"))
        found += [(start, end)] if start < end else [(start, 86_400), (0, end)]
    return tuple(found)


def _seconds(clock: str) -> int:
    hours, minutes = clock.strip().split(":")
    return int(hours) * 3600 + int(minutes) * 60


class Ruleset:
    """The rules of one trigger. ``on(day)`` gives those in force that day, indexed by what lines carry."""

    __slots__ = ("_days", "multipliers", "rules")

    def __init__(self, rules: list[EarnRule]) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.order_key)
        self._days: dict[Day, DayRules] = {}

    def on(self, day: Day) -> DayRules:
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _DAYS_CACHED:
                self._days.clear()
            found = self._days[day] = DayRules([rule for rule in self.rules if _in_force(rule.rule.span, day)])
        return found


class DayRules:
    """Rules in force on one day: those every order meets, and those only certain lines can meet."""

    __slots__ = ("always", "indexes", "multipliers", "order_of")

    def __init__(self, rules: list[EarnRule]) -> None:
        self.multipliers = [rule for rule in rules if rule.kind == "multiply"]
        base = [rule for rule in rules if rule.kind != "multiply"]
        self.always = [rule for rule in base if rule.index is None]
        self.order_of = {rule.id: position for position, rule in enumerate(base)}
        indexes: dict[str, dict[Any, list[EarnRule]]] = {}
        for rule in base:
            if rule.index is not None:
                attribute, values = rule.index
                for value in values:
                    indexes.setdefault(attribute, {}).setdefault(value, []).append(rule)
        self.indexes = [(attribute, indexes[attribute]) for attribute in sorted(indexes)]


def _in_force(span: Span | None, day: Day) -> bool:
    if span is None:
        return True
    if (span.from_ and day < day_of(span.from_)) or (span.until and day > day_of(span.until)):
        return False
    if span.weekdays and _WEEKDAYS[weekday(day)] not in span.weekdays:
        return False
    return not span.days_of_month or _day_of_month(day) in span.days_of_month


def _day_of_month(day: Day) -> int:
    year, month = month_of(day)
    return day - day_of(f"{year:04}-{month:02}-01") + 1


def compile_earning(program: Program, assets: dict[str, AssetRules], names: Names) -> tuple[dict[str, Ruleset], dict[str, EarnRule]]:
    """(trigger → its rules, rule id → rule)."""
    rules = {rule.id: EarnRule(rule, assets, names) for rule in program.earning}
    triggers: dict[str, list[EarnRule]] = {}
    for rule in rules.values():
        for trigger in rule.rule.triggers:
            triggers.setdefault(trigger, []).append(rule)
    return {trigger: Ruleset(found) for trigger, found in triggers.items()}, rules


class Result(Struct):
    """What one rule would give: exactly ``numerator / denominator`` units, rounded to ``units``.

    ``weights`` says what each line brought (None: every line its whole amount).
    """

    rule: EarnRule
    numerator: int
    denominator: int
    units: int
    basis: int
    weights: list[int] | None


def earn(turn: Turn) -> None:
    """Give what the rules of this activity's type give."""
    results = results_of(turn)
    for result in results:
        _give(turn, result)


def results_of(turn: Turn) -> list[Result]:
    """What every rule gives for this turn, after groups and multipliers and before limits. Changes nothing."""
    ruleset = turn.program.earning.get(turn.activity.type)
    if ruleset is None:
        return []
    rules = ruleset.on(turn.day)
    amounts = turn.basis()
    results = []
    for rule, lines in _candidates(turn, rules):
        result = _base_result(turn, rule, lines, amounts)
        if result is not None:
            results.append(result)
    if len(results) > 1:
        results = _stacked(results)
    if rules.multipliers and results:
        bonuses = [
            bonus
            for rule in rules.multipliers
            if (bonus := _bonus(turn, rule, results, amounts)) is not None
        ]
        results += _stacked(bonuses)
    return results


def _candidates(turn: Turn, rules: DayRules) -> list[tuple[EarnRule, list[int] | None]]:
    """Rules with the positions of the lines that may count (None: all), in the order of priority."""
    found: list[tuple[EarnRule, list[int] | None]] = [(rule, None) for rule in rules.always]
    if not rules.indexes or turn.purchase is None:
        return found
    by_rule: dict[str, tuple[EarnRule, list[int]]] = {}
    for position, line in enumerate(turn.purchase.lines):
        for attribute, table in rules.indexes:
            value = getattr(line, attribute, None) if attribute in _LINE_FIELDS else (line.attributes or {}).get(attribute)
            for rule in table.get(value, ()):
                entry = by_rule.get(rule.id)
                if entry is None:
                    by_rule[rule.id] = (rule, [position])
                elif entry[1][-1] != position:
                    entry[1].append(position)
    if by_rule:
        found.extend(by_rule.values())
        found.sort(key=lambda pair: rules.order_of[pair[0].id])
    return found


_LINE_FIELDS = frozenset(Line.__struct_fields__)


def _base_result(turn: Turn, rule: EarnRule, lines: list[int] | None, amounts: list[int]) -> Result | None:
    if rule.hours and not any(start <= turn.second < end for start, end in rule.hours):
        return None
    if rule.when is not None and not rule.when(turn, None):
        return None
    weights: list[int] | None = None
    if rule.lines is not None:
        weights = _scoped(turn, rule, lines, amounts)
        if weights is None:
            return None
    elif rule.include or turn.paid_otherwise(rule.net_of):
        weights = _with_extras(turn, rule, [True] * (len(amounts) - 2))
    basis = sum(amounts) - amounts[-1] - amounts[-2] if weights is None and amounts else sum(weights or ())
    kind = rule.kind
    if kind == "per":
        numerator, denominator = basis * rule.numerator, rule.denominator
    elif kind == "fixed":
        numerator, denominator = rule.numerator, rule.denominator
    elif kind == "per_item":
        basis = _items(turn, weights)
        numerator, denominator = basis * rule.numerator, rule.denominator
    else:
        value = rule.term(turn, None) if rule.term is not None else None
        if value is None:
            return None
        if kind == "steps":
            units = _step(rule, value)
            numerator, denominator, basis = units, 1, 0
        else:
            numerator, denominator = value.numerator * rule.numerator, value.denominator * rule.denominator
            basis = int(value)
    if numerator <= 0:
        return None
    return Result(rule, numerator, denominator, divide(numerator, denominator, rule.rounding), basis, weights)


def _scoped(turn: Turn, rule: EarnRule, lines: list[int] | None, amounts: list[int]) -> list[int] | None:
    """Per position the amount that counts, for the lines the rule's scope matches; None if none does."""
    assert turn.purchase is not None or not amounts
    if turn.purchase is None:
        return None
    test = rule.lines
    assert test is not None
    matched = [False] * len(turn.purchase.lines)
    for position in range(len(matched)) if lines is None else lines:
        if test(turn, turn.purchase.lines[position]):
            matched[position] = True
    return _with_extras(turn, rule, matched) if any(matched) else None


def _with_extras(turn: Turn, rule: EarnRule, matched: list[bool]) -> list[int]:
    amounts = turn.basis()
    net = turn.paid_otherwise(rule.net_of)
    weights = [
        amount - (net[position] if net else 0) if matched[position] else 0
        for position, amount in enumerate(amounts[:-2])
    ]
    weights.append(amounts[-2] if "tax" in rule.include else 0)
    weights.append(amounts[-1] if "shipping" in rule.include else 0)
    return weights


def _items(turn: Turn, weights: list[int] | None) -> int:
    assert turn.purchase is not None
    return sum(
        line.quantity
        for position, line in enumerate(turn.purchase.lines)
        if weights is None or weights[position]
    )


def _step(rule: EarnRule, value: Any) -> int:
    units = 0
    for top, bottom, points in rule.steps:
        if value.numerator * bottom >= top * value.denominator:
            units = points
    return units


def _bonus(turn: Turn, rule: EarnRule, results: list[Result], amounts: list[int]) -> Result | None:
    """The extra a multiplier adds to the results it works on: rounded as a whole, so that 41.5 × 1.2 is 49."""
    if rule.hours and not any(start <= turn.second < end for start, end in rule.hours):
        return None
    if rule.when is not None and not rule.when(turn, None):
        return None
    scope = _scoped(turn, rule, None, amounts) if rule.lines is not None else None
    if rule.lines is not None and scope is None:
        return None
    top, bottom, rounded = 0, 1, 0
    weights: list[int] | None = None
    for result in results:
        target = result.rule
        if target.asset is not rule.asset or (rule.targets and target.id not in rule.targets):
            continue
        numerator, denominator, units = result.numerator, result.denominator, result.units
        share = _overlap(result.weights, scope, amounts)
        if share is not None:
            part, whole = sum(share), sum(result.weights or amounts)
            numerator, denominator = numerator * part, denominator * max(whole, 1)
            units = divide(numerator, denominator, target.rounding)
        top, bottom, rounded = top * denominator + numerator * bottom, bottom * denominator, rounded + units
        weights = _sum(weights, share if share is not None else result.weights, amounts)
    units = divide(top * rule.numerator, bottom * rule.denominator, rule.rounding) - rounded
    if units <= 0:
        return None
    return Result(rule, top, bottom, units, rounded, weights)


def _overlap(weights: list[int] | None, scope: list[int] | None, amounts: list[int]) -> list[int] | None:
    """What of a result lies in the multiplier's scope; None: all of it."""
    if scope is None:
        return None
    return [weight if scope[position] else 0 for position, weight in enumerate(weights or amounts)]


def _sum(left: list[int] | None, right: list[int] | None, amounts: list[int]) -> list[int] | None:
    if left is None:
        return right
    return [a + b for a, b in zip(left, right or amounts, strict=True)]


def _stacked(results: list[Result]) -> list[Result]:
    """What groups leave: all (``sum``), the one that gives most (``best``), or the first (``exclusive``)."""
    if not any(result.rule.group for result in results):
        return results
    chosen: dict[str, Result] = {}
    for result in results:
        group = result.rule.group
        if group is None or group.mode == "sum":
            continue
        present = chosen.get(group.group)
        if present is None or (group.mode == "best" and result.units > present.units):
            chosen[group.group] = result
    return [
        result
        for result in results
        if result.rule.group is None
        or result.rule.group.mode == "sum"
        or chosen[result.rule.group.group] is result
    ]


def _give(turn: Turn, result: Result) -> None:
    """Apply carry and limits, credit the value, and let the order remember it."""
    rule = result.rule
    wanted = _carried(turn, result) if rule.carry else result.units
    amount, bound = (wanted, None) if rule.limits is None else allowed(turn, rule.limits, wanted)
    if amount <= 0:
        if bound is not None:
            turn.skip(rule.id, "limit_reached", {"limit": bound, "wanted": wanted})
        return
    if rule.limits is not None:
        use(turn, rule.limits, amount)
    why = _why(result, wanted, amount, bound)
    order = turn.order
    dates = rule.asset.dates(turn.day, member=turn.member, validity=rule.validity, pending=rule.pending)
    cause = Cause("earn", rule.id, order.id if order is not None else None, why)
    lot = credit(turn, rule.asset.id, amount, source=ISSUED, cause=cause, dates=dates)
    turn.add_earned(rule.asset.id, amount)
    count_earned(turn, rule.asset.id, amount, result.weights)
    if order is not None:
        since = list(order.refunded) if any(order.refunded) else None
        order.awards.append(Award(rule.id, rule.asset.id, lot, result.weights, since))


def _why(result: Result, wanted: int, amount: int, bound: str | None) -> dict[str, Any]:
    rule = result.rule
    why: dict[str, Any] = {"basis": result.basis}
    if rule.kind == "multiply":
        why["by"] = [rule.numerator, rule.denominator]
    if bound is not None:
        why["wanted"], why["limit"] = wanted, bound
    return why


def _carried(turn: Turn, result: Result) -> int:
    """Whole units now; the fraction waits for the next time, exactly."""
    rule = result.rule
    top, bottom = turn.member.carries.get(rule.id, (0, 1))
    numerator = result.numerator * bottom + top * result.denominator
    denominator = result.denominator * bottom
    units = numerator // denominator
    divisor = _gcd(numerator - units * denominator, denominator)
    turn.member.carries[rule.id] = [(numerator - units * denominator) // divisor, denominator // divisor]
    return units


def _gcd(a: int, b: int) -> int:
    while b:
        a, b = b, a % b
    return a or 1
