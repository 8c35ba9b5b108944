"""Tracking: what the libraries of Segment and RudderStack send, taken as it comes.

The routes, bodies and answers are those of Segment's HTTP tracking API, so that a library only needs another
address and a key of ours. These routes alone may be called by pages of any site: they tell and never show.
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeAlias

import structlog
from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from shuke.books import tracking as reading
from shuke.books import waiting
from shuke.books.identity_forms import region_of
from shuke.books.waiting import Early, Waiting
from shuke.engine.activity import Activity
from shuke.engine.effects import Refused
from shuke.engine.refusals import sentence
from shuke.intake.ecommerce import Money
from shuke.intake.messages import (
    KINDS,
    MAX_BODY,
    MAX_MESSAGE,
    Body,
    Message,
    Reject,
    Unreadable,
    read_body,
    read_messages,
)
from shuke.intake.tracking import Desk, is_public, orders_in, overtaking, translate
from shuke.intake.waiting import WAITING_MOST
from shuke.program.document import Program
from shuke.replay.history.checks import Refusal
from shuke.runtime.clock import now
from shuke.runtime.settle import Answer
from shuke.web.api.callers import Call, address_of, admitted
from shuke.web.api.contract import Shown
from shuke.web.api.gate import Gate
from shuke.web.api.problems import Problem, WrongField, documented
from shuke.web.api.routes import name_of

log = structlog.get_logger()

router = APIRouter(tags=["Tracking"], generate_unique_id_function=name_of)

SHORT: Final = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias"}
"""What the browser library calls the routes: by their first letters."""

_OPEN: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After, X-Request-Id"}
_PREFLIGHT: Final = {
    **_OPEN,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, AnonymousId, X-Retry-Count",
    "Access-Control-Max-Age": "86400",
}
_GZIP: Final = 16 + zlib.MAX_WBITS


class Rejected(Shown):
    """A message that was not recorded."""

    index: int = Field(description="Its place in the batch, from 0.")
    message_id: str | None = Field(default=None, serialization_alias="messageId", description="If it has a good one.")
    code: str = Field(examples=["missing"])
    reason: str


class Received(Shown):
    """The request was read. Every message of it is recorded, except those rejected: sending these again is no use."""

    success: bool = True
    rejected: list[Rejected] | None = Field(default=None, description="Only where there are any.")


# -- Receiving --------------------------------------------------------------------------------------------


async def _receive(request: Request, kind: str | None) -> Received:
    """Settle what a request tells. ``kind`` is that of the one message it is; None for a batch."""
    request.scope["shuke.headers"].update(_OPEN)
    gate: Gate = request.app.state.gate
    authorization = request.headers.get("authorization")
    address = address_of(request)
    key = await gate.admit(authorization, address=address) if authorization else None
    body = await _body(request, batch=kind is None)
    if key is None:
        key = await gate.admit_secret(_write_key(request, body), address=address, scheme="Basic")
    call = admitted(request, gate, key)
    call.demand("track")
    call.count(len(body.messages))
    scopes = frozenset(call.caller.scopes)
    messages, rejects = read_messages(body, kind=kind, received_at=now(), public=is_public(scopes))
    if kind is not None and rejects and rejects[0].code == "too_large":
        raise Problem("body_too_large", status=400, most=MAX_MESSAGE)
    program = await call.shop.program()
    if messages:
        rejects += await _settle(call, messages, program)
    if not rejects:
        return Received()
    log.info("tracking.rejected", source=call.caller.source, codes=dict(Counter(reject.code for reject in rejects)))
    rejects.sort(key=lambda reject: reject.index)
    return Received(rejected=[Rejected(index=r.index, message_id=r.key, code=r.code, reason=r.reason) for r in rejects])


async def _body(request: Request, *, batch: bool) -> Body:
    """The body's messages, unpacked. Refused: ``body_too_large``, ``wrong_type``, ``invalid_request``."""
    packed = bytearray()
    size = 0
    async for piece in request.stream():
        size += len(piece)
        if size <= MAX_BODY:  # the rest is read all the same: a library cut off in the middle would send it again
            packed += piece
    if size > MAX_BODY:
        raise Problem("body_too_large", status=400, most=MAX_BODY)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", ""):
        raise Problem("wrong_type", expected="JSON, plain or packed with gzip")
    try:
        return read_body(_unpacked(bytes(packed)) if encoding == "gzip" else bytes(packed), batch=batch)
    except Unreadable as broken:
        wrong = WrongField(pointer="", code="json_invalid", detail=str(broken))
        raise Problem("invalid_request", errors=[wrong]) from None


def _unpacked(packed: bytes) -> bytes:
    """At most ``MAX_BODY`` bytes are ever unpacked, whatever the packed ones claim."""
    unpacking = zlib.decompressobj(_GZIP)
    try:
        body = unpacking.decompress(packed, MAX_BODY + 1)
    except zlib.error as broken:
        raise Unreadable(f"this is not packed with gzip: {broken}") from None
    if len(body) > MAX_BODY:
        raise Problem("body_too_large", status=400, most=MAX_BODY)
    if not unpacking.eof or unpacking.unused_data:
        raise Unreadable("what is packed with gzip is cut off, or goes on behind its end")
    return body


def _write_key(request: Request, body: Body) -> str | None:
    """The key of a page that cannot set headers: in the body, or (beacons) in the address."""
    return body.write_key or request.query_params.get("writeKey")


# -- Settling ---------------------------------------------------------------------------------------------


async def _settle(call: Call, messages: list[Message], program: Program) -> list[Reject]:
    """Settle all messages together, but for those that must wait for their order; those that did not become true, and
    why."""
    await _recognise(call, messages)
    desk, known = await _desk(call, messages, program)
    rejects: list[Reject] = []
    activities: list[Activity] = []
    told_by: list[Message] = []
    early: list[tuple[Message, Early]] = []
    for message in messages:
        try:
            if known is not None and message.member_id not in known:
                raise Refusal("member_unknown", "a key for tracking alone tells of members only")
            waits = overtaking(message, desk)
            if waits is not None:
                early.append((message, waits))
                continue
            for activity in translate(message, desk):
                activities.append(activity)
                told_by.append(message)
        except Refusal as refused:
            rejects.append(Reject(message.index, message.key, refused.code, refused.reason))
    answers = await _settled(call, activities, [message.request for message in told_by])
    for message, answer in zip(told_by, answers, strict=True):
        if answer.status != "settled":
            refused_as = Refused(answer.code or "", answer.facts)
            reason = sentence(refused_as, program, call.locale)
            rejects.append(Reject(message.index, message.key, refused_as.code, reason))
    if early:
        rejects += await _wait(call, desk.source, early, program)
    return rejects


async def _recognise(call: Call, messages: list[Message]) -> None:
    """What an anonymousId alone tells is hers who alone has signed in with it; what it tells of an order that was told
    before she did is still about that."""
    anonymous = [message for message in messages if message.is_anonymous]
    if not anonymous:
        return
    scopes = frozenset(call.caller.scopes)
    async with call.shop.reading() as connection:
        whose = await reading.whose_browsers(connection, [message.browser for message in anonymous])
        known = await waiting.known_orders(connection, orders_in(anonymous, scopes)) if whose else set()
    for message in anonymous:
        if message.browser in whose and not orders_in([message], scopes) & known:
            message.member_id = whose[message.browser]


async def _desk(call: Call, messages: list[Message], program: Program) -> tuple[Desk, set[str] | None]:
    """What it takes to read these messages, and whom they may be about; None: anybody."""
    scopes = frozenset(call.caller.scopes)
    known: set[str] | None = None
    wanted = orders_in(messages, scopes)
    money = Money(program.currency, program.scale)
    desk = Desk(f"track:{call.caller.source}", scopes, money, region_of(program.zone), {})
    if is_public(scopes) or wanted:
        async with call.shop.pool.connection() as connection:
            if is_public(scopes):
                known = await reading.known_members(connection, {message.member_id for message in messages})
            if wanted:
                desk.purchases = await reading.purchases(connection, wanted)
                desk.orders = await waiting.known_orders(connection, wanted)
    return desk, known


async def _wait(call: Call, source: str, early: list[tuple[Message, Early]], program: Program) -> list[Reject]:
    """Let what came before its order wait for it; what cannot, and why."""
    told = [waits for _, waits in early]
    async with call.shop.pool.connection() as connection:
        kept = await waiting.keep(connection, told, source=source, now=now(), most=WAITING_MOST)
    rejects = []
    for message, waits in early:
        refused = _not_kept(kept.get(waits.key), waits)
        if refused is not None:
            reason = sentence(refused, program, call.locale)
            rejects.append(Reject(message.index, message.key, refused.code, reason))
    return rejects


def _not_kept(found: Waiting | None, early: Early) -> Refused | None:
    """Why this does not wait, by what stands under its key; None: it does."""
    if found is None or (found.early.request == early.request and found.given_up is not None):
        return Refused("order_unknown", {"order_id": early.order_id})
    return None if found.early.request == early.request else Refused("key_reused", {})


async def _settled(call: Call, activities: list[Activity], requests: list[bytes]) -> list[Answer]:
    if len(activities) == 1:  # single messages share transactions with each other
        return [await call.shop.settle(activities[0], request=requests[0])]
    return await call.shop.settler.settle(activities, requests=requests)


