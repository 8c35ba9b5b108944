"""Webhooks over HTTP: endpoints are made, changed and tested, and each delivery says what became of it."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
from standardwebhooks import Webhook

from shuke.outreach.sending import Client
from shuke.outreach.webhooks import deliver
from shuke.runtime.catalogue import TOPICS
from shuke.runtime.clock import now
from shuke.values.instants import HOUR
from tests.outreach.receiver import Receiver, receiving, status
from tests.web.conftest import Door

pytestmark = pytest.mark.database

ENDPOINT = {"url": "https://erp.example.com/hooks", "topics": ["order.*", "asset.earned"], "description": "ERP"}
ORDER = {"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 1000}]}
MADE = "/v1/webhooks/endpoints"


@pytest.fixture
async def receiver(door: Door) -> AsyncIterator[Receiver]:
    """Somebody else's server on loopback, which this shop may call."""
    door.shop.private_webhooks = True
    async with receiving() as opened:
        yield opened


async def make(door: Door, **more: Any) -> dict[str, Any]:
    made = await door.post(MADE, json=ENDPOINT | more)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


async def delivered(door: Door, *, at: int | None = None) -> None:
    """The worker's round."""
    async with Client(private=True) as client:
        await deliver(door.shop.pool, now=now() if at is None else at, client=client, source="/shuke/test")


async def listed(door: Door, endpoint: dict[str, Any], **query: str) -> list[dict[str, Any]]:
    page = await door.get(f"{MADE}/{endpoint['endpoint_id']}/deliveries", params=query)
    items: list[dict[str, Any]] = page.json()["items"]
    return items


async def act(door: Door, endpoint: dict[str, Any], what: str, body: dict[str, Any] | None = None) -> httpx.Response:
    more = {} if body is None else {"json": body}
    return await door.post(f"{MADE}/{endpoint['endpoint_id']}/{what}", **more)


async def test_an_endpoint_is_made_shown_changed_and_removed(door: Door):
    made = await make(door)
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert made == {
        **ENDPOINT,
        "topics": ["asset.earned", "order.*"],
        "endpoint_id": made["endpoint_id"],
        "form": "standard",
        "status": "enabled",
        "disabled_why": None,
        "failing_since": None,
        "old_secret_until": None,
        "created_at": made["created_at"],
    }
    path = f"{MADE}/{made['endpoint_id']}"
    assert (await door.get(path)).json() == made
    changed = (await door.patch(path, json={"topics": ["*"], "form": "cloudevents"})).json()
    assert changed == made | {"topics": ["*"], "form": "cloudevents"}
    assert (await door.get(path)).json() == changed
    removed = await door.delete(path, headers={"Idempotency-Key": "gone"})
    assert (removed.status_code, removed.json()) == (200, changed)
    assert (await door.get(path)).status_code == 404


async def test_the_secret_is_shown_once(door: Door):
    headers = {"Idempotency-Key": "k"}
    first = (await door.post(MADE, json=ENDPOINT, headers=headers)).json()
    again = (await door.post(MADE, json=ENDPOINT, headers=headers)).json()
    assert again == first | {"secret": None}
    assert len((await door.get(MADE)).json()["items"]) == 1
    for path in (MADE, f"{MADE}/{first['endpoint_id']}"):
        assert "whsec_" not in (await door.get(path)).text
    async with door.shop.pool.connection() as connection:
        cursor = await connection.execute("select answer::text from request")
        assert not any(first["secret"] in answer for (answer,) in await cursor.fetchall())


async def test_a_ping_arrives_signed_with_the_secret_that_was_shown(door: Door, receiver: Receiver):
    made = await make(door, url=receiver.url())
    pinged = await act(door, made, "ping")
    assert pinged.status_code == 202
    assert (pinged.json()["state"], pinged.json()["topic"]) == ("waiting", "webhook.ping")
    await delivered(door)
    [arrived] = receiver.arrived
    told = Webhook(made["secret"]).verify(arrived.body, arrived.headers)
    assert (told["type"], told["data"]) == ("webhook.ping", {"endpoint_id": made["endpoint_id"]})
    whole = (await door.get(f"/v1/webhooks/deliveries/{pinged.json()['delivery_id']}")).json()
    assert (whole["state"], whole["answered"], whole["event"]) == ("delivered", 204, told)


