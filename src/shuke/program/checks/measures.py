"""Measures that count nothing, or something else than they say."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.checks.conditions import WITH_LINES
from shuke.program.checks.triggers import check_trigger
from shuke.program.document import Program
from shuke.program.problems import Problem


def check(program: Program) -> Iterator[Problem]:
    for index, measure in enumerate(program.measures):
        path = f"measures[{index}]"
        for at, trigger in enumerate(measure.on):
            yield from check_trigger(f"{path}.on[{at}]", trigger)
        payload = measure.of.startswith("payload.") and len(measure.of) > len("payload.")
        if measure.of not in ("amount", "items") and not payload:
            sentence = f"A measure sums amount, items or payload.<field>, not {measure.of!r}."
            yield Problem(f"{path}.of", "not_in_list", sentence, f"payload.{measure.of}")
        elif measure.kind != "sum" and "of" in measure.model_fields_set:
            sentence = f"A measure that counts {measure.kind} has nothing to sum: leave of out, or say kind: sum."
            yield Problem(f"{path}.of", "without_effect", sentence, severity="warning")
        without = [trigger for trigger in measure.on if trigger not in WITH_LINES]
        if not without:
            continue
        if measure.lines is not None:
            sentence = f"{without[0]} has no lines, so none of them can be chosen."
            yield Problem(f"{path}.lines", "no_lines", sentence)
        elif measure.kind == "sum" and measure.of in ("amount", "items"):
            sentence = f"{without[0]} has no {measure.of}: sum a field of its payload, or count it."
            yield Problem(f"{path}.of", "no_lines", sentence, "payload.…")
