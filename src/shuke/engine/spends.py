"""Value spent for something that is no order here, and undone: in whole or in parts, back to the very lots.

A spend that was given an id is remembered beside the orders, so that undoing it reads what it took and never
today's rules. Parts of one asset come back from the lot used last to the lot used first; parts of stored value come
back to principal and bonus in the proportion in which they were taken. Parts in any number end where undoing the
whole at once would have ended.
"""

from __future__ import annotations

from typing import Any, TypeGuard

from msgspec import Struct
from msgspec.structs import replace

from shuke.engine.assets import AssetRules, Cause, debit, is_spendable, no_room, restore, spendable
from shuke.engine.effects import SPENT, Refused
from shuke.engine.member import Lot, Value
from shuke.engine.orders import Order, Paid, Spend, lots_between
from shuke.engine.purses import tell_lots
from shuke.engine.turn import Turn
from shuke.values.amounts import share_taken

MOST_AT_ONCE = 1_000
"""The largest ``quantity`` of one spend or hold."""

_PREFIX = "spend:"


def remembered_as(id_: object) -> str:
    """The name under which a spend is remembered beside the orders."""
    return f"{_PREFIX}{id_}"


# -- What an activity is about ----------------------------------------------------------------------------


def asset_of(turn: Turn) -> tuple[AssetRules, int] | Refused:
    """The asset and amount (not zero, asset units) an activity is about.

    Refused: ``asset_unknown``, ``amount_invalid``.
    """
    payload = turn.activity.payload or {}
    rules = turn.program.assets.get(str(payload.get("asset")))
    if rules is None:
        return Refused("asset_unknown", {"asset": payload.get("asset")})
    amount = payload.get("amount")
    if not is_whole(amount) or amount == 0:
        return Refused("amount_invalid", {"amount": amount})
    return rules, amount


def is_whole(amount: Any) -> TypeGuard[int]:
    """Whether a payload's value is a whole number at all."""
    return isinstance(amount, int) and not isinstance(amount, bool)


def insufficient(turn: Turn, asset: str, amount: int) -> Refused | None:
    """``insufficient`` where the member cannot spend so much."""
    available = spendable(turn.member, asset)
    if amount <= available:
        return None
    return Refused("insufficient", {"asset": asset, "asked": amount, "available": available})


def reason_of(payload: dict[str, Any]) -> dict[str, Any] | None:
    """What was said of a movement: why, who approved of it, what the caller calls it."""
    why = {name: payload[name] for name in ("reason", "approver", "reference") if payload.get(name)}
    return why or None


class Asked(Struct):
    """Value somebody asks for, which the member has: as it was asked for, and per asset the units it comes to."""

    value: Value
    parts: list[tuple[str, int]]


