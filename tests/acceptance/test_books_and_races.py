"""ACCEPTANCE 1 to 9: books and races. Real connections, real processes, the real database."""

import asyncio
import multiprocessing
import random

import pytest

from shuke.engine.activity import ASSET_SPENT, COUPON_ISSUED, ORDER_REFUNDED
from shuke.runtime.group_commit import GroupCommit
from shuke.runtime.settle import Settler
from shuke.values.instants import DAY
from tests.shop import COFFEE, NOON, at, given, open_shop, order, spent, told

pytestmark = pytest.mark.database

SCARCE = (
    COFFEE
    + """
  - {id: early-bird, on: checked_in, asset: points, give: {fixed: 10}, limits: {times_total: 100}}
  - {id: budget, on: shared, asset: points, give: {fixed: 7}, limits: {total: 100}}
coupons:
  - {id: hundred, give: {percent: 10}, limits: {total: 100}}
  - {id: scarce, give: {percent: 10}, limits: {redeemed_total: 20}}
"""
)


async def in_parallel(shop, activities, *, settlers=8):
    """One request each, through several settlers with their own caches, in one process."""
    doors = [Settler(shop.connections) for _ in range(settlers)]
    batches = [doors[number % settlers].settle([activity]) for number, activity in enumerate(activities)]
    return [answer for [answer] in await asyncio.gather(*batches)]


def settle_alone(url, tenant, activities, together, results):
    """A process of its own that settles its requests, ``together`` at a time, once everybody is there."""

    async def run():
        async with open_shop(url, tenant=tenant, program=None) as shop:
            together.wait()
            door = GroupCommit(shop.settler, most=25)
            answers = await asyncio.gather(*(door.submit(activity) for activity in activities))
            return [(answer.status, answer.code, answer.seq, bytes(answer.body)) for answer in answers]

    results.put(asyncio.run(run()))


async def in_processes(url, tenant, shares):
    """One process for each share of the requests; every answer as (status, code, seq, body)."""
    context = multiprocessing.get_context("spawn")
    together, results = context.Barrier(len(shares)), context.Queue()
    processes = [context.Process(target=settle_alone, args=(url, tenant, share, together, results)) for share in shares]
    for process in processes:
        process.start()
    found = [await asyncio.to_thread(results.get, timeout=100) for _ in processes]
    for process in processes:
        await asyncio.to_thread(process.join)
    return [answer for answers in found for answer in answers]


# -- 1 ----------------------------------------------------------------------------------------------------


async def test_of_two_parallel_spends_of_80_on_a_balance_of_100_one_wins_and_one_is_insufficient(shop):
    members = [f"m{number}" for number in range(30)]
    await shop.settle(*(given(member, 100, key=f"g-{member}") for member in members))
    spends = [spent(member, 80, key=f"{side}-{member}") for member in members for side in "lr"]
    answers = await in_parallel(shop, spends)
    for left, right in zip(answers[::2], answers[1::2], strict=True):
        assert {left.status, right.status} == {"settled", "refused"}
        loser = left if left.code else right
        assert loser.code == "insufficient"
        assert loser.facts == {"asset": "points", "asked": 80, "available": 20}
    assert await shop.rows("select distinct balances ->> 'points' from member") == [("20",)]
    assert await shop.findings() == []


async def test_of_two_spends_of_80_on_100_in_two_processes_one_wins(shop, books_url, tenant):
    members = [f"m{number}" for number in range(40)]
    await shop.settle(*(given(member, 100, key=f"g-{member}") for member in members))
    shares = [[spent(member, 80, key=f"{side}-{member}") for member in members] for side in "lr"]
    answers = await in_processes(books_url, tenant, shares)
    assert sorted(status for status, *_ in answers) == ["refused"] * 40 + ["settled"] * 40
    assert await shop.rows("select distinct balances ->> 'points' from member") == [("20",)]
    assert await shop.findings() == []


# -- 2 ----------------------------------------------------------------------------------------------------


@pytest.fixture
async def scarce_shop(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, program=SCARCE) as shop:
        yield shop


async def test_1000_parallel_uses_of_a_rule_good_for_100_give_exactly_100_times(scarce_shop, books_url, tenant):
    asked = [told("checked_in", f"m{number}", key=f"c{number}") for number in range(1000)]
    answers = await in_processes(books_url, tenant, [asked[:500], asked[500:]])
    lucky = [body for _, _, _, body in answers if b'"earned"' in body]
    others = [body for _, _, _, body in answers if b'"earned"' not in body]
    assert (len(lucky), len(others)) == (100, 900)
    assert all(b"limit_reached" in body and b"early-bird" in body for body in others)
    assert await scarce_shop.rows("select used from quota") == [(100,)]
    assert await scarce_shop.rows("select count(*), sum(amount) from entry") == [(100, 1000)]
    assert await scarce_shop.findings() == []


