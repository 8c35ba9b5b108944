"""Bulk settling: three-line orders under ten rules, durable, two processes, beside pgbench."""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks import baseline
from benchmarks.orders import member_name, orders, ten_rules
from shuke.books import programs, server, wire
from shuke.books.connect import connect, pool
from shuke.books.migrations import migrate
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.member import Member, pack, unpack
from shuke.engine.step import step

from shuke.runtime.settle import Settler
from shuke.values.ids import bucket_of

PROCESSES = 2
ROUNDS = 3
BATCH = 1000


async def _publish(url: str, tenant: str) -> None:
    async with await connect(url, tenant=tenant) as connection:
        await programs.publish(connection, ten_rules(), text="", at=1)


async def _load_members(url: str, tenant: str, count: int) -> None:
    """Members who have each shopped some months, so that their rows have the size of life."""
    editions = Editions([Compiled(ten_rules())])
    grown = Member(member_name(0), 0)
    for order in orders(60, members=1, seed=7, source="before", every=4 * 24 * 60 * 60_000_000):
        grown = step(editions, grown, order).member
    state = pack(grown)
    copy = """copy member (bucket, member_id, status, joined_at, due_at, tiers, balances, traits, tags, seq, state)
        from stdin (format binary)"""
    empty_list = wire.raw(b"\0\0\0\0\0\0\0\0\0\0\0\x19")  # an empty text[]
    async with await connect(url, tenant=tenant) as connection:
        async with connection.cursor() as cursor, cursor.copy(copy) as rows:
            await rows.write(wire.HEADER)
            for first in range(0, count, 10_000):
                chunk = bytearray()
                for number in range(first, min(first + 10_000, count)):
                    member = unpack(state)
                    member.id = member_name(number)
                    chunk += wire.columns(11) + wire.int2(bucket_of(member.id)) + wire.text(member.id)
                    chunk += (
                        wire.text("active") + wire.instant(member.joined_at) + wire.instant(member.due_at)
                    )
                    chunk += (
                        wire.jsonb(b'{"main":"silver"}') + wire.jsonb(b'{"points":120}') + wire.jsonb(b"{}")
                    )
                    chunk += empty_list + wire.int8(member.seq) + wire.raw(pack(member))
                await rows.write(bytes(chunk))
            await rows.write(wire.TRAILER)
    async with await connect(url, tenant=tenant) as connection:
        await connection.set_autocommit(True)
        await connection.execute("vacuum analyze member")


def _settle(
    url: str, tenant: str, count: int, members: int, seed: int, start: float
) -> tuple[float, float, int]:
    """Settle ``count`` orders; (wall seconds, CPU seconds of this process, activities settled)."""
    made = list(orders(count, members=members, seed=seed, source=f"bench{seed}"))
    gc.collect()
    gc.disable()

    async def run() -> tuple[float, float, int]:
        settled = 0
        async with pool(url, tenant=tenant, size_max=1) as connections:
            settler = Settler(connections)
            await settler.settle(list(orders(1, members=members, seed=seed, source=f"warm{seed}")))
            while time.time() < start:
                await asyncio.sleep(0.001)
            wall, cpu = time.perf_counter(), time.process_time()
            for first in range(0, count, BATCH):
                answers = await settler.settle(made[first : first + BATCH])
                settled += sum(answer.status == "settled" for answer in answers)
            return time.perf_counter() - wall, time.process_time() - cpu, settled

    return asyncio.run(run())


def rate(url: str, tenant: str, *, members: int, count: int, round_: int) -> tuple[float, float]:
    """(orders per second of all processes together, CPU microseconds of Python per order)."""
    share = count // PROCESSES
    with ProcessPoolExecutor(PROCESSES, get_context("spawn")) as processes:
        start = time.time() + 3 + share / 40_000
        runs = [
            processes.submit(_settle, url, tenant, share, members, round_ * 10 + process, start)
            for process in range(PROCESSES)
        ]
        results = [run.result() for run in runs]
    assert sum(settled for _, _, settled in results) == share * PROCESSES
    slowest = max(wall for wall, _, _ in results)
    return share * PROCESSES / slowest, sum(cpu for _, cpu, _ in results) / (share * PROCESSES) * 1e6


def measure(*, members: int, count: int, home: Path | None = None) -> dict[str, float]:
    """Orders/s and pgbench tps in turn, ``ROUNDS`` times; prints and returns the medians and their ratio."""
    folder = home or Path(tempfile.mkdtemp(prefix="shuke-bench-"))
    with server.start(folder) as running:
        migrate(running.url, tenant="bench")
        asyncio.run(_publish(running.url, "bench"))
        asyncio.run(_load_members(running.url, "bench", members))
        baseline.prepare(running.url)
        ours, theirs, cpu = [], [], []
        for round_ in range(ROUNDS):
            theirs.append(baseline.transactions_per_second(running.url))
            orders_per_second, python_us = rate(
                running.url, "bench", members=members, count=count, round_=round_
            )
            ours.append(orders_per_second)
            cpu.append(python_us)
            print(
                f"  {members:>12,} members: {orders_per_second:8,.0f} orders/s   pgbench {theirs[-1]:8,.0f} tps",
                flush=True,
            )
    result = {
        "orders_per_second": statistics.median(ours),
        "pgbench_tps": statistics.median(theirs),
        "python_us": statistics.median(cpu),
    }
    result["ratio"] = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    return result
