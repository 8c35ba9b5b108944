"""What is told of carts: goods at list price, and what is to pay for them."""

from __future__ import annotations

from typing import Annotated

from msgspec.json import encode
from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema, model_validator
from pydantic_core import PydanticKnownError

from shuke.engine.activity import UNPRICED, Line, Payments, Purchase
from shuke.engine.cart import EVERYTHING
from shuke.web.api import contract
from shuke.web.api.contract import Amount, Free, MemberId, Moment, OrderId, Quantity, Slug, Told

LINES_MOST = 500
COUPONS_MOST = 50
ASSETS_MOST = 20
ATTRIBUTES_MOST = 64 * 1024
"""Bytes. A held cart lies with its member, who is read and written with everything she does."""

HoldKey = Annotated[contract.Id, Field(description="The key it is held under: yours, or one we made (`hld_…`).")]


class CartLineTold(Told):
    """One line of a cart, at list price."""

    amount: Amount | None = Field(
        default=None,
        description="What the whole line costs at list price, minor units; left out: what the catalog says of the SKU.",
        examples=[10000],
    )
    quantity: Quantity = 1
    sku: contract.Line | None = Field(default=None, examples=["tea"])
    category: contract.Line | None = Field(default=None, examples=["drinks"])
    brand: contract.Line | None = None
    tags: list[contract.Line] | None = Field(default=None, max_length=50)
    attributes: Free | None = Field(
        default=None,
        description="Further facts that conditions may use: line.<name>. `title` names the line where it is shown.",
    )

    @model_validator(mode="after")
    def _has_a_price(self) -> CartLineTold:
        if self.amount is None and self.sku is None:
            raise ValueError("a line needs its amount, or an SKU whose list price the catalog knows")
        return self

    def line(self) -> Line:
        return Line(
            UNPRICED if self.amount is None else self.amount,
            self.quantity,
            self.sku,
            self.category,
            self.brand,
            None,
            self.tags,
            self.attributes,
        )


def _read_asked(told: object) -> int:
    """An amount, or ``EVERYTHING`` for "all". One type of its own, so that an error points at the field itself."""
    if told == "all":
        return EVERYTHING
    if isinstance(told, bool) or not isinstance(told, int):
        raise PydanticKnownError("int_type")
    if told < 0:
        raise PydanticKnownError("greater_than_equal", {"ge": 0})
    if told > contract.SAFE:
        raise PydanticKnownError("less_than_equal", {"le": contract.SAFE})
    return told


Asked = Annotated[
    int,
    BeforeValidator(_read_asked),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 0, "maximum": contract.SAFE}, {"const": "all"}]}),
]
"""So much, or as much as there is."""


class UsesTold(Told):
    """What, besides money, is to pay for the cart."""

    coupons: list[Annotated[contract.Line, Field(min_length=1)]] = Field(
        default_factory=list,
        max_length=COUPONS_MOST,
        description="By id or code.",
        examples=[["TEN-OFF"]],
    )
    points: Annotated[dict[Slug, Asked], contract.few(ASSETS_MOST)] = Field(
        default_factory=dict,
        max_length=ASSETS_MOST,
        description="Per asset, in its smallest units; `all`: as much as the cart takes and the member has.",
        examples=[{"points": 25}],
    )
    stored_value: Asked = Field(
        default=0, description="Minor units; `all`: as much as the cart takes and the member has."
    )

    def payments(self) -> Payments:
        return Payments(
            self.coupons or None,
            dict(self.points) or None,
            self.stored_value,
        )


class Cart(Told):
    """Goods at list price, and what is to pay for them."""

    lines: list[CartLineTold] = Field(min_length=1, max_length=LINES_MOST)
    uses: UsesTold = Field(default_factory=UsesTold)
    channel: contract.Line | None = Field(default=None, examples=["web"])
    store: contract.Line | None = None
    payment: contract.Line | None = Field(
        default=None, description="How the money will be paid, where rules ask for it.", examples=["card"]
    )
    tax: Amount = Field(default=0, description="Minor units, if it is not in the lines. It is never reduced.")
    shipping: Amount = Field(default=0, description="Minor units, before any reduction.")
    occurred_at: Moment | None = Field(default=None, description="The moment it is priced for; now if left out.")

    @model_validator(mode="after")
    def _is_countable(self) -> Cart:
        if sum(line.amount or 0 for line in self.lines) + self.tax + self.shipping > contract.SAFE:
            raise ValueError("the cart's total is beyond what every reader keeps exactly")
        if sum(len(encode(line.attributes)) for line in self.lines if line.attributes) > ATTRIBUTES_MOST:
            raise ValueError(f"the attributes of all lines together are more than {ATTRIBUTES_MOST} bytes of JSON")
        return self

    def purchase(self, order_id: str) -> Purchase:
        lines = [line.line() for line in self.lines]
        return Purchase(
            order_id,
            lines,
            self.channel,
            self.store,
            self.payment,
            self.tax,
            self.shipping,
            self.uses.payments(),
            priced=False,
        )


_LINES: list[JsonValue] = [{"sku": "tea", "category": "drinks", "quantity": 2, "amount": 10000}]


class CartQuoteTold(Cart):
    """A cart to be priced."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"member_id": "m-1001", "lines": _LINES, "uses": {"points": {"points": 25}}, "channel": "web"}]
        }
    )

    member_id: MemberId | None = Field(default=None, description="Whose cart it is; left out: a guest's.")
    order_id: OrderId = Field(default="cart", description="What you call the cart.", examples=["cart-88"])


class CartHoldTold(Cart):
    """A cart to be held."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "member_id": "m-1001",
                    "order_id": "cart-88",
                    "lines": _LINES,
                    "uses": {"coupons": ["TEN-OFF"], "points": {"points": "all"}},
                    "minutes": 15,
                }
            ]
        }
    )

    member_id: MemberId
    order_id: OrderId = Field(description="What you call the cart, or the order it will be.", examples=["cart-88"])
    hold: HoldKey | None = Field(default=None, description="What to commit or release it by; made for you if left out.")
    minutes: int | None = Field(
        default=None, ge=1, le=10_080, description="How long; at most what the program allows, which is the default."
    )


class GoodsTold(Told):
    """Some of one article."""

    sku: contract.Line | None = None
    quantity: Quantity = 1


class CartCommitTold(Told):
    """A held cart that was paid."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"member_id": "m-1001", "order_id": "o-20261122-7", "payment": "card"}]}
    )

    member_id: MemberId
    order_id: OrderId
    payment: contract.Line | None = Field(default=None, description="How it was paid, if that was not told before.")
    goods: list[GoodsTold] | None = Field(
        default=None,
        min_length=1,
        max_length=LINES_MOST,
        description="What was bought, line by line. If told, it must be what was held.",
    )
    occurred_at: Moment | None = Field(default=None, description="When it was paid; now if left out.")

    def purchase(self, hold: str) -> Purchase:
        lines = [Line(0, goods.quantity, goods.sku) for goods in self.goods or ()]
        return Purchase(self.order_id, lines, payment=self.payment, hold=hold, priced=False)


class CartReleaseTold(Told):
    """A held cart that was given up."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"member_id": "m-1001"}]})

    member_id: MemberId
    occurred_at: Moment | None = None
