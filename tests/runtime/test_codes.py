"""Unique codes: drawn so that nobody guesses them, and each taken by one member, whoever comes at once or dies."""

import asyncio
import math
from collections import Counter

import pytest

from shuke.books import codes
from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.turn import Code
from shuke.runtime.codes import ALPHABET, MOST, ODDS, draw, letters_for, make_batch
from shuke.runtime.group_commit import GroupCommit
from shuke.runtime.settle import Settler
from tests.shop import COFFEE, NOON, Shop, open_shop, told

SHOP = (
    COFFEE
    + """
coupons:
  - {id: ten, give: {percent: 10}, codes: unique, transferable: true}
  - {id: cash, give: {voucher: 30}, codes: unique}
  - {id: few, give: {percent: 10}, codes: unique, limits: {total: 10, redeemed_total: 4}}
"""
)


@pytest.fixture
async def shop(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, program=SHOP) as opened:
        yield opened


async def made(shop: Shop, template: str = "ten", size: int = 1, **more) -> list[str]:
    """The codes of a fresh batch."""
    async with shop.connections.connection() as connection:
        batch = await make_batch(connection, template, size=size, at=NOON, **more)
        return [row.code for row in await codes.codes(connection, batch, most=size)]


def claimed(member: str, code: str, *, key: str | None = None) -> Activity:
    return told(of.COUPON_CLAIMED, member, key=key or f"{member}:{code}", code=code)


def cart(member: str, order_id: str, *coupons: str, priced: bool = False) -> Activity:
    uses = Payments(coupons=list(coupons))
    purchase = Purchase(order_id, [Line(10_000)], uses=uses, priced=priced)
    return Activity(of.ORDER_PAID, member, NOON, "test", order_id, purchase=purchase)


# -- Drawn ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "letters"), [(1, 9), (1_000, 11), (100_000, 13), (MOST, 14)])
def test_a_guess_finds_a_code_of_its_batch_once_in_a_million_million(size: int, letters: int) -> None:
    assert letters_for(size) == letters
    assert len(ALPHABET) ** letters >= size * ODDS > len(ALPHABET) ** (letters - 1)


def test_letters_look_like_no_other_and_each_is_as_likely() -> None:
    assert not set("01IOLSUZ5AE") & set(ALPHABET)
    many = 240_000
    counted = Counter(draw(many).decode())
    assert sorted(counted) == sorted(ALPHABET)
    mean = many / len(ALPHABET)
    # Beyond eight standard deviations nothing is chance.
    assert max(abs(count - mean) for count in counted.values()) < 8 * math.sqrt(mean)


@pytest.mark.database
async def test_a_batch_has_as_many_codes_as_asked_for_all_different(shop: Shop) -> None:
    found = await made(shop, size=25_000, prefix="MAY-")
    assert len(set(found)) == 25_000
    assert {len(code) for code in found} == {len("MAY-") + letters_for(25_000)}
    assert {code[:4] for code in found} == {"MAY-"}
    assert await shop.findings() == []


@pytest.mark.database
async def test_a_code_that_is_there_already_is_not_made_again(shop: Shop) -> None:
    async with shop.connections.connection() as connection:
        batch = await codes.add_batch(connection, "ten", prefix="", letters=2, size=3, at=NOON, note="")
        kept = [
            await codes.add_codes(connection, batch, drawn, prefix="", letters=2, first=first)
            for drawn, first in ((b"AABBAA", 1), (b"BB", 4), (b"CC", 5))
        ]
        assert kept == [2, 0, 1]
        assert [row.code for row in await codes.codes(connection, batch, most=9)] == ["AA", "BB", "CC"]
    assert await shop.findings() == []


@pytest.mark.database
@pytest.mark.parametrize("wrong", [{"size": 0}, {"size": MOST + 1}, {"size": 1, "prefix": "a"}])
async def test_what_is_no_batch_is_not_made(shop: Shop, wrong: dict) -> None:
    async with shop.connections.connection() as connection:
        with pytest.raises(ValueError, match=r"codes|begin"):
            await make_batch(connection, "ten", at=NOON, **wrong)
    assert await shop.rows("select count(*) from code_batch") == [(0,)]


# -- Taken ------------------------------------------------------------------------------------------------


@pytest.mark.database
async def test_of_a_thousand_who_claim_one_code_at_once_one_gets_it_and_each_other_is_told(shop: Shop) -> None:
    (code,) = await made(shop)
    doors = [GroupCommit(Settler(shop.connections), most=25) for _ in range(6)]
    answers = await asyncio.gather(*(doors[n % 6].submit(claimed(f"m{n}", code)) for n in range(1000)))
    assert Counter((answer.status, answer.code) for answer in answers) == {
        ("settled", None): 1,
        ("refused", "code_used"): 999,
    }
    (winner,) = [f"m{n}" for n, answer in enumerate(answers) if answer.status == "settled"]
    assert await shop.rows("select member_id, code from coupon") == [(winner, code)]
    assert await shop.rows("select member_id from code") == [(winner,)]
    assert await shop.findings() == []


