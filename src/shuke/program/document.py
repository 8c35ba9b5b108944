"""Chapter 0: the program. One document says what a membership means; everything else reads it.

``read`` takes YAML text (or JSON, which is YAML) and gives a validated ``Program``; ``write`` gives YAML
back. Whole-document checks (references, reachability, law) are in ``shuke.program.checks``.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from shuke.program.assets import Asset
from shuke.program.benefits import Benefit
from shuke.program.chapter import Chapter, Slug, Text
from shuke.program.coupons import CouponTemplate
from shuke.program.earning import Rule
from shuke.program.measures import BUILT_IN, Measure
from shuke.program.prices import Prices
from shuke.program.problems import Problem
from shuke.program.stored_value import StoredValue
from shuke.program.tiers import Ladder
from shuke.values.currencies import minor_digits
from shuke.values.instants import check_zone

MAX_TEXT_BYTES = 4_000_000


class Program(Chapter):
    """A membership program. Amounts of money are in currency units, of assets in whole units."""

    id: Slug
    title: Text | None = None
    description: Text | None = None
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    currency_scale: int | None = Field(default=None, ge=0, le=4)  # decimals in use; ISO 4217's by default
    zone: str
    locales: list[str] = Field(default_factory=lambda: ["en"], min_length=1)
    hold_minutes: int = Field(default=30, ge=1, le=7 * 24 * 60)
    measures: list[Measure] = Field(default_factory=list)
    assets: list[Asset] = Field(default_factory=list)
    earning: list[Rule] = Field(default_factory=list)
    ladders: list[Ladder] = Field(default_factory=list)
    benefits: list[Benefit] = Field(default_factory=list)
    coupons: list[CouponTemplate] = Field(default_factory=list)
    stored_value: StoredValue | None = None
    prices: Prices = Field(default_factory=Prices)

    @field_validator("zone")
    @classmethod
    def _zone(cls, zone: str) -> str:
        check_zone(zone)
        return zone

    @model_validator(mode="after")
    def _currency(self) -> Program:
        minor_digits(self.currency)
        return self

    @property
    def scale(self) -> int:
        """Decimals of the currency in this program."""
        return minor_digits(self.currency) if self.currency_scale is None else self.currency_scale

    def all_measures(self) -> dict[str, Measure]:
        """Declared measures and the built-in ones they do not replace."""
        return {measure.id: measure for measure in (*BUILT_IN, *self.measures)}

    def asset(self, asset_id: str) -> Asset:
        """The asset with this id. Raises KeyError."""
        return next_or_key_error(self.assets, asset_id)

    def ladder(self, ladder_id: str) -> Ladder:
        """The ladder with this id. Raises KeyError."""
        return next_or_key_error(self.ladders, ladder_id)


def next_or_key_error(chapters: list[Any], wanted: str) -> Any:
    for chapter in chapters:
        if chapter.id == wanted:
            return chapter
    raise KeyError(wanted)


class DocumentError(ValueError):
    """The text is not a program. ``problems`` says where and why."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{problem.path}: {problem.sentence}" for problem in problems))


class _Loader(yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader):  # type: ignore[misc]  # either
    """YAML 1.1 with exact decimals, dates left as text, and no key twice."""


def _decimal(loader: Any, node: Any) -> Decimal:
    return Decimal(loader.construct_scalar(node).replace("_", ""))


def _mapping(loader: Any, node: Any) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key_node, _ in node.value:
        key = loader.construct_object(key_node, deep=True)
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"'{key}' is written twice", key_node.start_mark)
        seen.add(key)
    loader.flatten_mapping(node)
    mapping: dict[Any, Any] = loader.construct_mapping(node, deep=True)
    return mapping


_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
# YAML 1.1 reads dates, "on"/"off" and 11:30 as something else than what a merchant wrote.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(("timestamp", "bool", "float", "int"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def _resolve(tag: str, pattern: str, firsts: str) -> None:
    import re  # noqa: PLC0415
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(firsts))


_resolve("bool", r"^(?:true|false)$", "tf")
_resolve("int", r"^[-+]?(?:0|[1-9][0-9_]*)$", "-+0123456789")
_resolve("float", r"^[-+]?[0-9][0-9_]*\.[0-9_]+$", "-+0123456789")


def read(text: str) -> Program:
    """A program from YAML or JSON text. Raises ``DocumentError`` with every problem found, its path and a sentence."""
    if len(text.encode()) > MAX_TEXT_BYTES:
        raise DocumentError([Problem("", "too_large", "The document is larger than 4 MB.", None)])
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506  # a SafeLoader
    except yaml.YAMLError as error:
        raise DocumentError([Problem("", "not_yaml", f"This is not YAML: {error}", None)]) from error
    return from_data(data)


def from_data(data: Any) -> Program:
    """A program from plain data (as JSON gives it). Raises ``DocumentError``."""
    if not isinstance(data, dict):
        raise DocumentError([Problem("", "not_a_program", "A program is a mapping of fields.", None)])
    try:
        return Program.model_validate(data)
    except ValidationError as error:
        raise DocumentError([_problem(detail) for detail in error.errors()]) from error


def _problem(detail: Any) -> Problem:
    path = ""
    for step in detail["loc"]:
        path += f"[{step}]" if isinstance(step, int) else f".{step}" if path else str(step)
    return Problem(path, str(detail["type"]), str(detail["msg"]), None)


def to_data(program: Program) -> dict[str, Any]:
    """The document as plain data: only what was said, decimals as text-exact numbers."""
    data: dict[str, Any] = program.model_dump(mode="json", exclude_unset=True, by_alias=True)
    return data


def write(program: Program) -> str:
    """The document as YAML, in the order of the chapters."""
    return yaml.safe_dump(to_data(program), allow_unicode=True, sort_keys=False, width=100)
