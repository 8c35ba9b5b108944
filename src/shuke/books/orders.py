"""Reading orders: one by its number, a member's by page."""

from __future__ import annotations

from typing import Any, LiteralString

from shuke.books import statements
from shuke.books.load import Connection
from shuke.engine.member import MERGED
from shuke.engine.orders import Order, unpack_order
from shuke.values.ids import bucket_of

# Orders that went back when a merge was undone are nobody's here.
BY_NUMBER: LiteralString = """
    select o.member_id, o.settlement, m.status from orders o join member m using (bucket, member_id)
    where o.order_id = %b and o.status <> 'moved' order by o.member_id limit 10
"""

OF_MEMBER: LiteralString = """
    select o.member_id, o.settlement, m.status from orders o join member m using (bucket, member_id)
    where o.order_id = %b and o.bucket = any(%b::int2[]) and o.member_id = any(%b::text[]) and o.status <> 'moved'
"""


# A member's orders are found through her activities. A top-up or a spend is no order.
PAGE_OF_MEMBER: LiteralString = """
    select a.seq, coalesce(taken.settlement, o.settlement)
    from activity a join orders o
        on o.order_id = a.body #>> '{purchase,order_id}' and o.bucket = a.bucket and o.member_id = a.member_id
    left join orders taken
        on taken.order_id = o.order_id and taken.bucket = %b::int2 and taken.member_id = %b and taken.status <> 'moved'
    where a.bucket = %b::int2 and a.member_id = %b and a.seq < %b and a.type = 'order.paid'
        and a.answer ->> 'code' is null
    order by a.seq desc limit %b::int
"""

_BEYOND = 2**62  # no member has so many activities


class SeveralMembers(Exception):
    """More than one member has an order of this number."""


async def find(connection: Connection, order_id: str, *, member_id: str | None = None) -> tuple[str, Order] | None:
    """The member's id and the order of this number; None if there is none. Raises ``SeveralMembers``."""
    if member_id is not None:
        found = await _rows(connection, OF_MEMBER, (order_id, [bucket_of(member_id)], [member_id]))
        if found and found[0][2] != MERGED:
            return member_id, unpack_order(found[0][1])
        return await _of_one(connection, order_id, member_id)
    found = await _rows(connection, BY_NUMBER, (order_id,))
    whose = {owner: await _whole(connection, owner) if status == MERGED else owner for owner, _, status in found}
    if len(set(whose.values())) > 1:
        raise SeveralMembers(order_id)
    for owner, settlement, _ in found:
        if len(found) == 1 or whose[owner] == owner:
            return whose[owner], unpack_order(settlement)
    return None if not found else await _of_one(connection, order_id, found[0][0])


async def _of_one(connection: Connection, order_id: str, member_id: str) -> tuple[str, Order] | None:
    """The order of who goes by this id, or else of somebody who was merged into her."""
    member = await statements.member(connection, member_id)
    if member is None:
        return None
    ids = [member.id, *(entry.member_id for entry in member.absorbed)]
    found = await _rows(connection, OF_MEMBER, (order_id, [bucket_of(id_) for id_ in ids], ids))
    nearest = min(found, key=lambda row: ids.index(row[0]), default=None)
    return None if nearest is None else (member.id, unpack_order(nearest[1]))


async def _whole(connection: Connection, member_id: str) -> str:
    member = await statements.member(connection, member_id)
    return member_id if member is None else member.id


async def _rows(connection: Connection, query: LiteralString, arguments: tuple[Any, ...]) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(query, arguments, prepare=True)
    return await cursor.fetchall()


async def of_member(
    connection: Connection, member_id: str, *, before: int | None, most: int, now_of: str | None = None
) -> list[tuple[int, Order]]:
    """The member's orders, the latest settled first, each with the ``seq`` of the activity that paid it; those with
    one below ``before``. Of one who was merged into ``now_of``, as they stand there."""
    whole = now_of or member_id
    below = _BEYOND if before is None else before
    asked = (bucket_of(whole), whole, bucket_of(member_id), member_id, below, most)
    cursor = await connection.execute(PAGE_OF_MEMBER, asked, prepare=True)
    return [(seq, unpack_order(settlement)) for seq, settlement in await cursor.fetchall()]