def asked_of(turn: Turn) -> Asked | Refused:
    """What an activity wants to use: ``asset`` and ``amount``, or ``stored_value`` (minor units of money, from
    principal and bonus as the program orders them); ``quantity`` times that (by default once).

    Refused: ``quantity_invalid``, ``asset_unknown``, ``amount_invalid``, ``not_spendable``, ``no_stored_value``,
    ``insufficient``.
    """
    payload = turn.activity.payload or {}
    quantity = payload.get("quantity", 1)
    if not is_whole(quantity) or not 1 <= quantity <= MOST_AT_ONCE:
        return Refused("quantity_invalid", {"quantity": quantity, "most": MOST_AT_ONCE})
    if payload.get("stored_value") is not None:
        return _asked_stored_value(turn, payload, quantity)
    found = asset_of(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    if amount < 0:
        return Refused("amount_invalid", {"amount": amount})
    if not is_spendable(rules):
        return Refused("not_spendable", {"asset": rules.id})
    amount *= quantity
    refused = insufficient(turn, rules.id, amount)
    if refused is not None:
        return refused
    return Asked(Value(rules.id, amount, why=reason_of(payload)), [(rules.id, amount)])


def _asked_stored_value(turn: Turn, payload: dict[str, Any], quantity: int) -> Asked | Refused:
    rules, amount = turn.program.stored_value, payload["stored_value"]
    if rules is None:
        return Refused("no_stored_value", {})
    if not is_whole(amount) or amount <= 0:
        return Refused("amount_invalid", {"amount": amount})
    amount *= quantity
    available = sum(rules.balance(turn.member))
    if amount > available:
        facts = {"asset": rules.principal, "asked": amount * rules.units, "available": available * rules.units}
        return Refused("insufficient", facts)
    parts = [(asset, part * rules.units) for asset, part in rules.split(turn.member, amount) if part]
    return Asked(Value(None, amount, rules.units, rules.spend, reason_of(payload)), parts)


# -- Spent ------------------------------------------------------------------------------------------------


def spend(turn: Turn) -> Refused | None:
    """``asset.spent``: paid out for something that is not an order here.

    Payload: what ``asked_of`` reads, optional ``id`` (only a spend with one can be undone), ``reason``,
    ``reference``. Refused: ``spend_exists``, and as ``asked_of``.
    """
    id_ = (turn.activity.payload or {}).get("id")
    refused = spent_before(turn, id_)
    if refused is not None:
        return refused
    asked = asked_of(turn)
    if isinstance(asked, Refused):
        return asked
    lots: list[tuple[str, list[Lot]]] = []
    for asset, units in asked.parts:
        cause = Cause("spend", None, None, asked.value.why)
        lots.append((asset, debit(turn, asset, units, target=SPENT, cause=cause)))
    remember(turn, id_, asked.value, lots)
    return None


def spent_before(turn: Turn, id_: Any) -> Refused | None:
    """``spend_exists`` where a spend has this id already."""
    if id_ is not None and remembered_as(id_) in turn.context.orders:
        return Refused("spend_exists", {"id": id_})
    return None


def remember(turn: Turn, id_: Any, value: Value, lots: list[tuple[str, list[Lot]]]) -> None:
    """Keep what a spend took, if it has an id, and tell the caller."""
    for asset, parts in lots:
        tell_lots(turn, asset, parts)
    if id_ is None:
        return
    turn.answer["spend"] = {"id": id_, "amount": value.amount}
    order = Order(remembered_as(id_), turn.now, turn.program.version, [0, 0, 0])
    order.spend = Spend(replace(value, why=None))  # what was said of it is with the entries, and only there
    order.paid = [Paid(asset, parts, [sum(lot.amount for lot in parts), 0, 0], [0, 0, 0]) for asset, parts in lots]
    turn.effects.orders[order.id] = order


# -- Undone -----------------------------------------------------------------------------------------------


def reverse(turn: Turn) -> Refused | None:
    """``asset.spend_reversed``: a spend, or a part of it, is undone; the lots get back what was theirs.

    Payload: ``id`` of the spend, optional ``reason``, ``reference``, and for a part ``amount`` (asset units), or
    ``stored_value`` (minor units) where stored value was spent. What is past its date meanwhile follows the asset's
    ``restored_after_expiry``. Refused: ``spend_unknown``, ``spend_reversed`` (all of it is back), ``amount_invalid``,
    ``reversal_exceeds_spend``, ``balance_too_large``.
    """
    payload = turn.activity.payload or {}
    order = turn.context.orders.get(remembered_as(payload.get("id")))
    if order is None or order.spend is None:
        return Refused("spend_unknown", {"id": payload.get("id")})
    spent = order.spend
    left = spent.value.amount - spent.back
    if left == 0:
        return Refused("spend_reversed", {"id": payload.get("id")})
    amount = part_of(payload, spent.value)
    amount = left if amount is None else amount
    if not is_whole(amount) or amount <= 0:
        return Refused("amount_invalid", {"amount": amount})
    if amount > left:
        facts = {"id": payload["id"], "left": left, "amount": amount}
        if spent.value.asset is not None:
            facts["asset"] = spent.value.asset
        return Refused("reversal_exceeds_spend", facts)
    units = _units_back(order, spent, spent.back), _units_back(order, spent, spent.back + amount)
    for paid, was, now in zip(order.paid, *units, strict=True):
        refused = no_room(turn, paid.asset, now - was)
        if refused is not None:
            return refused
    _give_back(turn, order, spent, spent.back + amount, reason_of(payload))
    turn.answer["spend"] = {"id": payload["id"], "amount": spent.value.amount, "back": spent.back}
    return None


def part_of(payload: dict[str, Any], value: Value) -> Any:
    """Which part of ``value`` a payload names, in the unit in which it was asked for; None if it names none."""
    return payload.get("stored_value" if value.asset is None else "amount")


def _give_back(turn: Turn, order: Order, spent: Spend, back: int, why: dict[str, Any] | None) -> None:
    id_ = order.id.removeprefix(_PREFIX)
    cause = Cause("restore", None, None, {"spend": id_, **(why or {})})
    was, now = _units_back(order, spent, spent.back), _units_back(order, spent, back)
    for paid, before, after in zip(order.paid, was, now, strict=True):
        if after > before:
            parts = restore(turn, paid.asset, lots_between(paid, before, after), source=SPENT, cause=cause)
            tell_lots(turn, paid.asset, parts)
    spent.back = back
    order.status = "refunded" if back == spent.value.amount else "paid"
    turn.effects.orders[order.id] = order


def _units_back(order: Order, spent: Spend, back: int) -> list[int]:
    """Per asset, the units that are back when ``back`` of the amount is. Monotone in ``back`` and exact at the end:
    of two assets the first gets its share, the other what is left (there are never more than two)."""
    units = spent.value.units
    totals = [sum(paid.units) // units for paid in order.paid]
    first = share_taken(totals[0], back, sum(totals))
    return [first * units, (back - first) * units][: len(totals)]
