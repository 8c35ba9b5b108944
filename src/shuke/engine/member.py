"""Everything about a member that a rule may still ask: one aggregate, one row, one lock.

History (entries, orders, activities) is not here; it is in the books. Sizes are bounded by the
program's windows and validity, not by how long somebody has been a member.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from shuke.values.instants import NEVER


class Lot(Struct, array_like=True, gc=False):
    """Value that arrived together and leaves together: same dates, one number for ever.

    Orders keep the number, so that a refund finds (or re-opens) the very lot.
    """

    no: int
    opened_at: int
    ripens_at: int  # 0: at once
    expires_at: int  # NEVER: no expiry of its own
    amount: int


class Purse(Struct, array_like=True):
    """One asset of one member, in units of the asset. ``available`` is the sum of ``lots``,
    ``pending`` of ``ripening``, ``held`` of all holds; ``debt`` is owed and paid by the next credit."""

    available: int = 0
    pending: int = 0
    held: int = 0
    debt: int = 0
    lots: list[Lot] = []  # in spend order
    ripening: list[Lot] = []  # by ripens_at
    next_lot: int = 1
    touched_at: int = 0  # last activity that keeps value alive (validity by inactivity)


class Series(Struct, array_like=True, gc=False):
    """Per-day amounts of one measure, ascending, as running totals: a window is one subtraction.

    ``totals[i]`` is the sum of all days up to and including ``days[i]``, with ``base`` before the first.
    """

    days: list[int] = []
    totals: list[int] = []
    base: int = 0


class Standing(Struct, array_like=True):
    """What a member has earned on one ladder. ``since`` starts the term that ends at ``until``."""

    tier: str
    since: int
    until: int = NEVER
    term_start_totals: dict[str, int] = {}  # measure id -> amount of the start day that belongs to the term before
    dropped_at: int = 0
    grace_until: int = 0
    next_review: int = NEVER  # nightly / monthly evaluation that is due
    by: str = ""  # why the term was given: a reason of TierChanged
    earlier: Standing | None = None  # the standing this one followed, to make the decision again


class Grant(Struct, array_like=True):
    """A tier not earned but bought, given, matched or tried, until a date."""

    ladder: str
    tier: str
    since: int
    until: int
    source: str  # bought | gifted | matched | temporary
    ref: str


class Coupon(Struct, array_like=True):
    """A coupon in the member's hands (held by her, on hold in a cart, or redeemed but restorable)."""

    id: str
    template: str
    version: int
    state: str  # issued | held | redeemed
    valid_from: int
    valid_until: int
    code: str | None = None
    order_id: str | None = None
    value: int = 0  # remaining face value of a cash voucher used in parts


class HeldPart(Struct, array_like=True):
    asset: str
    lot: Lot  # the part of the lot that is held; amount is what was taken


class Value(Struct, array_like=True):
    """Value as it was asked for, outside of any cart: ``amount`` of an asset, or of stored value in minor units of
    money. ``units`` are the asset's smallest units in one of ``amount``, ``spend`` is how stored value was split
    between principal and bonus, ``why`` what was said of it."""

    asset: str | None  # None: stored value
    amount: int
    units: int = 1
    spend: str = ""
    why: dict[str, Any] | None = None


class Hold(Struct, array_like=True):
    """What is kept aside for somebody until it is used or let go: for a cart, or value by itself."""

    key: str
    lapses_at: int
    parts: list[HeldPart]
    coupons: list[str]
    quotas: list[list[Any]]  # [quota, amount] claimed from the shared ones
    quote: bytes  # the priced cart that was promised; empty where value was held
    value: Value | None = None  # what was held, where it is no cart


class Identity(Struct, array_like=True, gc=False):
    """What a member is called elsewhere, in its normal form; ``since`` when we were told so."""

    kind: str  # phone, email, card, or a platform's name
    value: str
    since: int
    verified_at: int = 0  # when it was shown to be hers; 0: she, or somebody, only said so
    verified_by: str = ""  # the source that told us that it was


class Tag(Struct, array_like=True, gc=False):
    """What is known of a tag: of which kind it is (see ``engine.tags``), who or which rule put it on, since and until
    when."""

    kind: str
    by: str
    since: int
    until: int = NEVER


