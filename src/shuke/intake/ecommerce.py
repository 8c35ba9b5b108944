"""E-commerce events by Segment's specification, version 2, as activities of ours. All of it is a table.

What pays, refunds, cancels or completes an order is read field by field: money in major units of the program's
currency becomes minor units, rounded half up, because JavaScript adds prices up as binary fractions. The other
events are custom activities and keep their properties as they were written.

Specification: https://segment.com/docs/connections/spec/ecommerce/v2/. What we make of each field is written down
in docs/reference/tracking.md.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any, Final

from msgspec import Struct

from shuke.engine.activity import (
    ORDER_CANCELLED,
    ORDER_COMPLETED,
    ORDER_PAID,
    ORDER_REFUNDED,
    Line,
    Payments,
    Purchase,
)
from shuke.replay.history.checks import MAX_QUANTITY, Refusal, read_id, read_text
from shuke.values.amounts import MAX_AMOUNT, Rounding, allocate, divide

ORDER_EVENTS: Final = {
    "order_completed": ORDER_PAID,
    "order_refunded": ORDER_REFUNDED,
    "order_cancelled": ORDER_CANCELLED,
    "order_delivered": ORDER_COMPLETED,  # not in the specification: "Order Completed" means paid there
}
"""Events that move value, by the slug of their name."""

BROWSING_EVENTS: Final = {
    "products_searched": "products.searched",
    "product_list_viewed": "product_list.viewed",
    "product_list_filtered": "product_list.filtered",
    "promotion_viewed": "promotion.viewed",
    "promotion_clicked": "promotion.clicked",
    "product_clicked": "product.clicked",
    "product_viewed": "product.viewed",
    "product_added": "product.added",
    "product_removed": "product.removed",
    "cart_viewed": "cart.viewed",
    "checkout_started": "checkout.started",
    "checkout_step_viewed": "checkout_step.viewed",
    "checkout_step_completed": "checkout_step.completed",
    "payment_info_entered": "payment_info.entered",
    "order_updated": "order.updated",
    "coupon_entered": "coupon.entered",
    "coupon_applied": "coupon.applied",
    "coupon_denied": "coupon.denied",
    "coupon_removed": "coupon.removed",
    "product_added_to_wishlist": "wishlist.product_added",
    "product_removed_from_wishlist": "wishlist.product_removed",
    "wishlist_product_added_to_cart": "wishlist.product_added_to_cart",
    "product_shared": "product.shared",
    "cart_shared": "cart.shared",
    "product_reviewed": "product.reviewed",
}
"""Events that are custom activities here, by the slug of their name."""

FIRST_VERSION: Final = {
    "completed_order": "order_completed",
    "viewed_product": "product_viewed",
    "viewed_product_category": "product_list_viewed",
    "added_product": "product_added",
    "removed_product": "product_removed",
    "clicked_product": "product_clicked",
    "viewed_promotion": "promotion_viewed",
    "clicked_promotion": "promotion_clicked",
    "started_order": "checkout_started",
    "updated_order": "order_updated",
    "viewed_checkout_step": "checkout_step_viewed",
    "completed_checkout_step": "checkout_step_completed",
}
"""Names of version 1, which the specification calls aliases."""

ABOUT_ORDERS: Final = frozenset((ORDER_REFUNDED, ORDER_CANCELLED, ORDER_COMPLETED))
"""What is told of an order that must be there."""

_READ_OF_REFUNDS: Final = ("currency", "total", "revenue", "tax", "shipping")
_READ_OF_PRODUCTS: Final = ("sku", "product_id", "quantity", "price")
_LINE_FIELDS: Final = frozenset(("sku", "category", "brand", "price", "quantity", "tags"))
_IGNORED: Final = frozenset(("position", "url", "image_url"))
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,2})?")

Properties = dict[str, Any]


class Money(Struct, frozen=True):
    """The program's currency and how many decimals it has."""

    currency: str
    scale: int

    def read(self, told: Properties, name: str) -> int | None:
        """Minor units of an amount in major units, rounded half up; None for none. Refused: no amount, below zero."""
        exact = number_of(told, name)
        return None if exact is None else self.minor(name, exact)

    def minor(self, name: str, exact: Fraction) -> int:
        """Minor units of an amount in major units. Refused: below zero, beyond what an amount can be."""
        amount = divide(exact.numerator * 10**self.scale, exact.denominator, Rounding.HALF_UP)
        if not 0 <= amount <= MAX_AMOUNT:
            raise Refusal("not_an_amount", f"{name} must lie between 0 and {MAX_AMOUNT} smallest units")
        return amount

    def check(self, told: Properties) -> None:
        """Refused: ``other_currency``. Where no currency is told the program's is meant."""
        currency = told.get("currency")
        if currency is not None and str(currency).strip().upper() != self.currency:
            reason = f'the order is in "{str(currency)[:20]}" and the program in {self.currency}'
            raise Refusal("other_currency", reason)


