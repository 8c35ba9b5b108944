"""Reading for settling: members under lock, orders, quotas, known activities. One statement per kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from msgspec import Struct
from psycopg import AsyncConnection
from psycopg.rows import tuple_row

from shuke.books.postings import Locked, locked_new, profile_of
from shuke.engine.member import unpack
from shuke.engine.orders import Order, unpack_order
from shuke.values.ids import bucket_of

Connection = AsyncConnection[tuple[Any, ...]]

LOCK_MEMBERS: LiteralString = """
    select m.member_id, m.state
    from unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)
    join member m using (bucket, member_id)
    order by m.bucket, m.member_id
    for update of m
"""

ADD_MEMBERS: LiteralString = """
    insert into member (bucket, member_id, status, joined_at, tiers, balances, traits, tags, seq, state)
    select bucket, member_id, 'active', 'epoch', '{}', '{}', '{}', '{}', 0, ''
    from unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)
    order by bucket, member_id
    on conflict do nothing
"""

KNOWN_ACTIVITIES: LiteralString = """
    select a.source, a.key, a.digest, a.answer::text, a.member_id, a.seq
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
    """An activity that was settled before."""

    member_id: str
    seq: int
    digest: bytes
    answer: str


async def lock_members(connection: Connection, ids: Iterable[str]) -> dict[str, Locked]:
    """The members with these ids, locked in the order of bucket and id; those not known yet are made.

    Everybody locks in this order, so two batches never wait for each other in a circle.
    """
    wanted = sorted((bucket_of(member_id), member_id) for member_id in ids)
    buckets = [bucket for bucket, _ in wanted]
    names = [member_id for _, member_id in wanted]
    rows = await _rows(connection, LOCK_MEMBERS, (buckets, names))
    if len(rows) < len(wanted):
        # Make the missing rows first, so that a member two batches meet at once is made by one of them.
        await connection.execute(ADD_MEMBERS, (buckets, names))
        rows = await _rows(connection, LOCK_MEMBERS, (buckets, names))
    locked: dict[str, Locked] = {}
    for member_id, state in rows:
        if not state:
            locked[member_id] = locked_new(member_id)
        else:
            member = unpack(state)
            locked[member_id] = Locked(member, bucket_of(member_id), False, profile_of(member))
    return locked


async def known_activities(
    connection: Connection, keys: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Known]:
    """Which of these (source, key) pairs were settled before, and what was answered."""
    pairs = list(keys)
    rows = await _rows(
        connection, KNOWN_ACTIVITIES, ([pair[0] for pair in pairs], [pair[1] for pair in pairs])
    )
    return {(row[0], row[1]): Known(row[4], row[5], row[2], row[3]) for row in rows}


async def load_orders(
    connection: Connection, wanted: Iterable[tuple[str, str]]
) -> dict[tuple[str, str], Order]:
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


async def _rows(
    connection: Connection, query: LiteralString, arguments: tuple[Any, ...]
) -> list[tuple[Any, ...]]:
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        await cursor.execute(query, arguments)
        return await cursor.fetchall()
