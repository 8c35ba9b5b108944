"""Statements (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime

from shuke.client.shapes.statements import (
    EntryExplained,
    PageActivityShown,
    PageEntryShown,
    PageHappenedShown,
    PageOrderShown,
    StatementShown,
)
from shuke.client.transport import Call, made


def list_entries(
    member_id: str,
    *,
    under: str | None = None,
    asset: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[PageEntryShown]:
    """What moved for a member, the latest settled first, with the reason in a sentence."""
    return made(
        "GET",
        "/v1/members/{member_id}/entries",
        place={"member_id": member_id},
        query={"under": under, "asset": asset, "cursor": cursor, "limit": limit},
    )


def explain_entry(member_id: str, entry_id: str, *, under: str | None = None) -> Call[EntryExplained]:
    """Why an entry is there: the sentence, the numbers that went in, the rule as it read then, and the activity
    behind it.
    """
    return made(
        "GET",
        "/v1/members/{member_id}/entries/{entry_id}",
        place={"member_id": member_id, "entry_id": entry_id},
        query={"under": under},
    )


def get_statement(
    member_id: str,
    *,
    under: str | None = None,
    from_: str | datetime | None = None,
    to: str | datetime | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[StatementShown]:
    """A statement of a span of time: what she had, what moved and why, what she had at its end.

    It goes by the times at which things happened, so what is told late is in the statement of its own time. Further
    lines come with ``next``; opening and closing are of the whole span on every page.
    """
    return made(
        "GET",
        "/v1/members/{member_id}/statement",
        place={"member_id": member_id},
        query={"under": under, "from": from_, "to": to, "cursor": cursor, "limit": limit},
    )


def list_activities(
    member_id: str, *, under: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[PageActivityShown]:
    """All that was told of a member, the latest settled first, also what was refused."""
    return made(
        "GET",
        "/v1/members/{member_id}/activities",
        place={"member_id": member_id},
        query={"under": under, "cursor": cursor, "limit": limit},
    )


def list_orders(
    member_id: str, *, under: str | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[PageOrderShown]:
    """A member's orders, the latest settled first. Those of who was merged into her are listed under the old id."""
    return made(
        "GET",
        "/v1/members/{member_id}/orders",
        place={"member_id": member_id},
        query={"under": under, "cursor": cursor, "limit": limit},
    )


def get_timeline(member_id: str, *, cursor: str | None = None, limit: int | None = None) -> Call[PageHappenedShown]:
    """Everything that happened to a member, the latest settled first: each activity in a sentence, whether it was
    refused and why, and what came of it.

    A page looks at ``limit`` activities. Where only time passed and nothing came of it, nothing is said, so there
    may be
    fewer items while there are more: go on until ``next`` is null.
    """
    return made(
        "GET",
        "/v1/members/{member_id}/timeline",
        place={"member_id": member_id},
        query={"cursor": cursor, "limit": limit},
    )
