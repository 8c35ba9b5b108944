"""What a discount takes off each line of its scope. Arithmetic only: who may use it is decided elsewhere.

A reduction never exceeds the price it is taken from. Percentages round what the member pays, by the program's
``prices.rounding``; amounts over several lines are spread by price and sum exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from shuke.engine.activity import Line
from shuke.engine.conditions import Names, Test, compile_condition
from shuke.engine.turn import Turn
from shuke.program.chapter import ratio
from shuke.program.discounts import BuyGet, Discount, PercentOff, SpendAndSave
from shuke.values.amounts import Rounding, allocate, divide, share_taken

Off = dict[int, int]
"""Position of a line → minor units taken off it."""

Reduce = Callable[[Turn, list[Line], list[int]], Off]
"""(turn, the cart's lines at their present prices, positions in scope) → what is taken off."""


def minor(number: Decimal, scale: int) -> int:
    """Currency units in minor units, rounded down; ``scale`` of these are one currency unit."""
    top, bottom = ratio(number)
    return top * scale // bottom


class CompiledDiscount:
    """A discount, ready to compute. ``reduce`` is None for those on shipping and for cash vouchers."""

    __slots__ = ("face", "kind", "over_lines", "reduce", "shipping", "steps")

    def __init__(self, discount: Discount, *, rounding: Rounding, names: Names) -> None:
        scale = names.currency_scale
        self.kind = discount.kind
        self.face = minor(discount.voucher, scale) if discount.voucher is not None else 0
        self.shipping = None if discount.shipping is None else _percent(discount.shipping, scale, rounding)
        self.steps = _steps(discount.spend_and_save, scale) if discount.spend_and_save else []
        make = _MAKERS.get(self.kind)
        self.reduce: Reduce | None = make(getattr(discount, self.kind), scale, rounding, names) if make else None

    def shipping_off(self, shipping: int) -> int:
        """What is taken off a shipping cost."""
        return self.shipping(shipping) if self.shipping is not None else 0


def _percent(percent: PercentOff, scale: int, rounding: Rounding) -> Callable[[int], int]:
    """price → what is taken off it."""
    keep, of = _kept(percent.off)
    most = minor(percent.at_most, scale) if percent.at_most is not None else None

    def off(price: int) -> int:
        taken = price - divide(price * keep, of, rounding)
        return taken if most is None or taken < most else min(most, price)

    return off


def _kept(percent: Decimal) -> tuple[int, int]:
    """The part of a price that is left, as a fraction: 15 percent off leaves (17, 20)."""
    left = 1 - Fraction(percent) / 100
    return left.numerator, left.denominator


# -- One maker per kind -----------------------------------------------------------------------------------


def _make_percent(percent: PercentOff, scale: int, rounding: Rounding, names: Names) -> Reduce:
    keep, of = _kept(percent.off)
    most = minor(percent.at_most, scale) if percent.at_most is not None else None

    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        off = {}
        for position in scope:
            price = lines[position].amount
            off[position] = price - divide(price * keep, of, rounding)
        if most is not None and sum(off.values()) > most:
            return dict(zip(off, allocate(most, list(off.values())), strict=True))
        return off

    return reduce


def _make_amount(amount: Decimal, scale: int, rounding: Rounding, names: Names) -> Reduce:
    units = minor(amount, scale)
    return lambda turn, lines, scope: spread(units, lines, scope)


def spread(amount: int, lines: list[Line], scope: list[int]) -> Off:
    """``amount``, at most what the lines cost, over them by price."""
    prices = [lines[position].amount for position in scope]
    total = sum(prices)
    if total == 0:
        return {}
    return dict(zip(scope, allocate(min(amount, total), prices), strict=True))


def _make_amount_each(amount: Decimal, scale: int, rounding: Rounding, names: Names) -> Reduce:
    each = minor(amount, scale)

    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        return {i: min(lines[i].amount, each * lines[i].quantity) for i in scope}

    return reduce


def _make_fixed(price: Decimal, scale: int, rounding: Rounding, names: Names) -> Reduce:
    each = minor(price, scale)

    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        return {i: max(0, lines[i].amount - each * lines[i].quantity) for i in scope}

    return reduce


def _make_nth(nth: Any, scale: int, rounding: Rounding, names: Names) -> Reduce:
    return _in_groups(nth.n - 1, 1, _kept(nth.percent_off), rounding)


def _make_buy_get(rule: BuyGet, scale: int, rounding: Rounding, names: Names) -> Reduce:
    kept = _kept(rule.percent_off)
    if rule.lines is None:
        return _in_groups(rule.buy, rule.get, kept, rounding)
    test: Test = compile_condition(rule.lines, names=names)

    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        others = [i for i, line in enumerate(lines) if test(turn, line)]
        bought = sum(lines[i].quantity for i in scope if i not in others)
        left = bought // rule.buy * rule.get
        off: Off = {}
        for i in reversed(_dearest_first(lines, others)):
            items = min(left, lines[i].quantity)
            left -= items
            if items:
                off[i] = _off_items(lines[i], items, kept, rounding)
        return off

    return reduce


def _in_groups(buy: int, get: int, kept: tuple[int, int], rounding: Rounding) -> Reduce:
    """Items in a row, dearest first: after every ``buy`` at full price come ``get`` at the reduced one."""
    group = buy + get

    def reduced_of(first_items: int) -> int:
        groups, rest = divmod(first_items, group)
        return groups * get + max(0, rest - buy)

    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        off: Off = {}
        passed = 0
        for i in _dearest_first(lines, scope):
            items = reduced_of(passed + lines[i].quantity) - reduced_of(passed)
            passed += lines[i].quantity
            if items:
                off[i] = _off_items(lines[i], items, kept, rounding)
        return off

    return reduce


def _dearest_first(lines: list[Line], scope: list[int]) -> list[int]:
    """Positions by the price of one item, from the dearest to the cheapest; the first of equals first."""
    return sorted(scope, key=lambda i: -_each(lines[i]))


def _each(line: Line) -> int | Fraction:
    return line.amount if line.quantity == 1 else Fraction(line.amount, max(line.quantity, 1))


def _off_items(line: Line, items: int, kept: tuple[int, int], rounding: Rounding) -> int:
    """What is taken off ``items`` of the line's items."""
    price = share_taken(line.amount, items, line.quantity)
    return price - divide(price * kept[0], kept[1], rounding)


def _make_spend(table: SpendAndSave, scale: int, rounding: Rounding, names: Names) -> Reduce:
    steps = _steps(table, scale)

    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        total = sum(lines[i].amount for i in scope)
        amount = 0
        for at_least, off in steps:
            if total >= at_least:
                amount = off * (total // at_least) if table.repeat else off
        return spread(amount, lines, scope) if amount else {}

    return reduce


def _steps(table: SpendAndSave, scale: int) -> list[tuple[int, int]]:
    """(from which amount, what is taken off), minor units, rising."""
    return [(minor(step.at_least, scale), minor(step.off, scale)) for step in table.table]


def _make_exchange(rule: Any, scale: int, rounding: Rounding, names: Names) -> Reduce:
    price = minor(rule.price, scale)

    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        return _some_items(lines, _dearest_first(lines, scope), rule.items, price)

    return reduce


def _make_gift(items: int, scale: int, rounding: Rounding, names: Names) -> Reduce:
    def reduce(turn: Turn, lines: list[Line], scope: list[int]) -> Off:
        return _some_items(lines, _dearest_first(lines, scope)[::-1], items, 0)

    return reduce


def _some_items(lines: list[Line], order: list[int], items: int, price: int) -> Off:
    """The first ``items`` items in this order cost ``price`` each, where that is less."""
    off: Off = {}
    for i in order:
        taken = min(items, lines[i].quantity)
        items -= taken
        if taken:
            off[i] = max(0, share_taken(lines[i].amount, taken, lines[i].quantity) - price * taken)
    return off


_MAKERS: dict[str, Callable[[Any, int, Rounding, Names], Reduce]] = {
    "amount_off": _make_amount,
    "amount_off_each": _make_amount_each,
    "percent": _make_percent,
    "fixed_price": _make_fixed,
    "nth_item": _make_nth,
    "buy_get": _make_buy_get,
    "spend_and_save": _make_spend,
    "exchange": _make_exchange,
    "gift": _make_gift,
}
