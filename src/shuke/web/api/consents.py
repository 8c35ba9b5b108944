"""What a member agreed to, per purpose and channel, and everything she ever said of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from msgspec import Struct
from pydantic import Field

from shuke.books import activities
from shuke.books.activities import Recorded
from shuke.books.load import Connection
from shuke.engine import activity as of
from shuke.engine.balances import present
from shuke.engine.member import Consent
from shuke.engine.sentences import Writer, told, writer
from shuke.program.profile import Purpose, hash_of, hashes_of
from shuke.runtime.clock import now
from shuke.values.instants import NEVER
from shuke.web.api import contract, cursors
from shuke.web.api.answers import Settlement, settlement
from shuke.web.api.balances import known_id, known_member
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import MemberId, Moment, Page, Shown, ShownEnd, ShownMoment, Slug, Told
from shuke.web.api.members import By
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Members")

_TYPES = [of.CONSENT_GRANTED, of.CONSENT_WITHDRAWN]
Hash = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Channels = Annotated[list[Slug], Field(min_length=1, max_length=50, examples=[["email", "line"]])]


class ConsentShown(Shown):
    """One purpose on one channel, and what she last said of it."""

    purpose: str = Field(examples=["marketing"])
    channel: str = Field(examples=["email"])
    state: Literal["granted", "withdrawn", "unasked"] = Field(description="unasked: she never said anything.")
    at: ShownEnd = Field(description="When she said so; null: never.")
    version: str | None = Field(description="Of the text she agreed to.", examples=["2026-11"])
    text_hash: str | None = Field(description="SHA-256 of that text, in hex.")
    language: str | None = Field(description="In which she read it.", examples=["zh-Hant"])
    current: bool = Field(description="Whether that is the text the program has now, in one of its languages.")
    via: str | None = Field(description="Where she said so.", examples=["checkout"])
    source: str | None = Field(description="Who told us.", examples=["api:webshop"])


class PurposeShown(Shown):
    """What is asked for, as she is to read it."""

    purpose: str
    title: str = Field(description="In the caller's language.")
    text: str | None = Field(description="What she agrees to, in the caller's language, or in one the program has.")
    version: str | None
    text_hash: str | None = Field(description="Of this text; send it along when she agrees to it.")
    channels: list[str]


class ConsentsShown(Shown):
    """All that the program asks consent for, and what she said."""

    member_id: str
    purposes: list[PurposeShown] = Field(description="What can be asked for, in the order of the program.")
    consents: list[ConsentShown] = Field(
        description="By purpose and channel; also those that the program does not ask for any more."
    )


class ConsentTold(Told):
    """What she said."""

    granted: bool = Field(description="true: she agrees; false: she does not, or no longer.")
    purpose: Slug | None = Field(default=None, description="Left out, where she withdraws all there is.")
    channels: Channels | None = Field(
        default=None, description="Each is agreed to by itself. Left out, where she withdraws all of them."
    )
    version: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(
        default=None, description="Of the text she read; the program's if left out."
    )
    language: Annotated[str, Field(min_length=1, max_length=35)] | None = Field(
        default=None, description="In which she read it; the program's first if left out.", examples=["zh-Hant"]
    )
    text_hash: Hash | None = Field(
        default=None, description="SHA-256 of the text she read, in hex; of the program's if left out."
    )
    via: contract.Id | None = Field(default=None, description="Where she said so.", examples=["checkout"])
    said_at: Moment | None = Field(default=None, description="When she said so; now if left out.")
    by: By = Field(default="member")


class ConsentRecorded(Settlement):
    """What she said, as it is kept."""


class ConsentSaid(Shown):
    """Something she once said. Nothing of this is ever changed."""

    activity: str = Field(examples=["act_1042"])
    granted: bool
    at: ShownMoment
    purpose: str | None = Field(description="null: all there were.")
    channels: list[str] | None = Field(description="null: all there were.")
    version: str | None
    text_hash: str | None
    language: str | None
    via: str | None
    by: str | None
    source: str


class _Before(Struct, array_like=True):
    """Where a page of the history ended."""

    seq: int


@router.get("/members/{member_id}/consents", responses=documented("member_unknown", "no_program"))
async def get_consents(member_id: MemberId, call: Annotated[Call, reading("members:read")]) -> ConsentsShown:
    """What the program asks consent for, with the texts, and what the member said of each purpose and channel.

    Nothing is granted by itself: whoever was never asked is `unasked`, and is not to be told.
    """
    member = await known_member(call, member_id)
    turn = present(await call.shop.editions(), member, now())
    program, consents = turn.program.document, turn.member.consents
    declared = {purpose.id: purpose for purpose in program.profile.purposes}
    names = [(purpose.id, channel) for purpose in declared.values() for channel in purpose.channels]
    for name in consents:
        purpose, _, channel = name.partition(".")
        if (purpose, channel) not in names:
            names.append((purpose, channel))
    words = writer(program, call.locale)
    return ConsentsShown(
        member_id=member_id,
        purposes=[_purpose(purpose, words) for purpose in declared.values()],
        consents=[_consent(of, channel, declared.get(of), consents.get(f"{of}.{channel}")) for of, channel in names],
    )


def _purpose(purpose: Purpose, words: Writer) -> PurposeShown:
    text = told(purpose.text, words.locale)
    return PurposeShown(
        purpose=purpose.id,
        title=words.name([purpose], purpose.id),
        text=text,
        version=purpose.version,
        text_hash=hash_of(text, words.locale),
        channels=purpose.channels,
    )


def _consent(purpose: str, channel: str, declared: Purpose | None, said: Consent | None) -> ConsentShown:
    known = said or Consent(False, NEVER)
    texts = hashes_of(None if declared is None else declared.text)
    return ConsentShown(
        purpose=purpose,
        channel=channel,
        state="unasked" if said is None else "granted" if said.granted else "withdrawn",
        at=known.at,
        version=known.version or None,
        text_hash=known.text_hash or None,
        language=known.language or None,
        current=known.text_hash in texts,
        via=known.via or None,
        source=known.source or None,
    )


@router.post(
    "/members/{member_id}/consents",
    responses=documented(
        "member_unknown", refusals=["member_erased", "consent_unknown", "consent_channel_unknown"], writing=True
    ),
)
async def record_consent(
    member_id: MemberId, said: ConsentTold, call: Annotated[Call, writing("members:write")]
) -> ConsentRecorded:
    """Record that a member agreed to something, or withdrew it.

    What she says is kept for ever, with the text it was about, until she is erased. What she said last, by `said_at`,
    holds.
    """
    payload: dict[str, Any] = said.model_dump(exclude_none=True, exclude={"granted", "said_at"})
    await call.whose(known_id(call, member_id))
    type_ = of.CONSENT_GRANTED if said.granted else of.CONSENT_WITHDRAWN
    answer = await call.settle(type_, member_id, payload=payload, occurred_at=said.said_at)
    return await settlement(call, answer, ConsentRecorded)


@router.get("/members/{member_id}/consents/history", responses=documented("member_unknown"))
async def list_consent_history(
    member_id: MemberId,
    call: Annotated[Call, reading("members:read")],
    cursor: Annotated[
        str | None, Query(max_length=cursors.MOST_CHARACTERS, description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[ConsentSaid]:
    """Everything a member ever said of consents, the latest told first."""
    await known_member(call, member_id)
    before = None if cursor is None else cursors.read(cursor, _Before, call).seq
    async with call.shop.reading() as connection:
        found = await consents_said(connection, member_id, before=before, most=limit + 1)
    items = found[:limit]
    return Page(
        items=[one for _, one in items if one is not None],
        next=cursors.written(_Before(items[-1][0])) if len(found) > limit else None,
    )


async def consents_said(
    connection: Connection, member_id: str, *, before: int | None, most: int
) -> list[tuple[int, ConsentSaid | None]]:
    """What she said, the latest told first, each with its place (``seq``) among her activities; None: refused."""
    found = await activities.of_types(connection, member_id, _TYPES, before=before, most=most)
    return [(recorded.seq, None if recorded.answer.code is not None else _said(recorded)) for recorded in found]


def _said(recorded: Recorded) -> ConsentSaid:
    activity = recorded.activity
    payload = activity.payload or {}
    kept: dict[str, Any] = activities.body_of(recorded).get("consent", {})
    return ConsentSaid(
        activity=f"act_{recorded.id}",
        granted=activity.type == of.CONSENT_GRANTED,
        at=activity.occurred_at,
        purpose=payload.get("purpose"),
        channels=payload.get("channels"),
        version=kept.get("version") or payload.get("version"),
        text_hash=kept.get("text_hash") or payload.get("text_hash"),
        language=payload.get("language"),
        via=payload.get("via"),
        by=payload.get("by"),
        source=activity.source,
    )
