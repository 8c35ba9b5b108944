"""Deliveries in the books: what events become for each endpoint that asked for them.

    outbox (kind 'event') → fan_out → webhook_delivery → claim → [the network] → arrived | missed

Whoever needs both locks the endpoint before its deliveries. Claiming and recording are transactions of their own;
between them nothing is locked, and a delivery that nobody records is due again when its lease ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, LiteralString

from msgspec import Struct, convert
from psycopg.types.json import Jsonb

from shuke.books.load import Connection
from shuke.books.webhooks import (
    Endpoint,
    Form,
    Secret,
    as_datetime,
    as_instant,
    disable,
    endpoint,
    new_id,
    patterns_of,
)
from shuke.values.instants import DAY, Instant

State = Literal["waiting", "delivered", "failed"]

FAILING_LONGEST = DAY
"""An endpoint that failed for so long without one success is disabled."""


class Delivery(Struct):
    """``attempts``: since it was made or last asked for by hand. ``due_at``: of the next one; None: there is none.
    ``answered`` (HTTP status) and ``trouble`` (a code) are those of the last attempt."""

    id: str
    endpoint_id: str
    event_id: str
    topic: str
    state: State
    attempts: int
    made_at: Instant
    due_at: Instant | None
    tried_at: Instant | None
    took_ms: int | None
    answered: int | None
    trouble: str | None
    body: dict[str, Any]


class Claimed(Struct):
    """A delivery to be tried now, for the ``attempts``-th time, by whoever claimed it."""

    id: str
    endpoint_id: str
    event_id: str
    topic: str
    body: dict[str, Any]
    attempts: int
    url: str
    form: Form
    secrets: list[Secret]


# -- From events to deliveries ----------------------------------------------------------------------------

TAKE_EVENTS: LiteralString = """
    delete from outbox where (due_at, id) in (
        select due_at, id from outbox where kind = 'event' and due_at <= %s
        order by due_at, id limit %s for update skip locked
    )
    returning topic, body
"""

# Locked against being disabled or removed meanwhile: what is inserted is for endpoints that are there and enabled.
LISTENERS: LiteralString = "select endpoint_id, topics from webhook_endpoint where status = 'enabled' for share"

ADD_DELIVERIES: LiteralString = """
    insert into webhook_delivery (delivery_id, endpoint_id, event_id, topic, body, state, made_at, due_at)
    select delivery_id, endpoint_id, event_id, topic, body, 'waiting', %(now)s, %(now)s
    from unnest(%(ids)s::text[], %(endpoints)s::text[], %(events)s::text[], %(topics)s::text[], %(bodies)s::jsonb[])
        as told (delivery_id, endpoint_id, event_id, topic, body)
    on conflict (endpoint_id, event_id) do nothing
"""

ADD_EVENT: LiteralString = """
    insert into outbox (due_at, bucket, member_id, seq, kind, topic, body) values (%s, 0, '', 0, 'event', %s, %s)
"""


async def fan_out(connection: Connection, *, now: Instant, most: int) -> int:
    """Make deliveries of up to ``most`` events, one for each endpoint that asked for the topic; returns how many
    events there were. All in the transaction at hand, so no event is lost and none is delivered twice."""
    cursor = await connection.execute(TAKE_EVENTS, (as_datetime(now), most))
    events = await cursor.fetchall()
    if not events:
        return 0
    cursor = await connection.execute(LISTENERS)
    listeners = [(endpoint_id, frozenset(topics)) for endpoint_id, topics in await cursor.fetchall()]
    found = [
        (endpoint_id, topic, body)
        for topic, body in events
        for endpoint_id, asked in listeners
        if not asked.isdisjoint(patterns_of(topic))
    ]
    if found:
        await _add(connection, found, now=now)
    return len(events)


async def _add(connection: Connection, found: list[tuple[str, str, dict[str, Any]]], *, now: Instant) -> list[str]:
    ids = [new_id("dlv") for _ in found]
    told = {
        "now": as_datetime(now),
        "ids": ids,
        "endpoints": [endpoint_id for endpoint_id, _, _ in found],
        "events": [body["id"] for _, _, body in found],
        "topics": [topic for _, topic, _ in found],
        "bodies": [Jsonb(body) for _, _, body in found],
    }
    await connection.execute(ADD_DELIVERIES, told)
    return ids


async def add_delivery(connection: Connection, endpoint_id: str, *, body: dict[str, Any], now: Instant) -> str:
    """Deliver one event to this endpoint, whatever it asked for; returns the delivery's id."""
    [id_] = await _add(connection, [(endpoint_id, body["type"], body)], now=now)
    return id_


