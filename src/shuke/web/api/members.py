"""Members: enrolled, found, changed, erased."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query
from pydantic import AfterValidator, Field
from starlette.responses import Response
from uuid_utils import uuid7

from shuke.books import members, statements
from shuke.books.members import Asked, Place
from shuke.engine import activity as of
from shuke.engine.balances import present
from shuke.engine.identity import identities_of
from shuke.engine.member import Member
from shuke.runtime.clock import now
from shuke.values.ids import typed_id
from shuke.web.api import contract, cursors
from shuke.web.api.answers import Settlement, settlement, told
from shuke.web.api.balances import known_id, known_member
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Free, MemberId, Moment, Page, Shown, ShownEnd, ShownMoment, Slug, Told
from shuke.web.api.identities import (
    ChangedIdentities,
    Identities,
    Names,
    Verified,
    member_called,
    normal_identities,
    readings,
    shown_among,
)
from shuke.web.api.problems import Problem, documented, wrong_field
from shuke.web.api.routes import doors

router = doors("Members")

TRAITS_MOST = 16_384
"""Bytes of the traits in one request."""


def _is_small(traits: dict[str, Any]) -> dict[str, Any]:
    if len(msgspec.json.encode(traits)) > TRAITS_MOST:
        raise ValueError(f"traits may have at most {TRAITS_MOST} bytes")
    if any(not 0 < len(name) <= 100 for name in traits):
        raise ValueError("a trait has a name of 1 to 100 characters")
    return traits


Traits = Annotated[
    Free,
    AfterValidator(_is_small),
    Field(
        description="What rules and people may ask of her, by name: `birthday` (`1990-02-28`), `language`, your own. "
        "Numbers with a fraction are kept as text, so that they stay exact.",
        examples=[{"birthday": "1990-02-28", "city": "Taipei", "newsletter": True}],
    ),
]
Tag = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(contract.has_no_zero)]
Tags = Annotated[list[Tag], Field(max_length=200, examples=[["staff"]])]

By = Annotated[
    Literal["merchant", "member"],
    Field(
        description="Who says so: the shop, or she herself (a form of hers that you pass on). Some traits only one of "
        "them may change, or she only so often."
    ),
]

_LEARNS = [
    *("identity_junk", "identity_taken", "too_many_identities", "too_many_tags", "too_many_traits"),
    *("trait_invalid", "trait_no_choice", "trait_not_changeable", "trait_out_of_range", "trait_unknown"),
]


class MemberTold(Told):
    """Somebody who joins."""

    member_id: MemberId | None = Field(
        default=None,
        description="Your own id for her; without it we make one. Not her phone or name: ids stay for ever.",
    )
    joined_at: Moment | None = Field(default=None, description="When she joined; now if left out.")
    identities: Identities = Field(default={})
    verified: Verified = Field(default=[])
    traits: Traits = Field(default={})
    tags: Tags = Field(default=[])
    by: By = Field(default="merchant")


class MemberJoined(Settlement):
    """Somebody who joined, and what it brought her."""


class MemberChange(Told):
    """What to change; what is not named stays."""

    identities: ChangedIdentities = Field(default={})
    verified: Verified = Field(default=[])
    traits: Traits = Field(default={}, description="By name; null forgets one.")
    tags: Tags = Field(default=[], description="To add.")
    untags: Tags = Field(default=[], description="To take away.")
    by: By = Field(default="merchant")


class MemberChanged(Settlement):
    """A change as it was settled."""


class EraseTold(Told):
    """How to erase a member."""

    stored_value: Literal["paid_out", "waived"] | None = Field(
        default=None,
        description="What becomes of money she paid in and has not spent: paid out to her, or waived by her. Without a "
        "word she is not erased while any is left.",
    )


class MemberErased(Settlement):
    """What became of all she had. Amounts per asset, in its smallest units."""

    forfeited: dict[str, int] = Field(description="Points, bonus and all that was given.", examples=[{"points": 1240}])
    paid_out: dict[str, int] = Field(description="Stored value to pay out to her.", examples=[{"cash": 5000}])
    waived: dict[str, int] = Field(description="Stored value she gave up.")


class MemberShown(Shown):
    """A member as of now, whether or not the clock came by. Her lots are told by `balances`."""

    member_id: str = Field(examples=["m-1001"])
    status: str = Field(description="active, dormant, frozen, left, merged or erased", examples=["active"])
    merged_into: str | None = Field(
        description="Where the id asked for was merged: into whom. Asked for by id, she is the one shown."
    )
    joined_at: ShownMoment
    identities: dict[str, str] = Field(
        description="By kind; of several the one learnt last, one she has shown to be hers before others.",
        examples=[{"phone": "+886912345678"}],
    )
    traits: dict[str, Any] = Field(examples=[{"birthday": "1990-02-28", "city": "Taipei"}])
    tags: list[str] = Field(examples=[["staff"]])
    tiers: dict[str, str] = Field(description="The tier in force, per ladder.", examples=[{"club": "gold"}])
    balances: dict[str, int] = Field(
        description="What can be spent, per asset, in its smallest units.", examples=[{"points": 1240}]
    )
    due_at: ShownEnd = Field(description="When something next happens to her by itself; null: nothing will.")


async def as_of_now(call: Call, found: list[Member]) -> list[Member]:
    """The members with everything done that has fallen due."""
    at = now()
    if all(member.due_at > at for member in found):
        return found
    editions = await call.shop.editions()
    return [member if member.due_at > at else present(editions, member, at).member for member in found]


def member_shown(member: Member, *, asked: str | None = None) -> MemberShown:
    """The member; ``asked`` is the id she was asked for by, which may have been another's before."""
    into = None if member.merged is None else member.merged.into
    return MemberShown(
        member_id=member.id,
        status=member.status,
        merged_into=member.id if asked not in (None, member.id) else into,
        joined_at=member.joined_at,
        identities=identities_of(member),
        traits=member.traits,
        tags=member.tags,
        tiers=member.tiers,
        balances={asset: purse.available for asset, purse in member.purses.items()},
        due_at=member.due_at,
    )


