"""Whether a condition makes sense in a program: names exist, kinds go together, facts are there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from decimal import Decimal
from typing import TYPE_CHECKING, Literal, NamedTuple

from shuke.program.condition_facts import (
    FACTS,
    OPEN_SCOPES,
    PAYLOAD_SCALE,
    WEEKDAYS,
    Kind,
    kind_of_fact,
)
from shuke.program.condition_show import show, show_term, show_value
from shuke.program.condition_tree import (
    Ago,
    Balance,
    Between,
    Compare,
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
    Plain,
    Ratio,
    Sequence,
    Streak,
    Term,
    Tier,
    Value,
    plain,
    terms_of,
    walk,
)
from shuke.program.problems import Problem, closest, names, problem, warning
from shuke.program.profile import KINDS
from shuke.program.sentences import Listed, Phrase

if TYPE_CHECKING:
    from shuke.program.document import Program

Place = Literal["activity", "order", "line", "member", "tier", "audience"]
MeasureKind = Literal["money", "count", "payload"]

_SEEN_IN: dict[str, frozenset[str]] = {
    "activity": frozenset(("member", "trait", "activity", "now")),
    "order": frozenset(("order", "member", "trait", "activity", "now")),
    "line": frozenset(("line", "order", "member", "trait", "activity", "now")),
    "member": frozenset(("member", "trait", "now")),
    "audience": frozenset(("member", "trait", "now")),
    # A criterion is looked at when an order is paid too: "one purchase of 5,000" is an order fact.
    "tier": frozenset(("order", "member", "trait", "activity", "now")),
}
_NUMBERS = frozenset((Kind.MONEY, Kind.NUMBER))
_UNORDERED = frozenset((Kind.TEXT, Kind.WEEKDAY, Kind.BOOLEAN))
_BUILT_IN: dict[str, MeasureKind] = {
    "spend": "money",
    "orders": "count",
    "items": "count",
    "active_days": "count",
}
_AD_HOC: dict[str, MeasureKind] = {"count": "count", "sum": "payload", "distinct": "count"}


def measure_kind(kind: str, of: str) -> MeasureKind:
    """How a declared measure counts, from its ``kind`` (sum, count, days) and ``of`` (amount, items …)."""
    if kind != "sum" or of == "items":
        return "count"
    return "money" if of == "amount" else "payload"


@dataclass(frozen=True)
class Vocabulary:
    """The names a program gives conditions. Tiers are in rank order, lowest first; scales are decimals kept.

    The built-in measures are always known; ``measures`` holds the declared ones (see ``measure_kind``). ``traits`` are
    the declared ones, ``choices`` what facts can be that are chosen from a list, by how they are written.
    """

    currency_scale: int
    assets: Mapping[str, int] = field(default_factory=dict)
    ladders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    measures: Mapping[str, MeasureKind] = field(default_factory=dict)
    traits: Mapping[str, Kind] = field(default_factory=dict)
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, program: Program) -> Vocabulary:
        """The names of a program."""
        return cls(
            program.scale,
            {asset.id: asset.scale for asset in program.assets},
            {ladder.id: tuple(tier.id for tier in ladder.tiers) for ladder in program.ladders},
            {name: measure_kind(measure.kind, measure.of) for name, measure in program.all_measures().items()},
            {trait.id: KINDS[trait.type] for trait in program.profile.traits},
            _all_choices(program),
        )

    def kind(self, fact: Fact) -> Kind | None:
        """The kind of a fact, of a declared trait its own; None if there is no such fact."""
        declared = self.traits.get(fact.name) if fact.scope == "trait" else None
        return kind_of_fact(fact.scope, fact.name) if declared is None else declared

    def measure(self, name: str) -> MeasureKind | None:
        return self.measures.get(name) or _BUILT_IN.get(name)

    @property
    def measure_names(self) -> tuple[str, ...]:
        return (*_BUILT_IN, *self.measures)


def _all_choices(program: Program) -> dict[str, tuple[str, ...]]:
    found = {
        show_term(Fact("trait", trait.id)): tuple(choice.id for choice in trait.choices)
        for trait in program.profile.traits
        if trait.choices
    }
    purposes = program.profile.purposes
    found[show_term(Fact("member", "consents"))] = tuple(
        f"{purpose.id}.{channel}" for purpose in purposes for channel in purpose.channels
    )
    return found


class Signature(NamedTuple):
    """Kind of a term's value, and its decimals: a value is an integer in units of 10^-scale."""

    kind: Kind
    scale: int = 0


