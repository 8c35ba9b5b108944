"""The catalog: what the shop sells, told in bulk and read by page. Nothing of it is ever deleted."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from starlette.responses import Response

from shuke.books import catalog
from shuke.books.catalog import BRAND, CATEGORY, PRODUCT, SKU, Astray, Item
from shuke.books.load import Connection
from shuke.intake import catalog as files
from shuke.intake.catalog import CsvError
from shuke.runtime.clock import now
from shuke.web.api import contract
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.catalog_items import (
    ITEMS_MOST,
    KINDS,
    TOLD,
    BrandShown,
    CatalogEdited,
    CatalogTold,
    CategoryShown,
    ItemTold,
    ProductShown,
    SkuShown,
    brand_shown,
    category_shown,
    edited_shown,
    fields_of,
    product_shown,
    sku_shown,
)
from shuke.web.api.contract import Id, Page, Shown, ShownMoment
from shuke.web.api.problems import Problem, documented
from shuke.web.api.routes import JSON_MOST, doors

router = doors("Catalog")

CSV: Final = "text/csv"

Cursor = Annotated[contract.Line, Query(description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1000)]
Archived = Annotated[bool, Query(description="Also what is archived.")]
Plural = Literal["skus", "products", "categories", "brands"]

_ASTRAY: Final = ("category_in_itself", "category_too_deep")


class ItemArchived(Shown):
    """An item that was archived, or is back."""

    kind: str = Field(examples=["skus"])
    id: str = Field(examples=["OOLONG-100"])
    archived_at: ShownMoment | None = Field(description="null: it is not archived.")


# -- Edits ------------------------------------------------------------------------------------------------


@router.post("/catalog", status_code=200, response_model=CatalogEdited, responses=documented(*_ASTRAY, writing=True))
async def upsert_catalog(told: CatalogTold, call: Annotated[Call, writing("catalog:write")]) -> Response:
    """Make or change up to 5,000 items of the catalog at once: all of them, or none.

    What an item leaves out stays as it was, and null takes it away. The edit holds for everything that is
    settled or quoted after the answer. Orders that were settled before stay as they are: what the catalog said
    then is kept with them.
    """
    return await _edit(call, told.told())


@router.post(
    "/catalog/csv",
    status_code=200,
    response_model=CatalogEdited,
    responses=documented(*_ASTRAY, writing=True),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {CSV: {"schema": {"type": "string"}, "example": "sku,category,list_price\r\nT1,tea,9.00\r\n"}},
        }
    },
)
async def upsert_catalog_csv(
    request: Request,
    call: Annotated[Call, writing("catalog:write")],
    kind: Annotated[Plural | None, Query(description="What a row is; else its columns say.")] = None,
) -> Response:
    """The same as CSV: one kind in a file, its columns named in the first line, money in major units.

    A column that is not there leaves what it is about as it was, an empty cell takes it away. Columns are those
    of the JSON form; tags have `|` between them, attributes have columns named `attribute:<name>`, and
    `archived` is yes or no.
    """
    if (request.headers.get("content-type") or "").partition(";")[0].strip().lower() != CSV:
        raise Problem("wrong_type", expected=CSV)
    body = await request.body()
    if len(body) > JSON_MOST:
        raise Problem("body_too_large", most=JSON_MOST)
    scale = (await call.shop.program()).scale
    return await _edit(call, _read_csv(body, kind=kind, scale=scale))


def _read_csv(body: bytes, *, kind: Plural | None, scale: int) -> dict[tuple[str, str], Mapping[str, Any]]:
    """What a file tells. Refused: ``invalid_request``, whose pointers are of lines and columns: ``/12/cost``."""
    told: dict[tuple[str, str], Mapping[str, Any]] = {}
    try:
        text = io.StringIO(contract.has_no_zero(body.decode("utf-8-sig")), newline="")
        found, rows = files.read(text, scale=scale, kind=kind and KINDS[kind])
        for row in rows:
            item = _checked(found, row)
            key = found, str(getattr(item, found))
            if key in told:
                raise CsvError(f"{key[1]} is there twice", line=row.line, column=found)
            if len(told) == ITEMS_MOST:
                raise CsvError(f"more than {ITEMS_MOST} rows", line=row.line)
            told[key] = fields_of(found, item)
    except CsvError as wrong:
        where = (wrong.line, wrong.column) if wrong.column else (wrong.line,)
        raise _wrong(where, "value_error", {"error": wrong.said}) from None
    except UnicodeDecodeError as broken:
        raise _wrong((), "value_error", {"error": f"this is not UTF-8 (at byte {broken.start})"}) from None
    except ValueError as broken:  # what no text may hold
        raise _wrong((), "value_error", {"error": str(broken)}) from None
    if not told:
        raise _wrong((), "too_short", {"min_length": 1})
    return told


def _checked(kind: str, row: files.Row) -> ItemTold:
    """A row as the JSON form would tell it. Refused: ``invalid_request``."""
    try:
        return TOLD[kind].model_validate({kind: row.id, **row.fields})
    except ValidationError as wrong:
        [first, *_] = wrong.errors(include_url=False)
        raise _wrong((row.line, *first["loc"]), first["type"], first.get("ctx", {})) from None


def _wrong(where: Sequence[int | str], type_: str, facts: Mapping[str, Any]) -> RequestValidationError:
    return RequestValidationError([{"type": type_, "loc": ("body", *where), "ctx": dict(facts)}])


async def _edit(call: Call, told: Mapping[tuple[str, str], Mapping[str, Any]]) -> Response:
    async def act(connection: Connection) -> CatalogEdited:
        try:
            return edited_shown(await catalog.edit(connection, told, at=now()))
        except Astray as astray:
            raise Problem(astray.code, category=astray.category, most=catalog.DEPTH_MOST) from None

    return await call.once(act, status=200)


@router.post(
    "/catalog/{kind}/{id}/archive", response_model=ItemArchived, responses=documented("not_found", writing=True)
)
async def archive_item(kind: Plural, id: Id, call: Annotated[Call, writing("catalog:write")]) -> Response:
    """Take an item out of the lists. It stays what it was for orders that name it, also for those still to come."""
    return await _archive(call, kind, id, archived=True)


@router.post(
    "/catalog/{kind}/{id}/restore", response_model=ItemArchived, responses=documented("not_found", writing=True)
)
async def restore_item(kind: Plural, id: Id, call: Annotated[Call, writing("catalog:write")]) -> Response:
    """Put an item that was archived back into the lists."""
    return await _archive(call, kind, id, archived=False)


async def _archive(call: Call, plural: Plural, id_: str, *, archived: bool) -> Response:
    key = (KINDS[plural], id_)

    async def act(connection: Connection) -> ItemArchived:
        if not await catalog.items(connection, [key]):
            raise Problem("not_found")
        await catalog.edit(connection, {key: {"archived": archived}}, at=now())
        [item] = await catalog.items(connection, [key])
        return ItemArchived(kind=plural, id=id_, archived_at=item.archived_at)

    return await call.once(act, status=200)


# -- Lists ------------------------------------------------------------------------------------------------


@router.get("/catalog/skus", responses=documented())
async def list_skus(
    call: Annotated[Call, reading("catalog:read")],
    product: Annotated[Id | None, Query(description="Only those of this product.")] = None,
    category: Annotated[Id | None, Query(description="Only those that name this category themselves.")] = None,
    brand: Annotated[Id | None, Query(description="Only those that name this brand themselves.")] = None,
    archived: Archived = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page[SkuShown]:
    """SKUs in the order of their ids."""
    asked = {"product": product, "category": category, "brand": brand}
    told = {name: value for name, value in asked.items() if value is not None}
    items, following = await _page(call, SKU, cursor, limit, archived, told)
    return Page(items=[sku_shown(item) for item in items], next=following)


@router.get("/catalog/skus/{sku}", responses=documented("not_found"))
async def get_sku(sku: Id, call: Annotated[Call, reading("catalog:read")]) -> SkuShown:
    """One SKU, archived or not."""
    return sku_shown(await _one(call, SKU, sku))


@router.get("/catalog/products", responses=documented())
async def list_products(
    call: Annotated[Call, reading("catalog:read")],
    archived: Archived = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page[ProductShown]:
    """Products in the order of their ids."""
    items, following = await _page(call, PRODUCT, cursor, limit, archived)
    return Page(items=[product_shown(item) for item in items], next=following)


@router.get("/catalog/products/{product}", responses=documented("not_found"))
async def get_product(product: Id, call: Annotated[Call, reading("catalog:read")]) -> ProductShown:
    """One product, archived or not."""
    return product_shown(await _one(call, PRODUCT, product))


@router.get("/catalog/categories", responses=documented())
async def list_categories(
    call: Annotated[Call, reading("catalog:read")],
    archived: Archived = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page[CategoryShown]:
    """Categories in the order of their ids. The tree is in what each says of its `parent`."""
    items, following = await _page(call, CATEGORY, cursor, limit, archived)
    return Page(items=[category_shown(item) for item in items], next=following)


@router.get("/catalog/categories/{category}", responses=documented("not_found"))
async def get_category(category: Id, call: Annotated[Call, reading("catalog:read")]) -> CategoryShown:
    """One category, archived or not."""
    return category_shown(await _one(call, CATEGORY, category))


@router.get("/catalog/brands", responses=documented())
async def list_brands(
    call: Annotated[Call, reading("catalog:read")],
    archived: Archived = False,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page[BrandShown]:
    """Brands in the order of their ids."""
    items, following = await _page(call, BRAND, cursor, limit, archived)
    return Page(items=[brand_shown(item) for item in items], next=following)


@router.get("/catalog/brands/{brand}", responses=documented("not_found"))
async def get_brand(brand: Id, call: Annotated[Call, reading("catalog:read")]) -> BrandShown:
    """One brand, archived or not."""
    return brand_shown(await _one(call, BRAND, brand))


async def _page(
    call: Call, kind: str, cursor: str, limit: int, archived: bool, told: Mapping[str, str] | None = None
) -> tuple[list[Item], str | None]:
    async with call.shop.reading() as connection:
        found = await catalog.page(connection, kind, after=cursor, most=limit + 1, archived=archived, told=told)
    return found[:limit], found[limit - 1].id if len(found) > limit else None


async def _one(call: Call, kind: str, id_: str) -> Item:
    async with call.shop.reading() as connection:
        found = await catalog.items(connection, [(kind, id_)])
    if not found:
        raise Problem("not_found")
    return found[0]
