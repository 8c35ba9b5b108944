"""Tracking over HTTP: what libraries send is settled once, and a public key is worth nothing."""

import base64
import gzip
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shuke.intake.messages import MAX_BODY, MAX_MESSAGE
from tests import shop as coffee
from tests.web.conftest import Door

pytestmark = pytest.mark.database

SERVER = ("track", "orders:write", "members:write", "activities:write")
ORDER = {
    "order_id": "o-1",
    "subtotal": 12.5,
    "shipping": 3,
    "currency": "USD",
    "products": [{"sku": "a", "price": 10, "quantity": 1}, {"sku": "b", "price": 1.25, "quantity": 2}],
}


class Tracker:
    """A key and the ways to send with it."""

    def __init__(self, door: Door, secret: str) -> None:
        self.door, self.secret = door, secret
        self.client = httpx.AsyncClient(base_url=door.address, timeout=30)
        self.shop = coffee.Shop(door.shop.pool)

    async def send(self, path: str, told: Any, **headers: str) -> httpx.Response:
        basic = base64.b64encode(f"{self.secret}:".encode()).decode()
        content = told if isinstance(told, bytes) else json.dumps(told).encode()
        return await self.client.post(path, content=content, headers={"Authorization": f"Basic {basic}", **headers})

    async def batch(self, *messages: Any, **more: Any) -> dict[str, Any]:
        answer = await self.send("/v1/batch", {"batch": messages, **more})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def recorded(self) -> list[tuple[str, str]]:
        """(member, type) of all that was settled, in order."""
        return await self.shop.rows("select member_id, type from activity order by id")  # type: ignore[return-value]  # two texts


@pytest.fixture
async def server(door: Door) -> AsyncIterator[Tracker]:
    """A key that stays on the shop's own server."""
    tracker = Tracker(door, await door.secret(*SERVER, source="backend"))
    async with tracker.client:
        yield tracker


@pytest.fixture
async def page(door: Door) -> AsyncIterator[Tracker]:
    """A key that is in every page of the shop."""
    tracker = Tracker(door, await door.secret("track", source="web"))
    async with tracker.client:
        yield tracker


def track(event: str, user: str = "ann", **properties: Any) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": event, "properties": properties}


async def test_an_order_completed_earns_and_a_refund_of_one_product_takes_its_part_back(server: Tracker):
    answer = await server.send("/v1/track", {"userId": "ann", "event": "Order Completed", "properties": ORDER})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await server.shop.available("ann") == 12
    shown = (await server.door.get("/v1/orders/o-1")).json()
    assert (shown["amount"], shown["member_id"]) == (1550, "ann")
    refund = {"order_id": "o-1", "products": [{"sku": "b", "quantity": 2}]}
    assert await server.batch(track("Order Refunded", **refund)) == {"success": True}
    assert (await server.door.get("/v1/orders/o-1")).json()["refunded"] == 250
    assert await server.batch(track("Order Refunded", order_id="o-1")) == {"success": True}
    assert (await server.door.get("/v1/orders/o-1")).json()["status"] == "refunded"
    assert await server.shop.available("ann") == 0
    assert await server.shop.findings() == []


KINDS = [
    ("track", {"event": "Checked In"}, "checked_in"),
    ("t", {"event": "Product Viewed"}, "product.viewed"),
    ("identify", {"traits": {"city": "Taipei"}}, "member.updated"),
    ("i", {}, "member.updated"),
    ("page", {"name": "Home"}, "page.viewed"),
    ("p", {}, "page.viewed"),
    ("screen", {"name": "Cart"}, "screen.viewed"),
    ("s", {}, "screen.viewed"),
    ("group", {"groupId": "g"}, "group.joined"),
    ("g", {"groupId": "g"}, "group.joined"),
    ("alias", {"previousId": "x"}, "member.aliased"),
    ("a", {"previousId": "x"}, "member.aliased"),
]


async def test_each_route_takes_its_kind_of_message(server: Tracker):
    for path, told, type_ in KINDS:
        answer = await server.send(f"/v1/{path}", {"userId": "ann", **told})
        assert (answer.status_code, answer.json()) == (200, {"success": True})
        assert (await server.recorded())[-1] == ("ann", type_)
    for path in ("/v1/batch", "/v1/import", "/v1/b", "/v1/batch/", "/v1/import/", "/beacon/v1/batch"):
        told = {"batch": [{"type": "page", "userId": path}]}
        assert (await server.send(path, told)).json() == {"success": True}
        assert (await server.recorded())[-1] == (path, "page.viewed")


async def test_an_identify_sets_traits(server: Tracker):
    traits = {"city": "Taipei", "height": 1.68, "birthday": "1990-02-28T00:00:00Z"}
    await server.send("/v1/identify", {"userId": "ann", "traits": traits})
    rows = await server.shop.rows("select traits from member where member_id = 'ann'")
    assert rows == [({"city": "Taipei", "height": "1.68", "birthday": "1990-02-28"},)]


