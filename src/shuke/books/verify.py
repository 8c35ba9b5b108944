"""Proving the books: everything that is stored twice agrees, and settling the log again gives what is stored.

Bucket by bucket, member by member, so memory stays flat. Each finding names the row; what is wrong with one
member is found by ``books.proof``, what is wrong between members here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any, LiteralString

from msgspec import Struct

from shuke.books.load import Connection
from shuke.books.proof import Finding, Kept, LogRow, Row, check_member
from shuke.engine.compiled import Editions
from shuke.values.ids import BUCKETS
from shuke.values.instants import NEVER

__all__ = ["Finding", "Verified", "verify"]

# Rows come in the order of member ids as Python compares them. What never happens is null in a column.
MEMBERS: LiteralString = f"""
    select member_id, seq, state,
        coalesce((extract(epoch from due_at) * 1000000)::bigint, {NEVER}), tiers, balances, status,
        (extract(epoch from joined_at) * 1000000)::bigint, traits, tags
    from member where bucket = %s order by member_id collate "C"
"""
ACTIVITIES: LiteralString = """
    select member_id, seq, source, key, type, (extract(epoch from occurred_at) * 1000000)::bigint, version,
        digest, body::text, answer::text, context
    from activity where bucket = %s order by member_id collate "C", seq
"""
ENTRIES: LiteralString = """
    select member_id, seq, no, asset, kind, debit, credit, amount, coalesce(lot, 0), rule, order_id, version,
        (extract(epoch from occurred_at) * 1000000)::bigint, why
    from entry where bucket = %s order by member_id collate "C", seq, no
"""
ORDERS: LiteralString = """
    select member_id, order_id, (extract(epoch from placed_at) * 1000000)::bigint, status, amount, channel,
        store, settlement
    from orders where bucket = %s order by member_id collate "C"
"""
LOTS: LiteralString = f"""
    select member_id, asset, lot, (extract(epoch from opened_at) * 1000000)::bigint,
        coalesce((extract(epoch from ripens_at) * 1000000)::bigint, {NEVER}),
        coalesce((extract(epoch from expires_at) * 1000000)::bigint, {NEVER})
    from lot where bucket = %s order by member_id collate "C"
"""
TIER_CHANGES: LiteralString = f"""
    select member_id, seq, no, ladder, from_tier, to_tier, (extract(epoch from at) * 1000000)::bigint,
        coalesce((extract(epoch from until) * 1000000)::bigint, {NEVER}), reason
    from tier_change where bucket = %s order by member_id collate "C", seq, no
"""
COUPONS: LiteralString = f"""
    select member_id, coupon_id, template, code, state,
        coalesce((extract(epoch from valid_until) * 1000000)::bigint, {NEVER}), order_id
    from coupon where bucket = %s order by member_id collate "C"
"""

INHABITED: LiteralString = "select from member where bucket = %s limit 1"

ORPHANS: LiteralString = """
    select 'entry', e.member_id || '/' || e.seq || '/' || e.no from entry e
    where e.bucket = %(bucket)s and not exists (
        select from activity a where a.bucket = e.bucket and a.member_id = e.member_id and a.seq = e.seq)
    union all
    select 'tier_change', t.member_id || '/' || t.seq || '/' || t.no from tier_change t
    where t.bucket = %(bucket)s and not exists (
        select from activity a where a.bucket = t.bucket and a.member_id = t.member_id and a.seq = t.seq)
    union all
    select r.name, r.member_id || '/' || r.key from (
        select 'activity' as name, bucket, member_id, seq::text as key from activity where bucket = %(bucket)s
        union all
        select 'orders', bucket, member_id, order_id from orders where bucket = %(bucket)s
        union all
        select 'lot', bucket, member_id, asset || '/' || lot from lot where bucket = %(bucket)s
        union all
        select 'coupon', bucket, member_id, coupon_id from coupon where bucket = %(bucket)s
    ) r
    where not exists (select from member m where m.bucket = r.bucket and m.member_id = r.member_id)
    limit 100
"""

QUOTAS: LiteralString = "select quota, used from quota where period = ''"
STRAYS: LiteralString = """
    select 'member', member_id from member where bucket not between 0 and %(last)s
    union all
    select 'activity', member_id || '/' || seq from activity where bucket not between 0 and %(last)s
    limit 100
