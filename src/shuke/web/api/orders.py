"""Orders: settled as the channel tells them, then completed, refunded, cancelled, reopened."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import Field, model_validator

from shuke.books import orders
from shuke.engine import activity as of
from shuke.engine.activity import Line, Purchase
from shuke.engine.effects import Refused
from shuke.engine.orders import Order
from shuke.runtime.settle import Answer
from shuke.web.api import contract
from shuke.web.api.answers import Settlement, settlement, told
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Amount, Free, MemberId, Moment, OrderId, Quantity, Shown, ShownMoment, Told
from shuke.web.api.identified import IdentifiedShown, identified_shown, settle_brought
from shuke.web.api.identities import Bag
from shuke.web.api.problems import Problem, documented, refusal
from shuke.web.api.routes import doors

router = doors("Orders")

LINES_MOST = 500

_UNKNOWN = ["order_unknown"]
_ABOUT = ["order_cancelled", "order_completed", "order_refunded"]


class LineTold(Told):
    """One line of an order."""

    amount: Amount = Field(description="What the whole line cost after discounts, minor units.", examples=[1250])
    quantity: Quantity = 1
    sku: contract.Line | None = None
    category: contract.Line | None = None
    brand: contract.Line | None = None
    list_amount: Amount | None = Field(default=None, description="What it would cost without discounts, minor units.")
    tags: list[contract.Line] | None = Field(default=None, max_length=50)
    attributes: Free | None = Field(default=None, description="Further facts that conditions may use: line.<name>.")

    def line(self) -> Line:
        return Line(
            self.amount,
            self.quantity,
            self.sku,
            self.category,
            self.brand,
            self.list_amount,
            self.tags,
            self.attributes,
        )


class OrderTold(Bag):
    """An order that was paid, as its channel settled it. Shuke does not price it again; carts are for that."""

    order_id: OrderId
    occurred_at: Moment | None = Field(default=None, description="When it was paid; now if left out.")
    lines: list[LineTold] = Field(min_length=1, max_length=LINES_MOST)
    channel: contract.Line | None = Field(default=None, examples=["web"])
    store: contract.Line | None = None
    payment: contract.Line | None = Field(default=None, description="How it was paid.", examples=["card"])
    tax: Amount = Field(default=0, description="Minor units, if it is not in the lines.")
    shipping: Amount = Field(default=0, description="Minor units.")

    @model_validator(mode="after")
    def _is_countable(self) -> OrderTold:
        if sum(line.amount for line in self.lines) + self.tax + self.shipping > contract.SAFE:
            raise ValueError("the order's total is beyond what every reader keeps exactly")
        return self

    def purchase(self) -> Purchase:
        return Purchase(
            self.order_id,
            [line.line() for line in self.lines],
            self.channel,
            self.store,
            self.payment,
            self.tax,
            self.shipping,
        )


class OrderSettled(Settlement):
    """An order as it was settled."""

    order_id: str
    identified: IdentifiedShown | None = Field(
        default=None, description="How its member was found, where identities came with it."
    )


class OrderMoved(OrderSettled):
    """What came of a refund, a cancellation, a reopening."""

    money: int = Field(description="To pay back to the member in money, minor units; below zero: to collect.")
    withheld: int = Field(description="Kept back of it for value that was spent already, minor units.")
    returned: dict[str, int] = Field(description="Given back of what had paid for it, per asset.")


class ByMember(Told):
    """Which order, where several members have one of this number."""

    member_id: MemberId | None = Field(default=None, description="Needed if several members have such a number.")
    occurred_at: Moment | None = None


class RefundedLine(Told):
    """What of a line comes back: so many pieces, or so much money, or all that is left of it."""

    line: int = Field(ge=1, le=LINES_MOST, description="The line's place in the order, from 1.")
    quantity: Quantity | None = None
    amount: Annotated[int, Field(ge=1, le=contract.SAFE)] | None = Field(default=None, description="Minor units.")


class RefundTold(ByMember):
    """What of an order comes back. With neither lines nor an amount: all that is left."""

    lines: list[RefundedLine] | None = Field(default=None, min_length=1, max_length=LINES_MOST)
    amount: Annotated[int, Field(ge=1, le=contract.SAFE)] | None = Field(
        default=None, description="Minor units, spread over what is left of the order."
    )
    tax: Amount = Field(default=0, description="Of the tax, minor units; with lines only.")
    shipping: Amount = Field(default=0, description="Of the shipping, minor units; with lines only.")

    @model_validator(mode="after")
    def _says_one_thing(self) -> RefundTold:
        if self.lines is not None and self.amount is not None:
            raise ValueError("tell lines or an amount, not both")
        if self.lines is None and (self.tax or self.shipping):
            raise ValueError("tax and shipping go with lines")
        return self

    def payload(self, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = {"order_id": order_id}
        if self.amount is not None:
            found["amount"] = self.amount
        if self.lines is not None:
            found["lines"] = [line.model_dump(exclude_none=True) for line in self.lines]
            found["tax"], found["shipping"] = self.tax, self.shipping
        return found


class LineShown(Shown):
    """A line of a settled order."""

    line: int
    amount: int = Field(description="What it cost, minor units.")
    quantity: int
    refunded: int = Field(description="Of it, minor units.")


class AwardShown(Shown):
    """Value a rule gave for the order."""

    rule: str
    asset: str
    amount: int = Field(description="Given at first, the asset's smallest units.")


class PaidShown(Shown):
    """A part of the price that an asset paid."""

    asset: str
    units: int = Field(description="The asset's smallest units.")
    worth: int = Field(description="What that stood for, minor units.")


class OrderShown(Shown):
    """An order, and what it was given."""

    order_id: str
    member_id: str
    status: str = Field(description="paid, completed, cancelled or refunded")
    placed_at: ShownMoment
    version: int = Field(description="Of the program, under which it was settled.")
    amount: int = Field(description="Everything together, minor units.")
    refunded: int
    tax: int
    shipping: int
    channel: str | None
    store: str | None
    lines: list[LineShown]
    awards: list[AwardShown]
    paid: list[PaidShown]
    coupons: list[str]


def order_shown(member_id: str, order: Order) -> OrderShown:
    refunded = order.refunded or [0] * len(order.amounts)
    count = len(order.amounts) - 2
    return OrderShown(
        order_id=order.id,
        member_id=member_id,
        status=order.status,
        placed_at=order.placed_at,
        version=order.version,
        amount=order.total(),
        refunded=sum(min(back, amount) for back, amount in zip(refunded, order.amounts, strict=True)),
        tax=order.amounts[-2],
        shipping=order.amounts[-1],
        channel=order.channel,
        store=order.store,
        lines=[
            LineShown(
                line=place + 1,
                amount=order.amounts[place],
                quantity=order.quantities[place] if order.quantities else 1,
                refunded=min(refunded[place], order.amounts[place]),
            )
            for place in range(count)
        ],
        awards=[AwardShown(rule=award.rule, asset=award.asset, amount=award.lot.amount) for award in order.awards],
        paid=[PaidShown(asset=paid.asset, units=sum(paid.units), worth=sum(paid.worth)) for paid in order.paid],
        coupons=[used.coupon.id for used in order.coupons],
    )


@router.post(
    "/orders",
    status_code=201,
    responses=documented(refusals=["identity_junk", "order_exists", "amount_invalid"], writing=True),
)
async def settle_order(order: OrderTold, call: Annotated[Call, writing("orders:write")]) -> OrderSettled:
    """Settle an order that was paid.

    Whose it is says `member_id`, or `identities` where you do not know her id: the answer says who was found, and why.
    Rules give what they give, tiers rise, and the answer says what was earned, what was not and why. A member nobody
    has heard of becomes one. The same order told twice is refused as ``order_exists``.
    """
    answer = await settle_brought(call, of.ORDER_PAID, order, purchase=order.purchase(), occurred_at=order.occurred_at)
    identified = identified_shown(told(answer), call)
    return await settlement(call, answer, OrderSettled, order_id=order.order_id, identified=identified)


@router.get("/orders/{order_id}", responses=documented("member_needed", unknown=_UNKNOWN))
async def get_order(
    order_id: OrderId,
    call: Annotated[Call, reading("orders:read")],
    member_id: Annotated[MemberId | None, Query(description="Needed if several members have such a number.")] = None,
) -> OrderShown:
    """One order: its lines, what came back, what it earned and what paid for it."""
    return order_shown(*await _find(call, order_id, member_id))


@router.post(
    "/orders/{order_id}/complete",
    responses=documented("member_needed", unknown=_UNKNOWN, refusals=_ABOUT, writing=True),
)
async def complete_order(
    order_id: OrderId, which: ByMember, call: Annotated[Call, writing("orders:write")]
) -> OrderSettled:
    """Tell that an order is completed: delivered, and past its return period where you wait for that.

    Rules that pay on completion pay now.
    """
    answer = await _about(call, of.ORDER_COMPLETED, order_id, which, {"order_id": order_id})
    return await settlement(call, answer, OrderSettled, order_id=order_id)


@router.post(
    "/orders/{order_id}/refund",
    responses=documented(
        "member_needed",
        unknown=_UNKNOWN,
        refusals=[*_ABOUT, "refund_exceeds_order", "line_unknown", "balance_too_large"],
        writing=True,
    ),
)
async def refund_order(
    order_id: OrderId, refund: RefundTold, call: Annotated[Call, writing("orders:write")]
) -> OrderMoved:
    """Take an order back, whole or in parts, in any number and any order.

    What it earned goes, by the rules under which it was earned; what paid for it comes back, each part as its policy
    says; the answer says how much money to pay out. All parts together end where one whole refund would.
    """
    answer = await _about(call, of.ORDER_REFUNDED, order_id, refund, refund.payload(order_id))
    return await _moved(call, answer, order_id)


@router.post(
    "/orders/{order_id}/cancel",
    responses=documented("member_needed", unknown=_UNKNOWN, refusals=[*_ABOUT, "balance_too_large"], writing=True),
)
async def cancel_order(
    order_id: OrderId, which: ByMember, call: Annotated[Call, writing("orders:write")]
) -> OrderMoved:
    """Cancel an order: all that is left of it comes back. It can be reopened."""
    answer = await _about(call, of.ORDER_CANCELLED, order_id, which, {"order_id": order_id})
    return await _moved(call, answer, order_id)


@router.post(
    "/orders/{order_id}/reopen",
    responses=documented(
        "member_needed",
        unknown=_UNKNOWN,
        refusals=["order_not_cancelled", "insufficient", "coupon_unavailable", "balance_too_large"],
        writing=True,
    ),
)
async def reopen_order(
    order_id: OrderId, which: ByMember, call: Annotated[Call, writing("orders:write")]
) -> OrderMoved:
    """Make a cancelled order what it was before."""
    answer = await _about(call, of.ORDER_REOPENED, order_id, which, {"order_id": order_id})
    return await _moved(call, answer, order_id)


async def _about(call: Call, type_: str, order_id: str, which: ByMember, payload: dict[str, Any]) -> Answer:
    member_id = await call.whose(_owner(call, order_id, which.member_id))
    return await call.settle(type_, member_id, payload=payload, occurred_at=which.occurred_at)


async def _owner(call: Call, order_id: str, member_id: str | None) -> str:
    found, _ = await _find(call, order_id, member_id)
    return found


async def _moved(call: Call, answer: Answer, order_id: str) -> OrderMoved:
    body = told(answer)
    return await settlement(
        call,
        answer,
        OrderMoved,
        order_id=order_id,
        money=body.get("money", 0),
        withheld=body.get("withheld", 0),
        returned=body.get("returned", {}),
    )


async def _find(call: Call, order_id: str, member_id: str | None) -> tuple[str, Order]:
    async with call.shop.reading() as connection:
        try:
            found = await orders.find(connection, order_id, member_id=member_id)
        except orders.SeveralMembers:
            raise Problem("member_needed", order_id=order_id) from None
    if found is None or not found[1].is_of_goods():
        unknown = Refused("order_unknown", {"order_id": order_id})
        raise refusal(unknown, await call.shop.program(), call.locale, status=404)
    return found
