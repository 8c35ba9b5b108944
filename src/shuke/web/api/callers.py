"""One authenticated request, and what a door may do in its name.

A handler asks for it as a parameter: ``call: Annotated[Call, reading("members:read")]``, or with ``writing(…)``,
which also demands an ``Idempotency-Key``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from functools import lru_cache
from math import ceil
from typing import Annotated, Any, Final

from fastapi import Depends, Header, Request
from starlette.datastructures import Headers
from starlette.responses import Response

from shuke.books import load, requests
from shuke.books.keys import Key
from shuke.books.load import Connection
from shuke.books.requests import DOOR
from shuke.engine.activity import Activity, Brought, Purchase
from shuke.engine.effects import Refused
from shuke.engine.sentences import Locale, language_of
from shuke.runtime.clock import now
from shuke.runtime.settle import Answer
from shuke.runtime.shop import Shop
from shuke.values.ids import digest
from shuke.values.instants import SECOND, Instant
from shuke.web.api.contract import Shown, shown_moment
from shuke.web.api.gate import Gate
from shuke.web.api.problems import Problem, refusal

SCOPES: Final = (
    "members:read",
    "members:write",
    "member_codes:read",
    "member_codes:write",
    "orders:read",
    "orders:write",
    "carts:read",
    "carts:write",
    "points:read",
    "points:write",
    "stored_value:read",
    "stored_value:write",
    "coupons:read",
    "coupons:write",
    "tiers:read",
    "tiers:write",
    "catalog:read",
    "catalog:write",
    "segments:read",
    "segments:write",
    "programs:read",
    "programs:write",
    "activities:read",
    "activities:write",
    "webhooks:read",
    "webhooks:write",
    "keys:read",
    "keys:write",
    "track",
)
"""What a key may be good for."""

AHEAD: Final = 5 * 60 * SECOND
"""How far ahead of ours a caller's clock may be. What it tells within that happened now."""

AS_ONE: Final = 100
"""So many activities told together count as one request: about what they cost, beside one that comes alone."""

_KEY: Final = re.compile(r"[\x21-\x7e]{1,200}")


class Call:
    """One request by one key. ``key`` is its Idempotency-Key and ``request`` the digest of what it asks for
    (both empty for reads); ``headers`` go out with the answer."""

    __slots__ = ("caller", "gate", "headers", "id", "key", "locale", "request")

    def __init__(self, gate: Gate, caller: Key, *, locale: Locale, id_: str, headers: dict[str, str]) -> None:
        self.gate = gate
        self.caller = caller
        self.locale = locale
        self.id = id_
        self.headers = headers
        self.key = ""
        self.request = b""

    @property
    def shop(self) -> Shop:
        return self.gate.shop

    @property
    def source(self) -> str:
        """Whose activities these are. It never begins like a source of our own."""
        return DOOR + self.caller.source

    def has(self, scope: str) -> bool:
        return scope in self.caller.scopes

    def demand(self, scope: str) -> None:
        """Refused: ``scope_missing``."""
        if scope not in self.caller.scopes:
            raise Problem("scope_missing", scope=scope)

    def count(self, things: int) -> None:
        """Count a request by the many things it holds: as one for each ``AS_ONE`` of them, begun ones too."""
        more = ceil(things / AS_ONE) - 1
        if more > 0:
            self.headers.update(self.gate.charge(self.caller, more))

    def moment(self, told: Instant | None) -> Instant:
        """When something happened: as told, now if nothing is. Refused: ``occurred_in_the_future``."""
        present = now()
        if told is None:
            return present
        if told > present + AHEAD:
            raise Problem("occurred_in_the_future", now=shown_moment(present))
        return min(told, present)

    async def settle(
        self,
        type_: str,
        member_id: str,
        *,
        payload: dict[str, Any] | None = None,
        purchase: Purchase | None = None,
        brought: Brought | None = None,
        occurred_at: Instant | None = None,
    ) -> Answer:
        """Settle one activity, once for this request's key. Where ``brought`` says whose it is, ``member_id`` may be
        empty.

        Raises ``Problem`` for a refusal (422), a reused key, a time in the future.
        """
        at = self.moment(occurred_at)
        activity = Activity(type_, member_id, at, self.source, self.key, payload, purchase, brought)
        with self.gate.using(self.source, self.key, to="settle"):
            answer = await self.shop.settle(activity, request=self.request)
        if answer.repeated:
            self.headers["Idempotent-Replayed"] = "true"
        if answer.status == "settled":
            return answer
        if answer.status == "failed":
            raise Problem("fault")
        if answer.code == "key_reused":
            raise Problem("idempotency_key_reused")
        raise refusal(Refused(answer.code or "", answer.facts), await self.shop.program(), self.locale)

    async def whose(self, looking: Awaitable[str]) -> str:
        """The member an activity is for, once a look-up has found what it needs. Where that refuses although this
        key was settled before, she is who it was settled for: what is there may have changed since, and ``settle`` then
        gives the first answer (or says that the key was used for another request).

        Raises ``Problem``: what the look-up refuses; for a key that was used for what is no activity.
        """
        try:
            return await looking
        except Problem:
            async with self.shop.reading() as connection:
                known = await load.known_activities(connection, [(self.source, self.key)])
                if known:
                    return known[self.source, self.key].member_id
                if await requests.find(connection, source=self.source, key=self.key) is not None:
                    raise Problem("idempotency_key_reused") from None
            raise

    async def once(
        self,
        act: Callable[[Connection], Awaitable[Shown]],
        *,
        status: int = 201,
        hidden: tuple[str, ...] = (),
    ) -> Response:
        """Do what is no activity once for this request's key, in one transaction; a repeat gets the first answer.

        ``hidden`` fields (secrets) are shown the first time only and are null in a repeat: they are not kept.
        Raises ``Problem`` for a reused key, and what ``act`` raises: then nothing is done or kept.
        """
        try:
            with self.gate.using(self.source, self.key, to="act"):
                async with self.shop.pool.connection() as connection:
                    return await self._once(connection, act, status, hidden)
        except requests.UsedForActivity:
            raise Problem("idempotency_key_reused") from None

    async def _once(
        self,
        connection: Connection,
        act: Callable[[Connection], Awaitable[Shown]],
        status: int,
        hidden: tuple[str, ...],
    ) -> Response:
        source, at = self.source, datetime.fromtimestamp(now() / SECOND, UTC)
        given = await requests.take(connection, source=source, key=self.key, digest=self.request, at=at)
        if given is not None:
            if given.digest != self.request:
                raise Problem("idempotency_key_reused")
            self.headers["Idempotent-Replayed"] = "true"
            return Response(given.answer, given.status, media_type="application/json")
        made = await act(connection)
        kept = made.model_copy(update=dict.fromkeys(hidden))
        await requests.keep(connection, source=source, key=self.key, status=status, answer=kept.model_dump_json())
        return Response(made.model_dump_json(), status, media_type="application/json")


