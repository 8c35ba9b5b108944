"""API keys: who may call, and for what. The secret is shown once and kept nowhere; its digest finds the key."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, LiteralString

from msgspec import Struct
from psycopg.rows import class_row

from shuke.books.load import Connection

_COLUMNS: LiteralString = """
    key_id, name, source, hint, scopes, per_minute, created_at, expires_at, revoked_at, last_used_at
"""

BY_DIGEST: LiteralString = f"select {_COLUMNS} from api_key where digest = %s"

BY_ID: LiteralString = f"select {_COLUMNS} from api_key where key_id = %s"

LOCK: LiteralString = f"{BY_ID} for update"

DIGESTS: LiteralString = "select digest from api_key where revoked_at is null"

PAGE: LiteralString = f"""
    select {_COLUMNS} from api_key where key_id > %s order by key_id limit %s
"""

ADD: LiteralString = f"""
    insert into api_key (key_id, name, source, hint, digest, scopes, per_minute, created_at, expires_at)
    values (%(key_id)s, %(name)s, %(source)s, %(hint)s, %(digest)s, %(scopes)s, %(per_minute)s, %(created_at)s,
        %(expires_at)s)
    returning {_COLUMNS}
"""

REVOKE: LiteralString = f"""
    update api_key set revoked_at = coalesce(revoked_at, %s) where key_id = %s returning {_COLUMNS}
"""

EXPIRE: LiteralString = f"""
    update api_key set expires_at = least(coalesce(expires_at, 'infinity'), %s) where key_id = %s returning {_COLUMNS}
"""

TOUCH: LiteralString = """
    update api_key k set last_used_at = greatest(k.last_used_at, u.at)
    from unnest(%s::text[], %s::timestamptz[]) as u (key_id, at) where k.key_id = u.key_id
"""


class Key(Struct, frozen=True):
    """An API key. ``source`` names its owner's system in the books and stays when the key is rotated."""

    key_id: str
    name: str
    source: str
    hint: str
    scopes: list[str]
    per_minute: int
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None


async def by_digest(connection: Connection, digest: bytes) -> Key | None:
    """The key with this digest of its secret, also a revoked or expired one."""
    return await _one(connection, BY_DIGEST, (digest,))


async def by_id(connection: Connection, key_id: str, *, lock: bool = False) -> Key | None:
    """The key with this id; with ``lock`` nobody else changes it before the transaction ends."""
    return await _one(connection, LOCK if lock else BY_ID, (key_id,))


async def digests(connection: Connection) -> frozenset[bytes]:
    """The digests of all keys that were not revoked."""
    cursor = await connection.execute(DIGESTS)
    return frozenset([digest for (digest,) in await cursor.fetchall()])


async def page(connection: Connection, *, after: str, limit: int) -> list[Key]:
    """Keys in the order in which they were made, those behind the id ``after``."""
    async with connection.cursor(row_factory=class_row(Key)) as cursor:
        await cursor.execute(PAGE, (after, limit))
        return await cursor.fetchall()


async def add(
    connection: Connection,
    *,
    key_id: str,
    name: str,
    source: str,
    hint: str,
    digest: bytes,
    scopes: Iterable[str],
    per_minute: int,
    created_at: datetime,
    expires_at: datetime | None,
) -> Key:
    arguments = {
        "key_id": key_id,
        "name": name,
        "source": source,
        "hint": hint,
        "digest": digest,
        "scopes": list(scopes),
        "per_minute": per_minute,
        "created_at": created_at,
        "expires_at": expires_at,
    }
    added = await _one(connection, ADD, arguments)
    assert added is not None  # an insert returns its row
    return added


async def revoke(connection: Connection, key_id: str, *, at: datetime) -> Key | None:
    """The key, good for nothing from ``at`` on (or since it was revoked before); None if there is none."""
    return await _one(connection, REVOKE, (at, key_id))


async def expire(connection: Connection, key_id: str, *, at: datetime) -> Key | None:
    """The key, good until ``at`` at most; None if there is none."""
    return await _one(connection, EXPIRE, (at, key_id))


async def touch(connection: Connection, used: Mapping[str, datetime]) -> None:
    """Remember when keys (by id) were last used."""
    await connection.execute(TOUCH, (list(used), list(used.values())))


async def _one(connection: Connection, query: LiteralString, arguments: Any) -> Key | None:
    async with connection.cursor(row_factory=class_row(Key)) as cursor:
        await cursor.execute(query, arguments)
        return await cursor.fetchone()
