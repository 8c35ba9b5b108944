"""Identities: what a member is called elsewhere (phone, e-mail, card, ids of platforms, devices).

Doors bring values into their normal form; here they are compared as they are. What holds for a kind (how many, shared
or one member's alone, junk) is in the program's chapter ``identities``. Who else has one is in ``Context.identities``.

``member.joined`` and ``member.updated`` tell by kind what a member is called and set it: what she was called before
under that kind goes. ``identity.added`` adds one beside those she has, or says that it was shown to be hers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.effects import IdentityChanged, Refused
from shuke.engine.member import Identity, Member
from shuke.engine.turn import Turn
from shuke.program.identities import MOST, OTHER, Terms

if TYPE_CHECKING:
    from shuke.engine.compiled import Compiled

MOST_IDENTITIES = MOST
"""The most identities of one member."""

_TELLS = frozenset((of.JOINED, of.UPDATED))


class Asked(NamedTuple):
    """An identity somebody else may have. ``place`` is where the activity tells it, its kind for most. Values are not
    kept beside the activity: they go when a person is erased."""

    place: str
    kind: str
    value: str


def told(payload: dict[str, Any] | None) -> dict[str, str | None]:
    """Identities by kind that a payload tells; None for one that is given up."""
    return (payload or {}).get("identities") or {}


def asked_for(activity: Activity) -> list[Asked]:
    """The identities somebody else may have that this activity is about."""
    payload = activity.payload
    if payload is None:
        return []
    if activity.type == of.IDENTITY_ADDED:
        named = named_by(activity)
        return [] if named is None else [Asked(named[0], *named)]
    if activity.type == of.IDENTITY_FINALIZED:
        kind, value = payload.get("final_kind"), payload.get("final_value")
        return [Asked(kind, kind, value)] if isinstance(kind, str) and isinstance(value, str) else []
    if activity.type not in _TELLS or "identities" not in payload:
        return []
    return [Asked(kind, kind, value) for kind, value in told(payload).items() if value is not None]


def brought_by(activity: Activity) -> list[Asked]:
    """The identities that came with an activity, whatever it is about: the first is told at ``#1``."""
    names = activity.brought.names if activity.brought is not None else ()
    return [Asked(f"#{number}", name.kind, name.value) for number, name in enumerate(names, 1)]


def identify(turn: Turn) -> Refused | None:
    """``member.identified``: somebody is there, by the identities that came along."""
    return None


def nobody(turn: Turn) -> Refused | None:
    """Refused: ``identity_junk``, where all that came with the activity stands for nobody."""
    brought = turn.activity.brought
    return Refused("identity_junk", {}) if brought is not None and brought.found.get("how") == "nobody" else None


def recognise(turn: Turn) -> None:
    """Learn what came with an activity, as far as it may be hers; nothing of it refuses the activity. The answer says
    how she was found (``identified``)."""
    brought = turn.activity.brought
    if brought is None:
        return
    found = {**brought.found, "ignored": list(brought.found.get("ignored", ()))}
    for asked, name in zip(brought_by(turn.activity), brought.names, strict=True):
        refused = unfit(turn, name.kind, name.value, place=asked.place) or no_room(turn, name.kind, name.value)
        if refused is None:
            know(turn, name.kind, name.value, is_shown=name.shown)
        else:
            found["ignored"].append({"kind": name.kind, "why": refused.code})
    turn.answer["identified"] = found


def named_by(activity: Activity) -> tuple[str, str] | None:
    """Kind and value of the one identity an activity is about; None where it names none."""
    payload = activity.payload or {}
    kind, value = payload.get("kind"), payload.get("value")
    return (kind, value) if isinstance(kind, str) and isinstance(value, str) else None


def identities_of(member: Member) -> dict[str, str]:
    """The member's identities by kind: of several, the one that was learnt last, a verified one before others."""
    found: dict[str, Identity] = {}
    for identity in member.identities:
        before = found.get(identity.kind)
        if before is None or bool(identity.verified_at) >= bool(before.verified_at):
            found[identity.kind] = identity
    return {kind: identity.value for kind, identity in found.items()}


def terms(turn: Turn, kind: str) -> Terms:
    """What holds for a kind, by the version of the program in force."""
    return terms_in(turn.program, kind)


def terms_in(program: Compiled, kind: str) -> Terms:
    """What holds for a kind in a version of the program."""
    return program.identities.get(kind.partition(":")[0], OTHER)


def has(member: Member, kind: str, value: str) -> Identity | None:
    """The member's identity, if she is called so."""
    return next((one for one in member.identities if one.kind == kind and one.value == value), None)


