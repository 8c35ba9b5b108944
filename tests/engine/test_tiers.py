"""Standings: reached, re-dated, reviewed, dropped, granted, taken back, as ladders say."""

import pytest
from msgspec.structs import replace

from shuke.engine.member import pack, unpack
from tests.engine.regular import (
    CALENDAR,
    FIXED,
    REDATING,
    TERM_KEEP,
    YEARLY,
    Regular,
    day_text,
    editions,
    ladder,
    moment,
)

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
