"""The books: everything that must not be lost, in PostgreSQL.

A server (embedded, or the one SHUKE_DATABASE_URL names), one schema per tenant, and migrations that bring a
schema to the shape this version of the code expects. Nothing here reads the environment: callers pass
addresses and folders in.
"""
