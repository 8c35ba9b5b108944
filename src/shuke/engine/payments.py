"""What pays for a cart beside money: points within their limits, then stored value. Shipping is paid last.

Points pay for lines only, up to ``maximum_share_percent`` of those in their scope; stored value pays for all.
Every payment is spread over the positions so that units and minor units both sum exactly.
"""

from __future__ import annotations

from typing import NamedTuple

from shuke.engine.assets import spendable
from shuke.engine.cart import EVERYTHING, Cart, Payment
from shuke.engine.discounts import minor
from shuke.engine.turn import Turn
from shuke.program.chapter import ratio
from shuke.values.amounts import allocate


def remaining(cart: Cart) -> list[int]:
    """Per position, what points and stored value have left to pay."""
    left = cart.amounts()
    for paid in cart.paid:
        for position, worth in enumerate(paid.worth):
            left[position] -= worth
    return left


# -- Points -----------------------------------------------------------------------------------------------


class Payable(NamedTuple):
    """How much of an asset a cart takes: at most ``units``, of which ``eligible`` says where (minor units per
    position). ``reason`` and ``facts`` say why it is none."""

    units: int
    eligible: list[int]
    reason: str | None = None
    facts: dict[str, int] | None = None


def pay_points(cart: Cart) -> None:
    """Apply the points asked for, asset by asset in the order of the program."""
    uses = cart.purchase.uses
    asked_all = (uses.points or {}) if uses is not None else {}
    for asset in cart.turn.program.assets:
        if asset in asked_all and asked_all[asset] != 0:
            _pay_points(cart, asset, asked_all[asset])
    for asset in asked_all:
        if asset not in cart.turn.program.assets:
            cart.decline(asset, "asset_unknown")


def _pay_points(cart: Cart, asset: str, asked: int) -> None:
    turn = cart.turn
    available = spendable(turn.member, asset)
    limit = payable_with(cart, asset)
    if limit.reason is not None:
        cart.decline(asset, limit.reason, **(limit.facts or {}))
        return
    if asked == EVERYTHING:
        units = _in_steps(turn, asset, min(limit.units, available))
        if worth_of(turn, asset, units) == 0:
            cart.skip(asset, "nothing_to_pay_with", available=available)
            return
    else:
        refusal = _refusal(turn, asset, asked, available, limit.units)
        if refusal is not None:
            cart.decline(asset, refusal[0], **refusal[1])
            return
        units = asked
    worth = worth_of(turn, asset, units)
    shares = allocate(worth, limit.eligible)
    lots = planned_lots(turn, asset, units)
    cart.paid.append(Payment(asset, allocate(units, shares), shares, lots))


def _refusal(turn: Turn, asset: str, asked: int, available: int, most: int) -> tuple[str, dict[str, int]] | None:
    redemption = turn.program.assets[asset].asset.redemption
    assert redemption is not None, "payable_with has seen to it"
    if asked < 0:
        return "amount_invalid", {"asked": asked}
    if asked > available:
        return "insufficient", {"asked": asked, "available": available}
    if asked > most:
        return "points_above_limit", {"asked": asked, "most": most}
    if _in_steps(turn, asset, asked) != asked:
        scale = turn.program.assets[asset].scale
        facts = {"asked": asked, "step": redemption.step * scale, "minimum": redemption.minimum * scale}
        return "points_not_in_steps", facts
    if worth_of(turn, asset, asked) == 0:
        return "points_worth_nothing", {"asked": asked}
    return None


