"""What one member is called elsewhere: all of it, one more, one less."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shuke.books import identity
from shuke.engine import activity as of
from shuke.engine.identity_journal import changes
from shuke.engine.member import Identity
from shuke.program.document import Program
from shuke.program.identities import OTHER, terms_of
from shuke.values.instants import NEVER
from shuke.web.api.answers import Settlement, settlement
from shuke.web.api.balances import known_member
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import MemberId, Shown, ShownEnd, ShownMoment, Told
from shuke.web.api.identities import Kind, Value, normal_identity
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Identities")


class IdentityTold(Told):
    """One identity."""

    kind: Kind = Field(examples=["phone"])
    value: Value = Field(examples=["+886912345678"])


class IdentityAddedTold(IdentityTold):
    """One more identity of a member, or one that she has now shown to be hers."""

    verified: bool = Field(
        default=False, description="Whether she has shown that it is hers: you sent a code there and she told it."
    )


class IdentityShown(Shown):
    """What a member is called elsewhere."""

    kind: str = Field(examples=["phone"])
    value: str = Field(examples=["+886912345678"])
    since: ShownMoment = Field(description="When we were first told.")
    verified: bool = Field(
        description="Whether it is known to be hers, by what she showed or because its platform says so."
    )
    verified_at: ShownEnd = Field(description="When she showed it; null if she never did.")
    verified_by: str | None = Field(description="The source that told us so.", examples=["api:webshop"])
    shared: bool = Field(description="Whether others may have the same one, as with a device.")


class KnownAs(Shown):
    """All that a member is called elsewhere, in the order in which it was learnt."""

    items: list[IdentityShown]


class IdentityChangeShown(Shown):
    """One change of what a member is called."""

    activity: str = Field(examples=["act_1042"])
    at: ShownMoment
    type: str = Field(description="Of the activity.", examples=["identity.moved"])
    source: str = Field(description="Who told it.", examples=["api:webshop"])
    kind: str = Field(examples=["phone"])
    value: str = Field(examples=["+886912345678"])
    what: str = Field(description="learnt, verified (shown to be hers) or gone")
    reason: str | None = Field(description="Why it moved, where it did.")
    member_id: str | None = Field(description="From whom it came, or to whom it went, where it moved.")


class IdentityChanges(Shown):
    """All changes of what a member is called, in the order in which they were settled."""

    items: list[IdentityChangeShown]


class IdentitySettled(Settlement):
    """What a member is called was changed."""


def identity_shown(identity: Identity, program: Program) -> IdentityShown:
    holds = terms_of(program.identities).get(identity.kind.partition(":")[0], OTHER)
    return IdentityShown(
        kind=identity.kind,
        value=identity.value,
        since=identity.since,
        verified=bool(identity.verified_at) or (holds.proof == "platform" and not holds.shared),
        verified_at=identity.verified_at or NEVER,
        verified_by=identity.verified_by or None,
        shared=holds.shared,
    )


@router.get("/members/{member_id}/identities", responses=documented("member_unknown", "no_program"))
async def list_identities(member_id: MemberId, call: Annotated[Call, reading("members:read")]) -> KnownAs:
    """All that a member is called elsewhere, several of a kind too, and which of it she has shown to be hers."""
    member = await known_member(call, member_id)
    program = await call.shop.program()
    return KnownAs(items=[identity_shown(identity, program) for identity in member.identities])


@router.get("/members/{member_id}/identities/changes", responses=documented("member_unknown", "no_program"))
async def list_identity_changes(member_id: MemberId, call: Annotated[Call, reading("members:read")]) -> IdentityChanges:
    """What a member was called when, who told us so, and what became of it: every identity learnt, shown to be hers and
    gone, the first first. Of a person who was erased nothing is left."""
    await known_member(call, member_id)
    editions = await call.shop.editions()
    async with call.shop.reading() as connection:
        log = await identity.journal(connection, member_id)
    found = changes(member_id, log, editions)
    return IdentityChanges(
        items=[
            IdentityChangeShown(
                activity=f"act_{one.activity_id}",
                at=one.at,
                type=one.type,
                source=one.source,
                kind=one.kind,
                value=one.value,
                what=one.what,
                reason=one.reason,
                member_id=one.member_id,
            )
            for one in found
        ]
    )


@router.post(
    "/members/{member_id}/identities",
    responses=documented(
        "member_unknown",
        refusals=["identity_junk", "identity_limit", "identity_taken", "member_erased", "too_many_identities"],
        writing=True,
    ),
)
async def add_identity(
    member_id: MemberId, told: IdentityAddedTold, call: Annotated[Call, writing("members:write")]
) -> IdentitySettled:
    """Add an identity beside those a member has, or say that one of them was shown to be hers.

    How many of a kind she may have, and what stands for nobody, is in the program (`identities`). What another member
    has is refused as `identity_taken`: if a phone number was given to somebody else, move it.
    """
    more = {"verified": True} if told.verified else {}
    return await _settle(call, of.IDENTITY_ADDED, member_id, told, more)


@router.post(
    "/members/{member_id}/identities/remove",
    responses=documented("member_unknown", refusals=["identity_unknown", "member_erased"], writing=True),
)
async def remove_identity(
    member_id: MemberId, told: IdentityTold, call: Annotated[Call, writing("members:write")]
) -> IdentitySettled:
    """Take an identity away from a member. Nobody is found by it then, and another may have it."""
    return await _settle(call, of.IDENTITY_REMOVED, member_id, told, {})


async def _settle(call: Call, type_: str, member_id: str, told: IdentityTold, more: dict[str, Any]) -> IdentitySettled:
    payload: dict[str, Any] = {"kind": told.kind, "value": told.value, **more}

    async def look() -> str:
        payload["value"] = await normal_identity(call, told.kind, told.value)
        return (await known_member(call, member_id)).id

    answer = await call.settle(type_, await call.whose(look()), payload=payload)
    return await settlement(call, answer, IdentitySettled)
