"""Vectors: the format is read strictly, and a program that breaks its promise is told so in a sentence."""

from pathlib import Path

import pytest

from shuke.program.document import Program, read
from shuke.program.problems import DocumentError
from shuke.replay.vector_runs import run
from shuke.replay.vectors import Vectors, read_vectors

PROGRAM = """
id: shop
currency: TWD
currency_scale: 0
zone: Asia/Taipei
assets:
  - {id: points, validity: {after: 12 months}, redemption: {worth: 1}, transfer: {}}
earning:
  - {id: base, asset: points, give: {per: {amount: 100, points: 1}}}
ladders:
  - {id: main, term: 12 months, tiers: [{id: white}, {id: gold, entry: spend(12 months) >= 5000}]}
"""
HEAD = """
program: shop.yaml
source: "made for this test"
vectors:
  - name: A sentence about what happens.
    source: "computed"
"""


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(PROGRAM, encoding="utf-8")
    return tmp_path / "shop.vectors.yaml"


def told(shop: Path, text: str) -> tuple[Program, Vectors]:
    shop.write_text(HEAD + text, encoding="utf-8")
    return read_vectors(shop)


def failures(shop: Path, text: str) -> list[str]:
    program, vectors = told(shop, text)
    return run(vectors.vectors[0], program)


BOUGHT = """
    given: {joined: 2026-01-01}
    when:
      - {at: 2026-01-20T10:00, order: {amount: 5000}}
    then: """


def test_what_holds_is_not_told(shop: Path):
    then = "{balances: {points: 50}, earned: {points: 50}, tiers: {main: {tier: gold, until: 2027-01-20}}}"
    assert failures(shop, BOUGHT + then) == []


@pytest.mark.parametrize(
    ("then", "failure"),
    [
        ("{balances: {points: 49}}", "balance of points should be 49, is 50"),
        ("{pending: {points: 1}}", "pending of points should be 1, is 0"),
        ("{debts: {points: 1}}", "debt of points should be 1, is 0"),
        ("{earned: {points: 5}}", "earned should be {'points': '5'}, is {'points': '50'}"),
        ("{tiers: {main: white}}", "tier on main should be white, is gold"),
        (
            "{tiers: {main: {tier: gold, until: 2027-01-19}}}",
            "end of gold on main should be 2027-01-19, is 2027-01-20",
        ),
        (
            "{lots: {points: [{amount: 50, until: 2027-01-21}]}}",
            "lots of points should be [('50', '2027-01-21', None)], is [('50', '2027-01-20', None)]",
        ),
        ("{coupons: {ten: 1}}", "coupons in hand should be {'ten': 1}, is {}"),
        ("{refused: insufficient}", "refusal should be insufficient, is None"),
        ("{money: 7}", "money back should be 7, is 0"),
        (
            "{payable: 7}",
            "a quote should be there, is missing",
        ),
        ("{entries: []}", "there should be 0 entries, there are 1: earn +50 points by base"),
        (
            "{entries: [{kind: earn, rule: bonus}]}",
            "rule of entry 1 should be bonus, is base (earn +50 points by base)",
        ),
        (
            "{entries: [{kind: earn, amount: 51}]}",
            "amount of entry 1 should be 51, is 50 (earn +50 points by base)",
        ),
    ],
)
def test_what_does_not_hold_is_told_in_a_sentence_led_by_its_step(shop: Path, then: str, failure: str):
    assert failures(shop, BOUGHT + then) == [f"2026-01-20T10:00 (order): {failure}"]


def test_a_step_that_is_refused_and_was_not_said_to_be_is_a_failure(shop: Path):
    spend = """
    when:
      - {at: 2026-01-20, activity: asset.spent, payload: {asset: points, amount: 80}}
    then: {balances: {points: 0}}
"""
    (failure,) = failures(shop, spend)
    assert failure.startswith("2026-01-20 (asset.spent): refused as insufficient")
    assert failures(shop, spend.replace("{balances: {points: 0}}", "{refused: insufficient}")) == []
    said = spend.replace("amount: 80}}", "amount: 80}, then: {refused: insufficient}}")
    assert failures(shop, said) == []


def test_a_quote_changes_nothing_and_tells_its_parts(shop: Path):
    quote = """
    given: {joined: 2026-01-01, balances: {points: 30}}
    when:
      - at: 2026-01-20
        quote: {lines: [{amount: 100}, {amount: 60}], points: {points: all}}
        then: {payable: 130, lines: [100, 60], paid: {points: 30}, earns: {points: 1}, skipped: []}
    then: {balances: {points: 30}}
"""
    assert failures(shop, quote) == []
    assert failures(shop, quote.replace("payable: 130", "payable: 131")) == [
        "2026-01-20 (quote): payable should be 131, is 130"
    ]


def test_what_one_member_gives_arrives_with_the_other(shop: Path):
    gift = """
    given: {joined: 2026-01-01, balances: {points: 30}}
    when:
      - {at: 2026-01-20, activity: asset.transferred, payload: {asset: points, amount: 20, to_member: bob}}
    then: {balances: {points: 10}}
    others: {bob: {balances: {points: 21}}}
"""
    assert failures(shop, gift) == ["2026-01-20 (asset.transferred), bob: balance of points should be 21, is 20"]


@pytest.mark.parametrize(
    ("text", "path", "sentence"),
    [
        ("    when: []\n    then: {}\n", "vectors[0].when", "At least 1"),
        (
            "    when: [{at: 2026-01-01}]\n",
            "vectors[0]",
            "A vector says what holds then.",
        ),
        (
            "    when: [{at: 2026-01-01, order: {amount: 1}, cancel: a}]\n    then: {}\n",
            "vectors[0].when[0]",
            "One thing happens at a time",
        ),
        ("    when: [{at: 2026-01-01, ordr: {amount: 1}}]\n    then: {}\n", "vectors[0].when[0].ordr", "no field"),
        ("    when: [{at: 2026-01-01, order: {}}]\n    then: {}\n", "vectors[0].when[0].order", "amount, or lines"),
        (
            "    when: [{at: 2026-01-01, payload: {a: 1}}]\n    then: {}\n",
            "vectors[0].when[0]",
            "belongs to an activity",
        ),
    ],
)
def test_a_file_of_vectors_is_read_strictly(shop: Path, text: str, path: str, sentence: str):
    with pytest.raises(DocumentError) as refused:
        told(shop, text)
    (problem,) = refused.value.problems
    assert problem.path == path
    assert sentence in problem.sentence
    assert problem.line is not None


def test_the_program_of_this_test_is_one():
    assert read(PROGRAM).id == "shop"
