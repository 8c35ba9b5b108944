"""The shapes of the Universal Commerce Protocol that a cart's answer has, and nothing beside them.

Facts of the published schema of 2026-08-25, in our own words: which fields there are, which are required, of what type.
Source: https://ucp.dev/2026-08-25/schemas/shopping/cart.json with what it refers to, …/shopping/discount.json and
…/common/loyalty.json (repository Universal-Commerce-Protocol/ucp). The published schema lets unknown fields pass, so a
misspelt one would go unnoticed; these shapes are closed. ``ucp-sdk`` has the models made from the schema itself.
"""

from typing import Any

MOST = 2**53 - 1
DOMAIN = r"^[a-z](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9_-]*[a-z0-9_])?)+$"

TEXT: dict[str, Any] = {"type": "string"}
AMOUNT: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": MOST}
SIGNED: dict[str, Any] = {"type": "integer", "minimum": -MOST, "maximum": MOST}
REWARD_AMOUNT: dict[str, Any] = {"type": "integer", "minimum": 0}
CLAIM: dict[str, Any] = {"type": "string", "pattern": DOMAIN}
VERSION: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$"}


def shape(required: dict[str, Any], **optional: Any) -> dict[str, Any]:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def listed(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


def one_of(type_: str) -> dict[str, Any]:
    """Exactly one entry of the list has this type."""
    contained = {"properties": {"type": {"const": type_}}, "required": ["type"]}
    return {"contains": contained, "minContains": 1, "maxContains": 1}


def signed(types: list[str], amount: dict[str, Any]) -> dict[str, Any]:
    """Totals of these types have such amounts."""
    return {"if": {"properties": {"type": {"enum": types}}}, "then": {"properties": {"amount": amount}}}


KNOWN = ["subtotal", "items_discount", "discount", "fulfillment", "tax", "fee", "total"]

TOTAL = {
    **shape({"type": TEXT, "amount": SIGNED}, display_text=TEXT),
    "allOf": [
        signed(["discount", "items_discount"], {"exclusiveMaximum": 0}),
        signed(["subtotal", "fulfillment", "tax", "fee"], {"minimum": 0}),
        {"if": {"properties": {"type": {"not": {"enum": KNOWN}}}}, "then": {"required": ["display_text"]}},
    ],
}

ITEM = shape({"id": TEXT, "title": TEXT, "price": AMOUNT})
QUANTITY = {"type": "integer", "minimum": 1, "maximum": MOST}
LINE_ITEM = shape({"id": TEXT, "item": ITEM, "quantity": QUANTITY, "totals": listed(TOTAL)})

CAPABILITY = shape({"version": VERSION}, schema={"type": "string", "format": "uri"}, extends=CLAIM)
METADATA = shape(
    {"version": VERSION},
    status={"enum": ["success", "error"]},
    capabilities={"type": "object", "propertyNames": CLAIM, "additionalProperties": listed(CAPABILITY)},
)

ALLOCATION = shape({"path": TEXT, "amount": AMOUNT})
APPLIED = shape(
    {"title": TEXT, "amount": AMOUNT},
    code=TEXT,
    automatic={"type": "boolean"},
    method={"enum": ["each", "across"]},
    priority={"type": "integer", "minimum": 1},
    provisional={"type": "boolean"},
    eligibility=CLAIM,
    allocations=listed(ALLOCATION),
)

BREAKDOWN = shape({"id": TEXT, "amount": REWARD_AMOUNT, "description": TEXT}, benefit_id=TEXT)
REWARD = shape(
    {"currency": shape({"name": TEXT, "code": TEXT}, decimal_places={"type": "integer", "minimum": 0})},
    earning_forecast=shape({"amount": REWARD_AMOUNT}, breakdown=listed(BREAKDOWN)),
)
TIER = shape({"id": TEXT, "name": TEXT}, benefits=listed(shape({"id": TEXT, "description": TEXT})))
MEMBERSHIP = shape(
    {"id": TEXT, "name": TEXT, "provisional": {"type": "boolean"}},
    display_id=TEXT,
    tiers=listed(TIER),
    rewards=listed(REWARD),
)

SEVERITIES = ["recoverable", "requires_buyer_input", "requires_buyer_review", "unrecoverable"]
MESSAGE = {
    "oneOf": [
        shape({"type": {"const": "error"}, "code": TEXT, "content": TEXT, "severity": {"enum": SEVERITIES}}, path=TEXT),
        shape({"type": {"const": "warning"}, "code": TEXT, "content": TEXT}, path=TEXT),
        shape({"type": {"const": "info"}, "content": TEXT}, code=TEXT, path=TEXT),
    ]
}

CART = shape(
    {
        "ucp": METADATA,
        "id": TEXT,
        "line_items": listed(LINE_ITEM),
        "currency": TEXT,
        "totals": {**listed(TOTAL), "allOf": [one_of("subtotal"), one_of("total")]},
    },
    discounts=shape({}, codes=listed(TEXT), applied=listed(APPLIED)),
    loyalty={"type": "object", "propertyNames": CLAIM, "additionalProperties": MEMBERSHIP},
    messages=listed(MESSAGE),
)
"""A cart with the discount and loyalty extensions."""
