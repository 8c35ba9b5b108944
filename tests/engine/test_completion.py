"""Orders that are completed after part of them came back, and refunded after that; limits and versions between."""

import pytest

from shuke.engine.activity import (
    ORDER_COMPLETED,
    ORDER_PAID,
    ORDER_REFUNDED,
    UPDATED,
    Activity,
    Line,
    Payments,
    Purchase,
)
from shuke.values.instants import DAY
from tests.shop import NOON, Ledger, edition, given, order, spent, told

SHOP = """
id: shop
currency: USD
zone: Asia/Taipei
measures: [{id: delivered, on: [order.completed]}]
assets:
  - {id: points, redemption: {worth: 0.01}, expiry_notice_days: []}
earning:
  - {id: seen, on: visited, asset: points, give: {fixed: 1}, when: "delivered(lifetime) > 0"}
"""


def rule(text):
    return SHOP + f"  - {text}\n"


def completed(order_id, *, when=NOON, key="done"):
    return told(ORDER_COMPLETED, "ada", key=key, when=when, order_id=order_id)


def refunded(order_id, *, key, when=NOON, **what):
    return told(ORDER_REFUNDED, "ada", key=key, when=when, order_id=order_id, **what)


GIVES = ["{fixed: 60}", "{per: {amount: 1, points: 1}}", "{per_item: 7}"]


@pytest.mark.parametrize("give", GIVES)
@pytest.mark.parametrize("parts", [[{"amount": 4000}], [{"lines": [{"line": 1}]}], [{"amount": 1}, {"amount": 3333}]])
def test_what_a_completion_gave_for_the_rest_leaves_with_the_rest(give, parts):
    shop = Ledger(edition(rule(f"{{id: done, on: order.completed, asset: points, give: {give}}}")))
    shop.all(order("ada", "o1", Line(5000, 2), 4000, 1000))
    for number, part in enumerate(parts):
        shop.all(refunded("o1", key=f"r{number}", **part))
    shop.all(completed("o1"))
    assert shop.balance("ada") > 0
    shop.all(refunded("o1", key="some", amount=1234), refunded("o1", key="rest"))
    assert shop.balance("ada") == 0
    assert shop.members["ada"].series["delivered"].base == 0


def test_points_that_were_returned_do_not_count_against_what_a_completion_earns():
    shop = Ledger(edition(rule("{id: done, on: order.completed, asset: points, give: {per: {amount: 1, points: 1}}}")))
    shop.all(given("ada", 5000, key="g"))
    purchase = Purchase("o1", [Line(6000), Line(4000)], uses=Payments(points={"points": 5000}))
    shop.all(Activity(ORDER_PAID, "ada", NOON, "test", "o1", None, purchase))
    shop.all(refunded("o1", key="r", lines=[{"line": 1}]))
    # Of 40.00 that are left, 20.00 were paid with points.
    assert shop.all(completed("o1")).answer["earned"] == {"points": 20}


def test_an_order_that_is_back_entirely_is_not_completed_any_more():
    shop = Ledger(edition(rule("{id: done, on: order.completed, asset: points, give: {fixed: 10}}")))
    shop.all(order("ada", "o1", 5000), refunded("o1", key="r"))
    refused = shop.settle(completed("o1")).refused
    assert (refused.code, refused.facts) == ("order_refunded", {"order_id": "o1"})


def test_a_refund_frees_the_limit_of_the_month_in_which_the_order_was_completed():
    text = "{id: done, on: order.completed, asset: points, give: {fixed: 10}, limits: {per_month: 10}}"
    shop = Ledger(edition(rule(text)))
    later = NOON + 40 * DAY
    shop.all(order("ada", "o1", 5000), order("ada", "o2", 5000))
    shop.all(completed("o1", when=later), refunded("o1", key="r", when=later))
    assert shop.all(completed("o2", when=later, key="done2")).answer["earned"] == {"points": 10}


def test_a_budget_gets_back_what_it_gave_and_nothing_else():
    """The limit is that of the version under which the value was given, not of the one of the order."""
    limited = rule("{id: done, on: order.completed, asset: points, give: {fixed: 10}, limits: {total: 15}}")
    free = limited.replace(", limits: {total: 15}", "")
    for first, second, taken in ((limited, free, None), (free, limited, 10)):
        shop = Ledger(edition(first), edition(second, version=2, effective_from=NOON + DAY))
        shop.all(order("ada", "o1", 5000), completed("o1", when=NOON + 2 * DAY))
        assert shop.taken.get("earning/done") == taken
        shop.all(refunded("o1", key="r", when=NOON + 3 * DAY))
        assert shop.taken.get("earning/done", 0) == 0


def test_value_given_by_a_later_version_can_be_taken_back_though_the_order_was_older_than_its_asset():
    second = rule("{id: done, on: order.completed, asset: hearts, give: {fixed: 10}}")
    second = second.replace("assets:\n", "assets:\n  - {id: hearts, clawback: debt}\n")
    shop = Ledger(edition(SHOP), edition(second, version=2, effective_from=NOON + DAY))
    paid = Activity(ORDER_PAID, "ada", NOON, "test", "o1", None, Purchase("o1", [Line(100)]))
    shop.all(paid, completed("o1", when=NOON + 2 * DAY), spent("ada", 10, key="s", asset="hearts", when=NOON + 2 * DAY))
    shop.all(refunded("o1", key="r", when=NOON + 3 * DAY))
    assert shop.members["ada"].purses["hearts"].debt == 10


def test_a_late_fact_under_an_older_version_does_not_hide_what_a_newer_one_lets_end():
    newer = SHOP.replace("assets:\n", "assets:\n  - {id: hearts, validity: {after: 3 days}, expiry_notice_days: []}\n")
    shop = Ledger(edition(SHOP), edition(newer, version=2, effective_from=NOON + DAY))
    shop.all(given("ada", 7, key="g", asset="hearts", when=NOON + 2 * DAY))
    due = shop.members["ada"].due_at
    shop.all(order("ada", "late", 100))
    assert shop.members["ada"].due_at == due
    refused = shop.settle(spent("ada", 7, key="s", asset="hearts", when=NOON + 30 * DAY)).refused
    assert refused.code == "insufficient"


def test_a_tag_told_twice_is_there_once():
    shop = Ledger()
    shop.all(told(UPDATED, "ada", key="u1", tags=["a", "b", "a"]), told(UPDATED, "ada", key="u2", tags=["b", "c"]))
    assert shop.members["ada"].tags == ["a", "b", "c"]
