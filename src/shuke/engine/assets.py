"""Lots, debts and dates: how value arrives in a member's purse and how it leaves.

Every function here keeps three things equal: the purse's totals, the sum of its lots, and the entries.
A member's debt is negative value on the ``debt`` account; every credit that becomes available pays it first.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from shuke.engine.effects import (
    AVAILABLE,
    DEBT,
    EXPIRED,
    HELD,
    PENDING,
    REVERSED,
    Entry,
    LotOpened,
    Refused,
    Wanted,
)
from shuke.engine.member import Absorbed, Lot, Member, Purse
from shuke.engine.turn import Turn
from shuke.program.assets import Asset, AssetKind, Validity, last_day
from shuke.program.document import Program
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import NEVER, Day, Instant, LocalCalendar
from shuke.values.periods import Period, add

Dates = tuple[Instant, Instant]  # (ripens_at or 0, expires_at or NEVER)
_MOST_REMEMBERED = 4096
_NO_LOTS = (0, 0)


class AssetRules:
    """One asset, compiled: when its lots ripen and expire, in which order they are spent."""

    __slots__ = (
        "_arrivals",
        "asset",
        "by_inactivity",
        "calendar",
        "clawback",
        "id",
        "lot_key",
        "merges_days",
        "never_tiers",
        "notice_days",
        "notices",
        "parts",
        "pending",
        "rounding",
        "scale",
        "tier_ladder",
        "tier_tiers",
        "tier_validity",
        "validity",
    )

    def __init__(self, asset: Asset, calendar: LocalCalendar) -> None:
        self.asset = asset
        self.id = asset.id
        self.scale = 10**asset.scale
        self.rounding = asset.rounding
        self.parts = 1  # of a unit, in which fractions are carried: what the earning rules divide by
        self.calendar = calendar
        self.clawback = asset.clawback
        self.notice_days = tuple(sorted(set(asset.expiry_notice_days), reverse=True))
        self.pending = Period.parse(asset.pending) if asset.pending else None
        self.validity = asset.validity
        by_tier = asset.validity_by_tier
        self.tier_ladder = by_tier.ladder if by_tier else None
        self.tier_tiers = frozenset(by_tier.tiers) if by_tier else frozenset[str]()
        self.tier_validity: Validity | str = by_tier.validity if by_tier else "never"
        inactivity = asset.validity.inactivity if isinstance(asset.validity, Validity) else None
        self.by_inactivity = Period.parse(inactivity) if inactivity else None
        self.lot_key: Callable[[Lot], tuple[int, ...]] = _LOT_KEYS[asset.spend_order]
        self.merges_days = asset.spend_order == "soonest_expiry"
        self.notices = _Notices(calendar, self.notice_days)
        self._arrivals = Arrivals(self)

    def dates(self, day: Day, *, member: Member) -> Dates:
        """When a lot that arrives on ``day`` ripens and expires."""
        return self._arrivals.on(day, member)

    def inactive_at(self, purse: Purse, member: Member) -> Instant:
        """When the whole balance ends for want of activity, NEVER if it does not.

        Where nobody kept the last activity (an earlier version did not ask), the latest lot tells it.
        """
        if self.by_inactivity is None:
            return NEVER
        touched_at = purse.touched_at or max((lot.opened_at for lot in purse.lots), default=0)
        if touched_at == 0:
            return NEVER
        if self.tier_ladder is not None and member.tiers.get(self.tier_ladder) in self.tier_tiers:
            return NEVER
        day = self.calendar.day(touched_at)
        return self.calendar.day_start(add(day, self.by_inactivity) + 1)


class Arrivals:
    """When value that arrives on a day ripens and expires; a rule may bring dates of its own."""

    __slots__ = ("_at_tier", "_ladder", "_tiers", "_usual")

    def __init__(
        self, rules: AssetRules, *, validity: Validity | str | None = None, pending: Period | None = None
    ) -> None:
        pending = pending or rules.pending
        self._usual = _Dates(rules.calendar, rules.validity if validity is None else validity, pending)
        self._at_tier = _Dates(rules.calendar, rules.tier_validity, pending)
        self._ladder = rules.tier_ladder if validity is None else None
        self._tiers = rules.tier_tiers

    def on(self, day: Day, member: Member) -> Dates:
        if self._ladder is not None and member.tiers.get(self._ladder) in self._tiers:
            return self._at_tier[day]
        return self._usual[day]


class _Dates(dict[Day, Dates]):
    """Day of arrival -> dates. A dict, because a hit then never leaves C."""

    def __init__(self, calendar: LocalCalendar, validity: Validity | str, pending: Period | None) -> None:
        super().__init__()
        self._calendar, self._validity, self._pending = calendar, validity, pending

    def __missing__(self, day: Day) -> Dates:
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        found = self[day] = self._compute(day)
        return found

    def _compute(self, day: Day) -> Dates:
        validity, pending, calendar = self._validity, self._pending, self._calendar
        ripe_day = add(day, pending) if pending else day
        ripens_at = calendar.day_start(ripe_day) if pending else 0
        if not isinstance(validity, Validity) or validity.inactivity:
            return ripens_at, NEVER
        start = ripe_day if validity.from_ == "ripened" else day
        return ripens_at, calendar.day_start(last_day(validity, start) + 1)


class _Notices(dict[Instant, tuple[Instant, ...]]):
    """When value ends -> when members are told of it, earliest first."""

    def __init__(self, calendar: LocalCalendar, notice_days: tuple[int, ...]) -> None:
        super().__init__()
        self._calendar, self._notice_days = calendar, notice_days

    def __missing__(self, end: Instant) -> tuple[Instant, ...]:
        if len(self) > _MOST_REMEMBERED:
            self.clear()
        day = self._calendar.day(end)
        found = self[end] = tuple(self._calendar.day_start(day - days) for days in self._notice_days)
        return found


_LOT_KEYS: dict[str, Callable[[Lot], tuple[int, ...]]] = {
    "soonest_expiry": lambda lot: (lot.expires_at, lot.opened_at, lot.no),
    "oldest": lambda lot: (lot.opened_at, lot.expires_at, lot.no),
    "newest": lambda lot: (-lot.opened_at, lot.expires_at, lot.no),
}


def compile_assets(program: Program, calendar: LocalCalendar) -> dict[str, AssetRules]:
    return {asset.id: AssetRules(asset, calendar) for asset in program.assets}


class Cause(Struct, gc=False):
    """Why value moves: what every entry of one movement has in common."""

    kind: str
    rule: str | None = None
    order_id: str | None = None
    why: dict[str, Any] | None = None


def purse_of(member: Member, asset: str) -> Purse:
    purse = member.purses.get(asset)
    if purse is None:
        purse = member.purses[asset] = Purse()
    return purse


def has_room(member: Member, asset: str, amount: int) -> bool:
    """Whether the balance, with what ripens and what is on hold, would still be one that every door can tell."""
    purse = member.purses.get(asset)
    has = 0 if purse is None else purse.available + purse.pending + purse.held
    return has + amount <= MAX_AMOUNT


def no_room(turn: Turn, asset: str, amount: int) -> Refused | None:
    """``balance_too_large`` where the member cannot have so much more."""
    if has_room(turn.member, asset, amount):
        return None
    return Refused("balance_too_large", {"asset": asset, "most": MAX_AMOUNT})


def post(turn: Turn, asset: str, *, debit: str, credit: str, amount: int, lot: int, cause: Cause) -> None:
    """Write one entry."""
    turn.effects.entries.append(
        Entry(
            asset,
            cause.kind,
            debit,
            credit,
            amount,
            turn.now,
            turn.program.version,
            lot,
            cause.rule,
            cause.order_id,
            cause.why,
        )
    )


def credit(
    turn: Turn,
    asset: str,
    amount: int,
    *,
    source: str,
    cause: Cause,
    dates: Dates | None = None,
) -> Lot:
    """Put ``amount`` (> 0) into the purse, into a lot with these dates (the asset's own by default).

    Returns a copy of the lot that names where the value went (``amount`` is the amount credited).
    """
    rules, member, now = turn.rules_of(asset), turn.member, turn.now
    purse = member.purses.get(asset) or purse_of(member, asset)
    ripens_at, expires_at = rules.dates(turn.day, member=member) if dates is None else dates
    if ripens_at <= now:
        ripens_at = 0
    lot = _lot_of(turn, rules, purse, ripens_at, expires_at)
    no, opened_at = lot.no, lot.opened_at
    lot.amount += amount
    if rules.by_inactivity is not None and now > purse.touched_at:
        purse.touched_at = now
    if ripens_at:
        purse.pending += amount
        post(turn, asset, debit=source, credit=PENDING, amount=amount, lot=no, cause=cause)
    else:
        purse.available += amount
        post(turn, asset, debit=source, credit=AVAILABLE, amount=amount, lot=no, cause=cause)
        if purse.debt:
            _repay(turn, asset, purse, lot)
    return Lot(no, opened_at, ripens_at, expires_at, amount)


def ripening_order(lot: Lot) -> tuple[int, int]:
    """The order in which lots ripen."""
    return (lot.ripens_at, lot.no)


def _lot_of(turn: Turn, rules: AssetRules, purse: Purse, ripens_at: int, expires_at: int) -> Lot:
    """The lot with these very dates, opened today if the purse has none.

    The newest lots are the likeliest: look there first.
    """
    merges_days = rules.merges_days
    lots = purse.ripening if ripens_at else purse.lots
    absorbed = turn.member.absorbed
    if (
        merges_days
        and lots
        and lots[-1].expires_at == expires_at
        and lots[-1].ripens_at == ripens_at
        and not (absorbed and is_brought(absorbed, rules.id, lots[-1].no))
    ):
        return lots[-1]
    opened_at = rules.calendar.day_start(turn.day)
    for lot in reversed(lots):
        if lot.expires_at == expires_at and lot.ripens_at == ripens_at and (merges_days or lot.opened_at == opened_at):
            if absorbed and is_brought(absorbed, rules.id, lot.no):
                continue
            return lot
        if merges_days and not ripens_at and lot.expires_at < expires_at:
            break  # sorted by expiry: nothing further down can match
    lot = Lot(purse.next_lot, opened_at, ripens_at, expires_at, 0)
    purse.next_lot += 1
    turn.effects.lots.append(LotOpened(rules.id, lot.no, opened_at, ripens_at, expires_at))
    insort(lots, lot, key=ripening_order if ripens_at else rules.lot_key)
    return lot


def is_brought(absorbed: list[Absorbed], asset: str, no: int) -> bool:
    """Whether the lot came with somebody who was merged into the member. It stays apart from what is hers, so that it
    can go back."""
    for entry in absorbed:
        raised, most = entry.lots.get(asset, _NO_LOTS)
        if raised < no <= raised + most:
            return True
    return False


def _repay(turn: Turn, asset: str, purse: Purse, lot: Lot) -> None:
    """Pay what the member owes out of value that just became available in ``lot``."""
    amount = min(purse.debt, lot.amount)
    if amount == 0:
        return
    purse.debt -= amount
    purse.available -= amount
    lot.amount -= amount
    if lot.amount == 0:
        purse.lots.remove(lot)
    post(turn, asset, debit=AVAILABLE, credit=DEBT, amount=amount, lot=lot.no, cause=Cause("repay"))


def debit(turn: Turn, asset: str, amount: int, *, target: str, cause: Cause) -> list[Lot]:
    """Take ``amount`` out of the available lots in spend order, one entry per lot.

    The caller has checked the balance; asking for more than there is, is a bug and raises.
    Returns the parts taken: copies of the lots with the amount taken from each.
    """
    purse = purse_of(turn.member, asset)
    if amount > purse.available:
        raise AssertionError(f"debit of {amount} {asset} from {purse.available}")
    parts: list[Lot] = []
    left = amount
    emptied = 0
    for lot in purse.lots:
        if left == 0:
            break
        taken = lot.amount if lot.amount < left else left
        left -= taken
        lot.amount -= taken
        if lot.amount == 0:
            emptied += 1
        parts.append(Lot(lot.no, lot.opened_at, lot.ripens_at, lot.expires_at, taken))
        post(turn, asset, debit=AVAILABLE, credit=target, amount=taken, lot=lot.no, cause=cause)
    del purse.lots[:emptied]
    purse.available -= amount
    if target == HELD:
        purse.held += amount
    # Taking back what was given is no activity of hers.
    tracked = target != REVERSED and turn.rules_of(asset).by_inactivity is not None
    if tracked and turn.now > purse.touched_at:
        purse.touched_at = turn.now
    return parts


def restore(turn: Turn, asset: str, parts: Iterable[Lot], *, source: str, cause: Cause) -> list[Lot]:
    """Give parts back to the very lots they came from, with the same dates. Returns where they went.

    If a lot is past its date meanwhile, the asset's policy decides: ``expire`` (it comes back and is
    booked as expired at once) or ``renew`` (it gets the dates of value that arrives today).
    """
    landed: list[Lot] = []
    rules = turn.rules_of(asset)
    purse = purse_of(turn.member, asset)
    until = max(turn.now, turn.member.now)
    for part in parts:
        if part.amount == 0:
            continue
        if source == HELD:
            purse.held -= part.amount
        if part.ripens_at > until:
            _ripen_on(turn, asset, purse, part, source, cause)
            landed.append(part)
            continue
        if part.expires_at <= until and rules.asset.restored_after_expiry == "renew":
            dates = _renewed(turn, rules)
            landed.append(credit(turn, asset, part.amount, source=source, cause=cause, dates=dates))
            continue
        landed.append(part)
        lot = _reopen(purse, rules, part)
        lot.amount += part.amount
        purse.available += part.amount
        post(turn, asset, debit=source, credit=AVAILABLE, amount=part.amount, lot=lot.no, cause=cause)
        if part.expires_at <= until:
            _expire(turn, asset, purse, lot)
        elif purse.debt:
            _repay(turn, asset, purse, lot)
    return landed


def _ripen_on(turn: Turn, asset: str, purse: Purse, part: Lot, source: str, cause: Cause) -> None:
    """Give back what had not ripened yet: it goes on ripening."""
    lot = next((lot for lot in purse.ripening if lot.no == part.no), None)
    if lot is None:
        lot = Lot(part.no, part.opened_at, part.ripens_at, part.expires_at, 0)
        insort(purse.ripening, lot, key=ripening_order)
    lot.amount += part.amount
    purse.pending += part.amount
    post(turn, asset, debit=source, credit=PENDING, amount=part.amount, lot=part.no, cause=cause)


def _renewed(turn: Turn, rules: AssetRules) -> Dates:
    return 0, rules.dates(turn.day, member=turn.member)[1]


def _reopen(purse: Purse, rules: AssetRules, part: Lot) -> Lot:
    """The available lot with the part's number, put back at its place if it was used up."""
    for lot in purse.lots:
        if lot.no == part.no:
            return lot
    lot = Lot(part.no, part.opened_at, 0, part.expires_at, 0)
    insort(purse.lots, lot, key=rules.lot_key)
    return lot


