"""Coupon codes made ahead, in batches: made, looked up, taken, counted, voided.

A code belongs to whoever takes it first. Settling locks the codes it is asked for in the order of the codes, behind
the members and before the quotas, so that two batches never wait for each other in a circle; and it shares a lock on
their batches, so that whoever voids one waits for those who are just taking from it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, LiteralString

from msgspec import Struct
from psycopg.errors import UniqueViolation

from shuke.books import wire
from shuke.books.load import Connection
from shuke.engine.turn import Code
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER, Instant

_STATE: LiteralString = """
    case when c.member_id is not null then 'taken' when b.voided_at is not null then 'void' else 'free' end
"""

LOCK_MADE_AHEAD: LiteralString = f"""
    select c.code, b.template, {_STATE}
    from code c join code_batch b using (batch)
    where c.code = any(%b::text[])
    order by c.code
    for no key update of c for share of b
"""

OF_COUPONS: LiteralString = "select code, template, 'elsewhere' from coupon where code = any(%b::text[])"

SEEN: LiteralString = f"""
    select c.code, b.template, {_STATE} as state
    from code c join code_batch b using (batch)
    where c.code = any(%b::text[])
    union all
    select k.code, k.template, 'elsewhere'
    from coupon k
    where k.code = any(%b::text[]) and not exists (select from code c where c.code = k.code)
"""
"""(code, template, state) of codes asked for, twice the same parameter: for whoever only looks."""

TAKE: LiteralString = """
    update code c set bucket = u.bucket, member_id = u.member_id, coupon_id = u.coupon_id
    from unnest(%b::text[], %b::smallint[], %b::text[], %b::text[]) as u (code, bucket, member_id, coupon_id)
    where c.code = u.code and c.member_id is null
"""

ADD_BATCH: LiteralString = """
    insert into code_batch (template, prefix, letters, size, made_at, note)
    values (%s, %s, %s, %s, 'epoch'::timestamptz + %s * interval '1 microsecond', %s) returning batch
"""

ADD_CODES: LiteralString = """
    insert into code (code, batch, no)
    select %s::text || encode(substr(drawn, place * letters + 1, letters), 'escape'), %s::int, %s::int + place
    from (select %b::bytea, %s::int) as asked (drawn, letters),
        generate_series(0, length(drawn) / letters - 1) as place
"""

ADD_NEW_CODES: LiteralString = ADD_CODES + " on conflict do nothing"

_BATCH: LiteralString = f"""
    select batch, template, prefix, letters, size, (extract(epoch from made_at) * 1000000)::bigint,
        coalesce((extract(epoch from voided_at) * 1000000)::bigint, {NEVER}), note
    from code_batch
"""

ONE_BATCH: LiteralString = _BATCH + " where batch = %s"

BATCHES: LiteralString = (
    _BATCH + " where batch < %s and (%s::text is null or template = %s) order by batch desc limit %s"
)

VOID_BATCH: LiteralString = """
    update code_batch set voided_at = 'epoch'::timestamptz + %s * interval '1 microsecond'
    where batch = %s and voided_at is null
"""

COUNTS: LiteralString = """
    select count(*), count(*) filter (where k.state = 'redeemed')
    from code c left join coupon k on k.code = c.code
    where c.batch = %s and c.member_id is not null
"""

CODES: LiteralString = """
    select no, code, member_id, coupon_id from code where batch = %s and no > %s order by no limit %s
"""

CODES_AS_CSV: LiteralString = """
    select max(no), string_agg(code || ',' || case when taken then 'taken' else %s end, E'\r\n' order by no)
    from (select no, code, member_id is not null as taken from code where batch = %s and no > %s order by no limit %s)
