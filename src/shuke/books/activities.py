"""Reading activities as they were told, with their answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from msgspec import Raw, Struct, json

from shuke.books.load import Connection
from shuke.engine.activity import Activity
from shuke.values.ids import bucket_of
from shuke.values.instants import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ACTIVITY: LiteralString = "select id, seq, recorded_at, version, body::text, answer::text from activity"

BY_ID: LiteralString = _ACTIVITY + " where id = %b"

OF_MEMBER: LiteralString = (
    _ACTIVITY + " where bucket = %b::int2 and member_id = %b and seq < %b order by seq desc limit %b::int"
)


OF_TYPES: LiteralString = (
    _ACTIVITY
    + """ where bucket = %b::int2 and member_id = %b and seq < %b and type = any(%b::text[])
    order by seq desc limit %b::int"""
)


class Answered(Struct):
    """What was answered: a refusal's ``code`` and ``facts``, else the engine's ``body``."""

    code: str | None = None
    facts: dict[str, Any] = {}
    body: Raw = Raw(b"{}")


class Recorded(Struct):
    """An activity of the books. ``seq`` is its place among its member's, ``version`` the newest of the program when it
    was settled."""

    id: int
    activity: Activity
    seq: int
    recorded_at: Instant
    version: int
    answer: Answered


_BEYOND = 2**62  # no member has so many activities

_activity = json.Decoder(Activity, float_hook=str).decode
_answered = json.Decoder(Answered).decode


async def by_id(connection: Connection, activity_id: int) -> Recorded | None:
    """The activity of this number; None if there is none."""
    cursor = await connection.execute(BY_ID, (activity_id,))
    row = await cursor.fetchone()
    return None if row is None else _recorded(*row)


async def of_member(connection: Connection, member_id: str, *, before: int | None, most: int) -> list[Recorded]:
    """The member's activities, the latest settled first; those with a ``seq`` below ``before``."""
    below = _BEYOND if before is None else before
    cursor = await connection.execute(OF_MEMBER, (bucket_of(member_id), member_id, below, most), prepare=True)
    return [_recorded(*row) for row in await cursor.fetchall()]


async def of_types(
    connection: Connection, member_id: str, types: list[str], *, before: int | None, most: int
) -> list[Recorded]:
    """The member's activities of these types, the latest settled first; those with a ``seq`` below ``before``."""
    below = _BEYOND if before is None else before
    cursor = await connection.execute(OF_TYPES, (bucket_of(member_id), member_id, below, types, most))
    return [_recorded(*row) for row in await cursor.fetchall()]


def body_of(recorded: Recorded) -> dict[str, Any]:
    """What the engine answered."""
    found: dict[str, Any] = json.decode(recorded.answer.body)
    return found


def _recorded(id_: int, seq: int, recorded_at: datetime, version: int, body: str, answer: str) -> Recorded:
    at = (recorded_at - _EPOCH) // timedelta(microseconds=1)
    return Recorded(id_, _activity(body), seq, at, version, _answered(answer))
