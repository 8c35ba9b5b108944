"""What a condition asks of the engine: which measures are to be kept, how far back, and its line index."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields

from shuke.program.condition_facts import FACTS, LINE_COLUMNS
from shuke.program.condition_tree import (
    Ago,
    All,
    Any,
    Balance,
    Between,
    Compare,
    DaysSince,
    Fact,
    Has,
    In,
    InNext,
    Measured,
    Month,
    Node,
    Plain,
    Streak,
    Term,
    Tier,
    Value,
    Window,
    plain,
    terms_of,
    walk,
)

_LONGEST_UNIT = {"days": 1, "weeks": 7, "months": 31, "years": 366}
_LONGEST_CALENDAR = {"month": 31, "quarter": 92, "year": 366}


@dataclass(frozen=True, slots=True)
class Uses:
    """What conditions ask. Measure names are canonical: see ``Measured``, ``Streak``, ``DaysSince``."""

    measures: frozenset[tuple[str, Window]] = frozenset()
    streaks: frozenset[str] = frozenset()
    days_since: frozenset[str] = frozenset()
    balances: frozenset[str] = frozenset()
    ladders: frozenset[str] = frozenset()
    facts: frozenset[str] = frozenset()  # "order.amount", "trait.city"

    def __or__(self, other: Uses) -> Uses:
        return Uses(*(getattr(self, field.name) | getattr(other, field.name) for field in fields(Uses)))

    @property
    def kept(self) -> frozenset[str]:
        """Every measure that must be kept, declared or ad hoc."""
        return frozenset(measure for measure, _ in self.measures) | self.streaks | self.days_since

    @property
    def reach(self) -> dict[str, int]:
        """Per measure, the longest window in local days, today included (0: its running total is enough).

        Windows ``term`` reach as far as a standing lasts, which the ladder knows: see ``in_term``.
        """
        reach: dict[str, int] = {}
        for measure, window in sorted(self.measures, key=lambda asked: asked[0]):
            reach[measure] = max(reach.get(measure, 0), reach_days(window))
        return reach

    @property
    def in_term(self) -> frozenset[tuple[str, str | None]]:
        """(measure, ladder) of every window ``term``; ladder None: the one the condition is written in."""
        return frozenset((measure, window.ladder) for measure, window in self.measures if window.kind == "term")


def reach_days(window: Window) -> int:
    """The most local days the window can be long, today included; 0 for ``lifetime`` and ``term``."""
    match window.kind:
        case "rolling":
            return window.count * _LONGEST_UNIT[window.unit]
        case "calendar":
            return _LONGEST_CALENDAR[window.unit]
        case "last_calendar":
            return 2 * _LONGEST_CALENDAR[window.unit]
        case "membership_year":
            return 366
        case "term" | "lifetime":
            return 0


def uses(tree: Node) -> Uses:
    """What the condition asks."""
    nodes = [node for _, node in walk(tree)]
    found = _gathered(term for node in nodes for term in terms_of(node))
    if any(isinstance(node, InNext) or any(isinstance(value, Ago) for value in _literals(node)) for node in nodes):
        found |= Uses(facts=frozenset(("now.date",)))
    return found


def _literals(node: Node) -> tuple[Value | Term, ...]:
    match node:
        case Compare(_, _, value):
            return (value,)
        case In(_, values):
            return values
        case Between(_, low, high):
            return low, high
        case _:
            return ()


def uses_of_term(term: Term) -> Uses:
    """What a single term asks."""
    return _gathered(plain(term))


def _gathered(terms: Iterable[Plain]) -> Uses:
    measures: set[tuple[str, Window]] = set()
    names: dict[type, set[str]] = {Streak: set(), DaysSince: set(), Balance: set(), Tier: set(), Fact: set()}
    for term in terms:
        match term:
            case Measured(measure, window):
                measures.add((measure, window))
            case Streak() | DaysSince():
                names[type(term)].add(term.measure)
            case Balance(asset):
                names[Balance].add(asset)
            case Tier(ladder):
                names[Tier].add(ladder)
            case Fact() | Month():
                fact = term.of if isinstance(term, Month) else term
                names[Fact].add(f"{fact.scope}.{fact.name}")
    return Uses(frozenset(measures), *(frozenset(found) for found in names.values()))


def line_index(tree: Node) -> tuple[str, frozenset[str]] | None:
    """A line attribute and the only values of it with which the condition can be true, or None.

    ``line.category in [coffee, tea] and order.amount >= 500`` gives ``("category", {"coffee", "tea"})``. The
    name is ``sku``, ``category``, ``categories`` (a list that has one of the values), ``brand`` or a further attribute;
    of several, that with the fewest values.
    """
    match tree:
        case Compare(Fact("line", name), "=", str(value)) if _indexable(name):
            return name, frozenset((value,))
        case In(Fact("line", name), values, False) if _indexable(name):
            texts = frozenset(value for value in values if isinstance(value, str))
            return (name, texts) if len(texts) == len(frozenset(values)) else None
        case Has(Fact("line", "categories"), texts):
            return "categories", frozenset(texts)
        case All(nodes):
            found = [index for index in map(line_index, nodes) if index is not None]
            return min(found, key=lambda index: len(index[1]), default=None)
        case Any(nodes):
            return _union([line_index(node) for node in nodes])
        case _:
            return None


def _union(found: list[tuple[str, frozenset[str]] | None]) -> tuple[str, frozenset[str]] | None:
    """Alternatives are an index together if each is one, on the same attribute."""
    indexes = [index for index in found if index is not None]
    if len(indexes) < len(found) or len({name for name, _ in indexes}) != 1:
        return None
    return indexes[0][0], frozenset().union(*(values for _, values in indexes))


def _indexable(name: str) -> bool:
    return name in LINE_COLUMNS or name not in FACTS["line"]
