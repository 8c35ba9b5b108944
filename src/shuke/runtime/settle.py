"""Settling: many activities become true in one transaction, each exactly once.

    record → lock and load members → load contexts → step, in order → write → commit → answer

One refused activity is an answer like any other. One that makes the engine fail, or that the books cannot
hold, is set aside and answered as failed; its neighbours are settled. A transaction whose outcome is unknown
(the connection broke) is tried again: activities that had been settled are recognised by source and key and
get their first answer.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Awaitable, Callable, Iterable, Sequence
from copy import copy
from typing import Any

import psycopg
import structlog
from msgspec import MsgspecError, Raw, Struct, json
from psycopg_pool import AsyncConnectionPool

from shuke.books import codes, commit, identity, load, programs
from shuke.books.load import Connection, Known
from shuke.books.postings import After, Batch, Outside, Posting, after
from shuke.engine.activity import Activity
from shuke.engine.codes import quotas_of_codes
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Claimed, Effects, Refused, Settled
from shuke.engine.member import ERASED
from shuke.engine.needs import Needs, needs
from shuke.engine.orders import Order
from shuke.engine.step import step
from shuke.engine.turn import Code
from shuke.runtime.catalogue import topics_meant
from shuke.runtime.clock import now
from shuke.runtime.events import Step, before, events_of
from shuke.runtime.garbage import uncollected
from shuke.runtime.telemetry import tracer
from shuke.values.ids import digest
from shuke.values.instants import Instant

log = structlog.get_logger()

_encode = json.Encoder().encode

_ATTEMPTS = 8
_TRANSIENT = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.UniqueViolation,
)
_LOST = (psycopg.OperationalError, psycopg.InterfaceError)
_UNWRITABLE = (
    psycopg.DataError,
    psycopg.IntegrityError,
    MsgspecError,  # a member's state that cannot be read
    ValueError,  # half a character
    OverflowError,
    struct.error,  # more than eight bytes hold
)
"""What one activity, or the state of its member, can do to the whole batch."""

Pool = AsyncConnectionPool[Connection]


class NotPublished(Exception):
    """No program is published yet, so nothing can be settled."""


class Answer(Struct, omit_defaults=True):
    """What became of one activity.

    ``status``: settled | refused | failed. ``repeated`` says the same activity was settled before and this
    is its first answer. ``code`` and ``facts`` belong to a refusal; ``body`` is the JSON the engine answered.
    ``id``, ``member_id`` and ``occurred_at`` are those of the activity as it was first settled, and ``after`` is how
    the member stood then: only where a request told the activity.
    """

    status: str
    seq: int = 0
    code: str | None = None
    facts: dict[str, Any] = {}
    body: Raw = Raw(b"{}")
    repeated: bool = False
    id: int = 0
    member_id: str = ""
    occurred_at: Instant = 0
    after: After | None = None


class _Stored(Struct, omit_defaults=True):
    """The answer as the activity's row keeps it."""

    code: str | None = None
    facts: dict[str, Any] = {}
    body: Raw = Raw(b"{}")
    after: After | None = None


class _EngineFailed(Exception):
    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(f"activity {position} of the batch")


class _Outdated(Exception):
    """A version of the program was published since the editions at hand were read."""


class _MustLock(Exception):
    """A step needs, or gives back to, shared quotas that its activity alone did not name."""

    def __init__(self, quotas: Iterable[str]) -> None:
        self.quotas = set(quotas)
        super().__init__(", ".join(sorted(self.quotas)))


