"""Segments, who is in them, and how large they were.

Who comes in or goes out is written first and told by an activity afterwards: a row whose change is not told yet does
not change again, so that each entry and each exit is told exactly once, whatever breaks in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, LiteralString, NamedTuple

from msgspec import Struct

from shuke.books.load import Connection
from shuke.books.members import Place
from shuke.books.webhooks import as_datetime, as_instant
from shuke.values.ids import bucket_of
from shuke.values.instants import Instant

Kind = Literal["dynamic", "static"]
Refresh = Literal["live", "hourly", "daily"]


class Segment(Struct):
    """A saved condition (dynamic), or a list (static). ``members`` are as of ``refreshed_at``; a dynamic one is looked
    at as a whole again at ``due_at``."""

    id: str
    title: str
    kind: Kind
    condition: str | None
    refresh: Refresh | None
    made_at: Instant
    changed_at: Instant
    members: int = 0
    refreshed_at: Instant | None = None
    due_at: Instant | None = None


class Change(NamedTuple):
    """Somebody came in (``inside``) or went out, for the ``changes``-th time of either."""

    member_id: str
    inside: bool
    since: Instant
    changes: int


class Size(NamedTuple):
    """How large a segment was, and who came and went since it was looked at before."""

    at: Instant
    members: int
    entered: int
    gone: int


_SEGMENT: LiteralString = """
    select segment_id, title, kind, condition, refresh, made_at, changed_at, members, refreshed_at, due_at from segment
