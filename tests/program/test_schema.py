"""The JSON Schema of programs: complete, described, and right about the examples."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from shuke.program.descriptions import FIELDS
from shuke.program.document_text import parse
from shuke.program.schema import json_schema

SCHEMA = json_schema()
CHAPTERS = {"Program": SCHEMA, **SCHEMA["$defs"]}
EXAMPLES = sorted(
    path
    for path in (Path(__file__).resolve().parents[2] / "examples" / "programs").glob("*.yaml")
    if ".vectors." not in path.name
)
TYPES = {
    "string": str,
    "integer": int,
    "number": int | Decimal,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
}


def fits(schema: dict[str, Any], value: Any) -> bool:
    """Whether the value fits: as much of draft 2020-12 as our schema uses."""
    if "$ref" in schema and not fits(SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")], value):
        return False
    if "anyOf" in schema and not any(fits(inner, value) for inner in schema["anyOf"]):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    wanted = schema.get("type")
    if wanted is not None and not isinstance(value, TYPES[wanted]):
        return False
    if isinstance(value, bool) and wanted in ("integer", "number"):
        return False
    if isinstance(value, str):
        return re.search(schema.get("pattern", ""), value) is not None
    if isinstance(value, list):
        return all(fits(schema.get("items", {}), item) for item in value)
    return not isinstance(value, dict) or fields_fit(schema, value)


def fields_fit(schema: dict[str, Any], value: dict[str, Any]) -> bool:
    fields = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    if any(name not in value for name in schema.get("required", [])):
        return False
    if others is False and any(name not in fields for name in value):
        return False
    open_fields = others if isinstance(others, dict) else {}
    return all(fits(fields.get(name, open_fields), inner) for name, inner in value.items())


def test_the_schema_says_which_draft_it_is_and_refuses_unknown_fields():
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert [name for name, chapter in CHAPTERS.items() if chapter.get("additionalProperties", False)] == []


def test_every_field_of_every_chapter_is_described():
    missing = [
        f"{name}.{field}"
        for name, chapter in CHAPTERS.items()
        for field, schema in chapter.get("properties", {}).items()
        if "description" not in schema
    ]
    assert missing == []


def test_no_description_is_about_a_field_that_is_not_there():
    written = {
        name if name in FIELDS else field
        for chapter, schema in CHAPTERS.items()
        for field in schema.get("properties", {})
        for name in [f"{chapter}.{field}"]
    }
    assert set(FIELDS) - written == set()


def test_the_schema_holds_no_floats():
    def floats(value: Any) -> list[float]:
        if isinstance(value, dict):
            return [found for inner in value.values() for found in floats(inner)]
        if isinstance(value, list):
            return [found for inner in value for found in floats(inner)]
        return [value] if isinstance(value, float) else []

    assert floats(SCHEMA) == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_every_example_fits_the_schema(path: Path):
    assert fits(SCHEMA, parse(path.read_text(encoding="utf-8")).data)


@pytest.mark.parametrize(
    "text",
    [
        "id: shop",
        "{id: shop, currency: TWD, zone: Asia/Taipei, titel: x}",
        "{id: Shop, currency: TWD, zone: Asia/Taipei}",
        "{id: shop, currency: TWD, zone: Asia/Taipei, assets: [{id: points, clawback: dept}]}",
        "{id: shop, currency: TWD, zone: Asia/Taipei, assets: [{id: points, validity: {aftr: 1 days}}]}",
    ],
)
def test_an_editor_would_underline_a_mistake(text: str):
    assert not fits(SCHEMA, parse(text).data)
