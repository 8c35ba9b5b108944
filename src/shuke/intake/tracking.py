"""What messages of Segment's tracking specification mean here: each becomes activities. Pure.

    body → messages (or why not, see ``messages``) → activities → settled together by whoever received them

A write key is public: it is in every page of the shop. What counts (orders, who a member is, whatever a program
gives value for) counts only from a key that may also write such things; from any other key the same message is kept
as an activity whose type begins with ``told.``, which no rule hears that does not name it.

Specification: https://segment.com/docs/connections/spec/; ours: docs/reference/tracking.md.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from shuke.books.identity_forms import NotAnIdentity, normal
from shuke.books.waiting import Early
from shuke.engine.activity import ORDER_PAID, UPDATED, Activity, Brought, Named, Purchase
from shuke.intake.ecommerce import (
    ABOUT_ORDERS,
    BROWSING_EVENTS,
    FIRST_VERSION,
    ORDER_EVENTS,
    Money,
    about_order,
    kept_until_order,
    order_id_of,
    purchase_of,
)
from shuke.intake.messages import Fields, Message, id_of
from shuke.replay.history.checks import Refusal
from shuke.values.instants import InstantError, day_of, format_day

BROWSER: Final = "anonymous"
"""The kind of identity that an anonymousId is."""

TOLD: Final = "told."
"""What a type begins with where the key may not tell such things so that they count."""

NAMED: Final = "event.named"
"""The type of events whose names make no type; the name is in the payload, as ``event``."""

ORDERS: Final = "orders:write"
MEMBERS: Final = "members:write"
ACTIVITIES: Final = "activities:write"
"""What a key must be good for, beyond tracking, for orders, traits and everything else to count."""

_COUNT: Final = frozenset((ORDERS, MEMBERS, ACTIVITIES))
_MAX_TYPE: Final = 100
_WORD: Final = re.compile(r"[a-z][a-z0-9_]*")


def is_public(scopes: frozenset[str]) -> bool:
    """Whether anybody may have a key of these scopes. Such a key makes no members (the first tier may come with a
    gift) and has a short past."""
    return not scopes & _COUNT


class Fact(Struct):
    """What a message says: the activity it is, and the scope that a key needs for it to count."""

    type: str
    scope: str
    payload: Fields


class Desk(Struct):
    """What it takes to make activities of one key's messages. ``scopes`` are those of the key.

    ``region`` (such as TW) is meant by phone numbers without a country code. ``orders`` are those there are, as
    (member, order id), and ``purchases`` the same as they were told, as far as they are asked for by ``orders_in``.
    """

    source: str
    scopes: frozenset[str]
    money: Money
    region: str | None
    purchases: dict[tuple[str, str], Purchase]
    orders: set[tuple[str, str]] = set()


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
    group = id_of(told, "groupId")
    if group is None:
        raise Refusal("missing", "groupId is missing")
    return Fact("group.joined", ACTIVITIES, {"group_id": group, "traits": _object(told, "traits")})


def _alias(told: Fields) -> Fact:
    previous = id_of(told, "previousId")
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
"""How each kind of message is read."""


# -- Activities -------------------------------------------------------------------------------------------


def orders_in(messages: list[Message], scopes: frozenset[str]) -> set[tuple[str, str]]:
    """(member, order id) of the orders that must be there for these messages to be settled."""
    wanted = set()
    for message in messages if ORDERS in scopes else ():
        try:
            fact = _about(message)
            if fact is not None:
                wanted.add((message.member_id, order_id_of(fact.payload)))
        except Refusal:
            continue  # it is refused again, with its reason, where it is translated
    return wanted


def _about(message: Message) -> Fact | None:
    """What is told of an order that another message brought; None for anything else."""
    fact = _track(message.fields) if message.kind == "track" else None
    return fact if fact is not None and fact.type in ABOUT_ORDERS else None


def overtaking(message: Message, desk: Desk) -> Early | None:
    """What must wait, because it is told of an order that is not there; None for anything else.

    Libraries send several batches at once, so that one may come before the one that was sent first. ``Refusal`` for
    what can be seen to be wrong without the order.
    """
    fact = _about(message)
    if fact is None or fact.scope not in desk.scopes:
        return None
    order_id = order_id_of(fact.payload)
    if (message.member_id, order_id) in desk.orders:
        return None
    told = kept_until_order(fact.type, fact.payload, desk.money)
    return Early(message.key, message.member_id, order_id, fact.type, message.occurred_at, message.request, told)


def translate(message: Message, desk: Desk) -> list[Activity]:
    """The activities that a message is: one, or for an ``identify`` with identities two. ``Refusal`` if it is none.

    Identities stand apart from traits: one that somebody else has is refused, and must not take the traits along.
    """
    fact = _FACTS[message.kind](message.fields)

    brought = _browser(message) if MEMBERS in desk.scopes and message.kind in _SIGNS_IN else None

    def activity(type_: str, payload: Fields, purchase: Purchase | None = None, part: str = "") -> Activity:
        key, came = message.key + part, None if part else brought
        at = message.occurred_at
        return Activity(type_, message.member_id, at, desk.source, key, payload or None, purchase, came)

    if fact.scope not in desk.scopes:
        return [activity(TOLD + fact.type, fact.payload)]
    if fact.type == ORDER_PAID:
        purchase = purchase_of(fact.payload, desk.money)
        desk.purchases.setdefault((message.member_id, purchase.order_id), purchase)
        desk.orders.add((message.member_id, purchase.order_id))
        return [activity(fact.type, {}, purchase)]
    if fact.type in ABOUT_ORDERS:
        order = (message.member_id, order_id_of(fact.payload))
        return [activity(fact.type, about_order(fact.type, fact.payload, desk.money, desk.purchases.get(order)))]
    if fact.type != UPDATED:
        return [activity(fact.type, fact.payload)]
    traits = fact.payload["traits"]
    told = [activity(UPDATED, {"traits": _dated(traits)})]
    identities = _identities(traits, desk.region)
    if identities:
        told.append(activity(UPDATED, {"identities": identities}, part="#identities"))
    return told


_SIGNS_IN: Final = {"identify": "anonymousId", "alias": "previousId"}
"""What says that a member is at a browser known until then by an id only, and where that id is told."""


def _browser(message: Message) -> Brought | None:
    """The browser she is at; None where it is not told, or is hers by name."""
    value = message.fields.get(_SIGNS_IN[message.kind])
    if message.is_anonymous or not isinstance(value, str):
        return None
    try:
        return Brought([Named(BROWSER, normal(BROWSER, value, region=None))])
    except NotAnIdentity:
        return None  # it names no browser; who she is was told all the same


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
