"""Writes what follows from the API's document: docs/reference/openapi.json and the calls and shapes of shuke.client.

    python -m scripts.write_client

A test fails when these files are not what this would write.
"""

from __future__ import annotations

import json
import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from shuke.web.document import document

ROOT = Path(__file__).resolve().parent.parent
CLIENT = ROOT / "src" / "shuke" / "client"
OPENAPI = ROOT / "docs" / "reference" / "openapi.json"

LEFT_OUT = {"Tracking", "Health"}
"""Tags that the client does not have: tracking has its own libraries, health is for machines that watch."""

SHARED = "shared"
"""The file of shapes that several features use."""

Schema = dict[str, Any]

_WIDTH = 112  # of a line of prose, without its indentation


def main() -> None:
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


def files() -> dict[Path, str]:
    """Every generated file and its text."""
    told = document()
    operations = [operation for operation in _operations(told) if operation["tags"][0] not in LEFT_OUT]
    schemas: dict[str, Schema] = told["components"]["schemas"]
    homes = _homes(operations, schemas)
    found = {OPENAPI: json.dumps(told, indent=1, ensure_ascii=False) + "\n"}
    for home in sorted(set(homes.values())):
        found[CLIENT / "shapes" / f"{home}.py"] = _formatted(_shapes_file(home, homes, schemas))
    names: dict[str, list[str]] = {}
    for tag in dict.fromkeys(operation["tags"][0] for operation in operations):
        of_tag = [operation for operation in operations if operation["tags"][0] == tag]
        names[_file(tag)] = [operation["operationId"] for operation in of_tag]
        found[CLIENT / "calls" / f"{_file(tag)}.py"] = _formatted(_calls_file(tag, of_tag, homes, schemas))
    found[CLIENT / "calls" / "__init__.py"] = _formatted(_index(names))
    found[CLIENT / "shapes" / "__init__.py"] = _formatted(
        '"""What goes in and what comes out, as the API\'s document says (written by scripts/write_client.py)."""\n'
    )
    return found


def _operations(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path, methods in told["paths"].items():
        for method, operation in methods.items():
            yield {**operation, "path": path, "method": method.upper()}


def _file(tag: str) -> str:
    return tag.lower().replace(" ", "_")


# -- Which file a shape lives in --------------------------------------------------------------------------


def _homes(operations: list[dict[str, Any]], schemas: dict[str, Schema]) -> dict[str, str]:
    users: dict[str, set[str]] = {}
    for operation in operations:
        for name in _reached(_in_and_out(operation), schemas):
            users.setdefault(name, set()).add(_file(operation["tags"][0]))
    return {name: used.pop() if len(used) == 1 else SHARED for name, used in sorted(users.items())}


def _in_and_out(operation: dict[str, Any]) -> list[Any]:
    """The schemas of what is sent and of what comes back if all is well."""
    well = [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    return [operation.get("requestBody", {}), operation.get("parameters", []), well]


def _reached(node: Any, schemas: dict[str, Schema], seen: set[str] | None = None) -> set[str]:
    seen = set() if seen is None else seen
    if isinstance(node, list):
        for item in node:
            _reached(item, schemas, seen)
    elif isinstance(node, dict):
        name = _ref(node)
        if name is not None and name not in seen:
            seen.add(name)
            _reached(schemas[name], schemas, seen)
        for item in node.values():
            _reached(item, schemas, seen)
    return seen


def _ref(schema: Schema) -> str | None:
    told = schema.get("$ref")
    return told.rpartition("/")[2] if isinstance(told, str) and told.startswith("#/components/schemas/") else None


# -- Types ------------------------------------------------------------------------------------------------


def _type(schema: Schema, *, sent: bool) -> str:
    """The Python type of a schema; where it is ``sent``, a moment may be a datetime."""
    name = _ref(schema)
    if name is not None:
        return _class(name)
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    for joined in ("anyOf", "oneOf"):
        if joined in schema:
            return " | ".join(dict.fromkeys(_type(one, sent=sent) for one in schema[joined]))
    match schema.get("type"):
        case "string":
            return "str | datetime" if sent and schema.get("format") == "date-time" else "str"
        case "integer":
            return "int"
        case "number":
            return "float"
        case "boolean":
            return "bool"
        case "null":
            return "None"
        case "array":
            return f"list[{_type(schema.get('items', {}), sent=sent)}]"
        case "object":
            more = schema.get("additionalProperties")
            return f"dict[str, {_type(more, sent=sent)}]" if isinstance(more, dict) and more else "dict[str, Any]"
    return "Any"


def _class(name: str) -> str:
    """``Page_KeyShown_`` is written ``PageKeyShown``."""
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))


