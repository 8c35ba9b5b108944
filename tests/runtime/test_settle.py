"""Settling: what one transaction promises, whoever fails in it or beside it."""

import asyncio
import multiprocessing
import random

import psycopg
import pytest

from shuke.books.connect import connect_blocking
from shuke.engine.activity import ASSET_TRANSFERRED, ORDER_REFUNDED, UPDATED, Line
from shuke.runtime import due
from shuke.runtime.group_commit import GroupCommit
from shuke.runtime.settle import NotPublished
from shuke.values.instants import DAY
from tests.shop import COFFEE, NOON, at, given, open_shop, order, spent, told

pytestmark = pytest.mark.database


async def test_nothing_is_settled_before_a_program_is_published(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, program=None) as shop:
        with pytest.raises(NotPublished):
            await shop.settle(given("ada", 1, key="k"))
        assert await shop.rows("select count(*) from member") == [(0,)]


async def test_a_batch_is_answered_in_the_order_it_came(shop):
    answers = await shop.settle(given("ada", 10, key="a"), spent("ada", 11, key="b"), spent("ada", 10, key="c"))
    assert [(answer.status, answer.code, answer.seq) for answer in answers] == [
        ("settled", None, 1),
        ("refused", "insufficient", 2),
        ("settled", None, 3),
    ]
    assert answers[1].facts == {"asset": "points", "asked": 11, "available": 10}


async def test_an_order_refunded_in_the_batch_that_paid_it_is_refunded(shop):
    paid = order("ada", "o1", 5000)
    back = told(ORDER_REFUNDED, "ada", key="r1", order_id="o1")
    assert [answer.status for answer in await shop.settle(paid, back)] == ["settled", "settled"]
    assert await shop.available("ada") == 0
    assert await shop.rows("select status from orders") == [("refunded",)]
    assert await shop.findings() == []


async def test_an_order_id_used_again_under_another_key_is_refused(shop):
    await shop.settle(order("ada", "o1", 5000))
    answers = await shop.settle(order("ada", "o1", 5000, key="other"), order("ada", "o2", 100))
    assert [(answer.status, answer.code) for answer in answers] == [
        ("refused", "order_exists"),
        ("settled", None),
    ]
    assert await shop.available("ada") == 51


# -- Failure next door ------------------------------------------------------------------------------------

UNWRITABLE = {
    "a quantity no column can hold": order("ada", "o1", Line(100, 2**70), key="bad"),
    "a member id PostgreSQL cannot hold": given("a\x00da", 1, key="bad"),
    "a reason PostgreSQL cannot hold": told(
        "asset.adjusted", "ada", key="bad", asset="points", amount=1, reason="a\x00b"
    ),
    "a key longer than its index can hold": given("ada", 1, key="bad" + random.Random(1).randbytes(5_000).hex()),
    "half a character": told(UPDATED, "ada", key="bad", traits={"name": "\ud800"}),
    "an end after the end of time": told("asset.opened", "ada", key="bad", asset="points", amount=1, expires_at=2**61),
    "an instant before all calendars": given("ada", 1, key="bad", when=-(2**62)),
    "a payload that is not what it says": told(
        "asset.opened", "ada", key="bad", asset="points", amount=1, expires_at="x"
    ),
}


@pytest.mark.parametrize("bad", UNWRITABLE.values(), ids=UNWRITABLE)
async def test_an_activity_that_cannot_be_settled_fails_alone(shop, bad):
    before, behind = given("ada", 3, key="before"), given("bob", 4, key="behind")
    answers = await shop.settle(before, bad, behind)
    assert [answer.status for answer in answers] == ["settled", "failed", "settled"]
    assert (await shop.available("ada"), await shop.available("bob")) == (3, 4)
    assert await shop.rows("select count(*) from activity where key like 'bad%%'") == [(0,)]
    assert await shop.findings() == []


