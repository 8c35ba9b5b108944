"""The text of a document: YAML (and JSON, which is YAML) with exact numbers and nothing guessed.

YAML 1.1 reads ``on`` as true, ``11:30`` as 690, ``2026-01-01`` as a date and 0.1 as a float. A merchant who
writes these means what is written, so only true, false, null, whole numbers and decimals are more than text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from enum import Enum
from typing import Any, Final, NamedTuple

import msgspec
import yaml

from shuke.program.problems import DocumentError, Problem, problem
from shuke.program.sentences import Fact, Phrase

MAX_BYTES: Final = 4_000_000
MAX_NODES: Final = 1_000_000
MAX_DEPTH: Final = 50
MAX_DIGITS: Final = 60

_TAG: Final = "tag:yaml.org,2002:"
_BASE: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Parsed(NamedTuple):
    """Plain data (numbers are int or Decimal), and the line (from 1) on which every path begins."""

    data: Any
    lines: dict[str, int]


class _Loader(_BASE):  # type: ignore[misc]  # with libyaml where it is there, else without
    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # YAML's own name for it


_PLAIN: Final = (
    ("null", r"^(?:~|null|)$", ("~", "n", "")),
    ("bool", r"^(?:true|false)$", ("t", "f")),
    ("int", r"^-?(?:0|[1-9][0-9_]*)$", tuple("-0123456789")),
    ("float", r"^-?[0-9][0-9_]*\.[0-9_]+$", tuple("-0123456789")),
)
for _tag, _pattern, _firsts in _PLAIN:
    _Loader.add_implicit_resolver(_TAG + _tag, re.compile(_pattern), list(_firsts))


def parse(text: str) -> Parsed:
    """The data of a YAML or JSON text. Raises ``DocumentError`` with the line of what cannot be read."""
    if len(text.encode()) > MAX_BYTES:
        raise DocumentError([problem("", "too_large", most=MAX_BYTES // 1_000_000)])
    try:
        _measure_depth(text)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as broken:
        raise DocumentError([_broken(broken, text)]) from broken
    except yaml.YAMLError as broken:
        said = getattr(broken, "reason", "it cannot be read")
        raise DocumentError([problem("", "not_yaml", said=str(said))]) from broken
    if node is None:
        return Parsed(None, {})
    if _size(node, {}) > MAX_NODES:
        raise _refused(node, "", "too_large:aliases")
    reader = _Reader()
    return Parsed(reader.value(node, "", 0), reader.lines)


def _measure_depth(text: str) -> None:
    """Refuse what is nested too deep, before libyaml's own recursion meets it (which ends the process)."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise _refused(event, "", "too_deep", most=MAX_DEPTH)