def _said(text: str, *, indent: str) -> str:
    """A docstring. The document writes single backticks where Python writes two."""
    told = re.sub(r"(?<!`)`([^`]+)`(?!`)", r"``\1``", text.strip()).replace("\\", "\\\\").replace('"""', "'''")
    lines = [part for line in told.split("\n") for part in textwrap.wrap(line, _WIDTH) or [""]]
    end = "" if len(lines) == 1 else f"\n{indent}"
    return f'{indent}"""' + "\n".join(lines[:1] + [f"{indent}{line}".rstrip() for line in lines[1:]]) + f'{end}"""'


def _comment(schema: Schema) -> str:
    told = " ".join(str(schema.get("description") or "").split())
    return "".join(f"    # {line}\n" for line in textwrap.wrap(told, _WIDTH))


# -- Files ------------------------------------------------------------------------------------------------

_WRITTEN = "(written by scripts/write_client.py)"


def _shapes_file(home: str, homes: dict[str, str], schemas: dict[str, Schema]) -> str:
    mine = [name for name, place in homes.items() if place == home]
    sent = {name for name in mine if name.endswith("Told") or not name.endswith(("Shown", "Made"))}
    body = "\n\n".join(_shape(name, schemas[name], sent=name in sent) for name in mine)
    others = _imports(mine, home, homes, schemas)
    title = "of several features" if home == SHARED else f"of {home.replace('_', ' ')}"
    head = f'"""Shapes {title} {_WRITTEN}."""\n\nfrom __future__ import annotations\n\n'
    return f"{head}{_standard(body)}\n\n{others}\n\n{body}\n"


def _shape(name: str, schema: Schema, *, sent: bool) -> str:
    if schema.get("type") != "object" or "properties" not in schema:
        return f"{_class(name)} = {_type(schema, sent=sent)}"
    needed = set(schema.get("required", ()))
    fields = []
    for field, told in schema["properties"].items():
        type_ = _type(told, sent=sent)
        fields.append((field, type_ if field in needed or not sent else f"NotRequired[{type_}]", told))
    if any(not field.isidentifier() or keyword.iskeyword(field) for field, _, _ in fields):
        listed = ", ".join(f"{field!r}: {type_}" for field, type_, _ in fields)
        return f"{_class(name)} = TypedDict({_class(name)!r}, {{{listed}}})"
    lines = "".join(f"{_comment(told)}    {field}: {type_}\n" for field, type_, told in fields) or "    pass\n"
    return (
        f"class {_class(name)}(TypedDict):\n{_said(schema.get('description') or 'As told.', indent='    ')}\n\n{lines}"
    )


def _imports(names: list[str], home: str, homes: dict[str, str], schemas: dict[str, Schema]) -> str:
    used: dict[str, set[str]] = {}
    for name in names:
        for other in _named(schemas[name]):
            if homes.get(other, home) != home:
                used.setdefault(homes[other], set()).add(_class(other))
    return _from_shapes(used)


def _from_shapes(used: dict[str, set[str]]) -> str:
    return "\n".join(f"from shuke.client.shapes.{home} import {', '.join(sorted(used[home]))}" for home in sorted(used))


