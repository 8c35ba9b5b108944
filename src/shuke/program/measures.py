"""What is counted about a member: spend, orders, visits, nights, active days …, per local day.

Conditions ask for a measure in a window: ``spend(12 months) >= 5000``. Some measures exist without
being declared: ``spend`` and ``orders`` and ``items`` of paid orders, ``active_days``, and, for each
asset, ``earned(asset, window)``. Only what some condition asks for is kept.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from shuke.program.chapter import Chapter, Slug, Text
from shuke.program.conditions import Condition


class Measure(Chapter):
    """``kind``: the sum of something, the count of activities, or the number of days with one.

    ``of`` (for sums): ``amount`` (line amounts, money), ``items`` (quantities) or ``payload.<field>``.
    ``lines`` restricts amounts and items to matching lines; an order counts if any line matches.
    """

    id: Slug
    title: Text | None = None
    kind: Literal["sum", "count", "days"] = "sum"
    of: str = "amount"
    on: list[str] = Field(default_factory=lambda: ["order.paid"], min_length=1)
    when: Condition | None = None
    lines: Condition | None = None


BUILT_IN: tuple[Measure, ...] = (
    Measure(id="spend"),
    Measure(id="orders", kind="count"),
    Measure(id="items", of="items"),
    Measure(id="active_days", kind="days"),
)
