"""No number grows beyond what a door can tell, whatever is told and whatever a program gives; and what is paid is
settled all the same."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec import json

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.effects import Settled
from shuke.engine.measures import PAYLOAD_MOST
from shuke.engine.member import pack
from shuke.engine.orders import pack_order
from shuke.engine.refusals import sentence, why_skipped
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import DAY
from tests.shop import NOON, Ledger, edition, told

GENEROUS = edition("""
id: generous
currency: USD
zone: Asia/Taipei
assets:
  - {id: points, transfer: {minimum: 1}, redemption: {worth: 0.01}}
  - {id: stars, scale: 2, carry_fractions: true, pending: 3 days, validity: {after: 30 days}}
  - {id: cash, kind: principal, scale: 4}
  - {id: bonus, kind: bonus, scale: 2}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 3}}}
  - {id: double, asset: points, give: {multiply: {by: 1000}}, when: "order.items > 5"}
  - {id: stars, asset: stars, give: {per: {amount: 3, points: 1000}}, limits: {per_day: 90000000000000}}
  - {id: ride, on: ride, asset: points, give: {per_unit: {of: activity.km, points: 1000000}}, limits: {per_day: 500}}
  - {id: far, on: ride, asset: stars, give: {per_unit: {of: activity.km, points: 7}}}
  - {id: done, on: order.completed, asset: points, give: {fixed: 4000000000000000}}
measures:
  - {id: km, kind: sum, of: payload.km, on: [ride]}
ladders:
  - id: main
    tiers:
      - {id: base}
      - {id: far, entry: "km(lifetime) >= 1000000 or earned(points, 12 months) >= 10"}
      - {id: rich, entry: "spend(30 days) >= 100000 or spend(lifetime) >= 900000"}
benefits:
  - {id: welcome, for: {ladder: main, tiers: [far, rich]}, upgrade_gift: {asset: points, amount: 8000000000000000}}
stored_value:
  principal: cash
  bonus: bonus
  offers: [{id: half, pay: 10, bonus: 45000000000000}]
""")

AMOUNTS = st.sampled_from([1, 10_00, 10**9, MAX_AMOUNT // 3, MAX_AMOUNT - 1, MAX_AMOUNT])
KILOMETRES: list[Any] = [1, "0.1", 1.2345678901234567e-05, -3, 1e300, -1e300, 10**12, "9" * 30, "1." + "3" * 18, "far"]
ACTS = st.tuples(
    st.integers(0, 12), st.sampled_from(["ada", "bob"]), AMOUNTS, st.sampled_from(KILOMETRES), st.integers(0, 9)
)


def activity(ledger: Ledger, no: int, act: tuple[int, str, int, Any, int]) -> Activity:
    kind, member, amount, km, which = act
    when = NOON + no * DAY // 3
    other = "bob" if member == "ada" else "ada"
    orders = [order_id for owner, order_id in ledger.orders if owner == member]
    about = orders[which % len(orders)] if orders else "none"
    spend = about.removeprefix("spend:")
    match kind:
        case 0 | 1 | 2:
            uses = (
                {"points": {"points": min(amount, ledger.balance(member))}}
                if kind == 2 and member in ledger.members
                else None
            )
            lines = [Line(amount, which + 1), Line(which, 1)]
            purchase = Purchase(f"o{no}", lines, uses=Payments(**uses) if uses else None, priced=uses is None)
            return Activity(of.ORDER_PAID, member, when, "test", f"k{no}", None, purchase)
        case 3:
            return told("ride", member, key=f"k{no}", when=when, km=km)
        case 4:
            return told(of.ASSET_GRANTED, member, key=f"k{no}", when=when, asset="points", amount=amount, reason="x")
        case 5:
            return told(of.TOPPED_UP, member, key=f"k{no}", when=when, id=f"t{no}", amount=amount)
        case 6:
            return told(
                of.ASSET_TRANSFERRED, member, key=f"k{no}", when=when, asset="points", amount=amount, to_member=other
            )
        case 7:
            return told(of.ASSET_SPENT, member, key=f"k{no}", when=when, asset="points", amount=amount, id=f"s{no}")
        case 8:
            return told(of.ASSET_SPEND_REVERSED, member, key=f"k{no}", when=when, id=spend)
        case 9:
            return told(of.ORDER_CANCELLED, member, key=f"k{no}", when=when, order_id=about)
        case 10:
            return told(of.ORDER_REOPENED, member, key=f"k{no}", when=when, order_id=about)
        case 11:
            return told(of.ORDER_COMPLETED, member, key=f"k{no}", when=when, order_id=about)
    return told(of.ORDER_REFUNDED, member, key=f"k{no}", when=when, order_id=about, amount=which + 1)


def assert_bounded(ledger: Ledger, settled: Settled) -> None:
    for member in ledger.members.values():
        pack(member)
        for purse in member.purses.values():
            assert 0 <= purse.available + purse.pending + purse.held <= MAX_AMOUNT
            assert 0 <= purse.debt <= MAX_AMOUNT
        for id_, series in member.series.items():
            most = PAYLOAD_MOST if id_ == "km" else MAX_AMOUNT
            assert all(abs(total) <= most for total in (series.base, *series.totals))
    for order in ledger.orders.values():
        pack_order(order)
    for entries in ledger.entries.values():
        assert all(0 < entry.amount <= MAX_AMOUNT for entry in entries)
        json.encode([entry.why for entry in entries])
    json.encode(settled.answer)
    for skipped in settled.answer.get("skipped", []):
        assert why_skipped(skipped, GENEROUS.document, "en")


@given(st.lists(ACTS, min_size=1, max_size=25))
def test_no_number_passes_its_ceiling_and_every_order_that_is_paid_is_settled(acts) -> None:
    ledger = Ledger(GENEROUS)
    for no, act in enumerate(acts):
        asked = activity(ledger, no, act)
        purchase = asked.purchase
        settled = ledger.settle(asked)
        assert_bounded(ledger, settled)
        if settled.refused is not None:
            json.encode(settled.refused.facts)
            assert sentence(settled.refused, GENEROUS.document, "en")
            if purchase is not None and sum(line.amount for line in purchase.lines) <= MAX_AMOUNT:
                assert settled.refused.code in ("points_not_applicable", "insufficient")
    # What left members and did not arrive is nowhere: transit is empty.
    transit = 0
    for entries in ledger.entries.values():
        for entry in entries:
            transit += entry.amount * ((entry.credit == "transit") - (entry.debit == "transit"))
    assert transit == 0
