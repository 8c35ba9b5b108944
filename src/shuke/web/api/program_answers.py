"""How programs are shown: looked through, compared, as a draft, as a published version."""

from __future__ import annotations

from typing import Any, Final, Literal

import msgspec
from pydantic import Field

from shuke.books.programs import Draft, Edition
from shuke.program.differences import Change
from shuke.program.document import Program, to_data
from shuke.program.problems import Problem
from shuke.program.sentences import Locale
from shuke.runtime.clock import now
from shuke.runtime.programs import CHANGES_MOST, PROBLEMS_MOST, Compared, Looked
from shuke.web.api.contract import Shown, ShownEnd, ShownMoment

YAML: Final = "application/yaml"

TEXT: Final = """\
id: coffee
currency: USD
zone: Asia/Taipei
assets:
  - {id: points, validity: {after: 12 months}, redemption: {worth: 0.01}}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}}
"""
"""An example."""


class ProblemShown(Shown):
    """One thing to mend."""

    path: str = Field(examples=["earning[0].asset"])
    code: str = Field(examples=["unknown_reference"])
    detail: str = Field(description="A sentence in the caller's language.")
    suggestion: str | None = Field(description="What to write instead, if that can be guessed.", examples=["points"])
    severity: Literal["error", "warning"] = Field(description="An error must be mended before it is published.")
    line: int | None = Field(description="Of the text, from 1, where that is known.")


class Checked(Shown):
    """What is wrong with a program."""

    sound: bool = Field(description="Whether it can be published: there is no error.")
    errors: int
    warnings: int
    problems: list[ProblemShown] = Field(description=f"The first {PROBLEMS_MOST} of them.")


class DraftShown(Checked):
    """The program as it is being written."""

    etag: str = Field(description="Stands for this text; send it as `If-Match` to change or publish it.")
    changed_at: ShownMoment
    changed_by: str = Field(description="The source of the key that wrote it last.")
    text: str = Field(description="As it was written; what came as JSON is JSON here.", examples=[TEXT])
    document: dict[str, Any] | None = Field(description="The program it is; null while it cannot be read as one.")


class ChangeShown(Shown):
    """One difference between two programs."""

    path: str = Field(description="Into the program as it would be; of what is gone, into the one before.")
    chapter: str = Field(examples=["ladders"])
    kind: Literal["added", "removed", "changed"]
    before: str | None
    after: str | None
    detail: str = Field(description="A sentence in the caller's language, as are `before` and `after`.")
    effect: Literal["better", "worse", "neutral", "unknown"] = Field(description="What it is for members, by itself.")


class Differences(Shown):
    """What changes between two programs. What is worse for members comes first, then what cannot be judged."""

    total: int
    changes: list[ChangeShown] = Field(description=f"The first {CHANGES_MOST} of them.")


class VersionShown(Shown):
    """A published version."""

    version: int
    program_id: str
    status: Literal["scheduled", "in_force", "archived"] = Field(
        description="archived: another one has followed it, which may be before it came into force."
    )
    effective_from: ShownMoment = Field(description="The first version is in force from the beginning, 1970.")
    until: ShownEnd = Field(description="When the next version comes into force.")
    published_at: ShownMoment
    note: str
    restores: int | None = Field(description="The older version whose program this is again, if it was rolled back to.")
    digest: str = Field(description="Stands for the program, whatever its version.")


class Version(VersionShown):
    """A published version with its program."""

    text: str = Field(description="As it was written.", examples=[TEXT])
    document: dict[str, Any]


class Published(VersionShown):
    """A version that was just published, and what it changes."""

    worse: list[ChangeShown] = Field(description="What is worse for members. They may have to be told beforehand.")
    changes: Differences


def problem_shown(problem: Problem, locale: Locale) -> ProblemShown:
    return ProblemShown(
        path=problem.path,
        code=problem.code,
        detail=problem.told(locale),
        suggestion=problem.hinted(locale),
        severity=problem.severity,
        line=problem.line,
    )


def checked(looked: Looked, locale: Locale) -> Checked:
    return Checked(**_checked(looked, locale))


def _checked(looked: Looked, locale: Locale) -> dict[str, Any]:
    return {
        "sound": looked.is_sound,
        "errors": looked.errors,
        "warnings": looked.warnings,
        "problems": [problem_shown(problem, locale) for problem in looked.problems],
    }


def draft_shown(draft: Draft, looked: Looked, locale: Locale) -> DraftShown:
    return DraftShown(
        **_checked(looked, locale),
        etag=etag_of(draft),
        changed_at=draft.changed_at,
        changed_by=draft.changed_by,
        text=draft.text,
        document=None if looked.document is None else msgspec.json.decode(looked.document),
    )


def change_shown(change: Change) -> ChangeShown:
    return ChangeShown(
        path=change.path,
        chapter=change.chapter,
        kind=change.kind,
        before=change.before,
        after=change.after,
        detail=change.sentence,
        effect=change.effect,
    )


def differences(compared: Compared) -> Differences:
    return Differences(total=compared.total, changes=[change_shown(change) for change in compared.changes])


def version_shown(edition: Edition) -> VersionShown:
    return VersionShown(**_version(edition))


def version_whole(edition: Edition, text: str, program: Program) -> Version:
    return Version(**_version(edition), text=text, document=to_data(program))


def published(edition: Edition, compared: Compared) -> Published:
    worse = [change_shown(change) for change in compared.worse]
    return Published(**_version(edition), worse=worse, changes=differences(compared))


def _version(edition: Edition) -> dict[str, Any]:
    return {
        "version": edition.version,
        "program_id": edition.program_id,
        "status": edition.status(now()),
        "effective_from": edition.effective_from,
        "until": edition.until,
        "published_at": edition.published_at,
        "note": edition.note,
        "restores": edition.restores,
        "digest": edition.digest.hex(),
    }


# -- Headers (RFC 9110: 8.8.3, 12.5.1) -------------------------------------------------------------------


def etag_of(draft: Draft) -> str:
    """The entity tag of a draft, with its quotes."""
    return f'"{draft.digest.hex()}"'


def matches(if_match: str | None, draft: Draft) -> bool:
    """Whether an ``If-Match`` header means this draft. Without one nothing is meant."""
    tags = [tag.strip() for tag in (if_match or "").split(",")]
    return tags == ["*"] or etag_of(draft) in tags


def wants_yaml(accept: str | None) -> bool:
    """Whether an ``Accept`` header asks for a program's text."""
    return "yaml" in (accept or "").lower()
