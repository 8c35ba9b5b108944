"""Order lines: one row of a CSV or Parquet file each, checked and laid out by member.

DuckDB looks at every row with expressions that accept only what is plainly right. Rows it is not sure about
(a date without seconds on the night the clocks change, an amount written "1E+2", anything wrong) are judged
one by one by ``judge``, which is the authority: the expressions may accept a row only if ``judge`` does, with
the same result. Amounts go from text to whole numbers through DECIMAL; there is no binary fraction on the
way.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from msgspec import Struct

from shuke.replay.history import checks
from shuke.replay.history.checks import Refusal
from shuke.replay.history.partitions import DOUBTFUL, LATER, Partitions, reader_of
from shuke.replay.history.rejects import HistoryError
from shuke.replay.history.text import Refuse
from shuke.values.instants import DAY, MINUTE, LocalCalendar
from shuke.values.names import UNSEEN

REQUIRED: Final = ("order_id", "member_id", "occurred_at", "amount")
OPTIONAL: Final = (
    "line_no", "sku", "category", "brand", "quantity", "list_amount",
    "channel", "store", "payment", "tax", "shipping",
)  # fmt: skip
KNOWN: Final = REQUIRED + OPTIONAL

# What is laid out, in this order; further columns of the file follow as x0, x1 …
STAGED: Final = {
    "line": "BIGINT", "order_id": "VARCHAR", "member_id": "VARCHAR", "at_": "BIGINT", "line_no": "BIGINT",
    "amount": "BIGINT", "quantity": "BIGINT", "list_amount": "BIGINT", "tax": "BIGINT", "shipping": "BIGINT",
    "sku": "VARCHAR", "category": "VARCHAR", "brand": "VARCHAR",
    "channel": "VARCHAR", "store": "VARCHAR", "payment": "VARCHAR",
}  # fmt: skip
MAX_LINE_NO: Final = 10**9 - 1

_ROWS: Final = 100_000

# The days for which the shift from wall clock to UTC is handed to DuckDB; others are judged.
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_FIRST_DAY: Final = date(1990, 1, 1).toordinal()
_LAST_DAY: Final = date(2050, 1, 1).toordinal()

_ID: Final = r"'[^\pZ\pC](?:[^\pC]*[^\pZ\pC])?'"
_UNSEEN: Final = "'[" + "".join(rf"\x{{{first:x}}}-\x{{{last:x}}}" for first, last in UNSEEN) + "]'"
_INSTANT: Final = (
    r"'\d{4}-\d\d-\d\d([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)?)?'"
)


class Extra(Struct):
    """A column of the file beyond the known ones: it becomes an attribute of the line.

    ``kind``: ``text``, or what a typed Parquet column holds: ``whole``, ``flag`` or ``number`` (a Decimal's
    text).
    """

    name: str
    kind: str


class Layout(Struct):
    """What a file of order lines holds: where each known column is (its index), and which others there
    are."""

    known: dict[str, int]
    extras: list[Extra]
    extra_at: list[int]


def layout_of(path: Path, header: list[str], kinds: list[str] | None = None) -> Layout:
    """HistoryError, naming what is missing, unless the columns are those of order lines."""
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        found = ", ".join(header[:20])
        raise HistoryError(f"{path.name} lacks the column {' and '.join(missing)}; it has: {found}")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise HistoryError(f'{path.name} has the column "{twice[0]}" twice')
    further = [index for index, name in enumerate(header) if name not in KNOWN]
    return Layout(
        known={name: index for index, name in enumerate(header) if name in KNOWN},
        extras=[Extra(header[index], kinds[index] if kinds else "text") for index in further],
        extra_at=further,
    )


class Reader(Struct):
    """What turns texts into an order line: the zone, the scale of money, and where the columns are."""

    layout: Layout
    calendar: LocalCalendar
    scale: int

    def judge(self, values: list[str | None]) -> tuple[Any, ...]:
        """The columns of STAGED after ``line``, and the extras, of one row of texts. Refusal if it is
        none."""
        known = self.layout.known

        def text(name: str) -> str | None:
            return values[known[name]] if name in known else None

        def amount(name: str) -> int | None:
            return checks.read_amount(name, text(name), scale=self.scale)

        order_id = checks.read_id("order_id", text("order_id"))
        member_id = checks.read_id("member_id", text("member_id"))
        at = checks.read_instant("occurred_at", text("occurred_at"), calendar=self.calendar)
        total = amount("amount")
        if total is None:
            raise Refusal("missing", "amount is missing")
        line_no = checks.read_whole("line_no", text("line_no"), least=0, most=MAX_LINE_NO)
        quantity = checks.read_whole("quantity", text("quantity"), least=1, most=checks.MAX_QUANTITY)
        further = (
            checks.read_text(extra.name, values[index])
            for extra, index in zip(self.layout.extras, self.layout.extra_at, strict=True)
        )
        return (
            order_id, member_id, at, line_no, total, quantity,
            amount("list_amount"), amount("tax"), amount("shipping"),
            *(checks.read_text(name, text(name)) for name in list(STAGED)[10:]),
            *further,
        )  # fmt: skip


def stage(
    connection: duckdb.DuckDBPyConnection,
    *,
    source: str,
    reader: Reader,
    partitions: int,
    until: int | None,
    target: Partitions,
) -> None:
    """Lay out the rows of ``source`` (``line, c0, c1 …``, all text); those that must be judged have their
    texts in ``raw``.

    Expects the tables ``links(linked, root)`` and, filled by ``share_shifts``, ``shifts(day, shift)``.
    """
    layout = reader.layout
    texts = ", ".join(f"c{index}" for index in range(len(layout.known) + len(layout.extras)))
    typed, sure = _expressions(reader)
    names = ", ".join((*STAGED, *(f"x{index}" for index in range(len(layout.extras)))))
    staged = connection.sql(f"""
        WITH walls AS (
            SELECT *, {_wall(_part(layout, "occurred_at"))} AS wall
            FROM {source} WHERE coalesce({texts}) IS NOT NULL
        ), typed AS (
            SELECT {typed}, coalesce({sure}, FALSE) AS sure, CASE WHEN NOT sure THEN [{texts}] END AS raw
            FROM walls LEFT JOIN shifts ON shifts.day = epoch_us(wall) // {DAY}
        )
        SELECT {names}, raw,
            CASE WHEN sure THEN {part_of("typed", partitions, until)} ELSE {DOUBTFUL} END AS part
        FROM typed LEFT JOIN links ON links.linked = typed.member_id
    """)
    for batch in staged.to_arrow_reader(_ROWS):
        target.write(batch)


def part_of(table: str, partitions: int, until: int | None) -> str:
    """SQL: the partition of a row with ``member_id`` and ``at_``, joined with ``links``."""
    later = "FALSE" if until is None else f"at_ > {until}"
    group = f"hash(coalesce(links.root, {table}.member_id)) % {partitions}"
    return f"CASE WHEN {later} THEN {LATER} ELSE ({group})::BIGINT END"


def share_shifts(connection: duckdb.DuckDBPyConnection, calendar: LocalCalendar) -> None:
    """Table ``shifts``: for local days (since 1970) with one offset all through, how far they are ahead of
    UTC."""
    connection.register("shifts_told", _shifts_of(calendar))
    connection.execute("CREATE OR REPLACE TABLE shifts AS SELECT * FROM shifts_told")
    connection.unregister("shifts_told")


@lru_cache(maxsize=8)
def _shifts_of(calendar: LocalCalendar) -> pa.Table:
    days, shifts = [], []
    for day in range(_FIRST_DAY, _LAST_DAY):
        start = calendar.at_wall(day, 0)
        if calendar.at_wall(day, DAY - 1) - start == DAY - 1 and calendar.day_start(day) == start:
            days.append(day - _EPOCH_DAY)
            shifts.append((day - _EPOCH_DAY) * DAY - start)
    return pa.table({"day": pa.array(days, pa.int64()), "shift": pa.array(shifts, pa.int64())})


def _part(layout: Layout, name: str) -> str:
    return f"c{layout.known[name]}" if name in layout.known else "NULL::VARCHAR"


def _wall(text: str) -> str:
    """SQL: what the clock showed, as a TIMESTAMP; NULL unless the text is plainly a date or a date and
    time."""
    return f"""try_cast(CASE WHEN NOT regexp_full_match({text}, {_INSTANT}) THEN NULL
        WHEN ends_with({text}, 'Z') THEN left({text}, -1)
        WHEN {_has_offset(text)} THEN left({text}, -6) ELSE {text} END AS TIMESTAMP)"""


def _has_offset(text: str) -> str:
    return f"(length({text}) > 21 AND substr({text}, -6, 1) IN ('+', '-'))"


def _instant(text: str) -> str:
    """SQL: microseconds since 1970 UTC, from ``wall`` and the day's ``shift``."""
    hours, minutes = (f"try_cast(substr({text}, {place}, 2) AS BIGINT)" for place in (-5, -2))
    ahead = f"({hours} * 60 + {minutes}) * {MINUTE}"
    return f"""epoch_us(wall) - CASE WHEN ends_with({text}, 'Z') THEN 0
        WHEN {_has_offset(text)} THEN CASE substr({text}, -6, 1) WHEN '-' THEN -{ahead} ELSE {ahead} END
        ELSE shift END"""


