"""The application: one shop's doors over HTTP."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import psycopg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry
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
from shuke.web.frame import Frame, Measures

_ABOUT: Final = """
Membership over HTTP: members, orders, carts, points, stored value, coupons, tiers, programs.

**Keys.** Send `Authorization: Bearer shk_…`. A key is good for its scopes; a request beyond them is answered 403 and
names the scope.

**Once.** Every request that changes something carries an `Idempotency-Key`. Sent again with the same key and body it
is not done again and gets the first answer, with `Idempotent-Replayed: true`; with another body it is refused (422).

**Value.** Money is whole minor units of the program's currency (cents), an amount of an asset its smallest units.
Moments are RFC 3339 with an offset.

**Refusals** are problem details (RFC 9457): a `code` that never changes, a sentence in the language of
`Accept-Language` (en, zh-Hant, zh-Hans), and the facts.

**Lists** come in pages: pass `next` as `cursor`.
"""


def build(shop: Shop, *, logged: bool = False) -> FastAPI:
    """The application over an open shop. ``logged``: a log line for every request."""
    registry = CollectorRegistry()
    app = FastAPI(
        title="Shuke",
        version=version("shuke"),
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        generate_unique_id_function=_name,
        # Traces go where OTEL_EXPORTER_OTLP_ENDPOINT says, if it says so. What is measured is for Prometheus; and what
        # validation or an exception says may be personal.
        telemetry={"auto_configure": True, "metrics": False, "logs": False},
    )
    app.state.shop = shop
    app.state.gate = Gate(shop)
    app.state.registry = registry
    for router in (*ROUTERS, health.router):
        app.include_router(router)
    for raised, problem_of in (
        (RequestValidationError, lambda request, error: invalid(error, locale_of(request.headers))),
        (Problem, lambda request, error: error),
        (HTTPException, lambda request, error: _of_status(error)),
        (NotPublished, lambda request, error: Problem("no_program")),
        (psycopg.OperationalError, lambda request, error: Problem("books_away", headers={"Retry-After": "1"})),
        (PoolTimeout, lambda request, error: Problem("books_away", headers={"Retry-After": "1"})),
    ):
        app.add_exception_handler(raised, _handler(problem_of))
    app.add_middleware(Frame, measures=Measures(registry), logged=logged)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way to adjust it
    return app


def _handler(problem_of: Any) -> Any:
    async def handle(request: Request, error: Exception) -> Response:
        problem: Problem = problem_of(request, error)
        return respond(problem, locale=locale_of(request.headers), instance=request.scope["shuke.id"])

    return handle


def _of_status(error: HTTPException) -> Problem:
    """What the framework itself refuses."""
    code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid_request")
    return Problem(code, status=error.status_code, headers=error.headers)


def _name(route: APIRoute) -> str:
    return route.name


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The document, with what FastAPI cannot know: the key's header, and that a key for repeats is required."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "write_key": {"type": "http", "scheme": "basic", "description": "An API key as user name, no password."},
    }
    for name in ("HTTPValidationError", "ValidationError"):
        components.get("schemas", {}).pop(name, None)
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1/"):
                operation.setdefault("security", [{"key": []}])
            for parameter in operation.get("parameters", ()):
                if parameter["name"].lower() == "idempotency-key":
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
    app.openapi_schema = document
    return document
