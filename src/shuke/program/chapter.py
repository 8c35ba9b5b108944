"""What every chapter of a program document shares: strictness, texts in several languages, exact numbers."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from shuke.program.problems import Broken
from shuke.values.periods import MAX_COUNT, Period

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
Text = str | dict[str, str]
"""A text for people: one string, or one per locale (``{en: …, zh-Hant: …}``)."""


def _exact(value: Any) -> Any:
    if isinstance(value, bool | float):
        raise Broken("number")
    return value


Number = Annotated[Decimal, BeforeValidator(_exact), Field(allow_inf_nan=False)]
"""An exact decimal. Floats are refused: they cannot say 0.1."""


class Chapter(BaseModel):
    """A part of the document: unknown fields are refused, values never change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


def read_period(text: str) -> Period:
    """A period, such as "12 months". Refused (``Broken``): anything else."""
    try:
        return Period.parse(text)
    except ValueError as broken:
        if "is not a period" in str(broken):
            raise Broken("period", text=text) from broken
        raise Broken("period_count", text=text, most=MAX_COUNT) from broken


def ratio(number: Decimal) -> tuple[int, int]:
    """A decimal as (numerator, denominator) in lowest terms: 1.25 → (5, 4)."""
    fraction = Fraction(number)
    return fraction.numerator, fraction.denominator
