"""Orders from a seed: three lines each, six categories, four brands, one every minute."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

from shuke.engine.activity import ORDER_PAID, Activity, Line, Purchase
from shuke.program.document import Program, read
from shuke.values.instants import Instant, parse_instant

CATEGORIES = ("coffee", "tea", "bread", "tobacco", "fruit", "milk")
BRANDS = ("own", "north", "south", "east")
START = parse_instant("2025-01-01T08:00:00", zone="Asia/Taipei")
SECOND = 1_000_000
MINUTE = 60 * SECOND
DAY = 24 * 60 * MINUTE


def ten_rules() -> Program:
    """The program of the benchmarks."""
    return read((Path(__file__).parent / "ten_rules.yaml").read_text())


def member_name(number: int) -> str:
    return f"m{number:08}"


def orders(
    count: int, *, members: int, seed: int, source: str = "bench", every: int = MINUTE, start: Instant = START
) -> Iterator[Activity]:
    """``count`` orders of random members, one every so many microseconds from ``start`` on.

    Each name of an order is used once per ``source``.
    """
    chance = random.Random(seed)
    for number in range(count):
        lines = [
            Line(
                chance.randrange(50, 900),
                1,
                f"s{chance.randrange(500)}",
                chance.choice(CATEGORIES),
                chance.choice(BRANDS),
            )
            for _ in range(3)
        ]
        name = f"{source}-{number}"
        purchase = Purchase(name, lines, channel="web", store="s1")
        member = member_name(chance.randrange(members))
        yield Activity(ORDER_PAID, member, start + number * every, source, name, None, purchase)
