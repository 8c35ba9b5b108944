"""Chapter 8: stored value. What members pay in, what they get on top, how it is spent and paid back.

Principal and bonus are two assets (kinds ``principal`` and ``bonus``) whose scale is at least the
currency's: one whole unit is one unit of currency. Money is in currency units.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from shuke.program.chapter import Chapter, Number, Slug, Text
from shuke.program.conditions import Condition
from shuke.program.earning import Span
from shuke.program.problems import Broken


class Offer(Chapter):
    """Pay in ``pay`` and get ``bonus`` on top."""

    id: Slug
    title: Text | None = None
    pay: Number = Field(gt=0)
    bonus: Number = Field(gt=0)
    when: Condition | None = None
    span: Span | None = None


class CardLimits(Chapter):
    """Bounds by kind of card: named (the holder is known) or bearer. None: no bound."""

    card: Literal["named", "bearer"]
    maximum_balance: Number | None = Field(default=None, gt=0)
    maximum_top_up: Number | None = Field(default=None, gt=0)
    minimum_top_up: Number | None = Field(default=None, gt=0)


class StoredValue(Chapter):
    """``match`` chooses the offer of a top-up: ``best`` the highest that the amount reaches, ``exact`` the
    one it meets to the cent, ``multiple`` the highest as often as it fits, then the highest for the rest.

    ``refund_bonus`` says what becomes of the bonus when a top-up is paid back (``shuke.engine.stored_value``
    has the formulas). Within ``cooling_off_days`` local days no fee is taken; ``refundable: cooling_off``
    pays nothing back after them.
    """

    principal: Slug
    bonus: Slug | None = None
    offers: list[Offer] = Field(default_factory=list)
    match: Literal["best", "exact", "multiple"] = "best"
    spend: Literal["principal_first", "bonus_first", "in_proportion"] = "in_proportion"
    limits: list[CardLimits] = Field(default_factory=list)
    cooling_off_days: int = Field(default=7, ge=0, le=365)
    refundable: Literal["always", "cooling_off"] = "always"
    refund_fee_percent: Number = Field(default=Decimal(0), ge=0, lt=100)
    refund_bonus: Literal["proportional", "all_unspent", "full_from_principal"] = "proportional"

    @model_validator(mode="after")
    def _bonus(self) -> StoredValue:
        if self.offers and self.bonus is None:
            raise Broken("bonus")
        if len({limit.card for limit in self.limits}) < len(self.limits):
            raise Broken("card")
        return self
