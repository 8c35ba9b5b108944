"""Versions follow each other; one draft, of which no text is lost; publishing while others settle."""

from __future__ import annotations

import asyncio

import pytest

from shuke.books import programs
from shuke.books.connect import connect
from shuke.books.programs import Draft, DraftChanged, InThePast, Unchanged
from shuke.program.document import read
from shuke.values.instants import NEVER
from tests.shop import COFFEE, Shop, at, given, open_shop, order

pytestmark = pytest.mark.database

DOUBLE = COFFEE.replace("points: 1}", "points: 2}")
SHORT = COFFEE.replace("after: 12 months", "after: 6 months")
JUNE, JULY = at("2026-06-01"), at("2026-07-01")


async def kept(shop: Shop, text: str, *, over: Draft | None = None, by: str = "console") -> Draft:
    async with shop.connections.connection() as connection:
        return await programs.keep_draft(connection, text, read=over.digest if over else None, at=JUNE, by=by)


async def found(shop: Shop) -> Draft | None:
    async with shop.connections.connection() as connection:
        return await programs.draft(connection)


# -- The draft --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [DOUBLE, "id: [", "", "# 還沒寫完 🫖\nearning:\n  - {asset: pints}\n"])
async def test_a_draft_is_kept_as_it_was_written_right_or_wrong(shop: Shop, text: str) -> None:
    await kept(shop, text)
    assert await found(shop) == Draft(text, JUNE, "console")


async def test_of_two_editors_who_read_the_same_draft_the_second_is_told(shop: Shop) -> None:
    first = await kept(shop, COFFEE)
    second = await kept(shop, DOUBLE, over=first, by="till")
    with pytest.raises(DraftChanged) as told:
        await kept(shop, SHORT, over=first)
    assert told.value.draft == second
    assert await found(shop) == second


async def test_whoever_thinks_there_is_no_draft_replaces_none(shop: Shop) -> None:
    first = await kept(shop, COFFEE)
    with pytest.raises(DraftChanged):
        await kept(shop, DOUBLE)
    assert await found(shop) == first


async def test_of_many_who_begin_a_draft_at_once_one_does(shop: Shop) -> None:
    tries = await asyncio.gather(*(kept(shop, f"# {n}") for n in range(6)), return_exceptions=True)
    begun = [draft for draft in tries if isinstance(draft, Draft)]
    assert len(begun) == 1
    assert sum(isinstance(told, DraftChanged) for told in tries) == 5
    assert await found(shop) == begun[0]


async def test_a_draft_is_discarded_only_by_who_has_read_it(shop: Shop) -> None:
    first = await kept(shop, COFFEE)
    second = await kept(shop, DOUBLE, over=first)
    async with shop.connections.connection() as connection:
        with pytest.raises(DraftChanged):
            await programs.discard_draft(connection, read=first.digest)
        await programs.discard_draft(connection, read=second.digest)
        with pytest.raises(DraftChanged) as told:
            await programs.discard_draft(connection, read=second.digest)
    assert told.value.draft is None
    assert await found(shop) is None


# -- Versions ---------------------------------------------------------------------------------------------


async def test_which_version_is_in_force_follows_from_the_dates(shop: Shop) -> None:
    await shop.publish(DOUBLE, when=JUNE)
    await shop.publish(SHORT, when=JUNE, effective_from=JULY)
    async with shop.connections.connection() as connection:
        found = await programs.editions(connection, limit=10)
    assert [(edition.version, edition.until) for edition in found] == [(3, NEVER), (2, JULY), (1, JUNE)]
    assert [edition.status(JUNE) for edition in found] == ["scheduled", "in_force", "archived"]
    assert [edition.status(JULY) for edition in found] == ["in_force", "archived", "archived"]


async def test_versions_are_read_page_by_page_the_newest_first(shop: Shop) -> None:
    for number in range(5):
        await shop.publish(COFFEE + f"title: Coffee {number}\n", when=JUNE + number)
    async with shop.connections.connection() as connection:
        first = await programs.editions(connection, limit=4)
        second = await programs.editions(connection, below=first[-1].version, limit=4)
        assert await programs.edition(connection, 7) is None
        assert await programs.text_of(connection, 7) is None
        assert await programs.text_of(connection, 1) == (COFFEE, read(COFFEE))
    assert [edition.version for edition in (*first, *second)] == [6, 5, 4, 3, 2, 1]