@router.post(
    "/members",
    status_code=201,
    responses=documented(refusals=["already_joined", "member_erased", *_LEARNS], writing=True),
)
async def create_member(member: MemberTold, call: Annotated[Call, writing("members:write")]) -> MemberJoined:
    """Enrol a member, with or without an id of your own.

    Rules give what they give for joining. An identity that another member has is refused as `identity_taken`: find her
    with `GET /v1/members?identity=…`. The same request sent again makes nobody twice and gets the same id.
    """
    payload: dict[str, Any] = {}
    if member.traits:
        payload["traits"] = member.traits
    if member.tags:
        payload["tags"] = member.tags
    if member.by != "merchant":
        payload["by"] = member.by

    async def look() -> str:
        if member.identities:
            payload["identities"] = await normal_identities(call, member.identities)
        if member.verified:
            payload["verified"] = shown_among(call, member.verified, member.identities)
        return member.member_id or typed_id("mbr", uuid7().bytes)

    id_ = await call.whose(look())
    answer = await call.settle(of.JOINED, id_, payload=payload or None, occurred_at=member.joined_at)
    return await settlement(call, answer, MemberJoined)


@router.get("/members", responses=documented("no_program"))
async def list_members(
    call: Annotated[Call, reading("members:read")],
    identity: Annotated[
        str | None,
        Query(
            max_length=300,
            pattern=r"^[a-z][a-z0-9_.-]{0,63}(:[^\x00]+)+$",
            description="Who is called so: kind, colon, value.",
            examples=["phone:+886912345678", "wechat_openid:wx1:oX"],
        ),
    ] = None,
    phone: Annotated[contract.Line | None, Query(description="Who has this phone.")] = None,
    email: Annotated[contract.Line | None, Query(description="Who has this e-mail address.")] = None,
    status: Annotated[
        Literal["active", "dormant", "frozen", "left", "merged", "erased"] | None,
        Query(description="Who was merged into another is listed only where merged is asked for."),
    ] = None,
    ladder: Annotated[Slug | None, Query(description="Together with `tier`.")] = None,
    tier: Annotated[Slug | None, Query(description="Who is on this tier of the ladder now.")] = None,
    tag: Annotated[contract.Line | None, Query()] = None,
    joined_from: Annotated[Moment | None, Query(description="Who joined then or later.")] = None,
    joined_until: Annotated[Moment | None, Query(description="Who joined before then.")] = None,
    cursor: Annotated[
        str | None, Query(max_length=cursors.MOST_CHARACTERS, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[MemberShown]:
    """Members, in an order that means nothing and never moves; or the one who is called something.

    A page looks at a bounded number of members, so with filters it may hold fewer than `limit`, also none, while
    there are more: go on until `next` is null.
    """
    names = _names_asked(call, identity=identity, phone=phone, email=email)
    if (ladder is None) != (tier is None):
        pointer = "?tier" if tier is None else "?ladder"
        raise Problem("invalid_request", errors=[wrong_field(pointer, "missing", {}, call.locale)])
    asked = Asked(
        status=status,
        tier=None if ladder is None or tier is None else (ladder, tier),
        tag=tag,
        joined_from=joined_from,
        joined_until=joined_until,
    )
    if names is not None:
        found, following = await _called(call, names, asked), None
    else:
        behind = Place() if cursor is None else cursors.read(cursor, Place, call)
        async with call.shop.reading() as connection:
            found, following = await members.page(connection, asked, behind=behind, limit=limit)
    return Page(
        items=[member_shown(member) for member in await as_of_now(call, found)],
        next=None if following is None else cursors.written(following),
    )


def _names_asked(call: Call, *, identity: str | None, phone: str | None, email: str | None) -> Names | None:
    """What the one asked for is called. Refused: ``invalid_request`` for more than one who is asked for."""
    told: list[Names] = []
    if phone is not None:
        told.append(Names("?phone", [("phone", phone)]))
    if email is not None:
        told.append(Names("?email", [("email", email)]))
    if identity is not None:
        told.append(Names("?identity", readings(identity)))
    if len(told) > 1:
        raise Problem("invalid_request", errors=[wrong_field(told[1].pointer, "one_identity", {}, call.locale)])
    return told[0] if told else None


async def _called(call: Call, names: Names, asked: Asked) -> list[Member]:
    """The one who is called so, if she is among those asked for."""
    member_id = await member_called(call, names)
    if member_id is None:
        return []
    async with call.shop.reading() as connection:
        member = await statements.member(connection, member_id)
    return [member] if member is not None and asked.fits(member) else []


@router.get("/members/{member_id}", response_model=MemberShown, responses=documented("member_unknown", "no_program"))
async def get_member(member_id: MemberId, call: Annotated[Call, reading("members:read")]) -> Response:
    """One member: who she is, her tiers, what she can spend. The id of a member who was merged into another leads to
    that one, here and wherever a member is named."""
    [member] = await as_of_now(call, [await known_member(call, member_id)])
    return Response(member_shown(member, asked=member_id).model_dump_json(), media_type="application/json")


@router.patch(
    "/members/{member_id}",
    responses=documented(
        "member_unknown", refusals=["member_erased", "trait_changed_recently", *_LEARNS], writing=True
    ),
)
async def change_member(
    member_id: MemberId, change: MemberChange, call: Annotated[Call, writing("members:write")]
) -> MemberChanged:
    """Change what is known of a member: traits, tags, identities. All of it is done, or nothing."""
    payload: dict[str, Any] = change.model_dump(exclude_defaults=True, exclude={"identities", "verified"})

    async def look() -> str:
        if change.identities:
            payload["identities"] = await normal_identities(call, change.identities)
        if change.verified:
            payload["verified"] = shown_among(call, change.verified, change.identities)
        return (await known_member(call, member_id)).id

    answer = await call.settle(of.UPDATED, await call.whose(look()), payload=payload or None)
    return await settlement(call, answer, MemberChanged)


@router.post(
    "/members/{member_id}/erase",
    responses=documented("member_unknown", refusals=["value_left", "member_erased"], writing=True),
)
async def erase_member(
    member_id: MemberId, how: EraseTold, call: Annotated[Call, writing("members:write")]
) -> MemberErased:
    """Erase a person for good. There is no way back.

    Identities, traits, tags and whatever was told of her goes, also from the record of what happened; points and
    coupons are forfeited, debts forgiven. The id, orders and entries stay without her, so that the books balance.
    Export what is known of her first, if she wants it.
    """
    payload = how.model_dump(exclude_none=True)
    answer = await call.settle(of.ERASED, await call.whose(known_id(call, member_id)), payload=payload or None)
    body = told(answer)
    return await settlement(
        call,
        answer,
        MemberErased,
        forfeited=body.get("forfeited", {}),
        paid_out=body.get("paid_out", {}),
        waived=body.get("waived", {}),
    )
