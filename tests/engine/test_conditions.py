"""Conditions in the engine: what holds for a turn, what numbers terms give, and why."""

from datetime import date, time
from decimal import Decimal
from fractions import Fraction

import pytest

from shuke.engine.activity import Line, Payments, Purchase
from shuke.engine.conditions import Names, compile_condition, compile_term, exact_number, explain
from shuke.engine.member import Purse, Standing
from shuke.program.conditions import Vocabulary, check, parse, parse_term
from shuke.values.instants import calendar_of
from tests.engine.turns import days_of, series_of, turn_on

NAMES = Names(
    Vocabulary(
        currency_scale=2,
        assets={"points": 0, "growth": 1},
        ladders={"main": ("basic", "silver", "gold")},
        measures={"nights": "count", "distance": "payload"},
    ),
    day_measures=frozenset(("active_days",)),
)

COFFEE = Line(12_000, 2, "C-1", "coffee", "Bean", 15_000, ["organic", "new"], {"roast": "dark", "weight": "0.25"})
CUP = Line(30_000, sku="U-9", category="ware")
ORDER = Purchase(
    "o1",
    [COFFEE, CUP],
    channel="web",
    store="s1",
    tax=500,
    shipping=6_000,
    uses=Payments(coupons=["WELCOME"]),
)
PAYLOAD = {
    "length": 50,
    "km": "12.5",
    "far": 1e22,
    "mood": "good",
    "photo": True,
    "on": "2026-04-01",
    "at": "22:30",
    "no": None,
    "cost": 0.1,
}
TRAITS = {
    "birthday": "1990-05-01",
    "language": "zh-Hant",
    "city": "台北",
    "hobbies": ["golf", 5],
    "size": "12",
    "wedding": "05-01",
    "town": "台北",
}


def turn(day="2026-05-01", **changes):  # a Friday
    member = {
        "traits": TRAITS,
        "tags": ["vip"],
        "tiers": {"main": "silver"},
        "purses": {"points": Purse(available=120), "growth": Purse(available=105)},
        "standings": {"main": Standing("silver", calendar_of("Asia/Taipei").day_start(date(2026, 4, 1).toordinal()))},
        "series": {
            "spend": series_of({"2025-12-31": 100_000, "2026-03-31": 200_000, "2026-05-01": 50_000}),
            "orders": series_of({"2025-12-31": 1, "2026-03-31": 1, "2026-05-01": 1}),
            "earned:growth": series_of({"2026-04-30": 125}),
            "sum:run.logged.distance": series_of({"2026-04-30": 42_195_000}),
            "streak:member.checked_in": days_of("2026-04-29", "2026-04-30", "2026-05-01"),
            "days_since:order.paid": days_of("2026-04-21"),
            "active_days": days_of("2026-04-29", "2026-05-01"),
        },
    }
    return turn_on(day, **{"payload": PAYLOAD, "purchase": ORDER, "second": 22 * 3600 + 30 * 60, **member, **changes})


def holds(text, at=None, line=None):
    return compile_condition(parse(text), names=NAMES.on("main"))(at or turn(), line)


