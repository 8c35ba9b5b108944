"""Events: what is told of a settled activity, to whom, and that it is what the catalogue promises."""

import json
from typing import Any

import jsonschema_rs
import pytest
from msgspec import to_builtins

from scripts import write_events_page
from shuke.books.postings import Event
from shuke.books.webhooks import Endpoint, Secret, add_endpoint, disable, new_id, patterns_of, remove_endpoint
from shuke.engine import activity as of
from shuke.engine.explain import KINDS
from shuke.engine.sentences import language_of
from shuke.runtime import due
from shuke.runtime.catalogue import PATTERNS, SUBSCRIBABLE, TOPICS, schema_of, topics_meant
from shuke.runtime.clock import now
from shuke.runtime.events import NEWS, TELLERS, TOLD_OTHERWISE, TOPIC_OF_KIND, is_news
from shuke.runtime.settle import Settler
from shuke.values.instants import DAY, HOUR, parse_instant
from tests.runtime.everything import EVERYTHING, Listening, story
from tests.shop import COFFEE, NOON, Shop, at, given, open_shop, order, passed, spent, told

# -- What is told -----------------------------------------------------------------------------------------


def test_every_act_is_told_by_its_topics_and_by_no_others():
    shop = Listening()
    for activity, topics in story(shop):
        assert shop.hears(activity) == topics, activity


def test_the_story_tells_every_event_that_members_bring_about():
    shop = Listening()
    for activity, _ in story(shop):
        shop.settle(activity)
    assert {event.topic for _, event in shop.heard} == SUBSCRIBABLE - {"webhook.disabled"}


def test_every_event_fits_the_schema_of_its_topic():
    for topic, event in write_events_page.examples().items():
        schema = schema_of(TOPICS[topic])
        jsonschema_rs.meta.validate(schema)
        jsonschema_rs.validate(schema, event["data"])
        without = {name: value for name, value in event["data"].items() if name != "member_id"}
        if without != event["data"]:
            assert not jsonschema_rs.is_valid(schema, without)


def test_who_asks_for_one_topic_hears_what_she_would_have_heard_among_all():
    everything = Listening()
    for activity, _ in story(everything):
        everything.settle(activity)
    for topic in SUBSCRIBABLE:
        alone = Listening(frozenset((topic,)))
        for activity, _ in story(alone):
            alone.settle(activity)
        assert alone.heard == [(who, event) for who, event in everything.heard if event.topic == topic], topic


def test_what_the_program_announces_decides_on_what_is_said_ahead_and_on_nothing_else():
    loud, quiet = Listening(), Listening(program=EVERYTHING + "announce: []\n")
    for shop in (loud, quiet):
        for activity, _ in story(shop):
            shop.settle(activity)
    ahead = {"asset.expiring", "tier.at_risk"}
    assert {event.topic for _, event in loud.heard} >= ahead
    assert quiet.heard == [(who, event) for who, event in loud.heard if event.topic not in ahead]


def test_each_kind_of_entry_is_told_by_a_topic_or_for_a_stated_reason_by_none():
    assert frozenset(TOPIC_OF_KIND) | TOLD_OTHERWISE == KINDS
    assert frozenset(TOPIC_OF_KIND) & TOLD_OTHERWISE == frozenset()


def test_each_topic_is_told_by_exactly_one_teller_or_is_one_of_the_house():
    told_by = [topic for topics, _ in TELLERS for topic in topics]
    assert sorted(told_by) == sorted(topic for topic in TOPICS if not topic.startswith("webhook."))


def test_a_refused_activity_tells_only_what_time_has_done():
    shop = Listening()
    shop.all(order("ann", "o-1", 1000))
    already = len(shop.heard)
    assert shop.settle(spent("ann", 10**6, key="too much", when=NOON + 2 * DAY)).refused is not None
    assert [event.topic for _, event in shop.heard[already:]] == ["asset.ripened"]


def test_somebody_whose_first_activity_is_refused_joins_with_the_first_that_is_not():
    shop = Listening()
    shop.settle(spent("ann", 5, key="1"))
    assert shop.heard == []
    assert shop.hears(told("visited", "ann", key="2")) == ["member.joined", "tier.entered"]
    assert shop.hears(told(of.JOINED, "ann", key="3", tags=["regular"])) == ["member.updated"]


PERSONAL = {
    of.JOINED: {"traits": {"name": "Ann Lin", "birthday": "1990-02-03"}, "tags": ["vip-secret"]},
    of.UPDATED: {"identities": {"phone": "+886912345678"}, "traits": {"name": "Ann Wang"}},
    of.ASSET_ADJUSTED: {"asset": "points", "amount": 5, "reason": "Ms Lin complained", "approver": "wu"},
}


