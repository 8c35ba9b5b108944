"""The profile that a program asks for, as far as one member's is known."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from shuke.engine.balances import present
from shuke.engine.sentences import Writer, writer
from shuke.engine.turn import Turn
from shuke.program.profile import Trait
from shuke.runtime.clock import now
from shuke.values.instants import NEVER
from shuke.web.api.balances import known_member
from shuke.web.api.callers import Call, reading
from shuke.web.api.contract import MemberId, Shown, ShownEnd
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Members")


class ChoiceShown(Shown):
    """One answer among several."""

    choice: str = Field(examples=["dry"])
    title: str = Field(description="In the caller's language.", examples=["Dry"])


class TraitShown(Shown):
    """A trait that the program declares, and what is known of it."""

    trait: str = Field(examples=["birthday"])
    title: str = Field(description="In the caller's language.", examples=["Birthday"])
    type: str = Field(
        description="text, number, date, boolean, choice, list, money, language or zone.", examples=["date"]
    )
    value: Any = Field(
        description="null: not known. Dates are texts, money is in minor units, numbers with a fraction are texts.",
        examples=["1990-02-28"],
    )
    required: bool = Field(description="Whether a complete profile needs it.")
    changed_by: list[Literal["merchant", "member"]] = Field(description="Who may change it.")
    changeable_at: ShownEnd = Field(
        description="From when on she herself may change it again; null: she may now, as far as she may at all."
    )
    choices: list[ChoiceShown] = Field(description="What it may be, where that is a list.")


class ProfileShown(Shown):
    """What the program asks of a member, and what is still missing."""

    member_id: str = Field(examples=["m-1001"])
    status: str = Field(description="active, dormant, frozen, left or erased", examples=["active"])
    status_since: ShownEnd = Field(description="null: she was never anything but active.")
    status_reason: str | None = Field(description="What was said when she was frozen, or left.")
    complete: bool = Field(description="Whether all is there that is required; false where nothing is.")
    completed_at: ShownEnd = Field(description="When it was complete for the first time; null: never yet.")
    missing: list[str] = Field(
        description="What a complete profile lacks: `traits.` or `identities.` and a name.",
        examples=[["traits.birthday", "identities.phone"]],
    )
    traits: list[TraitShown] = Field(description="In the order of the program. Others she has are told with her.")


@router.get("/members/{member_id}/profile", responses=documented("member_unknown", "no_program"))
async def get_profile(member_id: MemberId, call: Annotated[Call, reading("members:read")]) -> ProfileShown:
    """The traits that the program declares, with what is known of them, who may change them and when again, and what a
    complete profile still lacks: all that a form needs."""
    member = await known_member(call, member_id)
    turn = present(await call.shop.editions(), member, now())
    program = turn.program.document
    words = writer(program, call.locale)
    profile = turn.program.profile
    return ProfileShown(
        member_id=member_id,
        status=turn.member.status,
        status_since=turn.member.status_since or NEVER,
        status_reason=turn.member.status_why or None,
        complete=profile.is_complete(turn.member),
        completed_at=turn.member.once.get("profile.completed", NEVER),
        missing=profile.missing(turn.member),
        traits=[_trait(trait, turn, words) for trait in program.profile.traits],
    )


def _trait(trait: Trait, turn: Turn, words: Writer) -> TraitShown:
    free_at = turn.program.profile.traits[trait.id].free_at(turn)
    return TraitShown(
        trait=trait.id,
        title=words.name([trait], trait.id),
        type=trait.type.value,
        value=turn.member.traits.get(trait.id),
        required=trait.required,
        changed_by=trait.changed_by,
        changeable_at=free_at if free_at > turn.now else NEVER,
        choices=[ChoiceShown(choice=one.id, title=words.name([one], one.id)) for one in trait.choices],
    )
