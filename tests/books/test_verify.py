"""ACCEPTANCE 9: ``shuke verify`` finds a hand-made corruption and names the row."""

# ruff: noqa: E501  # a corruption is a line

import pytest

from shuke.books import codes
from shuke.engine.activity import ASSET_TRANSFERRED, COUPON_CLAIMED, COUPON_ISSUED, JOINED, ORDER_REFUNDED
from shuke.runtime import due
from tests.shop import COFFEE, at, open_shop, order, spent, told

pytestmark = pytest.mark.database

SHOP = (
    COFFEE
    + """
  - {id: first, asset: points, give: {fixed: 5}, limits: {total: 8, times_per_member: 1}}
ladders:
  - id: main
    tiers: [{id: base}, {id: gold, entry: "spend(lifetime) >= 50"}]
coupons:
  - {id: welcome, give: {percent: 10}, valid: {lasts: 30 days}, limits: {total: 5}}
  - {id: printed, give: {percent: 10}, codes: unique}
"""
)

# ada: 1 joined, 2 ordered, 3 was given a coupon, 4 spent, 5 refunded, 6 gave points, 7 came with a code.
# bob: 1 ordered, 2 received.
HISTORY = (
    told(JOINED, "ada", key="j", traits={"city": "Taipei"}, tags=["staff"]),
    order("ada", "o1", 3000, 2000, channel="web"),
    told(COUPON_ISSUED, "ada", key="c", template="welcome"),
    order("bob", "o9", 900),
    spent("ada", 12, key="s1"),
    told(ORDER_REFUNDED, "ada", key="r1", order_id="o1", amount=1000),
    told(ASSET_TRANSFERRED, "ada", key="t1", asset="points", amount=3, to_member="bob"),
    told(COUPON_CLAIMED, "ada", key="p1", code="CODE1"),
)

ADA = "member_id = 'ada'"
STATE_BYTE = "set_byte(state, length(state) - 3, get_byte(state, length(state) - 3) # 1)"
MEMORY_BYTE = "set_byte(settlement, length(settlement) - 3, get_byte(settlement, length(settlement) - 3) # 1)"


def of(member: str, seq: int) -> str:
    """The rows of this activity."""
    return f"activity_id = (select id from activity where member_id = '{member}' and seq = {seq})"


ENTRY = "asset, kind, {debit}, {credit}, 7, lot, rule, order_id, version, occurred_at, why from entry"
FORTH = ENTRY.format(debit="debit", credit="credit")
BACK = ENTRY.format(debit="credit", credit="debit")

