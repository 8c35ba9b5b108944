"""Programs: written as a draft, looked through, compared, published, rolled back."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Any, Final

import msgspec
from fastapi import Header, Path, Query, Request
from pydantic import Field, model_validator
from starlette.responses import Response

from shuke.books import programs
from shuke.books.load import Connection
from shuke.books.programs import Draft
from shuke.program.document import Program
from shuke.program.schema import json_schema
from shuke.runtime.clock import now
from shuke.runtime.programs import Compared, Looked, compare, document_of, look_through, look_through_json, program_of
from shuke.web.api import contract, program_answers
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Moment, Page, Told
from shuke.web.api.problems import Problem, documented, wrong_field
from shuke.web.api.program_answers import (
    TEXT,
    YAML,
    Checked,
    Differences,
    DraftShown,
    Published,
    Version,
    VersionShown,
    draft_shown,
    etag_of,
    matches,
    wants_yaml,
)
from shuke.web.api.program_problems import draft_changed, not_sound, told_as_problems, wrong
from shuke.web.api.routes import doors

router = doors("Programs")

BODY_MOST: Final = 1_000_000
"""Bytes of a program."""

_JSON: Final = "application/json"
_KINDS: Final = {_JSON: look_through_json} | dict.fromkeys((YAML, "application/x-yaml", "text/yaml"), look_through)
_NOTHING: Final = Compared([], 0)

_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "The program: YAML, or a JSON object. At most 1 MB.",
        "content": {YAML: {"schema": {"type": "string"}, "example": TEXT}, _JSON: {"schema": {"type": "object"}}},
    }
}
_OR_YAML: Final[dict[int | str, dict[str, Any]]] = {200: {"content": {YAML: {"schema": {"type": "string"}}}}}

IfMatch = Annotated[
    str | None, Header(description="The draft's `ETag` as you read it. Not needed where there is no draft yet.")
]
Number = Annotated[int, Field(ge=1, le=2**31 - 1)]


class PublishTold(Told):
    """When a version comes into force, and why it was published."""

    effective_from: Moment | None = Field(
        default=None, description="Now if left out; the very first version from the beginning."
    )
    note: contract.Line = Field(
        default="", description="Why, for whoever looks back.", examples=["July: double points"]
    )


class RollBackTold(PublishTold):
    """Which version to publish again."""

    version: Number = Field(examples=[3])


class Which(Told):
    """A program: a published version, the draft, or a text that is kept nowhere."""

    version: Number | None = None
    draft: bool = False
    text: str | None = Field(default=None, max_length=BODY_MOST, description="YAML or JSON.")

    @model_validator(mode="after")
    def _is_one(self) -> Which:
        if (self.version is not None) + self.draft + (self.text is not None) != 1:
            raise ValueError("name a version, the draft, or a text")
        return self


class DiffTold(Told):
    """Two programs."""

    before: Which | None = Field(default=None, description="The version published last if left out.")
    after: Which = Field(default=Which(draft=True), description="The draft if left out.")


# -- The draft --------------------------------------------------------------------------------------------


@router.put(
    "/programs/draft",
    response_model=DraftShown,
    responses=documented("draft_changed", writing=True),
    openapi_extra=_BODY,
)
async def put_draft(
    request: Request, call: Annotated[Call, writing("programs:write")], if_match: IfMatch = None
) -> Response:
    """Keep a program as the draft, in the place of the one you read.

    There is one draft. It is kept as it is written, right or wrong, and the answer says what is wrong. If somebody has
    changed it since you read it, yours is refused and theirs stays.
    """
    looked = await _looked(request, call)

    async def act(connection: Connection) -> DraftShown:
        found = await programs.draft(connection)
        if (if_match is not None) if found is None else not matches(if_match, found):
            raise draft_changed(found)
        read = None if found is None else found.digest
        kept = await programs.keep_draft(connection, looked.text, read=read, at=now(), by=call.caller.source)
        return draft_shown(kept, looked, call.locale)

    with told_as_problems():
        done = await call.once(act, status=200)
    done.headers["ETag"] = msgspec.json.decode(done.body)["etag"]
    return done


@router.get("/programs/draft", response_model=DraftShown, responses=documented("draft_missing") | _OR_YAML)
async def get_draft(request: Request, call: Annotated[Call, reading("programs:read")]) -> Any:
    """The draft and what is wrong with it; with `Accept: application/yaml` only its text."""
    draft = await _draft(call)
    call.headers["ETag"] = etag_of(draft)
    if wants_yaml(request.headers.get("accept")):
        return Response(draft.text, media_type=YAML)
    return draft_shown(draft, await call.shop.apart.run(look_through, draft.text), call.locale)


@router.delete(
    "/programs/draft",
    response_model=DraftShown,
    responses=documented("draft_missing", "draft_changed", writing=True),
)
async def discard_draft(call: Annotated[Call, writing("programs:write")], if_match: IfMatch = None) -> Response:
    """Throw the draft away. The answer is what it was."""
    found = await _draft_or_none(call)
    looked = None if found is None else await call.shop.apart.run(look_through, found.text)

    async def act(connection: Connection) -> DraftShown:
        if found is None or looked is None:
            raise Problem("draft_missing")
        if not matches(if_match, found):
            raise draft_changed(found)
        await programs.discard_draft(connection, read=found.digest)
        return draft_shown(found, looked, call.locale)

    with told_as_problems():
        return await call.once(act, status=200)


@router.post("/programs/check", responses=documented("body_too_large", "wrong_type"), openapi_extra=_BODY)
async def check_program(request: Request, call: Annotated[Call, reading("programs:read")]) -> Checked:
    """Say everything that is wrong with a program: where, what, and what was probably meant. Nothing is kept."""
    looked = await _looked(request, call)
    call.headers["Content-Language"] = call.locale
    return program_answers.checked(looked, call.locale)


@router.post(
    "/programs/diff",
    responses=documented("version_unknown", "draft_missing", "program_not_sound", "body_too_large", "wrong_type"),
)
async def compare_programs(told: DiffTold, call: Annotated[Call, reading("programs:read")]) -> Differences:
    """Say in words what changes from one program to another, and whether members gain or lose by it."""
    before = await document_named(call, told.before)
    after = await document_named(call, told.after, pointer="/after/text")
    compared = await call.shop.apart.run(compare, before, after, call.locale)
    call.headers["Content-Language"] = call.locale
    return program_answers.differences(compared)


# -- Versions ---------------------------------------------------------------------------------------------


@router.post(
    "/programs/publish",
    status_code=201,
    response_model=Published,
    responses=documented(
        "draft_missing",
        "draft_changed",
        "program_not_sound",
        "version_unchanged",
        "published_meanwhile",
        "effective_in_the_past",
        writing=True,
    ),
)
async def publish_draft(
    told: PublishTold, call: Annotated[Call, writing("programs:write")], if_match: IfMatch = None
) -> Response:
    """Publish the draft as the next version: what happens from then on is settled under it.

    What was settled before stays as it is; an order that is returned later gives back what it was given. Nobody
    changes tier by it before `POST /v1/tiers/apply`. The answer says what is worse for members than before.
    """
    draft = await _draft_or_none(call)
    latest = await _latest(call)
    program, looked, compared = None, None, _NOTHING
    if draft is not None and matches(if_match, draft):
        looked = await call.shop.apart.run(look_through, draft.text)
        if looked.document is not None and looked.is_sound:
            program = program_of(looked.document)
            compared = await _compared(call, latest, looked.document)

    async def act(connection: Connection) -> Published:
        if draft is None:
            raise Problem("draft_missing")
        if looked is None:
            raise draft_changed(draft)
        if program is None:
            raise not_sound(looked, call.locale)
        await programs.discard_draft(connection, read=draft.digest)
        made = await programs.publish(
            connection, program, text=draft.text, at=now(), effective_from=told.effective_from, note=told.note
        )
        return await _published(connection, made.version, latest, compared)

    with told_as_problems():
        return await call.once(act)


@router.post(
    "/programs/roll-back",
    status_code=201,
    response_model=Published,
    responses=documented(
        "version_unknown", "version_unchanged", "published_meanwhile", "effective_in_the_past", writing=True
    ),
)
async def roll_back(told: RollBackTold, call: Annotated[Call, writing("programs:write")]) -> Response:
    """Publish an older version again, as the next one: in force at once, or when the one it replaces would be."""
    latest = await _latest(call)
    async with call.shop.pool.connection() as connection:
        older = await programs.text_of(connection, told.version)
    compared = _NOTHING if older is None else await _compared(call, latest, document_of(older[1]))

    async def act(connection: Connection) -> Published:
        if older is None:
            raise Problem("version_unknown", version=told.version)
        made = await programs.roll_back(
            connection, told.version, at=now(), effective_from=told.effective_from, note=told.note
        )
        return await _published(connection, made.version, latest, compared)

    with told_as_problems():
        return await call.once(act)


@router.get("/programs", responses=documented())
async def list_versions(
    call: Annotated[Call, reading("programs:read")],
    cursor: Annotated[Number | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[VersionShown]:
    """All published versions, the newest first."""
    async with call.shop.pool.connection() as connection:
        found = await programs.editions(connection, below=cursor, limit=limit + 1)
    items = [program_answers.version_shown(edition) for edition in found[:limit]]
    return Page(items=items, next=str(items[-1].version) if len(found) > limit else None)


class JsonSchema(Response):
    media_type = "application/schema+json"


@router.get(
    "/programs/schema",
    response_class=JsonSchema,
    responses=documented() | {200: {"content": {"application/schema+json": {"schema": {"type": "object"}}}}},
)
async def get_schema(call: Annotated[Call, reading("programs:read")]) -> Response:
    """The JSON Schema of programs (draft 2020-12), for editors that complete and check while one writes."""
    return JsonSchema(_schema())


@router.get("/programs/{version:int}", response_model=Version, responses=documented("version_unknown") | _OR_YAML)
async def get_version(
    request: Request, version: Annotated[Number, Path()], call: Annotated[Call, reading("programs:read")]
) -> Any:
    """One published version; with `Accept: application/yaml` only its text."""
    async with call.shop.pool.connection() as connection:
        edition = await programs.edition(connection, version)
        found = await programs.text_of(connection, version)
    if edition is None or found is None:
        raise Problem("version_unknown", version=version)
    text, program = found
    if wants_yaml(request.headers.get("accept")):
        return Response(text, media_type=YAML)
    return program_answers.version_whole(edition, text, program)


# -- What routes share ------------------------------------------------------------------------------------


async def document_named(call: Call, which: Which | None, *, pointer: str = "/before/text") -> bytes:
    """The program that is named, as JSON; the version published last where none is. ``pointer`` is where a text was
    told. Refused: ``version_unknown``, ``draft_missing``, ``program_not_sound``, ``invalid_request``."""
    if which is None or which.version is not None:
        async with call.shop.pool.connection() as connection:
            asked = await programs.latest_version(connection) if which is None else which.version
            found = await programs.text_of(connection, asked or 0)
        if found is None:
            raise Problem("version_unknown", version=asked)
        return document_of(found[1])
    text = (await _draft(call)).text if which.text is None else which.text
    looked: Looked = await call.shop.apart.run(look_through, text)
    if looked.document is not None:
        return looked.document
    if which.text is None:
        raise not_sound(looked, call.locale)
    raise Problem("invalid_request", errors=[wrong(problem, pointer, call.locale) for problem in looked.problems])


async def _looked(request: Request, call: Call) -> Looked:
    """What the body holds, looked through. Refused: ``wrong_type``, ``body_too_large``, ``invalid_request``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _KINDS:
        raise Problem("wrong_type", expected=f"{YAML} or {_JSON}")
    body = await request.body()
    if len(body) > BODY_MOST:
        raise Problem("body_too_large", most=BODY_MOST)
    if kind == _JSON:
        return await call.shop.apart.run(look_through_json, body)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:  # neither could be kept
        raise Problem("invalid_request", errors=[wrong_field("", "not_text", {}, call.locale)])
    return await call.shop.apart.run(look_through, text)


