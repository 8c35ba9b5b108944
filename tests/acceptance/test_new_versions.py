"""A version is published: what was settled stays, what is to come follows it, and the books still prove."""

from __future__ import annotations

from shuke.engine.activity import ASSET_SPENT, ORDER_CANCELLED, ORDER_REOPENED, Activity
from shuke.engine.compiled import Compiled
from shuke.program.document import read
from shuke.runtime import due
from tests.shop import COFFEE, Ledger, Shop, at, given, order, told

NO_END = COFFEE.replace("validity: {after: 12 months}, ", "")
IDLE = COFFEE.replace("after: 12 months", "inactivity: 5 days")


def versions(first: str, second: str, *, since: str) -> list[Compiled]:
    return [Compiled(read(first), version=1), Compiled(read(second), version=2, effective_from=at(since))]


def test_value_without_an_end_ends_by_a_version_that_gives_it_one() -> None:
    ledger = Ledger(*versions(NO_END, IDLE, since="2026-06-01"))
    ledger.settle(given("ada", 50, key="g", when=at("2026-05-01")))
    spend = told(ASSET_SPENT, "ada", key="s", when=at("2027-02-25"), asset="points", amount=50)
    assert [entry.kind for entry in ledger.settle(spend).effects.entries] == ["expire"]


def test_a_version_a_member_has_not_met_ends_her_value_before_she_can_spend_it() -> None:
    before = Ledger(Compiled(read(NO_END), version=1))
    before.settle(given("ada", 50, key="g", when=at("2026-05-01")))
    after = Ledger(*versions(NO_END, IDLE, since="2026-06-01"))
    after.members.update(before.members)
    spend = told(ASSET_SPENT, "ada", key="s", when=at("2027-02-25"), asset="points", amount=50)
    settled = after.settle(spend)
    assert settled.refused is not None
    assert settled.refused.code == "insufficient"


async def test_what_was_settled_ahead_of_its_time_is_still_proved_under_the_version_known_then(shop: Shop) -> None:
    await shop.settle(given("ada", 50, key="ahead", when=at("2026-06-10")))
    await shop.publish(COFFEE.replace("points: 1}", "points: 2}"), when=at("2026-06-01"))
    await shop.settle(given("ada", 5, key="later", when=at("2026-06-11")))
    assert await shop.findings() == []


async def test_the_clock_meets_members_whose_value_a_new_version_ends(shop: Shop) -> None:
    await shop.settle(given("ada", 50, key="g", when=at("2026-05-01")))
    await shop.publish(IDLE, when=at("2026-06-01"))
    assert await shop.findings() == []
    await due.advance(shop.settler, until=at("2026-06-02"))
    assert await shop.available("ada") == 0
    assert await shop.findings() == []


def test_a_payload_decimal_is_the_same_text_everywhere() -> None:
    rule = '  - {id: code, asset: points, on: scanned, give: {fixed: 7}, when: activity.code = "12.5"}\n'
    ledger = Ledger(Compiled(read(COFFEE + rule), version=1))
    settled = ledger.settle(Activity("scanned", "ada", at("2026-05-01"), "test", "s", {"code": "12.5"}))
    assert [entry.amount for entry in settled.effects.entries] == [7]


def test_an_order_is_reopened_late_under_a_version_that_did_not_know_what_it_had_earned():
    hearts = "\n  - {id: hearts, validity: {after: 12 months}}"
    assets = "assets:\n  - {id: points, validity: {after: 12 months}, transfer: {minimum: 1}}"
    later = COFFEE.replace(assets, assets + hearts) + "  - {id: love, asset: hearts, give: {fixed: 7}}\n"
    ledger = Ledger(*versions(COFFEE, later, since="2026-05-01"))
    ledger.all(
        order("ann", "o", 1000, when=at("2026-05-02")),
        told(ORDER_CANCELLED, "ann", key="c", when=at("2026-05-03"), order_id="o"),
        told(ORDER_REOPENED, "ann", key="r", when=at("2026-04-30"), order_id="o"),
    )
    assert (ledger.balance("ann"), ledger.balance("ann", "hearts")) == (10, 7)
