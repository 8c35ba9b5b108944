"""Webhooks: events become deliveries, deliveries are tried until they arrive or a day has passed.

    due ──claim──► under way ──2xx──► delivered
     ▲                 │
     └── wait longer ◄─┤ anything else
                       └─► failed: after the last of ``SCHEDULE``, at 410, or when the endpoint is disabled

A delivery arrives at least once, and carries the same ``webhook-id`` each time. A worker that is killed leaves its
deliveries to be due again when their lease ends. Any number of workers may share the work. Order is not promised.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final
from zlib import crc32

import structlog
from msgspec import to_builtins

from shuke.books import deliveries
from shuke.books.deliveries import Attempt, Claimed
from shuke.books.load import Connection
from shuke.books.webhooks import Endpoint, new_id
from shuke.outreach.envelopes import ENVELOPES, headers_of, source_of
from shuke.outreach.sending import Client, Sent
from shuke.runtime.catalogue import DISABLED, PING, EndpointDisabled, Pinged
from shuke.runtime.clock import now
from shuke.runtime.figures import Figures
from shuke.runtime.settle import Pool
from shuke.values.instants import DAY, HOUR, MINUTE, SECOND, Instant

log = structlog.get_logger()

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

SCHEDULE: Final = (
    5 * SECOND,
    30 * SECOND,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    1 * HOUR,
    2 * HOUR,
    4 * HOUR,
    8 * HOUR,
    10 * HOUR,
)
"""How long to wait after each attempt that failed: eleven attempts within 25 h 43 min, if nothing delays them."""

JITTER_PERCENT: Final = 10
"""Up to so much is added to each wait, so that what failed together is not tried again together."""

RETRY_AFTER_LONGEST: Final = 6 * HOUR
"""A receiver's ``Retry-After`` is heeded up to here."""

KEPT: Final = 30 * DAY
"""Deliveries that are done are forgotten after so long."""

LEASE: Final = 60 * SECOND
"""Whoever claims a delivery has so long to record what became of it."""

_FAN_OUT_MOST: Final = 500
_FORGET_MOST: Final = 5_000
_RECORDING_MOST: Final = 2  # connections to the database that deliveries take at once
_IDLE_SECONDS: Final = 0.5


class Courier:
    """Delivers, round after round. What is slow holds up nothing but itself: a round begins deliveries, and does
    not wait for their end.

    ``most`` deliveries are under way at once, ``each`` to one endpoint. ``source`` is that of CloudEvents. Attempts are
    counted in ``figures``.
    """

    def __init__(
        self,
        pool: Pool,
        client: Client,
        *,
        source: str,
        most: int = 32,
        each: int = 8,
        figures: Figures | None = None,
    ) -> None:
        if client.seconds * SECOND * 2 > LEASE:
            raise ValueError("a lease must outlast its request")
        self._pool = pool
        self._client = client
        self._figures = figures or Figures()
        self._source = source
        self._most = most
        self._each = each
        self._tasks: dict[asyncio.Task[None], str] = {}  # each with the endpoint it calls
        self._recording = asyncio.Semaphore(_RECORDING_MOST)
        self._just_arrived: list[tuple[Claimed, Attempt]] = []
        self._writing = asyncio.Lock()
        self._forgot_at: Instant = 0

    async def round(self, now: Instant) -> int:
        """Make deliveries of new events, and begin with those that are due at ``now``; returns how many of both."""
        events = 0
        async with self._pool.connection() as connection:
            events = await deliveries.fan_out(connection, now=now, most=_FAN_OUT_MOST)
        begun = await self._begin(now)
        if not events and not begun and now - self._forgot_at >= HOUR:
            async with self._pool.connection() as connection:
                await deliveries.forget(connection, before=now - KEPT, most=_FORGET_MOST)
            self._forgot_at = now
        return events + begun

    async def _begin(self, now: Instant) -> int:
        room = self._most - len(self._tasks)
        if room <= 0:
            return 0
        under_way = Counter(self._tasks.values())
        async with self._pool.connection() as connection:
            claimed = await deliveries.claim(
                connection, now=now, lease=now + LEASE, most=room, each=self._each, under_way=under_way
            )
        for one in claimed:
            task = asyncio.create_task(self._deliver(one, now))
            self._tasks[task] = one.endpoint_id
            task.add_done_callback(self._tasks.pop)
        return len(claimed)

    async def finish(self) -> None:
        """Wait for the deliveries under way: at most as long as one request may take."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def room(self, seconds: float) -> bool:
        """Wait until one of the deliveries under way has ended, at most so long. False if there are none."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return True
        return False

    async def _deliver(self, claimed: Claimed, now: Instant) -> None:
        sent = await self._send(claimed, now)
        attempt = Attempt(now, sent.took_ms, sent.answered, trouble_of(sent), gone=sent.answered == 410)
        self._figures.attempt_seconds.observe(sent.took_ms / 1000)
        try:
            if attempt.trouble is None:
                await self._arrived(claimed, attempt)
                outcome = "delivered"
            else:
                async with self._recording, self._pool.connection() as connection:
                    again = await record_missed(connection, claimed, attempt, retry_after=sent.retry_after)
                outcome = "again" if again else "failed"
            self._figures.attempts.labels(outcome).inc()
        except Exception:
            # It is due again when its lease ends.
            log.exception("webhook.not_recorded", delivery=claimed.id, endpoint=claimed.endpoint_id)

    async def _arrived(self, claimed: Claimed, attempt: Attempt) -> None:
        """Record it with all others that arrive while the recording before is written."""
        self._just_arrived.append((claimed, attempt))
        async with self._writing:
            found, self._just_arrived = self._just_arrived, []
            if found:
                async with self._recording, self._pool.connection() as connection:
                    await deliveries.arrived(connection, found)

    async def _send(self, claimed: Claimed, now: Instant) -> Sent:
        try:
            payload = ENVELOPES[claimed.form].seal(claimed.body, self._source)
            headers = headers_of(claimed.event_id, payload, form=claimed.form, known=claimed.secrets, now=now)
            return await self._client.post(claimed.url, headers=headers, content=payload)
        except Exception:
            log.exception("webhook.not_sent", delivery=claimed.id, endpoint=claimed.endpoint_id)
            return Sent(0, trouble="failed_here")