def number_of(told: Properties, name: str) -> Fraction | None:
    """The number, exactly as it was written, as JSON number or as text; None for none. Refused: anything else."""
    value = told.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | str) or not _NUMBER.fullmatch(str(value).strip()):
        raise Refusal("not_an_amount", f'{name} must be a number such as 12.5, not "{str(value)[:40]}"')
    return Fraction(str(value).strip())


# -- Order Completed --------------------------------------------------------------------------------------


def purchase_of(told: Properties, money: Money) -> Purchase:
    """The order that ``Order Completed`` tells, as its channel settled it: prices stay as they are.

    What the goods cost is spread over the lines in proportion to price × quantity, to the minor unit. Refused:
    no ``order_id``, another currency, amounts that are none, and totals that leave less than nothing for the goods.
    """
    money.check(told)
    order_id = order_id_of(told)
    tax, shipping = money.read(told, "tax") or 0, money.read(told, "shipping") or 0
    products = products_of(told)
    listed = [_list_price(product, money) for product in products]
    goods = _goods(told, money, listed=sum(listed), aside=tax + shipping)
    if not products:
        lines = [Line(goods)]
    else:
        lines = [_line(product, list_amount) for product, list_amount in zip(products, listed, strict=True)]
        weights = listed if any(listed) else [line.quantity for line in lines]
        for line, amount in zip(lines, allocate(goods, weights), strict=True):
            line.amount = amount
            if line.list_amount is not None and line.list_amount <= amount:
                line.list_amount = None
    purchase = Purchase(order_id, lines, tax=tax, shipping=shipping)
    purchase.channel = _text(told, "channel")
    purchase.store = _text(told, "store") or _text(told, "affiliation")
    purchase.payment = _text(told, "payment_method")
    coupon = _text(told, "coupon")
    if coupon is not None:
        purchase.uses = Payments(coupons=[coupon])
    return purchase


def _goods(told: Properties, money: Money, *, listed: int, aside: int) -> int:
    """What the goods cost in all: the first that is told of subtotal; total less tax and shipping; revenue less
    discount; the products' prices less discount."""
    subtotal, total = money.read(told, "subtotal"), money.read(told, "total")
    if subtotal is not None:
        return subtotal
    if total is not None:
        goods = total - aside
    else:
        revenue = money.read(told, "revenue")
        goods = (listed if revenue is None else revenue) - (money.read(told, "discount") or 0)
    if goods < 0:
        raise Refusal("not_an_amount", "the totals leave less than nothing for the goods")
    return goods


def _list_price(product: Properties, money: Money) -> int:
    price = number_of(product, "price")
    if price is None:
        return 0
    quantity = number_of(product, "quantity")
    return money.minor("products.price", price * (1 if quantity is None else quantity))


