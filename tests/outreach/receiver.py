"""Somebody else's server on loopback: it keeps what arrives, and answers as it is told to, or not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from msgspec import Struct

Answer = Callable[["Arrived", asyncio.StreamWriter], Awaitable[None]]


class Arrived(Struct):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def told(self) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found


class Receiver:
    """``answers`` are used one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.port = 0
        self.scheme = "http"
        self.arrived: list[Arrived] = []
        self.answers: list[Answer] = [status(204)]
        self.connections = 0
        self._came = asyncio.Condition()
        self._open = 0

    def url(self, path: str = "/hook", *, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def answer(self, *answers: Answer) -> None:
        self.answers = list(answers)

    async def has(self, count: int) -> list[Arrived]:
        """Wait until so many requests have arrived."""
        async with self._came:
            await self._came.wait_for(lambda: len(self.arrived) >= count)
        return self.arrived

    async def closed(self) -> None:
        """Wait until no connection is open."""
        async with self._came:
            await self._came.wait_for(lambda: self._open == 0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._open += 1
        try:
            while line := await reader.readline():
                headers: dict[str, str] = {}
                while (header := (await reader.readline()).strip()) != b"":
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                body = await reader.readexactly(int(headers["content-length"]))
                arrived = Arrived(line.split()[1].decode(), headers, body)
                async with self._came:
                    self.arrived.append(arrived)
                    self._came.notify_all()
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                await answer(arrived, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            async with self._came:
                self._open -= 1
                self._came.notify_all()


def status(code: int, *, body: bytes = b"", **headers: str) -> Answer:
    """An answer with this status and these headers (``retry_after`` is Retry-After)."""
    told = {"content-length": str(len(body)), **{name.replace("_", "-"): value for name, value in headers.items()}}

    async def answer(_: Arrived, writer: asyncio.StreamWriter) -> None:
        head = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        writer.write(f"HTTP/1.1 {code} Told\r\n{head}\r\n".encode() + body)
        await writer.drain()

    return answer


def raw(reply: bytes) -> Answer:
    """These bytes, and then the connection is closed."""

    async def answer(_: Arrived, writer: asyncio.StreamWriter) -> None:
        writer.write(reply)
        await writer.drain()
        writer.close()

    return answer


def after(event: asyncio.Event, then: Answer) -> Answer:
    """``then``, once ``event`` is set."""

    async def answer(arrived: Arrived, writer: asyncio.StreamWriter) -> None:
        await event.wait()
        await then(arrived, writer)

    return answer


async def never(_: Arrived, writer: asyncio.StreamWriter) -> None:
    """No answer: the connection stays open until the other side gives up."""
    await writer.wait_closed()


async def endless(_: Arrived, writer: asyncio.StreamWriter) -> None:
    """A good status, and a body without end."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n")
    while True:
        writer.write(b"more of the same\n" * 64)
        await writer.drain()


@asynccontextmanager
async def receiving(*, trust: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """A receiver that listens as long as the block lasts; over TLS, if it is given a certificate."""
    receiver = Receiver()
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0, ssl=trust)
    receiver.port = server.sockets[0].getsockname()[1]
    receiver.scheme = "https" if trust is not None else "http"
    try:
        yield receiver
    finally:
        server.close()
