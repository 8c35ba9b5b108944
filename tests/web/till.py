"""A tea shop to sell in over HTTP: tiers, coupons, points and stored value meet on one cart.

Amounts are in cents (USD), points in whole points.
"""

from __future__ import annotations

from typing import Any

from tests.web.conftest import Door

TEAHOUSE = """
id: teahouse
title: {en: Tea Friends, zh-Hant: 茶友會, zh-Hans: 茶友会}
currency: USD
zone: Asia/Taipei
locales: [en, zh-Hant, zh-Hans]
hold_minutes: 30
assets:
  - id: points
    title: {en: Points, zh-Hant: 點數, zh-Hans: 积分}
    unit: {en: point, zh-Hant: 點, zh-Hans: 积分}
    redemption: {worth: 1, minimum_cart: 20}
  - {id: cash, title: Wallet, kind: principal, scale: 2}
stored_value: {principal: cash}
earning:
  - {id: base, title: A point for every dollar, asset: points, give: {per: {amount: 1, points: 1}}, net_of: [points]}
  - {id: first, asset: points, give: {fixed: 50}, when: "orders(lifetime) = 1"}
ladders:
  - id: club
    tiers: [{id: base, title: Guest}, {id: gold, title: {en: Gold, zh-Hant: 金卡}, entry: "spend(lifetime) >= 500"}]
benefits:
  - {id: gold-five, for: {ladder: club, tiers: [gold]}, percent_off: 5}
  - {id: gold-ship, title: Ships free, for: {ladder: club, tiers: [gold]}, free_shipping: true}
coupons:
  - {id: ten, title: {en: Ten off}, give: {amount_off: 10}, codes: shared, code: TEN-OFF, limits: {redeemed_total: 1}}
  - {id: once, title: Five off, give: {amount_off: 5}, category: five, codes: unique}
  - {id: big, title: {en: Big spender}, give: {percent: 20}, minimum_spend: 300}
prices:
  promotions:
    - {id: ware, title: {en: Ware week, zh-Hant: 茶具週}, give: {percent: "12.5"}, lines: line.category = ware}
    - id: save
      title: {en: Spend and save, zh-Hant: 滿額折}
      give: {spend_and_save: {table: [{at_least: 200, off: 20}]}}
"""

LINES: list[dict[str, Any]] = [
    {"sku": "tea", "category": "tea", "quantity": 2, "amount": 100_00, "attributes": {"title": "Green tea"}},
    {"sku": "cup", "category": "ware", "amount": 33_33},
]


async def settled(answer: Any) -> dict[str, Any]:
    """The body of an answer that must be no refusal."""
    assert answer.is_success, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def endow(door: Door, member: str = "ann", *, points: int = 0, cash: int = 0, gold: bool = False) -> None:
    """Make a member who has so much; with ``gold``, by an order of 500 dollars."""
    if gold:
        order = {"order_id": f"old-{member}", "member_id": member, "lines": [{"amount": 500_00}]}
        await settled(await door.post("/v1/orders", json=order))
    if points:
        given = {"member_id": member, "asset": "points", "amount": points, "reason": "test"}
        await settled(await door.post("/v1/points/earn", json=given))
    if cash:
        top_up = {"member_id": member, "top_up": f"t-{member}", "amount": cash}
        await settled(await door.post("/v1/stored-value/top-ups", json=top_up))


def cart(*lines: dict[str, Any], member: str | None = "ann", **more: Any) -> dict[str, Any]:
    """The body that tells a cart of these lines (by default of tea and a cup)."""
    told: dict[str, Any] = {"lines": list(lines) or LINES, **more}
    return told if member is None else {"member_id": member, **told}


def held(*lines: dict[str, Any], member: str = "ann", hold: str = "h-1", **more: Any) -> dict[str, Any]:
    """The body that holds a cart."""
    return cart(*lines, member=member, **{"order_id": "o-1", "hold": hold, **more})
