"""Activities that bring identities in the place of a member are settled for whoever is called so, and for one."""

import asyncio

import pytest
from msgspec import json

from shuke.engine.activity import ERASED, IDENTIFIED, JOINED, ORDER_PAID, Activity, Brought, Line, Named, Purchase
from tests.shop import NOON, told

pytestmark = pytest.mark.database

PHONE = "+886912345678"


def bought(order_id, *names, member="", amount=1000, when=NOON):
    purchase = Purchase(order_id, [Line(amount)])
    return Activity(ORDER_PAID, member, when, "till", order_id, None, purchase, Brought(list(names)))


def seen(key, *names, member="", when=NOON):
    return Activity(IDENTIFIED, member, when, "till", key, None, None, Brought(list(names)))


def phone(shown=True, value=PHONE):
    return Named("phone", value, shown)


async def called(shop):
    rows = await shop.rows("select kind, value, member_id from identity order by 1, 2, 3")
    return {f"{kind}:{value}": member for kind, value, member in rows}


async def test_an_order_of_somebody_new_makes_her_a_member_who_is_found_by_the_next(shop):
    [first] = await shop.settle(bought("o1", phone(), Named("email", "a@x.org")))
    [second] = await shop.settle(bought("o2", phone(shown=False)))
    assert first.member_id == second.member_id
    assert first.member_id.startswith("mbr_")
    assert await called(shop) == {f"phone:{PHONE}": first.member_id, "email:a@x.org": first.member_id}
    said = json.decode(second.body)["identified"]
    assert said == {"how": "identity", "by": {"kind": "phone", "shown": False, "verified": True}, "ignored": []}
    assert await shop.findings() == []


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "in transactions of their own"])
async def test_of_many_with_the_same_new_phone_at_once_one_makes_the_member_and_all_are_hers(shop, together):
    orders = [bought(f"o{number}", phone(), Named("device", f"d{number}")) for number in range(12)]
    if together:
        answers = await shop.settle(*orders)
    else:
        answers = [answer for [answer] in await asyncio.gather(*(shop.settle(order) for order in orders))]
    assert {answer.status for answer in answers} == {"settled"}
    assert len({answer.member_id for answer in answers}) == 1
    assert await shop.rows("select count(*) from member") == [(1,)]
    assert await shop.rows("select count(*) from orders") == [(12,)]
    assert await shop.findings() == []


async def test_told_again_it_has_its_first_answer_and_member_whoever_is_called_so_now(shop):
    request = b"r" * 32
    [first] = await shop.settler.settle([bought("o1", phone())], requests=[request])
    await shop.settle(told("member.updated", first.member_id, key="u", when=NOON + 1, identities={"phone": None}))
    await shop.settle(told(JOINED, "bob", key="j", when=NOON + 1, identities={"phone": PHONE}))
    [again] = await shop.settler.settle([bought("o1", phone())], requests=[request])
    assert (again.repeated, again.member_id, again.body) == (True, first.member_id, first.body)
    [other] = await shop.settler.settle([bought("o1", phone(), amount=5)], requests=[b"s" * 32])
    assert other.code == "key_reused"
    assert await shop.rows("select count(*) from member") == [(2,)]


async def test_two_members_are_never_made_one_and_the_answer_says_that_they_may_be(shop):
    await shop.settle(told(JOINED, "ann", key="a", identities={"phone": PHONE}, verified=["phone"]))
    await shop.settle(told(JOINED, "bob", key="b", identities={"email": "b@x.org"}, verified=["email"]))
    [answer] = await shop.settle(seen("s", phone(), Named("email", "b@x.org", True)))
    assert answer.member_id == "ann"
    assert json.decode(answer.body)["identified"]["perhaps"] == ["bob"]
    assert await called(shop) == {f"phone:{PHONE}": "ann", "email:b@x.org": "bob"}


@pytest.mark.parametrize("shown", [True, False])
async def test_nobody_gets_at_a_member_by_a_number_that_is_only_said(shop, shown):
    await shop.settle(told(JOINED, "ann", key="a", identities={"phone": PHONE}, verified=["phone"]))
    [answer] = await shop.settle(seen("s", phone(shown), Named("email", "thief@x.org", True), Named("device", "t")))
    assert answer.member_id == "ann"
    assert len(await called(shop)) == (3 if shown else 1)
    assert await shop.findings() == []


async def test_a_browser_is_hers_once_she_signed_in_and_nobodys_once_two_did(shop):
    browser = Named("anonymous", "x1")
    [before] = await shop.settle(seen("1", browser))
    await shop.settle(seen("2", browser, phone()))
    [hers] = await shop.settle(seen("3", browser, when=NOON + 1))
    [ann] = await shop.settle(seen("4", phone()))
    assert (before.member_id, hers.member_id) == ("anon:x1", ann.member_id)
    await shop.settle(seen("5", browser, phone(value="+886922345678")))
    [after] = await shop.settle(seen("6", browser, when=NOON + 2))
    assert after.member_id == "anon:x1"
    assert await shop.findings() == []


async def test_what_is_full_or_anothers_by_now_is_left_out_and_said(shop):
    await shop.settle(told(JOINED, "ann", key="a", identities={"phone": PHONE, "line": "U1"}))
    [answer] = await shop.settle(seen("s", Named("line", "U1"), phone(value="+886922345678")))
    assert json.decode(answer.body)["identified"]["ignored"] == [{"kind": "phone", "why": "identity_limit"}]


async def test_an_erased_member_leaves_nothing_of_what_came_with_her_activities(shop):
    [answer] = await shop.settle(bought("o1", phone(), Named("email", "a@x.org")))
    await shop.settle(told(ERASED, answer.member_id, key="e", when=NOON + 1))
    for body, said, context in await shop.rows("select body::text, answer::text, context::text from activity"):
        assert PHONE not in f"{body}{said}{context}"
        assert "a@x.org" not in f"{body}{said}{context}"
    [again] = await shop.settle(bought("o2", phone(), when=NOON + 2))
    assert again.member_id != answer.member_id
    assert await shop.findings() == []


async def test_who_took_a_name_earlier_in_a_batch_is_found_by_it_later_in_the_same(shop):
    taken = told(JOINED, "bob", key="j", identities={"phone": PHONE})
    answers = await shop.settle(taken, bought("o1", phone()), bought("o2", phone()))
    assert {answer.member_id for answer in answers} == {"bob"}
    assert await shop.rows("select count(*) from member") == [(1,)]
    assert await shop.findings() == []
