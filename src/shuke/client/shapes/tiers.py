"""Shapes of tiers (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from shuke.client.shapes.shared import Skipped, TierChangeShown, TierNamed, Which


class AppliedShown(TypedDict):
    """What became of the members of this page."""

    settled: int
    refused: int
    # Members who cannot be settled; `shuke verify` names them.
    failed: int
    moves: list[MovesShown]
    # Pass as `cursor` to go on; null: these were the last.
    next: str | None


class ApplyTold(TypedDict):
    """How far to apply."""

    # `next` of the page before.
    cursor: NotRequired[str | None]
    # Apply to no more members than these.
    members: NotRequired[int]


class GoalShown(TypedDict):
    """A tier to reach or to keep."""

    tier: TierNamed
    criteria: str
    # For rising: whether the criteria hold now. For keeping: whether what was done by now is enough on the last day
    # of the term, without anything more; what will have fallen out of its window is not counted.
    met: bool
    # The last day of the term, for keeping.
    by: str | None
    # Alternatives: each lists all that is missing that way.
    ways: list[list[MissingShown]]
    # All of it in the caller's language.
    sentence: str


class GrantShown(TypedDict):
    """A tier that was not earned but given, for some time."""

    tier: TierNamed
    since: str
    # null: never
    until: str | None
    # bought, gifted, matched or temporary
    source: str
    # To take it back by.
    ref: str


class LadderProgressShown(TypedDict):
    """Where a member is on one ladder, what raises her and what keeps her."""

    ladder: str
    title: str
    # In force now.
    tier: TierNamed | None
    # Its last day; null: without end.
    last_day: str | None
    # null: there is nothing higher to be earned.
    next: GoalShown | None
    # null: it does not end, or nobody drops.
    keep: GoalShown | None


class LadderShown(TypedDict):
    """A ladder of the program in force, its tiers in the order of their rank, lowest first."""

    ladder: str
    title: str
    # In sentences, in the caller's language.
    rules: list[str]
    tiers: list[TierShown]


class LadderStanding(TypedDict):
    """Where a member stands on one ladder. In force is the best of what she earned and what she was given."""

    ladder: str
    title: str
    # In force now.
    tier: TierNamed | None
    # Its last day; null: without end.
    last_day: str | None
    # earned, bought, gifted, matched or temporary
    source: str | None
    earned: TierNamed | None
    earned_since: str | datetime | None
    # null: never, or nothing was earned.
    earned_until: str | datetime | None | None
    grants: list[GrantShown]


class LaddersShown(TypedDict):
    """The ladders of the program in force."""

    items: list[LadderShown]


class MissingShown(TypedDict):
    """One thing that is missing for a tier."""

    criterion: str
    # What is counted.
    of: str
    # What counts on the day that decides: for rising today, for keeping `by`. Exact numbers are text.
    have: Any
    # What counts today, where some of it will have fallen out of its window by then; null: the same.
    today: str | None
    # What it takes.
    need: Any
    # The difference, where it is a number.
    missing: str | None
    # The last day on which exactly this much is enough; null: any day.
    by: str | None
    sentence: str


class MoverShown(TypedDict):
    """One member who would move."""

    member_id: str
    ladder: str
    before: str | None
    after: str | None
    # The criteria, and what was seen.
    why: dict[str, Any] | None
    # Applying the program in force would move her there too.
    anyway: bool


class MovesShown(TypedDict):
    """So many members go from one tier to another."""

    ladder: str
    # null: no tier on this ladder.
    before: str | None
    after: str | None
    members: int


class PreviewShown(TypedDict):
    """Who of the members looked at would move. Nobody did."""

    # As if the program came into force and were applied at this moment.
    at: str
    # Members there are, when the first page was looked at.
    of: int
    # Members this page looked at. The first pages are a fair sample of all.
    examined: int
    # Members of whom nothing could be read; `shuke verify` names them.
    unreadable: int
    moves: list[MovesShown]
    # Of the moves, those that applying the program in force would make too.
    anyway: int
    movers: list[MoverShown]
    # Measures the program asks for that are counted otherwise until now, or not so far back: of these less is seen
    # than there was.
    uncounted: list[str]
    # Pass as `cursor` to look at further members; null: these were all.
    next: str | None


class PreviewTold(TypedDict):
    """Which program to look at, and how far."""

    # The draft if left out.
    program: NotRequired[Which]
    # `next` of the page before.
    cursor: NotRequired[str | None]
    # Look at no more members than these.
    members: NotRequired[int]
    # Tell no more members by name than these.
    movers: NotRequired[int]


class ProgressShown(TypedDict):
    """What a member needs for more, as of now."""

    member_id: str
    at: str
    ladders: list[LadderProgressShown]


class RevokeTold(TypedDict):
    """A granted tier to take back."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # An id that the program document gives.
    ladder: str
    ref: str
    # When it was taken back; now if left out.
    occurred_at: NotRequired[str | datetime | None]


class StandingShown(TypedDict):
    """Where a member stands, as of now, and how she came there."""

    member_id: str
    at: str
    ladders: list[LadderStanding]
    # The latest 100 settled, the latest first.
    changes: list[TierChangeShown]


class TierGranted(TypedDict):
    """A tier as it was given."""

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
    ref: str


class TierRevoked(TypedDict):
    """How the member stands without it."""

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


class TierShown(TypedDict):
    """A rung of a ladder."""

    tier: str
    title: str
    colour: str | None
    # What raises a member here.
    entry: str | None
    # What keeps her here at a review.
    keep: str | None
    # In sentences, in the caller's language.
    rules: list[str]


class ShukeWebApiStandingsGrantTold(TypedDict):
    """A tier that is not earned but given."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # An id that the program document gives.
    ladder: str
    # An id that the program document gives.
    tier: str
    source: NotRequired[Literal["bought", "gifted", "matched", "temporary"]]
    # When it ends. Without `until`, `days`, `period`: never.
    until: NotRequired[str | datetime | None]
    # So many days, counted like terms.
    days: NotRequired[int | None]
    period: NotRequired[str | None]
    # What to take it back by; the Idempotency-Key if left out.
    ref: NotRequired[str | None]
    # When it was given; now if left out.
    occurred_at: NotRequired[str | datetime | None]
