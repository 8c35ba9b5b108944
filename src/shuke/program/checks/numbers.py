"""Numbers that have more decimals than what they count can have, and bounds that contradict each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from shuke.program.assets import Asset
from shuke.program.document import Program
from shuke.program.problems import Problem

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
            sentence = (
                f"{program.currency} has {_count(program.scale)} in this program, so nobody can pay {plain(number)}."
            )
            yield Problem(path, "too_precise", sentence)


def check_units(numbers: Iterable[Placed], asset: Asset | None) -> Iterator[Problem]:
    """Amounts of an asset must be whole in its smallest unit. Nothing is said about an unknown asset."""
    for path, number in numbers:
        if asset is not None and number is not None and decimals(number) > asset.scale:
            sentence = f"{asset.id!r} has {_count(asset.scale)}, so there is no {plain(number)} of it."
            hint = f"set scale: {decimals(number)} on the asset {asset.id!r}"
            yield Problem(path, "too_precise", sentence, hint if decimals(number) <= 6 else None)


def _count(scale: int) -> str:
    return {0: "no decimals", 1: "one decimal"}.get(scale, f"{scale} decimals")


def check_rising(bounds: Iterable[Placed]) -> Iterator[Problem]:
    """Of bounds that are written from the narrowest span to the widest, none may be above a wider one."""
    narrower: tuple[str, Decimal | int] | None = None
    for path, number in bounds:
        if number is None:
            continue
        if narrower is not None and narrower[1] > number:
            name, wide = narrower[0].rpartition(".")[2], path.rpartition(".")[2]
            sentence = f"{name} allows {plain(narrower[1])}, but {wide} only {plain(number)}: it is never reached."
            yield Problem(narrower[0], "contradictory_limits", sentence, plain(number))
        narrower = (path, number)
