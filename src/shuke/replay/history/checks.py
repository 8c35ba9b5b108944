"""Is this value what it says it is? The one authority for single values, with a sentence for each refusal.

The fast path for orders (see ``orders``) may accept a value only if these functions do, with the same result.
"""

from __future__ import annotations

from typing import Final

from shuke.values.amounts import AmountError, parse_amount
from shuke.values.instants import Day, Instant, InstantError, LocalCalendar, day_of
from shuke.values.names import NAME_MOST, NotAName, plain_name

MAX_ID: Final = NAME_MOST
"""Characters in an order id, a member id, a key."""

MAX_TEXT: Final = 1_000
"""Characters in any other text."""

MAX_QUANTITY: Final = 1_000_000


class Refusal(Exception):
    """Why a row is refused: a short code for machines and a sentence for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def read_id(column: str, text: str | None) -> str:
    """An id as it is kept (see ``values.names``), without the blanks around it. Refused: none, longer than MAX_ID,
    characters of control and such as nobody sees."""
    found = text.strip() if text else ""
    if not found:
        raise Refusal("missing", f"{column} is missing")
    try:
        found = plain_name(found)
    except NotAName as broken:
        what = "a control character" if broken.code == "control_character" else "a character that nobody sees"
        raise Refusal(broken.code, f"{column} contains {what} ({broken.character})") from None
    if len(found) > MAX_ID:
        raise Refusal("too_long", f"{column} has {len(found)} characters; at most {MAX_ID} are allowed")
    return found


def read_text(column: str, text: str | None) -> str | None:
    """A text as it is; empty is None. Refused: longer than MAX_TEXT, or with the character zero."""
    if not text:
        return None
    if len(text) > MAX_TEXT:
        raise Refusal("too_long", f"{column} has {len(text)} characters; at most {MAX_TEXT} are allowed")
    if "\0" in text:  # no database text can hold it
        raise Refusal("control_character", f"{column} contains the character zero")
    return text


def read_instant(column: str, text: str | None, *, calendar: LocalCalendar) -> Instant:
    """Microseconds since 1970 UTC. Refused: none, and whatever ``parse_instant`` refuses."""
    found = text.strip() if text else ""
    if not found:
        raise Refusal("missing", f"{column} is missing")
    try:
        return calendar.parse(found)
    except InstantError as broken:
        raise Refusal("not_an_instant", f"{column}: {broken}") from broken


def read_day(column: str, text: str) -> Day:
    """A date such as 1990-02-28. Refused: anything else."""
    try:
        return day_of(text.strip())
    except InstantError as broken:
        raise Refusal("not_a_date", f'{column}: "{text[:40]}" is not a date: write it like "1990-02-28"') from broken


def read_amount(column: str, text: str | None, *, scale: int) -> int | None:
    """Smallest units; None for nothing. Refused: no number, more decimals than ``scale``, negative, too
    large."""
    found = text.strip() if text else ""
    if not found:
        return None
    try:
        amount = parse_amount(found, scale=scale)
    except AmountError as broken:
        raise Refusal("not_an_amount", f"{column}: {broken}") from broken
    if amount < 0:
        raise Refusal("negative", f"{column} is below zero: {found}; tell a return as an order.refunded activity")
    return amount


def read_whole(column: str, text: str | None, *, least: int, most: int) -> int | None:
    """A whole number between ``least`` and ``most``; None for nothing. "2.0" is 2."""
    found = text.strip() if text else ""
    if not found:
        return None
    try:
        number = parse_amount(found, scale=0)
    except AmountError as broken:
        raise Refusal("not_a_whole_number", f'{column}: "{found[:40]}" is not a whole number') from broken
    if not least <= number <= most:
        raise Refusal("not_a_whole_number", f"{column} must be between {least} and {most}, not {number}")
    return number
