"""The whole cause of entries: the sentence, the numbers, the program's own words, the activity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec
from rich.text import Text

from shuke.books.statements import Line, LotDates, Recorded
from shuke.cli.statement import entry_data, moment
from shuke.cli.terminal import facts, out, title
from shuke.cli.words import word
from shuke.engine.causes import numbers_of, program_of, rests_on, sentence_of
from shuke.engine.compiled import Editions
from shuke.engine.explain import account_name
from shuke.engine.sentences import Locale, writer
from shuke.program.document_text import dump
from shuke.values.instants import NEVER


@dataclass(frozen=True)
class Cause:
    """An entry with the dates of its lot and the activity that brought it about."""

    line: Line
    lot: LotDates | None
    recorded: Recorded


def draw(causes: list[Cause], editions: Editions, locale: Locale) -> None:
    """Print sentences and numbers, then each chapter and each activity they rest on once."""
    for position, cause in enumerate(causes):
        if position:
            out().print()
        out().print(Text(sentence_of(cause.line.entry, editions, locale), style="bold"))
        facts(_numbers(cause, editions, locale))
    told: list[str] = []
    for cause in causes:
        said = rests_on(cause.line.entry, editions)
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
        told = (f"{name} {number}" for name, number in numbers_of(entry, program, locale))
        rows.append((word("numbers", locale), " · ".join(told)))
    return rows


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
        program, said = program_of(editions, entry.version), rests_on(entry, editions)
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
                    "chapter": said.data(),
                },
                "activity": activity_data(cause.recorded, editions),
            }
        )
    return found
