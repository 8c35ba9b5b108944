"""Members over HTTP: enrolled once, found by whatever they are called, changed, erased."""

import asyncio

import pytest

from tests.shop import Shop
from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

ANN = {
    "member_id": "ann",
    "joined_at": "2026-05-01T12:00:00+08:00",
    "identities": {"phone": "0912-345-678", "email": "Ann.L@EXAMPLE.com", "wechat_openid:wx1": "oX:1"},
    "traits": {"birthday": "1990-02-28", "shoe": 38},
    "tags": ["staff", "new"],
}
SHOWN = {
    "member_id": "ann",
    "status": "active",
    "merged_into": None,
    "joined_at": "2026-05-01T04:00:00Z",
    "identities": {"phone": "+886912345678", "email": "Ann.L@example.com", "wechat_openid:wx1": "oX:1"},
    "traits": {"birthday": "1990-02-28", "shoe": 38},
    "tags": ["staff", "new"],
    "tiers": {},
    "balances": {},
    "due_at": None,
}


async def test_a_member_is_enrolled_and_shown(door: Door):
    joined = await door.post("/v1/members", json=ANN)
    assert joined.status_code == 201, joined.text
    assert joined.json()["member_id"] == "ann"
    assert (await door.get("/v1/members/ann")).json() == SHOWN


