"""Codes that members show at tills: their secrets, and which of them were used."""

from __future__ import annotations

from datetime import datetime
from typing import LiteralString

from msgspec import Struct
from psycopg.rows import class_row

from shuke.books.load import Connection
from shuke.values.ids import bucket_of

_COLUMNS: LiteralString = "serial, member_id, secret, failures, failed_at"

OF_MEMBER: LiteralString = f"select {_COLUMNS} from member_code where bucket = %s and member_id = %s"

BY_SERIAL: LiteralString = f"select {_COLUMNS} from member_code where serial = %s for update"

# Two phones may ask at once; a number that is taken is no one's fault. Whoever asks looks again afterwards.
ADD: LiteralString = """
    insert into member_code (serial, bucket, member_id, secret, made_at) values (%s, %s, %s, %s, %s)
    on conflict do nothing
"""

FORGET_MEMBER: LiteralString = "delete from member_code where bucket = %s and member_id = %s"

USE: LiteralString = "insert into member_code_use (step, serial) values (%s, %s) on conflict do nothing"

# Failures from long ago are forgiven.
FAIL: LiteralString = """
    update member_code set failures = case when failed_at > %(since)s then failures + 1 else 1 end, failed_at = %(at)s
    where serial = %(serial)s
"""

FORGET_USES: LiteralString = "delete from member_code_use where step < %s"


class MemberCode(Struct, frozen=True):
    """What a member's codes are made of."""

    serial: int
    member_id: str
    secret: bytes
    failures: int
    failed_at: datetime | None


async def of_member(connection: Connection, member_id: str) -> MemberCode | None:
    async with connection.cursor(row_factory=class_row(MemberCode)) as cursor:
        await cursor.execute(OF_MEMBER, (bucket_of(member_id), member_id))
        return await cursor.fetchone()


async def by_serial(connection: Connection, serial: int) -> MemberCode | None:
    """The one with this number, locked to the end of the transaction."""
    async with connection.cursor(row_factory=class_row(MemberCode)) as cursor:
        await cursor.execute(BY_SERIAL, (serial,))
        return await cursor.fetchone()


async def add(connection: Connection, member_id: str, *, serial: int, secret: bytes, at: datetime) -> None:
    """Give the member codes, unless she has some or the number is taken."""
    await connection.execute(ADD, (serial, bucket_of(member_id), member_id, secret, at))


async def forget_member(connection: Connection, member_id: str) -> None:
    """All codes of the member end."""
    await connection.execute(FORGET_MEMBER, (bucket_of(member_id), member_id))


async def use(connection: Connection, serial: int, *, step: int) -> bool:
    """Use the code of this half minute; False if it was used before."""
    cursor = await connection.execute(USE, (step, serial))
    return cursor.rowcount == 1


async def fail(connection: Connection, serial: int, *, at: datetime, since: datetime) -> None:
    """Count a wrong code; those before ``since`` no longer count."""
    await connection.execute(FAIL, {"serial": serial, "at": at, "since": since})


async def forget_uses(connection: Connection, *, before: int) -> int:
    """Forget which codes of half minutes before this one were used; returns how many."""
    cursor = await connection.execute(FORGET_USES, (before,))
    return cursor.rowcount
