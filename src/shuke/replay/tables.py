"""The tables a replay writes: members, entries and tier changes, one Parquet part per partition, joined at the end."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from shuke.engine.effects import MEMBER_ACCOUNTS, Entry, TierChanged
from shuke.engine.member import Member
from shuke.program.document import Program
from shuke.replay.tally import Tally, standing_of
from shuke.values.instants import NEVER

_FLUSH_ROWS = 50_000
_INSTANT = pa.timestamp("us", tz="UTC")
_WORDS = pa.dictionary(pa.int32(), pa.string())
_SUM = pa.decimal128(38)  # of many amounts, which 64 bits might not hold
_MEMBER_ACCOUNTS = pa.array(sorted(MEMBER_ACCOUNTS))

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
            self.rows.clear()
            self.write(pa.Table.from_arrays(arrays, schema=self._schema))

    def write(self, rows: pa.Table) -> None:
        self._writer.write_table(rows)

    def close(self) -> None:
        self.flush()
        self._writer.close()


class _Entries(_Table):
    """Entries, as rows without what they change: that and what they come to is worked out for many at once."""

    def __init__(self, path: Path, tally: Tally) -> None:
        super().__init__(path, ENTRIES)
        self._schema = pa.schema([field for field in ENTRIES if field.name != "amount"])
        self._tally = tally

    def write(self, rows: pa.Table) -> None:
        plus, minus = (pc.is_in(rows[account].cast(pa.string()), _MEMBER_ACCOUNTS) for account in ("credit", "debit"))
        change = pc.multiply(rows["moved"], pc.subtract(plus.cast(pa.int64()), minus.cast(pa.int64())))
        self._count(pa.table([rows["asset"], rows["kind"], change.cast(_SUM)], names=["asset", "kind", "change"]))
        super().write(rows.append_column("amount", change).select(ENTRIES.names))

    def _count(self, changes: pa.Table) -> None:
        flows = changes.group_by(["asset", "kind"], use_threads=False).aggregate([("change", "sum")])
        for asset, kind, change in zip(*(column.to_pylist() for column in flows.columns), strict=True):
            self._tally.count_flow(asset, kind, int(change))


def _array(column: tuple[Any, ...], type_: pa.DataType) -> pa.Array:
    if pa.types.is_dictionary(type_):
        return pa.array(column, pa.string()).dictionary_encode()
    return pa.array(column, type_)


class Tables:
    """The three tables of one partition. What its entries come to is counted in ``tally``, all of it when the
    tables are closed. Use as a context manager."""

    def __init__(self, program: Program, folder: Path, partition: int, *, tally: Tally) -> None:
        self._program = program
        self._ladders = [ladder.id for ladder in program.ladders]
        self._assets = [asset.id for asset in program.assets]
        self._members = _Table(_part(folder, "members", partition), members_schema(program))
        self._entries = _Entries(_part(folder, "entries", partition), tally)
        self._tiers = _Table(_part(folder, "tiers", partition), TIERS)
        self._entry_rows = self._entries.rows

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for table in (self._members, self._entries, self._tiers):
            table.close()

    def add_entries(self, member_id: str, entries: list[Entry]) -> None:
        rows = self._entry_rows
        rows += [
            (
                member_id,
                entry.occurred_at,
                entry.asset,
                entry.kind,
                entry.rule,
                entry.order_id,
                entry.amount,
                entry.debit,
                entry.credit,
            )
            for entry in entries
        ]
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
