"""Members: who she is and what she has, and why an entry is there."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from shuke.cli.connection import Books, opened
from shuke.cli.teaching import add
from shuke.cli.terminal import OK, Json, print_json
from shuke.cli.troubles import NOTHING_CHANGED, Trouble
from shuke.cli.words import Lang, language
from shuke.values.names import composed

if TYPE_CHECKING:
    from shuke.books.load import Connection
    from shuke.books.statements import Line
    from shuke.books.timeline import Happened
    from shuke.cli.cause import Cause
    from shuke.cli.statement import Statement
    from shuke.engine.compiled import Editions

_PANEL = "Members"
_MOST_ENTRIES = 20
_MOST_HAPPENED = 50

member_app = typer.Typer(no_args_is_help=True, help="Look at members.")


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    add(
        member_app,
        show,
        examples=[
            "shuke member show M-1001",
            "shuke member show M-1001 --lang zh-Hant",
            "shuke member show M-1001 --json --entries 1000",
        ],
    )
    add(
        member_app,
        timeline,
        examples=[
            "shuke member timeline M-1001",
            "shuke member timeline M-1001 --last 200 --lang zh-Hant",
            "shuke member timeline M-1001 --json",
        ],
    )
    app.add_typer(member_app, name="member", rich_help_panel=_PANEL)
    add(
        app,
        explain,
        panel=_PANEL,
        examples=[
            "shuke explain M-1001/17/0",
            "shuke explain M-1001 --order A-42",
            "shuke explain M-1001/17/0 --lang zh-Hans",
        ],
    )


async def _editions(connection: Connection) -> Editions:
    from shuke.books.programs import editions_of, published
    from shuke.runtime.settle import NotPublished

    versions = await published(connection)
    if not versions:
        raise NotPublished
    return editions_of(versions)


async def nobody(connection: Connection, member_id: str) -> Trouble:
    from shuke.books.statements import members_like

    like = await members_like(connection, member_id)
    todo = f"Perhaps: {', '.join(like)}" if like else "Look at the id; capital and small letters differ."
    return Trouble(f"Nobody has the id {member_id}.", kept=NOTHING_CHANGED, todo=todo)


# -- member show ------------------------------------------------------------------------------------------


def show(
    member_id: Annotated[str, typer.Argument(metavar="ID", help="The member's id.")],
    entries: Annotated[
        int, typer.Option(min=0, metavar="N", help="How many of the last entries to show.")
    ] = _MOST_ENTRIES,
    lang: Lang = None,
    as_json: Json = False,
) -> int:
    """Show what a member has and where she stands: tiers, balances by lot, coupons, her last entries and why.

    Looking changes nothing. What has fallen due since she was last settled is settled by shuke work.
    """
    from shuke.cli.statement import as_data, draw

    with opened() as books:
        found = asyncio.run(_statement(books, composed(member_id), entries))
    locale = language(lang)
    if as_json:
        print_json(as_data(found, locale))
    else:
        draw(found, locale)
    return OK


async def _statement(books: Books, member_id: str, most: int) -> Statement:
    from shuke.books import statements
    from shuke.books.connect import connect
    from shuke.cli.statement import Statement
    from shuke.runtime.clock import now

    async with await connect(books.url, tenant=books.tenant) as connection:
        editions = await _editions(connection)
        member = await statements.member(connection, member_id)
        if member is None:
            raise await nobody(connection, member_id)
        lines = await statements.last_entries(connection, member.id, most=most)
        return Statement(member, lines, editions, now())


# -- member timeline --------------------------------------------------------------------------------------


def timeline(
    member_id: Annotated[str, typer.Argument(metavar="ID", help="The member's id.")],
    last: Annotated[
        int, typer.Option(min=1, max=10_000, metavar="N", help="How many of the last activities to look at.")
    ] = _MOST_HAPPENED,
    lang: Lang = None,
    as_json: Json = False,
) -> int:
    """Tell everything that happened to a member, in order: each activity in a sentence, and what came of it.

    Activities by which only time passed, and of which nothing came, are left out.
    """
    from shuke.cli.timeline import draw, told_of

    with opened() as books:
        found, editions = asyncio.run(_happened(books, member_id, last))
    locale = language(lang)
    if as_json:
        print_json({"member": member_id, "timeline": [told_of(one, editions, locale) for one in reversed(found)]})
    else:
        draw(found, editions, locale)
    return OK


async def _happened(books: Books, member_id: str, most: int) -> tuple[list[Happened], Editions]:
    from shuke.books import statements
    from shuke.books.connect import connect
    from shuke.books.timeline import of_member

    async with await connect(books.url, tenant=books.tenant) as connection:
        editions = await _editions(connection)
        if await statements.member(connection, member_id) is None:
            raise await nobody(connection, member_id)
        found, _ = await of_member(connection, member_id, before=None, most=most)
        return found, editions


# -- explain ----------------------------------------------------------------------------------------------


def explain(
    entry: Annotated[
        str, typer.Argument(metavar="ENTRY", help="An entry (M-1001/17/0), or a member's id with --order.")
    ],
    order: Annotated[
        str | None, typer.Option(metavar="ORDER_ID", help="Explain all entries of this order of the member.")
    ] = None,
    lang: Lang = None,
    as_json: Json = False,
) -> int:
    """Say why an entry is there: the sentence, the numbers, the rule as it read then, the activity behind it.

    The names of entries are those that shuke member show prints.
    """
    from shuke.cli.cause import as_data, draw

    with opened() as books:
        causes, editions = asyncio.run(_causes(books, composed(entry), None if order is None else composed(order)))
    locale = language(lang)
    if as_json:
        print_json(as_data(causes, editions, locale))
    else:
        draw(causes, editions, locale)
    return OK


async def _causes(books: Books, asked: str, order_id: str | None) -> tuple[list[Cause], Editions]:
    from shuke.books import statements
    from shuke.books.connect import connect
    from shuke.cli.cause import Cause

    async with await connect(books.url, tenant=books.tenant) as connection:
        editions = await _editions(connection)
        causes = []
        for line in await _lines(connection, asked, order_id):
            entry = line.entry
            lot = None
            if entry.lot:
                lot = await statements.lot_dates(connection, line.member_id, asset=entry.asset, lot=entry.lot)
            causes.append(Cause(line, lot, await statements.activity(connection, line.member_id, line.seq)))
        return causes, editions


async def _lines(connection: Connection, asked: str, order_id: str | None) -> list[Line]:
    from shuke.books import statements

    if order_id is not None:
        lines = await statements.entries_of_order(connection, asked, order_id)
        if not lines:
            if await statements.member(connection, asked) is None:
                raise await nobody(connection, asked)
            what = f"Nothing moved for {asked} because of an order {order_id}."
            raise Trouble(what, kept=NOTHING_CHANGED, todo=f"See what did: shuke member show {asked}")
        return lines
    member_id, *place = asked.rsplit("/", 2)
    if len(place) != 2 or not all(number.isascii() and number.isdigit() for number in place):
        what = f"{asked} is not the name of an entry."
        todo = "It is member/activity/number, such as M-1001/17/0; or name a member and --order."
        raise Trouble(what, kept=NOTHING_CHANGED, todo=todo)
    line = await statements.entry(connection, member_id, int(place[0]), int(place[1]))
    if line is None:
        if await statements.member(connection, member_id) is None:
            raise await nobody(connection, member_id)
        todo = f"See which there are: shuke member show {member_id}"
        raise Trouble(f"There is no entry {asked}.", kept=NOTHING_CHANGED, todo=todo)
    return [line]
