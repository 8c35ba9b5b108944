"""What moved for a member, told over HTTP: entries explained, statements that add up, activities, orders."""

# a sentence is a line

import pytest

from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

DAYS = ["2026-05-01T12:00:00+08:00", "2026-05-03T12:00:00+08:00", "2026-05-02T12:00:00+08:00"]


async def order(door: Door, number: int, amount: int, when: str) -> str:
    told = {"order_id": f"o-{number}", "member_id": "ann", "lines": [{"amount": amount}], "occurred_at": when}
    settled = await door.post("/v1/orders", json=told)
    assert settled.status_code == 201, settled.text
    return settled.json()["activity"]


@pytest.fixture
async def ann(door: Door) -> list[str]:
    """Three orders of Ann: 10 points, 20 points, and late 30 points of the day between. Ids of the activities."""
    return [await order(door, number, (number + 1) * 1000, when) for number, when in enumerate(DAYS)]


async def pages(door: Door, path: str, **query: object) -> list[dict]:
    found = []
    while True:
        answer = await door.get(path, params=query)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += page.get("items", page.get("lines"))
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


@pytest.mark.parametrize("limit", [1, 2, 200])
async def test_entries_come_in_pages_the_latest_settled_first(door: Door, ann: list[str], limit: int):
    entries = await pages(door, "/v1/members/ann/entries", limit=limit)
    assert [(entry["activity"], entry["amount"]) for entry in entries] == list(
        zip(reversed(ann), [30, 20, 10], strict=True)
    )
    assert (await pages(door, "/v1/members/ann/entries", asset="stars")) == []


async def test_an_entry_is_explained_with_all_that_led_to_it(door: Door, ann: list[str]):
    number = ann[0].removeprefix("act_")
    answer = await door.get(f"/v1/members/ann/entries/ent_{number}_0", headers={"Accept-Language": "zh-Hant"})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert told.pop("told")["order"] == {"order_id": "o-0", "lines": [{"amount": 1000}]}
    assert told == {
        "entry": f"ent_{number}_0",
        "activity": ann[0],
        "occurred_at": "2026-05-01T04:00:00Z",
        "asset": "points",
        "kind": "earn",
        "amount": 10,
        "change": 10,
        "balance_change": 10,
        "debit": "issued",
        "credit": "available",
        "lot": 1,
        "rule": "base",
        "order_id": "o-0",
        "version": 1,
        "sentence": "獲得 10points（訂單 o-0）：計點金額 10.00，每 1.00 得 1points（規則「base」，會員制度第 1 版）。",
        "debit_name": "已發放",
        "credit_name": "可用",
        "numbers": [{"name": "basis", "value": "10.00"}],
        "why": {"basis": 1000},
        "rests_on": {
            "version": 1,
            "chapter": {"id": "base", "asset": "points", "give": {"per": {"amount": "1", "points": "1"}}},
            "text": "id: base\nasset: points\ngive:\n  per:\n    amount: 1\n    points: 1",
        },
        "lot_dates": {
            "lot": 1,
            "opened_at": "2026-04-30T16:00:00Z",
            "ripens_at": None,
            "expires_at": "2027-05-01T16:00:00Z",
        },
    }


async def test_an_entry_of_somebody_else_is_not_found(door: Door, ann: list[str]):
    await door.post("/v1/members", json={"member_id": "bob"})
    number = ann[0].removeprefix("act_")
    for path in (
        f"/v1/members/bob/entries/ent_{number}_0",
        f"/v1/members/ann/entries/ent_{number}_7",
        "/v1/members/ann/entries/ent_999999_0",
    ):
        answer = await door.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await door.get("/v1/members/ann/entries/17")).json()["code"] == "invalid_request"


STATEMENTS = [
    ({}, (0, 60), [10, 30, 20]),
    ({"from": "2026-05-01T00:00:00+08:00", "to": "2026-05-02T00:00:00+08:00"}, (0, 10), [10]),
    ({"from": "2026-05-02T00:00:00+08:00", "to": "2026-05-03T00:00:00+08:00"}, (10, 40), [30]),
    ({"from": "2026-05-02T00:00:00+08:00"}, (10, 60), [30, 20]),
    ({"from": "2026-05-09T00:00:00+08:00", "to": "2026-05-10T00:00:00+08:00"}, (60, 60), []),
]


