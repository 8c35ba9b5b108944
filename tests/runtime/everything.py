"""A shop, and what happens to two of its members, that together bring about every event there is.

``story`` is read by the tests of events and by the reference page, whose examples are what this shop's integrators
would have been told.
"""

from __future__ import annotations

from collections.abc import Iterator

from shuke.books.postings import Event
from shuke.engine import activity as of
from shuke.engine.activity import Activity, Line, Payments, Purchase
from shuke.engine.effects import Settled
from shuke.engine.member import Member
from shuke.runtime.catalogue import SUBSCRIBABLE
from shuke.runtime.events import Step, before, events_of
from shuke.values.instants import DAY, HOUR, MINUTE, Instant
from tests.shop import NOON, Ledger, edition, order, passed, spent, told

EVERYTHING = """
id: everything
currency: USD
zone: Asia/Taipei
hold_minutes: 60
profile:
  traits: [{id: city, type: text, required: true}]
  purposes: [{id: marketing, channels: [email, sms], text: {en: We write to you now and then.}, version: 2026-05}]
assets:
  - {id: points, validity: {after: 30 days}, pending: 1 days, redemption: {worth: 0.01}, transfer: {minimum: 1},
     expiry_notice_days: [7]}
  - {id: principal, kind: principal, scale: 2}
  - {id: bonus, kind: bonus, scale: 2}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 3}}}
ladders:
  - id: main
    tiers: [{id: green}, {id: silver, entry: "spend(20 days) >= 80", keep: "spend(20 days) >= 20"}]
    term: 20 days
    notice_days: [5]
coupons:
  - {id: ten, give: {percent: 10}, valid: {lasts: 12 days}, transferable: true}
  - {id: voucher, give: {voucher: 5}, valid: {lasts: 12 days}}
stored_value:
  principal: principal
  bonus: bonus
  refund_bonus: all_unspent
  offers: [{id: hundred, pay: 100, bonus: 20}]
"""


class Listening(Ledger):
    """The shop in memory, and what somebody would hear who asked for ``topics``."""

    def __init__(self, topics: frozenset[str] = SUBSCRIBABLE, *, program: str = EVERYTHING) -> None:
        super().__init__(edition(program))
        self.topics = topics
        self.heard: list[tuple[str, Event]] = []  # with the member's id

    def settle(self, activity: Activity) -> Settled:
        was = before(self.members.get(activity.member_id) or Member(activity.member_id, 0))
        settled = super().settle(activity)
        step = Step(activity, was, settled, self.editions, self.topics)
        self.heard += [(activity.member_id, event) for event in events_of(step)]
        return settled

    def hears(self, *activities: Activity) -> list[str]:
        """The topics heard while these are settled, in order. None of them may be refused."""
        already = len(self.heard)
        self.all(*activities)
        return [event.topic for _, event in self.heard[already:]]


def cart(key: str, amount: int, *, when: Instant, coupon: str | None = None, points: int = 0) -> Activity:
    """A cart (cents) is held under ``key``, to be paid with a coupon and points."""
    uses = Payments([coupon] if coupon else None, {"points": points} if points else None)
    purchase = Purchase(f"o-{key}", [Line(amount, list_amount=amount, sku="tea")], uses=uses, priced=False)
    return Activity(of.CART_HELD, "ann", when, "test", f"hold-{key}", {"hold": key}, purchase)


def paid(key: str, *, when: Instant) -> Activity:
    """The held cart is paid."""
    purchase = Purchase(f"o-{key}", [], hold=key, priced=False)
    return Activity(of.ORDER_PAID, "ann", when, "test", f"pay-{key}", None, purchase)


