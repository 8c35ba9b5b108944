"""Quoting: what a quote needs is read in one round trip, without a lock and without a transaction; the engine decides.

Nothing is promised by a quote, so nothing needs to be held: between two quotes a coupon may be used up elsewhere.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from shuke.books import carts
from shuke.books.connect import reading
from shuke.books.postings import new_member
from shuke.engine import activity as of
from shuke.engine.activity import Activity, Purchase
from shuke.engine.cart import Quote
from shuke.engine.codes import quotas_of_codes
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.coupon_checks import Checked, check, question
from shuke.engine.effects import Refused
from shuke.engine.member import Member
from shuke.engine.needs import needs
from shuke.engine.quote import quote
from shuke.engine.turn import Context
from shuke.runtime.settle import Pool, Settler
from shuke.values.instants import Instant


class Quoted(Struct):
    """A quote, or why there is none, and the edition of the program it was made by."""

    quote: Quote | Refused
    edition: Compiled


class Quotes:
    """Quotes for one tenant. Editions are kept and read again when there is a newer one."""

    def __init__(self, pool: Pool, settler: Settler) -> None:
        self._pool = pool
        self._settler = settler
        self._editions: Editions | None = None

    async def of(self, cart: Purchase, *, member_id: str | None, at: Instant) -> Quoted:
        """Price ``cart`` for the member (None: a guest) as things stand at ``at``.

        Raises ``NotPublished``; ``psycopg.OperationalError`` if the database stays away.
        """
        activity = Activity(of.ORDER_PAID, member_id or "", at, "quote", cart.order_id, purchase=cart)
        things = await self._see(activity)
        member = None if member_id is None else things.member
        priced = quote(things.editions, member, cart, at=at, context=things.context)
        return Quoted(priced, things.editions.at(at))

    async def check(
        self,
        coupon: str,
        *,
        member_id: str,
        at: Instant,
        channel: str | None = None,
        store: str | None = None,
        cart: Purchase | None = None,
    ) -> tuple[Checked, Compiled]:
        """Whether a coupon (id or code) would work for the member as things stand at ``at``, and the edition of the
        program that says so. Raises as ``of``."""
        things = await self._see(question(member_id, coupon, at=at, cart=cart))
        checked = check(
            things.editions,
            things.member,
            coupon,
            at=at,
            channel=channel,
            store=store,
            cart=cart,
            context=things.context,
        )
        return checked, things.editions.at(at)

    async def _see(self, activity: Activity) -> _Things:
        """How things stand for an activity that is not told."""
        async with reading(self._pool) as connection:
            editions = self._editions or await self._settler.editions(connection)
            while True:
                need = needs(editions, activity)
                seen = await carts.see(connection, activity.member_id, quotas=need.quotas, asked=need.codes)
                if seen.member is not None and seen.member.merged is not None:
                    activity = replace(activity, member_id=seen.member.merged.into)
                    continue
                if seen.version == editions.newest:
                    break
                editions = await self._settler.editions(connection)
            self._editions = editions
            edition = editions.at(activity.occurred_at)
            more = [quota for quota in quotas_of_codes(edition, activity, seen.codes) if quota not in need.quotas]
            if more:
                also = await carts.see(connection, activity.member_id, quotas=more, asked=())
                seen.taken |= also.taken
            described = None
            if seen.catalog and need.lines:
                described = (await self._settler.goods.view(connection, seen.catalog, [need.lines])).of(need.lines)
        member = seen.member or new_member(activity.member_id)
        return _Things(editions, member, Context(taken=seen.taken, codes=seen.codes, catalog=described))


class _Things(NamedTuple):
    editions: Editions
    member: Member
    context: Context
