"""Help that teaches: what a command does, from its docstring, and examples of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence

import typer

Command = Callable[..., int]


def add(
    app: typer.Typer, command: Command, *, examples: Sequence[str], name: str | None = None, panel: str | None = None
) -> None:
    """Hang ``command`` on ``app``, under its own name unless told otherwise. The examples end its help."""
    heading = "[bold]Example[/bold]" if len(examples) == 1 else "[bold]Examples[/bold]"
    app.command(
        name,
        help=unwrapped(inspect.getdoc(command) or ""),
        epilog="\n\n".join((heading, *examples)),
        rich_help_panel=panel,
    )(command)


def unwrapped(text: str) -> str:
    """The text with one line for each paragraph: where lines end is the terminal's choice."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
