"""Ids: names that sort by birth (TypeID), the bucket a member lives in, and the digest of a request's body.

Pure: whoever makes a new id brings the 16 bytes of a UUIDv7. Specification:
https://github.com/jetify-com/typeid, version 0.3.0.
"""

import re
from hashlib import blake2b
from typing import Final
from zlib import crc32

BUCKETS: Final = 64
"""How many buckets the books are cut into. Stored in every member's key: it can never change."""

_CROCKFORD: Final = b"0123456789abcdefghjkmnpqrstvwxyz"
_PYTHON_32: Final = b"0123456789abcdefghijklmnopqrstuv"
_FROM_CROCKFORD: Final = str.maketrans(_CROCKFORD.decode(), _PYTHON_32.decode())
_PAIRS: Final = [chr(first) + chr(second) for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS: Final = range(120, -1, -10)  # thirteen pairs of letters of five bits
_PREFIX: Final = re.compile(r"[a-z]([a-z_]{0,61}[a-z])?")
# 26 letters of five bits hold 130 bits, two more than a UUID: the first letter stops at 7.
_SUFFIX: Final = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{25}")


def bucket_of(member_id: str) -> int:
    """The bucket, 0..63, of a member: CRC-32 of the UTF-8 text. The same on every machine, for ever."""
    return crc32(member_id.encode()) % BUCKETS


def digest(body: bytes) -> bytes:
    """16 bytes (BLAKE2b) that stand for a request's body when a key comes again and bodies are compared."""
    return blake2b(body, digest_size=16).digest()


def typed_id(prefix: str, uuid_bytes: bytes) -> str:
    """A TypeID: "mbr_01h455vb4pex5vsknk084sn02q" for the prefix "mbr" and the 16 bytes of a UUID.

    An empty prefix leaves out the underscore, as the specification has it. ValueError for a prefix other than
    up to 63 of ``a-z`` and ``_`` beginning and ending with a letter, and for any other number of bytes.
    """
    if prefix and not _PREFIX.fullmatch(prefix):
        raise ValueError(f'"{prefix}" cannot begin an id: use up to 63 letters a-z, with underscores only between them')
    if len(uuid_bytes) != 16:
        raise ValueError(f"an id is made of 16 bytes, not {len(uuid_bytes)}")
    number = int.from_bytes(uuid_bytes, "big")
    suffix = "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
    return f"{prefix}_{suffix}" if prefix else suffix


def parse_typed_id(text: str) -> tuple[str, bytes]:
    """The prefix and the 16 bytes of a TypeID. ValueError for everything that ``typed_id`` does not write."""
    prefix, underscore, suffix = text.rpartition("_")
    if not _SUFFIX.fullmatch(suffix) or (underscore and not _PREFIX.fullmatch(prefix)):
        raise ValueError(f'"{text[:90]}" is not an id: it reads like "mbr_01h455vb4pex5vsknk084sn02q"')
    return prefix, int(suffix.translate(_FROM_CROCKFORD), 32).to_bytes(16, "big")
