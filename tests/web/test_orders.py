"""Orders over HTTP: settled once, explained, taken back in parts."""

import asyncio

import httpx
import pytest

from tests.web.conftest import Door

pytestmark = pytest.mark.database

ORDER = {"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 1250}, {"amount": 750, "quantity": 2}]}


async def test_an_order_is_settled_and_says_what_it_earned(door: Door):
    settled = await door.post("/v1/orders", json=ORDER | {"occurred_at": "2026-05-01T12:00:00+08:00"})
    assert settled.status_code == 201
    told = settled.json()
    assert told.pop("activity").startswith("act_")
    assert told == {
        "member_id": "ann",
        "occurred_at": "2026-05-01T04:00:00Z",
        "earned": {"points": 20},
        "skipped": [],
        "balances": {"points": 20},
        "tiers": {},
        "order_id": "o-1",
        "identified": None,
    }
    shown = (await door.get("/v1/orders/o-1")).json()
    assert shown["amount"] == 2000
    assert shown["status"] == "paid"
    assert shown["awards"] == [{"rule": "base", "asset": "points", "amount": 20}]


async def test_the_same_key_ten_times_in_parallel_is_one_posting_and_ten_equal_answers(door: Door):
    answers = await asyncio.gather(
        *(door.post("/v1/orders", json=ORDER, headers={"Idempotency-Key": "k-1"}) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sorted(answer.headers.get("Idempotent-Replayed", "") for answer in answers) == ["", *["true"] * 9]
    assert answers[0].json()["balances"] == {"points": 20}


async def test_the_same_key_with_another_body_is_refused(door: Door):
    headers = {"Idempotency-Key": "k-1"}
    await door.post("/v1/orders", json=ORDER, headers=headers)
    other = await door.post("/v1/orders", json=ORDER | {"order_id": "o-2"}, headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_an_order_that_is_there_already_is_refused_in_the_callers_language(door: Door):
    await door.post("/v1/orders", json=ORDER)
    again = await door.post("/v1/orders", json=ORDER, headers={"Accept-Language": "zh-TW,en;q=0.5"})
    assert again.status_code == 422
    assert again.headers["content-type"] == "application/problem+json"
    assert again.headers["content-language"] == "zh-Hant"
    problem = again.json()
    assert problem["code"] == "order_exists"
    assert problem["facts"] == {"order_id": "o-1"}
    assert "o-1" in problem["detail"]
    assert problem["instance"] == again.headers["x-request-id"]


@pytest.mark.parametrize(
    "parts",
    [
        [{}],
        [{"amount": 500}, {"lines": [{"line": 2, "quantity": 1}]}, {}],
        [{"lines": [{"line": 1}]}, {"lines": [{"line": 2, "amount": 100}]}, {"amount": 650}],
    ],
)
async def test_an_order_taken_back_in_any_parts_ends_where_one_whole_refund_does(door: Door, parts: list[dict]):
    await door.post("/v1/orders", json=ORDER)
    money = 0
    for part in parts:
        moved = await door.post("/v1/orders/o-1/refund", json=part)
        assert moved.status_code == 200, moved.text
        money += moved.json()["money"]
    assert money == 2000
    assert moved.json()["balances"] == {"points": 0}
    shown = (await door.get("/v1/orders/o-1")).json()
    assert (shown["status"], shown["refunded"]) == ("refunded", 2000)


async def test_a_cancelled_order_is_reopened_and_completed(door: Door):
    await door.post("/v1/orders", json=ORDER)
    assert (await door.post("/v1/orders/o-1/cancel", json={})).json()["balances"] == {"points": 0}
    assert (await door.post("/v1/orders/o-1/reopen", json={})).json()["balances"] == {"points": 20}
    assert (await door.post("/v1/orders/o-1/complete", json={})).status_code == 200
    assert (await door.post("/v1/orders/o-1/complete", json={})).json()["code"] == "order_completed"


async def test_an_order_nobody_has_is_not_found(door: Door):
    for answer in (await door.get("/v1/orders/none"), await door.post("/v1/orders/none/refund", json={})):
        assert (answer.status_code, answer.json()["code"]) == (404, "order_unknown")


async def test_two_members_with_the_same_number_are_told_apart_by_their_ids(door: Door):
    await door.post("/v1/orders", json=ORDER)
    await door.post("/v1/orders", json=ORDER | {"member_id": "bob"})
    assert (await door.get("/v1/orders/o-1")).json()["code"] == "member_needed"
    assert (await door.get("/v1/orders/o-1", params={"member_id": "bob"})).json()["member_id"] == "bob"
    assert (await door.post("/v1/orders/o-1/refund", json={"member_id": "bob"})).json()["member_id"] == "bob"


BAD = [
    ({"lines": []}, "/lines", "too_short"),
    ({"lines": [{"amount": -1}]}, "/lines/0/amount", "greater_than_equal"),
    ({"lines": [{"amount": "12"}]}, "/lines/0/amount", "int_type"),
    ({"lines": [{"amount": 12.5}]}, "/lines/0/amount", "int_type"),
    ({"lines": [{"amount": 2**53}]}, "/lines/0/amount", "less_than_equal"),
    ({"lines": [{"amount": 2**52}, {"amount": 2**52}]}, "", "value_error"),
    ({"lines": [{"amount": 1, "color": "red"}]}, "/lines/0/color", "extra_forbidden"),
    ({"member_id": "a\x00b"}, "/member_id", "value_error"),
    ({"member_id": " ann"}, "/member_id", "value_error"),
    ({"member_id": "a" * 201}, "/member_id", "string_too_long"),
    ({"occurred_at": "2026-05-01T12:00:00"}, "/occurred_at", "value_error"),
    ({"occurred_at": 1777000000}, "/occurred_at", "value_error"),
    ({"source": "clock"}, "/source", "extra_forbidden"),
]


@pytest.mark.parametrize(("wrong", "pointer", "code"), BAD)
async def test_bad_input_is_told_where_and_why_and_settles_nothing(door: Door, wrong: dict, pointer: str, code: str):
    answer = await door.post("/v1/orders", json=ORDER | wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert {"pointer": pointer, "code": code}.items() <= answer.json()["errors"][0].items()
    assert (await door.get("/v1/orders/o-1")).status_code == 404


async def test_an_order_from_the_future_is_refused_because_it_would_end_points_too_soon(door: Door):
    answer = await door.post("/v1/orders", json=ORDER | {"occurred_at": "2999-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (400, "occurred_in_the_future")


@pytest.mark.parametrize("body", [b"{", b"", b'{"order_id": NaN}', b"\xff\xfe", b"[" * 100_000, b'"a"', b"null", b"[]"])
async def test_a_body_that_is_no_object_is_refused(door: Door, body: bytes):
    answer = await door.post("/v1/orders", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_a_body_in_another_form_is_refused(door: Door):
    answer = await door.post("/v1/orders", content="order_id=1", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_type")


async def test_without_a_program_nothing_can_be_settled(serve):
    async with serve(None) as door:
        answer: httpx.Response = await door.post("/v1/orders", json=ORDER)
        assert (answer.status_code, answer.json()["code"]) == (503, "no_program")
        assert (await door.get("/readyz")).status_code == 503
