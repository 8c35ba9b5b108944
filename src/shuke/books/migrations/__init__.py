"""Bringing a tenant's schema to the shape this version of the code expects.

Migrations only go forward; what they do is SQL in a file of its own under `versions/`. Each tenant's schema
holds its own `alembic_version`, so tenants can be moved, restored and migrated one by one.
"""

from __future__ import annotations

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.pool import NullPool

from shuke.books.connect import connect_blocking, schema_of

NEWEST = "head"


def migrate(url: str, *, tenant: str, to: str = NEWEST) -> None:
    """Make the tenant's schema if there is none, and bring it up to revision `to`.

    Everything happens in one transaction: it is all there, or nothing has changed. Any number of processes
    may call this at once; one works, the others wait and find it done. Raises what PostgreSQL raises.
    """
    schema = schema_of(tenant)
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connect_blocking(url, tenant=tenant), poolclass=NullPool
    )
    with engine.begin() as connection:
        # One lock per tenant, held to the end of the transaction. Taken before anything is looked at.
        connection.execute(
            text("select pg_advisory_xact_lock(hashtextextended('shuke.migrate.' || :schema, 0))"),
            {"schema": schema},
        )
        connection.execute(text(f'create schema if not exists "{schema}"'))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def revision(url: str, *, tenant: str) -> str | None:
    """The revision the tenant's schema is at; None if it has no books yet."""
    engine = create_engine(
        "postgresql+psycopg://", creator=lambda: connect_blocking(url, tenant=tenant), poolclass=NullPool
    )
    with engine.connect() as connection:
        return _context(connection, schema=schema_of(tenant)).get_current_revision()


def newest() -> str:
    """The revision this version of the code expects."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None, "the package ships at least one migration"
    return head


def _context(connection: Connection, *, schema: str) -> MigrationContext:
    return MigrationContext.configure(connection, opts={"version_table_schema": schema})


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files(__name__)).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
