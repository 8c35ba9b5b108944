"""A draft is looked at over everybody, page by page; nobody moves before it is published and applied."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from shuke.books.members import Place
from shuke.books.tiers import Moves
from shuke.engine.activity import ORDER_PAID
from shuke.program.document import read
from shuke.runtime.apart import Apart
from shuke.runtime.clock import now
from shuke.runtime.programs import document_of
from shuke.runtime.shop import Shop, open_shop
from shuke.runtime.tiers import Applied, Looked, apply_to_members, look_at_members
from shuke.values.instants import DAY
from tests import shop as coffee
from tests.shop import COFFEE, order

pytestmark = pytest.mark.database


def club(gold: int) -> str:
    return (
        COFFEE + "ladders: [{id: club, term: 12 months, tiers: [{id: base}, "
        f"{{id: gold, entry: spend(12 months) >= {gold}}}]}}]\n"
    )


SPENT = {f"m{number:02}": 1000 * number for number in range(1, 31)}
"""30 members who spent 10, 20, … 300 dollars."""


@pytest.fixture
async def shop(books_url: str, tenant: str) -> AsyncIterator[Shop]:
    async with open_shop(books_url, tenant=tenant) as opened:
        await coffee.Shop(opened.pool).publish(club(200))
        at = now() - DAY
        await opened.settler.settle([order(name, f"o-{name}", cents, when=at) for name, cents in SPENT.items()])
        yield opened


async def looked(shop: Shop, text: str, *, behind: Place | None = None, members: int = 1000, **more: float) -> Looked:
    seconds, movers = more.get("seconds", 60), int(more.get("movers", 100))
    draft = document_of(read(text))
    where = behind or Place()
    return await look_at_members(shop, draft, at=now(), behind=where, members=members, movers=movers, seconds=seconds)


async def applied(shop: Shop, run: str, *, behind: Place | None = None, members: int = 1000) -> Applied:
    return await apply_to_members(shop, source="api:test", run=run, behind=behind or Place(), members=members)


async def standing(shop: Shop) -> dict[str, int]:
    rows = await coffee.Shop(shop.pool).rows("select tiers ->> 'club', count(*) from member group by 1")
    return dict(rows)


async def test_a_preview_says_who_would_move_and_why_and_nobody_moves(shop: Shop) -> None:
    """ACCEPTANCE 26."""
    before = await coffee.Shop(shop.pool).rows("select member_id, state, seq from member order by 1")
    found = await looked(shop, club(150))
    assert (found.examined, found.unreadable, found.place) == (30, 0, None)
    assert found.moves == [Moves("club", "base", "gold", 5)]
    assert sorted(mover.member_id for mover in found.movers) == [f"m{number}" for number in range(15, 20)]
    assert {mover.member_id: mover.move.why for mover in found.movers} == {
        f"m{number}": {"criteria": "spend(12 months) >= 150", "seen": {"spend(12 months)": f"{number}0"}}
        for number in range(15, 20)
    }
    assert await coffee.Shop(shop.pool).rows("select member_id, state, seq from member order by 1") == before


async def test_who_would_move_down_and_off_a_ladder_is_told_too(shop: Shop) -> None:
    down = await looked(shop, club(250))
    assert down.moves == [Moves("club", "gold", "base", 5)]
    off = await looked(shop, COFFEE)
    assert off.moves == [Moves("club", "base", None, 19), Moves("club", "gold", None, 11)]


async def test_what_members_counters_do_not_hold_is_told(shop: Shop) -> None:
    assert (await looked(shop, club(150))).uncounted == []
    assert (await looked(shop, club(150).replace("spend(12", "spend(24"))).uncounted == ["spend"]


async def test_pages_together_say_what_one_would_say(shop: Shop) -> None:
    whole = await looked(shop, club(150))
    place: Place | None = Place()
    examined, moved, movers = 0, 0, []
    while place is not None:
        page = await looked(shop, club(150), behind=place, members=7, movers=2)
        assert page.examined <= 7
        assert len(page.movers) <= 2
        examined, place = examined + page.examined, page.place
        moved += sum(moves.members for moves in page.moves)
        movers += page.movers
    assert (examined, moved) == (30, 5)
    assert {mover.member_id for mover in movers} <= {mover.member_id for mover in whole.movers}


async def test_a_page_ends_when_its_time_is_over_and_always_gets_somewhere(shop: Shop, monkeypatch) -> None:
    monkeypatch.setattr("shuke.runtime.tiers._TOGETHER", 4)
    page = await looked(shop, club(150), seconds=0)
    assert page.examined == 4
    assert page.place is not None


async def test_a_state_that_cannot_be_read_is_counted_and_the_others_are_looked_at(shop: Shop) -> None:
    await coffee.Shop(shop.pool).rows("update member set state = '\\xc1' where member_id = 'm15'")
    found = await looked(shop, club(150))
    assert (found.examined, found.unreadable) == (30, 1)
    assert found.moves == [Moves("club", "base", "gold", 4)]


async def test_applying_moves_everybody_to_what_the_version_in_force_supports(shop: Shop) -> None:
    promised = await looked(shop, club(150))
    await coffee.Shop(shop.pool).publish(club(150), when=now() - DAY // 2)
    assert await standing(shop) == {"base": 19, "gold": 11}
    done = await applied(shop, "r1")
    assert (done.settled, done.refused, done.failed, done.place) == (30, 0, 0, None)
    assert done.moves == promised.moves
    assert await standing(shop) == {"base": 14, "gold": 16}
    assert await coffee.Shop(shop.pool).findings() == []


async def test_an_application_that_was_interrupted_goes_on_and_applies_once(shop: Shop) -> None:
    await coffee.Shop(shop.pool).publish(club(150), when=now() - DAY // 2)
    first = await applied(shop, "r1", members=10)
    assert first.place is not None
    again = await applied(shop, "r1", members=10)  # its answer was lost
    assert (again, again.settled) == (first, 10)
    rest = await applied(shop, "r1", behind=first.place)
    assert rest.settled == 20
    moves = sum(moves.members for page in (first, rest) for moves in page.moves)
    assert moves == 5
    assert await coffee.Shop(shop.pool).rows("select count(*) from activity where type = 'tiers.applied'") == [(30,)]


async def test_members_who_have_left_for_ever_are_not_moved(shop: Shop) -> None:
    await shop.settler.settle([coffee.told("member.erased", "m15", key="e", when=now())])
    assert (await looked(shop, club(150))).moves == [Moves("club", "base", "gold", 4)]
    assert (await applied(shop, "r1")).settled == 29


async def test_orders_settle_while_a_preview_runs(shop: Shop) -> None:
    orders = [order("m01", f"p-{number}", 100, when=now()) for number in range(20)]
    found, *answers = await asyncio.gather(
        looked(shop, club(150), members=3),
        *(shop.settle(activity) for activity in orders if activity.type == ORDER_PAID),
    )
    assert found.examined == 3
    assert {answer.status for answer in answers} == {"settled"}


async def test_work_apart_goes_on_after_its_process_died() -> None:
    with Apart() as apart:
        first = await apart.run(os.getpid)
        assert first != os.getpid()
        with pytest.raises(Exception, match="terminated abruptly"):
            await apart.run(os._exit, 1)
        assert await apart.run(os.getpid) != first
