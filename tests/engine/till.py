"""A till to test with: one member of a small shop, her cart, and books that must balance after every step.

Amounts are in cents (USD), points in whole points. The shop stands in Taipei.
"""

from __future__ import annotations

from typing import Any

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.cart import Quote
from shuke.engine.codes import quotas_of_codes
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import MEMBER_ACCOUNTS, Entry, Refused, Settled
from shuke.engine.member import Member, pack, unpack
from shuke.engine.needs import needs
from shuke.engine.orders import Order, pack_order, unpack_order
from shuke.engine.quote import quote
from shuke.engine.step import step
from shuke.engine.turn import Code, Context
from shuke.program.document import from_data
from shuke.values.instants import Instant, parse_instant

ZONE = "Asia/Taipei"
POINTS = {"id": "points", "redemption": {"worth": 1}}


def at(text: str) -> Instant:
    """The instant of a local time: ``2026-05-01T12:00``."""
    return parse_instant(text, zone=ZONE)


NOON = "2026-05-01T12:00"


def program(**chapters: Any) -> dict[str, Any]:
    """The data of a document with these chapters."""
    base: dict[str, Any] = {"id": "shop", "currency": "USD", "zone": ZONE, "assets": [POINTS]}
    return base | chapters


def lines_of(*lines: Line | int) -> list[Line]:
    return [line if isinstance(line, Line) else Line(line, list_amount=line) for line in lines]


class Till:
    """Settles activities of one member as the shell would: with orders, codes and quotas handed in."""

    def __init__(
        self, *documents: dict[str, Any], since: list[str] | None = None, editions: Editions | None = None
    ) -> None:
        froms = [at(text) for text in since] if since else [0]
        self.editions = editions or Editions(
            Compiled(from_data(data), version=number, effective_from=start)
            for number, (data, start) in enumerate(zip(documents or [program()], froms, strict=True), 1)
        )
        self.member = Member("m1", 0)
        self.orders: dict[str, Order] = {}
        self.taken: dict[str, int] = {}
        self.codes: dict[str, Code] = {}
        self.entries: list[Entry] = []
        self.inbox: list[Activity] = []
        self.coupons: list[tuple[str, str]] = []  # (id, state), in the order told
        self._number = 0

    def settle(self, activity: Activity) -> Settled:
        """One step. A refused one must leave the member as she was; entries must agree with the member."""
        need = needs(self.editions, activity)
        codes = {code: self.codes[code] for code in need.codes if code in self.codes}
        orders = {id_: unpack_order(pack_order(self.orders[id_])) for id_ in need.orders if id_ in self.orders}
        edition = self.editions.at(activity.occurred_at)
        quotas = [*need.quotas, *quotas_of_codes(edition, activity, codes)]
        taken = {quota: self.taken.get(quota, 0) for quota in quotas}
        settled = step(self.editions, unpack(pack(self.member)), activity, Context(orders, taken, codes))
        self.member = settled.member
        self.orders.update(settled.effects.orders)
        self.entries += settled.effects.entries
        for opened in settled.effects.codes:
            self.codes[opened.code] = Code(self.codes[opened.code].template, "taken")
        for claim in settled.effects.claims:
            self.taken[claim.quota] = self.taken.get(claim.quota, 0) + claim.amount
        self.coupons += [(change.coupon_id, change.state) for change in settled.effects.coupons]
        self.inbox += settled.effects.activities
        self.check()
        return settled

    def do(self, type_: str, *, when: str = NOON, purchase: Purchase | None = None, **payload: Any) -> Settled:
        """Settle an activity that must not be refused."""
        settled = self.settle(self.activity(type_, when=when, purchase=purchase, **payload))
        assert settled.refused is None, settled.refused
        return settled

    def refused(self, type_: str, *, when: str = NOON, purchase: Purchase | None = None, **payload: Any) -> Refused:
        """Settle an activity that must be refused and, time aside, change nothing."""
        before = self.state()
        settled = self.settle(self.activity(type_, when=when, purchase=purchase, **payload))
        assert settled.refused is not None
        assert self.state() == before
        return settled.refused

    def activity(self, type_: str, *, when: str = NOON, purchase: Purchase | None = None, **payload: Any) -> Activity:
        self._number += 1
        return Activity(type_, "m1", at(when), "test", str(self._number), payload, purchase)

    # -- What customers do --------------------------------------------------------------------------------

    def points(self, amount: int, *, asset: str = "points", when: str = NOON, ends: str | None = None) -> None:
        more = {"expires_at": at(ends)} if ends else {}
        self.do(of.ASSET_OPENED, when=when, asset=asset, amount=amount, **more)

    def cart(self, *lines: Line | int, order_id: str = "o1", uses: Payments | None = None, **more: Any) -> Purchase:
        return Purchase(order_id, lines_of(*lines), uses=uses, priced=False, **more)

    def quote(self, *lines: Line | int, when: str = NOON, **more: Any) -> Quote:
        """A quote, which must change neither member nor context."""
        cart = self.cart(*lines, **more)
        told = self.activity(of.ORDER_PAID, when=when, purchase=cart)
        need = needs(self.editions, told)
        context = Context({}, {name: self.taken.get(name, 0) for name in need.quotas}, dict(self.codes))
        before, taken = pack(self.member), dict(context.taken)
        found = quote(self.editions, self.member, cart, at=at(when), context=context)
        assert (pack(self.member), context.taken) == (before, taken)
        assert isinstance(found, Quote), found
        return found

    def pay(self, *lines: Line | int, when: str = NOON, **more: Any) -> Settled:
        """Quote and commit in one."""
        return self.do(of.ORDER_PAID, when=when, purchase=self.cart(*lines, **more))

    def refund(self, order_id: str = "o1", *, when: str = NOON, **payload: Any) -> Settled:
        return self.do(of.ORDER_REFUNDED, when=when, order_id=order_id, **payload)

    def issue(self, template: str, *, when: str = NOON, **payload: Any) -> list[str]:
        """Issue coupons; their ids."""
        return self.do(of.COUPON_ISSUED, when=when, template=template, **payload).answer["coupons"]

    # -- What must hold -----------------------------------------------------------------------------------

    def state(self) -> bytes:
        """The member as bytes, but for the count of activities and the time."""
        copy = unpack(pack(self.member))
        copy.seq = copy.now = copy.joined_at = copy.due_at = 0
        return pack(copy)

    def balance(self, asset: str = "points") -> int:
        purse = self.member.purses.get(asset)
        return 0 if purse is None else purse.available

    def accounts(self, asset: str) -> dict[str, int]:
        """What the entries say is on each account."""
        found: dict[str, int] = {}
        for entry in self.entries:
            if entry.asset == asset:
                found[entry.debit] = found.get(entry.debit, 0) - entry.amount
                found[entry.credit] = found.get(entry.credit, 0) + entry.amount
        return found

    def check(self) -> None:
        """Entries, purses and lots agree; nothing but debt is below zero."""
        for asset, purse in self.member.purses.items():
            accounts = self.accounts(asset)
            held = sum(
                part.lot.amount for hold in self.member.holds.values() for part in hold.parts if part.asset == asset
            )
            assert purse.held == held
            stated = {
                "available": sum(lot.amount for lot in purse.lots),
                "pending": sum(lot.amount for lot in purse.ripening),
                "held": purse.held,
                "debt": -purse.debt,
            }
            assert purse.available == stated["available"] >= 0
            assert purse.pending == stated["pending"]
            assert {name: accounts.get(name, 0) for name in sorted(MEMBER_ACCOUNTS)} == dict(sorted(stated.items()))
