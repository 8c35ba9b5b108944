"""Tier criteria before anybody is looked at."""

import pytest

from shuke.engine.criteria import feeds, is_passing, is_timely, met_again
from shuke.program.condition_order import implies
from shuke.program.conditions import all_of, parse
from tests.engine.regular import editions


@pytest.mark.parametrize(
    ("entry", "within"),
    [
        ("spend(12 months) >= 5", "spend(term) >= 5"),
        ("spend(calendar year) between 5 and 9", "spend(term) between 5 and 9"),
        ("spend(membership year) >= orders(1 year)", "spend(term) >= orders(term)"),
        ("spend(1 year) / orders(1 year) >= 5", "spend(term) / orders(term) >= 5"),
        ("order.amount >= 5", "order.amount >= 5"),
        ("activity.nights >= 5", "activity.nights >= 5"),
        ("spend(12 months) >= 5 or balance(points) >= 5", "spend(term) >= 5"),
        ("spend(12 months) >= 5 and trait.city = taipei", "spend(term) >= 5 and trait.city = taipei"),
        ("spend(12 months) >= 5 or orders(lifetime) >= 5", "spend(term) >= 5"),
    ],
)
def test_criteria_are_met_again_by_what_the_term_has_counted(entry, within):
    assert met_again(parse(entry)) == all_of(parse(within), parse(entry))


@pytest.mark.parametrize(
    "entry",
    [
        "spend(lifetime) >= 5",
        "spend(last calendar year) >= 5",
        "balance(points) >= 5",
        "streak(member.checked_in) >= 5",
        "trait.city = taipei and member.months >= 5",
        "not spend(12 months) >= 5",
        "true",
    ],
)
def test_what_no_purchase_can_meet_anew_redates_nothing(entry):
    assert met_again(parse(entry)) is None


@pytest.mark.parametrize(
    ("stricter", "looser", "proved"),
    [
        ("orders(1 year) >= 10", "orders(1 year) >= 5", True),
        ("orders(1 year) >= 5", "orders(1 year) >= 5", True),
        ("orders(1 year) >= 4", "orders(1 year) >= 5", False),
        ("orders(1 year) > 5", "orders(1 year) >= 5", True),
        ("orders(1 year) >= 5", "orders(1 year) > 5", False),
        ("orders(1 year) >= 6", "orders(1 year) > 5", True),
        ("orders(1 year) = 6", "orders(1 year) >= 5", True),
        ("orders(2 years) >= 10", "orders(1 year) >= 5", False),
        ("spend(1 year) >= 10", "orders(1 year) >= 5", False),
        ("orders(1 year) >= 10 and spend(1 year) >= 5", "orders(1 year) >= 5", True),
        ("orders(1 year) >= 10 or spend(1 year) >= 9", "orders(1 year) >= 5 or spend(1 year) >= 8", True),
        ("orders(1 year) >= 10 or spend(1 year) >= 9", "orders(1 year) >= 5", False),
        ("orders(1 year) >= 10", "orders(1 year) >= 5 and spend(1 year) >= 8", False),
        ("orders(1 year) >= 10 and spend(1 year) >= 9", "orders(1 year) >= 5 and spend(1 year) >= 8", True),
    ],
)
def test_one_condition_implies_another_only_where_that_is_proved(stricter, looser, proved):
    assert implies(parse(stricter), parse(looser)) is proved


ASKED = """
assets: [{id: stars}]
measures: [{id: nights, of: payload.nights, on: [stay.ended]}]
earning: [{id: r, asset: stars, on: [member.checked_in, order.paid], give: {fixed: 1}}]
"""
REFUNDS = {"order.refunded", "order.cancelled", "order.reopened"}


@pytest.mark.parametrize(
    ("entry", "types"),
    [
        ("spend(1 year) >= 5", {"order.paid"}),
        ("nights(1 year) >= 5", {"stay.ended"}),
        ("count(visited, 1 year) >= 5", {"visited"}),
        ("sum(trip.ended.distance, 1 year) >= 5", {"trip.ended"}),
        ("streak(member.checked_in) >= 5", {"member.checked_in"}),
        ("earned(stars, 1 year) >= 5", {"member.checked_in", "order.paid", "asset.granted"}),
        ("order.amount >= 5", {"order.paid", "order.completed"}),
        ("balance(stars) >= 5", None),
        ("trait.city = taipei", None),
        ("member.months >= 5", None),
    ],
)
def test_only_activities_that_feed_the_criteria_have_a_standing_looked_at(entry, types):
    program = editions(ASKED).at(0).document
    found = feeds(program, [parse(entry)])
    assert found == (None if types is None else types | REFUNDS)


def test_what_passes_with_an_order_and_what_time_alone_brings_is_known():
    assert is_passing(parse("spend(1 year) >= 5 or order.amount >= 5"))
    assert not is_passing(parse("spend(1 year) >= 5"))
    assert not is_passing(None)
    assert is_timely([parse("spend(1 year) >= 5"), parse("member.months >= 5")])
    assert is_timely([parse("days_since(order.paid) > 30")])
    assert not is_timely([parse("spend(1 year) >= 5")])
