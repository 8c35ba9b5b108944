"""Measures: per-day series of what a member did, and windows over them.

A series keeps running totals, so a window is one or two searches and a subtraction, whatever its length.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import TYPE_CHECKING

from shuke.engine.activity import Line
from shuke.engine.facts import exact_number
from shuke.engine.member import Member, Series, Standing
from shuke.engine.orders import Counted, Order, back
from shuke.engine.turn import Turn
from shuke.program.condition_tree import Window
from shuke.program.measures import Measure
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import Day, Instant
from shuke.values.periods import Period, Unit, anniversary_on_or_before, start_of, subtract

if TYPE_CHECKING:
    from shuke.engine.compiled import Editions
    from shuke.engine.conditions import Names

PAYLOAD_SCALE = 10**6
"""Sums of payload numbers (kilometres, nights) are kept in millionths."""

PAYLOAD_MOST = 2**63 - 1
"""The most that a sum of payload numbers comes to, in millionths: nine million million of whatever is summed. Other
measures are amounts and counts, and go up to ``MAX_AMOUNT``."""

_LATE_DAYS = 62  # late facts may still arrive this long after a window has passed them
_TERM_REACH_DAYS = 1_130  # a term is at most three years; a longer one looks back no further
_PRUNE_ABOVE = 48
_FOR_EVER = 10**9  # days

_REACH = {"days": 1, "weeks": 7, "months": 31, "years": 366}


def reach_days(window: Window) -> int:
    """How many days back a window can look, at most. 0 for a lifetime: it needs no days at all."""
    if window.kind == "lifetime":
        return 0
    if window.kind == "rolling":
        return window.count * _REACH[window.unit] + _LATE_DAYS
    if window.kind == "term":
        return _TERM_REACH_DAYS + _LATE_DAYS
    return (732 if window.kind == "last_calendar" else 366) + _LATE_DAYS


def can_hold(series: Series, day: Day, amount: int, *, most: int) -> bool:
    """Whether every running total from ``day`` on stays within ``most``, above and below zero, with so much more."""
    days, totals = series.days, series.totals
    if not days or day >= days[-1]:
        return abs(lifetime(series) + amount) <= most
    at = bisect_left(days, day)
    before = totals[at - 1] if at else series.base
    return all(abs(total + amount) <= most for total in (before, *totals[at:]))


def put(series: Series, day: Day, amount: int, *, keep_days: int) -> None:
    """Add ``amount`` (may be negative) to ``day``; days older than ``keep_days`` melt into the base."""
    days, totals = series.days, series.totals
    if keep_days == 0:
        series.base += amount
        return
    if days and days[-1] == day:
        totals[-1] += amount
    elif not days or day > days[-1]:
        totals.append((totals[-1] if totals else series.base) + amount)
        days.append(day)
        if len(days) > _PRUNE_ABOVE and days[0] < day - keep_days:
            _prune(series, day - keep_days)
    else:
        _put_late(series, day, amount)


def _put_late(series: Series, day: Day, amount: int) -> None:
    days, totals = series.days, series.totals
    at = bisect_left(days, day)
    if at == len(days) or days[at] != day:
        days.insert(at, day)
        totals.insert(at, totals[at - 1] if at else series.base)
    for position in range(at, len(totals)):
        totals[position] += amount


def _prune(series: Series, before: Day) -> None:
    cut = bisect_left(series.days, before)
    if cut:
        series.base = series.totals[cut - 1]
        del series.days[:cut]
        del series.totals[:cut]


def between(series: Series, start: Day, end: Day | None = None) -> int:
    """The sum of the days from ``start`` on, up to but without ``end``."""
    days, totals = series.days, series.totals
    if not days:
        return 0
    first = bisect_left(days, start)
    before = totals[first - 1] if first else series.base
    if end is None or days[-1] < end:
        return totals[-1] - before
    last = bisect_left(days, end)
    return (totals[last - 1] if last else series.base) - before


def _days_between(series: Series, start: Day, end: Day) -> int:
    """How many days a series of days has from ``start`` on, up to but without ``end``."""
    return bisect_left(series.days, end) - bisect_left(series.days, start)


def lifetime(series: Series) -> int:
    return series.totals[-1] if series.totals else series.base


# -- Series of days: on which days something happened -----------------------------------------------------


def mark(series: Series, day: Day, times: int, *, keep_days: int) -> None:
    """Count ``times`` (may be negative) occurrences on ``day``; a day with none left is no longer there.

    ``totals`` runs beside ``days`` with each day's own count, and ``base`` counts the days already melted.
    """
    days, counts = series.days, series.totals
    at = bisect_left(days, day)
    if at < len(days) and days[at] == day:
        counts[at] += times
        if counts[at] <= 0:
            del days[at], counts[at]
    elif times > 0:
        days.insert(at, day)
        counts.insert(at, times)
        if len(days) > _PRUNE_ABOVE and days[0] < day - keep_days:
            cut = bisect_left(days, day - keep_days)
            series.base += cut
            del days[:cut], counts[:cut]


# -- Readers: what conditions call ------------------------------------------------------------------------


def reader(measure: str, window: Window, names: Names, ladder: str | None = None) -> Callable[[Turn], int]:
    """A function that reads the measure in the window as of the turn's day.

    A window ends with the turn's day, so that a late fact and a review of the past see what was true then.
    """
    counts_days = names.counts_days(measure)
    if window.kind == "lifetime":
        return _lifetime_reader(measure, counts_days)
    if window.kind == "term":
        on = window.ladder or ladder
        if on is None:
            raise ValueError("a term needs a ladder: write 'term of <ladder>'")
        return _term_reader(measure, on, counts_days)
    count = _days_between if counts_days else between
    if window.kind == "membership_year":
        return _membership_year_reader(measure, count)
    bounds = _Bounds(window)

    def read(turn: Turn) -> int:
        series = turn.member.series.get(measure)
        return 0 if series is None else count(series, *bounds[turn.day])

    return read


def _membership_year_reader(measure: str, count: Callable[[Series, Day, Day], int]) -> Callable[[Turn], int]:
    def read(turn: Turn) -> int:
        series = turn.member.series.get(measure)
        if series is None:
            return 0
        joined, today = turn.program.calendar.day(turn.member.joined_at), turn.day
        return count(series, anniversary_on_or_before(today, joined) if joined <= today else today, today + 1)

    return read


def _lifetime_reader(measure: str, counts_days: bool) -> Callable[[Turn], int]:
    def read(turn: Turn) -> int:
        series = turn.member.series.get(measure)
        if series is None:
            return 0
        return series.base + len(series.days) if counts_days else lifetime(series)

    return read


def _term_reader(measure: str, ladder: str, counts_days: bool) -> Callable[[Turn], int]:
    """Since the standing began; what its first day had counted before that belongs to the term before."""

    def read(turn: Turn) -> int:
        series = turn.member.series.get(measure)
        if series is None:
            return 0
        standing = turn.member.standings.get(ladder)
        since = standing.since if standing is not None else turn.member.joined_at
        start, end = turn.program.calendar.day(since), turn.day + 1
        if end <= start:  # a late fact of the term before
            return 0
        earlier = standing.term_start_totals.get(measure, 0) if standing is not None else 0
        return (_days_between if counts_days else between)(series, start, end) - earlier

    return read


def day_total(series: Series | None, day: Day) -> int:
    """What one day counts."""
    return 0 if series is None else between(series, day, day + 1)


class _Bounds(dict[Day, tuple[Day, Day]]):
    """Day -> the first day of the window as of then, and the day after its last. A dict, because a hit then
    never leaves C."""

    def __init__(self, window: Window) -> None:
        super().__init__()
        self._window = window

    def __missing__(self, day: Day) -> tuple[Day, Day]:
        if len(self) > 512:
            self.clear()
        found = self[day] = window_days(self._window, day)
        return found


def window_days(window: Window, day: Day) -> tuple[Day, Day]:
    """The first day of a rolling or calendar window as of ``day``, and the day after its last."""
    if window.kind == "rolling":
        return subtract(day, Period(window.count, Unit(window.unit))) + 1, day + 1
    unit = window.unit
    start = start_of(day, unit)  # type: ignore[arg-type]  # the window allows only month, quarter, year
    if window.kind == "calendar":
        return start, day + 1
    return start_of(start - 1, unit), start  # type: ignore[arg-type]  # as above


def streak_reader(measure: str, names: Names) -> Callable[[Turn], int]:
    """Consecutive days with the activity, ending today, or yesterday if today has none yet."""
    del names

    def read(turn: Turn) -> int:
        series = turn.member.series.get(measure)
        if series is None or not series.days:
            return 0
        days = series.days
        at = bisect_left(days, turn.day + 1) - 1
        if at < 0 or days[at] < turn.day - 1:
            return 0
        length = 1
        while at > 0 and days[at - 1] == days[at] - 1:
            at -= 1
            length += 1
        return length

    return read


def days_since_reader(measure: str, names: Names) -> Callable[[Turn], int | None]:
    """Local days since the latest day with the activity up to today; None if there was none."""
    del names

    def read(turn: Turn) -> int | None:
        series = turn.member.series.get(measure)
        at = bisect_left(series.days, turn.day + 1) if series is not None else 0
        return turn.day - series.days[at - 1] if series is not None and at else None

    return read


# -- Counting ---------------------------------------------------------------------------------------------


Test = Callable[[Turn, Line | None], bool]
Amount = Callable[[Turn], "tuple[int, list[int] | None]"]


class Counter:
    """A measure, compiled: which activities count, how much (and by which lines), for how long days are kept."""

    __slots__ = ("amount", "counts_days", "id", "keep_days", "measure", "most", "when", "whole")

    def __init__(self, measure: Measure, *, keep_days: int, when: Test | None, lines: Test | None) -> None:
        self.measure, self.id = measure, measure.id
        self.keep_days, self.when = keep_days, when
        self.counts_days = measure.kind == "days"
        self.whole = measure.kind != "sum"
        self.most = PAYLOAD_MOST if measure.of.startswith("payload.") else MAX_AMOUNT
        self.amount = _amount(measure, lines)


def _amount(measure: Measure, lines: Test | None) -> Amount:
    """What an activity adds to the measure, and the weights of its lines (None: their amounts)."""
    if measure.kind != "sum":
        return lambda turn: (1 if lines is None or _any_line(turn, lines) else 0, None)
    if measure.of.startswith("payload."):
        field = measure.of.removeprefix("payload.")
        return lambda turn: (_payload_number(turn, field), None)
    items = measure.of == "items"
    if items or lines is not None:
        return lambda turn: _line_weights(turn, lines, items=items)
    return _spent


def _spent(turn: Turn) -> tuple[int, list[int] | None]:
    amounts, goods = turn.priced()
    return goods, None if turn.is_whole() else [*amounts[:-2], 0, 0]


def _any_line(turn: Turn, test: Test) -> bool:
    return turn.purchase is not None and any(test(turn, line) for line in turn.purchase.lines)


def _line_weights(turn: Turn, test: Test | None, *, items: bool) -> tuple[int, list[int]]:
    amounts = turn.basis()
    weights = [0] * len(amounts)
    for position, line in enumerate(turn.purchase.lines if turn.purchase is not None else ()):
        if test is None or test(turn, line):
            weights[position] = line.quantity if items else amounts[position]
    return sum(weights), weights


def count(turn: Turn) -> None:
    """Add this activity to every measure that counts its type."""
    counters = turn.program.counters.get(turn.activity.type)
    if counters is None:
        return
    order, day = turn.order, turn.day
    since = None if order is None else order.refunded_before()
    for counter in counters:
        if counter.when is None or counter.when(turn, None):
            amount, weights = counter.amount(turn)
            if amount and add_to(turn, counter, day, amount) and order is not None:
                order.counts.append(Counted(counter.id, day, amount, weights, counter.whole, since))


def add_to(turn: Turn, counter: Counter, day: Day, amount: int) -> bool:
    """Count ``amount`` (may be negative) on ``day``. What would be more than a measure can be is not counted, and told
    as skipped: an order is settled all the same."""
    series = turn.member.series.get(counter.id)
    if series is None:
        series = turn.member.series[counter.id] = Series()
    if counter.counts_days:
        mark(series, day, amount, keep_days=counter.keep_days)
    elif can_hold(series, day, amount, most=counter.most):
        put(series, day, amount, keep_days=counter.keep_days)
    else:
        turn.skip(counter.id, "measure_too_large", {})
        return False
    return True


def is_of_days(editions: Editions, measure: str) -> bool:
    """Whether the measure's series says on which days something happened, in whichever version has it."""
    return any(edition.names.counts_days(measure) for edition in editions.compiled)


