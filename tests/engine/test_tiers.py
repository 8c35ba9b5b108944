"""Standings: reached, re-dated, reviewed, dropped, granted, taken back, as ladders say."""

import pytest
from msgspec.structs import replace

from shuke.engine.member import pack, unpack
from tests.engine.regular import CALENDAR, Regular, day_text, editions, moment


def ladder(*tiers: str, **how: object) -> str:
    """A ladder "main" of base and these tiers, each written as YAML flow ("{id: gold, entry: …}")."""
    lines = [
        "ladders:",
        "- id: main",
        *(f"  {name}: {value}" for name, value in how.items()),
        "  tiers:",
        "  - {id: base}",
    ]
    return "\n".join([*lines, *(f"  - {tier}" for tier in tiers)]) + "\n"


YEARLY = (
    "{id: silver, entry: spend(12 months) >= 5000}",
    "{id: gold, entry: spend(12 months) >= 10000}",
    "{id: top, entry: spend(12 months) >= 20000}",
)
REDATING = ladder(*YEARLY, term="12 months")
FIXED = ladder(*YEARLY, term="12 months", requalify="fixed")

# -- Rising -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("entry", "rows", "tier"),
    [
        ("spend(12 months) >= 5000", [("2026-01-01", 4999)], "base"),
        ("spend(12 months) >= 5000", [("2026-01-01", 4999), ("2026-12-31", 1)], "gold"),
        ("spend(12 months) >= 5000", [("2026-01-01", 4999), ("2027-01-01", 1)], "base"),
        ("spend(30 days) >= 500", [("2026-01-01", 499), ("2026-01-30", 1)], "gold"),
        ("spend(30 days) >= 500", [("2026-01-01", 499), ("2026-01-31", 1)], "base"),
        ("spend(calendar year) >= 350", [("2026-12-31", 349), ("2027-01-01", 349)], "base"),
        ("spend(calendar year) >= 350", [("2026-01-20", 350)], "gold"),
        ("spend(calendar month) >= 350", [("2026-01-31", 300), ("2026-02-01", 50)], "base"),
        ("spend(membership year) >= 500", [("2025-03-15", 300), ("2026-03-14", 200)], "gold"),
        ("spend(membership year) >= 500", [("2025-03-15", 300), ("2026-03-15", 200)], "base"),
        ("spend(lifetime) >= 500", [("2016-01-01", 499), ("2026-01-01", 1)], "gold"),
        ("orders(12 months) >= 2", [("2026-01-01", 1), ("2026-01-01", 1)], "gold"),
        ("active_days(12 months) >= 2", [("2026-01-01", 1), ("2026-01-01", 1)], "base"),
        ("active_days(12 months) >= 2", [("2026-01-01", 1), ("2026-01-02", 1)], "gold"),
        ("order.amount >= 1500", [("2026-01-01", 1499), ("2026-01-02", 1499)], "base"),
        ("order.amount >= 1500", [("2026-01-01", 1500)], "gold"),
        ("member.months >= 3", [("2026-01-31", 1), ("2026-04-30", 1)], "gold"),
        ("spend(12 months) / orders(12 months) >= 100", [("2026-01-01", 50), ("2026-01-02", 149)], "base"),
        ("spend(12 months) / orders(12 months) >= 100", [("2026-01-01", 50), ("2026-01-02", 150)], "gold"),
        ("orders(12 months) >= 2 and spend(12 months) >= 90", [("2026-01-01", 90)], "base"),
        ("orders(12 months) >= 2 or spend(12 months) >= 90", [("2026-01-01", 90)], "gold"),
    ],
)
def test_a_tier_is_reached_when_its_criteria_hold_in_their_window(entry, rows, tier):
    regular = Regular(ladder(f'{{id: gold, entry: "{entry}"}}')).acts(*rows)
    assert regular.tier == tier


def test_a_qualifying_asset_and_custom_activities_raise_too():
    program = (
        ladder("{id: gold, entry: 'earned(growth, 12 months) >= 10 or count(stay.ended, 12 months) >= 2'}")
        + "assets: [{id: growth, kind: qualifying}]\n"
        + "earning: [{id: g, asset: growth, give: {per: {amount: 100, points: 1}}}]\n"
    )
    assert Regular(program).acts(("2026-01-01", 900), ("2026-01-02", 99)).tier == "base"
    assert Regular(program).acts(("2026-01-01", 900), ("2026-01-02", 100)).tier == "gold"
    guest = Regular(program)
    guest.does("2026-01-01", "stay.ended")
    assert guest.tier == "base"
    guest.does("2026-01-02", "stay.ended")
    assert guest.tier == "gold"


def test_lifetime_stars_come_at_500_2000_and_3000():
    stars = [
        f"{{id: {name}, entry: spend(lifetime) >= {least}}}"
        for name, least in (("one", 500), ("two", 2000), ("three", 3000))
    ]
    program = ladder(*stars)
    for spent, tier in ((499, "base"), (500, "one"), (1999, "one"), (2000, "two"), (3000, "three")):
        regular = Regular(program).acts(("2026-01-01", spent), ("2046-01-01",))
        assert (regular.tier, regular.until) == (tier, None)


