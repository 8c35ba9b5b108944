"""Segments over real books: who comes in and goes out, told exactly once, live and by the hour, whatever breaks."""

import asyncio

import pytest

from shuke.books import segments
from shuke.books.members import Place
from shuke.books.segments import Segment
from shuke.engine.activity import ERASED, JOINED, UPDATED
from shuke.program.conditions import Vocabulary, check, parse, show
from shuke.program.document import read
from shuke.program.ready_made import SEGMENTS
from shuke.runtime.segments import Segments, due_next, named
from shuke.values.instants import DAY, HOUR, calendar_of
from tests.shop import COFFEE, NOON, ZONE, at, order, told

pytestmark = pytest.mark.database

GIFTS = COFFEE + "  - {id: hello, asset: points, on: segment.entered, when: activity.segment = vip, give: {fixed: 7}}\n"


async def make(shop, id_, condition, *, refresh="hourly", when=NOON):
    made = Segment(
        id_, id_, "dynamic" if condition else "static", condition, refresh if condition else None, when, when
    )
    made.due_at = when
    async with shop.connections.connection() as connection:
        assert await segments.add(connection, made)
    return made


async def look(shop, segment, *, when):
    async with shop.connections.connection() as connection:
        editions = await shop.settler.editions(connection)
    await Segments(shop.connections, shop.settler).refresh(segment, editions, at=when)


async def hear(shop, worker, *, when):
    async with shop.connections.connection() as connection:
        editions = await shop.settler.editions(connection)
    await worker.hear(editions, when)


async def inside(shop, id_):
    async with shop.connections.connection() as connection:
        return sorted(place.member_id for place, _ in await segments.members(connection, id_, behind=Place(), most=99))


async def said(shop):
    return await shop.rows(
        "select type, member_id, body #>> '{payload,segment}' from activity where source = 'segments' order by id"
    )


@pytest.fixture
async def people(shop):
    await shop.settle(told(JOINED, "ann", key="a", tags=["vip"]), told(JOINED, "ben", key="b"))
    return shop


async def test_who_comes_in_and_goes_out_is_told_exactly_once(people):
    vip = await make(people, "vip", "tag vip")
    for hour in range(3):
        await look(people, vip, when=NOON + hour * HOUR)
    assert await inside(people, "vip") == ["ann"]
    assert await said(people) == [("segment.entered", "ann", "vip")]
    await people.settle(
        told(UPDATED, "ann", key="u", when=NOON + 3 * HOUR, untags=["vip"]),
        told(UPDATED, "ben", key="v", when=NOON + 3 * HOUR, tags=["vip"]),
    )
    for hour in range(4, 6):
        await look(people, vip, when=NOON + hour * HOUR)
    assert await inside(people, "vip") == ["ben"]
    assert sorted((await said(people))[1:]) == [("segment.entered", "ben", "vip"), ("segment.left", "ann", "vip")]
    await people.settle(told(UPDATED, "ann", key="w", when=NOON + 6 * HOUR, tags=["vip"]))
    await look(people, vip, when=NOON + 7 * HOUR)
    assert (await said(people))[3:] == [("segment.entered", "ann", "vip")]
    async with people.connections.connection() as connection:
        sizes = await segments.sizes(connection, "vip", before=at("2027-01-01"), most=10)
    assert [(size.members, size.entered, size.gone) for size in sizes] == [
        (2, 1, 0),
        (1, 0, 0),
        (1, 1, 1),
        (1, 0, 0),
        (1, 0, 0),
        (1, 1, 0),
    ]
    assert await people.findings() == []


async def test_a_rule_may_give_something_for_coming_in(shop):
    await shop.publish(GIFTS, when=2)
    await shop.settle(told(JOINED, "ann", key="a", tags=["vip"]))
    await look(shop, await make(shop, "vip", "tag vip"), when=NOON + HOUR)
    assert await shop.available("ann") == 7


async def test_what_broke_between_writing_and_telling_is_told_before_anything_changes_again(people):
    vip = await make(people, "vip", "tag vip")
    async with people.connections.connection() as connection:
        await segments.enter(connection, "vip", ["ann"], at=NOON + HOUR)  # and then the process is gone
    await people.settle(told(UPDATED, "ann", key="u", when=NOON + 2 * HOUR, untags=["vip"]))
    await look(people, vip, when=NOON + 3 * HOUR)
    assert await said(people) == [("segment.entered", "ann", "vip"), ("segment.left", "ann", "vip")]
    # told, and then the process is gone before that is written down
    await people.rows("update segment_member set told = false")
    await look(people, vip, when=NOON + 4 * HOUR)
    assert len(await said(people)) == 2


async def test_many_who_look_at_once_tell_each_change_once(people):
    vip = await make(people, "vip", "tag vip")
    await asyncio.gather(*(look(people, vip, when=NOON + HOUR + number) for number in range(5)))
    assert await said(people) == [("segment.entered", "ann", "vip")]


async def test_a_live_segment_hears_of_whoever_something_happens_to(people):
    worker = Segments(people.connections, people.settler)
    vip = await make(people, "vip", "tag vip", refresh="live")
    await hear(people, worker, when=NOON + HOUR)
    await look(people, vip, when=NOON + HOUR)
    await people.settle(told(UPDATED, "ben", key="v", when=NOON + 2 * HOUR, tags=["vip"]))
    await hear(people, worker, when=NOON + 3 * HOUR)
    assert await inside(people, "vip") == ["ann", "ben"]
    await people.settle(told(UPDATED, "ann", key="w", when=NOON + 4 * HOUR, untags=["vip"]))
    await hear(people, Segments(people.connections, people.settler), when=NOON + 5 * HOUR)
    assert await inside(people, "vip") == ["ben"]


async def test_a_segment_may_ask_for_another_and_for_what_happened(people):
    vip = await make(people, "vip", "tag vip")
    buyers = await make(people, "buyers", "segment(vip) and order.paid then not order.paid within 1 day")
    await people.settle(order("ann", "o1", 100), order("ben", "o2", 100))
    await look(people, vip, when=NOON + 2 * DAY)
    await look(people, buyers, when=NOON + 2 * DAY)
    assert await inside(people, "buyers") == ["ann"]
    assert named(parse("not segment(a) or segment(b)")) == {"a", "b"}


async def test_an_erased_member_is_in_no_segment_and_leaves_no_trace(people):
    vip = await make(people, "vip", "tag vip")
    await look(people, vip, when=NOON + HOUR)
    await people.settle(told(ERASED, "ann", key="e", when=NOON + 2 * HOUR))
    assert await people.rows("select * from segment_member") == []
    await look(people, vip, when=NOON + 3 * HOUR)
    assert await people.rows("select * from segment_member") == []
    assert await people.findings() == []


def test_a_segment_is_looked_at_after_midnight_of_the_shop_because_days_pass_by_themselves():
    calendar = calendar_of(ZONE)
    assert due_next("daily", calendar, at("2026-05-01T13:00")) == at("2026-05-02")
    assert due_next("hourly", calendar, at("2026-05-01T13:00")) == at("2026-05-01T14:00")
    assert due_next("live", calendar, at("2026-05-01T23:30")) == at("2026-05-02")


@pytest.mark.parametrize("one", SEGMENTS, ids=lambda one: one.id)
def test_every_ready_made_segment_is_a_sound_condition_with_a_title_in_three_languages(one):
    tree = one.condition(often=6, much=1000, cycle=45)
    assert check(tree, Vocabulary.of(read(COFFEE)), place="audience") == []
    assert parse(show(tree)) == tree
    assert set(one.titles) == {"en", "zh-Hant", "zh-Hans"}
