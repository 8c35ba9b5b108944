"""Tiers (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shuke.client.shapes.shared import Which
from shuke.client.shapes.tiers import (
    AppliedShown,
    LaddersShown,
    PreviewShown,
    ProgressShown,
    StandingShown,
    TierGranted,
    TierRevoked,
)
from shuke.client.transport import Call, made


def get_progress(member_id: str) -> Call[ProgressShown]:
    """What a member needs to rise and to keep her tiers, and by when. Asking changes nothing.

    A tier that was reached is hers until its ``last_day``; ``keep`` says what it takes to have it longer. A rolling
    window
    is counted as it will be on that day, so who has just reached a tier with what she did this year is told what to
    do
    in the next one. Each ``sentence`` may be shown as it is.
    """
    return made("GET", "/v1/members/{member_id}/progress", place={"member_id": member_id})


def get_standing(member_id: str) -> Call[StandingShown]:
    """Where a member stands on each ladder: the tier in force, what she earned, what she was given, what changed."""
    return made("GET", "/v1/members/{member_id}/standing", place={"member_id": member_id})


def grant_tier(
    *,
    member_id: str,
    ladder: str,
    tier: str,
    source: Literal["bought", "gifted", "matched", "temporary"] | None = None,
    until: str | datetime | None = None,
    days: int | None = None,
    period: str | None = None,
    ref: str | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[TierGranted]:
    """Give a member a tier she has not earned: bought, gifted, matched or on trial, for some time or for ever.

    In force is the best of what she earned and what she was given; when it ends, what she earned is still hers.
    """
    return made(
        "POST",
        "/v1/tiers/grant",
        body={
            "member_id": member_id,
            "ladder": ladder,
            "tier": tier,
            "source": source,
            "until": until,
            "days": days,
            "period": period,
            "ref": ref,
            "occurred_at": occurred_at,
        },
        once=idempotency_key or True,
    )


def revoke_tier(
    *,
    member_id: str,
    ladder: str,
    ref: str,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[TierRevoked]:
    """Take a granted tier back. What the member earned stays."""
    return made(
        "POST",
        "/v1/tiers/revoke",
        body={"member_id": member_id, "ladder": ladder, "ref": ref, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def list_ladders() -> Call[LaddersShown]:
    """The ladders of the program in force, with their rules in the caller's language."""
    return made("GET", "/v1/tiers")


def preview_tiers(
    *, program: Which | None = None, cursor: str | None = None, members: int | None = None, movers: int | None = None
) -> Call[PreviewShown]:
    """Who would change tier if a program were in force and applied: counts, and some of the members with the reason.

    Nobody moves by this. A page ends after 5 seconds at the latest; add the pages up. All pages of one preview look
    at the same moment.
    """
    return made(
        "POST", "/v1/tiers/preview", body={"program": program, "cursor": cursor, "members": members, "movers": movers}
    )


def apply_tiers(
    *, cursor: str | None = None, members: int | None = None, idempotency_key: str | None = None
) -> Call[AppliedShown]:
    """Move everybody, up or down, to what the program in force supports.

    A term that would still be given stays as it is. Each page applies to some members; go on with ``next`` until it
    is
    null. The pages of one application apply to each member once, also if one is interrupted and sent again.
    """
    return made("POST", "/v1/tiers/apply", body={"cursor": cursor, "members": members}, once=idempotency_key or True)
