"""The whole price of a cart, step by step, for quotes, holds and payments alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shuke.engine.activity import Purchase
from shuke.engine.cart import Cart, NotApplicable, Quote
from shuke.engine.coupon_use import apply_coupons, apply_shipping_coupons, wallet_of
from shuke.engine.effects import Refused
from shuke.engine.payments import pay_points, pay_stored_value, remaining, usable_points
from shuke.engine.prices import check_members_only, price_lines, price_sets, price_shipping
from shuke.engine.turn import Turn


def look_into_wallet(cart: Cart) -> None:
    """For quotes: what each coupon at hand would save."""
    if not cart.strict:
        cart.wallet = wallet_of(cart)


def look_at_points(cart: Cart) -> None:
    """For quotes: what each asset could pay."""
    if not cart.strict:
        cart.usable = usable_points(cart)


Stage = Callable[[Cart], None]

PIPELINE: tuple[tuple[Stage, str], ...] = (
    (check_members_only, "members_only"),
    (price_lines, ""),  # member price, tier percent, promotions: each line by itself
    (price_sets, ""),  # promotions over several lines
    (look_into_wallet, ""),
    (apply_coupons, "coupon_not_applicable"),
    (price_shipping, ""),
    (apply_shipping_coupons, "coupon_not_applicable"),
    (look_at_points, ""),
    (pay_points, "points_not_applicable"),
    (pay_stored_value, "stored_value_not_applicable"),
)
"""What happens to a cart, in this order, and the code of refusal where a step declines what was asked for."""


def price(turn: Turn, told: Purchase, *, strict: bool) -> Quote | Refused:
    """Price the cart at the turn's instant. The member stays as she is; the turn gets the priced purchase.

    ``strict``: what the caller asked for (coupons, points, stored value) applies or the cart is refused, with
    ``coupon_not_applicable``, ``points_not_applicable``, ``stored_value_not_applicable`` (facts: ``what``,
    ``reason`` and what goes with it), ``insufficient`` or ``members_only``. Always refused: ``cart_empty``
    and ``amount_invalid``.
    """
    refused = _unpriceable(told)
    if refused is not None:
        return refused
    cart = Cart(turn, told, strict=strict)
    for stage, code in PIPELINE:
        try:
            stage(cart)
        except NotApplicable as declined:
            if declined.code in ("insufficient", "members_only"):
                return Refused(declined.code, declined.facts)
            return Refused(code, {"reason": declined.code, **declined.facts})
    return Quote(
        turn.now,
        turn.program.version,
        cart.purchase,
        cart.list_amounts,
        cart.amounts(),
        cart.applied,
        cart.coupons,
        cart.paid,
        sum(remaining(cart)),
        {},
        cart.skipped,
        cart.hints,
        cart.wallet,
        cart.usable,
        _policy(turn),
    )


def _unpriceable(told: Purchase) -> Refused | None:
    if not told.lines:
        return Refused("cart_empty", {})
    for number, line in enumerate(told.lines, 1):
        price = line.amount if line.list_amount is None else line.list_amount
        if price < 0 or line.quantity < 1:
            return Refused("amount_invalid", {"line": number, "amount": price, "quantity": line.quantity})
    if told.tax < 0 or told.shipping < 0:
        return Refused("amount_invalid", {"tax": told.tax, "shipping": told.shipping})
    return None


def _policy(turn: Turn) -> dict[str, Any]:
    """Which of the program's choices decided how the parts came together."""
    prices, stored_value = turn.program.prices, turn.program.stored_value
    policy: dict[str, Any] = {"together": prices.together, "order": list(prices.order)}
    if prices.coupon_order:
        policy["coupon_order"] = list(prices.coupon_order)
    if stored_value is not None:
        policy["stored_value"] = stored_value.spend
    return policy
