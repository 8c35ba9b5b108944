"""Identities (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.client.shapes.identities import IdentitySettled, KnownAs, MemberIdentified, MemberResolved
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
