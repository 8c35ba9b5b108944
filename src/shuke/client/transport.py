"""Sending calls: the key, repeats, pages, and problems as exceptions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx
import stamina

T = TypeVar("T")

_LATER = frozenset((429, 500, 502, 503, 504))
_ATTEMPTS = 6
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 8.0  # seconds
_TIMEOUT = 30.0  # seconds for one answer


class Problem(Exception):
    """A request was answered with a problem (RFC 9457). ``code`` never changes; ``detail`` is a sentence for people."""

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        self.status = status
        self.code: str = told.get("code", "unknown")
        self.detail: str = told.get("detail", "")
        self.facts: dict[str, Any] = dict(told.get("facts") or {})
        self.errors: list[dict[str, str]] = list(told.get("errors") or [])
        self.instance: str = told.get("instance", "")
        super().__init__(f"{self.code}: {self.detail}")


class Unreachable(Exception):
    """The server could not be reached, however often it was tried. Send the same call again later: it is done once."""


@dataclass(frozen=True)
class Call(Generic[T]):
    """A request, ready to be sent; ``T`` is what it is answered with."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None

    def after(self, cursor: str) -> Call[T]:
        """The same list from ``cursor`` on."""
        rest = tuple((name, value) for name, value in self.query if name != "cursor")
        return replace(self, query=(*rest, ("cursor", cursor)))


def made(
    method: str,
    path: str,
    *,
    place: Mapping[str, Any] | None = None,
    query: Mapping[str, Any] | None = None,
    headers: Mapping[str, str | None] | None = None,
    body: Any = None,
    content: str | bytes | None = None,
    once: str | bool | None = None,
) -> Call[Any]:
    """A call. What is None is left out; ``once`` is the Idempotency-Key (True: a new one)."""
    address = path.format(**{name: quote(str(value), safe="") for name, value in (place or {}).items()})
    asked = tuple((name, _text(value)) for name, value in (query or {}).items() if value is not None)
    sent = [(name, value) for name, value in (headers or {}).items() if value is not None]
    if once is not None:
        sent.append(("Idempotency-Key", str(uuid4()) if once is True else str(once)))
    told = content.encode() if isinstance(content, str) else content
    if body is not None:
        fields = {name: value for name, value in body.items() if value is not None}
        told = json.dumps(fields, ensure_ascii=False, default=_moment).encode()
        sent.append(("Content-Type", "application/json"))
    return Call(method, address, asked, tuple(sent), told)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _moment(value) if isinstance(value, datetime) else str(value)


def _moment(value: Any) -> str:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be sent; a datetime needs its zone")


class _Later(Exception):
    """An answer that says: not now."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        super().__init__(answer.status_code)


def _again(error: Exception) -> bool | float:
    """Whether to try again; after how many seconds, where the server says so."""
    if isinstance(error, _Later):
        wait = error.answer.headers.get("Retry-After", "")
        return float(wait) if wait.isdigit() else True
    return isinstance(error, httpx.TransportError)


class _Client:
    """What both clients share."""

    def __init__(
        self,
        url: str,
        *,
        key: str,
        language: str = "en",
        attempts: int = _ATTEMPTS,
        timeout: float = _TIMEOUT,
    ) -> None:
        """``url`` is where the server is, without ``/v1``; ``language`` that of sentences; ``timeout`` in seconds."""
        self._attempts = attempts
        self._told: dict[str, Any] = {
            "base_url": url.rstrip("/"),
            "headers": {"Authorization": f"Bearer {key}", "Accept-Language": language},
            "timeout": timeout,
        }

    def _retrying(self) -> Any:
        return stamina.retry_context(
            on=_again,
            attempts=self._attempts,
            timeout=None,
            wait_initial=_FIRST_WAIT,
            wait_max=_LONGEST_WAIT,
            wait_jitter=_FIRST_WAIT,
        )


def _asked(call: Call[Any]) -> dict[str, Any]:
    return {
        "method": call.method,
        "url": call.path,
        "params": list(call.query),
        "headers": list(call.headers),
        "content": call.body,
    }


def _received(answer: httpx.Response) -> httpx.Response:
    if answer.status_code in _LATER:
        raise _Later(answer)
    return answer


def _read(answer: httpx.Response) -> Any:
    is_json = answer.headers.get("content-type", "").partition(";")[0].endswith("json")
    if answer.is_success:
        return answer.json() if is_json else answer.text
    raise Problem(answer.status_code, answer.json() if is_json else {"detail": answer.text[:500]})


class Shuke(_Client):
    """The client for code that waits. Use it as a context manager, or ``close`` it."""

    def __init__(self, url: str, **more: Any) -> None:
        super().__init__(url, **more)
        self._http = httpx.Client(**self._told)

    def __call__(self, call: Call[T]) -> T:
        """Send a call, again and again if it must be. Raises ``Problem``, ``Unreachable``."""
        try:
            for attempt in self._retrying():
                with attempt:
                    answer = _received(self._http.request(**_asked(call)))
        except _Later as later:
            answer = later.answer
        except httpx.TransportError as error:
            raise Unreachable(str(error)) from error
        found: T = _read(answer)
        return found

    def pages(self, call: Call[Any]) -> Iterator[Any]:
        """The items of a list, page by page, to its end."""
        while True:
            page = self(call)
            yield from page["items"]
            if page["next"] is None:
                return
            call = call.after(page["next"])

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncShuke(_Client):
    """The client for code that awaits. Use it as an async context manager, or ``aclose`` it."""

    def __init__(self, url: str, **more: Any) -> None:
        super().__init__(url, **more)
        self._http = httpx.AsyncClient(**self._told)

    async def __call__(self, call: Call[T]) -> T:
        """Send a call, again and again if it must be. Raises ``Problem``, ``Unreachable``."""
        try:
            async for attempt in self._retrying():
                with attempt:
                    answer = _received(await self._http.request(**_asked(call)))
        except _Later as later:
            answer = later.answer
        except httpx.TransportError as error:
            raise Unreachable(str(error)) from error
        found: T = _read(answer)
        return found

    async def pages(self, call: Call[Any]) -> AsyncIterator[Any]:
        """The items of a list, page by page, to its end."""
        while True:
            page = await self(call)
            for item in page["items"]:
                yield item
            if page["next"] is None:
                return
            call = call.after(page["next"])

    async def aclose(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
