"""The books a command works on: where the settings say they are, running and at the newest revision."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shuke.cli.troubles import NOTHING_CHANGED, Trouble

if TYPE_CHECKING:
    from shuke.runtime.settings import Settings


@dataclass(frozen=True)
class Books:
    """An address that answers, whose books they are, and where people would look for them."""

    url: str
    tenant: str
    place: str


def settings() -> Settings:
    """What the environment says. Raises ``WrongSettings``."""
    from shuke.runtime.settings import Settings

    return Settings.read(os.environ)


@contextmanager
def served(told: Settings) -> Iterator[Books]:
    """The database, as it is: the embedded server is running inside the ``with`` block."""
    from psycopg.conninfo import conninfo_to_dict

    from shuke.books import server
    from shuke.runtime.telemetry import set_up

    set_up(told.log, stream=sys.stderr, level=logging.WARNING)  # a report is no log
    logging.getLogger("psycopg").setLevel(logging.CRITICAL)  # what it would say of lost connections, troubles tells
    if told.database_url is not None:
        parts = conninfo_to_dict(told.database_url)
        place = f"database {parts.get('dbname', 'postgres')} on {parts.get('host', 'this machine')}"
        yield Books(told.database_url, told.tenant, place)
        return
    with server.start(told.home) as running:
        yield Books(running.url, told.tenant, str(running.data))


@contextmanager
def opened() -> Iterator[Books]:
    """The books, made and up to date. Raises ``Trouble`` where there are none, or old ones."""
    from shuke.books.migrations import newest, revision

    told = settings()
    if told.database_url is None and not (told.home / "postgres").exists():
        raise _none(str(told.home))
    with served(told) as books:
        found = revision(books.url, tenant=books.tenant)
        if found is None:
            raise _none(f"{books.place}, tenant {books.tenant}")
        if found != newest():
            what = f"The books in {books.place} are at revision {found}; this version of Shuke keeps {newest()}."
            raise Trouble(what, kept=NOTHING_CHANGED, todo="Bring them up to date: shuke init")
        yield books


def _none(place: str) -> Trouble:
    return Trouble(f"There are no books in {place}.", kept=NOTHING_CHANGED, todo="Make them: shuke init")
