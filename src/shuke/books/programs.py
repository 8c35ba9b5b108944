"""Published versions of the program, kept for ever because what was settled under them refers to them; and the
draft of the next one.

A version is published once and never changes. Which one is in force follows from the dates: each is, from its
``effective_from`` until that of the next. There is one draft; it is text, kept as it was written, right or wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

from msgspec import Struct, json
from psycopg.types.json import Jsonb

from shuke.books import sweeps
from shuke.books.load import LATEST_VERSION, Connection
from shuke.engine.compiled import Compiled, Editions
from shuke.program.document import Program, from_data, to_data
from shuke.values.ids import digest
from shuke.values.instants import NEVER, Instant

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

VERSIONS: LiteralString = """
    select version, program_id, document, effective_from, published_at, note, restores
    from program_version where version > %s order by version
"""

ADD: LiteralString = """
    insert into program_version
        (version, program_id, document, text, digest, effective_from, published_at, note, restores)
    values (%s, %s, %s, %s, %s, %s, %s, %s, %s)
"""

_EDITION: LiteralString = """
    select version, program_id, digest, effective_from, until, published_at, note, restores
    from (select *, lead(effective_from) over (order by version) as until from program_version) as edition
"""

EDITIONS: LiteralString = _EDITION + "where version < %s order by version desc limit %s"

EDITION: LiteralString = _EDITION + "where version = %s"

TEXT: LiteralString = "select text, document from program_version where version = %s"

DRAFT: LiteralString = "select text, changed_at, changed_by from program_draft"

BEGIN_DRAFT: LiteralString = """
    insert into program_draft (text, changed_at, changed_by) values (%s, %s, %s) on conflict do nothing returning true
