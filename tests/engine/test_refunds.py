"""Refunds: parts in any order end where one full refund ends, and every part returns to where it came from."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine import activity as of
from shuke.engine.activity import Line, Payments
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused
from shuke.engine.member import pack, unpack
from shuke.engine.orders import Order, unpack_order
from shuke.engine.orders import pack_order as packed
from tests.engine.till import POINTS, Till, at, program

CASH = {"id": "cash", "kind": "principal", "scale": 2}
BONUS = {"id": "bonus", "kind": "bonus", "scale": 2}
BASE = {"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}}
TEA = {"id": "tea", "asset": "points", "give": {"per": {"amount": 3, "points": 1}}, "lines": "line.category = tea"}
DOUBLE = {"id": "double", "asset": "points", "give": {"multiply": {"by": "1.5"}}, "lines": "line.category = ware"}
PER_ITEM = {"id": "items", "asset": "points", "give": {"per_item": 2}}
COUNTED = {
    "id": "counted",
    "asset": "points",
    "on": "counted",
    "give": {"fixed": 1},
    "when": "spend(12 months) > 1 and orders(12 months) > 1 and items(12 months) > 1 and earned(points, 12 months) > 1",
}
TEN = {"id": "ten", "give": {"amount_off": 10}, "limits": {"redeemed_total": 9}}
VOUCHER = {"id": "voucher", "give": {"voucher": 25}, "category": "voucher"}
DOCUMENT: dict[str, Any] = program(
    assets=[POINTS, CASH, BONUS],
    earning=[BASE, TEA, DOUBLE, PER_ITEM, COUNTED],
    coupons=[TEN, VOUCHER],
    stored_value={"principal": "cash", "bonus": "bonus", "offers": [{"id": "o", "pay": 50, "bonus": 10}]},
)
SOON = "2026-05-20T12:00"


EDITIONS = Till(DOCUMENT).editions
BY_CLAWBACK = {
    policy: Till(DOCUMENT | {"assets": [POINTS | {"clawback": policy}, CASH, BONUS]}).editions
    for policy in ("debt", "forgive", "refund")
}


def till(editions: Editions = EDITIONS) -> Till:
    """A member with two lots of points (30 and 40) and stored value of 50 + 10."""
    shop = Till(editions=editions)
    shop.points(30, ends="2026-07-01T00:00", when="2026-04-01T12:00")
    shop.points(40, ends="2026-09-01T00:00", when="2026-04-02T12:00")
    shop.do(of.TOPPED_UP, id="t1", amount=50_00)
    return shop


def bought(*lines: Line, shipping: int = 0, tax: int = 0, shop: Till | None = None, **uses: Any) -> Till:
    """A shop in which the member has paid the order ``o1``."""
    shop = shop or till()
    ids = [id_ for template in uses.pop("coupons", ()) for id_ in shop.issue(template)]
    using = Payments(coupons=ids, **uses)
    shop.pay(*lines, uses=using, shipping=shipping, tax=tax)
    return shop


LINES = (Line(40_00, 3, "t", "tea"), Line(25_01, 1, "c", "ware"), Line(33_33, 7, "x"))
EVERYTHING: dict[str, Any] = {
    "coupons": ["ten", "voucher"],
    "points": {"points": 33},
    "stored_value": 17_77,
    "shipping": 5_00,
    "tax": 1_00,
}


def final(shop: Till) -> tuple[bytes, bytes, dict[str, dict[str, int]]]:
    """All that must not depend on how the refund was cut: the member, the order, every account."""
    accounts = {asset: shop.accounts(asset) for asset in ("points", "cash", "bonus")}
    order = unpack_order(packed(shop.orders["o1"]))
    order.status, order.returned = "", None
    beyond: dict[int, int] = {}
    for award in order.awards:  # awards that share a lot may have taken turns in using it up
        for part in award.beyond:
            beyond[part.no] = beyond.get(part.no, 0) + part.amount
        beyond[0] = beyond.get(0, 0) + award.short
        award.beyond, award.short = [], 0
    taken = {"beyond": {str(no): amount for no, amount in sorted(beyond.items())}}
    return shop.state(), packed(order), taken | {name: _nonzero(found) for name, found in accounts.items()}


def _nonzero(found: dict[str, int]) -> dict[str, int]:
    return {account: amount for account, amount in sorted(found.items()) if amount}


@st.composite
def carts(draw: st.DrawFn) -> tuple[list[Line], dict[str, Any]]:
    """A cart, and what pays for it."""
    prices = draw(st.lists(st.tuples(st.integers(0, 60_00), st.integers(1, 4)), min_size=1, max_size=4))
    categories = st.sampled_from(["tea", "ware", None])
    lines = [Line(price, quantity, f"s{i}", draw(categories)) for i, (price, quantity) in enumerate(prices)]
    total = sum(price for price, _ in prices)
    uses: dict[str, Any] = {"shipping": draw(st.integers(0, 5_00)), "tax": draw(st.integers(0, 2_00))}
    if total > 40_00 and draw(st.booleans()):
        uses["coupons"] = draw(st.sampled_from([["ten"], ["voucher"], ["ten", "voucher"]]))
        total -= 35_00
    if total > 1_00 and draw(st.booleans()):
        uses["points"] = {"points": draw(st.integers(1, min(70, total // 1_00)))}
        total -= 100 * uses["points"]["points"]
    if total > 0 and draw(st.booleans()):
        uses["stored_value"] = draw(st.integers(1, min(60_00, total)))
    return lines, uses


def refund_in_parts(shop: Till, data: st.DataObject) -> int:
    """Refund the order piece by piece until nothing is left; the money given back in all."""
    money = 0
    for _ in range(12):
        order = shop.orders["o1"]
        left = [whole - back for whole, back in zip(order.full(), order.refunded or [0] * 99, strict=False)]
        if not any(left):
            return money
        money += shop.refund(**data.draw(a_part(order, left))).answer["money"]
    order = shop.orders["o1"]
    if order.refunded != order.full():
        money += shop.refund().answer["money"]
    return money


@st.composite
def a_part(draw: st.DrawFn, order: Order, left: list[int]) -> dict[str, Any]:
    """A refund of some amount, of some lines, of a line in part, or of shipping and tax."""
    kind = draw(st.sampled_from(["amount", "lines", "part", "rest"]))
    if kind == "amount":
        return {"amount": draw(st.integers(1, sum(left)))}
    lines = [i for i, amount in enumerate(left[:-2]) if amount]
    if kind == "lines" and lines:
        chosen = draw(st.lists(st.sampled_from(lines), min_size=1, unique=True))
        return {"lines": [{"line": i + 1} for i in chosen]}
    if kind == "part" and lines:
        i = draw(st.sampled_from(lines))
        return {"lines": [{"line": i + 1, "amount": draw(st.integers(1, left[i]))}]}
    return {"lines": [], "tax": left[-2], "shipping": left[-1]} if any(left[-2:]) else {"amount": 1}


@given(carts(), st.integers(0, 80), st.sampled_from(sorted(BY_CLAWBACK)), st.data())
def test_parts_in_any_order_end_where_one_full_refund_ends(
    cart: tuple[list[Line], dict[str, Any]], spent: int, policy: str, data: st.DataObject
) -> None:
    lines, uses = cart
    whole, parts = (bought(*lines, shop=till(BY_CLAWBACK[policy]), **uses) for _ in range(2))
    for shop in (whole, parts):  # some of the points are spent elsewhere before anything comes back
        if 0 < spent <= shop.balance():
            shop.do(of.ASSET_SPENT, asset="points", amount=spent)
    whole_money = whole.refund(when=SOON).answer["money"] if any(whole.orders["o1"].full()) else 0
    assert refund_in_parts(parts, data) == whole_money
    assert final(parts) == final(whole)


def test_money_back_in_parts_is_exactly_the_money_paid() -> None:
    shop = bought(*LINES, **EVERYTHING)
    order = shop.orders["o1"]
    money = order.total() - sum(sum(part.worth) for part in order.paid)
    back = [shop.refund(lines=[{"line": number}], when=SOON).answer["money"] for number in (2, 3, 1)]
    back.append(shop.refund(tax=1_00, shipping=5_00, lines=[], when=SOON).answer["money"])
    assert sum(back) == money


def test_money_refunded_never_includes_what_points_coupons_and_stored_value_paid() -> None:
    shop = bought(*LINES, **EVERYTHING)
    goods = 40_00 + 25_01 + 33_33
    settled = shop.refund(when=SOON)
    assert settled.answer["money"] == goods + 6_00 - 35_00 - 33_00 - 17_77
    assert settled.answer["returned"] == {"points": 33, "cash": 14_81, "bonus": 2_96}
    assert shop.balance() == 70
    assert (shop.balance("cash"), shop.balance("bonus")) == (50_00, 10_00)
    assert sorted(coupon.template for coupon in shop.member.coupons.values()) == ["ten", "voucher"]
    assert shop.taken == {"coupon/ten/redeemed": 0}


def test_lots_get_back_what_they_gave_with_their_dates() -> None:
    shop = till()
    before = unpack(pack(shop.member)).purses["points"].lots
    bought(Line(100_00), shop=shop, points={"points": 50})
    assert [lot.amount for lot in shop.orders["o1"].paid[0].lots] == [30, 20]
    shop.refund(lines=[{"line": 1, "amount": 50_00}], when=SOON)
    assert [(lot.no, lot.amount) for lot in shop.member.purses["points"].lots if lot.no < 3] == [(1, 5), (2, 40)]
    shop.refund(when=SOON)
    assert shop.member.purses["points"].lots == before


PAST_DATE: list[tuple[str, int]] = [("expire", 20), ("renew", 50)]


@pytest.mark.parametrize(("policy", "kept"), PAST_DATE)
def test_a_lot_past_its_date_comes_back_as_the_policy_says(policy: str, kept: int) -> None:
    asset = POINTS | {"restored_after_expiry": policy, "validity": {"after": "12 months"}}
    shop = Till(program(assets=[asset]))
    shop.points(30, ends="2026-05-02T00:00")
    shop.points(20, ends="2026-09-01T00:00")
    bought(Line(100_00), shop=shop, points={"points": 50})
    shop.refund(when=SOON)
    assert shop.balance() == kept
    assert shop.accounts("points").get("expired", 0) == 50 - kept


def test_points_earned_and_spent_elsewhere_leave_a_debt_that_the_next_earnings_pay() -> None:
    shop = Till(program(earning=[BASE]))
    shop.pay(Line(50_00))
    shop.do(of.ASSET_SPENT, asset="points", amount=45)
    shop.refund(when=SOON)
    assert (shop.balance(), shop.member.purses["points"].debt) == (0, 45)
    shop.pay(Line(60_00), order_id="o2", when=SOON)
    assert (shop.balance(), shop.member.purses["points"].debt) == (15, 0)


OTHER_POLICIES: list[tuple[str, int, int]] = [("forgive", 50_00, 0), ("refund", 5_00, 0), ("debt", 50_00, 45)]


@pytest.mark.parametrize(("policy", "money", "debt"), OTHER_POLICIES)
def test_or_what_is_missing_is_forgiven_or_withheld(policy: str, money: int, debt: int) -> None:
    shop = Till(program(assets=[POINTS | {"clawback": policy}], earning=[BASE]))
    shop.pay(Line(50_00))
    shop.do(of.ASSET_SPENT, asset="points", amount=45)
    assert shop.refund(when=SOON).answer["money"] == money
    assert (shop.balance(), shop.member.purses["points"].debt) == (0, debt)


def test_points_are_taken_back_as_they_were_given_whatever_the_program_says_now() -> None:
    richer = program(earning=[BASE | {"give": {"per": {"amount": 1, "points": 2}}}])
    gone = program()
    froms = ["2026-01-01T00:00", "2026-05-02T00:00", "2026-05-10T00:00"]
    for when in ("2026-05-03T12:00", "2026-05-11T12:00"):
        shop = Till(program(earning=[BASE]), richer, gone, since=froms)
        shop.points(100)
        shop.pay(Line(50_00))
        assert shop.balance() == 150
        shop.refund(when=when)
        assert shop.balance() == 100


# -- Coupons ----------------------------------------------------------------------------------------------

COUPONS: list[tuple[str, dict[str, Any], str | None]] = [
    ("restored with its dates", {}, "2026-06-01T00:00"),
    ("forfeit", {"on_refund": "forfeit"}, None),
    ("past its date: expired", {"valid": {"until": "2026-05-10"}}, None),
    (
        "past its date: renewed",
        {"valid": {"until": "2026-05-10"}, "restored_after_expiry": "renew", "renewed_for": "3 days"},
        "2026-05-24T00:00",
    ),
]


@pytest.mark.parametrize(("terms", "until"), [case[1:] for case in COUPONS], ids=[case[0] for case in COUPONS])
def test_a_coupon_comes_back_as_its_template_says(terms: dict[str, Any], until: str | None) -> None:
    template = {"id": "ten", "give": {"amount_off": 10}, "valid": {"until": "2026-05-31"}} | terms
    shop = bought(Line(50_00), Line(20_00), shop=Till(program(coupons=[template])), coupons=["ten"])
    shop.refund(lines=[{"line": 1}], when=SOON)
    assert shop.member.coupons == {}
    shop.refund(lines=[{"line": 2}], when=SOON)
    assert [coupon.valid_until for coupon in shop.member.coupons.values()] == ([at(until)] if until else [])


def test_the_part_used_of_a_voucher_joins_what_is_left_of_it() -> None:
    shop = bought(Line(15_00), shop=till(), coupons=["voucher"])
    (rest,) = shop.member.coupons.values()
    assert rest.value == 10_00
    shop.refund(when=SOON)
    (voucher,) = shop.member.coupons.values()
    assert (voucher.id, voucher.value) == (rest.id, 25_00)


# -- Cancelled, reopened, completed -----------------------------------------------------------------------


@given(carts(), st.integers(0, 80), st.sampled_from(sorted(BY_CLAWBACK)))
def test_a_cancelled_order_that_is_reopened_is_as_it_was(
    cart: tuple[list[Line], dict[str, Any]], spent: int, policy: str
) -> None:
    lines, uses = cart
    shop = bought(*lines, shop=till(BY_CLAWBACK[policy]), **uses)
    if 0 < spent <= shop.balance():
        shop.do(of.ASSET_SPENT, asset="points", amount=spent)
    before, order = shop.state(), packed(shop.orders["o1"])
    money = shop.do(of.ORDER_CANCELLED, order_id="o1").answer["money"]
    assert shop.refused(of.ORDER_CANCELLED, order_id="o1").code == "order_cancelled"
    assert shop.refused(of.ORDER_REFUNDED, order_id="o1").code == "order_cancelled"
    assert shop.do(of.ORDER_REOPENED, order_id="o1").answer["money"] == -money
    assert shop.state() == before
    reopened = unpack_order(packed(shop.orders["o1"]))
    reopened.refunded = unpack_order(order).refunded
    assert packed(reopened) == order
    assert shop.refused(of.ORDER_REOPENED, order_id="o1").code == "order_not_cancelled"


def test_a_reopened_order_can_be_completed_and_earns_once() -> None:
    on_completion = BASE | {"id": "completion", "on": "order.completed"}
    shop = Till(program(earning=[on_completion]))
    shop.pay(Line(50_00))
    shop.do(of.ORDER_CANCELLED, order_id="o1")
    assert shop.refused(of.ORDER_COMPLETED, order_id="o1").code == "order_cancelled"
    shop.do(of.ORDER_REOPENED, order_id="o1")
    shop.do(of.ORDER_COMPLETED, order_id="o1")
    assert shop.balance() == 50
    assert shop.refused(of.ORDER_COMPLETED, order_id="o1").code == "order_completed"
    shop.do(of.ORDER_CANCELLED, order_id="o1")
    assert shop.balance() == 0


def test_points_not_ripe_yet_go_on_ripening_when_a_cancelled_order_is_reopened() -> None:
    shop = Till(program(assets=[POINTS | {"pending": "7 days"}], earning=[BASE]))
    shop.pay(Line(50_00))
    shop.do(of.ORDER_CANCELLED, order_id="o1", when="2026-05-02T12:00")
    shop.do(of.ORDER_REOPENED, order_id="o1", when="2026-05-03T12:00")
    assert (shop.balance(), shop.member.purses["points"].pending) == (0, 50)
    shop.do(of.TIME_PASSED, when="2026-05-08T00:00")
    assert (shop.balance(), shop.member.purses["points"].pending) == (50, 0)


def test_an_order_whose_coupon_or_points_are_used_elsewhere_stays_cancelled() -> None:
    shop = bought(Line(100_00), shop=till(), coupons=["ten"], points={"points": 70})
    shop.do(of.ORDER_CANCELLED, order_id="o1")
    (id_,) = shop.member.coupons
    shop.pay(Line(60_00), order_id="o2", uses=Payments(coupons=[id_]))
    refused = shop.refused(of.ORDER_REOPENED, order_id="o1")
    assert refused == Refused("coupon_unavailable", {"coupon": id_, "order_id": "o1"})
    shop.do(of.ORDER_CANCELLED, order_id="o2")
    shop.do(of.ASSET_SPENT, asset="points", amount=70)
    assert shop.refused(of.ORDER_REOPENED, order_id="o1").code == "insufficient"


# -- What is refused --------------------------------------------------------------------------------------

TOO_MUCH: list[tuple[dict[str, Any], str]] = [
    ({"order_id": "o9"}, "order_unknown"),
    ({"amount": 63_34}, "refund_exceeds_order"),
    ({"amount": 0}, "refund_exceeds_order"),
    ({"lines": [{"line": 3}]}, "line_unknown"),
    ({"lines": [{"line": 1, "amount": 40_01}]}, "refund_exceeds_order"),
    ({"lines": [{"line": 1, "quantity": 4}]}, "refund_exceeds_order"),
    ({"lines": [], "shipping": 1}, "refund_exceeds_order"),
]


@pytest.mark.parametrize(("payload", "code"), TOO_MUCH)
def test_more_than_was_bought_is_not_refunded(payload: dict[str, Any], code: str) -> None:
    shop = bought(Line(40_00, 3), Line(23_33))
    assert shop.refused(of.ORDER_REFUNDED, **{"order_id": "o1", **payload}).code == code


def test_items_of_a_line_come_back_one_by_one_and_lose_no_cent() -> None:
    shop = bought(Line(10_00, 3))
    money = [shop.refund(lines=[{"line": 1, "quantity": 1}]).answer["money"] for _ in range(3)]
    assert money == [3_33, 3_33, 3_34]
    assert shop.refused(of.ORDER_REFUNDED, order_id="o1").code == "refund_exceeds_order"


def test_items_come_back_also_where_some_of_their_line_came_back_by_amount() -> None:
    shop = bought(Line(10_00, 2))
    asked = ({"line": 1, "amount": 3_00}, {"line": 1, "quantity": 1}, {"line": 1, "quantity": 1})
    assert [shop.refund(lines=[line]).answer["money"] for line in asked] == [3_00, 5_00, 2_00]


def test_an_order_that_used_a_held_cart_is_refunded_like_any_other() -> None:
    shop = till()
    (id_,) = shop.issue("ten")
    before = shop.state()
    uses = Payments(coupons=[id_], points={"points": 33}, stored_value=17_77)
    shop.do(of.CART_HELD, purchase=shop.cart(*LINES, uses=uses), hold="h1")
    paid = shop.do(of.ORDER_PAID, purchase=shop.cart(hold="h1"))
    assert shop.refund(when=SOON).answer["money"] == paid.answer["money"]
    after = unpack(shop.state())
    after.series = unpack(before).series
    after.purses["points"].next_lot = unpack(before).purses["points"].next_lot
    assert pack(after) == before
