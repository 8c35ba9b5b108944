"""Shapes of activities (written by scripts/write_client.py)."""

from __future__ import annotations

from typing import Any, NotRequired, TypedDict

from shuke.client.shapes.shared import WaitingShown


class PageWaitingShown(TypedDict):
    """As told."""

    items: list[WaitingShown]
    next: NotRequired[str | None]


class ResultShown(TypedDict):
    """What became of one activity. Only what there is to say is there."""

    # Its key; null if that could not be read.
    key: str | None
    # settled; repeated (it was settled before under this key); refused (see code); invalid (see errors); failed (our
    # fault: it changed nothing, tell it again).
    status: str
    activity: str | None
    # Per asset, in its smallest units.
    earned: dict[str, int] | None
    # Tiers that changed by it, per ladder.
    tiers: dict[str, str] | None
    # Whose it is, where identities said so.
    member_id: str | None
    code: str | None
    # A sentence in the caller's language.
    detail: str | None
    facts: dict[str, Any] | None
    # With pointers into the activity.
    errors: list[WrongField] | None


class WrongField(TypedDict):
    """One thing that is wrong with a request."""

    # Where: a JSON pointer into the body, or ?name of a parameter.
    pointer: str
    code: str
    detail: str


class ShukeWebApiActivitiesBatchShown(TypedDict):
    """One result for each activity, in their order."""

    # By status.
    counts: dict[str, int]
    results: list[ResultShown]
