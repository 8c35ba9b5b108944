"""The catalog over HTTP: told in bulk, as JSON or CSV, read by page, archived; and what lines take from it."""

from typing import Any

import httpx
import pytest

from tests.shop import COFFEE
from tests.web.conftest import Door, serving

pytestmark = pytest.mark.database

TEA = {
    "categories": [{"category": "tea", "name": "Tea", "parent": "drinks"}],
    "products": [{"product": "oolong", "category": "tea", "brand": "Hill", "attributes": {"roast": "dark"}}],
    "skus": [
        {"sku": "T1", "product": "oolong", "name": "Oolong", "cost": 320, "list_price": 900, "tags": ["new"]},
        {"sku": "T2", "product": "oolong", "list_price": 1700},
        {"sku": "CUP/S", "category": "cups"},
    ],
}
UNDESCRIBED = [
    {"kind": "brand", "id": "Hill"},
    {"kind": "category", "id": "cups"},
    {"kind": "category", "id": "drinks"},
]


async def edited(door: Door, **told: Any) -> dict[str, Any]:
    answer = await door.post("/v1/catalog", json=told)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def from_csv(door: Door, text: str | bytes, **more: Any) -> httpx.Response:
    body = text.encode() if isinstance(text, str) else text
    return await door.post("/v1/catalog/csv", content=body, headers={"Content-Type": "text/csv"}, **more)


async def sku(door: Door, id_: str = "T1") -> dict[str, Any]:
    answer = await door.get(f"/v1/catalog/skus/{id_}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_items_are_made_and_changed_together(door: Door):
    assert await edited(door, **TEA) == {
        "revision": 1,
        "made": 5,
        "changed": 0,
        "unchanged": 0,
        "undescribed": UNDESCRIBED,
    }
    again = {"skus": [{"sku": "T1", "cost": 330}, {"sku": "T2"}], "brands": [{"brand": "Hill", "name": "Hill Farm"}]}
    assert await edited(door, **again) == {"revision": 2, "made": 1, "changed": 1, "unchanged": 1, "undescribed": []}
    assert await sku(door) == {
        "sku": "T1",
        "name": "Oolong",
        "product": "oolong",
        "category": None,
        "brand": None,
        "cost": 330,
        "list_price": 900,
        "tags": ["new"],
        "attributes": {},
        "archived_at": None,
        "revision": 2,
    }


async def test_null_takes_away_and_what_is_left_out_stays(door: Door):
    await edited(door, **TEA)
    await edited(door, skus=[{"sku": "T1", "product": None, "tags": []}])
    found = await sku(door)
    assert (found["product"], found["tags"], found["cost"], found["name"]) == (None, [], 320, "Oolong")


async def test_the_same_request_again_gets_the_same_answer_and_changes_nothing(door: Door):
    headers = {"Idempotency-Key": "import-1"}
    first = await door.post("/v1/catalog", json=TEA, headers=headers)
    await edited(door, skus=[{"sku": "T1", "cost": 1}])
    again = await door.post("/v1/catalog", json=TEA, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json()
    assert (await sku(door))["cost"] == 1


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"categories": [{"category": "a", "parent": "b"}, {"category": "b", "parent": "a"}]}, "category_in_itself"),
        (
            {"categories": [{"category": f"c{n}", "parent": f"c{n + 1}"} for n in range(12)]},
            "category_too_deep",
        ),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
async def test_categories_stay_a_tree_or_nothing_is_changed(door: Door, told: Any, code: str, language: str):
    both = {**told, "skus": [{"sku": "X"}]}
    answer = await door.post("/v1/catalog", json=both, headers={"Accept-Language": language})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert answer.headers["Content-Language"] == language
    assert (await door.get("/v1/catalog/skus")).json()["items"] == []


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"skus": []},
        {"skus": [{"sku": "A"}, {"sku": "A"}]},
        {"skus": [{"name": "nameless"}]},
        {"skus": [{"sku": ""}]},
        {"skus": [{"sku": "A", "list_price": -1}]},
        {"skus": [{"sku": "A", "list_price": 10**12 + 1}]},
        {"skus": [{"sku": "A", "list_price": "9.00"}]},
        {"skus": [{"sku": "A", "colour": "red"}]},
        {"skus": [{"sku": "A", "attributes": {"text": "x" * 1024}}]},
        {"skus": [{"sku": str(number)} for number in range(5_001)]},
        {"shelves": [{"shelf": "A"}]},
    ],
)
async def test_what_does_not_fit_the_document_is_refused(door: Door, told: Any):
    answer = await door.post("/v1/catalog", json=told)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")


async def test_lists_come_in_pages_and_can_be_narrowed(door: Door):
    await edited(door, **TEA)
    pages, cursor = [], ""
    while cursor is not None:
        page = (await door.get("/v1/catalog/skus", params={"limit": 2, "cursor": cursor})).json()
        pages.append([item["sku"] for item in page["items"]])
        cursor = page["next"]
    assert pages == [["CUP/S", "T1"], ["T2"]]
    found = (await door.get("/v1/catalog/skus", params={"product": "oolong"})).json()
    assert [item["sku"] for item in found["items"]] == ["T1", "T2"]
    found = (await door.get("/v1/catalog/skus", params={"category": "cups"})).json()
    assert [item["sku"] for item in found["items"]] == ["CUP/S"]
    for name, kind, ids in (
        ("products", "product", ["oolong"]),
        ("categories", "category", ["tea"]),
        ("brands", "", []),
    ):
        found = (await door.get(f"/v1/catalog/{name}")).json()
        assert ([item[kind] for item in found["items"]], found["next"]) == (ids, None)


async def test_every_kind_is_read_by_its_id(door: Door):
    await edited(door, **TEA, brands=[{"brand": "Hill", "name": "Hill Farm"}])
    assert (await sku(door, "CUP%2FS"))["category"] == "cups"
    product = (await door.get("/v1/catalog/products/oolong")).json()
    assert (product["category"], product["attributes"]) == ("tea", {"roast": "dark"})
    assert (await door.get("/v1/catalog/categories/tea")).json()["parent"] == "drinks"
    assert (await door.get("/v1/catalog/brands/Hill")).json()["name"] == "Hill Farm"
    for name in ("skus", "products", "categories", "brands"):
        assert (await door.get(f"/v1/catalog/{name}/nothing")).json()["code"] == "not_found"


async def test_what_is_archived_leaves_the_lists_and_stays_for_orders(door: Door):
    await edited(door, **TEA)
    answer = await door.post("/v1/catalog/skus/T1/archive")
    assert answer.status_code == 200
    assert answer.json()["archived_at"] is not None
    again = await door.post("/v1/catalog/skus/T1/archive")
    assert again.json() == answer.json()
    listed = (await door.get("/v1/catalog/skus")).json()["items"]
    assert [item["sku"] for item in listed] == ["CUP/S", "T2"]
    everything = (await door.get("/v1/catalog/skus", params={"archived": "true"})).json()["items"]
    assert [item["sku"] for item in everything] == ["CUP/S", "T1", "T2"]
    quote = await door.post("/v1/carts/quote", json={"lines": [{"sku": "T1"}]}, headers={"Idempotency-Key": None})
    assert quote.json()["payable"] == 900
    back = await door.post("/v1/catalog/skus/T1/restore")
    assert back.json()["archived_at"] is None
    assert (await door.post("/v1/catalog/brands/none/archive")).status_code == 404


async def test_a_key_needs_the_scope(door: Door):
    async with door.other(await door.secret("catalog:read")) as reader:
        assert (await reader.get("/v1/catalog/skus")).status_code == 200
        answer = await reader.post("/v1/catalog", json=TEA)
        assert (answer.status_code, answer.json()["facts"]) == (403, {"scope": "catalog:write"})


# -- CSV --------------------------------------------------------------------------------------------------


async def test_a_spreadsheet_tells_the_same(door: Door):
    csv = (
        "\ufeffsku,name,category,list_price,tags,attribute:size\r\nT1,烏龍茶,tea,9.00,new|leaf,100\r\nT2,,tea,17,,\r\n"
    )
    answer = await from_csv(door, csv)
    assert answer.status_code == 200, answer.text
    assert answer.json()["made"] == 2
    found = await sku(door)
    assert (found["name"], found["list_price"], found["tags"], found["attributes"]) == (
        "烏龍茶",
        900,
        ["new", "leaf"],
        {"size": "100"},
    )
    await from_csv(door, "sku,cost\nT1,3.2\n")
    await from_csv(door, "sku,name,archived\nT1,,yes\n")
    found = await sku(door)
    assert (found["cost"], found["name"], found["list_price"]) == (320, None, 900)
    assert found["archived_at"] is not None
    await from_csv(door, "category,parent\ntea,drinks\n")
    assert (await door.get("/v1/catalog/categories/tea")).json()["parent"] == "drinks"
    await from_csv(door, "brand,name\nHill,Hill Farm\n", params={"kind": "brands"})
    assert (await door.get("/v1/catalog/brands/Hill")).json()["name"] == "Hill Farm"


