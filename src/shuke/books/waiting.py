"""What was told of orders that are not there yet: kept until the order comes, or given up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Literal, LiteralString

from msgspec import Struct, json
from psycopg.types.json import Json

from shuke.books.load import Connection
from shuke.books.webhooks import as_datetime, as_instant, new_id
from shuke.values.ids import bucket_of
from shuke.values.instants import Instant

State = Literal["waiting", "given_up"]


class Early(Struct):
    """Something told of an order before the order. ``key`` and ``type`` are those of the activity it becomes,
    ``request`` is the digest of what told it, ``told`` what it takes to make the activity."""

    key: str
    member_id: str
    order_id: str
    type: str
    occurred_at: Instant
    request: bytes
    told: dict[str, Any]


class GivenUp(Struct):
    """Why it was given up: a refusal's code and facts; ``reason`` in words where the code is none of the engine's."""

    code: str
    facts: dict[str, Any] = {}
    reason: str | None = None


class Waiting(Struct):
    """One that waits, or was given up at ``ended_at``."""

    id: str
    source: str
    early: Early
    received_at: Instant
    given_up: GivenUp | None
    ended_at: Instant | None

    @property
    def state(self) -> State:
        return "waiting" if self.given_up is None else "given_up"


_WAITING: LiteralString = """
    select waiting_id, source, key, member_id, order_id, type, occurred_at, received_at, request, told::text, code,
        facts, reason, ended_at
    from waiting w
"""

_ITS_ORDER: LiteralString = """
    exists (
        select from orders o
        where o.order_id = w.order_id and (
            (o.bucket = w.bucket and o.member_id = w.member_id)
            or exists (
                select from member m where m.status = 'merged'
                    and (m.bucket, m.member_id) in ((o.bucket, o.member_id), (w.bucket, w.member_id))
            )
        )
    )
"""

# What there is no room for is left out: whoever asks sees what is there afterwards.
ADD: LiteralString = """
    insert into waiting (waiting_id, source, key, bucket, member_id, order_id, type, occurred_at, received_at, request,
        told, state)
    select waiting_id, %(source)s, key, bucket, member_id, order_id, type, occurred_at, %(now)s, request, told,
        'waiting'
    from unnest(%(ids)s::text[], %(keys)s::text[], %(buckets)s::smallint[], %(members)s::text[], %(orders)s::text[],
            %(types)s::text[], %(occurred)s::timestamptz[], %(requests)s::bytea[], %(told)s::json[])
        as early (waiting_id, key, bucket, member_id, order_id, type, occurred_at, request, told)
    order by waiting_id
    limit greatest(0, %(most)s - (select count(*) from waiting where state = 'waiting'))
    on conflict (source, key) do nothing
"""

KEPT: LiteralString = _WAITING + " where source = %s and key = any(%s)"

COME: LiteralString = _WAITING + f" where state = 'waiting' and {_ITS_ORDER} order by waiting_id limit %s"

OVERDUE: LiteralString = (
    _WAITING + f" where state = 'waiting' and received_at < %s and not {_ITS_ORDER} order by waiting_id limit %s"
)

DONE: LiteralString = "delete from waiting where waiting_id = any(%s)"

GIVE_UP: LiteralString = """
    update waiting w set state = 'given_up', code = u.code, facts = u.facts, reason = u.reason, ended_at = %s
    from unnest(%s::text[], %s::text[], %s::json[], %s::text[]) as u (waiting_id, code, facts, reason)
    where w.waiting_id = u.waiting_id and w.state = 'waiting'
"""

PAGE: LiteralString = (
    _WAITING
    + """
    where (%(before)s = '' or waiting_id < %(before)s) and (%(state)s::text is null or state = %(state)s)
    order by waiting_id desc limit %(most)s
"""
)

OF_MEMBER: LiteralString = _WAITING + " where bucket = %s and member_id = %s order by waiting_id"

FORGET_MEMBER: LiteralString = "delete from waiting where bucket = %s and member_id = %s"

FORGET: LiteralString = "delete from waiting where state = 'given_up' and ended_at < %s"

KNOWN_ORDERS: LiteralString = """
    select asked.member_id, asked.order_id
    from unnest(%s::smallint[], %s::text[], %s::text[]) as asked (bucket, member_id, order_id)
    where exists (
        select from orders o
        where o.order_id = asked.order_id and (
            (o.bucket = asked.bucket and o.member_id = asked.member_id)
            or exists (
                select from member m where m.status = 'merged'
                    and (m.bucket, m.member_id) in ((o.bucket, o.member_id), (asked.bucket, asked.member_id))
            )
        )
    )
