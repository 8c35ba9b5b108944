"""Answers to requests that are no activities, kept so that a repeat is answered like the first."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from shuke.books.load import Connection

# Two deliveries at once wait here for each other: the second finds the row of the first.
TAKE: LiteralString = """
    insert into request (source, key, digest, status, answer, at) values (%s, %s, %s, 0, 'null', %s)
    on conflict do nothing returning true
"""

FIND: LiteralString = "select digest, status, answer::text from request where source = %s and key = %s"

KEEP: LiteralString = "update request set status = %s, answer = %s where source = %s and key = %s"

FORGET: LiteralString = "delete from request where at < %s"


class Given(Struct):
    """The answer a request got: HTTP status and JSON text."""

    digest: bytes
    status: int
    answer: str


async def take(connection: Connection, *, source: str, key: str, digest: bytes, at: datetime) -> Given | None:
    """Claim a key inside a transaction; None if it is ours now, else what was answered under it."""
    cursor = await connection.execute(TAKE, (source, key, digest, at))
    if await cursor.fetchone() is not None:
        return None
    cursor = await connection.execute(FIND, (source, key))
    row = await cursor.fetchone()
    assert row is not None  # what conflicted is there: rows go only after weeks
    return Given(*row)


async def keep(connection: Connection, *, source: str, key: str, status: int, answer: str) -> None:
    """The answer under a key that ``take`` claimed in this transaction."""
    await connection.execute(KEEP, (status, answer, source, key))


async def forget(connection: Connection, *, before: datetime) -> int:
    """Delete answers older than ``before``; returns how many."""
    cursor = await connection.execute(FORGET, (before,))
    return cursor.rowcount
