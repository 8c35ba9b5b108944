"""Standings on ladders: reached, renewed, dropped, granted, revoked."""

from __future__ import annotations

from shuke.engine.conditions import Names
from shuke.engine.effects import Refused
from shuke.engine.turn import Turn
from shuke.program.document import Program
from shuke.program.tiers import Ladder
from shuke.values.instants import NEVER, Instant, LocalCalendar


class LadderRules:
    """One ladder, compiled."""

    def __init__(self, ladder: Ladder) -> None:
        self.ladder, self.id = ladder, ladder.id


def compile_ladders(program: Program, calendar: LocalCalendar, names: Names) -> dict[str, LadderRules]:
    return {ladder.id: LadderRules(ladder) for ladder in program.ladders}


def rise(turn: Turn) -> None: ...


def grant(turn: Turn) -> Refused | None:
    return None


def revoke(turn: Turn) -> Refused | None:
    return None


def apply(turn: Turn) -> Refused | None:
    return None


def next_due(turn: Turn) -> Instant:
    return NEVER


def fall_due(turn: Turn) -> None: ...
