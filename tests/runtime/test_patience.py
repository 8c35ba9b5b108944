"""Nothing that is settled waits for ever: what holds it up is found, hurts nobody else, and is answered in time."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString

import psycopg
import pytest
from structlog.testing import capture_logs

from shuke.books import load, server
from shuke.books.away import BooksAway, Cause, Held, cause_of
from shuke.books.connect import connect, connect_blocking
from shuke.books.load import Bounds
from shuke.books.migrations import migrate
from shuke.engine.activity import ASSET_TRANSFERRED, COUPON_CLAIMED
from shuke.runtime import due
from shuke.runtime.codes import make_batch
from shuke.runtime.group_commit import GroupCommit
from shuke.runtime.settle import Patience, Settler
from tests.shop import COFFEE, NOON, Shop, at, given, open_shop, told

pytestmark = pytest.mark.database

PROGRAM = (
    COFFEE
    + """
  - {id: early, on: visited, asset: points, give: {fixed: 1}, limits: {times_total: 50}}
coupons:
  - {id: ten, give: {percent: 10}, codes: unique}
"""
)
QUICK = Patience(lock=0.1, whole=20)
PATIENT = Patience(lock=0.5, whole=20)


@pytest.fixture
async def shop(books_url: str, tenant: str) -> AsyncIterator[Shop]:
    async with open_shop(books_url, tenant=tenant, program=PROGRAM) as opened:
        await opened.settle(*(given(name, 100, key=name) for name in ("ada", "bob", "cy", "dee")))
        await opened.settle(told("visited", "dee", key="first"))
        async with opened.connections.connection() as connection:
            await make_batch(connection, "ten", size=1, at=NOON)
        yield opened


@contextmanager
def somebody(url: str, tenant: str, *, does: LiteralString) -> Iterator[None]:
    """For as long as the block lasts somebody has done this in a transaction and forgotten to end it."""
    with connect_blocking(url, tenant=tenant) as other:
        other.execute(does)
        yield
        other.rollback()


async def claimed(shop: Shop, *, key: str) -> object:
    [(code,)] = await shop.rows("select code from code")
    return told(COUPON_CLAIMED, "ada", key=key, code=code)


HELD: dict[str, LiteralString] = {
    "her member": "select from member where member_id = 'ada' for update",
    "the receiver of her gift": "select from member where member_id = 'bob' for update",
    "a quota": "select from quota for update",
    "a code": "select from code for update",
    "the batch of a code": "select from code_batch for update",
}


async def wants(shop: Shop, what: str, *, key: str):
    match what:
        case "the receiver of her gift":
            return told(ASSET_TRANSFERRED, "ada", key=key, asset="points", amount=1, to_member="bob")
        case "a quota":
            return told("visited", "ada", key=key)
        case "a code" | "the batch of a code":
            return await claimed(shop, key=key)
    return given("ada", 1, key=key)


@pytest.mark.parametrize("what", HELD)
async def test_who_needs_what_somebody_holds_is_told_in_time_and_others_are_settled_meanwhile(
    shop, books_url, tenant, what
):
    door = GroupCommit(shop.settler, line=QUICK, aside=PATIENT)
    stuck = await wants(shop, what, key="stuck")
    with somebody(books_url, tenant, does=HELD[what]):
        waiting = asyncio.create_task(door.submit(stuck))
        others = [door.submit(given(name, 1, key=f"{n}/{name}")) for n in range(30) for name in ("cy", "dee")]
        answers = await asyncio.gather(*others)
        assert not waiting.done()
        assert {answer.status for answer in answers} == {"settled"}
        with pytest.raises(Held, match="locked"):
            await waiting
        assert (await door.submit(given("cy", 1, key="behind"))).status == "settled"
    first, again = await door.submit(stuck), await door.submit(stuck)
    assert (first.status, first.repeated, again.repeated, again.seq) == ("settled", False, True, first.seq)
    assert await shop.findings() == []


async def test_who_is_let_go_in_time_is_settled_in_the_end(shop, books_url, tenant):
    door = GroupCommit(shop.settler, line=QUICK, aside=Patience(lock=20, whole=20))
    with somebody(books_url, tenant, does=HELD["her member"]):
        waiting = [asyncio.create_task(door.submit(given("ada", 1, key=f"w{n}"))) for n in range(3)]
        await door.submit(given("cy", 1, key="other"))
        waiting.append(asyncio.create_task(door.submit(given("ada", 1, key="w3"))))
        await door.submit(given("cy", 1, key="another"))
        assert not any(task.done() for task in waiting)
    assert [answer.status for answer in await asyncio.gather(*waiting)] == ["settled"] * 4
    assert await shop.available("ada") == 104


async def test_one_who_asks_again_and_again_for_a_member_somebody_holds_makes_others_wait_once(shop, books_url, tenant):
    door = GroupCommit(shop.settler, line=QUICK, aside=Patience(lock=20, whole=20))
    with somebody(books_url, tenant, does=HELD["her member"]), capture_logs() as told_log:
        impatient = []
        for number in range(50):
            impatient.append(asyncio.create_task(door.submit(given("ada", 1, key=f"a{number}"))))
            await door.submit(given("cy", 1, key=f"c{number}"))
    assert {answer.status for answer in await asyncio.gather(*impatient)} == {"settled"}
    assert [line["event"] for line in told_log] == ["settle.held"]


async def test_a_table_somebody_holds_ends_in_an_answer_for_everybody(shop, books_url, tenant):
    door = GroupCommit(shop.settler, line=Patience(lock=0.1, whole=1), aside=QUICK)
    asked = [given(name, 1, key=f"k/{name}") for name in ("ada", "bob", "new")]
    with somebody(books_url, tenant, does="lock table member in access exclusive mode"):
        told_all = await asyncio.gather(*(door.submit(one) for one in asked), return_exceptions=True)
    assert [type(error) for error in told_all] == [BooksAway] * 3
    again = await asyncio.gather(*(door.submit(one) for one in asked))
    assert [(answer.status, answer.repeated) for answer in again] == [("settled", False)] * 3
    assert await shop.findings() == []


async def test_a_batch_says_which_of_its_activities_are_held_also_when_it_had_to_be_cut(shop, books_url, tenant):
    unwritable = given("a\x00da", 1, key="bad")
    batch = [given("cy", 1, key="c"), unwritable, given("dee", 1, key="d"), given("ada", 1, key="a")]
    with somebody(books_url, tenant, does=HELD["her member"]), pytest.raises(Held) as held:
        await shop.settler.settle(batch, patience=QUICK)
    assert held.value.positions == {3}
    assert [answer.status for answer in await shop.settle(*batch)] == ["settled", "failed", "settled", "settled"]


# -- The server does not come back ------------------------------------------------------------------------


async def test_a_server_that_stands_still_ends_in_an_answer_and_its_connection_is_given_to_nobody(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, most=1) as shop:
        await shop.settle(given("ada", 1, key="before"))
        [(pid,)] = await shop.rows("select pg_backend_pid()")
        door = GroupCommit(shop.settler, line=Patience(lock=1, whole=0.3))
        os.kill(pid, signal.SIGSTOP)
        try:
            stuck = [given("ada", 1, key="stuck"), given("bob", 1, key="stuck too")]
            answers = await asyncio.gather(*(door.submit(one) for one in stuck), return_exceptions=True)
            assert [type(error) for error in answers] == [BooksAway] * 2
            assert (await shop.settle(given("cy", 1, key="next")))[0].status == "settled"
            assert await shop.rows("select pg_backend_pid()") != [(pid,)]
        finally:
            os.kill(pid, signal.SIGCONT)
        again = await shop.settle(*stuck)
        assert [(answer.status, answer.repeated) for answer in again] == [("settled", False)] * 2
        assert await shop.available("ada") == 2
        assert await shop.findings() == []


async def test_what_was_committed_although_nobody_heard_gets_its_first_answer_when_it_is_told_again(home: Path):
    with server.start(home) as running:
        migrate(running.url, tenant="t")
        async with open_shop(running.url, tenant="t") as shop:
            door = GroupCommit(shop.settler, line=Patience(lock=1, whole=0.5))
            with psycopg.connect(running.url, autocommit=True) as operator:
                # Every commit now waits for a standby that is not there, when it is on the disk already.
                operator.execute("alter system set synchronous_standby_names = 'nobody'")
                operator.execute("select pg_reload_conf()")
                waits = [given("ada", 5, key="a"), *(given(f"m{n}", 1, key=f"k{n}") for n in range(30))]
                asked = [door.submit(one) for one in waits[:1]]
                with pytest.raises(BooksAway, match="took too long"):
                    await asyncio.gather(*asked)
                with pytest.raises(BooksAway, match="took too long"):
                    await shop.settler.settle(waits[1:], patience=Patience(lock=1, whole=0.5))
                operator.execute("alter system reset synchronous_standby_names")
                operator.execute("select pg_reload_conf()")
            answers = await shop.settle(*waits)
            assert {(answer.status, answer.repeated) for answer in answers} == {("settled", True)}
            assert await shop.available("ada") == 5
            assert await shop.findings() == []


async def test_whoever_begins_and_stands_still_is_ended_by_the_server(shop, books_url, tenant):
    async with await connect(books_url, tenant=tenant) as still:
        bounds = Bounds(lock_seconds=1, seconds=0.2)
        begun = await load.begin(still, ["ada", "never seen"], activities=2, bounds=bounds)
        assert set(begun.members) == {"ada", "never seen"}
        answers = await shop.settle(given("ada", 1, key="next"))  # waits until the lock is gone
        assert answers[0].status == "settled"
        with pytest.raises(psycopg.Error, match="transaction timeout") as ended:
            await still.commit()
        assert cause_of(ended.value) == Cause("connection_lost", passing=True)
    assert await shop.rows("select from member where member_id = 'never seen'") == []


async def test_a_connection_is_left_without_bounds_for_whoever_reads_next(shop):
    await shop.settle(given("ada", 1, key="k"))
    names: list[LiteralString] = ["lock_timeout", "statement_timeout", "transaction_timeout"]
    for name in names:
        assert await shop.rows("select current_setting(%s)", [name]) == [("0",)]


async def test_the_clock_gives_up_in_time_too(shop, books_url, tenant):
    hurried = Settler(shop.connections, patience=Patience(lock=0.1, whole=0.5))
    with somebody(books_url, tenant, does="lock table member in access exclusive mode"), pytest.raises(BooksAway):
        await due.advance(hurried, until=at("2028-01-01"), batch=10)
    assert await due.advance(hurried, until=at("2028-01-01"), batch=10) == 4
    assert await shop.findings() == []


# -- What can pass, and what cannot -----------------------------------------------------------------------

FAILS: LiteralString = """
    create sequence tries;
    create function fail() returns trigger language plpgsql as $$ begin
        if nextval('tries') <= {times} then raise exception 'for Mei Chen' using errcode = '{code}'; end if;
        return new;
    end $$;
    create trigger fails before insert on activity execute function fail();
