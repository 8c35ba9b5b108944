"""Segments: saved conditions and who is in them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from shuke.cli.connection import Books, opened
from shuke.cli.teaching import add
from shuke.cli.terminal import OK, Json, note, plural, print_json, table
from shuke.cli.troubles import NOTHING_CHANGED, Trouble
from shuke.cli.words import Lang, language

if TYPE_CHECKING:
    from shuke.books.load import Connection
    from shuke.books.segments import Segment

_PANEL = "Members"

segments_app = typer.Typer(no_args_is_help=True, help="Keep segments of members.")

Id = Annotated[str, typer.Argument(metavar="ID", help="The segment's id.")]


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    add(segments_app, list_, name="list", examples=["shuke segments list"])
    add(
        segments_app,
        make,
        name="add",
        examples=['shuke segments add birthdays "Birthday soon" --where "member.birthday in next 7 days"'],
    )
    add(segments_app, refresh, examples=["shuke segments refresh birthdays"])
    add(segments_app, remove, examples=["shuke segments remove birthdays"])
    add(segments_app, templates, examples=["shuke segments templates --often 4 --much 20000 --lang zh-Hant"])
    app.add_typer(segments_app, name="segments", rich_help_panel=_PANEL)


def list_(as_json: Json = False) -> int:
    """List segments with their conditions and sizes."""
    with opened() as books:
        found = asyncio.run(_all(books))
    if as_json:
        print_json(
            [
                {"segment_id": one.id, "title": one.title, "condition": one.condition, "members": one.members}
                for one in found
            ]
        )
    else:
        table(
            (("segment", "left"), ("title", "left"), ("members", "right"), ("looked at", "left"), ("of", "left")),
            [_row(segment) for segment in found],
            fixed=(0,),
        )
    return OK


def _row(segment: Segment) -> tuple[str, ...]:
    return (
        segment.id,
        segment.title,
        f"{segment.members:,}" if segment.refreshed_at else "-",
        segment.refresh or "by hand",
        segment.condition or "a list",
    )


async def _all(books: Books) -> list[Segment]:
    from shuke.books import segments
    from shuke.books.connect import connect

    async with await connect(books.url, tenant=books.tenant) as connection:
        return await segments.page(connection, after="", most=1_000)


def make(
    segment_id: Id,
    title: Annotated[str, typer.Argument(metavar="TITLE", help="What people call it.")],
    where: Annotated[str, typer.Option("--where", metavar="CONDITION", help="Whom it holds for.")],
    every: Annotated[
        str | None, typer.Option("--refresh", metavar="HOW", help="live, hourly or daily; live if possible.")
    ] = None,
) -> int:
    """Make a segment of whom a condition holds for, and look who that is."""
    with opened() as books:
        segment = asyncio.run(_made(books, segment_id, title, where, every))
    note(f"{segment.id}: {plural(segment.members, 'member')}, looked at {segment.refresh}.")
    return OK


async def _made(books: Books, segment_id: str, title: str, where: str, every: str | None) -> Segment:
    from shuke.books import segments
    from shuke.books.connect import connect
    from shuke.books.segments import Segment
    from shuke.cli.audiences import audience
    from shuke.program.conditions import show
    from shuke.runtime.segments import named, wrong

    if every not in (None, "live", "hourly", "daily"):
        raise Trouble(f"{every} is no way to look.", kept=NOTHING_CHANGED, todo="Write live, hourly or daily.")
    async with await connect(books.url, tenant=books.tenant) as connection:
        asked = await audience(connection, where)
        if segment_id in named(asked.tree):
            raise Trouble("The condition asks for the segment itself.", kept=NOTHING_CHANGED, todo="Mend it.")
        how = every or ("daily" if wrong(asked.tree, asked.editions, refresh="live", at=asked.at) else "live")
        for problem in wrong(asked.tree, asked.editions, refresh=how, at=asked.at):  # type: ignore[arg-type]  # one of three
            raise Trouble(problem.sentence, kept=NOTHING_CHANGED, todo="Write --refresh hourly or daily.")
        at = asked.at
        made = Segment(segment_id, title, "dynamic", show(asked.tree), how, at, at, due_at=at)  # type: ignore[arg-type]  # as above
        if not await segments.add(connection, made):
            what = f"There is a segment {segment_id} already."
            raise Trouble(what, kept=NOTHING_CHANGED, todo="Choose another id, or remove that one.")
    return await _refreshed(books, segment_id)


def refresh(segment_id: Id) -> int:
    """Look now who is in a segment, and tell who came in and went out."""
    with opened() as books:
        segment = asyncio.run(_refreshed(books, segment_id))
    note(f"{segment.id}: {plural(segment.members, 'member')}.")
    return OK


async def _refreshed(books: Books, segment_id: str) -> Segment:
    from shuke.books.connect import pool
    from shuke.runtime.clock import now
    from shuke.runtime.segments import Segments
    from shuke.runtime.settle import Settler

    async with pool(books.url, tenant=books.tenant, size_max=2) as connections:
        settler = Settler(connections)
        async with connections.connection() as connection:
            segment, editions = await _there(connection, segment_id), await settler.editions(connection)
        await Segments(connections, settler).refresh(segment, editions, at=now())
        async with connections.connection() as connection:
            return await _there(connection, segment_id)


async def _there(connection: Connection, segment_id: str) -> Segment:
    from shuke.books import segments

    found = await segments.find(connection, segment_id)
    if found is None:
        raise Trouble(f"There is no segment {segment_id}.", kept=NOTHING_CHANGED, todo="See: shuke segments list")
    return found


def remove(segment_id: Id) -> int:
    """Remove a segment. Nobody is told."""
    with opened() as books:
        asyncio.run(_removed(books, segment_id))
    note(f"{segment_id} is removed.")
    return OK


async def _removed(books: Books, segment_id: str) -> None:
    from shuke.books import segments
    from shuke.books.connect import connect
    from shuke.program.conditions import parse
    from shuke.runtime.segments import named

    async with await connect(books.url, tenant=books.tenant) as connection:
        await _there(connection, segment_id)
        for other in await segments.page(connection, after="", most=1_000):
            if other.condition is not None and segment_id in named(parse(other.condition)):
                what = f"The segment {other.id} asks for {segment_id}."
                raise Trouble(what, kept=NOTHING_CHANGED, todo=f"Remove {other.id} first, or change it.")
        await segments.remove(connection, segment_id)


def templates(
    often: Annotated[int, typer.Option(min=2, metavar="N", help="Orders a year that are many.")] = 6,
    much: Annotated[int, typer.Option(min=1, metavar="N", help="Spent in a year that is much.")] = 1000,
    cycle: Annotated[int, typer.Option(min=1, max=365, metavar="DAYS", help="Customers come back after these.")] = 45,
    lang: Lang = None,
) -> int:
    """Show segments to take over, with your own numbers."""
    from shuke.program.conditions import show
    from shuke.program.ready_made import SEGMENTS

    locale = language(lang)
    rows = [(one.id, one.titles[locale], show(one.condition(often=often, much=much, cycle=cycle))) for one in SEGMENTS]
    table((("segment", "left"), ("title", "left"), ("of", "left")), rows, fixed=(0,))
    return OK
