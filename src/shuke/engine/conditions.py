"""Conditions in the engine: compiled to Python, and explained node by node."""

from shuke.engine.condition_code import Scope, Test, compile_condition, compile_scope, compile_term
from shuke.engine.explanations import Explanation, explain, explainer
from shuke.engine.facts import exact_number
from shuke.engine.names import Names
from shuke.program.conditions import line_index

__all__ = [
    "Explanation",
    "Names",
    "Scope",
    "Test",
    "compile_condition",
    "compile_scope",
    "compile_term",
    "exact_number",
    "explain",
    "explainer",
    "line_index",
]
