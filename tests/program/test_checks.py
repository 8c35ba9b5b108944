"""Checks of a whole program: what one field alone cannot show."""

import pytest

from shuke.engine import activity
from shuke.program.checks import check
from shuke.program.checks.triggers import KNOWN
from shuke.program.condition_order import implies
from shuke.program.conditions import parse
from shuke.program.document import read
from shuke.program.problems import DocumentError, Problem
from shuke.program.sentences import LOCALES

HEAD = "id: shop\ncurrency: TWD\ncurrency_scale: 0\nzone: Asia/Taipei\n"
SOUND = """
assets:
  - {id: points, redemption: {worth: 1}}
earning:
  - {id: base, asset: points, give: {per: {amount: 100, points: 1}}}
ladders:
  - id: main
    tiers: [{id: white}, {id: silver, entry: spend(12 months) >= 500}, {id: gold, entry: spend(12 months) >= 900}]
"""


def found(text: str) -> list[Problem]:
    return check(read(HEAD + text))


def codes(text: str) -> list[tuple[str, str]]:
    return [(problem.path, problem.code) for problem in found(text)]


def with_asset(fields: str) -> str:
    return SOUND.replace("id: points, redemption: {worth: 1}", f"id: points, {fields}")


def rules(*lines: str) -> str:
    listed = "".join(f"  - {line}\n" for line in lines)
    return SOUND.replace("ladders:", f"{listed}ladders:")


def test_a_sound_program_has_no_problems():
    assert found(SOUND) == []


@pytest.mark.parametrize(
    ("more", "path", "code", "suggestion"),
    [
        ("{id: base, asset: points, give: {fixed: 1}}", "earning[1].id", "id_taken", "base-2"),
        ("{id: b, asset: pionts, give: {fixed: 1}}", "earning[1].asset", "unknown_asset", "points"),
        (
            "{id: b, asset: points, give: {fixed: 1}, when: order.amuont > 5}",
            "earning[1].when",
            "unknown_fact",
            "order.amount",
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, when: 'order.items > 1 and tier(main) = glod'}",
            "earning[1].when.all[1]",
            "unknown_tier",
            "gold",
        ),
        (
            "{id: b, asset: points, on: reviewed, give: {fixed: 1}, when: order.amount > 5}",
            "earning[1].when",
            "no_order",
            None,
        ),
        (
            "{id: b, asset: points, on: reviewed, give: {per_item: 1}}",
            "earning[1].give.per_item",
            "no_lines",
            "give: {fixed: …} or {per_unit: …}",
        ),
        (
            "{id: b, asset: points, give: {multiply: {by: 2, rules: [bas]}}}",
            "earning[1].give.multiply.rules[0]",
            "unknown_rule",
            "base",
        ),
        ("{id: b, asset: points, give: {multiply: {by: 1}}}", "earning[1].give.multiply.by", "out_of_range", "2"),
        (
            "{id: b, asset: points, on: reviewed, give: {multiply: {by: 2}}}",
            "earning[1].give.multiply",
            "multiplies_nothing",
            None,
        ),
        (
            "{id: b, asset: points, give: {fixed: 0.5}}",
            "earning[1].give.fixed",
            "too_precise",
            "set scale: 1 on the asset 'points'",
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, limits: {per_day: 10, per_month: 5}}",
            "earning[1].limits.per_day",
            "contradictory_limits",
            "5",
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, limits: {times_per_year: 3, times_per_member: 2}}",
            "earning[1].limits.times_per_year",
            "contradictory_limits",
            "2",
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, span: {from: 2026-05-01, until: 2026-04-30}}",
            "earning[1].span.until",
            "ends_before_it_begins",
            "2026-05-01",
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, span: {from: 2026-02-30}}",
            "earning[1].span.from",
            "no_such_date",
            None,
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, span: {hours: [9-18]}}",
            "earning[1].span.hours[0]",
            "bad_hours",
            "11:00-14:00",
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, span: {hours: ['25:00-26:00']}}",
            "earning[1].span.hours[0]",
            "bad_hours",
            "11:00-14:00",
        ),
        (
            "{id: b, asset: points, on: order.payed, give: {fixed: 1}}",
            "earning[1].on",
            "looks_like",
            "order.paid",
        ),
        (
            "{id: b, asset: points, give: {steps: {of: order.amount, table: "
            "[{at_least: 500, points: 5}, {at_least: 100, points: 1}]}}}",
            "earning[1].give.steps.table[1].at_least",
            "not_rising",
            "sort them, lowest first, each once",
        ),
        (
            "{id: b, asset: points, give: {fixed: 1}, validity: {after: 1 days}, pending: 3 days}",
            "earning[1].validity",
            "ends_before_it_ripens",
            "write from: ripened",
        ),
    ],
)
def test_a_wrong_earning_rule_is_told_with_its_path_and_a_suggestion(
    more: str, path: str, code: str, suggestion: str | None
):
    problems = found(rules(more))
    assert [(problem.path, problem.code, problem.suggestion) for problem in problems] == [(path, code, suggestion)]


