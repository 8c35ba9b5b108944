"""Earning: which rules an activity meets, what they give, what limits leave of it.

The order of things: base rules compute exactly (as fractions), groups choose among them, multipliers
raise what is left, groups choose among the multipliers, every result is rounded once, limits cut, and
the value is credited with the rule and its numbers as the cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import gcd, lcm
from typing import Any

from msgspec import Struct

from shuke.engine.activity import Line
from shuke.engine.assets import Arrivals, AssetRules, Cause, credit, has_room
from shuke.engine.carries import Carries, carries_of, carry
from shuke.engine.conditions import Names, Scope, compile_condition, compile_scope, compile_term, line_index
from shuke.engine.effects import ISSUED
from shuke.engine.index import DayIndexes, hours_of, within
from shuke.engine.limits import RuleLimits, allowed, compile_limits, use
from shuke.engine.measures import PAYLOAD_SCALE, count_earned
from shuke.engine.member import Member
from shuke.engine.orders import NO_LOT, Award
from shuke.engine.turn import Turn
from shuke.program.chapter import ratio
from shuke.program.document import Program
from shuke.program.earning import Rule
from shuke.values.amounts import MAX_AMOUNT, Rounding, divide
from shuke.values.periods import Period

Test = Callable[[Turn, Line | None], bool]
Reads = Callable[[Turn, Line | None], Any]
Exact = Callable[[Turn, int, "list[int] | None"], "tuple[int, int] | None"]
FLOOR = Rounding.FLOOR

_PARTS_MOST = 2**63 - 1  # an order remembers the exact amount in a word of the machine


class EarnRule:
    """A rule, compiled. ``numerator / denominator`` turns its basis into units of the asset, exactly."""

    __slots__ = (
        "arrivals",
        "asset",
        "carry",
        "denominator",
        "each",
        "exact",
        "group",
        "hours",
        "id",
        "include",
        "index",
        "kind",
        "limits",
        "lines",
        "net_of",
        "numerator",
        "order_key",
        "parts",
        "rounding",
        "rule",
        "scope",
        "span",
        "targets",
        "weighs",
        "when",
    )

    def __init__(self, rule: Rule, assets: dict[str, AssetRules], names: Names) -> None:
        asset = assets[rule.asset]
        give = rule.give
        self.rule, self.id, self.asset = rule, rule.id, asset
        self.kind = next(iter(give.model_fields_set))
        self.when: Test | None = compile_condition(rule.when, names=names) if rule.when else None
        self.lines: Test | None = compile_condition(rule.lines, names=names) if rule.lines else None
        self.scope: Scope | None = compile_scope(rule.lines, names=names) if rule.lines else None
        self.index = line_index(rule.lines) if rule.lines else None
        self.targets: frozenset[str] = frozenset()
        self.numerator, self.denominator = 1, 1  # of a multiplier
        self.parts = 1  # into which it divides a unit, at most
        self.each: Fraction | None = None  # units of the asset for one of what a rule counts: items, kilometres …
        self.exact = self._measure_out(asset, names)
        self.limits: RuleLimits | None = compile_limits(rule, asset.scale)
        self.group = rule.stack
        self.span = rule.span
        self.hours = hours_of(rule.span)
        self.rounding = rule.rounding or asset.rounding
        self.carry = asset.asset.carry_fractions and self.kind in ("per", "per_unit")
        pending = Period.parse(rule.pending) if rule.pending else None
        self.arrivals = Arrivals(asset, validity=rule.validity, pending=pending)
        self.net_of = frozenset(rule.net_of)
        self.include = frozenset(rule.include)
        self.weighs = self.lines is not None or bool(self.include)  # counts not just every line with all it cost
        self.order_key = (-rule.priority, rule.id)

    def _measure_out(self, asset: AssetRules, names: Names) -> Exact:
        """The rule's amount as a function: (turn, basis in minor units, weights) → exact units of the asset."""
        give = self.rule.give
        if give.per is not None:
            top, bottom = _quotient(ratio(give.per.points), ratio(give.per.amount))
            self.parts = Fraction(top * asset.scale, bottom * names.currency_scale).denominator
            return _per(top * asset.scale, bottom * names.currency_scale)
        if give.per_unit is not None:
            top, bottom = _quotient(ratio(give.per_unit.points), ratio(give.per_unit.every))
            self.each = Fraction(top * asset.scale, bottom)
            self.parts = self.each.denominator * PAYLOAD_SCALE
            return _per_unit(compile_term(give.per_unit.of, names=names), top * asset.scale, bottom)
        if give.steps is not None:
            steps = sorted((step.at_least, step.points) for step in give.steps.table)
            table = [(Fraction(at_least), Fraction(points) * asset.scale) for at_least, points in steps]
            return _steps(compile_term(give.steps.of, names=names), table)
        if give.per_item is not None:
            top, bottom = ratio(give.per_item)
            self.each = Fraction(top * asset.scale, bottom)
            return _per_item(top * asset.scale, bottom)
        if give.multiply is not None:
            self.numerator, self.denominator = ratio(give.multiply.by)
            self.targets = frozenset(give.multiply.rules)
            return _fixed(0, 1)
        assert give.fixed is not None  # the chapter allows exactly one kind
        top, bottom = ratio(give.fixed)
        return _fixed(top * asset.scale, bottom)


