"""Finding members: by what they are called elsewhere, and all of them by page. Nothing is locked or changed."""

from __future__ import annotations

from typing import Annotated, LiteralString

from msgspec import Meta, Struct

from shuke.books.load import Connection
from shuke.engine.member import MERGED, STRANGER, Member, unpack
from shuke.values.ids import BUCKETS
from shuke.values.instants import Instant

MOST_LOOKED_AT = 5_000
"""Members that one page looks at for those it asks for, so that no question takes longer where there are more."""

BY_IDENTITY: LiteralString = "select member_id from identity where kind = %b and value = %b limit 2"

# Buckets are drawn by lot from the ids, so this order means nothing; but it never moves, and its index is there.
PAGE: LiteralString = """
    with looked as (
        select * from member where (bucket, member_id) > (%(bucket)s::int2, %(member)s::text)
        order by bucket, member_id limit %(most)s::int
    ), last as (
        select bucket, member_id from looked order by bucket desc, member_id desc limit 1
    )
    (
        select bucket, member_id, state from looked
        where seq > 0 and status <> %(stranger)s
            and ((%(status)s::text is null and status <> %(merged)s) or status = %(status)s)
            and (%(ladder)s::text is null or tiers ->> %(ladder)s = %(tier)s)
            and (%(tag)s::text is null or %(tag)s = any(tags))
            and (%(from)s::bigint is null or joined_at >= 'epoch'::timestamptz + %(from)s * interval '1 microsecond')
            and (%(until)s::bigint is null or joined_at < 'epoch'::timestamptz + %(until)s * interval '1 microsecond')
        order by bucket, member_id limit %(limit)s::int
    )
    union all
    (select bucket, member_id, null from last where (select count(*) from looked) = %(most)s)
"""


class Place(Struct, array_like=True, frozen=True):
    """Where among the members of the books one stands: behind this one. Buckets are drawn by lot from the ids, so
    that the first of them are a fair sample of all."""

    bucket: Annotated[int, Meta(ge=-1, lt=BUCKETS)] = -1
    member_id: Annotated[str, Meta(max_length=200, pattern=r"^[^\x00]*$")] = ""


class Asked(Struct, frozen=True, kw_only=True):
    """Which members are asked for; None: whichever. ``tier`` is (ladder, tier in force); joined at ``joined_from`` or
    later, and before ``joined_until``. Who was merged into another is found where her ``status`` is asked for."""

    status: str | None = None
    tier: tuple[str, str] | None = None
    tag: str | None = None
    joined_from: Instant | None = None
    joined_until: Instant | None = None

    def fits(self, member: Member) -> bool:
        """Whether the member is one of those asked for. As ``PAGE`` has it."""
        return (
            member.status != STRANGER
            and (self.status == member.status or (self.status is None and member.status != MERGED))
            and (self.tier is None or member.tiers.get(self.tier[0]) == self.tier[1])
            and (self.tag is None or self.tag in member.tags)
            and (self.joined_from is None or member.joined_at >= self.joined_from)
            and (self.joined_until is None or member.joined_at < self.joined_until)
        )


async def by_identity(connection: Connection, kind: str, value: str) -> str | None:
    """The id of the member who is called so elsewhere; ``value`` in its normal form. None if nobody is, or several are:
    a device that two share says of neither that it is she."""
    cursor = await connection.execute(BY_IDENTITY, (kind, value), prepare=True)
    rows = await cursor.fetchall()
    return rows[0][0] if len(rows) == 1 else None


async def page(
    connection: Connection, asked: Asked, *, behind: Place, limit: int, most: int = MOST_LOOKED_AT
) -> tuple[list[Member], Place | None]:
    """The next members asked for, as last settled, and where to go on; None: there are no more.

    At most ``most`` members are looked at, so there may be fewer than ``limit`` (also none) and yet more behind them.
    """
    ladder, tier = asked.tier or (None, None)
    cursor = await connection.execute(
        PAGE,
        {
            "bucket": behind.bucket,
            "member": behind.member_id,
            "most": most,
            "limit": limit + 1,
            "stranger": STRANGER,
            "merged": MERGED,
            "status": asked.status,
            "ladder": ladder,
            "tier": tier,
            "tag": asked.tag,
            "from": asked.joined_from,
            "until": asked.joined_until,
        },
        binary=True,
    )
    rows = await cursor.fetchall()
    last = None
    if rows and rows[-1][2] is None:
        bucket, member_id, _ = rows.pop()
        last = Place(bucket, member_id)
    if len(rows) > limit:
        del rows[limit:]
        last = Place(rows[-1][0], rows[-1][1])
    return [unpack(state) for _, _, state in rows], last
