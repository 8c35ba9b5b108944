"""What a validator finds, said so that a merchant can mend it: where, what is wrong, what was meant."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Final, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from shuke.program.conditions import ConditionSyntax
from shuke.program.document_text import line_of
from shuke.program.problems import Broken, Problem, closest, names, problem
from shuke.program.sentences import Fact, Listed, Phrase


class _Found(NamedTuple):
    """One finding: its path in the document, and where a choice between shapes was made above it."""

    path: str
    choice: str | None
    branch: str | None
    detail: ErrorDetails


def problems_of(
    details: Iterable[ErrorDetails],
    *,
    data: Any,
    model: type[BaseModel],
    lines: Mapping[str, int] | None = None,
) -> list[Problem]:
    """The validator's findings as problems, in the order of the document (``lines`` as of ``parse``)."""
    found = [_placed(detail, data) for detail in details]
    problems: dict[tuple[Any, ...], Problem] = {}
    for finding in _chosen(found):
        told = finding if isinstance(finding, Problem) else _problem(finding, model)
        if lines is not None:
            told = told.at(line_of(told.path, lines))
        problems.setdefault((told.path, told.key, told.facts), told)
    return sorted(problems.values(), key=lambda told: told.line or 0)


def _placed(detail: ErrorDetails, data: Any) -> _Found:
    """The finding with its path; steps that name an alternative of a type, no part of the data, fall out."""
    path, choice, branch, here = "", None, None, data
    last = len(detail["loc"]) - 1
    for position, step in enumerate(detail["loc"]):
        if isinstance(step, int) and isinstance(here, list) and step < len(here):
            path, here = f"{path}[{step}]", here[step]
        elif isinstance(here, dict) and step in here:
            path, here = _join(path, str(step)), here[step]
        elif position == last and detail["type"] == "missing":
            path = _join(path, str(step))
        else:
            choice, branch = path, str(step)
    return _Found(path, choice, branch, detail)


def _join(path: str, step: str) -> str:
    return f"{path}.{step}" if path else step


# -- Choices: a field that may have one of several shapes -------------------------------------------------


def _chosen(found: list[_Found]) -> Iterator[_Found | Problem]:
    """Of every choice the findings of the shape that was meant, or one problem that names all shapes."""
    choices: dict[str, dict[str, list[_Found]]] = {}
    for finding in found:
        if finding.choice is not None and finding.branch is not None:
            choices.setdefault(finding.choice, {}).setdefault(finding.branch, []).append(finding)
    told: set[str] = set()
    for finding in found:
        if finding.choice is None:
            yield finding
        elif finding.choice not in told:
            told.add(finding.choice)
            yield from _meant(list(choices[finding.choice].values()), finding.choice)


def _meant(branches: list[list[_Found]], path: str) -> Iterator[_Found | Problem]:
    fitting = [findings for findings in branches if not any(_is_shape(found, path) for found in findings)]
    if fitting:
        yield from min(fitting, key=len)
        return
    details = [finding.detail for findings in branches for finding in findings]
    expected = Listed(tuple(dict.fromkeys(_expected(detail) for detail in details)), "or")
    words = [word for detail in details for word in _listed(detail)]
    given = details[0]["input"]
    yield problem(path, "wrong_type", closest(str(given), words), expected=expected, given=_shown(given))


def _is_shape(found: _Found, path: str) -> bool:
    """Whether the finding says that the whole alternative does not fit, rather than something within it."""
    return found.path == path and found.detail["type"] in _SHAPES


_TEXT: Final = Phrase("shape.text")
_FLAG: Final = Phrase("shape.flag")
_WHOLE: Final = Phrase("shape.whole")
_NUMBER: Final = Phrase("shape.number")
_LIST: Final = Phrase("shape.list")
_GROUP: Final = Phrase("shape.group")
_NOTHING: Final = Phrase("shape.nothing")
_WORD: Final = Phrase("shape.word")

_SHAPES: Final = {
    "string_type": _TEXT,
    "bool_type": _FLAG,
    "bool_parsing": _FLAG,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "decimal_type": _NUMBER,
    "decimal_parsing": _NUMBER,
    "finite_number": _NUMBER,
    "is_instance_of": _NUMBER,
    "list_type": _LIST,
    "dict_type": _GROUP,
    "model_type": _GROUP,
    "model_attributes_type": _GROUP,
    "none_required": _NOTHING,
    "literal_error": _WORD,
    "enum": _WORD,
}


def _expected(detail: ErrorDetails) -> Fact:
    words = _listed(detail)
    return Listed(tuple(words), "or") if words else _SHAPES.get(detail["type"], Phrase("shape.other"))


def _listed(detail: ErrorDetails) -> list[str]:
    """The words that a field allows, out of the validator's "'a', 'b' or 'c'"."""
    if detail["type"] not in ("literal_error", "enum"):
        return []
    return re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))


def _shown(value: Any) -> Fact:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return _GROUP
    if isinstance(value, list):
        return _LIST
    return str(value) if isinstance(value, int | Decimal) else Phrase.of("text", text=str(value)[:80])


# -- Sentences --------------------------------------------------------------------------------------------


