"""The books: init, work, verify, stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from shuke.cli.connection import Books, opened, served, settings
from shuke.cli.instants import read_instant
from shuke.cli.teaching import add
from shuke.cli.terminal import FOUND, OK, Json, bars, facts, note, out, plural, print_json
from shuke.cli.troubles import NOTHING_CHANGED, Trouble

if TYPE_CHECKING:
    from shuke.books.verify import Finding, Verified
    from shuke.runtime.settle import Pool, Settler
    from shuke.values.instants import Instant

_PANEL = "The books"
_LOOK_EVERY = 5.0  # seconds at most between two looks at who is due
_AGAIN_AFTER = 2.0  # seconds between tries at what did not go: the database is away, a member cannot be settled


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    add(
        app,
        init,
        panel=_PANEL,
        examples=[
            "shuke init",
            "SHUKE_HOME=/srv/shuke shuke init",
            "SHUKE_DATABASE_URL=postgresql://shuke@db/shuke shuke init",
        ],
    )
    add(app, work, panel=_PANEL, examples=["shuke work", "shuke work --once", "shuke work --until 2017-12-31"])
    add(app, verify, panel=_PANEL, examples=["shuke verify", "shuke verify --json > verified.json"])
    add(app, stop, panel=_PANEL, examples=["shuke stop"])


# -- init and stop ----------------------------------------------------------------------------------------


def init() -> int:
    """Make the books, or bring them up to date. Doing it again changes nothing.

    Without SHUKE_DATABASE_URL an embedded PostgreSQL keeps them in a folder (SHUKE_HOME). It runs while a
    command needs it; nothing listens on the network.
    """
    from shuke.books.connect import schema_of
    from shuke.books.migrations import migrate, newest, revision

    told = settings()
    with served(told) as books:
        before = revision(books.url, tenant=books.tenant)
        migrate(books.url, tenant=books.tenant)
        became = "made" if before is None else "up to date" if before == newest() else f"brought up from {before}"
        out().print(Text(f"The books are {became}.", style="green"))
        kind = "the embedded PostgreSQL" if told.database_url is None else "your PostgreSQL"
        facts(
            [
                ("Data", f"{books.place} ({kind})"),
                ("Tenant", f"{books.tenant} (schema {schema_of(books.tenant)})"),
                ("Revision", newest()),
            ]
        )
    if before is None:
        note("Next: shuke publish PROGRAM")
    return OK


def stop() -> int:
    """Stop the embedded PostgreSQL for everybody who uses it. The data stays where it is.

    It stops by itself when the last command that uses it ends; this is for one that was left behind by a
    process that was killed.
    """
    from shuke.books import server

    told = settings()
    if told.database_url is not None:
        todo = "Stop that one by its own means."
        raise Trouble("SHUKE_DATABASE_URL names a PostgreSQL of yours.", kept=NOTHING_CHANGED, todo=todo)
    if not (told.home / "postgres").exists():
        out().print(f"There is no embedded PostgreSQL in {told.home}.")
        return OK
    server.start(told.home).stop()
    out().print(f"The embedded PostgreSQL in {told.home} is stopped.")
    return OK


# -- work -------------------------------------------------------------------------------------------------


def work(
    once: Annotated[bool, typer.Option("--once", metavar="", help="Do what is due now, and end.")] = False,
    until: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Let time pass up to here, and end. A date means its whole day."),
    ] = None,
) -> int:
    """Let time pass for members: value ripens and ends, tiers are reviewed, holds lapse.

    Runs until it is told to stop (Ctrl-C, SIGTERM) and finishes what it has begun. Any number may run at once,
    on any number of machines. What is late is caught up with; nothing happens twice.
    """
    from shuke.runtime.telemetry import set_up

    with opened() as books:
        set_up(settings().log, stream=sys.stderr)
        return asyncio.run(_work(books, once=once, until=until))


class _Stopped(Exception):
    """Raised between two batches, after somebody asked to stop."""


async def _work(books: Books, *, once: bool, until: str | None) -> int:
    import structlog
    from psycopg import InterfaceError, OperationalError
    from psycopg_pool import PoolTimeout

    from shuke.books.connect import pool
    from shuke.runtime.clock import now
    from shuke.runtime.settle import Settler

    log = structlog.get_logger()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with pool(books.url, tenant=books.tenant, size_max=2) as connections:
        settler = Settler(connections)
        if once or until is not None:
            end = now() if until is None else await _end(connections, settler, until)
            return await _once(connections, settler, end, stopping)
        log.info("work.started", tenant=books.tenant)
        while not stopping.is_set():
            try:
                settled = await _advance(connections, settler, now(), stopping)
                if settled:
                    log.info("clock.advanced", members=settled)
                await _wait(stopping, await _idle_seconds(connections))
            except (OperationalError, InterfaceError, PoolTimeout) as away:
                log.warning("work.database_away", why=type(away).__name__)
                await _wait(stopping, _AGAIN_AFTER)
        log.info("work.stopped")
    return OK


async def _once(connections: Pool, settler: Settler, until: Instant, stopping: asyncio.Event) -> int:
    settled = await _advance(connections, settler, until, stopping)
    out().print(f"{plural(settled, 'member')} had something due." if settled else "Nothing was due.")
    left = await _count_due(connections, until)
    if left and not stopping.is_set():
        note(f"{plural(left, 'member')} could not be settled, or another worker is at it; see the log.")
    return FOUND if left and not stopping.is_set() else OK


async def _count_due(connections: Pool, until: Instant) -> int:
    from shuke.books.statements import count_due

    async with connections.connection() as connection:
        return await count_due(connection, until)


async def _end(connections: Pool, settler: Settler, until: str) -> Instant:
    async with connections.connection() as connection:
        editions = await settler.editions(connection)
    zone = editions.compiled[-1].document.zone
    return read_instant(until, zone=zone, option="--until", whole_day=True)


async def _advance(connections: Pool, settler: Settler, until: Instant, stopping: asyncio.Event) -> int:
    """Settle what is due up to ``until``, or as much of it as was done when somebody asked to stop."""
    from shuke.runtime.due import advance

    due = await _count_due(connections, until)
    done = 0
    with bars() as drawn:

        def heard(total: int) -> None:
            nonlocal done
            done = total
            drawn.show("Letting time pass", total, due, "members")
            if stopping.is_set():
                raise _Stopped

        try:
            return await advance(settler, until=until, progress=heard)
        except _Stopped:
            return done


async def _idle_seconds(connections: Pool) -> float:
    """How long nothing will be due, at most ``_LOOK_EVERY``: new orders change what is. Who is due still could
    not be settled, or is another worker's."""
    from shuke.books.statements import next_due
    from shuke.runtime.clock import now
    from shuke.values.instants import SECOND

    async with connections.connection() as connection:
        due = await next_due(connection)
    ahead = (due - now()) / SECOND
    return min(ahead, _LOOK_EVERY) if ahead > 0 else _AGAIN_AFTER


