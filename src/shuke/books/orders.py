"""Reading orders: one by its number, a member's by page."""

from __future__ import annotations

from typing import LiteralString

from shuke.books.load import Connection
from shuke.engine.orders import Order, unpack_order
from shuke.values.ids import bucket_of

BY_NUMBER: LiteralString = "select member_id, settlement from orders where order_id = %b order by member_id limit 2"

OF_MEMBER: LiteralString = """
    select settlement from orders where order_id = %b and bucket = %b::int2 and member_id = %b
"""


# A member's orders are found through her activities. A top-up or a spend is no order.
PAGE_OF_MEMBER: LiteralString = """
    select a.seq, o.settlement
    from activity a join orders o
        on o.order_id = a.body #>> '{purchase,order_id}' and o.bucket = a.bucket and o.member_id = a.member_id
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
        cursor = await connection.execute(OF_MEMBER, (order_id, bucket_of(member_id), member_id), prepare=True)
        row = await cursor.fetchone()
        return None if row is None else (member_id, unpack_order(row[0]))
    cursor = await connection.execute(BY_NUMBER, (order_id,), prepare=True)
    rows = await cursor.fetchall()
    if len(rows) > 1:
        raise SeveralMembers(order_id)
    return None if not rows else (rows[0][0], unpack_order(rows[0][1]))


async def of_member(
    connection: Connection, member_id: str, *, before: int | None, most: int
) -> list[tuple[int, Order]]:
    """The member's orders, the latest settled first, each with the ``seq`` of the activity that paid it; those with
    one below ``before``."""
    below = _BEYOND if before is None else before
    cursor = await connection.execute(PAGE_OF_MEMBER, (bucket_of(member_id), member_id, below, most), prepare=True)
    return [(seq, unpack_order(settlement)) for seq, settlement in await cursor.fetchall()]