async def test_a_member_whose_state_is_broken_fails_alone(shop):
    await shop.settle(given("ada", 1, key="a1"), given("bob", 1, key="b1"))
    await shop.rows("update member set state = '\\xc1' where member_id = 'ada'")
    answers = await shop.settle(given("ada", 1, key="a2"), given("bob", 1, key="b2"), given("cy", 1, key="c1"))
    assert [answer.status for answer in answers] == ["failed", "settled", "settled"]
    assert await shop.available("bob") == 2


async def test_requests_that_share_a_transaction_with_a_broken_one_get_their_own_answers(shop):
    await shop.settle(given("broken", 1, key="b"))
    await shop.rows("update member set state = '\\xc1' where member_id = 'broken'")
    door = GroupCommit(shop.settler)
    members = [f"m{number}" if number % 7 else "broken" for number in range(100)]
    answers = await asyncio.gather(*(door.submit(given(id_, 1, key=f"g{n}")) for n, id_ in enumerate(members)))
    assert [answer.status == "failed" for answer in answers] == [id_ == "broken" for id_ in members]
    assert await shop.rows("select count(*) from activity where key like 'g%%'") == [(100 - members.count("broken"),)]


async def test_a_member_sent_nothing_because_the_gift_was_refused_does_not_appear(shop):
    gift = told(ASSET_TRANSFERRED, "ada", key="t", asset="points", amount=5, to_member="nobody")
    assert [answer.code for answer in await shop.settle(gift)] == ["insufficient"]
    assert await shop.rows("select member_id from member") == [("ada",)]


async def test_a_repeat_writes_nothing(shop):
    batch = [given("ada", 5, key="k"), order("ada", "o1", 700)]
    await shop.settle(*batch)
    before = await shop.rows("select xmin, ctid from member union all select xmin, ctid from orders")
    assert all(answer.repeated for answer in await shop.settle(*batch))
    assert await shop.rows("select xmin, ctid from member union all select xmin, ctid from orders") == before


# -- Between members --------------------------------------------------------------------------------------


async def test_a_gift_leaves_one_member_and_reaches_the_other_in_one_transaction(shop):
    gift = told(ASSET_TRANSFERRED, "ada", key="t", asset="points", amount=30, to_member="bob")
    await shop.settle(given("ada", 100, key="g"), gift)
    assert (await shop.available("ada"), await shop.available("bob")) == (70, 30)
    rows = await shop.rows("select member_id, seq, type from activity order by member_id, seq")
    assert rows == [
        ("ada", 1, "asset.adjusted"),
        ("ada", 2, "asset.transferred"),
        ("bob", 1, "asset.received"),
    ]
    assert await shop.rows("select count(distinct xmin::text) from activity") == [(1,)]
    assert await shop.findings() == []


async def test_a_gift_delivered_ten_times_at_once_arrives_once(shop):
    await shop.settle(given("ada", 100, key="g"))
    gift = told(ASSET_TRANSFERRED, "ada", key="t", asset="points", amount=30, to_member="bob")
    answers = await asyncio.gather(*(shop.settle(gift) for _ in range(10)))
    assert sorted(answer.repeated for [answer] in answers) == [False] + [True] * 9
    assert (await shop.available("ada"), await shop.available("bob")) == (70, 30)


async def test_keys_that_differ_only_in_where_the_source_ends_name_different_gifts(shop):
    await shop.settle(given("ada", 100, key="g"))
    gifts = [
        told(ASSET_TRANSFERRED, "ada", source=source, key=key, asset="points", amount=10, to_member="bob")
        for source, key in (("a", "b:c"), ("a:b", "c"))
    ]
    assert [answer.status for answer in await shop.settle(*gifts)] == ["settled", "settled"]
    assert await shop.available("bob") == 20


