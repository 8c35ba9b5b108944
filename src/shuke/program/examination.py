"""The text of a program looked through: everything that is wrong with it, and the program if it can be read."""

from __future__ import annotations

from typing import NamedTuple

from shuke.program.checks import check
from shuke.program.document import Program, from_data
from shuke.program.document_text import line_of, parse
from shuke.program.problems import DocumentError, Problem


class Examined(NamedTuple):
    """``problems`` have their lines, errors come first. ``program`` is None where the text cannot be read as one."""

    program: Program | None
    problems: list[Problem]

    @property
    def errors(self) -> list[Problem]:
        """What must be mended before it can be published; warnings are no reason not to."""
        return [problem for problem in self.problems if problem.severity == "error"]


def examine(text: str) -> Examined:
    """Look a YAML or JSON text through. Whatever it holds, nothing is raised."""
    try:
        parsed = parse(text)
        program = from_data(parsed.data, lines=parsed.lines)
    except DocumentError as error:
        return Examined(None, error.problems)
    return Examined(program, [problem.at(line_of(problem.path, parsed.lines)) for problem in check(program)])
