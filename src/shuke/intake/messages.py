"""Messages of Segment's HTTP tracking specification: out of a body, whose, when, and under which key.

Specification: https://segment.com/docs/connections/spec/common/; ours: docs/reference/tracking.md.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

import msgspec
from msgspec import Struct

from shuke.books.identity_forms import is_placeholder
from shuke.replay.history.checks import MAX_ID, Refusal, read_id
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.ids import digest
from shuke.values.instants import DAY, MINUTE, Instant, InstantError, parse_instant

KINDS: Final = ("track", "identify", "page", "screen", "group", "alias")
"""What a message may be."""

MAX_MESSAGE: Final = 32 * 1024
"""Bytes of one message, as JSON without blanks."""

MAX_BODY: Final = 500 * 1024
"""Bytes of a request, unpacked."""

MAX_MESSAGES: Final = 2_500
"""Messages of a request."""

AHEAD: Final = 5 * MINUTE
"""How far a message may lie in the future; what lies further happened when it was received."""

REACH: Final = 7 * DAY
"""How far back a public key can tell: a limit of once a day must not be had for every day of a year."""

ANONYMOUS: Final = "anon:"
"""What the id of a member begins with who is known by an anonymousId only."""

_MAX_DEPTH: Final = 12
_VOLATILE: Final = frozenset(("sentAt", "receivedAt", "writeKey", "_metadata"))  # differ when a message is sent again
_SURROGATE: Final = re.compile("[\ud800-\udfff]")

_encode = msgspec.json.Encoder(order="deterministic").encode

Fields = dict[str, Any]


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

    @property
    def is_anonymous(self) -> bool:
        return self.member_id.startswith(ANONYMOUS)

    @property
    def browser(self) -> str:
        """The anonymousId of a message that tells nothing else of whose it is."""
        return self.member_id.removeprefix(ANONYMOUS)


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
        if len(messages) > MAX_MESSAGES:
            raise Unreadable(f"the batch has {len(messages)} messages; at most {MAX_MESSAGES} are allowed")
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

    ``public``: by a key that anybody may have (see ``tracking.is_public``), whose past is short.
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
    if not isinstance(kind, str) or kind not in KINDS:
        raise Refusal("type_unknown", f"a message is one of {', '.join(KINDS)}")
    request = digest(_encode([kind, {name: told[name] for name in told if name not in _VOLATILE}]))
    key = id_of(told, "messageId")
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


def id_of(told: Fields, name: str) -> str | None:
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
    found = id_of(told, name)
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
