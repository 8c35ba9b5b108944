"""Tags of a member, each with who or what put it on."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shuke.engine import activity as of
from shuke.engine.balances import present
from shuke.engine.member import Member
from shuke.runtime.clock import now
from shuke.values.instants import NEVER
from shuke.web.api import contract
from shuke.web.api.answers import Settlement, settlement
from shuke.web.api.balances import known_id, known_member
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import MemberId, Moment, Shown, ShownEnd, Told
from shuke.web.api.members import Tag
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Members")

TagKind = Literal["manual", "rule", "statistic", "ranking", "model"]
Named = Annotated[list[Tag], Field(min_length=1, max_length=200, examples=[["tea-lover"]])]


class TagShown(Shown):
    """A tag, and where it comes from."""

    tag: str = Field(examples=["tea-lover"])
    kind: str = Field(description="manual, rule, statistic, ranking or model.", examples=["rule"])
    by: str | None = Field(
        description="Who or which rule put it on; null: from before that was kept.", examples=["bought-tea-twice"]
    )
    since: ShownEnd = Field(description="null: from before that was kept.")
    until: ShownEnd = Field(description="When it comes off by itself; null: never.")


class TagsShown(Shown):
    """A member's tags as of now."""

    member_id: str
    tags: list[TagShown] = Field(description="In the order in which they were put on.")


class TagsTold(Told):
    """Tags to put on."""

    tags: Named
    kind: TagKind = Field(
        default="manual",
        description="manual: somebody put it on. What a rule, statistic, ranking or model tells never changes that.",
    )
    by: contract.Id | None = Field(
        default=None, description="Who, or which rule; the source of your key if left out.", examples=["staff-7"]
    )
    until: Moment | None = Field(default=None, description="When it comes off by itself; never if left out.")


class TagsRemoved(Told):
    """Tags to take off."""

    tags: Named
    kind: TagKind | None = Field(default=None, description="Take off only those of this kind.")


class TagsChanged(Settlement):
    """Tags as they were put on or taken off."""


def tags_shown(member: Member) -> list[TagShown]:
    found = []
    for name in member.tags:
        known = member.tagged.get(name)
        if known is None:
            found.append(TagShown(tag=name, kind="manual", by=None, since=NEVER, until=NEVER))
        else:
            found.append(TagShown(tag=name, kind=known.kind, by=known.by, since=known.since, until=known.until))
    return found


@router.get("/members/{member_id}/tags", responses=documented("member_unknown", "no_program"))
async def list_tags(member_id: MemberId, call: Annotated[Call, reading("members:read")]) -> TagsShown:
    """A member's tags, with who or what put each on, since when, and until when it stays."""
    member = await known_member(call, member_id)
    turn = present(await call.shop.editions(), member, now())
    return TagsShown(member_id=member_id, tags=tags_shown(turn.member))


@router.post(
    "/members/{member_id}/tags",
    responses=documented("member_unknown", refusals=["member_erased", "tag_ended", "too_many_tags"], writing=True),
)
async def add_tags(member_id: MemberId, tags: TagsTold, call: Annotated[Call, writing("members:write")]) -> TagsChanged:
    """Put tags on a member. Of one she has, kind, author and end are told anew, and it is hers since when it was."""
    payload: dict[str, Any] = {"tags": tags.tags, "kind": tags.kind}
    if tags.by is not None:
        payload["by"] = tags.by
    if tags.until is not None:
        payload["until"] = tags.until
    await call.whose(known_id(call, member_id))
    return await settlement(call, await call.settle(of.TAGGED, member_id, payload=payload), TagsChanged)


@router.post(
    "/members/{member_id}/tags/remove",
    responses=documented("member_unknown", refusals=["member_erased"], writing=True),
)
async def remove_tags(
    member_id: MemberId, tags: TagsRemoved, call: Annotated[Call, writing("members:write")]
) -> TagsChanged:
    """Take tags off a member. Those she does not have change nothing."""
    payload = tags.model_dump(exclude_none=True)
    await call.whose(known_id(call, member_id))
    return await settlement(call, await call.settle(of.UNTAGGED, member_id, payload=payload), TagsChanged)
