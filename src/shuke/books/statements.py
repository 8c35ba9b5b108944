"""Reading for people: a member, her last entries, one entry with all that led to it. Nothing is locked or changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from msgspec import Struct, json

from shuke.books.load import Connection
from shuke.engine.activity import Activity
from shuke.engine.effects import Entry
from shuke.engine.member import Member, unpack
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MEMBER: LiteralString = "select state from member where bucket = %s and member_id = %s"

LIKE: LiteralString = """
    select member_id from member where member_id like %s || '%%' or member_id ilike %s order by member_id limit 3
"""

_ENTRY: LiteralString = """
    select a.seq, e.no, e.asset, e.kind, e.debit, e.credit, e.amount, e.occurred_at, e.version,
        coalesce(e.lot, 0), e.rule, e.order_id, e.why
    from activity a join entry e on e.activity_id = a.id and e.bucket = a.bucket
    where a.bucket = %s and a.member_id = %s
"""

LAST_ENTRIES: LiteralString = _ENTRY + " order by a.seq desc, e.no desc limit %s"
ENTRY: LiteralString = _ENTRY + " and a.seq = %s and e.no = %s"
ENTRIES_OF_ORDER: LiteralString = _ENTRY + " and e.order_id = %s order by a.seq, e.no"

ACTIVITY: LiteralString = """
    select body::text, recorded_at, version from activity where bucket = %s and member_id = %s and seq = %s
"""

LOT: LiteralString = """
    select l.opened_at, l.ripens_at, l.expires_at
    from activity a join lot l on l.activity_id = a.id and l.bucket = a.bucket
    where a.bucket = %s and a.member_id = %s and l.asset = %s and l.lot = %s
"""

COUNT_MEMBERS: LiteralString = "select count(*) from member"

COUNT_DUE: LiteralString = """
    select count(*) from member where due_at <= 'epoch'::timestamptz + %s * interval '1 microsecond'
"""

NEXT_DUE: LiteralString = "select min(due_at) from member where due_at is not null"

_decode_activity = json.Decoder(Activity).decode


class Line(Struct):
    """An entry and its place: the member's activity ``seq`` that caused it, and its number there."""

    member_id: str
    seq: int
    no: int
    entry: Entry

    @property
    def id(self) -> str:
        """The name by which people ask for it: ``M-1001/17/0``."""
        return f"{self.member_id}/{self.seq}/{self.no}"


class Recorded(Struct):
    """An activity as it was settled. ``version`` is the newest the program had then."""

    activity: Activity
    recorded_at: Instant
    version: int


class LotDates(Struct):
    """Dates of a lot: 0 where it never had to ripen, NEVER where it has no end."""

    opened_at: Instant
    ripens_at: Instant
    expires_at: Instant


async def member(connection: Connection, member_id: str) -> Member | None:
    """The member as last settled; None if nobody has this id."""
    row = await _row(connection, MEMBER, (bucket_of(member_id), member_id))
    return None if row is None or not row[0] else unpack(row[0])


async def members_like(connection: Connection, text: str) -> list[str]:
    """A few ids that begin like this, for whoever mistyped one."""
    cursor = await connection.execute(LIKE, (text, text))
    return [str(member_id) for (member_id,) in await cursor.fetchall()]


async def last_entries(connection: Connection, member_id: str, *, most: int) -> list[Line]:
    """The member's latest entries, the latest first."""
    return await _lines(connection, LAST_ENTRIES, member_id, most)


async def entries_of_order(connection: Connection, member_id: str, order_id: str) -> list[Line]:
    """Everything that moved because of an order, in the order it happened."""
    return await _lines(connection, ENTRIES_OF_ORDER, member_id, order_id)


async def entry(connection: Connection, member_id: str, seq: int, no: int) -> Line | None:
    """One entry by its place."""
    found = await _lines(connection, ENTRY, member_id, seq, no)
    return found[0] if found else None


async def activity(connection: Connection, member_id: str, seq: int) -> Recorded:
    """The activity that caused an entry. KeyError if there is none: then the books are broken."""
    row = await _row(connection, ACTIVITY, (bucket_of(member_id), member_id, seq))
    if row is None:
        raise KeyError(f"activity {member_id}/{seq}")
    return Recorded(_decode_activity(row[0]), _instant(row[1]), row[2])


async def lot_dates(connection: Connection, member_id: str, *, asset: str, lot: int) -> LotDates | None:
    """When the lot was opened, ripened and ends."""
    row = await _row(connection, LOT, (bucket_of(member_id), member_id, asset, lot))
    if row is None:
        return None
    opened_at, ripens_at, expires_at = row
    ripe = 0 if ripens_at is None else _instant(ripens_at)
    return LotDates(_instant(opened_at), ripe, NEVER if expires_at is None else _instant(expires_at))


async def count_members(connection: Connection) -> int:
    """How many members there are."""
    row = await _row(connection, COUNT_MEMBERS, ())
    return int(row[0])


async def count_due(connection: Connection, until: Instant) -> int:
    """To how many members something happens up to ``until``."""
    row = await _row(connection, COUNT_DUE, (until,))
    return int(row[0])


async def next_due(connection: Connection) -> Instant:
    """When something next happens to any member by itself; NEVER if nothing will."""
    row = await _row(connection, NEXT_DUE, ())
    return NEVER if row is None or row[0] is None else _instant(row[0])


async def _row(connection: Connection, query: LiteralString, arguments: tuple[Any, ...]) -> Any:
    cursor = await connection.execute(query, arguments)
    return await cursor.fetchone()


async def _lines(connection: Connection, query: LiteralString, member_id: str, *rest: Any) -> list[Line]:
    cursor = await connection.execute(query, (bucket_of(member_id), member_id, *rest))
    return [_line(member_id, *row) for row in await cursor.fetchall()]


def _line(member_id: str, seq: int, no: int, *entry: Any) -> Line:
    asset, kind, debit, credit, amount, occurred_at, version, lot, rule, order_id, why = entry
    told = Entry(asset, kind, debit, credit, amount, _instant(occurred_at), version, lot, rule, order_id, why)
    return Line(member_id, seq, no, told)


def _instant(moment: datetime) -> Instant:
    return (moment - _EPOCH) // timedelta(microseconds=1)
