"""Differences between two versions of a program: what changed, in words, and who gains by it."""

import pytest

from shuke.program.differences import Change, diff
from shuke.program.document import read

SHOP = """
id: shop
currency: TWD
currency_scale: 0
zone: Asia/Taipei
title: {en: Shop}
assets:
  - {id: points, validity: {after: 12 months}, redemption: {worth: 1, maximum_share_percent: 20}}
earning:
  - {id: base, asset: points, give: {per: {amount: 100, points: 1}}, limits: {per_day: 50}}
  - {id: lucky, asset: points, on: drawn, give: {fixed: 5}}
  - {id: double, asset: points, give: {multiply: {by: 2}}, when: "line.sku = a or order.amount >= 500"}
ladders:
  - id: main
    term: 12 months
    tiers:
      - {id: white}
      - {id: gold, entry: spend(12 months) >= 5000, keep: spend(term) >= 3000}
benefits:
  - {id: off, for: {ladder: main, tiers: [gold]}, percent_off: 5}
coupons:
  - {id: ten, give: {amount_off: 10}, minimum_spend: 100, valid: {lasts: 7 days}}
prices:
  promotions:
    - {id: sale, give: {percent: 10}}
"""


def changes(old: str, new: str) -> list[Change]:
    assert old in SHOP
    return diff(read(SHOP), read(SHOP.replace(old, new)))


def only_change(old: str, new: str) -> Change:
    (change,) = changes(old, new)
    return change


def test_a_program_does_not_differ_from_itself():
    assert diff(read(SHOP), read(SHOP)) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence", "effect"),
    [
        ("amount: 100, points: 1}", "amount: 80, points: 1}", "Rule base: 1 point per 100 → per 80 (better)", "better"),
        ("amount: 100, points: 1}", "amount: 100, points: 0.5}",
         "Rule base: 1 point per 100 → 0.5 points per 100 (worse)", "worse"),
        ("amount: 100, points: 1}", "amount: 200, points: 2}",
         "Rule base: 1 point per 100 → 2 points per 200", "neutral"),
        ("fixed: 5", "fixed: 6", "Rule lucky: 5 points → 6 points (better)", "better"),
        ("fixed: 5", "per_item: 6", "Rule lucky: 5 points → 6 points per item", "unknown"),
        ("by: 2", "by: 1.5", "Rule double: times 2 → times 1.5 (worse)", "worse"),
        ("per_day: 50", "per_day: 40", "Rule base: per day 50 → 40 (worse)", "worse"),
        ("per_day: 50", "per_month: 50", "Rule base: per day 50 → none (better)", "better"),
        (", limits: {per_day: 50}", "", "Rule base: limits per day 50 → none (better)", "better"),
        ("order.amount >= 500", "order.amount >= 400",
         "Rule double: when line.sku = a or order.amount >= 500 → line.sku = a or order.amount >= 400 (better)",
         "better"),
        ("spend(12 months) >= 5000", "spend(12 months) >= 6000",
         "Tier gold: entry spend(12 months) >= 5000 → >= 6000 (harder)", "worse"),
        ("spend(12 months) >= 5000", "spend(calendar year) >= 5000",
         "Tier gold: entry spend(12 months) >= 5000 → spend(calendar year) >= 5000", "unknown"),
        ("spend(term) >= 3000", "spend(term) >= 2000", "Tier gold: keep spend(term) >= 3000 → >= 2000 (easier)",
         "better"),
        ("    term: 12 months", "    term: {to_end_of: year, years_later: 1}",
         "Ladder main: term 12 months → to the end of the year, one year later (longer)", "better"),
        ("    term: 12 months", "    term: lifetime", "Ladder main: term 12 months → lifetime (longer)", "better"),
        ("after: 12 months", "after: 6 months", "Asset points: validity 12 months → 6 months (shorter)", "worse"),
        ("{after: 12 months}", "never", "Asset points: validity 12 months → never (longer)", "better"),
        ("{after: 12 months}", "{after: 12 months, to_end_of: year}",
         "Asset points: validity 12 months → 12 months, then to the end of the year (longer)", "better"),
        ("{after: 12 months}", "{on: {month: 6, day: 30}}",
         "Asset points: validity 12 months → to 30 June of the next year", "unknown"),
        ("maximum_share_percent: 20", "maximum_share_percent: 10",
         "Asset points: maximum share percent 20 → 10 (worse)", "worse"),
        ("percent_off: 5", "percent_off: 8", "Benefit off: percent off 5 → 8 (better)", "better"),
        ("tiers: [gold]", "tiers: [gold, white]", "Benefit off: tiers gold → gold, white (better)", "better"),
        ("amount_off: 10", "amount_off: 8", "Coupon ten: 10 off → 8 off (worse)", "worse"),
        ("minimum_spend: 100", "minimum_spend: 50", "Coupon ten: minimum spend 100 → 50 (better)", "better"),
        ("lasts: 7 days", "lasts: 1 months", "Coupon ten: lasts 7 days → 1 months (better)", "better"),
        ("percent: 10", "percent: {off: 10, at_most: 50}", "Promotion sale: 10 % off → 10 % off, at most 50 (worse)",
         "worse"),
        ("title: {en: Shop}", "title: {en: Store}", 'Program: title "Shop" → "Store"', "neutral"),
        ("zone: Asia/Taipei", "zone: Asia/Tokyo", "Program: zone Asia/Taipei → Asia/Tokyo", "unknown"),
    ],
)  # fmt: skip
def test_a_change_is_said_in_words_with_what_it_is_for_members(old: str, new: str, sentence: str, effect: str):
    found = changes(old, new)
    assert (found[0].sentence, found[0].effect) == (sentence, effect)
    assert {change.kind for change in found} == {"changed"}


