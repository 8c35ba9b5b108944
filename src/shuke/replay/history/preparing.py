"""Files in, partitions on disk out: everything is checked, counted and laid out by member before anybody
reads on."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from shuke.replay.history import facts, orders
from shuke.replay.history.activities import read_activities
from shuke.replay.history.agreement import check_agreement
from shuke.replay.history.facts import FactSheet
from shuke.replay.history.links import Links
from shuke.replay.history.members import MemberReader
from shuke.replay.history.partitions import DOUBTFUL, LATER, Partitions, connected, files_of
from shuke.replay.history.payloads import PayloadReader
from shuke.replay.history.rejects import HistoryError, RawText, Rejects
from shuke.replay.history.tables import CsvTable, ParquetTable, open_table, rows_of
from shuke.replay.history.text import Watch, raw_lines
from shuke.values.instants import Instant, calendar_of

Progress = Callable[[str, int, int], None]
"""(what is being read: members, activities, orders or layout; bytes done; bytes in all)"""

_MEMORY = "512MB"  # beyond it DuckDB goes to disk


@dataclass(frozen=True, slots=True)
class Prepared:
    """A history laid out in ``folder``. Hand it to ``stream``, also in another process (it can be pickled).

    ``members`` counts rows of the members file, ``orders`` and ``lines`` what stands of the orders file,
    ``later`` order lines and facts after ``until``, ``last`` is the latest instant of what stands (0: nothing
    does). ``refused`` counts refused rows by code; the rows
    themselves are in ``rejected``. ``columns`` are the optional columns of orders that the file has,
    ``extras`` its further ones.
    """

    folder: Path
    partitions: int
    members: int
    activities: int
    orders: int
    lines: int
    later: int
    last: Instant
    refused: dict[str, int]
    rejected: Path
    columns: tuple[str, ...] = ()
    extras: tuple[tuple[str, str], ...] = ()

    @property
    def refused_rows(self) -> int:
        return sum(self.refused.values())


def prepare(
    *,
    orders: Path | None = None,
    activities: Path | None = None,
    members: Path | None = None,
    zone: str,
    currency_scale: int,
    asset_scales: dict[str, int],
    partitions: int,
    workdir: Path,
    rejected: Path,
    strict: bool = False,
    until: Instant | None = None,
    progress: Progress | None = None,
) -> Prepared:
    """Read the files of a history and lay out what is good in them, in a fresh folder under ``workdir``.

    ``zone`` is the program's, for times without an offset; scales are decimals of money and of each asset.
    What is after ``until`` is left out. Refused rows go to ``rejected``, which is written anew even if there
    are none.

    Raises HistoryError for a file that cannot be read at all, and with ``strict`` BadRow for the first bad
    row of the first file that has one (members, activities, orders).
    """
    if partitions < 1:
        raise ValueError(f"a history is laid out in at least one partition, not {partitions}")
    folder = workdir / "history"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with connected(folder, memory=_MEMORY) as connection:
        connection.execute("SET preserve_insertion_order = false")
        work = _Work(connection, folder, partitions, until, strict, rejected, progress)
        payloads = PayloadReader(calendar_of(zone), currency_scale, asset_scales)
        try:
            return work.run(orders=orders, activities=activities, members=members, payloads=payloads)
        finally:
            work.rejects.close()


class _Work:
    """What the steps of one preparation share."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        partitions: int,
        until: Instant | None,
        strict: bool,
        rejected: Path,
        progress: Progress | None,
    ) -> None:
        self.connection = connection
        self.folder = folder
        self.partitions = partitions
        self.until = until
        self.strict = strict
        self.rejected = rejected
        self.progress = progress
        self.rejects = Rejects(folder)
        self.raw: dict[Path, RawText] = {}
        self.later = 0
        self.last: Instant = 0

    def run(
        self, *, orders: Path | None, activities: Path | None, members: Path | None, payloads: PayloadReader
    ) -> Prepared:
        if orders is None and activities is None and members is None:
            raise HistoryError("there is nothing to read: name a file of orders, activities or members")
        self.connection.execute("CREATE TABLE repeated (kind BIGINT, line BIGINT)")
        told, acted = self._facts(members, activities, payloads)
        lines, placed = 0, 0
        columns: tuple[str, ...] = ()
        extras: tuple[tuple[str, str], ...] = ()
        if orders is not None:
            lines, placed, columns, extras = self._orders(orders, payloads)
        self.rejects.write(self.rejected, connection=self.connection, raw_text=self.raw)
        return Prepared(
            folder=self.folder,
            partitions=self.partitions,
            members=told,
            activities=acted,
            orders=placed,
            lines=lines,
            later=self.later,
            last=self.last,
            refused=dict(sorted(self.rejects.counts.items())),
            rejected=self.rejected,
            columns=columns,
            extras=extras,
        )

    def _facts(self, members: Path | None, activities: Path | None, payloads: PayloadReader) -> tuple[int, int]:
        """Read members and activities; how many of each there are. Leaves the table ``links`` behind."""
        links = Links()
        sheet_path = self.folder / "facts.parquet"
        with FactSheet(sheet_path) as sheet:
            if members is not None:
                table = self._table(members)
                reader = MemberReader(members, table.header, table.kinds, payloads)
                refuse = self._refuse(members)
                rows = rows_of(table, self.connection, refuse=refuse, watch=self._watch("members", members))
                reader.read(rows, sheet=sheet, refuse=refuse)
                self._stop_if_strict()
            if activities is not None:
                self._read_activities(activities, payloads, sheet, links)
        for kind, path in ((facts.MEMBERS, members), (facts.ACTIVITIES, activities)):
            if path is not None:
                facts.refuse_repeated(self.connection, sheet_path, kind=kind, refuse=self._refuse(path))
                if kind == facts.MEMBERS:
                    facts.refuse_taken(self.connection, sheet.names, refuse=self._refuse(path))
                self._stop_if_strict()
        roots = links.roots()
        self.connection.register(
            "told_links",
            pa.table(
                {
                    "linked": pa.array([member_id for member_id, _ in roots], pa.string()),
                    "root": pa.array([root for _, root in roots], pa.string()),
                }
            ),
        )
        self.connection.execute("CREATE TABLE links AS SELECT * FROM told_links")
        self.connection.unregister("told_links")
        with Partitions(self.folder / "facts") as target:
            counts = facts.stage_facts(
                self.connection, sheet_path, partitions=self.partitions, until=self.until, target=target
            )
        self._count(target)
        sheet_path.unlink()
        sheet.names.unlink()
        return counts

    def _read_activities(self, path: Path, payloads: PayloadReader, sheet: FactSheet, links: Links) -> None:
        if not path.is_file():
            raise HistoryError(f"{path} is not a file")
        if not path.name.removesuffix(".gz").endswith((".jsonl", ".ndjson")):
            raise HistoryError(f"{path.name} must end in .jsonl or .jsonl.gz")
        self.raw[path] = lambda wanted: raw_lines(path, wanted, quotes=False)
        watch = self._watch("activities", path)
        read_activities(path, payloads=payloads, sheet=sheet, links=links, refuse=self._refuse(path), watch=watch)
        self._stop_if_strict()

    def _orders(
        self, path: Path, payloads: PayloadReader
    ) -> tuple[int, int, tuple[str, ...], tuple[tuple[str, str], ...]]:
        """Read the order lines: (lines, orders, optional columns there are, further columns)."""
        table = self._table(path)
        layout = orders.layout_of(path, table.header, table.kinds)
        reader = orders.Reader(layout, payloads.calendar, payloads.currency_scale)
        refuse = self._refuse(path)
        orders.share_shifts(self.connection, payloads.calendar)
        with (
            Partitions(self.folder / "lines") as target,
            table.source(self.connection, refuse, self._watch("orders", path)) as source,
        ):
            orders.stage(
                self.connection,
                source=source,
                reader=reader,
                partitions=self.partitions,
                until=self.until,
                target=target,
            )
        self._count(target)
        self._judge(reader, refuse)
        self._stop_if_strict()
        columns = tuple(name for name in orders.OPTIONAL if name in layout.known)
        extras = tuple((extra.name, extra.kind) for extra in layout.extras)
        files = [file for folder in ("lines", "judged") for file in files_of(self.folder / folder)]
        if not files:
            return 0, 0, columns, extras
        self._tell("layout", 0, 1)
        agreement = check_agreement(
            self.connection,
            files=files,
            odd=self.folder / "odd.parquet",
            refuse=refuse,
        )
        self._stop_if_strict()
        self._tell("layout", 1, 1)
        return agreement.lines, agreement.orders, columns, extras

    def _judge(self, reader: orders.Reader, refuse: Callable[[int, str, str], None]) -> None:
        doubtful = self.folder / "lines" / f"{DOUBTFUL}.arrow"
        with Partitions(self.folder / "judged") as target:
            if doubtful.exists():
                orders.judge_doubtful(
                    self.connection,
                    reader=reader,
                    partitions=self.partitions,
                    until=self.until,
                    target=target,
                    doubtful=doubtful,
                    refuse=refuse,
                )
        self._count(target)

    def _count(self, target: Partitions) -> None:
        self.later += target.counts.get(LATER, 0)
        self.last = max(self.last, target.last)

    def _table(self, path: Path) -> CsvTable | ParquetTable:
        table = open_table(path, self.connection)
        self.raw[path] = lambda wanted: table.raw(self.connection, wanted)
        return table

    def _refuse(self, path: Path) -> Callable[[int, str, str], None]:
        def refuse(line: int, code: str, reason: str) -> None:
            self.rejects.add(path, line, code, reason)

        return refuse

    def _watch(self, what: str, path: Path) -> Watch:
        size = path.stat().st_size
        return lambda done: self._tell(what, min(done, size), size)

    def _tell(self, what: str, done: int, total: int) -> None:
        if self.progress:
            self.progress(what, done, total)

    def _stop_if_strict(self) -> None:
        if self.strict and self.rejects.total:
            raise self.rejects.first(self.connection, self.raw)
