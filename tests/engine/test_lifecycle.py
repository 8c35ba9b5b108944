"""Active, dormant, frozen, left: what changes it, and what it changes."""

import pytest

from shuke.engine.activity import (
    COUPON_CLAIMED,
    FROZEN,
    JOINED,
    LEFT,
    ORDER_REFUNDED,
    RETURNED,
    TAGGED,
    UNFROZEN,
    Activity,
    Line,
    Payments,
    Purchase,
)
from shuke.engine.effects import Refused
from shuke.engine.quote import quote
from shuke.values.instants import DAY, NEVER
from tests.shop import NOON, Ledger, at, edition, given, order, passed, spent, told

LIVING = """
id: living
currency: USD
zone: Asia/Taipei
assets: [{id: points, transfer: {minimum: 1}, redemption: {worth: 0.01}}]
profile:
  dormancy: {after: 6 months}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}}
  - {id: miss-you, on: member.dormant, asset: points, give: {fixed: 5}}
  - {id: back, on: member.woke, asset: points, give: {fixed: 7}}
ladders:
  - {id: club, tiers: [{id: base}, {id: gold, entry: spend(lifetime) >= 100}]}
benefits:
  - {id: gold, for: {ladder: club, tiers: [gold]}, upgrade_gift: {asset: points, amount: 1000}}
coupons:
  - {id: ten, claimable: true, give: {percent: 10}}
"""
ASLEEP = at("2026-11-01")
LATER = NOON + DAY


def shop(text: str = LIVING) -> Ledger:
    shop = Ledger(edition(text))
    shop.all(told(JOINED, "ann", key="j"), given("ann", 50, key="g"))
    return shop


def frozen(key: str = "f", *, when: int = LATER) -> Activity:
    return told(FROZEN, "ann", key=key, when=when, reason="a stolen card")


def code_of(refused: Refused | None) -> str | None:
    return None if refused is None else refused.code


# -- Dormant ----------------------------------------------------------------------------------------------


def test_who_does_nothing_for_the_time_the_program_says_is_dormant_from_that_midnight_on():
    ann = shop()
    assert ann.members["ann"].due_at == ASLEEP
    ann.all(passed("ann", ASLEEP - 1))
    assert ann.members["ann"].status == "active"
    ann.all(passed("ann", ASLEEP))
    member = ann.members["ann"]
    assert (member.status, member.status_since, member.due_at) == ("dormant", ASLEEP, NEVER)
    assert ann.balance("ann") == 55  # a rule that answers her falling asleep


def test_what_others_do_to_her_does_not_keep_her_awake_and_what_she_does_does():
    ann = shop()
    ann.all(
        told(TAGGED, "ann", key="t", when=at("2026-08-01"), tags=["x"]), given("ann", 1, key="h", when=at("2026-08-01"))
    )
    assert ann.members["ann"].due_at == ASLEEP
    ann.all(order("ann", "o1", 100, when=at("2026-08-01T12:00")))
    assert ann.members["ann"].due_at == at("2027-02-01")


def test_the_next_thing_she_does_wakes_her_also_where_the_clock_never_came_by():
    ann = shop()
    ann.all(order("ann", "o1", 100, when=ASLEEP + 9 * DAY))
    assert ann.members["ann"].status == "active"
    assert ann.balance("ann") == 50 + 5 + 7 + 1


def test_a_purchase_told_late_wakes_her_if_she_would_not_have_slept():
    ann = shop()
    ann.all(passed("ann", ASLEEP + DAY), order("ann", "o1", 100, when=NOON + 2 * DAY))
    assert ann.members["ann"].status == "active"
    asleep = shop()
    asleep.all(passed("ann", ASLEEP + 9 * DAY), order("ann", "o1", 100, when=NOON + DAY))
    assert asleep.members["ann"].status == "dormant"


def test_a_program_may_say_what_keeps_a_member_awake():
    ann = shop(LIVING.replace("after: 6 months", "after: 6 months, on: [checked_in]"))
    ann.all(order("ann", "o1", 100, when=at("2026-08-01")))
    assert ann.members["ann"].due_at == ASLEEP
    ann.all(told("checked_in", "ann", key="c", when=at("2026-08-01T12:00")))
    assert ann.members["ann"].due_at == at("2027-02-01")


def test_nobody_sleeps_on_the_day_on_which_a_program_that_knows_sleep_is_published():
    before = edition(LIVING.replace("  dormancy: {after: 6 months}\n", "  closed: false\n"))
    since = at("2028-01-01")
    ledger = Ledger(before, edition(LIVING, version=2, effective_from=since))
    ledger.all(told(JOINED, "ann", key="j"), passed("ann", since + DAY))
    assert (ledger.members["ann"].status, ledger.members["ann"].due_at) == ("active", at("2028-07-01"))


def test_a_shorter_time_puts_to_sleep_on_the_day_it_comes_into_force():
    since = at("2026-09-01")
    shorter = edition(LIVING.replace("6 months", "1 months"), version=2, effective_from=since)
    ledger = Ledger(edition(LIVING), shorter)
    ledger.all(told(JOINED, "ann", key="j"), passed("ann", since))
    assert (ledger.members["ann"].status, ledger.members["ann"].status_since) == ("dormant", since)


