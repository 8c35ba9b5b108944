"""The whole price of a cart, step by step, for quotes, holds and payments alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from shuke.engine.activity import UNPRICED, Payments, Purchase
from shuke.engine.cart import Cart, NotApplicable, Quote
from shuke.engine.coupon_use import apply_coupons, apply_shipping_coupons, wallet_of
from shuke.engine.effects import Refused
from shuke.engine.payments import pay_points, pay_stored_value, remaining, usable_points
from shuke.engine.prices import check_members_only, price_lines, price_sets, price_shipping
from shuke.engine.turn import Turn
from shuke.values.amounts import MAX_AMOUNT


def look_into_wallet(cart: Cart) -> None:
    """For quotes: what each coupon at hand would save."""
    if not cart.strict:
        cart.wallet = wallet_of(cart)


def look_at_points(cart: Cart) -> None:
    """For quotes: what each asset could pay."""
    if not cart.strict:
        cart.usable = usable_points(cart)


Stage = Callable[[Cart], None]

PIPELINE: tuple[Stage, ...] = (
    check_members_only,
    price_lines,  # member price, tier percent, promotions: each line by itself
    price_sets,  # promotions over several lines
    look_into_wallet,
    apply_coupons,
    price_shipping,
    apply_shipping_coupons,
    look_at_points,
    pay_points,
    pay_stored_value,
)
"""What happens to a cart, in this order."""


def price(turn: Turn, told: Purchase, *, strict: bool) -> Quote | Refused:
    """Price the cart at the turn's instant. The member stays as she is; the turn gets the priced purchase.

    ``strict``: what the caller asked for (coupons, points, stored value) applies or the cart is refused, with
    ``coupon_not_applicable``, ``points_not_applicable``, ``stored_value_not_applicable`` (facts: which,
    ``reason`` and what goes with it), ``insufficient`` or ``members_only``. Always refused: ``cart_empty``,
    ``amount_invalid`` and ``price_unknown``.
    """
    refused = _unpriceable(told)
    if refused is not None:
        return refused
    cart = Cart(turn, told, strict=strict)
    for stage in PIPELINE:
        try:
            stage(cart)
        except NotApplicable as declined:
            return _REFUSALS[stage](declined)
    # Conditions read order.coupons: the templates that applied say more there than what was asked for.
    templates = [use.coupon.template for use in cart.coupons]
    cart.purchase.uses = Payments(coupons=templates) if templates else None
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


def _reserved(declined: NotApplicable) -> Refused:
    return Refused("members_only", {"rule": declined.what, **declined.facts})


def _no_coupon(declined: NotApplicable) -> Refused:
    facts = declined.facts
    return Refused("coupon_not_applicable", {"coupon": declined.what, "reason": declined.code, **facts})


def _no_points(declined: NotApplicable) -> Refused:
    facts = declined.facts
    if declined.code == "insufficient":
        return Refused("insufficient", {"asset": declined.what, **facts})
    return Refused("points_not_applicable", {"asset": declined.what, "reason": declined.code, **facts})


def _no_stored_value(declined: NotApplicable) -> Refused:
    facts = declined.facts
    if declined.code == "insufficient":
        return Refused("insufficient", {"asset": declined.what, **facts})
    return Refused("stored_value_not_applicable", {"reason": declined.code, **facts})


_REFUSALS: dict[Stage, Callable[[NotApplicable], Refused]] = {
    check_members_only: _reserved,
    apply_coupons: _no_coupon,
    apply_shipping_coupons: _no_coupon,
    pay_points: _no_points,
    pay_stored_value: _no_stored_value,
}
"""How a stage's declining is refused."""


def _unpriceable(told: Purchase) -> Refused | None:
    if not told.lines:
        return Refused("cart_empty", {})
    amounts = [line.amount if line.list_amount is None else line.list_amount for line in told.lines]
    for place, line in enumerate(told.lines):
        if amounts[place] == UNPRICED and line.sku is not None:
            return Refused("price_unknown", {"line": place + 1, "sku": line.sku})
    lowest = min(*amounts, told.tax, told.shipping, *(line.quantity - 1 for line in told.lines))
    if lowest < 0:
        return Refused("amount_invalid", {"amount": lowest})
    total = sum(amounts) + told.tax + told.shipping
    return Refused("amount_invalid", {"amount": total}) if total > MAX_AMOUNT else None


def _policy(turn: Turn) -> dict[str, Any]:
    """Which of the program's choices decided how the parts came together."""
    prices, stored_value = turn.program.prices, turn.program.stored_value
    policy: dict[str, Any] = {"together": prices.together, "order": list(prices.order)}
    if prices.coupon_order:
        policy["coupon_order"] = list(prices.coupon_order)
    if stored_value is not None:
        policy["stored_value"] = stored_value.spend
    return policy
