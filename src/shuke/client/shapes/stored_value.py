"""Shapes of stored value (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

from shuke.client.shapes.shared import LotMoved, PurseShown, Skipped


class CardShown(TypedDict):
    """Limits of a kind of card, minor units; null: none."""

    card: str
    maximum_balance: int | None
    maximum_top_up: int | None
    minimum_top_up: int | None


class OfferShown(TypedDict):
    """Pay in so much, get so much on top."""

    offer: str
    # In the caller's language.
    title: str | None
    # Minor units.
    pay: int
    # Minor units.
    bonus: int
    # Whether a top-up now would meet it.
    open: bool
    # For whom it is, as the program says it.
    condition: str | None
    # The first day of it.
    from_day: str | None
    # The last day of it.
    until_day: str | None


class OffersShown(TypedDict):
    """How stored value works here."""

    currency: str
    # The asset that holds what was paid in.
    principal: str
    # The asset that holds what was given on top.
    bonus: str | None
    # principal_first, bonus_first or in_proportion
    spend: str
    # How a top-up finds its offer: best, exact or multiple.
    match: str
    # always, or within the cooling_off days only
    refundable: str
    # So many days no fee is kept.
    cooling_off_days: int
    # Kept of what is paid back after them.
    refund_fee_percent: str
    # What becomes of the bonus: proportional, all_unspent, full_from_principal.
    refund_bonus: str
    limits: list[CardShown]
    items: list[OfferShown]


class TopUpRefundTold(TypedDict):
    """Whose top-up is paid back."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    occurred_at: NotRequired[str | datetime | None]


class TopUpRefunded(TypedDict):
    """What paying a top-up back came to, minor units."""

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
    top_up: str
    # To pay out to the member.
    money: int
    # Kept back for bonus that was used.
    withheld: int
    # Kept as the fee.
    fee: int
    # Bonus that was taken back.
    bonus: int


class TopUpTold(TypedDict):
    """Money a member paid in."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # What was paid, minor units.
    amount: int
    # What to pay it back by; made for you if left out.
    top_up: NotRequired[str | None]
    # Whose limits apply.
    card: NotRequired[Literal["named", "bearer"]]
    # When it was paid; now if left out.
    occurred_at: NotRequired[str | datetime | None]


class ToppedUp(TypedDict):
    """A top-up, and what it brought."""

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
    # What to pay it back by.
    top_up: str
    # What was paid, minor units.
    principal: int
    # What was given on top, minor units.
    bonus: int
    # The offer that gave it.
    offer: str | None
