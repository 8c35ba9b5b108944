"""What an entry rests on, and its numbers as people read them."""

import pytest
from msgspec.structs import replace

from shuke.engine.causes import available_change, numbers_of, program_of, rests_on, sentence_of
from shuke.engine.compiled import Editions
from shuke.engine.effects import Entry, change_of
from tests.shop import COFFEE, NOON, edition

CHANGED = COFFEE.replace("points: 1}}}", "points: 2}}}")
EDITIONS = Editions([edition(COFFEE), edition(CHANGED, version=2, effective_from=NOON)])
EARNED = Entry("points", "earn", "issued", "available", 12, NOON, 2, 1, "base", "A-1", {"basis": 1234500})


def test_an_entry_rests_on_the_rule_as_it_read_in_its_version():
    said = rests_on(EARNED, EDITIONS)
    assert (said.version, said.data()["give"]["per"]) == (2, {"amount": "1", "points": "2"})
    assert "points: 2" in said.text
    assert sentence_of(EARNED, EDITIONS, "en").startswith("Earned 12 points for order A-1: 2 points per 1.00")


def test_what_takes_an_award_back_rests_on_the_version_that_gave_it():
    back = replace(EARNED, kind="reverse", debit="available", credit="reversed", why={"given": 12, "version": 1})
    assert rests_on(back, EDITIONS).version == 1


@pytest.mark.parametrize(("kind", "chapter"), [("expire", "points"), ("ripen", "points"), ("spend", None)])
def test_an_end_rests_on_the_asset_and_what_people_do_on_nothing(kind, chapter):
    said = rests_on(replace(EARNED, kind=kind, rule=None), EDITIONS)
    assert (said and said.chapter.id) == chapter


def test_numbers_are_told_as_people_read_them():
    why = {"basis": 1234500, "counted": [9, 4], "limit": "base/day", "wanted": 1200, "opened_at": NOON}
    assert numbers_of(replace(EARNED, why=why), program_of(EDITIONS, 2), "en") == [
        ("basis", "12,345.00"),
        ("counted", "2.25"),
        ("limit", "base/day"),
        ("wanted", "1,200"),
        ("opened_at", "2026-05-01"),
    ]


@pytest.mark.parametrize(
    ("debit", "credit", "balance", "available"),
    [
        ("issued", "available", 12, 12),
        ("available", "spent", -12, -12),
        ("available", "held", 0, -12),
        ("issued", "pending", 12, 0),
        ("pending", "available", 0, 12),
        ("debt", "reversed", -12, 0),
    ],
)
def test_what_an_entry_changes_of_a_balance_and_of_what_can_be_spent(debit, credit, balance, available):
    entry = replace(EARNED, debit=debit, credit=credit)
    assert (change_of(entry), available_change(entry)) == (balance, available)
