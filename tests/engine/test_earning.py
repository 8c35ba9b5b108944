"""What rules give: every kind of amount, scope, limit and group, as tables."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from shuke.engine.activity import ORDER_COMPLETED, ORDER_PAID, Activity, Line, Payments, Purchase
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Settled
from shuke.engine.member import Member
from shuke.engine.step import step
from shuke.engine.turn import Context
from shuke.program.document import from_data
from shuke.values.instants import parse_instant

ZONE = "Asia/Taipei"


def editions(rules: list[dict[str, Any]], **more: Any) -> Editions:
    data = {
        "id": "shop",
        "currency": "USD",
        "zone": ZONE,
        "assets": [{"id": "points"}, {"id": "stars", "scale": 1}, {"id": "growth", "kind": "qualifying"}],
        "earning": rules,
        **more,
    }
    return Editions([Compiled(from_data(data))])


def rule(id_: str = "base", *, give: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": id_, "asset": "points", "give": give, **more}


def order(*lines: Line, at: str = "2026-03-04T12:00", id_: str = "o1", **more: Any) -> Activity:
    when = parse_instant(at, zone=ZONE)
    return Activity(ORDER_PAID, "m1", when, "test", id_, None, Purchase(id_, list(lines), **more))


def settle(program: Editions, *activities: Activity, member: Member | None = None) -> Settled:
    member = member or Member("m1", 0)
    for activity in activities:
        settled = step(program, member, activity, Context(taken={}))
        member = settled.member
    return settled


def earned(settled: Settled) -> dict[str | None, int]:
    return {entry.rule: entry.amount for entry in settled.effects.entries if entry.kind == "earn"}


PER_100 = {"per": {"amount": 100, "points": 1}}
PER_1 = {"per": {"amount": 1, "points": 1}}
COFFEE, TEA = Line(4150, 1, "c1", "coffee", "own"), Line(2000, 3, "t1", "tea", "leaf")

AMOUNTS = [
    ("one point per 100 rounds down", [rule(give=PER_100)], [Line(19999)], {"base": 1}),
    ("nothing is given below the first step", [rule(give=PER_100)], [Line(9999)], {}),
    ("half up is said by the rule", [rule(give=PER_100, rounding="half_up")], [Line(15000)], {"base": 2}),
    ("half even is said by the rule", [rule(give=PER_100, rounding="half_even")], [Line(25000)], {"base": 2}),
    ("a fixed amount is given once per order", [rule(give={"fixed": 50})], [COFFEE, TEA], {"base": 50}),
    ("items are counted by quantity", [rule(give={"per_item": 2})], [COFFEE, TEA], {"base": 8}),
    (
        "the highest step reached counts",
        [
            rule(
                give={
                    "steps": {
                        "of": "order.amount",
                        "table": [
                            {"at_least": 10, "points": 5},
                            {"at_least": 60, "points": 30},
                            {"at_least": 99, "points": 90},
                        ],
                    }
                }
            )
        ],
        [COFFEE, TEA],
        {"base": 30},
    ),
    (
        "a scope counts only its lines",
        [rule(give=PER_1, lines="line.category = tea")],
        [COFFEE, TEA],
        {"base": 20},
    ),
    (
        "a scope without a matching line gives nothing",
        [rule(give={"fixed": 5}, lines="line.category = bread")],
        [COFFEE, TEA],
        {},
    ),
    (
        "an excluded category does not count",
        [rule(give=PER_1, lines="line.category != tea")],
        [COFFEE, TEA],
        {"base": 41},
    ),
    (
        "a multiplier is rounded as a whole: 41.5 x 1.2 is 49",
        [rule(give=PER_1), rule("gold", give={"multiply": {"by": Decimal("1.2")}})],
        [COFFEE],
        {"base": 41, "gold": 8},
    ),
    (
        "a multiplier with a scope raises only its lines",
        [rule(give=PER_1), rule("tea", give={"multiply": {"by": 3}}, lines="line.category = tea")],
        [COFFEE, TEA],
        {"base": 61, "tea": 40},
    ),
    (
        "a multiplier works on the rules it names",
        [
            rule(give=PER_1),
            rule("extra", give={"fixed": 10}),
            rule("x2", give={"multiply": {"by": 2, "rules": ["extra"]}}),
        ],
        [COFFEE],
        {"base": 41, "extra": 10, "x2": 10},
    ),
    (
        "of a group that gives the best one, the best one is given",
        [
            rule("a", give={"fixed": 5}, stack={"group": "g", "mode": "best"}),
            rule("b", give={"fixed": 9}, stack={"group": "g", "mode": "best"}),
            rule("c", give={"fixed": 1}),
        ],
        [COFFEE],
        {"b": 9, "c": 1},
    ),
    (
        "of an exclusive group the first by priority is given",
        [
            rule("a", give={"fixed": 5}, priority=1, stack={"group": "g", "mode": "exclusive"}),
            rule("b", give={"fixed": 9}, stack={"group": "g", "mode": "exclusive"}),
        ],
        [COFFEE],
        {"a": 5},
    ),
    (
        "ties of priority are broken by id",
        [
            rule("b", give={"fixed": 9}, stack={"group": "g", "mode": "exclusive"}),
            rule("a", give={"fixed": 5}, stack={"group": "g", "mode": "exclusive"}),
        ],
        [COFFEE],
        {"a": 5},
    ),
    (
        "of several multipliers in a best group only the highest raises",
        [
            rule(give=PER_1),
            rule("x2", give={"multiply": {"by": 2}}, stack={"group": "m", "mode": "best"}),
            rule("x3", give={"multiply": {"by": 3}}, stack={"group": "m", "mode": "best"}),
        ],
        [COFFEE],
        {"base": 41, "x3": 83},
    ),
    (
        "an order's own cap cuts",
        [rule(give=PER_1, limits={"per_order": 30})],
        [COFFEE],
        {"base": 30},
    ),
]


@pytest.mark.parametrize(("rules", "lines", "expected"), [row[1:] for row in AMOUNTS], ids=[row[0] for row in AMOUNTS])
def test_a_rule_gives_what_it_says(rules: list[Any], lines: list[Line], expected: dict[str, int]) -> None:
    assert earned(settle(editions(rules), order(*lines))) == expected


def test_points_in_tenths_keep_their_decimals() -> None:
    program = editions([{"id": "base", "asset": "stars", "give": PER_1}])
    assert earned(settle(program, order(COFFEE))) == {"base": 415}


def test_tax_and_shipping_count_only_where_the_rule_includes_them() -> None:
    rules = [rule("net", give=PER_1), rule("gross", give=PER_1, include=["tax", "shipping"])]
    settled = settle(editions(rules), order(Line(10000), tax=500, shipping=300))
    assert earned(settled) == {"net": 100, "gross": 108}


def test_what_limits_cut_is_told_with_the_amount_that_was_wanted() -> None:
    settled = settle(editions([rule(give=PER_1, limits={"per_day": 30})]), order(COFFEE))
    (entry,) = settled.effects.entries
    assert (entry.amount, entry.why) == (30, {"basis": 4150, "wanted": 41, "limit": "base/day"})


def test_a_day_limit_starts_anew_at_local_midnight() -> None:
    program = editions([rule(give={"fixed": 20}, limits={"per_day": 30})])
    member = Member("m1", 0)
    given = [
        earned(settle(program, order(COFFEE, at=at, id_=at), member=member)).get("base", 0)
        for at in ("2026-03-04T23:00", "2026-03-04T23:59:59", "2026-03-05T00:00", "2026-03-05T00:01")
    ]
    assert given == [20, 10, 20, 10]


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({"times_per_day": 1}, [5, 0, 5, 5, 5]),
        ({"times_per_month": 2}, [5, 5, 0, 5, 5]),
        ({"times_per_year": 3}, [5, 5, 5, 0, 5]),
        ({"times_per_member": 2}, [5, 5, 0, 0, 0]),
        ({"per_month": 7}, [5, 2, 0, 5, 5]),
        ({"per_year": 17}, [5, 5, 5, 2, 5]),
        ({"per_member": 11}, [5, 5, 1, 0, 0]),
        ({"total": 11}, [5, 5, 1, 0, 0]),
        ({"times_total": 4}, [5, 5, 5, 5, 0]),
    ],
)
def test_limits_count_by_their_period(limits: dict[str, int], expected: list[int]) -> None:
    program = editions([rule(give={"fixed": 5}, limits=limits)])
    member, taken = Member("m1", 0), {}
    given = []
    for at in (
        "2026-03-04T10:00",
        "2026-03-04T11:00",
        "2026-03-09T10:00",
        "2026-04-01T10:00",
        "2027-01-01T10:00",
    ):
        settled = step(program, member, order(COFFEE, at=at, id_=at), Context(taken=taken))
        given.append(earned(settled).get("base", 0))
    assert given == expected


SPANS = [
    ({"from": "2026-03-04"}, True),
    ({"from": "2026-03-05"}, False),
    ({"until": "2026-03-04"}, True),
    ({"until": "2026-03-03"}, False),
    ({"weekdays": ["wed"]}, True),
    ({"weekdays": ["sat", "sun"]}, False),
    ({"days_of_month": [4, 14, 24]}, True),
    ({"days_of_month": [5]}, False),
    ({"hours": ["11:00-13:00"]}, True),
    ({"hours": ["12:30-13:00"]}, False),
    ({"hours": ["22:00-12:00"]}, False),
    ({"hours": ["22:00-12:01"]}, True),
]


@pytest.mark.parametrize(("span", "in_force"), SPANS)
def test_a_rule_is_in_force_by_the_program_s_own_calendar(span: dict[str, Any], in_force: bool) -> None:
    settled = settle(editions([rule(give={"fixed": 5}, span=span)]), order(COFFEE))
    assert bool(earned(settled)) is in_force


def test_a_custom_activity_earns_per_unit_of_a_payload_number() -> None:
    program = editions([rule(give={"per_unit": {"of": "activity.distance", "every": 2, "points": 3}}, on="run.logged")])
    at = parse_instant("2026-03-04T12:00", zone=ZONE)
    settled = settle(program, Activity("run.logged", "m1", at, "app", "r1", {"distance": "10.5"}))
    assert earned(settled) == {"base": 15}


def test_a_streak_earns_by_its_table() -> None:
    table = [{"at_least": 1, "points": 1}, {"at_least": 3, "points": 10}]
    program = editions([rule(give={"steps": {"of": "streak(checked-in)", "table": table}}, on="checked-in")])
    member = Member("m1", 0)
    given = []
    for day in ("01", "02", "03", "05"):
        at = parse_instant(f"2026-03-{day}T12:00", zone=ZONE)
        given.append(earned(settle(program, Activity("checked-in", "m1", at, "app", day), member=member))["base"])
    assert given == [1, 1, 10, 1]


def test_fractions_are_carried_exactly_where_the_asset_keeps_them() -> None:
    program = editions(
        [rule(give={"per": {"amount": 50, "points": 1}})], assets=[{"id": "points", "carry_fractions": True}]
    )
    member = Member("m1", 0)
    given = [earned(settle(program, order(Line(4000), id_=str(n)), member=member)).get("base", 0) for n in range(5)]
    assert given == [0, 1, 1, 1, 1]  # 40 / 50 each time
    assert member.carries == {"points": [0, 5000]}


def test_fractions_of_two_rules_of_one_asset_add_up() -> None:
    rules = [
        rule("cash", give={"per": {"amount": 50, "points": 1}}, when="order.payment = cash"),
        rule("card", give={"per": {"amount": 40, "points": 1}}, when="order.payment = card"),
    ]
    program = editions(rules, assets=[{"id": "points", "carry_fractions": True}])
    member = Member("m1", 0)
    first = settle(program, order(Line(2500), id_="1", payment="cash"), member=member)
    second = settle(program, order(Line(2000), id_="2", payment="card"), member=member)
    assert (earned(first), earned(second), member.carries) == ({}, {"card": 1}, {"points": [0, 20000]})


def test_a_refund_gives_the_fraction_back_that_its_order_brought() -> None:
    program = editions(
        [rule(give={"per": {"amount": 50, "points": 1}})], assets=[{"id": "points", "carry_fractions": True}]
    )
    member, orders = Member("m1", 0), {}
    for number in ("1", "2"):
        orders |= settle(program, order(Line(4000), id_=number), member=member).effects.orders
    at = parse_instant("2026-03-12T12:00", zone=ZONE)
    refund = Activity("order.refunded", "m1", at, "test", "r1", {"order_id": "1"})
    settled = step(program, member, refund, Context(orders=orders))
    # 8/10 is what the other order brought, whichever of the two the whole point was booked for.
    assert (settled.member.purses["points"].available, settled.member.carries) == (0, {"points": [4000, 5000]})


def test_completion_earns_on_the_order_that_was_paid() -> None:
    program = editions([rule(give=PER_1, on=ORDER_COMPLETED)])
    paid = settle(program, order(COFFEE, TEA))
    assert earned(paid) == {}
    at = parse_instant("2026-03-12T12:00", zone=ZONE)
    completed = Activity(ORDER_COMPLETED, "m1", at, "test", "c1", {"order_id": "o1"})
    settled = step(program, paid.member, completed, Context(orders=paid.effects.orders))
    assert earned(settled) == {"base": 61}


def test_an_order_earned_on_completion_gives_only_for_what_was_kept() -> None:
    program = editions([rule(give=PER_1, on=ORDER_COMPLETED)])
    paid = settle(program, order(COFFEE, TEA))
    at = parse_instant("2026-03-12T12:00", zone=ZONE)
    refunded = Activity("order.refunded", "m1", at, "test", "r1", {"order_id": "o1", "lines": [{"line": 1}]})
    settled = step(program, paid.member, refunded, Context(orders=paid.effects.orders))
    completed = Activity(ORDER_COMPLETED, "m1", at + 1, "test", "c1", {"order_id": "o1"})
    settled = step(program, settled.member, completed, Context(orders=settled.effects.orders))
    assert earned(settled) == {"base": 20}
    rest = Activity("order.refunded", "m1", at + 2, "test", "r2", {"order_id": "o1"})
    settled = step(program, settled.member, rest, Context(orders=settled.effects.orders))
    assert settled.member.purses["points"].available == 0


def test_every_entry_names_its_rule_version_order_and_numbers() -> None:
    (entry,) = settle(editions([rule(give=PER_1)]), order(COFFEE)).effects.entries
    assert (entry.rule, entry.version, entry.order_id, entry.why) == ("base", 1, "o1", {"basis": 4150})


def test_told_payments_do_not_change_what_a_channel_already_settled() -> None:
    settled = settle(editions([rule(give=PER_1)]), order(COFFEE, uses=Payments()))
    assert earned(settled) == {"base": 41}
