"""What watchers and strangers see: health, measures, addresses that are not there."""

import asyncio

import httpx
import pytest

from shuke.runtime.work import watch
from tests.web.conftest import Door

pytestmark = pytest.mark.database


async def test_a_served_shop_is_alive_and_ready_without_a_key(door: Door):
    async with door.other(None) as stranger:
        assert (await stranger.get("/healthz")).json() == {"status": "alive"}
        assert (await stranger.get("/readyz")).json() == {"status": "ready", "books": True, "program": True}


async def test_requests_are_measured_by_route_and_never_by_address(door: Door):
    await door.get("/v1/orders/secret-number")
    async with door.other(None) as stranger:
        measures = (await stranger.get("/metrics")).text
    assert 'shuke_request_seconds_count{method="GET",route="/v1/orders/{order_id}",status="404"} 1.0' in measures
    assert "secret-number" not in measures


async def test_settling_is_measured_beside_requests(door: Door):
    order = {"order_id": "o1", "member_id": "ada", "lines": [{"sku": "beans", "amount": 1000}]}
    assert (await door.post("/v1/orders", json=order)).status_code == 201
    await watch(door.shop.pool, door.shop.figures)()
    async with door.other(None) as stranger:
        measures = (await stranger.get("/metrics")).text
    assert "shuke_settle_batch_activities_count 1.0" in measures
    assert "shuke_clock_due_members 0.0" in measures
    assert 'shuke_webhook_waiting{endpoint="healthy"} 0.0' in measures
    assert "ada" not in measures


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/nothing", 404, "not_found"),
        ("GET", "/", 404, "not_found"),
        ("PUT", "/v1/orders", 405, "method_not_allowed"),
    ],
)
async def test_what_is_not_there_is_a_problem_too(door: Door, method: str, path: str, status: int, code: str):
    answer = await door.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_request_has_an_id_its_callers_own_if_it_is_harmless(door: Door):
    assert (await door.get("/healthz")).headers["X-Request-Id"].startswith("req_")
    told = await door.get("/healthz", headers={"X-Request-Id": "trace-12345678"})
    assert told.headers["X-Request-Id"] == "trace-12345678"
    odd = await door.get("/healthz", headers={"X-Request-Id": 'a"b\\nc' * 10})
    assert odd.headers["X-Request-Id"].startswith("req_")


async def test_a_body_that_says_it_is_too_large_is_refused_before_it_is_sent(door: Door):
    reader, writer = await asyncio.open_connection(*door.address.removeprefix("http://").split(":"))
    writer.write(b"POST /v1/orders HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n")
    answer = await reader.read()  # to the end: the server closes
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"body_too_large" in answer


async def test_a_body_without_end_is_cut_off(door: Door):
    sent = 0

    async def endless():
        nonlocal sent
        while True:
            sent += 65536
            yield b" " * 65536

    try:
        answer = await door.post("/v1/orders", content=endless(), headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    except (httpx.ReadError, httpx.WriteError):  # closed while we were still talking
        pass
    assert sent < 64 * 1024 * 1024
    assert (await door.get("/healthz")).status_code == 200


@pytest.mark.parametrize(
    ("told", "language"),
    [
        ("zh-TW", "zh-Hant"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-Hans"),
        ("fr, zh-HK;q=0.5", "zh-Hant"),
        ("en-GB;q=0.3, zh;q=0.9", "zh-Hans"),
        ("de", "en"),
        (";;q=x,,", "en"),
        ("", "en"),
    ],
)
async def test_a_problem_speaks_the_callers_language(door: Door, told: str, language: str):
    answer = await door.get("/v1/nothing", headers={"Accept-Language": told})
    assert answer.headers["content-language"] == language


async def test_books_that_cannot_be_written_are_said_to_be_away_and_a_repeat_is_settled_once(door: Door):
    async with door.shop.pool.connection() as connection:
        await connection.execute(
            """
            create function fail() returns trigger language plpgsql as $$ begin
                raise exception 'no space left for Mei Chen' using errcode = 'disk_full';
            end $$;
            create trigger fails before insert on activity execute function fail()
            """
        )
    order = {"order_id": "o1", "member_id": "ada", "lines": [{"sku": "beans", "amount": 1000}]}
    again = {"Idempotency-Key": "the-same"}
    answer = await door.post("/v1/orders", json=order, headers=again)
    assert (answer.status_code, answer.json()["code"]) == (503, "books_away")
    assert answer.headers["Retry-After"] == "1"
    assert "Mei Chen" not in answer.text
    async with door.shop.pool.connection() as connection:
        await connection.execute("drop trigger fails on activity")
    first, repeated = [await door.post("/v1/orders", json=order, headers=again) for _ in range(2)]
    assert (first.status_code, repeated.status_code) == (201, 201)
    assert first.json() == repeated.json()
    assert "Idempotent-Replayed" not in first.headers


async def test_books_that_only_read_are_away_for_whoever_writes(door: Door):
    async with door.shop.pool.connection() as connection:
        await connection.execute(
            """
            create function fail() returns trigger language plpgsql as $$ begin
                raise exception 'only reading' using errcode = 'read_only_sql_transaction';
            end $$;
            create trigger fails before insert on request execute function fail()
            """
        )
    answer = await door.post("/v1/keys", json={"name": "till", "source": "till", "scopes": ["members:read"]})
    assert (answer.status_code, answer.json()["code"]) == (503, "books_away")