@pytest.mark.parametrize(
    "text",
    [
        # orders: 420.00 in two lines
        "order.amount = 420",
        "order.amount > 419.99",
        "order.amount between 420 and 420.00",
        "order.list_amount = 450",
        "order.channel = web",
        "order.channel in [web, app]",
        "order.store != s2",
        "order.tax = 5 and order.shipping = 60 and order.items = 3 and order.lines = 2",
        "order.coupons has WELCOME",
        "order.amount / order.items = 140",
        "order.amount < order.list_amount",
        # members
        "tag vip and not tag old",
        "member.tags has [old, vip]",
        "member.status = active",
        "member.joined = 2024-01-31",
        "member.months = 27",
        "member.birthday = 1990-05-01",
        "member.birthday is today",
        "month(member.birthday) = now.month",
        "month(member.joined) = 1",
        "member.language = zh-Hant",
        "trait.city = 台北 and trait.city = trait.town",
        "trait.size >= 12 and trait.size = 12 and trait.size in [11, 12]",
        'trait.size = "12"',
        "trait.hobbies has golf",
        "trait.wedding is today and month(trait.wedding) = 5",
        "tier(main) = silver and tier(main) >= silver and tier(main) < gold",
        "tier(main) in [silver, gold] and tier(main) not in [gold]",
        "tier(main) between silver and gold",
        "balance(points) = 120 and balance(growth) = 10.5",
        # activities
        "activity.type = order.paid and activity.source = pos",
        "activity.length >= 50 and activity.length = 50.0",
        "activity.km > 12.4 and activity.km < 12.6 and activity.km = 12.5",
        "activity.km in [12.5, 13]",
        "activity.cost = 0.1",
        "activity.far = 10000000000000000000000",
        "activity.photo",
        "activity.mood != bad",
        "activity.on >= 2026-04-01 and activity.on < now.date",
        "activity.at = 22:30 and activity.at = now.time",
        "activity.length > activity.km",
        # the moment
        "now.weekday = fri and now.weekday in [fri, sat] and now.weekday != sat",
        "now.date between 2026-04-30 and 2026-05-01",
        "now.day = 1 and now.month = 5 and now.year = 2026 and now.hour = 22 and now.minute = 30",
        "now.time between 22:00 and 22:30",
        # measures
        "spend(12 months) = 3500",
        "spend(1 month) = 500",
        "spend(31 days) = 500 and spend(32 days) = 2500",
        "spend(calendar month) = 500 and spend(calendar quarter) = 500 and spend(calendar year) = 2500",
        "spend(last calendar year) = 1000",
        "spend(membership year) = 2500",
        "spend(term) = 500 and spend(term of main) = 500",
        "spend(lifetime) = 3500",
        "spend(12 months) / orders(12 months) >= 1166.66",
        "not spend(12 months) / orders(12 months) >= 1166.67",
        "earned(growth, calendar year) = 12.5",
        "sum(run.logged.distance, 7 days) > 42",
        "streak(member.checked_in) = 3",
        "days_since(order.paid) = 10",
        "active_days(2 days) = 1 and active_days(3 days) = 2",
        "spend(calendar year) > spend(last calendar year)",
        "spend(lifetime) > earned(growth, lifetime)",
        "order.tax < balance(growth) and balance(growth) > order.tax and order.tax > orders(lifetime)",
        "true and not false",
        "false or tag a or tag vip or tag b",
    ],
)
def test_a_condition_holds(text):
    assert check(parse(text), NAMES.vocabulary, place="tier") == []
    assert holds(text)
    assert not holds(f"not ({text})")


@pytest.mark.parametrize(
    ("text", "first", "second"),
    [
        ("line.category = coffee", True, False),
        ("line.category in [coffee, tea]", True, False),
        ("line.category != coffee", False, True),
        ("line.category not in [coffee]", False, True),
        ("line.brand = Bean", True, False),
        ("line.brand != Bean", False, False),  # the cup has no brand
        ("not line.brand = Bean", False, True),
        ("line.brand in [Bean]", True, False),
        ("line.sku in [C-1, U-9]", True, True),
        ("line.tags has organic", True, False),
        ("line.tag in [new, old]", True, False),
        ("line.roast = dark", True, False),
        ("line.roast != light", True, False),
        ("line.weight <= 0.25", True, False),
        ("line.amount >= 300", False, True),
        ("line.quantity >= 2", True, False),
        ("line.amount < line.list_amount", True, False),
        ("line.amount / line.quantity >= 60", True, True),
        ("line.category = ware and order.amount > 400 and tag vip and now.month = 5", False, True),
    ],
)
def test_a_condition_on_lines_is_asked_of_each(text, first, second):
    assert check(parse(text), NAMES.vocabulary, place="line") == []
    assert [holds(text, line=line) for line in (COFFEE, CUP)] == [first, second]


@pytest.mark.parametrize(
    "comparison",
    [
        "activity.{} = 5",
        "activity.{} != 5",
        "activity.{} < 5",
        "activity.{} <= 5",
        "activity.{} > 5",
        "activity.{} >= 5",
        "activity.{} between 1 and 5",
        "activity.{} in [5]",
        "activity.{} not in [5]",
        "activity.{} != now.day",
        "activity.{} / now.day >= 0",
        "activity.{} = true",
        "activity.{} != 2026-01-01",
        "activity.{} != 10:00",
        "activity.{} has a",
        "activity.{} is today",
        "month(activity.{}) >= 1",
    ],
)
@pytest.mark.parametrize("field", ["nothing", "no", "mood"])
def test_what_is_missing_or_of_another_kind_makes_every_comparison_false(comparison, field):
    assert not holds(comparison.format(field))
    assert holds(f"not {comparison.format(field)}")


