"""Messages by Segment's HTTP tracking specification, as activities. Pure: who receives them brings the time.

    body → messages (or why not) → activities → settled together by whoever called

A write key is public: it is in every page of the shop. What counts (orders, who a member is, whatever a program
gives value for) counts only from a key that may also write such things; from any other key the same message is kept
as an activity whose type begins with ``told.``, which no rule hears that does not name it.

Specification: https://segment.com/docs/connections/spec/; ours: docs/reference/tracking.md.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, Final

import msgspec
from msgspec import Struct

from shuke.books.identity_forms import NotAnIdentity, is_placeholder, normal
from shuke.engine.activity import ORDER_PAID, ORDER_REFUNDED, UPDATED, Activity, Purchase
from shuke.intake.ecommerce import (
    BROWSING_EVENTS,
    FIRST_VERSION,
    ORDER_EVENTS,
    Money,
    order_id_of,
    purchase_of,
    refund_of,
)
from shuke.replay.history.checks import MAX_ID, Refusal, read_id
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.ids import digest
from shuke.values.instants import DAY, MINUTE, Instant, InstantError, day_of, format_day, parse_instant

MAX_MESSAGE: Final = 32 * 1024
"""Bytes of one message, as JSON without blanks."""

MAX_BODY: Final = 500 * 1024
"""Bytes of a request, unpacked."""

AHEAD: Final = 5 * MINUTE
"""How far a message may lie in the future; what lies further happened when it was received."""

REACH: Final = 7 * DAY
"""How far back a public key can tell: a limit of once a day must not be had for every day of a year."""

ANONYMOUS: Final = "anon:"
"""What the id of a member begins with who is known by an anonymousId only."""

TOLD: Final = "told."
"""What a type begins with where the key may not tell such things so that they count."""

NAMED: Final = "event.named"
"""The type of events whose names make no type; the name is in the payload, as ``event``."""

ORDERS: Final = "orders:write"
MEMBERS: Final = "members:write"
ACTIVITIES: Final = "activities:write"
"""What a key must be good for, beyond tracking, for orders, traits and everything else to count."""

_COUNT: Final = frozenset((ORDERS, MEMBERS, ACTIVITIES))

_MAX_DEPTH: Final = 12
_MAX_TYPE: Final = 100
_VOLATILE: Final = frozenset(("sentAt", "receivedAt", "writeKey", "_metadata"))  # differ when a message is sent again
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_encode = msgspec.json.Encoder(order="deterministic").encode

Fields = dict[str, Any]


def is_public(scopes: frozenset[str]) -> bool:
    """Whether anybody may have a key of these scopes. Such a key makes no members (the first tier may come with a
    gift) and has a short past."""
    return not scopes & _COUNT


class Unreadable(Exception):
    """A body of which nothing can be read."""


class Reject(Struct):
    """Why one message of a request is not recorded. ``index`` is its place in the batch, from 0."""

    index: int
    key: str | None
    code: str
    reason: str


class Body(Struct):
    """What a request brought: messages that nobody has looked at yet."""

    messages: list[Any]
    sent_at: Any = None
    write_key: str | None = None


class Message(Struct):
    """A message whose envelope is in order. ``request`` is the digest of all of it that a repeat has too."""

    index: int
    kind: str
    member_id: str
    key: str
    occurred_at: Instant
    request: bytes
    fields: Fields


class Fact(Struct):
    """What a message says: the activity it is, and the scope that a key needs for it to count."""

    type: str
    scope: str
    payload: Fields
    event: str | None = None  # of orders: the slug


class Desk(Struct):
    """What it takes to make activities of one key's messages. ``scopes`` are those of the key.

    ``region`` (such as TW) is meant by phone numbers without a country code. ``purchases`` are orders by (member,
    order id) as they were told, as far as they are asked for by ``refunds_in``.
    """

    source: str
    scopes: frozenset[str]
    money: Money
    region: str | None
    purchases: dict[tuple[str, str], Purchase]


# -- Bodies -----------------------------------------------------------------------------------------------


def read_body(body: bytes, *, batch: bool) -> Body:
    """The messages of a body, which is a batch or one message. Raises ``Unreadable``.

    What some clients send and JSON does not know is read as what it means: NaN as null, half an emoji as a
    replacement character. Numbers that are not whole, or too large for some reader, stay the text they were
    written as.
    """
    text = body.decode("utf-8-sig", "surrogateescape")
    try:
        told = json.loads(text, strict=False, parse_float=str, parse_int=_whole, parse_constant=_nothing)
    except (ValueError, RecursionError) as broken:
        raise Unreadable("this is no JSON" if isinstance(broken, RecursionError) else str(broken)) from None
    if not isinstance(told, dict):
        raise Unreadable("the body must be a JSON object")
    key = told.get("writeKey")
    found = Body([told], told.get("sentAt"), key if isinstance(key, str) else None)
    if batch:
        messages = told.get("batch")
        if not isinstance(messages, list):
            raise Unreadable('a batch needs "batch", a list of messages')
        found.messages = messages
    return found


def _whole(digits: str) -> int | str:
    if len(digits) > 17:
        return digits
    number = int(digits)
    return number if -MAX_AMOUNT <= number <= MAX_AMOUNT else digits


def _nothing(name: str) -> None:
    """NaN and infinities are no numbers."""


# -- Messages ---------------------------------------------------------------------------------------------


def read_messages(
    body: Body, *, kind: str | None, received_at: Instant, public: bool
) -> tuple[list[Message], list[Reject]]:
    """Messages in order, and why others are none. ``kind`` is what a single message is; in a batch each says it.

    ``public`` as ``is_public`` has it of the key.
    """
    messages, rejects = [], []
    for index, told in enumerate(body.messages):
        try:
            messages.append(_read(told, index, body, kind=kind, received_at=received_at, public=public))
        except Refusal as refused:
            key = told.get("messageId") if isinstance(told, dict) else None
            shown = key if isinstance(key, str) and len(key) <= MAX_ID and not _SURROGATE.search(key) else None
            rejects.append(Reject(index, shown, refused.code, refused.reason))
    return messages, rejects


def _read(told: Any, index: int, body: Body, *, kind: str | None, received_at: Instant, public: bool) -> Message:
    if not isinstance(told, dict):
        raise Refusal("wrong_type", "a message must be a JSON object")
    if _is_deeper(told, _MAX_DEPTH):
        raise Refusal("too_deep", f"the message is nested deeper than {_MAX_DEPTH}")
    try:
        packed = _encode(told)
    except UnicodeEncodeError:
        told = _mended(told)
        packed = _encode(told)
    if len(packed) > MAX_MESSAGE:
        raise Refusal("too_large", f"the message has {len(packed)} bytes; at most {MAX_MESSAGE} are allowed")
    if b"\\u0000" in packed:
        raise Refusal("control_character", "the message contains the character zero")
    kind = told.get("type") if kind is None else kind
    if not isinstance(kind, str) or kind not in _FACTS:
        raise Refusal("type_unknown", f"a message is one of {', '.join(_FACTS)}")
    request = digest(_encode([kind, {name: told[name] for name in told if name not in _VOLATILE}]))
    key = _id(told, "messageId")
    if key is None:  # whoever does not name it cannot send it again
        key = f"received:{received_at}:{index}:{request.hex()}"
    sent_at = body.sent_at if body.sent_at is not None else told.get("sentAt")
    occurred_at = _occurred_at(told, sent_at=sent_at, received_at=received_at, public=public)
    return Message(index, kind, _member(told), key, occurred_at, request, told)


def _is_deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list):
        return False
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in value)


def _mended(value: Any) -> Any:
    """The value with a replacement character for every half character: a text was cut, or was not UTF-8."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_mended(item) for item in value]
    if isinstance(value, dict):
        return {_mended(name): _mended(item) for name, item in value.items()}
    return value


