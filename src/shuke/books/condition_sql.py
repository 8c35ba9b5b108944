"""Conditions as SQL over the rows of members: bound parameters only, and never another answer than the engine's.

What a column holds is decided in SQL. What only the engine's own state can tell (series of days, two terms side by
side, a ratio) is left open: every condition is written twice, as what holds wherever the condition does (``may``) and
as what holds only where it does (``must``). Where the two are the same text, SQL has decided; between them the engine
is asked. No part is ever null, so ``not`` is what it is in the engine: what is missing makes a comparison false.

What does not depend on the member, or only on the day she joined or the tier she is on, is asked of the engine's own
expression while the SQL is written: it cannot mean anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any as Anything
from typing import NamedTuple

from shuke.engine.activity import TIME_PASSED, Activity
from shuke.engine.compiled import Editions
from shuke.engine.condition_code import compile_condition, compile_fact
from shuke.engine.facts import DaysAgo, kept_on
from shuke.engine.measures import window_days
from shuke.engine.member import ACTIVE, Member
from shuke.engine.names import Names
from shuke.engine.turn import Context, Turn
from shuke.program.condition_check import literal_kind
from shuke.program.conditions import (
    Ago,
    All,
    Any,
    Balance,
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
    Measured,
    Month,
    Node,
    Not,
    Sequence,
    Term,
    Tier,
    Value,
    plain,
    show,
    show_term,
    signature,
    terms_of,
    walk,
)
from shuke.values.instants import HOUR, Day, Instant, LocalCalendar

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNKNOWN_DAYS = 719_163  # 1970-01-01: nobody joined before; who did nevertheless is left to the engine
_MOST_DIGITS = 1_000
_TOLD_AS_TRAITS = ("birthday", "language", "kind")  # anything else of a member is the engine's to read
_SHORT = "(0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8])"
_LEAP = "([0-9]{2}(0[48]|[2468][048]|[13579][26])|(0[48]|[2468][048]|[13579][26])00)-02-29"
_DATE = f"^((?!0000)[0-9]{{4}}-({_SHORT})|{_LEAP})$"
_RETURNS = f"^(--)?({_SHORT}|02-29)$"
_DECIMAL = r"^-?[0-9]{1,30}(\.[0-9]{1,18})?$"
_CLOCK = "^([01][0-9]|2[0-3]):[0-5][0-9]$"
_MIRRORED = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_OF_ORDER = ("store", "channel", "payment")
_OF_LINE = ("sku", "category", "brand")


class Written(NamedTuple):
    """A condition in SQL over ``member m``. ``asked`` are the questions to the history, by the text the engine asks
    them in, each an integer."""

    may: str
    must: str
    asked: dict[str, str]
    parameters: dict[str, Anything]

    @property
    def is_decided(self) -> bool:
        return self.may == self.must


class _Both(NamedTuple):
    may: str
    must: str


_OPEN = _Both("true", "false")


def write(tree: Node, *, editions: Editions, names: Names, at: Instant) -> Written:
    """The condition as it is asked at ``at``. The tree must have passed ``check`` for an audience."""
    writer = _Writer(editions, names, at)
    found = writer.condition(tree)
    asked = dict(writer.histories(tree))
    return Written(found.may, found.must, asked, writer.parameters)


class _Writer:
    def __init__(self, editions: Editions, names: Names, at: Instant) -> None:
        self.editions, self.names, self.at = editions, names, at
        self.calendar: LocalCalendar = editions.at(at).calendar
        self.parameters: dict[str, Anything] = {}
        self.turn = self._turn(Member("", at, status=ACTIVE))
        self.joining: dict[str, _Both] = {}

    def _turn(self, member: Member) -> Turn:
        return Turn(self.editions, member, Activity(TIME_PASSED, "", self.at, "", ""), Context())

    def bind(self, value: Anything, type_: str) -> str:
        name = f"p{len(self.parameters)}"
        self.parameters[name] = value
        return f"%({name})s::{type_}"

    # -- Joining ----------------------------------------------------------------------------------------

    def condition(self, tree: Node) -> _Both:
        match tree:
            case Constant(truth):
                return _decided(str(truth).lower())
            case All(nodes):
                return _joined(" and ", map(self.condition, nodes))
            case Any(nodes):
                return _joined(" or ", map(self.condition, nodes))
            case Not(node):
                inner = self.condition(node)
                return _Both(f"(not {inner.must})", f"(not {inner.may})")
            case InSegment(segment):
                return _decided(self.segment(segment))
            case Sequence():
                return _decided(f"({self.sequence(tree)} > 0)")
            case _:
                return self.leaf(tree)

    def leaf(self, node: Compare | In | Between | Has | IsToday | InNext) -> _Both:
        moments = [_moment(term) for term in terms_of(node)]
        if all(moments):
            return _decided(str(compile_condition(node, names=self.names)(self.turn, None)).lower())
        if all(moment or _joining(term) for moment, term in zip(moments, terms_of(node), strict=True)):
            text = show(node)
            if text not in self.joining:
                self.joining[text] = self._by_day_of_joining(node)
            return self.joining[text]
        node = self._without_moments(node)
        if isinstance(node, Compare) and isinstance(node.value, Term):
            return _OPEN
        if isinstance(node.term, Tier):
            return self._by_tier(node, node.term)
        if any(not _is_plain(value) for value in _values(node)):
            return _OPEN
        asked = self._asked(node)
        return _OPEN if asked is None else _decided(f"(({asked}) is true)")

    def _without_moments(self, node: Compare | In | Between | Has | IsToday | InNext) -> Anything:
        """The node with the moment's own values in the place of ``now.…`` and of days ago."""
        match node:
            case Compare(term, op, value) if isinstance(value, Term):
                if _moment(value):
                    return Compare(term, op, self._now(value))
                return Compare(value, _MIRRORED[op], self._now(term)) if _moment(term) else node  # type: ignore[arg-type]  # mirrored ops are ops
            case Compare(term, op, value) if not isinstance(value, Term):
                return Compare(term, op, self._day(value))
            case In(term, values, negated):
                return In(term, tuple(map(self._day, values)), negated)
            case Between(term, low, high):
                return Between(term, self._day(low), self._day(high))
            case _:
                return node

    def _now(self, term: Term) -> Value:
        if isinstance(term, Month):
            return date.fromordinal(self.turn.day).month
        assert isinstance(term, Fact), "a moment is a fact"
        kind = signature(term, self.names.vocabulary).kind
        value = compile_fact(term, kind=kind)(self.turn, None)
        if kind is Kind.DATE:
            return date.fromordinal(value)
        found: Value = time(value // 60, value % 60) if kind is Kind.TIME else value
        return found

    def _day(self, value: Value) -> Value:
        return date.fromordinal(DaysAgo(value)[self.turn.day]) if isinstance(value, Ago) else value

    # -- What the engine says while this is written -----------------------------------------------------

    def _by_tier(self, node: Node, term: Tier) -> _Both:
        test = compile_condition(node, names=self.names)
        tiers = []
        for tier in self.names.vocabulary.ladders[term.ladder]:
            self.turn.member.tiers = {term.ladder: tier}
            if test(self.turn, None):
                tiers.append(tier)
        self.turn.member.tiers = {}
        column = f"m.tiers ->> {self.bind(term.ladder, 'text')}"
        return _decided(f"(({column} = any({self.bind(tiers, 'text[]')})) is true)")

    def _by_day_of_joining(self, node: Node) -> _Both:
        """Every day on which somebody may have joined is asked for; who joined on no such day is left open."""
        test, turn, calendar = compile_condition(node, names=self.names), self.turn, self.calendar
        last = turn.day + 1
        starts: list[datetime] = []
        ends: list[datetime] = []
        torn: list[datetime] = []  # where clocks go back over midnight, a day ends twice
        held = False
        for day in range(_UNKNOWN_DAYS, last + 1):
            turn.member.joined_at = calendar.day_start(day)
            holds = day < last and calendar.day(turn.member.joined_at) == day and test(turn, None)
            if holds is not held:
                start = calendar.day_start(day)
                (starts if holds else ends).append(_moment_of(start))
                if calendar.offset_at(start) != calendar.offset_at(start + 3 * HOUR):
                    torn.append(_moment_of(start))
            held = holds
        turn.member.joined_at = self.at
        first, end = self._start_of(_UNKNOWN_DAYS), self._start_of(last)
        spans = f"unnest({self.bind(starts, 'timestamptz[]')}, {self.bind(ends, 'timestamptz[]')}) as s (a, b)"
        must = f"exists (select from {spans} where m.joined_at >= s.a and m.joined_at < s.b)"
        open_ = f"m.joined_at < {first} or m.joined_at >= {end}"
        if torn:
            cut = f"unnest({self.bind(torn, 'timestamptz[]')}) as t (a)"
            near = f"exists (select from {cut} where m.joined_at >= t.a and m.joined_at < t.a + interval '3 hours')"
            return _Both(f"({must} or {near} or {open_})", f"({must} and not {near})")
        return _Both(f"({must} or {open_})", f"({must})")

    # -- Columns ----------------------------------------------------------------------------------------

    def _asked(self, node: Compare | In | Between | Has | IsToday | InNext) -> str | None:
        """The SQL of one question, null where the term is missing; None where SQL cannot ask it."""
        match node:
            case Has(term, texts):
                return self._has(term, texts)
            case IsToday(term):
                return self._returns(term, kept_on, 1)
            case InNext(term, days):
                return self._returns(term, kept_on, days)
            case Compare(term, op, value):
                assert not isinstance(value, Term), "two terms are left to the engine"
                read, type_ = self._read(term, value) or (None, "")
                sign = "<>" if op == "!=" else op
                return None if read is None else f"{read} {sign} {self._literal(term, value, type_)}"
            case In(term, values, negated):
                read, type_ = self._read(term, values[0]) or (None, "")
                if read is None:
                    return None
                listed = ", ".join(self._literal(term, value, type_) for value in values)
                return f"{read} {'not in' if negated else 'in'} ({listed})"
            case Between(term, low, high):
                read, type_ = self._read(term, low) or (None, "")
                if read is None:
                    return None
                return f"{read} between {self._literal(term, low, type_)} and {self._literal(term, high, type_)}"

    def _read(self, term: Term, value: Value) -> tuple[str, str] | None:
        """The SQL that reads a term beside a literal, with its type; None where no column holds it."""
        match term:
            case Balance(asset):
                return f"coalesce((m.balances ->> {self.bind(asset, 'text')})::numeric, 0)", "numeric"
            case Month(of):
                told = self._month_and_day(of)
                return None if told is None else (f"left({told}, 2)::numeric", "numeric")
            case Measured() if term.is_distinct:
                return f"{self.distinct(term)}::numeric", "numeric"
            case Fact("member", "status"):
                return "m.status", "text"
            case Fact():
                kind = signature(term, self.names.vocabulary).kind
                return self._told(term, literal_kind(value) if kind is Kind.OPEN else kind)
            case _:
                return None

    def _literal(self, term: Term, value: Value, type_: str) -> str:
        if isinstance(value, bool | str):
            return self.bind(value, type_)
        if isinstance(value, int | Decimal):
            scale = self.names.vocabulary.assets[term.asset] if isinstance(term, Balance) else 0
            return self.bind(Decimal(f"{Decimal(value):f}e{scale}"), type_)
        if isinstance(value, date):
            return self.bind(value.isoformat(), type_)
        assert isinstance(value, time), "days ago were made dates"
        return self.bind(f"{value:%H:%M}", type_)

    def _trait(self, fact: Fact) -> str | None:
        name = "birthday" if fact == Fact("member", "birthday") else fact.name
        is_trait = fact.scope == "trait" or (fact.scope == "member" and name in _TOLD_AS_TRAITS)
        if not is_trait or not _is_text(name):
            return None
        return f"(m.traits -> {self.bind(name, 'text')})"

    def _told(self, fact: Fact, kind: Kind) -> tuple[str, str] | None:
        """A trait read as a kind; null where it is of another."""
        told = self._trait(fact)
        if told is None:
            return None
        text = f"({told} #>> '{{}}')"
        string = f"jsonb_typeof({told}) = 'string'"
        match kind:
            case Kind.NUMBER | Kind.MONEY:
                digits = f"case when {text} ~ {self.bind(_DECIMAL, 'text')} then {text}::numeric end"
                number = f"when 'number' then {text}::numeric when 'string' then {digits} end"
                return f"(case jsonb_typeof({told}) {number})", "numeric"
            case Kind.BOOLEAN:
                return f"(case jsonb_typeof({told}) when 'boolean' then {text}::boolean end)", "boolean"
            case Kind.TEXT:
                return f"(case when {string} then {text} end)", "text"
            case Kind.DATE | Kind.TIME:
                form = self.bind(_DATE if kind is Kind.DATE else _CLOCK, "text")
                return f'(case when {string} and {text} ~ {form} then {text} end collate "C")', "text"
            case _:
                return None

    def _month_and_day(self, fact: Fact) -> str | None:
        told = self._trait(fact)
        if told is None:
            return None
        text = f"({told} #>> '{{}}')"
        form = f"({text} ~ {self.bind(_DATE, 'text')} or {text} ~ {self.bind(_RETURNS, 'text')})"
        return f"(case when jsonb_typeof({told}) = 'string' and {form} then right({text}, 5) end)"

    def _returns(self, fact: Fact, kept: Callable[[Day], frozenset[tuple[int, int]]], days: int) -> str | None:
        told = self._month_and_day(fact)
        if told is None:
            return None
        soon = {found for ahead in range(days) for found in kept(self.turn.day + ahead)}
        return f"{told} = any({self.bind(sorted(f'{month:02}-{day:02}' for month, day in soon), 'text[]')})"

    def _has(self, fact: Fact, texts: tuple[str, ...]) -> str | None:
        wanted = self.bind([text for text in texts if _is_text(text)], "text[]")
        if fact == Fact("member", "tags"):
            return f"m.tags && {wanted}"
        told = self._trait(fact)
        return None if told is None else f"jsonb_typeof({told}) = 'array' and jsonb_exists_any({told}, {wanted})"

    def _start_of(self, day: Day) -> str:
        return self.bind(_moment_of(self.calendar.day_start(day)), "timestamptz")

    # -- History ----------------------------------------------------------------------------------------

    def histories(self, tree: Node) -> Iterator[tuple[str, str]]:
        """The questions to the history anywhere in the tree, each with its SQL: an integer, never null."""
        for _, node in walk(tree):
            if isinstance(node, Sequence):
                yield show(node), self.sequence(node)
            elif isinstance(node, InSegment):
                yield show(node), f"{self.segment(node.segment)}::int"
            for term in terms_of(node):
                for part in plain(term):
                    if isinstance(part, Measured) and part.is_distinct:
                        yield show_term(part), self.distinct(part)

    def segment(self, segment: str) -> str:
        return f"""(exists (select from segment_member s where s.segment = {self.bind(segment, "text")}
            and s.bucket = m.bucket and s.member_id = m.member_id and s.inside))"""

    def sequence(self, node: Sequence) -> str:
        """1 where some ``first`` was followed by ``then`` in time; ``negated``: by none although its time is over."""
        span = f"make_interval(secs => {self.bind(node.seconds, 'int')})"
        at = self.bind(_moment_of(self.at), "timestamptz")
        start = self._start(Measured("", node.last))[0]
        then = f"""select from activity t where t.bucket = m.bucket and t.member_id = m.member_id
            and t.type = {self.bind(node.then, "text")} and t.answer ->> 'code' is null
            and (t.occurred_at, t.seq) > (f.occurred_at, f.seq) and t.occurred_at <= f.occurred_at + {span}"""
        asked = f"f.occurred_at + {span} <= {at} and not exists ({then})" if node.negated else f"exists ({then})"
        return f"""(select count(*) from (select from activity f where f.bucket = m.bucket
            and f.member_id = m.member_id and f.type = {self.bind(node.first, "text")}
            and f.answer ->> 'code' is null {start} and f.occurred_at <= {at} and {asked} limit 1) as one)"""

    def distinct(self, term: Measured) -> str:
        """How many different values a field of the activities had in the window."""
        activity, _, field = term.measure.removeprefix("distinct:").rpartition(".")
        start, end = self._start(term)
        name = self.bind(field, "text")
        sources = [f"select f.body -> 'payload' -> {name}"]
        if field in _OF_ORDER:
            sources.append(f"select f.body -> 'purchase' -> {name}")
        if field in _OF_LINE:
            lines = "json_array_elements(f.body -> 'purchase' -> 'lines') as lines (line)"
            sources.append(f"select line -> {name} from {lines}")
        return f"""(select count(distinct told.value #>> '{{}}') from activity f,
            lateral ({" union all ".join(sources)}) as told (value) where f.bucket = m.bucket
            and f.member_id = m.member_id and f.type = {self.bind(activity, "text")}
            and f.answer ->> 'code' is null {start} {end}
            and json_typeof(told.value) in ('string', 'number', 'boolean'))"""

    def _start(self, term: Measured) -> tuple[str, str]:
        """The bounds of a window that is the same for every member."""
        if term.window.kind == "lifetime":
            return "", ""
        first, behind = window_days(term.window, self.turn.day)
        bounds = []
        for sign, day in ((">=", first), ("<", behind)):
            bounds.append(f"and f.occurred_at {sign} {self._start_of(day)}")
        return bounds[0], bounds[1]


def _decided(text: str) -> _Both:
    return _Both(text, text)


def _joined(by: str, parts: Iterator[_Both]) -> _Both:
    found = list(parts)
    return _Both(f"({by.join(part.may for part in found)})", f"({by.join(part.must for part in found)})")


def _moment(term: Term) -> bool:
    """Whether the term is the same for every member."""
    fact = term.of if isinstance(term, Month) else term
    return isinstance(fact, Fact) and fact.scope == "now"


def _joining(term: Term) -> bool:
    """Whether all that the term asks of a member is on which day she joined."""
    fact = term.of if isinstance(term, Month) else term
    return fact in (Fact("member", "joined"), Fact("member", "months"))


def _values(node: Node) -> tuple[Value, ...]:
    match node:
        case Compare(_, _, value) if not isinstance(value, Term):
            return (value,)
        case In(_, values):
            return values
        case Between(_, low, high):
            return low, high
        case _:
            return ()


def _is_plain(value: Value) -> bool:
    """Whether PostgreSQL can hold the literal."""
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, Decimal):
        return abs(value.adjusted()) < _MOST_DIGITS and len(value.as_tuple().digits) < _MOST_DIGITS
    return isinstance(value, bool) or not isinstance(value, int) or value.bit_length() < _MOST_DIGITS


def _is_text(text: str) -> bool:
    return "\x00" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


def _moment_of(instant: Instant) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)
