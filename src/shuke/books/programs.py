"""Published versions of the program: kept for ever, because what was settled under them refers to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import LiteralString

from msgspec import Struct, json
from psycopg.types.json import Jsonb

from shuke.books.load import LATEST_VERSION, Connection
from shuke.engine.compiled import Compiled, Editions
from shuke.program.document import Program, from_data, to_data
from shuke.values.ids import digest
from shuke.values.instants import Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VERSIONS: LiteralString = """
    select version, program_id, document, effective_from, published_at, note
    from program_version where status = 'published' order by version
"""

ADD: LiteralString = """
    insert into program_version
        (version, program_id, document, text, digest, status, effective_from, published_at, note)
    values (%s, %s, %s, %s, %s, 'published', %s, %s, %s)
"""


MEET_VERSION: LiteralString = """
    update member set due_at = %s where due_at is null or due_at > %s
"""
"""The clock visits every member when a version comes into force that may see her dates otherwise."""


class Version(Struct):
    """A published version. ``effective_from`` is an instant; the first version is in force from the beginning."""

    version: int
    program: Program
    effective_from: Instant
    published_at: Instant
    note: str


class Unchanged(Exception):
    """The document is the one that is published already, as ``version``."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"version {version} is this very document")


async def publish(
    connection: Connection,
    program: Program,
    *,
    text: str,
    at: Instant,
    effective_from: Instant | None = None,
    note: str = "",
) -> Version:
    """Publish ``program`` as the next version, in force from ``effective_from`` (``at`` by default; the
    first version from the beginning of time, so that a history can be settled under it).

    Raises ``Unchanged`` if the latest version is this very document, ``ValueError`` if it would come into
    force before ``at`` or before the version it follows: the past is settled.
    """
    await connection.execute("lock table program_version in exclusive mode")
    versions = await published(connection)
    latest = versions[-1] if versions else None
    body = json.encode(to_data(program), order="deterministic")
    if latest is not None and json.encode(to_data(latest.program), order="deterministic") == body:
        raise Unchanged(latest.version)
    start = (0 if latest is None else at) if effective_from is None else effective_from
    if latest is not None and (start < at or start < latest.effective_from):
        raise ValueError("a version cannot come into force in the past")
    version = Version(1 if latest is None else latest.version + 1, program, start, at, note)
    await connection.execute(
        ADD,
        (
            version.version,
            program.id,
            Jsonb(to_data(program)),
            text,
            digest(body),
            _datetime(start),
            _datetime(at),
            note,
        ),
    )
    if latest is not None and _time_differs(latest.program, program):
        await connection.execute(MEET_VERSION, (_datetime(start), _datetime(start)))
    return version


def _time_differs(before: Program, after: Program) -> bool:
    """Whether time alone may do something else to members under ``after``: end value, review tiers, give gifts."""
    return (before.assets, before.ladders, before.benefits) != (after.assets, after.ladders, after.benefits)


async def published(connection: Connection) -> list[Version]:
    """Every published version, oldest first."""
    cursor = await connection.execute(VERSIONS)
    return [
        Version(version, from_data(document), _instant(effective_from), _instant(published_at), note)
        for version, _, document, effective_from, published_at, note in await cursor.fetchall()
    ]


async def latest_version(connection: Connection) -> int:
    """The number of the latest published version, 0 if there is none."""
    cursor = await connection.execute(LATEST_VERSION)
    row = await cursor.fetchone()
    assert row is not None  # an aggregate always answers
    return int(row[0])


def editions_of(versions: list[Version]) -> Editions:
    """The versions made ready to run. Raises ValueError if there is none."""
    return Editions(
        Compiled(version.program, version=version.version, effective_from=version.effective_from)
        for version in versions
    )


def _datetime(instant: Instant) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)


def _instant(moment: datetime) -> Instant:
    return (moment - _EPOCH) // timedelta(microseconds=1)
