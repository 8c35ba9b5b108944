"""Rows on disk between reading and replaying: Arrow files, one per partition of members.

Arrow rather than Parquet: the rows are read again once, at once, and encoding them tightly would cost more
than all the checks before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from shuke.values.instants import Instant

DOUBTFUL: Final = -1
"""Partition of rows that must be judged one by one."""

LATER: Final = -2
"""Partition of what happened after the end: counted, not kept."""

_HELD_ROWS: Final = 250_000
_OPTIONS: Final = ipc.IpcWriteOptions(compression="lz4", use_threads=False)


class Partitions:
    """Puts batches that have columns ``part`` and ``at_`` into ``folder/<part>.arrow``.

    ``counts`` says how many rows each got, ``last`` when the latest of those kept for members was. A file is
    several Arrow streams, one after the other: between two of them it is closed, so there may be more
    partitions than a process may have files open.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.counts: dict[int, int] = {}
        self.last: Instant = 0
        self._held: list[pa.RecordBatch] = []
        self._rows = 0
        folder.mkdir()

    def write(self, batch: pa.RecordBatch) -> None:
        self._held.append(batch)
        self._rows += batch.num_rows
        if self._rows >= _HELD_ROWS:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        rows = pa.Table.from_batches(self._held)
        self._held, self._rows = [], 0
        rows = rows.take(pc.sort_indices(rows.column("part"))).combine_chunks()
        start = 0
        found = rows.column("part").combine_chunks().value_counts().to_pylist()
        for number, count in sorted((int(pair["values"]), int(pair["counts"])) for pair in found):
            self.counts[number] = self.counts.get(number, 0) + count
            if number != LATER:
                with (
                    (self.folder / f"{number}.arrow").open("ab") as file,
                    ipc.new_stream(file, rows.schema, options=_OPTIONS) as stream,
                ):
                    stream.write_table(rows.slice(start, count))
            if number >= 0:
                self.last = max(self.last, pc.max(rows.column("at_").slice(start, count)).as_py())
            start += count

    def __enter__(self) -> Partitions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()


def files_of(folder: Path) -> list[Path]:
    """The files of all partitions of members, in order."""
    numbers = sorted(int(file.stem) for file in folder.glob("*.arrow"))
    return [folder / f"{number}.arrow" for number in numbers if number >= 0]


def reader_of(files: list[Path], columns: list[str] | None = None) -> pa.RecordBatchReader:
    """The batches of some files (at least one), one file after the other."""
    with ipc.open_stream(pa.memory_map(str(files[0]))) as first:
        whole = first.schema
    indices = None if columns is None else [whole.get_field_index(name) for name in columns]
    schema = whole if indices is None else pa.schema([whole.field(index) for index in indices])
    options = ipc.IpcReadOptions(included_fields=indices, use_threads=False)

    def batches() -> Iterator[pa.RecordBatch]:
        for file in files:
            with pa.memory_map(str(file)) as source:
                while source.tell() < source.size():
                    with ipc.open_stream(source, options=options) as stream:
                        for batch in stream:
                            # Projected batches come in the file's order of columns.
                            yield batch if columns is None else batch.select(columns)

    return pa.RecordBatchReader.from_batches(schema, batches())


@contextmanager
def connected(folder: Path, *, memory: str, threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB that keeps to ``memory`` and goes to disk, below ``folder``, for more."""
    connection = duckdb.connect()
    try:
        connection.execute(f"SET temp_directory = '{folder / 'spill'}'")
        connection.execute(f"SET memory_limit = '{memory}'")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute("SET enable_progress_bar = false")  # progress is for the caller to show
        # Streams do not tell their size; DuckDB would take the small table for the big one and hold the
        # history in memory.
        connection.execute("SET disabled_optimizers = 'build_side_probe_side,join_order'")
        if threads is not None:
            connection.execute(f"SET threads = {threads}")
        yield connection
    finally:
        connection.close()
