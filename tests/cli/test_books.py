"""init, work, verify and stop; and what can be seen of a member."""

import signal

import psycopg
import pytest

from shuke.books.connect import connect_blocking
from tests.cli.conftest import opened


@pytest.mark.database
def test_embedded_books_are_made_once_and_told_where_they_are(make_shuke, home):
    shuke = make_shuke("main", SHUKE_DATABASE_URL="", SHUKE_HOME=str(home))
    first, second = shuke("init"), shuke("init")
    assert (first.status, second.status) == (0, 0), first.err
    assert "The books are made." in first.out
    assert "The books are up to date." in second.out
    assert str(home / "postgres") in first.out
    assert shuke("stop").out == f"The embedded PostgreSQL in {home} is stopped.\n"
    assert not (home / "postgres" / "postmaster.pid").exists()


def test_a_database_of_ones_own_is_not_stopped(make_shuke):
    said = make_shuke("not_ours")("stop")
    assert said.status == 2
    assert "Nothing was changed." in said.err


def test_without_a_program_nothing_can_be_settled_and_publishing_one_is_named(make_shuke, unborn_tenant):
    shuke = make_shuke(unborn_tenant)
    shuke("init")
    said = shuke("import", "--orders", "orders.csv")
    assert (said.status, said.out) == (2, "")
    assert "shuke publish PROGRAM" in said.err


def test_time_passes_up_to_the_end_of_the_day_that_was_named_and_then_the_books_agree(make_shuke, unborn_tenant):
    shuke = opened(make_shuke(unborn_tenant))
    assert shuke("work", "--until", "2025-12-31").out == "Nothing was due.\n"
    said = shuke("work", "--until", "2026-01-01")
    assert (said.status, said.out) == (0, "1 member had something due.\n")
    entries = shuke("member", "show", "M-1", "--json").json["entries"]
    assert (entries[0]["kind"], entries[0]["change"], entries[0]["occurred_at"]) == (
        "expire",
        -40,
        "2026-01-01T00:00:00+08:00",
    )
    proved = shuke("verify")
    assert proved.status == 0
    assert "The books agree: 2 members" in proved.out


def test_what_does_not_agree_is_named_and_the_status_says_so(make_shuke, unborn_tenant, books_url):
    shuke = opened(make_shuke(unborn_tenant))
    with connect_blocking(books_url, tenant=unborn_tenant) as connection:
        connection.execute("update entry set amount = amount + 1 where member_id = 'M-2' and no = 0")
    said = shuke("verify")
    assert said.status == 1
    assert "M-2" in said.out
    found = shuke("verify", "--json")
    assert found.status == 1
    assert {finding["row"].split()[1].split("/")[0] for finding in found.json["findings"]} == {"M-2"}


def test_a_worker_stops_when_it_is_told_to(shop):
    worker = shop.start("work", SHUKE_LOG="json")
    assert worker.stderr is not None
    events = []
    for line in worker.stderr:
        events.append(line)
        if '"work.started"' in line:
            worker.send_signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert '"work.stopped"' in events[-1]


def test_a_worker_does_by_itself_what_is_due_now(make_shuke, unborn_tenant, books_url):
    shuke = opened(make_shuke(unborn_tenant))
    worker = shuke.start("work", SHUKE_LOG="json")
    assert worker.stderr is not None
    for line in worker.stderr:
        if '"clock.advanced"' in line:
            worker.send_signal(signal.SIGINT)
    assert worker.wait() == 0
    with connect_blocking(books_url, tenant=unborn_tenant) as connection, pytest.raises(psycopg.DataError):
        # Everybody's points have ended by now, so nobody has a date to come.
        connection.execute("select 1 / (select count(*) from member where due_at <= now())").fetchone()
