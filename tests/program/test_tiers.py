"""Chapters 4 and 6 as they are written: what is read, what is refused, what comes back as text."""

import pytest
from pydantic import ValidationError

from shuke.program.benefits import Benefit
from shuke.program.conditions import parse
from shuke.program.tiers import Ladder, TermEnd

BASE, GOLD = {"id": "base"}, {"id": "gold", "entry": "spend(12 months) >= 5000"}


def test_a_ladder_of_two_tiers_needs_no_more_than_their_names_and_criteria():
    ladder = Ladder.model_validate({"id": "main", "tiers": [BASE, GOLD]})
    assert (ladder.upgrade, ladder.term, ladder.requalify, ladder.on_drop) == (
        "at_once",
        "lifetime",
        "redate",
        "one_level",
    )
    assert (ladder.on_refund, ladder.grace_days, ladder.reopen_reviews) == ("at_review", 0, False)
    assert ladder.tiers[1].entry == parse("spend(12 months) >= 5000")
    assert (ladder.rank("base"), ladder.rank("gold")) == (0, 1)


@pytest.mark.parametrize(
    ("term", "read"),
    [
        ("12 months", "12 months"),
        ("P2Y", "P2Y"),
        ("lifetime", "lifetime"),
        ({"to_end_of": "year", "years_later": 1}, TermEnd(to_end_of="year", years_later=1)),
        ({"to_end_of": "month"}, TermEnd(to_end_of="month", years_later=0)),
    ],
)
def test_terms_are_periods_calendar_ends_or_a_lifetime(term, read):
    ladder = Ladder.model_validate({"id": "main", "tiers": [BASE, GOLD | {"term": term}], "term": term})
    assert (ladder.term, ladder.tiers[1].term) == (read, read)
    written = ladder.model_dump(mode="json", exclude_unset=True)
    assert Ladder.model_validate(written) == ladder


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"tiers": []}, "at least 1 item"),
        ({"tiers": [BASE, BASE]}, "own id"),
        ({"tiers": [BASE | {"entry": "orders(1 year) >= 1"}, GOLD]}, "neither entry nor keep"),
        ({"tiers": [BASE | {"keep": "orders(1 year) >= 1"}, GOLD]}, "neither entry nor keep"),
        ({"term": "a while"}, "not a period"),
        ({"term": "0 days"}, "at least one day"),
        ({"term": {"to_end_of": "week"}}, "to_end_of"),
        ({"cooldown": "often"}, "not a period"),
        ({"upgrade": "weekly"}, "at_once"),
        ({"grace_days": -1}, "greater than or equal to 0"),
        ({"notice_days": [0]}, "1 to 366"),
        ({"tiers": [BASE, GOLD | {"colour": "gold"}]}, "pattern"),
        ({"tiers": [BASE, GOLD | {"entry": "spend(12 months) >="}]}, "entry"),
        ({"requalification": "redate"}, "Extra inputs"),
    ],
)
def test_what_makes_no_sense_in_a_ladder_is_refused_with_a_reason(change, says):
    with pytest.raises(ValidationError, match=says):
        Ladder.model_validate({"id": "main", "tiers": [BASE, GOLD]} | change)


def test_a_ladder_by_invitation_may_ask_something_of_its_first_tier():
    ladder = Ladder.model_validate({"id": "inner", "tiers": [GOLD], "invitation_only": True})
    assert ladder.tiers[0].entry is not None


@pytest.mark.parametrize(
    "benefit",
    [
        {"percent_off": 5},
        {"percent_off": "2.5", "for": {"ladder": "main", "tiers": ["gold"]}},
        {"percent_off": {"off": 5, "lines": "line.category = tea"}, "when": "tag friend"},
        {"member_prices": {"list": [{"sku": "A", "price": "9.90"}]}},
        {"member_prices": {"attribute": "member_price"}},
        {"free_shipping": True},
        {"upgrade_gift": {"coupon": "treat"}, "for": {"ladder": "main", "tiers": ["gold"]}},
        {"birthday_gift": {"asset": "points", "amount": 100, "day_of_month_before": 25}},
    ],
)
def test_a_benefit_is_of_one_kind_and_comes_back_as_written(benefit):
    read = Benefit.model_validate({"id": "b"} | benefit)
    assert read.kind in benefit
    written = read.model_dump(mode="json", exclude_unset=True, by_alias=True)
    assert Benefit.model_validate(written) == read
    assert set(written) == {"id", *benefit}


@pytest.mark.parametrize(
    ("benefit", "says"),
    [
        ({}, "exactly one of"),
        ({"percent_off": 5, "free_shipping": True}, "exactly one of"),
        ({"free_shipping": False}, "True"),
        ({"percent_off": 0}, "greater than 0"),
        ({"percent_off": 101}, "less than or equal to 100"),
        ({"percent_off": 2.5}, "whole number or a decimal"),
        ({"member_prices": {}}, "which goods"),
        ({"member_prices": {"list": [{"sku": "A", "price": 1}, {"sku": "A", "price": 2}]}}, "one price"),
        ({"upgrade_gift": {"coupon": "treat"}}, "write for"),
        ({"upgrade_gift": {}, "for": {"ladder": "main", "tiers": ["gold"]}}, "A gift is"),
        ({"birthday_gift": {"asset": "points"}}, "go together"),
        ({"birthday_gift": {"coupon": "c", "days_before": 3, "first_of_month": True}}, "Say one of"),
        ({"birthday_gift": {"coupon": "c", "day_of_month_before": 31}}, "less than or equal to 28"),
    ],
)
def test_what_makes_no_sense_in_a_benefit_is_refused_with_a_reason(benefit, says):
    with pytest.raises(ValidationError, match=says):
        Benefit.model_validate({"id": "b"} | benefit)
