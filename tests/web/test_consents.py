"""Consents and tags over HTTP: with where they come from, and never lost."""

import hashlib

import pytest

from tests.shop import Shop
from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database


@pytest.fixture
async def door(serve):
    async with serve(PROGRAM) as opened:
        await opened.post("/v1/members", json={"member_id": "ann", "tags": ["staff"]})
        yield opened


async def test_who_was_never_asked_is_unasked_and_reads_the_text_in_her_language(door: Door):
    shown = (await door.get("/v1/members/ann/consents", headers={"Accept-Language": "zh-TW"})).json()
    text = "我們可以寫信給您。"
    assert shown["purposes"] == [
        {
            "purpose": "marketing",
            "title": "優惠訊息",
            "text": text,
            "version": "2026-11",
            "text_hash": hashlib.sha256(text.encode()).hexdigest(),
            "channels": ["email", "line"],
        }
    ]
    assert [(one["channel"], one["state"], one["at"]) for one in shown["consents"]] == [
        ("email", "unasked", None),
        ("line", "unasked", None),
    ]


async def test_what_she_says_is_shown_and_all_of_it_is_kept(door: Door):
    asked = (await door.get("/v1/members/ann/consents")).json()["purposes"][0]
    yes = {
        "granted": True,
        "purpose": "marketing",
        "channels": ["email"],
        "text_hash": asked["text_hash"],
        "language": "en",
        "via": "checkout",
        "said_at": "2026-05-01T12:00:00+08:00",
    }
    told = await door.post("/v1/members/ann/consents", json=yes)
    assert told.status_code == 200, told.text
    email = (await door.get("/v1/members/ann/consents")).json()["consents"][0]
    assert email == {
        "purpose": "marketing",
        "channel": "email",
        "state": "granted",
        "at": "2026-05-01T04:00:00Z",
        "version": "2026-11",
        "text_hash": asked["text_hash"],
        "language": "en",
        "current": True,
        "via": "checkout",
        "source": "api:test",
    }
    await door.post("/v1/members/ann/consents", json={"granted": False})
    states = [one["state"] for one in (await door.get("/v1/members/ann/consents")).json()["consents"]]
    assert states == ["withdrawn", "withdrawn"]
    page = (await door.get("/v1/members/ann/consents/history", params={"limit": 1})).json()
    assert (page["items"][0]["granted"], page["items"][0]["purpose"]) == (False, None)
    rest = (await door.get("/v1/members/ann/consents/history", params={"cursor": page["next"]})).json()
    assert rest["next"] is None
    assert [(one["granted"], one["text_hash"], one["version"]) for one in rest["items"]] == [
        (True, asked["text_hash"], "2026-11")
    ]
    assert await Shop(door.shop.pool).findings() == []


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        ({"granted": True, "purpose": "spying", "channels": ["email"]}, 422, "consent_unknown"),
        ({"granted": True, "purpose": "marketing", "channels": ["fax"]}, 422, "consent_channel_unknown"),
        ({"granted": True, "purpose": "marketing"}, 422, "consent_channel_unknown"),
        ({"granted": True, "purpose": "marketing", "channels": []}, 400, "invalid_request"),
        ({"granted": True, "purpose": "marketing", "channels": ["email"], "text_hash": "x"}, 400, "invalid_request"),
        ({"purpose": "marketing", "channels": ["email"]}, 400, "invalid_request"),
    ],
)
async def test_what_cannot_be_agreed_to_is_refused(door: Door, said: dict, status: int, code: str):
    answer = await door.post("/v1/members/ann/consents", json=said)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await door.get("/v1/members/ann/consents/history")).json()["items"] == []


async def test_a_tag_is_put_on_shown_with_its_provenance_and_taken_off(door: Door):
    told = {"tags": ["tea", "vip"], "kind": "rule", "by": "bought-tea", "until": "2099-01-01T00:00:00Z"}
    assert (await door.post("/v1/members/ann/tags", json=told)).status_code == 200
    tags = (await door.get("/v1/members/ann/tags")).json()["tags"]
    assert [(tag["tag"], tag["kind"], tag["by"], tag["until"]) for tag in tags] == [
        ("staff", "manual", "api:test", None),
        ("tea", "rule", "bought-tea", "2099-01-01T00:00:00Z"),
        ("vip", "rule", "bought-tea", "2099-01-01T00:00:00Z"),
    ]
    assert (await door.get("/v1/members/ann")).json()["due_at"] == "2099-01-01T00:00:00Z"
    gone = await door.post("/v1/members/ann/tags/remove", json={"tags": ["vip", "staff"], "kind": "rule"})
    assert gone.status_code == 200
    assert (await door.get("/v1/members/ann")).json()["tags"] == ["staff", "tea"]
    assert await Shop(door.shop.pool).findings() == []


async def test_a_tag_that_is_over_is_not_shown_whether_or_not_the_clock_came_by(door: Door):
    item = {"type": "member.tagged", "member_id": "bob", "key": "t", "occurred_at": "2020-01-01T00:00:00Z"}
    item["payload"] = {"tags": ["tea"], "until": "2020-02-01T00:00:00Z"}
    answer = (await door.post("/v1/activities", json={"activities": [item]})).json()
    assert answer["counts"] == {"settled": 1}
    assert (await door.get("/v1/members/bob")).json()["tags"] == []
    assert (await door.get("/v1/members/bob/tags")).json()["tags"] == []


async def test_a_tag_that_would_have_ended_is_refused(door: Door):
    answer = await door.post("/v1/members/ann/tags", json={"tags": ["tea"], "until": "2020-01-01T00:00:00Z"})
    assert (answer.status_code, answer.json()["code"]) == (422, "tag_ended")


async def test_of_who_is_erased_stays_that_there_was_consent_and_to_which_text_and_no_tag(door: Door):
    await door.post("/v1/members/ann/tags", json={"tags": ["secret"], "by": "lin"})
    said = {"granted": True, "purpose": "marketing", "channels": ["email"], "via": "her own words"}
    await door.post("/v1/members/ann/consents", json=said)
    assert (await door.post("/v1/members/ann/erase", json={})).status_code == 200
    assert (await door.get("/v1/members/ann/tags")).json()["tags"] == []
    assert {one["state"] for one in (await door.get("/v1/members/ann/consents")).json()["consents"]} == {"unasked"}
    kept = (await door.get("/v1/members/ann/consents/history")).json()["items"]
    assert [(one["purpose"], one["channels"], one["via"], one["language"]) for one in kept] == [
        ("marketing", ["email"], None, None)
    ]
    exported = (await door.get("/v1/members/ann/export")).text
    assert "secret" not in exported
    assert "her own words" not in exported
    assert await Shop(door.shop.pool).findings() == []
