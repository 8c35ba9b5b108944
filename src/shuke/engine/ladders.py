"""Ladders made ready to run: criteria as expressions, term ends, and what can be skipped."""

from __future__ import annotations

from typing import Any

from shuke.engine.conditions import Names, Test, compile_condition, explainer
from shuke.engine.criteria import feeds, is_passing, is_timely, met_again
from shuke.engine.explanations import Explain, Explanation
from shuke.engine.member import Standing
from shuke.engine.turn import Turn
from shuke.program.condition_order import implies
from shuke.program.conditions import Between, Compare, Has, In, InNext, IsToday, Node, show_term
from shuke.program.document import Program
from shuke.program.tiers import Ladder, TermEnd, TierTerm
from shuke.values.instants import NEVER, Day, Instant, LocalCalendar
from shuke.values.periods import Period, Unit, add, end_of, start_of

_NOWHERE = -1  # the rank of nobody: below the first tier


class LadderRules:
    """One ladder, compiled.

    Ranks count from 0, the first tier; -1 is no standing at all. A tier that the ladder no longer has ranks
    above all others: nobody leaves it before a review or ``tiers.applied``.
    """

    def __init__(self, ladder: Ladder, program: Program, calendar: LocalCalendar, names: Names) -> None:
        self.ladder, self.id, self.calendar = ladder, ladder.id, calendar
        self.names = names.on(ladder.id)
        self.tiers = [tier.id for tier in ladder.tiers]
        self.rank = {tier: rank for rank, tier in enumerate(self.tiers)}
        self.top = len(self.tiers) - 1
        self.base = _NOWHERE if ladder.invitation_only else 0
        self._criteria(ladder)
        criteria = [node for node in (*self.entries, *self.keeps) if node is not None]
        self.feeds = feeds(program, criteria)
        self.by_itself = is_timely(node for node in self.entries if node is not None)
        self.restart = self._test(ladder.restart_when)
        self.at_once = ladder.upgrade == "at_once"
        self.takes_back = ladder.on_refund == "at_once"
        self.reopens = ladder.reopen_reviews
        self.cooldown = Period.parse(ladder.cooldown) if ladder.cooldown else None
        self.notice_days = tuple(sorted(set(ladder.notice_days), reverse=True))
        self._terms = [self._term(rank) for rank in range(len(self.tiers))]
        self._ends: dict[tuple[int, Day], Instant] = {}

    def _criteria(self, ladder: Ladder) -> None:
        self.entries: list[Node | None] = [tier.entry for tier in ladder.tiers]
        self.keeps: list[Node | None] = [tier.entry if tier.keep is None else tier.keep for tier in ladder.tiers]
        self.entry: list[Test | None] = [self._test(node) for node in self.entries]
        self.keep: list[Test | None] = [self._test(node) for node in self.keeps]
        self.agains = [None if node is None else met_again(node) for node in self.entries]
        self.again: list[Test | None] = [self._test(node) for node in self.agains]
        # What re-dates a term, by rank; one more for tiers that are no more.
        redates = ladder.requalify == "redate"
        self.redate: list[Test | None] = [*(self.again if redates else [None] * len(self.tiers)), None]
        self.passing = [is_passing(node) for node in self.entries]
        self.gates = [self._gate(rank) for rank in range(_NOWHERE, len(self.tiers) + 1)]
        self._explain: dict[Node, Explain] = {}

    def _test(self, node: Node | None) -> Test | None:
        return None if node is None else compile_condition(node, names=self.names)

    def _gate(self, rank: int) -> Test | None:
        """A test without which no tier above ``rank`` is reached; None where every one has to be asked."""
        above = [node for node in self.entries[rank + 1 :] if node is not None]
        if above and all(implies(node, above[0]) for node in above[1:]):
            return self._test(above[0])
        return None

    def rank_of(self, standing: Standing | None) -> int:
        return _NOWHERE if standing is None else self.rank.get(standing.tier, self.top + 1)

    def reached(self, turn: Turn, rank: int) -> int:
        """The highest rank above ``rank`` whose entry criteria hold; ``rank`` itself if none does."""
        gate = self.gates[rank + 1]
        if gate is not None and not gate(turn, None):
            return rank
        for higher in range(self.top, rank, -1):
            entry = self.entry[higher]
            if entry is not None and entry(turn, None):
                return higher
        return rank

    def supported(self, turn: Turn, rank: int) -> bool:
        """Whether the tier's entry or retention criteria hold now. The first tier needs none."""
        if rank <= self.base:
            return True
        if rank > self.top:
            return False
        entry, keep = self.entry[rank], self.keep[rank]
        return (entry is not None and entry(turn, None)) or (keep is not None and keep(turn, None))

    def kept(self, turn: Turn, rank: int) -> bool:
        """Whether a review lets a member stay: the retention criteria hold, or the tier has none."""
        if rank > self.top:
            return False
        keep = self.keep[rank]
        return rank == 0 if keep is None else keep(turn, None)

    # -- Dates ------------------------------------------------------------------------------------------

    def _term(self, rank: int) -> TermEnd | Period | None:
        tier = self.ladder.tiers[rank]
        default: TierTerm = "lifetime" if rank == 0 == self.base else self.ladder.term
        term = default if tier.term is None else tier.term
        if term == "lifetime" or not isinstance(term, str | TermEnd):
            return None
        return Period.parse(term) if isinstance(term, str) else term

    def ends(self, rank: int, start: Day) -> Instant:
        """The local midnight after the last day of a term that starts on ``start``; NEVER for a lifetime."""
        found = self._ends.get((rank, start))
        if found is None:
            if len(self._ends) > 4096:
                self._ends.clear()
            term = self._terms[rank]
            found = NEVER if term is None else self.calendar.day_start(_last_day(term, start) + 1)
            self._ends[rank, start] = found
        return found

    def continues(self, rank: int, last: Day) -> Instant:
        """When a term ends that follows on one whose last day was ``last``. Counted from that day, so that
        anniversaries stay where they are; from the day after it where that would be no time at all."""
        end = self.ends(rank, last)
        return end if end > self.calendar.day_start(last + 1) else self.ends(rank, last + 1)

    def next_look(self, day: Day) -> Instant:
        """When standings are next looked at, after ``day``: the next midnight, or the first of the month."""
        coming = day + 1 if self.ladder.upgrade == "nightly" else add(start_of(day, "month"), _A_MONTH)
        return self.calendar.day_start(coming)

    def cool_at(self, standing: Standing) -> Instant:
        """Before this instant the member is not dropped again; 0 where nothing stands in the way."""
        if self.cooldown is None or not standing.dropped_at:
            return 0
        return self.calendar.day_start(add(self.calendar.day(standing.dropped_at), self.cooldown))

    # -- Reasons ----------------------------------------------------------------------------------------

    def explanation(self, turn: Turn, node: Node) -> Explanation:
        """The criteria node by node, as they read now."""
        explain = self._explain.get(node)
        if explain is None:
            explain = self._explain[node] = explainer(node, names=self.names)
        return explain(turn, None)

    def why(self, turn: Turn, node: Node | None) -> dict[str, Any]:
        """The criteria and the numbers that went in, for the cause of a change."""
        if node is None:
            return {}
        explanation = self.explanation(turn, node)
        return {"criteria": explanation.text, "seen": dict(_seen(explanation))}


_A_MONTH = Period(1, Unit.MONTHS)


def _last_day(term: TermEnd | Period, start: Day) -> Day:
    if isinstance(term, Period):
        return add(start, term)
    return end_of(add(start, Period(term.years_later, Unit.YEARS)), term.to_end_of)


def _seen(explanation: Explanation) -> list[tuple[str, str | None]]:
    if explanation.children:
        return [pair for child in explanation.children for pair in _seen(child)]
    node = explanation.node
    if not isinstance(node, Compare | In | Between | Has | IsToday | InNext):
        return []
    return [(show_term(node.term), None if explanation.seen is None else str(explanation.seen))]


def compile_ladders(program: Program, calendar: LocalCalendar, names: Names) -> dict[str, LadderRules]:
    """Ladder id → its rules, in the order of the document."""
    return {ladder.id: LadderRules(ladder, program, calendar, names) for ladder in program.ladders}
