"""What the books keep of an erased member, and the seals that prove it; see decision 13.

Her entries stay, and of each activity what somebody must know who reads the books: its type, time, source and key, the
order it told, amounts and ids. Traits, tags, identities, what people wrote and what rules of the shop's own were told
of her are gone, so her log cannot be settled again. Instead every activity from before she was erased carries the
digest of what is left of it and of all that followed from it, and the one that erased her seals the rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, LiteralString

from msgspec import json
from msgspec.structs import replace

from shuke.books import member_codes, segments, waiting
from shuke.books.kept import ORDERS_OF_MEMBER, Kept, LogRow, Row, kept_of
from shuke.books.load import Connection
from shuke.engine import activity as of
from shuke.engine.activity import Activity, Purchase
from shuke.engine.orders import Order, pack_order, unpack_order
from shuke.engine.step import ACTS
from shuke.values.ids import bucket_of, digest

_PERSONAL: Final = frozenset((of.JOINED, of.UPDATED, of.TAGGED, of.UNTAGGED))
_FACTS: Final = frozenset(
    (
        *("amount", "asset", "channels", "codes", "coupon", "days", "expires_at", "from_member", "hold", "id", "into"),
        *("ladder", "lines", "lots", "merged_member", "minutes", "order_id", "period", "purpose", "quantity"),
        *("ripens_at", "shipping", "source", "stored_value", "tax", "template", "text_hash", "tier", "to_member"),
        *("until", "version"),
    )
)
"""What is kept of a payload the engine itself understands: numbers and names of things."""

_WRITTEN: Final = ["reason", "reference", "birthday"]
"""What is taken out of the causes of entries."""

FORGET_WORDS: LiteralString = """
    update entry set why = nullif(why - %(written)s::text[], '{}')
    where bucket = %(bucket)s and why ?| %(written)s::text[]
        and activity_id in (select id from activity where bucket = %(bucket)s and member_id = %(member)s)
"""

REDACT: LiteralString = """
    update activity a set body = u.body::json, answer = u.answer::json, context = u.context::json, request = null
    from unnest(%s::bigint[], %s::text[], %s::text[], %s::text[]) as u (id, body, answer, context)
    where a.id = u.id and a.bucket = %s
"""

SEAL: LiteralString = """
    update activity a set digest = u.digest from unnest(%s::bigint[], %s::bytea[]) as u (id, digest)
    where a.id = u.id and a.bucket = %s
"""

SEAL_ALL: LiteralString = "update activity set context = %s where id = %s and bucket = %s"

FORGET_ORDER: LiteralString = """
    update orders set settlement = %s where order_id = %s and bucket = %s and member_id = %s
"""

_encode = json.Encoder(order="deterministic").encode
_decode_activity = json.Decoder(Activity).decode


def erased_by(kept: Kept) -> LogRow | None:
    """The activity by which the member was erased."""
    for row in kept.log:
        if row.type == of.ERASED and "code" not in json.decode(row.answer):
            return row
    return None


# -- Seals ------------------------------------------------------------------------------------------------


class Seals:
    """Digests of what is stored of a member."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept
        self._followed: dict[int, list[Any]] = {}
        for name in ("entries", "lots", "tier_changes"):
            rows: Mapping[Any, Row] = getattr(kept, name)
            for key in sorted(rows):
                self._followed.setdefault(key[0], []).append((name, key, rows[key]))

    def of(self, row: LogRow) -> bytes:
        """Of an activity from before: what is left of it, and all that followed from it."""
        told = (row.seq, row.id, row.source, row.key, row.type, row.occurred_at, row.version)
        return self._digest(told, row.body, row.answer, row.context, self._followed.get(row.seq))

    def of_all(self, erased: LogRow) -> str:
        """Of what followed from the activity that erased her, and of what belongs to no single one."""
        kept = self._kept
        return self._digest(
            erased.answer,
            self._followed.get(erased.seq),
            kept.joined_at,
            sorted(kept.orders.items()),
            sorted(kept.coupons.items()),
        ).hex()

    def _digest(self, *told: Any) -> bytes:
        return digest(_encode(told))


# -- Redaction --------------------------------------------------------------------------------------------


async def redact(connection: Connection, member_id: str) -> None:
    """Take the person out of what is stored of a member who was erased in this transaction, and seal what stays."""
    bucket = bucket_of(member_id)
    her = {"bucket": bucket, "member": member_id, "written": _WRITTEN}
    await connection.execute(FORGET_WORDS, her)
    await _forget_orders(connection, member_id)
    await waiting.forget_member(connection, member_id)
    await member_codes.forget_member(connection, member_id)
    await segments.forget_member(connection, member_id)
    kept = await kept_of(connection, member_id)
    assert kept is not None
    erased = erased_by(kept)
    assert erased is not None
    before = kept.log[: erased.seq - 1]
    for row in before:
        row.body, row.answer, row.context = redacted(row.body), _short(row.answer), _nameless(row.context)
    ids = [row.id for row in before]
    contexts = [None if row.context is None else json.encode(row.context).decode() for row in before]
    told = ([row.body for row in before], [row.answer for row in before], contexts)
    await connection.execute(REDACT, (ids, *told, bucket))
    seals = Seals(kept)
    await connection.execute(SEAL, (ids, [seals.of(row) for row in before], bucket))
    context = {**(erased.context or {}), "seal": seals.of_all(erased)}
    await connection.execute(SEAL_ALL, (json.encode(context).decode(), erased.id, bucket))


def redacted(body: str) -> str:
    """An activity's body without what tells who somebody is."""
    told = _decode_activity(body)
    payload: dict[str, Any] = {}
    if told.type in ACTS and told.type not in _PERSONAL:
        payload = {name: value for name, value in (told.payload or {}).items() if name in _FACTS}
    left = replace(told, payload=payload or None, purchase=_without_words(told.purchase), brought=None)
    return json.encode(left).decode()


def _without_words(purchase: Purchase | None) -> Purchase | None:
    if purchase is None:
        return None
    return replace(purchase, lines=[replace(line, attributes=None) for line in purchase.lines])


def _nameless(context: dict[str, Any] | None) -> dict[str, Any] | None:
    """What a step was told beside its activity, without who was merged and unmerged, and their orders."""
    left = {name: told for name, told in (context or {}).items() if name not in ("others", "orders")}
    return left or None


def _short(answer: str) -> str:
    """Whether it was refused, and why."""
    code = json.decode(answer).get("code")
    return json.encode({} if code is None else {"code": code}).decode()


async def _forget_orders(connection: Connection, member_id: str) -> None:
    bucket = bucket_of(member_id)
    cursor = await connection.execute(ORDERS_OF_MEMBER, {"bucket": bucket, "member": member_id})
    for order_id, *_, settlement in await cursor.fetchall():
        order = unpack_order(settlement)
        if _forget(order):
            await connection.execute(FORGET_ORDER, (pack_order(order), order_id, bucket, member_id))


def _forget(order: Order) -> bool:
    """Leave out of an order's memory what only rules still to come could ask for; whether there was any."""
    had = order.purchase is not None
    order.purchase = None
    if order.spend is not None and order.spend.value.why:
        why = {name: said for name, said in order.spend.value.why.items() if name not in _WRITTEN}
        order.spend.value.why, had = why or None, True
    return had
