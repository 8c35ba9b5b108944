"""Reading for tracking: whom the books know, and orders as their channels told them."""

from __future__ import annotations

from collections.abc import Collection
from typing import LiteralString

from msgspec import json

from shuke.books.load import Connection
from shuke.engine.activity import ORDER_PAID, Purchase
from shuke.values.ids import bucket_of

KNOWN_MEMBERS: LiteralString = """
    select m.member_id from unnest(%b::smallint[], %b::text[]) as asked (bucket, member_id)
    join member m using (bucket, member_id)
    where m.status not in ('stranger', 'erased') and m.seq > 0
"""

PURCHASES: LiteralString = """
    select a.member_id, (a.body -> 'purchase')::text
    from unnest(%b::smallint[], %b::text[], %b::text[]) as asked (bucket, member_id, order_id)
    join orders o using (bucket, member_id, order_id)
    join activity a on a.bucket = o.bucket and a.member_id = o.member_id and a.occurred_at = o.placed_at
        and a.type = %b and a.body -> 'purchase' ->> 'order_id' = o.order_id
    where a.answer ->> 'code' is null
"""

_decode = json.Decoder(Purchase).decode


WHOSE_BROWSERS: LiteralString = """
    select value, min(member_id) from identity where kind = 'anonymous' and value = any(%b::text[])
    group by value having count(*) = 1
"""


async def whose_browsers(connection: Connection, anonymous: Collection[str]) -> dict[str, str]:
    """Members by the anonymousIds that they alone have. One that two have says of neither that it is she."""
    cursor = await connection.execute(WHOSE_BROWSERS, (sorted(set(anonymous)),))
    return dict(await cursor.fetchall())


async def known_members(connection: Connection, members: Collection[str]) -> set[str]:
    """Those of the ids that belong to members: not to nobody, nor to somebody of whom nothing came yet."""
    ids = list(set(members))
    cursor = await connection.execute(KNOWN_MEMBERS, ([bucket_of(id_) for id_ in ids], ids))
    return {member_id for (member_id,) in await cursor.fetchall()}


async def purchases(connection: Connection, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Purchase]:
    """The orders of these (member id, order id) pairs as they were told, as far as there are any."""
    pairs = list(wanted)
    members = [member_id for member_id, _ in pairs]
    buckets = [bucket_of(member_id) for member_id in members]
    orders = [order_id for _, order_id in pairs]
    cursor = await connection.execute(PURCHASES, (buckets, members, orders, ORDER_PAID))
    told = [(member_id, _decode(text)) for member_id, text in await cursor.fetchall()]
    return {(member_id, purchase.order_id): purchase for member_id, purchase in told}