class Consent(Struct, array_like=True, gc=False):
    """What a member last said of one purpose and channel: to which text (its version, SHA-256 and language), ``via``
    which form or page, told by which source."""

    granted: bool
    at: int
    version: str = ""
    text_hash: str = ""
    language: str = ""
    via: str = ""
    source: str = ""


class Merged(Struct, array_like=True):
    """Where a member went who was merged into another. ``kept`` is she as she was then (``pack``)."""

    into: str
    at: int
    kept: bytes


class Was(Struct, array_like=True):
    """What a merge changed of the survivor and could not be told from what is hers: by name [what the merge made of
    it, what it was]; of what was not there before, the second is missing."""

    joined_at: list[int] = []
    traits: dict[str, list[Any]] = {}
    tags: list[str] = []  # that came with the merge
    standings: dict[str, list[Standing]] = {}
    grants: list[Grant] = []  # that came with the merge
    once: dict[str, list[int]] = {}
    touched: dict[str, list[int]] = {}  # asset -> of ``Purse.touched_at``
    zeros: list[list[Any]] = []  # [measure or limit, day or period] that stood at nothing and stays there
    series: list[str] = []  # measures she had
    used: list[str] = []  # limits she had used anything of
    identities: list[list[str]] = []  # [kind, value] that came with the merge
    traits_set: dict[str, int] = {}
    consents: dict[str, list[Consent]] = {}
    awake_at: list[int] = []


class Absorbed(Struct, array_like=True):
    """A member who was merged into this one, or (``through``) into one who was merged into this one.

    ``lots`` tells, by asset, by how much the numbers of her lots were raised, and the highest number she had.
    """

    member_id: str
    at: int
    through: str = ""
    lots: dict[str, list[int]] = {}
    orders: list[str] = []  # of hers that something became of since
    carries: dict[str, list[int]] = {}  # fractions of hers, which stay apart
    was: Was | None = None


ACTIVE = "active"
DORMANT = "dormant"  # has done nothing for longer than the program lets pass
FROZEN = "frozen"
LEFT = "left"
STRANGER = "stranger"  # nothing has happened but activities that were refused: nobody has joined
ERASED = "erased"
MERGED = "merged"


class Member(Struct):
    """The aggregate. ``now`` is the latest instant this member has been brought up to."""

    id: str
    joined_at: int
    status: str = STRANGER
    now: int = 0
    due_at: int = NEVER
    seq: int = 0  # activities settled so far
    traits: dict[str, Any] = {}
    tags: list[str] = []
    purses: dict[str, Purse] = {}
    series: dict[str, Series] = {}
    standings: dict[str, Standing] = {}
    grants: list[Grant] = []
    tiers: dict[str, str] = {}  # ladder -> tier in force (best of standing and grants)
    coupons: dict[str, Coupon] = {}
    holds: dict[str, Hold] = {}
    used: dict[str, dict[int, int]] = {}  # limit -> period -> used
    carries: dict[str, list[int]] = {}  # asset -> [numerator, denominator] of the fraction kept
    once: dict[str, int] = {}  # gifts given once for ever -> when
    identities: list[Identity] = []  # in the order in which they were learnt
    tagged: dict[str, Tag] = {}  # what is known of ``tags``; nothing of those from before that was kept
    consents: dict[str, Consent] = {}  # purpose.channel -> what she said last
    status_since: int = 0  # 0: she was never anything but active
    status_why: str = ""  # what somebody said who froze her, or she who left
    awake_at: int = 0  # when she last did something herself, where the program asks; 0: not known
    traits_set: dict[str, int] = {}  # declared traits that change only so often -> when they were told
    merged: Merged | None = None  # she is no longer herself: she went into another
    absorbed: list[Absorbed] = []  # who was merged into her


def is_herself(member: Member, id_: str) -> bool:
    """Whether ``id_`` is the member's, or was before that member was merged into her."""
    return id_ == member.id or any(entry.member_id == id_ for entry in member.absorbed)


_encoder = Encoder()
_decoder = Decoder(Member)


def pack(member: Member) -> bytes:
    """The member as bytes (MessagePack), for the row that holds the state."""
    return _encoder.encode(member)


def unpack(state: bytes) -> Member:
    """The member from ``pack``'s bytes. Raises ``msgspec.DecodeError`` on anything else."""
    return _decoder.decode(state)
