"""Shapes of several features (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict


class ActivityShown(TypedDict):
    """An activity as it was told, and what was answered."""

    activity: str
    type: str
    member_id: str
    # Who told it: `api:` and the source of a key, or one of our own.
    source: str
    key: str
    occurred_at: str
    recorded_at: str
    # Its place among the member's activities, from 1.
    seq: int
    # Of the program: the newest there was when it was settled.
    version: int
    # As it was read: moments of ours are microseconds.
    payload: dict[str, Any] | None
    order: dict[str, Any] | None
    # settled or refused
    status: str
    code: str | None
    # A sentence in the caller's language, if it was refused; erased with its person.
    detail: str | None
    facts: dict[str, Any]
    # What the engine answered.
    answer: dict[str, Any]


class AwardShown(TypedDict):
    """Value a rule gave for the order."""

    rule: str
    asset: str
    # Given at first, the asset's smallest units.
    amount: int


class BalanceShown(TypedDict):
    """One asset of a member, in its smallest units."""

    asset: str
    # Can be spent now.
    available: int
    # Ripens later.
    pending: int
    # Set aside by holds.
    held: int
    # Owed; the next value that comes pays it.
    debt: int
    # What can be spent, in the order in which it is spent.
    lots: list[ShukeWebApiBalancesLotShown]
    # What is pending, in the order in which it ripens.
    ripening: list[ShukeWebApiBalancesLotShown]
    # What ends when, the soonest first; what never ends is not here.
    endings: list[EndingShown]


class CartLineTold(TypedDict):
    """One line of a cart, at list price."""

    # What the whole line costs at list price, minor units; left out: what the catalog says of the SKU.
    amount: NotRequired[int | None]
    quantity: NotRequired[int]
    sku: NotRequired[str | None]
    category: NotRequired[str | None]
    brand: NotRequired[str | None]
    tags: NotRequired[list[str] | None]
    # Further facts that conditions may use: line.<name>. `title` names the line where it is shown.
    attributes: NotRequired[dict[str, Any] | None]


class CouponShown(TypedDict):
    """A coupon of a member."""

    coupon: str
    member_id: str
    template: str
    # In the caller's language.
    title: str
    # issued, held, redeemed, expired, voided, given
    state: str
    code: str | None
    # Left of a cash voucher in the member's hands, minor units; else 0.
    value: int
    issued_at: str
    valid_from: str
    # null: never
    valid_until: str | None
    # Where it was used last.
    order_id: str | None


class EndingShown(TypedDict):
    """So much of what can be spent ends then, unless it is used before."""

    at: str
    # The asset's smallest units.
    amount: int


class EntryShown(TypedDict):
    """A line of the books: value that moved from one account to another. It never changes."""

    entry: str
    # What caused it.
    activity: str
    occurred_at: str
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


class FoundBy(TypedDict):
    """The identity that decided."""

    kind: str
    # Whether it was shown to be hers this time, or its platform says so.
    shown: bool
    # Whether it was known to be the member's before.
    verified: bool


class HoldShown(TypedDict):
    """Something set aside."""

    # The key it is held under.
    hold: str
    # Whether a cart holds it.
    cart: bool
    lapses_at: str
    # Per asset, in its smallest units.
    amounts: dict[str, int]
    coupons: list[str]


class IdentifiedShown(TypedDict):
    """How a member was found."""

    # member_id, identity, thing (a device that she alone has), new, anonymous (nothing but a device is known),
    # nobody.
    how: str
    # A sentence in the caller's language.
    detail: str
    by: FoundBy | None
    ignored: list[IgnoredIdentity]
    # Members who are probably the same person. Nothing is merged by itself.
    perhaps: list[str]


class IdentityShown(TypedDict):
    """What a member is called elsewhere."""

    kind: str
    value: str
    # When we were first told.
    since: str
    # Whether it is known to be hers, by what she showed or because its platform says so.
    verified: bool
    # When she showed it; null if she never did.
    verified_at: str | None
    # The source that told us so.
    verified_by: str | None
    # Whether others may have the same one, as with a device.
    shared: bool


class IgnoredIdentity(TypedDict):
    """An identity that did not count, and why."""

    kind: str
    # junk, shared (several members have it), not_alone (another member's, but more is told), not_verified,
    # decides_never, of_another, not_learnt (nobody showed that it is hers), or a code of a refusal.
    why: str
    # A sentence in the caller's language.
    detail: str
    # Whose it is, where it is another's.
    member_id: NotRequired[str | None]


class LineShown(TypedDict):
    """A line of a settled order."""

    line: int
    # What it cost, minor units.
    amount: int
    quantity: int
    # Of it, minor units.
    refunded: int


class LotMoved(TypedDict):
    """A part of a lot that an act took, gave, held or put back. Lots keep their dates for ever."""

    asset: str
    # The lot's number among the member's lots of this asset.
    lot: int
    # So much of it, the asset's smallest units.
    amount: int
    opened_at: str | datetime
    # When it can be spent; null: at once.
    ripens_at: str | datetime | None
    # null: never
    expires_at: str | datetime | None


class MemberShown(TypedDict):
    """A member as of now, whether or not the clock came by. Her lots are told by ``balances``."""

    member_id: str
    # active, dormant, frozen, left, merged or erased
    status: str
    # Where the id asked for was merged: into whom. Asked for by id, she is the one shown.
    merged_into: str | None
    joined_at: str
    # By kind; of several the one learnt last, one she has shown to be hers before others.
    identities: dict[str, str]
    traits: dict[str, Any]
    tags: list[str]
    # The tier in force, per ladder.
    tiers: dict[str, str]
    # What can be spent, per asset, in its smallest units.
    balances: dict[str, int]
    # When something next happens to her by itself; null: nothing will.
    due_at: str | None


class OrderShown(TypedDict):
    """An order, and what it was given."""

    order_id: str
    member_id: str
    # paid, completed, cancelled or refunded
    status: str
    placed_at: str
    # Of the program, under which it was settled.
    version: int
    # Everything together, minor units.
    amount: int
    refunded: int
    tax: int
    shipping: int
    channel: str | None
    store: str | None
    lines: list[LineShown]
    awards: list[AwardShown]
    paid: list[PaidShown]
    coupons: list[str]


class PageMemberShown(TypedDict):
    """As told."""

    items: list[MemberShown]
    next: NotRequired[str | None]


class PaidShown(TypedDict):
    """A part of the price that an asset paid."""

    asset: str
    # The asset's smallest units.
    units: int
    # What that stood for, minor units.
    worth: int


class PurseShown(TypedDict):
    """One asset of the member after an act, in its smallest units."""

    # Can be spent now.
    available: int
    # Ripens later.
    pending: int
    # Set aside by holds.
    held: int
    # Owed; the next value that comes pays it.
    debt: int
    # What ends soonest; null: nothing ever ends.
    ends_next: EndingShown | None


class Skipped(TypedDict):
    """Something that did not apply, and why."""

    # The rule, coupon or asset.
    what: str
    code: str
    # A sentence in the caller's language.
    detail: str
    facts: NotRequired[dict[str, Any]]


class TierChangeShown(TypedDict):
    """A change of the tier in force."""

    ladder: str
    before: TierNamed | None
    after: TierNamed | None
    at: str
    # null: never
    until: str | None
    reason: str
    activity: str


class TierNamed(TypedDict):
    """A tier, and what people call it in the caller's language."""

    tier: str
    title: str


