"""Finding members, and reading what moved for them."""

import pytest

from shuke.books import members, statements
from shuke.books.members import Asked, Place
from shuke.books.statements import Sums
from shuke.engine.activity import ASSET_SPENT, JOINED, TIER_GRANTED
from shuke.values.instants import DAY, NEVER
from tests.shop import COFFEE, NOON, given, open_shop, order, spent, told

pytestmark = pytest.mark.database

PROGRAM = COFFEE + "ladders:\n  - {id: main, tiers: [{id: base}, {id: gold, entry: spend(lifetime) >= 50}]}\n"


@pytest.fixture
async def shop(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, program=PROGRAM) as opened:
        yield opened


async def ids(shop, asked=None, *, limit=100, most=5000):
    """The members asked for, page by page; every page but the last says where to go on."""
    found, behind = [], Place()
    async with shop.connections.connection() as connection:
        while behind is not None:
            got, behind = await members.page(connection, asked or Asked(), behind=behind, limit=limit, most=most)
            assert len(got) <= limit
            found += [member.id for member in got]
    return found


@pytest.mark.parametrize(("limit", "most"), [(100, 5000), (1, 5000), (3, 5000), (100, 1), (2, 3), (1, 1), (30, 30)])
async def test_pages_of_any_size_hold_every_member_once_and_nobody_who_never_joined(shop, limit, most):
    names = [f"m{number}" for number in range(30)]
    await shop.settle(*(told(JOINED, name, key=name) for name in names))
    await shop.settle(told(ASSET_SPENT, "stranger", key="s", asset="points", amount=1))
    found = await ids(shop, limit=limit, most=most)
    assert sorted(found) == sorted(names)
    assert found == await ids(shop)


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (Asked(), ["ada", "bob", "cy"]),
        (Asked(status="active"), ["ada", "cy"]),
        (Asked(status="erased"), ["bob"]),
        (Asked(status="stranger"), []),
        (Asked(tier=("main", "gold")), ["ada"]),
        (Asked(tier=("main", "silver")), []),
        (Asked(tag="staff"), ["cy"]),
        (Asked(tag="sta"), []),
        (Asked(joined_from=NOON + DAY), ["cy"]),
        (Asked(joined_until=NOON + DAY), ["ada", "bob"]),
        (Asked(joined_from=NOON, joined_until=NOON), []),
        (Asked(tag="staff", tier=("main", "base"), status="active"), ["cy"]),
    ],
)
async def test_members_are_asked_for_by_status_tier_tag_and_when_they_joined(shop, asked, found):
    await shop.settle(
        order("ada", "o1", 6000),
        told(JOINED, "bob", key="b"),
        told("member.erased", "bob", key="e", when=NOON + 1),
        told(JOINED, "cy", key="c", when=NOON + DAY, tags=["staff", "new"]),
    )
    assert sorted(await ids(shop, asked)) == found
    async with shop.connections.connection() as connection:
        everybody = [await statements.member(connection, id_) for id_ in ("ada", "bob", "cy")]
    assert [member.id for member in everybody if asked.fits(member)] == found


async def test_a_member_is_found_by_what_she_is_called(shop):
    await shop.settle(told(JOINED, "ada", key="j", identities={"card": "7"}))
    async with shop.connections.connection() as connection:
        assert await members.by_identity(connection, "card", "7") == "ada"
        assert await members.by_identity(connection, "phone", "7") is None


HISTORY = (
    order("ada", "o1", 6000),
    spent("ada", 10, key="s1", when=NOON + 2 * DAY),
    given("ada", 4, key="g1", when=NOON + DAY),  # late: settled last but one
    given("ada", 2, key="g2", when=NOON + 3 * DAY),
)


async def test_entries_are_read_backwards_from_the_latest_settled_in_pages_of_any_size(shop):
    await shop.settle(*HISTORY)
    async with shop.connections.connection() as connection:
        for most in (1, 2, 3, 100):
            found, behind = [], None
            while lines := await statements.entries_behind(connection, "ada", behind=behind, asset=None, most=most):
                found += [(line.entry.kind, line.entry.amount) for line in lines]
                behind = lines[-1].seq, lines[-1].no
            assert found == [("adjust", 2), ("adjust", 4), ("spend", 10), ("earn", 60)]
        assert await statements.entries_behind(connection, "ada", behind=None, asset="stars", most=9) == []
        [line] = await statements.entries_behind(connection, "ada", behind=None, asset="points", most=1)
        assert await statements.entry_of_activity(connection, "ada", line.activity_id, line.no) == line
        assert await statements.entry_of_activity(connection, "bob", line.activity_id, line.no) is None


@pytest.mark.parametrize(
    ("since", "until", "opening", "moved", "closing"),
    [
        (0, NOON + 9 * DAY, None, [60, 4, 10, 2], 56),
        (NOON, NOON + DAY, None, [60], 60),
        (NOON + DAY, NOON + 2 * DAY, 60, [4], 64),
        (NOON + DAY, NOON + 3 * DAY, 60, [4, 10], 54),
        (NOON + 4 * DAY, NOON + 5 * DAY, 56, [], 56),
    ],
)
async def test_a_statement_goes_by_the_times_of_what_happened(shop, since, until, opening, moved, closing):
    await shop.settle(*HISTORY)
    async with shop.connections.connection() as connection:
        before = await statements.sums_before(connection, "ada", since)
        assert before == ({} if opening is None else {"points": Sums(opening)})
        for most in (1, 100):
            found, behind = [], None
            while lines := await statements.entries_between(connection, "ada", since, until, behind=behind, most=most):
                found += [line.entry.amount for line in lines]
                behind = lines[-1].entry.occurred_at, lines[-1].seq, lines[-1].no
            assert found == moved
        assert await statements.sums_before(connection, "ada", until) == {"points": Sums(closing)}


async def test_changes_of_tier_are_read_from_the_latest_on(shop):
    await shop.settle(
        order("ada", "o1", 100),
        order("ada", "o2", 6000, when=NOON + 1),
        told(TIER_GRANTED, "ada", key="t", when=NOON + 2, ladder="main", tier="gold"),
    )
    async with shop.connections.connection() as connection:
        found = await statements.tier_changes(connection, "ada", most=10)
    assert [(change.before, change.after, change.reason, change.until) for change in found] == [
        ("base", "gold", "reached", NEVER),
        (None, "base", "joined", NEVER),
    ]
