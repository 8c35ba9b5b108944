"""What a member is called elsewhere, over HTTP: several of a kind, and which of it was shown to be hers."""

import asyncio
import re
from pathlib import Path

import pytest

import shuke
from shuke.web.api.identified_sentences import IDENTIFIED
from tests.shop import Shop
from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

PHONE = "+886912345678"


async def test_a_member_signs_up_with_a_phone_that_was_shown_to_be_hers(door: Door):
    told = {"member_id": "ann", "identities": {"phone": "0912-345-678", "email": "a@x.org"}, "verified": ["phone"]}
    assert (await door.post("/v1/members", json=told)).status_code == 201
    phone, email = (await door.get("/v1/members/ann/identities")).json()["items"]
    assert (phone["kind"], phone["value"], phone["verified"], phone["verified_by"]) == (
        "phone",
        PHONE,
        True,
        "api:test",
    )
    assert phone["verified_at"] is not None
    assert (email["verified"], email["verified_at"], email["verified_by"]) == (False, None, None)


async def test_identities_are_added_shown_to_be_hers_and_taken_away(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"email": "1@x.org"}})
    url = "/v1/members/ann/identities"
    for value in ("2@x.org", "3@x.org"):
        assert (await door.post(url, json={"kind": "email", "value": value})).status_code == 200
    assert (await door.post(url, json={"kind": "email", "value": "2@x.org", "verified": True})).status_code == 200
    assert (await door.get("/v1/members", params={"email": "3@x.org"})).json()["items"][0]["member_id"] == "ann"
    assert (await door.get("/v1/members/ann")).json()["identities"] == {"email": "2@x.org"}
    assert (await door.post(f"{url}/remove", json={"kind": "email", "value": "3@x.org"})).status_code == 200
    known = {one["value"]: one["verified"] for one in (await door.get(url)).json()["items"]}
    assert known == {"1@x.org": False, "2@x.org": True}
    again = await door.post(f"{url}/remove", json={"kind": "email", "value": "3@x.org"})
    assert (again.status_code, again.json()["code"]) == (422, "identity_unknown")


async def test_what_a_platform_says_is_hers_is_and_what_is_shared_never_is(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"line": "U1", "device": "d"}})
    await door.post("/v1/members", json={"member_id": "bob", "identities": {"device": "d"}})
    shown = (await door.get("/v1/members/ann/identities")).json()["items"]
    assert [(one["kind"], one["verified"], one["shared"]) for one in shown] == [
        ("line", True, False),
        ("device", False, True),
    ]
    assert (await door.get("/v1/members", params={"identity": "device:d"})).json()["items"] == []


@pytest.fixture
async def strict(serve):
    async with serve(PROGRAM + 'identities: [{kind: phone, junk: ["+886227208889"]}]\n') as door:
        yield door


async def test_limits_and_junk_of_the_program_are_refused_with_a_sentence(strict: Door):
    door = strict
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"phone": PHONE}})
    url = "/v1/members/ann/identities"
    more = await door.post(url, json={"kind": "phone", "value": "0922345678"}, headers={"Accept-Language": "zh-TW"})
    assert (more.status_code, more.json()["code"]) == (422, "identity_limit")
    assert more.json()["detail"] == "每位會員最多 1 個這種識別資料：phone。"
    junk = await door.post("/v1/members", json={"member_id": "bob", "identities": {"phone": "02-2720-8889"}})
    assert (junk.status_code, junk.json()["code"]) == (422, "identity_junk")


@pytest.mark.parametrize(
    ("told", "pointer", "code"),
    [
        ({"identities": {"email": "a@x.org"}, "verified": ["phone"]}, "/verified/0", "not_told"),
        ({"verified": ["phone"]}, "/verified/0", "not_told"),
    ],
)
async def test_only_what_is_told_can_have_been_shown(door: Door, told: dict, pointer: str, code: str):
    answer = await door.post("/v1/members", json=told)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert (answer.json()["errors"][0]["pointer"], answer.json()["errors"][0]["code"]) == (pointer, code)


