"""Tags: short words on a member, each with who or what put it on, and until when it stays.

    manual       somebody put it on; nothing but somebody takes it off, or its date
    rule         a condition that holds
    statistic    a number that was worked out: the top tenth, a favourite category
    ranking      a place among others
    model        a forecast

What somebody put on by hand no machine changes: a rule, statistic, ranking or model that tells the same tag again
leaves it. Telling a tag again keeps the day since when she has it, so that a rule that runs every night takes nothing
off to put it on again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shuke.engine.effects import Refused
from shuke.engine.member import Tag
from shuke.engine.turn import Turn
from shuke.values.instants import NEVER, Instant

MOST_TAGS = 200
"""The most tags of one member."""

MANUAL = "manual"
TAG_KINDS = (MANUAL, "rule", "statistic", "ranking", "model")


def tag(turn: Turn) -> Refused | None:
    """``member.tagged``. Payload: ``tags``, optional ``kind`` (manual), ``by`` (who, or which rule; else the source),
    ``until`` (an instant).

    Refused: ``tag_ended`` (before it would have been put on), ``too_many_tags``.
    """
    payload = turn.activity.payload or {}
    until = payload.get("until") or NEVER
    if until <= turn.now:
        return Refused("tag_ended", {"until": until})
    names = payload.get("tags") or ()
    if are_too_many(turn, names):
        return Refused("too_many_tags", {"most": MOST_TAGS})
    put_on(turn, names, kind=payload.get("kind") or MANUAL, by=_by(turn), until=until)
    return None


def untag(turn: Turn) -> Refused | None:
    """``member.untagged``. Payload: ``tags``, optional ``kind``: only where the tag is of this kind.

    What she does not have needs no taking off: nothing is refused.
    """
    payload = turn.activity.payload or {}
    take_off(turn, payload.get("tags") or (), kind=payload.get("kind"))
    return None


def _by(turn: Turn) -> str:
    told: Any = (turn.activity.payload or {}).get("by")
    return told if isinstance(told, str) and told else turn.activity.source


def are_too_many(turn: Turn, added: Iterable[str], *, removed: Iterable[str] = ()) -> bool:
    """Whether the member would have more tags than one may, with those put on and the others taken off."""
    had, more = set(turn.member.tags), set(added)
    return bool(more) and len((had - set(removed)) | more) > max(MOST_TAGS, len(had))


def put_on(turn: Turn, names: Iterable[str], *, kind: str, by: str, until: Instant = NEVER) -> None:
    """Put tags on, or tell anew of those she has."""
    member, names = turn.member, dict.fromkeys(names)
    new = [name for name in names if name not in member.tags]
    for name in names:
        known = member.tagged.get(name)
        if name not in new and kind != MANUAL and (known is None or known.kind == MANUAL):
            continue
        since = turn.now if known is None or name in new else known.since
        member.tagged[name] = Tag(kind, by, since, until)
    member.tags = [*member.tags, *new]


def take_off(turn: Turn, names: Iterable[str], *, kind: str | None = None) -> None:
    """Take tags off; of one kind only, if it is told. A tag that nobody said more of is of somebody's hand."""
    member = turn.member
    gone = set()
    for name in names:
        known = member.tagged.get(name)
        if kind is None or kind == (MANUAL if known is None else known.kind):
            gone.add(name)
    if gone.intersection(member.tags):
        member.tags = [name for name in member.tags if name not in gone]
        for name in gone:
            member.tagged.pop(name, None)


def fall_due(turn: Turn) -> None:
    """Tags whose time is over come off."""
    tagged = turn.member.tagged
    if tagged:
        take_off(turn, [name for name, known in tagged.items() if known.until <= turn.now])


def next_due(turn: Turn) -> Instant:
    """When the next tag comes off by itself."""
    tagged = turn.member.tagged
    return min((known.until for known in tagged.values()), default=NEVER) if tagged else NEVER
