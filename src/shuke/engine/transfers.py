"""Value that moves without an order: opening balances, grants, adjustments, gifts between members.

Three ways in, which the books keep apart:

    asset.opened     what a member brings from before: no rule gave it, and it ends only where that is told
    asset.granted    what the shop gives for a reason that no rule knows: issued and counted as earned, with the
                     asset's usual dates
    asset.adjusted   the books were wrong: more or less, against ``adjusted``; never counted as earned

None of them asks the limits of earning rules, which are a rule's own. Spending is in ``spends``.
"""

from __future__ import annotations

from typing import Any

from shuke.engine.activity import ASSET_RECEIVED, Activity
from shuke.engine.assets import AssetRules, Cause, Dates, credit, debit, no_room, purse_of
from shuke.engine.effects import ADJUSTED, ISSUED, TRANSIT, Refused
from shuke.engine.measures import count_earned
from shuke.engine.member import is_herself
from shuke.engine.purses import tell_lots
from shuke.engine.spends import asset_of, insufficient, reason_of
from shuke.engine.turn import Turn
from shuke.program.assets import AssetKind
from shuke.values.instants import NEVER


def open_balance(turn: Turn) -> Refused | None:
    """``asset.opened``: value a member brings from before. Payload: asset, amount, optional ``expires_at``
    (an instant).

    Refused: ``asset_unknown``, ``amount_invalid``, ``balance_too_large``, ``already_expired``.
    """
    found = asset_of(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    if amount < 0:
        return Refused("amount_invalid", {"amount": amount})
    refused = no_room(turn, rules.id, amount)
    if refused is not None:
        return refused
    payload = turn.activity.payload or {}
    ends = payload.get("expires_at", NEVER)
    if ends <= turn.now:
        return Refused("already_expired", {"expires_at": ends})
    cause = Cause("open", None, None, reason_of(payload))
    lot = credit(turn, rules.id, amount, source=ISSUED, cause=cause, dates=(0, ends))
    tell_lots(turn, rules.id, [lot])
    return None


def grant(turn: Turn) -> Refused | None:
    """``asset.granted``: the shop gives value, for a reason. Payload: asset, amount, ``reason``, optional
    ``approver``, ``reference``, and ``ripens_at``, ``expires_at`` (instants) instead of the asset's usual dates.

    Principal of stored value is paid for and not given. Refused: ``asset_unknown``, ``amount_invalid``,
    ``not_given``, ``reason_missing``, ``balance_too_large``, ``already_expired`` (before it comes, or ripens).
    """
    found = asset_of(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    payload = turn.activity.payload or {}
    if amount < 0:
        return Refused("amount_invalid", {"amount": amount})
    if rules.asset.kind is AssetKind.PRINCIPAL:
        return Refused("not_given", {"asset": rules.id})
    if not payload.get("reason"):
        return Refused("reason_missing", {})
    refused = no_room(turn, rules.id, amount)
    if refused is not None:
        return refused
    dates = _dates(turn, rules, payload)
    if isinstance(dates, Refused):
        return dates
    cause = Cause("grant", None, None, reason_of(payload))
    lot = credit(turn, rules.id, amount, source=ISSUED, cause=cause, dates=dates)
    turn.add_earned(rules.id, amount)
    count_earned(turn, rules.id, amount, None)
    tell_lots(turn, rules.id, [lot])
    return None


def _dates(turn: Turn, rules: AssetRules, payload: dict[str, Any]) -> Dates | Refused:
    """The asset's usual dates, or those that were told."""
    ripens_at, expires_at = rules.dates(turn.day, member=turn.member)
    told = False
    if payload.get("ripens_at") is not None:
        ripens_at, told = payload["ripens_at"], True
    if payload.get("expires_at") is not None:
        expires_at, told = payload["expires_at"], True
    if told and expires_at <= max(turn.now, ripens_at):
        return Refused("already_expired", {"expires_at": expires_at})
    return ripens_at, expires_at


def adjust(turn: Turn) -> Refused | None:
    """``asset.adjusted``: more or less by hand. Payload: asset, amount (may be negative), reason, approver.

    Refused: ``asset_unknown``, ``amount_invalid``, ``reason_missing``, ``insufficient``, ``balance_too_large``.
    """
    found = asset_of(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    payload = turn.activity.payload or {}
    if not payload.get("reason"):
        return Refused("reason_missing", {})
    cause = Cause("adjust", None, None, reason_of(payload))
    refused = no_room(turn, rules.id, amount) if amount > 0 else insufficient(turn, rules.id, -amount)
    if refused is not None:
        return refused
    if amount > 0:
        lots = [credit(turn, rules.id, amount, source=ADJUSTED, cause=cause)]
    else:
        lots = debit(turn, rules.id, -amount, target=ADJUSTED, cause=cause)
    tell_lots(turn, rules.id, lots)
    return None


def send(turn: Turn) -> Refused | None:
    """``asset.transferred``: a gift to another member (payload: asset, amount, ``to_member``).

    The value leaves here and arrives by an activity in the other member's inbox. Refused:
    ``asset_unknown``, ``amount_invalid``, ``transfer_not_allowed``, ``transfer_to_self``, ``member_erased``,
    ``insufficient``.
    """
    found = asset_of(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    to = (turn.activity.payload or {}).get("to_member")
    policy = rules.asset.transfer
    if amount < 0 or not isinstance(to, str) or not to:
        return Refused("amount_invalid", {"amount": amount})
    if is_herself(turn.member, to):
        return Refused("transfer_to_self", {})
    if to in turn.context.erased:
        return Refused("member_erased", {"member": to})
    if policy is None or amount < policy.minimum * rules.scale:
        return Refused("transfer_not_allowed", {"asset": rules.id, "amount": amount})
    refused = insufficient(turn, rules.id, amount) or _above_daily(turn, rules, amount)
    if refused is not None:
        return refused
    cause = Cause("transfer", None, None, {"to": to})
    parts = debit(turn, rules.id, amount, target=TRANSIT, cause=cause)
    tell_lots(turn, rules.id, parts)
    _pass_on(turn, rules.id, [[part.amount, part.expires_at] for part in parts], to=to)
    return None


def _pass_on(turn: Turn, asset: str, lots: list[list[int]], *, to: str, is_back: bool = False) -> None:
    """Put value in transit, as [amount, end of the lot], into another member's inbox."""
    payload: dict[str, Any] = {"asset": asset, "from_member": turn.member.id, "lots": lots}
    if is_back:
        payload["is_back"] = True
    activity, source = turn.activity, f"shuke:{turn.activity.source}"
    turn.effects.activities.append(Activity(ASSET_RECEIVED, to, turn.now, source, activity.key, payload))


def _above_daily(turn: Turn, rules: AssetRules, amount: int) -> Refused | None:
    """Count the transfer against the day's limit, or refuse it: ``transfer_limit``."""
    policy = rules.asset.transfer
    if policy is None or policy.maximum_per_day is None:
        return None
    used = turn.member.used.get(f"transfer/{rules.id}", {})
    today = used.get(turn.day, 0)
    if today + amount > policy.maximum_per_day * rules.scale:
        return Refused("transfer_limit", {"asset": rules.id, "left": policy.maximum_per_day * rules.scale - today})
    turn.member.used[f"transfer/{rules.id}"] = {turn.day: today + amount}
    return None


def receive(turn: Turn) -> Refused | None:
    """``asset.received``: what another member sent. Its lots keep their dates or start anew.

    Refused: ``balance_too_large``; the value goes back, as it was, to whoever sent it and had room for it just now.
    """
    payload = turn.activity.payload or {}
    rules = turn.program.assets[payload["asset"]]
    policy, is_back = rules.asset.transfer, payload.get("is_back", False)
    refused = None if is_back else no_room(turn, rules.id, sum(amount for amount, _ in payload["lots"]))
    if refused is not None:
        _pass_on(turn, rules.id, payload["lots"], to=payload["from_member"], is_back=True)
        return refused
    purse_of(turn.member, rules.id)
    cause = Cause("receive", None, None, {"from": payload["from_member"]})
    for amount, ends in payload["lots"]:
        keep = policy is None or policy.dates == "keep" or is_back
        credit(turn, rules.id, amount, source=TRANSIT, cause=cause, dates=(0, ends) if keep else None)
    return None
