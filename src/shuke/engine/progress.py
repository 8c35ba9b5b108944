"""What a member needs to rise and to keep her tier, and by when; who would move under another program.

Reading changes nobody: both work on a copy of the member, brought up to the instant of the question.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

from msgspec import Struct

from shuke.engine import activity as kinds
from shuke.engine import tiers
from shuke.engine.activity import Activity
from shuke.engine.compiled import Compiled, Editions, asked_measures
from shuke.engine.explanations import Explanation
from shuke.engine.ladders import LadderRules
from shuke.engine.measures import day_total
from shuke.engine.member import Member, Standing, pack, unpack
from shuke.engine.standing import AsOf, begin, in_force, live_grants
from shuke.engine.step import catch_up
from shuke.engine.turn import Context, Turn
from shuke.program.conditions import All, Between, Compare, In, Measured, Window, show_term
from shuke.program.conditions import Any as AnyOf
from shuke.program.document import Program
from shuke.values.instants import NEVER, Day, Instant
from shuke.values.periods import Period, Unit, add, end_of, next_anniversary, subtract

MOST_WAYS = 16
"""Alternatives told for one goal; criteria with more of them are beyond what a person reads."""


class Missing(Struct, frozen=True):
    """One comparison that fails: ``text`` is all of it, ``of`` its left side. Numbers are in whole units.

    ``by`` is the last day on which exactly this much is enough (None: any day, or it cannot be said). ``have`` is
    what counts on the day that decides, which for keeping is ``by``; ``today`` is what counts today where that is
    more, because some of it falls out of its window before then (None: it is the same).
    """

    text: str  # spend(12 months) >= 5000
    of: str  # spend(12 months)
    have: Any = None
    need: Any = None
    missing: Decimal | None = None
    by: Day | None = None
    today: Any = None

    @property
    def sentence(self) -> str:
        """In words: "4,000 more by 2027-04-20"; the comparison itself where no number is missing."""
        if self.missing is None:
            return self.text
        return f"{self.missing:,f} more" + ("" if self.by is None else f" by {date.fromordinal(self.by)}")


class Goal(Struct, frozen=True):
    """A tier to reach or to keep. ``ways`` are alternatives: each lists all that is missing that way, and
    nothing at all if the criteria hold. ``by`` is the last day of the term, for keeping: ``met`` then says whether
    what was done by now is enough on that day, without anything more."""

    tier: str
    criteria: str
    met: bool
    ways: list[list[Missing]]
    by: Day | None = None


class LadderProgress(Struct, frozen=True):
    """Where a member is on one ladder. ``tier`` is in force, through ``last_day`` (None: without end), by
    ``source``: earned, bought, gifted, matched or temporary. What she has earned is ``standing``."""

    ladder: str
    tier: str | None
    last_day: Day | None
    source: str
    standing: str | None
    next: Goal | None
    keep: Goal | None


class Move(Struct, frozen=True):
    """A member whose tier in force would change if ``tiers.applied`` came now. ``anyway``: under the program
    in force it would change to the same tier."""

    ladder: str
    before: str | None
    after: str | None
    why: dict[str, Any] | None
    anyway: bool


def progress(program: Editions, member: Member, at: Instant) -> list[LadderProgress]:
    """Per ladder of the program in force at ``at``: where the member is, what raises her, what keeps her."""
    turn = _present(program, member, at)
    return [_of_ladder(turn, rules) for rules in turn.program.ladders.values()]


def preview(old: Editions, new: Editions, member: Member, at: Instant) -> list[Move]:
    """Where the member would move if ``new`` were in force and applied at ``at``. Nobody moves by this."""
    present = _present(old, member, at).member
    anyway = _applied(old, present, at)[0]
    after, changes = _applied(new, present, at)
    ladders = sorted({*present.tiers, *after})
    return [
        Move(
            ladder,
            present.tiers.get(ladder),
            after.get(ladder),
            changes.get(ladder),
            anyway.get(ladder) == after.get(ladder),
        )
        for ladder in ladders
        if present.tiers.get(ladder) != after.get(ladder)
    ]


def uncounted(present: Compiled, draft: Program) -> list[str]:
    """Measures that the draft's ladders ask for and that members do not hold as far back, or hold counted otherwise:
    of these a preview, and ``tiers.applied``, sees less than the history would give."""
    kept, before, after = asked_measures(present.document), present.document.all_measures(), draft.all_measures()
    return [
        measure
        for measure, days in sorted(asked_measures(draft.ladders).items())
        if kept.get(measure, -1) < days or before.get(measure) != after.get(measure)
    ]


def _applied(program: Editions, member: Member, at: Instant) -> tuple[dict[str, str], dict[str, dict[str, Any] | None]]:
    """Tiers in force after ``tiers.applied``, and per ladder why."""
    turn = _asked(program, member, at)
    tiers.apply(turn)
    return turn.member.tiers, {change.ladder: change.why for change in turn.effects.tiers}


def _asked(program: Editions, member: Member, at: Instant) -> Turn:
    copy = unpack(pack(member))
    return Turn(program, copy, Activity(kinds.TIME_PASSED, copy.id, at, "shuke", ""), Context())


def _present(program: Editions, member: Member, at: Instant) -> Turn:
    """A copy of the member with everything done that was due by ``at``."""
    turn = _asked(program, member, at)
    if turn.member.due_at <= at:
        catch_up(turn, at)
        turn.enter(at)
    return turn


# -- One ladder -------------------------------------------------------------------------------------------


def _of_ladder(turn: Turn, rules: LadderRules) -> LadderProgress:
    member = turn.member
    standing = member.standings.get(rules.id) or begin(turn, rules)
    tier, until = in_force(member, rules, turn.now)
    granted = [grant for grant in live_grants(member, rules.id, turn.now) if grant.tier == tier]
    earned = standing is not None and standing.tier == tier
    return LadderProgress(
        ladder=rules.id,
        tier=tier,
        last_day=None if tier is None else _last_day(rules, until),
        source="earned" if earned or not granted else granted[0].source,
        standing=None if standing is None else standing.tier,
        next=_next(turn, rules, rules.rank_of(standing)),
        keep=None if standing is None else _keep(turn, rules, standing),
    )


def _last_day(rules: LadderRules, until: Instant) -> Day | None:
    return None if until == NEVER else rules.calendar.day(until - 1)


def _next(turn: Turn, rules: LadderRules, rank: int) -> Goal | None:
    """The next tier above that can be earned."""
    if rules.base > rank and not live_grants(turn.member, rules.id, turn.now):
        return None  # by invitation, and she has none
    for higher in range(rank + 1, rules.top + 1):
        entry = rules.entries[higher]
        if entry is not None:
            explanation = rules.explanation(turn, entry)
            ways = list(_ways(explanation, turn, rules, _Day()))
            return Goal(rules.tiers[higher], explanation.text, explanation.holds, ways)
    return None


def _keep(turn: Turn, rules: LadderRules, standing: Standing) -> Goal | None:
    """What the review of the present term asks: as it will read on the term's last day."""
    rank = rules.rank_of(standing)
    end = standing.grace_until or standing.until
    if end == NEVER or rank > rules.top or rules.ladder.on_drop == "never":
        return None
    keep, last = rules.keeps[rank], rules.calendar.day(end - 1)
    if keep is None:
        return None
    today = dict(_counted(rules.explanation(turn, keep)))
    with AsOf(turn, last):
        explanation = rules.explanation(turn, keep)
        ways = list(_ways(explanation, turn, rules, _Day(last, today)))
    return Goal(standing.tier, explanation.text, explanation.holds, ways, last)


# -- What is missing --------------------------------------------------------------------------------------


class _Day(Struct, frozen=True):
    """The day for which criteria are asked: ``last``, and what counts ``today`` per comparison; None: today."""

    last: Day | None = None
    today: dict[str, Any] = {}


def _counted(explanation: Explanation) -> Iterator[tuple[str, Any]]:
    """What is counted in windows, by the text of each comparison."""
    node = explanation.node
    if isinstance(node, Compare | Between) and isinstance(node.term, Measured):
        yield explanation.text, explanation.seen
    for child in explanation.children:
        yield from _counted(child)


def _ways(explanation: Explanation, turn: Turn, rules: LadderRules, asked: _Day) -> Iterator[list[Missing]]:
    """Every alternative that would make the criteria hold on the day asked for."""
    if explanation.holds:
        yield []
    elif isinstance(explanation.node, AnyOf):
        for child in explanation.children:
            yield from _ways(child, turn, rules, asked)
    elif isinstance(explanation.node, All):
        each = [list(_ways(child, turn, rules, asked)) for child in explanation.children]
        for position, parts in enumerate(product(*each)):
            if position == MOST_WAYS:
                return
            yield [missing for part in parts for missing in part]
    else:
        day = asked.last if asked.last is not None else _enough_until(explanation, turn, rules)
        node = explanation.node
        of = show_term(node.term) if isinstance(node, Compare | Between | In) else explanation.text
        seen, wanted, missing = explanation.seen, explanation.wanted, explanation.missing
        today = asked.today.get(explanation.text)
        falls_out = today is not None and seen is not None and today > seen
        yield [Missing(explanation.text, of, seen, wanted, missing, day, today if falls_out else None)]


def _enough_until(explanation: Explanation, turn: Turn, rules: LadderRules) -> Day | None:
    """The last day on which what is counted now still counts, so that what is missing does not grow."""
    node = explanation.node
    if not isinstance(node, Compare | Between) or not isinstance(node.term, Measured):
        return None
    window, day = node.term.window, turn.day
    if window.kind == "rolling":
        return _oldest_leaves(turn, node.term.measure, window)
    if window.kind == "calendar":
        return end_of(day, window.unit)  # type: ignore[arg-type]  # the window allows month, quarter, year
    if window.kind == "membership_year":
        return next_anniversary(day, rules.calendar.day(turn.member.joined_at)) - 1
    if window.kind == "term":
        standing = turn.member.standings.get(window.ladder or rules.id)
        return None if standing is None else _last_day(rules, standing.until)
    return None


def _oldest_leaves(turn: Turn, measure: str, window: Window) -> Day | None:
    """The day before the oldest counted day falls out of a rolling window; None if nothing is in it."""
    period = Period(window.count, Unit(window.unit))
    series = turn.member.series.get(measure)
    if series is None:
        return None
    start, counts_days = subtract(turn.day, period) + 1, turn.program.names.counts_days(measure)
    inside = (day for day in series.days if start <= day <= turn.day)
    oldest = next((day for day in inside if counts_days or day_total(series, day)), None)
    if oldest is None:
        return None
    last = max(add(oldest, period) - 1, turn.day)
    while subtract(last + 1, period) < oldest:  # the end of a short month
        last += 1
    return last
