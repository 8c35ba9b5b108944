"""What is measured of a process and of the books it works on, for Prometheus.

Counters and histograms are of this process. Gauges are of the books, read again every ``LOOK_SECONDS`` and not when
somebody asks: a page that anybody may fetch makes no work for the database. Labels are few and closed; no id, name or
address is one. What each figure is and when it is normal is said in docs/how-to/operate.md.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from shuke.books.backlog import ENDPOINT_STATES, OUTBOX_KINDS, Backlog, Pile
from shuke.values.instants import SECOND, Instant

LOOK_SECONDS: Final = 10.0

ATTEMPT_OUTCOMES: Final = ("delivered", "again", "failed")
"""What one attempt to deliver comes to: it arrived, it is tried again, it was the last."""

_SECONDS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10, 60)
_SIZES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)
_DELIVERY_SECONDS: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)


class Figures:
    """The figures of one process; ``registry`` is what is shown of them."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()
        self.batch_activities = Histogram(
            "shuke_settle_batch_activities", "Activities of a batch", buckets=_SIZES, registry=registry
        )
        self.batch_seconds = Histogram(
            "shuke_settle_batch_seconds",
            "Time from a batch's beginning to its commit, tries included",
            buckets=_SECONDS,
            registry=registry,
        )
        self.retries = Counter("shuke_settle_retries_total", "Batches tried again", ("why",), registry=registry)
        self.away = Counter(
            "shuke_settle_away_total", "Batches given up because the books were away", ("why",), registry=registry
        )
        self.failed = Counter("shuke_settle_failed_total", "Activities that made the engine fail", registry=registry)
        self.attempts = Counter(
            "shuke_webhook_attempts_total", "Attempts to deliver, by what they came to", ("outcome",), registry=registry
        )
        self.attempt_seconds = Histogram(
            "shuke_webhook_attempt_seconds",
            "Time receivers took to answer, or to be given up",
            buckets=_DELIVERY_SECONDS,
            registry=registry,
        )
        for outcome in ATTEMPT_OUTCOMES:
            self.attempts.labels(outcome)
        self._books = _Books(registry)

    @contextmanager
    def batch(self, activities: int) -> Iterator[None]:
        """Measure settling so many."""
        started = perf_counter()
        self.batch_activities.observe(activities)
        try:
            yield
        finally:
            self.batch_seconds.observe(perf_counter() - started)

    def show(self, backlog: Backlog, *, at: Instant) -> None:
        """Show how the books stood at ``at``."""
        self._books.show(backlog, at=at)


@contextmanager
def shown(figures: Figures, *, host: str, port: int) -> Iterator[int]:
    """Show them over HTTP (whatever path is asked for) as long as the block lasts; the port. A thread answers.

    For processes that serve nothing else, or share their port. Raises OSError where the address is taken.
    """
    server, thread = start_http_server(port, addr=host, registry=figures.registry)
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Books:
    """Gauges of what the books say is still to be done."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(name, words, labels, registry=registry)

        self.read_at = gauge("shuke_books_read_timestamp_seconds", "When the books were last read for these figures")
        self.endpoints = gauge("shuke_webhook_endpoints", "Webhook endpoints", "endpoint")
        self.deliveries = gauge("shuke_webhook_waiting", "Deliveries that wait, by state of their endpoint", "endpoint")
        self.oldest = gauge("shuke_webhook_oldest_seconds", "Age of the oldest delivery that waits", "endpoint")
        self.outbox = gauge("shuke_outbox_waiting", "What waits in the outbox", "kind")
        self.outbox_oldest = gauge("shuke_outbox_oldest_seconds", "How long the oldest of it has been due", "kind")
        self.due = gauge("shuke_clock_due_members", "Members the clock has still to see")
        self.lag = gauge("shuke_clock_lag_seconds", "How late the clock is for the member due first")
        self.waiting = gauge("shuke_tracking_waiting", "Told before their order, and waiting for it")
        self.given_up = gauge("shuke_tracking_given_up", "Waited for their order in vain, of the last 30 days")

    def show(self, backlog: Backlog, *, at: Instant) -> None:
        self.read_at.set(at / SECOND)
        for state in ENDPOINT_STATES:
            self.endpoints.labels(state).set(backlog.endpoints[state])
            self.deliveries.labels(state).set(backlog.deliveries[state].count)
            self.oldest.labels(state).set(_age(backlog.deliveries[state], at))
        for kind in OUTBOX_KINDS:
            self.outbox.labels(kind).set(backlog.outbox[kind].count)
            self.outbox_oldest.labels(kind).set(_age(backlog.outbox[kind], at))
        self.due.set(backlog.due.count)
        self.lag.set(_age(backlog.due, at))
        self.waiting.set(backlog.waiting.count)
        self.given_up.set(backlog.given_up)


def _age(pile: Pile, at: Instant) -> float:
    """Seconds since the oldest; 0 where there is none."""
    return 0.0 if pile.oldest is None else max(0, at - pile.oldest) / SECOND
