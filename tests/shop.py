"""A coffee shop to test with: its program, what its customers do, and its books.

``Ledger`` settles in memory, as replay does; ``open_shop`` opens the same shop over real books.
Amounts of money are in cents, of points in whole points.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, LiteralString

from msgspec.structs import replace

from shuke.books import programs, verify
from shuke.books.connect import pool
from shuke.books.identity import follow
from shuke.books.verify import Finding
from shuke.engine.activity import (
    ASSET_ADJUSTED,
    ASSET_SPENT,
    MERGED,
    ORDER_PAID,
    RESTORED,
    TIME_PASSED,
    UNMERGED,
    Activity,
    Line,
    Purchase,
)
from shuke.engine.activity import (
    ERASED as ERASING,
)
from shuke.engine.adoption import find, orders_asked
from shuke.engine.codes import quotas_of_codes
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Entry, Settled
from shuke.engine.member import ERASED, Member
from shuke.engine.merging import other_of
from shuke.engine.needs import needs
from shuke.engine.orders import Order
from shuke.engine.step import step
from shuke.engine.turn import Code, Context
from shuke.program.document import read
from shuke.runtime.settle import Answer, Pool, Settler
from shuke.values.instants import Instant, parse_instant

ZONE = "Asia/Taipei"

COFFEE = """
id: coffee
currency: USD
zone: Asia/Taipei
assets:
  - {id: points, validity: {after: 12 months}, transfer: {minimum: 1}}
earning:
  - {id: base, asset: points, give: {per: {amount: 1, points: 1}}}
