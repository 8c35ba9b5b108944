"""Chapter 6: benefits. What a standing brings: lower prices, free shipping, gifts.

A faster pace of points is an earning rule (``multiply``) and is written there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from shuke.program.chapter import Chapter, Number, Slug, Text
from shuke.program.conditions import Condition
from shuke.program.problems import Broken
from shuke.program.sentences import Listed


class Holders(Chapter):
    """Members with one of these tiers in force on the ladder."""

    ladder: Slug
    tiers: list[Slug] = Field(min_length=1)


Percent = Annotated[Number, Field(gt=0, le=100)]


class PercentBenefit(Chapter):
    """So many percent off the price; ``lines`` narrows it to some of the cart."""

    off: Percent
    lines: Condition | None = None


class SkuPrice(Chapter):
    sku: str
    price: Number = Field(ge=0)


class MemberPrices(Chapter):
    """Prices of single goods, per item in currency units. ``attribute`` names a field of the line that carries
    the price instead, where the shop's catalog tells it; a price listed here goes first."""

    list_: list[SkuPrice] = Field(default_factory=list, alias="list")
    attribute: str | None = None

    @model_validator(mode="after")
    def _some(self) -> MemberPrices:
        if not self.list_ and self.attribute is None:
            raise Broken("member_prices")
        if len({entry.sku for entry in self.list_}) < len(self.list_):
            raise Broken("one_price")
        return self


class Gift(Chapter):
    """What is given: an amount of an asset in whole units, a coupon of a template, or both."""

    asset: Slug | None = None
    amount: Number | None = Field(default=None, gt=0)
    coupon: Slug | None = None

    @model_validator(mode="after")
    def _something(self) -> Gift:
        if (self.asset is None) != (self.amount is None):
            raise Broken("asset_and_amount")
        if self.asset is None and self.coupon is None:
            raise Broken("gift")
        return self


class UpgradeGift(Gift):
    """Given when one of the benefit's tiers is reached, once per tier for ever: falling and rising again gives
    nothing more. ``granted`` gives it also for a tier that was bought, given, matched or tried."""

    granted: bool = False


class BirthdayGift(Gift):
    """Given once a year, by the standing on the day of issue.

    Issued at the start of the birthday; ``days_before`` it; on a ``day_of_month_before`` ("the 25th of the
    month before"); or on the ``first_of_month``. Who joins later, but not after the end of the birthday's month
    (for the first two: after the birthday), gets it on joining, unless ``late_joiners`` is false.
    ``window_days``: what is given of an asset lasts so many days from the birthday on (1: the day itself).
    """

    days_before: int = Field(default=0, ge=0, le=60)
    day_of_month_before: int | None = Field(default=None, ge=1, le=28)
    first_of_month: bool = False
    late_joiners: bool = True
    window_days: int | None = Field(default=None, ge=1, le=366)

    @model_validator(mode="after")
    def _one_day(self) -> BirthdayGift:
        if bool(self.days_before) + (self.day_of_month_before is not None) + self.first_of_month > 1:
            raise Broken("at_most_one", names=Listed(("days_before", "day_of_month_before", "first_of_month")))
        return self


Kind = Literal["percent_off", "member_prices", "free_shipping", "upgrade_gift", "birthday_gift"]
_KINDS: tuple[Kind, ...] = ("percent_off", "member_prices", "free_shipping", "upgrade_gift", "birthday_gift")


class Benefit(Chapter):
    """Exactly one kind of benefit, for holders of tiers (``for``), for whom ``when`` holds, or for everybody.

    ``percent_off`` may be written as a number alone: ``percent_off: 5``.
    """

    id: Slug
    title: Text | None = None
    for_: Holders | None = Field(default=None, alias="for")
    when: Condition | None = None
    percent_off: PercentBenefit | Percent | None = None
    member_prices: MemberPrices | None = None
    free_shipping: Literal[True] | None = None
    upgrade_gift: UpgradeGift | None = None
    birthday_gift: BirthdayGift | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Benefit:
        if sum(getattr(self, kind) is not None for kind in _KINDS) != 1:
            raise Broken("exactly_one", names=Listed(_KINDS))
        if self.upgrade_gift is not None and self.for_ is None:
            raise Broken("upgrade_gift")
        return self

    @property
    def kind(self) -> Kind:
        return next(kind for kind in _KINDS if getattr(self, kind) is not None)
