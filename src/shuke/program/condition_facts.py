"""The facts a condition may ask by name, and what kind of value each has.

``trait.*``, ``activity.*`` (payload fields) and ``line.*`` (attributes) are open: beside the names here,
any other is allowed, and its kind is only known when a value is seen.
"""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a term's value is. ``NUMBER``: counts, asset amounts, hours; money has the currency's scale."""

    MONEY = "an amount of money"
    NUMBER = "a number"
    TEXT = "a text"
    TEXTS = "a list of texts"
    DATE = "a date"
    TIME = "a time"
    WEEKDAY = "a weekday"
    BOOLEAN = "true or false"
    TIER = "a tier"
    OPEN = "a value of any kind"


WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

FACTS: dict[str, dict[str, Kind]] = {
    "order": {
        "amount": Kind.MONEY,  # lines after discounts, without tax and shipping
        "list_amount": Kind.MONEY,
        "channel": Kind.TEXT,
        "store": Kind.TEXT,
        "payment": Kind.TEXT,
        "tax": Kind.MONEY,
        "shipping": Kind.MONEY,
        "items": Kind.NUMBER,  # pieces
        "lines": Kind.NUMBER,
        "coupons": Kind.TEXTS,
    },
    "line": {
        "amount": Kind.MONEY,
        "list_amount": Kind.MONEY,
        "quantity": Kind.NUMBER,
        "sku": Kind.TEXT,
        "category": Kind.TEXT,
        "categories": Kind.TEXTS,  # the category and those it lies in, by the catalog
        "brand": Kind.TEXT,
        "tags": Kind.TEXTS,
    },
    "member": {
        "status": Kind.TEXT,
        "joined": Kind.DATE,
        "months": Kind.NUMBER,  # whole months since joining
        "birthday": Kind.DATE,
        "language": Kind.TEXT,
        "kind": Kind.TEXT,
        "tags": Kind.TEXTS,
        "consents": Kind.TEXTS,  # granted ones, as purpose.channel
    },
    "trait": {},
    "activity": {"type": Kind.TEXT, "source": Kind.TEXT},
    "now": {
        "date": Kind.DATE,
        "weekday": Kind.WEEKDAY,
        "day": Kind.NUMBER,
        "month": Kind.NUMBER,
        "year": Kind.NUMBER,
        "hour": Kind.NUMBER,
        "minute": Kind.NUMBER,
        "time": Kind.TIME,
    },
}
OPEN_SCOPES = frozenset(("line", "trait", "activity"))
LINE_COLUMNS = ("sku", "category", "brand")

PAYLOAD_SCALE = 6
"""Decimals kept of numbers in payloads where they are added up or multiplied; comparisons are exact."""


def kind_of_fact(scope: str, name: str) -> Kind | None:
    """The kind of a fact; None if there is no such fact."""
    kind = FACTS[scope].get(name)
    return Kind.OPEN if kind is None and scope in OPEN_SCOPES else kind
