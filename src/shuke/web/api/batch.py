"""Many activities in one body: each read by itself, so that a bad one hurts nobody.

Reading is half of what a batch costs beyond settling. So items go from text to what the engine reads in one step
(msgspec), and what cannot be wrong in an item of its size and letters is not looked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

from shuke.books.commit import body_of
from shuke.engine import activity as of
from shuke.engine.activity import Activity, Brought, Line, Named, Purchase
from shuke.values.ids import digest
from shuke.values.instants import Instant
from shuke.web.api.callers import AHEAD
from shuke.web.api.contract import SAFE, shown_moment
from shuke.web.api.payloads import (
    ELSEWHERE,
    SHAPES,
    Amount,
    Id,
    Kind,
    Quantity,
    Text,
    Wrong,
    free,
    identities_in,
    moment,
    plain,
    read_payload,
    wrong_of,
)

ITEMS_MOST: Final = 10_000
ITEM_MOST: Final = 256 * 1024
"""Bytes of one item."""

LINES_MOST: Final = 500

_SMALL: Final = 2_000  # bytes in which not more values fit, nor longer texts, than are allowed
_DEPTH: Final = 12
_ZERO: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_LONG_NUMBER: Final = re.compile(rb"[0-9]{16}")

Type = Annotated[str, Meta(max_length=100, pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*\Z")]


class LineTold(Line, forbid_unknown_fields=True, omit_defaults=True, gc=False):
    """A line that is the engine's once it is read."""

    amount: Amount
    quantity: Quantity = 1
    sku: Text | None = None
    category: Text | None = None
    brand: Text | None = None
    list_amount: Amount | None = None
    tags: Annotated[list[Text], Meta(max_length=50)] | None = None
    attributes: dict[str, Any] | None = None


class OrderTold(Struct, forbid_unknown_fields=True, gc=False):
    """An order that was paid, as its channel settled it."""

    order_id: Id
    lines: Annotated[list[LineTold], Meta(min_length=1, max_length=LINES_MOST)]
    channel: Text | None = None
    store: Text | None = None
    payment: Text | None = None
    tax: Amount = 0
    shipping: Amount = 0


class Item(Struct, forbid_unknown_fields=True, gc=False):
    """An activity as it is told."""

    type: Type
    key: Id
    occurred_at: str
    member_id: Id | UnsetType = UNSET
    payload: dict[str, Any] | None = None
    order: OrderTold | None = None
    identities: Annotated[dict[Kind, Id], Meta(max_length=50)] | UnsetType = UNSET
    verified: Annotated[list[Kind], Meta(max_length=50)] | UnsetType = UNSET


class _Body(Struct, forbid_unknown_fields=True):
    activities: Annotated[list[Raw], Meta(min_length=1, max_length=ITEMS_MOST)]


class _Keyed(Struct):
    key: str


class Read(Struct, gc=False):
    """An item that can be settled. ``request`` is what a repeat is known by, where that is not the activity."""

    activity: Activity
    request: bytes | None = None


_body: Final = msgspec.json.Decoder(_Body).decode
_item: Final = msgspec.json.Decoder(Item, float_hook=str).decode
_keyed: Final = msgspec.json.Decoder(_Keyed).decode

_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def split(body: bytes) -> Sequence[bytes | memoryview]:
    """The items of ``{"activities": […]}``, unread. Raises ``Wrong``."""
    try:
        return [memoryview(item) for item in _body(body).activities]
    except msgspec.ValidationError as error:
        raise wrong_of(error) from None
    except _UNREADABLE as broken:
        raise Wrong("", "json_invalid", error=_said(broken)) from None


def split_lines(body: bytes) -> Sequence[bytes | memoryview]:
    """The items of a body that has one on each line, unread; empty lines are none. Raises ``Wrong``."""
    lines = [line for line in body.split(b"\n") if line and not line.isspace()]
    if not lines:
        raise Wrong("", "too_short", min_length=1)
    if len(lines) > ITEMS_MOST:
        raise Wrong("", "too_long", max_length=ITEMS_MOST)
    return lines


