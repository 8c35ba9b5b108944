"""Carts over HTTP: priced to the cent, held once, committed or let go, refunded in parts."""

import asyncio
from typing import Any

import pytest

from shuke.books import programs
from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.program.document import read
from shuke.runtime.clock import now
from shuke.web.api.cart_requests import CartCommitTold, CartHoldTold, CartQuoteTold, CartReleaseTold
from shuke.web.api.quotes import QuoteShown
from tests import shop as coffee
from tests.web.conftest import Door
from tests.web.till import LINES, TEAHOUSE, cart, endow, held, settled

pytestmark = pytest.mark.database

MINUTE = 60_000_000


@pytest.fixture
async def till(serve):
    async with serve(TEAHOUSE) as door:
        yield door


async def quote(door: Door, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    return await settled(await door.post("/v1/carts/quote", json=cart(*lines, **more), headers=NO_KEY))


NO_KEY = {"Idempotency-Key": None}


# -- Quoted -----------------------------------------------------------------------------------------------


async def test_a_quote_prices_every_line_to_the_cent_and_says_why(till: Door):
    await endow(till, points=40, cash=20_00, gold=True)
    uses = {"coupons": ["ten-off"], "points": {"points": 35}, "stored_value": 10_00}
    shown = await quote(till, uses=uses, shipping=6_00, tax=1_00, channel="web")
    tea, cup = shown["lines"]
    assert (tea["sku"], tea["quantity"], tea["priced_by"], tea["list_amount"]) == ("tea", 2, "tier_percent", 100_00)
    assert [(share["kind"], share["id"], share["amount"]) for share in tea["off"]] == [
        ("tier_percent", "gold-five", 5_00),
        ("coupon", "ten", 7_65),
    ]
    assert cup["priced_by"] == "promotion"
    assert [(share["kind"], share["id"], share["amount"]) for share in cup["off"]] == [
        ("promotion", "ware", 4_17),
        ("coupon", "ten", 2_35),
    ]
    assert [(tea["amount"], cup["amount"]), shown["tax"]["amount"]] == [(87_35, 26_81), 1_00]
    assert shown["shipping"]["off"] == [{"kind": "free_shipping", "id": "gold-ship", "coupon": None, "amount": 6_00}]
    assert [(paid["asset"], paid["units"], paid["worth"]) for paid in shown["payments"]] == [
        ("points", 35, 35_00),
        ("cash", 1000, 10_00),
    ]
    assert (shown["amount"], shown["paid"], shown["payable"]) == (115_16, 45_00, 70_16)
    assert shown["tiers"] == {"club": "gold"}
    assert shown["earns"] == {"points": 79}
    assert shown["earning"] == [{"rule": "base", "title": "A point for every dollar", "asset": "points", "amount": 79}]
    assert [coupon["title"] for coupon in shown["coupons"]] == ["Ten off"]
    adds_up(shown)


def adds_up(shown: dict[str, Any]) -> None:
    """Over all positions every sum is exact."""
    positions = [*shown["lines"], shown["tax"], shown["shipping"]]
    for position in positions:
        off = sum(share["amount"] for share in position["off"])
        paid = sum(share["worth"] for share in position["paid"])
        assert position["list_amount"] - off == position["amount"]
        assert position["amount"] - paid == position["payable"] >= 0
    for name in ("list_amount", "amount", "payable"):
        assert sum(position[name] for position in positions) == shown[name]
    assert shown["list_amount"] - shown["off"] == shown["amount"] == shown["paid"] + shown["payable"]
    assert sum(reduction["amount"] for reduction in shown["reductions"]) == shown["off"]
    assert sum(payment["worth"] for payment in shown["payments"]) == shown["paid"]


async def test_a_quote_changes_nothing_and_is_the_same_when_asked_again(till: Door):
    await endow(till, points=40)
    uses = {"coupons": ["TEN-OFF"], "points": {"points": "all"}}
    first, second = await quote(till, uses=uses), await quote(till, uses=uses)
    assert first["lines"][0]["amount"] == second["lines"][0]["amount"] == 92_26
    assert [first[name] for name in ("amount", "payable", "earns")] == [
        second[name] for name in ("amount", "payable", "earns")
    ]
    assert first["payments"][0]["units"] == 40
    assert (await quote(till))["usable"] == {"points": {"units": 40, "worth": 40_00}}


async def test_what_does_not_apply_is_skipped_with_a_sentence_in_the_callers_language(till: Door):
    await endow(till, points=5)
    uses = {"coupons": ["nothing"], "points": {"points": 6}}
    for language, said in (
        ("en", "This takes 6 points, but only 5 points can be spent."),
        ("zh-TW", "需要 6 點，但只有 5 點可用。"),
        ("zh-CN", "需要 6 积分，但只有 5 积分可用。"),
    ):
        answer = await till.post(
            "/v1/carts/quote", json=cart(uses=uses), headers={"Accept-Language": language, **NO_KEY}
        )
        skipped = {item["what"]: item for item in (await settled(answer))["skipped"]}
        assert skipped["nothing"]["code"] == "coupon_unknown"
        assert skipped["points"] == {
            "what": "points",
            "code": "insufficient",
            "detail": said,
            "facts": {"asked": 6, "available": 5},
        }


HINTS = [
    ("en", ["Spend 100.00 more and Spend and save takes off 20.00.", "Spend 170.84 more to get Big spender."]),
    ("zh-Hant", ["再消費 100.00，「滿額折」即可折 20.00。", "再消費 170.84 即可享「Big spender」。"]),
    ("zh-Hans", ["再消费 100.00，“Spend and save”即可减 20.00。", "再消费 170.84 即可享“Big spender”。"]),
]


@pytest.mark.parametrize(("language", "said"), HINTS)
async def test_hints_say_what_would_help(till: Door, language: str, said: list[str]):
    coupon = await issued(till, "big")
    answer = await till.post(
        "/v1/carts/quote", json=cart(uses={"coupons": [coupon]}), headers={"Accept-Language": language, **NO_KEY}
    )
    shown = await settled(answer)
    assert [hint["detail"] for hint in shown["hints"]] == said
    assert [(hint["kind"], hint["id"], hint["needs"], hint["off"]) for hint in shown["hints"]] == [
        ("promotion", "save", 100_00, 20_00),
        ("coupon", coupon, 170_84, None),
    ]
    assert [(entry["saves"], entry["code"]) for entry in shown["wallet"]] == [(None, "minimum_spend")]


async def issued(door: Door, template: str, *, member: str = "ann") -> str:
    """The id of a coupon that the member has from now on."""
    payload = {"template": template, "quantity": 1}
    answer = await door.shop.settle(Activity(of.COUPON_ISSUED, member, now(), "test", f"issue-{template}", payload))
    assert answer.status == "settled", answer
    (id_,) = (await settled(await door.post("/v1/carts/quote", json=cart(member=member), headers=NO_KEY)))["wallet"]
    return id_["coupon"]


async def test_a_guest_pays_the_price_of_nobody_and_earns_nothing(till: Door):
    await endow(till, gold=True)
    member, guest = await quote(till, shipping=6_00), await quote(till, member=None, shipping=6_00)
    assert (member["payable"], guest["payable"]) == (124_16, 135_16)
    assert (guest["earns"], guest["tiers"], guest["usable"]) == ({}, {}, {})


async def test_somebody_unknown_is_priced_as_who_comes_for_the_first_time(till: Door):
    shown = await quote(till, member="nobody-yet")
    assert [(given["rule"], given["amount"]) for given in shown["earning"]] == [("base", 129), ("first", 50)]
    assert (await till.get("/v1/members/nobody-yet/balances")).status_code == 404


async def test_a_quote_goes_by_a_version_published_a_moment_ago(till: Door):
    assert (await quote(till))["version"] == 1
    dearer = TEAHOUSE.replace('percent: "12.5"', "percent: 50")
    async with till.shop.pool.connection() as connection:
        await publish_over(connection, dearer)
    shown = await quote(till)
    assert (shown["version"], shown["lines"][1]["amount"]) == (2, 16_67)


async def publish_over(connection: Any, text: str) -> None:
    await programs.publish(connection, read(text), text=text, at=now())


async def test_an_erased_member_has_no_price(till: Door):
    await endow(till, points=5)
    answer = await till.shop.settle(Activity(of.ERASED, "ann", now(), "test", "erase", {}))
    assert answer.status == "settled"
    refused = await till.post("/v1/carts/quote", json=cart(), headers=NO_KEY)
    assert (refused.status_code, refused.json()["code"]) == (422, "member_erased")


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"lines": []}, "/lines", "too_short"),
    ({"lines": [{"amount": 1}] * 501}, "/lines", "too_long"),
    ({"lines": [{"amount": -1}]}, "/lines/0/amount", "greater_than_equal"),
    ({"lines": [{"amount": 1, "quantity": 0}]}, "/lines/0/quantity", "greater_than_equal"),
    ({"lines": [{"amount": 2**52}, {"amount": 2**52}]}, "", "value_error"),
    ({"lines": [{"amount": 1, "attributes": {"note": "x" * 9_000}}] * 8}, "", "value_error"),
    ({"uses": {"points": {"points": -1}}}, "/uses/points/points", "greater_than_equal"),
    ({"uses": {"points": {"points": 1.5}}}, "/uses/points/points", "int_type"),
    ({"uses": {"points": {"points": "some"}}}, "/uses/points/points", "int_type"),
    ({"uses": {"points": {"points": True}}}, "/uses/points/points", "int_type"),
    ({"uses": {"points": {"points": 2**53}}}, "/uses/points/points", "less_than_equal"),
    ({"uses": {"stored_value": -1}}, "/uses/stored_value", "greater_than_equal"),
    ({"uses": {"coupons": [""]}}, "/uses/coupons/0", "too_short"),
    ({"uses": {"cash": 1}}, "/uses/cash", "extra_forbidden"),
    ({"occurred_at": "2026-05-01"}, "/occurred_at", "value_error"),
]


