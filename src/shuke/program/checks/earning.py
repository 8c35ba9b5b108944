"""Earning rules: scopes that match nothing, limits that are never reached, multipliers of nothing."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.assets import Asset
from shuke.program.checks.assets import check_validity
from shuke.program.checks.conditions import WITH_LINES
from shuke.program.checks.numbers import check_rising, check_units, plain
from shuke.program.checks.spans import check_span
from shuke.program.checks.triggers import check_trigger
from shuke.program.document import Program
from shuke.program.earning import Limits, Rule, Steps
from shuke.program.problems import Problem, closest
from shuke.values.periods import Period


def check(program: Program) -> Iterator[Problem]:
    assets = {asset.id: asset for asset in program.assets}
    for index, rule in enumerate(program.earning):
        path = f"earning[{index}]"
        asset = assets.get(rule.asset)
        yield from _triggers(path, rule)
        yield from check_span(f"{path}.span", rule.span)
        yield from _give(path, rule, asset)
        if rule.limits is not None:
            yield from _limits(f"{path}.limits", rule, rule.limits, asset)
        if rule.give.multiply is not None:
            yield from _multiply(f"{path}.give.multiply", rule, program)
        yield from _dates(path, rule, asset)
    yield from _stacks(program)


def _triggers(path: str, rule: Rule) -> Iterator[Problem]:
    for index, trigger in enumerate(rule.triggers):
        yield from check_trigger(f"{path}.on" if isinstance(rule.on, str) else f"{path}.on[{index}]", trigger)
    without = [trigger for trigger in rule.triggers if trigger not in WITH_LINES]
    if not without:
        return
    needing = [("lines", rule.lines), ("give.per", rule.give.per), ("give.per_item", rule.give.per_item)]
    for name, value in needing:
        if value is not None:
            sentence = f"{without[0]} has no lines and costs nothing, so this gives nothing for it."
            yield Problem(f"{path}.{name}", "no_lines", sentence, "give: {fixed: …} or {per_unit: …}")


def _give(path: str, rule: Rule, asset: Asset | None) -> Iterator[Problem]:
    give = rule.give
    numbers = [(f"{path}.give.fixed", give.fixed), (f"{path}.give.per_item", give.per_item)]
    yield from check_units(numbers, asset)
    if give.steps is not None:
        yield from _steps(f"{path}.give.steps", give.steps, asset)
    if give.multiply is not None and give.multiply.by <= 1:
        sentence = f"A multiplier adds to what others give: times {plain(give.multiply.by)} adds nothing."
        yield Problem(f"{path}.give.multiply.by", "out_of_range", sentence, "2")


def _steps(path: str, steps: Steps, asset: Asset | None) -> Iterator[Problem]:
    yield from check_units(((f"{path}.table[{i}].points", step.points) for i, step in enumerate(steps.table)), asset)
    for index in range(1, len(steps.table)):
        before, step = steps.table[index - 1], steps.table[index]
        if step.at_least <= before.at_least:
            sentence = f"The step at {plain(step.at_least)} comes after the one at {plain(before.at_least)}."
            yield Problem(
                f"{path}.table[{index}].at_least",
                "not_rising",
                sentence,
                "sort them, lowest first, each once",
            )


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
    yield from check_rising(amounts)
    yield from check_rising(times)
    fixed = rule.give.fixed
    for place, most in amounts:
        if fixed is not None and most is not None and most < fixed:
            sentence = f"The rule gives {plain(fixed)} at a time, but this lets through only {plain(most)}."
            yield Problem(place, "contradictory_limits", sentence, plain(fixed), "warning")
    if limits.per_order is not None and not WITH_LINES.intersection(rule.triggers):
        sentence = f"{rule.triggers[0]} is no order, so this bounds every single one of them."
        yield Problem(f"{path}.per_order", "looks_like", sentence, "per_day", "warning")


def _multiply(path: str, rule: Rule, program: Program) -> Iterator[Problem]:
    multiply = rule.give.multiply
    others = {other.id: other for other in program.earning}
    for index, name in enumerate(multiply.rules if multiply is not None else ()):
        place = f"{path}.rules[{index}]"
        target = others.get(name)
        if target is None:
            yield Problem(place, "unknown_rule", f"There is no earning rule {name!r}.", closest(name, others))
        elif target.asset != rule.asset:
            sentence = f"{name!r} gives {target.asset!r}, so a multiplier of {rule.asset!r} never works on it."
            yield Problem(place, "other_asset", sentence, f"asset: {target.asset}")
        elif target.give.multiply is not None:
            sentence = f"{name!r} is a multiplier itself; multipliers work on rules that give something."
            yield Problem(place, "multiplies_multiplier", sentence)
        elif not set(target.triggers) & set(rule.triggers):
            sentence = f"{name!r} works on {', '.join(target.triggers)}, this one never at the same time."
            yield Problem(place, "other_trigger", sentence, f"on: {target.triggers[0]}")
    if multiply is not None and not multiply.rules and not _bases(rule, program):
        sentence = f"Nothing gives {rule.asset!r} on {', '.join(rule.triggers)}, so there is nothing to multiply."
        yield Problem(path, "multiplies_nothing", sentence)


def _bases(rule: Rule, program: Program) -> list[Rule]:
    return [
        other
        for other in program.earning
        if other.give.multiply is None and other.asset == rule.asset and set(other.triggers) & set(rule.triggers)
    ]


def _dates(path: str, rule: Rule, asset: Asset | None) -> Iterator[Problem]:
    try:
        if rule.pending is not None:
            Period.parse(rule.pending)
    except ValueError as broken:
        yield Problem(f"{path}.pending", "not_valid", f"{broken}.")
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
            here = f"{rule.id!r} {rule.stack.mode}"
            sentence = f"In the group {rule.stack.group!r}, {first!r} says {mode}, but {here}."
            yield Problem(f"earning[{index}].stack.mode", "contradictory_group", sentence, mode)
