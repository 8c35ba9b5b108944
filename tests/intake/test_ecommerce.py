"""E-commerce events by Segment's specification become orders, refunds and cancellations: field by field."""

import re
from pathlib import Path
from typing import Any

import pytest

from shuke.engine.activity import Line, Payments, Purchase
from shuke.engine.step import ACTS
from shuke.intake.ecommerce import BROWSING_EVENTS, FIRST_VERSION, ORDER_EVENTS, Money, purchase_of, refund_of
from shuke.intake.tracking import slug_of
from shuke.replay.history.checks import Refusal

USD = Money("USD", 2)

# The example of the specification, its numbers with fractions as text, as the door reads them.
EXAMPLE: dict[str, Any] = {
    "checkout_id": "fksdjfsdjfisjf9sdfjsd9f",
    "order_id": "50314b8e9bcf000000000000",
    "affiliation": "Google Store",
    "total": "27.50",
    "subtotal": "22.50",
    "revenue": "25.00",
    "shipping": 3,
    "tax": 2,
    "discount": "2.5",
    "coupon": "hasbros",
    "currency": "USD",
    "products": [
        {
            "product_id": "507f1f77bcf86cd799439011",
            "sku": "45790-32",
            "name": "Monopoly: 3rd Edition",
            "price": 19,
            "quantity": 1,
            "category": "Games",
            "url": "https://www.example.com/product/path",
            "image_url": "https://www.example.com/product/path.jpg",
        },
        {
            "product_id": "505bd76785ebb509fc183733",
            "sku": "46493-32",
            "name": "Uno Card Game",
            "price": 3,
            "quantity": 2,
            "category": "Games",
        },
    ],
}


def order(**told: Any) -> Purchase:
    return purchase_of({"order_id": "1", **told}, USD)


def test_the_example_of_the_specification_becomes_an_order_to_the_cent():
    assert purchase_of(EXAMPLE, USD) == Purchase(
        "50314b8e9bcf000000000000",
        [
            Line(
                1710, 1, "45790-32", "Games", None, 1900, None,
                {"product_id": "507f1f77bcf86cd799439011", "name": "Monopoly: 3rd Edition"},
            ),
            Line(
                540, 2, "46493-32", "Games", None, 600, None,
                {"product_id": "505bd76785ebb509fc183733", "name": "Uno Card Game"},
            ),
        ],
        store="Google Store",
        tax=200,
        shipping=300,
        uses=Payments(coupons=["hasbros"]),
    )  # fmt: skip


TWO = [{"sku": "a", "price": "10.00"}, {"sku": "b", "price": 5, "quantity": 2}]

GOODS = [
    ({"subtotal": 18, "total": 99}, [900, 900]),  # a subtotal says it
    ({"total": 23, "tax": 2, "shipping": 3}, [900, 900]),  # a total less what is no goods
    ({"revenue": 20, "discount": 2}, [900, 900]),  # revenue is before discounts, as in the specification's example
    ({"revenue": "18.00"}, [900, 900]),
    ({"discount": "2"}, [900, 900]),  # the prices themselves
    ({}, [1000, 1000]),
    ({"subtotal": "0.01"}, [1, 0]),  # nothing is lost in the division
    ({"subtotal": 0}, [0, 0]),
    ({"subtotal": "20.00000000000000355"}, [1000, 1000]),  # a binary fraction that JavaScript summed up
    ({"total": "30"}, [1500, 1500]),  # gift wrapping
]


@pytest.mark.parametrize(("totals", "amounts"), GOODS)
def test_what_the_goods_cost_is_the_first_total_that_is_told_spread_over_the_lines(totals: dict, amounts: list[int]):
    lines = order(products=TWO, **totals).lines
    assert [line.amount for line in lines] == amounts
    assert [line.list_amount for line in lines] == [1000 if amount < 1000 else None for amount in amounts]


def test_an_order_without_products_is_one_line_and_one_without_prices_is_spread_by_quantity():
    assert order(total=12).lines == [Line(1200)]
    by_quantity = order(total=12, products=[{"sku": "a", "quantity": 3}, {"sku": "b"}]).lines
    assert [line.amount for line in by_quantity] == [900, 300]


PRODUCTS = [
    ({"sku": "s", "product_id": "p"}, {"sku": "s", "attributes": {"product_id": "p"}}),
    ({"product_id": 77}, {"sku": "77", "attributes": {"product_id": 77}}),
    ({"category": "Games", "brand": "Hasbro"}, {"category": "Games", "brand": "Hasbro"}),
    ({"variant": "blue", "coupon": "MAY"}, {"attributes": {"variant": "blue", "coupon": "MAY"}}),
    ({"position": 3, "url": "https://…", "image_url": "https://…"}, {"attributes": None}),
    ({"roast": "dark", "organic": True, "notes": {"x": 1}}, {"attributes": {"roast": "dark", "organic": True}}),
    ({"tags": ["sale", 7, "new"]}, {"tags": ["sale", "new"]}),
    ({"quantity": "2"}, {"quantity": 2}),
    ({"quantity": "2.0"}, {"quantity": 2}),
    ({"quantity": "0.5"}, {"quantity": 1, "attributes": {"quantity": "0.5"}, "amount": 500}),  # half a kilogram
]


@pytest.mark.parametrize(("product", "expected"), PRODUCTS)
def test_a_product_becomes_a_line(product: dict, expected: dict):
    [line] = order(products=[{"price": 10, **product}]).lines
    assert {name: getattr(line, name) for name in expected} == expected


def test_channel_store_and_payment_are_read_where_they_are_told():
    told = order(total=1, channel="app", affiliation="Google Store", store="Taipei 1", payment_method="Visa")
    assert (told.channel, told.store, told.payment) == ("app", "Taipei 1", "Visa")