async def _draft_or_none(call: Call) -> Draft | None:
    async with call.shop.pool.connection() as connection:
        return await programs.draft(connection)


async def _draft(call: Call) -> Draft:
    found = await _draft_or_none(call)
    if found is None:
        raise Problem("draft_missing")
    return found


async def _latest(call: Call) -> tuple[int, Program] | None:
    """The version published last."""
    async with call.shop.pool.connection() as connection:
        version = await programs.latest_version(connection)
        found = await programs.text_of(connection, version)
    return None if found is None else (version, found[1])


async def _compared(call: Call, latest: tuple[int, Program] | None, document: bytes) -> Compared:
    if latest is None:
        return _NOTHING
    return await call.shop.apart.run(compare, document_of(latest[1]), document, call.locale)


async def _published(
    connection: Connection, version: int, latest: tuple[int, Program] | None, compared: Compared
) -> Published:
    """Refused: ``published_meanwhile``: what was compared is not what was published upon."""
    if version != (1 if latest is None else latest[0] + 1):
        raise Problem("published_meanwhile")
    edition = await programs.edition(connection, version)
    assert edition is not None, "it was published in this transaction"
    return program_answers.published(edition, compared)


@lru_cache(maxsize=1)
def _schema() -> bytes:
    return msgspec.json.encode(json_schema())
