"""serve and keys: the doors as an operator opens and closes them, and what a caller loses when they fall shut."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from shuke.books.connect import connect_blocking
from shuke.web.api.guesses import FAILURES
from tests.cli.conftest import Make, Shuke, opened

pytestmark = pytest.mark.database

ORDERS = 120
POINTS = 1  # of an order, 1,000 cents


@contextmanager
def served(shuke: Shuke, *arguments: str) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """The address of a server in a process of its own, and the process; ended with the block if it is not yet."""
    process = shuke.start("serve", "--port", "0", *arguments, SHUKE_LOG="json")
    assert process.stderr is not None
    try:
        yield next(told["address"] for told in events(process) if told["event"] == "serve.started"), process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate()


def events(process: subprocess.Popen[str]) -> Iterator[dict[str, str]]:
    assert process.stderr is not None
    return (json.loads(line) for line in process.stderr if line.startswith("{"))


def secret_of(shuke: Shuke, *scopes: str) -> str:
    arguments = [part for scope in scopes for part in ("--scope", scope)]
    said = shuke("keys", "add", "Shop", "--source", "webshop", *arguments, "--per-minute", "100000", "--json")
    assert said.status == 0, said.err
    secret: str = said.json["secret"]
    return secret


async def tell(address: str, secret: str, *, stop: subprocess.Popen[str] | None, by: int = 0) -> list[str]:
    """Send all orders at once, each under its own key; ``stop`` gets the signal after some answers.

    Returns the orders that were acknowledged.
    """
    acknowledged: list[str] = []

    async def send(client: httpx.AsyncClient, number: int) -> None:
        order = f"W-{number}"
        body = {"order_id": order, "member_id": f"W-{number % 7}", "lines": [{"amount": 1000}]}
        try:
            answer = await client.post("/v1/orders", json=body, headers={"Idempotency-Key": order})
        except httpx.TransportError:
            return
        assert answer.status_code == 201, answer.text
        acknowledged.append(order)
        if stop is not None and len(acknowledged) == 10:
            stop.send_signal(by)

    limits = httpx.Limits(max_connections=16)
    headers = {"Authorization": f"Bearer {secret}"}
    async with httpx.AsyncClient(base_url=address, headers=headers, limits=limits, timeout=60) as client:
        await asyncio.gather(*(send(client, number) for number in range(ORDERS)))
    return acknowledged


@pytest.mark.crash
@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGKILL])
def test_what_a_stopped_or_killed_server_acknowledged_is_there_and_nothing_is_there_twice(
    make_shuke: Make, unborn_tenant: str, books_url: str, by: signal.Signals
):
    shuke = make_shuke(unborn_tenant)
    with served(shuke) as (address, process):  # makes the books
        assert shuke("publish", "program.yaml").status == 0
        secret = secret_of(shuke, "orders:write", "orders:read")
        acknowledged = asyncio.run(tell(address, secret, stop=process, by=by))
        status = process.wait()
    assert status == (0 if by is signal.SIGTERM else -signal.SIGKILL)
    assert len(acknowledged) >= 10
    with served(shuke) as (address, _):
        headers = {"Authorization": f"Bearer {secret}"}
        with httpx.Client(base_url=address, headers=headers) as client:
            assert {client.get(f"/v1/orders/{order}").status_code for order in acknowledged} == {200}
        assert len(asyncio.run(tell(address, secret, stop=None))) == ORDERS
    assert shuke("verify").status == 0
    with connect_blocking(books_url, tenant=unborn_tenant) as connection:
        cursor = connection.execute("select sum((balances ->> 'points')::int), sum(seq) from member")
        assert cursor.fetchone() == (ORDERS * POINTS, ORDERS)


@pytest.mark.parametrize(("trusted", "other"), [((), 429), (("--proxy", "127.0.0.0/8"), 401)])
def test_where_a_request_comes_from_is_only_believed_of_a_proxy_that_is_named(
    make_shuke: Make, unborn_tenant: str, trusted: tuple[str, ...], other: int
):
    with (
        served(make_shuke(unborn_tenant), "--no-work", *trusted) as (address, _),
        httpx.Client(base_url=address, headers={"Authorization": "Bearer shk_guess"}) as client,
    ):

        def status(address: str) -> int:
            return client.get("/v1/members", headers={"X-Forwarded-For": f"198.51.100.1, {address}"}).status_code

        assert {status("203.0.113.7") for _ in range(FAILURES)} == {401}
        assert {status("203.0.113.7") for _ in range(10)} >= {429}
        assert status("203.0.113.8") == other


def test_a_proxy_that_is_no_address_is_told_before_anything_begins(make_shuke: Make, unborn_tenant: str):
    said = make_shuke(unborn_tenant)("serve", "--proxy", "nginx")
    assert said.status != 0
    assert "nginx is no address and no network of a proxy" in said.err


class Collector(BaseHTTPRequestHandler):
    """Takes what an exporter of traces posts."""

    spans: Queue[Span]

    def do_POST(self) -> None:
        told = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        for span in (span for one in told.resource_spans for scope in one.scope_spans for span in scope.spans):
            self.spans.put(span)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


def test_a_request_can_be_traced_into_settling_and_nothing_personal_is_in_the_trace(
    make_shuke: Make, unborn_tenant: str
):
    spans: Queue[Span] = Queue()
    collector = ThreadingHTTPServer(("127.0.0.1", 0), type("Collecting", (Collector,), {"spans": spans}))
    Thread(target=collector.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{collector.server_port}"
    shuke = make_shuke(unborn_tenant, OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_BSP_SCHEDULE_DELAY="20")
    with served(opened(shuke)) as (door, _):
        headers = {"Authorization": f"Bearer {secret_of(shuke, 'orders:write')}", "Idempotency-Key": "k"}
        body = {"order_id": "W-1", "member_id": "Ms. Private", "lines": [{"amount": 1000}]}
        assert httpx.post(f"{door}/v1/orders", json=body, headers=headers).status_code == 201
        found: dict[str, Span] = {}
        while not {"POST /v1/orders", "settle.activity", "settle.batch"} <= set(found):
            span = spans.get(timeout=30)
            found[span.name] = span
    collector.shutdown()
    assert found["settle.activity"].trace_id == found["POST /v1/orders"].trace_id
    assert not any("Private" in str(span) for span in found.values())


def test_a_taken_port_is_told_and_changes_nothing(make_shuke: Make, unborn_tenant: str):
    shuke = make_shuke(unborn_tenant)
    with served(shuke) as (address, _):
        said = shuke.process("serve", "--port", address.rpartition(":")[2])
    assert said.status == 2
    assert "Cannot listen on" in said.err
    assert "--port 8001" in said.err


def test_two_share_a_port_and_the_other_goes_on_when_one_stops(make_shuke: Make, unborn_tenant: str):
    shuke = opened(make_shuke(unborn_tenant))
    with served(shuke, "--share-port") as (address, first):
        port = address.rpartition(":")[2]
        second = shuke.start("serve", "--port", port, "--share-port", "--no-work", SHUKE_LOG="json")
        try:
            assert any(told["event"] == "serve.started" for told in events(second))
            first.send_signal(signal.SIGTERM)
            assert first.wait() == 0
            assert httpx.get(f"{address}/readyz").status_code == 200
        finally:
            second.send_signal(signal.SIGTERM)
            second.communicate()


def test_a_process_shows_what_is_measured_where_it_is_told_to(make_shuke: Make, unborn_tenant: str):
    shuke = make_shuke(unborn_tenant)
    with served(shuke, "--metrics", "127.0.0.1:0") as (address, _):
        figures = httpx.get(f"{address}/metrics").text
        assert "shuke_clock_lag_seconds" in figures
        port = address.rpartition(":")[2]
        taken = shuke("work", "--metrics", port)
        assert (taken.status, f"--metrics {port}" in taken.err) == (2, True), taken.err
        assert shuke("work", "--metrics", "metrics").status == 2


def test_serving_without_workers_lets_no_time_pass(make_shuke: Make, unborn_tenant: str):
    shuke = opened(make_shuke(unborn_tenant))
    with served(shuke, "--no-work") as (address, process):
        assert httpx.get(f"{address}/readyz").status_code == 200
        process.send_signal(signal.SIGINT)
        assert "clock.advanced" not in {told["event"] for told in events(process)}
        assert process.wait() == 0
    with served(shuke) as (_, process):
        assert "clock.advanced" in {told["event"] for told in _until(process, "clock.advanced")}


def _until(process: subprocess.Popen[str], event: str) -> Iterator[dict[str, str]]:
    for told in events(process):
        yield told
        if told["event"] == event:
            return


def test_keys_are_made_listed_and_revoked_and_the_secret_is_seen_once(make_shuke: Make, unborn_tenant: str):
    shuke = opened(make_shuke(unborn_tenant))
    assert shuke("keys", "list").out == "There are no API keys.\n"
    said = shuke("keys", "add", "Web shop", "--source", "webshop", "--scope", "all")
    assert said.status == 0
    secret = said.out.strip()
    assert secret.startswith("shk_")
    [key] = shuke("keys", "list", "--json").json
    assert (key["name"], key["source"], key["last_used_at"]) == ("Web shop", "webshop", None)
    assert secret not in shuke("keys", "list").out
    assert shuke("keys", "revoke", key["key_id"]).out == f"Web shop ({key['key_id']}) is revoked.\n"
    assert shuke("keys", "list", "--json").json[0]["revoked_at"] is not None
    assert shuke("keys", "revoke", "key_none").status == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--source", "Web Shop", "--scope", "all"), "source: "),
        (("--source", "webshop", "--scope", "everything"), "everything is no scope; there are: "),
    ],
)
def test_a_key_that_cannot_be_meant_is_refused(shop: Shuke, wrong: tuple[str, ...], said: str):
    told = shop("keys", "add", "X", *wrong)
    assert told.status == 2
    assert said in told.err
