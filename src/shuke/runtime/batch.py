"""One batch on its way through a transaction.

    lock members → load contexts → step, in order → what is to be written, and what is answered

Nothing here decides when to begin, when to commit or what to do about an error: that is settling (``settle.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import copy
from typing import Any, Final

from msgspec import Raw, Struct, json
from msgspec.structs import replace

from shuke.books import codes, commit, identity, load
from shuke.books.load import Bounds, Connection, Known
from shuke.books.postings import After, Batch, Outside, Posting, after
from shuke.books.requests import DOOR
from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.adoption import find as find_order
from shuke.engine.adoption import orders_asked
from shuke.engine.codes import quotas_of_codes
from shuke.engine.compiled import Editions
from shuke.engine.effects import Claimed, Effects, Refused, Settled
from shuke.engine.identity import terms_in
from shuke.engine.member import ERASED
from shuke.engine.merging import other_of
from shuke.engine.needs import Needs, needs
from shuke.engine.orders import Order, pack_order
from shuke.engine.step import step
from shuke.engine.turn import Code
from shuke.runtime.catalogue import topics_meant
from shuke.runtime.clock import now
from shuke.runtime.events import Step, before, events_of, is_news
from shuke.runtime.goods import View
from shuke.values.ids import digest
from shuke.values.instants import Instant

_encode = json.Encoder().encode


class Answer(Struct, omit_defaults=True):
    """What became of one activity.

    ``status``: settled | refused | failed. ``repeated`` says the same activity was settled before and this
    is its first answer. ``code`` and ``facts`` belong to a refusal; ``body`` is the JSON the engine answered.
    ``id``, ``member_id`` and ``occurred_at`` are those of the activity as it was first settled, and ``after`` is how
    the member stood then: only where a request told the activity.
    """

    status: str
    seq: int = 0
    code: str | None = None
    facts: dict[str, Any] = {}
    body: Raw = Raw(b"{}")
    repeated: bool = False
    id: int = 0
    member_id: str = ""
    occurred_at: Instant = 0
    after: After | None = None


class _Stored(Struct, omit_defaults=True):
    """The answer as the activity's row keeps it."""

    code: str | None = None
    facts: dict[str, Any] = {}
    body: Raw = Raw(b"{}")
    after: After | None = None


class EngineFailed(Exception):
    def __init__(self, position: int) -> None:
        self.position = position
        super().__init__(f"activity {position} of the batch")


class MustLock(Exception):
    """A step needs shared quotas, or reaches members (merged ones lead to another), that its activity alone did not
    name."""

    def __init__(self, quotas: Iterable[str] = (), *, members: Iterable[str] = ()) -> None:
        self.quotas, self.members = set(quotas), set(members)
        super().__init__(", ".join(sorted(self.quotas | self.members)))


_HERSELF: Final = frozenset((of.MERGED, of.RESTORED))
"""What is told of nobody but the one named, also where she is merged."""


class Taken(Exception):
    """Somebody else was called so since it was looked up whose an activity is, by what came with it."""


