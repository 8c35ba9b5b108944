"""Generated conditions, and worlds in which they hold or not. Values are few, so that they often meet."""

from datetime import date, time, timedelta
from decimal import Decimal

from hypothesis import strategies as st

from shuke.engine.activity import Line, Payments, Purchase
from shuke.program.condition_tree import ACTIVITY_TYPE
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
    InSegment,
    IsToday,
    Measured,
    Month,
    Not,
    Ratio,
    Sequence,
    Streak,
    Tier,
    Window,
)
from tests.property.naive_conditions import TIERS, WEEKDAYS, World

OPS = st.sampled_from(("=", "!=", "<", "<=", ">", ">="))
EQUALITY = st.sampled_from(("=", "!="))
WORDS = st.sampled_from(("web", "coffee", "dark", "a", "12", "true", "2026-02-28", "台北"))
NUMBERS = st.one_of(
    st.integers(-3, 15),
    st.sampled_from((100, 120, 500, 2026)),
    st.decimals(-2, 15, places=2),
    st.just(Decimal("0.005")),
)
DATES = st.one_of(
    st.dates(date(2024, 1, 1), date(2027, 12, 31)),
    st.sampled_from((date(2024, 2, 29), date(2026, 2, 28), date(2026, 3, 31))),
)
AGO = st.one_of(
    st.builds(Ago, st.integers(1, 60), st.sampled_from(("days", "weeks", "months")), st.booleans()),
    st.builds(Ago, st.integers(1, 3), st.just("years"), st.booleans()),
)
TIMES = st.builds(time, st.integers(0, 23), st.sampled_from((0, 30)))

# -- Terms ------------------------------------------------------------------------------------------------


def facts(scope, *names):
    return st.builds(Fact, st.just(scope), st.sampled_from(names))


WINDOWS = st.one_of(
    st.builds(Window, st.just("rolling"), st.integers(1, 40), st.sampled_from(("days", "weeks", "months"))),
    st.builds(Window, st.just("rolling"), st.integers(1, 3), st.just("years")),
    st.builds(
        Window,
        st.sampled_from(("calendar", "last_calendar")),
        unit=st.sampled_from(("month", "quarter", "year")),
    ),
    st.sampled_from((Window("membership_year"), Window("term", ladder="main"), Window("lifetime"))),
)
MEASURES = ("spend", "orders", "distance", "earned:growth", "count:a.b", "sum:a.b.c")
ACTIVITIES = st.sampled_from(("a.b", "order.paid"))
OPEN = st.one_of(facts("trait", "x", "y"), facts("activity", "x", "y"), facts("line", "roast", "weight"))
TYPED_NUMBERS = st.one_of(
    facts("order", "amount", "list_amount", "tax", "shipping", "items", "lines"),
    facts("line", "amount", "list_amount", "quantity"),
    facts("now", "day", "month", "year", "hour", "minute"),
    st.just(Fact("member", "months")),
    st.builds(Measured, st.sampled_from(MEASURES), WINDOWS),
    st.builds(Streak, ACTIVITIES),
    st.builds(DaysSince, ACTIVITIES),
    st.builds(Balance, st.sampled_from(("points", "growth"))),
    st.builds(Month, st.one_of(facts("member", "joined", "birthday"), facts("trait", "x"))),
)
PLAIN_NUMBERS = st.one_of(TYPED_NUMBERS, OPEN)
NUMERIC = st.one_of(PLAIN_NUMBERS, st.builds(Ratio, PLAIN_NUMBERS, PLAIN_NUMBERS))
TYPED_TEXTS = st.one_of(
    facts("order", "channel", "store", "payment"),
    facts("line", "sku", "category", "brand"),
    facts("member", "status", "language", "kind"),
    facts("activity", "type", "source"),
)
TEXTS = st.one_of(TYPED_TEXTS, OPEN)
TYPED_DATES = st.one_of(facts("member", "joined", "birthday"), facts("now", "date"))
DATED = st.one_of(TYPED_DATES, OPEN)
TIMED = st.one_of(facts("now", "time"), OPEN)
LISTS = st.one_of(st.sampled_from((Fact("order", "coupons"), Fact("line", "tags"), Fact("member", "tags"))), OPEN)

# -- Conditions that make sense ---------------------------------------------------------------------------


def asked(terms, values, ops=OPS, *, ordered=True):
    """Comparisons, memberships and, where there is an order, ranges."""
    some = st.lists(values, min_size=1, max_size=3).map(tuple)
    kinds = [st.builds(Compare, terms, ops, values), st.builds(In, terms, some, st.booleans())]
    if ordered:
        kinds.append(st.builds(lambda t, pair: Between(t, *sorted(pair)), terms, st.tuples(values, values)))
    return st.one_of(kinds)


