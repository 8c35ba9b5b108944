"""Writing what a batch settled: one COPY or one statement per table, whatever the size of the batch.

Rows are only ever added, except members, changed orders, coupons and quotas, which are brought up to date.
"""

from __future__ import annotations

from collections.abc import Iterable
from struct import Struct
from typing import Any, LiteralString

from msgspec import json

from shuke.books import wire
from shuke.books.load import Connection
from shuke.books.postings import Batch, Locked, Posting, profile_of
from shuke.engine.activity import Activity
from shuke.engine.effects import CouponChanged
from shuke.engine.member import Member, pack
from shuke.engine.orders import Order, pack_order
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER

_encode = json.Encoder().encode

COPY_ACTIVITIES: LiteralString = """copy activity (bucket, member_id, seq, source, key, type, occurred_at,
    recorded_at, version, digest, body, answer, context) from stdin (format binary)"""
COPY_ENTRIES: LiteralString = """copy entry (bucket, member_id, seq, no, asset, kind, debit, credit, amount,
    lot, rule, order_id, version, occurred_at, why) from stdin (format binary)"""
COPY_LOTS: LiteralString = """copy lot (bucket, member_id, asset, lot, opened_at, ripens_at, expires_at)
    from stdin (format binary)"""
COPY_ORDERS: LiteralString = """copy orders (bucket, member_id, order_id, placed_at, status, amount, channel,
    store, settlement) from stdin (format binary)"""
COPY_TIERS: LiteralString = """copy tier_change (bucket, member_id, seq, no, ladder, from_tier, to_tier, at,
    until, reason) from stdin (format binary)"""
COPY_OUTBOX: LiteralString = """copy outbox (due_at, bucket, member_id, seq, kind, topic, body)
    from stdin (format binary)"""