"""

ADD: LiteralString = """
    insert into segment (segment_id, title, kind, condition, refresh, made_at, changed_at, due_at)
    values (%s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing
"""

CHANGE: LiteralString = """
    update segment set title = %s, condition = %s, refresh = %s, changed_at = %s, due_at = %s where segment_id = %s
"""

# Whoever takes one has ten minutes before another may; each change is made once, however many look.
TAKE_DUE: LiteralString = """
    update segment set due_at = %(now)s::timestamptz + interval '10 minutes'
    where segment_id in (
        select segment_id from segment where due_at <= %(now)s order by due_at limit 1 for update skip locked
    )
    returning segment_id
"""

ENTER: LiteralString = """
    insert into segment_member (segment, bucket, member_id, inside, since, changes, told)
    select %s, bucket, member_id, true, %s, 1, false
    from unnest(%s::smallint[], %s::text[]) as u (bucket, member_id) order by bucket, member_id
    on conflict (segment, bucket, member_id) do update
    set inside = true, since = excluded.since, changes = segment_member.changes + 1, told = false
    where not segment_member.inside and segment_member.told
"""

LEAVE: LiteralString = """
    update segment_member set inside = false, since = %s, changes = changes + 1, told = false
    where segment = %s and inside and told
"""

NAMED: LiteralString = " and (bucket, member_id) in (select * from unnest(%s::smallint[], %s::text[]))"

STRETCH: LiteralString = """ and (bucket, member_id) > (%s::int2, %s::text)
    and (%s::int2 is null or (bucket, member_id) <= (%s::int2, %s::text)) and member_id <> all(%s::text[])"""

UNTOLD: LiteralString = """
    select member_id, inside, since, changes from segment_member
    where segment = %s and not told order by bucket, member_id limit %s
"""

TOLD: LiteralString = """
    update segment_member s set told = true
    from unnest(%s::smallint[], %s::text[], %s::int[]) as u (bucket, member_id, changes)
    where s.segment = %s and s.bucket = u.bucket and s.member_id = u.member_id and s.changes = u.changes
"""

# Of an erased member nothing is kept, also where she was found a moment before.
FORGET: LiteralString = """
    delete from segment_member s using member m
    where s.segment = %s and m.bucket = s.bucket and m.member_id = s.member_id and m.status = 'erased' and s.told
"""

MEASURE: LiteralString = """
    with sizes as (
        select count(*) filter (where m.inside) as members,
            count(*) filter (where m.inside and m.since > coalesce(s.refreshed_at, '-infinity')) as entered,
            count(*) filter (where not m.inside and m.since > coalesce(s.refreshed_at, '-infinity')) as gone
        from segment s left join segment_member m on m.segment = s.segment_id
        where s.segment_id = %(segment)s
    ), written as (
        insert into segment_size (segment, at, members, entered, gone)
        select %(segment)s, %(now)s, members, entered, gone from sizes on conflict do nothing
    )
    update segment set members = sizes.members, refreshed_at = %(now)s, due_at = %(due)s
    from sizes where segment_id = %(segment)s
"""

COPY: LiteralString = """
    insert into segment_member (segment, bucket, member_id, inside, since, changes, told)
    select %s, bucket, member_id, true, %s, 1, true from segment_member where segment = %s and inside
"""

MEMBERS: LiteralString = """
    select bucket, member_id, since from segment_member
    where segment = %s and inside and (bucket, member_id) > (%s::int2, %s::text)
    order by bucket, member_id limit %s
"""

OF_MEMBER: LiteralString = """
    select segment, since from segment_member where bucket = %s::int2 and member_id = %s and inside order by segment
"""

SIZES: LiteralString = """
    select at, members, entered, gone from segment_size where segment = %s and at < %s order by at desc limit %s
"""

STRANGERS: LiteralString = """
    select u.member_id from unnest(%s::smallint[], %s::text[]) as u (bucket, member_id)
    where not exists (
        select from member m where m.bucket = u.bucket and m.member_id = u.member_id and m.seq > 0
            and m.status not in ('stranger', 'erased', 'merged')
    )
"""

HEARD: LiteralString = "select activity_id from segment_heard"

START_HEARING: LiteralString = "insert into segment_heard select coalesce(max(id), 0) from activity returning 1"

HAPPENED: LiteralString = """
    select id, member_id, recorded_at from activity where id > %s order by id limit %s
"""


async def add(connection: Connection, segment: Segment) -> bool:
    """Keep a new segment; False if there is one of this id."""
    arguments = (segment.id, segment.title, segment.kind, segment.condition, segment.refresh)
    cursor = await connection.execute(
        ADD, (*arguments, as_datetime(segment.made_at), as_datetime(segment.changed_at), _moment(segment.due_at))
    )
    return cursor.rowcount == 1


async def change(connection: Connection, segment: Segment) -> None:
    """Keep its title, condition and refresh as they are now, and when it is due."""
    told = (segment.title, segment.condition, segment.refresh, as_datetime(segment.changed_at), _moment(segment.due_at))
    await connection.execute(CHANGE, (*told, segment.id))


async def remove(connection: Connection, segment_id: str) -> None:
    """Forget a segment, who is in it, and how large it was. Nobody is told."""
    await connection.execute("delete from segment_size where segment = %s", (segment_id,))
    await connection.execute("delete from segment_member where segment = %s", (segment_id,))
    await connection.execute("delete from segment where segment_id = %s", (segment_id,))


async def find(connection: Connection, segment_id: str) -> Segment | None:
    """The segment of this id; None if there is none."""
    cursor = await connection.execute(_SEGMENT + " where segment_id = %s", (segment_id,))
    row = await cursor.fetchone()
    return None if row is None else _segment(row)


async def page(connection: Connection, *, after: str, most: int) -> list[Segment]:
    """Segments in the order of their ids, behind ``after``."""
    cursor = await connection.execute(_SEGMENT + " where segment_id > %s order by segment_id limit %s", (after, most))
    return [_segment(row) for row in await cursor.fetchall()]


async def live(connection: Connection) -> list[Segment]:
    """The segments that are looked at again whenever something happens."""
    cursor = await connection.execute(_SEGMENT + " where refresh = 'live' order by segment_id")
    return [_segment(row) for row in await cursor.fetchall()]


async def take_due(connection: Connection, *, now: Instant) -> Segment | None:
    """One that is due, for whoever asks to look at; None: none is."""
    row = await (await connection.execute(TAKE_DUE, {"now": as_datetime(now)})).fetchone()
    return None if row is None else await find(connection, row[0])


async def enter(connection: Connection, segment_id: str, members: Sequence[str], *, at: Instant) -> None:
    """These members are in, from now on where they were not."""
    if members:
        buckets = [bucket_of(member_id) for member_id in members]
        await connection.execute(ENTER, (segment_id, as_datetime(at), buckets, list(members)))


async def leave(connection: Connection, segment_id: str, members: Sequence[str], *, at: Instant) -> None:
    """These members are out, from now on where they were in."""
    if members:
        buckets = [bucket_of(member_id) for member_id in members]
        await connection.execute(LEAVE + NAMED, (as_datetime(at), segment_id, buckets, list(members)))


async def sweep(
    connection: Connection, segment_id: str, found: Sequence[str], *, behind: Place, end: Place | None, at: Instant
) -> None:
    """Of the members behind one place up to another (None: the end of all), just those found are in."""
    last = (None, None, None) if end is None else (end.bucket, end.bucket, end.member_id)
    arguments = (as_datetime(at), segment_id, behind.bucket, behind.member_id, *last, list(found))
    await connection.execute(LEAVE + STRETCH, arguments)
    await enter(connection, segment_id, found, at=at)


async def untold(connection: Connection, segment_id: str, *, most: int) -> list[Change]:
    """Changes that no activity says yet."""
    cursor = await connection.execute(UNTOLD, (segment_id, most))
    return [
        Change(member, inside, as_instant(since), changes) for member, inside, since, changes in await cursor.fetchall()
    ]


async def mark_told(connection: Connection, segment_id: str, changes: Sequence[Change]) -> None:
    """Their activities are settled."""
    members = [one.member_id for one in changes]
    arguments = ([bucket_of(member) for member in members], members, [one.changes for one in changes], segment_id)
    await connection.execute(TOLD, arguments)


async def measure(connection: Connection, segment_id: str, *, at: Instant, due_at: Instant | None) -> None:
    """Write down how large it is now, and when it is due again; forget members who were erased."""
    await connection.execute(FORGET, (segment_id,))
    arguments = {"segment": segment_id, "now": as_datetime(at), "due": _moment(due_at)}
    await connection.execute(MEASURE, arguments)


async def copy(connection: Connection, segment_id: str, into: str, *, at: Instant) -> None:
    """Whoever is in one is in another, new one, too. Nobody is told."""
    await connection.execute(COPY, (into, as_datetime(at), segment_id))


async def members(connection: Connection, segment_id: str, *, behind: Place, most: int) -> list[tuple[Place, Instant]]:
    """Who is in it, and since when, in an order that means nothing and never moves."""
    cursor = await connection.execute(MEMBERS, (segment_id, behind.bucket, behind.member_id, most))
    return [(Place(bucket, member), as_instant(since)) for bucket, member, since in await cursor.fetchall()]


async def sizes(connection: Connection, segment_id: str, *, before: Instant, most: int) -> list[Size]:
    """How large it was, the latest first, before a moment."""
    cursor = await connection.execute(SIZES, (segment_id, as_datetime(before), most))
    return [Size(as_instant(at), *rest) for at, *rest in await cursor.fetchall()]


async def of_member(connection: Connection, member_id: str) -> list[tuple[str, Instant]]:
    """The segments a member is in, and since when."""
    cursor = await connection.execute(OF_MEMBER, (bucket_of(member_id), member_id))
    return [(segment, as_instant(since)) for segment, since in await cursor.fetchall()]


async def forget_member(connection: Connection, member_id: str) -> None:
    """Keep nothing of a member who is erased."""
    query = "delete from segment_member where bucket = %s::int2 and member_id = %s"
    await connection.execute(query, (bucket_of(member_id), member_id))


async def strangers(connection: Connection, members: Sequence[str]) -> list[str]:
    """Those of them that nobody knows."""
    cursor = await connection.execute(STRANGERS, ([bucket_of(member) for member in members], list(members)))
    return [member for (member,) in await cursor.fetchall()]


async def heard(connection: Connection) -> int:
    """Up to which activity live segments have heard what happened; at first, up to the last."""
    row = await (await connection.execute(HEARD)).fetchone()
    if row is None:
        await connection.execute(START_HEARING)
        row = await (await connection.execute(HEARD)).fetchone()
    assert row is not None, "it was just written"
    number: int = row[0]
    return number


async def happened(connection: Connection, *, behind: int, most: int) -> list[tuple[int, str, Instant]]:
    """Activities behind a number: number, member, when it was settled."""
    cursor = await connection.execute(HAPPENED, (behind, most))
    return [(number, member, as_instant(at)) for number, member, at in await cursor.fetchall()]


async def hear(connection: Connection, number: int) -> None:
    """Remember that they have heard of all up to this one."""
    await connection.execute("update segment_heard set activity_id = greatest(activity_id, %s)", (number,))


def _moment(instant: Instant | None) -> Any:
    return None if instant is None else as_datetime(instant)


def _segment(row: Sequence[Any]) -> Segment:
    id_, title, kind, condition, refresh, made_at, changed_at, members, refreshed_at, due_at = row
    moments = [None if moment is None else as_instant(moment) for moment in (refreshed_at, due_at)]
    return Segment(id_, title, kind, condition, refresh, as_instant(made_at), as_instant(changed_at), members, *moments)
