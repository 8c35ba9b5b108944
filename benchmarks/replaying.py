"""Replay: three-line orders under ten rules, from a file to tables, and how memory grows with the history."""

from __future__ import annotations

import csv
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.orders import orders, ten_rules
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.member import Member
from shuke.engine.step import step
from shuke.replay.history import prepare
from shuke.replay.run import partitions_for, replay, run_partition
from shuke.values.instants import format_instant

JOBS = 2
ROUNDS = 3
YEAR = 365 * 24 * 3600 * 1_000_000


def write_orders(path: Path, *, count: int, members: int) -> None:
    """A file of order lines, as a shop would export it."""
    with path.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(
            ("order_id", "member_id", "occurred_at", "line_no", "amount", "sku", "category", "brand", "quantity")
        )
        for order in orders(count, members=members, seed=11, every=YEAR // count):
            at = format_instant(order.occurred_at, zone="Asia/Taipei")
            purchase = order.purchase
            assert purchase is not None
            for number, line in enumerate(purchase.lines, 1):
                rows.writerow(
                    (
                        purchase.order_id,
                        order.member_id,
                        at,
                        number,
                        line.amount,
                        line.sku,
                        line.category,
                        line.brand,
                        line.quantity,
                    )
                )


def run(file: Path, *, jobs: int) -> tuple[float, float]:
    """(seconds to read and lay out, seconds to replay and write the tables)."""
    program = ten_rules()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        started = time.perf_counter()
        prepared = prepare(
            orders=file,
            zone=program.zone,
            currency_scale=program.scale,
            asset_scales={asset.id: asset.scale for asset in program.assets},
            partitions=partitions_for([file], program=program, jobs=jobs),
            workdir=work,
            rejected=work / "rejected.csv",
        )
        laid_out = time.perf_counter()
        replay(program, prepared, out=work / "out", jobs=jobs)
        return laid_out - started, time.perf_counter() - laid_out


def measure(*, count: int, members: int) -> dict[str, float]:
    """Orders per second, reading included and not; prints and returns the medians."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "orders.csv"
        write_orders(file, count=count, members=members)
        found = []
        for _ in range(ROUNDS):
            reading, running = run(file, jobs=JOBS)
            found.append((count / (reading + running), count / running))
            print(
                f"  {count:>10,} orders: {found[-1][0]:9,.0f}/s from the file, {found[-1][1]:9,.0f}/s once laid out",
                flush=True,
            )
    return {
        "orders_per_second": statistics.median(all_ for all_, _ in found),
        "engine_orders_per_second": statistics.median(engine for _, engine in found),
    }


def cost(*, count: int, members: int) -> None:
    """Prints µs of CPU per order in this process: to replay it (read back, settled, written), and of its step alone."""
    program = ten_rules()
    editions = Editions([Compiled(program)])
    gc.disable()  # as replay does
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        write_orders(work / "orders.csv", count=count, members=members)
        prepared = prepare(
            orders=work / "orders.csv",
            zone=program.zone,
            currency_scale=program.scale,
            asset_scales={asset.id: asset.scale for asset in program.assets},
            partitions=1,
            workdir=work,
            rejected=work / "rejected.csv",
        )
        started = time.process_time()
        run_partition(editions, prepared, 0, parts=work, until=None)
        replayed = time.process_time() - started
    activities = list(orders(count, members=members, seed=11, every=YEAR // count))
    known: dict[str, Member] = {}
    started = time.process_time()
    for activity in activities:
        member = known.get(activity.member_id)
        if member is None:
            member = known[activity.member_id] = Member(activity.member_id, 0)
        step(editions, member, activity)
    stepped = time.process_time() - started
    gc.enable()
    print(f"  {replayed / count * 1e6:6.1f} µs to replay an order, {stepped / count * 1e6:6.1f} µs of a step")


def memory(*, counts: tuple[int, ...]) -> dict[int, float]:
    """Peak memory (MB, the largest single process) of a whole replay, per number of orders."""
    peaks: dict[int, float] = {}
    for count in counts:
        code = (
            "import resource, tempfile; from pathlib import Path; from benchmarks.replaying import run, write_orders\n"
            "if __name__ == '__main__':\n"
            " with tempfile.TemporaryDirectory() as folder:\n"
            f"  file = Path(folder) / 'orders.csv'; write_orders(file, count={count}, members={count} // 40)\n"
            "  run(file, jobs=1)\n"
            "  print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
        )
        output = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
        peaks[count] = float(output.split()[-1])
        print(f"  {count:>10,} orders: {peaks[count]:6,.0f} MB at most", flush=True)
    return peaks
