"""What moved for a member, and why: entries, each with all that led to it; statements; her activities and orders."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from msgspec import Meta, Struct
from pydantic import Field

from shuke.books import activities, orders, statements
from shuke.books.statements import Line, LotDates, Sums
from shuke.engine.causes import available_change, numbers_of, program_of, rests_on, sentence_of
from shuke.engine.compiled import Editions
from shuke.engine.effects import change_of
from shuke.engine.explain import account_name
from shuke.engine.member import is_herself
from shuke.engine.sentences import told
from shuke.runtime.clock import now
from shuke.web.api import cursors
from shuke.web.api.activities import ActivityShown, activity_shown
from shuke.web.api.balances import known_member
from shuke.web.api.callers import Call, reading
from shuke.web.api.contract import MemberId, Moment, Page, Shown, ShownEnd, ShownMoment, Slug
from shuke.web.api.orders import OrderShown, order_shown
from shuke.web.api.problems import Problem, documented, wrong_field
from shuke.web.api.routes import doors

router = doors("Statements")

Cursor = Annotated[str | None, Query(max_length=cursors.MOST_CHARACTERS, description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]


class EntryShown(Shown):
    """A line of the books: value that moved from one account to another. It never changes."""

    entry: str = Field(examples=["ent_1042_0"])
    activity: str = Field(description="What caused it.", examples=["act_1042"])
    occurred_at: ShownMoment
    asset: str = Field(examples=["points"])
    kind: str = Field(examples=["earn"])
    amount: int = Field(description="What moved, the asset's smallest units.", examples=[20])
    change: int = Field(description="What that made of what she can spend.", examples=[20])
    balance_change: int = Field(
        description="What that made of all she has, with what is pending or held, less what she owes.", examples=[20]
    )
    debit: str = Field(description="The account that gave.", examples=["issued"])
    credit: str = Field(description="The account that received.", examples=["available"])
    lot: int | None = Field(description="Which of her lots of the asset.")
    rule: str | None = Field(examples=["base"])
    order_id: str | None
    version: int = Field(description="Of the program that decided it.")
    sentence: str = Field(
        description="Why, in the caller's language.", examples=["Earned 20 points for order o-1: 1 point per 1.00 …"]
    )


class NumberShown(Shown):
    """A number that went into an entry."""

    name: str = Field(examples=["basis"])
    value: str = Field(description="As people read it.", examples=["20.00"])


class RestsOn(Shown):
    """The words of the program that an entry rests on: a rule, ladder, benefit, offer, or an asset's own dates."""

    version: int
    chapter: dict[str, Any] = Field(description="As the program document has it; numbers are text, and exact.")
    text: str = Field(description="The same as YAML.")


class LotShown(Shown):
    """The lot it went into or came from."""

    lot: int
    opened_at: ShownMoment
    ripens_at: ShownMoment | None = Field(description="null: it could be spent at once.")
    expires_at: ShownEnd


class EntryExplained(EntryShown):
    """An entry with all that led to it."""

    debit_name: str = Field(description="What people call the account.", examples=["issued"])
    credit_name: str
    numbers: list[NumberShown]
    why: dict[str, Any] = Field(description="The same numbers, for machines.")
    rests_on: RestsOn | None = Field(description="null: nobody's rule; somebody did it.")
    lot_dates: LotShown | None
    told: ActivityShown = Field(description="The activity that caused it, as it was told.")


class SumsShown(Shown):
    """What her accounts of an asset came to, in its smallest units."""

    available: int
    pending: int
    held: int
    debt: int = Field(description="What she owes.")


class AssetStatement(Shown):
    """One asset at the beginning and at the end of a statement. All its lines together are the difference."""

    asset: str
    title: str = Field(description="In the caller's language.")
    scale: int = Field(description="Decimals: an amount of 12345 at scale 2 reads 123.45.")
    opening: SumsShown
    closing: SumsShown


class StatementShown(Shown):
    """What moved for a member in a span of time, by the times at which it happened."""

    member_id: str
    since: ShownMoment
    until: ShownMoment
    assets: list[AssetStatement]
    lines: list[EntryShown] = Field(description="In the order of their times.")
    next: str | None = Field(description="Pass as `cursor` for further lines; null: these were the last.")


def entry_shown(line: Line, editions: Editions, call: Call) -> EntryShown:
    return EntryShown(**_entry(line, editions, call))


