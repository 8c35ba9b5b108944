"""Quotes of a 30-line cart in process, with 50 and with 2,000 rules and 200 coupons; a spend from 10,000 lots."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any

from benchmarks.orders import BRANDS, START
from shuke.engine.activity import ASSET_OPENED, ASSET_SPENT, COUPON_ISSUED, Activity, Line, Purchase
from shuke.engine.cart import Quote
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.member import Member, pack, unpack
from shuke.engine.quote import quote
from shuke.engine.step import step
from shuke.program.document import from_data

LINES = 30
SAMPLES = 400
DAY = 24 * 3600 * 1_000_000


def program_data(*, rules: int, coupons: int) -> dict[str, Any]:
    """Half promotions, half earning rules, spread over the categories; all in force; ``coupons`` templates."""
    chance = random.Random(5)
    promotions: list[dict[str, Any]] = []
    earning: list[dict[str, Any]] = []
    for number in range(rules // 2):
        category = f"c{number % categories(rules)}"
        kinds: list[dict[str, Any]] = [
            {"give": {"percent": {"off": chance.randrange(1, 30)}}, "lines": f"line.category = {category}"},
            {"give": {"amount_off_each": 1}, "lines": f"line.category in [{category}, x{number}]", "minimum_items": 2},
            {"give": {"percent": {"off": 5}}, "lines": f"line.brand = own and line.category = {category}"},
            {"give": {"percent": {"off": 3}}, "lines": f"line.category = {category}", "when": "tier(main) = gold"},
            {"give": {"amount_off": 2}, "lines": f"line.category = {category}", "minimum_spend": 10_000},
        ]
        promotions.append({"id": f"p{number}", "priority": chance.randrange(100), **kinds[number % 5]})
        lines = f"line.category = {category}" if number % 10 else "line.brand = own"
        earning.append(
            {
                "id": f"e{number}",
                "asset": "points",
                "give": {"per": {"amount": 10 + number % 7, "points": 1}},
                "lines": lines,
            }
        )
    return {
        "id": "quotes",
        "currency": "USD",
        "zone": "Asia/Taipei",
        "assets": [{"id": "points", "redemption": {"worth": "0.01"}}],
        "earning": earning,
        "ladders": [{"id": "main", "tiers": [{"id": "base"}, {"id": "gold", "entry": "spend(12 months) >= 100"}]}],
        "prices": {"promotions": promotions},
        "coupons": [
            {"id": f"t{number}", "give": {"amount_off": 1}, "lines": f"line.category = c{number}", "minimum_spend": 5}
            for number in range(coupons)
        ],
    }


def categories(rules: int) -> int:
    return max(1, min(200, rules // 4))


def cart(seed: int, *, rules: int) -> Purchase:
    chance = random.Random(seed)
    lines = [
        Line(
            0,
            2,
            f"s{chance.randrange(3000)}",
            f"c{chance.randrange(categories(rules))}",
            chance.choice(BRANDS),
            chance.randrange(200, 9000),
        )
        for _ in range(LINES)
    ]
    return Purchase(f"cart-{seed}", lines, priced=False)


def percentiles(act: Callable[[int], object], *, samples: int = SAMPLES) -> tuple[float, float]:
    """(median, 95th percentile) of one call, milliseconds."""
    times = []
    for number in range(samples):
        started = time.perf_counter()
        act(number)
        times.append((time.perf_counter() - started) * 1000)
    times.sort()
    return times[samples // 2], times[samples * 95 // 100]


def measure_quote(*, rules: int, coupons: int) -> tuple[float, float]:
    editions = Editions([Compiled(from_data(program_data(rules=rules, coupons=coupons)))])
    member = Member("m1", 0)
    for number in range(coupons):
        told = Activity(
            COUPON_ISSUED, "m1", START + number, "bench", f"c{number}", {"template": f"t{number}", "reason": "bench"}
        )
        settled = step(editions, member, told)
        assert settled.refused is None, settled.refused
        member = settled.member
    carts = [cart(seed, rules=rules) for seed in range(SAMPLES)]
    assert isinstance(quote(editions, member, carts[0], at=START + DAY), Quote)
    found = percentiles(lambda number: quote(editions, member, carts[number], at=START + DAY))
    print(
        f"  {LINES} lines, {rules:>5,} rules, {coupons:>3} coupons: median {found[0]:6.2f} ms, p95 {found[1]:6.2f} ms",
        flush=True,
    )
    return found


def measure_spend(*, lots: int) -> tuple[float, float]:
    """A spend by a member with that many lots: unpack the member, step, pack."""
    editions = Editions([Compiled(from_data(program_data(rules=2, coupons=0)))])
    member = Member("m1", 0)
    for number in range(lots):
        payload = {"asset": "points", "amount": 10, "expires_at": START + (number + 10) * DAY}
        member = step(editions, member, Activity(ASSET_OPENED, "m1", START, "bench", f"l{number}", payload)).member
    assert len(member.purses["points"].lots) == lots
    state = pack(member)

    def spend(number: int) -> None:
        told = Activity(ASSET_SPENT, "m1", START + 1, "bench", f"s{number}", {"asset": "points", "amount": 25})
        settled = step(editions, unpack(state), told)
        assert settled.refused is None
        pack(settled.member)

    found = percentiles(spend)
    print(f"  spend from {lots:>6,} lots: median {found[0]:6.2f} ms, p95 {found[1]:6.2f} ms", flush=True)
    return found


def measure() -> None:
    for rules, coupons in ((50, 0), (2_000, 200)):
        measure_quote(rules=rules, coupons=coupons)
    for lots in (10, 10_000):
        measure_spend(lots=lots)
