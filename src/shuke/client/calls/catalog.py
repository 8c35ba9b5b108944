"""Catalog (written by scripts/write_client.py)."""

from __future__ import annotations

from typing import Literal

from shuke.client.shapes.catalog import (
    BrandShown,
    BrandTold,
    CatalogEdited,
    CategoryShown,
    CategoryTold,
    ItemArchived,
    PageBrandShown,
    PageCategoryShown,
    PageProductShown,
    PageSkuShown,
    ProductShown,
    ProductTold,
    SkuShown,
    SkuTold,
)
from shuke.client.transport import Call, made


def upsert_catalog(
    *,
    skus: list[SkuTold] | None = None,
    products: list[ProductTold] | None = None,
    categories: list[CategoryTold] | None = None,
    brands: list[BrandTold] | None = None,
    idempotency_key: str | None = None,
) -> Call[CatalogEdited]:
    """Make or change up to 5,000 items of the catalog at once: all of them, or none.

    What an item leaves out stays as it was, and null takes it away. The edit holds for everything that is
    settled or quoted after the answer. Orders that were settled before stay as they are: what the catalog said
    then is kept with them.
    """
    return made(
        "POST",
        "/v1/catalog",
        body={"skus": skus, "products": products, "categories": categories, "brands": brands},
        once=idempotency_key or True,
    )


def upsert_catalog_csv(
    content: str | bytes,
    *,
    content_type: str = "text/csv",
    kind: Literal["skus", "products", "categories", "brands"] | None = None,
    idempotency_key: str | None = None,
) -> Call[CatalogEdited]:
    """The same as CSV: one kind in a file, its columns named in the first line, money in major units.

    A column that is not there leaves what it is about as it was, an empty cell takes it away. Columns are those
    of the JSON form; tags have ``|`` between them, attributes have columns named ``attribute:<name>``, and
    ``archived`` is yes or no.
    """
    return made(
        "POST",
        "/v1/catalog/csv",
        query={"kind": kind},
        headers={"Content-Type": content_type},
        content=content,
        once=idempotency_key or True,
    )


def archive_item(
    kind: Literal["skus", "products", "categories", "brands"], id: str, *, idempotency_key: str | None = None
) -> Call[ItemArchived]:
    """Take an item out of the lists. It stays what it was for orders that name it, also for those still to come."""
    return made("POST", "/v1/catalog/{kind}/{id}/archive", place={"kind": kind, "id": id}, once=idempotency_key or True)


def restore_item(
    kind: Literal["skus", "products", "categories", "brands"], id: str, *, idempotency_key: str | None = None
) -> Call[ItemArchived]:
    """Put an item that was archived back into the lists."""
    return made("POST", "/v1/catalog/{kind}/{id}/restore", place={"kind": kind, "id": id}, once=idempotency_key or True)


def list_skus(
    *,
    product: str | None = None,
    category: str | None = None,
    brand: str | None = None,
    archived: bool | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[PageSkuShown]:
    """SKUs in the order of their ids."""
    return made(
        "GET",
        "/v1/catalog/skus",
        query={
            "product": product,
            "category": category,
            "brand": brand,
            "archived": archived,
            "cursor": cursor,
            "limit": limit,
        },
    )


def get_sku(sku: str) -> Call[SkuShown]:
    """One SKU, archived or not."""
    return made("GET", "/v1/catalog/skus/{sku}", place={"sku": sku})


def list_products(
    *, archived: bool | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[PageProductShown]:
    """Products in the order of their ids."""
    return made("GET", "/v1/catalog/products", query={"archived": archived, "cursor": cursor, "limit": limit})


def get_product(product: str) -> Call[ProductShown]:
    """One product, archived or not."""
    return made("GET", "/v1/catalog/products/{product}", place={"product": product})


def list_categories(
    *, archived: bool | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[PageCategoryShown]:
    """Categories in the order of their ids. The tree is in what each says of its ``parent``."""
    return made("GET", "/v1/catalog/categories", query={"archived": archived, "cursor": cursor, "limit": limit})


def get_category(category: str) -> Call[CategoryShown]:
    """One category, archived or not."""
    return made("GET", "/v1/catalog/categories/{category}", place={"category": category})


def list_brands(
    *, archived: bool | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[PageBrandShown]:
    """Brands in the order of their ids."""
    return made("GET", "/v1/catalog/brands", query={"archived": archived, "cursor": cursor, "limit": limit})


def get_brand(brand: str) -> Call[BrandShown]:
    """One brand, archived or not."""
    return made("GET", "/v1/catalog/brands/{brand}", place={"brand": brand})
