"""Do the lines of one order agree? They may stand anywhere in the file, so this is asked once all are laid
out.

* Lines of one order that name different members: the whole order is refused. Nobody can tell whose it is.
* A line at another instant than the order's first line (in the file), or with another ``tax`` or
  ``shipping``: refused.
* A ``line_no`` that the order had before: refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from shuke.replay.history.partitions import reader_of
from shuke.replay.history.text import Refuse


class Agreement(Struct):
    """How many lines and orders stand after the lines that disagree were refused."""

    lines: int
    orders: int


def check_agreement(
    connection: duckdb.DuckDBPyConnection, *, files: list[Path], odd: Path, refuse: Refuse
) -> Agreement:
    """Refuse the lines that disagree with their order, and write their numbers to ``odd`` (column ``line``).

    ``files`` hold all lines laid out. Orders are compared by 64-bit hashes first, which can only call too
    many orders odd; those are then looked at line by line.
    """
    columns = ["order_id", "line", "member_id", "at_", "line_no", "tax", "shipping"]
    connection.register("laid_out", reader_of(files, columns))
    # Each line sets one bit of 127; as many bits as numbered lines means that no number came twice.
    count, orders, suspects = connection.execute("""
        SELECT coalesce(sum(n), 0)::BIGINT, count(*), coalesce(list(id) FILTER (odd), [])
        FROM (
            SELECT hash(order_id) AS id, count(*) AS n,
                min(at_) <> max(at_) OR min(hash(member_id)) <> max(hash(member_id))
                OR coalesce(min(tax) <> max(tax), FALSE) OR coalesce(min(shipping) <> max(shipping), FALSE)
                OR coalesce(bit_count(bit_or(1::HUGEINT << (line_no % 127)::INT)) <> count(line_no), FALSE)
                AS odd
            FROM laid_out GROUP BY id
        )
    """).fetchall()[0]
    refused: list[int] = []
    whole = 0
    if suspects:
        connection.register("laid_out", reader_of(files, columns))
        connection.register("suspects", pa.table({"id": pa.array(suspects, pa.uint64())}))
        found = connection.execute(f"""
            SELECT {", ".join(columns)} FROM laid_out
            SEMI JOIN suspects ON hash(order_id) = suspects.id ORDER BY order_id, line
        """)
        for _, order in groupby(_rows(found), key=lambda row: row[0]):
            told = list(order)
            disagreeing = _disagreeing(told)
            whole += len(disagreeing) == len(told)
            for line, code, reason in disagreeing:
                refuse(line, code, reason)
                refused.append(line)
        connection.unregister("suspects")
    connection.unregister("laid_out")
    if refused:
        pq.write_table(pa.table({"line": pa.array(refused, pa.int64())}), odd)
    return Agreement(lines=count - len(refused), orders=orders - whole)


def _rows(found: Any) -> Iterator[tuple[Any, ...]]:
    while rows := found.fetchmany(10_000):
        yield from rows


def _disagreeing(lines: list[tuple[Any, ...]]) -> list[tuple[int, str, str]]:
    """(line, code, reason) of an order's lines that disagree; rows as selected above, by their place in the
    file."""
    order_id, first = lines[0][0], lines[0]
    members = sorted({line[2] for line in lines})
    if len(members) > 1:
        two = f'the members "{members[0]}" and "{members[1]}"'
        reason = f'order "{order_id}" names {two}: nobody can tell whose it is'
        return [(line[1], "two_members", reason) for line in lines]
    wrong: list[tuple[int, str, str]] = []
    numbers: set[int] = set()
    totals: dict[str, int] = {}
    for _, line, _, at, line_no, tax, shipping in lines:
        differing = [
            name
            for name, value in (("tax", tax), ("shipping", shipping))
            if value is not None and totals.get(name, value) != value
        ]
        if at != first[3]:
            wrong.append(
                (
                    line,
                    "two_instants",
                    f'order "{order_id}" has another occurred_at in line {first[1]} of the file',
                )
            )
        elif line_no in numbers:
            wrong.append((line, "line_twice", f'order "{order_id}" has line_no {line_no} already'))
        elif differing:
            name = differing[0]
            reason = f'order "{order_id}" has another {name} above: it belongs to the order, not to a line'
            wrong.append((line, "two_totals", reason))
        else:
            if line_no is not None:
                numbers.add(line_no)
            if tax is not None:
                totals["tax"] = tax
            if shipping is not None:
                totals["shipping"] = shipping
    return wrong
