"""Identities that go to somebody else, and pending ones that become final."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, StringConstraints

from shuke.books import members
from shuke.engine import activity as of
from shuke.engine.effects import Refused
from shuke.web.api.answers import settlement
from shuke.web.api.callers import Call, writing
from shuke.web.api.contract import MemberId
from shuke.web.api.identities import Kind, Value, normal_identity
from shuke.web.api.known_as import IdentitySettled, IdentityTold
from shuke.web.api.problems import documented, refusal
from shuke.web.api.routes import doors

router = doors("Identities")


class IdentityMoveTold(IdentityTold):
    """An identity that is somebody else's now."""

    to_member: MemberId = Field(description="Whose it is now; somebody nobody has heard of becomes a member.")
    reason: Annotated[str, StringConstraints(min_length=1, max_length=1000)] = Field(
        description="For the journals of both.", examples=["The operator gave the number to a new customer."]
    )
    verified: bool = Field(default=False, description="Whether the new owner has shown that it is hers.")


class IdentityFinalTold(IdentityTold):
    """A pending identity and what it turned out to be."""

    kind: Kind = Field(examples=["wecom_pending:ww1"])
    value: Value = Field(examples=["pending-7f3a"])
    final_kind: Kind = Field(examples=["wecom:ww1"])
    final_value: Value = Field(examples=["wmAbc"])


async def _owner(call: Call, kind: str, value: str) -> str:
    async with call.shop.reading() as connection:
        owner = await members.by_identity(connection, kind, value)
    if owner is None:
        raise refusal(Refused("identity_unknown", {"kind": kind}), await call.shop.program(), call.locale)
    return owner


@router.post(
    "/identities/move",
    responses=documented(refusals=["identity_unknown", "identity_receiver_missing", "member_erased"], writing=True),
)
async def move_identity(move: IdentityMoveTold, call: Annotated[Call, writing("members:write")]) -> IdentitySettled:
    """Give an identity to somebody else: a phone number that its operator handed to a new customer.

    Only the number goes. Points, stored value, coupons, tiers and orders stay with the member who had it before, and
    both journals say where it went and why. The answer is about her who loses it.
    """
    payload: dict[str, Any] = {"kind": move.kind, "value": move.value, "to_member": move.to_member}
    payload["reason"] = move.reason
    if move.verified:
        payload["verified"] = True

    async def look() -> str:
        payload["value"] = await normal_identity(call, move.kind, move.value)
        return await _owner(call, move.kind, payload["value"])

    answer = await call.settle(of.IDENTITY_MOVED, await call.whose(look()), payload=payload)
    return await settlement(call, answer, IdentitySettled)


@router.post(
    "/identities/finalize",
    responses=documented(
        refusals=["identity_unknown", "identity_taken", "identity_junk", "member_erased"], writing=True
    ),
)
async def finalize_identity(
    told: IdentityFinalTold, call: Annotated[Call, writing("members:write")]
) -> IdentitySettled:
    """Say what a pending identity turned out to be: WeCom gives a `pending_id` until the customer adds somebody of
    the staff, and her `external_userid` then.

    The pending one goes and the final one is hers. If another member has the final one already nothing changes and it
    is refused as `identity_taken`: then the two are one person, and may be merged.
    """
    payload: dict[str, Any] = {"kind": told.kind, "value": told.value}
    payload |= {"final_kind": told.final_kind, "final_value": told.final_value}

    async def look() -> str:
        payload["value"] = await normal_identity(call, told.kind, told.value)
        payload["final_value"] = await normal_identity(call, told.final_kind, told.final_value, "/final_value")
        return await _owner(call, told.kind, payload["value"])

    answer = await call.settle(of.IDENTITY_FINALIZED, await call.whose(look()), payload=payload)
    return await settlement(call, answer, IdentitySettled)
