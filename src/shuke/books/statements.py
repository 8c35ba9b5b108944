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

MEMBER: LiteralString = "select state from member where bucket = %b::int2 and member_id = %b"

MERGES: LiteralString = """
    select id, type, occurred_at, coalesce(body #>> '{payload,into}', body #>> '{payload,merged_member}',
        body #>> '{payload,from}'), body #>> '{payload,reason}'
    from activity
    where bucket = %s and member_id = %s and answer ->> 'code' is null
        and type in ('member.merged', 'member.absorbed', 'member.unmerged', 'member.restored')
    order by seq desc limit %s
"""

LIKE: LiteralString = """
    select member_id from member where member_id like %s || '%%' or member_id ilike %s order by member_id limit 3
"""

_ENTRY: LiteralString = """
    select a.seq, a.id, e.no, e.asset, e.kind, e.debit, e.credit, e.amount, e.occurred_at, e.version,
        coalesce(e.lot, 0), e.rule, e.order_id, e.why
    from activity a join entry e on e.activity_id = a.id and e.bucket = a.bucket
    where a.bucket = %s and a.member_id = %s
"""

LAST_ENTRIES: LiteralString = _ENTRY + " order by a.seq desc, e.no desc limit %s"
ENTRY: LiteralString = _ENTRY + " and a.seq = %s and e.no = %s"
ENTRY_OF_ACTIVITY: LiteralString = _ENTRY + " and a.id = %s and e.no = %s"
ENTRIES_BEHIND: LiteralString = (
    _ENTRY
    + """ and a.seq <= %s and (a.seq, e.no) < (%s, %s) and (%s::text is null or e.asset = %s)
    order by a.seq desc, e.no desc limit %s
"""
)

# What an account of hers came to by an instant, by the entries' own times.
SUMS: LiteralString = """
    select e.asset,
        coalesce(sum(e.amount) filter (where e.credit = 'available'), 0)::bigint
            - coalesce(sum(e.amount) filter (where e.debit = 'available'), 0)::bigint,
        coalesce(sum(e.amount) filter (where e.credit = 'pending'), 0)::bigint
            - coalesce(sum(e.amount) filter (where e.debit = 'pending'), 0)::bigint,
        coalesce(sum(e.amount) filter (where e.credit = 'held'), 0)::bigint
            - coalesce(sum(e.amount) filter (where e.debit = 'held'), 0)::bigint,
        coalesce(sum(e.amount) filter (where e.debit = 'debt'), 0)::bigint
            - coalesce(sum(e.amount) filter (where e.credit = 'debt'), 0)::bigint
    from activity a join entry e on e.activity_id = a.id and e.bucket = a.bucket
    where a.bucket = %s and a.member_id = %s
        and e.occurred_at < 'epoch'::timestamptz + %s * interval '1 microsecond'
    group by e.asset
"""
BETWEEN: LiteralString = (
    _ENTRY
    + """ and e.occurred_at >= 'epoch'::timestamptz + %s * interval '1 microsecond'
        and e.occurred_at < 'epoch'::timestamptz + %s * interval '1 microsecond'
        and (e.occurred_at, a.seq, e.no) > ('epoch'::timestamptz + %s * interval '1 microsecond', %s, %s)
    order by e.occurred_at, a.seq, e.no limit %s
"""
)

TIER_CHANGES: LiteralString = """
    select t.ladder, t.from_tier, t.to_tier, t.at, t.until, t.reason, a.id
    from activity a join tier_change t on t.activity_id = a.id and t.bucket = a.bucket
    where a.bucket = %s and a.member_id = %s and t.from_tier is distinct from t.to_tier
    order by a.seq desc, t.no desc limit %s
"""
TIER_CHANGES_OF: LiteralString = """
    select t.ladder, t.from_tier, t.to_tier, t.at, t.until, t.reason, a.id
    from activity a join tier_change t on t.activity_id = a.id and t.bucket = a.bucket
    where a.bucket = %s and a.member_id = %s and t.from_tier is distinct from t.to_tier and a.seq between %s and %s
    order by a.seq, t.no
"""
ENTRIES_OF: LiteralString = _ENTRY + " and a.seq between %s and %s order by a.seq, e.no"
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

_BEYOND = 2**62  # no member has so many activities

_decode_activity = json.Decoder(Activity).decode


class Line(Struct):
    """An entry and its place: the member's activity ``seq`` that caused it, and its number there."""

    member_id: str
    seq: int
    activity_id: int
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
    """Who goes by this id, as last settled: of a member who was merged, whom she went into. None if nobody does."""
    found = await named(connection, member_id)
    while found is not None and found.merged is not None:
        found = await named(connection, found.merged.into)
    return found


async def named(connection: Connection, member_id: str) -> Member | None:
    """The member of this very id as last settled, also where she was merged into another; None if nobody has it."""
    row = await _row(connection, MEMBER, (bucket_of(member_id), member_id))
    return None if row is None or not row[0] else unpack(row[0])


