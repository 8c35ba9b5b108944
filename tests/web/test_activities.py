"""Activities told by the thousand: a result for each, and a bad one hurts nobody."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from typing import Any

import httpx
import pytest

from shuke.engine import activity as of
from shuke.engine.step import ACTS
from shuke.runtime.clock import now
from shuke.runtime.segments import ENTERED, LEFT
from shuke.values.instants import MINUTE
from shuke.web.api.contract import shown_moment
from shuke.web.api.payloads import ELSEWHERE, SHAPES
from tests import shop as coffee
from tests.web.conftest import Door

pytestmark = pytest.mark.database

AT = "2026-05-01T12:00:00+08:00"
LINES = {"Content-Type": "application/x-ndjson", "Idempotency-Key": None}


def order(number: int, member: str = "ann", cents: int = 1000, **more: Any) -> dict[str, Any]:
    lines = [{"amount": cents}]
    told = {"type": "order.paid", "member_id": member, "key": f"k-{number}", "occurred_at": AT}
    return told | {"order": {"order_id": f"o-{number}", "lines": lines}} | more


def fact(type_: str, key: str, member: str = "ann", at: str = AT, **payload: Any) -> dict[str, Any]:
    return {"type": type_, "member_id": member, "key": key, "occurred_at": at, "payload": payload}


def given(amount: int, key: str, member: str = "ann") -> dict[str, Any]:
    return fact("asset.granted", key, member, asset="points", amount=amount, reason="sorry")


async def tell(door: Door, *items: Any, **headers: str) -> list[dict[str, Any]]:
    answer = await door.post("/v1/activities", json={"activities": items}, headers={"Idempotency-Key": None, **headers})  # type: ignore[arg-type]  # None: none
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert body["counts"] == Counter(result["status"] for result in body["results"])
    results: list[dict[str, Any]] = body["results"]
    return results


async def findings(door: Door) -> list[Any]:
    return await coffee.Shop(door.shop.pool).findings()


# -- Results ----------------------------------------------------------------------------------------------


async def test_every_activity_has_its_own_result_in_order(door: Door) -> None:
    results = await tell(
        door,
        order(1),
        {"type": "order.paid", "key": "bad"},
        fact("asset.spent", "s-1", asset="points", amount=4),
        fact("asset.spent", "s-2", asset="points", amount=7),
        order(1),
        fact("checked_in", "c-1", store="Ximen"),
    )
    assert [result["status"] for result in results] == [
        "settled", "invalid", "settled", "refused", "repeated", "settled"
    ]  # fmt: skip
    assert results[0]["earned"] == results[4]["earned"] == {"points": 10}
    assert results[0]["activity"] == results[4]["activity"]
    assert results[1] == {
        "key": "bad",
        "status": "invalid",
        "errors": [{"pointer": "/occurred_at", "code": "missing", "detail": "This is missing."}],
    }
    assert (results[3]["code"], results[3]["facts"]) == (
        "insufficient",
        {"asset": "points", "asked": 7, "available": 6},
    )
    assert results[3]["detail"] == "This takes 7 points, but only 6 points can be spent."
    assert await findings(door) == []


async def test_what_is_told_again_is_repeated_and_changes_nothing(door: Door) -> None:
    """ACCEPTANCE 5."""
    items = [order(number, f"m{number % 7}") for number in range(500)]
    first = await tell(door, *items)
    again = await tell(door, *items)
    assert {result["status"] for result in first} == {"settled"}
    assert [result | {"status": "repeated"} for result in first] == again
    assert await coffee.Shop(door.shop.pool).rows("select count(*) from activity") == [(500,)]


async def test_batches_told_at_once_settle_every_activity_once(door: Door) -> None:
    items = [order(number, f"m{number % 5}") for number in range(450)]
    tellings = await asyncio.gather(*(tell(door, *items) for _ in range(3)))
    for results in zip(*tellings, strict=True):
        assert sorted(result["status"] for result in results) == ["repeated", "repeated", "settled"]
    assert await findings(door) == []


async def test_another_activity_under_a_key_is_refused(door: Door) -> None:
    await tell(door, order(1))
    (result,) = await tell(door, order(1, cents=900), **{"Accept-Language": "zh-Hans"})
    assert (result["status"], result["code"]) == ("refused", "key_reused")
    assert "键" in result["detail"]


async def test_lines_are_read_one_by_one(door: Door) -> None:
    body = "\n".join(("", json.dumps(order(1)), "{not json", "\x00", '"\\ud800"', " \r", json.dumps(order(2)), ""))
    answer = await door.post("/v1/activities", content=body.encode(), headers=LINES)
    assert [result["status"] for result in answer.json()["results"]] == [
        "settled", "invalid", "invalid", "invalid", "settled"
    ]  # fmt: skip
    bad = answer.json()["results"][1]
    assert (bad["key"], bad["errors"][0]["code"]) == (None, "json_invalid")


async def test_ten_thousand_are_settled_and_single_orders_do_not_wait_for_them(door: Door) -> None:
    items = [order(number, f"m{number % 997}") for number in range(10_000)]
    batch = asyncio.create_task(tell(door, *items))
    singles = 0
    while not batch.done():
        single = {"order_id": f"single-{singles}", "member_id": "bob", "lines": [{"amount": 100}]}
        assert (await door.post("/v1/orders", json=single)).status_code == 201
        singles += 1
    assert {result["status"] for result in batch.result()} == {"settled"}
    assert singles > 1  # were they to wait for the batch, the first would have been answered when it was done
    answer = await door.post("/v1/activities", json={"activities": [*items, order(-1)]})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "too_long")


# -- What is wrong with one -------------------------------------------------------------------------------

BAD: list[tuple[dict[str, Any], str, str]] = [
    (order(1, type="Order Paid"), "/type", "string_pattern_mismatch"),
    (order(1, member_id=""), "/member_id", "string_too_short"),
    (order(1, member_id="a" * 201), "/member_id", "string_too_long"),
    (order(1, member_id=" ann"), "/member_id", "value_error"),
    (order(1, member_id="a\x85b"), "/member_id", "value_error"),
    (order(1, key="a\nb"), "/key", "value_error"),
    (order(1, key=7), "/key", "string_type"),
    (order(1, source="clock"), "/source", "extra_forbidden"),
    (order(1, occurred_at="2026-05-01T12:00:00"), "/occurred_at", "value_error"),
    (order(1, occurred_at="0001-01-01T00:00:00+23:59"), "/occurred_at", "value_error"),
    (order(1, occurred_at="1969-12-31T23:59:59Z"), "/occurred_at", "value_error"),
    (order(1, occurred_at=5), "/occurred_at", "string_type"),
    (order(1, occurred_at="2999-05-01T12:00:00Z"), "/occurred_at", "in_the_future"),
    (order(1, order=None), "/order", "missing"),
    (order(1, order={"order_id": "o", "lines": []}), "/order/lines", "too_short"),
    (order(1, order={"order_id": "o", "lines": [{"amount": 1.5}]}), "/order/lines/0/amount", "int_type"),
    (order(1, order={"order_id": "o", "lines": [{"amount": 1e300}]}), "/order/lines/0/amount", "int_type"),
    (order(1, order={"order_id": "o", "lines": [{"amount": -1}]}), "/order/lines/0/amount", "greater_than_equal"),
    (order(1, order={"order_id": "o", "lines": [{"amount": 2**53}]}), "/order/lines/0/amount", "less_than_equal"),
    (order(1, order={"order_id": "o", "lines": [{"amount": 2**53 - 1}] * 2}), "/order", "value_error"),
    (order(1, order={"order_id": "o", "lines": [{"amount": 1, "x": 1}]}), "/order/lines/0/x", "extra_forbidden"),
    (order(1, order={"order_id": "o", "lines": [{"amount": 1, "sku": "\x00"}]}), "", "value_error"),
    (order(1, order={"order_id": "o", "lines": [{"amount": 1}], "hold": "h"}), "/order/hold", "extra_forbidden"),
    (
        order(1, order={"order_id": "o", "lines": [{"amount": 1, "attributes": {"n": 2**53}}]}),
        "/order/lines/0/attributes",
        "value_error",
    ),
    (fact("checked_in", "k") | {"order": {"order_id": "o", "lines": [{"amount": 1}]}}, "/order", "extra_forbidden"),
    (fact("checked_in", "k", n=2**53), "/payload", "value_error"),
    (fact("checked_in", "k", x=[[[[[[[[[[[[[1]]]]]]]]]]]]]), "/payload", "value_error"),
    (fact("checked_in", "k", x="\x00"), "", "value_error"),
    (fact("checked_in", "k", x=["y"] * 3000), "/payload", "value_error"),
    (fact("checked_in", "k") | {"payload": []}, "/payload", "dict_type"),
    (fact("time.passed", "k"), "/type", "told_elsewhere"),
    (fact("asset.received", "k", asset="points", from_member="x", lots=[[9, 9]]), "/type", "told_elsewhere"),
    (fact("coupon.received", "k"), "/type", "told_elsewhere"),
    (fact("coupon.issued", "k", template="t", rule="base"), "/payload/rule", "extra_forbidden"),
    (fact("checked_in", "k\u200d"), "/key", "unseen_character"),
    (fact("checked_in", "k", member="ann\u2060"), "/member_id", "unseen_character"),
    (order(1, order={"order_id": "o\xad", "lines": [{"amount": 1}]}), "/order/order_id", "unseen_character"),
    (
        fact("asset.transferred", "k", asset="points", amount=1, to_member="bo\ufeff"),
        "/payload/to_member",
        "unseen_character",
    ),
    (fact("coupon.claimed", "k"), "/payload", "value_error"),
    (fact("coupon.claimed", "k", template="t", code="C"), "/payload", "value_error"),
    (fact("member.joined", "k", traits=[1]), "/payload/traits", "dict_type"),
    (fact("member.joined", "k", tags=[1]), "/payload/tags/0", "string_type"),
    (fact("member.joined", "k", identities={"phone": "12"}), "/payload/identities", "value_error"),
    (fact("member.joined", "k", identities={"email": "null"}), "/payload/identities", "value_error"),
    (fact("member.joined", "k", identities={"Phone!": "1"}), "/payload/identities", "value_error"),
    (fact("member.joined", "k", identities={"card": 7}), "/payload/identities", "string_type"),
    (fact("asset.granted", "k", asset="points", amount="5", reason="r"), "/payload/amount", "int_type"),
    (fact("asset.granted", "k", asset="points", amount=0, reason="r"), "/payload/amount", "greater_than_equal"),
    (
        fact("asset.granted", "k", asset="points", amount=1, reason="r", expires_at="soon"),
        "/payload/expires_at",
        "value_error",
    ),
    (fact("order.refunded", "k", order_id="o", amount=1, lines=[{"line": 1}]), "/payload", "value_error"),
    (fact("order.refunded", "k", order_id="o", lines=[{"line": 0}]), "/payload/lines/0/line", "greater_than_equal"),
]


async def test_members_orders_and_keys_are_one_however_they_are_written(door: Door) -> None:
    apart, composed = "Jose\u0301", "Jos\xe9"
    lines = {"lines": [{"amount": 1000}]}
    results = await tell(
        door,
        order(1, apart, key=f"k-{apart}", order={"order_id": f"o-{apart}", **lines}),
        order(1, composed, key=f"k-{composed}", order={"order_id": f"o-{composed}", **lines}),
        fact("order.refunded", "k-2", composed, order_id=f"o-{apart}"),
        given(5, "k-3"),
        fact("asset.transferred", "k-4", asset="points", amount=5, to_member=apart),
    )
    assert [result["status"] for result in results] == ["settled", "repeated", "settled", "settled", "settled"]
    assert results[0]["key"] == f"k-{composed}"
    assert [one["member_id"] for one in (await door.get("/v1/members")).json()["items"]] == [composed, "ann"]
    assert (await door.get(f"/v1/orders/o-{apart}")).json()["member_id"] == composed


async def test_what_is_wrong_with_an_activity_is_pointed_to_and_its_neighbours_are_settled(door: Door) -> None:
    results = await tell(door, order(98), *(item for item, _, _ in BAD), order(99))
    assert [results[0]["status"], results[-1]["status"]] == ["settled", "settled"]
    for (item, pointer, code), result in zip(BAD, results[1:-1], strict=True):
        assert (result["status"], item) == ("invalid", item)
        (error,) = result["errors"]
        assert (error["pointer"], error["code"], item) == (pointer, code, item)
        assert error["detail"]
    assert await findings(door) == []


async def test_a_pile_of_wrong_ones_is_answered_as_quickly_as_one(door: Door) -> None:
    deep = {"type": "x", "member_id": "m", "key": "k", "occurred_at": AT}
    items = [json.dumps(deep)[:-1] + ', "payload": ' + "[" * 100_000 for _ in range(20)]
    answer = await door.post("/v1/activities", content="\n".join(items).encode(), headers=LINES)
    assert {result["status"] for result in answer.json()["results"]} == {"invalid"}


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"{", "application/json", 400, "json_invalid"),
        (b"[]", "application/json", 400, "dict_type"),
        (b"{}", "application/json", 400, "missing"),
        (b'{"activities": []}', "application/json", 400, "too_short"),
        (b'{"activities": [{}], "x": 1}', "application/json", 400, "extra_forbidden"),
        (b'{"activities": [' + b"[" * 100_000, "application/json", 400, "json_invalid"),
        (b"\n \n", "application/x-ndjson", 400, "too_short"),
        (b"\n" + b"{}\n" * 10_001, "application/x-ndjson", 400, "too_long"),
        (b"{}", "text/plain", 415, None),
    ],
)
async def test_a_body_that_is_no_batch_is_refused(
    door: Door, body: bytes, kind: str, status: int, code: str | None
) -> None:
    answer = await door.post("/v1/activities", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status
    assert code is None or answer.json()["errors"][0]["code"] == code


def test_every_act_of_the_engine_has_a_shape_or_comes_from_elsewhere() -> None:
    of_segments = {ENTERED, LEFT}  # the engine only counts them
    assert {*SHAPES, *ELSEWHERE, of.ORDER_PAID} == {*ACTS, of.TIME_PASSED, *of_segments}


NONSENSE = [None, True, -1, 0, 2**53 - 1, "", "points", "2026-05-01T00:00:00Z", [], ["a"], {}, {"line": 1}, "a" * 1000]


async def test_no_payload_makes_the_engine_fail(door: Door) -> None:
    """Whatever is let through is settled or refused: what fails costs its neighbours a second try."""
    await tell(door, order(1, "m"), given(100, "g", "m"))
    items = []
    for type_, shape in SHAPES.items():
        good = {name: "points" for name in shape.__struct_fields__ if name in ("asset", "id", "hold", "order_id")}
        good |= {"order_id": "o-1", "amount": 5, "reason": "r", "to_member": "n", "stored_value": None}
        items.append(fact(type_, f"{type_}/-", "m"))
        for name in (*shape.__struct_fields__, "more"):
            for number, value in enumerate(NONSENSE):
                items.append(fact(type_, f"{type_}/{name}/{number}", "m", **{**good, name: value}))
    results = await tell(door, *items)
    assert [item for item, result in zip(items, results, strict=True) if result["status"] == "failed"] == []
    assert await findings(door) == []


# -- Who tells, and when ----------------------------------------------------------------------------------


async def test_kinds_that_the_engine_knows_need_their_own_scope(door: Door) -> None:
    async with door.other(await door.secret("activities:write", "orders:write", source="gate")) as gate:
        results = await tell(gate, order(1), fact("checked_in", "c"), given(9, "g"), fact("tiers.applied", "t"))
        assert [result["status"] for result in results] == ["settled", "settled", "refused", "refused"]
        assert [result["facts"] for result in results[2:]] == [{"scope": "points:write"}, {"scope": "tiers:write"}]
    async with door.other(await door.secret("orders:write", source="till")) as till:
        answer = await till.post("/v1/activities", json={"activities": [order(2)]})
        assert (answer.status_code, answer.json()["facts"]) == (403, {"scope": "activities:write"})


async def test_identities_are_known_in_whichever_form_they_are_told(door: Door) -> None:
    """ACCEPTANCE 29. The shop lies in Taiwan."""
    first, second = await tell(
        door,
        fact("member.joined", "k-1", "ann", identities={"phone": "0912 345-678"}),
        fact("member.joined", "k-2", "bob", identities={"phone": "+886 912345678"}),
    )
    assert (first["status"], second["status"], second["code"]) == ("settled", "refused", "identity_taken")


async def test_two_sources_may_use_the_same_key(door: Door) -> None:
    await tell(door, fact("checked_in", "k"))
    async with door.other(await door.secret("activities:write", source="gate")) as gate:
        (result,) = await tell(gate, fact("checked_in", "k"))
    assert result["status"] == "settled"


async def test_a_clock_that_is_a_little_ahead_is_set_right_and_the_repeat_is_known(door: Door) -> None:
    ahead = shown_moment(now() + 2 * MINUTE)
    assert ahead is not None
    (first,) = await tell(door, fact("checked_in", "k", at=ahead))
    shown = (await door.get(f"/v1/activities/{first['activity']}")).json()
    assert shown["occurred_at"] < ahead
    (again,) = await tell(door, fact("checked_in", "k", at=ahead))
    (other,) = await tell(door, fact("checked_in", "k", at=ahead, store="Ximen"))
    assert [first["status"], again["status"], other["status"]] == ["settled", "repeated", "refused"]


# -- One shown --------------------------------------------------------------------------------------------


async def test_an_activity_is_shown_as_it_was_told_with_its_answer(door: Door) -> None:
    settled, refused = await tell(
        door, order(1, payload={"campaign": "may"}), fact("asset.spent", "s", asset="points", amount=11)
    )
    shown = (await door.get(f"/v1/activities/{settled['activity']}")).json()
    assert shown.pop("recorded_at")
    assert shown == {
        "activity": settled["activity"],
        "type": "order.paid",
        "member_id": "ann",
        "source": "api:test",
        "key": "k-1",
        "occurred_at": "2026-05-01T04:00:00Z",
        "seq": 1,
        "version": 1,
        "payload": {"campaign": "may"},
        "order": {"order_id": "o-1", "lines": [{"amount": 1000}]},
        "status": "settled",
        "code": None,
        "detail": None,
        "facts": {},
        "answer": shown["answer"],
    }
    assert shown["answer"]["earned"] == {"points": 10}
    shown = (await door.get(f"/v1/activities/{refused['activity']}")).json()
    assert (shown["status"], shown["code"], shown["facts"]) == ("refused", refused["code"], refused["facts"])
    assert shown["detail"] == refused["detail"]


@pytest.mark.parametrize(
    ("id_", "status"), [("act_999999999", 404), ("act_0", 400), ("1", 400), ("act_" + "9" * 30, 400)]
)
async def test_an_activity_nobody_told_is_not_found(door: Door, id_: str, status: int) -> None:
    answer: httpx.Response = await door.get(f"/v1/activities/{id_}")
    assert answer.status_code == status
