"""Points over HTTP: given, spent, undone, held, captured, sent on, adjusted; each once and never below zero."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from shuke.runtime.clock import now
from shuke.runtime.due import advance
from shuke.values.instants import DAY, MINUTE, format_instant
from tests import shop as coffee
from tests.web.conftest import Door

pytestmark = pytest.mark.database

PROGRAM = """
id: regulars
currency: USD
zone: Asia/Taipei
assets:
  - id: points
    title: {en: Points, zh-Hant: 點數}
    unit: {en: point, zh-Hant: 點}
    validity: {after: 12 months}
    redemption: {worth: 0.01}
    transfer: {minimum: 5, maximum_per_day: 50}
  - {id: growth, kind: qualifying}
  - {id: cash, kind: principal, scale: 2}
  - {id: extra, kind: bonus, scale: 2}
stored_value: {principal: cash, bonus: extra, spend: principal_first, offers: [{id: hundred, pay: 100, bonus: 20}]}
ladders:
  - {id: club, tiers: [{id: base}, {id: gold, entry: "earned(points, lifetime) >= 500"}]}
"""


@pytest.fixture
async def till(serve: Any) -> AsyncIterator[Door]:
    """A shop in which ann has 100 points: 30 of them end tomorrow, the others the day after."""
    async with serve(PROGRAM) as door:
        for amount, days in ((30, 1), (70, 2)):
            granted = await earn(door, amount, expires_at=text(now() + days * DAY))
            assert granted.status_code == 201, granted.text
        yield door


def text(instant: int) -> str:
    return format_instant(instant, zone="UTC")


async def earn(door: Door, amount: int, *, member: str = "ann", **more: Any) -> httpx.Response:
    asked = {"member_id": member, "asset": "points", "amount": amount, "reason": "thanks"}
    return await door.post("/v1/points/earn", json=asked | more)


async def act(door: Door, path: str, *, member: str = "ann", key: str | None = None, **more: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await door.post(f"/v1/points/{path}", json={"member_id": member, **more}, headers=headers)


async def points(door: Door, member: str = "ann") -> dict[str, Any]:
    shown = await door.get(f"/v1/members/{member}/balances")
    assert shown.status_code == 200, shown.text
    return next(balance for balance in shown.json()["balances"] if balance["asset"] == "points")


async def kinds(door: Door) -> list[str]:
    """What the entries since the grants were for."""
    async with door.shop.pool.connection() as connection:
        cursor = await connection.execute("select kind from entry where kind <> 'grant' order by activity_id, no")
        return [kind for (kind,) in await cursor.fetchall()]


async def is_sound(door: Door) -> bool:
    return await coffee.Shop(door.shop.pool).findings() == []


async def test_a_grant_says_what_it_gave_when_it_ends_and_raises_the_tier(till: Door):
    granted = (await earn(till, 400, approver="mei", reference="R-7")).json()
    assert granted["earned"] == {"points": 400}
    assert granted["tiers"] == {"club": "gold"}
    (lot,) = granted["lots"]
    assert (lot["asset"], lot["amount"], lot["ripens_at"]) == ("points", 400, None)
    assert lot["expires_at"] > text(now() + 364 * DAY)
    assert granted["purses"]["points"]["available"] == 500
    assert granted["purses"]["points"]["ends_next"]["amount"] == 30


async def test_a_spend_takes_what_ends_soonest_and_says_so(till: Door):
    spent = await act(till, "spend", asset="points", amount=40, reason="Cup", reference="till-3")
    assert spent.status_code == 201
    told = spent.json()
    assert [lot["amount"] for lot in told["lots"]] == [30, 10]
    assert told["lots"][0]["expires_at"] < told["lots"][1]["expires_at"]
    assert told["balances"] == {"points": 60}
    assert told["purses"]["points"]["ends_next"] == {"at": told["lots"][1]["expires_at"], "amount": 60}
    assert told["spend"].startswith("spd_")


@pytest.mark.parametrize("parts", [[None], [15, None], [1, 38, 1]])
async def test_a_spend_is_undone_whole_or_in_parts_into_the_very_lots(till: Door, parts: list[int | None]):
    before = await points(till)
    spend = (await act(till, "spend", asset="points", amount=40)).json()["spend"]
    for part in parts:
        more = {} if part is None else {"amount": part}
        undone = await act(till, f"spend/{spend}/reverse", reason="broken", **more)
        assert undone.status_code == 200, undone.text
    assert (undone.json()["amount"], undone.json()["back"]) == (40, 40)
    assert await points(till) == before
    again = await act(till, f"spend/{spend}/reverse")
    assert (again.status_code, again.json()["code"]) == (422, "spend_reversed")
    assert await is_sound(till)


async def test_of_two_parallel_spends_of_80_on_a_balance_of_100_one_wins(till: Door):
    answers = await asyncio.gather(*(act(till, "spend", asset="points", amount=80) for _ in range(2)))
    winner, loser = sorted(answers, key=lambda answer: answer.status_code)
    assert (winner.status_code, loser.status_code) == (201, 422)
    assert loser.json()["code"] == "insufficient"
    assert loser.json()["facts"] == {"asset": "points", "asked": 80, "available": 20}
    assert (await points(till))["available"] == 20


async def test_the_same_spend_ten_times_in_parallel_is_one_spend_and_ten_equal_answers(till: Door):
    answers = await asyncio.gather(*(act(till, "spend", asset="points", amount=10, key="k") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1, "the id we made is that of the first"
    assert (await points(till))["available"] == 90
    other = await act(till, "spend", asset="points", amount=11, key="k")
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")


async def test_asking_for_a_hundred_costs_a_hundred_times_as_much(till: Door):
    lacking = await act(till, "spend", asset="points", amount=2, quantity=100)
    assert lacking.json()["facts"] == {"asset": "points", "asked": 200, "available": 100}
    assert (await act(till, "spend", asset="points", amount=1, quantity=100)).json()["balances"] == {"points": 0}


# -- Held -------------------------------------------------------------------------------------------------


async def test_what_is_held_is_captured_in_part_and_the_rest_goes_back(till: Door):
    held = await act(till, "holds", asset="points", amount=40, hold="room-12", minutes=10)
    assert held.status_code == 201
    assert held.json()["hold"] == "room-12"
    assert text(now() + 9 * MINUTE) < held.json()["lapses_at"] < text(now() + 11 * MINUTE)
    assert held.json()["purses"]["points"]["held"] == 40
    shown = (await till.get("/v1/members/ann/balances")).json()
    assert [(hold["hold"], hold["cart"], hold["amounts"]) for hold in shown["holds"]] == [
        ("room-12", False, {"points": 40})
    ]
    captured = await act(till, "holds/room-12/capture", amount=25, spend="night-1")
    assert (captured.status_code, captured.json()["spend"], captured.json()["amount"]) == (200, "night-1", 25)
    assert captured.json()["purses"]["points"] | {"ends_next": None} == {
        "available": 75,
        "pending": 0,
        "held": 0,
        "debt": 0,
        "ends_next": None,
    }
    assert (await act(till, "spend/night-1/reverse")).json()["balances"] == {"points": 100}
    assert await is_sound(till)


async def test_a_hold_is_let_go_once(till: Door):
    before = await points(till)
    hold = (await act(till, "holds", asset="points", amount=40)).json()["hold"]
    assert hold.startswith("hld_")
    released = await act(till, f"holds/{hold}/release")
    assert [lot["amount"] for lot in released.json()["lots"]] == [30, 10]
    for way in ("release", "capture"):
        again = await act(till, f"holds/{hold}/{way}")
        assert (again.status_code, again.json()["code"]) == (404, "hold_unknown")
    assert await points(till) == before
    assert await kinds(till) == ["hold", "hold", "release", "release"]


async def test_a_hold_lapses_by_the_clock_once_and_cannot_be_captured_then(till: Door):
    before = await points(till)
    hold = (await act(till, "holds", asset="points", amount=40, minutes=1)).json()["hold"]
    later = now() + 2 * MINUTE
    assert await advance(till.shop.settler, until=later) == 1
    assert await advance(till.shop.settler, until=later) == 0
    late = await act(till, f"holds/{hold}/capture")
    assert (late.status_code, late.json()["code"]) == (404, "hold_unknown")
    assert await points(till) == before
    assert await kinds(till) == ["hold", "hold", "lapse", "lapse"]


async def test_of_ten_captures_and_releases_in_parallel_one_wins(till: Door):
    await act(till, "holds", asset="points", amount=40, hold="h")
    ways = ["capture", "release"] * 5
    answers = await asyncio.gather(*(act(till, f"holds/h/{way}") for way in ways))
    assert sorted(answer.status_code for answer in answers) == [200, *[404] * 9]
    left = (await points(till))["available"]
    assert left == (60 if ways[[answer.status_code for answer in answers].index(200)] == "capture" else 100)
    assert await is_sound(till)


# -- Sent on, adjusted ------------------------------------------------------------------------------------


async def test_a_gift_reaches_the_other_member_with_its_dates(till: Door):
    await earn(till, 1, member="bob", expires_at=text(now() + DAY))
    sent = await act(till, "transfer", to_member_id="bob", asset="points", amount=40)
    assert (sent.status_code, sent.json()["balances"]) == (201, {"points": 60})
    received = await points(till, "bob")
    assert received["available"] == 41
    assert {(lot["amount"], lot["expires_at"]) for lot in sent.json()["lots"]} <= {
        (lot["amount"], lot["expires_at"]) for lot in received["lots"]
    }
    over = await act(till, "transfer", to_member_id="bob", asset="points", amount=11)
    assert (over.json()["code"], over.json()["facts"]) == ("transfer_limit", {"asset": "points", "left": 10})
    assert await is_sound(till)


async def test_a_gift_to_nobody_is_refused_and_makes_nobody(till: Door):
    sent = await act(till, "transfer", to_member_id="zoe", asset="points", amount=40)
    assert (sent.status_code, sent.json()["code"]) == (422, "receiver_unknown")
    assert (await till.get("/v1/members/zoe/balances")).json()["code"] == "member_unknown"
    assert (await points(till))["available"] == 100


async def test_an_adjustment_needs_a_reason_and_never_leaves_less_than_nothing(till: Door):
    assert (await act(till, "adjust", asset="points", amount=-30)).status_code == 400
    less = await act(till, "adjust", asset="points", amount=-30, reason="twice", approver="mei")
    assert (less.status_code, less.json()["balances"]) == (201, {"points": 70})
    below = await act(till, "adjust", asset="points", amount=-71, reason="twice")
    assert (below.json()["code"], below.json()["facts"]["available"]) == ("insufficient", 70)
    nothing = await act(till, "adjust", asset="points", amount=0, reason="twice")
    assert (nothing.status_code, nothing.json()["code"]) == (422, "amount_invalid")
    more = await act(till, "adjust", asset="points", amount=5, reason="missed")
    assert (more.json()["earned"], more.json()["balances"]) == ({}, {"points": 75})


# -- Asked wrongly ----------------------------------------------------------------------------------------

REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    ("spend", {"asset": "gold", "amount": 1}, 422, "asset_unknown"),
    ("spend", {"asset": "growth", "amount": 1}, 422, "not_spendable"),
    ("spend", {"asset": "points", "amount": 1, "quantity": 1001}, 400, "invalid_request"),
    ("spend", {"asset": "points", "amount": 0}, 400, "invalid_request"),
    ("spend", {"asset": "points", "amount": 2**53}, 400, "invalid_request"),
    ("spend", {"asset": "points", "amount": 2**52, "quantity": 3}, 400, "invalid_request"),
    ("spend", {"asset": "points"}, 400, "invalid_request"),
    ("spend", {"asset": "points", "amount": 1, "stored_value": 1}, 400, "invalid_request"),
    ("spend", {}, 400, "invalid_request"),
    ("spend", {"asset": "points", "amount": 1, "reason": "a\x00b"}, 400, "invalid_request"),
    ("spend/none/reverse", {}, 404, "spend_unknown"),
    ("holds", {"asset": "points", "amount": 101}, 422, "insufficient"),
    ("holds", {"asset": "points", "amount": 1, "minutes": 0}, 400, "invalid_request"),
    ("earn", {"asset": "points", "amount": 1}, 400, "invalid_request"),
    ("earn", {"asset": "points", "amount": 1, "reason": ""}, 400, "invalid_request"),
    ("earn", {"asset": "cash", "amount": 1, "reason": "r"}, 422, "not_given"),
    ("earn", {"asset": "points", "amount": 2**53 - 1, "reason": "r"}, 422, "balance_too_large"),
    (
        "earn",
        {"asset": "points", "amount": 1, "reason": "r", "expires_at": "2020-01-01T00:00:00Z"},
        422,
        "already_expired",
    ),
    ("transfer", {"to_member_id": "ann", "asset": "points", "amount": 5}, 422, "transfer_to_self"),
    ("transfer", {"to_member_id": "ann", "asset": "points", "amount": -5}, 400, "invalid_request"),
]


@pytest.mark.parametrize(("path", "body", "status", "code"), REFUSED)
async def test_what_cannot_be_done_is_refused_with_its_code(
    till: Door, path: str, body: dict[str, Any], status: int, code: str
):
    answer = await act(till, path, **body)
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert answer.json()["detail"]
    assert (await points(till))["available"] == 100


async def test_stored_value_moves_only_with_its_own_scope(till: Door):
    await till.post("/v1/stored-value/top-ups", json={"member_id": "ann", "amount": 100_00})
    await act(till, "spend", stored_value=10_00, spend="s1")
    await act(till, "holds", stored_value=10_00, hold="h1")
    async with till.other(await till.secret("points:write", "points:read")) as narrow:
        for path, body in (
            ("spend", {"stored_value": 1}),
            ("spend", {"asset": "cash", "amount": 1}),
            ("holds", {"stored_value": 1}),
            ("adjust", {"asset": "cash", "amount": 1, "reason": "r"}),
            ("spend/s1/reverse", {}),
            ("holds/h1/capture", {}),
            ("holds/h1/release", {}),
        ):
            answer = await act(narrow, path, **body)
            assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing"), path
            assert answer.json()["facts"] == {"scope": "stored_value:write"}
        assert (await act(narrow, "spend", asset="points", amount=1)).status_code == 201
    async with till.other(await till.secret("stored_value:write")) as none:
        assert (await act(none, "spend", stored_value=1)).json()["facts"] == {"scope": "points:write"}


# -- Read -------------------------------------------------------------------------------------------------


async def test_balances_tell_every_lot_and_what_ends_when(till: Door):
    await earn(till, 7, ripens_at=text(now() + DAY))
    shown = await points(till)
    assert (shown["available"], shown["pending"]) == (100, 7)
    assert [lot["amount"] for lot in shown["lots"]] == [30, 70]
    assert [(ending["at"], ending["amount"]) for ending in shown["endings"]] == [
        (lot["expires_at"], lot["amount"]) for lot in shown["lots"]
    ]
    (ripening,) = shown["ripening"]
    assert ripening["ripens_at"] > text(now())


async def test_a_lot_past_its_date_is_not_told_though_the_clock_never_came(till: Door):
    await earn(till, 50, member="bob", occurred_at=text(now() - DAY), expires_at=text(now() - MINUTE))
    await earn(till, 3, member="cy", occurred_at=text(now() - DAY))
    assert (await points(till, "bob"))["available"] == 0
    assert (await act(till, "spend", member="bob", asset="points", amount=1)).json()["code"] == "insufficient"
    assert (await points(till, "cy"))["available"] == 3


async def test_who_was_only_refused_is_nobody(till: Door):
    assert (await act(till, "spend", member="zoe", asset="points", amount=1)).json()["code"] == "insufficient"
    nobody = await till.get("/v1/members/zoe/balances")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "member_unknown")


async def test_the_programs_assets_are_told_in_the_callers_language(till: Door):
    shown = (await till.get("/v1/assets", headers={"Accept-Language": "zh-TW"})).json()
    assert (shown["currency"], shown["scale"]) == ("USD", 2)
    assert [(asset["asset"], asset["kind"], asset["scale"]) for asset in shown["items"]] == [
        ("points", "spendable", 0),
        ("growth", "qualifying", 0),
        ("cash", "principal", 2),
        ("extra", "bonus", 2),
    ]
    first = shown["items"][0]
    assert (first["title"], first["unit"], first["transferable"]) == ("點數", "點", True)
    assert first["worth"] == {"units": 1, "amount": "0.01"}
    assert first["rules"][:2] == ["可以使用。", "購物車每 1 點折抵 0.01。"]
