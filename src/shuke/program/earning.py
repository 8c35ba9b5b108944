"""Chapter 3: earning. A rule is a trigger, a condition, an amount, a scope, limits and an asset."""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from pydantic import Field, model_validator

from shuke.program.assets import Validity
from shuke.program.chapter import Chapter, Number, Slug, Text
from shuke.program.conditions import Condition, TermText
from shuke.program.problems import Broken
from shuke.program.sentences import Listed
from shuke.values.amounts import Rounding


class PerAmount(Chapter):
    """``points`` for every ``amount`` of currency units spent on eligible lines."""

    amount: Number = Field(gt=0)
    points: Number = Field(gt=0)


class PerUnit(Chapter):
    """``points`` for every ``every`` of a number: a payload field or any numeric term ("activity.distance")."""

    of: TermText
    every: Number = Field(default=Decimal(1), gt=0)
    points: Number = Field(gt=0)


class Step(Chapter):
    at_least: Number
    points: Number = Field(ge=0)


class Steps(Chapter):
    """A table over a number: the highest step reached gives its points (``streak(checked_in)``, ``order.amount``)."""

    of: TermText
    table: list[Step] = Field(min_length=1)


class Multiply(Chapter):
    """Raises what other rules give: ``by: 2`` doubles, and the extra is booked under this rule's own name.

    Without ``rules`` it works on every rule of the same asset that is not itself a multiplier.
    """

    by: Number = Field(gt=0)
    rules: list[Slug] = Field(default_factory=list)


class Give(Chapter):
    """Exactly one kind of amount. Points are in whole units of the asset (decimals up to its scale)."""

    fixed: Number | None = Field(default=None, gt=0)
    per: PerAmount | None = None
    per_item: Number | None = Field(default=None, gt=0)
    per_unit: PerUnit | None = None
    steps: Steps | None = None
    multiply: Multiply | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Give:
        if len(self.model_fields_set) != 1:
            raise Broken("exactly_one", names=Listed(tuple(type(self).model_fields)))
        return self


class Limits(Chapter):
    """Upper bounds in whole units of the asset; ``times_…`` count how often the rule gives at all.

    ``total`` and ``times_total`` are shared by all members and hard, also under load.
    """

    per_order: Number | None = Field(default=None, gt=0)
    per_day: Number | None = Field(default=None, gt=0)
    per_month: Number | None = Field(default=None, gt=0)
    per_year: Number | None = Field(default=None, gt=0)
    per_member: Number | None = Field(default=None, gt=0)
    total: Number | None = Field(default=None, gt=0)
    times_per_day: int | None = Field(default=None, ge=1)
    times_per_month: int | None = Field(default=None, ge=1)
    times_per_year: int | None = Field(default=None, ge=1)
    times_per_member: int | None = Field(default=None, ge=1)
    times_total: int | None = Field(default=None, ge=1)


class Span(Chapter):
    """When a rule is in force, in the program's zone. Dates are inclusive; hours are ``HH:MM``, the end exclusive."""

    from_: str | None = Field(default=None, alias="from", pattern=r"^\d{4}-\d{2}-\d{2}$")
    until: str | None = Field(default=None, pattern=r"^\d{4}-\d{2}-\d{2}$")
    weekdays: list[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]] = Field(default_factory=list)
    days_of_month: list[int] = Field(default_factory=list)
    hours: list[str] = Field(default_factory=list)  # "11:00-14:00"; over midnight allowed


class Stack(Chapter):
    """Rules of one group meet on one activity: all of them, the best one, or the first by priority."""

    group: Slug
    mode: Literal["sum", "best", "exclusive"] = "sum"


Payment = Literal["points", "stored_value"]
_NET_OF: tuple[Payment, ...] = ("points",)


class Rule(Chapter):
    """One way to earn.

    ``lines`` says which lines count; ``net_of`` what is subtracted from them first (coupons and
    discounts are always off ``amount``; points and stored value are payments, so a program chooses);
    ``include`` adds tax and shipping. Ties are broken by ``priority`` (higher first), then by id.
    """

    id: Slug
    title: Text | None = None
    on: str | list[str] = "order.paid"
    asset: Slug
    give: Give
    when: Condition | None = None
    lines: Condition | None = None
    net_of: list[Payment] = Field(default_factory=lambda: list(_NET_OF))
    include: list[Literal["tax", "shipping"]] = Field(default_factory=list)
    limits: Limits | None = None
    stack: Stack | None = None
    priority: int = 0
    span: Span | None = None
    validity: Validity | Literal["never"] | None = None
    pending: str | None = None
    rounding: Rounding | None = None

    @property
    def triggers(self) -> tuple[str, ...]:
        return (self.on,) if isinstance(self.on, str) else tuple(self.on)
