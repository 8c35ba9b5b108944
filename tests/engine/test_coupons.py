"""Coupons: their dates and limits, how they meet in a cart, and every turn of their life."""

from typing import Any

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import Line, Payments
from shuke.engine.effects import Refused
from tests.engine.till import NOON, Till, at, program

TEA = Line(10_000, sku="tea", category="tea", list_amount=10_000)
CUP = Line(4_000, 2, "cup", "ware", list_amount=4_000)
TEN = {"id": "ten", "give": {"amount_off": 10}}


def till(*templates: dict[str, Any], **prices: Any) -> Till:
    return Till(program(coupons=list(templates), prices=prices))


def uses(*coupons: str) -> Payments:
    return Payments(coupons=list(coupons))


# -- Issued -----------------------------------------------------------------------------------------------

DATES: list[tuple[str, dict[str, Any], str, str | None]] = [
    ("never ends", {}, "2026-05-01T00:00", None),
    ("lasts 7 days: through the 8th", {"lasts": "7 days"}, "2026-05-01T00:00", "2026-05-09T00:00"),
    ("until a date, included", {"until": "2026-05-31"}, "2026-05-01T00:00", "2026-06-01T00:00"),
    ("from a date", {"from": "2026-05-10", "lasts": "1 days"}, "2026-05-10T00:00", "2026-05-12T00:00"),
    (
        "starts tomorrow, lasts a month",
        {"starts_after": "1 day", "lasts": "1 month"},
        "2026-05-02T00:00",
        "2026-06-03T00:00",
    ),
    ("the stricter of two ends", {"until": "2026-05-04", "lasts": "7 days"}, "2026-05-01T00:00", "2026-05-05T00:00"),
]


@pytest.mark.parametrize(("valid", "start", "end"), [case[1:] for case in DATES], ids=[case[0] for case in DATES])
def test_a_coupon_lives_in_whole_local_days(valid: dict[str, Any], start: str, end: str | None) -> None:
    shop = till(TEN | {"valid": valid})
    (id_,) = shop.issue("ten", when="2026-05-01T23:59")
    coupon = shop.member.coupons[id_]
    assert coupon.valid_from == at(start)
    assert coupon.valid_until == (at(end) if end else 2**62)


def test_a_coupon_ends_by_itself_at_local_midnight() -> None:
    shop = till(TEN | {"valid": {"lasts": "1 days"}})
    (id_,) = shop.issue("ten")
    shop.do(of.TIME_PASSED, when="2026-05-02T23:59")
    assert id_ in shop.member.coupons
    shop.do(of.TIME_PASSED, when="2026-05-03T00:00")
    assert shop.member.coupons == {}
    assert shop.coupons == [(id_, "issued"), (id_, "expired")]


LIMITS: list[tuple[dict[str, Any], int, str | None]] = [
    ({}, 100, None),
    ({"per_member": 3}, 3, None),
    ({"per_member": 3}, 4, "per_member"),
    ({"per_member_per_day": 2}, 3, "per_member_per_day"),
    ({"total": 100}, 100, None),
    ({"total": 100}, 101, "total"),
    ({"total_per_day": 5}, 6, "total_per_day"),
]


@pytest.mark.parametrize(("limits", "quantity", "limit"), LIMITS)
def test_asking_for_many_coupons_meets_every_limit_as_often(
    limits: dict[str, int], quantity: int, limit: str | None
) -> None:
    shop = till(TEN | {"limits": limits})
    if limit is None:
        assert len(set(shop.issue("ten", quantity=quantity))) == quantity
        return
    refused = shop.refused(of.COUPON_ISSUED, template="ten", quantity=quantity)
    assert refused == Refused("coupon_limit", {"template": "ten", "limit": limit, "left": limits[limit]})
    shop.issue("ten", quantity=limits[limit])
    refused = shop.refused(of.COUPON_ISSUED, template="ten")
    assert refused == Refused("coupon_limit", {"template": "ten", "limit": limit, "left": 0})


def test_a_limit_per_day_begins_again_at_local_midnight() -> None:
    shop = till(TEN | {"limits": {"per_member_per_day": 1, "total_per_day": 1}})
    shop.issue("ten", when="2026-05-01T23:59")
    shop.issue("ten", when="2026-05-02T00:00")
    assert shop.taken == {"coupon/ten/issued/2026-05-01": 1, "coupon/ten/issued/2026-05-02": 1}