class Settler:
    """Settles activities into one tenant's books."""

    def __init__(self, pool: Pool, *, announce: bool = True) -> None:
        """``announce`` says whether the world is told of what happens: messages, and events for whoever listens.
        A history that is settled long after the fact is no news."""
        self._pool = pool
        self._announce = announce
        self._editions: Editions | None = None
        self._compiled: list[Compiled] = []  # versions never change: what is compiled once stays
        self._version = 0
        self._careful = 0  # batches still to be looked up beforehand, after one met a repeat

    async def settle(self, activities: Sequence[Activity], *, requests: Sequence[bytes | None] = ()) -> list[Answer]:
        """Make ``activities`` true, in this order, in one transaction; one answer for each.

        ``requests`` holds, for each activity that a request told, the digest of that request: a repeat is then
        known by it and not by the activity, in which the door may have filled in the time or an id.

        If something in them cannot be read or written at all, the batch is cut until that stands alone and
        fails alone. Raises ``NotPublished``; ``psycopg.OperationalError`` if the database stays away.
        Otherwise everything answered is durable when this returns.
        """
        if not activities:
            return []
        try:
            with uncollected():  # what the batch held is gone before the collector wakes
                return await self._settle_together(activities, requests)
        except _UNWRITABLE:
            middle = len(activities) // 2
            if middle == 0:
                _tell_failure(activities[0])
                return [Answer("failed", code="engine_failed")]
        return [
            *await self.settle(activities[:middle], requests=requests[:middle]),
            *await self.settle(activities[middle:], requests=requests[middle:]),
        ]

    async def _settle_together(self, activities: Sequence[Activity], requests: Sequence[bytes | None]) -> list[Answer]:
        failed: dict[int, Answer] = {}
        quotas: set[str] = set()
        attempt = 0
        while True:
            attempt += 1
            try:
                async with self._pool.connection() as connection:  # left by an exception, it rolls back
                    editions = await self._latest(connection)
                    work = _Work(connection, editions, activities, failed, requests, announce=self._announce)
                    work.quotas |= quotas
                    # Whoever tries again may have been there before: what is known is looked up first.
                    return await self._settle(work, careful=attempt > 1)
            except _MustLock as more:
                attempt -= 1
                quotas |= more.quotas
            except _Outdated:
                attempt -= 1
                self._editions = None
            except _EngineFailed as error:
                attempt -= 1
                _tell_failure(activities[error.position])
                failed[error.position] = Answer("failed", code="engine_failed")
            except _TRANSIENT as error:
                self._careful = 16
                if attempt >= _ATTEMPTS:
                    raise
                log.info("settle.again", why=type(error).__name__, attempt=attempt)
            except _LOST:
                if attempt >= _ATTEMPTS:
                    raise
                self._careful = 16
                log.warning("settle.lost_connection", attempt=attempt)
                await asyncio.sleep(min(2.0, 0.05 * 2**attempt))

    async def settle_due(
        self, pick: Callable[[Connection], Awaitable[list[Activity]]]
    ) -> list[tuple[Activity, Answer]]:
        """Settle what ``pick`` finds, in the transaction that found (and locked) it.

        If that fails, it is settled like any other batch, so that what is broken fails alone.
        """
        activities: list[Activity] = []
        try:
            async with self._pool.connection() as connection:
                activities = await pick(connection)
                if not activities:
                    return []
                with uncollected():
                    editions = await self._latest(connection)
                    work = _Work(connection, editions, activities, {}, announce=self._announce)
                    answers = await self._settle(work, careful=False)
                    del work
        except (_EngineFailed, _MustLock, _Outdated, *_TRANSIENT, *_LOST, *_UNWRITABLE):
            if not activities:
                raise
            answers = await self.settle(activities)
        return list(zip(activities, answers, strict=True))

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

    async def _settle(self, work: _Work, *, careful: bool) -> list[Answer]:
        if self._careful:
            self._careful -= 1
            careful = True
        if await work.lock() != work.editions.newest:  # of this batch: another may have read newer ones meanwhile
            raise _Outdated
        if careful:
            await work.look_up()
        await work.load(orders_of_paid=careful)
        work.run()
        await commit.write(work.connection, work.batch)  # and commit
        return work.answers()


def _tell_failure(activity: Activity) -> None:
    log.exception("settle.failed", type=activity.type, source=activity.source, key=activity.key)


