"""A program with something of everything, for tests that go through all doors."""

PROGRAM = """
id: everything
currency: USD
zone: Asia/Taipei
locales: [en, zh-Hant, zh-Hans]
announce: [asset.expiring, coupon.issued, tier.raised, tier.dropped, order.settled]
profile:
  traits:
    - {id: city, title: {en: City, zh-Hant: 城市, zh-Hans: 城市}, type: text}
  purposes:
    - id: marketing
      title: {en: Offers, zh-Hant: 優惠訊息, zh-Hans: 优惠信息}
      channels: [email, line]
      text: {en: We may write to you., zh-Hant: 我們可以寫信給您。, zh-Hans: 我们可以给您写信。}
      version: "2026-11"
assets:
  - id: points
    title: {en: Points, zh-Hant: 點數, zh-Hans: 积分}
    validity: {after: 12 months}
    redemption: {worth: 0.01, minimum: 100, step: 100, maximum_share_percent: 50}
    transfer: {minimum: 1}
  - {id: cash, kind: principal, scale: 2}
  - {id: bonus, kind: bonus, scale: 2}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}}
  - {id: hello, on: checked_in, asset: points, give: {fixed: 5}, limits: {times_per_day: 1}}
ladders:
  - id: club
    title: {en: Club, zh-Hant: 俱樂部, zh-Hans: 俱乐部}
    term: 12 months
    tiers:
      - {id: base}
      - {id: gold, title: {en: Gold, zh-Hant: 金卡, zh-Hans: 金卡}, entry: "spend(12 months) >= 300"}
coupons:
  - {id: welcome, claimable: true, give: {percent: 10}, valid: {lasts: 30 days}, limits: {total: 1000, per_member: 2}}
  - {id: printed, give: {amount_off: 5}, codes: unique, limits: {total: 1000}}
stored_value:
  principal: cash
  bonus: bonus
  offers:
    - {id: summer, pay: 100, bonus: 20}
"""
