"""Why something cannot be done with a program, as callers are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from shuke.books.programs import Draft, DraftChanged, InThePast, Unchanged
from shuke.program.problems import Problem as Fault
from shuke.program.sentences import Locale
from shuke.runtime.programs import Looked
from shuke.web.api.contract import shown_moment
from shuke.web.api.problems import Problem, WrongField
from shuke.web.api.program_answers import etag_of


@contextmanager
def told_as_problems() -> Iterator[None]:
    """What the books refuse, as callers are told."""
    try:
        yield
    except DraftChanged as changed:
        raise draft_changed(changed.draft) from None
    except Unchanged as same:
        raise Problem("version_unchanged", version=same.version) from None
    except InThePast as past:
        raise Problem("effective_in_the_past", earliest=shown_moment(past.earliest)) from None


def draft_changed(draft: Draft | None) -> Problem:
    """The draft is not the one that was read: ``draft`` is it now, None if there is none."""
    if draft is None:
        return Problem("draft_changed", etag=None)
    changed_at = shown_moment(draft.changed_at)
    return Problem("draft_changed", etag=etag_of(draft), changed_at=changed_at, changed_by=draft.changed_by)


def not_sound(looked: Looked, locale: Locale) -> Problem:
    """A program that is kept has errors."""
    errors = [wrong(problem, "", locale) for problem in looked.problems if problem.severity == "error"]
    return Problem("program_not_sound", errors=errors, count=looked.errors)


def wrong(problem: Fault, pointer: str, locale: Locale) -> WrongField:
    """One thing that is wrong: at ``pointer`` in the body, or at its place in the program where there is none."""
    said = problem.told(locale)
    if pointer:
        return WrongField(
            pointer=pointer, code=problem.code, detail=f"{problem.path}: {said}" if problem.path else said
        )
    place = re.sub(r"\[(\d+)\]", r".\1", problem.path).replace(".", "/")
    return WrongField(pointer=f"/{place}" if place else "", code=problem.code, detail=said)
