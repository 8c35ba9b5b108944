"""Conditions as Python expressions: ``(turn, line) -> bool``, compiled once so that a step only compares.

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
from shuke.engine.expressions import Expression
from shuke.engine.facts import FACT_WORDS, DaysAgo, KeptSoon, Number, fact_text, month_and_day_text, slim
from shuke.engine.measures import days_since_reader, reader, streak_reader
from shuke.engine.names import Names
from shuke.engine.turn import Turn
from shuke.program.condition_check import is_exact, literal_kind
from shuke.program.conditions import (
    WEEKDAYS,
    Ago,
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
    InNext,
    InSegment,
    IsToday,
    Kind,
    Measured,
    Month,
    Node,
    Not,
    Ratio,
    Sequence,
    Streak,
    Term,
    Tier,
    Value,
    show,
    show_term,
    signature,
)

Test = Callable[[Turn, Line | None], bool]
Scope = Callable[[Turn, list[Line]], list[int]]
Read = Callable[[Turn, Line | None], Anything]

_NUMBERS = (Kind.MONEY, Kind.NUMBER)
_UNORDERED = (Kind.TEXT, Kind.WEEKDAY, Kind.BOOLEAN)
_OPERATORS: dict[str, Callable[[Anything, Anything], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def compile_condition(tree: Node, *, names: Names) -> Test:
    """The condition as a function of the turn and, for conditions on lines, the line.

    The tree must have passed ``check``; names that the program lacks raise KeyError, and comparisons between
    kinds that do not compare raise ValueError.
    """
    python = Expression(_WORDS)
    test: Test = python.function("turn, line", _Writer(names, python).condition(tree))
    return test


def compile_scope(tree: Node, *, names: Names) -> Scope:
    """The positions of the lines for which the condition holds, as a function of the turn and the lines."""
    python = Expression(_WORDS)
    holds = _Writer(names, python).condition(tree)
    scope: Scope = python.function("turn, lines", f"[i for i, line in enumerate(lines) if {holds}]")
    return scope


def compile_term(term: Term, *, names: Names) -> Callable[[Turn, Line | None], Number | None]:
    """A number in whole units (5 for 5.00 EUR), exactly: an int or a Fraction. None where it is missing."""
    python = Expression(_WORDS)
    read: Read = python.function("turn, line", _Writer(names, python).whole_units(term))
    return read


def compile_fact(fact: Fact, *, kind: Kind) -> Read:
    """The fact as conditions read it, an open one as ``kind``."""
    python = Expression(_WORDS)
    read: Read = python.function("turn, line", fact_text(fact, kind=kind, python=python))
    return read


def factor_of(term: Term, *, names: Names) -> int:
    """How many of what a number is read in make one whole unit. ValueError if the term is no number."""
    kind, scale = signature(term, names.vocabulary)
    if kind is not Kind.OPEN and kind not in _NUMBERS:
        raise ValueError(f"{term} is {kind}, not a number")
    return 1 if is_exact(term, names.vocabulary) else 10**scale


class _Writer:
    """Writes the parts of one expression. Every text it gives stands in brackets or is a call."""

    def __init__(self, names: Names, python: Expression) -> None:
        self.names, self.python = names, python

    # -- Conditions -------------------------------------------------------------------------------------

    def condition(self, tree: Node) -> str:
        match tree:
            case Constant(truth):
                return f"({truth})"
            case All(nodes):
                return f"({' and '.join(map(self.condition, nodes))})"
            case Any(nodes):
                return f"({' or '.join(map(self.condition, nodes))})"
            case Not(node):
                return f"(not {self.condition(node)})"
            case Compare(term, op, value):
                if isinstance(value, Term):
                    return self._compare_terms(tree, term, op, value)
                return self._compare(tree, value)
            case In():
                return self._in(tree)
            case Between():
                return self._between(tree)
            case Has(term, texts):
                found = fact_text(term, kind=Kind.TEXTS, python=self.python)
                return f"has_one({found}, {self.python.bind(texts)})"
            case IsToday(term):
                return f"({month_and_day_text(term, python=self.python)} in kept_on(turn.day))"
            case InNext(term, days):
                kept = self.python.bind(KeptSoon(days))
                return f"({month_and_day_text(term, python=self.python)} in {kept}[turn.day])"
            case Sequence() | InSegment():
                return f"(turn.context.history.get({self.python.bind(show(tree))}, 0) > 0)"

    def _told(self, read: str, asked: str) -> str:
        """``asked`` of what is read, where it is not missing. It stands for ``{}`` there."""
        value = self.python.local()
        return f"(({value} := {read}) is not None and {asked.format(value)})"

    def _compare(self, node: Compare, value: Value) -> str:
        term, op = node.term, node.op
        if isinstance(term, Tier):
            ranked = self._ranks(term)
            wanted = ranked[str(value)]
            compare = _OPERATORS[op]
            return self._tier_in(term, {tier for tier, rank in ranked.items() if compare(rank, wanted)})
        if isinstance(term, Ratio):
            return self._compare_ratio(term, op, Fraction(_number(value)))
        read, kind, factor = self._typed(term, value)
        if op not in ("=", "!=") and kind in _UNORDERED:
            raise ValueError(f"{show(node)}: {kind} has no order")
        inside = self._literal(value, kind, factor)
        if op == "=":
            return f"({read} == {inside})"
        return self._told(read, f"{{}} {op} {inside}")

    def _in(self, node: In) -> str:
        term, values = node.term, node.values
        if isinstance(term, Tier):
            listed, all_ = {str(value) for value in values}, set(self._ranks(term))
            return self._tier_in(term, all_ - listed if node.negated else all_ & listed)
        read, kind, factor = self._typed(term, values[0])
        if any(isinstance(value, Ago) for value in values):
            inside = f"({' '.join(f'{self._literal(value, kind, factor)},' for value in values)})"
        else:
            inside = self.python.bind(frozenset(_inside(value, kind, factor) for value in values))
        return self._told(read, f"{{}} not in {inside}") if node.negated else f"({read} in {inside})"

    def _between(self, node: Between) -> str:
        term = node.term
        if isinstance(term, Tier):
            ranked = self._ranks(term)
            lowest, highest = ranked[str(node.low)], ranked[str(node.high)]
            return self._tier_in(term, {tier for tier, rank in ranked.items() if lowest <= rank <= highest})
        read, kind, factor = self._typed(term, node.low)
        if kind in _UNORDERED:
            raise ValueError(f"{show(node)}: {kind} has no order")
        low, high = self._literal(node.low, kind, factor), self._literal(node.high, kind, factor)
        return self._told(read, f"{low} <= {{}} <= {high}")

    def _literal(self, value: Value, kind: Kind, factor: int) -> str:
        inside = _inside(value, kind, factor)
        return f"{self.python.bind(inside)}[turn.day]" if isinstance(inside, DaysAgo) else self.python.bind(inside)

    def _ranks(self, term: Tier) -> dict[str, int]:
        return {tier: rank for rank, tier in enumerate(self.names.vocabulary.ladders[term.ladder])}

    def _tier_in(self, term: Tier, tiers: set[str]) -> str:
        bind = self.python.bind
        return f"(turn.member.tiers.get({bind(term.ladder)}) in {bind(frozenset(tiers))})"

    def _compare_ratio(self, term: Ratio, op: str, wanted: Fraction) -> str:
        """``top / bottom op wanted`` without dividing; false where a side is missing or ``bottom`` is zero."""
        (top, top_factor), (bottom, bottom_factor) = self.number(term.top), self.number(term.bottom)
        bind = self.python.bind
        left, right = bind(bottom_factor * wanted.denominator), bind(top_factor * wanted.numerator)
        return f"ratio_holds({top}, {bottom}, {left}, {right}, {bind(_OPERATORS[op])})"

    def _compare_terms(self, node: Compare, left: Term, op: str, right: Term) -> str:
        kinds = [signature(term, self.names.vocabulary).kind for term in (left, right)]
        named = [kind for kind in kinds if kind is not Kind.OPEN]
        if not named:  # both open: equal as texts, ordered as numbers
            named = [Kind.TEXT if op in ("=", "!=") else Kind.NUMBER]
        if named[0] in _NUMBERS and named[-1] in _NUMBERS:
            return self._compare_numbers(left, op, right)
        if named[0] is not named[-1] or named[0] in (Kind.TEXTS, Kind.TIER, Kind.WEEKDAY):
            raise ValueError(f"{show(node)}: {kinds[0]} and {kinds[1]} do not compare")
        if named[0] in (Kind.TEXT, Kind.BOOLEAN) and op not in ("=", "!="):
            raise ValueError(f"{show(node)}: {named[0]} has no order")
        assert isinstance(left, Fact), "every other term is a number or a tier"
        assert isinstance(right, Fact), "every other term is a number or a tier"
        python = self.python
        return self._both(
            fact_text(left, kind=named[0], python=python), op, fact_text(right, kind=named[0], python=python)
        )

    def _compare_numbers(self, left: Term, op: str, right: Term) -> str:
        (read_left, left_factor), (read_right, right_factor) = self.number(left), self.number(right)
        common = lcm(left_factor, right_factor)
        return self._both(
            self._times(read_left, common // left_factor), op, self._times(read_right, common // right_factor)
        )

    def _times(self, read: str, factor: int) -> str:
        if factor == 1:
            return read
        value = self.python.local()
        return f"(None if ({value} := {read}) is None else {value} * {factor})"

    def _both(self, left: str, op: str, right: str) -> str:
        first = self.python.local()
        compared = self._told(right, f"{first} {'==' if op == '=' else op} {{}}")
        return f"(({first} := {left}) is not None and {compared})"

    # -- Terms ------------------------------------------------------------------------------------------

    def number(self, term: Term) -> tuple[str, int]:
        """Reads a number, and how many of what it reads make one whole unit. ValueError if it is no number."""
        factor = factor_of(term, names=self.names)
        if isinstance(term, Ratio):
            return f"quotient({self.whole_units(term.top)}, {self.whole_units(term.bottom)})", factor
        return self._plain_number(term), factor

    def whole_units(self, term: Term) -> str:
        read, factor = self.number(term)
        if factor == 1:
            return read
        value = self.python.local()
        return f"(None if ({value} := {read}) is None else Fraction({value}, {factor}))"

    def _plain_number(self, term: Term) -> str:
        bind, names = self.python.bind, self.names
        match term:
            case Fact():
                return fact_text(term, kind=Kind.NUMBER, python=self.python)
            case Measured() if term.is_distinct:
                return f"turn.context.history.get({bind(show_term(term))}, 0)"
            case Measured(measure, window):
                return f"{bind(reader(measure, window, names, names.ladder))}(turn)"
            case Streak():
                return f"{bind(streak_reader(term.measure, names))}(turn)"
            case DaysSince():
                return f"{bind(days_since_reader(term.measure, names))}(turn)"
            case Balance(asset):
                return f"balance(turn, {bind(asset)})"
            case Month(fact):
                found = self.python.local()
                told = month_and_day_text(fact, python=self.python)
                return f"(None if ({found} := {told}) is None else {found}[0])"
            case _:
                raise AssertionError(f"{term} is no number")

    def _typed(self, term: Term, value: Value) -> tuple[str, Kind, int]:
        """Reads a term as the kind a literal beside it needs; with the kind and the factor of whole units."""
        kind = signature(term, self.names.vocabulary).kind
        if kind is Kind.OPEN:
            kind = literal_kind(value)
        if kind in _NUMBERS:
            read, factor = self.number(term)
            return read, kind, factor
        assert isinstance(term, Fact), "every other term is a number or a tier"
        return fact_text(term, kind=kind, python=self.python), kind, 1


def _inside(value: Value, kind: Kind, factor: int) -> Anything:
    """A literal as facts are read: in minor units, days, minutes. ValueError if it is of another kind."""
    own = literal_kind(value)
    if kind is Kind.WEEKDAY and value in WEEKDAYS:
        return WEEKDAYS.index(str(value))
    if own is not (Kind.NUMBER if kind in _NUMBERS else kind):
        raise ValueError(f"{value!r} is {own}, not {kind}")
    if kind in _NUMBERS:
        return slim(Fraction(_number(value)) * factor)
    if isinstance(value, Ago):
        return DaysAgo(value)
    if isinstance(value, date):
        return value.toordinal()
    return value.hour * 60 + value.minute if isinstance(value, time) else value


def _number(value: Value) -> int | Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError(f"{value!r} is not a number")
    return value


# -- What the texts call ----------------------------------------------------------------------------------


def _has_one(found: list[Anything] | None, texts: tuple[str, ...]) -> bool:
    return found is not None and any(text in found for text in texts)


def _balance(turn: Turn, asset: str) -> int:
    purse = turn.member.purses.get(asset)
    return 0 if purse is None else purse.available


def _quotient(over: Number | None, under: Number | None) -> Number | None:
    return None if over is None or not under else slim(Fraction(over) / under)


def _ratio_holds(
    over: Number | None, under: Number | None, left: int, right: int, compare: Callable[[Anything, Anything], bool]
) -> bool:
    if over is None or not under:
        return False
    if under < 0:  # a measure of more refunds than sales
        over, under = -over, -under
    return compare(over * left, under * right)


_WORDS: dict[str, Anything] = {
    **FACT_WORDS,
    "Fraction": Fraction,
    "balance": _balance,
    "enumerate": enumerate,
    "has_one": _has_one,
    "quotient": _quotient,
    "ratio_holds": _ratio_holds,
}
