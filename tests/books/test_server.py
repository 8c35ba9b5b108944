"""The embedded server: it keeps what it acknowledged, whoever dies, and finds its way back."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil  # type: ignore[import-untyped]  # it ships no annotations
import psycopg
import pytest

from shuke.books import server, tuning

pytestmark = pytest.mark.database

# A process that starts the server, commits a row, tells the server's process id, and does what it is told.
OTHER_PROCESS = """
import os, signal, sys
from pathlib import Path
import psycopg
from shuke.books import server
held = server.start(Path(sys.argv[1]))
with psycopg.connect(held.url) as connection:
    connection.execute("create table if not exists kept (word text)")
    connection.execute("insert into kept values ('acknowledged')")
print((held.data / "postmaster.pid").read_text().split()[0], flush=True)
if sys.argv[2] == "die":
    os.kill(os.getpid(), signal.SIGKILL)
sys.stdin.read()
held.close()
"""


def other_process(home: Path, *, then: str) -> tuple[subprocess.Popen[str], int]:
    """Start it and wait until it has committed. Returns the process and the process id of the server."""
    process = subprocess.Popen(
        [sys.executable, "-c", OTHER_PROCESS, str(home), then],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def postmaster(running: server.Server) -> int:
    return int((running.data / "postmaster.pid").read_text().split()[0])


def alive(pid: int) -> bool:
    """Whether the process runs. One that has ended but was not waited for (a zombie) does not."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kept_words(running: server.Server) -> list[str]:
    with psycopg.connect(running.url) as connection:
        return [word for (word,) in connection.execute("select word from kept")]


def setting(running: server.Server, name: str) -> str:
    with psycopg.connect(running.url) as connection:
        row = connection.execute("select current_setting(%s)", [name]).fetchone()
        assert row is not None
        return str(row[0])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("TimeZone", "UTC"),
    ],
)
def test_the_server_is_durable_private_and_the_same_everywhere(books_url: str, name: str, value: str) -> None:
    with psycopg.connect(books_url) as connection:
        assert connection.execute("select current_setting(%s)", [name]).fetchone() == (value,)


@pytest.mark.parametrize(
    ("memory_gib", "buffers"), [(0.5, "128MB"), (1, "128MB"), (8, "1024MB"), (24, "2048MB"), (256, "2048MB")]
)
def test_buffers_are_an_eighth_of_memory_within_limits(memory_gib: float, buffers: str) -> None:
    text = tuning.render(memory_bytes=int(memory_gib * 1024**3), sockets=Path("/run/it's"))
    assert f"shared_buffers = {buffers}" in text
    assert "unix_socket_directories = '/run/it''s'" in text


def test_nobody_else_may_enter_the_folder_of_data_and_socket(home: Path) -> None:
    with server.start(home) as running:
        assert running.data.stat().st_mode & 0o077 == 0


def test_the_server_stops_when_its_last_user_leaves(home: Path) -> None:
    first = server.start(home)
    second = server.start(home)
    pid = postmaster(first)
    first.close()
    assert alive(pid)
    second.close()
    assert not alive(pid)


def test_closing_twice_is_harmless(home: Path) -> None:
    running = server.start(home)
    running.close()
    running.close()


def test_two_processes_at_one_home_share_one_server(home: Path) -> None:
    process, pid = other_process(home, then="stay")
    with server.start(home) as running:
        assert postmaster(running) == pid
        process.communicate("leave", timeout=60)
        assert kept_words(running) == ["acknowledged"]
    assert not alive(pid)


def test_many_starts_at_once_make_one_server(home: Path) -> None:
    held: list[server.Server] = []
    threads = [threading.Thread(target=lambda: held.append(server.start(home))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({postmaster(one) for one in held}) == 1
    for one in held:
        one.close()


@pytest.mark.crash
def test_a_killed_process_leaves_a_server_that_the_next_one_takes_over(home: Path) -> None:
    process, pid = other_process(home, then="die")
    assert process.wait(60) == -signal.SIGKILL
    with server.start(home) as running:
        assert postmaster(running) == pid
        assert kept_words(running) == ["acknowledged"]
    assert not alive(pid)


@pytest.mark.crash
def test_after_an_immediate_shutdown_everything_acknowledged_is_there(home: Path) -> None:
    running = server.start(home)
    with psycopg.connect(running.url) as connection:
        connection.execute("create table kept (word text)")
        connection.execute("insert into kept values ('acknowledged')")
        connection.commit()
        connection.execute("insert into kept values ('not committed')")
        running.stop(mode="immediate")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select 1")
    with server.start(home) as again:
        assert kept_words(again) == ["acknowledged"]


@pytest.mark.crash
def test_a_killed_server_is_recovered_by_the_next_start(home: Path) -> None:
    process, pid = other_process(home, then="stay")
    with server.start(home) as running, psycopg.connect(running.url) as connection:
        os.kill(pid, signal.SIGKILL)
        # The sleeping session notices that the server is gone and ends: then it is gone.
        with pytest.raises(psycopg.OperationalError):
            connection.execute("select pg_sleep(60)")
    with server.start(home) as running:
        assert postmaster(running) != pid
        assert kept_words(running) == ["acknowledged"]
        process.communicate("leave", timeout=60)
        assert kept_words(running) == ["acknowledged"]


@pytest.mark.crash
def test_a_stale_pid_file_that_names_a_living_stranger_does_not_keep_the_server_down(home: Path) -> None:
    with server.start(home) as running:
        pid_file = running.data / "postmaster.pid"
        lines = pid_file.read_text().splitlines(keepends=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        pid_file.write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
        with server.start(home) as again:
            assert postmaster(again) != stranger.pid
        assert stranger.poll() is None
        stranger.communicate(b"\n")


@pytest.mark.crash
def test_a_half_made_data_folder_is_made_anew(home: Path) -> None:
    unfinished = home / "postgres.new"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")
    with server.start(home) as running:
        assert setting(running, "server_version_num") >= "150000"
    assert not unfinished.exists()


def test_stopping_is_for_everybody_and_starting_again_keeps_the_address(home: Path) -> None:
    first = server.start(home)
    second = server.start(home)
    second.stop()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(first.url)
    with server.start(home) as third:
        assert third.url == first.url
        first.close()
        assert setting(third, "fsync") == "on"


def test_a_path_too_long_for_a_socket_is_served_from_a_short_private_one(home: Path) -> None:
    deep = home / ("long-" * 25)
    with server.start(deep) as running:
        assert setting(running, "data_directory") == str(running.data)
        sockets = Path(setting(running, "unix_socket_directories"))
        assert sockets.stat().st_mode & 0o077 == 0
    assert list(sockets.iterdir()) == []
    sockets.rmdir()


def test_a_name_with_spaces_and_quotes_is_a_home_like_any_other(home: Path) -> None:
    with server.start(home / "Mei's shop & 50 % off") as running:
        assert setting(running, "fsync") == "on"


def test_data_of_an_unknown_postgresql_is_refused_and_left_alone(home: Path) -> None:
    with server.start(home) as running:
        version = running.data / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(server.ServerFailed, match="made by PostgreSQL 9"):
        server.start(home)
    assert version.read_text() == "9\n"


def test_settings_of_the_merchants_own_that_cannot_be_read_are_named(home: Path) -> None:
    with server.start(home) as running:
        conf = running.data / "postgresql.conf"
    with conf.open("a") as lines:
        lines.write("shared_buffer = 1GB\n")
    with pytest.raises(server.ServerFailed, match="shared_buffer"):
        server.start(home)
