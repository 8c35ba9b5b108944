"""Value spent for something that is no order, and undone: the very lots get back what was theirs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine import activity as of
from shuke.engine.activity import Payments
from shuke.engine.effects import Refused
from tests.engine.till import POINTS, Till, at, program

CASH = {"id": "cash", "kind": "principal", "scale": 2}
BONUS = {"id": "bonus", "kind": "bonus", "scale": 2}
GROWTH = {"id": "growth", "kind": "qualifying"}
MAY, JUNE = "2026-05-20T00:00", "2026-06-20T00:00"


def till(*, asset: dict[str, Any] | None = None, **chapter: Any) -> Till:
    """A till with 30 points that end in May and 70 that end in June, and 100 of stored value with 20 on top."""
    stored_value = {"principal": "cash", "bonus": "bonus", "offers": [{"id": "o", "pay": 100, "bonus": 20}]}
    assets = [POINTS | (asset or {}), CASH, BONUS, GROWTH]
    shop = Till(program(assets=assets, stored_value=stored_value | chapter))
    shop.points(30, ends=MAY)
    shop.points(70, ends=JUNE)
    shop.do(of.TOPPED_UP, id="t1", amount=100_00)
    return shop


def lots(shop: Till) -> list[tuple[int, int]]:
    return [(lot.amount, lot.expires_at) for lot in shop.member.purses["points"].lots]


def test_a_spend_says_which_lots_it_took_what_is_left_and_what_ends_next() -> None:
    settled = till().do(of.ASSET_SPENT, asset="points", amount=40, id="s1")
    told = [(lot["asset"], lot["amount"], lot["expires_at"]) for lot in settled.answer["lots"]]
    assert told == [("points", 30, at(MAY)), ("points", 10, at(JUNE))]
    assert settled.answer["purses"] == {
        "points": {
            "available": 60,
            "pending": 0,
            "held": 0,
            "debt": 0,
            "ends_next": {"at": at(JUNE), "amount": 60},
        }
    }
    assert settled.answer["spend"] == {"id": "s1", "amount": 40}


def test_a_hundred_of_something_cost_a_hundred_times_as_much() -> None:
    shop = till()
    assert shop.refused(of.ASSET_SPENT, asset="points", amount=2, quantity=100) == Refused(
        "insufficient", {"asset": "points", "asked": 200, "available": 100}
    )
    shop.do(of.ASSET_SPENT, asset="points", amount=1, quantity=100)
    assert shop.balance() == 0


@pytest.mark.parametrize("parts", [[40], [1] * 40, [13, 27], [39, 1], [10, 30]])
def test_an_undone_spend_gives_the_same_lots_back_with_the_same_dates(parts: list[int]) -> None:
    shop = till()
    before = lots(shop)
    shop.do(of.ASSET_SPENT, asset="points", amount=40, id="s1", reason="a mug")
    for part in parts:
        settled = shop.do(of.ASSET_SPEND_REVERSED, id="s1", amount=part, reason="broken")
    assert lots(shop) == before
    assert settled.answer["spend"] == {"id": "s1", "amount": 40, "back": 40}
    assert shop.accounts("points")["spent"] == 0
    assert shop.entries[-1].why == {"spend": "s1", "reason": "broken"}
    assert shop.refused(of.ASSET_SPEND_REVERSED, id="s1") == Refused("spend_reversed", {"id": "s1"})


def test_the_lot_used_last_gets_its_part_back_first() -> None:
    shop = till()
    shop.do(of.ASSET_SPENT, asset="points", amount=40, id="s1")
    shop.do(of.ASSET_SPEND_REVERSED, id="s1", amount=15)
    assert lots(shop) == [(5, at(MAY)), (70, at(JUNE))]
    shop.do(of.ASSET_SPEND_REVERSED, id="s1")
    assert lots(shop) == [(30, at(MAY)), (70, at(JUNE))]


@pytest.mark.parametrize(("policy", "available", "expired"), [("expire", 70, 30), ("renew", 100, 0)])
def test_what_is_past_its_date_when_it_comes_back_follows_the_assets_policy(
    policy: str, available: int, expired: int
) -> None:
    shop = till(asset={"restored_after_expiry": policy})
    shop.do(of.ASSET_SPENT, asset="points", amount=40, id="s1")
    settled = shop.do(of.ASSET_SPEND_REVERSED, id="s1", when="2026-05-25T12:00")
    assert shop.balance() == available
    assert shop.accounts("points").get("expired", 0) == expired
    assert sum(lot["amount"] for lot in settled.answer["lots"]) == 40


@given(st.lists(st.integers(1, 120_00), min_size=1, max_size=6), st.sampled_from(["principal_first", "bonus_first"]))
def test_parts_of_stored_value_come_back_as_they_were_taken_and_lose_no_cent(parts: list[int], order: str) -> None:
    shop = till(spend=order)
    shop.do(of.ASSET_SPENT, stored_value=110_00, id="s1")
    back = 0
    for part in parts:
        asked = min(part, 110_00 - back)
        if asked:
            shop.do(of.ASSET_SPEND_REVERSED, id="s1", stored_value=asked)
            back += asked
            assert shop.balance("cash") + shop.balance("bonus") == 10_00 + back
    if back < 110_00:
        shop.do(of.ASSET_SPEND_REVERSED, id="s1")
    assert (shop.balance("cash"), shop.balance("bonus")) == (100_00, 20_00)


SPLITS = [("principal_first", (0, 10_00)), ("bonus_first", (10_00, 0)), ("in_proportion", (8_33, 1_67))]


@pytest.mark.parametrize(("order", "left"), SPLITS)
def test_stored_value_is_spent_from_principal_and_bonus_as_the_program_orders_them(
    order: str, left: tuple[int, int]
) -> None:
    shop = till(spend=order)
    shop.do(of.ASSET_SPENT, stored_value=110_00)
    assert (shop.balance("cash"), shop.balance("bonus")) == left


REFUSED: list[tuple[dict[str, Any], Refused]] = [
    ({"asset": "gold", "amount": 1}, Refused("asset_unknown", {"asset": "gold"})),
    ({"asset": "points", "amount": -1}, Refused("amount_invalid", {"amount": -1})),
    ({"asset": "growth", "amount": 1}, Refused("not_spendable", {"asset": "growth"})),
    (
        {"asset": "points", "amount": 101},
        Refused("insufficient", {"asset": "points", "asked": 101, "available": 100}),
    ),
    ({"asset": "points", "amount": 1, "quantity": 0}, Refused("quantity_invalid", {"quantity": 0, "most": 1000})),
    ({"asset": "points", "amount": 1, "quantity": "2"}, Refused("quantity_invalid", {"quantity": "2", "most": 1000})),
    ({"stored_value": 0}, Refused("amount_invalid", {"amount": 0})),
    (
        {"stored_value": 120_01},
        Refused("insufficient", {"asset": "cash", "asked": 120_01, "available": 120_00}),
    ),
    ({"asset": "points", "amount": 1, "id": "s1"}, Refused("spend_exists", {"id": "s1"})),
]


@pytest.mark.parametrize(("payload", "refused"), REFUSED)
def test_a_spend_that_cannot_be_is_refused(payload: dict[str, Any], refused: Refused) -> None:
    shop = till()
    shop.do(of.ASSET_SPENT, asset="points", amount=1, id="s1")
    shop.points(1, ends=JUNE)
    assert shop.refused(of.ASSET_SPENT, **payload) == refused


def test_without_stored_value_none_can_be_spent() -> None:
    assert Till().refused(of.ASSET_SPENT, stored_value=1) == Refused("no_stored_value", {})


UNDOABLE: list[tuple[dict[str, Any], Refused]] = [
    ({"id": "s9"}, Refused("spend_unknown", {"id": "s9"})),
    ({}, Refused("spend_unknown", {"id": None})),
    ({"id": "s1", "amount": 0}, Refused("amount_invalid", {"amount": 0})),
    ({"id": "s1", "amount": "4"}, Refused("amount_invalid", {"amount": "4"})),
    (
        {"id": "s1", "amount": 41},
        Refused("reversal_exceeds_spend", {"id": "s1", "left": 40, "amount": 41, "asset": "points"}),
    ),
    (
        {"id": "s2", "stored_value": 5_01},
        Refused("reversal_exceeds_spend", {"id": "s2", "left": 5_00, "amount": 5_01}),
    ),
]


@pytest.mark.parametrize(("payload", "refused"), UNDOABLE)
def test_a_reversal_that_cannot_be_is_refused(payload: dict[str, Any], refused: Refused) -> None:
    shop = till()
    shop.do(of.ASSET_SPENT, asset="points", amount=40, id="s1")
    shop.do(of.ASSET_SPENT, stored_value=5_00, id="s2")
    assert shop.refused(of.ASSET_SPEND_REVERSED, **payload) == refused


def test_a_spend_without_an_id_cannot_be_undone_and_is_not_kept() -> None:
    shop = till()
    shop.do(of.ASSET_SPENT, asset="points", amount=40)
    assert set(shop.orders) == {"top_up:t1"}


@pytest.mark.parametrize("what", [of.ORDER_REFUNDED, of.ORDER_CANCELLED, of.ORDER_REOPENED, of.ORDER_COMPLETED])
@pytest.mark.parametrize("name", ["spend:s1", "top_up:t1"])
def test_what_is_remembered_beside_the_orders_is_no_order(what: str, name: str) -> None:
    shop = till()
    shop.do(of.ASSET_SPENT, asset="points", amount=40, id="s1")
    assert shop.refused(what, order_id=name) == Refused("order_unknown", {"order_id": name})


def test_an_order_that_is_named_like_a_spend_is_none() -> None:
    shop = till()
    shop.pay(50_00, order_id="spend:s1", uses=Payments(points={"points": 10}))
    assert shop.refused(of.ASSET_SPEND_REVERSED, id="s1") == Refused("spend_unknown", {"id": "s1"})
    assert shop.refused(of.ASSET_SPENT, asset="points", amount=1, id="s1") == Refused("spend_exists", {"id": "s1"})