def test_what_all_members_have_taken_is_handed_in() -> None:
    shop = till(TEN | {"limits": {"total": 100}})
    shop.taken["coupon/ten/issued"] = 100
    assert shop.refused(of.COUPON_ISSUED, template="ten").facts["left"] == 0


REFUSALS: list[tuple[str, dict[str, Any], Refused]] = [
    (of.COUPON_ISSUED, {"template": "none"}, Refused("coupon_unknown", {"template": "none"})),
    (of.COUPON_ISSUED, {"template": "ten", "quantity": 0}, Refused("quantity_invalid", {"quantity": 0, "most": 1000})),
    (of.COUPON_ISSUED, {"template": "past"}, Refused("coupon_ended", {"template": "past", "ended_at": 0})),
    (of.COUPON_CLAIMED, {"template": "ten"}, Refused("coupon_not_claimable", {"template": "ten"})),
    (of.COUPON_CLAIMED, {"code": " nope "}, Refused("code_unknown", {"code": "NOPE"})),
    (of.COUPON_REDEEMED, {"coupon": "x"}, Refused("coupon_unknown", {"coupon": "x"})),
    (of.COUPON_VOIDED, {"coupon": "x", "reason": "r"}, Refused("coupon_unknown", {"coupon": "x"})),
    (of.COUPON_GIVEN, {"coupon": "x", "to_member": "m2"}, Refused("coupon_unknown", {"coupon": "x"})),
]


@pytest.mark.parametrize(("type_", "payload", "refused"), REFUSALS)
def test_what_cannot_be_is_refused(type_: str, payload: dict[str, Any], refused: Refused) -> None:
    shop = till(TEN, TEN | {"id": "past", "valid": {"until": "2026-04-30"}})
    found = shop.refused(type_, **payload)
    if refused.code == "coupon_ended":
        refused.facts["ended_at"] = at("2026-05-01T00:00")
    assert found == refused


def test_the_claim_centre_gives_what_may_be_claimed() -> None:
    shop = till(TEN | {"claimable": True, "limits": {"per_member": 1}})
    (id_,) = shop.do(of.COUPON_CLAIMED, template="ten").answer["coupons"]
    assert shop.member.coupons[id_].state == "issued"
    assert shop.refused(of.COUPON_CLAIMED, template="ten").code == "coupon_limit"


# -- In a cart --------------------------------------------------------------------------------------------

WARE = {"id": "ware", "give": {"percent": 50}, "lines": "line.category = ware", "category": "ware"}
MEETINGS: list[tuple[str, list[dict[str, Any]], dict[str, Any], list[int], list[str]]] = [
    ("one coupon, spread over the lines", [TEN], {}, [9_286, 3_714], []),
    ("two categories, by template", [TEN, WARE], {}, [9_286, 1_857], []),
    ("two categories, in the declared order", [TEN, WARE], {"coupon_order": ["ware"]}, [9_167, 1_833], []),
    ("higher priority first", [TEN, WARE | {"priority": 1}], {}, [9_167, 1_833], []),
    ("one category: the first", [TEN, WARE | {"category": "coupon"}], {}, [9_286, 3_714], ["category_taken"]),
    ("alone goes with no other", [TEN | {"alone": True}, WARE], {}, [9_286, 3_714], ["not_combinable"]),
    ("no more than the program allows", [TEN, WARE], {"coupons_per_order": 1}, [9_286, 3_714], ["too_many_coupons"]),
    ("out of scope", [WARE | {"lines": "line.category = book"}], {}, [10_000, 4_000], ["no_matching_lines"]),
    ("below its minimum", [TEN | {"minimum_spend": 141}], {}, [10_000, 4_000], ["minimum_spend"]),
    ("too few items", [TEN | {"minimum_items": 4}], {}, [10_000, 4_000], ["minimum_items"]),
    ("wrong channel", [TEN | {"channels": ["app"]}], {}, [10_000, 4_000], ["wrong_channel"]),
    ("right channel", [TEN | {"channels": ["web"]}], {}, [9_286, 3_714], []),
    ("wrong store", [TEN | {"stores": ["s2"]}], {}, [10_000, 4_000], ["wrong_store"]),
    ("its condition", [TEN | {"when": "order.items > 9"}], {}, [10_000, 4_000], ["condition_not_met"]),
    ("not yet valid", [TEN | {"valid": {"from": "2026-06-01"}}], {}, [10_000, 4_000], ["coupon_not_yet_valid"]),
    ("a fixed price", [WARE | {"give": {"fixed_price": 15}}], {}, [10_000, 3_000], []),
    ("a gift", [WARE | {"give": {"gift": 1}}], {}, [10_000, 2_000], []),
    ("nothing to reduce", [WARE | {"give": {"fixed_price": 50}}], {}, [10_000, 4_000], ["nothing_to_reduce"]),
    ("a voucher", [{"id": "v", "give": {"voucher": 30}}], {}, [7_857, 3_143], []),
    ("a voucher larger than the cart", [{"id": "v", "give": {"voucher": 200}}], {}, [0, 0], []),
]


