"""Who somebody is, of whom only identities are told: always the same answer, and with its reasons. Nobody is merged.

    not on the junk list → of one member alone (phone, e-mail, card, platforms) → of things that people share (devices)

Of identities that are one member's the strongest decides: shown on both sides, then shown by her once, then shown in
this request, then told; then by the priority of its kind. A thing that people share decides only if nothing else is
told and one member alone has it. What is told beside is learnt where she was found by something that was shown, by her
own id, or where she is new; otherwise whoever types in somebody's number would add his own address to her.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from shuke.engine.activity import Brought, Named
from shuke.program.identities import OTHER, Terms

ANONYMOUS = "anonymous"
ANONYMOUS_ID = "anon:"
"""What the id of a member begins with of whom only a device or a browser is known."""

_NOBODY = ("nobody", "anonymous")

Name = tuple[str, str]


class Owner(Struct, frozen=True):
    """Who is called so, and whether it was shown to be hers."""

    member_id: str
    verified: bool


class _Candidate(Struct):
    name: Named
    owner: Owner
    terms: Terms
    shown: bool
    verified: bool

    @property
    def rank(self) -> tuple[Any, ...]:
        """The least is the strongest."""
        both = self.shown and self.verified
        return (not both, not self.verified, not self.shown, -self.terms.priority, self.name.kind, self.name.value)


class Resolution(Struct):
    """``member_id``: who it is; None: somebody new. ``learn``: what she is to be called as well. ``found`` explains it
    without a value: ``how`` (member_id, identity, thing, new, anonymous, nobody), ``by`` (``kind``, whether it was
    ``shown`` in this request and ``verified`` before), ``ignored`` (``kind``, ``why``, and ``member`` whose it is) and
    ``perhaps``: other members who are probably the same person."""

    member_id: str | None
    learn: list[Named]
    found: dict[str, Any]


class _Finding:
    def __init__(self, terms: Mapping[str, Terms], owners: Mapping[Name, Sequence[Owner]]) -> None:
        self.terms = terms
        self.owners = owners
        self.ignored: list[dict[str, Any]] = []
        self.perhaps: list[str] = []

    def terms_of(self, name: Named) -> Terms:
        return self.terms.get(name.kind.partition(":")[0], OTHER)

    def owners_of(self, name: Named) -> Sequence[Owner]:
        return self.owners.get((name.kind, name.value), ())

    def ignore(self, name: Named, why: str, **more: Any) -> None:
        self.ignored.append({"kind": name.kind, "why": why, **more})

    def candidates(self, names: Iterable[Named]) -> list[_Candidate]:
        """Members who are called so, the strongest first, without those by whom the program lets nobody be found."""
        found = []
        for name in names:
            for owner in self.owners_of(name):
                terms = self.terms_of(name)
                said = terms.proof == "platform"
                one = _Candidate(name, owner, terms, name.shown or said, owner.verified or said)
                if terms.decides == "never":
                    self.ignore(name, "decides_never")
                elif terms.decides == "verified" and not (one.shown and one.verified):
                    self.ignore(name, "not_verified")
                else:
                    found.append(one)
        return sorted(found, key=lambda one: one.rank)

    def others(self, candidates: Iterable[_Candidate], member_id: str, *, is_sure: bool) -> None:
        """What names somebody else: not followed. Where both sides are sure it is probably the same person."""
        for one in candidates:
            other = one.owner.member_id
            if other != member_id:
                self.ignore(one.name, "of_another", member=other)
                if is_sure and one.shown and one.verified and other not in self.perhaps:
                    self.perhaps.append(other)

    def shared(self, names: Iterable[Named], *, is_alone: bool) -> tuple[Named, str] | None:
        """Who alone has a thing that people share, if nothing else is told."""
        for name in sorted(names, key=lambda name: (-self.terms_of(name).priority, name.kind, name.value)):
            owners = self.owners_of(name)
            if len(owners) > 1:
                self.ignore(name, "shared")
            elif owners and not is_alone:
                self.ignore(name, "not_alone", member=owners[0].member_id)
            elif owners:
                return name, owners[0].member_id
        return None

    def explained(self, how: str, by: dict[str, Any] | None = None) -> dict[str, Any]:
        found: dict[str, Any] = {"how": how}
        for name, value in (("by", by), ("ignored", self.ignored), ("perhaps", self.perhaps)):
            if value:
                found[name] = value
        return found


def resolve(
    names: Iterable[Named],
    *,
    owners: Mapping[Name, Sequence[Owner]],
    terms: Mapping[str, Terms],
    member_id: str | None = None,
) -> Resolution:
    """Who is called so. ``member_id``: who it is by her own id, whatever else is told. ``terms`` are by kind, what is
    not there has ``OTHER``. Values are in their normal form."""
    finding = _Finding(terms, owners)
    kept: list[Named] = []
    for name in names:
        if name.value in finding.terms_of(name).junk:
            finding.ignore(name, "junk")
        else:
            kept.append(name)
    alone = [name for name in kept if not finding.terms_of(name).shared]
    things = [name for name in kept if finding.terms_of(name).shared]
    candidates = finding.candidates(alone)
    if member_id is not None:
        finding.others(candidates, member_id, is_sure=True)
        return _known(finding, kept, member_id, how="member_id", by=None, is_sure=True)
    if candidates:
        best = candidates[0]
        finding.others(candidates[1:], best.owner.member_id, is_sure=best.shown and best.verified)
        by = {"kind": best.name.kind, "shown": best.shown, "verified": best.verified}
        return _known(finding, kept, best.owner.member_id, how="identity", by=by, is_sure=best.shown)
    thing = finding.shared(things, is_alone=not alone)
    if thing is not None:
        name, found = thing
        return _known(finding, kept, found, how="thing", by={"kind": name.kind}, is_sure=False)
    if not alone:  # the device says nothing of the person: she stays known by it alone, and learns nothing
        return Resolution(anonymous_id(things) if things else None, [], finding.explained(_NOBODY[bool(things)]))
    free = [name for name in kept if not finding.owners_of(name) or finding.terms_of(name).shared]
    return Resolution(None, free, finding.explained("new"))


def _known(
    finding: _Finding, names: list[Named], member_id: str, *, how: str, by: dict[str, Any] | None, is_sure: bool
) -> Resolution:
    """Somebody who is there, and what she learns of what was told beside."""
    learn = []
    for name in names:
        owners = [owner.member_id for owner in finding.owners_of(name)]
        if owners and member_id not in owners and not finding.terms_of(name).shared:
            continue  # somebody else's, which was said already
        if is_sure or (member_id in owners and name.shown):
            learn.append(name)
        elif member_id not in owners:
            finding.ignore(name, "not_learnt")
    return Resolution(member_id, learn, finding.explained(how, by))


def anonymous_id(names: Sequence[Named]) -> str:
    """The id of a member of whom nothing is known but things that people share, as tracking has it."""
    name = min(names, key=lambda name: (name.kind != ANONYMOUS, name.kind, name.value))
    value = name.value if name.kind == ANONYMOUS else f"{name.kind}:{name.value}"
    return (ANONYMOUS_ID + value)[:200]


def brought_by(resolution: Resolution) -> Brought:
    """As the activity carries it from then on."""
    return Brought(resolution.learn, resolution.found)