def _per(numerator: int, denominator: int) -> Exact:
    return lambda turn, basis, weights: (basis * numerator, denominator)


def _fixed(numerator: int, denominator: int) -> Exact:
    given = (numerator, denominator)
    return lambda turn, basis, weights: given


def _per_item(numerator: int, denominator: int) -> Exact:
    def exact(turn: Turn, basis: int, weights: list[int] | None) -> tuple[int, int]:
        lines = turn.purchase.lines if turn.purchase is not None else []
        counted = [line.quantity for i, line in enumerate(lines) if weights is None or weights[i]]
        return sum(counted) * numerator, denominator

    return exact


def _per_unit(term: Reads, numerator: int, denominator: int) -> Exact:
    def exact(turn: Turn, basis: int, weights: list[int] | None) -> tuple[int, int] | None:
        value = term(turn, None)
        return None if value is None else (value.numerator * numerator, value.denominator * denominator)

    return exact


def _steps(term: Reads, table: list[tuple[Fraction, Fraction]]) -> Exact:
    def exact(turn: Turn, basis: int, weights: list[int] | None) -> tuple[int, int] | None:
        value = term(turn, None)
        reached = [units for at_least, units in table if value is not None and value >= at_least]
        return (reached[-1].numerator, reached[-1].denominator) if reached else None

    return exact


def _quotient(over: tuple[int, int], under: tuple[int, int]) -> tuple[int, int]:
    return over[0] * under[1], over[1] * under[0]


class Ruleset:
    """The rules of one trigger: those that give for themselves, and those that raise what others give."""

    __slots__ = ("base", "grouped", "multipliers", "rules")

    def __init__(self, rules: list[EarnRule]) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.order_key)
        self.grouped = any(rule.group is not None for rule in rules)
        self.base = DayIndexes([rule for rule in rules if rule.kind != "multiply"])
        self.multipliers = DayIndexes([rule for rule in rules if rule.kind == "multiply"])


def compile_earning(
    program: Program, assets: dict[str, AssetRules], names: Names
) -> tuple[dict[str, Ruleset], dict[str, EarnRule]]:
    """(trigger → its rules, rule id → rule)."""
    rules = {rule.id: EarnRule(rule, assets, names) for rule in program.earning}
    for rule in rules.values():
        if rule.carry:
            rule.asset.parts = lcm(rule.asset.parts, rule.parts)
    triggers: dict[str, list[EarnRule]] = {}
    for rule in rules.values():
        for trigger in rule.rule.triggers:
            triggers.setdefault(trigger, []).append(rule)
    return {trigger: Ruleset(found) for trigger, found in triggers.items()}, rules


class Result(Struct, gc=False):
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
    if results:
        since = None if turn.order is None else turn.order.refunded_before()
        for result in results:
            _give(turn, result, since)