def add(turn: Turn, measure: str, day: Day, amount: int) -> None:
    """Add to a measure by its id, also one that the program in force does not keep; no day melts by this."""
    series = turn.member.series.get(measure)
    if series is None:
        series = turn.member.series[measure] = Series()
    if is_of_days(turn.editions, measure):
        mark(series, day, amount, keep_days=_FOR_EVER)
    else:
        put(series, day, amount, keep_days=_FOR_EVER)


def _payload_number(turn: Turn, field: str) -> int:
    """A number of the payload in millionths (what is smaller is dropped); what is not a number counts nothing."""
    number = exact_number((turn.activity.payload or {}).get(field))
    return 0 if number is None else number.numerator * PAYLOAD_SCALE // number.denominator


def count_earned(turn: Turn, asset: str, amount: int, weights: list[int] | None) -> None:
    """Count what was earned of an asset, where some condition asks for it."""
    counter = turn.program.earned_counters.get(asset)
    if counter is None:
        return
    if add_to(turn, counter, turn.day, amount) and turn.order is not None:
        since = turn.order.refunded_before()
        turn.order.counts.append(Counted(counter.id, turn.day, amount, weights, since=since))


def uncount(turn: Turn, order: Order, before: list[int], after: list[int]) -> None:
    """Take out of the measures, on the days they were counted, what the refund moved."""
    was, now = order.is_back(before), order.is_back(after)
    for counted in order.counts:
        if counted.whole:
            delta = counted.amount * (int(now) - int(was))
        else:
            total, weights, since = counted.amount, counted.weights, counted.since
            delta = back(order, total, weights, after, since) - back(order, total, weights, before, since)
        counter = turn.program.counter(counted.measure)
        if not delta or counter is None or counted.measure not in turn.member.series:
            continue
        if add_to(turn, counter, counted.day, -delta) and not counter.counts_days:
            _uncount_start(turn, order, counted, delta)


