"""Orders of a member who was merged: the survivor's books go on with them, and give them back when it is undone.

An order remembers lots by their numbers. What the survivor took over lies in her purses under raised numbers
(``Absorbed.lots``), so an order that comes along is read with its numbers raised, and goes back with them lowered. Its
row under the old id stays as it was; from the first thing that becomes of it, the survivor has a row of her own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.measures import add
from shuke.engine.member import Absorbed, Lot, Member
from shuke.engine.orders import MOVED, Adopted, Counted, Order, back, pack_order, unpack_order
from shuke.engine.turn import Turn

Renumber = Callable[[str, Lot], int]
"""The new number of a lot of this asset."""

_MAKING = frozenset((of.ORDER_PAID, of.TOPPED_UP, of.ASSET_SPENT, of.ASSET_CAPTURED))


def orders_asked(member: Member, activity: Activity, named: list[str]) -> list[str]:
    """The orders a step needs: those its activity names, and where a merge is undone those that go back."""
    if activity.type != of.UNMERGED or not member.absorbed:
        return named
    who = (activity.payload or {}).get("merged_member")
    return [order_id for entry in member.absorbed if entry.member_id == who for order_id in entry.orders]


def at_hand(activity: Activity, orders: dict[str, Order]) -> dict[str, Order]:
    """Without orders that went back to whose they are: of these nothing is known but that their numbers are taken."""
    if activity.type in _MAKING or activity.type == of.UNMERGED:
        return orders
    return {order_id: order for order_id, order in orders.items() if order.status != MOVED}


def find(
    member: Member,
    activity: Activity,
    order_id: str,
    orders: Mapping[tuple[str, str], Order],
    editions: Editions,
) -> tuple[Order | None, bool]:
    """The order of this number among ``orders`` (by member and number), and whether it was taken over just now.

    What is told with the id of one who was merged is about her order, where she has one. Where the member has another
    of the same number, nobody can go on with hers: none is found.
    """
    own = orders.get((member.id, order_id))
    if not member.absorbed:
        return own, False
    is_own = own is not None and own.status != MOVED
    meant = [entry for entry in member.absorbed if entry.member_id == activity.told_for]
    for entry in [*meant, *member.absorbed]:
        theirs = orders.get((entry.member_id, order_id))
        if theirs is None or theirs.status == MOVED:
            continue
        if not is_own:
            return adopted(theirs, member, entry, editions), True
        if own is not None and entry in meant and all(was.member_id != entry.member_id for was in own.adopted):
            return None, False
    return own, False


def adopted(order: Order, member: Member, entry: Absorbed, editions: Editions) -> Order:
    """The order of somebody who was merged into ``member`` as her own. The one handed in is not changed."""
    mine = unpack_order(pack_order(order))

    def raised(asset: str, lot: Lot) -> int:
        return lot.no + entry.lots[asset][0] if asset in entry.lots else lot.no

    _renumber(mine, editions, raised)
    for used in mine.coupons:
        used.coupon.code = None  # the row under the old id keeps it, and a code is one coupon's only
    stood = list(mine.refunded)
    for whose in _way(member, entry):
        mine.adopted.append(Adopted(whose.member_id, stood, len(mine.awards), len(mine.counts)))
    return mine


def _way(member: Member, entry: Absorbed) -> list[Absorbed]:
    """From whom to whom she came: herself first, the one merged into ``member`` last."""
    way = [entry]
    while way[-1].through:
        way.append(next(found for found in member.absorbed if found.member_id == way[-1].through))
    return way


def remember(turn: Turn) -> None:
    """Keep which orders of others something became of."""
    for order in turn.effects.orders.values():
        if order.adopted and order.status != MOVED:
            entry = next(found for found in turn.member.absorbed if found.member_id == order.adopted[-1].member_id)
            if order.id not in entry.orders:
                entry.orders.append(order.id)


def given_back(order: Order, editions: Editions, renumber: Renumber) -> Order:
    """The order as its first owner's again, under her numbers."""
    hers = unpack_order(pack_order(order))
    hers.adopted.pop()
    _renumber(hers, editions, renumber)
    return hers


def _renumber(order: Order, editions: Editions, renumber: Renumber) -> None:
    for asset, lot in lots_of(order, editions):
        if lot.no:
            lot.no = renumber(asset, lot)


def lots_of(order: Order, editions: Editions) -> Iterator[tuple[str, Lot]]:
    """Every lot the order remembers, with its asset."""
    for award in order.awards:
        yield award.asset, award.lot
        for lot in award.beyond:
            yield award.asset, lot
    for paid in order.paid:
        for lot in paid.lots:
            yield paid.asset, lot
    rules = editions.at(order.placed_at).stored_value
    if order.top_up is not None and rules is not None:
        yield rules.principal, order.top_up.principal
        if order.top_up.bonus is not None and rules.bonus is not None:
            yield rules.bonus, order.top_up.bonus


# -- What it counts ---------------------------------------------------------------------------------------


def move_counts(turn: Turn, order: Order) -> list[list[Any]]:
    """Take out of the member's measures what became of the order's counts while it was hers.

    Returns [measure, day, amount, when placed] for whose it is again: her measures are kept as they were.
    """
    stood = order.adopted[-1]
    moved: list[list[Any]] = []
    for position, counted in enumerate(order.counts):
        now = _left(order, counted, order.refunded)
        before = _left(order, counted, stood.refunded) if position < stood.counts else 0
        if now != before:
            moved.append([counted.measure, counted.day, now - before, order.placed_at])
    for measure, day, amount, _ in moved:
        add(turn, measure, day, -amount)
    return moved


def _left(order: Order, counted: Counted, refunded: list[int]) -> int:
    """What the order still counts when ``refunded`` is back."""
    if not refunded:
        return counted.amount
    if counted.whole:
        return 0 if order.is_back(refunded) else counted.amount
    return counted.amount - back(order, counted.amount, counted.weights, refunded, counted.since)
