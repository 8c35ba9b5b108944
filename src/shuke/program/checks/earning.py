"""Earning rules: scopes that match nothing, limits that are never reached, multipliers of nothing."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Final

from shuke.program.assets import Asset
from shuke.program.chapter import read_period
from shuke.program.checks.assets import check_validity
from shuke.program.checks.conditions import WITH_LINES
from shuke.program.checks.numbers import check_counts, check_given, check_rising, check_units, decimals, highest
from shuke.program.checks.spans import check_span
from shuke.program.checks.triggers import check_trigger
from shuke.program.document import Program
from shuke.program.earning import Limits, Rule, Steps
from shuke.program.problems import Broken, Problem, closest, problem, warning
from shuke.program.sentences import Fact, Listed, Phrase

_LARGE: Final = 1_000_000  # units of money, or of whatever a rule counts: what it gives for so much, somebody can have
_FACTOR_MOST: Final = 1_000
_FACTOR_DECIMALS: Final = 9
_PARTS_MOST: Final = 10**12
_PAYLOAD_PARTS: Final = 10**6  # of one of what a payload counts, as far as fractions are carried


def check(program: Program) -> Iterator[Problem]:
    assets = {asset.id: asset for asset in program.assets}
    for index, rule in enumerate(program.earning):
        path = f"earning[{index}]"
        asset = assets.get(rule.asset)
        yield from _triggers(path, rule)
        yield from check_span(f"{path}.span", rule.span)
        yield from _give(path, rule, asset)
        yield from _rate(f"{path}.give", rule, asset, program)
        if rule.limits is not None:
            yield from _limits(f"{path}.limits", rule, rule.limits, asset)
        if rule.give.multiply is not None:
            yield from _multiply(f"{path}.give.multiply", rule, program)
        yield from _dates(path, rule, asset)
    yield from _stacks(program)
    yield from _carried(program)


def _triggers(path: str, rule: Rule) -> Iterator[Problem]:
    for index, trigger in enumerate(rule.triggers):
        yield from check_trigger(f"{path}.on" if isinstance(rule.on, str) else f"{path}.on[{index}]", trigger)
    without = [trigger for trigger in rule.triggers if trigger not in WITH_LINES]
    if not without:
        return
    needing = [("lines", rule.lines), ("give.per", rule.give.per), ("give.per_item", rule.give.per_item)]
    hint = Phrase.of("hint.give", one="give: {fixed: …}", other="{per_unit: …}")
    for name, value in needing:
        if value is not None:
            yield problem(f"{path}.{name}", "no_lines", hint, trigger=without[0])


def _give(path: str, rule: Rule, asset: Asset | None) -> Iterator[Problem]:
    give = rule.give
    numbers = [(f"{path}.give.fixed", give.fixed), (f"{path}.give.per_item", give.per_item)]
    yield from check_given(numbers, asset)
    if give.steps is not None:
        yield from _steps(f"{path}.give.steps", give.steps, asset)
    if give.multiply is not None:
        yield from _factor(f"{path}.give.multiply.by", give.multiply.by)


def _factor(path: str, by: Decimal) -> Iterator[Problem]:
    if by <= 1:
        yield problem(path, "out_of_range:multiplier", "2", by=by)
    elif decimals(by) > _FACTOR_DECIMALS:
        yield problem(path, "too_precise:factor", round(by, _FACTOR_DECIMALS), by=by, decimals=_FACTOR_DECIMALS)
    elif by > _FACTOR_MOST:
        yield warning(path, "too_much:factor", by=by)


def _rate(path: str, rule: Rule, asset: Asset | None, program: Program) -> Iterator[Problem]:
    """Rates by which a large order, or a large number, would give more than a balance can be."""
    per, unit = rule.give.per, rule.give.per_unit
    if asset is None:
        return
    most = highest(asset.scale)
    if per is not None and (gives := _LARGE * per.points / per.amount) > most:
        facts: dict[str, Fact] = {"order": _LARGE, "currency": program.currency}
        yield warning(f"{path}.per.points", "too_much:rate", gives=_whole(gives), asset=asset.id, **facts)
    if unit is not None and (gives := _LARGE * unit.points / unit.every) > most:
        place = f"{path}.per_unit.points"
        yield warning(place, "too_much:counted", counted=_LARGE, gives=_whole(gives), asset=asset.id)


def _whole(number: Decimal) -> Decimal:
    return number.to_integral_value()


def _carried(program: Program) -> Iterator[Problem]:
    """Rules that together divide a unit into more parts than its fractions are carried in."""
    for index, asset in enumerate(program.assets):
        parts = 1
        for rule in program.earning if asset.carry_fractions else ():
            if rule.asset == asset.id:
                parts = lcm(parts, _parts(rule, asset, program))
        if parts > _PARTS_MOST:
            place = f"assets[{index}].carry_fractions"
            yield problem(place, "too_precise:carried", asset=asset.id, parts=parts, most=_PARTS_MOST)


def _parts(rule: Rule, asset: Asset, program: Program) -> int:
    """Into how many parts a rule divides a unit of the asset."""
    per, unit = rule.give.per, rule.give.per_unit
    gives = Fraction(1)
    if per is not None:
        gives = Fraction(per.points) / Fraction(per.amount) / 10**program.scale
    elif unit is not None:
        gives = Fraction(unit.points) / Fraction(unit.every) / _PAYLOAD_PARTS
    units: Fraction = gives * 10**asset.scale
    return units.denominator


def _steps(path: str, steps: Steps, asset: Asset | None) -> Iterator[Problem]:
    yield from check_given(((f"{path}.table[{i}].points", step.points) for i, step in enumerate(steps.table)), asset)
    for index in range(1, len(steps.table)):
        before, step = steps.table[index - 1], steps.table[index]
        if step.at_least <= before.at_least:
            place, hint = f"{path}.table[{index}].at_least", Phrase("hint.sort")
            yield problem(place, "not_rising", hint, step=step.at_least, before=before.at_least)


def _limits(path: str, rule: Rule, limits: Limits, asset: Asset | None) -> Iterator[Problem]:
    amounts = [
        (f"{path}.{name}", getattr(limits, name))
        for name in ("per_order", "per_day", "per_month", "per_year", "per_member", "total")
    ]
    times = [
        (f"{path}.{name}", getattr(limits, name))
        for name in ("times_per_day", "times_per_month", "times_per_year", "times_per_member", "times_total")
    ]
    yield from check_units(amounts, asset)
    yield from check_counts(times)
    yield from check_rising(amounts)
    yield from check_rising(times)
    fixed = rule.give.fixed
    for place, most in amounts:
        if fixed is not None and most is not None and most < fixed:
            yield warning(place, "contradictory_limits:once", fixed, given=fixed, most=most)
    if limits.per_order is not None and not WITH_LINES.intersection(rule.triggers):
        yield warning(f"{path}.per_order", "looks_like:per_order", "per_day", trigger=rule.triggers[0])


def _multiply(path: str, rule: Rule, program: Program) -> Iterator[Problem]:
    multiply = rule.give.multiply
    others = {other.id: other for other in program.earning}
    for index, name in enumerate(multiply.rules if multiply is not None else ()):
        place = f"{path}.rules[{index}]"
        target = others.get(name)
        if target is None:
            yield problem(place, "unknown_rule", closest(name, others), name=name)
        elif target.asset != rule.asset:
            hint = f"asset: {target.asset}"
            yield problem(place, "other_asset", hint, rule=name, asset=target.asset, own=rule.asset)
        elif target.give.multiply is not None:
            yield problem(place, "multiplies_multiplier", rule=name)
        elif not set(target.triggers) & set(rule.triggers):
            hint = f"on: {target.triggers[0]}"
            yield problem(place, "other_trigger", hint, rule=name, triggers=Listed(target.triggers))
    if multiply is not None and not multiply.rules and not _bases(rule, program):
        yield problem(path, "multiplies_nothing", asset=rule.asset, triggers=Listed(rule.triggers))


def _bases(rule: Rule, program: Program) -> list[Rule]:
    return [
        other
        for other in program.earning
        if other.give.multiply is None and other.asset == rule.asset and set(other.triggers) & set(rule.triggers)
    ]


def _dates(path: str, rule: Rule, asset: Asset | None) -> Iterator[Problem]:
    try:
        if rule.pending is not None:
            read_period(rule.pending)
    except Broken as broken:
        yield broken.at(f"{path}.pending")
        return
    if asset is None or (rule.validity is None and rule.pending is None):
        return
    validity = asset.validity if rule.validity is None else rule.validity
    place = f"{path}.validity" if rule.validity is not None else f"{path}.pending"
    yield from check_validity(place, validity, rule.pending or asset.pending)


def _stacks(program: Program) -> Iterator[Problem]:
    """Rules of one group must agree on how they meet."""
    modes: dict[str, tuple[str, str]] = {}
    for index, rule in enumerate(program.earning):
        if rule.stack is None:
            continue
        first, mode = modes.setdefault(rule.stack.group, (rule.id, rule.stack.mode))
        if rule.stack.mode != mode:
            facts = {"group": rule.stack.group, "first": first, "mode": mode, "rule": rule.id, "other": rule.stack.mode}
            yield problem(f"earning[{index}].stack.mode", "contradictory_group", mode, **facts)
