"""What a condition means, said as plainly as possible: the yardstick for every faster way to evaluate it.

Numbers are fractions of whole units, dates are dates, and every question walks the tree anew.
"""

import calendar
import operator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from decimal import Decimal
from fractions import Fraction

from shuke.program.conditions import (
    Ago,
    All,
    Any,
    Balance,
    Between,
    Compare,
    Constant,
    DaysSince,
    Fact,
    Has,
    In,
    InNext,
    IsToday,
    Measured,
    Month,
    Not,
    Ratio,
    Sequence,
    Streak,
    Tier,
)

CENT = Fraction(1, 100)
TIERS = ("basic", "silver", "gold")
SCALES = {"points": 0, "growth": 1}
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
OPERATORS = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


@dataclass
class World:
    """Everything a condition can ask. ``measures`` are amounts per date in units of the measure, ``days`` are
    dates on which something happened; nothing lies after ``today``. ``happened`` is what audiences look up, in the
    order of settling: (type, microseconds, date, payload); ``at`` is now in microseconds."""

    today: date
    minute: int
    joined: date
    purchase: object = None
    line: object = None
    payload: dict | None = None
    traits: dict = field(default_factory=dict)
    tags: list = field(default_factory=list)
    tier: str | None = None
    since: date | None = None
    purses: dict = field(default_factory=dict)
    measures: dict = field(default_factory=dict)
    days: dict = field(default_factory=dict)
    happened: list = field(default_factory=list)
    at: int = 0


def holds(node, world):
    match node:
        case Constant(truth):
            return truth
        case All(nodes):
            return all(holds(child, world) for child in nodes)
        case Any(nodes):
            return any(holds(child, world) for child in nodes)
        case Not(child):
            return not holds(child, world)
        case Compare(Tier(), op, tier):
            return world.tier is not None and OPERATORS[op](TIERS.index(world.tier), TIERS.index(tier))
        case Compare(term, op, right):
            like, against = sides(term, op, right, world)
            return like is not None and against is not None and OPERATORS[op](like, against)
        case In(Tier(), tiers, negated):
            return world.tier is not None and (world.tier in tiers) is not negated
        case In(term, values, negated):
            told = told_as(term, plainly(values[0], world), world)
            return told is not None and any(told == plainly(value, world) for value in values) is not negated
        case Between(Tier(), low, high):
            return world.tier is not None and TIERS.index(low) <= TIERS.index(world.tier) <= TIERS.index(high)
        case Between(term, low, high):
            low, high = plainly(low, world), plainly(high, world)
            told = told_as(term, low, world)
            return told is not None and low <= told <= high
        case Has(fact, texts):
            listed = told_of(fact, world)
            return isinstance(listed, list) and any(text in listed for text in texts)
        case IsToday(fact):
            return month_and_day(told_of(fact, world)) in kept_today(world.today)
        case InNext(fact, days):
            kept = [month_and_day(told_of(fact, world)) in kept_today(world.today + timedelta(n)) for n in range(days)]
            return any(kept)
        case Sequence():
            return any(starts(node, index, world) for index in range(len(world.happened)))


def starts(node, index, world):
    """Whether what happened at the index begins a sequence."""
    type_, at, day, _ = world.happened[index]
    if type_ != node.first or not within(day, node.last, world) or at > world.at:
        return False
    span = node.count * {"hours": 3600, "days": 86400, "weeks": 604800}[node.unit] * 1_000_000
    after = [
        (other, place)
        for place, (what, other, _, _) in enumerate(world.happened)
        if what == node.then and at <= other <= at + span and (other > at or place > index)
    ]
    return at + span <= world.at and not after if node.negated else bool(after)


def sides(left, op, right, world):
    if not is_term(right):
        right = plainly(right, world)
        return told_as(left, right, world), right
    if is_open(left) and is_open(right):
        example = "" if op in ("=", "!=") else 0
        return told_as(left, example, world), told_as(right, example, world)
    if is_open(left):
        against = value_of(right, world)
        return told_as(left, against, world), against
    like = value_of(left, world)
    return like, told_as(right, like, world)


def is_term(value):
    return not isinstance(value, bool | int | Decimal | str | date | time | Ago)


def is_open(term):
    return isinstance(term, Fact) and (
        term.scope == "trait"
        or (term.scope == "activity" and term.name not in ("type", "source"))
        or (term.scope == "line" and term.name in ("roast", "weight"))
    )


