"""What a member has: per asset what she can spend, what ripens, what is held or owed, and what ends when."""

from __future__ import annotations

from msgspec import Struct

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.member import Hold, Lot, Member, Purse, pack, unpack
from shuke.engine.purses import Ending, endings
from shuke.engine.step import catch_up
from shuke.engine.turn import Context, Turn
from shuke.values.instants import Instant


class Balance(Struct, frozen=True):
    """One asset of a member, in its smallest units. ``lots`` are in the order in which they are spent, ``ripening``
    in that in which they ripen, ``endings`` the soonest first."""

    asset: str
    available: int
    pending: int
    held: int
    debt: int
    lots: list[Lot]
    ripening: list[Lot]
    endings: list[Ending]


class Balances(Struct, frozen=True):
    """All assets of the program and of the member, and her holds by when they lapse."""

    assets: list[Balance]
    holds: list[Hold]


def present(program: Editions, member: Member, at: Instant) -> Turn:
    """A copy of the member with everything done that was due by ``at``."""
    turn = Turn(program, unpack(pack(member)), Activity(of.TIME_PASSED, member.id, at, "shuke", ""), Context())
    if member.seq > 0:  # a version she has not met may end her value sooner
        turn.member.due_at = min(member.due_at, program.next_change(member.now))
    if turn.member.due_at <= at:
        catch_up(turn, at)
        turn.enter(at)
    return turn


def balances(program: Editions, member: Member, at: Instant) -> Balances:
    """What the member has at ``at``. Reads a copy that catches up first: nothing past its date is told."""
    turn = present(program, member, at)
    purses = turn.member.purses
    assets = [*turn.program.assets, *(asset for asset in purses if asset not in turn.program.assets)]
    found = [_balance(turn, asset, purses.get(asset) or Purse()) for asset in assets]
    return Balances(found, sorted(turn.member.holds.values(), key=lambda hold: (hold.lapses_at, hold.key)))


def _balance(turn: Turn, asset: str, purse: Purse) -> Balance:
    ends = endings(turn.program.assets.get(asset), purse, turn.member)
    return Balance(asset, purse.available, purse.pending, purse.held, purse.debt, purse.lots, purse.ripening, ends)