def _size(node: yaml.Node, sizes: dict[int, int]) -> int:
    """How many values the node stands for, aliases unfolded; each node is looked at once."""
    if id(node) in sizes:
        return sizes[id(node)]
    sizes[id(node)] = 0  # an alias to what it stands in: its depth is refused when it is read
    size = 1
    if isinstance(node, yaml.MappingNode):
        size += sum(_size(value, sizes) for _, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        size += sum(_size(item, sizes) for item in node.value)
    sizes[id(node)] = size
    return size


def _broken(error: yaml.MarkedYAMLError, text: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    if mark is None:
        return problem("", "not_yaml", said=said)
    line = text.splitlines()[mark.line : mark.line + 1]
    hint = Phrase("hint.tabs") if line and "\t" in line[0][: mark.column + 1] else None
    return problem("", "not_yaml", hint, said=said, column=mark.column + 1).at(mark.line + 1)


class _Reader:
    """Builds plain data out of YAML's nodes and remembers where each stands."""

    def __init__(self) -> None:
        self.lines: dict[str, int] = {}

    def value(self, node: yaml.Node, path: str, depth: int) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if depth > MAX_DEPTH:
            raise _refused(node, path, "too_deep", most=MAX_DEPTH)
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return self._mapping(node, path, depth)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            items = enumerate(node.value)
            return [self.value(item, f"{path}[{index}]", depth + 1) for index, item in items]
        if isinstance(node, yaml.ScalarNode) and node.tag in _SCALARS:
            return _scalar(node, path)
        raise _refused(node, path, "unknown_tag", tag=node.tag)

    def _mapping(self, node: yaml.MappingNode, path: str, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if not isinstance(key_node, yaml.ScalarNode):
                raise _refused(key_node, path, "not_a_name")
            key = key_node.value
            if "\0" in key:
                raise _refused(key_node, path, "not_a_name:zero")
            below = f"{path}.{key}" if path else key
            if key in data:
                raise _refused(key_node, below, "written_twice", name=key)
            self.lines[below] = key_node.start_mark.line + 1
            data[key] = self.value(value_node, below, depth + 1)
        return data


_KINDS: Final = {
    "str": Phrase("shape.text"),
    "null": Phrase("shape.nothing"),
    "bool": Phrase("shape.flag"),
    "int": Phrase("shape.whole"),
    "float": Phrase("shape.number"),
}
_SCALARS: Final = frozenset(f"{_TAG}{kind}" for kind in _KINDS)


def _scalar(node: yaml.ScalarNode, path: str) -> Any:
    text = node.value
    kind = node.tag.removeprefix(_TAG)
    try:
        if kind == "str" and "\0" not in text:  # no database text can hold it
            return text
        if kind == "null":
            return None
        if kind == "bool":
            return {"true": True, "false": False}[text]
        if kind in ("int", "float") and len(text) <= MAX_DIGITS:
            digits = text.replace("_", "")
            return int(digits) if kind == "int" else Decimal(digits)
    except (KeyError, ValueError, ArithmeticError):
        pass
    raise _refused(node, path, "not_a_value", text=text[:80], kind=_KINDS[kind])


def _refused(node: yaml.Node | yaml.Event, path: str, key: str, /, **facts: Fact) -> DocumentError:
    line = node.start_mark.line + 1 if node.start_mark is not None else None
    return DocumentError([problem(path, key, **facts).at(line)])


def line_of(path: str, lines: Mapping[str, int]) -> int | None:
    """The line of the path, or of the nearest thing above it that is written."""
    while path and path not in lines:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return lines.get(path)


# -- JSON as YAML -----------------------------------------------------------------------------------------

_NOT_IN_YAML: Final = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_MOST_ZEROS: Final = 20


def text_of_json(body: bytes) -> str:
    """A JSON text, indented, that ``parse`` reads as the same data: YAML knows no 1e-3 and no pairs of half
    characters. Raises ``DocumentError`` for what is not JSON."""
    try:
        text = msgspec.json.format(_to_json(_from_json(body)), indent=2).decode()
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as broken:
        said = Phrase("nested") if isinstance(broken, RecursionError) else str(broken)
        raise DocumentError([problem("", "not_json", said=said)]) from broken
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _written_out(number: str) -> Decimal:
    """The number without an exponent, unless that would be a long one."""
    read = Decimal(number)
    return Decimal(f"{read:f}") if abs(read.adjusted()) <= _MOST_ZEROS else read


_from_json: Final = msgspec.json.Decoder(float_hook=_written_out).decode
_to_json: Final = msgspec.json.Encoder(decimal_format="number").encode


# -- Writing ----------------------------------------------------------------------------------------------


class _Dumper(yaml.SafeDumper):
    """Quotes whatever another YAML reader might take for more than text, but for the key ``on``."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # lists stand in from the name above them


_NOT_ON: Final = re.compile(r"^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|On|ON|off|Off|OFF)$")
_Dumper.yaml_implicit_resolvers = {
    first: [(tag, _NOT_ON if tag == f"{_TAG}bool" else pattern) for tag, pattern in resolvers]
    for first, resolvers in yaml.SafeDumper.yaml_implicit_resolvers.items()
}


def _number(dumper: yaml.SafeDumper, number: Decimal) -> yaml.ScalarNode:
    written = f"{number:f}"
    return dumper.represent_scalar(f"{_TAG}{'float' if '.' in written else 'int'}", written)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_TAG}str", text, style="|" if "\n" in text else None)


def _word(dumper: yaml.SafeDumper, word: Enum) -> yaml.ScalarNode:
    return dumper.represent_scalar(f"{_TAG}str", str(word.value))


_Dumper.add_representer(Decimal, _number)
_Dumper.add_representer(str, _text)
_Dumper.add_multi_representer(Enum, _word)


def dump(data: Any) -> str:
    """The data as YAML text that ``parse`` reads back as it was, decimals to the last digit."""
    return str(yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100))
