"""Shapes of orders (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from shuke.client.shapes.shared import IdentifiedShown, Skipped


class ByMember(TypedDict):
    """Which order, where several members have one of this number."""

    # Needed if several members have such a number.
    member_id: NotRequired[str | None]
    occurred_at: NotRequired[str | datetime | None]


class LineTold(TypedDict):
    """One line of an order."""

    # What the whole line cost after discounts, minor units.
    amount: int
    quantity: NotRequired[int]
    sku: NotRequired[str | None]
    category: NotRequired[str | None]
    brand: NotRequired[str | None]
    # What it would cost without discounts, minor units.
    list_amount: NotRequired[int | None]
    tags: NotRequired[list[str] | None]
    # Further facts that conditions may use: line.<name>.
    attributes: NotRequired[dict[str, Any] | None]


class OrderMoved(TypedDict):
    """What came of a refund, a cancellation, a reopening."""

    # The activity's id.
    activity: str
    member_id: str
    occurred_at: str | datetime
    # Per asset, in its smallest units.
    earned: dict[str, int]
    # Rules that gave nothing although they might have.
    skipped: list[Skipped]
    # Available afterwards, per asset, in its smallest units.
    balances: dict[str, int]
    # The tier in force afterwards, per ladder.
    tiers: dict[str, str]
    order_id: str
    # How its member was found, where identities came with it.
    identified: NotRequired[IdentifiedShown | None]
    # To pay back to the member in money, minor units; below zero: to collect.
    money: int
    # Kept back of it for value that was spent already, minor units.
    withheld: int
    # Given back of what had paid for it, per asset.
    returned: dict[str, int]


class OrderSettled(TypedDict):
    """An order as it was settled."""

    # The activity's id.
    activity: str
    member_id: str
    occurred_at: str | datetime
    # Per asset, in its smallest units.
    earned: dict[str, int]
    # Rules that gave nothing although they might have.
    skipped: list[Skipped]
    # Available afterwards, per asset, in its smallest units.
    balances: dict[str, int]
    # The tier in force afterwards, per ladder.
    tiers: dict[str, str]
    order_id: str
    # How its member was found, where identities came with it.
    identified: NotRequired[IdentifiedShown | None]


class OrderTold(TypedDict):
    """An order that was paid, as its channel settled it. Shuke does not price it again; carts are for that."""

    # Her id, if you know it.
    member_id: NotRequired[str | None]
    # What she, and nobody else, is called elsewhere, by kind: `phone` (of the region of the program's zone if it has
    # no country code), `email`, `card`, and platforms as you name them: `wechat_unionid`, `wechat_openid:<app>`,
    # `line`, `shopify` …
    identities: NotRequired[dict[str, Any]]
    # Kinds among `identities` that she has shown to be hers: you sent a code to this phone and she told it. Without
    # that they are only what somebody said.
    verified: NotRequired[list[str]]
    # The order's number in your system.
    order_id: str
    # When it was paid; now if left out.
    occurred_at: NotRequired[str | datetime | None]
    lines: list[LineTold]
    channel: NotRequired[str | None]
    store: NotRequired[str | None]
    # How it was paid.
    payment: NotRequired[str | None]
    # Minor units, if it is not in the lines.
    tax: NotRequired[int]
    # Minor units.
    shipping: NotRequired[int]


class RefundTold(TypedDict):
    """What of an order comes back. With neither lines nor an amount: all that is left."""

    # Needed if several members have such a number.
    member_id: NotRequired[str | None]
    occurred_at: NotRequired[str | datetime | None]
    lines: NotRequired[list[RefundedLine] | None]
    # Minor units, spread over what is left of the order.
    amount: NotRequired[int | None]
    # Of the tax, minor units; with lines only.
    tax: NotRequired[int]
    # Of the shipping, minor units; with lines only.
    shipping: NotRequired[int]


class RefundedLine(TypedDict):
    """What of a line comes back: so many pieces, or so much money, or all that is left of it."""

    # The line's place in the order, from 1.
    line: int
    quantity: NotRequired[int | None]
    # Minor units.
    amount: NotRequired[int | None]
