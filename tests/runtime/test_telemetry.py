import asyncio
import io
import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import structlog

from shuke.runtime import telemetry
from shuke.runtime.settings import LogForm
from tests.shop import Shop, given


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_a_json_line_is_one_object_with_the_event_and_its_fields() -> None:
    out = io.StringIO()
    telemetry.set_up("json", stream=out)
    structlog.get_logger().info("batch.settled", activities=3, rule="會員日")
    line = json.loads(out.getvalue())
    timestamp = line.pop("timestamp")
    assert line == {"event": "batch.settled", "level": "info", "activities": 3, "rule": "會員日"}
    assert timestamp.endswith("Z")
    assert "會員日" in out.getvalue()


def test_a_console_line_names_the_event_and_its_fields_without_colour_outside_a_terminal() -> None:
    out = io.StringIO()
    telemetry.set_up("console", stream=out)
    structlog.get_logger().warning("clock.late", members=7)
    assert "clock.late" in out.getvalue()
    assert "members=7" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_an_event_below_the_level_is_not_written() -> None:
    out = io.StringIO()
    telemetry.set_up("json", stream=out)
    structlog.get_logger().debug("detail.seen")
    assert out.getvalue() == ""


@pytest.mark.parametrize("form", ["console", "json"])
def test_a_fault_is_told_with_where_it_happened_and_never_with_what_was_at_hand(form: LogForm) -> None:
    out = io.StringIO()
    telemetry.set_up(form, stream=out)
    try:
        fail(secret="shk_" + "do-not-tell")
    except ZeroDivisionError:
        structlog.get_logger().exception("request.failed")
    assert "ZeroDivisionError" in out.getvalue()
    assert "fail" in out.getvalue()
    assert "shk_do-not-tell" not in out.getvalue()


def fail(*, secret: str) -> float:
    return len(secret) / 0


# -- What the database says -------------------------------------------------------------------------------

PERSON = "+886 912 345 678"
WRONG = {
    "a value that is there already": (
        "insert into member select bucket, member_id, status, joined_at, due_at, tiers, balances, traits, tags, seq, "
        "state from member",
        "23505",
        {"table": "member", "constraint": "member_pkey"},
    ),
    "a value of the wrong type": ("select %s::int", "22P02", {}),
    "a row that breaks a rule": (
        "insert into quota (quota, period, used) values (%s, '', -1)",
        "23514",
        {"table": "quota", "constraint": "quota_used_check"},
    ),
    "words of a trigger's": (
        "do $$ begin raise exception '+886 912 345 678' using errcode = '53100'; end $$",
        "53100",
        {},
    ),
}


@pytest.mark.database
@pytest.mark.parametrize("form", ["console", "json"])
@pytest.mark.parametrize("what", WRONG)
async def test_a_database_error_is_told_by_its_code_and_constraint_and_without_the_values_it_quotes(
    shop: Shop, form: LogForm, what: str
) -> None:
    await shop.settle(given(PERSON, 1, key="k"))
    query, code, named = WRONG[what]
    out = io.StringIO()
    telemetry.set_up(form, stream=out)
    try:
        try:
            await shop.rows(query, [PERSON] if "%s" in query else [])
        except psycopg.Error as error:
            said = str(error)
            raise RuntimeError("in the middle of something") from error
    except RuntimeError:
        structlog.get_logger().exception("request.failed")
    told = out.getvalue()
    assert "912" in said
    assert "912" not in told
    assert "test_telemetry.py" in told
    assert "in the middle of something" in told
    if form == "json":
        line = json.loads(told)
        assert {name: line[name] for name in ("sqlstate", *named)} == {"sqlstate": code, **named}
    assert all(word in told for word in (code, *named.values()))


@pytest.mark.database
async def test_an_error_among_others_that_reached_nobody_keeps_its_values_to_itself(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry.set_up("json", stream=io.StringIO())

    async def fails() -> None:
        await shop.rows("select %s::int", [PERSON])

    async def several() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(fails())

    with pytest.raises(ExceptionGroup) as raised:
        await several()
    asyncio.get_running_loop().call_exception_handler({"message": "nobody heard", "exception": raised.value})
    told = "".join(record.exc_text or "" for record in caplog.records)
    assert "nobody heard" in caplog.text
    assert "22P02" in told
    assert "912" not in caplog.text


@pytest.mark.database
async def test_the_servers_own_log_holds_no_values_of_keys(shop: Shop) -> None:
    await shop.settle(given("+886 933 222 111", 1, key="k"))
    with pytest.raises(psycopg.errors.UniqueViolation):
        await shop.rows(WRONG["a value that is there already"][0])
    [(folder,)] = await shop.rows("select current_setting('data_directory')")
    told = (Path(folder) / "server.log").read_text()
    assert "member_pkey" in told
    assert "933 222" not in told  # a process may have any number of fewer digits