RANKED = st.tuples(st.sampled_from(TIERS), st.sampled_from(TIERS)).map(lambda p: sorted(p, key=TIERS.index))
LEAVES = st.one_of(
    asked(NUMERIC, NUMBERS),
    st.builds(Compare, NUMERIC, OPS, TYPED_NUMBERS),
    st.builds(Compare, TYPED_NUMBERS, OPS, NUMERIC),
    asked(TEXTS, WORDS, EQUALITY, ordered=False),
    st.builds(Compare, TYPED_TEXTS.filter(lambda term: term != ACTIVITY_TYPE), EQUALITY, TEXTS),
    asked(DATED, DATES),
    st.builds(Compare, DATED, OPS, TYPED_DATES),
    asked(TIMED, TIMES),
    st.builds(Compare, OPEN, OPS, OPEN),
    asked(st.just(Fact("now", "weekday")), st.sampled_from(WEEKDAYS), EQUALITY, ordered=False),
    asked(st.just(Tier("main")), st.sampled_from(TIERS), ordered=False),
    asked(DATED, st.one_of(DATES, AGO), ordered=False),
    st.builds(InNext, st.one_of(TYPED_DATES, OPEN), st.sampled_from((1, 7, 31, 365))),
    RANKED.map(lambda pair: Between(Tier("main"), *pair)),
    st.builds(Compare, OPEN, EQUALITY, st.booleans()),
    st.builds(Has, LISTS, st.lists(WORDS, min_size=1, max_size=3).map(tuple)),
    st.builds(IsToday, st.one_of(TYPED_DATES, OPEN)),
    st.builds(Constant, st.booleans()),
)


def audience_leaves():
    """What an audience may ask: of the member, of the moment, and of what happened."""
    told = facts("trait", "x", "y")
    does = st.sampled_from(("a.b", "c.d"))
    counted = st.one_of(
        st.builds(Measured, st.sampled_from(("spend", "count:a.b", "sum:a.b.c", "distinct:a.b.x")), FIXED_WINDOWS),
        st.builds(Measured, st.sampled_from(("spend", "count:c.d")), st.just(Window("membership_year"))),
        st.builds(Streak, does),
        st.builds(DaysSince, does),
    )
    moments = facts("now", "day", "month", "year", "hour")
    typed = st.one_of(
        st.just(Fact("member", "months")),
        moments,
        counted,
        st.builds(Balance, st.sampled_from(("points", "growth"))),
        st.builds(Month, st.one_of(facts("member", "joined", "birthday"), told)),
    )
    numbers = st.one_of(typed, told, st.builds(Ratio, typed, typed))
    dates = st.one_of(TYPED_DATES, told)
    texts = st.one_of(facts("member", "status", "language", "kind"), told)
    return st.one_of(
        asked(numbers, NUMBERS),
        st.builds(Compare, numbers, OPS, typed),
        st.builds(Compare, typed, OPS, told),
        asked(texts, WORDS, EQUALITY, ordered=False),
        asked(dates, DATES),
        asked(dates, st.one_of(DATES, AGO), ordered=False),
        st.builds(Compare, dates, OPS, TYPED_DATES),
        asked(told, TIMES),
        st.builds(Compare, told, OPS, st.just(Fact("now", "time"))),
        st.builds(Compare, told, OPS, told),
        st.builds(Compare, told, EQUALITY, st.booleans()),
        asked(st.just(Fact("now", "weekday")), st.sampled_from(WEEKDAYS), EQUALITY, ordered=False),
        asked(st.just(Tier("main")), st.sampled_from(TIERS), ordered=False),
        st.builds(
            Has,
            st.one_of(st.just(Fact("member", "tags")), told),
            st.lists(st.one_of(WORDS, st.just("\x00")), min_size=1, max_size=3).map(tuple),
        ),
        st.builds(IsToday, dates),
        st.builds(InNext, dates, st.sampled_from((1, 7, 31, 365))),
        SPANS,
        SPANS,
    )


def trees_over(leaves):
    return st.recursive(
        leaves,
        lambda nodes: st.one_of(
            st.lists(nodes, min_size=2, max_size=4).map(lambda found: All(tuple(found))),
            st.lists(nodes, min_size=2, max_size=4).map(lambda found: Any(tuple(found))),
            nodes.map(Not),
        ),
        max_leaves=8,
    )


CONDITIONS = trees_over(LEAVES)

ON_LINES = trees_over(asked(facts("line", "sku", "category", "roast"), WORDS, EQUALITY, ordered=False))

# -- Anything that can be written, whether it makes sense or not ------------------------------------------