WRONG = [
    ({"order_id": None}, "missing"),
    ({"order_id": "x" * 201}, "too_long"),
    ({"order_id": True}, "missing"),
    ({"currency": "TWD"}, "other_currency"),
    ({"total": "12,50"}, "not_an_amount"),
    ({"total": "$12"}, "not_an_amount"),
    ({"total": -1}, "not_an_amount"),
    ({"total": True}, "not_an_amount"),
    ({"total": {}}, "not_an_amount"),
    ({"total": "1e99"}, "not_an_amount"),
    ({"total": "9" * 10_000}, "not_an_amount"),
    ({"total": 1, "shipping": 2}, "not_an_amount"),
    ({"revenue": 1, "discount": 2}, "not_an_amount"),
    ({"products": {"sku": "a"}}, "wrong_type"),
    ({"products": ["a"]}, "wrong_type"),
    ({"products": [{"price": 1, "quantity": 0}]}, "not_a_quantity"),
    ({"products": [{"price": 1, "quantity": 1_000_001}]}, "not_a_quantity"),
]


@pytest.mark.parametrize(("told", "code"), WRONG)
def test_an_order_that_cannot_be_read_says_why(told: dict, code: str):
    with pytest.raises(Refusal) as refused:
        order(**told)
    assert refused.value.code == code


def test_a_currency_without_decimals_is_rounded_half_up():
    assert purchase_of({"order_id": "1", "subtotal": "99.5"}, Money("TWD", 0)).lines == [Line(100)]


THREE = Purchase("1", [Line(1000, 1, "a"), Line(900, 3, "b"), Line(500, 1, "a")], tax=100, shipping=300)

REFUNDS = [
    ({}, {}),
    ({"products": []}, {}),
    ({"total": 28}, {}),
    ({"total": 30}, {}),  # the specification's example refunds more than it sold: all there is
    ({"total": 10}, {"amount": 1000}),
    ({"revenue": "9.99"}, {"amount": 999}),
    ({"products": [{"sku": "b"}]}, {"lines": [{"line": 2}]}),
    ({"products": [{"sku": "b", "quantity": 1}]}, {"lines": [{"line": 2, "quantity": 1}]}),
    ({"products": [{"sku": "a"}, {"sku": "a"}]}, {"lines": [{"line": 1}, {"line": 3}]}),
    ({"products": [{"sku": "b"}], "shipping": 3, "tax": 0}, {"lines": [{"line": 2}], "shipping": 300}),
    ({"products": [{"sku": "a"}, {"sku": "b", "quantity": 3}, {"sku": "a"}]}, {}),
    (
        {"products": [{"sku": "a"}, {"sku": "b", "quantity": 2}, {"sku": "a"}]},
        {"lines": [{"line": 1}, {"line": 2, "quantity": 2}, {"line": 3}]},
    ),
    (  # all goods, but shipping stays paid
        {"products": [{"sku": "a"}, {"sku": "b"}, {"sku": "a"}], "total": 25, "tax": 1},
        {"lines": [{"line": 1}, {"line": 2}, {"line": 3}], "tax": 100},
    ),
]


@pytest.mark.parametrize(("told", "expected"), REFUNDS)
def test_a_refund_is_of_lines_of_an_amount_or_of_all_that_is_left(told: dict, expected: dict):
    assert refund_of({"order_id": "1", **told}, USD, THREE) == {"order_id": "1", **expected}


def test_a_product_is_found_by_its_product_id_too():
    told = purchase_of(EXAMPLE, USD)
    products = [{"product_id": "505bd76785ebb509fc183733", "quantity": 1}]
    assert refund_of({"order_id": told.order_id, "products": products}, USD, told)["lines"] == [
        {"line": 2, "quantity": 1}
    ]


UNKNOWN = [
    ({}, {}),
    ({"total": 10}, {"amount": 1000}),
    ({"products": [{"sku": "a", "price": 3, "quantity": 2}]}, {"amount": 600}),
]


@pytest.mark.parametrize(("told", "expected"), UNKNOWN)
@pytest.mark.parametrize("purchase", [None, Purchase("1", [])])
def test_parts_of_an_order_whose_lines_are_not_known_come_back_by_amount(
    told: dict, expected: dict, purchase: Purchase | None
):
    assert refund_of({"order_id": "1", **told}, USD, purchase) == {"order_id": "1", **expected}


def test_parts_that_nobody_can_tell_are_not_taken_for_the_whole():
    for purchase, code in ((None, "lines_unknown"), (THREE, "product_unknown")):
        with pytest.raises(Refusal) as refused:
            refund_of({"order_id": "1", "products": [{"sku": "z"}]}, USD, purchase)
        assert refused.value.code == code


def test_the_tables_know_each_event_once_and_never_take_browsing_for_an_act_of_the_engine():
    assert set(ORDER_EVENTS.values()) <= set(ACTS)
    assert not set(BROWSING_EVENTS.values()) & set(ACTS)
    assert not set(BROWSING_EVENTS) & set(ORDER_EVENTS)
    assert len(set(BROWSING_EVENTS.values())) == len(BROWSING_EVENTS)
    assert set(FIRST_VERSION.values()) <= set(ORDER_EVENTS) | set(BROWSING_EVENTS)


def test_the_page_for_integrators_has_the_very_table():
    page = Path(__file__).parents[2].joinpath("docs", "reference", "tracking.md").read_text("utf-8")
    rows = re.findall(r"^\| ([A-Z][A-Za-z ]+) \| `([a-z_.]+)` \|$", page, re.MULTILINE)
    assert {slug_of(event): type_ for event, type_ in rows} == ORDER_EVENTS | BROWSING_EVENTS
