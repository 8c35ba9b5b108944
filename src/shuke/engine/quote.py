"""``quote``: what a cart would cost a member, and what it would bring. Pure and free: nothing changes.

The same steps as ``holds`` takes, so what is quoted is what is held and paid; but what cannot apply is told
(``skipped``) instead of refused.
"""

from __future__ import annotations

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Purchase
from shuke.engine.cart import Quote
from shuke.engine.checkout import price
from shuke.engine.compiled import Editions
from shuke.engine.earning import given_if_paid_now
from shuke.engine.effects import Refused
from shuke.engine.holds import order_of_quote
from shuke.engine.member import Member, pack, unpack
from shuke.engine.profile import welcome
from shuke.engine.step import catch_up
from shuke.engine.turn import Context, Turn
from shuke.values.instants import Instant


def quote(
    program: Editions,
    member: Member,
    cart: Purchase,
    *,
    at: Instant,
    context: Context | None = None,
) -> Quote | Refused:
    """Price ``cart`` for ``member`` at ``at``. Lines carry list amounts (``list_amount``, else ``amount``).

    ``context`` may hand in codes and the state of shared quotas (see ``needs``); nothing in it is changed,
    and neither is the member: where time has passed her by, a copy catches up first.
    Refused only: ``cart_empty``, ``amount_invalid``.
    """
    told = Activity(of.ORDER_PAID, member.id, at, "quote", cart.order_id, purchase=cart)
    given = context or Context()
    seen = Context(given.orders, dict(given.taken), given.codes)
    turn = Turn(program, member, told, seen)
    if member.seq == 0 or member.due_at <= at:
        turn.member = unpack(pack(member))
        if member.seq == 0:
            welcome(turn)
        catch_up(turn, at)
        turn.enter(at)
    found = price(turn, cart, strict=False)
    if isinstance(found, Quote):
        turn.order = order_of_quote(turn, found)
        found.earns = given_if_paid_now(turn)
    return found