@pytest.mark.parametrize("path", ["", "/remove"])
async def test_what_is_no_identity_is_told_where(door: Door, path: str):
    await door.post("/v1/members", json={"member_id": "ann"})
    answer = await door.post(f"/v1/members/ann/identities{path}", json={"kind": "phone", "value": "null"})
    assert answer.json()["errors"][0]["pointer"] == "/value"
    assert answer.json()["errors"][0]["code"] == "identity_placeholder"


async def test_a_batch_adds_an_identity_in_its_normal_form(door: Door):
    at = "2026-11-22T09:41:07+08:00"
    payload = {"kind": "phone", "value": "0912 345 678", "verified": True}
    item = {"type": "identity.added", "member_id": "ann", "key": "k", "occurred_at": at, "payload": payload}
    told = await door.post("/v1/activities", json={"activities": [item]})
    assert told.json()["counts"] == {"settled": 1}
    [known] = (await door.get("/v1/members/ann/identities")).json()["items"]
    assert (known["value"], known["verified"]) == (PHONE, True)


async def test_an_export_holds_every_identity(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"email": "1@x.org"}})
    await door.post("/v1/members/ann/identities", json={"kind": "email", "value": "2@x.org"})
    told = (await door.get("/v1/members/ann/export")).json()
    assert [one["value"] for one in told["known_as"]] == ["1@x.org", "2@x.org"]


# -- Who it is --------------------------------------------------------------------------------------------


def order(order_id: str, **told: object) -> dict:
    return {"order_id": order_id, "lines": [{"amount": 1000}], **told}


async def test_an_order_says_whose_it_is_by_her_phone_and_the_answer_says_why(door: Door):
    told = {"identities": {"phone": "0912-345-678", "shopify": "7"}, "verified": ["phone"]}
    first = (await door.post("/v1/orders", json=order("o1", **told))).json()
    assert first["identified"]["how"] == "new"
    second = await door.post(
        "/v1/orders", json=order("o2", identities={"phone": "0912345678"}), headers={"Accept-Language": "zh-TW"}
    )
    assert second.status_code == 201, second.text
    assert second.json()["member_id"] == first["member_id"]
    assert second.json()["identified"] == {
        "how": "identity",
        "detail": "以已驗證的識別資料找到：phone。",
        "by": {"kind": "phone", "shown": False, "verified": True},
        "ignored": [],
        "perhaps": [],
    }
    assert second.json()["balances"]["points"] > first["balances"]["points"]
    known = (await door.get(f"/v1/members/{first['member_id']}/identities")).json()["items"]
    assert {one["kind"] for one in known} == {"phone", "shopify"}


async def test_the_same_new_phone_at_once_makes_one_member_and_a_repeat_gets_the_same_answer(door: Door):
    told = {"identities": {"phone": "0912345678"}, "verified": ["phone"]}
    answers = await asyncio.gather(*(door.post("/v1/members/identify", json=told) for _ in range(10)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["member_id"] for answer in answers}) == 1
    assert sorted(answer.json()["identified"]["how"] for answer in answers) == ["identity"] * 9 + ["new"]
    assert len((await door.get("/v1/members")).json()["items"]) == 1
    keyed = [await door.post("/v1/orders", json=order("o", **told), headers={"Idempotency-Key": "k"}) for _ in "ab"]
    assert keyed[0].text == keyed[1].text


async def test_who_somebody_is_can_be_asked_and_changes_nothing(door: Door):
    told = {"identities": {"phone": "0912345678", "email": "b@x.org"}, "verified": ["phone", "email"]}
    nobody = (await door.post("/v1/members/resolve", json=told)).json()
    assert (nobody["member_id"], nobody["identified"]["how"]) == (None, "new")
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"phone": PHONE}, "verified": ["phone"]})
    await door.post("/v1/members", json={"member_id": "bob", "identities": {"email": "b@x.org"}, "verified": ["email"]})
    found = (await door.post("/v1/members/resolve", json=told)).json()
    assert (found["member_id"], found["identified"]["perhaps"]) == ("ann", ["bob"])
    [ignored] = found["identified"]["ignored"]
    assert (ignored["kind"], ignored["why"], ignored["member_id"]) == ("email", "of_another", "bob")
    assert ignored["detail"] == "Another member's: email."
    assert len((await door.get("/v1/members")).json()["items"]) == 2
    for nobodys in ({"member_id": "cy"}, {"identities": {"anonymous": "x9"}}):
        assert (await door.post("/v1/members/resolve", json=nobodys)).json()["member_id"] is None


