"""All that is stored of one member: what is proved, sealed when she is erased, and handed out when she asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, LiteralString

from msgspec import Struct

from shuke.books.load import Connection
from shuke.values.ids import bucket_of
from shuke.values.instants import NEVER, Instant

Row = tuple[Any, ...]

# What is read of each table. What never happens is null in a column.
MEMBER: Final[LiteralString] = f"""
    seq, state, coalesce((extract(epoch from due_at) * 1000000)::bigint, {NEVER}), tiers, balances, status,
    (extract(epoch from joined_at) * 1000000)::bigint, traits, tags
"""
ACTIVITY: Final[LiteralString] = """
    seq, id, source, key, type, (extract(epoch from occurred_at) * 1000000)::bigint, version, digest, body::text,
    answer::text, context
"""
ENTRY: Final[LiteralString] = """
    activity_id, no, asset, kind, debit, credit, amount, coalesce(lot, 0), rule, order_id, version,
    (extract(epoch from occurred_at) * 1000000)::bigint, why
"""
LOT: Final[LiteralString] = f"""
    activity_id, asset, lot, (extract(epoch from opened_at) * 1000000)::bigint,
    coalesce((extract(epoch from ripens_at) * 1000000)::bigint, {NEVER}),
    coalesce((extract(epoch from expires_at) * 1000000)::bigint, {NEVER})
"""
TIER_CHANGE: Final[LiteralString] = f"""
    activity_id, no, ladder, from_tier, to_tier, (extract(epoch from at) * 1000000)::bigint,
    coalesce((extract(epoch from until) * 1000000)::bigint, {NEVER}), reason
"""
ORDER: Final[LiteralString] = """
    order_id, (extract(epoch from placed_at) * 1000000)::bigint, status, amount, channel, store, settlement
"""
COUPON: Final[LiteralString] = f"""
    coupon_id, template, code, state, coalesce((extract(epoch from valid_until) * 1000000)::bigint, {NEVER}), order_id
"""
CODE: Final[LiteralString] = "code, coupon_id"
IDENTITY: Final[LiteralString] = """
    kind, value, (extract(epoch from since) * 1000000)::bigint,
    coalesce((extract(epoch from verified_at) * 1000000)::bigint, 0)
"""

_HER: Final[LiteralString] = "bucket = %(bucket)s and member_id = %(member)s"
_FROM_HER_LOG: Final[LiteralString] = f"bucket = %(bucket)s and activity_id in (select id from activity where {_HER})"

ORDERS_OF_MEMBER: Final[LiteralString] = f"""
    select {ORDER} from orders where {_HER} and order_id in (
        select unnest(array[
            body #>> '{{purchase,order_id}}', body #>> '{{payload,order_id}}', 'top_up:' || (body #>> '{{payload,id}}'),
            'spend:' || (body #>> '{{payload,id}}')
        ]) from activity where {_HER}
    )
"""
"""Orders are not found by their member: her log names them, and the top-ups and spends remembered beside them."""

_OF_MEMBER: Final[dict[str, LiteralString]] = {
    "activity": f"select {ACTIVITY} from activity where {_HER} order by seq",
    "entry": f"select {ENTRY} from entry where {_FROM_HER_LOG} order by activity_id, no",
    "lot": f"select {LOT} from lot where {_FROM_HER_LOG}",
    "tier_change": f"select {TIER_CHANGE} from tier_change where {_FROM_HER_LOG}",
    "orders": ORDERS_OF_MEMBER,
    "coupon": f"select {COUPON} from coupon where {_HER}",
    "identity": f"select {IDENTITY} from identity where {_HER}",
}


class LogRow(Struct):
    """One row of the activity table. Instants are microseconds; ``body`` and ``answer`` are JSON text."""

    seq: int
    id: int
    source: str
    key: str
    type: str
    occurred_at: Instant
    version: int
    digest: bytes
    body: str
    answer: str
    context: dict[str, Any] | None


class Kept(Struct):
    """All stored rows of one member, with the columns named above. What follows from an activity is keyed by its
    ``seq`` and what tells it from its siblings (``no``, or asset and number of the lot)."""

    bucket: int
    member_id: str
    seq: int
    state: bytes
    due_at: Instant | None
    tiers: dict[str, str]
    balances: dict[str, int]
    status: str
    joined_at: Instant
    traits: dict[str, Any]
    tags: list[str]
    log: list[LogRow] = []
    entries: dict[tuple[int, int], Row] = {}
    orders: dict[str, Row] = {}
    lots: dict[tuple[int, str, int], Row] = {}
    tier_changes: dict[tuple[int, int], Row] = {}
    coupons: dict[str, Row] = {}
    codes: dict[str, Row] = {}  # that she took of those made ahead
    identities: dict[tuple[str, str], tuple[Instant, Instant]] = {}  # since when, and when shown to be hers (0: not)

    def fill(self, rows: dict[str, list[Row]]) -> Iterator[tuple[str, Row]]:
        """Take over the rows of each table; yields (table, row) of those whose activity is not hers."""
        self.log = [LogRow(*row) for row in rows["activity"]]
        self.orders = {row[0]: row[1:] for row in rows["orders"]}
        self.coupons = {row[0]: row[1:] for row in rows["coupon"]}
        self.codes = {row[0]: row[1:] for row in rows.get("code", ())}
        self.identities = {(row[0], row[1]): (row[2], row[3]) for row in rows["identity"]}
        seqs = {row.id: row.seq for row in self.log}
        into: tuple[tuple[str, dict[Any, Row]], ...] = (
            ("entry", self.entries),
            ("lot", self.lots),
            ("tier_change", self.tier_changes),
        )
        for name, found in into:
            width = KEYS[name]
            for row in rows[name]:
                seq = seqs.get(row[0])
                if seq is None:
                    yield name, row
                else:
                    found[seq, *row[1:width]] = row[width:]


KEYS: Final = {"entry": 2, "lot": 3, "tier_change": 2}
"""How many columns name a row of what follows from an activity."""


async def kept_of(connection: Connection, member_id: str) -> Kept | None:
    """All that is stored of a member, but for ``codes``; None if nobody has this id."""
    her = {"bucket": bucket_of(member_id), "member": member_id}
    cursor = await connection.execute(f"select bucket, member_id, {MEMBER} from member where {_HER}", her)
    row = await cursor.fetchone()
    if row is None:
        return None
    kept = Kept(*row)
    rows = {}
    for name, query in _OF_MEMBER.items():
        rows[name] = await (await connection.execute(query, her)).fetchall()
    assert list(kept.fill(rows)) == [], "rows were read through her own log"
    return kept
