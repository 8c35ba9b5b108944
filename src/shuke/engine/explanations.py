"""Why a condition holds or not, node by node: what was seen, and what is missing.

The verdict of every node is the condition's own, so an explanation never contradicts the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Context, Decimal
from fractions import Fraction
from math import ceil, floor
from typing import Any as Anything

from shuke.engine.activity import Line
from shuke.engine.condition_code import Read, Test, compile_condition, compile_fact, compile_term, factor_of
from shuke.engine.facts import DaysAgo, Number, slim
from shuke.engine.names import Names
from shuke.engine.turn import Turn
from shuke.program.condition_check import is_exact, literal_kind
from shuke.program.conditions import (
    PAYLOAD_SCALE,
    WEEKDAYS,
    Ago,
    All,
    Any,
    Between,
    Compare,
    Constant,
    Fact,
    Has,
    In,
    InNext,
    InSegment,
    IsToday,
    Kind,
    Node,
    Not,
    Sequence,
    Term,
    Tier,
    Value,
    show,
    signature,
)

_SHOWN = 10**PAYLOAD_SCALE
_EXACT = Context(prec=60)
Explain = Callable[[Turn, Line | None], "Explanation"]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One node. ``seen`` is the term's value (numbers in whole units; None: missing or no comparison),
    ``wanted`` what it is compared with, and ``missing`` how much more would make a numeric comparison true
    (None: nothing, or no number). Numbers that do not end are cut after six decimals, for showing only."""

    text: str
    holds: bool
    node: Node
    seen: Value | tuple[str, ...] | None = None
    wanted: Value | None = None
    missing: Decimal | None = None
    children: tuple[Explanation, ...] = ()

    @property
    def shortfall(self) -> str | None:
        """The missing amount in words: "4,000 more"."""
        return None if self.missing is None else f"{self.missing:,f} more"

    def open_ends(self) -> Iterator[Explanation]:
        """The comparisons that fail and could make the whole true: what would have to change.

        Alternatives ("or") give those of each. What is below a ``not`` is given as the ``not`` itself.
        """
        if self.holds:
            return
        if isinstance(self.node, All | Any):
            for child in self.children:
                yield from child.open_ends()
        else:
            yield self


def explain(tree: Node, turn: Turn, line: Line | None, names: Names) -> Explanation:
    """Why the condition holds or not for this turn (and line)."""
    return explainer(tree, names=names)(turn, line)


def explainer(tree: Node, *, names: Names) -> Explain:
    """``explain`` for many turns: compiled once."""
    test, text = compile_condition(tree, names=names), show(tree)
    match tree:
        case All(nodes) | Any(nodes):
            parts = [explainer(node, names=names) for node in nodes]
        case Not(node):
            parts = [explainer(node, names=names)]
        case Constant() | Sequence() | InSegment():
            parts = []
        case Compare() | In() | Between() | Has() | IsToday() | InNext():
            return _leaf(tree, test, text, names)

    def joined(turn: Turn, line: Line | None) -> Explanation:
        children = tuple(part(turn, line) for part in parts)
        return Explanation(text, test(turn, line), tree, children=children)

    return joined


Leaf = Compare | In | Between | Has | IsToday | InNext


def _leaf(node: Leaf, test: Test, text: str, names: Names) -> Explain:
    kind = _kind(node, names)
    see = _seer(node.term, kind, names)
    want = _wanted(node, kind, names)
    gap = _gap(node, names) if kind in (Kind.NUMBER, Kind.MONEY) else None

    def leaf(turn: Turn, line: Line | None) -> Explanation:
        holds = test(turn, line)
        missing = None if holds or gap is None else gap(turn, line)
        return Explanation(text, holds, node, see(turn, line), want(turn, line), _shown_up(missing))

    return leaf


