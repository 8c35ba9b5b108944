"""Value that moves without an order: opening balances, adjustments, plain spending, gifts between members."""

from __future__ import annotations

from typing import Any

from shuke.engine.activity import ASSET_RECEIVED, Activity
from shuke.engine.assets import AssetRules, Cause, credit, debit, is_spendable, purse_of, spendable
from shuke.engine.effects import ADJUSTED, ISSUED, SPENT, TRANSIT, Refused
from shuke.engine.turn import Turn
from shuke.values.instants import NEVER


def _asset(turn: Turn) -> tuple[AssetRules, int] | Refused:
    """The asset and amount (> 0, asset units) an activity is about."""
    payload = turn.activity.payload or {}
    rules = turn.program.assets.get(str(payload.get("asset")))
    if rules is None:
        return Refused("asset_unknown", {"asset": payload.get("asset")})
    amount = payload.get("amount")
    if not isinstance(amount, int) or isinstance(amount, bool) or amount == 0:
        return Refused("amount_invalid", {"amount": amount})
    return rules, amount


def _insufficient(turn: Turn, asset: str, amount: int) -> Refused | None:
    available = spendable(turn.member, asset)
    if amount <= available:
        return None
    return Refused("insufficient", {"asset": asset, "asked": amount, "available": available})


def open_balance(turn: Turn) -> Refused | None:
    """``asset.opened``: value a member brings from before. Payload: asset, amount, optional ``expires_at``
    (an instant).

    Refused: ``asset_unknown``, ``amount_invalid``.
    """
    found = _asset(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    if amount < 0:
        return Refused("amount_invalid", {"amount": amount})
    payload = turn.activity.payload or {}
    ends = payload.get("expires_at", NEVER)
    if ends <= turn.now:
        return Refused("already_expired", {"expires_at": ends})
    cause = Cause("open", None, None, _reason(payload))
    credit(turn, rules.id, amount, source=ISSUED, cause=cause, dates=(0, ends))
    return None


def adjust(turn: Turn) -> Refused | None:
    """``asset.adjusted``: more or less by hand. Payload: asset, amount (may be negative), reason, approver.

    Refused: ``asset_unknown``, ``amount_invalid``, ``reason_missing``, ``insufficient``.
    """
    found = _asset(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    payload = turn.activity.payload or {}
    if not payload.get("reason"):
        return Refused("reason_missing", {})
    cause = Cause("adjust", None, None, _reason(payload))
    if amount > 0:
        credit(turn, rules.id, amount, source=ADJUSTED, cause=cause)
        return None
    refused = _insufficient(turn, rules.id, -amount)
    if refused is None:
        debit(turn, rules.id, -amount, target=ADJUSTED, cause=cause)
    return refused


def spend(turn: Turn) -> Refused | None:
    """``asset.spent``: paid out for something that is not an order here. Payload: asset, amount, reference.

    Refused: ``asset_unknown``, ``amount_invalid``, ``not_spendable``, ``insufficient``.
    """
    found = _asset(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    if amount < 0:
        return Refused("amount_invalid", {"amount": amount})
    if not is_spendable(rules):
        return Refused("not_spendable", {"asset": rules.id})
    refused = _insufficient(turn, rules.id, amount)
    if refused is None:
        debit(
            turn,
            rules.id,
            amount,
            target=SPENT,
            cause=Cause("spend", None, None, _reason(turn.activity.payload or {})),
        )
    return refused


def _reason(payload: dict[str, Any]) -> dict[str, Any] | None:
    why = {name: payload[name] for name in ("reason", "approver", "reference") if payload.get(name)}
    return why or None


def send(turn: Turn) -> Refused | None:
    """``asset.transferred``: a gift to another member (payload: asset, amount, ``to_member``).

    The value leaves here and arrives by an activity in the other member's inbox. Refused:
    ``asset_unknown``, ``amount_invalid``, ``transfer_not_allowed``, ``transfer_to_self``, ``insufficient``.
    """
    found = _asset(turn)
    if isinstance(found, Refused):
        return found
    rules, amount = found
    to = (turn.activity.payload or {}).get("to_member")
    policy = rules.asset.transfer
    if amount < 0 or not isinstance(to, str) or not to:
        return Refused("amount_invalid", {"amount": amount})
    if to == turn.member.id:
        return Refused("transfer_to_self", {})
    if policy is None or amount < policy.minimum * rules.scale:
        return Refused("transfer_not_allowed", {"asset": rules.id, "amount": amount})
    refused = _insufficient(turn, rules.id, amount) or _above_daily(turn, rules, amount)
    if refused is not None:
        return refused
    cause = Cause("transfer", None, None, {"to": to})
    parts = debit(turn, rules.id, amount, target=TRANSIT, cause=cause)
    turn.effects.activities.append(
        Activity(
            type=ASSET_RECEIVED,
            member_id=to,
            occurred_at=turn.now,
            source=f"shuke:{turn.activity.source}",
            key=turn.activity.key,
            payload={
                "asset": rules.id,
                "from_member": turn.member.id,
                "lots": [[part.amount, part.expires_at] for part in parts],
            },
        )
    )
    return None


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
    """``asset.received``: what another member sent. Its lots keep their dates or start anew."""
    payload = turn.activity.payload or {}
    rules = turn.program.assets[payload["asset"]]
    policy = rules.asset.transfer
    purse_of(turn.member, rules.id)
    cause = Cause("receive", None, None, {"from": payload["from_member"]})
    for amount, ends in payload["lots"]:
        keep = policy is None or policy.dates == "keep"
        credit(turn, rules.id, amount, source=TRANSIT, cause=cause, dates=(0, ends) if keep else None)
    return None
