"""Merging over HTTP: looked at before, done once, undone; and old ids at every door."""

import pytest

from tests.shop import Shop
from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database


@pytest.fixture
async def door(serve):
    async with serve(PROGRAM) as opened:
        yield opened


REASON = {"reason": "same phone"}


async def two(door: Door) -> None:
    """Ann bought online, Anna at the till."""
    for id_, told in (
        ("ann", {"identities": {"email": "ann@example.com"}, "traits": {"city": "Tainan"}, "tags": ["online"]}),
        ("anna", {"identities": {"phone": "0912345678"}, "traits": {"city": "Taipei"}}),
    ):
        assert (await door.post("/v1/members", json={"member_id": id_, **told})).status_code == 201
    for id_, order_id, amount in (("ann", "N-1", 10000), ("anna", "A-1", 5000)):
        told = {"order_id": order_id, "member_id": id_, "lines": [{"amount": amount}]}
        assert (await door.post("/v1/orders", json=told)).status_code == 201
    assert (await door.post("/v1/coupons", json={"template": "welcome", "member_id": "ann"})).status_code == 201


async def merge(door: Door, member: str = "ann", into: str = "anna", **more):
    return await door.post(f"/v1/members/{member}/merge", json={"into": into, **REASON, **more})


async def test_a_merge_is_looked_at_done_and_undone(door: Door):
    await two(door)
    before = {id_: (await door.get(f"/v1/members/{id_}")).json() for id_ in ("ann", "anna")}
    plan = {"into": "anna", "fields": {"city": "merged"}}
    looked = (await door.post("/v1/members/ann/merge/preview", json=plan)).json()
    assert looked["refused"] is None
    assert (looked["moved"], looked["coupons"]) == ({"points": 100}, 1)
    assert looked["differences"] == [{"trait": "city", "survivor": "Taipei", "merged": "Tainan", "stays": "Tainan"}]
    assert looked["whole"]["balances"] == {"points": 150}
    assert {id_: (await door.get(f"/v1/members/{id_}")).json() for id_ in ("ann", "anna")} == before

    merged = await merge(door, fields={"city": "merged"})
    assert merged.status_code == 200, merged.text
    assert (merged.json()["into"], merged.json()["moved"], merged.json()["coupons"]) == ("anna", {"points": 100}, 1)
    whole = (await door.get("/v1/members/ann")).json()
    assert (whole["member_id"], whole["merged_into"], whole["balances"]) == ("anna", "anna", {"points": 150})
    assert whole["traits"] == {"city": "Tainan"}
    assert whole["identities"] == {"phone": "+886912345678", "email": "ann@example.com"}
    assert (await door.get("/v1/members/anna")).json()["merged_into"] is None

    undone = await door.post("/v1/members/ann/unmerge", json={"reason": "sisters"})
    assert undone.status_code == 200, undone.text
    told = undone.json()
    assert (told["member_id"], told["restored"], told["returned"], told["coupons"]) == (
        *("anna", "ann", {"points": 100}, 1),
    )
    assert {id_: (await door.get(f"/v1/members/{id_}")).json() for id_ in ("ann", "anna")} == before
    assert await Shop(door.shop.pool).findings() == []


async def test_every_door_knows_the_old_id(door: Door):
    await two(door)
    await merge(door)
    settled = await door.post("/v1/orders", json={"order_id": "N-2", "member_id": "ann", "lines": [{"amount": 1000}]})
    assert (settled.status_code, settled.json()["member_id"]) == (201, "anna")
    balances = (await door.get("/v1/members/ann/balances")).json()
    assert (balances["member_id"], balances["balances"][0]["available"]) == ("anna", 160)
    [coupon] = (await door.get("/v1/members/ann/coupons")).json()["items"]
    assert coupon["state"] == "issued"
    for query in ("email=ann@example.com", "phone=0912345678"):
        [found] = (await door.get(f"/v1/members?{query}")).json()["items"]
        assert found["member_id"] == "anna"
    assert (await door.get("/v1/orders/N-1")).json()["member_id"] == "anna"
    quote = await door.post("/v1/carts/quote", json={"member_id": "ann", "lines": [{"sku": "a", "amount": 1000}]})
    assert quote.status_code == 200, quote.text
    held = {"member_id": "ann", "hold": "h1", "asset": "points", "amount": 10}
    assert (await door.post("/v1/points/holds", json=held)).status_code in (200, 201)
    assert [item["member_id"] for item in (await door.get("/v1/members")).json()["items"]] == ["anna"]
    [old] = (await door.get("/v1/members?status=merged")).json()["items"]
    assert (old["member_id"], old["merged_into"]) == ("ann", "anna")
    assert await Shop(door.shop.pool).findings() == []


