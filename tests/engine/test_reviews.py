"""What becomes of a standing at the end of its term, after a refund, and by facts that arrive late."""

import pytest

from tests.engine.regular import REDATING, TERM_KEEP, YEARLY, Regular, day_text, ladder, moment

# -- Reviews ----------------------------------------------------------------------------------------------


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
