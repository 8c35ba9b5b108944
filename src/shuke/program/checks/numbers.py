"""Numbers that have more decimals than what they count can have, and bounds that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from shuke.program.assets import Asset
from shuke.program.condition_check import decimals_said
from shuke.program.document import Program
from shuke.program.problems import Problem, problem
from shuke.program.sentences import Phrase

_SCALE_MOST = 6

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


def check_money(numbers: Iterable[Placed], program: Program) -> Iterator[Problem]:
    """Amounts of money must be whole in the currency's smallest unit."""
    for path, number in numbers:
        if number is not None and decimals(number) > program.scale:
            has = decimals_said(program.scale)
            yield problem(path, "too_precise:money", currency=program.currency, decimals=has, number=number)


def check_units(numbers: Iterable[Placed], asset: Asset | None) -> Iterator[Problem]:
    """Amounts of an asset must be whole in its smallest unit. Nothing is said about an unknown asset."""
    for path, number in numbers:
        if asset is not None and number is not None and decimals(number) > asset.scale:
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