def _named(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _named(item)
    elif isinstance(node, dict):
        name = _ref(node)
        if name is not None:
            yield name
        for item in node.values():
            yield from _named(item)


def _standard(body: str) -> str:
    typing = [name for name in ("Any", "Literal", "NotRequired", "TypedDict") if re.search(rf"\b{name}\b", body)]
    lines = ["from datetime import datetime"] if re.search(r"\bdatetime\b", body) else []
    return "\n".join([*lines, f"from typing import {', '.join(typing)}" if typing else ""])


def _calls_file(tag: str, operations: list[dict[str, Any]], homes: dict[str, str], schemas: dict[str, Schema]) -> str:
    body = "\n\n".join(_call(operation, schemas) for operation in operations)
    used: dict[str, set[str]] = {}
    for name, home in homes.items():
        if re.search(rf"\b{_class(name)}\b", body):
            used.setdefault(home, set()).add(_class(name))
    head = f'"""{tag} {_WRITTEN}."""\n\nfrom __future__ import annotations\n\n{_standard(body)}\n\n'
    return f"{head}{_from_shapes(used)}\nfrom shuke.client.transport import Call, made\n\n{body}\n"


def _call(operation: dict[str, Any], schemas: dict[str, Schema]) -> str:
    """One function. What names the thing comes first, then what is told about it."""
    place, query, headers, once = [], [], [], False
    for told in operation.get("parameters", ()):
        if told["name"].lower() == "idempotency-key":
            once = True
        else:
            {"path": place, "query": query, "header": headers}[told["in"]].append(told)
    content = operation.get("requestBody", {}).get("content", {})
    fields = _fields(content.get("application/json", {}).get("schema", {}), schemas)
    raw = bool(content) and fields is None
    arguments = [f"{_argument(told['name'])}: {_type(told['schema'], sent=True)}" for told in place]
    keywords = []
    if raw:
        arguments.append("content: str | bytes")
        keywords.append(f"content_type: str = {next(iter(content))!r}")
    for name, schema, needed in fields or ():
        keywords.append(f"{_argument(name)}: {_type(schema, sent=True)}" + ("" if needed else " | None = None"))
    for told in (*query, *headers):
        keywords.append(
            f"{_argument(told['name'])}: {_type(told['schema'], sent=True)}"
            + ("" if told.get("required") else " | None = None")
        )
    if once:
        keywords.append("idempotency_key: str | None = None")
    keywords.sort(key=lambda told: "= " in told)
    keywords = [told.replace("| None | None", "| None") for told in keywords]
    signature = ", ".join([*arguments, *(["*", *keywords] if keywords else [])])
    sent = [repr(operation["method"]), repr(operation["path"])]
    for name, told in (("place", place), ("query", query)):
        if told:
            sent.append(f"{name}={_dict([one['name'] for one in told])}")
    head = [f"{one['name']!r}: {_argument(one['name'])}" for one in headers]
    if raw:
        head.append("'Content-Type': content_type")
    if head:
        sent.append(f"headers={{{', '.join(head)}}}")
    if raw:
        sent.append("content=content")
    elif fields is not None:
        sent.append(f"body={_dict([name for name, _, _ in fields])}")
    if once:
        sent.append("once=idempotency_key or True")
    doc = _said(operation.get("description") or operation["summary"], indent="    ")
    return (
        f"def {operation['operationId']}({signature}) -> Call[{_answer(operation)}]:\n{doc}\n"
        f"    return made({', '.join(sent)})\n"
    )


def _fields(schema: Schema, schemas: dict[str, Schema]) -> list[tuple[str, Schema, bool]] | None:
    """The body's fields with whether they are needed; None where the body is not an object of known fields."""
    name = _ref(schema)
    told = schemas[name] if name is not None else schema
    if "properties" not in told:
        return None if told.get("type") != "object" or told.get("additionalProperties", True) else []
    needed = set(told.get("required", ()))
    return [(field, one, field in needed) for field, one in told["properties"].items()]


def _argument(name: str) -> str:
    found = re.sub(r"[^a-z0-9_]", "_", name.lower())
    return f"{found}_" if keyword.iskeyword(found) else found


def _dict(names: list[str]) -> str:
    return "{" + ", ".join(f"{name!r}: {_argument(name)}" for name in names) + "}"


def _answer(operation: dict[str, Any]) -> str:
    """What a call comes back with: a shape, or text where the answer is none."""
    found: list[str] = []
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            for media, told in answer.get("content", {}).items():
                found.append(_type(told.get("schema", {}), sent=False) if media.endswith("json") else "str")
    return " | ".join(dict.fromkeys(found)) or "None"


def _index(names: dict[str, list[str]]) -> str:
    lines = "\n".join(
        f"from shuke.client.calls.{file} import {', '.join(sorted(found))}" for file, found in names.items()
    )
    listed = ", ".join(repr(name) for name in sorted(name for found in names.values() for name in found))
    return f'"""Every request, ready to be sent {_WRITTEN}."""\n\n{lines}\n\n__all__ = [{listed}]\n'


def _formatted(text: str) -> str:
    """As ``ruff`` writes it."""
    for arguments in (["check", "--fix", "--quiet", "--exit-zero", "--select", "I,F401"], ["format"]):
        command = [sys.executable, "-m", "ruff", *arguments, "--stdin-filename", str(CLIENT / "calls" / "x.py"), "-"]
        text = subprocess.run(command, input=text, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    return text


if __name__ == "__main__":
    main()
