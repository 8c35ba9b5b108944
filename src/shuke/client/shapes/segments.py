"""Shapes of segments (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict


class InsideShown(TypedDict):
    """Somebody who is in a segment."""

    member_id: str
    since: str


class ListTold(TypedDict):
    """Who comes into a static segment and who goes out of it."""

    add: NotRequired[list[str]]
    remove: NotRequired[list[str]]


class PageInsideShown(TypedDict):
    """As told."""

    items: list[InsideShown]
    next: NotRequired[str | None]


class PageReadyMadeShown(TypedDict):
    """As told."""

    items: list[ReadyMadeShown]
    next: NotRequired[str | None]


class PageSegmentShown(TypedDict):
    """As told."""

    items: list[SegmentShown]
    next: NotRequired[str | None]


class PageSegmentSize(TypedDict):
    """As told."""

    items: list[SegmentSize]
    next: NotRequired[str | None]


class ReadyMadeShown(TypedDict):
    """A segment to take over, with the numbers that were asked for."""

    segment_id: str
    title: str
    condition: str


class SegmentChange(TypedDict):
    """What to change; what is not named stays."""

    title: NotRequired[str | None]
    condition: NotRequired[str | None]
    refresh: NotRequired[Literal["live", "hourly", "daily"] | None]


class SegmentShown(TypedDict):
    """A segment."""

    segment_id: str
    title: str
    kind: Literal["dynamic", "static"]
    condition: str | None
    refresh: Literal["live", "hourly", "daily"] | None
    # As of `refreshed_at`.
    members: int
    # When it was last looked at as a whole; null: not yet.
    refreshed_at: str | None
    # When it is next; null: never by itself.
    due_at: str | None
    made_at: str
    changed_at: str


class SegmentSize(TypedDict):
    """How large a segment was, and who came and went since the time before."""

    at: str | datetime
    members: int
    entered: int
    left: int


class SegmentTold(TypedDict):
    """A new segment: dynamic with a condition, static without."""

    # An id that the program document gives.
    segment_id: str
    # What people call it.
    title: str
    condition: NotRequired[str | None]
    refresh: NotRequired[Literal["live", "hourly", "daily"] | None]


class SnapshotTold(TypedDict):
    """The static segment that a snapshot makes."""

    # An id that the program document gives.
    snapshot_id: str
    # What people call it.
    title: str