MOST = "9007199254740991"


@pytest.mark.parametrize(
    ("more", "path", "code", "severity"),
    [
        ("give: {fixed: 1e30}", "give.fixed", "too_much", "error"),
        (f"give: {{fixed: {MOST}}}", "give.fixed", "too_much", "warning"),
        ("give: {fixed: 9007199254740}", None, None, None),
        ("give: {fixed: 9007199254741}", "give.fixed", "too_much", "warning"),
        ("give: {per_item: 9007199254740992}", "give.per_item", "too_much", "error"),
        ("give: {steps: {of: order.amount, table: [{at_least: 1, points: 1e17}]}}",
         "give.steps.table[0].points", "too_much", "error"),
        ("give: {per: {amount: 1, points: 9007199254}}", None, None, None),
        ("give: {per: {amount: 1, points: 9007199255}}", "give.per.points", "too_much", "warning"),
        ("on: rode, give: {per_unit: {of: activity.km, points: 1e11}}", "give.per_unit.points", "too_much", "warning"),
        ("give: {multiply: {by: 1000}}", None, None, None),
        ("give: {multiply: {by: 1001}}", "give.multiply.by", "too_much", "warning"),
        ("give: {multiply: {by: 1.0000000001}}", "give.multiply.by", "too_precise", "error"),
        ("give: {fixed: 1}, limits: {total: 1e16}", "limits.total", "too_much", "error"),
        ("give: {fixed: 1}, limits: {times_total: 9007199254740992}", "limits.times_total", "out_of_range", "error"),
    ],
)  # fmt: skip
def test_what_nobody_can_have_and_what_nobody_means_is_told(
    more: str, path: str | None, code: str | None, severity: str | None
):
    problems = found(rules(f"{{id: b, asset: points, {more}}}"))
    told = [(problem.path, problem.code, problem.severity) for problem in problems]
    assert told == ([] if path is None else [(f"earning[1].{path}", code, severity)])
    for problem in problems:
        assert all(problem.told(locale) for locale in LOCALES)


def test_fractions_are_carried_in_so_many_parts_that_an_order_can_remember_them():
    carrying = rules("{id: b, asset: points, give: {per: {amount: 1.000000007, points: 1}}}").replace(
        "{id: points,", "{id: points, carry_fractions: true,"
    )
    assert codes(carrying) == []
    fine = carrying.replace("1.000000007", "1.0000000000007")
    assert codes(fine) == [("assets[0].carry_fractions", "too_precise")]


def test_rules_of_one_group_must_agree_on_how_they_meet():
    text = rules(
        "{id: b, asset: points, give: {fixed: 1}, stack: {group: a, mode: best}}",
        "{id: c, asset: points, give: {fixed: 2}, stack: {group: a}}",
    )
    assert codes(text) == [("earning[2].stack.mode", "contradictory_group")]


