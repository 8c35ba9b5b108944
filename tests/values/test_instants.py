"""Instants and local days: daylight saving, skipped midnights and dates, texts in and out."""

import pickle
import struct
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from shuke.values.instants import (
    DAY,
    HOUR,
    MINUTE,
    NEVER,
    SECOND,
    InstantError,
    LocalCalendar,
    calendar_of,
    check_zone,
    day_of,
    day_start,
    format_day,
    format_instant,
    local_clock,
    local_day,
    month_of,
    offset_at,
    parse_instant,
    weekday,
)

NEW_YORK, BERLIN, LORD_HOWE = "America/New_York", "Europe/Berlin", "Australia/Lord_Howe"
CAIRO, SAO_PAULO, ST_JOHNS, APIA = "Africa/Cairo", "America/Sao_Paulo", "America/St_Johns", "Pacific/Apia"
TAIPEI = "Asia/Taipei"


def utc(text: str) -> int:
    return (datetime.fromisoformat(text + "+00:00") - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        # as it says
        ("1970-01-01T00:00:00Z", NEW_YORK, "1970-01-01T00:00:00"),
        ("2026-04-20T18:30:00+08:00", NEW_YORK, "2026-04-20T10:30:00"),
        ("2026-04-20T18:30:00-03:30", TAIPEI, "2026-04-20T22:00:00"),
        ("2026-04-20T18:30:00.5Z", TAIPEI, "2026-04-20T18:30:00.500000"),
        ("2026-04-20T18:30:00.123456789Z", TAIPEI, "2026-04-20T18:30:00.123456"),
        ("1900-01-01T00:00:00+08:06:00", TAIPEI, "1899-12-31T15:54:00"),
        # wall time of the zone
        ("2026-04-20T18:30:00", TAIPEI, "2026-04-20T10:30:00"),
        ("2026-04-20 18:30", TAIPEI, "2026-04-20T10:30:00"),
        ("2017-01-15T12:00:00", NEW_YORK, "2017-01-15T17:00:00"),
        ("2017-07-15T12:00:00", NEW_YORK, "2017-07-15T16:00:00"),
        ("1969-12-31T23:59:59.999999", "UTC", "1969-12-31T23:59:59.999999"),
        # 2017-03-12: 02:00-03:00 does not exist in New York, so it moves on by the hour
        ("2017-03-12T01:59:59", NEW_YORK, "2017-03-12T06:59:59"),
        ("2017-03-12T02:00:00", NEW_YORK, "2017-03-12T07:00:00"),
        ("2017-03-12T02:30:00", NEW_YORK, "2017-03-12T07:30:00"),
        ("2017-03-12T03:00:00", NEW_YORK, "2017-03-12T07:00:00"),
        # 2017-11-05: 01:00-02:00 comes twice in New York, and the first is meant
        ("2017-11-05T00:59:59", NEW_YORK, "2017-11-05T04:59:59"),
        ("2017-11-05T01:30:00", NEW_YORK, "2017-11-05T05:30:00"),
        ("2017-11-05T02:00:00", NEW_YORK, "2017-11-05T07:00:00"),
        ("2026-03-29T02:30:00", BERLIN, "2026-03-29T01:30:00"),
        ("2026-10-25T02:30:00", BERLIN, "2026-10-25T00:30:00"),
        # Lord Howe moves by half an hour
        ("2026-10-04T02:15:00", LORD_HOWE, "2026-10-03T15:45:00"),
        ("2026-04-05T01:45:00", LORD_HOWE, "2026-04-04T14:45:00"),
        # a date alone is the start of the local day
        ("2026-04-20", TAIPEI, "2026-04-19T16:00:00"),
        ("2017-03-12", NEW_YORK, "2017-03-12T05:00:00"),
        ("2017-03-13", NEW_YORK, "2017-03-13T04:00:00"),
        ("2024-02-29", "UTC", "2024-02-29T00:00:00"),
        ("9999-12-31", NEW_YORK, "9999-12-31T05:00:00"),
    ],
)
def test_an_instant_is_read_from_its_text(text, zone, moment):
    assert parse_instant(text, zone=zone) == utc(moment)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "2026",
        "2026-04",
        "20260420",
        "2026-W17-1",
        "2026-W17-1T10:00:00",
        "20260420T183000",
        "2026-02-29",
        "2026-13-01",
        "2026-4-20",
        "0000-01-01",
        "10000-01-01",
        "2026-04-20x18:30:00",
        "2026-04-20T24:00:00",
        "2026-04-20T25:00:00",
        "2026-04-20T18:30:60",
        " 2026-04-20",
        "2026-04-20T18:30:00 ",
        "2026-04-20T18:30:00+25:00",
        "20/04/2026",
        "２０２６-04-20",
    ],
)
def test_what_is_no_instant_is_refused_with_examples(text):
    with pytest.raises(InstantError, match="is not a date or time: write it like"):
        parse_instant(text, zone=TAIPEI)