def plainly(value, world):
    """A literal as terms are told: numbers as fractions, days as dates."""
    if isinstance(value, Ago):
        times = 1 if value.ahead else -1
        if value.unit in ("days", "weeks"):
            return world.today + timedelta(times * value.count * (7 if value.unit == "weeks" else 1))
        return months_after(world.today, times * value.count * (12 if value.unit == "years" else 1))
    return Fraction(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else value


def told_as(term, example, world):
    """The value of a term, which, if it is open, has to be of the kind of the example."""
    told = value_of(term, world)
    if not is_open(term) or told is None or example is None:
        return told
    if isinstance(example, bool):
        return told if isinstance(told, bool) else None
    if isinstance(example, int | Decimal | Fraction):
        return number_in(told)
    if isinstance(told, str):
        if isinstance(example, str):
            return told
        try:
            if isinstance(example, date):
                return date.fromisoformat(told)
            return time.fromisoformat(told) if len(told) == 5 and told[2] == ":" else None
        except ValueError:
            return None
    return None


def number_in(told):
    if isinstance(told, bool):
        return None
    if isinstance(told, str):
        whole, _, decimals = told.removeprefix("-").partition(".")
        ascii_digits = all(part.isascii() and part.isdigit() for part in (whole, decimals or "0"))
        return Fraction(told) if ascii_digits and not told.endswith(".") else None
    return Fraction(told) if isinstance(told, int | Decimal) else None


def value_of(term, world):
    match term:
        case Fact():
            told = told_of(term, world)
            if term.name == "birthday":
                return date.fromisoformat(told) if isinstance(told, str) and len(told) == 10 else None
            return told
        case Measured(measure, window) if measure.startswith("distinct:"):
            type_, _, name = measure.removeprefix("distinct:").rpartition(".")
            told = [past[3].get(name) for past in world.happened if past[0] == type_ and within(past[2], window, world)]
            return Fraction(len({str(value) for value in told if value is not None}))
        case Measured(measure, window):
            total = sum(amount for day, amount in world.measures.get(measure, {}).items() if within(day, window, world))
            return total * unit_of(measure)
        case Streak():
            days = world.days.get(term.measure, set())
            day = world.today if world.today in days else world.today - timedelta(1)
            length = 0
            while day in days:
                length, day = length + 1, day - timedelta(1)
            return Fraction(length)
        case DaysSince():
            days = world.days.get(term.measure, set())
            return Fraction((world.today - max(days)).days) if days else None
        case Balance(asset):
            return Fraction(world.purses.get(asset, 0), 10 ** SCALES[asset])
        case Month(fact):
            found = month_and_day(told_of(fact, world))
            return None if found is None else Fraction(found[0])
        case Ratio(top, bottom):
            over, under = told_as(top, 0, world), told_as(bottom, 0, world)
            return None if over is None or not under else over / under


def unit_of(measure):
    if measure.startswith("earned:"):
        return Fraction(1, 10 ** SCALES[measure.removeprefix("earned:")])
    if measure.startswith("sum:") or measure == "distance":
        return Fraction(1, 1_000_000)
    return CENT if measure == "spend" else Fraction(1)


def told_of(fact, world):
    """What is told under the fact's name, or None."""
    match fact.scope:
        case "order":
            return None if world.purchase is None else order_fact(fact.name, world.purchase)
        case "line":
            return None if world.line is None else line_fact(fact.name, world.line)
        case "trait":
            return world.traits.get(fact.name)
        case "activity":
            return {"type": "order.paid", "source": "pos", **(world.payload or {})}.get(fact.name)
        case "member":
            known = {"status": "active", "joined": world.joined, "tags": world.tags, "months": months(world)}
            return known[fact.name] if fact.name in known else world.traits.get(fact.name)
        case "now":
            return {
                "date": world.today,
                "weekday": WEEKDAYS[world.today.weekday()],
                "day": Fraction(world.today.day),
                "month": Fraction(world.today.month),
                "year": Fraction(world.today.year),
                "hour": Fraction(world.minute // 60),
                "minute": Fraction(world.minute % 60),
                "time": time(world.minute // 60, world.minute % 60),
            }[fact.name]


def order_fact(name, purchase):
    return {
        "amount": sum(line.amount for line in purchase.lines) * CENT,
        "list_amount": sum(list_amount(line) for line in purchase.lines) * CENT,
        "channel": purchase.channel,
        "store": purchase.store,
        "payment": purchase.payment,
        "tax": purchase.tax * CENT,
        "shipping": purchase.shipping * CENT,
        "items": Fraction(sum(line.quantity for line in purchase.lines)),
        "lines": Fraction(len(purchase.lines)),
        "coupons": purchase.uses.coupons if purchase.uses else None,
    }[name]


def line_fact(name, line):
    known = {
        "amount": line.amount * CENT,
        "list_amount": list_amount(line) * CENT,
        "quantity": Fraction(line.quantity),
        "sku": line.sku,
        "category": line.category,
        "brand": line.brand,
        "tags": line.tags,
    }
    return known[name] if name in known else (line.attributes or {}).get(name)


def list_amount(line):
    return line.amount if line.list_amount is None else line.list_amount


def months(world):
    count = 0
    while months_after(world.joined, count + 1) <= world.today:
        count += 1
    return Fraction(count)


def months_after(day, count):
    index = day.year * 12 + day.month - 1 + count
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, calendar.monthrange(year, month)[1]))


def within(day, window, world):
    today = world.today
    match window.kind:
        case "lifetime":
            return True
        case "rolling":
            if window.unit in ("days", "weeks"):
                return day > today - timedelta(window.count * (7 if window.unit == "weeks" else 1))
            return day > months_after(today, -window.count * (12 if window.unit == "years" else 1))
        case "calendar":
            return block(day, window.unit) == block(today, window.unit)
        case "last_calendar":
            return block(day, window.unit) == block(today, window.unit) - 1
        case "membership_year":
            past = [months_after(world.joined, 12 * years) for years in range(200)]
            return day >= max(start for start in past if start <= today)
        case "term":
            return day >= (world.since or world.joined)


def block(day, unit):
    length = {"month": 1, "quarter": 3, "year": 12}[unit]
    return (day.year * 12 + day.month - 1) // length


def month_and_day(told):
    if isinstance(told, str):
        parts = told.removeprefix("--").split("-")
        try:
            told = date(*(int(part) for part in parts)) if len(parts) == 3 else date(2000, *map(int, parts))
        except (ValueError, TypeError):
            return None
    return (told.month, told.day) if isinstance(told, date) else None


def kept_today(today):
    kept = [(today.month, today.day)]
    if kept == [(2, 28)] and not calendar.isleap(today.year):
        kept.append((2, 29))
    return kept