def _expressions(reader: Reader) -> tuple[str, str]:
    """SQL: the typed columns, and the condition under which they are what ``judge`` would say."""
    layout, scale = reader.layout, reader.scale
    # 15 digits stay below MAX_AMOUNT, whatever the scale.
    money = rf"'\d{{1,{15 - scale}}}(\.\d{{1,{scale}}})?'" if scale else r"'\d{1,15}'"
    typed = ["line"]
    sure = ["wall IS NOT NULL", "year(wall) BETWEEN 1 AND 9998"]
    for name, kind in list(STAGED.items())[1:]:
        text = _part(layout, name if name != "at_" else "occurred_at")
        if name == "at_":
            typed.append(f"{_instant(text)} AS at_")
            sure.append("at_ IS NOT NULL")
        elif name not in layout.known:
            typed.append(f"NULL::{kind} AS {name}")
        elif name in ("order_id", "member_id"):
            typed.append(f"{text} AS {name}")
            sure.append(f"length({text}) <= {checks.MAX_ID} AND regexp_full_match({text}, {_ID})")
            kept = f"nfc_normalize({text}) = {text} AND NOT regexp_matches({text}, {_UNSEEN})"
            sure.append(f"(strlen({text}) = length({text}) OR ({kept}))")  # as many bytes as characters: ASCII
        elif name in ("line_no", "quantity"):
            plain = r"'\d{1,9}'" if name == "line_no" else r"'[1-9]\d{0,5}'"
            typed.append(f"try_cast({text} AS BIGINT) AS {name}")
            sure.append(f"({text} IS NULL OR regexp_full_match({text}, {plain}))")
        elif kind == "BIGINT":
            typed.append(f"(try_cast({text} AS DECIMAL(18, {scale})) * {10**scale})::BIGINT AS {name}")
            empty = f"{text} IS NULL OR " if name != "amount" else ""
            sure.append(f"({empty}regexp_full_match({text}, {money}))")
        else:
            typed.append(f"{text} AS {name}")
            sure.append(_short(text))
    for index, at in enumerate(layout.extra_at):
        typed.append(f"c{at} AS x{index}")
        sure.append(_short(f"c{at}"))
    return ", ".join(typed), " AND ".join(sure)


