"""CSV files as columns of text with line numbers, whatever is wrong with some of their lines.

A file is cut into blocks of whole lines. A block in which every line is plainly one row goes through Arrow's
parser, at several hundred megabytes a second. A block with anything doubtful (quotes left open, a stray
carriage return, bytes that are not UTF-8 …) is read line by line with Python's ``csv``, which decides what a
row is: a quoted value may hold line breaks, and a quote that never closes costs its own line, not the rest of
the file.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as arrow_csv
from msgspec import Struct

from shuke.replay.history.rejects import HistoryError

BLOCK: Final = 4 << 20
MAX_LINE: Final = 1 << 20
"""Bytes in one row. A longer one is refused."""

_MAX_ROW_LINES: Final = 1_000
_MAX_RAW: Final = 10_000
_WINDOW: Final = MAX_LINE // 2
_BOM: Final = b"\xef\xbb\xbf"
_COUNTING: Final = pa.array(range(BLOCK // 16), pa.int64())

Refuse = Callable[[int, str, str], None]
"""(line, code, reason)"""

Watch = Callable[[int], None]
"""Told how many bytes of the file have been read (compressed bytes, if it is compressed)."""


class _Row(Struct):
    """``values`` are the row's, or None and ``wrong`` says (code, reason); ``lines`` is how many lines it
    took."""

    lines: int
    values: list[str] | None = None
    wrong: tuple[str, str] = ("", "")


class _RanOut(Exception):
    """The lines at hand end within quotes."""


@contextmanager
def opened(path: Path, watch: Watch | None = None) -> Iterator[Iterator[bytes]]:
    """The file's bytes in blocks, unpacked if its name ends in ``.gz``. HistoryError if it cannot be read."""
    try:
        raw = path.open("rb")
    except OSError as broken:
        raise HistoryError(f"{path} cannot be read: {broken.strerror}") from broken
    with raw:
        source = cast(IO[bytes], gzip.GzipFile(fileobj=raw)) if path.suffix == ".gz" else raw

        def blocks() -> Iterator[bytes]:
            while True:
                try:
                    block = source.read(BLOCK)
                except (OSError, EOFError, zlib.error) as broken:
                    raise HistoryError(f"{path.name} is damaged: {broken}") from broken
                if watch:
                    watch(raw.tell())
                if not block:
                    return
                yield block

        yield blocks()


def whole_lines(blocks: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    """(number of the first line, bytes) of the same text cut after line ends, without a byte order mark.

    Of a line beyond 2 * BLOCK the rest is dropped: it is refused anyway, and memory has to stay flat.
    """
    rest: list[bytes] = []
    held, line = 0, 1
    for number, read in enumerate(blocks):
        block = read.removeprefix(_BOM) if number == 0 else read
        cut = block.rfind(b"\n") + 1
        if not cut:
            if held <= BLOCK:
                rest.append(block)
                held += len(block)
            continue
        whole = b"".join((*rest, block[:cut]))
        yield line, whole
        line += whole.count(b"\n")
        rest, held = [block[cut:]], len(block) - cut
    last = b"".join(rest)
    if last:
        yield line, last


def cut_lines(block: bytes) -> list[bytes]:
    """Lines with their ends, cut at line feeds only (``splitlines`` also cuts at a lone carriage return)."""
    lines = [line + b"\n" for line in block.split(b"\n")]
    lines[-1] = lines[-1][:-1]
    if not lines[-1]:
        lines.pop()
    return lines


def raw_lines(path: Path, wanted: list[int], *, quotes: bool = True) -> Iterator[tuple[int, str]]:
    """(line, text of the row that begins there) for ascending line numbers, at most _MAX_RAW characters each.

    With ``quotes`` a row may go on over several lines.
    """
    with opened(path) as blocks:
        left = iter(wanted)
        line = next(left, 0)
        for first, block in whole_lines(blocks):
            if not line:
                return
            if line >= first + block.count(b"\n") + 1:
                continue
            lines = cut_lines(block)
            while line and line < first + len(lines):
                start = line - first
                try:
                    taken = _read_row(lines, start).lines if quotes else 1
                except _RanOut:
                    taken = 1
                text = b"".join(lines[start : start + taken])[: 4 * _MAX_RAW].decode("utf-8", "replace")
                yield line, text.rstrip("\r\n")[:_MAX_RAW]
                line = next(left, 0)


def _read_row(lines: list[bytes], start: int) -> _Row:
    """The row that begins at ``lines[start]``. _RanOut if its quotes are still open after the last line at
    hand."""
    line = lines[start]
    wrong = _unreadable(line)
    if wrong:
        return _Row(1, None, wrong)
    text = line.decode().rstrip("\r\n")
    if '"' not in text and "\r" not in text:
        return _Row(1, text.split(","))
    taken = 0
    size = 0

    def feed() -> Iterator[str]:
        nonlocal taken, size
        for number in range(start, min(start + _MAX_ROW_LINES, len(lines))):
            size += len(lines[number])
            if size > MAX_LINE:
                return
            taken += 1
            yield lines[number].decode()
        if start + _MAX_ROW_LINES > len(lines):
            raise _RanOut

    try:
        # Outside of quotes the reader asks for no second line, so more lines were asked for only within them.
        values = next(csv.reader(feed()))
    except csv.Error as broken:
        return _Row(1, None, ("unreadable", f"this is not a row of a CSV file: {broken}"))
    except UnicodeDecodeError:
        return _Row(1, None, ("not_utf8", "the quoted text that begins here is not UTF-8"))
    if taken > 1 and (taken == _MAX_ROW_LINES or size > MAX_LINE):
        return _open_quote()
    return _Row(taken, values)


def _open_quote() -> _Row:
    return _Row(1, None, ("unreadable", "a quote is opened here and not closed"))


def _unreadable(line: bytes) -> tuple[str, str] | None:
    if len(line) > MAX_LINE:
        return "too_long", f"the line has more than {MAX_LINE} bytes"
    if b"\0" in line:
        return "control_character", "the line contains the character zero"
    try:
        line.decode()
    except UnicodeDecodeError as broken:
        return "not_utf8", f"the line is not UTF-8 (byte {broken.start + 1})"
    return None


class CsvFile:
    """A CSV file with a header. ``header`` are its column names; ``batches`` its rows.

    HistoryError if there is no header, it is not UTF-8, or a name comes twice.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with opened(path) as blocks:
            lines = cut_lines(next((block for _, block in whole_lines(blocks)), b""))
        if not lines:
            raise HistoryError(f"{path.name} is empty: its first line must name the columns")
        try:
            row = _read_row(lines, 0)
        except _RanOut:
            row = _open_quote()
        if row.values is None:
            raise HistoryError(f"{path.name} has no header that can be read: {row.wrong[1]}")
        self.header = [name.strip() for name in row.values]
        self._header_lines = row.lines
        self._names = [f"c{number}" for number in range(len(self.header))]
        self.schema = pa.schema([("line", pa.int64()), *((name, pa.string()) for name in self._names)])

    def batches(self, refuse: Refuse, watch: Watch | None = None) -> Iterator[pa.RecordBatch]:
        """The rows as ``line, c0, c1 …`` (text; empty is null); their order may differ from the file's within
        4 MiB.

        What is not a row of as many columns as the header goes to ``refuse``. Empty lines are left out.
        """
        carried: list[bytes] = []
        skip = self._header_lines
        with opened(self.path, watch) as blocks:
            pieces = whole_lines(blocks)
            piece = next(pieces, None)
            while piece is not None:
                first, block = piece
                piece = next(pieces, None)
                if skip:
                    lines = cut_lines(block)
                    block = b"".join(lines[skip:])
                    first, skip = first + skip, 0
                if carried:
                    block = b"".join((*carried, block))
                    first -= len(carried)
                    carried = []
                if not block:
                    continue
                batch = self._quick(block, first, refuse)
                if batch is None:
                    batch, carried = self._careful(block, first, refuse, last=piece is None)
                yield batch

    def _quick(self, block: bytes, first: int, refuse: Refuse) -> pa.RecordBatch | None:
        """The block through Arrow's parser; None if a line of it might not be one row."""
        if not _plain(block):
            return None
        misfits: list[tuple[int, int, str]] = []

        def misfit(row: arrow_csv.InvalidRow) -> str:
            misfits.append((row.number - 1, row.actual_columns, row.text))
            return "skip"

        try:
            table = arrow_csv.read_csv(
                pa.py_buffer(block),
                read_options=arrow_csv.ReadOptions(
                    column_names=self._names, use_threads=False, block_size=len(block) + 1
                ),
                parse_options=arrow_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=misfit),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(self._names, pa.string()),
                    strings_can_be_null=True,
                    null_values=[""],
                    check_utf8=False,
                ),
            )
        except pa.ArrowInvalid:
            return None
        lines = block.count(b"\n") + (not block.endswith(b"\n"))
        if table.num_rows + len(misfits) != lines:
            return None  # a line break within quotes after all
        for index, found, text in misfits:
            if text.strip():
                refuse(first + index, *self._misfit(found))
        if misfits:
            left_out = {index for index, _, _ in misfits}
            numbers = pa.array([index for index in range(lines) if index not in left_out], pa.int64())
        elif lines <= len(_COUNTING):
            numbers = _COUNTING.slice(0, lines)
        else:
            numbers = pa.array(range(lines), pa.int64())
        columns = [column.combine_chunks() for column in table.columns]
        return pa.RecordBatch.from_arrays([pc.add(numbers, first), *columns], schema=self.schema)

    def _careful(self, block: bytes, first: int, refuse: Refuse, *, last: bool) -> tuple[pa.RecordBatch, list[bytes]]:
        """The block row by row, and the lines of a row that goes on in the next block (unless this is the
        last)."""
        lines = cut_lines(block)
        numbers: list[int] = []
        rows: list[list[str]] = []
        carried: list[bytes] = []
        at = 0
        while at < len(lines):
            try:
                row = _read_row(lines, at)
            except _RanOut:
                if not last and sum(map(len, lines[at:])) <= MAX_LINE:
                    carried = lines[at:]
                    break
                row = _open_quote()
            if row.values is None:
                refuse(first + at, *row.wrong)
            elif len(row.values) == len(self.header):
                numbers.append(first + at)
                rows.append(row.values)
            elif "".join(row.values).strip():
                refuse(first + at, *self._misfit(len(row.values)))
            at += row.lines
        columns = [pa.array([row[index] or None for row in rows], pa.string()) for index in range(len(self.header))]
        return pa.RecordBatch.from_arrays([pa.array(numbers, pa.int64()), *columns], schema=self.schema), carried

    def _misfit(self, found: int) -> tuple[str, str]:
        return "columns", f"the row has {found} values, the header names {len(self.header)} columns"


def _plain(block: bytes) -> bool:
    """Whether nothing in the block makes it doubtful where a row begins and ends, or what its letters are."""
    if b"\0" in block or block.count(b"\r") != block.count(b"\r\n"):
        return False
    if not block.isascii():
        try:
            block.decode()
        except UnicodeDecodeError:
            return False
    if b'"' in block and any(line.count(b'"') & 1 for line in block.split(b"\n")):
        return False
    # A line beyond MAX_LINE covers at least one of these windows whole.
    return all(block.find(b"\n", start, start + _WINDOW) >= 0 for start in range(0, len(block) - _WINDOW, _WINDOW))
