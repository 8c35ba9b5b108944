"""Segments over HTTP: made, changed, listed, copied, and what is refused."""

import pytest

from shuke.runtime.segments import Segments
from tests.web.conftest import Door

pytestmark = pytest.mark.database

VIP = {"segment_id": "vip", "title": "VIP", "condition": "tag vip"}


@pytest.fixture
async def people(door: Door):
    for member, tags in (("ann", ["vip"]), ("ben", []), ("cho", ["vip", "new"])):
        assert (await door.post("/v1/members", json={"member_id": member, "tags": tags})).status_code == 201
    return door


async def looked(door: Door):
    await Segments(door.shop.pool, door.shop.settler).round()


async def inside(door: Door, segment):
    page = (await door.get(f"/v1/segments/{segment}/members")).json()
    return sorted(item["member_id"] for item in page["items"])


async def test_a_segment_is_made_and_filled(people: Door):
    made = await people.post("/v1/segments", json=VIP)
    assert made.status_code == 201, made.text
    assert {name: made.json()[name] for name in ("kind", "condition", "refresh", "members", "refreshed_at")} == {
        "kind": "dynamic",
        "condition": "tag vip",
        "refresh": "live",
        "members": 0,
        "refreshed_at": None,
    }
    await looked(people)
    assert await inside(people, "vip") == ["ann", "cho"]
    assert (await people.get("/v1/segments/vip")).json()["members"] == 2
    [size] = (await people.get("/v1/segments/vip/history")).json()["items"]
    assert (size["members"], size["entered"], size["left"]) == (2, 2, 0)
    exported = (await people.get("/v1/members/ann/export")).json()
    assert [item["segment_id"] for item in exported["segments"]] == ["vip"]
    heard = (await people.get("/v1/members/ann/activities")).json()["items"]
    assert [item["type"] for item in heard if item["source"] == "segments"] == ["segment.entered"]


async def test_another_condition_takes_out_who_no_longer_belongs(people: Door):
    await people.post("/v1/segments", json=VIP)
    await looked(people)
    changed = await people.patch("/v1/segments/vip", json={"condition": "tag vip and not tag new", "title": "V"})
    assert (changed.json()["condition"], changed.json()["title"]) == ("tag vip and not tag new", "V")
    await looked(people)
    assert await inside(people, "vip") == ["ann"]


async def test_a_list_holds_whom_one_puts_into_it_and_a_snapshot_whoever_was_there(people: Door):
    await people.post("/v1/segments", json={"segment_id": "staff", "title": "Staff"})
    await people.post("/v1/segments/staff/members", json={"add": ["ann", "ben"]})
    snapshot = await people.post("/v1/segments/staff/snapshot", json={"snapshot_id": "staff-may", "title": "May"})
    assert (snapshot.status_code, snapshot.json()["members"], snapshot.json()["kind"]) == (201, 2, "static")
    await looked(people)
    await people.post("/v1/segments/staff/members", json={"remove": ["ben"]})
    await looked(people)
    assert await inside(people, "staff") == ["ann"]
    assert (await people.get("/v1/segments/staff")).json()["members"] == 1
    assert await inside(people, "staff-may") == ["ann", "ben"]
    found = await people.post("/v1/audiences/search", json={"condition": "segment(staff-may) and not segment(staff)"})
    assert [item["member_id"] for item in found.json()["items"]] == ["ben"]


async def test_ready_made_segments_are_made_as_they_are_told(people: Door):
    page = (await people.get("/v1/segment-templates?often=2&much=50", headers={"Accept-Language": "zh-TW"})).json()
    assert page["items"][0]["title"] == "資深顧客：常買且買得多"
    for item in page["items"]:
        made = await people.post("/v1/segments", json=item)
        assert made.status_code == 201, made.text
    await looked(people)
    assert await inside(people, "potential") == ["ann", "ben", "cho"]
    listed = (await people.get("/v1/segments?limit=200")).json()["items"]
    assert len(listed) == len(page["items"])


async def test_what_cannot_be_is_refused(people: Door):
    await people.post("/v1/segments", json=VIP)
    await people.post("/v1/segments", json={"segment_id": "b", "title": "B", "condition": "segment(vip)"})
    await people.post("/v1/segments", json={"segment_id": "s", "title": "S"})

    async def code(method, path, **body):
        answer = (await people.request(method, f"/v1/segments{path}", json=body)).json()
        return answer["errors"][0]["code"] if answer["code"] == "invalid_request" else answer["code"]

    heavy = "a then b within 1 day"
    assert await code("POST", "", **VIP) == "segment_taken"
    assert await code("POST", "", segment_id="h", title="H", condition=heavy, refresh="live") == "too_heavy_for_live"
    assert await code("POST", "", segment_id="h", title="H", condition="segment(nobody)") == "unknown_segment"
    assert await code("POST", "", segment_id="h", title="H", condition="order.amount > 5") == "no_order"
    assert await code("PATCH", "/vip", condition="segment(b)") == "segment_within_itself"
    assert await code("PATCH", "/s", condition="tag a") == "segment_is_static"
    assert await code("POST", "/vip/members", add=["ann"]) == "segment_is_dynamic"
    assert await code("POST", "/s/members", add=["nobody"]) == "member_unknown"
    assert (await people.delete("/v1/segments/vip")).json()["code"] == "segment_in_use"
    assert (await people.delete("/v1/segments/b")).status_code == 200
    assert (await people.delete("/v1/segments/vip")).json()["title"] == "VIP"
    assert (await people.get("/v1/segments/vip")).status_code == 404
