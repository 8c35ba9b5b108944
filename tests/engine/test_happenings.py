"""What happened, in a sentence, in three languages, also where little of it is left."""

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Purchase
from shuke.engine.happenings import HAPPENINGS, how_tiers_changed, what_happened
from shuke.program.document import read
from shuke.program.sentences.filling import names_in
from shuke.values.instants import NEVER, parse_instant

LOCALES = ("en", "zh-Hant", "zh-Hans")
NOON = parse_instant("2026-05-01T12:00", zone="Asia/Taipei")
PROGRAM = read("""
id: happenings
currency: USD
zone: Asia/Taipei
assets: [{id: points, title: {en: Points, zh-Hant: 點數, zh-Hans: 积分}, unit: {en: point, zh-Hant: 點, zh-Hans: 积分}}]
ladders:
  - {id: club, title: {en: Club, zh-Hant: 俱樂部, zh-Hans: 俱乐部},
     tiers: [{id: base}, {id: gold, title: {en: Gold, zh-Hant: 金卡, zh-Hans: 金卡}, entry: spend(lifetime) >= 1}]}
coupons: [{id: latte, title: {en: Free latte, zh-Hant: 拿鐵券, zh-Hans: 拿铁券}, give: {percent: 100}}]
profile:
  traits: [{id: skin, title: {en: Skin, zh-Hant: 膚質, zh-Hans: 肤质}, type: text}]
  purposes: [{id: marketing, title: {en: Offers, zh-Hant: 優惠訊息, zh-Hans: 优惠信息}, channels: [email]}]
""")


def told(type_: str, purchase: Purchase | None = None, **payload: object) -> Activity:
    return Activity(type_, "ann", NOON, "till", "k", payload, purchase)


@pytest.mark.parametrize(
    ("activity", "said"),
    [
        (
            told(of.ORDER_PAID, Purchase("o-1", [Line(1000), Line(250)], store="Ximen", shipping=50)),
            (
                "Paid order o-1: 13.00 at Ximen.",
                "訂單 o-1 已付款：13.00，門市 Ximen。",
                "订单 o-1 已付款：13.00，门店 Ximen。",
            ),
        ),
        (
            told(of.UPDATED, traits={"skin": "dry", "x": 1}, tags=["vip"]),
            ("Profile changed: Skin, x, vip.", "會員資料變更：膚質、x、vip。", "会员资料变更：肤质、x、vip。"),
        ),
        (
            told(of.FROZEN, reason="stolen"),
            ("Was frozen: stolen.", "帳戶凍結：stolen。", "账户冻结：stolen。"),
        ),
        (
            told(of.CONSENT_GRANTED, purpose="marketing", channels=["email"], via="checkout"),
            (
                "Agreed to Offers by email (checkout).",
                "同意「優惠訊息」，管道：email（checkout）。",
                "同意“优惠信息”，渠道：email（checkout）。",
            ),
        ),
        (
            told(of.COUPON_ISSUED, template="latte", quantity=2),
            ("Got a coupon: Free latte × 2.", "獲得優惠券：拿鐵券 × 2。", "获得优惠券：拿铁券 × 2。"),
        ),
        (
            told(of.ASSET_TRANSFERRED, asset="points", amount=20, to_member="bob"),
            ("Sent 20 points to bob.", "轉贈 20 點給 bob。", "转赠 20 积分给 bob。"),
        ),
        (
            told(of.TAGGED, tags=["tea"], until=parse_instant("2026-06-01T00:00", zone="Asia/Taipei")),
            ("Tagged: tea (until 2026-05-31).", "貼上標籤：tea（至 2026-05-31）。", "打上标签：tea（至 2026-05-31）。"),
        ),
        (told("checked_in"), ("checked_in happened.", "發生「checked_in」。", "发生“checked_in”。")),
    ],
    ids=lambda value: value.type if isinstance(value, Activity) else "",
)
def test_an_activity_is_told_in_the_readers_language(activity: Activity, said: tuple[str, str, str]):
    assert tuple(what_happened(activity, PROGRAM, locale) for locale in LOCALES) == said


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("type_", sorted(HAPPENINGS))
def test_an_activity_of_which_nothing_is_left_is_still_told(type_: str, locale: str):
    bare = Activity(type_, "ann", NOON, "till", "k")
    said = what_happened(bare, PROGRAM, locale)
    assert said
    assert "None" not in said
    assert "{" not in said


@pytest.mark.parametrize("type_", sorted(HAPPENINGS))
def test_a_sentence_asks_for_the_same_in_every_language(type_: str):
    english, taiwan, mainland = (names_in(template) for template in HAPPENINGS[type_])
    assert english == taiwan == mainland


def test_a_change_of_tier_is_told_with_the_names_of_the_tiers():
    ends = parse_instant("2027-05-01T00:00", zone="Asia/Taipei")
    said = [how_tiers_changed("club", "base", "gold", ends, PROGRAM, locale) for locale in LOCALES]
    assert said == [
        "Club: base → Gold (until 2027-04-30).",
        "俱樂部：base → 金卡（至 2027-04-30）。",
        "俱乐部：base → 金卡（至 2027-04-30）。",
    ]
    assert how_tiers_changed("club", "gold", None, NEVER, PROGRAM, "en") == "Club: Gold → no tier."
