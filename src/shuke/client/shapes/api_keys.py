"""Shapes of api keys (written by scripts/write_client.py)."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class KeyMade(TypedDict):
    """A key with its secret, which is shown this once; null if the request is repeated."""

    key_id: str
    name: str
    source: str
    # The first characters of the secret.
    hint: str
    scopes: list[str]
    per_minute: int
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    # To the minute or so.
    last_used_at: str | None
    secret: str | None


class KeyRotated(TypedDict):
    """How long the old secret stays good."""

    overlap_minutes: NotRequired[int]


class KeyShown(TypedDict):
    """An API key."""

    key_id: str
    name: str
    source: str
    # The first characters of the secret.
    hint: str
    scopes: list[str]
    per_minute: int
    created_at: str
    expires_at: str | None
    revoked_at: str | None
    # To the minute or so.
    last_used_at: str | None


class KeyTold(TypedDict):
    """A key to be made."""

    # For people: whose it is.
    name: str
    # Names your system in the books and stays when the key is rotated: two keys of one source recognise each other's
    # repeated requests.
    source: str
    scopes: list[str]
    # Requests a minute.
    per_minute: NotRequired[int]


class PageKeyShown(TypedDict):
    """As told."""

    items: list[KeyShown]
    next: NotRequired[str | None]
