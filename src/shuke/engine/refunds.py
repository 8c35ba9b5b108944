"""Refunded, cancelled, reopened: an order's ``refunded`` vector moves, and everything follows it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from shuke.engine.assets import Cause, debit, no_room, restore, spendable, take_from_lot
from shuke.engine.carries import carries_of, carry
from shuke.engine.clawback import take_back, undo_beyond
from shuke.engine.coupon_returns import gone_coupon, return_coupons, reuse_coupons
from shuke.engine.effects import SPENT, Refused
from shuke.engine.limits import give_back
from shuke.engine.measures import uncount
from shuke.engine.member import Lot
from shuke.engine.orders import Award, Order, Paid, back, lots_between, money_back, units_back
from shuke.engine.turn import Turn
from shuke.values.amounts import MAX_AMOUNT, allocate, share_taken


def refund(turn: Turn) -> Refused | None:
    """``order.refunded``: lines or amounts of an order come back.

    Payload: ``order_id`` and either nothing more (all that is left), ``amount`` (minor units, spread
    over what is left), or ``lines``: ``[{line, amount | quantity | nothing}]`` with ``shipping`` / ``tax``
    amounts. Refused: ``order_unknown``, ``order_cancelled``, ``refund_exceeds_order``, ``line_unknown``,
    ``balance_too_large`` (what had paid for it cannot come back).
    """
    payload = turn.activity.payload or {}
    order = _order(turn)
    if isinstance(order, Refused):
        return order
    if order.status == "cancelled":
        return Refused("order_cancelled", {"order_id": order.id})
    asked = _asked(order, payload)
    if isinstance(asked, Refused):
        return asked
    refunded, returned = asked
    refused = _without_room(turn, order, refunded)
    if refused is not None:
        return refused
    move(turn, order, refunded)
    order.returned = returned
    if order.is_back(refunded):
        order.status = "refunded"
    return None


def cancel(turn: Turn) -> Refused | None:
    """``order.cancelled``: all that is left comes back. Refused: ``order_unknown``, ``order_cancelled``,
    ``balance_too_large``."""
    order = _order(turn)
    if isinstance(order, Refused):
        return order
    if order.status == "cancelled":
        return Refused("order_cancelled", {"order_id": order.id})
    refused = _without_room(turn, order, order.full())
    if refused is not None:
        return refused
    order.before_cancel = list(order.refunded) or [0] * len(order.amounts)
    order.status_before_cancel = order.status
    move(turn, order, order.full())
    order.status = "cancelled"
    return None


def reopen(turn: Turn) -> Refused | None:
    """``order.reopened``: a cancelled order is as it was before. Refused: ``order_unknown``,
    ``order_not_cancelled``, ``insufficient`` (the points that paid for it are spent elsewhere),
    ``coupon_unavailable`` (so is a coupon that had come back), ``balance_too_large``."""
    order = _order(turn)
    if isinstance(order, Refused):
        return order
    if order.status != "cancelled" or order.before_cancel is None:
        return Refused("order_not_cancelled", {"order_id": order.id})
    lacking = _lacking(turn, order, order.before_cancel) or _without_room(turn, order, order.before_cancel)
    if lacking is None and not order.is_back(order.before_cancel):
        lacking = gone_coupon(turn, order)
    if lacking is not None:
        return lacking
    move(turn, order, order.before_cancel)
    order.status = order.status_before_cancel
    order.before_cancel = None
    return None


def _order(turn: Turn) -> Order | Refused:
    order_id = (turn.activity.payload or {}).get("order_id")
    order = turn.context.orders.get(str(order_id))
    if order is None or not order.is_of_goods():  # a top-up is paid back, a spend undone, by an act of its own
        return Refused("order_unknown", {"order_id": order_id})
    return order


def _asked(order: Order, payload: dict[str, Any]) -> tuple[list[int], list[int] | None] | Refused:
    """The vector after this refund, and the quantities returned, from the payload."""
    full = order.full()
    before = order.refunded or [0] * len(full)
    left = [whole - part for whole, part in zip(full, before, strict=True)]
    if payload.get("lines") is None and payload.get("amount") is None:
        if not any(left):
            return Refused("refund_exceeds_order", {"order_id": order.id, "left": 0})
        return full, order.returned
    if payload.get("lines") is None:
        amount = int(payload["amount"])
        if not 0 < amount <= sum(left):
            facts = {"order_id": order.id, "left": sum(left), "amount": amount}
            return Refused("refund_exceeds_order", facts)
        parts = allocate(amount, left)
        return [b + p for b, p in zip(before, parts, strict=True)], order.returned
    return _asked_lines(order, payload, full, before)


def _asked_lines(
    order: Order, payload: dict[str, Any], full: list[int], before: list[int]
) -> tuple[list[int], list[int] | None] | Refused:
    after = list(before)
    returned = list(order.returned) if order.returned else [0] * (len(full) - 2)
    for asked in payload["lines"]:
        i = int(asked["line"]) - 1
        if not 0 <= i < len(full) - 2:
            return Refused("line_unknown", {"order_id": order.id, "line": asked["line"]})
        quantity = asked.get("quantity")
        if quantity is not None:
            of = order.quantities[i] if order.quantities else 1
            if not 0 < quantity <= of - returned[i]:
                return Refused("refund_exceeds_order", {"order_id": order.id, "line": i + 1})
            part = share_taken(full[i], returned[i] + quantity, of) - share_taken(full[i], returned[i], of)
            part = min(part, full[i] - after[i])  # some of the line may have come back by amount before
            returned[i] += quantity
        else:
            part = int(asked.get("amount", full[i] - after[i]))
        if part < 0 or part > full[i] - after[i] or (part == 0 and quantity is None):
            return Refused("refund_exceeds_order", {"order_id": order.id, "line": i + 1})
        after[i] += part
    for name, i in (("tax", len(full) - 2), ("shipping", len(full) - 1)):
        part = int(payload.get(name, 0))
        if not 0 <= part <= full[i] - after[i]:
            return Refused("refund_exceeds_order", {"order_id": order.id, "part": name})
        after[i] += part
    return after, returned


def _lacking(turn: Turn, order: Order, refunded: list[int]) -> Refused | None:
    """Whether going back to ``refunded`` would need more of an asset than there will be."""
    now = order.refunded or [0] * len(order.amounts)
    need: dict[str, int] = {}
    for paid in order.paid:
        again = _units_back(turn, order, paid, now) - _units_back(turn, order, paid, refunded)
        need[paid.asset] = need.get(paid.asset, 0) + again
    regained: dict[str, int] = {}
    until = max(turn.now, turn.member.now)
    for award in order.awards:
        if award.lot.ripens_at <= until < award.lot.expires_at:
            again = _award_back(order, award, now) - _award_back(order, award, refunded)
            regained[award.asset] = regained.get(award.asset, 0) + again
    for asset, units in need.items():
        if asset in regained:
            units -= max(0, regained[asset] - turn.member.purses[asset].debt)
        available = spendable(turn.member, asset)
        if units > available:
            return Refused("insufficient", {"asset": asset, "asked": units, "available": available})
    return None


def _without_room(turn: Turn, order: Order, refunded: list[int]) -> Refused | None:
    """``balance_too_large`` where what comes back (what had paid, or what is given again), or what may then be owed,
    would be more than a balance can be."""
    now = order.refunded or [0] * len(order.amounts)
    more: dict[str, int] = {}
    owed: dict[str, int] = {}
    for paid in order.paid:
        units = _units_back(turn, order, paid, refunded) - _units_back(turn, order, paid, now)
        more[paid.asset] = more.get(paid.asset, 0) + max(0, units)
    for award in order.awards:
        units = _award_back(order, award, refunded) - _award_back(order, award, now)
        more[award.asset] = more.get(award.asset, 0) + max(0, -units)
        owed[award.asset] = owed.get(award.asset, 0) + max(0, units)
    for asset, units in more.items():
        purse = turn.member.purses.get(asset)
        debt = 0 if purse is None else purse.debt
        refused = no_room(turn, asset, units)
        if refused is None and debt + owed.get(asset, 0) > MAX_AMOUNT:
            refused = Refused("balance_too_large", {"asset": asset, "most": MAX_AMOUNT})
        if refused is not None:
            return refused
    return None


def move(turn: Turn, order: Order, refunded: list[int]) -> None:
    """Bring the order from its present vector to ``refunded``: what was paid comes back first, then what
    was given is taken back (see ``clawback``), so that returned points can pay for it."""
    before = order.refunded or [0] * len(order.amounts)
    forwards = sum(refunded) >= sum(before)
    anew = undo_beyond(turn, order)
    if forwards:
        _move_paid(turn, order, before, refunded)
    units = []
    for award, again in zip(order.awards, anew, strict=True):
        delta = _award_delta(turn, order, award, before, refunded)
        if delta:
            give_back(turn, award.rule, delta, given_at=order.given_at(award))
        units.append(delta + again)
    withheld = take_back(turn, order, units)
    if not forwards:
        _move_paid(turn, order, before, refunded)
    uncount(turn, order, before, refunded)
    was, now = order.is_back(before), order.is_back(refunded)
    if now and not was:
        return_coupons(turn, order)
    elif was and not now:
        reuse_coupons(turn, order)
    _settle_money(turn, order, refunded, withheld=withheld)
    order.refunded = refunded
    turn.effects.orders[order.id] = order
    turn.order = order


def _settle_money(turn: Turn, order: Order, refunded: list[int], *, withheld: int) -> None:
    """The money of all that is back, less what is withheld in all; what is withheld beyond that is forgiven.

    The answer is the difference to what was paid out before. It is below zero where an order is reopened, and
    where an earlier part was paid out before its points turned out to be gone.
    """
    due = money_back(order, refunded)
    paid_out = max(0, due - withheld)
    turn.answer["money"] = paid_out - order.paid_out
    kept = (due - order.money_back) - (paid_out - order.paid_out)
    if kept:
        turn.answer["withheld"] = kept
    order.money_back, order.paid_out, order.withheld = due, paid_out, withheld


def _award_back(order: Order, award: Award, refunded: list[int]) -> int:
    return back(order, award.lot.amount, award.weights, refunded, award.since)


def _award_delta(turn: Turn, order: Order, award: Award, before: list[int], after: list[int]) -> int:
    """Units to take back (negative: to give again). Where fractions are carried, the exact amount moves and
    only what it makes of whole units is taken."""
    if award.exact is None:
        return _award_back(order, award, after) - _award_back(order, award, before)
    amount, parts = award.exact
    was = back(order, amount, award.weights, before, award.since)
    now = back(order, amount, award.weights, after, award.since)
    carries = carries_of(turn.member, order)
    units, carries[award.asset] = carry(carries, award.asset, was - now, parts)
    return -units


def _move_paid(turn: Turn, order: Order, before: list[int], after: list[int]) -> None:
    for paid in order.paid:
        was, now = _units_back(turn, order, paid, before), _units_back(turn, order, paid, after)
        if now > was:
            _return_units(turn, order, paid, was, now)
        elif now < was:
            _retake_units(turn, order, paid, was, now)


def _units_back(turn: Turn, order: Order, paid: Paid, refunded: list[int]) -> int:
    """Units that are back when ``refunded`` is; none where the rules of the order's time forfeit them."""
    asset = turn.editions.at(order.placed_at).assets[paid.asset].asset
    return 0 if asset.on_refund == "forfeit" else units_back(order, paid, refunded)


def _return_units(turn: Turn, order: Order, paid: Paid, was: int, now: int) -> None:
    parts = lots_between(paid, was, now)
    restore(turn, paid.asset, parts, source=SPENT, cause=Cause("restore", None, order.id))
    turn.answer.setdefault("returned", {})[paid.asset] = now - was


def _retake_units(turn: Turn, order: Order, paid: Paid, was: int, now: int) -> None:
    """Spend again what a cancellation had returned: from the very lots it came back to, and what these have
    no more from the others. The order remembers the lots it comes from this time."""
    total = sum(lot.amount for lot in paid.lots)
    kept = lots_between(paid, was, total)[::-1]
    still_back = lots_between(paid, 0, now)[::-1]
    cause = Cause("spend", None, order.id)
    again: list[Lot] = []
    left = was - now
    for lot in lots_between(paid, now, was)[::-1]:
        taken = take_from_lot(turn, paid.asset, lot.amount, no=lot.no, target=SPENT, cause=cause)
        left -= taken
        if taken:
            again.append(replace(lot, amount=taken))
    if left:
        again += debit(turn, paid.asset, left, target=SPENT, cause=cause)
    paid.lots = kept + again + still_back
