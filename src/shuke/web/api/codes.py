"""Codes made ahead: in batches of up to a million, handed out as CSV, counted, voided."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import ConfigDict, Field
from starlette.responses import Response, StreamingResponse

from shuke.books import codes
from shuke.books.codes import CodeBatch
from shuke.books.load import Connection
from shuke.engine.effects import Refused
from shuke.runtime.clock import now
from shuke.runtime.codes import MOST, PREFIX, make_batch
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Page, Prose, Shown, ShownMoment, Slug, Told
from shuke.web.api.problems import Problem, documented, refusal
from shuke.web.api.routes import doors

router = doors("Coupons")

BatchId = Annotated[str, Path(pattern=r"^cbt_[1-9]\d{0,8}$", examples=["cbt_12"])]
_Number = Annotated[int | None, Query(ge=0, le=2**31 - 1, description="`next` of the page before.")]

_CSV_AT_ONCE = 20_000


class BatchTold(Told):
    """Codes to be made."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"template": "ten", "size": 5000, "prefix": "MAY-", "note": "Flyer, May 2026"}]}
    )

    template: Slug = Field(description="Of coupons with unique codes.", examples=["ten"])
    size: int = Field(ge=1, le=MOST, examples=[5000])
    prefix: str = Field(
        default="",
        pattern=rf"^(?:{PREFIX.pattern})?$",
        description="In front of every code, for people; it makes nothing harder to guess.",
        examples=["MAY-"],
    )
    note: Prose = Field(default="", description="For yourself.", examples=["Flyer, May 2026"])


class BatchShown(Shown):
    """Codes that were made together. Each is the prefix and so many letters drawn at random that one guess in a
    million million finds one of them."""

    batch: str = Field(examples=["cbt_12"])
    template: str = Field(examples=["ten"])
    size: int = Field(examples=[5000])
    prefix: str = Field(examples=["MAY-"])
    letters: int = Field(description="Drawn at random behind the prefix.", examples=[12])
    made_at: ShownMoment
    voided_at: ShownMoment | None = Field(description="Since then no free code of it opens anything.")
    note: str


class BatchCounted(BatchShown):
    """A batch and what became of its codes. ``free``, ``taken`` and ``void`` add up to its size."""

    free: int = Field(examples=[4711])
    taken: int = Field(description="Opened a coupon.", examples=[289])
    void: int = Field(examples=[0])
    redeemed: int = Field(description="Of those taken: coupons that are redeemed now.", examples=[113])


class CodeOfBatch(Shown):
    """A code of a batch."""

    code: str = Field(examples=["MAY-7KQ4WX9BT2HJ"])
    state: str = Field(description="free, taken or void", examples=["free"])
    member_id: str | None = Field(description="Who took it.")
    coupon: str | None = Field(description="What it became.")


def batch_shown(batch: CodeBatch) -> BatchShown:
    return BatchShown(
        batch=f"cbt_{batch.batch}",
        template=batch.template,
        size=batch.size,
        prefix=batch.prefix,
        letters=batch.letters,
        made_at=batch.made_at,
        voided_at=batch.voided_at if batch.is_void else None,
        note=batch.note,
    )


@router.post(
    "/coupons/batches",
    status_code=201,
    response_model=BatchShown,
    responses=documented("codes_not_unique", refusals=["coupon_unknown"], writing=True),
)
async def make_codes(asked: BatchTold, call: Annotated[Call, writing("coupons:write")]) -> Response:
    """Make codes ahead: to be printed, sent or handed to a partner, until somebody comes with one.

    A million of them take some seconds. They are drawn from a secure source, without letters that look
    alike, and are all different. Limits of the template hold for its codes as for any claim.
    """
    program = (await call.shop.editions()).at(now()).document

    async def act(connection: Connection) -> BatchShown:
        template = next((one for one in program.coupons if one.id == asked.template), None)
        if template is None:
            raise refusal(Refused("coupon_unknown", {"template": asked.template}), program, call.locale)
        if template.codes != "unique":
            raise Problem("codes_not_unique", template=asked.template)
        number = await make_batch(
            connection, asked.template, size=asked.size, prefix=asked.prefix, at=now(), note=asked.note
        )
        return batch_shown(await _batch(connection, f"cbt_{number}"))

    return await call.once(act)