async def test_rolling_back_publishes_the_older_document_again(shop: Shop) -> None:
    await shop.publish(DOUBLE, when=JUNE)
    await shop.settle(order("ada", "o1", 1000, when=JUNE))
    async with shop.connections.connection() as connection:
        version = await programs.roll_back(connection, 1, at=JULY)
    assert (version.version, version.effective_from, version.restores) == (3, JULY, 1)
    assert (version.note, version.program) == ("Version 1 again", read(COFFEE))
    await shop.settle(order("ada", "o2", 1000, when=JULY), order("ada", "o3", 1000, when=JULY - 1))
    rows = await shop.rows("select order_id, amount, version from entry where kind = 'earn' order by order_id")
    assert rows == [("o1", 20, 2), ("o2", 10, 3), ("o3", 20, 2)]
    assert await shop.findings() == []


async def test_a_version_still_to_come_is_rolled_back_before_it_comes(shop: Shop) -> None:
    await shop.publish(DOUBLE, when=JUNE, effective_from=JULY)
    async with shop.connections.connection() as connection:
        await programs.roll_back(connection, 1, at=JUNE, note="not yet")
        found = await programs.editions(connection, limit=9)
    assert [(edition.version, edition.effective_from, edition.note) for edition in found[:2]] == [
        (3, JULY, "not yet"),
        (2, JULY, ""),
    ]
    assert [edition.status(JUNE) for edition in found] == ["scheduled", "archived", "in_force"]
    await shop.settle(order("ada", "o1", 1000, when=JULY))
    assert await shop.available("ada") == 10


async def test_what_cannot_be_published_changes_nothing(shop: Shop) -> None:
    await shop.publish(DOUBLE, when=JUNE, effective_from=JULY)
    async with shop.connections.connection() as connection:
        with pytest.raises(Unchanged):
            await programs.roll_back(connection, 2, at=JUNE)
        with pytest.raises(KeyError):
            await programs.roll_back(connection, 3, at=JUNE)
        with pytest.raises(InThePast) as told:
            await programs.publish(connection, read(SHORT), text=SHORT, at=JUNE)
        assert told.value.earliest == JULY
        assert len(await programs.editions(connection, limit=9)) == 2


# -- Publishing while others settle -----------------------------------------------------------------------


async def test_publishing_waits_for_nobody_who_settles_and_nobody_waits_for_it(
    shop: Shop, books_url: str, tenant: str
) -> None:
    await shop.settle(given("ada", 5, key="g"), given("bob", 5, key="g2"))
    async with await connect(books_url, tenant=tenant) as settling, await connect(books_url, tenant=tenant) as other:
        await settling.execute("update member set seq = seq where member_id = 'bob'")
        await programs.publish(other, read(SHORT), text=SHORT, at=JUNE)
        for member in ("ada", "newcomer"):
            [answer] = await shop.settle(order(member, f"o-{member}", 1000, when=JULY))
            assert answer.status == "settled"
        await other.commit()
        await settling.rollback()
    await shop.settle(order("ada", "o", 1000, when=JULY))
    assert await shop.rows("select version from entry where kind = 'earn' order by activity_id") == [(1,), (1,), (2,)]
    assert await shop.findings() == []


async def test_versions_are_published_while_orders_settle(shop: Shop, books_url: str, tenant: str) -> None:
    """ACCEPTANCE 11. Whatever the order in which they meet, each order has one version and the books prove it."""
    texts = [COFFEE.replace("after: 12 months", f"after: {months} months") for months in range(1, 8)]

    async def publish() -> None:
        async with open_shop(books_url, tenant=tenant, program=None) as elsewhere:
            for number, text in enumerate(texts):
                await elsewhere.publish(text, when=JUNE + number)

    async def settle(name: str) -> None:
        for number in range(20):
            batch = [order(f"m{(number + n) % 9}", f"{name}-{number}-{n}", 1000, when=JULY) for n in range(5)]
            assert {answer.status for answer in await shop.settle(*batch)} == {"settled"}

    await asyncio.gather(publish(), *(settle(f"s{n}") for n in range(3)))
    assert await shop.rows("select count(*) from activity") == [(300,)]
    assert await shop.findings() == []
