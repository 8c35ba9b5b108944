"""Where a member stands on each ladder, what raises and keeps her; tiers given and taken back; the ladders."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from shuke.books import statements
from shuke.books.statements import TierChange
from shuke.engine import activity as of
from shuke.engine.balances import present
from shuke.engine.compiled import Editions
from shuke.engine.goal_words import ladder_name, missing_words, tier_name, to_keep, to_rise
from shuke.engine.ladder_words import ladder_in_words, tier_in_words
from shuke.engine.member import Grant, Standing
from shuke.engine.progress import Goal, LadderProgress, Missing, progress
from shuke.engine.sentences import Writer, writer
from shuke.engine.standing import live_grants
from shuke.program.conditions import show
from shuke.runtime.clock import now
from shuke.values.instants import Day
from shuke.web.api import contract
from shuke.web.api.answers import Settlement, settlement
from shuke.web.api.balances import known_id, known_member
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import MemberId, Moment, Shown, ShownEnd, ShownMoment, Slug, Told
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Tiers")

CHANGES_MOST = 100
"""Changes of tier that a standing tells."""


class TierNamed(Shown):
    """A tier, and what people call it in the caller's language."""

    tier: str = Field(examples=["gold"])
    title: str = Field(examples=["Gold"])


class MissingShown(Shown):
    """One thing that is missing for a tier."""

    criterion: str = Field(examples=["spend(12 months) >= 5000"])
    of: str = Field(description="What is counted.", examples=["spend(12 months)"])
    have: Any = Field(
        description="What counts on the day that decides: for rising today, for keeping `by`. Exact numbers are text.",
        examples=["1000"],
    )
    today: str | None = Field(
        description="What counts today, where some of it will have fallen out of its window by then; null: the same.",
        examples=["1800"],
    )
    need: Any = Field(description="What it takes.", examples=["5000"])
    missing: str | None = Field(description="The difference, where it is a number.", examples=["4000"])
    by: date | None = Field(description="The last day on which exactly this much is enough; null: any day.")
    sentence: str = Field(examples=["spend(12 months): 4,000 more by 2027-04-20"])


class GoalShown(Shown):
    """A tier to reach or to keep."""

    tier: TierNamed
    criteria: str = Field(examples=["spend(12 months) >= 5000"])
    met: bool = Field(
        description="For rising: whether the criteria hold now. For keeping: whether what was done by now is enough on "
        "the last day of the term, without anything more; what will have fallen out of its window is not counted."
    )
    by: date | None = Field(description="The last day of the term, for keeping.")
    ways: list[list[MissingShown]] = Field(description="Alternatives: each lists all that is missing that way.")
    sentence: str = Field(
        description="All of it in the caller's language.",
        examples=["To reach Gold: spend(12 months): 4,000 more by 2027-04-20"],
    )


class LadderProgressShown(Shown):
    """Where a member is on one ladder, what raises her and what keeps her."""

    ladder: str = Field(examples=["club"])
    title: str = Field(examples=["Club"])
    tier: TierNamed | None = Field(description="In force now.")
    last_day: date | None = Field(description="Its last day; null: without end.")
    next: GoalShown | None = Field(description="null: there is nothing higher to be earned.")
    keep: GoalShown | None = Field(description="null: it does not end, or nobody drops.")


class ProgressShown(Shown):
    """What a member needs for more, as of now."""

    member_id: str
    at: ShownMoment
    ladders: list[LadderProgressShown]


class GrantShown(Shown):
    """A tier that was not earned but given, for some time."""

    tier: TierNamed
    since: ShownMoment
    until: ShownEnd
    source: str = Field(description="bought, gifted, matched or temporary")
    ref: str = Field(description="To take it back by.")


class LadderStanding(Shown):
    """Where a member stands on one ladder. In force is the best of what she earned and what she was given."""

    ladder: str
    title: str
    tier: TierNamed | None = Field(description="In force now.")
    last_day: date | None = Field(description="Its last day; null: without end.")
    source: str | None = Field(description="earned, bought, gifted, matched or temporary")
    earned: TierNamed | None
    earned_since: ShownMoment | None
    earned_until: ShownEnd | None = Field(description="null: never, or nothing was earned.")
    grants: list[GrantShown]


class TierChangeShown(Shown):
    """A change of the tier in force."""

    ladder: str
    before: TierNamed | None
    after: TierNamed | None
    at: ShownMoment
    until: ShownEnd
    reason: str = Field(examples=["reached"])
    activity: str = Field(examples=["act_1042"])


class StandingShown(Shown):
    """Where a member stands, as of now, and how she came there."""

    member_id: str
    at: ShownMoment
    ladders: list[LadderStanding]
    changes: list[TierChangeShown] = Field(description=f"The latest {CHANGES_MOST} settled, the latest first.")