def test_a_change_leads_to_its_place_in_the_new_document():
    change = only_change("spend(12 months) >= 5000", "spend(12 months) >= 6000")
    assert (change.path, change.chapter) == ("ladders[0].tiers[1].entry", "ladders")
    assert (change.before, change.after) == ("spend(12 months) >= 5000", ">= 6000")


RULE = "  - {id: lucky, asset: points, on: drawn, give: {fixed: 5}}\n"


def test_a_new_rule_and_one_that_is_gone_are_told_with_what_they_give():
    gone = only_change(RULE, "")
    assert (gone.kind, gone.path, gone.effect) == ("removed", "earning[1]", "worse")
    assert gone.sentence == "Rule lucky: gone, was 5 points on drawn"
    (new,) = diff(read(SHOP.replace(RULE, "")), read(SHOP))
    assert (new.kind, new.path, new.effect) == ("added", "earning[1]", "better")
    assert new.sentence == "Rule lucky: new, 5 points on drawn"


def test_the_order_of_rules_is_no_difference_but_the_order_of_tiers_is():
    moved = SHOP.replace(RULE, "").replace("earning:\n", f"earning:\n{RULE}")
    assert diff(read(SHOP), read(moved)) == []
    tiers = SHOP.replace("      - {id: white}\n", "").replace("benefits:", "      - {id: white}\nbenefits:")
    found = diff(read(SHOP.replace("{id: gold, entry", "{id: gold, term: 1 years, entry")),
                 read(tiers.replace("{id: gold, entry: spend(12 months) >= 5000, keep: spend(term) >= 3000}",
                                    "{id: gold, term: 1 years}")))  # fmt: skip
    assert [change.sentence for change in found][-1] == ("Ladder main: tiers from the lowest white, gold → gold, white")


def test_what_is_better_one_way_is_worse_the_other_way():
    other = read(
        SHOP.replace("amount: 100", "amount: 80").replace(">= 5000", ">= 4000").replace("fixed: 5", "fixed: 9")
    )
    there = {change.path: change.effect for change in diff(read(SHOP), other)}
    back = {change.path: change.effect for change in diff(other, read(SHOP))}
    assert set(there.values()) == {"better"}
    assert back == dict.fromkeys(there, "worse")


IN_CHINESE = [
    ("amount: 100, points: 1}", "amount: 80, points: 1}",
     "規則 base：每 100 得 1 points → 每 80（較有利）", "规则 base：每 100 得 1 points → 每 80（更有利）"),
    ("spend(12 months) >= 5000", "spend(12 months) >= 6000",
     "等級 gold：升等條件 spend(12 months) >= 5000 → >= 6000（較困難）",
     "等级 gold：升级条件 spend(12 months) >= 5000 → >= 6000（更难）"),
    ("    term: 12 months", "    term: {to_end_of: year, years_later: 1}",
     "等級體系 main：期限 12 個月 → 到一年後的年底（變長）", "等级体系 main：期限 12 个月 → 到一年后的年底（变长）"),
    ("{after: 12 months}", "{on: {month: 6, day: 30}}",
     "資產 points：效期 12 個月 → 到次年 6 月 30 日", "资产 points：有效期 12 个月 → 到次年 6 月 30 日"),
    ("after: 12 months}", "after: 12 months}, rounding: half_up",
     "資產 points：進位方式 無條件捨去 → 四捨五入", "资产 points：取整方式 向下取整 → 四舍五入"),
    ("lasts: 7 days", "lasts: 1 months",
     "優惠券 ten：效期 7 天 → 1 個月（較有利）", "优惠券 ten：有效期 7 天 → 1 个月（更有利）"),
    ("percent: 10", "percent: {off: 10, at_most: 50}",
     "促銷 sale：折扣 10% → 折扣 10%，最多 50（較不利）", "促销 sale：优惠 10% → 优惠 10%，最多 50（更不利）"),
    (RULE, "", "規則 lucky：刪除，原為 drawn 時：5 points", "规则 lucky：删除，原为 drawn 时：5 points"),
    ("maximum_share_percent: 20", "maximum_share_percent: 10",
     "資產 points：折抵上限百分比 20 → 10（較不利）", "资产 points：抵扣上限百分比 20 → 10（更不利）"),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "hant", "hans"), IN_CHINESE)
def test_a_change_is_told_in_the_readers_language(old: str, new: str, hant: str, hans: str):
    before, after = read(SHOP), read(SHOP.replace(old, new))
    assert [diff(before, after, locale=locale)[0].sentence for locale in ("zh-Hant", "zh-Hans")] == [hant, hans]


def test_a_text_that_changed_in_another_language_only_is_told_in_that_one():
    before = SHOP.replace("title: {en: Shop}", "title: {en: Shop, zh-Hant: 小店}")
    after = before.replace("小店", "大店")
    assert [change.sentence for change in diff(read(before), read(after))] == ['Program: title "小店" → "大店"']
