"""Shapes of member codes (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import NotRequired, TypedDict


class CodeOwner(TypedDict):
    """Who has shown it."""

    member_id: str


class CodeRead(TypedDict):
    """A code that a till has read."""

    code: str
    # When it was read, if the till was offline then: up to 24 hours ago. Now if left out.
    read_at: NotRequired[str | datetime | None]


class CodesEnded(TypedDict):
    """Whose codes have ended."""

    member_id: str


class MemberCodeShown(TypedDict):
    """A code, and when to show it."""

    # Twenty digits, for a barcode (Code 128 C) or QR code.
    code: str
    since: str
    until: str


class MemberCodes(TypedDict):
    """Codes for this half minute and those that follow."""

    member_id: str
    codes: list[MemberCodeShown]
