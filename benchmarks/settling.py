"""Bulk settling: three-line orders under ten rules, durable, two processes, in turn with pgbench."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from benchmarks import baseline, loading
from benchmarks.orders import MINUTE, SECOND, START, orders, ten_rules
from shuke.books import programs, server
from shuke.books.connect import connect, pool
from shuke.books.migrations import migrate
from shuke.engine.activity import Activity
from shuke.runtime.clock import now
from shuke.runtime.settle import Settler
from shuke.values.ids import bucket_of
from shuke.values.instants import Instant

PROCESSES = 2
BATCH = 1000
SMALL, LARGE = 100_000, 10_000_000
EVERY = SECOND // 10  # from order to order: a busy shop
ROUND = 3 * 60 * MINUTE
WARM_UP = 2  # batches per process that are not counted


def settle(*, members: int = SMALL, count: int = 60_000, rounds: int = 3, home: Path | None = None) -> None:
    """Orders a second beside pgbench's transactions a second, in turn, ``rounds`` times."""
    with server.start(_home(home)) as running:
        tenant = _prepare(running.url, members)
        ours, theirs = [], []
        for round_ in range(rounds):
            theirs.append(baseline.transactions_per_second(running.url))
            ours.append(_told(members, rate(running.url, tenant, members=members, count=count, round_=round_)))
            print(f"             pgbench {theirs[-1]:8,.0f} transactions/s   ratio {ours[-1] / theirs[-1]:5.2f}")
        ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
        print(f"  median of {rounds}: {statistics.median(ours):,.0f} orders/s, {ratio:.2f} x pgbench", flush=True)


def scale(
    *, sizes: Sequence[int] = (SMALL, LARGE), count: int = 60_000, rounds: int = 3, home: Path | None = None
) -> None:
    """What an order costs with few and with many members loaded, and pgbench, in turn, ``rounds`` times."""
    with server.start(_home(home)) as running:
        tenants = [(members, _prepare(running.url, members)) for members in sizes]
        costs: dict[int, list[float]] = {members: [] for members in sizes}
        ratios: dict[int, list[float]] = {members: [] for members in sizes}
        for round_ in range(rounds):
            tps = baseline.transactions_per_second(running.url)
            print(f"             pgbench {tps:8,.0f} transactions/s")
            for members, tenant in tenants:
                speed = _told(members, rate(running.url, tenant, members=members, count=count, round_=round_))
                costs[members].append(1e6 / speed)
                ratios[members].append(speed / tps)
        few, many = sizes[0], sizes[-1]
        growth = statistics.median(more / less for less, more in zip(costs[few], costs[many], strict=True))
        beside = ", ".join(f"{statistics.median(ratios[size]):.2f} x pgbench at {size:,}" for size in sizes)
        print(
            f"  median of {rounds}: an order costs {growth:.2f} x as much at {many:,} as at {few:,}; {beside}",
            flush=True,
        )


def small(*, sizes: Sequence[int] = (1, 2, 5, 10, 20, 50, 100, 200), seconds: float = 2.0) -> None:
    """How long batches of few orders take, one after the other."""
    with server.start(_home(None)) as running:
        tenant = _prepare(running.url, SMALL)
        asyncio.run(_small(running.url, tenant, sizes, seconds))


async def _small(url: str, tenant: str, sizes: Sequence[int], seconds: float) -> None:
    async with pool(url, tenant=tenant, size_max=1) as connections:
        settler = Settler(connections)
        for size in sizes:
            source = orders(1_000_000, members=SMALL, seed=size, source=f"small{size}-{now()}")
            taken: list[float] = []
            until = time.perf_counter() + seconds
            while time.perf_counter() < until:
                batch = [next(source) for _ in range(size)]
                start = time.perf_counter()
                await settler.settle(batch)
                taken.append((time.perf_counter() - start) * 1e3)
            taken.sort()
            middle, late = taken[len(taken) // 2], taken[len(taken) * 95 // 100]
            print(
                f"  {size:4} orders: p50 {middle:6.2f} ms   p95 {late:6.2f} ms   {middle / size:5.2f} ms each",
                flush=True,
            )


def _home(home: Path | None) -> Path:
    return home or Path(tempfile.mkdtemp(prefix="shuke-bench-"))


def _prepare(url: str, members: int) -> str:
    """The name of a tenant with so many members, loaded unless a run before did; and pgbench's tables."""
    tenant = f"bench_{members}"
    migrate(url, tenant=tenant)
    if not asyncio.run(_is_published(url, tenant)):
        print(f"  loading {members:,} members ...", flush=True)
        loading.load(url, tenant, members=members)
        asyncio.run(_publish(url, tenant))
    baseline.prepare(url)
    return tenant


async def _is_published(url: str, tenant: str) -> bool:
    async with await connect(url, tenant=tenant) as connection:
        return await programs.latest_version(connection) > 0


async def _publish(url: str, tenant: str) -> None:
    async with await connect(url, tenant=tenant) as connection:
        await programs.publish(connection, ten_rules(), text="", at=1)


def rate(url: str, tenant: str, *, members: int, count: int, round_: int) -> tuple[float, float]:
    """(orders per second of all processes together, CPU microseconds of Python per order)."""
    share = count // PROCESSES
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as processes:
        start = now() + 4_000_000 + share * 50
        runs = [
            processes.submit(
                _settle, url, tenant, count=share, members=members, round_=round_, process=process, start=start
            )
            for process in range(PROCESSES)
        ]
        results = [run.result() for run in runs]
    assert all(settled == share for _, _, settled in results)
    slowest = max(wall for wall, _, _ in results)
    return share * PROCESSES / slowest, sum(cpu for _, cpu, _ in results) / (share * PROCESSES) * 1e6


def _share(stream: Iterator[Activity], process: int) -> Iterator[Activity]:
    """The orders of one process: of the members in its share of the buckets, so that no two processes wait for
    each other's members. Of 100,000 members, two batches of a thousand nearly always have some in common."""
    return (order for order in stream if bucket_of(order.member_id) % PROCESSES == process)


def _settle(
    url: str, tenant: str, *, count: int, members: int, round_: int, process: int, start: Instant
) -> tuple[float, float, int]:
    """In a process of its own, from the instant ``start`` on; (wall seconds, CPU seconds, orders settled)."""
    seed = round_ * PROCESSES + process
    source = f"bench{seed}-{now()}"  # another run in the same home brings other orders
    start_at, most = START + round_ * ROUND, 10 * PROCESSES * count
    coming = orders(most, members=members, seed=seed, source=source, every=EVERY, start=start_at)
    stream = _share(coming, process)
    warm = list(islice(stream, WARM_UP * BATCH))
    made = list(islice(stream, count))

    async def run() -> tuple[float, float, int]:
        settled = 0
        async with pool(url, tenant=tenant, size_max=1) as connections:
            settler = Settler(connections)
            for first in range(0, len(warm), BATCH):
                await settler.settle(warm[first : first + BATCH])
            await asyncio.sleep(max(0, start - now()) / 1e6)
            wall, cpu = time.perf_counter(), time.process_time()
            for first in range(0, count, BATCH):
                answers = await settler.settle(made[first : first + BATCH])
                settled += sum(answer.status == "settled" for answer in answers)
            return time.perf_counter() - wall, time.process_time() - cpu, settled

    return asyncio.run(run())


def _told(members: int, measured: tuple[float, float]) -> float:
    speed, python_us = measured
    print(f"  {members:>12,} members: {speed:8,.0f} orders/s, {python_us:.0f} us of Python each", flush=True)
    return speed
