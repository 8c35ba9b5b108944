"""Lots: when they ripen and end, in which order they are spent, what debts do, how gifts travel."""

from __future__ import annotations

from typing import Any

import pytest

from shuke.engine.activity import (
    ASSET_ADJUSTED,
    ASSET_OPENED,
    ASSET_SPENT,
    ASSET_TRANSFERRED,
    ORDER_PAID,
    TIME_PASSED,
    Activity,
    Line,
    Purchase,
)
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Settled
from shuke.engine.member import Member, pack, unpack
from shuke.engine.step import step
from shuke.engine.turn import Context
from shuke.program.document import from_data
from shuke.values.instants import NEVER, format_instant, parse_instant

TAIPEI, NEW_YORK = "Asia/Taipei", "America/New_York"


def program(*, zone: str = TAIPEI, **asset: Any) -> Editions:
    data = {
        "id": "shop",
        "currency": "USD",
        "zone": zone,
        "assets": [{"id": "points", **asset}],
        "earning": [{"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}}],
    }
    return Editions([Compiled(from_data(data))])


class Shop:
    """One member of one program; every call settles one activity at a wall time of the zone."""

    def __init__(self, editions: Editions, *, zone: str = TAIPEI) -> None:
        self.editions, self.zone = editions, zone
        self.member = Member("m1", 0)
        self.orders: dict[str, Any] = {}

    def settle(self, type_: str, at: str, payload: dict[str, Any] | None = None, **more: Any) -> Settled:
        when = parse_instant(at, zone=self.zone)
        activity = Activity(type_, "m1", when, "test", f"{type_}@{at}", payload, **more)
        settled = step(self.editions, unpack(pack(self.member)), activity, Context(self.orders))
        self.member = settled.member
        self.orders.update(settled.effects.orders)
        return settled

    def buy(self, at: str, amount: int, order_id: str | None = None) -> Settled:
        name = order_id or at
        return self.settle(ORDER_PAID, at, purchase=Purchase(name, [Line(amount * 100)]))

    def spend(self, at: str, amount: int) -> Settled:
        return self.settle(ASSET_SPENT, at, {"asset": "points", "amount": amount})

    def wait(self, until: str) -> Settled:
        return self.settle(TIME_PASSED, until)

    @property
    def purse(self) -> Any:
        return self.member.purses["points"]

    def ends(self) -> list[str]:
        return [
            "never" if lot.expires_at == NEVER else format_instant(lot.expires_at, zone=self.zone)[:16]
            for lot in self.purse.lots
        ]


ENDS = [
    ("never", "2026-01-31T10:00", "never"),
    ({"after": "30 days"}, "2026-01-01T10:00", "2026-02-01T00:00"),
    ({"after": "1 month"}, "2026-01-31T10:00", "2026-03-01T00:00"),
    ({"after": "12 months"}, "2024-02-29T10:00", "2025-03-01T00:00"),
    ({"after": "12 months", "to_end_of": "month"}, "2026-01-15T10:00", "2027-02-01T00:00"),
    ({"after": "1 year", "to_end_of": "year"}, "2026-01-15T10:00", "2028-01-01T00:00"),
    ({"to_end_of": "year"}, "2026-01-15T10:00", "2027-01-01T00:00"),
    ({"to_end_of": "quarter"}, "2026-05-15T10:00", "2026-07-01T00:00"),
    ({"on": {"month": 3, "day": 31}}, "2018-01-03T10:00", "2019-04-01T00:00"),
    ({"on": {"month": 6, "day": 30}}, "2026-12-31T23:59", "2027-07-01T00:00"),
    ({"first_of_month": 25}, "2026-01-15T10:00", "2028-01-01T00:00"),
]


@pytest.mark.parametrize(("validity", "at", "end"), ENDS)
def test_a_lot_ends_when_its_validity_says_at_local_midnight(validity: Any, at: str, end: str) -> None:
    shop = Shop(program(validity=validity))
    shop.buy(at, 10)
    assert shop.ends() == [end]


def test_a_lot_past_its_date_cannot_be_spent_though_nobody_swept() -> None:
    shop = Shop(program(validity={"after": "30 days"}))
    shop.buy("2026-01-01T10:00", 100)
    settled = shop.spend("2026-02-01T00:00", 1)
    assert settled.refused is not None
    assert (settled.refused.code, settled.refused.facts["available"]) == ("insufficient", 0)
    (expired,) = settled.effects.entries
    assert (expired.kind, format_instant(expired.occurred_at, zone=TAIPEI)) == (
        "expire",
        "2026-02-01T00:00:00+08:00",
    )


def test_a_lot_can_be_spent_in_the_last_second_of_its_last_day() -> None:
    shop = Shop(program(validity={"after": "30 days"}))
    shop.buy("2026-01-01T10:00", 100)
    assert shop.spend("2026-01-31T23:59:59", 100).refused is None


@pytest.mark.parametrize(
    ("at", "last", "first_after"),
    [
        ("2026-02-06T10:00", "2026-03-08T23:59:59", "2026-03-09T00:00"),  # clocks go forward on 8 March
        ("2026-10-02T10:00", "2026-11-01T23:59:59", "2026-11-02T00:00"),  # and back on 1 November
    ],
)
def test_midnight_is_the_shop_s_own_when_clocks_change(at: str, last: str, first_after: str) -> None:
    for moment, works in ((last, True), (first_after, False)):
        shop = Shop(program(zone=NEW_YORK, validity={"after": "30 days"}), zone=NEW_YORK)
        shop.buy(at, 10)
        assert (shop.spend(moment, 10).refused is None) is works


def test_value_of_the_same_dates_is_one_lot() -> None:
    shop = Shop(program(validity={"after": "12 months", "to_end_of": "month"}))
    for day in ("02", "11", "30"):
        shop.buy(f"2026-01-{day}T10:00", 10)
    shop.buy("2026-02-01T10:00", 5)
    assert [(lot.no, lot.amount) for lot in shop.purse.lots] == [(1, 30), (2, 5)]


def test_pending_value_ripens_at_midnight_and_cannot_be_spent_before() -> None:
    shop = Shop(program(pending="1 days"))
    shop.buy("2026-01-01T10:00", 100)
    assert (shop.purse.available, shop.purse.pending) == (0, 100)
    assert shop.spend("2026-01-01T23:59", 1).refused is not None
    settled = shop.spend("2026-01-02T00:00", 60)
    assert [entry.kind for entry in settled.effects.entries] == ["ripen", "spend"]
    assert (shop.purse.available, shop.purse.pending) == (40, 0)


SPENDING = [
    ("soonest_expiry", [3, 1]),
    ("oldest", [1, 2]),
    ("newest", [3, 2]),
]


@pytest.mark.parametrize(("order", "used"), SPENDING)
def test_lots_are_spent_in_the_asset_s_order(order: str, used: list[int]) -> None:
    shop = Shop(program(spend_order=order))
    for day, ends in (("01", "2026-09-01"), ("02", "2026-12-01"), ("03", "2026-06-01")):
        at = parse_instant(ends, zone=TAIPEI)
        shop.settle(ASSET_OPENED, f"2026-01-{day}T10:00", {"asset": "points", "amount": 10, "expires_at": at})
    settled = shop.spend("2026-02-01T10:00", 15)
    assert [(entry.lot, entry.amount) for entry in settled.effects.entries] == [(used[0], 10), (used[1], 5)]


def test_the_whole_balance_ends_for_want_of_activity_and_lives_on_with_it() -> None:
    shop = Shop(program(validity={"inactivity": "6 months"}))
    shop.buy("2026-01-10T10:00", 100)
    shop.buy("2026-07-10T23:00", 1)  # the last day on which she could
    shop.wait("2027-01-10T23:59:59")
    assert shop.purse.available == 101
    shop.wait("2027-01-11T00:00")
    assert shop.purse.available == 0


def test_notices_are_given_once_each_thirty_seven_and_one_day_before() -> None:
    shop = Shop(program(validity={"to_end_of": "year"}))
    shop.buy("2026-03-01T10:00", 40)
    shop.buy("2026-12-10T10:00", 2)
    settled = shop.wait("2027-01-01T00:00")
    told = [(wanted.body["days"], wanted.body["amount"]) for wanted in settled.effects.wanted]
    assert told == [(7, 42), (1, 42)]
    shop = Shop(program(validity={"to_end_of": "year"}))
    shop.buy("2026-03-01T10:00", 40)
    told = [wanted.body["days"] for wanted in shop.wait("2027-06-01T00:00").effects.wanted]
    assert told == [30, 7, 1]


def test_what_was_spent_comes_back_to_the_same_lots_with_the_same_dates() -> None:
    shop = Shop(program(validity={"after": "30 days"}))
    shop.buy("2026-01-01T10:00", 100, "first")
    shop.spend("2026-01-02T10:00", 100)
    shop.buy("2026-01-20T10:00", 7)
    settled = shop.settle("order.refunded", "2026-01-21T10:00", {"order_id": "first"})
    # All of the first lot is spent, so the seven of the second pay part of it and the rest is owed.
    assert [(entry.debit, entry.amount, entry.lot) for entry in settled.effects.entries] == [
        ("available", 7, 2),
        ("debt", 93, 0),
    ]
    assert (shop.purse.available, shop.purse.debt) == (0, 93)


def test_the_next_earnings_pay_a_debt_first() -> None:
    shop = Shop(program())
    shop.buy("2026-01-01T10:00", 100, "first")
    shop.spend("2026-01-02T10:00", 100)
    shop.settle("order.refunded", "2026-01-03T10:00", {"order_id": "first"})
    settled = shop.buy("2026-01-04T10:00", 130)
    assert [(entry.kind, entry.amount) for entry in settled.effects.entries] == [
        ("earn", 130),
        ("repay", 100),
    ]
    assert (shop.purse.available, shop.purse.debt) == (30, 0)


def test_a_forgiving_program_keeps_no_debt() -> None:
    shop = Shop(program(clawback="forgive"))
    shop.buy("2026-01-01T10:00", 100, "first")
    shop.spend("2026-01-02T10:00", 80)
    shop.settle("order.refunded", "2026-01-03T10:00", {"order_id": "first"})
    assert (shop.purse.available, shop.purse.debt) == (0, 0)


def test_a_program_may_withhold_what_is_missing_from_the_refund() -> None:
    shop = Shop(program(clawback="refund", redemption={"worth": "0.05"}))
    shop.buy("2026-01-01T10:00", 100, "first")
    shop.spend("2026-01-02T10:00", 80)
    settled = shop.settle("order.refunded", "2026-01-03T10:00", {"order_id": "first"})
    assert (settled.answer["money"], settled.answer["withheld"]) == (9_600, 400)
    assert (shop.purse.available, shop.purse.debt) == (0, 0)


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"asset": "stars", "amount": 1}, "asset_unknown"),
        ({"asset": "points", "amount": 0}, "amount_invalid"),
        ({"asset": "points", "amount": "5"}, "amount_invalid"),
        ({"asset": "points", "amount": True}, "amount_invalid"),
        ({"asset": "points", "amount": -5, "reason": "x"}, "insufficient"),
        ({"asset": "points", "amount": 5}, "reason_missing"),
    ],
)
def test_an_adjustment_that_cannot_be_is_refused_with_its_code(payload: dict[str, Any], code: str) -> None:
    settled = Shop(program()).settle(ASSET_ADJUSTED, "2026-01-01T10:00", payload)
    assert settled.refused is not None
    assert (settled.refused.code, settled.effects.entries) == (code, [])


