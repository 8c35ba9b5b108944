"""What a process does by itself, over and over, until it is told to stop: a *round* each of time, deliveries, upkeep.

A round does what is due now and says after how many seconds to look again. A database that is away, or a round that
fails, is told to the log and tried again; nothing ends a worker but being stopped, and then only between two rounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from psycopg import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout

from shuke.books import connect, requests, sweeps, waiting
from shuke.books.backlog import backlog
from shuke.books.statements import next_due
from shuke.runtime import member_codes
from shuke.runtime.clock import now
from shuke.runtime.due import advance
from shuke.runtime.figures import LOOK_SECONDS, Figures
from shuke.runtime.settle import NotPublished, Pool, Settler
from shuke.values.instants import DAY, SECOND

log = structlog.get_logger()

Round = Callable[[], Awaitable[float]]

AWAY = (OperationalError, InterfaceError, PoolTimeout)
"""What a database that cannot be reached raises."""

ANSWERS_KEPT: Final = timedelta(days=30)
"""How long a repeated request that is no activity still gets its first answer."""

GIVEN_UP_KEPT: Final = 30 * DAY
"""How long it is shown what waited for its order in vain."""

_LOOK_EVERY = 5.0  # seconds at most between two looks at who is due
_AGAIN_AFTER = 2.0  # seconds between tries at what did not go
_AFTER_A_FAULT = 30.0
_UPKEEP_EVERY = 3600.0


async def work(rounds: Mapping[str, Round], *, stopping: asyncio.Event) -> None:
    """Keep going round until ``stopping`` is set. ``rounds`` have names, for the log."""
    async with asyncio.TaskGroup() as group:
        for name, round_ in rounds.items():
            group.create_task(_repeat(name, round_, stopping))


async def _repeat(name: str, round_: Round, stopping: asyncio.Event) -> None:
    while not stopping.is_set():
        try:
            seconds = await round_()
        except NotPublished:
            seconds = _LOOK_EVERY
        except AWAY as away:
            log.warning("work.database_away", worker=name, why=type(away).__name__)
            seconds = _AGAIN_AFTER
        except Exception:
            log.exception("work.failed", worker=name)
            seconds = _AFTER_A_FAULT
        await wait(stopping, seconds)


async def wait(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, or until somebody asks to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass


class _Stopped(Exception):
    """Raised between two batches, after somebody asked to stop."""


def clock(pool: Pool, settler: Settler, *, batch: int, stopping: asyncio.Event) -> Round:
    """Lets time pass for members, ``batch`` at a time: value ripens and ends, tiers are reviewed, holds lapse."""

    def heard(_: int) -> None:
        if stopping.is_set():
            raise _Stopped

    async def round_() -> float:
        try:
            settled = await advance(settler, until=now(), batch=batch, progress=heard)
        except _Stopped:
            return 0.0
        if settled:
            log.info("clock.advanced", members=settled)
        async with pool.connection() as connection:
            due = min(await next_due(connection), await sweeps.next_at(connection))
        ahead = (due - now()) / SECOND
        # Who is due still could not be settled, or is another worker's.
        return min(ahead, _LOOK_EVERY) if ahead > 0 else _AGAIN_AFTER

    return round_


def watch(pool: Pool, figures: Figures) -> Round:
    """Reads again and again what is still to be done, and shows it."""

    async def round_() -> float:
        at = now()
        async with connect.reading(pool) as connection:
            figures.show(await backlog(connection, at=at), at=at)
        return LOOK_SECONDS

    return round_


def upkeep(pool: Pool) -> Round:
    """Deletes answers that nobody will ask for again, what nobody looked at when it was given up, and the use of codes
    that are over."""

    async def round_() -> float:
        at = now()
        before = datetime.fromtimestamp(at / SECOND, UTC) - ANSWERS_KEPT
        async with pool.connection() as connection:
            forgotten = await requests.forget(connection, before=before)
            given_up = await waiting.forget(connection, before=at - GIVEN_UP_KEPT)
            await member_codes.forget(connection, now=at)
        if forgotten:
            log.info("answers.forgotten", answers=forgotten)
        if given_up:
            log.info("waiting.forgotten", given_up=given_up)
        return _UPKEEP_EVERY

    return round_
