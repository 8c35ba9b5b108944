"""Merging members who turn out to be one person, and undoing it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from shuke.books import statements
from shuke.books.statements import Merge
from shuke.engine import activity as of
from shuke.engine.member import STRANGER, Member
from shuke.engine.refusals import sentence
from shuke.runtime.clock import now
from shuke.runtime.merging import try_merge
from shuke.web.api import contract
from shuke.web.api.answers import Settlement, settlement, told
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import MemberId, Shown, ShownMoment, Told
from shuke.web.api.members import MemberShown, member_shown
from shuke.web.api.problems import Problem, documented
from shuke.web.api.routes import doors

router = doors("Members")

_JOURNAL_MOST = 100

_UNFIT = [
    "merge_to_self",
    "member_erased",
    "member_merged",
    "member_frozen",
    "member_left",
    "holds_open",
    "too_many_merged",
    "merge_too_large",
    "balance_too_large",
]

Whose = Literal["survivor", "merged"]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*\S[^\x00]*$")]
TraitName = Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]


class MergePlan(Told):
    """Into whom, and whose word counts where both have one. Value, coupons, identities, tags, limits used and all that
    is counted always go over."""

    into: MemberId = Field(description="Who stays.")
    traits: Whose = Field(default="survivor", description="Whose value stays where both have a trait.")
    fields: Annotated[dict[TraitName, Whose], contract.few(200)] = Field(
        default={}, max_length=200, description="The same, trait by trait.", examples=[{"birthday": "merged"}]
    )
    tiers: Literal["highest", "survivor"] = Field(
        default="highest",
        description="Which standing stays on each ladder: the higher one with its term, or always that of who stays.",
    )

    def policy(self) -> dict[str, Any]:
        """What differs from the usual, as a payload tells it."""
        return self.model_dump(exclude_defaults=True, exclude={"into", "reason"})


class MergeTold(MergePlan):
    """A merge, and why. Nothing merges by itself: somebody has seen that these are one person."""

    reason: Reason = Field(examples=["Same phone, written differently; asked at the till."])


class MemberMerged(Settlement):
    """A merge as it was settled. `member_id` is who went."""

    into: str = Field(description="Who she is from now on.")
    moved: dict[str, int] = Field(description="What went over, per asset, in its smallest units.")
    coupons: int = Field(description="How many coupons went over.")


class UnmergeTold(Told):
    """Why a merge is undone."""

    reason: Reason = Field(examples=["Mother and daughter share the phone."])


class MemberUnmerged(Settlement):
    """The undoing of a merge as it was settled, with `member_id` who had stayed."""

    restored: str = Field(description="Who is herself again.")
    returned: dict[str, int] = Field(description="What went back to her, per asset, in its smallest units.")
    debts: dict[str, int] = Field(description="What she owes again, per asset.")
    coupons: int = Field(description="How many coupons went back.")
    orders: list[str] = Field(description="Orders of hers that something had become of since, and that went back.")


class Difference(Shown):
    """A trait that both have, each with her own value."""

    trait: str = Field(examples=["birthday"])
    survivor: Any
    merged: Any
    stays: Any


class MergePreview(Shown):
    """What a merge would do. Nothing is done."""

    refused: str | None = Field(description="The code it would be refused with; null: it would not.")
    detail: str | None = Field(description="Why, in the caller's language.")
    moved: dict[str, int] = Field(description="What would go over, per asset, in its smallest units.")
    coupons: int
    differences: list[Difference]
    whole: MemberShown = Field(description="Who stays, as she would be; where it would be refused, as she is.")


class AbsorbedShown(Shown):
    """Somebody who was merged into the member."""

    member_id: str
    at: ShownMoment
    through: str | None = Field(description="Came with this one, into whom she had been merged before.")


class MergeShown(Shown):
    """A merge or its undoing, as it stands in the member's log."""

    activity: str = Field(examples=["act_1042"])
    at: ShownMoment
    what: Literal["merged", "unmerged"]
    merged: str = Field(description="Who went, or came back.")
    into: str = Field(description="Who stayed.")
    reason: str | None = Field(description="In the log of whom it was told for; null in the other's.")


class MergesShown(Shown):
    """Who the member is one with, and what was merged and undone."""

    member_id: str
    merged_into: str | None = Field(description="Into whom she was merged; null: she is herself.")
    absorbed: list[AbsorbedShown] = Field(description="Who is merged into her now.")
    journal: list[MergeShown] = Field(description="The latest first, a hundred at most.")


