"""Activities out of a prepared history, in their total order.

The order is (occurred_at, kind, key) with the kinds members, activities, orders: who joined and shopped in
the same second has joined first. It does not depend on the order of rows in a file, nor on the number of
partitions.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa

from shuke.engine.activity import ORDER_PAID, Activity, Line, Purchase
from shuke.replay.history.facts import SOURCES
from shuke.replay.history.orders import Extra, typed_value
from shuke.replay.history.partitions import connected, files_of, reader_of
from shuke.replay.history.preparing import Prepared
from shuke.values.instants import NEVER

_ROWS: Final = 32_768
_MEMORY: Final = "512MB"
_ORDER_COLUMNS: Final[tuple[str, ...]] = ("channel", "store", "payment", "tax", "shipping")
_PAYLOAD: Final = msgspec.json.Decoder(dict[str, Any], float_hook=str)


def stream(prepared: Prepared, partition: int) -> Iterator[Activity]:
    """Everything that happened to the members of one partition (0 .. partitions - 1), in order."""
    if not 0 <= partition < prepared.partitions:
        raise ValueError(f"there are partitions 0 to {prepared.partitions - 1}, not {partition}")
    return _stream(prepared, partition)


def stream_all(prepared: Prepared) -> Iterator[Activity]:
    """Everything that happened to everybody, in order. Sorts on disk; takes the memory of no more than a few
    rows."""
    return _stream(prepared, None)


def _stream(prepared: Prepared, partition: int | None) -> Iterator[Activity]:
    orders = _orders(prepared, partition)
    facts = _facts(prepared, partition)
    fact = next(facts, None)
    if fact is None:
        yield from orders
        return
    due = fact.occurred_at
    for order in orders:
        at = order.occurred_at
        while due <= at:
            assert fact is not None  # NEVER is later than any order
            yield fact
            fact = next(facts, None)
            due = NEVER if fact is None else fact.occurred_at
        yield order
    if fact is not None:
        yield fact
        yield from facts


def _files(prepared: Prepared, kinds: tuple[str, ...], partition: int | None) -> list[Path]:
    folders = [prepared.folder / kind for kind in kinds]
    if partition is None:
        return [file for folder in folders for file in files_of(folder)]
    return [file for folder in folders if (file := folder / f"{partition}.arrow").exists()]


def _batches(prepared: Prepared, files: list[Path], select: str) -> Iterator[pa.RecordBatch]:
    """What ``select`` finds in the rows of some files, called ``told`` there."""
    with connected(prepared.folder, memory=_MEMORY, threads=1) as connection:
        connection.register("told", reader_of(files))
        yield from connection.sql(select).to_arrow_reader(_ROWS)


def _facts(prepared: Prepared, partition: int | None) -> Iterator[Activity]:
    files = _files(prepared, ("facts",), partition)
    if not files:
        return
    select = "SELECT kind, at_, key, type, member_id, payload FROM told ORDER BY at_, kind, key"
    for batch in _batches(prepared, files, select):
        columns = (column.to_pylist() for column in batch.columns)
        for kind, at, key, what, member_id, payload in zip(*columns, strict=True):
            body = None if payload is None else _PAYLOAD.decode(payload)
            yield Activity(what, member_id, at, SOURCES[kind], key, body)


def _orders(prepared: Prepared, partition: int | None) -> Iterator[Activity]:
    files = _files(prepared, ("lines", "judged"), partition)
    if not files:
        return
    odd = prepared.folder / "odd.parquet"
    sieve = f"ANTI JOIN '{odd}' AS odd ON odd.line = told.line" if odd.exists() else ""
    order_columns = [name for name in _ORDER_COLUMNS if name in prepared.columns]
    extras = [f"x{index}" for index in range(len(prepared.extras))]
    further = "".join(f", {name}" for name in (*order_columns, *extras))
    select = f"""
        SELECT order_id, member_id, at_, amount, coalesce(quantity, 1), sku, category, brand,
            list_amount{further}
        FROM told {sieve} ORDER BY at_, order_id, line_no, told.line
    """
    known = [Extra(name, kind) for name, kind in prepared.extras]
    rest: pa.Table | None = None
    for batch in _batches(prepared, files, select):
        told = pa.Table.from_batches([batch])
        if rest is not None:
            told = pa.concat_tables([rest, told])
        # The last order may go on in the next batch.
        ids = told.column(0).to_pylist()
        cut = len(ids) - 1
        while cut > 0 and ids[cut - 1] == ids[cut]:
            cut -= 1
        rest = told.slice(cut)
        yield from _grouped(told.slice(0, cut), order_columns, known)
    if rest is not None:
        yield from _grouped(rest, order_columns, known)


def _grouped(told: pa.Table, order_columns: list[str], extras: list[Extra]) -> Iterator[Activity]:
    """Orders of sorted rows. What belongs to the order is the first value that one of its lines has."""
    columns = [column.to_pylist() for column in told.columns]
    ids, members, instants = columns[:3]
    values = columns[3:9]
    if extras:
        attributes = _attributes(columns[9 + len(order_columns) :], extras)
        lines = list(map(Line, *values, repeat(None), attributes))
    else:
        lines = list(map(Line, *values))
    levels = columns[9 : 9 + len(order_columns)]
    start, count = 0, len(ids)
    while start < count:
        order_id = ids[start]
        end = start + 1
        while end < count and ids[end] == order_id:
            end += 1
        purchase = Purchase(order_id, lines[start:end])
        for name, level in zip(order_columns, levels, strict=True):
            value = level[start]
            if value is None and end - start > 1:
                value = next((later for later in level[start + 1 : end] if later is not None), None)
            if value is not None:
                setattr(purchase, name, value)
        yield Activity(ORDER_PAID, members[start], instants[start], "orders", order_id, None, purchase)
        start = end


def _attributes(columns: list[list[str | None]], extras: list[Extra]) -> Iterator[dict[str, Any] | None]:
    if all(extra.kind == "text" for extra in extras):
        names = [extra.name for extra in extras]
        for row in zip(*columns, strict=True):
            yield {name: text for name, text in zip(names, row, strict=True) if text is not None} or None
        return
    for row in zip(*columns, strict=True):
        yield {
            extra.name: typed_value(extra, text) for extra, text in zip(extras, row, strict=True) if text is not None
        } or None
