"""Whom a condition holds for: members found by it, how many there are, and why one is among them or not."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from shuke.books import segments
from shuke.books.audiences import MOST_CHARACTERS, Audience, problems
from shuke.books.members import Place
from shuke.engine.condition_words import changes, seen, verdict
from shuke.engine.conditions import Explanation
from shuke.engine.sentences import Writer, writer
from shuke.program.conditions import ConditionSyntax, Node, read_condition, show, show_value
from shuke.program.problems import Broken
from shuke.program.problems import Problem as Fault
from shuke.program.problems import problem as fault_of
from shuke.program.sentences import Fact
from shuke.runtime.clock import now
from shuke.runtime.segments import named, no_segment
from shuke.web.api import cursors
from shuke.web.api.callers import Call, reading
from shuke.web.api.contract import MemberId, Page, Shown, ShownMoment, Told
from shuke.web.api.members import MemberShown, member_shown
from shuke.web.api.problems import Problem, WrongField, documented
from shuke.web.api.routes import doors

router = doors("Audiences")

Condition = Annotated[
    Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS)] | dict[str, Any],
    Field(
        description="A condition as text, or as a tree. See docs/reference/conditions.md.",
        examples=[
            "tier(club) >= gold and member.birthday in next 7 days",
            "order.paid then not order.paid within 60 days",
        ],
    ),
]


class SearchTold(Told):
    """Whom to find."""

    condition: Condition
    cursor: Annotated[
        str | None, Field(max_length=cursors.MOST_CHARACTERS, description="`next` of the page before.")
    ] = None
    limit: int = Field(default=50, ge=1, le=200)


class CountTold(Told):
    """Whom to count."""

    condition: Condition
    exact: bool = Field(default=False, description="Look at everybody, however many there are.")


class ExplainTold(Told):
    """What to explain."""

    condition: Condition


class SizeShown(Shown):
    """How many members a condition holds for."""

    condition: str = Field(description="As it was read.", examples=["tag vip"])
    members: int = Field(examples=[1240])
    exact: bool = Field(description="Whether everybody was looked at; if not, `members` is an estimate.")
    looked_at: int = Field(description="So many members were looked at.", examples=[15_702])
    at: ShownMoment = Field(description="The moment that was asked about.")


class PartShown(Shown):
    """One part of a condition, and the parts it joins."""

    text: str = Field(examples=["spend(12 months) >= 5000"])
    holds: bool
    sentence: str = Field(description="In the caller's language.", examples=["No: spend(12 months) >= 5000. It is 320"])
    seen: str | None = Field(description="What was seen of her; null: nothing is known, or nothing was compared.")
    wanted: str | None = Field(description="What it was compared with.")
    missing: str | None = Field(description="How much more would be enough, where that is a number.")
    parts: list[PartShown]


class ExplanationShown(Shown):
    """Why a condition holds for a member, or does not."""

    member_id: str
    holds: bool
    at: ShownMoment
    why: PartShown
    changes: list[str] = Field(
        description="What would have to change for it to hold, in the caller's language. Of alternatives, each.",
        examples=[["spend(12 months) >= 5000: 4,680 more of spend(12 months)"]],
    )


async def audience(call: Call, told: str | dict[str, Any]) -> Audience:
    """The condition, ready to be asked as of now. Refused: ``invalid_request`` with what is wrong and where."""
    tree = condition_read(call, told)
    editions, at = await call.shop.editions(), now()
    wrong = [problem for problem in problems(tree, editions.at(at)) if problem.severity == "error"]
    if wrong:
        raise wrong_condition(call, wrong)
    async with call.shop.reading() as connection:
        for name in sorted(named(tree)):
            if await segments.find(connection, name) is None:
                raise wrong_condition(call, [no_segment(name)])
    return Audience(tree, editions, at=at)


def wrong_condition(call: Call, found: list[Fault]) -> Problem:
    """The problem that tells what is wrong with a condition."""
    errors = []
    for problem in found:
        said, hint = problem.told(call.locale), problem.hinted(call.locale)
        errors.append(_wrong(problem.code, said if hint is None else f"{said} → {hint}"))
    return Problem("invalid_request", errors=errors)


def condition_read(call: Call, told: str | dict[str, Any]) -> Node:
    """The tree of a condition. Refused: ``invalid_request`` with the place where it cannot be read."""
    try:
        return read_condition(told)
    except ConditionSyntax as broken:
        near = broken.text[broken.position : broken.position + 20]
        facts: dict[str, Fact] = {"said": broken.said, "character": broken.position + 1, "near": near}
        fault = fault_of("", f"not_a_condition{'' if near else ':end'}", broken.suggestion, **facts)
        raise wrong_condition(call, [fault]) from None
    except Broken as broken:
        raise wrong_condition(call, [broken.at("")]) from None
    except ValueError:
        raise wrong_condition(call, [fault_of("", "not_valid:condition")]) from None


def _wrong(code: str, detail: str) -> WrongField:
    return WrongField(pointer="/condition", code=code, detail=detail)


@router.post("/audiences/search", responses=documented("no_program", "wrong_type", "body_too_large"))
async def search_members(told: SearchTold, call: Annotated[Call, reading("members:read")]) -> Page[MemberShown]:
    """The members a condition holds for, as of now, in an order that means nothing and never moves.

    A page looks at a bounded number of members, so it may hold fewer than `limit`, also none, while there are more: go
    on until `next` is null.
    """
    asked = await audience(call, told.condition)
    behind = Place() if told.cursor is None else cursors.read(told.cursor, Place, call, pointer="/cursor")
    async with call.shop.reading() as connection:
        found, following = await asked.page(connection, behind=behind, limit=told.limit)
    return Page(
        items=[member_shown(member) for member in found],
        next=None if following is None else cursors.written(following),
    )


@router.post("/audiences/count", responses=documented("no_program", "wrong_type", "body_too_large"))
async def count_members(told: CountTold, call: Annotated[Call, reading("members:read")]) -> SizeShown:
    """How many members a condition holds for, as of now.

    Of many members a fair sample is looked at, and the answer says that it is an estimate; with `exact` everybody is,
    which may take long.
    """
    asked = await audience(call, told.condition)
    async with call.shop.reading() as connection:
        size = await asked.size(connection, exact=told.exact)
    return SizeShown(
        condition=show(asked.tree), members=size.members, exact=size.exact, looked_at=size.looked_at, at=asked.at
    )


@router.post(
    "/members/{member_id}/explain", responses=documented("member_unknown", "no_program", "wrong_type", "body_too_large")
)
async def explain_member(
    member_id: MemberId, told: ExplainTold, call: Annotated[Call, reading("members:read")]
) -> ExplanationShown:
    """Why a condition holds for a member now or does not, part by part, and what would have to change."""
    asked = await audience(call, told.condition)
    async with call.shop.reading() as connection:
        found = await asked.explain(connection, member_id)
    if found is None:
        raise Problem("member_unknown", member_id=member_id)
    words = writer(await call.shop.program(), call.locale)
    return ExplanationShown(
        member_id=member_id,
        holds=found.holds,
        at=asked.at,
        why=part(found, words),
        changes=changes(found, words),
    )


def part(told: Explanation, words: Writer) -> PartShown:
    """A part as it is shown."""
    return PartShown(
        text=told.text,
        holds=told.holds,
        sentence=verdict(told, words),
        seen=seen(told),
        wanted=None if told.wanted is None else show_value(told.wanted),
        missing=None if told.missing is None else f"{told.missing:f}",
        parts=[part(child, words) for child in told.children],
    )
