"""A running server over real books, and a client with a key that may do everything."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from shuke.runtime.shop import Shop, open_shop
from shuke.web.api.callers import SCOPES
from shuke.web.api.keys import make_key
from shuke.web.app import build
from shuke.web.protocol import Protocol
from tests import shop as coffee


class Door(httpx.AsyncClient):
    """A client of the server. What changes something gets a fresh Idempotency-Key unless one is given (None: none)."""

    app: FastAPI
    address: str
    server: uvicorn.Server
    _numbers = itertools.count(1)

    @property
    def shop(self) -> Shop:
        shop: Shop = self.app.state.shop
        return shop

    async def request(self, method: str, url: Any, **more: Any) -> httpx.Response:
        headers = {**(more.pop("headers", None) or {})}
        if method in ("POST", "PATCH", "PUT", "DELETE"):
            headers.setdefault("Idempotency-Key", f"test-{next(self._numbers)}")
        headers = {name: value for name, value in headers.items() if value is not None}
        return await super().request(method, url, headers=headers, **more)

    async def secret(self, *scopes: str, source: str = "till", per_minute: int = 100_000) -> str:
        """The secret of a new key with these scopes."""
        async with self.shop.pool.connection() as connection:
            made = await make_key(connection, name=source, source=source, scopes=list(scopes), per_minute=per_minute)
        assert made.secret is not None
        return made.secret

    @asynccontextmanager
    async def other(self, secret: str | None, **headers: str) -> "AsyncIterator[Door]":
        """The same server to another caller."""
        told = {"Authorization": f"Bearer {secret}", **headers} if secret is not None else headers
        async with Door(base_url=self.address, headers=told, timeout=30) as door:
            door.app, door.address, door.server = self.app, self.address, self.server
            yield door


async def publish(shop: Shop, text: str, *, at: int = 1) -> None:
    """Publish a program in the books themselves."""
    await coffee.Shop(shop.pool).publish(text, when=at)


@asynccontextmanager
async def serving(url: str, tenant: str, *, program: str | None) -> AsyncIterator[Door]:
    """A server on loopback over the tenant's books, for as long as the block lasts."""
    async with open_shop(url, tenant=tenant) as shop:
        if program is not None:
            await publish(shop, program)
        listening = socket.create_server(("127.0.0.1", 0))  # whoever connects before it serves waits
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        app = build(shop)
        server = uvicorn.Server(uvicorn.Config(app, http=Protocol, ws="none", log_config=None, lifespan="on"))
        running = asyncio.create_task(server.serve([listening]))
        try:
            async with Door(base_url=address, timeout=30) as bare:
                bare.app, bare.address, bare.server = app, address, server
                secret = await bare.secret(*SCOPES, source="test")
                async with bare.other(secret) as door:
                    yield door
        finally:
            server.should_exit = True
            await running


@pytest.fixture
async def door(books_url: str, tenant: str) -> AsyncIterator[Door]:
    """The coffee shop of ``tests.shop``, served; the client's key has every scope, its source is "test"."""
    async with serving(books_url, tenant, program=coffee.COFFEE) as opened:
        yield opened


@pytest.fixture
def serve(books_url: str, tenant: str) -> Callable[[str | None], AbstractAsyncContextManager[Door]]:
    """``async with serve(program_text) as door``: a shop of the test's own program (None: none published)."""
    return lambda program: serving(books_url, tenant, program=program)
