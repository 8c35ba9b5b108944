"""Consequences of one step. Each names its cause; the shell makes them true in one transaction.

Accounts of an asset are ``available``, ``pending``, ``held`` and ``debt`` of the member, and the
house's ``issued``, ``spent``, ``expired``, ``reversed``, ``adjusted``, ``topped_up``, ``paid_out``,
``transit``, ``forgiven``.
An entry moves ``amount`` (> 0) from ``debit`` to ``credit``, so every asset sums to zero.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from shuke.engine.activity import Activity
from shuke.engine.member import Member

# The member's accounts. Whatever is not in here belongs to the house.
AVAILABLE = "available"
PENDING = "pending"
HELD = "held"
DEBT = "debt"  # the only member account that may fall below zero: what the member owes
MEMBER_ACCOUNTS = frozenset((AVAILABLE, PENDING, HELD, DEBT))

ISSUED = "issued"
SPENT = "spent"
EXPIRED = "expired"
REVERSED = "reversed"
ADJUSTED = "adjusted"
TOPPED_UP = "topped_up"
PAID_OUT = "paid_out"
TRANSIT = "transit"  # between two members
FORGIVEN = "forgiven"


class Entry(Struct, omit_defaults=True, gc=False):
    """A line of the books. ``rule`` and ``why`` are its cause: the rule and the numbers that went in."""

    asset: str
    kind: str  # earn, grant, spend, restore, ripen, expire, reverse, repay, adjust, hold, release, transfer, top_up …
    debit: str
    credit: str
    amount: int
    occurred_at: int
    version: int
    lot: int = 0
    rule: str | None = None
    order_id: str | None = None
    why: dict[str, Any] | None = None


def change_of(entry: Entry) -> int:
    """What an entry does to the member's balance: plus in, minus out, 0 between her own accounts."""
    to_member = entry.credit in MEMBER_ACCOUNTS
    from_member = entry.debit in MEMBER_ACCOUNTS
    return entry.amount * (to_member - from_member)


class LotOpened(Struct, gc=False):
    asset: str
    no: int
    opened_at: int
    ripens_at: int
    expires_at: int


class TierChanged(Struct):
    """``reason`` is one of the words listed in engine/tiers.py."""

    ladder: str
    before: str | None
    after: str | None
    at: int
    until: int
    reason: str
    why: dict[str, Any] | None = None


class CouponChanged(Struct):
    coupon_id: str
    template: str
    state: str  # issued | held | redeemed | expired | voided | given
    at: int
    valid_from: int
    valid_until: int
    code: str | None = None
    order_id: str | None = None
    rule: str | None = None


class IdentityChanged(Struct, gc=False):
    """``since``: when the member began to be called so; None where she is so no longer. ``verified_at``: when it was
    shown to be hers, 0 if it was not. ``shared``: others may be called so too."""

    kind: str
    value: str
    since: int | None
    verified_at: int = 0
    shared: bool = False


class CodeTaken(Struct):
    """A code made ahead opened this coupon, and opens no other."""

    code: str
    coupon_id: str


class Wanted(Struct):
    """A message or notice the program wants sent; outreach decides whether and how."""

    topic: str  # tier.raised, points.expiring, coupon.issued …
    body: dict[str, Any]
    at: int  # the instant at which there was reason for it


class Claimed(Struct):
    """Taken from (or given back to, if negative) something scarce that members share."""

    quota: str
    amount: int


class Effects(Struct):
    """All of one step's consequences, in the order in which they happened."""

    entries: list[Entry] = []
    lots: list[LotOpened] = []
    orders: dict[str, Any] = {}  # order id -> engine.orders.Order, as it is now
    tiers: list[TierChanged] = []
    coupons: list[CouponChanged] = []
    codes: list[CodeTaken] = []
    wanted: list[Wanted] = []
    claims: list[Claimed] = []
    activities: list[Activity] = []  # for other members' inboxes
    identities: list[IdentityChanged] = []


class Refused(Struct):
    """A business refusal: a code of the closed list in engine/refusals.py and its facts."""

    code: str
    facts: dict[str, Any] = {}


class Settled(Struct):
    """What a step gives back: the member as she is now, what follows, and the answer.

    A refused activity changes nothing but what time alone did (expiries, reviews that were due).
    """

    member: Member
    effects: Effects
    answer: dict[str, Any]
    refused: Refused | None = None
