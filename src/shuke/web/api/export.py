"""All that is known about one person, in one file: a JSON document, or CSV tables in a zip archive.

It is read at one moment and laid down in a temporary file before it is sent, so that a caller who is slow holds no
connection to the books, and what is sent is whole.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import ExitStack
from tempfile import SpooledTemporaryFile
from typing import Annotated, Any, Final, Literal

import msgspec
from fastapi import Query
from msgspec import Struct
from pydantic import Field
from starlette.responses import StreamingResponse

from shuke.books import activities, coupons, orders, segments, statements, waiting
from shuke.books.load import Connection
from shuke.engine.balances import present
from shuke.engine.compiled import Editions
from shuke.engine.member import Member
from shuke.engine.sentences import writer
from shuke.program.document import Program
from shuke.runtime.clock import now
from shuke.values.instants import Instant
from shuke.web.api.activities import ActivityShown, activity_shown
from shuke.web.api.balances import BalanceShown, HoldShown, balances_shown, known_member
from shuke.web.api.callers import Call, reading
from shuke.web.api.consents import ConsentSaid, consents_said
from shuke.web.api.contract import MemberId, Shown, ShownMoment, shown_moment
from shuke.web.api.coupon_lookups import CouponShown, coupon_shown
from shuke.web.api.known_as import IdentityShown, identity_shown
from shuke.web.api.members import MemberShown, member_shown
from shuke.web.api.orders import OrderShown, order_shown
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors
from shuke.web.api.segments import MembershipShown
from shuke.web.api.standings import TierChangeShown, change_shown
from shuke.web.api.statements import EntryShown, entry_shown
from shuke.web.api.tags import TagShown, tags_shown
from shuke.web.api.waiting import WaitingShown, waiting_shown

router = doors("Members")

_AT_ONCE: Final = 500  # rows read from the books
_IN_MEMORY: Final = 1_000_000  # bytes, before a file on disk takes over
_PIECE: Final = 65_536  # bytes sent at once
_CHANGES_MOST: Final = 100_000

# What a spreadsheet would take for a formula. A number is none, also one that begins with a sign.
_FORMULA: Final = re.compile(r"[=@\t\r]|[+-](?!\d[\d.,]*\Z)")

TABLES: Final[dict[str, type[Shown]]] = {
    "known_as": IdentityShown,
    "tags": TagShown,
    "consents": ConsentSaid,
    "balances": BalanceShown,
    "holds": HoldShown,
    "coupons": CouponShown,
    "tier_changes": TierChangeShown,
    "orders": OrderShown,
    "activities": ActivityShown,
    "waiting": WaitingShown,
    "segments": MembershipShown,
    "entries": EntryShown,
}
"""The tables of an export, and what a row of each is."""


class MemberExport(Shown):
    """All that is known about one person."""

    at: ShownMoment = Field(description="As of when.")
    member: MemberShown
    known_as: list[IdentityShown]
    tags: list[TagShown]
    consents: list[ConsentSaid]
    balances: list[BalanceShown]
    holds: list[HoldShown]
    coupons: list[CouponShown]
    tier_changes: list[TierChangeShown]
    orders: list[OrderShown]
    activities: list[ActivityShown]
    waiting: list[WaitingShown]
    segments: list[MembershipShown]
    entries: list[EntryShown]


class _Person(Struct):
    """Whose export it is, and what it takes to read it."""

    call: Call
    connection: Connection
    editions: Editions
    program: Program
    member: Member
    at: Instant


@router.get(
    "/members/{member_id}/export",
    response_model=MemberExport,
    responses={
        **documented("member_unknown", "no_program"),
        200: {
            "description": "The document, or the archive.",
            "content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}},
        },
    },
)
async def export_member(
    member_id: MemberId,
    call: Annotated[Call, reading("members:read")],
    format: Annotated[
        Literal["json", "csv"], Query(description="csv: one table per list, in a zip archive, for spreadsheets.")
    ] = "json",
) -> StreamingResponse:
    """All that is known about a person in one file: profile, tags, all she said of consents, balances lot by lot,
    coupons, orders, everything that was told of her and every entry with its reason.

    Takes a key that may also read orders, activities, coupons, points and tiers.
    """
    for scope in ("orders:read", "activities:read", "coupons:read", "points:read", "tiers:read"):
        call.demand(scope)
    member, at = await known_member(call, member_id), now()
    editions = await call.shop.editions()
    program = await call.shop.program()
    with ExitStack() as stack:
        file = stack.enter_context(SpooledTemporaryFile(max_size=_IN_MEMORY))
        async with call.shop.snapshot() as connection:
            person = _Person(call, connection, editions, program, member, at)
            await (_write_csv if format == "csv" else _write_json)(person, file)
        written = stack.pop_all()  # closed by whoever has sent it
    file.seek(0)
    kind, ending = ("application/zip", "zip") if format == "csv" else ("application/json", "json")
    named = {"Content-Disposition": f'attachment; filename="member.{ending}"'}
    return StreamingResponse(_pieces(file, written), media_type=kind, headers=named)


def _pieces(file: SpooledTemporaryFile[bytes], written: ExitStack) -> Iterator[bytes]:
    with written:
        while piece := file.read(_PIECE):
            yield piece


# -- What is told -----------------------------------------------------------------------------------------


def _profile(person: _Person) -> MemberShown:
    return member_shown(present(person.editions, person.member, person.at).member)


async def _rows(person: _Person, table: str) -> AsyncIterator[Iterable[Shown]]:
    """A table's rows, some at a time."""
    if table in ("balances", "holds"):
        yield getattr(balances_shown(person.member, person.editions, person.at), table)
        return
    if table == "known_as":
        yield [identity_shown(identity, person.program) for identity in person.member.identities]
        return
    if table == "tags":
        yield tags_shown(present(person.editions, person.member, person.at).member)
        return
    for id_ in (person.member.id, *(entry.member_id for entry in person.member.absorbed)):
        async for rows in _rows_of(person, table, id_):
            yield rows


