"""Shapes of programs (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict

from shuke.client.shapes.shared import Which


class ChangeShown(TypedDict):
    """One difference between two programs."""

    # Into the program as it would be; of what is gone, into the one before.
    path: str
    chapter: str
    kind: Literal["added", "removed", "changed"]
    before: str | None
    after: str | None
    # A sentence in the caller's language, as are `before` and `after`.
    detail: str
    # What it is for members, by itself.
    effect: Literal["better", "worse", "neutral", "unknown"]


class Checked(TypedDict):
    """What is wrong with a program."""

    # Whether it can be published: there is no error.
    sound: bool
    errors: int
    warnings: int
    # The first 100 of them.
    problems: list[ProblemShown]


class DiffTold(TypedDict):
    """Two programs."""

    # The version published last if left out.
    before: NotRequired[Which | None]
    # The draft if left out.
    after: NotRequired[Which]


class Differences(TypedDict):
    """What changes between two programs. What is worse for members comes first, then what cannot be judged."""

    total: int
    # The first 500 of them.
    changes: list[ChangeShown]


class DraftShown(TypedDict):
    """The program as it is being written."""

    # Whether it can be published: there is no error.
    sound: bool
    errors: int
    warnings: int
    # The first 100 of them.
    problems: list[ProblemShown]
    # Stands for this text; send it as `If-Match` to change or publish it.
    etag: str
    changed_at: str
    # The source of the key that wrote it last.
    changed_by: str
    # As it was written; what came as JSON is JSON here.
    text: str
    # The program it is; null while it cannot be read as one.
    document: dict[str, Any] | None


class PageVersionShown(TypedDict):
    """As told."""

    items: list[VersionShown]
    next: NotRequired[str | None]


class ProblemShown(TypedDict):
    """One thing to mend."""

    path: str
    code: str
    # A sentence in the caller's language.
    detail: str
    # What to write instead, if that can be guessed.
    suggestion: str | None
    # An error must be mended before it is published.
    severity: Literal["error", "warning"]
    # Of the text, from 1, where that is known.
    line: int | None


class PublishTold(TypedDict):
    """When a version comes into force, and why it was published."""

    # Now if left out; the very first version from the beginning.
    effective_from: NotRequired[str | datetime | None]
    # Why, for whoever looks back.
    note: NotRequired[str]


class Published(TypedDict):
    """A version that was just published, and what it changes."""

    version: int
    program_id: str
    # archived: another one has followed it, which may be before it came into force.
    status: Literal["scheduled", "in_force", "archived"]
    # The first version is in force from the beginning, 1970.
    effective_from: str | datetime
    # When the next version comes into force.
    until: str | datetime | None
    published_at: str | datetime
    note: str
    # The older version whose program this is again, if it was rolled back to.
    restores: int | None
    # Stands for the program, whatever its version.
    digest: str
    # What is worse for members. They may have to be told beforehand.
    worse: list[ChangeShown]
    changes: Differences


class RollBackTold(TypedDict):
    """Which version to publish again."""

    # Now if left out; the very first version from the beginning.
    effective_from: NotRequired[str | datetime | None]
    # Why, for whoever looks back.
    note: NotRequired[str]
    version: int


class Version(TypedDict):
    """A published version with its program."""

    version: int
    program_id: str
    # archived: another one has followed it, which may be before it came into force.
    status: Literal["scheduled", "in_force", "archived"]
    # The first version is in force from the beginning, 1970.
    effective_from: str | datetime
    # When the next version comes into force.
    until: str | datetime | None
    published_at: str | datetime
    note: str
    # The older version whose program this is again, if it was rolled back to.
    restores: int | None
    # Stands for the program, whatever its version.
    digest: str
    # As it was written.
    text: str
    document: dict[str, Any]


class VersionShown(TypedDict):
    """A published version."""

    version: int
    program_id: str
    # archived: another one has followed it, which may be before it came into force.
    status: Literal["scheduled", "in_force", "archived"]
    # The first version is in force from the beginning, 1970.
    effective_from: str
    # When the next version comes into force.
    until: str | None
    published_at: str
    note: str
    # The older version whose program this is again, if it was rolled back to.
    restores: int | None
    # Stands for the program, whatever its version.
    digest: str
