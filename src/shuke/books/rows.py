"""The rows of a batch as bytes, one function per table. Their columns are named in ``books.commit``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Any

from msgspec import json

from shuke.books import wire
from shuke.books.postings import Event, Posting
from shuke.engine.orders import Order, pack_order
from shuke.values.ids import bucket_of

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_encode = json.Encoder().encode
_words = wire.Words()


def activities(postings: list[Posting]) -> list[bytes]:
    text, instant, raw = wire.text, wire.instant, wire.raw
    return [
        _head(15, posting)
        + wire.int8(posting.seq)
        + _words[posting.activity.source]
        + text(posting.activity.key)
        + _words[posting.activity.type]
        + instant(posting.activity.occurred_at)
        + instant(posting.recorded_at)
        + wire.int4(posting.version)
        + raw(posting.digest)
        + raw(posting.body)
        + raw(posting.answer)
        + (wire.NULL if posting.context is None else raw(posting.context))
        + (wire.NULL if posting.request is None else raw(posting.request))
        for posting in postings
    ]


_id_and_bucket = Struct("!hiqih").pack


def _head(columns: int, posting: Posting) -> bytes:
    """What rows that follow from an activity begin with: its id, bucket and member."""
    return _id_and_bucket(columns, 8, posting.id, 2, posting.bucket) + wire.text(posting.member_id)


_no = Struct("!ih").pack
_amount_and_lot = Struct("!iqii").pack
_amount = Struct("!iq").pack
_version_and_time = Struct("!iiiq").pack


def entries(postings: list[Posting]) -> list[bytes]:
    """The widest and most numerous rows: fixed columns are packed together, words come from a table."""
    words = _words
    rows: list[bytes] = []
    for posting in postings:
        if not posting.effects.entries:
            continue
        head = _head(15, posting)
        for no, entry in enumerate(posting.effects.entries):
            why = entry.why
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
                        words[entry.order_id],
                        _version_and_time(4, entry.version, 8, entry.occurred_at - wire.EPOCH_2000),
                        wire.NULL if why is None else wire.jsonb(_encode(why)),
                    )
                )
            )
    return rows


def lots(postings: list[Posting]) -> list[bytes]:
    return [
        _head(8, posting)
        + _words[lot.asset]
        + wire.int4(lot.no)
        + wire.instant(lot.opened_at)
        + (wire.instant(lot.ripens_at) if lot.ripens_at else wire.NULL)
        + wire.instant(lot.expires_at)
        for posting in postings
        for lot in posting.effects.lots
    ]


def orders(orders: dict[tuple[str, str], Order], *, known: set[tuple[str, str]]) -> list[bytes]:
    """Rows of the orders that have none yet."""
    return [
        wire.columns(9)
        + wire.int2(bucket_of(member_id))
        + wire.text(member_id)
        + wire.text(order_id)
        + wire.instant(order.placed_at)
        + _words[order.status]
        + wire.int8(order.total())
        + _words[order.channel]
        + _words[order.store]
        + wire.raw(pack_order(order))
        for (member_id, order_id), order in orders.items()
        if (member_id, order_id) not in known
    ]


def tier_changes(postings: list[Posting]) -> list[bytes]:
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


def outbox(postings: list[Posting]) -> list[bytes]:
    rows = []
    for posting in postings:
        for wanted in posting.effects.wanted:
            rows.append(_leaving(posting, "message", wanted.topic, _encode(wanted.body)))
        for no, event in enumerate(posting.events):
            rows.append(_leaving(posting, "event", event.topic, _encode(_told(posting, no, event))))
    return rows


def _leaving(posting: Posting, kind: str, topic: str, body: bytes) -> bytes:
    return b"".join(
        (
            wire.columns(7),
            wire.instant(posting.recorded_at),
            wire.int2(posting.bucket),
            wire.text(posting.member_id),
            wire.int8(posting.seq),
            _words[kind],
            _words[topic],
            wire.jsonb(body),
        )
    )


def _told(posting: Posting, no: int, event: Event) -> dict[str, Any]:
    """An event as it waits to be delivered; its id says which activity it is of, and which of its events it is."""
    event.fact.activity_id = f"act_{posting.id}"
    return {
        "id": f"evt_{posting.id}_{no}",
        "type": event.topic,
        "timestamp": _EPOCH + timedelta(microseconds=event.at),
        "subject": posting.member_id,
        "data": event.fact,
    }