def test_everybody_stands_on_the_first_tier_from_the_first_activity_on():
    regular = Regular(REDATING)
    regular.does("2026-01-01", "member.joined")
    (change,) = regular.changes
    assert (change.before, change.after, change.reason) == (None, "base", "joined")
    assert regular.tier == "base"
    assert regular.topics == []


def test_one_order_may_pass_several_tiers_and_says_why():
    regular = Regular(REDATING).acts(("2026-01-01", 12_000))
    change = regular.changes[-1]
    assert (change.before, change.after, change.reason) == ("base", "gold", "reached")
    assert change.why == {
        "criteria": "spend(12 months) >= 10000",
        "seen": {"spend(12 months)": "12000"},
    }
    assert regular.topics == ["tier.raised"]


def test_a_refused_activity_raises_nobody():
    regular = Regular(REDATING).acts(("2026-01-01", 4000))
    refused = regular.does("2026-01-02", "order.refunded", order_id="unknown").refused
    assert refused is not None
    assert regular.story() == []


# -- When a rise takes effect -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("upgrade", "rows", "story"),
    [
        ("at_once", [("2026-05-10", 5000)], ["2026-05-10 reached silver to 2027-05-10"]),
        # The year runs from the day the threshold was reached; the level applies from the next day on.
        ("nightly", [("2026-05-10", 5000), ("2026-05-11T00:00",)], ["2026-05-11 reached silver to 2027-05-10"]),
        ("nightly", [("2026-05-10", 5000), ("2026-05-10T23:59",)], []),
        ("nightly", [("2026-05-10", 5000), ("2026-05-10T20:00", "back", "o1"), ("2026-06-01",)], []),
        ("monthly", [("2026-05-10", 5000), ("2026-05-31T23:59",)], []),
        ("monthly", [("2026-05-10", 5000), ("2026-06-01",)], ["2026-06-01 reached silver to 2027-06-01"]),
        (
            "monthly",
            [("2026-05-10", 5000), ("2026-05-31", 5000), ("2026-06-01", 20_000), ("2026-06-30T23:59",)],
            ["2026-06-01 reached gold to 2027-06-01"],
        ),
    ],
)
def test_a_rise_takes_effect_at_once_nightly_or_on_the_first_of_the_month(upgrade, rows, story):
    program = ladder(*YEARLY, term="12 months", upgrade=upgrade)
    assert Regular(program).acts(*rows).story() == story


def test_a_window_that_closed_before_the_monthly_look_does_not_raise():
    program = ladder("{id: gold, entry: spend(10 days) >= 500}", upgrade="monthly")
    assert Regular(program).acts(("2026-05-10", 500), ("2026-06-02",)).tier == "base"
    assert Regular(program).acts(("2026-05-25", 500), ("2026-06-02",)).tier == "gold"


def test_years_of_membership_raise_on_the_first_of_a_month_without_any_activity():
    program = ladder("{id: gold, entry: member.months >= 12}", upgrade="monthly")
    regular = Regular(program).acts(("2025-05-10", 1), ("2026-05-31",))
    assert regular.tier == "base"
    assert regular.acts(("2026-06-01",)).tier == "gold"


# -- Terms ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("term", "reached", "last"),
    [
        ("12 months", "2025-09-01", "2026-09-01"),
        ("1 year", "2024-02-29", "2025-02-28"),
        ("1 month", "2026-01-31", "2026-02-28"),
        ("30 days", "2026-05-01", "2026-05-31"),
        ("{to_end_of: year, years_later: 1}", "2026-01-20", "2027-12-31"),
        ("{to_end_of: year, years_later: 1}", "2026-12-31", "2027-12-31"),
        ("{to_end_of: year}", "2026-01-20", "2026-12-31"),
        ("{to_end_of: quarter}", "2026-01-20", "2026-03-31"),
        ("{to_end_of: month, years_later: 1}", "2026-01-20", "2027-01-31"),
        ("lifetime", "2026-01-20", None),
    ],
)
def test_a_term_is_valid_through_its_last_day(term, reached, last):
    regular = Regular(ladder("{id: gold, entry: spend(calendar year) >= 350}", term=term))
    regular.acts((reached, 350))
    assert regular.until == last
    if last is not None:
        assert regular.acts((f"{last}T23:59:59",)).tier == "gold"
        assert regular.member.due_at == moment(f"{last}T00:00") + 24 * 3600 * 1_000_000


def test_a_tier_may_last_longer_than_the_ladder_says():
    program = ladder(
        YEARLY[0], YEARLY[1], "{id: diamond, term: 2 years, entry: spend(12 months) >= 30000}", term="1 year"
    )
    assert Regular(program).acts(("2026-03-01", 5000)).until == "2027-03-01"
    assert Regular(program).acts(("2026-03-01", 30_000)).until == "2028-03-01"


@pytest.mark.parametrize(
    ("program", "rows", "story"),
    [
        (  # The small roaster's own example: the top tier re-dates on re-qualification.
            REDATING,
            [("2025-09-01", 20_000), ("2026-04-20", 20_000), ("2027-04-20T23:59",)],
            ["2025-09-01 reached top to 2026-09-01", "2026-04-20 requalified top to 2027-04-20"],
        ),
        (  # The other kind keeps its anniversary: the end of the term decides.
            FIXED,
            [("2025-09-01", 20_000), ("2026-04-20", 20_000), ("2026-09-02",)],
            ["2025-09-01 reached top to 2026-09-01", "2026-09-02 renewed top to 2027-09-01"],
        ),
        (  # What reached the tier does not re-date it: the order belongs to the term before.
            REDATING,
            [("2025-09-01", 20_000), ("2025-09-01T13:00", 19_999), ("2026-08-31", 0)],
            ["2025-09-01 reached top to 2026-09-01"],
        ),
        (  # The same day may re-qualify, but it moves nothing; the next order that completes the sum does.
            REDATING,
            [("2025-09-01", 20_000), ("2025-09-01T13:00", 20_000), ("2025-09-02", 1)],
            ["2025-09-01 reached top to 2026-09-01", "2025-09-02 requalified top to 2026-09-02"],
        ),
        (  # In small steps: 5,000 for silver, then 5,000 more make gold rather than silver again.
            REDATING,
            [("2026-01-01", 5000), ("2026-02-01", 4999), ("2026-03-01", 1)],
            ["2026-01-01 reached silver to 2027-01-01", "2026-03-01 reached gold to 2027-03-01"],
        ),
        (  # Re-qualified twice, each time with what its own term has counted.
            REDATING,
            [("2026-01-01", 20_000), ("2026-02-01", 20_000), ("2026-03-01", 19_999), ("2026-04-01", 1)],
            [
                "2026-01-01 reached top to 2027-01-01",
                "2026-02-01 requalified top to 2027-02-01",
                "2026-04-01 requalified top to 2027-04-01",
            ],
        ),
        (  # To the end of next year: more in the same year moves nothing, the next year's 350 does.
            ladder("{id: vib, entry: spend(calendar year) >= 350}", term="{to_end_of: year, years_later: 1}"),
            [("2026-01-20", 350), ("2026-05-01", 350), ("2027-02-01", 349), ("2027-02-02", 1)],
            ["2026-01-20 reached vib to 2027-12-31", "2027-02-02 requalified vib to 2028-12-31"],
        ),
    ],
)
def test_meeting_the_criteria_again_redates_or_keeps_the_anniversary(program, rows, story):
    assert Regular(program).acts(*rows).story() == story


def test_a_single_purchase_redates_each_time_and_a_lifetime_sum_never():
    single = Regular(ladder("{id: gold, entry: order.amount >= 1500}", term="1 year"))
    single.acts(("2026-01-01", 1500), ("2026-02-01", 1499), ("2026-03-01", 1500))
    assert single.until == "2027-03-01"
    lifetime = Regular(ladder("{id: gold, entry: spend(lifetime) >= 1500}", term="1 year"))
    lifetime.acts(("2026-01-01", 1500), ("2026-03-01", 5000))
    assert lifetime.until == "2027-01-01"


# -- Reviews ----------------------------------------------------------------------------------------------

TERM_KEEP = (
    "{id: silver, entry: spend(12 months) >= 5000, keep: spend(term) >= 5000}",
    "{id: gold, entry: spend(12 months) >= 10000, keep: spend(term) >= 8000}",
)


@pytest.mark.parametrize(
    ("keep", "rows", "kept"),
    [
        # The review reads the 12 months up to the last day of the term, 2026-09-01.
        ("spend(12 months) >= 5000", [("2025-09-02", 5000)], True),
        ("spend(12 months) >= 5000", [("2026-09-01T23:59", 5000)], True),
        ("spend(12 months) >= 5000", [("2025-09-02", 4999)], False),
        ("spend(term) >= 5000", [("2025-09-01T13:00", 4000), ("2026-09-01T23:59", 1000)], True),
        ("spend(term) >= 5000", [("2026-09-01T23:59", 4999)], False),
        ("spend(term) >= 5000", [("2026-09-02T00:00", 5000)], False),
        ("orders(term) >= 8", [("2026-01-01", 1)] * 8, True),
        ("orders(term) >= 8", [("2026-01-01", 1)] * 7, False),
        ("active_days(term) >= 2", [("2026-01-01", 1), ("2026-01-02", 1)], True),
        ("active_days(term) >= 2", [("2025-09-01T13:00", 1), ("2026-01-02", 1)], False),
        ("spend(calendar year) >= 500", [("2025-12-31", 500)], False),
        ("spend(calendar year) >= 500", [("2026-01-01", 500)], True),
        ("spend(last calendar year) >= 10000", [], True),
        ("orders(term) >= 8 or spend(term) >= 2000", [("2026-01-01", 2000)], True),
    ],
)
def test_a_review_reads_the_criteria_as_of_the_last_day_of_the_term(keep, rows, kept):
    program = ladder(
        f"{{id: gold, entry: spend(12 months) >= 10000, keep: '{keep}'}}", term="12 months", requalify="fixed"
    )
    regular = Regular(program).acts(("2025-09-01", 10_000), *rows, ("2026-09-02",))
    expected = "renewed gold to 2027-09-01" if kept else "dropped base"
    assert regular.story()[-1] == f"2026-09-02 {expected}"
    assert regular.changes[-1].at == moment("2026-09-02T00:00")


