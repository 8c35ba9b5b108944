"""When something is in force: dates that exist, ends that come after beginnings, hours a clock can show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shuke.program.earning import Span
from shuke.program.problems import Problem, problem
from shuke.values.instants import InstantError, day_of

_HOURS: Final = re.compile(r"\s*([01]?[0-9]|2[0-4]):([0-5][0-9])\s*-\s*([01]?[0-9]|2[0-4]):([0-5][0-9])\s*")


def check_dates(path: str, first: str | None, last: str | None) -> Iterator[Problem]:
    """``first`` and ``last`` are inclusive dates below ``path``, as ``from`` and ``until``."""
    days = []
    for name, text in (("from", first), ("until", last)):
        if text is None:
            continue
        try:
            days.append(day_of(text))
        except InstantError:
            yield problem(f"{path}.{name}", "no_such_date", date=text)
    if len(days) == 2 and days[0] > days[1]:
        yield problem(f"{path}.until", "ends_before_it_begins", first, first=first, last=last)


def check_span(path: str, span: Span | None) -> Iterator[Problem]:
    """Everything that is wrong with a span; nothing if there is none."""
    if span is None:
        return
    yield from check_dates(path, span.from_, span.until)
    for index, day in enumerate(span.days_of_month):
        if not 1 <= day <= 31:
            yield problem(f"{path}.days_of_month[{index}]", "no_such_date:day", day=day)
    for index, hours in enumerate(span.hours):
        yield from _hours(f"{path}.hours[{index}]", hours)


def _hours(path: str, text: str) -> Iterator[Problem]:
    written = _HOURS.fullmatch(text)
    example = "11:00-14:00"
    if written is None:
        yield problem(path, "bad_hours", example, example=example, text=text)
        return
    start, end = int(written[1]) * 60 + int(written[2]), int(written[3]) * 60 + int(written[4])
    if start >= 1440 or end > 1440:
        yield problem(path, "bad_hours:clock", text=text)
    elif start == end:
        yield problem(path, "bad_hours:nothing", "00:00-24:00", text=text)
