"""Erasure ends what a person had by entries, and keeps nothing that tells who she was."""

import pytest

from shuke.engine.activity import (
    ASSET_TRANSFERRED,
    COUPON_GIVEN,
    COUPON_ISSUED,
    ERASED,
    JOINED,
    ORDER_REFUNDED,
    TIER_GRANTED,
    TIME_PASSED,
    TOPPED_UP,
    Activity,
    Line,
    Payments,
    Purchase,
)
from shuke.engine.effects import Refused, Settled
from shuke.engine.member import Member
from shuke.values.instants import DAY, NEVER
from tests.shop import NOON, Ledger, edition, given, order, spent, told

SHOP = """
id: rich
currency: USD
zone: Asia/Taipei
assets:
  - {id: points, validity: {after: 12 months}, transfer: {minimum: 1}, redemption: {worth: 0.01}}
  - {id: stars, pending: 3 days}
  - {id: principal, kind: principal, scale: 2}
  - {id: bonus, kind: bonus, scale: 2}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}}
  - {id: stars, asset: stars, give: {fixed: 4}}
ladders:
  - {id: main, tiers: [{id: base}, {id: gold, entry: spend(lifetime) >= 1000}]}
coupons:
  - {id: ten, give: {percent: 10}, transferable: true, limits: {redeemed_total: 5}}
stored_value:
  principal: principal
  bonus: bonus
  offers: [{id: hundred, pay: 100, bonus: 20}]
"""
LATER = NOON + 10 * DAY


def shop_of_ada() -> Ledger:
    """Ada joined, ordered, was given a coupon and gold, and keeps points and the coupon for a cart."""
    shop = Ledger(edition(SHOP))
    shop.all(
        told(JOINED, "ada", key="j", traits={"birthday": "1990-05-01"}, tags=["staff"], identities={"card": "7"}),
        order("ada", "o1", 5000),
        told(COUPON_ISSUED, "ada", key="c", template="ten", quantity=2),
        told(TIER_GRANTED, "ada", key="t", ladder="main", tier="gold"),
    )
    coupon = next(iter(shop.members["ada"].coupons))
    uses = Payments(points={"points": 10}, coupons=[coupon])
    cart = Purchase("o2", [Line(9000, list_amount=9000)], uses=uses, priced=False)
    shop.all(Activity("cart.held", "ada", NOON, "test", "h", {"hold": "h1"}, cart))
    return shop


def erased(member: str = "ada", *, when: int = NOON + 60_000_000, **payload: object) -> Activity:
    return told(ERASED, member, key="erase", when=when, **payload)


def accounts(shop: Ledger, member: str) -> dict[tuple[str, str], int]:
    """What every account of the member's books comes to, house accounts too."""
    found: dict[tuple[str, str], int] = {}
    for entry in shop.entries[member]:
        found[entry.asset, entry.debit] = found.get((entry.asset, entry.debit), 0) - entry.amount
        found[entry.asset, entry.credit] = found.get((entry.asset, entry.credit), 0) + entry.amount
    return {key: amount for key, amount in found.items() if amount}


def test_nothing_is_left_but_the_id_the_day_she_joined_and_the_count_of_activities():
    shop = shop_of_ada()
    member = shop.all(erased()).member
    assert member == Member("ada", NOON, status="erased", now=NOON + 60_000_000, due_at=NEVER, seq=6)


def test_what_she_had_is_ended_by_entries_and_the_books_balance():
    shop = shop_of_ada()
    settled = shop.all(erased())
    assert settled.answer == {"forfeited": {"points": 50, "stars": 4}}
    assert accounts(shop, "ada") == {
        ("points", "issued"): -50,
        ("points", "expired"): 50,
        ("stars", "issued"): -4,
        ("stars", "expired"): 4,
    }
    assert [(entry.kind, entry.debit, entry.amount) for entry in settled.effects.entries] == [
        ("release", "held", 10),
        ("forfeit", "available", 50),
        ("forfeit", "pending", 4),
    ]


def test_coupons_are_voided_tiers_end_and_what_was_claimed_for_a_cart_is_free_again():
    shop = shop_of_ada()
    effects = shop.all(erased()).effects
    assert sorted({change.coupon_id: change.state for change in effects.coupons}.values()) == ["voided", "voided"]
    assert [(change.before, change.after, change.reason) for change in effects.tiers] == [("gold", None, "erased")]
    assert {claim.quota: claim.amount for claim in effects.claims} == {"coupon/ten/redeemed": -1}
    assert shop.identities == {}


