"""Shapes of identities (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict

from shuke.client.shapes.shared import IdentityShown, Skipped


class IdentityAddedTold(TypedDict):
    """One more identity of a member, or one that she has now shown to be hers."""

    kind: str
    value: str
    # Whether she has shown that it is hers: you sent a code there and she told it.
    verified: NotRequired[bool]


class IdentitySettled(TypedDict):
    """What a member is called was changed."""

    # The activity's id.
    activity: str
    member_id: str
    occurred_at: str | datetime
    # Per asset, in its smallest units.
    earned: dict[str, int]
    # Rules that gave nothing although they might have.
    skipped: list[Skipped]
    # Available afterwards, per asset, in its smallest units.
    balances: dict[str, int]
    # The tier in force afterwards, per ladder.
    tiers: dict[str, str]


class IdentityTold(TypedDict):
    """One identity."""

    kind: str
    value: str


class KnownAs(TypedDict):
    """All that a member is called elsewhere, in the order in which it was learnt."""

    items: list[IdentityShown]
