"""Proving the books: everything that is stored twice agrees, and a replay of the log gives what is stored.

Bucket by bucket, member by member, so memory stays flat. Each finding names the row. The order of the
checks is from the ground up: a broken entry is reported as such before the balance it spoils.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, LiteralString

from msgspec import Struct, json

from shuke.books.load import Connection
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.effects import DEBT, MEMBER_ACCOUNTS, PENDING, Entry
from shuke.engine.member import Member, pack, unpack
from shuke.engine.needs import needs
from shuke.engine.orders import Order, pack_order
from shuke.engine.step import step
from shuke.engine.turn import Context
from shuke.values.ids import BUCKETS
from shuke.values.instants import NEVER

MEMBERS: LiteralString = """
    select member_id, seq, state, (extract(epoch from due_at) * 1000000)::bigint, tiers, balances
    from member where bucket = %s order by member_id
"""
ACTIVITIES: LiteralString = """
    select member_id, seq, body::text, context, version from activity where bucket = %s order by member_id, seq
"""
ENTRIES: LiteralString = """
    select member_id, seq, no, asset, kind, debit, credit, amount, coalesce(lot, 0), rule, order_id, version,
        (extract(epoch from occurred_at) * 1000000)::bigint, why
    from entry where bucket = %s order by member_id, seq, no
"""
ORDERS: LiteralString = """
    select member_id, order_id, settlement from orders where bucket = %s order by member_id, order_id
"""
LOTS: LiteralString = "select member_id, asset, lot from lot where bucket = %s order by member_id, asset, lot"

_decode_activity = json.Decoder(Activity).decode


class Finding(Struct):
    """Something that does not agree. ``row`` names the table and key; ``sentence`` says what is wrong."""

    code: str
    row: str
    sentence: str


class Verified(Struct):
    """What was looked at."""

    members: int = 0
    activities: int = 0
    entries: int = 0
    orders: int = 0


class _Kept(Struct):
    """All stored rows of one member."""

    member_id: str
    seq: int
    state: bytes
    due_at: int | None
    tiers: dict[str, str]
    balances: dict[str, int]
    activities: list[tuple[Any, ...]] = []
    entries: list[tuple[Any, ...]] = []
    orders: dict[str, bytes] = {}
    lots: set[tuple[str, int]] = set()


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
    for bucket in range(BUCKETS):
        async for kept in _members(connection, bucket):
            seen.members += 1
            seen.activities += len(kept.activities)
            seen.entries += len(kept.entries)
            seen.orders += len(kept.orders)
            for finding in check_member(kept, editions):
                yield finding
        async for finding in _orphans(connection, bucket):
            yield finding
        if progress is not None:
            progress(bucket + 1, BUCKETS)


async def _members(connection: Connection, bucket: int) -> AsyncIterator[_Kept]:
    """One member after the other with all her rows: the tables are read side by side in the same order."""
    readers = {
        name: _Side(connection, name, query, bucket)
        for name, query in (
            ("activities", ACTIVITIES),
            ("entries", ENTRIES),
            ("orders", ORDERS),
            ("lots", LOTS),
        )
    }
    for side in readers.values():
        await side.open()
    async with connection.cursor(name=f"verify_members_{bucket}") as members:
        await members.execute(MEMBERS, (bucket,))
        async for row in members:
            kept = _Kept(*row)
            kept.activities = await readers["activities"].take(kept.member_id)
            kept.entries = await readers["entries"].take(kept.member_id)
            kept.orders = {
                order_id: body for _, order_id, body in await readers["orders"].take(kept.member_id)
            }
            kept.lots = {(asset, lot) for _, asset, lot in await readers["lots"].take(kept.member_id)}
            yield kept
    for side in readers.values():
        await side.close()


class _Side:
    """A table read in the order of member ids, a member's rows at a time."""

    def __init__(self, connection: Connection, name: str, query: LiteralString, bucket: int) -> None:
        self._cursor = connection.cursor(name=f"verify_{name}_{bucket}")
        self._cursor.itersize = 5000
        self._query, self._bucket = query, bucket
        self._ahead: tuple[Any, ...] | None = None

    async def open(self) -> None:
        await self._cursor.execute(self._query, (self._bucket,))
        self._rows = aiter(self._cursor)
        self._ahead = await anext(self._rows, None)

    async def take(self, member_id: str) -> list[tuple[Any, ...]]:
        """The rows of ``member_id``; rows of members that do not exist are passed over (``_orphans`` finds them)."""
        found: list[tuple[Any, ...]] = []
        while self._ahead is not None and self._ahead[0] <= member_id:
            if self._ahead[0] == member_id:
                found.append(self._ahead)
            self._ahead = await anext(self._rows, None)
        return found

    async def close(self) -> None:
        await self._cursor.close()


