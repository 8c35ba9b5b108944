"""ACCEPTANCE 8, 11, 19, 20 and 22, and the size of a member of 37: one engine, no database."""

import os
import subprocess
import sys
from datetime import date

import pytest

from shuke.engine.activity import ORDER_REFUNDED, UPDATED
from shuke.engine.member import pack
from shuke.values.instants import DAY, HOUR, MINUTE, calendar_of, parse_instant
from tests.shop import NOON, Ledger, at, edition, given, order, spent, told

SHOP = """
id: shop
currency: USD
zone: {zone}
assets:
  - {{id: points, validity: {validity}, expiry_notice_days: []}}
earning:
  - {{id: base, asset: points, give: {{per: {{amount: 1, points: {points}}}}}}}
"""


def shop(*, zone="Asia/Taipei", validity="{after: 12 months}", points=1):
    return SHOP.format(zone=zone, validity=validity, points=points)


# -- 11 ---------------------------------------------------------------------------------------------------

WITHOUT_ITS_RULE = shop().replace("id: base", "id: other").replace("points: 1}", "points: 9}")


@pytest.mark.parametrize("second", [shop(points=7), WITHOUT_ITS_RULE], ids=["another rate", "the rule is deleted"])
def test_50_points_earned_under_version_1_are_50_points_when_refunded_under_version_2(second):
    books = Ledger(edition(shop()), edition(second, version=2, effective_from=NOON + DAY))
    books.all(order("ada", "o1", 5000), order("ada", "o2", 100, when=NOON + 2 * DAY))
    earned = books.balance("ada")
    assert earned > 50
    books.all(told(ORDER_REFUNDED, "ada", key="r", when=NOON + 3 * DAY, order_id="o1"))
    assert books.balance("ada") == earned - 50
    reverse = books.entries["ada"][-1]
    assert (reverse.kind, reverse.amount, reverse.rule, reverse.version) == ("reverse", 50, "base", 2)
    assert reverse.why == {"given": 50, "version": 1}


def test_a_fact_that_arrives_late_is_settled_under_the_version_of_its_own_instant():
    books = Ledger(edition(shop()), edition(shop(points=7), version=2, effective_from=NOON + DAY))
    books.all(order("ada", "o1", 1000, when=NOON + 5 * DAY), order("ada", "o2", 1000, when=NOON + DAY - 1))
    assert [(entry.amount, entry.version) for entry in books.entries["ada"]] == [(70, 2), (10, 1)]


# -- 8 and 19 ---------------------------------------------------------------------------------------------

MIDNIGHTS = [
    # zone, given at (local), lasting, the instant the value ends (UTC)
    ("America/New_York", "2026-03-06T23:59", "{after: 2 days}", "2026-03-09T04:00:00Z"),  # over the spring change
    ("America/New_York", "2026-03-05T12:00", "{after: 2 days}", "2026-03-08T05:00:00Z"),  # ends before the change
    ("America/New_York", "2026-10-30T00:00", "{after: 2 days}", "2026-11-02T05:00:00Z"),  # over the autumn change
    ("America/New_York", "2026-10-30T00:00", "{after: 1 days}", "2026-11-01T04:00:00Z"),
    ("Asia/Taipei", "2026-05-01T00:30", "{after: 1 days}", "2026-05-02T16:00:00Z"),  # 30 April in UTC
    ("Asia/Taipei", "2026-12-31T23:30", "{to_end_of: year}", "2026-12-31T16:00:00Z"),
    ("Asia/Taipei", "2027-01-01T00:30", "{to_end_of: year}", "2027-12-31T16:00:00Z"),  # 2026 in UTC
    ("Africa/Cairo", "2026-04-23T12:00", "{after: 0 days}", "2026-04-23T22:00:00Z"),  # the clock skips midnight
    ("Pacific/Apia", "2011-12-28T12:00", "{after: 1 days}", "2011-12-30T10:00:00Z"),  # 30 December was left out
]