def _entry(line: Line, editions: Editions, call: Call) -> dict[str, Any]:
    entry = line.entry
    return {
        "entry": f"ent_{line.activity_id}_{line.no}",
        "activity": f"act_{line.activity_id}",
        "occurred_at": entry.occurred_at,
        "asset": entry.asset,
        "kind": entry.kind,
        "amount": entry.amount,
        "change": available_change(entry),
        "balance_change": change_of(entry),
        "debit": entry.debit,
        "credit": entry.credit,
        "lot": entry.lot or None,
        "rule": entry.rule,
        "order_id": entry.order_id,
        "version": entry.version,
        "sentence": sentence_of(entry, editions, call.locale),
    }


Under = Annotated[MemberId | None, Query(description="What was settled under this id, before it was merged into hers.")]


async def _under(call: Call, member_id: str, under: str | None) -> str:
    """Whose log is asked for: hers, or that of one who was merged into her. Refused: ``member_unknown``."""
    member = await known_member(call, member_id)
    if under is None:
        return member.id
    if not is_herself(member, under):
        raise Problem("member_unknown", member_id=under)
    return under


# -- Entries ----------------------------------------------------------------------------------------------


_Count = Annotated[int, Meta(ge=0, lt=2**62)]
_Small = Annotated[int, Meta(ge=0, lt=2**15)]


class _Behind(Struct, array_like=True):
    """The entry a page of entries goes on behind."""

    seq: _Count
    no: _Small


class _After(Struct, array_like=True):
    """The line a statement goes on behind, and the end it had."""

    until: _Count
    occurred_at: _Count
    seq: _Count
    no: _Small


