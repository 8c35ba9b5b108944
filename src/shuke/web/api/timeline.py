"""Everything that happened to a member, in order, with its causes in words."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from msgspec import Struct
from pydantic import Field

from shuke.books import timeline
from shuke.books.timeline import Happened
from shuke.engine.causes import program_of, sentence_of
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused
from shuke.engine.happenings import how_tiers_changed, what_happened
from shuke.engine.refusals import CODES
from shuke.web.api import cursors
from shuke.web.api.balances import known_member
from shuke.web.api.callers import Call, reading
from shuke.web.api.contract import MemberId, Page, Shown, ShownMoment
from shuke.web.api.problems import documented, refusal
from shuke.web.api.routes import doors

router = doors("Statements")


class CameOf(Shown):
    """Something that came of what happened."""

    kind: str = Field(description="entry: value moved. tier: a tier changed.", examples=["entry"])
    at: ShownMoment
    sentence: str = Field(
        description="What, and why, in the caller's language.", examples=["Earned 12 points for order o-1: …"]
    )
    entry: str | None = Field(description="The entry, to be explained.", examples=["ent_1042_0"])


class HappenedShown(Shown):
    """Something that happened to a member."""

    activity: str = Field(examples=["act_1042"])
    type: str = Field(examples=["order.paid"])
    at: ShownMoment = Field(description="When it happened.")
    recorded_at: ShownMoment = Field(description="When we heard of it.")
    source: str = Field(description="Who told it.", examples=["api:till"])
    sentence: str = Field(description="What happened, in the caller's language.", examples=["Paid order o-1: 12.50."])
    refused: str | None = Field(description="Why it was refused, in the caller's language; null: it was not.")
    came_of_it: list[CameOf] = Field(description="In the order in which it came.")


class _Before(Struct, array_like=True):
    """Where a page of the timeline ended."""

    seq: int


@router.get("/members/{member_id}/timeline", responses=documented("member_unknown", "no_program"))
async def get_timeline(
    member_id: MemberId,
    call: Annotated[Call, reading("activities:read")],
    cursor: Annotated[
        str | None, Query(max_length=cursors.MOST_CHARACTERS, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[HappenedShown]:
    """Everything that happened to a member, the latest settled first: each activity in a sentence, whether it was
    refused and why, and what came of it.

    A page looks at `limit` activities. Where only time passed and nothing came of it, nothing is said, so there may be
    fewer items while there are more: go on until `next` is null.
    """
    await known_member(call, member_id)
    before = None if cursor is None else cursors.read(cursor, _Before, call).seq
    async with call.shop.snapshot() as connection:
        found, following = await timeline.of_member(connection, member_id, before=before, most=limit)
    editions = await call.shop.editions()
    return Page(
        items=[_shown(happened, editions, call) for happened in found],
        next=None if following is None else cursors.written(_Before(following)),
    )


def _shown(happened: Happened, editions: Editions, call: Call) -> HappenedShown:
    recorded = happened.recorded
    activity, answer = recorded.activity, recorded.answer
    program = program_of(editions, recorded.version)
    refused = None
    if answer.code is not None and (answer.facts or not CODES.get(answer.code)):
        refused = refusal(Refused(answer.code, answer.facts), program, call.locale).sentence(call.locale)
    return HappenedShown(
        activity=f"act_{recorded.id}",
        type=activity.type,
        at=activity.occurred_at,
        recorded_at=recorded.recorded_at,
        source=activity.source,
        sentence=what_happened(activity, program, call.locale),
        refused=refused or answer.code,
        came_of_it=_came_of(happened, editions, call),
    )


def _came_of(happened: Happened, editions: Editions, call: Call) -> list[CameOf]:
    found = [
        CameOf(
            kind="entry",
            at=line.entry.occurred_at,
            sentence=sentence_of(line.entry, editions, call.locale),
            entry=f"ent_{line.activity_id}_{line.no}",
        )
        for line in happened.lines
    ]
    for change in happened.tiers:
        program = editions.at(change.at).document
        said = how_tiers_changed(change.ladder, change.before, change.after, change.until, program, call.locale)
        found.append(CameOf(kind="tier", at=change.at, sentence=said, entry=None))
    return sorted(found, key=lambda one: one.at)
