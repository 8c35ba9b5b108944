"""Stored value: topped up with a bonus, spent by a declared order, paid back by a stated policy."""

from __future__ import annotations

from shuke.engine.effects import Refused
from shuke.engine.turn import Turn
from shuke.program.document import Program


class StoredValueRules:
    """The stored value chapter of one edition."""


def compile_stored_value(program: Program) -> StoredValueRules | None:
    return None


def top_up(turn: Turn) -> Refused | None:
    return None


def refund_top_up(turn: Turn) -> Refused | None:
    return None
