"""A shop that uses everything at once, for machines that look for a way to break it.

Points expire and are owed when clawed back; stars ripen first and are forgiven; miles end with inactivity and
are withheld from refunds; growth only counts. From the twentieth day on another version is in force.
"""

from __future__ import annotations

from shuke.engine.compiled import Compiled
from shuke.values.instants import DAY
from tests.shop import NOON, edition

FIRST = """
id: rich
currency: USD
zone: America/New_York
hold_minutes: 600
assets:
  - {id: points, validity: {after: 20 days}, redemption: {worth: 0.01}, transfer: {minimum: 1},
     expiry_notice_days: [7, 1]}
  - {id: stars, scale: 1, validity: {after: 1 months, to_end_of: month}, pending: 3 days, spend_order: oldest,
     clawback: forgive, restored_after_expiry: renew, redemption: {worth: 0.1}, transfer: {minimum: 1, dates: renew}}
  - {id: miles, validity: {inactivity: 15 days}, spend_order: newest, clawback: refund, redemption: {worth: 0.05}}
  - {id: growth, kind: qualifying, carry_fractions: true}
  - {id: principal, kind: principal, scale: 2}
  - {id: bonus, kind: bonus, scale: 2, validity: {after: 40 days}}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 3}}}
  - {id: coffee, asset: points, give: {per_item: 5}, lines: "line.category = coffee",
     limits: {per_day: 40, per_month: 90}}
  - {id: double, asset: points, give: {multiply: {by: 1.5, rules: [base]}}, when: "tier(main) >= gold"}
  - {id: stars, asset: stars, give: {per: {amount: 2, points: 0.7}}}
  - {id: miles, asset: miles, give: {fixed: 25}, when: "order.amount >= 20", limits: {times_per_day: 2}}
  - {id: growth, asset: growth, give: {per: {amount: 3, points: 1}}}
  - {id: delivered, on: order.completed, asset: points, give: {per: {amount: 2, points: 1}}}
  - {id: thanks, on: order.completed, asset: miles, give: {fixed: 4}, limits: {per_month: 10}}
  - {id: visit, on: visited, asset: stars, give: {fixed: 1}, limits: {times_per_day: 1}}
  - {id: budget, asset: points, give: {fixed: 9}, limits: {total: 120}}
ladders:
  - id: main
    tiers: [{id: base}, {id: silver, entry: "spend(30 days) >= 60"}, {id: gold, entry: "spend(30 days) >= 200"}]
    term: 25 days
    cooldown: 10 days
coupons:
  - {id: ten, give: {percent: 10}, valid: {lasts: 12 days}, limits: {total: 9, redeemed_total: 5}}
  - {id: printed, give: {percent: 10}, codes: unique, transferable: true,
     limits: {total: 7, per_member: 4, redeemed_total: 4}}
  - {id: cash, give: {voucher: 30}, codes: unique, transferable: true, valid: {lasts: 15 days}}
stored_value:
  principal: principal
  bonus: bonus
  offers: [{id: hundred, pay: 100, bonus: 20}]
"""

SECOND = (
    FIRST.replace("points: 3}", "points: 2}")
    .replace("after: 20 days", "after: 30 days")
    .replace("{id: visit,", "{id: callers,")
    .replace(
        "  - {id: growth, kind",
        "  - {id: hearts, validity: {after: 5 days}, redemption: {worth: 0.01}}\n  - {id: growth, kind",
    )
    .replace("  - {id: budget,", "  - {id: hearts, asset: hearts, give: {fixed: 30}}\n  - {id: budget,")
)

CHANGES_AT = NOON + 20 * DAY


def editions() -> list[Compiled]:
    """Both versions, compiled."""
    return [edition(FIRST), edition(SECOND, version=2, effective_from=CHANGES_AT)]
