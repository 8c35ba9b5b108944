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
from shuke.program.problems import Problem, closest

_MOST_LISTED: Final = 12


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
    problems: dict[tuple[str, str, str], Problem] = {}
    for finding in _chosen(found):
        problem = finding if isinstance(finding, Problem) else _problem(finding, model)
        if lines is not None:
            problem = problem.at(line_of(problem.path, lines))
        problems.setdefault((problem.path, problem.code, problem.sentence), problem)
    return sorted(problems.values(), key=lambda problem: problem.line or 0)


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
    expected = " or ".join(dict.fromkeys(_expected(detail) for detail in details))
    words = [word for detail in details for word in _listed(detail)]
    sentence = f"Here {expected} is needed, not {_shown(details[0]['input'])}."
    yield Problem(path, "wrong_type", sentence, closest(str(details[0]["input"]), words))


def _is_shape(found: _Found, path: str) -> bool:
    """Whether the finding says that the whole alternative does not fit, rather than something within it."""
    return found.path == path and found.detail["type"] in _SHAPES


_SHAPES: Final = {
    "string_type": "a text",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "decimal_type": "a number",
    "decimal_parsing": "a number",
    "is_instance_of": "a number",
    "list_type": "a list",
    "dict_type": "a group of fields",
    "model_type": "a group of fields",
    "model_attributes_type": "a group of fields",
    "none_required": "nothing",
    "literal_error": "one of the words",
    "enum": "one of the words",
}


def _expected(detail: ErrorDetails) -> str:
    words = _listed(detail)
    return _either(words) if words else _SHAPES.get(detail["type"], "something else")


def _listed(detail: ErrorDetails) -> list[str]:
    """The words that a field allows, out of the validator's "'a', 'b' or 'c'"."""
    if detail["type"] not in ("literal_error", "enum"):
        return []
    return re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))


def _either(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _shown(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a group of fields"
    if isinstance(value, list):
        return "a list"
    return str(value) if isinstance(value, int | Decimal) else f'"{str(value)[:80]}"'


# -- Sentences --------------------------------------------------------------------------------------------


def _problem(found: _Found, model: type[BaseModel]) -> Problem:
    detail = found.detail
    kind, given = detail["type"], detail["input"]
    context: dict[str, Any] = detail.get("ctx", {})
    name = str(detail["loc"][-1]) if detail["loc"] else ""
    if kind == "missing":
        return Problem(found.path, "missing", f"The field {name!r} is missing.")
    if kind == "extra_forbidden":
        return _unknown_field(found.path, name, list(_fields(model, detail["loc"][:-1])))
    if kind == "value_error":
        return _told(found.path, context["error"])
    if kind in ("literal_error", "enum"):
        words = _listed(detail)
        sentence = f"Here {_either(words)} is needed, not {_shown(given)}."
        return Problem(found.path, "not_in_list", sentence, closest(str(given), words))
    if kind == "string_pattern_mismatch":
        return _pattern(found.path, str(context["pattern"]), str(given))
    if kind in _BOUNDS:
        said, key = _BOUNDS[kind]
        sentence = f"This must be {said} {context[key]}, not {_shown(given)}."
        return Problem(found.path, "out_of_range", sentence, str(context[key]) if key in ("ge", "le") else None)
    if kind == "too_short":
        return Problem(found.path, "too_few", f"At least {context['min_length']} is needed here.")
    if kind == "too_long":
        return Problem(found.path, "too_many", f"At most {context['max_length']} are possible here.")
    if kind in _SHAPES:
        return _wrong_type(found.path, _SHAPES[kind], given)
    return Problem(found.path, kind, f"{detail['msg']}.")


_BOUNDS: Final = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _wrong_type(path: str, expected: str, given: Any) -> Problem:
    suggestion = None
    if expected == "a text" and isinstance(given, bool | int | Decimal):
        suggestion = f'"{_shown(given)}"'
    elif expected == "a list" and isinstance(given, str | int | Decimal):
        suggestion = f"[{given}]"
    return Problem(path, "wrong_type", f"Here {expected} is needed, not {_shown(given)}.", suggestion)


def _unknown_field(path: str, name: str, known: list[str]) -> Problem:
    near = closest(name, known)
    there = f"; there are {', '.join(known)}" if near is None and 0 < len(known) <= _MOST_LISTED else ""
    return Problem(path, "unknown_field", f"There is no field {name!r} here{there}.", near)


def _told(path: str, error: Exception) -> Problem:
    """What our own validators raise is a sentence already."""
    if isinstance(error, ConditionSyntax):
        near = error.text[error.position : error.position + 20]
        place = f"at {near!r}" if near else "at its end"
        sentence = f"{error.sentence} (character {error.position + 1}, {place})"
        return Problem(path, "not_a_condition", sentence, error.suggestion)
    sentence, _, hint = str(error).partition(": did you mean ")
    suggestion = hint.strip('"?') if hint else None
    return Problem(path, "not_valid", f"{sentence[:1].upper()}{sentence[1:].rstrip('.')}.", suggestion)


def _slug(given: str) -> str | None:
    slug = re.sub(r"[^a-z0-9_-]+", "-", given.lower()).strip("-")
    return slug if re.match(r"[a-z]", slug) else None


_PATTERNS: Final[tuple[tuple[str, str, Callable[[str], str | None]], ...]] = (
    (
        "^[a-z]",
        "An id is made of small letters, digits, - and _, begins with a letter and has at most 63 characters",
        _slug,
    ),
    ("^[A-Z]{3}", "A currency is three capital letters, such as TWD", lambda given: given.upper()[:3]),
    (r"^\d{4}-", "Write the date with year, month and day, such as 2026-04-20", lambda given: None),
)


def _pattern(path: str, pattern: str, given: str) -> Problem:
    for start, sentence, mend in _PATTERNS:
        if pattern.startswith(start):
            return Problem(path, "wrong_form", f'{sentence}, not "{given[:80]}".', mend(given))
    return Problem(path, "wrong_form", f'"{given[:80]}" does not have the form {pattern}.')


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
