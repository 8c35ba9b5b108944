"""Members who are merged, over real books: old ids, races, repeats, and the proof of it all."""

import asyncio
from itertools import pairwise

import pytest

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.member import pack, unpack
from shuke.runtime.settle import Settler
from shuke.values.instants import DAY, HOUR
from tests.property.rich_shop import FIRST
from tests.shop import NOON, Shop, given, open_shop, order, spent, told

pytestmark = pytest.mark.database

LATER = NOON + DAY


@pytest.fixture
async def shop(books_url: str, tenant: str):
    async with open_shop(books_url, tenant=tenant, program=FIRST) as opened:
        yield opened


def merge(member: str, into: str, *, key: str = "m", when: int = LATER) -> Activity:
    return told(of.MERGED, member, key=key, when=when, into=into, reason="same phone")


def unmerge(member: str, merged: str, *, key: str = "u", when: int = LATER) -> Activity:
    return told(of.UNMERGED, member, key=key, when=when, merged_member=merged, reason="sisters")


def refund(member: str, order_id: str, *, key: str, when: int = LATER, **more) -> Activity:
    return told(of.ORDER_REFUNDED, member, key=key, when=when, order_id=order_id, **more)


async def settled(shop: Shop, *activities: Activity) -> None:
    answers = await shop.settle(*activities)
    assert [(answer.status, answer.code) for answer in answers] == [("settled", None)] * len(answers)


async def members(shop: Shop) -> dict:
    return {id_: unpack(state) for id_, state in await shop.rows("select member_id, state from member")}


async def two(shop: Shop) -> None:
    await settled(
        shop,
        told(of.JOINED, "ann", key="j1", identities={"email": "ann@example.com"}),
        told(of.JOINED, "anna", key="j2", identities={"phone": "+886912345678"}),
        order("ann", "N-1", 7000),
        order("anna", "A-1", 4000),
        told(of.COUPON_ISSUED, "ann", key="c", template="cash", codes=["GIFT1"]),
    )


async def test_what_is_told_for_an_old_id_is_settled_with_whom_she_went_into(shop):
    await two(shop)
    await settled(shop, merge("ann", "anna"))
    [answer] = await shop.settle(order("ann", "N-2", 1000, when=LATER))
    assert answer.member_id == "anna"
    assert await shop.rows("select body ->> 'told_for' from activity where key = 'N-2'") == [("ann",)]
    assert await shop.rows("select member_id from orders where order_id = 'N-2'") == [("anna",)]
    assert await shop.rows("select distinct member_id from identity") == [("anna",)]
    assert await shop.rows("select member_id, state from coupon where code = 'GIFT1'") == [("anna", "issued")]
    assert await shop.findings() == []


async def test_a_merge_and_what_follows_may_stand_in_one_batch(shop):
    await two(shop)
    await settled(
        shop,
        merge("ann", "anna"),
        refund("ann", "N-1", key="r1", lines=[{"line": 1, "amount": 3000}]),
        order("ann", "N-2", 1000, when=LATER),
        unmerge("ann", "ann"),
        refund("ann", "N-1", key="r2"),
    )
    assert await shop.rows("select member_id, status from orders where order_id = 'N-1' order by 1") == [
        ("ann", "refunded"),
        ("anna", "moved"),
    ]
    assert await shop.findings() == []


async def test_an_order_told_again_after_a_merge_is_the_same_order(shop):
    await two(shop)
    first = order("ann", "N-1", 7000)
    await settled(shop, merge("ann", "anna"))
    [again] = await shop.settle(first)
    assert (again.status, again.repeated, again.member_id) == ("settled", True, "ann")
    [other_key] = await shop.settle(order("ann", "N-1", 7000, key="another"))
    assert other_key.code == "order_exists"


async def test_what_was_told_for_an_old_id_is_known_again_after_the_merge_was_undone(shop):
    await two(shop)
    await settled(shop, merge("ann", "anna"))
    visit = told("visited", "ann", key="v", when=LATER)
    await settled(shop, visit)
    [again] = await shop.settle(visit)
    assert (again.repeated, again.member_id) == (True, "anna")
    await settled(shop, unmerge("anna", "ann"))
    [again] = await shop.settle(visit)
    assert (again.repeated, again.member_id) == (True, "anna")


async def test_a_gift_to_an_old_id_arrives(shop):
    await two(shop)
    await settled(shop, given("bob", 50, key="g"), merge("ann", "anna"))
    before = await shop.available("anna")
    gift = told(of.ASSET_TRANSFERRED, "bob", key="t", when=LATER, asset="points", amount=20, to_member="ann")
    await settled(shop, gift)
    assert await shop.available("anna") == before + 20
    assert await shop.findings() == []


