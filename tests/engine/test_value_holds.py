"""Value held without a cart: captured in whole or in part, let go, or lapsed, and each of them once."""

from typing import Any

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import Line, Payments
from shuke.engine.effects import Refused
from tests.engine.till import POINTS, Till, at, program

CASH = {"id": "cash", "kind": "principal", "scale": 4}
BONUS = {"id": "bonus", "kind": "bonus", "scale": 4}
MAY, JUNE = "2026-05-20T00:00", "2026-06-20T00:00"
TEA = Line(10_00, sku="tea", list_amount=10_00)


def till(**chapter: Any) -> Till:
    """A till with 30 points that end in May and 70 that end in June, and 100 of stored value with 20 on top, kept
    in hundredths of cents."""
    stored_value = {"principal": "cash", "bonus": "bonus", "offers": [{"id": "o", "pay": 100, "bonus": 20}]}
    shop = Till(program(assets=[POINTS, CASH, BONUS], stored_value=stored_value | chapter))
    shop.points(30, ends=MAY)
    shop.points(70, ends=JUNE)
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    return shop


def test_what_is_held_is_set_aside_for_a_time_and_cannot_be_spent() -> None:
    shop = till()
    settled = shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=40, minutes=10, reason="a room")
    assert settled.answer["hold"] == {"hold": "h1", "lapses_at": at("2026-05-01T12:10")}
    assert [lot["amount"] for lot in settled.answer["lots"]] == [30, 10]
    assert settled.answer["purses"]["points"]["held"] == 40
    assert (shop.balance(), shop.accounts("points")["held"]) == (60, 40)
    assert shop.member.due_at == at("2026-05-01T12:10")
    assert shop.refused(of.ASSET_SPENT, asset="points", amount=61).code == "insufficient"
    assert shop.entries[-1].why == {"hold": "h1", "reason": "a room"}


def test_a_capture_spends_what_was_held_and_can_be_undone() -> None:
    shop = till()
    shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=40, reason="a room")
    settled = shop.do(of.ASSET_CAPTURED, hold="h1", id="s1", reference="B-7")
    assert [(lot["amount"], lot["expires_at"]) for lot in settled.answer["lots"]] == [(30, at(MAY)), (10, at(JUNE))]
    assert shop.entries[-1].why == {"hold": "h1", "reason": "a room", "reference": "B-7"}
    assert (shop.balance(), shop.accounts("points")["spent"], shop.member.holds) == (60, 40, {})
    assert shop.refused(of.ASSET_CAPTURED, hold="h1") == Refused("hold_unknown", {"hold": "h1"})
    shop.do(of.ASSET_SPEND_REVERSED, id="s1")
    assert [lot.amount for lot in shop.member.purses["points"].lots] == [30, 70]


def test_a_part_is_captured_in_spend_order_and_the_rest_goes_back_at_once() -> None:
    shop = till()
    shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=40)
    shop.do(of.ASSET_CAPTURED, hold="h1", amount=25)
    assert [(lot.amount, lot.expires_at) for lot in shop.member.purses["points"].lots] == [(5, at(MAY)), (70, at(JUNE))]
    assert (shop.accounts("points")["held"], shop.accounts("points")["spent"]) == (0, 25)
    assert shop.refused(of.ASSET_RELEASED, hold="h1").code == "hold_unknown"


PARTS = [
    ("principal_first", 110_00, 105_00, (100_00, 5_00)),
    ("bonus_first", 110_00, 5_00, (0, 5_00)),
    ("in_proportion", 60_00, 30_00, (25_00, 5_00)),
    ("principal_first", 60_00, 1, (1, 0)),
]


@pytest.mark.parametrize(("order", "held", "captured", "spent"), PARTS)
def test_stored_value_is_captured_as_it_was_split_when_it_was_held(
    order: str, held: int, captured: int, spent: tuple[int, int]
) -> None:
    shop = till(spend=order)
    shop.do(of.ASSET_HELD, hold="h1", stored_value=held)
    shop.do(of.ASSET_CAPTURED, hold="h1", stored_value=captured)
    assert shop.balance("cash") + shop.balance("bonus") == (120_00 - captured) * 100
    units = tuple(100 * cents for cents in spent)
    assert tuple(shop.accounts(asset).get("spent", 0) for asset in ("cash", "bonus")) == units