async def _wait(stopping: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        pass


# -- verify -----------------------------------------------------------------------------------------------


def verify(as_json: Json = False) -> int:
    """Prove the books, and name the first row of everything that does not agree.

    Every asset sums to zero; every balance is the sum of its entries and of its lots; no account is below zero;
    every entry has its activity, rule and version; and settling the whole log again gives every member, order
    and entry back, to the last byte. Settling may go on meanwhile. Exit status 1 if something was found.
    """
    with opened() as books:
        found, seen, seconds = asyncio.run(_verify(books, quiet=as_json))
    if as_json:
        names = ("members", "activities", "entries", "orders")
        print_json(
            {
                "findings": [
                    {"code": finding.code, "row": finding.row, "sentence": finding.sentence} for finding in found
                ],
                **{name: getattr(seen, name) for name in names},
                "seconds": round(seconds, 3),
            }
        )
        return FOUND if found else OK
    looked = (
        f"{plural(seen.members, 'member')}, {plural(seen.activities, 'activity', 'activities')}, "
        f"{plural(seen.entries, 'entry', 'entries')}, {plural(seen.orders, 'order')} in {seconds:,.1f} s"
    )
    if found:
        said = f"{plural(len(found), 'row does', 'rows do')} not agree ({looked})."
        out().print(Text(said, style="bold red"))
    else:
        out().print(Text(f"The books agree: {looked}.", style="green"))
    return FOUND if found else OK


async def _verify(books: Books, *, quiet: bool) -> tuple[list[Finding], Verified, float]:
    import time

    from psycopg import IsolationLevel

    from shuke.books.connect import connect
    from shuke.books.programs import editions_of, published
    from shuke.books.statements import count_members
    from shuke.books.verify import Verified
    from shuke.books.verify import verify as prove
    from shuke.runtime.settle import NotPublished

    started = time.monotonic()
    found: list[Finding] = []
    seen = Verified()
    async with await connect(books.url, tenant=books.tenant) as connection:
        await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
        await connection.set_read_only(True)
        async with connection.transaction():
            versions = await published(connection)
            if not versions:
                raise NotPublished
            members = await count_members(connection)
            with bars() as drawn:

                def heard(done: int, total: int) -> None:
                    drawn.show("Proving", seen.members, members, "members")

                async for finding in prove(connection, editions_of(versions), progress=heard, seen=seen):
                    found.append(finding)
                    if not quiet:
                        _show(finding)
    return found, seen, time.monotonic() - started


def _show(finding: Finding) -> None:
    out().print(Text.assemble((finding.code, "bold red"), "  ", (finding.row, "bold")))
    out().print(Text(f"  {finding.sentence}"))
