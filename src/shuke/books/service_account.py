"""The user that the embedded server runs as when we are root: PostgreSQL refuses to run as root."""

from __future__ import annotations

import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NAME = "shuke"


class NoServiceAccount(Exception):
    """We are root and can neither find nor make the user that the server would run as."""


@dataclass(frozen=True)
class ServiceAccount:
    uid: int
    gid: int

    def popen_arguments(self) -> dict[str, Any]:
        """What `subprocess` needs to run a program as this user and with no other group."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def find() -> ServiceAccount:
    """The system user `shuke`, made on first use. It has no password, no shell and no home."""
    try:
        found = pwd.getpwnam(NAME)
    except KeyError:
        try:
            subprocess.run(
                [
                    "useradd",
                    "--system",
                    "--user-group",
                    "--no-create-home",
                    "--shell",
                    "/usr/sbin/nologin",
                    NAME,
                ],
                check=True,
                capture_output=True,
            )
            found = pwd.getpwnam(NAME)
        except (OSError, subprocess.CalledProcessError, KeyError) as failed:
            raise NoServiceAccount(
                f"PostgreSQL does not run as root, and the user {NAME!r} cannot be made ({failed}): "
                "run as an ordinary user, or set SHUKE_DATABASE_URL"
            ) from failed
    return ServiceAccount(uid=found.pw_uid, gid=found.pw_gid)


def open_way(account: ServiceAccount, *, to: Path) -> None:
    """Let the account pass through the folders above `to`, where it cannot yet.

    Passing through (the x bit for others) is all that is given: a folder that could not be listed before
    still cannot. Without it a home or an environment under /root would be out of the server's reach.
    """
    for folder in to.resolve().parents:
        found = folder.stat()
        if found.st_uid == account.uid:
            passes = found.st_mode & stat.S_IXUSR
        elif found.st_gid == account.gid:
            passes = found.st_mode & stat.S_IXGRP
        else:
            passes = found.st_mode & stat.S_IXOTH
        if not passes:
            folder.chmod(stat.S_IMODE(found.st_mode) | stat.S_IXOTH)
