"""Looking programs through and comparing them: each takes the processor for as long as the documents are large, so
doors let it be done apart (see ``runtime.apart``)."""

from __future__ import annotations

from msgspec import Struct, json

from shuke.program.differences import Change, diff
from shuke.program.document import Program, from_data, to_data
from shuke.program.document_text import text_of_json
from shuke.program.examination import examine
from shuke.program.problems import DocumentError, Problem
from shuke.program.sentences import Locale

PROBLEMS_MOST = 100
"""So many are told of one text; after these there is enough to mend."""

CHANGES_MOST = 500


class Looked(Struct):
    """A text looked through. ``document`` is the program as JSON, None where it cannot be read as one; ``problems``
    are the first of ``errors`` and ``warnings``; ``text`` is YAML, whatever it came as."""

    text: str
    document: bytes | None
    problems: list[Problem]
    errors: int
    warnings: int

    @property
    def program(self) -> Program | None:
        return None if self.document is None else program_of(self.document)

    @property
    def is_sound(self) -> bool:
        """Whether it can be published."""
        return self.errors == 0


def look_through(text: str) -> Looked:
    """Look a text through that is YAML, or JSON, which is YAML. Nothing is raised, whatever it holds."""
    found = examine(text)
    errors = len(found.errors)
    document = None if found.program is None else document_of(found.program)
    return Looked(text, document, found.problems[:PROBLEMS_MOST], errors, len(found.problems) - errors)


def look_through_json(body: bytes) -> Looked:
    """The same for a body of JSON, also where it is written in ways that YAML does not know."""
    try:
        text = text_of_json(body)
    except DocumentError as error:
        return Looked(body.decode(errors="replace").replace("\0", "\ufffd"), None, error.problems, 1, 0)
    return look_through(text)


class Compared(Struct):
    """What changes between two programs: the first of ``total``, and among them what is worse for members."""

    changes: list[Change]
    total: int

    @property
    def worse(self) -> list[Change]:
        return [change for change in self.changes if change.effect == "worse"]


def compare(before: bytes, after: bytes, locale: Locale) -> Compared:
    """Two documents as JSON, told in the language. What is worse for members comes first, then what cannot be judged,
    in the order of the document."""
    ranks = {"worse": 0, "unknown": 1}
    found = diff(program_of(before), program_of(after), locale=locale)
    changes = sorted(found, key=lambda change: ranks.get(change.effect, 2))
    return Compared(changes[:CHANGES_MOST], len(changes))


def document_of(program: Program) -> bytes:
    """The document as JSON text."""
    return json.encode(to_data(program))


def program_of(document: bytes) -> Program:
    """The program of a document that was read before."""
    return from_data(json.decode(document))
