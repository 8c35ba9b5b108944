"""Documents: read exactly, written back the same, and refused in sentences a merchant can act on."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.program.document import DocumentError, Program, from_data, read, to_data, write
from shuke.program.document_text import dump, parse
from shuke.program.problems import Problem

HEAD = "id: shop\ncurrency: TWD\nzone: Asia/Taipei\n"
POINTS = HEAD + "assets:\n  - id: points\n"


def problems_in(text: str) -> list[Problem]:
    with pytest.raises(DocumentError) as refused:
        read(text)
    return refused.value.problems


def only_problem(text: str) -> Problem:
    (problem,) = problems_in(text)
    return problem


# -- Exactly what is written ------------------------------------------------------------------------------


@pytest.mark.parametrize("written", ["0.1", "12", "0.30", "1_000", "100000000000000000000.01"])
def test_a_number_in_yaml_is_exact_to_its_last_digit(written: str):
    program = read(f"{POINTS}    redemption: {{worth: {written}}}\n")
    redemption = program.asset("points").redemption
    assert redemption is not None
    assert redemption.worth == Decimal(written.replace("_", ""))


def test_a_float_in_plain_data_is_refused_because_it_cannot_say_a_tenth():
    data = {**to_data(read(POINTS)), "assets": [{"id": "points", "redemption": {"worth": 0.1}}]}
    with pytest.raises(DocumentError, match="whole number or a decimal"):
        from_data(data)


def test_words_dates_and_hours_stay_what_was_written():
    program = read(
        f"{POINTS}earning:\n  - id: base\n    on: order.paid\n    asset: points\n    give: {{fixed: 1}}\n"
        "    span: {from: 2026-01-01, hours: [11:30-12:30]}\n    title: off\n"
    )
    rule = program.earning[0]
    assert rule.span is not None
    assert (rule.on, rule.title, rule.span.from_, rule.span.hours) == (
        "order.paid",
        "off",
        "2026-01-01",
        ["11:30-12:30"],
    )


def test_json_is_read_like_yaml():
    text = json.dumps(
        {
            "id": "shop",
            "currency": "TWD",
            "zone": "Asia/Taipei",
            "assets": [{"id": "points", "carry_fractions": True}],
        }
    )
    assert read(text) == read(f"{POINTS}    carry_fractions: true\n")


def test_an_alias_stands_for_what_it_names():
    program = read(
        f"{HEAD}assets:\n  - {{id: a, validity: &year {{after: 12 months}}}}\n  - {{id: b, validity: *year}}\n"
    )
    assert program.asset("a").validity == program.asset("b").validity


# -- There and back ---------------------------------------------------------------------------------------

EVERYTHING = """
id: shop
title: {en: "Yes", zh-Hant: 熟客}
description: "two\\nlines"
currency: TWD
currency_scale: 0
zone: Asia/Taipei
locales: [en, zh-Hant]
measures:
  - {id: runs, on: [run.logged], of: payload.distance, when: "activity.distance between 0.5 and 50.0"}
assets:
  - {id: points, scale: 2, validity: {after: 12 months, to_end_of: month, from: ripened}, pending: 1 days}
earning:
  - id: base
    asset: points
    give: {per: {amount: 100, points: 1.50}}
    when: {all: ["order.amount >= 0.5", {not: "tag vip"}]}
    lines: 'line.category in [coffee, "tea pot"]'
  - {id: walk, on: [run.logged, "walk.logged"], asset: points, give: {per_unit: {of: activity.distance, points: 1}}}
ladders:
  - id: main
    term: {to_end_of: year, years_later: 1}
    tiers: [{id: white}, {id: gold, entry: spend(12 months) >= 5000, colour: "#aabb00"}]
benefits:
  - {id: five, for: {ladder: main, tiers: [gold]}, percent_off: 5}
  - {id: list, member_prices: {list: [{sku: "007", price: 90}]}}
coupons:
  - {id: ten, give: {percent: 10}, valid: {from: 2026-01-01, lasts: 7 days}}
