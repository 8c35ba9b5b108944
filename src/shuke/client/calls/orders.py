"""Orders (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shuke.client.shapes.orders import LineTold, OrderMoved, OrderSettled, RefundedLine
from shuke.client.shapes.shared import OrderShown
from shuke.client.transport import Call, made


def settle_order(
    *,
    order_id: str,
    lines: list[LineTold],
    member_id: str | None = None,
    identities: dict[str, Any] | None = None,
    verified: list[str] | None = None,
    occurred_at: str | datetime | None = None,
    channel: str | None = None,
    store: str | None = None,
    payment: str | None = None,
    tax: int | None = None,
    shipping: int | None = None,
    idempotency_key: str | None = None,
) -> Call[OrderSettled]:
    """Settle an order that was paid.

    Whose it is says ``member_id``, or ``identities`` where you do not know her id: the answer says who was found,
    and why.
    Rules give what they give, tiers rise, and the answer says what was earned, what was not and why. A member
    nobody
    has heard of becomes one. The same order told twice is refused as ``order_exists``.
    """
    return made(
        "POST",
        "/v1/orders",
        body={
            "member_id": member_id,
            "identities": identities,
            "verified": verified,
            "order_id": order_id,
            "occurred_at": occurred_at,
            "lines": lines,
            "channel": channel,
            "store": store,
            "payment": payment,
            "tax": tax,
            "shipping": shipping,
        },
        once=idempotency_key or True,
    )


def get_order(order_id: str, *, member_id: str | None = None) -> Call[OrderShown]:
    """One order: its lines, what came back, what it earned and what paid for it."""
    return made("GET", "/v1/orders/{order_id}", place={"order_id": order_id}, query={"member_id": member_id})


def complete_order(
    order_id: str,
    *,
    member_id: str | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[OrderSettled]:
    """Tell that an order is completed: delivered, and past its return period where you wait for that.

    Rules that pay on completion pay now.
    """
    return made(
        "POST",
        "/v1/orders/{order_id}/complete",
        place={"order_id": order_id},
        body={"member_id": member_id, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def refund_order(
    order_id: str,
    *,
    member_id: str | None = None,
    occurred_at: str | datetime | None = None,
    lines: list[RefundedLine] | None = None,
    amount: int | None = None,
    tax: int | None = None,
    shipping: int | None = None,
    idempotency_key: str | None = None,
) -> Call[OrderMoved]:
    """Take an order back, whole or in parts, in any number and any order.

    What it earned goes, by the rules under which it was earned; what paid for it comes back, each part as its
    policy
    says; the answer says how much money to pay out. All parts together end where one whole refund would.
    """
    return made(
        "POST",
        "/v1/orders/{order_id}/refund",
        place={"order_id": order_id},
        body={
            "member_id": member_id,
            "occurred_at": occurred_at,
            "lines": lines,
            "amount": amount,
            "tax": tax,
            "shipping": shipping,
        },
        once=idempotency_key or True,
    )


def cancel_order(
    order_id: str,
    *,
    member_id: str | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[OrderMoved]:
    """Cancel an order: all that is left of it comes back. It can be reopened."""
    return made(
        "POST",
        "/v1/orders/{order_id}/cancel",
        place={"order_id": order_id},
        body={"member_id": member_id, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def reopen_order(
    order_id: str,
    *,
    member_id: str | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[OrderMoved]:
    """Make a cancelled order what it was before."""
    return made(
        "POST",
        "/v1/orders/{order_id}/reopen",
        place={"order_id": order_id},
        body={"member_id": member_id, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )
