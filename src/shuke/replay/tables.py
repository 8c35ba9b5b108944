"""The tables a replay writes: members, entries and tier changes, one Parquet part per partition, joined at the end."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.parquet as pq

from shuke.engine.effects import Entry, TierChanged
from shuke.engine.member import Member
from shuke.program.document import Program
from shuke.replay.tally import standing_of
from shuke.values.instants import NEVER

_FLUSH_ROWS = 50_000
_INSTANT = pa.timestamp("us", tz="UTC")
_WORDS = pa.dictionary(pa.int32(), pa.string())

ENTRIES = pa.schema(
    [
        ("member_id", pa.string()),
        ("occurred_at", _INSTANT),
        ("asset", _WORDS),
        ("amount", pa.int64()),
        ("kind", _WORDS),
        ("rule", _WORDS),
        ("order_id", pa.string()),
        ("moved", pa.int64()),
        ("debit", _WORDS),
        ("credit", _WORDS),
    ]
)
"""``amount`` is the change of the member's balance in the asset's smallest units (0 for moves between her own
accounts, such as a hold); ``moved`` is what the entry moved from ``debit`` to ``credit``."""

TIERS = pa.schema(
    [
        ("member_id", pa.string()),
        ("ladder", _WORDS),
        ("from", _WORDS),
        ("to", _WORDS),
        ("at", _INSTANT),
        ("reason", _WORDS),
        ("until", _INSTANT),
    ]
)


def members_schema(program: Program) -> pa.Schema:
    """``member_id``, ``joined_at``, ``tier.<ladder>`` and ``balance.<asset>`` (smallest units)."""
    return pa.schema(
        [
            ("member_id", pa.string()),
            ("joined_at", _INSTANT),
            *((f"tier.{ladder.id}", _WORDS) for ladder in program.ladders),
            *((f"balance.{asset.id}", pa.int64()) for asset in program.assets),
        ]
    )


class _Table:
    """Rows gathered as tuples and written as columns."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, schema, compression="zstd", compression_level=1)
        self._schema = schema
        self.rows: list[tuple[Any, ...]] = []

    def flush(self) -> None:
        if self.rows:
            columns = zip(*self.rows, strict=True)
            arrays = [_array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
            self._writer.write_table(pa.Table.from_arrays(arrays, schema=self._schema))
            self.rows.clear()

    def close(self) -> None:
        self.flush()
        self._writer.close()


def _array(column: tuple[Any, ...], type_: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(type_):
        return pa.array(column, pa.string()).dictionary_encode()
    return pa.array(column, type_)


class Tables:
    """The three tables of one partition. Use as a context manager."""

    def __init__(self, program: Program, folder: Path, partition: int) -> None:
        self._program = program
        self._ladders = [ladder.id for ladder in program.ladders]
        self._assets = [asset.id for asset in program.assets]
        self._members = _Table(_part(folder, "members", partition), members_schema(program))
        self._entries = _Table(_part(folder, "entries", partition), ENTRIES)
        self._tiers = _Table(_part(folder, "tiers", partition), TIERS)
        self._entry_rows = self._entries.rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for table in (self._members, self._entries, self._tiers):
            table.close()

    def add_entry(self, member_id: str, entry: Entry, change: int) -> None:
        rows = self._entry_rows
        rows.append(
            (
                member_id,
                entry.occurred_at,
                entry.asset,
                change,
                entry.kind,
                entry.rule,
                entry.order_id,
                entry.amount,
                entry.debit,
                entry.credit,
            )
        )
        if len(rows) >= _FLUSH_ROWS:
            self._entries.flush()

    def add_tiers(self, member_id: str, changes: list[TierChanged]) -> None:
        for change in changes:
            until = None if change.until >= NEVER else change.until
            self._tiers.rows.append(
                (member_id, change.ladder, change.before, change.after, change.at, change.reason, until)
            )
        if len(self._tiers.rows) >= _FLUSH_ROWS:
            self._tiers.flush()

    def add_member(self, member: Member) -> None:
        tiers = [member.tiers.get(ladder) for ladder in self._ladders]
        purses = [member.purses.get(asset) for asset in self._assets]
        balances = [0 if purse is None else standing_of(purse) for purse in purses]
        self._members.rows.append((member.id, member.joined_at, *tiers, *balances))
        if len(self._members.rows) >= _FLUSH_ROWS:
            self._members.flush()


def _part(folder: Path, name: str, partition: int) -> Path:
    return folder / f"{name}.{partition:05}.parquet"


def join_tables(parts: Path, out: Path, *, partitions: int) -> None:
    """One file per table, partition after partition, a row group at a time."""
    for name in ("members", "entries", "tiers"):
        writer: pq.ParquetWriter | None = None
        for partition in range(partitions):
            with pq.ParquetFile(_part(parts, name, partition)) as part:
                if writer is None:
                    path = out / f"{name}.parquet"
                    writer = pq.ParquetWriter(path, part.schema_arrow, compression="zstd", compression_level=1)
                for group in range(part.num_row_groups):
                    writer.write_table(part.read_row_group(group))
        if writer is not None:
            writer.close()
