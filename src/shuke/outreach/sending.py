"""One request to somebody else's server: bounded in time and size, to allowed addresses, redirects not followed."""

from __future__ import annotations

import asyncio
import ssl
import time
from types import TracebackType
from typing import Final, Self

import httpcore
from msgspec import Struct

from shuke import __version__
from shuke.outreach.addresses import Lookup, NotAllowed, OnlyAllowed, check_url, look_up

SECONDS_DEFAULT: Final = 20.0
"""How long one request may take, from looking up the name to the end of the answer."""

_ANSWER_MOST: Final = 16 * 1024  # bytes read of an answer, so that the connection can be used again

_TIMEOUTS = (httpcore.TimeoutException, TimeoutError)


class Sent(Struct):
    """What one request came to. ``answered`` is the HTTP status, None if there was no answer; then ``trouble`` says
    why: timeout, not_resolved, address_not_public, url_… (see ``addresses``), tls_failed, connect_failed or
    connection_lost. ``retry_after`` is the header of that name."""

    took_ms: int
    answered: int | None = None
    trouble: str | None = None
    retry_after: str | None = None


class Client:
    """Keeps connections between requests. Used inside ``async with``.

    ``private`` lets it call one's own network, and http. ``seconds`` is for one request, ``connections`` for all
    servers together.
    """

    def __init__(
        self,
        *,
        private: bool = False,
        seconds: float = SECONDS_DEFAULT,
        connections: int = 64,
        trust: ssl.SSLContext | None = None,
        lookup: Lookup = look_up,
    ) -> None:
        self._private = private
        self.seconds = seconds
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trust,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=OnlyAllowed(private=private, lookup=lookup),
        )

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._pool.__aexit__(type_, error, trace)

    async def post(self, url: str, *, headers: dict[str, str], content: bytes) -> Sent:
        """POST ``content``. Never raises for what the other side does."""
        started = time.perf_counter()
        sent = Sent(0)
        try:
            async with asyncio.timeout(self.seconds):
                await self._post(sent, url, headers, content)
        except Exception as error:
            if sent.answered is None:  # once there is a status, what follows it does not matter
                sent.trouble = _trouble(error)
                if sent.trouble is None:
                    raise
        sent.took_ms = int((time.perf_counter() - started) * 1000)
        return sent

    async def _post(self, sent: Sent, url: str, headers: dict[str, str], content: bytes) -> None:
        target = check_url(url, private=self._private)
        told = [("user-agent", f"shuke/{__version__}"), ("accept", "*/*"), *headers.items()]
        limits = dict.fromkeys(("connect", "read", "write", "pool"), self.seconds)
        async with self._pool.stream(
            "POST", target, headers=told, content=content, extensions={"timeout": limits}
        ) as answer:
            retry_after = next((value for name, value in answer.headers if name.lower() == b"retry-after"), None)
            sent.retry_after = None if retry_after is None else retry_after.decode("ascii", "replace")
            sent.answered = answer.status
            size = 0
            async for chunk in answer.aiter_stream():
                size += len(chunk)
                if size > _ANSWER_MOST:
                    break


def _trouble(error: Exception) -> str | None:
    """The code of what went wrong outside; None for what is our own fault."""
    if isinstance(error, NotAllowed):
        return error.why
    if isinstance(error, _TIMEOUTS):
        return "timeout"
    if isinstance(error, httpcore.ConnectError):
        return "tls_failed" if _is_tls(error) else "connect_failed"
    if isinstance(error, httpcore.NetworkError | httpcore.ProtocolError):
        return "connection_lost"
    return None


def _is_tls(error: BaseException) -> bool:
    behind: BaseException | None = error
    while behind is not None:
        if isinstance(behind, ssl.SSLError):
            return True
        behind = behind.__cause__ or behind.__context__
    return False