@pytest.mark.database
async def test_whoever_uses_the_same_codes_in_any_order_waits_for_nobody_in_a_circle(shop: Shop) -> None:
    found = await made(shop, "cash", 8)
    doors = [Settler(shop.connections) for _ in range(6)]
    batches = [
        [claimed(f"m{turn}-{n}", code) for n, code in enumerate(found[:: 1 if turn % 2 else -1])] for turn in range(24)
    ]
    answers = await asyncio.gather(*(doors[turn % 6].settle(batch) for turn, batch in enumerate(batches)))
    told_of = Counter((answer.status, answer.code) for batch in answers for answer in batch)
    assert told_of == {("settled", None): 8, ("refused", "code_used"): 23 * 8}
    assert await shop.findings() == []


@pytest.mark.database
async def test_a_code_is_taken_once_also_by_two_in_one_batch_and_a_repeat_gets_it_again(shop: Shop) -> None:
    (code,) = await made(shop)
    mine, theirs = claimed("ada", code), claimed("bob", f" {code.lower()} ")
    answers = await shop.settle(mine, theirs, mine)
    assert [(answer.code, answer.repeated) for answer in answers] == [
        (None, False),
        ("code_used", False),
        (None, True),
    ]
    (again,) = await shop.settle(mine)
    assert (again.repeated, again.body) == (True, answers[0].body)


USED = {
    "in a cart": lambda member, code, key: cart(member, key, code),
    "in an order of another shop": lambda member, code, key: cart(member, key, code, priced=True),
    "at a till": lambda member, code, key: told(of.COUPON_REDEEMED, member, key=key, coupon=code),
}


@pytest.mark.database
@pytest.mark.parametrize("use", USED.values(), ids=USED)
async def test_a_code_nobody_has_seen_is_claimed_and_used_in_one_and_by_one(shop: Shop, use) -> None:
    (code,) = await made(shop)
    doors = [Settler(shop.connections) for _ in range(4)]
    await asyncio.gather(*(door.settle([use(f"m{n}", code, f"k{n}")]) for n, door in enumerate(doors)))
    assert await shop.rows("select state from coupon") == [("redeemed",)]
    assert await shop.rows("select count(*) from code where member_id is not null") == [(1,)]
    assert await shop.findings() == []


@pytest.mark.database
async def test_a_held_cart_keeps_the_code_it_took_from_everybody_else(shop: Shop) -> None:
    (code,) = await made(shop)
    purchase = Purchase("o1", [Line(10_000)], uses=Payments(coupons=[code]), priced=False)
    (held,) = await shop.settle(Activity(of.CART_HELD, "ada", NOON, "test", "h1", {"hold": "h1"}, purchase))
    (other,) = await shop.settle(claimed("bob", code))
    assert (held.status, other.code) == ("settled", "code_used")
    assert await shop.findings() == []


@pytest.mark.database
async def test_totals_of_the_template_hold_for_all_its_codes_under_load(shop: Shop) -> None:
    found = await made(shop, "few", 40)
    doors = [Settler(shop.connections) for _ in range(4)]
    answers = await asyncio.gather(
        *(
            doors[n % 4].settle([claimed(f"m{n}", code) if n % 2 else cart(f"m{n}", f"o{n}", code)])
            for n, code in enumerate(found)
        )
    )
    settled = sum(answer.status == "settled" for (answer,) in answers)
    assert settled == 10
    assert await shop.rows("select count(*) from code where member_id is not null") == [(10,)]
    rows = await shop.rows("select count(*) from coupon where state = 'redeemed'")
    assert rows[0][0] <= 4
    assert await shop.findings() == []


@pytest.mark.database
async def test_a_code_that_came_with_its_coupon_is_nobody_elses_and_keeps_the_totals(shop: Shop) -> None:
    """Also where the coupon was issued in the very batch that uses it."""
    issued = told(of.COUPON_ISSUED, "ada", key="i1", template="few", quantity=5, codes=[f"X{n}" for n in range(5)])
    answers = await shop.settle(issued, *(cart("ada", f"o{n}", f"x{n}") for n in range(5)))
    assert [answer.code for answer in answers] == [None] * 5 + ["coupon_not_applicable"]
    assert answers[5].facts["limit"] == "redeemed_total"
    (again,) = await shop.settle(told(of.COUPON_ISSUED, "bob", key="i2", template="few", codes=["x0"]))
    assert (again.code, again.facts) == ("code_used", {"code": "X0"})
    (stolen,) = await shop.settle(claimed("bob", "X0"))
    assert stolen.code == "code_unknown"
    assert await shop.findings() == []


