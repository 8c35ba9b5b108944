"""Measures that count nothing, or something else than they say."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.checks.conditions import WITH_LINES
from shuke.program.checks.triggers import check_trigger
from shuke.program.document import Program
from shuke.program.problems import Problem, problem, warning


def check(program: Program) -> Iterator[Problem]:
    for index, measure in enumerate(program.measures):
        path = f"measures[{index}]"
        for at, trigger in enumerate(measure.on):
            yield from check_trigger(f"{path}.on[{at}]", trigger)
        payload = measure.of.startswith("payload.") and len(measure.of) > len("payload.")
        if measure.of not in ("amount", "items") and not payload:
            yield problem(f"{path}.of", "not_in_list:measure", f"payload.{measure.of}", of=measure.of)
        elif measure.kind != "sum" and "of" in measure.model_fields_set:
            yield warning(f"{path}.of", "without_effect:of", kind=measure.kind)
        without = [trigger for trigger in measure.on if trigger not in WITH_LINES]
        if not without:
            continue
        if measure.lines is not None:
            yield problem(f"{path}.lines", "no_lines:chosen", trigger=without[0])
        elif measure.kind == "sum" and measure.of in ("amount", "items"):
            yield problem(f"{path}.of", "no_lines:summed", "payload.…", trigger=without[0], of=measure.of)
