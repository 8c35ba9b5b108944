"""Stored value (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shuke.client.shapes.stored_value import OffersShown, ToppedUp, TopUpRefunded
from shuke.client.transport import Call, made


def list_offers(*, member_id: str | None = None) -> Call[OffersShown]:
    """What a top-up brings today, for anybody or for one member, with the limits and how it is paid back."""
    return made("GET", "/v1/stored-value/offers", query={"member_id": member_id})


def top_up(
    *,
    member_id: str,
    amount: int,
    top_up: str | None = None,
    card: Literal["named", "bearer"] | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[ToppedUp]:
    """Settle money a member paid in: principal, and the bonus of the offer that it meets.

    Take the money first; this only keeps the books.
    """
    return made(
        "POST",
        "/v1/stored-value/top-ups",
        body={"member_id": member_id, "amount": amount, "top_up": top_up, "card": card, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def refund_top_up(
    top_up: str, *, member_id: str, occurred_at: str | datetime | None = None, idempotency_key: str | None = None
) -> Call[TopUpRefunded]:
    """Pay back what is left of a top-up, by the policy of the day on which it was paid in.

    The answer says how much money to pay out, what is withheld for bonus that was used, and the fee.
    """
    return made(
        "POST",
        "/v1/stored-value/top-ups/{top_up}/refund",
        place={"top_up": top_up},
        body={"member_id": member_id, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )
