"""Coupons: amounts nobody can pay, dates that cannot be, limits that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.checks.numbers import Placed, check_counts, check_money, check_rising
from shuke.program.checks.spans import check_dates
from shuke.program.coupons import CouponLimits, CouponTemplate
from shuke.program.discounts import Discount
from shuke.program.document import Program
from shuke.program.problems import Problem, warning


def check(program: Program) -> Iterator[Problem]:
    for index, template in enumerate(program.coupons):
        path = f"coupons[{index}]"
        yield from check_money(amounts_of(f"{path}.give", template.give), program)
        yield from check_money([(f"{path}.minimum_spend", template.minimum_spend)], program)
        yield from check_dates(f"{path}.valid", template.valid.from_, template.valid.until)
        yield from _limits(f"{path}.limits", template.limits)
        yield from _worth(path, template)


def amounts_of(path: str, give: Discount) -> Iterator[Placed]:
    """Every amount of money in a discount, with its path."""
    for name in ("amount_off", "amount_off_each", "fixed_price", "voucher"):
        yield f"{path}.{name}", getattr(give, name)
    for name in ("percent", "shipping"):
        part = getattr(give, name)
        if part is not None:
            yield f"{path}.{name}.at_most", part.at_most
    if give.exchange is not None:
        yield f"{path}.exchange.price", give.exchange.price
    if give.spend_and_save is not None:
        for at, step in enumerate(give.spend_and_save.table):
            yield f"{path}.spend_and_save.table[{at}].at_least", step.at_least
            yield f"{path}.spend_and_save.table[{at}].off", step.off


def _limits(path: str, limits: CouponLimits) -> Iterator[Problem]:
    for names in (
        ("per_member_per_day", "per_member", "total"),
        ("per_member_per_day", "total_per_day", "total"),
        ("redeemed_per_member", "redeemed_total", "total"),
    ):
        yield from check_rising((f"{path}.{name}", getattr(limits, name)) for name in names)
    yield from check_counts((f"{path}.{name}", getattr(limits, name)) for name in type(limits).model_fields)


def _worth(path: str, template: CouponTemplate) -> Iterator[Problem]:
    off = template.give.amount_off
    if off is not None and 0 < template.minimum_spend < off:
        cost = template.minimum_spend
        yield warning(f"{path}.minimum_spend", "more_than_it_costs", off, off=off, cost=cost)
    if template.restored_after_expiry == "expire" and "renewed_for" in template.model_fields_set:
        yield warning(f"{path}.renewed_for", "without_effect:renewed_for", "restored_after_expiry: renew")
