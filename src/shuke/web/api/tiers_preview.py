"""Tiers of everybody: who would move under a draft, and moving everybody to what the program in force supports.

Both go page by page, because a shop may have a million members: each page says how far it got.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Final

from msgspec import Meta, Struct
from pydantic import Field
from starlette.responses import Response

from shuke.books import tiers
from shuke.books.load import Connection
from shuke.books.members import Place
from shuke.books.tiers import Moves
from shuke.runtime.clock import now
from shuke.runtime.tiers import Mover, apply_to_members, look_at_members
from shuke.values.ids import digest
from shuke.values.instants import DAY
from shuke.web.api import cursors
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Shown, ShownMoment, Told
from shuke.web.api.problems import documented
from shuke.web.api.programs import Which, document_named
from shuke.web.api.routes import doors

router = doors("Tiers")

SECONDS: Final = 5.0
"""A page of a preview ends after about so long, however many members it was asked to look at."""

Cursor = Annotated[str | None, Field(max_length=cursors.MOST_CHARACTERS, description="`next` of the page before.")]


class PreviewTold(Told):
    """Which program to look at, and how far."""

    program: Which = Field(default=Which(draft=True), description="The draft if left out.")
    cursor: Cursor = None
    members: int = Field(default=20_000, ge=1, le=100_000, description="Look at no more members than these.")
    movers: int = Field(default=100, ge=0, le=1000, description="Tell no more members by name than these.")


class MovesShown(Shown):
    """So many members go from one tier to another."""

    ladder: str
    before: str | None = Field(description="null: no tier on this ladder.")
    after: str | None
    members: int


class MoverShown(Shown):
    """One member who would move."""

    member_id: str
    ladder: str
    before: str | None
    after: str | None
    why: dict[str, Any] | None = Field(
        description="The criteria, and what was seen.",
        examples=[{"criteria": "spend(12 months) >= 150", "seen": {"spend(12 months)": "160"}}],
    )
    anyway: bool = Field(description="Applying the program in force would move her there too.")


class PreviewShown(Shown):
    """Who of the members looked at would move. Nobody did."""

    at: ShownMoment = Field(description="As if the program came into force and were applied at this moment.")
    of: int = Field(description="Members there are, when the first page was looked at.")
    examined: int = Field(description="Members this page looked at. The first pages are a fair sample of all.")
    unreadable: int = Field(description="Members of whom nothing could be read; `shuke verify` names them.")
    moves: list[MovesShown]
    anyway: int = Field(description="Of the moves, those that applying the program in force would make too.")
    movers: list[MoverShown]
    uncounted: list[str] = Field(
        description="Measures the program asks for that are counted otherwise until now, or not so far back: of these "
        "less is seen than there was."
    )
    next: str | None = Field(description="Pass as `cursor` to look at further members; null: these were all.")


class ApplyTold(Told):
    """How far to apply."""

    cursor: Cursor = None
    members: int = Field(default=2000, ge=1, le=5000, description="Apply to no more members than these.")


class AppliedShown(Shown):
    """What became of the members of this page."""

    settled: int
    refused: int
    failed: int = Field(description="Members who cannot be settled; `shuke verify` names them.")
    moves: list[MovesShown]
    next: str | None = Field(description="Pass as `cursor` to go on; null: these were the last.")


class _Looking(Struct, array_like=True):
    """Where a preview is: its program, its moment, how many members there were, and the last one looked at."""

    digest: bytes
    at: int
    of: Annotated[int, Meta(ge=0)]
    place: Place


class _Applying(Struct, array_like=True):
    """Where an application is: its name, and the last member applied to."""

    run: Annotated[str, Meta(min_length=1, max_length=200, pattern=r"^[!-~]+$")]
    place: Place


@router.post(
    "/tiers/preview",
    responses=documented(
        "version_unknown", "draft_missing", "program_not_sound", "wrong_type", "body_too_large", "no_program"
    ),
)
async def preview_tiers(told: PreviewTold, call: Annotated[Call, reading("tiers:read")]) -> PreviewShown:
    """Who would change tier if a program were in force and applied: counts, and some of the members with the reason.

    Nobody moves by this. A page ends after 5 seconds at the latest; add the pages up. All pages of one preview look
    at the same moment.
    """
    document = await document_named(call, told.program, pointer="/program/text")
    asked = digest(document)
    if told.cursor is None:
        async with call.shop.pool.connection() as connection:
            looking = _Looking(asked, now(), await tiers.count(connection), Place())
    else:
        looking = cursors.read(told.cursor, _Looking, call, pointer="/cursor")
        if looking.digest != asked or not 0 <= now() - looking.at <= DAY:
            raise cursors.invalid(call, pointer="/cursor")
    found = await look_at_members(
        call.shop,
        document,
        at=looking.at,
        behind=looking.place,
        members=told.members,
        movers=told.movers,
        seconds=SECONDS,
    )
    following = None if found.place is None else _Looking(asked, looking.at, looking.of, found.place)
    return PreviewShown(
        at=looking.at,
        of=looking.of,
        examined=found.examined,
        unreadable=found.unreadable,
        moves=_moves(found.moves),
        anyway=found.anyway,
        movers=[_mover(mover) for mover in found.movers],
        uncounted=found.uncounted,
        next=None if following is None else cursors.written(following),
    )


@router.post("/tiers/apply", response_model=AppliedShown, responses=documented(writing=True))
async def apply_tiers(told: ApplyTold, call: Annotated[Call, writing("tiers:write")]) -> Response:
    """Move everybody, up or down, to what the program in force supports.

    A term that would still be given stays as it is. Each page applies to some members; go on with `next` until it is
    null. The pages of one application apply to each member once, also if one is interrupted and sent again.
    """
    applying = (
        _Applying(call.key, Place())
        if told.cursor is None
        else cursors.read(told.cursor, _Applying, call, pointer="/cursor")
    )

    async def act(connection: Connection) -> AppliedShown:
        done = await apply_to_members(
            call.shop, source=call.source, run=applying.run, behind=applying.place, members=told.members
        )
        following = None if done.place is None else cursors.written(_Applying(applying.run, done.place))
        return AppliedShown(
            settled=done.settled,
            refused=done.refused,
            failed=done.failed,
            moves=_moves(done.moves),
            next=following,
        )

    return await call.once(act, status=200)


def _moves(found: Iterable[Moves]) -> list[MovesShown]:
    return [
        MovesShown(ladder=moves.ladder, before=moves.before, after=moves.after, members=moves.members)
        for moves in found
    ]


def _mover(mover: Mover) -> MoverShown:
    move = mover.move
    return MoverShown(
        member_id=mover.member_id,
        ladder=move.ladder,
        before=move.before,
        after=move.after,
        why=move.why,
        anyway=move.anyway,
    )
