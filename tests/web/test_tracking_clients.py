"""Existing clients work unchanged: the libraries of Segment and RudderStack themselves, pointed at our server."""

import base64
from pathlib import Path
from typing import Any

import pytest

from tests import shop as coffee
from tests.web.conftest import Door
from tests.web.tracking_clients import Send, install, node, python, wire

pytestmark = [pytest.mark.database, pytest.mark.node]

SERVER = ("track", "orders:write", "members:write", "activities:write")
LIBRARIES = ["segment-analytics-python", "@segment/analytics-node", "@rudderstack/rudder-sdk-node"]


@pytest.fixture(scope="session")
def installed() -> Path:
    return install()


@pytest.fixture(params=LIBRARIES)
def send(request: pytest.FixtureRequest) -> Send:
    """Sends messages with a library."""
    if request.param == "segment-analytics-python":
        return python
    library = "segment" if request.param == "@segment/analytics-node" else "rudderstack"
    return node(library, request.getfixturevalue("installed"))


ORDER = {
    "order_id": "o-1",
    "subtotal": 12.5,
    "shipping": 3,
    "currency": "USD",
    "products": [
        {"product_id": "1", "sku": "BEAN-250", "price": 10, "quantity": 1},
        {"product_id": "2", "sku": "CUP", "price": 1.25, "quantity": 2},
    ],
}
REFUND = {"order_id": "o-1", "products": [{"sku": "CUP", "quantity": 1}]}

MESSAGES: list[dict[str, Any]] = [
    {"type": "identify", "userId": "ann", "traits": {"email": "ann@Example.com", "height": 1.68}},
    {
        "type": "track",
        "userId": "ann",
        "event": "Order Completed",
        "properties": ORDER,
        "timestamp": "2026-05-01T12:00:00.000+00:00",
    },
    {"type": "track", "userId": "ann", "event": "Order Refunded", "properties": REFUND},
    {"type": "track", "userId": "ann", "event": "Checked In", "properties": {"store": "Taipei 1", "visits": 3}},
    {"type": "track", "anonymousId": "x-1", "event": "Product Viewed", "properties": {"sku": "CUP", "price": 1.25}},
    {"type": "page", "userId": "ann", "name": "Beans", "properties": {"path": "/beans"}},
    {"type": "screen", "userId": "ann", "name": "Cart", "properties": {"items": 2}},
    {"type": "group", "userId": "ann", "groupId": "office-7", "traits": {"name": "The office"}},
    {"type": "alias", "userId": "ann", "previousId": "x-1"},
]

RECORDED = [
    ("ann", "member.updated", {"traits": {"email": "ann@Example.com", "height": "1.68"}}),
    ("ann", "member.updated", {"identities": {"email": "ann@example.com"}}),
    ("ann", "order.paid", None),
    ("ann", "order.refunded", {"order_id": "o-1", "lines": [{"line": 2, "quantity": 1}]}),
    ("ann", "checked_in", {"store": "Taipei 1", "visits": 3}),
    ("anon:x-1", "product.viewed", {"sku": "CUP", "price": "1.25"}),
    ("ann", "page.viewed", {"name": "Beans", "path": "/beans"}),
    ("ann", "screen.viewed", {"name": "Cart", "items": 2}),
    ("ann", "group.joined", {"group_id": "office-7", "traits": {"name": "The office"}}),
    ("ann", "member.aliased", {"previous_id": "x-1"}),
]


async def recorded(door: Door) -> list[tuple[Any, ...]]:
    """(member, type, payload) of all that was settled, in order."""
    rows = await coffee.Shop(door.shop.pool).rows("select member_id, type, body -> 'payload' from activity order by id")
    return [(member, type_, payload) for member, type_, payload in rows]


async def test_everything_a_library_can_tell_is_settled(door: Door, send: Send):
    secret = await door.secret(*SERVER, source="backend")
    async with wire(door.address) as line:
        assert await send(line.address, secret, MESSAGES) == []
    assert await recorded(door) == RECORDED
    shown = (await door.get("/v1/orders/o-1")).json()
    assert (shown["amount"], shown["refunded"], shown["placed_at"][:19]) == (1550, 125, "2026-05-01T12:00:00")
    shop = coffee.Shop(door.shop.pool)
    assert await shop.available("ann") == 11
    traits = {"email": "ann@Example.com", "height": "1.68"}
    assert await shop.rows("select traits from member where member_id = 'ann'") == [(traits,)]
    assert await shop.findings() == []
    basic = base64.b64encode(f"{secret}:".encode()).decode()
    assert {(seen.path, seen.headers["authorization"]) for seen in line.seen} == {("/v1/batch", f"Basic {basic}")}


@pytest.mark.parametrize("send", [LIBRARIES[0], LIBRARIES[2]], indirect=True)
async def test_bodies_packed_with_gzip_are_read(door: Door, send: Send):
    secret = await door.secret(*SERVER)
    async with wire(door.address) as line:
        assert await send(line.address, secret, MESSAGES, gzip=True) == []
    assert {seen.headers["content-encoding"] for seen in line.seen} == {"gzip"}
    assert await recorded(door) == RECORDED


async def test_messages_come_in_batches_and_all_of_them_are_settled(door: Door, send: Send):
    secret = await door.secret(*SERVER)
    messages = [{"type": "track", "userId": f"m-{n % 7}", "event": "Ran", "properties": {"km": n}} for n in range(150)]
    async with wire(door.address) as line:
        assert await send(line.address, secret, messages) == []
    assert sum(len(seen.told()["batch"]) for seen in line.seen) == 150
    assert 1 < len(line.seen) < 30
    assert sorted(payload["km"] for _, _, payload in await recorded(door)) == list(range(150))


async def test_what_a_library_sends_again_because_the_answer_was_lost_is_settled_once(door: Door, send: Send):
    secret = await door.secret(*SERVER)
    async with wire(door.address, lose=1) as line:
        assert await send(line.address, secret, MESSAGES) == []
    ids = [message["messageId"] for seen in line.seen for message in seen.told()["batch"]]
    assert len(ids) > len(set(ids)) == len(MESSAGES)
    assert await recorded(door) == RECORDED
    assert await coffee.Shop(door.shop.pool).available("ann") == 11


async def test_a_key_for_tracking_alone_works_and_what_it_tells_is_worth_nothing(door: Door, send: Send):
    await coffee.Shop(door.shop.pool).settle(coffee.order("ann", "o-0", 100))
    async with wire(door.address) as line:
        assert await send(line.address, await door.secret("track"), MESSAGES) == []
    told = [(member, type_) for member, type_, _ in (await recorded(door))[1:]]
    assert told == [("ann", f"told.{type_}") for member, type_, _ in RECORDED[1:] if member == "ann"]
    assert await coffee.Shop(door.shop.pool).available("ann") == 1


IN_A_PAGE: list[dict[str, Any]] = [
    {"type": "page", "name": "Beans"},  # by nobody the shop knows yet
    {"type": "identify", "userId": "ann", "traits": {"vip": True}},
    {"type": "page", "name": "Cups"},
    {"type": "track", "event": "Product Viewed", "properties": {"sku": "CUP", "price": 1.25}},
    {"type": "track", "event": "Order Completed", "properties": ORDER},
    {"type": "group", "groupId": "office-7", "traits": {}},
    {"type": "alias", "userId": "ann", "previousId": "x-1"},
]


async def test_the_library_for_browsers_tells_of_members_the_shop_knows(door: Door, installed: Path):
    await coffee.Shop(door.shop.pool).settle(coffee.order("ann", "o-0", 100))
    async with wire(door.address) as line:
        assert await node("page", installed)(line.address, await door.secret("track"), IN_A_PAGE) == []
    assert [seen.path for seen in line.seen] == [f"/v1/{letter}" for letter in "pipttga"]
    assert {seen.headers["content-type"] for seen in line.seen} == {"text/plain"}
    told = (await recorded(door))[1:]
    assert [(member, type_) for member, type_, _ in told] == [
        ("ann", "told.member.updated"),
        ("ann", "told.page.viewed"),
        ("ann", "told.product.viewed"),
        ("ann", "told.order.paid"),
        ("ann", "told.group.joined"),
        ("ann", "told.member.aliased"),
    ]
    assert told[2][2] == {"sku": "CUP", "price": "1.25"}
    assert await coffee.Shop(door.shop.pool).available("ann") == 1


async def test_a_library_with_a_wrong_key_is_told_and_does_not_try_again(door: Door, send: Send):
    async with wire(door.address) as line:
        errors = await send(line.address, "shk_wrong", MESSAGES[:1])
    assert len(errors) == 1
    assert len(line.seen) == 1
