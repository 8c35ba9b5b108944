"""Conditions in documents: read from text and JSON, printed, checked against a program, indexed."""

import datetime
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, TypeAdapter, ValidationError

from shuke.program.conditions import (
    ALWAYS,
    LIFETIME,
    RESERVED,
    All,
    Any,
    Balance,
    Between,
    Compare,
    Condition,
    ConditionSyntax,
    Constant,
    DaysSince,
    Fact,
    Has,
    In,
    IsToday,
    Kind,
    Measured,
    Month,
    Not,
    Ratio,
    Streak,
    TermText,
    Tier,
    Vocabulary,
    Window,
    all_of,
    any_of,
    check,
    check_term,
    from_json,
    line_index,
    parse,
    parse_term,
    parse_window,
    reach_days,
    show,
    show_window,
    signature,
    to_json,
    uses,
    uses_of_term,
)
from shuke.program.document import Program

YEAR = Window("rolling", 12, "months")
VOCABULARY = Vocabulary(
    currency_scale=2,
    assets={"points": 0, "growth": 1},
    ladders={"main": ("basic", "silver", "gold")},
    measures={"nights": "count", "distance": "payload"},
)

# -- Text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("order.amount >= 500", Compare(Fact("order", "amount"), ">=", 500)),
        ("line.quantity != -2", Compare(Fact("line", "quantity"), "!=", -2)),
        ("order.amount < 0.50", Compare(Fact("order", "amount"), "<", Decimal("0.50"))),
        ("line.category in [coffee, tea]", In(Fact("line", "category"), ("coffee", "tea"))),
        ("line.sku not in [A-1]", In(Fact("line", "sku"), ("A-1",), True)),
        ("tag vip", Has(Fact("member", "tags"), ("vip",))),
        ("member.tag = vip", Has(Fact("member", "tags"), ("vip",))),
        ("line.tags has [organic, local]", Has(Fact("line", "tags"), ("organic", "local"))),
        ("line.tag in [organic, local]", Has(Fact("line", "tags"), ("organic", "local"))),
        ("tier(main) >= gold", Compare(Tier("main"), ">=", "gold")),
        ("tier(main) in [gold, reserve]", In(Tier("main"), ("gold", "reserve"))),
        ("spend(12 months) >= 5000", Compare(Measured("spend", YEAR), ">=", 5000)),
        (
            "spend(12 months) / orders(12 months) >= 300",
            Compare(Ratio(Measured("spend", YEAR), Measured("orders", YEAR)), ">=", 300),
        ),
        ("spend(term) >= 20000", Compare(Measured("spend", Window("term")), ">=", 20000)),
        ("orders(lifetime) = 0", Compare(Measured("orders", LIFETIME), "=", 0)),
        (
            "earned(growth, calendar year) >= 1000",
            Compare(Measured("earned:growth", Window("calendar", unit="year")), ">=", 1000),
        ),
        ("balance(points) >= 100", Compare(Balance("points"), ">=", 100)),
        (
            "count(member.checked_in, 30 days) >= 8",
            Compare(Measured("count:member.checked_in", Window("rolling", 30, "days")), ">=", 8),
        ),
        (
            "sum(run.logged.distance, 7 days) >= 42",
            Compare(Measured("sum:run.logged.distance", Window("rolling", 7, "days")), ">=", 42),
        ),
        ("streak(member.checked_in) >= 7", Compare(Streak("member.checked_in"), ">=", 7)),
        ("days_since(order.paid) > 90", Compare(DaysSince("order.paid"), ">", 90)),
        ("member.birthday is today", IsToday(Fact("member", "birthday"))),
        (
            "month(member.birthday) = now.month",
            Compare(Month(Fact("member", "birthday")), "=", Fact("now", "month")),
        ),
        ("now.weekday in [sat, sun]", In(Fact("now", "weekday"), ("sat", "sun"))),
        (
            "now.date between 2026-11-01 and 2026-11-11",
            Between(Fact("now", "date"), datetime.date(2026, 11, 1), datetime.date(2026, 11, 11)),
        ),
        ("now.time >= 9:30", Compare(Fact("now", "time"), ">=", datetime.time(9, 30))),
        ('member.trait.city = "台北"', Compare(Fact("trait", "city"), "=", "台北")),
        ("trait.city = 台北", Compare(Fact("trait", "city"), "=", "台北")),
        ('trait."home town" = x', Compare(Fact("trait", "home town"), "=", "x")),
        ("line.organic = true", Compare(Fact("line", "organic"), "=", True)),
        ("activity.with_photo", Compare(Fact("activity", "with_photo"), "=", True)),
        ("activity.type = member.joined", Compare(Fact("activity", "type"), "=", "member.joined")),
        ("activity.list = run.logged", Compare(Fact("activity", "list"), "=", "run.logged")),
        (
            "order.amount < order.list_amount",
            Compare(Fact("order", "amount"), "<", Fact("order", "list_amount")),
        ),
        ("true", Constant(True)),
        ("not false", Not(Constant(False))),
    ],
)
def test_text_is_read_as_a_tree_and_the_tree_is_printed_as_text_that_means_the_same(text, tree):
    assert parse(text) == tree
    assert parse(show(tree)) == tree


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("tag a and tag b or tag c", "tag a and tag b or tag c"),
        ("(tag a and tag b) or tag c", "(tag a and tag b) or tag c"),
        ("tag a and (tag b or tag c)", "tag a and (tag b or tag c)"),
        ("not (tag a or tag b)", "not (tag a or tag b)"),
        ("not tag a and tag b", "not tag a and tag b"),
        ("((tag a))", "tag a"),
    ],
)
def test_not_binds_before_and_before_or(text, printed):
    assert parse(text) == parse(printed)
    assert parse(show(parse(text))) == parse(text)


