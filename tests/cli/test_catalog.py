"""``shuke catalog``: files in, files out, and what orders settled afterwards make of them."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import PROGRAM, Make, Shuke

pytestmark = pytest.mark.database

RULE = "  - {id: drinks, asset: points, lines: line.categories has drinks, give: {fixed: 50}}\nladders:"

SKUS = """\
sku,name,product,category,cost,list_price,tags,attribute:roast
T1,"Oolong, 100 g",oolong,tea,3.20,9.00,new|leaf,dark
T2,,oolong,,,17.5,,
=CUP,Cup,,cups,,,,
"""
ORDERS = """\
order_id,member_id,occurred_at,sku,amount
C-1,M-9,2025-05-01T10:15:00,T1,800.00
"""
CATALOG = {
    "skus": [
        {"sku": "=CUP", "name": "Cup", "category": "cups"},
        {
            "sku": "T1",
            "cost": 320,
            "name": "Oolong, 100 g",
            "tags": ["new", "leaf"],
            "product": "oolong",
            "category": "tea",
            "attributes": {"roast": "dark"},
            "list_price": 900,
        },
        {"sku": "T2", "product": "oolong", "list_price": 1750},
    ],
    "products": [],
    "categories": [{"category": "tea", "parent": "drinks"}],
    "brands": [],
}


@pytest.fixture
def shuke(make_shuke: Make, unborn_tenant: str) -> Shuke:
    """A shop that has published, with the files of a small catalog beside it."""
    command = make_shuke(unborn_tenant)
    command.write("program.yaml", PROGRAM.replace("ladders:", RULE))
    command.write("skus.csv", SKUS)
    command.write("tree.csv", "category,parent\ntea,drinks\n")
    command.write("orders.csv", ORDERS)
    for arguments in (("init",), ("publish", "program.yaml")):
        assert command(*arguments).status == 0
    return command


def read(shuke: Shuke, name: str) -> str:
    return (shuke.folder / name).read_text("utf-8")


def test_a_catalog_is_imported_and_orders_of_a_history_use_it(shuke: Shuke):
    said = shuke("catalog", "import", "skus.csv", "--json")
    assert said.status == 0, said.err
    assert said.json == {
        "revision": 1,
        "made": 3,
        "changed": 0,
        "unchanged": 0,
        "undescribed": [
            {"kind": "category", "id": "cups"},
            {"kind": "category", "id": "tea"},
            {"kind": "product", "id": "oolong"},
        ],
    }
    assert shuke("catalog", "import", "tree.csv").status == 0
    assert shuke("import", "--orders", "orders.csv", "--jobs", "1").status == 0
    assert shuke("verify").status == 0
    told = shuke("member", "show", "M-9", "--json").json
    assert told["assets"]["points"]["available"] == 80 + 50


def test_importing_again_changes_nothing(shuke: Shuke):
    shuke("catalog", "import", "skus.csv")
    said = shuke("catalog", "import", "skus.csv")
    assert "as they were  3" in " ".join(said.out.split("\n"))
    assert "category cups" in said.err


def test_what_is_exported_is_taken_back(shuke: Shuke, make_shuke: Make):
    shuke("catalog", "import", "skus.csv")
    shuke("catalog", "import", "tree.csv")
    assert shuke("catalog", "export", "all.json").status == 0
    assert json.loads(read(shuke, "all.json")) == CATALOG
    assert shuke("catalog", "export", "all.csv").status == 0
    assert read(shuke, "all.csv").splitlines() == [
        "sku,name,product,category,brand,cost,list_price,tags,archived,attribute:roast",
        "'=CUP,Cup,,cups,,,,,,",
        'T1,"Oolong, 100 g",oolong,tea,,3.20,9.00,new|leaf,,dark',
        "T2,,oolong,,,,17.50,,,",
    ]
    for name in ("all.json", "all.csv"):
        said = shuke("catalog", "import", name, "--json")
        assert (said.status, said.json["changed"], said.json["made"]) == (0, 0, 0), said.err
    assert shuke("catalog", "export", "-", "--kind", "categories").out == (
        "category,name,parent,archived\r\ntea,,drinks,\r\n"
    )


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.csv", "sku,cost\nT1,1\nT2,1.234\n", "a.csv, line 3, cost"),
        ("a.csv", "sku,list_price\nT1,99999999999\n", "a.csv, line 2, list_price"),
        ("a.csv", "sku,price\n", "a.csv, line 1, price: there is no such column"),
        ("a.json", "[]", "a.json is not JSON"),
        ("a.json", '{"shelves": []}', "there is no kind shelves"),
        ("a.json", '{"skus": [{"sku": "T1", "colour": "red"}]}', "SkuTold: colour"),
        ("a.csv", "category,parent\na,b\nb,a\n", "would lie in itself"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(shuke: Shuke, name: str, text: str, told: str):
    shuke.write(name, text)
    said = shuke("catalog", "import", name)
    assert said.status == 2
    assert told in " ".join(said.err.split())
    assert json.loads(shuke("catalog", "import", "skus.csv", "--json").out)["revision"] == 1


def test_prices_of_a_spreadsheet_need_a_currency(make_shuke: Make, unborn_tenant: str):
    bare = make_shuke(unborn_tenant)
    bare.write("skus.csv", SKUS)
    bare("init")
    said = bare("catalog", "import", "skus.csv")
    assert (said.status, "currency" in said.err) == (2, True)
    assert bare("catalog", "import", str(Path("none.csv"))).status == 2