class Work:
    """One batch on its way through a transaction."""

    def __init__(
        self,
        connection: Connection,
        editions: Editions,
        activities: Sequence[Activity],
        failed: dict[int, Answer],
        requests: Sequence[bytes | None],
        bounds: Bounds,
        *,
        announce: bool,
    ) -> None:
        self.connection = connection
        self.bounds = bounds
        self.editions = editions
        self.activities = activities
        self.batch = Batch()
        self.known: dict[tuple[str, str], Known] = {}
        self.taken: frozenset[tuple[str, str]] = frozenset()  # keys of something that is no activity
        self.needs: list[Needs] = [needs(editions, activity) for activity in activities]
        self.results: dict[int, Answer] = dict(failed)
        self.posted: dict[int, Posting] = {}
        self.quotas = {quota for need in self.needs for quota in need.quotas}
        self.also: set[str] = set()  # members to lock beyond those that activities name
        self.kin: dict[str, set[str]] = {}  # member -> all who are, or were, one with her; who is alone is not here
        self.bodies = [commit.body_of(activity) for activity in activities]
        self.requests = requests or [None] * len(activities)
        self.announce = announce
        self.topics: frozenset[str] = frozenset()  # that somebody listens to
        self.catalog = 0  # its revision
        self.view: View | None = None  # of the catalog, where there is one

    async def lock(self) -> int:
        """Lock members, codes and quotas; returns the latest published version."""
        count = len(self.activities) + sum(len(need.members) for need in self.needs)
        keys = [(activity.source, activity.key) for activity in self.activities if activity.source.startswith(DOOR)]
        begun = await load.begin(self.connection, self.members(), activities=count, bounds=self.bounds, keys=keys)
        self.batch.members, self.batch.ids = begun.members, begun.ids
        self.catalog = begun.catalog
        self._find_kin()
        self.taken = begun.taken
        if self.taken:
            await self.look_up()  # what is a repeat all the same
        if self.announce and begun.listened:
            self.topics = topics_meant(begun.listened)
        await self._lock_codes()
        if self.quotas:
            self.batch.quotas = await load.lock_quotas(self.connection, self.quotas)
            self.batch.quotas_before = dict(self.batch.quotas)
        return begun.version

    def _find_kin(self) -> None:
        """See who of the locked is one with whom. Raises ``MustLock`` for those who must be locked too: whom a merged
        member went into, and where somebody is erased, whoever was merged into her."""
        missing: set[str] = set()
        erased = {activity.member_id for activity in self.activities if activity.type == of.ERASED}
        for id_, locked in self.batch.members.items():
            merged, absorbed = locked.member.merged, locked.member.absorbed
            if merged is not None:
                self._join(id_, merged.into)
                missing.add(merged.into)
            for entry in absorbed:
                self._join(id_, entry.member_id)
        for activity in self.activities:
            into = (activity.payload or {}).get("into") if activity.type == of.MERGED else None
            if isinstance(into, str):
                self._join(activity.member_id, into)
        for id_ in erased:
            missing |= self.kin.get(id_, set())
        missing -= self.batch.members.keys()
        if missing:
            raise MustLock(members=missing)

    def _join(self, one: str, other: str) -> None:
        together = self.kin.get(one, {one}) | self.kin.get(other, {other})
        for id_ in together:
            self.kin[id_] = together

    async def _lock_codes(self) -> None:
        """Lock the coupon codes asked for. Which quotas go with one is known when it is known what it opens."""
        asked = self.codes()
        if asked:
            self.batch.codes = await codes.lock(self.connection, asked)
            for activity, need in zip(self.activities, self.needs, strict=True):
                self.quotas.update(self._quotas(activity, need, self._codes(need.codes)))

    def members(self) -> set[str]:
        """Whom the activities are about, and whom they reach."""
        members = {activity.member_id for activity in self.activities} | self.also
        return members.union(*(need.members for need in self.needs))

    def codes(self) -> set[str]:
        return {code for need in self.needs for code in need.codes}

    def held_by(self, held: load.HeldRows) -> list[int]:
        """The positions of the activities that need any of these rows."""
        return [
            position
            for position, (activity, need) in enumerate(zip(self.activities, self.needs, strict=True))
            if not held.members.isdisjoint((activity.member_id, *need.members))
            or not held.codes.isdisjoint(need.codes)
            or not held.quotas.isdisjoint(self._quotas(activity, need, self._codes(need.codes)))
        ]

    async def look_up(self) -> None:
        keys = {(activity.source, activity.key) for activity in self.activities}
        self.known = await load.known_activities(self.connection, keys)

    async def load(self, *, orders_of_paid: bool) -> None:
        """Load the orders that refunds and the like are about; those of payments where a clash is likely."""
        wanted = {
            (activity.member_id, order_id)
            for activity, need in zip(self.activities, self.needs, strict=True)
            for order_id in need.orders
            if orders_of_paid or activity.purchase is None
        }
        if self.kin:
            wanted |= self._orders_of_kin()
        if wanted:
            self.batch.orders = await load.load_orders(self.connection, wanted)
            self.batch.known_orders = set(self.batch.orders)
        names = [(asked.kind, asked.value) for need in self.needs for asked in need.identities]
        if names:
            self.batch.identities = await identity.owners(self.connection, names)

    def _orders_of_kin(self) -> set[tuple[str, str]]:
        """The orders that activities name, by whichever of the members who are one; and those that go back."""
        wanted: set[tuple[str, str]] = set()
        for activity, need in zip(self.activities, self.needs, strict=True):
            order_ids = list(need.orders)
            for locked in self.batch.members.values() if activity.type == of.UNMERGED else ():
                order_ids += orders_asked(locked.member, activity, [])
            for id_ in self.kin.get(activity.member_id, ()):
                wanted.update((id_, order_id) for order_id in order_ids)
        return wanted

    def run(self) -> None:
        """Step through the batch in order; what goes to another member is settled right behind its cause."""
        recorded_at = now()
        first: dict[tuple[str, str], int] = {}
        for position, activity in enumerate(self.activities):
            if position in self.results:
                continue
            key = (activity.source, activity.key)
            known = self.known.get(key)
            if known is not None:
                erased = self.batch.members[activity.member_id].member.status == ERASED
                self.results[position] = _repeat(known, self._asked_again(position, known), erased=erased)
                continue
            if key in self.taken:
                self.results[position] = Answer("refused", code="key_reused")
                continue
            if key in first:
                self.results[position] = self._repeat_in_batch(first[key], position)
                continue
            first[key] = position
            try:
                self.results[position] = self._answer(position, recorded_at)
            except (MustLock, Taken):
                raise
            except Exception as error:
                raise EngineFailed(position) from error

    def _answer(self, position: int, recorded_at: Instant) -> Answer:
        """Settle what was asked for at this position. Its id is given when the batch is written."""
        told, at = self.activities[position], len(self.batch.postings)
        activity = self._where_she_went(told)
        body = self.bodies[position] if activity is told else commit.body_of(activity)
        stored = self._step(activity, self.needs[position], body, recorded_at, request=self.requests[position])
        posting = self.posted[position] = self.batch.postings[at]
        return _answer(stored, seq=posting.seq, member_id=posting.member_id, occurred_at=activity.occurred_at)

    def _where_she_went(self, activity: Activity) -> Activity:
        """The activity as it is settled: with whom its member was merged into, where she was."""
        id_ = activity.member_id
        while (merged := self.batch.members[id_].member.merged) is not None and activity.type not in _HERSELF:
            id_ = merged.into
            if id_ not in self.batch.members:
                raise MustLock(members=(id_,))
        return activity if id_ == activity.member_id else _told_for(activity, id_)

    def _step(
        self, activity: Activity, need: Needs, body: bytes, recorded_at: Instant, *, request: bytes | None = None
    ) -> _Stored:
        batch = self.batch
        locked = batch.members[activity.member_id]
        outside = self._outside(activity, need)
        own = self._orders(activity, orders_asked(locked.member, activity, need.orders), outside)
        context = outside.context(own)
        was = before(locked.member) if self.topics else None
        settled = step(self.editions, locked.member, activity, context)
        locked.member = settled.member
        settled.effects.wanted = [
            wanted
            for wanted in settled.effects.wanted
            if self.announce and is_news(wanted.at, activity, recorded_at=recorded_at)
        ]
        for order_id, order in settled.effects.orders.items():
            batch.orders[activity.member_id, order_id] = order
        self._claim(settled.effects.claims)
        self._remember_codes(settled.effects)
        outside = outside.with_claims(settled.effects.claims)
        identity.follow(batch.identities, settled.effects.identities, activity.member_id)
        if settled.member.status == ERASED and settled.refused is None:
            batch.erased.append(activity.member_id)
        events = [] if was is None else events_of(Step(activity, was, settled, self.editions, self.topics))
        stored = _stored(settled)
        if request is not None:
            stored.after = after(settled.member)
        batch.postings.append(
            Posting(
                locked.bucket,
                activity.member_id,
                settled.member.seq,
                activity,
                recorded_at,
                self.editions.newest,
                digest(body),
                body,
                _encode(stored),
                None if outside.is_empty else _encode(outside),
                settled.effects,
                request,
                [event for event in events if is_news(event.at, activity, recorded_at=recorded_at)],
            )
        )
        for inbox in settled.effects.activities:
            arrives = inbox if inbox.type == of.ERASED else self._where_she_went(inbox)
            self._step(arrives, needs(self.editions, arrives), commit.body_of(arrives), recorded_at)
        return stored

    def _outside(self, activity: Activity, need: Needs) -> Outside:
        """What the step is told of others, and by the catalog."""
        known = self._codes(need.codes)
        outside = Outside(self._taken(self._quotas(activity, need, known)), known)
        if need.members:
            members = self.batch.members
            outside.erased = [id_ for id_ in need.members if members[id_].member.status == ERASED]
            if activity.type in (of.MERGED, of.UNMERGED):
                kept = activity.type == of.UNMERGED
                outside.others = {id_: other_of(members[id_].member, kept=kept) for id_ in need.members}
        for asked in need.identities:
            owner = self.batch.identities.get((asked.kind, asked.value), activity.member_id)
            if owner != activity.member_id:
                if asked.place.startswith("#"):
                    if terms_in(self.editions.at(activity.occurred_at), asked.kind).shared:
                        continue
                    raise Taken
                outside.identities[asked.place] = owner
        if self.view is not None and need.lines:
            outside.catalog = self.view.of(need.lines)
        return outside

    def _orders(self, activity: Activity, order_ids: list[str], outside: Outside) -> dict[str, Order]:
        """The member's orders among these; what she takes over from who was merged into her is put ``outside``."""
        member, orders = self.batch.members[activity.member_id].member, self.batch.orders
        own: dict[str, Order] = {}
        for order_id in order_ids:
            order, taken_over = find_order(member, activity, order_id, orders, self.editions)
            if order is not None and taken_over:
                outside.orders[order_id] = pack_order(order)
            elif order is not None:
                own[order_id] = order
        return own

    def _codes(self, asked: list[str]) -> dict[str, Code]:
        known = self.batch.codes
        return {code: known[code] for code in asked if code in known} if asked else {}

    def _quotas(self, activity: Activity, need: Needs, known: dict[str, Code]) -> list[str]:
        if not known:
            return need.quotas
        return [*need.quotas, *quotas_of_codes(self.editions.at(activity.occurred_at), activity, known)]

    def _remember_codes(self, effects: Effects) -> None:
        """What the next activity of the batch is told of the codes that this one used, or brought along."""
        known = self.batch.codes
        for taken in effects.codes:
            known[taken.code] = Code(known[taken.code].template, "taken")
        for change in effects.coupons:
            if change.code is not None:
                known.setdefault(change.code, Code(change.template, "elsewhere"))

    def _taken(self, quotas: list[str]) -> dict[str, int]:
        if not quotas:
            return {}
        if any(quota not in self.batch.quotas for quota in quotas):
            raise MustLock(quotas)
        return {quota: self.batch.quotas[quota] for quota in quotas}

    def _claim(self, claims: list[Claimed]) -> None:
        """Count what the step took of shared quotas, or gave back."""
        if not claims:
            return
        if any(claim.quota not in self.batch.quotas for claim in claims):
            raise MustLock(claim.quota for claim in claims)
        for claim in claims:
            self.batch.quotas[claim.quota] += claim.amount

    def _repeat_in_batch(self, first: int, again: int) -> Answer:
        if self._asked(first) != self._asked(again):
            return Answer("refused", code="key_reused")
        answer = copy(self.results[first])
        answer.repeated = True
        if first in self.posted:
            self.posted[again] = self.posted[first]
        return answer

    def _asked_again(self, position: int, known: Known) -> bytes:
        """As ``_asked``, for what was settled before: maybe of whom its member was merged into then."""
        told = self.activities[position]
        if self.requests[position] or known.member_id == told.member_id:
            return self._asked(position)
        return digest(commit.body_of(_told_for(told, known.member_id)))

    def _asked(self, position: int) -> bytes:
        return self.requests[position] or digest(self.bodies[position])

    def answers(self) -> list[Answer]:
        for position, posting in self.posted.items():
            self.results[position].id = posting.id
        return [self.results[position] for position in range(len(self.activities))]


def _told_for(activity: Activity, member_id: str) -> Activity:
    return replace(activity, member_id=member_id, told_for=activity.member_id)


def _stored(settled: Settled) -> _Stored:
    refused: Refused | None = settled.refused
    body = Raw(_encode(settled.answer))
    return _Stored(body=body) if refused is None else _Stored(refused.code, refused.facts, body)


def _answer(stored: _Stored, *, seq: int, member_id: str, occurred_at: Instant) -> Answer:
    status = "settled" if stored.code is None else "refused"
    return Answer(
        status,
        seq,
        stored.code,
        stored.facts,
        stored.body,
        member_id=member_id,
        occurred_at=occurred_at,
        after=stored.after,
    )


def _repeat(known: Known, asked: bytes, *, erased: bool) -> Answer:
    """The first answer again, or a refusal if the key now comes with another body. Nobody can tell any more what an
    ``erased`` member's activity was."""
    if (known.request or known.digest) != asked:
        return Answer("refused", code="member_erased" if erased else "key_reused")
    stored = json.decode(known.answer, type=_Stored)
    answer = _answer(stored, seq=known.seq, member_id=known.member_id, occurred_at=known.occurred_at)
    answer.repeated = True
    answer.id = known.id
    return answer
