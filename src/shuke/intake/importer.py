"""Importing a history into the books: through settling, like everything else.

The history is laid out in partitions of members; each process settles whole partitions, in time, in
batches. What was settled before is recognised by source and key, so an import that was interrupted, or is
run again, ends with the same books.
"""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from itertools import islice
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from pathlib import Path
from queue import Empty, Queue

from msgspec import Struct

from shuke.books.connect import pool
from shuke.books.programs import published
from shuke.engine.activity import Activity
from shuke.program.document import Program
from shuke.replay.history import Prepared, prepare, stream
from shuke.replay.run import partitions_for
from shuke.runtime.settings import Settings
from shuke.runtime.settle import NotPublished, Settler
from shuke.runtime.telemetry import set_up

BATCH = 1000
_HEARD_EVERY = 0.2  # seconds between looks at what the processes report


class ImportReport(Struct):
    """What became of a history. Rows are of the files, the rest are activities."""

    settled: int = 0
    repeated: int = 0
    refused: dict[str, int] = {}
    failed: int = 0
    rejected_rows: dict[str, int] = {}
    seconds: float = 0.0

    def add(self, other: ImportReport) -> None:
        self.settled += other.settled
        self.repeated += other.repeated
        self.failed += other.failed
        for code, count in other.refused.items():
            self.refused[code] = self.refused.get(code, 0) + count


async def latest_program(url: str, *, tenant: str) -> Program:
    """The program published last. Raises ``NotPublished``."""
    async with pool(url, tenant=tenant, size_max=1) as connections, connections.connection() as connection:
        versions = await published(connection)
    if not versions:
        raise NotPublished("publish a program first: shuke publish PROGRAM")
    return versions[-1].program


def import_history(
    *,
    url: str,
    tenant: str,
    orders: Path | None = None,
    activities: Path | None = None,
    members: Path | None = None,
    workdir: Path,
    rejected: Path,
    strict: bool = False,
    jobs: int = 2,
    reading: Callable[[str, int, int], None] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ImportReport:
    """Settle the files' history into the tenant's books.

    ``reading`` hears what is being read (kind, bytes done, bytes in all), ``progress`` how many activities
    are settled (done, in all). Raises ``NotPublished``, ``HistoryError``, and with ``strict`` ``BadRow``.
    """
    started = time.perf_counter()
    program = asyncio.run(latest_program(url, tenant=tenant))
    files = [file for file in (orders, activities, members) if file is not None]
    prepared = prepare(
        orders=orders,
        activities=activities,
        members=members,
        zone=program.zone,
        currency_scale=program.scale,
        asset_scales={asset.id: asset.scale for asset in program.assets},
        partitions=partitions_for(files, program=program, jobs=jobs),
        workdir=workdir,
        rejected=rejected,
        strict=strict,
        progress=reading,
    )
    report = ImportReport(rejected_rows=dict(prepared.refused))
    total = prepared.orders + prepared.activities + prepared.members
    for found in _runs(url, tenant, prepared, jobs, lambda done: progress(done, total) if progress else None):
        report.add(found)
    report.seconds = time.perf_counter() - started
    return report


def _runs(url: str, tenant: str, prepared: Prepared, jobs: int, heard: Callable[[int], None]) -> Iterator[ImportReport]:
    jobs = min(jobs, prepared.partitions)
    shares = [range(first, prepared.partitions, jobs) for first in range(jobs)]
    if jobs == 1:
        done = 0

        def told(count: int) -> None:
            nonlocal done
            done += count
            heard(done)

        yield asyncio.run(_settle_partitions(url, tenant, prepared, shares[0], told))
        return
    context = get_context("spawn")
    with SyncManager(ctx=context) as manager, ProcessPoolExecutor(jobs, context) as processes:
        counts = manager.Queue()
        runs = [processes.submit(_settle_in_process, url, tenant, prepared, share, counts) for share in shares]
        _listen(counts, runs, heard)
        for run in as_completed(runs):
            yield run.result()


def _listen(counts: Queue[int], runs: list[Future[ImportReport]], heard: Callable[[int], None]) -> None:
    done = 0
    while not all(run.done() for run in runs):
        try:
            done += counts.get(timeout=_HEARD_EVERY)
            heard(done)
        except Empty:
            continue


def _settle_in_process(url: str, tenant: str, prepared: Prepared, share: range, counts: Queue[int]) -> ImportReport:
    # A process begins without set-up, and structlog then writes to standard output, where reports go.
    set_up(Settings.read(os.environ).log, level=logging.WARNING)
    return asyncio.run(_settle_partitions(url, tenant, prepared, share, counts.put))


async def _settle_partitions(
    url: str, tenant: str, prepared: Prepared, share: range, told: Callable[[int], None]
) -> ImportReport:
    report = ImportReport()
    async with pool(url, tenant=tenant, size_max=1) as connections:
        settler = Settler(connections, announce=False)
        for partition in share:
            for batch in _batches(stream(prepared, partition)):
                for answer in await settler.settle(batch):
                    _count(report, answer.status, answer.code, repeated=answer.repeated)
                told(len(batch))
    return report


def _batches(activities: Iterator[Activity]) -> Iterator[list[Activity]]:
    while batch := list(islice(activities, BATCH)):
        yield batch


def _count(report: ImportReport, status: str, code: str | None, *, repeated: bool) -> None:
    if repeated:
        report.repeated += 1
    elif status == "settled":
        report.settled += 1
    elif status == "failed":
        report.failed += 1
    else:
        report.refused[code or ""] = report.refused.get(code or "", 0) + 1
