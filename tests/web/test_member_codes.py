"""A member shows a code on her phone, a till reads it."""

import json
from datetime import UTC, datetime

import pytest

from shuke.books import requests
from shuke.runtime.clock import now
from shuke.values.ids import digest
from shuke.values.instants import HOUR, SECOND, format_instant
from tests.web.conftest import Door

pytestmark = pytest.mark.database


async def enrolled(door: Door, member: str = "ann") -> None:
    assert (await door.post("/v1/members", json={"member_id": member})).status_code == 201


async def code_of(door: Door, member: str = "ann") -> str:
    answer = await door.get(f"/v1/members/{member}/codes")
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    code: str = answer.json()["codes"][0]["code"]
    return code


async def test_a_till_learns_who_has_shown_a_code_and_a_repeat_of_the_request_is_no_second_use(door: Door):
    await enrolled(door)
    code = await code_of(door)
    headers = {"Idempotency-Key": "scan-1"}
    first = await door.post("/v1/member-codes/read", json={"code": code}, headers=headers)
    assert (first.status_code, first.json()) == (200, {"member_id": "ann"})
    again = await door.post("/v1/member-codes/read", json={"code": code}, headers=headers)
    assert (again.status_code, again.json()) == (200, {"member_id": "ann"})
    used = await door.post("/v1/member-codes/read", json={"code": code}, headers={"Accept-Language": "zh-Hant"})
    assert (used.status_code, used.json()["code"]) == (422, "member_code_used")
    assert used.json()["detail"] == "這個會員碼已經用過，請會員重新出示。"


async def test_a_till_that_asks_again_on_the_next_day_gets_the_answer_of_the_first(door: Door):
    told = json.dumps({"code": "1" * 20, "read_at": format_instant(now() - 25 * HOUR, zone="UTC")}).encode()
    asked = digest(b"POST /v1/member-codes/read\n" + told)
    async with door.shop.pool.connection() as connection:  # as it was kept yesterday
        await requests.take(
            connection, source="api:test", key="scan-1", digest=asked, at=datetime.fromtimestamp(now() / SECOND, UTC)
        )
        await requests.keep(connection, source="api:test", key="scan-1", status=200, answer='{"member_id":"ann"}')
    headers = {"Content-Type": "application/json", "Idempotency-Key": "scan-1"}
    again = await door.post("/v1/member-codes/read", content=told, headers=headers)
    assert (again.status_code, again.json()) == (200, {"member_id": "ann"})
    fresh = await door.post("/v1/member-codes/read", content=told, headers=headers | {"Idempotency-Key": "scan-2"})
    assert (fresh.status_code, fresh.json()["code"]) == (422, "read_too_long_ago")


async def test_wrong_guesses_over_the_api_lock_the_number(door: Door):
    await enrolled(door)
    code = await code_of(door)
    said = []
    for guess in range(6):
        digits = f"{code[:11]}{(int(code[11:19]) + 1000 + guess) % 10**8:08}"
        answers = [await door.post("/v1/member-codes/read", json={"code": f"{digits}{last}"}) for last in range(10)]
        said += [answer.json()["code"] for answer in answers if answer.json()["code"] != "member_code_unreadable"]
    assert said == ["member_code_wrong"] * 5 + ["member_code_locked"]


async def test_a_key_that_reads_codes_cannot_show_them(door: Door):
    await enrolled(door)
    async with door.other(await door.secret("member_codes:write")) as till:
        refused = await till.get("/v1/members/ann/codes")
        assert (refused.status_code, refused.json()["facts"]) == (403, {"scope": "member_codes:read"})
        assert (await till.post("/v1/member-codes/read", json={"code": await code_of(door)})).status_code == 200


@pytest.mark.parametrize(
    ("hours", "status", "code"),
    [(25, 422, "read_too_long_ago"), (23, 422, "member_code_wrong"), (-1, 400, "occurred_in_the_future")],
)
async def test_a_till_may_bring_codes_of_a_day_and_none_of_the_future(door: Door, hours: int, status: int, code: str):
    await enrolled(door)
    read_at = format_instant(now() - hours * HOUR, zone="UTC")
    answer = await door.post("/v1/member-codes/read", json={"code": await code_of(door), "read_at": read_at})
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_lost_phone_shows_nothing_that_is_good(door: Door):
    await enrolled(door)
    code = await code_of(door)
    assert (await door.post("/v1/members/ann/codes/end")).json() == {"member_id": "ann"}
    answer = await door.post("/v1/member-codes/read", json={"code": code})
    assert answer.json()["code"] == "member_code_wrong"
    assert (await code_of(door))[2:11] != code[2:11]


async def test_an_erased_member_has_no_codes_and_hers_are_forgotten(door: Door):
    await enrolled(door)
    code = await code_of(door)
    assert (await door.post("/v1/members/ann/erase", json={})).status_code == 200
    assert (await door.get("/v1/members/ann/codes")).status_code == 404
    assert (await door.post("/v1/member-codes/read", json={"code": code})).json()["code"] == "member_code_wrong"


async def test_nobody_unknown_has_codes(door: Door):
    assert (await door.get("/v1/members/nobody/codes")).json()["code"] == "member_unknown"