@pytest.mark.parametrize(
    ("templates", "prices", "amounts", "skipped"), [case[1:] for case in MEETINGS], ids=[case[0] for case in MEETINGS]
)
def test_coupons_apply_in_order_or_say_why_not(
    templates: list[dict[str, Any]], prices: dict[str, Any], amounts: list[int], skipped: list[str]
) -> None:
    shop = till(*templates, **prices)
    ids = [shop.issue(template["id"])[0] for template in templates]
    quote = shop.quote(TEA, CUP, uses=uses(*ids), channel="web", store="s1")
    assert quote.amounts[:-2] == amounts
    assert [entry["code"] for entry in quote.skipped] == skipped
    if skipped:
        cart = shop.cart(TEA, CUP, uses=uses(*ids), channel="web", store="s1")
        refused = shop.refused(of.ORDER_PAID, purchase=cart)
        assert (refused.code, refused.facts["reason"]) == ("coupon_not_applicable", skipped[0])


def test_a_coupon_says_how_much_more_it_needs() -> None:
    shop = till(TEN | {"minimum_spend": 140})
    (id_,) = shop.issue("ten")
    quote = shop.quote(TEA, uses=uses(id_))
    assert quote.skipped == [{"what": id_, "code": "minimum_spend", "needs": 4_000}]
    assert quote.hints == [{"code": "spend_more", "needs": 4_000, "for": "coupon", "id": id_, "template": "ten"}]


def test_two_of_one_template_where_it_allows_two() -> None:
    shop = till(TEN | {"limits": {"per_order": 2}})
    ids = shop.issue("ten", quantity=3)
    quote = shop.quote(TEA, uses=uses(*ids))
    assert quote.payable == 8_000
    assert [entry["code"] for entry in quote.skipped] == ["coupon_limit"]


def test_the_same_coupon_twice_counts_once() -> None:
    shop = till(TEN | {"limits": {"per_order": 2}})
    (id_,) = shop.issue("ten")
    quote = shop.quote(TEA, uses=uses(id_, id_))
    assert quote.payable == 9_000
    assert quote.skipped == [{"what": id_, "code": "coupon_twice"}]


def test_an_unknown_coupon_is_told_in_a_quote_and_refused_at_the_till() -> None:
    shop = till(TEN)
    assert shop.quote(TEA, uses=uses("nope")).skipped == [{"what": "nope", "code": "coupon_unknown"}]
    refused = shop.refused(of.ORDER_PAID, purchase=shop.cart(TEA, uses=uses("nope")))
    assert refused == Refused("coupon_not_applicable", {"coupon": "nope", "reason": "coupon_unknown"})


def test_a_coupon_on_shipping_follows_promotions_on_shipping() -> None:
    shop = Till(
        program(
            coupons=[{"id": "ship", "give": {"shipping": 100}}],
            prices={"promotions": [{"id": "half", "give": {"shipping": 50}}]},
        )
    )
    (id_,) = shop.issue("ship")
    quote = shop.quote(TEA, uses=uses(id_), shipping=600)
    assert [(applied.kind, applied.amount) for applied in quote.applied] == [("promotion", 300), ("coupon", 300)]
    assert shop.quote(TEA, uses=uses(id_)).skipped == [{"what": id_, "code": "nothing_to_reduce"}]