def test_parentheses_group_what_the_order_of_binding_would_not():
    a, b, c = (Has(Fact("member", "tags"), (tag,)) for tag in "abc")
    assert parse("tag a or tag b and tag c") == Any((a, All((b, c))))
    assert parse("(tag a or tag b) and tag c") == All((Any((a, b)), c))
    assert parse("not tag a and tag b") == All((Not(a), b))


@pytest.mark.parametrize(
    ("text", "window", "printed"),
    [
        ("12 months", YEAR, "12 months"),
        ("1 month", Window("rolling", 1, "months"), "1 month"),
        ("2 week", Window("rolling", 2, "weeks"), "2 weeks"),
        ("calendar quarter", Window("calendar", unit="quarter"), "calendar quarter"),
        ("last calendar year", Window("last_calendar", unit="year"), "last calendar year"),
        ("membership year", Window("membership_year"), "membership year"),
        ("term", Window("term"), "term"),
        ("term of main", Window("term", ladder="main"), "term of main"),
        ("lifetime", LIFETIME, "lifetime"),
    ],
)
def test_a_window_is_read_and_printed(text, window, printed):
    assert parse_window(text) == window
    assert show_window(window) == printed


@pytest.mark.parametrize(
    ("text", "position", "sentence", "suggestion"),
    [
        ("", 0, "Here a term", None),
        ("order.amount >=", 15, "Here a value is expected", None),
        ("order.amount => 5", 14, "Here a value is expected", None),
        ("order.amount 5", 13, "After a term", None),
        ("ordr.amount > 5", 0, "There are no facts about 'ordr'", "order"),
        ("spent > 5", 0, "'spent' is not a term", "spend"),
        ("spend > 5", 0, "'spend' is not a term", "spend"),
        ("spend(12 mnths) > 5", 9, "A window is counted in", "months"),
        ("spend(0 days) > 5", 6, "A window is 1 to 36525 days long", None),
        ("spend(1.5 days) > 5", 6, "A window is 1 to 36525 days long", None),
        ("spend(calender year) > 5", 6, "Say in which window", "calendar"),
        ("spend(calendar week) > 5", 15, "A calendar window is", None),
        ("spend(12 months > 5", 16, "Here ')' is expected", None),
        ("sum(distance, 7 days) > 5", 4, "Name the activity and its field", None),
        ("tag a annd tag b", 6, "The condition should end here", "and"),
        ("tag a && tag b", 6, "'&' has no meaning here", None),
        ('trait.city = "Taipei', 13, "This text has no closing quotation mark", None),
        ('trait.city = "\\q"', 13, "After a backslash", None),
        ("trait.since = 2026-02-30", 14, "There is no such date", None),
        ("now.time > 24:00", 11, "There is no such time", None),
        ("line.quantity > 12abc", 16, "This is neither a number", None),
        ("line.sku in []", 13, "Here a value is expected", None),
        ("tier(main) is today", 0, "Only a fact", None),
        ("(tag a", 6, "Here ')' is expected", None),
        ("not", 3, "Here a term", None),
        ("and", 0, "Here a term", None),
    ],
)
def test_a_mistake_is_told_with_its_position_and_what_was_probably_meant(text, position, sentence, suggestion):
    with pytest.raises(ConditionSyntax) as caught:
        parse(text)
    told = caught.value
    assert told.sentence.startswith(sentence)
    assert (told.position, told.suggestion) == (position, suggestion)
    assert f"at character {told.position + 1}" in str(told)


