"""The API as a document (OpenAPI 3.1): every request, what it is answered with, and every problem."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from shuke.web import health
from shuke.web.api import ROUTERS
from shuke.web.directory import Directory

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


def routes() -> FastAPI:
    """An application with all routes and nothing behind them."""
    app = FastAPI(
        title="Shuke",
        version=version("shuke"),
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/v1/openapi.json",
        # Traces go where OTEL_EXPORTER_OTLP_ENDPOINT says, if it says so. What is measured is for Prometheus; and what
        # validation or an exception says may be personal.
        telemetry={"auto_configure": True, "metrics": False, "logs": False},
    )
    app.router.redirect_slashes = False  # an address is written in one way
    for router in (*ROUTERS, health.router):
        app.router.routes.extend(router.routes)
    app.router.middleware_stack = Directory(app.router.routes, otherwise=app.router.app)
    return app


def document(app: FastAPI | None = None) -> dict[str, Any]:
    """The document, with what FastAPI cannot know: the key's header, and that a key for repeats is required.

    Of an application with these routes, or of none.
    """
    app = app or routes()
    if app.openapi_schema:
        return app.openapi_schema
    told = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes, openapi_version="3.1.0"
    )
    components = told.setdefault("components", {})
    components["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
        "write_key": {"type": "http", "scheme": "basic", "description": "An API key as user name, no password."},
    }
    for name in ("HTTPValidationError", "ValidationError"):
        components.get("schemas", {}).pop(name, None)
    for path, operations in told["paths"].items():
        for operation in operations.values():
            if path.startswith("/v1/"):
                operation.setdefault("security", [{"key": []}])
            # FastAPI's own answer to what does not fit: ours is 400.
            if "HTTPValidationError" in str(operation["responses"].get("422")):
                del operation["responses"]["422"]
            for parameter in operation.get("parameters", ()):
                if parameter["name"].lower() == "idempotency-key":
                    parameter["required"] = True
                    parameter["schema"] = {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"}
    app.openapi_schema = told
    return told
