"""Prices: promotions that cannot be, and an order of things that has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.checks.coupons import amounts_of
from shuke.program.checks.numbers import check_money
from shuke.program.checks.spans import check_span
from shuke.program.document import Program
from shuke.program.problems import Problem, warning


def check(program: Program) -> Iterator[Problem]:
    for index, promotion in enumerate(program.prices.promotions):
        path = f"prices.promotions[{index}]"
        yield from check_money(amounts_of(f"{path}.give", promotion.give), program)
        yield from check_money([(f"{path}.minimum_spend", promotion.minimum_spend)], program)
        yield from check_span(f"{path}.span", promotion.span)
        off = promotion.give.amount_off
        if off is not None and 0 < promotion.minimum_spend < off:
            cost = promotion.minimum_spend
            yield warning(f"{path}.minimum_spend", "more_than_it_costs", off, off=off, cost=cost)
    if program.prices.together == "best" and "order" in program.prices.model_fields_set:
        yield warning("prices.order", "without_effect:order", "together: stacked")
