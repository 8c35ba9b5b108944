"""Benefits of a standing: what prices.py asks, and gifts that are given once."""

from __future__ import annotations

from msgspec import Struct

from shuke.engine.activity import Line
from shuke.engine.conditions import Names, Test
from shuke.engine.turn import Turn
from shuke.program.document import Program
from shuke.values.instants import NEVER, Instant


class PercentOff(Struct, frozen=True):
    """``numerator / denominator`` of the price is taken off the lines for which ``lines`` holds (None: all)."""

    id: str
    numerator: int
    denominator: int
    lines: Test | None


class Benefits:
    """The benefits of one edition."""

    def percent_off(self, turn: Turn) -> list[PercentOff]:
        return []

    def member_price(self, turn: Turn, line: Line) -> int | None:
        """What one item costs the member, minor units; None where no member price applies."""
        return None

    def free_shipping(self, turn: Turn) -> str | None:
        """The benefit that makes shipping free, None if none does."""
        return None


def compile_benefits(program: Program, names: Names) -> Benefits:
    return Benefits()


def gift(turn: Turn) -> None: ...


def next_due(turn: Turn) -> Instant:
    return NEVER
