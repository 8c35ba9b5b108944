"""The chapter of prices and its discounts: what may be written, and what is refused."""

from typing import Any

import pytest
from pydantic import ValidationError

from shuke.program.chapter import Chapter
from shuke.program.discounts import Discount
from shuke.program.prices import Prices, Promotion


def refusal(chapter: type[Chapter], data: Any) -> str:
    """What is said of data that is no such chapter."""
    with pytest.raises(ValidationError) as refused:
        chapter.model_validate(data)
    return "; ".join(str(error["msg"]) for error in refused.value.errors())


DISCOUNTS: list[tuple[dict[str, Any], str]] = [
    ({"amount_off": 10}, "amount_off"),
    ({"amount_off": "0.5"}, "amount_off"),
    ({"amount_off_each": 10}, "amount_off_each"),
    ({"percent": 10}, "percent"),
    ({"percent": {"off": "12.5", "at_most": 50}}, "percent"),
    ({"fixed_price": 0}, "fixed_price"),
    ({"nth_item": {"n": 2}}, "nth_item"),
    ({"buy_get": {"buy": 2, "lines": "line.category = gift"}}, "buy_get"),
    ({"spend_and_save": {"table": [{"at_least": 300, "off": 30}], "repeat": True}}, "spend_and_save"),
    ({"exchange": {}}, "exchange"),
    ({"gift": 1}, "gift"),
    ({"shipping": 100}, "shipping"),
    ({"voucher": 50}, "voucher"),
    ({"percent": 10, "gift": None}, "percent"),
]


@pytest.mark.parametrize(("data", "kind"), DISCOUNTS)
def test_a_discount_is_of_one_kind_and_reads_back_as_written(data: dict[str, Any], kind: str) -> None:
    discount = Discount.model_validate(data)
    assert discount.kind == kind
    written = discount.model_dump(mode="json", exclude_unset=True)
    assert Discount.model_validate(written) == discount


NO_DISCOUNT: list[tuple[dict[str, Any], str]] = [
    ({}, "Say exactly one of"),
    ({"amount_off": 1, "percent": 1}, "Say exactly one of"),
    ({"amount_off": 0}, "greater than 0"),
    ({"amount_off": 1.5}, "whole number or a decimal"),
    ({"percent": 101}, "less than or equal to 100"),
    ({"percent": 0}, "greater than 0"),
    ({"nth_item": {"n": 1}}, "greater than or equal to 2"),
    ({"gift": 0}, "greater than or equal to 1"),
    ({"spend_and_save": {"table": []}}, "at least 1 item"),
    ({"spend_and_save": {"table": [{"at_least": 2, "off": 1}, {"at_least": 1, "off": 1}]}}, "lowest amount"),
    (
        {"spend_and_save": {"table": [{"at_least": 1, "off": 1}, {"at_least": 2, "off": 1}], "repeat": True}},
        "A table that repeats has one step",
    ),
    ({"buy_get": {"buy": 1, "lines": "line.category ="}}, ""),
]


@pytest.mark.parametrize(("data", "said"), NO_DISCOUNT)
def test_what_is_no_discount_is_refused(data: dict[str, Any], said: str) -> None:
    assert said in refusal(Discount, data)


def test_a_voucher_is_no_promotion() -> None:
    assert "write it under coupons" in refusal(Promotion, {"id": "v", "give": {"voucher": 5}})


ORDERS: list[list[str]] = [[], ["member_price"], ["member_price", "member_price", "promotion"], ["magic"]]


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_of_prices_names_each_source_once(order: list[str]) -> None:
    assert refusal(Prices, {"order": order})
    assert Prices.model_validate({"order": ["promotion", "tier_percent", "member_price"]}).order[0] == "promotion"
