"""What is told of the catalog, and how its items are shown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final

from msgspec.json import encode
from pydantic import AfterValidator, ConfigDict, Field, model_validator

from shuke.books.catalog import BRAND, CATEGORY, PRODUCT, SKU, Edited, Item
from shuke.web.api import contract
from shuke.web.api.contract import Free, Id, Shown, ShownMoment, Told

ITEMS_MOST: Final = 5_000
"""Items of one request."""

NAMED_MOST: Final = 100
ATTRIBUTES_MOST: Final = 1024
"""Bytes of JSON. They are kept beside every order that names the SKU."""

_PRICE_MOST: Final = 10**12  # times a million pieces is still a number of eight bytes


def _is_small(told: dict[str, Any]) -> dict[str, Any]:
    if len(encode(told)) > ATTRIBUTES_MOST:
        raise ValueError(f"the attributes are more than {ATTRIBUTES_MOST} bytes of JSON")
    return told


Attributes = Annotated[
    Free,
    AfterValidator(_is_small),
    Field(description="Further facts that conditions may use: line.<name>."),
]
Price = Annotated[int, Field(ge=0, le=_PRICE_MOST)]
Name = Annotated[contract.Line, Field(description="For people.", examples=["Oolong, 100 g"])]
Tags = Annotated[list[contract.Line], Field(max_length=50, examples=[["new"]])]
Archived = Annotated[
    bool, Field(description="An archived item is left out of lists; orders that name it find it as before.")
]


class ItemTold(Told):
    """An item of the catalog. What is left out stays as it was; null takes it away."""

    name: Name | None = None
    archived: Archived | None = None


class SkuTold(ItemTold):
    """Something that can be bought, as orders name it. What an SKU does not say itself its product says."""

    sku: Id = Field(examples=["OOLONG-100"])
    product: Id | None = Field(default=None, examples=["oolong"])
    category: Id | None = Field(default=None, examples=["tea"])
    brand: Id | None = Field(default=None, examples=["hill-farm"])
    cost: Price | None = Field(default=None, description="Of one piece, minor units.", examples=[320])
    list_price: Price | None = Field(default=None, description="Of one piece, minor units.", examples=[900])
    tags: Tags | None = None
    attributes: Attributes | None = None


class ProductTold(ItemTold):
    """What several SKUs have in common."""

    product: Id = Field(examples=["oolong"])
    category: Id | None = Field(default=None, examples=["tea"])
    brand: Id | None = Field(default=None, examples=["hill-farm"])
    tags: Tags | None = None
    attributes: Attributes | None = None


class CategoryTold(ItemTold):
    """A category, and the one it lies in."""

    category: Id = Field(examples=["tea"])
    parent: Id | None = Field(default=None, description="The category it lies in.", examples=["drinks"])


class BrandTold(ItemTold):
    """A brand."""

    brand: Id = Field(examples=["hill-farm"])


TOLD: Final[dict[str, type[ItemTold]]] = {
    SKU: SkuTold,
    PRODUCT: ProductTold,
    CATEGORY: CategoryTold,
    BRAND: BrandTold,
}
"""What each kind is told by. The field that names the item is called as the kind."""

PLURALS: Final = {SKU: "skus", PRODUCT: "products", CATEGORY: "categories", BRAND: "brands"}
KINDS: Final = {name: kind for kind, name in PLURALS.items()}


def fields_of(kind: str, told: ItemTold) -> dict[str, Any]:
    """What is said of an item, as an edit takes it."""
    return told.model_dump(exclude_unset=True, exclude={kind})


class CatalogTold(Told):
    """Items of the catalog, of any kind, to be made or changed together."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "categories": [{"category": "drinks"}, {"category": "tea", "name": "Tea", "parent": "drinks"}],
                    "products": [{"product": "oolong", "category": "tea", "attributes": {"roast": "dark"}}],
                    "skus": [{"sku": "OOLONG-100", "product": "oolong", "cost": 320, "list_price": 900}],
                }
            ]
        }
    )

    skus: list[SkuTold] = Field(default_factory=list, max_length=ITEMS_MOST)
    products: list[ProductTold] = Field(default_factory=list, max_length=ITEMS_MOST)
    categories: list[CategoryTold] = Field(default_factory=list, max_length=ITEMS_MOST)
    brands: list[BrandTold] = Field(default_factory=list, max_length=ITEMS_MOST)

    @model_validator(mode="after")
    def _says_something_once(self) -> CatalogTold:
        told = 0
        for kind, name in PLURALS.items():
            ids = [getattr(item, kind) for item in getattr(self, name)]
            told += len(ids)
            if len(set(ids)) < len(ids):
                raise ValueError(f"{name}: an item is there twice")
        if not 1 <= told <= ITEMS_MOST:
            raise ValueError(f"tell 1 to {ITEMS_MOST} items")
        return self

    def told(self) -> dict[tuple[str, str], Mapping[str, Any]]:
        """What is said of which item, as an edit takes it."""
        return {
            (kind, getattr(item, kind)): fields_of(kind, item)
            for kind, name in PLURALS.items()
            for item in getattr(self, name)
        }


