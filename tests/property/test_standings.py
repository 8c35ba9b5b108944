"""Standings under generated ladders and lives: no clock, no split of a refund and no reading may matter."""

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from shuke.engine.member import pack, unpack
from shuke.engine.progress import progress
from shuke.engine.standing import in_force
from tests.engine.regular import CALENDAR, Regular, moment

FIRST = date(2024, 1, 31).toordinal()
WINDOWS = st.sampled_from(["12 months", "30 days", "calendar year", "membership year", "term", "lifetime"])


@st.composite
def ladders(draw: st.DrawFn) -> str:
    window, keep = draw(WINDOWS), draw(WINDOWS)
    how = {
        "upgrade": draw(st.sampled_from(["at_once", "at_once", "nightly", "monthly"])),
        "term": draw(
            st.sampled_from(
                ["lifetime", "1 month", "12 months", "{to_end_of: year, years_later: 1}", "{to_end_of: month}"]
            )
        ),
        "requalify": draw(st.sampled_from(["redate", "fixed"])),
        "on_drop": draw(st.sampled_from(["one_level", "supported", "to_base", "never"])),
        "grace_days": draw(st.sampled_from([0, 0, 10])),
        "on_refund": draw(st.sampled_from(["at_review", "at_once"])),
        "reopen_reviews": draw(st.sampled_from(["true", "false"])),
        "notice_days": draw(st.sampled_from(["[]", "[30, 7]"])),
    }
    if draw(st.booleans()):
        how["cooldown"] = draw(st.sampled_from(["6 months", "10 days"]))
    lines = ["ladders:", "- id: main", *(f"  {name}: {value}" for name, value in how.items()), "  tiers:"]
    tiers = [
        "{id: base}",
        f"{{id: silver, entry: spend({window}) >= 500}}",
        f"{{id: gold, entry: spend({window}) >= 1000, keep: spend({keep}) >= 700}}",
        f"{{id: top, entry: spend({window}) >= 2000 or orders(30 days) >= 6}}",
    ]
    return "\n".join([*lines, *(f"  - {tier}" for tier in tiers)]) + "\n"


DAYS = st.integers(0, 1000)
EVENTS = st.one_of(
    st.tuples(DAYS, st.just("pays"), st.integers(0, 1200)),
    st.tuples(DAYS, st.just("pays"), st.integers(0, 1200)),
    st.tuples(DAYS, st.just("back"), st.integers(0, 20)),
    st.tuples(DAYS, st.just("granted"), st.integers(1, 200)),
    st.tuples(DAYS, st.just("late"), st.integers(0, 1200)),
)
LIVES = st.lists(EVENTS, max_size=25).map(lambda events: sorted(events, key=lambda event: event[0]))


def live(regular: Regular, event: tuple[int, str, int]) -> None:
    since, what, number = event
    when = date.fromordinal(FIRST + since).isoformat()
    if what == "pays":
        regular.pays(when, number)
    elif what == "late":
        regular.pays(date.fromordinal(FIRST + max(0, since - number % 90)).isoformat(), number)
    elif what == "granted":
        regular.does(when, "tier.granted", ladder="main", tier="gold", days=number)
    elif regular.orders:
        regular.returns(when, sorted(regular.orders)[number % len(regular.orders)])


def check(regular: Regular) -> None:
    """What holds at every moment: tiers in force are the best there is, and nothing due is left undone."""
    member = regular.member
    rules = regular.program.at(member.now).ladders["main"]
    assert member.tiers.get("main") == in_force(member, rules, member.now)[0]
    assert member.due_at > member.now
    standing = member.standings.get("main")
    assert standing is None or (standing.grace_until or standing.until) > member.now


@given(ladder=ladders(), events=LIVES)
@settings(max_examples=150)
def test_a_late_clock_gives_the_same_standing_as_a_punctual_one(ladder, events):
    late, punctual = Regular(ladder), Regular(ladder)
    for event in [*events, (1400, "pays", 0)]:
        live(late, event)
        if event[1] != "late":
            until = moment(date.fromordinal(FIRST + event[0]).isoformat())
            while punctual.member.seq and punctual.member.due_at < until:
                punctual.waits(CALENDAR.format(punctual.member.due_at))
                check(punctual)
        live(punctual, event)
        if late.member.seq:
            check(late)
    assert late.story() == punctual.story()
    assert pack(replace(late.member, seq=0)) == pack(replace(punctual.member, seq=0))


@given(ladder=ladders(), events=LIVES, asked=DAYS)
@settings(max_examples=100)
def test_asking_changes_nothing_and_a_stored_member_goes_on_the_same(ladder, events, asked):
    regular, stored = Regular(ladder), Regular(ladder)
    for event in events:
        live(regular, event)
        live(stored, event)
        before = pack(regular.member)
        progress(regular.program, regular.member, max(regular.member.now, moment("2024-01-31")) + asked * 10**12)
        assert pack(regular.member) == before
        stored.member = unpack(pack(stored.member))
    assert pack(regular.member) == pack(stored.member)


@given(ladder=ladders(), events=LIVES)
@settings(max_examples=100)
def test_every_change_begins_where_the_one_before_ended(ladder, events):
    regular = Regular(ladder)
    for event in events:
        live(regular, event)
    present = None
    for change in regular.changes:
        assert change.before == present
        present = change.after
    assert present == regular.tier
