"""What a standing brings: percents, member prices, free shipping, and gifts that are given once."""

import pytest

from shuke.engine.activity import Activity, Line, Purchase
from shuke.engine.effects import Settled
from shuke.engine.turn import Context, Turn
from tests.engine.regular import CALENDAR, Regular, day_text, moment

STARS = """
ladders:
- id: main
  tiers:
  - {id: none}
  - {id: one, entry: spend(lifetime) >= 500}
  - {id: two, entry: spend(lifetime) >= 2000}
  - {id: three, entry: spend(lifetime) >= 3000}
"""
POINTS = "assets: [{id: points, validity: {after: 12 months}, expiry_notice_days: []}]\n"
COUPONS = "coupons: [{id: treat, give: {amount_off: 50}, valid: {lasts: 30 days}}]\n"


def asked(regular: Regular, when: str, *lines: Line) -> Turn:
    """The turn of a cart at this moment."""
    cart = Purchase("cart", list(lines), priced=False)
    return Turn(
        regular.program,
        regular.member,
        Activity("cart.quoted", "m1", moment(when), "t", "q", purchase=cart),
        Context(),
    )


def available(regular: Regular, asset: str = "points") -> int:
    purse = regular.member.purses.get(asset)
    return 0 if purse is None else purse.available


def held(regular: Regular) -> list[str]:
    return [coupon.template for coupon in regular.member.coupons.values()]


# -- Prices -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spent", "pays_percent"), [(0, 100), (499, 100), (500, 95), (2000, 90), (3000, 85), (9000, 85)]
)
def test_no_star_pays_100_percent_one_star_95_two_stars_90_three_stars_85(spent, pays_percent):
    program = STARS + (
        "benefits:\n"
        "- {id: five, for: {ladder: main, tiers: [one]}, percent_off: 5}\n"
        "- {id: ten, for: {ladder: main, tiers: [two]}, percent_off: 10}\n"
        "- {id: fifteen, for: {ladder: main, tiers: [three]}, percent_off: 15}\n"
    )
    regular = Regular(program).acts(("2026-01-01", spent))
    turn = asked(regular, "2026-01-02", Line(1000))
    found = turn.program.benefits.percent_off(turn)
    assert [100 - 100 * percent.numerator // percent.denominator for percent in found] == (
        [] if pays_percent == 100 else [pays_percent]
    )


def test_a_percent_may_be_exact_to_decimals_and_narrowed_to_lines():
    program = STARS + (
        "benefits:\n"
        "- {id: half, percent_off: {off: 2.5, lines: line.category = tea}}\n"
        "- {id: rich, percent_off: 7, when: spend(lifetime) >= 1000}\n"
    )
    turn = asked(Regular(program).acts(("2026-01-01", 1)), "2026-01-02", Line(10, category="tea"))
    (half,) = turn.program.benefits.percent_off(turn)
    assert (half.numerator * 1000, half.denominator) == (half.denominator * 25, half.denominator)
    assert half.lines is not None
    assert half.lines(turn, Line(10, category="tea"))
    assert not half.lines(turn, Line(10, category="cup"))


@pytest.mark.parametrize(
    ("line", "price"),
    [
        (Line(100, sku="A"), 80),
        (Line(100, sku="A", attributes={"member_price": "70"}), 70),
        (Line(100, sku="B"), None),
        (Line(100), None),
        (Line(100, sku="B", attributes={"member_price": 60}), 60),
        (Line(100, sku="B", attributes={"member_price": "free"}), None),
        (Line(100, sku="B", attributes={"member_price": -1}), None),
        (Line(100, sku="C"), 30),
    ],
)
def test_the_lowest_of_her_member_prices_holds_by_list_or_by_what_the_catalog_told(line, price):
    program = STARS + (
        "benefits:\n"
        "- id: list\n"
        "  for: {ladder: main, tiers: [one, two]}\n"
        "  member_prices: {list: [{sku: A, price: 80}, {sku: C, price: 40}]}\n"
        "- {id: told, for: {ladder: main, tiers: [one]}, member_prices: {attribute: member_price}}\n"
        "- {id: also, for: {ladder: main, tiers: [one]}, member_prices: {list: [{sku: C, price: 30}]}}\n"
        "- {id: other, for: {ladder: main, tiers: [three]}, member_prices: {list: [{sku: A, price: 1}]}}\n"
    )
    regular = Regular(program).acts(("2026-01-01", 500))
    turn = asked(regular, "2026-01-02", line)
    assert turn.program.benefits.member_price(turn, line) == price
    stranger = asked(Regular(program).acts(("2026-01-01", 1)), "2026-01-02", line)
    assert stranger.program.benefits.member_price(stranger, line) is None