def test_a_review_falls_at_local_midnight_of_the_program_s_zone():
    regular = Regular(REDATING).acts(("2025-09-01", 20_000), ("2026-09-01T23:59:59",))
    assert regular.tier == "top"
    assert regular.acts(("2026-09-02T00:00",)).tier == "gold"


def test_a_purchase_by_which_to_keep_a_tier_is_measured():
    program = (
        ladder("{id: gold, entry: spend(12 months) >= 10000, keep: big(term) >= 1}", term="1 year", requalify="fixed")
        + "measures: [{id: big, kind: count, when: order.amount >= 1500}]\n"
    )
    small = Regular(program).acts(("2025-09-01", 10_000), ("2026-01-01", 1499), ("2026-01-02", 1499), ("2026-09-02",))
    assert small.tier == "base"
    big = Regular(program).acts(("2025-09-01", 10_000), ("2026-01-01", 1500), ("2026-09-02",))
    assert big.tier == "gold"


def test_renewals_keep_their_anniversary_over_the_years():
    program = ladder("{id: gold, entry: spend(12 months) >= 100}", term="12 months", requalify="fixed")
    regular = Regular(program).acts(
        *((f"{year}-02-29" if year == 2024 else f"{year}-01-15", 100) for year in (2024, 2025, 2026, 2027))
    )
    assert [line.split(" to ")[1] for line in regular.story()] == ["2025-02-28", "2026-02-28", "2027-02-28"]


@pytest.mark.parametrize(
    ("how", "spent_in_term", "after"),
    [
        ({"on_drop": "one_level"}, 0, "gold"),
        ({"on_drop": "supported"}, 0, "base"),
        ({"on_drop": "supported"}, 5000, "silver"),
        ({"on_drop": "supported"}, 10_000, "gold"),
        ({"on_drop": "to_base"}, 19_999, "base"),
        ({"on_drop": "never"}, 0, "top"),
        # "Below 5,000 one level, below 2,000 start again."
        ({"on_drop": "one_level", "restart_when": "spend(12 months) < 2000"}, 2000, "gold"),
        ({"on_drop": "one_level", "restart_when": "spend(12 months) < 2000"}, 1999, "base"),
        ({"on_drop": "never", "restart_when": "spend(12 months) < 2000"}, 2000, "top"),
        ({"on_drop": "never", "restart_when": "spend(12 months) < 2000"}, 1999, "base"),
    ],
)
def test_who_does_not_keep_a_tier_drops_as_far_as_the_ladder_says(how, spent_in_term, after):
    program = ladder(*YEARLY, term="12 months", **how)
    regular = Regular(program).acts(("2025-09-01", 20_000), ("2025-09-02", spent_in_term), ("2026-09-02",))
    assert regular.tier == after
    if after not in ("base", "top"):
        assert regular.until == "2027-09-01"


def test_a_level_below_has_its_own_term_and_its_own_review():
    regular = Regular(REDATING).acts(("2025-09-01", 20_000), ("2029-01-01",))
    assert regular.story() == [
        "2025-09-01 reached top to 2026-09-01",
        "2026-09-02 dropped gold to 2027-09-01",
        "2027-09-02 dropped silver to 2028-09-01",
        "2028-09-02 dropped base",
    ]
    assert regular.topics == ["tier.raised", "tier.dropped", "tier.dropped", "tier.dropped"]


def test_a_first_tier_with_a_term_of_its_own_starts_counting_anew_with_each():
    program = (
        "ladders:\n- id: main\n  term: 1 year\n  tiers:\n  - {id: white, term: 1 year}\n"
        "  - {id: gold, entry: spend(term) >= 6000, keep: orders(term) >= 8 or spend(term) >= 2000}\n"
    )
    over_two_terms = Regular(program).acts(("2026-01-10", 3000), ("2027-01-10", 2999), ("2027-01-11", 3001))
    assert over_two_terms.story() == ["2027-01-11 renewed white to 2028-01-10"]
    in_one = Regular(program).acts(("2026-01-10", 3000), ("2027-01-10", 3000), ("2028-01-10", 2000), ("2028-01-11",))
    assert in_one.story() == [
        "2027-01-10 reached gold to 2028-01-10",
        "2028-01-11 renewed gold to 2029-01-10",
    ]


def test_a_drop_never_lands_on_a_tier_that_is_only_granted():
    program = ladder(YEARLY[0], "{id: staff}", YEARLY[2], term="12 months")
    assert Regular(program).acts(("2025-09-01", 20_000), ("2026-09-02",)).tier == "silver"


@pytest.mark.parametrize(
    ("requalify", "rows", "story"),
    [
        ("redate", [("2026-10-01",)], ["2026-09-02 grace gold to 2026-10-01"]),
        (
            "redate",
            [("2026-10-02",)],
            ["2026-09-02 grace gold to 2026-10-01", "2026-10-02 dropped silver to 2027-10-01"],
        ),
        (
            "redate",
            [("2026-09-20", 8000), ("2026-10-02",)],
            ["2026-09-02 grace gold to 2026-10-01", "2026-09-20 renewed gold to 2027-09-20"],
        ),
        (
            "fixed",
            [("2026-09-20", 8000), ("2026-10-02",)],
            ["2026-09-02 grace gold to 2026-10-01", "2026-09-20 renewed gold to 2027-09-01"],
        ),
        # What kept the tier in grace is not counted again for the term it opened.
        (
            "fixed",
            [("2026-09-20", 8000), ("2027-09-01", 7999), ("2027-09-02",)],
            [
                "2026-09-02 grace gold to 2026-10-01",
                "2026-09-20 renewed gold to 2027-09-01",
                "2027-09-02 grace gold to 2027-10-01",
            ],
        ),
    ],
)
def test_grace_keeps_the_tier_for_its_days_and_renews_it_if_the_criteria_are_met_meanwhile(requalify, rows, story):
    program = ladder(*TERM_KEEP, term="12 months", requalify=requalify, grace_days=30)
    regular = Regular(program).acts(("2025-09-01", 10_000), *rows)
    assert regular.story()[1:] == story


