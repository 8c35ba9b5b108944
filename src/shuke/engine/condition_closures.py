"""Conditions as closures: ``(turn, line) -> bool``, specialised once so that a step only compares.

A missing value makes a comparison false, whichever the operator; ``not`` of that is true. Numbers are
compared exactly: integers in the term's own units, or fractions where a payload has decimals.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import date, time
from decimal import Decimal
from fractions import Fraction
from math import lcm
from typing import Any as Anything

from shuke.engine.activity import Line
from shuke.engine.facts import Number, Read, fact_reader, kept_on, month_and_day_reader, slim
from shuke.engine.measures import days_since_reader, reader, streak_reader
from shuke.engine.names import Names
from shuke.engine.turn import Turn
from shuke.program.condition_check import literal_kind
from shuke.program.conditions import (
    LINE_COLUMNS,
    WEEKDAYS,
    All,
    Any,
    Balance,
    Between,
    Compare,
    Constant,
    DaysSince,
    Fact,
    Has,
    In,
    IsToday,
    Kind,
    Measured,
    Month,
    Node,
    Not,
    Ratio,
    Streak,
    Term,
    Tier,
    Value,
    show,
    signature,
)

Test = Callable[[Turn, Line | None], bool]
Make = Callable[[Read, Anything], Test]

_NUMBERS = (Kind.MONEY, Kind.NUMBER)
_OPERATORS: dict[str, Callable[[Anything, Anything], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
# One closure per operator: calling one from the operator module would cost as much as the comparison again.
_COMPARE: dict[str, Make] = {
    "=": lambda read, x: lambda turn, line: read(turn, line) == x,
    "!=": lambda read, x: lambda turn, line: (v := read(turn, line)) is not None and v != x,
    "<": lambda read, x: lambda turn, line: (v := read(turn, line)) is not None and v < x,
    "<=": lambda read, x: lambda turn, line: (v := read(turn, line)) is not None and v <= x,
    ">": lambda read, x: lambda turn, line: (v := read(turn, line)) is not None and v > x,
    ">=": lambda read, x: lambda turn, line: (v := read(turn, line)) is not None and v >= x,
}
_LINE_EQUALS: dict[str, Callable[[Anything], Test]] = {
    "sku": lambda x: lambda turn, line: line is not None and line.sku == x,
    "category": lambda x: lambda turn, line: line is not None and line.category == x,
    "brand": lambda x: lambda turn, line: line is not None and line.brand == x,
}
_LINE_IN: dict[str, Callable[[frozenset[Anything]], Test]] = {
    "sku": lambda xs: lambda turn, line: line is not None and line.sku in xs,
    "category": lambda xs: lambda turn, line: line is not None and line.category in xs,
    "brand": lambda xs: lambda turn, line: line is not None and line.brand in xs,
}


def compile_condition(tree: Node, *, names: Names) -> Test:
    """The condition as a function of the turn and, for conditions on lines, the line.

    The tree must have passed ``check``; names that the program lacks raise KeyError, and comparisons between
    kinds that do not compare raise ValueError.
    """
    match tree:
        case Constant(truth):
            return lambda turn, line: truth
        case All(nodes):
            return _all([compile_condition(node, names=names) for node in nodes])
        case Any(nodes):
            return _any([compile_condition(node, names=names) for node in nodes])
        case Not(node):
            test = compile_condition(node, names=names)
            return lambda turn, line: not test(turn, line)
        case Compare(term, op, value):
            if isinstance(value, Term):
                return _compare_terms(tree, term, op, value, names)
            return _compare(tree, value, names)
        case In():
            return _in(tree, names)
        case Between():
            return _between(tree, names)
        case Has(term, texts):
            return _has(fact_reader(term, kind=Kind.TEXTS), texts)
        case IsToday(term):
            month_and_day = month_and_day_reader(term)
            return lambda turn, line: month_and_day(turn, line) in kept_on(turn.day)


def compile_term(term: Term, *, names: Names) -> Callable[[Turn, Line | None], Number | None]:
    """A number in whole units (5 for 5.00 EUR), exactly: an int or a Fraction. None where it is missing."""
    read, factor = number_reader(term, names)
    if factor == 1:
        return read

    def whole_units(turn: Turn, line: Line | None) -> Number | None:
        value = read(turn, line)
        return None if value is None else Fraction(value, factor)

    return whole_units


# -- Joining ----------------------------------------------------------------------------------------------


def _all(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda turn, line: first(turn, line) and second(turn, line)
    if len(tests) == 3:
        first, second, third = tests
        return lambda turn, line: first(turn, line) and second(turn, line) and third(turn, line)

    def every(turn: Turn, line: Line | None) -> bool:
        for test in tests:  # noqa: SIM110 - a loop is three times as fast as all() over a generator
            if not test(turn, line):
                return False
        return True

    return every


def _any(tests: list[Test]) -> Test:
    if len(tests) == 2:
        first, second = tests
        return lambda turn, line: first(turn, line) or second(turn, line)

    def some(turn: Turn, line: Line | None) -> bool:
        for test in tests:  # noqa: SIM110 - as above
            if test(turn, line):
                return True
        return False

    return some


# -- Comparing with literals ------------------------------------------------------------------------------


def _compare(node: Compare, value: Value, names: Names) -> Test:
    term, op = node.term, node.op
    if isinstance(term, Tier):
        ranked = _ranks(term, names)
        wanted = ranked[str(value)]
        compare = _OPERATORS[op]
        return _tier_in(term.ladder, frozenset(tier for tier, rank in ranked.items() if compare(rank, wanted)))
    if isinstance(term, Ratio):
        return _ratio(term, op, Fraction(_number(value)), names)
    if op == "=" and isinstance(term, Fact) and term.scope == "line" and term.name in LINE_COLUMNS:
        return _LINE_EQUALS[term.name](value)
    read, kind, factor = _typed_reader(term, value, names)
    if op not in ("=", "!=") and kind in (Kind.TEXT, Kind.WEEKDAY, Kind.BOOLEAN):
        raise ValueError(f"{show(node)}: {kind} has no order")
    return _COMPARE[op](read, _inside(value, kind, factor))


def _in(node: In, names: Names) -> Test:
    term, values, negated = node.term, node.values, node.negated
    if isinstance(term, Tier):
        ranked = _ranks(term, names)
        listed = frozenset(str(value) for value in values)
        return _tier_in(term.ladder, frozenset(ranked) - listed if negated else listed & frozenset(ranked))
    if not negated and isinstance(term, Fact) and term.scope == "line" and term.name in LINE_COLUMNS:
        return _LINE_IN[term.name](frozenset(values))
    read, kind, factor = _typed_reader(term, values[0], names)
    inside = frozenset(_inside(value, kind, factor) for value in values)
    if negated:
        return lambda turn, line: (v := read(turn, line)) is not None and v not in inside
    return lambda turn, line: read(turn, line) in inside


def _between(node: Between, names: Names) -> Test:
    term = node.term
    if isinstance(term, Tier):
        ranked = _ranks(term, names)
        lowest, highest = ranked[str(node.low)], ranked[str(node.high)]
        return _tier_in(term.ladder, frozenset(t for t, rank in ranked.items() if lowest <= rank <= highest))
    read, kind, factor = _typed_reader(term, node.low, names)
    if kind in (Kind.TEXT, Kind.WEEKDAY, Kind.BOOLEAN):
        raise ValueError(f"{show(node)}: {kind} has no order")
    low, high = _inside(node.low, kind, factor), _inside(node.high, kind, factor)
    return lambda turn, line: (v := read(turn, line)) is not None and low <= v <= high


def _has(read: Read, texts: tuple[str, ...]) -> Test:
    if len(texts) == 1:
        (text,) = texts
        return lambda turn, line: (found := read(turn, line)) is not None and text in found

    def has_one(turn: Turn, line: Line | None) -> bool:
        found = read(turn, line)
        return found is not None and any(text in found for text in texts)

    return has_one


def _ranks(term: Tier, names: Names) -> dict[str, int]:
    return {tier: rank for rank, tier in enumerate(names.vocabulary.ladders[term.ladder])}


def _tier_in(ladder: str, tiers: frozenset[str]) -> Test:
    return lambda turn, line: turn.member.tiers.get(ladder) in tiers


def _ratio(term: Ratio, op: str, wanted: Fraction, names: Names) -> Test:
    """``top / bottom op wanted`` without dividing; false where a side is missing or ``bottom`` is zero."""
    top, top_factor = number_reader(term.top, names)
    bottom, bottom_factor = number_reader(term.bottom, names)
    left, right = bottom_factor * wanted.denominator, top_factor * wanted.numerator
    compare = _OPERATORS[op]

    def test(turn: Turn, line: Line | None) -> bool:
        over, under = top(turn, line), bottom(turn, line)
        if over is None or not under:
            return False
        if under < 0:  # a measure of more refunds than sales
            over, under = -over, -under
        return compare(over * left, under * right)

    return test


# -- Comparing two terms ----------------------------------------------------------------------------------


def _compare_terms(node: Compare, left: Term, op: str, right: Term, names: Names) -> Test:
    kinds = [signature(term, names.vocabulary).kind for term in (left, right)]
    named = [kind for kind in kinds if kind is not Kind.OPEN]
    if not named:  # both open: equal as texts, ordered as numbers
        named = [Kind.TEXT if op in ("=", "!=") else Kind.NUMBER]
    if named[0] in _NUMBERS and named[-1] in _NUMBERS:
        return _compare_numbers(left, op, right, names)
    if named[0] is not named[-1] or named[0] in (Kind.TEXTS, Kind.TIER, Kind.WEEKDAY):
        raise ValueError(f"{show(node)}: {kinds[0]} and {kinds[1]} do not compare")
    if named[0] in (Kind.TEXT, Kind.BOOLEAN) and op not in ("=", "!="):
        raise ValueError(f"{show(node)}: {named[0]} has no order")
    assert isinstance(left, Fact), "every other term is a number or a tier"
    assert isinstance(right, Fact), "every other term is a number or a tier"
    return _both(fact_reader(left, kind=named[0]), op, fact_reader(right, kind=named[0]))


def _compare_numbers(left: Term, op: str, right: Term, names: Names) -> Test:
    read_left, left_factor = number_reader(left, names)
    read_right, right_factor = number_reader(right, names)
    common = lcm(left_factor, right_factor)
    return _both(_times(read_left, common // left_factor), op, _times(read_right, common // right_factor))


def _times(read: Read, factor: int) -> Read:
    if factor == 1:
        return read
    return lambda turn, line: None if (value := read(turn, line)) is None else value * factor


def _both(left: Read, op: str, right: Read) -> Test:
    compare = _OPERATORS[op]

    def test(turn: Turn, line: Line | None) -> bool:
        a, b = left(turn, line), right(turn, line)
        return a is not None and b is not None and compare(a, b)

    return test


# -- Reading ----------------------------------------------------------------------------------------------


def number_reader(term: Term, names: Names) -> tuple[Read, int]:
    """Reads a number, and how many of what it reads make one whole unit. ValueError if it is no number."""
    kind, scale = signature(term, names.vocabulary)
    if kind is Kind.OPEN:
        assert isinstance(term, Fact), "only facts are open"
        return fact_reader(term, kind=Kind.NUMBER), 1
    if kind not in _NUMBERS:
        raise ValueError(f"{term} is {kind}, not a number")
    if isinstance(term, Ratio):
        return _quotient(term, names), 1
    return _plain_number(term, names), 10**scale


def _plain_number(term: Term, names: Names) -> Read:
    match term:
        case Fact():
            return fact_reader(term, kind=Kind.NUMBER)
        case Measured(measure, window):
            return _of_turn(reader(measure, window, names, names.ladder))
        case Streak():
            return _of_turn(streak_reader(term.measure, names))
        case DaysSince():
            return _of_turn(days_since_reader(term.measure, names))
        case Balance(asset):
            return _balance(asset)
        case Month(fact):
            month_and_day = month_and_day_reader(fact)
            return lambda turn, line: None if (found := month_and_day(turn, line)) is None else found[0]
        case _:
            raise AssertionError(f"{term} is no number")


def _of_turn(read: Callable[[Turn], Anything]) -> Read:
    return lambda turn, line: read(turn)


def _balance(asset: str) -> Read:
    def read(turn: Turn, line: Line | None) -> int:
        purse = turn.member.purses.get(asset)
        return 0 if purse is None else purse.available

    return read


def _quotient(term: Ratio, names: Names) -> Read:
    top, bottom = compile_term(term.top, names=names), compile_term(term.bottom, names=names)

    def read(turn: Turn, line: Line | None) -> Number | None:
        over, under = top(turn, line), bottom(turn, line)
        return None if over is None or not under else slim(Fraction(over) / under)

    return read


def _typed_reader(term: Term, value: Value, names: Names) -> tuple[Read, Kind, int]:
    """Reads a term as the kind a literal beside it needs; with the kind and the factor of whole units."""
    kind = signature(term, names.vocabulary).kind
    if kind is Kind.OPEN:
        kind = literal_kind(value)
    if kind in _NUMBERS:
        read, factor = number_reader(term, names)
        return read, kind, factor
    assert isinstance(term, Fact), "every other term is a number or a tier"
    return fact_reader(term, kind=kind), kind, 1


def _inside(value: Value, kind: Kind, factor: int) -> Anything:
    """A literal as facts are read: in minor units, days, minutes. ValueError if it is of another kind."""
    own = literal_kind(value)
    if kind is Kind.WEEKDAY and value in WEEKDAYS:
        return WEEKDAYS.index(str(value))
    if own is not (Kind.NUMBER if kind in _NUMBERS else kind):
        raise ValueError(f"{value!r} is {own}, not {kind}")
    if kind in _NUMBERS:
        return slim(Fraction(_number(value)) * factor)
    if isinstance(value, date):
        return value.toordinal()
    return value.hour * 60 + value.minute if isinstance(value, time) else value


def _number(value: Value) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is not a number")
    return value