def _id(told: Fields, name: str) -> str | None:
    """An id, also one written as a number; None where there is none. Refused: as ``checks.read_id``."""
    value = told.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refusal("wrong_type", f"{name} must be text")
    return read_id(name, str(value))


def _member(told: Fields) -> str:
    """Whose message it is: the userId, else the anonymousId behind ``anon:``."""
    user = _person(told, "userId")
    if user is not None:
        if user.startswith(ANONYMOUS):
            raise Refusal("reserved", f'a userId does not begin with "{ANONYMOUS}"')
        return user
    anonymous = _person(told, "anonymousId")
    if anonymous is None:
        raise Refusal("missing", "userId or anonymousId is missing")
    return read_id("anonymousId", ANONYMOUS + anonymous)


def _person(told: Fields, name: str) -> str | None:
    """An id of somebody. Refused: what pages send where they know nobody, such as "null"."""
    found = _id(told, name)
    if found is not None and is_placeholder(found):
        raise Refusal("placeholder", f'the {name} "{found}" stands for nobody and would be everybody')
    return found


def _occurred_at(told: Fields, *, sent_at: Any, received_at: Instant, public: bool) -> Instant:
    """When it happened by our clock: ``timestamp - (sentAt - receivedAt)``, as the specification has it."""
    for name in ("timestamp", "originalTimestamp"):
        written = told.get(name)
        if written is not None:
            break
    else:
        return received_at
    at = _instant(written)
    if at is None:
        raise Refusal("not_an_instant", f'{name} must be a time by ISO 8601, such as "2026-11-22T09:30:00.000Z"')
    sent = None if sent_at is None else _instant(sent_at)
    if sent is not None:
        at -= sent - received_at
    if at > received_at + AHEAD:
        return received_at
    if public and at < received_at - REACH:
        return received_at
    if at < 0:
        raise Refusal("not_an_instant", f"{name} lies before 1970")
    return at


