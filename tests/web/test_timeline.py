"""Everything that happened to a member, in order and in words."""

import pytest

from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database


@pytest.fixture
async def door(serve):
    async with serve(PROGRAM) as opened:
        await opened.post("/v1/members", json={"member_id": "ann", "traits": {"city": "Taipei"}})
        lines = [{"amount": 40000}]
        await opened.post("/v1/orders", json={"order_id": "o-1", "member_id": "ann", "lines": lines, "store": "Ximen"})
        spend = {"member_id": "ann", "asset": "points", "amount": 100_000, "reason": "mug"}
        assert (await opened.post("/v1/points/spend", json=spend)).status_code == 422
        await opened.post("/v1/members/ann/freeze", json={"reason": "stolen card"})
        yield opened


async def test_it_tells_what_happened_why_it_was_refused_and_what_came_of_it(door: Door):
    page = (await door.get("/v1/members/ann/timeline")).json()
    assert [item["sentence"] for item in page["items"]] == [
        "Was frozen: stolen card.",
        "Spent 100,000 Points: mug.",
        "Paid order o-1: 400.00 at Ximen.",
        "Joined.",
    ]
    assert page["next"] is None
    _, spend, paid, joined = page["items"]
    assert spend["refused"] == "This takes 100,000 Points, but only 400 Points can be spent."
    assert (paid["refused"], [one["kind"] for one in paid["came_of_it"]]) == (None, ["entry", "tier"])
    entry, tier = paid["came_of_it"]
    assert entry["sentence"].startswith("Earned 400 Points for order o-1")
    assert (await door.get(f"/v1/members/ann/entries/{entry['entry']}")).status_code == 200
    assert tier["sentence"].startswith("Club: base → Gold (until ")
    assert [one["sentence"] for one in joined["came_of_it"]] == ["Club: no tier → base."]


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh-TW", ["帳戶凍結：stolen card。", "訂單 o-1 已付款：400.00，門市 Ximen。", "加入會員。"]),
        ("zh-CN", ["账户冻结：stolen card。", "订单 o-1 已付款：400.00，门店 Ximen。", "加入会员。"]),
    ],
)
async def test_it_is_told_in_the_callers_language(door: Door, language: str, said: list[str]):
    items = (await door.get("/v1/members/ann/timeline", headers={"Accept-Language": language})).json()["items"]
    assert [item["sentence"] for item in items if item["refused"] is None] == said


async def test_it_comes_in_pages_each_thing_once(door: Door):
    found, query = [], {"limit": 1}
    while True:
        page = (await door.get("/v1/members/ann/timeline", params=query)).json()
        found += [item["type"] for item in page["items"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert found == ["member.frozen", "asset.spent", "order.paid", "member.joined"]


async def test_where_only_time_passed_and_nothing_came_of_it_nothing_is_said(serve):
    async with serve(PROGRAM) as door:
        told = {"order_id": "o-1", "member_id": "bob", "lines": [{"amount": 1200}]}
        await door.post("/v1/orders", json={**told, "occurred_at": "2020-01-01T00:00:00Z"})
        await door.post("/v1/orders", json={**told, "order_id": "o-2"})
        items = (await door.get("/v1/members/bob/timeline")).json()["items"]
        assert [item["type"] for item in items] == ["order.paid", "order.paid"]
        assert [one["sentence"].split()[0] for one in items[0]["came_of_it"]] == ["Expired:", "Earned"]


async def test_of_who_is_erased_it_tells_nothing_that_says_who_she_was(door: Door):
    await door.post("/v1/members/ann/unfreeze", json={})
    assert (await door.post("/v1/members/ann/erase", json={})).status_code == 200
    answer = await door.get("/v1/members/ann/timeline")
    assert answer.status_code == 200
    for word in ("stolen", "mug", "Taipei"):
        assert word not in answer.text


async def test_nobody_has_no_timeline(door: Door):
    assert (await door.get("/v1/members/nobody/timeline")).status_code == 404