@pytest.mark.parametrize("limit", [1, 100])
@pytest.mark.parametrize(("query", "balance", "lines"), STATEMENTS)
async def test_a_statement_opens_moves_and_closes(
    door: Door, ann: list[str], query: dict, balance: tuple[int, int], lines: list[int], limit: int
):
    statement = (await door.get("/v1/members/ann/statement", params=query)).json()
    [points] = statement["assets"]
    assert (points["asset"], points["opening"]["available"], points["closing"]["available"]) == ("points", *balance)
    found = await pages(door, "/v1/members/ann/statement", **query, limit=limit)
    assert [line["amount"] for line in found] == lines
    assert balance[0] + sum(line["change"] for line in found) == balance[1]
    assert all(line["sentence"].startswith("Earned ") for line in found)


async def test_a_statement_tells_what_is_pending_held_and_owed(serve):
    async with serve(PROGRAM) as door:
        await door.post("/v1/orders", json={"order_id": "o", "member_id": "ann", "lines": [{"amount": 20000}]})
        held = {"member_id": "ann", "asset": "points", "amount": 50, "hold": "h-1"}
        assert (await door.post("/v1/points/holds", json=held)).status_code in (200, 201)
        [asset] = (await door.get("/v1/members/ann/statement")).json()["assets"]
        assert asset["closing"] == {"available": 150, "pending": 0, "held": 50, "debt": 0}
        lines = (await door.get("/v1/members/ann/statement")).json()["lines"]
        assert [(line["change"], line["balance_change"]) for line in lines] == [(200, 200), (-50, 0)]


async def test_a_statement_that_ends_before_it_begins_is_refused(door: Door, ann: list[str]):
    query = {"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}
    answer = await door.get("/v1/members/ann/statement", params=query)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "ends_before_it_begins")


@pytest.mark.parametrize("limit", [1, 2, 200])
async def test_activities_come_as_they_were_told_also_those_refused(door: Door, ann: list[str], limit: int):
    await door.post("/v1/points/spend", json={"member_id": "ann", "asset": "points", "amount": 999})
    found = await pages(door, "/v1/members/ann/activities", limit=limit)
    assert [(told["type"], told["status"]) for told in found] == [
        ("asset.spent", "refused"),
        *[("order.paid", "settled")] * 3,
    ]
    assert [told["seq"] for told in found] == [4, 3, 2, 1]
    assert found[0]["code"] == "insufficient"
    assert found[0]["detail"] == "This takes 999 points, but only 60 points can be spent."


@pytest.mark.parametrize("limit", [1, 2, 200])
async def test_orders_come_the_latest_settled_first_and_a_top_up_is_none(serve, limit: int):
    async with serve(PROGRAM) as door:
        for number, when in enumerate(DAYS):
            await order(door, number, 1000, when)
        await door.post("/v1/stored-value/top-ups", json={"member_id": "ann", "amount": 10000})
        await door.post("/v1/orders", json={"order_id": "o-0", "member_id": "ann", "lines": [{"amount": 1}]})
        await door.post("/v1/orders/o-1/refund", json={})
        found = await pages(door, "/v1/members/ann/orders", limit=limit)
        assert [(one["order_id"], one["status"]) for one in found] == [
            ("o-2", "paid"),
            ("o-1", "refunded"),
            ("o-0", "paid"),
        ]
        assert found[0] == (await door.get("/v1/orders/o-2")).json()


@pytest.mark.parametrize("what", ["entries", "entries/ent_1_0", "statement", "activities", "orders"])
async def test_of_somebody_nobody_knows_there_is_nothing(door: Door, what: str):
    answer = await door.get(f"/v1/members/nobody/{what}")
    assert (answer.status_code, answer.json()["code"]) == (404, "member_unknown")


@pytest.mark.parametrize("what", ["entries", "statement", "activities", "orders"])
async def test_a_cursor_of_something_else_is_refused(door: Door, ann: list[str], what: str):
    for cursor in ("x", "kgAA", "zzzz", "k8_______________8AAA"):
        answer = await door.get(f"/v1/members/ann/{what}", params={"cursor": cursor})
        assert answer.status_code in (200, 400), answer.text
        assert answer.status_code == 200 or answer.json()["errors"][0]["code"] == "cursor_invalid"


async def test_what_is_left_of_an_erased_member_is_still_explained(door: Door, ann: list[str]):
    await door.post("/v1/members/ann/erase", json={})
    entries = await pages(door, "/v1/members/ann/entries")
    assert entries[0]["sentence"] == "Forfeited: 30 points, because the member was erased."
    told = (await door.get(f"/v1/members/ann/entries/{entries[-1]['entry']}")).json()
    assert told["told"]["order"] == {"order_id": "o-0", "lines": [{"amount": 1000}]}
    assert len(await pages(door, "/v1/members/ann/orders")) == 3
    assert len(await pages(door, "/v1/members/ann/activities")) == 4
