"""HTTP on a connection: uvicorn's, with bounds on what it waits for and keeps before anybody knows who is calling."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from time import monotonic
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_MOST: Final = 64 * 1024
"""Bytes of a request before its body: address and headers. Somebody who sends more is hung up on."""

TOLD_SECONDS: Final = 120.0
"""How long a request may take to arrive, from the connection or its first byte to the end of its body."""


class Protocol(HttpToolsProtocol):
    """One connection. ``begun`` is when the request that is arriving began (seconds, monotonic); None: none is."""

    begun: float | None = None
    _head: int | None = 0  # bytes of the head so far; None: it is read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn does
        self.begun = monotonic()
        super().connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """A piece that ends a head and begins another counts for the other as far as it is still open."""
        if self._head is not None:
            self._head += len(data)
        super().data_received(data)
        if self._head is not None and self._head > HEAD_MOST:
            self.transport.close()

    def on_message_begin(self) -> None:
        self.begun = monotonic()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._head = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self.begun, self._head = None, 0
        super().on_message_complete()


def hang_up_on_slow(connections: Iterable[Any], *, at: float) -> int:
    """Close connections whose request began to arrive too long before ``at``; returns how many."""
    slow = [
        one
        for one in connections
        if isinstance(one, Protocol) and one.begun is not None and at - one.begun > TOLD_SECONDS
    ]
    for one in slow:
        one.transport.close()
    return len(slow)