@pytest.mark.parametrize(("wrong", "pointer", "code"), BAD)
async def test_a_cart_that_cannot_be_is_told_where_and_why(till: Door, wrong: dict, pointer: str, code: str):
    answer = await till.post("/v1/carts/quote", json=cart() | wrong, headers=NO_KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == (pointer, code)


async def test_reading_is_not_writing(till: Door):
    async with till.other(await till.secret("carts:read")) as reader:
        assert (await reader.post("/v1/carts/quote", json=cart(), headers=NO_KEY)).status_code == 200
        refused = await reader.post("/v1/carts/holds", json=held())
        assert (refused.status_code, refused.json()["facts"]) == (403, {"scope": "carts:write"})
    async with till.other(await till.secret("carts:write")) as writer:
        assert (await writer.post("/v1/carts/holds", json=held())).status_code == 201
        refused = await writer.post("/v1/carts/holds", json=held(hold="h-2", uses={"stored_value": "all"}))
        assert (refused.status_code, refused.json()["facts"]) == (403, {"scope": "stored_value:write"})


def test_the_examples_in_the_document_are_what_the_models_say():
    for model in (CartQuoteTold, CartHoldTold, CartCommitTold, CartReleaseTold, QuoteShown):
        extra = model.model_config["json_schema_extra"]
        assert isinstance(extra, dict)
        for example in extra["examples"]:  # type: ignore[union-attr]  # a list, as written there
            if model is QuoteShown:
                adds_up(example)  # type: ignore[arg-type]  # an object, as written there
                assert set(example) == set(QuoteShown.model_fields)
            else:
                model.model_validate(example)


# -- Held -------------------------------------------------------------------------------------------------


async def test_a_held_cart_is_paid_as_promised_and_half_of_it_refunded(till: Door):
    await endow(till, points=40, cash=20_00)
    uses = {"coupons": ["TEN-OFF"], "points": {"points": 35}, "stored_value": 10_00}
    told = held(uses=uses, shipping=6_00)
    quoted = await quote(till, uses=uses, shipping=6_00)
    kept = await settled(await till.post("/v1/carts/holds", json=told))
    assert kept["hold"] == "h-1"
    assert kept["reserved"] == {
        "assets": {"points": 35, "cash": 1000},
        "coupons": [kept["quote"]["coupons"][0]["coupon"]],
    }
    assert kept["balances"] == {"points": 5, "cash": 10_00}
    assert kept["quote"]["payable"] == quoted["payable"]
    assert list(kept["quote"]) == list(quoted) == list(QuoteShown.model_fields)
    assert [line | {"off": [], "paid": []} for line in kept["quote"]["lines"]] == [
        line | {"off": [], "paid": []} for line in quoted["lines"]
    ]
    adds_up(kept["quote"])
    other = TEAHOUSE.replace("amount_off: 10", "amount_off: 1").replace("worth: 1", "worth: 2")
    async with till.shop.pool.connection() as connection:
        await publish_over(connection, other)
    paid = await settled(
        await till.post("/v1/carts/holds/h-1/commit", json={"member_id": "ann", "order_id": "o-1", "payment": "card"})
    )
    assert paid["money"] == quoted["payable"]
    assert paid["earned"] == quoted["earns"]
    assert (paid["order_id"], paid["hold"], paid["quote"]["version"]) == ("o-1", "h-1", 1)
    order = await settled(await till.get("/v1/orders/o-1"))
    assert [(part["asset"], part["units"], part["worth"]) for part in order["paid"]] == [
        ("points", 35, 35_00),
        ("cash", 1000, 10_00),
    ]
    half = await settled(await till.post("/v1/orders/o-1/refund", json={"lines": [{"line": 1, "quantity": 1}]}))
    rest = await settled(await till.post("/v1/orders/o-1/refund", json={}))
    assert half["money"] + rest["money"] == quoted["payable"]
    assert half["returned"]["points"] + rest["returned"]["points"] == 35
    assert half["returned"]["cash"] + rest["returned"]["cash"] == 10_00
    assert rest["balances"] == {"points": 40, "cash": 20_00}
    assert await coffee.Shop(till.shop.pool).findings() == []


async def test_of_parallel_holds_on_the_same_points_one_wins(till: Door):
    await endow(till, points=40)
    answers = await asyncio.gather(
        *(
            till.post(
                "/v1/carts/holds",
                json=held(hold=f"h-{number}", uses={"points": {"points": 25}}, order_id=f"o-{number}"),
            )
            for number in range(8)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[422] * 7]
    refused = next(answer.json() for answer in answers if answer.status_code == 422)
    assert (refused["code"], refused["facts"]) == ("insufficient", {"asset": "points", "asked": 25, "available": 15})


async def test_of_parallel_holds_on_the_last_coupon_one_wins_and_a_release_gives_it_back(till: Door):
    members = [f"m-{number}" for number in range(8)]
    answers = await asyncio.gather(
        *(till.post("/v1/carts/holds", json=held(member=member, uses={"coupons": ["TEN-OFF"]})) for member in members)
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[422] * 7]
    refused = next(answer.json() for answer in answers if answer.status_code == 422)
    assert (refused["code"], refused["facts"]["reason"]) == ("coupon_not_applicable", "coupon_limit")
    winner = next(answer.json()["member_id"] for answer in answers if answer.status_code == 201)
    loser = next(member for member in members if member != winner)
    assert (await quote(till, member=loser, uses={"coupons": ["TEN-OFF"]}))["skipped"][-1]["code"] == "coupon_limit"
    await settled(await till.post("/v1/carts/holds/h-1/release", json={"member_id": winner}))
    again = held(member=loser, uses={"coupons": ["TEN-OFF"]}, hold="h-2")
    assert (await till.post("/v1/carts/holds", json=again)).status_code == 201


async def test_of_parallel_holds_with_one_unique_code_one_wins_and_keeps_the_coupon(till: Door):
    async with till.shop.pool.connection() as connection:
        await connection.execute(
            "insert into code_batch (template, prefix, letters, size, made_at, note)"
            " values ('once', '', 8, 1, now(), '')"
        )
        await connection.execute("insert into code (code, batch, no) values ('ONLYONE', 1, 1)")
    assert (await quote(till, member="eve", uses={"coupons": ["onlyone"]}))["coupons"][0]["is_new"] is True
    members = [f"m-{number}" for number in range(8)]
    answers = await asyncio.gather(
        *(till.post("/v1/carts/holds", json=held(member=member, uses={"coupons": ["ONLYONE"]})) for member in members)
    )
    assert sorted(answer.status_code for answer in answers) == [201, *[422] * 7]
    assert {answer.json()["facts"]["reason"] for answer in answers if answer.status_code == 422} == {"code_used"}
    winner = next(answer.json()["member_id"] for answer in answers if answer.status_code == 201)
    await settled(await till.post("/v1/carts/holds/h-1/release", json={"member_id": winner}))
    (entry,) = (await quote(till, member=winner))["wallet"]
    assert (entry["template"], entry["saves"]) == ("once", 5_00)
    assert (await quote(till, member="eve", uses={"coupons": ["ONLYONE"]}))["skipped"][-1]["code"] == "code_used"


async def test_the_same_hold_told_twice_is_one_hold_and_one_answer(till: Door):
    await endow(till, points=40)
    told = {name: value for name, value in held(uses={"points": {"points": 25}}).items() if name != "hold"}
    answers = await asyncio.gather(
        *(till.post("/v1/carts/holds", json=told, headers={"Idempotency-Key": "k-1"}) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["hold"].startswith("hld_")
    other = await till.post("/v1/carts/holds", json=told | {"shipping": 1}, headers={"Idempotency-Key": "k-1"})
    assert other.json()["code"] == "idempotency_key_reused"
    assert len((await settled(await till.get("/v1/carts/holds", params={"member_id": "ann"})))["items"]) == 1


async def test_a_key_can_hold_one_cart_at_a_time(till: Door):
    await settled(await till.post("/v1/carts/holds", json=held()))
    refused = await till.post("/v1/carts/holds", json=held(order_id="o-2"))
    assert (refused.status_code, refused.json()["code"]) == (422, "hold_exists")


async def test_a_hold_lapses_by_the_clock_and_its_promise_with_it(till: Door):
    await endow(till, points=40)
    kept = await settled(await till.post("/v1/carts/holds", json=held(uses={"points": {"points": 25}}, minutes=10)))
    assert kept["balances"] == {"points": 15}
    member = await till.shop.settle(Activity(of.TIME_PASSED, "ann", now() + 10 * MINUTE, "clock", "tick"))
    assert member.status == "settled"
    late = await till.post("/v1/carts/holds/h-1/commit", json={"member_id": "ann", "order_id": "o-1"})
    assert (late.status_code, late.json()["code"]) == (404, "hold_unknown")
    assert (await settled(await till.get("/v1/carts/holds", params={"member_id": "ann"})))["items"] == []
    assert (await quote(till, uses={"points": {"points": "all"}}))["payments"][0]["units"] == 40


async def test_a_commit_happens_once(till: Door):
    await endow(till, points=40)
    await settled(await till.post("/v1/carts/holds", json=held(uses={"points": {"points": 25}})))
    paid = {"member_id": "ann", "order_id": "o-1"}
    path = "/v1/carts/holds/h-1/commit"
    first = await till.post(path, json=paid, headers={"Idempotency-Key": "pay-1"})
    again = await till.post(path, json=paid, headers={"Idempotency-Key": "pay-1"})
    assert (again.status_code, again.text) == (201, first.text)
    twice = await till.post(path, json=paid | {"order_id": "o-2"}, headers={"Idempotency-Key": "pay-2"})
    assert (twice.status_code, twice.json()["code"]) == (404, "hold_unknown")
    released = await till.post("/v1/carts/holds/h-1/release", json={"member_id": "ann"})
    assert (released.status_code, released.json()["code"]) == (404, "hold_unknown")
    assert (await till.get("/v1/orders/o-2")).status_code == 404


async def test_what_is_released_can_not_be_committed(till: Door):
    await endow(till, points=40)
    await settled(await till.post("/v1/carts/holds", json=held(uses={"points": {"points": 25}})))
    released = await settled(await till.post("/v1/carts/holds/h-1/release", json={"member_id": "ann"}))
    assert released["balances"] == {"points": 40}
    paid = await till.post("/v1/carts/holds/h-1/commit", json={"member_id": "ann", "order_id": "o-1"})
    assert (paid.status_code, paid.json()["code"]) == (404, "hold_unknown")


async def test_other_goods_than_were_held_are_refused_and_the_hold_stays(till: Door):
    await settled(await till.post("/v1/carts/holds", json=held()))
    path, paid = "/v1/carts/holds/h-1/commit", {"member_id": "ann", "order_id": "o-1"}
    for goods in ([{"sku": "tea", "quantity": 3}, {"sku": "cup"}], [{"sku": "tea", "quantity": 2}]):
        refused = await till.post(path, json=paid | {"goods": goods})
        assert (refused.status_code, refused.json()["code"]) == (422, "cart_changed")
    goods = [{"sku": line["sku"], "quantity": line.get("quantity", 1)} for line in LINES]
    assert (await till.post(path, json=paid | {"goods": goods})).status_code == 201


async def test_nobody_else_can_touch_a_hold(till: Door):
    await settled(await till.post("/v1/carts/holds", json=held()))
    for act, body in (("commit", {"member_id": "bob", "order_id": "o-1"}), ("release", {"member_id": "bob"})):
        answer = await till.post(f"/v1/carts/holds/h-1/{act}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (404, "hold_unknown")


async def test_value_held_without_a_cart_is_no_cart(till: Door):
    await endow(till, points=40)
    hold = {"member_id": "ann", "asset": "points", "amount": 10, "hold": "v-1"}
    await settled(await till.post("/v1/points/holds", json=hold))
    assert (await settled(await till.get("/v1/carts/holds", params={"member_id": "ann"})))["items"] == []
    answer = await till.post("/v1/carts/holds/v-1/commit", json={"member_id": "ann", "order_id": "o-1"})
    assert (answer.status_code, answer.json()["code"]) == (422, "hold_not_of_cart")


REFUSED: list[tuple[dict[str, Any], str, str | None]] = [
    ({"coupons": ["nothing"]}, "coupon_not_applicable", "coupon_unknown"),
    ({"coupons": ["TEN-OFF", "ten-off"]}, "coupon_not_applicable", "coupon_twice"),
    ({"points": {"points": 41}}, "insufficient", None),
    ({"points": {"shells": 1}}, "points_not_applicable", "asset_unknown"),
    ({"stored_value": 20_01}, "insufficient", None),
]


@pytest.mark.parametrize(("uses", "code", "reason"), REFUSED)
async def test_a_cart_that_cannot_have_what_it_asks_for_is_not_held(
    till: Door, uses: dict[str, Any], code: str, reason: str | None
):
    await endow(till, points=40, cash=20_00)
    refused = await till.post("/v1/carts/holds", json=held(uses=uses))
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert refused.json()["facts"].get("reason") == reason
    assert (await settled(await till.get("/v1/carts/holds", params={"member_id": "ann"})))["items"] == []


async def test_a_members_holds_come_in_pages(till: Door):
    for number in range(3):
        await settled(await till.post("/v1/carts/holds", json=held(hold=f"h-{number}", order_id=f"o-{number}")))
    first = await settled(await till.get("/v1/carts/holds", params={"member_id": "ann", "limit": 2}))
    assert [item["hold"] for item in first["items"]] == ["h-0", "h-1"]
    more = {"member_id": "ann", "limit": 2, "cursor": first["next"]}
    rest = await settled(await till.get("/v1/carts/holds", params=more))
    assert ([item["hold"] for item in rest["items"]], rest["next"]) == (["h-2"], None)
    assert rest["items"][0]["quote"]["payable"] == 129_16
    nobody = await settled(await till.get("/v1/carts/holds", params={"member_id": "nobody"}))
    assert nobody == {"items": [], "next": None}