@pytest.mark.parametrize(
    ("moment", "zone", "text"),
    [
        ("1970-01-01T00:00:00", "UTC", "1970-01-01T00:00:00+00:00"),
        ("2026-04-20T10:30:00", TAIPEI, "2026-04-20T18:30:00+08:00"),
        ("2026-04-20T10:30:00.000001", TAIPEI, "2026-04-20T18:30:00.000001+08:00"),
        ("2017-11-05T05:30:00", NEW_YORK, "2017-11-05T01:30:00-04:00"),
        ("2017-11-05T06:30:00", NEW_YORK, "2017-11-05T01:30:00-05:00"),
        ("2026-01-01T00:00:00", "Asia/Kathmandu", "2026-01-01T05:45:00+05:45"),
        ("2026-01-01T00:00:00", "America/St_Johns", "2025-12-31T20:30:00-03:30"),
        ("1890-01-01T00:00:00", "Europe/Berlin", "1890-01-01T00:53:28+00:53:28"),
        ("1969-12-31T23:59:59.999999", "UTC", "1969-12-31T23:59:59.999999+00:00"),
    ],
)
def test_an_instant_is_printed_in_its_zone_and_reads_back(moment, zone, text):
    assert format_instant(utc(moment), zone=zone) == text
    assert parse_instant(text, zone="UTC") == utc(moment)


@pytest.mark.parametrize(
    ("moment", "zone", "day", "seconds"),
    [
        ("2026-04-19T15:59:59.999999", TAIPEI, "2026-04-19", 86399),
        ("2026-04-19T16:00:00", TAIPEI, "2026-04-20", 0),
        ("2017-03-12T04:59:59", NEW_YORK, "2017-03-11", 86399),
        ("2017-03-12T05:00:00", NEW_YORK, "2017-03-12", 0),
        ("2017-03-12T06:59:59", NEW_YORK, "2017-03-12", 7199),
        ("2017-03-12T07:00:00", NEW_YORK, "2017-03-12", 10800),
        ("2017-11-05T06:00:00", NEW_YORK, "2017-11-05", 3600),
        ("2017-11-06T04:59:59", NEW_YORK, "2017-11-05", 86399),
        ("2026-10-03T15:30:00", LORD_HOWE, "2026-10-04", 9000),
        ("2018-11-04T03:00:00", SAO_PAULO, "2018-11-04", 3600),
        ("2011-12-30T09:59:59", APIA, "2011-12-29", 86399),
        ("2011-12-30T10:00:00", APIA, "2011-12-31", 0),
        ("1969-12-31T23:59:59.999999", "UTC", "1969-12-31", 86399),
    ],
)
def test_a_clock_on_the_wall_shows_the_local_day_and_time(moment, zone, day, seconds):
    assert local_clock(utc(moment), zone) == (day_of(day), seconds)
    assert local_day(utc(moment), zone) == day_of(day)


@pytest.mark.parametrize(
    ("day", "zone", "moment"),
    [
        ("2026-04-20", TAIPEI, "2026-04-19T16:00:00"),
        ("2017-03-12", NEW_YORK, "2017-03-12T05:00:00"),
        ("2017-03-13", NEW_YORK, "2017-03-13T04:00:00"),
        ("2017-11-05", NEW_YORK, "2017-11-05T04:00:00"),
        ("2017-11-06", NEW_YORK, "2017-11-06T05:00:00"),
        ("2026-10-04", LORD_HOWE, "2026-10-03T13:30:00"),
        ("2026-10-05", LORD_HOWE, "2026-10-04T13:00:00"),
        # clocks went from 23:59:59 to 01:00
        ("2018-11-04", SAO_PAULO, "2018-11-04T03:00:00"),
        ("2024-04-26", CAIRO, "2024-04-25T22:00:00"),
        # at midnight they went back to 23:00, and the new day came an hour later
        ("2018-02-18", SAO_PAULO, "2018-02-18T03:00:00"),
        # at 00:01 they went back to 23:01: the day began twice, and the first counts
        ("2010-11-07", ST_JOHNS, "2010-11-07T02:30:00"),
        # the zone went from 29 to 31 December 2011
        ("2011-12-29", APIA, "2011-12-29T10:00:00"),
        ("2011-12-30", APIA, "2011-12-30T10:00:00"),
        ("2011-12-31", APIA, "2011-12-30T10:00:00"),
        ("2012-01-01", APIA, "2011-12-31T10:00:00"),
        # and Alaska had two 18 Octobers
        ("1867-10-18", "America/Juneau", "1867-10-17T08:57:41"),
        ("0001-01-01", "UTC", "0001-01-01T00:00:00"),
        ("9999-12-31", "Pacific/Kiritimati", "9999-12-30T10:00:00"),
    ],
)
def test_a_local_day_starts_at_its_first_instant(day, zone, moment):
    assert day_start(day_of(day), zone) == utc(moment)


def test_a_wall_time_in_a_gap_moves_on_while_a_day_starts_where_the_gap_ends():
    # Clocks in Toronto went from 23:30 on 30 March 1919 to 00:30 on the 31st.
    toronto, day = calendar_of("America/Toronto"), day_of("1919-03-31")
    assert toronto.format(toronto.day_start(day)) == "1919-03-31T00:30:00-04:00"
    assert toronto.format(toronto.at_wall(day, 0)) == "1919-03-31T01:00:00-04:00"
    assert toronto.format(toronto.at_wall(day, 8 * HOUR)) == "1919-03-31T08:00:00-04:00"


