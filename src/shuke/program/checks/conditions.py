"""Every condition and term of a program, checked where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from shuke.program.benefits import Benefit
from shuke.program.chapter import Chapter
from shuke.program.condition_check import Place
from shuke.program.conditions import Node, Term, Vocabulary, check_term
from shuke.program.conditions import check as check_condition
from shuke.program.coupons import CouponTemplate
from shuke.program.document import Program
from shuke.program.earning import Rule
from shuke.program.measures import Measure
from shuke.program.prices import MembersOnly, Promotion
from shuke.program.problems import Problem
from shuke.program.stored_value import Offer
from shuke.program.tiers import Ladder

WITH_LINES: Final = frozenset(("order.paid", "order.completed"))
"""Activities that bring an order with lines."""


class Asked(NamedTuple):
    """A condition or term, where it is written, and what can be seen from there."""

    path: str
    asked: Node | Term
    place: Place


def check(program: Program) -> Iterator[Problem]:
    vocabulary = Vocabulary.of(program)
    for path, asked, place in conditions_of(program):
        if isinstance(asked, Node):
            found = check_condition(asked, vocabulary, place=place)
        else:
            found = check_term(asked, vocabulary, place=place)
        for problem in found:
            yield problem.under(path)


def conditions_of(program: Program) -> Iterator[Asked]:
    """Every condition and term of the program with its path."""
    yield from _walk(program, "", "activity")


def _walk(value: Any, path: str, place: Place) -> Iterator[Asked]:
    if isinstance(value, Chapter):
        inside = _place(value) or place
        for name, field in type(value).model_fields.items():
            below = f"{path}.{field.alias or name}" if path else field.alias or name
            yield from _walk(getattr(value, name), below, "line" if name == "lines" else inside)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, f"{path}[{index}]", place)
    elif isinstance(value, Node | Term):
        yield Asked(path, value, place)


def _place(chapter: Chapter) -> Place | None:
    """What conditions in this chapter (and below it) can see; None: as much as above it."""
    match chapter:
        case Rule():
            return "order" if WITH_LINES.issuperset(chapter.triggers) else "activity"
        case Measure():
            return "order" if WITH_LINES.issuperset(chapter.on) else "activity"
        case Ladder():
            return "tier"
        case Promotion() | CouponTemplate():
            return "order"
        case MembersOnly():
            return "member"
        case Benefit():
            return "member" if chapter.kind in ("upgrade_gift", "birthday_gift") else "order"
        case Offer():
            return "activity"
        case _:
            return None
