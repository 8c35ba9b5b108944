"""Carts (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shuke.client.shapes.carts import CartHeld, CartPaid, CartReleased, GoodsTold, PageHeldCart, QuoteShown, UcpCart
from shuke.client.shapes.shared import CartLineTold, UsesTold
from shuke.client.transport import Call, made


def quote_cart(
    *,
    lines: list[CartLineTold],
    uses: UsesTold | None = None,
    channel: str | None = None,
    store: str | None = None,
    payment: str | None = None,
    tax: int | None = None,
    shipping: int | None = None,
    occurred_at: str | datetime | None = None,
    member_id: str | None = None,
    order_id: str | None = None,
    as_: Literal["shuke", "ucp"] | None = None,
    claim: str | None = None,
) -> Call[QuoteShown | UcpCart]:
    """Price a cart. Nothing is changed, nothing is kept; ask as often as you like, no Idempotency-Key is needed.

    Member price, tier percent and promotions first, then coupons, points and stored value, shipping last: each to
    the
    cent and to the line. What was asked for and cannot be is ``skipped``, with the reason; ``hints`` say what would
    help,
    ``earns`` what paying now would bring. Without a member the cart is a guest's. Somebody unknown is priced as who
    comes for the first time.
    """
    return made(
        "POST",
        "/v1/carts/quote",
        query={"as": as_, "claim": claim},
        body={
            "lines": lines,
            "uses": uses,
            "channel": channel,
            "store": store,
            "payment": payment,
            "tax": tax,
            "shipping": shipping,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "order_id": order_id,
        },
    )


def hold_cart(
    *,
    lines: list[CartLineTold],
    member_id: str,
    order_id: str,
    uses: UsesTold | None = None,
    channel: str | None = None,
    store: str | None = None,
    payment: str | None = None,
    tax: int | None = None,
    shipping: int | None = None,
    occurred_at: str | datetime | None = None,
    hold: str | None = None,
    minutes: int | None = None,
    idempotency_key: str | None = None,
) -> Call[CartHeld]:
    """Hold a cart while its member pays: its price is promised, and what it uses is set aside.

    Coupons, points, stored value and shared quotas are reserved until the hold is committed, released or lapses.
    What
    was asked for must apply, all of it; a quote tells beforehand. Holding stored value takes the scope
    ``stored_value:write`` as well.
    """
    return made(
        "POST",
        "/v1/carts/holds",
        body={
            "lines": lines,
            "uses": uses,
            "channel": channel,
            "store": store,
            "payment": payment,
            "tax": tax,
            "shipping": shipping,
            "occurred_at": occurred_at,
            "member_id": member_id,
            "order_id": order_id,
            "hold": hold,
            "minutes": minutes,
        },
        once=idempotency_key or True,
    )


def list_held_carts(*, member_id: str, cursor: str | None = None, limit: int | None = None) -> Call[PageHeldCart]:
    """The carts that a member holds now, by their keys."""
    return made("GET", "/v1/carts/holds", query={"member_id": member_id, "cursor": cursor, "limit": limit})


def commit_cart(
    hold: str,
    *,
    member_id: str,
    order_id: str,
    payment: str | None = None,
    goods: list[GoodsTold] | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[CartPaid]:
    """Commit a held cart once it is paid: it becomes an order, at exactly the price that was promised.

    What was held is spent, rules give what they give, tiers rise. From now on it is refunded like any order. A hold
    that has lapsed is gone, and so is its promise: quote and hold again.
    """
    return made(
        "POST",
        "/v1/carts/holds/{hold}/commit",
        place={"hold": hold},
        body={
            "member_id": member_id,
            "order_id": order_id,
            "payment": payment,
            "goods": goods,
            "occurred_at": occurred_at,
        },
        once=idempotency_key or True,
    )


def release_cart(
    hold: str, *, member_id: str, occurred_at: str | datetime | None = None, idempotency_key: str | None = None
) -> Call[CartReleased]:
    """Let go of a held cart: what it kept goes back to the very lots and coupons it came from, once."""
    return made(
        "POST",
        "/v1/carts/holds/{hold}/release",
        place={"hold": hold},
        body={"member_id": member_id, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )
