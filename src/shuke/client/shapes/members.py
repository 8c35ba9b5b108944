"""Shapes of members (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from shuke.client.shapes.shared import (
    ActivityShown,
    BalanceShown,
    CouponShown,
    EntryShown,
    HoldShown,
    IdentityShown,
    MemberShown,
    OrderShown,
    Skipped,
    TierChangeShown,
    WaitingShown,
)


class AbsorbedShown(TypedDict):
    """Somebody who was merged into the member."""

    member_id: str
    at: str
    # Came with this one, into whom she had been merged before.
    through: str | None


class ChoiceShown(TypedDict):
    """One answer among several."""

    choice: str
    # In the caller's language.
    title: str


class ConsentRecorded(TypedDict):
    """What she said, as it is kept."""

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


class ConsentSaid(TypedDict):
    """Something she once said. Nothing of this is ever changed."""

    activity: str
    granted: bool
    at: str | datetime
    # null: all there were.
    purpose: str | None
    # null: all there were.
    channels: list[str] | None
    version: str | None
    text_hash: str | None
    language: str | None
    via: str | None
    by: str | None
    source: str


class ConsentShown(TypedDict):
    """One purpose on one channel, and what she last said of it."""

    purpose: str
    channel: str
    # unasked: she never said anything.
    state: Literal["granted", "withdrawn", "unasked"]
    # When she said so; null: never.
    at: str | None
    # Of the text she agreed to.
    version: str | None
    # SHA-256 of that text, in hex.
    text_hash: str | None
    # In which she read it.
    language: str | None
    # Whether that is the text the program has now, in one of its languages.
    current: bool
    # Where she said so.
    via: str | None
    # Who told us.
    source: str | None


class ConsentTold(TypedDict):
    """What she said."""

    # true: she agrees; false: she does not, or no longer.
    granted: bool
    # Left out, where she withdraws all there is.
    purpose: NotRequired[str | None]
    # Each is agreed to by itself. Left out, where she withdraws all of them.
    channels: NotRequired[list[str] | None]
    # Of the text she read; the program's if left out.
    version: NotRequired[str | None]
    # In which she read it; the program's first if left out.
    language: NotRequired[str | None]
    # SHA-256 of the text she read, in hex; of the program's if left out.
    text_hash: NotRequired[str | None]
    # Where she said so.
    via: NotRequired[str | None]
    # When she said so; now if left out.
    said_at: NotRequired[str | datetime | None]
    # Who says so: the shop, or she herself (a form of hers that you pass on). Some traits only one of them may
    # change, or she only so often.
    by: NotRequired[Literal["merchant", "member"]]


class ConsentsShown(TypedDict):
    """All that the program asks consent for, and what she said."""

    member_id: str
    # What can be asked for, in the order of the program.
    purposes: list[PurposeShown]
    # By purpose and channel; also those that the program does not ask for any more.
    consents: list[ConsentShown]


class Difference(TypedDict):
    """A trait that both have, each with her own value."""

    trait: str
    survivor: Any
    merged: Any
    stays: Any


class EraseTold(TypedDict):
    """How to erase a member."""

    # What becomes of money she paid in and has not spent: paid out to her, or waived by her. Without a word she is
    # not erased while any is left.
    stored_value: NotRequired[Literal["paid_out", "waived"] | None]


class FreezeTold(TypedDict):
    """Why a member is frozen."""

    reason: str


class MemberChange(TypedDict):
    """What to change; what is not named stays."""

    # By kind; another value replaces what she was called before under that kind, null gives it up. To add one beside
    # others: `POST /v1/members/{member_id}/identities`.
    identities: NotRequired[dict[str, Any]]
    # Kinds among `identities` that she has shown to be hers: you sent a code to this phone and she told it. Without
    # that they are only what somebody said.
    verified: NotRequired[list[str]]
    # By name; null forgets one.
    traits: NotRequired[dict[str, Any]]
    # To add.
    tags: NotRequired[list[str]]
    # To take away.
    untags: NotRequired[list[str]]
    # Who says so: the shop, or she herself (a form of hers that you pass on). Some traits only one of them may
    # change, or she only so often.
    by: NotRequired[Literal["merchant", "member"]]


class MemberChanged(TypedDict):
    """A change as it was settled."""

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


class MemberErased(TypedDict):
    """What became of all she had. Amounts per asset, in its smallest units."""

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
    # Points, bonus and all that was given.
    forfeited: dict[str, int]
    # Stored value to pay out to her.
    paid_out: dict[str, int]
    # Stored value she gave up.
    waived: dict[str, int]


class MemberExport(TypedDict):
    """All that is known about one person."""

    # As of when.
    at: str | datetime
    member: MemberShown
    known_as: list[IdentityShown]
    tags: list[TagShown]
    consents: list[ConsentSaid]
    balances: list[BalanceShown]
    holds: list[HoldShown]
    coupons: list[CouponShown]
    tier_changes: list[TierChangeShown]
    orders: list[OrderShown]
    activities: list[ActivityShown]
    waiting: list[WaitingShown]
    segments: list[MembershipShown]
    entries: list[EntryShown]


class MemberJoined(TypedDict):
    """Somebody who joined, and what it brought her."""

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


class MemberMerged(TypedDict):
    """A merge as it was settled. ``member_id`` is who went."""

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
    # Who she is from now on.
    into: str
    # What went over, per asset, in its smallest units.
    moved: dict[str, int]
    # How many coupons went over.
    coupons: int


class MemberTold(TypedDict):
    """Somebody who joins."""

    # Your own id for her; without it we make one. Not her phone or name: ids stay for ever.
    member_id: NotRequired[str | None]
    # When she joined; now if left out.
    joined_at: NotRequired[str | datetime | None]
    # What she, and nobody else, is called elsewhere, by kind: `phone` (of the region of the program's zone if it has
    # no country code), `email`, `card`, and platforms as you name them: `wechat_unionid`, `wechat_openid:<app>`,
    # `line`, `shopify` …
    identities: NotRequired[dict[str, Any]]
    # Kinds among `identities` that she has shown to be hers: you sent a code to this phone and she told it. Without
    # that they are only what somebody said.
    verified: NotRequired[list[str]]
    # What rules and people may ask of her, by name: `birthday` (`1990-02-28`), `language`, your own. Numbers with a
    # fraction are kept as text, so that they stay exact.
    traits: NotRequired[dict[str, Any]]
    tags: NotRequired[list[str]]
    # Who says so: the shop, or she herself (a form of hers that you pass on). Some traits only one of them may
    # change, or she only so often.
    by: NotRequired[Literal["merchant", "member"]]


class MemberUnmerged(TypedDict):
    """The undoing of a merge as it was settled, with ``member_id`` who had stayed."""

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
    # Who is herself again.
    restored: str
    # What went back to her, per asset, in its smallest units.
    returned: dict[str, int]
    # What she owes again, per asset.
    debts: dict[str, int]
    # How many coupons went back.
    coupons: int
    # Orders of hers that something had become of since, and that went back.
    orders: list[str]


class MembershipShown(TypedDict):
    """A segment that somebody is in."""

    segment_id: str
    since: str


class MergePlan(TypedDict):
    """Into whom, and whose word counts where both have one. Value, coupons, identities, tags, limits used and all that
    is counted always go over.
    """

    # Who stays.
    into: str
    # Whose value stays where both have a trait.
    traits: NotRequired[Literal["survivor", "merged"]]
    # The same, trait by trait.
    fields: NotRequired[dict[str, Any]]
    # Which standing stays on each ladder: the higher one with its term, or always that of who stays.
    tiers: NotRequired[Literal["highest", "survivor"]]


class MergePreview(TypedDict):
    """What a merge would do. Nothing is done."""

    # The code it would be refused with; null: it would not.
    refused: str | None
    # Why, in the caller's language.
    detail: str | None
    # What would go over, per asset, in its smallest units.
    moved: dict[str, int]
    coupons: int
    differences: list[Difference]
    # Who stays, as she would be; where it would be refused, as she is.
    whole: MemberShown


class MergeShown(TypedDict):
    """A merge or its undoing, as it stands in the member's log."""

    activity: str
    at: str
    what: Literal["merged", "unmerged"]
    # Who went, or came back.
    merged: str
    # Who stayed.
    into: str
    # In the log of whom it was told for; null in the other's.
    reason: str | None


class MergeTold(TypedDict):
    """A merge, and why. Nothing merges by itself: somebody has seen that these are one person."""

    # Who stays.
    into: str
    # Whose value stays where both have a trait.
    traits: NotRequired[Literal["survivor", "merged"]]
    # The same, trait by trait.
    fields: NotRequired[dict[str, Any]]
    # Which standing stays on each ladder: the higher one with its term, or always that of who stays.
    tiers: NotRequired[Literal["highest", "survivor"]]
    reason: str


class MergesShown(TypedDict):
    """Who the member is one with, and what was merged and undone."""

    member_id: str
    # Into whom she was merged; null: she is herself.
    merged_into: str | None
    # Who is merged into her now.
    absorbed: list[AbsorbedShown]
    # The latest first, a hundred at most.
    journal: list[MergeShown]


class PageConsentSaid(TypedDict):
    """As told."""

    items: list[ConsentSaid]
    next: NotRequired[str | None]


class ProfileShown(TypedDict):
    """What the program asks of a member, and what is still missing."""

    member_id: str
    # active, dormant, frozen, left or erased
    status: str
    # null: she was never anything but active.
    status_since: str | None
    # What was said when she was frozen, or left.
    status_reason: str | None
    # Whether all is there that is required; false where nothing is.
    complete: bool
    # When it was complete for the first time; null: never yet.
    completed_at: str | None
    # What a complete profile lacks: `traits.` or `identities.` and a name.
    missing: list[str]
    # In the order of the program. Others she has are told with her.
    traits: list[TraitShown]


