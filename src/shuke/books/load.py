"""Reading for settling: members under lock, orders, quotas, known activities. One statement per kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from msgspec import Struct
from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import tuple_row

from shuke.books import wire
from shuke.books.postings import Locked, locked_new, profile_of
from shuke.engine.member import unpack
from shuke.engine.orders import Order, unpack_order
from shuke.values.ids import bucket_of
from shuke.values.instants import Instant

Connection = AsyncConnection[tuple[Any, ...]]

LATEST_VERSION: LiteralString = "select coalesce(max(version), 0) from program_version"

VERSION_AND_LISTENERS: LiteralString = """
    select coalesce(max(version), 0),
        array(select distinct unnest(topics) from webhook_endpoint where status = 'enabled' order by 1)
    from program_version
"""

LOCK_MEMBERS: LiteralString = """
    select m.member_id, m.state
    from unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)
    join member m using (bucket, member_id)
    order by m.bucket, m.member_id
    for no key update of m
"""

ACTIVITY_IDS: LiteralString = "select nextval('activity_id') from generate_series(1, %b::int)"

ADD_MEMBERS: LiteralString = """
    insert into member (bucket, member_id, status, joined_at, tiers, balances, traits, tags, seq, state)
    select bucket, member_id, 'active', 'epoch', '{}', '{}', '{}', '{}', 0, ''
    from unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)
    order by bucket, member_id
    on conflict do nothing
"""

KNOWN_ACTIVITIES: LiteralString = """
    select a.source, a.key, a.id, a.member_id, a.seq, (extract(epoch from a.occurred_at) * 1000000)::bigint,
        a.digest, a.request, a.answer::text
    from unnest(%b::text[], %b::text[]) as asked (source, key)
    join activity a using (source, key)
"""

ORDERS: LiteralString = """
    select o.member_id, o.order_id, o.settlement
    from unnest(%b::smallint[], %b::text[], %b::text[]) as asked (bucket, member_id, order_id)
    join orders o using (bucket, member_id, order_id)
"""

ADD_QUOTAS: LiteralString = """
    insert into quota (quota, period, used)
    select quota, '', 0 from unnest(%b::text[]) as asked (quota) order by quota
    on conflict do nothing
"""

LOCK_QUOTAS: LiteralString = """
    select quota, used from quota where period = '' and quota = any(%b::text[]) order by quota for update
"""


class Known(Struct):
    """An activity that was settled before; ``request`` is the digest of the request that told it, if one did."""

    id: int
    member_id: str
    seq: int
    occurred_at: Instant
    digest: bytes
    request: bytes | None
    answer: str


class Begun(Struct):
    """What every batch begins with. ``version`` is the latest published one, 0 if there is none; ``listened`` are the
    topics and families of topics that somebody wants to be told of."""

    version: int
    listened: tuple[str, ...]
    members: dict[str, Locked]
    ids: list[int]


async def begin(connection: Connection, members: Iterable[str], *, activities: int) -> Begun:
    """Lock these members in the order of bucket and id, making those not known yet; take ids for ``activities``.

    Everybody locks in this order, so two batches never wait for each other in a circle. Ids are taken behind the
    locks, so that of one member the later activity has the higher; so is the version read, because whoever publishes
    holds every member (see ``programs.publish``), and what was waited for is then known.
    """
    wanted = sorted((bucket_of(member_id), member_id) for member_id in members)
    arguments = (
        wire.array("int2", [wire.int2(bucket) for bucket, _ in wanted]),
        wire.array("text", [wire.text(member_id) for _, member_id in wanted]),
    )
    async with connection.pipeline():
        rows = await _asked(connection, LOCK_MEMBERS, arguments)
        version = await _asked(connection, VERSION_AND_LISTENERS, ())
        ids = await _asked(connection, ACTIVITY_IDS, (activities,))
    found = await rows.fetchall()
    if len(found) < len(wanted):
        # Make the missing rows first, so that a member two batches meet at once is made by one of them. Nothing may be
        # locked meanwhile: who waits for somebody else's new row, and holds another, could wait in a circle.
        await connection.rollback()
        async with connection.pipeline():
            await _asked(connection, ADD_MEMBERS, arguments)
            rows = await _asked(connection, LOCK_MEMBERS, arguments)
            version = await _asked(connection, VERSION_AND_LISTENERS, ())
            ids = await _asked(connection, ACTIVITY_IDS, (activities,))
        found = await rows.fetchall()
    [(latest, listened)] = await version.fetchall()
    return Begun(latest, tuple(listened), _locked(found), [id_ for (id_,) in await ids.fetchall()])


def _locked(rows: list[tuple[Any, ...]]) -> dict[str, Locked]:
    locked: dict[str, Locked] = {}
    for member_id, state in rows:
        if not state:
            locked[member_id] = locked_new(member_id)
        else:
            member = unpack(state)
            locked[member_id] = Locked(member, bucket_of(member_id), False, profile_of(member))
    return locked


async def activity_ids(connection: Connection, count: int) -> list[int]:
    """So many more ids. The members they are for must be locked."""
    return [id_ for (id_,) in await _rows(connection, ACTIVITY_IDS, (count,))]


async def known_activities(connection: Connection, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Known]:
    """Which of these (source, key) pairs were settled before, and what was answered."""
    pairs = list(keys)
    rows = await _rows(connection, KNOWN_ACTIVITIES, ([pair[0] for pair in pairs], [pair[1] for pair in pairs]))
    return {(source, key): Known(*rest) for source, key, *rest in rows}


async def load_orders(connection: Connection, wanted: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Order]:
    """The orders with these (member id, order id) pairs, as far as there are any."""
    pairs = list(wanted)
    arguments = (
        [bucket_of(member_id) for member_id, _ in pairs],
        [member_id for member_id, _ in pairs],
        [order_id for _, order_id in pairs],
    )
    rows = await _rows(connection, ORDERS, arguments)
    return {(member_id, order_id): unpack_order(settlement) for member_id, order_id, settlement in rows}


async def lock_quotas(connection: Connection, quotas: Iterable[str]) -> dict[str, int]:
    """What has been taken of each shared quota; its row stays locked until the transaction ends.

    Quotas are locked after members and in the order of their names, by everybody.
    """
    names = sorted(set(quotas))
    rows = await _rows(connection, LOCK_QUOTAS, (names,))
    if len(rows) < len(names):
        await connection.execute(ADD_QUOTAS, (names,))
        rows = await _rows(connection, LOCK_QUOTAS, (names,))
    return dict(rows)


async def _rows(connection: Connection, query: LiteralString, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    cursor = await _asked(connection, query, arguments)
    return await cursor.fetchall()


async def _asked(
    connection: Connection, query: LiteralString, arguments: tuple[Any, ...]
) -> AsyncCursor[tuple[Any, ...]]:
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    return await cursor.execute(query, arguments, prepare=True)
