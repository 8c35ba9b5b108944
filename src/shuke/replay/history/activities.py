"""Activities: JSON lines of ``type, member_id, occurred_at, key, payload``."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from shuke.replay.history import checks
from shuke.replay.history.checks import Refusal
from shuke.replay.history.facts import ACTIVITIES, Fact, FactSheet
from shuke.replay.history.links import Links
from shuke.replay.history.payloads import ELSEWHERE, PayloadReader
from shuke.replay.history.text import MAX_LINE, Refuse, Watch, cut_lines, opened, whole_lines

_TYPE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


class _Told(Struct, forbid_unknown_fields=True):
    type: str
    member_id: str | int | None = None
    occurred_at: str | None = None
    key: str | int | None = None
    payload: dict[str, Any] | None = None


_DECODER: Final = msgspec.json.Decoder(_Told, float_hook=Decimal)
ENCODER: Final = msgspec.json.Encoder(decimal_format="number")


def read_activities(
    path: Path,
    *,
    payloads: PayloadReader,
    sheet: FactSheet,
    links: Links,
    refuse: Refuse,
    watch: Watch | None,
) -> None:
    """Put every activity of the file on the sheet, and join members between whom value moves. Empty lines are
    skipped."""
    with opened(path, watch) as blocks:
        for first, block in whole_lines(blocks):
            for line, text in enumerate(cut_lines(block), first):
                if text.isspace():
                    continue
                try:
                    fact, payload = _read(text, line, payloads)
                except Refusal as refused:
                    refuse(line, refused.code, refused.reason)
                    continue
                links.read(fact.member_id, payload)
                sheet.add(fact)


def _read(text: bytes, line: int, payloads: PayloadReader) -> tuple[Fact, dict[str, Any] | None]:
    if len(text) > MAX_LINE:
        raise Refusal("too_long", f"the line has more than {MAX_LINE} bytes")
    try:
        told = _DECODER.decode(text)
    except msgspec.ValidationError as broken:
        raise Refusal("wrong_type", f"this is not an activity: {broken}") from broken
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        raise Refusal("not_json", f"this is not a line of JSON: {broken}") from broken
    if not _TYPE.fullmatch(told.type) or len(told.type) > checks.MAX_ID:
        raise Refusal("wrong_type", f'"{told.type[:40]}" is not a type of activity: write it like "checked_in"')
    if told.type in ELSEWHERE:
        raise Refusal("told_elsewhere", f"{told.type} cannot be told here: {ELSEWHERE[told.type]}")
    member_id = checks.read_id("member_id", _text(told.member_id))
    at = checks.read_instant("occurred_at", told.occurred_at, calendar=payloads.calendar)
    key = checks.read_id("key", _text(told.key))
    payload = None if told.payload is None else payloads.read(told.type, told.payload)
    packed = None
    if payload is not None:
        packed = ENCODER.encode(payload).decode()
        if "\\u0000" in packed:
            raise Refusal("control_character", "the payload contains the character zero")
    return Fact(ACTIVITIES, line, at, key, told.type, member_id, packed), payload


def _text(value: str | int | None) -> str | None:
    return str(value) if isinstance(value, int) else value
