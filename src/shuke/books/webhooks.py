"""Webhook endpoints in the books: who is told of what, where, and with which secrets. See ``books.deliveries``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Literal, LiteralString

from msgspec import Struct, convert, to_builtins
from psycopg.types.json import Jsonb
from uuid_utils import uuid7

from shuke.books.load import Connection
from shuke.values.ids import typed_id
from shuke.values.instants import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Form = Literal["standard", "cloudevents"]
Status = Literal["enabled", "disabled"]
Why = Literal["by_hand", "gone", "failing"]


class Secret(Struct):
    """``until``: when it is signed with for the last time; None for the one in force."""

    secret: str
    until: Instant | None = None


class Endpoint(Struct):
    """``topics``: topics, families ("order.*") or "*". ``secrets``: the newest first."""

    id: str
    url: str
    description: str
    topics: list[str]
    form: Form
    secrets: list[Secret]
    status: Status
    disabled_why: Why | None
    created_at: Instant
    failing_since: Instant | None


def new_id(prefix: str) -> str:
    """A fresh id that ascends with time: "whe" for an endpoint, "dlv" a delivery, "evt" an event of the house."""
    return typed_id(prefix, uuid7().bytes)


# -- Endpoints --------------------------------------------------------------------------------------------

_ENDPOINT: LiteralString = """
    select endpoint_id, url, description, topics, form, secrets, status, disabled_why, created_at, failing_since
    from webhook_endpoint
"""

ADD_ENDPOINT: LiteralString = """
    insert into webhook_endpoint (endpoint_id, url, description, topics, form, secrets, status, created_at)
    values (%s, %s, %s, %s, %s, %s, 'enabled', %s)
"""

CHANGE_ENDPOINT: LiteralString = """
    update webhook_endpoint set url = %s, description = %s, topics = %s, form = %s, secrets = %s where endpoint_id = %s
"""

ENABLE: LiteralString = """
    update webhook_endpoint set status = 'enabled', disabled_why = null, failing_since = null where endpoint_id = %s
"""

DISABLE: LiteralString = "update webhook_endpoint set status = 'disabled', disabled_why = %s where endpoint_id = %s"

# Everybody who locks several deliveries does it in the order of their ids.
END_WAITING: LiteralString = """
    update webhook_delivery set state = 'failed', due_at = null, trouble = coalesce(trouble, 'endpoint_disabled')
    where delivery_id in (
        select delivery_id from webhook_delivery where endpoint_id = %s and due_at is not null
        order by delivery_id for update
    )
"""


async def add_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """Make a new endpoint, enabled. It is told of what is settled from the moment this is committed."""
    secrets = Jsonb(to_builtins(endpoint.secrets))
    created_at = as_datetime(endpoint.created_at)
    told = (endpoint.id, endpoint.url, endpoint.description, endpoint.topics, endpoint.form, secrets, created_at)
    await connection.execute(ADD_ENDPOINT, told)


async def endpoint(connection: Connection, endpoint_id: str, *, lock: bool = False) -> Endpoint | None:
    """The endpoint; None if there is none. With ``lock`` nobody changes it until the transaction ends."""
    query: LiteralString = _ENDPOINT + " where endpoint_id = %s" + (" for update" if lock else "")
    cursor = await connection.execute(query, (endpoint_id,))
    row = await cursor.fetchone()
    return None if row is None else _endpoint(row)


async def endpoints(connection: Connection, *, after: str, most: int) -> list[Endpoint]:
    """The endpoints behind the id ``after`` ("" for the first), oldest first."""
    cursor = await connection.execute(_ENDPOINT + " where endpoint_id > %s order by 1 limit %s", (after, most))
    return [_endpoint(row) for row in await cursor.fetchall()]


async def count_endpoints(connection: Connection) -> int:
    """How many there are, counting those that others are making: they wait until the transaction ends."""
    await connection.execute("lock table webhook_endpoint in share row exclusive mode")
    cursor = await connection.execute("select count(*) from webhook_endpoint")
    row = await cursor.fetchone()
    assert row is not None  # an aggregate always answers
    return int(row[0])


async def change_endpoint(connection: Connection, endpoint: Endpoint) -> None:
    """Write url, description, topics, form and secrets. Deliveries that wait go to the new URL in the new form."""
    secrets = Jsonb(to_builtins(endpoint.secrets))
    told = (endpoint.url, endpoint.description, endpoint.topics, endpoint.form, secrets, endpoint.id)
    await connection.execute(CHANGE_ENDPOINT, told)


async def enable(connection: Connection, endpoint_id: str) -> None:
    """Tell the endpoint again of what happens from now on."""
    await connection.execute(ENABLE, (endpoint_id,))


async def disable(connection: Connection, endpoint_id: str, *, why: Why) -> None:
    """Tell the endpoint of nothing more; what waits for it has failed, and can be asked for again by hand."""
    await connection.execute(DISABLE, (why, endpoint_id))
    await connection.execute(END_WAITING, (endpoint_id,))


async def remove_endpoint(connection: Connection, endpoint_id: str) -> bool:
    """Remove the endpoint and its deliveries. False if there is none."""
    cursor = await connection.execute("delete from webhook_endpoint where endpoint_id = %s", (endpoint_id,))
    return cursor.rowcount > 0


def _endpoint(row: tuple[Any, ...]) -> Endpoint:
    id_, url, description, topics, form, secrets, status, why, created_at, failing_since = row
    return Endpoint(
        id_,
        url,
        description,
        topics,
        form,
        convert(secrets, list[Secret]),
        status,
        why,
        as_instant(created_at),
        None if failing_since is None else as_instant(failing_since),
    )


def patterns_of(topic: str) -> tuple[str, str, str]:
    """What an endpoint may have asked for to be told of this topic: the topic, its family ("order.*"), anything."""
    return topic, f"{topic.partition('.')[0]}.*", "*"


def as_datetime(instant: Instant) -> datetime:
    """The instant as PostgreSQL's driver takes it."""
    return _EPOCH + timedelta(microseconds=instant)


def as_instant(moment: datetime) -> Instant:
    """Back again."""
    return (moment - _EPOCH) // timedelta(microseconds=1)
