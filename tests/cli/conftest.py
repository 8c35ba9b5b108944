"""The command as people run it, over real books."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from shuke.cli import run

PROGRAM = """\
id: coffee
currency: TWD
zone: Asia/Taipei
locales: [en, zh-Hant, zh-Hans]
assets:
  - id: points
    title: {en: Points, zh-Hant: 點數, zh-Hans: 积分}
    unit: {en: point, zh-Hant: 點, zh-Hans: 积分}
    validity: {after: 12 months}
    redemption: {worth: 1}
    expiry_notice_days: []
earning:
  - {id: base, asset: points, give: {per: {amount: 10, points: 1}}}
  - {id: hello, on: checked_in, asset: points, give: {fixed: 5}}
ladders:
  - id: club
    title: {en: Club, zh-Hant: 俱樂部, zh-Hans: 俱乐部}
    term: 12 months
    tiers: [{id: base}, {id: gold, title: {en: Gold, zh-Hant: 金卡, zh-Hans: 金卡}, entry: spend(12 months) >= 3000}]
"""

ORDERS = """\
order_id,member_id,occurred_at,amount
A-1,M-1,2025-03-01T10:15:00,320.00
A-2,M-1,2025-03-08T18:40:00,2600.00
B-1,M-2,2025-03-08T18:40:00,99.00
"""

ACTIVITIES = """\
{"type": "checked_in", "member_id": "M-2", "occurred_at": "2025-03-09", "key": "c1"}
{"type": "order.refunded", "member_id": "M-1", "occurred_at": "2025-03-10", "key": "r1", "payload": {"order_id": "A-1"}}
{"type": "order.refunded", "member_id": "M-1", "occurred_at": "2025-03-11", "key": "r2", "payload": {"order_id": "X"}}
"""

MEMBERS = """\
member_id,joined_at,name,balance:points,expires:points
M-1,2024-03-01,Mei,40,2025-12-31
M-2,2025-01-01,Ann,,
"""


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Shuke:
    """The command, in a folder and with an environment. Call it with its arguments.

    A call runs in this process, which spares a second of start-up each time; ``process`` and ``start`` run
    the command in one of its own.
    """

    folder: Path
    environment: dict[str, str]

    def __call__(self, *arguments: str, **more: str) -> Said:
        out, err = io.StringIO(), io.StringIO()
        with self._inside(more), redirect_stdout(out), redirect_stderr(err):
            status = run(arguments)
        return Said(status, out.getvalue(), _COLOURS.sub("", err.getvalue()))

    @contextmanager
    def _inside(self, more: dict[str, str]) -> Iterator[None]:
        environment, folder = dict(os.environ), Path.cwd()
        os.environ.clear()
        os.environ.update(self.environment | more)
        os.chdir(self.folder)
        try:
            yield
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            structlog.reset_defaults()

    def process(self, *arguments: str, **more: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "shuke.cli", *arguments],
            cwd=self.folder,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **more: str) -> subprocess.Popen[str]:
        """The command while it runs, with its standard error to read from."""
        return subprocess.Popen(
            [sys.executable, "-m", "shuke.cli", *arguments],
            cwd=self.folder,
            env={**self.environment, **more},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def write(self, name: str, text: str) -> Path:
        """Put a file into the folder."""
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        return path


Make = Callable[..., Shuke]


@pytest.fixture(scope="session")
def make_shuke(books_url: str, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """Makes a command for a tenant of its own, with the files of a small history beside it."""

    def make(tenant: str, **environment: str) -> Shuke:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("SHUKE_", "LC_"))}
        environment = {"SHUKE_DATABASE_URL": books_url, "SHUKE_TENANT": tenant, "LANG": "C.UTF-8", **environment}
        shuke = Shuke(tmp_path_factory.mktemp(tenant), {**kept, **environment})
        for name, text in (
            ("program.yaml", PROGRAM),
            ("orders.csv", ORDERS),
            ("activities.jsonl", ACTIVITIES),
            ("members.csv", MEMBERS),
        ):
            shuke.write(name, text)
        return shuke

    return make


HISTORY = ("--orders", "orders.csv", "--activities", "activities.jsonl", "--members", "members.csv")


def opened(shuke: Shuke) -> Shuke:
    """The same command, after its books were made, its program published and its history imported."""
    for arguments in (("init",), ("publish", "program.yaml"), ("import", *HISTORY, "--jobs", "1")):
        said = shuke(*arguments)
        assert said.status == 0, said.err
    return shuke


@pytest.fixture(scope="module")
def shop(make_shuke: Make, request: pytest.FixtureRequest) -> Shuke:
    """A shop with a year behind it. Tests look; those that change something make a shop of their own."""
    return opened(make_shuke(f"shop_{request.module.__name__.rpartition('.')[2]}"))
