"""Sentences with gaps: optional parts, and blanks between scripts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from typing import NamedTuple


class _Part(NamedTuple):
    """Literals and names, taking turns, literal first. An optional part goes if a name has no value."""

    pieces: tuple[str, ...]
    optional: bool


@cache
def _parts(template: str) -> tuple[_Part, ...]:
    found = []
    for part in re.split(r"(\[[^\[\]]*\])", template):
        optional = part.startswith("[")
        if part:
            pieces = re.split(r"\{(\w+)\}", part[1:-1] if optional else part)
            found.append(_Part(tuple(pieces), optional))
    return tuple(found)


def names_in(template: str) -> set[str]:
    """The names a template asks for, as ``name``, or ``[name]`` where it does without."""
    return {f"[{name}]" if part.optional else name for part in _parts(template) for name in part.pieces[1::2]}


def fill(template: str, values: Mapping[str, str | None]) -> str:
    """The template with its values. KeyError if it cannot do without one that is missing."""
    pieces: list[str] = []
    for part in _parts(template):
        names = part.pieces[1::2]
        if part.optional and any(values.get(name) is None for name in names):
            continue
        for position, piece in enumerate(part.pieces):
            value = values.get(piece) if position % 2 else piece
            if value is None:
                raise KeyError(piece)
            pieces.append(value)
    return _joined([piece for piece in pieces if piece])


def _joined(pieces: list[str]) -> str:
    """The pieces side by side, with a blank where Chinese meets Latin letters or digits."""
    text = pieces[:1]
    for before, after in pairwise(pieces):
        left, right = before[-1], after[0]
        if (_is_han(left) and _is_latin(right, "($€£¥+-")) or (_is_latin(left, ")%") and _is_han(right)):
            text.append(" ")
        text.append(after)
    return "".join(text)


def _is_han(character: str) -> bool:
    return "\u3400" <= character <= "\u9fff"


def _is_latin(character: str, others: str) -> bool:
    return character in others or (character.isalnum() and not _is_han(character))
