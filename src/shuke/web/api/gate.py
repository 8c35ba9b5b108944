"""The gate: which key is calling, whether it is still good, and how often it may call.

A key is looked up in the books once and remembered for a few seconds, so one revoked elsewhere is refused within
``KEPT_SECONDS``; one revoked through this process at once.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as NotBase64
from datetime import UTC, datetime
from hashlib import sha256
from math import ceil
from time import monotonic
from typing import Final

from msgspec import Struct

from shuke.books import keys
from shuke.books.keys import Key
from shuke.runtime.clock import now
from shuke.runtime.shop import Shop
from shuke.values.instants import SECOND
from shuke.web.api.problems import Problem

KEPT_SECONDS: Final = 5.0
_KNOWN_MOST: Final = 10_000


class Allowance(Struct):
    """How many requests a key has left at the moment: a bucket of ``per_minute`` that fills in a minute. Below zero:
    a request was worth more than was left, and those that follow wait for it."""

    left: float
    at: float  # seconds, monotonic

    def fill(self, most: int, *, at: float) -> None:
        """Let the time pass until ``at``; at most ``most`` are in the bucket, which fills in a minute."""
        self.left = min(float(most), self.left + (at - self.at) * most / 60)
        self.at = at


class Gate:
    """Admits callers of one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self._known: dict[bytes, tuple[Key | None, float]] = {}
        self._allowances: dict[str, Allowance] = {}
        self._used: dict[str, datetime] = {}

    async def admit(self, authorization: str | None) -> Key:
        """The key of an ``Authorization`` header, bearer or (as its user name) basic.

        Refused: ``key_missing``, ``key_unknown``, ``key_revoked``, ``key_expired``.
        """
        secret = secret_of(authorization)
        if secret is None:
            raise Problem("key_missing", headers={"WWW-Authenticate": "Bearer"})
        return await self.admit_secret(secret)

    async def admit_secret(self, secret: str) -> Key:
        """The key with this secret. Refused as by ``admit``."""
        key = await self._find(digest_of(secret))
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        if key is None:
            raise Problem("key_unknown", headers=challenge)
        if key.revoked_at is not None:
            raise Problem("key_revoked", headers=challenge)
        at = datetime.fromtimestamp(now() / SECOND, UTC)
        if key.expires_at is not None and key.expires_at <= at:
            raise Problem("key_expired", headers=challenge)
        self._used[key.key_id] = at
        return key

    async def _find(self, digest: bytes) -> Key | None:
        at = monotonic()
        known = self._known.get(digest)
        if known is not None and at - known[1] < KEPT_SECONDS:
            return known[0]
        async with self.shop.reading() as connection:
            key = await keys.by_digest(connection, digest)
        if len(self._known) >= _KNOWN_MOST:  # somebody is guessing
            self._known.clear()
        self._known[digest] = (key, at)
        return key

    def forget(self, key_id: str) -> None:
        """Look this key up again when it calls next."""
        self._known = {
            digest: found for digest, found in self._known.items() if found[0] is None or found[0].key_id != key_id
        }

    def allow(self, key: Key) -> dict[str, str]:
        """Count a request; the headers that tell what is left (draft-ietf-httpapi-ratelimit-headers-10).

        Counted in this process. Refused: ``rate_limited``.
        """
        at = monotonic()
        most = key.per_minute
        allowance = self._allowances.get(key.key_id)
        if allowance is None:
            allowance = self._allowances[key.key_id] = Allowance(float(most), at)
        allowance.fill(most, at=at)
        if allowance.left < 1:
            seconds = ceil((1 - allowance.left) * 60 / most)
            told = {"RateLimit": f'"key";r=0;t={seconds}', "Retry-After": str(seconds)}
            raise Problem("rate_limited", headers={**_policy(most), **told}, per_minute=most, seconds=seconds)
        return self._taken(allowance, 1, most)

    def charge(self, key: Key, more: int) -> dict[str, str]:
        """Count a request that was let in for so many ``more``; the headers that tell what is left.

        It is not refused for it: it was read already, and one that is worth more than a minute's requests must get
        through, too. The next ones wait instead.
        """
        return self._taken(self._allowances[key.key_id], more, key.per_minute)

    def _taken(self, allowance: Allowance, count: int, most: int) -> dict[str, str]:
        allowance.left -= count
        full_in = ceil((most - allowance.left) * 60 / most)
        return {**_policy(most), "RateLimit": f'"key";r={max(0, int(allowance.left))};t={full_in}'}

    async def remember_use(self) -> None:
        """Write down when keys were last used; called now and then, and at the end."""
        used, self._used = self._used, {}
        if used:
            async with self.shop.pool.connection() as connection:
                await keys.touch(connection, used)


def _policy(most: int) -> dict[str, str]:
    return {"RateLimit-Policy": f'"key";q={most};w=60'}


def digest_of(secret: str) -> bytes:
    """What stands for a secret in the books. A secret has 256 random bits: no salt and no slow hash are needed."""
    return sha256(secret.encode(errors="surrogatepass")).digest()  # what is no text is no secret of ours either


def secret_of(authorization: str | None) -> str | None:
    """The secret in an ``Authorization`` header; None where there is none."""
    if authorization is None:
        return None
    scheme, _, told = authorization.partition(" ")
    told = told.strip()
    if scheme.lower() == "bearer":
        return told or None
    if scheme.lower() == "basic":
        try:
            user, _, _ = b64decode(told, validate=True).decode().partition(":")
        except (NotBase64, ValueError):
            return None
        return user or None
    return None
