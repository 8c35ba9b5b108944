"""Audiences (written by scripts/write_client.py)."""

from __future__ import annotations

from typing import Any

from shuke.client.shapes.audiences import ExplanationShown, SizeShown
from shuke.client.shapes.shared import PageMemberShown
from shuke.client.transport import Call, made


def search_members(
    *, condition: str | dict[str, Any], cursor: str | None = None, limit: int | None = None
) -> Call[PageMemberShown]:
    """The members a condition holds for, as of now, in an order that means nothing and never moves.

    A page looks at a bounded number of members, so it may hold fewer than ``limit``, also none, while there are
    more: go
    on until ``next`` is null.
    """
    return made("POST", "/v1/audiences/search", body={"condition": condition, "cursor": cursor, "limit": limit})


def count_members(*, condition: str | dict[str, Any], exact: bool | None = None) -> Call[SizeShown]:
    """How many members a condition holds for, as of now.

    Of many members a fair sample is looked at, and the answer says that it is an estimate; with ``exact`` everybody
    is,
    which may take long.
    """
    return made("POST", "/v1/audiences/count", body={"condition": condition, "exact": exact})


def explain_member(member_id: str, *, condition: str | dict[str, Any]) -> Call[ExplanationShown]:
    """Why a condition holds for a member now or does not, part by part, and what would have to change."""
    return made(
        "POST", "/v1/members/{member_id}/explain", place={"member_id": member_id}, body={"condition": condition}
    )