def _kind(node: Leaf, names: Names) -> Kind:
    """The kind the node's term is read as."""
    kind = signature(node.term, names.vocabulary).kind
    if kind is not Kind.OPEN:
        return kind
    match node:
        case Compare(_, op, value):
            if not isinstance(value, Term):
                return literal_kind(value)
            other = signature(value, names.vocabulary).kind
            if other is Kind.OPEN:
                return Kind.TEXT if op in ("=", "!=") else Kind.NUMBER
            return Kind.NUMBER if other is Kind.MONEY else other
        case In(_, values):
            return literal_kind(values[0])
        case Between(_, low):
            return literal_kind(low)
        case Has():
            return Kind.TEXTS
        case IsToday() | InNext():
            return Kind.DATE


def _seer(term: Term, kind: Kind, names: Names) -> Read:
    """Reads the term as it is shown to people."""
    if isinstance(term, Tier):
        return lambda turn, line: turn.member.tiers.get(term.ladder)
    if kind in (Kind.NUMBER, Kind.MONEY):
        read = compile_term(term, names=names)
        return lambda turn, line: _shown(read(turn, line))
    assert isinstance(term, Fact), "every other term is a number or a tier"
    fact = compile_fact(term, kind=kind)
    show_as = _SHOW_AS.get(kind)
    if show_as is None:
        return fact
    return lambda turn, line: None if (value := fact(turn, line)) is None else show_as(value)


_SHOW_AS: dict[Kind, Callable[[Anything], Anything]] = {
    Kind.DATE: date.fromordinal,
    Kind.TIME: lambda minutes: time(minutes // 60, minutes % 60),
    Kind.WEEKDAY: lambda day: WEEKDAYS[day],
    Kind.TEXTS: lambda texts: tuple(str(text) for text in texts),
}


def _wanted(node: Node, kind: Kind, names: Names) -> Read:
    match node:
        case Compare(_, _, value) if isinstance(value, Term):
            return _seer(value, kind, names)
        case Compare(_, _, value) | Between(_, value):
            if isinstance(value, Ago):
                days = DaysAgo(value)
                return lambda turn, line: date.fromordinal(days[turn.day])
            return lambda turn, line: value
        case _:
            return lambda turn, line: None


def _gap(node: Leaf, names: Names) -> Read | None:
    """How much the term lacks, in whole units, where more of it could make the comparison true."""
    match node:
        case Compare(term, ("=" | ">" | ">=") as op, value):
            target = compile_term(value, names=names) if isinstance(value, Term) else _constant(value)
            step = _smallest_step(term, names) if op == ">" else 0
        case Between(term, low):
            target, step = _constant(low), 0
        case _:
            return None
    read = compile_term(term, names=names)

    def lacking(turn: Turn, line: Line | None) -> Number | None:
        seen, wanted = read(turn, line), target(turn, line)
        if seen is None or wanted is None or seen > wanted:
            return None
        return wanted - seen + step or None

    return lacking


def _smallest_step(term: Term, names: Names) -> Number:
    """The least by which a term grows: one minor unit. 0 where that is not known."""
    if is_exact(term, names.vocabulary):
        return 0
    return slim(Fraction(1, factor_of(term, names=names)))


def _constant(value: Value) -> Callable[[Turn, Line | None], Number | None]:
    assert isinstance(value, int | Decimal), "a number is compared with a number"
    number = slim(Fraction(value))
    return lambda turn, line: number


def _shown(number: Number | None) -> Decimal | None:
    if isinstance(number, int):
        return Decimal(number)
    return None if number is None else _decimal(floor(number * _SHOWN))


def _shown_up(number: Number | None) -> Decimal | None:
    if isinstance(number, int):
        return Decimal(number)
    return None if number is None else _decimal(ceil(number * _SHOWN))


def _decimal(millionths: int) -> Decimal:
    text = f"{Decimal(millionths).scaleb(-PAYLOAD_SCALE, _EXACT):f}"
    return Decimal(text.rstrip("0").rstrip("."))