def signature(term: Term, vocabulary: Vocabulary) -> Signature:
    """Kind and scale of a term. KeyError for names the vocabulary lacks; ``check`` says so in sentences."""
    match term:
        case Fact(scope, name):
            kind = vocabulary.kind(term)
            if kind is None:
                raise KeyError(f"{scope}.{name}")
            scales = {Kind.MONEY: vocabulary.currency_scale, Kind.OPEN: PAYLOAD_SCALE}
            if scope == "trait":
                scales[Kind.NUMBER] = PAYLOAD_SCALE
            return Signature(kind, scales.get(kind, 0))
        case Measured(measure):
            return _measure_signature(measure, vocabulary)
        case Balance(asset):
            return Signature(Kind.NUMBER, vocabulary.assets[asset])
        case Tier():
            return Signature(Kind.TIER)
        case Ratio():
            return Signature(Kind.NUMBER, PAYLOAD_SCALE)
        case Streak() | DaysSince() | Month():
            return Signature(Kind.NUMBER)


def is_exact(term: Term, vocabulary: Vocabulary) -> bool:
    """Whether the term is read as an exact number, and not as integers of its scale."""
    if isinstance(term, Fact) and term.scope == "trait" and vocabulary.kind(term) is Kind.NUMBER:
        return True
    return isinstance(term, Ratio) or signature(term, vocabulary).kind is Kind.OPEN


def _measure_signature(name: str, vocabulary: Vocabulary) -> Signature:
    kind, _, of = name.partition(":")
    if kind == "earned" and of:
        return Signature(Kind.NUMBER, vocabulary.assets[of])
    counted = _AD_HOC.get(kind) if of else vocabulary.measure(name)
    match counted:
        case "money":
            return Signature(Kind.MONEY, vocabulary.currency_scale)
        case "count":
            return Signature(Kind.NUMBER)
        case "payload":
            return Signature(Kind.NUMBER, PAYLOAD_SCALE)
        case None:
            raise KeyError(name)


def check(tree: Node, vocabulary: Vocabulary, *, place: Place) -> list[Problem]:
    """Everything that is wrong with the condition where it stands; empty if it can be compiled."""
    problems: list[Problem] = []
    for path, node in walk(tree):
        found = [problem for term in terms_of(node) for problem in _names(term, vocabulary, place, path)]
        if isinstance(node, Sequence | InSegment) and place != "audience":
            found.append(_for_audiences(show(node), path))
        if not any(problem.severity == "error" for problem in found):
            found.extend(_kinds(node, vocabulary, path))
        problems.extend(found)
    return problems


def check_term(term: Term, vocabulary: Vocabulary, *, place: Place) -> list[Problem]:
    """Everything that is wrong with a single term, which must be a number."""
    found = [problem for part in plain(term) for problem in _names(part, vocabulary, place, "")]
    if any(problem.severity == "error" for problem in found):
        return found
    kind = signature(term, vocabulary).kind
    if kind not in _NUMBERS and kind is not Kind.OPEN:
        found.append(problem("", "not_a_number", term=show_term(term), kind=_named(kind)))
    return [*found, *_ratio(term, vocabulary, "")]


# -- Names ------------------------------------------------------------------------------------------------