@pytest.mark.parametrize(
    ("said", "answer", "account"),
    [
        ("paid_out", {"forfeited": {"bonus": 2000}, "paid_out": {"principal": 10000}}, "paid_out"),
        ("waived", {"forfeited": {"bonus": 2000}, "waived": {"principal": 10000}}, "expired"),
    ],
)
def test_stored_value_is_paid_out_or_waived_and_bonus_is_forfeited(said, answer, account):
    shop = Ledger(edition(SHOP))
    shop.all(told(TOPPED_UP, "ada", key="up", id="t1", amount=10000))
    assert shop.all(erased(stored_value=said)).answer == answer
    assert accounts(shop, "ada")["principal", account] == 10000


@pytest.mark.parametrize("said", [{}, {"stored_value": "kept"}])
def test_stored_value_that_nobody_said_anything_about_keeps_her_from_being_erased(said):
    shop = Ledger(edition(SHOP))
    shop.all(told(TOPPED_UP, "ada", key="up", id="t1", amount=10000))
    settled = shop.settle(erased(**said))
    assert settled.refused == Refused("value_left", {"asset": "principal", "amount": 10000})
    assert settled.member.status == "active"


def test_principal_stays_principal_when_a_later_version_has_no_stored_value():
    without = SHOP[: SHOP.index("stored_value:")].replace("  - {id: principal, kind: principal, scale: 2}\n", "")
    shop = Ledger(edition(SHOP), edition(without, version=2, effective_from=LATER))
    shop.all(told(TOPPED_UP, "ada", key="up", id="t1", amount=10000))
    refused = shop.settle(erased(when=LATER + 1)).refused
    assert refused is not None
    assert refused.code == "value_left"


def test_what_she_owes_is_forgiven():
    shop = Ledger(edition(SHOP))
    shop.all(order("ada", "o1", 5000), spent("ada", 50, key="s"))
    shop.all(told(ORDER_REFUNDED, "ada", key="r", order_id="o1"), erased())
    assert ("points", "debt") not in accounts(shop, "ada")
    assert accounts(shop, "ada")["points", "forgiven"] == -50


@pytest.mark.parametrize(
    "activity",
    [
        order("ada", "o9", 100, when=LATER),
        told(JOINED, "ada", key="j2", when=LATER),
        told(ORDER_REFUNDED, "ada", key="r", order_id="o1", when=LATER),
        told("walked", "ada", key="w", when=NOON - DAY),
        told(TIME_PASSED, "ada", key="clock", when=LATER),
        erased(when=LATER),
    ],
    ids=lambda activity: activity.type,
)
def test_whatever_is_told_of_her_later_is_refused_and_changes_nothing(activity):
    shop = shop_of_ada()
    gone = shop.all(erased()).member
    state = (gone.status, gone.now, gone.due_at, gone.purses, gone.joined_at)
    settled = shop.settle(activity)
    assert settled == Settled(settled.member, type(settled.effects)(), {}, Refused("member_erased", {}))
    assert (gone.status, gone.now, gone.due_at, gone.purses, gone.joined_at) == state
    assert gone.seq == 7


def test_nothing_can_be_sent_to_her():
    shop = shop_of_ada()
    shop.all(erased(), given("bob", 10, key="g"), told(COUPON_ISSUED, "bob", key="c9", template="ten"))
    coupon = next(iter(shop.members["bob"].coupons))
    for key, payload in (("t1", {"asset": "points", "amount": 5}), ("t2", {"coupon": coupon})):
        what = ASSET_TRANSFERRED if "asset" in payload else COUPON_GIVEN
        refused = shop.settle(told(what, "bob", key=key, to_member="ada", **payload)).refused
        assert refused == Refused("member_erased", {"member": "ada"})
    assert shop.balance("bob") == 10


def test_another_may_be_called_what_she_was_called():
    shop = shop_of_ada()
    shop.all(erased(), told(JOINED, "bob", key="jb", identities={"card": "7"}))


def test_nobody_is_erased_in_the_past():
    shop = shop_of_ada()
    settled = shop.all(erased(when=NOON - DAY))
    assert {entry.occurred_at for entry in settled.effects.entries} == {NOON}
