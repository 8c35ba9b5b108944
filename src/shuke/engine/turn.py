"""One member's turn: what a stage of the pipeline reads and writes while an activity is settled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from shuke.engine.activity import Activity, Purchase
from shuke.engine.catalog import Catalogued
from shuke.engine.effects import Effects, Refused
from shuke.engine.member import Member

if TYPE_CHECKING:
    from shuke.engine.assets import AssetRules
    from shuke.engine.compiled import Compiled, Editions
    from shuke.engine.orders import Order


class Code(Struct, array_like=True, frozen=True):
    """What a unique coupon code is. ``state``: free | taken | void, as a code made ahead; elsewhere, where a coupon
    brought it along. ``template`` is what it opens, or what that coupon is."""

    template: str
    state: str


class Other(Struct, array_like=True, frozen=True):
    """Another member, as far as a merge must know her: her status, how many were merged into her, what of each asset
    she has, how many bytes she takes. ``kept`` is she as she was before she was merged herself."""

    status: str
    absorbed: int
    has: dict[str, int]
    size: int
    kept: bytes = b""


class Context(Struct):
    """What a step was handed beyond the member, as declared by ``needs(activity)``.

    ``taken`` maps a quota to what all members together have taken of it so far; the shell holds it locked.
    ``codes`` are the unique coupon codes among those asked for that anybody knows; the shell holds free ones locked.
    ``identities`` maps a place (see ``engine.identity.asked_for``) to another member who has the identity told there;
    ``erased`` names the other members of the activity who are erased. ``catalog`` is what the shop's catalog says of
    the goods in the purchase, None where it says nothing. ``others`` tells of the other one of a merge.
    ``history`` answers what an audience asks of all that happened, by the text it asks it in; a step is never handed
    any.
    """

    orders: dict[str, Order] = {}
    taken: dict[str, int] = {}
    codes: dict[str, Code] = {}
    identities: dict[str, str] = {}
    erased: list[str] = []
    catalog: Catalogued | None = None
    history: dict[str, int] = {}
    others: dict[str, Other] = {}


class Turn:
    """Program, member, activity and context of one step, and the effects so far.

    ``now`` is the instant being settled (during catch-up: the instant that fell due), ``day`` its local
    day and ``second`` the seconds since local midnight, both in the program's zone; ``program`` is the
    edition in force at ``now``. ``answer`` collects what the caller is told (amounts, not prose).
    """

    __slots__ = (
        "_priced",
        "activity",
        "answer",
        "context",
        "day",
        "due",
        "editions",
        "effects",
        "member",
        "now",
        "order",
        "program",
        "purchase",
        "refused",
        "second",
    )

    def __init__(self, editions: Editions, member: Member, activity: Activity, context: Context) -> None:
        self.editions = editions
        self.member = member
        self.activity = activity
        self.context = context
        self.effects = Effects()
        self.purchase: Purchase | None = activity.purchase
        self.order: Order | None = None
        self.refused: Refused | None = None
        self.answer: dict[str, Any] = {}
        self.due = False  # whether time is catching up
        self._priced: tuple[list[int], int] | None = None
        self.enter(activity.occurred_at)
        if context.catalog is not None and activity.purchase is not None:
            self.purchase = context.catalog.fill(activity.purchase, scale=self.program.document.scale)

    def enter(self, instant: int) -> None:
        """Move to ``instant``: its edition of the program, its local day and clock."""
        self.now = instant
        program: Compiled = self.editions.at(instant)
        self.program = program
        self.day: int
        self.second: int
        self.day, self.second = program.calendar.clock(instant)

    def rules_of(self, asset: str) -> AssetRules:
        """The rules of an asset; of the first edition that has it, where a late fact about an order falls under one
        that did not know it yet."""
        rules = self.program.assets.get(asset)
        return rules if rules is not None else self.editions.first_with(asset).assets[asset]

    def buy(self, purchase: Purchase) -> None:
        """The purchase at its prices of now: what was worked out from earlier ones is forgotten."""
        self.purchase = purchase
        self._priced = None

    def basis(self) -> list[int]:
        """Per line what it cost (minor units), then tax, then shipping; what is already refunded is left out."""
        return self.priced()[0]

    def priced(self) -> tuple[list[int], int]:
        """The basis, and the sum of its lines. Worked out once, so nobody may change it."""
        found = self._priced
        if found is None:
            purchase = self.purchase
            if purchase is None:
                found = [0, 0], 0
            elif self.order is not None and any(self.order.refunded):
                pairs = zip(self.order.amounts, self.order.refunded, strict=True)
                amounts = [max(0, amount - back) for amount, back in pairs]
                found = amounts, sum(amounts[:-2])
            else:
                amounts = [line.amount for line in purchase.lines]
                goods = sum(amounts)
                amounts += (purchase.tax, purchase.shipping)
                found = amounts, goods
            self._priced = found
        return found

    def is_whole(self) -> bool:
        """Whether every line counts with all it cost: nothing of it is refunded or paid with points or stored value."""
        order = self.order
        return order is None or not (order.paid or (order.refunded and any(order.refunded)))

    def paid_otherwise(self, with_: frozenset[str]) -> list[int] | None:
        """Per line what points and / or stored value paid of it, minor units; None where nothing did.

        What is already refunded is left out, as in ``basis``.
        """
        order = self.order
        if order is None or not order.paid:
            return None
        found: list[int] | None = None
        for paid in order.paid:
            if ("stored_value" if self.program.is_stored_value(paid.asset) else "points") in with_:
                worth = paid.worth
                if any(order.refunded):
                    worth = [part - taken for part, taken in zip(worth, order.worth_back(paid), strict=True)]
                found = list(worth) if found is None else [a + b for a, b in zip(found, worth, strict=True)]
        return found

    def skip(self, what: str, code: str, facts: dict[str, Any]) -> None:
        """Tell the caller what did not apply, and why."""
        self.answer.setdefault("skipped", []).append({"what": what, "code": code, **facts})

    def add_earned(self, asset: str, amount: int) -> None:
        """Tell the caller what was earned."""
        earned = self.answer.setdefault("earned", {})
        earned[asset] = earned.get(asset, 0) + amount