@pytest.mark.parametrize(("zone", "given_at", "validity", "ends"), MIDNIGHTS)
def test_value_ends_at_local_midnight_of_the_programs_zone_and_not_an_instant_before(zone, given_at, validity, ends):
    start, end = at(given_at, zone=zone), parse_instant(ends, zone="UTC")
    last, late = (
        Ledger(edition(shop(zone=zone, validity=validity))),
        Ledger(edition(shop(zone=zone, validity=validity))),
    )
    for books in (last, late):
        books.all(given("ada", 5, key="g", when=start))
        assert books.members["ada"].due_at == end
    assert last.settle(spent("ada", 5, key="s", when=end - 1)).refused is None
    assert late.settle(spent("ada", 1, key="s", when=end)).refused.code == "insufficient"
    assert (late.entries["ada"][-1].kind, late.entries["ada"][-1].occurred_at) == ("expire", end)


SAY_WHAT_HAPPENS = """
from tests.shop import *
from tests.acceptance.test_versions_time_and_rounding import shop
books = Ledger(edition(shop(validity="{to_end_of: month}", points=3)))
books.all(order("ada", "o1", 999, when=at("2026-05-31T23:59")), order("ada", "o2", 12345, when=at("2026-06-01")))
books.all(passed("ada", at("2026-07-01")))
for entry in books.entries["ada"]:
    print(entry.kind, entry.amount, entry.occurred_at, entry.lot)
"""


