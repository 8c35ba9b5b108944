"""Shapes of several features (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class EndingShown(TypedDict):
    """So much of what can be spent ends then, unless it is used before."""

    at: str
    # The asset's smallest units.
    amount: int


class LotMoved(TypedDict):
    """A part of a lot that an act took, gave, held or put back. Lots keep their dates for ever."""

    asset: str
    # The lot's number among the member's lots of this asset.
    lot: int
    # So much of it, the asset's smallest units.
    amount: int
    opened_at: str | datetime
    # When it can be spent; null: at once.
    ripens_at: str | datetime | None
    # null: never
    expires_at: str | datetime | None


class PurseShown(TypedDict):
    """One asset of the member after an act, in its smallest units."""

    # Can be spent now.
    available: int
    # Ripens later.
    pending: int
    # Set aside by holds.
    held: int
    # Owed; the next value that comes pays it.
    debt: int
    # What ends soonest; null: nothing ever ends.
    ends_next: EndingShown | None


class Skipped(TypedDict):
    """Something that did not apply, and why."""

    # The rule, coupon or asset.
    what: str
    code: str
    # A sentence in the caller's language.
    detail: str
    facts: NotRequired[dict[str, Any]]
