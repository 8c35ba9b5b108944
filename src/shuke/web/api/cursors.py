"""Cursors: where a list or a long piece of work goes on, as a text that callers hand back and need not read."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec
from msgspec import Struct

from shuke.web.api.callers import Call
from shuke.web.api.problems import Problem, wrong_field

MOST_CHARACTERS = 1_000

Where = TypeVar("Where", bound=Struct)


def written(where: Struct) -> str:
    """The cursor for a place."""
    return urlsafe_b64encode(msgspec.msgpack.encode(where)).decode().rstrip("=")


def read(cursor: str, kind: type[Where], call: Call, *, pointer: str = "?cursor") -> Where:
    """The place a cursor means. Refused: ``invalid_request`` with ``cursor_invalid``."""
    try:
        packed = urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        return msgspec.msgpack.decode(packed, type=kind)
    except (ValueError, msgspec.DecodeError):
        raise invalid(call, pointer=pointer) from None


def invalid(call: Call, *, pointer: str = "?cursor") -> Problem:
    """The problem of a cursor that is not ours, or is one of something else."""
    return Problem("invalid_request", errors=[wrong_field(pointer, "cursor_invalid", {}, call.locale)])
