"""An order is paid; an order is completed."""

from __future__ import annotations

from shuke.engine import holds
from shuke.engine.effects import Refused
from shuke.engine.orders import Order, order_of
from shuke.engine.turn import Turn
from shuke.values.amounts import MAX_AMOUNT


def pay(turn: Turn) -> Refused | None:
    """``order.paid``: as told by a channel, or a cart that Shuke prices and settles itself.

    Refused: ``order_exists``, ``amount_invalid`` (more in all than an amount can be), and whatever the cart's own
    payment refuses (see ``holds.settle``).
    """
    purchase = turn.purchase
    if purchase is None:
        return Refused("order_missing", {})
    if purchase.order_id in turn.context.orders:
        return Refused("order_exists", {"order_id": purchase.order_id})
    total = sum(line.amount for line in purchase.lines) + purchase.tax + purchase.shipping
    if total > MAX_AMOUNT:
        return Refused("amount_invalid", {"amount": total})
    if not purchase.priced or purchase.hold is not None or purchase.uses is not None:
        refused = holds.settle(turn)
        if refused is not None:
            return refused
        assert turn.order is not None  # settle leaves the order behind
    else:
        turn.order = order_of(purchase, placed_at=turn.now, version=turn.program.version)
    remember(turn, turn.order)
    return None


def remember(turn: Turn, order: Order) -> None:
    """Put the order among the effects; keep its lines where completing it may still earn."""
    if turn.program.keeps_purchases:
        order.purchase = turn.purchase
    turn.effects.orders[order.id] = order


def complete(turn: Turn) -> Refused | None:
    """``order.completed``: delivered, and past return where the shop says so. Payload: ``order_id``.

    Refused: ``order_unknown``, ``order_cancelled``, ``order_completed``, ``order_refunded`` (all of it).
    """
    order_id = (turn.activity.payload or {}).get("order_id")
    order = turn.context.orders.get(str(order_id))
    if order is None or not order.is_of_goods():
        return Refused("order_unknown", {"order_id": order_id})
    if order.status == "cancelled":
        return Refused("order_cancelled", {"order_id": order.id})
    if order.status == "completed":
        return Refused("order_completed", {"order_id": order.id})
    if order.status == "refunded":
        return Refused("order_refunded", {"order_id": order.id})
    order.status = "completed"
    turn.order = order
    turn.purchase = order.purchase
    turn.effects.orders[order.id] = order
    return None
