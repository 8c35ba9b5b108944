"""What grows and what does not, counted in calls rather than in seconds."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from typing import Any

from benchmarks.quoting import cart, program_data
from shuke.engine.activity import ASSET_OPENED, ASSET_SPENT, Activity
from shuke.engine.cart import Quote
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Settled
from shuke.engine.member import Member, pack, unpack
from shuke.engine.quote import quote
from shuke.engine.step import step
from shuke.program.document import from_data
from shuke.values.instants import parse_instant

AT = parse_instant("2025-01-02T10:00", zone="Asia/Taipei")
DAY = 24 * 3600 * 1_000_000


def calls(act: Callable[[], Any]) -> tuple[int, Any]:
    """How many Python functions ``act`` calls, and what it returns. No cycles are collected meanwhile: who listens
    to the collector would be heard too."""
    count = 0

    def heard(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        if event == "call":
            count += 1

    gc.disable()
    sys.setprofile(heard)
    try:
        result = act()
    finally:
        sys.setprofile(None)
        gc.enable()
    return count, result


def quoting(*, strangers: int) -> int:
    """Calls of a quote under 200 rules its lines can meet, and as many others as told."""
    data = program_data(rules=200, coupons=0)
    for number in range(strangers // 2):
        lines = f"line.category = elsewhere-{number % 300}"
        data["prices"]["promotions"].append({"id": f"q{number}", "give": {"percent": {"off": 9}}, "lines": lines})
        data["earning"].append({"id": f"f{number}", "asset": "points", "give": {"fixed": 9}, "lines": lines})
    editions = Editions([Compiled(from_data(data))])
    basket = cart(3, rules=200)
    quote(editions, Member("m1", 0), basket, at=AT)  # works the day's index out
    count, found = calls(lambda: quote(editions, Member("m1", 0), basket, at=AT))
    assert isinstance(found, Quote)
    return count


def test_a_quote_under_two_thousand_active_rules_touches_only_those_its_thirty_lines_can_meet() -> None:
    assert quoting(strangers=1_800) == quoting(strangers=0)


def rich(lots: int) -> Member:
    editions = Editions([Compiled(from_data(program_data(rules=2, coupons=0)))])
    member = Member("m1", 0)
    for number in range(lots):
        payload = {"asset": "points", "amount": 10, "expires_at": AT + (number + 60) * DAY}
        member = step(editions, member, Activity(ASSET_OPENED, "m1", AT, "test", f"l{number}", payload)).member
    return member


def spending(lots: int) -> tuple[int, Settled]:
    editions = Editions([Compiled(from_data(program_data(rules=2, coupons=0)))])
    member = unpack(pack(rich(lots)))
    spent = Activity(ASSET_SPENT, "m1", AT + 1, "test", "s1", {"asset": "points", "amount": 25})
    return calls(lambda: step(editions, member, spent))


def test_a_member_with_ten_thousand_lots_spends_in_as_many_calls_as_one_with_ten() -> None:
    few, small = spending(10)
    many, large = spending(10_000)
    assert [entry.amount for entry in large.effects.entries] == [10, 10, 5]
    assert [entry.lot for entry in large.effects.entries] == [entry.lot for entry in small.effects.entries]
    assert many <= few + 10
