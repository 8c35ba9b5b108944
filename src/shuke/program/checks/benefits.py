"""Benefits: gifts that cannot be given, and tiers that get less than those below them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from shuke.program.benefits import Benefit, PercentBenefit
from shuke.program.checks.numbers import check_given, check_money
from shuke.program.document import Program
from shuke.program.problems import Problem, warning


def check(program: Program) -> Iterator[Problem]:
    assets = {asset.id: asset for asset in program.assets}
    for index, benefit in enumerate(program.benefits):
        path = f"benefits[{index}]"
        for name, gift in (("upgrade_gift", benefit.upgrade_gift), ("birthday_gift", benefit.birthday_gift)):
            if gift is not None:
                numbers = [(f"{path}.{name}.amount", gift.amount)]
                yield from check_given(numbers, assets.get(gift.asset or ""))
        if benefit.member_prices is not None:
            prices = enumerate(benefit.member_prices.list_)
            yield from check_money(
                ((f"{path}.member_prices.list[{at}].price", entry.price) for at, entry in prices), program
            )
        if benefit.birthday_gift is not None:
            yield from _window(f"{path}.birthday_gift", benefit)
    yield from _less_for_higher(program)


def _window(path: str, benefit: Benefit) -> Iterator[Problem]:
    gift = benefit.birthday_gift
    if gift is not None and gift.window_days is not None and gift.asset is None:
        yield warning(f"{path}.window_days", "without_effect:window_days")


def _less_for_higher(program: Program) -> Iterator[Problem]:
    """Percents off everything, by tier: more for the higher ones, one would think."""
    ranks = {(ladder.id, tier.id): at for ladder in program.ladders for at, tier in enumerate(ladder.tiers)}
    percents: dict[str, list[tuple[int, Decimal, int]]] = {}
    for index, benefit in enumerate(program.benefits):
        off = benefit.percent_off
        if off is None or benefit.for_ is None or benefit.when is not None:
            continue
        percent = off.off if isinstance(off, PercentBenefit) else off
        if isinstance(off, PercentBenefit) and off.lines is not None:
            continue
        for tier in benefit.for_.tiers:
            rank = ranks.get((benefit.for_.ladder, tier))
            if rank is not None:
                percents.setdefault(benefit.for_.ladder, []).append((rank, percent, index))
    for found in percents.values():
        for (low, more, _), (high, less, index) in zip(sorted(found), sorted(found)[1:], strict=False):
            if low < high and less < more:
                yield warning(f"benefits[{index}].percent_off", "less_for_higher", less=less, more=more)
