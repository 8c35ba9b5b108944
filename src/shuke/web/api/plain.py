"""Routes that ask for nothing but the call, names and parameters in the address, and one JSON body: nearly all.

The framework finds out anew with each request what a route asks for, and checks its own answers. For an order that
costs more than settling it. What it found out when the route was made is enough: here it is read, checked by the same
fields, and answered the same.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, Final

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_params_to_args
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from shuke.web.api.callers import Admission
from shuke.web.api.contract import Shown

Handle = Callable[[Request], Coroutine[Any, Any, Response]]


def plainly(route: APIRoute) -> Handle | None:
    """How ``route`` answers a request whose call is known; None where it asks for more than is read here."""
    asked = route.dependant
    if any(getattr(asked, more) for more in _MORE) or len(asked.dependencies) != 1 or len(asked.body_params) > 1:
        return None
    if not isinstance(asked.dependencies[0].call, Admission):
        return None
    if asked.body_params and not asked.body_params[0].field_info.is_required():
        return None
    return _handle(route, asked, asked.dependencies[0])


_MORE: Final = (
    "header_params",
    "cookie_params",
    "request_param_name",
    "websocket_param_name",
    "http_connection_param_name",
    "response_param_name",
    "background_tasks_param_name",
    "security_scopes_param_name",
)


def _handle(route: APIRoute, asked: Dependant, admission: Dependant) -> Handle:
    act, admit, name = asked.call, admission.call, admission.name
    assert isinstance(admit, Admission)  # or it were not plain
    assert act is not None
    assert name is not None
    body_of: Final = asked.body_params[0] if asked.body_params else None
    status: Final = route.status_code or 200

    async def handle(request: Request) -> Response:
        told = await request.json() if body_of is not None and await request.body() else _NOTHING
        values: dict[str, Any] = {name: await admit.admit(request)}
        wrong: list[Any] = []
        for fields, found in ((asked.path_params, request.path_params), (asked.query_params, request.query_params)):
            if fields:
                read, bad = request_params_to_args(fields, found)
                values.update(read)
                wrong += bad
        if body_of is not None:
            if told is _NOTHING:
                wrong.append({"type": "missing", "loc": ("body",)})
            else:
                values[body_of.name], bad = body_of.validate(told, loc=("body",))
                wrong += bad
        if wrong:
            raise RequestValidationError(wrong)
        made = await act(**values)
        if isinstance(made, Response):
            return made
        assert isinstance(made, Shown), f"{route.path} answers with what is no part of the document"
        body = made.__pydantic_serializer__.to_json(made, by_alias=True)
        return Response(body, status, media_type="application/json")

    return handle


_NOTHING: Final = object()