def test_at_most_one_drop_per_cooldown():
    program = ladder(*YEARLY, term="3 months", cooldown="6 months")
    regular = Regular(program).acts(("2026-01-01", 20_000), ("2028-01-01",))
    # Silver's and gold's own reviews would come after three months; each waits for the six to pass. By the
    # rolling year the spend of 2026-01-01 still supports silver and gold for a while.
    assert [line for line in regular.story() if "dropped" in line or "postponed" in line] == [
        "2027-01-02 dropped gold to 2027-04-01",
        "2027-04-02 postponed gold to 2027-07-01",
        "2027-07-02 dropped silver to 2027-10-01",
        "2027-10-02 postponed silver to 2028-01-01",
    ]


def test_a_postponed_review_renews_if_the_criteria_are_met_by_then():
    program = ladder(
        "{id: silver, entry: spend(1 month) >= 5000}",
        "{id: gold, entry: spend(1 month) >= 10000}",
        term="1 month",
        cooldown="6 months",
        requalify="fixed",
    )
    regular = Regular(program).acts(("2026-01-01", 10_000), ("2026-07-15", 5000), ("2026-08-03",))
    assert regular.story() == [
        "2026-01-01 reached gold to 2026-02-01",
        "2026-02-02 dropped silver to 2026-03-01",
        "2026-03-02 postponed silver to 2026-08-01",
        "2026-08-02 renewed silver to 2026-09-01",
    ]


def test_a_drop_voids_the_assets_the_ladder_names_and_the_books_balance():
    program = (
        ladder(*YEARLY, term="12 months", void_assets="[stars]")
        + "assets: [{id: stars, pending: 400 days, expiry_notice_days: []}, {id: points, expiry_notice_days: []}]\n"
        + "earning:\n"
        + "- {id: s, asset: stars, give: {per: {amount: 100, points: 1}}}\n"
        + "- {id: r, asset: stars, pending: 0 days, give: {fixed: 7}}\n"
        + "- {id: p, asset: points, give: {per: {amount: 100, points: 1}}}\n"
    )
    regular = Regular(program).acts(("2025-09-01", 20_000))
    stars = regular.member.purses["stars"]
    assert (stars.available, stars.pending) == (7, 200)
    settled = regular.waits("2026-09-02")
    assert [
        (entry.asset, entry.kind, entry.debit, entry.credit, entry.amount, entry.rule)
        for entry in settled.effects.entries
    ] == [
        ("stars", "void", "pending", "expired", 200, "main"),
        ("stars", "void", "available", "expired", 7, "main"),
    ]
    stars = regular.member.purses["stars"]
    assert (stars.available, stars.pending, stars.lots, stars.ripening) == (0, 0, [], [])
    assert regular.member.purses["points"].available == 200


def test_members_at_risk_are_told_before_the_term_ends_and_others_are_not():
    program = ladder(*TERM_KEEP, term="12 months", notice_days="[30, 7]")
    idle = Regular(program).acts(("2025-09-01", 10_000))
    told = [wanted for wanted in idle.waits("2026-09-01").effects.wanted if wanted.topic == "tier.at_risk"]
    assert [wanted.body["days"] for wanted in told] == [30, 7]
    assert day_text(told[0].body["until"]) == "2026-09-01"
    busy = Regular(ladder(*TERM_KEEP, term="12 months", notice_days="[30, 7]", requalify="fixed"))
    busy.acts(("2025-09-01", 10_000), ("2026-01-01", 8000), ("2026-09-02",))
    assert busy.topics == ["tier.raised"]


# -- Refunds ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("on_refund", "rows", "story"),
    [
        ("at_review", [("2026-02-01", "back", "o1"), ("2026-03-01",)], []),
        ("at_once", [("2026-02-01", "back", "o1")], ["2026-02-01 refunded base"]),
        # What is left would have reached silver on the day: it does, with the dates of that day.
        ("at_once", [("2026-02-01", "back", "o1", 5000)], ["2026-02-01 refunded silver to 2028-01-01"]),
        ("at_once", [("2026-02-01", "back", "o1", 5001)], ["2026-02-01 refunded base"]),
        # Other purchases support the tier: what they reach is not taken.
        ("at_once", [("2026-01-15", 4999), ("2026-02-01", "back", "o1")], ["2026-02-01 refunded base"]),
        (
            "at_once",
            [("2026-01-15", 5000), ("2026-02-01", "back", "o1")],
            ["2026-02-01 refunded silver to 2028-02-01"],
        ),
        ("at_once", [("2026-01-15", 10_000), ("2026-02-01", "back", "o1")], []),
        # Only what the term was given for takes it back: a later order may come and go.
        ("at_once", [("2026-01-15", 9000), ("2026-02-01", "back", "o2")], []),
        # A window that has moved on is no refund: half a year later the reaching order is still looked at.
        ("at_once", [("2026-12-31", 100), ("2027-01-01", "back", "o2")], []),
    ],
)
def test_a_refund_takes_a_tier_at_once_or_leaves_it_to_the_review(on_refund, rows, story):
    program = ladder(*YEARLY[:2], term="24 months", on_refund=on_refund, requalify="fixed")
    regular = Regular(program).acts(("2026-01-01", 10_000), *rows)
    assert regular.story()[1:] == story


