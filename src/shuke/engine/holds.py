"""Carts that keep what they were promised, until they are paid or let go; orders priced here.

What holds have in common is here too: their keys, their time, how they lapse. Those without a cart are made and
captured in ``value_holds``.

    cart.held      → priced; points, stored value and coupons move aside under the cart's key
    order.paid     → exactly what was promised, even if the program has changed meanwhile
    cart.released, or time → everything back where it was, once

An order neither held nor priced is quoted and paid in one step; one priced by its channel keeps its prices.
"""

from __future__ import annotations

from msgspec import to_builtins
from msgspec.structs import replace

from shuke.engine.activity import Purchase
from shuke.engine.assets import Cause, debit, post, purse_of, restore, spendable
from shuke.engine.cart import Payment, Quote, pack_quote, unpack_quote
from shuke.engine.checkout import price
from shuke.engine.coupon_terms import count_issued, count_redeemed
from shuke.engine.coupon_use import hold_coupons, let_go_coupons, redeem_coupons
from shuke.engine.coupons import find, redeem_one, take_in, unfit_by_itself
from shuke.engine.effects import HELD, SPENT, Refused
from shuke.engine.member import HeldPart, Hold, Lot
from shuke.engine.orders import Order, Paid, Used, order_of
from shuke.engine.payments import stored_value_payments, worth_of
from shuke.engine.purses import tell_lots
from shuke.engine.turn import Turn
from shuke.values.amounts import allocate
from shuke.values.instants import NEVER, Instant

MOST_HOLDS = 20
"""The most holds one member has at a time, with or without a cart."""

_MINUTE = 60_000_000


# -- Held and let go --------------------------------------------------------------------------------------


def hold(turn: Turn) -> Refused | None:
    """``cart.held``: price the cart (``purchase``, not priced) and keep what it uses under a key.

    Payload: as ``admit`` reads it. Refused: ``order_missing``, as ``admit``, and as ``checkout.price`` with
    ``strict``.
    """
    if turn.purchase is None:
        return Refused("order_missing", {})
    admitted = admit(turn)
    if isinstance(admitted, Refused):
        return admitted
    key, lapses_at = admitted
    quote = price(turn, turn.purchase, strict=True)
    if isinstance(quote, Refused):
        return quote
    order_id = quote.purchase.order_id
    parts = []
    for paid in quote.paid:
        cause = Cause("hold", None, order_id, {"hold": key})
        for lot in debit(turn, paid.asset, sum(paid.units), target=HELD, cause=cause):
            parts.append(HeldPart(paid.asset, lot))
    quotas = hold_coupons(turn, quote.coupons, order_id=order_id)
    coupons = [use.coupon.id for use in quote.coupons]
    turn.member.holds[key] = Hold(key, lapses_at, parts, coupons, quotas, pack_quote(quote))
    turn.answer["hold"] = {"hold": key, "lapses_at": lapses_at}
    turn.answer["quote"] = to_builtins(quote)
    return None


def admit(turn: Turn) -> tuple[str, Instant] | Refused:
    """The key of a new hold, and when it lapses. Payload: ``hold`` (the key), optional ``minutes`` (at most the
    program's ``hold_minutes``). Refused: ``hold_missing``, ``hold_exists``, ``too_many_holds``, ``amount_invalid``.
    """
    payload = turn.activity.payload or {}
    key, minutes = payload.get("hold"), payload.get("minutes")
    if not isinstance(key, str) or not key:
        return Refused("hold_missing", {})
    if key in turn.member.holds:
        return Refused("hold_exists", {"hold": key})
    if len(turn.member.holds) >= MOST_HOLDS:
        return Refused("too_many_holds", {"most": MOST_HOLDS})
    if minutes is not None and (not isinstance(minutes, int) or isinstance(minutes, bool) or minutes < 1):
        return Refused("amount_invalid", {"amount": minutes})
    lasts = turn.program.hold_microseconds
    if minutes is not None:
        lasts = min(lasts, minutes * _MINUTE)
    return key, turn.now + lasts


