"""Codes that members show at tills: twenty digits for a barcode, new every half minute, each good once.

    90 417306982 83920174 6
    │  │         │        └ check digit (Luhn, ISO/IEC 7812-1 annex B)
    │  │         └ time-based one-time password of eight digits (RFC 6238: SHA-1, 30 seconds)
    │  └ the member's number, drawn by lot
    └ says that it is a member's code

A photograph of a code is worth nothing once the code was used, and half a minute later in any case. A phone may keep
codes for the next minutes, and a till that was offline tells when it read one (``read_at``, up to ``OFFLINE`` ago).
"""

from __future__ import annotations

import re
from base64 import b32encode
from datetime import UTC, datetime
from secrets import randbelow, token_bytes
from typing import Final

import pyotp
from msgspec import Struct

from shuke.books import member_codes
from shuke.books.load import Connection
from shuke.books.member_codes import MemberCode
from shuke.values.instants import HOUR, MINUTE, SECOND, Instant

STEP: Final = 30 * SECOND
DRIFT: Final = 1
"""So many half minutes a till's or a phone's clock may be off, either way."""

OFFLINE: Final = 24 * HOUR
"""How long ago a till may have read a code that it brings only now."""

FAILURES_MOST: Final = 5
LOCKED: Final = 10 * MINUTE
"""After so many wrong codes of one number, none of it is taken until so long after the last of them."""

_MARK: Final = "90"
_SERIAL_DIGITS: Final = 9
_PASSWORD_DIGITS: Final = 8
_CODE: Final = re.compile(rf"{_MARK}([0-9]{{{_SERIAL_DIGITS}}})([0-9]{{{_PASSWORD_DIGITS}}})[0-9]")
_LATE: Final = 20  # half minutes that a code is still known by, to say that it is over rather than wrong


class Shown(Struct, frozen=True):
    """A code, and from when until when to show it."""

    code: str
    since: Instant
    until: Instant


class NotRead(Exception):
    """``code``: member_code_unreadable, member_code_wrong, member_code_over, member_code_used, member_code_locked."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


async def show(connection: Connection, member_id: str, *, at: Instant, count: int) -> list[Shown]:
    """The member's codes for this half minute and those that follow, ``count`` of them."""
    found = await member_codes.of_member(connection, member_id)
    while found is None:  # her first; or the number drawn was somebody's
        serial = 10 ** (_SERIAL_DIGITS - 1) + randbelow(9 * 10 ** (_SERIAL_DIGITS - 1))
        await member_codes.add(connection, member_id, serial=serial, secret=token_bytes(20), at=_datetime(at))
        found = await member_codes.of_member(connection, member_id)
    first = at // STEP
    return [
        Shown(_code(found, step), since=step * STEP, until=(step + 1) * STEP) for step in range(first, first + count)
    ]


async def read(connection: Connection, code: str, *, read_at: Instant, now: Instant) -> str:
    """Whose code it is, which is used up with that. Raises ``NotRead``; a wrong guess is to be told to ``count_wrong``.

    Whether a number is nobody's or the password is wrong is not told: both are ``member_code_wrong``.
    """
    serial, password = _parts(code)
    found = await member_codes.by_serial(connection, serial)
    if found is None:
        raise NotRead("member_code_wrong")
    if found.failures >= FAILURES_MOST and found.failed_at is not None and _instant(found.failed_at) > now - LOCKED:
        raise NotRead("member_code_locked")
    step = _step(found, password, read_at // STEP)
    if abs(step - read_at // STEP) > DRIFT:
        raise NotRead("member_code_over")
    if not await member_codes.use(connection, serial, step=step):
        raise NotRead("member_code_used")
    return found.member_id


async def count_wrong(connection: Connection, code: str, *, now: Instant) -> None:
    """Count a code that was ``member_code_wrong`` against its number."""
    serial, _ = _parts(code)
    await member_codes.fail(connection, serial, at=_datetime(now), since=_datetime(now - LOCKED))


async def forget(connection: Connection, *, now: Instant) -> int:
    """Forget the use of codes that would be refused anyway; returns how many."""
    return await member_codes.forget_uses(connection, before=(now - OFFLINE) // STEP - _LATE)


def check_digit(digits: str) -> str:
    """Luhn's check digit: every second digit from the right doubled, the sum of all digits filled up to ten."""
    doubled = str.maketrans("0123456789", "0246813579")
    total = sum(map(int, digits[-1::-2].translate(doubled))) + sum(map(int, digits[-2::-2]))
    return str(-total % 10)


def _code(of: MemberCode, step: int) -> str:
    digits = f"{_MARK}{of.serial}{_password(of, step)}"
    return digits + check_digit(digits)


def _parts(code: str) -> tuple[int, str]:
    found = _CODE.fullmatch(code)
    if found is None or check_digit(code[:-1]) != code[-1]:
        raise NotRead("member_code_unreadable")
    return int(found[1]), found[2]


def _password(of: MemberCode, step: int) -> str:
    made: str = pyotp.HOTP(b32encode(of.secret).decode(), digits=_PASSWORD_DIGITS).at(step)
    return made


def _step(of: MemberCode, password: str, near: int) -> int:
    """The half minute whose password this is, of those around ``near``. Raises ``NotRead``."""
    for step in sorted(range(near - _LATE, near + DRIFT + 1), key=lambda step: abs(step - near)):
        if pyotp.utils.strings_equal(_password(of, step), password):
            return step
    raise NotRead("member_code_wrong")


def _datetime(at: Instant) -> datetime:
    return datetime.fromtimestamp(at / SECOND, UTC)


def _instant(at: datetime) -> Instant:
    return int(at.timestamp() * SECOND)
