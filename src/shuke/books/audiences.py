"""Who a condition holds for: SQL narrows the members down, and the engine decides what SQL leaves open.

Members are seen as of the moment that is asked about: for whom something has fallen due that the clock has not settled
yet, the engine lets it happen first. What the program counts of a member is read from her state, as rules read it; a
measure that no rule asks for, so that nobody keeps it, is counted from her activities and orders. See decision 16.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable
from dataclasses import replace
from typing import Any, Final, NamedTuple

from msgspec import json
from msgspec.structs import replace as changed

from shuke.books.condition_sql import write
from shuke.books.load import Connection
from shuke.books.members import Place
from shuke.books.postings import Outside
from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.balances import present
from shuke.engine.compiled import Compiled, Editions, asked_measures, measure_of
from shuke.engine.conditions import Explanation, Test, compile_condition, explain
from shuke.engine.measures import Counter, add_to
from shuke.engine.member import ERASED, MERGED, STRANGER, Member, Series, unpack
from shuke.engine.orders import Order, back, unpack_order
from shuke.engine.turn import Context, Turn
from shuke.program.conditions import Node, check, show, walk
from shuke.program.problems import Problem, problem
from shuke.values.ids import BUCKETS, bucket_of
from shuke.values.instants import Instant

MOST_LOOKED_AT: Final = 5_000
"""Members that one page looks at, so that no question takes longer where there are more."""

SAMPLE: Final = 20_000
"""About so many members are looked at for an estimate. A bucket holds members by lot."""

MOST_CHARACTERS: Final = 20_000
MOST_NODES: Final = 100
"""The most parts of a condition: each is written into the statement, some as every day on which it holds."""

_CHUNK: Final = 1_000
_EVER: Final = 40_000  # days of history that a measure counted for an audience keeps: all

HISTORY = """
    select a.member_id, a.body::text, a.context::text
    from unnest(%s::smallint[], %s::text[]) as asked (bucket, member_id)
    join activity a using (bucket, member_id)
    where a.type = any(%s::text[]) and a.answer ->> 'code' is null
    order by a.member_id, a.seq
"""

ORDERS = """
    select o.member_id, o.order_id, o.settlement
    from unnest(%s::smallint[], %s::text[]) as asked (bucket, member_id)
    join orders o using (bucket, member_id)
"""

ABOUT = "select greatest(reltuples, 0)::bigint from pg_class where oid = 'member'::regclass"

_activity = json.Decoder(Activity, float_hook=str).decode
_outside = json.Decoder(Outside).decode

_Told = tuple[Activity, Context]
"""What happened, and what the step was told beside it."""


class Size(NamedTuple):
    """How many members a condition holds for; an estimate where not all were looked at."""

    members: int
    looked_at: int
    exact: bool


class _Row(NamedTuple):
    member: Member
    history: dict[str, int]


def problems(tree: Node, edition: Compiled) -> list[Problem]:
    """Everything that is wrong with the condition as one of an audience; empty if it can be asked."""
    if sum(1 for _ in walk(tree)) > MOST_NODES or len(show(tree)) > MOST_CHARACTERS:
        return [problem("", "too_long:audience", parts=MOST_NODES, most=MOST_CHARACTERS)]
    found = check(tree, edition.names.vocabulary, place="audience")
    if any(one.severity == "error" for one in found):
        return found
    for measure in _not_kept(tree, edition):
        if measure.startswith("earned:") or of.ORDER_COMPLETED in measure_of(edition.document, measure).on:
            found.append(problem("", "not_kept", measure=measure))
    return found


def _not_kept(tree: Node, edition: Compiled) -> list[str]:
    """The measures asked for that members' states do not hold, or not as far back."""
    asked = {name: days for name, days in asked_measures(tree).items() if not name.startswith("distinct:")}
    kept = {name: edition.counter(name) for name in asked}
    return sorted(name for name, days in asked.items() if (has := kept[name]) is None or has.keep_days < days)


