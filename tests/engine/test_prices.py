"""Prices of a cart: how member price, tier percent and promotions come together, line by line."""

from typing import Any

import pytest

from shuke.engine.activity import ORDER_PAID, Line
from shuke.engine.effects import Refused
from tests.engine.till import Till, program

TEA = Line(10_000, sku="tea", category="tea", list_amount=10_000)
CUP = Line(4_000, 2, "cup", "ware", list_amount=4_000)
FIVE = {"id": "five", "percent_off": 5}
MEMBERS = {"id": "members", "member_prices": {"list": [{"sku": "tea", "price": 92}]}}
TENTH = {"id": "tenth", "give": {"percent": 10}, "lines": "line.category = tea"}
FIFTH = {"id": "fifth", "give": {"percent": 20}, "lines": "line.category = ware"}
LATER = {"span": {"from": "2026-06-01"}}


def till(*promotions: dict[str, Any], benefits: tuple[dict[str, Any], ...] = (), **prices: Any) -> Till:
    return Till(program(benefits=list(benefits), prices={"promotions": list(promotions), **prices}))


MIXES: list[tuple[str, tuple[dict[str, Any], ...], tuple[dict[str, Any], ...], dict[str, Any], list[int]]] = [
    ("list price", (), (), {}, [10_000, 4_000]),
    ("percent for members", (), (FIVE,), {}, [9_500, 3_800]),
    ("the better of member price and percent", (), (FIVE, MEMBERS), {}, [9_200, 3_800]),
    ("the best of all three", (TENTH, FIFTH), (FIVE, MEMBERS), {}, [9_000, 3_200]),
    ("stacked in the declared order", (TENTH, FIFTH), (FIVE, MEMBERS), {"together": "stacked"}, [7_866, 3_040]),
    (
        "stacked the other way round",
        (TENTH,),
        (MEMBERS,),
        {"together": "stacked", "order": ["promotion", "member_price", "tier_percent"]},
        [9_000, 4_000],
    ),
    ("two promotions of one category: the better", (TENTH, TENTH | {"id": "other"}), (), {}, [9_000, 4_000]),
    (
        "two promotions of one category, stacked: still one",
        (TENTH, TENTH | {"id": "other", "give": {"percent": 15}}),
        (),
        {"together": "stacked"},
        [8_500, 4_000],
    ),
    (
        "two categories, stacked: both",
        (TENTH, TENTH | {"id": "other", "category": "brand"}),
        (),
        {"together": "stacked"},
        [8_100, 4_000],
    ),
    ("not yet in force", (TENTH | LATER,), (), {}, [10_000, 4_000]),
    ("at its hour", (TENTH | {"span": {"hours": ["11:00-13:00"]}},), (), {}, [9_000, 4_000]),
    ("outside its hours", (TENTH | {"span": {"hours": ["13:00-15:00"]}},), (), {}, [10_000, 4_000]),
    ("its condition holds", (TENTH | {"when": "order.items >= 3"},), (), {}, [9_000, 4_000]),
    ("its condition does not hold", (TENTH | {"when": "order.items > 3"},), (), {}, [10_000, 4_000]),
    ("below its minimum", (TENTH | {"minimum_spend": 101},), (), {}, [10_000, 4_000]),
    (
        "spend and save follows, on the prices reached",
        ({"id": "save", "give": {"spend_and_save": {"table": [{"at_least": 130, "off": 13}]}}},),
        (FIVE,),
        {},
        [8_571, 3_429],
    ),
    (
        "a set promotion leaves lines alone that one of its category has priced",
        (TENTH, {"id": "save", "give": {"amount_off": 10}}),
        (),
        {},
        [9_000, 3_000],
    ),
    (
        "unless it is of another category",
        (TENTH, {"id": "save", "give": {"amount_off": 13}, "category": "sets"}),
        (),
        {},
        [8_100, 3_600],
    ),
    (
        "lines at member price can be left out",
        ({"id": "save", "give": {"amount_off": 10}, "not_with": ["member_price"]},),
        (MEMBERS,),
        {},
        [9_200, 3_000],
    ),
    (
        "by condition too",
        ({"id": "save", "give": {"amount_off": 10}, "lines": "line.priced_by != member_price"},),
        (MEMBERS,),
        {},
        [9_200, 3_000],
    ),
    (
        "higher priority takes the lines first",
        (
            {"id": "one", "give": {"amount_off": 1}},
            {"id": "two", "give": {"amount_off": 2}, "priority": 1, "lines": "line.category = tea"},
        ),
        (),
        {},
        [9_800, 3_900],
    ),
]


