"""Tier criteria before anybody is looked at: what feeds them, how they are met anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from shuke.engine import activity as of
from shuke.program.condition_tree import Plain
from shuke.program.conditions import (
    All,
    Any,
    Between,
    Compare,
    Fact,
    Has,
    In,
    InNext,
    IsToday,
    Measured,
    Node,
    Ratio,
    Term,
    Uses,
    Window,
    all_of,
    any_of,
    plain,
    uses,
)
from shuke.program.document import Program

_PASSING = ("order.", "activity.")
_TIMELY = frozenset(("member.months", "member.joined"))
_MOVING = frozenset(("rolling", "calendar", "membership_year", "term"))


# -- Met again --------------------------------------------------------------------------------------------


def met_again(entry: Node) -> Node | None:
    """The criteria as they read for somebody who stands there already: met by what her term has counted.

    Every window is narrowed to the term. What no purchase can meet anew (a lifetime, a balance, a trait)
    cannot re-date a term by itself: alternatives of that kind fall out, and None means that nothing is left.
    """
    within = _within_term(entry)
    return None if within is None else all_of(within, entry)


def _within_term(node: Node) -> Node | None:
    match node:
        case All(nodes):
            found = [_within_term(child) for child in nodes]
            if all(child is None for child in found):
                return None
            return all_of(*(child or whole for child, whole in zip(found, nodes, strict=True)))
        case Any(nodes):
            kept = [child for child in map(_within_term, nodes) if child is not None]
            return any_of(*kept) if kept else None
        case Compare() | In() | Between():
            return _leaf_within_term(node)
        case Has(term) | IsToday(term) | InNext(term):
            return node if term.scope in ("order", "activity") else None
        case _:
            return None


def _leaf_within_term(node: Compare | In | Between) -> Node | None:
    if not _is_new(node.term):
        return None
    if isinstance(node, Compare) and isinstance(node.value, Term):
        return replace(node, term=_narrowed(node.term), value=_narrowed(node.value))
    return replace(node, term=_narrowed(node.term))


def _is_new(term: Term) -> bool:
    """Whether the term can come about within a term of a standing."""
    return any(
        (isinstance(part, Measured) and part.window.kind in _MOVING)
        or (isinstance(part, Fact) and part.scope in ("order", "activity"))
        for part in plain(term)
    )


def _narrowed(term: Term) -> Term:
    if isinstance(term, Ratio):
        return Ratio(_narrowed_plain(term.top), _narrowed_plain(term.bottom))
    return _narrowed_plain(term)


def _narrowed_plain(term: Plain) -> Plain:
    if isinstance(term, Measured) and term.window.kind in _MOVING - {"term"}:
        return replace(term, window=Window("term"))
    return term


# -- What feeds them --------------------------------------------------------------------------------------


def is_passing(node: Node | None) -> bool:
    """Whether the criteria ask for facts of one order or activity, which are gone when it is settled."""
    return node is not None and any(fact.startswith(_PASSING) for fact in uses(node).facts)


def is_timely(nodes: Iterable[Node]) -> bool:
    """Whether some of the criteria may come true by time alone."""
    asked = _asked(nodes)
    return bool(asked.days_since) or any(fact.startswith("now.") or fact in _TIMELY for fact in asked.facts)


def feeds(program: Program, nodes: Iterable[Node]) -> frozenset[str] | None:
    """The activity types after which some of the criteria may read differently; None: after any."""
    asked = _asked(nodes)
    others = [fact for fact in asked.facts if not fact.startswith("order.")]
    if others or asked.balances or asked.ladders:
        return None
    found = {of.ORDER_REFUNDED, of.ORDER_CANCELLED, of.ORDER_REOPENED}
    if asked.facts:
        found |= {of.ORDER_PAID, of.ORDER_COMPLETED}
    declared = program.all_measures()
    for measure in asked.kept:
        kind, _, rest = measure.partition(":")
        if measure in declared:
            found.update(declared[measure].on)
        elif kind == "earned":
            found.update(trigger for rule in program.earning if rule.asset == rest for trigger in rule.triggers)
            found.add(of.ASSET_GRANTED)
        else:
            found.add(rest.rpartition(".")[0] if kind == "sum" else rest)
    return frozenset(found)


def _asked(nodes: Iterable[Node]) -> Uses:
    asked = Uses()
    for node in nodes:
        asked |= uses(node)
    return asked