@pytest.mark.database
async def test_two_who_issue_one_code_of_elsewhere_at_once_do_not_both_have_it(shop: Shop) -> None:
    doors = [Settler(shop.connections) for _ in range(4)]
    tries = [told(of.COUPON_ISSUED, f"m{n}", key=f"i{n}", template="ten", codes=["GIFT"]) for n in range(4)]
    answers = await asyncio.gather(*(door.settle([one]) for door, one in zip(doors, tries, strict=True)))
    assert sorted(answer.code or "" for (answer,) in answers) == ["", "code_used", "code_used", "code_used"]
    assert await shop.findings() == []


@pytest.mark.database
async def test_a_coupon_given_to_a_friend_takes_its_code_along(shop: Shop) -> None:
    (code,) = await made(shop)
    given = told(of.COUPON_GIVEN, "ada", key="g", coupon=code, to_member="bob")
    await shop.settle(claimed("ada", code), given, cart("bob", "o1", code))
    rows = await shop.rows("select member_id, state, code from coupon order by 1")
    assert rows == [("ada", "given", None), ("bob", "redeemed", code)]
    assert await shop.rows("select member_id from code") == [("ada",)]
    assert await shop.findings() == []


# -- Voided -----------------------------------------------------------------------------------------------


@pytest.mark.database
async def test_a_voided_batch_opens_nothing_more_and_keeps_what_was_opened(shop: Shop) -> None:
    taken, free, used = await made(shop, size=3)
    await shop.settle(claimed("ada", taken), cart("ada", "o1", used))
    async with shop.connections.connection() as connection:
        (batch,) = await codes.batches(connection, most=9)
        before = await codes.counts(connection, batch)
        assert await codes.void_batch(connection, batch.batch, at=NOON)
        assert not await codes.void_batch(connection, batch.batch, at=NOON + 1)
        (batch,) = await codes.batches(connection, most=9)
        after = await codes.counts(connection, batch)
    assert (before.free, before.taken, before.void, before.redeemed) == (1, 2, 0, 1)
    assert (after.free, after.taken, after.void, after.redeemed) == (0, 2, 1, 1)
    assert batch.voided_at == NOON
    answers = await shop.settle(claimed("bob", free), claimed("bob", taken), cart("ada", "o2", taken))
    assert [answer.code for answer in answers] == ["code_void", "code_used", None]
    assert await shop.findings() == []


@pytest.mark.database
async def test_whoever_voids_waits_for_those_who_are_taking_so_that_what_he_counts_stays(shop: Shop) -> None:
    found = await made(shop, size=30)

    async def void() -> codes.CodeCounts:
        async with shop.connections.connection() as connection:
            await codes.void_batch(connection, 1, at=NOON)
            batch = await codes.batch_of(connection, 1)
            return await codes.counts(connection, batch)

    async def claim(number: int) -> str | None:
        (answer,) = await Settler(shop.connections).settle([claimed(f"m{number}", found[number])])
        return answer.code

    counted, *answers = await asyncio.gather(void(), *map(claim, range(30)))
    assert set(answers) <= {None, "code_void"}
    assert counted.taken == answers.count(None)
    assert await shop.findings() == []


# -- Read without a lock ----------------------------------------------------------------------------------


@pytest.mark.database
async def test_looking_a_code_up_holds_nothing_and_says_what_it_is(shop: Shop) -> None:
    free, taken = await made(shop, size=2)
    await shop.settle(claimed("ada", taken), told(of.COUPON_ISSUED, "ada", key="i", template="cash", codes=["X"]))
    async with shop.connections.connection() as holding, shop.connections.connection() as reading:
        await codes.lock(holding, [free, taken])
        seen = await codes.see(reading, [free, taken, "X", "NOBODY"])
    assert seen == {free: Code("ten", "free"), taken: Code("ten", "taken"), "X": Code("cash", "elsewhere")}


# -- All or nothing ---------------------------------------------------------------------------------------


@pytest.mark.database
async def test_a_code_is_taken_in_the_transaction_that_makes_its_coupon_or_not_at_all(shop: Shop) -> None:
    """The server ends the connection behind the statements, before they are committed."""
    (code,) = await made(shop)
    await shop.rows("create sequence cuts")
    await shop.rows("""
        create function cut() returns trigger language plpgsql as $$
        begin
            if nextval('cuts') <= 3 then perform pg_terminate_backend(pg_backend_pid()); end if;
            return null;
        end $$
    """)
    await shop.rows("""
        create constraint trigger cut after update on code deferrable initially deferred
        for each row execute function cut()
    """)
    (answer,) = await shop.settle(claimed("ada", code))
    assert (answer.status, answer.repeated) == ("settled", False)
    assert await shop.rows("select last_value from cuts") == [(4,)]
    assert await shop.rows("select state from coupon") == [("issued",)]
    assert await shop.findings() == []
