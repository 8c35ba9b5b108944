"""Members whom a new version has yet to meet: it may end her value sooner, or review her tier on another day.

Publishing leaves one row among what is still to do (``outbox``, kind "sweep"), and the clock goes through all members
behind it, page by page. Whoever is met by anything else in the meantime meets the version then (``engine.step``).

A batch that began before the version was published does not know it, and may still be making a member whom nobody sees.
The sweep begins when all of these have ended: transactions have ascending numbers, and none that was under way when the
sweep was first looked at is under way any more.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from msgspec import Struct
from psycopg.types.json import Jsonb

from shuke.books.load import Connection
from shuke.values.instants import NEVER, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

BEGIN: LiteralString = """
    insert into outbox (due_at, bucket, member_id, seq, kind, topic, body)
    values (%s, 0, '', 0, 'sweep', 'program.published', %s)
"""

# Each is looked up by the instant it is due at, which is that of its version: the table may be long.
_PENDING: LiteralString = """
    from (select distinct effective_from from program_version) as version
    cross join lateral (
        select due_at, id, body from outbox where due_at = version.effective_from and kind = 'sweep' offset 0
    ) as sweep
"""

NEXT: LiteralString = "select min(due_at)" + _PENDING

DUE: LiteralString = (
    """
    select due_at, id, body, pg_snapshot_xmax(pg_current_snapshot())::text,
        (body ->> 'barrier')::xid8 <= pg_snapshot_xmin(pg_current_snapshot())
    """
    + _PENDING
    + "where due_at <= %s order by (body ->> 'version')::int desc"
)

MEMBERS: LiteralString = """
    select bucket, member_id from member
    where (bucket, member_id) > (%s, %s) and status not in ('erased', 'merged')
    order by bucket, member_id limit %s
"""

CHANGE: LiteralString = "update outbox set body = %s where due_at = %s and id = %s and body = %s"

END: LiteralString = "delete from outbox where due_at = %s and id = %s"


class Page(Struct):
    """Members to be met, up to as many as were asked for; ``is_last`` if there are no more behind them."""

    version: int
    members: list[str]
    is_last: bool
    due_at: datetime
    id: int
    body: dict[str, Any]
    behind: list[Any]


async def begin(connection: Connection, version: int, *, at: Instant) -> None:
    """Let every member meet ``version``, in force from ``at``."""
    body = {"version": version, "behind": [-1, ""]}
    await connection.execute(BEGIN, (_datetime(at), Jsonb(body)))


async def next_at(connection: Connection) -> Instant:
    """When the next sweep begins, or began; NEVER if there is none."""
    cursor = await connection.execute(NEXT)
    row = await cursor.fetchone()
    return NEVER if row is None or row[0] is None else (row[0] - _EPOCH) // timedelta(microseconds=1)


async def page(connection: Connection, *, until: Instant, most: int) -> Page | None:
    """The next members to meet a version that is in force by ``until``; None if there are none, or not yet.

    One visit meets every version, so the sweep of the latest one does the work of those before it.
    """
    cursor = await connection.execute(DUE, (_datetime(until),))
    found = await cursor.fetchall()
    if not found:
        return None
    (due_at, id_, body, running, is_over), *older = found
    for older_at, older_id, *_ in older:
        await connection.execute(END, (older_at, older_id))
    if is_over is None:
        await connection.execute(CHANGE, (Jsonb({**body, "barrier": running}), due_at, id_, Jsonb(body)))
        return await page(connection, until=until, most=most)
    if not is_over:
        return None
    cursor = await connection.execute(MEMBERS, (*body["behind"], most))
    members = await cursor.fetchall()
    behind = list(members[-1]) if members else body["behind"]
    ids = [member_id for _, member_id in members]
    return Page(body["version"], ids, len(ids) < most, due_at, id_, body, behind)


async def met(connection: Connection, page: Page) -> None:
    """The page's members have met the version. Nothing happens where another worker was faster."""
    if page.is_last:
        await connection.execute(END, (page.due_at, page.id))
    else:
        after = {**page.body, "behind": page.behind}
        await connection.execute(CHANGE, (Jsonb(after), page.due_at, page.id, Jsonb(page.body)))


def _datetime(instant: Instant) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)
