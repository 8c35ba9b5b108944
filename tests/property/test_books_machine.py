"""What happens in memory happens in the books: in batches cut anywhere, with repeats in any order between."""

import asyncio
import os

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule, run_state_machine_as_test
from msgspec import json

from shuke.books import codes
from shuke.engine.member import pack
from tests.property.rich_shop import CHANGES_AT, FIRST, SECOND
from tests.property.test_engine_machine import CODES, MEMBERS, ShopMachine
from tests.shop import NOON, open_shop

pytestmark = pytest.mark.database

ROUNDS = int(os.environ.get("SHUKE_PROVE_ROUNDS", "1"))

ENTRIES = """
    select e.member_id, e.asset, e.kind, e.debit, e.credit, e.amount, coalesce(e.lot, 0), e.rule, e.order_id, e.version
    from entry e join activity a on a.id = e.activity_id order by e.member_id, a.seq, e.no
"""


class BooksMachine(ShopMachine):
    """The same as in memory; now and then what came in is delivered to the books."""

    def __init__(self, runner: asyncio.Runner, shop) -> None:
        super().__init__()
        self.runner, self.shop = runner, shop
        self.waiting, self.delivered = [], []

    @initialize()
    def open(self) -> None:
        tables = "member, activity, entry, lot, orders, coupon, tier_change, outbox, quota, identity, code, code_batch"
        self.runner.run(self.shop.rows(f"truncate {tables} restart identity"))
        self.runner.run(self._print_codes())
        super().open()

    async def _print_codes(self) -> None:
        async with self.shop.connections.connection() as connection:
            for template in dict.fromkeys(CODES.values()):
                drawn = "".join(code[-1] for code, opens in CODES.items() if opens == template).encode()
                batch = await codes.add_batch(
                    connection, template, prefix="CODE", letters=1, size=len(drawn), at=NOON, note=""
                )
                await codes.add_codes(connection, batch, drawn, prefix="CODE", letters=1, first=1)

    def _withdraw(self) -> None:
        """What is told before must be delivered before."""
        batch, self.waiting = self.waiting, []
        if batch:
            self._deliver([(one, False) for one in batch])
            self.delivered.extend(batch)
        super()._withdraw()
        self.runner.run(self._void_batches())

    async def _void_batches(self) -> None:
        async with self.shop.connections.connection() as connection:
            for batch in await codes.batches(connection, most=9):
                await codes.void_batch(connection, batch.batch, at=self.now)

    def _settle_all(self, activity):
        settled = super()._settle_all(activity)
        self._wait_for_delivery(activity, settled)
        return settled

    def _catch_up(self, member, key):
        activity, settled = super()._catch_up(member, key)
        self._wait_for_delivery(activity, settled)
        return activity, settled

    def _wait_for_delivery(self, activity, settled) -> None:
        refused = settled.refused
        told = (None, {}) if refused is None else (refused.code, refused.facts)
        self.waiting.append((activity, (*told, json.encode(settled.answer))))

    @rule(dice=st.randoms(use_true_random=False))
    def deliver(self, dice) -> None:
        """In batches of any size, each with repeats of what was delivered before or stands before in the batch."""
        while self.waiting:
            size = dice.randint(1, 12)
            batch, self.waiting = self.waiting[:size], self.waiting[size:]
            fresh = [(one, False) for one in batch]
            for _ in range(dice.randint(0, 3)):
                if self.delivered:
                    fresh.insert(dice.randint(0, len(fresh)), (dice.choice(self.delivered), True))
                position = dice.randrange(len(fresh))
                fresh.insert(dice.randint(position + 1, len(fresh)), (fresh[position][0], True))
            self._deliver(fresh)
            self.delivered.extend(batch)

    def _deliver(self, batch) -> None:
        answers = self.runner.run(self.shop.settle(*(activity for (activity, _), _ in batch)))
        for ((activity, expected), repeated), answer in zip(batch, answers, strict=True):
            code, facts, body = expected
            if repeated and not answer.repeated:  # nobody knows any more what was answered
                assert (answer.code, self.ledger.members[activity.member_id].status) == ("member_erased", "erased")
                continue
            assert (answer.code, answer.repeated) == (code, repeated)
            assert (answer.status, bytes(answer.body)) == ("refused" if code else "settled", body)
            assert json.encode(answer.facts) == json.encode(facts)

    def teardown(self) -> None:
        if not hasattr(self, "ledger"):
            return
        super().teardown()
        while self.waiting:
            batch, self.waiting = self.waiting[:100], self.waiting[100:]
            self._deliver([(one, False) for one in batch])
        self.runner.run(self._compare())

    async def _compare(self) -> None:
        assert await self.shop.findings() == []
        states = dict(await self.shop.rows("select member_id, state from member"))
        assert states == {id_: pack(self.ledger.members[id_]) for id_ in MEMBERS}
        assert await self.shop.rows(ENTRIES) == [
            (id_, e.asset, e.kind, e.debit, e.credit, e.amount, e.lot, e.rule, e.order_id, e.version)
            for id_ in MEMBERS
            for e in self.ledger.entries[id_]
        ]
        taken = await self.shop.rows("select code from code where member_id is not null")
        assert {code for (code,) in taken} == {
            code for code, known in self.ledger.codes.items() if known.state == "taken"
        }
        quotas = dict(await self.shop.rows("select quota, used from quota where used > 0"))
        assert quotas == {quota: used for quota, used in self.ledger.taken.items() if used}


def test_books_filled_in_any_batches_with_any_repeats_are_those_of_the_engine_alone(books_url, tenant):
    with asyncio.Runner() as runner:
        opened = open_shop(books_url, tenant=tenant, program=FIRST)
        shop = runner.run(opened.__aenter__())
        try:
            runner.run(shop.publish(SECOND, when=CHANGES_AT))
            slow = settings(
                max_examples=25 * ROUNDS,
                stateful_step_count=40,
                suppress_health_check=[HealthCheck.too_slow],
            )
            run_state_machine_as_test(lambda: BooksMachine(runner, shop), settings=slow)
        finally:
            runner.run(opened.__aexit__(None, None, None))