async def add_event(connection: Connection, *, body: dict[str, Any], now: Instant) -> None:
    """An event of the house itself, for whoever asked for its topic."""
    await connection.execute(ADD_EVENT, (as_datetime(now), body["type"], Jsonb(body)))


# -- Delivering -------------------------------------------------------------------------------------------

# An endpoint that fails is tried with one delivery at a time: it is spared, and holds up nobody.
CLAIM: LiteralString = """
    with room as (
        select e.endpoint_id,
            greatest(0, case when e.failing_since is null then %(each)s else 1 end - coalesce(b.under_way, 0)) as most
        from webhook_endpoint e
        left join unnest(%(busy)s::text[], %(under_way)s::int[]) as b (endpoint_id, under_way) using (endpoint_id)
    ), claimed as materialized (
        select d.delivery_id
        from room cross join lateral (
            select delivery_id, due_at from webhook_delivery
            where endpoint_id = room.endpoint_id and due_at <= %(now)s
            order by due_at limit room.most for update skip locked
        ) d
        order by d.due_at limit %(most)s
    )
    update webhook_delivery w set due_at = %(lease)s, attempts = w.attempts + 1
    from claimed, webhook_endpoint e
    where w.delivery_id = claimed.delivery_id and e.endpoint_id = w.endpoint_id
    returning w.delivery_id, w.endpoint_id, w.event_id, w.topic, w.body, w.attempts, e.url, e.form, e.secrets
"""

RECOVERED: LiteralString = """
    update webhook_endpoint set failing_since = null where endpoint_id in (
        select endpoint_id from webhook_endpoint where endpoint_id = any(%s) and failing_since is not null
        order by endpoint_id for update
    )
"""

ARRIVED: LiteralString = """
    with told as materialized (
        select d.delivery_id, u.tried_at, u.took_ms, u.answered
        from unnest(%s::text[], %s::int[], %s::timestamptz[], %s::int[], %s::int[])
            as u (delivery_id, attempts, tried_at, took_ms, answered)
        join webhook_delivery d using (delivery_id, attempts)
        order by d.delivery_id for update of d
    )
    update webhook_delivery d
    set state = 'delivered', due_at = null, tried_at = u.tried_at, took_ms = u.took_ms, answered = u.answered,
        trouble = null
    from told u where d.delivery_id = u.delivery_id
"""

FAILING: LiteralString = "update webhook_endpoint set failing_since = %s where endpoint_id = %s"

MISSED: LiteralString = """
    update webhook_delivery
    set state = %s, due_at = %s, tried_at = %s, took_ms = %s, answered = %s, trouble = %s
    where delivery_id = %s and attempts = %s
"""


class Attempt(Struct):
    """What one attempt came to. ``answered``: HTTP status, None if none came; ``trouble``: a code, None if it
    arrived; ``gone``: the endpoint wants no more of anything."""

    at: Instant
    took_ms: int
    answered: int | None
    trouble: str | None
    gone: bool = False


async def claim(
    connection: Connection, *, now: Instant, lease: Instant, most: int, each: int, under_way: Mapping[str, int]
) -> list[Claimed]:
    """Take up to ``most`` deliveries that are due, up to ``each`` of one endpoint less those ``under_way`` (by
    endpoint). They are due again at ``lease``, unless somebody records what became of them."""
    told = {
        "now": as_datetime(now),
        "lease": as_datetime(lease),
        "most": most,
        "each": each,
        "busy": list(under_way),
        "under_way": list(under_way.values()),
    }
    cursor = await connection.execute(CLAIM, told)
    return [
        Claimed(id_, endpoint_id, event_id, topic, body, attempts, url, form, convert(secrets, list[Secret]))
        for id_, endpoint_id, event_id, topic, body, attempts, url, form, secrets in await cursor.fetchall()
    ]


async def arrived(connection: Connection, found: list[tuple[Claimed, Attempt]]) -> None:
    """Record that these arrived, except those that somebody else has taken over meanwhile."""
    await connection.execute(RECOVERED, (sorted({claimed.endpoint_id for claimed, _ in found}),))
    columns = (
        [claimed.id for claimed, _ in found],
        [claimed.attempts for claimed, _ in found],
        [as_datetime(attempt.at) for _, attempt in found],
        [attempt.took_ms for _, attempt in found],
        [attempt.answered for _, attempt in found],
    )
    await connection.execute(ARRIVED, columns)