"""

_decode = json.Decoder(dict[str, Any]).decode


async def known_orders(connection: Connection, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Those of the (member id, order id) pairs that there are."""
    members = [member_id for member_id, _ in wanted]
    orders = [order_id for _, order_id in wanted]
    cursor = await connection.execute(KNOWN_ORDERS, ([bucket_of(id_) for id_ in members], members, orders))
    return {(member_id, order_id) for member_id, order_id in await cursor.fetchall()}


async def keep(
    connection: Connection, found: Sequence[Early], *, source: str, now: Instant, most: int
) -> dict[str, Waiting]:
    """Let these wait, as long as no more than about ``most`` do; what waits or waited under their keys by now."""
    told = {
        "source": source,
        "now": as_datetime(now),
        "most": most,
        "ids": [new_id("wtg") for _ in found],
        "keys": [early.key for early in found],
        "buckets": [bucket_of(early.member_id) for early in found],
        "members": [early.member_id for early in found],
        "orders": [early.order_id for early in found],
        "types": [early.type for early in found],
        "occurred": [as_datetime(early.occurred_at) for early in found],
        "requests": [early.request for early in found],
        "told": [Json(early.told) for early in found],
    }
    await connection.execute(ADD, told)
    cursor = await connection.execute(KEPT, (source, told["keys"]))
    return {row[2]: _waiting(row) for row in await cursor.fetchall()}


async def come(connection: Connection, *, most: int) -> list[Waiting]:
    """What waits and has its order now, the first that came first."""
    cursor = await connection.execute(COME, (most,))
    return [_waiting(row) for row in await cursor.fetchall()]


async def overdue(connection: Connection, *, before: Instant, most: int) -> list[Waiting]:
    """What has waited since before this instant and has no order yet."""
    cursor = await connection.execute(OVERDUE, (as_datetime(before), most))
    return [_waiting(row) for row in await cursor.fetchall()]


async def done(connection: Connection, ids: list[str]) -> None:
    """These are settled, and wait no more."""
    await connection.execute(DONE, (ids,))


async def give_up(connection: Connection, found: Sequence[tuple[str, GivenUp]], *, now: Instant) -> None:
    """These (by id) wait no more, and why."""
    ids = [id_ for id_, _ in found]
    facts = [Json(why.facts) for _, why in found]
    columns = (ids, [why.code for _, why in found], facts, [why.reason for _, why in found])
    await connection.execute(GIVE_UP, (as_datetime(now), *columns))


async def page(connection: Connection, *, before: str, state: State | None, most: int) -> list[Waiting]:
    """What waits or was given up before the one named ``before`` ("" for all), the newest first."""
    cursor = await connection.execute(PAGE, {"before": before, "state": state, "most": most})
    return [_waiting(row) for row in await cursor.fetchall()]


async def of_member(connection: Connection, member_id: str) -> list[Waiting]:
    """All that waits, or was given up, of one member; the first that came first."""
    cursor = await connection.execute(OF_MEMBER, (bucket_of(member_id), member_id))
    return [_waiting(row) for row in await cursor.fetchall()]


async def forget_member(connection: Connection, member_id: str) -> None:
    """Forget what was told of this member and is in no books."""
    await connection.execute(FORGET_MEMBER, (bucket_of(member_id), member_id))


async def forget(connection: Connection, *, before: Instant) -> int:
    """Forget what was given up before this instant; returns how many."""
    cursor = await connection.execute(FORGET, (as_datetime(before),))
    return cursor.rowcount


def _waiting(row: tuple[Any, ...]) -> Waiting:
    id_, source, key, member_id, order_id, type_, occurred_at, received_at, request, told, *ended = row
    code, facts, reason, ended_at = ended
    return Waiting(
        id_,
        source,
        Early(key, member_id, order_id, type_, as_instant(occurred_at), bytes(request), _decode(told)),
        as_instant(received_at),
        None if code is None else GivenUp(code, facts, reason),
        None if ended_at is None else as_instant(ended_at),
    )