class Audience:
    """A condition made ready to be asked at one moment. Raises nothing for one that ``problems`` finds sound."""

    def __init__(self, tree: Node, editions: Editions, *, at: Instant) -> None:
        edition = editions.at(at)
        self.tree, self.editions, self.at = tree, editions, at
        measures = [measure_of(edition.document, name) for name in _not_kept(tree, edition)]
        days = frozenset(measure.id for measure in measures if measure.kind == "days")
        self.names = replace(edition.names, day_measures=edition.names.day_measures | days)
        self.counters = [Counter(measure, keep_days=_EVER, **self._tests(measure)) for measure in measures]
        self.types = sorted({type_ for counter in self.counters for type_ in counter.measure.on})
        self.test: Test = compile_condition(tree, names=self.names)
        self.sql = write(tree, editions=editions, names=self.names, at=at)

    def _tests(self, measure: Any) -> dict[str, Test | None]:
        return {
            name: None if asked is None else compile_condition(asked, names=self.names)
            for name, asked in (("when", measure.when), ("lines", measure.lines))
        }

    @property
    def is_heavy(self) -> bool:
        """Whether what happened must be looked up, and what members' rows hold is not enough."""
        return bool(self.counters) or any(not question.startswith("segment(") for question in self.sql.asked)

    # -- Asking many ------------------------------------------------------------------------------------

    async def page(
        self, connection: Connection, *, behind: Place, limit: int, most: int = MOST_LOOKED_AT
    ) -> tuple[list[Member], Place | None]:
        """The next members it holds for, as of its moment, and where to go on; None: there are no more.

        At most ``most`` members are looked at, and ``limit`` of those in question asked, so there may be fewer than
        ``limit`` (also none) and yet more behind them.
        """
        cursor = await connection.execute(
            f"""
            with looked as (
                select * from member where (bucket, member_id) > (%(bucket)s::int2, %(member)s::text)
                order by bucket, member_id limit %(most)s::int
            ), last as (
                select bucket, member_id from looked order by bucket desc, member_id desc limit 1
            )
            (select m.state{self._questions()} from looked m where {self._may()}
                order by m.bucket, m.member_id limit %(limit)s::int)
            union all
            (select null{", 0" * len(self.sql.asked)} from last where (select count(*) from looked) = %(most)s)
            """.encode(),  # nothing but texts of our own; what a condition says is bound
            self._arguments(bucket=behind.bucket, member=behind.member_id, most=most, limit=limit + 1),
            binary=True,
        )
        raw = await cursor.fetchall()
        end = await self._end(connection, behind, most) if raw and raw[-1][0] is None else None
        rows = [self._row(*row) for row in raw if row[0] is not None]
        if len(rows) > limit:
            del rows[limit:]
            end = Place(bucket_of(rows[-1].member.id), rows[-1].member.id)
        return [turn.member async for turn in self._holding(connection, rows)], end

    async def _end(self, connection: Connection, behind: Place, most: int) -> Place:
        cursor = await connection.execute(
            "select bucket, member_id from member where (bucket, member_id) > (%s::int2, %s::text)"
            " order by bucket, member_id offset %s limit 1",
            (behind.bucket, behind.member_id, most - 1),
        )
        [(bucket, member_id)] = await cursor.fetchall()
        return Place(bucket, member_id)

    async def size(self, connection: Connection, *, exact: bool = False, sample: int = SAMPLE) -> Size:
        """How many members it holds for: of all, or, where there are far more than ``sample`` and ``exact`` is not
        asked for, as the members of the first buckets let expect."""
        [(about,)] = await (await connection.execute(ABOUT)).fetchall()
        buckets = BUCKETS if exact or about <= sample else max(1, BUCKETS * sample // about)
        decided = f"{self._is_there()} and m.bucket < %(buckets)s::int2"
        certain, open_ = f"({self.sql.must} and not {_DUE})", f"({self.sql.may} and not {self.sql.must}) or {_DUE}"
        cursor = await connection.execute(
            f"select count(*), count(*) filter (where {certain}) from member m where {decided}".encode(),
            self._arguments(buckets=buckets),
        )
        [(looked_at, found)] = await cursor.fetchall()
        query = f"""
            select m.state{self._questions()} from member m where {decided} and ({open_})
                and (m.bucket, m.member_id) > (%(bucket)s::int2, %(member)s::text)
            order by m.bucket, m.member_id limit {_CHUNK}
        """.encode()
        place: Place | None = Place()
        while place is not None:
            arguments = self._arguments(buckets=buckets, bucket=place.bucket, member=place.member_id)
            cursor = await connection.execute(query, arguments, binary=True)
            rows = [self._row(*row) for row in await cursor.fetchall()]
            found += len([turn async for turn in self._holding(connection, rows)])
            place = Place(bucket_of(rows[-1].member.id), rows[-1].member.id) if len(rows) == _CHUNK else None
        whole = buckets == BUCKETS
        return Size(found if whole else round(found * BUCKETS / buckets), looked_at, whole)

    async def among(self, connection: Connection, members: Collection[str]) -> list[str]:
        """Those of these members it holds for."""
        query = f"""
            select m.state{self._questions()}
            from unnest(%(buckets)s::smallint[], %(members)s::text[]) as asked (bucket, member_id)
            join member m using (bucket, member_id) where {self._may()}
        """.encode()
        arguments = self._arguments(buckets=[bucket_of(member) for member in members], members=list(members))
        rows = [self._row(*row) for row in await (await connection.execute(query, arguments, binary=True)).fetchall()]
        return [turn.member.id async for turn in self._holding(connection, rows)]

    async def explain(self, connection: Connection, member_id: str) -> Explanation | None:
        """Why it holds or not for one member; None if there is no such member."""
        query = f"select m.state{self._questions()} from member m where m.bucket = %(bucket)s::int2".encode()
        query += b" and m.member_id = %(member)s::text and m.seq > 0"
        arguments = self._arguments(bucket=bucket_of(member_id), member=member_id)
        row = await (await connection.execute(query, arguments, binary=True)).fetchone()
        if row is None:
            return None
        [turn] = [turn async for turn in self._turns(connection, [self._row(*row)])]
        return explain(self.tree, turn, None, self.names)

    # -- SQL --------------------------------------------------------------------------------------------

    def _arguments(self, **more: Any) -> dict[str, Any]:
        return {**self.sql.parameters, "now": self.at, "nobody": [STRANGER, ERASED, MERGED], **more}

    def _questions(self) -> str:
        return "".join(f", {question}" for question in self.sql.asked.values())

    def _is_there(self) -> str:
        return "m.seq > 0 and m.status <> all(%(nobody)s::text[])"

    def _may(self) -> str:
        return f"{self._is_there()} and ({self.sql.may} or {_DUE})"

    def _row(self, state: bytes, *answers: int) -> _Row:
        return _Row(unpack(state), dict(zip(self.sql.asked, answers, strict=True)))

    # -- The engine -------------------------------------------------------------------------------------

    async def _holding(self, connection: Connection, rows: list[_Row]) -> AsyncIterator[Turn]:
        async for turn in self._turns(connection, rows):
            if self.test(turn, None):
                yield turn

    async def _turns(self, connection: Connection, rows: list[_Row]) -> AsyncIterator[Turn]:
        """Each member at the moment that is asked about, with all that the condition asks of her."""
        counted = await self._counted(connection, [row.member.id for row in rows]) if self.counters and rows else {}
        for member, history in rows:
            if member.due_at <= self.at or member.seq == 0:
                turn = present(self.editions, member, self.at)
            else:
                turn = Turn(self.editions, member, Activity(of.TIME_PASSED, member.id, self.at, "", ""), Context())
            turn.context = Context(history=history)
            if self.counters:
                self._count(turn, *counted.get(member.id, ([], {})))
            yield turn

    async def _counted(
        self, connection: Connection, members: list[str]
    ) -> dict[str, tuple[list[_Told], dict[str, Order]]]:
        """Of each member, the activities that the measures count, and her orders."""
        found: dict[str, tuple[list[_Told], dict[str, Order]]] = {}
        asked = [bucket_of(member_id) for member_id in members], members
        for member_id, body, outside in await (await connection.execute(HISTORY, (*asked, self.types))).fetchall():
            context = Context(catalog=None if outside is None else _outside(outside).catalog)
            found.setdefault(member_id, ([], {}))[0].append((_activity(body), context))
        if of.ORDER_PAID in self.types:
            for member_id, order_id, settlement in await (await connection.execute(ORDERS, asked)).fetchall():
                found.setdefault(member_id, ([], {}))[1][order_id] = unpack_order(settlement)
        return found

    def _count(self, turn: Turn, log: Iterable[_Told], orders: dict[str, Order]) -> None:
        """Count what nobody keeps of the member: as it would have been counted, without what was refunded since."""
        for counter in self.counters:
            turn.member.series[counter.id] = Series()
        for activity, context in log:
            past = Turn(self.editions, turn.member, activity, context)
            order = orders.get(past.purchase.order_id) if past.purchase is not None else None
            if order is not None and past.purchase is not None:
                prices = zip(past.purchase.lines, order.amounts[:-2], strict=False)
                past.buy(changed(past.purchase, lines=[changed(line, amount=price) for line, price in prices]))
            for counter in self.counters:
                if activity.type in counter.measure.on and (counter.when is None or counter.when(past, None)):
                    amount, weights = counter.amount(past)
                    amount -= _gone(order, amount, weights, whole=counter.whole)
                    if amount:
                        add_to(past, counter, past.day, amount)


_DUE = "(m.due_at <= 'epoch'::timestamptz + %(now)s::bigint * interval '1 microsecond') is true"


def _gone(order: Order | None, amount: int, weights: list[int] | None, *, whole: bool) -> int:
    """What the refunds of the order have taken out of an amount."""
    if order is None or not amount:
        return 0
    if whole:
        return amount if order.refunded and order.is_back(order.refunded) else 0
    return back(order, amount, weights, order.refunded)