"""


class Verified(Struct):
    """What was looked at."""

    members: int = 0
    activities: int = 0
    entries: int = 0
    orders: int = 0


async def verify(
    connection: Connection,
    editions: Editions,
    *,
    progress: Callable[[int, int], None] | None = None,
    seen: Verified | None = None,
) -> AsyncIterator[Finding]:
    """Check every bucket; yields what does not agree, ``progress(buckets done, of)`` after each.

    Run it in a repeatable-read transaction, so that settling may go on meanwhile.
    """
    seen = Verified() if seen is None else seen
    claimed: dict[str, int] = {}
    sound = True
    for bucket in range(BUCKETS):
        async for kept in _members(connection, bucket):
            seen.members += 1
            seen.activities += len(kept.log)
            seen.entries += len(kept.entries)
            seen.orders += len(kept.orders)
            for finding in check_member(kept, editions, claimed):
                sound = False
                yield finding
        async for finding in _orphans(connection, bucket):
            sound = False
            yield finding
        if progress is not None:
            progress(bucket + 1, BUCKETS)
    async for finding in _between_members(connection, claimed if sound else None):
        yield finding


class _Side:
    """A table read in the order of member ids, a member's rows at a time."""

    def __init__(self, connection: Connection, name: str, query: LiteralString, bucket: int) -> None:
        self._cursor = connection.cursor(name=f"verify_{name}_{bucket}")
        self._cursor.itersize = 5000
        self._query, self._bucket = query, bucket
        self._ahead: Row | None = None

    async def open(self) -> None:
        await self._cursor.execute(self._query, (self._bucket,))
        self._rows = aiter(self._cursor)
        self._ahead = await anext(self._rows, None)

    async def take(self, member_id: str) -> list[Row]:
        """The rows of ``member_id``, without the id; rows of members that do not exist are passed over
        (``_orphans`` finds them)."""
        found: list[Row] = []
        while self._ahead is not None and self._ahead[0] <= member_id:
            if self._ahead[0] == member_id:
                found.append(self._ahead[1:])
            self._ahead = await anext(self._rows, None)
        return found

    async def close(self) -> None:
        await self._cursor.close()


_SIDES: dict[str, LiteralString] = {
    "activities": ACTIVITIES,
    "entries": ENTRIES,
    "orders": ORDERS,
    "lots": LOTS,
    "tier_changes": TIER_CHANGES,
    "coupons": COUPONS,
}


async def _members(connection: Connection, bucket: int) -> AsyncIterator[Kept]:
    """One member after the other with all her rows: the tables are read side by side in the same order."""
    cursor = await connection.execute(INHABITED, (bucket,))
    if await cursor.fetchone() is None:
        return
    sides = {name: _Side(connection, name, query, bucket) for name, query in _SIDES.items()}
    for side in sides.values():
        await side.open()
    async with connection.cursor(name=f"verify_members_{bucket}") as members:
        await members.execute(MEMBERS, (bucket,))
        async for row in members:
            rows = {name: await side.take(row[0]) for name, side in sides.items()}
            kept = Kept(bucket, *row)
            kept.log = [LogRow(*found) for found in rows["activities"]]
            kept.entries = _keyed(rows["entries"])
            kept.orders = {found[0]: found[1:] for found in rows["orders"]}
            kept.lots = _keyed(rows["lots"])
            kept.tier_changes = _keyed(rows["tier_changes"])
            kept.coupons = {found[0]: found[1:] for found in rows["coupons"]}
            yield kept
    for side in sides.values():
        await side.close()


def _keyed(rows: list[Row]) -> dict[Any, Row]:
    """Rows whose key, behind the member's id, has two columns."""
    return {row[:2]: row[2:] for row in rows}


async def _orphans(connection: Connection, bucket: int) -> AsyncIterator[Finding]:
    cursor = await connection.execute(ORPHANS, {"bucket": bucket})
    for table, key in await cursor.fetchall():
        yield Finding("no_cause", f"{table} {key}", "This row has no activity or member it could come from.")


async def _between_members(connection: Connection, claimed: dict[str, int] | None) -> AsyncIterator[Finding]:
    """Nobody lives in a bucket there is not; quotas are what all members together claimed.

    ``claimed`` is None where some member could not be settled again, so that nothing can be said of quotas.
    """
    cursor = await connection.execute(STRAYS, {"last": BUCKETS - 1})
    for table, key in await cursor.fetchall():
        yield Finding("no_bucket", f"{table} {key}", f"There are only the buckets 0 to {BUCKETS - 1}.")
    if claimed is None:
        return
    cursor = await connection.execute(QUOTAS)
    used: dict[str, int] = dict(await cursor.fetchall())
    for quota in sorted(used.keys() | claimed.keys()):
        if used.get(quota, 0) != claimed.get(quota, 0):
            sentence = f"Used {used.get(quota, 0)}, but members claimed {claimed.get(quota, 0)}."
            yield Finding("quota", f"quota {quota}", sentence)
