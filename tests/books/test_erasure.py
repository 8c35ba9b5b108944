"""ACCEPTANCE 30: erasure takes the person out of the books and leaves them balanced and proved."""

# ruff: noqa: E501  # a corruption is a line

import asyncio

import pytest

from shuke.engine.activity import (
    ASSET_SPENT,
    COUPON_ISSUED,
    ERASED,
    JOINED,
    ORDER_REFUNDED,
    TOPPED_UP,
    UPDATED,
    Activity,
    Line,
    Payments,
    Purchase,
)
from shuke.runtime import due
from tests.shop import NOON, Ledger, Shop, at, edition, given, open_shop, order, told

pytestmark = pytest.mark.database

PROGRAM = """
id: rich
currency: USD
zone: Asia/Taipei
assets:
  - {id: points, validity: {after: 12 months}, transfer: {minimum: 1}}
  - {id: principal, kind: principal, scale: 2}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}}
  - {id: done, on: order.completed, asset: points, give: {fixed: 3}}
  - {id: first, asset: points, give: {fixed: 5}, limits: {total: 80}}
benefits:
  - {id: cake, birthday_gift: {asset: points, amount: 7}}
ladders:
  - {id: main, tiers: [{id: base}, {id: gold, entry: "spend(lifetime) >= 50"}]}
coupons:
  - {id: ten, give: {percent: 10}, limits: {total: 5, redeemed_total: 5}}
stored_value: {principal: principal}
"""

LATER = at("2026-06-01")
SECRETS = ("0912345678", "Ada Lin", "1990-05-01", "engrave me", "allergic", "Mrs Lin called", "10.1.2.3", "ref-ada")
"""What is told of Ada in all the places where something personal may stand."""

HISTORY = (
    told(JOINED, "ada", key="j", when=at("2026-04-01"), identities={"phone": "+8860912345678"},
         traits={"name": "Ada Lin", "birthday": "1990-05-01"}, tags=["allergic"]),
    order("ada", "o1", Line(6000, sku="cup", attributes={"text": "engrave me"}), channel="web"),
    told(UPDATED, "ada", key="u", traits={"nick": "Ada Lin"}),
    told(COUPON_ISSUED, "ada", key="c", template="ten", quantity=2, reason="Mrs Lin called"),
    told(ASSET_SPENT, "ada", key="s", id="sp1", asset="points", amount=10, reference="ref-ada", reason="Ada Lin"),
    told("page.viewed", "ada", key="p", ip="10.1.2.3"),
    told(TOPPED_UP, "ada", key="t", id="t1", amount=10000),
    told(ORDER_REFUNDED, "ada", key="r", order_id="o1", amount=1000, reason="Mrs Lin called"),
    order("bob", "b1", 700),
    given("bob", 4, key="g"),
)  # fmt: skip


def held() -> Activity:
    """A cart on hold that keeps one of her coupons."""
    ledger = Ledger(edition(PROGRAM))
    ledger.all(*HISTORY)
    uses = Payments(coupons=[min(ledger.members["ada"].coupons)])
    line = Line(900, list_amount=900, attributes={"text": "engrave me"})
    return Activity(
        "cart.held", "ada", NOON, "test", "h", {"hold": "h1"}, Purchase("o2", [line], uses=uses, priced=False)
    )


ERASE = told(ERASED, "ada", key="e", when=LATER, stored_value="paid_out")

ALL = """
    select 'activity', a::text from activity a where member_id = 'ada'
    union all select 'entry', e::text from entry e where member_id = 'ada'
    union all select 'orders', encode(settlement, 'escape') from orders where member_id = 'ada'
    union all select 'member', m::text || encode(state, 'escape') from member m where member_id = 'ada'
    union all select 'coupon', c::text from coupon c where member_id = 'ada'
    union all select 'identity', i::text from identity i where member_id = 'ada'
"""


async def said_of_ada(shop: Shop) -> dict[str, set[str]]:
    """Which of her secrets each table tells."""
    found: dict[str, set[str]] = {}
    for table, text in await shop.rows(ALL):
        found.setdefault(table, set()).update(secret for secret in SECRETS if secret in text)
    return {table: secrets for table, secrets in found.items() if secrets}


@pytest.fixture
async def rich(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, program=PROGRAM) as shop:
        answers = await shop.settle(*HISTORY, held())
        assert {(answer.status, answer.code) for answer in answers} == {("settled", None)}
        yield shop


async def test_nothing_that_tells_who_she_was_is_left_in_any_table(rich):
    before = await said_of_ada(rich)
    assert set().union(*before.values()) == set(SECRETS)
    assert set(before) == {"activity", "entry", "orders", "member", "identity"}
    [answer] = await rich.settle(ERASE)
    assert answer.status == "settled"
    assert await said_of_ada(rich) == {}