def test_a_refund_lowers_what_the_review_reads():
    program = ladder(*TERM_KEEP, term="12 months", requalify="fixed")
    rows = [("2025-09-01", 10_000), ("2026-01-01", 8000)]
    assert Regular(program).acts(*rows, ("2026-09-02",)).tier == "gold"
    assert Regular(program).acts(*rows, ("2026-02-01", "back", "o2", 1), ("2026-09-02",)).tier == "silver"


def test_a_refund_of_what_reached_the_tier_takes_nothing_from_the_new_term():
    program = ladder(*TERM_KEEP, term="12 months", requalify="fixed")
    rows = [("2025-09-01", 10_000), ("2025-09-01T13:00", 3000), ("2026-01-01", 5000)]
    regular = Regular(program).acts(*rows, ("2026-02-01", "back", "o1"), ("2026-09-02",))
    assert regular.tier == "gold"


def test_a_refund_returns_a_member_to_the_standing_before_with_its_dates():
    program = ladder(*YEARLY, term="12 months", on_refund="at_once")
    regular = Regular(program).acts(("2026-01-01", 5000), ("2026-05-01", 5000), ("2026-06-01", "back", "o2"))
    assert regular.story() == [
        "2026-01-01 reached silver to 2027-01-01",
        "2026-05-01 reached gold to 2027-05-01",
        "2026-06-01 refunded silver to 2027-01-01",
    ]


def test_a_refund_undoes_a_re_dating():
    program = ladder(*YEARLY, term="12 months", on_refund="at_once")
    regular = Regular(program).acts(("2026-01-01", 20_000), ("2026-05-01", 20_000), ("2026-06-01", "back", "o2"))
    assert regular.story()[1:] == [
        "2026-05-01 requalified top to 2027-05-01",
        "2026-06-01 refunded top to 2027-01-01",
    ]


def test_two_refunds_in_a_row_lead_back_to_the_first_tier():
    program = ladder(*YEARLY, term="12 months", on_refund="at_once")
    regular = Regular(program).acts(("2026-01-01", 5000), ("2026-05-01", 5000))
    regular.acts(("2026-06-01", "back", "o2"), ("2026-06-02", "back", "o1"))
    assert regular.story()[-2:] == ["2026-06-01 refunded silver to 2027-01-01", "2026-06-02 refunded base"]
    assert regular.member.standings["main"].tier == "base"


def test_a_purchase_that_gave_the_tier_by_itself_takes_it_when_it_is_all_back():
    program = ladder("{id: gold, entry: order.amount >= 1500}", term="1 year", on_refund="at_once")
    regular = Regular(program).acts(("2026-01-01", 1500), ("2026-01-02", 100), ("2026-01-03", "back", "o2"))
    assert regular.acts(("2026-01-04", "back", "o1", 700)).tier == "gold"
    assert regular.acts(("2026-01-05", "back", "o1")).tier == "base"


def test_a_cancelled_order_that_is_reopened_gives_the_tier_back():
    program = ladder(*YEARLY, term="12 months", on_refund="at_once")
    regular = Regular(program).acts(("2026-01-01", 10_000))
    regular.does("2026-02-01", "order.cancelled", order_id="o1")
    assert regular.tier == "base"
    regular.does("2026-02-02", "order.reopened", order_id="o1")
    assert regular.tier == "gold"


# -- Late facts -------------------------------------------------------------------------------------------


def test_a_late_fact_can_raise_at_once_as_of_its_own_day():
    program = ladder("{id: gold, entry: spend(calendar year) >= 350}", term="{to_end_of: year, years_later: 1}")
    regular = Regular(program).acts(("2026-12-30", 300), ("2027-01-02", 10), ("2026-12-31", 50))
    assert regular.story() == ["2026-12-31 reached gold to 2027-12-31"]


def test_a_late_fact_may_complete_what_later_days_have_counted():
    regular = Regular(REDATING).acts(("2026-05-10", 4000), ("2026-05-01", 1000))
    assert regular.tier == "silver"
    assert regular.until == "2027-05-10"


def test_a_late_fact_does_not_see_what_came_after_it():
    program = ladder("{id: gold, entry: spend(30 days) >= 500}")
    assert Regular(program).acts(("2026-05-10", 400), ("2026-03-01", 100)).tier == "base"