"""


def test_a_program_is_the_same_after_writing_and_reading_it():
    program = read(EVERYTHING)
    assert read(write(program)) == program
    assert from_data(to_data(program)) == program
    assert read(json.dumps(to_data(program))) == program


def test_writing_says_only_what_was_said_and_says_it_plainly():
    written = write(read(EVERYTHING))
    assert "points: 1.50" in written
    assert "  when: order.amount >= 0.5 and not tag vip" in written
    assert "on:\n" in written
    assert "sku: '007'" in written
    assert "spend_order" not in written
    assert "en: 'Yes'" in written


def test_writing_twice_gives_the_same_text():
    once = write(read(EVERYTHING))
    assert write(read(once)) == once


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"])) | st.sampled_from(
    [
        "on",
        "off",
        "yes",
        "true",
        "null",
        "~",
        "",
        "12",
        "1.0",
        "1e3",
        "2026-01-01",
        "11:30",
        "0x1f",
        "a\nb",
        "- a",
        "# a",
    ]
)
NUMBERS = st.integers(-(10**20), 10**20) | st.decimals(-(10**9), 10**9, places=3)
PLAIN = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(PLAIN)
def test_whatever_is_written_as_yaml_is_read_back_as_it_was(data: object):
    assert parse(dump(data)).data == data


# -- Refused with line, path and what was meant -----------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "path", "code", "suggestion"),
    [
        (f"{HEAD}titel: Shop\n", 4, "titel", "unknown_field", "title"),
        (f"{HEAD}assets:\n  - {{ident: points}}\n", 5, "assets[0].ident", "unknown_field", None),
        (f"{POINTS}    pnding: 3 days\n", 6, "assets[0].pnding", "unknown_field", "pending"),
        (f"{POINTS}    clawback: dept\n", 6, "assets[0].clawback", "not_in_list", "debt"),
        (f"{POINTS}    scale: 9\n", 6, "assets[0].scale", "out_of_range", "6"),
        (f"{POINTS}    validity: 12\n", 6, "assets[0].validity", "wrong_type", None),
        (f"{POINTS}    validity: nevr\n", 6, "assets[0].validity", "wrong_type", "never"),
        (f"{POINTS}    validity: {{after: 12 moons}}\n", 6, "assets[0].validity.after", "not_valid", None),
        (f"{POINTS}    title: {{en: 7}}\n", 6, "assets[0].title.en", "wrong_type", '"7"'),
        (f"{HEAD}assets:\n  - id: Gold Points\n", 5, "assets[0].id", "wrong_form", "gold-points"),
        (f"{HEAD}assets: points\n", 4, "assets", "wrong_type", "[points]"),
        ("id: shop\ncurrency: twd\nzone: Asia/Taipei\n", 2, "currency", "wrong_form", "TWD"),
        ("id: shop\ncurrency: TWX\nzone: Asia/Taipei\n", 2, "currency", "not_valid", None),
        ("id: shop\ncurrency: TWD\nzone: Asia/Taipeh\n", 3, "zone", "not_valid", "Asia/Taipei"),
        ("currency: TWD\nzone: Asia/Taipei\n", 1, "id", "missing", None),
    ],
)
def test_a_mistake_is_told_with_line_path_and_what_was_meant(
    text: str, line: int, path: str, code: str, suggestion: str | None
):
    found = [problem for problem in problems_in(text) if problem.path == path]
    assert [(problem.line, problem.code, problem.suggestion) for problem in found] == [(line, code, suggestion)]


RULE = POINTS + "earning:\n  - id: base\n    asset: points\n    give: {fixed: 1}\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (f"{RULE}    when: order.amount >> 5\n", "character 15"),
        (f"{RULE}    when: order.amount and\n", "at its end"),
        (f"{RULE}    on: 5\n", "Here a text or a list is needed, not 5."),
        (f"{RULE}    priority: high\n", 'Here a whole number is needed, not "high".'),
        (f"{RULE}    span: {{from: tomorrow}}\n", "such as 2026-04-20"),
        (f"{RULE}    limits: {{per_day: 0}}\n", "more than 0, not 0"),
        (f"{RULE}    limits: {{per_day: many}}\n", 'Here a number is needed, not "many".'),
        ("[]", "A program is a group of fields"),
        ("", "A program is a group of fields"),
    ],
)
def test_a_mistake_is_told_in_words_and_not_in_the_library_s_own(text: str, sentence: str):
    problem = only_problem(text)
    assert sentence in problem.sentence
    assert "Value error" not in problem.sentence


def test_a_rule_that_gives_in_two_ways_is_told_to_say_one():
    problem = only_problem(RULE.replace("fixed: 1", "fixed: 1, per_item: 2"))
    assert problem.sentence.startswith("Say exactly one of: fixed, per")
    assert problem.path == "earning[0].give"


def test_every_problem_is_told_at_once_in_the_order_of_the_document():
    found = problems_in(f"{HEAD}titel: Shop\nassets:\n  - id: 5\n  - {{id: points, scale: 99}}\n")
    assert [problem.line for problem in found] == [4, 6, 7]


# -- Refused as text --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("id: shop\n  currency: TWD\n", "not_yaml", 2),
        ("id: [shop\n", "not_yaml", 2),
        ("id: shop\nid: other\n", "written_twice", 2),
        ("id: shop\n---\nid: other\n", "not_yaml", 2),
        ("id: shop\nassets: " + "[" * 100_000, "too_deep", 2),
        ("id: shop\nassets: &a [*a]\n", "too_deep", 2),
        ("id: !!python/object/apply:os.system [ls]\n", "unknown_tag", 1),
        ("id: !!timestamp 2026-01-01\n", "unknown_tag", 1),
        ("id: " + "9" * 5_000, "not_a_value", 1),
        ("? [a, b]\n: 1\n", "not_a_name", 1),
        ("id: \x00\n", "not_yaml", None),
    ],
)
def test_a_text_that_is_no_document_is_refused_with_its_line(text: str, code: str, line: int | None):
    problem = only_problem(text)
    assert (problem.code, problem.line) == (code, line)


def test_a_tab_is_named_as_the_culprit():
    assert only_problem("id: shop\nassets:\n\t- id: points\n").suggestion == "Indent with blanks, not with tabs."


def test_aliases_that_stand_for_too_much_are_refused_and_not_unfolded():
    bomb = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    assert only_problem(bomb).code == "too_large"


def test_a_document_of_more_than_four_megabytes_is_refused_unread():
    assert only_problem("#" * 4_000_001).code == "too_large"


def test_nothing_of_a_document_can_be_changed_after_reading():
    program: Program = read(HEAD)
    with pytest.raises(ValueError, match="frozen"):
        program.currency = "USD"
