"""Tenants are schemas: each is migrated alone, wholly or not at all, and sees nothing of the others."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from shuke.books import migrations
from shuke.books.connect import connect, connect_blocking, pool, schema_of
from shuke.books.migrations import migrate, newest, revision

pytestmark = pytest.mark.database

MEMBER_TABLES = ["activity", "coupon", "entry", "lot", "member", "orders", "tier_change"]
TABLES = {
    *MEMBER_TABLES,
    "alembic_version",
    "api_key",
    "code",
    "catalog",
    "catalog_item",
    "code_batch",
    "identity",
    "member_code",
    "member_code_use",
    "outbox",
    "program_draft",
    "program_version",
    "quota",
    "request",
    "segment",
    "segment_heard",
    "segment_member",
    "segment_size",
    "waiting",
    "webhook_delivery",
    "webhook_endpoint",
}

NEW_MEMBER = """
    insert into member (bucket, member_id, status, joined_at, tiers, balances, traits, tags, seq, state)
    values (%s, %s, 'active', '2026-01-31T00:00:00Z', '{}', '{}', '{}', '{}', 0, '')
"""
NEW_ENTRY = """
    insert into entry (bucket, member_id, activity_id, no, asset, kind, debit, credit, amount, version, occurred_at)
    values (1, 'm', 1, %(no)s, 'points', 'earn', %(debit)s, %(credit)s, %(amount)s, 1, '2026-01-31T00:00:00Z')
"""
NEW_ACTIVITY = """
    insert into activity
        (id, bucket, member_id, seq, source, key, type, occurred_at, recorded_at, version, digest, body, answer)
    values (nextval('activity_id'), 1, 'm', %s, %s, %s, 'check-in',
        '2026-01-31T00:00:00Z', '2026-01-31T00:00:01Z', 1, '', '{}', '{}')
