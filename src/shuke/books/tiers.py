"""Reading members one after the other, for what concerns all of them, and what tiers moved. Nothing is locked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import LiteralString

from msgspec import Struct

from shuke.books.load import Connection
from shuke.books.members import Place
from shuke.engine.member import ERASED, MERGED, STRANGER

_HERE: LiteralString = """
    from member
    where (bucket, member_id) > (%b::int2, %b::text) and seq > 0 and status <> all(%b::text[])
    order by bucket, member_id limit %b::int
"""

STATES: LiteralString = "select bucket, member_id, state" + _HERE

NAMES: LiteralString = "select bucket, member_id" + _HERE

COUNT: LiteralString = "select count(*) from member where seq > 0 and status <> all(%b::text[])"

MOVES: LiteralString = """
    select ladder, from_tier, to_tier, count(*)
    from tier_change
    where activity_id = any(%b::bigint[]) and reason in ('applied', 'applied_down')
        and from_tier is distinct from to_tier
    group by 1, 2, 3 order by 1, 2 nulls first, 3 nulls first
"""

_NOBODY = [STRANGER, ERASED, MERGED]


class Moves(Struct):
    """So many members went from one tier of a ladder to another (None: no tier)."""

    ladder: str
    before: str | None
    after: str | None
    members: int


async def states(connection: Connection, *, behind: Place, limit: int) -> list[tuple[Place, bytes]]:
    """The next members' states."""
    cursor = await connection.execute(STATES, (*_told(behind), _NOBODY, limit), binary=True)
    return [(Place(bucket, member_id), state) for bucket, member_id, state in await cursor.fetchall()]


async def names(connection: Connection, *, behind: Place, limit: int) -> list[Place]:
    """The next members."""
    cursor = await connection.execute(NAMES, (*_told(behind), _NOBODY, limit))
    return [Place(bucket, member_id) for bucket, member_id in await cursor.fetchall()]


async def count(connection: Connection) -> int:
    """How many members there are."""
    cursor = await connection.execute(COUNT, (_NOBODY,))
    row = await cursor.fetchone()
    assert row is not None  # an aggregate always answers
    return int(row[0])


async def applied(connection: Connection, activities: Sequence[int]) -> list[Moves]:
    """What these activities (``tiers.applied``, by their ids) moved."""
    cursor = await connection.execute(MOVES, (list(activities),))
    return [Moves(*row) for row in await cursor.fetchall()]


def _told(place: Place) -> tuple[int, str]:
    return place.bucket, place.member_id