def _instant(written: Any) -> Instant | None:
    if not isinstance(written, str):
        return None
    try:
        return parse_instant(written.strip(), zone="UTC")
    except InstantError:
        return None


# -- What a message says ----------------------------------------------------------------------------------


def slug_of(event: str) -> str | None:
    """The type that an event's name makes: "Checked In" is ``checked_in``. None where letters would be lost.

    It has no point in it, and every type that the engine knows has one.
    """
    slug = re.sub(r"[^a-z0-9]+", "_", event.lower()).strip("_")
    return slug if event.isascii() and len(slug) <= _MAX_TYPE and _WORD.fullmatch(slug) else None


def _object(told: Fields, name: str) -> Fields:
    value = told.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Refusal("wrong_type", f"{name} must be an object")
    return value


def _track(told: Fields) -> Fact:
    event = told.get("event")
    if not isinstance(event, str) or not event.strip():
        raise Refusal("missing", "event is missing: a track message needs the name of what happened")
    properties = _object(told, "properties")
    slug = slug_of(event)
    if slug is None:
        return Fact(NAMED, ACTIVITIES, {**properties, "event": event})
    slug = FIRST_VERSION.get(slug, slug)
    if slug in ORDER_EVENTS:
        return Fact(ORDER_EVENTS[slug], ORDERS, properties)
    return Fact(BROWSING_EVENTS.get(slug, slug), ACTIVITIES, properties)


def _viewed(type_: str) -> Callable[[Fields], Fact]:
    def read(told: Fields) -> Fact:
        named = {name: told[name] for name in ("name", "category") if isinstance(told.get(name), str)}
        return Fact(type_, ACTIVITIES, {**named, **_object(told, "properties")})

    return read