@pytest.mark.parametrize(
    ("reopen", "story"),
    [
        (False, []),
        (True, ["2026-08-15 reopened gold to 2027-09-01"]),
    ],
)
def test_a_late_fact_reopens_a_closed_review_only_if_the_program_says_so(reopen, story):
    program = ladder(*TERM_KEEP, term="12 months", requalify="fixed", reopen_reviews=str(reopen).lower())
    regular = Regular(program).acts(("2025-09-01", 10_000), ("2026-09-05", 1000), ("2026-08-15", 8000))
    assert regular.story()[1] == "2026-09-02 dropped silver to 2027-09-01"
    assert regular.story()[2:] == story
    assert regular.tier == ("gold" if reopen else "silver")


def test_a_late_fact_that_would_not_have_been_enough_reopens_nothing():
    program = ladder(*TERM_KEEP, term="12 months", requalify="fixed", reopen_reviews="true")
    regular = Regular(program).acts(("2025-09-01", 10_000), ("2026-09-05", 1000), ("2026-08-15", 7999))
    assert regular.tier == "silver"


# -- Tiers that are not earned ----------------------------------------------------------------------------

VIP = ladder(YEARLY[0], YEARLY[1], "{id: vip}", term="12 months")


def test_bought_vip_for_30_days_while_earning_gold_is_the_best_of_both_and_gold_remains():
    regular = Regular(VIP)
    regular.does("2026-05-01", "tier.granted", ladder="main", tier="vip", days=30, source="bought", ref="inv-1")
    assert regular.tier == "vip"
    regular.acts(("2026-05-10", 10_000), ("2026-05-31T23:59",))
    assert regular.tier == "vip"
    regular.waits("2026-06-01")
    assert regular.tier == "gold"
    assert regular.story() == [
        "2026-05-01 granted vip to 2026-05-31",
        "2026-05-10 reached vip to 2026-05-31",
        "2026-06-01 grant_ended gold to 2027-05-10",
    ]
    assert regular.changes[2].why["standing"] == "gold"


def test_a_bought_tier_below_what_is_earned_changes_nothing_until_the_earned_one_ends():
    regular = Regular(REDATING).acts(("2026-01-01", 20_000))
    regular.does("2026-02-01", "tier.granted", ladder="main", tier="gold", until=moment("2030-01-01T00:00"), ref="g")
    assert regular.tier == "top"
    regular.waits("2029-06-01")
    assert regular.tier == "gold"
    assert regular.story()[-1] == "2029-01-02 dropped gold to 2029-12-31"
    assert regular.acts(("2030-01-01",)).tier == "base"


@pytest.mark.parametrize(
    ("lasts", "last"),
    [
        ({"days": 30}, "2026-05-31"),
        ({"period": "1 month"}, "2026-06-01"),
        ({"until": moment("2026-05-08T00:00")}, "2026-05-07"),
        ({}, None),
    ],
)
def test_a_granted_tier_lasts_as_long_as_its_grant_says(lasts, last):
    regular = Regular(VIP)
    regular.does("2026-05-01", "tier.granted", ladder="main", tier="vip", source="matched", ref="r", **lasts)
    assert day_text(regular.changes[-1].until) == last


def test_two_grants_run_beside_each_other_and_the_rest_remain():
    regular = Regular(VIP)
    regular.does("2026-05-01", "tier.granted", ladder="main", tier="gold", days=60, ref="a")
    regular.does("2026-05-02", "tier.granted", ladder="main", tier="vip", days=7, source="temporary", ref="b")
    assert regular.tier == "vip"
    assert regular.acts(("2026-05-10",)).tier == "gold"
    regular.does("2026-05-11", "tier.revoked", ladder="main", ref="a")
    assert regular.tier == "base"
    assert [change.reason for change in regular.changes] == [
        "joined",
        "granted",
        "granted",
        "grant_ended",
        "revoked",
    ]