class _Work:
    """One batch on its way through a transaction."""

    def __init__(
        self,
        connection: Connection,
        editions: Editions,
        activities: Sequence[Activity],
        failed: dict[int, Answer],
        requests: Sequence[bytes | None] = (),
        *,
        announce: bool,
    ) -> None:
        self.connection = connection
        self.editions = editions
        self.activities = activities
        self.batch = Batch()
        self.known: dict[tuple[str, str], Known] = {}
        self.needs: list[Needs] = [needs(editions, activity) for activity in activities]
        self.results: dict[int, Answer] = dict(failed)
        self.posted: dict[int, Posting] = {}
        self.quotas = {quota for need in self.needs for quota in need.quotas}
        self.bodies = [commit.body_of(activity) for activity in activities]
        self.requests = requests or [None] * len(activities)
        self.announce = announce
        self.topics: frozenset[str] = frozenset()  # that somebody listens to

    async def lock(self) -> int:
        """Lock members, codes and quotas; returns the latest published version."""
        members = [activity.member_id for activity in self.activities]
        for need in self.needs:
            members.extend(need.members)
        begun = await load.begin(self.connection, set(members), activities=len(members))
        self.batch.members, self.batch.ids = begun.members, begun.ids
        if self.announce and begun.listened:
            self.topics = topics_meant(begun.listened)
        await self._lock_codes()
        if self.quotas:
            self.batch.quotas = await load.lock_quotas(self.connection, self.quotas)
            self.batch.quotas_before = dict(self.batch.quotas)
        return begun.version

    async def _lock_codes(self) -> None:
        """Lock the coupon codes asked for. Which quotas go with one is known when it is known what it opens."""
        asked = {code for need in self.needs for code in need.codes}
        if asked:
            self.batch.codes = await codes.lock(self.connection, asked)
            for activity, need in zip(self.activities, self.needs, strict=True):
                self.quotas.update(self._quotas(activity, need, self._codes(need.codes)))

    async def look_up(self) -> None:
        keys = {(activity.source, activity.key) for activity in self.activities}
        self.known = await load.known_activities(self.connection, keys)

    async def load(self, *, orders_of_paid: bool) -> None:
        """Load the orders that refunds and the like are about; those of payments where a clash is likely."""
        wanted = {
            (activity.member_id, order_id)
            for activity, need in zip(self.activities, self.needs, strict=True)
            for order_id in need.orders
            if orders_of_paid or activity.purchase is None
        }
        if wanted:
            self.batch.orders = await load.load_orders(self.connection, wanted)
            self.batch.known_orders = set(self.batch.orders)
        names = [name for need in self.needs for name in need.identities]
        if names:
            self.batch.identities = await identity.owners(self.connection, names)

    def run(self) -> None:
        """Step through the batch in order; what goes to another member is settled right behind its cause."""
        recorded_at = now()
        first: dict[tuple[str, str], int] = {}
        for position, activity in enumerate(self.activities):
            if position in self.results:
                continue
            key = (activity.source, activity.key)
            known = self.known.get(key)
            if known is not None:
                erased = self.batch.members[activity.member_id].member.status == ERASED
                self.results[position] = _repeat(known, self._asked(position), erased=erased)
                continue
            if key in first:
                self.results[position] = self._repeat_in_batch(first[key], position)
                continue
            first[key] = position
            try:
                self.results[position] = self._answer(position, recorded_at)
            except _MustLock:
                raise
            except Exception as error:
                raise _EngineFailed(position) from error

    def _answer(self, position: int, recorded_at: Instant) -> Answer:
        """Settle what was asked for at this position. Its id is given when the batch is written."""
        activity, at = self.activities[position], len(self.batch.postings)
        stored = self._step(
            activity, self.needs[position], self.bodies[position], recorded_at, request=self.requests[position]
        )
        posting = self.posted[position] = self.batch.postings[at]
        return _answer(stored, seq=posting.seq, member_id=posting.member_id, occurred_at=activity.occurred_at)

    def _step(
        self, activity: Activity, need: Needs, body: bytes, recorded_at: Instant, *, request: bytes | None = None
    ) -> _Stored:
        batch = self.batch
        locked = batch.members[activity.member_id]
        outside = self._outside(activity, need)
        context = outside.context(self._orders(activity.member_id, need.orders))
        was = before(locked.member) if self.topics else None
        settled = step(self.editions, locked.member, activity, context)
        locked.member = settled.member
        if not self.announce:
            settled.effects.wanted.clear()
        for order_id, order in settled.effects.orders.items():
            batch.orders[activity.member_id, order_id] = order
        self._claim(settled.effects.claims)
        self._remember_codes(settled.effects)
        outside = outside.with_claims(settled.effects.claims)
        for change in settled.effects.identities:
            if change.since is None:
                batch.identities.pop((change.kind, change.value), None)
            else:
                batch.identities[change.kind, change.value] = activity.member_id
        if settled.member.status == ERASED and settled.refused is None:
            batch.erased.append(activity.member_id)
        stored = _stored(settled)
        if request is not None:
            stored.after = after(settled.member)
        batch.postings.append(
            Posting(
                locked.bucket,
                activity.member_id,
                settled.member.seq,
                activity,
                recorded_at,
                self.editions.newest,
                digest(body),
                body,
                _encode(stored),
                None if outside.is_empty else _encode(outside),
                settled.effects,
                request,
                [] if was is None else events_of(Step(activity, was, settled, self.editions, self.topics)),
            )
        )
        for inbox in settled.effects.activities:
            self._step(inbox, needs(self.editions, inbox), commit.body_of(inbox), recorded_at)
        return stored

    def _outside(self, activity: Activity, need: Needs) -> Outside:
        """What the step is told of others."""
        known = self._codes(need.codes)
        outside = Outside(self._taken(self._quotas(activity, need, known)), known)
        if need.members:
            members = self.batch.members
            outside.erased = [id_ for id_ in need.members if members[id_].member.status == ERASED]
        for kind, value in need.identities:
            owner = self.batch.identities.get((kind, value), activity.member_id)
            if owner != activity.member_id:
                outside.identities[kind] = owner
        return outside

    def _orders(self, member_id: str, order_ids: list[str]) -> dict[str, Order]:
        found: dict[str, Order] = {}
        for order_id in order_ids:
            order = self.batch.orders.get((member_id, order_id))
            if order is not None:
                found[order_id] = order
        return found

    def _codes(self, asked: list[str]) -> dict[str, Code]:
        known = self.batch.codes
        return {code: known[code] for code in asked if code in known} if asked else {}

    def _quotas(self, activity: Activity, need: Needs, known: dict[str, Code]) -> list[str]:
        if not known:
            return need.quotas
        return [*need.quotas, *quotas_of_codes(self.editions.at(activity.occurred_at), activity, known)]

    def _remember_codes(self, effects: Effects) -> None:
        """What the next activity of the batch is told of the codes that this one used, or brought along."""
        known = self.batch.codes
        for taken in effects.codes:
            known[taken.code] = Code(known[taken.code].template, "taken")
        for change in effects.coupons:
            if change.code is not None:
                known.setdefault(change.code, Code(change.template, "elsewhere"))

    def _taken(self, quotas: list[str]) -> dict[str, int]:
        if not quotas:
            return {}
        if any(quota not in self.batch.quotas for quota in quotas):
            raise _MustLock(quotas)
        return {quota: self.batch.quotas[quota] for quota in quotas}

    def _claim(self, claims: list[Claimed]) -> None:
        """Count what the step took of shared quotas, or gave back."""
        if not claims:
            return
        if any(claim.quota not in self.batch.quotas for claim in claims):
            raise _MustLock(claim.quota for claim in claims)
        for claim in claims:
            self.batch.quotas[claim.quota] += claim.amount

    def _repeat_in_batch(self, first: int, again: int) -> Answer:
        if self._asked(first) != self._asked(again):
            return Answer("refused", code="key_reused")
        answer = copy(self.results[first])
        answer.repeated = True
        if first in self.posted:
            self.posted[again] = self.posted[first]
        return answer

    def _asked(self, position: int) -> bytes:
        return self.requests[position] or digest(self.bodies[position])

    def answers(self) -> list[Answer]:
        for position, posting in self.posted.items():
            self.results[position].id = posting.id
        return [self.results[position] for position in range(len(self.activities))]