class NamedShown(Shown):
    """Something that is named and described nowhere."""

    kind: str = Field(description="product, category or brand", examples=["category"])
    id: str = Field(examples=["drnks"])


class CatalogEdited(Shown):
    """What came of an edit."""

    revision: int = Field(description="Of the catalog. Whatever is settled from now on is settled at it or later.")
    made: int
    changed: int
    unchanged: int
    undescribed: list[NamedShown] = Field(
        description=f"What the items name and nobody has described: taken as it is, and perhaps a slip of the pen. The "
        f"first {NAMED_MOST}."
    )


def edited_shown(edited: Edited) -> CatalogEdited:
    return CatalogEdited(
        revision=edited.revision,
        made=edited.made,
        changed=edited.changed,
        unchanged=edited.unchanged,
        undescribed=[NamedShown(kind=kind, id=id_) for kind, id_ in edited.undescribed[:NAMED_MOST]],
    )


# -- Shown ------------------------------------------------------------------------------------------------


class ItemShown(Shown):
    """What every item of the catalog has."""

    name: str | None
    archived_at: ShownMoment | None
    revision: int = Field(description="Of the catalog, when this last changed.")


class SkuShown(ItemShown):
    """Something that can be bought, with what it says itself: see its product for the rest."""

    sku: str
    product: str | None
    category: str | None
    brand: str | None
    cost: int | None = Field(description="Of one piece, minor units.")
    list_price: int | None = Field(description="Of one piece, minor units.")
    tags: list[str]
    attributes: dict[str, Any]


class ProductShown(ItemShown):
    """What several SKUs have in common."""

    product: str
    category: str | None
    brand: str | None
    tags: list[str]
    attributes: dict[str, Any]


class CategoryShown(ItemShown):
    """A category."""

    category: str
    parent: str | None = Field(description="The category it lies in.")


class BrandShown(ItemShown):
    """A brand."""

    brand: str


def sku_shown(item: Item) -> SkuShown:
    return SkuShown(
        sku=item.id,
        product=item.body.get("product"),
        category=item.body.get("category"),
        brand=item.body.get("brand"),
        cost=item.body.get("cost"),
        list_price=item.body.get("list_price"),
        tags=item.body.get("tags", []),
        attributes=item.body.get("attributes", {}),
        name=item.body.get("name"),
        archived_at=item.archived_at,
        revision=item.revision,
    )


def product_shown(item: Item) -> ProductShown:
    return ProductShown(
        product=item.id,
        category=item.body.get("category"),
        brand=item.body.get("brand"),
        tags=item.body.get("tags", []),
        attributes=item.body.get("attributes", {}),
        name=item.body.get("name"),
        archived_at=item.archived_at,
        revision=item.revision,
    )


def category_shown(item: Item) -> CategoryShown:
    return CategoryShown(
        category=item.id,
        parent=item.body.get("parent"),
        name=item.body.get("name"),
        archived_at=item.archived_at,
        revision=item.revision,
    )


def brand_shown(item: Item) -> BrandShown:
    return BrandShown(brand=item.id, name=item.body.get("name"), archived_at=item.archived_at, revision=item.revision)