async def _rows_of(person: _Person, table: str, id_: str) -> AsyncIterator[Iterable[Shown]]:
    """What stands under one of the ids that are hers."""
    call, connection = person.call, person.connection
    if table == "consents":
        seq = None
        while said := await consents_said(connection, id_, before=seq, most=_AT_ONCE):
            yield [one for _, one in said if one is not None]
            seq = said[-1][0]
    elif table == "tier_changes":
        words = writer(person.program, call.locale)
        changes = await statements.tier_changes(connection, id_, most=_CHANGES_MOST)
        yield [change_shown(change, words) for change in changes]
    elif table == "coupons":
        before = None
        while found := await coupons.of_member(connection, id_, at=person.at, before=before, most=_AT_ONCE):
            yield [coupon_shown(row, person.program, call) for row in found]
            before = found[-1].issued_at, found[-1].coupon_id
    elif table == "orders":
        seq = None
        while placed := await orders.of_member(connection, id_, before=seq, most=_AT_ONCE, now_of=person.member.id):
            yield [order_shown(person.member.id, order) for _, order in placed]
            seq = placed[-1][0]
    elif table == "activities":
        seq = None
        while told := await activities.of_member(connection, id_, before=seq, most=_AT_ONCE):
            yield [activity_shown(recorded, person.program, call) for recorded in told]
            seq = told[-1].seq
    elif table == "waiting":
        yield [waiting_shown(one, person.program, call) for one in await waiting.of_member(connection, id_)]
    elif table == "segments":
        found_in = await segments.of_member(connection, id_)
        yield [MembershipShown(segment_id=segment, since=since) for segment, since in found_in]
    else:
        behind = None
        while lines := await statements.entries_behind(connection, id_, behind=behind, asset=None, most=_AT_ONCE):
            yield [entry_shown(line, person.editions, call) for line in lines]
            behind = lines[-1].seq, lines[-1].no


# -- As JSON ----------------------------------------------------------------------------------------------


async def _write_json(person: _Person, file: SpooledTemporaryFile[bytes]) -> None:
    """One document, written piece by piece as ``MemberExport`` has it."""
    at = msgspec.json.encode(shown_moment(person.at))
    file.write(b'{"at":' + at + b',"member":' + _profile(person).model_dump_json().encode())
    for table in TABLES:
        file.write(f',"{table}":['.encode())
        separator = b""
        async for rows in _rows(person, table):
            for row in rows:
                file.write(separator + row.model_dump_json().encode())
                separator = b","
        file.write(b"]")
    file.write(b"}")


# -- As tables --------------------------------------------------------------------------------------------


async def _write_csv(person: _Person, file: SpooledTemporaryFile[bytes]) -> None:
    """An archive with a table for each list, and one for the profile. What is nested stands as JSON in its cell."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("profile.csv", "w") as table:
            table.write(_csv([("what", "name", "value"), *_profile_rows(_profile(person))], first=True))
        for name, shape in TABLES.items():
            columns = list(shape.model_fields)
            with archive.open(f"{name}.csv", "w") as table:
                table.write(_csv([columns], first=True))
                async for rows in _rows(person, name):
                    told = (row.model_dump(mode="json") for row in rows)
                    table.write(_csv([one[column] for column in columns] for one in told))


def _profile_rows(member: MemberShown) -> Iterator[tuple[str, str, Any]]:
    told = member.model_dump(mode="json")
    for name in ("member_id", "status", "joined_at"):
        yield "member", name, told[name]
    for what in ("identities", "traits", "tiers"):
        for name, value in told[what].items():
            yield what, name, value
    for tag in told["tags"]:
        yield "tags", tag, ""


def _csv(rows: Iterable[Iterable[Any]], *, first: bool = False) -> bytes:
    """Rows as CSV. The ``first`` piece of a file begins with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows([_cell(value) for value in row] for row in rows)
    return (b"\xef\xbb\xbf" if first else b"") + text.getvalue().encode()


def _cell(value: Any) -> str:
    """A value as a cell: nothing, a number, JSON, or text that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if isinstance(value, bool | dict | list):
        return msgspec.json.encode(value).decode()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and _FORMULA.match(text) else text
