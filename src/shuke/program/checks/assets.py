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
from shuke.program.problems import Problem, problem, warning
from shuke.program.sentences import Phrase
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
            yield warning(f"{path}.rounding", "without_effect:rounding", "floor")
    yield from _use(program)


# -- Dates ------------------------------------------------------------------------------------------------


def check_validity(path: str, validity: Validity | Literal["never"], pending: str | None) -> Iterator[Problem]:
    """Dates that no calendar has, and value that ends before it can be used, on whatever day it arrives."""
    if not isinstance(validity, Validity) or validity.inactivity is not None:
        return
    try:
        endings = [(start, last_day(validity, _start(start, validity, pending))) for start in _A_YEAR]
    except ValueError:
        on = validity.on
        if on is None:
            raise
        yield problem(f"{path}.on", "no_such_date:month", day=on.day, month=on.month)
        return
    ripe = {start: _ripe(start, pending) for start, _ in endings}
    dead = [(start, end) for start, end in endings if end < ripe[start]]
    if not dead:
        return
    start, end = dead[0]
    if len(dead) == len(endings) and pending is not None:
        hint = Phrase.of("hint.write", text="from: ripened")
        yield problem(path, "ends_before_it_ripens:never", hint, pending=pending)
    else:
        always = len(dead) == len(endings) or not pending
        days = {"earned": start, "ripe": ripe[start], "end": end}
        said = problem if always else warning
        yield said(path, "ends_before_it_ripens", None, **{name: format_day(day)[5:] for name, day in days.items()})


def _ripe(start: int, pending: str | None) -> int:
    return add(start, Period.parse(pending)) if pending else start


def _start(start: int, validity: Validity, pending: str | None) -> int:
    return _ripe(start, pending) if validity.from_ == "ripened" else start


def _notices(path: str, asset: Asset) -> Iterator[Problem]:
    for index, days in enumerate(asset.expiry_notice_days):
        if days < 1:
            yield problem(f"{path}.expiry_notice_days[{index}]", "out_of_range:notice", "1", days=days)


# -- Paying with it ---------------------------------------------------------------------------------------


def _redemption(path: str, asset: Asset, redemption: Redemption, program: Program) -> Iterator[Problem]:
    if asset.kind is AssetKind.QUALIFYING:
        yield problem(path, "not_spendable", Phrase("hint.not_spendable"), asset=asset.id)
        return
    if asset.kind in (AssetKind.PRINCIPAL, AssetKind.BONUS):
        hint = Phrase.of("hint.leave_out", name="redemption")
        yield warning(path, "without_effect:redemption", hint, asset=asset.id, currency=program.currency)
        return
    yield from check_money([(f"{path}.minimum_cart", redemption.minimum_cart)], program)
    if redemption.minimum % redemption.step:
        lowest = -(-redemption.minimum // redemption.step) * redemption.step
        facts = {"step": redemption.step, "minimum": redemption.minimum}
        yield problem(f"{path}.minimum", "not_a_step", str(lowest), **facts)
    paid = Fraction(redemption.worth) * redemption.step / redemption.per
    if (paid * 10**program.scale).denominator > 1:
        step = whole_step(redemption, program.scale)
        yield warning(
            f"{path}.step",
            "step_too_small",
            f"step: {step}",
            step=redemption.step,
            asset=asset.id,
            currency=program.currency,
        )


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
            yield warning(path, "never_earned", asset=asset.id)
        if asset.kind is AssetKind.QUALIFYING and asset.id not in asked:
            yield warning(path, "never_used:qualifying", f"earned({asset.id}, 12 months) >= 100", asset=asset.id)
        used = asset.redemption is not None or asset.transfer is not None or asset.id in asked
        if asset.kind is AssetKind.SPENDABLE and not used:
            yield warning(path, "never_used", "redemption: {worth: 1}", asset=asset.id)


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