def results_of(turn: Turn) -> list[Result]:
    """What every rule gives for this turn, after groups and multipliers, before limits. Changes nothing."""
    ruleset = turn.program.earning.get(turn.activity.type)
    if ruleset is None:
        return []
    purchased = turn.purchase.lines if turn.purchase is not None else None
    amounts, goods = turn.priced()
    whole = turn.is_whole()
    results = []
    for rule, lines in ruleset.base.on(turn.day).candidates(purchased):
        if rule.hours and not within(rule.hours, turn.second):
            continue
        if rule.when is not None and not rule.when(turn, None):
            continue
        weights: list[int] | None = None
        basis = goods
        if rule.weighs or not whole:
            weights = _weights(turn, rule, lines, amounts)
            if weights is None:
                continue
            basis = sum(weights)
        exact = rule.exact(turn, basis, weights)
        if exact is None or exact[0] <= 0:
            continue
        numerator, denominator = exact
        rounding = rule.rounding
        units = numerator // denominator if rounding is FLOOR else divide(numerator, denominator, rounding)
        results.append(Result(rule, numerator, denominator, units, basis, weights))
    if ruleset.grouped:
        results = _stacked(results)
    if results and ruleset.multipliers.rules:
        bonuses = _bonuses(turn, ruleset.multipliers.on(turn.day).candidates(purchased), results, amounts)
        results += _stacked(bonuses) if ruleset.grouped else bonuses
    return results


def _weights(turn: Turn, rule: EarnRule, lines: list[int] | None, amounts: list[int]) -> list[int] | None:
    """Per position the amount that counts for the rule, tax and shipping last; None if no line is in its scope.

    ``lines`` are the positions that may match (None: any).
    """
    test, scope, purchase = rule.lines, rule.scope, turn.purchase
    if purchase is None:
        return None if test is not None else amounts
    matching: Sequence[int]
    if test is None or scope is None:
        matching = range(len(amounts) - 2)
    else:
        purchased = purchase.lines
        matching = scope(turn, purchased) if lines is None else [i for i in lines if test(turn, purchased[i])]
        if not matching:
            return None
    weights = [0] * len(amounts)
    for position in matching:
        weights[position] = amounts[position]
    if rule.net_of and (net := turn.paid_otherwise(rule.net_of)):
        for position in matching:
            weights[position] -= net[position]
    if rule.include:
        if "tax" in rule.include:
            weights[-2] = amounts[-2]
        if "shipping" in rule.include:
            weights[-1] = amounts[-1]
    return weights


def _bonuses(
    turn: Turn, candidates: Sequence[tuple[EarnRule, list[int] | None]], results: list[Result], amounts: list[int]
) -> list[Result]:
    """What the multipliers whose conditions hold add to the results."""
    goods = [*amounts[:-2], 0, 0] if amounts[-1] or amounts[-2] else amounts
    bonuses = []
    for rule, lines in candidates:
        if rule.hours and not within(rule.hours, turn.second):
            continue
        if rule.when is None or rule.when(turn, None):
            bonus = _bonus(turn, rule, lines, results, goods)
            if bonus is not None:
                bonuses.append(bonus)
    return bonuses


def _bonus(
    turn: Turn, rule: EarnRule, lines: list[int] | None, results: list[Result], amounts: list[int]
) -> Result | None:
    """What a multiplier adds to the results it works on: rounded as a whole, so that 41.5 × 1.2 is 49.

    ``amounts`` are without tax and shipping.
    """
    scope = _weights(turn, rule, lines, amounts) if rule.lines is not None else None
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
        if result.rule.group is None or result.rule.group.mode == "sum" or chosen[result.rule.group.group] is result
    ]


