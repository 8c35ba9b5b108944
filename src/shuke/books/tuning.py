"""The settings of the embedded server: durable always, sized to the machine it finds itself on."""

from __future__ import annotations

import os
from pathlib import Path

FILE_NAME = "shuke.conf"

_MIB = 1024 * 1024
_NO_LIMIT_BYTES = 1 << 50

TEMPLATE = """\
# Written by shuke at every start. Changes of your own go below the include line in postgresql.conf.

# Nobody but this machine's own processes, through a private socket.
listen_addresses = ''
port = 5432
unix_socket_directories = '{sockets}'
unix_socket_permissions = 0700
max_connections = 100

# What was acknowledged survives a power cut. These three are never weakened for speed.
fsync = on
synchronous_commit = on
full_page_writes = on

# Memory: the machine is shared with the processes that do the work.
shared_buffers = {shared_buffers_mib}MB
effective_cache_size = {cache_mib}MB
work_mem = 16MB
maintenance_work_mem = {maintenance_mib}MB

# Few, long, even checkpoints: settling rewrites the same pages often.
max_wal_size = 4GB
min_wal_size = 512MB
checkpoint_timeout = 15min
checkpoint_completion_target = 0.9

# Room for the log of several batches, so that it is on its way to the disk before a commit waits for it.
wal_buffers = {wal_mib}MB

# Short statements, many updates of few columns.
jit = off
random_page_cost = 1.1
autovacuum_naptime = 20s
autovacuum_vacuum_scale_factor = 0.1
autovacuum_vacuum_insert_scale_factor = 1.0

# Speak one language whatever the machine speaks.
timezone = 'UTC'
log_timezone = 'UTC'
datestyle = 'ISO, YMD'
lc_messages = 'C'

# The log holds what went wrong, not what was asked: parameters and the keys in details may be about people.
log_checkpoints = off
log_error_verbosity = terse
log_min_error_statement = panic
log_parameter_max_length_on_error = 0
"""


def write(data: Path, *, sockets: Path) -> None:
    """Write the settings file into the data folder `data`, for this machine's memory as it is now."""
    text = render(memory_bytes=_memory_bytes(), sockets=sockets)
    target = data / FILE_NAME
    target.write_text(text)
    owner = data.stat()
    if owner.st_uid != os.geteuid():
        os.chown(target, owner.st_uid, owner.st_gid)


def render(*, memory_bytes: int, sockets: Path) -> str:
    """The settings for a machine with so much memory: an eighth of it as buffers, 128 MiB to 2 GiB."""
    memory_mib = memory_bytes // _MIB
    return TEMPLATE.format(
        sockets=str(sockets).replace("'", "''"),
        shared_buffers_mib=_clamp(memory_mib // 8, low=128, high=2048),
        cache_mib=_clamp(memory_mib // 2, low=256, high=1024 * 1024),
        wal_mib=_clamp(memory_mib // 256, low=4, high=64),
        maintenance_mib=_clamp(memory_mib // 32, low=64, high=512),
    )


def _memory_bytes() -> int:
    """Memory of this machine, or the container's limit if that is less."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min(physical, _container_limit_bytes())


def _container_limit_bytes() -> int:
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            return int(Path(path).read_text())
        except (OSError, ValueError):  # no such controller, or "max"
            continue
    return _NO_LIMIT_BYTES


def _clamp(value: int, *, low: int, high: int) -> int:
    return max(low, min(high, value))