def test_a_multiplier_of_another_asset_works_on_nothing():
    text = rules("{id: b, asset: stars, give: {multiply: {by: 2, rules: [base]}}}").replace(
        "assets:\n", "assets:\n  - {id: stars, redemption: {worth: 1}}\n"
    )
    assert ("earning[1].give.multiply.rules[0]", "other_asset") in codes(text)


@pytest.mark.parametrize(
    ("fields", "path", "code"),
    [
        ("redemption: {worth: 0.1, step: 10, minimum: 25}", "redemption.minimum", "not_a_step"),
        ("redemption: {worth: 0.1}", "redemption.step", "step_too_small"),
        ("redemption: {worth: 2, per: 60, step: 20}", "redemption.step", "step_too_small"),
        ("redemption: {worth: 1, minimum_cart: 9.5}", "redemption.minimum_cart", "too_precise"),
        ("redemption: {worth: 1}, validity: {after: 1 months}, pending: 2 months", "validity", "ends_before_it_ripens"),
        ("redemption: {worth: 1}, validity: {on: {month: 4, day: 31}}", "validity.on", "no_such_date"),
        (
            "redemption: {worth: 1}, validity: {on: {month: 3, day: 31, years_later: 0}}",
            "validity",
            "ends_before_it_ripens",
        ),
        ("redemption: {worth: 1}, carry_fractions: true, rounding: half_up", "rounding", "without_effect"),
        ("redemption: {worth: 1}, validity_by_tier: {ladder: man, tiers: [gold], validity: never}",
         "validity_by_tier.ladder", "unknown_ladder"),
        ("redemption: {worth: 1}, validity_by_tier: {ladder: main, tiers: [glod], validity: never}",
         "validity_by_tier.tiers[0]", "unknown_tier"),
        ("kind: principal", "kind", "not_stored_value"),
    ],
)  # fmt: skip
def test_a_wrong_asset_is_told_with_its_path(fields: str, path: str, code: str):
    assert codes(with_asset(fields)) == [(f"assets[0].{path}", code)]


@pytest.mark.parametrize(
    ("redemption", "step"), [("worth: 0.1", "step: 10"), ("worth: 2, per: 60", "step: 30"), ("worth: 0.25", "step: 4")]
)
def test_the_smallest_step_that_pays_whole_coins_is_suggested(redemption: str, step: str):
    (problem,) = found(with_asset(f"redemption: {{{redemption}}}"))
    assert (problem.code, problem.suggestion, problem.severity) == ("step_too_small", step, "warning")


def test_points_that_wait_until_the_next_year_are_fine_if_they_end_later():
    assert found(with_asset("redemption: {worth: 1}, pending: 30 days, validity: {on: {month: 3, day: 31}}")) == []


def test_assets_that_nobody_can_earn_or_use_are_pointed_out():
    text = SOUND.replace("assets:\n", "assets:\n  - {id: nights, kind: qualifying}\n  - {id: stars}\n")
    assert sorted(codes(text)) == [
        ("assets[0]", "never_earned"),
        ("assets[0]", "never_used"),
        ("assets[1]", "never_earned"),
        ("assets[1]", "never_used"),
    ]
    assert {problem.severity for problem in found(text)} == {"warning"}


@pytest.mark.parametrize(
    ("silver", "gold"),
    [
        ("spend(12 months) >= 500", "spend(12 months) >= 400"),
        ("spend(12 months) >= 500", "spend(12 months) >= 500"),
        ("spend(12 months) >= 500 and orders(term) >= 3", "spend(12 months) >= 500"),
        ("spend(12 months) >= 500", "spend(12 months) >= 900 or spend(12 months) >= 100"),
    ],
)
def test_a_tier_that_everybody_passes_by_is_an_error(silver: str, gold: str):
    text = SOUND.replace("spend(12 months) >= 500", silver).replace("spend(12 months) >= 900", gold)
    assert codes(text) == [("ladders[0].tiers[1].entry", "unreachable_tier")]