def test_shipping_is_free_for_those_who_have_the_benefit_and_its_cart():
    program = STARS + (
        "benefits:\n"
        "- {id: post, for: {ladder: main, tiers: [two, three]}, free_shipping: true, when: order.amount >= 300}\n"
    )
    for spent, cart, benefit in ((2000, 300, "post"), (2000, 299, None), (500, 300, None)):
        turn = asked(Regular(program).acts(("2026-01-01", spent)), "2026-01-02", Line(cart))
        assert turn.program.benefits.free_shipping(turn) == benefit


def test_a_granted_tier_brings_its_benefits_while_it_lasts():
    program = STARS + "benefits: [{id: ten, for: {ladder: main, tiers: [two]}, percent_off: 10}]\n"
    regular = Regular(program)
    regular.does("2026-05-01", "tier.granted", ladder="main", tier="two", days=30, ref="r")
    turn = asked(regular, "2026-05-02", Line(100))
    assert [percent.id for percent in turn.program.benefits.percent_off(turn)] == ["ten"]
    regular.waits("2026-06-01")
    turn = asked(regular, "2026-06-01", Line(100))
    assert turn.program.benefits.percent_off(turn) == []


# -- Upgrade gifts ----------------------------------------------------------------------------------------

YEARLY = """
ladders:
- id: main
  term: 12 months
  on_refund: at_once
  tiers:
  - {id: none}
  - {id: one, entry: spend(12 months) >= 500}
  - {id: two, entry: spend(12 months) >= 2000}
benefits:
- {id: up, for: {ladder: main, tiers: [one, two]}, upgrade_gift: {asset: points, amount: 100, coupon: treat}}
"""


def test_reaching_a_tier_gives_its_gift_with_its_cause():
    regular = Regular(YEARLY + POINTS + COUPONS)
    settled = regular.pays("2026-01-01", 500)
    assert available(regular) == 100
    assert held(regular) == ["treat"]
    (entry,) = settled.effects.entries
    assert (entry.kind, entry.rule, entry.why) == ("gift", "up", {"ladder": "main", "tier": "one"})


@pytest.mark.parametrize(
    ("rows", "gifts"),
    [
        ([("2026-01-01", 499)], 0),
        ([("2026-01-01", 500)], 1),
        ([("2026-01-01", 500), ("2026-02-01", 500)], 1),  # re-qualified
        ([("2026-01-01", 500), ("2026-02-01", 1500)], 2),
        ([("2026-01-01", 2000)], 1),  # straight to two: its gift, not that of one
        ([("2026-01-01", 500), ("2026-01-02", "back", "o1"), ("2026-01-03", 500)], 1),
        ([("2026-01-01", 500), ("2028-01-01", 500)], 1),  # fell, and rose again
        ([("2026-01-01", 2000), ("2026-01-02", "back", "o1", 1000), ("2026-01-03", 1)], 1),  # fell to one
        ([("2026-01-01", 2000), ("2028-01-01", 1)], 1),
    ],
)
def test_an_upgrade_gift_is_given_once_per_tier_for_ever_and_only_for_rising(rows, gifts):
    regular = Regular(YEARLY + POINTS.replace("{after: 12 months}", "never") + COUPONS).acts(*rows)
    assert available(regular) == 100 * gifts


@pytest.mark.parametrize(("granted", "points"), [("false", 0), ("true", 100)])
def test_a_bought_tier_brings_the_upgrade_gift_only_where_the_program_says_so(granted, points):
    program = YEARLY.replace("amount: 100,", f"amount: 100, granted: {granted},")
    regular = Regular(program + POINTS + COUPONS)
    regular.does("2026-05-01", "tier.granted", ladder="main", tier="two", days=30, ref="r")
    assert available(regular) == points


