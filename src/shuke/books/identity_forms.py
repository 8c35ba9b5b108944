"""The one form in which an identity is kept and looked for, so that what is meant the same is the same text.

Every door that is told an identity brings it here first. Placeholders that systems write where they know nothing
("null", "0", "anonymous" …) are refused: they would make one person of everybody.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from babel.core import get_global
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

from shuke.values.names import NAME_MOST, NotAName, composed, plain_name

MOST_CHARACTERS: Final = NAME_MOST

_KIND: Final = re.compile(r"[a-z][a-z0-9_:.-]{0,63}")
_CONTROL: Final = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_BETWEEN: Final = re.compile(r"[\s\-‐-―]+")  # blanks, hyphens, dashes

# What Segment, PostHog and others refuse as ids, and what exports write for nothing.
_PLACEHOLDERS: Final = frozenset(
    (
        *("", "0", "-1", "null", "nil", "none", "nan", "n/a", "na", "undefined", "unknown", "true", "false"),
        *("anonymous", "guest", "distinctid", "distinct_id", "id", "not_authenticated", "email", "phone"),
        *("[object object]", "[object undefined]", "[object null]"),
    )
)
_NOBODYS_MAIL: Final = frozenset(("null", "undefined", "nan"))


class NotAnIdentity(ValueError):
    """``code``: kind_invalid, identity_too_long, identity_has_control_characters, unseen_character (which is
    ``character``), identity_placeholder, not_a_phone, not_an_email. The message says it in English."""

    def __init__(self, code: str, message: str, *, character: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.character = character


def normal(kind: str, value: str, *, region: str | None) -> str:
    """The normal form of an identity. ``region`` (such as TW) is meant by phone numbers without a country code.

    phone: E.164. email: as RFC 6531 writes it, the domain in small letters; what stands before the @ is as it is, also
    its dots. card: without blanks and hyphens, in capitals. Any other kind: the value as names are kept (see
    ``values.names``), without blanks around it.

    Raises ``NotAnIdentity``.
    """
    if not _KIND.fullmatch(kind):
        message = f'"{kind[:40]}" is no kind of identity: write small letters, digits and _ : . -, a letter first'
        raise NotAnIdentity("kind_invalid", message)
    text = value.strip()
    if len(text) > MOST_CHARACTERS:
        message = f"it has {len(text)} characters; at most {MOST_CHARACTERS} are allowed"
        raise NotAnIdentity("identity_too_long", message)
    if _CONTROL.search(text):
        raise NotAnIdentity("identity_has_control_characters", "it contains a control character")
    if is_placeholder(text):
        raise NotAnIdentity("identity_placeholder", f'"{text}" stands for nothing and would be everybody\'s')
    if kind == "phone":
        return _phone(text, region)
    if kind == "email":
        return _email(text)
    if kind == "card":
        text = composed(_BETWEEN.sub("", text).upper())
    try:
        return plain_name(text)
    except NotAName as broken:
        raise NotAnIdentity(broken.code, str(broken), character=broken.character) from None


def is_placeholder(text: str) -> bool:
    """Whether a system wrote this because it knew nothing."""
    plain = text.strip("\"'` ").casefold()
    return plain in _PLACEHOLDERS or not re.sub(r"[\W_0]", "", plain)


@lru_cache(maxsize=100)
def region_of(zone: str) -> str | None:
    """The region in which a time zone lies ("TW" for Asia/Taipei); None where it lies in none."""
    found: str | None = get_global("zone_territories").get(zone)
    return found


def _phone(text: str, region: str | None) -> str:
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException as broken:
        more = "" if region is not None or text.startswith("+") else "; write it with its country code, such as +886"
        raise NotAnIdentity("not_a_phone", f'"{text[:40]}" is no phone number{more}') from broken
    # One digit over and over is what people type to be let through.
    made_up = len(set(str(number.national_number))) == 1
    if not phonenumbers.is_valid_number(number) or number.extension or made_up or re.search("[A-Za-z]", text):
        raise NotAnIdentity("not_a_phone", f'"{text[:40]}" is no phone number that anybody could have')
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)


def _email(text: str) -> str:
    try:
        found = validate_email(text, check_deliverability=False)
    except EmailNotValidError as broken:
        raise NotAnIdentity("not_an_email", f'"{text[:80]}" is no e-mail address: {broken}') from broken
    if found.local_part.casefold() in _NOBODYS_MAIL:
        raise NotAnIdentity("identity_placeholder", f'"{text[:80]}" stands for nothing and would be everybody\'s')
    return found.normalized
