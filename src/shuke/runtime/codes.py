"""Making coupon codes ahead: drawn from the operating system's secure source, and kept in a batch.

A code is an optional prefix and letters drawn one by one, each of the ``ALPHABET`` as likely as any other. There are
so many letters that one guess in ``ODDS`` (a million million) finds a code of its batch: whoever tries a thousand
guesses a second, which no limit on requests lets pass, finds one in some thirty years. ::

    codes in the batch        letters    guesses that find one: 1 in
                     1              9                2 600 000 000 000
                 1 000             11                1 500 000 000 000
               100 000             13                8 800 000 000 000
             1 000 000             14               21 000 000 000 000
"""

from __future__ import annotations

import re
from os import urandom
from typing import Final

from shuke.books import codes
from shuke.books.load import Connection
from shuke.values.instants import Instant

ALPHABET: Final = "2346789BCDFGHJKMPQRTVWXY"
"""No two that look alike on paper (0 O, 1 I L, 5 S, U V, Z 2), and no vowels that would make words."""

ODDS: Final = 10**12
MOST: Final = 1_000_000
"""The most codes of one batch."""

PREFIX: Final = re.compile(r"[A-Z0-9](?:[A-Z0-9-]{0,15})")
"""What may stand before the letters: for people to see what the code is for."""

_AT_ONCE = 20_000

# A byte stands for a letter by what it leaves when divided; those that would favour the first letters are left out.
_FAIR = 256 - 256 % len(ALPHABET)
_LETTER_OF_BYTE = bytes(ord(ALPHABET[byte % len(ALPHABET)]) for byte in range(256))
_UNFAIR = bytes(range(_FAIR, 256))


def letters_for(size: int) -> int:
    """How many letters codes of a batch of this ``size`` have."""
    letters = 1
    while len(ALPHABET) ** letters < size * ODDS:
        letters += 1
    return letters


def draw(count: int) -> bytes:
    """So many letters, each drawn by itself."""
    drawn = b""
    while len(drawn) < count:
        drawn += urandom((count - len(drawn)) * 256 // _FAIR + 16).translate(_LETTER_OF_BYTE, _UNFAIR)
    return drawn[:count]


async def make_batch(
    connection: Connection, template: str, *, size: int, prefix: str = "", at: Instant, note: str = ""
) -> int:
    """Make a batch of ``size`` codes for a template, all or (if the transaction fails) none; returns its number.

    ValueError for a size other than 1 to ``MOST``, or a prefix other than up to 16 of ``A-Z``, ``0-9`` and "-".
    """
    if not 1 <= size <= MOST:
        raise ValueError(f"a batch has 1 to {MOST} codes, not {size}")
    if prefix and not PREFIX.fullmatch(prefix):
        raise ValueError(f'"{prefix}" cannot begin a code')
    letters = letters_for(size)
    batch = await codes.add_batch(connection, template, prefix=prefix, letters=letters, size=size, at=at, note=note)
    made, first = 0, 1
    while made < size:  # a code drawn twice is drawn again
        asked = min(_AT_ONCE, size - made)
        drawn = draw(asked * letters)
        made += await codes.add_codes(connection, batch, drawn, prefix=prefix, letters=letters, first=first)
        first += asked
    return batch