async def missed(
    connection: Connection, claimed: Claimed, attempt: Attempt, *, again_at: Instant | None, counts: bool = True
) -> Endpoint | None:
    """Record that a delivery did not arrive; it is tried again at ``again_at`` (None: no more). ``counts`` says
    whether it tells that the endpoint fails.

    Returns the endpoint if this disabled it: it is gone, or has failed for ``FAILING_LONGEST``.
    """
    found = await endpoint(connection, claimed.endpoint_id, lock=True)
    if found is None:
        return None
    if counts and found.failing_since is None:
        found.failing_since = attempt.at
        await connection.execute(FAILING, (as_datetime(attempt.at), found.id))
    if found.status == "disabled":
        again_at = None
    state: State = "failed" if again_at is None or attempt.gone else "waiting"
    due_at = None if state == "failed" or again_at is None else as_datetime(again_at)
    told = (state, due_at, as_datetime(attempt.at), attempt.took_ms, attempt.answered, attempt.trouble)
    await connection.execute(MISSED, (*told, claimed.id, claimed.attempts))
    if found.status == "disabled":
        return None
    too_long = counts and found.failing_since is not None and attempt.at - found.failing_since >= FAILING_LONGEST
    if not attempt.gone and not too_long:
        return None
    found.status, found.disabled_why = "disabled", "gone" if attempt.gone else "failing"
    await disable(connection, found.id, why=found.disabled_why)
    return found


# -- What became of them ----------------------------------------------------------------------------------

_DELIVERY: LiteralString = """
    select delivery_id, endpoint_id, event_id, topic, state, attempts, made_at, due_at, tried_at, took_ms, answered,
        trouble, body
    from webhook_delivery
"""

DELIVERIES: LiteralString = (
    _DELIVERY
    + """
    where endpoint_id = %(endpoint)s and (%(before)s = '' or delivery_id < %(before)s)
        and (%(state)s::text is null or state = %(state)s) and (%(topic)s::text is null or topic = %(topic)s)
    order by delivery_id desc limit %(most)s
"""
)

AGAIN: LiteralString = """
    update webhook_delivery set state = 'waiting', attempts = 0, due_at = %s where delivery_id = %s
"""

AGAIN_ALL: LiteralString = """
    update webhook_delivery set state = 'waiting', attempts = 0, due_at = %(now)s
    where delivery_id in (
        select delivery_id from webhook_delivery
        where endpoint_id = %(endpoint)s and state = 'failed' and topic <> %(but)s
            and made_at >= %(since)s and made_at < %(until)s
        order by delivery_id limit %(most)s for update
    )
"""

FORGET: LiteralString = """
    delete from webhook_delivery where delivery_id in (
        select delivery_id from webhook_delivery where due_at is null and made_at < %s
        order by made_at limit %s for update skip locked
    )
"""


async def delivery(connection: Connection, delivery_id: str) -> Delivery | None:
    """The delivery; None if there is none, or none any more."""
    cursor = await connection.execute(_DELIVERY + " where delivery_id = %s", (delivery_id,))
    row = await cursor.fetchone()
    return None if row is None else _delivery(row)


async def deliveries(
    connection: Connection,
    endpoint_id: str,
    *,
    before: str = "",
    state: State | None = None,
    topic: str | None = None,
    most: int,
) -> list[Delivery]:
    """The endpoint's deliveries made before the one named ``before`` ("" for all), the newest first."""
    told = {"endpoint": endpoint_id, "before": before, "state": state, "topic": topic, "most": most}
    cursor = await connection.execute(DELIVERIES, told)
    return [_delivery(row) for row in await cursor.fetchall()]


async def deliver_again(connection: Connection, delivery_id: str, *, now: Instant) -> None:
    """Try a delivery again at once, and from there on like a new one. Receivers see the same ``webhook-id``."""
    await connection.execute(AGAIN, (as_datetime(now), delivery_id))


async def deliver_failed_again(
    connection: Connection, endpoint_id: str, *, since: Instant, until: Instant, but: str, now: Instant, most: int
) -> int:
    """Try up to ``most`` failed deliveries of events made in this time again, except those of topic ``but``;
    returns how many."""
    told = {
        "endpoint": endpoint_id,
        "since": as_datetime(since),
        "until": as_datetime(until),
        "but": but,
        "now": as_datetime(now),
        "most": most,
    }
    cursor = await connection.execute(AGAIN_ALL, told)
    return cursor.rowcount


async def forget(connection: Connection, *, before: Instant, most: int) -> int:
    """Delete up to ``most`` deliveries made before this instant that nobody waits for; returns how many."""
    cursor = await connection.execute(FORGET, (as_datetime(before), most))
    return cursor.rowcount


def _delivery(row: tuple[Any, ...]) -> Delivery:
    id_, endpoint_id, event_id, topic, state, attempts, made_at, *dates, took_ms, answered, trouble, body = row
    due_at, tried_at = (None if date is None else as_instant(date) for date in dates)
    return Delivery(
        id_,
        endpoint_id,
        event_id,
        topic,
        state,
        attempts,
        as_instant(made_at),
        due_at,
        tried_at,
        took_ms,
        answered,
        trouble,
        body,
    )
