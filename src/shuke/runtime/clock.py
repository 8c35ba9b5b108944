"""The one place that tells the time, and the worker that lets it pass for members."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, LiteralString

from psycopg import AsyncConnection

from shuke.engine.activity import TIME_PASSED, Activity
from shuke.values.instants import Instant

if TYPE_CHECKING:
    from shuke.runtime.settle import Settler

DUE_MEMBERS: LiteralString = """
    select member_id, seq from member
    where due_at <= 'epoch'::timestamptz + %s * interval '1 microsecond'
    order by due_at limit %s
    for update skip locked
"""


def now() -> Instant:
    """The present instant, microseconds since 1970 UTC."""
    return time.time_ns() // 1000


async def advance(
    settler: Settler,
    *,
    until: Instant,
    batch: int = 500,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Settle a ``time.passed`` activity for every member to whom something happens up to ``until``.

    Members another worker is busy with are skipped, and met again on the next round. Returns how many
    activities were settled. Interrupted at any point, the next call goes on where this one stopped.
    """
    total = 0
    while True:
        due = await settler.settle_due(lambda connection: _due(connection, until, batch), until=until)
        total += due
        if progress is not None:
            progress(total)
        if due == 0:
            return total


async def _due(connection: AsyncConnection[Any], until: Instant, batch: int) -> list[Activity]:
    cursor = await connection.execute(DUE_MEMBERS, (until, batch))
    return [
        Activity(TIME_PASSED, member_id, until, "clock", f"{member_id}@{seq}")
        for member_id, seq in await cursor.fetchall()
    ]