@pytest.mark.parametrize("text", ["(" * 41 + "tag a" + ")" * 41, "not " * 60 + "tag a", "tag " + "a" * 20_000])
def test_endless_conditions_are_refused(text):
    with pytest.raises(ConditionSyntax):
        parse(text)


@pytest.mark.parametrize("count_unit", [(0, "days"), (36_526, "days"), (101, "years"), (3, "fortnights")])
def test_a_rolling_window_lasts_from_a_day_to_a_hundred_years(count_unit):
    with pytest.raises(ValueError, match="rolling window"):
        Window("rolling", *count_unit)


def test_joining_no_or_one_condition_needs_no_joint():
    tag = parse("tag a")
    assert all_of() == ALWAYS
    assert any_of() == Constant(False)
    assert all_of(tag) == any_of(tag) == tag
    with pytest.raises(ValueError, match="two or more"):
        All((tag,))


# -- JSON and documents -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("order.amount >= 500", {"term": "order.amount", "op": ">=", "value": 500}),
        ("order.amount >= 0.5", {"term": "order.amount", "op": ">=", "value": {"number": "0.5"}}),
        ("now.date = 2026-11-01", {"term": "now.date", "op": "=", "value": {"date": "2026-11-01"}}),
        ("now.time < 09:30", {"term": "now.time", "op": "<", "value": {"time": "09:30"}}),
        ("now.day = now.month", {"term": "now.day", "op": "=", "value": {"term": "now.month"}}),
        ("line.sku in [a, b]", {"term": "line.sku", "in": ["a", "b"]}),
        ("line.sku not in [a, b]", {"term": "line.sku", "not_in": ["a", "b"]}),
        ("now.hour between 9 and 17", {"term": "now.hour", "between": [9, 17]}),
        ("tag vip", {"term": "member.tags", "has": ["vip"]}),
        ("member.birthday is today", {"term": "member.birthday", "is": "today"}),
        ("true", {"always": True}),
        (
            "tag a and (tag b or not tag c)",
            {
                "all": [
                    {"term": "member.tags", "has": ["a"]},
                    {
                        "any": [
                            {"term": "member.tags", "has": ["b"]},
                            {"not": {"term": "member.tags", "has": ["c"]}},
                        ]
                    },
                ]
            },
        ),
    ],
)
def test_the_json_form_says_the_same_as_the_text(text, form):
    assert to_json(parse(text)) == form
    assert from_json(form) == parse(text)


def test_text_may_stand_anywhere_in_the_json_form():
    assert from_json({"all": ["tag a", {"any": ["tag b", "tag c"]}]}) == parse("tag a and (tag b or tag c)")
    assert from_json({"any": ["tag a"]}) == parse("tag a")


@pytest.mark.parametrize(
    "form",
    [
        None,
        7,
        [],
        {},
        {"all": []},
        {"all": "tag a"},
        {"all": ["tag a"], "any": ["tag b"]},
        {"always": "yes"},
        {"term": "order.amount"},
        {"term": "order.amount", "op": "=>", "value": 1},
        {"term": "order.amount", "op": "=", "value": 0.5},
        {"term": "order.amount", "op": "=", "value": None},
        {"term": "order.amount", "op": "=", "value": {"number": "NaN"}},
        {"term": "order.amount", "op": "=", "value": Decimal("Infinity")},
        {"term": "order.amount", "op": "=", "value": {"number": "twelve"}},
        {"term": "now.time", "op": "=", "value": {"time": "09:30:15"}},
        {"term": "now.date", "op": "=", "value": datetime.datetime(2026, 1, 1, 9)},  # noqa: DTZ001 - as YAML reads it
        {"term": "now.hour", "between": [1]},
        {"term": "member.tags", "has": [1]},
        {"term": "activity.type", "op": "=", "value": {"term": "order.channel"}},
        {"term": "tier(main)", "is": "today"},
        {"term": 5, "op": "=", "value": 5},
        {"term": "now.hour", "op": "=", "value": 5, "and": 6},
    ],
)
def test_what_is_not_the_json_form_is_refused(form):
    with pytest.raises(ValueError):  # noqa: PT011 - the sentences differ
        from_json(form)


def test_json_is_nested_at_most_forty_deep():
    nested = "tag a"
    for _ in range(41):
        nested = {"not": nested}
    with pytest.raises(ValueError, match="at most 40"):
        from_json(nested)


def test_the_examples_of_the_reference_can_be_read():
    page = (Path(__file__).parents[2] / "docs/reference/conditions.md").read_text(encoding="utf-8")
    (as_json,) = re.findall(r"```json\n(.*?)```", page, re.DOTALL)
    (as_yaml,) = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    from_json(json.loads(as_json))
    for text in yaml.safe_load(as_yaml).values():
        parse(text)


class Document(BaseModel):
    when: Condition | None = None
    of: TermText | None = None


@pytest.mark.parametrize("written", ["order.amount >= 500 and tag vip", True, {"any": ["tag a", "tag b"]}, None])
def test_a_document_reads_text_and_trees_and_writes_text(written):
    document = Document(when=written)
    again = Document.model_validate_json(document.model_dump_json())
    assert again == document
    assert isinstance(document.model_dump()["when"], str | None)


def test_a_term_in_a_document_is_read_and_written_as_text():
    document = Document(of="streak(member.checked_in)")
    assert document.of == Streak("member.checked_in")
    assert document.model_dump(mode="json")["of"] == "streak(member.checked_in)"


@pytest.mark.parametrize("wrong", [{"when": "order.amount >"}, {"when": 7}, {"of": 5}, {"of": "spent"}])
def test_a_document_with_a_broken_condition_is_refused_with_the_sentence(wrong):
    with pytest.raises(ValidationError):
        Document(**wrong)


def test_the_document_s_json_schema_describes_conditions():
    schema = TypeAdapter(Document).json_schema()
    assert schema["properties"]["when"]["anyOf"][0]["title"] == "Condition"
    assert schema["properties"]["of"]["anyOf"][0]["type"] == "string"


# -- Checking ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "code", "suggestion"),
    [
        ("spent(12 months) > 5", "member", "unknown_measure", "spend"),
        ("night(12 months) > 5", "member", "unknown_measure", "nights"),
        ("earned(point, lifetime) > 5", "member", "unknown_asset", "points"),
        ("balance(growht) > 5", "member", "unknown_asset", "growth"),
        ("tier(mian) = gold", "member", "unknown_ladder", "main"),
        ("tier(main) >= glod", "member", "unknown_tier", "gold"),
        ("tier(main) in [gold, 5]", "member", "unknown_tier", None),
        ("tier(main) between gold and silver", "member", "empty_range", "tier(main) between silver and gold"),
        ("spend(term) > 5", "member", "no_ladder", "term of main"),
        ("spend(term of mian) > 5", "member", "unknown_ladder", "main"),
        ("order.amuont > 5", "order", "unknown_fact", "order.amount"),
        ("member.city = x", "member", "unknown_fact", "trait.city"),
        ("now.weekdy = sat", "member", "unknown_fact", "now.weekday"),
        ("now.weekday = saturday", "member", "unknown_weekday", "sat"),
        ("now.weekday > sat", "member", "no_order_relation", None),
        ("line.category = coffee", "order", "no_line", None),
        ("line.category = coffee", "member", "no_line", None),
        ("order.amount > 5", "member", "no_order", None),
        ("order.amount > 5", "activity", "no_order", None),
        ("activity.length > 5", "member", "no_activity", None),
        ("order.amount > large", "order", "type_mismatch", None),
        ('order.amount > "500"', "order", "type_mismatch", "500"),
        ("line.sku = 12345", "line", "type_mismatch", '"12345"'),
        ("line.sku in [a, 5]", "line", "type_mismatch", '"5"'),
        ('member.joined > "2026-01-01"', "member", "type_mismatch", "2026-01-01"),
        ("member.joined = true", "member", "type_mismatch", None),
        ("trait.size in [5, large]", "member", "type_mismatch", None),
        ("trait.size between 5 and large", "member", "type_mismatch", None),
        ("member.tags = vip", "member", "type_mismatch", "member.tags has vip"),
        ("member.status has vip", "member", "type_mismatch", "member.status in [vip]"),
        ("member.status is today", "member", "type_mismatch", None),
        ("month(member.status) = 5", "member", "type_mismatch", None),
        ("member.status > active", "member", "no_order_relation", None),
        ("trait.size > large", "member", "no_order_relation", None),
        ("trait.size between a and b", "member", "no_order_relation", None),
        ("order.channel < order.store", "order", "no_order_relation", None),
        ("order.amount > order.channel", "order", "type_mismatch", None),
        ("order.amount = order.coupons", "order", "type_mismatch", None),
        ("order.channel = now.weekday", "order", "type_mismatch", None),
        ("now.date / now.day > 5", "member", "type_mismatch", None),
        ("now.hour between 17 and 9", "member", "empty_range", "now.hour between 9 and 17"),
        ("now.time between 22:00 and 02:00", "member", "empty_range", "now.time between 02:00 and 22:00"),
        ("now.date between 2026-12-01 and 2026-11-01", "member", "empty_range", None),
    ],
)
def test_a_condition_that_makes_no_sense_is_told_with_a_suggestion(text, place, code, suggestion):
    problems = check(parse(text), VOCABULARY, place=place)
    assert [problem.code for problem in problems] == [code]
    assert problems[0].severity == "error"
    if suggestion is not None:
        assert problems[0].suggestion == suggestion


