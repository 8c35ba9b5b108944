"""Identities that go from one member to another, and those that become what they stood for.

A phone number is given up and handed to a stranger by its operator: it moves, by an explicit act with a reason. Nothing
else moves with it: points, orders and coupons stay with whoever had the number before. A pending id (WeCom gives one
until a customer adds somebody of the staff) becomes the final one.
"""

from __future__ import annotations

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.effects import Refused
from shuke.engine.identity import forget, has, know, make_room, named_by, unfit
from shuke.engine.member import is_herself
from shuke.engine.turn import Turn


def move(turn: Turn) -> Refused | None:
    """``identity.moved``: she is called so no longer, another is. Payload: ``kind``, ``value``, ``to_member``,
    ``reason``, ``verified`` where the other has shown that it is hers.

    Refused: ``identity_missing``, ``identity_unknown``, ``identity_reason_missing``, ``identity_receiver_missing``,
    ``member_erased``.
    """
    named = named_by(turn.activity)
    if named is None:
        return Refused("identity_missing", {})
    payload = turn.activity.payload or {}
    kind, value = named
    to, reason = payload.get("to_member"), payload.get("reason")
    known = has(turn.member, kind, value)
    if known is None:
        return Refused("identity_unknown", {"kind": kind})
    if not reason:
        return Refused("identity_reason_missing", {})
    if not isinstance(to, str) or not to or is_herself(turn.member, to):
        return Refused("identity_receiver_missing", {})
    if to in turn.context.erased:
        return Refused("member_erased", {"member": to})
    forget(turn, [known])
    received = {"kind": kind, "value": value, "from_member": turn.member.id, "reason": reason}
    if payload.get("verified") is True:
        received["verified"] = True
    source = f"shuke:{turn.activity.source}"
    turn.effects.activities.append(
        Activity(of.IDENTITY_RECEIVED, to, turn.now, source, turn.activity.key, payload=received)
    )
    return None


def receive(turn: Turn) -> Refused | None:
    """``identity.received``: what another was called before. Where she has as many of the kind as she may, her oldest
    goes: somebody decided that this is hers."""
    payload = turn.activity.payload or {}
    kind, value = payload["kind"], payload["value"]
    make_room(turn, kind, value)
    know(turn, kind, value, is_shown=payload.get("verified") is True)
    return None


def finalize(turn: Turn) -> Refused | None:
    """``identity.finalized``: a pending id turned out to be another. Payload: ``kind``, ``value`` and ``final_kind``,
    ``final_value``.

    Refused: ``identity_missing``, ``identity_unknown``, ``identity_taken``, ``identity_junk``.
    """
    named = named_by(turn.activity)
    payload = turn.activity.payload or {}
    kind, value = payload.get("final_kind"), payload.get("final_value")
    if named is None or not isinstance(kind, str) or not isinstance(value, str):
        return Refused("identity_missing", {})
    pending = has(turn.member, *named)
    if pending is None:
        return Refused("identity_unknown", {"kind": named[0]})
    refused = unfit(turn, kind, value, place=kind)
    if refused is not None:
        return refused
    forget(turn, [pending])
    make_room(turn, kind, value)
    know(turn, kind, value, is_shown=False)
    return None
