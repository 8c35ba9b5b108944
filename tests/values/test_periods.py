"""Periods: month ends, leap days, anniversaries and fixed dates, as tables."""

import pytest

from shuke.values.instants import day_of, format_day
from shuke.values.periods import (
    Period,
    Unit,
    add,
    anniversary_on_or_before,
    end_of,
    first_of_nth_month,
    fixed_date,
    next_anniversary,
    start_of,
    subtract,
)


@pytest.mark.parametrize(
    ("text", "period", "written"),
    [
        ("12 months", Period(12, Unit.MONTHS), "12 months"),
        ("1 month", Period(1, Unit.MONTHS), "1 month"),
        ("1 months", Period(1, Unit.MONTHS), "1 month"),
        ("30 days", Period(30, Unit.DAYS), "30 days"),
        ("0 days", Period(0, Unit.DAYS), "0 days"),
        ("1 Year", Period(1, Unit.YEARS), "1 year"),
        (" 2 weeks ", Period(2, Unit.WEEKS), "2 weeks"),
        ("7days", Period(7, Unit.DAYS), "7 days"),
        ("P12M", Period(12, Unit.MONTHS), "12 months"),
        ("P30D", Period(30, Unit.DAYS), "30 days"),
        ("P2W", Period(2, Unit.WEEKS), "2 weeks"),
        ("P1Y", Period(1, Unit.YEARS), "1 year"),
    ],
)
def test_a_period_is_read_in_words_or_iso_8601(text, period, written):
    assert Period.parse(text) == period
    assert str(period) == written
    assert Period.parse(written) == period


@pytest.mark.parametrize(
    "text",
    ["", "12", "months", "a month", "-1 days", "1.5 years", "1 hour", "P1Y6M", "PT1H", "P", "1 d", "１ day"],
)
def test_what_is_no_period_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match='for example "12 months"'):
        Period.parse(text)


@pytest.mark.parametrize("count", [-1, 36_526])
def test_a_period_out_of_bounds_is_refused(count):
    with pytest.raises(ValueError, match="counts from 0 to 36525 days"):
        Period(count, Unit.DAYS)


@pytest.mark.parametrize(
    ("start", "period", "times", "end"),
    [
        ("2026-01-31", "1 month", 1, "2026-02-28"),
        ("2024-01-31", "1 month", 1, "2024-02-29"),
        ("2026-01-31", "1 month", 2, "2026-03-31"),
        ("2026-01-31", "2 months", 1, "2026-03-31"),
        ("2026-01-31", "1 month", 3, "2026-04-30"),
        ("2026-01-31", "1 month", 0, "2026-01-31"),
        ("2026-08-31", "6 months", 1, "2027-02-28"),
        ("2026-12-15", "1 month", 1, "2027-01-15"),
        ("2024-02-29", "1 year", 1, "2025-02-28"),
        ("2024-02-29", "1 year", 4, "2028-02-29"),
        ("2024-02-29", "12 months", 1, "2025-02-28"),
        ("2023-02-28", "1 year", 1, "2024-02-28"),
        ("2026-04-20", "12 months", 1, "2027-04-20"),
        ("2026-12-31", "1 day", 1, "2027-01-01"),
        ("2024-02-28", "1 day", 1, "2024-02-29"),
        ("2026-01-01", "2 weeks", 2, "2026-01-29"),
        ("1900-02-28", "1 day", 1, "1900-03-01"),
        ("2000-02-28", "1 day", 1, "2000-02-29"),
        ("2026-03-31", "1 month", -1, "2026-02-28"),
        ("2026-04-20", "0 days", 5, "2026-04-20"),
    ],
)
def test_months_are_counted_from_the_original_day_and_end_with_short_months(start, period, times, end):
    assert format_day(add(day_of(start), Period.parse(period), times)) == end


@pytest.mark.parametrize(
    ("end", "period", "start"),
    [
        ("2026-03-31", "1 month", "2026-02-28"),
        ("2024-03-31", "1 month", "2024-02-29"),
        ("2026-01-15", "1 month", "2025-12-15"),
        ("2024-02-29", "1 year", "2023-02-28"),
        ("2026-01-01", "1 day", "2025-12-31"),
        ("2026-01-15", "2 weeks", "2026-01-01"),
    ],
)
def test_a_period_can_be_counted_backwards(end, period, start):
    assert format_day(subtract(day_of(end), Period.parse(period))) == start


