"""Texts for people: in every language the program speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from shuke.program.chapter import Chapter
from shuke.program.document import Program
from shuke.program.problems import Problem, closest, problem, warning

_LOCALE: Final = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?")
_TEXTS: Final = frozenset(("title", "description", "unit", "text"))


def check(program: Program) -> Iterator[Problem]:
    for index, locale in enumerate(program.locales):
        path = f"locales[{index}]"
        if not _LOCALE.fullmatch(locale):
            yield problem(path, "bad_locale", closest(locale, ("en", "zh-Hant", "zh-Hans")), locale=locale)
        if locale in program.locales[:index]:
            yield problem(path, "id_taken:locale", locale=locale)
    for path, text in _texts(program, ""):
        for locale in program.locales:
            if locale not in text:
                yield warning(f"{path}.{locale}", "missing_text", locale=locale)
        for locale in text:
            if locale not in program.locales:
                near = closest(locale, program.locales)
                yield warning(f"{path}.{locale}", "unknown_locale", near, locale=locale)


def _texts(value: Any, path: str) -> Iterator[tuple[str, dict[str, str]]]:
    if isinstance(value, Chapter):
        for name, field in type(value).model_fields.items():
            below = f"{path}.{field.alias or name}" if path else field.alias or name
            inner = getattr(value, name)
            if name in _TEXTS and isinstance(inner, dict):
                yield below, inner
            else:
                yield from _texts(inner, below)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts(item, f"{path}[{index}]")
