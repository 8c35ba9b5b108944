"""Joining and what members say of themselves."""

from __future__ import annotations

from typing import Any

from shuke.engine.effects import Refused
from shuke.engine.identity import learn
from shuke.engine.member import ACTIVE
from shuke.engine.turn import Turn

MOST_TRAITS = 200
"""The most traits of one member."""

MOST_TAGS = 200
"""The most tags of one member."""


def welcome(turn: Turn) -> None:
    """The first activity that is not refused, whatever it is, makes a member."""
    member = turn.member
    if member.seq > 0 or member.joined_at == 0 or turn.now < member.joined_at:
        member.joined_at = turn.now
    member.status = ACTIVE


def join(turn: Turn) -> Refused | None:
    """``member.joined``: when, with which traits, tags and identities.

    Refused: ``already_joined``, ``too_many_traits``, ``too_many_tags``, and as ``identity.learn``.
    """
    member = turn.member
    if "member.joined" in member.once:
        return Refused("already_joined", {"joined_at": member.joined_at})
    refused = _learn(turn, turn.activity.payload or {})
    if refused is not None:
        return refused
    member.once["member.joined"] = turn.now
    member.joined_at = min(member.joined_at, turn.now)
    return None


def update(turn: Turn) -> Refused | None:
    """``member.updated``: traits and identities to set (null forgets one), tags to add or remove.

    Refused: ``too_many_traits``, ``too_many_tags``, and as ``identity.learn``.
    """
    return _learn(turn, turn.activity.payload or {})


def _learn(turn: Turn, payload: dict[str, Any]) -> Refused | None:
    """Take over all that is told, or nothing of it."""
    member = turn.member
    traits = {**member.traits, **(payload.get("traits") or {})}
    traits = {name: value for name, value in traits.items() if value is not None}
    removed = set(payload.get("untags") or ())
    kept = [tag for tag in member.tags if tag not in removed]
    tags = list(dict.fromkeys([*kept, *(payload.get("tags") or ())]))
    if len(traits) > max(MOST_TRAITS, len(member.traits)):
        return Refused("too_many_traits", {"most": MOST_TRAITS})
    if len(tags) > max(MOST_TAGS, len(member.tags)):
        return Refused("too_many_tags", {"most": MOST_TAGS})
    refused = learn(turn)
    if refused is None:
        member.traits, member.tags = traits, tags
    return refused