def learn(turn: Turn) -> Refused | None:
    """Take over the identities the activity tells: all of them, or none. ``verified`` in the payload names the kinds
    among them that were shown to be hers.

    Refused: ``identity_taken`` (another member has it), ``identity_junk``, ``too_many_identities``.
    """
    asked = told(turn.activity.payload)
    if not asked:
        return None
    for kind, value in asked.items():
        refused = None if value is None else unfit(turn, kind, value, place=kind)
        if refused is not None:
            return refused
    member = turn.member
    left = sum(one.kind not in asked for one in member.identities) + sum(value is not None for value in asked.values())
    if left > max(MOST_IDENTITIES, len(member.identities)):
        return Refused("too_many_identities", {"most": MOST_IDENTITIES})
    verified = (turn.activity.payload or {}).get("verified") or ()
    for kind, value in asked.items():
        forget(turn, [one for one in member.identities if one.kind == kind and one.value != value])
        if value is not None:
            know(turn, kind, value, is_shown=kind in verified)
    return None


def add(turn: Turn) -> Refused | None:
    """``identity.added``: one more. Payload: ``kind``, ``value``, ``verified`` where it was shown to be hers.

    Refused: ``identity_missing``, ``identity_taken``, ``identity_junk``, ``identity_limit``, ``too_many_identities``.
    """
    named = named_by(turn.activity)
    if named is None:
        return Refused("identity_missing", {})
    kind, value = named
    refused = unfit(turn, kind, value, place=kind) or no_room(turn, kind, value)
    if refused is None:
        know(turn, kind, value, is_shown=(turn.activity.payload or {}).get("verified") is True)
    return refused


def remove(turn: Turn) -> Refused | None:
    """``identity.removed``: she is called so no longer. Payload: ``kind``, ``value``.

    Refused: ``identity_missing``, ``identity_unknown``.
    """
    named = named_by(turn.activity)
    if named is None:
        return Refused("identity_missing", {})
    known = has(turn.member, *named)
    if known is None:
        return Refused("identity_unknown", {"kind": named[0]})
    forget(turn, [known])
    return None


def unfit(turn: Turn, kind: str, value: str, *, place: str) -> Refused | None:
    """Why the member may not be called so: ``identity_taken``, ``identity_junk``. What she is called already she
    may be called."""
    holds = terms(turn, kind)
    if turn.context.identities.get(place, turn.member.id) != turn.member.id and not holds.shared:
        return Refused("identity_taken", {"kind": kind})
    if value in holds.junk and has(turn.member, kind, value) is None:
        return Refused("identity_junk", {"kind": kind})
    return None


def no_room(turn: Turn, kind: str, value: str) -> Refused | None:
    """Why she cannot have one more: ``identity_limit``, ``too_many_identities``. Where the oldest of the kind may go,
    it goes."""
    member, holds = turn.member, terms(turn, kind)
    if has(member, kind, value) is not None:
        return None
    same = [one for one in member.identities if one.kind == kind]
    is_full = len(same) >= holds.most
    if same and holds.when_full == "forget_oldest" and (is_full or len(member.identities) >= MOST_IDENTITIES):
        forget(turn, same[: max(1, len(same) - holds.most + 1)])
        return None
    if is_full:
        return Refused("identity_limit", {"kind": kind, "most": holds.most})
    if len(member.identities) >= MOST_IDENTITIES:
        return Refused("too_many_identities", {"most": MOST_IDENTITIES})
    return None


def make_room(turn: Turn, kind: str, value: str) -> None:
    """Let go of as many as it takes for one more, the oldest of the kind, or else the oldest of all."""
    if has(turn.member, kind, value) is not None:
        return
    same = [one for one in turn.member.identities if one.kind == kind]
    forget(turn, same[: max(0, len(same) - terms(turn, kind).most + 1)])
    forget(turn, turn.member.identities[: max(0, len(turn.member.identities) - MOST_IDENTITIES + 1)])


def know(turn: Turn, kind: str, value: str, *, is_shown: bool) -> None:
    """The member is called so. ``is_shown``: somebody made sure that it is hers. What is known already stays as it
    is, and what was shown once stays so."""
    member, holds = turn.member, terms(turn, kind)
    known = has(member, kind, value)
    if known is None:
        known = Identity(kind, value, turn.now)
        member.identities.append(known)
    elif not is_shown or known.verified_at:
        return
    if is_shown:
        known.verified_at, known.verified_by = turn.now, turn.activity.source
    turn.effects.identities.append(IdentityChanged(kind, value, known.since, known.verified_at, holds.shared))


def called(turn: Turn, identity: Identity) -> IdentityChanged:
    """That the member is called so now, whoever was before."""
    shared = terms(turn, identity.kind).shared
    return IdentityChanged(identity.kind, identity.value, identity.since, identity.verified_at, shared)


def forget(turn: Turn, identities: Iterable[Identity]) -> None:
    """The member is called so no longer."""
    for identity in identities:
        turn.member.identities.remove(identity)
        turn.effects.identities.append(IdentityChanged(identity.kind, identity.value, None))


def give_up(turn: Turn) -> None:
    """The member is known by nothing any more."""
    forget(turn, list(turn.member.identities))
