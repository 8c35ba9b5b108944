"""What an entry of the books rests on: the words of the program that decided it, and the numbers that went in.

With the sentence of ``explain`` this is all there is to say of an entry, to whoever asks and wherever.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct, json

from shuke.engine.compiled import Editions
from shuke.engine.effects import AVAILABLE, Entry
from shuke.engine.explain import explain_entry, fraction
from shuke.engine.sentences import Locale, Writer, writer
from shuke.program.chapter import Chapter
from shuke.program.document import Program
from shuke.program.document_text import dump


class Said(Struct, frozen=True):
    """A chapter of the program's version that an entry rests on."""

    version: int
    chapter: Any  # of any kind that has an id

    @property
    def text(self) -> str:
        """The chapter as YAML, without what was left unsaid."""
        return dump(self._chapter.model_dump(mode="python", exclude_unset=True, by_alias=True)).rstrip()

    def data(self) -> dict[str, Any]:
        """The chapter as JSON data, without what was left unsaid."""
        return self._chapter.model_dump(mode="json", exclude_unset=True, by_alias=True)

    @property
    def _chapter(self) -> Chapter:
        found: Chapter = self.chapter
        return found


def program_of(editions: Editions, version: int) -> Program:
    """The program with this version number. Entries name only versions that were published."""
    return next(edition.document for edition in editions.compiled if edition.version == version)


def sentence_of(entry: Entry, editions: Editions, locale: Locale) -> str:
    """Why the entry is there, under the program of its version."""
    return explain_entry(entry, program_of(editions, entry.version), locale)


def rests_on(entry: Entry, editions: Editions) -> Said | None:
    """What the entry rests on: its rule, ladder, benefit or offer, else the asset whose dates it follows.

    What takes an award back rests on the rule of the version that gave it, which the entry remembers.
    """
    version = (entry.why or {}).get("version", entry.version)
    program = program_of(editions, version)
    for chapter in _named(program):
        if entry.rule is not None and chapter.id == entry.rule:
            return Said(version, chapter)
    if entry.kind in ("expire", "ripen"):
        return Said(version, program.asset(entry.asset))
    return None


def _named(program: Program) -> list[Any]:
    offers = program.stored_value.offers if program.stored_value is not None else []
    return [*program.earning, *program.benefits, *program.ladders, *program.coupons, *offers]


def available_change(entry: Entry) -> int:
    """What the entry did to what the member can spend, in the asset's smallest units."""
    return entry.amount * ((entry.credit == AVAILABLE) - (entry.debit == AVAILABLE))


def numbers_of(entry: Entry, program: Program, locale: Locale) -> list[tuple[str, str]]:
    """The numbers that went into the entry, each as people read it: ("basis", "12,345.00") …"""
    words = writer(program, locale)
    return [(name, _shown(name, value, entry, words)) for name, value in (entry.why or {}).items()]


def _shown(name: str, value: Any, entry: Entry, words: Writer) -> str:
    """A number of a cause as people read it. A multiplier's basis is value of the asset, any other's is money."""
    if name in ("wanted", "given") or (name == "basis" and "by" in (entry.why or {})):
        return words.number(entry.asset, value)
    if name in ("basis", "paid"):
        return words.money(value)
    if name == "opened_at":
        return words.date(value)
    if name in ("by", "counted"):
        return fraction(value)
    return value if isinstance(value, str) else json.encode(value).decode()