def _names(term: Plain, vocabulary: Vocabulary, place: Place, path: str) -> Iterator[Problem]:
    match term:
        case Fact():
            yield from _fact(term, vocabulary, place, path)
        case Month(of):
            yield from _fact(of, vocabulary, place, path)
            if vocabulary.kind(of) not in (Kind.DATE, Kind.OPEN, None):
                yield problem(path, "type_mismatch:month", term=show_term(of))
        case Measured(measure):
            yield from _measure(term, measure, vocabulary, place, path)
        case Balance(asset):
            if asset not in vocabulary.assets:
                yield _unknown(path, "asset", asset, vocabulary.assets)
        case Tier(ladder):
            if ladder not in vocabulary.ladders:
                yield _unknown(path, "ladder", ladder, vocabulary.ladders)
        case Streak() | DaysSince():
            pass


def _fact(fact: Fact, vocabulary: Vocabulary, place: Place, path: str) -> Iterator[Problem]:
    text = show_term(fact)
    if fact.scope not in _SEEN_IN[place]:
        yield problem(path, f"no_{fact.scope}", fact=text)
    known: Mapping[str, object] = vocabulary.traits if fact.scope == "trait" else FACTS[fact.scope]
    if fact.name in known:
        return
    if fact.scope not in OPEN_SCOPES:
        near = closest(fact.name, known)
        suggestion = f"{fact.scope}.{near}" if near else None
        if near is None and fact.scope == "member":
            suggestion = show_term(Fact("trait", fact.name))
        yield problem(path, "unknown_fact", suggestion, fact=text)
    elif (near := closest(fact.name, known)) and len(near) > 3 and abs(len(near) - len(fact.name)) <= 1:
        meant = f"{fact.scope}.{near}"
        yield warning(path, "looks_like:fact", meant, fact=text, near=meant)


def _for_audiences(asked: str, path: str) -> Problem:
    return problem(path, "audiences_only", condition=asked)


def _measure(term: Measured, name: str, vocabulary: Vocabulary, place: Place, path: str) -> Iterator[Problem]:
    kind, _, of = name.partition(":")
    if term.is_distinct and place != "audience":
        yield _for_audiences(show_term(term), path)
    if term.is_distinct and term.window.kind in ("term", "membership_year"):
        yield problem(path, "wrong_window", term=show_term(term))
    if kind == "earned" and of:
        if of not in vocabulary.assets:
            yield _unknown(path, "asset", of, vocabulary.assets)
    elif not of and vocabulary.measure(name) is None:
        yield _unknown(path, "measure", name, vocabulary.measure_names)
    if term.window.kind != "term":
        return
    ladder = term.window.ladder
    if ladder is None and place != "tier":
        first = next(iter(vocabulary.ladders), None)
        yield problem(path, "no_ladder", f"term of {first}" if first else None)
    elif ladder is not None and ladder not in vocabulary.ladders:
        yield _unknown(path, "ladder", ladder, vocabulary.ladders)


def _unknown(path: str, what: str, name: str, known: Mapping[str, object] | tuple[str, ...]) -> Problem:
    near = closest(name, known)
    return problem(path, f"unknown_{what}", near, name=name, known=names(known) if near is None else None)


# -- Kinds ------------------------------------------------------------------------------------------------


