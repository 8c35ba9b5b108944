"""Whether a program holds together: everything a document can get wrong that one field alone cannot show.

Each chapter has its file here. An *error* must be mended before a program is published; a *warning* is
probably not what was meant. What the law of a place demands is not looked at here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from shuke.program.checks import (
    assets,
    benefits,
    conditions,
    coupons,
    earning,
    identities,
    measures,
    names,
    prices,
    stored_value,
    texts,
    tiers,
)
from shuke.program.document import Program
from shuke.program.problems import Problem

Check = Callable[[Program], Iterator[Problem]]

CHECKS: Final[tuple[Check, ...]] = (
    names.check,
    conditions.check,
    identities.check,
    measures.check,
    assets.check,
    earning.check,
    tiers.check,
    benefits.check,
    coupons.check,
    stored_value.check,
    prices.check,
    texts.check,
)


def check(program: Program) -> list[Problem]:
    """Everything that is wrong with the program as a whole, errors first; empty if it can be published."""
    problems = dict.fromkeys(problem for checked in CHECKS for problem in checked(program))
    return sorted(problems, key=lambda problem: problem.severity == "warning")
