"""Which of two conditions is the stricter one, where that can be proved."""

from __future__ import annotations

from decimal import Decimal

from shuke.program.condition_tree import All, Any, Compare, Constant, In, Node, Not, Value

_LOWER = (">", ">=")
_UPPER = ("<", "<=")


def implies(given: Node, wanted: Node) -> bool:
    """Whether ``wanted`` holds wherever ``given`` does. True is a proof; False may be ignorance.

    Sees through and, or and not, bounds of the same term, and lists of its values.
    """
    if given == wanted:
        return True
    if isinstance(given, Constant):
        return not given.truth or (isinstance(wanted, Constant) and wanted.truth)
    if isinstance(wanted, Constant):
        return wanted.truth
    if isinstance(given, Any):
        return all(implies(node, wanted) for node in given.nodes)
    if isinstance(wanted, All):
        return all(implies(given, node) for node in wanted.nodes)
    if isinstance(given, All) and any(implies(node, wanted) for node in given.nodes):
        return True
    if isinstance(wanted, Any):
        return any(implies(given, node) for node in wanted.nodes)
    if isinstance(given, Not) and isinstance(wanted, Not):
        return implies(wanted.node, given.node)
    return _leaf(given, wanted)


def _leaf(given: Node, wanted: Node) -> bool:
    allowed, required = _listed(given), _listed(wanted)
    if allowed is not None and required is not None and allowed[0] == required[0]:
        return allowed[1] <= required[1]
    if isinstance(given, In) and isinstance(wanted, In) and given.negated and wanted.negated:
        return given.term == wanted.term and frozenset(wanted.values) <= frozenset(given.values)
    if isinstance(given, Compare) and isinstance(wanted, Compare) and given.term == wanted.term:
        return _bounded(given, wanted)
    return False


def _listed(node: Node) -> tuple[object, frozenset[Value]] | None:
    """A term and the only values with which the condition holds; None for any other condition."""
    if isinstance(node, In) and not node.negated:
        return node.term, frozenset(node.values)
    if isinstance(node, Compare) and node.op == "=" and isinstance(node.value, Value):
        return node.term, frozenset((node.value,))
    return None


def _bounded(given: Compare, wanted: Compare) -> bool:
    one, other = given.value, wanted.value
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if not isinstance(one, int | Decimal) or not isinstance(other, int | Decimal):
        return False
    if wanted.op in _LOWER and given.op in (*_LOWER, "="):
        return one > other or (one == other and (wanted.op == ">=" or given.op == ">"))
    if wanted.op in _UPPER and given.op in (*_UPPER, "="):
        return one < other or (one == other and (wanted.op == "<=" or given.op == "<"))
    return False
