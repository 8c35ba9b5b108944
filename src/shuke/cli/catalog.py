"""The catalog as files: import and export."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.text import Text

from shuke.cli.connection import Books, opened
from shuke.cli.teaching import add
from shuke.cli.terminal import OK, Json, bars, note, out, plural, print_json, table
from shuke.cli.troubles import NOTHING_CHANGED, Trouble

if TYPE_CHECKING:
    from shuke.books.catalog import Edited, Item
    from shuke.books.load import Connection

_TOGETHER = 5_000  # items of one transaction
_ATTRIBUTES_MOST = 500  # columns of a file
_DECIMALS = "No program is published yet, and its currency says how prices are written."

Kind = Literal["skus", "products", "categories", "brands"]
Told = tuple[tuple[str, str], Mapping[str, Any]]


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    group = typer.Typer(no_args_is_help=True, help="What the shop sells: products, SKUs, categories, brands.")
    add(
        group,
        import_,
        name="import",
        examples=["shuke catalog import products.csv", "shuke catalog import catalog.json"],
    )
    add(
        group,
        export,
        examples=["shuke catalog export catalog.json", "shuke catalog export skus.csv --kind skus"],
    )
    app.add_typer(group, name="catalog", rich_help_panel="The books")


# -- import -----------------------------------------------------------------------------------------------


def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON (.json), else CSV with its columns named.")],
    kind: Annotated[Kind | None, typer.Option("--kind", help="What a row of the CSV is; else its columns say.")] = None,
    as_json: Json = False,
) -> int:
    """Make or change items of the catalog. Doing it again changes nothing.

    What an item leaves out (in CSV: a column that is not there) stays as it was; null, or an empty cell, takes it
    away. Items are written by the thousand; if one of them cannot be read, those before it stay, and the same command
    goes through once it is mended. What the files look like is written in docs/reference/catalog.md.
    """
    if not file.is_file():
        raise Trouble(f"There is no file {file}.", kept=NOTHING_CHANGED, todo="Look at the path.")
    with opened() as books:
        edited = asyncio.run(_import(books, file, kind))
    if as_json:
        print_json(
            {
                "revision": edited.revision,
                "made": edited.made,
                "changed": edited.changed,
                "unchanged": edited.unchanged,
                "undescribed": [{"kind": kind, "id": id_} for kind, id_ in edited.undescribed],
            }
        )
        return OK
    told = edited.made + edited.changed + edited.unchanged
    out().print(Text(f"{plural(told, 'item')} of {file.name}", style="bold"))
    rows = [("made", edited.made), ("changed", edited.changed), ("as they were", edited.unchanged)]
    table([("", "left"), ("", "right")], [(name, f"{count:,}") for name, count in rows], head=False)
    if edited.undescribed:
        named = ", ".join(f"{kind} {id_}" for kind, id_ in edited.undescribed[:5])
        more = len(edited.undescribed) - 5
        note(f"Named and described nowhere: {named}{f' and {more:,} more' if more > 0 else ''}.")
    return OK


async def _import(books: Books, file: Path, kind: Kind | None) -> Edited:
    from shuke.books import catalog
    from shuke.books.connect import connect
    from shuke.runtime.clock import now

    whole = catalog.Edited(0)
    named: set[tuple[str, str]] = set()
    async with await connect(books.url, tenant=books.tenant) as connection:
        scale = await _scale(connection) if file.suffix != ".json" else 0
        with bars() as drawn:
            told = _told(file, kind, scale)
            while batch := _together(islice(told, _TOGETHER)):
                try:
                    async with connection.transaction():
                        edited = await catalog.edit(connection, batch, at=now())
                except catalog.Astray as astray:
                    raise _astray(astray, whole) from astray
                whole.revision = edited.revision
                whole.made += edited.made
                whole.changed += edited.changed
                whole.unchanged += edited.unchanged
                named.update(edited.undescribed)
                drawn.show("Writing", whole.made + whole.changed + whole.unchanged, None, "items")
        async with connection.transaction():
            known = {(item.kind, item.id) for item in await catalog.items(connection, list(named))}
    whole.undescribed = sorted(named - known)
    return whole


def _together(told: Iterator[Told]) -> dict[tuple[str, str], dict[str, Any]]:
    """What an item is told twice, it is told with everything that either says."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, fields in told:
        found.setdefault(key, {}).update(fields)
    return found


def _astray(astray: Any, whole: Edited) -> Trouble:
    from shuke.books.catalog import DEPTH_MOST

    what = (
        f"The category {astray.category} would lie in itself."
        if astray.code == "category_in_itself"
        else f"At most {DEPTH_MOST} categories lie in each other; {astray.category} would be deeper."
    )
    written = whole.made + whole.changed
    kept = f"{plural(written, 'item')} before it stay written." if written else NOTHING_CHANGED
    return Trouble(what, kept=kept, todo="Mend the file and run the same command again.")


async def _scale(connection: Connection) -> int:
    """Decimals of the program's currency."""
    from shuke.books.programs import published

    versions = await published(connection)
    if not versions:
        raise Trouble(_DECIMALS, kept=NOTHING_CHANGED, todo="Publish one: shuke publish PROGRAM")
    return versions[-1].program.scale


