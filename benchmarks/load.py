"""A load generator that costs little: ready-made requests over keep-alive connections, answers read just far enough.

It runs in a process of its own on the same cores as everything else, as a caller in the same machine would.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

import uvloop


@dataclass
class Report:
    """What a load saw: latencies in seconds, answers by status, and how long all of it took."""

    latencies: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds that ``share`` of the answers did not exceed."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000

    def told(self) -> str:
        bad = {status: count for status, count in self.statuses.items() if status >= 300}
        return (
            f"{self.rate:8,.0f} answers/s   p50 {self.percentile(0.5):6.1f} ms   p95 {self.percentile(0.95):6.1f} ms   "
            f"p99 {self.percentile(0.99):6.1f} ms" + (f"   not well: {bad}" if bad else "")
        )


class _Connection(asyncio.Protocol):
    """One request at a time."""

    def __init__(self, answered: Callable[[_Connection, int], None]) -> None:
        self._answered = answered
        self._buffer = b""
        self.sent_at = 0.0
        self.transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def ask(self, request: bytes, *, at: float) -> None:
        self.sent_at = at
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        place = head.index(b"content-length: ") + 16
        length = int(head[place:].split(b"\r", 1)[0])
        if len(self._buffer) < end + 4 + length:
            return
        self._buffer = self._buffer[end + 4 + length :]
        self._answered(self, int(head[9:12]))


def request_of(method: str, path: str, *, key: str, once: str = "", body: bytes = b"") -> bytes:
    """An HTTP request, ready to be sent."""
    lines = [f"{method} {path} HTTP/1.1", "Host: localhost", f"Authorization: Bearer {key}"]
    if once:
        lines.append(f"Idempotency-Key: {once}")
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def together(port: int, requests: list[bytes], *, connections: int) -> Report:
    """Every connection asks as soon as it was answered, until all requests are done."""
    return _elsewhere(_together, port, requests, connections)


def steadily(port: int, requests: list[bytes], *, rate: float, connections: int = 64) -> Report:
    """So many requests a second, whatever the answers do; the wait for a free connection counts as latency."""
    return _elsewhere(_steadily, port, requests, rate, connections)


def _elsewhere(run: Callable[..., Any], *arguments: Any) -> Report:
    with get_context("spawn").Pool(1) as process:
        report: Report = process.apply(_run, (run, arguments))
    return report


def _run(run: Callable[..., Any], arguments: tuple[Any, ...]) -> Report:
    report: Report = uvloop.run(run(*arguments))
    return report


async def _together(port: int, requests: list[bytes], connections: int) -> Report:
    report, left, done = Report(), iter(requests), asyncio.Event()

    def answered(connection: _Connection, status: int) -> None:
        at = time.perf_counter()
        report.latencies.append(at - connection.sent_at)
        report.statuses[status] += 1
        _next(connection, left, at)
        if len(report.latencies) == len(requests):
            done.set()

    opened = await _open(port, connections, answered)
    start = time.perf_counter()
    for connection in opened:
        _next(connection, left, start)
    await done.wait()
    report.seconds = time.perf_counter() - start
    return report


def _next(connection: _Connection, left: Iterator[bytes], at: float) -> None:
    request = next(left, None)
    if request is not None:
        connection.ask(request, at=at)


async def _steadily(port: int, requests: list[bytes], rate: float, connections: int) -> Report:
    report, done = Report(), asyncio.Event()
    waiting: deque[tuple[bytes, float]] = deque()
    free: list[_Connection] = []

    def answered(connection: _Connection, status: int) -> None:
        report.latencies.append(time.perf_counter() - connection.sent_at)
        report.statuses[status] += 1
        if waiting:
            request, at = waiting.popleft()
            connection.ask(request, at=at)
        else:
            free.append(connection)
        if len(report.latencies) == len(requests):
            done.set()

    free += await _open(port, connections, answered)
    start = time.perf_counter()
    for number, request in enumerate(requests):
        at = start + number / rate
        ahead = at - time.perf_counter()
        if ahead > 0:
            await asyncio.sleep(ahead)
        if free:
            free.pop().ask(request, at=at)
        else:
            waiting.append((request, at))
    await done.wait()
    report.seconds = time.perf_counter() - start
    return report


async def _open(port: int, connections: int, answered: Callable[[_Connection, int], None]) -> list[_Connection]:
    loop = asyncio.get_running_loop()
    opened = [
        await loop.create_connection(lambda: _Connection(answered), "127.0.0.1", port) for _ in range(connections)
    ]
    return [connection for _, connection in opened]