async def test_the_books_balance_and_are_proved_before_and_after_more_is_told(rich):
    assert await rich.findings() == []
    await rich.settle(ERASE)
    assert await rich.findings() == []
    answers = await rich.settle(order("ada", "o9", 100, when=LATER), given("bob", 1, key="g2"), ERASE)
    assert [(answer.status, answer.code) for answer in answers] == [
        ("refused", "member_erased"),
        ("settled", None),
        ("settled", None),
    ]
    assert answers[2].repeated
    await due.advance(rich.settler, until=at("2028-01-01"))
    assert await rich.findings() == []
    sums = await rich.rows("""
        select asset, account, sum(amount) from (
            select asset, credit as account, amount from entry where member_id = 'ada'
            union all select asset, debit, -amount from entry where member_id = 'ada'
        ) e group by 1, 2 having sum(amount) <> 0 order by 1, 2
    """)
    assert {account for _, account, _ in sums}.isdisjoint({"available", "pending", "held", "debt"})
    assert ("principal", "paid_out", 10000) in sums


async def test_what_was_settled_before_is_refused_when_it_is_told_again(rich):
    await rich.settle(ERASE)
    answers = await rich.settle(*HISTORY[:-2])
    assert {(answer.status, answer.code) for answer in answers} == {("refused", "member_erased")}
    assert await rich.findings() == []


async def test_what_the_log_still_says_is_what_a_reader_of_the_books_needs(rich):
    await rich.settle(ERASE)
    kept = dict(
        await rich.rows("select key, body from activity where member_id = 'ada' and key in ('o1', 's', 'u', 'p')")
    )
    assert kept["o1"]["purchase"] == {"order_id": "o1", "lines": [{"amount": 6000, "sku": "cup"}], "channel": "web"}
    assert kept["s"]["payload"] == {"id": "sp1", "asset": "points", "amount": 10}
    assert "payload" not in kept["u"]
    assert "payload" not in kept["p"]


ADA = "member_id = 'ada'"
CORRUPTIONS = {
    "an entry's amount": (f"update entry set amount = amount + 1 where {ADA} and kind = 'spend'", "activity ada/5"),
    "two entries that cancel out": (
        "insert into entry select activity_id, no + n, bucket, member_id, asset, kind, d, c, 7, lot, rule, order_id,"
        " version, occurred_at, why from entry, (values ('issued', 'available', 8), ('available', 'issued', 9)) v (d, c, n)"
        f" where {ADA} and kind = 'spend'",
        "activity ada/5",
    ),
    "a lot's date": (f"update lot set expires_at = expires_at + interval '1 day' where {ADA}", "activity ada/2"),
    "a body": (f"update activity set body = replace(body::text, '6000', '7000')::json where {ADA}", "activity ada/2"),
    "an answer": (f"update activity set answer = '{{\"code\": \"x\"}}' where {ADA} and key = 's'", "activity ada/5"),
    "what was claimed": (f"update activity set context = null where {ADA} and key = 'o1'", "activity ada/2"),
    "an order": (f"update orders set amount = 1 where {ADA} and order_id = 'o1'", "activity ada/10"),
    "a coupon": (f"update coupon set state = 'issued' where {ADA}", "activity ada/10"),
    "an entry of the erasing": (f"delete from entry where {ADA} and kind = 'forfeit'", "activity ada/10"),
    "the seal": (f"update activity set context = null where {ADA} and key = 'e'", "activity ada/10"),
    "the day she joined": (f"update member set joined_at = joined_at - interval '1 day' where {ADA}", "activity ada/10"),
    "a tier change": (f"delete from tier_change where {ADA} and to_tier = 'gold'", "activity ada/2"),
    "an identity": (
        "insert into identity select 'phone', '+886900000000', bucket, member_id, joined_at from member"
        f" where {ADA}",
        "identity ada/phone",
    ),
    "her status": (f"update member set status = 'active' where {ADA}", "member ada"),
}  # fmt: skip


async def test_a_hand_made_corruption_of_what_was_sealed_is_found_and_its_row_named(rich):
    await rich.settle(ERASE)
    wrong = {}
    for what, (statement, row) in CORRUPTIONS.items():
        found = [finding.row for finding in await rich.findings(after=statement)]
        if not found or not found[0].startswith(row):
            wrong[what] = found
    assert wrong == {}
    assert await rich.findings() == []


async def test_erased_twice_at_once_she_is_erased_once(rich):
    again = told(ERASED, "ada", key="e2", when=LATER, stored_value="waived")
    [one], [other] = await asyncio.gather(rich.settle(ERASE), rich.settle(again))
    assert sorted([one.status, other.status]) == ["refused", "settled"]
    assert await rich.findings() == []


async def test_an_erasing_that_is_refused_takes_nothing_away(rich):
    [answer] = await rich.settle(told(ERASED, "ada", key="e", when=LATER))
    assert (answer.code, answer.facts) == ("value_left", {"asset": "principal", "amount": 10000})
    assert len((await said_of_ada(rich))["activity"]) == len(SECRETS)
    assert await rich.findings() == []
