"""Python expressions put together from texts of our own, and made into functions once.

A condition that is one expression costs one call to ask, however many parts it has. Nothing a program says
becomes part of the text: names, literals and lists are bound to names (``k0``, ``k1`` …) that the text uses.
"""

from __future__ import annotations

from typing import Any


class Expression:
    """What one expression is made of. Its texts may use what it binds, its locals, and the given words."""

    __slots__ = ("_bound", "_locals")

    def __init__(self, words: dict[str, Any]) -> None:
        self._bound: dict[str, Any] = {"__builtins__": {}, **words}
        self._locals = 0

    def bind(self, value: Any) -> str:
        """A name for a value."""
        name = f"k{len(self._bound)}"
        self._bound[name] = value
        return name

    def local(self) -> str:
        """A variable of its own, to be assigned with ``:=``."""
        self._locals += 1
        return f"v{self._locals}"

    def function(self, parameters: str, text: str) -> Any:
        """``lambda parameters: text``."""
        return eval(compile(f"lambda {parameters}: {text}", "<expression>", "eval"), self._bound)