ANY_TEXT = st.one_of(WORDS, st.text(max_size=12))
ANY_VALUE = st.one_of(
    st.booleans(),
    st.integers(),
    st.decimals(allow_nan=False, allow_infinity=False),
    ANY_TEXT,
    st.dates(),
    AGO,
    TIMES,
)
NAMES = st.text(min_size=1, max_size=8).filter(lambda name: name != "tag")
ANY_FACT = st.one_of(
    facts("order", "amount", "x"),
    facts("now", "date"),
    facts("member", "joined", "tags"),
    st.builds(Fact, st.sampled_from(("trait", "activity", "line")), NAMES),
)
SEQUENCES = st.builds(
    Sequence,
    ACTIVITIES,
    ACTIVITIES,
    st.integers(1, 52),
    st.sampled_from(("hours", "days", "weeks")),
    st.booleans(),
    st.one_of(st.just(Window("lifetime")), st.builds(Window, st.just("rolling"), st.integers(1, 60), st.just("days"))),
)
DISTINCT = st.builds(Measured, st.sampled_from(("distinct:a.b.c", "distinct:order.paid.store")), WINDOWS)
ANY_TERM = st.one_of(NUMERIC, DISTINCT, ANY_FACT, st.just(Tier("main")))
ANY_LEAF = st.one_of(
    LEAVES,
    st.builds(Compare, ANY_TERM, OPS, st.one_of(ANY_VALUE, NUMERIC)),
    st.builds(In, ANY_TERM, st.lists(ANY_VALUE, min_size=1, max_size=4).map(tuple), st.booleans()),
    st.builds(Between, ANY_TERM, ANY_VALUE, ANY_VALUE),
    st.builds(Has, ANY_FACT, st.lists(ANY_TEXT, min_size=1, max_size=3).map(tuple)),
    st.builds(IsToday, ANY_FACT),
    st.builds(InNext, ANY_FACT, st.integers(1, 365)),
    SEQUENCES,
    st.builds(InSegment, st.sampled_from(("loyal", "new-ones"))),
)
WRITABLE = trees_over(ANY_LEAF)

FIXED_WINDOWS = st.one_of(
    st.builds(Window, st.just("rolling"), st.integers(1, 40), st.sampled_from(("days", "weeks"))),
    st.builds(Window, st.sampled_from(("calendar", "last_calendar")), unit=st.sampled_from(("month", "year"))),
    st.just(Window("lifetime")),
)
SPANS = st.builds(
    Sequence,
    st.sampled_from(("a.b", "c.d")),
    st.sampled_from(("a.b", "c.d")),
    st.integers(1, 10),
    st.sampled_from(("hours", "days")),
    st.booleans(),
    st.one_of(st.just(Window("lifetime")), st.builds(Window, st.just("rolling"), st.integers(1, 60), st.just("days"))),
)
AUDIENCES = trees_over(audience_leaves())

# -- Worlds -----------------------------------------------------------------------------------------------

TOLD = st.one_of(
    WORDS,
    NUMBERS,
    NUMBERS.map(str),
    DATES.map(date.isoformat),
    DATES.map(lambda day: f"--{day:%m-%d}"),
    TIMES.map(lambda at: f"{at:%H:%M}"),
    st.lists(st.one_of(WORDS, st.integers(0, 3)), max_size=3),
    st.booleans(),
    st.none(),
    st.just("12."),
)
TOLD_ABOUT = st.dictionaries(st.sampled_from(("x", "y")), TOLD)
MAYBE_WORD = st.one_of(st.none(), WORDS)
LINES = st.builds(
    Line,
    st.sampled_from((0, 500, 1_200, 10_000)),
    st.integers(1, 3),
    MAYBE_WORD,
    MAYBE_WORD,
    MAYBE_WORD,
    st.sampled_from((None, 1_200, 50_000)),
    st.one_of(st.none(), st.lists(WORDS, max_size=2)),
    st.one_of(st.none(), st.dictionaries(st.sampled_from(("roast", "weight")), TOLD)),
)
PURCHASES = st.builds(
    Purchase,
    st.just("o1"),
    st.lists(LINES, min_size=1, max_size=3),
    MAYBE_WORD,
    MAYBE_WORD,
    MAYBE_WORD,
    st.sampled_from((0, 500)),
    st.sampled_from((0, 1_200)),
    st.one_of(st.none(), st.builds(Payments, st.one_of(st.none(), st.lists(WORDS, max_size=2)))),
)


@st.composite
def worlds(draw):
    today = draw(DATES)
    past = st.one_of(st.integers(0, 3), st.integers(0, 800)).map(lambda back: today - timedelta(back))
    amounts = st.dictionaries(past, st.sampled_from((-100, 1, 1_200, 50_000, 5_000_000)), max_size=5)
    traits = draw(TOLD_ABOUT)
    for name, values in {"birthday": st.one_of(DATES.map(str), TOLD), "language": MAYBE_WORD}.items():
        traits[name] = draw(values)
    return World(
        today=today,
        minute=draw(st.integers(0, 1439)),
        joined=draw(past),
        purchase=draw(st.one_of(st.none(), PURCHASES)),
        line=draw(st.one_of(st.none(), LINES)),
        payload=draw(st.one_of(st.none(), TOLD_ABOUT)),
        traits={name: value for name, value in traits.items() if value is not None},
        tags=draw(st.lists(WORDS, max_size=2)),
        tier=draw(st.one_of(st.none(), st.sampled_from(TIERS))),
        since=draw(st.one_of(st.none(), past)),
        purses=draw(st.dictionaries(st.sampled_from(("points", "growth")), st.integers(-3, 200))),
        measures={measure: draw(amounts) for measure in MEASURES},
        days={
            f"{kind}:{activity}": draw(st.sets(past, max_size=6))
            for kind in ("streak", "days_since")
            for activity in ("a.b", "order.paid")
        },
    )
