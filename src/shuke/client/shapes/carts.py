"""Shapes of carts (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from shuke.client.shapes.shared import CartLineTold, Skipped, UsesTold


class CartCommitTold(TypedDict):
    """A held cart that was paid."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # The order's number in your system.
    order_id: str
    # How it was paid, if that was not told before.
    payment: NotRequired[str | None]
    # What was bought, line by line. If told, it must be what was held.
    goods: NotRequired[list[GoodsTold] | None]
    # When it was paid; now if left out.
    occurred_at: NotRequired[str | datetime | None]


class CartHeld(TypedDict):
    """A cart as it was held. Its price is a promise: it is kept even if the program changes meanwhile."""

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
    # What to commit or release it by.
    hold: str
    # When everything goes back by itself.
    lapses_at: str | datetime
    reserved: Reserved
    # As promised. What it would earn and what would help only a quote tells.
    quote: QuoteShown


class CartHoldTold(TypedDict):
    """A cart to be held."""

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
    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    # What you call the cart, or the order it will be.
    order_id: str
    # What to commit or release it by; made for you if left out.
    hold: NotRequired[str | None]
    # How long; at most what the program allows, which is the default.
    minutes: NotRequired[int | None]


class CartPaid(TypedDict):
    """A held cart as it was paid: an order from now on, to be completed and refunded as any other."""

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
    hold: str
    order_id: str
    # Paid in money, minor units.
    money: int
    # The price as it was promised.
    quote: QuoteShown


class CartQuoteTold(TypedDict):
    """A cart to be priced."""

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
    # Whose cart it is; left out: a guest's.
    member_id: NotRequired[str | None]
    # What you call the cart.
    order_id: NotRequired[str]


class CartReleaseTold(TypedDict):
    """A held cart that was given up."""

    # The member's id: yours, or one we made (`mbr_…`).
    member_id: str
    occurred_at: NotRequired[str | datetime | None]


class CartReleased(TypedDict):
    """A held cart that was let go. Points, stored value and coupons are back where they were."""

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
    hold: str


class CouponUsed(TypedDict):
    """A coupon the cart uses."""

    # Its id; of a new one, an id that means something in this answer only.
    coupon: str
    template: str
    title: str
    # Whether it comes with a code and was not in the member's hands before.
    is_new: bool
    # What is used of a cash voucher, minor units; 0 for any other.
    value: int
    # null: never
    valid_until: str | datetime | None


class EarningShown(TypedDict):
    """What a rule would give if the cart were paid now."""

    rule: str
    # For people, in the caller's language.
    title: str
    asset: str
    # The asset's smallest units.
    amount: int


class GoodsTold(TypedDict):
    """Some of one article."""

    sku: NotRequired[str | None]
    quantity: NotRequired[int]


class HeldCart(TypedDict):
    """A cart that is held. Its price is a promise: it is kept even if the program changes meanwhile."""

    # What to commit or release it by.
    hold: str
    member_id: str
    # When everything goes back by itself.
    lapses_at: str | datetime
    reserved: Reserved
    # As promised. What it would earn and what would help only a quote tells.
    quote: QuoteShown


class HintShown(TypedDict):
    """What would help."""

    # spend_more (minor units) or add_items (items).
    code: str
    # A sentence in the caller's language.
    detail: str
    # How much or how many more.
    needs: int
    # Of what would apply then: promotion or coupon.
    kind: str
    # The promotion's id, or the coupon as it was asked for.
    id: str
    # What that would take off, minor units, where it is known.
    off: int | None


class InWallet(TypedDict):
    """A coupon in the member's hands: what it would save on this cart by itself, or why nothing."""

    coupon: str
    template: str
    title: str
    # Minor units; null where it does not apply.
    saves: int | None
    # Why it does not apply.
    code: str | None
    # The same as a sentence in the caller's language.
    detail: str | None
    facts: NotRequired[dict[str, Any]]


class LotUsed(TypedDict):
    """A part of a lot."""

    # The lot's number among the member's lots of this asset.
    lot: int
    # So much of it, the asset's smallest units.
    units: int
    # null: never
    expires_at: str | datetime | None


