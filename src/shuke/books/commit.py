"""Writing what a batch settled: the same rows whatever the size of the batch, on one of two ways.

Many activities go in by one COPY per table. A COPY needs the connection to itself and waits for its answer, which
is most of what a small batch would cost: few activities go in by one prepared statement per table, all of them sent
together with the commit in one piece (a pipeline) and answered in one piece.

Rows are only ever added, except members, changed orders, coupons and quotas, which are brought up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from msgspec import json

from shuke.books import codes, erasure, identity, load, rows, wire
from shuke.books.load import Connection
from shuke.books.postings import Batch, Locked, Posting, profile_of
from shuke.engine.activity import Activity
from shuke.engine.effects import CouponChanged
from shuke.engine.member import Member, pack
from shuke.engine.orders import Order, pack_order
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER

Orders = dict[tuple[str, str], Order]

_encode = json.Encoder().encode

FEW = 20
"""Up to so many activities, one pipeline is faster than COPY (``python -m benchmarks small``)."""


class _Into:
    """The two ways into a table. ``columns`` are names with types, in the order in which ``books.rows`` has them."""

    def __init__(self, table: LiteralString, columns: LiteralString) -> None:
        split = [column.split() for column in columns.split(",")]
        names: LiteralString = ", ".join([name for name, _ in split])
        places: LiteralString = ", ".join([f"%b::{type_}[]" for _, type_ in split])
        self.types = [type_ for _, type_ in split]
        self.copy: LiteralString = f"copy {table} ({names}) from stdin (format binary)"
        self.insert: LiteralString = f"insert into {table} ({names}) select * from unnest({places})"


ACTIVITY = _Into(
    "activity",
    """id int8, bucket int2, member_id text, seq int8, source text, key text, type text, occurred_at timestamptz,
    recorded_at timestamptz, version int4, digest bytea, body json, answer json, context json, request bytea""",
)
ENTRY = _Into(
    "entry",
    """activity_id int8, bucket int2, member_id text, no int2, asset text, kind text, debit text, credit text,
    amount int8, lot int4, rule text, order_id text, version int4, occurred_at timestamptz, why jsonb""",
)
LOT = _Into(
    "lot",
    """activity_id int8, bucket int2, member_id text, asset text, lot int4, opened_at timestamptz,
    ripens_at timestamptz, expires_at timestamptz""",
)
ORDER = _Into(
    "orders",
    """bucket int2, member_id text, order_id text, placed_at timestamptz, status text, amount int8, channel text,
    store text, settlement bytea""",
)
TIER_CHANGE = _Into(
    "tier_change",
    """activity_id int8, bucket int2, member_id text, no int2, ladder text, from_tier text, to_tier text,
    at timestamptz, until timestamptz, reason text""",
)
OUTBOX = _Into(
    "outbox",
    "due_at timestamptz, bucket int2, member_id text, seq int8, kind text, topic text, body jsonb",
)

UPDATE_MEMBERS: LiteralString = """
    update member m set due_at = u.due_at, tiers = u.tiers, balances = u.balances, seq = u.seq, state = u.state
    from unnest(%b::smallint[], %b::text[], %b::timestamptz[], %b::jsonb[], %b::jsonb[], %b::bigint[], %b::bytea[])
        as u (bucket, member_id, due_at, tiers, balances, seq, state)
    where m.bucket = u.bucket and m.member_id = u.member_id
"""

UPDATE_PROFILES: LiteralString = """
    update member m set
        status = u.status, joined_at = 'epoch'::timestamptz + u.joined_at * interval '1 microsecond',
        traits = u.traits::jsonb, tags = array(select jsonb_array_elements_text(u.tags::jsonb))
    from unnest(%b::smallint[], %b::text[], %b::text[], %b::bigint[], %b::text[], %b::text[])
        as u (bucket, member_id, status, joined_at, traits, tags)
    where m.bucket = u.bucket and m.member_id = u.member_id
"""

FORGET_MEMBERS: LiteralString = """
    delete from member m using unnest(%b::smallint[], %b::text[]) as u (bucket, member_id)
    where m.bucket = u.bucket and m.member_id = u.member_id and m.seq = 0
