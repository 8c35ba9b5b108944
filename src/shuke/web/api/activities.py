"""Activities of any kind: many told at once, one shown as it was told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec
from fastapi import Path, Request
from msgspec import Struct
from pydantic import Field
from starlette.responses import Response

from shuke.books import activities
from shuke.books.activities import Recorded
from shuke.books.identity_forms import region_of
from shuke.engine.effects import Refused
from shuke.engine.refusals import CODES, sentence
from shuke.program.document import Program
from shuke.runtime.clock import now
from shuke.runtime.settle import Answer
from shuke.web.api import batch, money
from shuke.web.api.batch import ITEMS_MOST, Read
from shuke.web.api.callers import Call, reading
from shuke.web.api.contract import Shown, ShownMoment
from shuke.web.api.payloads import SCOPES, Wrong
from shuke.web.api.problems import Problem, WrongField, documented, refusal, shown_facts, wrong_field
from shuke.web.api.routes import doors, is_json

router = doors("Activities")

TOGETHER: Final = 200
"""So many share a transaction. More would be a little faster and keep single requests waiting for longer."""

LINES: Final = "application/x-ndjson"

_EXAMPLES: Final = [
    {
        "type": "order.paid",
        "member_id": "m-1001",
        "key": "o-20261122-7",
        "occurred_at": "2026-11-22T09:30:00+08:00",
        "order": {"order_id": "o-20261122-7", "lines": [{"amount": 1250, "sku": "BEAN-250", "quantity": 2}]},
    },
    {
        "type": "checked_in",
        "member_id": "m-1001",
        "key": "gate-3/99812",
        "occurred_at": "2026-11-22T09:41:07+08:00",
        "payload": {"store": "Ximen"},
    },
]


class ResultShown(Shown):
    """What became of one activity. Only what there is to say is there."""

    key: str | None = Field(description="Its key; null if that could not be read.")
    status: str = Field(
        description="settled; repeated (it was settled before under this key); refused (see code); invalid (see "
        "errors); failed (our fault: it changed nothing, tell it again)."
    )
    activity: str | None = Field(default=None, examples=["act_1042"])
    earned: dict[str, int] | None = Field(default=None, description="Per asset, in its smallest units.")
    tiers: dict[str, str] | None = Field(default=None, description="Tiers that changed by it, per ladder.")
    member_id: str | None = Field(default=None, description="Whose it is, where identities said so.")
    code: str | None = Field(default=None, examples=["insufficient"])
    detail: str | None = Field(default=None, description="A sentence in the caller's language.")
    facts: dict[str, Any] | None = None
    errors: list[WrongField] | None = Field(default=None, description="With pointers into the activity.")


class BatchShown(Shown):
    """One result for each activity, in their order."""

    counts: dict[str, int] = Field(description="By status.", examples=[{"settled": 9_998, "refused": 2}])
    results: list[ResultShown]


class ActivityShown(Shown):
    """An activity as it was told, and what was answered."""

    activity: str = Field(examples=["act_1042"])
    type: str
    member_id: str
    source: str = Field(description="Who told it: `api:` and the source of a key, or one of our own.")
    key: str
    occurred_at: ShownMoment
    recorded_at: ShownMoment
    seq: int = Field(description="Its place among the member's activities, from 1.")
    version: int = Field(description="Of the program: the newest there was when it was settled.")
    payload: dict[str, Any] | None = Field(description="As it was read: moments of ours are microseconds.")
    order: dict[str, Any] | None
    status: str = Field(description="settled or refused")
    code: str | None
    detail: str | None = Field(
        description="A sentence in the caller's language, if it was refused; erased with its person."
    )
    facts: dict[str, Any]
    answer: dict[str, Any] = Field(description="What the engine answered.")


class _Result(Struct, omit_defaults=True):
    """``ResultShown`` as it is made: ten thousand at once."""

    key: str | None
    status: str
    activity: str | None = None
    earned: dict[str, int] = {}
    tiers: dict[str, str] = {}
    member_id: str | None = None
    code: str | None = None
    detail: str | None = None
    facts: dict[str, Any] = {}
    errors: list[dict[str, Any]] = []


class _Settled(Struct):
    """What of the engine's answer is told."""

    earned: dict[str, int] = {}
    tiers: dict[str, str] = {}


