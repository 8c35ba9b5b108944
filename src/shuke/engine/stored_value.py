"""Stored value: topped up with a bonus, spent by a declared order, paid back by a stated policy.

Paying a top-up back. Let the top-up have brought ``P`` of principal and ``B`` of bonus, and ``p`` and ``b``
of them be left in their lots. The bonus used is ``u = B - b`` (nothing, if the bonus has ended since: what
ended was not used). All divisions round down, in minor units. The policy is that of the top-up's own version.

    all_unspent          the bonus that is left goes; what was used is the member's to keep.
                         refund = p;  bonus taken = b
    proportional         the member keeps the bonus that the principal she used has brought,
                         k = B * (P - p) / P; used beyond that is withheld from the refund.
                         refund = p - max(0, u - k);  bonus taken = b - max(0, k - u)
    full_from_principal  the whole bonus goes: what was used of it is withheld from the refund.
                         refund = p - u;  bonus taken = b

with a refund never below zero. Example: top up 100, bonus 20, spend 60, pay the top-up back.

    spend               left p, b    all_unspent    proportional               full_from_principal
    in proportion       50, 10       50, bonus -10  50, bonus -10 (k = u = 10) 40, bonus -10
    principal first     40, 20       40, bonus -20  40, bonus  -8 (k = 12)     40, bonus -20
    bonus first         60,  0       60             48 (k = 8, u = 20)         40

Past the cooling-off days ``refund_fee_percent`` of the refund is kept. What is withheld or kept leaves the
principal as spent; what is paid out leaves it as paid out; bonus taken back is reversed. Points and counts
the top-up brought go back in proportion to the principal that was left.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from shuke.engine.assets import Cause, credit, has_room, no_room, take_from_lot
from shuke.engine.conditions import Names, compile_condition
from shuke.engine.discounts import minor
from shuke.engine.effects import ISSUED, PAID_OUT, REVERSED, SPENT, TOPPED_UP, Refused
from shuke.engine.index import hours_of, in_force, within
from shuke.engine.member import Lot, Member
from shuke.engine.orders import Order, TopUp
from shuke.engine.purses import tell_lots
from shuke.engine.refunds import move
from shuke.engine.turn import Turn
from shuke.program.chapter import ratio
from shuke.program.document import Program
from shuke.program.stored_value import CardLimits, Offer, StoredValue
from shuke.values.amounts import MAX_AMOUNT, allocate

ORDER_PREFIX = "top_up:"
"""A top-up is remembered beside the orders, under this prefix and its id."""

_MOST_TIMES = 1_000


class Bounds(Struct, frozen=True):
    """Limits of one kind of card, minor units."""

    maximum_balance: int | None = None
    maximum_top_up: int | None = None
    minimum_top_up: int | None = None


class StoredValueRules:
    """The stored value chapter of one edition. ``units``: asset units in one minor unit of money."""

    __slots__ = ("bonus", "bounds", "chapter", "fee", "offers", "principal", "spend", "tests", "units")

    def __init__(self, chapter: StoredValue, program: Program, names: Names) -> None:
        scale = 10**program.scale
        self.chapter, self.spend = chapter, chapter.spend
        self.principal, self.bonus = chapter.principal, chapter.bonus
        self.units: int = 10 ** max(0, program.asset(chapter.principal).scale - program.scale)
        self.offers = sorted(
            ((minor(offer.pay, scale), minor(offer.bonus, scale), offer) for offer in chapter.offers),
            key=lambda found: (-found[0], -found[1], found[2].id),
        )
        self.tests = {offer.id: compile_condition(offer.when, names=names) for offer in chapter.offers if offer.when}
        self.bounds: dict[str, Bounds] = {limits.card: _bounds(limits, scale) for limits in chapter.limits}
        self.fee = ratio(chapter.refund_fee_percent)

    def balance(self, member: Member) -> tuple[int, int]:
        """(principal, bonus) the member can spend, minor units."""
        return self._available(member, self.principal), self._available(member, self.bonus)

    def kept(self, member: Member) -> int:
        """All the stored value there is, also what ripens or is on hold, minor units."""
        purses = [member.purses.get(asset) for asset in (self.principal, self.bonus) if asset is not None]
        units = sum(purse.available + purse.pending + purse.held for purse in purses if purse is not None)
        return units // self.units

    def _available(self, member: Member, asset: str | None) -> int:
        purse = member.purses.get(asset) if asset is not None else None
        return 0 if purse is None else purse.available // self.units

    def split(self, member: Member, amount: int) -> list[tuple[str, int]]:
        """``amount`` (at most the balance) as (asset, minor units), in the order in which they are spent."""
        principal, bonus = self.balance(member)
        if self.bonus is None:
            return [(self.principal, amount)]
        of_principal = principal_part(amount, principal=principal, bonus=bonus, spend=self.spend)
        return [(self.principal, of_principal), (self.bonus, amount - of_principal)]


def principal_part(amount: int, *, principal: int, bonus: int, spend: str) -> int:
    """How much of ``amount`` is taken from so much principal, and not from so much bonus; minor units."""
    if spend == "principal_first":
        return min(principal, amount)
    if spend == "bonus_first":
        return amount - min(bonus, amount)
    return allocate(amount, [principal, bonus])[0]


def _bounds(limits: CardLimits, scale: int) -> Bounds:
    def of(number: Any) -> int | None:
        return None if number is None else minor(number, scale)

    return Bounds(of(limits.maximum_balance), of(limits.maximum_top_up), of(limits.minimum_top_up))


def compile_stored_value(program: Program, names: Names) -> StoredValueRules | None:
    """The rules of stored value, None where the program has none."""
    chapter = program.stored_value
    return None if chapter is None else StoredValueRules(chapter, program, names)


# -- Topped up --------------------------------------------------------------------------------------------


def top_up(turn: Turn) -> Refused | None:
    """``stored_value.topped_up``. Payload: ``id`` (of the top-up), ``amount`` paid (minor units), optional
    ``card``: named (by default) or bearer.

    Refused: ``no_stored_value``, ``amount_invalid``, ``top_up_exists``, ``top_up_below_minimum``,
    ``top_up_above_maximum``, ``balance_above_maximum``, ``balance_too_large``.
    """
    rules = turn.program.stored_value
    payload = turn.activity.payload or {}
    amount, card, id_ = payload.get("amount"), str(payload.get("card", "named")), payload.get("id")
    if rules is None:
        return Refused("no_stored_value", {})
    if not isinstance(amount, int) or isinstance(amount, bool) or amount <= 0 or not id_:
        return Refused("amount_invalid", {"amount": amount})
    if f"{ORDER_PREFIX}{id_}" in turn.context.orders:
        return Refused("top_up_exists", {"id": id_})
    offers = offers_of(turn, rules, amount)
    bonus = sum(given * times for given, times, _ in offers)
    refused = _outside(turn, rules.bounds.get(card, Bounds()), amount, bonus, rules)
    refused = refused or no_room(turn, rules.principal, amount * rules.units)
    if refused is not None:
        return refused
    named = offers[0][2].id if offers else None
    if bonus and rules.bonus is not None and not has_room(turn.member, rules.bonus, bonus * rules.units):
        turn.skip(rules.bonus, "balance_too_large", {"most": MAX_AMOUNT})
        bonus = 0
    order_id = f"{ORDER_PREFIX}{id_}"
    cause = Cause("top_up", None, order_id, {"paid": amount, "card": card})
    principal = credit(turn, rules.principal, amount * rules.units, source=TOPPED_UP, cause=cause)
    tell_lots(turn, rules.principal, [principal])
    given = None
    if bonus and rules.bonus is not None:
        why = {"paid": amount, "offers": [[offer.id, times] for _, times, offer in offers]}
        cause = Cause("bonus", named, order_id, why)
        given = credit(turn, rules.bonus, bonus * rules.units, source=ISSUED, cause=cause)
        tell_lots(turn, rules.bonus, [given])
    order = Order(order_id, turn.now, turn.program.version, [amount, 0, 0])
    order.top_up = TopUp(principal, given, named, card)
    turn.order = turn.effects.orders[order_id] = order
    turn.answer["top_up"] = {"id": id_, "principal": amount, "bonus": bonus, "offer": named}
    return None


def _outside(turn: Turn, bounds: Bounds, amount: int, bonus: int, rules: StoredValueRules) -> Refused | None:
    if bounds.minimum_top_up is not None and amount < bounds.minimum_top_up:
        return Refused("top_up_below_minimum", {"amount": amount, "minimum": bounds.minimum_top_up})
    if bounds.maximum_top_up is not None and amount > bounds.maximum_top_up:
        return Refused("top_up_above_maximum", {"amount": amount, "maximum": bounds.maximum_top_up})
    after = rules.kept(turn.member) + amount + bonus
    if bounds.maximum_balance is not None and after > bounds.maximum_balance:
        return Refused("balance_above_maximum", {"balance": after, "maximum": bounds.maximum_balance})
    return None


def offers_of(turn: Turn, rules: StoredValueRules, amount: int) -> list[tuple[int, int, Offer]]:
    """(bonus, times, offer) that apply to a top-up of ``amount``, by the chapter's way to match."""
    found: list[tuple[int, int, Offer]] = []
    left = amount
    for pay, bonus, offer in rules.offers:
        if not is_open(turn, offer) or pay > left:
            continue
        if rules.chapter.match == "exact":
            if pay == amount:
                return [(bonus, 1, offer)]
        elif rules.chapter.match == "best":
            return [(bonus, 1, offer)]
        else:
            times = min(left // pay, _MOST_TIMES)
            found.append((bonus, times, offer))
            left -= pay * times
    return found


def is_timely(turn: Turn, offer: Offer) -> bool:
    """Whether the offer is in force now."""
    return in_force(offer.span, turn.day) and within(hours_of(offer.span), turn.second)


def is_open(turn: Turn, offer: Offer) -> bool:
    """Whether the offer is in force now, and meant for this member."""
    if not is_timely(turn, offer):
        return False
    rules = turn.program.stored_value
    test = rules.tests.get(offer.id) if rules is not None else None
    return test is None or test(turn, None)


# -- Paid back --------------------------------------------------------------------------------------------


class Refund(Struct, frozen=True):
    """What paying a top-up back comes to, minor units: to the member, withheld for bonus that was used, kept
    as fee, and taken from the bonus that is left."""

    money: int
    withheld: int
    fee: int
    bonus: int


def refund_of(policy: str, *, paid: int, left: int, bonus: int, bonus_left: int, fee: tuple[int, int]) -> Refund:
    """The formulas above: ``paid`` P, ``left`` p, ``bonus`` B, ``bonus_left`` b; ``fee`` a percentage."""
    used = bonus - bonus_left
    taken, withheld = bonus_left, 0
    if policy == "proportional":
        kept = bonus * (paid - left) // paid
        withheld = max(0, used - kept)
        taken = bonus_left - max(0, kept - used)
    elif policy == "full_from_principal":
        withheld = used
    withheld = min(left, withheld)
    kept_as_fee = (left - withheld) * fee[0] // (fee[1] * 100)
    return Refund(left - withheld - kept_as_fee, withheld, kept_as_fee, taken)


def refund_top_up(turn: Turn) -> Refused | None:
    """``stored_value.refunded``: what is left of a top-up is paid back. Payload: ``id`` of the top-up.

    Refused: ``top_up_unknown``, ``top_up_refunded``, ``stored_value_held`` (by a cart),
    ``refund_not_allowed`` (past the cooling-off days), ``nothing_to_refund``.
    """
    id_ = (turn.activity.payload or {}).get("id")
    order = turn.context.orders.get(f"{ORDER_PREFIX}{id_}")
    rules = turn.editions.at(order.placed_at).stored_value if order is not None else None
    if order is None or order.top_up is None or rules is None:
        return Refused("top_up_unknown", {"id": id_})
    if order.status == "refunded":
        return Refused("top_up_refunded", {"id": id_})
    assets = {rules.principal, rules.bonus}
    if any(part.asset in assets for hold in turn.member.holds.values() for part in hold.parts):
        return Refused("stored_value_held", {"id": id_})
    last_day = turn.program.calendar.day(order.placed_at) + rules.chapter.cooling_off_days
    cooling_off = turn.day <= last_day
    if not cooling_off and rules.chapter.refundable == "cooling_off":
        days = rules.chapter.cooling_off_days
        return Refused("refund_not_allowed", {"id": id_, "cooling_off_days": days})
    found = _refund(turn, rules, order.top_up, (0, 1) if cooling_off else rules.fee)
    if found.money + found.withheld + found.fee + found.bonus == 0:
        return Refused("nothing_to_refund", {"id": id_})
    _pay_back(turn, rules, order, found)
    return None


def _refund(turn: Turn, rules: StoredValueRules, top_up: TopUp, fee: tuple[int, int]) -> Refund:
    units = rules.units
    left = _left(turn, rules.principal, top_up.principal) // units
    bonus = bonus_left = 0
    if top_up.bonus is not None and rules.bonus is not None and top_up.bonus.expires_at > turn.now:
        bonus = top_up.bonus.amount // units
        bonus_left = _left(turn, rules.bonus, top_up.bonus) // units
    return refund_of(
        rules.chapter.refund_bonus,
        paid=top_up.principal.amount // units,
        left=left,
        bonus=bonus,
        bonus_left=bonus_left,
        fee=fee,
    )


def _left(turn: Turn, asset: str, given: Lot) -> int:
    """What is left of what was given in a lot; at most that, since top-ups of the same day share one."""
    purse = turn.member.purses[asset]
    for lot in (*purse.lots, *purse.ripening):
        if lot.no == given.no:
            return min(lot.amount, given.amount)
    return 0


def _pay_back(turn: Turn, rules: StoredValueRules, order: Order, found: Refund) -> None:
    top_up = order.top_up
    assert top_up is not None, "checked by the caller"
    why = {"policy": rules.chapter.refund_bonus}
    for kind, amount, target in (
        ("refund", found.money, PAID_OUT),
        ("withhold", found.withheld, SPENT),
        ("fee", found.fee, SPENT),
    ):
        if amount:
            cause = Cause(kind, None, order.id, why)
            units = amount * rules.units
            take_from_lot(turn, rules.principal, units, no=top_up.principal.no, target=target, cause=cause)
            tell_lots(turn, rules.principal, [replace(top_up.principal, amount=units)])
    if found.bonus and rules.bonus is not None and top_up.bonus is not None:
        cause = Cause("reverse", top_up.offer, order.id, why)
        units = found.bonus * rules.units
        take_from_lot(turn, rules.bonus, units, no=top_up.bonus.no, target=REVERSED, cause=cause)
        tell_lots(turn, rules.bonus, [replace(top_up.bonus, amount=units)])
    move(turn, order, [found.money + found.withheld + found.fee, 0, 0])
    order.status = "refunded"
    turn.answer["money"] -= found.withheld + found.fee
    id_ = order.id.removeprefix(ORDER_PREFIX)
    turn.answer["top_up"] = {"id": id_, "withheld": found.withheld, "fee": found.fee, "bonus": found.bonus}
