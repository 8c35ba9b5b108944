"""Reading for settling: members under lock, orders, quotas, known activities. One statement per kind."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, LiteralString, NamedTuple

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

REVISION: LiteralString = "coalesce((select revision from catalog), 0)"
"""Of the catalog: each edit of it raises it."""

BESIDE: LiteralString = f"""
    select coalesce(max(version), 0), {REVISION},
        array(select distinct unnest(topics) from webhook_endpoint where status = 'enabled' order by 1),
        array(select array[source, key] from request where source = any(%b::text[]) and key = any(%b::text[]))
    from program_version
"""

_BOUNDED: LiteralString = """
    with bounds as materialized (
        select set_config('lock_timeout', %b::text, true), set_config(%b::text, %b::text, true)
    )
"""
"""Sets the bounds of the transaction before a row is locked: every row that is asked for is joined to it. Settings of
the connection would do without it, but not behind a pooler, and a statement of its own would cost a small batch more
than it takes."""

LOCK_MEMBERS: LiteralString = f"""{_BOUNDED}
    select m.member_id, m.state
    from bounds, unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)
    join member m using (bucket, member_id)
    order by m.bucket, m.member_id
    for no key update of m
"""

ACTIVITY_IDS: LiteralString = "select nextval('activity_id') from generate_series(1, %b::int)"

ADD_MEMBERS: LiteralString = f"""{_BOUNDED}
    insert into member (bucket, member_id, status, joined_at, tiers, balances, traits, tags, seq, state)
    select bucket, member_id, 'active', 'epoch', '{{}}', '{{}}', '{{}}', '{{}}', 0, ''
    from bounds, unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)
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


HELD: LiteralString = """
    with asked as materialized (select * from unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)),
        free_members as materialized (
            select m.bucket, m.member_id from asked join member m using (bucket, member_id)
            for no key update of m skip locked
        ),
        free_quotas as materialized (
            select quota from quota where period = '' and quota = any(%b::text[]) for update skip locked
        ),
        free_codes as materialized (
            select c.code from code c join code_batch b using (batch) where c.code = any(%b::text[])
            for no key update of c skip locked for share of b skip locked
        )
    select
        array(
            select member_id from asked join member using (bucket, member_id)
            where (bucket, member_id) not in (select bucket, member_id from free_members)
        ),
        array(
            select quota from quota where period = '' and quota = any(%b::text[])
                and quota not in (select quota from free_quotas)
        ),
        array(
            select code from code where code = any(%b::text[]) and code not in (select code from free_codes)
        )
"""

BRIEFLY: LiteralString = "set local lock_timeout = '200ms'"


class Known(Struct):
    """An activity that was settled before; ``request`` is the digest of the request that told it, if one did."""

    id: int
    member_id: str
    seq: int
    occurred_at: Instant
    digest: bytes
    request: bytes | None
    answer: str


class Bounds(NamedTuple):
    """What the server allows a transaction that settles, in seconds: ``lock_seconds`` for each row that somebody else
    holds, ``seconds`` for the whole. What comes to nothing ends by itself, also where the process that began it is gone
    or stands still."""

    lock_seconds: float
    seconds: float

    def settings(self, *, server_version: int) -> tuple[str, str, str]:
        """As ``_BOUNDED`` takes them, in milliseconds.

        Before 17 a server bounds the pauses between statements only, and not even these behind a pipeline: the driver
        ends one with a Flush, which the server takes for a sign of life.
        """
        lock, whole = (str(max(1, round(seconds * 1000))) for seconds in self)
        name = "transaction_timeout" if server_version >= 170000 else "idle_in_transaction_session_timeout"
        return lock, name, whole


class Begun(Struct):
    """What every batch begins with. ``version`` is the latest published one, 0 if there is none; ``catalog`` is the
    revision of the catalog, 0 if nothing is in it; ``listened`` are the topics and families of topics that somebody
    wants to be told of; under ``taken``, (source, key) pairs, something was done that is no activity."""

    version: int
    catalog: int
    listened: tuple[str, ...]
    taken: frozenset[tuple[str, str]]
    members: dict[str, Locked]
    ids: list[int]


async def begin(
    connection: Connection,
    members: Iterable[str],
    *,
    activities: int,
    bounds: Bounds,
    keys: Sequence[tuple[str, str]] = (),
) -> Begun:
    """Lock these members in the order of bucket and id, making those not known yet; take ids for ``activities``; look
    which (source, key) of ``keys`` are taken.

    Everybody locks in this order, so two batches never wait for each other in a circle. Ids are taken behind the
    locks, so that of one member the later activity has the higher; so is the version read, so that the later activity
    is not settled by the older program. Whoever goes through all members because of a version waits for the batches
    that do not know it, and knows them by their locks (see ``books.sweeps``): these come before the version is read.
    """
    wanted = sorted((bucket_of(member_id), member_id) for member_id in members)
    arguments = (
        *bounds.settings(server_version=connection.info.server_version),
        wire.array("int2", [wire.int2(bucket) for bucket, _ in wanted]),
        wire.array("text", [wire.text(member_id) for _, member_id in wanted]),
    )
    pairs = (
        wire.array("text", [wire.text(source) for source in {source for source, _ in keys}]),
        wire.array("text", [wire.text(key) for _, key in keys]),
    )
    async with connection.pipeline():
        rows = await _asked(connection, LOCK_MEMBERS, arguments)
        beside = await _asked(connection, BESIDE, pairs)
        ids = await _asked(connection, ACTIVITY_IDS, (activities,))
    found = await rows.fetchall()
    if len(found) < len(wanted):
        # Make the missing rows first, so that a member two batches meet at once is made by one of them. Nothing may be
        # locked meanwhile: who waits for somebody else's new row, and holds another, could wait in a circle.
        await connection.rollback()
        async with connection.pipeline():
            await _asked(connection, ADD_MEMBERS, arguments)
            rows = await _asked(connection, LOCK_MEMBERS, arguments)
            beside = await _asked(connection, BESIDE, pairs)
            ids = await _asked(connection, ACTIVITY_IDS, (activities,))
        found = await rows.fetchall()
    [(latest, catalog, listened, taken)] = await beside.fetchall()
    return Begun(
        latest,
        catalog,
        tuple(listened),
        frozenset((source, key) for source, key in taken),
        _locked(found),
        [id_ for (id_,) in await ids.fetchall()],
    )


class HeldRows(NamedTuple):
    """What somebody else holds locked."""

    members: frozenset[str]
    quotas: frozenset[str]
    codes: frozenset[str]


async def held(
    connection: Connection, members: Iterable[str], *, quotas: Iterable[str], codes: Iterable[str]
) -> HeldRows:
    """Which of these rows somebody else holds at this moment, without waiting for them. What is free is locked until
    the transaction ends. Raises ``LockNotAvailable`` where somebody holds a whole table."""
    wanted = [(bucket_of(member_id), member_id) for member_id in members]
    buckets, ids = [bucket for bucket, _ in wanted], [member_id for _, member_id in wanted]
    names, asked = list(quotas), list(codes)
    await connection.execute(BRIEFLY)
    [found] = await _rows(connection, HELD, (buckets, ids, names, asked, names, asked))
    return HeldRows(*(frozenset(rows) for rows in found))


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
