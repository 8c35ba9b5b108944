"""Payloads of the activities that the engine itself understands: amounts and instants as people write them.

A history says "12.50" and "2025-12-31"; the engine reads smallest units and microseconds. What a merchant
invents (custom activities) is left as it is written: its whole numbers stay numbers, others the text
they were written as.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from msgspec import Struct

from shuke.books.identity_forms import NotAnIdentity, normal, region_of
from shuke.engine import activity as told
from shuke.replay.history import checks
from shuke.replay.history.checks import Refusal
from shuke.values.amounts import AmountError, parse_amount
from shuke.values.instants import Instant, LocalCalendar

MONEY: Final = "money"
ASSET: Final = "asset"
FROM: Final = "from"  # a date means the start of that day; an instant is meant as it is
UNTIL: Final = "until"  # a date means the whole of that day; an instant is meant as it is

FIELDS: Final[dict[str, dict[str, str]]] = {
    told.ORDER_REFUNDED: {"amount": MONEY, "tax": MONEY, "shipping": MONEY},
    told.ASSET_OPENED: {"amount": ASSET, "expires_at": UNTIL},
    told.ASSET_ADJUSTED: {"amount": ASSET},
    told.ASSET_GRANTED: {"amount": ASSET, "ripens_at": FROM, "expires_at": UNTIL},
    told.ASSET_SPENT: {"amount": ASSET, "stored_value": MONEY},
    told.ASSET_SPEND_REVERSED: {"amount": ASSET, "stored_value": MONEY},
    told.ASSET_TRANSFERRED: {"amount": ASSET},
    told.TOPPED_UP: {"amount": MONEY},
    told.TOP_UP_REFUNDED: {"amount": MONEY},
    told.COUPON_REDEEMED: {"amount": MONEY},
    told.TIER_GRANTED: {"until": UNTIL},
    told.TAGGED: {"until": UNTIL},
}
"""Fields that carry an amount or an end, by type of activity."""

_ORDER: Final = ("order_id",)
_ID: Final = ("id",)
_TO: Final = ("to_member",)
_REF: Final = ("ref",)

NAMES: Final[dict[str, tuple[str, ...]]] = {
    told.ORDER_COMPLETED: _ORDER,
    told.ORDER_REFUNDED: _ORDER,
    told.ORDER_CANCELLED: _ORDER,
    told.ORDER_REOPENED: _ORDER,
    told.ASSET_SPENT: _ID,
    told.ASSET_SPEND_REVERSED: _ID,
    told.ASSET_TRANSFERRED: _TO,
    told.TOPPED_UP: _ID,
    told.TOP_UP_REFUNDED: _ID,
    told.COUPON_REDEEMED: _ORDER,
    told.COUPON_GIVEN: _TO,
    told.IDENTITY_MOVED: _TO,
    told.TIER_GRANTED: _REF,
    told.TIER_REVOKED: _REF,
}
"""Fields that name something, by type of activity: read as its own id is read, where that is told."""

_ABOUT_IDENTITIES: Final = (told.IDENTITY_ADDED, told.IDENTITY_REMOVED, told.IDENTITY_MOVED, told.IDENTITY_FINALIZED)

ELSEWHERE: Final = {
    told.ORDER_PAID: "orders belong into the file of orders, one row per line",
    told.ASSET_RECEIVED: "it follows from an asset.transferred of the giver",
    told.COUPON_RECEIVED: "it follows from a coupon.given of the giver",
    told.DORMANT: "it follows from time that passes",
    told.WOKE: "it follows from whatever she does",
    told.PROFILE_COMPLETED: "it follows from whatever completes the profile",
    told.IDENTITY_RECEIVED: "it follows from an identity.moved of who had it before",
    told.CART_HELD: "a hold lasts minutes and is no history",
    told.CART_RELEASED: "a hold lasts minutes and is no history",
    told.ASSET_HELD: "a hold lasts minutes and is no history",
    told.ASSET_CAPTURED: "a hold lasts minutes and is no history; what was captured is an asset.spent",
    told.ASSET_RELEASED: "a hold lasts minutes and is no history",
    told.TIME_PASSED: "time passes by itself",
}
"""Activities that a file of activities cannot tell, and why."""


class PayloadReader(Struct):
    """Scales and zone of a program. ``asset_scales`` has every asset there is."""

    calendar: LocalCalendar
    currency_scale: int
    asset_scales: dict[str, int]

    def read(self, kind: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload as the engine reads it; a copy where something changes. Refusal for what cannot be
        read."""
        if kind == told.UPDATED and payload.get("identities") is not None:
            return {**payload, "identities": self._identities(payload["identities"])}
        if kind in _ABOUT_IDENTITIES:
            payload = self._named(payload)
        named = {
            name: checks.read_id(f"payload.{name}", payload[name])
            for name in NAMES.get(kind, ())
            if isinstance(payload.get(name), str)
        }
        if named:
            payload = {**payload, **named}
        fields = FIELDS.get(kind)
        if fields is None:
            return payload
        read = dict(payload)
        for name, unit in fields.items():
            if read.get(name) is None:
                read.pop(name, None)
            elif unit is UNTIL:
                read[name] = self.end(f"payload.{name}", read[name])
            elif unit is FROM:
                read[name] = self.start(f"payload.{name}", read[name])
            else:
                scale = self.currency_scale if unit is MONEY else self.scale_of(read.get("asset"))
                read[name] = self.amount(f"payload.{name}", read[name], scale)
        if kind == told.ORDER_REFUNDED and read.get("lines") is not None:
            read["lines"] = self._lines(read["lines"])
        return read

    def identity(self, column: str, kind: str, value: str) -> str:
        """An identity in its normal form; phones without a country code are of the region of the program's zone.
        Refusal for placeholders and for what is no such thing."""
        try:
            return normal(kind, value, region=region_of(self.calendar.zone))
        except NotAnIdentity as broken:
            raise Refusal(broken.code, f"{column}: {broken}") from broken

    def _identities(self, told: Any) -> dict[str, str | None]:
        if not isinstance(told, dict) or not all(value is None or isinstance(value, str) for value in told.values()):
            raise Refusal("wrong_type", "payload.identities must name kinds with texts, or null for one given up")
        return {
            kind: None if value is None else self.identity(f"payload.identities.{kind}", kind, value)
            for kind, value in told.items()
        }

    def _named(self, payload: dict[str, Any]) -> dict[str, Any]:
        """A payload that names identities by ``kind`` and ``value``, in their normal form."""
        found = dict(payload)
        for kind, value in (("kind", "value"), ("final_kind", "final_value")):
            if value in payload:
                found[value] = self._identities({payload.get(kind, ""): payload[value]})[payload[kind]]
        return found

    def scale_of(self, asset: Any) -> int:
        if not isinstance(asset, str) or asset not in self.asset_scales:
            known = ", ".join(sorted(self.asset_scales)) or "none"
            raise Refusal("unknown_asset", f'"{asset}" is not an asset of the program; it has: {known}')
        return self.asset_scales[asset]

    def start(self, column: str, text: Any) -> Instant:
        """The instant at which something begins: of a date, the midnight before it, in the program's zone."""
        if not isinstance(text, str):
            raise Refusal("not_an_instant", f'{column} must be text such as "2025-12-31"')
        return checks.read_instant(column, text, calendar=self.calendar)

    def end(self, column: str, text: Any) -> Instant:
        """The instant at which something ends: of a date, the midnight after it, in the program's zone."""
        if isinstance(text, str) and len(text.strip()) == 10:
            return self.calendar.day_start(checks.read_day(column, text) + 1)
        return self.start(column, text)

    def amount(self, column: str, value: Any, scale: int) -> int:
        """Smallest units of an amount in JSON, a number or a text. Refusal for anything else."""
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise Refusal("not_an_amount", f'{column} must be a number, or text such as "12.50"')
        try:
            return parse_amount(value.strip() if isinstance(value, str) else value, scale=scale)
        except AmountError as broken:
            raise Refusal("not_an_amount", f"{column}: {broken}") from broken

    def _lines(self, lines: Any) -> list[dict[str, Any]]:
        """Lines of a refund: ``[{"line": 2, "amount": "3.50"}, {"line": 3, "quantity": 1}]``."""
        if not isinstance(lines, list) or not all(isinstance(line, dict) for line in lines):
            raise Refusal("wrong_type", "payload.lines must be a list of objects")
        read = []
        for line in lines:
            if not isinstance(line.get("line"), int) or isinstance(line["line"], bool):
                raise Refusal("wrong_type", 'every one of payload.lines needs "line", counting from 1')
            if not isinstance(line.get("quantity", 1), int):
                raise Refusal("wrong_type", "the quantity of a refunded line must be a whole number")
            if line.get("amount") is not None:
                line = {
                    **line,
                    "amount": self.amount("payload.lines.amount", line["amount"], self.currency_scale),
                }
            read.append(line)
        return read
