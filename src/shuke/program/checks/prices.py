"""Prices: promotions that cannot be, and an order of things that has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.checks.coupons import amounts_of
from shuke.program.checks.numbers import check_money, plain
from shuke.program.checks.spans import check_span
from shuke.program.document import Program
from shuke.program.problems import Problem


def check(program: Program) -> Iterator[Problem]:
    for index, promotion in enumerate(program.prices.promotions):
        path = f"prices.promotions[{index}]"
        yield from check_money(amounts_of(f"{path}.give", promotion.give), program)
        yield from check_money([(f"{path}.minimum_spend", promotion.minimum_spend)], program)
        yield from check_span(f"{path}.span", promotion.span)
        off = promotion.give.amount_off
        if off is not None and 0 < promotion.minimum_spend < off:
            sentence = f"It takes {plain(off)} off a purchase of {plain(promotion.minimum_spend)}."
            yield Problem(f"{path}.minimum_spend", "more_than_it_costs", sentence, plain(off), "warning")
    if program.prices.together == "best" and "order" in program.prices.model_fields_set:
        sentence = "With together: best each line has one price, so there is no order among them."
        yield Problem("prices.order", "without_effect", sentence, "together: stacked", "warning")