async def _named(call: Call, member_id: str) -> Member:
    """The member of this very id. Refused: ``member_unknown``."""
    async with call.shop.reading() as connection:
        found = await statements.named(connection, member_id)
    if found is None or found.status == STRANGER:
        raise Problem("member_unknown", member_id=member_id)
    return found


@router.post(
    "/members/{member_id}/merge/preview",
    responses=documented("member_unknown", "wrong_type", "body_too_large", "no_program"),
)
async def preview_merge(
    member_id: MemberId, plan: MergePlan, call: Annotated[Call, reading("members:read")]
) -> MergePreview:
    """What merging this member into another would do: what goes over, where both differ, and who there would be.

    Nothing is changed.
    """
    goes, stays = await _named(call, member_id), await _named(call, plan.into)
    tried = try_merge(await call.shop.editions(), goes, stays, plan.policy(), at=now())
    refused = tried.refused
    detail = None if refused is None else sentence(refused, await call.shop.program(), call.locale)
    return MergePreview(
        refused=None if refused is None else refused.code,
        detail=detail,
        moved=tried.moved,
        coupons=tried.coupons,
        differences=[
            Difference(trait=one.trait, survivor=one.survivor, merged=one.merged, stays=one.stays)
            for one in tried.differs
        ],
        whole=member_shown(tried.whole),
    )


@router.post(
    "/members/{member_id}/merge",
    responses=documented("member_unknown", refusals=_UNFIT, writing=True),
)
async def merge_member(
    member_id: MemberId, merge: MergeTold, call: Annotated[Call, writing("members:write")]
) -> MemberMerged:
    """Merge this member into another: they are one person.

    All she has goes over in one moment, by entries of the books: points and stored value in their lots with their
    dates, what she owes, coupons, identities, and what was counted. Her id leads to the other one for ever, whatever is
    told with it, also refunds of her orders. Nothing is given for it, and no tier rises by what both add up to before
    something new is settled. It can be undone.
    """
    await call.whose(_both(call, member_id, merge.into))
    payload = {"into": merge.into, "reason": merge.reason, **merge.policy()}
    answer = await call.settle(of.MERGED, member_id, payload=payload)
    body = told(answer)
    return await settlement(call, answer, MemberMerged, into=body["into"], moved=body["moved"], coupons=body["coupons"])


async def _both(call: Call, member_id: str, into: str) -> str:
    await _named(call, into)
    return (await _named(call, member_id)).id


@router.post(
    "/members/{member_id}/unmerge",
    responses=documented(
        "member_unknown", refusals=["not_merged", "merged_through", "holds_open", "member_erased"], writing=True
    ),
)
async def unmerge_member(
    member_id: MemberId, why: UnmergeTold, call: Annotated[Call, writing("members:write")]
) -> MemberUnmerged:
    """Undo the merge of this member: she is herself again.

    She gets what is left of what she brought: lots, coupons, identities, her orders with what became of them, her
    standing and counts as they were. What was spent since stays spent, and what was earned since stays with the one she
    had been merged into, but for what her own orders earned.
    """
    whole = await call.whose(_whole_of(call, member_id))
    payload = {"merged_member": member_id, "reason": why.reason}
    answer = await call.settle(of.UNMERGED, whole, payload=payload)
    body = told(answer)
    return await settlement(
        call,
        answer,
        MemberUnmerged,
        restored=body["merged_member"],
        returned=body["returned"],
        debts=body["debts"],
        coupons=body["coupons"],
        orders=body["orders"],
    )


async def _whole_of(call: Call, member_id: str) -> str:
    member = await _named(call, member_id)
    return member.id if member.merged is None else member.merged.into


@router.get("/members/{member_id}/merges", responses=documented("member_unknown"))
async def list_merges(member_id: MemberId, call: Annotated[Call, reading("members:read")]) -> MergesShown:
    """Who was merged into a member, or into whom she was, and what was undone."""
    member = await _named(call, member_id)
    async with call.shop.reading() as connection:
        found = await statements.merges(connection, member_id, most=_JOURNAL_MOST)
    return MergesShown(
        member_id=member_id,
        merged_into=None if member.merged is None else member.merged.into,
        absorbed=[
            AbsorbedShown(member_id=one.member_id, at=one.at, through=one.through or None) for one in member.absorbed
        ],
        journal=[_shown(one, member_id) for one in found],
    )


def _shown(one: Merge, member_id: str) -> MergeShown:
    went = one.type in (of.MERGED, of.RESTORED)
    return MergeShown(
        activity=f"act_{one.activity_id}",
        at=one.at,
        what="merged" if one.type in (of.MERGED, of.ABSORBED) else "unmerged",
        merged=member_id if went else one.other,
        into=one.other if went else member_id,
        reason=one.reason,
    )