"""


def tables_of(url: str, tenant: str) -> set[str]:
    with connect_blocking(url, tenant=tenant) as connection:
        found = connection.execute(
            "select table_name from information_schema.tables where table_schema = %s", [schema_of(tenant)]
        )
        return {name for (name,) in found}


def test_a_new_tenant_gets_all_tables_at_the_newest_revision(books_url: str, tenant: str) -> None:
    assert tables_of(books_url, tenant) == TABLES
    assert revision(books_url, tenant=tenant) == newest()


def test_a_tenant_without_books_has_no_revision(books_url: str, unborn_tenant: str) -> None:
    assert revision(books_url, tenant=unborn_tenant) is None


def test_migrating_again_changes_nothing(books_url: str, tenant: str) -> None:
    with connect_blocking(books_url, tenant=tenant) as connection:
        connection.execute(NEW_MEMBER, (1, "m"))
    migrate(books_url, tenant=tenant)
    with connect_blocking(books_url, tenant=tenant) as connection:
        assert connection.execute("select count(*) from member").fetchone() == (1,)


def test_many_processes_migrating_at_once_are_as_one(books_url: str, unborn_tenant: str) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: migrate(books_url, tenant=unborn_tenant), range(8)))
    assert tables_of(books_url, unborn_tenant) == TABLES


def test_a_migration_that_fails_leaves_no_trace(books_url: str, unborn_tenant: str) -> None:
    schema = schema_of(unborn_tenant)
    with psycopg.connect(books_url) as connection:
        connection.execute(f'create schema "{schema}"')
        connection.execute(f'create table "{schema}".quota (in_the_way int)')
    with pytest.raises(Exception, match="already exists"):
        migrate(books_url, tenant=unborn_tenant)
    assert tables_of(books_url, unborn_tenant) == {"quota"}


def test_migrations_need_no_file_of_the_users(
    books_url: str, unborn_tenant: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    migrate(books_url, tenant=unborn_tenant)
    assert list(tmp_path.iterdir()) == []


def test_every_migration_has_its_sql_beside_it_and_one_line_of_descent() -> None:
    versions = Path(migrations.__file__).parent / "versions"
    steps = sorted(path.stem for path in versions.glob("r*.py"))
    assert steps == sorted(path.stem for path in versions.glob("*.sql"))
    assert [step[1:5] for step in steps] == [f"{number:04}" for number in range(1, len(steps) + 1)]


async def test_a_connection_sees_its_own_tenant_only(books_url: str, tenant: str, unborn_tenant: str) -> None:
    async with await connect(books_url, tenant=tenant) as connection:
        found = await connection.execute("select current_schemas(false)")
        assert await found.fetchone() == ([schema_of(tenant)],)
    async with await connect(books_url, tenant="somebody_else") as connection:
        with pytest.raises(psycopg.errors.UndefinedTable):
            await connection.execute("select * from member")


async def test_two_tenants_may_have_the_same_member(books_url: str, tenant: str) -> None:
    other = f"{tenant}_other"
    migrate(books_url, tenant=other)
    for name in (tenant, other):
        async with pool(books_url, tenant=name) as connections, connections.connection() as connection:
            await connection.execute(NEW_MEMBER, (1, "m"))
            found = await connection.execute("select count(*) from member")
            assert await found.fetchone() == (1,)


async def test_options_in_the_address_are_kept(books_url: str, tenant: str) -> None:
    url = f"{books_url}&options=-cstatement_timeout%3D12345"
    async with await connect(url, tenant=tenant) as connection:
        found = await connection.execute("select current_setting('statement_timeout'), current_schema()")
        assert await found.fetchone() == ("12345ms", schema_of(tenant))


@pytest.mark.parametrize("name", ["", "1st", "Main", "a-b", "pg temp", 'x"y', "a" * 41, "main\n"])
def test_what_is_no_tenant_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no tenant name"):
        schema_of(name)


@pytest.mark.parametrize("table", MEMBER_TABLES)
def test_every_key_of_a_members_rows_names_her_bucket(books_url: str, tenant: str, table: str) -> None:
    with connect_blocking(books_url, tenant=tenant) as connection:
        found = connection.execute(
            """
            select array_agg(a.attname::text)
              from pg_index i, unnest(i.indkey) as k (attnum), pg_attribute a
             where i.indrelid = %s::regclass and i.indisprimary
               and a.attrelid = i.indrelid and a.attnum = k.attnum
            """,
            [table],
        ).fetchone()
        assert found is not None
        assert "bucket" in found[0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"no": 0, "debit": "house", "credit": "member", "amount": 0},
        {"no": 0, "debit": "house", "credit": "member", "amount": -5},
        {"no": 0, "debit": "member", "credit": "member", "amount": 5},
    ],
)
def test_an_entry_that_moves_nothing_forward_is_refused(books_url: str, tenant: str, wrong: dict[str, object]) -> None:
    with connect_blocking(books_url, tenant=tenant) as books, pytest.raises(psycopg.errors.CheckViolation):
        books.execute(NEW_ENTRY, wrong)


def test_one_source_cannot_use_a_key_twice_and_two_sources_can(books_url: str, tenant: str) -> None:
    with connect_blocking(books_url, tenant=tenant) as connection:
        connection.execute(NEW_ACTIVITY, (1, "till", "a-1"))
        connection.execute(NEW_ACTIVITY, (2, "web", "a-1"))
        with pytest.raises(psycopg.errors.UniqueViolation, match="activity_key"):
            connection.execute(NEW_ACTIVITY, (3, "till", "a-1"))


@pytest.mark.parametrize(("cap", "claims", "wins"), [(3, 5, 3), (None, 5, 5)])
def test_a_quota_gives_no_more_than_its_cap(
    books_url: str, tenant: str, cap: int | None, claims: int, wins: int
) -> None:
    with connect_blocking(books_url, tenant=tenant) as connection:
        connection.execute("insert into quota values ('coupon:welcome', '2026-01', 0, %s)", [cap])
        won = 0
        for _ in range(claims):
            claimed = connection.execute(
                "update quota set used = used + 1 where period = '2026-01' and (cap is null or used < cap)"
            )
            won += claimed.rowcount
        assert won == wins
        if cap is not None:
            with pytest.raises(psycopg.errors.CheckViolation):
                connection.execute("update quota set used = used + 1")


def test_two_drains_of_the_outbox_never_take_the_same_row(books_url: str, tenant: str) -> None:
    drain = """
        delete from outbox where (due_at, id) in (
            select due_at, id from outbox where due_at <= now() and kind = 'activity'
            order by due_at, id limit 2 for update skip locked
        ) returning body ->> 'n'
    """
    with (
        connect_blocking(books_url, tenant=tenant) as one,
        connect_blocking(books_url, tenant=tenant) as two,
    ):
        one.execute(
            """
            insert into outbox (due_at, bucket, member_id, seq, kind, topic, body)
            select now() - interval '1 day', 1, 'm', 1, 'activity', 'gift', jsonb_build_object('n', n)
              from generate_series(1, 5) n
            """
        )
        one.commit()
        assert sorted(one.execute(drain).fetchall()) == [("1",), ("2",)]
        assert sorted(two.execute(drain).fetchall()) == [("3",), ("4",)]
        one.rollback()
        assert sorted(two.execute(drain).fetchall()) == [("1",), ("2",)]