UPDATE_MEMBERS: LiteralString = """
    update member m set
        due_at = case when u.due_at is null then null
                      else 'epoch'::timestamptz + u.due_at * interval '1 microsecond' end,
        tiers = u.tiers::jsonb, balances = u.balances::jsonb, seq = u.seq, state = u.state
    from unnest(%b::smallint[], %b::text[], %b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::bytea[])
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
    """Make the batch true inside the caller's transaction.

    Raises ``psycopg.errors.UniqueViolation`` if an activity or order of the batch has a row already
    (the caller then looks them up and settles again without them).
    """
    postings = batch.postings
    await _copy(connection, COPY_ACTIVITIES, _activity_rows(postings))
    await _copy(connection, COPY_ENTRIES, _entry_rows(postings))
    await _copy(connection, COPY_LOTS, _lot_rows(postings))
    orders = batch.settled_orders()
    await _copy(connection, COPY_ORDERS, _order_rows(orders, batch.known_orders))
    await _copy(connection, COPY_TIERS, _tier_rows(postings))
    await _copy(connection, COPY_OUTBOX, _outbox_rows(postings))
    await _update_members(connection, batch.settled_members())
    await _forget_members(connection, batch.members.values())
    await _update_orders(connection, [(key[0], orders[key]) for key in orders if key in batch.known_orders])
    await _upsert_coupons(connection, postings)
    changed = {quota: used for quota, used in batch.quotas.items() if used != batch.quotas_before.get(quota)}
    if changed:
        await connection.execute(UPDATE_QUOTAS, (list(changed), list(changed.values())))


async def _copy(connection: Connection, statement: LiteralString, rows: list[bytes]) -> None:
    if not rows:
        return
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write(wire.HEADER + b"".join(rows) + wire.TRAILER)


def body_of(activity: Activity) -> bytes:
    """The activity as it is kept: JSON text. Its digest tells a repeat from another with the same key."""
    return _encode(activity)


def _head(columns: int, posting: Posting) -> bytes:
    return (
        wire.columns(columns)
        + wire.int2(posting.bucket)
        + wire.text(posting.member_id)
        + wire.int8(posting.seq)
    )


def _activity_rows(postings: list[Posting]) -> list[bytes]:
    text, instant, raw = wire.text, wire.instant, wire.raw
    return [
        _head(13, posting)
        + text(posting.activity.source)
        + text(posting.activity.key)
        + text(posting.activity.type)
        + instant(posting.activity.occurred_at)
        + instant(posting.recorded_at)
        + wire.int4(posting.version)
        + raw(posting.digest)
        + raw(posting.body)
        + raw(posting.answer)
        + (wire.NULL if posting.context is None else raw(posting.context))
        for posting in postings
    ]


_words = wire.Words()
_no = Struct("!ih").pack
_amount_and_lot = Struct("!iqii").pack
_amount = Struct("!iq").pack
_version_and_time = Struct("!iiiq").pack


def _entry_rows(postings: list[Posting]) -> list[bytes]:
    """The widest and most numerous rows: fixed columns are packed together, words come from a table."""
    words, text = _words, wire.text
    rows: list[bytes] = []
    for posting in postings:
        if not posting.effects.entries:
            continue
        head = _head(15, posting)
        for no, entry in enumerate(posting.effects.entries):
            rows.append(
                b"".join(
                    (
                        head,
                        _no(2, no),
                        words[entry.asset],
                        words[entry.kind],
                        words[entry.debit],
                        words[entry.credit],
                        _amount_and_lot(8, entry.amount, 4, entry.lot)
                        if entry.lot
                        else _amount(8, entry.amount) + wire.NULL,
                        words[entry.rule],
                        text(entry.order_id),
                        _version_and_time(4, entry.version, 8, entry.occurred_at - wire.EPOCH_2000),
                        wire.NULL if entry.why is None else wire.jsonb(_encode(entry.why)),
                    )
                )
            )
    return rows


def _lot_rows(postings: list[Posting]) -> list[bytes]:
    return [
        wire.columns(7)
        + wire.int2(posting.bucket)
        + wire.text(posting.member_id)
        + wire.text(lot.asset)
        + wire.int4(lot.no)
        + wire.instant(lot.opened_at)
        + (wire.instant(lot.ripens_at) if lot.ripens_at else wire.NULL)
        + wire.instant(lot.expires_at)
        for posting in postings
        for lot in posting.effects.lots
    ]


def _order_rows(orders: dict[tuple[str, str], Order], known: set[tuple[str, str]]) -> list[bytes]:
    return [
        wire.columns(9)
        + wire.int2(bucket_of(member_id))
        + wire.text(member_id)
        + wire.text(order_id)
        + wire.instant(order.placed_at)
        + wire.text(order.status)
        + wire.int8(order.total())
        + wire.text(order.channel)
        + wire.text(order.store)
        + wire.raw(pack_order(order))
        for (member_id, order_id), order in orders.items()
        if (member_id, order_id) not in known
    ]


def _tier_rows(postings: list[Posting]) -> list[bytes]:
    return [
        _head(10, posting)
        + wire.int2(no)
        + wire.text(change.ladder)
        + wire.text(change.before)
        + wire.text(change.after)
        + wire.instant(change.at)
        + wire.instant(change.until)
        + wire.text(change.reason)
        for posting in postings
        for no, change in enumerate(posting.effects.tiers)
    ]


def _outbox_rows(postings: list[Posting]) -> list[bytes]:
    return [
        wire.columns(7)
        + wire.instant(posting.recorded_at)
        + wire.int2(posting.bucket)
        + wire.text(posting.member_id)
        + wire.int8(posting.seq)
        + wire.text("message")
        + wire.text(wanted.topic)
        + wire.jsonb(_encode(wanted.body))
        for posting in postings
        for wanted in posting.effects.wanted
    ]


async def _update_members(connection: Connection, found: list[Locked]) -> None:
    if not found:
        return
    await connection.execute(
        UPDATE_MEMBERS,
        (
            [locked.bucket for locked in found],
            [locked.member.id for locked in found],
            [None if locked.member.due_at >= NEVER else locked.member.due_at for locked in found],
            [_encode(locked.member.tiers).decode() for locked in found],
            [_balances(locked.member) for locked in found],
            [locked.member.seq for locked in found],
            [pack(locked.member) for locked in found],
        ),
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


def _balances(member: Member) -> str:
    return _encode({asset: purse.available for asset, purse in member.purses.items()}).decode()


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
