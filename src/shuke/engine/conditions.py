"""Conditions in the engine: compiled to closures, and explained node by node."""

from shuke.engine.condition_closures import Test, compile_condition, compile_term
from shuke.engine.explanations import Explanation, explain, explainer
from shuke.engine.facts import exact_number
from shuke.engine.names import Names
from shuke.program.conditions import line_index

__all__ = [
    "Explanation",
    "Names",
    "Test",
    "compile_condition",
    "compile_term",
    "exact_number",
    "explain",
    "explainer",
    "line_index",
]
