"""The typed tree behind every condition: what may be asked, in which windows, joined by all / any / not.

Nodes are immutable and compare by value. They know nothing of text, JSON or evaluation: the readable
text lives in ``condition_text``, the JSON form in ``conditions``, names and types in ``condition_check``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import Literal, get_args

from shuke.program.problems import Broken

Scope = Literal["order", "line", "member", "trait", "activity", "now"]
Op = Literal["=", "!=", "<", "<=", ">", ">="]
Unit = Literal["days", "weeks", "months", "years"]
CalendarUnit = Literal["month", "quarter", "year"]
SpanUnit = Literal["hours", "days", "weeks"]

SCOPES: tuple[str, ...] = get_args(Scope)
OPS: tuple[str, ...] = get_args(Op)
UNITS: tuple[str, ...] = get_args(Unit)
CALENDAR_UNITS: tuple[str, ...] = get_args(CalendarUnit)
SPAN_UNITS: tuple[str, ...] = get_args(SpanUnit)
LONGEST = {"days": 36_525, "weeks": 5_218, "months": 1_200, "years": 100}
LONGEST_SPAN = {"hours": 8_784, "days": 366, "weeks": 52}
LONGEST_NEXT = 365


@dataclass(frozen=True, slots=True)
class Ago:
    """A local day so long before today, or ``ahead`` of it; months end on the last day of one that is too short."""

    count: int
    unit: str
    ahead: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.count <= LONGEST.get(self.unit, 0):
            raise ValueError("a day is 1 to 36525 days from today, at most a hundred years")


Value = bool | int | Decimal | str | date | time | Ago
"""A literal. Money and asset amounts are in whole units ("500", "0.5"), whatever the scale."""


@dataclass(frozen=True, slots=True)
class Window:
    """A span of local days ending today (``last_calendar``: ending where the present one begins).

    ``rolling``          ``count`` ``unit``: (today - period, today];
    ``calendar``         the calendar month, quarter or year that today is in;
    ``last_calendar``    the one before;
    ``membership_year``  since the latest anniversary of joining;
    ``term``             since the present standing on ``ladder`` began (None: the ladder it is written in);
    ``lifetime``         everything.
    """

    kind: Literal["rolling", "calendar", "last_calendar", "membership_year", "term", "lifetime"]
    count: int = 0
    unit: str = ""
    ladder: str | None = None

    def __post_init__(self) -> None:
        rolling, calendar = self.kind == "rolling", self.kind in ("calendar", "last_calendar")
        if rolling and not 1 <= self.count <= LONGEST.get(self.unit, 0):
            raise ValueError("a rolling window is 1 to 36525 days, at most a hundred years")
        if calendar and self.unit not in CALENDAR_UNITS:
            raise ValueError("a calendar window is a month, a quarter or a year")
        if (self.count and not rolling) or (self.unit and not (rolling or calendar)):
            raise ValueError(f"a window {self.kind!r} has no length")
        if self.ladder is not None and self.kind != "term":
            raise ValueError("only a term belongs to a ladder")


LIFETIME = Window("lifetime")

# -- Terms: what has a value ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fact:
    """Something told: ``order.amount``, ``trait.city``, ``activity.<payload field>``, ``now.hour`` …"""

    scope: Scope
    name: str


ACTIVITY_TYPE = Fact("activity", "type")


@dataclass(frozen=True, slots=True)
class Measured:
    """A measure in a window. ``measure`` is a declared or built-in id, or a canonical ad-hoc name:
    ``earned:<asset>``, ``count:<activity type>``, ``sum:<activity type>.<payload field>``,
    ``distinct:<activity type>.<field>``."""

    measure: str
    window: Window

    @property
    def is_distinct(self) -> bool:
        """Whether it counts how many different values there were, which no running total can tell."""
        return self.measure.startswith("distinct:")


@dataclass(frozen=True, slots=True)
class Streak:
    """Consecutive local days, up to today or yesterday, with an activity of this type."""

    activity: str

    @property
    def measure(self) -> str:
        return f"streak:{self.activity}"


@dataclass(frozen=True, slots=True)
class DaysSince:
    """Local days since the latest activity of this type; missing if there was none."""

    activity: str

    @property
    def measure(self) -> str:
        return f"days_since:{self.activity}"


@dataclass(frozen=True, slots=True)
class Balance:
    """What the member can spend of an asset now."""

    asset: str


@dataclass(frozen=True, slots=True)
class Tier:
    """The tier in force on a ladder; ordered by rank, not by name."""

    ladder: str


@dataclass(frozen=True, slots=True)
class Month:
    """The month (1 to 12) of a date."""

    of: Fact


@dataclass(frozen=True, slots=True)
class Ratio:
    """One number over another, exactly; missing if ``bottom`` is zero."""

    top: Plain
    bottom: Plain


Plain = Fact | Measured | Streak | DaysSince | Balance | Tier | Month
Term = Plain | Ratio

# -- Nodes: what is true or false -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Constant:
    truth: bool


@dataclass(frozen=True, slots=True)
class All:
    """Every one of two or more nodes. Use ``all_of`` to join any number."""

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if len(self.nodes) < 2:
            raise ValueError("'all' joins two or more conditions")


@dataclass(frozen=True, slots=True)
class Any:
    """At least one of two or more nodes. Use ``any_of`` to join any number."""

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if len(self.nodes) < 2:
            raise ValueError("'any' joins two or more conditions")


@dataclass(frozen=True, slots=True)
class Not:
    node: Node


@dataclass(frozen=True, slots=True)
class Compare:
    """False where a side is missing, for every op: also for ``!=``.

    ``activity.type`` is compared with names of types only: "member.joined" there is a type, not a date.
    """

    term: Term
    op: Op
    value: Value | Term

    def __post_init__(self) -> None:
        if isinstance(self.value, Term) and self.term == ACTIVITY_TYPE:
            raise Broken("activity_type")


@dataclass(frozen=True, slots=True)
class In:
    """One of the values (``negated``: none of them). False where the term is missing, also if negated."""

    term: Term
    values: tuple[Value, ...]
    negated: bool = False

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("'in' needs at least one value")


@dataclass(frozen=True, slots=True)
class Between:
    """From ``low`` to ``high``, both included."""

    term: Term
    low: Value
    high: Value


@dataclass(frozen=True, slots=True)
class Has:
    """The list has at least one of the values."""

    term: Fact
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError("'has' needs at least one value")


@dataclass(frozen=True, slots=True)
class IsToday:
    """The date's month and day are today's (29 February is kept on the 28th in common years)."""

    term: Fact


@dataclass(frozen=True, slots=True)
class InNext:
    """The date's month and day return within ``days`` days, today included (29 February as in ``IsToday``)."""

    term: Fact
    days: int

    def __post_init__(self) -> None:
        if not 1 <= self.days <= LONGEST_NEXT:
            raise ValueError(f"a date returns in 1 to {LONGEST_NEXT} days")