class GrantTold(Told):
    """A tier that is not earned but given."""

    member_id: MemberId
    ladder: Slug = Field(examples=["club"])
    tier: Slug = Field(examples=["gold"])
    source: Literal["bought", "gifted", "matched", "temporary"] = "gifted"
    until: Moment | None = Field(default=None, description="When it ends. Without `until`, `days`, `period`: never.")
    days: int | None = Field(default=None, ge=1, le=36_600, description="So many days, counted like terms.")
    period: str | None = Field(
        default=None, max_length=20, pattern=r"^[0-9]{1,4} (days|weeks|months|years)$", examples=["12 months"]
    )
    ref: contract.Id | None = Field(
        default=None, description="What to take it back by; the Idempotency-Key if left out.", examples=["invoice-881"]
    )
    occurred_at: Moment | None = Field(default=None, description="When it was given; now if left out.")

    @model_validator(mode="after")
    def _lasts_one_way(self) -> GrantTold:
        if sum(said is not None for said in (self.until, self.days, self.period)) > 1:
            raise ValueError("say in one way how long it lasts: until, days or period")
        return self


class TierGranted(Settlement):
    """A tier as it was given."""

    ref: str


class RevokeTold(Told):
    """A granted tier to take back."""

    member_id: MemberId
    ladder: Slug
    ref: contract.Id
    occurred_at: Moment | None = Field(default=None, description="When it was taken back; now if left out.")


class TierRevoked(Settlement):
    """How the member stands without it."""


class TierShown(Shown):
    """A rung of a ladder."""

    tier: str
    title: str
    colour: str | None
    entry: str | None = Field(description="What raises a member here.", examples=["spend(12 months) >= 5000"])
    keep: str | None = Field(description="What keeps her here at a review.")
    rules: list[str] = Field(description="In sentences, in the caller's language.")


class LadderShown(Shown):
    """A ladder of the program in force, its tiers in the order of their rank, lowest first."""

    ladder: str
    title: str
    rules: list[str] = Field(description="In sentences, in the caller's language.")
    tiers: list[TierShown]


class LaddersShown(Shown):
    """The ladders of the program in force."""

    items: list[LadderShown]


# -- Progress ---------------------------------------------------------------------------------------------


@router.get("/members/{member_id}/progress", responses=documented("member_unknown", "no_program"))
async def get_progress(member_id: MemberId, call: Annotated[Call, reading("tiers:read")]) -> ProgressShown:
    """What a member needs to rise and to keep her tiers, and by when. Asking changes nothing.

    A tier that was reached is hers until its `last_day`; `keep` says what it takes to have it longer. A rolling window
    is counted as it will be on that day, so who has just reached a tier with what she did this year is told what to do
    in the next one. Each `sentence` may be shown as it is.
    """
    member, at = await known_member(call, member_id), now()
    editions = await call.shop.editions()
    words = writer(editions.at(at).document, call.locale)
    return ProgressShown(
        member_id=member_id,
        at=at,
        ladders=[_progress(found, words) for found in progress(editions, member, at)],
    )


def _progress(found: LadderProgress, words: Writer) -> LadderProgressShown:
    ladder = found.ladder
    rise = None if found.next is None else to_rise(found.next, ladder, words)
    keep = None if found.keep is None else to_keep(found.keep, ladder, words)
    return LadderProgressShown(
        ladder=ladder,
        title=ladder_name(words, ladder),
        tier=_named(found.tier, ladder, words),
        last_day=_date(found.last_day),
        next=_goal(found.next, ladder, words, rise),
        keep=_goal(found.keep, ladder, words, keep),
    )


def _goal(goal: Goal | None, ladder: str, words: Writer, sentence: str | None) -> GoalShown | None:
    if goal is None or sentence is None:
        return None
    return GoalShown(
        tier=TierNamed(tier=goal.tier, title=tier_name(words, ladder, goal.tier)),
        criteria=goal.criteria,
        met=goal.met,
        by=_date(goal.by),
        ways=[[_missing(missing, words) for missing in way] for way in goal.ways],
        sentence=sentence,
    )


def _missing(missing: Missing, words: Writer) -> MissingShown:
    return MissingShown(
        criterion=missing.text,
        of=missing.of,
        have=_plain(missing.have),
        today=None if missing.today is None else _plain(missing.today),
        need=_plain(missing.need),
        missing=None if missing.missing is None else f"{missing.missing:f}",
        by=_date(missing.by),
        sentence=missing_words(missing, words),
    )