"""

UPDATE_ORDERS: LiteralString = """
    update orders o set status = u.status, settlement = u.settlement
    from unnest(%b::smallint[], %b::text[], %b::text[], %b::text[], %b::bytea[])
        as u (bucket, member_id, order_id, status, settlement)
    where o.bucket = u.bucket and o.member_id = u.member_id and o.order_id = u.order_id
"""

UPSERT_COUPONS: LiteralString = """
    insert into coupon (bucket, member_id, coupon_id, template, code, state, issued_at, valid_from,
        valid_until, order_id)
    select bucket, member_id, coupon_id, template, code, state,
        'epoch'::timestamptz + at * interval '1 microsecond',
        'epoch'::timestamptz + valid_from * interval '1 microsecond',
        case when valid_until is null then null
             else 'epoch'::timestamptz + valid_until * interval '1 microsecond' end,
        order_id
    from unnest(%b::smallint[], %b::text[], %b::text[], %b::text[], %b::text[], %b::text[], %b::bigint[],
                %b::bigint[], %b::bigint[], %b::text[])
        as u (bucket, member_id, coupon_id, template, code, state, at, valid_from, valid_until, order_id)
    on conflict (bucket, member_id, coupon_id) do update
    set state = excluded.state, valid_until = excluded.valid_until, order_id = excluded.order_id,
        code = excluded.code
"""

UPDATE_QUOTAS: LiteralString = """
    update quota q set used = u.used
    from unnest(%b::text[], %b::bigint[]) as u (quota, used)
    where q.quota = u.quota and q.period = ''
"""


async def write(connection: Connection, batch: Batch) -> None:
    """Make the batch true and commit it.

    Raises ``psycopg.errors.UniqueViolation`` if an activity, order or identity of the batch has a row already
    (the caller then looks them up and settles again without them).
    """
    await _number(connection, batch)
    orders = batch.settled_orders()
    if len(batch.postings) > FEW or batch.erased:
        for into, added in _added(batch, orders):
            await _copy(connection, into.copy, added)
        await _update(connection, batch, orders)
        for member_id in batch.erased:
            await erasure.redact(connection, member_id)
        await connection.commit()
        return
    async with connection.pipeline():
        for into, added in _added(batch, orders):
            await _insert(connection, into, added)
        await _update(connection, batch, orders)
        # Not ``connection.commit()``: inside a pipeline it waits for answers without having sent all there is to send,
        # for ever where that is more than the connection takes at once. The end of the block sends everything.
        await connection.execute("commit", prepare=False)


async def _number(connection: Connection, batch: Batch) -> None:
    """Give every posting its activity's id; their order is that of settling."""
    missing = len(batch.postings) - len(batch.ids)
    if missing > 0:  # more came of the activities than they named beforehand
        batch.ids += await load.activity_ids(connection, missing)
    for posting, id_ in zip(batch.postings, batch.ids, strict=False):
        posting.id = id_


def _added(batch: Batch, orders: Orders) -> tuple[tuple[_Into, list[bytes]], ...]:
    """Rows that are new, by table."""
    postings = batch.postings
    return (
        (ACTIVITY, rows.activities(postings)),
        (ENTRY, rows.entries(postings)),
        (LOT, rows.lots(postings)),
        (ORDER, rows.orders(orders, known=batch.known_orders)),
        (TIER_CHANGE, rows.tier_changes(postings)),
        (OUTBOX, rows.outbox(postings)),
    )


async def _copy(connection: Connection, statement: LiteralString, added: list[bytes]) -> None:
    if not added:
        return
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(wire.HEADER + b"".join(added) + wire.TRAILER)


async def _insert(connection: Connection, into: _Into, added: list[bytes]) -> None:
    if not added:
        return
    columns = zip(into.types, wire.columns_of(added), strict=True)
    await connection.execute(into.insert, [wire.array(type_, column) for type_, column in columns], prepare=True)


