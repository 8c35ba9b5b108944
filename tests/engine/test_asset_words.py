"""The rules of an asset, told in three languages."""

import pytest

from shuke.engine.asset_words import rules_in_words
from shuke.program.document import read

PROGRAM = read("""
id: shop
currency: TWD
zone: Asia/Taipei
assets:
  - id: points
    unit: {en: point, zh-Hant: 點, zh-Hans: 积分}
    scale: 1
    pending: 7 days
    validity: {after: 1 years, to_end_of: month}
    validity_by_tier: {ladder: club, tiers: [gold, black], validity: never}
    redemption: {worth: 1, per: 100, minimum_cart: 500, maximum_share_percent: 30, step: 100, minimum: 200,
                 lines: "line.category != tobacco"}
    transfer: {minimum: 10, maximum_per_day: 500}
    on_refund: forfeit
  - {id: growth, kind: qualifying, validity: {inactivity: 18 months}}
  - {id: cash, kind: principal, scale: 2}
  - {id: extra, kind: bonus, scale: 2, validity: {on: {month: 3, day: 31, years_later: 2}}, spend_order: oldest}
ladders:
  - id: club
    title: {en: Club, zh-Hant: 俱樂部, zh-Hans: 俱乐部}
    tiers: [{id: base}, {id: gold}, {id: black}]
stored_value: {principal: cash, bonus: extra}
""")

TOLD = {
    "en": {
        "points": [
            "Can be spent.",
            "100.0 points pay 1.00 in a cart of at least 500.00, at most 30% of it, in steps of 100.0 points, "
            "200.0 points or more.",
            "Only these lines can be paid with it: line.category != tobacco.",
            "Can be spent 7 days after it came.",
            "Ends with the month, 1 year after it came.",
            "For gold, black of Club: Does not end.",
            "What ends soonest is spent first.",
            "Members may give it to each other, at least 10.0 points and at most 500.0 points a day; it keeps its "
            "dates.",
            "When an order comes back, what it had given and was spent since is owed.",
            "What paid for an order that comes back is not given back.",
            "Members are told 30, 7, 1 days before it ends.",
        ],
        "growth": [
            "Counts for tiers and cannot be spent.",
            "All of it ends after 18 months without activity.",
        ],
        "cash": [
            "Stored value that was paid for.",
            "Does not end.",
            "What ends soonest is spent first.",
            "When an order comes back, what it had given and was spent since is owed.",
        ],
        "extra": [
            "Stored value that was given on top.",
            "Ends after 03-31 of the year in which it came, plus 2 years.",
            "What came first is spent first.",
            "When an order comes back, what it had given and was spent since is owed.",
            "Members are told 30, 7, 1 days before it ends.",
        ],
    },
    "zh-Hant": {
        "points": [
            "可以使用。",
            "購物車滿 500.00，每 100.0 點折抵 1.00，最多折抵 30%，以 100.0 點為單位，至少 200.0 點。",
            "只能折抵這些明細：line.category != tobacco。",
            "入帳 7 天後才能使用。",
            "自入帳起 1 年後的月底到期。",
            "「俱樂部」的 gold、black：不會到期。",
            "先到期的先使用。",
            "會員之間可以轉贈，至少 10.0 點，每日最多 500.0 點；效期不變。",
            "訂單退回時，已用掉的回饋記為欠點。",
            "用來折抵的訂單退回時，不予返還。",
            "到期前 30、7、1 天通知會員。",
        ],
        "extra": [
            "儲值時贈送的金額。",
            "效期到入帳當年再加 2 年的 03-31 為止。",
            "先入帳的先使用。",
            "訂單退回時，已用掉的回饋記為欠點。",
            "到期前 30、7、1 天通知會員。",
        ],
    },
    "zh-Hans": {
        "growth": ["只用于等级计算，不能使用。", "18 个月没有往来时全部过期。"],
    },
}


@pytest.mark.parametrize(("locale", "asset"), [(locale, asset) for locale, told in TOLD.items() for asset in told])
def test_the_rules_of_an_asset_are_told_in_words(locale, asset):
    found = next(found for found in PROGRAM.assets if found.id == asset)
    assert rules_in_words(found, PROGRAM, locale) == TOLD[locale][asset]


VALIDITIES = [
    ("{after: 30 days}", "Ends 30 days after it came."),
    ("{after: 30 days, from: ripened}", "Ends 30 days after it ripened."),
    ("{to_end_of: quarter}", "Ends with the quarter in which it came."),
    ("{on: {month: 12, day: 31, years_later: 0}}", "Ends after 12-31 of the year in which it came."),
    ("{first_of_month: 25}", "Ends when month 25 begins, counting the one in which it came as the first."),
]


@pytest.mark.parametrize(("validity", "told"), VALIDITIES)
def test_every_kind_of_validity_has_its_sentence(validity, told):
    program = read(f"id: s\ncurrency: USD\nzone: UTC\nassets: [{{id: points, validity: {validity}}}]")
    assert told in rules_in_words(program.assets[0], program, "en")