def _short(text: str) -> str:
    return f"({text} IS NULL OR (length({text}) <= {checks.MAX_TEXT} AND NOT contains({text}, chr(0))))"


def typed_value(extra: Extra, text: str) -> Any:
    """An attribute's value: typed Parquet columns keep whole numbers and flags; a fraction stays text, as in JSON."""
    if extra.kind == "whole":
        return int(text)
    if extra.kind == "flag":
        return text == "true"
    return text


def judge_doubtful(
    connection: duckdb.DuckDBPyConnection,
    *,
    reader: Reader,
    partitions: int,
    until: int | None,
    target: Partitions,
    doubtful: Path,
    refuse: Refuse,
) -> None:
    """Judge the rows that ``stage`` was not sure about: order lines go to ``target``, the others to
    ``refuse``."""
    connection.register("doubtful", reader_of([doubtful], ["line", "raw"]))
    found = connection.execute("SELECT line, raw FROM doubtful ORDER BY line")
    rows = _judged(reader, _fetched(found), refuse)
    extras = [f"x{index}" for index in range(len(reader.layout.extras))]
    schema = pa.schema(
        [(name, pa.int64() if kind == "BIGINT" else pa.string()) for name, kind in STAGED.items()]
        + [(name, pa.string()) for name in extras]
    )
    sorter = connection.cursor()  # its own place: the rows above are still being fetched
    while held := list(islice(rows, 10_000)):
        columns = [pa.array(column, field.type) for column, field in zip(zip(*held, strict=True), schema, strict=True)]
        sorter.register("judged", pa.Table.from_arrays(columns, schema=schema))
        settled = sorter.sql(
            f"SELECT judged.*, NULL::VARCHAR[] AS raw, {part_of('judged', partitions, until)} AS part "
            "FROM judged LEFT JOIN links ON links.linked = judged.member_id"
        )
        for batch in settled.to_arrow_reader(_ROWS):
            target.write(batch)
    connection.unregister("doubtful")
    doubtful.unlink()


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[int, list[str | None]]]:
    while rows := found.fetchmany(10_000):
        yield from rows


def _judged(reader: Reader, rows: Iterator[tuple[int, list[str | None]]], refuse: Refuse) -> Iterator[tuple[Any, ...]]:
    for line, values in rows:
        try:
            yield (line, *reader.judge(values))
        except Refusal as refused:
            refuse(line, refused.code, refused.reason)