def test_nothing_is_told_that_says_who_a_member_is():
    shop = Listening()
    for number, (type_, payload) in enumerate(PERSONAL.items()):
        shop.all(told(type_, "ann", key=str(number), **payload))
    everything = json.dumps([to_builtins(event.fact) for _, event in shop.heard])
    assert "identities.phone" in everything
    for personal in ("Lin", "Wang", "1990", "vip-secret", "912345678"):
        assert personal not in everything


def said(events: list[tuple[str, Event]], topic: str) -> list[dict[str, Any]]:
    return [to_builtins(event.fact) for _, event in events if event.topic == topic]


def test_what_a_refund_takes_back_of_spent_points_is_told_with_the_debt_it_leaves():
    shop = Listening(program=COFFEE)
    shop.all(order("ann", "o-1", 1000), spent("ann", 6, key="s"), order("ann", "o-2", 100))
    shop.all(told(of.ORDER_REFUNDED, "ann", key="r", order_id="o-1"))
    [returned] = said(shop.heard, "order.refunded")
    assert (returned["refunded"], returned["money_back"], returned["taken_back"]) == (1000, 1000, {"points": 10})
    [reversed_] = said(shop.heard, "asset.reversed")
    assert reversed_["amount"] == 10
    assert reversed_["balance"] == {"available": 0, "pending": 0, "held": 0, "debt": 5}


def test_topics_that_are_asked_for_by_family_or_wholesale_are_all_that_is_meant():
    assert topics_meant(("*",)) == SUBSCRIBABLE
    assert topics_meant(("tier.*", "order.settled")) == {
        "order.settled",
        *(topic for topic in TOPICS if topic.startswith("tier.")),
    }
    assert topics_meant(()) == frozenset()
    assert patterns_of("stored_value.topped_up") == ("stored_value.topped_up", "stored_value.*", "*")
    assert "webhook.ping" not in PATTERNS


def test_every_topic_has_a_sentence_in_three_languages():
    for topic in TOPICS.values():
        assert [language_of(language) for language in topic.title] == ["en", "zh-Hant", "zh-Hans"]
        assert len(set(topic.title.values())) >= 2
        assert all(text.endswith((".", "。")) for text in topic.title.values())


def test_the_reference_page_is_what_the_code_says():
    assert write_events_page.PAGE.read_text("utf-8") == write_events_page.page()
    assert json.loads(write_events_page.SCHEMAS.read_text("utf-8")) == write_events_page.schemas()


def test_what_is_said_ahead_is_said_to_be_of_its_own_day_also_when_the_clock_is_late():
    shop = Listening(program=COFFEE.replace("12 months}", "12 months}, expiry_notice_days: [7]"))
    shop.all(order("ann", "o-1", 1000), passed("ann", NOON + 400 * DAY))
    [notice] = [event for _, event in shop.heard if event.topic == "asset.expiring"]
    [expired] = [event for _, event in shop.heard if event.topic == "asset.expired"]
    assert (notice.at, expired.at) == (expired.at - 7 * DAY, at("2027-05-02"))


HOURS_AGO = [
    (of.TIME_PASSED, 0, 1, True),
    (of.TIME_PASSED, 0, 71, True),
    (of.TIME_PASSED, 0, 73, False),
    (of.TIME_PASSED, 24 * 365, 24 * 366, False),  # time is let pass until some day of last year
    (of.ORDER_PAID, 0, 73, False),  # what fell due before the order that came first of all
    (of.ORDER_PAID, 0, 0, True),
    (of.ORDER_PAID, 24 * 365, 24 * 365, True),  # told late, and told all the same
    (of.ORDER_PAID, 24 * 365, 24 * 364, True),  # what followed from it
]


@pytest.mark.parametrize(("type_", "told_of", "happened", "news"), HOURS_AGO)
def test_what_time_brought_by_itself_is_news_for_three_days_and_what_was_told_always(
    type_: str, told_of: int, happened: int, news: bool
):
    activity = of.Activity(type_, "ann", NOON - told_of * HOUR, "test", "1")
    assert is_news(NOON - happened * HOUR, activity, recorded_at=NOON) is news


# -- In the books -----------------------------------------------------------------------------------------


async def listen(shop: Shop, *topics: str) -> str:
    """Somebody asks to be told of these; returns the id of the endpoint."""
    id_ = new_id("whe")
    secrets = [Secret("whsec_c2VjcmV0")]
    endpoint = Endpoint(id_, "https://example.com", "", list(topics), "standard", secrets, "enabled", None, NOON, None)
    async with shop.connections.connection() as connection:
        await add_endpoint(connection, endpoint)
    return id_


async def waiting(shop: Shop) -> list[tuple[Any, ...]]:
    return await shop.rows("select topic, member_id, body from outbox where kind = 'event' order by id")


