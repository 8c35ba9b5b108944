"""What a member is called elsewhere, over HTTP: several of a kind, and which of it was shown to be hers."""

import pytest

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
