"""How a standing changes, and what that makes of the tier in force.

In force is the best of the standing a member has earned and of the tiers granted to her. Every change is
told as a ``TierChanged`` whose ``before`` and ``after`` are the tiers in force; where what she has earned is
another one (it lies below a grant), ``why["standing"]`` says which.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any

from msgspec.structs import replace

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.assets import Cause, debit, post
from shuke.engine.effects import EXPIRED, PENDING, TierChanged, Wanted
from shuke.engine.ladders import LadderRules
from shuke.engine.measures import day_total
from shuke.engine.member import Grant, Member, Standing
from shuke.engine.turn import Turn
from shuke.values.instants import NEVER, Day, Instant

_LAST_SECOND = 86_399
_SILENT = frozenset(("joined", "merged", "unmerged"))
_FALLS = frozenset(("dropped", "refunded", "applied_down"))


class AsOf:
    """Within it the turn is at the end of ``day``: what a review reads. No order and no activity is in sight.

    With ``standing`` the member stands there meanwhile, so that a window ``term`` means that term.
    """

    __slots__ = ("_day", "_ladder", "_saved", "_standing", "_turn")

    def __init__(self, turn: Turn, day: Day, *, ladder: str | None = None, standing: Standing | None = None) -> None:
        self._turn, self._day, self._ladder, self._standing = turn, day, ladder, standing
        self._saved: tuple[Any, ...] = ()

    def __enter__(self) -> None:
        turn = self._turn
        present = None if self._ladder is None else turn.member.standings.get(self._ladder)
        self._saved = (turn.day, turn.second, turn.activity, turn.purchase, turn.order, turn._priced, present)
        turn.day, turn.second = self._day, _LAST_SECOND
        turn.activity = Activity(of.TIME_PASSED, turn.member.id, turn.now, "shuke", "")
        turn.purchase = turn.order = turn._priced = None
        if self._ladder is not None and self._standing is not None:
            turn.member.standings[self._ladder] = self._standing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        turn = self._turn
        turn.day, turn.second, turn.activity, turn.purchase, turn.order, turn._priced, present = self._saved
        if self._ladder is not None and self._standing is not None:
            if present is None:
                del turn.member.standings[self._ladder]
            else:
                turn.member.standings[self._ladder] = present


# -- Standings --------------------------------------------------------------------------------------------


def begin(turn: Turn, rules: LadderRules) -> Standing | None:
    """Everybody stands on the first tier from her first activity on; nobody on a ladder by invitation."""
    if rules.base < 0:
        return None
    standing = Standing(rules.tiers[0], turn.now, rules.ends(0, turn.day), by="joined")
    turn.member.standings[rules.id] = _looked_at(turn, rules, standing, 0)
    announce(turn, rules, reason="joined")
    return standing


def reach(
    turn: Turn,
    rules: LadderRules,
    rank: int,
    *,
    reason: str,
    why: dict[str, Any],
    since: Instant,
    counted_from: Day,
    start_totals: dict[str, int],
) -> None:
    """A new term on the tier of this rank, from ``since`` on; its end is counted from ``counted_from``."""
    before = turn.member.standings.get(rules.id)
    standing = Standing(
        rules.tiers[rank],
        since,
        rules.ends(rank, counted_from),
        start_totals,
        dropped_at=0 if before is None else before.dropped_at,
        by=reason,
        earlier=_remembered(before),
    )
    turn.member.standings[rules.id] = _looked_at(turn, rules, standing, rank)
    announce(turn, rules, reason=reason, why=why)


def carry_on(
    turn: Turn,
    rules: LadderRules,
    rank: int,
    *,
    reason: str,
    why: dict[str, Any],
    last: Day,
    start_totals: dict[str, int],
) -> None:
    """Another term on the same tier, following on the one whose last day was ``last``."""
    before = turn.member.standings[rules.id]
    standing = Standing(
        rules.tiers[rank],
        turn.now,
        rules.continues(rank, last),
        start_totals,
        dropped_at=before.dropped_at,
        by="renewed",
        earlier=_remembered(before),
    )
    turn.member.standings[rules.id] = _looked_at(turn, rules, standing, rank)
    announce(turn, rules, reason=reason, why=why)


def drop(turn: Turn, rules: LadderRules, rank: int, *, reason: str, why: dict[str, Any], last: Day) -> None:
    """Down to the tier of this rank (below the first: off the ladder), for that tier's own term."""
    member = turn.member
    before = member.standings[rules.id]
    if rank < 0:
        del member.standings[rules.id]
    else:
        until = rules.continues(rank, last)
        standing = Standing(
            rules.tiers[rank],
            turn.now,
            until,
            dropped_at=turn.now,
            by="dropped" if reason == "dropped" else "applied",
            earlier=_remembered(before),
        )
        member.standings[rules.id] = _looked_at(turn, rules, standing, rank)
    announce(turn, rules, reason=reason, why=why)


