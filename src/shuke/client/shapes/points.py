"""Shapes of points (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict

from shuke.client.shapes.shared import BalanceShown, HoldShown, LotMoved, PurseShown, Skipped


class AdjustmentTold(TypedDict):
    """A correction by hand, up or down."""

    # Why, for people; shown in the member's statement.
    reason: str
    # What you call it.
    reference: NotRequired[str | None]
    # When it happened; now if left out.
    occurred_at: NotRequired[str | datetime | None]
    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # An id that the program document gives.
    asset: str
    # The asset's smallest units; below zero to take away.
    amount: int
    # Who approved of it.
    approver: NotRequired[str | None]


class AssetShown(TypedDict):
    """Something members can have."""

    asset: str
    # In the caller's language.
    title: str
    # What one of it is called, in the caller's language.
    unit: str | None
    # spendable, qualifying (only counts), principal or bonus (of stored value)
    kind: str
    # Decimals: an amount of 12345 at scale 2 reads 123.45.
    scale: int
    # null: it does not pay in carts.
    worth: WorthShown | None
    # Whether members may give it to each other.
    transferable: bool
    # Its rules in sentences, in the caller's language.
    rules: list[str]


class AssetsShown(TypedDict):
    """The assets of the program in force."""

    currency: str
    # Decimals of money.
    scale: int
    items: list[AssetShown]


class BalancesShown(TypedDict):
    """All a member has, as of now, whether or not the clock came by."""

    member_id: str
    at: str
    balances: list[BalanceShown]
    holds: list[HoldShown]


class CaptureTold(TypedDict):
    """What of a hold is spent. What is left goes back."""

    # Why, for people.
    reason: NotRequired[str | None]
    # What you call it.
    reference: NotRequired[str | None]
    # When it happened; now if left out.
    occurred_at: NotRequired[str | datetime | None]
    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # A part, the asset's smallest units.
    amount: NotRequired[int | None]
    # A part where stored value was asked for, minor units of money.
    stored_value: NotRequired[int | None]
    # What to undo it by; made for you if left out.
    spend: NotRequired[str | None]


class Held(TypedDict):
    """Value that was set aside."""

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
    # In the order in which they were used.
    lots: list[LotMoved]
    # Per asset that moved.
    purses: dict[str, PurseShown]
    # What to capture or release it by.
    hold: str
    # When it goes back by itself.
    lapses_at: str | datetime


class HoldTold(TypedDict):
    """Value to be set aside for a time."""

    # Why, for people.
    reason: NotRequired[str | None]
    # What you call it.
    reference: NotRequired[str | None]
    # When it happened; now if left out.
    occurred_at: NotRequired[str | datetime | None]
    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    asset: NotRequired[str | None]
    # Of the asset, its smallest units.
    amount: NotRequired[int | None]
    # Instead of an asset: minor units of money, from principal and bonus as the program orders them.
    stored_value: NotRequired[int | None]
    # So many times that.
    quantity: NotRequired[int]
    # What to capture it by; made for you if left out.
    hold: NotRequired[str | None]
    # How long; at most what the program allows, which is the default.
    minutes: NotRequired[int | None]


class Moved(TypedDict):
    """Value that moved: from which lots or into which, and how the purses it touched stood then."""

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
    # In the order in which they were used.
    lots: list[LotMoved]
    # Per asset that moved.
    purses: dict[str, PurseShown]


class PartTold(TypedDict):
    """All of it, or a part."""

    # Why, for people.
    reason: NotRequired[str | None]
    # What you call it.
    reference: NotRequired[str | None]
    # When it happened; now if left out.
    occurred_at: NotRequired[str | datetime | None]
    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # A part, the asset's smallest units.
    amount: NotRequired[int | None]
    # A part where stored value was asked for, minor units of money.
    stored_value: NotRequired[int | None]


class ReleaseTold(TypedDict):
    """Whose hold it is."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    occurred_at: NotRequired[str | datetime | None]


class SpendTold(TypedDict):
    """Value to be spent for something that is not an order."""

    # Why, for people.
    reason: NotRequired[str | None]
    # What you call it.
    reference: NotRequired[str | None]
    # When it happened; now if left out.
    occurred_at: NotRequired[str | datetime | None]
    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    asset: NotRequired[str | None]
    # Of the asset, its smallest units.
    amount: NotRequired[int | None]
    # Instead of an asset: minor units of money, from principal and bonus as the program orders them.
    stored_value: NotRequired[int | None]
    # So many times that.
    quantity: NotRequired[int]
    # What to undo it by; made for you if left out.
    spend: NotRequired[str | None]


class Spent(TypedDict):
    """A spend, and how much of it has come back."""

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
    # In the order in which they were used.
    lots: list[LotMoved]
    # Per asset that moved.
    purses: dict[str, PurseShown]
    # What to undo it by.
    spend: str
    # As it was asked for: the asset's smallest units, or minor units of stored value.
    amount: int
    # So much of that has come back by now.
    back: int


class TransferTold(TypedDict):
    """A gift to another member."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # The member's id: yours, or one we made (`mbr_…`).
    to_member_id: str
    # An id that the program document gives.
    asset: str
    # The asset's smallest units.
    amount: int
    occurred_at: NotRequired[str | datetime | None]


class WorthShown(TypedDict):
    """What the asset pays in a cart: ``units`` pay ``amount``."""

    # The asset's smallest units.
    units: int
    # Currency units, exact.
    amount: str


class ShukeWebApiPointsGrantTold(TypedDict):
    """Value the shop gives for a reason that no rule knows."""

    # Why, for people; shown in the member's statement.
    reason: str
    # What you call it.
    reference: NotRequired[str | None]
    # When it happened; now if left out.
    occurred_at: NotRequired[str | datetime | None]
    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # An id that the program document gives.
    asset: str
    # The asset's smallest units.
    amount: int
    # Who approved of it.
    approver: NotRequired[str | None]
    # When it can be spent; as the asset says if left out.
    ripens_at: NotRequired[str | datetime | None]
    # When it ends; as the asset says if left out.
    expires_at: NotRequired[str | datetime | None]