def give_in_circles(url, tenant, seed, results):
    """In a process of its own: gifts between members of a small circle, in overlapping batches."""

    async def run():
        async with open_shop(url, tenant=tenant, program=None, most=4) as shop:
            names = [f"c{number}" for number in range(6)]
            batches = [
                [
                    told(
                        ASSET_TRANSFERRED,
                        names[(seed * 3 + batch + place) % 6],
                        key=f"{seed}/{batch}/{place}",
                        asset="points",
                        amount=1,
                        to_member=names[(seed + batch * 5 + place * 2 + 1) % 6],
                    )
                    for place in range(8)
                ]
                for batch in range(20)
            ]
            answers = await asyncio.gather(*(shop.settle(*batch) for batch in batches))
            return sum(answer.status == "settled" for batch in answers for answer in batch)

    results.put(asyncio.run(run()))


async def test_two_processes_settling_overlapping_batches_never_wait_for_each_other_in_a_circle(
    shop, books_url, tenant
):
    await shop.settle(*(given(f"c{number}", 500, key=f"g{number}") for number in range(6)))
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    processes = [context.Process(target=give_in_circles, args=(books_url, tenant, seed, results)) for seed in (1, 2)]
    for process in processes:
        process.start()
    settled = [await asyncio.to_thread(results.get, timeout=60) for _ in processes]
    for process in processes:
        await asyncio.to_thread(process.join)
    assert sum(settled) > 200
    assert await shop.rows("select sum((balances -> 'points')::int) from member") == [(3000,)]
    deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
    assert await shop.rows(deadlocks) == [(0,)]
    assert await shop.findings() == []


async def test_batches_that_bring_old_and_new_members_never_wait_for_each_other_in_a_circle(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, most=12) as shop:
        deadlocks = "select deadlocks from pg_stat_database where datname = current_database()"
        before = await shop.rows(deadlocks)
        chance = random.Random(7)
        for round_ in range(12):
            names = [f"n{number}" for number in range(round_ * 20, round_ * 20 + 60)]  # a third of them known by now
            batches = [
                [given(name, 1, key=f"{round_}/{batch}/{name}") for name in chance.sample(names, 40)]
                for batch in range(10)
            ]
            answers = await asyncio.gather(*(shop.settle(*batch) for batch in batches))
            assert {answer.status for batch in answers for answer in batch} == {"settled"}
        assert await shop.rows(deadlocks) == before
        assert await shop.findings() == []


# -- Durability and time ----------------------------------------------------------------------------------


async def test_an_answer_comes_after_the_commit_that_made_it_true(shop, books_url, tenant):
    door = GroupCommit(shop.settler)
    with connect_blocking(books_url, tenant=tenant) as other:
        other.autocommit = True

        async def pay(number):
            await door.submit(given(f"m{number % 5}", 1, key=f"k{number}"))
            return other.execute("select count(*) from activity where key = %s", [f"k{number}"]).fetchone()

        assert set(await asyncio.gather(*(pay(number) for number in range(50)))) == {(1,)}


async def test_requests_that_come_while_a_transaction_runs_share_the_next(shop):
    door = GroupCommit(shop.settler)
    await asyncio.gather(*(door.submit(given(f"m{number}", 1, key=f"k{number}")) for number in range(200)))
    transactions = await shop.rows("select count(distinct xmin::text) from activity")
    assert transactions[0][0] <= 3


async def test_a_request_given_up_by_its_caller_is_settled_and_disturbs_nobody(shop):
    door = GroupCommit(shop.settler)
    left, stayed = (asyncio.create_task(door.submit(given("ada", 1, key=key))) for key in ("left", "stayed"))
    await asyncio.sleep(0)
    left.cancel()
    assert (await stayed).status == "settled"
    assert left.cancelled() or (await asyncio.gather(left, return_exceptions=True))
    assert await shop.available("ada") == 2


async def test_the_clock_settles_members_when_their_time_has_come(shop):
    await shop.settle(*(given(f"m{number}", 10, key=f"k{number}", when=NOON + number * DAY) for number in range(30)))
    end = at("2027-05-02")  # the points of 2026-05-01 are good through 2027-05-01
    assert await due.advance(shop.settler, until=end, batch=7) > 0
    for member, left in (("m0", 0), ("m1", 10)):
        assert await shop.available(member) == left
    assert await due.advance(shop.settler, until=end) == 0
    assert await shop.findings() == []


