"""Declared traits: checked as they are told, changed by whom they may be, and complete once."""

import pytest

from shuke.engine.activity import JOINED, PROFILE_COMPLETED, UPDATED
from shuke.values.instants import DAY
from tests.shop import NOON, Ledger, at, edition, order, told

PROFILED = """
id: profiled
currency: USD
zone: Asia/Taipei
assets: [{id: points}]
profile:
  required_identities: [phone]
  traits:
    - {id: birthday, type: date, required: true, change_every: 1 year, without_year: true}
    - {id: skin, type: choice, required: true, choices: [{id: dry}, {id: oily}]}
    - {id: likes, type: list, choices: [{id: tea}, {id: coffee}]}
    - {id: words, type: list}
    - {id: shoe, type: number, least: 20, most: 50.5}
    - {id: budget, type: money, least: 1}
    - {id: vegan, type: boolean}
    - {id: name, type: text}
    - {id: grade, type: text, changed_by: [merchant]}
    - {id: hobby, type: text, changed_by: [member]}
    - {id: language, type: language}
    - {id: zone, type: zone}
earning:
  - {id: thanks, on: profile.completed, asset: points, give: {fixed: 50}}
  - {id: rich, when: order.amount >= trait.budget, asset: points, give: {fixed: 1}}
  - {id: big, when: trait.shoe > 38.5 and trait.skin = dry and trait.likes has tea, asset: points, give: {fixed: 10}}
"""
WHOLE = {"birthday": "1990-02-28", "skin": "dry"}


def shop() -> Ledger:
    shop = Ledger(edition(PROFILED))
    shop.all(told(JOINED, "ann", key="j"))
    return shop


def updated(key: str, *, when: int = NOON + DAY, by: str = "merchant", **traits: object):
    return told(UPDATED, "ann", key=key, when=when, traits=traits, by=by)


@pytest.mark.parametrize(
    ("trait", "values"),
    [
        ("birthday", ["1990-02-28", "2000-02-29", "05-01", "--05-01"]),
        ("skin", ["dry", "oily"]),
        ("likes", [[], ["tea"], ["tea", "coffee"]]),
        ("words", [["anything", "goes"]]),
        ("shoe", [20, "38.5", "50.5"]),
        ("budget", [100, 99_999]),
        ("vegan", [True, False]),
        ("name", ["林安", "x" * 1000]),
        ("language", ["zh-Hant", "en", "pt-BR"]),
        ("zone", ["Asia/Taipei", "Europe/Berlin"]),
        ("free", [1, "x", True, [1], {"a": 1}]),
    ],
)
def test_what_fits_a_trait_is_taken_over_as_it_is_told(trait: str, values: list):
    for number, value in enumerate(values):
        ann = shop()
        ann.all(updated(f"u{number}", **{trait: value}))
        assert ann.members["ann"].traits[trait] == value


