"""Chapter 2: assets. Points, stars, growth value, stored value: what a member can own.

An asset is counted in whole units of 10^-scale. Its dates (when it ripens, when it expires) are
decided when value arrives and belong to the lot from then on.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Literal

from pydantic import Field, field_validator, model_validator

from shuke.program.chapter import Chapter, Number, Slug, Text, read_period
from shuke.program.conditions import Condition
from shuke.program.problems import Broken
from shuke.program.sentences import Listed
from shuke.values.amounts import Rounding
from shuke.values.instants import Day
from shuke.values.periods import Period, add, end_of, first_of_nth_month, fixed_date

_KINDS = ("after", "on", "first_of_month", "inactivity", "to_end_of")


class AssetKind(StrEnum):
    SPENDABLE = "spendable"
    QUALIFYING = "qualifying"  # counts for tiers, cannot be spent
    PRINCIPAL = "principal"  # stored value that was paid for
    BONUS = "bonus"  # stored value that was given


class FixedDate(Chapter):
    """The same date every year: points of 2018 with ``{month: 3, day: 31, years_later: 1}`` end on 2019-03-31."""

    month: int = Field(ge=1, le=12)
    day: int = Field(ge=1, le=31)
    years_later: int = Field(default=1, ge=0, le=20)


class Validity(Chapter):
    """How long a lot lives. Exactly one of the kinds; a lot is usable through its last local day.

    ``after``            the day that lies this period after the start ("12 months": 20 April → 20 April);
    ``to_end_of``        together with ``after``: then on to the end of that month, quarter or year;
    ``on``               a fixed date of a later year;
    ``first_of_month``   ends when the first day of the n-th month begins (1 = the month of the start);
    ``inactivity``       the whole balance ends this long after the member's last activity on the asset.
    """

    after: str | None = None
    to_end_of: Literal["month", "quarter", "year"] | None = None
    on: FixedDate | None = None
    first_of_month: int | None = Field(default=None, ge=2, le=240)
    inactivity: str | None = None
    from_: Literal["earned", "ripened"] = Field(default="earned", alias="from")

    @field_validator("after", "inactivity")
    @classmethod
    def _period(cls, value: str | None) -> str | None:
        if value is not None:
            read_period(value)
        return value

    @model_validator(mode="after")
    def _one_kind(self) -> Validity:
        kinds = [self.after, self.on, self.first_of_month, self.inactivity]
        if sum(kind is not None for kind in kinds) != 1 and not (self.to_end_of and not any(kinds)):
            raise Broken("exactly_one", names=Listed(_KINDS))
        if self.to_end_of and (self.on or self.first_of_month or self.inactivity):
            raise Broken("to_end_of")
        return self


def last_day(validity: Validity, start: Day) -> Day:
    """The last local day on which a lot that starts on ``start`` can be used."""
    if validity.on is not None:
        on = validity.on
        return fixed_date(start, month=on.month, dayofmonth=on.day, years_later=on.years_later)
    if validity.first_of_month is not None:
        return first_of_nth_month(start, validity.first_of_month) - 1
    day = add(start, Period.parse(validity.after)) if validity.after else start
    return end_of(day, validity.to_end_of) if validity.to_end_of else day


class TierValidity(Chapter):
    """A different validity while a member stands in certain tiers ("gold points never expire")."""

    ladder: Slug
    tiers: list[Slug] = Field(min_length=1)
    validity: Validity | Literal["never"]


class Redemption(Chapter):
    """Paying with the asset in a cart. ``worth`` is what ``per`` whole units pay, in currency units: one by
    default; 60 stars for 2 dollars are ``{worth: 2, per: 60}``, which no decimal for one star can say."""

    worth: Number = Field(gt=0)
    per: int = Field(default=1, ge=1)
    minimum_cart: Number = Field(default=Decimal(0), ge=0)
    maximum_share_percent: Number = Field(default=Decimal(100), gt=0, le=100)
    step: int = Field(default=1, ge=1)
    minimum: int = Field(default=0, ge=0)
    lines: Condition | None = None  # only these lines can be paid with it


class Transfer(Chapter):
    """Giving the asset to another member. The receiver's lots keep their dates, or start anew."""

    minimum: int = Field(default=1, ge=1)
    maximum_per_day: int | None = Field(default=None, ge=1)
    dates: Literal["keep", "renew"] = "keep"


class Asset(Chapter):
    id: Slug
    title: Text | None = None
    unit: Text | None = None
    kind: AssetKind = AssetKind.SPENDABLE
    scale: int = Field(default=0, ge=0, le=6)
    rounding: Rounding = Rounding.FLOOR
    carry_fractions: bool = False
    validity: Validity | Literal["never"] = "never"
    validity_by_tier: TierValidity | None = None
    pending: str | None = None  # period until a lot ripens, at local midnight: "1 days" = from tomorrow on
    spend_order: Literal["soonest_expiry", "oldest", "newest"] = "soonest_expiry"
    redemption: Redemption | None = None
    clawback: Literal["debt", "refund", "forgive"] = "debt"
    on_refund: Literal["restore", "forfeit"] = "restore"  # what was used to pay for an order that comes back
    restored_after_expiry: Literal["expire", "renew"] = "expire"
    transfer: Transfer | None = None
    expiry_notice_days: list[int] = Field(default_factory=lambda: [30, 7, 1])
    cost: Number | None = None  # what one unit costs the merchant, in currency units; for reports

    @field_validator("pending")
    @classmethod
    def _pending(cls, value: str | None) -> str | None:
        if value is not None:
            read_period(value)
        return value
