"""Settling: many activities become true in one transaction, each exactly once.

    record → lock and load members → load contexts → step, in order → write → commit → answer

One refused activity is an answer like any other. One that makes the engine fail, or that the books cannot
hold, is set aside and answered as failed; its neighbours are settled. A transaction whose outcome is unknown
(the connection broke) is tried again: activities that had been settled are recognised by source and key and
get their first answer.

Nothing waits for ever. Who settles says how long a lock and the whole may take (``Patience``); then ``BooksAway`` is
raised, and the connection is brought back into a known state or closed: an answer of the server that comes too late
finds nobody who could take it for another's.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import psycopg
import structlog
from msgspec import MsgspecError
from psycopg_pool import AsyncConnectionPool

from shuke.books import commit, connect, load, programs
from shuke.books.away import TOO_MUCH, BooksAway, Held, cause_of
from shuke.books.load import Bounds, Connection
from shuke.engine.activity import Activity
from shuke.engine.compiled import Compiled, Editions
from shuke.runtime.batch import Answer as Answer
from shuke.runtime.batch import EngineFailed, MustLock, Taken, Work
from shuke.runtime.figures import Figures
from shuke.runtime.garbage import uncollected
from shuke.runtime.goods import Goods
from shuke.runtime.resolving import resolved

log = structlog.get_logger()

_ATTEMPTS = 8
_TRANSIENT = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.UniqueViolation,
)
_UNWRITABLE = (
    psycopg.DataError,
    psycopg.IntegrityError,
    *TOO_MUCH,
    MsgspecError,  # a member's state that cannot be read
    ValueError,  # half a character
    OverflowError,
    struct.error,  # more than eight bytes hold
)
"""What one activity, or the state of its member, can do to the whole batch."""

_T = TypeVar("_T")

Pool = AsyncConnectionPool[Connection]


class Patience(NamedTuple):
    """How long settling waits, in seconds: ``lock`` for each row that somebody else holds, ``whole`` for everything,
    from the first try at a connection to the commit, whatever is tried again in between."""

    lock: float
    whole: float

    def bounds(self, activities: int) -> Bounds:
        """What a batch of so many may take. Two cores settle ten thousand in two seconds; fifty times that is no
        verdict on a slow machine, and one second for a hundred nobody notices."""
        return Bounds(self.lock, self.whole + activities / 100)


BATCH: Final = Patience(lock=30, whole=120)
"""For imports, batches over HTTP and the clock. They compete with each other for the same members, and a batch of ten
thousand keeps them for seconds. Two minutes are a database that starts again and reads its log."""


class NotPublished(Exception):
    """No program is published yet, so nothing can be settled."""


class _Outdated(Exception):
    """A version of the program was published since the editions at hand were read."""


class Settler:
    """Settles activities into one tenant's books."""

    def __init__(
        self, pool: Pool, *, announce: bool = True, patience: Patience = BATCH, figures: Figures | None = None
    ) -> None:
        """``announce`` says whether the world is told of what happens: messages, and events for whoever listens.
        A history that is settled long after the fact is no news. ``patience`` is for whoever does not say. Batches
        are measured in ``figures``."""
        self._pool = pool
        self._figures = figures or Figures()
        self._patience = patience
        self._announce = announce
        self._editions: Editions | None = None
        self._compiled: list[Compiled] = []  # versions never change: what is compiled once stays
        self._version = 0
        self.goods = Goods()
        self._careful = 0  # batches still to be looked up beforehand, after one met a repeat

    async def settle(
        self,
        activities: Sequence[Activity],
        *,
        requests: Sequence[bytes | None] = (),
        patience: Patience | None = None,
    ) -> list[Answer]:
        """Make ``activities`` true, in this order, in one transaction; one answer for each.

        ``requests`` holds, for each activity that a request told, the digest of that request: a repeat is then
        known by it and not by the activity, in which the door may have filled in the time or an id.

        If something in them cannot be read or written at all, the batch is cut until that stands alone and
        fails alone. Raises ``NotPublished``; ``BooksAway`` if the database stays away or does not come to an end
        in time, ``Held`` if that is because of some of the activities.
        Otherwise everything answered is durable when this returns.
        """
        if not activities:
            return []
        try:
            with uncollected():  # what the batch held is gone before the collector wakes
                return await self._settle_in_time(activities, requests, patience or self._patience)
        except (Taken, *_UNWRITABLE):
            middle = len(activities) // 2
            if middle == 0:
                self._tell_failure(activities[0])
                return [Answer("failed", code="engine_failed")]
        first = await self.settle(activities[:middle], requests=requests[:middle], patience=patience)
        try:
            return first + await self.settle(activities[middle:], requests=requests[middle:], patience=patience)
        except Held as held:
            raise Held(middle + position for position in held.positions) from held

    async def _settle_in_time(
        self, activities: Sequence[Activity], requests: Sequence[bytes | None], patience: Patience
    ) -> list[Answer]:
        bounds = patience.bounds(len(activities))
        try:
            with self._figures.batch(len(activities)):
                async with asyncio.timeout(bounds.seconds):
                    return await self._settle_together(activities, requests, bounds)
        except TimeoutError as late:
            raise self._away(late, "took_too_long", activities=len(activities)) from late

    async def _settle_together(
        self, activities: Sequence[Activity], requests: Sequence[bytes | None], bounds: Bounds
    ) -> list[Answer]:
        failed: dict[int, Answer] = {}
        quotas: set[str] = set()
        members: set[str] = set()
        attempt = 0
        while True:
            attempt += 1
            work: Work | None = None
            try:
                async with connect.writing(self._pool) as connection:
                    editions = await self._latest(connection)
                    whose = await resolved(connection, editions, activities)
                    work = Work(connection, editions, whose, failed, requests, bounds, announce=self._announce)
                    work.quotas |= quotas
                    work.also |= members
                    # Whoever tries again may have been there before: what is known is looked up first.
                    return await self._settle(work, careful=attempt > 1)
            except MustLock as more:
                attempt -= 1
                quotas |= more.quotas
                members |= more.members
                self._figures.retries.labels("quota_unlocked").inc()
            except Taken:  # by another, or earlier in this batch: then each is looked up behind the other
                self._figures.retries.labels("identity_taken").inc()
                if len(activities) > 1 or attempt >= _ATTEMPTS:
                    raise
            except _Outdated:
                attempt -= 1
                self._editions = None
                self._figures.retries.labels("version_outdated").inc()
            except EngineFailed as error:
                attempt -= 1
                self._figures.retries.labels("engine_failed").inc()
                self._tell_failure(activities[error.position])
                failed[error.position] = Answer("failed", code="engine_failed")
            except _TRANSIENT as error:
                self._careful = 16
                if attempt >= _ATTEMPTS:
                    raise
                self._figures.retries.labels("collision").inc()
                log.info("settle.again", why=type(error).__name__, attempt=attempt)
            except psycopg.Error as error:
                cause = cause_of(error)
                if cause is None:
                    raise
                self._careful = 16
                if isinstance(error, psycopg.errors.LockNotAvailable) and work is not None:
                    await self._tell_held(work)
                if attempt >= _ATTEMPTS or not cause.passing:
                    raise self._away(error, cause.name, activities=len(activities)) from error
                self._figures.retries.labels(cause.name).inc()
                log.warning("settle.again", why=cause.name, sqlstate=error.sqlstate, attempt=attempt)
                await asyncio.sleep(min(2.0, 0.05 * 2**attempt))

    async def _tell_held(self, work: Work) -> None:
        """Raises ``Held`` where somebody still holds what some activities of the batch wait for."""
        try:
            async with connect.writing(self._pool) as connection:
                held = await load.held(connection, work.members(), quotas=work.quotas, codes=work.codes())
        except psycopg.Error as error:
            log.info("settle.held_unknown", sqlstate=error.sqlstate)  # a whole table is: the batch tries again
            return
        positions = work.held_by(held)
        if positions:
            log.warning("settle.held", activities=len(positions), of=len(work.activities))
            raise Held(positions)

    async def settle_due(
        self, pick: Callable[[Connection], Awaitable[list[Activity]]], *, most: int
    ) -> list[tuple[Activity, Answer]]:
        """Settle what ``pick`` finds, up to ``most``, in the transaction that found (and locked) it.

        If that fails, it is settled like any other batch, so that what is broken fails alone. Raises as ``settle``.
        """
        activities: list[Activity] = []
        bounds = self._patience.bounds(most)
        try:
            async with asyncio.timeout(bounds.seconds), connect.writing(self._pool) as connection:
                activities = await pick(connection)
                if not activities:
                    return []
                with uncollected(), self._figures.batch(len(activities)):
                    editions = await self._latest(connection)
                    work = Work(connection, editions, activities, {}, (), bounds, announce=self._announce)
                    answers = await self._settle(work, careful=False)
                    del work
        except (EngineFailed, MustLock, _Outdated, TimeoutError, psycopg.Error, *_UNWRITABLE) as error:
            if not activities:
                why = _why(error)
                if why is None:
                    raise
                raise self._away(error, why, activities=0) from error
            answers = await self.settle(activities)
        return list(zip(activities, answers, strict=True))

    async def beside(self, act: Callable[[Connection], Awaitable[_T]]) -> _T:
        """Do something else in the same books, in a transaction of its own. Raises ``BooksAway``, and what ``act``
        raises."""
        try:
            async with asyncio.timeout(self._patience.whole), connect.writing(self._pool) as connection:
                return await act(connection)
        except (TimeoutError, psycopg.Error) as error:
            why = _why(error)
            if why is None:
                raise
            raise self._away(error, why, activities=0) from error

    async def editions(self, connection: Connection) -> Editions:
        """The published versions, compiled; read again when there is a new one. Raises ``NotPublished``."""
        latest = await programs.latest_version(connection)
        if latest == 0:
            raise NotPublished("publish a program first: shuke publish PROGRAM")
        if self._editions is None or latest != self._version:
            known = self._compiled
            newer = await programs.published(connection, after=known[-1].version if known else 0)
            self._compiled = [*known, *programs.compiled_of(newer)]
            self._editions, self._version = Editions(self._compiled), latest
        return self._editions

    async def _latest(self, connection: Connection) -> Editions:
        """The editions as far as they are known; whether they still hold is asked together with the members."""
        return self._editions if self._editions is not None else await self.editions(connection)

    async def _settle(self, work: Work, *, careful: bool) -> list[Answer]:
        if self._careful:
            self._careful -= 1
            careful = True
        if await work.lock() != work.editions.newest:  # of this batch: another may have read newer ones meanwhile
            raise _Outdated
        if careful:
            await work.look_up()
        await work.load(orders_of_paid=careful)
        if work.catalog:
            work.view = await self.goods.view(work.connection, work.catalog, [need.lines for need in work.needs])
        work.run()
        await commit.write(work.connection, work.batch)  # and commit
        return work.answers()

    def _away(self, error: Exception, why: str, *, activities: int) -> BooksAway:
        """What is raised in the place of ``error``; the log is told the cause."""
        sqlstate = error.sqlstate if isinstance(error, psycopg.Error) else None
        log.error("settle.books_away", why=why, sqlstate=sqlstate, activities=activities)
        self._figures.away.labels(why).inc()
        return BooksAway(why, sqlstate=sqlstate)

    def _tell_failure(self, activity: Activity) -> None:
        log.exception("settle.failed", type=activity.type, source=activity.source, key=activity.key)
        self._figures.failed.inc()


def _why(error: Exception) -> str | None:
    """Why the books are away; None where they are there."""
    if isinstance(error, TimeoutError):
        return "took_too_long"
    cause = cause_of(error) if isinstance(error, psycopg.Error) else None
    return None if cause is None else cause.name