def story(shop: Ledger) -> Iterator[tuple[Activity, list[str]]]:
    """What happens, and by which topics it is told. ``shop`` is asked for ids that only it knows."""

    def coupon(template: str = "ten") -> str:
        held = shop.members["ann"].coupons.values()
        return next(found.id for found in held if found.template == template)

    t = NOON
    ann = {"traits": {"city": "Taipei"}, "tags": ["regular"]}
    yield told(of.JOINED, "ann", key="1", **ann), ["profile.completed", "member.joined", "tier.entered"]
    yield told(of.UPDATED, "ann", key="2", traits={"city": "Tainan"}), ["member.updated"]
    agreed = {"purpose": "marketing", "channels": ["email"], "language": "en"}
    yield told(of.CONSENT_GRANTED, "ann", key="20", **agreed), ["consent.granted"]
    yield told(of.CONSENT_WITHDRAWN, "ann", key="21", purpose="marketing"), ["consent.withdrawn"]
    yield order("ann", "o-1", 10000), ["order.settled", "asset.earned", "tier.raised"]
    yield told(of.ORDER_COMPLETED, "ann", key="3", when=t + HOUR, order_id="o-1"), ["order.completed"]
    yield passed("ann", t + DAY), ["asset.ripened"]
    yield told(of.COUPON_ISSUED, "ann", key="4", when=t + DAY, template="ten", quantity=3), ["coupon.issued"] * 3
    t += DAY + HOUR
    yield cart("a", 2000, when=t, coupon=coupon(), points=100), ["hold.placed"]
    yield told(of.CART_RELEASED, "ann", key="5", when=t + MINUTE, hold="a"), ["hold.released"]
    yield cart("b", 2000, when=t + 2 * MINUTE, points=50), ["hold.placed"]
    yield passed("ann", t + 2 * HOUR), ["hold.lapsed"]
    t += 3 * HOUR
    yield cart("c", 2000, when=t, coupon=coupon(), points=100), ["hold.placed"]
    yield paid("c", when=t + MINUTE), ["order.settled", "asset.spent", "asset.earned", "coupon.redeemed"]
    changed = ["member.updated", "member.status_changed"]
    yield told(of.FROZEN, "ann", key="22", when=t + MINUTE, reason="a stolen phone"), changed
    yield told(of.UNFROZEN, "ann", key="23", when=t + MINUTE), changed
    back = told(of.ORDER_REFUNDED, "ann", key="6", when=t + HOUR, order_id="o-c")
    yield back, ["order.refunded", "asset.restored", "asset.reversed", "coupon.restored"]
    yield order("ann", "o-2", 500, when=t + HOUR), ["order.settled", "asset.earned"]
    lost = told(of.ORDER_CANCELLED, "ann", key="7", when=t + 2 * HOUR, order_id="o-2")
    yield lost, ["order.cancelled", "asset.reversed"]
    found = told(of.ORDER_REOPENED, "ann", key="8", when=t + 3 * HOUR, order_id="o-2")
    yield found, ["order.reopened", "asset.regiven"]
    by_hand = {"asset": "points", "reason": "a long queue", "approver": "lin"}
    yield told(of.ASSET_ADJUSTED, "ann", key="9", when=t + 3 * HOUR, amount=-5, **by_hand), ["asset.adjusted"]
    yield told(of.ASSET_OPENED, "ann", key="10", when=t + 3 * HOUR, asset="points", amount=40), ["asset.opened"]
    yield spent("ann", 30, key="11", when=t + 3 * HOUR), ["asset.spent"]
    gift = {"asset": "points", "amount": 20, "to_member": "bo"}
    received = ["member.joined", "asset.received", "tier.entered"]
    yield told(of.ASSET_TRANSFERRED, "ann", key="12", when=t + 4 * HOUR, **gift), [*received, "asset.transferred"]
    paid_in = told(of.TOPPED_UP, "ann", key="13", when=t + 4 * HOUR, id="t-1", amount=10000)
    yield paid_in, ["asset.earned", "stored_value.topped_up"]
    paid_out = told(of.TOP_UP_REFUNDED, "ann", key="14", when=t + 5 * HOUR, id="t-1")
    yield paid_out, ["asset.reversed", "stored_value.refunded"]
    yield (
        told(of.COUPON_VOIDED, "ann", key="15", when=t + 5 * HOUR, coupon=coupon(), reason="mistake"),
        ["coupon.voided"],
    )
    handed = told(of.COUPON_GIVEN, "ann", key="16", when=t + 5 * HOUR, coupon=coupon(), to_member="bo")
    yield handed, ["coupon.received", "coupon.given"]
    yield told(of.COUPON_ISSUED, "ann", key="17", when=t + 5 * HOUR, template="voucher"), ["coupon.issued"]
    part = told(of.COUPON_REDEEMED, "ann", key="18", when=t + 6 * HOUR, coupon=coupon("voucher"), amount=200)
    yield part, ["coupon.redeemed"]
    yield passed("ann", NOON + 15 * DAY), ["asset.ripened", "coupon.expired", "coupon.expired"]
    yield order("ann", "o-3", 3000, when=NOON + 16 * DAY), ["tier.at_risk", "order.settled", "asset.earned"]
    yield passed("ann", NOON + 22 * DAY), ["asset.ripened", "tier.renewed"]
    yield (
        passed("ann", NOON + 50 * DAY),
        [
            *("asset.expiring", "asset.expiring", "asset.expired", "asset.expired"),
            *("tier.at_risk", "asset.expiring", "tier.dropped", "asset.expired"),
        ],
    )
    yield (
        order("cy", "o-4", 1000, when=NOON + 50 * DAY),
        ["member.joined", "order.settled", "asset.earned", "tier.entered"],
    )
    one_person = told(of.MERGED, "cy", key="20", when=NOON + 50 * DAY, into="ann", reason="same phone")
    yield one_person, ["member.merged"]
    yield (
        told(of.UNMERGED, "ann", key="21", when=NOON + 50 * DAY, merged_member="cy", reason="sisters"),
        ["member.unmerged"],
    )
    yield (
        told(of.ERASED, "bo", key="19", when=NOON + 20 * DAY),
        [
            *("coupon.expired", "member.erased", "asset.expired", "tier.dropped"),
        ],
    )
