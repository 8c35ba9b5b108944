"""Programs (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.client.shapes.programs import Checked, Differences, DraftShown, PageVersionShown, Published, Version
from shuke.client.shapes.shared import Which
from shuke.client.transport import Call, made


def put_draft(
    content: str | bytes,
    *,
    content_type: str = "application/yaml",
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> Call[DraftShown]:
    """Keep a program as the draft, in the place of the one you read.

    There is one draft. It is kept as it is written, right or wrong, and the answer says what is wrong. If somebody
    has
    changed it since you read it, yours is refused and theirs stays.
    """
    return made(
        "PUT",
        "/v1/programs/draft",
        headers={"if-match": if_match, "Content-Type": content_type},
        content=content,
        once=idempotency_key or True,
    )


def get_draft() -> Call[DraftShown | str]:
    """The draft and what is wrong with it; with ``Accept: application/yaml`` only its text."""
    return made("GET", "/v1/programs/draft")


def discard_draft(*, if_match: str | None = None, idempotency_key: str | None = None) -> Call[DraftShown]:
    """Throw the draft away. The answer is what it was."""
    return made("DELETE", "/v1/programs/draft", headers={"if-match": if_match}, once=idempotency_key or True)


def check_program(content: str | bytes, *, content_type: str = "application/yaml") -> Call[Checked]:
    """Say everything that is wrong with a program: where, what, and what was probably meant. Nothing is kept."""
    return made("POST", "/v1/programs/check", headers={"Content-Type": content_type}, content=content)


def compare_programs(*, before: Which | None = None, after: Which | None = None) -> Call[Differences]:
    """Say in words what changes from one program to another, and whether members gain or lose by it."""
    return made("POST", "/v1/programs/diff", body={"before": before, "after": after})


def publish_draft(
    *,
    effective_from: str | datetime | None = None,
    note: str | None = None,
    if_match: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Published]:
    """Publish the draft as the next version: what happens from then on is settled under it.

    What was settled before stays as it is; an order that is returned later gives back what it was given. Nobody
    changes tier by it before ``POST /v1/tiers/apply``. The answer says what is worse for members than before.
    """
    return made(
        "POST",
        "/v1/programs/publish",
        headers={"if-match": if_match},
        body={"effective_from": effective_from, "note": note},
        once=idempotency_key or True,
    )


def roll_back(
    *,
    version: int,
    effective_from: str | datetime | None = None,
    note: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Published]:
    """Publish an older version again, as the next one: in force at once, or when the one it replaces would be."""
    return made(
        "POST",
        "/v1/programs/roll-back",
        body={"effective_from": effective_from, "note": note, "version": version},
        once=idempotency_key or True,
    )


def list_versions(*, cursor: int | None = None, limit: int | None = None) -> Call[PageVersionShown]:
    """All published versions, the newest first."""
    return made("GET", "/v1/programs", query={"cursor": cursor, "limit": limit})


def get_schema() -> Call[dict[str, Any]]:
    """The JSON Schema of programs (draft 2020-12), for editors that complete and check while one writes."""
    return made("GET", "/v1/programs/schema")


def get_version(version: int) -> Call[Version | str]:
    """One published version; with ``Accept: application/yaml`` only its text."""
    return made("GET", "/v1/programs/{version}", place={"version": version})
