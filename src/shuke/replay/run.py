"""Replay: a program over a history, through the engine alone.

The history is laid out in partitions of members; each partition runs by itself, in time, so the work
spreads over processes and memory stays flat. What comes out does not depend on how many there are.
"""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import msgspec

from shuke.engine.activity import ORDER_PAID, TIME_PASSED, Activity
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.member import Member
from shuke.engine.needs import needs
from shuke.engine.orders import Order
from shuke.engine.step import step
from shuke.engine.turn import Context
from shuke.program.document import Program, read, write
from shuke.replay.history import Prepared, stream
from shuke.replay.tables import Tables, join_tables
from shuke.replay.tally import Tally, summary
from shuke.values.instants import Instant

_BYTES_PER_PARTITION = 8_000_000
_PARTITIONS_MOST = 1024


def partitions_for(files: list[Path], *, program: Program, jobs: int) -> int:
    """How finely to lay out a history: partitions of a few megabytes, and some for every process.

    A program with totals that all members share must see everybody in the order of time: one partition.
    """
    if shares_quotas(Compiled(program)):
        return 1
    size = sum(file.stat().st_size * (6 if file.suffix in (".gz", ".parquet") else 1) for file in files)
    return max(1, min(_PARTITIONS_MOST, max(jobs * 4 if size > 1_000_000 else 1, size // _BYTES_PER_PARTITION)))


def shares_quotas(edition: Compiled) -> bool:
    """Whether some limit of the program counts all members together."""
    return any(edition.quotas.values()) or any(template.limits_shared for template in edition.coupons.values())


def replay(
    program: Program,
    prepared: Prepared,
    *,
    out: Path,
    until: Instant | None = None,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> dict[str, object]:
    """Run the prepared history under ``program`` and write the results into the folder ``out``:
    ``summary.json``, ``members.parquet``, ``entries.parquet``, ``tiers.parquet``. Returns the summary.

    ``until`` lets time pass for everybody up to that instant; ``progress`` hears how many activities were
    settled since the last call.
    """
    started = time.perf_counter()
    parts = out / "parts"
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    text = write(program)
    tally = Tally()
    for found in _runs(text, prepared, parts, until, jobs):
        tally.add(found)
        if progress is not None:
            progress(found.activities)
    join_tables(parts, out, partitions=prepared.partitions)
    shutil.rmtree(parts)
    result = summary(tally, program, seconds=time.perf_counter() - started, refused_rows=prepared.refused)
    (out / "summary.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    return result


def _runs(text: str, prepared: Prepared, parts: Path, until: Instant | None, jobs: int) -> Iterator[Tally]:
    if jobs == 1:
        with _quiet_collector():
            editions = Editions([Compiled(read(text))])
            for partition in range(prepared.partitions):
                yield run_partition(editions, prepared, partition, parts=parts, until=until)
        return
    # Spawned, not forked: the reader's threads do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), _start, (text,)) as pool:
        runs = [
            pool.submit(_run_in_process, prepared, partition, parts, until) for partition in range(prepared.partitions)
        ]
        for run in as_completed(runs):
            yield run.result()


_editions: list[Editions] = []


def _start(text: str) -> None:
    _editions[:] = [Editions([Compiled(read(text))])]
    gc.disable()


def _run_in_process(prepared: Prepared, partition: int, parts: Path, until: Instant | None) -> Tally:
    return run_partition(_editions[0], prepared, partition, parts=parts, until=until)


@contextmanager
def _quiet_collector() -> Iterator[None]:
    """Members and orders are many, live long and hold no cycles: walking them to find some is wasted."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def run_partition(
    editions: Editions, prepared: Prepared, partition: int, *, parts: Path, until: Instant | None
) -> Tally:
    """Settle one partition's activities in order and write its part of the tables."""
    tally = Tally()
    members: dict[str, Member] = {}
    # Nothing but orders, and nothing shared: no step needs to be handed anything.
    alone = not prepared.activities and not any(map(shares_quotas, editions.compiled))
    orders: dict[tuple[str, str], Order] | None = None if alone else {}
    with Tables(editions.at(0).document, parts, partition, tally=tally) as tables:
        for activity in stream(prepared, partition):
            _settle(editions, activity, members, orders, tally, tables)
        for member in members.values():
            if until is not None and member.due_at <= until:
                passed = Activity(TIME_PASSED, member.id, until, "clock", f"{member.id}@{member.seq}")
                _settle(editions, passed, members, orders, tally, tables)
                tally.activities -= 1  # time is not an activity of the history
        for member in members.values():
            tally.count_member(member)
            tables.add_member(member)
    return tally


def _settle(
    editions: Editions,
    activity: Activity,
    members: dict[str, Member],
    orders: dict[tuple[str, str], Order] | None,
    tally: Tally,
    tables: Tables,
) -> None:
    member_id = activity.member_id
    member = members.get(member_id)
    if member is None:
        member = members[member_id] = Member(member_id, 0)
    context = None if orders is None else _context(editions, activity, orders, tally)
    settled = step(editions, member, activity, context)
    effects = settled.effects
    tally.activities += 1
    if settled.refused is not None:
        code = settled.refused.code
        tally.refused[code] = tally.refused.get(code, 0) + 1
    elif activity.type == ORDER_PAID:
        tally.orders += 1
    tables.add_entries(member_id, effects.entries)
    if effects.tiers:
        tables.add_tiers(member_id, effects.tiers)
    if orders is not None:
        for order_id, order in effects.orders.items():
            orders[member_id, order_id] = order
    for inbox in effects.activities:
        _settle(editions, inbox, members, orders, tally, tables)
        tally.activities -= 1


def _context(editions: Editions, activity: Activity, orders: dict[tuple[str, str], Order], tally: Tally) -> Context:
    need = needs(editions, activity)
    member_id = activity.member_id
    found = {id_: orders[member_id, id_] for id_ in need.orders if (member_id, id_) in orders}
    return Context(found, tally.taken)