@dataclass(frozen=True, slots=True)
class Sequence:
    """An activity ``first`` that one of type ``then`` followed within a span, or (``negated``) one that none followed
    although the span is over. A span is exact time, not local days. ``last`` bounds when ``first`` occurred.
    """

    first: str
    then: str
    count: int
    unit: str
    negated: bool = False
    last: Window = LIFETIME

    def __post_init__(self) -> None:
        if not 1 <= self.count <= LONGEST_SPAN.get(self.unit, 0):
            raise ValueError("what follows does so within 1 hour to 366 days")
        if self.last.kind not in ("rolling", "lifetime"):
            raise ValueError("a sequence is looked for in the last days, weeks, months or years, or ever")

    @property
    def seconds(self) -> int:
        return self.count * {"hours": 3_600, "days": 86_400, "weeks": 604_800}[self.unit]


@dataclass(frozen=True, slots=True)
class InSegment:
    """The member was in the segment when it was last looked at."""

    segment: str


Node = Constant | All | Any | Not | Compare | In | Between | Has | IsToday | InNext | Sequence | InSegment

ALWAYS = Constant(True)
NEVER_TRUE = Constant(False)


def all_of(*nodes: Node) -> Node:
    """Every node: nothing at all is true, a single one is itself."""
    return ALWAYS if not nodes else nodes[0] if len(nodes) == 1 else All(nodes)


def any_of(*nodes: Node) -> Node:
    """At least one node: nothing at all is false, a single one is itself."""
    return NEVER_TRUE if not nodes else nodes[0] if len(nodes) == 1 else Any(nodes)


def walk(node: Node, *, path: str = "") -> Iterator[tuple[str, Node]]:
    """Every node with its path ("all[1].not"), parents before children."""
    yield path, node
    if isinstance(node, All | Any):
        name = "all" if isinstance(node, All) else "any"
        for index, child in enumerate(node.nodes):
            yield from walk(child, path=_below(path, f"{name}[{index}]"))
    elif isinstance(node, Not):
        yield from walk(node.node, path=_below(path, "not"))


def terms_of(node: Node) -> Iterator[Plain]:
    """The plain terms a node asks itself (not its children), left to right; ratios are taken apart."""
    if isinstance(node, Compare | In | Between | Has | IsToday | InNext):
        yield from plain(node.term)
    if isinstance(node, Compare) and isinstance(node.value, Term):
        yield from plain(node.value)


def plain(term: Term) -> tuple[Plain, ...]:
    """A ratio's two sides, or the term itself."""
    return (term.top, term.bottom) if isinstance(term, Ratio) else (term,)


def _below(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step
