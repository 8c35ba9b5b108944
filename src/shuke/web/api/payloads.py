"""What activities of the kinds that the engine knows may say, as a batch tells them.

A payload is what the engine reads: amounts in smallest units, moments as RFC 3339 text. Fields beyond those named
here are the merchant's own, for conditions (``activity.<name>``). A kind of one's own may say anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType
from pydantic_core import PydanticCustomError

from shuke.books import identity_forms
from shuke.engine import activity as of
from shuke.web.api.contract import SAFE, bounded, one_form, read_moment

Id = Annotated[str, Meta(min_length=1, max_length=200)]
Text = Annotated[str, Meta(max_length=200)]
Prose = Annotated[str, Meta(max_length=1000)]
Amount = Annotated[int, Meta(ge=0, le=SAFE)]
Positive = Annotated[int, Meta(ge=1, le=SAFE)]
Signed = Annotated[int, Meta(ge=-SAFE, le=SAFE)]
Quantity = Annotated[int, Meta(ge=1, le=1_000_000)]
Kind = Annotated[str, Meta(max_length=64)]
Tags = Annotated[list[Text], Meta(max_length=200)]

# What may be left out but not be null is UNSET by default.


class Said(Struct):
    reason: Prose | None = None
    approver: Text | None = None
    reference: Text | None = None


class Joined(Struct):
    traits: dict[str, Any] | None = None
    tags: Tags | None = None
    untags: Tags | None = None
    identities: Annotated[dict[Kind, Id | None], Meta(max_length=50)] | None = None
    by: Literal["merchant", "member"] = "merchant"
    verified: Annotated[list[Kind], Meta(max_length=50)] | None = None


class Named(Struct):
    kind: Kind
    value: Id
    verified: bool = False


class Tagged(Struct):
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=200)]], Meta(min_length=1, max_length=200)]
    kind: Literal["manual", "rule", "statistic", "ranking", "model"] = "manual"
    by: Id | None = None
    until: str | None = None


class Untagged(Struct):
    tags: Annotated[list[Text], Meta(min_length=1, max_length=200)]
    kind: Literal["manual", "rule", "statistic", "ranking", "model"] | None = None


class Agreed(Struct):
    purpose: Id
    channels: Annotated[list[Id], Meta(min_length=1, max_length=50)]
    version: Annotated[str, Meta(max_length=100)] | None = None
    language: Annotated[str, Meta(max_length=35)] | None = None
    text_hash: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")] | None = None
    via: Text | None = None
    by: Literal["merchant", "member"] = "merchant"


class Withdrawn(Struct):
    purpose: Id | None = None
    channels: Annotated[list[Id], Meta(min_length=1, max_length=50)] | None = None
    via: Text | None = None
    by: Literal["merchant", "member"] = "merchant"


class Frozen(Struct):
    reason: Annotated[str, Meta(min_length=1, max_length=1000)]


class Why(Struct):
    reason: Prose | None = None


class Moved(Struct):
    kind: Kind
    value: Id
    to_member: Id
    reason: Prose
    verified: bool = False


class Finalized(Struct):
    kind: Kind
    value: Id
    final_kind: Kind
    final_value: Id


class AboutOrder(Struct):
    order_id: Id


class RefundedLine(Struct, forbid_unknown_fields=True):
    line: Annotated[int, Meta(ge=1, le=500)]
    quantity: Quantity | UnsetType = UNSET
    amount: Positive | UnsetType = UNSET


class Refunded(AboutOrder):
    lines: Annotated[list[RefundedLine], Meta(min_length=1, max_length=500)] | None = None
    amount: Positive | None = None
    tax: Amount = 0
    shipping: Amount = 0

    def __post_init__(self) -> None:
        if self.lines is not None and self.amount is not None:
            raise ValueError("tell lines or an amount, not both")
        if self.lines is None and (self.tax or self.shipping):
            raise ValueError("tax and shipping go with lines")


class Opened(Said, kw_only=True):
    asset: Id
    amount: Positive
    expires_at: str | UnsetType = UNSET


class Adjusted(Said, kw_only=True):
    asset: Id
    amount: Signed


class Granted(Said, kw_only=True):
    asset: Id
    amount: Positive
    ripens_at: str | None = None
    expires_at: str | None = None


class Spent(Said, kw_only=True):
    asset: Id | None = None
    amount: Positive | None = None
    stored_value: Positive | None = None
    quantity: Annotated[int, Meta(ge=1, le=1000)] = 1
    id: Id | None = None


class Reversed(Said, kw_only=True):
    id: Id
    amount: Positive | None = None
    stored_value: Positive | None = None


class Held(Spent, kw_only=True):
    hold: Id
    minutes: Annotated[int, Meta(ge=1, le=10_080)] | None = None


class Captured(Said, kw_only=True):
    hold: Id
    id: Id | None = None
    amount: Positive | None = None
    stored_value: Positive | None = None


class Released(Struct):
    hold: Id


class Transferred(Struct):
    asset: Id
    amount: Positive
    to_member: Id


class ToppedUp(Struct):
    id: Id
    amount: Positive
    card: Text = "named"


class TopUpRefunded(Struct):
    id: Id


class Issued(Struct):
    template: Id
    quantity: Annotated[int, Meta(ge=1, le=1000)] = 1
    codes: Annotated[list[Id], Meta(max_length=1000)] | None = None
    reason: Prose | None = None
    rule: UnsetType | None = None
    why: UnsetType | None = None


class Claimed(Struct):
    template: Id | None = None
    code: Id | None = None

    def __post_init__(self) -> None:
        if (self.template is None) == (self.code is None):
            raise ValueError("tell a template or a code")


class Redeemed(Struct):
    coupon: Id
    order_id: Id | None = None
    channel: Text | None = None
    store: Text | None = None
    amount: Amount | None = None


class Voided(Struct):
    coupon: Id
    reason: Prose


class Given(Struct):
    coupon: Id
    to_member: Id


class TierGranted(Struct):
    ladder: Id
    tier: Id
    until: str | None = None
    days: Annotated[int, Meta(ge=1, le=36_500)] | None = None
    period: Annotated[str, Meta(max_length=20)] | None = None
    source: Text = "gifted"
    ref: Id | UnsetType = UNSET


class TierRevoked(Struct):
    ladder: Id
    ref: Id


class Anything(Struct):
    pass


MOMENTS: Final[dict[str, tuple[str, ...]]] = {
    of.ASSET_OPENED: ("expires_at",),
    of.ASSET_GRANTED: ("ripens_at", "expires_at"),
    of.TIER_GRANTED: ("until",),
    of.TAGGED: ("until",),
}
"""Fields that hold a moment, by type."""

SHAPES: Final[dict[str, type[Struct]]] = {
    of.JOINED: Joined,
    of.UPDATED: Joined,
    of.IDENTIFIED: Anything,
    of.IDENTITY_ADDED: Named,
    of.IDENTITY_REMOVED: Named,
    of.FROZEN: Frozen,
    of.UNFROZEN: Why,
    of.LEFT: Why,
    of.RETURNED: Why,
    of.TAGGED: Tagged,
    of.UNTAGGED: Untagged,
    of.CONSENT_GRANTED: Agreed,
    of.CONSENT_WITHDRAWN: Withdrawn,
    of.IDENTITY_MOVED: Moved,
    of.IDENTITY_FINALIZED: Finalized,
    of.ORDER_COMPLETED: AboutOrder,
    of.ORDER_REFUNDED: Refunded,
    of.ORDER_CANCELLED: AboutOrder,
    of.ORDER_REOPENED: AboutOrder,
    of.ASSET_OPENED: Opened,
    of.ASSET_ADJUSTED: Adjusted,
    of.ASSET_GRANTED: Granted,
    of.ASSET_SPENT: Spent,
    of.ASSET_SPEND_REVERSED: Reversed,
    of.ASSET_HELD: Held,
    of.ASSET_CAPTURED: Captured,
    of.ASSET_RELEASED: Released,
    of.ASSET_TRANSFERRED: Transferred,
    of.TOPPED_UP: ToppedUp,
    of.TOP_UP_REFUNDED: TopUpRefunded,
    of.COUPON_ISSUED: Issued,
    of.COUPON_CLAIMED: Claimed,
    of.COUPON_REDEEMED: Redeemed,
    of.COUPON_VOIDED: Voided,
    of.COUPON_GIVEN: Given,
    of.TIER_GRANTED: TierGranted,
    of.TIER_REVOKED: TierRevoked,
    of.TIERS_APPLIED: Anything,
}
"""By type, what its payload must hold. ``order.paid`` has an order instead."""

ELSEWHERE: Final = {
    of.ASSET_RECEIVED: "asset.transferred",
    of.COUPON_RECEIVED: "coupon.given",
    of.IDENTITY_RECEIVED: "identity.moved",
    of.TIME_PASSED: "the clock",
    of.CART_HELD: "/v1/carts",
    of.CART_RELEASED: "/v1/carts",
    of.ERASED: "/v1/members",
    of.PROFILE_COMPLETED: "member.updated",
    of.DORMANT: "the clock",
    of.WOKE: "whatever she does",
    "segment.entered": "/v1/segments",
    "segment.left": "/v1/segments",
    of.MERGED: "/v1/members",
    of.UNMERGED: "/v1/members",
    of.ABSORBED: "member.merged",
    of.RESTORED: "member.unmerged",
}
"""Types that a batch cannot tell, and what they come from."""

_SCOPES: Final = {
    "member": "members:write",
    "identity": "members:write",
    "consent": "members:write",
    "order": "orders:write",
    "asset": "points:write",
    "stored_value": "stored_value:write",
    "coupon": "coupons:write",
    "tier": "tiers:write",
    "tiers": "tiers:write",
}

SCOPES: Final = {type_: _SCOPES[type_.partition(".")[0]] for type_ in (of.ORDER_PAID, *SHAPES)}
"""By type, the scope that a key needs beyond ``activities:write``."""


_NAMES: Final = frozenset(("to_member", "order_id", "id", "hold", "ref"))
"""Fields with names that somebody chose."""


class Wrong(Exception):
    """One thing that is wrong with an activity: a JSON pointer into it, a code of ``sentences.ERRORS``, its facts."""

    def __init__(self, pointer: str, code: str, **facts: Any) -> None:
        self.pointer, self.code, self.facts = pointer, code, facts
        super().__init__(f"{pointer}: {code}")


_SAYS: Final = (
    (r"Object contains unknown field `(?P<field>.*)`", "extra_forbidden"),
    (r"Object missing required field `(?P<field>.*)`", "missing"),
    (r"Expected `null`, got", "extra_forbidden"),
    (r"Expected `int` >= (?P<ge>-?\d+)", "greater_than_equal"),
    (r"Expected `int` <= (?P<le>-?\d+)", "less_than_equal"),
    (r"Expected `str` of length >= (?P<min_length>\d+)", "string_too_short"),
    (r"Expected `str` of length <= (?P<max_length>\d+)", "string_too_long"),
    (r"Expected `str` matching regex (?P<pattern>.*)", "string_pattern_mismatch"),
    (r"Expected `array` of length >= (?P<min_length>\d+)", "too_short"),
    (r"Expected `array` of length <= (?P<max_length>\d+)", "too_long"),
    (r"Expected `int", "int_type"),
    (r"Expected `str", "string_type"),
    (r"Expected `array", "list_type"),
    (r"Expected `object", "dict_type"),
    (r"(?P<error>.*)", "value_error"),
)
_SENTENCES: Final = tuple((re.compile(sentence), code) for sentence, code in _SAYS)
_STEP: Final = re.compile(r"\.(\w+)|\[(\d+)\]")


def wrong_of(error: msgspec.ValidationError, *, below: str = "") -> Wrong:
    """What msgspec found wrong ("Expected `int`, got `str` - at `$.order.lines[0].amount`"), as doors say it.

    ``below`` is the pointer to what was looked at.
    """
    said, _, place = str(error).partition(" - at `$")
    pointer = below + "".join(f"/{name or number}" for name, number in _STEP.findall(place))
    found, code = next((match, code) for form, code in _SENTENCES if (match := form.match(said)))
    facts = found.groupdict()
    field = facts.pop("field", None)
    return Wrong(pointer if field is None else f"{pointer}/{field}", code, **facts)


def read_payload(type_: str, payload: dict[str, Any] | None, *, region: str | None) -> dict[str, Any] | None:
    """The payload as the engine reads it; a copy where something changes. Phone numbers without a country code are
    those of ``region``.

    Raises ``Wrong``.
    """
    shape = SHAPES.get(type_)
    if shape is None:
        return payload
    try:
        msgspec.convert({} if payload is None else payload, shape)
    except msgspec.ValidationError as error:
        raise wrong_of(error, below="/payload") from None
    if payload is None:
        return None
    for name in _NAMES.intersection(shape.__struct_fields__):
        told = payload.get(name)
        kept = plain(f"/payload/{name}", told) if isinstance(told, str) else told
        if kept != told:
            payload = {**payload, name: kept}
    if shape is Issued:
        for place, code in enumerate(payload.get("codes") or ()):
            plain(f"/payload/codes/{place}", code)
    if payload.get("identities") and shape is Joined:
        return {**payload, "identities": identities_in("/payload/identities", payload["identities"], region)}
    if shape in (Named, Moved, Finalized):
        return _named(payload, region)
    moments = MOMENTS.get(type_)
    if moments is None:
        return payload
    told = {name: moment(f"/payload/{name}", payload[name]) for name in moments if payload.get(name) is not None}
    return {**payload, **told}


def _named(payload: dict[str, Any], region: str | None) -> dict[str, Any]:
    """A payload that names identities by ``kind`` and ``value``, in their normal form."""
    found = dict(payload)
    for kind, value in (("kind", "value"), ("final_kind", "final_value")):
        if value in payload:
            named = {payload[kind]: payload[value]}
            found[value] = identities_in(f"/payload/{value}", named, region)[payload[kind]]
    return found


def identities_in(pointer: str, told: Mapping[str, str | None], region: str | None) -> dict[str, str | None]:
    """Identities by kind in their normal form. Raises ``Wrong`` at ``pointer``."""
    try:
        return {
            kind: None if value is None else identity_forms.normal(kind, value, region=region)
            for kind, value in told.items()
        }
    except identity_forms.NotAnIdentity as broken:
        raise Wrong(pointer, "value_error", error=broken) from None


def moment(pointer: str, told: str) -> int:
    """Microseconds of a moment that was told. Raises ``Wrong``."""
    try:
        found: int = read_moment(told)
    except ValueError as broken:
        raise Wrong(pointer, "value_error", error=broken) from None
    return found


def plain(pointer: str, text: str) -> str:
    """A name in the form in which it is kept. Raises ``Wrong`` for what is none, and for blanks around it."""
    try:
        return one_form(text)
    except PydanticCustomError as unseen:
        raise Wrong(pointer, unseen.type, **(unseen.context or {})) from None
    except ValueError as broken:
        raise Wrong(pointer, "value_error", error=broken) from None


def free(pointer: str, told: dict[str, Any] | None) -> None:
    """Raises ``Wrong`` for more, deeper or longer than is kept of what is the merchant's own."""
    try:
        bounded(told or {})
    except ValueError as broken:
        raise Wrong(pointer, "value_error", error=broken) from None
