"""Instants and local days: points in time as integers, and the calendar of a place.

An instant is microseconds since 1970-01-01T00:00:00Z; a day is the proleptic Gregorian ordinal of a local
date (``date.toordinal()``: 1970-01-01 is 719163). Zones are IANA names; their rules come from ``zoneinfo``,
which reads them from the machine (or the ``tzdata`` package) once per zone. That is the only thing here that
is not arithmetic.

What is asked for every order (the local day of an instant) is answered from a table of UTC days: a day holds
at most one change of clocks (the nearest two in the whole database are a week apart), so a moment, and an
offset before and after it, describe it exactly.
"""

import difflib
import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

Instant: TypeAlias = int
Day: TypeAlias = int

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
HOUR: Final = 60 * MINUTE
DAY: Final = 24 * HOUR

NEVER: Final[Instant] = 2**62
"""The instant that never comes: no expiry, no due date. It compares like any instant, but has no date."""

_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WALL_EPOCH: Final = _EPOCH.replace(tzinfo=None)
_MICROSECOND: Final = timedelta(microseconds=1)
# What zoneinfo can be asked without leaving its years. No zone changes its clocks in the first or last
# days of them, so what lies beyond an edge is answered at the edge.
_FIRST_ASKED: Final = (2 - _EPOCH_DAY) * DAY
_LAST_ASKED: Final = (date.max.toordinal() - 1 - _EPOCH_DAY) * DAY
# Dates come from outside (imports, forms), so what is remembered of them has a limit: 200 years of days.
_MOST_REMEMBERED: Final = 73_050


class InstantError(ValueError):
    """A text that is no point in time, or an instant on no calendar. Its sentence is fit for people."""


