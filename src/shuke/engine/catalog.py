"""What the shop's catalog says of the goods in a purchase, and how lines take it over.

A line that names its SKU need not say the rest: category, brand, tags, list price and further facts come from the
catalog. **What the caller tells wins**: a field that is told is never changed. What was taken over is handed to the
step and kept beside the activity, so a line stays what it was when the catalog changes.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from shuke.engine.activity import UNPRICED, Line, Purchase
from shuke.values.amounts import format_amount


class Good(Struct, omit_defaults=True, frozen=True, gc=False):
    """What is known of an SKU. ``cost`` and ``list_price`` are of one piece, in minor units of the currency."""

    category: str | None = None
    brand: str | None = None
    product: str | None = None
    cost: int | None = None
    list_price: int | None = None
    tags: list[str] | None = None
    attributes: dict[str, Any] | None = None


class Catalogued(Struct, omit_defaults=True):
    """What the catalog says of one purchase: ``goods`` by SKU, and ``above`` a category those it lies in, the nearest
    first; only categories that lie in others are there."""

    goods: dict[str, Good] = {}
    above: dict[str, list[str]] = {}

    @property
    def is_empty(self) -> bool:
        return not (self.goods or self.above)

    def fill(self, purchase: Purchase, *, scale: int) -> Purchase:
        """The purchase with everything that its lines leave open, as far as it is known here. ``scale``: decimals of
        the currency. A cart that was held has been filled in then."""
        if purchase.hold is not None:
            return purchase
        return replace(purchase, lines=[self._line(line, purchase.priced, scale) for line in purchase.lines])

    def _line(self, line: Line, priced: bool, scale: int) -> Line:
        good = self.goods.get(line.sku, _NOTHING) if line.sku is not None else _NOTHING
        category = good.category if line.category is None else line.category
        above = self.above.get(category) if category is not None else None
        if good is _NOTHING and above is None:
            return line
        amount, list_amount = line.amount, line.list_amount
        if good.list_price is not None:
            if amount == UNPRICED:
                amount = good.list_price * line.quantity
            elif priced and list_amount is None:
                list_amount = good.list_price * line.quantity
        return Line(
            amount,
            line.quantity,
            line.sku,
            category,
            good.brand if line.brand is None else line.brand,
            list_amount,
            good.tags if line.tags is None else line.tags,
            _attributes(good, category, above, line.attributes, scale),
        )


_NOTHING = Good()


def _attributes(
    good: Good, category: str | None, above: list[str] | None, told: dict[str, Any] | None, scale: int
) -> dict[str, Any] | None:
    found: dict[str, Any] = {}
    if above is not None:
        found["categories"] = [category, *above]
    if good.product is not None:
        found["product"] = good.product
    if good.cost is not None:
        found["cost"] = format_amount(good.cost, scale=scale)
    if good.attributes is not None:
        found.update(good.attributes)
    if told is not None:
        found.update(told)
    return found or None


def categories_of(line: Line) -> list[Any] | None:
    """The line's category and those it lies in, as the catalog or the caller says; else the category alone."""
    told = (line.attributes or {}).get("categories")
    if isinstance(told, list):
        return told
    return None if line.category is None else [line.category]