ORPHANS: LiteralString = """
    select 'entry', e.member_id || '/' || e.seq || '/' || e.no from entry e
    where e.bucket = %(bucket)s and not exists (
        select from activity a where a.bucket = e.bucket and a.member_id = e.member_id and a.seq = e.seq)
    union all
    select 'activity', a.member_id || '/' || a.seq from activity a
    where a.bucket = %(bucket)s and not exists (
        select from member m where m.bucket = a.bucket and m.member_id = a.member_id)
    union all
    select 'orders', o.member_id || '/' || o.order_id from orders o
    where o.bucket = %(bucket)s and not exists (
        select from member m where m.bucket = o.bucket and m.member_id = o.member_id)
    limit 100
"""


async def _orphans(connection: Connection, bucket: int) -> AsyncIterator[Finding]:
    cursor = await connection.execute(ORPHANS, {"bucket": bucket})
    for table, key in await cursor.fetchall():
        yield Finding("no_cause", f"{table} {key}", "This row has no activity or member it could come from.")


def check_member(kept: _Kept, editions: Editions) -> Iterator[Finding]:
    """What does not agree about one member. Later checks are left out once an earlier one failed."""
    checks: tuple[Callable[[_Kept, Editions], Iterator[Finding]], ...] = (
        _log,
        _entries,
        _balances,
        _columns,
        _replay,
    )
    for check in checks:
        broken = False
        for finding in check(kept, editions):
            broken = True
            yield finding
        if broken:
            return


def _log(kept: _Kept, editions: Editions) -> Iterator[Finding]:
    """The log has no gaps and ends where the member says."""
    del editions
    for expected, row in enumerate(kept.activities, 1):
        if row[1] != expected:
            yield Finding(
                "log_gap", f"activity {kept.member_id}/{row[1]}", f"Activity {expected} is missing."
            )
            return
    if len(kept.activities) != kept.seq:
        sentence = f"The member counts {kept.seq} activities, the log has {len(kept.activities)}."
        yield Finding("log_length", f"member {kept.member_id}", sentence)


def _entries(kept: _Kept, editions: Editions) -> Iterator[Finding]:
    """Every entry moves something, has a cause, and a lot that was opened; no account falls below zero."""
    versions = {edition.version for edition in editions.compiled}
    accounts: dict[tuple[str, str], int] = {}
    for row in kept.entries:
        _, seq, no, asset, kind, debit, credit, amount, lot, _, _, version, _, _ = row
        name = f"entry {kept.member_id}/{seq}/{no}"
        if version not in versions or not 1 <= seq <= kept.seq:
            yield Finding("no_cause", name, f"There is no version {version} or no activity {seq} behind it.")
        if lot and (asset, lot) not in kept.lots:
            yield Finding("no_lot", name, f"Lot {lot} of {asset} was never opened.")
        for account, change in ((debit, -amount), (credit, amount)):
            if account not in MEMBER_ACCOUNTS:
                continue
            left = accounts[asset, account] = accounts.get((asset, account), 0) + change
            if (left < 0) is (account != DEBT) and left:
                sentence = f"After this {kind} the account {account} of {asset} stands at {left}."
                yield Finding("account_out_of_bounds", name, sentence)
                return


