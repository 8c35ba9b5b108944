"""Spending that the demo's data do not have: some households redeem their points at the till.

Six households in ten (drawn from a hash of their number) redeem whole hundreds of points as soon as they
have five hundred, on their next visit. What they surely have is reckoned low: a point per whole dollar of a
basket without the excluded departments, no multipliers, gone after 120 days. So none is refused.
"""

from __future__ import annotations

import json
from collections import deque
from hashlib import blake2b
from pathlib import Path

import duckdb

from shuke.values.instants import DAY, Instant, format_instant

SHARE_OF_TEN = 6
FROM_POINTS = 500
STEP_POINTS = 100
LASTS = 120 * DAY


def write_spending(orders: Path, target: Path, *, zone: str, excluded: tuple[str, ...]) -> int:
    """Append ``asset.spent`` activities for the baskets of ``orders`` to the file ``target``; how many."""
    rows = duckdb.execute(
        f"""
        select member_id, order_id, epoch_us(any_value(occurred_at)) as at_,
            coalesce(sum(amount) filter (where coalesce(category, '') not in {excluded}), 0)::bigint
        from '{orders}' group by member_id, order_id order by member_id, at_, order_id
        """
    ).fetchall()
    count, household = 0, ""
    purse: deque[list[int]] = deque()
    with target.open("a", encoding="utf-8") as out:
        for member_id, order_id, at, dollars in rows:
            if member_id != household:
                household = member_id
                purse.clear()
            if _redeems(member_id):
                points = _whole_steps(purse, at)
                if points:
                    out.write(json.dumps(_spent(member_id, order_id, at, points, zone)) + "\n")
                    count += 1
            purse.append([at, max(0, dollars - 1)])
    return count


def _redeems(member_id: str) -> bool:
    return blake2b(f"redeems {member_id}".encode(), digest_size=1).digest()[0] % 10 < SHARE_OF_TEN


def _whole_steps(purse: deque[list[int]], at: Instant) -> int:
    """Points to redeem now, taken out of the purse; 0 while there are not enough."""
    while purse and purse[0][0] < at - LASTS:
        purse.popleft()
    have = sum(points for _, points in purse)
    if have < FROM_POINTS:
        return 0
    wanted = left = have // STEP_POINTS * STEP_POINTS
    while left:
        taken = min(left, purse[0][1])
        purse[0][1] -= taken
        left -= taken
        if purse[0][1] == 0:
            purse.popleft()
    return wanted


def _spent(member_id: str, order_id: str, at: Instant, points: int, zone: str) -> dict[str, object]:
    return {
        "type": "asset.spent",
        "member_id": member_id,
        "occurred_at": format_instant(at, zone=zone),
        "key": f"spent:{order_id}",
        "payload": {"asset": "points", "amount": points, "reference": order_id},
    }
