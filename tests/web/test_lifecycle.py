"""Freezing, leaving and returning over HTTP."""

import pytest

from tests.shop import Shop
from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database


@pytest.fixture
async def door(serve):
    async with serve(PROGRAM) as opened:
        await opened.post("/v1/members", json={"member_id": "ann"})
        await opened.post("/v1/orders", json={"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 20000}]})
        yield opened


async def status(door: Door) -> tuple[str, str | None]:
    shown = (await door.get("/v1/members/ann/profile")).json()
    assert (await door.get("/v1/members/ann")).json()["status"] == shown["status"]
    return shown["status"], shown["status_reason"]


async def test_a_member_is_frozen_with_a_reason_uses_nothing_and_is_let_go(door: Door):
    assert (await door.post("/v1/members/ann/freeze", json={})).status_code == 400
    frozen = await door.post("/v1/members/ann/freeze", json={"reason": "card stolen"})
    assert frozen.status_code == 200, frozen.text
    assert await status(door) == ("frozen", "card stolen")
    told = {"member_id": "ann", "asset": "points", "amount": 100, "reason": "mug"}
    refused = await door.post("/v1/points/spend", json=told, headers={"Accept-Language": "zh-CN"})
    assert (refused.status_code, refused.json()["code"]) == (422, "member_frozen")
    assert refused.json()["detail"].startswith("这个会员账户自")
    cart = {"member_id": "ann", "lines": [{"amount": 5000}], "uses": {"points": {"points": 100}}}
    quoted = await door.post("/v1/carts/quote", json=cart)
    assert (quoted.status_code, quoted.json()["code"]) == (422, "member_frozen"), quoted.text
    earned = await door.post("/v1/orders", json={"order_id": "o-2", "member_id": "ann", "lines": [{"amount": 20000}]})
    assert (earned.status_code, earned.json()["earned"], earned.json()["balances"]) == (201, {}, {"points": 200})
    assert [one["member_id"] for one in (await door.get("/v1/members?status=frozen")).json()["items"]] == ["ann"]
    assert (await door.post("/v1/members/ann/unfreeze", json={})).status_code == 200
    assert await status(door) == ("active", None)
    assert (await door.post("/v1/points/spend", json=told)).status_code < 300
    assert await Shop(door.shop.pool).findings() == []


async def test_a_member_leaves_and_returns_with_what_has_not_ended(door: Door):
    assert (await door.post("/v1/members/ann/leave", json={"reason": "moved"})).status_code == 200
    assert await status(door) == ("left", "moved")
    again = await door.post("/v1/members/ann/leave", json={})
    assert (again.status_code, again.json()["code"]) == (422, "member_left")
    assert (await door.post("/v1/members/ann/return", json={})).json()["balances"] == {"points": 200}
    assert await status(door) == ("active", None)
    assert await Shop(door.shop.pool).findings() == []


async def test_dormancy_is_seen_whether_or_not_the_clock_came_by_and_proved_once_it_has(serve):
    sleepy = PROGRAM.replace("profile:\n", "profile:\n  dormancy: {after: 12 months}\n")
    async with serve(sleepy) as door:
        told = {"order_id": "o-1", "member_id": "bob", "lines": [{"amount": 1200}]}
        await door.post("/v1/orders", json={**told, "occurred_at": "2020-01-01T00:00:00Z"})
        shown = (await door.get("/v1/members/bob/profile")).json()
        assert (shown["status"], shown["status_since"]) == ("dormant", "2020-12-31T16:00:00Z")
        await door.post("/v1/orders", json={**told, "order_id": "o-2"})
        assert (await door.get("/v1/members/bob")).json()["status"] == "active"
        kinds = [one["type"] for one in (await door.get("/v1/members/bob/activities")).json()["items"]]
        assert kinds == ["member.woke", "member.dormant", "order.paid", "order.paid"]
        assert await Shop(door.shop.pool).findings() == []


async def test_what_was_said_of_her_status_goes_with_her(door: Door):
    await door.post("/v1/members/ann/freeze", json={"reason": "her secret"})
    assert (await door.post("/v1/members/ann/erase", json={})).status_code == 200
    assert await status(door) == ("erased", None)
    assert "her secret" not in (await door.get("/v1/members/ann/export")).text
    assert await Shop(door.shop.pool).findings() == []


@pytest.mark.parametrize("act", ["freeze", "unfreeze", "leave", "return"])
async def test_nobody_is_not_found(door: Door, act: str):
    answer = await door.post(f"/v1/members/nobody/{act}", json={"reason": "x"} if act in ("freeze", "leave") else {})
    assert (answer.status_code, answer.json()["code"]) == (404, "member_unknown")
