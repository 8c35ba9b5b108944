"""Chapter 0: the program. One document says what a membership means; everything else reads it.

``read`` takes YAML text (or JSON, which is YAML) and gives a validated ``Program``; ``write`` gives YAML
back. Whole-document checks (references, reachability, law) are in ``shuke.program.checks``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationError, field_validator

from shuke.program.assets import Asset
from shuke.program.benefits import Benefit
from shuke.program.chapter import Chapter, Slug, Text
from shuke.program.coupons import CouponTemplate
from shuke.program.document_text import dump, parse
from shuke.program.earning import Rule
from shuke.program.identities import IdentityTerms
from shuke.program.measures import BUILT_IN, Measure
from shuke.program.prices import Prices
from shuke.program.problems import Broken, DocumentError, problem
from shuke.program.profile import Profile
from shuke.program.stored_value import StoredValue
from shuke.program.tiers import Ladder
from shuke.program.wording import problems_of
from shuke.values.currencies import minor_digits
from shuke.values.instants import check_zone

__all__ = ["DocumentError", "Program", "from_data", "read", "to_data", "write"]


ANNOUNCED = (
    "asset.expiring",
    "coupon.issued",
    "coupon.expiring",
    "tier.raised",
    "tier.dropped",
    "tier.at_risk",
)
"""What is announced unless the program says otherwise; ``order.settled`` is another. Webhooks heed it for what is said
ahead (``asset.expiring``, ``tier.at_risk``): of what has happened an endpoint is told whatever it asks for."""


class Program(Chapter):
    """A membership program. Amounts of money are in currency units, of assets in whole units."""

    id: Slug
    title: Text | None = None
    description: Text | None = None
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    currency_scale: int | None = Field(default=None, ge=0, le=4)  # decimals in use; ISO 4217's by default
    zone: str
    locales: list[str] = Field(default_factory=lambda: ["en"], min_length=1)
    hold_minutes: int = Field(default=30, ge=1, le=7 * 24 * 60)
    announce: list[str] = Field(default_factory=lambda: list(ANNOUNCED))  # topics, see ANNOUNCED
    profile: Profile = Field(default_factory=Profile)
    identities: list[IdentityTerms] = Field(default_factory=list)
    measures: list[Measure] = Field(default_factory=list)
    assets: list[Asset] = Field(default_factory=list)
    earning: list[Rule] = Field(default_factory=list)
    ladders: list[Ladder] = Field(default_factory=list)
    benefits: list[Benefit] = Field(default_factory=list)
    coupons: list[CouponTemplate] = Field(default_factory=list)
    stored_value: StoredValue | None = None
    prices: Prices = Field(default_factory=Prices)

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        try:
            check_zone(zone)
        except ValueError as broken:
            near = str(broken).partition('did you mean "')[2].rstrip('"?')
            raise Broken("zone", near or None, name=zone) from broken
        return zone

    @field_validator("currency")
    @classmethod
    def _currency(cls, currency: str) -> str:
        try:
            minor_digits(currency)
        except ValueError as broken:
            raise Broken("currency", code=currency) from broken
        return currency

    @property
    def scale(self) -> int:
        """Decimals of the currency in this program."""
        return minor_digits(self.currency) if self.currency_scale is None else self.currency_scale

    def all_measures(self) -> dict[str, Measure]:
        """Declared measures and the built-in ones they do not replace."""
        return {measure.id: measure for measure in (*BUILT_IN, *self.measures)}

    def asset(self, asset_id: str) -> Asset:
        """The asset with this id. Raises KeyError."""
        for asset in self.assets:
            if asset.id == asset_id:
                return asset
        raise KeyError(asset_id)

    def ladder(self, ladder_id: str) -> Ladder:
        """The ladder with this id. Raises KeyError."""
        for ladder in self.ladders:
            if ladder.id == ladder_id:
                return ladder
        raise KeyError(ladder_id)


def read(text: str) -> Program:
    """A program from YAML or JSON text. Raises ``DocumentError`` with every problem found, and its line."""
    parsed = parse(text)
    return from_data(parsed.data, lines=parsed.lines)


def from_data(data: Any, *, lines: Mapping[str, int] | None = None) -> Program:
    """A program from plain data (as JSON gives it; ``lines`` as ``parse`` does). Raises ``DocumentError``."""
    if not isinstance(data, dict):
        raise DocumentError([problem("", "not_a_program")])
    try:
        return Program.model_validate(data)
    except ValidationError as error:
        raise DocumentError(problems_of(error.errors(), data=data, model=Program, lines=lines)) from error


def to_data(program: Program) -> dict[str, Any]:
    """The document as plain JSON data: only what was said; decimals are texts, exact to the last digit."""
    data: dict[str, Any] = program.model_dump(mode="json", exclude_unset=True, by_alias=True)
    return data


def write(program: Program) -> str:
    """The document as YAML, in the order of the chapters; ``read`` gives the same program back."""
    return dump(program.model_dump(mode="python", exclude_unset=True, by_alias=True))
