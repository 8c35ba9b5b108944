"""What must hold for all values, tried on generated ones."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given
from hypothesis import strategies as st

from shuke.values.amounts import (
    MAX_AMOUNT,
    Rounding,
    allocate,
    divide,
    format_amount,
    parse_amount,
    share_taken,
)
from shuke.values.ids import parse_typed_id, typed_id
from shuke.values.instants import (
    HOUR,
    MINUTE,
    SECOND,
    calendar_of,
    day_of,
    format_day,
    format_instant,
    local_clock,
    local_day,
    offset_at,
    parse_instant,
    weekday,
)
from shuke.values.periods import (
    Period,
    Unit,
    add,
    anniversary_on_or_before,
    end_of,
    next_anniversary,
    start_of,
    subtract,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
FIRST, LAST = (datetime(year, 1, 1, tzinfo=UTC) for year in (1900, 2100))

amounts = st.integers(-MAX_AMOUNT, MAX_AMOUNT)
small_and_large = st.integers(0, 5) | st.integers(0, 10**12)
# Those whose clocks have done odd things are asked more often than the other six hundred.
ODD = """
    America/New_York Europe/Berlin Australia/Lord_Howe Africa/Cairo America/Sao_Paulo Asia/Taipei Pacific/Apia
    America/St_Johns Africa/Casablanca America/Toronto Pacific/Kwajalein
