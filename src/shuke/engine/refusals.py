"""Refusals: the closed list of codes, what each may say of its case, and how it is said to people.

A refusal is an answer like any other. Its code is for machines and never changes; the sentence is for whoever
stands at the counter.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any, Final

from shuke.engine.effects import Refused
from shuke.engine.sentences import Locale, Writer, writer
from shuke.program.document import Program


class Fact(Enum):
    """What a fact of a refusal is, hence how it is written."""

    TEXT = "text"
    ASSET = "asset"  # the id of an asset
    UNITS = "units"  # smallest units of the asset that the refusal names
    MONEY = "money"  # minor units of the program's currency
    DATE = "date"  # an instant, of which the date is told
    END = "end"  # the instant at which something ended: its last day is told
    WORD = "word"  # a word with its own translation


CODES: Final[dict[str, dict[str, Fact]]] = {
    "already_expired": {"expires_at": Fact.END},
    "already_joined": {"joined_at": Fact.DATE},
    "amount_invalid": {"amount": Fact.TEXT},
    "asset_unknown": {"asset": Fact.TEXT},
    "insufficient": {"asset": Fact.ASSET, "asked": Fact.UNITS, "available": Fact.UNITS},
    "line_unknown": {"order_id": Fact.TEXT, "line": Fact.TEXT},
    "not_spendable": {"asset": Fact.ASSET},
    "order_cancelled": {"order_id": Fact.TEXT},
    "order_completed": {"order_id": Fact.TEXT},
    "order_exists": {"order_id": Fact.TEXT},
    "order_missing": {},
    "order_not_cancelled": {"order_id": Fact.TEXT},
    "order_unknown": {"order_id": Fact.TEXT},
    "reason_missing": {},
    "refund_exceeds_order": {
        "order_id": Fact.TEXT,
        "line": Fact.TEXT,
        "part": Fact.WORD,
        "left": Fact.MONEY,
        "amount": Fact.MONEY,
    },
    "transfer_limit": {"asset": Fact.ASSET, "left": Fact.UNITS},
    "transfer_not_allowed": {"asset": Fact.ASSET, "amount": Fact.UNITS},
    "transfer_to_self": {},
    # Answered by settling, before or instead of a step.
    "engine_failed": {},
    "key_reused": {},
}
"""Every code, with the facts it may come with."""


def sentence(refused: Refused, program: Program, locale: Locale) -> str:
    """What is said to people. KeyError for a code off the list: nobody may answer with such a one."""
    words = writer(program, locale)
    kinds = CODES[refused.code]
    written = {
        name: _WRITE[kind](words, refused.facts[name], refused.facts)
        for name, kind in kinds.items()
        if refused.facts.get(name) is not None
    }
    return words.refusal(refused.code, written)


_WRITE: Final[dict[Fact, Callable[[Writer, Any, dict[str, Any]], str]]] = {
    Fact.TEXT: lambda words, value, facts: str(value),
    Fact.ASSET: lambda words, value, facts: words.asset(value),
    Fact.UNITS: lambda words, value, facts: words.quantity(facts["asset"], value),
    Fact.MONEY: lambda words, value, facts: words.money(value),
    Fact.DATE: lambda words, value, facts: words.date(value),
    Fact.END: lambda words, value, facts: words.last_day(value),
    Fact.WORD: lambda words, value, facts: words.part(value),
}
