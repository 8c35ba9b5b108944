"""A file of rows, CSV or Parquet, as DuckDB sees it: ``line, c0, c1 …``, all text."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from shuke.replay.history.rejects import HistoryError
from shuke.replay.history.text import CsvFile, Refuse, Watch, raw_lines

_WHOLE = (
    "TINYINT",
    "SMALLINT",
    "INTEGER",
    "BIGINT",
    "UTINYINT",
    "USMALLINT",
    "UINTEGER",
    "UBIGINT",
    "HUGEINT",
)


class Table(Protocol):
    """``header`` are the column names, ``kinds`` what each holds (see ``orders.Extra``)."""

    path: Path
    header: list[str]
    kinds: list[str]

    def source(
        self, connection: duckdb.DuckDBPyConnection, refuse: Refuse, watch: Watch | None
    ) -> Any:  # a context manager giving SQL
        """SQL for the rows, good for one reading within the context."""
        ...

    def raw(self, connection: duckdb.DuckDBPyConnection, wanted: list[int]) -> Iterator[tuple[int, str]]:
        """The text of the rows at ascending line numbers."""
        ...


class CsvTable:
    """A CSV file, plain or ``.gz``. Line 1 is the header."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = CsvFile(path)
        self.header = self._file.header
        self.kinds = ["text"] * len(self.header)

    @contextmanager
    def source(self, connection: duckdb.DuckDBPyConnection, refuse: Refuse, watch: Watch | None) -> Iterator[str]:
        # What goes wrong while DuckDB pulls would come back as DuckDB's error, without its sentence.
        failures: list[HistoryError] = []

        def batches() -> Iterator[pa.RecordBatch]:
            try:
                yield from self._file.batches(refuse, watch)
            except HistoryError as broken:
                failures.append(broken)
                raise

        reader = pa.RecordBatchReader.from_batches(self._file.schema, batches())
        connection.register("csv_rows", reader)
        try:
            yield "csv_rows"
        except (duckdb.Error, pa.ArrowException) as broken:
            if failures:
                raise failures[0] from broken
            raise
        finally:
            connection.unregister("csv_rows")

    def raw(self, connection: duckdb.DuckDBPyConnection, wanted: list[int]) -> Iterator[tuple[int, str]]:
        return raw_lines(self.path, wanted)


class ParquetTable:
    """A Parquet file; its rows are counted from 1. Typed values become the text they would have in a CSV
    file."""

    def __init__(self, path: Path, connection: duckdb.DuckDBPyConnection) -> None:
        self.path = path
        try:
            columns = connection.execute(f"DESCRIBE SELECT * FROM {self._scan}").fetchall()
        except duckdb.Error as broken:
            raise HistoryError(f"{path.name} is not a Parquet file that can be read: {broken}") from broken
        self.header = [str(name) for name, *_ in columns]
        self._types = [str(kind) for _, kind, *_ in columns]
        self.kinds = [_kind(kind) for kind in self._types]

    @property
    def _scan(self) -> str:
        return f"read_parquet({_quoted(str(self.path))})"

    @contextmanager
    def source(self, connection: duckdb.DuckDBPyConnection, refuse: Refuse, watch: Watch | None) -> Iterator[str]:
        texts = ", ".join(
            f"nullif({_as_text(_name(name), kind)}, '') AS c{index}"
            for index, (name, kind) in enumerate(zip(self.header, self._types, strict=True))
        )
        scan = f"read_parquet({_quoted(str(self.path))}, file_row_number = true)"
        yield f"(SELECT file_row_number + 1 AS line, {texts} FROM {scan})"
        if watch:
            watch(self.path.stat().st_size)

    def raw(self, connection: duckdb.DuckDBPyConnection, wanted: list[int]) -> Iterator[tuple[int, str]]:
        scan = f"read_parquet({_quoted(str(self.path))}, file_row_number = true)"
        pairs = ", ".join(f"{_quoted(name)}: {_name(name)}" for name in self.header)
        connection.register("wanted_rows", pa.table({"row": pa.array(wanted, pa.int64())}))
        found = connection.execute(
            f"SELECT file_row_number + 1 AS line, to_json({{{pairs}}})::VARCHAR FROM {scan} "
            "SEMI JOIN wanted_rows ON wanted_rows.row = file_row_number + 1 ORDER BY line"
        ).fetchall()
        connection.unregister("wanted_rows")
        yield from found


def open_table(path: Path, connection: duckdb.DuckDBPyConnection) -> CsvTable | ParquetTable:
    """The file by the end of its name. HistoryError for any other name, and if it cannot be opened."""
    if not path.is_file():
        raise HistoryError(f"{path} is not a file")
    if path.name.endswith((".csv", ".csv.gz")):
        return CsvTable(path)
    if path.name.endswith(".parquet"):
        return ParquetTable(path, connection)
    raise HistoryError(f"{path.name} must end in .csv, .csv.gz or .parquet")


def rows_of(
    table: CsvTable | ParquetTable,
    connection: duckdb.DuckDBPyConnection,
    *,
    refuse: Refuse,
    watch: Watch | None,
) -> Iterator[tuple[int, list[str | None]]]:
    """(line, texts) row by row, for files that are read in Python. Rows without any value are left out."""
    with table.source(connection, refuse, watch) as source:
        names = ", ".join(f"c{index}" for index in range(len(table.header)))
        found = connection.execute(f"SELECT line, {names} FROM {source} WHERE coalesce({names}, NULL) IS NOT NULL")
        while rows := found.fetchmany(10_000):
            for line, *values in rows:
                yield line, values


def parquet_rows(path: Path) -> int:
    return int(pq.read_metadata(path).num_rows)


def _kind(kind: str) -> str:
    if kind in _WHOLE:
        return "whole"
    if kind == "BOOLEAN":
        return "flag"
    return "number" if kind in ("FLOAT", "DOUBLE") or kind.startswith("DECIMAL") else "text"


def _as_text(column: str, kind: str) -> str:
    """SQL: a typed value as it would stand in a CSV file. A binary fraction is its shortest decimal text."""
    if kind == "TIMESTAMP WITH TIME ZONE":
        return f"strftime(timezone('UTC', {column}), '%Y-%m-%dT%H:%M:%S.%fZ')"
    if kind.startswith("TIMESTAMP"):
        return f"strftime({column}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%f')"
    return f"CAST({column} AS VARCHAR)"


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
