"""One condition language for rules, scopes, tier criteria and audiences: the types a document uses.

``Condition`` and ``TermText`` are for pydantic models: they read text (or, for conditions, the JSON form),
hold the typed tree, and are written as text again. Everything the other floors need is importable here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Annotated, Final, cast
from typing import Any as Json

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from shuke.program.condition_check import Signature, Vocabulary, check, check_term, measure_kind, signature
from shuke.program.condition_facts import LINE_COLUMNS, PAYLOAD_SCALE, WEEKDAYS, Kind
from shuke.program.condition_show import show, show_term, show_value, show_window
from shuke.program.condition_text import (
    MAX_DEPTH,
    RESERVED,
    ConditionSyntax,
    parse,
    parse_term,
    parse_window,
)
from shuke.program.condition_tree import (
    ALWAYS,
    LIFETIME,
    LONGEST_NEXT,
    OPS,
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
    all_of,
    any_of,
    plain,
    terms_of,
    walk,
)
from shuke.program.condition_uses import Uses, line_index, reach_days, uses, uses_of_term
from shuke.program.problems import Broken
from shuke.program.sentences import Listed

__all__ = [
    "ALWAYS",
    "LIFETIME",
    "LINE_COLUMNS",
    "PAYLOAD_SCALE",
    "RESERVED",
    "WEEKDAYS",
    "Ago",
    "All",
    "Any",
    "Balance",
    "Between",
    "Compare",
    "Condition",
    "ConditionSyntax",
    "Constant",
    "DaysSince",
    "Fact",
    "Has",
    "In",
    "InNext",
    "InSegment",
    "IsToday",
    "Kind",
    "Measured",
    "Month",
    "Node",
    "Not",
    "Ratio",
    "Sequence",
    "Signature",
    "Streak",
    "Term",
    "TermText",
    "Tier",
    "Uses",
    "Value",
    "Vocabulary",
    "Window",
    "all_of",
    "any_of",
    "check",
    "check_term",
    "from_json",
    "line_index",
    "measure_kind",
    "parse",
    "parse_term",
    "parse_window",
    "plain",
    "reach_days",
    "read_condition",
    "read_term",
    "show",
    "show_term",
    "show_value",
    "show_window",
    "signature",
    "terms_of",
    "to_json",
    "uses",
    "uses_of_term",
    "walk",
]


def read_condition(source: Json) -> Node:
    """The tree of a text, true, false, the JSON form or a tree itself. ValueError for anything else."""
    if isinstance(source, Node):
        return source
    if isinstance(source, bool):
        return Constant(source)
    if isinstance(source, str):
        return parse(source)
    return from_json(source)


def read_term(source: Json) -> Term:
    """A term from text such as ``order.amount``. ValueError otherwise."""
    if isinstance(source, Term):
        return source
    if isinstance(source, str):
        return parse_term(source)
    raise Broken("condition_term")


# -- JSON form --------------------------------------------------------------------------------------------


def to_json(node: Node) -> dict[str, Json]:
    """The tree as plain JSON values: ``{"all": [{"term": "order.amount", "op": ">=", "value": 500}, …]}``.

    JSON has no dates, times and exact decimals, so those values are ``{"date": "2026-11-01"}``,
    ``{"time": "22:30"}``, ``{"number": "0.5"}`` and ``{"ago": "3 months"}``; a term as a value is
    ``{"term": "now.month"}``.
    """
    match node:
        case Constant(truth):
            return {"always": truth}
        case All(nodes):
            return {"all": [to_json(child) for child in nodes]}
        case Any(nodes):
            return {"any": [to_json(child) for child in nodes]}
        case Not(child):
            return {"not": to_json(child)}
        case Compare(term, op, value):
            return {"term": show_term(term), "op": op, "value": _value_to_json(value)}
        case In(term, values, negated):
            name = "not_in" if negated else "in"
            return {"term": show_term(term), name: [_value_to_json(value) for value in values]}
        case Between(term, low, high):
            return {"term": show_term(term), "between": [_value_to_json(low), _value_to_json(high)]}
        case Has(term, texts):
            return {"term": show_term(term), "has": list(texts)}
        case IsToday(term):
            return {"term": show_term(term), "is": "today"}
        case InNext(term, days):
            return {"term": show_term(term), "in_next_days": days}
        case InSegment(segment):
            return {"segment": segment}
        case Sequence(first, then, count, unit, negated, last):
            told = {"first": first, "then_not" if negated else "then": then, "within": f"{count} {unit}"}
            return {**told, **({"last": show_window(last)} if last != LIFETIME else {})}


def from_json(source: Json, *, depth: int = 0) -> Node:
    """The tree of the JSON form; any node may also be written as text. ValueError for anything else."""
    if depth > MAX_DEPTH:
        raise Broken("condition_depth", most=MAX_DEPTH)
    if isinstance(source, bool | str):
        return read_condition(source)
    if not isinstance(source, dict):
        raise Broken("condition")
    keys = set(source)
    for name, join in _JOINS.items():
        if keys == {name}:
            return join(*(from_json(child, depth=depth + 1) for child in _items(source[name], name)))
    if keys == {"not"}:
        return Not(from_json(source["not"], depth=depth + 1))
    if keys == {"always"} and isinstance(source["always"], bool):
        return Constant(source["always"])
    return _leaf_from_json(source, keys)


_JOINS: Final[dict[str, Callable[..., Node]]] = {"all": all_of, "any": any_of}


def _sequence_from_json(source: dict[str, Json], keys: set[str]) -> Node:
    if not all(isinstance(part, str) for part in source.values()):
        raise Broken("sequence")
    then = source.get("then", source.get("then_not"))
    if keys - {"last", "then", "then_not"} != {"first", "within"} or len(keys & {"then", "then_not"}) != 1:
        raise Broken("sequence")
    text = f"{source['first']} then {'not ' if 'then_not' in keys else ''}{then} within {source['within']}"
    found = parse(text + (f" in last {source['last']}" if "last" in keys else ""))
    if not isinstance(found, Sequence):
        raise Broken("sequence")
    return found


def _leaf_from_json(source: dict[str, Json], keys: set[str]) -> Node:
    if keys == {"segment"}:
        found = parse(f"segment({source['segment']})")
        if not isinstance(found, InSegment):
            raise Broken("segment")
        return found
    if "first" in keys:
        return _sequence_from_json(source, keys)
    if "term" not in keys:
        raise Broken("condition_keys", names=Listed(tuple(sorted(map(str, keys)))))
    term = read_term(source["term"])
    if keys == {"term", "op", "value"}:
        if source["op"] not in OPS:
            raise Broken("op", ops=" ".join(OPS))
        value = source["value"]
        if isinstance(value, dict) and set(value) == {"term"}:
            return Compare(term, source["op"], read_term(value["term"]))
        return Compare(term, source["op"], _value_from_json(value))
    if keys in ({"term", "in"}, {"term", "not_in"}):
        negated = "not_in" in keys
        listed = _items(source["not_in" if negated else "in"], "in")
        return In(term, tuple(_value_from_json(value) for value in listed), negated)
    if keys == {"term", "between"}:
        bounds = _items(source["between"], "between")
        if len(bounds) != 2:
            raise Broken("between")
        return Between(term, _value_from_json(bounds[0]), _value_from_json(bounds[1]))
    if not isinstance(term, Fact):
        raise Broken("fact")
    if keys == {"term", "has"}:
        texts = tuple(_items(source["has"], "has"))
        if not all(isinstance(text, str) for text in texts):
            raise Broken("has")
        return Has(term, texts)
    if keys == {"term", "in_next_days"}:
        days = source["in_next_days"]
        if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= LONGEST_NEXT:
            raise Broken("in_next_days", most=LONGEST_NEXT)
        return InNext(term, days)
    if keys == {"term", "is"} and source["is"] == "today":
        return IsToday(term)
    raise Broken("comparison")


def _items(value: Json, name: str) -> list[Json]:
    if not isinstance(value, list | tuple) or not value:
        raise Broken("condition_list", name=name)
    return list(value)


def _value_to_json(value: Value | Term) -> Json:
    if isinstance(value, Term):
        return {"term": show_term(value)}
    if isinstance(value, Decimal):
        return {"number": show_value(value)}
    if isinstance(value, date):
        return {"date": value.isoformat()}
    if isinstance(value, time):
        return {"time": show_value(value)}
    if isinstance(value, Ago):
        return {"ahead" if value.ahead else "ago": f"{value.count} {value.unit}"}
    return value


def _value_from_json(value: Json) -> Value:
    if isinstance(value, float):
        raise Broken("value_float")
    if isinstance(value, datetime):
        raise Broken("value_date")
    if isinstance(value, Decimal):
        return _number(str(value))
    if isinstance(value, bool | int | str | date):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((kind, text),) = value.items()
        if kind in _TAGGED and isinstance(text, str):
            return _TAGGED[kind](text)
    raise Broken("value")


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except ArithmeticError as broken:
        raise Broken("value_number", text=text) from broken
    if not number.is_finite():
        raise Broken("value_number", text=text)
    return number


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as broken:
        raise Broken("value_date") from broken


def _time(text: str) -> time:
    try:
        found = time.fromisoformat(text)
    except ValueError as broken:
        raise Broken("value_time") from broken
    if found != time(found.hour, found.minute):
        raise Broken("value_time")
    return found


def _day(text: str) -> Ago:
    found = parse(f"now.date = {text}")
    if not isinstance(found, Compare) or not isinstance(found.value, Ago):
        raise Broken("value_day")
    return found.value


_TAGGED: Final[dict[str, Callable[[str], Value]]] = {
    "date": _date,
    "time": _time,
    "number": _number,
    "ago": lambda text: _day(f"{text} ago"),
    "ahead": lambda text: _day(f"{text} ahead"),
}

# -- In documents -----------------------------------------------------------------------------------------

_CONDITION_SCHEMA: Final = {
    "title": "Condition",
    "description": "A condition as text, such as `order.amount >= 500 and tag vip`, or as a tree.",
    "anyOf": [{"type": "string"}, {"type": "boolean"}, {"type": "object"}],
    "examples": ["order.amount >= 500 and line.category in [coffee, tea]", "tier(main) >= gold"],
}
_TERM_SCHEMA: Final = {
    "title": "Term",
    "description": "A number that is asked for, such as `order.amount` or `streak(member.checked_in)`.",
    "type": "string",
}

Condition = Annotated[
    Node,
    PlainValidator(read_condition),
    PlainSerializer(lambda node: show(cast(Node, node)), return_type=str),
    WithJsonSchema(cast(dict[str, Json], _CONDITION_SCHEMA)),
]
"""A condition in a document: reads text, true/false or the JSON form; is a tree; writes text."""

TermText = Annotated[
    Term,
    PlainValidator(read_term),
    PlainSerializer(lambda term: show_term(cast(Term, term)), return_type=str),
    WithJsonSchema(cast(dict[str, Json], _TERM_SCHEMA)),
]
"""A single term in a document: reads text such as ``order.amount``; is a tree; writes text."""
