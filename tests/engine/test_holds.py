"""Held carts: what is promised is kept, paid as promised, or let go of once."""

from typing import Any

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import Line, Payments
from shuke.engine.effects import Refused
from tests.engine.till import NOON, POINTS, Till, at, program

CASH = {"id": "cash", "kind": "principal", "scale": 2}
TEN = {"id": "ten", "give": {"amount_off": 10}, "limits": {"redeemed_total": 5, "redeemed_per_member": 1}}
BASE = {"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}, "net_of": ["points"]}
TENTH = {"id": "tenth", "give": {"percent": 10}}
DOCUMENT = program(
    assets=[POINTS, CASH],
    earning=[BASE],
    coupons=[TEN],
    stored_value={"principal": "cash"},
    prices={"promotions": [TENTH]},
)
TEA = Line(100_00, sku="tea", list_amount=100_00)
LATER = "2026-05-01T12:20"


def till(*documents: dict[str, Any], since: list[str] | None = None) -> Till:
    shop = Till(*(documents or (DOCUMENT,)), since=since)
    shop.points(30)
    shop.do(of.TOPPED_UP, id="t1", amount=20_00)
    return shop


def held(shop: Till, *, minutes: int | None = None) -> str:
    """Hold a cart that uses everything; the coupon's id."""
    (id_,) = shop.issue("ten")
    uses = Payments(coupons=[id_], points={"points": 25}, stored_value=15_00)
    more = {"minutes": minutes} if minutes else {}
    shop.do(of.CART_HELD, purchase=shop.cart(TEA, uses=uses), hold="h1", **more)
    return id_


def test_a_held_cart_moves_everything_aside() -> None:
    shop = till()
    id_ = held(shop)
    assert (shop.balance(), shop.balance("cash")) == (5, 5_00)
    assert shop.accounts("points")["held"] == 25
    assert shop.member.coupons[id_].state == "held"
    assert shop.taken == {"coupon/ten/redeemed": 1}
    assert shop.member.due_at == at("2026-05-01T12:30")


def test_what_is_held_cannot_be_used_elsewhere() -> None:
    shop = till()
    id_ = held(shop)
    again = shop.cart(TEA, order_id="o2", uses=Payments(coupons=[id_]))
    assert shop.refused(of.ORDER_PAID, purchase=again).facts["reason"] == "coupon_held"
    again = shop.cart(TEA, order_id="o2", uses=Payments(points={"points": 6}))
    assert shop.refused(of.ORDER_PAID, purchase=again).code == "insufficient"
    assert shop.refused(of.COUPON_VOIDED, coupon=id_, reason="r").code == "coupon_held"
    assert shop.refused(of.COUPON_GIVEN, coupon=id_, to_member="m2").code == "coupon_held"
    assert shop.refused(of.ASSET_SPENT, asset="points", amount=6).code == "insufficient"


def test_a_paid_hold_settles_exactly_what_was_promised_though_the_program_has_changed() -> None:
    dear = program(assets=[POINTS, CASH], earning=[BASE], coupons=[], stored_value={"principal": "cash"})
    shop = till(DOCUMENT, dear, since=["2026-01-01T00:00", "2026-05-01T12:10"])
    held(shop)
    purchase = shop.cart(TEA, order_id="o7", hold="h1")
    settled = shop.do(of.ORDER_PAID, purchase=purchase, when=LATER)
    # 100 less 10 percent, less the coupon's 10, less 25 points and 15 of stored value
    assert settled.answer["money"] == 40_00
    order = shop.orders["o7"]
    assert order.amounts == [80_00, 0, 0]
    assert [(paid.asset, paid.units, paid.worth) for paid in order.paid] == [
        ("points", [25, 0, 0], [25_00, 0, 0]),
        ("cash", [15_00, 0, 0], [15_00, 0, 0]),
    ]
    assert shop.accounts("points")["spent"] == 25
    assert shop.accounts("points")["held"] == 0
    assert shop.coupons[-1][1] == "redeemed"
    assert (shop.member.holds, shop.member.coupons) == ({}, {})
    assert shop.balance() == 5 + 55  # earned on what was paid net of points
    assert shop.refused(of.CART_RELEASED, hold="h1", when=LATER).code == "hold_unknown"


def test_the_very_lots_that_were_held_are_remembered() -> None:
    shop = till()
    shop.points(10, ends="2026-06-01T00:00")
    held(shop)
    shop.do(of.ORDER_PAID, purchase=shop.cart(TEA, hold="h1"))
    assert [lot.amount for lot in shop.orders["o1"].paid[0].lots] == [10, 15]


def test_letting_go_puts_everything_back_once() -> None:
    shop = till()
    (id_,) = shop.issue("ten")
    before = shop.state()
    uses = Payments(coupons=[id_], points={"points": 25}, stored_value=15_00)
    shop.do(of.CART_HELD, purchase=shop.cart(TEA, uses=uses), hold="h1")
    shop.do(of.CART_RELEASED, hold="h1")
    assert shop.taken == {"coupon/ten/redeemed": 0}
    assert shop.state() == before
    assert shop.refused(of.CART_RELEASED, hold="h1") == Refused("hold_unknown", {"hold": "h1"})


def test_a_hold_lapses_by_itself_and_once() -> None:
    shop = till()
    id_ = held(shop)
    shop.do(of.TIME_PASSED, when="2026-05-01T12:29")
    assert shop.balance() == 5
    shop.do(of.TIME_PASSED, when="2026-05-01T12:30")
    assert (shop.balance(), shop.balance("cash")) == (30, 20_00)
    assert shop.member.coupons[id_].state == "issued"
    assert [entry.kind for entry in shop.entries if entry.debit == "held"] == ["lapse", "lapse"]
    paid = shop.cart(TEA, hold="h1")
    assert shop.refused(of.ORDER_PAID, purchase=paid, when="2026-05-01T12:31").code == "hold_unknown"
    shop.do(of.TIME_PASSED, when="2026-05-02T12:30")
    assert shop.balance() == 30


def test_a_payment_at_the_instant_of_the_lapse_comes_too_late() -> None:
    shop = till()
    held(shop, minutes=10)
    paid = shop.cart(TEA, hold="h1")
    settled = shop.settle(shop.activity(of.ORDER_PAID, purchase=paid, when="2026-05-01T12:10"))
    assert settled.refused == Refused("hold_unknown", {"hold": "h1"})
    assert shop.balance() == 30


def test_a_shorter_time_can_be_asked_for_but_no_longer_one() -> None:
    for minutes, lapse in ((10, "2026-05-01T12:10"), (600, "2026-05-01T12:30")):
        shop = till()
        held(shop, minutes=minutes)
        assert shop.member.holds["h1"].lapses_at == at(lapse)


def test_what_ended_while_it_was_held_ends_when_it_is_let_go() -> None:
    coupon = TEN | {"valid": {"until": "2026-05-01"}}
    shop = till(DOCUMENT | {"coupons": [coupon], "hold_minutes": 60 * 24})
    shop.points(10, ends="2026-05-02T00:00")
    (id_,) = shop.issue("ten")
    uses = Payments(coupons=[id_], points={"points": 10})
    shop.do(of.CART_HELD, purchase=shop.cart(TEA, uses=uses), hold="h1", when="2026-05-01T20:00")
    shop.do(of.TIME_PASSED, when="2026-05-02T10:00")
    assert shop.coupons[-1] == (id_, "held")
    shop.do(of.CART_RELEASED, hold="h1", when="2026-05-02T11:00")
    assert shop.coupons[-1] == (id_, "expired")
    assert shop.accounts("points")["expired"] == 10
    assert shop.balance() == 30


def test_a_hold_paid_after_the_coupons_date_is_still_as_promised() -> None:
    coupon = TEN | {"valid": {"until": "2026-05-01"}}
    shop = till(DOCUMENT | {"coupons": [coupon], "hold_minutes": 60 * 24})
    (id_,) = shop.issue("ten")
    purchase = shop.cart(TEA, uses=Payments(coupons=[id_]))
    shop.do(of.CART_HELD, purchase=purchase, hold="h1", when="2026-05-01T20:00")
    settled = shop.do(of.ORDER_PAID, purchase=shop.cart(TEA, hold="h1"), when="2026-05-02T10:00")
    assert settled.answer["money"] == 80_00
    assert shop.coupons[-1] == (id_, "redeemed")


def test_a_code_in_a_held_cart_becomes_the_members_coupon() -> None:
    shared = TEN | {"codes": "shared", "code": "HELLO"}
    shop = till(DOCUMENT | {"coupons": [shared]})
    shop.do(of.CART_HELD, purchase=shop.cart(TEA, uses=Payments(coupons=["hello"])), hold="h1")
    assert [state for _, state in shop.coupons] == ["issued", "held"]
    shop.do(of.CART_RELEASED, hold="h1")
    (coupon,) = shop.member.coupons.values()
    assert coupon.state == "issued"


REFUSED: list[tuple[str, dict[str, Any], Refused]] = [
    ("no key", {}, Refused("hold_missing", {})),
    ("a key in use", {"hold": "h1"}, Refused("hold_exists", {"hold": "h1"})),
    ("no time at all", {"hold": "h2", "minutes": 0}, Refused("amount_invalid", {"amount": 0})),
]


@pytest.mark.parametrize(("payload", "refused"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED])
def test_a_cart_that_cannot_be_held_is_refused(payload: dict[str, Any], refused: Refused) -> None:
    shop = till()
    held(shop)
    assert shop.refused(of.CART_HELD, purchase=shop.cart(TEA), **payload) == refused


def test_a_member_holds_so_many_carts_and_no_more() -> None:
    shop = till()
    assert shop.refused(of.CART_HELD, hold="h1") == Refused("order_missing", {})
    assert shop.refused(of.CART_HELD, hold="h1", purchase=shop.cart()) == Refused("cart_empty", {})
    minus = shop.cart(Line(-1))
    assert shop.refused(of.CART_HELD, hold="h1", purchase=minus) == Refused("amount_invalid", {"amount": -1})
    for number in range(20):
        shop.do(of.CART_HELD, hold=f"h{number}", purchase=shop.cart(TEA))
    refused = shop.refused(of.CART_HELD, hold="one more", purchase=shop.cart(TEA))
    assert refused == Refused("too_many_holds", {"most": 20})


def test_other_goods_than_were_held_are_refused() -> None:
    shop = till()
    held(shop)
    other = shop.cart(Line(100_00, sku="gold"), hold="h1")
    assert shop.refused(of.ORDER_PAID, purchase=other) == Refused("cart_changed", {"hold": "h1"})
    shop.do(of.ORDER_PAID, purchase=shop.cart(hold="h1"), when=NOON)
    assert shop.orders["o1"].amounts == [80_00, 0, 0]
