"""The only scheduler of member facts: time passes for whoever has something due, and for everybody when a version comes
into force under which time may do something else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, LiteralString

import structlog
from psycopg import AsyncConnection

from shuke.books import sweeps
from shuke.books.away import Held
from shuke.engine.activity import TIME_PASSED, Activity
from shuke.runtime.settle import Answer, Patience, Settler
from shuke.values.instants import Instant

log = structlog.get_logger()

DUE_MEMBERS: LiteralString = """
    select member_id, seq from member
    where due_at <= 'epoch'::timestamptz + %s * interval '1 microsecond' and member_id <> all(%s)
    order by due_at limit %s
    for update skip locked
"""

SWEEPING: Final = Patience(lock=1, whole=120)
"""A sweep is in no hurry: whoever holds a member is waited for between two rounds, while others are due."""


async def advance(
    settler: Settler,
    *,
    until: Instant,
    batch: int = 500,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Settle a ``time.passed`` activity for every member to whom something happens up to ``until``, and then for every
    member who has yet to meet a version that is in force by then, a page at a time and after whoever is due.

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
            met = await _sweep(settler, until=until, batch=batch)
            if met is None:
                return total
            total += met


async def _sweep(settler: Settler, *, until: Instant, batch: int) -> int | None:
    """Let one page of members meet the version that a sweep is about; how many did, None if nobody has to or can."""
    page = await settler.beside(lambda connection: sweeps.page(connection, until=until, most=batch))
    if page is None:
        return None
    # The version is the key: whoever comes to this page again, or beside us, does it once.
    activities = [
        Activity(TIME_PASSED, member_id, until, "clock", f"{member_id}@version {page.version}")
        for member_id in page.members
    ]
    try:
        answers = await settler.settle(activities, patience=SWEEPING)
    except Held as held:
        log.info("sweep.waits", version=page.version, members=len(held.positions))
        return None
    await settler.beside(lambda connection: sweeps.met(connection, page))
    if page.is_last:
        log.info("sweep.ended", version=page.version)
    return sum(not _did_nothing(answer) for answer in answers)


def _did_nothing(answer: Answer) -> bool:
    return answer.status != "settled" or answer.repeated


async def _due(connection: AsyncConnection[Any], until: Instant, batch: int, left: list[str]) -> list[Activity]:
    cursor = await connection.execute(DUE_MEMBERS, (until, left, batch))
    return [
        Activity(TIME_PASSED, member_id, until, "clock", f"{member_id}@{seq}")
        for member_id, seq in await cursor.fetchall()
    ]