def _balances(kept: _Kept, editions: Editions) -> Iterator[Finding]:
    """Balance = entries = lots."""
    del editions
    accounts: dict[tuple[str, str], int] = {}
    lots: dict[tuple[str, int, str], int] = {}
    for row in kept.entries:
        _, _, _, asset, _, debit, credit, amount, lot, *_ = row
        for account, change in ((debit, -amount), (credit, amount)):
            if account in MEMBER_ACCOUNTS:
                accounts[asset, account] = accounts.get((asset, account), 0) + change
                lots[asset, lot, account] = lots.get((asset, lot, account), 0) + change
    member = unpack(kept.state)
    for asset, purse in member.purses.items():
        for account, stored in (
            ("available", purse.available),
            ("pending", purse.pending),
            ("held", purse.held),
            (DEBT, -purse.debt),
        ):
            booked = accounts.pop((asset, account), 0)
            if booked != stored:
                sentence = f"{asset} {account}: the member says {stored}, her entries say {booked}."
                yield Finding("balance", f"member {kept.member_id}", sentence)
        for account, held in (("available", purse.lots), (PENDING, purse.ripening)):
            for lot in held:
                booked = lots.pop((asset, lot.no, account), 0)
                if booked != lot.amount:
                    sentence = (
                        f"{asset} lot {lot.no}: the member says {lot.amount}, her entries say {booked}."
                    )
                    yield Finding("lot", f"lot {kept.member_id}/{asset}/{lot.no}", sentence)
    for (asset, lot_no, account), booked in lots.items():
        if booked and account in ("available", PENDING):
            sentence = f"{asset} lot {lot_no}: the member knows nothing of the {booked} her entries say."
            yield Finding("lot", f"lot {kept.member_id}/{asset}/{lot_no}", sentence)
    for (asset, account), booked in accounts.items():
        if booked:
            sentence = f"{asset} {account}: the member says nothing, her entries say {booked}."
            yield Finding("balance", f"member {kept.member_id}", sentence)


def _columns(kept: _Kept, editions: Editions) -> Iterator[Finding]:
    """What stands beside the state agrees with it."""
    del editions
    member = unpack(kept.state)
    beside: tuple[tuple[str, object, object], ...] = (
        ("seq", kept.seq, member.seq),
        ("tiers", kept.tiers, member.tiers),
        ("balances", kept.balances, {asset: purse.available for asset, purse in member.purses.items()}),
        ("due_at", NEVER if kept.due_at is None else kept.due_at, member.due_at),
    )
    for name, stored, derived in beside:
        if stored != derived:
            sentence = f"The column {name} says {stored}, the state says {derived}."
            yield Finding("column", f"member {kept.member_id}", sentence)


def _replay(kept: _Kept, editions: Editions) -> Iterator[Finding]:
    """Stepping through the log again gives the same entries, orders and state, to the last byte."""
    member = Member(kept.member_id, 0)
    orders: dict[str, Order] = {}
    entries = iter(kept.entries)
    for row in kept.activities:
        activity = _decode_activity(row[2])
        need = needs(editions, activity)
        found = {order_id: orders[order_id] for order_id in need.orders if order_id in orders}
        told = row[3] or {}
        settled = step(editions, member, activity, Context(found, dict(told.get("taken", {}))))
        member = settled.member
        orders.update(settled.effects.orders)
        for no, entry in enumerate(settled.effects.entries):
            stored = next(entries, None)
            if stored is None or stored[1:] != _row(row[1], no, entry):
                sentence = f"Settling activity {row[1]} again gives {_words(entry)}."
                where = f"entry {kept.member_id}/{row[1]}/{no}"
                yield Finding("replay_entry", where, sentence)
                return
    extra = next(entries, None)
    if extra is not None:
        where = f"entry {kept.member_id}/{extra[1]}/{extra[2]}"
        yield Finding("replay_entry", where, "Settling the log again does not give this entry.")
        return
    for order_id, body in kept.orders.items():
        if order_id not in orders or pack_order(orders[order_id]) != body:
            where = f"orders {kept.member_id}/{order_id}"
            yield Finding("replay_order", where, "Settling the log again gives another memory of this order.")
    if pack(member) != kept.state:
        yield Finding(
            "replay_state", f"member {kept.member_id}", "Settling the log again gives another member."
        )


def _row(seq: int, no: int, entry: Entry) -> tuple[Any, ...]:
    return (
        seq,
        no,
        entry.asset,
        entry.kind,
        entry.debit,
        entry.credit,
        entry.amount,
        entry.lot,
        entry.rule,
        entry.order_id,
        entry.version,
        entry.occurred_at,
        entry.why,
    )


def _words(entry: Entry) -> str:
    return (
        f"{entry.kind} of {entry.amount} {entry.asset} from {entry.debit} to {entry.credit} (lot {entry.lot})"
    )