@pytest.mark.parametrize(
    "text",
    [
        "order.amount >= 0",
        "order.channel != web",
        "order.coupons has a",
        "activity.length >= 0",
        "trait.city != x",
        "member.birthday is today",
        "member.birthday != 2020-01-01",
        "tier(main) != gold",
        "tier(main) not in [gold]",
        "days_since(order.paid) >= 0",
        "spend(lifetime) / orders(lifetime) >= 0",
        "line.category != tea",
        "line.tags has a",
        "line.amount >= 0",
        "line.roast != light",
    ],
)
def test_without_order_payload_traits_or_line_nothing_is_known(text):
    assert not holds(text, at=turn_on("2026-05-01"))


def test_without_history_measures_are_zero():
    bare = turn_on("2026-05-01")
    for term in (
        "spend(12 months)",
        "spend(term)",
        "balance(points)",
        "streak(a.b)",
        "active_days(lifetime)",
    ):
        assert holds(f"{term} = 0", at=bare)


@pytest.mark.parametrize(
    ("birthday", "today", "kept"),
    [
        ("2000-02-29", "2027-02-28", True),
        ("2000-02-29", "2028-02-28", False),
        ("2000-02-29", "2028-02-29", True),
        ("--02-29", "2027-02-28", True),
        ("2000-02-28", "2028-02-28", True),
        ("2000-02-30", "2028-02-28", False),
        ("13-01", "2028-01-13", False),
        ("1 May", "2028-05-01", False),
        (501, "2028-05-01", False),
    ],
)
def test_a_birthday_is_today_and_29_february_is_kept_on_the_28th_in_common_years(birthday, today, kept):
    assert holds("member.birthday is today", at=turn(today, traits={"birthday": birthday})) is kept


@pytest.mark.parametrize(
    ("joined", "today", "months"),
    [
        ("2026-01-31", "2026-02-27", 0),
        ("2026-01-31", "2026-02-28", 1),
        ("2026-01-15", "2026-02-14", 0),
        ("2026-01-15", "2026-02-15", 1),
        ("2024-02-29", "2025-02-28", 12),
        ("2026-05-01", "2026-05-01", 0),
        ("2026-05-02", "2026-05-01", 0),
    ],
)
def test_months_since_joining_are_whole_months(joined, today, months):
    assert holds(f"member.months = {months}", at=turn_on(today, joined=joined))


def test_an_average_counts_refunds_and_is_missing_without_orders():
    series = {"spend": series_of({"2026-05-01": -10_000}), "orders": series_of({"2026-05-01": -1})}
    assert holds("spend(lifetime) / orders(lifetime) = 100", at=turn(series=series))
    none = {"spend": series_of({"2026-05-01": 10_000})}
    assert not holds("spend(lifetime) / orders(lifetime) >= 0", at=turn(series=none))
    assert not holds("spend(lifetime) / orders(lifetime) < 0", at=turn(series=none))


def test_money_is_compared_in_the_currency_s_own_units():
    yen = Names(Vocabulary(currency_scale=0))
    dollars = Names(Vocabulary(currency_scale=2))
    test = parse("order.amount >= 42000")
    assert compile_condition(test, names=yen)(turn(), None)
    assert not compile_condition(test, names=dollars)(turn(), None)
    assert compile_condition(parse("order.amount > 41999.5"), names=yen)(turn(), None)


@pytest.mark.parametrize(
    "text", ["line.sku > a", "trait.x between a and b", "order.amount = x", "order.channel < order.store"]
)
def test_comparing_what_does_not_compare_cannot_be_compiled(text):
    with pytest.raises(ValueError):  # noqa: PT011 - the sentences differ
        compile_condition(parse(text), names=NAMES)


@pytest.mark.parametrize(
    "text", ["spent(lifetime) > 5", "balance(stars) > 5", "tier(x) = gold", "now.x = 5", "tier(main) > x"]
)
def test_unknown_names_cannot_be_compiled(text):
    with pytest.raises(KeyError):
        compile_condition(parse(text), names=NAMES)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("order.amount", 420),
        ("line.amount", 120),
        ("order.items", 3),
        ("balance(growth)", Fraction(21, 2)),
        ("activity.length", 50),
        ("activity.km", Fraction(25, 2)),
        ("activity.mood", None),
        ("activity.nothing", None),
        ("streak(member.checked_in)", 3),
        ("days_since(never.seen)", None),
        ("sum(run.logged.distance, 7 days)", Fraction(42195, 1000)),
        ("spend(12 months) / orders(12 months)", Fraction(3500, 3)),
        ("now.hour", 22),
    ],
)
def test_a_term_gives_an_exact_number_in_whole_units(text, number):
    assert compile_term(parse_term(text), names=NAMES)(turn(), COFFEE) == number


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (12, 12),
        ("12", 12),
        ("-12.50", Fraction(-25, 2)),
        (Decimal("0.1"), Fraction(1, 10)),
        (0.1, Fraction(1, 10)),
        (1e-7, Fraction(1, 10_000_000)),
        (2.0, 2),
        (True, None),
        (None, None),
        ("", None),
        ("1e5", None),
        ("１２", None),
        (" 12", None),
        ("9" * 31, None),
        (float("nan"), None),
        (float("inf"), None),
        (Decimal("NaN"), None),
        ([1], None),
    ],
)
def test_a_payload_s_number_is_read_exactly_or_not_at_all(value, number):
    assert exact_number(value) == number