async def test_a_budget_of_100_points_is_given_to_the_last_point_and_never_exceeded(scarce_shop):
    answers = await in_parallel(scarce_shop, [told("shared", f"m{n}", key=f"s{n}") for n in range(40)])
    assert all(answer.status == "settled" for answer in answers)
    assert await scarce_shop.rows("select sum(amount) from entry") == [(100,)]
    assert await scarce_shop.rows("select amount, count(*) from entry group by 1 order by 1") == [(2, 1), (7, 14)]
    assert await scarce_shop.findings() == []


async def test_of_1000_parallel_issues_of_a_coupon_limited_to_100_exactly_100_succeed_and_losers_are_told(
    scarce_shop, books_url, tenant
):
    asked = [told(COUPON_ISSUED, f"m{n}", key=f"i{n}", template="hundred") for n in range(1000)]
    answers = await in_processes(books_url, tenant, [asked[::2], asked[1::2]])
    assert sorted((status, code) for status, code, *_ in answers if code is None) == [("settled", None)] * 100
    assert {(status, code) for status, code, *_ in answers if code} == {("refused", "coupon_limit")}
    assert await scarce_shop.rows("select count(*) from coupon") == [(100,)]
    assert await scarce_shop.findings() == []


async def test_of_50_parallel_redemptions_of_a_coupon_good_for_20_exactly_20_succeed_and_losers_are_told(
    scarce_shop,
):
    issued = await scarce_shop.settle(
        *(told(COUPON_ISSUED, f"m{n}", key=f"i{n}", template="scarce") for n in range(50))
    )
    assert {answer.status for answer in issued} == {"settled"}
    coupons = dict(await scarce_shop.rows("select member_id, coupon_id from coupon"))
    redeemed = [told("coupon.redeemed", member, key=f"r-{member}", coupon=id_) for member, id_ in coupons.items()]
    answers = await in_parallel(scarce_shop, redeemed)
    assert sum(answer.status == "settled" for answer in answers) == 20
    assert {answer.code for answer in answers if answer.status == "refused"} == {"coupon_limit"}
    assert await scarce_shop.findings() == []


# -- 3 and 4 ----------------------------------------------------------------------------------------------


async def test_the_same_request_ten_times_in_parallel_is_one_posting_and_ten_equal_answers(shop):
    request = order("ada", "o1", 4200)
    answers = await in_parallel(shop, [request] * 10, settlers=5)
    assert sorted(answer.repeated for answer in answers) == [False] + [True] * 9
    first = next(answer for answer in answers if not answer.repeated)
    for answer in answers:
        assert (answer.status, answer.seq, answer.code, answer.facts) == ("settled", 1, None, {})
        assert bytes(answer.body) == bytes(first.body)
    assert await shop.rows("select count(*) from activity") == [(1,)]
    assert await shop.available("ada") == 42


async def test_the_same_refused_request_again_gets_the_same_refusal_even_when_it_would_succeed_now(shop):
    await shop.settle(given("ada", 10, key="g"))
    request = spent("ada", 50, key="s")
    [refused] = await shop.settle(request)
    await shop.settle(given("ada", 100, key="g2"))
    [again] = await shop.settle(request)
    assert (again.status, again.code, again.facts, again.repeated) == (
        "refused",
        "insufficient",
        refused.facts,
        True,
    )
    assert await shop.available("ada") == 110


@pytest.mark.parametrize(
    "other",
    [
        order("ada", "o1", 4201),
        order("bob", "o1", 4200),
        order("ada", "o1", 4200, when=NOON + 1),
        order("ada", "o2", 4200, key="o1"),
        spent("ada", 1, key="o1"),
    ],
    ids=["another amount", "another member", "another instant", "another order", "another type"],
)
@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "later"])
async def test_the_same_key_with_another_body_is_refused(shop, other, together):
    first = order("ada", "o1", 4200)
    if together:
        answers = await shop.settle(first, other)
    else:
        answers = [*await shop.settle(first), *await shop.settle(other)]
    assert [(answer.status, answer.code) for answer in answers] == [("settled", None), ("refused", "key_reused")]
    assert await shop.rows("select member_id, seq from activity") == [("ada", 1)]
    assert await shop.rows("select member_id from member") == [("ada",)]


async def test_the_same_key_from_another_source_is_another_request(shop):
    requests = [told("asset.adjusted", "ada", key="k", source=s, asset="points", amount=1, reason="r") for s in "ab"]
    assert [answer.repeated for answer in await shop.settle(*requests)] == [False, False]
    assert await shop.available("ada") == 2