def _identify(told: Fields) -> Fact:
    # RudderStack's browser library tells traits in the context only.
    traits = _object(told, "traits") or _object(_object(told, "context"), "traits")
    return Fact(UPDATED, MEMBERS, {"traits": traits})


def _group(told: Fields) -> Fact:
    group = _id(told, "groupId")
    if group is None:
        raise Refusal("missing", "groupId is missing")
    return Fact("group.joined", ACTIVITIES, {"group_id": group, "traits": _object(told, "traits")})


def _alias(told: Fields) -> Fact:
    previous = _id(told, "previousId")
    if previous is None:
        raise Refusal("missing", "previousId is missing")
    return Fact("member.aliased", ACTIVITIES, {"previous_id": previous})


_FACTS: Final[dict[str, Callable[[Fields], Fact]]] = {
    "track": _track,
    "identify": _identify,
    "page": _viewed("page.viewed"),
    "screen": _viewed("screen.viewed"),
    "group": _group,
    "alias": _alias,
}
"""The kinds of messages, and how each is read."""

KINDS: Final = tuple(_FACTS)


# -- Activities -------------------------------------------------------------------------------------------


def refunds_in(messages: list[Message], scopes: frozenset[str]) -> set[tuple[str, str]]:
    """(member, order id) of the orders whose lines are needed to read these messages."""
    wanted = set()
    for message in messages if ORDERS in scopes else ():
        if message.kind == "track":
            try:
                fact = _track(message.fields)
                if fact.type == ORDER_REFUNDED:
                    wanted.add((message.member_id, order_id_of(fact.payload)))
            except Refusal:
                continue  # it is refused again, with its reason, where it is translated
    return wanted


def translate(message: Message, desk: Desk) -> list[Activity]:
    """The activities that a message is: one, or for an ``identify`` with identities two. ``Refusal`` if it is none.

    Identities stand apart from traits: one that somebody else has is refused, and must not take the traits along.
    """
    fact = _FACTS[message.kind](message.fields)

    def activity(type_: str, payload: Fields, purchase: Purchase | None = None, part: str = "") -> Activity:
        key = message.key + part
        return Activity(type_, message.member_id, message.occurred_at, desk.source, key, payload or None, purchase)

    if fact.scope not in desk.scopes:
        return [activity(TOLD + fact.type, fact.payload)]
    if fact.type == ORDER_PAID:
        purchase = purchase_of(fact.payload, desk.money)
        desk.purchases.setdefault((message.member_id, purchase.order_id), purchase)
        return [activity(fact.type, {}, purchase)]
    if fact.type == ORDER_REFUNDED:
        order = (message.member_id, order_id_of(fact.payload))
        return [activity(fact.type, refund_of(fact.payload, desk.money, desk.purchases.get(order)))]
    if fact.scope == ORDERS:
        return [activity(fact.type, {"order_id": order_id_of(fact.payload)})]
    if fact.type != UPDATED:
        return [activity(fact.type, fact.payload)]
    traits = fact.payload["traits"]
    told = [activity(UPDATED, {"traits": _dated(traits)})]
    identities = _identities(traits, desk.region)
    if identities:
        told.append(activity(UPDATED, {"identities": identities}, part="#identities"))
    return told


def _dated(traits: Fields) -> Fields:
    """The traits, of the birthday only the date: libraries write a moment of it."""
    birthday = traits.get("birthday")
    if not isinstance(birthday, str) or len(birthday) <= 10:
        return traits
    try:
        return {**traits, "birthday": format_day(day_of(birthday[:10]))}
    except InstantError:
        return traits


def _identities(traits: Fields, region: str | None) -> dict[str, str]:
    """Phone and e-mail among the traits, in their normal form, as far as they have one."""
    found = {}
    for kind in ("phone", "email"):
        value = traits.get(kind)
        if isinstance(value, str | int) and not isinstance(value, bool):
            try:
                found[kind] = normal(kind, str(value), region=region)
            except NotAnIdentity:
                continue  # it is still a trait
    return found
