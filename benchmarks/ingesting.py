"""Batch ingest: the bodies a shop would send to ``POST /v1/activities``, and the same orders settled without a door.

``doors`` sends the bodies; what is aimed at is the share of the speed in process that is left over HTTP.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context

import msgspec

from benchmarks.orders import SECOND, START, orders
from shuke.books.connect import pool
from shuke.engine.activity import Activity
from shuke.runtime.clock import now
from shuke.runtime.settle import Settler
from shuke.values.instants import format_instant

SIZE = 10_000
"""Activities in a body: as many as one may hold."""

BATCH = 1_000
"""Activities in a transaction, in process."""

_EVERY = SECOND // 10


def bodies(members: int, count: int, round_: int, *, size: int = SIZE) -> list[bytes]:
    """``count`` orders of three lines in JSON bodies of ``size`` each. Each name is used once per run and round."""
    told = (_told(activity) for activity in _orders(members, count, round_, name="ingest"))
    found = []
    while batch := list(islice(told, size)):
        found.append(msgspec.json.encode({"activities": batch}))
    return found


def in_process(url: str, tenant: str, *, members: int, count: int, round_: int) -> tuple[float, float]:
    """(orders a second, CPU microseconds of Python each) of one process that settles the same orders itself."""
    with ProcessPoolExecutor(1, get_context("spawn")) as process:
        return process.submit(_settle, url, tenant, members, count, round_).result()


def _settle(url: str, tenant: str, members: int, count: int, round_: int) -> tuple[float, float]:
    made = list(_orders(members, count, round_, name="bulk"))

    async def run() -> tuple[float, float]:
        async with pool(url, tenant=tenant, size_max=1) as connections:
            settler = Settler(connections)
            wall, cpu = time.perf_counter(), time.process_time()
            for first in range(0, count, BATCH):
                answers = await settler.settle(made[first : first + BATCH])
                assert all(answer.status == "settled" for answer in answers)
            return time.perf_counter() - wall, time.process_time() - cpu

    wall, cpu = asyncio.run(run())
    return count / wall, cpu / count * 1e6


def _orders(members: int, count: int, round_: int, *, name: str) -> Iterator[Activity]:
    start = START + round_ * count * _EVERY
    return orders(count, members=members, seed=round_, source=f"{name}{round_}-{now()}", every=_EVERY, start=start)


def _told(activity: Activity) -> dict[str, object]:
    purchase = activity.purchase
    assert purchase is not None, "the benchmarks' activities are orders"
    order = {
        "order_id": purchase.order_id,
        "channel": purchase.channel,
        "store": purchase.store,
        "lines": [
            {"amount": line.amount, "sku": line.sku, "category": line.category, "brand": line.brand}
            for line in purchase.lines
        ],
    }
    return {
        "type": activity.type,
        "member_id": activity.member_id,
        "key": activity.key,
        "occurred_at": format_instant(activity.occurred_at, zone="Asia/Taipei"),
        "order": order,
    }
