"""Audiences over real books: what rules count and what nobody counts, refunds, what is due, estimates, reasons."""

import pytest

from shuke.books.audiences import Audience, problems
from shuke.books.members import Place
from shuke.engine.activity import ERASED, JOINED, MERGED, ORDER_CANCELLED, ORDER_REFUNDED, Line
from shuke.engine.condition_words import changes, verdict
from shuke.engine.sentences import writer
from shuke.program.conditions import parse, walk
from shuke.values.instants import DAY
from tests.shop import NOON, at, given, order, told

pytestmark = pytest.mark.database

LATER = at("2026-05-20T09:00")
KEPT = """
id: coffee
currency: USD
zone: Asia/Taipei
assets: [{id: points, validity: {after: 1 month}}]
measures:
  - {id: tea_spend, lines: line.category = tea}
  - {id: big_orders, kind: count, when: order.amount >= 50}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}, when: spend(12 months) >= 0}
ladders:
  - id: club
    tiers: [{id: base}, {id: gold, entry: spend(12 months) >= 90}]
"""


async def audience(shop, text, *, when=LATER):
    async with shop.connections.connection() as connection:
        editions = await shop.settler.editions(connection)
    tree = parse(text)
    assert [problem.sentence for problem in problems(tree, editions.at(when))] == []
    return Audience(tree, editions, at=when)


async def found(shop, text, *, when=LATER):
    asked = await audience(shop, text, when=when)
    async with shop.connections.connection() as connection:
        page, _ = await asked.page(connection, behind=Place(), limit=100)
        size = await asked.size(connection)
    assert (size.members, size.exact) == (len(page), True)
    return sorted(member.id for member in page)


@pytest.fixture
async def people(shop):
    """Ann buys tea and coffee, Ben returns what he bought, Cho only looks, Dan left for good."""
    await shop.publish(KEPT, when=2)
    answers = await shop.settle(
        told(JOINED, "ann", key="a", when=at("2026-01-31"), traits={"birthday": "1990-05-22", "city": "Taipei"}),
        told(JOINED, "ben", key="b", when=at("2026-04-30"), tags=["vip"]),
        told(JOINED, "cho", key="c", traits={"birthday": "--02-29", "city": None}),
        told(JOINED, "dan", key="d"),
        order("ann", "o1", Line(4000, category="tea"), Line(6000, category="coffee"), store="north", channel="pos"),
        order("ann", "o2", Line(3000, category="tea"), when=NOON + 2 * DAY, store="south", channel="pos"),
        order("ben", "o3", 9000, 1000, store="north"),
        order("ben", "o4", 2000, when=NOON + DAY, store="north"),
        told(ORDER_REFUNDED, "ben", key="r1", when=NOON + 3 * DAY, order_id="o3", lines=[{"line": 1}]),
        told(ORDER_CANCELLED, "ben", key="r2", when=NOON + 3 * DAY, order_id="o4"),
        told("page.seen", "cho", key="p1", store="web", seconds="12.5"),
        told("page.seen", "cho", key="p2", when=NOON + DAY, store="app"),
        told(ERASED, "dan", key="e", when=NOON + DAY),
    )
    assert [answer.status for answer in answers] == ["settled"] * 13
    return shop


@pytest.mark.parametrize(
    ("condition", "ids"),
    [
        ("true", ["ann", "ben", "cho"]),
        ("false", []),
        ("tag vip", ["ben"]),
        ("tier(club) >= gold", ["ann", "ben"]),
        ("trait.city != Paris", ["ann"]),
        ("not trait.city = Paris", ["ann", "ben", "cho"]),
        ("member.birthday in next 3 days", ["ann"]),
        ("member.birthday in next 2 days", []),
        ("member.joined < 3 months ago", ["ann"]),
        ("member.months >= 3", ["ann"]),
        ("balance(points) >= 100", ["ann"]),
        # what a rule asks for is read as the rule reads it
        ("spend(12 months) >= 130", ["ann"]),
        ("spend(12 months) = 10", ["ben"]),
        # what no rule asks for is counted from what happened
        ("orders(12 months) = 2", ["ann"]),
        ("orders(12 months) = 1", ["ben"]),
        ("items(30 days) = 1", ["ben"]),
        ("active_days(lifetime) = 2", ["ann"]),
        ("tea_spend(12 months) = 70", ["ann"]),
        ("big_orders(lifetime) >= 1", ["ann", "ben"]),
        ("spend(30 days) / orders(30 days) > 60", ["ann"]),
        ("orders(30 days) > orders(1 day)", ["ann", "ben"]),
        ("count(page.seen, 30 days) = 2", ["cho"]),
        ("sum(page.seen.seconds, 30 days) = 12.5", ["cho"]),
        ("days_since(page.seen) = 18", ["cho"]),
        ("streak(page.seen) = 0", ["ann", "ben", "cho"]),
        # what only an audience may ask
        ("distinct(order.paid.store, 12 months) = 2", ["ann"]),
        ("distinct(order.paid.category, 12 months) >= 2", ["ann"]),
        ("distinct(page.seen.store, lifetime) = 2", ["cho"]),
        ("order.paid then order.paid within 2 days", ["ann", "ben"]),
        ("order.paid then order.paid within 47 hours", ["ben"]),
        ("member.joined then not order.paid within 7 days", ["ann", "cho"]),
        ("order.paid then not order.paid within 3 weeks", []),
        ("page.seen then not order.paid within 1 day in last 19 days", ["cho"]),
        ("page.seen then not order.paid within 1 day in last 17 days", []),
        ("tag vip or page.seen then page.seen within 1 day and not tag vip", ["ben", "cho"]),
    ],
)
async def test_who_is_found(people, condition, ids):
    assert await found(people, condition) == ids


