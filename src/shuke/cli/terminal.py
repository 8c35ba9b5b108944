"""How reports look: tables, progress, JSON; and the exit statuses.

Nothing of a user's data is read as markup, and no cell is cut off: what does not fit is folded.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final, Literal

import typer
from rich import box, filesize
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

OK: Final = 0
FOUND: Final = 1
UNUSABLE: Final = 2
FAULT: Final = 3
INTERRUPTED: Final = 130

_WIDTH_OF_FILES = 160  # columns of a report that goes into a file or a pipe

Json = Annotated[bool, typer.Option("--json", metavar="", help="Print the report as JSON, and nothing else.")]


def out() -> Console:
    """Standard output: for the report."""
    return _console(stderr=False)


def err() -> Console:
    """Standard error: for everything that is not the report."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(stderr=stderr, highlight=False, emoji=False, markup=False)
    if not console.is_terminal:
        console.width = _WIDTH_OF_FILES
    return console


def note(said: str) -> None:
    """A remark beside the report."""
    err().print(Text(said))


def title(said: str) -> None:
    """A heading of the report."""
    out().print(Text(f"\n{said}", style="bold"))


def print_json(value: Any) -> None:
    """The report as one JSON document."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


Side = Literal["left", "right"]


def table(
    columns: Sequence[tuple[str, Side]],
    rows: Sequence[Sequence[str]],
    *,
    head: bool = True,
    fixed: Sequence[int] = (),
) -> None:
    """Print rows under their columns; numbers stand at the right. ``fixed`` columns are not folded."""
    drawn = Table(box=box.SIMPLE_HEAD if head else None, show_header=head, pad_edge=False, show_edge=False)
    for number, (name, side) in enumerate(columns):
        drawn.add_column(
            Text(name), justify=side, overflow="fold", no_wrap=side == "right" or number in fixed, style=None
        )
    for row in rows:
        drawn.add_row(*(Text(cell) for cell in row))
    out().print(drawn)


def facts(rows: Sequence[tuple[str, str]]) -> None:
    """Names and what goes with them, one under the other."""
    table((("", "left"), ("", "left")), rows, head=False, fixed=(0,))


def plural(number: int, one: str, many: str | None = None) -> str:
    """ "1 row", "2,000 rows"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


# -- Progress ---------------------------------------------------------------------------------------------


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        if not speed:
            return Text("")
        unit = task.fields["unit"]
        return Text(f"{_bytes(speed)}/s" if unit == "bytes" else f"{speed:,.0f} {unit}/s")


class _Done(ProgressColumn):
    def render(self, task: Task) -> Text:
        if task.total is None:
            return Text(f"{task.completed:,.0f}")
        if task.fields["unit"] == "bytes":
            return Text(f"{_bytes(task.completed)} of {_bytes(task.total)}")
        return Text(f"{task.completed:,.0f} of {task.total:,.0f}")


def _bytes(count: float) -> str:
    return filesize.decimal(int(count))


class Bars:
    """A bar on standard error for the part of the work that is going on. It appears after a second: what is
    quicker needs none."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=24),
            _Done(),
            _Rate(),
            TimeRemainingColumn(compact=True),
            console=err(),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._started = time.monotonic()
        self._running = False

    def show(self, label: str, done: float, total: float | None, unit: str) -> None:
        """``done`` of ``total`` (None: nobody knows) of this part."""
        task = self._tasks.get(label)
        if task is None:
            for earlier in self._tasks.values():
                self._progress.update(earlier, visible=False)
            task = self._tasks[label] = self._progress.add_task(label, total=total, unit=unit)
        self._progress.update(task, completed=done, total=None if total is None else max(total, done))
        if not self._running and self._progress.console.is_terminal and time.monotonic() - self._started > 1:
            self._progress.start()
            self._running = True

    def close(self) -> None:
        if self._running:
            self._progress.stop()


@contextmanager
def bars() -> Iterator[Bars]:
    """Bars that go away when the work is done."""
    drawn = Bars()
    try:
        yield drawn
    finally:
        drawn.close()