def payable_with(cart: Cart, asset: str) -> Payable:
    """How many units of an asset this cart takes, whatever the member has."""
    turn = cart.turn
    rules = turn.program.assets[asset]
    redemption = rules.asset.redemption
    if redemption is None or turn.program.is_stored_value(asset):
        return Payable(0, [], "not_spendable")
    scale = turn.program.currency_scale
    lacking = minor(redemption.minimum_cart, scale) - cart.lines_total()
    if lacking > 0:
        return Payable(0, [], "minimum_spend", {"needs": lacking})
    eligible = remaining(cart)
    eligible[-2:] = [0, 0]
    test = turn.program.prices.redemption_lines.get(asset)
    whole = 0
    for position, line in enumerate(cart.lines):
        if test is None or test(turn, line):
            whole += line.amount
        else:
            eligible[position] = 0
    top, bottom = ratio(redemption.maximum_share_percent)
    most = min(sum(eligible), whole * top // (bottom * 100))
    numerator, denominator = turn.program.worth(asset)
    units = _in_steps(turn, asset, most * denominator // numerator)
    if units == 0:
        return Payable(0, eligible, "nothing_to_pay")
    return Payable(units, eligible)


def _in_steps(turn: Turn, asset: str, units: int) -> int:
    """The largest number of units up to ``units`` that keeps step and minimum; 0 if there is none."""
    rules = turn.program.assets[asset]
    redemption = rules.asset.redemption
    assert redemption is not None, "asked only of assets that pay"
    step = redemption.step * rules.scale
    if redemption.step == 1 and rules.scale > 1:
        step = 1  # a step of one whole unit is no step: parts of units pay too
    units -= units % step
    return units if units >= redemption.minimum * rules.scale else 0


def worth_of(turn: Turn, asset: str, units: int) -> int:
    """What so many units pay, in minor units, rounded down."""
    numerator, denominator = turn.program.worth(asset)
    return units * numerator // denominator


def usable_points(cart: Cart) -> dict[str, dict[str, int]]:
    """Per asset, the most this member could pay of this cart: its units and their worth in minor units."""
    turn = cart.turn
    found: dict[str, dict[str, int]] = {}
    for asset in turn.program.assets:
        available = spendable(turn.member, asset)
        if available and turn.program.worth(asset)[0]:
            limit = payable_with(cart, asset)
            units = _in_steps(turn, asset, min(limit.units, available)) if limit.reason is None else 0
            worth = worth_of(turn, asset, units)
            if worth:
                found[asset] = {"units": units, "worth": worth}
    return found


def planned_lots(turn: Turn, asset: str, units: int) -> list[list[int]]:
    """The lots that would be used now: [lot, units, end]. Changes nothing."""
    purse = turn.member.purses.get(asset)
    found: list[list[int]] = []
    for lot in purse.lots if purse is not None else ():
        taken = min(units, lot.amount)
        units -= taken
        if taken:
            found.append([lot.no, taken, lot.expires_at])
        if units == 0:
            break
    return found


# -- Stored value -----------------------------------------------------------------------------------------


def pay_stored_value(cart: Cart) -> None:
    """Apply the stored value asked for: principal and bonus as the program orders them."""
    uses = cart.purchase.uses
    asked = uses.stored_value if uses is not None else 0
    if asked == 0:
        return
    rules = cart.turn.program.stored_value
    if rules is None:
        cart.decline("stored_value", "no_stored_value")
        return
    left = remaining(cart)
    available = rules.balance(cart.turn.member)
    if asked == EVERYTHING:
        amount = min(sum(left), sum(available))
    elif asked < 0:
        cart.decline("stored_value", "amount_invalid", asked=asked)
        return
    elif asked > sum(available):
        balance = sum(available) * rules.units
        cart.decline(rules.principal, "insufficient", asked=asked * rules.units, available=balance)
        return
    elif asked > sum(left):
        cart.decline("stored_value", "stored_value_above_cart", asked=asked, most=sum(left))
        return
    else:
        amount = asked
    if amount:
        cart.paid.extend(stored_value_payments(cart.turn, amount, left))


def stored_value_payments(turn: Turn, amount: int, left: list[int]) -> list[Payment]:
    """``amount`` minor units spread over what is left to pay, shipping last, from principal and bonus."""
    rules = turn.program.stored_value
    assert rules is not None, "asked only where there is stored value"
    before_shipping = [*left[:-1], 0]
    on_goods = min(amount, sum(before_shipping))
    shares = allocate(on_goods, before_shipping)
    shares[-1] = amount - on_goods
    payments = []
    for asset, part in rules.split(turn.member, amount):
        if part == 0:
            continue
        worth = allocate(part, shares)
        shares = [share - paid for share, paid in zip(shares, worth, strict=True)]
        units = [minor_units * rules.units for minor_units in worth]
        payments.append(Payment(asset, units, worth, planned_lots(turn, asset, part * rules.units)))
    return payments
