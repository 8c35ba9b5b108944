"""What the books say is still to be done, and since when: for whoever watches."""

from __future__ import annotations

from datetime import datetime
from typing import Final, LiteralString

from msgspec import Struct

from shuke.books.load import Connection
from shuke.books.webhooks import as_datetime, as_instant
from shuke.values.instants import Instant

COUNTED_MOST: Final = 100_000
"""Nothing is counted further: what is more is too much, however much it is."""

EACH_COUNTED_MOST: Final = 10_000
"""So many deliveries are counted of one endpoint."""

HEALTHY: Final = "healthy"
FAILING: Final = "failing"
DISABLED: Final = "disabled"
ENDPOINT_STATES: Final = (HEALTHY, FAILING, DISABLED)

EVENTS: Final = "event"
OTHERS: Final = "other"
OUTBOX_KINDS: Final = (EVENTS, OTHERS)

DELIVERIES: LiteralString = """
    select case when e.status = 'disabled' then 'disabled' when e.failing_since is not null then 'failing'
                else 'healthy' end, count(*), coalesce(sum(w.waiting), 0), min(w.oldest)
    from webhook_endpoint e cross join lateral (
        select count(*) as waiting, min(made_at) as oldest from (
            select made_at from webhook_delivery where endpoint_id = e.endpoint_id and due_at is not null
            order by due_at limit %s
        ) as its
    ) as w
    group by 1
"""

# Each has an index of its own to be found by.
OUTBOX: LiteralString = """
    select 'event', count(*), min(due_at) from (
        select due_at from outbox where kind = 'event' order by due_at, id limit %(most)s
    ) as events
    union all
    select 'other', count(*), min(due_at) from (
        select due_at from outbox where kind <> 'event' order by due_at, id limit %(most)s
    ) as others
"""

DUE: LiteralString = """
    select count(*), min(due_at) from (
        select due_at from member where due_at <= %s order by due_at limit %s
    ) as due
"""

WAITING: LiteralString = """
    select count(*) filter (where state = 'waiting'), count(*) filter (where state = 'given_up'),
        min(received_at) filter (where state = 'waiting')
    from waiting
"""


class Pile(Struct):
    """So many (at most ``COUNTED_MOST`` are counted), the oldest since when; None: there are none."""

    count: int
    oldest: Instant | None


class Backlog(Struct):
    """``endpoints`` are webhook endpoints by state, ``deliveries`` what waits to be delivered by state of its endpoint,
    ``outbox`` what waits there by kind, ``due`` the members whom the clock has still to see, ``waiting`` what was told
    before its order and ``given_up`` what waited for it in vain."""

    endpoints: dict[str, int]
    deliveries: dict[str, Pile]
    outbox: dict[str, Pile]
    due: Pile
    waiting: Pile
    given_up: int


async def backlog(connection: Connection, *, at: Instant) -> Backlog:
    """How things stand at ``at``."""
    found = Backlog(
        dict.fromkeys(ENDPOINT_STATES, 0),
        {state: Pile(0, None) for state in ENDPOINT_STATES},
        {},
        Pile(0, None),
        Pile(0, None),
        0,
    )
    cursor = await connection.execute(DELIVERIES, (EACH_COUNTED_MOST,))
    for state, endpoints, waiting, oldest in await cursor.fetchall():
        found.endpoints[state] = endpoints
        found.deliveries[state] = _pile(waiting, oldest)
    cursor = await connection.execute(OUTBOX, {"most": COUNTED_MOST})
    found.outbox = {kind: _pile(count, oldest) for kind, count, oldest in await cursor.fetchall()}
    cursor = await connection.execute(DUE, (as_datetime(at), COUNTED_MOST))
    [(count, oldest)] = await cursor.fetchall()
    found.due = _pile(count, oldest)
    cursor = await connection.execute(WAITING)
    [(count, found.given_up, oldest)] = await cursor.fetchall()
    found.waiting = _pile(count, oldest)
    return found


def _pile(count: int, oldest: datetime | None) -> Pile:
    return Pile(int(count), None if oldest is None else as_instant(oldest))
