"""Conditions as readable text, from the tree; the counterpart of ``condition_text.parse``."""

from __future__ import annotations

import json
import re
from datetime import time
from decimal import Decimal
from types import UnionType

from shuke.program.condition_tree import (
    Ago,
    All,
    Any,
    Balance,
    Between,
    Compare,
    Constant,
    DaysSince,
    Fact,
    Has,
    In,
    InNext,
    InSegment,
    IsToday,
    Measured,
    Month,
    Node,
    Not,
    Ratio,
    Sequence,
    Streak,
    Term,
    Tier,
    Value,
    Window,
)

KEYWORDS = frozenset(("and", "or", "not", "in", "between", "has", "is", "true", "false", "tag"))

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*\Z")


def show(node: Node) -> str:
    """The condition as readable text; ``parse`` gives the same tree back."""
    match node:
        case Constant(truth):
            return "true" if truth else "false"
        case All(nodes):
            return " and ".join(_enclosed(child, All | Any) for child in nodes)
        case Any(nodes):
            return " or ".join(_enclosed(child, Any) for child in nodes)
        case Not(child):
            return f"not {_enclosed(child, All | Any)}"
        case Compare(term, op, value):
            right = show_term(value) if isinstance(value, Term) else show_value(value)
            return f"{show_term(term)} {op} {right}"
        case In(term, values, negated):
            return f"{show_term(term)} {'not in' if negated else 'in'} {_listed(values)}"
        case Between(term, low, high):
            return f"{show_term(term)} between {show_value(low)} and {show_value(high)}"
        case Has(Fact("member", "tags"), (tag,)):
            return f"tag {show_value(tag)}"
        case Has(term, values):
            return f"{show_term(term)} has {_listed(values) if len(values) > 1 else show_value(values[0])}"
        case IsToday(term):
            return f"{show_term(term)} is today"
        case InNext(term, days):
            return f"{show_term(term)} in next {days} {'days' if days > 1 else 'day'}"
        case InSegment(segment):
            return f"segment({segment})"
        case Sequence(first, then, count, unit, negated):
            within = f"within {_counted(count, unit)}"
            last = f" in last {show_window(node.last)}" if node.last.kind == "rolling" else ""
            return f"{first} then {'not ' if negated else ''}{then} {within}{last}"


def show_term(term: Term) -> str:
    """The term as readable text."""
    match term:
        case Fact(scope, name):
            return f"{scope}.{name if _WORD.match(name) else _quoted(name)}"
        case Measured(measure, window):
            kind, _, of = measure.partition(":")
            return f"{kind}({of}, {show_window(window)})" if of else f"{kind}({show_window(window)})"
        case Streak(activity):
            return f"streak({activity})"
        case DaysSince(activity):
            return f"days_since({activity})"
        case Balance(asset):
            return f"balance({asset})"
        case Tier(ladder):
            return f"tier({ladder})"
        case Month(of):
            return f"month({show_term(of)})"
        case Ratio(top, bottom):
            return f"{show_term(top)} / {show_term(bottom)}"


def show_window(window: Window) -> str:
    """The window as readable text: "12 months", "last calendar year", "term of main"."""
    match window:
        case Window("rolling", count, unit):
            return _counted(count, unit)
        case Window("calendar"):
            return f"calendar {window.unit}"
        case Window("last_calendar"):
            return f"last calendar {window.unit}"
        case Window("membership_year"):
            return "membership year"
        case Window("term", ladder=str(ladder)):
            return f"term of {ladder}"
        case _:
            return window.kind


def show_value(value: Value) -> str:
    """A literal as it is written: texts quoted unless they are plain words."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        text = f"{value:f}"
        return text if "." in text else f"{text}.0"
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, Ago):
        return f"{_counted(value.count, value.unit)} {'ahead' if value.ahead else 'ago'}"
    if isinstance(value, str):
        return value if _WORD.match(value) and value not in KEYWORDS else _quoted(value)
    return str(value)


def _counted(count: int, unit: str) -> str:
    return f"{count} {unit if count > 1 else unit[:-1]}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _listed(values: tuple[Value, ...]) -> str:
    return f"[{', '.join(show_value(value) for value in values)}]"


def _enclosed(node: Node, kinds: type | UnionType) -> str:
    return f"({show(node)})" if isinstance(node, kinds) else show(node)
