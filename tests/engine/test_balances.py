"""What a member has at an instant, whether or not the clock came by."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shuke.engine import activity as of
from shuke.engine.balances import Balance, balances
from shuke.engine.member import Member, Purse, pack
from shuke.engine.purses import Ending, endings, next_ending
from tests.engine.till import NOON, Till, at, program

POINTS = {"id": "points", "validity": {"after": "30 days"}}
STARS = {"id": "stars", "validity": {"inactivity": "10 days"}, "pending": "2 days"}


def till() -> Till:
    shop = Till(program(assets=[POINTS, STARS]))
    shop.points(5, ends="2026-05-10T00:00")
    shop.points(7)
    for amount in (3, 4):
        shop.do(of.ASSET_GRANTED, asset="points", amount=amount, reason="r")
        shop.do(of.ASSET_GRANTED, asset="stars", amount=amount, reason="r")
    return shop


def of_asset(shop: Till, asset: str, when: str) -> Balance:
    before = pack(shop.member)
    found = balances(shop.editions, shop.member, at(when))
    assert pack(shop.member) == before
    return next(balance for balance in found.assets if balance.asset == asset)


def test_what_ends_when_is_told_with_lots_of_one_date_together() -> None:
    shop = till()
    shop.do(of.ASSET_HELD, hold="h1", asset="points", amount=2)
    points = of_asset(shop, "points", NOON)
    assert (points.available, points.held) == (17, 2)
    assert [lot.amount for lot in points.lots] == [3, 7, 7]
    assert points.endings == [Ending(at("2026-05-10T00:00"), 3), Ending(at("2026-06-01T00:00"), 7)]
    assert [hold.key for hold in balances(shop.editions, shop.member, at(NOON)).holds] == ["h1"]


def test_time_that_nobody_settled_has_passed_for_the_reader() -> None:
    shop = till()
    points = of_asset(shop, "points", "2026-05-10T00:00")
    assert (points.available, points.endings[0].at) == (14, at("2026-06-01T00:00"))
    stars = of_asset(shop, "stars", "2026-05-02T00:00")
    assert (stars.available, stars.pending, stars.ripening[0].ripens_at) == (0, 7, at("2026-05-03T00:00"))
    ripe = of_asset(shop, "stars", "2026-05-03T00:00")
    assert (ripe.available, ripe.pending) == (7, 0)
    assert ripe.endings == [Ending(at("2026-05-12T00:00"), 7)], "the whole balance ends for want of activity"


@given(
    st.lists(st.tuples(st.integers(1, 9), st.sampled_from([None, 3, 3, 5, 9])), max_size=6),
    st.sampled_from(["soonest_expiry", "oldest", "newest"]),
    st.sampled_from(["never", {"inactivity": "4 days"}]),
)
def test_what_ends_next_is_the_first_of_all_that_ends(lots: list[Any], order: str, validity: Any) -> None:
    shop = Till(program(assets=[{"id": "points", "spend_order": order, "validity": validity}]))
    for amount, days in lots:
        shop.points(amount, ends=None if days is None else f"2026-05-0{days}T00:00")
    rules, purse = shop.editions.at(at(NOON)).assets["points"], shop.member.purses.get("points", Purse())
    found = endings(rules, purse, shop.member)
    assert next_ending(rules, purse, shop.member) == (found[0] if found else None)


def test_who_has_nothing_is_told_of_every_asset_there_is() -> None:
    found = balances(till().editions, Member("new", 0), at(NOON))
    assert [(balance.asset, balance.available) for balance in found.assets] == [("points", 0), ("stars", 0)]


def test_value_that_a_version_nobody_met_has_ended_is_not_told() -> None:
    lasting, short = ({"id": "points", "validity": {"inactivity": f"{days} days"}} for days in (90, 10))
    shop = Till(program(assets=[lasting]), program(assets=[short]), since=["2026-01-01T00:00", "2026-05-20T00:00"])
    shop.points(5)
    assert of_asset(shop, "points", "2026-05-19T12:00").available == 5
    assert of_asset(shop, "points", "2026-05-20T00:00").available == 0
