"""Rows that were refused: counted, kept with their reason, and written out with their own text."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

COLUMNS: Final = ("file", "line", "code", "reason", "raw")

_SCHEMA: Final = pa.schema([("file", pa.int64()), ("line", pa.int64()), ("code", pa.string()), ("reason", pa.string())])

RawText = Callable[[list[int]], Iterator[tuple[int, str]]]
"""Ascending line numbers -> (line number, the row's text), in the same order. Reads the file a second
time."""


class HistoryError(Exception):
    """A file that cannot be read at all. Its sentence can be shown to the person who brought it."""


class BadRow(HistoryError):
    """The first refused row of a strict reading."""

    def __init__(self, file: Path, line: int, code: str, reason: str, raw: str) -> None:
        super().__init__(f"{file.name}, line {line}: {reason}")
        self.file = file
        self.line = line
        self.code = code
        self.reason = reason
        self.raw = raw


class Rejects:
    """Refused rows, kept in a file in ``folder`` so that a history of nothing but bad rows costs no memory.

    ``counts`` says how many there are of each code. Once they are looked at, no more can be added.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "rejects.parquet"
        self._writer = pq.ParquetWriter(self._path, _SCHEMA)
        self._held: list[tuple[int, int, str, str]] = []
        self._files: list[Path] = []
        self.counts: dict[str, int] = {}

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    def add(self, file: Path, line: int, code: str, reason: str) -> None:
        """Refuse one row; ``line`` counts from 1, the header of a CSV being line 1."""
        if file not in self._files:
            self._files.append(file)
        self._held.append((self._files.index(file), line, code, reason))
        self.counts[code] = self.counts.get(code, 0) + 1
        if len(self._held) == 10_000:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            columns = zip(*self._held, strict=True)
            arrays = [pa.array(column, field.type) for column, field in zip(columns, _SCHEMA, strict=True)]
            self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA))
            self._held = []

    def _sorted(self, connection: duckdb.DuckDBPyConnection) -> Iterator[tuple[Path, list[tuple[int, str, str]]]]:
        """(file, [(line, code, reason)]) in order of the lines, a few thousand at a time."""
        self._flush()
        self._writer.close()
        for number, file in enumerate(self._files):
            # A place of its own: the texts of the rows are fetched meanwhile.
            found = connection.cursor().execute(
                f"SELECT line, code, reason FROM '{self._path}' WHERE file = {number} ORDER BY ALL"
            )
            while rows := found.fetchmany(5_000):
                yield file, rows

    def first(self, connection: duckdb.DuckDBPyConnection, raw_text: dict[Path, RawText]) -> BadRow:
        """The first refused row of the first file that has one. There must be one."""
        file, rows = next(self._sorted(connection))
        line, code, reason = rows[0]
        _, raw = next(raw_text[file]([line]))
        return BadRow(file, line, code, reason, raw)

    def write(self, target: Path, *, connection: duckdb.DuckDBPyConnection, raw_text: dict[Path, RawText]) -> None:
        """Write all of them to ``target`` (see COLUMNS), by file, then by line. Without any, only the
        header."""
        with target.open("w", newline="", encoding="utf-8") as out:
            rows = csv.writer(out)
            rows.writerow(COLUMNS)
            for file, refused in self._sorted(connection):
                texts = dict(raw_text[file](sorted({line for line, _, _ in refused})))
                rows.writerows((file.name, line, code, reason, texts.get(line, "")) for line, code, reason in refused)

    def close(self) -> None:
        self._writer.close()
        self._path.unlink(missing_ok=True)
