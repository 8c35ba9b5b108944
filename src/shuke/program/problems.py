"""What is wrong with a document, where, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal

from shuke.program.sentences import Fact, Listed, Locale, say, tell

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``path`` leads to it ("earning[2].when.all[0]"); ``key`` and ``facts`` are its sentence (see
    ``program.sentences``); ``hint`` is what to write instead, if that can be guessed. Made by ``problem``."""

    path: str
    key: str
    facts: tuple[tuple[str, Fact], ...] = ()
    hint: Fact = None
    severity: Severity = "error"
    line: int | None = None  # of the text it was read from, from 1, where that is known

    @property
    def code(self) -> str:
        """For machines; it never changes."""
        return self.key.partition(":")[0]

    @property
    def sentence(self) -> str:
        """For people, in English."""
        return self.told("en")

    @property
    def suggestion(self) -> str | None:
        """What to write instead, in English where it is words."""
        return self.hinted("en")

    def told(self, locale: Locale) -> str:
        """For people."""
        return say(self.key, self.facts, locale)

    def hinted(self, locale: Locale) -> str | None:
        """What to write instead."""
        return None if self.hint is None else tell(self.hint, locale)

    def under(self, path: str) -> Problem:
        """The same problem seen from further up: its path continues ``path``."""
        joint = "." if path and self.path and not self.path.startswith("[") else ""
        return replace(self, path=f"{path}{joint}{self.path}")

    def at(self, line: int | None) -> Problem:
        """The same problem with its line, if that is known."""
        return self if line is None else replace(self, line=line)


def problem(path: str, key: str, hint: Fact = None, /, **facts: Fact) -> Problem:
    """An error: ``key`` is that of its sentence, ``facts`` what the sentence is filled in with."""
    return Problem(path, key, tuple(facts.items()), hint)


def warning(path: str, key: str, hint: Fact = None, /, **facts: Fact) -> Problem:
    """Something that is probably not what was meant."""
    return Problem(path, key, tuple(facts.items()), hint, "warning")


class DocumentError(ValueError):
    """The text is not a program. ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.path}: {problem.sentence}" for problem in problems))


class Broken(ValueError):
    """Raised by a chapter that contradicts itself: becomes the problem of this key at its place."""

    def __init__(self, key: str, hint: Fact = None, /, **facts: Fact) -> None:
        self.key = f"not_valid:{key}"
        self.facts = tuple(facts.items())
        self.hint = hint
        super().__init__(say(self.key, self.facts, "en"))

    def at(self, path: str) -> Problem:
        """The problem, at this place."""
        return Problem(path, self.key, self.facts, self.hint)


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was probably meant to be."""
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None


_MOST_NAMED = 12


def names(known: Iterable[str]) -> Listed | None:
    """The names there are, where they are few enough to be of help."""
    listed = tuple(known)
    return Listed(listed) if 0 < len(listed) <= _MOST_NAMED else None
