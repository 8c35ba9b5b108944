"""What is wrong with a document, where, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Literal


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. ``path`` leads to it ("earning[2].when.all[0]"), ``code`` is for machines,
    ``sentence`` for people; ``suggestion`` is what to write instead, if that can be guessed."""

    path: str
    code: str
    sentence: str
    suggestion: str | None = None
    severity: Literal["error", "warning"] = "error"
    line: int | None = None  # of the text it was read from, from 1, where that is known

    def under(self, path: str) -> Problem:
        """The same problem seen from further up: its path continues ``path``."""
        joint = "." if path and self.path and not self.path.startswith("[") else ""
        return replace(self, path=f"{path}{joint}{self.path}")

    def at(self, line: int | None) -> Problem:
        """The same problem with its line, if that is known."""
        return self if line is None else replace(self, line=line)


class DocumentError(ValueError):
    """The text is not a program. ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.path}: {problem.sentence}" for problem in problems))


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that ``name`` was probably meant to be."""
    found = get_close_matches(name, sorted(known), n=1, cutoff=0.6)
    return found[0] if found else None
