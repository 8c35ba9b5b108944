"""A cart while it is being priced, and the quote that comes out of it.

Positions run over the lines, then tax, then shipping, as in an order's ``amounts``. Money is in minor units.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.msgpack import Decoder, Encoder

from shuke.engine.activity import Line, Purchase
from shuke.engine.index import all_carried
from shuke.engine.member import Coupon
from shuke.engine.turn import Turn

LIST, MEMBER_PRICE, TIER_PERCENT, PROMOTION = "list", "member_price", "tier_percent", "promotion"
"""How a line was priced: what conditions read as ``line.priced_by``."""

EVERYTHING = -1
"""Asked of points or stored value: as much as the cart takes and the member has."""


class Applied(Struct, omit_defaults=True):
    """A reduction: what it took off each position. ``coupon`` is the coupon's id where one did it."""

    kind: str  # member_price | tier_percent | promotion | coupon | free_shipping
    id: str
    amount: int
    shares: list[int]
    coupon: str | None = None
    borne: dict[str, int] | None = None  # who bears how much of it, where a coupon's template says


class CouponUse(Struct, omit_defaults=True):
    """A coupon the cart redeems. ``new``: it comes with a code and was not in the member's hands before;
    ``value``: what is used of a cash voucher."""

    coupon: Coupon
    value: int = 0
    new: bool = False


class Payment(Struct, omit_defaults=True):
    """What an asset pays: units of the asset and minor units per position; ``lots`` are [lot, units, end]."""

    asset: str
    units: list[int]
    worth: list[int]
    lots: list[list[int]] = []


class Earning(Struct, array_like=True):
    """What a rule would give if the cart were paid now, in units of the asset."""

    rule: str
    asset: str
    amount: int


class Quote(Struct, omit_defaults=True):
    """What a cart costs this member at ``at``, and how that came about.

    ``purchase`` has the lines at their final prices: list price less everything in ``applied``, before points
    and stored value. ``list_amounts`` and ``amounts`` run over positions; ``payable`` is left in money.
    ``earns`` is per asset, in its units, if it were paid now, and ``earning`` by which rules. ``skipped`` says
    with a code and facts what did not apply, ``hints`` what would help, ``wallet`` what each coupon at hand
    would save by itself, ``usable`` what each asset could pay, ``policy`` which of the program's choices
    decided, and ``tiers`` (ladder → tier in force) where she stood; the last is only told by quotes.
    """

    at: int
    version: int
    purchase: Purchase
    list_amounts: list[int]
    amounts: list[int]
    applied: list[Applied]
    coupons: list[CouponUse]
    paid: list[Payment]
    payable: int
    earns: dict[str, int] = {}
    skipped: list[dict[str, Any]] = []
    hints: list[dict[str, Any]] = []
    wallet: list[dict[str, Any]] = []
    usable: dict[str, dict[str, int]] = {}
    policy: dict[str, Any] = {}
    earning: list[Earning] = []
    tiers: dict[str, str] = {}


class NotApplicable(Exception):
    """While pricing a cart that is to be held or paid: something asked for cannot be. It stays inside."""

    def __init__(self, what: str, code: str, facts: dict[str, Any]) -> None:
        self.what, self.code, self.facts = what, code, facts
        super().__init__(what, code)