async def _update(connection: Connection, batch: Batch, orders: Orders) -> None:
    """Bring up to date what was there before."""
    await _update_members(connection, batch.settled_members())
    await _forget_members(connection, batch.members.values())
    await _update_orders(connection, [(key[0], orders[key]) for key in orders if key in batch.known_orders])
    await _upsert_coupons(connection, batch.postings)
    taken = [(code.code, one.member_id, code.coupon_id) for one in batch.postings for code in one.effects.codes]
    if taken:
        await codes.take(connection, taken)
    await identity.write(connection, batch.postings)
    changed = {quota: used for quota, used in batch.quotas.items() if used != batch.quotas_before.get(quota)}
    if changed:
        await connection.execute(UPDATE_QUOTAS, (list(changed), list(changed.values())))


def body_of(activity: Activity) -> bytes:
    """The activity as it is kept: JSON text. Its digest tells a repeat from another with the same key."""
    return _encode(activity)


async def _update_members(connection: Connection, found: list[Locked]) -> None:
    if not found:
        return
    members = [locked.member for locked in found]
    await connection.execute(
        UPDATE_MEMBERS,
        (
            wire.array("int2", [wire.int2(locked.bucket) for locked in found]),
            wire.array("text", [wire.text(member.id) for member in members]),
            wire.array("timestamptz", [wire.instant(member.due_at) for member in members]),
            wire.array("jsonb", [wire.jsonb(_encode(member.tiers)) for member in members]),
            wire.array("jsonb", [wire.jsonb(_balances(member)) for member in members]),
            wire.array("int8", [wire.int8(member.seq) for member in members]),
            wire.array("bytea", [wire.raw(pack(member)) for member in members]),
        ),
        prepare=True,
    )
    changed = [locked for locked in found if locked.fresh or profile_of(locked.member) != locked.profile]
    if changed:
        arguments: tuple[list[Any], ...] = (
            [locked.bucket for locked in changed],
            [locked.member.id for locked in changed],
            [locked.member.status for locked in changed],
            [locked.member.joined_at for locked in changed],
            [_encode(locked.member.traits).decode() for locked in changed],
            [_encode(locked.member.tags).decode() for locked in changed],
        )
        await connection.execute(UPDATE_PROFILES, arguments)


def _balances(member: Member) -> bytes:
    return _encode({asset: purse.available for asset, purse in member.purses.items()})


async def _forget_members(connection: Connection, locked: Iterable[Locked]) -> None:
    """Rows made for members to whom nothing happened in the end (a refused gift, a used key) go again."""
    unborn = [found for found in locked if found.fresh and found.member.seq == 0]
    if unborn:
        arguments = ([found.bucket for found in unborn], [found.member.id for found in unborn])
        await connection.execute(FORGET_MEMBERS, arguments)


async def _update_orders(connection: Connection, changed: list[tuple[str, Order]]) -> None:
    if changed:
        await connection.execute(
            UPDATE_ORDERS,
            (
                [bucket_of(member_id) for member_id, _ in changed],
                [member_id for member_id, _ in changed],
                [order.id for _, order in changed],
                [order.status for _, order in changed],
                [pack_order(order) for _, order in changed],
            ),
        )


async def _upsert_coupons(connection: Connection, postings: list[Posting]) -> None:
    latest: dict[tuple[str, str], tuple[int, CouponChanged]] = {}
    for posting in postings:
        for change in posting.effects.coupons:
            key = (posting.member_id, change.coupon_id)
            first = latest[key][0] if key in latest else change.at
            latest[key] = (first, change)
    if not latest:
        return
    await connection.execute(
        UPSERT_COUPONS,
        (
            [bucket_of(member_id) for member_id, _ in latest],
            [member_id for member_id, _ in latest],
            [coupon_id for _, coupon_id in latest],
            [change.template for _, change in latest.values()],
            [change.code for _, change in latest.values()],
            [change.state for _, change in latest.values()],
            [at for at, _ in latest.values()],
            [change.valid_from for _, change in latest.values()],
            [None if change.valid_until >= NEVER else change.valid_until for _, change in latest.values()],
            [change.order_id for _, change in latest.values()],
        ),
    )
