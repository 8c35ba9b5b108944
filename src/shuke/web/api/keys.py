"""API keys: made, listed, rotated, revoked. A secret is shown once; only its digest is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from secrets import token_urlsafe
from typing import Annotated

from fastapi import Query
from pydantic import AfterValidator, Field
from starlette.responses import Response
from uuid_utils import uuid7

from shuke.books import keys
from shuke.books.keys import Key
from shuke.books.load import Connection
from shuke.runtime.clock import now
from shuke.values.ids import typed_id
from shuke.values.instants import SECOND
from shuke.web.api import contract
from shuke.web.api.callers import SCOPES, Call, reading, writing
from shuke.web.api.contract import Id, Page, Shown, Told
from shuke.web.api.gate import digest_of
from shuke.web.api.problems import Problem, documented
from shuke.web.api.routes import doors

router = doors("API keys")

PER_MINUTE = 6_000
_PREFIX = "shk_"
_HINT = 10  # characters of the secret that stay visible

Cursor = Annotated[contract.Line, Query(description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]


def _known(scopes: list[str]) -> list[str]:
    unknown = [scope for scope in scopes if scope not in SCOPES]
    if unknown:
        raise ValueError(f"{unknown[0]} is no scope; there are: {', '.join(SCOPES)}")
    return sorted(set(scopes))


Scopes = Annotated[list[str], Field(min_length=1, max_length=len(SCOPES)), AfterValidator(_known)]


class KeyTold(Told):
    """A key to be made."""

    name: contract.Line = Field(min_length=1, description="For people: whose it is.", examples=["Web shop"])
    source: str = Field(
        pattern=r"^[a-z][a-z0-9-]{0,39}$",
        description="Names your system in the books and stays when the key is rotated: two keys of one source "
        "recognise each other's repeated requests.",
        examples=["webshop"],
    )
    scopes: Scopes = Field(examples=[["orders:write", "members:read"]])
    per_minute: int = Field(default=PER_MINUTE, ge=1, le=1_000_000, description="Requests a minute.")


class KeyRotated(Told):
    """How long the old secret stays good."""

    overlap_minutes: int = Field(default=60 * 24, ge=0, le=60 * 24 * 30)


class KeyShown(Shown):
    """An API key."""

    key_id: str = Field(examples=["key_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    name: str
    source: str
    hint: str = Field(description="The first characters of the secret.")
    scopes: list[str]
    per_minute: int
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None = Field(description="To the minute or so.")


class KeyMade(KeyShown):
    """A key with its secret, which is shown this once; null if the request is repeated."""

    secret: str | None = Field(examples=["shk_…"])


def key_shown(key: Key) -> KeyShown:
    return KeyShown.model_validate(key, from_attributes=True)


async def make_key(
    connection: Connection, *, name: str, source: str, scopes: list[str], per_minute: int = PER_MINUTE
) -> KeyMade:
    """Make a key; its secret, 256 random bits, is in the answer and nowhere else."""
    secret = _PREFIX + token_urlsafe(32)
    key = await keys.add(
        connection,
        key_id=typed_id("key", uuid7().bytes),
        name=name,
        source=source,
        hint=secret[:_HINT],
        digest=digest_of(secret),
        scopes=scopes,
        per_minute=per_minute,
        created_at=_present(),
        expires_at=None,
    )
    return KeyMade(**key_shown(key).model_dump(), secret=secret)


@router.post("/keys", status_code=201, response_model=KeyMade, responses=documented("scope_missing", writing=True))
async def create_key(told: KeyTold, call: Annotated[Call, writing("keys:write")]) -> Response:
    """Make an API key. Nobody can give a key more than his own key has."""
    for scope in told.scopes:
        call.demand(scope)

    async def act(connection: Connection) -> KeyMade:
        return await make_key(
            connection, name=told.name, source=told.source, scopes=told.scopes, per_minute=told.per_minute
        )

    return await call.once(act, hidden=("secret",))


@router.get("/keys", responses=documented())
async def list_keys(
    call: Annotated[Call, reading("keys:read")], cursor: Cursor = "", limit: Limit = 50
) -> Page[KeyShown]:
    """All API keys, in the order in which they were made."""
    async with call.shop.reading() as connection:
        found = await keys.page(connection, after=cursor, limit=limit + 1)
    items = [key_shown(key) for key in found[:limit]]
    return Page(items=items, next=items[-1].key_id if len(found) > limit else None)


@router.get("/keys/{key_id}", responses=documented("not_found"))
async def get_key(key_id: Id, call: Annotated[Call, reading("keys:read")]) -> KeyShown:
    """One API key."""
    async with call.shop.reading() as connection:
        return key_shown(_there(await keys.by_id(connection, key_id)))


@router.post(
    "/keys/{key_id}/rotate",
    status_code=201,
    response_model=KeyMade,
    responses=documented("not_found", "key_ended", writing=True),
)
async def rotate_key(key_id: Id, told: KeyRotated, call: Annotated[Call, writing("keys:write")]) -> Response:
    """Make a key that follows this one, with the same name, source and scopes; this one ends after the overlap.

    A key that was revoked or has expired stays without a successor: what it was good for has ended with it.
    """

    async def act(connection: Connection) -> KeyMade:
        old, at = _there(await keys.by_id(connection, key_id, lock=True)), _present()
        for scope in old.scopes:
            call.demand(scope)
        if old.revoked_at is not None or (old.expires_at is not None and old.expires_at <= at):
            raise Problem("key_ended")
        await keys.expire(connection, key_id, at=at + timedelta(minutes=told.overlap_minutes))
        return await make_key(
            connection, name=old.name, source=old.source, scopes=old.scopes, per_minute=old.per_minute
        )

    made = await call.once(act, hidden=("secret",))
    call.gate.forget(key_id)
    return made


@router.post("/keys/{key_id}/revoke", response_model=KeyShown, responses=documented("not_found", writing=True))
async def revoke_key(key_id: Id, call: Annotated[Call, writing("keys:write")]) -> Response:
    """End a key for good, at once. Other servers of this shop refuse it within five seconds."""

    async def act(connection: Connection) -> KeyShown:
        return key_shown(_there(await keys.revoke(connection, key_id, at=_present())))

    done = await call.once(act, status=200)
    call.gate.forget(key_id)
    return done


def _there(key: Key | None) -> Key:
    if key is None:
        raise Problem("not_found")
    return key


def _present() -> datetime:
    return datetime.fromtimestamp(now() / SECOND, UTC)
