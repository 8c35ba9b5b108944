"""Chapter 1: identities. What members are called elsewhere, kind by kind: how many, whose, what counts.

Every kind has terms without a word in the document; an entry here changes some of them. A kind with a colon in it
(``wechat_openid:<app>``, ``wecom:<corp>``) has the terms of what stands before the colon, and is counted by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from pydantic import Field

from shuke.program.chapter import Chapter

MOST: Final = 50
"""The most identities of one member, of all kinds together."""

Decides = Literal["always", "verified", "never"]
WhenFull = Literal["refuse", "forget_oldest"]


class IdentityTerms(Chapter):
    """What holds for one kind of identity. Whatever is left out stays as it is without this entry.

    ``shared`` says that several members may have one: a device, a browser. Everything else is one member's alone.
    ``proof``: ``platform`` where being told it is proof enough, because a platform or a card reader says it;
    ``asked`` where somebody must have shown that it is hers (a code sent to her phone).
    ``decides``: whether a member is found by it who has not shown that it is hers.
    """

    kind: str = Field(pattern=r"^[a-z][a-z0-9_.-]{0,63}$")
    most: int | None = Field(default=None, ge=1, le=MOST)
    priority: int | None = Field(default=None, ge=0, le=1000)
    shared: bool | None = None
    proof: Literal["platform", "asked"] | None = None
    decides: Decides | None = None
    when_full: WhenFull | None = None
    junk: list[str] = Field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms of a kind, whole."""

    most: int
    priority: int
    proof: str = "platform"
    shared: bool = False
    decides: str = "always"
    when_full: str = "refuse"
    junk: frozenset[str] = frozenset()

    def changed(self, entry: IdentityTerms) -> Terms:
        """As the entry has it; what it leaves out stays."""
        said = {name: getattr(entry, name) for name in _SAID if getattr(entry, name) is not None}
        return replace(self, **said, junk=frozenset(entry.junk))


_SAID: Final = ("most", "priority", "proof", "shared", "decides", "when_full")

DEFAULTS: Final[dict[str, Terms]] = {
    "phone": Terms(1, 90, proof="asked"),
    "email": Terms(5, 80, proof="asked"),
    "card": Terms(5, 95),
    "wechat_unionid": Terms(2, 88),
    "wechat_openid": Terms(2, 86),
    "wecom": Terms(3, 84),
    "wecom_pending": Terms(3, 40, when_full="forget_oldest"),
    "line": Terms(2, 82),
    "shopify": Terms(3, 70),
    "taobao": Terms(3, 70),
    "jd": Terms(3, 70),
    "douyin": Terms(3, 70),
    "youzan": Terms(3, 70),
    "device": Terms(20, 20, shared=True, when_full="forget_oldest"),
    "anonymous": Terms(20, 10, shared=True, when_full="forget_oldest"),
}
"""Without a word in the document. One phone, because a second one is more often a second person."""

OTHER: Final = Terms(3, 50)
"""Of kinds that are a merchant's own."""


def terms_of(entries: list[IdentityTerms]) -> dict[str, Terms]:
    """By kind (what stands before a colon): what is in force with these entries of a document."""
    changed = {entry.kind: DEFAULTS.get(entry.kind, OTHER).changed(entry) for entry in entries}
    return {**DEFAULTS, **changed}
