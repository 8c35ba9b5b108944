"""Shapes of identities (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from shuke.client.shapes.shared import IdentifiedShown, IdentityShown, Skipped


class Bag(TypedDict):
    """Who somebody is, by whatever is known of her."""

    # Her id, if you know it.
    member_id: NotRequired[str | None]
    # What she, and nobody else, is called elsewhere, by kind: `phone` (of the region of the program's zone if it has
    # no country code), `email`, `card`, and platforms as you name them: `wechat_unionid`, `wechat_openid:<app>`,
    # `line`, `shopify` …
    identities: NotRequired[dict[str, Any]]
    # Kinds among `identities` that she has shown to be hers: you sent a code to this phone and she told it. Without
    # that they are only what somebody said.
    verified: NotRequired[list[str]]


class Identify(TypedDict):
    """Who is there."""

    # Her id, if you know it.
    member_id: NotRequired[str | None]
    # What she, and nobody else, is called elsewhere, by kind: `phone` (of the region of the program's zone if it has
    # no country code), `email`, `card`, and platforms as you name them: `wechat_unionid`, `wechat_openid:<app>`,
    # `line`, `shopify` …
    identities: NotRequired[dict[str, Any]]
    # Kinds among `identities` that she has shown to be hers: you sent a code to this phone and she told it. Without
    # that they are only what somebody said.
    verified: NotRequired[list[str]]
    # When; now if left out.
    occurred_at: NotRequired[str | datetime | None]


class IdentityAddedTold(TypedDict):
    """One more identity of a member, or one that she has now shown to be hers."""

    kind: str
    value: str
    # Whether she has shown that it is hers: you sent a code there and she told it.
    verified: NotRequired[bool]


class IdentityChangeShown(TypedDict):
    """One change of what a member is called."""

    activity: str
    at: str
    # Of the activity.
    type: str
    # Who told it.
    source: str
    kind: str
    value: str
    # learnt, verified (shown to be hers) or gone
    what: str
    # Why it moved, where it did.
    reason: str | None
    # From whom it came, or to whom it went, where it moved.
    member_id: str | None


class IdentityChanges(TypedDict):
    """All changes of what a member is called, in the order in which they were settled."""

    items: list[IdentityChangeShown]


class IdentityFinalTold(TypedDict):
    """A pending identity and what it turned out to be."""

    kind: str
    value: str
    final_kind: str
    final_value: str


class IdentityMoveTold(TypedDict):
    """An identity that is somebody else's now."""

    kind: str
    value: str
    # Whose it is now; somebody nobody has heard of becomes a member.
    to_member: str
    # For the journals of both.
    reason: str
    # Whether the new owner has shown that it is hers.
    verified: NotRequired[bool]


class IdentitySettled(TypedDict):
    """What a member is called was changed."""

    # The activity's id.
    activity: str
    member_id: str
    occurred_at: str | datetime
    # Per asset, in its smallest units.
    earned: dict[str, int]
    # Rules that gave nothing although they might have.
    skipped: list[Skipped]
    # Available afterwards, per asset, in its smallest units.
    balances: dict[str, int]
    # The tier in force afterwards, per ladder.
    tiers: dict[str, str]


class IdentityTold(TypedDict):
    """One identity."""

    kind: str
    value: str


class KnownAs(TypedDict):
    """All that a member is called elsewhere, in the order in which it was learnt."""

    items: list[IdentityShown]


class MemberIdentified(TypedDict):
    """Somebody who is there, whether she was before or not."""

    # The activity's id.
    activity: str
    member_id: str
    occurred_at: str | datetime
    # Per asset, in its smallest units.
    earned: dict[str, int]
    # Rules that gave nothing although they might have.
    skipped: list[Skipped]
    # Available afterwards, per asset, in its smallest units.
    balances: dict[str, int]
    # The tier in force afterwards, per ladder.
    tiers: dict[str, str]
    identified: IdentifiedShown | None


class MemberResolved(TypedDict):
    """Who it is, as far as anybody is."""

    # null: nobody yet.
    member_id: str | None
    identified: IdentifiedShown