_settled: Final = msgspec.json.Decoder(_Settled).decode

_ITEM: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "key", "occurred_at"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "maxLength": 100, "pattern": r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$"},
        "member_id": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "Whose it is; may be left out where identities say so.",
        },
        "identities": {
            "type": "object",
            "maxProperties": 50,
            "additionalProperties": {"type": "string", "minLength": 1, "maxLength": 200},
            "description": "By kind: who it was, if you do not know her id. Somebody new becomes a member. Only with "
            "order.paid, member.identified and kinds of your own.",
        },
        "verified": {
            "type": "array",
            "maxItems": 50,
            "items": {"type": "string", "maxLength": 64},
            "description": "Kinds among identities that she has shown to be hers.",
        },
        "key": {
            "type": "string",
            "minLength": 1,
            "maxLength": 200,
            "description": "Chosen by you: the same key from the same source is the same activity.",
        },
        "occurred_at": {"type": "string", "format": "date-time"},
        "payload": {
            "anyOf": [{"type": "object"}, {"type": "null"}],
            "description": "What the type needs, in smallest units, and whatever conditions ask for.",
        },
        "order": {
            "anyOf": [{"type": "object"}, {"type": "null"}],
            "description": "Of order.paid: order_id, lines, channel, store, payment, tax, shipping, as in POST "
            "/v1/orders.",
        },
    },
}
_BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["activities"],
                    "additionalProperties": False,
                    "properties": {
                        "activities": {"type": "array", "minItems": 1, "maxItems": ITEMS_MOST, "items": _ITEM}
                    },
                },
                "example": {"activities": _EXAMPLES},
            },
            LINES: {"schema": {"type": "string", "description": "One activity on each line."}},
        },
    }
}


@router.post(
    "/activities",
    response_model=BatchShown,
    responses=documented("body_too_large", "wrong_type", "no_program"),
    openapi_extra=_BODY,
)
async def ingest_activities(request: Request, call: Annotated[Call, reading("activities:write")]) -> Response:
    """Tell up to 10,000 activities of any kind at once, as JSON or with one on each line.

    Every activity has its own key, so this needs no `Idempotency-Key`: tell what is not answered again, and what was
    settled before is `repeated`. One that is refused or invalid hurts none of its neighbours, and the answer is 200.
    They are settled in their order. Every 100 of them count as one request against the key's rate. Kinds that the
    engine knows (`order.paid`, `asset.spent` …) need that scope too (`orders:write`, `points:write` …).
    """
    told = await _split(request)
    call.count(len(told))
    program = await call.shop.program()
    results: list[_Result] = []
    for first in range(0, len(told), TOGETHER):
        results += await _tell(call, told[first : first + TOGETHER], program)
    counts: dict[str, int] = {}
    for result in results:
        counts[result.status] = counts.get(result.status, 0) + 1
    body = msgspec.json.encode({"counts": counts, "results": results})
    return Response(body, media_type="application/json", headers={"Content-Language": call.locale})


async def _split(request: Request) -> Sequence[bytes | memoryview]:
    """The body's items, unread. Refused: ``wrong_type``, ``invalid_request``."""
    kind = request.headers.get("content-type")
    lines = (kind or "").partition(";")[0].strip().lower() == LINES
    if not lines and not is_json(kind):
        raise Problem("wrong_type", expected=f"application/json or {LINES}")
    body = await request.body()
    try:
        return batch.split_lines(body) if lines else batch.split(body)
    except Wrong as wrong:
        locale = request.scope["shuke.call"].locale
        raise Problem("invalid_request", errors=[wrong_field(wrong.pointer, wrong.code, wrong.facts, locale)]) from None


