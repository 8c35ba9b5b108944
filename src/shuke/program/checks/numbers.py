"""Numbers that have more decimals than what they count can have, or are more than anybody can have, and bounds that
contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from shuke.program.assets import Asset
from shuke.program.condition_check import decimals_said
from shuke.program.document import Program
from shuke.program.problems import Problem, problem, warning
from shuke.program.sentences import Phrase
from shuke.values.amounts import MAX_AMOUNT

_SCALE_MOST = 6
_SOON = 1_000  # gifts, after which a balance should not be full

Placed = tuple[str, Decimal | int | None]


def decimals(number: Decimal | int) -> int:
    """How many decimals a number needs: 0.50 needs one."""
    if isinstance(number, int):
        return 0
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def plain(number: Decimal | int) -> str:
    """The number as it is written, without an exponent."""
    return f"{number:f}" if isinstance(number, Decimal) else str(number)


def highest(scale: int) -> Decimal:
    """The largest amount there is of something with so many decimals."""
    return Decimal(MAX_AMOUNT).scaleb(-scale)


def check_money(numbers: Iterable[Placed], program: Program) -> Iterator[Problem]:
    """Amounts of money must be whole in the currency's smallest unit, and such that somebody can pay them."""
    most = highest(program.scale)
    for path, number in numbers:
        if number is not None and decimals(number) > program.scale:
            has = decimals_said(program.scale)
            yield problem(path, "too_precise:money", currency=program.currency, decimals=has, number=number)
        elif number is not None and number > most:
            yield problem(path, "too_much:money", most, currency=program.currency, most=most, number=number)


def check_given(numbers: Iterable[Placed], asset: Asset | None) -> Iterator[Problem]:
    """As ``check_units``, of amounts that are given at a time: a thousand of them should not fill a balance."""
    placed = list(numbers)
    yield from check_units(placed, asset)
    if asset is None:
        return
    most = highest(asset.scale)
    for path, number in placed:
        if number is not None and number <= most < number * _SOON:
            yield warning(path, "too_much:once", None, asset=asset.id, most=most, number=number)


def check_counts(numbers: Iterable[Placed]) -> Iterator[Problem]:
    """Nothing is counted beyond what every door can tell."""
    for path, number in numbers:
        if number is not None and number > MAX_AMOUNT:
            yield problem(path, "out_of_range:at_most", MAX_AMOUNT, bound=MAX_AMOUNT, given=number)


def check_units(numbers: Iterable[Placed], asset: Asset | None) -> Iterator[Problem]:
    """Amounts of an asset must be whole in its smallest unit, and such that somebody can have them. Nothing is said of
    an unknown asset."""
    for path, number in numbers:
        if asset is not None and number is not None and number > highest(asset.scale):
            most = highest(asset.scale)
            yield problem(path, "too_much:asset", most, asset=asset.id, most=most, number=number)
        elif asset is not None and number is not None and decimals(number) > asset.scale:
            needed = decimals(number)
            hint = Phrase.of("hint.scale", scale=needed, asset=asset.id) if needed <= _SCALE_MOST else None
            has = decimals_said(asset.scale)
            yield problem(path, "too_precise:asset", hint, asset=asset.id, decimals=has, number=number)


def check_rising(bounds: Iterable[Placed]) -> Iterator[Problem]:
    """Of bounds that are written from the narrowest span to the widest, none may be above a wider one."""
    narrower: tuple[str, Decimal | int] | None = None
    for path, number in bounds:
        if number is None:
            continue
        if narrower is not None and narrower[1] > number:
            narrow, wide = narrower[0].rpartition(".")[2], path.rpartition(".")[2]
            facts = {"narrow": narrow, "more": narrower[1], "wide": wide, "less": number}
            yield problem(narrower[0], "contradictory_limits", number, **facts)
        narrower = (path, number)