@pytest.mark.parametrize("member", ["ann", "anna", None])
async def test_an_order_from_before_is_refunded_under_either_id(door: Door, member: str | None):
    await two(door)
    await merge(door)
    who = {} if member is None else {"member_id": member}
    back = await door.post("/v1/orders/N-1/refund", json={"lines": [{"line": 1, "amount": 4000}], **who})
    assert (back.status_code, back.json()["member_id"]) == (200, "anna"), back.text
    assert (await door.get("/v1/members/anna/balances")).json()["balances"][0]["available"] == 110
    shown = (await door.get("/v1/orders/N-1")).json()
    assert (shown["member_id"], shown["lines"][0]["refunded"]) == ("anna", 4000)
    await door.post("/v1/members/ann/unmerge", json={"reason": "sisters"})
    shown = (await door.get("/v1/orders/N-1")).json()
    assert (shown["member_id"], shown["lines"][0]["refunded"]) == ("ann", 4000)
    back = await door.post("/v1/orders/N-1/refund", json={})
    assert (back.status_code, back.json()["member_id"]) == (200, "ann")
    assert [(await door.get(f"/v1/members/{id_}")).json()["balances"]["points"] for id_ in ("ann", "anna")] == [0, 50]
    assert await Shop(door.shop.pool).findings() == []


async def test_history_stays_under_the_old_id_and_is_read_there(door: Door):
    await two(door)
    await merge(door)
    await door.post("/v1/orders/N-1/refund", json={})
    own = [item["order_id"] for item in (await door.get("/v1/members/anna/orders")).json()["items"]]
    old = (await door.get("/v1/members/anna/orders?under=ann")).json()["items"]
    assert (own, [(item["order_id"], item["status"]) for item in old]) == (["A-1"], [("N-1", "refunded")])
    kinds = [item["kind"] for item in (await door.get("/v1/members/ann/entries?under=ann")).json()["items"]]
    assert kinds == ["merge", "earn"]
    types = [item["type"] for item in (await door.get("/v1/members/ann/activities?under=ann")).json()["items"]]
    assert types == ["member.merged", "coupon.issued", "order.paid", "member.joined"]
    assert (await door.get("/v1/members/ann/statement?under=ann")).json()["assets"][0]["closing"]["available"] == 0
    assert (await door.get("/v1/members/anna/entries?under=bob")).status_code == 404
    exported = (await door.get("/v1/members/ann/export")).json()
    assert {order["order_id"] for order in exported["orders"]} == {"A-1", "N-1"}
    assert {told["type"] for told in exported["activities"]} >= {"member.merged", "member.absorbed"}


async def test_merges_are_listed_with_what_became_of_them(door: Door):
    await two(door)
    await merge(door)
    await door.post("/v1/members/ann/unmerge", json={"reason": "sisters"})
    await merge(door)
    old = (await door.get("/v1/members/ann/merges")).json()
    assert (old["merged_into"], [item["what"] for item in old["journal"]]) == (
        "anna",
        ["merged", "unmerged", "merged"],
    )
    whole = (await door.get("/v1/members/anna/merges")).json()
    assert [item["member_id"] for item in whole["absorbed"]] == ["ann"]
    assert [(item["what"], item["merged"], item["into"], item["reason"]) for item in whole["journal"]] == [
        ("merged", "ann", "anna", None),
        ("unmerged", "ann", "anna", "sisters"),
        ("merged", "ann", "anna", None),
    ]


async def test_a_repeat_gets_the_first_answer_also_after_it_was_undone(door: Door):
    await two(door)
    key = {"Idempotency-Key": "merge"}
    told = {"into": "anna", **REASON}
    first = await door.post("/v1/members/ann/merge", json=told, headers=key)
    await door.post("/v1/members/ann/unmerge", json={"reason": "sisters"}, headers={"Idempotency-Key": "undo"})
    again = await door.post("/v1/members/ann/merge", json=told, headers=key)
    undone = await door.post("/v1/members/ann/unmerge", json={"reason": "sisters"}, headers={"Idempotency-Key": "undo"})
    assert (again.text, again.headers["Idempotent-Replayed"]) == (first.text, "true")
    assert undone.headers["Idempotent-Replayed"] == "true"
    assert (await door.get("/v1/members/ann")).json()["member_id"] == "ann"


async def test_what_cannot_be_merged_or_undone_says_why(door: Door):
    await two(door)
    assert (await merge(door, into="nobody")).status_code == 404
    assert (await merge(door, "nobody")).status_code == 404
    for answer, code in (
        (await merge(door, into="ann"), "merge_to_self"),
        (await door.post("/v1/members/ann/unmerge", json=REASON), "not_merged"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert (await door.post("/v1/members/ann/merge", json={"into": "anna"})).status_code == 400
    held = {"member_id": "ann", "hold": "h1", "asset": "points", "amount": 10}
    await door.post("/v1/points/holds", json=held)
    refused = await merge(door)
    assert (refused.json()["code"], refused.json()["facts"]) == ("holds_open", {"count": 1})
    looked = await door.post("/v1/members/ann/merge/preview", json={"into": "anna"})
    assert looked.json()["refused"] == "holds_open"
    await door.post("/v1/points/holds/h1/release", json={"member_id": "ann"})
    await merge(door)
    again = await merge(door)
    assert (again.status_code, again.json()["code"]) == (422, "member_merged")


async def test_who_is_erased_is_erased_under_every_id(door: Door):
    await two(door)
    await merge(door)
    assert (await door.post("/v1/members/ann/erase", json={})).status_code == 200
    for id_ in ("ann", "anna"):
        assert (await door.get(f"/v1/members/{id_}")).json()["status"] == "erased"
    rows = await Shop(door.shop.pool).rows("select body::text || coalesce(context::text, '') from activity")
    assert not any("Tainan" in text or "ann@" in text for (text,) in rows)
    assert await Shop(door.shop.pool).findings() == []
