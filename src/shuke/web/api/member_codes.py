"""Codes that members show at tills: shown on a phone, read by a till, each good once."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field
from starlette.responses import Response

from shuke.books import member_codes as kept
from shuke.books.load import Connection
from shuke.engine.member import ERASED
from shuke.runtime import member_codes
from shuke.runtime.clock import now
from shuke.values.instants import HOUR
from shuke.web.api.balances import known_member
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import MemberId, Moment, Shown, ShownMoment, Told
from shuke.web.api.problems import Problem, documented
from shuke.web.api.routes import doors

router = doors("Member codes")

AHEAD_MOST = 60  # codes; half an hour without a network

Count = Annotated[
    int, Query(ge=1, le=AHEAD_MOST, description="How many; more than one for a phone that may lose its network.")
]

_REFUSED = [
    "member_code_unreadable",
    "member_code_wrong",
    "member_code_over",
    "member_code_used",
    "member_code_locked",
    "read_too_long_ago",
    "occurred_in_the_future",
]


class MemberCodeShown(Shown):
    """A code, and when to show it."""

    code: str = Field(description="Twenty digits, for a barcode (Code 128 C) or QR code.")
    since: ShownMoment
    until: ShownMoment


class MemberCodes(Shown):
    """Codes for this half minute and those that follow."""

    member_id: str
    codes: list[MemberCodeShown]


class CodeRead(Told):
    """A code that a till has read."""

    code: str = Field(max_length=100, examples=["90417306982839201746"])
    read_at: Moment | None = Field(
        default=None, description="When it was read, if the till was offline then: up to 24 hours ago. Now if left out."
    )


class CodeOwner(Shown):
    """Who has shown it."""

    member_id: str


class CodesEnded(Shown):
    """Whose codes have ended."""

    member_id: str


@router.get("/members/{member_id}/codes", responses=documented("member_unknown"))
async def show_member_codes(
    member_id: MemberId,
    call: Annotated[Call, reading("member_codes:read")],
    count: Annotated[
        int, Query(ge=1, le=AHEAD_MOST, description="How many, for a phone that may lose its network.")
    ] = 1,
) -> MemberCodes:
    """The code that a member's phone shows at a till, and on request those that follow.

    A code is good once, in its half minute and the ones before and after it. Ask again when the last one is over.
    """
    member = await known_member(call, member_id)
    if member.status == ERASED:
        raise Problem("member_unknown", member_id=member_id)
    async with call.shop.pool.connection() as connection:
        found = await member_codes.show(connection, member.id, at=now(), count=count)
    call.headers["Cache-Control"] = "no-store"
    return MemberCodes(
        member_id=member.id,
        codes=[MemberCodeShown(code=one.code, since=one.since, until=one.until) for one in found],
    )


@router.post("/member-codes/read", response_model=CodeOwner, responses=documented(*_REFUSED, writing=True))
async def read_member_code(told: CodeRead, call: Annotated[Call, writing("member_codes:write")]) -> Response:
    """Whose code a till has read. It is used up with that; the same request again gets the same answer.

    Five wrong codes of one number lock it for ten minutes.
    """
    at = now()
    read_at = call.moment(told.read_at)

    async def act(connection: Connection) -> CodeOwner:
        if read_at < at - member_codes.OFFLINE:
            raise Problem("read_too_long_ago", hours=member_codes.OFFLINE // HOUR)
        return CodeOwner(member_id=await member_codes.read(connection, told.code, read_at=read_at, now=at))

    try:
        return await call.once(act, status=200)
    except member_codes.NotRead as refused:
        if refused.code == "member_code_wrong":
            async with call.shop.pool.connection() as connection:
                await member_codes.count_wrong(connection, told.code, now=at)
        raise Problem(refused.code) from None


@router.post(
    "/members/{member_id}/codes/end",
    response_model=CodesEnded,
    responses=documented("member_unknown", writing=True),
)
async def end_member_codes(member_id: MemberId, call: Annotated[Call, writing("members:write")]) -> Response:
    """End all codes of a member whose phone is lost. The next one shown is of another number."""
    member = await known_member(call, member_id)

    async def act(connection: Connection) -> CodesEnded:
        await kept.forget_member(connection, member.id)
        return CodesEnded(member_id=member.id)

    return await call.once(act, status=200)
