"""Finding the few rules a purchase can meet among thousands: by the day, then by what its lines carry.

Earning rules and promotions both have a span of dates and a scope over lines. Which of them are in force is
worked out once a day; a scope such as ``line.category in [coffee, tea]`` is looked up, not tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Generic, Protocol, TypeVar

from shuke.engine.activity import Line
from shuke.engine.catalog import categories_of
from shuke.program.earning import Span
from shuke.values.instants import Day, day_of, month_of, weekday

Index = tuple[str, frozenset[str]]
"""A line attribute and the only values of it with which a scope can match (see ``conditions.line_index``)."""

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAYS_CACHED = 64
_FEW = 16  # so many scopes are tried on every line faster than they are looked up
CATEGORIES = "categories"
_LINE_FIELDS = frozenset(Line.__struct_fields__)


class Scoped(Protocol):
    """What is indexed: an id, a place in the order of all, a scope's index if it has one, and a span."""

    @property
    def id(self) -> str: ...
    @property
    def order_key(self) -> tuple[Any, ...]: ...
    @property
    def index(self) -> Index | None: ...
    @property
    def span(self) -> Span | None: ...


R = TypeVar("R", bound=Scoped)


def in_force(span: Span | None, day: Day) -> bool:
    """Whether the span covers the day (hours aside)."""
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


Hours = tuple[tuple[int, int], ...]


def hours_of(span: Span | None) -> Hours:
    """Spans of the day in seconds since midnight, ends exclusive; over midnight is two. None: all day."""
    found: list[tuple[int, int]] = []
    for text in span.hours if span else ():
        start, end = (_seconds(part) for part in text.split("-"))
        found += [(start, end)] if start < end else [(start, 86_400), (0, end)]
    return tuple(found)


def _seconds(clock: str) -> int:
    hours, minutes = clock.strip().split(":")
    return int(hours) * 3600 + int(minutes) * 60


def within(hours: Hours, second: int) -> bool:
    """Whether the second of the day lies in one of the spans; no spans at all: always."""
    return not hours or any(start <= second < end for start, end in hours)


class DayIndex(Generic[R]):
    """The rules in force on one day: those every purchase meets, and those only certain lines can meet."""

    __slots__ = ("_always", "_indexes", "_place")

    def __init__(self, rules: list[R]) -> None:
        looked_up = sum(rule.index is not None for rule in rules) > _FEW
        self._always: list[tuple[R, list[int] | None]] = [
            (rule, None) for rule in rules if rule.index is None or not looked_up
        ]
        self._place = {rule.id: place for place, rule in enumerate(rules)}
        indexes: dict[str, dict[Any, list[R]]] = {}
        for rule in rules if looked_up else ():
            if rule.index is not None:
                attribute, values = rule.index
                for value in values:
                    indexes.setdefault(attribute, {}).setdefault(value, []).append(rule)
        self._indexes = [(attribute, indexes[attribute]) for attribute in sorted(indexes)]

    def candidates(self, lines: list[Line] | None) -> Sequence[tuple[R, list[int] | None]]:
        """Rules with the positions of the lines that may match (None: any), in the order of all rules."""
        if not self._indexes or lines is None:
            return self._always
        found = list(self._always)
        by_rule: dict[str, tuple[R, list[int]]] = {}
        for attribute, table in self._indexes:
            own = attribute in _LINE_FIELDS
            several = attribute == CATEGORIES
            for position, line in enumerate(lines):
                if several:
                    matching = [rule for value in all_carried(line, attribute) for rule in table.get(value, ())]
                else:
                    value = getattr(line, attribute) if own else carried(line, attribute)
                    matching = table.get(value, [])
                for rule in matching:
                    entry = by_rule.get(rule.id)
                    if entry is None:
                        by_rule[rule.id] = (rule, [position])
                    elif entry[1][-1] != position:
                        entry[1].append(position)
        if by_rule:
            found.extend(by_rule.values())
            found.sort(key=lambda pair: self._place[pair[0].id])
        return found


def all_carried(line: Line, attribute: str) -> list[Any]:
    """As ``carried``, of an attribute that may have several values; each of them once."""
    if attribute != CATEGORIES:
        return [carried(line, attribute)]
    return list(dict.fromkeys(value for value in categories_of(line) or () if isinstance(value, str)))


def carried(line: Line, attribute: str) -> Any:
    """What the line says of an attribute, be it one of its own fields or a further one."""
    if attribute in _LINE_FIELDS:
        return getattr(line, attribute)
    value = (line.attributes or {}).get(attribute)
    return value if isinstance(value, str) else None


class DayIndexes(Generic[R]):
    """All rules, in order; ``on(day)`` gives the index of those in force that day."""

    __slots__ = ("_days", "rules")

    def __init__(self, rules: list[R]) -> None:
        self.rules = sorted(rules, key=lambda rule: rule.order_key)
        self._days: dict[Day, DayIndex[R]] = {}

    def on(self, day: Day) -> DayIndex[R]:
        found = self._days.get(day)
        if found is None:
            if len(self._days) >= _DAYS_CACHED:
                self._days.clear()
            found = self._days[day] = DayIndex([rule for rule in self.rules if in_force(rule.span, day)])
        return found
