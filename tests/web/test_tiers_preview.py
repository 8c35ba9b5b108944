"""Who would move under a draft, and applying, over HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shuke.runtime.clock import now
from shuke.values.instants import DAY
from tests import shop as coffee
from tests.runtime.test_preview import SPENT, club
from tests.shop import order
from tests.web.conftest import Door, publish

pytestmark = pytest.mark.database


@pytest.fixture
async def door(serve: Any) -> AsyncIterator[Door]:
    async with serve(club(200)) as opened:
        at = now() - DAY
        await opened.shop.settler.settle([order(name, f"o-{name}", cents, when=at) for name, cents in SPENT.items()])
        yield opened


async def pages(door: Door, path: str, **told: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor = None
    while not found or cursor is not None:
        answer = await door.post(path, json=told | {"cursor": cursor})
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
        cursor = found[-1]["next"]
    return found


async def test_editing_criteria_previews_who_moves_and_nobody_moves_before_apply(door: Door) -> None:
    """ACCEPTANCE 26."""
    await door.put("/v1/programs/draft", content=club(150), headers={"Content-Type": "application/yaml"})
    (page,) = await pages(door, "/v1/tiers/preview")
    assert (page["of"], page["examined"], page["anyway"], page["uncounted"]) == (30, 30, 0, [])
    assert page["moves"] == [{"ladder": "club", "before": "base", "after": "gold", "members": 5}]
    assert page["movers"][0]["why"]["criteria"] == "spend(12 months) >= 150"
    assert (await pages(door, "/v1/tiers/apply"))[0]["moves"] == []
    await door.post("/v1/programs/publish", json={}, headers={"If-Match": "*"})
    (done,) = await pages(door, "/v1/tiers/apply")
    assert (done["settled"], done["moves"]) == (30, page["moves"])
    (page,) = await pages(door, "/v1/tiers/preview", program={"version": 2})
    assert page["moves"] == []
    assert await coffee.Shop(door.shop.pool).findings() == []


async def test_pages_of_a_preview_look_at_one_moment_and_add_up(door: Door) -> None:
    found = await pages(door, "/v1/tiers/preview", program={"text": club(150)}, members=8)
    assert len({page["at"] for page in found}) == 1
    assert [page["examined"] for page in found] == [8, 8, 8, 6]
    assert sum(moves["members"] for page in found for moves in page["moves"]) == 5


async def test_pages_of_an_application_go_on_and_are_answered_again_alike(door: Door) -> None:
    await publish(door.shop, club(150), at=now())
    headers = {"Idempotency-Key": "apply-1"}
    first, again = [await door.post("/v1/tiers/apply", json={"members": 20}, headers=headers) for _ in range(2)]
    assert first.text == again.text
    rest = await door.post("/v1/tiers/apply", json={"members": 20, "cursor": first.json()["next"]})
    assert (first.json()["settled"], rest.json()["settled"], rest.json()["next"]) == (20, 10, None)
    lost = await door.post("/v1/tiers/apply", json={"members": 30, "cursor": first.json()["next"]})
    assert lost.json() == rest.json()
    rows = await coffee.Shop(door.shop.pool).rows("select count(*) from activity where type = 'tiers.applied'")
    assert rows == [(30,)]


@pytest.mark.parametrize("path", ["/v1/tiers/preview", "/v1/tiers/apply"])
@pytest.mark.parametrize("cursor", ["", "x", "é", "AAAA", "lKFhAA", "A" * 999])
async def test_a_cursor_nobody_gave_is_refused(door: Door, path: str, cursor: str) -> None:
    answer = await door.post(
        path, json={"cursor": cursor, **({"program": {"version": 1}} if "preview" in path else {})}
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "cursor_invalid")


async def test_a_cursor_goes_with_its_program(door: Door) -> None:
    told = {"program": {"text": club(150)}, "members": 5}
    cursor = (await door.post("/v1/tiers/preview", json=told)).json()["next"]
    other = await door.post("/v1/tiers/preview", json=told | {"program": {"text": club(160)}, "cursor": cursor})
    assert (other.status_code, other.json()["errors"][0]["code"]) == (400, "cursor_invalid")


async def test_what_cannot_be_previewed_is_said(door: Door) -> None:
    assert (await door.post("/v1/tiers/preview", json={})).json()["code"] == "draft_missing"
    assert (await door.post("/v1/tiers/preview", json={"program": {"version": 9}})).json()["code"] == "version_unknown"
    await door.put("/v1/programs/draft", content="id: [", headers={"Content-Type": "application/yaml"})
    assert (await door.post("/v1/tiers/preview", json={})).json()["code"] == "program_not_sound"


async def test_looking_and_moving_need_their_own_scopes(door: Door) -> None:
    async with door.other(await door.secret("tiers:read", source="board")) as reader:
        assert (await reader.post("/v1/tiers/preview", json={"program": {"version": 1}})).status_code == 200
        refused = await reader.post("/v1/tiers/apply", json={})
        assert (refused.status_code, refused.json()["facts"]) == (403, {"scope": "tiers:write"})
