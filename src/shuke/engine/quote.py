"""``quote``: what a cart would cost a member, and what it would bring. Pure and free: nothing changes.

The same steps as ``holds`` takes, so what is quoted is what is held and paid; but what cannot apply is told
(``skipped``) instead of refused.
"""

from __future__ import annotations

from msgspec.structs import replace

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Purchase
from shuke.engine.cart import Earning, Quote
from shuke.engine.checkout import price
from shuke.engine.compiled import Editions
from shuke.engine.earning import forecast
from shuke.engine.effects import Refused
from shuke.engine.holds import order_of_quote
from shuke.engine.lifecycle import earns, refuse_spending
from shuke.engine.measures import count
from shuke.engine.member import ACTIVE, ERASED, STRANGER, Member, pack, unpack
from shuke.engine.profile import welcome
from shuke.engine.step import catch_up
from shuke.engine.turn import Context, Turn
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import Instant


def quote(
    program: Editions,
    member: Member | None,
    cart: Purchase,
    *,
    at: Instant,
    context: Context | None = None,
) -> Quote | Refused:
    """Price ``cart`` for ``member`` at ``at``. Lines carry list amounts (``list_amount``, else ``amount``).

    ``member`` None is a guest: nobody has a tier, coupons or value, and nobody earns. A stranger is priced as if the
    cart were her first order. ``context`` may hand in codes and the state of shared quotas (see ``needs``); nothing
    in it is changed, and neither is the member: where time has passed her by, a copy catches up first.
    Refused only: ``cart_empty``, ``amount_invalid``, ``price_unknown``, ``member_erased``; for a cart that uses what
    she has ``member_frozen``, ``member_left``.
    """
    if member is not None and member.status == ERASED:
        return Refused("member_erased", {})
    shopper = member or Member("", at, ACTIVE, at)
    told = Activity(of.ORDER_PAID, shopper.id, at, "quote", cart.order_id, purchase=cart)
    given = context or Context()
    seen = Context(given.orders, dict(given.taken), given.codes, catalog=given.catalog)
    turn = Turn(program, shopper, told, seen)
    if member is not None:
        bring_up(turn, at)
    assert turn.purchase is not None, "the cart is told"
    barred = refuse_spending(turn, turn.purchase)
    if barred is not None:
        return barred
    found = price(turn, turn.purchase, strict=False)
    if isinstance(found, Quote) and member is not None:
        turn.order = order_of_quote(turn, found)
        found.tiers = dict(turn.member.tiers)
        if earns(turn):
            _forecast(turn, found)
    return found


def bring_up(turn: Turn, at: Instant) -> None:
    """Let a copy of the member catch up, where something is due by then."""
    member, program = turn.member, turn.editions
    due_at = member.due_at
    if program.changes and member.seq > 0:
        due_at = min(due_at, program.next_change(member.now))  # also of a version she has not met
    if member.status == STRANGER or due_at <= at:
        turn.member = unpack(pack(member))
        turn.member.due_at = due_at
        if member.status == STRANGER:
            welcome(turn)
        catch_up(turn, at)
        turn.enter(at)


def _forecast(turn: Turn, found: Quote) -> None:
    """Tell what paying would bring: as the pipeline does, counted first, because rules may ask for a first order or
    for what was spent this month. The member is copied as far as that changes her."""
    member = turn.member
    series = dict(member.series)
    for counter in turn.program.counters.get(of.ORDER_PAID, ()):
        kept = series.get(counter.id)
        if kept is not None:
            series[counter.id] = replace(kept, days=list(kept.days), totals=list(kept.totals))
    turn.member = replace(member, series=series, carries=dict(member.carries))
    count(turn)
    for given in forecast(turn):
        if given.amount > 0:
            found.earning.append(Earning(given.rule, given.asset, given.amount))
            found.earns[given.asset] = found.earns.get(given.asset, 0) + given.amount
        elif given.too_much:
            found.skipped.append(
                {"what": given.rule, "code": "balance_too_large", "asset": given.asset, "most": MAX_AMOUNT}
            )
        elif given.bound is not None:
            found.skipped.append(
                {"what": given.rule, "code": "limit_reached", "limit": given.bound, "wanted": given.wanted}
            )
