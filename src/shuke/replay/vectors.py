"""Vectors: examples of what a program promises, written as given / when / then beside the program.

``coffee-stars.vectors.yaml`` holds ``coffee-stars.yaml`` to its public rules; ``vector_runs`` runs them.
Amounts are written in currency units and whole units of assets, instants and dates in the program's zone. A
date as an end is the last day on which something holds.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from pydantic import ConfigDict, Field, ValidationError, model_validator

from shuke.program.chapter import Chapter, Number
from shuke.program.document import Program, read
from shuke.program.document_text import parse
from shuke.program.problems import Broken, DocumentError
from shuke.program.sentences import Listed
from shuke.program.wording import problems_of

Amount = Number | Literal["all"]
NONE = Decimal(0)


class LineTold(Chapter):
    """A line of an order: its total after discounts. Further fields are attributes for conditions."""

    model_config = ConfigDict(extra="allow", frozen=True)

    amount: Number
    quantity: int = 1
    sku: str | None = None
    category: str | None = None
    brand: str | None = None
    list_amount: Number | None = None
    tags: list[str] | None = None


class OrderTold(Chapter):
    """An order or a cart. ``amount`` stands for one line of that amount; ``id`` is its number by default.

    As an ``order`` its amounts are what was charged; as a ``cart`` or ``quote`` they are list prices. With
    ``points``, ``stored_value`` or ``coupons`` it is priced and settled here in any case.
    """

    id: str | None = None
    amount: Number | None = None
    lines: list[LineTold] = Field(default_factory=list)
    tax: Number = NONE
    shipping: Number = NONE
    channel: str | None = None
    store: str | None = None
    payment: str | None = None
    coupons: list[str] = Field(default_factory=list)
    points: dict[str, Amount] = Field(default_factory=dict)
    stored_value: Amount = NONE
    hold: str | None = None

    @model_validator(mode="after")
    def _lines_or_amount(self) -> OrderTold:
        if (self.amount is None) == (not self.lines):
            raise Broken("example_order")
        return self


class RefundTold(Chapter):
    """Everything that is left, an amount, or lines ({line: 1, quantity: 1} or {line: 2, amount: 30})."""

    order: str | None = None
    amount: Number | None = None
    lines: list[dict[str, int | Number]] | None = None
    tax: Number | None = None
    shipping: Number | None = None


class Standing(Chapter):
    """A tier in force; ``until`` is its last day, or ``lifetime``."""

    tier: str | None = None
    until: str | None = None


class LotLeft(Chapter):
    """Value that arrived together. ``until`` is its last day, or ``never``; ``from`` the day it ripens."""

    amount: Number
    until: str
    from_: str | None = Field(default=None, alias="from")


class EntryTold(Chapter):
    """A line of the books of the last step; only what is said is compared."""

    kind: str
    asset: str | None = None
    amount: Number | None = None
    rule: str | None = None
    debit: str | None = None
    credit: str | None = None


class Then(Chapter):
    """What must hold after a step. ``earned``, ``entries``, ``refused``, ``money`` and the fields of a quote
    (``payable``, ``lines``, ``paid``, ``earns``) are about that step; the rest is how the member stands then.

    ``balances`` is what can be spent now, without ``pending``; ``tiers`` compares tier and, where it is said,
    its end; ``coupons`` counts those in hand by template; ``lots`` lists what there is of an asset, by end.
    """

    balances: dict[str, Number] | None = None
    pending: dict[str, Number] | None = None
    debts: dict[str, Number] | None = None
    lots: dict[str, list[LotLeft]] | None = None
    tiers: dict[str, str | Standing | None] | None = None
    coupons: dict[str, int] | None = None
    earned: dict[str, Number] | None = None
    entries: list[EntryTold] | None = None
    refused: str | None = None
    money: Number | None = None
    payable: Number | None = None
    lines: list[Number] | None = None
    paid: dict[str, Number] | None = None
    earns: dict[str, Number] | None = None
    skipped: list[str] | None = None


class Step(Chapter):
    """One thing that happens at ``at``; nothing at all means that time passes until then."""

    at: str
    member: str = "member"
    order: OrderTold | None = None
    cart: OrderTold | None = None
    quote: OrderTold | None = None
    hold: OrderTold | None = None
    refund: RefundTold | None = None
    complete: str | None = None
    cancel: str | None = None
    reopen: str | None = None
    activity: str | None = None
    payload: dict[str, Any] | None = None
    then: Then | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Step:
        said = [name for name in self.happenings() if getattr(self, name) is not None]
        if len(said) > 1:
            raise Broken("example_step", said=Listed(tuple(said), "and"))
        if self.payload is not None and self.activity is None:
            raise Broken("example_payload")
        return self

    @staticmethod
    def happenings() -> tuple[str, ...]:
        return ("order", "cart", "quote", "hold", "refund", "complete", "cancel", "reopen", "activity")

    @property
    def name(self) -> str:
        """What to call the step in a message: "2026-01-20 (order)"."""
        said = [name for name in self.happenings() if getattr(self, name) is not None]
        happened = self.activity or (said[0] if said else "time passes")
        return f"{self.at} ({happened})"


class Given(Chapter):
    """How things stand: a member who joined, her traits, tags and balances, and what she did before."""

    joined: str | None = None
    traits: dict[str, Any] = Field(default_factory=dict)
    tags: list[str] = Field(default_factory=list)
    balances: dict[str, Number] = Field(default_factory=dict)
    before: list[Step] = Field(default_factory=list)


class Vector(Chapter):
    """One example. ``name`` is a sentence, ``source`` where the rule is published or how it was computed."""

    name: str = Field(min_length=10)
    source: str = Field(min_length=3)
    given: Given = Field(default_factory=Given)
    when: list[Step] = Field(min_length=1)
    then: Then | None = None
    others: dict[str, Then] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> Vector:
        if self.then is None and not self.others and all(step.then is None for step in self.when):
            raise Broken("example_then")
        return self


class Vectors(Chapter):
    """A file of vectors: the program it is about, and the examples."""

    program: str
    source: str
    vectors: list[Vector] = Field(min_length=1)


def read_vectors(path: Path) -> tuple[Program, Vectors]:
    """The vectors of a file and the program they are about. Raises ``DocumentError`` for either."""
    parsed = parse(path.read_text(encoding="utf-8"))
    try:
        vectors = Vectors.model_validate(parsed.data)
    except ValidationError as error:
        found = problems_of(error.errors(), data=parsed.data, model=Vectors, lines=parsed.lines)
        raise DocumentError(found) from error
    return read((path.parent / vectors.program).read_text(encoding="utf-8")), vectors
