"""Carts that keep what they were promised until they are paid or let go."""

from __future__ import annotations

from shuke.engine.effects import Refused
from shuke.engine.turn import Turn
from shuke.values.instants import NEVER, Instant


def hold(turn: Turn) -> Refused | None:
    return None


def release(turn: Turn) -> Refused | None:
    return None


def settle(turn: Turn) -> Refused | None:
    return None


def fall_due(turn: Turn) -> None: ...


def next_due(turn: Turn) -> Instant:
    return NEVER