async def call_of(request: Request) -> Call:
    """Who is calling. Refused: what ``Gate.admit`` refuses, ``rate_limited``."""
    gate: Gate = request.app.state.gate
    told = request.headers
    return admitted(request, gate, await gate.admit(told.get("authorization"), address=address_of(request)))


def address_of(request: Request) -> str:
    """Where a request comes from; empty where its connection has no address."""
    return request.client.host if request.client is not None else ""


def admitted(request: Request, gate: Gate, key: Key) -> Call:
    """The call of a key that was admitted, counted. Refused: ``rate_limited``."""
    headers: dict[str, str] = request.scope["shuke.headers"]
    headers.update(gate.allow(key))
    return Call(gate, key, locale=locale_of(request.headers), id_=request.scope["shuke.id"], headers=headers)


class Admission:
    """What a route depends on: the call, by a key that has ``scope``."""

    def __init__(self, scope: str) -> None:
        self.scope = scope

    async def __call__(self, request: Request) -> Call:
        return await self.admit(request)

    async def admit(self, request: Request) -> Call:
        """Refused: ``scope_missing``."""
        call: Call = request.scope["shuke.call"]
        call.demand(self.scope)
        return call


class AdmissionOnce(Admission):
    """The same for a request that changes something, with the key under which it is done once."""

    async def __call__(
        self,
        request: Request,
        idempotency_key: Annotated[
            str | None,
            Header(
                description="Chosen by you, new for each thing you want done; send the same one to try again.",
                examples=["8e03978e-40d5-43e8-bc93-6894a57f9324"],
            ),
        ] = None,
    ) -> Call:
        return await self.admit(request)

    async def admit(self, request: Request) -> Call:
        """Refused: ``scope_missing``, ``idempotency_key_missing``, ``idempotency_key_invalid``."""
        call = await super().admit(request)
        key = request.headers.get("idempotency-key")
        if key is None:
            raise Problem("idempotency_key_missing")
        if not _KEY.fullmatch(key):
            raise Problem("idempotency_key_invalid")
        call.key = key
        call.request = digest(asked(request) + await request.body())
        return call


def asked(request: Request) -> bytes:
    """What is asked for beside the body: method, address, its query and ``If-Match``."""
    scope = request.scope
    head = [f"{scope['method']} {scope['path']}"]
    if scope["query_string"]:
        head.append(f"?{scope['query_string'].decode('latin-1')}")
    match = request.headers.get("if-match")
    if match is not None:
        head.append(f"if-match {match}")
    return "\x01".join(head).encode() + b"\n"  # a letter that none of them can have


def reading(scope: str) -> Any:
    """A parameter: the call, by a key that has ``scope``."""
    return Depends(Admission(scope))


def writing(scope: str) -> Any:
    """A parameter: the call, by a key that has ``scope``, with the key under which it is done once."""
    return Depends(AdmissionOnce(scope))


def locale_of(headers: Headers) -> Locale:
    """The language the caller asks for in ``Accept-Language``, of the three there are."""
    return _locale(headers.get("accept-language", ""))


@lru_cache(maxsize=1000)
def _locale(told: str) -> Locale:
    wanted: list[tuple[float, int, str]] = []
    for place, item in enumerate(told.split(",")):
        tag, _, quality = item.partition(";q=")
        try:
            wanted.append((-float(quality or 1), place, tag.strip().lower()))
        except ValueError:
            continue
    for _, _, tag in sorted(wanted):
        if tag.startswith(("en", "zh")):
            return language_of(tag)
    return "en"
