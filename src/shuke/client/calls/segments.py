"""Segments (written by scripts/write_client.py)."""

from __future__ import annotations

from typing import Literal

from shuke.client.shapes.segments import (
    PageInsideShown,
    PageReadyMadeShown,
    PageSegmentShown,
    PageSegmentSize,
    SegmentShown,
)
from shuke.client.transport import Call, made


def create_segment(
    *,
    segment_id: str,
    title: str,
    condition: str | None = None,
    refresh: Literal["live", "hourly", "daily"] | None = None,
    idempotency_key: str | None = None,
) -> Call[SegmentShown]:
    """Make a segment: of whom a condition holds for, or, without one, of whom you put into it.

    Who comes in or goes out is told by an activity, ``segment.entered`` or ``segment.left``, exactly once for each;
    rules
    may give something for it. The first members come in when a worker next looks, within seconds.
    """
    return made(
        "POST",
        "/v1/segments",
        body={"segment_id": segment_id, "title": title, "condition": condition, "refresh": refresh},
        once=idempotency_key or True,
    )


def list_segments(*, cursor: str | None = None, limit: int | None = None) -> Call[PageSegmentShown]:
    """All segments, in the order of their ids."""
    return made("GET", "/v1/segments", query={"cursor": cursor, "limit": limit})


def list_segment_templates(
    *, often: int | None = None, much: int | None = None, cycle: int | None = None
) -> Call[PageReadyMadeShown]:
    """Segments to take over: five classes of customers, recency, frequency and money, stages of life, birthdays.

    All of them stand on one page. Post the one you want to ``/v1/segments``, as it is or changed.
    """
    return made("GET", "/v1/segment-templates", query={"often": often, "much": much, "cycle": cycle})


def get_segment(segment_id: str) -> Call[SegmentShown]:
    """One segment: what it asks, how large it is, when it is looked at."""
    return made("GET", "/v1/segments/{segment_id}", place={"segment_id": segment_id})


def change_segment(
    segment_id: str,
    *,
    title: str | None = None,
    condition: str | None = None,
    refresh: Literal["live", "hourly", "daily"] | None = None,
    idempotency_key: str | None = None,
) -> Call[SegmentShown]:
    """Change a segment. With another condition, who no longer belongs goes out and who does comes in, at once."""
    return made(
        "PATCH",
        "/v1/segments/{segment_id}",
        place={"segment_id": segment_id},
        body={"title": title, "condition": condition, "refresh": refresh},
        once=idempotency_key or True,
    )


def remove_segment(segment_id: str, *, idempotency_key: str | None = None) -> Call[SegmentShown]:
    """Remove a segment, with its history. Nobody is told; the answer shows what it was."""
    return made("DELETE", "/v1/segments/{segment_id}", place={"segment_id": segment_id}, once=idempotency_key or True)


def refresh_segment(segment_id: str, *, idempotency_key: str | None = None) -> Call[SegmentShown]:
    """Have a segment looked at as a whole now: a worker does so within seconds."""
    return made(
        "POST", "/v1/segments/{segment_id}/refresh", place={"segment_id": segment_id}, once=idempotency_key or True
    )


def take_snapshot(
    segment_id: str, *, snapshot_id: str, title: str, idempotency_key: str | None = None
) -> Call[SegmentShown]:
    """Keep who is in a segment now as a static segment of its own. No activities tell of it."""
    return made(
        "POST",
        "/v1/segments/{segment_id}/snapshot",
        place={"segment_id": segment_id},
        body={"snapshot_id": snapshot_id, "title": title},
        once=idempotency_key or True,
    )


def list_into_segment(
    segment_id: str,
    *,
    add: list[str] | None = None,
    remove: list[str] | None = None,
    idempotency_key: str | None = None,
) -> Call[SegmentShown]:
    """Put members into a static segment, or take them out. Activities tell of it within seconds."""
    return made(
        "POST",
        "/v1/segments/{segment_id}/members",
        place={"segment_id": segment_id},
        body={"add": add, "remove": remove},
        once=idempotency_key or True,
    )


def list_segment_members(
    segment_id: str, *, cursor: str | None = None, limit: int | None = None
) -> Call[PageInsideShown]:
    """Who is in a segment, and since when, in an order that means nothing and never moves."""
    return made(
        "GET",
        "/v1/segments/{segment_id}/members",
        place={"segment_id": segment_id},
        query={"cursor": cursor, "limit": limit},
    )


def list_segment_sizes(
    segment_id: str, *, cursor: str | None = None, limit: int | None = None
) -> Call[PageSegmentSize]:
    """How large a segment was each time it was looked at as a whole, the latest first."""
    return made(
        "GET",
        "/v1/segments/{segment_id}/history",
        place={"segment_id": segment_id},
        query={"cursor": cursor, "limit": limit},
    )