def _uncount_start(turn: Turn, order: Order, counted: Counted, delta: int) -> None:
    """What comes back of the day a term began, and was counted before it did, leaves the term before."""
    for ladder, present in turn.member.standings.items():
        if not order.adopted or _is_brought(turn.member, ladder, present):
            uncount_start(turn, present, counted.measure, counted.day, delta, placed_at=order.placed_at)


def uncount_start(turn: Turn, present: Standing, measure: str, day: Day, delta: int, *, placed_at: Instant) -> None:
    """Take what an order counted on the day a term began out of the term before, if it was placed before it began."""
    for standing in (present, present.earlier):
        if standing is None or measure not in standing.term_start_totals:
            continue
        if placed_at <= standing.since and turn.program.calendar.day(standing.since) == day:
            standing.term_start_totals[measure] -= delta


def _is_brought(member: Member, ladder: str, standing: Standing) -> bool:
    """Whether the standing came with somebody who was merged into the member."""
    brought = (entry.was.standings.get(ladder) for entry in member.absorbed if entry.was is not None)
    return any(changed and is_same_term(standing, changed[0]) for changed in brought)


def is_same_term(one: Standing | None, other: Standing) -> bool:
    """Whether both are the same term on the same tier; what counted on its first day may have changed."""
    return one is not None and (one.tier, one.since, one.until, one.by) == (
        other.tier,
        other.since,
        other.until,
        other.by,
    )
