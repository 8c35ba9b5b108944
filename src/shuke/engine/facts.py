"""Reading facts: what is told about an order, a line, a member, an activity and the moment, as plain values.

A fact is read by a Python expression over ``turn`` and ``line`` (see ``expressions``).

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

from shuke.engine.activity import Line
from shuke.engine.catalog import categories_of
from shuke.engine.consents import granted
from shuke.engine.expressions import Expression
from shuke.engine.turn import Turn
from shuke.program.conditions import Ago, Fact, Kind
from shuke.values.instants import Day
from shuke.values.periods import Period, Unit, add

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

# -- What the facts are called in an expression --------------------------------------------------------------


def _order_amount(turn: Turn) -> int | None:
    return None if turn.purchase is None else turn.priced()[1]


def _order_list_amount(turn: Turn) -> int | None:
    return None if turn.purchase is None else sum(_list_amount(line) for line in turn.purchase.lines)


def _order_items(turn: Turn) -> int | None:
    return None if turn.purchase is None else sum(line.quantity for line in turn.purchase.lines)


def _order_coupons(turn: Turn) -> list[str] | None:
    purchase = turn.purchase
    return None if purchase is None or purchase.uses is None else purchase.uses.coupons


def _list_amount(line: Line) -> int:
    return line.amount if line.list_amount is None else line.list_amount


def _joined(turn: Turn) -> Day:
    return turn.program.calendar.day(turn.member.joined_at)


def _months(turn: Turn) -> int:
    """Whole months since joining; 31 January to 28 February is one (see ``values.periods``)."""
    joined = _joined(turn)
    since, today = date.fromordinal(joined), date.fromordinal(turn.day)
    months = (today.year - since.year) * 12 + today.month - since.month
    if months > 0 and add(joined, Period(months, Unit.MONTHS)) > turn.day:
        months -= 1
    return max(months, 0)


def _payload(turn: Turn, name: str) -> Any:
    payload = turn.activity.payload
    return None if payload is None else payload.get(name)


def _attribute(line: Line | None, name: str) -> Any:
    attributes = None if line is None else line.attributes
    return None if attributes is None else attributes.get(name)


_PURCHASE = "(None if turn.purchase is None else {})"
_LINE = "(None if line is None else {})"
_FACTS: dict[tuple[str, str], str] = {
    ("order", "amount"): "order_amount(turn)",
    ("order", "list_amount"): "order_list_amount(turn)",
    ("order", "channel"): _PURCHASE.format("turn.purchase.channel"),
    ("order", "store"): _PURCHASE.format("turn.purchase.store"),
    ("order", "payment"): _PURCHASE.format("turn.purchase.payment"),
    ("order", "tax"): _PURCHASE.format("turn.purchase.tax"),
    ("order", "shipping"): _PURCHASE.format("turn.purchase.shipping"),
    ("order", "items"): "order_items(turn)",
    ("order", "lines"): _PURCHASE.format("len(turn.purchase.lines)"),
    ("order", "coupons"): "order_coupons(turn)",
    ("line", "amount"): _LINE.format("line.amount"),
    ("line", "list_amount"): _LINE.format("list_amount(line)"),
    ("line", "quantity"): _LINE.format("line.quantity"),
    ("line", "sku"): _LINE.format("line.sku"),
    ("line", "category"): _LINE.format("line.category"),
    ("line", "categories"): _LINE.format("categories(line)"),
    ("line", "brand"): _LINE.format("line.brand"),
    ("line", "tags"): _LINE.format("line.tags"),
    ("member", "status"): "turn.member.status",
    ("member", "joined"): "joined(turn)",
    ("member", "months"): "months(turn)",
    ("member", "birthday"): 'day_in(turn.member.traits.get("birthday"))',
    ("member", "language"): 'text_in(turn.member.traits.get("language"))',
    ("member", "kind"): 'text_in(turn.member.traits.get("kind"))',
    ("member", "tags"): "turn.member.tags",
    ("member", "consents"): "granted(turn.member)",
    ("activity", "type"): "turn.activity.type",
    ("activity", "source"): "turn.activity.source",
    ("now", "date"): "turn.day",
    ("now", "weekday"): "(turn.day + 6) % 7",
    ("now", "day"): "month_and_day(turn.day)[1]",
    ("now", "month"): "month_and_day(turn.day)[0]",
    ("now", "year"): "year(turn.day)",
    ("now", "hour"): "turn.second // 3600",
    ("now", "minute"): "turn.second // 60 % 60",
    ("now", "time"): "turn.second // 60",
}
_OPEN: dict[str, str] = {
    "trait": "turn.member.traits.get({name})",
    "activity": "payload(turn, {name})",
    "line": "attribute(line, {name})",
}


def fact_text(fact: Fact, *, kind: Kind, python: Expression) -> str:
    """The expression that reads the fact, an open one as ``kind``. KeyError if there is no such fact."""
    found = _FACTS.get((fact.scope, fact.name))
    if found is not None:
        return f"({found})"
    exact_type, cast = READ_AS[kind]
    told = _open_text(fact, python)
    if exact_type is None:
        return f"{python.bind(cast)}({told})"
    value = python.local()
    return f"({value} if type({value} := {told}) is {python.bind(exact_type)} else {python.bind(cast)}({value}))"


def _open_text(fact: Fact, python: Expression) -> str:
    if fact.scope not in _OPEN:
        raise KeyError(f"{fact.scope}.{fact.name}")
    return _OPEN[fact.scope].format(name=python.bind(fact.name))


def month_and_day_text(fact: Fact, *, python: Expression) -> str:
    """The expression that reads (month, day) of a date, also of one that is told without its year."""
    if fact == Fact("member", "birthday"):
        return 'month_and_day_in(turn.member.traits.get("birthday"))'
    found = _FACTS.get((fact.scope, fact.name))
    if found is None:
        return f"month_and_day_in({_open_text(fact, python)})"
    day = python.local()
    return f"(None if ({day} := {found}) is None else month_and_day({day}))"


# -- Dates that return every year -------------------------------------------------------------------------


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


class KeptSoon(dict[Day, frozenset[tuple[int, int]]]):
    """Day -> the (month, day) of birthdays kept on it or on the ``days`` - 1 days behind it."""

    def __init__(self, days: int) -> None:
        super().__init__()
        self._days = days

    def __missing__(self, day: Day) -> frozenset[tuple[int, int]]:
        if len(self) > 512:
            self.clear()
        found = self[day] = frozenset().union(*(kept_on(day + ahead) for ahead in range(self._days)))
        return found


class DaysAgo(dict[Day, Day]):
    """Day -> the one that is so long before or ahead of it; the first or last there is where the years end."""

    def __init__(self, told: Ago) -> None:
        super().__init__()
        self._period, self._times = Period(told.count, Unit(told.unit)), 1 if told.ahead else -1

    def __missing__(self, day: Day) -> Day:
        if len(self) > 512:
            self.clear()
        try:
            found = add(day, self._period, self._times)
        except ValueError:
            found = date.max.toordinal() if self._times > 0 else 1
        self[day] = found
        return found


def _year(day: Day) -> int:
    return date.fromordinal(day).year


FACT_WORDS: dict[str, Any] = {
    "attribute": _attribute,
    "categories": categories_of,
    "day_in": day_in,
    "granted": granted,
    "joined": _joined,
    "kept_on": kept_on,
    "len": len,
    "list_amount": _list_amount,
    "month_and_day": month_and_day,
    "month_and_day_in": month_and_day_in,
    "months": _months,
    "order_amount": _order_amount,
    "order_coupons": _order_coupons,
    "order_items": _order_items,
    "order_list_amount": _order_list_amount,
    "payload": _payload,
    "text_in": text_in,
    "type": type,
    "year": _year,
}
"""What the texts above call, by name."""