class _Spans(dict[int, tuple[Instant, int, int]]):
    """UTC day (since 1970) -> (cut, offset before the cut, offset from the cut on), on first asking.

    A day without a change of clocks has its cut at its start. A dict, because a hit then never leaves C.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        super().__init__()
        self._zone = zone

    def _probe(self, instant: Instant) -> int:
        asked = min(max(instant, _FIRST_ASKED), _LAST_ASKED)
        offset = (_EPOCH + timedelta(microseconds=asked)).astimezone(self._zone).utcoffset()
        assert offset is not None, "a moment in a zone has an offset"
        return offset // _MICROSECOND

    def __missing__(self, utc_day: int) -> tuple[Instant, int, int]:
        if not -_EPOCH_DAY <= utc_day <= date.max.toordinal() + 1 - _EPOCH_DAY:
            raise InstantError("this instant lies outside of the years 1 to 9999 and has no date")
        start = utc_day * DAY
        low, high = start, start + DAY
        before, after = self._probe(low), self._probe(high)
        if before == after:
            span = (low, before, before)
        else:
            while high - low > SECOND:  # clocks change on whole seconds
                middle = (low + high) // (2 * SECOND) * SECOND
                if self._probe(middle) == before:
                    low = middle
                else:
                    high = middle
            span = (high, before, after)
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[utc_day] = span
        return span


class _Shifts(dict[int, int | None]):
    """Local day (since 1970) -> the one offset that holds all around it; None where clocks change nearby."""

    def __init__(self, spans: _Spans) -> None:
        super().__init__()
        self._spans = spans

    def __missing__(self, local_day: int) -> int | None:
        offsets = {offset for utc_day in range(local_day - 1, local_day + 2) for offset in self._spans[utc_day][1:]}
        shift = offsets.pop() if len(offsets) == 1 else None
        if len(self) >= _MOST_REMEMBERED:
            self.clear()
        self[local_day] = shift
        return shift


class LocalCalendar:
    """The calendar of one zone, with everything it has already worked out. Keep one and ask it often.

    Answers never depend on what was asked before. ValueError for a name that is no zone.
    """

    __slots__ = ("_shifts", "_spans", "zone")

    def __init__(self, zone: str) -> None:
        check_zone(zone)
        self.zone = zone
        self._spans = _Spans(ZoneInfo(zone))
        self._shifts = _Shifts(self._spans)

    def offset_at(self, instant: Instant) -> int:
        """How far local clocks are ahead of UTC, in microseconds. InstantError outside of years 1 to 9999."""
        cut, before, after = self._spans[instant // DAY]
        return before if instant < cut else after

    def day(self, instant: Instant) -> Day:
        """The local date of the instant. InstantError outside of the years 1 to 9999, hence for NEVER."""
        cut, before, after = self._spans[instant // DAY]
        return (instant + (before if instant < cut else after)) // DAY + _EPOCH_DAY

    def clock(self, instant: Instant) -> tuple[Day, int]:
        """The local date, and what the clock shows, as seconds since 00:00 (0..86399 on every day)."""
        day, since = divmod(instant + self.offset_at(instant), DAY)
        return day + _EPOCH_DAY, since // SECOND

    def day_start(self, day: Day) -> Instant:
        """The first instant of a local date.

        Where clocks skip midnight it is the first instant after the gap; where a zone skips the whole date
        (Pacific/Apia, 2011-12-30), the first instant after it. Where midnight comes twice it is the first.
        """
        wall = (day - _EPOCH_DAY) * DAY
        shift = self._shifts[day - _EPOCH_DAY]
        if shift is not None:
            return wall - shift
        return self._around_a_change(wall)[1]

    def at_wall(self, day: Day, since_midnight: int) -> Instant:
        """The instant at which local clocks show a time of day, given in microseconds since 00:00.

        A time shown twice is meant the first time; a time that clocks skip is moved forward by the gap.
        """
        wall = (day - _EPOCH_DAY) * DAY + since_midnight
        shift = self._shifts[wall // DAY]
        if shift is not None:
            return wall - shift
        return self._around_a_change(wall)[0]

    def _around_a_change(self, wall: int) -> tuple[Instant, Instant]:
        """What ``at_wall`` answers, and the first instant at which clocks show ``wall`` or later.

        The two differ only within a gap. Walks over the stretches of constant offset from a day before to a
        day after.
        """
        around = range(wall // DAY - 1, wall // DAY + 2)
        previous = self._spans[around[0]][1]
        for utc_day in around:
            start, end = utc_day * DAY, (utc_day + 1) * DAY
            cut, before, after = self._spans[utc_day]
            for opens, closes, offset in ((start, cut, before), (cut, end, after)):
                instant = wall - offset
                if instant < opens:
                    return wall - previous, opens
                if instant < closes:
                    return instant, instant
                previous = offset
        raise AssertionError("offsets are shorter than a day, so some stretch shows every wall time or skips it")

    def parse(self, text: str) -> Instant:
        """See ``parse_instant``."""
        if len(text) == 10:
            return self.day_start(day_of(text))
        try:
            told = datetime.fromisoformat(text)
        except ValueError as broken:
            raise InstantError(_not_an_instant(text)) from broken
        # Python reads more than we promise (weeks, basic dates, any separator), and more with every version.
        if text[4] != "-" or text[7] != "-" or text[10] not in "T " or text[11:13] == "24":
            raise InstantError(_not_an_instant(text))
        if told.tzinfo is not None:
            return (told - _EPOCH) // _MICROSECOND
        wall = (told - _WALL_EPOCH) // _MICROSECOND
        shift = self._shifts[wall // DAY]
        if shift is not None:
            return wall - shift
        return self._around_a_change(wall)[0]

    def format(self, instant: Instant) -> str:
        """See ``format_instant``."""
        offset = self.offset_at(instant)
        day, since = divmod(instant + offset, DAY)
        seconds, microseconds = divmod(since, SECOND)
        minutes, second = divmod(seconds, 60)
        hour, minute = divmod(minutes, 60)
        fraction = f".{microseconds:06d}" if microseconds else ""
        date_text = format_day(day + _EPOCH_DAY)
        return f"{date_text}T{hour:02d}:{minute:02d}:{second:02d}{fraction}{_format_offset(offset)}"

    def __reduce__(self) -> tuple[type["LocalCalendar"], tuple[str]]:
        return LocalCalendar, (self.zone,)  # another process works it out again rather than being sent the tables


@cache
def calendar_of(zone: str) -> LocalCalendar:
    """The shared calendar of a zone. ValueError for a name that is no zone."""
    return LocalCalendar(zone)


def parse_instant(text: str, *, zone: str) -> Instant:
    """The instant of an ISO 8601 text in its extended form: "2026-04-20T18:30:00+08:00".

    With "Z" or an offset it is what it says. Without, it is a wall time in ``zone``: shown twice, the first
    is meant; skipped by clocks, it is moved forward by the gap. A date alone is the start of that local day.
    Seconds may be left out; decimals past microseconds are cut off; a blank may stand for the "T".

    Raises InstantError for everything else (week dates, "24:00", blanks around), ValueError for an unknown
    zone.
    """
    return calendar_of(zone).parse(text)


def format_instant(instant: Instant, *, zone: str) -> str:
    """ISO 8601 with the offset of ``zone``, to the second or, where there are any, microseconds.

    ``parse_instant`` reads it back to the same instant. InstantError outside of the years 1 to 9999.
    """
    return calendar_of(zone).format(instant)


def offset_at(instant: Instant, zone: str) -> int:
    """How far clocks in ``zone`` are ahead of UTC, in microseconds. InstantError outside of years 1-9999."""
    return calendar_of(zone).offset_at(instant)


def local_day(instant: Instant, zone: str) -> Day:
    """The local date of the instant. InstantError outside of the years 1 to 9999, hence for NEVER."""
    return calendar_of(zone).day(instant)


def local_clock(instant: Instant, zone: str) -> tuple[Day, int]:
    """The local date and what the clock shows, in seconds since 00:00. See ``LocalCalendar.clock``."""
    return calendar_of(zone).clock(instant)


def day_start(day: Day, zone: str) -> Instant:
    """The first instant of a local date. See ``LocalCalendar.day_start`` for what clocks skip."""
    return calendar_of(zone).day_start(day)


def weekday(day: Day) -> int:
    """0 for Monday to 6 for Sunday."""
    return (day + 6) % 7


def day_of(text: str) -> Day:
    """The day of a date written as "2026-04-20". InstantError for anything else."""
    if len(text) == 10 and text[4] == "-" and text[7] == "-":
        try:
            return date.fromisoformat(text).toordinal()
        except ValueError as broken:
            raise InstantError(_not_an_instant(text)) from broken
    raise InstantError(_not_an_instant(text))


def format_day(day: Day) -> str:
    """The date as "2026-04-20". InstantError outside of the years 1 to 9999."""
    return _date(day).isoformat()


def month_of(day: Day) -> tuple[int, int]:
    """(year, month 1..12) of a day. InstantError outside of the years 1 to 9999."""
    found = _date(day)
    return found.year, found.month


def check_zone(name: str) -> None:
    """ValueError, with a suggestion, unless ``name`` is an IANA zone such as "Asia/Taipei"."""
    if name not in _zones():
        raise ValueError(f'"{name}" is not a time zone: {_suggest_zone(name)}')


@cache
def _zones() -> frozenset[str]:
    # "localtime" is a link to whatever the machine is set to, and a program must mean the same everywhere.
    return frozenset(available_timezones() - {"localtime", "Factory"})


_FIXED_OFFSET: Final = re.compile(r"(?:UTC|GMT)?([+-])0?(\d{1,2})(?::?00)?", re.IGNORECASE)


def _suggest_zone(name: str) -> str:
    wanted = name.strip().replace(" ", "_")
    fixed = _FIXED_OFFSET.fullmatch(wanted)
    if fixed:
        # POSIX counts westward, so the zone that is eight hours ahead of UTC is called Etc/GMT-8.
        reversed_name = f"Etc/GMT{'-' if fixed[1] == '+' else '+'}{fixed[2]}"
        if reversed_name in _zones():
            return f'name a place, such as "Asia/Taipei", or write "{reversed_name}" (its sign is reversed)'
    by_lower = {zone.lower(): zone for zone in sorted(_zones())}
    by_city = {zone.rpartition("/")[2]: zone for zone in sorted(by_lower, reverse=True)}
    by_city["beijing"] = "asia/shanghai"  # the capital, but not in the database; asked for by everybody
    close = difflib.get_close_matches(wanted.lower(), [*by_lower, *by_city], n=1, cutoff=0.7)
    if not close:
        return 'write an IANA name such as "Asia/Taipei" or "Europe/Berlin"'
    return f'did you mean "{by_lower[by_city.get(close[0], close[0])]}"?'


@cache
def _format_offset(offset: int) -> str:
    sign = "-" if offset < 0 else "+"
    minutes, second = divmod(abs(offset) // SECOND, 60)
    hour, minute = divmod(minutes, 60)
    # Until about a hundred years ago towns kept their own mean time, to the second.
    return f"{sign}{hour:02d}:{minute:02d}" + (f":{second:02d}" if second else "")


def _date(day: Day) -> date:
    try:
        return date.fromordinal(day)
    except (ValueError, OverflowError) as outside:
        raise InstantError("this day lies outside of the years 1 to 9999") from outside


def _not_an_instant(text: str) -> str:
    return (
        f'"{text[:40]}" is not a date or time: write it like "2026-04-20", "2026-04-20T18:30:00" or '
        '"2026-04-20T18:30:00+08:00"'
    )
