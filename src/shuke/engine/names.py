"""What compiling a condition needs to know of the program it stands in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from shuke.program.conditions import Vocabulary

if TYPE_CHECKING:
    from shuke.program.document import Program
    from shuke.program.measures import Measure

_DAYS = ("streak:", "days_since:")


@dataclass(frozen=True)
class Names:
    """The program's vocabulary, which measures are series of days, and the ladder a window ``term`` means."""

    vocabulary: Vocabulary
    day_measures: frozenset[str] = frozenset()
    ladder: str | None = None

    @classmethod
    def of(cls, program: Program, *, measures: Iterable[Measure]) -> Names:
        """The names of a program; ``measures`` are those it keeps, ad-hoc ones included."""
        days = frozenset(measure.id for measure in measures if measure.kind == "days")
        return cls(Vocabulary.of(program), days)

    def on(self, ladder: str) -> Names:
        """The same names, for criteria of this ladder."""
        return replace(self, ladder=ladder)

    def counts_days(self, measure: str) -> bool:
        """Whether the measure's series says on which days something happened, not how much."""
        return measure in self.day_measures or measure.startswith(_DAYS)

    @property
    def currency_scale(self) -> int:
        """Minor units in one currency unit: 1, 100 …"""
        return int(10**self.vocabulary.currency_scale)