async def _tell(call: Call, told: Sequence[bytes | memoryview], program: Program) -> list[_Result]:
    """Settle some items together; a result for each."""
    present, region = now(), region_of(program.zone)
    results: list[_Result | None] = []
    items: list[Read] = []
    for raw in told:
        try:
            item = batch.read(raw, source=call.source, present=present, region=region)
        except Wrong as wrong:
            results.append(_invalid(raw, wrong, call))
            continue
        scope = SCOPES.get(item.activity.type)
        if scope is not None and not call.has(scope):
            results.append(_lacking(item, scope, call))
            continue
        if scope == "points:write" and not call.has(money.SCOPE) and await money.is_moved(call, item.activity, program):
            results.append(_lacking(item, money.SCOPE, call))
            continue
        items.append(item)
        results.append(None)
    requests = [item.request for item in items]
    answers = await call.shop.settler.settle(
        [item.activity for item in items], requests=requests if any(requests) else ()
    )
    done = (_answered(item, answer, program, call) for item, answer in zip(items, answers, strict=True))
    return [next(done) if result is None else result for result in results]


def _answered(item: Read, answer: Answer, program: Program, call: Call) -> _Result:
    key, status = item.activity.key, answer.status
    if status == "settled":
        found = _Result(key, "repeated" if answer.repeated else status, f"act_{answer.id}")
        if len(answer.body) > 2:
            body = _settled(answer.body)
            found.earned, found.tiers = body.earned, body.tiers
        if item.activity.brought is not None:
            found.member_id = answer.member_id
        return found
    code = answer.code or ""
    said = sentence(Refused(code, answer.facts), program, call.locale)
    activity = f"act_{answer.id}" if answer.id else None
    return _Result(key, status, activity, code=code, detail=said, facts=shown_facts(code, answer.facts))


def _invalid(raw: bytes | memoryview, wrong: Wrong, call: Call) -> _Result:
    error = wrong_field(wrong.pointer, wrong.code, wrong.facts, call.locale)
    return _Result(batch.key_of(raw), "invalid", errors=[error.model_dump()])


def _lacking(item: Read, scope: str, call: Call) -> _Result:
    problem = Problem("scope_missing", scope=scope)
    said = problem.sentence(call.locale)
    return _Result(item.activity.key, "refused", code=problem.code, detail=said, facts=problem.facts)


@router.get("/activities/{activity_id}", responses=documented("not_found"))
async def get_activity(
    activity_id: Annotated[str, Path(pattern=r"^act_[1-9][0-9]{0,17}$", examples=["act_1042"])],
    call: Annotated[Call, reading("activities:read")],
) -> ActivityShown:
    """One activity as it was told, and what was answered."""
    async with call.shop.pool.connection() as connection:
        found = await activities.by_id(connection, int(activity_id.removeprefix("act_")))
    if found is None:
        raise Problem("not_found")
    return activity_shown(found, await call.shop.program(), call)


def activity_shown(found: Recorded, program: Program, call: Call) -> ActivityShown:
    """The activity for whoever reads. Of a person who was erased the code of a refusal is left, without its facts:
    then there is no sentence."""
    told, answer = found.activity, found.answer
    refused = None
    if answer.code is not None and (answer.facts or not CODES.get(answer.code)):
        refused = refusal(Refused(answer.code, answer.facts), program, call.locale)
    return ActivityShown(
        activity=f"act_{found.id}",
        type=told.type,
        member_id=told.member_id,
        source=told.source,
        key=told.key,
        occurred_at=told.occurred_at,
        recorded_at=found.recorded_at,
        seq=found.seq,
        version=found.version,
        payload=told.payload,
        order=None if told.purchase is None else msgspec.to_builtins(told.purchase),
        status="settled" if answer.code is None else "refused",
        code=answer.code,
        detail=None if refused is None else refused.sentence(call.locale),
        facts={} if refused is None else refused.facts,
        answer=msgspec.json.decode(answer.body),
    )