async def test_a_batch_brings_identities_but_moves_value_by_ids_only(door: Door):
    at = "2026-11-22T09:41:07+08:00"
    base = {"occurred_at": at, "identities": {"phone": "0912345678"}, "verified": ["phone"]}
    items = [
        {"type": "checked_in", "key": "1", **base},
        {"type": "order.paid", "key": "2", "order": {"order_id": "o", "lines": [{"amount": 100}]}, **base},
        {"type": "asset.spent", "key": "3", "payload": {"asset": "points", "amount": 1}, **base},
        {"type": "checked_in", "key": "4", "occurred_at": at},
        {"type": "checked_in", "key": "5", "occurred_at": at, "member_id": "x", "verified": ["phone"]},
    ]
    told = (await door.post("/v1/activities", json={"activities": items})).json()
    assert told["counts"] == {"settled": 2, "invalid": 3}
    first, second, *wrong = told["results"]
    assert first["member_id"] == second["member_id"]
    assert [(one["errors"][0]["pointer"], one["errors"][0]["code"]) for one in wrong] == [
        ("/identities", "extra_forbidden"),
        ("/member_id", "missing"),
        ("/verified/0", "not_told"),
    ]
    again = (await door.post("/v1/activities", json={"activities": items[:2]})).json()
    assert again["counts"] == {"repeated": 2}


@pytest.mark.parametrize("url", ["/v1/orders", "/v1/members/identify", "/v1/members/resolve"])
async def test_somebody_must_be_named(door: Door, url: str):
    told = order("o") if url == "/v1/orders" else {}
    answer = await door.post(url, json=told)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_junk_of_the_program_is_nobodys_order(strict: Door):
    answer = await strict.post("/v1/orders", json=order("o", identities={"phone": "02-2720-8889"}))
    assert (answer.status_code, answer.json()["code"]) == (422, "identity_junk")
    assert (await strict.get("/v1/members")).json()["items"] == []


def test_every_reason_has_its_sentence_in_three_languages():
    text = (Path(shuke.__file__).parent / "engine" / "resolution.py").read_text("utf-8")
    whys = set(re.findall(r'self\.ignore\(\w+(?:\.\w+)?, "(\w+)"', text)) | set(
        re.findall(r'finding\.ignore\(name, "(\w+)"', text)
    )
    assert whys == {"junk", "decides_never", "not_verified", "of_another", "shared", "not_alone", "not_learnt"}
    for code in whys | {"member_id", "identity.verified", "identity.told", "thing", "new", "anonymous", "nobody"}:
        assert set(IDENTIFIED[code]) == {"en", "zh-Hant", "zh-Hans"}


# -- Whose it is now --------------------------------------------------------------------------------------


async def journal(door: Door, member_id: str) -> list[tuple[str, str, str]]:
    items = (await door.get(f"/v1/members/{member_id}/identities/changes")).json()["items"]
    return [(one["what"], one["kind"], one["type"]) for one in items]


async def test_a_recycled_number_goes_to_its_new_owner_and_the_old_one_keeps_the_books(door: Door):
    told = {"member_id": "ann", "identities": {"phone": PHONE, "line": "U1"}, "verified": ["phone"]}
    await door.post("/v1/members", json=told)
    earned = (await door.post("/v1/orders", json=order("o1", identities={"phone": PHONE}))).json()["balances"]
    move = {"kind": "phone", "value": "0912-345-678", "to_member": "bob", "reason": "recycled", "verified": True}
    answers = [await door.post("/v1/identities/move", json=move, headers={"Idempotency-Key": "m"}) for _ in "ab"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].text == answers[1].text
    assert (answers[0].json()["member_id"], answers[0].json()["balances"]) == ("ann", earned)
    found = (await door.post("/v1/orders", json=order("o2", identities={"phone": PHONE}))).json()
    assert (found["member_id"], found["identified"]["by"]["verified"]) == ("bob", True)
    assert await journal(door, "ann") == [
        ("learnt", "phone", "member.joined"),
        ("learnt", "line", "member.joined"),
        ("gone", "phone", "identity.moved"),
    ]
    [came] = (await door.get("/v1/members/bob/identities/changes")).json()["items"]
    assert (came["what"], came["reason"], came["member_id"]) == ("learnt", "recycled", "ann")
    assert await Shop(door.shop.pool).findings() == []


