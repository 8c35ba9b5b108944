"""What the caller is told of a member's purses: which lots moved, how much there is now, and what ends when."""

from __future__ import annotations

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
        ends = endings(turn.program.assets.get(asset), purse, turn.member)
        if ends:
            told[asset]["ends_next"] = {"at": ends[0].at, "amount": ends[0].amount}
    turn.answer["purses"] = told