@pytest.mark.parametrize(
    ("silver", "gold"),
    [
        ("spend(12 months) >= 500", "spend(12 months) >= 501"),
        ("spend(12 months) >= 500", "spend(calendar year) >= 400"),
        ("spend(12 months) >= 500", "spend(12 months) >= 400 and orders(12 months) >= 10"),
        ("spend(12 months) >= 500 or orders(12 months) >= 3", "spend(12 months) >= 500"),
    ],
)
def test_tiers_that_can_be_told_apart_are_fine(silver: str, gold: str):
    text = SOUND.replace("spend(12 months) >= 500", silver).replace("spend(12 months) >= 900", gold)
    assert found(text) == []


def test_a_tier_that_only_one_purchase_gives_needs_another_way_to_be_kept():
    text = SOUND.replace("entry: spend(12 months) >= 900", "entry: order.amount >= 900, term: 1 years")
    assert codes(text) == [("ladders[0].tiers[2].entry", "never_at_review")]
    kept = text.replace("term: 1 years", "term: 1 years, keep: orders(term) >= 1")
    assert found(kept) == []


@pytest.mark.parametrize(
    ("chapter", "path", "code", "suggestion"),
    [
        ("benefits:\n  - {id: a, for: {ladder: man, tiers: [gold]}, percent_off: 5}",
         "benefits[0].for.ladder", "unknown_ladder", "main"),
        ("benefits:\n  - {id: a, for: {ladder: main, tiers: [glod]}, percent_off: 5}",
         "benefits[0].for.tiers[0]", "unknown_tier", "gold"),
        ("benefits:\n  - {id: a, for: {ladder: main, tiers: [gold]}, upgrade_gift: {coupon: tn}}\n"
         "coupons:\n  - {id: ten, give: {amount_off: 10}}",
         "benefits[0].upgrade_gift.coupon", "unknown_coupon", "ten"),
        ("benefits:\n  - {id: a, birthday_gift: {asset: points, amount: 1.5}}",
         "benefits[0].birthday_gift.amount", "too_precise", "set scale: 1 on the asset 'points'"),
        ("benefits:\n  - {id: a, for: {ladder: main, tiers: [silver]}, percent_off: 9}\n"
         "  - {id: b, for: {ladder: main, tiers: [gold]}, percent_off: 5}",
         "benefits[1].percent_off", "less_for_higher", None),
        ("coupons:\n  - {id: ten, give: {amount_off: 10.5}}", "coupons[0].give.amount_off", "too_precise", None),
        ("coupons:\n  - {id: ten, give: {amount_off: 1e16}}", "coupons[0].give.amount_off", "too_much", MOST),
        ("coupons:\n  - {id: ten, give: {amount_off: 1}, limits: {total: 10000000000000000}}",
         "coupons[0].limits.total", "out_of_range", MOST),
        ("benefits:\n  - {id: a, birthday_gift: {asset: points, amount: 1e13}}",
         "benefits[0].birthday_gift.amount", "too_much", None),
        ("coupons:\n  - {id: ten, give: {amount_off: 10}, valid: {from: 2026-02-01, until: 2026-01-01}}",
         "coupons[0].valid.until", "ends_before_it_begins", "2026-02-01"),
        ("coupons:\n  - {id: ten, give: {amount_off: 10}, limits: {per_member: 5, total: 3}}",
         "coupons[0].limits.per_member", "contradictory_limits", "3"),
        ("coupons:\n  - {id: ten, give: {amount_off: 10}, minimum_spend: 5}",
         "coupons[0].minimum_spend", "more_than_it_costs", "10"),
        ("prices:\n  coupon_order: [copuon]\ncoupons:\n  - {id: ten, give: {amount_off: 10}}",
         "prices.coupon_order[0]", "unknown_coupon_category", "coupon"),
        ("prices:\n  promotions:\n    - {id: a, give: {percent: 5}, span: {days_of_month: [32]}}",
         "prices.promotions[0].span.days_of_month[0]", "no_such_date", None),
        ("prices:\n  members_only:\n    - {id: a, lines: line.tag = vip, who: order.amount > 5}",
         "prices.members_only[0].who", "no_order", None),
        ("stored_value: {principal: points}", "assets[0].kind", "not_stored_value", "principal"),
        ("measures:\n  - {id: earned}", "measures[0].id", "reserved_name", "earned_measure"),
        ("measures:\n  - {id: runs, on: [run.logged]}", "measures[0].of", "no_lines", "payload.…"),
        ("measures:\n  - {id: runs, on: [run.logged], of: distance}",
         "measures[0].of", "not_in_list", "payload.distance"),
        ("announce: [tier.rised]", "announce[0]", "unknown_topic", "tier.raised"),
        ("locales: [en, zh_TW]", "locales[1]", "bad_locale", None),
    ],
)  # fmt: skip
def test_a_mistake_in_any_other_chapter_is_told_with_path_and_suggestion(
    chapter: str, path: str, code: str, suggestion: str | None
):
    problems = [problem for problem in found(f"{SOUND}{chapter}\n") if problem.path == path]
    assert [(problem.code, problem.suggestion) for problem in problems] == [(code, suggestion)]