def _give(turn: Turn, result: Result, since: list[int] | None) -> None:
    """Apply carry and limits, credit the value, and let the order remember it. ``since``: see ``Award``."""
    rule, order, member = result.rule, turn.order, turn.member
    asset_id = rule.asset.id
    carries = carries_of(member, order)
    wanted, exact, kept = _wanted(carries, result)
    amount, bound = (wanted, None) if rule.limits is None else allowed(turn, rule.limits, wanted)
    if _is_too_much(member, asset_id, amount, wanted=wanted, exact=exact):
        turn.skip(rule.id, "balance_too_large", {"asset": asset_id, "most": MAX_AMOUNT})
        return
    if kept is not None:
        carries[asset_id] = kept
    if rule.limits is not None and amount > 0:
        use(turn, rule.limits, amount)
    lot = NO_LOT
    if amount > 0:
        dates = rule.arrivals.on(turn.day, member)
        cause = Cause("earn", rule.id, None if order is None else order.id, _why(result, wanted, bound))
        lot = credit(turn, asset_id, amount, source=ISSUED, cause=cause, dates=dates)
        turn.add_earned(asset_id, amount)
        if asset_id in turn.program.earned_counters:
            count_earned(turn, asset_id, amount, result.weights)
    elif bound is not None:
        turn.skip(rule.id, "limit_reached", {"limit": bound, "wanted": wanted})
    if order is not None and (amount > 0 or exact is not None):
        later_at = turn.now if turn.now != order.placed_at else 0
        order.awards.append(Award(rule.id, asset_id, lot, result.weights, since, exact, later_at=later_at))


def _wanted(carries: Carries, result: Result) -> tuple[int, list[int] | None, list[int] | None]:
    """The whole units a result comes to; where fractions are carried, also what it is exactly, in parts of a unit, and
    the fraction that is kept then."""
    if not result.rule.carry:
        return result.units, None, None
    exact = _in_parts(result)
    units, kept = carry(carries, result.rule.asset.id, *exact)
    return units, exact, kept


def _is_too_much(member: Member, asset: str, amount: int, *, wanted: int, exact: list[int] | None) -> bool:
    """Whether nobody could have so much of the asset. The order is settled all the same, without it: whoever paid has
    not done wrong. What a rule ``wanted`` before its limits cut it must be a number, too."""
    if wanted > MAX_AMOUNT or (exact is not None and max(exact) > _PARTS_MOST):
        return True
    return amount > 0 and not has_room(member, asset, amount)


def _in_parts(result: Result) -> list[int]:
    """The exact amount in parts of a unit, and how many parts a unit of the asset has."""
    parts = result.rule.asset.parts
    return [result.numerator * parts // result.denominator, parts]


def _why(result: Result, wanted: int, bound: str | None) -> dict[str, Any]:
    """The numbers of the cause: the basis in minor units, how many items or other things were counted (as an
    exact fraction), a multiplier's factor, what a limit cut."""
    rule = result.rule
    why: dict[str, Any] = {"basis": result.basis}
    if rule.each is not None:
        top, bottom = result.numerator * rule.each.denominator, result.denominator * rule.each.numerator
        shared = gcd(top, bottom)
        if max(top, bottom) // shared <= _PARTS_MOST:  # a distance of 1.2345678901234567e-05 is told by nobody
            why["counted"] = [top // shared, bottom // shared]
    if rule.kind == "multiply":
        by = [rule.numerator, rule.denominator]
        if max(by) <= _PARTS_MOST:
            why["by"] = by
    if bound is not None:
        why["wanted"], why["limit"] = wanted, bound
    return why


class Forecast(Struct):
    """What a rule would give, in units of its asset, and the key of the limit that cut it, if one did; ``too_much``:
    nothing, because nobody could have so much."""

    rule: str
    asset: str
    amount: int
    wanted: int
    bound: str | None = None
    too_much: bool = False


def forecast(turn: Turn) -> list[Forecast]:
    """What every rule would give within its limits, as ``earn`` would. For quotes: of the turn's member, who must
    be a copy, only the fractions kept change."""
    found: list[Forecast] = []
    earned: dict[str, int] = {}
    for result in results_of(turn):
        rule = result.rule
        asset = rule.asset.id
        wanted, exact, kept = _wanted(turn.member.carries, result)
        amount, bound = (wanted, None) if rule.limits is None else allowed(turn, rule.limits, wanted)
        before = earned.get(asset, 0)
        if _is_too_much(turn.member, asset, before + amount if amount > 0 else 0, wanted=wanted, exact=exact):
            found.append(Forecast(rule.id, asset, 0, wanted, too_much=True))
            continue
        if kept is not None:
            turn.member.carries[asset] = kept
        earned[asset] = before + max(0, amount)
        found.append(Forecast(rule.id, asset, amount, wanted, bound))
    return found
