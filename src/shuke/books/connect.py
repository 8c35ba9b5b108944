"""Connections to the books, each bound to one tenant.

A tenant is a schema, and a connection's search path holds that schema and nothing else (not even `public`),
so a statement without a schema in it cannot touch another tenant's rows.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any, Final
from weakref import WeakKeyDictionary

import psycopg
from psycopg import AsyncConnection, Connection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import TransactionStatus
from psycopg_pool import AsyncConnectionPool

# It warns of every pipeline that an error ends. The error itself is raised, and settling deals with it.
logging.getLogger("psycopg").setLevel(logging.ERROR)

TENANT_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")

_SCHEMA_PREFIX = "t_"

_WELL_SECONDS: Final = 1.0


def schema_of(tenant: str) -> str:
    """The schema that holds the books of `tenant`. The prefix keeps `public` and `pg_…` from being tenants.

    Raises `ValueError` for a name other than 1 to 40 of a–z, 0–9 and _, beginning with a letter.
    """
    if not TENANT_NAME.fullmatch(tenant):
        raise ValueError(f"{tenant!r} is no tenant name: 1 to 40 of a-z, 0-9 and _, beginning with a letter")
    return _SCHEMA_PREFIX + tenant


def tenant_conninfo(url: str, *, tenant: str) -> str:
    """The libpq connection string for `url`, bound to the tenant's schema.

    The binding travels in `options`. A pooler between us and the server must pass it on (pgbouncer: list
    `search_path` in `track_extra_parameters` or give each tenant its own database entry).
    """
    given = conninfo_to_dict(url)
    options = f"{given.get('options') or ''} -csearch_path={schema_of(tenant)} -ctimezone=UTC".strip()
    return make_conninfo(url, options=options, application_name=given.get("application_name") or "shuke")


async def connect(url: str, *, tenant: str) -> AsyncConnection[tuple[Any, ...]]:
    """Open one connection bound to the tenant. The caller closes it (`async with await connect(...)`)."""
    return await AsyncConnection.connect(tenant_conninfo(url, tenant=tenant))


def connect_blocking(url: str, *, tenant: str) -> Connection[tuple[Any, ...]]:
    """Like `connect`, for migrations and commands that have no event loop."""
    return psycopg.connect(tenant_conninfo(url, tenant=tenant))


@asynccontextmanager
async def pool(
    url: str, *, tenant: str, size_min: int = 1, size_max: int = 8
) -> AsyncIterator[AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]]]:
    """A pool of connections bound to the tenant, open inside the `async with` block.

    Connections that were lost (the server restarted) are noticed when taken out, and replaced; one that was used
    within the last second is taken to be well.
    """
    connections = AsyncConnectionPool(
        tenant_conninfo(url, tenant=tenant),
        min_size=size_min,
        max_size=size_max,
        check=_well(),
        open=False,
        name=f"shuke-{tenant}",
    )
    async with connections:
        await connections.wait()
        yield connections


def _well() -> Callable[[AsyncConnection[tuple[Any, ...]]], Awaitable[None]]:
    """A check that asks the server only about connections nobody has used for a while: asking costs a round trip."""
    used: WeakKeyDictionary[AsyncConnection[tuple[Any, ...]], float] = WeakKeyDictionary()

    async def check(connection: AsyncConnection[tuple[Any, ...]]) -> None:
        at = monotonic()
        if at - used.get(connection, 0.0) > _WELL_SECONDS:
            await AsyncConnectionPool.check_connection(connection)
        used[connection] = at

    return check


@asynccontextmanager
async def writing(
    pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]],
) -> AsyncIterator[AsyncConnection[tuple[Any, ...]]]:
    """A connection of the pool for one transaction; left by an exception, it rolls back.

    One to a server that only reads is closed: the next may lead to the server that took its place.
    """
    async with pool.connection() as connection:
        try:
            yield connection
        except psycopg.errors.ReadOnlySqlTransaction:
            await connection.close()
            raise


@asynccontextmanager
async def reading(
    pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]],
) -> AsyncIterator[AsyncConnection[tuple[Any, ...]]]:
    """A connection of the pool on which each statement stands alone: no transaction is begun, so none has to end."""
    async with pool.connection() as connection:
        await connection.set_autocommit(True)
        try:
            yield connection
        finally:
            # One that is cut off in the middle of a statement is closed by the pool, not given to the next.
            if connection.info.transaction_status == TransactionStatus.IDLE:
                await connection.set_autocommit(False)


@asynccontextmanager
async def snapshot(
    pool: AsyncConnectionPool[AsyncConnection[tuple[Any, ...]]],
) -> AsyncIterator[AsyncConnection[tuple[Any, ...]]]:
    """A connection of the pool on which all statements see the books of one moment, and none can change them."""
    async with pool.connection() as connection:
        await connection.execute("set transaction isolation level repeatable read, read only")
        yield connection