STORED = """
assets:
  - {id: balance, kind: principal}
  - {id: extra, kind: bonus}
stored_value: {principal: balance, bonus: extra, offers: [{id: a, pay: 1000, bonus: 50}]}
"""


def test_stored_value_with_its_two_assets_is_fine():
    assert found(STORED) == []


@pytest.mark.parametrize(
    ("old", "new", "path", "code"),
    [
        ("bonus: 50}]", "bonus: 50}, {id: b, pay: 1000, bonus: 60}]", "stored_value.offers[1].pay", "same_offer"),
        ("offers:", "limits: [{card: named, maximum_top_up: 500, minimum_top_up: 900}], offers:",
         "stored_value.limits[0].minimum_top_up", "contradictory_limits"),
        ("kind: bonus}", "kind: spendable, redemption: {worth: 1}}", "assets[1].kind", "not_stored_value"),
    ],
)  # fmt: skip
def test_stored_value_that_contradicts_itself_is_told(old: str, new: str, path: str, code: str):
    assert (path, code) in codes(STORED.replace(old, new))


def test_a_text_that_is_missing_in_a_language_is_a_warning_and_so_is_one_nobody_reads():
    text = "locales: [en, zh-Hant]\ntitle: {en: Shop, zh-hant: 店}\n" + SOUND
    problems = found(text)
    assert [(problem.path, problem.code, problem.suggestion) for problem in problems] == [
        ("title.zh-Hant", "missing_text", None),
        ("title.zh-hant", "unknown_locale", "zh-Hant"),
    ]
    assert {problem.severity for problem in problems} == {"warning"}


def test_errors_come_before_warnings():
    text = rules("{id: b, asset: pionts, give: {fixed: 1}}").replace("assets:\n", "assets:\n  - {id: stars}\n")
    severities = [problem.severity for problem in found(text)]
    assert severities == sorted(severities)
    assert set(severities) == {"error", "warning"}


def test_the_types_of_activities_that_checks_know_are_those_of_the_engine():
    known = {value for name, value in vars(activity).items() if name.isupper() and isinstance(value, str)}
    assert set(KNOWN) == known


