"""What is missing for a tier, told in three languages."""

from decimal import Decimal

import pytest

from shuke.engine.goal_words import ladder_name, tier_name, to_keep, to_rise
from shuke.engine.progress import Goal, Missing
from shuke.engine.sentences import writer
from shuke.program.document import read
from shuke.values.instants import day_of

PROGRAM = read("""
id: club
currency: USD
zone: Asia/Taipei
ladders:
  - id: club
    title: {en: Club, zh-Hant: 俱樂部, zh-Hans: 俱乐部}
    tiers: [{id: base}, {id: gold, title: {en: Gold, zh-Hant: 金卡, zh-Hans: 金卡}, entry: spend(12 months) >= 5000}]
""")
DAY = day_of("2027-04-20")
SPEND = Missing("spend(12 months) >= 5000", "spend(12 months)", 1000, 5000, Decimal(4000), DAY)
VISITS = Missing("count(visited, 1 year) >= 3", "count(visited, 1 year)", 1, 3, Decimal(2))
FALLEN = Missing("spend(12 months) >= 5000", "spend(12 months)", 300, 5000, Decimal(4700), DAY, Decimal(5300))
STAFF = Missing("member.tags has staff", "member.tags has staff")


@pytest.mark.parametrize(
    ("say", "goal", "told"),
    [
        (
            to_rise,
            Goal("gold", "…", False, [[SPEND]]),
            [
                "To reach Gold: spend(12 months): 4,000 more by 2027-04-20",
                "升等至「金卡」：spend(12 months) 還差 4,000（2027-04-20 以前）",
                "升级到“金卡”：spend(12 months) 还差 4,000（2027-04-20 之前）",
            ],
        ),
        (
            to_rise,
            Goal("gold", "…", False, [[SPEND, VISITS], [STAFF]]),
            [
                "To reach Gold: spend(12 months): 4,000 more by 2027-04-20, and count(visited, 1 year): 2 more; or "
                "member.tags has staff",
                "升等至「金卡」：spend(12 months) 還差 4,000（2027-04-20 以前），且count(visited, 1 year) 還差 2；或"
                "member.tags has staff",
                "升级到“金卡”：spend(12 months) 还差 4,000（2027-04-20 之前），且count(visited, 1 year) 还差 2；或"
                "member.tags has staff",
            ],
        ),
        (
            to_keep,
            Goal("gold", "…", False, [[FALLEN]], DAY),
            [
                "To keep Gold beyond 2027-04-20: spend(12 months): 4,700 more by 2027-04-20 (300 of today's 5,300 "
                "still count then)",
                "續等「金卡」（2027-04-20 之後）：spend(12 months) 還差 4,700（2027-04-20 以前），因為目前的 5,300 屆時"
                "只計入 300",
                "保级“金卡”（2027-04-20 之后）：spend(12 months) 还差 4,700（2027-04-20 之前），因为目前的 5,300 到时"
                "只计入 300",
            ],
        ),
        (
            to_keep,
            Goal("gold", "…", True, [[]], DAY),
            [
                "To keep Gold beyond 2027-04-20: the criteria are met",
                "續等「金卡」（2027-04-20 之後）：已符合條件",
                "保级“金卡”（2027-04-20 之后）：已满足条件",
            ],
        ),
    ],
)
def test_a_goal_says_what_is_missing_and_by_when(say, goal, told):
    assert [say(goal, "club", writer(PROGRAM, locale)) for locale in ("en", "zh-Hant", "zh-Hans")] == told


def test_what_has_no_title_or_is_gone_is_called_by_its_id():
    words = writer(PROGRAM, "en")
    assert (ladder_name(words, "club"), tier_name(words, "club", "gold")) == ("Club", "Gold")
    assert [tier_name(words, "club", "base"), tier_name(words, "club", "gone")] == ["base", "gone"]
    assert (ladder_name(words, "old"), tier_name(words, "old", "x")) == ("old", "x")
