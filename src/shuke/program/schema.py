"""The document's JSON Schema (draft 2020-12), for editors: completion, hints and red underlines while one writes.

It says less than ``read`` and ``checks`` do: that fields exist and have the right shape, not that they make
sense together.
"""

from __future__ import annotations

import inspect
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema

from shuke.program.descriptions import description_of
from shuke.program.document import Program

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER: Final = "urn:shuke:program"

_SHORT: Final = (("Discount", "percent"), ("Discount", "shipping"))
"""Groups of fields that may be written as a number alone."""


class _Plain(GenerateJsonSchema):
    """Without a title for every field: it only repeats the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def json_schema() -> dict[str, Any]:
    """The schema of a program as plain JSON data."""
    found = Program.model_json_schema(mode="validation", by_alias=True, schema_generator=_Plain)
    chapters = found.pop("$defs")
    for name, field in _SHORT:
        shapes = chapters[name]["properties"][field]["anyOf"]
        shapes.insert(0, {"type": "number", "exclusiveMinimum": 0, "maximum": 100})
    for name, chapter in (("Program", found), *chapters.items()):
        _describe(name, chapter)
    whole: dict[str, Any] = _exact({"$schema": DIALECT, "$id": IDENTIFIER, **found, "$defs": chapters})
    return whole


def _describe(name: str, chapter: dict[str, Any]) -> None:
    if "description" in chapter:
        chapter["description"] = inspect.cleandoc(chapter["description"])
    for field, schema in chapter.get("properties", {}).items():
        said = description_of(name, field)
        if said is not None:
            schema["description"] = said


def _exact(value: Any) -> Any:
    """Bounds as whole numbers: the library writes them as floats, "100.0"."""
    if isinstance(value, dict):
        return {key: _exact(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_exact(inner) for inner in value]
    is_whole = not isinstance(value, int | str | None) and value == int(value)
    return int(value) if is_whole else value