async def test_without_an_id_one_is_made_and_a_repeat_gets_the_same(door: Door):
    told = {"identities": {"phone": "0912345678"}}
    answers = await asyncio.gather(
        *(door.post("/v1/members", json=told, headers={"Idempotency-Key": "k"}) for _ in range(10))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    member_id = answers[0].json()["member_id"]
    assert member_id.startswith("mbr_")
    assert [item["member_id"] for item in (await door.get("/v1/members")).json()["items"]] == [member_id]
    assert (await door.post("/v1/members", json={})).json()["member_id"] != member_id


@pytest.mark.parametrize(
    "query",
    [
        {"phone": "0912345678"},
        {"phone": "+886 912 345 678"},
        {"identity": "phone:+886912345678"},
        {"identity": "phone:0912-345-678"},
        {"email": "Ann.L@example.com"},
        {"identity": "email:Ann.L@EXAMPLE.COM"},
        {"identity": "wechat_openid:wx1:oX:1"},
        {"phone": "0912345678", "tag": "staff", "status": "active"},
    ],
)
async def test_a_member_is_found_by_whatever_she_is_called(door: Door, query: dict):
    await door.post("/v1/members", json=ANN)
    page = (await door.get("/v1/members", params=query)).json()
    assert page == {"items": [SHOWN], "next": None}


@pytest.mark.parametrize(
    "query",
    [
        {"phone": "0922345678"},
        {"identity": "card:+886912345678"},
        {"phone": "0912345678", "tag": "gold"},
        {"status": "erased"},
        {"tag": "sta"},
        {"joined_from": "2026-05-02T00:00:00Z"},
        {"joined_until": "2026-05-01T04:00:00Z"},
        {"ladder": "club", "tier": "gold"},
    ],
)
async def test_nobody_is_found_by_what_she_is_not(door: Door, query: dict):
    await door.post("/v1/members", json=ANN)
    found = await door.get("/v1/members", params=query)
    assert (found.status_code, found.json()) == (200, {"items": [], "next": None})


@pytest.mark.parametrize(
    ("query", "pointer", "code"),
    [
        ({"phone": "null"}, "?phone", "identity_placeholder"),
        ({"phone": "12"}, "?phone", "not_a_phone"),
        ({"email": "ann@"}, "?email", "not_an_email"),
        ({"identity": "phone"}, "?identity", "string_pattern_mismatch"),
        ({"identity": "shopify:[object Object]"}, "?identity", "identity_placeholder"),
        ({"phone": "0912345678", "email": "ann@example.com"}, "?email", "one_identity"),
        ({"tier": "gold"}, "?ladder", "missing"),
        ({"cursor": "abc"}, "?cursor", "cursor_invalid"),
        ({"cursor": "kwECAw"}, "?cursor", "cursor_invalid"),
        ({"limit": "0"}, "?limit", "greater_than_equal"),
        ({"color": "red"}, "?color", "extra_forbidden"),
        ({"joined_from": "yesterday"}, "?joined_from", "value_error"),
    ],
)
async def test_a_question_nobody_can_answer_says_what_is_wrong(door: Door, query: dict, pointer: str, code: str):
    answer = await door.get("/v1/members", params=query)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == (pointer, code)


@pytest.mark.parametrize("limit", [1, 3, 200])
async def test_all_members_come_in_pages_each_once(door: Door, limit: int):
    names = [f"m-{number}" for number in range(8)]
    for name in names:
        await door.post("/v1/members", json={"member_id": name})
    found, query = [], {"limit": limit}
    while True:
        page = (await door.get("/v1/members", params=query)).json()
        found += [item["member_id"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert sorted(found) == names


async def test_an_identity_that_another_has_is_refused_in_the_callers_language_and_makes_nobody(door: Door):
    await door.post("/v1/members", json=ANN)
    told = {"member_id": "bob", "identities": {"phone": "+886912345678"}}
    refused = await door.post("/v1/members", json=told, headers={"Accept-Language": "zh-TW"})
    assert refused.status_code == 422
    assert (refused.json()["code"], refused.json()["facts"]) == ("identity_taken", {"kind": "phone"})
    assert refused.json()["detail"] == "這個識別資料已屬於另一位會員：phone。"
    assert (await door.get("/v1/members/bob")).status_code == 404
    assert len((await door.get("/v1/members")).json()["items"]) == 1


async def test_of_many_who_enrol_with_one_phone_at_once_one_does(door: Door):
    answers = await asyncio.gather(
        *(door.post("/v1/members", json={"identities": {"phone": "0912345678"}}) for _ in range(20))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 19
    assert {answer.json()["code"] for answer in answers if answer.status_code == 422} == {"identity_taken"}
    assert len((await door.get("/v1/members", params={"phone": "0912345678"})).json()["items"]) == 1
    assert await Shop(door.shop.pool).findings() == []


BAD = [
    ({"identities": {"phone": "null"}}, "/identities/phone", "identity_placeholder"),
    ({"identities": {"phone": "123"}}, "/identities/phone", "not_a_phone"),
    ({"identities": {"email": "a@b"}}, "/identities/email", "not_an_email"),
    ({"identities": {"line": "anonymous"}}, "/identities/line", "identity_placeholder"),
    ({"identities": {"Phone": "0912345678"}}, "/identities/Phone/[key]", "string_pattern_mismatch"),
    ({"identities": {"phone": 912345678}}, "/identities/phone", "string_type"),
    ({"identities": {"phone": None}}, "/identities/phone", "string_type"),
    ({"traits": {"a": "x" * 20_000}}, "/traits", "value_error"),
    ({"traits": {"": 1}}, "/traits", "value_error"),
    ({"traits": {"a": 2**53}}, "/traits", "value_error"),
    ({"tags": [""]}, "/tags/0", "string_too_short"),
    ({"tags": [1]}, "/tags/0", "string_type"),
    ({"member_id": "a\x00"}, "/member_id", "value_error"),
    ({"member_id": "ann\u200b"}, "/member_id", "unseen_character"),
    ({"member_id": "\u0958" * 101}, "/member_id", "value_error"),
    ({"identities": {"line": "a\ufeff"}}, "/identities/line", "unseen_character"),
    ({"status": "gold"}, "/status", "extra_forbidden"),
]


@pytest.mark.parametrize(("wrong", "pointer", "code"), BAD)
async def test_bad_input_is_told_where_and_why_and_enrols_nobody(door: Door, wrong: dict, pointer: str, code: str):
    answer = await door.post("/v1/members", json={"member_id": "x"} | wrong)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == (pointer, code)
    assert (await door.get("/v1/members")).json()["items"] == []


async def test_a_member_is_one_however_her_id_is_written(door: Door):
    joined = await door.post("/v1/members", json={"member_id": "Jose\u0301/1"})
    assert joined.json()["member_id"] == "Jos\xe9/1"
    for written in ("Jose%CC%81%2F1", "Jos%C3%A9%2F1"):
        assert (await door.get(f"/v1/members/{written}")).json()["member_id"] == "Jos\xe9/1"
        order = {"order_id": f"No\u0308 {written}", "member_id": "Jose\u0301/1", "lines": [{"amount": 100}]}
        assert (await door.post("/v1/orders", json=order)).json()["member_id"] == "Jos\xe9/1"
        assert (await door.get(f"/v1/orders/N\xf6 {written.replace('%', '%25')}")).status_code == 200
    assert len((await door.get("/v1/members")).json()["items"]) == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Characters that nobody sees are not allowed: U+200B."),
        ("zh-TW", "不可含有看不見的字元：U+200B。"),
        ("zh-CN", "不可含有看不见的字符：U+200B。"),
    ],
)
async def test_what_nobody_sees_is_said_by_its_number(door: Door, language: str, said: str):
    answer = await door.get("/v1/members/ann%E2%80%8B", headers={"Accept-Language": language})
    [error] = answer.json()["errors"]
    assert (answer.status_code, error) == (
        400,
        {"pointer": "path:member_id", "code": "unseen_character", "detail": said},
    )


async def test_a_change_sets_what_it_names_and_leaves_the_rest(door: Door):
    await door.post("/v1/members", json=ANN)
    change = {
        "identities": {"phone": "0922345678", "email": None, "card": "12 34"},
        "traits": {"shoe": None, "hat": "S"},
        "tags": ["vip", "staff"],
        "untags": ["new"],
    }
    changed = await door.patch("/v1/members/ann", json=change)
    assert changed.status_code == 200, changed.text
    shown = (await door.get("/v1/members/ann")).json()
    assert shown["identities"] == {"phone": "+886922345678", "card": "1234", "wechat_openid:wx1": "oX:1"}
    assert shown["traits"] == {"birthday": "1990-02-28", "hat": "S"}
    assert shown["tags"] == ["staff", "vip"]
    assert (await door.get("/v1/members", params={"phone": "0912345678"})).json()["items"] == []


async def test_a_change_that_is_refused_changes_nothing(door: Door):
    await door.post("/v1/members", json=ANN)
    await door.post("/v1/members", json={"member_id": "bob", "identities": {"card": "7"}})
    refused = await door.patch("/v1/members/ann", json={"identities": {"card": "7"}, "tags": ["vip"]})
    assert (refused.status_code, refused.json()["code"]) == (422, "identity_taken")
    assert (await door.get("/v1/members/ann")).json() == SHOWN


async def test_somebody_nobody_knows_is_not_found(door: Door):
    for answer in (
        await door.get("/v1/members/nobody"),
        await door.patch("/v1/members/nobody", json={}),
        await door.post("/v1/members/nobody/erase", json={}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "member_unknown")
    assert (await door.get("/v1/members")).json()["items"] == []


async def test_enrolled_twice_is_refused(door: Door):
    await door.post("/v1/members", json=ANN)
    again = await door.post("/v1/members", json={"member_id": "ann"})
    assert (again.status_code, again.json()["code"]) == (422, "already_joined")
    assert again.json()["facts"] == {"joined_at": "2026-05-01T04:00:00Z"}


async def test_what_is_past_its_date_is_not_shown_whether_or_not_the_clock_came_by(door: Door):
    told = {"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 1200}], "occurred_at": "2020-01-01T00:00:00Z"}
    assert (await door.post("/v1/orders", json=told)).json()["balances"] == {"points": 12}
    assert (await door.get("/v1/members/ann")).json()["balances"] == {"points": 0}
    assert (await door.get("/v1/members")).json()["items"][0]["balances"] == {"points": 0}


# -- Erased -----------------------------------------------------------------------------------------------


async def test_an_erased_member_is_nobody_and_her_books_are_empty_and_proved(serve):
    async with serve(PROGRAM) as door:
        await door.post("/v1/members", json=ANN)
        await door.post("/v1/orders", json={"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 40000}]})
        await door.post("/v1/stored-value/top-ups", json={"member_id": "ann", "top_up": "t-1", "amount": 10000})
        left = await door.post("/v1/members/ann/erase", json={})
        assert (left.status_code, left.json()["code"]) == (422, "value_left")
        assert left.json()["facts"] == {"asset": "cash", "amount": 10000}
        headers = {"Idempotency-Key": "erase-ann"}
        erased = await door.post("/v1/members/ann/erase", json={"stored_value": "paid_out"}, headers=headers)
        assert erased.status_code == 200, erased.text
        body = erased.json()
        assert (body["forfeited"], body["paid_out"]) == ({"points": 400, "bonus": 2000}, {"cash": 10000})
        assert (body["balances"], body["tiers"]) == ({}, {})
        again = await door.post("/v1/members/ann/erase", json={"stored_value": "paid_out"}, headers=headers)
        assert (again.text, again.headers["Idempotent-Replayed"]) == (erased.text, "true")
        shown = (await door.get("/v1/members/ann")).json()
        assert (shown["status"], shown["identities"], shown["traits"], shown["tags"]) == ("erased", {}, {}, [])
        later = await door.post("/v1/orders", json={"order_id": "o-2", "member_id": "ann", "lines": [{"amount": 1}]})
        assert (later.status_code, later.json()["code"]) == (422, "member_erased")
        assert (await door.post("/v1/members", json={**ANN, "member_id": "ann2"})).status_code == 201
        assert await Shop(door.shop.pool).findings() == []


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/v1/members", "members:write"),
        ("GET", "/v1/members", "members:read"),
        ("GET", "/v1/members/ann", "members:read"),
        ("PATCH", "/v1/members/ann", "members:write"),
        ("POST", "/v1/members/ann/erase", "members:write"),
    ],
)
async def test_each_route_names_the_scope_it_takes(door: Door, method: str, path: str, scope: str):
    async with door.other(await door.secret("orders:read")) as stranger:
        answer = await stranger.request(method, path, json={} if method != "GET" else None)
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
        assert answer.json()["facts"] == {"scope": scope}