def test_an_adjustment_keeps_its_reason_and_approver() -> None:
    payload = {"asset": "points", "amount": 5, "reason": "cold coffee", "approver": "lin"}
    (entry,) = Shop(program()).settle(ASSET_ADJUSTED, "2026-01-01T10:00", payload).effects.entries
    assert entry.why == {"reason": "cold coffee", "approver": "lin"}


def test_a_gift_leaves_here_and_is_an_activity_for_the_other_member() -> None:
    editions = program(transfer={"minimum": 10}, validity={"after": "30 days"})
    shop = Shop(editions)
    shop.buy("2026-01-01T10:00", 100)
    settled = shop.settle(ASSET_TRANSFERRED, "2026-01-05T10:00", {"asset": "points", "amount": 60, "to_member": "m2"})
    (inbox,) = settled.effects.activities
    received = step(editions, Member("m2", 0), inbox)
    (lot,) = received.member.purses["points"].lots
    assert (lot.amount, lot.expires_at) == (60, shop.purse.lots[0].expires_at)
    assert shop.purse.available == 40
    both = settled.effects.entries + received.effects.entries
    assert sum(e.amount for e in both if e.credit == "transit") == sum(e.amount for e in both if e.debit == "transit")


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"amount": 60, "to_member": "m1"}, "transfer_to_self"),
        ({"amount": 5, "to_member": "m2"}, "transfer_not_allowed"),
        ({"amount": 101, "to_member": "m2"}, "insufficient"),
        ({"amount": 71, "to_member": "m2"}, "transfer_limit"),
    ],
)
def test_a_gift_that_is_not_allowed_moves_nothing(payload: dict[str, Any], code: str) -> None:
    shop = Shop(program(transfer={"minimum": 10, "maximum_per_day": 70}))
    shop.buy("2026-01-01T10:00", 100)
    settled = shop.settle(ASSET_TRANSFERRED, "2026-01-05T10:00", {"asset": "points", **payload})
    assert settled.refused is not None
    assert (settled.refused.code, shop.purse.available) == (code, 100)


def test_a_late_fact_gets_the_dates_of_its_own_day_and_ends_at_once_if_they_are_past() -> None:
    shop = Shop(program(validity={"after": "30 days"}))
    shop.wait("2026-06-01T00:00")
    settled = shop.buy("2026-01-01T10:00", 10)
    assert [entry.kind for entry in settled.effects.entries] == ["earn", "expire"]
    assert shop.purse.available == 0


def test_letting_time_pass_in_between_changes_nothing_but_the_count_of_activities() -> None:
    busy, idle = (Shop(program(validity={"after": "30 days"}, pending="2 days")) for _ in range(2))
    for shop in (busy, idle):
        shop.buy("2026-01-01T10:00", 100)
        shop.buy("2026-01-15T10:00", 50)
    entries = [entry for day in ("03", "17", "31") for entry in busy.wait(f"2026-01-{day}T12:00").effects.entries]
    entries += busy.spend("2026-02-10T10:00", 20).effects.entries
    assert entries == idle.spend("2026-02-10T10:00", 20).effects.entries
    busy.member.seq = idle.member.seq
    assert pack(busy.member) == pack(idle.member)
