"""ACCEPTANCE 30: export gives all that is known about one person in one file."""

import csv
import io
import json
import zipfile

import pytest

from shuke.web.api.export import TABLES, _cell
from tests.web.conftest import Door
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

SCOPES = ("members:read", "orders:read", "activities:read", "coupons:read", "points:read", "tiers:read")
ORDERS = 12


@pytest.fixture
async def rich(serve):
    """Ann with something of everything, and Bob whose data are not hers."""
    async with serve(PROGRAM) as door:
        ann = {
            "member_id": "ann",
            "identities": {"phone": "+886912345678"},
            "traits": {"name": "Ann 林", "evil": '=HYPERLINK("x")'},
            "tags": ["staff"],
        }
        await door.post("/v1/members", json=ann)
        for granted in (True, False):
            said = {"granted": granted, "purpose": "marketing", "channels": ["email"], "via": "checkout"}
            assert (await door.post("/v1/members/ann/consents", json=said)).status_code == 200
        await door.post("/v1/members", json={"member_id": "bob", "traits": {"name": "Bob"}})
        for number in range(ORDERS):
            line = {"amount": 10000, "attributes": {"text": "for mum"}}
            await door.post("/v1/orders", json={"order_id": f"o-{number}", "member_id": "ann", "lines": [line]})
        await door.post("/v1/orders", json={"order_id": "b-1", "member_id": "bob", "lines": [{"amount": 777}]})
        await door.post("/v1/stored-value/top-ups", json={"member_id": "ann", "amount": 10000})
        await door.post("/v1/coupons/claim", json={"member_id": "ann", "template": "welcome"})
        held = {"member_id": "ann", "asset": "points", "amount": 100, "hold": "h-1"}
        assert (await door.post("/v1/points/holds", json=held)).status_code < 300
        yield door


async def test_the_document_holds_what_every_other_answer_tells_of_her(rich: Door):
    answer = await rich.get("/v1/members/ann/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"] == 'attachment; filename="member.json"'
    told = answer.json()
    assert list(told) == ["at", "member", *TABLES]
    assert told["member"] == (await rich.get("/v1/members/ann")).json()
    balances = (await rich.get("/v1/members/ann/balances")).json()
    assert (told["balances"], told["holds"]) == (balances["balances"], balances["holds"])
    assert told["tags"] == (await rich.get("/v1/members/ann/tags")).json()["tags"]
    assert [said["granted"] for said in told["consents"]] == [False, True]
    assert told["consents"] == (await rich.get("/v1/members/ann/consents/history")).json()["items"]
    for table in ("coupons", "orders", "activities", "entries"):
        page = (await rich.get(f"/v1/members/ann/{table}", params={"limit": 200})).json()
        assert told[table] == page["items"], table
        assert told[table] != []
    assert told["tier_changes"] == (await rich.get("/v1/members/ann/standing")).json()["changes"]
    assert len(told["orders"]) == ORDERS
    assert "for mum" in answer.text
    assert "bob" not in answer.text.lower()


async def test_the_archive_holds_the_same_as_tables(rich: Door):
    document = (await rich.get("/v1/members/ann/export")).json()
    answer = await rich.get("/v1/members/ann/export", params={"format": "csv"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(["profile.csv", *(f"{name}.csv" for name in TABLES)])
        tables = {
            name.removesuffix(".csv"): list(csv.DictReader(io.StringIO(archive.read(name).decode("utf-8-sig"))))
            for name in archive.namelist()
        }
    assert {name: len(tables[name]) for name in TABLES} == {name: len(document[name]) for name in TABLES}
    profile = {(row["what"], row["name"]): row["value"] for row in tables["profile"]}
    assert profile["member", "member_id"] == "ann"
    assert profile["identities", "phone"] == "+886912345678"
    assert profile["traits", "name"] == "Ann 林"
    assert profile["traits", "evil"] == '\'=HYPERLINK("x")'
    assert ("tags", "staff") in profile
    assert [int(row["amount"]) for row in tables["entries"]] == [entry["amount"] for entry in document["entries"]]
    assert json.loads(tables["orders"][0]["lines"]) == document["orders"][0]["lines"]


@pytest.mark.parametrize("missing", SCOPES)
async def test_it_takes_a_key_that_may_read_all_that_is_in_it(rich: Door, missing: str):
    secret = await rich.secret(*(scope for scope in SCOPES if scope != missing))
    async with rich.other(secret) as caller:
        answer = await caller.get("/v1/members/ann/export")
        assert (answer.status_code, answer.json()["facts"]) == (403, {"scope": missing})


async def test_of_an_erased_member_it_tells_no_more_than_the_books(rich: Door):
    await rich.post("/v1/members/ann/erase", json={"stored_value": "waived"})
    answer = await rich.get("/v1/members/ann/export")
    assert answer.status_code == 200
    for secret in ("912345678", "林", "HYPERLINK", "for mum", "staff"):
        assert secret not in answer.text
    assert len(answer.json()["orders"]) == ORDERS


async def test_of_somebody_nobody_knows_there_is_nothing(rich: Door):
    answer = await rich.get("/v1/members/nobody/export")
    assert (answer.status_code, answer.json()["code"]) == (404, "member_unknown")


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (12, "12"),
        (-12, "-12"),
        (True, "true"),
        ({"a": [1]}, '{"a":[1]}'),
        ("plain", "plain"),
        ("-12.50", "-12.50"),
        ("+886912345678", "+886912345678"),
        ("=1+1", "'=1+1"),
        ("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
    ],
)
def test_no_cell_is_a_formula(value: object, cell: str):
    assert _cell(value) == cell