def test_where_the_program_knows_no_sleep_nobody_sleeps_and_nothing_is_kept_of_it():
    ann = shop(LIVING.replace("  dormancy: {after: 6 months}\n", "  closed: false\n"))
    ann.all(passed("ann", NOON + 9000 * DAY))
    assert (ann.members["ann"].status, ann.members["ann"].awake_at) == ("active", 0)


# -- Frozen and left --------------------------------------------------------------------------------------


def using(**uses: object) -> Purchase:
    return Purchase("o9", [Line(9000, list_amount=9000)], uses=Payments(**uses), priced=False)


SPENDINGS = [
    spent("ann", 5, key="s", when=LATER),
    told("asset.held", "ann", key="s", when=LATER, asset="points", amount=5, hold="h"),
    told("asset.transferred", "ann", key="s", when=LATER, asset="points", amount=5, to_member="bob"),
    told(COUPON_CLAIMED, "ann", key="s", when=LATER, template="ten"),
    Activity("order.paid", "ann", LATER, "test", "s", None, using(points={"points": 5})),
    Activity("cart.held", "ann", LATER, "test", "s", {"hold": "h"}, using()),
]


@pytest.mark.parametrize("spending", SPENDINGS, ids=lambda activity: activity.type)
@pytest.mark.parametrize(("type_", "code"), [(FROZEN, "member_frozen"), (LEFT, "member_left")])
def test_who_is_frozen_or_has_left_uses_nothing(spending: Activity, type_: str, code: str):
    ann = shop()
    ann.all(told(type_, "ann", key="f", when=LATER, reason="so"))
    settled = ann.settle(spending)
    assert settled.refused is not None
    assert (settled.refused.code, settled.refused.facts) == (code, {"since": LATER})
    assert ann.balance("ann") == 50


@pytest.mark.parametrize("spending", SPENDINGS, ids=lambda activity: activity.type)
def test_a_program_may_let_who_is_frozen_use_what_she_has(spending: Activity):
    ann = shop(LIVING.replace("profile:", "profile:\n  frozen: {spend: true}"))
    ann.all(frozen(), spending)


def test_who_is_frozen_earns_nothing_and_what_she_did_is_counted():
    ann = shop()
    ann.all(frozen(), order("ann", "o1", 10_000, when=LATER))
    assert (ann.balance("ann"), ann.members["ann"].tiers["club"]) == (50, "base")
    ann.all(told(UNFROZEN, "ann", key="u", when=LATER + DAY), order("ann", "o2", 100, when=LATER + DAY))
    assert ann.members["ann"].tiers["club"] == "gold"
    assert ann.balance("ann") == 50 + 1 + 1000


def test_a_program_may_let_who_is_frozen_earn():
    ann = shop(LIVING.replace("profile:", "profile:\n  frozen: {earn: true}"))
    ann.all(frozen(), order("ann", "o1", 1000, when=LATER))
    assert ann.balance("ann") == 60


def test_what_was_on_hold_before_is_paid_and_refunds_go_through():
    ann = shop()
    ann.all(Activity("cart.held", "ann", LATER, "test", "h", {"hold": "h"}, using(points={"points": 5})), frozen())
    ann.all(Activity("order.paid", "ann", LATER, "test", "p", None, Purchase("o9", [], hold="h", priced=False)))
    assert ann.balance("ann") == 45
    ann.all(told(ORDER_REFUNDED, "ann", key="r", when=LATER, order_id="o9"))
    assert ann.balance("ann") == 50


@pytest.mark.parametrize(("uses", "code"), [({"points": {"points": 5}}, "member_frozen"), ({}, None)])
def test_a_quote_for_who_is_frozen_prices_and_promises_nothing(uses: dict, code: str | None):
    ann = shop()
    ann.all(frozen())
    found = quote(ann.editions, ann.members["ann"], using(**uses), at=LATER)
    if code is not None:
        assert code_of(found) == code
    else:
        assert not isinstance(found, Refused)
        assert (found.earns, found.earning) == ({}, [])


@pytest.mark.parametrize(
    ("before", "type_", "code"),
    [
        ([], FROZEN, None),
        ([], UNFROZEN, "not_frozen"),
        ([], LEFT, None),
        ([], RETURNED, "not_left"),
        ([FROZEN], FROZEN, "member_frozen"),
        ([FROZEN], UNFROZEN, None),
        ([FROZEN], LEFT, None),
        ([FROZEN], RETURNED, "not_left"),
        ([LEFT], FROZEN, "member_left"),
        ([LEFT], LEFT, "member_left"),
        ([LEFT], RETURNED, None),
        ([LEFT], UNFROZEN, "not_frozen"),
    ],
)
def test_each_status_follows_from_those_it_may(before: list[str], type_: str, code: str | None):
    ann = shop()
    for number, one in enumerate(before):
        ann.all(told(one, "ann", key=f"b{number}", when=LATER, reason="so"))
    assert code_of(ann.settle(told(type_, "ann", key="x", when=LATER, reason="so")).refused) == code


def test_nobody_is_frozen_without_a_reason():
    assert code_of(shop().settle(told(FROZEN, "ann", key="f")).refused) == "reason_missing"


def test_who_is_let_in_again_has_not_slept_meanwhile():
    ann = shop()
    ann.all(frozen(), told(UNFROZEN, "ann", key="u", when=at("2029-05-01T12:00")))
    assert (ann.members["ann"].status, ann.members["ann"].due_at) == ("active", at("2029-11-01"))