"""
"""One point for every dollar, good for a year, and members may give points to each other."""


def at(text: str, *, zone: str = ZONE) -> Instant:
    """The instant of a local time: ``2026-05-01`` or ``2026-05-01T09:30``."""
    return parse_instant(text if "T" in text else f"{text}T00:00", zone=zone)


NOON = at("2026-05-01T12:00")


def told(type_: str, member: str, *, key: str, when: Instant = NOON, source: str = "test", **payload: Any) -> Activity:
    """An activity with this payload."""
    return Activity(type_, member, when, source, key, payload)


def order(
    member: str,
    order_id: str,
    *amounts: int | Line,
    when: Instant = NOON,
    key: str | None = None,
    **more: Any,
) -> Activity:
    """An order of these lines (cents), paid. Its key is its id unless told otherwise."""
    lines = [amount if isinstance(amount, Line) else Line(amount) for amount in amounts]
    return Activity(ORDER_PAID, member, when, "test", key or order_id, None, Purchase(order_id, lines, **more))


def given(member: str, amount: int, *, key: str, when: Instant = NOON, asset: str = "points") -> Activity:
    """Points given (or taken, if negative) by hand."""
    return told(ASSET_ADJUSTED, member, key=key, when=when, asset=asset, amount=amount, reason="test")


def spent(member: str, amount: int, *, key: str, when: Instant = NOON, asset: str = "points") -> Activity:
    """Points spent for something that is no order."""
    return told(ASSET_SPENT, member, key=key, when=when, asset=asset, amount=amount)


def passed(member: str, when: Instant, *, key: str | None = None) -> Activity:
    """Time passed until ``when``."""
    return Activity(TIME_PASSED, member, when, "clock", key or f"{member}@{when}")


def edition(text: str, *, version: int = 1, effective_from: Instant = 0) -> Compiled:
    return Compiled(read(text), version=version, effective_from=effective_from)


class Ledger:
    """The shop in memory: members, their orders, what is taken of shared quotas, codes, and every entry so far."""

    def __init__(self, *editions: Compiled) -> None:
        self.editions = Editions(editions or [edition(COFFEE)])
        self.members: dict[str, Member] = {}
        self.orders: dict[tuple[str, str], Order] = {}
        self.taken: dict[str, int] = {}
        self.entries: dict[str, list[Entry]] = {}
        self.identities: dict[tuple[str, str], str] = {}
        self.codes: dict[str, Code] = {}

    def settle(self, activity: Activity) -> Settled:
        """Settle one activity, and behind it what it sends to other members."""
        id_ = activity.member_id
        member = self.members.get(id_) or Member(id_, 0)
        if self.settled_with(activity) != id_:
            member = self.whole(id_)
            activity, id_ = replace(activity, member_id=member.id, told_for=id_), member.id
        need = needs(self.editions, activity)
        orders = self._orders(member, activity, orders_asked(member, activity, need.orders))
        codes = {code: self.codes[code] for code in need.codes if code in self.codes}
        quotas = [*need.quotas, *quotas_of_codes(self.editions.at(activity.occurred_at), activity, codes)]
        taken = {quota: self.taken.get(quota, 0) for quota in quotas}
        owners = {one.place: self.identities.get((one.kind, one.value), id_) for one in need.identities}
        erased = [other for other in need.members if other in self.members and self.members[other].status == ERASED]
        others = {
            other: other_of(self.members.get(other) or Member(other, 0), kept=activity.type == UNMERGED)
            for other in need.members
            if activity.type in (MERGED, UNMERGED)
        }
        settled = step(self.editions, member, activity, Context(orders, taken, codes, owners, erased, others=others))
        self.members[id_] = settled.member
        follow(self.identities, settled.effects.identities, id_)
        for change in settled.effects.coupons:
            if change.code is not None:
                self.codes.setdefault(change.code, Code(change.template, "elsewhere"))
        for opened in settled.effects.codes:
            self.codes[opened.code] = Code(self.codes[opened.code].template, "taken")
        for claim in settled.effects.claims:
            self.taken[claim.quota] = self.taken.get(claim.quota, 0) + claim.amount
        self.entries.setdefault(id_, []).extend(settled.effects.entries)
        for order_id, changed in settled.effects.orders.items():
            self.orders[id_, order_id] = changed
        for inbox in settled.effects.activities:
            self.settle(inbox)
        return settled

    def whole(self, id_: str) -> Member:
        """Who goes by this id: of one who was merged, whom she went into."""
        member = self.members[id_]
        return member if member.merged is None else self.whole(member.merged.into)

    def settled_with(self, activity: Activity) -> str:
        """With whom the activity is settled."""
        own = activity.type in (MERGED, RESTORED) or (activity.type == ERASING and activity.source[:6] == "shuke:")
        return (
            activity.member_id if own or activity.member_id not in self.members else self.whole(activity.member_id).id
        )

    def order(self, id_: str, order_id: str) -> Order:
        """The order as it stands with who goes by this id now."""
        asked = Activity("", self.whole(id_).id, 0, "", "", told_for=id_)
        return find(self.whole(id_), asked, order_id, self.orders, self.editions)[0] or self.orders[id_, order_id]

    def _orders(self, member: Member, activity: Activity, asked: list[str]) -> dict[str, Order]:
        found = {id_: find(member, activity, id_, self.orders, self.editions)[0] for id_ in asked}
        return {id_: order for id_, order in found.items() if order is not None}

    def all(self, *activities: Activity) -> Settled:
        """Settle several, none of which may be refused; returns the last."""
        for activity in activities:
            settled = self.settle(activity)
            assert settled.refused is None, (activity, settled.refused)
        return settled

    def balance(self, member: str, asset: str = "points") -> int:
        purse = self.members[member].purses.get(asset)
        return 0 if purse is None else purse.available


class Shop:
    """The shop over real books."""

    def __init__(self, connections: Pool) -> None:
        self.connections = connections
        self.settler = Settler(connections)

    async def publish(self, text: str, *, when: Instant = 1, effective_from: Instant | None = None) -> None:
        async with self.connections.connection() as connection:
            await programs.publish(connection, read(text), text=text, at=when, effective_from=effective_from)

    async def settle(self, *activities: Activity) -> list[Answer]:
        return await self.settler.settle(activities)

    async def rows(self, query: LiteralString, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        async with self.connections.connection() as connection:
            cursor = await connection.execute(query, arguments)
            return await cursor.fetchall() if cursor.description else []

    async def available(self, member: str, asset: str = "points") -> int:
        """What the member's column says; the books are proved by ``findings``."""
        rows = await self.rows("select balances -> %s from member where member_id = %s", (asset, member))
        return int(rows[0][0] or 0) if rows else 0

    async def findings(self, *, after: LiteralString | None = None) -> list[Finding]:
        """What ``verify`` finds wrong in the books, or would if somebody ran the statement ``after`` which."""
        async with self.connections.connection() as connection, connection.transaction(force_rollback=True):
            editions = await Settler(self.connections).editions(connection)
            if after is not None:
                await connection.execute(after)
            return [finding async for finding in verify.verify(connection, editions)]


@asynccontextmanager
async def open_shop(url: str, *, tenant: str, program: str | None = COFFEE, most: int = 8) -> AsyncIterator[Shop]:
    """The shop over the tenant's books; publishes ``program`` unless it is None."""
    async with pool(url, tenant=tenant, size_max=most) as connections:
        shop = Shop(connections)
        if program is not None:
            await shop.publish(program)
        yield shop
