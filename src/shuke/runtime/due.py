"""The only scheduler of member facts: time passes for whoever has something due."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, LiteralString

from psycopg import AsyncConnection

from shuke.engine.activity import TIME_PASSED, Activity
from shuke.runtime.settle import Answer, Settler
from shuke.values.instants import Instant

DUE_MEMBERS: LiteralString = """
    select member_id, seq from member
    where due_at <= 'epoch'::timestamptz + %s * interval '1 microsecond' and member_id <> all(%s)
    order by due_at limit %s
    for update skip locked
"""


async def advance(
    settler: Settler,
    *,
    until: Instant,
    batch: int = 500,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Settle a ``time.passed`` activity for every member to whom something happens up to ``until``.

    Members another worker is busy with are skipped, and met again on the next round; one who cannot be
    settled is left for the next call. Returns how many activities were settled. Interrupted at any point,
    the next call goes on where this one stopped.
    """
    total = 0
    left: set[str] = set()
    while True:
        due = await settler.settle_due(lambda connection: _due(connection, until, batch, sorted(left)), most=batch)
        left.update(activity.member_id for activity, answer in due if _did_nothing(answer))
        total += sum(not _did_nothing(answer) for _, answer in due)
        if progress is not None:
            progress(total)
        if not due:
            return total


def _did_nothing(answer: Answer) -> bool:
    return answer.status != "settled" or answer.repeated


async def _due(connection: AsyncConnection[Any], until: Instant, batch: int, left: list[str]) -> list[Activity]:
    cursor = await connection.execute(DUE_MEMBERS, (until, left, batch))
    return [
        Activity(TIME_PASSED, member_id, until, "clock", f"{member_id}@{seq}")
        for member_id, seq in await cursor.fetchall()
    ]
