"""Periods: days, weeks, months and years on the calendar, counted from a day, never from an instant.

Months and years are counted from the original day and end on the last day of a month that is too short:
31 January + 1 month = 28 (29) February, + 2 months = 31 March. So the third repetition of a period is
``add(day, period, times=3)``, not three additions in a row. A year is twelve months, and the same rule makes
29 February fall on 28 February in common years, for anniversaries and birthdays too.

Days are local dates (see ``instants``). Results outside of the years 1 to 9999 raise ValueError.
"""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from shuke.values.instants import Day

Span: TypeAlias = Literal["day", "month", "quarter", "year"]

MAX_COUNT: Final = 36_525
"""The largest count in a period: a hundred years of days."""

_MONTHS_IN: Final[dict[Span, int]] = {"month": 1, "quarter": 3, "year": 12}
_WRITTEN: Final = re.compile(r"([0-9]{1,6}) ?(day|week|month|year)s?")
_ISO: Final = re.compile(r"P([0-9]{1,6})([DWMY])")
_MOST_REMEMBERED: Final = 65_536


class Unit(StrEnum):
    """What a period is counted in."""

    DAYS = "days"
    WEEKS = "weeks"
    MONTHS = "months"
    YEARS = "years"


_DAYS: Final = Unit.DAYS
_WEEKS: Final = Unit.WEEKS
_YEARS: Final = Unit.YEARS
_BY_LETTER: Final = {"D": Unit.DAYS, "W": Unit.WEEKS, "M": Unit.MONTHS, "Y": Unit.YEARS}


@dataclass(frozen=True, slots=True)
class Period:
    """A count of units, 0 to 36,525. ValueError outside of that."""

    count: int
    unit: Unit

    def __post_init__(self) -> None:
        if not 0 <= self.count <= MAX_COUNT:
            raise ValueError(f"a period counts from 0 to {MAX_COUNT} {self.unit}, not {self.count}")

    @classmethod
    def parse(cls, text: str) -> "Period":
        """Read "12 months", "1 year", "30 days" or, in ISO 8601, one unit: "P12M". Else ValueError."""
        written = _WRITTEN.fullmatch(text.strip().lower())
        if written:
            return cls(int(written[1]), Unit(written[2] + "s"))
        iso = _ISO.fullmatch(text.strip())
        if iso:
            return cls(int(iso[1]), _BY_LETTER[iso[2]])
        raise ValueError(f'"{text}" is not a period: write a whole number and a unit, for example "12 months"')

    def __str__(self) -> str:
        """What ``parse`` reads: "1 month", "12 months"."""
        unit = self.unit.value
        return f"{self.count} {unit[:-1] if self.count == 1 else unit}"


def add(day: Day, period: Period, times: int = 1) -> Day:
    """The day ``times`` periods after ``day``; months are counted from ``day`` itself (rule above)."""
    unit, count = period.unit, period.count * times
    if unit is _DAYS:
        return _checked(day + count)
    if unit is _WEEKS:
        return _checked(day + 7 * count)
    return _add_months(day, 12 * count if unit is _YEARS else count)


def subtract(day: Day, period: Period) -> Day:
    """The day one period before ``day``: 31 March - 1 month = 28 (29) February."""
    return add(day, period, -1)


def start_of(day: Day, span: Span) -> Day:
    """The first day of the month, quarter (from January) or year of ``day``; the day itself for "day"."""
    return day if span == "day" else _bounds(day, _MONTHS_IN[span])[0]


def end_of(day: Day, span: Span) -> Day:
    """The last day of the month, quarter (from January) or year of ``day``; the day itself for "day"."""
    return day if span == "day" else _bounds(day, _MONTHS_IN[span])[1]


def anniversary_on_or_before(day: Day, anchor: Day) -> Day:
    """The latest anniversary of ``anchor`` that is not after ``day``; the anchor itself is its own.

    An anchor on 29 February has its anniversary on 28 February in common years. Anniversaries go both ways:
    for a day before the anchor (facts arrive late) the answer lies before the anchor too.
    """
    years = date.fromordinal(day).year - date.fromordinal(anchor).year
    this_year = _add_months(anchor, 12 * years)
    return this_year if this_year <= day else _add_months(anchor, 12 * (years - 1))


def next_anniversary(day: Day, anchor: Day) -> Day:
    """The first anniversary of ``anchor`` strictly after ``day``, by the rules above."""
    years = date.fromordinal(day).year - date.fromordinal(anchor).year
    this_year = _add_months(anchor, 12 * years)
    return this_year if this_year > day else _add_months(anchor, 12 * (years + 1))


def first_of_nth_month(day: Day, n: int) -> Day:
    """The first day of the n-th month, the month of ``day`` being the first.

    "Valid to the first day of the 25th month" is n = 25: for any day of March 2026, 1 March 2028.
    ValueError for n below 1.
    """
    if n < 1:
        raise ValueError(f"months are counted from 1, not from {n}")
    return _add_months(start_of(day, "month"), n - 1)


def fixed_date(day: Day, month: int, dayofmonth: int, years_later: int) -> Day:
    """The given date in the year that comes ``years_later`` years after the year of ``day``.

    "31 December of next year" is (day, 12, 31, 1). With 0 years it may lie before ``day``. 29 February is 28
    February in common years. ValueError for a date that no year has, such as 31 April.
    """
    try:
        in_leap_year = date(2000, month, dayofmonth).toordinal()
    except ValueError as broken:
        raise ValueError(f"no year has a day {dayofmonth} in month {month}") from broken
    return _add_months(in_leap_year, 12 * (date.fromordinal(day).year + years_later - 2000))


@lru_cache(maxsize=_MOST_REMEMBERED)
def _add_months(day: Day, months: int) -> Day:
    origin = date.fromordinal(day)
    year, month = divmod(origin.year * 12 + origin.month - 1 + months, 12)
    return date(_checked_year(year), month + 1, min(origin.day, monthrange(year, month + 1)[1])).toordinal()


@lru_cache(maxsize=_MOST_REMEMBERED)
def _bounds(day: Day, months: int) -> tuple[Day, Day]:
    """First and last day of the block of ``months`` months, counted from January, that holds ``day``."""
    origin = date.fromordinal(day)
    first = (origin.month - 1) // months * months + 1
    last = first + months - 1
    ends = date(origin.year, last, monthrange(origin.year, last)[1])
    return date(origin.year, first, 1).toordinal(), ends.toordinal()


def _checked(day: Day) -> Day:
    if 1 <= day <= _LAST_DAY:
        return day
    raise ValueError("this period leads out of the years 1 to 9999")


def _checked_year(year: int) -> int:
    if 1 <= year <= 9999:
        return year
    raise ValueError("this period leads out of the years 1 to 9999")


_LAST_DAY: Final = date.max.toordinal()
