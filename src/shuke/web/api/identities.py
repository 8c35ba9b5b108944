"""Identities as callers tell them: read into their one form, or refused with the place where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Self

from msgspec import Struct
from pydantic import Field, StringConstraints, model_validator

from shuke.books import members
from shuke.books.identity_forms import NotAnIdentity, normal, region_of
from shuke.engine.activity import Brought, Named
from shuke.engine.identity import MOST_IDENTITIES
from shuke.web.api import contract
from shuke.web.api.callers import Call
from shuke.web.api.contract import MemberId, Told
from shuke.web.api.problems import Problem, WrongField, wrong_field

_COLONS_MOST = 4  # in a kind

Kind = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_:.-]{0,63}$")]
Value = Annotated[str, Field(min_length=1, max_length=200)]

Identities = Annotated[
    dict[Kind, Value],
    contract.few(MOST_IDENTITIES),
    Field(
        max_length=MOST_IDENTITIES,
        description="What she, and nobody else, is called elsewhere, by kind: `phone` (of the region of the program's "
        "zone if it has no country code), `email`, `card`, and platforms as you name them: `wechat_unionid`, "
        "`wechat_openid:<app>`, `line`, `shopify` …",
        examples=[{"phone": "+886912345678", "line": "U4af4980629"}],
    ),
]
"""Identities of somebody who joins."""

ChangedIdentities = Annotated[
    dict[Kind, Value | None],
    contract.few(MOST_IDENTITIES),
    Field(
        max_length=MOST_IDENTITIES,
        description="By kind; another value replaces what she was called before under that kind, null gives it up. "
        "To add one beside others: `POST /v1/members/{member_id}/identities`.",
        examples=[{"email": "ann@example.com", "line": None}],
    ),
]
"""Identities to set or to give up."""


Verified = Annotated[
    list[Kind],
    Field(
        max_length=MOST_IDENTITIES,
        description="Kinds among `identities` that she has shown to be hers: you sent a code to this phone and she "
        "told it. Without that they are only what somebody said.",
        examples=[["phone"]],
    ),
]
"""Which of the identities told were shown to be hers."""


def shown_among(call: Call, verified: list[str], identities: Mapping[str, str | None]) -> list[str]:
    """The kinds, each once. Refused: ``invalid_request`` for one that is not told."""
    for place, kind in enumerate(verified):
        if identities.get(kind) is None:
            raise Problem("invalid_request", errors=[wrong_field(f"/verified/{place}", "not_told", {}, call.locale)])
    return sorted(set(verified))


async def normal_identities(call: Call, told: Mapping[str, str | None]) -> dict[str, str | None]:
    """All of them in their normal form. Refused: ``invalid_request`` with what is wrong with each."""
    if not told:
        return {}
    region = region_of((await call.shop.program()).zone)
    found: dict[str, str | None] = {}
    errors: list[WrongField] = []
    for kind, value in told.items():
        try:
            found[kind] = None if value is None else normal(kind, value, region=region)
        except NotAnIdentity as wrong:
            pointer = f"/identities/{kind}"
            errors.append(wrong_field(pointer, wrong.code, {"character": wrong.character}, call.locale))
    if errors:
        raise Problem("invalid_request", errors=errors)
    return found


class Bag(Told):
    """Who somebody is, by whatever is known of her."""

    member_id: MemberId | None = Field(default=None, description="Her id, if you know it.")
    identities: Identities = Field(default={})
    verified: Verified = Field(default=[])

    @model_validator(mode="after")
    def _names_somebody(self) -> Self:
        if self.member_id is None and not self.identities:
            raise ValueError("tell a member_id, or identities")
        return self

    async def brought(self, call: Call) -> Brought | None:
        """The identities in their normal form; None where only her id is told. Refused: ``invalid_request``."""
        shown = shown_among(call, self.verified, self.identities)
        names = await normal_identities(call, self.identities)
        found = [Named(kind, value, kind in shown) for kind, value in names.items() if value is not None]
        return Brought(found) if found else None


async def normal_identity(call: Call, kind: str, value: str, pointer: str = "/value") -> str:
    """One of them in its normal form. Refused: ``invalid_request`` with ``pointer``."""
    try:
        return normal(kind, value, region=region_of((await call.shop.program()).zone))
    except NotAnIdentity as wrong:
        error = wrong_field(pointer, wrong.code, {"character": wrong.character}, call.locale)
        raise Problem("invalid_request", errors=[error]) from None


class Names(Struct, frozen=True):
    """What somebody may be called: (kind, value) in the order in which they are tried; ``pointer`` is where it was
    told."""

    pointer: str
    readings: list[tuple[str, str]]


def readings(identity: str) -> list[tuple[str, str]]:
    """The ways to read ``kind:value``, since both may have colons: the longest kind first."""
    parts = identity.split(":")
    most = min(len(parts) - 1, _COLONS_MOST)
    cuts = ((":".join(parts[:cut]), ":".join(parts[cut:])) for cut in range(most, 0, -1))
    return [(kind, value) for kind, value in cuts if value]


async def member_called(call: Call, names: Names) -> str | None:
    """The id of the member who is called so; None if nobody is. Refused: ``invalid_request`` for what names nobody."""
    region = region_of((await call.shop.program()).zone)
    forms: list[tuple[str, str]] = []
    no: NotAnIdentity | None = None
    for kind, value in names.readings:
        try:
            forms.append((kind, normal(kind, value, region=region)))
        except NotAnIdentity as wrong:
            no = wrong
    if no is not None and not forms:
        facts = {"character": no.character}
        raise Problem("invalid_request", errors=[wrong_field(names.pointer, no.code, facts, call.locale)])
    async with call.shop.reading() as connection:
        for kind, form in forms:
            member_id = await members.by_identity(connection, kind, form)
            if member_id is not None:
                return member_id
    return None
