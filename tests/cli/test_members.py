"""member show and explain, in three languages."""

import pytest


def test_a_member_is_shown_with_tiers_lots_and_the_reason_of_every_entry(shop):
    said = shop("member", "show", "M-1", COLUMNS="160")
    assert (said.status, said.err) == (0, "")
    assert "name Mei" in said.out
    assert "To reach Gold: spend(12 months): 400 more by" in said.out
    assert "Earned 260 points for order A-2: 1 point per 10.00 on 2,600.00 (rule base, program version 1)." in said.out
    assert "Taken back 32 points: order A-1, for which rule base had given 32 points, came back" in said.out
    assert "Opening balance of 40 points." in said.out


@pytest.mark.parametrize(
    ("lang", "told"),
    [
        ("zh-Hant", ["加入會員", "升等至「金卡」：spend(12 months) 還差 400", "獲得 260 點（訂單 A-2）"]),
        ("zh-Hans", ["入会", "升级到“金卡”：spend(12 months) 还差 400", "获得 260 积分（订单 A-2）"]),
    ],
)
def test_a_statement_is_told_in_the_language_asked_for(shop, lang, told):
    said = shop("member", "show", "M-1", "--lang", lang)
    assert [text for text in told if text not in said.out] == []
    assert shop("member", "show", "M-1", SHUKE_LANG=lang).out == said.out
    assert shop("member", "show", "M-1", LANG=lang.replace("-", "_") + ".UTF-8").out == said.out


def test_a_statement_as_json_carries_whole_units_and_dates_in_the_programs_zone(shop):
    told = shop("member", "show", "M-1", "--json", "--entries", "1").json
    assert told["joined_at"] == "2024-03-01T00:00:00+08:00"
    assert {part: told["assets"]["points"][part] for part in ("available", "pending", "held", "debt")} == {
        "available": 300,
        "pending": 0,
        "held": 0,
        "debt": 0,
    }
    assert [lot["expires_at"] for lot in told["assets"]["points"]["lots"]] == [
        "2026-01-01T00:00:00+08:00",
        "2026-03-09T00:00:00+08:00",
    ]
    assert [(entry["kind"], entry["change"]) for entry in told["entries"]] == [("reverse", -32)]
    assert told["tiers"][0]["next"]["ways"][0][0]["missing"] == "400"


def test_what_is_due_and_not_yet_settled_is_said(shop):
    assert "It is settled by: shuke work --once" in shop("member", "show", "M-1").out


def test_an_id_that_nobody_has_is_told_with_the_nearest_one(shop):
    said = shop("member", "show", "m-1")
    assert (said.status, said.out) == (2, "")
    assert "Nobody has the id m-1." in said.err
    assert "Perhaps: M-1" in said.err


def entry_of(shop, kind):
    entries = shop("member", "show", "M-1", "--json").json["entries"]
    return next(entry["id"] for entry in entries if entry["kind"] == kind)


def test_an_entry_is_explained_by_sentence_numbers_rule_and_activity(shop):
    said = shop("explain", entry_of(shop, "earn"), COLUMNS="160")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("Earned 260 points for order A-2: 1 point per 10.00 on 2,600.00")
    assert "issued → available" in said.out
    assert "basis 2,600.00" in said.out
    assert "What the program says (version 1)\nid: base\nasset: points\ngive:\n  per:\n" in said.out
    assert "Activity  order.paid\n" in said.out
    assert "key: A-2" in said.out


def test_everything_that_moved_for_an_order_is_explained_together(shop):
    said = shop("explain", "M-1", "--order", "A-1", "--json")
    told = said.json
    assert [(entry["kind"], entry["change"]) for entry in told] == [("earn", 32), ("reverse", -32)]
    assert [entry["rests_on"]["chapter"]["id"] for entry in told] == ["base", "base"]
    assert [entry["activity"]["type"] for entry in told] == ["order.paid", "order.refunded"]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (("M-1",), "M-1 is not the name of an entry."),
        (("M-1/1/99",), "There is no entry M-1/1/99."),
        (("M-9/1/0",), "Nobody has the id M-9."),
        (("M-1", "--order", "Z"), "Nothing moved for M-1 because of an order Z."),
    ],
)
def test_what_cannot_be_explained_is_told_with_what_can(shop, asked, told):
    said = shop("explain", *asked)
    assert (said.status, said.out) == (2, "")
    assert told in said.err


def test_a_timeline_tells_what_happened_in_order_and_what_came_of_it(shop):
    said = shop("member", "timeline", "M-1", COLUMNS="160")
    assert (said.status, said.err) == (0, "")
    lines = said.out.splitlines()
    paid = next(place for place, line in enumerate(lines) if "Paid order A-2" in line)
    assert "Earned 260 points for order A-2" in lines[paid + 1]
    told = shop("member", "timeline", "M-1", "--json", "--last", "1").json["timeline"]
    assert len(told) == 1
    assert "已付款" in shop("member", "timeline", "M-1", "--lang", "zh-Hant").out


def test_nobody_has_no_timeline(shop):
    said = shop("member", "timeline", "m-1")
    assert (said.status, said.out) == (2, "")
    assert "Perhaps: M-1" in said.err