class UsesTold(TypedDict):
    """What, besides money, is to pay for the cart."""

    # By id or code.
    coupons: NotRequired[list[str]]
    # Per asset, in its smallest units; `all`: as much as the cart takes and the member has.
    points: NotRequired[dict[str, Any]]
    # Minor units; `all`: as much as the cart takes and the member has.
    stored_value: NotRequired[int | Literal["all"]]


class WaitingShown(TypedDict):
    """Something told of an order that was not there."""

    waiting_id: str
    # Who told it.
    source: str
    # The `messageId` it came with; that of its activity once it is settled.
    key: str
    type: str
    member_id: str
    order_id: str
    occurred_at: str
    received_at: str
    # So long it waits for its order.
    until: str
    state: Literal["waiting", "given_up"]
    # Why it was given up.
    code: str | None
    # The same as a sentence.
    detail: str | None
    # When it was given up.
    ended_at: str | None


class Which(TypedDict):
    """A program: a published version, the draft, or a text that is kept nowhere."""

    version: NotRequired[int | None]
    draft: NotRequired[bool]
    # YAML or JSON.
    text: NotRequired[str | None]


class ShukeWebApiBalancesLotShown(TypedDict):
    """Value that arrived together and ends together."""

    lot: int
    # What is left of it, the asset's smallest units.
    amount: int
    opened_at: str
    # When it can be spent; null: it can already.
    ripens_at: str | None
    # null: never
    expires_at: str | None
