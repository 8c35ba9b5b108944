"""Chapter 10: prices. What a cart costs a member, and by which policy.

The order of things is fixed: member price, tier percent and promotions; then coupons; then points; then
stored value; shipping last. What a program chooses is how the first three meet on one line.

Every line knows how it was priced: conditions read ``line.priced_by`` (``list``, ``member_price``,
``tier_percent`` or ``promotion``), so any later rule can leave such lines out:
``lines: line.priced_by != member_price``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from shuke.program.chapter import Chapter, Number, Slug, Text
from shuke.program.conditions import Condition
from shuke.program.discounts import Discount
from shuke.program.earning import Span
from shuke.program.problems import Broken
from shuke.values.amounts import Rounding

Source = Literal["member_price", "tier_percent", "promotion"]
SOURCES: tuple[Source, ...] = ("member_price", "tier_percent", "promotion")

LINE_KINDS = frozenset(("amount_off_each", "percent", "fixed_price"))
"""Discounts that price a line by itself: these compete with (or stack on) member price and tier percent."""


class Promotion(Chapter):
    """A discount that needs no coupon.

    ``lines`` is its scope, ``when`` (and ``minimum_spend`` / ``minimum_items`` over the scope) its condition.
    Promotions of one ``category`` never meet on a line: the better one prices it, or for promotions over
    several lines the first by ``priority`` (higher first, then id) takes it. ``not_with`` leaves lines out
    that were already priced in one of these ways.
    """

    id: Slug
    title: Text | None = None
    give: Discount
    lines: Condition | None = None
    when: Condition | None = None
    minimum_spend: Number = Field(default=Decimal(0), ge=0)
    minimum_items: int = Field(default=0, ge=0)
    priority: int = 0
    category: Slug = "promotion"
    not_with: list[Source] = Field(default_factory=list)
    span: Span | None = None

    @model_validator(mode="after")
    def _no_voucher(self) -> Promotion:
        if self.give.voucher is not None:
            raise Broken("voucher")
        return self


class MembersOnly(Chapter):
    """Lines that only members who meet ``who`` may buy; in anybody else's cart they are refused."""

    id: Slug
    lines: Condition
    who: Condition


class Prices(Chapter):
    """How the prices of one cart are made.

    ``together: best`` gives each line the lowest of member price, tier percent and the promotions that price
    single lines; ``stacked`` applies them one upon the other in ``order``. ``coupon_order`` lists coupon
    categories in the order they are applied (others follow, by id); ``coupons_per_order`` bounds how many.
    ``rounding`` is what happens to fractions of a minor unit in what the member pays for a line.
    """

    together: Literal["best", "stacked"] = "best"
    order: list[Source] = Field(default_factory=lambda: list(SOURCES))
    promotions: list[Promotion] = Field(default_factory=list)
    coupon_order: list[Slug] = Field(default_factory=list)
    coupons_per_order: int = Field(default=20, ge=0, le=200)
    members_only: list[MembersOnly] = Field(default_factory=list)
    rounding: Rounding = Rounding.HALF_UP

    @model_validator(mode="after")
    def _each_once(self) -> Prices:
        if sorted(self.order) != sorted(SOURCES):
            raise Broken("order")
        return self
