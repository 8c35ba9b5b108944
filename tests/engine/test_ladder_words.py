"""The rules of a ladder, told in three languages."""

import pytest

from shuke.engine.ladder_words import ladder_in_words, tier_in_words
from shuke.program.document import from_data

POINTS = {"id": "points", "title": {"en": "Points", "zh-Hant": "點數", "zh-Hans": "积分"}}
GOLD = {
    "id": "gold",
    "title": {"en": "Gold", "zh-Hant": "金卡", "zh-Hans": "金卡"},
    "entry": "spend(12 months) >= 300",
}


def ladder(*tiers, **rules):
    data = {"id": "club", "tiers": [{"id": "base"}, *(tiers or [GOLD])], **rules}
    program = from_data({"id": "shop", "currency": "USD", "zone": "Asia/Taipei", "assets": [POINTS], "ladders": [data]})
    return program.ladders[0], program


def test_a_ladder_whose_tiers_never_end_says_how_one_rises_and_no_more():
    assert ladder_in_words(*ladder(), "en") == ["Everybody stands on base from the beginning.", "Members rise at once."]


EVERYTHING = {
    "upgrade": "monthly",
    "term": "12 months",
    "requalify": "fixed",
    "on_drop": "supported",
    "restart_when": "spend(12 months) = 0",
    "grace_days": 30,
    "cooldown": "1 month",
    "void_assets": ["points"],
    "on_refund": "at_once",
    "notice_days": [7, 30],
}


def test_every_rule_is_a_sentence():
    assert ladder_in_words(*ladder(**EVERYTHING), "en") == [
        "Everybody stands on base from the beginning.",
        "Members rise on the first of the month.",
        "A term keeps its dates; at its end the tier is reviewed.",
        "Who does not keep a tier drops to the highest one whose criteria hold.",
        "Who does not keep a tier begins again on the first, if this holds: spend(12 months) = 0.",
        "A tier that is not kept stays for 30 days more, and is renewed if its criteria are met by then.",
        "Nobody drops twice within 1 month.",
        "Who drops loses what is left of Points.",
        "A refund takes back at once what it had brought about.",
        "Who would not keep a tier is told 30, 7 days before its term ends.",
    ]
    assert ladder_in_words(*ladder(**EVERYTHING), "zh-Hant")[5:8] == [
        "未達續等條件時保留 30 天，期間達標即續等。",
        "1 個月內最多降等一次。",
        "降等時點數餘額失效。",
    ]
    assert ladder_in_words(*ladder(**EVERYTHING), "zh-Hans")[1] == "达标后于次月 1 日升级。"


@pytest.mark.parametrize(
    ("tier", "rules", "told"),
    [
        (GOLD, {}, ["Reached by: spend(12 months) >= 300.", "Does not end."]),
        (
            GOLD | {"keep": "spend(12 months) >= 200"},
            {"term": "12 months"},
            ["Reached by: spend(12 months) >= 300.", "Kept by: spend(12 months) >= 200.", "Lasts 12 months."],
        ),
        ({"id": "gold"}, {"term": {"to_end_of": "year", "years_later": 1}}, [
            "Granted, not reached.", "Lasts to the end of the year, 1 year later.",
        ]),
        ({"id": "gold", "term": {"to_end_of": "month"}}, {}, [
            "Granted, not reached.", "Lasts to the end of the month.",
        ]),
    ],
)  # fmt: skip
def test_a_tier_says_how_it_is_reached_and_kept_and_for_how_long(tier, rules, told):
    found, program = ladder(tier, **rules)
    assert tier_in_words(found.tiers[1], found, program, "en") == told
    assert tier_in_words(found.tiers[0], found, program, "en") == ["Does not end."]


@pytest.mark.parametrize("locale", ["en", "zh-Hant", "zh-Hans"])
@pytest.mark.parametrize("upgrade", ["at_once", "nightly", "monthly"])
@pytest.mark.parametrize("on_drop", ["one_level", "supported", "to_base", "never"])
@pytest.mark.parametrize("end", ["month", "quarter", "year"])
def test_whatever_a_ladder_may_say_is_told(locale, upgrade, on_drop, end):
    term = {"to_end_of": end}
    found, program = ladder(upgrade=upgrade, on_drop=on_drop, term=term, invitation_only=True, on_refund="at_review")
    assert len(ladder_in_words(found, program, locale)) == 5
    assert all(tier_in_words(tier, found, program, locale) for tier in found.tiers)