async def test_a_chain_of_merges_in_any_order_of_buckets_leads_to_the_last(shop):
    names = [f"m{number}" for number in range(8)]
    await settled(shop, *(given(name, 10, key=name) for name in names))
    for number, (one, other) in enumerate(pairwise(names)):
        await settled(shop, merge(one, other, key=f"merge{number}"))
    await settled(shop, given("m0", 5, key="late", when=LATER))
    assert await shop.available("m7") == 85
    await settled(shop, unmerge("m7", "m6"), unmerge("m6", "m5", key="u2"))
    assert [await shop.available(name) for name in ("m5", "m6", "m7")] == [60, 10, 15]
    assert await shop.findings() == []


async def test_two_merges_of_overlapping_members_at_once_end_in_one_order_or_the_other(shop):
    for number in range(4):
        a, b, c = (f"{name}{number}" for name in "abc")
        await settled(shop, *(given(name, 10, key=name) for name in (a, b, c)))
        one, other = Settler(shop.connections), Settler(shop.connections)
        answers = await asyncio.gather(
            one.settle([merge(a, b, key=f"1/{number}")]), other.settle([merge(b, c, key=f"2/{number}")])
        )
        codes = [answer.code for [answer] in answers]
        assert codes in ([None, None], ["member_merged", None])
        found = await members(shop)
        assert sum(one.purses["points"].available for one in found.values() if one.purses) == 30 * (number + 1)
    assert await shop.findings() == []


async def test_each_into_the_other_at_once_is_done_once(shop):
    await two(shop)
    one, other = Settler(shop.connections), Settler(shop.connections)
    answers = await asyncio.gather(
        one.settle([merge("ann", "anna", key="1")]), other.settle([merge("anna", "ann", key="2")])
    )
    assert sorted(str(answer.code) for [answer] in answers) == ["None", "member_merged"]
    assert await shop.findings() == []


async def test_purchases_during_a_merge_are_settled_once_with_one_of_both(shop):
    await two(shop)
    settlers = [Settler(shop.connections) for _ in range(4)]
    told_at_once = [order("ann", f"X-{number}", 100, when=LATER) for number in range(12)]
    await asyncio.gather(
        *(settlers[number % 3].settle([activity]) for number, activity in enumerate(told_at_once)),
        settlers[3].settle([merge("ann", "anna")]),
    )
    rows = await shop.rows("select order_id, member_id from orders where order_id like 'X-%%'")
    assert len(rows) == len({order_id for order_id, _ in rows}) == 12
    assert await shop.findings() == []


async def test_erasing_who_stays_erases_who_went(shop):
    await two(shop)
    await settled(shop, merge("ann", "anna"), refund("ann", "N-1", key="r", lines=[{"line": 1, "amount": 100}]))
    await settled(shop, told(of.ERASED, "ann", key="e", when=LATER + HOUR))
    assert dict(await shop.rows("select member_id, status from member")) == {"ann": "erased", "anna": "erased"}
    left = await shop.rows("select body::text || answer::text || coalesce(context::text, '') from activity")
    assert not any("ann@example.com" in text or "YW5uQ" in text or '"state"' in text for (text,) in left)
    assert await shop.findings() == []
    [refused] = await shop.settle(order("ann", "N-9", 100, when=LATER + DAY))
    assert refused.code == "member_erased"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("update member set state = (select state from member where member_id = 'anna') where member_id = 'ann'", ""),
        ("update entry set amount = amount + 1 where kind = 'merge' and debit = 'transit'", "replay_entry"),
        ("update entry set amount = amount + 1 where kind = 'merge' and credit = 'transit'", "replay_entry"),
        ("update orders set status = 'paid' where order_id = 'N-1' and member_id = 'anna'", "replay_orders"),
    ],
)
async def test_what_was_changed_by_hand_in_a_merge_is_found(shop, statement, code):
    await two(shop)
    await settled(shop, merge("ann", "anna"), refund("ann", "N-1", key="r"))
    assert await shop.findings() == []
    found = await shop.findings(after=statement)
    assert found
    assert code in {finding.code for finding in found} or not code


async def test_merged_and_unmerged_the_books_are_those_of_before(shop):
    await two(shop)
    before = await members(shop)
    await settled(shop, spent("anna", 1, key="s"), merge("ann", "anna"), unmerge("anna", "ann"))
    after = await members(shop)
    for one in (*before.values(), *after.values()):
        one.seq = one.now = 0
        for purse in one.purses.values():
            purse.next_lot = 1
    assert pack(after["ann"]) == pack(before["ann"])
    assert await shop.rows("select distinct member_id from identity where kind = 'email'") == [("ann",)]
    assert await shop.findings() == []
