"""A version comes into force: publishing is done at once, and every member meets the version afterwards, once."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from structlog.testing import capture_logs

from shuke.books import sweeps
from shuke.books.connect import connect, connect_blocking
from shuke.engine.activity import ASSET_SPENT, ERASED
from shuke.runtime import due
from shuke.runtime.settle import Settler
from shuke.values.instants import NEVER
from tests.shop import COFFEE, Shop, at, given, open_shop, told

pytestmark = pytest.mark.database

VISITS = "\n  - {id: seen, on: visited, asset: points, give: {fixed: 10}, limits: {times_total: 5000}}\n"
KEPT = COFFEE.replace("validity: {after: 12 months}, ", "") + VISITS
IDLE = COFFEE.replace("after: 12 months", "inactivity: 5 days") + VISITS
LATER = COFFEE.replace("after: 12 months", "inactivity: 6 days") + VISITS
MAY, JUNE, JULY = at("2026-05-01"), at("2026-06-01"), at("2026-07-01")
EXPIRED = "select count(*), count(distinct member_id) from entry where kind = 'expire'"
PENDING = "select count(*) from outbox where kind = 'sweep'"


@pytest.fixture
async def shop(books_url: str, tenant: str) -> AsyncIterator[Shop]:
    async with open_shop(books_url, tenant=tenant, program=KEPT) as opened:
        yield opened


async def members(shop: Shop, count: int) -> None:
    await shop.settle(*(given(f"m{number}", 10, key=f"k{number}", when=MAY) for number in range(count)))


async def test_every_one_of_many_members_meets_the_version_once_and_a_page_at_a_time(shop: Shop) -> None:
    await members(shop, 2900)
    await shop.publish(IDLE, when=JUNE)
    assert await shop.rows("select count(*) from member where due_at is not null") == [(0,)]  # nobody was touched
    counts: list[int] = []
    assert await due.advance(shop.settler, until=JULY, batch=500, progress=counts.append) == 2900
    assert counts == [*range(0, 2501, 500), 2900]
    assert await shop.rows(EXPIRED) == [(2900, 2900)]
    assert await shop.rows("select distinct balances ->> 'points' from member") == [("0",)]
    assert (await shop.rows(PENDING), await due.advance(shop.settler, until=JULY)) == ([(0,)], 0)
    assert await shop.findings() == []


async def test_whoever_is_touched_before_her_turn_has_met_the_version_then(shop: Shop) -> None:
    await members(shop, 20)
    await shop.publish(IDLE, when=JUNE)
    spend = told(ASSET_SPENT, "m7", key="s", when=at("2026-06-20"), asset="points", amount=1)
    assert [answer.code for answer in await shop.settle(spend)] == ["insufficient"]
    assert await shop.rows(EXPIRED) == [(1, 1)]
    await shop.settle(given("m8", 5, key="late", when=at("2026-06-30T23:00")))
    assert await due.advance(shop.settler, until=JULY, batch=6) == 20
    assert await shop.rows(EXPIRED) == [(20, 20)]
    assert await shop.available("m8") == 5
    assert await shop.findings() == []


async def test_whoever_is_being_made_by_a_batch_that_does_not_know_the_version_is_not_forgotten(
    shop: Shop, books_url: str, tenant: str
) -> None:
    await members(shop, 3)
    await shop.settle(told("visited", "m0", key="first", when=MAY))
    visit = told("visited", "newcomer", key="v", when=MAY)
    async with await connect(books_url, tenant=tenant) as somebody:
        await somebody.execute("select from quota for update")
        batch = asyncio.create_task(shop.settle(visit))
        await until_waiting(shop)
        await shop.publish(IDLE, when=JUNE)
        assert await due.advance(shop.settler, until=JULY) == 0
        assert await shop.rows(PENDING) == [(1,)]
        await somebody.rollback()
    assert [answer.status for answer in await batch] == ["settled"]
    assert await shop.rows("select distinct version from activity") == [(1,)]
    assert await due.advance(shop.settler, until=JULY) == 4
    assert await shop.available("newcomer") == 0
    assert await shop.findings() == []


async def until_waiting(shop: Shop) -> None:
    """Until a batch waits for a lock."""
    asking = "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    while (await shop.rows(asking))[0][0] == 0:  # noqa: ASYNC110  # what a server waits for sets no event of ours
        await asyncio.sleep(0)


async def test_clocks_beside_each_other_meet_everybody_once(shop: Shop) -> None:
    await members(shop, 300)
    await shop.publish(IDLE, when=JUNE)
    clocks = [Settler(shop.connections) for _ in range(3)]
    counts = await asyncio.gather(*(due.advance(clock, until=JULY, batch=40) for clock in clocks))
    assert sum(counts) == 300
    assert await shop.rows("select count(*) from activity where type = 'time.passed'") == [(300,)]
    assert await shop.rows(PENDING) == [(0,)]
    assert await shop.findings() == []


async def test_a_sweep_that_was_interrupted_goes_on_where_it_stopped(shop: Shop) -> None:
    await members(shop, 100)
    await shop.publish(IDLE, when=JUNE)

    def stop(settled: int) -> None:
        if settled >= 40:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await due.advance(shop.settler, until=JULY, batch=20, progress=stop)
    assert await shop.rows(EXPIRED) == [(40, 40)]
    assert await due.advance(shop.settler, until=JULY, batch=20) == 60
    assert await shop.rows(EXPIRED) == [(100, 100)]


async def test_a_version_still_to_come_is_met_when_it_comes(shop: Shop) -> None:
    await members(shop, 5)
    await shop.publish(IDLE, when=MAY, effective_from=JUNE)
    assert await due.advance(shop.settler, until=JUNE - 1) == 0
    async with shop.connections.connection() as connection:
        assert await sweeps.next_at(connection) == JUNE
    assert await due.advance(shop.settler, until=JUNE) == 5
    async with shop.connections.connection() as connection:
        assert await sweeps.next_at(connection) == NEVER
    assert await shop.rows(EXPIRED) == [(5, 5)]


async def test_one_visit_meets_all_versions_that_are_in_force(shop: Shop) -> None:
    await members(shop, 5)
    await shop.publish(IDLE, when=JUNE)
    await shop.publish(LATER, when=JUNE + 1)
    await shop.publish(IDLE, when=JUNE + 2, effective_from=at("2027-01-01"))
    assert await due.advance(shop.settler, until=JULY) == 5
    assert await shop.rows(PENDING) == [(1,)]  # the one still to come
    assert await shop.findings() == []


async def test_what_changes_nothing_that_time_does_sweeps_nobody(shop: Shop) -> None:
    await members(shop, 5)
    await shop.publish(KEPT.replace("points: 1}", "points: 2}"), when=JUNE)
    assert await shop.rows(PENDING) == [(0,)]
    assert await due.advance(shop.settler, until=JULY) == 0


async def test_a_member_somebody_holds_is_waited_for_while_time_passes_for_others(
    shop: Shop, books_url: str, tenant: str
) -> None:
    await members(shop, 6)
    await shop.publish(IDLE, when=JUNE)
    await shop.settle(given("bob", 5, key="b", when=JUNE))
    with connect_blocking(books_url, tenant=tenant) as other, capture_logs() as lines:

        def hold(settled: int) -> None:
            if settled == 3:  # bob, and the first page
                other.execute("select from member where balances ->> 'points' = '10' limit 1 for update")

        assert await due.advance(shop.settler, until=JULY, batch=2, progress=hold) == 3
        other.rollback()
    assert [line["members"] for line in lines if line["event"] == "sweep.waits"] == [1]
    assert await due.advance(shop.settler, until=JULY) == 5
    assert await shop.rows(EXPIRED) == [(7, 7)]


async def test_nothing_more_happens_to_who_is_erased(shop: Shop) -> None:
    await members(shop, 3)
    await shop.settle(told(ERASED, "m1", key="e", when=at("2026-05-02")))
    await shop.publish(IDLE, when=JUNE)
    assert await due.advance(shop.settler, until=JULY) == 2
    assert await shop.rows("select type from activity where member_id = 'm1' order by seq desc limit 1") == [(ERASED,)]
    assert await shop.findings() == []
