"""What a caller is told of a settled activity.

Everything here comes from what is kept with the activity, so that a repeated request gets the very same answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec
from pydantic import Field

from shuke.engine.refusals import why_skipped
from shuke.program.document import Program
from shuke.runtime.settle import Answer
from shuke.web.api.callers import Call
from shuke.web.api.contract import Shown, ShownMoment
from shuke.web.api.problems import shown_facts


class Skipped(Shown):
    """Something that did not apply, and why."""

    what: str = Field(description="The rule, coupon or asset.", examples=["double-beans"])
    code: str = Field(examples=["minimum_spend"])
    detail: str = Field(description="A sentence in the caller's language.")
    facts: dict[str, Any] = Field(default_factory=dict)


class Settlement(Shown):
    """An activity as it was settled, and how the member stood then."""

    activity: str = Field(description="The activity's id.", examples=["act_1042"])
    member_id: str
    occurred_at: ShownMoment
    earned: dict[str, int] = Field(description="Per asset, in its smallest units.", examples=[{"points": 120}])
    skipped: list[Skipped] = Field(description="Rules that gave nothing although they might have.")
    balances: dict[str, int] = Field(
        description="Available afterwards, per asset, in its smallest units.", examples=[{"points": 1320}]
    )
    tiers: dict[str, str] = Field(description="The tier in force afterwards, per ladder.", examples=[{"club": "gold"}])


Made = TypeVar("Made", bound=Settlement)


async def settlement(call: Call, answer: Answer, shape: type[Made], **more: Any) -> Made:
    """The answer in ``shape``; ``more`` are its fields beyond those of every settlement.

    What the engine answered is at hand through ``told``.
    """
    body = told(answer)
    skipped = body.get("skipped") or []
    program = await call.shop.program() if skipped else None
    stood = answer.after
    return shape(
        activity=f"act_{answer.id}",
        member_id=answer.member_id,
        occurred_at=answer.occurred_at,
        earned=body.get("earned", {}),
        skipped=[] if program is None else [shown_skipped(item, program, call) for item in skipped],
        balances={} if stood is None else stood.balances,
        tiers={} if stood is None else stood.tiers,
        **more,
    )


def told(answer: Answer) -> dict[str, Any]:
    """What the engine answered."""
    found: dict[str, Any] = msgspec.json.decode(answer.body)
    return found


def shown_skipped(item: Mapping[str, Any], program: Program, call: Call) -> Skipped:
    """One of the things that did not apply, as the engine lists them."""
    facts = {name: fact for name, fact in item.items() if name not in ("what", "code")}
    return Skipped(
        what=item["what"],
        code=item["code"],
        detail=why_skipped(item, program, call.locale),
        facts=shown_facts(item["code"], facts),
    )