async def test_two_clocks_at_once_let_time_pass_once(shop):
    await shop.settle(*(given(f"m{number}", 10, key=f"k{number}") for number in range(60)))
    end = at("2028-01-01")
    counts = await asyncio.gather(*(due.advance(shop.settler, until=end, batch=5) for _ in range(3)))
    assert sum(counts) == 60
    assert await shop.rows("select count(*) from entry where kind = 'expire'") == [(60,)]


async def test_a_broken_member_does_not_stop_the_clock_for_others(shop):
    await shop.settle(*(given(f"m{number}", 10, key=f"k{number}") for number in range(10)))
    await shop.rows("update member set state = '\\xc1' where member_id = 'm3'")
    assert await due.advance(shop.settler, until=at("2028-01-01"), batch=4) == 9
    assert await shop.rows("select count(*) from entry where kind = 'expire'") == [(9,)]


async def test_a_version_published_by_somebody_else_is_in_force_from_the_next_batch_on(shop, books_url, tenant):
    """The version is that of the activity's own instant, also for facts that arrive late."""
    start = at("2026-06-01")
    await shop.settle(order("ada", "o1", 1000))
    async with open_shop(books_url, tenant=tenant, program=None) as elsewhere:
        await elsewhere.publish(COFFEE.replace("points: 1}", "points: 2}"), when=start)
    await shop.settle(order("ada", "o2", 1000, when=start), order("ada", "late", 1000, when=start - 1))
    rows = await shop.rows("select order_id, amount, version from entry order by order_id")
    assert rows == [("late", 10, 1), ("o1", 10, 1), ("o2", 20, 2)]
    assert await shop.findings() == []


async def test_few_and_many_activities_are_written_alike(shop, books_url, tenant):
    """By statements in one piece, and by COPY."""
    orders = [order(f"m{number % 7}", f"o{number}", 100 * number, when=NOON + number * DAY) for number in range(40)]
    gifts = [told(ASSET_TRANSFERRED, "m1", key=f"t{n}", asset="points", amount=1, to_member="m2") for n in range(5)]
    tables = ("member", "activity", "entry", "lot", "orders", "tier_change", "outbox")
    apart = "- 'id' - 'activity_id' - 'recorded_at' - 'due_at'"
    found = []
    for size in (1, 45):
        batch = [*orders, *gifts]
        for first in range(0, len(batch), size):
            answers = await shop.settle(*batch[first : first + size])
            assert all(answer.status == "settled" for answer in answers)
        found.append(
            [await shop.rows(f"select to_jsonb(t) {apart} as row from {table} t order by 1") for table in tables]
        )
        assert await shop.findings() == []
        for table in tables:
            await shop.rows(f"truncate {table}")
    assert found[0] == found[1]
    assert [len(rows) > 0 for rows in found[0]] == [True, True, True, True, True, False, False]


async def test_a_batch_takes_as_many_statements_however_large_it_is_and_however_long_the_history(shop, monkeypatch):
    """ACCEPTANCE 37. Few are written by as many statements, in one piece; many by COPY."""
    counts = []
    execute = psycopg.AsyncCursor.execute

    async def counted(self, *arguments, **more):
        counts.append(1)
        return await execute(self, *arguments, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counted)

    async def statements(count, name, *, when=NOON):
        counts.clear()
        await shop.settle(*(order(f"m{number}", f"{name}-{number}", 100, when=when) for number in range(count)))
        return len(counts)

    await statements(500, "first")
    few, many = await statements(1, "a"), await statements(500, "b")
    for year in range(3):
        await shop.settle(
            *(order("m0", f"y{year}-{day}", 100, when=NOON + (year * 365 + day) * DAY) for day in range(365))
        )
    late = NOON + 1095 * DAY
    assert many == await statements(50, "c", when=late) == await statements(500, "d", when=late) <= 5
    assert few == await statements(1, "e", when=late) <= 8
