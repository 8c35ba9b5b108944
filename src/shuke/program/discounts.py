"""What a promotion or a coupon takes off: one vocabulary for both.

Money is in currency units. A discount works on the lines in its scope, at the price they have by then, and
never takes more than they cost.
"""

from __future__ import annotations

from decimal import Decimal

from pydantic import Field, field_validator, model_validator

from shuke.program.chapter import Chapter, Number
from shuke.program.conditions import Condition
from shuke.program.problems import Broken
from shuke.program.sentences import Listed


class PercentOff(Chapter):
    """``off`` percent of the price; ``at_most`` caps the whole discount."""

    off: Number = Field(gt=0, le=100)
    at_most: Number | None = Field(default=None, gt=0)


class NthItem(Chapter):
    """Every ``n``-th item is ``percent_off`` cheaper; dearest first, so of each ``n`` the cheapest."""

    n: int = Field(ge=2, le=1_000)
    percent_off: Number = Field(default=Decimal(50), gt=0, le=100)


class BuyGet(Chapter):
    """For every ``buy`` items, ``get`` more are ``percent_off`` cheaper.

    Without ``lines`` both come from the scope: of each ``buy + get`` items, dearest first, the cheapest are
    reduced. With ``lines`` the scope, less these lines, is what must be bought, and of ``lines`` the cheapest
    items are reduced.
    """

    buy: int = Field(ge=1, le=1_000)
    get: int = Field(default=1, ge=1, le=1_000)
    percent_off: Number = Field(default=Decimal(100), gt=0, le=100)
    lines: Condition | None = None


class SaveStep(Chapter):
    at_least: Number = Field(gt=0)
    off: Number = Field(gt=0)


class SpendAndSave(Chapter):
    """The highest step reached takes ``off``; ``repeat`` gives it once for every whole ``at_least`` (每滿).

    A table that repeats has one step.
    """

    table: list[SaveStep] = Field(min_length=1)
    repeat: bool = False

    @model_validator(mode="after")
    def _rising(self) -> SpendAndSave:
        if self.repeat and len(self.table) > 1:
            raise Broken("repeat")
        steps = [step.at_least for step in self.table]
        if steps != sorted(set(steps)):
            raise Broken("steps")
        return self


class Exchange(Chapter):
    """``items`` items, the dearest in scope, for ``price`` each: an exchange coupon, or a gift at price 0."""

    items: int = Field(default=1, ge=1, le=1_000)
    price: Number = Field(default=Decimal(0), ge=0)


class Discount(Chapter):
    """Exactly one kind of reduction.

    ``amount_off``       off all lines in scope together, spread over them by price;
    ``amount_off_each``  off every item;
    ``percent``          of the price, with a cap;
    ``fixed_price``      what every item costs instead, where that is less;
    ``nth_item``, ``buy_get``, ``spend_and_save``, ``exchange``  see there;
    ``gift``             so many items, the cheapest in scope, for nothing;
    ``shipping``         percent off the shipping;
    ``voucher``          the face value of a cash voucher (coupons only), usable in parts.
    """

    amount_off: Number | None = Field(default=None, gt=0)
    amount_off_each: Number | None = Field(default=None, gt=0)
    percent: PercentOff | None = None
    fixed_price: Number | None = Field(default=None, ge=0)
    nth_item: NthItem | None = None
    buy_get: BuyGet | None = None
    spend_and_save: SpendAndSave | None = None
    exchange: Exchange | None = None
    gift: int | None = Field(default=None, ge=1, le=1_000)
    shipping: PercentOff | None = None
    voucher: Number | None = Field(default=None, gt=0)

    @field_validator("percent", "shipping", mode="before")
    @classmethod
    def _short(cls, value: object) -> object:
        """``percent: 10`` is short for ``percent: {off: 10}``."""
        return value if value is None or isinstance(value, dict | PercentOff) else {"off": value}

    @model_validator(mode="after")
    def _one_kind(self) -> Discount:
        if sum(getattr(self, kind) is not None for kind in type(self).model_fields) != 1:
            raise Broken("exactly_one", names=Listed(tuple(type(self).model_fields)))
        return self

    @property
    def kind(self) -> str:
        return next(kind for kind in type(self).model_fields if getattr(self, kind) is not None)