# What somebody does to the books, and the row that is to be named.
CORRUPTIONS = {
    "an entry's amount is edited": (f"update entry set amount = amount + 1 where {of('ada', 2)} and no = 0", "entry ada/2/0"),
    "an entry's account is edited": (f"update entry set credit = 'expired' where {of('ada', 4)}", "entry ada/4/0"),
    "an entry's instant is edited": (f"update entry set occurred_at = occurred_at + interval '1 second' where {of('ada', 2)} and no = 0", "entry ada/2/0"),
    "an entry's reason is edited": (f"update entry set why = null where {of('ada', 2)} and no = 0", "entry ada/2/0"),
    "an entry is deleted": (f"delete from entry where {of('ada', 4)}", "entry ada/4/0"),
    "the last entry is deleted": (f"delete from entry where {of('bob', 2)}", "entry bob/2/0"),
    "an entry is inserted": (
        f"insert into entry select activity_id, 9, bucket, member_id, {FORTH} where {of('ada', 2)} and no = 0",
        "entry ada/2/9",
    ),
    "two entries that cancel out are inserted": (
        f"insert into entry select activity_id, 8, bucket, member_id, {FORTH} where {of('ada', 2)} and no = 0"
        f" union all select activity_id, 9, bucket, member_id, {BACK} where {of('ada', 2)} and no = 0",
        "entry ada/2/8",
    ),
    "an entry is moved to another member": (f"update entry set member_id = 'bob' where {of('ada', 4)}", "entry ada/4/0"),
    "an entry is moved to another activity": (f"update entry set activity_id = activity_id + 1000 where {of('ada', 4)}", "entry ada/4/0"),
    "an entry of no activity is inserted": (
        f"insert into entry select 1000, 0, bucket, member_id, {FORTH} where {of('ada', 4)}",
        "entry ada/(activity 1000)/0",
    ),
    "an entry of nobody is inserted": (
        f"insert into entry select 1000, 0, bucket, 'nobody', {FORTH} where {of('ada', 4)}",
        "entry nobody/(activity 1000)",
    ),
    "a byte of the state is edited": (f"update member set state = {STATE_BYTE} where {ADA}", "member ada"),
    "the state is cut short": (f"update member set state = substring(state for 20) where {ADA}", "member ada"),
    "the state is emptied": (f"update member set state = '' where {ADA}", "member ada"),
    "a balance beside the state is edited": (f"update member set balances = '{{\"points\": 1000}}' where {ADA}", "member ada"),
    "a tier beside the state is edited": (f"update member set tiers = '{{\"main\": \"base\"}}' where {ADA}", "member ada"),
    "the due date is edited": (f"update member set due_at = due_at + interval '1 day' where {ADA}", "member ada"),
    "the due date is removed": (f"update member set due_at = null where {ADA}", "member ada"),
    "the status is edited": (f"update member set status = 'frozen' where {ADA}", "member ada"),
    "the day of joining is edited": (f"update member set joined_at = joined_at - interval '1 year' where {ADA}", "member ada"),
    "a trait is edited": (f"update member set traits = '{{\"city\": \"Tainan\"}}' where {ADA}", "member ada"),
    "a tag is removed": (f"update member set tags = '{{}}' where {ADA}", "member ada"),
    "the member's row is deleted": (f"delete from member where {ADA}", "activity ada/1"),
    "the member is moved to another bucket": (f"update member set bucket = (bucket + 1) % 64 where {ADA}", "activity ada/1"),
    "a member that nobody settled is inserted": (
        "insert into member select bucket, 'eve', status, joined_at, due_at, tiers, balances, traits, tags, seq, state from member where member_id = 'ada'",
        "activity eve/1",
    ),
    "a lot is removed": ("delete from lot where member_id = 'ada' and lot = 1", "lot ada/2/points/1"),
    "a lot lives longer": ("update lot set expires_at = expires_at + interval '1 year' where member_id = 'ada'", "lot ada/2/points/1"),
    "a lot is invented": ("insert into lot select activity_id, bucket, member_id, asset, 77, opened_at, ripens_at, expires_at from lot where member_id = 'ada'", "lot ada/2/points/77"),
    "a lot is opened twice": (
        "insert into lot select a.id, l.bucket, l.member_id, asset, lot, opened_at, ripens_at, expires_at from lot l, activity a where l.member_id = 'ada' and a.member_id = 'ada' and a.seq = 4",
        "lot ada/4/points/1",
    ),
    "a lot of nobody is invented": (
        "insert into lot select 1000, bucket, 'nobody', asset, 77, opened_at, ripens_at, expires_at from lot where member_id = 'ada'",
        "lot nobody/(activity 1000)",
    ),
    "two activities change places": (
        "update activity set id = case seq when 1 then id + 1 else id - 1 end + 1000 where member_id = 'ada' and seq in (1, 2)",
        "activity ada/2",
    ),
    "an activity is deleted": ("delete from activity where member_id = 'ada' and seq = 2", "activity ada/2"),
    "the last activity is deleted": ("delete from activity where member_id = 'bob' and seq = 2", "activity bob/2"),
    "an activity's body is edited": ("update activity set body = replace(body::text, '3000', '9000')::json where key = 'o1'", "activity ada/2"),
    "an activity's body and digest are edited": (
        "update activity set body = '{}', digest = '\\x99914b932bd37a50b983c5e7c90ae93b' where key = 'o1'",
        "activity ada/2",
    ),
    "an activity's key is edited": ("update activity set key = 'other' where key = 'o1'", "activity ada/2"),
    "an activity's instant is edited": ("update activity set occurred_at = occurred_at - interval '1 day' where key = 'o1'", "activity ada/2"),
    "an activity's version is edited": ("update activity set version = 7 where key = 'o1'", "activity ada/2"),
    "an answer is edited": ("update activity set answer = '{\"body\": {\"earned\": {\"points\": 99}}}' where key = 'o1'", "activity ada/2"),
    "what was told of shared quotas is removed": ("update activity set context = '{\"taken\": {\"earning/first\": 8}}' where key = 'o1'", "activity ada/2"),
    "an order's memory is edited": (f"update orders set settlement = {MEMORY_BYTE} where order_id = 'o1'", "orders ada/o1"),
    "an order's amount is edited": ("update orders set amount = 1 where order_id = 'o1'", "orders ada/o1"),
    "an order's status is edited": ("update orders set status = 'refunded' where order_id = 'o1'", "orders ada/o1"),
    "an order is deleted": ("delete from orders where order_id = 'o1'", "orders ada/o1"),
    "an order is given to somebody else": ("update orders set member_id = 'nobody' where order_id = 'o1'", "orders ada/o1"),
    "a change of tier is edited": ("update tier_change set to_tier = 'base' where member_id = 'ada' and to_tier = 'gold'", "tier_change ada/2/"),
    "a change of tier is deleted": ("delete from tier_change where member_id = 'ada' and to_tier = 'gold'", "tier_change ada/2/"),
    "a coupon is made good again": ("update coupon set valid_until = valid_until + interval '1 year' where template = 'welcome'", "coupon ada/welcome"),
    "a coupon is deleted": ("delete from coupon where template = 'welcome'", "coupon ada/welcome"),
    "a code is freed": ("update code set bucket = null, member_id = null, coupon_id = null where code = 'CODE1'", "code ada/CODE1"),
    "a code nobody took is taken": ("update code set (bucket, member_id, coupon_id) = (select bucket, member_id, 'x' from member where member_id = 'bob') where code = 'CODE2'", "code bob/CODE2"),
    "a code is taken by nobody": ("update code set bucket = 1, member_id = 'nobody', coupon_id = 'x' where code = 'CODE2'", "code nobody/CODE2"),
    "a code is given to another coupon": ("update code set coupon_id = (select coupon_id from coupon where template = 'welcome') where code = 'CODE1'", "code ada/CODE1"),
    "a code taken is another one": ("update code set code = 'CODE9' where code = 'CODE1'", "code ada/CODE1"),
    "what was told of a code is removed": ("update activity set context = null where key = 'p1'", "activity ada/7"),
    "a code free is forgotten": ("delete from code where code = 'CODE2'", "code_batch 1"),
    "a batch is of another template": ("update code_batch set template = 'welcome'", "code CODE1"),
    "a batch is forgotten": ("delete from code_batch", "code CODE1"),
    "a shared quota is freed": ("update quota set used = 0 where quota = 'earning/first'", "quota earning/first"),
    "a shared quota is forgotten": ("delete from quota where quota = 'earning/first'", "quota earning/first"),
}  # fmt: skip


async def print_codes(shop):
    async with shop.connections.connection() as connection:
        batch = await codes.add_batch(connection, "printed", prefix="CODE", letters=1, size=2, at=1, note="")
        await codes.add_codes(connection, batch, b"12", prefix="CODE", letters=1, first=1)


async def test_books_that_nobody_touched_agree(books_url, tenant):
    async with open_shop(books_url, tenant=tenant, program=SHOP) as shop:
        await print_codes(shop)
        assert [answer.status for answer in await shop.settle(*HISTORY)] == ["settled"] * len(HISTORY)
        await due.advance(shop.settler, until=at("2026-08-01"))
        assert await shop.findings() == []


async def test_a_hand_made_corruption_is_found_and_its_row_named(books_url, tenant):
    wrong = {}
    async with open_shop(books_url, tenant=tenant, program=SHOP, most=1) as shop:
        await print_codes(shop)
        await shop.settle(*HISTORY)
        for what, (statement, row) in CORRUPTIONS.items():
            found = await shop.findings(after=statement)
            if not found or not found[0].row.startswith(row):
                wrong[what] = [(finding.code, finding.row) for finding in found]
        assert wrong == {}
        assert await shop.findings() == []
