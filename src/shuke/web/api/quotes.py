"""A priced cart as it is shown: what every line costs and why, what pays for it, what it would bring.

Money is in minor units of the program's currency, amounts of an asset in its smallest units. Every sum is exact: over
all positions (the lines, then tax, then shipping) the shares of a reduction or a payment add up to it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from pydantic import ConfigDict, Field

from shuke.engine.activity import Line
from shuke.engine.cart import Applied, CouponUse, Payment, Quote
from shuke.engine.refusals import why_skipped
from shuke.engine.sentences import Writer
from shuke.values.instants import Instant
from shuke.web.api import cart_words
from shuke.web.api.answers import Skipped
from shuke.web.api.contract import Shown, ShownEnd, ShownMoment, shown_moment
from shuke.web.api.problems import shown_facts

KINDS = "member_price, tier_percent, promotion, coupon or free_shipping"


class ShareOff(Shown):
    """What one reduction takes off a position."""

    kind: str = Field(description=KINDS, examples=["promotion"])
    id: str = Field(description="Of the promotion, benefit or coupon template.", examples=["tenth"])
    coupon: str | None = Field(description="The coupon's id, where one did it.")
    amount: int = Field(description="Minor units.", examples=[1000])


class SharePaid(Shown):
    """What an asset pays of a position."""

    asset: str = Field(examples=["points"])
    units: int = Field(description="The asset's smallest units.", examples=[25])
    worth: int = Field(description="What they pay, minor units.", examples=[2500])


class PositionShown(Shown):
    """What a position costs: a line, the tax or the shipping. ``list_amount`` less ``off`` is ``amount``, and
    ``amount`` less ``paid`` is ``payable``."""

    list_amount: int = Field(description="Before any reduction, minor units.", examples=[10000])
    off: list[ShareOff] = Field(description="In the order in which it was taken off.")
    amount: int = Field(description="The price, minor units.", examples=[9000])
    paid: list[SharePaid] = Field(description="By points and stored value.")
    payable: int = Field(description="Left to pay in money, minor units.", examples=[6500])


class QuotedLine(PositionShown):
    """A line of the cart, priced."""

    line: int = Field(description="Its place in the cart, from 1.", examples=[1])
    sku: str | None = Field(examples=["tea"])
    quantity: int = Field(examples=[2])
    priced_by: str = Field(
        description="What priced the line first: list, member_price, tier_percent or promotion.", examples=["promotion"]
    )


class ReductionShown(Shown):
    """A reduction over the whole cart."""

    kind: str = Field(description=KINDS, examples=["promotion"])
    id: str = Field(description="Of the promotion, benefit or coupon template.", examples=["tenth"])
    title: str = Field(description="For people, in the caller's language.", examples=["A tenth off everything"])
    coupon: str | None = Field(description="The coupon's id, where one did it.")
    amount: int = Field(description="Minor units.", examples=[1000])
    borne: dict[str, int] | None = Field(description="Who bears how much of it, minor units, where the program says.")


class CouponUsed(Shown):
    """A coupon the cart uses."""

    coupon: str = Field(description="Its id; of a new one, an id that means something in this answer only.")
    template: str = Field(examples=["ten"])
    title: str = Field(examples=["10 off"])
    is_new: bool = Field(description="Whether it comes with a code and was not in the member's hands before.")
    value: int = Field(description="What is used of a cash voucher, minor units; 0 for any other.", examples=[0])
    valid_until: ShownEnd


class LotUsed(Shown):
    """A part of a lot."""

    lot: int = Field(description="The lot's number among the member's lots of this asset.", examples=[1])
    units: int = Field(description="So much of it, the asset's smallest units.", examples=[25])
    expires_at: ShownEnd


class PaymentShown(Shown):
    """What an asset pays of the whole cart, and from which lots."""

    asset: str = Field(examples=["points"])
    units: int = Field(description="The asset's smallest units.", examples=[25])
    worth: int = Field(description="What they pay, minor units.", examples=[2500])
    lots: list[LotUsed] = Field(description="In the order in which they are used.")


class EarningShown(Shown):
    """What a rule would give if the cart were paid now."""

    rule: str = Field(examples=["base"])
    title: str = Field(description="For people, in the caller's language.", examples=["A point for every dollar"])
    asset: str = Field(examples=["points"])
    amount: int = Field(description="The asset's smallest units.", examples=[65])


class HintShown(Shown):
    """What would help."""

    code: str = Field(description="spend_more (minor units) or add_items (items).", examples=["spend_more"])
    detail: str = Field(description="A sentence in the caller's language.", examples=["Spend 40.00 more to get Tenth."])
    needs: int = Field(description="How much or how many more.", examples=[4000])
    kind: str = Field(description="Of what would apply then: promotion or coupon.", examples=["promotion"])
    id: str = Field(description="The promotion's id, or the coupon as it was asked for.", examples=["tenth"])
    off: int | None = Field(description="What that would take off, minor units, where it is known.")


class InWallet(Shown):
    """A coupon in the member's hands: what it would save on this cart by itself, or why nothing."""

    coupon: str
    template: str = Field(examples=["ten"])
    title: str = Field(examples=["10 off"])
    saves: int | None = Field(description="Minor units; null where it does not apply.", examples=[1000])
    code: str | None = Field(description="Why it does not apply.", examples=["minimum_spend"])
    detail: str | None = Field(description="The same as a sentence in the caller's language.")
    facts: dict[str, Any] = Field(default_factory=dict)