class PageHeldCart(TypedDict):
    """As told."""

    items: list[HeldCart]
    next: NotRequired[str | None]


class PaymentShown(TypedDict):
    """What an asset pays of the whole cart, and from which lots."""

    asset: str
    # The asset's smallest units.
    units: int
    # What they pay, minor units.
    worth: int
    # In the order in which they are used.
    lots: list[LotUsed]


class PolicyShown(TypedDict):
    """Which of the program's choices decided how the parts came together."""

    # best or stacked: how member price, tier percent and promotions meet.
    together: str
    order: list[str]
    # Categories of coupons, in the order in which they apply.
    coupon_order: list[str]
    # Which part of stored value is spent first.
    stored_value: str | None


class PositionShown(TypedDict):
    """What a position costs: a line, the tax or the shipping. ``list_amount`` less ``off`` is ``amount``, and
    ``amount`` less ``paid`` is ``payable``.
    """

    # Before any reduction, minor units.
    list_amount: int
    # In the order in which it was taken off.
    off: list[ShareOff]
    # The price, minor units.
    amount: int
    # By points and stored value.
    paid: list[SharePaid]
    # Left to pay in money, minor units.
    payable: int


class QuoteShown(TypedDict):
    """The whole price of a cart. Money in minor units; ``list_amount`` less ``off`` is ``amount``, and ``amount`` less
    ``paid`` is ``payable``. Over ``lines``, ``tax`` and ``shipping`` each of them adds up exactly.
    """

    # The moment for which it was priced.
    at: str
    # Of the program that was in force then.
    version: int
    # ISO 4217.
    currency: str
    order_id: str
    # The tiers it was priced by, per ladder; none for a guest.
    tiers: dict[str, str]
    lines: list[QuotedLine]
    tax: PositionShown
    shipping: PositionShown
    # Everything before any reduction.
    list_amount: int
    # All reductions together.
    off: int
    # What the cart costs.
    amount: int
    # Of it, by points and stored value.
    paid: int
    # Of it, in money.
    payable: int
    # In the order in which they were taken off.
    reductions: list[ReductionShown]
    # Those the cart uses.
    coupons: list[CouponUsed]
    payments: list[PaymentShown]
    # What paying now would give, per asset, in its smallest units. Within today's limits; a guest earns nothing.
    earns: dict[str, int]
    # The same by rule.
    earning: list[EarningShown]
    # What does not apply, and why: asked for or not.
    skipped: list[Skipped]
    # What would help.
    hints: list[HintShown]
    # Every coupon in the member's hands, alone on this cart.
    wallet: list[InWallet]
    # What each asset could pay of it.
    usable: dict[str, Usable]
    policy: PolicyShown


class QuotedLine(TypedDict):
    """A line of the cart, priced."""

    # Before any reduction, minor units.
    list_amount: int
    # In the order in which it was taken off.
    off: list[ShareOff]
    # The price, minor units.
    amount: int
    # By points and stored value.
    paid: list[SharePaid]
    # Left to pay in money, minor units.
    payable: int
    # Its place in the cart, from 1.
    line: int
    sku: str | None
    quantity: int
    # What priced the line first: list, member_price, tier_percent or promotion.
    priced_by: str


class ReductionShown(TypedDict):
    """A reduction over the whole cart."""

    # member_price, tier_percent, promotion, coupon or free_shipping
    kind: str
    # Of the promotion, benefit or coupon template.
    id: str
    # For people, in the caller's language.
    title: str
    # The coupon's id, where one did it.
    coupon: str | None
    # Minor units.
    amount: int
    # Who bears how much of it, minor units, where the program says.
    borne: dict[str, int] | None


class Reserved(TypedDict):
    """What a held cart keeps for itself."""

    # Per asset, in its smallest units.
    assets: dict[str, int]
    # Their ids.
    coupons: list[str]


class ShareOff(TypedDict):
    """What one reduction takes off a position."""

    # member_price, tier_percent, promotion, coupon or free_shipping
    kind: str
    # Of the promotion, benefit or coupon template.
    id: str
    # The coupon's id, where one did it.
    coupon: str | None
    # Minor units.
    amount: int


