"""The Python client against a running server: what it sends, what it raises, and that trying again is safe."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest
import stamina

from shuke.client import AsyncShuke, Problem, Shuke, Unreachable, calls
from shuke.web.api.callers import SCOPES
from tests.web.conftest import Door

pytestmark = pytest.mark.database

LINES = [{"amount": 1250}]


@pytest.fixture(autouse=True)
def _without_waits() -> AsyncIterator[None]:
    with stamina.set_testing(True, attempts=4):
        yield


@asynccontextmanager
async def between(door: Door, cut: Callable[[int], bytes | None]) -> AsyncIterator[str]:
    """The address of a proxy in front of the server. ``cut(n)`` says what the caller hears instead of the answer to
    the n-th request: b"" for a connection that breaks, None for the answer itself. The server hears every request."""
    host, port = door.address.removeprefix("http://").split(":")
    count = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = next(
                    (int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"), 0
                )
                body = await reader.readexactly(length)
                there, here = await asyncio.open_connection(host, int(port))
                here.write(head.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n") + body)
                answer = await there.read()
                here.close()
                instead = cut(count)
                count += 1
                writer.write(answer if instead is None else instead)
                break
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def test_a_call_is_typed_sent_and_answered(door: Door):
    async with AsyncShuke(door.address, key=await door.secret(*SCOPES)) as shuke:
        settled = await shuke(
            calls.settle_order(
                order_id="o-1", member_id="ann", lines=LINES, occurred_at=datetime(2026, 5, 1, tzinfo=UTC)
            )
        )
        assert settled["earned"] == {"points": 12}
        assert settled["occurred_at"] == "2026-05-01T00:00:00Z"
        assert (await shuke(calls.get_order("o-1")))["status"] == "paid"


async def test_the_client_that_waits_does_the_same(door: Door):
    secret = await door.secret(*SCOPES)

    def act() -> tuple[int, list[str]]:
        with Shuke(door.address, key=secret) as shuke:
            settled = shuke(calls.settle_order(order_id="o/1 ü", member_id="ann", lines=LINES))
            assert shuke(calls.get_order("o/1 ü"))["order_id"] == "o/1 ü"
            return settled["earned"]["points"], [key["name"] for key in shuke.pages(calls.list_keys(limit=1))]

    assert await asyncio.to_thread(act) == (12, ["test", "till"])


async def test_an_answer_that_gets_lost_is_asked_for_again_and_the_order_is_settled_once(door: Door):
    secret = await door.secret(*SCOPES)
    async with between(door, lambda n: b"" if n < 2 else None) as address, AsyncShuke(address, key=secret) as shuke:
        settled = await shuke(calls.settle_order(order_id="o-1", member_id="ann", lines=LINES))
    assert settled["balances"] == {"points": 12}
    async with door.shop.pool.connection() as connection:
        cursor = await connection.execute("select count(*) from activity")
        assert await cursor.fetchone() == (1,)


@pytest.mark.parametrize("status", [b"429 Too Many Requests\r\nRetry-After: 0", b"503 Service Unavailable", b"502 Bad"])
async def test_a_server_that_says_not_now_is_asked_again(door: Door, status: bytes):
    later = b"HTTP/1.1 " + status + b"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    secret = await door.secret(*SCOPES)
    async with between(door, lambda n: later if n < 3 else None) as address, AsyncShuke(address, key=secret) as shuke:
        settled = await shuke(calls.settle_order(order_id="o-1", member_id="ann", lines=LINES))
    assert settled["order_id"] == "o-1"


async def test_a_refusal_is_raised_with_its_code_sentence_and_facts(door: Door):
    async with AsyncShuke(door.address, key=await door.secret(*SCOPES), language="zh-TW") as shuke:
        with pytest.raises(Problem) as refused:
            await shuke(calls.get_order("none"))
    assert (refused.value.status, refused.value.code, refused.value.facts) == (
        404,
        "order_unknown",
        {"order_id": "none"},
    )
    assert "none" in refused.value.detail
    assert refused.value.instance.startswith("req_")


async def test_a_server_that_never_answers_is_unreachable_and_the_call_can_be_sent_later(door: Door):
    call = calls.settle_order(order_id="o-1", member_id="ann", lines=LINES)
    secret = await door.secret(*SCOPES)
    async with between(door, lambda count: b"") as address, AsyncShuke(address, key=secret) as shuke:
        with pytest.raises(Unreachable):
            await shuke(call)
    async with AsyncShuke(door.address, key=secret) as shuke:
        assert (await shuke(call))["balances"] == {"points": 12}


def test_a_moment_without_its_zone_is_not_sent():
    with pytest.raises(TypeError, match="zone"):
        calls.settle_order(order_id="o", member_id="m", lines=LINES, occurred_at=datetime(2026, 5, 1))  # noqa: DTZ001
