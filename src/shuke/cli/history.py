"""Histories: import them into the books, or replay them through the engine alone."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from shuke.cli.connection import Books, opened
from shuke.cli.instants import read_instant
from shuke.cli.programs import File, read_program
from shuke.cli.teaching import add
from shuke.cli.terminal import FOUND, OK, Bars, Json, bars, note, out, plural, print_json, table, title
from shuke.cli.troubles import NOTHING_CHANGED, Trouble

if TYPE_CHECKING:
    from shuke.intake.importer import ImportReport
    from shuke.program.document import Program
    from shuke.replay.history import Prepared
    from shuke.values.instants import Instant

_PANEL = "Histories"

Orders = Annotated[
    Path | None,
    typer.Option("--orders", metavar="FILE", help="Order lines: CSV, CSV.gz or Parquet, one row per line."),
]
Activities = Annotated[
    Path | None, typer.Option("--activities", metavar="FILE", help="Activities: JSON lines (.jsonl, .jsonl.gz).")
]
Members = Annotated[
    Path | None,
    typer.Option("--members", metavar="FILE", help="Members: CSV or Parquet, with traits and opening balances."),
]
Jobs = Annotated[
    int | None, typer.Option("--jobs", min=1, metavar="N", help="Processes. As many as processors, if not said.")
]
Strict = Annotated[
    bool, typer.Option("--strict", metavar="", help="Stop at the first bad row, before anything is settled.")
]
Rejected = Annotated[
    Path | None,
    typer.Option("--rejected", metavar="FILE", help="Where bad rows go, each with its line and reason."),
]
_READING = {"members": "Reading members", "activities": "Reading activities", "orders": "Reading orders"}


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    add(
        app,
        import_,
        name="import",
        panel=_PANEL,
        examples=[
            "shuke import --orders orders.csv",
            "shuke import --orders orders.parquet --activities activities.jsonl --members members.csv --dry-run",
        ],
    )
    add(
        app,
        replay,
        panel=_PANEL,
        examples=[
            "shuke replay draft.yaml --orders orders.csv --out tried/",
            "shuke replay draft.yaml --orders orders.csv.gz --out tried/ --until 2017-12-31 --jobs 4",
        ],
    )


@dataclass(frozen=True)
class Files:
    """The files of a history, each of which may be missing, but not all."""

    orders: Path | None
    activities: Path | None
    members: Path | None

    def present(self) -> list[Path]:
        """Those that were named. Raises ``Trouble`` if there is none, or one does not exist."""
        found = [file for file in (self.orders, self.activities, self.members) if file is not None]
        if not found:
            todo = "Name a file: --orders, --activities, --members, or several."
            raise Trouble("There is nothing to read.", kept=NOTHING_CHANGED, todo=todo)
        for file in found:
            if not file.is_file():
                raise Trouble(f"There is no file {file}.", kept=NOTHING_CHANGED, todo="Look at the path.")
        return found


def _jobs(told: int | None) -> int:
    return told or os.cpu_count() or 1


@contextmanager
def _workdir() -> Iterator[Path]:
    """A folder for what is laid out on the way. TMPDIR says where: it takes about the size of the history."""
    with tempfile.TemporaryDirectory(prefix="shuke-history-") as folder:
        yield Path(folder)


def _reading(drawn: Bars) -> Callable[[str, int, int], None]:
    def heard(what: str, done: int, total: int) -> None:
        if what in _READING:
            drawn.show(_READING[what], done, total, "bytes")

    return heard


# -- import -----------------------------------------------------------------------------------------------


def import_(
    orders: Orders = None,
    activities: Activities = None,
    members: Members = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", metavar="", help="Say what would happen under the published program; settle nothing."
        ),
    ] = False,
    strict: Strict = False,
    jobs: Jobs = None,
    rejected: Rejected = None,
    as_json: Json = False,
) -> int:
    """Settle a history into the books, through the same door as everything else.

    Importing again, or after an interruption, goes on where it stopped and settles nothing twice. Bad rows
    never stop an import and never vanish: they go to rejected.csv with their line and reason, and the exit
    status is 1. What the files look like is written in docs/reference/history-format.md.
    """
    files = Files(orders, activities, members)
    files.present()
    where = rejected or Path("rejected.csv")
    with opened() as books, _workdir() as workdir, bars() as drawn:
        if dry_run:
            program = asyncio.run(_latest(books))
            return _try(program, files, workdir, where, strict, _jobs(jobs), drawn, as_json)
        from shuke.intake.importer import import_history

        report = import_history(
            url=books.url,
            tenant=books.tenant,
            orders=orders,
            activities=activities,
            members=members,
            workdir=workdir,
            rejected=where,
            strict=strict,
            jobs=_jobs(jobs),
            reading=_reading(drawn),
            progress=lambda done, total: drawn.show("Settling", done, total, "activities"),
        )
    if as_json:
        print_json(_import_data(report, where))
    else:
        _show_import(report, where)
    return FOUND if report.rejected_rows or report.failed else OK


async def _latest(books: Books) -> Program:
    from shuke.intake.importer import latest_program

    return await latest_program(books.url, tenant=books.tenant)


def _import_data(report: ImportReport, rejected: Path) -> dict[str, Any]:
    return {
        "settled": report.settled,
        "repeated": report.repeated,
        "refused": dict(sorted(report.refused.items())),
        "failed": report.failed,
        "rejected_rows": report.rejected_rows,
        "rejected_file": str(rejected) if report.rejected_rows else None,
        "seconds": round(report.seconds, 3),
    }


def _show_import(report: ImportReport, rejected: Path) -> None:
    refused = sum(report.refused.values())
    told = report.settled + report.repeated + refused + report.failed
    rate = f", {told / report.seconds:,.0f} a second" if report.seconds else ""
    out().print(Text(f"{plural(told, 'activity', 'activities')} in {report.seconds:,.1f} s{rate}", style="bold"))
    rows = [("settled", report.settled), ("settled before", report.repeated), ("refused", refused)]
    rows += [("failed", report.failed)] if report.failed else []
    table([("", "left"), ("", "right")], [(name, f"{count:,}") for name, count in rows], head=False)
    if report.refused:
        title("Refused")
        _show_counts(report.refused)
    _show_rejected(report.rejected_rows, rejected)
    if report.failed:
        note("What failed met a fault in Shuke; the log above names it. Importing again tries it again.")
    elif report.settled:
        note("Next: shuke work --once, then shuke verify")


def _show_counts(counts: dict[str, int]) -> None:
    rows = [(code, f"{count:,}") for code, count in sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))]
    table([("", "left"), ("", "right")], rows, head=False)


def _show_rejected(rows: dict[str, int], rejected: Path) -> None:
    if not rows:
        return
    count = sum(rows.values())
    title(f"{plural(count, 'row was', 'rows were')} rejected; see {rejected}")
    _show_counts(rows)


# -- trying without books ---------------------------------------------------------------------------------


def _prepare(
    program: Program,
    files: Files,
    workdir: Path,
    rejected: Path,
    strict: bool,
    jobs: int,
    drawn: Bars,
    until: Instant | None = None,
) -> Prepared:
    from shuke.replay.history import prepare
    from shuke.replay.run import partitions_for

    return prepare(
        orders=files.orders,
        activities=files.activities,
        members=files.members,
        zone=program.zone,
        currency_scale=program.scale,
        asset_scales={asset.id: asset.scale for asset in program.assets},
        partitions=partitions_for(files.present(), program=program, jobs=jobs),
        workdir=workdir,
        rejected=rejected,
        strict=strict,
        until=until,
        progress=_reading(drawn),
    )


def _run(
    program: Program, prepared: Prepared, target: Path, until: Instant | None, jobs: int, drawn: Bars
) -> dict[str, Any]:
    from shuke.replay.run import replay as run

    total, done = prepared.orders + prepared.activities + prepared.members, 0

    def heard(settled: int) -> None:
        nonlocal done
        done += settled
        drawn.show("Replaying", done, total, "activities")

    return run(program, prepared, out=target, until=until, jobs=jobs, progress=heard)


def _try(
    program: Program,
    files: Files,
    workdir: Path,
    rejected: Path,
    strict: bool,
    jobs: int,
    drawn: Bars,
    as_json: bool,
) -> int:
    prepared = _prepare(program, files, workdir, rejected, strict, jobs, drawn)
    summary = _run(program, prepared, workdir / "tried", prepared.last or None, jobs, drawn)
    drawn.close()
    if as_json:
        print_json({**summary, "dry_run": True})
    else:
        note("This is what would happen in empty books. Nothing was settled.")
        _show_summary(summary, rejected)
    return FOUND if prepared.refused else OK


# -- replay -----------------------------------------------------------------------------------------------


def replay(
    program: File,
    orders: Orders = None,
    activities: Activities = None,
    members: Members = None,
    target: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the results; made if there is none.")
    ] = ...,  # type: ignore[assignment]  # Typer's way to say that an option must be given
    until: Annotated[
        str | None,
        typer.Option(
            metavar="INSTANT",
            help="Leave out what comes later, and let time pass up to here; otherwise up to the last instant "
            "of the history. A date means its whole day.",
        ),
    ] = None,
    strict: Strict = False,
    jobs: Jobs = None,
    rejected: Rejected = None,
    as_json: Json = False,
) -> int:
    """Run a history under a program, through the engine alone: what would have been, without touching books.

    Writes into DIR: summary.json, members.parquet, entries.parquet, tiers.parquet, and rejected.csv for bad
    rows. The same code settles live, so these are the numbers one would have had.
    """
    files = Files(orders, activities, members)
    files.present()
    read = read_program(program)
    end = None if until is None else read_instant(until, zone=read.zone, option="--until", whole_day=True)
    target.mkdir(parents=True, exist_ok=True)
    where = rejected or target / "rejected.csv"
    with _workdir() as workdir, bars() as drawn:
        prepared = _prepare(read, files, workdir, where, strict, _jobs(jobs), drawn, end)
        summary = _run(read, prepared, target, end or prepared.last or None, _jobs(jobs), drawn)
    if as_json:
        print_json(summary)
    else:
        _show_summary(summary, where)
        if prepared.later:
            note(f"Left out: {plural(prepared.later, 'row that comes', 'rows that come')} after --until.")
        note(f"Written to {target}: summary.json, members.parquet, entries.parquet, tiers.parquet")
    return FOUND if prepared.refused else OK


def _show_summary(summary: dict[str, Any], rejected: Path) -> None:
    counts = (("member", "members"), ("order", "orders"), ("activity", "activities"))
    told = ", ".join(plural(summary[many], one, many) for one, many in counts)
    out().print(Text(f"{told} in {summary['seconds']:,.1f} s", style="bold"))
    flows = ("issued", "spent", "expired", "reversed", "adjusted", "outstanding")
    if summary["assets"]:
        title("Assets")
        rows = [(asset, *(_grouped(flow.get(name, 0)) for name in flows)) for asset, flow in summary["assets"].items()]
        table([("", "left"), *((name, "right") for name in flows)], rows)
    for ladder, tiers in summary["tiers"].items():
        title(f"Members on {ladder}")
        table([("", "left"), ("", "right")], [(tier, f"{n:,}") for tier, n in tiers.items()], head=False)
    if summary["refused"]:
        title("Refused")
        _show_counts(summary["refused"])
    _show_rejected(summary["rejected_rows"], rejected)


def _grouped(amount: int | str) -> str:
    """An amount as a summary has it, with separators."""
    whole, point, decimals = str(amount).partition(".")
    return f"{int(whole):,}{point}{decimals}" if whole not in ("-0",) else str(amount)
