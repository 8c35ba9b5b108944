"""``shuke demo``: a real retailer's year through the whole house, and a report one can read."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from shuke.cli.connection import Books, served, settings
from shuke.cli.terminal import FOUND, OK, bars, note, out, plural
from shuke.cli.words import Lang, language

if TYPE_CHECKING:
    from shuke.intake.complete_journey import Campaign, Converted
    from shuke.intake.importer import ImportReport
    from shuke.program.document import Program

TENANT = "demo"
_UNTIL = "2018-01-01"
_EXCLUDED = ("FUEL", "COUPON", "MISCELLANEOUS")  # as in program.yaml


def register(app: typer.Typer) -> None:
    """Hang the command on the command."""
    app.command(
        rich_help_panel="Look around",
        epilog=(
            "[bold]Examples[/bold]\n\nshuke demo\n\nshuke demo --lang zh-Hant\n\n"
            "SHUKE_TENANT=demo shuke member show hh_0001"
        ),
    )(demo)


def demo(
    lang: Lang = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes that settle.")] = 2,
) -> int:
    """See a real retailer's year go through the books.

    Fetches the public data set The Complete Journey (2,469 households of a grocer, 2017), publishes a program
    with points, three tiers and coupons, settles every basket, lets time pass to the end of the year, proves
    the books and reports. Afterwards the books stay, as tenant "demo": look around with the other commands.
    """
    from shuke.cli.demo.report import draw

    locale = language(lang)
    told = settings()
    started = time.monotonic()
    with _step("Fetching and reading the data"):
        history = _history(told.home / "demo")
    note(
        f"   {plural(history.lines, 'line')} in {plural(history.baskets, 'basket')} of "
        f"{plural(history.households, 'household')}, {plural(len(history.campaigns), 'coupon campaign')}"
    )
    with served(told) as place:
        books = Books(place.url, TENANT, place.place)
        with _step("Making fresh books and publishing the program"):
            program = asyncio.run(_publish(books, history.campaigns))
        with _step("Settling the year") as say:
            report = _settle(books, history, told.home / "demo", jobs)
            say(_rate(report))
        with _step(f"Letting time pass to {_UNTIL}") as say:
            say(plural(asyncio.run(_advance(books, program)), "member") + " had something due")
        with _step("Proving the books") as say:
            findings, proved = asyncio.run(_prove(books))
            say(proved)
        asyncio.run(draw(books, program, locale, report=report, findings=findings))
    note(f"\nAll of it took {time.monotonic() - started:,.0f} s.")
    note(f"Look around: SHUKE_TENANT={TENANT} shuke member show hh_0001")
    return FOUND if findings or report.failed or report.rejected_rows else OK


Say = Callable[[str], None]


@contextmanager
def _step(what: str) -> Iterator[Say]:
    """One line per step: what, how long, and a remark."""
    remarks: list[str] = []
    note(f"· {what} …")
    started = time.monotonic()
    yield remarks.append
    note(f"   {time.monotonic() - started:,.1f} s" + "".join(f" · {remark}" for remark in remarks))


def _rate(report: ImportReport) -> str:
    settled = report.settled + sum(report.refused.values())
    return f"{settled:,} activities, {settled / report.seconds:,.0f} a second"


def _history(folder: Path) -> Converted:
    from shuke.intake.complete_journey import ZONE, convert, find_data
    from shuke.intake.complete_journey_spending import write_spending

    converted = convert(find_data(folder / "package"), folder / "history")
    write_spending(converted.orders, converted.activities, zone=ZONE, excluded=_EXCLUDED)
    return converted


def demo_program(campaigns: list[Campaign]) -> Program:
    """The demo's program, with a coupon template for each of the data's campaigns."""
    from decimal import Decimal

    from shuke.program.document import from_data, read, to_data

    data = to_data(read((Path(__file__).parent / "program.yaml").read_text(encoding="utf-8")))
    data["coupons"] = [
        {
            "id": campaign.template,
            "title": {
                "en": f"Campaign {campaign.id}",
                "zh-Hant": f"第 {campaign.id} 檔活動",
                "zh-Hans": f"第 {campaign.id} 期活动",
            },
            "give": {"amount_off": str(Decimal(campaign.typical_discount) / 100)},
            "valid": {"from": campaign.starts, "until": campaign.ends},
            "codes": "unique",
        }
        for campaign in campaigns
    ]
    return from_data(data)


async def _publish(books: Books, campaigns: list[Campaign]) -> Program:
    from psycopg import sql

    from shuke.books.connect import connect, schema_of
    from shuke.books.migrations import migrate
    from shuke.books.programs import publish
    from shuke.program.document import write
    from shuke.runtime.clock import now

    async with await connect(books.url, tenant=TENANT) as connection:
        # The demo's own tenant, made anew each time: whatever a demo before this one left is dropped.
        await connection.execute(sql.SQL("drop schema if exists {} cascade").format(sql.Identifier(schema_of(TENANT))))
    migrate(books.url, tenant=TENANT)
    program = demo_program(campaigns)
    async with await connect(books.url, tenant=TENANT) as connection:
        await publish(connection, program, text=write(program), at=now())
    return program


def _settle(books: Books, history: Converted, folder: Path, jobs: int) -> ImportReport:
    from shuke.intake.importer import import_history

    workdir = Path(tempfile.mkdtemp(prefix="shuke-demo-"))
    try:
        with bars() as drawn:
            return import_history(
                url=books.url,
                tenant=TENANT,
                orders=history.orders,
                activities=history.activities,
                members=history.members,
                workdir=workdir,
                rejected=folder / "rejected.csv",
                jobs=jobs,
                progress=lambda done, total: drawn.show("   Settling", done, total, "activities"),
            )
    finally:
        shutil.rmtree(workdir)


async def _advance(books: Books, program: Program) -> int:
    from shuke.books.connect import pool
    from shuke.runtime.due import advance
    from shuke.runtime.settle import Settler
    from shuke.values.instants import parse_instant

    async with pool(books.url, tenant=TENANT, size_max=1) as connections:
        return await advance(Settler(connections), until=parse_instant(_UNTIL, zone=program.zone))


async def _prove(books: Books) -> tuple[int, str]:
    """How many findings there are, and what was looked at."""
    from psycopg import IsolationLevel

    from shuke.books.connect import connect
    from shuke.books.programs import editions_of, published
    from shuke.books.verify import Verified, verify

    seen, findings = Verified(), 0
    async with await connect(books.url, tenant=TENANT) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        async with connection.transaction():
            editions = editions_of(await published(connection))
            with bars() as drawn:

                def heard(done: int, total: int) -> None:
                    drawn.show("   Proving", done, total, "buckets")

                async for finding in verify(connection, editions, progress=heard, seen=seen):
                    findings += 1
                    out().print(Text(f"{finding.code}  {finding.row}: {finding.sentence}", style="red"))
    return findings, f"{seen.entries:,} entries, {seen.orders:,} orders: " + (
        f"{findings} findings" if findings else "everything agrees, also when settled again"
    )
