"""A priced cart in the shape of the Universal Commerce Protocol, with its loyalty extension (docs/reference/ucp.md).

Only facts of the published schema are used here: names of fields, their types, the codes and invariants its
specification states. Source: https://ucp.dev/2026-08-25/schemas/shopping/cart.json, …/shopping/discount.json and
…/common/loyalty.json, repository Universal-Commerce-Protocol/ucp.

Money is in minor units of the currency; rewards are in the asset's smallest units, with ``decimal_places``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import ConfigDict, Field

from shuke.engine.activity import Line
from shuke.engine.cart import Applied, Quote
from shuke.engine.coupon_terms import plain_code
from shuke.engine.refusals import why_skipped
from shuke.engine.sentences import Writer
from shuke.program.assets import Asset, AssetKind
from shuke.values.amounts import Rounding, divide
from shuke.web.api import cart_words
from shuke.web.api.cart_words import word
from shuke.web.api.contract import Shown

VERSION: Final = "2026-08-25"
"""Of the protocol."""

CLAIM: Final = r"^[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9_])?)+$"
"""Reverse-domain naming, as the protocol's schema has it."""

_CART, _DISCOUNT, _LOYALTY = "dev.ucp.shopping.cart", "dev.ucp.shopping.discount", "dev.ucp.common.loyalty"
_SCHEMAS: Final = f"https://ucp.dev/{VERSION}/schemas"

_BY_MEMBERSHIP: Final = frozenset(("member_price", "tier_percent", "free_shipping"))
_MASKED_FROM: Final = 8
_SHOWN_OF_ID: Final = 4

_DECLINED_CODES: Final = {
    "coupon_expired": "discount_code_expired",
    "coupon_ended": "discount_code_expired",
    "coupon_unknown": "discount_code_invalid",
    "code_unknown": "discount_code_invalid",
    "code_used": "discount_code_invalid",
    "code_void": "discount_code_invalid",
    "coupon_twice": "discount_code_already_applied",
    "category_taken": "discount_code_combination_disallowed",
    "not_combinable": "discount_code_combination_disallowed",
    "too_many_coupons": "discount_code_combination_disallowed",
    "coupon_limit": "discount_code_user_ineligible",
    "condition_not_met": "discount_code_user_ineligible",
}
"""What the protocol calls it when a coupon that was asked for does not apply; any other reason keeps our code."""


class UcpTotal(Shown):
    """A part of a price. Reductions and what is paid otherwise are below zero; all but `total` add up to it."""

    type: str = Field(examples=["subtotal"])
    display_text: str | None = None
    amount: int = Field(description="Minor units.", examples=[10000])


class UcpItem(Shown):
    """What is sold."""

    id: str = Field(description="The sku; the line's number where it has none.", examples=["tea"])
    title: str = Field(description="The line's attribute `title`, else its sku.", examples=["Green tea"])
    price: int = Field(description="Of one, minor units, rounded half up where it does not divide.", examples=[5000])


class UcpLineItem(Shown):
    """A line of the cart."""

    id: str = Field(examples=["1"])
    item: UcpItem
    quantity: int
    totals: list[UcpTotal]


class UcpAllocation(Shown):
    """How much of a discount went to which line."""

    path: str = Field(examples=["$.line_items[0]"])
    amount: int = Field(description="Minor units.")


class UcpAppliedDiscount(Shown):
    """A discount that was applied."""

    code: str | None = Field(default=None, description="As it was asked for.")
    title: str
    amount: int = Field(description="Minor units.")
    automatic: bool
    method: Literal["each", "across"] | None = None
    priority: int = Field(description="The place in which it was applied, from 1.")
    provisional: bool
    eligibility: str | None = Field(default=None, description="The claim, where membership brings it.")
    allocations: list[UcpAllocation] | None = Field(default=None, description="None for one on shipping.")


class UcpDiscounts(Shown):
    """Codes that were asked for, and what was applied."""

    codes: list[str]
    applied: list[UcpAppliedDiscount]


class UcpBenefit(Shown):
    """What a tier brings."""

    id: str
    description: str


class UcpTier(Shown):
    """A tier in force."""

    id: str = Field(description="`<ladder>.<tier>` of the program.", examples=["club.gold"])
    name: str
    benefits: list[UcpBenefit]


class UcpRewardCurrency(Shown):
    """An asset that members earn."""

    name: str
    code: str = Field(description="The asset's id in the program.", examples=["points"])
    decimal_places: int


class UcpBreakdown(Shown):
    """What one rule would give."""

    id: str
    amount: int = Field(description="The asset's smallest units.")
    description: str


class UcpForecast(Shown):
    """What paying now would give."""

    amount: int = Field(description="The asset's smallest units.")
    breakdown: list[UcpBreakdown]


class UcpReward(Shown):
    """An asset, and what paying now would give of it."""

    currency: UcpRewardCurrency
    earning_forecast: UcpForecast