@pytest.mark.parametrize(
    ("text", "pointer"),
    [
        ("", "/1"),
        ("sku\n", ""),
        ("name,price\nx,1\n", "/1"),
        ("sku,price\nT1,1\n", "/1/price"),
        ("sku,sku\nT1,T2\n", "/1/sku"),
        ("sku,cost\nT1,1\nT2,1.234\n", "/3/cost"),
        ("sku,cost\nT1,-1\n", "/2/cost"),
        ("sku,cost\n,1\n", "/2/sku"),
        ("sku,cost\nT1\n", "/2"),
        ('sku,cost\n"T1,1\n', "/2"),
        ("sku,archived\nT1,perhaps\n", "/2/archived"),
        ("sku\nT1\nT1\n", "/3/sku"),
        ("sku\n" + "x" * 201 + "\n", "/2/sku"),
        ("sku,list_price\nT1,99999999999\n", "/2/list_price"),
        ("category,attribute:x\nc,1\n", "/1/attribute:x"),
        (b"sku\n\xff\n", ""),
        ("sku\nT\x001\n", ""),
        ("sku\n" + "".join(f"S{number}\n" for number in range(5_001)), "/5002"),
    ],
)
async def test_a_spreadsheet_that_cannot_be_read_is_refused_with_the_place(door: Door, text: str | bytes, pointer: str):
    answer = await from_csv(door, text)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.text
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert (await door.get("/v1/catalog/skus")).json()["items"] == []


async def test_a_spreadsheet_says_that_it_is_one(door: Door):
    answer = await door.post("/v1/catalog/csv", content=b"sku\nT1\n", headers={"Content-Type": "text/plain"})
    assert (answer.status_code, answer.json()["code"]) == (415, "wrong_type")


# -- Orders and carts -------------------------------------------------------------------------------------

RULES = (
    COFFEE
    + """
  - {id: drinks, asset: points, lines: line.categories has drinks, give: {fixed: 100}}
  - {id: dark, asset: points, lines: line.roast = dark, give: {fixed: 1000}}
"""
)


async def test_a_line_that_names_its_sku_is_settled_with_what_the_catalog_says(books_url: str, tenant: str):
    async with serving(books_url, tenant, program=RULES) as door:
        await edited(door, **TEA)
        line = {"sku": "T1", "amount": 800}
        answer = await door.post("/v1/orders", json={"order_id": "o1", "member_id": "ann", "lines": [line]})
        assert answer.json()["earned"] == {"points": 1108}
        told = {"order_id": "o2", "member_id": "ann", "lines": [{**line, "category": "gifts"}]}
        assert (await door.post("/v1/orders", json=told)).json()["earned"] == {"points": 1008}


async def test_a_cart_needs_no_prices_where_the_catalog_has_them(door: Door):
    await edited(door, **TEA)
    cart = {
        "member_id": "ann",
        "order_id": "c1",
        "lines": [{"sku": "T1", "quantity": 2}, {"sku": "T2", "amount": 1600}],
    }
    quoted = await door.post("/v1/carts/quote", json=cart, headers={"Idempotency-Key": None})
    assert quoted.json()["payable"] == 3400
    held = await door.post("/v1/carts/holds", json={**cart, "hold": "h1"})
    assert held.status_code == 201, held.text
    await edited(door, skus=[{"sku": "T1", "list_price": 5000}])
    goods = [{"sku": "T1", "quantity": 2}, {"sku": "T2"}]
    paid = await door.post("/v1/carts/holds/h1/commit", json={"member_id": "ann", "order_id": "o1", "goods": goods})
    assert paid.json()["money"] == 3400
    assert (await door.get("/v1/orders/o1")).json()["amount"] == 3400


async def test_a_cart_whose_price_nobody_knows_is_refused(door: Door):
    cart = {"member_id": "ann", "order_id": "c1", "lines": [{"sku": "T1"}]}
    for path in ("quote", "holds"):
        answer = await door.post(f"/v1/carts/{path}", json=cart)
        assert (answer.status_code, answer.json()["code"]) == (422, "price_unknown")
        assert answer.json()["facts"] == {"line": 1, "sku": "T1"}
    answer = await door.post("/v1/carts/quote", json={"lines": [{"quantity": 1}]})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
