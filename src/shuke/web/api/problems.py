"""Problem details (RFC 9457): a stable code, a sentence in the caller's language, and the facts.

``type`` is ``urn:shuke:problem:<code>``; ``errors`` points to the fields that are wrong (RFC 6901 pointers into the
body; ``?name`` for a parameter of the address).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any, Final

import msgspec
from fastapi import HTTPException
from fastapi.exceptions import RequestValidationError
from pydantic import Field
from starlette.responses import Response

from shuke.engine.effects import Refused
from shuke.engine.refusals import CODES, Fact, sentence
from shuke.engine.sentences import Locale
from shuke.program.document import Program
from shuke.web.api.contract import Shown, shown_moment
from shuke.web.api.sentences import ERRORS, PROBLEMS, UNREADABLE

MEDIA_TYPE: Final = "application/problem+json"

_TYPE: Final = "urn:shuke:problem:"

WRONG_MOST: Final = 100
"""So many errors are told of one request: whoever sends a hundred thousand unknown fields reads no longer list."""

_POINTER_MOST: Final = 1_000  # characters; names of unknown fields may be of any length


class WrongField(Shown):
    """One thing that is wrong with a request."""

    pointer: str = Field(description="Where: a JSON pointer into the body, or ?name of a parameter.")
    code: str
    detail: str


class ProblemDetails(Shown):
    """Why a request was not done (RFC 9457)."""

    type: str = Field(examples=["urn:shuke:problem:insufficient"])
    title: str
    status: int
    code: str = Field(description="Never changes; for machines.", examples=["insufficient"])
    detail: str = Field(description="A sentence in the caller's language; for people.")
    instance: str = Field(description="The request's id.", examples=["req_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    facts: dict[str, Any] = Field(default_factory=dict, description="The numbers behind it.")
    errors: list[WrongField] | None = None


class Problem(HTTPException):
    """Raised by a door; becomes the answer."""

    def __init__(
        self,
        code: str,
        /,  # a fact may be called so too
        *,
        status: int | None = None,
        detail: str | None = None,
        errors: list[WrongField] | None = None,
        headers: Mapping[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(PROBLEMS[code][0] if status is None else status, headers=headers)
        self.code = code
        self.said = detail
        self.errors = errors
        self.facts = facts

    def sentence(self, locale: Locale) -> str:
        return self.said if self.said is not None else PROBLEMS[self.code][1][locale].format_map(self.facts)


def refusal(refused: Refused, program: Program, locale: Locale, *, status: int = 422) -> Problem:
    """The problem that says a business refusal."""
    said = sentence(refused, program, locale)
    return Problem(refused.code, status=status, detail=said, **shown_facts(refused.code, refused.facts))


def shown_facts(code: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal's facts as they are shown: instants as text."""
    kinds = CODES.get(code, {})
    moments = (Fact.DATE, Fact.END)
    return {name: shown_moment(fact) if kinds.get(name) in moments else fact for name, fact in facts.items()}


def respond(problem: Problem, *, locale: Locale, instance: str) -> Response:
    """The problem as an answer."""
    body: dict[str, Any] = {
        "type": _TYPE + problem.code,
        "title": HTTPStatus(problem.status_code).phrase,
        "status": problem.status_code,
        "code": problem.code,
        "detail": problem.sentence(locale),
        "instance": instance,
        "facts": problem.facts,
    }
    if problem.errors is not None:
        body["errors"] = [error.model_dump() for error in problem.errors]
    headers = {"Content-Language": locale, **(problem.headers or {})}
    return Response(msgspec.json.encode(body), status_code=problem.status_code, headers=headers, media_type=MEDIA_TYPE)


def invalid(error: RequestValidationError, locale: Locale) -> Problem:
    """What is wrong with a request that does not fit its schema: the first ``WRONG_MOST`` things."""
    return Problem("invalid_request", errors=[_wrong(found, locale) for found in error.errors()[:WRONG_MOST]])


def _wrong(found: Mapping[str, Any], locale: Locale) -> WrongField:
    where, *path = found["loc"] or ("body",)
    if where == "body":
        pointer = "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)
    else:
        pointer = "?" + ".".join(map(str, path)) if where == "query" else f"{where}:{'.'.join(map(str, path))}"
    return wrong_field(pointer[:_POINTER_MOST], found["type"], found.get("ctx") or {}, locale)


def wrong_field(pointer: str, code: str, facts: Mapping[str, Any], locale: Locale) -> WrongField:
    """One thing that is wrong, said in the language."""
    template = ERRORS.get(code, UNREADABLE)[locale]
    said = template.format_map(_Or({name: str(fact) for name, fact in facts.items()}))
    return WrongField(pointer=pointer, code=code, detail=said)


class _Or(dict[str, str]):
    """A fact that pydantic did not give is left open."""

    def __missing__(self, name: str) -> str:
        return "…"


_ALWAYS: Final = ("invalid_request", "key_missing", "key_unknown", "key_revoked", "key_expired", "scope_missing")
_SOMETIMES: Final = ("rate_limited", "guessed_too_often", "fault", "books_away")


def documented(
    *codes: str, unknown: Iterable[str] = (), refusals: Iterable[str] = (), writing: bool = False
) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route: every problem it may answer with, by status, its codes listed.

    ``codes`` are those of doors beyond what any route may answer; of the engine's, ``unknown`` are answered with 404
    (what the address names does not exist) and ``refusals`` with 422.
    """
    asked = [*_ALWAYS, *codes, *_SOMETIMES]
    if writing:
        asked += ["idempotency_key_missing", "idempotency_key_invalid", "body_too_large", "wrong_type", "no_program"]
        asked += ["idempotency_key_reused"]
    by_status: dict[int, list[str]] = {}
    for code in asked:
        by_status.setdefault(PROBLEMS[code][0], []).append(code)
    for status, told in ((404, sorted(unknown)), (422, sorted(refusals))):
        if told:
            by_status.setdefault(status, []).extend(told)
    return {
        status: {
            "model": ProblemDetails,
            "description": f"{HTTPStatus(status).phrase}: " + ", ".join(f"`{code}`" for code in dict.fromkeys(found)),
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}},
        }
        for status, found in sorted(by_status.items())
    }