"""

ONE_CODE: LiteralString = "select batch, member_id, coupon_id from code where code = %s"


class CodeBatch(Struct):
    """Codes of one template made together: ``size`` of them, ``letters`` drawn at random behind each ``prefix``."""

    batch: int
    template: str
    prefix: str
    letters: int
    size: int
    made_at: Instant
    voided_at: Instant  # NEVER: not voided
    note: str

    @property
    def is_void(self) -> bool:
        return self.voided_at < NEVER


class CodeCounts(Struct):
    """What became of a batch. ``free`` + ``taken`` + ``void`` is its size; ``redeemed`` are among ``taken``."""

    free: int
    taken: int
    void: int
    redeemed: int


class CodeRow(Struct):
    """A code of a batch and, where it is taken, by whom and as which coupon."""

    no: int
    code: str
    member_id: str | None
    coupon_id: str | None


# -- For a step -------------------------------------------------------------------------------------------


async def lock(connection: Connection, codes: Iterable[str]) -> dict[str, Code]:
    """What these codes are, as far as anybody knows them: those made ahead, which stay as they are until the
    transaction ends, and those that coupons brought along."""
    asked = sorted(set(codes))
    found = await _codes(connection, LOCK_MADE_AHEAD, asked)
    rest = [code for code in asked if code not in found]
    return found | await _codes(connection, OF_COUPONS, rest) if rest else found


async def _codes(connection: Connection, query: LiteralString, asked: list[str]) -> dict[str, Code]:
    texts = wire.array("text", [wire.text(code) for code in asked])
    cursor = await connection.execute(query, (texts,), prepare=True)
    return {code: Code(template, state) for code, template, state in await cursor.fetchall()}


async def see(connection: Connection, codes: Iterable[str]) -> dict[str, Code]:
    """As ``lock``, of this moment: nothing is held."""
    asked = sorted(set(codes))
    cursor = await connection.execute(SEEN, (asked, asked), prepare=True)
    return {code: Code(template, state) for code, template, state in await cursor.fetchall()}


async def take(connection: Connection, taken: Iterable[tuple[str, str, str]]) -> None:
    """Give these codes to whoever took them: (code, member id, coupon id). They must be free and locked."""
    rows = list(taken)
    arguments = (
        wire.array("text", [wire.text(code) for code, _, _ in rows]),
        wire.array("int2", [wire.int2(bucket_of(member_id)) for _, member_id, _ in rows]),
        wire.array("text", [wire.text(member_id) for _, member_id, _ in rows]),
        wire.array("text", [wire.text(coupon_id) for _, _, coupon_id in rows]),
    )
    await connection.execute(TAKE, arguments, prepare=True)


# -- Batches ----------------------------------------------------------------------------------------------


async def add_batch(
    connection: Connection, template: str, *, prefix: str, letters: int, size: int, at: Instant, note: str
) -> int:
    """The number of a new batch, which has no codes yet."""
    cursor = await connection.execute(ADD_BATCH, (template, prefix, letters, size, at, note))
    [(batch,)] = await cursor.fetchall()
    number: int = batch
    return number


async def add_codes(connection: Connection, batch: int, drawn: bytes, *, prefix: str, letters: int, first: int) -> int:
    """Add codes to the batch: ``drawn`` is their letters one after the other, ``first`` the number of the first one.

    Returns how many there are now of these: one that exists already, in this batch or another, is left out.
    """
    arguments = (prefix, batch, first, drawn, letters)
    try:
        async with connection.transaction():
            cursor = await connection.execute(ADD_CODES, arguments)
    except UniqueViolation:  # so seldom that looking for it beforehand would cost half of the time for nothing
        cursor = await connection.execute(ADD_NEW_CODES, arguments)
    return cursor.rowcount


async def batch_of(connection: Connection, batch: int) -> CodeBatch | None:
    """The batch with this number."""
    cursor = await connection.execute(ONE_BATCH, (batch,))
    row = await cursor.fetchone()
    return None if row is None else CodeBatch(*row)


async def batches(
    connection: Connection, *, template: str | None = None, before: int | None = None, most: int
) -> list[CodeBatch]:
    """Batches, the latest first, from the one ``before`` this number on."""
    cursor = await connection.execute(BATCHES, (_LAST if before is None else before, template, template, most))
    return [CodeBatch(*row) for row in await cursor.fetchall()]


async def void_batch(connection: Connection, batch: int, *, at: Instant) -> bool:
    """Let nobody take what is still free of the batch. False if it was void before."""
    cursor = await connection.execute(VOID_BATCH, (at, batch))
    return cursor.rowcount == 1


async def counts(connection: Connection, batch: CodeBatch) -> CodeCounts:
    """What became of the codes of a batch. Takes time with the codes that are taken."""
    cursor = await connection.execute(COUNTS, (batch.batch,))
    [(taken, redeemed)] = await cursor.fetchall()
    rest = batch.size - taken
    return CodeCounts(0 if batch.is_void else rest, taken, rest if batch.is_void else 0, redeemed)


async def codes(connection: Connection, batch: int, *, after: int = 0, most: int) -> list[CodeRow]:
    """Codes of a batch in the order of their numbers, from the one ``after`` this number on."""
    cursor = await connection.execute(CODES, (batch, after, most))
    return [CodeRow(*row) for row in await cursor.fetchall()]


async def codes_as_csv(connection: Connection, batch: CodeBatch, *, after: int, most: int) -> tuple[int, str]:
    """Lines "code,state" of a batch without the last line's end, and the number of the last one (0: there are none).

    The server writes the lines, so that a million of them cost this process little. No code needs quotes: there is
    nothing in one but letters, digits and "-".
    """
    rest = "void" if batch.is_void else "free"
    cursor = await connection.execute(CODES_AS_CSV, (rest, batch.batch, after, most))
    [(last, lines)] = await cursor.fetchall()
    return (0, "") if last is None else (last, lines)


async def code(connection: Connection, text: str) -> tuple[CodeBatch, CodeRow] | None:
    """A code made ahead, with its batch."""
    cursor = await connection.execute(ONE_CODE, (text,))
    row: tuple[Any, ...] | None = await cursor.fetchone()
    if row is None:
        return None
    batch = await batch_of(connection, row[0])
    return None if batch is None else (batch, CodeRow(0, text, row[1], row[2]))


_LAST = 2**31 - 1
