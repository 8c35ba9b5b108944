"""What is around every request: an id, a bound on its size, its measure, and an answer whatever happens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from re import compile as pattern
from time import perf_counter
from typing import Any, Final
from urllib.parse import unquote

import structlog
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from uuid_utils import uuid7

from shuke.values.ids import typed_id
from shuke.web.api.callers import locale_of
from shuke.web.api.problems import Problem, respond
from shuke.web.api.routes import SLASH_INSIDE

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger()

BODY_MOST: Final = 16 * 1024 * 1024
"""Bytes of any body; some routes take less."""

_GONE: Final = 499
"""The status measured where nobody waited for the answer: the caller hung up before the body was whole."""

_SLASH: Final = pattern("%2[fF]")
_ID: Final = pattern(r"[A-Za-z0-9_.:-]{8,100}")
_BUCKETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Measures:
    """What Prometheus reads of requests, by route (never by address: ids are not labels)."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ("method", "route", "status")
        self.seconds = Histogram("shuke_request_seconds", "Time to answer", labels, buckets=_BUCKETS, registry=registry)
        self.faults = Counter("shuke_faults_total", "Requests that ended in a fault of ours", registry=registry)


class Frame:
    """ASGI middleware. Puts ``shuke.id`` and ``shuke.headers`` (to go out with the answer) into the scope."""

    def __init__(self, app: App, *, measures: Measures, logged: bool) -> None:
        self._app = app
        self._measures = measures
        self._logged = logged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = Headers(scope=scope)
        told = asked.get("x-request-id", "")
        scope["shuke.id"] = told if _ID.fullmatch(told) else typed_id("req", uuid7().bytes)
        headers = scope["shuke.headers"] = {"X-Request-Id": scope["shuke.id"]}
        if b"%2" in scope["raw_path"]:
            scope["path"] = unquote(_SLASH.sub(SLASH_INSIDE, scope["raw_path"].decode("ascii")))
        started = perf_counter()
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                out = MutableHeaders(raw=message.setdefault("headers", []))
                for name, value in headers.items():
                    out[name] = value
            await send(message)

        try:
            if int(asked.get("content-length") or 0) > BODY_MOST:
                answer = respond(_too_large(), locale=locale_of(asked), instance=scope["shuke.id"])
                await answer(scope, receive, send_framed)
            elif b"%00" in scope["raw_path"]:  # in no id; and it would stand for a slash from here on
                answer = respond(Problem("not_found"), locale=locale_of(asked), instance=scope["shuke.id"])
                await answer(scope, receive, send_framed)
            else:
                await self._app(scope, _bounded(receive), send_framed)
        except ClientDisconnect:
            status = _GONE
        except Exception:
            self._measures.faults.inc()
            log.exception("request.failed", request=scope["shuke.id"], method=scope["method"], route=_route(scope))
            if status:  # the answer has begun: all that is left is to break it off
                raise
            answer = respond(Problem("fault"), locale=locale_of(asked), instance=scope["shuke.id"])
            await answer(scope, receive, send_framed)
        finally:
            self._tell(scope, status, perf_counter() - started)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        self._measures.seconds.labels(scope["method"], route, str(status)).observe(seconds)
        if self._logged:
            milliseconds = round(seconds * 1000, 1)
            log.info(
                "request.answered",
                request=scope["shuke.id"],
                method=scope["method"],
                route=route,
                status=status,
                milliseconds=milliseconds,
            )


def _route(scope: Scope) -> str:
    """The template of the address, such as ``/v1/orders/{order_id}``; "none" where there is none."""
    return getattr(scope.get("route"), "path", "none")


def _too_large() -> Problem:
    return Problem("body_too_large", most=BODY_MOST, headers={"Connection": "close"})


def _bounded(receive: Receive) -> Receive:
    seen = 0

    async def receive_bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > BODY_MOST:
                raise _too_large()
        return message

    return receive_bounded