def test_a_shop_in_utc_8_gets_the_same_books_from_servers_anywhere():
    said = {
        subprocess.run(
            [sys.executable, "-c", SAY_WHAT_HAPPENS],
            env={**os.environ, "TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for zone in ("UTC", "Asia/Taipei", "America/Los_Angeles")
    }
    [books] = said
    june, july = at("2026-06-01"), at("2026-07-01")
    assert books.split("\n") == [
        f"earn 29 {june - MINUTE} 1",
        f"expire 29 {june} 1",
        f"earn 370 {june} 2",
        f"expire 370 {july} 2",
        "",
    ]


# -- 20 ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rounding", "cents", "points"),
    [
        ("floor", 99, 0),
        ("floor", 199, 1),
        ("ceiling", 1, 1),
        ("half_up", 49, 0),
        ("half_up", 50, 1),
        ("half_up", 150, 2),
        ("half_even", 50, 0),
        ("half_even", 150, 2),
        ("half_even", 250, 2),
    ],
)
def test_what_a_fraction_becomes_is_what_the_program_says(rounding, cents, points):
    text = shop().replace("after: 12 months}", f"after: 12 months}}, rounding: {rounding}")
    books = Ledger(edition(text))
    assert books.all(order("ada", "o1", cents)).answer.get("earned", {}).get("points", 0) == points


@pytest.mark.parametrize("cents", [1, 7, 33, 34, 99, 101])
def test_a_hundred_orders_with_carried_fractions_earn_what_one_order_of_the_sum_earns(cents):
    text = shop().replace("after: 12 months}", "after: 12 months}, carry_fractions: true")
    parts, whole = Ledger(edition(text)), Ledger(edition(text))
    for number in range(100):
        parts.all(order("ada", f"o{number}", cents))
    whole.all(order("ada", "o", 100 * cents))
    assert parts.balance("ada") == whole.balance("ada") == cents


@pytest.mark.parametrize("parts", [[1] * 100, [33, 33, 34], [99, 1], [100]])
def test_one_point_is_one_point_until_the_last_cent_of_its_order_is_back(parts):
    books = Ledger(edition(shop()))
    books.all(order("ada", "o1", 100))
    for number, cents in enumerate(parts):
        assert books.balance("ada") == 1
        books.all(told(ORDER_REFUNDED, "ada", key=f"r{number}", order_id="o1", amount=cents))
    assert books.balance("ada") == 0


def test_splitting_a_point_over_three_lines_loses_none_of_it():
    books = Ledger(edition(shop(points=0.01)))
    books.all(order("ada", "o1", 3400, 3300, 3300))
    assert books.balance("ada") == 1
    for line in (1, 2, 3):
        books.all(told(ORDER_REFUNDED, "ada", key=f"r{line}", order_id="o1", lines=[{"line": line}]))
    assert books.balance("ada") == 0
    assert [entry.amount for entry in books.entries["ada"]] == [1, 1]


# -- 22 ---------------------------------------------------------------------------------------------------

LAST_DAYS = [
    ("2026-01-31", "{after: 1 months}", "2026-02-28"),
    ("2028-01-31", "{after: 1 months}", "2028-02-29"),
    ("2026-01-31", "{after: 2 months}", "2026-03-31"),
    ("2028-02-29", "{after: 12 months}", "2029-02-28"),
    ("2028-02-29", "{after: 48 months}", "2032-02-29"),
    ("2028-02-29", "{after: 1 year}", "2029-02-28"),
    ("2026-01-31", "{after: 1 months, to_end_of: month}", "2026-02-28"),
    ("2026-11-30", "{after: 3 months, to_end_of: quarter}", "2027-03-31"),
    ("2026-05-01", "{first_of_month: 25}", "2028-04-30"),  # ends when the 25th month begins
    ("2026-05-31", "{first_of_month: 25}", "2028-04-30"),
    ("2026-05-01", "{on: {month: 2, day: 29}}", "2027-02-28"),
    ("2027-05-01", "{on: {month: 2, day: 29}}", "2028-02-29"),
]


@pytest.mark.parametrize(("given_on", "validity", "last_day"), LAST_DAYS)
def test_value_is_good_through_the_last_day_the_calendar_says(given_on, validity, last_day):
    books = Ledger(edition(shop(validity=validity)))
    books.all(given("ada", 5, key="g", when=at(given_on) + 23 * HOUR))
    assert calendar_of("Asia/Taipei").day(books.members["ada"].due_at - 1) == date.fromisoformat(last_day).toordinal()
    assert books.settle(spent("ada", 5, key="s", when=at(last_day) + DAY - 1)).refused is None


BIRTHDAY = shop() + '  - {id: cake, asset: points, give: {fixed: 100}, when: "is_birthday"}\n'


@pytest.mark.parametrize(
    ("day", "points"),
    [("2027-02-27", 0), ("2027-02-28", 100), ("2027-03-01", 0), ("2028-02-28", 0), ("2028-02-29", 100)],
)
def test_who_was_born_on_29_february_has_a_birthday_every_year(day, points):
    books = Ledger(edition(BIRTHDAY.replace("is_birthday", "member.birthday is today")))
    books.all(told(UPDATED, "ada", key="u", when=at("2026-01-01"), traits={"birthday": "2000-02-29"}))
    books.all(order("ada", "o1", 100, when=at(f"{day}T08:00")))
    assert books.balance("ada") == points + 1


# -- 37 ---------------------------------------------------------------------------------------------------

EVERYTHING_THAT_IS_KEPT = (
    shop(validity="{after: 24 months}")
    + """
  - {id: daily, asset: points, give: {fixed: 1}, limits: {per_day: 1, per_month: 5, per_year: 40}}
  - {id: month, asset: points, give: {fixed: 2}, when: "orders(12 months) > 3 and spend(36 months) > 10"}
  - {id: streak, asset: points, give: {fixed: 1}, when: "streak(order.paid) > 1 or days_since(order.paid) > 20"}
"""
)


def test_a_member_of_ten_years_of_weekly_orders_is_kept_in_less_than_16_kilobytes():
    books = Ledger(edition(EVERYTHING_THAT_IS_KEPT))
    sizes = []
    for week in range(52 * 10):
        when = NOON + week * 7 * DAY + week * MINUTE
        books.all(order("ada", f"o{week}", 2000 + week, when=when))
        if week % 5 == 0:
            books.all(spent("ada", 10, key=f"s{week}", when=when))
        if week % 52 == 51:
            sizes.append(len(pack(books.members["ada"])))
    assert max(sizes) < 16_000
    assert sizes[-1] <= max(sizes[3:6]) * 1.05, "after the longest window nothing grows"