# -- A public key -----------------------------------------------------------------------------------------

RULES = """
id: coffee
currency: USD
zone: Asia/Taipei
assets: [{id: points}]
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}}
  - {id: checked_in, on: checked_in, asset: points, give: {fixed: 5}}
  - {id: joined, on: member.joined, asset: points, give: {fixed: 100}}
  - {id: shared, on: told.product.shared, asset: points, give: {fixed: 1}, limits: {per_day: 1}}
ladders:
  - id: club
    tiers: [{id: regular}, {id: gold, entry: "trait.vip = true"}]
benefits:
  - {id: hello, for: {ladder: club, tiers: [regular]}, upgrade_gift: {asset: points, amount: 50}}
"""

WORTHLESS = [
    track("Order Completed", **ORDER),
    track("Order Refunded", order_id="o-0"),
    track("Order Cancelled", order_id="o-0"),
    track("Checked In"),
    track("member.joined"),
    track("asset.granted", asset="points", amount=1000),
    track("told.product.shared"),
    {"type": "identify", "userId": "ann", "traits": {"vip": True, "email": "mallory@example.com"}},
    {"type": "group", "userId": "ann", "groupId": "staff"},
    {"type": "alias", "userId": "ann", "previousId": "bob"},
    {"type": "page", "userId": "ann"},
    {"type": "screen", "userId": "ann"},
]


async def test_nothing_a_public_key_tells_is_worth_anything_unless_a_rule_names_it(serve):
    async with serve(RULES) as door:
        tracker = Tracker(door, await door.secret("track", source="web"))
        await coffee.Shop(door.shop.pool).settle(coffee.order("ann", "o-0", 1000))
        was = await tracker.shop.rows("select balances, traits, tiers from member")
        assert was == [({"points": 60}, {}, {"club": "regular"})]
        assert await tracker.batch(*WORTHLESS) == {"success": True}
        assert await tracker.shop.rows("select balances, traits, tiers from member") == was
        assert {type_ for _, type_ in (await tracker.recorded())[1:]} <= {
            "told.order.paid", "told.order.refunded", "told.order.cancelled", "told.checked_in", "told.member_joined",
            "told.asset_granted", "told.told_product_shared", "told.member.updated", "told.group.joined",
            "told.member.aliased", "told.page.viewed", "told.screen.viewed",
        }  # fmt: skip
        await tracker.batch(track("Product Shared"), track("Product Shared"))
        assert await tracker.shop.available("ann") == 61
        assert await tracker.shop.findings() == []
        await tracker.client.aclose()


async def test_a_public_key_makes_no_members_so_that_nobody_gets_the_gift_of_a_first_tier(serve):
    async with serve(RULES) as door:
        tracker = Tracker(door, await door.secret("track", source="web"))
        told = await tracker.batch(
            {"type": "page", "anonymousId": "x", "messageId": "m-1"}, track("Ran", user="mallory")
        )
        assert [(reject["index"], reject.get("messageId"), reject["code"]) for reject in told["rejected"]][:1] == [
            (0, "m-1", "member_unknown")
        ]
        assert len(told["rejected"]) == 2
        assert await tracker.shop.rows("select member_id from member") == []
        await tracker.client.aclose()


async def test_a_key_without_the_scope_is_refused_and_the_answer_names_it(door: Door):
    tracker = Tracker(door, await door.secret("orders:write"))
    answer = await tracker.send("/v1/track", track("Ran"))
    assert (answer.status_code, answer.json()["facts"]) == (403, {"scope": "track"})
    await tracker.client.aclose()


# -- Who is calling ---------------------------------------------------------------------------------------


async def test_the_write_key_may_come_in_the_body_or_in_the_address_of_a_beacon(server: Tracker):
    told = {**track("Ran"), "writeKey": server.secret}
    plain = {"Content-Type": "text/plain"}
    answer = await server.client.post("/v1/t", content=json.dumps(told), headers=plain)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    batch = json.dumps({"batch": [track("Ran")]})
    params = {"writeKey": server.secret}
    assert (await server.client.post("/beacon/v1/batch", params=params, content=batch)).json() == {"success": True}
    assert await server.recorded() == [("ann", "ran")] * 2


NO_KEYS = [
    ({}, {}, "key_missing"),
    ({"Authorization": "Basic !"}, {}, "key_missing"),
    ({"Authorization": "Basic d3Jvbmc6"}, {}, "key_unknown"),
    ({}, {"writeKey": "wrong"}, "key_unknown"),
    ({}, {"writeKey": 7}, "key_missing"),
]


@pytest.mark.parametrize(("headers", "body", "code"), NO_KEYS)
async def test_without_a_good_key_nothing_is_recorded(server: Tracker, headers: dict, body: dict, code: str):
    answer = await server.client.post("/v1/track", json={**track("Ran"), **body}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, code)
    assert await server.recorded() == []


async def test_a_page_of_any_site_may_call_and_read_why_it_was_refused(server: Tracker):
    asked = {
        "Origin": "https://shop.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = await server.client.options("/v1/t", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    for answer in (await server.send("/v1/t", track("Ran")), await server.client.post("/v1/t", content=b"{}")):
        assert answer.headers["access-control-allow-origin"] == "*"
    elsewhere = await server.client.get("/v1/orders/o-1", headers=asked)
    assert "access-control-allow-origin" not in elsewhere.headers


# -- Once, in order, and as a whole -----------------------------------------------------------------------


async def test_a_message_told_twice_is_one_fact_whatever_time_it_takes(server: Tracker):
    told = {**track("Order Completed", **ORDER), "messageId": "k", "timestamp": "2026-01-01T00:00:00Z"}
    for sent_at in ("2026-01-01T00:00:05Z", "2026-01-01T00:00:09Z", None):
        assert await server.batch(told, told, sentAt=sent_at) == {"success": True}
    assert await server.recorded() == [("ann", "order.paid")]
    assert await server.shop.available("ann") == 12


async def test_another_message_under_the_same_id_is_not_recorded_and_the_answer_says_so(server: Tracker):
    await server.batch({**track("Ran", km=5), "messageId": "k"})
    told = await server.batch({**track("Ran", km=6), "messageId": "k"})
    assert [reject["code"] for reject in told["rejected"]] == ["key_reused"]
    assert await server.recorded() == [("ann", "ran")]


async def test_a_batch_is_settled_in_order_and_a_bad_message_loses_only_itself(server: Tracker):
    told = await server.batch(
        track("Order Completed", **ORDER),
        track("Order Completed", **{**ORDER, "order_id": "o-2", "currency": "TWD"}),
        {"type": "page", "messageId": "nobody"},
        track("Order Refunded", order_id="o-1", products=[{"sku": "b", "quantity": 1}]),
        track("Order Refunded", order_id="o-3"),
        7,
        track("Ran", text="\ud83d"),
        track("Ran", text="x" * MAX_MESSAGE),
        track("Order Cancelled", order_id="o-1"),
    )
    assert [(reject["index"], reject["code"]) for reject in told["rejected"]] == [
        (1, "other_currency"),
        (2, "missing"),
        (5, "wrong_type"),
        (7, "too_large"),
    ]
    assert all(reject["reason"] for reject in told["rejected"])
    shown = (await server.door.get("/v1/orders/o-1")).json()
    assert (shown["status"], shown["refunded"]) == ("cancelled", 1550)
    assert (await server.recorded())[-2:] == [("ann", "ran"), ("ann", "order.cancelled")]


async def test_an_order_completed_twice_under_two_ids_is_one_order(server: Tracker):
    told = await server.batch(track("Order Completed", **ORDER), track("Order Completed", **ORDER))
    assert [reject["code"] for reject in told["rejected"]] == ["order_exists"]
    assert await server.shop.available("ann") == 12


async def test_an_e_mail_that_another_member_has_does_not_lose_the_traits(server: Tracker):
    first = {"type": "identify", "userId": "ann", "traits": {"email": "a@example.com", "phone": "0912 345 678"}}
    assert await server.batch(first) == {"success": True}
    second = {"type": "identify", "userId": "bob", "traits": {"email": "a@Example.com ", "city": "Tainan"}}
    told = await server.batch({**second, "messageId": "b"})
    assert [(reject["index"], reject["code"]) for reject in told["rejected"]] == [(0, "identity_taken")]
    rows = await server.shop.rows("select member_id, traits ->> 'city' from member order by member_id")
    assert rows == [("ann", None), ("bob", "Tainan")]
    rows = await server.shop.rows("select kind, value, member_id from identity order by kind")
    assert rows == [("email", "a@example.com", "ann"), ("phone", "+886912345678", "ann")]


async def test_several_hundred_messages_are_settled_at_once(server: Tracker):
    assert await server.batch(*(track("Ran", user=f"m-{i % 50}", km=i) for i in range(500))) == {"success": True}
    assert len(await server.recorded()) == 500


# -- Bodies -----------------------------------------------------------------------------------------------


async def test_a_body_packed_with_gzip_is_unpacked(server: Tracker):
    packed = gzip.compress(json.dumps({"batch": [track("Ran")]}).encode())
    for path in ("/v1/batch", "/v1/import"):
        answer = await server.send(path, packed, **{"Content-Encoding": "gzip"})
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    assert await server.recorded() == [("ann", "ran")] * 2


def too_much(size: int) -> bytes:
    return b'{"batch": [], "x": "' + b"a" * size + b'"}'


WRONG_BODIES = [
    (b"{", "identity", 400, "invalid_request"),
    (b"", "identity", 400, "invalid_request"),
    (b"[]", "identity", 400, "invalid_request"),
    (b'{"batch": 7}', "identity", 400, "invalid_request"),
    (b"[" * 100_000, "identity", 400, "invalid_request"),
    (too_much(MAX_BODY), "identity", 400, "body_too_large"),
    (too_much(12 * 1024 * 1024), "identity", 400, "body_too_large"),
    (gzip.compress(too_much(20 * 1024 * 1024), mtime=0), "gzip", 400, "body_too_large"),
    (gzip.compress(b'{"batch": []}', mtime=0)[:-9], "gzip", 400, "invalid_request"),
    (gzip.compress(b'{"batch": []}', mtime=0) + b"more", "gzip", 400, "invalid_request"),
    (b'{"batch": []}', "gzip", 400, "invalid_request"),
    (b'{"batch": []}', "br", 415, "wrong_type"),
]


@pytest.mark.parametrize(("body", "encoding", "status", "code"), WRONG_BODIES)
async def test_a_body_that_cannot_be_read_is_refused_whole(
    server: Tracker, body: bytes, encoding: str, status: int, code: str
):
    answer = await server.send("/v1/batch", body, **{"Content-Encoding": encoding})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_single_message_above_its_size_is_refused_as_the_specification_has_it(server: Tracker):
    answer = await server.send("/v1/track", track("Ran", text="x" * MAX_MESSAGE))
    assert (answer.status_code, answer.json()["code"]) == (400, "body_too_large")
    assert answer.json()["facts"] == {"most": MAX_MESSAGE}


async def test_a_single_message_that_is_none_is_told_and_not_refused_as_the_specification_has_it(server: Tracker):
    answer = await server.send("/v1/track", {"event": "Ran", "messageId": "k"})
    assert answer.status_code == 200
    assert answer.json() == {
        "success": True,
        "rejected": [{"index": 0, "messageId": "k", "code": "missing", "reason": "userId or anonymousId is missing"}],
    }


async def test_without_a_program_libraries_are_told_to_come_again(serve):
    async with serve(None) as door:
        tracker = Tracker(door, await door.secret(*SERVER))
        answer = await tracker.send("/v1/track", track("Ran"))
        assert (answer.status_code, answer.json()["code"]) == (503, "no_program")
        await tracker.client.aclose()


async def test_too_many_requests_are_told_when_to_come_again(door: Door):
    tracker = Tracker(door, await door.secret("track", per_minute=1))
    await tracker.send("/v1/batch", {"batch": []})
    answer = await tracker.send("/v1/batch", {"batch": []})
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (429, "*")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    await tracker.client.aclose()


async def test_a_browser_is_hers_once_she_signed_in_there_and_nobodys_once_two_did(server: Tracker):
    seen = {"type": "page", "anonymousId": "x1"}
    bought = {"type": "track", "anonymousId": "x1", "event": "Order Completed", "properties": ORDER}
    await server.batch(seen, bought)
    await server.batch({"type": "identify", "userId": "ann", "anonymousId": "x1", "traits": {}})
    refunded = {"order_id": ORDER["order_id"], "products": ORDER["products"]}
    about = {"type": "track", "anonymousId": "x1", "event": "Order Refunded", "properties": refunded}
    assert "rejected" not in await server.batch(seen, about)
    await server.batch({"type": "alias", "userId": "bob", "previousId": "x1"})
    await server.batch(seen)
    assert await server.recorded() == [
        ("anon:x1", "page.viewed"),
        ("anon:x1", "order.paid"),
        ("ann", "member.updated"),
        ("ann", "page.viewed"),
        ("anon:x1", "order.refunded"),
        ("bob", "member.aliased"),
        ("anon:x1", "page.viewed"),
    ]
    assert await server.shop.findings() == []


@pytest.mark.parametrize("anonymous", ["null", "x\u200b", 7, None])
async def test_what_names_no_browser_loses_nothing_of_who_is_named(server: Tracker, anonymous: Any):
    told = {"type": "identify", "userId": "ann", "anonymousId": anonymous, "traits": {"city": "Taipei"}}
    assert "rejected" not in await server.batch(told)
    assert (await server.door.get("/v1/members/ann/identities")).json()["items"] == []


async def test_a_public_key_signs_nobody_in(server: Tracker, page: Tracker):
    await server.batch(track("Ran"))
    await page.batch({"type": "identify", "userId": "ann", "anonymousId": "x1", "traits": {}})
    assert (await server.door.get("/v1/members/ann/identities")).json()["items"] == []
