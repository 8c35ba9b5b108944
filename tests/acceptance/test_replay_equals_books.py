"""ACCEPTANCE 40: a program replayed over a history equals a live run of the same program over the same history,
to the last entry."""

import asyncio
import csv
import json
import random
from datetime import UTC, datetime, timedelta

import pyarrow.parquet as pq
import pytest

from shuke.engine.activity import (
    ASSET_ADJUSTED,
    ASSET_SPENT,
    ASSET_TRANSFERRED,
    COUPON_ISSUED,
    ORDER_CANCELLED,
    ORDER_COMPLETED,
    ORDER_REFUNDED,
    ORDER_REOPENED,
    TOPPED_UP,
    UPDATED,
)
from shuke.intake.importer import import_history
from shuke.program.document import read
from shuke.replay.history import prepare
from shuke.replay.run import replay
from shuke.runtime import due
from tests.property.rich_shop import FIRST
from tests.shop import at, open_shop

pytestmark = pytest.mark.database

UNSHARED = FIRST.replace(", limits: {total: 120}", "").replace(", limits: {total: 9, redeemed_total: 5}", "")
START = datetime(2026, 1, 5, tzinfo=UTC)
END = at("2026-09-01")
MEMBERS = [f"m{number:02}" for number in range(25)]


def write_history(folder, *, seed):
    """A year of a small shop as files: what a merchant would bring. Some of it is late, some is nonsense."""
    dice = random.Random(seed)
    orders, told = [], []
    moment = START

    def tell(type_, member, **payload):
        line = {"type": type_, "member_id": member, "occurred_at": moment.isoformat(), "key": f"k{len(told)}"}
        told.append({**line, "payload": payload})

    for number in range(700):
        moment += timedelta(minutes=dice.randrange(1, 500))
        member = dice.choice(MEMBERS)
        for line in range(1, dice.randrange(2, 5)):
            amount = f"{dice.randrange(0, 90)}.{dice.randrange(100):02}"
            category = dice.choice(["coffee", "tea", ""])
            orders.append(
                [f"o{number}", member, moment.isoformat(), line, amount, category, dice.randrange(1, 4), "wet"]
            )
        about = f"o{dice.randrange(max(0, number - 40), number + 1)}"
        owner = next(order[1] for order in orders if order[0] == about)
        match dice.randrange(12):
            case 0:
                tell(ORDER_REFUNDED, owner, order_id=about, amount=f"{dice.randrange(1, 30)}.5")
            case 1:
                tell(ORDER_REFUNDED, owner, order_id=about, lines=[{"line": 1, "quantity": 1}])
            case 2:
                tell(dice.choice([ORDER_CANCELLED, ORDER_REOPENED]), owner, order_id=about)
            case 3 | 4:
                tell(ORDER_COMPLETED, owner, order_id=about)
            case 5:
                tell(ASSET_SPENT, member, asset="points", amount=dice.randrange(1, 60))
            case 6:
                to = dice.choice(MEMBERS)
                tell(ASSET_TRANSFERRED, member, asset="points", amount=dice.randrange(1, 20), to_member=to)
            case 7:
                tell(ASSET_ADJUSTED, member, asset="stars", amount="1.5", reason="sorry")
            case 8:
                tell("visited", member, distance=1.25, mood="12.50")
            case 9:
                tell(COUPON_ISSUED, member, template="ten")
            case 10:
                tell(TOPPED_UP, member, id=f"t{number}", amount=dice.choice(["100", "12.34"]))
            case 11:
                tell(UPDATED, member, traits={"height": 1.75, "shoes": "42"}, tags=["wet"])
    dice.shuffle(told)
    with (folder / "orders.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        header = ["order_id", "member_id", "occurred_at", "line_no", "amount", "category", "quantity", "weather"]
        writer.writerows([header, *orders])
    (folder / "activities.jsonl").write_text("\n".join(json.dumps(activity) for activity in told))
    with (folder / "members.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["member_id", "joined_at", "city", "balance:points", "expires:points"])
        writer.writerows(
            [member, "2025-12-01T09:00", "Taipei", 40 + number, "2026-03-01"] for number, member in enumerate(MEMBERS)
        )
    return {
        name: folder / f"{name}.{kind}"
        for name, kind in (("orders", "csv"), ("activities", "jsonl"), ("members", "csv"))
    }


ENTRIES = """
    select e.member_id, (extract(epoch from e.occurred_at) * 1000000)::bigint, e.asset, e.amount, e.kind, e.rule,
        e.order_id, e.debit, e.credit
    from entry e join activity a on a.id = e.activity_id order by e.member_id, a.seq, e.no
"""


@pytest.mark.parametrize(("program", "jobs"), [(FIRST, 2), (UNSHARED, 2), (UNSHARED, 1)], ids=["shared", "two", "one"])
def test_a_program_replayed_over_a_history_equals_a_live_run_over_it_to_the_last_entry(
    books_url, tenant, tmp_path, program, jobs
):
    files = write_history(tmp_path, seed=40)
    report = asyncio.run(live(books_url, tenant, program, files, tmp_path, jobs))
    assert (report.failed, report.rejected_rows) == (0, {})
    document = read(program)
    prepared = prepare(
        **files,
        zone=document.zone,
        currency_scale=document.scale,
        asset_scales={asset.id: asset.scale for asset in document.assets},
        partitions=1 if program == FIRST else 4,
        workdir=tmp_path / "replay",
        rejected=tmp_path / "rejected.csv",
    )
    out = tmp_path / "out"
    summary = replay(document, prepared, out=out, until=END, jobs=jobs)
    assert summary["refused"] == report.refused
    entries, members, findings = asyncio.run(stored(books_url, tenant))
    assert findings == []
    assert len(entries) > 2000
    assert replayed_entries(out) == entries
    assert replayed_members(out) == members


async def live(url, tenant, program, files, folder, jobs):
    async with open_shop(url, tenant=tenant, program=program) as shop:
        report = await asyncio.to_thread(
            import_history,
            url=url,
            tenant=tenant,
            **files,
            workdir=folder / "import",
            rejected=folder / "rejected-live.csv",
            jobs=jobs,
        )
        await due.advance(shop.settler, until=END)
        return report


async def stored(url, tenant):
    async with open_shop(url, tenant=tenant, program=None) as shop:
        rows = await shop.rows(
            "select member_id, tiers ->> 'main', (balances ->> 'points')::int from member order by 1"
        )
        return await shop.rows(ENTRIES), rows, await shop.findings()


def replayed_entries(out):
    """The replay's entries member by member; each member's are in the order in which they were settled."""
    rows = pq.read_table(out / "entries.parquet").to_pylist()
    found = [
        (
            row["member_id"],
            (row["occurred_at"] - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1),
            *(row[name] for name in ("asset", "moved", "kind", "rule", "order_id", "debit", "credit")),
        )
        for row in rows
    ]
    return sorted(found, key=lambda row: row[0])


def replayed_members(out):
    rows = pq.read_table(out / "members.parquet").to_pylist()
    return sorted((row["member_id"], row["tier.main"], row["balance.points"]) for row in rows)
