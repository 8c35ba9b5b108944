"""Programs as documents: check, diff, publish, schema."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from shuke.cli.connection import Books, opened
from shuke.cli.instants import read_instant
from shuke.cli.teaching import add
from shuke.cli.terminal import FOUND, OK, Json, note, out, print_json, title
from shuke.cli.troubles import NOTHING_CHANGED, Trouble, read_text
from shuke.cli.words import Lang, counted, language, word

if TYPE_CHECKING:
    from shuke.books.programs import Version
    from shuke.program.differences import Change
    from shuke.program.document import Program
    from shuke.program.problems import Problem
    from shuke.program.sentences import Locale

File = Annotated[Path, typer.Argument(metavar="PROGRAM", help="A program document (YAML or JSON).")]

_PANEL = "Programs"


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    add(app, check, panel=_PANEL, examples=["shuke check program.yaml", "shuke check program.yaml --lang zh-Hant"])
    add(app, diff, panel=_PANEL, examples=["shuke diff program.yaml draft.yaml"])
    add(
        app,
        publish,
        panel=_PANEL,
        examples=[
            "shuke publish program.yaml",
            'shuke publish program.yaml --from 2026-07-01 --note "double points in July"',
        ],
    )
    add(app, schema, panel=_PANEL, examples=["shuke schema > shuke.schema.json"])


# -- check ------------------------------------------------------------------------------------------------


def check(program: File, lang: Lang = None, as_json: Json = False) -> int:
    """Say whether a program is sound: every problem with its line, and what was probably meant.

    Where examples lie beside it (program.vectors.yaml), they are run too. Exit status 1 if there is an error
    or an example that does not hold; warnings alone are no reason to fail.
    """
    locale = language(lang)
    found, _ = examine(program)
    failures = [] if _errors(found) else run_vectors(program, locale=locale)
    if as_json:
        print_json(
            {
                "program": str(program),
                "problems": [_as_data(problem, locale) for problem in found],
                "examples": [{"name": name, "failures": failed} for name, failed in failures],
            }
        )
    else:
        show_problems(found, program, locale=locale)
        _show_examples(failures, beside=vectors_beside(program), locale=locale)
        if not found and not any(failed for _, failed in failures):
            out().print(Text(word("sound", locale, program=str(program)), style="green"))
    return FOUND if _errors(found) or any(failed for _, failed in failures) else OK


def examine(path: Path) -> tuple[list[Problem], Program | None]:
    """Every problem of a document, with its line where that is known; and the program, if it can be read."""
    from shuke.program.examination import examine as examined

    found = examined(read_text(path))
    return found.problems, found.program


def read_program(path: Path, *, lang: str | None = None) -> Program:
    """The program of a file. Raises ``Trouble`` after saying what is wrong, where something is."""
    found, program = examine(path)
    if program is None or _errors(found):
        show_problems(found, path, locale=language(lang), to_err=True)
        todo = f"Mend the document; shuke check {path} says the same again."
        raise Trouble(f"{path} is not a sound program.", kept=NOTHING_CHANGED, todo=todo)
    return program


def _errors(problems: list[Problem]) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def show_problems(problems: list[Problem], path: Path, *, locale: Locale, to_err: bool = False) -> None:
    """Each problem as ``file:line``, its path, the sentence, and what was probably meant."""
    from shuke.cli.terminal import err

    console = err() if to_err else out()
    for problem in problems:
        style = "bold red" if problem.severity == "error" else "bold yellow"
        place = f"{path}:{problem.line}" if problem.line is not None else str(path)
        severity = word(problem.severity, locale)
        console.print(Text.assemble((severity, style), "  ", (place, "bold"), "  ", (problem.path, "cyan")))
        console.print(Text(f"  {problem.told(locale)}"))
        hint = problem.hinted(locale)
        if hint is not None:
            console.print(Text.assemble("  ", word("perhaps", locale), (hint, "green")))
    if problems:
        errors = len(_errors(problems))
        warnings = counted("warnings", len(problems) - errors, locale)
        said = word("counted", locale, errors=counted("errors", errors, locale), warnings=warnings)
        console.print(Text(said, style="bold"))


def _as_data(problem: Problem, locale: Locale) -> dict[str, object]:
    data: dict[str, object] = {name: getattr(problem, name) for name in ("severity", "line", "path", "code")}
    return {**data, "sentence": problem.told(locale), "suggestion": problem.hinted(locale)}


def vectors_beside(program: Path) -> Path:
    """Where the examples of a program lie: ``coffee.yaml`` has ``coffee.vectors.yaml``."""
    return program.with_name(f"{program.stem}.vectors.yaml")


def run_vectors(program: Path, *, locale: Locale) -> list[tuple[str, list[str]]]:
    """(name, what does not hold) of every example beside the program; nothing where there are none."""
    from shuke.program.problems import DocumentError
    from shuke.replay.vector_runs import run
    from shuke.replay.vectors import read_vectors

    beside = vectors_beside(program)
    if not beside.exists():
        return []
    try:
        told, vectors = read_vectors(beside)
    except DocumentError as error:
        show_problems(error.problems, beside, locale=locale, to_err=True)
        what = f"The examples in {beside} cannot be read."
        raise Trouble(what, kept=NOTHING_CHANGED, todo="Mend them, or move the file away.") from error
    return [(vector.name, run(vector, told)) for vector in vectors.vectors]


def _show_examples(examples: list[tuple[str, list[str]]], *, beside: Path, locale: Locale) -> None:
    for name, failed in examples:
        if failed:
            out().print(Text.assemble((word("broken", locale), "bold red"), "  ", (name, "bold")))
            for sentence in failed:
                out().print(Text(f"  {sentence}"))
    if examples:
        held = sum(not failed for _, failed in examples)
        of = counted("examples", len(examples), locale)
        out().print(Text(word("examples_hold", locale, held=f"{held:,}", examples=of, file=beside.name)))


# -- diff -------------------------------------------------------------------------------------------------


def diff(
    before: Annotated[Path, typer.Argument(metavar="A", help="The program as it is.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="The program as it would be.")],
    lang: Lang = None,
    as_json: Json = False,
) -> int:
    """Say in words what would change from one program to another, and where members gain or lose by it."""
    locale = language(lang)
    found = _differences(read_program(before, lang=lang), read_program(after, lang=lang), locale)
    if as_json:
        changes = [{name: getattr(change, name) for name in _CHANGE} for change in found]
        print_json({"before": str(before), "after": str(after), "changes": changes})
    else:
        _show_differences(found, none=word("same", locale, before=str(before), after=str(after)))
    return OK


_CHANGE = ("path", "chapter", "kind", "before", "after", "effect", "sentence")


def _differences(before: Program, after: Program, locale: Locale) -> list[Change]:
    from shuke.program.differences import diff as differences

    return differences(before, after, locale=locale)


def _show_differences(found: list[Change], *, none: str) -> None:
    for change in found:
        out().print(Text.assemble("- ", (change.sentence, _COLOURS.get(change.effect, ""))))
    if not found:
        out().print(Text(none))


_COLOURS = {"better": "green", "worse": "red"}


# -- publish ----------------------------------------------------------------------------------------------


def publish(
    program: File,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="INSTANT", help="When it comes into force. Now, if nothing is said."),
    ] = None,
    remark: Annotated[str, typer.Option("--note", metavar="TEXT", help="Why, for whoever looks back.")] = "",
    lang: Lang = None,
) -> int:
    """Publish a program: what happens from then on is settled under it.

    The document is checked first and the changes to the version in force are shown. The very first version is
    in force from the beginning, so that a history can be imported. What was settled before stays as it is:
    each order keeps the version it was settled under.
    """
    from shuke.books.programs import Unchanged

    found, checked = examine(program)
    show_problems(found, program, locale=language(lang), to_err=True)
    if checked is None or _errors(found):
        todo = "Mend the document and publish it again."
        raise Trouble(f"{program} was not published.", kept=NOTHING_CHANGED, todo=todo, status=FOUND)
    with opened() as books:
        try:
            version = asyncio.run(_publish(books, checked, read_text(program), start, remark, language(lang)))
        except Unchanged as same:
            out().print(f"Version {same.version} is this very document. Nothing was changed.")
            return OK
    since = f"from {_moment(version)} on" if version.effective_from else "from the beginning on"
    out().print(Text(f"Version {version.version} of {checked.id} is published, in force {since}.", style="green"))
    if version.version == 1:
        note("Next: shuke import --orders orders.csv")
    return OK


async def _publish(
    books: Books, program: Program, text: str, start: str | None, remark: str, locale: Locale
) -> Version:
    from shuke.books.connect import connect
    from shuke.books.programs import publish as add
    from shuke.books.programs import published
    from shuke.runtime.clock import now

    effective_from = None
    if start is not None:
        effective_from = read_instant(start, zone=program.zone, option="--from", whole_day=False)
    async with await connect(books.url, tenant=books.tenant) as connection:
        before = await published(connection)
        try:
            async with connection.transaction():
                version = await add(
                    connection, program, text=text, at=now(), effective_from=effective_from, note=remark
                )
        except ValueError as refused:
            said = f"{str(refused)[:1].upper()}{str(refused)[1:]}."
            raise Trouble(said, kept=NOTHING_CHANGED, todo="Give --from an instant to come.") from refused
    if before:
        title(word("changes_to", locale, version=str(before[-1].version)))
        found = _differences(before[-1].program, program, locale)
        _show_differences(found, none=word("changes_unread", locale))
    return version


def _moment(version: Version) -> str:
    from shuke.values.instants import format_instant

    return format_instant(version.effective_from, zone=version.program.zone)


# -- schema -----------------------------------------------------------------------------------------------


def schema() -> int:
    """Print the JSON Schema of program documents, for editors that complete and check while one writes.

    In a YAML document say so in the first line:  # yaml-language-server: $schema=shuke.schema.json
    """
    from shuke.program.schema import json_schema

    print_json(json_schema())
    return OK