def _problem(found: _Found, model: type[BaseModel]) -> Problem:
    detail, path = found.detail, found.path
    kind, given = detail["type"], detail["input"]
    context: dict[str, Any] = detail.get("ctx", {})
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "missing":
        return problem(path, "missing", name=name)
    if kind == "extra_forbidden":
        return _unknown_field(path, name, list(_fields(model, detail["loc"][:-1])))
    if kind == "value_error":
        return _told(path, context["error"])
    if kind in ("literal_error", "enum"):
        words = _listed(detail)
        near = closest(str(given), words)
        return problem(path, "not_in_list", near, expected=Listed(tuple(words), "or"), given=_shown(given))
    if kind == "string_pattern_mismatch":
        return _pattern(path, str(context["pattern"]), str(given))
    if kind in _BOUNDS:
        key, name = _BOUNDS[kind]
        bound = str(context[name])
        return problem(path, key, bound if name in ("ge", "le") else None, bound=bound, given=_shown(given))
    if kind in _LENGTHS:
        key, fact, name = _LENGTHS[kind]
        return problem(path, key, **{fact: context[name]})
    if kind in _SHAPES:
        return _wrong_type(path, _SHAPES[kind], given)
    return problem(path, "not_valid", said=detail["msg"])


_BOUNDS: Final = {
    "greater_than": ("out_of_range:more", "gt"),
    "greater_than_equal": ("out_of_range:at_least", "ge"),
    "less_than": ("out_of_range:less", "lt"),
    "less_than_equal": ("out_of_range:at_most", "le"),
}
_LENGTHS: Final = {
    "too_short": ("too_few", "least", "min_length"),
    "too_long": ("too_many", "most", "max_length"),
    "string_too_short": ("too_short", "least", "min_length"),
    "string_too_long": ("too_long", "most", "max_length"),
}


def _wrong_type(path: str, expected: Phrase, given: Any) -> Problem:
    hint: Fact = None
    if expected is _TEXT and isinstance(given, bool | int | Decimal):
        hint = f'"{_shown(given)}"'
    elif expected is _LIST and isinstance(given, str | int | Decimal):
        hint = f"[{given}]"
    return problem(path, "wrong_type", hint, expected=expected, given=_shown(given))


def _unknown_field(path: str, name: str, known: list[str]) -> Problem:
    near = closest(name, known)
    return problem(path, "unknown_field", near, name=name, known=names(known) if near is None else None)


def _told(path: str, error: Exception) -> Problem:
    """What our own validators raise."""
    if isinstance(error, ConditionSyntax):
        near = error.text[error.position : error.position + 20]
        key = "not_a_condition" if near else "not_a_condition:end"
        where = {"near": near} if near else {}
        return problem(path, key, error.suggestion, said=error.said, character=error.position + 1, **where)
    if isinstance(error, Broken):
        return error.at(path)
    return problem(path, "not_valid", said=str(error).rstrip("."))


def _slug(given: str) -> str | None:
    slug = re.sub(r"[^a-z0-9_-]+", "-", given.lower()).strip("-")
    return slug if re.match(r"[a-z]", slug) else None


_PATTERNS: Final[tuple[tuple[str, str, Callable[[str], str | None]], ...]] = (
    ("^[a-z]", "wrong_form:id", _slug),
    ("^[A-Z]{3}", "wrong_form:currency", lambda given: given.upper()[:3]),
    (r"^\d{4}-", "wrong_form:date", lambda given: None),
)


def _pattern(path: str, pattern: str, given: str) -> Problem:
    for start, key, mend in _PATTERNS:
        if pattern.startswith(start):
            return problem(path, key, mend(given), given=given[:80])
    return problem(path, "wrong_form", given=given[:80], pattern=pattern)


# -- What a place in the document may hold ----------------------------------------------------------------


def _fields(model: type[BaseModel], loc: tuple[int | str, ...]) -> Iterator[str]:
    """The names of the fields that may stand at ``loc``, as they are written."""
    for shape in shapes_at(model, loc):
        for name, field in shape.model_fields.items():
            yield field.alias or name


def shapes_at(model: type[BaseModel], loc: tuple[int | str, ...]) -> list[type[BaseModel]]:
    """The chapters that may stand at ``loc``."""
    shapes: list[Any] = [model]
    for step in loc:
        below = [inner for shape in shapes for inner in _below(shape, step)]
        named = [shape for shape in shapes if getattr(shape, "__name__", None) == step]
        shapes = [inner for shape in below for inner in alternatives(shape)] or named or shapes
    return [shape for shape in shapes if isinstance(shape, type) and issubclass(shape, BaseModel)]


def _below(shape: Any, step: int | str) -> Iterator[Any]:
    if isinstance(step, int):
        if get_origin(shape) is list:
            yield get_args(shape)[0]
    elif isinstance(shape, type) and issubclass(shape, BaseModel):
        for name, field in shape.model_fields.items():
            if step in (name, field.alias):
                yield field.annotation
    elif get_origin(shape) is dict:
        yield get_args(shape)[1]


def alternatives(shape: Any) -> Iterator[Any]:
    """A type's alternatives, without what is only annotation."""
    if get_origin(shape) is Annotated:
        yield from alternatives(get_args(shape)[0])
    elif get_origin(shape) in (Union, UnionType):
        for inner in get_args(shape):
            yield from alternatives(inner)
    else:
        yield shape
