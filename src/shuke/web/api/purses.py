"""What every act that moves value tells: which lots moved, how the purses stand, what ends next."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import Field

from shuke.runtime.settle import Answer
from shuke.web.api.answers import Settlement, settlement, told
from shuke.web.api.callers import Call
from shuke.web.api.contract import Shown, ShownEnd, ShownMoment


class EndingShown(Shown):
    """So much of what can be spent ends then, unless it is used before."""

    at: ShownMoment
    amount: int = Field(description="The asset's smallest units.", examples=[120])


class LotMoved(Shown):
    """A part of a lot that an act took, gave, held or put back. Lots keep their dates for ever."""

    asset: str = Field(examples=["points"])
    lot: int = Field(description="The lot's number among the member's lots of this asset.", examples=[3])
    amount: int = Field(description="So much of it, the asset's smallest units.", examples=[80])
    opened_at: ShownMoment
    ripens_at: ShownMoment | None = Field(description="When it can be spent; null: at once.")
    expires_at: ShownEnd


class PurseShown(Shown):
    """One asset of the member after an act, in its smallest units."""

    available: int = Field(description="Can be spent now.", examples=[1240])
    pending: int = Field(description="Ripens later.", examples=[0])
    held: int = Field(description="Set aside by holds.", examples=[0])
    debt: int = Field(description="Owed; the next value that comes pays it.", examples=[0])
    ends_next: EndingShown | None = Field(description="What ends soonest; null: nothing ever ends.")


class Moved(Settlement):
    """Value that moved: from which lots or into which, and how the purses it touched stood then."""

    lots: list[LotMoved] = Field(description="In the order in which they were used.")
    purses: dict[str, PurseShown] = Field(description="Per asset that moved.")


Made = TypeVar("Made", bound=Moved)


async def moved(call: Call, answer: Answer, shape: type[Made], **more: Any) -> Made:
    """The answer in ``shape``; ``more`` are its fields beyond those of ``Moved``."""
    body = told(answer)
    return await settlement(
        call,
        answer,
        shape,
        lots=[_lot(lot) for lot in body.get("lots", ())],
        purses={asset: _purse(purse) for asset, purse in body.get("purses", {}).items()},
        **more,
    )


def _lot(lot: dict[str, Any]) -> LotMoved:
    return LotMoved(**{**lot, "ripens_at": lot["ripens_at"] or None})


def _purse(purse: dict[str, Any]) -> PurseShown:
    ends = purse.get("ends_next")
    return PurseShown(**{**purse, "ends_next": None if ends is None else EndingShown(**ends)})