def take_from_lot(turn: Turn, asset: str, amount: int, *, no: int, target: str, cause: Cause) -> int:
    """Take up to ``amount`` from the lot numbered ``no``, while it ripens or lasts; returns what was taken."""
    purse = purse_of(turn.member, asset)
    taken = _take_from(turn, asset, purse, purse.ripening, no, amount, PENDING, target, cause)
    if taken < amount:
        taken += _take_from(turn, asset, purse, purse.lots, no, amount - taken, AVAILABLE, target, cause)
    return taken


def _take_from(
    turn: Turn,
    asset: str,
    purse: Purse,
    lots: list[Lot],
    no: int,
    amount: int,
    account: str,
    target: str,
    cause: Cause,
) -> int:
    """Take up to ``amount`` from the lot numbered ``no`` in ``lots``; returns what was taken."""
    for index, lot in enumerate(lots):
        if lot.no == no:
            taken = min(amount, lot.amount)
            lot.amount -= taken
            if lot.amount == 0:
                del lots[index]
            if account == PENDING:
                purse.pending -= taken
            else:
                purse.available -= taken
            if taken:
                post(turn, asset, debit=account, credit=target, amount=taken, lot=no, cause=cause)
            return taken
    return 0


def next_due(turn: Turn) -> Instant:
    """The next instant at which a lot ripens, ends, or deserves a notice."""
    due, assets = NEVER, turn.program.assets
    for asset, purse in turn.member.purses.items():
        rules = assets.get(asset)
        if rules is None:
            continue
        if purse.ripening and purse.ripening[0].ripens_at < due:
            due = purse.ripening[0].ripens_at
        lots = purse.lots
        if not lots:
            continue
        ends = lots[0].expires_at if rules.merges_days else min(lot.expires_at for lot in lots)
        if rules.by_inactivity is not None:
            ends = min(ends, rules.inactive_at(purse, turn.member))
        if ends < due:
            due = ends
        if ends != NEVER and rules.notice_days:
            notice = _next_notice(turn, rules, purse, ends)
            if notice < due:
                due = notice
    return due


