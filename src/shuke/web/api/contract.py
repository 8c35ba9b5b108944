"""What every request and answer of the API is made of.

Money is an integer of the currency's minor units, an amount of an asset an integer of its smallest units, both small
enough to be exact in JavaScript. A moment is text by RFC 3339 with its offset; inside it is microseconds in UTC.
Unknown fields, numbers written as text and texts written as numbers are refused: what is misread is lost value.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, PydanticKnownError

from shuke.values.instants import NEVER, Instant, InstantError, format_instant, parse_instant
from shuke.values.names import NAME_MOST, NotAName, plain_name

SAFE: Final = 2**53 - 1
"""The largest integer that every JSON reader keeps exactly."""

_NO_TEXT: Final = re.compile("[\x00\ud800-\udfff]")
_LAST: Final = parse_instant("9999-01-01", zone="UTC")  # whatever comes of a moment has a date, too
_OFFSET: Final = re.compile(r"(Z|z|[+-]\d\d:\d\d)$")


class Told(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _has_few_unknown_fields(cls, told: Any) -> Any:
        """Each unknown field is an error of its own: a body full of them would keep everybody waiting."""
        if isinstance(told, dict) and len(told) > len(cls.model_fields) + _UNKNOWN_MOST:
            raise ValueError(f"there are only {len(cls.model_fields)} fields")
        return told


_UNKNOWN_MOST: Final = 10


def few(most: int) -> BeforeValidator:
    """Refuse an object of more than ``most`` fields before looking at each of them."""

    def look(told: Any) -> Any:
        if isinstance(told, dict) and len(told) > most:
            raise PydanticKnownError(
                "too_long", {"field_type": "Dictionary", "max_length": most, "actual_length": len(told)}
            )
        return told

    return BeforeValidator(look)


class Shown(BaseModel):
    """Part of an answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def one_form(text: str) -> str:
    """A name in the form in which it is kept. Raises ValueError, also for blanks around it."""
    try:
        found = plain_name(text)
    except NotAName as refused:
        if refused.code != "unseen_character":
            raise
        raise PydanticCustomError(
            "unseen_character", "{error}", {"error": str(refused), "character": refused.character}
        ) from None
    if found != found.strip():
        raise ValueError("blanks around it are not allowed")
    if len(found) > NAME_MOST:
        raise ValueError(f"composed it has more than {NAME_MOST} characters")
    return found


def has_no_zero(text: str) -> str:
    if _NO_TEXT.search(text):
        raise ValueError("the character zero and half characters are not allowed")
    return text


Id = Annotated[str, Field(min_length=1, max_length=NAME_MOST), AfterValidator(one_form)]
"""A name somebody else chose: a member's id, an order's number, a key."""

MemberId = Annotated[Id, Field(description="The member's id: yours, or one we made (`mbr_…`).", examples=["m-1001"])]
OrderId = Annotated[Id, Field(description="The order's number in your system.", examples=["o-20261122-7"])]
Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$", description="An id that the program document gives.")]
Line = Annotated[str, Field(max_length=200), AfterValidator(has_no_zero)]
"""A short text."""

Prose = Annotated[str, Field(max_length=1000), AfterValidator(has_no_zero)]
"""A text for people."""

Amount = Annotated[int, Field(ge=0, le=SAFE)]
Positive = Annotated[int, Field(ge=1, le=SAFE)]
Signed = Annotated[int, Field(ge=-SAFE, le=SAFE)]
Quantity = Annotated[int, Field(ge=1, le=1_000_000)]


def read_moment(told: Any) -> Any:
    if isinstance(told, str):
        if not _OFFSET.search(told):
            raise ValueError("a moment needs its offset, such as 2026-11-22T09:30:00+08:00")
        try:
            instant = parse_instant(told, zone="UTC")
        except InstantError as broken:
            raise ValueError(str(broken)) from broken
        if not 0 <= instant < _LAST:
            raise ValueError("a moment lies between the years 1970 and 9998")
        return instant
    raise ValueError("a moment is text, such as 2026-11-22T09:30:00+08:00")


def shown_moment(instant: Instant | None) -> str | None:
    """RFC 3339 in UTC; None for what never comes."""
    if instant is None or instant >= NEVER:
        return None
    return format_instant(instant, zone="UTC").removesuffix("+00:00") + "Z"


_MOMENT_SCHEMA: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}

Moment = Annotated[
    int,
    BeforeValidator(read_moment),
    WithJsonSchema({**_MOMENT_SCHEMA, "examples": ["2026-11-22T09:30:00+08:00"]}),
]
"""A moment that is told: microseconds inside."""

ShownMoment = Annotated[
    int,
    PlainSerializer(shown_moment, return_type=str, when_used="json"),
    WithJsonSchema({**_MOMENT_SCHEMA, "examples": ["2026-11-22T01:30:00Z"]}),
]
"""A moment that is shown: made from microseconds."""

ShownEnd = Annotated[
    int,
    PlainSerializer(shown_moment, return_type=str | None, when_used="json"),
    WithJsonSchema({"anyOf": [_MOMENT_SCHEMA, {"type": "null"}], "description": "null: never"}),
]
"""A moment that is shown and may never come."""


class Fraction:
    """A number with a fraction, as it was written. It is no text: what asks for text refuses it."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def bounded(told: dict[str, Any]) -> dict[str, Any]:
    left = [_FREE_VALUES]

    def kept(value: Any, depth: int) -> Any:
        if isinstance(value, Fraction):
            value = value.text
        look(value, depth)
        return value

    def look(value: Any, depth: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise ValueError(f"more than {_FREE_VALUES} values")
        if depth > _FREE_DEPTH:
            raise ValueError(f"nested deeper than {_FREE_DEPTH}")
        if isinstance(value, str):
            if len(value) > _FREE_TEXT:
                raise ValueError(f"a text is longer than {_FREE_TEXT} characters")
            has_no_zero(value)
        elif isinstance(value, bool) or value is None:
            return
        elif isinstance(value, int):
            if abs(value) > SAFE:
                raise ValueError("a number is beyond what every reader keeps exactly; write it as text")
        elif isinstance(value, list):
            value[:] = [kept(item, depth + 1) for item in value]
        elif isinstance(value, dict):
            for name, item in value.items():
                look(name, depth + 1)
                value[name] = kept(item, depth + 1)
        else:
            raise ValueError("only JSON values are allowed")

    look(told, 0)
    return told


_FREE_VALUES: Final = 2000
_FREE_DEPTH: Final = 12
_FREE_TEXT: Final = 10_000

Free = Annotated[dict[str, Any], AfterValidator(bounded)]
"""What the merchant writes as he likes. Numbers with a fraction are kept as the text they were written as."""

T = TypeVar("T")


class Page(Shown, Generic[T]):
    """A part of a list. Pass ``next`` as ``cursor`` for what follows; null: this was the last page."""

    items: list[T]
    next: str | None = None
