"""Codes shown at tills: what they are made of, when they are good, and that each is good once."""

import asyncio
from datetime import UTC, datetime

import pytest

from shuke.books import member_codes as kept
from shuke.runtime.member_codes import DRIFT, OFFLINE, STEP, NotRead, check_digit, count_wrong, forget, read, show
from shuke.values.instants import MINUTE
from tests.shop import Shop

pytestmark = pytest.mark.database

T = 1_800_000_000_000_000  # a half minute begins here


async def shown(shop: Shop, *, member: str = "ann", at: int = T, count: int = 1) -> list[str]:
    async with shop.connections.connection() as connection:
        return [one.code for one in await show(connection, member, at=at, count=count)]


async def told(shop: Shop, code: str, *, at: int = T, now: int | None = None) -> str:
    """The member whose code it is, or why it is not read."""
    try:
        async with shop.connections.connection() as connection:
            return await read(connection, code, read_at=at, now=at if now is None else now)
    except NotRead as refused:
        return refused.code


# The last digit of ISO/IEC 7812 numbers that payment networks publish for tests.
@pytest.mark.parametrize("number", ["4111111111111111", "5555555555554444", "378282246310005", "6011111111111117"])
def test_the_check_digit_is_that_of_card_numbers(number: str):
    assert check_digit(number[:-1]) == number[-1]


async def test_the_password_in_a_code_is_that_of_rfc_6238(shop: Shop):
    async with shop.connections.connection() as connection:
        secret = b"12345678901234567890"
        await kept.add(connection, "ann", serial=123456789, secret=secret, at=datetime(2026, 11, 22, tzinfo=UTC))
    # Appendix B of the RFC: seconds since 1970, and the password by SHA-1.
    for seconds, password in [(59, "94287082"), (1111111109, "07081804"), (20000000000, "65353130")]:
        [code] = await shown(shop, at=seconds * 1_000_000)
        assert code[:19] == f"90123456789{password}"


async def test_a_code_is_read_once_whoever_tries_at_the_same_time(shop: Shop):
    [code] = await shown(shop)
    assert code.isdigit()
    assert len(code) == 20
    answers = await asyncio.gather(*(told(shop, code) for _ in range(8)))
    assert sorted(answers) == ["ann", *["member_code_used"] * 7]


@pytest.mark.parametrize(
    ("late", "answer"),
    [
        (0, "ann"),
        (STEP - 1, "ann"),
        (DRIFT * STEP, "ann"),
        (-DRIFT * STEP, "ann"),
        ((DRIFT + 1) * STEP, "member_code_over"),
        (8 * MINUTE, "member_code_over"),
        (-(DRIFT + 1) * STEP, "member_code_wrong"),
    ],
)
async def test_a_code_is_good_in_its_half_minute_and_the_ones_beside_it(shop: Shop, late: int, answer: str):
    [code] = await shown(shop)
    assert await told(shop, code, at=T + late) == answer


async def test_a_phone_without_a_network_shows_the_codes_it_was_given_ahead(shop: Shop):
    codes = await shown(shop, count=10)
    assert len(set(codes)) == 10
    for place, code in enumerate(codes):
        assert await told(shop, code, at=T + place * STEP) == "ann"


async def test_a_till_that_was_offline_says_when_it_read_a_code_and_two_codes_may_come_in_any_order(shop: Shop):
    [first], [second] = await shown(shop), await shown(shop, at=T + 10 * MINUTE)
    now = T + 60 * MINUTE
    assert await told(shop, second, at=T + 10 * MINUTE, now=now) == "ann"
    assert await told(shop, first, at=T, now=now) == "ann"
    assert await told(shop, first, at=T, now=now) == "member_code_used"


@pytest.mark.parametrize("code", ["", "90", "9012345678912345678", "x" * 20, "٩" * 20, "90123456789123456789" + "0"])
async def test_what_is_no_code_is_unreadable(shop: Shop, code: str):
    assert await told(shop, code) == "member_code_unreadable"


async def test_a_slip_of_one_digit_is_unreadable_and_counts_as_no_guess(shop: Shop):
    [code] = await shown(shop)
    for place in range(2, 20):
        slip = code[:place] + str((int(code[place]) + 1) % 10) + code[place + 1 :]
        assert await told(shop, slip) == "member_code_unreadable"


async def test_five_wrong_guesses_lock_a_number_for_ten_minutes_and_no_other(shop: Shop):
    [good], [other] = await shown(shop), await shown(shop, member="bob")
    for guess in range(5):
        digits = f"{good[:11]}{(int(good[11:19]) + 1 + guess) % 10**8:08}"
        wrong = digits + check_digit(digits)
        assert await told(shop, wrong) == "member_code_wrong"
        async with shop.connections.connection() as connection:
            await count_wrong(connection, wrong, now=T)
    assert await told(shop, good) == "member_code_locked"
    assert await told(shop, other) == "bob"
    later = T + 10 * MINUTE + 1
    [fresh] = await shown(shop, at=later)
    assert await told(shop, fresh, at=later) == "ann"


async def test_a_number_that_is_nobodys_is_wrong_like_any_wrong_password(shop: Shop):
    digits = "90" + "999999999" + "12345678"
    assert await told(shop, digits + check_digit(digits)) == "member_code_wrong"


async def test_two_phones_that_ask_at_once_show_the_same_code(shop: Shop):
    assert len({code for [code] in await asyncio.gather(*(shown(shop) for _ in range(8)))}) == 1


async def test_the_use_of_a_code_is_kept_as_long_as_it_could_be_brought(shop: Shop):
    [code] = await shown(shop)
    assert await told(shop, code) == "ann"
    for now, forgotten in [(T + OFFLINE, 0), (T + OFFLINE + 21 * STEP, 1)]:
        async with shop.connections.connection() as connection:
            assert await forget(connection, now=now) == forgotten
