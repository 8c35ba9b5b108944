"""Who somebody is: found by identities, with the reasons; and made a member where there is nobody yet."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shuke.books import identity, statements
from shuke.engine import activity as of
from shuke.engine.activity import Purchase
from shuke.engine.member import STRANGER
from shuke.engine.resolution import resolve
from shuke.program.identities import terms_of
from shuke.runtime.settle import Answer
from shuke.values.instants import Instant
from shuke.web.api.answers import Settlement, settlement, told
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Moment, Shown
from shuke.web.api.identified_sentences import IDENTIFIED
from shuke.web.api.identities import Bag
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Identities")


class FoundBy(Shown):
    """The identity that decided."""

    kind: str = Field(examples=["phone"])
    shown: bool = Field(description="Whether it was shown to be hers this time, or its platform says so.")
    verified: bool = Field(description="Whether it was known to be the member's before.")


class IgnoredIdentity(Shown):
    """An identity that did not count, and why."""

    kind: str = Field(examples=["device"])
    why: str = Field(
        description="junk, shared (several members have it), not_alone (another member's, but more is told), "
        "not_verified, decides_never, of_another, not_learnt (nobody showed that it is hers), or a code of a refusal.",
        examples=["shared"],
    )
    detail: str = Field(description="A sentence in the caller's language.")
    member_id: str | None = Field(default=None, description="Whose it is, where it is another's.")


class IdentifiedShown(Shown):
    """How a member was found."""

    how: str = Field(
        description="member_id, identity, thing (a device that she alone has), new, anonymous (nothing but a device is "
        "known), nobody.",
        examples=["identity"],
    )
    detail: str = Field(
        description="A sentence in the caller's language.", examples=["Found by a verified identity: phone."]
    )
    by: FoundBy | None = None
    ignored: list[IgnoredIdentity] = Field(default_factory=list)
    perhaps: list[str] = Field(
        default_factory=list, description="Members who are probably the same person. Nothing is merged by itself."
    )


class MemberResolved(Shown):
    """Who it is, as far as anybody is."""

    member_id: str | None = Field(description="null: nobody yet.", examples=["m-1001"])
    identified: IdentifiedShown


class MemberIdentified(Settlement):
    """Somebody who is there, whether she was before or not."""

    identified: IdentifiedShown | None


class Identify(Bag):
    """Who is there."""

    occurred_at: Moment | None = Field(default=None, description="When; now if left out.")


def identified_shown(body: dict[str, Any], call: Call) -> IdentifiedShown | None:
    """How a member was found, out of what the engine answered; None where nothing came along."""
    found = body.get("identified")
    return None if found is None else _shown(found, call)


def _shown(found: dict[str, Any], call: Call) -> IdentifiedShown:
    by = found.get("by")
    if by is not None and "shown" not in by:
        by = {**by, "shown": False, "verified": False}
    how = found["how"]
    said = how if how != "identity" else "identity.verified" if by is not None and by["verified"] else "identity.told"
    return IdentifiedShown(
        how=how,
        detail=IDENTIFIED[said][call.locale].format(kind="" if by is None else by["kind"]),
        by=None if by is None else FoundBy(**by),
        ignored=[
            IgnoredIdentity(
                kind=one["kind"],
                why=one["why"],
                detail=IDENTIFIED[one["why"]][call.locale].format(kind=one["kind"]),
                member_id=one.get("member"),
            )
            for one in found.get("ignored", ())
        ],
        perhaps=found.get("perhaps", []),
    )


async def settle_brought(
    call: Call,
    type_: str,
    bag: Bag,
    *,
    purchase: Purchase | None = None,
    occurred_at: Instant | None = None,
) -> Answer:
    """Settle an activity of whoever the bag names. Raises as ``Call.settle``."""
    brought = None

    async def look() -> str:
        nonlocal brought
        brought = await bag.brought(call)
        return bag.member_id or ""

    member_id = await call.whose(look())
    return await call.settle(type_, member_id, purchase=purchase, brought=brought, occurred_at=occurred_at)


@router.post("/members/resolve", responses=documented("body_too_large", "wrong_type", "no_program"))
async def resolve_member(bag: Bag, call: Annotated[Call, reading("members:read")]) -> MemberResolved:
    """Say who somebody is by all that is known of her, and why. Nothing is changed.

    Identities that she has shown to be hers go before those that were only told; then the priority of their kinds
    decides. A device that several members use decides nothing. Members are never merged: where identities name two, the
    stronger decides and the answer says who the other is.
    """
    brought = await bag.brought(call)
    names = brought.names if brought is not None else []
    async with call.shop.reading() as connection:
        owners = await identity.owners_of(connection, [(name.kind, name.value) for name in names])
    terms = terms_of((await call.shop.program()).identities)
    found = resolve(names, owners=owners, terms=terms, member_id=bag.member_id)
    member_id = found.member_id
    if member_id is not None and found.found["how"] in ("member_id", "anonymous"):  # which may be nobody's yet
        async with call.shop.reading() as connection:
            member = await statements.member(connection, member_id)
        member_id = None if member is None or member.status == STRANGER else member_id
    return MemberResolved(member_id=member_id, identified=_shown(found.found, call))


@router.post("/members/identify", responses=documented(refusals=["identity_junk", "member_erased"], writing=True))
async def identify_member(bag: Identify, call: Annotated[Call, writing("members:write")]) -> MemberIdentified:
    """Find a member by all that is known of her, or make her one: for signing up and in alike.

    She learns what is told beside: a new address, the openid of one more app, the device she is at. Where she was found
    only by what somebody said (a phone number typed in), she learns nothing. Of two requests with the same new phone at
    the same time one makes the member and the other finds her.
    """
    answer = await settle_brought(call, of.IDENTIFIED, bag, occurred_at=bag.occurred_at)
    return await settlement(call, answer, MemberIdentified, identified=identified_shown(told(answer), call))