def _line(product: Properties, list_amount: int) -> Line:
    quantity = quantity_of(product)
    attributes = {
        name: value
        for name, value in product.items()
        if name not in _LINE_FIELDS and name not in _IGNORED and isinstance(value, str | int)
    }
    if quantity is None:  # half a kilogram of something: one line, and its weight beside it
        attributes["quantity"] = product["quantity"]
    tags = product.get("tags")
    return Line(
        0,
        quantity or 1,
        name_of(product),
        _text(product, "category"),
        _text(product, "brand"),
        list_amount,
        [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else None,
        attributes or None,
    )


def quantity_of(product: Properties) -> int | None:
    """How many; 1 if it is not told, None if it is no whole number. Refused: nothing, or more than a line can hold."""
    exact = number_of(product, "quantity")
    if exact is None:
        return 1
    if not 0 < exact <= MAX_QUANTITY:
        raise Refusal("not_a_quantity", f"products.quantity must lie above 0 and be at most {MAX_QUANTITY}")
    return exact.numerator if exact.denominator == 1 else None


# -- Order Refunded, Cancelled, Delivered -----------------------------------------------------------------


def about_order(type_: str, told: Properties, money: Money, purchase: Purchase | None) -> dict[str, Any]:
    """The payload of an activity of ``ABOUT_ORDERS``. Refused: what ``refund_of`` refuses."""
    return refund_of(told, money, purchase) if type_ == ORDER_REFUNDED else {"order_id": order_id_of(told)}


def kept_until_order(type_: str, told: Properties, money: Money) -> Properties:
    """Of what is told about an order that is not there, as much as ``about_order`` reads.

    Refused: what can be seen to be wrong without the order.
    """
    kept: Properties = {"order_id": order_id_of(told)}
    if type_ != ORDER_REFUNDED:
        return kept
    try:
        refund_of(told, money, None)
    except Refusal as refused:
        if refused.code != "lines_unknown":  # they will be known
            raise
    kept |= {name: told[name] for name in _READ_OF_REFUNDS if told.get(name) is not None}
    products = products_of(told)
    if products:
        kept["products"] = [{name: one[name] for name in _READ_OF_PRODUCTS if name in one} for one in products]
    return kept


def refund_of(told: Properties, money: Money, purchase: Purchase | None) -> dict[str, Any]:
    """The payload of ``order.refunded`` for ``Order Refunded``; ``purchase`` is the order as it was told, if known.

    Nothing but the order: all that is left. Products: those lines, or so many of each; all of them in full, and no
    smaller total: all that is left. Only a total (or revenue): that amount; as much as the order came to: all that
    is left. Refused: another currency, a product that the order does not have, parts of an order whose lines are
    not known where no amount is told either.
    """
    money.check(told)
    order_id = order_id_of(told)
    products = products_of(told)
    total = money.read(told, "total")
    if total is None:
        total = money.read(told, "revenue")
    if not products and total is None:
        return {"order_id": order_id}
    if purchase is None or not purchase.lines:
        amount = sum(_list_price(product, money) for product in products) if total is None else total
        if amount == 0:
            raise Refusal("lines_unknown", f"the lines of the order {order_id} are not known here: tell the total")
        return {"order_id": order_id, "amount": amount}
    came_to = sum(line.amount for line in purchase.lines) + purchase.tax + purchase.shipping
    all_of_it = total is None or total >= came_to
    if not products:
        return {"order_id": order_id} if all_of_it else {"order_id": order_id, "amount": total}
    lines = _lines_back(products, purchase.lines)
    whole = [line for line in lines if line.get("quantity") in (None, purchase.lines[line["line"] - 1].quantity)]
    if all_of_it and len(whole) == len(purchase.lines):
        return {"order_id": order_id}
    payload: dict[str, Any] = {"order_id": order_id, "lines": lines}
    for name in ("tax", "shipping"):
        part = money.read(told, name)
        if part:
            payload[name] = part
    return payload


def _lines_back(products: list[Properties], lines: list[Line]) -> list[dict[str, Any]]:
    """``[{line, quantity?}]``: the first line with the product's name that no product before it has taken."""
    left = list(range(len(lines)))
    found = []
    for product in products:
        name = name_of(product)
        at = next((i for i in left if name is not None and name in _names_of(lines[i])), None)
        if at is None and name is None and len(lines) == 1 and left:
            at = 0
        if at is None:
            raise Refusal("product_unknown", f'the order has no (further) line of the product "{name}"')
        left.remove(at)
        back = {"line": at + 1}
        quantity = quantity_of(product) if product.get("quantity") is not None else None
        found.append(back if quantity is None else {**back, "quantity": quantity})
    return found


def _names_of(line: Line) -> tuple[Any, ...]:
    return line.sku, (line.attributes or {}).get("product_id")


def order_id_of(told: Properties) -> str:
    """Refused: none, or one that is no id."""
    return read_id("order_id", _plain(told.get("order_id")))


def products_of(told: Properties) -> list[Properties]:
    """The products of an order event. Refused: anything but a list of objects."""
    products = told.get("products")
    if products is None:
        return []
    if not isinstance(products, list) or not all(isinstance(product, dict) for product in products):
        raise Refusal("wrong_type", "products must be a list of objects")
    return products


def name_of(product: Properties) -> str | None:
    """What a product is called in our lines: its sku, else its product_id."""
    return _text(product, "sku") or _text(product, "product_id")


def _text(told: Properties, name: str) -> str | None:
    return read_text(name, _plain(told.get(name)))


def _plain(value: Any) -> str | None:
    """Ids and names are texts, or numbers that are meant as such."""
    return str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else None
