"""Quotes: the whole price of a cart, exact to the cent, and nothing changed by asking."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine import activity as of
from shuke.engine.activity import Line, Payments, Purchase
from shuke.engine.cart import Quote, pack_quote, unpack_quote
from shuke.engine.effects import Refused
from shuke.engine.member import Member
from shuke.engine.quote import quote
from tests.engine.till import NOON, POINTS, Till, at, program

CASH = {"id": "cash", "kind": "principal", "scale": 2}
BONUS = {"id": "bonus", "kind": "bonus", "scale": 2}
TEA = Line(100_00, 2, "tea", "tea", list_amount=100_00)
CUP = Line(33_33, 1, "cup", "ware", list_amount=33_33)


def everything(**redemption: Any) -> dict[str, Any]:
    """A program in which every part of a price takes part."""
    return program(
        assets=[POINTS | {"redemption": {"worth": 1, **redemption}}, CASH, BONUS],
        earning=[
            {"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}},
            {
                "id": "capped",
                "asset": "points",
                "give": {"fixed": 50},
                "limits": {"per_day": 20, "times_total": 100},
            },
        ],
        benefits=[
            {"id": "members", "member_prices": {"list": [{"sku": "tea", "price": 45}]}},
            {"id": "three", "percent_off": 3},
        ],
        coupons=[
            {"id": "ten", "give": {"percent": 10}, "category": "a"},
            {"id": "five", "give": {"amount_off": 5}, "category": "b"},
            {"id": "voucher", "give": {"voucher": 7}, "category": "c"},
        ],
        prices={
            "promotions": [
                {"id": "ware", "give": {"percent": "12.5"}, "lines": "line.category = ware"},
                {"id": "pair", "give": {"nth_item": {"n": 2}}, "category": "sets"},
                {"id": "save", "give": {"spend_and_save": {"table": [{"at_least": 50, "off": 3}]}}, "category": "x"},
                {"id": "ship", "give": {"shipping": 50}, "minimum_spend": 40},
            ]
        },
        stored_value={"principal": "cash", "bonus": "bonus", "offers": [{"id": "o", "pay": 20, "bonus": 5}]},
    )


EDITIONS = Till(everything()).editions


def till(document: dict[str, Any] | None = None) -> Till:
    shop = Till(document) if document else Till(editions=EDITIONS)
    shop.points(30, ends="2026-06-01T00:00")
    shop.points(40)
    shop.do(of.TOPPED_UP, id="t1", amount=20_00)
    return shop


def test_every_part_of_a_price_takes_its_place() -> None:
    shop = till()
    ids = [shop.issue(template)[0] for template in ("voucher", "ten", "five")]
    uses = Payments(coupons=ids, points={"points": 35}, stored_value=10_00)
    quote = shop.quote(TEA, CUP, uses=uses, shipping=6_00, tax=1_00)
    assert quote.list_amounts == [100_00, 33_33, 1_00, 6_00]
    assert [(applied.kind, applied.id, applied.shares) for applied in quote.applied] == [
        ("member_price", "member_price", [10_00, 0, 0, 0]),
        ("promotion", "ware", [0, 4_17, 0, 0]),
        ("promotion", "pair", [22_50, 0, 0, 0]),  # of 45, 45 and 29.16 the second
        ("promotion", "save", [2_09, 91, 0, 0]),
        ("coupon", "five", [3_49, 1_51, 0, 0]),
        ("coupon", "ten", [6_19, 2_67, 0, 0]),
        ("coupon", "voucher", [4_89, 2_11, 0, 0]),
        ("promotion", "ship", [0, 0, 0, 3_00]),
    ]
    assert quote.amounts == [50_84, 21_96, 1_00, 3_00]
    assert [(paid.asset, sum(paid.units), paid.worth) for paid in quote.paid] == [
        ("points", 35, [24_44, 10_56, 0, 0]),
        ("cash", 8_00, [5_44, 2_35, 21, 0]),
        ("bonus", 2_00, [1_36, 59, 5, 0]),
    ]
    assert quote.paid[0].lots == [[1, 30, at("2026-06-01T00:00")], [2, 5, 2**62]]
    assert quote.payable == 76_80 - 35_00 - 10_00
    assert quote.earns == {"points": 37 + 20}  # net of points; the second rule up to its limit
    assert quote.usable == {"points": {"units": 70, "worth": 70_00}}
    assert [entry["saves"] for entry in quote.wallet] == [7_00, 9_36, 5_00]
    assert unpack_quote(pack_quote(quote)) == quote


def test_what_is_quoted_is_what_is_paid_and_earned() -> None:
    shop = till()
    (id_,) = shop.issue("ten")
    uses = Payments(coupons=[id_], points={"points": 35}, stored_value=10_00)
    quote = shop.quote(TEA, CUP, uses=uses, shipping=6_00)
    settled = shop.pay(TEA, CUP, uses=uses, shipping=6_00)
    assert settled.answer["money"] == quote.payable
    assert settled.answer["earned"] == quote.earns
    assert shop.orders["o1"].amounts == quote.amounts


def test_a_rule_can_ask_which_coupons_applied() -> None:
    ten = {"id": "ten", "give": {"amount_off": 10}}
    rule = {"id": "extra", "asset": "points", "give": {"fixed": 7}, "when": "order.coupons has ten"}
    shop = Till(program(coupons=[ten], earning=[rule]))
    uses = Payments(coupons=shop.issue("ten"))
    assert shop.quote(TEA).earns == {}
    assert shop.quote(TEA, uses=uses).earns == {"points": 7}
    shop.do(of.CART_HELD, purchase=shop.cart(TEA, uses=uses), hold="h1")
    shop.do(of.ORDER_PAID, purchase=shop.cart(hold="h1"))
    assert shop.balance() == 7


COUNTED: list[tuple[str, dict[str, Any], list[int]]] = [
    ("a first order", {"give": {"fixed": 100}, "when": "orders(lifetime) = 1"}, [100, 0]),
    ("what this order brings the month to", {"give": {"fixed": 7}, "when": "spend(calendar month) >= 150"}, [0, 7]),
]


@pytest.mark.parametrize(("rule", "given"), [case[1:] for case in COUNTED], ids=[case[0] for case in COUNTED])
def test_what_a_cart_would_earn_counts_the_cart_itself(rule: dict[str, Any], given: list[int]) -> None:
    shop = Till(program(earning=[{"id": "counted", "asset": "points"} | rule]))
    for number, points in enumerate(given):
        order_id = f"o{number}"
        assert shop.quote(TEA, order_id=order_id).earns == ({"points": points} if points else {})
        assert shop.pay(TEA, order_id=order_id).answer.get("earned", {}).get("points", 0) == points


def test_fractions_that_two_rules_leave_are_quoted_together() -> None:
    half = {"asset": "points", "give": {"per": {"amount": 100, "points": 1}}}
    points = POINTS | {"carry_fractions": True}
    shop = Till(program(assets=[points], earning=[{"id": "one"} | half, {"id": "two"} | half]))
    assert shop.quote(50_00).earns == {"points": 1}
    assert shop.pay(50_00).answer["earned"] == {"points": 1}


def test_a_quote_says_which_rule_would_give_what_and_which_limit_leaves_nothing() -> None:
    shop = till()
    first = shop.quote(CUP)
    assert [(given.rule, given.asset, given.amount) for given in first.earning] == [
        ("base", "points", 29),
        ("capped", "points", 20),
    ]
    shop.pay(CUP)
    second = shop.quote(CUP, order_id="o2")
    assert second.earns == {"points": 29}
    assert second.skipped[-1] == {"what": "capped", "code": "limit_reached", "limit": "capped/day", "wanted": 50}


def test_a_guest_has_no_tier_no_value_and_earns_nothing_but_what_is_for_everybody() -> None:
    club = {"id": "club", "tiers": [{"id": "base"}, {"id": "gold", "entry": "spend(lifetime) >= 1000"}]}
    benefits = [
        {"id": "all", "percent_off": 3},
        {"id": "club", "for": {"ladder": "club", "tiers": ["base"]}, "percent_off": 10},
    ]
    earning = [{"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}}]
    code = {"id": "ten", "give": {"amount_off": 10}, "codes": "shared", "code": "TEN-OFF"}
    shop = Till(program(ladders=[club], benefits=benefits, earning=earning, coupons=[code]))
    shop.do(of.JOINED)
    member = shop.quote(TEA)
    assert (member.payable, member.earns, member.tiers) == (90_00, {"points": 90}, {"club": "base"})
    uses = Payments(coupons=["ten-off"], points={"points": 5})
    guest = quote(shop.editions, None, shop.cart(TEA, uses=uses), at=at(NOON))
    assert isinstance(guest, Quote)
    assert (guest.payable, guest.earns, guest.tiers) == (87_00, {}, {})
    assert guest.skipped[-1] == {"what": "points", "code": "insufficient", "asked": 5, "available": 0}


def test_nothing_is_priced_for_somebody_who_is_erased() -> None:
    shop = till()
    shop.do(of.ERASED, stored_value="waived")
    assert quote(EDITIONS, shop.member, shop.cart(TEA), at=at(NOON)) == Refused("member_erased", {})


def test_a_quote_knows_a_version_the_member_has_not_met() -> None:
    shop = Till(
        program(), program(assets=[POINTS | {"validity": {"inactivity": "3 days"}}]), since=[NOON, "2026-06-01T00:00"]
    )
    shop.points(30)
    shop.member.due_at = 2**62  # as settled when only the first version was known
    assert shop.quote(TEA, when="2026-06-02T00:00").usable == {}


def test_a_quote_is_made_for_somebody_who_is_new() -> None:
    shop = Till(editions=EDITIONS)
    quote = shop.quote(TEA, CUP)
    assert (quote.payable, shop.member.seq) == (sum(quote.amounts), 0)


def test_value_past_its_date_is_not_offered_though_nobody_has_swept_it() -> None:
    shop = till()
    uses = Payments(points={"points": 41})
    late = shop.quote(TEA, uses=uses, when="2026-06-01T00:00")
    assert late.skipped[-1] == {"what": "points", "code": "insufficient", "asked": 41, "available": 40}
    assert late.usable["points"]["units"] == 40
    assert shop.quote(TEA, uses=uses, when="2026-05-31T23:59").paid[0].units == [41, 0, 0]


REDEMPTIONS: list[tuple[str, dict[str, Any], int, str | None, dict[str, Any]]] = [
    ("one point is one dollar", {}, 35, None, {}),
    ("a smallest cart", {"minimum_cart": 62}, 35, "minimum_spend", {"needs": 50}),
    ("at most half of it", {"maximum_share_percent": 50}, 30, None, {}),
    ("at most half of it", {"maximum_share_percent": 50}, 31, "points_above_limit", {"asked": 31, "most": 30}),
    ("in steps", {"step": 10}, 30, None, {}),
    ("in steps", {"step": 10}, 35, "points_not_in_steps", {"asked": 35, "step": 10, "minimum": 0}),
    ("from a minimum", {"minimum": 20}, 19, "points_not_in_steps", {"asked": 19, "step": 1, "minimum": 20}),
    ("only some lines", {"lines": "line.category = book"}, 1, "nothing_to_pay", {}),
    ("more than she has", {}, 71, "insufficient", {"asked": 71, "available": 70}),
    ("less than nothing", {}, -2, "amount_invalid", {"asked": -2}),
    ("worth nothing at all", {"worth": "0.001"}, 3, "points_worth_nothing", {"asked": 3}),
]


@pytest.mark.parametrize(
    ("redemption", "asked", "code", "facts"),
    [case[1:] for case in REDEMPTIONS],
    ids=[f"{case[0]}: {case[2]}" for case in REDEMPTIONS],
)
def test_points_pay_within_their_limits_or_say_why_not(
    redemption: dict[str, Any], asked: int, code: str | None, facts: dict[str, Any]
) -> None:
    points = POINTS | {"redemption": {"worth": 1, **redemption}}
    shop = Till(program(assets=[points]))
    shop.points(70)
    uses = Payments(points={"points": asked})
    quote = shop.quote(Line(61_50), uses=uses)
    cart = shop.cart(Line(61_50), uses=uses)
    if code is None:
        assert quote.payable == 61_50 - 100 * asked
        shop.do(of.ORDER_PAID, purchase=cart)
        return
    assert quote.skipped == [{"what": "points", "code": code, **facts}]
    assert quote.payable == 61_50
    refused = shop.refused(of.ORDER_PAID, purchase=cart)
    if code == "insufficient":
        assert refused == Refused("insufficient", {"asset": "points", **facts})
    else:
        assert refused == Refused("points_not_applicable", {"asset": "points", "reason": code, **facts})


def test_as_many_points_as_possible_can_be_asked_for() -> None:
    points = POINTS | {"redemption": {"worth": 1, "maximum_share_percent": 50, "step": 10}}
    shop = Till(program(assets=[points]))
    shop.points(70)
    assert sum(shop.quote(Line(61_50), uses=Payments(points={"points": -1})).paid[0].units) == 30
    none = shop.quote(Line(1_50), uses=Payments(points={"points": -1}))
    assert (none.payable, none.skipped[-1]["code"]) == (1_50, "nothing_to_pay")


def test_an_asset_nobody_knows_pays_nothing() -> None:
    shop = till()
    assert shop.quote(TEA, uses=Payments(points={"shells": 1})).skipped[-1]["code"] == "asset_unknown"
    assert shop.quote(TEA, uses=Payments(points={"cash": 1})).skipped[-1]["code"] == "not_spendable"


def test_a_cart_of_nothing_has_no_price() -> None:
    member = Member("m1", 0)
    for cart, refused in (
        (Purchase("o1", []), Refused("cart_empty", {})),
        (Purchase("o1", [Line(5, quantity=0)]), Refused("amount_invalid", {"amount": -1})),
        (Purchase("o1", [Line(5)], shipping=-3), Refused("amount_invalid", {"amount": -3})),
    ):
        assert quote(EDITIONS, member, cart, at=at(NOON)) == refused


@given(
    st.lists(
        st.tuples(st.integers(0, 200_00), st.integers(1, 5), st.sampled_from(["tea", "cup", "x"])),
        min_size=1,
        max_size=6,
    ),
    st.lists(st.sampled_from(["ten", "five", "voucher"]), unique=True),
    st.sampled_from([0, -1]),
    st.sampled_from([0, -1]),
    st.tuples(st.integers(0, 9_00), st.integers(0, 9_00)),
)
def test_nothing_is_below_zero_and_everything_sums_to_the_cent(
    told: list[tuple[int, int, str]], coupons: list[str], points: int, cash: int, extra: tuple[int, int]
) -> None:
    shop = till()
    ids = [shop.issue(template)[0] for template in coupons]
    lines = [Line(price, quantity, sku, "ware" if sku == "cup" else None) for price, quantity, sku in told]
    uses = Payments(coupons=ids, points={"points": points}, stored_value=cash)
    found = shop.quote(*lines, uses=uses, tax=extra[0], shipping=extra[1])
    _sums(found)
    skipped = {entry["what"] for entry in found.skipped}
    uses = Payments(
        coupons=[id_ for id_ in ids if id_ not in skipped],
        points={"points": points} if "points" not in skipped else {},
        stored_value=cash,
    )
    settled = shop.pay(*lines, uses=uses, tax=extra[0], shipping=extra[1])
    assert settled.answer["money"] == found.payable
    assert settled.answer.get("earned", {}) == found.earns


def _sums(found: Quote) -> None:
    for position, price in enumerate(found.list_amounts):
        off = sum(applied.shares[position] for applied in found.applied)
        paid = sum(part.worth[position] for part in found.paid)
        assert found.amounts[position] == price - off >= paid >= 0
    for applied in found.applied:
        assert sum(applied.shares) == applied.amount > 0
    for part in found.paid:
        assert sum(part.units) == sum(lot[1] for lot in part.lots)
        assert min(part.units) >= 0
    assert found.payable == sum(found.amounts) - sum(sum(part.worth) for part in found.paid) >= 0
