"""What each kind of discount takes off the lines of a cart: by position, in cents."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.activity import Line
from shuke.engine.discounts import CompiledDiscount
from shuke.engine.names import Names
from shuke.program.conditions import Vocabulary
from shuke.program.discounts import Discount
from shuke.values.amounts import Rounding
from tests.engine.turns import turn_on

NAMES = Names(Vocabulary(currency_scale=2))
CHEAP, DEAR, PAIR = Line(1000), Line(3000), Line(4000, 2)  # one for 10, one for 30, two for 20 each
GIFT = Line(500, category="gift")


def taken(discount: dict[str, Any], *lines: Line, scope: list[int] | None = None) -> list[int]:
    compiled = CompiledDiscount(Discount.model_validate(discount), rounding=Rounding.HALF_UP, names=NAMES)
    assert compiled.reduce is not None
    off = compiled.reduce(turn_on("2026-05-01"), list(lines), scope if scope is not None else list(range(len(lines))))
    return [off.get(position, 0) for position in range(len(lines))]


CASES = [
    ("amount off is spread by price and sums exactly", {"amount_off": 10}, (CHEAP, DEAR, PAIR), [125, 375, 500]),
    ("amount off never exceeds the price", {"amount_off": 100}, (CHEAP, DEAR), [1000, 3000]),
    ("amount off each counts items", {"amount_off_each": 3}, (CHEAP, PAIR), [300, 600]),
    ("amount off each stops at nothing", {"amount_off_each": 12}, (CHEAP, PAIR), [1000, 2400]),
    ("percent rounds what is paid half up", {"percent": 15}, (Line(333), Line(1000)), [50, 150]),
    ("percent with a cap", {"percent": {"off": 50, "at_most": 10}}, (CHEAP, DEAR), [250, 750]),
    ("percent of everything", {"percent": 100}, (CHEAP, DEAR), [1000, 3000]),
    ("fixed price where it is less", {"fixed_price": 15}, (CHEAP, DEAR, PAIR), [0, 1500, 1000]),
    ("second item at half price, the cheaper one", {"nth_item": {"n": 2}}, (CHEAP, DEAR), [500, 0]),
    ("second item within a line", {"nth_item": {"n": 2}}, (PAIR,), [1000]),
    (
        "second item over three lines, dearest first",
        {"nth_item": {"n": 2, "percent_off": 100}},
        (CHEAP, DEAR, PAIR),
        [1000, 0, 2000],
    ),
    ("third of two is none", {"nth_item": {"n": 3}}, (CHEAP, DEAR), [0, 0]),
    ("buy two get the cheapest", {"buy_get": {"buy": 2}}, (CHEAP, DEAR, Line(2000)), [1000, 0, 0]),
    (
        "buy two get one of another kind",
        {"buy_get": {"buy": 2, "lines": "line.category = gift"}},
        (PAIR, GIFT, CHEAP),
        [0, 500, 0],
    ),
    ("spend and save below the table", {"spend_and_save": {"table": [{"at_least": 50, "off": 5}]}}, (DEAR,), [0]),
    (
        "spend and save takes the highest step",
        {"spend_and_save": {"table": [{"at_least": 30, "off": 5}, {"at_least": 40, "off": 8}]}},
        (CHEAP, DEAR),
        [200, 600],
    ),
    (
        "every 10 takes 1, again and again",
        {"spend_and_save": {"table": [{"at_least": 10, "off": 1}], "repeat": True}},
        (Line(3500),),
        [300],
    ),
    ("a gift is the cheapest item", {"gift": 1}, (DEAR, CHEAP), [0, 1000]),
    ("two gifts", {"gift": 2}, (DEAR, PAIR), [0, 4000]),
    ("an exchange takes the dearest item", {"exchange": {"price": 1}}, (CHEAP, DEAR), [0, 2900]),
    ("an exchange never costs more than the item", {"exchange": {"price": 99}}, (CHEAP,), [0]),
]


@pytest.mark.parametrize(("discount", "lines", "off"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_kind_takes_off_what_it_says(discount: dict[str, Any], lines: tuple[Line, ...], off: list[int]) -> None:
    assert taken(discount, *lines) == off


KINDS: list[dict[str, Any]] = [
    *(case[1] for case in CASES),
    {"percent": Decimal("33.3")},
    {"buy_get": {"buy": 3, "get": 2, "percent_off": Decimal("12.5")}},
]


@given(
    st.sampled_from(KINDS),
    st.lists(st.tuples(st.integers(0, 100_000), st.integers(1, 9)), min_size=1, max_size=8),
)
def test_no_discount_takes_more_than_a_line_costs(discount: dict[str, Any], told: list[tuple[int, int]]) -> None:
    lines = [Line(amount, quantity) for amount, quantity in told]
    off = taken(discount, *lines)
    assert all(0 <= part <= line.amount for part, line in zip(off, lines, strict=True))


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=8), st.integers(1, 300_000))
def test_an_amount_off_is_all_taken_or_as_much_as_there_is(prices: list[int], cents: int) -> None:
    off = taken({"amount_off": Decimal(cents) / 100}, *(Line(price) for price in prices))
    assert sum(off) == min(cents, sum(prices))
