"""What the environment says: where the books are, whose they are, and how to log."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, cast

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict

from shuke.books.connect import schema_of

TENANT_DEFAULT = "main"

# Root keeps services' data where the system keeps it; also, the server's own user could not enter /root.
_HOME_OF_ROOT = Path("/var/lib/shuke")

LogForm = Literal["console", "json"]


class WrongSettings(Exception):
    """An environment variable holds what cannot be meant. The message names it and what is expected."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Read once at the start of a process, handed down from there.

    `home` is the folder of the embedded server, an absolute path. `database_url` is None when the embedded
    server is to be used. `tenant` is a valid tenant name. `log` is the form of log lines. `private_webhooks` lets
    webhooks go to addresses of one's own network, and without TLS.
    """

    home: Path
    database_url: str | None
    tenant: str
    log: LogForm
    private_webhooks: bool

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read SHUKE_HOME, SHUKE_DATABASE_URL, SHUKE_TENANT, SHUKE_LOG and SHUKE_WEBHOOKS_ALLOW_PRIVATE; an empty one
        counts as not set.

        Raises `WrongSettings` at the first that cannot be meant. Nothing is opened, made or connected to.
        """
        return cls(
            home=_home(environment),
            database_url=_database_url(environment),
            tenant=_tenant(environment),
            log=_log(environment),
            private_webhooks=_private_webhooks(environment),
        )


def _home(environment: Mapping[str, str]) -> Path:
    """SHUKE_HOME, or the place the XDG base directory specification gives to an application's data."""
    if told := environment.get("SHUKE_HOME"):
        try:
            return Path(told).expanduser().absolute()
        except RuntimeError as unknown:
            raise WrongSettings(f"SHUKE_HOME={told!r}: {unknown}") from unknown
    if data_home := environment.get("XDG_DATA_HOME"):
        # The specification: a relative path is invalid and must be ignored.
        if Path(data_home).is_absolute():
            return Path(data_home) / "shuke"
    elif os.geteuid() == 0:
        return _HOME_OF_ROOT
    if home := environment.get("HOME"):
        return Path(home).absolute() / ".local" / "share" / "shuke"
    raise WrongSettings("neither SHUKE_HOME nor HOME is set: say with SHUKE_HOME where to keep the books")


def _database_url(environment: Mapping[str, str]) -> str | None:
    told = environment.get("SHUKE_DATABASE_URL")
    if not told:
        return None
    expected = "SHUKE_DATABASE_URL must look like postgresql://user:password@host:5432/database"
    if not told.startswith(("postgresql://", "postgres://")):
        raise WrongSettings(expected)
    try:
        conninfo_to_dict(told)
    except ProgrammingError:
        # The reason quotes the address, and the address may hold a password.
        raise WrongSettings(expected) from None
    return told


def _tenant(environment: Mapping[str, str]) -> str:
    told = environment.get("SHUKE_TENANT") or TENANT_DEFAULT
    try:
        schema_of(told)
    except ValueError as refused:
        raise WrongSettings(f"SHUKE_TENANT: {refused}") from refused
    return told


def _log(environment: Mapping[str, str]) -> LogForm:
    told = environment.get("SHUKE_LOG") or "console"
    if told not in ("console", "json"):
        raise WrongSettings(f"SHUKE_LOG={told!r}: expected 'console' or 'json'")
    return cast(LogForm, told)


def _private_webhooks(environment: Mapping[str, str]) -> bool:
    told = environment.get("SHUKE_WEBHOOKS_ALLOW_PRIVATE") or "0"
    if told not in ("0", "1"):
        raise WrongSettings(f"SHUKE_WEBHOOKS_ALLOW_PRIVATE={told!r}: expected '1' or '0'")
    return told == "1"
