"""The whole cause of entries: the sentence, the numbers, the program's own words, the activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from rich.text import Text

from shuke.books.statements import Line, LotDates, Recorded
from shuke.cli.statement import entry_data, moment, program_of, sentence_of
from shuke.cli.terminal import facts, out, title
from shuke.cli.words import word
from shuke.engine.compiled import Editions
from shuke.engine.effects import Entry
from shuke.engine.explain import account_name, fraction
from shuke.engine.sentences import Locale, Writer, writer
from shuke.program.chapter import Chapter
from shuke.program.document import Program
from shuke.program.document_text import dump
from shuke.values.instants import NEVER


@dataclass(frozen=True)
class Cause:
    """An entry with the dates of its lot and the activity that brought it about."""

    line: Line
    lot: LotDates | None
    recorded: Recorded


@dataclass(frozen=True)
class Said:
    """A chapter of a program that an entry rests on."""

    version: int
    chapter: Chapter

    @property
    def text(self) -> str:
        """The chapter as YAML, without what was left unsaid."""
        return dump(self.chapter.model_dump(mode="python", exclude_unset=True, by_alias=True)).rstrip()


def said_of(entry: Entry, editions: Editions) -> Said | None:
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


def draw(causes: list[Cause], editions: Editions, locale: Locale) -> None:
    """Print sentences and numbers, then each chapter and each activity they rest on once."""
    for position, cause in enumerate(causes):
        if position:
            out().print()
        out().print(Text(sentence_of(cause.line, editions, locale), style="bold"))
        facts(_numbers(cause, editions, locale))
    told: list[str] = []
    for cause in causes:
        said = said_of(cause.line.entry, editions)
        if said is not None and said.text not in told:
            told.append(said.text)
            title(word("rule", locale, version=str(said.version)))
            out().print(Text(said.text))
    for seq in dict.fromkeys(cause.line.seq for cause in causes):
        recorded = next(cause.recorded for cause in causes if cause.line.seq == seq)
        title(f"{word('activity', locale)}  {recorded.activity.type}")
        out().print(Text(dump(activity_data(recorded, editions)).rstrip()))


def _numbers(cause: Cause, editions: Editions, locale: Locale) -> list[tuple[str, str]]:
    entry, recorded = cause.line.entry, cause.recorded
    program = program_of(editions, entry.version)
    words = writer(program, locale)
    accounts = [account_name(account, program, locale) for account in (entry.debit, entry.credit)]
    rows = [
        (word("entry", locale), cause.line.id),
        (word("amount", locale), words.quantity(entry.asset, entry.amount)),
        (word("from_to", locale), " → ".join(accounts)),
        (word("occurred", locale), words.moment(entry.occurred_at)),
        (word("recorded", locale), words.moment(recorded.recorded_at)),
    ]
    if cause.lot is not None:
        end = cause.lot.expires_at
        rows.append((word("lot", locale), str(entry.lot)))
        rows.append((word("opened", locale), words.date(cause.lot.opened_at)))
        if cause.lot.ripens_at:
            rows.append((word("ripens", locale), words.date(cause.lot.ripens_at)))
        last = word("no_end", locale) if end >= NEVER else words.last_day(end)
        rows.append((word("expires", locale), last))
    if entry.why:
        told = (f"{name} {_shown(name, value, entry, words)}" for name, value in entry.why.items())
        rows.append((word("numbers", locale), " · ".join(told)))
    return rows


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
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def activity_data(recorded: Recorded, editions: Editions) -> dict[str, Any]:
    """The activity as it was told. Amounts of money in it are in minor units, as the books keep them."""
    activity = recorded.activity
    program = editions.known_by(recorded.version).at(activity.occurred_at).document
    told: dict[str, Any] = {
        "type": activity.type,
        "source": activity.source,
        "key": activity.key,
        "occurred_at": moment(activity.occurred_at, program),
        "recorded_at": moment(recorded.recorded_at, program),
    }
    if activity.payload:
        told["payload"] = activity.payload
    if activity.purchase is not None:
        told["purchase"] = msgspec.to_builtins(activity.purchase)
    return told


def as_data(causes: list[Cause], editions: Editions, locale: Locale) -> list[dict[str, Any]]:
    """Each entry as JSON data with its chapter and activity."""
    found = []
    for cause in causes:
        entry = cause.line.entry
        program, said = program_of(editions, entry.version), said_of(entry, editions)
        lot = cause.lot
        found.append(
            {
                **entry_data(cause.line, editions, locale),
                "lot_dates": lot
                and {
                    "opened_at": moment(lot.opened_at, program),
                    "ripens_at": moment(lot.ripens_at, program) if lot.ripens_at else None,
                    "expires_at": moment(lot.expires_at, program),
                },
                "rests_on": said
                and {
                    "version": said.version,
                    "chapter": said.chapter.model_dump(mode="json", exclude_unset=True, by_alias=True),
                },
                "activity": activity_data(cause.recorded, editions),
            }
        )
    return found