@pytest.mark.parametrize(
    ("type_", "payload", "code"),
    [
        ("tier.granted", {"ladder": "other", "tier": "vip"}, "ladder_unknown"),
        ("tier.granted", {"ladder": "main", "tier": "other"}, "tier_unknown"),
        ("tier.granted", {"ladder": "main", "tier": "vip", "source": "found"}, "source_unknown"),
        ("tier.granted", {"ladder": "main", "tier": "vip", "until": moment("2026-04-30")}, "until_invalid"),
        ("tier.granted", {"ladder": "main", "tier": "vip", "until": "soon"}, "until_invalid"),
        ("tier.granted", {"ladder": "main", "tier": "vip", "period": "a while"}, "until_invalid"),
        ("tier.granted", {"ladder": "main", "tier": "vip", "days": 3, "period": "3 days"}, "until_invalid"),
        ("tier.granted", {"ladder": "main", "tier": "gold", "ref": "first"}, "grant_exists"),
        ("tier.revoked", {"ladder": "other", "ref": "first"}, "ladder_unknown"),
        ("tier.revoked", {"ladder": "main", "ref": "second"}, "grant_unknown"),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused_and_leaves_the_member_as_she_was(type_, payload, code):
    regular = Regular(VIP)
    regular.does("2026-04-01", "tier.granted", ladder="main", tier="vip", days=90, ref="first")
    standing = pack(regular.member)
    refused = regular.does("2026-05-01", type_, **payload).refused
    assert refused is not None
    assert refused.code == code
    before, after = unpack(standing), regular.member
    assert (after.standings, after.grants, after.tiers) == (before.standings, before.grants, before.tiers)


def test_a_ladder_by_invitation_has_nobody_on_it_until_a_tier_is_granted():
    program = ladder("{id: inner, entry: spend(12 months) >= 1000}", invitation_only="true")
    regular = Regular(program).acts(("2026-01-01", 9000))
    assert regular.tier is None
    regular.does("2026-02-01", "tier.granted", ladder="main", tier="base", days=30, source="gifted", ref="i")
    assert regular.tier == "base"
    regular.acts(("2026-02-02", 1))
    assert regular.tier == "inner"
    ended = Regular(program)
    ended.does("2026-02-01", "tier.granted", ladder="main", tier="base", days=30, ref="i")
    ended.waits("2026-04-01")
    assert ended.tier is None
    assert ended.changes[-1].after is None


# -- Several ladders --------------------------------------------------------------------------------------


def test_ladders_stand_beside_each_other():
    program = ladder(YEARLY[0], term="12 months") + (
        "- id: seller\n  tiers:\n  - {id: new}\n  - {id: trusted, entry: 'count(sale.completed, lifetime) >= 2'}\n"
    )
    regular = Regular(program).acts(("2026-01-01", 5000))
    regular.does("2026-01-02", "sale.completed")
    assert regular.member.tiers == {"main": "silver", "seller": "new"}
    regular.does("2026-01-03", "sale.completed")
    assert regular.member.tiers == {"main": "silver", "seller": "trusted"}


# -- Editing the program ----------------------------------------------------------------------------------


def test_editing_criteria_moves_nobody_before_apply_and_apply_moves_up_and_down():
    easier = ladder("{id: silver, entry: spend(12 months) >= 1000}", *YEARLY[1:], term="12 months")
    harder = ladder("{id: silver, entry: spend(12 months) >= 9000}", *YEARLY[1:], term="12 months")
    up = Regular(editions(REDATING, easier, starts=("2026-06-01",))).acts(("2026-05-01", 2000), ("2026-06-02",))
    assert up.tier == "base"
    up.does("2026-06-03", "tiers.applied")
    assert up.tier == "silver"
    assert up.changes[-1].reason == "applied"
    down = Regular(editions(REDATING, harder, starts=("2026-06-01",))).acts(("2026-05-01", 5000), ("2026-06-02", 1))
    assert down.tier == "silver"
    down.does("2026-06-03", "tiers.applied")
    assert down.tier == "base"
    assert down.changes[-1].reason == "applied_down"


def test_apply_leaves_alone_who_would_still_be_given_her_term():
    regular = Regular(REDATING).acts(("2026-01-01", 10_000), ("2026-12-31", 1))
    later = Regular(ladder(*YEARLY, term="24 months")).acts(("2026-01-01", 10_000), ("2027-06-01", 1))
    for someone, when in ((regular, "2026-12-31"), (later, "2027-06-02")):
        before = len(someone.changes)
        someone.does(when, "tiers.applied")
        assert len(someone.changes) == before
        assert someone.tier == "gold"


def test_a_tier_that_is_no_more_is_left_at_apply_and_not_before():
    fewer = ladder(YEARLY[0], term="12 months")
    regular = Regular(editions(REDATING, fewer, starts=("2026-06-01",)))
    regular.acts(("2026-05-01", 20_000), ("2026-06-02", 1))
    assert regular.tier == "top"
    regular.does("2026-06-03", "tiers.applied")
    assert regular.tier == "silver"


def test_a_ladder_that_is_no_more_keeps_its_tiers_until_apply():
    regular = Regular(editions(REDATING, "assets: []\n", starts=("2026-06-01",)))
    regular.acts(("2026-05-01", 20_000), ("2030-01-01", 1))
    assert regular.tier == "top"
    regular.does("2030-01-02", "tiers.applied")
    assert regular.member.tiers == {}
    assert regular.member.standings == {}


# -- Whatever the clock does ------------------------------------------------------------------------------


def test_a_clock_that_comes_late_gives_the_same_standing_as_one_that_is_on_time():
    program = ladder(*TERM_KEEP, term="12 months", grace_days=30, cooldown="6 months", upgrade="nightly")
    rows = [("2025-01-10", 10_000), ("2025-06-01", 5000), ("2027-03-01", 6000)]
    late = Regular(program).acts(*rows, ("2029-01-01",))
    on_time = Regular(program)
    for row in [*rows, ("2029-01-01",)]:
        while on_time.member.due_at < moment(row[0]):
            on_time.waits(CALENDAR.format(on_time.member.due_at))
        on_time.acts(row)
    assert on_time.story() == late.story()
    assert on_time.numbers > late.numbers
    assert pack(replace(on_time.member, seq=0)) == pack(replace(late.member, seq=0))


def test_a_member_stays_small_after_ten_years_of_terms():
    regular = Regular(REDATING)
    sizes = []
    for year in range(2016, 2026):
        regular.acts((f"{year}-03-01", 20_000), (f"{year}-09-01", 20_000))
        sizes.append(len(pack(regular.member)))
    assert sizes[-1] <= sizes[1] + 200
    assert regular.member.standings["main"].earlier is not None
    assert regular.member.standings["main"].earlier.earlier is None
