"""Where members stand, told over HTTP; tiers given and taken back; the ladders in words."""

import pytest

from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

GOLD = {"tier": "gold", "title": "Gold"}
BASE = {"tier": "base", "title": "base"}


@pytest.fixture
async def club(serve):
    """The shop with everything; Ann joined, and has spent 100 of the 300 it takes for gold."""
    async with serve(PROGRAM) as door:
        await door.post("/v1/members", json={"member_id": "ann"})
        await door.post("/v1/orders", json={"order_id": "o-1", "member_id": "ann", "lines": [{"amount": 10000}]})
        yield door


async def test_progress_says_how_much_more_and_by_when(club: Door):
    [ladder] = (await club.get("/v1/members/ann/progress")).json()["ladders"]
    assert (ladder["ladder"], ladder["title"], ladder["tier"], ladder["keep"]) == ("club", "Club", BASE, None)
    goal = ladder["next"]
    [[missing]] = goal["ways"]
    by = missing["by"]
    assert (goal["tier"], goal["criteria"], goal["met"]) == (GOLD, "spend(12 months) >= 300", False)
    assert (missing["have"], missing["need"], missing["missing"]) == ("100", "300", "200")
    assert goal["sentence"] == f"To reach Gold: spend(12 months): 200 more by {by}"
    chinese = await club.get("/v1/members/ann/progress", headers={"Accept-Language": "zh-CN"})
    [ladder] = chinese.json()["ladders"]
    assert ladder["next"]["sentence"] == f"升级到“金卡”：spend(12 months) 还差 200（{by} 之前）"


async def test_a_tier_that_is_given_is_in_force_until_it_is_taken_back(club: Door):
    told = {"member_id": "ann", "ladder": "club", "tier": "gold", "source": "bought", "ref": "i-1"}
    given = await club.post("/v1/tiers/grant", json={**told, "days": 30})
    assert (given.status_code, given.json()["ref"], given.json()["tiers"]) == (200, "i-1", {"club": "gold"})
    standing = (await club.get("/v1/members/ann/standing")).json()
    [ladder] = standing["ladders"]
    assert (ladder["tier"], ladder["source"], ladder["earned"]) == (GOLD, "bought", BASE)
    assert [(grant["tier"], grant["source"], grant["ref"]) for grant in ladder["grants"]] == [(GOLD, "bought", "i-1")]
    assert [(change["before"], change["after"], change["reason"]) for change in standing["changes"]] == [
        (BASE, GOLD, "granted"),
        (None, BASE, "joined"),
    ]
    taken = await club.post("/v1/tiers/revoke", json={"member_id": "ann", "ladder": "club", "ref": "i-1"})
    assert (taken.status_code, taken.json()["tiers"]) == (200, {"club": "base"})
    [ladder] = (await club.get("/v1/members/ann/standing")).json()["ladders"]
    assert (ladder["tier"], ladder["source"], ladder["grants"]) == (BASE, "earned", [])


async def test_without_a_ref_the_key_is_what_a_tier_is_taken_back_by(club: Door):
    told = {"member_id": "ann", "ladder": "club", "tier": "gold", "period": "12 months"}
    given = await club.post("/v1/tiers/grant", json=told, headers={"Idempotency-Key": "k-1"})
    assert given.json()["ref"] == "k-1"
    again = await club.post("/v1/tiers/grant", json=told, headers={"Idempotency-Key": "k-1"})
    assert again.text == given.text


@pytest.mark.parametrize(
    ("path", "told", "status", "code"),
    [
        ("grant", {"tier": "platinum"}, 422, "tier_unknown"),
        ("grant", {"ladder": "other", "tier": "gold"}, 422, "ladder_unknown"),
        ("grant", {"tier": "gold", "until": "2001-01-01T00:00:00Z"}, 422, "until_invalid"),
        ("grant", {"tier": "gold", "until": "2101-01-01T00:00:00Z", "days": 3}, 400, "invalid_request"),
        ("grant", {"tier": "gold", "source": "stolen"}, 400, "invalid_request"),
        ("grant", {"tier": "gold", "period": "soon"}, 400, "invalid_request"),
        ("grant", {"tier": "gold", "member_id": "nobody"}, 404, "member_unknown"),
        ("revoke", {"ref": "none"}, 422, "grant_unknown"),
        ("revoke", {"ref": "none", "member_id": "nobody"}, 404, "member_unknown"),
    ],
)
async def test_what_cannot_be_given_or_taken_is_refused(club: Door, path: str, told: dict, status: int, code: str):
    answer = await club.post(f"/v1/tiers/{path}", json={"member_id": "ann", "ladder": "club"} | told)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_a_tier_that_is_earned_says_what_keeps_it(club: Door):
    await club.post("/v1/orders", json={"order_id": "o-2", "member_id": "ann", "lines": [{"amount": 50000}]})
    [ladder] = (await club.get("/v1/members/ann/progress")).json()["ladders"]
    assert (ladder["tier"], ladder["next"]) == (GOLD, None)
    keep, last_day = ladder["keep"], ladder["last_day"]
    assert (keep["met"], keep["by"]) == (False, last_day)
    [[missing]] = keep["ways"]
    assert (missing["have"], missing["today"], missing["missing"]) == ("0", "600", "300")
    assert keep["sentence"] == (
        f"To keep Gold beyond {last_day}: spend(12 months): 300 more by {last_day} (0 of today's 600 still count then)"
    )
    [standing] = (await club.get("/v1/members/ann/standing")).json()["ladders"]
    assert (standing["earned"], standing["source"], standing["last_day"]) == (GOLD, "earned", ladder["last_day"])


async def test_the_ladders_are_told_in_the_callers_language(club: Door):
    [ladder] = (await club.get("/v1/tiers", headers={"Accept-Language": "zh-TW"})).json()["items"]
    assert (ladder["ladder"], ladder["title"]) == ("club", "俱樂部")
    assert ladder["rules"][:2] == ["每位會員一開始都是「base」。", "達標立即升等。"]
    assert ladder["tiers"][1] == {
        "tier": "gold",
        "title": "金卡",
        "colour": None,
        "entry": "spend(12 months) >= 300",
        "keep": "spend(12 months) >= 300",
        "rules": ["升等條件：spend(12 months) >= 300。", "續等條件：spend(12 months) >= 300。", "效期 12 個月。"],
    }


@pytest.mark.parametrize("what", ["progress", "standing"])
async def test_of_somebody_nobody_knows_there_is_nothing(club: Door, what: str):
    answer = await club.get(f"/v1/members/nobody/{what}")
    assert (answer.status_code, answer.json()["code"]) == (404, "member_unknown")
