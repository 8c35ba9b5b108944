"""Who is called what elsewhere: one row per identity, written in the transaction that settles."""

from __future__ import annotations

from collections.abc import Iterable
from typing import LiteralString

from shuke.books import wire
from shuke.books.load import Connection
from shuke.books.postings import Posting
from shuke.values.ids import bucket_of

Name = tuple[str, str]
"""Kind and value, in its normal form."""

OWNERS: LiteralString = """
    select i.kind, i.value, i.member_id
    from unnest(%b::text[], %b::text[]) as asked (kind, value)
    join identity i using (kind, value)
"""

GIVE_UP: LiteralString = """
    delete from identity i using unnest(%b::text[], %b::text[], %b::text[]) as u (kind, value, member_id)
    where i.kind = u.kind and i.value = u.value and i.member_id = u.member_id
"""

# In the order of the key, so that two batches never wait for each other in a circle.
ADD: LiteralString = """
    insert into identity (kind, value, bucket, member_id, since)
    select * from unnest(%b::text[], %b::text[], %b::smallint[], %b::text[], %b::timestamptz[])
        as u (kind, value, bucket, member_id, since)
    order by kind, value
"""


async def owners(connection: Connection, names: Iterable[Name]) -> dict[Name, str]:
    """Whose these identities are, as far as they are anybody's."""
    wanted = sorted(set(names))
    cursor = await connection.execute(
        OWNERS, ([kind for kind, _ in wanted], [value for _, value in wanted]), prepare=True
    )
    return {(kind, value): member_id for kind, value, member_id in await cursor.fetchall()}


async def write(connection: Connection, postings: Iterable[Posting]) -> None:
    """Keep what the postings changed.

    Raises ``psycopg.errors.UniqueViolation`` where another transaction was first with an identity.
    """
    given_up: list[tuple[str, str, str]] = []
    hers: dict[Name, tuple[str, int]] = {}
    for posting in postings:
        for change in posting.effects.identities:
            name = change.kind, change.value
            if change.since is None:
                given_up.append((*name, posting.member_id))
                hers.pop(name, None)
            else:
                hers[name] = posting.member_id, change.since
    if given_up:
        await connection.execute(GIVE_UP, tuple(list(column) for column in zip(*given_up, strict=True)))
    if hers:
        await connection.execute(
            ADD,
            (
                [kind for kind, _ in hers],
                [value for _, value in hers],
                [bucket_of(member_id) for member_id, _ in hers.values()],
                [member_id for member_id, _ in hers.values()],
                wire.array("timestamptz", [wire.instant(since) for _, since in hers.values()]),
            ),
        )
