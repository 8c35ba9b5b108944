"""Coupons over HTTP: issued, claimed, asked about, redeemed, given, voided; codes by the batch."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.shop import COFFEE
from tests.web.conftest import Door, serving

pytestmark = pytest.mark.database

SHOP = (
    COFFEE
    + """
coupons:
  - {id: ten, title: {en: Ten off, zh-Hant: 折十元}, give: {amount_off: 10}, minimum_spend: 50, claimable: true,
     transferable: true, valid: {lasts: 30 days}, limits: {per_member: 3, total: 5, redeemed_total: 2}}
  - {id: cash, give: {voucher: 30}, codes: unique, transferable: true}
  - {id: hello, give: {percent: 10}, codes: shared, code: Hello, limits: {per_member: 1}, channels: [web]}
"""
)


@pytest.fixture
async def door(books_url: str, tenant: str) -> AsyncIterator[Door]:
    async with serving(books_url, tenant, program=SHOP) as opened:
        yield opened


async def issued(door: Door, member: str = "ann", template: str = "ten", **more: Any) -> list[str]:
    """Ids of fresh coupons."""
    answer = await door.post("/v1/coupons", json={"member_id": member, "template": template, **more})
    assert answer.status_code == 201, answer.text
    return [coupon["coupon"] for coupon in answer.json()["coupons"]]


async def made(door: Door, size: int = 3, **more: Any) -> tuple[str, list[str]]:
    """A fresh batch and its codes."""
    answer = await door.post("/v1/coupons/batches", json={"template": "cash", "size": size, **more})
    assert answer.status_code == 201, answer.text
    batch = answer.json()["batch"]
    page = (await door.get(f"/v1/coupons/batches/{batch}/codes", params={"limit": 1000})).json()
    return batch, [code["code"] for code in page["items"]]


async def valid(door: Door, coupon: str, member: str = "ann", **more: Any) -> dict[str, Any]:
    question = {"member_id": member, "coupon": coupon, **more}
    answer = await door.post("/v1/coupons/validate", json=question, headers={"Idempotency-Key": None})
    assert answer.status_code == 200, answer.text
    return answer.json()


# -- Issued and claimed -----------------------------------------------------------------------------------


async def test_coupons_are_issued_with_their_dates_and_a_repeat_is_the_same_answer(door: Door):
    body = {"member_id": "ann", "template": "ten", "quantity": 2, "reason": "Sorry"}
    told = body | {"occurred_at": "2026-05-01T12:00:00+08:00"}
    first = await door.post("/v1/coupons", json=told, headers={"Idempotency-Key": "k"})
    again = await door.post("/v1/coupons", json=told, headers={"Idempotency-Key": "k"})
    assert (first.status_code, again.status_code, again.text) == (201, 201, first.text)
    answer = first.json()
    assert len({coupon["coupon"] for coupon in answer["coupons"]}) == 2
    assert {coupon["code"] for coupon in answer["coupons"]} == {None}
    assert (answer["template"], answer["valid_from"], answer["valid_until"], answer["value"]) == (
        "ten",
        "2026-04-30T16:00:00Z",
        "2026-05-31T16:00:00Z",
        0,
    )


async def test_codes_of_elsewhere_come_with_their_coupons_and_open_nothing_for_others(door: Door):
    answer = await door.post(
        "/v1/coupons", json={"member_id": "ann", "template": "cash", "quantity": 2, "codes": [" x-1"]}
    )
    assert [coupon["code"] for coupon in answer.json()["coupons"]] == ["X-1", None]
    assert answer.json()["value"] == 3000
    other = await door.post("/v1/coupons", json={"member_id": "bob", "template": "cash", "codes": ["X-1"]})
    assert (other.status_code, other.json()["code"]) == (422, "code_used")
    known = (await door.get("/v1/coupons/by-code/x-1")).json()
    assert (known["kind"], known["state"], known["coupon"]["member_id"]) == ("elsewhere", "taken", "ann")


async def test_a_member_takes_one_of_the_claim_centre_until_a_limit_says_no(door: Door):
    claim = {"member_id": "ann", "template": "ten"}
    for _ in range(3):
        assert (await door.post("/v1/coupons/claim", json=claim)).status_code == 201
    refused = (await door.post("/v1/coupons/claim", json=claim, headers={"Accept-Language": "zh-TW"})).json()
    assert (refused["code"], refused["facts"]["limit"], refused["facts"]["left"]) == ("coupon_limit", "per_member", 0)
    assert "折十元" in refused["detail"]
    refused = (await door.post("/v1/coupons/claim", json={"member_id": "ann", "template": "cash"})).json()
    assert refused["code"] == "coupon_not_claimable"


async def test_of_all_who_ask_for_one_code_at_once_one_gets_it(door: Door):
    _, (code,) = await made(door, 1)
    answers = await asyncio.gather(
        *(door.post("/v1/coupons/claim", json={"member_id": f"m{n}", "code": code}) for n in range(100))
    )
    assert Counter((answer.status_code, answer.json().get("code")) for answer in answers) == {
        (201, None): 1,
        (422, "code_used"): 99,
    }
    (winner,) = [answer.json()["member_id"] for answer in answers if answer.status_code == 201]
    known = (await door.get(f"/v1/coupons/by-code/{code}")).json()
    assert (known["state"], known["coupon"]["member_id"]) == ("taken", winner)


async def test_a_code_nobody_made_is_unknown_and_a_shared_one_opens_for_everybody(door: Door):
    unknown = await door.post("/v1/coupons/claim", json={"member_id": "ann", "code": "NOPE"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "code_unknown")
    for member in ("ann", "bob"):
        opened = await door.post("/v1/coupons/claim", json={"member_id": member, "code": "hello "})
        assert opened.json()["template"] == "hello"


# -- Asked ------------------------------------------------------------------------------------------------


async def test_asking_changes_nothing_and_says_what_would_be_refused_and_why(door: Door):
    (coupon,) = await issued(door)
    answer = await valid(door, coupon)
    assert (answer["valid"], answer["code"], answer["saves"]) == (True, None, None)
    (listed,) = (await door.get("/v1/members/ann/coupons")).json()["items"]
    assert answer["coupon"] == {name: listed[name] for name in answer["coupon"]}
    answer = await valid(door, coupon, cart={"lines": [{"amount": 4_000}]})
    assert (answer["valid"], answer["code"], answer["facts"], answer["saves"]) == (
        False,
        "minimum_spend",
        {"needs": 1_000},
        0,
    )
    assert answer["detail"] == f"Coupon {coupon} does not apply here. It needs a higher amount: 10.00 more."
    assert (await valid(door, coupon, cart={"lines": [{"amount": 6_000}]}))["saves"] == 1_000
    assert (await valid(door, coupon, "bob"))["code"] == "coupon_unknown"
    await door.post("/v1/coupons/redeem", json={"member_id": "ann", "coupon": coupon})
    assert (await valid(door, coupon))["code"] == "coupon_unknown"


async def test_a_code_is_asked_about_before_anybody_has_it(door: Door):
    _, (code, other) = await made(door, 2)
    answer = await valid(door, code.lower(), "nobody-yet", cart={"lines": [{"amount": 2_000}]})
    assert (answer["valid"], answer["saves"]) == (True, 2_000)
    assert (answer["coupon"]["coupon"], answer["coupon"]["code"], answer["coupon"]["value"]) == (None, code, 3_000)
    assert (await door.get("/v1/members/nobody-yet/coupons")).status_code == 404
    await door.post("/v1/coupons/claim", json={"member_id": "bob", "code": other})
    assert (await valid(door, other))["code"] == "code_used"
    assert (await valid(door, "hello", channel="app"))["facts"] == {"channels": ["web"]}


async def test_nobody_learns_without_the_scope_whether_a_code_exists(door: Door):
    _, (code,) = await made(door, 1)
    secret = await door.secret("coupons:write", "carts:write", "members:read")
    async with door.other(secret) as till:
        said = []
        for asked in (code, "NOPE"):
            question = await till.post("/v1/coupons/validate", json={"member_id": "ann", "coupon": asked})
            lookup = await till.get(f"/v1/coupons/by-code/{asked}")
            assert (question.status_code, lookup.status_code) == (403, 403)
            said.append([{**answer.json(), "instance": ""} for answer in (question, lookup)])
        assert said[0] == said[1]
        assert said[0][0]["facts"] == {"scope": "coupons:read"}


# -- Redeemed, given, voided ------------------------------------------------------------------------------


async def test_a_cash_voucher_is_redeemed_in_parts_straight_from_its_code(door: Door):
    _, (code,) = await made(door, 1)
    till = {"member_id": "ann", "coupon": code}
    first = (await door.post("/v1/coupons/redeem", json=till | {"amount": 1_200, "order_id": "o-1"})).json()
    assert (first["value"], first["left"], first["code"], first["template"]) == (1_200, 1_800, code, "cash")
    above = await door.post("/v1/coupons/redeem", json=till | {"amount": 1_801})
    assert (above.status_code, above.json()["code"]) == (422, "coupon_not_applicable")
    assert above.json()["facts"] == {
        "coupon": first["coupon"],
        "reason": "value_exceeded",
        "asked": 1_801,
        "available": 1_800,
    }
    listed = (await door.get("/v1/members/ann/coupons")).json()["items"]
    assert [(coupon["state"], coupon["value"], coupon["order_id"]) for coupon in listed] == [("issued", 1_800, "o-1")]
    rest = (await door.post("/v1/coupons/redeem", json=till)).json()
    assert (rest["value"], rest["left"]) == (1_800, 0)
    assert (await door.post("/v1/coupons/redeem", json=till)).json()["code"] == "code_used"


async def test_redeeming_stops_at_the_total_for_all_members(door: Door):
    coupons = [(member, (await issued(door, member))[0]) for member in ("ann", "bob", "cy")]
    answers = await asyncio.gather(
        *(door.post("/v1/coupons/redeem", json={"member_id": who, "coupon": what}) for who, what in coupons)
    )
    assert sorted(answer.status_code for answer in answers) == [200, 200, 422]
    left = {one["template"]: one["left"] for one in (await door.get("/v1/coupons/templates")).json()["items"]}
    assert left["ten"] == {"issued": 2, "issued_today": None, "redeemed": 0}
    assert left["cash"] == {"issued": None, "issued_today": None, "redeemed": None}


async def test_a_coupon_given_away_is_the_friends_with_its_code(door: Door):
    _, (code,) = await made(door, 1)
    await door.post("/v1/coupons/claim", json={"member_id": "ann", "code": code})
    gift = {"member_id": "ann", "coupon": code, "to_member_id": "bob"}
    nobody = await door.post("/v1/coupons/give", json=gift)
    assert (nobody.status_code, nobody.json()["code"]) == (422, "receiver_unknown")
    await issued(door, "bob")
    given = await door.post("/v1/coupons/give", json=gift)
    assert (given.status_code, given.json()["to_member_id"], given.json()["code"]) == (200, "bob", code)
    known = (await door.get(f"/v1/coupons/by-code/{code}")).json()
    assert (known["coupon"]["member_id"], known["coupon"]["state"]) == ("bob", "issued")
    states = [coupon["state"] for coupon in (await door.get("/v1/members/ann/coupons")).json()["items"]]
    assert states == ["given"]
    assert (await door.post("/v1/coupons/give", json=gift)).json()["code"] == "coupon_unknown"


async def test_a_coupon_is_voided_with_a_reason_and_its_code_stays_used(door: Door):
    _, (code,) = await made(door, 1)
    await door.post("/v1/coupons/claim", json={"member_id": "ann", "code": code})
    void = {"member_id": "ann", "coupon": code, "reason": "Printed by mistake"}
    assert (await door.post("/v1/coupons/void", json=void | {"reason": ""})).status_code == 400
    voided = await door.post("/v1/coupons/void", json=void)
    assert (voided.status_code, voided.json()["code"]) == (200, code)
    assert (await door.get("/v1/members/ann/coupons", params={"state": "voided"})).json()["items"][0]["code"] == code
    assert (await valid(door, code, "bob"))["code"] == "code_used"


# -- Listed -----------------------------------------------------------------------------------------------


async def test_a_members_coupons_are_listed_by_page_and_state_the_latest_first(door: Door):
    when = "2026-0{}-01T12:00:00Z"
    for month in (1, 2, 3):
        await door.post(
            "/v1/coupons", json={"member_id": "ann", "template": "hello", "occurred_at": when.format(month)}
        )
    for month in (1, 2, 3):
        told = {"member_id": "ann", "template": "cash", "quantity": 3, "occurred_at": when.format(month)}
        await door.post("/v1/coupons", json=told)
    await door.post("/v1/coupons", json={"member_id": "ann", "template": "ten", "occurred_at": when.format(1)})
    seen: list[dict] = []
    cursor = None
    while True:
        page = await door.get("/v1/members/ann/coupons", params={"limit": 4} | ({"cursor": cursor} if cursor else {}))
        assert page.status_code == 200, page.text
        seen += page.json()["items"]
        cursor = page.json()["next"]
        if cursor is None:
            break
    assert len({coupon["coupon"] for coupon in seen}) == len(seen) == 11
    assert [coupon["issued_at"] for coupon in seen] == sorted((one["issued_at"] for one in seen), reverse=True)
    expired = (await door.get("/v1/members/ann/coupons", params={"state": "expired"})).json()["items"]
    assert [(coupon["template"], coupon["title"]) for coupon in expired] == [("ten", "Ten off")]
    for wrong in ({"cursor": "x"}, {"state": "lost"}, {"limit": 0}):
        assert (await door.get("/v1/members/ann/coupons", params=wrong)).status_code == 400


async def test_templates_say_what_they_are_and_what_is_left(door: Door):
    page = (await door.get("/v1/coupons/templates", params={"limit": 2}, headers={"Accept-Language": "zh-TW"})).json()
    assert [one["template"] for one in page["items"]] == ["cash", "hello"]
    rest = (await door.get("/v1/coupons/templates", params={"cursor": page["next"]})).json()
    (ten,) = rest["items"]
    assert rest["next"] is None
    assert (ten["title"], ten["give"], ten["minimum_spend"], ten["limits"]["per_member"]) == (
        "Ten off",
        {"amount_off": "10"},
        5_000,
        3,
    )
    claimable = (await door.get("/v1/coupons/templates", params={"claimable": True})).json()["items"]
    assert [one["template"] for one in claimable] == ["ten"]


# -- Batches ----------------------------------------------------------------------------------------------


async def test_a_batch_is_made_once_read_as_csv_counted_and_voided(door: Door):
    asked = {"template": "cash", "size": 45_000, "prefix": "MAY-", "note": "Flyer"}
    first, again = [
        await door.post("/v1/coupons/batches", json=asked, headers={"Idempotency-Key": "b"}) for _ in range(2)
    ]
    assert (first.status_code, again.status_code, again.text) == (201, 201, first.text)
    batch = first.json()
    assert (batch["size"], batch["prefix"], batch["voided_at"]) == (45_000, "MAY-", None)
    url = f"/v1/coupons/batches/{batch['batch']}"
    file = await door.get(f"{url}/codes", params={"format": "csv"})
    assert file.headers["content-type"].startswith("text/csv")
    assert batch["batch"] in file.headers["content-disposition"]
    head, *lines = file.text.split("\r\n")
    assert (head, lines.pop()) == ("code,state", "")
    codes = [line.removesuffix(",free") for line in lines]
    assert len(set(codes)) == 45_000
    assert {len(code) for code in codes} == {4 + batch["letters"]}
    await door.post("/v1/coupons/claim", json={"member_id": "ann", "code": codes[0]})
    await door.post("/v1/coupons/redeem", json={"member_id": "bob", "coupon": codes[1]})
    counted = (await door.get(url)).json()
    assert [counted[name] for name in ("free", "taken", "void", "redeemed")] == [44_998, 2, 0, 1]
    voided = await door.post(f"{url}/void", json={})
    assert [voided.json()[name] for name in ("free", "taken", "void", "redeemed")] == [0, 2, 44_998, 1]
    assert (await door.post(f"{url}/void", json={})).json()["voided_at"] == voided.json()["voided_at"]
    refused = await door.post("/v1/coupons/claim", json={"member_id": "cy", "code": codes[2]})
    assert (refused.status_code, refused.json()["code"]) == (422, "code_void")
    assert (await door.get(f"/v1/coupons/by-code/{codes[2]}")).json()["state"] == "void"
    file = await door.get(f"{url}/codes", params={"format": "csv"})
    assert file.text.split("\r\n")[1:4] == [f"{codes[0]},taken", f"{codes[1]},taken", f"{codes[2]},void"]


async def test_batches_and_their_codes_are_listed_by_page(door: Door):
    batches = [await made(door, size) for size in (1, 2, 5)]
    page = (await door.get("/v1/coupons/batches", params={"limit": 2})).json()
    assert [batch["batch"] for batch in page["items"]] == [batches[2][0], batches[1][0]]
    rest = (await door.get("/v1/coupons/batches", params={"cursor": page["next"]})).json()
    assert ([batch["batch"] for batch in rest["items"]], rest["next"]) == ([batches[0][0]], None)
    assert (await door.get("/v1/coupons/batches", params={"template": "ten"})).json()["items"] == []
    batch, codes = batches[2]
    await door.post("/v1/coupons/claim", json={"member_id": "ann", "code": codes[4]})
    page = (await door.get(f"/v1/coupons/batches/{batch}/codes", params={"limit": 3})).json()
    assert [code["code"] for code in page["items"]] == codes[:3]
    rest = (await door.get(f"/v1/coupons/batches/{batch}/codes", params={"cursor": page["next"]})).json()
    assert [(code["code"], code["state"], code["member_id"]) for code in rest["items"]] == [
        (codes[3], "free", None),
        (codes[4], "taken", "ann"),
    ]
    assert rest["next"] is None


WRONG = [
    ({"template": "ten", "size": 1}, 422, "codes_not_unique"),
    ({"template": "none", "size": 1}, 422, "coupon_unknown"),
    ({"template": "cash", "size": 0}, 400, "invalid_request"),
    ({"template": "cash", "size": 1_000_001}, 400, "invalid_request"),
    ({"template": "cash", "size": 1, "prefix": "may"}, 400, "invalid_request"),
    ({"template": "cash", "size": 1, "prefix": "=A"}, 400, "invalid_request"),
    ({"template": "cash", "size": 1, "prefix": "A" * 17}, 400, "invalid_request"),
]


@pytest.mark.parametrize(("asked", "status", "code"), WRONG)
async def test_what_is_no_batch_is_refused_and_nothing_is_made(door: Door, asked: dict, status: int, code: str):
    answer = await door.post("/v1/coupons/batches", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await door.get("/v1/coupons/batches")).json()["items"] == []


async def test_a_batch_nobody_made_is_not_found(door: Door):
    for answer in (
        await door.get("/v1/coupons/batches/cbt_9"),
        await door.get("/v1/coupons/batches/cbt_9/codes"),
        await door.get("/v1/coupons/batches/cbt_9/codes", params={"format": "csv"}),
        await door.post("/v1/coupons/batches/cbt_9/void", json={}),
        await door.get("/v1/coupons/by-code/NOPE"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


BAD = [
    ("/v1/coupons", {"member_id": "ann", "template": "cash", "codes": ["A", "B"]}),
    ("/v1/coupons", {"member_id": "ann", "template": "cash", "codes": [""]}),
    ("/v1/coupons", {"member_id": "ann", "template": "cash", "quantity": 1_001}),
    ("/v1/coupons", {"member_id": "ann", "template": "Cash"}),
    ("/v1/coupons/claim", {"member_id": "ann"}),
    ("/v1/coupons/claim", {"member_id": "ann", "template": "ten", "code": "X"}),
    ("/v1/coupons/claim", {"member_id": "ann", "code": "a\x00b"}),
    ("/v1/coupons/claim", {"member_id": "ann", "code": "a" * 201}),
    ("/v1/coupons/redeem", {"member_id": "ann", "coupon": "X", "amount": 0}),
    ("/v1/coupons/redeem", {"member_id": "ann", "coupon": "X", "amount": "12"}),
    ("/v1/coupons/validate", {"member_id": "ann", "coupon": "X", "store": "s", "cart": {"lines": [{"amount": 1}]}}),
    ("/v1/coupons/validate", {"member_id": "ann", "coupon": "X", "cart": {"lines": []}}),
]


@pytest.mark.parametrize(("url", "body"), BAD)
async def test_bad_input_is_refused(door: Door, url: str, body: dict):
    answer = await door.post(url, json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