def _plain(value: Any) -> Any:
    """A number as exact text, whatever else as it is."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return f"{value:f}" if isinstance(value, Decimal) else value


def _named(tier: str | None, ladder: str, words: Writer) -> TierNamed | None:
    return None if tier is None else TierNamed(tier=tier, title=tier_name(words, ladder, tier))


def _date(day: Day | None) -> date | None:
    return None if day is None else date.fromordinal(day)


# -- Standing ---------------------------------------------------------------------------------------------


@router.get("/members/{member_id}/standing", responses=documented("member_unknown", "no_program"))
async def get_standing(member_id: MemberId, call: Annotated[Call, reading("tiers:read")]) -> StandingShown:
    """Where a member stands on each ladder: the tier in force, what she earned, what she was given, what changed."""
    member, at = await known_member(call, member_id), now()
    async with call.shop.reading() as connection:
        changes = await statements.tier_changes(connection, member_id, most=CHANGES_MOST)
    editions = await call.shop.editions()
    turn = present(editions, member, at)
    words = writer(editions.at(at).document, call.locale)
    return StandingShown(
        member_id=member_id,
        at=at,
        ladders=[
            _standing(found, turn.member.standings.get(found.ladder), live_grants(turn.member, found.ladder, at), words)
            for found in progress(editions, turn.member, at)
        ],
        changes=[change_shown(change, words) for change in changes],
    )


def _standing(found: LadderProgress, earned: Standing | None, grants: list[Grant], words: Writer) -> LadderStanding:
    ladder = found.ladder
    return LadderStanding(
        ladder=ladder,
        title=ladder_name(words, ladder),
        tier=_named(found.tier, ladder, words),
        last_day=_date(found.last_day),
        source=None if found.tier is None else found.source,
        earned=_named(found.standing, ladder, words),
        earned_since=None if earned is None else earned.since,
        earned_until=None if earned is None else earned.until,
        grants=[
            GrantShown(
                tier=TierNamed(tier=grant.tier, title=tier_name(words, ladder, grant.tier)),
                since=grant.since,
                until=grant.until,
                source=grant.source,
                ref=grant.ref,
            )
            for grant in grants
        ],
    )


def change_shown(change: TierChange, words: Writer) -> TierChangeShown:
    return TierChangeShown(
        ladder=change.ladder,
        before=_named(change.before, change.ladder, words),
        after=_named(change.after, change.ladder, words),
        at=change.at,
        until=change.until,
        reason=change.reason,
        activity=f"act_{change.activity_id}",
    )


# -- Given and taken back ---------------------------------------------------------------------------------


@router.post(
    "/tiers/grant",
    responses=documented(
        "member_unknown",
        refusals=["ladder_unknown", "tier_unknown", "until_invalid", "grant_exists", "member_erased"],
        writing=True,
    ),
)
async def grant_tier(grant: GrantTold, call: Annotated[Call, writing("tiers:write")]) -> TierGranted:
    """Give a member a tier she has not earned: bought, gifted, matched or on trial, for some time or for ever.

    In force is the best of what she earned and what she was given; when it ends, what she earned is still hers.
    """
    member_id = await call.whose(known_id(call, grant.member_id))
    payload = grant.model_dump(exclude_none=True, exclude={"member_id", "occurred_at"})
    payload.setdefault("ref", call.key)
    answer = await call.settle(of.TIER_GRANTED, member_id, payload=payload, occurred_at=grant.occurred_at)
    return await settlement(call, answer, TierGranted, ref=payload["ref"])


@router.post(
    "/tiers/revoke",
    responses=documented("member_unknown", refusals=["ladder_unknown", "grant_unknown", "member_erased"], writing=True),
)
async def revoke_tier(which: RevokeTold, call: Annotated[Call, writing("tiers:write")]) -> TierRevoked:
    """Take a granted tier back. What the member earned stays."""
    member_id = await call.whose(known_id(call, which.member_id))
    payload = {"ladder": which.ladder, "ref": which.ref}
    answer = await call.settle(of.TIER_REVOKED, member_id, payload=payload, occurred_at=which.occurred_at)
    return await settlement(call, answer, TierRevoked)


# -- Ladders ----------------------------------------------------------------------------------------------


@router.get("/tiers", responses=documented("no_program"))
async def list_ladders(call: Annotated[Call, reading("tiers:read")]) -> LaddersShown:
    """The ladders of the program in force, with their rules in the caller's language."""
    return LaddersShown(items=_ladders(await call.shop.editions(), call))


def _ladders(editions: Editions, call: Call) -> list[LadderShown]:
    compiled = editions.at(now())
    program, words = compiled.document, writer(compiled.document, call.locale)
    shown = []
    for ladder in program.ladders:
        tiers = [
            TierShown(
                tier=tier.id,
                title=tier_name(words, ladder.id, tier.id),
                colour=tier.colour,
                entry=None if tier.entry is None else show(tier.entry),
                keep=None if keep is None else show(keep),
                rules=tier_in_words(tier, ladder, program, call.locale),
            )
            for tier, keep in zip(ladder.tiers, compiled.ladders[ladder.id].keeps, strict=True)
        ]
        rules_told = ladder_in_words(ladder, program, call.locale)
        shown.append(LadderShown(ladder=ladder.id, title=ladder_name(words, ladder.id), rules=rules_told, tiers=tiers))
    return shown
