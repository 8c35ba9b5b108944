"""What a merge would make of two members: the same steps on copies, and nothing is kept."""

from __future__ import annotations

from msgspec import Struct

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused
from shuke.engine.member import ERASED, Member, pack, unpack
from shuke.engine.merging import other_of
from shuke.engine.step import step
from shuke.engine.turn import Context
from shuke.values.instants import Instant


class Differs(Struct):
    """A trait that both have, each with her own value."""

    trait: str
    survivor: object
    merged: object
    stays: object


class Tried(Struct):
    """Why the merge would be refused; or the one who stays as she would be, and what differs between both."""

    refused: Refused | None
    whole: Member
    differs: list[Differs] = []
    moved: dict[str, int] = {}
    coupons: int = 0


def try_merge(editions: Editions, goes: Member, stays: Member, policy: dict[str, object], *, at: Instant) -> Tried:
    """Merge a copy of ``goes`` into a copy of ``stays``. Both are handed in as last settled and not changed."""
    payload = {**policy, "into": stays.id, "reason": "preview"}
    told = Activity(of.MERGED, goes.id, at, "preview", "", payload)
    erased = [stays.id] if stays.status == ERASED else []
    context = Context(erased=erased, others={stays.id: other_of(stays, kept=False)})
    left = step(editions, unpack(pack(goes)), told, context)
    if left.refused is not None:
        return Tried(left.refused, stays)
    [inbox] = left.effects.activities
    whole = step(editions, unpack(pack(stays)), inbox).member
    differs = [
        Differs(name, stays.traits[name], value, whole.traits[name])
        for name, value in sorted(goes.traits.items())
        if name in stays.traits and stays.traits[name] != value
    ]
    return Tried(None, whole, differs, left.answer["moved"], left.answer["coupons"])