@router.get("/members/{member_id}/entries", responses=documented("member_unknown", "no_program"))
async def list_entries(
    member_id: MemberId,
    call: Annotated[Call, reading("members:read")],
    under: Under = None,
    asset: Annotated[Slug | None, Query(description="Of this asset alone.")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[EntryShown]:
    """What moved for a member, the latest settled first, with the reason in a sentence."""
    id_ = await _under(call, member_id, under)
    behind = None if cursor is None else cursors.read(cursor, _Behind, call)
    place = None if behind is None else (behind.seq, behind.no)
    async with call.shop.reading() as connection:
        found = await statements.entries_behind(connection, id_, behind=place, asset=asset, most=limit + 1)
    editions = await call.shop.editions()
    items = found[:limit]
    return Page(
        items=[entry_shown(line, editions, call) for line in items],
        next=cursors.written(_Behind(items[-1].seq, items[-1].no)) if len(found) > limit else None,
    )


@router.get(
    "/members/{member_id}/entries/{entry_id}", responses=documented("member_unknown", "not_found", "no_program")
)
async def explain_entry(
    member_id: MemberId,
    entry_id: Annotated[str, Path(pattern=r"^ent_[1-9][0-9]{0,17}_(0|[1-9][0-9]{0,3})$", examples=["ent_1042_0"])],
    call: Annotated[Call, reading("members:read")],
    under: Under = None,
) -> EntryExplained:
    """Why an entry is there: the sentence, the numbers that went in, the rule as it read then, and the activity
    behind it."""
    id_ = await _under(call, member_id, under)
    activity_id, no = map(int, entry_id.removeprefix("ent_").split("_"))
    async with call.shop.reading() as connection:
        line = await statements.entry_of_activity(connection, id_, activity_id, no)
        cause = await activities.by_id(connection, activity_id)
        dates = None
        if line is not None and line.entry.lot:
            asset, lot = line.entry.asset, line.entry.lot
            dates = await statements.lot_dates(connection, id_, asset=asset, lot=lot)
    if line is None or cause is None:
        raise Problem("not_found")
    editions, entry = await call.shop.editions(), line.entry
    program, said = program_of(editions, entry.version), rests_on(entry, editions)
    return EntryExplained(
        **_entry(line, editions, call),
        debit_name=account_name(entry.debit, program, call.locale),
        credit_name=account_name(entry.credit, program, call.locale),
        numbers=[NumberShown(name=name, value=value) for name, value in numbers_of(entry, program, call.locale)],
        why=entry.why or {},
        rests_on=None if said is None else RestsOn(version=said.version, chapter=said.data(), text=said.text),
        lot_dates=None if dates is None else _lot(entry.lot, dates),
        told=activity_shown(cause, program, call),
    )


def _lot(no: int, dates: LotDates) -> LotShown:
    return LotShown(lot=no, opened_at=dates.opened_at, ripens_at=dates.ripens_at or None, expires_at=dates.expires_at)


# -- Statements -------------------------------------------------------------------------------------------


@router.get("/members/{member_id}/statement", responses=documented("member_unknown", "no_program"))
async def get_statement(
    member_id: MemberId,
    call: Annotated[Call, reading("members:read")],
    under: Under = None,
    since: Annotated[
        Moment | None, Query(alias="from", description="From then on; from the beginning if left out.")
    ] = None,
    until: Annotated[Moment | None, Query(alias="to", description="Until before then; until now if left out.")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> StatementShown:
    """A statement of a span of time: what she had, what moved and why, what she had at its end.

    It goes by the times at which things happened, so what is told late is in the statement of its own time. Further
    lines come with `next`; opening and closing are of the whole span on every page.
    """
    id_ = await _under(call, member_id, under)
    start, end = since or 0, until if until is not None else now()
    behind = None
    if cursor is not None:
        after = cursors.read(cursor, _After, call)
        behind = after.occurred_at, after.seq, after.no
        end = after.until if until is None else end
    if end < start:
        raise Problem("invalid_request", errors=[wrong_field("?to", "ends_before_it_begins", {}, call.locale)])
    async with call.shop.snapshot() as connection:
        opening = await statements.sums_before(connection, id_, start)
        closing = await statements.sums_before(connection, id_, end)
        found = await statements.entries_between(connection, id_, start, end, behind=behind, most=limit + 1)
    editions = await call.shop.editions()
    lines = found[:limit]
    following = None
    if len(found) > limit:
        last = lines[-1]
        following = cursors.written(_After(end, last.entry.occurred_at, last.seq, last.no))
    return StatementShown(
        member_id=id_,
        since=start,
        until=end,
        assets=[_asset(asset, opening, closing, editions, call) for asset in _in_order(closing, editions)],
        lines=[entry_shown(line, editions, call) for line in lines],
        next=following,
    )


def _in_order(closing: dict[str, Sums], editions: Editions) -> list[str]:
    """The assets there is something to say of: in the order of the program, then those it has no more."""
    declared = [asset.id for asset in editions.at(now()).document.assets]
    return [*(asset for asset in declared if asset in closing), *sorted(closing.keys() - set(declared))]


def _asset(
    asset_id: str, opening: dict[str, Sums], closing: dict[str, Sums], editions: Editions, call: Call
) -> AssetStatement:
    found = (asset for edition in reversed(editions.compiled) for asset in edition.document.assets)
    asset = next(asset for asset in found if asset.id == asset_id)
    return AssetStatement(
        asset=asset_id,
        title=told(asset.title, call.locale) or asset_id,
        scale=asset.scale,
        opening=_sums(opening.get(asset_id, Sums())),
        closing=_sums(closing[asset_id]),
    )


def _sums(sums: Sums) -> SumsShown:
    return SumsShown(available=sums.available, pending=sums.pending, held=sums.held, debt=sums.debt)


# -- Activities and orders --------------------------------------------------------------------------------


class _Before(Struct, array_like=True):
    """The activity a page goes on behind."""

    seq: _Count


@router.get("/members/{member_id}/activities", responses=documented("member_unknown", "no_program"))
async def list_activities(
    member_id: MemberId,
    call: Annotated[Call, reading("activities:read")],
    under: Under = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[ActivityShown]:
    """All that was told of a member, the latest settled first, also what was refused."""
    id_ = await _under(call, member_id, under)
    before = None if cursor is None else cursors.read(cursor, _Before, call).seq
    async with call.shop.reading() as connection:
        found = await activities.of_member(connection, id_, before=before, most=limit + 1)
    program = await call.shop.program()
    items = found[:limit]
    return Page(
        items=[activity_shown(recorded, program, call) for recorded in items],
        next=cursors.written(_Before(items[-1].seq)) if len(found) > limit else None,
    )


@router.get("/members/{member_id}/orders", responses=documented("member_unknown"))
async def list_orders(
    member_id: MemberId,
    call: Annotated[Call, reading("orders:read")],
    under: Under = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[OrderShown]:
    """A member's orders, the latest settled first. Those of who was merged into her are listed under the old id."""
    id_ = await _under(call, member_id, under)
    whole = (await known_member(call, member_id)).id
    before = None if cursor is None else cursors.read(cursor, _Before, call).seq
    async with call.shop.reading() as connection:
        found = await orders.of_member(connection, id_, before=before, most=limit + 1, now_of=whole)
    items = found[:limit]
    return Page(
        items=[order_shown(whole, order) for _, order in items],
        next=cursors.written(_Before(items[-1][0])) if len(found) > limit else None,
    )
