"""Members (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from shuke.client.shapes.members import (
    MemberChanged,
    MemberErased,
    MemberExport,
    MemberJoined,
    MemberShown,
    PageMemberShown,
    ProfileShown,
)
from shuke.client.transport import Call, made


def create_member(
    *,
    member_id: str | None = None,
    joined_at: str | datetime | None = None,
    identities: dict[str, Any] | None = None,
    verified: list[str] | None = None,
    traits: dict[str, Any] | None = None,
    tags: list[str] | None = None,
    by: Literal["merchant", "member"] | None = None,
    idempotency_key: str | None = None,
) -> Call[MemberJoined]:
    """Enrol a member, with or without an id of your own.

    Rules give what they give for joining. An identity that another member has is refused as ``identity_taken``:
    find her
    with ``GET /v1/members?identity=…``. The same request sent again makes nobody twice and gets the same id.
    """
    return made(
        "POST",
        "/v1/members",
        body={
            "member_id": member_id,
            "joined_at": joined_at,
            "identities": identities,
            "verified": verified,
            "traits": traits,
            "tags": tags,
            "by": by,
        },
        once=idempotency_key or True,
    )


def list_members(
    *,
    identity: str | None = None,
    phone: str | None = None,
    email: str | None = None,
    status: Literal["active", "erased"] | None = None,
    ladder: str | None = None,
    tier: str | None = None,
    tag: str | None = None,
    joined_from: str | datetime | None = None,
    joined_until: str | datetime | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[PageMemberShown]:
    """Members, in an order that means nothing and never moves; or the one who is called something.

    A page looks at a bounded number of members, so with filters it may hold fewer than ``limit``, also none, while
    there are more: go on until ``next`` is null.
    """
    return made(
        "GET",
        "/v1/members",
        query={
            "identity": identity,
            "phone": phone,
            "email": email,
            "status": status,
            "ladder": ladder,
            "tier": tier,
            "tag": tag,
            "joined_from": joined_from,
            "joined_until": joined_until,
            "cursor": cursor,
            "limit": limit,
        },
    )


def get_member(member_id: str) -> Call[MemberShown]:
    """One member: who she is, her tiers, what she can spend."""
    return made("GET", "/v1/members/{member_id}", place={"member_id": member_id})


def change_member(
    member_id: str,
    *,
    identities: dict[str, Any] | None = None,
    verified: list[str] | None = None,
    traits: dict[str, Any] | None = None,
    tags: list[str] | None = None,
    untags: list[str] | None = None,
    by: Literal["merchant", "member"] | None = None,
    idempotency_key: str | None = None,
) -> Call[MemberChanged]:
    """Change what is known of a member: traits, tags, identities. All of it is done, or nothing."""
    return made(
        "PATCH",
        "/v1/members/{member_id}",
        place={"member_id": member_id},
        body={
            "identities": identities,
            "verified": verified,
            "traits": traits,
            "tags": tags,
            "untags": untags,
            "by": by,
        },
        once=idempotency_key or True,
    )


def erase_member(
    member_id: str, *, stored_value: Literal["paid_out", "waived"] | None = None, idempotency_key: str | None = None
) -> Call[MemberErased]:
    """Erase a person for good. There is no way back.

    Identities, traits, tags and whatever was told of her goes, also from the record of what happened; points and
    coupons are forfeited, debts forgiven. The id, orders and entries stay without her, so that the books balance.
    Export what is known of her first, if she wants it.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/erase",
        place={"member_id": member_id},
        body={"stored_value": stored_value},
        once=idempotency_key or True,
    )


def get_profile(member_id: str) -> Call[ProfileShown]:
    """The traits that the program declares, with what is known of them, who may change them and when again, and what a
    complete profile still lacks: all that a form needs.
    """
    return made("GET", "/v1/members/{member_id}/profile", place={"member_id": member_id})


def export_member(member_id: str, *, format: Literal["json", "csv"] | None = None) -> Call[MemberExport | str]:
    """All that is known about a person in one file: profile, balances lot by lot, coupons, orders, everything that was
    told of her and every entry with its reason.

    Takes a key that may also read orders, activities, coupons, points and tiers.
    """
    return made("GET", "/v1/members/{member_id}/export", place={"member_id": member_id}, query={"format": format})
