"""Prices of a cart's lines: member price, tier percent and promotions; and, at the very end, shipping.

    members_only → price_lines → price_sets → (coupons) → price_shipping → (payments)

``price_lines`` is about lines by themselves. ``together: best`` compares what each source would take off a
line and lets the largest win (ties: the source named first in ``order``, then the promotion of higher
priority, then its id); ``stacked`` applies the sources one upon the other. ``price_sets`` follows with
promotions over several lines (every second item, spend and save …), on the prices reached by then, first by
priority.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from msgspec import Struct

from shuke.engine.benefits import PercentOff
from shuke.engine.cart import MEMBER_PRICE, PROMOTION, TIER_PERCENT, Cart
from shuke.engine.conditions import Names, Test, compile_condition, line_index
from shuke.engine.discounts import CompiledDiscount, Off, minor
from shuke.engine.index import DayIndexes, Index, hours_of, within
from shuke.program.conditions import show
from shuke.program.document import Program
from shuke.program.prices import LINE_KINDS, MembersOnly, Promotion
from shuke.values.amounts import Rounding, divide


class PromotionRule:
    """A promotion, compiled. Amounts in minor units."""

    __slots__ = (
        "category",
        "discount",
        "hours",
        "id",
        "index",
        "lines",
        "minimum_items",
        "minimum_spend",
        "not_with",
        "order_key",
        "span",
        "when",
        "when_text",
    )

    def __init__(self, promotion: Promotion, rounding: Rounding, names: Names) -> None:
        self.id = promotion.id
        self.discount = CompiledDiscount(promotion.give, rounding=rounding, names=names)
        self.lines: Test | None = compile_condition(promotion.lines, names=names) if promotion.lines else None
        self.index: Index | None = line_index(promotion.lines) if promotion.lines else None
        self.when: Test | None = compile_condition(promotion.when, names=names) if promotion.when else None
        self.when_text = show(promotion.when) if promotion.when else ""
        self.minimum_spend = minor(promotion.minimum_spend, names.currency_scale)
        self.minimum_items = promotion.minimum_items
        self.category = promotion.category
        self.not_with = frozenset(promotion.not_with)
        self.span = promotion.span
        self.hours = hours_of(promotion.span)
        self.order_key = (-promotion.priority, promotion.id)


class _Reserved:
    """Lines only certain members may buy, compiled."""

    __slots__ = ("id", "index", "lines", "who", "who_text")

    def __init__(self, rule: MembersOnly, names: Names) -> None:
        self.id = rule.id
        self.lines: Test = compile_condition(rule.lines, names=names)
        self.index = line_index(rule.lines)
        self.who: Test = compile_condition(rule.who, names=names)
        self.who_text = show(rule.who)


class PriceRules:
    """The price chapter of one edition."""

    __slots__ = (
        "by_line",
        "by_set",
        "coupon_order",
        "coupons_per_order",
        "on_shipping",
        "order",
        "redemption_lines",
        "reserved",
        "rounding",
        "together",
    )

    def __init__(self, program: Program, names: Names) -> None:
        prices = program.prices
        promotions = [PromotionRule(promotion, prices.rounding, names) for promotion in prices.promotions]
        self.by_line = DayIndexes([rule for rule in promotions if rule.discount.kind in LINE_KINDS])
        self.by_set = DayIndexes(
            [rule for rule in promotions if rule.discount.reduce and rule.discount.kind not in LINE_KINDS]
        )
        self.on_shipping = DayIndexes([rule for rule in promotions if rule.discount.shipping])
        self.together = prices.together
        self.order = tuple(prices.order)
        self.rounding = prices.rounding
        self.reserved = [_Reserved(rule, names) for rule in prices.members_only]
        self.redemption_lines: dict[str, Test] = {
            asset.id: compile_condition(asset.redemption.lines, names=names)
            for asset in program.assets
            if asset.redemption is not None and asset.redemption.lines is not None
        }
        self.coupon_order = {category: place for place, category in enumerate(prices.coupon_order)}
        self.coupons_per_order = prices.coupons_per_order


def compile_prices(program: Program, names: Names) -> PriceRules:
    return PriceRules(program, names)


# -- Who may buy ------------------------------------------------------------------------------------------


def check_members_only(cart: Cart) -> None:
    """Decline lines that this member may not buy."""
    turn = cart.turn
    for rule in turn.program.prices.reserved:
        places = cart.carrying(*rule.index) if rule.index else range(len(cart.lines))
        found = [i + 1 for i in places if rule.lines(turn, cart.lines[i])]
        if found and not rule.who(turn, None):
            cart.decline(rule.id, "members_only", lines=found, who=rule.who_text)


# -- Lines by themselves ----------------------------------------------------------------------------------


class Candidate(Struct):
    """One way to price lines: ``off`` computes, on the prices of now, what it takes off which."""

    kind: str
    id: str
    off: Callable[[], Off]
    category: str = ""


def price_lines(cart: Cart) -> None:
    """Member price, tier percent and promotions on single lines, as the program puts them together."""
    rules = cart.turn.program.prices
    if rules.together == "best":
        _best(cart, [found for source in rules.order for found in _SOURCES[source](cart)])
        return
    for source in rules.order:
        candidates = list(_SOURCES[source](cart))
        for category in dict.fromkeys(candidate.category for candidate in candidates):
            _best(cart, [candidate for candidate in candidates if candidate.category == category])


def _best(cart: Cart, candidates: list[Candidate]) -> None:
    """Give every line the candidate that takes most off it."""
    most = [0] * len(cart.lines)
    winner = [-1] * len(cart.lines)
    offs = [candidate.off() for candidate in candidates]
    for number, off in enumerate(offs):
        for position, amount in off.items():
            if amount > most[position]:
                most[position], winner[position] = amount, number
    for number, candidate in enumerate(candidates):
        won = {i: amount for i, amount in offs[number].items() if winner[i] == number}
        if won:
            cart.reduce(candidate.kind, candidate.id, won)
            for position in won:
                cart.priced_by(position, candidate.kind)
                if candidate.kind == PROMOTION:
                    cart.taken[position].add(candidate.category)
        elif any(offs[number].values()):
            cart.skip(candidate.id, "better_price_found")


def _member_prices(cart: Cart) -> Iterator[Candidate]:
    turn = cart.turn
    member_price = turn.program.benefits.member_price

    def off() -> Off:
        found: Off = {}
        for position, line in enumerate(cart.lines):
            price = member_price(turn, line)
            if price is not None and price * line.quantity < line.amount:
                found[position] = line.amount - price * line.quantity
        return found

    yield Candidate(MEMBER_PRICE, MEMBER_PRICE, off)


def _tier_percents(cart: Cart) -> Iterator[Candidate]:
    turn = cart.turn
    for percent in turn.program.benefits.percent_off(turn):
        yield Candidate(TIER_PERCENT, percent.id, partial(_percent_off, cart, percent))


def _percent_off(cart: Cart, percent: PercentOff) -> Off:
    turn, test = cart.turn, percent.lines
    keep, of, rounding = (
        percent.denominator - percent.numerator,
        percent.denominator,
        turn.program.prices.rounding,
    )
    return {
        position: line.amount - divide(line.amount * keep, of, rounding)
        for position, line in enumerate(cart.lines)
        if test is None or test(turn, line)
    }


def _line_promotions(cart: Cart) -> Iterator[Candidate]:
    for rule, scope in _meeting(cart, cart.turn.program.prices.by_line):
        reduce = rule.discount.reduce
        assert reduce is not None, "promotions on lines reduce lines"
        yield Candidate(PROMOTION, rule.id, partial(reduce, cart.turn, cart.lines, scope), rule.category)


_SOURCES: dict[str, Callable[[Cart], Iterator[Candidate]]] = {
    MEMBER_PRICE: _member_prices,
    TIER_PERCENT: _tier_percents,
    PROMOTION: _line_promotions,
}


def _meeting(cart: Cart, rules: DayIndexes[PromotionRule]) -> Iterator[tuple[PromotionRule, list[int]]]:
    """The promotions whose condition holds, each with its lines, in order of priority.

    Those that have lines here but do not apply are told as skipped, with what they lack.
    """
    if not rules.rules:
        return
    turn = cart.turn
    for rule, places in rules.on(turn.day).candidates(cart.lines):
        if rule.hours and not within(rule.hours, turn.second):
            continue
        if rule.lines is None and rule.when is not None and not rule.when(turn, None):
            cart.skip(rule.id, "condition_not_met", when=rule.when_text)
            continue
        scope = scope_of(cart, rule.lines, places, rule.not_with)
        if rule.discount.shipping is None:
            scope = [i for i in scope if rule.category not in cart.taken[i]]
        if not scope:
            continue
        if rule.lines is not None and rule.when is not None and not rule.when(turn, None):
            cart.skip(rule.id, "condition_not_met", when=rule.when_text)
        elif (lack := lacking(cart, scope, rule.minimum_spend, rule.minimum_items)) is not None:
            tell_lack(cart, rule.id, PROMOTION, lack)
        else:
            yield rule, scope


def scope_of(cart: Cart, test: Test | None, places: list[int] | None, not_with: frozenset[str]) -> list[int]:
    """The positions a discount may work on: those that match and were not priced in a way it excludes."""
    turn, lines = cart.turn, cart.lines
    found = range(len(lines)) if places is None else places
    if test is None:
        matching = list(found)
    else:
        matching = [i for i in found if test(turn, lines[i])]
    return [i for i in matching if not_with.isdisjoint(cart.how[i])] if not_with else matching


def lacking(cart: Cart, scope: list[int], spend: int, items: int) -> tuple[str, int] | None:
    """What the scope lacks of a minimum: ("minimum_spend", minor units) or ("minimum_items", items)."""
    if spend:
        missing = spend - sum(cart.lines[i].amount for i in scope)
        if missing > 0:
            return "minimum_spend", missing
    if items:
        missing = items - sum(cart.lines[i].quantity for i in scope)
        if missing > 0:
            return "minimum_items", missing
    return None


def tell_lack(cart: Cart, what: str, kind: str, lack: tuple[str, int], **more: str) -> None:
    """List it as skipped, and as a hint what would help; ``more`` goes into the hint."""
    code, missing = lack
    cart.skip(what, code, needs=missing)
    cart.hints.append({"code": _HINTS[code], "needs": missing, "for": kind, "id": what, **more})


_HINTS = {"minimum_spend": "spend_more", "minimum_items": "add_items"}

# -- Lines together ---------------------------------------------------------------------------------------


def price_sets(cart: Cart) -> None:
    """Promotions over several lines; each takes its lines from later ones of the same category."""
    for rule, scope in _meeting(cart, cart.turn.program.prices.by_set):
        reduce = rule.discount.reduce
        assert reduce is not None, "promotions over lines reduce lines"
        total = sum(cart.lines[i].amount for i in scope)
        off = reduce(cart.turn, cart.lines, scope)
        taken = cart.reduce(PROMOTION, rule.id, off)
        _hint_next_step(cart, rule, total)
        if not taken:
            cart.skip(rule.id, "minimum_spend" if rule.discount.steps else "too_few_items")
            continue
        for position in scope:
            cart.taken[position].add(rule.category)
            if off.get(position):
                cart.priced_by(position, PROMOTION)


def _hint_next_step(cart: Cart, rule: PromotionRule, total: int) -> None:
    """How much more reaches the next step of a spend-and-save table."""
    for at_least, off in rule.discount.steps:
        if total < at_least:
            hint = {
                "code": "spend_more",
                "needs": at_least - total,
                "for": PROMOTION,
                "id": rule.id,
                "off": off,
            }
            cart.hints.append(hint)
            return


# -- Shipping ---------------------------------------------------------------------------------------------


def price_shipping(cart: Cart) -> None:
    """The promotion that takes most off the shipping, else the benefit that makes it free."""
    shipping = cart.purchase.shipping
    if shipping == 0:
        return
    best: tuple[int, str] | None = None
    for rule, _ in _meeting(cart, cart.turn.program.prices.on_shipping):
        off = rule.discount.shipping_off(shipping)
        if off and (best is None or off > best[0]):
            best = off, rule.id
    if best is not None:
        cart.reduce_shipping(PROMOTION, best[1], best[0])
    if cart.purchase.shipping:
        benefit = cart.turn.program.benefits.free_shipping(cart.turn)
        if benefit is not None:
            cart.reduce_shipping("free_shipping", benefit, cart.purchase.shipping)
