"""Turns for tests of single features: a member, an activity and a moment, without a whole program."""

from datetime import date
from functools import cache

from shuke.engine.activity import Activity
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.member import ACTIVE, Member, Series
from shuke.engine.turn import Context, Turn
from shuke.program.document import Program
from shuke.values.instants import SECOND, calendar_of


def turn_on(
    day,
    *,
    second=12 * 3600,
    zone="Asia/Taipei",
    joined="2024-01-31",
    type="order.paid",
    source="pos",
    payload=None,
    purchase=None,
    **member_parts,
):
    """A turn at ``second`` of the local ``day`` ("2026-05-01"), in a program of nothing but a zone."""
    calendar = calendar_of(zone)
    at = calendar.at_wall(date.fromisoformat(day).toordinal(), second * SECOND)
    joined_at = calendar.day_start(date.fromisoformat(joined).toordinal())
    member = Member("m1", joined_at, **{"status": ACTIVE, **member_parts})
    activity = Activity(type, "m1", at, source, "k1", payload=payload, purchase=purchase)
    return Turn(_bare_program(zone), member, activity, Context())


@cache
def _bare_program(zone):
    return Editions([Compiled(Program(id="bare", currency="USD", zone=zone))])


def series_of(amounts):
    """A series from ``{"2026-04-01": 12000, …}``, in units of the measure, as running totals."""
    series, total = Series(), 0
    for day in sorted(amounts):
        total += amounts[day]
        series.days.append(date.fromisoformat(day).toordinal())
        series.totals.append(total)
    return series


def days_of(*days):
    """A series of days on which something happened once."""
    ordinals = sorted(date.fromisoformat(day).toordinal() for day in days)
    return Series(days=ordinals, totals=[1] * len(ordinals))
