"""Member codes (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime

from shuke.client.shapes.member_codes import CodeOwner, CodesEnded, MemberCodes
from shuke.client.transport import Call, made


def show_member_codes(member_id: str, *, count: int | None = None) -> Call[MemberCodes]:
    """The code that a member's phone shows at a till, and on request those that follow.

    A code is good once, in its half minute and the ones before and after it. Ask again when the last one is over.
    """
    return made("GET", "/v1/members/{member_id}/codes", place={"member_id": member_id}, query={"count": count})


def read_member_code(
    *, code: str, read_at: str | datetime | None = None, idempotency_key: str | None = None
) -> Call[CodeOwner]:
    """Whose code a till has read. It is used up with that; the same request again gets the same answer.

    Five wrong codes of one number lock it for ten minutes.
    """
    return made("POST", "/v1/member-codes/read", body={"code": code, "read_at": read_at}, once=idempotency_key or True)


def end_member_codes(member_id: str, *, idempotency_key: str | None = None) -> Call[CodesEnded]:
    """End all codes of a member whose phone is lost. The next one shown is of another number."""
    return made(
        "POST", "/v1/members/{member_id}/codes/end", place={"member_id": member_id}, once=idempotency_key or True
    )
