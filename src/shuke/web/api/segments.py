"""Segments: saved conditions and lists, who is in them, and how large they were."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from msgspec import Meta, Struct
from pydantic import Field
from starlette.responses import Response

from shuke.books import segments
from shuke.books.audiences import MOST_CHARACTERS
from shuke.books.load import Connection
from shuke.books.members import Place
from shuke.books.segments import Kind, Refresh, Segment
from shuke.program.conditions import parse, show
from shuke.program.ready_made import SEGMENTS
from shuke.runtime.clock import now
from shuke.runtime.segments import named, no_segment, wrong
from shuke.values.instants import NEVER, Instant
from shuke.web.api import cursors
from shuke.web.api.audiences import condition_read, wrong_condition
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Line, MemberId, Page, Shown, ShownEnd, ShownMoment, Slug, Told
from shuke.web.api.problems import Problem, documented
from shuke.web.api.routes import doors

router = doors("Segments")

MOST_SEGMENTS = 500

Cursor = Annotated[str | None, Query(max_length=cursors.MOST_CHARACTERS, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]
Title = Annotated[Line, Field(min_length=1, description="What people call it.", examples=["Gold, birthday soon"])]
Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MOST_CHARACTERS,
        description="A condition as text; see docs/reference/conditions.md. It may ask for other segments.",
        examples=["tier(club) >= gold and member.birthday in next 7 days", "segment(senior) and not tag staff"],
    ),
]
How = Annotated[
    Refresh,
    Field(
        description="When members come in and go out: `live`, as soon as something happens to them, for conditions "
        "that ask for no history; else every hour, or every day after midnight. Left out: live if possible, else daily."
    ),
]


class SegmentTold(Told):
    """A new segment: dynamic with a condition, static without."""

    segment_id: Slug
    title: Title
    condition: Text | None = None
    refresh: How | None = None


class SegmentChange(Told):
    """What to change; what is not named stays."""

    title: Title | None = None
    condition: Text | None = None
    refresh: How | None = None


class ListTold(Told):
    """Who comes into a static segment and who goes out of it."""

    add: list[MemberId] = Field(default=[], max_length=1000)
    remove: list[MemberId] = Field(default=[], max_length=1000)


class SnapshotTold(Told):
    """The static segment that a snapshot makes."""

    snapshot_id: Slug
    title: Title


class SegmentShown(Shown):
    """A segment."""

    segment_id: str = Field(examples=["gold-birthdays"])
    title: str
    kind: Kind
    condition: str | None
    refresh: Refresh | None
    members: int = Field(description="As of `refreshed_at`.", examples=[1240])
    refreshed_at: ShownEnd = Field(description="When it was last looked at as a whole; null: not yet.")
    due_at: ShownEnd = Field(description="When it is next; null: never by itself.")
    made_at: ShownMoment
    changed_at: ShownMoment


class InsideShown(Shown):
    """Somebody who is in a segment."""

    member_id: str
    since: ShownMoment


class MembershipShown(Shown):
    """A segment that somebody is in."""

    segment_id: str
    since: ShownMoment


class SegmentSize(Shown):
    """How large a segment was, and who came and went since the time before."""

    at: ShownMoment
    members: int
    entered: int
    left: int


class ReadyMadeShown(Shown):
    """A segment to take over, with the numbers that were asked for."""

    segment_id: str
    title: str
    condition: str


class _Before(Struct, array_like=True):
    """Where a history goes on: before this moment."""

    at: Annotated[int, Meta(ge=0, lt=2**60)]


def _shown(segment: Segment) -> SegmentShown:
    return SegmentShown(
        segment_id=segment.id,
        title=segment.title,
        kind=segment.kind,
        condition=segment.condition,
        refresh=segment.refresh,
        members=segment.members,
        refreshed_at=_or_never(segment.refreshed_at),
        due_at=_or_never(segment.due_at),
        made_at=segment.made_at,
        changed_at=segment.changed_at,
    )


def _or_never(instant: Instant | None) -> Instant:
    return NEVER if instant is None else instant


async def _there(connection: Connection, segment_id: str) -> Segment:
    found = await segments.find(connection, segment_id)
    if found is None:
        raise Problem("segment_unknown", segment_id=segment_id)
    return found


async def _conditioned(
    call: Call, connection: Connection, segment: Segment, condition: str, refresh: Refresh | None
) -> None:
    """Give the segment a condition. Refused: ``invalid_request``, ``segment_within_itself``."""
    tree = condition_read(call, condition)
    editions, at = await call.shop.editions(), now()
    if refresh is None:
        refresh = "daily" if wrong(tree, editions, refresh="live", at=at) else "live"
    if found := wrong(tree, editions, refresh=refresh, at=at):
        raise wrong_condition(call, found)
    asked, seen = named(tree), set[str]()
    while asked:
        other = await segments.find(connection, name := asked.pop())
        if name == segment.id:
            raise Problem("segment_within_itself", segment_id=name)
        if other is None:
            raise wrong_condition(call, [no_segment(name)])
        seen.add(name)
        asked |= (named(parse(other.condition)) if other.condition else set()) - seen
    segment.kind, segment.condition, segment.refresh, segment.due_at = "dynamic", show(tree), refresh, at


@router.post(
    "/segments",
    status_code=201,
    response_model=SegmentShown,
    responses=documented("segment_taken", "segment_within_itself", "too_many_segments", writing=True),
)
async def create_segment(told: SegmentTold, call: Annotated[Call, writing("segments:write")]) -> Response:
    """Make a segment: of whom a condition holds for, or, without one, of whom you put into it.

    Who comes in or goes out is told by an activity, `segment.entered` or `segment.left`, exactly once for each; rules
    may give something for it. The first members come in when a worker next looks, within seconds.
    """

    async def act(connection: Connection) -> SegmentShown:
        at = now()
        segment = Segment(told.segment_id, told.title, "static", None, None, at, at)
        if told.condition is not None:
            await _conditioned(call, connection, segment, told.condition, told.refresh)
        return await _added(connection, segment)

    return await call.once(act)


async def _added(connection: Connection, segment: Segment) -> SegmentShown:
    if len(await segments.page(connection, after="", most=MOST_SEGMENTS)) >= MOST_SEGMENTS:
        raise Problem("too_many_segments", most=MOST_SEGMENTS)
    if not await segments.add(connection, segment):
        raise Problem("segment_taken", segment_id=segment.id)
    return _shown(segment)


@router.get("/segments", responses=documented())
async def list_segments(
    call: Annotated[Call, reading("segments:read")], cursor: Cursor = None, limit: Limit = 50
) -> Page[SegmentShown]:
    """All segments, in the order of their ids."""
    async with call.shop.reading() as connection:
        found = await segments.page(connection, after=cursor or "", most=limit + 1)
    return Page(
        items=[_shown(segment) for segment in found[:limit]], next=found[limit - 1].id if len(found) > limit else None
    )


@router.get("/segment-templates", responses=documented())
async def list_segment_templates(
    call: Annotated[Call, reading("segments:read")],
    often: Annotated[int, Query(ge=2, le=1000, description="Orders a year that are many.")] = 6,
    much: Annotated[int, Query(ge=1, le=10**9, description="Spent in a year that is much, in currency units.")] = 1000,
    cycle: Annotated[int, Query(ge=1, le=365, description="Days after which customers usually come back.")] = 45,
) -> Page[ReadyMadeShown]:
    """Segments to take over: five classes of customers, recency, frequency and money, stages of life, birthdays.

    All of them stand on one page. Post the one you want to `/v1/segments`, as it is or changed.
    """
    return Page(
        items=[
            ReadyMadeShown(
                segment_id=one.id,
                title=one.titles[call.locale],
                condition=show(one.condition(often=often, much=much, cycle=cycle)),
            )
            for one in SEGMENTS
        ]
    )


@router.get("/segments/{segment_id}", responses=documented("segment_unknown"))
async def get_segment(segment_id: Slug, call: Annotated[Call, reading("segments:read")]) -> SegmentShown:
    """One segment: what it asks, how large it is, when it is looked at."""
    async with call.shop.reading() as connection:
        return _shown(await _there(connection, segment_id))


@router.patch(
    "/segments/{segment_id}",
    response_model=SegmentShown,
    responses=documented("segment_unknown", "segment_within_itself", "segment_is_static", writing=True),
)
async def change_segment(
    segment_id: Slug, told: SegmentChange, call: Annotated[Call, writing("segments:write")]
) -> Response:
    """Change a segment. With another condition, who no longer belongs goes out and who does comes in, at once."""

    async def act(connection: Connection) -> SegmentShown:
        segment = await _there(connection, segment_id)
        segment.title, segment.changed_at = told.title or segment.title, now()
        if told.condition is not None or told.refresh is not None:
            if segment.condition is None:
                raise Problem("segment_is_static", segment_id=segment_id)
            condition = told.condition or segment.condition
            kept = segment.refresh if told.condition is None else None
            await _conditioned(call, connection, segment, condition, told.refresh or kept)
        await segments.change(connection, segment)
        return _shown(segment)

    return await call.once(act, status=200)


@router.delete(
    "/segments/{segment_id}",
    response_model=SegmentShown,
    responses=documented("segment_unknown", "segment_in_use", writing=True),
)
async def remove_segment(segment_id: Slug, call: Annotated[Call, writing("segments:write")]) -> Response:
    """Remove a segment, with its history. Nobody is told; the answer shows what it was."""

    async def act(connection: Connection) -> SegmentShown:
        segment = await _there(connection, segment_id)
        for other in await segments.page(connection, after="", most=MOST_SEGMENTS):
            if other.condition is not None and segment_id in named(parse(other.condition)):
                raise Problem("segment_in_use", segment_id=segment_id, by=other.id)
        await segments.remove(connection, segment_id)
        return _shown(segment)

    return await call.once(act, status=200)


@router.post(
    "/segments/{segment_id}/refresh",
    response_model=SegmentShown,
    responses=documented("segment_unknown", writing=True),
)
async def refresh_segment(segment_id: Slug, call: Annotated[Call, writing("segments:write")]) -> Response:
    """Have a segment looked at as a whole now: a worker does so within seconds."""

    async def act(connection: Connection) -> SegmentShown:
        segment = await _there(connection, segment_id)
        segment.due_at = now()
        await segments.change(connection, segment)
        return _shown(segment)

    return await call.once(act, status=200)


@router.post(
    "/segments/{segment_id}/snapshot",
    status_code=201,
    response_model=SegmentShown,
    responses=documented("segment_unknown", "segment_taken", "too_many_segments", writing=True),
)
async def take_snapshot(
    segment_id: Slug, told: SnapshotTold, call: Annotated[Call, writing("segments:write")]
) -> Response:
    """Keep who is in a segment now as a static segment of its own. No activities tell of it."""

    async def act(connection: Connection) -> SegmentShown:
        await _there(connection, segment_id)
        at = now()
        await _added(connection, Segment(told.snapshot_id, told.title, "static", None, None, at, at))
        await segments.copy(connection, segment_id, told.snapshot_id, at=at)
        await segments.measure(connection, told.snapshot_id, at=at, due_at=None)
        return _shown(await _there(connection, told.snapshot_id))

    return await call.once(act)


@router.post(
    "/segments/{segment_id}/members",
    response_model=SegmentShown,
    responses=documented("segment_unknown", "segment_is_dynamic", refusals=["member_unknown"], writing=True),
)
async def list_into_segment(
    segment_id: Slug, told: ListTold, call: Annotated[Call, writing("segments:write")]
) -> Response:
    """Put members into a static segment, or take them out. Activities tell of it within seconds."""

    async def act(connection: Connection) -> SegmentShown:
        segment = await _there(connection, segment_id)
        if segment.kind == "dynamic":
            raise Problem("segment_is_dynamic", segment_id=segment_id)
        if unknown := await segments.strangers(connection, told.add):
            raise Problem("member_unknown", status=422, member_id=unknown[0])
        segment.due_at = at = now()
        await segments.leave(connection, segment_id, told.remove, at=at)
        await segments.enter(connection, segment_id, sorted({*told.add} - {*told.remove}), at=at)
        await segments.change(connection, segment)
        return _shown(segment)

    return await call.once(act, status=200)


@router.get("/segments/{segment_id}/members", responses=documented("segment_unknown"))
async def list_segment_members(
    segment_id: Slug, call: Annotated[Call, reading("segments:read")], cursor: Cursor = None, limit: Limit = 50
) -> Page[InsideShown]:
    """Who is in a segment, and since when, in an order that means nothing and never moves."""
    behind = Place() if cursor is None else cursors.read(cursor, Place, call)
    async with call.shop.reading() as connection:
        await _there(connection, segment_id)
        found = await segments.members(connection, segment_id, behind=behind, most=limit + 1)
    return Page(
        items=[InsideShown(member_id=place.member_id, since=since) for place, since in found[:limit]],
        next=cursors.written(found[limit - 1][0]) if len(found) > limit else None,
    )


@router.get("/segments/{segment_id}/history", responses=documented("segment_unknown"))
async def list_segment_sizes(
    segment_id: Slug, call: Annotated[Call, reading("segments:read")], cursor: Cursor = None, limit: Limit = 50
) -> Page[SegmentSize]:
    """How large a segment was each time it was looked at as a whole, the latest first."""
    before = cursors.read(cursor, _Before, call).at if cursor is not None else now() + 1
    async with call.shop.reading() as connection:
        await _there(connection, segment_id)
        found = await segments.sizes(connection, segment_id, before=before, most=limit + 1)
    return Page(
        items=[
            SegmentSize(at=size.at, members=size.members, entered=size.entered, left=size.gone)
            for size in found[:limit]
        ],
        next=cursors.written(_Before(found[limit - 1].at)) if len(found) > limit else None,
    )
