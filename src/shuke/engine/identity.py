"""Identities: what a member is called elsewhere (phone, e-mail, card, ids of platforms), each by one member only.

Doors bring values into their normal form; here they are compared as they are. A member has at most one identity of
a kind, and telling another replaces it. Who else has one is in ``Context.identities``.
"""

from __future__ import annotations

from typing import Any

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.effects import IdentityChanged, Refused
from shuke.engine.member import Identity, Member
from shuke.engine.turn import Turn

MOST_IDENTITIES = 50
"""The most identities of one member."""

_TELLS = frozenset((of.JOINED, of.UPDATED))


def told(payload: dict[str, Any] | None) -> dict[str, str | None]:
    """Identities by kind that a payload tells; None for one that is given up."""
    return (payload or {}).get("identities") or {}


def asked_for(activity: Activity) -> list[tuple[str, str]]:
    """(kind, value) of the identities somebody else may have that this activity is about."""
    if activity.payload is None or activity.type not in _TELLS or "identities" not in activity.payload:
        return []
    return [(kind, value) for kind, value in told(activity.payload).items() if value is not None]


def identities_of(member: Member) -> dict[str, str]:
    """The member's identities by kind."""
    return {identity.kind: identity.value for identity in member.identities}


def learn(turn: Turn) -> Refused | None:
    """Take over the identities the activity tells: all of them, or none.

    Refused: ``identity_taken`` (another member has it), ``too_many_identities``.
    """
    asked = told(turn.activity.payload)
    if not asked:
        return None
    member = turn.member
    for kind, value in asked.items():
        if value is not None and turn.context.identities.get(kind, member.id) != member.id:
            return Refused("identity_taken", {"kind": kind})
    has = identities_of(member)
    left = {kind: value for kind, value in {**has, **asked}.items() if value is not None}
    if len(left) > max(MOST_IDENTITIES, len(has)):
        return Refused("too_many_identities", {"most": MOST_IDENTITIES})
    for kind, value in asked.items():
        if has.get(kind) != value:
            _change(turn, kind, value)
    return None


def _change(turn: Turn, kind: str, value: str | None) -> None:
    member = turn.member
    for before in [identity for identity in member.identities if identity.kind == kind]:
        member.identities.remove(before)
        turn.effects.identities.append(IdentityChanged(kind, before.value, None))
    if value is not None:
        member.identities.append(Identity(kind, value, turn.now))
        turn.effects.identities.append(IdentityChanged(kind, value, turn.now))


def give_up(turn: Turn) -> None:
    """The member is known by nothing any more."""
    for identity in list(turn.member.identities):
        _change(turn, identity.kind, None)
