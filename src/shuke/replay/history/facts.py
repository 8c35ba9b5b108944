"""Facts that are not orders (members, their opening balances, activities), laid out like order lines: by
member.

They are read row by row in Python: there are far fewer of them, and they come in all shapes.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from msgspec import Struct

from shuke.engine.activity import JOINED
from shuke.replay.history.orders import part_of
from shuke.replay.history.partitions import Partitions
from shuke.replay.history.text import Refuse

MEMBERS: Final = 0
ACTIVITIES: Final = 1
SOURCES: Final = ("members", "activities")
"""What each kind of fact is called as a source. At one instant members come first, then activities, then
orders."""

_SCHEMA: Final = pa.schema(
    [
        ("kind", pa.int64()),
        ("line", pa.int64()),
        ("at_", pa.int64()),
        ("key", pa.string()),
        ("type", pa.string()),
        ("member_id", pa.string()),
        ("payload", pa.string()),
    ]
)


_NAMES: Final = pa.schema([("line", pa.int64()), ("kind", pa.string()), ("value", pa.string())])


class Fact(Struct):
    """A row to be. ``payload`` is JSON, amounts already in smallest units; ``line`` is where it was told."""

    kind: int
    line: int
    at: int
    key: str
    type: str
    member_id: str
    payload: str | None = None
    names: tuple[tuple[str, str], ...] = ()  # identities (kind, value) it tells that only one member may have


class FactSheet:
    """Facts as they are read, into one Parquet file; beside it, in another, the names that members are known by."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.names = path.with_name(f"{path.stem}_names.parquet")
        self._writer = pq.ParquetWriter(path, _SCHEMA, compression="lz4")
        self._names = pq.ParquetWriter(self.names, _NAMES, compression="lz4")
        self._held: list[Fact] = []

    def add(self, fact: Fact) -> None:
        self._held.append(fact)
        if len(self._held) == 10_000:
            self._flush()

    def _flush(self) -> None:
        facts = [(f.kind, f.line, f.at, f.key, f.type, f.member_id, f.payload) for f in self._held]
        names = [(f.line, kind, value) for f in self._held for kind, value in f.names]
        for writer, schema, rows in ((self._writer, _SCHEMA, facts), (self._names, _NAMES, names)):
            if rows:
                columns = zip(zip(*rows, strict=True), schema, strict=True)
                arrays = [pa.array(column, field.type) for column, field in columns]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
        self._held = []

    def __enter__(self) -> FactSheet:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        self._writer.close()
        self._names.close()


def refuse_repeated(connection: duckdb.DuckDBPyConnection, sheet: Path, *, kind: int, refuse: Refuse) -> None:
    """Refuse every row whose key stood in its file before: one key is one fact, one member one row.

    Adds them to the table ``repeated(kind, line)``.
    """
    found = connection.execute(
        f"""
        SELECT DISTINCT line, key, first FROM (
            SELECT line, key, type, min(line) OVER (PARTITION BY key) AS first FROM '{sheet}'
            WHERE kind = {kind} AND hash(key) IN (
                SELECT hash(key) FROM '{sheet}' WHERE kind = {kind} GROUP BY 1 HAVING count(*) > 1
            )
        ) WHERE line <> first AND (kind_is_activity OR type = '{JOINED}') ORDER BY line
        """.replace("kind_is_activity", "TRUE" if kind == ACTIVITIES else "FALSE")
    )
    repeated: list[tuple[int, int]] = []
    while rows := found.fetchmany(10_000):
        for line, key, first in rows:
            repeated.append((kind, line))
            if kind == ACTIVITIES:
                refuse(line, "key_twice", f'the key "{key}" stands in line {first} already: one key is one fact')
            else:
                member_id = key.removeprefix("joined:")
                refuse(line, "member_twice", f'the member "{member_id}" stands in line {first} already')
    if repeated:
        connection.executemany("INSERT INTO repeated VALUES (?, ?)", repeated)


def refuse_taken(connection: duckdb.DuckDBPyConnection, names: Path, *, refuse: Refuse) -> None:
    """Refuse every member who is known by what a line before says of another.

    In the books only one of them could be, and which one would hang on who came first. Adds them to the table
    ``repeated(kind, line)``.
    """
    found = connection.execute(f"""
        SELECT line, arg_min(kind, first), min(first) FROM (
            SELECT line, kind, min(line) OVER (PARTITION BY kind, value) AS first FROM '{names}' AS names
            ANTI JOIN repeated ON repeated.kind = {MEMBERS} AND repeated.line = names.line
        ) WHERE line <> first GROUP BY line ORDER BY line
    """)
    taken: list[tuple[int, int]] = []
    while rows := found.fetchmany(10_000):
        for line, kind, first in rows:
            taken.append((MEMBERS, line))
            refuse(line, "identity_taken", f"its {kind} is that of the member in line {first}")
    if taken:
        connection.executemany("INSERT INTO repeated VALUES (?, ?)", taken)


def stage_facts(
    connection: duckdb.DuckDBPyConnection,
    sheet: Path,
    *,
    partitions: int,
    until: int | None,
    target: Partitions,
) -> tuple[int, int]:
    """Lay out the sheet, without what is ``repeated``.

    Gives back how many members and how many activities there are up to ``until``.
    """
    kept = f"""
        SELECT facts.* FROM '{sheet}' AS facts
        ANTI JOIN repeated ON repeated.kind = facts.kind AND repeated.line = facts.line
    """
    staged = connection.sql(f"""
        SELECT kept.*, {part_of("kept", partitions, until)} AS part
        FROM ({kept}) AS kept LEFT JOIN links ON links.linked = kept.member_id
    """)
    for batch in staged.to_arrow_reader(100_000):
        target.write(batch)
    later = "FALSE" if until is None else f"at_ > {until}"
    members, activities = connection.execute(f"""
        SELECT count(*) FILTER (type = '{JOINED}' AND kind = {MEMBERS}),
            count(*) FILTER (kind = {ACTIVITIES})
        FROM ({kept}) WHERE NOT ({later})
    """).fetchall()[0]
    return members, activities
