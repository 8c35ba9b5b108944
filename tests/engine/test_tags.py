"""Tags: where they come from, how long they stay, and whose word counts."""

import pytest

from shuke.engine.activity import JOINED, TAGGED, UNTAGGED, UPDATED
from shuke.engine.member import Tag
from shuke.values.instants import DAY, NEVER
from tests.shop import NOON, Ledger, edition, order, passed, told

TAGGING = """
id: tagging
currency: USD
zone: Asia/Taipei
assets: [{id: points}]
earning:
  - {id: tea, asset: points, when: member.tags has tea, give: {fixed: 1}}
"""
LATER = NOON + DAY


def shop() -> Ledger:
    shop = Ledger(edition(TAGGING))
    shop.all(told(JOINED, "ann", key="j", tags=["staff"]))
    return shop


def tagged(key: str, *names: str, when: int = NOON, **more: object):
    return told(TAGGED, "ann", key=key, when=when, tags=list(names), **more)


def untagged(key: str, *names: str, when: int = LATER, **more: object):
    return told(UNTAGGED, "ann", key=key, when=when, tags=list(names), **more)


def test_a_tag_says_who_or_what_put_it_on_since_and_until_when():
    ann = shop()
    ann.all(tagged("a", "tea", kind="rule", by="bought-tea", until=NOON + 5 * DAY), tagged("b", "nice", by="lin"))
    member = ann.members["ann"]
    assert member.tags == ["staff", "tea", "nice"]
    assert member.tagged == {
        "staff": Tag("manual", "test", NOON, NEVER),
        "tea": Tag("rule", "bought-tea", NOON, NOON + 5 * DAY),
        "nice": Tag("manual", "lin", NOON, NEVER),
    }
    assert member.due_at == NOON + 5 * DAY


def test_a_tag_whose_time_is_over_counts_no_more_whether_or_not_the_clock_came_by():
    ann = shop()
    ann.all(tagged("a", "tea", until=NOON + DAY), order("ann", "o1", 100, when=NOON + DAY - 1))
    ann.all(order("ann", "o2", 100, when=NOON + DAY))
    assert (ann.balance("ann"), ann.members["ann"].tags) == (1, ["staff"])
    assert ann.members["ann"].due_at == NEVER


def test_the_clock_takes_off_what_is_over_and_nothing_else():
    ann = shop()
    ann.all(tagged("a", "tea", until=NOON + DAY), tagged("b", "nice", until=NOON + 2 * DAY))
    ann.all(passed("ann", NOON + DAY))
    assert ann.members["ann"].tags == ["staff", "nice"]
    assert list(ann.members["ann"].tagged) == ["staff", "nice"]


def test_a_rule_that_tells_its_tag_again_moves_its_end_and_not_its_beginning():
    ann = shop()
    ann.all(tagged("a", "tea", kind="rule", by="r", until=NOON + DAY))
    ann.all(tagged("b", "tea", when=NOON + DAY - 1, kind="rule", by="r", until=NOON + 9 * DAY))
    assert ann.members["ann"].tagged["tea"] == Tag("rule", "r", NOON, NOON + 9 * DAY)
    assert ann.members["ann"].tags == ["staff", "tea"]


@pytest.mark.parametrize("kind", ["rule", "statistic", "ranking", "model"])
def test_what_was_put_on_by_hand_no_machine_changes(kind: str):
    ann = shop()
    ann.all(tagged("a", "staff", kind=kind, by="r", until=LATER), untagged("b", "staff", kind=kind))
    assert ann.members["ann"].tagged["staff"] == Tag("manual", "test", NOON, NEVER)
    ann.all(tagged("c", "tea", kind=kind, by="r"), tagged("d", "tea", by="lin"), untagged("e", "tea", kind=kind))
    assert ann.members["ann"].tagged["tea"].kind == "manual"


def test_tags_are_taken_off_by_name_by_kind_and_in_the_old_way():
    ann = shop()
    ann.all(tagged("a", "tea", kind="rule", by="r"), tagged("b", "nice"))
    ann.all(untagged("c", "nice", "tea", "unheard", kind="rule"))
    assert ann.members["ann"].tags == ["staff", "nice"]
    ann.all(told(UPDATED, "ann", key="d", tags=["vip"], untags=["nice"]), untagged("e", "staff"))
    assert ann.members["ann"].tags == ["vip"]
    assert list(ann.members["ann"].tagged) == ["vip"]


def test_tags_from_before_anything_was_kept_of_them_are_of_somebodys_hand():
    ann = shop()
    ann.members["ann"].tagged.clear()
    ann.all(tagged("a", "staff", kind="rule", by="r"), untagged("b", "staff", kind="rule"))
    assert ann.members["ann"].tags == ["staff"]
    ann.all(untagged("c", "staff", kind="manual"))
    assert ann.members["ann"].tags == []


def test_a_tag_that_has_ended_and_one_too_many_are_refused():
    ann = shop()
    ended = ann.settle(tagged("a", "tea", until=NOON))
    assert ended.refused is not None
    assert (ended.refused.code, ended.refused.facts) == ("tag_ended", {"until": NOON})
    many = ann.settle(tagged("b", *(f"t{number}" for number in range(200))))
    assert many.refused is not None
    assert (many.refused.code, ann.members["ann"].tags) == ("too_many_tags", ["staff"])
    ann.all(tagged("c", *(f"t{number}" for number in range(199))), tagged("d", "t1", "staff"))
    assert len(ann.members["ann"].tags) == 200


def test_a_late_fact_brings_no_tag_that_is_over_by_now():
    ann = shop()
    ann.all(passed("ann", NOON + 9 * DAY), tagged("a", "tea", when=LATER, until=NOON + 2 * DAY))
    assert ann.members["ann"].tags == ["staff"]
