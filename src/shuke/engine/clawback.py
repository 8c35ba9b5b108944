"""What an order gave is taken back: from its own lots first, then from other value, then by the asset's policy.

Where an award's own lot is used up, what is missing comes from other lots in spend order, and what even those
lack is owed, forgiven or withheld (``clawback``). Which lots that meets depends on what the member has at that
moment; so every refund first undoes what earlier ones took beyond the awards' own lots, and takes the whole
again. That is why parts in any order end where one full refund ends, to the last lot, and why a cancelled order
that is reopened is as it was. What has ended meanwhile, or was repaid, stays taken.
"""

from __future__ import annotations

from shuke.engine.assets import Cause, debit, post, purse_of, restore, take_from_lot
from shuke.engine.effects import DEBT, FORGIVEN, REVERSED
from shuke.engine.member import Lot
from shuke.engine.orders import Award, Order
from shuke.engine.turn import Turn
from shuke.values.amounts import Rounding, divide


def undo_beyond(turn: Turn, order: Order) -> list[int]:
    """Give back what was taken beyond the awards' own lots; per award, the units to be taken anew."""
    # Debts first, all of them: what comes back would otherwise pay them.
    short = [_undo_short(turn, order, award) if award.short else 0 for award in order.awards]
    beyond = [_undo_lots(turn, order, award) if award.beyond else 0 for award in order.awards]
    return [a + b for a, b in zip(short, beyond, strict=True)]


def _undo_short(turn: Turn, order: Order, award: Award) -> int:
    cause = Cause("regive", award.rule, order.id)
    policy, units = _policy(turn, order, award), award.short
    award.short = 0
    if policy == "debt":
        purse = purse_of(turn.member, award.asset)
        units = min(units, purse.debt)  # the rest was repaid since
        purse.debt -= units
        if units:
            post(turn, award.asset, debit=REVERSED, credit=DEBT, amount=units, lot=0, cause=cause)
    elif policy == "forgive":
        post(turn, award.asset, debit=REVERSED, credit=FORGIVEN, amount=units, lot=0, cause=cause)
    return units


def _undo_lots(turn: Turn, order: Order, award: Award) -> int:
    until = max(turn.now, turn.member.now)
    living = [part for part in award.beyond if part.expires_at > until]
    award.beyond = [part for part in award.beyond if part.expires_at <= until]
    cause = Cause("regive", award.rule, order.id)
    restore(turn, award.asset, living, source=REVERSED, cause=cause)
    return sum(part.amount for part in living)


def take_back(turn: Turn, order: Order, units: list[int]) -> int:
    """Take back (negative: give again) so many units of each award; returns the money that is withheld for
    what could not be found, in all, in minor units."""
    missing = [_from_own_lot(turn, order, award, amount) for award, amount in zip(order.awards, units, strict=True)]
    withheld: dict[str, int] = {}
    for award, amount in zip(order.awards, missing, strict=True):
        if amount:
            _from_others(turn, order, award, amount)
        if award.short and _policy(turn, order, award) == "refund":
            withheld[award.asset] = withheld.get(award.asset, 0) + award.short
    # Rounded once: which of the awards that share a lot found it empty depends on the order of the parts.
    return sum(_worth(turn, asset, short) for asset, short in withheld.items())


def _worth(turn: Turn, asset: str, units: int) -> int:
    top, bottom = turn.program.worth(asset)
    return divide(units * top, bottom, Rounding.HALF_UP)


def _from_own_lot(turn: Turn, order: Order, award: Award, units: int) -> int:
    """Take from the award's own lot, or give it back; returns what is missing."""
    lot = award.lot
    if units < 0:
        part = Lot(lot.no, lot.opened_at, lot.ripens_at, lot.expires_at, -units)
        restore(turn, award.asset, [part], source=REVERSED, cause=Cause("regive", award.rule, order.id))
        return 0
    if units == 0:
        return 0
    cause = _cause(order, award)
    return units - take_from_lot(turn, award.asset, units, no=lot.no, target=REVERSED, cause=cause)


def _from_others(turn: Turn, order: Order, award: Award, units: int) -> None:
    cause = _cause(order, award)
    purse = purse_of(turn.member, award.asset)
    taken = min(units, purse.available)
    if taken:
        award.beyond = award.beyond + debit(turn, award.asset, taken, target=REVERSED, cause=cause)
    award.short = units - taken
    if award.short == 0:
        return
    policy = _policy(turn, order, award)
    if policy == "debt":
        purse.debt += award.short
        post(turn, award.asset, debit=DEBT, credit=REVERSED, amount=award.short, lot=0, cause=cause)
    elif policy == "forgive":
        post(turn, award.asset, debit=FORGIVEN, credit=REVERSED, amount=award.short, lot=0, cause=cause)


def _cause(order: Order, award: Award) -> Cause:
    return Cause("reverse", award.rule, order.id, {"given": award.lot.amount, "version": order.version})


def _policy(turn: Turn, order: Order, award: Award) -> str:
    """The clawback of the rules under which the award was given."""
    return turn.editions.at(order.given_at(award)).assets[award.asset].clawback
