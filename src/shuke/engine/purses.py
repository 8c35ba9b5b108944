"""What the caller is told of a member's purses: which lots moved, how much there is now, and what ends when."""

from __future__ import annotations

from itertools import takewhile
from typing import Any

from msgspec import Struct

from shuke.engine.assets import AssetRules
from shuke.engine.member import Lot, Member, Purse
from shuke.engine.turn import Turn
from shuke.values.instants import NEVER, Instant


class Ending(Struct, frozen=True):
    """So much (asset units) of what can be spent now ends at this instant, unless it is used before."""

    at: Instant
    amount: int


def tell_lots(turn: Turn, asset: str, parts: list[Lot]) -> None:
    """Tell the caller which lots an amount came from, or went to, with their dates."""
    told = turn.answer.setdefault("lots", [])
    for lot in parts:
        told.append(
            {
                "asset": asset,
                "lot": lot.no,
                "amount": lot.amount,
                "opened_at": lot.opened_at,
                "ripens_at": lot.ripens_at,
                "expires_at": lot.expires_at,
            }
        )


def endings(rules: AssetRules | None, purse: Purse, member: Member) -> list[Ending]:
    """When what can be spent ends, lots of one date together; what never ends is left out."""
    inactive_at = NEVER if rules is None else rules.inactive_at(purse, member)
    found: dict[Instant, int] = {}
    for lot in purse.lots:
        at = min(lot.expires_at, inactive_at)
        if at < NEVER:
            found[at] = found.get(at, 0) + lot.amount
    return [Ending(at, found[at]) for at in sorted(found)]


def next_ending(rules: AssetRules | None, purse: Purse, member: Member) -> Ending | None:
    """The first of ``endings``; of ten thousand lots sorted by their ends only the first are looked at."""
    if not purse.lots:
        return None
    if rules is None or not rules.merges_days:
        return next(iter(endings(rules, purse, member)), None)
    soonest, inactive_at = purse.lots[0].expires_at, rules.inactive_at(purse, member)
    if inactive_at <= soonest:
        return None if inactive_at >= NEVER else Ending(inactive_at, purse.available)
    amount = sum(lot.amount for lot in takewhile(lambda lot: lot.expires_at == soonest, purse.lots))
    return Ending(soonest, amount)


def tell(turn: Turn) -> None:
    """Where an act told which lots it moved, tell how those purses are now, and what ends next."""
    moved = turn.answer["lots"]
    told: dict[str, dict[str, Any]] = {}
    for asset in dict.fromkeys(lot["asset"] for lot in moved):
        purse = turn.member.purses[asset]
        told[asset] = {
            "available": purse.available,
            "pending": purse.pending,
            "held": purse.held,
            "debt": purse.debt,
        }
        ends = next_ending(turn.program.assets.get(asset), purse, turn.member)
        if ends is not None:
            told[asset]["ends_next"] = {"at": ends.at, "amount": ends.amount}
    turn.answer["purses"] = told
