"""The history format: what each row means, what is refused and why, and that nothing is lost on the way."""

from __future__ import annotations

import csv
import gzip
import json
import pickle
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from unicodedata import normalize

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shuke.engine.activity import Activity, Line
from shuke.replay.history import BadRow, HistoryError, Prepared, prepare, stream, stream_all
from shuke.values.instants import parse_instant

HEADER = "order_id,member_id,occurred_at,amount"


class History:
    """Files of a history under one folder, and what reading them gives."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, Path] = {}
        self.prepared: Prepared | None = None

    def write(self, name: str, content: str | bytes, kind: str | None = None) -> Path:
        path = self.folder / name
        data = content if isinstance(content, bytes) else content.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        self.files[kind or name.partition(".")[0]] = path
        return path

    def prepare(self, **options: Any) -> Prepared:
        settings: dict[str, Any] = {
            "zone": "America/New_York",
            "currency_scale": 2,
            "asset_scales": {"points": 0, "credit": 2},
            "partitions": 3,
            "workdir": self.folder / "work",
            "rejected": self.folder / "rejected.csv",
        }
        self.prepared = prepare(**(settings | self.files | options))
        return self.prepared

    def read(self, **options: Any) -> list[Activity]:
        return list(stream_all(self.prepare(**options)))

    def lines(self, rows: str, header: str = HEADER) -> list[Activity]:
        self.write("orders.csv", f"{header}\n{rows}")
        return self.read()

    @property
    def rejected(self) -> list[tuple[str, int, str]]:
        return [(row["file"], int(row["line"]), row["code"]) for row in self.rejected_rows]

    @property
    def rejected_rows(self) -> list[dict[str, str]]:
        with (self.folder / "rejected.csv").open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path)


def at(text: str, zone: str = "America/New_York") -> int:
    return parse_instant(text, zone=zone)


# -- Order lines -----------------------------------------------------------------------------------


def test_rows_of_one_order_become_one_activity(history: History) -> None:
    activities = history.lines(
        "B,ann,2025-03-01T10:00:00,5\nA,bob,2025-02-01T10:00:00Z,1.50\nB,ann,2025-03-01T10:00:00,2.05\n"
    )
    assert [(a.type, a.source, a.key, a.member_id, a.occurred_at) for a in activities] == [
        ("order.paid", "orders", "A", "bob", at("2025-02-01T10:00:00Z")),
        ("order.paid", "orders", "B", "ann", at("2025-03-01T10:00:00")),
    ]
    purchase = activities[1].purchase
    assert purchase is not None
    assert (purchase.order_id, purchase.lines) == ("B", [Line(500), Line(205)])
    assert history.prepared is not None
    assert (history.prepared.orders, history.prepared.lines, history.prepared.refused_rows) == (2, 3, 0)


def test_every_column_has_its_place_and_further_ones_become_attributes(history: History) -> None:
    [activity] = history.lines(
        "A,ann,2025-03-01,5.00,1,S1,tea,Oolong Co,2,6.50,web,Taipei 1,card,0.25,1.00,green,007\n"
        "A,ann,2025-03-01,1.00,2,,,,,,,,,,,,\n",
        header=f"{HEADER},line_no,sku,category,brand,quantity,list_amount,channel,store,payment,tax,shipping,colour,lot",
    )
    purchase = activity.purchase
    assert purchase is not None
    assert purchase.lines == [
        Line(500, 2, "S1", "tea", "Oolong Co", 650, None, {"colour": "green", "lot": "007"}),
        Line(100),
    ]
    assert (purchase.channel, purchase.store, purchase.payment, purchase.tax, purchase.shipping) == (
        "web", "Taipei 1", "card", 25, 100,
    )  # fmt: skip


def test_lines_stand_in_the_order_of_their_numbers_then_of_the_file(history: History) -> None:
    [activity] = history.lines(
        "A,ann,2025-03-01,3.00,3\nA,ann,2025-03-01,9.00,\nA,ann,2025-03-01,1.00,1\nA,ann,2025-03-01,8.00,\n",
        header=f"{HEADER},line_no",
    )
    assert activity.purchase is not None
    assert [line.amount for line in activity.purchase.lines] == [100, 300, 900, 800]


def test_what_belongs_to_the_order_may_stand_on_any_of_its_lines(history: History) -> None:
    [activity] = history.lines(
        "A,ann,2025-03-01,3.00,,\nA,ann,2025-03-01,9.00,web,1.00\n", header=f"{HEADER},channel,shipping"
    )
    assert activity.purchase is not None
    assert (activity.purchase.channel, activity.purchase.shipping) == ("web", 100)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-03-01", "2025-03-01T05:00:00Z"),
        ("2025-03-01T10:00", "2025-03-01T15:00:00Z"),
        ("2025-03-01 10:00:00", "2025-03-01T15:00:00Z"),
        ("2025-03-01T10:00:00.123456", "2025-03-01T15:00:00.123456Z"),
        ("2025-03-01T10:00:00.5+08:00", "2025-03-01T02:00:00.5Z"),
        ("2025-03-01T10:00:00-03:30", "2025-03-01T13:30:00Z"),
        ("2025-07-01T10:00:00", "2025-07-01T14:00:00Z"),
        (" 2025-03-01T10:00:00Z ", "2025-03-01T10:00:00Z"),
        ("2025-03-09T01:59:59", "2025-03-09T06:59:59Z"),
        ("2025-03-09T02:30:00", "2025-03-09T07:30:00Z"),  # skipped by the clocks: moved forward by the gap
        ("2025-03-09T03:00:00", "2025-03-09T07:00:00Z"),
        ("2025-11-02T01:30:00", "2025-11-02T05:30:00Z"),  # shown twice: the first time
        ("2025-11-02T01:30:00-05:00", "2025-11-02T06:30:00Z"),
        ("1925-03-01T10:00:00", "1925-03-01T15:00:00Z"),
        ("2125-03-01T10:00:00Z", "2125-03-01T10:00:00Z"),
    ],
)
def test_an_instant_is_read_in_the_zone_of_the_program(history: History, text: str, instant: str) -> None:
    [activity] = history.lines(f"A,ann,{text},1\n")
    assert activity.occurred_at == at(instant)


@pytest.mark.parametrize("zone", ["Asia/Taipei", "America/New_York", "Australia/Lord_Howe", "America/Asuncion"])
def test_every_hour_of_a_year_is_the_instant_that_the_calendar_says(history: History, zone: str) -> None:
    walls = [
        f"2024-{month:02d}-{day:02d}T{hour:02d}:30:00"
        for month in (3, 4, 10, 11)
        for day in range(1, 31)
        for hour in range(24)
    ]
    history.write("orders.csv", "\n".join([HEADER, *(f"{w},ann,{w},1" for w in walls)]))
    told = {activity.key: activity.occurred_at for activity in history.read(zone=zone)}
    assert told == {wall: at(wall, zone) for wall in walls}


@pytest.mark.parametrize(
    ("scale", "text", "amount"),
    [
        (2, "0", 0), (2, "0.1", 10), (2, "12.3", 1230), (2, "12.300", 1230),
        (2, "+5", 500), (2, "1E+2", 10000),
        (2, " 7.00", 700), (2, "90071992547409.91", 2**53 - 1), (0, "100", 100), (0, "100.00", 100),
        (3, "1.005", 1005), (2, "0.29", 29), (2, "1.15", 115), (2, "4.35", 435), (2, "000012.50", 1250),
    ],
)  # fmt: skip
def test_an_amount_is_exact(history: History, scale: int, text: str, amount: int) -> None:
    history.write("orders.csv", f"{HEADER}\nA,ann,2025-03-01,{text}\n")
    [activity] = history.read(currency_scale=scale)
    assert activity.purchase is not None
    assert activity.purchase.lines[0].amount == amount


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",ann,2025-03-01,1,,", "missing"),
        ("A,,2025-03-01,1,,", "missing"),
        ("A,   ,2025-03-01,1,,", "missing"),
        ("A,ann,,1,,", "missing"),
        ("A,ann,2025-03-01,,,", "missing"),
        ("A,ann,2025-02-30,1,,", "not_an_instant"),
        ("A,ann,yesterday,1,,", "not_an_instant"),
        ("A,ann,2025-03-01T24:00:00,1,,", "not_an_instant"),
        ("A,ann,2025-03-01T10:00:00+xx:yy,1,,", "not_an_instant"),
        ("A,ann,01/03/2025,1,,", "not_an_instant"),
        ("A,ann,2025-03-01,1.234,,", "not_an_amount"),
        ("A,ann,2025-03-01,12 USD,,", "not_an_amount"),
        ("A,ann,2025-03-01,NaN,,", "not_an_amount"),
        ("A,ann,2025-03-01,1e400,,", "not_an_amount"),
        ("A,ann,2025-03-01,99999999999999999999,,", "not_an_amount"),
        ("A,ann,2025-03-01,-1,,", "negative"),
        ("A,ann,2025-03-01,1,0,", "not_a_whole_number"),
        ("A,ann,2025-03-01,1,1.5,", "not_a_whole_number"),
        ("A,ann,2025-03-01,1,-2,", "not_a_whole_number"),
        ("A,ann,2025-03-01,1,two,", "not_a_whole_number"),
        ("A,ann,2025-03-01,1,9999999,", "not_a_whole_number"),
        ("A,ann,2025-03-01,1,1", "columns"),
        ("A,ann,2025-03-01,1,1,x,y", "columns"),
        (f"{'A' * 201},ann,2025-03-01,1,,", "too_long"),
        (f"A,ann,2025-03-01,1,,{'x' * 1001}", "too_long"),
        ("A,an\x07n,2025-03-01,1,,", "control_character"),
        ("A,ann\u200b,2025-03-01,1,,", "unseen_character"),
        ("A,an\xa0n,2025-03-01,1,,", "unseen_character"),
        ("訂\ufe0f,ann,2025-03-01,1,,", "unseen_character"),
        ("A," + "\u0958" * 101 + ",2025-03-01,1,,", "too_long"),  # composed it is twice as long
        ("A,ann,2025-03-01,1,,x\0y", "control_character"),
        ('A,ann,2025-03-01,1,,"open', "unreadable"),
        ("A,ann,2025-03-01,1,,a\rb", "unreadable"),
    ],
)
def test_a_bad_row_is_refused_alone_with_its_line_and_reason(history: History, row: str, code: str) -> None:
    activities = history.lines(
        f"X,ann,2025-03-01,1,1,first\n{row}\nZ,ann,2025-03-01,1,1,last\n", header=f"{HEADER},quantity,note"
    )
    assert [activity.key for activity in activities] == ["X", "Z"]
    assert history.rejected == [("orders.csv", 3, code)]
    [refused] = history.rejected_rows
    assert refused["raw"] == row
    assert refused["reason"]
    assert history.prepared is not None
    assert history.prepared.refused == {code: 1}


def test_a_row_that_is_not_utf8_is_refused_alone(history: History) -> None:
    history.write(
        "orders.csv",
        f"{HEADER}\nX,ann,2025-03-01,1\nY,Zo\xeb,2025-03-01,1\nZ,ann,2025-03-01,1\n".encode("latin-1"),
    )
    assert [activity.key for activity in history.read()] == ["X", "Z"]
    assert history.rejected == [("orders.csv", 3, "not_utf8")]


def test_lines_that_disagree_with_their_order_are_refused_wherever_they_stand(history: History) -> None:
    filler = "".join(f"F{n},ann,2025-01-01,1,1,\n" for n in range(50))
    activities = history.lines(
        "A,ann,2025-03-01,1,1,2\n"
        "B,ann,2025-03-01,1,1,\n"
        "C,ann,2025-03-01,1,1,\n"
        f"{filler}"
        "A,ann,2025-03-02,1,2,2\n"  # another instant
        "A,ann,2025-03-01,1,1,2\n"  # a line_no that was there
        "A,ann,2025-03-01,1,3,5\n"  # another shipping
        "A,ann,2025-03-01,7,4,2\n"
        "B,bob,2025-03-01,1,2,\n",  # another member: nobody can tell whose order it is
        header=f"{HEADER},line_no,shipping",
    )
    orders = {a.key: a.purchase for a in activities if a.key in "ABC"}
    assert sorted(orders) == ["A", "C"]
    assert orders["A"] is not None
    assert [line.amount for line in orders["A"].lines] == [100, 700]
    assert history.rejected == [
        ("orders.csv", 3, "two_members"),
        ("orders.csv", 55, "two_instants"),
        ("orders.csv", 56, "line_twice"),
        ("orders.csv", 57, "two_totals"),
        ("orders.csv", 59, "two_members"),
    ]
    assert history.prepared is not None
    assert (history.prepared.orders, history.prepared.lines) == (52, 53)


def test_line_numbers_beyond_a_hundred_are_told_apart(history: History) -> None:
    rows = "".join(f"A,ann,2025-03-01,1,{n}\n" for n in range(300))
    [activity] = history.lines(rows, header=f"{HEADER},line_no")
    assert activity.purchase is not None
    assert len(activity.purchase.lines) == 300
    assert history.rejected == []


def test_quoted_values_may_hold_commas_quotes_and_line_breaks(history: History) -> None:
    activities = history.lines(
        'A,ann,2025-03-01,1,"a, ""b""\nand more"\nB,"ann",2025-03-01,"1.00",5" disk\n\n,,,,\nC,ann,2025-03-02,x,y\n',
        header=f"{HEADER},note",
    )
    notes = [a.purchase.lines[0].attributes for a in activities if a.purchase]
    assert notes == [{"note": 'a, "b"\nand more'}, {"note": '5" disk'}]
    assert history.rejected == [("orders.csv", 7, "not_an_amount")]


def test_a_mark_at_the_start_windows_line_ends_and_a_missing_last_one_change_nothing(
    history: History,
) -> None:
    history.write(
        "orders.csv",
        b"\xef\xbb\xbf" + f"{HEADER}\r\nA,ann,2025-03-01,1\r\nB,ann,2025-03-01,x\r\nC,ann,2025-03-01,2".encode(),
    )
    assert [activity.key for activity in history.read()] == ["A", "C"]
    assert history.rejected == [("orders.csv", 3, "not_an_amount")]
    assert history.rejected_rows[0]["raw"] == "B,ann,2025-03-01,x"


def test_a_packed_file_reads_like_a_plain_one(history: History) -> None:
    text = f"{HEADER}\n" + "".join(f"A{n},m{n % 7},2025-03-01T10:00:{n % 60:02d},{n}.5\n" for n in range(500))
    plain = history.lines(text.partition("\n")[2])
    history.write("orders.csv.gz", text)
    assert history.read() == plain


def test_a_damaged_packed_file_is_told_as_such(history: History) -> None:
    path = history.write("orders.csv.gz", f"{HEADER}\n" + "A,ann,2025-03-01,1\n" * 1000)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(HistoryError, match="damaged"):
        history.prepare()


def test_parquet_keeps_types_and_exact_amounts(history: History) -> None:
    table = pa.table(
        {
            "order_id": pa.array([1, 2, 3, 4]),
            "member_id": ["ann", "bob", "ann", "bob"],
            "occurred_at": pa.array(
                [at("2025-03-01T10:00:00Z"), None, *[at("2025-03-02T10:00:00Z")] * 2],
                pa.timestamp("us", "UTC"),
            ),
            "amount": pa.array([Decimal("1.5000"), Decimal(1), Decimal("2.5"), Decimal("0.001")], pa.decimal128(12, 4)),
            "list_amount": pa.array([0.1, 1.15, 4.35, 0.2]),
            "organic": [True, None, False, None],
            "grams": pa.array([250, 1, None, 1], pa.int32()),
            "strength": [0.3, 1.0, None, None],
        }
    )
    pq.write_table(table, history.folder / "orders.parquet")
    history.files["orders"] = history.folder / "orders.parquet"
    activities = history.read()
    assert [(a.key, a.occurred_at) for a in activities] == [
        ("1", at("2025-03-01T10:00:00Z")),
        ("3", at("2025-03-02T10:00:00Z")),
    ]
    assert [a.purchase.lines for a in activities if a.purchase] == [
        [Line(150, list_amount=10, attributes={"organic": True, "grams": 250, "strength": "0.3"})],
        [Line(250, list_amount=435, attributes={"organic": False})],
    ]
    assert history.rejected == [("orders.parquet", 2, "missing"), ("orders.parquet", 4, "not_an_amount")]
    assert json.loads(history.rejected_rows[0]["raw"])["order_id"] == 2


def test_times_without_zone_in_parquet_are_the_programs(history: History) -> None:
    stamps = pa.array([at("2025-03-01T10:00:00Z") * 1000], pa.timestamp("ns"))
    table = pa.table({"order_id": ["A"], "member_id": ["ann"], "occurred_at": stamps, "amount": [1]})
    pq.write_table(table, history.folder / "orders.parquet")
    history.files["orders"] = history.folder / "orders.parquet"
    assert history.read()[0].occurred_at == at("2025-03-01T10:00:00")


@pytest.mark.parametrize(
    ("name", "text", "match"),
    [
        ("orders.csv", "order_id,amount\nA,1\n", "lacks the column member_id and occurred_at"),
        ("orders.csv", "", "empty"),
        ("orders.csv", f"{HEADER},sku,sku\n", "twice"),
        ("orders.txt", HEADER, "must end in"),
        ("orders.parquet", "no parquet", "not a Parquet file"),
    ],
)
def test_a_file_that_is_no_history_is_refused_with_a_sentence(
    history: History, name: str, text: str, match: str
) -> None:
    history.write(name, text)
    with pytest.raises(HistoryError, match=match):
        history.prepare()


def test_a_file_with_a_header_only_is_an_empty_history(history: History) -> None:
    assert history.lines("") == []


def test_strict_stops_at_the_first_bad_row(history: History) -> None:
    history.write("orders.csv", f"{HEADER}\nA,ann,2025-03-01,1\nB,ann,2025-03-01,x\nC,ann,2025-03-01\n")
    with pytest.raises(BadRow) as caught:
        history.prepare(strict=True)
    assert (caught.value.line, caught.value.code, caught.value.raw) == (
        3,
        "not_an_amount",
        "B,ann,2025-03-01,x",
    )


def test_what_is_after_the_end_is_left_out_and_counted(history: History) -> None:
    history.write("orders.csv", f"{HEADER}\nA,ann,2025-03-01,1\nB,ann,2025-03-02,1\nC,ann,2025-03-02T00:00:01,1\n")
    prepared = history.prepare(until=at("2025-03-02"))
    assert [a.key for a in stream_all(prepared)] == ["A", "B"]
    assert (prepared.orders, prepared.later) == (2, 1)


# -- Activities ------------------------------------------------------------------------------------


def told(**fields: Any) -> str:
    return json.dumps({"type": "ran", "member_id": "ann", "occurred_at": "2025-03-01", "key": "k1"} | fields)


def test_activities_are_read_with_exact_numbers(history: History) -> None:
    history.write(
        "activities.jsonl",
        told(payload={"distance": 5.1, "laps": 3, "shoes": "red"}) + "\n\n" + told(key=2) + "\n",
    )
    assert history.read() == [
        Activity("ran", "ann", at("2025-03-01"), "activities", "2"),
        Activity(
            "ran",
            "ann",
            at("2025-03-01"),
            "activities",
            "k1",
            {"distance": "5.1", "laps": 3, "shoes": "red"},
        ),
    ]


@pytest.mark.parametrize(
    ("kind", "payload", "read"),
    [
        ("order.refunded", {"order_id": "A", "amount": "1.50"}, {"order_id": "A", "amount": 150}),
        ("order.refunded", {"order_id": "A", "amount": 1.5}, {"order_id": "A", "amount": 150}),
        (
            "order.refunded",
            {
                "order_id": "A",
                "lines": [{"line": 1, "amount": "0.5"}, {"line": 2, "quantity": 1}],
                "shipping": 2,
            },
            {
                "order_id": "A",
                "lines": [{"line": 1, "amount": 50}, {"line": 2, "quantity": 1}],
                "shipping": 200,
            },
        ),
        ("asset.adjusted", {"asset": "credit", "amount": "-1.25"}, {"asset": "credit", "amount": -125}),
        (
            "asset.opened",
            {"asset": "points", "amount": 12, "expires_at": "2025-12-31"},
            {"asset": "points", "amount": 12, "expires_at": at("2026-01-01")},
        ),
        (
            "asset.granted",
            {"asset": "points", "amount": 5, "reason": "r", "ripens_at": "2025-12-01", "expires_at": "2025-12-31"},
            {
                "asset": "points",
                "amount": 5,
                "reason": "r",
                "ripens_at": at("2025-12-01"),
                "expires_at": at("2026-01-01"),
            },
        ),
        ("asset.spent", {"stored_value": "3.50", "id": "s"}, {"stored_value": 350, "id": "s"}),
        ("asset.spend_reversed", {"id": "s", "stored_value": 1}, {"id": "s", "stored_value": 100}),
        ("asset.spend_reversed", {"id": "s"}, {"id": "s"}),
    ],
)
def test_amounts_and_ends_that_the_engine_reads_are_scaled(
    history: History, kind: str, payload: dict[str, Any], read: dict[str, Any]
) -> None:
    history.write("activities.jsonl", told(type=kind, payload=payload))
    [activity] = history.read()
    assert activity.payload == read


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "not_json"),
        ("[]", "wrong_type"),
        ('{"type": "ran"}', "missing"),
        (told(key=""), "missing"),
        (told(member_id=None), "missing"),
        (told(occurred_at="soon"), "not_an_instant"),
        (told(type="Ran!"), "wrong_type"),
        (told(payload=[1]), "wrong_type"),
        (told(payloud={}), "wrong_type"),
        (told(type="order.paid"), "told_elsewhere"),
        (told(type="asset.held", payload={"hold": "h"}), "told_elsewhere"),
        (told(type="asset.granted", payload={"asset": "points", "amount": 1, "ripens_at": 7}), "not_an_instant"),
        (told(type="asset.adjusted", payload={"asset": "gold", "amount": 1}), "unknown_asset"),
        (told(type="asset.adjusted", payload={"asset": "points", "amount": "1.5"}), "not_an_amount"),
        (told(payload={"x": "\0"}), "control_character"),
    ],
)
def test_a_bad_activity_is_refused_alone(history: History, line: str, code: str) -> None:
    history.write("activities.jsonl.gz", f"{told(key='a')}\n{line}\n{told(key='b')}\n")
    assert [activity.key for activity in history.read()] == ["a", "b"]
    assert history.rejected == [("activities.jsonl.gz", 2, code)]
    assert history.rejected_rows[0]["raw"] == line


def test_a_key_counts_once(history: History) -> None:
    history.write("activities.jsonl", "\n".join([told(payload={"n": 1}), told(payload={"n": 2})]))
    [activity] = history.read()
    assert activity.payload == {"n": 1}
    assert history.rejected == [("activities.jsonl", 2, "key_twice")]


def test_members_between_whom_value_moves_share_a_partition(history: History) -> None:
    names = [f"m{n}" for n in range(40)]
    gifts = [
        told(
            type="asset.transferred",
            member_id=a,
            key=f"{a}>{b}",
            payload={"asset": "points", "amount": 1, "to_member": b},
        )
        for a, b in pairwise(names[:21])
    ]
    history.write("activities.jsonl", "\n".join(gifts))
    history.write("orders.csv", "\n".join([HEADER, *(f"o-{name},{name},2025-03-01,1" for name in names)]))
    prepared = history.prepare(partitions=8)
    homes = {a.member_id: part for part in range(8) for a in stream(prepared, part)}
    assert len({homes[name] for name in names[:21]}) == 1
    assert len(set(homes.values())) > 1


# -- Members ---------------------------------------------------------------------------------------


def test_members_join_with_traits_identities_and_what_they_bring(history: History) -> None:
    lots = json.dumps([{"amount": 5, "expires_at": "2025-12-31", "opened_at": "2025-02-01"}, {"amount": "7"}]).replace(
        '"', '""'
    )
    history.write(
        "members.csv",
        "member_id,joined_at,phone,city,birthday,balance:credit,expires:credit,lots:points\n"
        f'ann,2025-01-01,+886912345678,Taipei,1990-02-28,12.50,2025-06-30,"{lots}"\n'
        "bob,2025-01-02,,,,,,\n",
    )
    assert [(a.type, a.member_id, a.occurred_at, a.payload) for a in history.read()] == [
        (
            "member.joined", "ann", at("2025-01-01"),
            {
                "traits": {"city": "Taipei", "birthday": "1990-02-28"},
                "identities": {"phone": "+886912345678"},
            },
        ),
        (
            "asset.opened", "ann", at("2025-01-01"),
            {"asset": "credit", "amount": 1250, "expires_at": at("2025-07-01")},
        ),
        ("asset.opened", "ann", at("2025-01-01"), {"asset": "points", "amount": 7}),
        ("member.joined", "bob", at("2025-01-02"), None),
        (
            "asset.opened", "ann", at("2025-02-01"),
            {"asset": "points", "amount": 5, "expires_at": at("2026-01-01")},
        ),
    ]  # fmt: skip


def test_identities_are_told_in_one_form_and_what_people_share_is_a_trait(history: History) -> None:
    history.write(
        "members.csv",
        "member_id,joined_at,phone,email,card,wechat_openid:wx1,device\n"
        "ann,2025-01-01,+886 (0)912-345-678,ann@EXAMPLE.com,12 34-56,oX,tablet\n",
    )
    activity = {"type": "member.updated", "member_id": "ann", "occurred_at": "2025-02-01", "key": "u"}
    told = {**activity, "payload": {"identities": {"phone": " +886 922 345 678", "card": None}}}
    history.write("activities.jsonl", json.dumps(told))
    assert [a.payload for a in history.read()] == [
        {
            "traits": {"device": "tablet"},
            "identities": {
                "phone": "+886912345678",
                "email": "ann@example.com",
                "card": "123456",
                "wechat_openid:wx1": "oX",
            },
        },
        {"identities": {"phone": "+886922345678", "card": None}},
    ]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("x,2025-01-01,12345,,", "not_a_phone"),
        ("x,2025-01-01,,null,", "identity_placeholder"),
        ("x,2025-01-01,,x@,", "not_an_email"),
        ("x,2025-01-01,,,[object Object]", "identity_placeholder"),
        ("x,2025-01-01,+886 912 345 678,,", "identity_taken"),
        ("x,2025-01-01,,ann@Example.com,9", "identity_taken"),
    ],
)
def test_a_member_called_by_nothing_or_like_another_is_refused_alone(history: History, row: str, code: str) -> None:
    history.write(
        "members.csv",
        "member_id,joined_at,phone,email,card\n"
        f"ann,2025-01-01,+886912345678,ann@example.com,7\n{row}\nbob,2025-01-01,+886922345678,,\n",
    )
    assert [activity.member_id for activity in history.read()] == ["ann", "bob"]
    assert history.rejected == [("members.csv", 3, code)]


@pytest.mark.parametrize(
    ("identities", "code"),
    [({"phone": 912345678}, "wrong_type"), (["phone"], "wrong_type"), ({"Phone": "0912345678"}, "kind_invalid")],
)
def test_an_update_tells_identities_as_texts_by_kind(history: History, identities: object, code: str) -> None:
    activity = {"type": "member.updated", "member_id": "ann", "occurred_at": "2025-02-01", "key": "u"}
    history.write("activities.jsonl", json.dumps({**activity, "payload": {"identities": identities}}))
    assert history.read() == []
    assert history.rejected == [("activities.jsonl", 1, code)]


@pytest.mark.parametrize(
    ("row", "code"),
    [
        (",2025-01-01,,,", "missing"),
        ("x,,,,", "missing"),
        ("x,2025-13-01,,,", "not_an_instant"),
        ("x,2025-01-01,1990-02-30,,", "not_a_date"),
        ("x,2025-01-01,,1.5,", "not_an_amount"),
        ("x,2025-01-01,,-1,", "negative"),
        ("x,2025-01-01,,,[{}]", "not_lots"),
        ('x,2025-01-01,,,"[{""amount"": 0}]"', "not_an_amount"),
        ("ann,2025-01-01,,,", "member_twice"),
    ],
)
def test_a_bad_member_is_refused_alone(history: History, row: str, code: str) -> None:
    history.write(
        "members.csv",
        f"member_id,joined_at,birthday,balance:points,lots:points\nann,2025-01-01,,,\n{row}\nbob,2025-01-01,,,\n",
    )
    assert [activity.member_id for activity in history.read()] == ["ann", "bob"]
    assert history.rejected == [("members.csv", 3, code)]


def test_a_balance_of_an_unknown_asset_is_told_before_anything_is_read(history: History) -> None:
    history.write("members.csv", "member_id,joined_at,balance:gold\nann,2025-01-01,5\n")
    with pytest.raises(HistoryError, match='"gold" is not an asset'):
        history.prepare()


# -- All together ----------------------------------------------------------------------------------


def test_at_one_instant_members_come_before_activities_before_orders(history: History) -> None:
    history.write("members.csv", "member_id,joined_at,balance:points\nann,2025-03-01,5\n")
    history.write("activities.jsonl", told())
    history.write("orders.csv", f"{HEADER}\nB,ann,2025-03-01,1\nA,ann,2025-03-01,1\n")
    assert [(a.source, a.key) for a in history.read()] == [
        ("members", "joined:ann"),
        ("members", "opened:ann:points:balance:1"),
        ("activities", "k1"),
        ("orders", "A"),
        ("orders", "B"),
    ]


def test_partitions_hold_each_member_once_and_together_everything(history: History) -> None:
    rows = [f"o{n},m{n % 97},2025-03-{n % 28 + 1:02d}T{n % 24:02d}:00:00,{n}.25" for n in range(2000)]
    history.write("orders.csv", "\n".join([HEADER, *rows]))
    prepared = pickle.loads(pickle.dumps(history.prepare(partitions=5)))
    parts = [list(stream(prepared, part)) for part in range(5)]
    homes: dict[str, set[int]] = {}
    for part, activities in enumerate(parts):
        assert activities == sorted(activities, key=lambda a: (a.occurred_at, a.key))
        for activity in activities:
            homes.setdefault(activity.member_id, set()).add(part)
    assert all(len(found) == 1 for found in homes.values())
    merged = sorted((a for activities in parts for a in activities), key=lambda a: (a.occurred_at, a.key))
    assert merged == list(stream_all(prepared))


def test_the_order_of_rows_in_the_file_changes_nothing(history: History) -> None:
    rows = [f"o{n // 3},m{n // 3 % 11},2025-03-{n // 3 % 28 + 1:02d},{n}.25,{n % 3}" for n in range(600)]
    there = history.lines("\n".join(rows), header=f"{HEADER},line_no")
    back = history.lines("\n".join(rows[::-1]), header=f"{HEADER},line_no")
    assert there == back


def test_progress_is_told_up_to_the_whole_file(history: History) -> None:
    seen: list[tuple[str, int, int]] = []
    path = history.write("orders.csv", f"{HEADER}\nA,ann,2025-03-01,1\n")
    history.prepare(progress=lambda what, done, total: seen.append((what, done, total)))
    assert ("orders", path.stat().st_size, path.stat().st_size) in seen


# -- The quick way and the careful way -------------------------------------------------------------


def naive(path: Path, zone: str, scale: int) -> tuple[dict[str, tuple[str, int, list[int]]], set[int]]:
    """Orders and refused lines as a reader with no hurry finds them: Python's csv, Decimal and datetime."""
    lines: dict[str, list[tuple[int, str, int, int]]] = {}
    refused = set()
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.reader(file), 1):
            if number == 1 or not any(row):
                continue
            try:
                order_id, member_id, when, amount = (normalize("NFC", value.strip()) for value in row)
                if "\u200d" in order_id + member_id:
                    raise ValueError
                money = Decimal(amount).scaleb(scale)
                if not order_id or not member_id or money != int(money) or money < 0:
                    raise ValueError
                line = number, member_id, at(when, zone), int(money)
            except (ValueError, ArithmeticError):
                refused.add(number)
            else:
                lines.setdefault(order_id, []).append(line)
    orders = {}
    for order_id, found in lines.items():
        if len({member for _, member, _, _ in found}) > 1:
            refused.update(number for number, *_ in found)
            continue
        kept = [line for line in found if line[2] == found[0][2]]
        refused.update(line[0] for line in found if line not in kept)
        orders[order_id] = (found[0][1], found[0][2], [amount for *_, amount in kept])
    return orders, refused