def read(told: bytes | memoryview, *, source: str, present: Instant, region: str | None) -> Read:
    """One item as an activity of ``source``. Raises ``Wrong``.

    ``region`` is where phone numbers without a country code are. What happened up to ``AHEAD`` after ``present`` by
    the caller's clock happened now.
    """
    raw = bytes(told)
    if len(raw) > ITEM_MOST:
        raise Wrong("", "value_error", error=f"more than {ITEM_MOST} bytes")
    try:
        item = _item(raw)
    except msgspec.ValidationError as error:
        raise wrong_of(error) from None
    except _UNREADABLE as broken:
        raise Wrong("", "json_invalid", error=_said(broken)) from None
    if b"\\u0000" in raw and _ZERO.search(raw):  # the only way to write it
        raise Wrong("", "value_error", error="the character zero is not allowed")
    if item.type in ELSEWHERE:
        raise Wrong("/type", "told_elsewhere", by=ELSEWHERE[item.type])
    brought = _brought(item, region=region)
    if item.member_id is UNSET and brought is None:
        raise Wrong("/member_id", "missing")
    member_id = "" if item.member_id is UNSET else plain("/member_id", item.member_id)
    key = plain("/key", item.key)
    if item.payload is not None and _may_be_too_much(raw):
        free("/payload", item.payload)
    payload = read_payload(item.type, item.payload, region=region)
    purchase = _purchase(item, raw)
    at = moment("/occurred_at", item.occurred_at)
    activity = Activity(item.type, member_id, at, source, key, payload, purchase, brought)
    if at <= present:
        return Read(activity, None if brought is None else digest(body_of(activity)))
    if at > present + AHEAD:
        raise Wrong("/occurred_at", "in_the_future", now=shown_moment(present))
    asked = digest(body_of(activity))  # what it will be known by when it is told again, later
    activity.occurred_at = present
    return Read(activity, asked)


def _brought(item: Item, *, region: str | None) -> Brought | None:
    """The identities that came along, in their normal form."""
    told = {} if item.identities is UNSET else item.identities
    shown = () if item.verified is UNSET else item.verified
    for place, kind in enumerate(shown):
        if kind not in told:
            raise Wrong(f"/verified/{place}", "not_told")
    if not told:
        return None
    if item.type in SHAPES and item.type != of.IDENTIFIED:  # value moves by the member's own id only
        raise Wrong("/identities", "extra_forbidden")
    names = identities_in("/identities", told, region)
    return Brought([Named(kind, value, kind in shown) for kind, value in names.items() if value is not None])


def _purchase(item: Item, raw: bytes) -> Purchase | None:
    order = item.order
    if item.type != of.ORDER_PAID:
        if order is not None:
            raise Wrong("/order", "extra_forbidden")
        return None
    if order is None:
        raise Wrong("/order", "missing")
    order_id = plain("/order/order_id", order.order_id)
    if sum([line.amount for line in order.lines]) + order.tax + order.shipping > SAFE:
        raise Wrong("/order", "value_error", error="the order's total is beyond what every reader keeps exactly")
    if b'"attributes"' in raw and _may_be_too_much(raw):
        for place, line in enumerate(order.lines):
            free(f"/order/lines/{place}/attributes", line.attributes)
    lines: list[Line] = list(order.lines)
    return Purchase(order_id, lines, order.channel, order.store, order.payment, order.tax, order.shipping)


def _may_be_too_much(raw: bytes) -> bool:
    """Whether free fields of so much text may hold more, deeper or larger values than are kept."""
    if len(raw) > _SMALL or raw.count(b"{") + raw.count(b"[") > _DEPTH:
        return True
    return _LONG_NUMBER.search(raw) is not None


def key_of(told: bytes | memoryview) -> str | None:
    """The key of an item that cannot be read, if that much can be."""
    try:
        return _keyed(told).key
    except (msgspec.ValidationError, *_UNREADABLE):
        return None


def _said(broken: Exception) -> str:
    return "nested too deeply" if isinstance(broken, RecursionError) else str(broken)
