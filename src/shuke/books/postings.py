"""What one transaction writes: members as they are now and what each settled activity brought about."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from shuke.engine.activity import Activity
from shuke.engine.catalog import Catalogued
from shuke.engine.effects import Claimed, Effects
from shuke.engine.member import Member
from shuke.engine.orders import Order, unpack_order
from shuke.engine.turn import Code, Context, Other
from shuke.values.ids import bucket_of
from shuke.values.instants import Instant


class Fact(Struct):
    """What an event says of a settled activity. ``activity_id`` ("act_17") is filled in when the activity has its
    number; everything else stands in ``runtime.catalogue``."""

    activity_id: str


class Event(Struct):
    """Something that happened at ``at`` and leaves the house, because somebody asked to be told of its topic."""

    topic: str
    at: Instant
    fact: Fact


class Posting(Struct):
    """One settled activity. ``seq`` numbers the member's activities from 1; ``answer`` is JSON text.

    ``id`` numbers all activities of the books; it is given when the batch is written."""

    bucket: int
    member_id: str
    seq: int
    activity: Activity
    recorded_at: Instant
    version: int
    digest: bytes
    body: bytes
    answer: bytes
    context: bytes | None
    effects: Effects
    request: bytes | None = None  # digest of the request that told the activity
    events: list[Event] = []
    id: int = 0


class After(Struct):
    """How a member stands behind an activity: what is available of each asset, and her tier on each ladder."""

    balances: dict[str, int]
    tiers: dict[str, str]


class Locked(Struct):
    """A member under lock. ``fresh`` says the row was made in this transaction; ``profile`` is what its
    columns beside the state held, so that only changed ones are written."""

    member: Member
    bucket: int
    fresh: bool
    profile: tuple[Any, ...]


class Batch(Struct):
    """Everything one transaction makes true."""

    postings: list[Posting] = []
    ids: list[int] = []  # for activities, ascending; taken behind the members' locks
    members: dict[str, Locked] = {}
    orders: dict[tuple[str, str], Order] = {}  # loaded or new
    known_orders: set[tuple[str, str]] = set()  # those of ``orders`` that have a row already
    quotas: dict[str, int] = {}  # quota -> taken in all, for those held locked
    quotas_before: dict[str, int] = {}
    codes: dict[str, Code] = {}  # coupon codes as they are now, as far as anybody knows them; free ones held locked
    identities: dict[tuple[str, str], str] = {}  # (kind, value) -> member, for those that activities name
    erased: list[str] = []  # members who are erased by this

    def settled_members(self) -> list[Locked]:
        """The members to whom something happened; others were locked for nothing (repeats, refused gifts)."""
        ids = {posting.member_id for posting in self.postings}
        return [locked for locked in self.members.values() if locked.member.id in ids]

    def settled_orders(self) -> dict[tuple[str, str], Order]:
        """The orders that were made or changed."""
        keys = [(posting.member_id, id_) for posting in self.postings for id_ in posting.effects.orders]
        return {key: self.orders[key] for key in keys}


def profile_of(member: Member) -> tuple[Any, ...]:
    """What is searched beside the state and changes seldom: compared to know whether to write it."""
    return (member.status, member.joined_at, dict(member.traits), list(member.tags))


def after(member: Member) -> After:
    """How the member stands now."""
    return After({asset: purse.available for asset, purse in member.purses.items()}, dict(member.tiers))


class Outside(Struct, omit_defaults=True):
    """What is kept of a step beside its activity: what it was told of others and by the catalog (see
    ``engine.turn.Context``), and what it ``claimed`` of shared quotas in the end."""

    taken: dict[str, int] = {}
    codes: dict[str, Code] = {}
    identities: dict[str, str] = {}
    erased: list[str] = []
    claimed: dict[str, int] = {}
    catalog: Catalogued | None = None
    others: dict[str, Other] = {}
    orders: dict[str, bytes] = {}  # taken over from who was merged into the member (``pack_order``)

    def context(self, orders: dict[str, Order]) -> Context:
        """What the step is handed, with orders of the member's own."""
        taken_over = {order_id: unpack_order(packed) for order_id, packed in self.orders.items()}
        return Context(
            {**orders, **taken_over},
            dict(self.taken),
            dict(self.codes),
            dict(self.identities),
            list(self.erased),
            self.catalog,
            others=dict(self.others),
        )

    def with_claims(self, claims: list[Claimed]) -> Outside:
        """As it is once the step has been taken."""
        for claim in claims:
            self.claimed[claim.quota] = self.claimed.get(claim.quota, 0) + claim.amount
        return self

    @property
    def is_empty(self) -> bool:
        told = self.taken or self.codes or self.identities or self.erased or self.others or self.orders
        return not (told or self.claimed or self.catalog is not None)


def new_member(member_id: str) -> Member:
    """A member nobody has heard of until now. The first activity says when she joined."""
    return Member(member_id, 0)


def locked_new(member_id: str) -> Locked:
    member = new_member(member_id)
    return Locked(member, bucket_of(member_id), True, profile_of(member))
