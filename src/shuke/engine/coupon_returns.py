"""Coupons of an order: restored when everything bought with them is back, used again when it is reopened."""

from __future__ import annotations

from msgspec.structs import replace

from shuke.engine.coupon_terms import count_redeemed, terms_of
from shuke.engine.coupons import tell
from shuke.engine.effects import Refused
from shuke.engine.member import Coupon
from shuke.engine.orders import Order, Used
from shuke.engine.turn import Turn
from shuke.values.instants import Instant


def return_coupons(turn: Turn, order: Order) -> None:
    """Restore what the order's coupons were, as their templates say: with the same dates, or forfeit.

    A coupon whose date has passed meanwhile is told as expired, or lives on for ``renewed_for``. The part
    used of a cash voucher joins what is left of it.
    """
    until = max(turn.now, turn.member.now)
    for used in order.coupons:
        if used.returned:
            continue
        template = terms_of(turn, used.coupon.template, used.coupon.version)
        if template is None or template.template.on_refund == "forfeit":
            continue
        valid_until = used.coupon.valid_until
        if valid_until <= until:
            if template.template.restored_after_expiry == "expire":
                tell(turn, used.coupon, "expired", order_id=order.id)
                continue
            valid_until = template.renewed(turn.day)
        used.returned = True
        _put_back(turn, used, valid_until, order)
        count_redeemed(turn, used.coupon.template, -1)


def _put_back(turn: Turn, used: Used, valid_until: Instant, order: Order) -> None:
    coupons = turn.member.coupons
    rest = coupons.get(used.coupon.id)
    if rest is not None:  # the rest of a voucher is still there
        rest.value += used.value
        rest.valid_until = max(rest.valid_until, valid_until)
        coupon = rest
    else:
        value = used.value if used.coupon.value else 0
        coupon = replace(used.coupon, valid_until=valid_until, value=value)
        coupons[coupon.id] = coupon
    tell(turn, coupon, coupon.state, order_id=order.id)


def gone_coupon(turn: Turn, order: Order) -> Refused | None:
    """``coupon_unavailable``, if a coupon that came back from the order is no longer there to use again."""
    for used in order.coupons:
        if used.returned and not _is_there(turn.member.coupons.get(used.coupon.id), used):
            return Refused("coupon_unavailable", {"coupon": used.coupon.id, "order_id": order.id})
    return None


def _is_there(coupon: Coupon | None, used: Used) -> bool:
    return coupon is not None and coupon.state == "issued" and coupon.value >= used.value


def reuse_coupons(turn: Turn, order: Order) -> None:
    """Take the order's coupons again, now that it is reopened."""
    for used in order.coupons:
        if not used.returned:
            continue
        used.returned = False
        coupon = turn.member.coupons[used.coupon.id]
        coupon.value -= used.value
        if coupon.value == 0:
            del turn.member.coupons[coupon.id]
        tell(turn, coupon, "issued" if coupon.value else "redeemed", order_id=order.id)
        count_redeemed(turn, coupon.template, 1)
