"""Stored value: what a top-up brings, how it is spent, what paying it back comes to."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine import activity as of
from shuke.engine.activity import Payments
from shuke.engine.effects import Refused
from shuke.engine.member import Member
from shuke.engine.offers import offers
from shuke.engine.stored_value import refund_of
from tests.engine.till import NOON, POINTS, Till, at, program

CASH = {"id": "cash", "kind": "principal", "scale": 2}
BONUS = {"id": "bonus", "kind": "bonus", "scale": 2}
OFFERS = [
    {"id": "small", "pay": 100, "bonus": 20},
    {"id": "large", "pay": 500, "bonus": 150},
]


def till(*, assets: tuple[dict[str, Any], ...] = (POINTS, CASH, BONUS), **chapter: Any) -> Till:
    stored_value = {"principal": "cash", "bonus": "bonus", "offers": OFFERS} | chapter
    return Till(program(assets=list(assets), stored_value=stored_value))


def balances(shop: Till) -> tuple[int, int]:
    return shop.balance("cash"), shop.balance("bonus")


# -- Topped up --------------------------------------------------------------------------------------------

TOP_UPS: list[tuple[str, int, int]] = [
    ("best", 99_99, 0),
    ("best", 100_00, 20_00),
    ("best", 499_99, 20_00),
    ("best", 500_00, 150_00),
    ("best", 2000_00, 150_00),
    ("exact", 100_00, 20_00),
    ("exact", 100_01, 0),
    ("multiple", 99_99, 0),
    ("multiple", 300_00, 60_00),
    ("multiple", 1250_00, 340_00),
]


@pytest.mark.parametrize(("match", "paid", "bonus"), TOP_UPS)
def test_a_top_up_brings_the_bonus_of_the_offer_it_meets(match: str, paid: int, bonus: int) -> None:
    shop = till(match=match)
    settled = shop.do(of.TOPPED_UP, id="t1", amount=paid)
    assert balances(shop) == (paid, bonus)
    assert settled.answer["top_up"]["bonus"] == bonus


def test_offers_hold_in_their_span_and_for_whom_they_are_meant() -> None:
    offers = [
        OFFERS[0] | {"span": {"until": "2026-04-30"}},
        OFFERS[0] | {"id": "vip", "bonus": 30, "when": "tag vip"},
    ]
    shop = till(offers=offers)
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    assert balances(shop) == (100_00, 0)
    shop.do(of.UPDATED, tags=["vip"])
    shop.do(of.TOPPED_UP, id="t2", amount=100_00)
    assert balances(shop) == (200_00, 30_00)


LIMITS = [
    {"card": "named", "maximum_balance": 500, "maximum_top_up": 300, "minimum_top_up": 10},
    {"card": "bearer", "maximum_balance": 100},
]
OUTSIDE: list[tuple[dict[str, Any], Refused]] = [
    ({"amount": 9_99}, Refused("top_up_below_minimum", {"amount": 9_99, "minimum": 10_00})),
    ({"amount": 300_01}, Refused("top_up_above_maximum", {"amount": 300_01, "maximum": 300_00})),
    ({"amount": 90_00, "card": "bearer"}, Refused("balance_above_maximum", {"balance": 190_00, "maximum": 100_00})),
    ({"amount": 300_00}, Refused("balance_above_maximum", {"balance": 520_00, "maximum": 500_00})),
    ({"amount": 0}, Refused("amount_invalid", {"amount": 0})),
    ({"amount": "5"}, Refused("amount_invalid", {"amount": "5"})),
]


@pytest.mark.parametrize(("payload", "refused"), OUTSIDE)
def test_a_top_up_outside_the_limits_of_the_card_is_refused(payload: dict[str, Any], refused: Refused) -> None:
    shop = till(limits=LIMITS, offers=[{"id": "big", "pay": 200, "bonus": 120}])
    shop.do(of.TOPPED_UP, id="t0", amount=100_00)
    assert shop.refused(of.TOPPED_UP, id="t1", **payload) == refused


def test_what_is_on_hold_counts_towards_the_most_a_card_may_keep() -> None:
    shop = till(limits=[{"card": "named", "maximum_balance": 500}], offers=[])
    shop.do(of.TOPPED_UP, id="t0", amount=400_00)
    shop.do(of.ASSET_HELD, hold="h1", stored_value=300_00)
    refused = shop.refused(of.TOPPED_UP, id="t1", amount=100_01)
    assert refused == Refused("balance_above_maximum", {"balance": 500_01, "maximum": 500_00})


def test_offers_are_told_as_they_stand_for_a_member_or_for_anybody() -> None:
    chapter = {
        "offers": [
            *OFFERS,
            {"id": "spring", "pay": 50, "bonus": 5, "span": {"until": "2026-04-30"}},
            {"id": "vip", "pay": 200, "bonus": 50, "when": "tag vip"},
        ]
    }
    shop = till(**chapter)
    shop.do(of.UPDATED, tags=["new"])

    def told(member: Member | None) -> list[tuple[str, int, int, bool]]:
        found = offers(shop.editions, member, at(NOON))
        return [(offered.offer.id, offered.pay, offered.bonus, offered.open) for offered in found]

    anybody = [
        ("spring", 50_00, 5_00, False),
        ("small", 100_00, 20_00, True),
        ("vip", 200_00, 50_00, True),
        ("large", 500_00, 150_00, True),
    ]
    assert told(None) == anybody
    assert told(shop.member) == [*anybody[:2], ("vip", 200_00, 50_00, False), anybody[3]]
    assert offers(Till().editions, None, at(NOON)) == []


def test_a_top_up_is_made_once() -> None:
    shop = till()
    shop.do(of.TOPPED_UP, id="t1", amount=50_00)
    assert shop.refused(of.TOPPED_UP, id="t1", amount=50_00) == Refused("top_up_exists", {"id": "t1"})
    assert Till().refused(of.TOPPED_UP, id="t1", amount=50_00).code == "no_stored_value"


# -- Spent ------------------------------------------------------------------------------------------------

SPENT: list[tuple[str, int, tuple[int, int]]] = [
    ("principal_first", 60_00, (40_00, 20_00)),
    ("principal_first", 110_00, (0, 10_00)),
    ("bonus_first", 60_00, (60_00, 0)),
    ("bonus_first", 10_00, (100_00, 10_00)),
    ("in_proportion", 60_00, (50_00, 10_00)),
    ("in_proportion", 120_00, (0, 0)),
    ("in_proportion", 1, (99_99, 20_00)),
]


@pytest.mark.parametrize(("spend", "amount", "left"), SPENT)
def test_principal_and_bonus_are_spent_as_declared(spend: str, amount: int, left: tuple[int, int]) -> None:
    shop = till(spend=spend)
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    settled = shop.pay(150_00, uses=Payments(stored_value=amount))
    assert balances(shop) == left
    assert settled.answer["money"] == 150_00 - amount
    worth = [sum(paid.worth) for paid in shop.orders["o1"].paid]
    assert sum(worth) == amount


def test_a_finer_asset_than_money_pays_exactly() -> None:
    shop = till(assets=(CASH | {"scale": 4}, BONUS | {"scale": 4}))
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    assert balances(shop) == (100_0000, 20_0000)
    shop.pay(60_00, uses=Payments(stored_value=60_00))
    assert balances(shop) == (50_0000, 10_0000)


def test_stored_value_pays_shipping_last() -> None:
    shop = till(spend="principal_first")
    shop.do(of.TOPPED_UP, id="t1", amount=50_00)
    quote = shop.quote(40_00, uses=Payments(stored_value=45_00), tax=2_00, shipping=6_00)
    assert quote.paid[0].worth == [40_00, 2_00, 3_00]
    assert quote.payable == 3_00


BEYOND: list[tuple[int, str, dict[str, Any]]] = [
    (120_01, "insufficient", {"asset": "cash", "asked": 120_01, "available": 120_00}),
    (80_01, "stored_value_not_applicable", {"reason": "stored_value_above_cart", "asked": 80_01, "most": 80_00}),
    (-2, "stored_value_not_applicable", {"reason": "amount_invalid", "asked": -2}),
]


@pytest.mark.parametrize(("asked", "code", "facts"), BEYOND)
def test_asking_for_more_than_there_is_is_refused(asked: int, code: str, facts: dict[str, Any]) -> None:
    shop = till()
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    price = 200_00 if code == "insufficient" else 80_00
    cart = shop.cart(price, uses=Payments(stored_value=asked))
    assert shop.refused(of.ORDER_PAID, purchase=cart) == Refused(code, facts)
    quote = shop.quote(price, uses=Payments(stored_value=asked))
    assert [entry["code"] for entry in quote.skipped] == [facts.get("reason", code)]
    assert quote.payable == price


@pytest.mark.parametrize("priced", [False, True])
def test_what_lacks_is_told_in_units_of_the_principal_however_the_order_came(priced: bool) -> None:
    shop = till(assets=(CASH | {"scale": 4}, BONUS | {"scale": 4}))
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    order = shop.cart(200_00, uses=Payments(stored_value=120_01))
    order.priced = priced
    facts = {"asset": "cash", "asked": 120_01_00, "available": 120_00_00}
    assert shop.refused(of.ORDER_PAID, purchase=order) == Refused("insufficient", facts)


@pytest.mark.parametrize("priced", [False, True])
def test_a_program_without_stored_value_says_so_however_the_order_came(priced: bool) -> None:
    shop = Till()
    order = shop.cart(200_00, uses=Payments(stored_value=1))
    order.priced = priced
    refused = Refused("stored_value_not_applicable", {"reason": "no_stored_value"})
    assert shop.refused(of.ORDER_PAID, purchase=order) == refused


def test_as_much_as_there_is_can_be_asked_for() -> None:
    shop = till()
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    assert shop.quote(80_00, uses=Payments(stored_value=-1)).payable == 0
    assert shop.quote(150_00, uses=Payments(stored_value=-1)).payable == 30_00


# -- Paid back --------------------------------------------------------------------------------------------

# Top up 100 and get 20; spend 60; pay the top-up back: money to the member, and what is left after it.
POLICIES: list[tuple[str, str, int, tuple[int, int]]] = [
    ("in_proportion", "all_unspent", 50_00, (0, 0)),
    ("in_proportion", "proportional", 50_00, (0, 0)),
    ("in_proportion", "full_from_principal", 40_00, (0, 0)),
    ("principal_first", "all_unspent", 40_00, (0, 0)),
    ("principal_first", "proportional", 40_00, (0, 12_00)),
    ("principal_first", "full_from_principal", 40_00, (0, 0)),
    ("bonus_first", "all_unspent", 60_00, (0, 0)),
    ("bonus_first", "proportional", 48_00, (0, 0)),
    ("bonus_first", "full_from_principal", 40_00, (0, 0)),
]


@pytest.mark.parametrize(("spend", "policy", "money", "left"), POLICIES)
def test_a_top_up_is_paid_back_by_the_written_policy(
    spend: str, policy: str, money: int, left: tuple[int, int]
) -> None:
    shop = till(spend=spend, refund_bonus=policy)
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    shop.pay(60_00, uses=Payments(stored_value=60_00))
    settled = shop.do(of.TOP_UP_REFUNDED, id="t1")
    assert settled.answer["money"] == money
    assert balances(shop) == left
    assert shop.accounts("cash").get("paid_out", 0) == money
    for asset in ("cash", "bonus"):
        assert sum(shop.accounts(asset).values()) == 0
    assert shop.refused(of.TOP_UP_REFUNDED, id="t1") == Refused("top_up_refunded", {"id": "t1"})


@given(
    st.sampled_from(["proportional", "all_unspent", "full_from_principal"]),
    st.integers(1, 10**7),
    st.integers(0, 10**6),
    st.data(),
)
def test_paying_back_never_gives_more_than_is_left(policy: str, paid: int, bonus: int, data: st.DataObject) -> None:
    left = data.draw(st.integers(0, paid))
    bonus_left = data.draw(st.integers(0, bonus))
    fee = (data.draw(st.integers(0, 99)), 1)
    found = refund_of(policy, paid=paid, left=left, bonus=bonus, bonus_left=bonus_left, fee=fee)
    assert found.money + found.withheld + found.fee == left
    assert min(found.money, found.withheld, found.fee, found.bonus) >= 0
    assert found.bonus <= bonus_left
    if left == paid and bonus_left == bonus and not fee[0]:  # untouched: all of it comes back
        assert (found.money, found.bonus) == (paid, bonus)


COOLING: list[tuple[str, str, int | None]] = [
    ("always", "2026-05-08T23:59", 100_00),
    ("always", "2026-05-09T00:00", 97_00),
    ("cooling_off", "2026-05-08T23:59", 100_00),
    ("cooling_off", "2026-05-09T00:00", None),
]


@pytest.mark.parametrize(("refundable", "when", "money"), COOLING)
def test_within_the_cooling_off_days_no_fee_is_kept(refundable: str, when: str, money: int | None) -> None:
    shop = till(refundable=refundable, refund_fee_percent=3)
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    if money is None:
        refused = shop.refused(of.TOP_UP_REFUNDED, id="t1", when=when)
        assert refused == Refused("refund_not_allowed", {"id": "t1", "cooling_off_days": 7})
        return
    assert shop.do(of.TOP_UP_REFUNDED, id="t1", when=when).answer["money"] == money
    assert balances(shop) == (0, 0)


def test_the_policy_is_that_of_the_day_of_the_top_up() -> None:
    chapter = {"principal": "cash", "bonus": "bonus", "offers": OFFERS, "spend": "bonus_first"}
    documents = [
        program(assets=[CASH, BONUS], stored_value=chapter | {"refund_bonus": policy})
        for policy in ("all_unspent", "full_from_principal")
    ]
    shop = Till(*documents, since=["2026-01-01T00:00", "2026-05-02T00:00"])
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    shop.pay(60_00, uses=Payments(stored_value=60_00))
    settled = shop.do(of.TOP_UP_REFUNDED, id="t1", when="2026-05-03T12:00")
    assert settled.answer["money"] == 60_00


def test_points_earned_by_a_top_up_go_back_with_it() -> None:
    rule = {"id": "top", "on": "stored_value.topped_up", "asset": "points", "give": {"fixed": 10}}
    chapter = {"principal": "cash", "bonus": "bonus"}
    shop = Till(program(assets=[POINTS, CASH, BONUS], stored_value=chapter, earning=[rule]))
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    assert shop.balance() == 10
    shop.pay(50_00, uses=Payments(stored_value=50_00))
    shop.do(of.TOP_UP_REFUNDED, id="t1")
    assert shop.balance() == 5


def test_what_a_cart_holds_is_not_paid_back() -> None:
    shop = till()
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    shop.do(of.CART_HELD, purchase=shop.cart(50_00, uses=Payments(stored_value=50_00)), hold="h1")
    assert shop.refused(of.TOP_UP_REFUNDED, id="t1") == Refused("stored_value_held", {"id": "t1"})
    shop.do(of.CART_RELEASED, hold="h1")
    assert shop.do(of.TOP_UP_REFUNDED, id="t1").answer["money"] == 100_00


def test_a_top_up_is_no_order_of_goods() -> None:
    shop = till()
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    assert shop.refused(of.TOP_UP_REFUNDED, id="t9") == Refused("top_up_unknown", {"id": "t9"})
    refused = shop.refused(of.ORDER_REFUNDED, order_id="top_up:t1")
    assert refused == Refused("order_unknown", {"order_id": "top_up:t1"})
    shop.pay(120_00, uses=Payments(stored_value=-1))
    assert shop.refused(of.TOP_UP_REFUNDED, id="t1") == Refused("nothing_to_refund", {"id": "t1"})
