"""Counting what a replay brought about, so that partitions can be added up."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from shuke.engine.member import Member, Purse
from shuke.program.document import Program
from shuke.values.amounts import format_amount

_ISSUED = frozenset(("earn", "open", "top_up", "gift"))
_SPENT = frozenset(("spend", "restore", "commit"))
_REVERSED = frozenset(("reverse", "regive"))
_EXPIRED = frozenset(("expire", "forfeit", "void", "waive"))


class AssetTally(Struct):
    """Flows of one asset in its smallest units. ``outstanding`` is what members hold, debts subtracted.

    issued + received - spent - expired - reversed + adjusted - sent = outstanding
    """

    issued: int = 0
    spent: int = 0
    expired: int = 0
    reversed: int = 0
    adjusted: int = 0
    transferred: int = 0
    outstanding: int = 0
    pending: int = 0
    debt: int = 0


class Tally(Struct):
    """What one partition, or all of them, came to."""

    members: int = 0
    activities: int = 0
    orders: int = 0
    refused: dict[str, int] = {}
    assets: dict[str, AssetTally] = {}
    tiers: dict[str, dict[str, int]] = {}
    taken: dict[str, int] = {}  # of quotas that all members share

    def add(self, other: Tally) -> None:
        self.members += other.members
        self.activities += other.activities
        self.orders += other.orders
        _add_counts(self.refused, other.refused)
        for asset, tally in other.assets.items():
            mine = self.assets.setdefault(asset, AssetTally())
            for name in AssetTally.__struct_fields__:
                setattr(mine, name, getattr(mine, name) + getattr(tally, name))
        for ladder, counts in other.tiers.items():
            _add_counts(self.tiers.setdefault(ladder, {}), counts)

    def count_member(self, member: Member) -> None:
        self.members += 1
        for asset, purse in member.purses.items():
            tally = self.assets.setdefault(asset, AssetTally())
            tally.outstanding += standing_of(purse)
            tally.pending += purse.pending
            tally.debt += purse.debt
        for ladder, tier in member.tiers.items():
            counts = self.tiers.setdefault(ladder, {})
            counts[tier] = counts.get(tier, 0) + 1

    def count_flow(self, asset: str, kind: str, change: int) -> None:
        """``change`` is what entries of this kind do to the balances of members."""
        if change == 0:
            return
        tally = self.assets.setdefault(asset, AssetTally())
        if kind in _ISSUED:
            tally.issued += change
        elif kind in _SPENT:
            tally.spent -= change
        elif kind in _EXPIRED:
            tally.expired -= change
        elif kind in _REVERSED:
            tally.reversed -= change
        elif kind == "adjust":
            tally.adjusted += change
        else:
            tally.transferred += change


def _add_counts(mine: dict[str, int], others: dict[str, int]) -> None:
    for name, count in others.items():
        mine[name] = mine.get(name, 0) + count


def standing_of(purse: Purse) -> int:
    """All a member has of an asset, debts subtracted."""
    return purse.available + purse.pending + purse.held - purse.debt


def summary(tally: Tally, program: Program, *, seconds: float, refused_rows: dict[str, int]) -> dict[str, Any]:
    """The tally in words and whole units, as ``summary.json`` says it. Amounts are exact decimals as text
    where the asset has decimals, else integers."""
    assets: dict[str, Any] = {}
    for asset in program.assets:
        found = tally.assets.get(asset.id, AssetTally())
        assets[asset.id] = {
            name: getattr(found, name) if asset.scale == 0 else format_amount(getattr(found, name), scale=asset.scale)
            for name in AssetTally.__struct_fields__
        }
    tiers = {
        ladder.id: {tier.id: tally.tiers.get(ladder.id, {}).get(tier.id, 0) for tier in ladder.tiers}
        for ladder in program.ladders
    }
    return {
        "program": program.id,
        "members": tally.members,
        "orders": tally.orders,
        "activities": tally.activities,
        "refused": dict(sorted(tally.refused.items())),
        "rejected_rows": refused_rows,
        "assets": assets,
        "tiers": tiers,
        "seconds": round(seconds, 3),
    }
