"""Chapter 7: coupons. A template says what a coupon takes off, where it works and how long."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, field_validator, model_validator

from shuke.program.chapter import Chapter, Number, Slug, Text, read_period
from shuke.program.conditions import Condition
from shuke.program.discounts import Discount
from shuke.program.prices import Source
from shuke.program.problems import Broken


class CouponValidity(Chapter):
    """From when and how long a coupon can be used, in whole local days, the last one included.

    ``from`` / ``until`` are dates for every coupon of the template; ``starts_after`` and ``lasts`` count from
    the day of issue ("7 days": issued on the 20th, usable through the 27th; counted from its start where
    ``starts_after`` is given). With both kinds the stricter date holds; with neither it never ends.
    """

    from_: str | None = Field(default=None, alias="from", pattern=r"^\d{4}-\d{2}-\d{2}$")
    until: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    starts_after: str | None = None
    lasts: str | None = None

    @field_validator("starts_after", "lasts")
    @classmethod
    def _period(cls, value: str | None) -> str | None:
        if value is not None:
            read_period(value)
        return value

    @property
    def ends(self) -> bool:
        return self.until is not None or self.lasts is not None


class CouponLimits(Chapter):
    """How many may be issued and redeemed. ``total…`` are shared by all members and hard, also under load."""

    per_member: int | None = Field(default=None, ge=1)
    per_member_per_day: int | None = Field(default=None, ge=1)
    total: int | None = Field(default=None, ge=1)
    total_per_day: int | None = Field(default=None, ge=1)
    redeemed_per_member: int | None = Field(default=None, ge=1)
    redeemed_total: int | None = Field(default=None, ge=1)
    per_order: int = Field(default=1, ge=1, le=200)


class CostShare(Chapter):
    """Who bears which part of the discount, in percent (merchant, brand, partner …)."""

    bearer: Slug
    percent: Number = Field(gt=0, le=100)


class CouponTemplate(Chapter):
    """One kind of coupon.

    ``category``: a cart takes one coupon of a category (up to ``limits.per_order`` of this very template);
    ``alone`` coupons go with no other. ``on_refund`` decides what happens when everything bought with it is
    back: it is restored with the same dates, or forfeit; if its date has passed meanwhile it is restored and
    expires at once, or gets ``renewed_for`` from the day it comes back.
    ``codes``: ``shared`` is one ``code`` for everybody, ``unique`` one for each coupon, made ahead or elsewhere.
    ``consideration: paid`` marks coupons that were bought: law may forbid that they ever end.
    """

    id: Slug
    title: Text | None = None
    give: Discount
    lines: Condition | None = None
    when: Condition | None = None
    minimum_spend: Number = Field(default=Decimal(0), ge=0)
    minimum_items: int = Field(default=0, ge=0)
    channels: list[str] = Field(default_factory=list)
    stores: list[str] = Field(default_factory=list)
    valid: CouponValidity = Field(default_factory=CouponValidity)
    limits: CouponLimits = Field(default_factory=CouponLimits)
    category: Slug = "coupon"
    alone: bool = False
    not_with: list[Source] = Field(default_factory=list)
    priority: int = 0
    cost_share: list[CostShare] = Field(default_factory=list)
    transferable: bool = False
    consideration: Literal["free", "paid"] = "free"
    codes: Literal["none", "shared", "unique"] = "none"
    code: str | None = Field(default=None, min_length=3, max_length=64)  # the shared one
    claimable: bool = False  # members may take it themselves in the claim centre
    on_refund: Literal["restore", "forfeit"] = "restore"
    restored_after_expiry: Literal["expire", "renew"] = "expire"
    renewed_for: str = "7 days"

    @field_validator("renewed_for")
    @classmethod
    def _period(cls, value: str) -> str:
        read_period(value)
        return value

    @model_validator(mode="after")
    def _whole(self) -> CouponTemplate:
        if (self.codes == "shared") != (self.code is not None):
            raise Broken("shared_code")
        if self.cost_share and sum(share.percent for share in self.cost_share) != 100:
            raise Broken("cost_share")
        return self
