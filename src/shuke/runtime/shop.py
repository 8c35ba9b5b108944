"""One merchant's shop, open for work: connections to the books, settling, the published program."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from opentelemetry import trace

from shuke.books import connect
from shuke.books.load import Connection
from shuke.books.programs import latest_version
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.program.document import Program
from shuke.runtime.apart import Apart
from shuke.runtime.figures import Figures
from shuke.runtime.group_commit import GroupCommit
from shuke.runtime.quotes import Quotes
from shuke.runtime.settle import Answer, Pool, Settler
from shuke.runtime.telemetry import tracer

_CONNECTIONS_MOST = 12


class Shop:
    """What every door needs of one tenant. ``settler`` takes batches, ``settle`` single activities; ``apart`` does what
    takes the processor for long; ``private_webhooks`` says whether endpoints may lie in one's own network; ``figures``
    are what is measured."""

    def __init__(self, pool: Pool, *, tenant: str, apart: Apart, private_webhooks: bool = False) -> None:
        self.pool = pool
        self.apart = apart
        self.tenant = tenant
        self.private_webhooks = private_webhooks
        self.figures = Figures()
        self.settler = Settler(pool, figures=self.figures)
        self.quotes = Quotes(pool, self.settler)
        self._group = GroupCommit(self.settler)

    async def settle(self, activity: Activity, *, request: bytes | None = None) -> Answer:
        """Settle one activity, together with whatever else is being settled; durable when this returns.

        ``request`` is the digest of the request that told it. Raises what ``Settler.settle`` raises.
        """
        if not trace.get_current_span().is_recording():  # no request is traced: even a span of nothing has its price
            return await self._group.submit(activity, request=request)
        with tracer.start_as_current_span("settle.activity", attributes={"shuke.activity": activity.type}):
            return await self._group.submit(activity, request=request)

    def reading(self) -> AbstractAsyncContextManager[Connection]:
        """A connection on which each statement stands alone, for who only looks."""
        return connect.reading(self.pool)

    def snapshot(self) -> AbstractAsyncContextManager[Connection]:
        """A connection on which all statements see the same moment, for who puts together what must agree."""
        return connect.snapshot(self.pool)

    async def editions(self) -> Editions:
        """The published versions, ready to run. Raises ``NotPublished``."""
        async with self.reading() as connection:
            return await self.settler.editions(connection)

    async def program(self) -> Program:
        """The program published last. Raises ``NotPublished``."""
        return max((await self.editions()).compiled, key=lambda edition: edition.version).document

    async def is_ready(self) -> bool:
        """Whether the books answer and a program is published. Raises what psycopg raises if they do not answer."""
        async with self.reading() as connection:
            return await latest_version(connection) > 0


@asynccontextmanager
async def open_shop(
    url: str, *, tenant: str, connections: int = _CONNECTIONS_MOST, private_webhooks: bool = False
) -> AsyncIterator[Shop]:
    """The tenant's shop, open inside the ``async with`` block. Its books must be at the newest revision."""
    async with connect.pool(url, tenant=tenant, size_min=2, size_max=connections) as pool:
        with Apart() as apart:
            yield Shop(pool, tenant=tenant, apart=apart, private_webhooks=private_webhooks)
