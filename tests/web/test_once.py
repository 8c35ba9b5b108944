"""One request, one activity, once: what makes a request the same as one before, and what a repeat is answered."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any
from urllib.parse import quote

import httpx
import pytest
from fastapi import Query

from shuke.books.load import Connection
from shuke.web.api.callers import Call, writing
from shuke.web.api.contract import Shown
from shuke.web.api.routes import doors
from tests.shop import COFFEE
from tests.web.conftest import Door, publish, serving
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

ONCE = {"Idempotency-Key": "k-1"}
REUSED = (422, "idempotency_key_reused")


def order(number: str, member: str = "ann", amount: int = 1000) -> dict[str, Any]:
    return {"order_id": number, "member_id": member, "lines": [{"amount": amount}]}


# -- What is the same request -----------------------------------------------------------------------------


@pytest.mark.parametrize("one", ["o-1", "#1001", "a?b", "a/b", "é", "a b"])
@pytest.mark.parametrize("other", ["o-2", "#1002", "a?c", "a/c", "ê", "a c"])
async def test_a_key_used_for_one_order_is_no_key_for_another_whatever_they_are_called(
    door: Door, one: str, other: str
):
    for number in (one, other):
        assert (await door.post("/v1/orders", json=order(number))).status_code == 201
    done = await door.post(f"/v1/orders/{quote(one, safe='')}/refund", json={"amount": 100}, headers=ONCE)
    again = await door.post(f"/v1/orders/{quote(one, safe='')}/refund", json={"amount": 100}, headers=ONCE)
    assert (done.status_code, again.text, again.headers["Idempotent-Replayed"]) == (200, done.text, "true")
    for path in (f"{quote(other, safe='')}/refund", f"{quote(one, safe='')}/cancel"):
        refused = await door.post(f"/v1/orders/{path}", json={"amount": 100} if "refund" in path else {}, headers=ONCE)
        assert (refused.status_code, refused.json()["code"]) == REUSED


async def test_what_a_request_is_conditional_on_is_part_of_it(door: Door):
    text = b"id: coffee\ncurrency: TWD\nzone: Asia/Taipei\n"
    kind = {"Content-Type": "application/yaml"}
    first = await door.put("/v1/programs/draft", content=text, headers=kind)
    told = {**kind, "If-Match": first.headers["etag"], **ONCE}
    done = await door.put("/v1/programs/draft", content=text + b"# two\n", headers=told)
    again = await door.put("/v1/programs/draft", content=text + b"# two\n", headers=told)
    assert (done.status_code, again.text, again.headers["Idempotent-Replayed"]) == (200, done.text, "true")
    for match in ({"If-Match": done.headers["etag"]}, {"If-Match": "*"}, {"If-Match": None}):
        refused = await door.put("/v1/programs/draft", content=text + b"# two\n", headers=told | match)  # type: ignore[arg-type]  # None: none
        assert (refused.status_code, refused.json()["code"]) == REUSED


class Told(Shown):
    size: int


async def test_what_stands_behind_the_question_mark_is_part_of_it(door: Door):
    router = doors("Test")

    @router.post("/things", status_code=201, response_model=Told)
    async def make(call: Annotated[Call, writing("orders:write")], size: Annotated[int, Query()] = 1) -> Any:
        async def act(connection: Connection) -> Told:
            return Told(size=size)

        return await call.once(act)

    door.app.include_router(router)
    first = await door.post("/v1/things?size=2", headers=ONCE)
    again = await door.post("/v1/things?size=2", headers=ONCE)
    assert (first.json(), again.json(), again.headers["Idempotent-Replayed"]) == ({"size": 2}, {"size": 2}, "true")
    for address in ("/v1/things?size=3", "/v1/things"):
        refused = await door.post(address, headers=ONCE)
        assert (refused.status_code, refused.json()["code"]) == REUSED


# -- What a repeat is answered ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "told"), [("refund", {"amount": 100}), ("cancel", {}), ("complete", {}), ("refund", {"amount": 9999})]
)
async def test_an_act_on_an_order_is_answered_the_same_when_another_member_has_such_an_order(
    door: Door, act: str, told: dict[str, Any]
):
    await door.post("/v1/orders", json=order("7"))
    first = await door.post(f"/v1/orders/7/{act}", json=told, headers=ONCE)
    assert first.status_code == (422 if told.get("amount") == 9999 else 200)
    await door.post("/v1/orders", json=order("7", "bob"))
    assert (await door.post(f"/v1/orders/7/{act}", json=told)).json()["code"] == "member_needed"
    again = await door.post(f"/v1/orders/7/{act}", json=told, headers=ONCE)
    instance = first.json().get("instance", "")
    assert again.text.replace(again.json().get("instance", ""), "") == first.text.replace(instance, "")
    other = await door.post(f"/v1/orders/7/{act}", json=told | {"occurred_at": "2020-01-01T00:00:00Z"}, headers=ONCE)
    assert (other.status_code, other.json()["code"]) == REUSED


GONE: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/v1/points/transfer", {"member_id": "ann", "to_member_id": "bob", "asset": "points", "amount": 1}),
    ("POST", "/v1/tiers/grant", {"member_id": "bob", "ladder": "club", "tier": "gold", "days": 3}),
    ("POST", "/v1/tiers/revoke", {"member_id": "bob", "ladder": "club", "ref": "there"}),
    ("PATCH", "/v1/members/bob", {"tags": ["staff"]}),
    ("POST", "/v1/members/bob/erase", {}),
]


@pytest.mark.parametrize(("method", "path", "told"), GONE, ids=[path for _, path, _ in GONE])
async def test_what_was_settled_is_answered_the_same_when_a_member_it_needs_is_gone(
    serve, method: str, path: str, told: dict[str, Any]
):
    async with serve(PROGRAM) as door:
        await door.post("/v1/members", json={"member_id": "bob"})
        await door.post("/v1/orders", json=order("1"))
        await door.post("/v1/tiers/grant", json={"member_id": "bob", "ladder": "club", "tier": "gold", "ref": "there"})
        first = await door.request(method, path, json=told, headers=ONCE)
        assert first.status_code in (200, 201), first.text
        async with door.shop.pool.connection() as connection:
            await connection.execute("delete from member where member_id = 'bob'")
        again = await door.request(method, path, json=told, headers=ONCE)
        assert (again.status_code, again.text) == (first.status_code, first.text)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert (await door.request(method, path, json=told)).json()["code"] in ("member_unknown", "receiver_unknown")


async def test_who_enrolled_with_a_phone_of_the_programs_region_is_answered_the_same_when_it_moved(serve):
    async with serve(PROGRAM) as door:
        told = {"identities": {"phone": "0912345678"}}
        first = await door.post("/v1/members", json=told, headers=ONCE)
        await publish(door.shop, PROGRAM.replace("Asia/Taipei", "UTC"), at=2)
        assert (await door.post("/v1/members", json=told)).status_code == 400
        assert (await door.post("/v1/members", json=told, headers=ONCE)).text == first.text


async def test_codes_are_made_once_also_where_their_template_is_gone(serve):
    async with serve(PROGRAM) as door:
        told = {"template": "printed", "size": 3}
        first = await door.post("/v1/coupons/batches", json=told, headers=ONCE)
        assert first.status_code == 201
        await publish(door.shop, PROGRAM.replace("id: printed", "id: typed"), at=2)
        assert (await door.post("/v1/coupons/batches", json=told)).json()["code"] == "coupon_unknown"
        assert (await door.post("/v1/coupons/batches", json=told, headers=ONCE)).text == first.text


async def test_an_endpoint_is_made_once_also_where_the_server_allows_less_than_before(door: Door):
    told = {"url": "http://127.0.0.1:9/", "topics": ["*"]}
    door.shop.private_webhooks = True
    first = await door.post("/v1/webhooks/endpoints", json=told, headers=ONCE)
    assert first.status_code == 201
    door.shop.private_webhooks = False
    assert (await door.post("/v1/webhooks/endpoints", json=told)).status_code == 422
    again = await door.post("/v1/webhooks/endpoints", json=told, headers=ONCE)
    assert again.json() == first.json() | {"secret": None}


async def test_a_look_up_that_fails_says_why_where_nothing_was_settled(door: Door):
    for _ in range(2):
        answer = await door.post("/v1/orders/none/refund", json={}, headers=ONCE)
        assert (answer.status_code, answer.json()["code"]) == (404, "order_unknown")
    assert (await door.post("/v1/orders", json=order("none"), headers=ONCE)).status_code == 201


# -- A key is good for one thing --------------------------------------------------------------------------


KEY = {"name": "made", "source": "made", "scopes": ["orders:read"]}


def activity(door: Door) -> Awaitable[httpx.Response]:
    return door.post("/v1/orders", json=order("1"), headers=ONCE)


def other(door: Door) -> Awaitable[httpx.Response]:
    return door.post("/v1/keys", json=KEY, headers=ONCE)


async def done(door: Door) -> tuple[int, int]:
    """How many activities were settled, and how many keys made."""
    counted = "select (select count(*) from activity), count(*) from api_key where name = 'made'"
    async with door.shop.pool.connection() as connection:
        found = await connection.execute(counted)
        row = await found.fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.parametrize(("first", "then"), [(activity, other), (other, activity)])
async def test_a_key_used_for_an_activity_is_good_for_nothing_else_and_the_other_way_round(door: Door, first, then):
    one = await first(door)
    assert one.status_code == 201
    for _ in range(2):
        refused = await then(door)
        assert (refused.status_code, refused.json()["code"]) == REUSED
        again = await first(door)
        assert (again.status_code, again.headers["Idempotent-Replayed"]) == (201, "true")
    assert sum(await done(door)) == 1


async def test_a_key_used_for_something_else_settles_nothing_wherever_it_is_told(door: Door):
    assert (await other(door)).status_code == 201
    item = {"type": "ran", "member_id": "ann", "key": ONCE["Idempotency-Key"], "occurred_at": "2026-05-01T12:00:00Z"}
    told = await door.post("/v1/activities", json={"activities": [item, {**item, "key": "k-2"}]})
    assert [(one["status"], one.get("code")) for one in told.json()["results"]] == [
        ("refused", "key_reused"),
        ("settled", None),
    ]
    missing = await door.post("/v1/orders/none/refund", json={}, headers=ONCE)
    assert (missing.status_code, missing.json()["code"]) == REUSED
    till = await door.secret("orders:write", source="till")
    async with door.other(till) as somebody:  # keys are those of a source
        assert (await activity(somebody)).status_code == 201


async def test_of_an_activity_and_something_else_under_one_key_at_once_one_is_done(door: Door):
    for number in range(10):
        headers = {"Idempotency-Key": f"race-{number}"}
        before = await done(door)
        answers = await asyncio.gather(
            *(door.post("/v1/orders", json=order(f"r-{number}"), headers=headers) for _ in range(3)),
            *(door.post("/v1/keys", json=KEY, headers=headers) for _ in range(3)),
        )
        after = await done(door)
        assert sorted((after[0] - before[0], after[1] - before[1])) == [0, 1]
        codes = [(answer.status_code, answer.json().get("code")) for answer in answers]
        assert sorted((codes[:3], codes[3:])) == [[(201, None)] * 3, [REUSED] * 3]
    assert door.app.state.gate._under_way == {}


async def test_two_servers_keep_to_what_each_answered_first(books_url: str, tenant: str):
    async with serving(books_url, tenant, program=COFFEE) as here, serving(books_url, tenant, program=None) as there:
        for number in range(20):
            headers = {"Idempotency-Key": f"race-{number}"}
            first, again = [
                await asyncio.gather(
                    here.post("/v1/orders", json=order(f"r-{number}"), headers=headers),
                    there.post("/v1/keys", json=KEY, headers=headers),
                )
                for _ in range(2)
            ]
            assert 201 in [one.status_code for one in first]
            for one, two in zip(first, again, strict=True):
                if one.status_code == 201:
                    assert {**two.json(), "secret": None} == {**one.json(), "secret": None}
                else:
                    assert [(it.status_code, it.json()["code"]) for it in (one, two)] == [REUSED] * 2