def test_who_bears_the_cost_is_told_to_the_cent() -> None:
    share = [{"bearer": "shop", "percent": 60}, {"bearer": "brand", "percent": 40}]
    shop = till({"id": "odd", "give": {"amount_off": "3.33"}, "cost_share": share})
    quote = shop.quote(TEA, uses=uses(*shop.issue("odd")))
    assert quote.applied[0].borne == {"shop": 200, "brand": 133}


def test_the_wallet_says_what_each_coupon_would_save() -> None:
    shop = till(
        TEN,
        WARE,
        TEN | {"id": "big", "minimum_spend": 150},
        TEN | {"id": "app", "channels": ["app"]},
        {"id": "v", "give": {"voucher": 30}},
    )
    for template in ("ten", "ware", "big", "app", "v"):
        shop.issue(template)
    found = [{**entry, "coupon": None} for entry in shop.quote(TEA, CUP).wallet]
    assert found == [
        {"coupon": None, "template": "ten", "saves": 1_000},
        {"coupon": None, "template": "ware", "saves": 2_000},
        {"coupon": None, "template": "big", "code": "minimum_spend", "needs": 1_000},
        {"coupon": None, "template": "app", "code": "wrong_channel", "channels": ["app"]},
        {"coupon": None, "template": "v", "saves": 3_000},
    ]


def test_a_coupon_keeps_the_terms_of_the_version_that_issued_it() -> None:
    later = TEN | {"give": {"amount_off": 1}}
    shop = Till(program(coupons=[TEN]), program(coupons=[later]), program(), since=[
        "2026-01-01T00:00", "2026-06-01T00:00", "2026-07-01T00:00"
    ])  # fmt: skip
    (id_,) = shop.issue("ten")
    (newer,) = shop.issue("ten", when="2026-06-02T12:00")
    assert shop.quote(TEA, uses=uses(id_), when="2026-06-02T12:00").payable == 9_000
    assert shop.quote(TEA, uses=uses(newer), when="2026-06-02T12:00").payable == 9_900
    assert shop.quote(TEA, uses=uses(id_), when="2026-07-02T12:00").payable == 9_000


# -- Redeemed ---------------------------------------------------------------------------------------------


def test_a_coupon_is_redeemed_once() -> None:
    shop = till(TEN)
    (id_,) = shop.issue("ten")
    shop.pay(TEA, uses=uses(id_))
    assert shop.member.coupons == {}
    assert shop.orders["o1"].coupons[0].coupon.id == id_
    cart = shop.cart(TEA, order_id="o2", uses=uses(id_))
    assert shop.refused(of.ORDER_PAID, purchase=cart).facts["reason"] == "coupon_unknown"


def test_a_total_of_redemptions_is_met_exactly() -> None:
    shop = till(TEN | {"limits": {"redeemed_total": 100}})
    ids = shop.issue("ten", quantity=2)
    shop.taken["coupon/ten/redeemed"] = 99
    shop.pay(TEA, uses=uses(ids[0]))
    assert shop.taken["coupon/ten/redeemed"] == 100
    refused = shop.refused(of.ORDER_PAID, purchase=shop.cart(TEA, order_id="o2", uses=uses(ids[1])))
    assert refused.facts == {
        "coupon": ids[1],
        "reason": "coupon_limit",
        "template": "ten",
        "limit": "redeemed_total",
        "left": 0,
    }


def test_a_cash_voucher_is_used_in_parts() -> None:
    shop = till({"id": "v", "give": {"voucher": 150}})
    (id_,) = shop.issue("v")
    shop.pay(TEA, uses=uses(id_))
    assert shop.member.coupons[id_].value == 5_000
    settled = shop.pay(TEA, order_id="o2", uses=uses(id_))
    assert settled.answer["money"] == 5_000
    assert shop.member.coupons == {}


def test_a_channel_that_priced_the_order_itself_redeems_as_told() -> None:
    shop = till(TEN)
    (id_,) = shop.issue("ten")
    cart = shop.cart(TEA, uses=uses(id_, "elsewhere"))
    cart.priced = True
    settled = shop.do(of.ORDER_PAID, purchase=cart)
    assert settled.answer["skipped"] == [{"what": "elsewhere", "code": "coupon_unknown"}]
    assert shop.orders["o1"].amounts[0] == 10_000
    assert shop.member.coupons == {}