async def test_what_has_ended_by_now_is_not_there_whether_or_not_the_clock_came_by(people):
    much_later = at("2026-07-01")
    assert await found(people, "balance(points) > 0", when=much_later) == []
    assert await found(people, "balance(points) = 0", when=much_later) == ["ann", "ben", "cho"]


async def test_of_many_members_an_estimate_is_told_and_says_so(shop):
    await shop.settle(*(given(f"m{number}", number % 2 + 1, key=str(number)) for number in range(2000)))
    await shop.rows("analyze member")
    for condition in ("balance(points) = 1", "count(asset.adjusted, 9 days) > 0 and balance(points) = 1"):
        asked = await audience(shop, condition, when=NOON + DAY)
        async with shop.connections.connection() as connection:
            about = await asked.size(connection, sample=500)
            exact = await asked.size(connection, sample=500, exact=True)
        assert (exact.members, exact.looked_at, exact.exact) == (1000, 2000, True)
        assert not about.exact
        assert about.looked_at < 700
        assert 850 < about.members < 1150


async def test_pages_go_on_where_the_last_one_ended(people):
    asked = await audience(people, "orders(lifetime) >= 0")
    ids, place = [], Place()
    async with people.connections.connection() as connection:
        while place is not None:
            page, place = await asked.page(connection, behind=place, limit=1, most=1)
            ids.extend(member.id for member in page)
    assert sorted(ids) == ["ann", "ben", "cho"]


@pytest.mark.parametrize(
    ("locale", "why", "what"),
    [
        (
            "en",
            ["1 of 3 hold; all must", "No: spend(12 months) >= 50. It is 10", "Holds if what follows does not"],
            ["spend(12 months) >= 50: 40 more of spend(12 months)", "tag vip would have to hold no longer"],
        ),
        (
            "zh-Hant",
            ["3 項條件符合 1 項，須全部符合", "不符合：spend(12 months) >= 50（目前為 10）"],
            ["spend(12 months) >= 50：spend(12 months) 還差 40", "須改為不符合 tag vip"],
        ),
        (
            "zh-Hans",
            ["3 项条件中满足 1 项，需全部满足", "不符合：spend(12 months) >= 50（目前为 10）"],
            ["spend(12 months) >= 50：spend(12 months) 还差 40", "需变为不满足 tag vip"],
        ),
    ],
)
async def test_why_somebody_is_not_found_and_what_would_have_to_change(people, locale, why, what):
    asked = await audience(people, "spend(12 months) >= 50 and not tag vip and order.paid then order.paid within 1 day")
    async with people.connections.connection() as connection:
        explained = await asked.explain(connection, "ben")
        assert await asked.explain(connection, "nobody") is None
    words = writer(asked.editions.compiled[-1].document, locale)

    def verdicts(part):
        return [verdict(part, words), *(said for child in part.children for said in verdicts(child))]

    assert [said for said in why if said not in verdicts(explained)] == []
    assert changes(explained, words) == what


@pytest.mark.parametrize(
    ("condition", "code"),
    [
        ("order.amount > 5", "no_order"),
        ("activity.x = 5", "no_activity"),
        ("spend(term) > 5", "no_ladder"),
        ("earned(points, 30 days) > 5", "not_kept"),
        ("distinct(a.b.c, membership year) > 1", "wrong_window"),
        (" or ".join(["tag a"] * 101), "too_long"),
    ],
)
async def test_what_an_audience_cannot_be_asked_is_said(shop, condition, code):
    await shop.publish(KEPT, when=2)
    async with shop.connections.connection() as connection:
        editions = await shop.settler.editions(connection)
    assert [problem.code for problem in problems(parse(condition), editions.at(LATER))] == [code]


async def test_what_the_rows_alone_tell_is_decided_in_sql(people):
    decided = "tag vip and not (trait.city = Taipei or balance(points) > 3) and tier(club) = gold"
    asked = await audience(people, f"{decided} and member.joined < 3 months ago or page.seen then x within 1 day")
    assert (asked.sql.may == asked.sql.must, asked.is_heavy) == (False, True)
    asked = await audience(people, decided)
    assert (asked.sql.is_decided, asked.is_heavy) == (True, False)
    assert len(list(walk(asked.tree))) == 7


async def test_what_no_column_holds_is_left_to_the_engine(shop):
    consents = "profile: {purposes: [{id: marketing, channels: [email, line], text: May we?}]}\n"
    await shop.publish(KEPT + consents, when=2)
    await shop.settle(
        told(JOINED, "ann", key="a", traits={"consents": ["marketing.line"]}),
        told("consent.granted", "ann", key="c", purpose="marketing", channels=["email"]),
    )
    assert await found(shop, 'member.consents has "marketing.email"') == ["ann"]
    assert await found(shop, 'member.consents has "marketing.line"') == []


async def test_who_was_merged_into_another_is_found_as_that_one_only(people):
    await people.settle(told(MERGED, "ann", key="m", when=NOON + 4 * DAY, into="cho", reason="same phone"))
    assert await found(people, "true") == ["ben", "cho"]
    assert await found(people, "balance(points) >= 100") == ["cho"]
