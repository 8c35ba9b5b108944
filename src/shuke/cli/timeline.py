"""What happened to a member, drawn: a line for each activity, and below it what came of it."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from shuke.books.timeline import Happened
from shuke.cli.statement import moment
from shuke.cli.terminal import out
from shuke.engine.causes import program_of, sentence_of
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused
from shuke.engine.happenings import how_tiers_changed, what_happened
from shuke.engine.refusals import CODES, sentence
from shuke.engine.sentences import Locale


def draw(found: list[Happened], editions: Editions, locale: Locale) -> None:
    """Print what happened, the earliest first."""
    for happened in reversed(found):
        told = told_of(happened, editions, locale)
        out().print(Text(f"{told['occurred_at']}  {told['sentence']}", style="bold"))
        for line in (*([told["refused"]] if told["refused"] else []), *told["came_of_it"]):
            out().print(Text(f"    {line}"))


def told_of(happened: Happened, editions: Editions, locale: Locale) -> dict[str, Any]:
    """The same as data, with sentences in the language."""
    recorded, answer = happened.recorded, happened.recorded.answer
    program = program_of(editions, recorded.version)
    refused = answer.code
    if answer.code is not None and (answer.facts or not CODES.get(answer.code)):
        refused = sentence(Refused(answer.code, answer.facts), program, locale)
    came = [(line.entry.occurred_at, sentence_of(line.entry, editions, locale)) for line in happened.lines]
    for change in happened.tiers:
        then = editions.at(change.at).document
        said = how_tiers_changed(change.ladder, change.before, change.after, change.until, then, locale)
        came.append((change.at, said))
    return {
        "activity": recorded.seq,
        "type": recorded.activity.type,
        "occurred_at": moment(recorded.activity.occurred_at, program),
        "source": recorded.activity.source,
        "sentence": what_happened(recorded.activity, program, locale),
        "refused": refused,
        "came_of_it": [said for _, said in sorted(came, key=lambda one: one[0])],
    }