@router.get("/coupons/batches", responses=documented())
async def list_batches(
    call: Annotated[Call, reading("coupons:read")],
    template: Annotated[Slug | None, Query(description="Only those of this template.")] = None,
    cursor: _Number = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[BatchShown]:
    """Batches of codes, the latest first."""
    async with call.shop.pool.connection() as connection:
        found = await codes.batches(connection, template=template, before=cursor, most=limit + 1)
    items = found[:limit]
    return Page(
        items=[batch_shown(batch) for batch in items], next=str(items[-1].batch) if len(found) > limit else None
    )


@router.get("/coupons/batches/{batch}", responses=documented("not_found"))
async def get_batch(batch: BatchId, call: Annotated[Call, reading("coupons:read")]) -> BatchCounted:
    """One batch, and how many of its codes are free, taken, void and redeemed."""
    async with call.shop.pool.connection() as connection:
        return await _counted(connection, batch)


@router.get(
    "/coupons/batches/{batch}/codes",
    response_model=Page[CodeOfBatch],
    responses=documented("not_found") | {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def list_codes(
    batch: BatchId,
    call: Annotated[Call, reading("coupons:read")],
    format: Annotated[
        Literal["json", "csv"], Query(description="csv: all of them at once, as lines of code and state.")
    ] = "json",
    cursor: _Number = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response | Page[CodeOfBatch]:
    """The codes of a batch, in the order in which they were made: by page, or all of them as CSV."""
    async with call.shop.pool.connection() as connection:
        found = await _batch(connection, batch)
        rows = []
        if format == "json":
            rows = await codes.codes(connection, found.batch, after=cursor or 0, most=limit + 1)
    if format == "csv":
        named = {"Content-Disposition": f'attachment; filename="{batch}.csv"'}
        return StreamingResponse(_csv(call, found), media_type="text/csv", headers=named)
    rest = "void" if found.is_void else "free"
    return Page(
        items=[
            CodeOfBatch(
                code=row.code,
                state=rest if row.member_id is None else "taken",
                member_id=row.member_id,
                coupon=row.coupon_id,
            )
            for row in rows[:limit]
        ],
        next=str(rows[limit - 1].no) if len(rows) > limit else None,
    )


async def _csv(call: Call, batch: CodeBatch) -> AsyncIterator[str]:
    """All codes, piece by piece: a reader who is slow holds no connection to the books meanwhile."""
    yield "code,state\r\n"
    last = 0
    while True:
        async with call.shop.pool.connection() as connection:
            last, lines = await codes.codes_as_csv(connection, batch, after=last, most=_CSV_AT_ONCE)
        if not lines:
            return
        yield lines + "\r\n"


@router.post(
    "/coupons/batches/{batch}/void", response_model=BatchCounted, responses=documented("not_found", writing=True)
)
async def void_codes(batch: BatchId, call: Annotated[Call, writing("coupons:write")]) -> Response:
    """Withdraw the codes of a batch that nobody has taken. What was taken stays a coupon in somebody's hands.

    Whoever comes with one of them afterwards is told `code_void`. A batch that is void already stays as it is.
    """

    async def act(connection: Connection) -> BatchCounted:
        found = await _batch(connection, batch)
        await codes.void_batch(connection, found.batch, at=now())
        return await _counted(connection, batch)

    return await call.once(act, status=200)


async def _batch(connection: Connection, batch: str) -> CodeBatch:
    found = await codes.batch_of(connection, int(batch.removeprefix("cbt_")))
    if found is None:
        raise Problem("not_found")
    return found


async def _counted(connection: Connection, batch: str) -> BatchCounted:
    found = await _batch(connection, batch)
    counted = await codes.counts(connection, found)
    return BatchCounted(
        **batch_shown(found).model_dump(),
        free=counted.free,
        taken=counted.taken,
        void=counted.void,
        redeemed=counted.redeemed,
    )
