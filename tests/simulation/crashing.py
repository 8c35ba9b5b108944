"""What the crash tests run: a seeded stream of activities, and a process that settles it and can be killed.

The process says after each batch what was answered. Whatever it said before it died must be true for ever.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

import psycopg
from msgspec import Struct

from shuke.books import codes
from shuke.engine.activity import (
    ASSET_TRANSFERRED,
    COUPON_CLAIMED,
    COUPON_ISSUED,
    ORDER_CANCELLED,
    ORDER_REFUNDED,
    ORDER_REOPENED,
    Activity,
)
from shuke.runtime.settle import Answer
from shuke.values.instants import HOUR, MINUTE
from tests.shop import COFFEE, NOON, Shop, given, open_shop, order, spent, told

PROGRAM = (
    COFFEE
    + """
  - {id: budget, asset: points, give: {fixed: 3}, limits: {total: 600, per_day: 9}}
  - {id: seen, on: visited, asset: points, give: {fixed: 1}, limits: {times_total: 50}}
ladders:
  - id: main
    tiers: [{id: base}, {id: gold, entry: "spend(lifetime) >= 300"}]
coupons:
  - {id: welcome, give: {percent: 10}, valid: {lasts: 30 days}, limits: {total: 30}}
  - {id: printed, give: {percent: 10}, codes: unique, limits: {total: 25}}
"""
)

CODES = [f"CODE{number:02}" for number in range(40)]
"""Codes of the template "printed". Here and there two members come with the same one."""

Told = tuple[str, int, str | None, bytes]


class Said(Struct):
    """What a process said of the batch with this number."""

    batch: int
    answers: list[Told]


def told_of(answer: Answer) -> Told:
    return (answer.status, answer.seq, answer.code, bytes(answer.body))


def stream(seed: int, *, batches: int, size: int, members: int = 15) -> list[list[Activity]]:
    """Batches of orders, refunds, gifts and more between a few members, in time; here and there one repeats."""
    dice = random.Random(seed)
    found: list[Activity] = []
    orders: list[tuple[str, str]] = []
    when = NOON
    for number in range(batches * size):
        when += dice.randrange(MINUTE, 40 * HOUR)
        member = f"m{dice.randrange(members)}"
        key = f"{seed}/{number}"
        kind = dice.randrange(15)
        if kind < 5 or not orders:
            orders.append((member, key))
            lines = [dice.randrange(1, 9000) for _ in range(dice.randrange(1, 4))]
            found.append(order(member, key, *lines, when=when))
        elif kind < 8:
            member, order_id = dice.choice(orders)
            type_ = dice.choice([ORDER_REFUNDED, ORDER_CANCELLED, ORDER_REOPENED])
            part = {"amount": dice.randrange(1, 3000)} if type_ == ORDER_REFUNDED and number % 2 else {}
            found.append(told(type_, member, key=key, when=when, order_id=order_id, **part))
        elif kind == 8:
            found.append(spent(member, dice.randrange(1, 60), key=key, when=when))
        elif kind == 9:
            found.append(given(member, dice.choice([5, 50, -7]), key=key, when=when))
        elif kind == 10:
            to, amount = f"m{dice.randrange(members)}", dice.randrange(1, 30)
            gift = told(ASSET_TRANSFERRED, member, key=key, when=when, asset="points", amount=amount, to_member=to)
            found.append(gift)
        elif kind == 11:
            found.append(told(COUPON_ISSUED, member, key=key, when=when, template="welcome"))
        elif kind == 12:
            found.append(told("visited", member, key=key, when=when))
        elif kind == 13:
            found.append(told(COUPON_CLAIMED, member, key=key, when=when, code=dice.choice(CODES)))
        else:
            found.append(dice.choice(found))
    return [found[start : start + size] for start in range(0, len(found), size)]


@asynccontextmanager
async def doomed_shop(url: str, *, tenant: str) -> AsyncIterator[Shop]:
    """The shop over fresh books, with its program and its codes."""
    async with open_shop(url, tenant=tenant, program=PROGRAM) as shop:
        async with shop.connections.connection() as connection:
            batch = await codes.add_batch(connection, "printed", prefix="", letters=6, size=40, at=NOON, note="")
            await codes.add_codes(connection, batch, "".join(CODES).encode(), prefix="", letters=6, first=1)
        yield shop


def settle_stream(url: str, tenant: str, batches: list[list[Activity]], first: int, pipe: Connection) -> None:
    """The process: settle ``batches`` from number ``first`` on and say each answer once it is durable.

    When the database stays away it ends, like a worker that its supervisor will start again.
    """

    async def run() -> None:
        async with open_shop(url, tenant=tenant, program=None, most=1) as shop:
            for number, batch in enumerate(batches[first:], first):
                answers = await shop.settle(*batch)
                pipe.send(Said(number, [told_of(answer) for answer in answers]))

    try:
        asyncio.run(run())
    except psycopg.OperationalError:
        return