def test_a_tier_earned_beneath_a_granted_one_brings_its_own_gift():
    regular = Regular(YEARLY + POINTS + COUPONS)
    regular.does("2026-05-01", "tier.granted", ladder="main", tier="two", days=30, ref="r")
    regular.pays("2026-05-02", 500)
    assert (regular.tier, available(regular)) == ("two", 100)
    assert "upgrade/up/one" in regular.member.once


def test_a_gift_for_the_first_tier_welcomes_a_member_once():
    program = YEARLY.replace("tiers: [one, two]", "tiers: [none]")
    regular = Regular(program + POINTS + COUPONS)
    regular.does("2026-05-01", "member.joined")
    regular.pays("2026-05-02", 1)
    assert available(regular) == 100


def test_a_gift_of_a_nightly_rise_is_given_in_the_night_even_if_the_clock_is_late():
    program = YEARLY.replace("term: 12 months", "upgrade: nightly")
    regular = Regular(program + POINTS + COUPONS).acts(("2026-01-01", 500))
    assert available(regular) == 0
    entries = regular.waits("2026-01-09").effects.entries
    assert [(entry.kind, entry.occurred_at) for entry in entries] == [("gift", moment("2026-01-02T00:00"))]


def test_a_coupon_that_is_no_more_is_told_as_skipped_and_the_rest_is_given():
    ended = COUPONS.replace("{lasts: 30 days}", "{until: 2025-12-31}")
    regular = Regular(YEARLY + POINTS + ended)
    settled = regular.pays("2026-01-01", 500)
    assert available(regular) == 100
    assert [(skip["what"], skip["code"]) for skip in settled.answer["skipped"]] == [("up", "coupon_ended")]


# -- Birthday gifts ---------------------------------------------------------------------------------------


def birthday(how: str = "", who: str = "for: {ladder: main, tiers: [none, one, two]}, ") -> str:
    gift = f"{{asset: points, amount: 100{', ' if how else ''}{how}}}"
    return YEARLY.split("benefits:")[0] + POINTS + f"benefits: [{{id: cake, {who}birthday_gift: {gift}}}]\n"


def born(on: str, program: str, joined: str = "2026-01-05") -> Regular:
    regular = Regular(program)
    regular.does(joined, "member.joined", traits={"birthday": on})
    return regular


def gifts_of(settled: Settled) -> list[str]:
    """The days of the gifts among a step's entries."""
    return [CALENDAR.format(entry.occurred_at)[:10] for entry in settled.effects.entries if entry.kind == "gift"]


@pytest.mark.parametrize(
    ("how", "on", "issued"),
    [
        ("", "1990-05-20", "2026-05-20"),
        ("", "05-20", "2026-05-20"),
        ("", "1992-02-29", "2026-02-28"),
        ("days_before: 7", "1990-05-03", "2026-04-26"),
        ("day_of_month_before: 25", "1990-05-20", "2026-04-25"),
        ("day_of_month_before: 25", "1990-03-01", "2026-02-25"),
        ("first_of_month: true", "1990-05-20", "2026-05-01"),
        ("day_of_month_before: 25", "1990-01-20", "2026-12-25"),  # joined in the month: see below
    ],
)
def test_a_birthday_gift_is_issued_at_the_start_of_its_day(how, on, issued):
    program = birthday(", ".join(part for part in (how, "late_joiners: false") if part))
    regular = born(on, program)
    assert regular.member.due_at == moment(f"{issued}T00:00")
    entries = regular.waits("2026-12-31").effects.entries
    assert [(entry.kind, entry.occurred_at, entry.amount) for entry in entries] == [
        ("gift", moment(f"{issued}T00:00"), 100)
    ]


def test_a_birthday_gift_comes_once_a_year():
    regular = born("1990-05-20", birthday())
    assert gifts_of(regular.waits("2030-01-01")) == [f"{year}-05-20" for year in (2026, 2027, 2028, 2029)]