""".split()  # noqa: SIM905 - a table to be read
zones = st.sampled_from(ODD) | st.sampled_from(sorted(available_timezones() - {"localtime", "Factory"}))
instants = st.integers((FIRST - EPOCH) // MICROSECOND, (LAST - EPOCH) // MICROSECOND)
days = st.integers(FIRST.toordinal(), LAST.toordinal())
periods = st.builds(Period, st.integers(0, 400), st.sampled_from(Unit))


def moment(instant: int, zone: str) -> datetime:
    return (EPOCH + timedelta(microseconds=instant)).astimezone(ZoneInfo(zone))


@given(amounts, st.integers(1, 10**12))
def test_rounding_agrees_with_exact_fractions(numerator, denominator):
    exact = Fraction(numerator, denominator)
    assert divide(numerator, denominator, Rounding.FLOOR) == exact.__floor__()
    assert divide(numerator, denominator, Rounding.CEILING) == exact.__ceil__()
    assert divide(numerator, denominator, Rounding.HALF_EVEN) == round(exact)
    away = int(abs(exact) + Fraction(1, 2))
    assert divide(numerator, denominator, Rounding.HALF_UP) == (away if exact >= 0 else -away)


@given(amounts, st.lists(small_and_large, min_size=1, max_size=30))
def test_a_split_conserves_the_total_and_is_within_one_unit_of_exact(total, weights):
    parts = allocate(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    if whole:
        for part, weight in zip(parts, weights, strict=True):
            assert abs(part - Fraction(total * weight, whole)) < 1
            assert weight or part == 0
        assert parts == [-part for part in allocate(-total, weights)]
    else:
        assert parts == [total, *([0] * (len(weights) - 1))]


@given(st.integers(0, MAX_AMOUNT), st.lists(small_and_large, min_size=1, max_size=20))
def test_shares_taken_never_shrink_and_end_complete_whatever_the_steps(total, steps):
    whole, gone, taken = sum(steps), 0, [0]
    for step in steps:
        gone += step
        taken.append(share_taken(total, gone, whole))
    assert all(before <= after for before, after in pairwise(taken))
    assert taken[-1] == total


@given(amounts, st.integers(0, 9))
def test_a_printed_amount_reads_back(amount, scale):
    text = format_amount(amount, scale=scale)
    assert parse_amount(text, scale=scale) == amount
    assert parse_amount(Decimal(text), scale=scale) == amount
    assert format_amount(amount, scale=scale, group=True).replace(",", "") == text


@given(st.from_regex(r"([a-z]([a-z_]{0,8}[a-z])?)?", fullmatch=True), st.binary(min_size=16, max_size=16))
def test_a_written_id_reads_back(prefix, body):
    assert parse_typed_id(typed_id(prefix, body)) == (prefix, body)


@given(instants, zones)
def test_local_days_and_clocks_agree_with_zoneinfo(instant, zone):
    told = moment(instant, zone)
    seconds = told.hour * 3600 + told.minute * 60 + told.second
    assert local_clock(instant, zone) == (told.toordinal(), seconds)
    assert local_day(instant, zone) == told.toordinal()
    assert weekday(told.toordinal()) == told.weekday()
    assert offset_at(instant, zone) == told.utcoffset() // MICROSECOND


@given(instants, zones)
def test_a_printed_instant_reads_back_and_is_what_zoneinfo_prints(instant, zone):
    text = format_instant(instant, zone=zone)
    assert text == moment(instant, zone).isoformat()
    assert parse_instant(text, zone="UTC") == instant


@given(st.datetimes(datetime(1900, 1, 2), datetime(2100, 1, 1)), zones)  # noqa: DTZ001 - wall times have no zone
def test_a_wall_time_is_read_as_zoneinfo_reads_it(wall, zone):
    expected = (wall.replace(tzinfo=ZoneInfo(zone)) - EPOCH) // MICROSECOND
    assert parse_instant(wall.isoformat(), zone=zone) == expected
    since_midnight = wall.hour * HOUR + wall.minute * MINUTE + wall.second * SECOND + wall.microsecond
    assert calendar_of(zone).at_wall(wall.toordinal(), since_midnight) == expected


@given(days, zones)
def test_no_instant_before_the_start_of_a_day_belongs_to_it(day, zone):
    start = calendar_of(zone).day_start(day)
    assert moment(start, zone).toordinal() >= day
    for before in (1, *range(15 * MINUTE, 26 * HOUR, 15 * MINUTE)):
        assert moment(start - before, zone).toordinal() < day
    assert parse_instant(format_day(day), zone=zone) == start


@given(days, zones)
def test_a_day_that_exists_starts_within_itself(day, zone):
    start = calendar_of(zone).day_start(day)
    noon = datetime.combine(date.fromordinal(day), datetime.min.time(), ZoneInfo(zone)).replace(hour=12)
    exists = noon.astimezone(UTC).astimezone(ZoneInfo(zone)).toordinal() == day
    assert (local_day(start, zone) == day) == exists


def naive_add(start: date, period: Period, times: int) -> date:
    """The same arithmetic as a person with a paper calendar would do it."""
    count = period.count * times
    if period.unit in (Unit.DAYS, Unit.WEEKS):
        return start + timedelta(days=count * (7 if period.unit is Unit.WEEKS else 1))
    year, month = start.year, start.month
    for _ in range(count * (12 if period.unit is Unit.YEARS else 1)):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    for day in range(start.day, 0, -1):
        try:
            return date(year, month, day)
        except ValueError:
            continue
    raise AssertionError("every month has a first day")


@given(days, periods, st.integers(0, 4))
def test_adding_periods_agrees_with_a_paper_calendar(day, period, times):
    assert add(day, period, times) == naive_add(date.fromordinal(day), period, times).toordinal()


@given(days, periods)
def test_subtracting_undoes_adding_up_to_the_end_of_a_short_month(day, period):
    there_and_back = subtract(add(day, period), period)
    lost = day - there_and_back
    assert 0 <= lost <= 3
    assert lost == 0 or date.fromordinal(day).day > 28


@given(days, st.sampled_from(["day", "month", "quarter", "year"]))
def test_a_day_lies_within_its_span_and_spans_follow_each_other(day, span):
    first, last = start_of(day, span), end_of(day, span)
    assert first <= day <= last
    assert start_of(last, span) == first
    assert end_of(first, span) == last
    assert start_of(last + 1, span) == last + 1
    assert {"day": 1, "month": 28, "quarter": 90, "year": 365}[span] <= last - first + 1


@given(days, days)
def test_every_day_lies_between_two_anniversaries_a_year_apart(day, anchor):
    before, after = anniversary_on_or_before(day, anchor), next_anniversary(day, anchor)
    assert before <= day < after
    assert after - before in (365, 366)
    month_and_day = format_day(anchor)[5:]
    for anniversary in (before, after):
        leap_anchor_in_a_common_year = month_and_day == "02-29" and format_day(anniversary)[5:] == "02-28"
        assert leap_anchor_in_a_common_year or format_day(anniversary)[5:] == month_and_day


@given(days)
def test_a_printed_day_reads_back(day):
    assert day_of(format_day(day)) == day
