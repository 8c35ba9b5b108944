"""PostgreSQL's binary forms for the few types the books use: rows, and arrays of whole columns.

A row is written as bytes at once: no value passes through a driver's adapters, and instants stay integers
(the server counts microseconds from 2000-01-01). A row for COPY is a count and then each field behind its
length, which is also how a statement gets its parameters and how an array holds its elements; so the same
bytes serve all three. Formats: PostgreSQL manual, COPY, "Binary Format", and src/backend/utils/adt/arrayfuncs.c.
"""

from __future__ import annotations

from struct import Struct

import psycopg
from psycopg.adapt import Dumper
from psycopg.pq import Format

from shuke.values.instants import NEVER, Instant

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"

EPOCH_2000 = 946_684_800_000_000  # 2000-01-01T00:00:00Z in microseconds since 1970

_LENGTH = Struct("!i")
_length = _LENGTH.pack
_int2 = Struct("!ih").pack
_int4 = Struct("!ii").pack
_int8 = Struct("!iq").pack
_COUNT = Struct("!h")
_count = _COUNT.pack

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


class Field(bytes):
    """A parameter in binary form, its length left out. The server takes its type from where it is used."""


class _FieldDumper(Dumper):
    format = Format.BINARY
    oid = 0

    def dump(self, obj: bytes) -> bytes:
        return obj


psycopg.adapters.register_dumper(Field, _FieldDumper)


def columns_of(rows: list[bytes]) -> list[list[bytes]]:
    """The rows' fields column by column, each still behind its length: what ``array`` takes."""
    (width,) = _COUNT.unpack_from(rows[0])
    found: list[list[bytes]] = [[] for _ in range(width)]
    for row in rows:
        at = 2
        for column in found:
            (length,) = _LENGTH.unpack_from(row, at)
            end = at + 4 + max(0, length)
            column.append(row[at:end])
            at = end
    return found


TYPES = {
    "int2": 21,
    "int4": 23,
    "int8": 20,
    "text": 25,
    "bytea": 17,
    "timestamptz": 1184,
    "json": 114,
    "jsonb": 3802,
}
"""Type numbers, the same on every server."""


def array(type_: str, elements: list[bytes]) -> Field:
    """An array of one dimension from its elements, each as the functions above write it."""
    return Field(_array(1, 1, TYPES[type_], len(elements), 1) + b"".join(elements))


_array = Struct("!iiiii").pack  # dimensions, nulls possible, type of elements, how many, number of the first
