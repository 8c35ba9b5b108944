"""API keys (written by scripts/write_client.py)."""

from __future__ import annotations

from shuke.client.shapes.api_keys import KeyMade, KeyShown, PageKeyShown
from shuke.client.transport import Call, made


def create_key(
    *, name: str, source: str, scopes: list[str], per_minute: int | None = None, idempotency_key: str | None = None
) -> Call[KeyMade]:
    """Make an API key. Nobody can give a key more than his own key has."""
    return made(
        "POST",
        "/v1/keys",
        body={"name": name, "source": source, "scopes": scopes, "per_minute": per_minute},
        once=idempotency_key or True,
    )


def list_keys(*, cursor: str | None = None, limit: int | None = None) -> Call[PageKeyShown]:
    """All API keys, in the order in which they were made."""
    return made("GET", "/v1/keys", query={"cursor": cursor, "limit": limit})


def get_key(key_id: str) -> Call[KeyShown]:
    """One API key."""
    return made("GET", "/v1/keys/{key_id}", place={"key_id": key_id})


def rotate_key(key_id: str, *, overlap_minutes: int | None = None, idempotency_key: str | None = None) -> Call[KeyMade]:
    """Make a key that follows this one, with the same name, source and scopes; this one ends after the overlap.

    A key that was revoked or has expired stays without a successor: what it was good for has ended with it.
    """
    return made(
        "POST",
        "/v1/keys/{key_id}/rotate",
        place={"key_id": key_id},
        body={"overlap_minutes": overlap_minutes},
        once=idempotency_key or True,
    )


def revoke_key(key_id: str, *, idempotency_key: str | None = None) -> Call[KeyShown]:
    """End a key for good, at once. Other servers of this shop refuse it within five seconds."""
    return made("POST", "/v1/keys/{key_id}/revoke", place={"key_id": key_id}, once=idempotency_key or True)