def stand_again(turn: Turn, rules: LadderRules, standing: Standing | None) -> None:
    """As if the present term had never been given: this standing, with its own dates. Nothing is told yet.

    None is whatever comes before all terms: the first tier, or no standing on a ladder by invitation.
    """
    member = turn.member
    if standing is not None:
        member.standings[rules.id] = standing
    elif rules.base < 0:
        member.standings.pop(rules.id)
    else:
        first = Standing(rules.tiers[0], member.joined_at, rules.ends(0, turn.day), by="joined")
        member.standings[rules.id] = _looked_at(turn, rules, first, 0)


def totals_of_today(turn: Turn) -> dict[str, int]:
    """Per measure what today has counted so far: it belongs to the term that ends with this."""
    names = turn.program.names
    found: dict[str, int] = {}
    for measure, series in turn.member.series.items():
        today = int(turn.day in series.days) if names.counts_days(measure) else day_total(series, turn.day)
        if today:
            found[measure] = today
    return found


def _remembered(standing: Standing | None) -> Standing | None:
    """The standing as the next one remembers it: only one step back, so that a member stays small."""
    return None if standing is None else replace(standing, earlier=None, next_review=NEVER)


def _looked_at(turn: Turn, rules: LadderRules, standing: Standing, rank: int) -> Standing:
    """A standing that time alone may raise is looked at again and again, where looking is not at once."""
    if rules.by_itself and not rules.at_once and rank < rules.top:
        standing.next_review = rules.next_look(turn.day)
    return standing


# -- In force ---------------------------------------------------------------------------------------------


def in_force(member: Member, rules: LadderRules, now: Instant) -> tuple[str | None, Instant]:
    """The best tier of standing and live grants, and until when it lasts. (None, ``now``) off the ladder."""
    standing = member.standings.get(rules.id)
    best, until = rules.rank_of(standing), now
    tier = None
    if standing is not None:
        tier, until = standing.tier, standing.grace_until or standing.until
    for grant in live_grants(member, rules.id, now):
        rank = rules.rank.get(grant.tier, -1)
        if rank > best or (rank == best and grant.until > until):
            best, tier, until = rank, grant.tier, grant.until
    return tier, until


def live_grants(member: Member, ladder: str, now: Instant) -> list[Grant]:
    return [grant for grant in member.grants if grant.ladder == ladder and grant.until > now]


def announce(turn: Turn, rules: LadderRules, *, reason: str, why: dict[str, Any] | None = None) -> None:
    """Bring the tier in force up to date, and say what changed and why."""
    member = turn.member
    before = member.tiers.get(rules.id)
    after, until = in_force(member, rules, max(turn.now, member.now))
    standing = member.standings.get(rules.id)
    if standing is not None and standing.tier != after:
        why = {**(why or {}), "standing": standing.tier}
    change = TierChanged(rules.id, before, after, turn.now, until, reason, why or None)
    turn.effects.tiers.append(change)
    if before == after:
        return
    if after is None:
        member.tiers.pop(rules.id, None)
    else:
        member.tiers[rules.id] = after
        turn.answer.setdefault("tiers", {})[rules.id] = after
    _tell(turn, rules, change)


def _tell(turn: Turn, rules: LadderRules, change: TierChanged) -> None:
    """Want a message for a rise or a fall, and end what a fall ends. Joining is no rise, and neither is a merge."""
    if change.reason in _SILENT:
        return
    was = -1 if change.before is None else rules.rank.get(change.before, rules.top + 1)
    now = -1 if change.after is None else rules.rank.get(change.after, rules.top + 1)
    body = {
        "ladder": rules.id,
        "before": change.before,
        "after": change.after,
        "until": change.until,
        "reason": change.reason,
    }
    turn.effects.wanted.append(Wanted("tier.raised" if now > was else "tier.dropped", body, change.at))
    if now < was and change.reason in _FALLS:
        for asset in rules.ladder.void_assets:
            _void(turn, rules, asset)


def _void(turn: Turn, rules: LadderRules, asset: str) -> None:
    """End what is left of an asset, ripe or not. What a cart holds stays with the cart."""
    purse = turn.member.purses.get(asset)
    if purse is None:
        return
    cause = Cause("void", rules.id)
    for lot in purse.ripening:
        purse.pending -= lot.amount
        post(turn, asset, debit=PENDING, credit=EXPIRED, amount=lot.amount, lot=lot.no, cause=cause)
    purse.ripening.clear()
    if purse.available:
        debit(turn, asset, purse.available, target=EXPIRED, cause=cause)