@pytest.mark.parametrize(
    ("trait", "value", "code"),
    [
        ("birthday", "1990-02-30", "trait_invalid"),
        ("birthday", "28.2.1990", "trait_invalid"),
        ("birthday", 1990, "trait_invalid"),
        ("skin", "green", "trait_no_choice"),
        ("skin", ["dry"], "trait_invalid"),
        ("likes", ["tea", "milk"], "trait_no_choice"),
        ("likes", "tea", "trait_invalid"),
        ("words", [""], "trait_invalid"),
        ("words", [1], "trait_invalid"),
        ("words", ["x"] * 101, "trait_invalid"),
        ("shoe", "large", "trait_invalid"),
        ("shoe", True, "trait_invalid"),
        ("shoe", 19, "trait_out_of_range"),
        ("shoe", "50.51", "trait_out_of_range"),
        ("budget", 99, "trait_out_of_range"),
        ("budget", "100", "trait_invalid"),
        ("budget", True, "trait_invalid"),
        ("vegan", "yes", "trait_invalid"),
        ("vegan", 1, "trait_invalid"),
        ("name", "", "trait_invalid"),
        ("name", "x" * 1001, "trait_invalid"),
        ("language", "Chinese (Taiwan)", "trait_invalid"),
        ("zone", "Taipei", "trait_invalid"),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_else_of_it_is_taken_over(trait: str, value: object, code: str):
    ann = shop()
    settled = ann.settle(updated("u", other="new", **{trait: value}))
    assert settled.refused is not None
    assert (settled.refused.code, settled.refused.facts["trait"]) == (code, trait)
    assert ann.members["ann"].traits == {}


def test_somebody_whose_traits_do_not_fit_does_not_join():
    ledger = Ledger(edition(PROFILED))
    refused = ledger.settle(told(JOINED, "bob", key="j", traits={"skin": "green"}))
    assert refused.refused is not None
    assert (refused.refused.code, ledger.members["bob"].status) == ("trait_no_choice", "stranger")


def test_a_closed_profile_takes_declared_traits_only():
    ledger = Ledger(edition(PROFILED.replace("profile:", "profile:\n  closed: true")))
    ledger.all(told(JOINED, "ann", key="j", traits={"skin": "dry"}))
    settled = ledger.settle(updated("u", free=1))
    assert settled.refused is not None
    assert (settled.refused.code, settled.refused.facts) == ("trait_unknown", {"trait": "free"})


@pytest.mark.parametrize(
    ("trait", "by", "may"),
    [("grade", "merchant", True), ("grade", "member", False), ("hobby", "merchant", False), ("hobby", "member", True)],
)
def test_a_trait_is_changed_by_whom_it_may_be(trait: str, by: str, may: bool):
    settled = shop().settle(updated("u", by=by, **{trait: "x"}))
    code = None if settled.refused is None else settled.refused.code
    assert code == (None if may else "trait_not_changeable")


def test_she_changes_her_birthday_once_a_year_and_the_shop_corrects_it_whenever():
    ann = shop()
    ann.all(updated("a", when=at("2026-05-02T12:00"), by="member", birthday="1990-02-28"))
    ann.all(updated("same", when=at("2026-05-03T12:00"), by="member", birthday="1990-02-28"))
    for when in ("2026-05-03T12:00", "2027-05-01T23:59"):
        refused = ann.settle(updated(when, when=at(when), by="member", birthday="1990-03-01"))
        assert refused.refused is not None
        assert (refused.refused.code, refused.refused.facts["from"]) == ("trait_changed_recently", at("2027-05-02"))
        gone = ann.settle(updated(f"{when}-", when=at(when), by="member", birthday=None))
        assert gone.refused is not None
    ann.all(updated("shop", when=at("2027-05-01T23:59"), birthday="1991-01-01"))
    refused = ann.settle(updated("c", when=at("2028-04-30T12:00"), by="member", birthday="1990-03-01"))
    assert refused.refused is not None
    ann.all(updated("d", when=at("2028-05-01T00:00"), by="member", birthday="1990-03-01"))
    assert ann.members["ann"].traits["birthday"] == "1990-03-01"


def test_a_profile_is_complete_once_and_for_ever_and_only_with_all_that_is_required():
    ann = shop()
    ann.all(updated("a", **WHOLE))
    assert ann.balance("ann") == 0
    ann.all(told(UPDATED, "ann", key="b", when=NOON + DAY, identities={"phone": "+886912345678"}))
    assert ann.balance("ann") == 50
    ann.all(updated("c", skin=None), updated("d", skin="oily"), updated("e", skin="dry"))
    assert ann.balance("ann") == 50


def test_joining_with_all_that_is_required_completes_the_profile():
    ledger = Ledger(edition(PROFILED))
    joined = told(JOINED, "ann", key="j", traits=WHOLE, identities={"phone": "+886912345678"})
    settled = ledger.all(joined)
    assert [inbox.type for inbox in settled.effects.activities] == [PROFILE_COMPLETED]
    assert ledger.balance("ann") == 50


def test_where_nothing_is_required_nothing_is_ever_complete():
    ledger = Ledger(edition(PROFILED.replace(", required: true", "").replace("  required_identities: [phone]\n", "")))
    ledger.all(told(JOINED, "ann", key="j", traits=WHOLE))
    assert ledger.balance("ann") == 0


def test_conditions_read_traits_as_the_kind_they_are_declared_as():
    ann = shop()
    ann.all(updated("a", budget=2000, shoe="39.5", skin="dry", likes=["coffee", "tea"]))
    ann.all(order("ann", "o1", 1999, when=NOON + DAY))
    assert ann.balance("ann") == 10
    ann.all(order("ann", "o2", 2000, when=NOON + DAY))
    assert ann.balance("ann") == 21
    ann.all(updated("b", shoe="38.5"))
    ann.all(order("ann", "o3", 2000, when=NOON + DAY))
    assert ann.balance("ann") == 22


def test_a_value_told_before_its_trait_was_declared_otherwise_is_missing_to_conditions():
    before = PROFILED.replace("    - {id: budget, type: money, least: 1}\n", "").replace(
        "  - {id: rich, when: order.amount >= trait.budget, asset: points, give: {fixed: 1}}\n", ""
    )
    ledger = Ledger(edition(before), edition(PROFILED, version=2, effective_from=NOON + DAY))
    ledger.all(told(JOINED, "ann", key="j", traits={"budget": ["a", "lot"]}))
    ledger.all(order("ann", "o1", 2000, when=NOON + 2 * DAY))
    assert ledger.balance("ann") == 0
    assert ledger.members["ann"].traits["budget"] == ["a", "lot"]
