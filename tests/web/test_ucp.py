"""A cart in the shape of the Universal Commerce Protocol, held against its published schema."""

import json
from typing import Any

import jsonschema_rs
import pytest
from pydantic import ValidationError
from ucp_sdk.models.schemas.common.loyalty import Cart as LoyaltyCart
from ucp_sdk.models.schemas.shopping.discount import Cart as DiscountCart

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.runtime.clock import now
from tests.web import ucp_schema
from tests.web.conftest import Door
from tests.web.till import TEAHOUSE, cart, endow, settled

pytestmark = pytest.mark.database

CLAIM = "com.example.tea-friends"
UCP = {"as": "ucp", "claim": CLAIM}
SHAPES = jsonschema_rs.Draft202012Validator(ucp_schema.CART, validate_formats=True)


@pytest.fixture
async def till(serve):
    async with serve(TEAHOUSE) as door:
        yield door


async def ask(door: Door, *, language: str = "en", **told: Any) -> dict[str, Any]:
    """The cart's answer, which must validate."""
    headers = {"Accept-Language": language, "Idempotency-Key": None}
    answer = await door.post("/v1/carts/quote", params=UCP, json=cart(**told), headers=headers)
    shown = await settled(answer)
    valid(answer.text)
    return shown


def valid(text: str) -> None:
    """Hold an answer against the schema: its models (which let unknown fields pass), our closed shapes, and what the
    specification states in prose."""
    LoyaltyCart.model_validate_json(text, strict=True)
    DiscountCart.model_validate_json(text, strict=True)
    shown = json.loads(text)
    SHAPES.validate(shown)
    totals = shown["totals"]
    by_type = {type_: sum(part["amount"] for part in totals if part["type"] == type_) for type_ in SUMMED}
    assert sum(part["amount"] for part in totals if part["type"] != "total") == by_type["total"]
    for line in shown["line_items"]:
        amounts = {part["type"]: part["amount"] for part in line["totals"]}
        assert amounts["subtotal"] + amounts.get("items_discount", 0) == amounts["total"]
    of_lines = [part for line in shown["line_items"] for part in line["totals"] if part["type"] == "items_discount"]
    assert by_type["items_discount"] == sum(part["amount"] for part in of_lines)
    applied = shown["discounts"]["applied"]
    assert -sum(discount["amount"] for discount in applied) == by_type["items_discount"] + by_type["discount"]
    for discount in applied:
        allocations = discount.get("allocations")
        assert allocations is None or sum(share["amount"] for share in allocations) == discount["amount"]
    for membership in shown.get("loyalty", {}).values():
        for reward in membership["rewards"]:
            forecast = reward["earning_forecast"]
            assert sum(part["amount"] for part in forecast["breakdown"]) == forecast["amount"]


SUMMED = ("items_discount", "discount", "total")


async def test_a_carts_answer_validates_against_the_ucp_loyalty_schema(till: Door):
    await endow(till, "member-5678", points=40, cash=20_00, gold=True)
    uses = {"coupons": ["ten-off"], "points": {"points": 35}, "stored_value": 10_00}
    shown = await ask(till, member="member-5678", uses=uses, shipping=6_00, tax=1_00, order_id="cart-88")
    assert shown["loyalty"] == {
        CLAIM: {
            "id": "teahouse",
            "name": "Tea Friends",
            "display_id": "****5678",
            "tiers": [
                {
                    "id": "club.gold",
                    "name": "Gold",
                    "benefits": [
                        {"id": "gold-five", "description": "5% off"},
                        {"id": "gold-ship", "description": "Ships free"},
                    ],
                }
            ],
            "rewards": [
                {
                    "currency": {"name": "Points", "code": "points", "decimal_places": 0},
                    "earning_forecast": {
                        "amount": 79,
                        "breakdown": [{"id": "base", "amount": 79, "description": "A point for every dollar"}],
                    },
                }
            ],
            "provisional": False,
        }
    }
    assert [(part["type"], part["amount"]) for part in shown["totals"]] == [
        ("subtotal", 133_33),
        ("items_discount", -19_17),
        ("discount", -6_00),
        ("fulfillment", 6_00),
        ("tax", 1_00),
        ("account_credit", -35_00),
        ("account_credit", -10_00),
        ("total", 70_16),
    ]
    assert [(discount["title"], discount.get("code"), discount.get("eligibility")) for discount in applied(shown)] == [
        ("5% off", None, CLAIM),
        ("Ware week", None, None),
        ("Ten off", "ten-off", None),
        ("Ships free", None, CLAIM),
    ]
    tea = shown["line_items"][0]
    assert tea["item"] == {"id": "tea", "title": "Green tea", "price": 50_00}