def test_names_that_look_the_same_are_one_however_they_are_written(history: History) -> None:
    history.write(
        "orders.csv",
        f"{HEADER}\nNo\u0308 1,Jose\u0301,2025-03-01,1\nN\xf6 2,Jos\xe9,2025-03-01,1\nN\xf6 1,Jos\xe9,2025-03-01,2\n",
    )
    history.write(
        "activities.jsonl",
        told(member_id="Jose\u0301", type="order.completed", payload={"order_id": "No\u0308 1"}, key="o\u0308")
        + "\n"
        + told(
            member_id="ann",
            type="asset.transferred",
            key="2",
            payload={"to_member": "Jose\u0301", "amount": 1, "asset": "points"},
        ),
    )
    read = history.read()
    assert sorted((a.member_id, a.key) for a in read) == [
        ("Jos\xe9", "N\xf6 1"),
        ("Jos\xe9", "N\xf6 2"),
        ("Jos\xe9", "\xf6"),
        ("ann", "2"),
    ]
    assert [a.payload for a in read if a.type == "order.completed"] == [{"order_id": "N\xf6 1"}]
    assert [a.payload["to_member"] for a in read if a.type == "asset.transferred"] == ["Jos\xe9"]
    assert history.rejected == []


WHENS = st.one_of(
    st.sampled_from(["2025-03-09T02:30", "2025-11-02 01:30:00", "2025-03-09", "soon", "", " 2025-01-01 "]),
    st.datetimes(min_value=datetime.fromisoformat("1980-01-01"), max_value=datetime.fromisoformat("2060-01-01")).map(
        datetime.isoformat
    ),
    st.datetimes(min_value=datetime.fromisoformat("2024-01-01"), max_value=datetime.fromisoformat("2026-01-01")).map(
        lambda wall: wall.isoformat(" ", "seconds") + "+05:45"
    ),
)
AMOUNTS = st.one_of(
    st.decimals(min_value=0, max_value=10**9, places=2).map(str),
    st.sampled_from(["1.005", "7", "7.", ".5", "1E+3", "-1", "0", "000.10", "", "x", " 3 ", "1.10000"]),
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["A", "B", "C", "訂單", "\xe9", "e\u0301", ""]),
        st.sampled_from(["ann", "王", "\uf90a", "金", "王\u200d"]),
        WHENS,
        AMOUNTS,
    ),
    max_size=12,
)


@given(rows=ROWS, zone=st.sampled_from(["America/New_York", "Asia/Taipei"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_careful_slow_reader_finds_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str, str, str]], zone: str
) -> None:
    history = History(tmp_path_factory.mktemp("history"))
    path = history.write("orders.csv", "\n".join([HEADER, *(",".join(row) for row in rows)]))
    orders, refused = naive(path, zone, 2)
    read = {
        a.key: (a.member_id, a.occurred_at, [line.amount for line in a.purchase.lines])
        for a in history.read(zone=zone)
        if a.purchase is not None
    }
    assert read == orders
    assert {line for _, line, _ in history.rejected} == refused
