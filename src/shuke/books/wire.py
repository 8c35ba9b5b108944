"""PostgreSQL's binary COPY format for the few types the books use.

A row is written as bytes at once: no value passes through a driver's adapters, and instants stay integers
(the server counts microseconds from 2000-01-01). Format: PostgreSQL manual, COPY, "Binary Format".
"""

from __future__ import annotations

from struct import Struct

from shuke.values.instants import NEVER, Instant

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"

EPOCH_2000 = 946_684_800_000_000  # 2000-01-01T00:00:00Z in microseconds since 1970

_length = Struct("!i").pack
_int2 = Struct("!ih").pack
_int4 = Struct("!ii").pack
_int8 = Struct("!iq").pack
_count = Struct("!h").pack

columns = _count
"""The start of a row: how many columns it has."""


def int2(value: int) -> bytes:
    return _int2(2, value)


def int4(value: int) -> bytes:
    return _int4(4, value)


def int8(value: int) -> bytes:
    return _int8(8, value)


def instant(value: Instant) -> bytes:
    """A timestamptz; NEVER is null."""
    return NULL if value >= NEVER else _int8(8, value - EPOCH_2000)


def raw(value: bytes) -> bytes:
    """A bytea, or text or json already encoded."""
    return _length(len(value)) + value


def text(value: str | None) -> bytes:
    """Text without NUL, which PostgreSQL cannot hold (doors refuse it)."""
    if value is None:
        return NULL
    encoded = value.encode()
    return _length(len(encoded)) + encoded


class Words(dict[str | None, bytes]):
    """Encoded texts of a small vocabulary (assets, kinds, rules), each worked out once."""

    def __missing__(self, word: str | None) -> bytes:
        if len(self) >= _WORDS_MOST:
            self.clear()
        encoded = self[word] = text(word)
        return encoded


_WORDS_MOST = 10_000


def jsonb(value: bytes | None) -> bytes:
    """A jsonb from JSON text."""
    return NULL if value is None else _length(len(value) + 1) + b"\x01" + value
