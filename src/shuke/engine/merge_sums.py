"""What two members' counters come to together, and what is left of one's when the other's part leaves again.

Adding and taking away leave no trace: a day or a period that stands at nothing because of it goes, one that stood at
nothing before stays (``Was.zeros``).
"""

from __future__ import annotations

from bisect import bisect_left
from itertools import pairwise

from shuke.engine.measures import add, is_of_days
from shuke.engine.member import Member, Series, Was
from shuke.engine.turn import Turn
from shuke.values.instants import Day


def add_series(turn: Turn, her: Member, was: Was) -> None:
    """Per-day sums are added day by day; days on which something happened are those of both."""
    for measure, series in her.series.items():
        mine = turn.member.series.get(measure)
        of_days = is_of_days(turn.editions, measure)
        if mine is None:
            turn.member.series[measure] = Series(list(series.days), list(series.totals), series.base)
            continue
        amounts = amounts_of(series, of_days=of_days)
        if not of_days:
            stood = amounts_of(mine, of_days=False)
            was.zeros += [[measure, day] for day in amounts if stood.get(day) == 0]
        for day, amount in amounts.items():
            add(turn, measure, day, amount)
        _add_base(mine, series.base, of_days=of_days)


def take_series(turn: Turn, her: Member, was: Was) -> None:
    """Her part leaves again; what of it has melted into the total leaves the total."""
    zeros = {(measure, day) for measure, day in was.zeros}
    for measure, series in her.series.items():
        mine = turn.member.series.get(measure)
        if mine is None:
            continue
        of_days = is_of_days(turn.editions, measure)
        for day, amount in amounts_of(series, of_days=of_days).items():
            at = bisect_left(mine.days, day)
            if at == len(mine.days) or mine.days[at] != day:
                _add_base(mine, -1 if of_days else -amount, of_days=of_days)
                continue
            add(turn, measure, day, -amount)
            if not of_days and (measure, day) not in zeros:
                _drop_if_nothing(mine, at)
        _add_base(mine, -series.base, of_days=of_days)
        if measure not in was.series and not mine.days and not mine.base:
            del turn.member.series[measure]


def amounts_of(series: Series, *, of_days: bool) -> dict[Day, int]:
    """Per day, its amount or how often something happened."""
    if of_days:
        return dict(zip(series.days, series.totals, strict=True))
    steps = (later - earlier for earlier, later in pairwise([series.base, *series.totals]))
    return dict(zip(series.days, steps, strict=True))


def _add_base(series: Series, amount: int, *, of_days: bool) -> None:
    series.base += amount
    if not of_days:
        for position in range(len(series.totals)):
            series.totals[position] += amount


def _drop_if_nothing(series: Series, at: int) -> None:
    before = series.totals[at - 1] if at else series.base
    if series.totals[at] == before:
        del series.days[at], series.totals[at]


# -- Limits and gifts --------------------------------------------------------------------------------------


def add_used(member: Member, her: Member, was: Was) -> None:
    """What both have used of a limit counts against it."""
    for limit, periods in her.used.items():
        mine = member.used.setdefault(limit, {})
        for period, amount in periods.items():
            if mine.get(period) == 0:
                was.zeros.append([limit, period])
            mine[period] = mine.get(period, 0) + amount


def take_used(member: Member, her: Member, was: Was) -> None:
    zeros = {(limit, period) for limit, period in was.zeros}
    for limit, periods in her.used.items():
        mine = member.used.get(limit)
        if mine is None:
            continue
        for period, amount in periods.items():
            if period not in mine:  # so long ago that nobody asks any more
                continue
            mine[period] = max(0, mine[period] - amount)
            if mine[period] == 0 and (limit, period) not in zeros:
                del mine[period]
        if not mine and limit not in was.used:
            del member.used[limit]


def add_once(member: Member, her: Member, was: Was) -> None:
    """A gift that either of them had is had. Of birthdays the later one counts, of everything else the first time."""
    for gift, at in her.once.items():
        mine = member.once.get(gift)
        later = gift.startswith("birthday/")
        made = at if mine is None else max(mine, at) if later else min(mine, at)
        if made != mine:
            was.once[gift] = [made] if mine is None else [made, mine]
            member.once[gift] = made


def take_once(member: Member, was: Was) -> None:
    for gift, (made, *before) in was.once.items():
        if member.once.get(gift) == made:
            if before:
                member.once[gift] = before[0]
            else:
                del member.once[gift]
