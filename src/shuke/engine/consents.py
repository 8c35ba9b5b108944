"""Consents: what a member agreed to be told of, per purpose and channel, to which text, when, and where she said so.

Nothing is granted by itself: without her word there is no consent, and joining is no word. What she said last, by the
time she said it, holds; a fact that arrives late changes nothing of what she said since. All of it stays in her
activities.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shuke.engine.effects import Refused
from shuke.engine.member import Consent, Member
from shuke.engine.turn import Turn
from shuke.program.profile import Profile, Purpose, hash_of


class ConsentRules:
    """What a program asks consent for."""

    __slots__ = ("purposes",)

    def __init__(self, profile: Profile) -> None:
        self.purposes: Mapping[str, Purpose] = {purpose.id: purpose for purpose in profile.purposes}


def grant(turn: Turn) -> Refused | None:
    """``consent.granted``. Payload: ``purpose``, ``channels``, optional ``version``, ``language``, ``text_hash``
    (SHA-256 of the text she saw, in hex), ``via`` (where she said so), ``by``.

    Version and hash are those of the program's own text where they are not told. Refused: ``consent_unknown`` (the
    program has no such purpose), ``consent_channel_unknown`` (or none is told).
    """
    payload = turn.activity.payload or {}
    purpose = turn.program.consents.purposes.get(str(payload.get("purpose")))
    if purpose is None:
        return Refused("consent_unknown", {"purpose": payload.get("purpose")})
    channels = payload.get("channels") or [""]
    for channel in channels:
        if channel not in purpose.channels:
            facts = {"purpose": purpose.id, "channel": channel, "channels": list(purpose.channels)}
            return Refused("consent_channel_unknown", facts)
    said = _said(turn, payload, purpose)
    _take_over(turn, [(purpose.id, channel) for channel in channels], said)
    turn.answer["consent"] = {"version": said.version, "text_hash": said.text_hash}
    return None


def withdraw(turn: Turn) -> Refused | None:
    """``consent.withdrawn``. Payload: optional ``purpose`` (else every one) and ``channels`` (else every one), ``via``,
    ``by``. She need not have granted it: a no is recorded like a yes.

    Refused: ``consent_unknown`` (neither the program nor she ever had such a purpose).
    """
    payload = turn.activity.payload or {}
    purpose, channels = payload.get("purpose"), payload.get("channels")
    known = dict.fromkeys([*_declared(turn), *map(_parts, turn.member.consents)])
    meant = [
        (of, channel) for of, channel in known if purpose in (None, of) and (channels is None or channel in channels)
    ]
    if not meant:
        return Refused("consent_unknown", {"purpose": purpose})
    _take_over(turn, meant, Consent(False, turn.now, "", "", "", str(payload.get("via") or ""), turn.activity.source))
    return None


def _said(turn: Turn, payload: Mapping[str, Any], purpose: Purpose) -> Consent:
    language = str(payload.get("language") or next(iter(turn.program.document.locales)))
    return Consent(
        True,
        turn.now,
        str(payload.get("version") or purpose.version or ""),
        str(payload.get("text_hash") or hash_of(purpose.text, language) or ""),
        language,
        str(payload.get("via") or ""),
        turn.activity.source,
    )


def _take_over(turn: Turn, meant: list[tuple[str, str]], said: Consent) -> None:
    consents = turn.member.consents
    for purpose, channel in meant:
        known = consents.get(f"{purpose}.{channel}")
        if known is None or known.at <= said.at:
            consents[f"{purpose}.{channel}"] = said


def _declared(turn: Turn) -> Iterator[tuple[str, str]]:
    for purpose in turn.program.consents.purposes.values():
        for channel in purpose.channels:
            yield purpose.id, channel


def _parts(name: str) -> tuple[str, str]:
    purpose, _, channel = name.partition(".")
    return purpose, channel


def granted(member: Member) -> list[str]:
    """What the member agreed to and has not withdrawn, as ``purpose.channel``."""
    return [name for name, consent in member.consents.items() if consent.granted]
