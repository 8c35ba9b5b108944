"""Members (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from shuke.client.shapes.members import (
    ConsentRecorded,
    ConsentsShown,
    MemberChanged,
    MemberErased,
    MemberExport,
    MemberJoined,
    MemberMerged,
    MemberUnmerged,
    MergePreview,
    MergesShown,
    PageConsentSaid,
    ProfileShown,
    StatusChanged,
    TagsChanged,
    TagsShown,
)
from shuke.client.shapes.shared import MemberShown, PageMemberShown
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
    status: Literal["active", "dormant", "frozen", "left", "merged", "erased"] | None = None,
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
    """One member: who she is, her tiers, what she can spend. The id of a member who was merged into another leads to
    that one, here and wherever a member is named.
    """
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


def freeze_member(member_id: str, *, reason: str, idempotency_key: str | None = None) -> Call[StatusChanged]:
    """Freeze a member: what she has stays hers and ends by its dates, but she neither earns nor spends, unless the
    program says that frozen members do. What was on hold before can still be paid; refunds go through.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/freeze",
        place={"member_id": member_id},
        body={"reason": reason},
        once=idempotency_key or True,
    )


def unfreeze_member(
    member_id: str, *, reason: str | None = None, idempotency_key: str | None = None
) -> Call[StatusChanged]:
    """Let a frozen member go again. What she did meanwhile is counted, and not rewarded afterwards."""
    return made(
        "POST",
        "/v1/members/{member_id}/unfreeze",
        place={"member_id": member_id},
        body={"reason": reason},
        once=idempotency_key or True,
    )


def leave_member(
    member_id: str, *, reason: str | None = None, idempotency_key: str | None = None
) -> Call[StatusChanged]:
    """Record that a member has left. She neither earns nor spends until she returns; what she has ends by its dates.
    Her data stay: to have them forgotten, erase her.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/leave",
        place={"member_id": member_id},
        body={"reason": reason},
        once=idempotency_key or True,
    )


def return_member(
    member_id: str, *, reason: str | None = None, idempotency_key: str | None = None
) -> Call[StatusChanged]:
    """Record that a member who had left is back, with all that has not ended since."""
    return made(
        "POST",
        "/v1/members/{member_id}/return",
        place={"member_id": member_id},
        body={"reason": reason},
        once=idempotency_key or True,
    )


def list_tags(member_id: str) -> Call[TagsShown]:
    """A member's tags, with who or what put each on, since when, and until when it stays."""
    return made("GET", "/v1/members/{member_id}/tags", place={"member_id": member_id})


def add_tags(
    member_id: str,
    *,
    tags: list[str],
    kind: Literal["manual", "rule", "statistic", "ranking", "model"] | None = None,
    by: str | None = None,
    until: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[TagsChanged]:
    """Put tags on a member. Of one she has, kind, author and end are told anew, and it is hers since when it was."""
    return made(
        "POST",
        "/v1/members/{member_id}/tags",
        place={"member_id": member_id},
        body={"tags": tags, "kind": kind, "by": by, "until": until},
        once=idempotency_key or True,
    )


def remove_tags(
    member_id: str,
    *,
    tags: list[str],
    kind: Literal["manual", "rule", "statistic", "ranking", "model"] | None = None,
    idempotency_key: str | None = None,
) -> Call[TagsChanged]:
    """Take tags off a member. Those she does not have change nothing."""
    return made(
        "POST",
        "/v1/members/{member_id}/tags/remove",
        place={"member_id": member_id},
        body={"tags": tags, "kind": kind},
        once=idempotency_key or True,
    )


def get_consents(member_id: str) -> Call[ConsentsShown]:
    """What the program asks consent for, with the texts, and what the member said of each purpose and channel.

    Nothing is granted by itself: whoever was never asked is ``unasked``, and is not to be told.
    """
    return made("GET", "/v1/members/{member_id}/consents", place={"member_id": member_id})


def record_consent(
    member_id: str,
    *,
    granted: bool,
    purpose: str | None = None,
    channels: list[str] | None = None,
    version: str | None = None,
    language: str | None = None,
    text_hash: str | None = None,
    via: str | None = None,
    said_at: str | datetime | None = None,
    by: Literal["merchant", "member"] | None = None,
    idempotency_key: str | None = None,
) -> Call[ConsentRecorded]:
    """Record that a member agreed to something, or withdrew it.

    What she says is kept for ever, with the text it was about, until she is erased. What she said last, by
    ``said_at``,
    holds.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/consents",
        place={"member_id": member_id},
        body={
            "granted": granted,
            "purpose": purpose,
            "channels": channels,
            "version": version,
            "language": language,
            "text_hash": text_hash,
            "via": via,
            "said_at": said_at,
            "by": by,
        },
        once=idempotency_key or True,
    )


def list_consent_history(
    member_id: str, *, cursor: str | None = None, limit: int | None = None
) -> Call[PageConsentSaid]:
    """Everything a member ever said of consents, the latest told first."""
    return made(
        "GET",
        "/v1/members/{member_id}/consents/history",
        place={"member_id": member_id},
        query={"cursor": cursor, "limit": limit},
    )


def preview_merge(
    member_id: str,
    *,
    into: str,
    traits: Literal["survivor", "merged"] | None = None,
    fields: dict[str, Any] | None = None,
    tiers: Literal["highest", "survivor"] | None = None,
) -> Call[MergePreview]:
    """What merging this member into another would do: what goes over, where both differ, and who there would be.

    Nothing is changed.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/merge/preview",
        place={"member_id": member_id},
        body={"into": into, "traits": traits, "fields": fields, "tiers": tiers},
    )


def merge_member(
    member_id: str,
    *,
    into: str,
    reason: str,
    traits: Literal["survivor", "merged"] | None = None,
    fields: dict[str, Any] | None = None,
    tiers: Literal["highest", "survivor"] | None = None,
    idempotency_key: str | None = None,
) -> Call[MemberMerged]:
    """Merge this member into another: they are one person.

    All she has goes over in one moment, by entries of the books: points and stored value in their lots with their
    dates, what she owes, coupons, identities, and what was counted. Her id leads to the other one for ever,
    whatever is
    told with it, also refunds of her orders. Nothing is given for it, and no tier rises by what both add up to
    before
    something new is settled. It can be undone.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/merge",
        place={"member_id": member_id},
        body={"into": into, "traits": traits, "fields": fields, "tiers": tiers, "reason": reason},
        once=idempotency_key or True,
    )


def unmerge_member(member_id: str, *, reason: str, idempotency_key: str | None = None) -> Call[MemberUnmerged]:
    """Undo the merge of this member: she is herself again.

    She gets what is left of what she brought: lots, coupons, identities, her orders with what became of them, her
    standing and counts as they were. What was spent since stays spent, and what was earned since stays with the one
    she
    had been merged into, but for what her own orders earned.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/unmerge",
        place={"member_id": member_id},
        body={"reason": reason},
        once=idempotency_key or True,
    )


def list_merges(member_id: str) -> Call[MergesShown]:
    """Who was merged into a member, or into whom she was, and what was undone."""
    return made("GET", "/v1/members/{member_id}/merges", place={"member_id": member_id})


def export_member(member_id: str, *, format: Literal["json", "csv"] | None = None) -> Call[MemberExport | str]:
    """All that is known about a person in one file: profile, tags, all she said of consents, balances lot by lot,
    coupons, orders, everything that was told of her and every entry with its reason.

    Takes a key that may also read orders, activities, coupons, points and tiers.
    """
    return made("GET", "/v1/members/{member_id}/export", place={"member_id": member_id}, query={"format": format})
