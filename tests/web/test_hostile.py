"""Whoever means harm, or sends what no program should: told what is wrong, settling nothing, hurting nobody else."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from time import monotonic
from typing import Any

import httpx
import pytest

from shuke.engine.activity import Activity, Line, Purchase
from shuke.web.protocol import HEAD_MOST, TOLD_SECONDS, hang_up_on_slow
from tests.shop import NOON
from tests.shop import Shop as Books
from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

JSON = {"Content-Type": "application/json"}
LINES = {"Content-Type": "application/x-ndjson"}
SAFE = 2**53 - 1
LONG = "".join(chr(0x20000 + 97 * number) for number in range(200))
"""An id as long as may be: 800 bytes that do not compress."""


@pytest.fixture
async def door(serve: Any) -> AsyncIterator[Door]:
    """A shop with something of everything, that is found in order and serving when the test is done."""
    async with serve(PROGRAM) as opened:
        yield opened
        assert (await opened.get("/healthz")).status_code == 200
        assert "shuke_faults_total 0.0" in (await opened.get("/metrics")).text
        assert await Books(opened.shop.pool).findings() == []


async def settled(door: Door) -> int:
    """How many activities there are."""
    [(count,)] = await Books(door.shop.pool).rows("select count(*) from activity")
    return int(count)


def of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# -- Values -----------------------------------------------------------------------------------------------

NUMBERS = [
    *("1e400", "-1e400", "1e2", "1.0", "0.1", "-1", "9007199254740992", "9223372036854775808", "18446744073709551616"),
    *("1" * 5000, "01", "+1", "0x1", "1_0", "NaN", "Infinity", "-Infinity", '"1"', "true", "null", "[]", "{}", ""),
]
WRITES = {
    "/v1/orders": '{"order_id":"o","member_id":"m","lines":[{"amount":%s}]}',
    "/v1/points/earn": '{"member_id":"m","asset":"points","reason":"x","amount":%s}',
    "/v1/points/spend": '{"member_id":"m","asset":"points","amount":%s}',
    "/v1/points/transfer": '{"member_id":"m","to_member_id":"n","asset":"points","amount":%s}',
    "/v1/stored-value/top-ups": '{"member_id":"m","amount":%s}',
    "/v1/carts/quote": '{"member_id":"m","lines":[{"amount":%s}]}',
    "/v1/carts/holds": '{"member_id":"m","order_id":"o","lines":[{"amount":1}],"uses":{"points":{"points":%s}}}',
}


@pytest.mark.parametrize("path", WRITES)
async def test_what_is_no_whole_number_in_range_is_refused(door: Door, path: str):
    for number in NUMBERS:
        answer = await door.post(path, content=(WRITES[path] % number).encode(), headers=JSON)
        assert of(answer) == (400, "invalid_request"), (number, answer.text)
    assert await settled(door) == 0


async def test_an_item_of_a_batch_with_such_a_number_is_invalid_and_its_neighbours_are_settled(door: Door):
    item = '{"type":"order.paid","member_id":"m","key":"%s","occurred_at":"2026-05-01T00:00:00Z","order":{%s}}'
    order = '"order_id":"o","lines":[{"amount":%s}]'
    lines = [item % (f"k{place}", order.replace("%s", told)) for place, told in enumerate(NUMBERS)]
    lines.insert(5, item % ("good", order.replace("%s", "100")))
    answer = await door.post("/v1/activities", content="\n".join(lines).encode(), headers=LINES)
    assert answer.json()["counts"] == {"invalid": len(NUMBERS), "settled": 1}
    assert await settled(door) == 1


async def test_a_number_with_a_fraction_is_no_name_of_anybody(door: Door):
    order = b'{"order_id":%s,"member_id":%s,"lines":[{"amount":1,"sku":%s,"attributes":{"weight":[1.50]}}]}'
    good = (b'"o"', b'"m"', b'"s"')
    for place in range(3):
        told = tuple(b"1001.0" if place == at else text for at, text in enumerate(good))
        answer = await door.post("/v1/orders", content=order % told, headers=JSON)
        assert (of(answer), answer.json()["errors"][0]["code"]) == ((400, "invalid_request"), "string_type")
    assert await settled(door) == 0
    activity = (await door.post("/v1/orders", content=order % good, headers=JSON)).json()["activity"]
    shown = (await door.get(f"/v1/activities/{activity}")).json()
    assert shown["order"]["lines"][0]["attributes"] == {"weight": ["1.50"]}


async def test_refusals_of_who_was_erased_are_shown_without_what_they_said(door: Door):
    for path, told in (
        ("/v1/members", {}),
        ("/v1/members", {}),
        ("/v1/points/spend", {"asset": "points", "amount": 5}),
    ):
        refused = await door.post(path, json={"member_id": "ann", **told})
    assert of(refused) == (422, "insufficient")
    assert (await door.post("/v1/members/ann/erase", json={})).is_success
    shown = (await door.get("/v1/members/ann/activities")).json()["items"]
    assert [one["code"] for one in shown if one["status"] == "refused"] == ["insufficient", "already_joined"]
    assert [one["detail"] for one in shown if one["status"] == "refused"] == [None, None]
    for form in ("json", "csv"):
        assert (await door.get("/v1/members/ann/export", params={"format": form})).status_code == 200


TEXTS = ["a\x00b", "a\nb", "\x1b[31m", "a\x85b", " a", "a\u3000", "", "x" * 201, "\u200b" * 201, "a\u200bb", "a\u202eb"]
NOT_TEXT = [
    b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b'"\xff"',
    b'"\xc0\x80"',
    b'"\xed\xa0\x80"',
    b'"a\x00"',
    b'"a\nb"',
    b'"\\x"',
]


@pytest.mark.parametrize("path", WRITES)
async def test_what_is_no_plain_text_names_nobody(door: Door, path: str):
    written = (WRITES[path] % 1).encode()
    for told in [*(json.dumps(text).encode() for text in TEXTS), *NOT_TEXT]:
        answer = await door.post(path, content=written.replace(b'"m"', told), headers=JSON)
        assert of(answer) == (400, "invalid_request"), (told, answer.text)
    assert await settled(door) == 0


@pytest.mark.parametrize("member", ["م١", "\u00e9", "a/b", "..", "a?b#c%", "'; drop table", LONG])
async def test_ids_of_any_letters_are_kept_as_they_are(door: Door, member: str):
    order = {
        "order_id": member,
        "member_id": member,
        "lines": [{"amount": 10000, "sku": member, "tags": [member] * 50}],
    }
    assert (await door.post("/v1/orders", json=order)).json()["member_id"] == member
    address = httpx.URL("/").copy_with(raw_path=b"/v1/orders/" + _quoted(member)).raw_path.decode()
    assert (await door.get(address)).json()["order_id"] == member
    spend = {"member_id": member, "asset": "points", "amount": 100, "spend": member, "reference": member}
    assert (await door.post("/v1/points/spend", json=spend)).json()["spend"] == member
    top_up = {"member_id": member, "amount": 1, "top_up": member}
    assert (await door.post("/v1/stored-value/top-ups", json=top_up)).status_code == 201


def _quoted(text: str) -> bytes:
    return "".join(f"%{byte:02X}" for byte in text.encode()).encode()


MOMENTS = [
    *(
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
        "2016-12-31T23:59:60Z",
        "2026-02-29T00:00Z",
    ),
    *("2026-05-01T24:00:00Z", "2026-05-01T00:00:00+24:00", "2026-05-01T00:00:00+99:99", "1970-01-01T00:00:00+14:00"),
    *("2026-05-01", "2026-05-01T00:00:00", "20260501T000000Z", "2026-W18-5T00:00:00Z", "-2026-05-01T00:00:00Z"),
    *("２０２６-05-01T00:00:00Z", "2026-05-01T00:00:00Z\n", "now", "", "Z" * 100_000, 1777000000, True, {}),
]


async def test_what_is_no_moment_is_refused_and_far_offsets_are_none_less(door: Door):
    order = {"order_id": "o", "member_id": "m", "lines": [{"amount": 100}]}
    for moment in MOMENTS:
        answer = await door.post("/v1/orders", json=order | {"occurred_at": moment})
        assert of(answer) == (400, "invalid_request"), moment
    assert await settled(door) == 0
    for place, moment in enumerate(("2026-05-01T00:00:00+14:00", "2026-05-01T00:00:00-12:00", "1970-01-01T00:00:00Z")):
        answer = await door.post("/v1/orders", json=order | {"order_id": f"o{place}", "occurred_at": moment})
        assert answer.status_code == 201, moment


async def test_the_largest_order_there_can_be_is_settled_taken_back_and_found_in_order(door: Door):
    lines = [{"amount": SAFE // 500} for _ in range(500)]
    for number in range(3):
        assert (
            await door.post("/v1/orders", json={"order_id": f"o{number}", "member_id": "m", "lines": lines})
        ).is_success
    assert of(
        await door.post("/v1/points/earn", json={"member_id": "m", "asset": "points", "amount": SAFE, "reason": "x"})
    ) == (
        422,
        "balance_too_large",
    )
    assert (await door.post("/v1/orders/o1/refund", json={"amount": 1})).json()["money"] == 1
    assert (await door.post("/v1/orders/o1/refund", json={})).json()["money"] == SAFE // 500 * 500 - 1


# -- Bodies -----------------------------------------------------------------------------------------------

FLOODS = {
    "unknown fields": b'{"order_id":"o",%s}' % b",".join(b'"k%d":1' % number for number in range(100_000)),
    "unknown fields of lines": b'{"order_id":"o","member_id":"m","lines":[%s]}'
    % b",".join([b"{%s}" % b",".join(b'"k%d":1' % number for number in range(300))] * 500),
    "names without end": b'{"%s":1,"lines":[]}' % (b"x" * 1_500_000),
    "lines": b'{"order_id":"o","member_id":"m","lines":[%s]}' % b",".join([b"{}"] * 500_000),
    "tags": b'{"order_id":"o","member_id":"m","lines":[{"amount":1,"tags":[%s]}]}' % b",".join([b"1"] * 500_000),
    "depth": b'{"order_id":"o","member_id":"m","lines":[{"amount":1,"attributes":%s1%s}]}'
    % (b'{"a":' * 900, b"}" * 900),
    "brackets": b"[" * 1_500_000,
    "digits": b'{"order_id":"o","member_id":"m","lines":[{"amount":%s}]}' % (b"9" * 1_500_000),
    "assets": b'{"member_id":"m","lines":[{"amount":1}],"uses":{"points":{%s}}}'
    % b",".join(b'"K%d":-1' % number for number in range(100_000)),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_a_flood_is_refused_with_few_words_and_keeps_nobody_waiting(door: Door, flood: str):
    path = "/v1/carts/quote" if flood == "assets" else "/v1/orders"
    longest = asyncio.create_task(_longest_wait())
    answer = await door.post(path, content=FLOODS[flood], headers=JSON)
    longest.cancel()
    assert of(answer) == (400, "invalid_request")
    assert len(answer.content) < 300_000
    assert len(answer.json()["errors"]) <= 100
    assert await longest < 1.5
    assert await settled(door) == 0


async def _longest_wait() -> float:
    """How long others had to wait for their turn (seconds), until cancelled."""
    longest, last = 0.0, monotonic()
    try:
        while True:
            await asyncio.sleep(0)
            longest, last = max(longest, monotonic() - last), monotonic()
    except asyncio.CancelledError:
        return longest


@pytest.mark.parametrize("more", [1, 10 * 1024 * 1024])
async def test_a_body_beyond_the_bound_is_413(door: Door, more: int):
    body = b'{"order_id":"' + b"x" * (2 * 1024 * 1024 + more) + b'"}'

    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 500_000):
            yield body[start : start + 500_000]

    assert of(await door.post("/v1/orders", content=body, headers=JSON)) == (413, "body_too_large")
    assert of(await door.post("/v1/orders", content=pieces(), headers=JSON)) == (413, "body_too_large")


async def test_what_is_packed_is_unpacked_no_further_than_the_bound(door: Door):
    packed = {"Content-Encoding": "gzip"}
    bomb = gzip.compress(b" " * 100_000_000)
    assert of(await door.post("/v1/batch", content=bomb, headers=packed)) == (400, "body_too_large")
    many = gzip.compress(b'{"batch":[%s]}' % b",".join([b"0"] * 250_000))
    assert of(await door.post("/v1/batch", content=many, headers=packed)) == (400, "invalid_request")
    assert of(await door.post("/v1/batch", content=many[:-9], headers=packed)) == (400, "invalid_request")


async def test_large_orders_beside_each_other_are_settled_without_end_of_patience(door: Door):
    """More in one small batch than a connection to the books takes at once."""
    attributes = {f"k{number}": "v" * 1000 for number in range(220)}
    item = {"type": "order.paid", "member_id": "m", "occurred_at": "2026-05-01T00:00:00Z"}
    line = {"amount": 100, "attributes": attributes}
    items = [item | {"key": f"k{n}", "order": {"order_id": f"o{n}", "lines": [line]}} for n in range(20)]
    async with asyncio.timeout(60):
        answer = await door.post("/v1/activities", json={"activities": items})
        assert answer.json()["counts"] == {"settled": 20}
        purchase = Purchase("huge", [Line(100, attributes={f"k{n}": "v" * 10_000 for n in range(1_000)})])
        settling = door.shop.settler.settle([Activity("order.paid", "m", NOON, "test", "huge", None, purchase)])
        assert [answer.status for answer in await settling] == ["settled"]


# -- Keys -------------------------------------------------------------------------------------------------


async def test_moving_stored_value_takes_its_scope_also_in_a_batch(door: Door):
    top_up = {"member_id": "m", "amount": 10000, "occurred_at": "2026-04-01T00:00:00Z"}
    assert (await door.post("/v1/stored-value/top-ups", json=top_up)).is_success
    for kind in ("spend", "holds"):
        told = {"member_id": "m", "stored_value": 100, "spend" if kind == "spend" else "hold": "theirs"}
        assert (await door.post(f"/v1/points/{kind}", json=told)).is_success
    payloads: dict[str, list[dict[str, Any]]] = {
        "asset.opened": [{"asset": "cash", "amount": 1}],
        "asset.granted": [{"asset": "bonus", "amount": 1, "reason": "x"}],
        "asset.adjusted": [{"asset": "cash", "amount": 1, "reason": "x"}],
        "asset.spent": [
            {"stored_value": 1},
            {"asset": "cash", "amount": 1},
            {"asset": "points", "amount": 1, "stored_value": 1},
        ],
        "asset.held": [{"hold": "h", "stored_value": 1}, {"hold": "h", "asset": "bonus", "amount": 1}],
        "asset.transferred": [{"asset": "cash", "amount": 1, "to_member": "thief"}],
        "asset.spend_reversed": [{"id": "theirs"}],
        "asset.captured": [{"hold": "theirs"}],
        "asset.released": [{"hold": "theirs"}],
    }
    items = [
        {
            "type": type_,
            "member_id": "m",
            "key": f"{type_}{n}",
            "occurred_at": "2026-05-01T00:00:00Z",
            "payload": payload,
        }
        for type_, told in payloads.items()
        for n, payload in enumerate(told)
    ]
    before = await settled(door)
    async with door.other(await door.secret("activities:write", "points:write")) as narrow:
        answer = await narrow.post("/v1/activities", json={"activities": items})
        assert answer.json()["counts"] == {"refused": len(items)}
        assert {result["code"] for result in answer.json()["results"]} == {"scope_missing"}
        points = items[1] | {"payload": {"asset": "points", "amount": 5, "reason": "x"}}
        assert (await narrow.post("/v1/activities", json={"activities": [points]})).json()["counts"] == {"settled": 1}
    assert await settled(door) == before + 1


async def test_no_type_of_our_own_nor_source_can_be_told(door: Door):
    types = ["time.passed", "asset.received", "coupon.received", "cart.held", "cart.released", "member.erased"]
    types += ["order.paid\n", "checked_in\n", "Order.Paid", ".x", "x.", "x..y", "x" * 101, "注文"]
    items = [
        {"type": told, "member_id": "m", "key": told[:99] or "k", "occurred_at": "2026-05-01T00:00:00Z"}
        for told in types
    ]
    items.append(items[0] | {"type": "checked_in", "source": "clock"})
    items.append(
        items[0] | {"type": "asset.transferred", "payload": {"asset": "points", "amount": 1, "to_member": " \x01"}}
    )
    items.append(items[0] | {"type": "coupon.issued", "payload": {"template": "printed", "codes": ["a\x01"]}})
    answer = await door.post("/v1/activities", json={"activities": items})
    assert answer.json()["counts"] == {"invalid": len(items)}
    assert await settled(door) == 0


async def test_the_same_key_of_another_source_or_by_another_road_is_no_repeat(door: Door):
    order = {"order_id": "o", "member_id": "m", "lines": [{"amount": 100}]}
    headers = {"Idempotency-Key": "k"}
    assert (await door.post("/v1/orders", json=order, headers=headers)).status_code == 201
    async with door.other(await door.secret("orders:write", "activities:write", source="other")) as other:
        assert of(await other.post("/v1/orders", json=order, headers=headers)) == (422, "order_exists")
    for path, body in (("/v1/orders/o/complete", {}), ("/v1/orders/o/refund", {})):
        assert of(await door.post(path, json=body, headers=headers)) == (422, "idempotency_key_reused")
    item = {"type": "checked_in", "member_id": "m", "key": "k", "occurred_at": "2026-05-01T00:00:00Z"}
    [result] = (await door.post("/v1/activities", json={"activities": [item]})).json()["results"]
    assert (result["status"], result["code"]) == ("refused", "key_reused")
    for order_id in ("#1", "#2"):
        assert (await door.post("/v1/orders", json=order | {"order_id": order_id})).is_success
    assert (await door.post("/v1/orders/%231/complete", json={}, headers={"Idempotency-Key": "c"})).is_success
    again = await door.post("/v1/orders/%232/complete", json={}, headers={"Idempotency-Key": "c"})
    assert of(again) == (422, "idempotency_key_reused")


@pytest.mark.parametrize("secret", ["\\ud800", "shk_\\u0000", "x" * 10_000, "\\u00e9"])
async def test_a_write_key_that_is_none_is_401(door: Door, secret: str):
    async with door.other(None) as stranger:
        body = b'{"writeKey":"%s"}' % secret.encode()
        assert of(await stranger.post("/v1/track", content=body)) == (401, "key_unknown")


# -- Addresses and headers --------------------------------------------------------------------------------

ADDRESSES = [
    "%00",
    "a%00b",
    "%2F%00",
    "%FF",
    "%ED%A0%80",
    "%C0%80",
    "..%2F..%2Fetc",
    "%",
    "%zz",
    "%0d%0aX-Evil:1",
    "a" * 201,
]
READS = [
    *(
        "orders/{}",
        "members/{}/balances",
        "keys/{}",
        "activities/{}",
        "webhooks/endpoints/{}",
        "webhooks/deliveries/{}",
    ),
    *("keys?cursor={}", "webhooks/endpoints?cursor={}", "programs?cursor={}", "carts/holds?member_id=m&cursor={}"),
    *("orders/x?member_id={}", "carts/holds?member_id={}", "stored-value/offers?member_id={}", "keys?limit={}"),
]


@pytest.mark.parametrize("path", READS)
async def test_whatever_stands_in_an_address_is_no_fault(door: Door, path: str):
    for told in ADDRESSES:
        answer = await raw(door, f"GET /v1/{path.format(told)} HTTP/1.1\r\nHost: x\r\n{_key(door)}\r\n".encode())
        assert answer.split(b" ", 2)[1] in (b"200", b"400", b"404"), (told, answer[:300])
        assert b"\r\nX-Evil" not in answer


def _key(door: Door) -> str:
    return f"Authorization: {door.headers['Authorization']}\r\nConnection: close\r\n"


async def raw(door: Door, told: bytes, *, hang_up: bool = False) -> bytes:
    """What is answered to these bytes, until the server closes the connection."""
    host, port = door.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(told)
        if hang_up:
            return b""
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


POST = "POST /v1/orders HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nContent-Type: application/json\r\n"
HEADS = {
    "two lengths": "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length and chunks": "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    "a length below zero": "Content-Length: -2\r\n\r\n{}",
    "a length beyond all numbers": f"Content-Length: {'9' * 40}\r\n\r\n{{}}",
    "a chunk beyond all numbers": f"Transfer-Encoding: chunked\r\n\r\n{'f' * 40}\r\n{{}}",
    "a chunk without a number": "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "a bare line feed in a header": "X: a\nContent-Length: 2\r\n\r\n{}",
    "a length with a sign": "Content-Length: +2\r\n\r\n{}",
}


@pytest.mark.parametrize("head", HEADS)
async def test_a_request_that_could_be_read_in_two_ways_is_refused_whole(door: Door, head: str):
    answer = await raw(door, f"{POST}{_key(door)}{HEADS[head]}".encode())
    assert answer.startswith((b"HTTP/1.1 400", b"HTTP/1.1 413")), answer[:200]
    assert answer.count(b"HTTP/1.1") == 1
    assert await settled(door) == 0


async def test_who_hangs_up_before_the_body_is_whole_is_no_fault_of_ours(door: Door):
    for path in ("orders", "activities", "batch", "programs/check"):
        told = POST.replace("/v1/orders", f"/v1/{path}") + _key(door) + "Content-Length: 100\r\n\r\n{"
        assert await raw(door, told.encode(), hang_up=True) == b""
    assert await settled(door) == 0


async def test_a_head_without_end_is_hung_up_on(door: Door):
    for head in (b"X: " + b"x" * (HEAD_MOST * 4), b"X: x\r\n" * HEAD_MOST, b"x" * (HEAD_MOST * 4)):
        assert b"HTTP/1.1 200" not in await raw(door, b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + head)
    many = await raw(door, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2_000 + b"GET /healthz HTTP/1.0\r\n\r\n")
    assert many.count(b"HTTP/1.1 200") == 2_001


async def test_a_request_that_dribbles_is_hung_up_on_when_its_time_is_over(door: Door):
    connections = door.server.server_state.connections
    host, port = door.address.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(f"{POST}{_key(door)}Content-Length: 100\r\n\r\n{{".encode())
    await door.get("/healthz")  # by then it has begun
    assert hang_up_on_slow(connections, at=monotonic() + TOLD_SECONDS - 10) == 0
    assert hang_up_on_slow(connections, at=monotonic() + TOLD_SECONDS + 1) == 1  # not the one that is idle
    assert await reader.read() == b""
    writer.close()


@pytest.mark.parametrize(
    "told", ["short", "with blank space", "a" * 101, "a\u00e9aaaaaaaaa", "<script>alert(1)</script>"]
)
async def test_a_request_id_that_is_none_is_not_sent_back(door: Door, told: str):
    answer = await door.get("/healthz", headers={"X-Request-Id": told.encode("latin-1")})  # type: ignore[dict-item]  # bytes
    assert answer.headers["x-request-id"].startswith("req_")


async def test_languages_without_end_are_english(door: Door):
    for told in ("zz;q=0.1," * 5_000, "en;q=nan,zh;q=inf", "*", ";;;,,,", "zh-Hant-" + "x" * 5_000):
        answer = await door.get("/v1/orders/none", headers={"Accept-Language": told})
        assert answer.headers["content-language"] in ("en", "zh-Hant", "zh-Hans")