async def test_a_payment_callback_delivered_twice_at_once_awards_once(shop, books_url, tenant):
    callbacks = [order(f"m{number}", f"o{number}", 1000) for number in range(60)]
    answers = await in_processes(books_url, tenant, [callbacks, callbacks])
    assert {status for status, *_ in answers} == {"settled"}
    assert await shop.rows("select distinct balances ->> 'points' from member") == [("10",)]
    assert await shop.rows("select count(*) from entry") == [(60,)]


# -- 5 ----------------------------------------------------------------------------------------------------


async def test_delivering_the_whole_history_again_changes_nothing(shop):
    dice = random.Random(5)
    history = []
    for number in range(400):
        member = f"m{dice.randrange(12)}"
        when = NOON + dice.randrange(400) * DAY
        history.append(order(member, f"o{number}", dice.randrange(1, 9000), when=when))
        if number % 3 == 0:
            history.append(spent(member, dice.randrange(1, 80), key=f"s{number}", when=when + 1))
        if number % 7 == 0:
            history.append(told(ORDER_REFUNDED, member, key=f"r{number}", order_id=f"o{number}", when=when + 2))
    answers = await shop.settle(*history)
    books = await everything(shop)
    again = list(zip(history, answers, strict=True))
    dice.shuffle(again)
    for start in range(0, len(again), 100):
        batch = again[start : start + 100]
        for (_, first), repeat in zip(batch, await shop.settle(*(one for one, _ in batch)), strict=True):
            assert repeat.repeated
            assert (repeat.status, repeat.seq, repeat.code, repeat.facts) == (
                first.status,
                first.seq,
                first.code,
                first.facts,
            )
            assert bytes(repeat.body) == bytes(first.body)
    assert await everything(shop) == books
    assert await shop.findings() == []


async def everything(shop):
    """Every row of the books, with the transaction that wrote it."""
    tables = ("member", "activity", "entry", "lot", "orders", "coupon", "tier_change", "outbox", "quota")
    return {table: await shop.rows(f"select xmin::text, t.* from {table} t order by t::text") for table in tables}


# -- 6, 7, 8 ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", [101, 2**40])
async def test_a_spend_that_would_go_below_zero_is_refused_and_nothing_is_skipped_silently(shop, amount):
    answers = await shop.settle(given("ada", 100, key="g"), spent("ada", amount, key="s"))
    assert (answers[1].status, answers[1].code) == ("refused", "insufficient")
    assert answers[1].facts == {"asset": "points", "asked": amount, "available": 100}
    # The refusal is a fact too: it is in the log, and changed nothing.
    assert await shop.rows("select seq, answer ->> 'code' from activity order by seq") == [
        (1, None),
        (2, "insufficient"),
    ]
    assert await shop.rows("select count(*) from entry") == [(1,)]
    assert await shop.findings() == []


async def test_asking_for_a_hundred_costs_a_hundred_times_as_much_and_meets_every_limit(scarce_shop):
    shop = scarce_shop
    await shop.settle(given("ada", 150, key="g"))
    asked = [told(ASSET_SPENT, "ada", key=f"s{cost}", asset="points", amount=cost, quantity=100) for cost in (2, 1, 1)]
    asked[2].key = "again"
    dear, paid, again = await shop.settle(*asked)
    assert (dear.code, dear.facts) == ("insufficient", {"asset": "points", "asked": 200, "available": 150})
    assert (paid.status, await shop.available("ada")) == ("settled", 50)
    assert (again.code, again.facts["available"]) == ("insufficient", 50)
    coupons = [
        told(COUPON_ISSUED, "ada", key=f"i{quantity}", template="hundred", quantity=quantity)
        for quantity in (101, 100, 1)
    ]
    too_many, all_of_them, one_more = await shop.settle(*coupons)
    assert (too_many.code, all_of_them.status, one_more.code) == ("coupon_limit", "settled", "coupon_limit")
    assert await shop.findings() == []


async def test_a_lot_past_its_date_that_nobody_swept_cannot_be_spent(shop):
    last = at("2027-05-02") - 1  # given on 2026-05-01, good through 2027-05-01
    await shop.settle(given("ada", 100, key="g"), given("bob", 100, key="h"))
    in_time, too_late = await shop.settle(
        spent("ada", 100, key="s", when=last), spent("bob", 1, key="t", when=last + 1)
    )
    assert in_time.status == "settled"
    assert (too_late.code, too_late.facts["available"]) == ("insufficient", 0)
    kinds = await shop.rows(
        "select kind, amount, occurred_at at time zone 'UTC' from entry where member_id = 'bob'"
        " order by activity_id, no"
    )
    assert [(kind, amount, str(moment)) for kind, amount, moment in kinds] == [
        ("adjust", 100, "2026-05-01 04:00:00"),
        ("expire", 100, "2027-05-01 16:00:00"),
    ]
    assert await shop.findings() == []


# -- 9 is tests/books/test_verify.py ----------------------------------------------------------------------
