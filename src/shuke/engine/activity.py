"""A fact about one member, as the engine reads it.

Money is in minor units of the program's currency, instants in microseconds since 1970 UTC.
Doors (importer, API, till) check and scale what they are told; the engine trusts these types.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

# Facts the engine itself understands. Any other type is a custom activity: it can earn, count and trigger.
JOINED = "member.joined"
UPDATED = "member.updated"
ERASED = "member.erased"
FROZEN = "member.frozen"
UNFROZEN = "member.unfrozen"
LEFT = "member.left"
RETURNED = "member.returned"
DORMANT = "member.dormant"
WOKE = "member.woke"
TAGGED = "member.tagged"
UNTAGGED = "member.untagged"
CONSENT_GRANTED = "consent.granted"
CONSENT_WITHDRAWN = "consent.withdrawn"
MERGED = "member.merged"
ABSORBED = "member.absorbed"
UNMERGED = "member.unmerged"
RESTORED = "member.restored"
PROFILE_COMPLETED = "profile.completed"
IDENTIFIED = "member.identified"
IDENTITY_ADDED = "identity.added"
IDENTITY_REMOVED = "identity.removed"
IDENTITY_MOVED = "identity.moved"
IDENTITY_RECEIVED = "identity.received"
IDENTITY_FINALIZED = "identity.finalized"
ORDER_PAID = "order.paid"
ORDER_COMPLETED = "order.completed"
ORDER_REFUNDED = "order.refunded"
ORDER_CANCELLED = "order.cancelled"
ORDER_REOPENED = "order.reopened"
CART_HELD = "cart.held"
CART_RELEASED = "cart.released"
ASSET_OPENED = "asset.opened"
ASSET_ADJUSTED = "asset.adjusted"
ASSET_GRANTED = "asset.granted"
ASSET_SPENT = "asset.spent"
ASSET_SPEND_REVERSED = "asset.spend_reversed"
ASSET_HELD = "asset.held"
ASSET_CAPTURED = "asset.captured"
ASSET_RELEASED = "asset.released"
ASSET_TRANSFERRED = "asset.transferred"
ASSET_RECEIVED = "asset.received"
TOPPED_UP = "stored_value.topped_up"
TOP_UP_REFUNDED = "stored_value.refunded"
COUPON_ISSUED = "coupon.issued"
COUPON_CLAIMED = "coupon.claimed"
COUPON_REDEEMED = "coupon.redeemed"
COUPON_VOIDED = "coupon.voided"
COUPON_GIVEN = "coupon.given"
COUPON_RECEIVED = "coupon.received"
TIER_GRANTED = "tier.granted"
TIER_REVOKED = "tier.revoked"
TIERS_APPLIED = "tiers.applied"
TIME_PASSED = "time.passed"


UNPRICED = -1
"""The amount of a cart's line whose price the catalog is to say."""


class Line(Struct, omit_defaults=True, gc=False):
    """One line of an order or cart. ``amount`` is the line's total after discounts, minor units."""

    amount: int
    quantity: int = 1
    sku: str | None = None
    category: str | None = None
    brand: str | None = None
    list_amount: int | None = None
    tags: list[str] | None = None
    attributes: dict[str, Any] | None = None


class Payments(Struct, omit_defaults=True, gc=False):
    """What, besides money, pays for an order: coupons by id or code, amounts per asset (asset units)."""

    coupons: list[str] | None = None
    points: dict[str, int] | None = None
    stored_value: int = 0


class Purchase(Struct, omit_defaults=True, gc=False):
    """An order as told by its channel, or a cart to be priced. Amounts in minor units.

    ``priced`` is False where Shuke prices the cart itself (its lines then carry list amounts);
    True where the channel settled it already (marketplaces, imported history).
    """

    order_id: str
    lines: list[Line]
    channel: str | None = None
    store: str | None = None
    payment: str | None = None
    tax: int = 0
    shipping: int = 0
    uses: Payments | None = None
    hold: str | None = None
    priced: bool = True


class Named(Struct, array_like=True, gc=False):
    """An identity in its normal form; ``shown``: whoever told it made sure that it is hers."""

    kind: str
    value: str
    shown: bool = False


class Brought(Struct, omit_defaults=True):
    """Identities that came with an activity. Once it is known whose it is (see ``engine.resolution``), ``names`` are
    those she learns and ``found`` says how she was found."""

    names: list[Named]
    found: dict[str, Any] = {}


class Activity(Struct, omit_defaults=True, gc=False):
    """A fact. ``source`` and ``key`` name it for ever: the same pair is the same fact. ``told_for`` is the id it was
    told with, where that member has been merged into this one."""

    type: str
    member_id: str
    occurred_at: int
    source: str
    key: str
    payload: dict[str, Any] | None = None
    purchase: Purchase | None = None
    brought: Brought | None = None
    told_for: str | None = None
