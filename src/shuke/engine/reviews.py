"""What time does to standings: grants end, terms are reviewed, ladders that look nightly or monthly look.

A term is reviewed at the first instant after its last day, and the criteria are read as they stood at the
end of that day: a window of 12 months is the 12 months up to the last day of the term.
"""

from __future__ import annotations

from typing import Any

from shuke.engine.effects import Wanted
from shuke.engine.ladders import LadderRules
from shuke.engine.member import Standing
from shuke.engine.standing import AsOf, announce, carry_on, drop, reach
from shuke.engine.turn import Turn
from shuke.values.instants import NEVER, Day, Instant


def next_due(turn: Turn) -> Instant:
    """The next instant at which a grant ends, a term is reviewed, or standings are looked at."""
    member = turn.member
    due = NEVER
    ladders = turn.program.ladders
    for ladder, standing in member.standings.items():
        rules = ladders.get(ladder)
        if rules is None:
            continue
        end = standing.grace_until or standing.until
        if end < due:
            due = end
        if standing.next_review < due:
            due = standing.next_review
        if end != NEVER and rules.notice_days:
            due = min(due, _next_notice(turn, rules, end))
    for grant in member.grants:
        if grant.until < due:
            due = grant.until
    return due


def _next_notice(turn: Turn, rules: LadderRules, end: Instant) -> Instant:
    """The next notice still to come. Those before ``member.now`` are past: each falls due exactly once."""
    end_day = rules.calendar.day(end)
    for days in rules.notice_days:  # farthest first
        at = rules.calendar.day_start(end_day - days)
        if at > turn.member.now:
            return at
    return NEVER


def fall_due(turn: Turn) -> None:
    """Do what is due at ``turn.now``: a rise comes before the review of the term it ends."""
    member = turn.member
    if any(grant.until <= turn.now for grant in member.grants):
        _end_grants(turn)
    for rules in turn.program.ladders.values():
        standing = member.standings.get(rules.id)
        if standing is None:
            continue
        if standing.next_review <= turn.now:
            standing = look(turn, rules, standing)
        if (standing.grace_until or standing.until) <= turn.now:
            review(turn, rules, standing)
        elif rules.notice_days and standing.until != NEVER:
            _notice(turn, rules, standing)


def _end_grants(turn: Turn) -> None:
    member = turn.member
    ended = [grant for grant in member.grants if grant.until <= turn.now]
    member.grants = [grant for grant in member.grants if grant.until > turn.now]
    for grant in ended:
        rules = turn.program.ladders.get(grant.ladder)
        if rules is not None and member.tiers.get(grant.ladder) == grant.tier:
            why = {"granted": grant.tier, "source": grant.source, "ref": grant.ref}
            announce(turn, rules, reason="grant_ended", why=why)


# -- Looking nightly and monthly --------------------------------------------------------------------------


def look(turn: Turn, rules: LadderRules, standing: Standing) -> Standing:
    """Raise or re-date by what stood at the end of yesterday. Returns the standing after it."""
    rank, last = rules.rank_of(standing), turn.day - 1
    again = rules.redate[rank]
    with AsOf(turn, last):
        target = rules.reached(turn, rank)
        anew = target == rank and again is not None and again(turn, None)
        why = rules.why(turn, (rules.agains if anew else rules.entries)[target]) if anew or target > rank else {}
    standing.next_review = rules.next_look(turn.day) if rules.by_itself and rank < rules.top else NEVER
    # A nightly look is bookkeeping, and the term runs from the day itself; a monthly one is a promotion day.
    start = last if rules.ladder.upgrade == "nightly" else turn.day
    if target > rank:
        _raise(turn, rules, target, reason="reached", why=why, start=start)
    elif anew and rules.ends(rank, start) > standing.until:
        _raise(turn, rules, rank, reason="requalified", why=why, start=start)
    return turn.member.standings[rules.id]


def _raise(turn: Turn, rules: LadderRules, rank: int, *, reason: str, why: dict[str, Any], start: Day) -> None:
    reach(turn, rules, rank, reason=reason, why=why, since=turn.now, counted_from=start, start_totals={})


# -- The review of a term ---------------------------------------------------------------------------------


def review(turn: Turn, rules: LadderRules, standing: Standing) -> None:
    """Renew the term that has ended, or let the ladder's policy decide: later, grace, or down."""
    rank = rules.rank_of(standing)
    end = standing.grace_until or standing.until
    last = rules.calendar.day(end - 1)
    ladder = rules.ladder
    with AsOf(turn, last):
        kept = rules.kept(turn, rank)
        why = rules.why(turn, rules.keeps[rank]) if rank <= rules.top else {}
        stays = ladder.on_drop == "never" and rank <= rules.top and not _restarts(turn, rules)
    if kept or stays:
        reason = "renewed" if kept else "kept"
        carry_on(turn, rules, rank, reason=reason, why=why, last=last, start_totals={})
    elif rules.cool_at(standing) > turn.now:
        standing.until, standing.grace_until = rules.cool_at(standing), 0
        announce(turn, rules, reason="postponed", why=why)
    elif ladder.grace_days and not standing.grace_until:
        standing.grace_until = rules.calendar.day_start(last + 1 + ladder.grace_days)
        announce(turn, rules, reason="grace", why=why)
    else:
        target = _lower(turn, rules, rank, last)
        drop(turn, rules, target, reason="dropped", why=why, last=last)


def _restarts(turn: Turn, rules: LadderRules) -> bool:
    return rules.restart is not None and rules.restart(turn, None)


def _lower(turn: Turn, rules: LadderRules, rank: int, last: Day) -> int:
    """Where a member falls to from this rank: never onto a tier that is only granted."""
    how = rules.ladder.on_drop
    with AsOf(turn, last):
        if how == "to_base" or _restarts(turn, rules):
            return rules.base
        for lower in range(min(rank - 1, rules.top), rules.base, -1):
            if rules.entries[lower] is None:
                continue
            if (how == "one_level" and rank <= rules.top) or rules.supported(turn, lower):
                return lower
    return rules.base


def _notice(turn: Turn, rules: LadderRules, standing: Standing) -> None:
    """Tell a member who would not keep her tier, were the term reviewed with what is counted so far."""
    rank = rules.rank_of(standing)
    end = standing.grace_until or standing.until
    if rank > rules.top or rules.ladder.on_drop == "never" or turn.now != rules.calendar.day_start(turn.day):
        return
    days = rules.calendar.day(end) - turn.day
    if days not in rules.notice_days:
        return
    with AsOf(turn, rules.calendar.day(end - 1)):
        kept = rules.kept(turn, rank)
    if not kept:
        body = {"ladder": rules.id, "tier": standing.tier, "until": end, "days": days}
        turn.effects.wanted.append(Wanted("tier.at_risk", body, turn.now))
