"""The API beside pgbench: single orders, quotes, look-ups and batches over HTTP, server and load on the same cores."""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import psutil

from benchmarks import baseline, ingesting, load
from benchmarks.orders import CATEGORIES, member_name, orders
from benchmarks.settling import SMALL, _home, _prepare
from shuke.books import server
from shuke.books.connect import connect
from shuke.engine.activity import Purchase
from shuke.runtime.clock import now
from shuke.runtime.due import advance
from shuke.runtime.shop import open_shop
from shuke.web.api.callers import SCOPES
from shuke.web.api.keys import make_key

CONNECTIONS = 64


def measure(*, members: int = SMALL, count: int = 20_000, rounds: int = 3, home: Path | None = None) -> None:
    """Everything that is aimed at, beside pgbench in turn, ``rounds`` times."""
    with server.start(_home(home)) as running:
        tenant = _prepare(running.url, members)
        key = asyncio.run(_key(running.url, tenant))
        asyncio.run(_catch_up(running.url, tenant))
        for processes in (1, 2):
            with _serving(running.url, tenant, processes) as (port, served):
                load.together(port, _orders(key, members, 2_000, (processes, rounds)), connections=CONNECTIONS)  # warm
                turns = [(processes, turn) for turn in range(rounds)]
                ratios = [_beside_pgbench(running.url, port, served, key, members, count, turn) for turn in turns]
                told = f"{processes} process" if processes == 1 else f"{processes} processes on one port"
                print(f"  {told}, median of {rounds}: {statistics.median(ratios):.2f} x pgbench", flush=True)
        with _serving(running.url, tenant, 1) as (port, served):
            looked = [load.request_of("GET", f"/v1/members/{member_name(n * 37 % members)}", key=key) for n in _ASKED]
            print(f"  look-ups   {load.steadily(port, looked, rate=1_000).told()}", flush=True)
            carts = [load.request_of("POST", "/v1/carts/quote", key=key, body=_cart(n, members)) for n in _ASKED]
            print(f"  quotes     {load.steadily(port, carts, rate=500).told()}", flush=True)
            shares = [_ingest(running.url, tenant, port, served, key, members, turn) for turn in range(rounds)]
            print(f"  median of {rounds}: {statistics.median(shares):.0%} of the speed in process", flush=True)


_ASKED = range(6_000)


def _beside_pgbench(
    url: str, port: int, served: list[psutil.Process], key: str, members: int, count: int, turn: tuple[int, int]
) -> float:
    """Single orders over HTTP, as a share of pgbench's transactions."""
    tps = baseline.transactions_per_second(url)
    before = _cpu(served)
    told = load.together(port, _orders(key, members, count, turn), connections=CONNECTIONS)
    cost = (_cpu(served) - before) / count * 1e6
    print(f"  pgbench    {tps:8,.0f} transactions/s")
    print(
        f"  orders     {told.told()}   {told.rate / tps:.2f} x pgbench   {cost:.0f} µs of the servers' CPU each",
        flush=True,
    )
    return told.rate / tps


def _ingest(url: str, tenant: str, port: int, served: list[psutil.Process], key: str, members: int, turn: int) -> float:
    """Orders in batches of ten thousand over HTTP, as a share of the speed of settling them in process."""
    count = 2 * ingesting.SIZE
    bodies = ingesting.bodies(members, count, turn)
    alone, cpu = ingesting.in_process(url, tenant, members=members, count=count, round_=turn)
    before = _cpu(served)
    told = load.together(
        port, [load.request_of("POST", "/v1/activities", key=key, body=body) for body in bodies], connections=1
    )
    speed = count / told.seconds
    cost = (_cpu(served) - before) / count * 1e6
    bad = {status: found for status, found in told.statuses.items() if status != 200}
    print(
        f"  in process {alone:8,.0f} orders/s, {cpu:.0f} µs of CPU each   batches over HTTP {speed:8,.0f} orders/s, "
        f"{cost:.0f} µs   {speed / alone:.0%}" + (f"   not well: {bad}" if bad else ""),
        flush=True,
    )
    return speed / alone


def _cart(number: int, members: int) -> bytes:
    """A cart of five lines."""
    lines = [{"amount": 100 + number % 900, "sku": f"s{n}", "category": CATEGORIES[n]} for n in range(5)]
    return msgspec.json.encode({"member_id": member_name(number * 37 % members), "lines": lines})


async def _key(url: str, tenant: str) -> str:
    async with await connect(url, tenant=tenant) as connection:
        made = await make_key(connection, name="bench", source="bench", scopes=list(SCOPES), per_minute=1_000_000)
    assert made.secret is not None
    return made.secret


async def _catch_up(url: str, tenant: str) -> None:
    """The members loaded come from last year: let their time pass before anything is measured."""
    async with open_shop(url, tenant=tenant, connections=2) as shop:
        await advance(shop.settler, until=now())


@contextmanager
def _serving(url: str, tenant: str, processes: int) -> Iterator[tuple[int, list[psutil.Process]]]:
    """``shuke serve`` as anybody would start it, once or several times on one port; the port and the processes."""
    environment = {**os.environ, "SHUKE_DATABASE_URL": url, "SHUKE_TENANT": tenant}
    port, started = 0, list[subprocess.Popen[str]]()
    try:
        for number in range(processes):
            apart = ["--share-port"] if processes > 1 else []
            apart += ["--no-work"] if number else []
            command = [sys.executable, "-m", "shuke.cli", "serve", "--port", str(port), *apart]
            process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
            started.append(process)
            assert process.stdout is not None
            found = re.search(r":(\d+)/v1", process.stdout.readline())
            assert found is not None, "the server did not start"
            port = int(found[1])
        yield port, [psutil.Process(process.pid) for process in started]
    finally:
        for process in started:
            process.terminate()
            process.wait()


def _cpu(processes: list[psutil.Process]) -> float:
    spent = [process.cpu_times() for process in processes]
    return float(sum(one.user + one.system for one in spent))


def _orders(key: str, members: int, count: int, turn: tuple[int, int]) -> list[bytes]:
    """Orders of three lines, as a shop would send them, others in every turn."""
    found = []
    of, round_ = turn
    for activity in orders(count, members=members, seed=round_, source=f"http-{of}-{round_}", every=0):
        assert activity.purchase is not None
        body = msgspec.json.encode(_told(activity.member_id, activity.purchase))
        found.append(load.request_of("POST", "/v1/orders", key=key, once=activity.key, body=body))
    return found


def _told(member_id: str, purchase: Purchase) -> dict[str, object]:
    lines = [
        {"amount": line.amount, "sku": line.sku, "category": line.category, "brand": line.brand}
        for line in purchase.lines
    ]
    return {
        "order_id": purchase.order_id,
        "member_id": member_id,
        "lines": lines,
        "channel": purchase.channel,
        "store": purchase.store,
    }
