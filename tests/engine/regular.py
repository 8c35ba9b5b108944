"""One regular through the years: what she does, in the words of a table, and what that makes of her standing.

A moment is a local day ("2026-05-01", meaning noon) or a local time ("2026-05-01T09:30"). Money is in whole
units of a currency without decimals.
"""

from __future__ import annotations

from datetime import date
from typing import Any

from shuke.engine.activity import Activity, Line, Purchase
from shuke.engine.compiled import Compiled, Editions
from shuke.engine.effects import Settled, TierChanged
from shuke.engine.member import Member
from shuke.engine.orders import Order
from shuke.engine.step import step
from shuke.engine.turn import Context
from shuke.program.document import read
from shuke.values.instants import NEVER, Instant, calendar_of

ZONE = "Asia/Taipei"
CALENDAR = calendar_of(ZONE)
HEAD = f"id: shop\ncurrency: TWD\ncurrency_scale: 0\nzone: {ZONE}\n"


def moment(text: str) -> Instant:
    return CALENDAR.parse(text if "T" in text else f"{text}T12:00")


def day_text(until: Instant) -> str | None:
    """The last day on which something holds that ends at ``until``; None: without end."""
    return None if until == NEVER else date.fromordinal(CALENDAR.day(until - 1)).isoformat()


def editions(*texts: str, starts: tuple[str, ...] = ()) -> Editions:
    """The program of each text (without its head), the later ones in force from ``starts`` on."""
    froms = [0, *(CALENDAR.parse(start) for start in starts)]
    programs = [read(HEAD + text) for text in texts]
    return Editions(
        Compiled(program, version=version, effective_from=at)
        for version, (program, at) in enumerate(zip(programs, froms, strict=True), 1)
    )


def ladder(*tiers: str, **how: object) -> str:
    """A ladder "main" of base and these tiers, each written as YAML flow ("{id: gold, entry: …}")."""
    lines = [
        "ladders:",
        "- id: main",
        *(f"  {name}: {value}" for name, value in how.items()),
        "  tiers:",
        "  - {id: base}",
    ]
    return "\n".join([*lines, *(f"  - {tier}" for tier in tiers)]) + "\n"


YEARLY = (
    "{id: silver, entry: spend(12 months) >= 5000}",
    "{id: gold, entry: spend(12 months) >= 10000}",
    "{id: top, entry: spend(12 months) >= 20000}",
)
REDATING = ladder(*YEARLY, term="12 months")
FIXED = ladder(*YEARLY, term="12 months", requalify="fixed")
TERM_KEEP = (
    "{id: silver, entry: spend(12 months) >= 5000, keep: spend(term) >= 5000}",
    "{id: gold, entry: spend(12 months) >= 10000, keep: spend(term) >= 8000}",
)
"""Retention criteria that count the term alone."""


class Regular:
    """A member of a shop. ``changes`` is everything that became of her standing, in order."""

    def __init__(self, program: Editions | str) -> None:
        self.program = editions(program) if isinstance(program, str) else program
        self.member = Member("m1", 0)
        self.orders: dict[str, Order] = {}
        self.changes: list[TierChanged] = []
        self.topics: list[str] = []
        self.numbers = 0

    def does(self, when: str, type_: str, purchase: Purchase | None = None, **payload: Any) -> Settled:
        """Settle one activity, which may be refused."""
        self.numbers += 1
        key = f"a{self.numbers}"
        activity = Activity(type_, "m1", moment(when), "test", key, payload or None, purchase)
        settled = step(self.program, self.member, activity, Context(dict(self.orders)))
        self.member = settled.member
        self.orders.update(settled.effects.orders)
        self.changes += settled.effects.tiers
        self.topics += [wanted.topic for wanted in settled.effects.wanted]
        return settled

    def pays(self, when: str, amount: int, order: str | None = None) -> Settled:
        """Pay an order of one line; its id is ``order``, or o1, o2 …"""
        order = order or f"o{len(self.orders) + 1}"
        return self.does(when, "order.paid", Purchase(order, [Line(amount)]))

    def returns(self, when: str, order: str, amount: int | None = None) -> Settled:
        """Bring back an order, or so much of it."""
        part = {} if amount is None else {"amount": amount}
        return self.does(when, "order.refunded", order_id=order, **part)

    def waits(self, until: str) -> Settled:
        return self.does(until, "time.passed")

    def acts(self, *rows: tuple[Any, ...]) -> Regular:
        """Rows of (moment, amount): orders paid; of (moment, "back", order id): refunds; of (moment,): waiting.

        The n-th order that is paid is ``o<n>``.
        """
        for row in rows:
            when, *rest = row
            if not rest:
                self.waits(when)
            elif rest[0] == "back":
                self.returns(when, *rest[1:])
            else:
                self.pays(when, *rest)
        return self

    @property
    def tier(self) -> str | None:
        """The tier in force."""
        return self.member.tiers.get("main")

    @property
    def until(self) -> str | None:
        """The last day of the term of her standing."""
        standing = self.member.standings["main"]
        return day_text(standing.grace_until or standing.until)

    def story(self) -> list[str]:
        """What became of her standing: "2025-09-01 reached gold to 2026-09-01", joining left out."""
        return [
            f"{CALENDAR.format(change.at)[:10]} {change.reason} {change.after}"
            + ("" if change.until == NEVER or change.after is None else f" to {day_text(change.until)}")
            for change in self.changes
            if change.reason != "joined"
        ]