@pytest.mark.parametrize(
    ("text", "place", "code", "suggestion"),
    [
        ("line.categroy = coffee", "line", "looks_like", "line.category"),
        ("order.amount > 0.005", "order", "too_precise", None),
        ("balance(points) >= 0.5", "member", "too_precise", None),
    ],
)
def test_what_is_probably_not_meant_is_a_warning(text, place, code, suggestion):
    (problem,) = check(parse(text), VOCABULARY, place=place)
    assert (problem.code, problem.suggestion, problem.severity) == (code, suggestion, "warning")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("order.amount >= 500 and line.category in [coffee, tea] and not tag vip", "line"),
        ("line.organic = true or line.weight > 2.5 or line.quantity > 3", "line"),
        ("tier(main) >= gold or tier(main) between basic and silver", "member"),
        ("spend(12 months) / orders(12 months) >= 300.123", "tier"),
        ("spend(term) >= spend(last calendar year) and order.amount >= 5000", "tier"),
        ("earned(growth, membership year) >= 0.5 and nights(term of main) > balance(points)", "member"),
        ("activity.length >= 50 and activity.source = web and activity.type = review.written", "activity"),
        ("trait.wedding is today or month(trait.wedding) = now.month or trait.hobbies has golf", "member"),
        ("member.joined < trait.since and trait.since between 2020-01-01 and 2021-01-01", "member"),
        ("trait.city = trait.home and member.language = trait.language", "member"),
        ("now.weekday = sat and now.time >= 22:00 and true", "member"),
        ("count(a.b, 3 days) > sum(a.b.c, 3 days)", "member"),
    ],
)
def test_a_condition_that_makes_sense_has_no_problems(text, place):
    assert check(parse(text), VOCABULARY, place=place) == []


def test_a_problem_says_where_in_the_tree_it_is():
    tree = parse("tag a and not (tag b or spent(term) > 5)")
    paths = {problem.code: problem.path for problem in check(tree, VOCABULARY, place="member")}
    assert paths == {"unknown_measure": "all[1].not.any[1]", "no_ladder": "all[1].not.any[1]"}
    (first, _) = check(tree, VOCABULARY, place="member")
    assert first.under("earning[2].when").path == "earning[2].when.all[1].not.any[1]"


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("order.amount", []),
        ("activity.distance", []),
        ("spend(12 months) / orders(12 months)", []),
        ("order.channel", ["not_a_number"]),
        ("tier(main)", ["not_a_number"]),
        ("spent(12 months)", ["unknown_measure"]),
        ("line.amount", ["no_line"]),
        ("order.amount / order.channel", ["type_mismatch"]),
    ],
)
def test_a_single_term_must_be_a_number(text, codes):
    found = check_term(parse_term(text), VOCABULARY, place="order")
    assert [problem.code for problem in found] == codes


@pytest.mark.parametrize(
    ("text", "kind", "scale"),
    [
        ("order.amount", Kind.MONEY, 2),
        ("spend(term)", Kind.MONEY, 2),
        ("orders(term)", Kind.NUMBER, 0),
        ("nights(term)", Kind.NUMBER, 0),
        ("distance(term)", Kind.NUMBER, 6),
        ("earned(growth, term)", Kind.NUMBER, 1),
        ("balance(growth)", Kind.NUMBER, 1),
        ("count(a.b, term)", Kind.NUMBER, 0),
        ("sum(a.b, term)", Kind.NUMBER, 6),
        ("streak(a.b)", Kind.NUMBER, 0),
        ("activity.x", Kind.OPEN, 6),
        ("tier(main)", Kind.TIER, 0),
    ],
)
def test_a_term_has_a_kind_and_a_number_of_decimals(text, kind, scale):
    assert signature(parse_term(text), VOCABULARY) == (kind, scale)