def _kinds(node: Node, vocabulary: Vocabulary, path: str) -> Iterator[Problem]:
    match node:
        case Compare(term, op, value):
            yield from _ratio(term, vocabulary, path)
            if isinstance(value, Term):
                yield from _ratio(value, vocabulary, path)
                yield from _two_terms(node, value, vocabulary, path)
            else:
                yield from _literal(node, term, value, vocabulary, path)
                kind = _effective(signature(term, vocabulary).kind, value)
                if op not in ("=", "!=") and kind in _UNORDERED:
                    yield problem(path, "no_order_relation", condition=show(node), kind=_named(kind))
        case In(term, values):
            yield from _ratio(term, vocabulary, path)
            for value in values:
                yield from _literal(node, term, value, vocabulary, path)
            yield from _alike(node, term, values, vocabulary, path)
        case Between(term, low, high):
            yield from _ratio(term, vocabulary, path)
            yield from _between(node, term, low, high, vocabulary, path)
        case Has(term):
            if signature(term, vocabulary).kind not in (Kind.TEXTS, Kind.OPEN):
                yield problem(path, "type_mismatch:has", show(In(term, node.values)), term=show_term(term))
            elif (chosen := _choices(term, vocabulary)) is not None:
                for text in node.values:
                    if not chosen:
                        yield problem(path, "unknown_choice:none", term=show_term(term), value=show_value(text))
                    elif text not in chosen:
                        yield _unknown_choice(path, "unknown_choice:has", term, text, chosen)
        case IsToday(term):
            if signature(term, vocabulary).kind not in (Kind.DATE, Kind.OPEN):
                yield problem(path, "type_mismatch:today", term=show_term(term))
        case InNext(term):
            if signature(term, vocabulary).kind not in (Kind.DATE, Kind.OPEN):
                yield problem(path, "type_mismatch:near", term=show_term(term))
        case _:
            pass


def _ratio(term: Term, vocabulary: Vocabulary, path: str) -> Iterator[Problem]:
    if isinstance(term, Ratio):
        for side in plain(term):
            kind = signature(side, vocabulary).kind
            if kind not in _NUMBERS and kind is not Kind.OPEN:
                yield problem(path, "type_mismatch:ratio", term=show_term(side), kind=_named(kind))


def _named(kind: Kind) -> Phrase:
    return Phrase(f"kind.{kind.name.lower()}")


def _unknown_choice(path: str, key: str, term: Term, value: str, chosen: tuple[str, ...]) -> Problem:
    near = closest(value, chosen)
    return problem(path, key, near, term=show_term(term), value=show_value(value), known=Listed(chosen))


def decimals_said(scale: int) -> Phrase:
    """How many decimals something has, in words."""
    return Phrase(f"decimals.{scale}") if scale <= 1 else Phrase.of("decimals", count=scale)


def _effective(kind: Kind, value: Value) -> Kind:
    """The kind a term is read as beside this literal: its own, or, if it is open, the literal's."""
    return literal_kind(value) if kind is Kind.OPEN else kind


def literal_kind(value: Value) -> Kind:
    """The kind a literal has by itself."""
    if isinstance(value, bool):
        return Kind.BOOLEAN
    if isinstance(value, int | Decimal):
        return Kind.NUMBER
    if isinstance(value, str):
        return Kind.TEXT
    return Kind.DATE if isinstance(value, date | Ago) else Kind.TIME


def _literal(node: Node, term: Term, value: Value, vocabulary: Vocabulary, path: str) -> Iterator[Problem]:
    kind, scale = signature(term, vocabulary)
    own = literal_kind(value)
    if isinstance(term, Tier):
        tiers = vocabulary.ladders[term.ladder]
        if value not in tiers:
            yield problem(path, "unknown_tier", closest(str(value), tiers), ladder=term.ladder, tier=str(value))
    elif kind is Kind.WEEKDAY:
        if value not in WEEKDAYS:
            short = str(value)[:3].lower()
            hint = short if short in WEEKDAYS else None
            yield problem(path, "unknown_weekday", hint, value=show_value(value), known=Listed(WEEKDAYS))
    elif kind is Kind.TEXTS:
        text = show_term(term)
        yield problem(path, "type_mismatch:list", f"{text} has {show_value(value)}", term=text)
    elif (chosen := _choices(term, vocabulary)) is not None and own is Kind.TEXT and value not in chosen:
        yield _unknown_choice(path, "unknown_choice", term, str(value), chosen)
    elif kind is not Kind.OPEN and own is not (Kind.NUMBER if kind in _NUMBERS else kind):
        facts = {"condition": show(node), "term": show_term(term), "value": show_value(value)}
        yield problem(path, "type_mismatch", _retyped(value, kind), kind=_named(kind), own=_named(own), **facts)
    elif kind in _NUMBERS and not isinstance(term, Ratio) and _decimals(value) > scale:
        yield warning(
            path, "too_precise:term", term=show_term(term), decimals=decimals_said(scale), value=show_value(value)
        )