@pytest.mark.parametrize(
    ("promotions", "benefits", "prices", "amounts"), [mix[1:] for mix in MIXES], ids=[mix[0] for mix in MIXES]
)
def test_lines_cost_what_the_program_puts_together(
    promotions: tuple[dict[str, Any], ...],
    benefits: tuple[dict[str, Any], ...],
    prices: dict[str, Any],
    amounts: list[int],
) -> None:
    quote = till(*promotions, benefits=benefits, **prices).quote(TEA, CUP)
    assert quote.amounts[:-2] == amounts
    taken_off = [sum(applied.shares[i] for applied in quote.applied) for i in range(2)]
    assert [price - off for price, off in zip(quote.list_amounts, taken_off, strict=False)] == amounts


def test_what_did_not_apply_is_told_with_what_it_lacks() -> None:
    quote = till(
        TENTH | {"minimum_spend": 140},
        FIFTH | {"when": "order.channel = app"},
        {"id": "small", "give": {"percent": 1}, "lines": "line.category = ware", "category": "small"},
        {"id": "third", "give": {"nth_item": {"n": 3}}, "lines": "line.category = ware", "category": "third"},
        {"id": "never_here", "give": {"percent": 50}, "lines": "line.category = coffee"},
        benefits=(FIVE,),
    ).quote(TEA, CUP)
    assert quote.skipped == [
        {"what": "fifth", "code": "condition_not_met", "when": "order.channel = app"},
        {"what": "tenth", "code": "minimum_spend", "needs": 4_000},
        {"what": "small", "code": "better_price_found"},
        {"what": "third", "code": "too_few_items"},
    ]
    assert quote.hints == [{"code": "spend_more", "needs": 4_000, "for": "promotion", "id": "tenth"}]


def test_a_hint_says_how_much_reaches_the_next_step() -> None:
    table = [{"at_least": 100, "off": 5}, {"at_least": 180, "off": 20}]
    quote = till({"id": "save", "give": {"spend_and_save": {"table": table}}}).quote(TEA, CUP)
    assert sum(quote.amounts) == 13_500
    assert quote.hints == [{"code": "spend_more", "needs": 4_000, "for": "promotion", "id": "save", "off": 2_000}]


SHIPPING: list[tuple[str, list[dict[str, Any]], tuple[dict[str, Any], ...], int]] = [
    ("costs what it costs", [], (), 600),
    ("a promotion makes it free", [{"shipping": 100}], (), 0),
    ("half of it, at most 2", [{"shipping": {"off": 50, "at_most": 2}}], (), 400),
    ("the better of two", [{"shipping": 10}, {"shipping": 50}], (), 300),
    ("a benefit takes what is left", [{"shipping": 50}], ({"id": "free", "free_shipping": True},), 0),
]


@pytest.mark.parametrize(
    ("gives", "benefits", "shipping"), [case[1:] for case in SHIPPING], ids=[case[0] for case in SHIPPING]
)
def test_shipping_comes_last(gives: list[dict[str, Any]], benefits: tuple[dict[str, Any], ...], shipping: int) -> None:
    promotions = [{"id": f"p{number}", "give": give} for number, give in enumerate(gives)]
    quote = till(*promotions, benefits=benefits).quote(TEA, shipping=600, tax=50)
    assert quote.amounts == [10_000, 50, shipping]
    assert quote.payable == 10_050 + shipping


def test_lines_for_members_only_are_told_in_a_quote_and_refused_at_the_till() -> None:
    rule = {"id": "rare", "lines": "line.category = tea", "who": "tag collector"}
    shop = till(members_only=[rule])
    told = {"what": "rare", "code": "members_only", "lines": [2], "who": "tag collector"}
    assert shop.quote(CUP, TEA).skipped == [told]
    refused = shop.refused(ORDER_PAID, purchase=shop.cart(CUP, TEA))
    assert refused == Refused("members_only", {"rule": "rare", "lines": [2], "who": told["who"]})
    shop.do("member.updated", tags=["collector"])
    assert shop.quote(CUP, TEA).skipped == []
    shop.pay(CUP, TEA)


def test_items_at_member_price_can_be_left_out_of_earning() -> None:
    rule = {"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}}
    scoped = rule | {"lines": "line.priced_by != member_price"}
    shop = Till(program(benefits=[MEMBERS], earning=[scoped]))
    assert shop.quote(TEA, CUP).earns == {"points": 40}
    shop.pay(TEA, CUP)
    assert shop.balance() == 40


def test_an_order_priced_here_counts_what_was_really_paid() -> None:
    rule = {"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}}
    shop = Till(program(benefits=[FIVE], earning=[rule]))
    settled = shop.pay(TEA, CUP)
    assert settled.answer["money"] == 13_300
    assert shop.orders["o1"].amounts == [9_500, 3_800, 0, 0]
    assert shop.balance() == 133


def test_the_policy_that_decided_is_in_the_answer() -> None:
    shop = till(together="stacked", coupon_order=["first"])
    assert shop.quote(TEA).policy == {
        "together": "stacked",
        "order": ["member_price", "tier_percent", "promotion"],
        "coupon_order": ["first"],
    }
