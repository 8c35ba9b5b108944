"""Identities (written by scripts/write_client.py)."""

from __future__ import annotations

from shuke.client.shapes.identities import IdentitySettled, KnownAs
from shuke.client.transport import Call, made


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
