"""Shapes of catalog (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict


class BrandShown(TypedDict):
    """A brand."""

    name: str | None
    archived_at: str | None
    # Of the catalog, when this last changed.
    revision: int
    brand: str


class BrandTold(TypedDict):
    """A brand."""

    name: NotRequired[str | None]
    archived: NotRequired[bool | None]
    brand: str


class CatalogEdited(TypedDict):
    """What came of an edit."""

    # Of the catalog. Whatever is settled from now on is settled at it or later.
    revision: int
    made: int
    changed: int
    unchanged: int
    # What the items name and nobody has described: taken as it is, and perhaps a slip of the pen. The first 100.
    undescribed: list[NamedShown]


class CatalogTold(TypedDict):
    """Items of the catalog, of any kind, to be made or changed together."""

    skus: NotRequired[list[SkuTold]]
    products: NotRequired[list[ProductTold]]
    categories: NotRequired[list[CategoryTold]]
    brands: NotRequired[list[BrandTold]]


class CategoryShown(TypedDict):
    """A category."""

    name: str | None
    archived_at: str | None
    # Of the catalog, when this last changed.
    revision: int
    category: str
    # The category it lies in.
    parent: str | None


class CategoryTold(TypedDict):
    """A category, and the one it lies in."""

    name: NotRequired[str | None]
    archived: NotRequired[bool | None]
    category: str
    # The category it lies in.
    parent: NotRequired[str | None]


class ItemArchived(TypedDict):
    """An item that was archived, or is back."""

    kind: str
    id: str
    # null: it is not archived.
    archived_at: str | datetime | None


class NamedShown(TypedDict):
    """Something that is named and described nowhere."""

    # product, category or brand
    kind: str
    id: str


class PageBrandShown(TypedDict):
    """As told."""

    items: list[BrandShown]
    next: NotRequired[str | None]


class PageCategoryShown(TypedDict):
    """As told."""

    items: list[CategoryShown]
    next: NotRequired[str | None]


class PageProductShown(TypedDict):
    """As told."""

    items: list[ProductShown]
    next: NotRequired[str | None]


class PageSkuShown(TypedDict):
    """As told."""

    items: list[SkuShown]
    next: NotRequired[str | None]


class ProductShown(TypedDict):
    """What several SKUs have in common."""

    name: str | None
    archived_at: str | None
    # Of the catalog, when this last changed.
    revision: int
    product: str
    category: str | None
    brand: str | None
    tags: list[str]
    attributes: dict[str, Any]


class ProductTold(TypedDict):
    """What several SKUs have in common."""

    name: NotRequired[str | None]
    archived: NotRequired[bool | None]
    product: str
    category: NotRequired[str | None]
    brand: NotRequired[str | None]
    tags: NotRequired[list[str] | None]
    attributes: NotRequired[dict[str, Any] | None]


class SkuShown(TypedDict):
    """Something that can be bought, with what it says itself: see its product for the rest."""

    name: str | None
    archived_at: str | None
    # Of the catalog, when this last changed.
    revision: int
    sku: str
    product: str | None
    category: str | None
    brand: str | None
    # Of one piece, minor units.
    cost: int | None
    # Of one piece, minor units.
    list_price: int | None
    tags: list[str]
    attributes: dict[str, Any]


class SkuTold(TypedDict):
    """Something that can be bought, as orders name it. What an SKU does not say itself its product says."""

    name: NotRequired[str | None]
    archived: NotRequired[bool | None]
    sku: str
    product: NotRequired[str | None]
    category: NotRequired[str | None]
    brand: NotRequired[str | None]
    # Of one piece, minor units.
    cost: NotRequired[int | None]
    # Of one piece, minor units.
    list_price: NotRequired[int | None]
    tags: NotRequired[list[str] | None]
    attributes: NotRequired[dict[str, Any] | None]