def _stored(settled: Settled) -> _Stored:
    refused: Refused | None = settled.refused
    body = Raw(_encode(settled.answer))
    return _Stored(body=body) if refused is None else _Stored(refused.code, refused.facts, body)


def _answer(stored: _Stored, *, seq: int, member_id: str, occurred_at: Instant) -> Answer:
    status = "settled" if stored.code is None else "refused"
    return Answer(
        status,
        seq,
        stored.code,
        stored.facts,
        stored.body,
        member_id=member_id,
        occurred_at=occurred_at,
        after=stored.after,
    )


def _repeat(known: Known, asked: bytes, *, erased: bool) -> Answer:
    """The first answer again, or a refusal if the key now comes with another body. Nobody can tell any more what an
    ``erased`` member's activity was."""
    if (known.request or known.digest) != asked:
        return Answer("refused", code="member_erased" if erased else "key_reused")
    stored = json.decode(known.answer, type=_Stored)
    answer = _answer(stored, seq=known.seq, member_id=known.member_id, occurred_at=known.occurred_at)
    answer.repeated = True
    answer.id = known.id
    return answer


class GroupCommit:
    """Lets concurrent requests share transactions.

    Whoever comes while a transaction runs waits for the next one, together with everybody else who came;
    nobody waits when nothing runs. At most ``most`` activities share one transaction.
    """

    def __init__(self, settler: Settler, *, most: int = 500) -> None:
        self._settler = settler
        self._most = most
        self._waiting: list[tuple[Activity, bytes | None, asyncio.Future[Answer]]] = []
        self._running: asyncio.Task[None] | None = None

    async def submit(self, activity: Activity, *, request: bytes | None = None) -> Answer:
        """Settle one activity; the answer comes after the commit that made it durable.

        ``request`` is the digest of the request that told it, see ``Settler.settle``.
        """
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting.append((activity, request, future))
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._drain())
        return await future

    async def _drain(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            try:
                with tracer.start_as_current_span("settle.batch", attributes={"shuke.activities": len(batch)}):
                    answers = await self._settler.settle(
                        [activity for activity, _, _ in batch], requests=[request for _, request, _ in batch]
                    )
            except Exception as error:
                for _, _, future in batch:
                    if not future.done():
                        future.set_exception(error)
                continue
            for (_, _, future), answer in zip(batch, answers, strict=True):
                if not future.done():
                    future.set_result(answer)
