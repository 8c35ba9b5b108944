"""Coupons in a cart: which apply, in which order, what they take off; then held, redeemed or let go.

Coupons asked for are applied in the order of ``prices.coupon_order``, then of priority (higher first),
template and id. Two coupons of one category do not meet; those ``alone`` go with no other. A coupon works on
the prices that promotions and earlier coupons left; those on shipping come after all others.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from shuke.engine.cart import Cart, CouponUse
from shuke.engine.coupon_terms import (
    Template,
    claim_quota,
    count_issued,
    count_own_redemption,
    count_redeemed,
    over_redemption_limit,
    terms_of,
)
from shuke.engine.coupons import Unfit, find, redeem_one, take_in, tell, unfit_by_itself, unfit_place
from shuke.engine.discounts import Off, spread
from shuke.engine.effects import Refused
from shuke.engine.member import Coupon, Hold
from shuke.engine.orders import Used
from shuke.engine.prices import lacking, scope_of, tell_lack
from shuke.engine.turn import Turn
from shuke.values.amounts import allocate

_SHARE_SCALE = 10**6


class Wanted(Struct):
    """A coupon the caller asked for, by ``asked``."""

    asked: str
    coupon: Coupon
    template: Template
    new: bool = False


# -- In a cart --------------------------------------------------------------------------------------------


def apply_coupons(cart: Cart) -> None:
    """Apply the coupons asked for that work on lines."""
    for wanted in wanted_of(cart):
        if wanted.template.discount.shipping is None:
            _apply(cart, wanted)


def apply_shipping_coupons(cart: Cart) -> None:
    """Apply the coupons asked for that work on shipping."""
    for wanted in wanted_of(cart):
        if wanted.template.discount.shipping is not None:
            _apply(cart, wanted)


def wanted_of(cart: Cart) -> list[Wanted]:
    """The coupons asked for, in the order in which they apply. Unknown ones are declined, once."""
    if cart.wanted is None:
        cart.wanted = _find(cart)
    found: list[Wanted] = cart.wanted
    return found


def _find(cart: Cart) -> list[Wanted]:
    uses = cart.purchase.uses
    found: dict[str, Wanted] = {}
    for asked in (uses.coupons or ()) if uses is not None else ():
        wanted = _find_one(cart.turn, asked, list(found.values()))
        if isinstance(wanted, Refused):
            facts = {name: fact for name, fact in wanted.facts.items() if name not in ("coupon", "code")}
            cart.decline(asked, wanted.code, **facts)
        elif wanted.coupon.id in found:
            cart.decline(asked, "coupon_twice")
        else:
            found[wanted.coupon.id] = wanted
    place = cart.turn.program.prices.coupon_order
    return sorted(
        found.values(),
        key=lambda wanted: (
            place.get(wanted.template.template.category, len(place)),
            -wanted.template.template.priority,
            wanted.template.id,
            wanted.coupon.id,
        ),
    )


def _find_one(turn: Turn, asked: str, others: list[Wanted]) -> Wanted | Refused:
    coupon = find(turn, asked, beside=[other.coupon for other in others if other.new])
    if isinstance(coupon, Refused):
        return coupon
    template = terms_of(turn, coupon.template, coupon.version)
    if template is None:
        return Refused("coupon_unknown", {"coupon": coupon.id})
    return Wanted(asked, coupon, template, coupon.id not in turn.member.coupons)


def _apply(cart: Cart, wanted: Wanted) -> None:
    coupon, template = wanted.coupon, wanted.template
    unfit = unfit_by_itself(cart.turn, coupon) or _unfit_beside(cart, template) or unfit_cart(cart, template)
    if unfit is not None:
        cart.decline(wanted.asked, unfit[0], **unfit[1])
        return
    scope = _scope(cart, template)
    lack = lacking(cart, scope, template.minimum_spend, template.minimum_items) if scope else None
    if not scope:
        cart.decline(wanted.asked, "no_matching_lines")
    elif lack is not None:
        if cart.strict:
            cart.decline(wanted.asked, lack[0], needs=lack[1])
        tell_lack(cart, wanted.asked, "coupon", lack, template=template.id)
    else:
        _take(cart, wanted, scope)


def _take(cart: Cart, wanted: Wanted, scope: list[int]) -> None:
    coupon, discount = wanted.coupon, wanted.template.discount
    value = 0
    if discount.shipping is not None:
        taken = discount.shipping_off(cart.purchase.shipping)
        if taken:
            cart.reduce_shipping("coupon", wanted.template.id, taken, coupon=coupon.id)
    else:
        taken = cart.reduce("coupon", wanted.template.id, _off(cart, wanted.template, coupon, scope), coupon=coupon.id)
        value = taken if discount.face else 0
    if taken == 0:
        cart.decline(wanted.asked, "nothing_to_reduce")
        return
    _share_cost(cart, wanted.template, taken)
    cart.coupons.append(CouponUse(replace(coupon), value, wanted.new))


def _off(cart: Cart, template: Template, coupon: Coupon, scope: list[int]) -> Off:
    reduce = template.discount.reduce
    if reduce is None:  # a cash voucher
        return spread(coupon.value, cart.lines, scope)
    return reduce(cart.turn, cart.lines, scope)


def _share_cost(cart: Cart, template: Template, taken: int) -> None:
    shares = template.template.cost_share
    if shares:
        parts = allocate(taken, [int(share.percent * _SHARE_SCALE) for share in shares])
        cart.applied[-1].borne = {share.bearer: part for share, part in zip(shares, parts, strict=True)}


def _scope(cart: Cart, template: Template) -> list[int]:
    places = cart.carrying(*template.index) if template.index else None
    return scope_of(cart, template.lines, places, template.not_with)


def _unfit_beside(cart: Cart, template: Template) -> Unfit:
    """Why the coupon cannot join those already applied."""
    if not cart.coupons:
        return None
    if len(cart.coupons) >= cart.turn.program.prices.coupons_per_order:
        return "too_many_coupons", {"most": cart.turn.program.prices.coupons_per_order}
    same = 0
    for use in cart.coupons:
        if use.coupon.template == template.id:
            same += 1
            continue
        other = terms_of(cart.turn, use.coupon.template, use.coupon.version)
        assert other is not None, "an applied coupon has terms"
        if template.template.alone or other.template.alone:
            return "not_combinable", {"with": other.id}
        if other.template.category == template.template.category:
            return "category_taken", {"by": other.id, "category": template.template.category}
    if same >= template.limits.per_order:
        return "coupon_limit", {"limit": "per_order", "most": template.limits.per_order}
    return None


def unfit_cart(cart: Cart, template: Template) -> Unfit:
    """Why coupons of this template cannot be used for this cart, lines and minimum aside."""
    turn, purchase = cart.turn, cart.purchase
    unfit = unfit_place(template, purchase.channel, purchase.store)
    if unfit is not None:
        return unfit
    already = sum(use.coupon.template == template.id for use in cart.coupons)
    limited = over_redemption_limit(turn, template, already + 1)
    if limited is not None:
        return limited.code, limited.facts
    if template.when is not None and not template.when(turn, None):
        return "condition_not_met", {"when": template.when_text}
    return None


# -- What each coupon at hand would save ------------------------------------------------------------------


def wallet_of(cart: Cart) -> list[dict[str, Any]]:
    """For every coupon in the member's hands, what it would take off this cart by itself, or why nothing.

    Reads the prices as promotions left them; coupons of one template are worked out once.
    """
    by_template: dict[tuple[str, int], dict[str, Any]] = {}
    found = []
    for coupon in cart.turn.member.coupons.values():
        entry: dict[str, Any] = {"coupon": coupon.id, "template": coupon.template}
        found.append(entry)
        unfit = unfit_by_itself(cart.turn, coupon)
        if unfit is not None:
            entry["code"] = unfit[0]
            entry.update(unfit[1])
            continue
        key = coupon.template, coupon.version
        worth = by_template.get(key) if coupon.value == 0 else None
        if worth is None:
            worth = by_template[key] = _worth(cart, coupon)
        entry.update(worth)
    return found


def _worth(cart: Cart, coupon: Coupon) -> dict[str, Any]:
    template = terms_of(cart.turn, coupon.template, coupon.version)
    if template is None:
        return {"code": "coupon_unknown"}
    unfit = unfit_cart(cart, template)
    if unfit is not None:
        return {"code": unfit[0], **unfit[1]}
    scope = _scope(cart, template)
    if not scope:
        return {"code": "no_matching_lines"}
    lack = lacking(cart, scope, template.minimum_spend, template.minimum_items)
    if lack is not None:
        return {"code": lack[0], "needs": lack[1]}
    if template.discount.shipping is not None:
        saves = template.discount.shipping_off(cart.purchase.shipping)
    else:
        saves = sum(_off(cart, template, coupon, scope).values())
    return {"saves": saves} if saves else {"code": "nothing_to_reduce"}


# -- Held, redeemed, let go -------------------------------------------------------------------------------


def _at_hand(turn: Turn, use: CouponUse, *, order_id: str) -> Coupon:
    """The live coupon behind a use; one that came with a code is issued now."""
    if not use.new:
        return turn.member.coupons[use.coupon.id]
    count_issued(turn, turn.program.coupons[use.coupon.template], 1)
    take_in(turn, use.coupon, order_id=order_id)
    return use.coupon


def hold_coupons(turn: Turn, uses: list[CouponUse], *, order_id: str) -> list[list[Any]]:
    """Keep the coupons for a cart, and count them as redeemed; returns the quotas claimed."""
    claimed: list[list[Any]] = []
    for use in uses:
        coupon = _at_hand(turn, use, order_id=order_id)
        coupon.state = "held"
        coupon.order_id = order_id
        tell(turn, coupon, "held", order_id=order_id)
        claimed += count_redeemed(turn, coupon.template, 1)
    return claimed


def redeem_coupons(turn: Turn, uses: list[CouponUse], *, order_id: str, held: bool) -> list[Used]:
    """Redeem the coupons of a cart that is paid; returns what the order remembers."""
    redeemed = []
    for use in uses:
        coupon = turn.member.coupons[use.coupon.id] if held else _at_hand(turn, use, order_id=order_id)
        redeemed.append(redeem_one(turn, coupon, value=use.value, order_id=order_id))
        if not held:
            count_redeemed(turn, coupon.template, 1)
    return redeemed


def let_go_coupons(turn: Turn, hold: Hold) -> None:
    """Give the coupons of a cart back; what ended meanwhile ends now."""
    for id_ in hold.coupons:
        coupon = turn.member.coupons[id_]
        coupon.state, coupon.order_id = "issued", None
        count_own_redemption(turn, coupon.template, -1)
        if coupon.valid_until <= turn.now:
            del turn.member.coupons[id_]
            tell(turn, coupon, "expired")
        else:
            tell(turn, coupon, "issued")
    for quota, amount in hold.quotas:
        claim_quota(turn, quota, -amount)
