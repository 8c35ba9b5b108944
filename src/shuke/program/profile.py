"""Chapter 1: the profile. What the shop wants to know of a member, of which kind it is, and who may say so.

Traits that are not declared are free: anybody's, of any kind. A declared one is checked wherever it is told, and
conditions know what kind ``trait.<id>`` has. Once all that is required is there, her profile is complete: that is an
activity of its own (``profile.completed``), once for ever, that rules can reward.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from shuke.program.chapter import Chapter, Number, Slug, Text, read_period
from shuke.program.condition_facts import Kind
from shuke.program.problems import Broken

TEXT_MOST = 1000
"""The most characters of a text trait."""

LIST_MOST = 100
"""The most texts of a list."""


class TraitType(StrEnum):
    """What a trait holds. ``CHOICE`` is one of a list, ``LIST`` several texts; ``LANGUAGE`` a tag such as zh-Hant,
    ``ZONE`` a time zone such as Asia/Taipei; ``MONEY`` an amount in minor units of the program's currency."""

    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    BOOLEAN = "boolean"
    CHOICE = "choice"
    LIST = "list"
    MONEY = "money"
    LANGUAGE = "language"
    ZONE = "zone"


KINDS: dict[TraitType, Kind] = {
    TraitType.TEXT: Kind.TEXT,
    TraitType.NUMBER: Kind.NUMBER,
    TraitType.DATE: Kind.DATE,
    TraitType.BOOLEAN: Kind.BOOLEAN,
    TraitType.CHOICE: Kind.TEXT,
    TraitType.LIST: Kind.TEXTS,
    TraitType.MONEY: Kind.MONEY,
    TraitType.LANGUAGE: Kind.TEXT,
    TraitType.ZONE: Kind.TEXT,
}
"""What conditions take a trait for."""

Who = Literal["merchant", "member"]


class Choice(Chapter):
    """One answer among several."""

    id: Slug
    title: Text | None = None


class Trait(Chapter):
    """Something that is asked of members. ``least`` and ``most`` bound numbers and money (in currency units);
    ``choices`` what a choice may be, or the texts of a list."""

    id: Slug
    title: Text | None = None
    type: TraitType
    required: bool = False
    changed_by: list[Who] = Field(default=["merchant", "member"], min_length=1)
    change_every: str | None = None
    choices: list[Choice] = Field(default_factory=list)
    least: Number | None = None
    most: Number | None = None
    without_year: bool = False

    @field_validator("change_every")
    @classmethod
    def _period(cls, told: str | None) -> str | None:
        if told is not None:
            read_period(told)
        return told

    @model_validator(mode="after")
    def _fits_its_type(self) -> Trait:
        if self.type is TraitType.CHOICE and not self.choices:
            raise Broken("trait_choices")
        if self.choices and self.type not in (TraitType.CHOICE, TraitType.LIST):
            raise Broken("trait_no_choices", type=self.type.value)
        if len({choice.id for choice in self.choices}) < len(self.choices):
            raise Broken("trait_choice_ids")
        if (self.least is not None or self.most is not None) and self.type not in (TraitType.NUMBER, TraitType.MONEY):
            raise Broken("trait_bounds")
        if self.least is not None and self.most is not None and self.least > self.most:
            raise Broken("trait_least")
        if self.without_year and self.type is not TraitType.DATE:
            raise Broken("trait_without_year")
        return self


Channel = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]


class Purpose(Chapter):
    """What members are asked to agree to, such as marketing; each channel is agreed to by itself.

    ``text`` is what they agree to, as they read it; ``version`` its name. A hash of the text is kept with each consent.
    """

    id: Slug
    title: Text | None = None
    channels: list[Channel] = Field(min_length=1)
    text: Text | None = None
    version: str | None = Field(default=None, min_length=1, max_length=100)

    @model_validator(mode="after")
    def _each_channel_once(self) -> Purpose:
        if len(set(self.channels)) < len(self.channels):
            raise Broken("purpose_channels")
        return self


def hash_of(text: Text | None, language: str) -> str | None:
    """SHA-256, in hex, of the text in this language (or of the one there is); None where there is no such text."""
    told = text.get(language) if isinstance(text, dict) else text
    return None if told is None else hashlib.sha256(told.encode()).hexdigest()


def hashes_of(text: Text | None) -> frozenset[str]:
    """The hashes of a text in all its languages."""
    languages = text if isinstance(text, dict) else [""]
    return frozenset(found for found in (hash_of(text, language) for language in languages) if found is not None)


class Dormancy(Chapter):
    """Who does nothing for this long is dormant. ``on``: the activities that keep her awake, if not all of her own."""

    after: str
    on: list[str] = Field(default_factory=list)

    @field_validator("after")
    @classmethod
    def _period(cls, told: str) -> str:
        if read_period(told).count == 0:
            raise Broken("dormancy_after")
        return told


class Frozen(Chapter):
    """What a frozen member may still do."""

    earn: bool = False
    spend: bool = False


class Profile(Chapter):
    """What is asked of members. ``closed``: nothing else may be told of them."""

    traits: list[Trait] = Field(default_factory=list)
    required_identities: list[str] = Field(default_factory=list)
    closed: bool = False
    purposes: list[Purpose] = Field(default_factory=list)
    dormancy: Dormancy | None = None
    frozen: Frozen = Field(default_factory=Frozen)
