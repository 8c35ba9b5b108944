"""Whether a coupon or a code would work for a member: asked, not used. Pure; nothing changes.

Without a cart only what does not depend on goods is looked at: whether she has it or its code is free, its dates, her
limits and those of all members, and the place where one is told. With a cart the quote says the rest.
"""

from __future__ import annotations

from msgspec import Struct

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Payments, Purchase
from shuke.engine.cart import Quote
from shuke.engine.compiled import Editions
from shuke.engine.coupon_terms import Template, over_redemption_limit, terms_of
from shuke.engine.coupons import find, unfit_by_itself
from shuke.engine.effects import Refused
from shuke.engine.member import ERASED, Coupon, Member
from shuke.engine.quote import bring_up, quote
from shuke.engine.turn import Context, Turn
from shuke.program.condition_uses import uses
from shuke.values.instants import Instant


class Checked(Struct):
    """``coupon`` is the one that was meant, as it is or (``is_new``) as its code would open it, None where there is
    none; ``refused`` says why it would not work; ``saves`` is what it takes off the cart (minor units), where one was
    told.
    """

    coupon: Coupon | None
    refused: Refused | None
    is_new: bool = False
    saves: int | None = None


def question(member_id: str, asked: str, *, at: Instant, cart: Purchase | None = None) -> Activity:
    """What would be told, if it were: for ``needs``."""
    if cart is None:
        return Activity(of.COUPON_REDEEMED, member_id, at, "quote", "check", {"coupon": asked})
    return Activity(of.ORDER_PAID, member_id, at, "quote", cart.order_id, purchase=_with(cart, asked))


def check(
    program: Editions,
    member: Member,
    asked: str,
    *,
    at: Instant,
    channel: str | None = None,
    store: str | None = None,
    cart: Purchase | None = None,
    context: Context | None = None,
) -> Checked:
    """Look at the coupon or code ``asked`` for. ``context`` hands in codes and quotas as ``needs(question(…))`` asks.

    Refused: ``member_erased``, and as ``coupons.redeem``; with a cart also ``cart_empty`` and ``amount_invalid``.
    """
    if member.status == ERASED:
        return Checked(None, Refused("member_erased", {}))
    given = context or Context()
    seen = Context({}, dict(given.taken), given.codes)
    turn = Turn(program, member, question(member.id, asked, at=at, cart=cart), seen)
    bring_up(turn, at)
    coupon = find(turn, asked)
    if isinstance(coupon, Refused):
        return Checked(None, coupon)
    is_new = coupon.id not in turn.member.coupons
    if cart is None:
        return Checked(coupon, _unfit(turn, coupon, channel=channel, store=store), is_new)
    priced = quote(program, member, _with(cart, asked), at=at, context=context)
    if isinstance(priced, Refused):
        return Checked(coupon, priced, is_new)
    refused = _skipped(coupon, asked, priced)
    saves = sum(applied.amount for applied in priced.applied if applied.coupon == coupon.id)
    return Checked(coupon, refused, is_new, saves if refused is None else 0)


def _with(cart: Purchase, asked: str) -> Purchase:
    told = cart.uses or Payments()
    if told.coupons and asked in told.coupons:
        return cart
    coupons = Payments([*(told.coupons or ()), asked], told.points, told.stored_value)
    return Purchase(
        cart.order_id,
        cart.lines,
        cart.channel,
        cart.store,
        cart.payment,
        cart.tax,
        cart.shipping,
        coupons,
        priced=False,
    )


def _unfit(turn: Turn, coupon: Coupon, *, channel: str | None, store: str | None) -> Refused | None:
    template = terms_of(turn, coupon.template, coupon.version)
    reason = unfit_by_itself(turn, coupon)
    if reason is None and template is not None:
        if channel is not None and template.channels and channel not in template.channels:
            reason = "wrong_channel", {"channels": sorted(template.channels)}
        elif store is not None and template.stores and store not in template.stores:
            reason = "wrong_store", {"stores": sorted(template.stores)}
        elif not _depends_on_order(template) and template.when is not None and not template.when(turn, None):
            reason = "condition_not_met", {"when": template.when_text}
        else:
            return over_redemption_limit(turn, template, 1)
    if reason is None:
        return None
    return Refused("coupon_not_applicable", {"coupon": coupon.id, "reason": reason[0], **reason[1]})


def _depends_on_order(template: Template) -> bool:
    when = template.template.when
    return when is not None and any(fact.startswith("order.") for fact in uses(when).facts)


def _skipped(coupon: Coupon, asked: str, priced: Quote) -> Refused | None:
    for skipped in priced.skipped:
        if skipped["what"] == asked:
            facts = {name: fact for name, fact in skipped.items() if name not in ("what", "code")}
            return Refused("coupon_not_applicable", {"coupon": coupon.id, "reason": skipped["code"], **facts})
    return None
