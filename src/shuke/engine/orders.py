"""What an order was given, remembered for ever: refunds read this and never today's rules.

Everything a refund does is a function of one vector, ``refunded`` (how much of each line is back).
So parts in any number and any order end where one full refund ends, and a cancelled order that is
reopened gets back exactly what it had.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from shuke.engine.activity import Purchase
from shuke.engine.member import Coupon, Lot, Value
from shuke.values.amounts import allocate, share_taken
from shuke.values.instants import NEVER, Instant


class Award(Struct, array_like=True, gc=False):
    """Value a rule gave for the order. ``lot.amount`` is what was given; ``weights`` says which line
    brought how much (None: the lines' amounts, without tax and shipping); ``since`` is what had been
    refunded before it was given; ``exact`` is the exact amount [parts, parts in a unit] where the asset
    carries fractions (``lot.amount`` is then what it made of whole units at the time). Refunds remember what
    they took beyond the lot: parts of other lots (``beyond``), and units nobody had (``short``)."""

    rule: str
    asset: str
    lot: Lot
    weights: list[int] | None = None
    since: list[int] | None = None
    exact: list[int] | None = None
    beyond: list[Lot] = []
    short: int = 0
    later_at: int = 0  # when it was given, if later than the order was placed


MOVED = "moved"
"""The status of an order that went back to whose it is, when a merge was undone: nothing may become of it here."""

NO_LOT = Lot(0, 0, 0, NEVER, 0)
"""Where nothing was given yet."""


class Paid(Struct, array_like=True):
    """A part of the price paid with an asset: lots in the order they were used, and per line the asset
    units and the minor units of money they stood for."""

    asset: str
    lots: list[Lot]
    units: list[int]
    worth: list[int]


class Counted(Struct, array_like=True, gc=False):
    """What the order added to a measure on ``day``. ``weights`` None: the lines' amounts. ``whole`` marks
    counts of orders, which leave only when everything is back; ``since`` is what had been refunded before."""

    measure: str
    day: int
    amount: int
    weights: list[int] | None = None
    whole: bool = False
    since: list[int] | None = None


class Used(Struct, array_like=True):
    """A coupon redeemed for the order, as it was before. ``value`` is what was used of a cash voucher, minor
    units; ``returned`` says that it is back with the member now."""

    coupon: Coupon
    value: int = 0
    returned: bool = False


class TopUp(Struct, array_like=True):
    """What a top-up brought: the lots of principal and bonus (asset units) and the offer that applied."""

    principal: Lot
    bonus: Lot | None = None
    offer: str | None = None
    card: str = "named"


class Spend(Struct, array_like=True):
    """Value that was spent for something that is no order here. ``back`` of its amount has come back by now."""

    value: Value
    back: int = 0


class Adopted(Struct, array_like=True):
    """Whose order it was before she was merged into the member whose books go on with it, and how it stood then: what
    was ``refunded``, and how many awards and counts it had."""

    member_id: str
    refunded: list[int]
    awards: int
    counts: int


class Order(Struct, omit_defaults=True):
    """``amounts`` holds each line's price in minor units, then tax, then shipping; ``refunded`` runs beside it.

    A line that cost nothing counts as 1 so that it can be returned at all.
    """

    id: str
    placed_at: int
    version: int
    amounts: list[int]
    status: str = "paid"  # paid | completed | cancelled | refunded
    refunded: list[int] = []
    quantities: list[int] | None = None  # None: one of each
    returned: list[int] | None = None
    awards: list[Award] = []
    paid: list[Paid] = []
    coupons: list[Used] = []
    counts: list[Counted] = []
    withheld: int = 0  # for value that could not be taken back, in all
    money_back: int = 0  # what the goods that are back had cost in money
    paid_out: int = 0  # of it
    before_cancel: list[int] | None = None
    status_before_cancel: str = "paid"
    purchase: Purchase | None = None  # kept while a rule may still earn on its completion
    channel: str | None = None
    store: str | None = None
    top_up: TopUp | None = None  # not an order of goods but stored value that was paid in
    spend: Spend | None = None  # not an order of goods but value that was spent without one
    adopted: list[Adopted] = []  # where it was another member's, who was merged: the first one's first

    def is_of_goods(self) -> bool:
        """Whether it is an order at all. What else must be remembered lies beside the orders, in their form."""
        return self.top_up is None and self.spend is None

    def whole(self, position: int) -> int:
        """What ``refunded[position]`` is when all of it is back."""
        amount = self.amounts[position]
        return amount if amount or position >= len(self.amounts) - 2 else 1

    def full(self) -> list[int]:
        return [self.whole(position) for position in range(len(self.amounts))]

    def is_back(self, refunded: list[int]) -> bool:
        """Whether every line is back (tax and shipping aside)."""
        return all(refunded[i] >= self.whole(i) for i in range(len(self.amounts) - 2))

    def refunded_before(self) -> list[int] | None:
        """What was refunded before now, for what is given now to remember."""
        return list(self.refunded) if self.refunded and any(self.refunded) else None

    def given_at(self, award: Award) -> Instant:
        """When the award was given: with the order, or when it was completed."""
        return award.later_at or self.placed_at

    def worth_back(self, paid: Paid) -> list[int]:
        """Per position, the part of what ``paid`` stood for that is back by now."""
        return [
            share_taken(worth, refunded, self.whole(position))
            for position, (worth, refunded) in enumerate(zip(paid.worth, self.refunded, strict=True))
        ]

    def total(self) -> int:
        return sum(self.amounts)


def order_of(purchase: Purchase, *, placed_at: int, version: int) -> Order:
    """A fresh memory of an order that was just paid."""
    lines = purchase.lines
    amounts = [line.amount for line in lines]
    amounts.append(purchase.tax)
    amounts.append(purchase.shipping)
    order = Order(purchase.order_id, placed_at, version, amounts)
    order.channel = purchase.channel
    order.store = purchase.store
    for line in lines:
        if line.quantity != 1:
            order.quantities = [line.quantity for line in lines]
            break
    return order


def back(
    order: Order,
    total: int,
    weights: list[int] | None,
    refunded: list[int],
    since: list[int] | None = None,
) -> int:
    """How much of ``total``, spread over the lines by ``weights``, is back when ``refunded`` is."""
    if not any(refunded):
        return 0
    shares = allocate(total, _line_amounts(order) if weights is None else weights)
    taken = 0
    for i, share in enumerate(shares):
        before = since[i] if since else 0
        if share and refunded[i] > before:
            taken += share_taken(share, refunded[i] - before, order.whole(i) - before)
    return taken


def _line_amounts(order: Order) -> list[int]:
    """The lines' amounts, with nothing for tax and shipping."""
    return [*order.amounts[:-2], 0, 0]


def money_of(order: Order) -> list[int]:
    """Per position, the part of the price that was paid in money."""
    money = list(order.amounts)
    for paid in order.paid:
        for i, worth in enumerate(paid.worth):
            money[i] -= worth
    return money


def money_back(order: Order, refunded: list[int]) -> int:
    """Money to give back in all when ``refunded`` is back. Never includes what points or stored value paid."""
    return sum(
        share_taken(money, refunded[i], order.whole(i))
        for i, money in enumerate(money_of(order))
        if money and refunded[i]
    )


def lots_between(paid: Paid, was: int, now: int) -> list[Lot]:
    """The parts of ``paid`` that come back when ``now`` units are back after ``was`` were: the lot used last first."""
    parts: list[Lot] = []
    skip, left = was, now - was
    for lot in reversed(paid.lots):
        passed = min(skip, lot.amount)
        skip -= passed
        taken = min(left, lot.amount - passed)
        left -= taken
        if taken:
            parts.append(Lot(lot.no, lot.opened_at, lot.ripens_at, lot.expires_at, taken))
    return parts


def units_back(order: Order, paid: Paid, refunded: list[int]) -> int:
    """Units of the asset that are back when ``refunded`` is."""
    return sum(
        share_taken(units, refunded[i], order.whole(i)) for i, units in enumerate(paid.units) if units and refunded[i]
    )


_encoder = Encoder()
_decoder = Decoder(Order)


def pack_order(order: Order) -> bytes:
    return _encoder.encode(order)


def unpack_order(settlement: bytes) -> Order:
    return _decoder.decode(settlement)