def _next_notice(turn: Turn, rules: AssetRules, purse: Purse, soonest: Instant) -> Instant:
    """The next notice still to come. Notices before ``member.now`` are past: each falls due exactly once."""
    after = turn.member.now
    best = NEVER
    if rules.by_inactivity is not None:
        return min((at for at in rules.notices[soonest] if at > after), default=NEVER)
    for lot in purse.lots:
        if lot.expires_at == NEVER:
            continue
        notices = rules.notices[lot.expires_at]
        for at in notices:
            if after < at < best:
                best = at
        if rules.merges_days and notices[0] > best:
            break  # sorted by expiry: the notices of later lots come later still
    return best


def fall_due(turn: Turn) -> None:
    """Ripen, expire and give notice of whatever is due at ``turn.now``."""
    for asset, purse in turn.member.purses.items():
        rules = turn.program.assets.get(asset)
        if rules is None:
            continue
        while purse.ripening and purse.ripening[0].ripens_at <= turn.now:
            _ripen(turn, asset, purse, rules)
        if purse.lots:
            ended = (
                list(purse.lots)
                if rules.inactive_at(purse, turn.member) <= turn.now
                else [lot for lot in purse.lots if lot.expires_at <= turn.now]
            )
            for lot in ended:
                _expire(turn, asset, purse, lot)
        if purse.lots and rules.notice_days:
            _notice(turn, rules, purse)