class Cart:
    """The working copy. ``purchase.lines[i].amount`` is the price of the line as it stands now.

    ``strict``: whatever the caller asked for must apply (``NotApplicable``), else it is listed as skipped.
    ``how[i]`` collects in which ways line i was priced, ``taken[i]`` the promotion categories it met.
    """

    __slots__ = (
        "_carried",
        "applied",
        "coupons",
        "hints",
        "how",
        "lines",
        "list_amounts",
        "paid",
        "purchase",
        "skipped",
        "strict",
        "taken",
        "turn",
        "usable",
        "wallet",
        "wanted",
    )

    def __init__(self, turn: Turn, told: Purchase, *, strict: bool) -> None:
        self.turn = turn
        self.strict = strict
        self.lines = [_working(line) for line in told.lines]
        self.purchase = Purchase(
            told.order_id,
            self.lines,
            told.channel,
            told.store,
            told.payment,
            told.tax,
            told.shipping,
            told.uses,
            told.hold,
            False,
        )
        self.list_amounts = [line.amount for line in self.lines] + [told.tax, told.shipping]
        self.how: list[set[str]] = [set() for _ in self.lines]
        self.taken: list[set[str]] = [set() for _ in self.lines]
        self.applied: list[Applied] = []
        self.coupons: list[CouponUse] = []
        self.paid: list[Payment] = []
        self.skipped: list[dict[str, Any]] = []
        self.hints: list[dict[str, Any]] = []
        self.wallet: list[dict[str, Any]] = []
        self.usable: dict[str, dict[str, int]] = {}
        self.wanted: Any = None  # the coupons asked for, once coupon_use has looked them up
        self._carried: dict[str, dict[Any, list[int]]] = {}
        turn.buy(self.purchase)

    def amounts(self) -> list[int]:
        """The price of every position as it stands now."""
        return [*(line.amount for line in self.lines), self.purchase.tax, self.purchase.shipping]

    def lines_total(self) -> int:
        return sum(line.amount for line in self.lines)

    def carrying(self, attribute: str, values: frozenset[str]) -> list[int]:
        """The positions of lines that carry one of the values, ascending."""
        table = self._carried.get(attribute)
        if table is None:
            table = self._carried[attribute] = {}
            for position, line in enumerate(self.lines):
                for value in all_carried(line, attribute):
                    table.setdefault(value, []).append(position)
        found = [position for value in values if value in table for position in table[value]]
        return sorted(set(found)) if len(values) > 1 else found

    def reduce(self, kind: str, id_: str, off: dict[int, int], *, coupon: str | None = None) -> int:
        """Take ``off`` (position → minor units) off the prices and remember why. Returns the sum."""
        shares = [0] * len(self.list_amounts)
        total = 0
        for position, amount in off.items():
            if amount == 0:
                continue
            line = self.lines[position]
            assert 0 < amount <= line.amount, "a reduction never exceeds the price"
            line.amount -= amount
            shares[position] = amount
            total += amount
        if total:
            self.applied.append(Applied(kind, id_, total, shares, coupon))
            self.turn.buy(self.purchase)
        return total

    def reduce_shipping(self, kind: str, id_: str, off: int, *, coupon: str | None = None) -> None:
        """Take ``off`` (> 0) off the shipping."""
        shares = [0] * len(self.list_amounts)
        shares[-1] = off
        self.purchase.shipping -= off
        self.applied.append(Applied(kind, id_, off, shares, coupon))
        self.turn.buy(self.purchase)

    def priced_by(self, position: int, how: str) -> None:
        """Remember how a line was priced; the first way is the one it is called after."""
        self.how[position].add(how)
        attributes = self.lines[position].attributes
        assert attributes is not None, "working lines have attributes"
        if attributes["priced_by"] == LIST:
            attributes["priced_by"] = how
            self._carried.pop("priced_by", None)

    def skip(self, what: str, code: str, **facts: Any) -> None:
        """Tell what did not apply, though nobody insisted on it."""
        self.skipped.append({"what": what, "code": code, **facts})

    def decline(self, what: str, code: str, **facts: Any) -> None:
        """Something asked for does not apply: refused where the cart is to be settled, else told."""
        if self.strict:
            raise NotApplicable(what, code, facts)
        self.skipped.append({"what": what, "code": code, **facts})


def _working(line: Line) -> Line:
    """A copy at list price, with room for how it will be priced."""
    price = line.amount if line.list_amount is None else line.list_amount
    attributes = {**line.attributes, "priced_by": LIST} if line.attributes else {"priced_by": LIST}
    return Line(price, line.quantity, line.sku, line.category, line.brand, price, line.tags, attributes)


_encoder = Encoder()
_decoder = Decoder(Quote)


def pack_quote(quote: Quote) -> bytes:
    return _encoder.encode(quote)


def unpack_quote(promise: bytes) -> Quote:
    """What ``pack_quote`` gave."""
    return _decoder.decode(promise)
