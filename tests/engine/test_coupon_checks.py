"""Whether a coupon or a code would work is told without anything changing."""

from typing import Any

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import Line, Payments
from shuke.engine.codes import quotas_of_codes
from shuke.engine.coupon_checks import Checked, check, question
from shuke.engine.effects import Refused
from shuke.engine.member import ERASED, Member, pack
from shuke.engine.needs import needs
from shuke.engine.turn import Code, Context
from tests.engine.till import NOON, Till, at, program

TEN = {"id": "ten", "give": {"amount_off": 10}}
TEA = Line(10_000, sku="tea", category="tea", list_amount=10_000)


def till(*templates: dict[str, Any]) -> Till:
    return Till(program(coupons=list(templates)))


def ask(shop: Till, asked: str, *, when: str = NOON, **more: Any) -> Checked:
    """Ask as a door does, and hold that nothing changes."""
    told = question("m1", asked, at=at(when), cart=more.get("cart"))
    need = needs(shop.editions, told)
    codes = {code: shop.codes[code] for code in need.codes if code in shop.codes}
    quotas = [*need.quotas, *quotas_of_codes(shop.editions.at(at(when)), told, codes)]
    context = Context({}, {quota: shop.taken.get(quota, 0) for quota in quotas}, dict(codes))
    before, taken = pack(shop.member), dict(context.taken)
    found = check(shop.editions, shop.member, asked, at=at(when), context=context, **more)
    assert (pack(shop.member), context.taken, context.codes) == (before, taken, codes)
    return found


def test_a_coupon_in_hand_would_work_and_stays_what_it_is() -> None:
    shop = till(TEN)
    (id_,) = shop.issue("ten")
    checked = ask(shop, id_)
    assert (checked.refused, checked.is_new, checked.saves) == (None, False, None)
    assert checked.coupon == shop.member.coupons[id_]


def test_a_free_code_would_open_the_coupon_that_it_opens_then() -> None:
    shop = till(TEN | {"codes": "unique", "valid": {"lasts": "7 days"}})
    shop.codes["AB12"] = Code("ten", "free")
    checked = ask(shop, " ab12")
    assert (checked.refused, checked.is_new) == (None, True)
    shop.do(of.COUPON_CLAIMED, code="ab12")
    (claimed,) = shop.member.coupons.values()
    assert checked.coupon is not None
    assert (checked.coupon.template, checked.coupon.code, checked.coupon.valid_until) == (
        claimed.template,
        claimed.code,
        claimed.valid_until,
    )


REASONS: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    ("a place it works in", {"channels": ["web"]}, {"channel": "web"}, None),
    ("no place told", {"channels": ["web"], "stores": ["s1"]}, {}, None),
    ("another channel", {"channels": ["web"]}, {"channel": "app"}, "wrong_channel"),
    ("another store", {"stores": ["s1"]}, {"store": "s2"}, "wrong_store"),
    ("not yet", {"valid": {"from": "2026-06-01"}}, {}, "coupon_not_yet_valid"),
    ("her condition", {"when": "member.tags has vip"}, {}, "condition_not_met"),
    ("a condition on an order nobody knows yet", {"when": "order.items > 9"}, {}, None),
]


@pytest.mark.parametrize(
    ("template", "place", "reason"), [case[1:] for case in REASONS], ids=[case[0] for case in REASONS]
)
def test_what_does_not_depend_on_goods_is_told_without_a_cart(
    template: dict[str, Any], place: dict[str, Any], reason: str | None
) -> None:
    shop = till(TEN | template)
    (id_,) = shop.issue("ten")
    refused = ask(shop, id_, **place).refused
    assert (None if refused is None else refused.facts["reason"]) == reason


def test_limits_of_all_members_hold_for_the_answer() -> None:
    shop = till(TEN | {"codes": "unique", "limits": {"total": 5, "redeemed_total": 3}})
    shop.codes["AB12"] = Code("ten", "free")
    shop.taken["coupon/ten/redeemed"] = 3
    checked = ask(shop, "AB12")
    assert checked.refused == Refused("coupon_limit", {"template": "ten", "limit": "redeemed_total", "left": 0})
    shop.taken["coupon/ten/issued"] = 5
    refused = ask(shop, "AB12").refused
    assert refused is not None
    assert refused.facts["limit"] == "total"


NOTHING: list[tuple[str, Code | None, str]] = [
    ("nobody knows it", None, "coupon_unknown"),
    ("used", Code("ten", "taken"), "code_used"),
    ("withdrawn", Code("ten", "void"), "code_void"),
]


@pytest.mark.parametrize(("code", "refusal"), [case[1:] for case in NOTHING], ids=[case[0] for case in NOTHING])
def test_a_code_that_opens_nothing_is_told_as_at_the_till(code: Code | None, refusal: str) -> None:
    shop = till(TEN | {"codes": "unique"})
    shop.codes |= {} if code is None else {"AB12": code}
    checked = ask(shop, "AB12")
    assert checked.coupon is None
    assert checked.refused is not None
    assert checked.refused.code == refusal


def test_with_a_cart_it_says_what_it_saves_or_what_is_missing() -> None:
    shop = till(TEN | {"minimum_spend": 120}, TEN | {"id": "more", "give": {"percent": 10}, "category": "more"})
    ten, more = shop.issue("ten")[0], shop.issue("more")[0]
    assert ask(shop, more, cart=shop.cart(TEA)).saves == 1_000
    beside = shop.cart(TEA, Line(4_000, list_amount=4_000), uses=Payments(coupons=[more]))
    assert ask(shop, ten, cart=beside).saves == 1_000
    assert ask(shop, more, cart=beside).saves == 1_400
    checked = ask(shop, ten, cart=shop.cart(TEA))
    assert checked.refused == Refused(
        "coupon_not_applicable", {"coupon": ten, "reason": "minimum_spend", "needs": 2_000}
    )
    assert checked.saves == 0
    refused = ask(shop, ten, cart=shop.cart(-1)).refused
    assert refused is not None
    assert refused.code == "amount_invalid"


def test_a_code_typed_for_a_cart_is_priced_as_if_it_were_used() -> None:
    shop = till(TEN | {"codes": "unique"})
    shop.codes["AB12"] = Code("ten", "free")
    checked = ask(shop, "ab12", cart=shop.cart(TEA))
    assert (checked.refused, checked.is_new, checked.saves) == (None, True, 1_000)


def test_time_has_passed_for_the_answer_even_if_the_clock_is_late() -> None:
    shop = till(TEN | {"valid": {"lasts": "1 days"}})
    (id_,) = shop.issue("ten")
    refused = ask(shop, id_, when="2026-05-03T00:00").refused
    assert refused == Refused("coupon_unknown", {"coupon": id_})


def test_a_stranger_may_ask_and_who_is_erased_is_told_so() -> None:
    shop = till(TEN | {"codes": "shared", "code": "HELLO"})
    assert ask(shop, "hello").refused is None
    erased = Member("m1", 0, ERASED)
    assert check(shop.editions, erased, "hello", at=at(NOON)).refused == Refused("member_erased", {})
