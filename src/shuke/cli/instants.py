"""Instants as people type them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shuke.cli.troubles import NOTHING_CHANGED, Trouble

if TYPE_CHECKING:
    from shuke.values.instants import Instant


def read_instant(text: str, *, zone: str, option: str, whole_day: bool) -> Instant:
    """The instant of a text in ISO 8601, in ``zone`` where it has no offset.

    A date alone means its first instant, or with ``whole_day`` its last. Raises ``Trouble`` naming the option.
    """
    from shuke.values.instants import InstantError, calendar_of, day_of

    calendar = calendar_of(zone)
    try:
        if len(text) == 10 and whole_day:
            return calendar.day_start(day_of(text) + 1) - 1
        return calendar.parse(text)
    except InstantError as broken:
        todo = f"Write a date (2026-04-20) or a time (2026-04-20T18:30); without an offset it is {zone}'s."
        raise Trouble(f"{option}: {broken}.", kept=NOTHING_CHANGED, todo=todo) from broken