def applied(shown: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shown["discounts"]["applied"]
    return found


async def test_nothing_in_it_tells_who_the_member_is(till: Door):
    for member in ("ann", "mei.lin@example.com", "886912345678"):
        await endow(till, member, points=5)
        assert member not in json.dumps(await ask(till, member=member))
    assert "display_id" not in (await ask(till, member="ann"))["loyalty"][CLAIM]


async def test_a_guest_has_no_membership(till: Door):
    shown = await ask(till, member=None)
    assert "loyalty" not in shown
    assert [discount.get("eligibility") for discount in applied(shown)] == [None]


async def test_what_was_asked_for_in_vain_is_a_warning_and_what_would_help_an_info(till: Door):
    shown = await ask(till, member="ann", uses={"coupons": ["XMAS"], "points": {"points": 9}}, language="zh-TW")
    assert shown["discounts"]["codes"] == ["XMAS"]
    assert [(told["type"], told["code"], told.get("path")) for told in shown["messages"]] == [
        ("warning", "discount_code_invalid", "$.discounts.codes[0]"),
        ("warning", "insufficient", None),
        ("info", "spend_more", None),
    ]
    assert shown["messages"][2]["content"] == "再消費 100.00，「滿額折」即可折 20.00。"
    assert [part["display_text"] for part in shown["totals"]] == ["小計", "商品折扣", "應付金額"]


async def test_a_benefit_that_a_better_price_beats_is_told_where_the_membership_is(serve):
    ware = TEAHOUSE.replace("lines: line.category = ware", "lines: 'line.category in [ware, tea]'")
    async with serve(ware) as door:
        await endow(door, gold=True)
        shown = await ask(door, member="ann")
        (told,) = [message for message in shown["messages"] if message["type"] == "warning"]
        assert (told["code"], told["path"]) == ("membership_benefit_ineligible", f"$.loyalty['{CLAIM}']")


async def test_goods_for_members_only_are_unavailable_to_a_guest(serve):
    reserve = "\n  members_only:\n    - {id: reserve, lines: line.category = ware, who: tier(club) = gold}\n"
    async with serve(TEAHOUSE.rstrip() + reserve) as door:
        shown = await ask(door, member=None)
        (told,) = [message for message in shown["messages"] if message["type"] == "error"]
        assert (told["code"], told["severity"], told["path"]) == ("item_unavailable", "recoverable", "$.line_items[1]")


async def test_a_coupon_in_hand_is_named_as_it_was_asked_for(till: Door):
    payload = {"template": "ten", "quantity": 1}
    await till.shop.settle(Activity(of.COUPON_ISSUED, "ann", now(), "test", "issue", payload))
    headers = {"Idempotency-Key": None}
    quoted = await settled(await till.post("/v1/carts/quote", json=cart(), headers=headers))
    (coupon,) = [entry["coupon"] for entry in quoted["wallet"]]
    shown = await ask(till, uses={"coupons": [coupon]})
    assert [discount["code"] for discount in applied(shown) if not discount["automatic"]] == [coupon]


CLAIMS = [
    ({"as": "ucp"}, "missing"),
    ({"as": "ucp", "claim": "teahouse"}, "string_pattern_mismatch"),
    ({"as": "ucp", "claim": "com.Example"}, "string_pattern_mismatch"),
    ({"as": "ucp", "claim": "com.example']"}, "string_pattern_mismatch"),
    ({"as": "xml"}, "literal_error"),
]


@pytest.mark.parametrize(("asked", "code"), CLAIMS)
async def test_without_a_claim_in_reverse_domain_naming_there_is_no_such_answer(
    till: Door, asked: dict[str, str], code: str
):
    answer = await till.post("/v1/carts/quote", params=asked, json=cart(), headers={"Idempotency-Key": None})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, code)


BROKEN: list[tuple[str, Any]] = [
    ("provisional", None),
    ("rewards", [{"currency": {"name": "Points"}}]),
    ("rewards", [{"currency": {"name": "P", "code": "p"}, "earning_forecast": {"amount": -1}}]),
    ("rewards", [{"currency": {"name": "P", "code": "p"}, "earning_forecast": {"amount": 1.5}}]),
    ("tiers", [{"id": "gold"}]),
]


@pytest.mark.parametrize(("field", "value"), BROKEN)
async def test_the_check_notices_what_the_schema_forbids(till: Door, field: str, value: Any):
    shown = await ask(till)
    membership = shown["loyalty"][CLAIM]
    membership.pop(field, None)
    if value is not None:
        membership[field] = value
    with pytest.raises(ValidationError):
        LoyaltyCart.model_validate_json(json.dumps(shown), strict=True)
    assert not SHAPES.is_valid(shown)
