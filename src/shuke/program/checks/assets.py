"""Assets: dates that cannot be, payments that never come out even, value nobody can earn or use."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, Literal

from shuke.program.assets import Asset, AssetKind, Redemption, Validity, last_day
from shuke.program.checks.conditions import conditions_of
from shuke.program.checks.numbers import check_money
from shuke.program.conditions import Node, uses, uses_of_term
from shuke.program.document import Program
from shuke.program.problems import Problem
from shuke.values.instants import day_of, format_day
from shuke.values.periods import Period, add

_A_YEAR: Final = range(day_of("2027-01-01"), day_of("2028-01-01"))


def check(program: Program) -> Iterator[Problem]:
    for index, asset in enumerate(program.assets):
        path = f"assets[{index}]"
        yield from check_validity(f"{path}.validity", asset.validity, asset.pending)
        if asset.validity_by_tier is not None:
            by_tier = asset.validity_by_tier.validity
            yield from check_validity(f"{path}.validity_by_tier.validity", by_tier, asset.pending)
        if asset.redemption is not None:
            yield from _redemption(f"{path}.redemption", asset, asset.redemption, program)
        yield from _notices(path, asset)
        if asset.carry_fractions and asset.rounding != "floor":
            sentence = "Fractions are carried over to the next time, so nothing is left to be rounded."
            yield Problem(f"{path}.rounding", "without_effect", sentence, "floor", "warning")
    yield from _use(program)


# -- Dates ------------------------------------------------------------------------------------------------


def check_validity(path: str, validity: Validity | Literal["never"], pending: str | None) -> Iterator[Problem]:
    """Dates that no calendar has, and value that ends before it can be used, on whatever day it arrives."""
    if not isinstance(validity, Validity) or validity.inactivity is not None:
        return
    try:
        endings = [(start, last_day(validity, _start(start, validity, pending))) for start in _A_YEAR]
    except ValueError as broken:
        yield Problem(f"{path}.on", "no_such_date", f"{str(broken).capitalize()}.")
        return
    ripe = {start: _ripe(start, pending) for start, _ in endings}
    dead = [(start, end) for start, end in endings if end < ripe[start]]
    if not dead:
        return
    start, end = dead[0]
    if len(dead) == len(endings) and pending is not None:
        sentence = f"What is earned waits for {pending} and has ended by then: nobody can ever use it."
        yield Problem(path, "ends_before_it_ripens", sentence, "write from: ripened")
    else:
        sentence = (
            f"What is earned on {format_day(start)[5:]} can be used from {format_day(ripe[start])[5:]} on, "
            f"but only to {format_day(end)[5:]}: it is lost on arrival."
        )
        always = len(dead) == len(endings) or not pending
        yield Problem(path, "ends_before_it_ripens", sentence, severity="error" if always else "warning")


def _ripe(start: int, pending: str | None) -> int:
    return add(start, Period.parse(pending)) if pending else start


def _start(start: int, validity: Validity, pending: str | None) -> int:
    return _ripe(start, pending) if validity.from_ == "ripened" else start


def _notices(path: str, asset: Asset) -> Iterator[Problem]:
    for index, days in enumerate(asset.expiry_notice_days):
        if days < 1:
            sentence = f"A notice goes out one day before value ends, or more, not {days}."
            yield Problem(f"{path}.expiry_notice_days[{index}]", "out_of_range", sentence, "1")


# -- Paying with it ---------------------------------------------------------------------------------------


def _redemption(path: str, asset: Asset, redemption: Redemption, program: Program) -> Iterator[Problem]:
    if asset.kind is AssetKind.QUALIFYING:
        sentence = f"{asset.id!r} counts for tiers and cannot be spent."
        yield Problem(path, "not_spendable", sentence, "leave redemption out, or say kind: spendable")
        return
    if asset.kind in (AssetKind.PRINCIPAL, AssetKind.BONUS):
        sentence = f"{asset.id!r} is stored value: one of it always pays one {program.currency}."
        yield Problem(path, "without_effect", sentence, "leave redemption out", "warning")
        return
    yield from check_money([(f"{path}.minimum_cart", redemption.minimum_cart)], program)
    if redemption.minimum % redemption.step:
        lowest = -(-redemption.minimum // redemption.step) * redemption.step
        sentence = f"Paying goes in steps of {redemption.step}, so it never starts at {redemption.minimum}."
        yield Problem(f"{path}.minimum", "not_a_step", sentence, str(lowest))
    paid = Fraction(redemption.worth) * redemption.step / redemption.per
    if (paid * 10**program.scale).denominator > 1:
        step = whole_step(redemption, program.scale)
        sentence = (
            f"A step of {redemption.step} of {asset.id!r} is no whole amount of {program.currency}; "
            "what is below the smallest coin is lost."
        )
        yield Problem(f"{path}.step", "step_too_small", sentence, f"step: {step}", "warning")


def whole_step(redemption: Redemption, scale: int) -> int:
    """The smallest number of units that pays a whole number of the currency's smallest unit."""
    paid: Fraction = Fraction(redemption.worth) * 10**scale / redemption.per
    return paid.denominator


# -- Earned and used at all -------------------------------------------------------------------------------


def _use(program: Program) -> Iterator[Problem]:
    earned = _earned(program)
    asked = _asked(program)
    stored = program.stored_value
    for index, asset in enumerate(program.assets):
        path = f"assets[{index}]"
        paid_in = stored is not None and asset.id in (stored.principal, stored.bonus)
        if asset.id not in earned and not paid_in:
            sentence = f"No rule and no gift brings {asset.id!r}; it only comes by hand or by import."
            yield Problem(path, "never_earned", sentence, severity="warning")
        if asset.kind is AssetKind.QUALIFYING and asset.id not in asked:
            sentence = f"{asset.id!r} should count for something, but no condition asks for it."
            hint = f"earned({asset.id}, 12 months) >= 100"
            yield Problem(path, "never_used", sentence, hint, "warning")
        used = asset.redemption is not None or asset.transfer is not None or asset.id in asked
        if asset.kind is AssetKind.SPENDABLE and not used:
            sentence = f"{asset.id!r} cannot pay for anything in a cart and no condition asks for it."
            yield Problem(path, "never_used", sentence, "redemption: {worth: 1}", "warning")


def _earned(program: Program) -> set[str]:
    gifts = [gift for benefit in program.benefits for gift in (benefit.upgrade_gift, benefit.birthday_gift)]
    given = {gift.asset for gift in gifts if gift is not None and gift.asset is not None}
    return given | {rule.asset for rule in program.earning if rule.give.multiply is None}


def _asked(program: Program) -> set[str]:
    asked: set[str] = set()
    for found in conditions_of(program):
        used = uses(found.asked) if isinstance(found.asked, Node) else uses_of_term(found.asked)
        asked |= used.balances
        asked |= {name.removeprefix("earned:") for name in used.kept if name.startswith("earned:")}
    return asked
