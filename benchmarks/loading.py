"""Members who have each shopped some months, loaded in bulk, so that what is measured meets tables of life's size.

The rows are made by the server from one member grown by the engine; only her name differs, which has one length
for all. Each has one activity in the log, so that its index is as large as her neighbours make it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import LiteralString

from benchmarks.orders import DAY, START, member_name, orders, ten_rules
from shuke.books.connect import connect_blocking, schema_of
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.member import Member, pack, unpack
from shuke.engine.step import step
from shuke.values.ids import bucket_of

GROWN_BY_ORDERS = 20
CONNECTIONS = 2
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

MEMBERS: LiteralString = """
    insert into member
    select crc32(convert_to(name, 'UTF8')) %% 64, name, 'active', 'epoch', %(due_at)s::timestamptz,
        '{"main": "silver"}', '{"points": 120}', '{}', '{}', %(seq)s,
        overlay(%(state)s::bytea placing convert_to(name, 'UTF8') from %(at)s)
    from (select 'm' || lpad(n::text, 8, '0') as name from generate_series(%(first)s::int, %(last)s::int) n) names
"""
ACTIVITIES: LiteralString = """
    insert into activity
    select nextval('activity_id'), crc32(convert_to(name, 'UTF8')) %% 64, name, %(seq)s, 'before', 'before-' || name,
        'order.paid', 'epoch', 'epoch', 1, '', '{}', '{}'
    from (select 'm' || lpad(n::text, 8, '0') as name from generate_series(%(first)s::int, %(last)s::int) n) names
"""
BARE: tuple[LiteralString, ...] = (
    "alter table member drop constraint member_pkey",
    "drop index member_due",
    "alter table activity drop constraint activity_pkey",
    "drop index activity_of_member",
    "drop index activity_key",
)
DRESSED: tuple[LiteralString, ...] = (
    "set maintenance_work_mem = '1GB'",
    "alter table member add primary key (bucket, member_id)",
    "create index member_due on member (due_at) where due_at is not null",
    "alter table activity add primary key (id, bucket)",
    "create unique index activity_of_member on activity (bucket, member_id, seq)",
    "create unique index activity_key on activity (source, key)",
    "vacuum (freeze, analyze) member",
    "vacuum (freeze, analyze) activity",
    "checkpoint",
)
"""As the migration has them: faster than keeping them up to date row by row."""


def grown() -> Member:
    """The member whose copies they all are: she came every eighteen days for a year."""
    editions = Editions([Compiled(ten_rules())])
    member = Member(member_name(0), 0)
    for order in orders(GROWN_BY_ORDERS, members=1, seed=7, source="before", every=18 * DAY, start=START - 364 * DAY):
        member = step(editions, member, order).member
    return member


def load(url: str, tenant: str, *, members: int) -> None:
    """Fill a fresh tenant."""
    model = grown()
    state, name = pack(model), model.id.encode()
    assert state.count(name) == 1
    assert unpack(state).id == model.id
    assert bucket_of(model.id) in range(64)
    facts = {
        "state": state,
        "seq": model.seq,
        "at": state.index(name) + 1,
        "due_at": EPOCH + timedelta(microseconds=model.due_at),
    }
    with connect_blocking(url, tenant=tenant) as connection:
        connection.autocommit = True
        for statement in BARE:
            connection.execute(statement)

    def part(number: int) -> None:
        share = -(-members // CONNECTIONS)
        bounds = {"first": number * share, "last": min(members, (number + 1) * share) - 1}
        with connect_blocking(url, tenant=tenant) as connection:
            connection.execute(MEMBERS, {**facts, **bounds})
            connection.execute(ACTIVITIES, {**facts, **bounds})

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        list(pool.map(part, range(CONNECTIONS)))
    with connect_blocking(url, tenant=tenant) as connection:
        connection.autocommit = True
        for statement in DRESSED:
            connection.execute(statement)
        [(wrong,)] = connection.execute(
            "select count(*) from member where member_id = %s and bucket <> %s", [model.id, bucket_of(model.id)]
        ).fetchall()
        assert wrong == 0, f"{schema_of(tenant)}: the server counts buckets another way"