@pytest.mark.parametrize("what", [of.ASSET_RELEASED, of.CART_RELEASED])
def test_letting_go_puts_everything_back_once(what: str) -> None:
    shop = till()
    before = shop.state()
    shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=40)
    settled = shop.do(what, hold="h1")
    assert [lot["amount"] for lot in settled.answer["lots"]] == [30, 10]
    assert shop.state() == before
    assert shop.refused(what, hold="h1") == Refused("hold_unknown", {"hold": "h1"})


def test_a_hold_lapses_by_itself_and_once() -> None:
    shop = till()
    before = shop.state()
    shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=40)
    shop.do(of.TIME_PASSED, when="2026-05-01T12:29")
    assert shop.balance() == 60
    captured = shop.settle(shop.activity(of.ASSET_CAPTURED, hold="h1", when="2026-05-01T12:30"))
    assert captured.refused == Refused("hold_unknown", {"hold": "h1"})
    assert shop.state() == before
    assert [entry.kind for entry in shop.entries if entry.debit == "held"] == ["lapse", "lapse"]


def test_what_ended_while_it_was_held_ends_when_it_is_let_go_but_can_be_captured() -> None:
    shop = till()
    shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=10, when="2026-05-19T23:50")
    shop.do(of.ASSET_HELD, hold="h2", asset="points", amount=10, when="2026-05-19T23:50")
    shop.do(of.ASSET_CAPTURED, hold="h1", when="2026-05-20T00:10")
    shop.do(of.ASSET_RELEASED, hold="h2", when="2026-05-20T00:10")
    assert (shop.accounts("points")["spent"], shop.accounts("points")["expired"]) == (10, 20)
    assert shop.balance() == 70


def test_a_cart_and_value_share_keys_and_numbers_but_not_their_ends() -> None:
    shop = till()
    shop.do(of.CART_HELD, hold="cart", purchase=shop.cart(TEA, uses=Payments(points={"points": 5})))
    shop.do(of.ASSET_HELD, hold="value", asset="points", amount=5)
    assert shop.refused(of.ASSET_HELD, hold="cart", asset="points", amount=1) == Refused(
        "hold_exists", {"hold": "cart"}
    )
    assert shop.refused(of.ASSET_CAPTURED, hold="cart") == Refused("hold_of_cart", {"hold": "cart"})
    paid = shop.cart(TEA, hold="value")
    assert shop.refused(of.ORDER_PAID, purchase=paid) == Refused("hold_not_of_cart", {"hold": "value"})
    for number in range(18):
        shop.do(of.ASSET_HELD, hold=f"h{number}", asset="points", amount=1)
    refused = Refused("too_many_holds", {"most": 20})
    assert shop.refused(of.ASSET_HELD, hold="more", asset="points", amount=1) == refused


def test_stored_value_that_is_held_is_not_paid_back() -> None:
    shop = till()
    shop.do(of.ASSET_HELD, hold="h1", stored_value=1_00)
    assert shop.refused(of.TOP_UP_REFUNDED, id="t1") == Refused("stored_value_held", {"id": "t1"})


REFUSED: list[tuple[str, dict[str, Any], Refused]] = [
    (of.ASSET_HELD, {"asset": "points", "amount": 5}, Refused("hold_missing", {})),
    (of.ASSET_HELD, {"hold": "h2", "asset": "points", "amount": 0}, Refused("amount_invalid", {"amount": 0})),
    (
        of.ASSET_HELD,
        {"hold": "h2", "asset": "points", "amount": 61},
        Refused("insufficient", {"asset": "points", "asked": 61, "available": 60}),
    ),
    (of.ASSET_CAPTURED, {"hold": "h2"}, Refused("hold_unknown", {"hold": "h2"})),
    (of.ASSET_CAPTURED, {"hold": "h1", "amount": 0}, Refused("amount_invalid", {"amount": 0})),
    (
        of.ASSET_CAPTURED,
        {"hold": "h1", "amount": 41},
        Refused("insufficient", {"asset": "points", "asked": 41, "available": 40}),
    ),
    (of.ASSET_CAPTURED, {"hold": "h1", "id": "s1"}, Refused("spend_exists", {"id": "s1"})),
]


@pytest.mark.parametrize(("what", "payload", "refused"), REFUSED)
def test_what_cannot_be_held_or_captured_is_refused(what: str, payload: dict[str, Any], refused: Refused) -> None:
    shop = till()
    shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=40)
    shop.do(of.ASSET_SPENT, stored_value=1, id="s1")
    assert shop.refused(what, **payload) == refused