async def test_an_order_over_the_api_is_told_and_its_delivery_says_how_that_went(door: Door, receiver: Receiver):
    receiver.answer(status(500), status(204))
    made = await make(door, url=receiver.url(), topics=["order.settled"])
    settled = (await door.post("/v1/orders", json=ORDER)).json()
    at = now()
    await delivered(door, at=at)
    [waiting] = await listed(door, made)
    assert (waiting["state"], waiting["attempts"], waiting["answered"]) == ("waiting", 1, 500)
    assert (waiting["trouble"], waiting["next_attempt_at"] > waiting["tried_at"]) == ("not_accepted", True)
    assert (await door.get(f"{MADE}/{made['endpoint_id']}")).json()["failing_since"] == waiting["tried_at"]
    await delivered(door, at=at + HOUR)
    [delivery] = await listed(door, made, state="delivered", topic="order.settled")
    assert (delivery["attempts"], delivery["next_attempt_at"], delivery["trouble"]) == (2, None, None)
    assert await listed(door, made, state="failed") == []
    told = receiver.arrived[-1].told
    assert told["data"]["activity_id"] == settled["activity"]
    assert (told["data"]["order_id"], told["data"]["earned"]) == ("o-1", settled["earned"])


async def test_a_rotated_secret_signs_beside_the_old_one_while_that_lasts(door: Door, receiver: Receiver):
    made = await make(door, url=receiver.url())
    rotated = (await act(door, made, "rotate", {"old_secret_hours": 1})).json()
    assert rotated["secret"] not in (made["secret"], None)
    assert rotated["old_secret_until"] is not None
    await act(door, made, "ping")
    await delivered(door)
    [arrived] = receiver.arrived
    for secret in (made["secret"], rotated["secret"]):
        Webhook(secret).verify(arrived.body, arrived.headers)
    at_once = (await act(door, made, "rotate", {"old_secret_hours": 0})).json()
    assert at_once["old_secret_until"] is None
    await act(door, made, "ping")
    await delivered(door)
    assert len(receiver.arrived[-1].headers["webhook-signature"].split()) == 1
    Webhook(at_once["secret"]).verify(receiver.arrived[-1].body, receiver.arrived[-1].headers)


async def test_what_failed_is_told_again_by_hand(door: Door, receiver: Receiver):
    receiver.answer(status(410))
    made = await make(door, url=receiver.url(), topics=["order.settled"])
    await door.post("/v1/orders", json=ORDER)
    await delivered(door)
    gone = (await door.get(f"{MADE}/{made['endpoint_id']}")).json()
    assert (gone["status"], gone["disabled_why"]) == ("disabled", "gone")
    [failed] = await listed(door, made, state="failed")
    path = f"/v1/webhooks/deliveries/{failed['delivery_id']}/redeliver"
    since = {"since": "2026-01-01T00:00:00Z"}
    for refused in (await door.post(path), await act(door, made, "redeliver", since)):
        assert (refused.status_code, refused.json()["code"]) == (409, "endpoint_disabled")
    enabled = (await act(door, made, "enable")).json()
    assert (enabled["status"], enabled["disabled_why"], enabled["failing_since"]) == ("enabled", None, None)
    receiver.answer(status(204))
    assert (await act(door, made, "redeliver", since)).json() == {"deliveries": 1}
    assert (await act(door, made, "redeliver", since)).json() == {"deliveries": 0}
    await delivered(door)
    again = await door.post(path)
    assert (again.status_code, again.json()["state"]) == (202, "waiting")
    await delivered(door)
    assert [arrived.id for arrived in receiver.arrived] == [failed["event_id"]] * 3


async def test_a_disabled_endpoint_is_told_of_nothing(door: Door, receiver: Receiver):
    made = await make(door, url=receiver.url(), topics=["*"])
    disabled = (await act(door, made, "disable")).json()
    assert (disabled["status"], disabled["disabled_why"]) == ("disabled", "by_hand")
    assert (await act(door, made, "disable")).json() == disabled
    await door.post("/v1/orders", json=ORDER)
    await delivered(door)
    assert receiver.arrived == []
    assert await listed(door, made) == []


