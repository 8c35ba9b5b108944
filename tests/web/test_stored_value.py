"""Stored value over HTTP: offers, top-ups, spending it, paying it back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from tests import shop as coffee
from tests.web.conftest import Door
from tests.web.test_points import PROGRAM as POINTS

pytestmark = pytest.mark.database

PROGRAM = POINTS.replace(
    "offers: [{id: hundred, pay: 100, bonus: 20}]",
    "refund_bonus: proportional, limits: [{card: named, maximum_balance: 1000, minimum_top_up: 10}], offers: "
    "[{id: hundred, title: {en: Hundred, zh-Hant: 一百}, pay: 100, bonus: 20}, "
    "{id: vip, pay: 500, bonus: 200, when: 'tag vip'}]",
)


@pytest.fixture
async def till(serve: Any) -> AsyncIterator[Door]:
    async with serve(PROGRAM) as door:
        yield door


async def top_up(door: Door, amount: int, *, key: str | None = None, **more: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await door.post(
        "/v1/stored-value/top-ups", json={"member_id": "ann", "amount": amount, **more}, headers=headers
    )


async def test_a_top_up_brings_what_was_paid_and_the_bonus_of_its_offer(till: Door):
    answer = await top_up(till, 100_00)
    assert answer.status_code == 201
    told = answer.json()
    assert told["top_up"].startswith("top_")
    assert (told["principal"], told["bonus"], told["offer"]) == (100_00, 20_00, "hundred")
    assert [(lot["asset"], lot["amount"]) for lot in told["lots"]] == [("cash", 100_00), ("extra", 20_00)]
    assert told["balances"] == {"cash": 100_00, "extra": 20_00}


async def test_a_payment_callback_delivered_ten_times_at_once_tops_up_once(till: Door):
    answers = await asyncio.gather(*(top_up(till, 100_00, key="pay-1") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["balances"] == {"cash": 100_00, "extra": 20_00}
    assert (await top_up(till, 100_00, top_up=answers[0].json()["top_up"])).json()["code"] == "top_up_exists"


async def test_top_up_100_and_20_spend_60_and_what_is_left_is_paid_back_by_the_written_policy(till: Door):
    await top_up(till, 100_00, top_up="t-1")
    spent = await till.post("/v1/points/spend", json={"member_id": "ann", "stored_value": 60_00})
    assert [(lot["asset"], lot["amount"]) for lot in spent.json()["lots"]] == [("cash", 60_00)]
    answer = await till.post("/v1/stored-value/top-ups/t-1/refund", json={"member_id": "ann"})
    assert answer.status_code == 200
    told = answer.json()
    # Principal first: 40 is left of it; the 60 used has brought 12 of the 20, which she keeps.
    assert (told["money"], told["withheld"], told["fee"], told["bonus"]) == (40_00, 0, 0, 8_00)
    assert told["balances"] == {"cash": 0, "extra": 12_00}
    again = await till.post("/v1/stored-value/top-ups/t-1/refund", json={"member_id": "ann"})
    assert (again.status_code, again.json()["code"]) == (422, "top_up_refunded")
    assert await coffee.Shop(till.shop.pool).findings() == []


async def test_what_is_on_hold_is_not_paid_back(till: Door):
    await top_up(till, 100_00, top_up="t-1")
    await till.post("/v1/points/holds", json={"member_id": "ann", "stored_value": 110_00, "hold": "h"})
    held = await till.post("/v1/stored-value/top-ups/t-1/refund", json={"member_id": "ann"})
    assert held.json()["code"] == "stored_value_held"
    captured = await till.post("/v1/points/holds/h/capture", json={"member_id": "ann", "stored_value": 105_00})
    assert captured.json()["balances"] == {"cash": 0, "extra": 15_00}


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"amount": 9_99}, 422, "top_up_below_minimum"),
    ({"amount": 1000_01}, 422, "balance_above_maximum"),
    ({"amount": 0}, 400, "invalid_request"),
    ({"amount": 100, "card": "gold"}, 400, "invalid_request"),
    ({"amount": 2**53 - 1, "card": "bearer"}, 422, "balance_too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), REFUSED)
async def test_a_top_up_outside_its_limits_is_refused(till: Door, body: dict[str, Any], status: int, code: str):
    await top_up(till, 10_00, card="bearer")
    answer = await till.post("/v1/stored-value/top-ups", json={"member_id": "ann", **body})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_top_up_that_is_not_there_is_not_found(till: Door):
    answer = await till.post("/v1/stored-value/top-ups/none/refund", json={"member_id": "ann"})
    assert (answer.status_code, answer.json()["code"]) == (404, "top_up_unknown")
    shown = await till.get("/v1/orders/top_up:t-1")
    assert (shown.status_code, shown.json()["code"]) == (404, "order_unknown")


async def test_offers_are_told_for_anybody_and_for_a_member(till: Door):
    await top_up(till, 10_00)
    anybody = (await till.get("/v1/stored-value/offers", headers={"Accept-Language": "zh-TW"})).json()
    assert (anybody["principal"], anybody["bonus"], anybody["spend"]) == ("cash", "extra", "principal_first")
    assert anybody["limits"] == [
        {"card": "named", "maximum_balance": 1000_00, "maximum_top_up": None, "minimum_top_up": 10_00}
    ]
    told = [(offer["offer"], offer["title"], offer["pay"], offer["bonus"], offer["open"]) for offer in anybody["items"]]
    assert told == [("hundred", "一百", 100_00, 20_00, True), ("vip", None, 500_00, 200_00, True)]
    assert anybody["items"][1]["condition"] == "tag vip"
    hers = (await till.get("/v1/stored-value/offers", params={"member_id": "ann"})).json()
    assert [offer["open"] for offer in hers["items"]] == [True, False]
    unknown = await till.get("/v1/stored-value/offers", params={"member_id": "zoe"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "member_unknown")


async def test_a_program_without_stored_value_has_no_offers(door: Door):
    answer = await door.get("/v1/stored-value/offers")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_stored_value")
    paid = await door.post("/v1/stored-value/top-ups", json={"member_id": "ann", "amount": 100_00})
    assert (paid.status_code, paid.json()["code"]) == (422, "no_stored_value")
