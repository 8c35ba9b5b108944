"""What every chapter of a program document shares: strictness, texts in several languages, exact numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Text = str | dict[str, str]
"""A text for people: one string, or one per locale (``{en: …, zh-Hant: …}``)."""


def _exact(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise ValueError("write the number as a whole number or a decimal, for example 12 or 0.5")
    return value


Number = Annotated[Decimal, BeforeValidator(_exact), Field(allow_inf_nan=False)]
"""An exact decimal. Floats are refused: they cannot say 0.1."""


class Chapter(BaseModel):
    """A part of the document: unknown fields are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def ratio(number: Decimal) -> tuple[int, int]:
    """A decimal as (numerator, denominator) in lowest terms: 1.25 → (5, 4)."""
    fraction = Fraction(number)
    return fraction.numerator, fraction.denominator
