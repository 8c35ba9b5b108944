"""Identities (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.client.shapes.identities import IdentityChanges, IdentitySettled, KnownAs, MemberIdentified, MemberResolved
from shuke.client.transport import Call, made


def resolve_member(
    *, member_id: str | None = None, identities: dict[str, Any] | None = None, verified: list[str] | None = None
) -> Call[MemberResolved]:
    """Say who somebody is by all that is known of her, and why. Nothing is changed.

    Identities that she has shown to be hers go before those that were only told; then the priority of their kinds
    decides. A device that several members use decides nothing. Members are never merged: where identities name two,
    the
    stronger decides and the answer says who the other is.
    """
    return made(
        "POST", "/v1/members/resolve", body={"member_id": member_id, "identities": identities, "verified": verified}
    )


def identify_member(
    *,
    member_id: str | None = None,
    identities: dict[str, Any] | None = None,
    verified: list[str] | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[MemberIdentified]:
    """Find a member by all that is known of her, or make her one: for signing up and in alike.

    She learns what is told beside: a new address, the openid of one more app, the device she is at. Where she was
    found
    only by what somebody said (a phone number typed in), she learns nothing. Of two requests with the same new
    phone at
    the same time one makes the member and the other finds her.
    """
    return made(
        "POST",
        "/v1/members/identify",
        body={"member_id": member_id, "identities": identities, "verified": verified, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def list_identities(member_id: str) -> Call[KnownAs]:
    """All that a member is called elsewhere, several of a kind too, and which of it she has shown to be hers."""
    return made("GET", "/v1/members/{member_id}/identities", place={"member_id": member_id})


def add_identity(
    member_id: str, *, kind: str, value: str, verified: bool | None = None, idempotency_key: str | None = None
) -> Call[IdentitySettled]:
    """Add an identity beside those a member has, or say that one of them was shown to be hers.

    How many of a kind she may have, and what stands for nobody, is in the program (``identities``). What another
    member
    has is refused as ``identity_taken``: if a phone number was given to somebody else, move it.
    """
    return made(
        "POST",
        "/v1/members/{member_id}/identities",
        place={"member_id": member_id},
        body={"kind": kind, "value": value, "verified": verified},
        once=idempotency_key or True,
    )


def list_identity_changes(member_id: str) -> Call[IdentityChanges]:
    """What a member was called when, who told us so, and what became of it: every identity learnt, shown to be hers
    and
    gone, the first first. Of a person who was erased nothing is left.
    """
    return made("GET", "/v1/members/{member_id}/identities/changes", place={"member_id": member_id})


def remove_identity(
    member_id: str, *, kind: str, value: str, idempotency_key: str | None = None
) -> Call[IdentitySettled]:
    """Take an identity away from a member. Nobody is found by it then, and another may have it."""
    return made(
        "POST",
        "/v1/members/{member_id}/identities/remove",
        place={"member_id": member_id},
        body={"kind": kind, "value": value},
        once=idempotency_key or True,
    )


def move_identity(
    *,
    kind: str,
    value: str,
    to_member: str,
    reason: str,
    verified: bool | None = None,
    idempotency_key: str | None = None,
) -> Call[IdentitySettled]:
    """Give an identity to somebody else: a phone number that its operator handed to a new customer.

    Only the number goes. Points, stored value, coupons, tiers and orders stay with the member who had it before,
    and
    both journals say where it went and why. The answer is about her who loses it.
    """
    return made(
        "POST",
        "/v1/identities/move",
        body={"kind": kind, "value": value, "to_member": to_member, "reason": reason, "verified": verified},
        once=idempotency_key or True,
    )


def finalize_identity(
    *, kind: str, value: str, final_kind: str, final_value: str, idempotency_key: str | None = None
) -> Call[IdentitySettled]:
    """Say what a pending identity turned out to be: WeCom gives a ``pending_id`` until the customer adds somebody of
    the staff, and her ``external_userid`` then.

    The pending one goes and the final one is hers. If another member has the final one already nothing changes and
    it
    is refused as ``identity_taken``: then the two are one person, and may be merged.
    """
    return made(
        "POST",
        "/v1/identities/finalize",
        body={"kind": kind, "value": value, "final_kind": final_kind, "final_value": final_value},
        once=idempotency_key or True,
    )
