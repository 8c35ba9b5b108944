"""Guessing keys: slowed down by address, without asking the books, and without harm to whoever has a good key."""

import asyncio

import pytest

from shuke.web.api.guesses import FAILURES, Guesses, network_of
from tests.web.conftest import Door


def test_an_address_may_fail_so_often_in_a_minute_and_then_once_for_each_part_of_it():
    guesses = Guesses(failures=6)
    assert [guesses.take("192.0.2.1", at=0.0) for _ in range(8)] == [0] * 6 + [10, 10]
    assert guesses.take("192.0.2.2", at=0.0) == 0  # somebody else
    assert [guesses.take("192.0.2.1", at=at) for at in (4.0, 10.0, 10.0, 16.0)] == [6, 0, 10, 4]
    assert [guesses.take("192.0.2.1", at=1000.0) for _ in range(7)] == [0] * 6 + [10]


def test_what_was_no_failure_is_given_back():
    guesses = Guesses(failures=1)
    for _ in range(5):
        assert guesses.take("192.0.2.1", at=0.0) == 0
        guesses.give_back("192.0.2.1")
    guesses.give_back("192.0.2.9")
    assert len(guesses) == 1


def test_only_so_many_addresses_are_remembered_those_that_failed_last():
    guesses = Guesses(failures=1, most=3)
    for number in (1, 2, 3, 1, 4, 5):
        guesses.take(f"192.0.2.{number}", at=0.0)
    assert len(guesses) == 3
    assert [guesses.take(f"192.0.2.{number}", at=0.0) for number in (1, 4, 5)] == [60, 60, 60]
    assert guesses.take("192.0.2.3", at=0.0) == 0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
        ("x" * 1000, "x" * 100),
    ],
)
def test_a_network_of_ipv6_counts_as_one_address(address: str, network: str):
    assert network_of(address) == network


# -- Over HTTP --------------------------------------------------------------------------------------------


@pytest.mark.database
async def test_whoever_guesses_is_told_to_wait_and_the_books_are_not_asked(door: Door):
    async with door.other(None) as stranger:

        async def guess(number: int) -> tuple[int, str]:
            answer = await stranger.get("/v1/members", headers={"Authorization": f"Bearer shk_{number}"})
            if answer.status_code == 429:
                assert (answer.json()["code"], answer.headers["Retry-After"]) == ("guessed_too_often", "1")
                assert answer.json()["detail"].endswith("Try again in 1 s.")
            return answer.status_code, answer.json()["code"]

        answers: list[tuple[int, str]] = []

        async def flood() -> None:
            for first in range(0, 5 * FAILURES, 50):
                answers.extend(await asyncio.gather(*(guess(first + n) for n in range(50))))

        before = door.shop.pool.get_stats()["requests_num"]
        await flood()
        questions = door.shop.pool.get_stats()["requests_num"] - before
    refused = answers.count((401, "key_unknown"))
    assert FAILURES <= refused < 3 * FAILURES
    assert answers.count((429, "guessed_too_often")) == len(answers) - refused
    assert questions <= refused + 10  # and the list of all keys now and then


@pytest.mark.database
async def test_a_good_key_is_admitted_from_an_address_that_guesses_also_one_never_seen(door: Door):
    fresh = await door.secret("members:read", source="fresh")
    ended = await door.secret("members:read", source="ended")
    async with door.shop.pool.connection() as connection:
        await connection.execute("update api_key set revoked_at = now() where source = 'ended'")
    async with door.other("shk_guess") as stranger, door.other(fresh) as till, door.other(ended) as former:
        while (await stranger.get("/v1/members")).status_code == 401:
            pass
        assert {(await door.get("/v1/members")).status_code for _ in range(20)} == {200}
        assert {(await till.get("/v1/members")).status_code for _ in range(20)} == {200}
        assert {(await former.get("/v1/members")).status_code for _ in range(20)} <= {401, 429}
        assert 429 in {(await former.get("/v1/members")).status_code for _ in range(20)}


@pytest.mark.database
@pytest.mark.parametrize("how", ["no key", "revoked", "expired", "track"])
async def test_every_way_to_come_without_a_good_key_counts(door: Door, how: str):
    made = (await door.post("/v1/keys", json={"name": "x", "source": "x", "scopes": ["members:read"]})).json()
    if how == "revoked":
        await door.post(f"/v1/keys/{made['key_id']}/revoke")
    elif how == "expired":
        await door.post(f"/v1/keys/{made['key_id']}/rotate", json={"overlap_minutes": 0})
    async with door.other(made["secret"] if how in ("revoked", "expired") else None) as stranger:
        for number in range(10 * FAILURES):
            if how == "track":
                answer = await stranger.post("/v1/track", json={"writeKey": f"guess-{number}", "event": "x"})
            else:
                answer = await stranger.get("/v1/members")
            if answer.status_code == 429:
                break
    assert number >= FAILURES
    assert answer.json()["code"] == "guessed_too_often"