async def test_a_long_url_is_kept_and_odd_words_in_the_address_find_nothing(door: Door):
    long = "https://erp.example.com/hooks?" + "a" * 1900
    made = await make(door, url=long)
    assert made["url"] == long
    path = f"{MADE}/{made['endpoint_id']}/deliveries"
    assert (await door.get(path, params={"cursor": "\x00"})).status_code == 400
    assert (await door.get(path, params={"topic": "\x00"})).status_code == 400
    assert (await door.get(path, params={"topic": "no.such", "cursor": "zzz"})).json() == {"items": [], "next": None}
    for since in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"):
        told = await act(door, made, "redeliver", {"since": since, "until": since})
        assert told.status_code in (202, 400)


async def test_lists_are_cut_into_pages(door: Door):
    endpoints = [await make(door, description=str(number)) for number in range(5)]
    for _ in range(5):
        await act(door, endpoints[0], "ping")

    async def walk(path: str) -> list[list[dict[str, Any]]]:
        pages: list[list[dict[str, Any]]] = []
        cursor: str | None = ""
        while cursor is not None:
            page = (await door.get(path, params={"limit": "2", "cursor": cursor})).json()
            pages.append(page["items"])
            cursor = page["next"]
        return pages

    pages = await walk(MADE)
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [item["description"] for page in pages for item in page] == list("01234")
    pages = await walk(f"{MADE}/{endpoints[0]['endpoint_id']}/deliveries")
    ids = [item["delivery_id"] for page in pages for item in page]
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len(set(ids)) == 5


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://erp.example.com/", "url_not_https"),
        ("https://localhost/hook", "address_not_public"),
        ("https://169.254.169.254/latest/meta-data", "address_not_public"),
        ("https://ann:pw@erp.example.com/", "url_with_credentials"),
        ("https://erp.example.com/#x", "url_with_fragment"),
        ("javascript:alert(1)", "url_invalid"),
    ],
)
async def test_a_url_that_is_not_called_is_refused_when_it_is_told(door: Door, url: str, code: str):
    refused = await door.post(MADE, json=ENDPOINT | {"url": url}, headers={"Accept-Language": "zh-TW"})
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    made = await make(door)
    changed = await door.patch(f"{MADE}/{made['endpoint_id']}", json={"url": url})
    assert changed.json()["code"] == code


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"topics": ["order.settle"]}, "/topics"),
        ({"topics": []}, "/topics"),
        ({"topics": ["webhook.ping"]}, "/topics"),
        ({"form": "xml"}, "/form"),
        ({"secret": "whsec_mine"}, "/secret"),
        ({"url": "x" * 3000}, "/url"),
    ],
)
async def test_what_cannot_be_meant_is_pointed_at(door: Door, wrong: dict[str, Any], pointer: str):
    refused = await door.post(MADE, json=ENDPOINT | wrong)
    assert (refused.status_code, refused.json()["code"]) == (400, "invalid_request")
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_there_are_only_so_many_endpoints(door: Door):
    for _ in range(50):
        await make(door)
    refused = await door.post(MADE, json=ENDPOINT)
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_endpoints")


async def test_who_may_read_may_not_write(door: Door):
    made = await make(door)
    async with door.other(await door.secret("webhooks:read")) as reader:
        assert (await reader.get(MADE)).status_code == 200
        for refused in (
            await reader.post(MADE, json=ENDPOINT),
            await act(reader, made, "ping"),
            await act(reader, made, "rotate", {}),
        ):
            assert refused.json()["facts"] == {"scope": "webhooks:write"}


@pytest.mark.parametrize("what", ["ping", "enable", "disable", "rotate", "redeliver"])
async def test_what_is_not_there_is_not_found(door: Door, what: str):
    bodies: dict[str, Any] = {"rotate": {}, "redeliver": {"since": "2026-01-01T00:00:00Z"}}
    refused = await act(door, {"endpoint_id": "whe_nobody"}, what, bodies.get(what))
    assert (refused.status_code, refused.json()["code"]) == (404, "not_found")
    assert (await door.get("/v1/webhooks/deliveries/dlv_nothing")).status_code == 404


async def test_the_catalogue_tells_every_event_with_its_schema_in_the_callers_language(door: Door):
    page = (await door.get("/v1/webhooks/events", headers={"Accept-Language": "zh-CN"})).json()
    assert [item["topic"] for item in page["items"]] == list(TOPICS)
    for item in page["items"]:
        assert item["title"] == TOPICS[item["topic"]].title["zh-Hans"]
        jsonschema_rs.meta.validate(item["data_schema"])
