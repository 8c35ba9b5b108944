"""Shapes of coupons (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from shuke.client.shapes.shared import CartLineTold, CouponShown, Skipped, UsesTold


class BatchCounted(TypedDict):
    """A batch and what became of its codes. ``free``, ``taken`` and ``void`` add up to its size."""

    batch: str
    template: str
    size: int
    prefix: str
    # Drawn at random behind the prefix.
    letters: int
    made_at: str | datetime
    # Since then no free code of it opens anything.
    voided_at: str | datetime | None
    note: str
    free: int
    # Opened a coupon.
    taken: int
    void: int
    # Of those taken: coupons that are redeemed now.
    redeemed: int


class BatchTold(TypedDict):
    """Codes to be made."""

    # Of coupons with unique codes.
    template: str
    size: int
    # In front of every code, for people; it makes nothing harder to guess.
    prefix: NotRequired[str]
    # For yourself.
    note: NotRequired[str]


class Cart(TypedDict):
    """Goods at list price, and what is to pay for them."""

    lines: list[CartLineTold]
    uses: NotRequired[UsesTold]
    channel: NotRequired[str | None]
    store: NotRequired[str | None]
    # How the money will be paid, where rules ask for it.
    payment: NotRequired[str | None]
    # Minor units, if it is not in the lines. It is never reduced.
    tax: NotRequired[int]
    # Minor units, before any reduction.
    shipping: NotRequired[int]
    # The moment it is priced for; now if left out.
    occurred_at: NotRequired[str | datetime | None]


class ClaimTold(TypedDict):
    """What a member takes herself: one of a template of the claim centre, or what a code opens."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    template: NotRequired[str | None]
    code: NotRequired[str | None]
    occurred_at: NotRequired[str | datetime | None]


class CodeOfBatch(TypedDict):
    """A code of a batch."""

    code: str
    # free, taken or void
    state: str
    # Who took it.
    member_id: str | None
    # What it became.
    coupon: str | None


class CodeShown(TypedDict):
    """A code, and what became of it."""

    code: str
    # shared (for everybody), batch (made ahead) or elsewhere (came with its coupon)
    kind: str
    # free, taken or void; a shared one is always free
    state: str
    template: str
    title: str
    batch: str | None
    # The coupon it opened, in whoever's hands it is or was last.
    coupon: CouponShown | None


class CouponAnswer(TypedDict):
    """Whether it would work, and why not."""

    valid: bool
    # Why it would not work.
    code: str | None
    # The same as a sentence in the caller's language.
    detail: str | None
    facts: NotRequired[dict[str, Any]]
    # null: there is none such for this member.
    coupon: MeantCoupon | None
    # What it takes off the cart, minor units; null without one.
    saves: int | None


class CouponGiven(TypedDict):
    """A coupon that another member has now, with the same dates, value and code."""

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
    coupon: str
    template: str
    code: str | None
    to_member_id: str


class CouponLimits(TypedDict):
    """How many may be issued and redeemed. ``total…`` are shared by all members and hard, also under load."""

    per_member: NotRequired[int | None]
    per_member_per_day: NotRequired[int | None]
    total: NotRequired[int | None]
    total_per_day: NotRequired[int | None]
    redeemed_per_member: NotRequired[int | None]
    redeemed_total: NotRequired[int | None]
    per_order: NotRequired[int]


class CouponMoved(TypedDict):
    """A coupon that something happened to."""

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
    coupon: str
    template: str
    code: str | None


class CouponRedeemed(TypedDict):
    """A coupon that was redeemed, or a part of a cash voucher."""

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
    coupon: str
    template: str
    code: str | None
    # Used of a cash voucher, minor units; else 0.
    value: int
    # Left of it; it stays in the member's hands.
    left: int


class CouponsIssued(TypedDict):
    """Coupons that came into the member's hands."""

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
    template: str
    coupons: list[NamedCoupon]
    valid_from: str | datetime
    # null: never
    valid_until: str | datetime | None
    # Of each, if these are cash vouchers, minor units; else 0.
    value: int


