"""The demo, on files of the real data's shape: the whole way, without the network."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from shuke.cli.demo import demo_program
from shuke.intake.complete_journey import PACKAGE, VERSION, Campaign
from shuke.intake.complete_journey_spending import write_spending
from shuke.program.checks import check
from tests.cli.conftest import Make
from tests.intake.test_complete_journey import write_tables


def test_the_demo_program_is_sound_with_the_campaigns_of_the_data() -> None:
    campaign = Campaign(8, "Type A", "2017-05-08", "2017-06-25", 3, 9, 2, 150, ["GROCERY"])
    assert [problem for problem in check(demo_program([campaign])) if problem.severity == "error"] == []


@pytest.mark.parametrize(
    ("language", "tiers", "proved"),
    [("en", "Tiers", "everything agrees"), ("zh-Hant", "會員等級", "agrees"), ("zh-Hans", "会员等级", "agrees")],
)
def test_the_demo_settles_the_year_proves_the_books_and_reports(
    make_shuke: Make, tmp_path: Path, language: str, tiers: str, proved: str
) -> None:
    shuke = make_shuke("unused", SHUKE_HOME=str(tmp_path))
    write_tables(tmp_path / "demo" / "package" / f"{PACKAGE}-{VERSION}")
    said = shuke("demo", "--jobs", "1", "--lang", language)
    assert (said.status, tiers in said.out, proved in said.err) == (0, True, True), said.err
    assert "206 orders" in said.err
    again = shuke("demo", "--jobs", "1", "--lang", language)
    assert again.out == said.out


def test_households_redeem_only_what_they_surely_have(tmp_path: Path) -> None:
    orders = tmp_path / "orders.parquet"
    duckdb.execute(
        f"""
        copy (select 'o' || n as order_id, 'hh_' || n % 7 as member_id, 'GROCERY' as category,
            timestamptz '2017-01-01' + n * interval '1 day' as occurred_at, 90.00::decimal(12, 2) as amount
            from range(300) t(n)) to '{orders}' (format parquet)
        """
    )
    target = tmp_path / "activities.jsonl"
    count = write_spending(orders, target, zone="America/New_York", excluded=("FUEL",))
    lines = target.read_text().splitlines()
    assert count == len(lines) > 0
    assert all('"amount": 500' in line or '"amount": 600' in line for line in lines)
