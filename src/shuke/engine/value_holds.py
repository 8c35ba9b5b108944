"""Value kept aside without a cart: held for a limited time, then captured in whole or in part, or let go.

    asset.held      → so much of an asset, or of stored value, moves aside under the caller's key
    asset.captured  → it is spent, or a part of it; a capture ends the hold, and what it leaves goes back
    asset.released, or time → everything back where it was, once

These holds are those of ``holds``: one list of keys, one limit to their number and time, one way to lapse.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from shuke.engine.assets import Cause, debit, restore
from shuke.engine.effects import HELD, Refused
from shuke.engine.holds import admit, use_held
from shuke.engine.member import HeldPart, Hold, Lot, Value
from shuke.engine.purses import tell_lots
from shuke.engine.spends import asked_of, is_whole, part_of, reason_of, remember, spent_before
from shuke.engine.stored_value import principal_part
from shuke.engine.turn import Turn


def hold(turn: Turn) -> Refused | None:
    """``asset.held``: keep value aside. Payload: ``hold`` (the key), what ``spends.asked_of`` reads, optional
    ``minutes`` (at most the program's ``hold_minutes``), ``reason``, ``reference``.

    Refused: as ``holds.admit`` and ``spends.asked_of``.
    """
    admitted = admit(turn)
    if isinstance(admitted, Refused):
        return admitted
    key, lapses_at = admitted
    asked = asked_of(turn)
    if isinstance(asked, Refused):
        return asked
    cause = Cause("hold", None, None, {"hold": key, **(asked.value.why or {})})
    parts = []
    for asset, units in asked.parts:
        lots = debit(turn, asset, units, target=HELD, cause=cause)
        tell_lots(turn, asset, lots)
        parts += [HeldPart(asset, lot) for lot in lots]
    turn.member.holds[key] = Hold(key, lapses_at, parts, [], [], b"", asked.value)
    turn.answer["hold"] = {"hold": key, "lapses_at": lapses_at}
    return None


def capture(turn: Turn) -> Refused | None:
    """``asset.captured``: what is held is spent, or a part of it. What it leaves goes back at once.

    Payload: ``hold``, optional ``id`` (so that the spend can be undone), ``reason``, ``reference``, and for a part
    ``amount`` (asset units), or ``stored_value`` (minor units) where stored value is held. Refused: ``hold_unknown``,
    ``hold_of_cart``, ``amount_invalid``, ``insufficient`` (more than is held), ``spend_exists``.
    """
    payload = turn.activity.payload or {}
    key = payload.get("hold")
    found = turn.member.holds.get(str(key))
    if found is None:
        return Refused("hold_unknown", {"hold": key})
    if found.value is None:
        return Refused("hold_of_cart", {"hold": found.key})
    refused = spent_before(turn, payload.get("id"))
    if refused is not None:
        return refused
    amount = part_of(payload, found.value)
    amount = found.value.amount if amount is None else amount
    if not is_whole(amount) or amount <= 0:
        return Refused("amount_invalid", {"amount": amount})
    if amount > found.value.amount:
        units = found.value.units
        facts = {"asked": amount * units, "available": found.value.amount * units}
        return Refused("insufficient", {"asset": found.parts[0].asset, **facts})
    del turn.member.holds[found.key]
    _capture(turn, found, replace(found.value, amount=amount, why=_why(payload, found.value)), payload.get("id"))
    return None


def _why(payload: dict[str, Any], held: Value) -> dict[str, Any] | None:
    """What was said when it was held, and now."""
    return {**(held.why or {}), **(reason_of(payload) or {})} or None


def _capture(turn: Turn, found: Hold, value: Value, id_: Any) -> None:
    wanted = _wanted(found, value)
    used: dict[str, list[Lot]] = {}
    left: list[HeldPart] = []
    for part in found.parts:
        taken = min(part.lot.amount, wanted[part.asset])
        wanted[part.asset] -= taken
        if taken:
            used.setdefault(part.asset, []).append(replace(part.lot, amount=taken))
        if taken < part.lot.amount:
            left.append(HeldPart(part.asset, replace(part.lot, amount=part.lot.amount - taken)))
    cause = Cause("spend", None, None, {"hold": found.key, **(value.why or {})})
    for asset, lots in used.items():
        use_held(turn, asset, lots, cause=cause)
    for part in left:
        rest = Cause("release", None, None, {"hold": found.key})
        restore(turn, part.asset, [part.lot], source=HELD, cause=rest)
    remember(turn, id_, value, list(used.items()))


def _wanted(found: Hold, value: Value) -> dict[str, int]:
    """Per asset the units that a capture takes: of stored value split as it was when it was held."""
    held: dict[str, int] = {}
    for part in found.parts:
        held[part.asset] = held.get(part.asset, 0) + part.lot.amount
    if len(held) == 1:
        return dict.fromkeys(held, value.amount * value.units)
    (first, of_principal), (second, of_bonus) = ((asset, units // value.units) for asset, units in held.items())
    taken = principal_part(value.amount, principal=of_principal, bonus=of_bonus, spend=value.spend)
    return {first: taken * value.units, second: (value.amount - taken) * value.units}