"""

CHANGE_DRAFT: LiteralString = "update program_draft set text = %s, changed_at = %s, changed_by = %s"

DISCARD_DRAFT: LiteralString = "delete from program_draft"


class Version(Struct):
    """A published version. ``effective_from`` is an instant; the first version is in force from the beginning.
    ``restores`` is the older version whose document this is again, where it was rolled back to."""

    version: int
    program: Program
    effective_from: Instant
    published_at: Instant
    note: str
    restores: int | None = None


class Edition(Struct):
    """What there is to know of a published version besides its document. ``until`` is when the next one comes into
    force (NEVER if there is none), ``digest`` stands for the document."""

    version: int
    program_id: str
    digest: bytes
    effective_from: Instant
    until: Instant
    published_at: Instant
    note: str
    restores: int | None

    def status(self, now: Instant) -> str:
        """``scheduled``, ``in_force`` or ``archived``: what another has followed, even before it came into force."""
        if self.until <= max(now, self.effective_from):
            return "archived"
        return "in_force" if self.effective_from <= now else "scheduled"


class Draft(Struct):
    """The program as it is being written. ``changed_by`` is the source of the key that wrote it last."""

    text: str
    changed_at: Instant
    changed_by: str

    @property
    def digest(self) -> bytes:
        """32 bytes (SHA-256) that stand for this text: whoever changes the draft names the one that was read."""
        return hashlib.sha256(self.text.encode()).digest()


class Unchanged(Exception):
    """The document is the one that is published already, as ``version``."""

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(f"version {version} is this very document")


class InThePast(ValueError):
    """A version would come into force before ``earliest``: what was before is settled."""

    def __init__(self, earliest: Instant) -> None:
        self.earliest = earliest
        super().__init__("a version cannot come into force in the past")


class DraftChanged(Exception):
    """The draft is not the one that was read: ``draft`` is it now, None if there is none."""

    def __init__(self, draft: Draft | None) -> None:
        self.draft = draft
        super().__init__("somebody else has changed the draft" if draft else "there is no draft")


# -- Publishing -------------------------------------------------------------------------------------------


async def publish(
    connection: Connection,
    program: Program,
    *,
    text: str,
    at: Instant,
    effective_from: Instant | None = None,
    note: str = "",
    restores: int | None = None,
) -> Version:
    """Publish ``program`` as the next version, in force from ``effective_from`` (``at`` by default; the
    first version from the beginning of time, so that a history can be settled under it).

    Takes no longer with many members than with few: who must meet the version is met afterwards, by the clock
    (``books.sweeps``). Raises ``Unchanged`` if the latest version is this very document, ``InThePast`` if it would
    come into force before ``at`` or before the version it follows: the past is settled.
    """
    await connection.execute("lock table program_version in exclusive mode")
    newest = await latest_version(connection)
    latest = (await published(connection, after=newest - 1))[0] if newest else None
    body = json.encode(to_data(program), order="deterministic")
    if latest is not None and json.encode(to_data(latest.program), order="deterministic") == body:
        raise Unchanged(latest.version)
    start = (0 if latest is None else at) if effective_from is None else effective_from
    if latest is not None and start < max(at, latest.effective_from):
        raise InThePast(max(at, latest.effective_from))
    version = Version(1 if latest is None else latest.version + 1, program, start, at, note, restores)
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
            restores,
        ),
    )
    if latest is not None and _time_differs(latest.program, program):
        await sweeps.begin(connection, version.version, at=start)
    return version


def _time_differs(before: Program, after: Program) -> bool:
    """Whether time alone may do something else to members under ``after``: end value, review tiers, give gifts."""
    return (before.assets, before.ladders, before.benefits) != (after.assets, after.ladders, after.benefits)


async def roll_back(
    connection: Connection, version: int, *, at: Instant, effective_from: Instant | None = None, note: str = ""
) -> Version:
    """Publish an older version again, as the next one: in force at once, or as soon as the latest is, by default.

    Raises ``KeyError`` if there is no such version, and what ``publish`` raises.
    """
    found = await text_of(connection, version)
    if found is None:
        raise KeyError(version)
    text, program = found
    if effective_from is None:
        newest = (await editions(connection, limit=1))[0]
        effective_from = max(at, newest.effective_from)
    note = note or f"Version {version} again"
    return await publish(
        connection, program, text=text, at=at, effective_from=effective_from, note=note, restores=version
    )


# -- Versions ---------------------------------------------------------------------------------------------


async def published(connection: Connection, *, after: int = 0) -> list[Version]:
    """Every published version with a number above ``after``, oldest first."""
    cursor = await connection.execute(VERSIONS, (after,))
    return [
        Version(version, from_data(document), _instant(effective_from), _instant(published_at), note, restores)
        for version, _, document, effective_from, published_at, note, restores in await cursor.fetchall()
    ]


async def latest_version(connection: Connection) -> int:
    """The number of the latest published version, 0 if there is none."""
    cursor = await connection.execute(LATEST_VERSION)
    row = await cursor.fetchone()
    assert row is not None  # an aggregate always answers
    return int(row[0])


async def editions(connection: Connection, *, below: int | None = None, limit: int) -> list[Edition]:
    """Up to ``limit`` published versions, the newest first; ``below`` one to go on from there."""
    cursor = await connection.execute(EDITIONS, (2**31 - 1 if below is None else below, limit))
    return [_edition(row) for row in await cursor.fetchall()]


async def edition(connection: Connection, version: int) -> Edition | None:
    """One published version; None if there is none of this number."""
    cursor = await connection.execute(EDITION, (version,))
    row = await cursor.fetchone()
    return None if row is None else _edition(row)


async def text_of(connection: Connection, version: int) -> tuple[str, Program] | None:
    """A published version as its merchant wrote it, and the program it is; None if there is none of this number."""
    cursor = await connection.execute(TEXT, (version,))
    row = await cursor.fetchone()
    return None if row is None else (row[0], from_data(row[1]))


def _edition(row: Sequence[Any]) -> Edition:
    version, program_id, digest_, effective_from, until, published_at, note, restores = row
    ends = NEVER if until is None else _instant(until)
    start, told = _instant(effective_from), _instant(published_at)
    return Edition(version, program_id, digest_, start, ends, told, note, restores)


def editions_of(versions: list[Version]) -> Editions:
    """The versions made ready to run. Raises ValueError if there is none."""
    return Editions(compiled_of(versions))


def compiled_of(versions: list[Version]) -> list[Compiled]:
    """Each version made ready to run."""
    return [
        Compiled(version.program, version=version.version, effective_from=version.effective_from)
        for version in versions
    ]


# -- The draft --------------------------------------------------------------------------------------------


async def draft(connection: Connection) -> Draft | None:
    """The draft; None if there is none."""
    return await _draft(connection, DRAFT)


async def keep_draft(connection: Connection, text: str, *, read: bytes | None, at: Instant, by: str) -> Draft:
    """Put ``text`` in the place of the draft whose digest is ``read``, or where there is none (``read`` None).

    Of two who read the same draft one is first; the other gets ``DraftChanged``.
    """
    kept = Draft(text, at, by)
    arguments = (text, _datetime(at), by)
    if read is None:
        cursor = await connection.execute(BEGIN_DRAFT, arguments)
        if await cursor.fetchone() is None:
            raise DraftChanged(await draft(connection))
    else:
        await hold_draft(connection, read=read)
        await connection.execute(CHANGE_DRAFT, arguments)
    return kept


async def discard_draft(connection: Connection, *, read: bytes) -> None:
    """Throw away the draft whose digest is ``read``. Raises ``DraftChanged`` if it is another by now."""
    await hold_draft(connection, read=read)
    await connection.execute(DISCARD_DRAFT)


async def hold_draft(connection: Connection, *, read: bytes) -> Draft:
    """The draft, locked until the transaction ends. Raises ``DraftChanged`` if its digest is not ``read``."""
    found = await _draft(connection, DRAFT + " for update")
    if found is None or found.digest != read:
        raise DraftChanged(found)
    return found


async def _draft(connection: Connection, query: LiteralString) -> Draft | None:
    cursor = await connection.execute(query)
    row = await cursor.fetchone()
    return None if row is None else Draft(row[0], _instant(row[1]), row[2])


def _datetime(instant: Instant) -> datetime:
    return _EPOCH + timedelta(microseconds=instant)


def _instant(moment: datetime) -> Instant:
    return (moment - _EPOCH) // timedelta(microseconds=1)
