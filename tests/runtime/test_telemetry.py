import io
import json
from collections.abc import Iterator

import pytest
import structlog

from shuke.runtime import telemetry
from shuke.runtime.settings import LogForm


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
