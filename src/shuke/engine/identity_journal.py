"""What a member was called when, and why no longer: out of her log, by the same functions that changed it.

Nothing is stored for it, so it is there for members from before it was asked for, and goes with a person who is erased.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from msgspec import Struct

from shuke.engine import activity as of
from shuke.engine import identity, identity_moves
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused
from shuke.engine.member import ACTIVE, Member
from shuke.engine.turn import Context, Turn
from shuke.values.instants import Instant

ACTS: Final[dict[str, Callable[[Turn], Refused | None]]] = {
    of.JOINED: identity.learn,
    of.UPDATED: identity.learn,
    of.IDENTITY_ADDED: identity.add,
    of.IDENTITY_REMOVED: identity.remove,
    of.IDENTITY_MOVED: identity_moves.move,
    of.IDENTITY_RECEIVED: identity_moves.receive,
    of.IDENTITY_FINALIZED: identity_moves.finalize,
}
"""What of an activity changes what a member is called. Identities that came along do so with any activity."""


class Told(Struct):
    """A settled activity that may have changed it: its number, the version of the program it was settled under, what
    it was told of others, and who told it."""

    id: int
    activity: Activity
    version: int
    context: Context


class Change(Struct):
    """``what``: learnt, verified or gone. ``reason`` and ``member_id`` (from whom, or to whom) where it moved."""

    activity_id: int
    at: Instant
    type: str
    source: str
    kind: str
    value: str
    what: str
    reason: str | None = None
    member_id: str | None = None


def changes(member_id: str, log: Iterable[Told], editions: Editions) -> Iterator[Change]:
    """All that changed, in the order in which it was settled. ``log`` is settled, not refused, and in order."""
    member = Member(member_id, 0, ACTIVE)
    for told in log:
        activity = told.activity
        turn = Turn(editions.known_by(told.version), member, activity, told.context)
        known = {(one.kind, one.value) for one in member.identities}
        act = ACTS.get(activity.type)
        if act is not None:
            act(turn)
        identity.recognise(turn)
        payload = activity.payload or {}
        is_move = activity.type in (of.IDENTITY_MOVED, of.IDENTITY_RECEIVED)
        for change in turn.effects.identities:
            name = change.kind, change.value
            what = "gone" if change.since is None else "verified" if name in known else "learnt"
            yield Change(
                told.id,
                activity.occurred_at,
                activity.type,
                activity.source,
                *name,
                what,
                payload.get("reason") if is_move else None,
                (payload.get("to_member") or payload.get("from_member")) if is_move else None,
            )
