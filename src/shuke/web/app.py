"""The application: one shop's doors over HTTP."""

from __future__ import annotations

from typing import Any

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response

from shuke.runtime.settle import NotPublished
from shuke.runtime.shop import Shop
from shuke.web import health
from shuke.web.api import ROUTERS
from shuke.web.api.callers import locale_of
from shuke.web.api.gate import Gate
from shuke.web.api.problems import Problem, invalid, respond
from shuke.web.document import document, routes
from shuke.web.frame import Frame, Measures


def build(shop: Shop, *, logged: bool = False) -> FastAPI:
    """The application over an open shop. ``logged``: a log line for every request."""
    app = routes()
    app.state.shop = shop
    app.state.gate = Gate(shop)
    for raised, problem_of in (
        (RequestValidationError, lambda request, error: invalid(error, locale_of(request.headers))),
        (Problem, lambda request, error: error),
        (HTTPException, _of_status),
        (NotPublished, lambda request, error: Problem("no_program")),
        (psycopg.OperationalError, lambda request, error: Problem("books_away", headers={"Retry-After": "1"})),
        (PoolTimeout, lambda request, error: Problem("books_away", headers={"Retry-After": "1"})),
        (ReadOnlySqlTransaction, lambda request, error: Problem("books_away", headers={"Retry-After": "1"})),
    ):
        app.add_exception_handler(raised, _handler(problem_of))
    app.add_middleware(Frame, measures=Measures(shop.figures.registry), logged=logged)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]  # FastAPI's documented way to adjust it
    return app


def _handler(problem_of: Any) -> Any:
    async def handle(request: Request, error: Exception) -> Response:
        problem: Problem = problem_of(request, error)
        return respond(problem, locale=locale_of(request.headers), instance=request.scope["shuke.id"])

    return handle


def _of_status(request: Request, error: HTTPException) -> Problem:
    """What the framework itself refuses."""
    if error.status_code == 404:
        return Problem("not_found")
    if error.status_code == 405:
        return Problem("method_not_allowed", headers={"Allow": ", ".join(_methods(request.scope["path"]))})
    return Problem("invalid_request", status=error.status_code, headers=error.headers)


def _methods(path: str) -> list[str]:
    """The methods that an address knows; the framework names those of the first route that fits. An address that is a
    word of ours (``/v1/members/identify``) is no member of that name."""
    fitting = [
        route
        for router in (*ROUTERS, health.router)
        for route in router.routes
        if isinstance(route, APIRoute) and route.path_regex.match(path)
    ]
    found = [route for route in fitting if route.path == path] or fitting
    return sorted({method for route in found for method in route.methods or ()})
