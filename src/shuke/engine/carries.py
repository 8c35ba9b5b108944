"""Fractions of a unit that wait for the next time, exactly: 40 at 1 per 50, twice, is 1 and 3/5 kept.

An asset's fractions are counted in whole parts of a unit. How many parts a unit has is a common multiple of
what its rules divide by, so that no rule ever leaves half a part.
"""

from __future__ import annotations

from shuke.engine.member import Member
from shuke.engine.orders import Order

Carries = dict[str, list[int]]


def carries_of(member: Member, order: Order | None) -> Carries:
    """The fractions that an order adds to: of who was merged into the member, where it was hers, so that less than a
    unit of the one never makes a unit of the other's."""
    if order is None or not order.adopted:
        return member.carries
    first = order.adopted[0].member_id
    return next(entry.carries for entry in member.absorbed if entry.member_id == first)


def carry(carries: Carries, asset: str, amount: int, parts: int) -> tuple[int, list[int]]:
    """Add ``amount`` of ``1 / parts`` units (may be negative) to the fraction that is still kept of the asset.

    Returns the whole units this comes to (negative: to be taken back) and the fraction kept then, as
    [parts kept, parts in a unit]. A fraction kept in other parts, under an earlier version of the program,
    is brought to these, less than one part rounded off. Changes nothing.
    """
    kept, of = carries.get(asset, (0, parts))
    if of != parts:
        kept = kept * parts // of
    units, rest = divmod(kept + amount, parts)
    return units, [rest, parts]