class PurposeShown(TypedDict):
    """What is asked for, as she is to read it."""

    purpose: str
    # In the caller's language.
    title: str
    # What she agrees to, in the caller's language, or in one the program has.
    text: str | None
    version: str | None
    # Of this text; send it along when she agrees to it.
    text_hash: str | None
    channels: list[str]


class StatusChanged(TypedDict):
    """A change of a member's status as it was settled."""

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


class TagShown(TypedDict):
    """A tag, and where it comes from."""

    tag: str
    # manual, rule, statistic, ranking or model.
    kind: str
    # Who or which rule put it on; null: from before that was kept.
    by: str | None
    # null: from before that was kept.
    since: str | None
    # When it comes off by itself; null: never.
    until: str | None


class TagsChanged(TypedDict):
    """Tags as they were put on or taken off."""

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


class TagsRemoved(TypedDict):
    """Tags to take off."""

    tags: list[str]
    # Take off only those of this kind.
    kind: NotRequired[Literal["manual", "rule", "statistic", "ranking", "model"] | None]


class TagsShown(TypedDict):
    """A member's tags as of now."""

    member_id: str
    # In the order in which they were put on.
    tags: list[TagShown]


class TagsTold(TypedDict):
    """Tags to put on."""

    tags: list[str]
    # manual: somebody put it on. What a rule, statistic, ranking or model tells never changes that.
    kind: NotRequired[Literal["manual", "rule", "statistic", "ranking", "model"]]
    # Who, or which rule; the source of your key if left out.
    by: NotRequired[str | None]
    # When it comes off by itself; never if left out.
    until: NotRequired[str | datetime | None]


class TraitShown(TypedDict):
    """A trait that the program declares, and what is known of it."""

    trait: str
    # In the caller's language.
    title: str
    # text, number, date, boolean, choice, list, money, language or zone.
    type: str
    # null: not known. Dates are texts, money is in minor units, numbers with a fraction are texts.
    value: Any
    # Whether a complete profile needs it.
    required: bool
    # Who may change it.
    changed_by: list[Literal["merchant", "member"]]
    # From when on she herself may change it again; null: she may now, as far as she may at all.
    changeable_at: str | None
    # What it may be, where that is a list.
    choices: list[ChoiceShown]


class UnmergeTold(TypedDict):
    """Why a merge is undone."""

    reason: str


class WhyTold(TypedDict):
    """Why, if there is something to say."""

    reason: NotRequired[str | None]
