"""Proving the books: everything that is stored twice agrees, and settling the log again gives what is stored.

The tables are read side by side in the order of buckets and members, one member's rows at a time, so memory stays
flat; the server sorts each table once, on disk where it has to. Each finding names the row; what is wrong with
one member is found by ``books.proof``, what is wrong between members here.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import LiteralString

from msgspec import Struct

from shuke.books import kept
from shuke.books.kept import KEYS, Kept, Row
from shuke.books.load import Connection
from shuke.books.proof import Finding, check_member
from shuke.engine.compiled import Editions
from shuke.values.ids import BUCKETS

__all__ = ["Finding", "Verified", "verify"]

# Rows begin with bucket and member and come in the order in which Python compares these.
_BEGIN: LiteralString = "select bucket, member_id,"
_ORDER: LiteralString = 'order by bucket, member_id collate "C"'

MEMBERS: LiteralString = f"{_BEGIN} {kept.MEMBER} from member {_ORDER}"

SIDES: dict[str, LiteralString] = {
    "activity": f"{_BEGIN} {kept.ACTIVITY} from activity {_ORDER}, seq",
    "entry": f"{_BEGIN} {kept.ENTRY} from entry {_ORDER}, activity_id, no",
    "lot": f"{_BEGIN} {kept.LOT} from lot {_ORDER}",
    "tier_change": f"{_BEGIN} {kept.TIER_CHANGE} from tier_change {_ORDER}",
    "orders": f"{_BEGIN} {kept.ORDER} from orders {_ORDER}",
    "coupon": f"{_BEGIN} {kept.COUPON} from coupon {_ORDER}",
    "code": f"{_BEGIN} {kept.CODE} from code where member_id is not null {_ORDER}",
    "identity": f"{_BEGIN} {kept.IDENTITY} from identity {_ORDER}",
}

QUOTAS: LiteralString = "select quota, used from quota where period = ''"

# A code opens coupons of its batch's template.
CODES_ASTRAY: LiteralString = """
    select c.code, k.template, b.template
    from code c left join code_batch b using (batch) left join coupon k using (bucket, member_id, coupon_id)
    where c.member_id is not null and k.template is distinct from b.template order by c.code limit 1
"""
BATCHES_ASTRAY: LiteralString = """
    select b.batch, b.size, count(c.code) from code_batch b left join code c using (batch)
    group by b.batch having count(c.code) <> b.size order by b.batch limit 1
"""

_READ_AHEAD = 1000  # rows


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
    """Check everything; yields what does not agree, ``progress(buckets done, of)`` as they are done.

    Run it in a repeatable-read transaction, so that settling may go on meanwhile.
    """
    seen = Verified() if seen is None else seen
    claimed: dict[str, int] = {}
    sound = True
    bucket = 0
    async for member, strays in _members(connection):
        if member is not None:
            if progress is not None and member.bucket > bucket:
                bucket = member.bucket
                progress(bucket, BUCKETS)
            seen.members += 1
            seen.activities += len(member.log)
            seen.entries += len(member.entries)
            seen.orders += len(member.orders)
            for finding in check_member(member, editions, claimed):
                sound = False
                yield finding
        for finding in strays:
            sound = False
            yield finding
    if progress is not None:
        progress(BUCKETS, BUCKETS)
    if sound:  # otherwise nothing can be said of what all members claimed
        async for finding in _quotas(connection, claimed):
            yield finding
        async for finding in _codes(connection):
            yield finding


class _Side:
    """A table read in the order of members, a member's rows at a time."""

    def __init__(self, connection: Connection, name: str, query: LiteralString) -> None:
        self.name = name
        self._cursor = connection.cursor(name=f"verify_{name}")
        self._cursor.itersize = _READ_AHEAD
        self._query = query
        self._ahead: Row | None = None

    async def open(self) -> None:
        await self._cursor.execute(self._query)
        self._rows = aiter(self._cursor)
        self._ahead = await anext(self._rows, None)

    async def take(self, member: tuple[int, str] | None) -> tuple[list[Row], list[Row]]:
        """(the rows of ``member`` without bucket and id, rows before them that belong to nobody).

        None takes what is left. Of several rows of one nobody the first is enough.
        """
        found: list[Row] = []
        nobodys: list[Row] = []
        while (row := self._ahead) is not None and (member is None or row[:2] <= member):
            if row[:2] == member:
                found.append(row[2:])
            elif not nobodys or nobodys[-1][:2] != row[:2]:
                nobodys.append(row)
            self._ahead = await anext(self._rows, None)
        return found, nobodys

    async def close(self) -> None:
        await self._cursor.close()


async def _members(connection: Connection) -> AsyncIterator[tuple[Kept | None, list[Finding]]]:
    """One member after the other with all her rows, and the rows without a cause met on the way to her."""
    sides = [_Side(connection, name, query) for name, query in SIDES.items()]
    for side in sides:
        await side.open()
    async with connection.cursor(name="verify_members") as members:
        members.itersize = _READ_AHEAD
        await members.execute(MEMBERS)
        async for row in members:
            taken = {side.name: await side.take(row[:2]) for side in sides}
            strays = [_nobodys(name, stray) for name, (_, nobodys) in taken.items() for stray in nobodys]
            found = Kept(*row)
            for name, stray in found.fill({name: rows for name, (rows, _) in taken.items()}):
                key = "/".join(map(str, stray[1 : KEYS[name]]))
                strays.append(_uncaused(name, found.member_id, f"{_activity(stray[0])}/{key}"))
            yield found, strays
    left = [(side.name, stray) for side in sides for stray in (await side.take(None))[1]]
    yield None, [_nobodys(name, stray) for name, stray in left]
    for side in sides:
        await side.close()


def _nobodys(name: str, row: Row) -> Finding:
    of_activity = name in KEYS
    return _uncaused(name, row[1], _activity(row[2]) if of_activity else str(row[2]))


def _activity(id_: int) -> str:
    return f"(activity {id_})"


def _uncaused(name: str, member_id: str, key: str) -> Finding:
    sentence = "This row has no activity or member it could come from."
    return Finding("no_cause", f"{name} {member_id}/{key}", sentence)


async def _quotas(connection: Connection, claimed: dict[str, int]) -> AsyncIterator[Finding]:
    """Shared quotas are what all members together claimed."""
    cursor = await connection.execute(QUOTAS)
    used: dict[str, int] = dict(await cursor.fetchall())
    for quota in sorted(used.keys() | claimed.keys()):
        if used.get(quota, 0) != claimed.get(quota, 0):
            sentence = f"Used {used.get(quota, 0)}, but members claimed {claimed.get(quota, 0)}."
            yield Finding("quota", f"quota {quota}", sentence)


async def _codes(connection: Connection) -> AsyncIterator[Finding]:
    """Codes made ahead opened coupons of their own template, and are as many as were made."""
    cursor = await connection.execute(CODES_ASTRAY)
    for code, opened, template in await cursor.fetchall():
        yield Finding("code", f"code {code}", f"It opened a coupon of {opened}, but is of a batch for {template}.")
    cursor = await connection.execute(BATCHES_ASTRAY)
    for batch, size, there in await cursor.fetchall():
        yield Finding("code_batch", f"code_batch {batch}", f"It says it has {size} codes, but there are {there}.")