def release(turn: Turn) -> Refused | None:
    """``cart.released``, ``asset.released``: what is held is let go. Payload: ``hold``. Refused: ``hold_unknown``."""
    key = (turn.activity.payload or {}).get("hold")
    found = turn.member.holds.pop(str(key), None)
    if found is None:
        return Refused("hold_unknown", {"hold": key})
    for asset, lots in _let_go(turn, found, "release"):
        tell_lots(turn, asset, lots)
    return None


def let_all_go(turn: Turn) -> None:
    """Everything held is let go."""
    holds = turn.member.holds
    for key in list(holds):
        _let_go(turn, holds.pop(key), "release")


def _let_go(turn: Turn, found: Hold, kind: str) -> list[tuple[str, list[Lot]]]:
    """Give everything back; returns the lots it went to, by asset."""
    cause = Cause(kind, None, None, {"hold": found.key})
    landed = [(part.asset, restore(turn, part.asset, [part.lot], source=HELD, cause=cause)) for part in found.parts]
    let_go_coupons(turn, found)
    return landed


def fall_due(turn: Turn) -> None:
    """Let go of the holds whose time is over."""
    holds = turn.member.holds
    if not holds:
        return
    for key in [key for key, found in holds.items() if found.lapses_at <= turn.now]:
        _let_go(turn, holds.pop(key), "lapse")


def next_due(turn: Turn) -> Instant:
    """When the next hold lapses."""
    holds = turn.member.holds
    return min((found.lapses_at for found in holds.values()), default=NEVER) if holds else NEVER


# -- Paid -------------------------------------------------------------------------------------------------


def settle(turn: Turn) -> Refused | None:
    """Settle ``turn.purchase``: a held cart as promised, a cart not yet priced, or an order as it was told.

    Leaves ``turn.order`` behind, and ``turn.purchase`` at final prices. Refused: ``hold_unknown``,
    ``hold_not_of_cart``, ``cart_changed`` (other goods than were held), and as ``checkout.price`` with ``strict``.
    """
    purchase = turn.purchase
    assert purchase is not None, "settling.pay has seen to it"
    if purchase.hold is not None:
        return _settle_held(turn, purchase, purchase.hold)
    if purchase.priced:
        return _settle_told(turn, purchase)
    quote = price(turn, purchase, strict=True)
    if isinstance(quote, Refused):
        turn.buy(purchase)
        return quote
    order_id = purchase.order_id
    lots = {}
    for paid in quote.paid:
        cause = Cause("spend", None, order_id, None)
        lots[paid.asset] = debit(turn, paid.asset, sum(paid.units), target=SPENT, cause=cause)
    coupons = redeem_coupons(turn, quote.coupons, order_id=order_id, held=False)
    _place(turn, quote, quote.purchase, lots, coupons)
    return None


def _settle_held(turn: Turn, purchase: Purchase, key: str) -> Refused | None:
    found = turn.member.holds.get(key)
    if found is None:
        return Refused("hold_unknown", {"hold": key})
    if found.value is not None:
        return Refused("hold_not_of_cart", {"hold": key})
    quote = unpack_quote(found.quote)
    promised = quote.purchase
    if purchase.lines and _goods(purchase) != _goods(promised):
        return Refused("cart_changed", {"hold": key})
    del turn.member.holds[key]
    lots: dict[str, list[Lot]] = {}
    cause = Cause("spend", None, purchase.order_id, {"hold": key})
    for part in found.parts:
        lots.setdefault(part.asset, []).append(part.lot)
        use_held(turn, part.asset, [part.lot], cause=cause)
    coupons = redeem_coupons(turn, quote.coupons, order_id=purchase.order_id, held=True)
    final = replace(
        promised,
        order_id=purchase.order_id,
        channel=purchase.channel or promised.channel,
        store=purchase.store or promised.store,
        payment=purchase.payment or promised.payment,
    )
    _place(turn, quote, final, lots, coupons)
    return None


def use_held(turn: Turn, asset: str, lots: list[Lot], *, cause: Cause) -> None:
    """Spend parts of lots that are held. The caller has taken them out of their hold."""
    for lot in lots:
        purse_of(turn.member, asset).held -= lot.amount
        post(turn, asset, debit=HELD, credit=SPENT, amount=lot.amount, lot=lot.no, cause=cause)


def _goods(purchase: Purchase) -> list[tuple[str | None, int]]:
    return [(line.sku, line.quantity) for line in purchase.lines]


