"""What a member is told of her standing: what is missing, by when, and who would move under another program."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shuke.engine.member import Member, pack
from shuke.engine.progress import preview, progress, uncounted
from tests.engine.regular import Regular, editions, moment


def program_of(*tiers: str, **how: object) -> str:
    lines = ["ladders:", "- id: main", *(f"  {name}: {value}" for name, value in how.items()), "  tiers:"]
    return "\n".join([*lines, "  - {id: base}", *(f"  - {tier}" for tier in tiers)]) + "\n"


YEARLY = program_of(
    "{id: gold, entry: spend(12 months) >= 5000}",
    "{id: top, entry: spend(12 months) >= 20000}",
    term="12 months",
    requalify="fixed",
)


def told(regular: Regular, at: str):
    (of_main,) = progress(regular.program, regular.member, moment(at))
    return of_main


def day(text: str) -> int:
    return date.fromisoformat(text).toordinal()


def test_one_thousand_of_five_thousand_is_no_tier_yet_and_the_answer_says_4000_more_by_when():
    regular = Regular(YEARLY).acts(("2026-04-21", 1000))
    said = told(regular, "2026-05-01")
    assert (said.tier, said.last_day, said.source, said.keep) == ("base", None, "earned", None)
    assert said.next is not None
    assert (said.next.tier, said.next.criteria, said.next.met) == ("gold", "spend(12 months) >= 5000", False)
    (((missing,),),) = (said.next.ways,)
    assert (missing.of, missing.have, missing.need, missing.missing) == ("spend(12 months)", 1000, 5000, 4000)
    assert missing.sentence == "4,000 more by 2027-04-20"


@pytest.mark.parametrize(
    ("entry", "rows", "ways"),
    [
        ("spend(12 months) >= 5000", [], [["5,000 more"]]),
        ("spend(lifetime) >= 5000", [("2026-01-01", 1)], [["4,999 more"]]),
        ("spend(calendar year) >= 350", [("2026-01-20", 50)], [["300 more by 2026-12-31"]]),
        ("spend(calendar quarter) >= 350", [("2026-01-20", 50)], [["350 more by 2026-06-30"]]),
        ("spend(membership year) >= 500", [("2026-03-15", 100)], [["400 more by 2027-03-14"]]),
        ("orders(30 days) >= 3", [("2026-04-10", 1), ("2026-04-20", 1)], [["1 more by 2026-05-09"]]),
        (
            "orders(12 months) >= 2 or spend(12 months) >= 90",
            [("2026-04-21", 40)],
            [["1 more by 2027-04-20"], ["50 more by 2027-04-20"]],
        ),
        (
            "orders(12 months) >= 2 and spend(lifetime) >= 90",
            [("2026-04-21", 40)],
            [["1 more by 2027-04-20", "50 more"]],
        ),
        (
            "trait.city = taipei and (orders(lifetime) >= 2 or spend(lifetime) >= 90)",
            [("2026-04-21", 40)],
            [["trait.city = taipei", "1 more"], ["trait.city = taipei", "50 more"]],
        ),
        ("spend(12 months) > 100", [("2026-04-21", 100)], [["1 more by 2027-04-20"]]),
    ],
)
def test_what_is_missing_is_told_for_every_way_there(entry, rows, ways):
    regular = Regular(program_of(f'{{id: gold, entry: "{entry}"}}')).acts(*rows)
    goal = told(regular, "2026-05-01").next
    assert [[missing.sentence for missing in way] for way in goal.ways] == ways


def test_what_keeps_a_tier_is_told_as_the_review_will_read_it():
    regular = Regular(YEARLY).acts(("2025-05-01", 4000), ("2025-09-01", 1000), ("2026-02-01", 300))
    said = told(regular, "2026-04-30")
    assert (said.tier, said.last_day) == ("gold", day("2026-09-01"))
    # Today the rolling year holds 5,300; on 2026-09-01 it will hold 300 of them.
    assert said.keep is not None
    assert (said.keep.met, said.keep.by) == (False, day("2026-09-01"))
    assert [[missing.sentence for missing in way] for way in said.keep.ways] == [["4,700 more by 2026-09-01"]]
    [[kept]], [[raised]] = said.keep.ways, said.next.ways
    assert (kept.have, kept.today, kept.missing) == (300, 5300, 4700)
    assert (raised.have, raised.today, raised.missing) == (5300, None, Decimal(14_700))
    regular.acts(("2026-08-01", 4700))
    assert told(regular, "2026-08-02").keep.met


@pytest.mark.parametrize(
    ("keep", "have", "today"),
    [
        ("spend(12 months) >= 5000", 0, 5000),
        ("spend(calendar year) >= 5000", 0, 5000),
        ("spend(24 months) >= 6000", 5000, None),
        ("spend(term) >= 1000", 0, None),
        ("spend(lifetime) >= 6000", 5000, None),
        ("days_since(order.paid) <= 30", 365, None),
    ],
)
def test_who_has_just_reached_a_tier_is_told_what_of_it_still_counts_at_its_end(keep, have, today):
    program = program_of(f"{{id: gold, entry: spend(12 months) >= 5000, keep: {keep}}}", term="12 months")
    goal = told(Regular(program).acts(("2026-04-21", 5000)), "2026-04-21T13:00").keep
    [[missing]] = goal.ways
    assert (goal.met, goal.by, missing.have, missing.today) == (False, day("2027-04-21"), have, today)


def test_the_top_of_a_ladder_and_a_lifetime_have_nothing_ahead():
    regular = Regular(program_of("{id: gold, entry: spend(lifetime) >= 500}")).acts(("2026-01-01", 500))
    said = told(regular, "2026-01-02")
    assert (said.tier, said.last_day, said.next, said.keep) == ("gold", None, None, None)


def test_a_granted_tier_in_force_is_told_beside_what_is_earned():
    regular = Regular(program_of("{id: gold, entry: spend(lifetime) >= 500}", "{id: vip}"))
    regular.does("2026-05-01", "tier.granted", ladder="main", tier="vip", days=30, source="bought", ref="r")
    said = told(regular, "2026-05-02")
    assert (said.tier, said.last_day, said.source, said.standing) == ("vip", day("2026-05-31"), "bought", "base")
    assert said.next.tier == "gold"


def test_somebody_who_has_not_done_anything_yet_is_told_what_the_first_step_takes():
    (said,) = progress(editions(YEARLY), Member("new", 0), moment("2026-05-01"))
    assert (said.tier, said.next.tier) == ("base", "gold")
    assert said.next.ways[0][0].sentence == "5,000 more"


def test_a_read_never_changes_a_tier_even_where_a_review_is_due():
    regular = Regular(YEARLY).acts(("2025-09-01", 5000))
    before = pack(regular.member)
    said = told(regular, "2027-05-01")
    assert said.tier == "base"
    preview(regular.program, editions(program_of()), regular.member, moment("2027-05-01"))
    assert pack(regular.member) == before
    assert regular.tier == "gold"


# -- Preview ----------------------------------------------------------------------------------------------


def edited(gold: int) -> str:
    return program_of(f"{{id: gold, entry: spend(12 months) >= {gold}}}", term="12 months", requalify="fixed")


@pytest.mark.parametrize(
    ("draft", "spent", "moves"),
    [
        (edited(4000), 4500, [("base", "gold", False)]),
        (edited(4000), 3999, []),
        (edited(6000), 5500, [("gold", "base", False)]),
        (edited(6000), 6000, []),
        (program_of(), 5000, [("gold", "base", False)]),
        ("assets: []\n", 10, [("base", None, False)]),
    ],
)
def test_editing_criteria_previews_who_moves_and_nobody_moves_by_it(draft, spent, moves):
    regular = Regular(edited(5000)).acts(("2026-01-01", spent))
    before = pack(regular.member)
    found = preview(regular.program, editions(draft), regular.member, moment("2026-02-01"))
    assert [(move.before, move.after, move.anyway) for move in found] == moves
    assert pack(regular.member) == before


def test_a_preview_says_who_would_move_anyway_and_apply_then_does_what_it_said():
    regular = Regular(edited(5000)).acts(("2026-01-01", 6000), ("2026-01-02", "back", "o1", 2000))
    (move,) = preview(regular.program, editions(edited(7000)), regular.member, moment("2026-02-01"))
    assert (move.before, move.after, move.anyway) == ("gold", "base", True)
    regular.program = editions(edited(7000))
    regular.does("2026-02-01", "tiers.applied")
    assert regular.tier == move.after


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        ("spend(6 months) >= 1", []),
        ("spend(lifetime) >= 1", []),
        ("spend(24 months) >= 1", ["spend"]),
        ("orders(1 months) >= 1 and spend(1 days) >= 1", ["orders"]),
        ("count(stay.ended, 12 months) >= 2", ["count:stay.ended"]),
        ("member.months >= 3", []),
    ],
)
def test_a_preview_knows_what_members_counters_do_not_hold(entry, found):
    drafted = editions(program_of(f'{{id: gold, entry: "{entry}"}}')).at(0).document
    assert uncounted(editions(edited(5000)).at(0), drafted) == found


def test_a_measure_that_counts_otherwise_is_not_held():
    another = "measures: [{id: spend, kind: sum, of: amount, on: [order.completed]}]\n"
    drafted = editions(another + edited(5000)).at(0).document
    assert uncounted(editions(edited(5000)).at(0), drafted) == ["spend"]


# -- Consistency ------------------------------------------------------------------------------------------

HISTORIES = st.lists(st.tuples(st.integers(0, 700), st.integers(0, 4000)), max_size=12)
WINDOWS = st.sampled_from(
    ["12 months", "30 days", "calendar year", "calendar quarter", "membership year", "lifetime", "term"]
)


def lived(program: str, history: list[tuple[int, int]]) -> Regular:
    """Orders on days counted from 2024-02-29, in order."""
    regular = Regular(program)
    start = day("2024-02-29")
    for since, amount in sorted(history):
        regular.pays(date.fromordinal(start + since).isoformat(), amount)
    return regular


@given(history=HISTORIES, window=WINDOWS, wait=st.integers(0, 400), late=st.booleans())
def test_exactly_the_missing_amount_raises_and_one_less_does_not(history, window, wait, late):
    program = program_of(f"{{id: gold, entry: spend({window}) >= 5000}}")
    asked = day("2024-02-29") + 700 + wait
    said = told(lived(program, history), date.fromordinal(asked).isoformat())
    if said.next is None:
        return
    ((missing,),) = said.next.ways
    last = missing.by if late and missing.by is not None else asked
    when = date.fromordinal(last).isoformat()
    for amount, tier in ((int(missing.missing) - 1, "base"), (int(missing.missing), "gold")):
        regular = lived(program, history)
        regular.pays(f"{when}T23:00", amount)
        assert regular.tier == tier


@given(history=HISTORIES, window=WINDOWS, wait=st.integers(0, 300))
def test_exactly_what_is_missing_to_keep_a_tier_keeps_it_and_one_less_does_not(history, window, wait):
    program = program_of(
        f"{{id: gold, entry: spend(24 months) >= 5000, keep: spend({window}) >= 8000}}",
        term="12 months",
        requalify="fixed",
        on_drop="to_base",
    )
    history = [*history, (700, 5000)]
    asked = date.fromordinal(day("2024-02-29") + 701 + wait).isoformat()
    keep = told(lived(program, history), asked).keep
    if keep is None:  # a review has just gone against her
        return
    last, review = date.fromordinal(keep.by).isoformat(), date.fromordinal(keep.by + 1).isoformat()
    missing = 0 if keep.met else int(keep.ways[0][0].missing)
    for amount, tier in ((missing, "gold"), (missing - 1, "base")):
        if amount >= 0:
            regular = lived(program, history).acts((asked,), (f"{last}T23:00", amount), (review,))
            assert regular.tier == tier