def _ripen(turn: Turn, asset: str, purse: Purse, rules: AssetRules) -> None:
    lot = purse.ripening.pop(0)
    purse.pending -= lot.amount
    purse.available += lot.amount
    post(turn, asset, debit=PENDING, credit=AVAILABLE, amount=lot.amount, lot=lot.no, cause=Cause("ripen"))
    ripe = Lot(lot.no, lot.opened_at, 0, lot.expires_at, lot.amount)
    insort(purse.lots, ripe, key=rules.lot_key)
    if purse.debt:
        _repay(turn, asset, purse, ripe)


def _expire(turn: Turn, asset: str, purse: Purse, lot: Lot) -> None:
    purse.lots.remove(lot)
    purse.available -= lot.amount
    if lot.amount:
        post(
            turn,
            asset,
            debit=AVAILABLE,
            credit=EXPIRED,
            amount=lot.amount,
            lot=lot.no,
            cause=Cause("expire", why={"opened_at": lot.opened_at}),
        )


def _notice(turn: Turn, rules: AssetRules, purse: Purse) -> None:
    """One message per asset and day, for all lots that end in exactly 30, 7, 1 … days."""
    inactive_at = rules.inactive_at(purse, turn.member)
    for days in rules.notice_days:
        end = rules.calendar.day_start(turn.day + days)
        amount = (
            purse.available if inactive_at == end else sum(lot.amount for lot in purse.lots if lot.expires_at == end)
        )
        if amount and rules.calendar.day_start(turn.day) == turn.now:
            body = {"asset": rules.id, "amount": amount, "expires_at": end, "days": days}
            turn.effects.wanted.append(Wanted("asset.expiring", body, turn.now))


def spendable(member: Member, asset: str) -> int:
    """What the member can spend now, in units of the asset."""
    purse = member.purses.get(asset)
    return purse.available if purse is not None else 0


def is_spendable(rules: AssetRules) -> bool:
    """Whether members may pay with the asset at all (qualifying assets only count)."""
    return rules.asset.kind is not AssetKind.QUALIFYING