class Usable(Shown):
    """The most the member could pay of this cart with an asset."""

    units: int = Field(description="The asset's smallest units.", examples=[70])
    worth: int = Field(description="What they pay, minor units.", examples=[7000])


class PolicyShown(Shown):
    """Which of the program's choices decided how the parts came together."""

    together: str = Field(description="best or stacked: how member price, tier percent and promotions meet.")
    order: list[str]
    coupon_order: list[str] = Field(description="Categories of coupons, in the order in which they apply.")
    stored_value: str | None = Field(description="Which part of stored value is spent first.")


_EXAMPLE: dict[str, Any] = {
    "at": "2026-11-22T01:30:00Z",
    "version": 3,
    "currency": "USD",
    "order_id": "cart-88",
    "tiers": {"club": "gold"},
    "lines": [
        {
            "line": 1,
            "sku": "tea",
            "quantity": 2,
            "priced_by": "promotion",
            "list_amount": 10000,
            "off": [{"kind": "promotion", "id": "tenth", "coupon": None, "amount": 1000}],
            "amount": 9000,
            "paid": [{"asset": "points", "units": 25, "worth": 2500}],
            "payable": 6500,
        }
    ],
    "tax": {"list_amount": 0, "off": [], "amount": 0, "paid": [], "payable": 0},
    "shipping": {"list_amount": 0, "off": [], "amount": 0, "paid": [], "payable": 0},
    "list_amount": 10000,
    "off": 1000,
    "amount": 9000,
    "paid": 2500,
    "payable": 6500,
    "reductions": [
        {"kind": "promotion", "id": "tenth", "title": "A tenth off", "coupon": None, "amount": 1000, "borne": None}
    ],
    "coupons": [],
    "payments": [
        {
            "asset": "points",
            "units": 25,
            "worth": 2500,
            "lots": [{"lot": 1, "units": 25, "expires_at": "2027-05-01T16:00:00Z"}],
        }
    ],
    "earns": {"points": 65},
    "earning": [{"rule": "base", "title": "A point for every dollar", "asset": "points", "amount": 65}],
    "skipped": [],
    "hints": [
        {
            "code": "spend_more",
            "detail": "Spend 40.00 more and Spend and save takes off 20.00.",
            "needs": 4000,
            "kind": "promotion",
            "id": "save",
            "off": 2000,
        }
    ],
    "wallet": [],
    "usable": {"points": {"units": 70, "worth": 7000}},
    "policy": {
        "together": "best",
        "order": ["member_price", "tier_percent", "promotion"],
        "coupon_order": [],
        "stored_value": None,
    },
}


class QuoteShown(Shown):
    """The whole price of a cart. Money in minor units; ``list_amount`` less ``off`` is ``amount``, and ``amount`` less
    ``paid`` is ``payable``. Over ``lines``, ``tax`` and ``shipping`` each of them adds up exactly."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    at: ShownMoment = Field(description="The moment for which it was priced.")
    version: int = Field(description="Of the program that was in force then.")
    currency: str = Field(description="ISO 4217.")
    order_id: str
    tiers: dict[str, str] = Field(description="The tiers it was priced by, per ladder; none for a guest.")
    lines: list[QuotedLine]
    tax: PositionShown
    shipping: PositionShown
    list_amount: int = Field(description="Everything before any reduction.")
    off: int = Field(description="All reductions together.")
    amount: int = Field(description="What the cart costs.")
    paid: int = Field(description="Of it, by points and stored value.")
    payable: int = Field(description="Of it, in money.")
    reductions: list[ReductionShown] = Field(description="In the order in which they were taken off.")
    coupons: list[CouponUsed] = Field(description="Those the cart uses.")
    payments: list[PaymentShown]
    earns: dict[str, int] = Field(
        description="What paying now would give, per asset, in its smallest units. Within today's limits; a guest "
        "earns nothing."
    )
    earning: list[EarningShown] = Field(description="The same by rule.")
    skipped: list[Skipped] = Field(description="What does not apply, and why: asked for or not.")
    hints: list[HintShown] = Field(description="What would help.")
    wallet: list[InWallet] = Field(description="Every coupon in the member's hands, alone on this cart.")
    usable: dict[str, Usable] = Field(description="What each asset could pay of it.")
    policy: PolicyShown


def quote_shown(quote: Quote, writer: Writer) -> QuoteShown:
    """The quote for people and machines, as a part of another answer. ``writer`` speaks of its edition."""
    return QuoteShown.model_validate(_body(quote, writer, lambda instant: instant))


def quote_json(quote: Quote, writer: Writer) -> bytes:
    """The same as JSON. A line's dozens of small parts go straight into it: quotes are asked for at every keystroke."""
    return msgspec.json.encode(_body(quote, writer, shown_moment))


