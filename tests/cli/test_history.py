"""import and replay."""

import csv
import json

import pyarrow.parquet as pq
import pytest

from tests.cli.conftest import HISTORY, ORDERS

BAD_ROW = "C-1,M-3,not a date,10.00\n"


@pytest.fixture
def shuke(make_shuke, unborn_tenant):
    """The command with a program published and nothing imported yet."""
    shuke = make_shuke(unborn_tenant)
    for arguments in (("init",), ("publish", "program.yaml")):
        said = shuke(*arguments)
        assert said.status == 0, said.err
    return shuke


def everything(shuke):
    """What the books say of everybody."""
    return [shuke("member", "show", member, "--json", "--entries", "100").json for member in ("M-1", "M-2")]


def test_a_history_imported_twice_makes_the_same_books(shuke):
    first = shuke.process("import", *HISTORY, "--json", "--jobs", "2")
    assert first.status == 0, first.err
    assert {name: first.json[name] for name in ("settled", "repeated", "refused", "rejected_rows")} == {
        "settled": 8,
        "repeated": 0,
        "refused": {"order_unknown": 1},
        "rejected_rows": {},
    }
    before = everything(shuke)
    second = shuke.process("import", *HISTORY, "--json", "--jobs", "2")
    assert second.status == 0, second.err
    assert (second.json["settled"], second.json["repeated"]) == (0, 9)
    assert everything(shuke) == before
    assert shuke("verify").status == 0


def test_bad_rows_go_to_a_file_and_the_rest_is_settled(shuke):
    shuke.write("orders.csv", ORDERS + BAD_ROW)
    said = shuke("import", "--orders", "orders.csv", "--jobs", "1")
    assert said.status == 1
    assert "1 row was rejected; see rejected.csv" in said.out
    with (shuke.folder / "rejected.csv").open(encoding="utf-8", newline="") as file:
        (row,) = csv.DictReader(file)
    assert (row["file"], row["line"], row["code"]) == ("orders.csv", "5", "not_an_instant")
    assert shuke("member", "show", "M-2", "--json").status == 0


def test_a_strict_import_stops_at_the_first_bad_row_and_settles_nothing(shuke):
    shuke.write("orders.csv", ORDERS + BAD_ROW)
    said = shuke("import", "--orders", "orders.csv", "--strict")
    assert (said.status, said.out) == (1, "")
    assert "orders.csv, line 5" in said.err
    assert "Nothing was settled." in said.err
    assert shuke("member", "show", "M-1").status == 2


def test_a_dry_run_says_what_would_happen_and_settles_nothing(shuke):
    said = shuke("import", *HISTORY, "--dry-run", "--json")
    assert said.status == 0, said.err
    assert (said.json["orders"], said.json["assets"]["points"]["issued"]) == (3, 346)
    assert shuke("member", "show", "M-1").status == 2


def test_a_replay_needs_no_books_and_writes_its_tables(make_shuke):
    shuke = make_shuke("no_books", SHUKE_DATABASE_URL="", SHUKE_HOME="/nowhere")
    said = shuke("replay", "program.yaml", *HISTORY, "--out", "tried", "--until", "2026-01-01", "--jobs", "1")
    assert said.status == 0, said.err
    summary = json.loads((shuke.folder / "tried" / "summary.json").read_text())
    assert (summary["members"], summary["orders"]) == (2, 3)
    assert summary["assets"]["points"]["expired"] == 40
    assert "points      346" in said.out
    tables = ["entries", "members", "tiers"]
    rows = {name: pq.read_table(shuke.folder / "tried" / f"{name}.parquet").num_rows for name in tables}
    assert rows["members"] == 2
    assert rows["entries"] == 7


def test_a_replay_with_bad_rows_says_so(make_shuke):
    shuke = make_shuke("bad_rows")
    shuke.write("orders.csv", ORDERS + BAD_ROW)
    said = shuke("replay", "program.yaml", "--orders", "orders.csv", "--out", "tried", "--json", "--jobs", "1")
    assert said.status == 1
    assert said.json["rejected_rows"] == {"not_an_instant": 1}
    assert (shuke.folder / "tried" / "rejected.csv").exists()


def test_a_program_that_is_not_sound_is_not_replayed(make_shuke):
    shuke = make_shuke("unsound")
    shuke.write("draft.yaml", "id: coffee\n")
    said = shuke("replay", "draft.yaml", "--orders", "orders.csv", "--out", "tried")
    assert (said.status, said.out) == (2, "")
    assert "draft.yaml is not a sound program." in said.err
    assert not (shuke.folder / "tried").exists()