class UcpMembership(Shown):
    """The member's standing in the program."""

    id: str = Field(description="Of the membership, not of the member: the program's id.")
    name: str
    display_id: str | None = Field(default=None, description="The end of the member's id.", examples=["****5678"])
    tiers: list[UcpTier] | None = None
    rewards: list[UcpReward]
    provisional: bool


class UcpMessage(Shown):
    """Something to tell the buyer."""

    type: Literal["error", "warning", "info"]
    code: str
    content: str
    severity: Literal["recoverable"] | None = None
    path: str | None = None


class UcpCapability(Shown):
    """A capability of the protocol that the answer makes use of."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    version: str
    schema_url: str = Field(alias="schema")
    extends: str | None = None


class UcpMetadata(Shown):
    """Which protocol this is."""

    version: str
    status: Literal["success"]
    capabilities: dict[str, list[UcpCapability]]


class UcpCart(Shown):
    """A priced cart by the Universal Commerce Protocol, 2026-08-25, with its discount and loyalty extensions."""

    ucp: UcpMetadata
    id: str
    line_items: list[UcpLineItem]
    currency: str
    totals: list[UcpTotal]
    discounts: UcpDiscounts
    loyalty: dict[str, UcpMembership] | None = Field(
        default=None, description="By eligibility claim; left out for a guest."
    )
    messages: list[UcpMessage] | None = None


def cart(quote: Quote, writer: Writer, *, member_id: str | None, claim: str, asked: Sequence[str]) -> UcpCart:
    """The quote as a UCP cart. ``member_id`` None is a guest; ``claim`` stands for the program; ``asked`` are the
    coupons that were asked for. Nothing in it tells who the member is."""
    shown = _Cart(quote, writer, claim if member_id is not None else None, asked)
    loyalty = None if member_id is None else {claim: shown.membership(member_id)}
    return UcpCart(
        ucp=_METADATA,
        id=quote.purchase.order_id,
        line_items=[shown.line_item(place, line) for place, line in enumerate(quote.purchase.lines)],
        currency=writer.program.currency,
        totals=shown.totals(),
        discounts=UcpDiscounts(
            codes=list(asked),
            applied=[shown.discount(place, applied) for place, applied in enumerate(quote.applied, 1)],
        ),
        loyalty=loyalty,
        messages=list(shown.messages()) or None,
    )


_METADATA: Final = UcpMetadata(
    version=VERSION,
    status="success",
    capabilities={
        _CART: [UcpCapability(version=VERSION, schema_url=f"{_SCHEMAS}/shopping/cart.json")],
        _DISCOUNT: [UcpCapability(version=VERSION, schema_url=f"{_SCHEMAS}/shopping/discount.json", extends=_CART)],
        _LOYALTY: [UcpCapability(version=VERSION, schema_url=f"{_SCHEMAS}/common/loyalty.json", extends=_CART)],
    },
)


class _Cart:
    """A quote on its way into the protocol's shape. ``claim`` is None for a guest."""

    def __init__(self, quote: Quote, writer: Writer, claim: str | None, asked: Sequence[str]) -> None:
        self.quote, self.writer, self.claim, self.asked = quote, writer, claim, asked
        self.program, self.locale = writer.program, writer.locale

    def _total(self, type_: str, amount: int, text: str | None = None) -> UcpTotal:
        return UcpTotal(type=type_, display_text=text or word(type_, self.locale), amount=amount)

    # -- Prices -------------------------------------------------------------------------------------------

    def line_item(self, place: int, line: Line) -> UcpLineItem:
        before, after = self.quote.list_amounts[place], self.quote.amounts[place]
        told = (line.attributes or {}).get("title")
        number = str(place + 1)
        title = told if isinstance(told, str) and told else line.sku or word("item", self.locale, number=number)
        totals = [self._total("subtotal", before)]
        if before > after:
            totals.append(self._total("items_discount", after - before))
        totals.append(self._total("total", after))
        price = divide(before, line.quantity, Rounding.HALF_UP)
        return UcpLineItem(
            id=number,
            item=UcpItem(id=line.sku or number, title=title, price=price),
            quantity=line.quantity,
            totals=totals,
        )

    def totals(self) -> list[UcpTotal]:
        """Points and stored value are account credit, as the specification's example has it."""
        before, after = self.quote.list_amounts, self.quote.amounts
        found = [self._total("subtotal", sum(before[:-2]))]
        off_items, off_shipping = sum(before[:-2]) - sum(after[:-2]), before[-1] - after[-1]
        if off_items:
            found.append(self._total("items_discount", -off_items))
        if off_shipping:
            found.append(self._total("discount", -off_shipping, word("shipping_discount", self.locale)))
        if before[-1]:
            found.append(self._total("fulfillment", before[-1]))
        if before[-2]:
            found.append(self._total("tax", before[-2]))
        for paid in self.quote.paid:
            found.append(self._total("account_credit", -sum(paid.worth), self.writer.asset(paid.asset)))
        found.append(self._total("total", self.quote.payable))
        return found

    def discount(self, place: int, applied: Applied) -> UcpAppliedDiscount:
        by_membership = applied.kind in _BY_MEMBERSHIP
        on_lines = [
            UcpAllocation(path=f"$.line_items[{number}]", amount=share)
            for number, share in enumerate(applied.shares[:-2])
            if share
        ]
        return UcpAppliedDiscount(
            code=self._code_of(applied.coupon) if applied.coupon is not None else None,
            title=cart_words.reduction(applied.kind, applied.id, self.writer),
            amount=applied.amount,
            automatic=applied.kind != "coupon",
            method="each" if applied.kind in ("member_price", "tier_percent") else None,
            priority=place,
            provisional=False,
            eligibility=self.claim if by_membership else None,
            allocations=on_lines or None,
        )

    def _code_of(self, coupon_id: str) -> str:
        """The coupon as it was asked for."""
        coupon = next(use.coupon for use in self.quote.coupons if use.coupon.id == coupon_id)
        shared = next((found.code for found in self.program.coupons if found.id == coupon.template), None)
        codes = {coupon.code, None if shared is None else plain_code(shared)}
        return next((text for text in self.asked if text == coupon_id or plain_code(text) in codes), coupon_id)

    # -- Membership ---------------------------------------------------------------------------------------

    def membership(self, member_id: str) -> UcpMembership:
        """Whoever asks has said who the member is, so nothing is provisional. Her id is not told: only its end, and
        only of one long enough to stay hidden."""
        masked = f"****{member_id[-_SHOWN_OF_ID:]}" if len(member_id) >= _MASKED_FROM else None
        return UcpMembership(
            id=self.program.id,
            name=cart_words.titled(self.program.title, self.program.id, self.locale),
            display_id=masked,
            tiers=self._tiers() or None,
            rewards=[self._reward(asset) for asset in self.program.assets if self._is_reward(asset)],
            provisional=False,
        )

    def _tiers(self) -> list[UcpTier]:
        found = []
        for ladder in self.program.ladders:
            tier_id = self.quote.tiers.get(ladder.id)
            if tier_id is None:
                continue
            benefits = [
                UcpBenefit(id=benefit.id, description=cart_words.benefit(benefit, self.writer))
                for benefit in self.program.benefits
                if benefit.for_ is not None and benefit.for_.ladder == ladder.id and tier_id in benefit.for_.tiers
            ]
            name = self.writer.name(ladder.tiers, tier_id)
            found.append(UcpTier(id=f"{ladder.id}.{tier_id}", name=name, benefits=benefits))
        return found

    def _is_reward(self, asset: Asset) -> bool:
        return asset.kind in (AssetKind.SPENDABLE, AssetKind.QUALIFYING) or asset.id in self.quote.earns

    def _reward(self, asset: Asset) -> UcpReward:
        breakdown = [
            UcpBreakdown(
                id=given.rule, amount=given.amount, description=self.writer.name(self.program.earning, given.rule)
            )
            for given in self.quote.earning
            if given.asset == asset.id
        ]
        return UcpReward(
            currency=UcpRewardCurrency(name=self.writer.asset(asset.id), code=asset.id, decimal_places=asset.scale),
            earning_forecast=UcpForecast(amount=self.quote.earns.get(asset.id, 0), breakdown=breakdown),
        )

    # -- Messages -----------------------------------------------------------------------------------------

    def messages(self) -> Iterable[UcpMessage]:
        """What did not apply although it was asked for or is the member's due, and what would help. Promotions that
        others have beaten, or whose condition does not hold, are nobody's disappointment."""
        for item in self.quote.skipped:
            yield from self._skipped(item)
        for hint in self.quote.hints:
            yield UcpMessage(type="info", code=hint["code"], content=cart_words.hint(hint, self.writer))

    def _skipped(self, item: Mapping[str, Any]) -> Iterable[UcpMessage]:
        what, code = item["what"], item["code"]
        said = why_skipped(item, self.program, self.locale)
        if code == "members_only":
            for line in item["lines"]:
                path = f"$.line_items[{line - 1}]"
                yield UcpMessage(type="error", code="item_unavailable", content=said, severity="recoverable", path=path)
        elif what in self.asked:
            path = f"$.discounts.codes[{self.asked.index(what)}]"
            yield UcpMessage(type="warning", code=_DECLINED_CODES.get(code, code), content=said, path=path)
        elif self.claim is not None and any(benefit.id == what for benefit in self.program.benefits):
            path = f"$.loyalty['{self.claim}']"
            yield UcpMessage(type="warning", code="membership_benefit_ineligible", content=said, path=path)
        elif what == "stored_value" or any(asset.id == what for asset in self.program.assets):
            yield UcpMessage(type="warning", code=code, content=said)
