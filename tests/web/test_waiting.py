"""A refund that overtakes its order waits for it: settled once, given up in the open, never lost in silence."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from shuke.books import waiting
from shuke.intake.waiting import PATIENCE, WAITING_MOST, settle_waiting
from shuke.runtime.clock import now
from shuke.values.instants import DAY, MINUTE
from tests.web.conftest import Door
from tests.web.test_tracking import ORDER, SERVER, Tracker, track

pytestmark = pytest.mark.database

REFUND = {**track("Order Refunded", order_id="o-1", products=[{"sku": "b", "quantity": 2}]), "messageId": "r-1"}
PAID = {**track("Order Completed", **ORDER), "messageId": "p-1"}


@pytest.fixture
async def server(door: Door) -> AsyncIterator[Tracker]:
    """A key that stays on the shop's own server."""
    tracker = Tracker(door, await door.secret(*SERVER, source="backend"))
    async with tracker.client:
        yield tracker


async def looked(door: Door, *, later: int = 0) -> int:
    return await settle_waiting(door.shop, now=now() + later)


async def listed(door: Door, **asked: Any) -> list[dict[str, Any]]:
    answer = await door.get("/v1/tracking/waiting", params=asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_refund_that_overtakes_its_order_is_settled_once_the_order_has_come(server: Tracker, door: Door):
    assert await server.batch(REFUND) == {"success": True}
    assert await server.recorded() == []
    [waits] = await listed(door)
    assert (waits["key"], waits["type"], waits["order_id"], waits["state"]) == (
        "r-1",
        "order.refunded",
        "o-1",
        "waiting",
    )
    assert (waits["source"], waits["member_id"], waits["code"]) == ("track:backend", "ann", None)
    assert await looked(door) == 0, "its order is not there yet"
    assert await server.batch(PAID) == {"success": True}
    assert await looked(door) == 1
    assert (await door.get("/v1/orders/o-1")).json()["refunded"] == 250
    assert await server.recorded() == [("ann", "order.paid"), ("ann", "order.refunded")]
    assert await listed(door) == []
    assert await looked(door) == 0
    assert await server.shop.findings() == []


async def test_a_refund_may_stand_before_its_order_in_one_batch_and_the_order_may_come_another_way(
    server: Tracker, door: Door
):
    assert await server.batch(REFUND, PAID) == {"success": True}
    assert await server.batch(track("Order Cancelled", order_id="o-2"), track("Order Delivered", order_id="o-3"))
    for number in (2, 3):
        told = {"order_id": f"o-{number}", "member_id": "ann", "lines": [{"amount": 700}]}
        assert (await door.post("/v1/orders", json=told)).status_code == 201
    assert await looked(door) == 3
    stands = [(await door.get(f"/v1/orders/o-{number}")).json()["status"] for number in (1, 2, 3)]
    assert stands == ["paid", "cancelled", "completed"]
    assert (await door.get("/v1/orders/o-1")).json()["refunded"] == 250


async def test_a_refund_told_again_while_it_waits_or_later_is_one_refund(server: Tracker, door: Door):
    for sent_at in ("2026-01-01T00:00:05Z", None):
        assert await server.batch(REFUND, REFUND, sentAt=sent_at) == {"success": True}
    assert len(await listed(door)) == 1
    assert await server.batch(PAID, REFUND) == {"success": True}, "now it has its order, and is settled at once"
    assert await looked(door) == 1, "and what waited is known to be the same"
    assert await server.batch(REFUND) == {"success": True}
    assert await server.recorded() == [("ann", "order.paid"), ("ann", "order.refunded")]
    assert await listed(door) == []


async def test_many_workers_settle_what_waits_once(server: Tracker, door: Door):
    parts = [
        {**track("Order Refunded", order_id="o-1", total="0.50"), "messageId": f"r-{number}"} for number in range(10)
    ]
    assert await server.batch(*parts, PAID) == {"success": True}
    await asyncio.gather(*(looked(door) for _ in range(4)))
    assert (await door.get("/v1/orders/o-1")).json()["refunded"] == 500
    assert await listed(door) == []
    assert await server.shop.findings() == []


async def test_another_message_under_the_key_of_one_that_waits_is_rejected(server: Tracker):
    await server.batch(REFUND)
    other = {**track("Order Refunded", order_id="o-2"), "messageId": "r-1"}
    told = await server.batch(other)
    assert [reject["code"] for reject in told["rejected"]] == ["key_reused"]


async def test_an_order_that_never_comes_is_given_up_in_the_open(server: Tracker, door: Door):
    await server.batch(REFUND)
    assert await looked(door, later=PATIENCE - MINUTE) == 0
    assert await looked(door, later=PATIENCE + MINUTE) == 1
    [given_up] = await listed(door, state="given_up")
    assert (given_up["code"], given_up["detail"]) == ("order_unknown", "This member has no such order: o-1.")
    assert given_up["ended_at"] is not None
    assert await listed(door, state="waiting") == []
    told = await server.batch(REFUND)
    assert [reject["code"] for reject in told["rejected"]] == ["order_unknown"]
    await server.batch(PAID)
    assert await looked(door) == 0
    assert await server.recorded() == [("ann", "order.paid")]
    assert await server.batch(REFUND) == {"success": True}, "sent again it has its order"
    assert (await door.get("/v1/orders/o-1")).json()["refunded"] == 250


UNFIT = [
    ({"order_id": "o-1", "products": [{"sku": "z"}]}, "product_unknown"),
    ({"order_id": "o-1", "total": 15}, "refund_exceeds_order"),
]


@pytest.mark.parametrize(("refund", "code"), UNFIT)
async def test_what_does_not_fit_its_order_is_given_up_with_the_reason(
    server: Tracker, door: Door, refund: dict[str, Any], code: str
):
    await server.batch({**track("Order Refunded", **refund), "messageId": "r-1"})
    await server.batch(PAID)
    await server.batch(track("Order Refunded", order_id="o-1", total=1))
    assert await looked(door) == 1
    [given_up] = await listed(door)
    assert (given_up["state"], given_up["code"]) == ("given_up", code)
    assert given_up["detail"]
    assert (await door.get("/v1/orders/o-1")).json()["refunded"] == 100


async def test_what_waits_is_bounded_and_what_has_no_room_is_told_so(server: Tracker, door: Door):
    filling = """
        insert into waiting (waiting_id, source, key, bucket, member_id, order_id, type, occurred_at, received_at,
            request, told, state)
        select 'wtg_' || n, 'track:other', n::text, 1, 'bo', n::text, 'order.refunded', now(), now(), '', '{}',
            'waiting'
        from generate_series(1, %s) as n
    """
    async with door.shop.pool.connection() as connection:
        await connection.execute(filling, (WAITING_MOST - 1,))
    more = {**REFUND, "messageId": "r-2"}
    told = await server.batch(REFUND, more)
    assert [(reject["index"], reject["code"]) for reject in told["rejected"]] == [(1, "order_unknown")]
    assert await looked(door) == 0
    await server.batch(PAID)
    assert await looked(door) == 1
    assert await server.batch(more) != {"success": True}, "nothing is left to come back"


async def test_the_list_is_cut_into_pages_and_needs_the_scope(server: Tracker, door: Door):
    await server.batch(*({**REFUND, "messageId": f"r-{number}"} for number in range(5)))
    keys, cursor = [], ""
    while cursor is not None:
        page = (await door.get("/v1/tracking/waiting", params={"limit": 2, "cursor": cursor})).json()
        keys += [one["key"] for one in page["items"]]
        cursor = page["next"]
    assert keys == ["r-4", "r-3", "r-2", "r-1", "r-0"]
    async with door.other(await door.secret("track")) as stranger:
        assert (await stranger.get("/v1/tracking/waiting")).status_code == 403


async def test_what_waits_of_a_person_is_exported_and_erased_with_her(server: Tracker, door: Door):
    await server.batch(PAID, track("Order Refunded", order_id="o-9"))
    exported = (await door.get("/v1/members/ann/export")).json()
    assert [one["order_id"] for one in exported["waiting"]] == ["o-9"]
    assert (await door.post("/v1/members/ann/erase", json={})).status_code == 200
    assert await listed(door) == []
    assert await server.shop.findings() == []


async def test_what_was_given_up_is_forgotten_in_the_end(server: Tracker, door: Door):
    await server.batch(REFUND)
    await looked(door, later=PATIENCE + MINUTE)
    async with door.shop.pool.connection() as connection:
        assert await waiting.forget(connection, before=now()) == 0
        assert await waiting.forget(connection, before=now() + PATIENCE + DAY) == 1
    assert await listed(door) == []
