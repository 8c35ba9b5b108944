"""Audiences: whom a condition holds for, how many they are, and why somebody is among them or not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.text import Text

from shuke.cli.connection import Books, opened
from shuke.cli.teaching import add
from shuke.cli.terminal import FOUND, OK, Json, note, out, plural, print_json, table
from shuke.cli.troubles import NOTHING_CHANGED, Trouble
from shuke.cli.words import Lang, language, word, word_for

if TYPE_CHECKING:
    from shuke.books.audiences import Audience, Size
    from shuke.books.load import Connection
    from shuke.engine.conditions import Explanation
    from shuke.engine.member import Member
    from shuke.engine.sentences import Writer

_PANEL = "Members"
_PAGE = 200

members_app = typer.Typer(no_args_is_help=True, help="Find members by a condition.")

Condition = Annotated[str, typer.Argument(metavar="CONDITION", help="As in a program: docs/reference/conditions.md.")]


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    add(
        members_app,
        where,
        examples=[
            'shuke members where "tier(club) >= gold and member.birthday in next 7 days"',
            'shuke members where "order.paid then not order.paid within 60 days" --count',
            'shuke members where "spend(12 months) >= 5000" --explain M-1001 --lang zh-Hant',
        ],
    )
    app.add_typer(members_app, name="members", rich_help_panel=_PANEL)


def where(
    condition: Condition,
    count: Annotated[bool, typer.Option("--count", help="Say how many they are, of many by a fair sample.")] = False,
    exact: Annotated[bool, typer.Option("--exact", help="With --count: look at everybody.")] = False,
    explain: Annotated[
        str | None, typer.Option(metavar="ID", help="Say why it holds for this member, or does not.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, metavar="N", help="Show no more than these.")] = 50,
    lang: Lang = None,
    as_json: Json = False,
) -> int:
    """Find the members a condition holds for now.

    Ends with status 1 where there are none, or where it does not hold for the member of --explain.
    """
    with opened() as books:
        return asyncio.run(_asked(books, condition, count, exact, explain, limit, lang, as_json))


async def _asked(
    books: Books,
    condition: str,
    count: bool,
    exact: bool,
    explain: str | None,
    limit: int,
    lang: str | None,
    json: bool,
) -> int:
    from shuke.books.connect import connect
    from shuke.engine.sentences import writer

    async with await connect(books.url, tenant=books.tenant) as connection:
        asked = await audience(connection, condition)
        words = writer(max(asked.editions.compiled, key=lambda one: one.version).document, language(lang))
        if explain is not None:
            return await _explained(connection, asked, explain, words, json)
        if count or exact:
            return _counted(await asked.size(connection, exact=exact), json)
        return await _found(connection, asked, limit, words, json)


async def audience(connection: Connection, condition: str) -> Audience:
    from shuke.books.audiences import Audience, problems
    from shuke.books.programs import editions_of, published
    from shuke.program.conditions import ConditionSyntax, parse
    from shuke.runtime.clock import now
    from shuke.runtime.settle import NotPublished

    versions = await published(connection)
    if not versions:
        raise NotPublished
    editions, at = editions_of(versions), now()
    try:
        tree = parse(condition)
    except ConditionSyntax as broken:
        what = f"{broken.sentence}\n       {condition}\n       {' ' * broken.position}^"
        todo = f"Did you mean {broken.suggestion}?" if broken.suggestion else "Mend the condition."
        raise Trouble(what, kept=NOTHING_CHANGED, todo=todo) from broken
    for problem in problems(tree, editions.at(at)):
        todo = f"Did you mean {problem.suggestion}?" if problem.suggestion else "Mend the condition."
        if problem.severity == "error":
            raise Trouble(problem.sentence, kept=NOTHING_CHANGED, todo=todo)
        note(f"{problem.sentence} {todo}")
    return Audience(tree, editions, at=at)


async def _found(connection: Connection, asked: Audience, limit: int, words: Writer, json: bool) -> int:
    from shuke.books.members import Place

    found: list[Member] = []
    place: Place | None = Place()
    while place is not None and len(found) <= limit:
        page, place = await asked.page(connection, behind=place, limit=_PAGE)
        found.extend(page)
    if json:
        print_json([_as_data(member, words) for member in found[:limit]])
    else:
        columns = ("id", "joined", "status", "tiers", "tags")
        heads = [word(column, words.locale) if column != "id" else "id" for column in columns]
        table([(head, "left") for head in heads], [_row(member, words) for member in found[:limit]], fixed=(0, 1))
        if len(found) > limit:
            note(f"There are more than these {limit:,}; show more with --limit, or count them with --count.")
    return OK if found else FOUND


def _row(member: Member, words: Writer) -> tuple[str, ...]:
    tiers = ", ".join(f"{ladder} {tier}" for ladder, tier in member.tiers.items())
    status = word_for(member.status, words.locale)
    return member.id, words.date(member.joined_at), status, tiers, ", ".join(member.tags)


def _as_data(member: Member, words: Writer) -> dict[str, Any]:
    return {
        "member_id": member.id,
        "joined": words.date(member.joined_at),
        "status": member.status,
        "tiers": member.tiers,
        "tags": member.tags,
        "traits": member.traits,
    }


def _counted(size: Size, json: bool) -> int:
    if json:
        print_json(size._asdict())
    else:
        about = "" if size.exact else "About "
        how = "all" if size.exact else "a fair sample"
        looked = plural(size.looked_at, "member")
        out().print(Text(f"{about}{plural(size.members, 'member')}. Looked at {looked}: {how}."))
    return OK if size.members else FOUND


async def _explained(connection: Connection, asked: Audience, member_id: str, words: Writer, json: bool) -> int:
    from shuke.cli.members import nobody
    from shuke.engine.condition_words import changes, verdict

    told = await asked.explain(connection, member_id)
    if told is None:
        raise await nobody(connection, member_id)
    if json:
        print_json(_explanation(told, words) | {"changes": changes(told, words)})
    else:
        for depth, part in _parts(told):
            out().print(Text(f"{'  ' * depth}{'✓' if part.holds else '✗'} {verdict(part, words)}"))
        for change in changes(told, words):
            out().print(Text(f"→ {change}"))
    return OK if told.holds else FOUND


def _parts(told: Explanation, depth: int = 0) -> list[tuple[int, Explanation]]:
    return [(depth, told), *(below for child in told.children for below in _parts(child, depth + 1))]


def _explanation(told: Explanation, words: Writer) -> dict[str, Any]:
    from shuke.engine.condition_words import seen, verdict

    parts = [_explanation(child, words) for child in told.children]
    return {
        "text": told.text,
        "holds": told.holds,
        "sentence": verdict(told, words),
        "seen": seen(told),
        "missing": None if told.missing is None else f"{told.missing:f}",
        "parts": parts,
    }
