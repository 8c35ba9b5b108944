"""Who is called what elsewhere: one row per identity, written in the transaction that settles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from msgspec import convert, json

from shuke.books import wire
from shuke.books.load import Connection
from shuke.books.postings import Outside, Posting
from shuke.engine.activity import Activity
from shuke.engine.effects import IdentityChanged
from shuke.engine.identity_journal import ACTS, Told
from shuke.engine.resolution import Owner
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER

_decode_activity = json.Decoder(Activity).decode

Name = tuple[str, str]
"""Kind and value, in its normal form."""

OWNERS: LiteralString = """
    select i.kind, i.value, i.member_id
    from unnest(%b::text[], %b::text[]) as asked (kind, value)
    join identity i using (kind, value)
"""

ALL_OWNERS: LiteralString = """
    select i.kind, i.value, i.member_id, i.verified_at is not null
    from unnest(%b::text[], %b::text[]) as asked (kind, value)
    join identity i using (kind, value) order by i.since, i.member_id
"""

GIVE_UP: LiteralString = """
    delete from identity i using unnest(%b::text[], %b::text[], %b::text[]) as u (kind, value, member_id)
    where i.kind = u.kind and i.value = u.value and i.member_id = u.member_id
"""

# In the order of the key, so that two batches never wait for each other in a circle.
ADD: LiteralString = """
    insert into identity (kind, value, bucket, member_id, since, verified_at, shared)
    select * from unnest(%b::text[], %b::text[], %b::smallint[], %b::text[], %b::timestamptz[], %b::timestamptz[],
        %b::boolean[]) as u (kind, value, bucket, member_id, since, verified_at, shared)
    order by kind, value, member_id
    on conflict (kind, value, member_id) do update set verified_at = excluded.verified_at
"""


async def owners(connection: Connection, names: Iterable[Name]) -> dict[Name, str]:
    """Whose these identities are, as far as they are anybody's; of a shared one, any of those who have it."""
    wanted = sorted(set(names))
    cursor = await connection.execute(
        OWNERS, ([kind for kind, _ in wanted], [value for _, value in wanted]), prepare=True
    )
    return {(kind, value): member_id for kind, value, member_id in await cursor.fetchall()}


async def owners_of(connection: Connection, names: Iterable[Name]) -> dict[Name, list[Owner]]:
    """All who are called so, those first who have been so for longest."""
    wanted = sorted(set(names))
    cursor = await connection.execute(
        ALL_OWNERS, ([kind for kind, _ in wanted], [value for _, value in wanted]), prepare=True
    )
    found: dict[Name, list[Owner]] = {}
    for kind, value, member_id, verified in await cursor.fetchall():
        found.setdefault((kind, value), []).append(Owner(member_id, verified))
    return found


JOURNAL: LiteralString = """
    select id, version, body::text, context from activity
    where bucket = %b::int2 and member_id = %b and answer ->> 'code' is null
        and (type = any(%b::text[]) or body -> 'brought' is not null)
    order by seq
"""


async def journal(connection: Connection, member_id: str) -> list[Told]:
    """The activities of a member that may have changed what she is called, in the order in which they were settled."""
    cursor = await connection.execute(JOURNAL, (bucket_of(member_id), member_id, list(ACTS)))
    return [
        Told(id_, _decode_activity(body), version, convert(context or {}, Outside).context({}))
        for id_, version, body, context in await cursor.fetchall()
    ]


def follow(owners: dict[Name, str], changes: Iterable[IdentityChanged], member_id: str) -> None:
    """Bring ``owners`` up to date with what a step changed of what a member is called."""
    for change in changes:
        name = change.kind, change.value
        if change.since is not None:
            owners[name] = member_id
        elif owners.get(name) == member_id:
            del owners[name]


async def write(connection: Connection, postings: Iterable[Posting]) -> None:
    """Keep what the postings changed.

    Raises ``psycopg.errors.UniqueViolation`` where another transaction was first with an identity.
    """
    given_up: list[tuple[str, str, str]] = []
    hers: dict[tuple[str, str, str], IdentityChanged] = {}
    for posting in postings:
        for change in posting.effects.identities:
            name = change.kind, change.value, posting.member_id
            if change.since is None:
                given_up.append(name)
                hers.pop(name, None)
            else:
                hers[name] = change
    if given_up:
        await connection.execute(GIVE_UP, tuple(list(column) for column in zip(*given_up, strict=True)))
    if hers:
        await connection.execute(
            ADD,
            (
                [kind for kind, _, _ in hers],
                [value for _, value, _ in hers],
                [bucket_of(member_id) for _, _, member_id in hers],
                [member_id for _, _, member_id in hers],
                wire.array("timestamptz", [wire.instant(change.since or 0) for change in hers.values()]),
                wire.array("timestamptz", [wire.instant(change.verified_at or NEVER) for change in hers.values()]),
                [change.shared for change in hers.values()],
            ),
        )
