"""Value given, brought and adjusted by hand, and what the books make of each."""

from typing import Any

import pytest

from shuke.engine import activity as of
from shuke.engine.effects import Refused
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import NEVER
from tests.engine.till import Till, at, program

POINTS = {"id": "points", "validity": {"after": "30 days"}, "pending": "2 days"}
CASH = {"id": "cash", "kind": "principal", "scale": 2}
LADDER = {"id": "club", "tiers": [{"id": "base"}, {"id": "gold", "entry": "earned(points, lifetime) >= 100"}]}


def till() -> Till:
    return Till(program(assets=[POINTS, CASH], stored_value={"principal": "cash"}, ladders=[LADDER]))


def granted(shop: Till, amount: int = 100, **more: Any) -> Any:
    return shop.do(of.ASSET_GRANTED, asset="points", amount=amount, reason="thanks", **more)


DATES: list[tuple[dict[str, str], str, str]] = [
    ({}, "2026-05-03T00:00", "2026-06-01T00:00"),
    ({"ripens_at": "2026-05-01T12:00"}, "", "2026-06-01T00:00"),
    ({"expires_at": "2026-05-04T00:00"}, "2026-05-03T00:00", "2026-05-04T00:00"),
    ({"ripens_at": "2026-05-10T00:00", "expires_at": "2027-01-01T00:00"}, "2026-05-10T00:00", "2027-01-01T00:00"),
]


@pytest.mark.parametrize(("told", "ripens", "ends"), DATES)
def test_a_grant_has_the_assets_usual_dates_unless_others_are_told(
    told: dict[str, str], ripens: str, ends: str
) -> None:
    settled = granted(till(), **{name: at(text) for name, text in told.items()})
    (lot,) = settled.answer["lots"]
    assert (lot["ripens_at"], lot["expires_at"]) == (at(ripens) if ripens else 0, at(ends))


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        ({"expires_at": "2026-05-01T12:00"}, "2026-05-01T12:00"),
        ({"expires_at": "2026-05-03T00:00"}, "2026-05-03T00:00"),
        ({"ripens_at": "2026-06-01T00:00"}, "2026-06-01T00:00"),
    ],
)
def test_a_grant_that_ends_before_it_comes_or_ripens_is_refused(told: dict[str, str], ends: str) -> None:
    dates = {name: at(text) for name, text in told.items()}
    refused = till().refused(of.ASSET_GRANTED, asset="points", amount=1, reason="r", **dates)
    assert refused == Refused("already_expired", {"expires_at": at(ends)})


def test_a_grant_is_issued_and_counts_as_earned_while_an_adjustment_is_a_correction() -> None:
    shop = till()
    shop.do(of.ASSET_ADJUSTED, asset="points", amount=100, reason="missed")
    assert shop.member.tiers == {"club": "base"}
    assert shop.accounts("points")["adjusted"] == -100
    settled = granted(shop, approver="mei", reference="R-1")
    assert settled.answer["earned"] == {"points": 100}
    assert shop.member.tiers == {"club": "gold"}
    assert shop.accounts("points")["issued"] == -100
    assert shop.entries[-1].why == {"reason": "thanks", "approver": "mei", "reference": "R-1"}


def test_a_grant_pays_what_is_owed_first() -> None:
    base = {"id": "base", "asset": "points", "give": {"per": {"amount": 1, "points": 1}}}
    shop = Till(program(assets=[{"id": "points"}], earning=[base]))
    shop.pay(50_00)
    shop.do(of.ASSET_SPENT, asset="points", amount=50)
    shop.refund()
    assert shop.member.purses["points"].debt == 50
    settled = granted(shop, 80)
    assert settled.answer["purses"]["points"] == {"available": 30, "pending": 0, "held": 0, "debt": 0}


REFUSED: list[tuple[str, dict[str, Any], Refused]] = [
    (of.ASSET_GRANTED, {"asset": "gold", "amount": 1}, Refused("asset_unknown", {"asset": "gold"})),
    (of.ASSET_GRANTED, {"asset": "points", "amount": -1}, Refused("amount_invalid", {"amount": -1})),
    (of.ASSET_GRANTED, {"asset": "points", "amount": 1}, Refused("reason_missing", {})),
    (of.ASSET_GRANTED, {"asset": "cash", "amount": 1, "reason": "r"}, Refused("not_given", {"asset": "cash"})),
    (of.ASSET_ADJUSTED, {"asset": "points", "amount": 1}, Refused("reason_missing", {})),
    (
        of.ASSET_ADJUSTED,
        {"asset": "cash", "amount": -1, "reason": "r"},
        Refused("insufficient", {"asset": "cash", "asked": 1, "available": 0}),
    ),
    (of.ASSET_OPENED, {"asset": "points", "amount": -1}, Refused("amount_invalid", {"amount": -1})),
]


@pytest.mark.parametrize(("what", "payload", "refused"), REFUSED)
def test_what_cannot_be_given_or_taken_is_refused(what: str, payload: dict[str, Any], refused: Refused) -> None:
    assert till().refused(what, **payload) == refused


@pytest.mark.parametrize("what", [of.ASSET_GRANTED, of.ASSET_OPENED, of.ASSET_ADJUSTED])
def test_no_balance_grows_beyond_what_every_reader_can_tell(what: str) -> None:
    shop = till()
    shop.do(what, asset="points", amount=MAX_AMOUNT, reason="r")
    refused = shop.refused(what, asset="points", amount=1, reason="r")
    assert refused == Refused("balance_too_large", {"asset": "points", "most": MAX_AMOUNT})


def test_no_top_up_grows_beyond_what_every_reader_can_tell() -> None:
    shop = till()
    shop.do(of.TOPPED_UP, id="t1", amount=MAX_AMOUNT)
    refused = shop.refused(of.TOPPED_UP, id="t2", amount=1)
    assert refused == Refused("balance_too_large", {"asset": "cash", "most": MAX_AMOUNT})


def test_a_late_grant_that_has_ended_since_says_that_nothing_is_left_of_it() -> None:
    shop = till()
    shop.do(of.TIME_PASSED, when="2026-08-01T12:00")
    settled = granted(shop, when="2026-05-01T12:00")
    assert [entry.kind for entry in settled.effects.entries] == ["grant", "ripen", "expire"]
    assert settled.answer["purses"]["points"] == {"available": 0, "pending": 0, "held": 0, "debt": 0}


def test_an_opening_balance_lasts_unless_an_end_is_told() -> None:
    shop = till()
    settled = shop.do(of.ASSET_OPENED, asset="points", amount=5)
    assert [(lot["ripens_at"], lot["expires_at"]) for lot in settled.answer["lots"]] == [(0, NEVER)]
