"""The life of a membership: frozen by hand, let go again, left, returned."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shuke.engine import activity as of
from shuke.web.api import contract
from shuke.web.api.answers import Settlement, settlement
from shuke.web.api.balances import known_id
from shuke.web.api.callers import Call, writing
from shuke.web.api.contract import MemberId, Told
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Members")


class FreezeTold(Told):
    """Why a member is frozen."""

    reason: Annotated[contract.Prose, Field(min_length=1, examples=["card reported stolen"])]


class WhyTold(Told):
    """Why, if there is something to say."""

    reason: contract.Prose | None = Field(default=None, examples=["moved abroad"])


class StatusChanged(Settlement):
    """A change of a member's status as it was settled."""


@router.post(
    "/members/{member_id}/freeze",
    responses=documented("member_unknown", refusals=["member_erased", "member_frozen", "member_left"], writing=True),
)
async def freeze_member(
    member_id: MemberId, why: FreezeTold, call: Annotated[Call, writing("members:write")]
) -> StatusChanged:
    """Freeze a member: what she has stays hers and ends by its dates, but she neither earns nor spends, unless the
    program says that frozen members do. What was on hold before can still be paid; refunds go through."""
    return await _change(call, member_id, of.FROZEN, {"reason": why.reason})


@router.post(
    "/members/{member_id}/unfreeze",
    responses=documented("member_unknown", refusals=["member_erased", "not_frozen"], writing=True),
)
async def unfreeze_member(
    member_id: MemberId, why: WhyTold, call: Annotated[Call, writing("members:write")]
) -> StatusChanged:
    """Let a frozen member go again. What she did meanwhile is counted, and not rewarded afterwards."""
    return await _change(call, member_id, of.UNFROZEN, why.model_dump(exclude_none=True))


@router.post(
    "/members/{member_id}/leave",
    responses=documented("member_unknown", refusals=["member_erased", "member_left"], writing=True),
)
async def leave_member(
    member_id: MemberId, why: WhyTold, call: Annotated[Call, writing("members:write")]
) -> StatusChanged:
    """Record that a member has left. She neither earns nor spends until she returns; what she has ends by its dates.
    Her data stay: to have them forgotten, erase her."""
    return await _change(call, member_id, of.LEFT, why.model_dump(exclude_none=True))


@router.post(
    "/members/{member_id}/return",
    responses=documented("member_unknown", refusals=["member_erased", "not_left"], writing=True),
)
async def return_member(
    member_id: MemberId, why: WhyTold, call: Annotated[Call, writing("members:write")]
) -> StatusChanged:
    """Record that a member who had left is back, with all that has not ended since."""
    return await _change(call, member_id, of.RETURNED, why.model_dump(exclude_none=True))


async def _change(call: Call, member_id: str, type_: str, payload: dict[str, Any]) -> StatusChanged:
    await call.whose(known_id(call, member_id))
    return await settlement(call, await call.settle(type_, member_id, payload=payload or None), StatusChanged)
