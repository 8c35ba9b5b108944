"""A route of the API: who calls is known before anything is read, and bodies are read strictly.

JSON is read by RFC 8259: no NaN, no comments, no half characters. Numbers with a fraction stay the text they were
written as: value is integers, and what a merchant adds is kept to the last digit.
"""

from __future__ import annotations

from typing import Any, Final

import msgspec
from fastapi import APIRouter, Request
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shuke.web.api.callers import call_of
from shuke.web.api.contract import Fraction
from shuke.web.api.plain import Handle, plainly
from shuke.web.api.problems import Problem, WrongField

SLASH_INSIDE: Final = "\x00"
"""Stands in an address for a slash that is part of a name, so that it does not separate two of them."""

JSON_MOST: Final = 2 * 1024 * 1024
"""Bytes of a JSON body that is one request: everything in it is looked at before anybody else's turn comes."""

_decoder: Final = msgspec.json.Decoder(float_hook=Fraction)


def read_json(body: bytes) -> Any:
    """The JSON value. Refused: ``invalid_request`` with the place where it ends to be JSON."""
    try:
        return _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        said = "nested too deeply" if isinstance(broken, RecursionError) else str(broken)
        error = WrongField(pointer="", code="json_invalid", detail=said)
        raise Problem("invalid_request", errors=[error]) from None


class StrictRequest(Request):
    """A request whose body must be JSON. Refused: ``body_too_large``, ``invalid_request``."""

    async def json(self) -> Any:
        body = await self.body()
        if len(body) > JSON_MOST:
            raise Problem("body_too_large", most=JSON_MOST)
        return read_json(body)


class Door(APIRoute):
    """A route that only a caller with a key gets through."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        plain = plainly(self)
        if plain is not None:
            handle = self._known(plain)

            async def app(scope: Scope, receive: Receive, send: Send) -> None:
                response = await handle(StrictRequest(scope, receive))
                await response(scope, receive, send)

            self.app = app

    def get_route_handler(self) -> Handle:
        return self._known(super().get_route_handler())

    def _known(self, handle: Handle) -> Handle:
        """``handle``, once it is known who calls and that the request is about what this route knows."""
        reads_json = self.body_field is not None
        parameters = {parameter.alias for parameter in get_flat_params(self.dependant)}

        async def handle_known(request: Request) -> Response:
            request.scope["shuke.call"] = await call_of(request)
            for name, value in request.path_params.items():
                if isinstance(value, str) and SLASH_INSIDE in value:
                    request.path_params[name] = value.replace(SLASH_INSIDE, "/")
            if request.scope["query_string"]:
                for name in request.query_params:
                    if name not in parameters:
                        raise RequestValidationError([{"type": "extra_forbidden", "loc": ("query", name)}])
            if reads_json and not is_json(request.headers.get("content-type")):
                raise Problem("wrong_type", expected="application/json")
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_known


def is_json(told: str | None) -> bool:
    """Whether a content type is JSON; in UTF-8, as JSON always is."""
    if told == "application/json":
        return True
    kind, _, rest = (told or "").lower().partition(";")
    return kind.strip() == "application/json" and rest.replace(" ", "").replace('"', "") in ("", "charset=utf-8")


def doors(tag: str) -> APIRouter:
    """A router for one feature of the API."""
    return APIRouter(prefix="/v1", tags=[tag], route_class=Door, generate_unique_id_function=name_of)


def name_of(route: APIRoute) -> str:
    """What a request is called in the document: as its function."""
    return route.name
