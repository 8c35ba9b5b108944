"""ACCEPTANCE 12: lines and amounts come back in any order and in any parts, and end where one full refund ends."""

from __future__ import annotations

import os
from copy import deepcopy

from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.member import Lot, pack
from shuke.engine.orders import pack_order
from shuke.values.instants import DAY, HOUR, NEVER
from tests.property.rich_shop import FIRST
from tests.shop import NOON, Ledger, edition, given, order, spent, told

ROUNDS = int(os.environ.get("SHUKE_PROVE_ROUNDS", "1"))
RICH = edition(FIRST.replace("worth: 0.05", "worth: 0.005"))
LATER = NOON + 5 * DAY

lines = st.lists(
    st.builds(
        Line, amount=st.integers(0, 3000), quantity=st.integers(1, 4), category=st.sampled_from(["coffee", "tea"])
    ),
    min_size=1,
    max_size=4,
)
uses = st.builds(
    Payments,
    points=st.dictionaries(st.sampled_from(["points", "stars", "miles"]), st.integers(1, 90), min_size=1, max_size=2),
    stored_value=st.sampled_from([0, 0, 50]),
)
purchases = st.builds(
    Purchase, st.just("o1"), lines, tax=st.integers(0, 99), shipping=st.integers(0, 300), uses=st.none() | uses
)


def bought(purchase, *, completed, spent_since):
    """A member with lots of several dates who buys, and spends most of what she has then."""
    shop = Ledger(RICH)
    for asset in ("points", "stars", "miles"):
        for number in range(3):
            when = NOON - (3 - number) * DAY
            shop.all(given("ada", 40, key=f"{asset}{number}", asset=asset, when=when))
    shop.all(told(of.TOPPED_UP, "ada", key="t", when=NOON - DAY, id="t", amount=10_000))
    shop.all(order("ada", "o0", 2500, 1000, when=NOON - DAY))
    paid = shop.settle(Activity(of.ORDER_PAID, "ada", NOON, "test", "o1", None, deepcopy(purchase)))
    if completed:
        shop.settle(told(of.ORDER_COMPLETED, "ada", key="done", when=NOON + HOUR, order_id="o1"))
    for asset, tenths in spent_since.items():
        left = shop.balance("ada", asset) * tenths // 10
        if left:
            shop.all(spent("ada", left, key=f"s{asset}", asset=asset, when=NOON + DAY))
    return shop, paid.refused is None


def refund(shop, key, **what):
    settled = shop.settle(told(of.ORDER_REFUNDED, "ada", key=key, when=LATER, order_id="o1", **what))
    return settled.answer.get("money", 0) if settled.refused is None else 0


@settings(max_examples=300 * ROUNDS)
@for_all(
    purchase=purchases,
    completed=st.booleans(),
    spent_since=st.dictionaries(st.sampled_from(["points", "stars", "miles"]), st.integers(0, 10)),
    parts=st.lists(
        st.one_of(
            st.builds(lambda line: {"lines": [{"line": line}]}, st.integers(1, 4)),
            st.builds(lambda line: {"lines": [{"line": line, "quantity": 1}]}, st.integers(1, 4)),
            st.builds(
                lambda line, cents: {"lines": [{"line": line, "amount": cents}]}, st.integers(1, 4), st.integers(1, 900)
            ),
            st.builds(lambda cents: {"amount": cents}, st.integers(1, 4000)),
            st.builds(lambda cents: {"lines": [], "shipping": cents}, st.integers(1, 300)),
        ),
        max_size=6,
    ),
)
def test_parts_in_any_order_end_where_one_full_refund_ends(purchase, completed, spent_since, parts):
    whole, _ = bought(purchase, completed=completed, spent_since=spent_since)
    cut, is_paid = bought(purchase, completed=completed, spent_since=spent_since)
    if not is_paid:
        return
    money = refund(whole, "all")
    in_parts = [refund(cut, f"part{number}", **part) for number, part in enumerate(parts)]
    in_parts.append(refund(cut, "rest"))
    assert sum(in_parts) == money
    assert state(cut) == state(whole)


def state(shop):
    """Member and order, but for how many activities it took, which quantities were named, and which of several
    awards in one lot found it empty."""
    member, remembered = deepcopy(shop.members["ada"]), deepcopy(shop.orders["ada", "o1"])
    member.seq, remembered.returned = 0, None
    beyond: dict[tuple[str, int], int] = {}
    for award in remembered.awards:
        for lot in [*award.beyond, Lot(0, 0, 0, NEVER, award.short)]:
            key = (award.asset, lot.no)
            beyond[key] = beyond.get(key, 0) + lot.amount
        award.beyond, award.short = [], 0
    return pack(member), pack_order(remembered), beyond, shop.taken
