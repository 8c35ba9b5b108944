"""What overtook its order: what still waits for it, and what was given up."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import Field

from shuke.books import waiting
from shuke.books.waiting import State, Waiting
from shuke.engine.effects import Refused
from shuke.engine.refusals import sentence
from shuke.intake.waiting import PATIENCE
from shuke.program.document import Program
from shuke.web.api import contract
from shuke.web.api.callers import Call, reading
from shuke.web.api.contract import Page, Shown, ShownMoment
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Activities")

Cursor = Annotated[contract.Line, Query(description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]


class WaitingShown(Shown):
    """Something told of an order that was not there."""

    waiting_id: str = Field(examples=["wtg_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    source: str = Field(description="Who told it.", examples=["track:webshop"])
    key: str = Field(description="The `messageId` it came with; that of its activity once it is settled.")
    type: str = Field(examples=["order.refunded"])
    member_id: str
    order_id: str
    occurred_at: ShownMoment
    received_at: ShownMoment
    until: ShownMoment = Field(description="So long it waits for its order.")
    state: State
    code: str | None = Field(description="Why it was given up.", examples=["order_unknown"])
    detail: str | None = Field(description="The same as a sentence.")
    ended_at: ShownMoment | None = Field(description="When it was given up.")


@router.get("/tracking/waiting", responses=documented("no_program"))
async def list_waiting(
    call: Annotated[Call, reading("activities:read")],
    state: State | None = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page[WaitingShown]:
    """What was told by tracking of orders that are not there, the newest first: refunds, cancellations and deliveries
    that overtook their order.

    They are settled within seconds once the order has come, and are then no longer here. What is given up stays for 30
    days, with the reason: the order did not come in three days, or what was told does not fit it.
    """
    program = await call.shop.program()
    async with call.shop.reading() as connection:
        found = await waiting.page(connection, before=cursor, state=state, most=limit + 1)
    items = [waiting_shown(one, program, call) for one in found[:limit]]
    return Page(items=items, next=items[-1].waiting_id if len(found) > limit else None)


def waiting_shown(one: Waiting, program: Program, call: Call) -> WaitingShown:
    """One of them for whoever reads."""
    early, why = one.early, one.given_up
    detail = None
    if why is not None:
        detail = why.reason or sentence(Refused(why.code, why.facts), program, call.locale)
    return WaitingShown(
        waiting_id=one.id,
        source=one.source,
        key=early.key,
        type=early.type,
        member_id=early.member_id,
        order_id=early.order_id,
        occurred_at=early.occurred_at,
        received_at=one.received_at,
        until=one.received_at + PATIENCE,
        state=one.state,
        code=None if why is None else why.code,
        detail=detail,
        ended_at=one.ended_at,
    )
