"""Shapes of statements (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NotRequired, TypedDict

from shuke.client.shapes.shared import ActivityShown, EntryShown, OrderShown


class AssetStatement(TypedDict):
    """One asset at the beginning and at the end of a statement. All its lines together are the difference."""

    asset: str
    # In the caller's language.
    title: str
    # Decimals: an amount of 12345 at scale 2 reads 123.45.
    scale: int
    opening: SumsShown
    closing: SumsShown


class CameOf(TypedDict):
    """Something that came of what happened."""

    # entry: value moved. tier: a tier changed.
    kind: str
    at: str | datetime
    # What, and why, in the caller's language.
    sentence: str
    # The entry, to be explained.
    entry: str | None


class EntryExplained(TypedDict):
    """An entry with all that led to it."""

    entry: str
    # What caused it.
    activity: str
    occurred_at: str | datetime
    asset: str
    kind: str
    # What moved, the asset's smallest units.
    amount: int
    # What that made of what she can spend.
    change: int
    # What that made of all she has, with what is pending or held, less what she owes.
    balance_change: int
    # The account that gave.
    debit: str
    # The account that received.
    credit: str
    # Which of her lots of the asset.
    lot: int | None
    rule: str | None
    order_id: str | None
    # Of the program that decided it.
    version: int
    # Why, in the caller's language.
    sentence: str
    # What people call the account.
    debit_name: str
    credit_name: str
    numbers: list[NumberShown]
    # The same numbers, for machines.
    why: dict[str, Any]
    # null: nobody's rule; somebody did it.
    rests_on: RestsOn | None
    lot_dates: ShukeWebApiStatementsLotShown | None
    # The activity that caused it, as it was told.
    told: ActivityShown


class HappenedShown(TypedDict):
    """Something that happened to a member."""

    activity: str
    type: str
    # When it happened.
    at: str
    # When we heard of it.
    recorded_at: str
    # Who told it.
    source: str
    # What happened, in the caller's language.
    sentence: str
    # Why it was refused, in the caller's language; null: it was not.
    refused: str | None
    # In the order in which it came.
    came_of_it: list[CameOf]


class NumberShown(TypedDict):
    """A number that went into an entry."""

    name: str
    # As people read it.
    value: str


class PageActivityShown(TypedDict):
    """As told."""

    items: list[ActivityShown]
    next: NotRequired[str | None]


class PageEntryShown(TypedDict):
    """As told."""

    items: list[EntryShown]
    next: NotRequired[str | None]


class PageHappenedShown(TypedDict):
    """As told."""

    items: list[HappenedShown]
    next: NotRequired[str | None]


class PageOrderShown(TypedDict):
    """As told."""

    items: list[OrderShown]
    next: NotRequired[str | None]


class RestsOn(TypedDict):
    """The words of the program that an entry rests on: a rule, ladder, benefit, offer, or an asset's own dates."""

    version: int
    # As the program document has it; numbers are text, and exact.
    chapter: dict[str, Any]
    # The same as YAML.
    text: str


class StatementShown(TypedDict):
    """What moved for a member in a span of time, by the times at which it happened."""

    member_id: str
    since: str
    until: str
    assets: list[AssetStatement]
    # In the order of their times.
    lines: list[EntryShown]
    # Pass as `cursor` for further lines; null: these were the last.
    next: str | None


class SumsShown(TypedDict):
    """What her accounts of an asset came to, in its smallest units."""

    available: int
    pending: int
    held: int
    # What she owes.
    debt: int


class ShukeWebApiStatementsLotShown(TypedDict):
    """The lot it went into or came from."""

    lot: int
    opened_at: str
    # null: it could be spent at once.
    ripens_at: str | None
    # null: never
    expires_at: str | None
