"""Joining and what members say of themselves."""

from __future__ import annotations

from typing import Any

from shuke.engine.effects import Refused
from shuke.engine.identity import learn
from shuke.engine.member import ACTIVE
from shuke.engine.turn import Turn


def welcome(turn: Turn) -> None:
    """The first activity that is not refused, whatever it is, makes a member."""
    member = turn.member
    if member.seq > 0 or member.joined_at == 0 or turn.now < member.joined_at:
        member.joined_at = turn.now
    member.status = ACTIVE


def join(turn: Turn) -> Refused | None:
    """``member.joined``: when, with which traits, tags and identities.

    Refused: ``already_joined``, and as ``identity.learn``.
    """
    member = turn.member
    if "member.joined" in member.once:
        return Refused("already_joined", {"joined_at": member.joined_at})
    refused = learn(turn)
    if refused is not None:
        return refused
    member.once["member.joined"] = turn.now
    member.joined_at = min(member.joined_at, turn.now)
    _learn(turn, turn.activity.payload or {})
    return None


def update(turn: Turn) -> Refused | None:
    """``member.updated``: traits and identities to set (null forgets one), tags to add or remove.

    Refused: as ``identity.learn``.
    """
    refused = learn(turn)
    if refused is None:
        _learn(turn, turn.activity.payload or {})
    return refused


def _learn(turn: Turn, payload: dict[str, Any]) -> None:
    member = turn.member
    for name, value in (payload.get("traits") or {}).items():
        if value is None:
            member.traits.pop(name, None)
        else:
            member.traits[name] = value
    removed = set(payload.get("untags") or ())
    kept = [tag for tag in member.tags if tag not in removed]
    member.tags = list(dict.fromkeys([*kept, *(payload.get("tags") or ())]))
