"""Prices of a cart's lines: member price, tier percent, promotions."""

from __future__ import annotations

from shuke.engine.conditions import Names
from shuke.program.document import Program


class PriceRules:
    """The price chapter of one edition."""


def compile_prices(program: Program, names: Names) -> PriceRules:
    return PriceRules()