def test_a_birthday_that_moves_gives_no_second_gift_in_its_year():
    regular = born("1990-03-20", birthday())
    assert gifts_of(regular.waits("2026-04-01")) == ["2026-03-20"]
    regular.does("2026-04-02", "member.updated", traits={"birthday": "1990-06-20"})
    assert gifts_of(regular.waits("2027-12-31")) == ["2027-06-20"]


@pytest.mark.parametrize(
    ("spent_on", "points"),
    [
        ("2026-04-24", 100),
        ("2026-04-25", 0),  # after the day of issue: the level of that morning decides
        ("2026-05-10", 0),
    ],
)
def test_the_standing_on_the_day_of_issue_decides(spent_on, points):
    program = birthday("day_of_month_before: 25", "for: {ladder: main, tiers: [two]}, ")
    regular = born("1990-05-20", program).acts((spent_on, 2000), ("2026-05-31",))
    assert available(regular) == points


def test_a_review_at_the_same_midnight_comes_before_the_gift():
    program = birthday("", "for: {ladder: main, tiers: [two]}, ")
    regular = born("1990-05-20", program, joined="2025-05-01").acts(("2025-05-19", 2000))
    assert gifts_of(regular.waits("2026-05-21")) == ["2025-05-20"]
    assert regular.story()[-1].startswith("2026-05-20 dropped")


@pytest.mark.parametrize(
    ("how", "joined", "points"),
    [
        ("day_of_month_before: 25", "2026-04-24", 0),  # gets it tomorrow
        ("day_of_month_before: 25", "2026-04-25", 100),
        ("day_of_month_before: 25", "2026-05-01", 100),
        ("day_of_month_before: 25", "2026-05-31", 100),
        ("day_of_month_before: 25", "2026-06-01", 0),
        ("day_of_month_before: 25, late_joiners: false", "2026-05-01", 0),
        ("", "2026-05-20", 100),
        ("", "2026-05-21", 0),
        ("days_before: 7", "2026-05-15", 100),
        ("first_of_month: true", "2026-05-31", 100),
    ],
)
def test_who_joins_after_the_day_of_issue_gets_the_gift_on_joining_within_the_month(how, joined, points):
    regular = born("1990-05-20", birthday(how), joined=joined)
    assert available(regular) == points
    regular.does(f"{joined}T13:00", "member.updated", traits={"birthday": "1990-05-20"})
    assert available(regular) == points


def test_who_tells_her_birthday_in_its_month_gets_the_gift_and_other_news_bring_none():
    regular = Regular(birthday("first_of_month: true"))
    regular.does("2026-05-02", "member.joined")
    regular.does("2026-05-03", "member.updated", traits={"city": "taipei"})
    assert available(regular) == 0
    regular.does("2026-05-04", "member.updated", traits={"birthday": "1990-05-20"})
    assert available(regular) == 100


@pytest.mark.parametrize(
    ("how", "last"),
    [
        ("window_days: 1", "2026-05-20"),
        ("window_days: 7", "2026-05-26"),
        ("window_days: 30, day_of_month_before: 25", "2026-06-18"),
        ("", "2027-05-20"),  # the asset's own validity
    ],
)
def test_a_birthday_gift_lasts_through_its_window(how, last):
    regular = born("1990-05-20", birthday(how)).acts(("2026-05-20",))
    (lot,) = regular.member.purses["points"].lots
    assert day_text(lot.expires_at) == last


def test_nobody_without_a_birthday_or_outside_of_the_benefit_is_given_anything():
    assert available(born("someday", birthday()).acts(("2027-01-01",))) == 0
    assert available(Regular(birthday()).acts(("2026-01-01", 1), ("2027-01-01",))) == 0
    choosy = birthday("", "when: spend(12 months) >= 100, ")
    assert available(born("1990-05-20", choosy).acts(("2026-05-19", 99), ("2026-06-01",))) == 0
    assert available(born("1990-05-20", choosy).acts(("2026-05-19", 100), ("2026-06-01",))) == 100


def test_a_condition_on_the_member_does_not_see_the_order_that_woke_the_clock():
    program = birthday("", "when: order.amount >= 1, ")
    assert available(born("1990-05-20", program).acts(("2026-05-21", 500))) == 0
