"""From keys and facts to sentences: each fact is told in the language of its sentence."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal, NamedTuple, TypeAlias

from shuke.program.sentences import en, zh_hans, zh_hant
from shuke.program.sentences.filling import fill

Locale = Literal["en", "zh-Hant", "zh-Hans"]

LOCALES: Final[tuple[Locale, ...]] = ("en", "zh-Hant", "zh-Hans")

_TRADITIONAL: Final = ("hant", "tw", "hk", "mo")


def language_of(told: str | None) -> Locale:
    """Which of the three languages is meant by "zh_TW.UTF-8", "zh-Hans-CN", "de" … (English if none)."""
    words = re.split(r"[-_.@]", (told or "").lower())
    if words[0] != "zh":
        return "en"
    return "zh-Hant" if any(word in _TRADITIONAL for word in words) else "zh-Hans"


# -- Facts ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words that each language says in its own way: ``key`` is one of ``PARTS``."""

    key: str
    facts: tuple[tuple[str, Fact], ...] = ()

    @classmethod
    def of(cls, key: str, /, **facts: Fact) -> Phrase:
        return cls(key, tuple(facts.items()))


@dataclass(frozen=True, slots=True)
class Listed:
    """Several facts, one after the other; the last one joined by "and" or "or" where that is said."""

    items: tuple[Fact, ...]
    joint: Literal["list", "and", "or"] = "list"


Fact: TypeAlias = "str | int | Decimal | Phrase | Listed | None"
"""Something a sentence is filled in with. Texts and numbers are written as they are; None is left out."""

Facts: TypeAlias = "tuple[tuple[str, Fact], ...]"


class _Language(NamedTuple):
    PROBLEMS: Mapping[str, str]
    PARTS: Mapping[str, str]
    CHANGES: Mapping[str, str]


_LANGUAGES: Final[dict[Locale, _Language]] = {
    "en": _Language(en.PROBLEMS, en.PARTS, en.CHANGES),
    "zh-Hant": _Language(zh_hant.PROBLEMS, zh_hant.PARTS, zh_hant.CHANGES),
    "zh-Hans": _Language(zh_hans.PROBLEMS, zh_hans.PARTS, zh_hans.CHANGES),
}


def say(key: str, facts: Facts, locale: Locale) -> str:
    """The sentence of a problem. KeyError for a key that is on no list, or a fact that is missing."""
    return fill(_LANGUAGES[locale].PROBLEMS[key], _told(facts, locale))


def part(key: str, locale: Locale, /, **facts: Fact) -> str:
    """Words of a sentence."""
    return fill(_LANGUAGES[locale].PARTS[key], _told(tuple(facts.items()), locale))


def changed(key: str, locale: Locale, /, **facts: Fact) -> str:
    """Words of what changes in a program, and of what it says."""
    return fill(_LANGUAGES[locale].CHANGES[key], _told(tuple(facts.items()), locale))


def tell(fact: Fact, locale: Locale) -> str:
    """A fact as it stands in a sentence."""
    match fact:
        case Phrase(key, facts):
            return fill(_LANGUAGES[locale].PARTS[key], _told(facts, locale))
        case Listed(items, joint):
            return _listed([tell(item, locale) for item in items], joint, locale)
        case Decimal():
            return f"{fact:f}"
        case _:
            return str(fact)


def _told(facts: Facts, locale: Locale) -> dict[str, str | None]:
    return {name: None if fact is None else tell(fact, locale) for name, fact in facts}


def _listed(items: list[str], joint: str, locale: Locale) -> str:
    if joint == "list" or len(items) == 1:
        return _LANGUAGES[locale].PARTS["list"].join(items)
    first = _LANGUAGES[locale].PARTS["list"].join(items[:-1])
    return part(joint, locale, first=first, last=items[-1])
