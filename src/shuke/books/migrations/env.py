"""Run by Alembic. The connection comes from `migrate`: bound to one tenant, inside a transaction, locked."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection, version_table_schema=connection.dialect.default_schema_name)
context.run_migrations()