@pytest.mark.parametrize(
    ("day", "span", "first", "last"),
    [
        ("2026-04-20", "day", "2026-04-20", "2026-04-20"),
        ("2026-04-20", "month", "2026-04-01", "2026-04-30"),
        ("2026-02-01", "month", "2026-02-01", "2026-02-28"),
        ("2024-02-29", "month", "2024-02-01", "2024-02-29"),
        ("2026-12-31", "month", "2026-12-01", "2026-12-31"),
        ("2026-01-01", "quarter", "2026-01-01", "2026-03-31"),
        ("2026-06-30", "quarter", "2026-04-01", "2026-06-30"),
        ("2026-08-15", "quarter", "2026-07-01", "2026-09-30"),
        ("2026-12-31", "quarter", "2026-10-01", "2026-12-31"),
        ("2026-04-20", "year", "2026-01-01", "2026-12-31"),
        ("9999-12-31", "year", "9999-01-01", "9999-12-31"),
    ],
)
def test_a_span_has_a_first_and_a_last_day(day, span, first, last):
    assert format_day(start_of(day_of(day), span)) == first
    assert format_day(end_of(day_of(day), span)) == last


@pytest.mark.parametrize(
    ("day", "anchor", "before", "after"),
    [
        ("2026-04-20", "2020-04-20", "2026-04-20", "2027-04-20"),
        ("2026-04-19", "2020-04-20", "2025-04-20", "2026-04-20"),
        ("2026-04-21", "2020-04-20", "2026-04-20", "2027-04-20"),
        ("2020-04-20", "2020-04-20", "2020-04-20", "2021-04-20"),
        ("2026-01-01", "2020-12-31", "2025-12-31", "2026-12-31"),
        # 29 February falls on 28 February in common years
        ("2025-02-27", "2024-02-29", "2024-02-29", "2025-02-28"),
        ("2025-02-28", "2024-02-29", "2025-02-28", "2026-02-28"),
        ("2028-02-28", "2024-02-29", "2027-02-28", "2028-02-29"),
        ("2028-02-29", "2024-02-29", "2028-02-29", "2029-02-28"),
        # a fact from before the anchor
        ("2019-06-01", "2020-04-20", "2019-04-20", "2020-04-20"),
        ("2019-01-01", "2020-04-20", "2018-04-20", "2019-04-20"),
    ],
)
def test_a_day_lies_between_two_anniversaries(day, anchor, before, after):
    assert format_day(anniversary_on_or_before(day_of(day), day_of(anchor))) == before
    assert format_day(next_anniversary(day_of(day), day_of(anchor))) == after


@pytest.mark.parametrize(
    ("day", "n", "first"),
    [
        ("2026-03-01", 1, "2026-03-01"),
        ("2026-03-31", 1, "2026-03-01"),
        ("2026-03-31", 2, "2026-04-01"),
        ("2026-03-01", 25, "2028-03-01"),
        ("2026-03-31", 25, "2028-03-01"),
        ("2026-12-31", 2, "2027-01-01"),
    ],
)
def test_the_first_day_of_the_25th_month_counts_the_present_month_as_the_first(day, n, first):
    assert format_day(first_of_nth_month(day_of(day), n)) == first


def test_months_are_counted_from_one():
    with pytest.raises(ValueError, match="counted from 1"):
        first_of_nth_month(day_of("2026-03-01"), 0)


@pytest.mark.parametrize(
    ("day", "month", "dayofmonth", "years_later", "date"),
    [
        ("2026-04-20", 12, 31, 0, "2026-12-31"),
        ("2026-04-20", 12, 31, 1, "2027-12-31"),
        ("2026-12-31", 3, 31, 1, "2027-03-31"),
        ("2026-04-20", 1, 1, 0, "2026-01-01"),
        ("2026-04-20", 2, 29, 1, "2027-02-28"),
        ("2026-04-20", 2, 29, 2, "2028-02-29"),
    ],
)
def test_a_fixed_date_lies_in_a_year_counted_from_the_day(day, month, dayofmonth, years_later, date):
    assert format_day(fixed_date(day_of(day), month, dayofmonth, years_later)) == date


@pytest.mark.parametrize(("month", "dayofmonth"), [(4, 31), (2, 30), (13, 1), (0, 1), (1, 0)])
def test_a_date_that_no_year_has_is_refused(month, dayofmonth):
    with pytest.raises(ValueError, match="no year has"):
        fixed_date(day_of("2026-04-20"), month, dayofmonth, 1)


@pytest.mark.parametrize("period", ["1 day", "1 week", "1 month", "100 years"])
def test_a_period_never_leads_out_of_the_years_1_to_9999(period):
    with pytest.raises(ValueError, match="years 1 to 9999"):
        add(day_of("9999-12-31"), Period.parse(period))
    with pytest.raises(ValueError, match="years 1 to 9999"):
        subtract(day_of("0001-01-01"), Period.parse(period))