@pytest.mark.parametrize(
    ("stricter", "looser"),
    [
        ("order.amount >= 500", "order.amount >= 400"),
        ("order.amount > 500", "order.amount >= 500"),
        ("order.amount < 5", "order.amount <= 5"),
        ("order.amount = 7", "order.amount >= 5"),
        ("order.amount >= 500 and tag vip", "tag vip"),
        ("tag vip", "tag vip or order.amount >= 500"),
        ("line.sku = a", "line.sku in [a, b]"),
        ("line.sku in [a, b]", "line.sku in [a, b, c]"),
        ("line.sku not in [a, b]", "line.sku not in [a]"),
        ("not order.amount >= 400", "not order.amount >= 500"),
        ("false", "tag vip"),
        ("tag vip", "true"),
    ],
)
def test_the_stricter_condition_implies_the_looser_one_and_not_the_other_way(stricter: str, looser: str):
    assert implies(parse(stricter), parse(looser))
    assert not implies(parse(looser), parse(stricter))


ASKED = """
profile:
  traits:
    - {id: budget, type: money}
    - {id: skin, type: choice, choices: [{id: dry}, {id: oily}]}
    - {id: likes, type: list, choices: [{id: tea}]}
    - {id: shoe, type: number}
    - {id: born, type: date}
"""


@pytest.mark.parametrize(
    ("when", "code", "suggestion"),
    [
        ("trait.skin = drry", "unknown_choice", "dry"),
        ("trait.skin in [dry, green]", "unknown_choice", None),
        ("trait.likes has teaa", "unknown_choice", "tea"),
        ("trait.likes = tea", "type_mismatch", "trait.likes has tea"),
        ("trait.skin = 5", "type_mismatch", '"5"'),
        ("trait.skin has dry", "type_mismatch", "trait.skin in [dry]"),
        ("trait.shoe = big", "type_mismatch", None),
        ("trait.budget >= 1.001", "too_precise", None),
        ("month(trait.shoe) = 5", "type_mismatch", None),
        ("trait.born >= order.amount", "type_mismatch", None),
        ("trait.budgett > 5", "looks_like", "trait.budget"),
    ],
)
def test_a_declared_trait_is_held_to_its_kind_wherever_a_condition_asks_for_it(
    when: str, code: str, suggestion: str | None
):
    text = rules(f"{{id: b, asset: points, give: {{fixed: 1}}, when: '{when}'}}") + ASKED
    assert [(problem.code, problem.suggestion) for problem in found(text)] == [(code, suggestion)]


@pytest.mark.parametrize(
    "when",
    [
        "trait.budget >= 12.50 and order.amount >= trait.budget",
        "trait.skin in [dry, oily] and trait.likes has tea",
        "trait.shoe > 38.555",
        "trait.born is today",
        "month(trait.born) = 5 and trait.anything = else",
    ],
)
def test_a_declared_trait_is_asked_for_as_what_it_is(when: str):
    text = rules(f"{{id: b, asset: points, give: {{fixed: 1}}, when: '{when}'}}") + ASKED
    assert check(read(HEAD.replace("currency_scale: 0", "currency_scale: 2") + text)) == []


@pytest.mark.parametrize(
    "trait",
    [
        "{id: a, type: choice}",
        "{id: a, type: text, choices: [{id: x}]}",
        "{id: a, type: choice, choices: [{id: x}, {id: x}]}",
        "{id: a, type: text, least: 1}",
        "{id: a, type: number, least: 2, most: 1}",
        "{id: a, type: text, without_year: true}",
        "{id: a, type: text, change_every: sometimes}",
        "{id: a, type: text, changed_by: [nobody]}",
        "{id: a, type: colour}",
    ],
)
def test_a_trait_that_contradicts_itself_is_refused_where_it_stands(trait: str):
    with pytest.raises(DocumentError) as refused:
        read(f"{HEAD}profile: {{traits: [{trait}]}}\n")
    assert all(problem.path.startswith("profile.traits[0]") for problem in refused.value.problems)


def test_two_traits_of_one_name_are_refused():
    assert codes(SOUND + "profile: {traits: [{id: a, type: text}, {id: a, type: date}]}\n") == [
        ("profile.traits[1].id", "id_taken")
    ]
