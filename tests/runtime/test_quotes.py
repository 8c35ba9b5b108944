"""Quotes over real books: one look, no lock, no transaction, and nothing left behind."""

import asyncio
from typing import LiteralString

import pytest
from psycopg.pq import TransactionStatus

from shuke.engine.activity import Line, Payments, Purchase
from shuke.engine.cart import Quote
from shuke.runtime.quotes import Quotes
from shuke.runtime.settle import NotPublished
from tests.shop import COFFEE, NOON, Shop, given, open_shop

pytestmark = pytest.mark.database

UNIQUE = (
    COFFEE
    + """
coupons:
  - {id: ten, give: {amount_off: 10}, codes: unique, limits: {redeemed_total: 3}}
"""
)

ADD_BATCH: LiteralString = """
    insert into code_batch (batch, template, prefix, letters, size, made_at, voided_at, note)
    overriding system value values (%s, 'ten', '', 8, 2, now(), %s, '')
"""


def cart(*coupons: str) -> Purchase:
    return Purchase("o-1", [Line(50_00)], uses=Payments(coupons=list(coupons)), priced=False)


@pytest.fixture
async def unique(books_url: str, tenant: str):
    """The coffee shop, with codes made ahead: FREE1, TAKEN1 and VOID1."""
    async with open_shop(books_url, tenant=tenant, program=UNIQUE) as shop:
        for batch, voided in ((1, None), (2, "2026-01-01")):
            await shop.rows(ADD_BATCH, (batch, voided))
        await shop.rows("insert into code (code, batch, no) values ('FREE1', 1, 1), ('VOID1', 2, 1)")
        await shop.rows("insert into code values ('TAKEN1', 1, 2, 1, 'eve', 'ten.x')")
        yield shop


async def quoted(shop: Shop, *coupons: str, member: str | None = "ann") -> Quote:
    found = await Quotes(shop.connections, shop.settler).of(cart(*coupons), member_id=member, at=NOON)
    assert isinstance(found.quote, Quote)
    return found.quote


async def test_a_code_made_ahead_opens_its_coupon_only_while_it_is_free(unique: Shop):
    quote = await quoted(unique, "free1")
    assert (quote.payable, quote.skipped) == (40_00, [])
    for code, reason in (("TAKEN1", "code_used"), ("VOID1", "code_void"), ("OTHER1", "coupon_unknown")):
        quote = await quoted(unique, code)
        assert (quote.payable, quote.skipped[-1]["code"]) == (50_00, reason)


async def test_a_quota_that_only_the_code_names_is_looked_up_too(unique: Shop):
    await unique.rows("insert into quota (quota, period, used) values ('coupon/ten/redeemed', '', 3)")
    quote = await quoted(unique, "FREE1", member=None)
    assert (quote.payable, quote.skipped[-1]["code"]) == (50_00, "coupon_limit")


async def test_a_quote_waits_for_nobody_who_settles(shop: Shop):
    await shop.settle(given("ann", 5, key="g"))
    async with shop.connections.connection() as connection:
        await connection.execute("select 1 from member where member_id = 'ann' for update")
        assert (await asyncio.wait_for(quoted(shop), timeout=10)).payable == 50_00


async def test_a_connection_comes_back_as_it_was(shop: Shop):
    await asyncio.gather(*(quoted(shop) for _ in range(40)))
    for _ in range(8):
        async with shop.connections.connection() as connection:
            assert connection.autocommit is False
            await connection.execute("select 1")
            assert connection.info.transaction_status == TransactionStatus.INTRANS


async def test_a_quote_that_fails_leaves_the_connection_as_it_was(shop: Shop):
    await shop.rows("alter table program_version rename to elsewhere")
    with pytest.raises(Exception, match="program_version"):
        await quoted(shop)
    async with shop.connections.connection() as connection:
        assert connection.autocommit is False


async def test_nothing_is_priced_before_a_program_is_published(books_url: str, tenant: str):
    async with open_shop(books_url, tenant=tenant, program=None) as shop:
        with pytest.raises(NotPublished):
            await quoted(shop)
