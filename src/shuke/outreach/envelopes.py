"""What a delivery looks like on the wire: an event in its envelope, and the signatures over it.

Signing is that of Standard Webhooks 1.0 (https://www.standardwebhooks.com), whichever the envelope; the other
envelope is CloudEvents 1.0 in structured JSON (https://github.com/cloudevents/spec).
"""

from __future__ import annotations

import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Any, Final

from msgspec import Struct, json

from shuke.books.webhooks import Secret
from shuke.values.instants import SECOND, Instant

_encode = json.Encoder().encode

_PREFIX: Final = "whsec_"
_SECRET_BYTES: Final = 32


class Envelope(Struct, frozen=True):
    """``seal`` makes the body of a request from an event (id, type, timestamp, subject, data) and its source."""

    content_type: str
    seal: Callable[[dict[str, Any], str], bytes]


def _standard(event: dict[str, Any], source: str) -> bytes:
    """``type``, ``timestamp`` and ``data``; the id is in the header."""
    return _encode({"type": event["type"], "timestamp": event["timestamp"], "data": event["data"]})


def _cloudevent(event: dict[str, Any], source: str) -> bytes:
    told = {"specversion": "1.0", "id": event["id"], "source": source, "type": event["type"]}
    if event.get("subject"):
        told["subject"] = event["subject"]
    return _encode(
        {**told, "time": event["timestamp"], "datacontenttype": "application/json", "data": event["data"]},
    )


ENVELOPES: Final[dict[str, Envelope]] = {
    "standard": Envelope("application/json", _standard),
    "cloudevents": Envelope("application/cloudevents+json; charset=utf-8", _cloudevent),
}
"""By the form an endpoint asked for."""


def source_of(tenant: str) -> str:
    """The ``source`` of CloudEvents: whose books these are."""
    return f"/shuke/{tenant}"


def new_secret() -> str:
    """A fresh signing secret, as it is shown: ``whsec_`` and 32 random bytes in base64."""
    return _PREFIX + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def rotated(known: Iterable[Secret], *, now: Instant, old_until: Instant) -> list[Secret]:
    """A new secret before those still in force, which are signed with until ``old_until`` at the latest. No more
    than two of them are kept: somebody who rotates that often does not wait for anybody."""
    old = [
        Secret(secret.secret, old_until if secret.until is None else min(secret.until, old_until))
        for secret in in_force(known, now=now)
    ]
    return [Secret(new_secret()), *[secret for secret in old if (secret.until or 0) > now][:2]]


def in_force(known: Iterable[Secret], *, now: Instant) -> list[Secret]:
    """The secrets to sign with at ``now``, the newest first."""
    return [secret for secret in known if secret.until is None or secret.until > now]


def headers_of(event_id: str, payload: bytes, *, form: str, known: Iterable[Secret], now: Instant) -> dict[str, str]:
    """The headers of one attempt at ``now``: one signature for each secret in force, the newest first."""
    timestamp = str(now // SECOND)
    signed = f"{event_id}.{timestamp}.".encode() + payload
    return {
        "content-type": ENVELOPES[form].content_type,
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(secret.secret, signed) for secret in in_force(known, now=now)),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = b64decode(secret.removeprefix(_PREFIX))
    return "v1," + b64encode(hmac.digest(key, signed, sha256)).decode()