async def deliver(pool: Pool, *, now: Instant, client: Client, source: str, most: int = 32, each: int = 8) -> int:
    """One round from its beginning to its end; returns how many events and deliveries there were."""
    courier = Courier(pool, client, source=source, most=most, each=each)
    done = await courier.round(now)
    await courier.finish()
    return done


@asynccontextmanager
async def delivering(
    pool: Pool, *, tenant: str, private: bool, figures: Figures | None = None
) -> AsyncIterator[Callable[[], Awaitable[float]]]:
    """Deliveries of this tenant's events, as work that repeats while the block lasts; its end waits for those under
    way. ``private`` lets them go to one's own network."""
    async with Client(private=private) as client:
        courier = Courier(pool, client, source=source_of(tenant), figures=figures)
        try:
            yield rounds(courier, clock=now)
        finally:
            await courier.finish()


def rounds(courier: Courier, *, clock: Callable[[], Instant]) -> Callable[[], Awaitable[float]]:
    """The courier as work that repeats: a round, and then how many seconds until the next one."""

    async def round_() -> float:
        done = await courier.round(clock())
        if done >= _FAN_OUT_MOST or await courier.room(_IDLE_SECONDS):
            return 0.0
        return 0.0 if done else _IDLE_SECONDS

    return round_


# -- What became of an attempt ----------------------------------------------------------------------------


async def record_missed(connection: Connection, claimed: Claimed, attempt: Attempt, *, retry_after: str | None) -> bool:
    """Write down that an attempt did not arrive, and what follows from it; whether it is tried again."""
    is_test = claimed.topic == PING
    again_at = None if is_test else next_attempt(claimed, at=attempt.at, retry_after=retry_after)
    log.info(
        "webhook.missed",
        endpoint=claimed.endpoint_id,
        delivery=claimed.id,
        attempt=claimed.attempts,
        status=attempt.answered,
        trouble=attempt.trouble,
    )
    disabled = await deliveries.missed(connection, claimed, attempt, again_at=again_at, counts=not is_test)
    if disabled is not None:
        log.warning("webhook.disabled", endpoint=disabled.id, why=disabled.disabled_why)
        await deliveries.add_event(connection, body=_disabled(disabled, attempt), now=attempt.at)
    return again_at is not None and disabled is None


def trouble_of(sent: Sent) -> str | None:
    """What was wrong with an attempt, as a code; None if it arrived: any status from 200 to 299."""
    if sent.answered is None:
        return sent.trouble
    if 200 <= sent.answered < 300:
        return None
    return "redirected" if 300 <= sent.answered < 400 else "gone" if sent.answered == 410 else "not_accepted"


def next_attempt(claimed: Claimed, *, at: Instant, retry_after: str | None) -> Instant | None:
    """When to try again after an attempt that began at ``at``; None after the last.

    The jitter is made of the delivery's id: it spreads deliveries, and is the same whoever works it out.
    """
    if claimed.attempts > len(SCHEDULE):
        return None
    wait = SCHEDULE[claimed.attempts - 1]
    wait += wait * JITTER_PERCENT * crc32(f"{claimed.id}/{claimed.attempts}".encode()) // (100 << 32)
    return at + max(wait, min(seconds_of(retry_after, at=at) * SECOND, RETRY_AFTER_LONGEST))


def seconds_of(retry_after: str | None, *, at: Instant) -> int:
    """The seconds a ``Retry-After`` asks for (RFC 9110: a number or a date); 0 if it asks for nothing readable."""
    told = (retry_after or "").strip()
    if told.isascii() and told.isdigit():
        return int(told[:9])
    try:
        date = parsedate_to_datetime(told)
    except ValueError:
        return 0
    if date.tzinfo is None:
        return 0
    return max(0, (date - _EPOCH) // timedelta(seconds=1) - at // SECOND)


# -- Events of our own ------------------------------------------------------------------------------------


def _own_event(topic: str, data: Any, *, at: Instant) -> dict[str, Any]:
    told = {"id": new_id("evt"), "type": topic, "timestamp": _EPOCH + timedelta(microseconds=at), "subject": None}
    body: dict[str, Any] = to_builtins({**told, "data": data})
    return body


def _disabled(endpoint: Endpoint, attempt: Attempt) -> dict[str, Any]:
    since = None if endpoint.failing_since is None else _EPOCH + timedelta(microseconds=endpoint.failing_since)
    why: Any = endpoint.disabled_why
    told = EndpointDisabled(endpoint.id, endpoint.description, why, since, attempt.answered, attempt.trouble)
    return _own_event(DISABLED, told, at=attempt.at)


def ping_of(endpoint_id: str, *, at: Instant) -> dict[str, Any]:
    """A test event for this endpoint."""
    return _own_event(PING, Pinged(endpoint_id), at=at)
