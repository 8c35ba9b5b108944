"""The offers of stored value as they stand at an instant, for a member or for anybody."""

from __future__ import annotations

from msgspec import Struct

from shuke.engine.balances import present
from shuke.engine.compiled import Editions
from shuke.engine.member import ACTIVE, Member
from shuke.engine.stored_value import is_open, is_timely
from shuke.program.stored_value import Offer
from shuke.values.instants import Instant


class Offered(Struct, frozen=True):
    """An offer with its amounts in minor units. ``open``: a top-up at this instant would meet it."""

    offer: Offer
    pay: int
    bonus: int
    open: bool


def offers(program: Editions, member: Member | None, at: Instant) -> list[Offered]:
    """The offers of the program in force, the smallest first; none where it has no stored value.

    Without a member an offer that is meant for some is open to those it is meant for.
    """
    turn = present(program, member or Member("", at, ACTIVE, at), at)
    rules = turn.program.stored_value
    if rules is None:
        return []
    found = []
    for pay, bonus, offer in reversed(rules.offers):
        is_there = is_timely(turn, offer) if member is None else is_open(turn, offer)
        found.append(Offered(offer, pay, bonus, is_there))
    return found