def test_a_program_s_vocabulary_is_its_names():
    program = Program.model_validate(
        {
            "id": "demo",
            "currency": "USD",
            "zone": "Asia/Taipei",
            "assets": [{"id": "growth", "scale": 1}],
            "ladders": [{"id": "main", "tiers": [{"id": "basic"}, {"id": "gold", "entry": "nights(term) > 5"}]}],
            "measures": [
                {"id": "nights", "kind": "count", "on": ["stay.ended"]},
                {"id": "km", "of": "payload.distance", "on": ["run.logged"]},
                {"id": "coffees", "of": "items", "lines": "line.category = coffee"},
            ],
        }
    )
    found = Vocabulary.of(program)
    assert (found.currency_scale, found.assets, found.ladders) == (
        2,
        {"growth": 1},
        {"main": ("basic", "gold")},
    )
    assert [found.measure(name) for name in ("spend", "orders", "nights", "km", "coffees", "x")] == [
        "money",
        "count",
        "count",
        "payload",
        "count",
        None,
    ]


def test_names_with_a_meaning_of_their_own_are_reserved():
    assert {"count", "sum", "earned", "tier", "and", "in"} <= RESERVED
    assert "spend" not in RESERVED


# -- What a condition asks --------------------------------------------------------------------------------


def test_what_a_condition_asks_of_the_engine_is_listed():
    asked = uses(
        parse(
            "spend(12 months) / orders(term) >= 300"
            " and (streak(member.checked_in) > 3 or days_since(a.b) > 1)"
            " and earned(points, lifetime) > 0 and spend(7 days) > 1"
            " and tier(main) = gold and balance(points) > 0"
            " and month(member.birthday) = now.month and sum(run.logged.distance, term of main) > 1"
        )
    )
    assert asked.kept == {
        "spend",
        "orders",
        "earned:points",
        "sum:run.logged.distance",
        "streak:member.checked_in",
        "days_since:a.b",
    }
    assert asked.reach == {"spend": 372, "orders": 0, "earned:points": 0, "sum:run.logged.distance": 0}
    assert asked.in_term == {("orders", None), ("sum:run.logged.distance", "main")}
    assert (asked.ladders, asked.balances) == ({"main"}, {"points"})
    assert asked.facts == {"member.birthday", "now.month"}


def test_what_several_conditions_ask_is_joined():
    both = uses(parse("spend(7 days) > 1")) | uses_of_term(parse_term("streak(a.b)"))
    assert both.kept == {"spend", "streak:a.b"}


@pytest.mark.parametrize(
    ("window", "days"),
    [
        ("30 days", 30),
        ("2 weeks", 14),
        ("1 month", 31),
        ("calendar quarter", 92),
        ("last calendar year", 732),
    ],
)
def test_a_window_reaches_back_at_most_so_many_days(window, days):
    assert reach_days(parse_window(window)) == days


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("line.category = coffee", ("category", {"coffee"})),
        ("line.category in [coffee, tea]", ("category", {"coffee", "tea"})),
        ("line.category in [coffee, tea] and line.sku = a and order.amount > 5", ("sku", {"a"})),
        ("line.category = coffee or line.category = tea", ("category", {"coffee", "tea"})),
        ("line.roast = dark", ("roast", {"dark"})),
        ("(line.sku = a or line.sku = b) and tag vip", ("sku", {"a", "b"})),
        ("line.category = coffee or line.sku = a", None),
        ("line.category = coffee or tag vip", None),
        ("line.category not in [coffee]", None),
        ("not line.category = coffee", None),
        ("line.category != coffee", None),
        ("line.organic = true", None),
        ("line.size in [5, 6]", None),
        ("line.tags has organic", None),
        ("line.amount > 5", None),
        ("order.channel = pos", None),
    ],
)
def test_a_condition_bound_to_some_values_of_a_line_attribute_can_be_indexed(text, index):
    assert line_index(parse(text)) == (None if index is None else (index[0], frozenset(index[1])))