# -- Explaining -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "seen", "wanted", "missing"),
    [
        ("spend(12 months) >= 7500", 3500, 7500, 4000),
        ("spend(12 months) > 3500", 3500, 3500, Decimal("0.01")),
        ("spend(12 months) >= 3500", 3500, 3500, None),
        ("orders(lifetime) > 3", 3, 3, 1),
        ("orders(lifetime) = 5", 3, 5, 2),
        ("orders(lifetime) = 2", 3, 2, None),
        ("orders(lifetime) < 3", 3, 3, None),
        ("order.amount between 500 and 600", 420, 500, 80),
        ("balance(growth) >= 12", Decimal("10.5"), 12, Decimal("1.5")),
        ("activity.km > 12.5", Decimal("12.5"), Decimal("12.5"), None),
        ("activity.km >= 20", Decimal("12.5"), 20, Decimal("7.5")),
        ("activity.nothing >= 20", None, 20, None),
        ("spend(lifetime) / orders(lifetime) >= 1200", Decimal("1166.666666"), 1200, Decimal("33.333334")),
        ("spend(last calendar year) > spend(calendar year)", 1000, 2500, Decimal("1500.01")),
        ("tier(main) >= gold", "silver", "gold", None),
        ("trait.city = Taipei", "台北", "Taipei", None),
        ("trait.city in [Taipei]", "台北", None, None),
        ("member.joined < 2020-01-01", date(2024, 1, 31), date(2020, 1, 1), None),
        ("now.time < 10:00", time(22, 30), time(10), None),
        ("now.weekday = sat", "fri", "sat", None),
        ("activity.photo = false", True, False, None),
        ("tag old", ("vip",), None, None),
        ("trait.hobbies has chess", ("golf", "5"), None, None),
        ("activity.on is today", date(2026, 4, 1), None, None),
        ("activity.length = activity.km", None, "12.5", None),
        ("activity.length < activity.km", 50, Decimal("12.5"), None),
    ],
)
def test_an_explanation_says_what_was_seen_and_what_is_missing(text, seen, wanted, missing):
    told = explain(parse(text), turn(), None, NAMES)
    assert (told.seen, told.wanted, told.missing) == (seen, wanted, missing)
    assert told.holds is holds(text)
    assert parse(told.text) == parse(text)


def test_the_missing_amount_is_said_in_words():
    assert explain(parse("spend(lifetime) >= 7500"), turn(), None, NAMES).shortfall == "4,000 more"
    assert explain(parse("spend(lifetime) > 3500"), turn(), None, NAMES).shortfall == "0.01 more"
    assert explain(parse("spend(lifetime) >= 1"), turn(), None, NAMES).shortfall is None


def test_an_explanation_has_the_shape_of_the_condition_and_names_what_would_have_to_change():
    text = "order.amount >= 500 and tag vip and (orders(lifetime) >= 5 or tag old) and not now.month = 5"
    told = explain(parse(text), turn(), None, NAMES)
    assert [child.holds for child in told.children] == [False, True, False, False]
    assert [child.holds for child in told.children[2].children] == [False, False]
    assert [end.text for end in told.open_ends()] == [
        "order.amount >= 500",
        "orders(lifetime) >= 5",
        "tag old",
        "not now.month = 5",
    ]
    assert list(explain(parse("true"), turn(), None, NAMES).open_ends()) == []


def test_a_line_is_explained_like_an_order():
    told = explain(parse("line.category = tea and line.quantity >= 5"), turn(), COFFEE, NAMES)
    assert [(child.seen, child.missing) for child in told.children] == [("coffee", None), (2, 3)]
