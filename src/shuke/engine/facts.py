"""Reading facts: what is told about an order, a line, a member, an activity and the moment, as plain values.

Values inside: money in minor units, dates as local days (ordinals), times as minutes since midnight, weekdays
from 0 (Monday). What payloads, traits and line attributes hold is of any kind; it is read as the kind it is
compared with, and is missing (None) if it cannot be.
"""

from __future__ import annotations

import re
from calendar import isleap
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from shuke.engine.activity import Line, Purchase
from shuke.engine.turn import Turn
from shuke.program.conditions import Fact, Kind
from shuke.values.instants import Day
from shuke.values.periods import Period, Unit, add

Read = Callable[[Turn, Line | None], Any]
Number = int | Fraction

_NUMBER = re.compile(r"-?[0-9]{1,30}(\.[0-9]{1,18})?\Z")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_MONTH_AND_DAY = re.compile(r"(?:[0-9]{4}-|--)?([0-9]{2})-([0-9]{2})\Z")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z")
_MOST_REMEMBERED = 65_536

# -- Values of any kind, read as one ----------------------------------------------------------------------


def exact_number(value: Any) -> Number | None:
    """The number that is meant, exactly: by 12, by Decimal("12.5") and by the text "12.5". Else None.

    A float means the shortest decimal that gives it, which is what was written in the JSON it came from.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        return slim(Fraction(value)) if _NUMBER.match(value) else None
    number = Decimal(repr(value)) if isinstance(value, float) else value
    return slim(Fraction(number)) if isinstance(number, Decimal) and number.is_finite() else None


def slim(number: Fraction) -> Number:
    """A whole number as int, which is faster than a fraction and equal to it."""
    return number.numerator if number.denominator == 1 else number


def text_in(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def boolean_in(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def list_in(value: Any) -> list[Any] | None:
    return value if isinstance(value, list) else None


def day_in(value: Any) -> Day | None:
    """The day of a text "2026-11-01"."""
    return _day_of(value) if isinstance(value, str) and len(value) == 10 else None


def minute_in(value: Any) -> int | None:
    """Minutes since midnight of a text "22:30"."""
    found = _CLOCK.match(value) if isinstance(value, str) else None
    return int(found[1]) * 60 + int(found[2]) if found else None


def month_and_day_in(value: Any) -> tuple[int, int] | None:
    """Month and day of a text "1990-05-01", or "05-01" or "--05-01" where the year is not told."""
    return _month_and_day_of(value) if isinstance(value, str) and len(value) <= 10 else None


@lru_cache(maxsize=_MOST_REMEMBERED)
def _day_of(text: str) -> Day | None:
    try:
        return date.fromisoformat(text).toordinal() if _DATE.match(text) else None
    except ValueError:
        return None


@lru_cache(maxsize=_MOST_REMEMBERED)
def _month_and_day_of(text: str) -> tuple[int, int] | None:
    found = _MONTH_AND_DAY.match(text)
    if found is None:
        return None
    if len(text) == 10:
        return None if _day_of(text) is None else (int(found[1]), int(found[2]))
    try:
        told = date(2000, int(found[1]), int(found[2]))  # a leap year: 29 February is somebody's birthday
    except ValueError:
        return None
    return told.month, told.day


READ_AS: dict[Kind, tuple[type | None, Callable[[Any], Any]]] = {
    Kind.NUMBER: (int, exact_number),
    Kind.MONEY: (int, exact_number),
    Kind.TEXT: (str, text_in),
    Kind.TEXTS: (list, list_in),
    Kind.BOOLEAN: (bool, boolean_in),
    Kind.DATE: (None, day_in),
    Kind.TIME: (None, minute_in),
}
"""How an open value is read as a kind; a value of exactly this type needs no reading."""

# -- Facts of known kind ----------------------------------------------------------------------------------


def _order(told: Callable[[Purchase], Any]) -> Read:
    def read(turn: Turn, line: Line | None) -> Any:
        purchase = turn.purchase
        return None if purchase is None else told(purchase)

    return read


def _line(told: Callable[[Line], Any]) -> Read:
    def read(turn: Turn, line: Line | None) -> Any:
        return None if line is None else told(line)

    return read


def _order_amount(turn: Turn, line: Line | None) -> int | None:
    if turn.purchase is None:
        return None
    basis = turn.basis()  # lines, tax, shipping
    return sum(basis) - basis[-1] - basis[-2]


def _list_amount(line: Line) -> int:
    return line.amount if line.list_amount is None else line.list_amount


def _joined(turn: Turn) -> Day:
    return turn.program.calendar.day(turn.member.joined_at)


def _months(turn: Turn, line: Line | None) -> int:
    """Whole months since joining; 31 January to 28 February is one (see ``values.periods``)."""
    joined = _joined(turn)
    since, today = date.fromordinal(joined), date.fromordinal(turn.day)
    months = (today.year - since.year) * 12 + today.month - since.month
    if months > 0 and add(joined, Period(months, Unit.MONTHS)) > turn.day:
        months -= 1
    return max(months, 0)


_READERS: dict[tuple[str, str], Read] = {
    ("order", "amount"): _order_amount,
    ("order", "list_amount"): _order(lambda purchase: sum(_list_amount(line) for line in purchase.lines)),
    ("order", "channel"): _order(lambda purchase: purchase.channel),
    ("order", "store"): _order(lambda purchase: purchase.store),
    ("order", "payment"): _order(lambda purchase: purchase.payment),
    ("order", "tax"): _order(lambda purchase: purchase.tax),
    ("order", "shipping"): _order(lambda purchase: purchase.shipping),
    ("order", "items"): _order(lambda purchase: sum(line.quantity for line in purchase.lines)),
    ("order", "lines"): _order(lambda purchase: len(purchase.lines)),
    ("order", "coupons"): _order(lambda purchase: None if purchase.uses is None else purchase.uses.coupons),
    ("line", "amount"): _line(lambda line: line.amount),
    ("line", "list_amount"): _line(_list_amount),
    ("line", "quantity"): _line(lambda line: line.quantity),
    ("line", "sku"): _line(lambda line: line.sku),
    ("line", "category"): _line(lambda line: line.category),
    ("line", "brand"): _line(lambda line: line.brand),
    ("line", "tags"): _line(lambda line: line.tags),
    ("member", "status"): lambda turn, line: turn.member.status,
    ("member", "joined"): lambda turn, line: _joined(turn),
    ("member", "months"): _months,
    ("member", "birthday"): lambda turn, line: day_in(turn.member.traits.get("birthday")),
    ("member", "language"): lambda turn, line: text_in(turn.member.traits.get("language")),
    ("member", "kind"): lambda turn, line: text_in(turn.member.traits.get("kind")),
    ("member", "tags"): lambda turn, line: turn.member.tags,
    ("activity", "type"): lambda turn, line: turn.activity.type,
    ("activity", "source"): lambda turn, line: turn.activity.source,
    ("now", "date"): lambda turn, line: turn.day,
    ("now", "weekday"): lambda turn, line: (turn.day + 6) % 7,
    ("now", "day"): lambda turn, line: date.fromordinal(turn.day).day,
    ("now", "month"): lambda turn, line: date.fromordinal(turn.day).month,
    ("now", "year"): lambda turn, line: date.fromordinal(turn.day).year,
    ("now", "hour"): lambda turn, line: turn.second // 3600,
    ("now", "minute"): lambda turn, line: turn.second // 60 % 60,
    ("now", "time"): lambda turn, line: turn.second // 60,
}


def fact_reader(fact: Fact, *, kind: Kind) -> Read:
    """A function that reads the fact; an open one as ``kind``. KeyError if there is no such fact."""
    found = _READERS.get((fact.scope, fact.name))
    if found is not None:
        return found
    exact_type, cast = READ_AS[kind]
    return _open_reader(fact, exact_type, cast)


def _open_reader(fact: Fact, exact_type: type | None, cast: Callable[[Any], Any]) -> Read:
    name = fact.name
    if fact.scope == "trait":

        def trait(turn: Turn, line: Line | None) -> Any:
            value = turn.member.traits.get(name)
            return value if type(value) is exact_type else cast(value)

        return trait
    if fact.scope == "activity":

        def field(turn: Turn, line: Line | None) -> Any:
            payload = turn.activity.payload
            value = payload.get(name) if payload is not None else None
            return value if type(value) is exact_type else cast(value)

        return field
    if fact.scope == "line":

        def attribute(turn: Turn, line: Line | None) -> Any:
            attributes = line.attributes if line is not None else None
            value = attributes.get(name) if attributes is not None else None
            return value if type(value) is exact_type else cast(value)

        return attribute
    raise KeyError(f"{fact.scope}.{fact.name}")


# -- Dates that return every year -------------------------------------------------------------------------


def month_and_day_reader(fact: Fact) -> Read:
    """Reads (month, day) of a date, also of one that is told without its year."""
    if fact == Fact("member", "birthday"):
        return lambda turn, line: month_and_day_in(turn.member.traits.get("birthday"))
    found = _READERS.get((fact.scope, fact.name))
    if found is None:
        return _open_reader(fact, None, month_and_day_in)

    def read(turn: Turn, line: Line | None) -> Any:
        day = found(turn, line)
        return None if day is None else month_and_day(day)

    return read


@lru_cache(maxsize=_MOST_REMEMBERED)
def month_and_day(day: Day) -> tuple[int, int]:
    """(month, day of the month)."""
    told = date.fromordinal(day)
    return told.month, told.day


@lru_cache(maxsize=_MOST_REMEMBERED)
def kept_on(day: Day) -> frozenset[tuple[int, int]]:
    """The (month, day) of birthdays kept on this day: on 28 February of a common year also 29 February."""
    told = date.fromordinal(day)
    if (told.month, told.day) == (2, 28) and not isleap(told.year):
        return frozenset(((2, 28), (2, 29)))
    return frozenset(((told.month, told.day),))
