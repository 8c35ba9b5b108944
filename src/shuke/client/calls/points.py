"""Points (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime

from shuke.client.shapes.points import AssetsShown, BalancesShown, Held, Moved, Spent
from shuke.client.transport import Call, made


def grant_points(
    *,
    reason: str,
    member_id: str,
    asset: str,
    amount: int,
    reference: str | None = None,
    occurred_at: str | datetime | None = None,
    approver: str | None = None,
    ripens_at: str | datetime | None = None,
    expires_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[Moved]:
    """Give a member value for a reason that no rule knows: an apology, a game, a partner's campaign.

    It counts as earned (tiers see it) and gets the asset's usual dates unless others are told. Limits of earning
    rules do not apply: they are a rule's own. What corrects a mistake is an adjustment instead.
    """
    return made(
        "POST",
        "/v1/points/earn",
        body={
            "reason": reason,
            "reference": reference,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "asset": asset,
            "amount": amount,
            "approver": approver,
            "ripens_at": ripens_at,
            "expires_at": expires_at,
        },
        once=idempotency_key or True,
    )


def spend_points(
    *,
    member_id: str,
    reason: str | None = None,
    reference: str | None = None,
    occurred_at: str | datetime | None = None,
    asset: str | None = None,
    amount: int | None = None,
    stored_value: int | None = None,
    quantity: int | None = None,
    spend: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Spent]:
    """Spend value for something that is not an order here: a reward at the counter, a partner's service.

    All of it or nothing, from the lots that the asset spends first. The answer says which, with their dates.
    """
    return made(
        "POST",
        "/v1/points/spend",
        body={
            "reason": reason,
            "reference": reference,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "asset": asset,
            "amount": amount,
            "stored_value": stored_value,
            "quantity": quantity,
            "spend": spend,
        },
        once=idempotency_key or True,
    )


def reverse_spend(
    spend: str,
    *,
    member_id: str,
    reason: str | None = None,
    reference: str | None = None,
    occurred_at: str | datetime | None = None,
    amount: int | None = None,
    stored_value: int | None = None,
    idempotency_key: str | None = None,
) -> Call[Spent]:
    """Undo a spend, or a part of it: the same lots get it back, with the same dates.

    Parts may be undone one after the other until all of it is back. What is past its date meanwhile follows the
    asset's policy: it ends at once, or starts anew.
    """
    return made(
        "POST",
        "/v1/points/spend/{spend}/reverse",
        place={"spend": spend},
        body={
            "reason": reason,
            "reference": reference,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "amount": amount,
            "stored_value": stored_value,
        },
        once=idempotency_key or True,
    )


def hold_points(
    *,
    member_id: str,
    reason: str | None = None,
    reference: str | None = None,
    occurred_at: str | datetime | None = None,
    asset: str | None = None,
    amount: int | None = None,
    stored_value: int | None = None,
    quantity: int | None = None,
    hold: str | None = None,
    minutes: int | None = None,
    idempotency_key: str | None = None,
) -> Call[Held]:
    """Set value aside for a limited time, so that nothing else can spend it meanwhile.

    It ends by a capture, by a release, or by itself when its time is over. Carts hold what they use on their own.
    """
    return made(
        "POST",
        "/v1/points/holds",
        body={
            "reason": reason,
            "reference": reference,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "asset": asset,
            "amount": amount,
            "stored_value": stored_value,
            "quantity": quantity,
            "hold": hold,
            "minutes": minutes,
        },
        once=idempotency_key or True,
    )


def capture_hold(
    hold: str,
    *,
    member_id: str,
    reason: str | None = None,
    reference: str | None = None,
    occurred_at: str | datetime | None = None,
    amount: int | None = None,
    stored_value: int | None = None,
    spend: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Spent]:
    """Spend what is held, or a part of it. A capture ends the hold: what it leaves goes back at once."""
    return made(
        "POST",
        "/v1/points/holds/{hold}/capture",
        place={"hold": hold},
        body={
            "reason": reason,
            "reference": reference,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "amount": amount,
            "stored_value": stored_value,
            "spend": spend,
        },
        once=idempotency_key or True,
    )


def release_hold(
    hold: str, *, member_id: str, occurred_at: str | datetime | None = None, idempotency_key: str | None = None
) -> Call[Moved]:
    """Let go of what is held: it goes back to the very lots it came from."""
    return made(
        "POST",
        "/v1/points/holds/{hold}/release",
        place={"hold": hold},
        body={"member_id": member_id, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def transfer_points(
    *,
    member_id: str,
    to_member_id: str,
    asset: str,
    amount: int,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[Moved]:
    """Give value from one member to another, where the program allows it, within its limits.

    It leaves one and reaches the other in the same moment. The receiver must be a member already.
    """
    return made(
        "POST",
        "/v1/points/transfer",
        body={
            "member_id": member_id,
            "to_member_id": to_member_id,
            "asset": asset,
            "amount": amount,
            "occurred_at": occurred_at,
        },
        once=idempotency_key or True,
    )


def adjust_points(
    *,
    reason: str,
    member_id: str,
    asset: str,
    amount: int,
    reference: str | None = None,
    occurred_at: str | datetime | None = None,
    approver: str | None = None,
    idempotency_key: str | None = None,
) -> Call[Moved]:
    """Correct the books by hand, up or down, with a reason. A balance never falls below zero by it.

    An adjustment does not count as earned; to give something, use ``earn``.
    """
    return made(
        "POST",
        "/v1/points/adjust",
        body={
            "reason": reason,
            "reference": reference,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "asset": asset,
            "amount": amount,
            "approver": approver,
        },
        once=idempotency_key or True,
    )


def get_balances(member_id: str) -> Call[BalancesShown]:
    """What a member can spend, what ripens, what is held or owed, lot by lot, and what ends when.

    As of now: what is past its date is not told, also where the clock has not come by yet.
    """
    return made("GET", "/v1/members/{member_id}/balances", place={"member_id": member_id})


def list_assets() -> Call[AssetsShown]:
    """What members can have: points, stars, stored value … with their rules in the caller's language."""
    return made("GET", "/v1/assets")