class SharePaid(TypedDict):
    """What an asset pays of a position."""

    asset: str
    # The asset's smallest units.
    units: int
    # What they pay, minor units.
    worth: int


class UcpAllocation(TypedDict):
    """How much of a discount went to which line."""

    path: str
    # Minor units.
    amount: int


class UcpAppliedDiscount(TypedDict):
    """A discount that was applied."""

    # As it was asked for.
    code: NotRequired[str | None]
    title: str
    # Minor units.
    amount: int
    automatic: bool
    method: NotRequired[Literal["each", "across"] | None]
    # The place in which it was applied, from 1.
    priority: int
    provisional: bool
    # The claim, where membership brings it.
    eligibility: NotRequired[str | None]
    # None for one on shipping.
    allocations: NotRequired[list[UcpAllocation] | None]


class UcpBenefit(TypedDict):
    """What a tier brings."""

    id: str
    description: str


class UcpBreakdown(TypedDict):
    """What one rule would give."""

    id: str
    # The asset's smallest units.
    amount: int
    description: str


class UcpCapability(TypedDict):
    """A capability of the protocol that the answer makes use of."""

    version: str
    schema: str
    extends: NotRequired[str | None]


class UcpCart(TypedDict):
    """A priced cart by the Universal Commerce Protocol, 2026-08-25, with its discount and loyalty extensions."""

    ucp: UcpMetadata
    id: str
    line_items: list[UcpLineItem]
    currency: str
    totals: list[UcpTotal]
    discounts: UcpDiscounts
    # By eligibility claim; left out for a guest.
    loyalty: NotRequired[dict[str, UcpMembership] | None]
    messages: NotRequired[list[UcpMessage] | None]


class UcpDiscounts(TypedDict):
    """Codes that were asked for, and what was applied."""

    codes: list[str]
    applied: list[UcpAppliedDiscount]


class UcpForecast(TypedDict):
    """What paying now would give."""

    # The asset's smallest units.
    amount: int
    breakdown: list[UcpBreakdown]


class UcpItem(TypedDict):
    """What is sold."""

    # The sku; the line's number where it has none.
    id: str
    # The line's attribute `title`, else its sku.
    title: str
    # Of one, minor units, rounded half up where it does not divide.
    price: int


class UcpLineItem(TypedDict):
    """A line of the cart."""

    id: str
    item: UcpItem
    quantity: int
    totals: list[UcpTotal]


class UcpMembership(TypedDict):
    """The member's standing in the program."""

    # Of the membership, not of the member: the program's id.
    id: str
    name: str
    # The end of the member's id.
    display_id: NotRequired[str | None]
    tiers: NotRequired[list[UcpTier] | None]
    rewards: list[UcpReward]
    provisional: bool


class UcpMessage(TypedDict):
    """Something to tell the buyer."""

    type: Literal["error", "warning", "info"]
    code: str
    content: str
    severity: NotRequired[Literal["recoverable"] | None]
    path: NotRequired[str | None]


class UcpMetadata(TypedDict):
    """Which protocol this is."""

    version: str
    status: Literal["success"]
    capabilities: dict[str, list[UcpCapability]]


class UcpReward(TypedDict):
    """An asset, and what paying now would give of it."""

    currency: UcpRewardCurrency
    earning_forecast: UcpForecast


class UcpRewardCurrency(TypedDict):
    """An asset that members earn."""

    name: str
    # The asset's id in the program.
    code: str
    decimal_places: int


class UcpTier(TypedDict):
    """A tier in force."""

    # `<ladder>.<tier>` of the program.
    id: str
    name: str
    benefits: list[UcpBenefit]


class UcpTotal(TypedDict):
    """A part of a price. Reductions and what is paid otherwise are below zero; all but ``total`` add up to it."""

    type: str
    display_text: NotRequired[str | None]
    # Minor units.
    amount: int


class Usable(TypedDict):
    """The most the member could pay of this cart with an asset."""

    # The asset's smallest units.
    units: int
    # What they pay, minor units.
    worth: int