class CouponsTold(TypedDict):
    """Coupons for a member, by hand."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # An id that the program document gives.
    template: str
    quantity: NotRequired[int]
    # Codes for the first of them: made elsewhere, or ahead in a batch of this template.
    codes: NotRequired[list[str]]
    # Why, for people.
    reason: NotRequired[str | None]
    # When it happened; now if left out.
    occurred_at: NotRequired[str | datetime | None]


class GiftTold(TypedDict):
    """A coupon for another member."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # The member's id: yours, or one we made (`mbr_…`).
    to_member_id: str
    # The coupon's id, or its code.
    coupon: str
    occurred_at: NotRequired[str | datetime | None]


class LeftShown(TypedDict):
    """What is left for all members together; null: without limit."""

    issued: int | None
    issued_today: int | None
    redeemed: int | None


class MeantCoupon(TypedDict):
    """The coupon that was asked about: as it is, or as its code would open it."""

    # null: only its code is known, and it would be made when it is used.
    coupon: str | None
    template: str
    # In the caller's language.
    title: str
    code: str | None
    valid_from: str | datetime
    # null: never
    valid_until: str | datetime | None
    # Left of a cash voucher, minor units; else 0.
    value: int


class NamedCoupon(TypedDict):
    """A coupon and, where it has one, its code."""

    coupon: str
    code: str | None


class PageBatchShown(TypedDict):
    """As told."""

    items: list[ShukeWebApiCodesBatchShown]
    next: NotRequired[str | None]


class PageCodeOfBatch(TypedDict):
    """As told."""

    items: list[CodeOfBatch]
    next: NotRequired[str | None]


class PageCouponShown(TypedDict):
    """As told."""

    items: list[CouponShown]
    next: NotRequired[str | None]


class PageTemplateShown(TypedDict):
    """As told."""

    items: list[TemplateShown]
    next: NotRequired[str | None]


class QuestionTold(TypedDict):
    """Whether a coupon or a code would work."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # The coupon's id, or its code.
    coupon: str
    # Where, if it is known.
    channel: NotRequired[str | None]
    store: NotRequired[str | None]
    # For these goods; whatever the cart's own `uses` ask for.
    cart: NotRequired[Cart | None]


class RedemptionTold(TypedDict):
    """A coupon or code scanned at a till that prices by itself."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # The coupon's id, or its code.
    coupon: str
    # Of a cash voucher, minor units; all that is left of it if left out.
    amount: NotRequired[int | None]
    order_id: NotRequired[str | None]
    channel: NotRequired[str | None]
    store: NotRequired[str | None]
    occurred_at: NotRequired[str | datetime | None]


class TemplateShown(TypedDict):
    """A kind of coupon."""

    template: str
    # In the caller's language.
    title: str
    # What it takes off, as the program has it.
    give: dict[str, Any]
    # none, shared or unique
    codes: str
    # The shared one.
    code: str | None
    # Whether members may take it themselves.
    claimable: bool
    transferable: bool
    # Whether members pay for it.
    paid: bool
    # Minor units.
    minimum_spend: int
    minimum_items: int
    # Where it works; empty: everywhere.
    channels: list[str]
    stores: list[str]
    # If it were issued now.
    valid_from: str
    # null: never
    valid_until: str | None
    limits: CouponLimits
    left: LeftShown


class VoidTold(TypedDict):
    """A coupon that is taken away by hand."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # The coupon's id, or its code.
    coupon: str
    # Why, for people.
    reason: str
    occurred_at: NotRequired[str | datetime | None]


class ShukeWebApiCodesBatchShown(TypedDict):
    """Codes that were made together. Each is the prefix and so many letters drawn at random that one guess in a
    million million finds one of them.
    """

    batch: str
    template: str
    size: int
    prefix: str
    # Drawn at random behind the prefix.
    letters: int
    made_at: str
    # Since then no free code of it opens anything.
    voided_at: str | None
    note: str