def test_a_coupon_is_scanned_at_a_till_that_prices_by_itself() -> None:
    shop = till(TEN | {"stores": ["s1"], "limits": {"redeemed_per_member": 1}}, {"id": "v", "give": {"voucher": 30}})
    first, second = shop.issue("ten", quantity=2)
    refused = shop.refused(of.COUPON_REDEEMED, coupon=first, store="s2")
    assert (refused.code, refused.facts["reason"]) == ("coupon_not_applicable", "wrong_store")
    shop.do(of.COUPON_REDEEMED, coupon=first, store="s1")
    assert shop.refused(of.COUPON_REDEEMED, coupon=second, store="s1").code == "coupon_limit"
    (voucher,) = shop.issue("v")
    shop.do(of.COUPON_REDEEMED, coupon=voucher, amount=1_200)
    assert shop.member.coupons[voucher].value == 1_800
    refused = shop.refused(of.COUPON_REDEEMED, coupon=voucher, amount=1_801)
    assert refused.facts == {"coupon": voucher, "reason": "value_exceeded", "asked": 1_801, "available": 1_800}


def test_a_coupon_past_its_date_is_gone_even_if_the_clock_is_late() -> None:
    shop = till(TEN | {"valid": {"lasts": "1 days"}})
    (id_,) = shop.issue("ten")
    cart = shop.cart(TEA, uses=uses(id_))
    later = "2026-05-03T00:00"
    quote = shop.quote(TEA, uses=uses(id_), when=later)
    assert quote.skipped == [{"what": id_, "code": "coupon_unknown"}]
    settled = shop.settle(shop.activity(of.ORDER_PAID, purchase=cart, when=later))
    assert settled.refused is not None
    assert shop.coupons[-1] == (id_, "expired")


# -- Voided, given ----------------------------------------------------------------------------------------


def test_a_coupon_is_voided_with_a_reason() -> None:
    shop = till(TEN)
    (id_,) = shop.issue("ten")
    assert shop.refused(of.COUPON_VOIDED, coupon=id_).code == "reason_missing"
    shop.do(of.COUPON_VOIDED, coupon=id_, reason="printed by mistake")
    assert shop.coupons[-1] == (id_, "voided")


def test_a_coupon_given_away_reaches_the_friend_with_its_dates_and_value() -> None:
    voucher = {"id": "v", "give": {"voucher": 30}, "transferable": True, "valid": {"lasts": "7 days"}}
    shop = till(TEN, voucher)
    (ten,), (id_,) = shop.issue("ten"), shop.issue("v")
    assert shop.refused(of.COUPON_GIVEN, coupon=ten, to_member="m2").code == "coupon_not_transferable"
    assert shop.refused(of.COUPON_GIVEN, coupon=id_, to_member="m1").code == "transfer_to_self"
    assert shop.refused(of.COUPON_GIVEN, coupon=id_).code == "receiver_missing"
    before = shop.member.coupons[id_]
    settled = shop.do(of.COUPON_GIVEN, coupon=id_, to_member="m2")
    assert shop.coupons[-1] == (id_, "given")
    (sent,) = settled.effects.activities
    friend = Till(program(coupons=[TEN, voucher]))
    friend.settle(sent)
    (received,) = friend.member.coupons.values()
    assert (received.valid_until, received.value, received.template) == (before.valid_until, 3_000, "v")
    assert received.id != id_


def test_a_gift_of_a_coupon_with_a_shared_total_goes_through_the_inbox() -> None:
    gift = {"id": "welcome", "for": {"ladder": "main", "tiers": ["base"]}, "upgrade_gift": {"coupon": "ten"}}
    ladder = {"id": "main", "tiers": [{"id": "base"}]}
    shop = Till(program(coupons=[TEN | {"limits": {"total": 1}}], ladders=[ladder], benefits=[gift]))
    shop.do(of.JOINED)
    (sent,) = shop.inbox
    assert (sent.type, sent.member_id) == (of.COUPON_ISSUED, "m1")
    shop.settle(sent)
    assert len(shop.member.coupons) == 1
    assert shop.taken == {"coupon/ten/issued": 1}


def test_ids_are_the_same_for_the_same_fact() -> None:
    ids = [till(TEN).issue("ten", quantity=3, when=NOON) for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3
