"""Codes: shared ones open a coupon for everybody, unique ones open one coupon, once."""

from typing import Any

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import Line, Payments
from shuke.engine.codes import quotas_of_codes
from shuke.engine.effects import Refused
from shuke.engine.needs import Needs, needs
from shuke.engine.turn import Code
from tests.engine.till import Till, program

TEA = Line(10_000, sku="tea", category="tea", list_amount=10_000)
TEN = {"id": "ten", "give": {"amount_off": 10}}


def till(*templates: dict[str, Any]) -> Till:
    return Till(program(coupons=list(templates)))


def uses(*coupons: str) -> Payments:
    return Payments(coupons=list(coupons))


def test_a_shared_code_opens_a_coupon_for_everybody() -> None:
    shop = till(TEN | {"codes": "shared", "code": "Hello10", "limits": {"total": 5}})
    shop.do(of.COUPON_CLAIMED, code=" hello10 ")
    assert shop.taken == {"coupon/ten/issued": 1}
    (coupon,) = shop.member.coupons.values()
    assert coupon.code is None


def test_a_unique_code_opens_one_coupon_once() -> None:
    shop = till(TEN | {"codes": "unique"})
    shop.codes["AB12CD"] = Code("ten", "free")
    settled = shop.do(of.COUPON_CLAIMED, code="ab12cd")
    (coupon,) = shop.member.coupons.values()
    assert coupon.code == "AB12CD"
    assert [(taken.code, taken.coupon_id) for taken in settled.effects.codes] == [("AB12CD", coupon.id)]
    shop.member.coupons.clear()
    assert shop.refused(of.COUPON_CLAIMED, code="ab12cd") == Refused("code_used", {"code": "AB12CD"})


def test_a_code_typed_into_a_cart_is_claimed_and_redeemed_in_one() -> None:
    shop = till(TEN | {"codes": "unique", "limits": {"per_member": 1, "redeemed_total": 9}})
    shop.codes["AB12CD"] = Code("ten", "free")
    assert shop.quote(TEA, uses=uses("ab12cd")).payable == 9_000
    shop.pay(TEA, uses=uses("ab12cd"))
    assert shop.member.coupons == {}
    assert shop.codes["AB12CD"].state == "taken"
    assert [state for _, state in shop.coupons] == ["issued", "redeemed"]
    quote = shop.quote(TEA, uses=uses("ab12cd"))
    assert quote.skipped == [{"what": "ab12cd", "code": "code_used"}]


def test_a_code_in_a_held_cart_that_is_let_go_stays_with_the_member() -> None:
    shop = till(TEN | {"codes": "unique"})
    shop.codes["AB12CD"] = Code("ten", "free")
    shop.do(of.CART_HELD, hold="h1", purchase=shop.cart(TEA, uses=uses("ab12cd")))
    shop.do(of.CART_RELEASED, hold="h1")
    shop.pay(TEA, uses=uses("ab12cd"))
    assert [state for _, state in shop.coupons] == ["issued", "held", "issued", "redeemed"]


def test_a_code_scanned_at_a_till_is_claimed_and_redeemed_in_one() -> None:
    shop = till({"id": "v", "give": {"voucher": 30}, "codes": "unique"})
    shop.codes["AB12CD"] = Code("v", "free")
    settled = shop.do(of.COUPON_REDEEMED, coupon="ab12cd", amount=1_000)
    (coupon,) = shop.member.coupons.values()
    assert settled.answer["coupon"] == {
        "coupon": coupon.id,
        "template": "v",
        "code": "AB12CD",
        "value": 1_000,
        "left": 2_000,
    }
    shop.do(of.COUPON_REDEEMED, coupon="AB12CD")
    refused = shop.refused(of.COUPON_REDEEMED, coupon="AB12CD")
    assert refused == Refused("code_used", {"code": "AB12CD"})


def test_a_code_that_cannot_be_redeemed_here_stays_free() -> None:
    shop = till(TEN | {"codes": "unique", "stores": ["s1"]})
    shop.codes["AB12CD"] = Code("ten", "free")
    assert shop.refused(of.COUPON_REDEEMED, coupon="AB12CD", store="s2").code == "coupon_not_applicable"
    assert shop.codes["AB12CD"].state == "free"


def test_a_code_used_in_a_shop_that_prices_by_itself_is_taken_as_told() -> None:
    shop = till(TEN | {"codes": "unique", "limits": {"per_member": 1}})
    shop.codes |= {"AB12CD": Code("ten", "free"), "EF34GH": Code("ten", "free"), "OLD": Code("ten", "taken")}
    cart = shop.cart(TEA, uses=uses("ab12cd", "ef34gh", "old"))
    cart.priced = True
    settled = shop.do(of.ORDER_PAID, purchase=cart)
    assert shop.codes["AB12CD"].state == "taken"
    assert settled.answer["skipped"] == [
        {"what": "ef34gh", "code": "coupon_limit", "template": "ten", "limit": "per_member", "left": 0},
        {"what": "old", "code": "code_used"},
    ]
    assert [used.coupon.code for used in shop.orders["o1"].coupons] == ["AB12CD"]


def test_an_order_that_comes_back_gives_the_coupon_back_and_leaves_its_code_taken() -> None:
    shop = till(TEN | {"codes": "unique"})
    shop.codes["AB12CD"] = Code("ten", "free")
    shop.pay(TEA, uses=uses("ab12cd"))
    shop.refund()
    (coupon,) = shop.member.coupons.values()
    assert coupon.code == "AB12CD"
    assert shop.codes["AB12CD"].state == "taken"


CODES: list[tuple[str, Code | None, str, str]] = [
    ("nobody knows it", None, "code_unknown", "coupon_unknown"),
    ("somebody used it", Code("ten", "taken"), "code_used", "code_used"),
    ("its batch was withdrawn", Code("ten", "void"), "code_void", "code_void"),
    ("it belongs to a coupon made elsewhere", Code("ten", "elsewhere"), "code_unknown", "coupon_unknown"),
    ("its template is gone", Code("none", "free"), "code_unknown", "coupon_unknown"),
]


@pytest.mark.parametrize(("code", "claimed", "used"), [case[1:] for case in CODES], ids=[case[0] for case in CODES])
def test_a_code_that_opens_nothing_says_why(code: Code | None, claimed: str, used: str) -> None:
    shop = till(TEN | {"codes": "unique"})
    if code is not None:
        shop.codes["AB12CD"] = code
    assert shop.refused(of.COUPON_CLAIMED, code="AB12CD") == Refused(claimed, {"code": "AB12CD"})
    assert shop.refused(of.COUPON_REDEEMED, coupon="AB12CD").code == used
    assert shop.quote(TEA, uses=uses("AB12CD")).skipped == [{"what": "AB12CD", "code": used}]


@pytest.mark.parametrize(
    ("limits", "taken", "limit"),
    [
        ({"total": 5}, {"coupon/ten/issued": 5}, "total"),
        ({"total_per_day": 5}, {"coupon/ten/issued/2026-05-01": 5}, "total_per_day"),
        ({"redeemed_total": 5}, {"coupon/ten/redeemed": 5}, "redeemed_total"),
    ],
)
def test_totals_of_the_template_hold_for_its_codes(limits: dict[str, int], taken: dict[str, int], limit: str) -> None:
    shop = till(TEN | {"codes": "unique", "limits": limits})
    shop.codes["AB12CD"] = Code("ten", "free")
    shop.taken |= taken
    refused = shop.refused(of.ORDER_PAID, purchase=shop.cart(TEA, uses=uses("AB12CD")))
    assert (refused.facts["reason"], refused.facts["limit"]) == ("coupon_limit", limit)
    if limit != "redeemed_total":
        assert shop.refused(of.COUPON_CLAIMED, code="AB12CD").facts["limit"] == limit
    assert shop.codes["AB12CD"].state == "free"


def test_two_codes_of_one_template_meet_its_limit_together() -> None:
    shop = till(TEN | {"codes": "unique", "limits": {"per_member": 1, "per_order": 2}})
    shop.codes |= {"AB12CD": Code("ten", "free"), "EF34GH": Code("ten", "free")}
    quote = shop.quote(TEA, uses=uses("AB12CD", "EF34GH"))
    assert [(skipped["what"], skipped["limit"]) for skipped in quote.skipped] == [("EF34GH", "per_member")]


ISSUED_WITH: list[tuple[str, Any, int, Refused | None]] = [
    ("codes of elsewhere, in any form", ["new-1 ", "new-2"], 3, None),
    ("one made ahead", ["FREE"], 1, None),
    ("one of another template", ["OTHER"], 1, Refused("code_used", {"code": "OTHER"})),
    ("one somebody used", ["TAKEN"], 1, Refused("code_used", {"code": "TAKEN"})),
    ("one that was withdrawn", ["VOID"], 1, Refused("code_void", {"code": "VOID"})),
    ("one of another coupon", ["HERS"], 1, Refused("code_used", {"code": "HERS"})),
    ("the same twice", ["NEW", " new"], 2, Refused("code_used", {"code": "NEW"})),
    ("more than coupons", ["NEW-1", "NEW-2"], 1, Refused("quantity_invalid", {"quantity": 1, "most": 2})),
    ("no text", [7], 1, Refused("code_unknown", {"code": "[7]"})),
    ("nothing", [" "], 1, Refused("code_unknown", {"code": "[' ']"})),
]


@pytest.mark.parametrize(
    ("codes", "quantity", "refused"), [case[1:] for case in ISSUED_WITH], ids=[case[0] for case in ISSUED_WITH]
)
def test_a_coupon_is_issued_with_a_code_that_no_other_has(codes: Any, quantity: int, refused: Refused | None) -> None:
    shop = till(TEN | {"codes": "unique"}, TEN | {"id": "other", "codes": "unique"})
    shop.codes |= {
        "FREE": Code("ten", "free"),
        "OTHER": Code("other", "free"),
        "TAKEN": Code("ten", "taken"),
        "VOID": Code("ten", "void"),
        "HERS": Code("ten", "elsewhere"),
    }
    if refused is not None:
        assert shop.refused(of.COUPON_ISSUED, template="ten", quantity=quantity, codes=codes) == refused
        return
    ids = shop.issue("ten", quantity=quantity, codes=codes)
    plain = [code.strip().upper() for code in codes]
    assert [shop.member.coupons[id_].code for id_ in ids] == plain + [None] * (quantity - len(plain))
    again = shop.refused(of.COUPON_ISSUED, template="ten", codes=codes[:1])
    assert again == Refused("code_used", {"code": plain[0]})


def test_a_coupon_with_a_unique_code_is_found_by_it_at_the_till() -> None:
    shop = till(TEN | {"codes": "unique"})
    (id_,) = shop.issue("ten", codes=["QR-7"])
    shop.pay(TEA, uses=uses("qr-7"))
    assert shop.coupons[-1] == (id_, "redeemed")


def test_a_step_needs_the_quotas_its_coupons_touch() -> None:
    shop = till(
        TEN | {"limits": {"total": 5, "redeemed_total": 3}},
        TEN | {"id": "open", "codes": "shared", "code": "OPEN", "limits": {"total_per_day": 2, "redeemed_total": 1}},
        TEN | {"id": "single", "codes": "unique", "limits": {"total": 7, "redeemed_total": 4}},
    )
    cart = shop.cart(TEA, uses=uses("ten.abcdefghij234", "open", "secret"))
    assert needs(shop.editions, shop.activity(of.ORDER_PAID, purchase=cart)) == Needs(
        orders=["o1"],
        codes=["SECRET"],
        quotas=[
            "coupon/ten/redeemed",
            "coupon/open/issued/2026-05-01",
            "coupon/open/redeemed",
        ],
        lines=cart.lines,
    )
    edition = shop.editions.compiled[0]
    for type_, state, quotas in (
        (of.COUPON_CLAIMED, "free", ["coupon/single/issued"]),
        (of.COUPON_CLAIMED, "taken", []),
        (of.COUPON_REDEEMED, "free", ["coupon/single/issued", "coupon/single/redeemed"]),
        (of.COUPON_REDEEMED, "taken", ["coupon/single/redeemed"]),
        (of.COUPON_REDEEMED, "elsewhere", ["coupon/single/redeemed"]),
        (of.COUPON_ISSUED, "free", []),
    ):
        told = shop.activity(type_, code="secret")
        assert quotas_of_codes(edition, told, {"SECRET": Code("single", state)}) == quotas
    told = shop.activity(of.COUPON_ISSUED, template="open", codes=[" secret"])
    assert needs(shop.editions, told).codes == ["SECRET"]