async def test_what_nobody_is_called_cannot_move(door: Door):
    move = {"kind": "phone", "value": PHONE, "to_member": "bob", "reason": "recycled"}
    answer = await door.post("/v1/identities/move", json=move)
    assert (answer.status_code, answer.json()["code"]) == (422, "identity_unknown")
    assert (await door.post("/v1/identities/move", json=move | {"reason": ""})).status_code == 400


async def test_a_pending_id_of_wecom_becomes_the_final_one(door: Door):
    told = {"identities": {"wecom_pending:ww1": "p1"}}
    ann = (await door.post("/v1/members/identify", json=told)).json()["member_id"]
    final = {"kind": "wecom_pending:ww1", "value": "p1", "final_kind": "wecom:ww1", "final_value": "wm1"}
    assert (await door.post("/v1/identities/finalize", json=final)).json()["member_id"] == ann
    found = await door.post("/v1/members/resolve", json={"identities": {"wecom:ww1": "wm1"}})
    assert found.json()["member_id"] == ann
    assert await journal(door, ann) == [
        ("learnt", "wecom_pending:ww1", "member.identified"),
        ("gone", "wecom_pending:ww1", "identity.finalized"),
        ("learnt", "wecom:ww1", "identity.finalized"),
    ]


async def test_the_journal_says_when_it_was_shown_and_what_took_its_place(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"email": "1@x.org"}})
    url = "/v1/members/ann/identities"
    await door.post(url, json={"kind": "email", "value": "1@x.org", "verified": True})
    await door.post(url, json={"kind": "email", "value": "2@x.org"})
    await door.post("/v1/members", json={"member_id": "bob", "identities": {"email": "3@x.org"}})
    refused = await door.post(url, json={"kind": "email", "value": "3@x.org"})
    assert refused.json()["code"] == "identity_taken"
    await door.patch("/v1/members/ann", json={"identities": {"email": "4@x.org"}})
    items = (await door.get(f"{url}/changes")).json()["items"]
    assert [(one["what"], one["value"]) for one in items] == [
        ("learnt", "1@x.org"),
        ("verified", "1@x.org"),
        ("learnt", "2@x.org"),
        ("gone", "1@x.org"),
        ("gone", "2@x.org"),
        ("learnt", "4@x.org"),
    ]
    assert {one["source"] for one in items} == {"api:test"}
    await door.post("/v1/members/ann/erase", json={})
    assert (await door.get(f"{url}/changes")).json()["items"] == []


async def test_a_batch_moves_and_resolves_as_well(door: Door):
    await door.post("/v1/members", json={"member_id": "ann", "identities": {"phone": PHONE, "wecom_pending:w": "p"}})
    at = "2026-11-22T09:41:07+08:00"
    move = {"kind": "phone", "value": "0912345678", "to_member": "bob", "reason": "recycled"}
    final = {"kind": "wecom_pending:w", "value": "p", "final_kind": "phone", "final_value": "0922345678"}
    items = [
        {"type": "identity.moved", "member_id": "ann", "key": "1", "occurred_at": at, "payload": move},
        {"type": "identity.finalized", "member_id": "ann", "key": "2", "occurred_at": at, "payload": final},
    ]
    assert (await door.post("/v1/activities", json={"activities": items})).json()["counts"] == {"settled": 2}
    assert (await door.get("/v1/members", params={"phone": "0922345678"})).json()["items"][0]["member_id"] == "ann"
    assert (await door.get("/v1/members", params={"phone": PHONE})).json()["items"][0]["member_id"] == "bob"