@pytest.mark.parametrize(
    ("text", "number"),
    [("1970-01-01", 719163), ("0001-01-01", 1), ("2024-02-29", 738945), ("9999-12-31", 3652059)],
)
def test_a_day_is_the_ordinal_of_its_date(text, number):
    assert day_of(text) == number
    assert format_day(number) == text


@pytest.mark.parametrize(
    "text", ["", "2026-02-29", "20260420", "2026-W17-1", "2026-04-20T00:00", "2026/04/20", "1-1-1"]
)
def test_what_is_no_date_is_refused(text):
    with pytest.raises(InstantError, match="is not a date"):
        day_of(text)


def test_weeks_begin_on_monday():
    assert [weekday(day_of(f"2026-04-{number}")) for number in range(20, 28)] == [0, 1, 2, 3, 4, 5, 6, 0]


def test_a_day_knows_its_month():
    assert month_of(day_of("2024-02-29")) == (2024, 2)
    assert month_of(day_of("2023-12-31")) == (2023, 12)


@pytest.mark.parametrize("instant", [NEVER, -NEVER, 400_000 * 365 * DAY])
def test_an_instant_out_of_the_years_1_to_9999_has_no_date(instant):
    for asked in (local_day, local_clock, offset_at):
        with pytest.raises(InstantError, match="has no date"):
            asked(instant, TAIPEI)
    with pytest.raises(InstantError, match="has no date"):
        format_instant(instant, zone=TAIPEI)


@pytest.mark.parametrize("day", [0, -1, 3652060, 10**12])
def test_a_day_out_of_the_years_1_to_9999_has_no_name(day):
    with pytest.raises(InstantError, match="years 1 to 9999"):
        format_day(day)
    with pytest.raises(InstantError, match="years 1 to 9999"):
        month_of(day)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("Taipei", "Asia/Taipei"),
        ("asia/taipei", "Asia/Taipei"),
        ("Asia/Tapei", "Asia/Taipei"),
        ("Asia/Beijing", "Asia/Shanghai"),
        ("New York", "America/New_York"),
        ("UTC+8", "Etc/GMT-8"),
        ("+08:00", "Etc/GMT-8"),
        ("GMT-5", "Etc/GMT+5"),
        ("", "IANA name"),
        ("??", "IANA name"),
        ("../etc/passwd", "IANA name"),
    ],
)
def test_an_unknown_zone_is_refused_with_a_suggestion(name, suggestion):
    with pytest.raises(ValueError, match="is not a time zone") as refusal:
        check_zone(name)
    assert suggestion in str(refusal.value)


def test_a_zone_that_depends_on_the_machine_is_refused():
    with pytest.raises(ValueError, match="is not a time zone"):
        LocalCalendar("localtime")
    check_zone(TAIPEI)
    check_zone("UTC")


def test_units_of_time_are_microseconds():
    assert (SECOND, MINUTE, HOUR, DAY) == (10**6, 60 * 10**6, 3600 * 10**6, 86400 * 10**6)


def test_a_calendar_travels_to_another_process():
    calendar = LocalCalendar(NEW_YORK)
    calendar.day(0)
    copy = pickle.loads(pickle.dumps(calendar))
    assert (copy.zone, copy.day(0)) == (NEW_YORK, calendar.day(0))


def test_a_calendar_stays_right_past_the_number_of_days_it_remembers():
    calendar = LocalCalendar("UTC")
    assert all(calendar.day(number * DAY) == 719163 + number for number in range(-40_000, 40_000))
    assert all(calendar.day_start(719163 + number) == number * DAY for number in range(-40_000, 40_000))


def changes_of_clocks(zone: str) -> list[int]:
    """The seconds at which the database says that a zone changes something (RFC 8536, version 2 block)."""
    data = files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()
    utc_count, std, leap, times, types, letters = struct.unpack(">6l", data[20:44])
    second = 44 + times * 5 + types * 6 + letters + leap * 8 + std + utc_count
    times = struct.unpack(">l", data[second + 32 : second + 36])[0]
    return list(struct.unpack(f">{times}q", data[second + 44 : second + 44 + 8 * times]))


def test_offsets_are_exact_at_every_change_of_clocks_ever_made():
    # The table of UTC days rests on this: no zone changes its offset twice within a day.
    zones = files("tzdata").joinpath("zones").read_text().split()
    seen: set[tuple[int, ...]] = set()
    for zone in zones:
        changes = changes_of_clocks(zone)
        if tuple(changes) in seen:  # most names are links to another zone
            continue
        seen.add(tuple(changes))
        truth, calendar = ZoneInfo(zone), LocalCalendar(zone)
        for change in changes:
            for second in (change - 1, change, change + 1, change // 86400 * 86400, change + 43200):
                expected = datetime.fromtimestamp(second, truth).utcoffset()
                assert calendar.offset_at(second * SECOND) == expected // timedelta(microseconds=1), (
                    zone,
                    second,
                )
    assert len(seen) > 200
