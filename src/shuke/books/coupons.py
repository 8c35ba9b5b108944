"""Reading coupons: a member's by page, one by its code, what is left of templates. Nothing is locked or changed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from msgspec import Struct

from shuke.books.load import Connection
from shuke.engine.member import unpack
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER, Instant

STATES = ("issued", "held", "redeemed", "expired", "voided", "given")

# One past its date is expired, whether or not the clock came by.
_COUPON: LiteralString = f"""
    select k.member_id, k.coupon_id, k.template, k.code, now.state, (extract(epoch from k.issued_at) * 1000000)::bigint,
        (extract(epoch from k.valid_from) * 1000000)::bigint,
        coalesce((extract(epoch from k.valid_until) * 1000000)::bigint, {NEVER}), k.order_id
    from coupon k, lateral (
        select case when k.state = 'issued' and k.valid_until <= 'epoch'::timestamptz + %s * interval '1 microsecond'
            then 'expired' else k.state end
    ) as now (state)
"""

OF_MEMBER: LiteralString = (
    _COUPON
    + """
    where k.bucket = %s and k.member_id = %s and (%s::text is null or now.state = %s)
        and (%s::bigint is null or (k.issued_at, k.coupon_id)
            < ('epoch'::timestamptz + %s * interval '1 microsecond', %s::text))
    order by k.issued_at desc, k.coupon_id desc limit %s
"""
)

BY_CODE: LiteralString = _COUPON + " where k.code = %s"

MEMBER: LiteralString = "select state from member where bucket = %s and member_id = %s"

USED: LiteralString = "select quota, used from quota where period = '' and quota = any(%s::text[])"


class CouponRow(Struct):
    """A coupon as the books have it. ``value`` is what is left of a cash voucher in the member's hands (minor units).

    A code goes along when its coupon is given away.
    """

    member_id: str
    coupon_id: str
    template: str
    code: str | None
    state: str
    issued_at: Instant
    valid_from: Instant
    valid_until: Instant
    order_id: str | None
    value: int = 0


async def of_member(
    connection: Connection,
    member_id: str,
    *,
    at: Instant,
    state: str | None = None,
    before: tuple[Instant, str] | None = None,
    most: int,
) -> list[CouponRow] | None:
    """The member's coupons, the latest first, from the one ``before`` (issued at, id) on; None if nobody is known by
    this id. ``state`` is one of ``STATES``, as it is ``at`` that instant."""
    bucket = bucket_of(member_id)
    cursor = await connection.execute(MEMBER, (bucket, member_id))
    row = await cursor.fetchone()
    if row is None:
        return None
    instant, id_ = (None, None) if before is None else before
    arguments = (at, bucket, member_id, state, state, instant, instant, id_, most)
    cursor = await connection.execute(OF_MEMBER, arguments)
    return _valued(await cursor.fetchall(), row[0])


async def by_code(connection: Connection, code: str, *, at: Instant) -> CouponRow | None:
    """The coupon with this unique code, in whoever's hands it is or was last."""
    cursor = await connection.execute(BY_CODE, (at, code))
    found = await cursor.fetchone()
    if found is None:
        return None
    cursor = await connection.execute(MEMBER, (bucket_of(found[0]), found[0]))
    row = await cursor.fetchone()
    return _valued([found], row[0] if row is not None else b"")[0]


def _valued(rows: list[tuple[Any, ...]], state: bytes) -> list[CouponRow]:
    found = [CouponRow(*row) for row in rows]
    if state and any(one.state in ("issued", "held") for one in found):
        hers = unpack(state).coupons
        for one in found:
            held = hers.get(one.coupon_id)
            one.value = held.value if held is not None else 0
    return found


async def used(connection: Connection, quotas: Iterable[str]) -> dict[str, int]:
    """How much all members together have taken of each of these quotas."""
    names = list(quotas)
    cursor = await connection.execute(USED, (names,))
    return dict.fromkeys(names, 0) | dict(await cursor.fetchall())