def _told(file: Path, kind: Kind | None, scale: int) -> Iterator[Told]:
    """The file's items, as edits take them. Raises ``Trouble`` with the place of what cannot be read."""
    from pydantic import ValidationError

    from shuke.intake.catalog import CsvError

    kept = "What was written before it stays written."
    todo = "Mend the file and run the same command again; docs/reference/catalog.md describes it."
    try:
        yield from _from_json(file) if file.suffix == ".json" else _from_csv(file, kind, scale)
    except CsvError as wrong:
        raise Trouble(f"{file}, {wrong}.", kept=kept, todo=todo) from wrong
    except ValidationError as wrong:
        [first, *_] = wrong.errors(include_url=False)
        where = ".".join(map(str, first["loc"]))
        raise Trouble(f"{file}, {wrong.title}: {where}: {first['msg']}.", kept=kept, todo=todo) from wrong
    except UnicodeDecodeError as broken:
        raise Trouble(f"{file} is not UTF-8 text.", kept=kept, todo="Save it as UTF-8.") from broken
    except ValueError as broken:
        raise Trouble(f"{file} is not JSON: {broken}.", kept=NOTHING_CHANGED, todo=todo) from broken


def _from_csv(file: Path, kind: Kind | None, scale: int) -> Iterator[Told]:
    from pydantic import ValidationError

    from shuke.intake import catalog
    from shuke.web.api.catalog_items import KINDS, TOLD, fields_of

    with file.open(encoding="utf-8-sig", newline="") as text:
        found, rows = catalog.read(text, scale=scale, kind=kind and KINDS[kind])
        for row in rows:
            try:
                told = TOLD[found].model_validate({found: row.id, **row.fields})
            except ValidationError as wrong:
                [first, *_] = wrong.errors(include_url=False)
                column = ".".join(map(str, first["loc"]))
                raise catalog.CsvError(first["msg"], line=row.line, column=column) from wrong
            yield (found, getattr(told, found)), fields_of(found, told)


def _from_json(file: Path) -> Iterator[Told]:
    from shuke.web.api.catalog_items import KINDS, TOLD, fields_of

    told = json.loads(file.read_text(encoding="utf-8-sig"), parse_float=str)
    if not isinstance(told, dict) or not all(isinstance(items, list) for items in told.values()):
        raise ValueError(f"write an object with lists of {', '.join(KINDS)}")
    for name, items in told.items():
        if name not in KINDS:
            raise ValueError(f"there is no kind {name}; there are {', '.join(KINDS)}")
        kind = KINDS[name]
        for item in items:
            found = TOLD[kind].model_validate(item)
            yield (kind, getattr(found, kind)), fields_of(kind, found)


# -- export -----------------------------------------------------------------------------------------------


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON (.json), else CSV. A - is standard output.")],
    kind: Annotated[
        Kind | None, typer.Option("--kind", help="Only this kind. A CSV holds one: skus, if not said.")
    ] = None,
) -> int:
    """Write the catalog into a file that `shuke catalog import` takes back, with what is archived."""
    with opened() as books:
        count = asyncio.run(_export(books, file, kind))
    if str(file) != "-":
        out().print(Text(f"{plural(count, 'item')} in {file}", style="bold"))
    return OK


async def _export(books: Books, file: Path, kind: Kind | None) -> int:
    from shuke.books.connect import connect

    async with await connect(books.url, tenant=books.tenant) as connection, connection.transaction():
        await connection.execute("set transaction isolation level repeatable read, read only")
        pieces = _as_json(connection, kind) if file.suffix == ".json" else _as_csv(connection, kind or "skus")
        count = 0
        if str(file) == "-":
            async for piece, items in pieces:
                sys.stdout.write(piece)
                count += items
        else:
            with file.open("w", encoding="utf-8", newline="") as text:
                async for piece, items in pieces:
                    text.write(piece)
                    count += items
    return count


async def _as_csv(connection: Connection, kind: Kind) -> AsyncIterator[tuple[str, int]]:
    """Pieces of the file, and how many items are in each."""
    from shuke.books import catalog
    from shuke.intake import catalog as files
    from shuke.web.api.catalog_items import KINDS

    scale = await _scale(connection)
    attributes = await catalog.attributes_of(connection, KINDS[kind], most=_ATTRIBUTES_MOST)
    header = files.header_of(KINDS[kind], attributes)
    yield files.written([header]), 0
    async for items in _pages(connection, KINDS[kind]):
        yield files.write(items, header, scale=scale), len(items)


async def _as_json(connection: Connection, kind: Kind | None) -> AsyncIterator[tuple[str, int]]:
    from shuke.web.api.catalog_items import KINDS

    kinds = {kind: KINDS[kind]} if kind else KINDS
    yield "{", 0
    for place, (name, found) in enumerate(kinds.items()):
        yield f'{"," if place else ""}\n"{name}": [', 0
        first = True
        async for items in _pages(connection, found):
            rows = [json.dumps(_plain(item), ensure_ascii=False) for item in items]
            yield ("\n" if first else ",\n") + ",\n".join(rows), len(items)
            first = False
        yield "\n]", 0
    yield "\n}\n", 0


def _plain(item: Item) -> dict[str, Any]:
    archived = {} if item.archived_at is None else {"archived": True}
    return {item.kind: item.id, **item.body, **archived}


async def _pages(connection: Connection, kind: str) -> AsyncIterator[list[Item]]:
    from shuke.books import catalog

    after = ""
    while items := await catalog.page(connection, kind, after=after, most=_TOGETHER, archived=True):
        yield items
        after = items[-1].id
