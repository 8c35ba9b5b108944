"""Joining and what members say of themselves."""

from __future__ import annotations

from typing import Any

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.effects import Refused
from shuke.engine.identity import learn
from shuke.engine.member import ACTIVE
from shuke.engine.tags import MANUAL, MOST_TAGS, are_too_many, put_on, take_off
from shuke.engine.traits import refuse_traits, remember_changes
from shuke.engine.turn import Turn

MOST_TRAITS = 200
"""The most traits of one member."""


def welcome(turn: Turn) -> None:
    """The first activity that is not refused, whatever it is, makes a member."""
    member = turn.member
    if member.seq > 0 or member.joined_at == 0 or turn.now < member.joined_at:
        member.joined_at = turn.now
    member.status = ACTIVE


def join(turn: Turn) -> Refused | None:
    """``member.joined``: when, with which traits, tags and identities.

    Refused: ``already_joined``, ``too_many_traits``, ``too_many_tags``, and as ``traits.refuse_traits`` and
    ``identity.learn``.
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
    """``member.updated``: traits and identities to set (null forgets one), tags to add or remove; ``by`` says whether
    the shop (``merchant``) or she herself (``member``) says so.

    Refused: ``too_many_traits``, ``too_many_tags``, and as ``traits.refuse_traits`` and ``identity.learn``.
    """
    return _learn(turn, turn.activity.payload or {})


def _learn(turn: Turn, payload: dict[str, Any]) -> Refused | None:
    """Take over all that is told, or nothing of it."""
    member = turn.member
    told = payload.get("traits") or {}
    refused = refuse_traits(turn, told, by=payload.get("by") or "merchant") if told else None
    if refused is not None:
        return refused
    traits = {**member.traits, **told}
    traits = {name: value for name, value in traits.items() if value is not None}
    if len(traits) > max(MOST_TRAITS, len(member.traits)):
        return Refused("too_many_traits", {"most": MOST_TRAITS})
    removed, added = payload.get("untags") or (), payload.get("tags") or ()
    if are_too_many(turn, added, removed=removed):
        return Refused("too_many_tags", {"most": MOST_TAGS})
    refused = learn(turn)
    if refused is None:
        if told:
            remember_changes(turn, told)
        member.traits = traits
        if removed:
            take_off(turn, [name for name in removed if name not in added])
        if added:
            put_on(turn, added, kind=MANUAL, by=turn.activity.source)
        _tell_if_complete(turn)
    return refused


def _tell_if_complete(turn: Turn) -> None:
    """Once all that is required of her is there, that becomes an activity of its own, once for ever."""
    member, activity = turn.member, turn.activity
    if of.PROFILE_COMPLETED in member.once or not turn.program.profile.is_complete(member):
        return
    member.once[of.PROFILE_COMPLETED] = turn.now
    turn.effects.activities.append(
        Activity(
            type=of.PROFILE_COMPLETED,
            member_id=member.id,
            occurred_at=turn.now,
            source=f"shuke:{activity.source}",
            key=f"{of.PROFILE_COMPLETED}:{activity.key}",
        )
    )


def complete(turn: Turn) -> Refused | None:
    """``profile.completed``: of the house itself, behind what completed it. What it brings is for rules to say."""
    return None
