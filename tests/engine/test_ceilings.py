"""What nobody can have is not given: told amounts are refused, rules' amounts are skipped, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import json

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.cart import Quote
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused
from shuke.engine.quote import quote
from shuke.values.amounts import MAX_AMOUNT
from tests.shop import COFFEE, NOON, Ledger, Shop, edition, given, order, told

RICH = edition(
    COFFEE.replace("transfer: {minimum: 1}", "transfer: {minimum: 1}, redemption: {worth: 1}")
    + """
  - {id: ride, on: ride, asset: points, give: {per_unit: {of: activity.km, points: 1000000}}}
measures:
  - {id: km, kind: sum, of: payload.km, on: [ride]}
ladders:
  - {id: main, tiers: [{id: base}, {id: far, entry: "km(lifetime) >= 10"}]}
benefits:
  - {id: welcome, for: {ladder: main, tiers: [far]}, upgrade_gift: {asset: points, amount: 100}}
"""
)
FULL = {"asset": "points", "most": MAX_AMOUNT}


def nearly_full(room: int) -> Ledger:
    """Ada has room for so many points."""
    ledger = Ledger(RICH)
    ledger.all(given("ada", MAX_AMOUNT - room, key="much"))
    return ledger


def cart(order_id: str, amount: int, *, points: int = 0, priced: bool = True) -> Activity:
    uses = Payments(points={"points": points}) if points else None
    purchase = Purchase(order_id, [Line(amount)], uses=uses, priced=priced)
    return Activity(of.ORDER_PAID, "ada", NOON, "test", order_id, None, purchase)


def test_a_paid_order_is_settled_without_what_would_be_more_than_a_balance_holds() -> None:
    ledger = nearly_full(9)
    settled = ledger.settle(order("ada", "o1", 10_00))
    assert settled.refused is None
    assert settled.answer["skipped"] == [{"what": "base", "code": "balance_too_large", **FULL}]
    assert settled.effects.orders["o1"].awards == []
    back = ledger.settle(told(of.ORDER_REFUNDED, "ada", key="r", order_id="o1"))
    assert (back.refused, back.effects.entries) == (None, [])
    assert ledger.settle(order("ada", "o2", 9_00)).answer["earned"] == {"points": 9}
    assert ledger.balance("ada") == MAX_AMOUNT


def test_a_quote_skips_what_paying_would_skip() -> None:
    ledger = nearly_full(9)
    for amount in (9_00, 10_00):
        purchase = Purchase("o1", [Line(amount)], priced=False)
        told_before = quote(Editions([RICH]), ledger.members["ada"], purchase, at=NOON)
        assert isinstance(told_before, Quote)
        paid = ledger.settle(cart(f"o{amount}", amount)).answer
        assert told_before.earns == paid.get("earned", {})
        assert [skipped["code"] for skipped in told_before.skipped] == [s["code"] for s in paid.get("skipped", [])]
        ledger = nearly_full(9)


@pytest.mark.parametrize(
    ("km", "earned", "skipped"),
    [
        ("12.5", 12_500_000, []),
        (1.2345678901234567e-05, 12, []),
        (1e300, 0, ["measure_too_large", "balance_too_large"]),
        ("9" * 30, 0, ["measure_too_large", "balance_too_large"]),
    ],
)
def test_a_number_that_nobody_can_mean_counts_and_earns_nothing(km: Any, earned: int, skipped: list[str]) -> None:
    settled = Ledger(RICH).settle(told("ride", "ada", key="r", km=km))
    assert settled.refused is None
    assert settled.answer.get("earned", {"points": 0}) == {"points": earned}
    assert [one["code"] for one in settled.answer.get("skipped", [])] == skipped
    assert len(json.encode([entry.why for entry in settled.effects.entries])) < 200


def test_a_factor_with_more_digits_than_a_word_of_the_machine_gives_and_is_not_explained_by_them() -> None:
    precise = edition(COFFEE + f"  - {{id: more, asset: points, give: {{multiply: {{by: 1.5{'0' * 24}1}}}}}}\n")
    settled = Ledger(precise).settle(order("ada", "o", 100_00))
    assert settled.answer["earned"] == {"points": 150}
    assert json.encode([entry.why for entry in settled.effects.entries]) == b'[{"basis":10000},{"basis":100}]'


def test_a_gift_nobody_has_room_for_is_not_given_and_the_tier_is() -> None:
    ledger = nearly_full(99)
    settled = ledger.settle(told("ride", "ada", key="r", km="10"))
    assert ledger.members["ada"].tiers == {"main": "far"}
    assert [(one["what"], one["code"]) for one in settled.answer["skipped"]] == [
        ("ride", "balance_too_large"),
        ("welcome", "balance_too_large"),
    ]
    assert ledger.balance("ada") == MAX_AMOUNT - 99


def test_a_top_up_is_settled_without_a_bonus_that_would_be_too_large() -> None:
    ledger = Ledger(
        edition(
            COFFEE.replace(
                "earning:",
                "  - {id: cash, kind: principal, scale: 2}\n  - {id: bonus, kind: bonus, scale: 2}\nearning:",
            )
            + "stored_value:\n  {principal: cash, bonus: bonus, offers: [{id: o, pay: 10, bonus: 60000000000000}]}\n"
        )
    )
    first, second = (ledger.settle(told(of.TOPPED_UP, "ada", key=id_, id=id_, amount=10_00)) for id_ in "ab")
    assert (first.answer["top_up"]["bonus"], second.answer["top_up"]["bonus"]) == (6 * 10**15, 0)
    assert second.answer["skipped"] == [{"what": "bonus", "code": "balance_too_large", "most": MAX_AMOUNT}]
    assert (ledger.balance("ada", "cash"), ledger.balance("ada", "bonus")) == (20_00, 6 * 10**15)
    back = ledger.settle(told(of.TOP_UP_REFUNDED, "ada", key="r", id="b"))
    assert (back.refused, ledger.balance("ada", "bonus")) == (None, 6 * 10**15)


def test_an_order_of_more_than_an_amount_can_be_is_refused_also_as_a_cart() -> None:
    purchase = Purchase("o", [Line(MAX_AMOUNT), Line(1)])
    for priced in (True, False):
        ledger = Ledger(RICH)
        purchase.priced = priced
        paid = ledger.settle(Activity(of.ORDER_PAID, "ada", NOON, "test", "o", None, purchase))
        assert paid.refused == Refused("amount_invalid", {"amount": MAX_AMOUNT + 1})
    assert quote(Editions([RICH]), None, purchase, at=NOON) == Refused("amount_invalid", {"amount": MAX_AMOUNT + 1})
    exact = Purchase("o", [Line(MAX_AMOUNT - 1), Line(1)])
    assert Ledger(RICH).settle(Activity(of.ORDER_PAID, "ada", NOON, "test", "o", None, exact)).refused is None


@pytest.mark.parametrize("act", [of.ORDER_REFUNDED, of.ORDER_CANCELLED])
def test_points_that_paid_come_back_only_where_there_is_room(act: str) -> None:
    ledger = Ledger(RICH)
    ledger.all(given("ada", 500, key="g"), cart("o1", 100_00, points=100, priced=False))
    ledger.all(given("ada", MAX_AMOUNT - 499, key="much"))
    back = told(act, "ada", key="r", order_id="o1")
    assert ledger.settle(back).refused == Refused("balance_too_large", FULL)
    ledger.all(given("ada", -1, key="less"))
    assert ledger.settle(told(act, "ada", key="r2", order_id="o1")).refused is None
    assert ledger.balance("ada") == MAX_AMOUNT


def test_a_spend_is_undone_only_where_there_is_room() -> None:
    ledger = Ledger(RICH)
    spend = told(of.ASSET_SPENT, "ada", key="s", id="s", asset="points", amount=10)
    ledger.all(given("ada", 10, key="g"), spend, given("ada", MAX_AMOUNT, key="much"))
    undo = told(of.ASSET_SPEND_REVERSED, "ada", key="u", id="s")
    assert ledger.settle(undo).refused == Refused("balance_too_large", FULL)


def test_an_order_is_reopened_only_where_there_is_room_for_what_it_gave() -> None:
    ledger = Ledger(RICH)
    cancelled = told(of.ORDER_CANCELLED, "ada", key="c", order_id="o1")
    ledger.all(order("ada", "o1", 50_00), cancelled, given("ada", MAX_AMOUNT, key="much"))
    reopened = told(of.ORDER_REOPENED, "ada", key="r", order_id="o1")
    assert ledger.settle(reopened).refused == Refused("balance_too_large", FULL)


@pytest.mark.database
async def test_a_gift_nobody_has_room_for_goes_back_to_whoever_sent_it(shop: Shop) -> None:
    gift = told(of.ASSET_TRANSFERRED, "ada", key="t", asset="points", amount=30, to_member="bob")
    await shop.settle(given("ada", 100, key="a"), given("bob", MAX_AMOUNT - 29, key="b"))
    [sent] = await shop.settle(gift)
    assert sent.status == "settled"
    assert (await shop.available("ada"), await shop.available("bob")) == (100, MAX_AMOUNT - 29)
    rows = await shop.rows("select member_id, type, answer ->> 'code' from activity order by id desc limit 3")
    assert rows == [
        ("ada", of.ASSET_RECEIVED, None),
        ("bob", of.ASSET_RECEIVED, "balance_too_large"),
        ("ada", of.ASSET_TRANSFERRED, None),
    ]
    assert [answer.repeated for answer in await shop.settle(gift)] == [True]
    assert await shop.findings() == []
