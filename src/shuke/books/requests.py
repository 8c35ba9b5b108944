"""Answers to requests that are no activities, kept so that a repeat is answered like the first.

A key of a source is good for one thing, be it an activity or not. These are kept in two tables, and each looks into the
other: ``take`` and ``keep`` here, ``load.begin`` there. Two transactions at the same moment do not see each other; then
both are done, and each is answered the same when it comes again.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, LiteralString

from msgspec import Struct

from shuke.books.load import Connection

DOOR: Final = "api:"
"""What the source of whoever brings Idempotency-Keys begins with."""

_NO_ACTIVITY: LiteralString = (
    "not exists (select from activity where activity.source = %(source)s and activity.key = %(key)s)"
)

# Two deliveries at once wait here for each other: the second finds the row of the first.
TAKE: LiteralString = f"""
    insert into request (source, key, digest, status, answer, at)
    select %(source)s, %(key)s, %(digest)s, 0, 'null', %(at)s where {_NO_ACTIVITY}
    on conflict do nothing returning true
"""

FIND: LiteralString = "select digest, status, answer::text from request where source = %s and key = %s"

KEEP: LiteralString = f"""
    update request set status = %(status)s, answer = %(answer)s
    where source = %(source)s and key = %(key)s and {_NO_ACTIVITY} returning true
"""

FORGET: LiteralString = "delete from request where at < %s"


class UsedForActivity(Exception):
    """An activity was settled under this key."""


class Given(Struct):
    """The answer a request got: HTTP status and JSON text."""

    digest: bytes
    status: int
    answer: str


async def take(connection: Connection, *, source: str, key: str, digest: bytes, at: datetime) -> Given | None:
    """Claim a key inside a transaction; None if it is ours now, else what was answered under it.

    Raises ``UsedForActivity``.
    """
    cursor = await connection.execute(TAKE, {"source": source, "key": key, "digest": digest, "at": at})
    if await cursor.fetchone() is not None:
        return None
    found = await find(connection, source=source, key=key)
    if found is None:
        raise UsedForActivity
    return found


async def find(connection: Connection, *, source: str, key: str) -> Given | None:
    """What was answered under a key; None if nothing was."""
    cursor = await connection.execute(FIND, (source, key))
    row = await cursor.fetchone()
    return None if row is None else Given(*row)


async def keep(connection: Connection, *, source: str, key: str, status: int, answer: str) -> None:
    """The answer under a key that ``take`` claimed in this transaction. Raises ``UsedForActivity``: meanwhile."""
    told = {"source": source, "key": key, "status": status, "answer": answer}
    cursor = await connection.execute(KEEP, told)
    if await cursor.fetchone() is None:
        raise UsedForActivity


async def forget(connection: Connection, *, before: datetime) -> int:
    """Delete answers older than ``before``; returns how many."""
    cursor = await connection.execute(FORGET, (before,))
    return cursor.rowcount
