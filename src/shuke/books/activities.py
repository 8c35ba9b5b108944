"""Reading one activity as it was told, with its answer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from msgspec import Raw, Struct, json

from shuke.books.load import Connection
from shuke.engine.activity import Activity
from shuke.values.instants import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BY_ID: LiteralString = "select seq, recorded_at, version, body::text, answer::text from activity where id = %b"


class Answered(Struct):
    """What was answered: a refusal's ``code`` and ``facts``, else the engine's ``body``."""

    code: str | None = None
    facts: dict[str, Any] = {}
    body: Raw = Raw(b"{}")


class Recorded(Struct):
    """An activity of the books. ``seq`` is its place among its member's, ``version`` the newest of the program when it
    was settled."""

    activity: Activity
    seq: int
    recorded_at: Instant
    version: int
    answer: Answered


_activity = json.Decoder(Activity, float_hook=str).decode
_answered = json.Decoder(Answered).decode


async def by_id(connection: Connection, activity_id: int) -> Recorded | None:
    """The activity of this number; None if there is none."""
    cursor = await connection.execute(BY_ID, (activity_id,))
    row = await cursor.fetchone()
    if row is None:
        return None
    seq, recorded_at, version, body, answer = row
    at = (recorded_at - _EPOCH) // timedelta(microseconds=1)
    return Recorded(_activity(body), seq, at, version, _answered(answer))