Moment = Callable[[Instant], Any]
"""How a moment is written."""


def _body(quote: Quote, writer: Writer, moment: Moment) -> dict[str, Any]:
    """The fields of ``QuoteShown``."""
    program = writer.program
    *lines, tax, shipping = (_position(quote, place) for place in range(len(quote.amounts)))
    amount, list_amount = sum(quote.amounts), sum(quote.list_amounts)
    return {
        "at": moment(quote.at),
        "version": quote.version,
        "currency": program.currency,
        "order_id": quote.purchase.order_id,
        "tiers": quote.tiers,
        "lines": [_line(place, line, lines[place]) for place, line in enumerate(quote.purchase.lines)],
        "tax": tax,
        "shipping": shipping,
        "list_amount": list_amount,
        "off": list_amount - amount,
        "amount": amount,
        "paid": amount - quote.payable,
        "payable": quote.payable,
        "reductions": [_reduction(applied, writer) for applied in quote.applied],
        "coupons": [_coupon(use, writer, moment) for use in quote.coupons],
        "payments": [_payment(paid, moment) for paid in quote.paid],
        "earns": quote.earns,
        "earning": [
            {
                "rule": given.rule,
                "title": writer.name(program.earning, given.rule),
                "asset": given.asset,
                "amount": given.amount,
            }
            for given in quote.earning
        ],
        "skipped": [_skipped(item, writer) for item in quote.skipped],
        "hints": [_hint(hint, writer) for hint in quote.hints],
        "wallet": [_in_wallet(item, writer) for item in quote.wallet],
        "usable": quote.usable,
        "policy": {"coupon_order": [], "stored_value": None, **quote.policy},
    }


def _position(quote: Quote, place: int) -> dict[str, Any]:
    """The fields of ``PositionShown`` for one place of ``quote.amounts``."""
    payable = quote.amounts[place]
    off: list[dict[str, Any]] = []
    for applied in quote.applied:
        share = applied.shares[place]
        if share:
            off.append({"kind": applied.kind, "id": applied.id, "coupon": applied.coupon, "amount": share})
    paid: list[dict[str, Any]] = []
    for part in quote.paid:
        units, worth = part.units[place], part.worth[place]
        if units or worth:
            payable -= worth
            paid.append({"asset": part.asset, "units": units, "worth": worth})
    return {
        "list_amount": quote.list_amounts[place],
        "off": off,
        "amount": quote.amounts[place],
        "paid": paid,
        "payable": payable,
    }


def _line(place: int, line: Line, position: dict[str, Any]) -> dict[str, Any]:
    priced_by = (line.attributes or {}).get("priced_by", "list")
    return {"line": place + 1, "sku": line.sku, "quantity": line.quantity, "priced_by": priced_by, **position}


def _reduction(applied: Applied, writer: Writer) -> dict[str, Any]:
    return {
        "kind": applied.kind,
        "id": applied.id,
        "title": cart_words.reduction(applied.kind, applied.id, writer),
        "coupon": applied.coupon,
        "amount": applied.amount,
        "borne": applied.borne,
    }


def _coupon(use: CouponUse, writer: Writer, moment: Moment) -> dict[str, Any]:
    return {
        "coupon": use.coupon.id,
        "template": use.coupon.template,
        "title": writer.name(writer.program.coupons, use.coupon.template),
        "is_new": use.new,
        "value": use.value,
        "valid_until": moment(use.coupon.valid_until),
    }


def _payment(paid: Payment, moment: Moment) -> dict[str, Any]:
    lots = [{"lot": number, "units": units, "expires_at": moment(end)} for number, units, end in paid.lots]
    return {"asset": paid.asset, "units": sum(paid.units), "worth": sum(paid.worth), "lots": lots}


def _skipped(item: Mapping[str, Any], writer: Writer) -> dict[str, Any]:
    facts = {name: fact for name, fact in item.items() if name not in ("what", "code")}
    return {
        "what": item["what"],
        "code": item["code"],
        "detail": why_skipped(item, writer.program, writer.locale),
        "facts": shown_facts(item["code"], facts),
    }


def _hint(hint: Mapping[str, Any], writer: Writer) -> dict[str, Any]:
    return {
        "code": hint["code"],
        "detail": cart_words.hint(hint, writer),
        "needs": hint["needs"],
        "kind": hint["for"],
        "id": hint["id"],
        "off": hint.get("off"),
    }


def _in_wallet(item: Mapping[str, Any], writer: Writer) -> dict[str, Any]:
    code, coupon, template = item.get("code"), item["coupon"], item["template"]
    found = {
        "coupon": coupon,
        "template": template,
        "title": writer.name(writer.program.coupons, template),
        "saves": item.get("saves"),
        "code": code,
        "detail": None,
        "facts": {},
    }
    if code is not None:
        facts = {name: fact for name, fact in item.items() if name not in ("coupon", "template", "code")}
        found["detail"] = why_skipped({"what": coupon, "code": code, **facts}, writer.program, writer.locale)
        found["facts"] = shown_facts(code, facts)
    return found
