"""The books: init, verify, stop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from shuke.cli.connection import Books, opened, served, settings
from shuke.cli.teaching import add
from shuke.cli.terminal import FOUND, OK, Json, bars, facts, note, out, plural, print_json
from shuke.cli.troubles import NOTHING_CHANGED, Trouble

if TYPE_CHECKING:
    from shuke.books.verify import Finding, Verified

_PANEL = "The books"


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