# -- Routes -----------------------------------------------------------------------------------------------


_DOCUMENTED: Final = documented("wrong_type", "no_program")
_DOCUMENTED[400]["description"] += ", `body_too_large`"

_SENT: Final = {"messageId": "8e03978e-40d5-43e8-bc93-6894a57f9324", "timestamp": "2026-11-22T09:30:00.000Z"}
_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "track": {"event": "Product Viewed", "properties": {"sku": "BEAN-250", "price": 12.5}},
    "identify": {"traits": {"email": "ann@example.com", "birthday": "1990-02-28"}},
    "page": {"name": "Beans", "properties": {"path": "/beans"}},
    "screen": {"name": "Cart"},
    "group": {"groupId": "office-7", "traits": {"name": "The office"}},
    "alias": {"previousId": "39239-239239"},
}


def _documented(kind: str | None) -> dict[str, Any]:
    """What the document says of a route: bodies are read by hand, because every library sends its own."""
    message = {"userId": "m-1001", **_EXAMPLES[kind or "track"], **_SENT}
    schema: dict[str, Any] = {"type": "object", "examples": [message]}
    if kind is None:
        batch = {"batch": [{"type": "track", **message}], "sentAt": "2026-11-22T09:30:01.000Z"}
        properties = {"batch": {"type": "array"}}  # of anything: what is no message is rejected by itself
        schema = {"type": "object", "required": ["batch"], "properties": properties, "examples": [batch]}
    media = {"schema": schema}
    return {
        "requestBody": {"required": True, "content": {"application/json": media, "text/plain": media}},
        "security": [{"write_key": []}, {"key": []}, {}],
    }


Endpoint: TypeAlias = Callable[[Request], Awaitable[Received]]


def _route(path: str, kind: str | None) -> Callable[[Endpoint], Endpoint]:
    """A route for one kind of message; None: for a batch."""
    return router.post(path, responses=_DOCUMENTED, response_model_exclude_none=True, openapi_extra=_documented(kind))


@_route("/v1/track", "track")
async def track(request: Request) -> Received:
    """Something happened. E-commerce events by Segment's specification become activities of ours: `Order Completed`
    settles an order if the key also has `orders:write`. Any other event is an activity of its own: "Checked In" is
    `checked_in` if the key also has `activities:write`. What a key may not tell so that it counts is recorded under
    a type that begins with `told.`."""
    return await _receive(request, "track")


@_route("/v1/identify", "identify")
async def identify(request: Request) -> Received:
    """Traits of a member, and her phone and e-mail as identities (`members:write`)."""
    return await _receive(request, "identify")


@_route("/v1/page", "page")
async def page(request: Request) -> Received:
    """A page was seen: `page.viewed`."""
    return await _receive(request, "page")


@_route("/v1/screen", "screen")
async def screen(request: Request) -> Received:
    """A screen of an app was seen: `screen.viewed`."""
    return await _receive(request, "screen")


@_route("/v1/group", "group")
async def group(request: Request) -> Received:
    """A member belongs to a group: `group.joined`."""
    return await _receive(request, "group")


@_route("/v1/alias", "alias")
async def alias(request: Request) -> Received:
    """A member had another id before: `member.aliased`. It is recorded; nothing is merged."""
    return await _receive(request, "alias")


@_route("/v1/batch", None)
async def batch(request: Request) -> Received:
    """Several messages, at most 500 KB, each with its `type` and at most 32 KB. They are settled together and in
    order; one that cannot be read loses nothing but itself."""
    return await _receive(request, None)


@_route("/v1/import", None)
async def import_batch(request: Request) -> Received:
    """A batch of what happened in the past; the same as `batch`."""
    return await _receive(request, None)


async def _preflight() -> Response:
    return Response(status_code=204, headers=_PREFLIGHT)


_BY_KIND: Final[dict[str, Endpoint]] = {
    "track": track,
    "identify": identify,
    "page": page,
    "screen": screen,
    "group": group,
    "alias": alias,
}
_ALSO: Final[dict[str, Endpoint]] = {
    **{f"/v1/{letter}": _BY_KIND[kind] for letter, kind in SHORT.items()},
    "/v1/b": batch,
    "/v1/batch/": batch,
    "/v1/import/": batch,
    "/beacon/v1/batch": batch,
}
"""Other addresses that libraries use."""

for _path, _endpoint in _ALSO.items():
    router.add_api_route(_path, _endpoint, methods=["POST"], include_in_schema=False, response_model_exclude_none=True)
for _path in (*(f"/v1/{kind}" for kind in KINDS), "/v1/batch", "/v1/import", *_ALSO):
    router.add_api_route(_path, _preflight, methods=["OPTIONS"], include_in_schema=False)