@pytest.mark.database
async def test_events_are_written_with_the_activity_for_the_topics_somebody_listens_to(shop: Shop):
    await listen(shop, "asset.*")
    await listen(shop, "order.settled", "asset.earned")
    [answer] = await shop.settle(order("ann", "o-1", 500))
    found = await waiting(shop)
    assert [(topic, member) for topic, member, _ in found] == [("order.settled", "ann"), ("asset.earned", "ann")]
    [[activity_id]] = await shop.rows("select id from activity")
    for number, (topic, _, body) in enumerate(found):
        assert (body["id"], body["type"], body["subject"]) == (f"evt_{activity_id}_{number}", topic, "ann")
        assert body["timestamp"] == "2026-05-01T04:00:00Z"
        assert body["data"]["activity_id"] == f"act_{activity_id}"
        jsonschema_rs.validate(schema_of(TOPICS[topic]), body["data"])
    assert answer.status == "settled"


@pytest.mark.database
async def test_where_nobody_listens_nothing_is_written(shop: Shop):
    gone, off = await listen(shop, "*"), await listen(shop, "*")
    async with shop.connections.connection() as connection:
        await remove_endpoint(connection, gone)
        await disable(connection, off, why="by_hand")
    await listen(shop, "coupon.*")
    await shop.settle(order("ann", "o-1", 500))
    assert await waiting(shop) == []


@pytest.mark.database
async def test_a_repeat_is_told_once_and_a_batch_that_fails_tells_nothing(shop: Shop):
    await listen(shop, "order.*")
    [first] = await shop.settle(order("ann", "o-1", 500))
    [again] = await shop.settle(order("ann", "o-1", 500))
    assert (first.repeated, again.repeated) == (False, True)
    assert len(await waiting(shop)) == 1
    broken = order("ann", "o-2", 2**62, 2**62)  # no column holds its sum
    [failed] = await shop.settle(broken)
    assert failed.status != "settled"
    assert len(await waiting(shop)) == 1


@pytest.mark.database
async def test_what_reaches_another_member_is_told_of_both(shop: Shop):
    await listen(shop, "asset.transferred", "asset.received")
    await shop.settle(given("ann", 50, key="g"))
    await shop.settle(told(of.ASSET_TRANSFERRED, "ann", key="t", asset="points", amount=20, to_member="bo"))
    found = await waiting(shop)
    assert [(topic, member) for topic, member, _ in found] == [("asset.transferred", "ann"), ("asset.received", "bo")]
    assert [body["data"]["other_member_id"] for *_, body in found] == ["bo", "ann"]


@pytest.mark.database
async def test_a_history_is_settled_without_a_word(books_url: str, tenant: str):
    async with open_shop(books_url, tenant=tenant, program=EVERYTHING) as shop:
        await listen(shop, "*")
        quiet = Settler(shop.connections, announce=False)
        issue = told(of.COUPON_ISSUED, "ann", key="c", template="ten")
        answers = await quiet.settle([order("ann", "o-1", 500), issue])
        assert [answer.status for answer in answers] == ["settled", "settled"]
        assert await shop.rows("select topic from outbox") == []
        await shop.settle(told(of.COUPON_ISSUED, "ann", key="d", template="ten"))
        assert await shop.rows("select kind, topic from outbox order by id") == [
            ("message", "coupon.issued"),
            ("event", "coupon.issued"),
        ]
        assert await shop.findings() == []


SHORT_LIVED = COFFEE.replace("after: 12 months}", "after: 10 days}, expiry_notice_days: [1]")


@pytest.mark.database
async def test_the_first_run_of_the_clock_after_an_import_tells_of_the_last_days_only(books_url: str, tenant: str):
    async with open_shop(books_url, tenant=tenant, program=SHORT_LIVED) as shop:
        await listen(shop, "asset.*")
        quiet = Settler(shop.connections, announce=False)
        await quiet.settle([order("ann", f"o-{days}", 500, when=now() - days * DAY) for days in range(400, 10, -1)])
        assert await due.advance(shop.settler, until=now()) == 1
        found = await waiting(shop)
        assert {topic for topic, *_ in found} == {"asset.expired", "asset.expiring"}
        earliest = min(body["timestamp"] for *_, body in found)
        assert parse_instant(earliest, zone="UTC") >= now() - NEWS - HOUR
        assert 2 <= len([body for topic, _, body in found if topic == "asset.expired"]) <= 4
        messages = await shop.rows("select topic from outbox where kind = 'message'")
        assert 2 <= len(messages) <= 4
        assert await shop.findings() == []


@pytest.mark.database
async def test_an_order_told_late_is_told_of_without_what_had_fallen_due_before_it(books_url: str, tenant: str):
    async with open_shop(books_url, tenant=tenant, program=SHORT_LIVED) as shop:
        await listen(shop, "asset.*")
        quiet = Settler(shop.connections, announce=False)
        await quiet.settle([order("ann", "o-1", 500, when=now() - 400 * DAY)])
        await shop.settle(order("ann", "o-2", 700, when=now() - 40 * DAY))
        assert [topic for topic, *_ in await waiting(shop)] == ["asset.earned"]