"""


async def fails(shop: Shop, code: str, *, times: int) -> None:
    """The next so many statements that write activities fail as if the server had this trouble."""
    query = FAILS.format(times=times, code=code)
    async with shop.connections.connection() as connection:
        await connection.execute(query.encode())


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("53100", "disk_full"),
        ("53200", "out_of_memory"),
        ("53400", "out_of_resources"),
        ("25006", "read_only"),
        ("57014", "took_too_long"),
        ("58030", "system_error"),
        ("55006", "not_ready"),
    ],
)
async def test_trouble_that_does_not_pass_is_told_at_once_and_by_its_name(shop, code, why):
    await fails(shop, code, times=1)
    with capture_logs() as lines, pytest.raises(BooksAway) as away:
        await shop.settle(given("ada", 1, key="k"))
    assert (away.value.why, away.value.sqlstate) == (why, code)
    assert lines == [
        {
            "event": "settle.books_away",
            "log_level": "error",
            "why": why,
            "sqlstate": code,
            "activities": 1,
        }
    ]
    assert "Mei Chen" not in str(away.value)
    [answer] = await shop.settle(given("ada", 1, key="k"))
    assert (answer.status, answer.repeated) == ("settled", False)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("08006", "connection_lost"),
        ("53300", "too_many_connections"),
        ("57P01", "restarting"),
        ("57P03", "restarting"),
        ("55P03", "locked"),
    ],
)
async def test_trouble_that_passes_is_tried_again(shop, code, why):
    await fails(shop, code, times=2)
    with capture_logs() as lines:
        [answer] = await shop.settle(given("ada", 1, key="k"))
    assert answer.status == "settled"
    assert [(line["event"], line["why"]) for line in lines] == [("settle.again", why)] * 2


async def test_trouble_that_would_pass_and_does_not_is_told_in_the_end(shop):
    await fails(shop, "08006", times=100)
    with pytest.raises(BooksAway, match="connection lost"):
        await shop.settler.settle([given("ada", 1, key="k")], patience=Patience(lock=1, whole=60))
    assert await shop.rows("select last_value from tries") == [(8,)]


async def test_a_server_that_only_reads_is_left_for_the_one_that_took_its_place(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, most=1) as shop:
        [(pid,)] = await shop.rows("select pg_backend_pid()")
        await shop.rows("select set_config('default_transaction_read_only', 'on', false)")
        with pytest.raises(BooksAway, match="read only"):
            await shop.settle(given("ada", 1, key="k"))
        assert (await shop.settle(given("ada", 1, key="k")))[0].status == "settled"
        assert await shop.rows("select pg_backend_pid()") != [(pid,)]


async def test_a_mistake_of_ours_is_no_trouble_of_the_books(shop):
    await fails(shop, "42703", times=1)
    with pytest.raises(psycopg.errors.UndefinedColumn):
        await shop.settle(given("ada", 1, key="k"))
