"""An identity belongs to one member, also when two take it at once, and the books can prove whose it is."""

# ruff: noqa: E501  # a corruption is a line

import asyncio

import pytest
from msgspec import msgpack

from shuke.books.members import by_identity
from shuke.engine.activity import ASSET_TRANSFERRED, ERASED, IDENTITY_ADDED, JOINED, UPDATED
from tests.shop import NOON, given, told

pytestmark = pytest.mark.database

PHONE = "+886912345678"
ROWS = "select kind, value, member_id from identity order by kind, value"


def joined(member, **identities):
    return told(JOINED, member, key=f"join-{member}", identities=identities)


def updated(member, key, **identities):
    return told(UPDATED, member, key=key, when=NOON + 1, identities=identities)


async def test_who_is_called_what_is_found_by_its_value(shop):
    await shop.settle(joined("ada", phone=PHONE, card="7"), joined("bob", card="8"), joined("cy"))
    assert await shop.rows(ROWS) == [("card", "7", "ada"), ("card", "8", "bob"), ("phone", PHONE, "ada")]
    await shop.settle(updated("ada", "u1", card="9", phone=None), updated("bob", "u2", phone=PHONE))
    assert await shop.rows(ROWS) == [("card", "8", "bob"), ("card", "9", "ada"), ("phone", PHONE, "bob")]
    assert await shop.findings() == []


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_what_another_is_called_is_refused_and_settled_again_the_same(shop, together):
    tellings = [joined("ada", phone=PHONE), joined("bob", phone=PHONE), joined("cy", phone=PHONE)]
    answers = await shop.settle(*tellings) if together else [(await shop.settle(one))[0] for one in tellings]
    assert [(answer.status, answer.code, answer.facts) for answer in answers] == [
        ("settled", None, {}),
        ("refused", "identity_taken", {"kind": "phone"}),
        ("refused", "identity_taken", {"kind": "phone"}),
    ]
    kept = dict(await shop.rows("select member_id, context from activity"))
    assert kept == {"ada": None, "bob": {"identities": {"phone": "ada"}}, "cy": {"identities": {"phone": "ada"}}}
    assert await shop.findings() == []


async def test_of_many_who_take_a_name_at_once_one_has_it_and_each_loser_is_told(shop):
    members = [f"m{number}" for number in range(20)]
    answers = await asyncio.gather(*(shop.settle(joined(member, phone=PHONE, card=member)) for member in members))
    codes = [answer.code for [answer] in answers]
    assert (codes.count(None), codes.count("identity_taken")) == (1, 19)
    rows = await shop.rows(ROWS)
    winner = members[codes.index(None)]
    assert rows == [("card", winner, winner), ("phone", PHONE, winner)]
    assert await shop.findings() == []


async def test_two_who_swap_names_at_once_never_wait_for_each_other_in_a_circle(shop):
    await shop.settle(joined("ada", phone="+886911111111", card="1"), joined("bob", phone="+886922222222", card="2"))
    for number in range(10):
        a, b = {"phone": f"+8869333333{number:02}", "card": f"c{number}"}, {"card": f"c{number}"}
        await asyncio.gather(
            shop.settle(updated("ada", f"a{number}", **a)), shop.settle(updated("bob", f"b{number}", **b))
        )
    assert await shop.findings() == []


async def test_what_is_given_up_in_a_batch_may_be_taken_in_the_same(shop):
    await shop.settle(joined("ada", phone=PHONE))
    answers = await shop.settle(
        updated("ada", "u1", phone=None), joined("bob", phone=PHONE), updated("ada", "u2", phone=PHONE)
    )
    assert [answer.code for answer in answers] == [None, None, "identity_taken"]
    assert await shop.rows(ROWS) == [("phone", PHONE, "bob")]
    assert await shop.findings() == []


async def test_an_activity_told_again_keeps_its_first_answer_also_when_its_name_is_anothers_now(shop):
    [first] = await shop.settle(joined("ada", phone=PHONE))
    await shop.settle(updated("ada", "u1", phone=None), joined("bob", phone=PHONE))
    [again] = await shop.settle(joined("ada", phone=PHONE))
    assert (again.status, again.repeated, again.seq) == ("settled", True, first.seq)
    assert await shop.rows(ROWS) == [("phone", PHONE, "bob")]


async def test_somebody_refused_is_kept_as_a_stranger_and_nothing_can_be_sent_to_the_erased(shop):
    await shop.settle(joined("ada", phone=PHONE), joined("bob", phone=PHONE), given("cy", 9, key="g"))
    await shop.settle(told(ERASED, "ada", key="e", when=NOON + 1))
    sent = told(ASSET_TRANSFERRED, "cy", key="t", when=NOON + 2, asset="points", amount=3, to_member="ada")
    [answer] = await shop.settle(sent)
    assert (answer.code, answer.facts) == ("member_erased", {"member": "ada"})
    statuses = dict(await shop.rows("select member_id, status from member"))
    assert statuses == {"ada": "erased", "bob": "stranger", "cy": "active"}
    assert await shop.rows(ROWS) == []
    assert await shop.findings() == []


async def test_a_device_is_kept_for_each_who_has_it_and_names_nobody_where_there_are_two(shop):
    await shop.settle(joined("ada", device="d"), joined("bob", device="d"), joined("cy", device="e"))
    assert await shop.rows(ROWS) == [("device", "d", "ada"), ("device", "d", "bob"), ("device", "e", "cy")]
    async with shop.connections.connection() as connection:
        assert await by_identity(connection, "device", "d") is None
        assert await by_identity(connection, "device", "e") == "cy"
    await shop.settle(updated("ada", "u1", device=None))
    assert await shop.rows(ROWS) == [("device", "d", "bob"), ("device", "e", "cy")]
    assert await shop.findings() == []


async def test_what_was_shown_to_be_hers_stands_beside_it_and_is_proved(shop):
    await shop.settle(joined("ada", phone=PHONE))
    await shop.settle(told(IDENTITY_ADDED, "ada", key="v", when=NOON + 1, kind="phone", value=PHONE, verified=True))
    assert await shop.rows("select value, verified_at > since from identity") == [(PHONE, True)]
    assert await shop.findings() == []
    [wrong] = await shop.findings(after="update identity set verified_at = null")
    assert wrong.row == "identity ada/phone"


async def test_a_state_that_was_written_before_there_was_a_field_is_no_finding(shop):
    await shop.settle(joined("ada", phone=PHONE))
    [(state,)] = await shop.rows("select state from member")
    older = msgpack.decode(state)
    older["identities"] = [one[:3] for one in older["identities"]]
    await shop.rows("update member set state = %s", [msgpack.encode(older)])
    assert await shop.findings() == []


CORRUPTIONS = {
    "delete from identity": "identity ada/phone",
    "update identity set value = '+886900000000'": "identity ada/phone",
    "update identity set since = since + interval '1 second'": "identity ada/phone",
    "update identity set member_id = 'bob', bucket = (select bucket from member where member_id = 'bob')": "identity",
    "update identity set member_id = 'nobody'": "identity nobody",
    "insert into identity select 'card', '7', bucket, 'bob', joined_at from member where member_id = 'bob'": "identity bob/card",
}  # fmt: skip


async def test_a_hand_made_corruption_is_found_and_its_row_named(shop):
    await shop.settle(joined("ada", phone=PHONE), joined("bob"))
    wrong = {}
    for statement, row in CORRUPTIONS.items():
        found = [finding.row for finding in await shop.findings(after=statement)]
        if not any(name.startswith(row) for name in found):
            wrong[statement] = found
    assert wrong == {}
