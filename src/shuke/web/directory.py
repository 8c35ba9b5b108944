"""Finding the route of an address without trying all of them.

The framework tries one route after the other; with a hundred of them that is most of what a small request costs.
Routes of one length that share their first name are few.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fastapi.routing import APIRoute
from opentelemetry import trace
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

Place = tuple[int, str]


class Directory:
    """An ASGI application: hands a request to the route that fits it, and anything else to ``otherwise``."""

    def __init__(self, routes: Iterable[BaseRoute], *, otherwise: ASGIApp) -> None:
        self._otherwise: Final = otherwise
        self._by_place: Final[dict[Place, list[APIRoute]]] = {}
        for route in routes:
            if isinstance(route, APIRoute):
                self._by_place.setdefault(_place(route.path_format), []).append(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            for route in self._by_place.get(_place(scope["path"]), ()):
                match, found = route.matches(scope)
                if match is Match.FULL:
                    scope.update(found)
                    _name_span(scope["method"], route.path_format)
                    await route.handle(scope, receive, send)
                    return
        await self._otherwise(scope, receive, send)


def _name_span(method: str, path: str) -> None:
    """Name the request's trace by its route, where it is traced: the framework would, had it found the route."""
    span = trace.get_current_span()
    if span.is_recording():
        span.update_name(f"{method} {path}")
        span.set_attribute("http.route", path)


def _place(path: str) -> Place:
    """How many names an address has, and the first behind the version: ``/v1/orders/7`` is ``(4, "orders")``."""
    names = path.split("/", 8)
    return len(names), names[2] if len(names) > 2 else names[-1]