def _place(turn: Turn, quote: Quote, purchase: Purchase, lots: dict[str, list[Lot]], coupons: list[Used]) -> None:
    """Make the order of a priced cart, and let what follows see its final prices."""
    turn.buy(purchase)
    order = order_of_quote(turn, quote)
    order.id = purchase.order_id
    order.channel, order.store = purchase.channel, purchase.store
    for paid in order.paid:
        paid.lots = lots[paid.asset]
    order.coupons = coupons
    turn.order = order
    turn.answer["money"] = quote.payable
    turn.answer["quote"] = to_builtins(quote)


def order_of_quote(turn: Turn, quote: Quote) -> Order:
    """The order this quote would become, without the lots that pay for it. Changes nothing."""
    order = order_of(quote.purchase, placed_at=turn.now, version=turn.program.version)
    order.paid = [Paid(paid.asset, [], paid.units, paid.worth) for paid in quote.paid]
    return order


# -- Told by a channel ------------------------------------------------------------------------------------


def _settle_told(turn: Turn, purchase: Purchase) -> Refused | None:
    """An order priced elsewhere that says what else paid for it: prices stay, points and stored value leave,
    coupons are redeemed. Coupons nobody knows here are told as skipped; a balance too small refuses."""
    planned = _told_payments(turn, purchase)
    if isinstance(planned, Refused):
        return planned
    order = order_of(purchase, placed_at=turn.now, version=turn.program.version)
    for paid in planned:
        cause = Cause("spend", None, order.id, None)
        lots = debit(turn, paid.asset, sum(paid.units), target=SPENT, cause=cause)
        order.paid.append(Paid(paid.asset, lots, paid.units, paid.worth))
    order.coupons = _told_coupons(turn, purchase)
    turn.order = order
    return None


def _told_payments(turn: Turn, purchase: Purchase) -> list[Payment] | Refused:
    uses = purchase.uses
    assert uses is not None, "settling.pay sends only orders that use something"
    left = [*(line.amount for line in purchase.lines), purchase.tax, purchase.shipping]
    planned: list[Payment] = []
    for asset, units in sorted((uses.points or {}).items()):
        if asset not in turn.program.assets or turn.program.is_stored_value(asset):
            return Refused("asset_unknown", {"asset": asset})
        available = spendable(turn.member, asset)
        if units <= 0 or units > available:
            return Refused("insufficient", {"asset": asset, "asked": units, "available": available})
        worth = allocate(min(worth_of(turn, asset, units), sum(left)), left)
        planned.append(Payment(asset, allocate(units, worth if any(worth) else left), worth))
        left = [amount - paid for amount, paid in zip(left, worth, strict=True)]
    if uses.stored_value:
        rules = turn.program.stored_value
        if rules is None:
            return Refused("stored_value_not_applicable", {"reason": "no_stored_value"})
        asked, most, available = uses.stored_value, sum(left), sum(rules.balance(turn.member))
        if not 0 < asked <= available:
            facts = {"asset": rules.principal, "asked": asked * rules.units, "available": available * rules.units}
            return Refused("insufficient", facts)
        if asked > most:
            reason = "stored_value_above_cart"
            return Refused("stored_value_not_applicable", {"reason": reason, "asked": asked, "most": most})
        planned += stored_value_payments(turn, asked, left)
    return planned


def _told_coupons(turn: Turn, purchase: Purchase) -> list[Used]:
    assert purchase.uses is not None, "as above"
    redeemed = []
    for asked in purchase.uses.coupons or ():
        coupon = find(turn, asked)
        if isinstance(coupon, Refused):
            facts = {name: fact for name, fact in coupon.facts.items() if name not in ("coupon", "code")}
            turn.skip(asked, coupon.code, facts)
            continue
        unfit = unfit_by_itself(turn, coupon)
        if unfit is not None:
            turn.skip(asked, *unfit)
            continue
        if coupon.id not in turn.member.coupons:
            count_issued(turn, turn.program.coupons[coupon.template], 1)
            take_in(turn, coupon, order_id=purchase.order_id)
        count_redeemed(turn, coupon.template, 1)
        redeemed.append(redeem_one(turn, coupon, value=coupon.value, order_id=purchase.order_id))
    return redeemed