def _choices(term: Term, vocabulary: Vocabulary) -> tuple[str, ...] | None:
    """What the term can be, where it is chosen from a list."""
    return vocabulary.choices.get(show_term(term)) if isinstance(term, Fact) else None


def _decimals(value: Value) -> int:
    exponent = value.normalize().as_tuple().exponent if isinstance(value, Decimal) else 0
    return max(0, -exponent) if isinstance(exponent, int) else 0


def _retyped(value: Value, kind: Kind) -> str | None:
    """The literal with or without its quotation marks, if that is what was meant."""
    if kind is Kind.TEXT:
        return f'"{value}"' if not isinstance(value, str | bool) else None
    if isinstance(value, str):
        try:
            return str(date.fromisoformat(value) if kind is Kind.DATE else Decimal(value))
        except (ValueError, ArithmeticError):
            return None
    return None


def _alike(node: Node, term: Term, values: tuple[Value, ...], vocabulary: Vocabulary, path: str) -> Iterator[Problem]:
    """Beside an open term the values decide what it is read as, so they have to agree."""
    if signature(term, vocabulary).kind is Kind.OPEN and len({literal_kind(value) for value in values}) > 1:
        yield problem(path, "type_mismatch:alike", condition=show(node))


def _between(
    node: Between, term: Term, low: Value, high: Value, vocabulary: Vocabulary, path: str
) -> Iterator[Problem]:
    found = [*_literal(node, term, low, vocabulary, path), *_literal(node, term, high, vocabulary, path)]
    found.extend(_alike(node, term, (low, high), vocabulary, path))
    yield from found
    if any(problem.severity == "error" for problem in found):
        return
    kind = _effective(signature(term, vocabulary).kind, low)
    if kind in _UNORDERED:
        yield problem(path, "no_order_relation", condition=show(node), kind=_named(kind))
    elif isinstance(term, Tier):
        tiers = vocabulary.ladders[term.ladder]
        if tiers.index(str(low)) > tiers.index(str(high)):
            yield _empty_range(node, path)
    elif _later(low, high):
        yield _empty_range(node, path)


def _later(low: Value, high: Value) -> bool:
    if isinstance(low, int | Decimal) and isinstance(high, int | Decimal):
        return low > high
    if isinstance(low, date) and isinstance(high, date):
        return low > high
    return isinstance(low, time) and isinstance(high, time) and low > high


def _empty_range(node: Between, path: str) -> Problem:
    key = "empty_range:time" if isinstance(node.low, time) else "empty_range"
    return problem(path, key, show(Between(node.term, node.high, node.low)), condition=show(node))


def _two_terms(node: Compare, other: Term, vocabulary: Vocabulary, path: str) -> Iterator[Problem]:
    kinds = {signature(node.term, vocabulary).kind, signature(other, vocabulary).kind}
    named = kinds - {Kind.OPEN}
    if Kind.TEXTS in kinds:
        yield problem(path, "type_mismatch:lists", condition=show(node))
    elif by_name := named & {Kind.TIER, Kind.WEEKDAY}:
        yield problem(path, "type_mismatch:named", condition=show(node), kind=_named(min(by_name)))
    elif len(named) > 1 and not named <= _NUMBERS:
        kinds_said = Listed(tuple(_named(kind) for kind in sorted(named)), "and")
        yield problem(path, "type_mismatch:kinds", condition=show(node), kinds=kinds_said)
    elif named & _UNORDERED and node.op not in ("=", "!="):
        yield problem(path, "no_order_relation:texts", condition=show(node))
