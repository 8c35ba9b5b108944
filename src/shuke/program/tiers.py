"""Chapter 4: tiers. Ladders say who stands where, for how long, and what it takes to rise and to stay.

A standing is earned (``entry``, ``keep``); besides it a member may hold tiers that were bought, given, matched
or tried. In force is the best of them all.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from shuke.program.chapter import Chapter, Slug, Text, read_period
from shuke.program.conditions import Condition
from shuke.program.problems import Broken


class TermEnd(Chapter):
    """A term to the end of a calendar month, quarter or year, counted from the day it starts.

    ``{to_end_of: year, years_later: 1}``: reached on 2026-01-20, valid through 2027-12-31.
    """

    to_end_of: Literal["month", "quarter", "year"]
    years_later: int = Field(default=0, ge=0, le=10)


TierTerm = Literal["lifetime"] | TermEnd | str
"""``lifetime``; a period such as "12 months" (reached on 2025-09-01, valid through 2026-09-01); or ``TermEnd``."""


def _checked_term(value: TierTerm | None) -> TierTerm | None:
    if isinstance(value, str) and value != "lifetime" and read_period(value).count == 0:
        raise Broken("term")
    return value


def _checked_period(value: str | None) -> str | None:
    if value is not None:
        read_period(value)
    return value


class Tier(Chapter):
    """One rung.

    ``entry`` lets a member rise here (none: the base, or by grant only); ``keep`` lets her stay at a review and
    is ``entry`` unless said otherwise; ``term`` replaces the ladder's. A fact of one order (``order.amount``)
    can be met when that order is paid, never at a review: to keep a tier by one purchase, measure it.
    """

    id: Slug
    title: Text | None = None
    colour: str | None = Field(default=None, pattern=r"^#[0-9a-fA-F]{6}$")
    entry: Condition | None = None
    keep: Condition | None = None
    term: TierTerm | None = None

    _term = field_validator("term")(_checked_term)


class Ladder(Chapter):
    """Tiers in the order of their rank, lowest first. Everybody stands on the first, unless ``invitation_only``:
    then nobody does until a tier is granted.

    ``upgrade``         rise at once, at the next local midnight, or on the first of the next month;
    ``term``            how long a tier above the first is valid, its last day included;
    ``requalify``       meeting the entry criteria again with what counted since the term began starts a new term
                        (``redate``), or the term keeps its dates and its end decides (``fixed``);
    ``on_drop``         at a review that fails: down one level, to the highest level supported by then, to the
                        first, or never down;
    ``restart_when``    at a review that fails, this condition sends to the first level whatever ``on_drop`` says;
    ``grace_days``      the tier is kept so many days longer, and renewed if its criteria are met meanwhile;
    ``cooldown``        at most one drop within this period ("6 months"); a review before waits for its end;
    ``void_assets``     assets whose balance ends when a member drops;
    ``on_refund``       a refund that undoes what a term was given for takes the tier at once, or the review decides;
    ``reopen_reviews``  a fact that arrives late may undo a review that went against the member without it;
    ``notice_days``     so many days before a term ends, tell members who would not keep their tier.
    """

    id: Slug
    title: Text | None = None
    tiers: list[Tier] = Field(min_length=1, max_length=100)
    invitation_only: bool = False
    upgrade: Literal["at_once", "nightly", "monthly"] = "at_once"
    term: TierTerm = "lifetime"
    requalify: Literal["redate", "fixed"] = "redate"
    on_drop: Literal["one_level", "supported", "to_base", "never"] = "one_level"
    restart_when: Condition | None = None
    grace_days: int = Field(default=0, ge=0, le=366)
    cooldown: str | None = None
    void_assets: list[Slug] = Field(default_factory=list)
    on_refund: Literal["at_review", "at_once"] = "at_review"
    reopen_reviews: bool = False
    notice_days: list[int] = Field(default_factory=list)

    _term = field_validator("term")(_checked_term)
    _cooldown = field_validator("cooldown")(_checked_period)

    @model_validator(mode="after")
    def _whole(self) -> Ladder:
        ids = [tier.id for tier in self.tiers]
        if len(set(ids)) < len(ids):
            raise Broken("tier_ids")
        if not self.invitation_only and (self.tiers[0].entry is not None or self.tiers[0].keep is not None):
            raise Broken("first_tier")
        if any(not 1 <= days <= 366 for days in self.notice_days):
            raise Broken("notice_days")
        return self

    def rank(self, tier_id: str) -> int:
        """The place of a tier, 0 for the first. Raises ValueError if the ladder has no such tier."""
        return [tier.id for tier in self.tiers].index(tier_id)
