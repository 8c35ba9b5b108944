"""Tiers: who stands where, and why it changes. What follows by time alone is in ``reviews``.

Reasons of a ``TierChanged``:

``joined``        the first tier, on the first activity;
``reached``       the entry criteria of a higher tier hold;
``requalified``   those of the present tier are met again: a new term (``requalify: redate``);
``renewed``       the retention criteria held at a review;
``kept``          they did not, but the ladder never drops anybody;
``postponed``     they did not, but the member was dropped within the cooldown: reviewed again at its end;
``grace``         they did not: the tier is kept through the days of grace;
``dropped``       they did not;
``refunded``      what the term was given for came back: the standing before it is back too;
``reopened``      a late fact made good what a review had found missing;
``granted``, ``revoked``, ``grant_ended``   a tier bought, given, matched or tried;
``applied``, ``applied_down``   moved by ``tiers.applied`` to what the program in force supports;
``erased``        the person was erased;
``merged``, ``unmerged``   two members became one, or two again: the higher standing stays.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from shuke.engine import activity as of
from shuke.engine.effects import Refused, TierChanged
from shuke.engine.ladders import LadderRules, compile_ladders
from shuke.engine.member import Grant, Standing
from shuke.engine.reviews import fall_due, next_due
from shuke.engine.standing import (
    AsOf,
    announce,
    begin,
    carry_on,
    drop,
    live_grants,
    reach,
    stand_again,
    totals_of_today,
)
from shuke.engine.turn import Turn
from shuke.values.instants import NEVER, Day, Instant
from shuke.values.periods import Period, add

__all__ = ["LadderRules", "apply", "compile_ladders", "fall_due", "grant", "next_due", "revoke", "rise"]

SOURCES = ("bought", "gifted", "matched", "temporary")
_BY_CRITERIA = ("reached", "requalified", "applied")
_TAKES_BACK = frozenset((of.ORDER_REFUNDED, of.ORDER_CANCELLED))


def rise(turn: Turn) -> None:
    """See whether this activity raises the member, re-dates or saves her term, or takes back what gave it."""
    type_ = turn.activity.type
    standings = turn.member.standings
    for rules in turn.program.ladders.values():
        standing = standings.get(rules.id)
        if standing is None:
            standing = begin(turn, rules)
            if standing is None and not live_grants(turn.member, rules.id, turn.now):
                continue
        if rules.feeds is None or type_ in rules.feeds:
            _look(turn, rules, standing)


def _look(turn: Turn, rules: LadderRules, standing: Standing | None) -> None:
    if standing is not None:
        if rules.takes_back and turn.activity.type in _TAKES_BACK:
            standing = _take_back(turn, rules, standing)
        if rules.reopens and turn.now < turn.member.now:
            standing = _reopen(turn, rules, standing)
    rank = rules.rank_of(standing)
    if rules.at_once:
        # A fact from before a drop does not bring back what she met then: that is for reopened reviews.
        fits = standing is None or turn.now >= standing.dropped_at
        target = rules.reached(turn, rank) if fits else rank
        if target > rank:
            _reach(turn, rules, target, since=turn.now)
            return
        if turn.now < turn.member.now and _risen_late(turn, rules, rank):
            return
    if standing is None or (standing.grace_until and _saved(turn, rules, standing)):
        return
    if not rules.at_once:
        _look_later(turn, rules, standing, rank)
    elif _anew(turn, rules, standing, rank):
        _reach(turn, rules, rank, reason="requalified", since=turn.now)


def _reach(turn: Turn, rules: LadderRules, rank: int, *, reason: str = "reached", since: Instant) -> None:
    reach(
        turn,
        rules,
        rank,
        reason=reason,
        why=rules.why(turn, (rules.agains if reason == "requalified" else rules.entries)[rank]),
        since=since,
        counted_from=turn.day,
        start_totals=totals_of_today(turn),
    )


def _anew(turn: Turn, rules: LadderRules, standing: Standing, rank: int) -> bool:
    """Whether the criteria of the present tier are met again, and meeting them moves the end of the term."""
    again = rules.redate[rank]
    return (
        again is not None
        and standing.until != NEVER
        and again(turn, None)
        and turn.now > standing.since
        and rules.ends(rank, turn.day) > standing.until
    )


def _risen_late(turn: Turn, rules: LadderRules, rank: int) -> bool:
    """A late fact that raises nobody as of its own day may complete what later days have counted."""
    own_day, turn.day = turn.day, rules.calendar.day(turn.member.now)
    target = rules.reached(turn, rank)
    if target > rank:
        _reach(turn, rules, target, since=turn.member.now)
    turn.day = own_day
    return target > rank


def _look_later(turn: Turn, rules: LadderRules, standing: Standing, rank: int) -> None:
    """Where standings are looked at nightly or monthly: make an appointment if there is something to see."""
    if standing.next_review != NEVER:
        return
    if rules.reached(turn, rank) > rank or _anew(turn, rules, standing, rank):
        standing.next_review = rules.next_look(turn.day)


def _saved(turn: Turn, rules: LadderRules, standing: Standing) -> bool:
    """Whether the retention criteria are met while the grace runs. Re-dating ladders start the new term now,
    the others where the old one ended."""
    rank = rules.rank_of(standing)
    if not rules.kept(turn, rank):
        return False
    last = turn.day if rules.ladder.requalify == "redate" else rules.calendar.day(standing.until - 1)
    why = rules.why(turn, rules.keeps[rank])
    carry_on(turn, rules, rank, reason="renewed", why=why, last=last, start_totals=totals_of_today(turn))
    return True


# -- Decisions made again ---------------------------------------------------------------------------------


def _take_back(turn: Turn, rules: LadderRules, standing: Standing) -> Standing | None:
    """After a refund: the present term stands if it would still be given, or if what is left supports the tier.

    Otherwise the decision that gave it is made again: for a lower tier, or the standing before is back.
    """
    rank = rules.rank_of(standing)
    if standing.by not in _BY_CRITERIA or _stands(turn, rules, standing, rank):
        return standing
    if standing.by != "requalified" and rules.supported(turn, rank):
        return standing
    why = rules.why(turn, rules.entries[rank])
    with AsOf(turn, _decided_on(rules, standing), ladder=rules.id, standing=standing.earlier):
        before = rules.rank_of(standing.earlier)
        instead = rules.reached(turn, before)
    if before < instead < rank:
        until = rules.ends(instead, _decided_on(rules, standing))
        stand_again(turn, rules, replace(standing, tier=rules.tiers[instead], until=until))
    else:
        stand_again(turn, rules, standing.earlier)
    present = rules.rank_of(turn.member.standings.get(rules.id))
    target = rules.reached(turn, present) if rules.at_once else present
    if target > present:
        _reach(turn, rules, target, reason="refunded", since=turn.now)
    else:
        announce(turn, rules, reason="refunded", why=why)
    return turn.member.standings.get(rules.id)


def _stands(turn: Turn, rules: LadderRules, standing: Standing, rank: int) -> bool:
    """Whether the decision that gave the present term would be made again with what is counted now."""
    if rank > rules.top:
        return False
    if standing.by in ("joined", "dropped"):
        return True
    if rules.passing[rank] and standing.by != "renewed":
        order = turn.order
        return order is None or order.placed_at != standing.since or not order.is_back(order.refunded)
    with AsOf(turn, _decided_on(rules, standing), ladder=rules.id, standing=standing.earlier):
        if standing.by == "renewed":
            return rules.kept(turn, rank)
        test = rules.again[rank] if standing.by == "requalified" else rules.entry[rank]
        return test is not None and test(turn, None)


def _decided_on(rules: LadderRules, standing: Standing) -> Day:
    """The day as of whose end the present term was given: reviews and looks come at the midnight after it."""
    midnight = standing.by == "renewed" or not (rules.at_once or standing.by == "applied")
    return rules.calendar.day(standing.since - 1 if midnight else standing.since)


def _reopen(turn: Turn, rules: LadderRules, standing: Standing | None) -> Standing | None:
    """A fact of the term before, told after its review: had it been known, would the member have stayed?"""
    if standing is None or standing.by != "dropped" or turn.now >= standing.since:
        return standing
    earlier = standing.earlier
    if earlier is None:
        return standing
    rank, last = rules.rank_of(earlier), rules.calendar.day(standing.since - 1)
    with AsOf(turn, last, ladder=rules.id, standing=earlier):
        kept = rules.kept(turn, rank)
        why = rules.why(turn, rules.keeps[rank]) if kept else {}
    if not kept:
        return standing
    renewed = Standing(
        earlier.tier,
        standing.since,
        rules.continues(rank, last),
        dropped_at=earlier.dropped_at,
        by="renewed",
        earlier=earlier,
    )
    turn.member.standings[rules.id] = renewed
    announce(turn, rules, reason="reopened", why=why)
    return renewed


# -- Activities -------------------------------------------------------------------------------------------


def grant(turn: Turn) -> Refused | None:
    """``tier.granted``: a tier that is not earned. Payload: ``ladder``, ``tier``, how long (``until``, an
    instant; ``days`` or ``period``, counted like terms: the day that lies so far ahead is the last; without
    any: for ever), ``source`` (bought, gifted, matched, temporary), ``ref`` (else the activity's key).

    Refused: ``ladder_unknown``, ``tier_unknown``, ``source_unknown``, ``until_invalid``, ``grant_exists``.
    """
    payload = turn.activity.payload or {}
    rules = turn.program.ladders.get(str(payload.get("ladder")))
    if rules is None:
        return Refused("ladder_unknown", {"ladder": payload.get("ladder")})
    tier = payload.get("tier")
    if tier not in rules.rank:
        return Refused("tier_unknown", {"ladder": rules.id, "tier": tier})
    source = payload.get("source", "gifted")
    if source not in SOURCES:
        return Refused("source_unknown", {"source": source})
    until = _grant_ends(turn, payload)
    if until is None or until <= turn.now:
        said = next((payload[name] for name in _LASTS if name in payload), None)
        return Refused("until_invalid", {"until": said})
    ref = str(payload.get("ref", turn.activity.key))
    if any(grant.ladder == rules.id and grant.ref == ref for grant in turn.member.grants):
        return Refused("grant_exists", {"ladder": rules.id, "ref": ref})
    if turn.member.standings.get(rules.id) is None:
        begin(turn, rules)
    turn.member.grants.append(Grant(rules.id, tier, turn.now, until, source, ref))
    announce(turn, rules, reason="granted", why={"granted": tier, "source": source, "ref": ref})
    return None


_LASTS = ("until", "days", "period")


def _grant_ends(turn: Turn, payload: dict[str, Any]) -> Instant | None:
    """The instant at which a grant ends; None if the payload does not say it well."""
    said = [name for name in _LASTS if payload.get(name) is not None]
    if not said:
        return NEVER
    if len(said) > 1:
        return None
    value = payload[said[0]]
    if said[0] == "until":
        return value if isinstance(value, int) and not isinstance(value, bool) else None
    try:
        period = Period.parse(f"{value} days" if said[0] == "days" else str(value))
        last: Day = add(turn.day, period)
    except ValueError:
        return None
    return turn.program.calendar.day_start(last + 1)


def revoke(turn: Turn) -> Refused | None:
    """``tier.revoked``: a granted tier is taken back. Payload: ``ladder``, ``ref``.

    Refused: ``ladder_unknown``, ``grant_unknown``.
    """
    payload = turn.activity.payload or {}
    rules = turn.program.ladders.get(str(payload.get("ladder")))
    if rules is None:
        return Refused("ladder_unknown", {"ladder": payload.get("ladder")})
    member, ref = turn.member, payload.get("ref")
    found = [grant for grant in member.grants if grant.ladder == rules.id and grant.ref == ref]
    if not found:
        return Refused("grant_unknown", {"ladder": rules.id, "ref": ref})
    member.grants = [grant for grant in member.grants if grant not in found]
    why = {"granted": found[0].tier, "source": found[0].source, "ref": ref}
    announce(turn, rules, reason="revoked", why=why)
    return None


def apply(turn: Turn) -> Refused | None:
    """``tiers.applied``: every standing moves, up or down, to what the program in force supports.

    A term that would still be given under the program's criteria is left alone, dates and all; what ended in
    a soft landing keeps its own term. Cooldown and grace are about reviews and play no part.
    """
    member = turn.member
    for ladder in [ladder for ladder in member.tiers if ladder not in turn.program.ladders]:
        before = member.tiers.pop(ladder)
        member.standings.pop(ladder, None)
        member.grants = [grant for grant in member.grants if grant.ladder != ladder]
        turn.effects.tiers.append(TierChanged(ladder, before, None, turn.now, turn.now, "applied_down"))
    for rules in turn.program.ladders.values():
        standing = member.standings.get(rules.id) or begin(turn, rules)
        if standing is None and not live_grants(member, rules.id, turn.now):
            if rules.id in member.tiers:
                announce(turn, rules, reason="applied_down")
            continue
        _apply(turn, rules, standing)
    return None


def _apply(turn: Turn, rules: LadderRules, standing: Standing | None) -> None:
    rank = rules.rank_of(standing)
    target = rules.reached(turn, rank)
    if target > rank:
        _reach(turn, rules, target, reason="applied", since=turn.now)
        return
    if standing is None or rank <= rules.base or _stands(turn, rules, standing, rank):
        return
    if rules.supported(turn, rank):
        return
    below = range(min(rank - 1, rules.top), rules.base, -1)
    lower = next((lower for lower in below if rules.supported(turn, lower)), rules.base)
    why = rules.why(turn, rules.entries[rank]) if rank <= rules.top else {}
    drop(turn, rules, lower, reason="applied_down", why=why, last=turn.day)
