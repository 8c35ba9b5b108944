"""The gate: which key is calling, whether it is still good, and how often it may call.

A key is looked up in the books once and remembered for a few seconds, so one revoked elsewhere is refused within
``KEPT_SECONDS``; one revoked through this process at once.

Each key that nobody has seen yet is a question to the books, so whoever guesses may ask few of them (``guesses``). What
comes from his address is not refused for it where the key is good: that is then looked up in a list of all keys, which
is read once in ``KEPT_SECONDS``, however many ask.
"""

from __future__ import annotations

from asyncio import Lock
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from math import ceil
from time import monotonic
from typing import Final

from shuke.books import keys
from shuke.books.keys import Key
from shuke.runtime.clock import now
from shuke.runtime.shop import Shop
from shuke.values.instants import SECOND
from shuke.web.api.guesses import Allowance, Guesses
from shuke.web.api.problems import Problem

KEPT_SECONDS: Final = 5.0
_KNOWN_MOST: Final = 10_000


class Gate:
    """Admits callers of one shop."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.guesses = Guesses()
        self._known: dict[bytes, tuple[Key | None, float]] = {}
        self._listed: frozenset[bytes] = frozenset()  # digests of all keys, read at ``_listed_at``
        self._listed_at = float("-inf")
        self._listing = Lock()
        self._allowances: dict[str, Allowance] = {}
        self._under_way: dict[tuple[str, str], tuple[str, int]] = {}  # what for, how often at once
        self._used: dict[str, datetime] = {}

    async def admit(self, authorization: str | None, *, address: str) -> Key:
        """The key of an ``Authorization`` header, bearer or (as its user name) basic. ``address`` is the caller's.

        Refused: ``key_missing``, ``key_unknown``, ``key_revoked``, ``key_expired``, ``guessed_too_often``.
        """
        return await self.admit_secret(secret_of(authorization), address=address)

    async def admit_secret(self, secret: str | None, *, address: str, scheme: str = "Bearer") -> Key:
        """The key with this secret. Refused as by ``admit``; ``scheme`` is what whoever brings none is told to use."""
        if not secret:
            self._count_failure(address)
            raise Problem("key_missing", headers={"WWW-Authenticate": scheme})
        digest = digest_of(secret)
        known = self._known.get(digest)
        key = known[0] if known is not None else None
        if known is None or monotonic() - known[1] >= KEPT_SECONDS:
            key = await (self._look_up(digest) if key is not None else self._look_up_stranger(digest, address))
        elif key is None:
            self._count_failure(address)
        challenge = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
        if key is None:
            raise Problem("key_unknown", headers=challenge)
        at = datetime.fromtimestamp(now() / SECOND, UTC)
        if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
            self._count_failure(address)
            raise Problem("key_expired" if key.revoked_at is None else "key_revoked", headers=challenge)
        self._used[key.key_id] = at
        return key

    def _count_failure(self, address: str) -> None:
        """Refused: ``guessed_too_often``."""
        wait = self.guesses.take(address, at=monotonic())
        if wait:
            raise _slow_down(wait)

    async def _look_up_stranger(self, digest: bytes, address: str) -> Key | None:
        """A key of which this process knows nothing. A failure is counted beforehand, as many may ask at once.

        Refused: ``guessed_too_often``.
        """
        wait = self.guesses.take(address, at=monotonic())
        if wait and digest not in await self._all():
            raise _slow_down(wait)
        key = await self._look_up(digest)
        if key is not None and not wait:
            self.guesses.give_back(address)
        return key

    async def _look_up(self, digest: bytes) -> Key | None:
        at = monotonic()
        async with self.shop.reading() as connection:
            key = await keys.by_digest(connection, digest)
        if len(self._known) >= _KNOWN_MOST:  # somebody is guessing
            self._known.clear()
        self._known[digest] = (key, at)
        return key

    async def _all(self) -> frozenset[bytes]:
        async with self._listing:
            if monotonic() - self._listed_at >= KEPT_SECONDS:
                async with self.shop.reading() as connection:
                    self._listed = await keys.digests(connection)
                self._listed_at = monotonic()
        return self._listed

    @contextmanager
    def using(self, source: str, key: str, *, to: str) -> Iterator[None]:
        """An Idempotency-Key is used ``to`` do one kind of thing at a time: what is under way is not in the books yet.

        Refused: ``idempotency_key_reused``.
        """
        place = source, key
        doing, count = self._under_way.get(place, (to, 0))
        if doing != to:
            raise Problem("idempotency_key_reused")
        self._under_way[place] = to, count + 1
        try:
            yield
        finally:
            _, count = self._under_way[place]
            if count > 1:
                self._under_way[place] = to, count - 1
            else:
                del self._under_way[place]

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
        seconds = allowance.wait(most)
        if seconds:
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


def _slow_down(seconds: int) -> Problem:
    return Problem("guessed_too_often", headers={"Retry-After": str(seconds)}, seconds=seconds)


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
