"""Shapes of audiences (written by scripts/write_client.py)."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict


class CountTold(TypedDict):
    """Whom to count."""

    # A condition as text, or as a tree. See docs/reference/conditions.md.
    condition: str | dict[str, Any]
    # Look at everybody, however many there are.
    exact: NotRequired[bool]


class ExplainTold(TypedDict):
    """What to explain."""

    # A condition as text, or as a tree. See docs/reference/conditions.md.
    condition: str | dict[str, Any]


class ExplanationShown(TypedDict):
    """Why a condition holds for a member, or does not."""

    member_id: str
    holds: bool
    at: str
    why: PartShown
    # What would have to change for it to hold, in the caller's language. Of alternatives, each.
    changes: list[str]


class PartShown(TypedDict):
    """One part of a condition, and the parts it joins."""

    text: str
    holds: bool
    # In the caller's language.
    sentence: str
    # What was seen of her; null: nothing is known, or nothing was compared.
    seen: str | None
    # What it was compared with.
    wanted: str | None
    # How much more would be enough, where that is a number.
    missing: str | None
    parts: list[PartShown]


class SearchTold(TypedDict):
    """Whom to find."""

    # A condition as text, or as a tree. See docs/reference/conditions.md.
    condition: str | dict[str, Any]
    # `next` of the page before.
    cursor: NotRequired[str | None]
    limit: NotRequired[int]


class SizeShown(TypedDict):
    """How many members a condition holds for."""

    # As it was read.
    condition: str
    members: int
    # Whether everybody was looked at; if not, `members` is an estimate.
    exact: bool
    # So many members were looked at.
    looked_at: int
    # The moment that was asked about.
    at: str