class Merge(Struct, frozen=True):
    """A merge, or its undoing, as it stands in a member's log. ``other`` is who went, or whom she went into."""

    activity_id: int
    type: str
    at: Instant
    other: str
    reason: str | None


async def merges(connection: Connection, member_id: str, *, most: int) -> list[Merge]:
    """The member's merges and what became of them, the latest first."""
    cursor = await connection.execute(MERGES, (bucket_of(member_id), member_id, most))
    return [
        Merge(id_, type_, _instant(at), other or "", reason)
        for id_, type_, at, other, reason in await cursor.fetchall()
    ]


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


async def entries_of(connection: Connection, member_id: str, *, first: int, last: int) -> list[Line]:
    """What moved by the member's activities from ``first`` to ``last`` (``seq``), in their order."""
    return await _lines(connection, ENTRIES_OF, member_id, first, last)


async def entry(connection: Connection, member_id: str, seq: int, no: int) -> Line | None:
    """One entry by its place."""
    found = await _lines(connection, ENTRY, member_id, seq, no)
    return found[0] if found else None


async def entry_of_activity(connection: Connection, member_id: str, activity_id: int, no: int) -> Line | None:
    """One entry of the member by the number of its activity, and its own within it."""
    found = await _lines(connection, ENTRY_OF_ACTIVITY, member_id, activity_id, no)
    return found[0] if found else None


async def entries_behind(
    connection: Connection, member_id: str, *, behind: tuple[int, int] | None, asset: str | None, most: int
) -> list[Line]:
    """The member's entries from the latest settled on backwards, behind (seq, no) of one; of one asset, or of all."""
    seq, no = behind or (_BEYOND, 0)
    return await _lines(connection, ENTRIES_BEHIND, member_id, seq, seq, no, asset, asset, most)


class Sums(Struct, frozen=True):
    """What the member's accounts of an asset came to, in its smallest units."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0  # what she owes


async def sums_before(connection: Connection, member_id: str, at: Instant) -> dict[str, Sums]:
    """Per asset, what entries from before ``at`` came to; by their own times, whenever they were settled."""
    cursor = await connection.execute(SUMS, (bucket_of(member_id), member_id, at))
    return {asset: Sums(*sums) for asset, *sums in await cursor.fetchall()}


async def entries_between(
    connection: Connection,
    member_id: str,
    since: Instant,
    until: Instant,
    *,
    behind: tuple[Instant, int, int] | None,
    most: int,
) -> list[Line]:
    """Entries from ``since`` on and before ``until``, in the order of their times; behind (time, seq, no) of one."""
    return await _lines(connection, BETWEEN, member_id, since, until, *(behind or (since, -1, -1)), most)


class TierChange(Struct, frozen=True):
    """A change of the tier in force. ``until`` is NEVER for a tier without end."""

    ladder: str
    before: str | None
    after: str | None
    at: Instant
    until: Instant
    reason: str
    activity_id: int


async def tier_changes(connection: Connection, member_id: str, *, most: int) -> list[TierChange]:
    """The member's latest changes of tier, the latest first."""
    cursor = await connection.execute(TIER_CHANGES, (bucket_of(member_id), member_id, most))
    return [_tier_change(*row) for row in await cursor.fetchall()]


async def tier_changes_of(connection: Connection, member_id: str, *, first: int, last: int) -> list[TierChange]:
    """The changes of tier by the member's activities from ``first`` to ``last`` (``seq``), in their order."""
    cursor = await connection.execute(TIER_CHANGES_OF, (bucket_of(member_id), member_id, first, last))
    return [_tier_change(*row) for row in await cursor.fetchall()]


def _tier_change(
    ladder: str,
    before: str | None,
    after: str | None,
    at: datetime,
    until: datetime | None,
    reason: str,
    activity_id: int,
) -> TierChange:
    ends = NEVER if until is None else _instant(until)
    return TierChange(ladder, before, after, _instant(at), ends, reason, activity_id)


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
    cursor = await connection.execute(query, arguments, prepare=True)
    return await cursor.fetchone()


async def _lines(connection: Connection, query: LiteralString, member_id: str, *rest: Any) -> list[Line]:
    cursor = await connection.execute(query, (bucket_of(member_id), member_id, *rest))
    return [_line(member_id, *row) for row in await cursor.fetchall()]


def _line(member_id: str, seq: int, activity_id: int, no: int, *entry: Any) -> Line:
    asset, kind, debit, credit, amount, occurred_at, version, lot, rule, order_id, why = entry
    told = Entry(asset, kind, debit, credit, amount, _instant(occurred_at), version, lot, rule, order_id, why)
    return Line(member_id, seq, activity_id, no, told)


def _instant(moment: datetime) -> Instant:
    return (moment - _EPOCH) // timedelta(microseconds=1)
