"""The command itself: its groups, and what becomes of an error."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from shuke.cli import audiences, books, catalog, demo, history, members, programs, segments, serving
from shuke.cli.terminal import FAULT, INTERRUPTED, OK, note
from shuke.cli.troubles import show, trouble_of


def _leave(status: int | None, **_: object) -> None:
    """What a command returns is the status the process ends with."""
    raise typer.Exit(status or OK)


app = typer.Typer(
    name="shuke",
    no_args_is_help=True,
    add_completion=False,
    result_callback=_leave,
    pretty_exceptions_enable=False,  # errors are shown by `troubles`
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=(
        "[bold]First steps[/bold]\n\n"
        "shuke init\n\n"
        "shuke check program.yaml\n\n"
        "shuke publish program.yaml\n\n"
        "shuke import --orders orders.csv\n\n"
        "shuke verify\n\n"
        "[bold]Exit status[/bold]  0: as it should be · 1: something was found (problems in a program, rejected "
        "rows, books that do not agree) · 2: could not be done (usage, a file that cannot be read, no database) · "
        "3: a fault in Shuke\n\n"
        "[bold]Environment[/bold]  SHUKE_HOME: where the embedded database lives · SHUKE_DATABASE_URL: use this "
        "PostgreSQL instead · SHUKE_TENANT: whose books (main) · SHUKE_LANG: en, zh-Hant, zh-Hans · "
        "SHUKE_LOG: console, json"
    ),
)
for group in (programs, books, serving, history, catalog, members, audiences, segments, demo):
    group.register(app)


def _tell_version(asked: bool) -> None:
    from importlib.metadata import version

    if asked:
        typer.echo(f"shuke {version('shuke')}")
        raise typer.Exit(OK)


@app.callback()
def shuke(
    version: Annotated[
        bool,
        typer.Option("--version", metavar="", callback=_tell_version, is_eager=True, help="Say which version this is."),
    ] = False,
) -> None:
    """Membership programs written as documents, run by one pure engine, kept in double-entry books."""


def main() -> None:
    """The entry point: runs the command line and ends the process with its status."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit status. A user's mistake never ends in a traceback, a bug does."""
    try:
        app(args=list(arguments), prog_name="shuke")
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else OK
        if status == INTERRUPTED:
            note("Stopped. What was settled stays settled; the same command goes on from there.")
        return status
    except Exception as error:
        trouble = trouble_of(error)
        if trouble is None:
            sys.excepthook(type(error), error, error.__traceback__)
            note("This is a fault in Shuke. What was settled stays settled.")
            return FAULT
        show(trouble)
        return trouble.status
    return OK
