"""A program made ready to run: every condition one expression, every rule indexed by what can set it off.

Compiling happens once per published version; a step then touches only the rules its activity can meet.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Any

from shuke.engine.assets import AssetRules, compile_assets
from shuke.engine.benefits import compile_benefits
from shuke.engine.conditions import Names, compile_condition
from shuke.engine.consents import ConsentRules
from shuke.engine.coupons import compile_coupons
from shuke.engine.earning import EarnRule, Ruleset, compile_earning
from shuke.engine.lifecycle import LifeRules
from shuke.engine.measures import Counter, reach_days
from shuke.engine.prices import compile_prices
from shuke.engine.stored_value import compile_stored_value
from shuke.engine.tiers import compile_ladders
from shuke.engine.traits import ProfileRules
from shuke.program.assets import AssetKind
from shuke.program.chapter import Chapter, ratio
from shuke.program.conditions import Node, uses, uses_of_term
from shuke.program.document import Program
from shuke.program.identities import terms_of
from shuke.program.measures import Measure
from shuke.values.instants import NEVER, Instant, LocalCalendar

_STREAK_DAYS = 800  # longer streaks and absences are not told apart


class Compiled:
    """One version of a program, ready to run. Holds no member data and never changes."""

    def __init__(self, program: Program, *, version: int = 1, effective_from: Instant = 0) -> None:
        self.document = program
        self.version = version
        self.effective_from = effective_from
        self.calendar = LocalCalendar(program.zone)
        self.currency_scale = 10**program.scale
        self.life = LifeRules(program.profile)
        self.consents = ConsentRules(program.profile)
        self.profile = ProfileRules(program.profile, currency_scale=self.currency_scale)
        self.assets: dict[str, AssetRules] = compile_assets(program, self.calendar)
        measures = tracked_measures(program)
        self.names = Names.of(program, measures=[measure for measure, _ in measures])
        self._counters = {measure.id: self._counter(measure, keep) for measure, keep in measures}
        self.counters: dict[str, list[Counter]] = {}
        for counter in self._counters.values():
            for trigger in counter.measure.on:
                self.counters.setdefault(trigger, []).append(counter)
        self.earned_counters = {
            id_.removeprefix("earned:"): counter for id_, counter in self._counters.items() if id_.startswith("earned:")
        }
        self.earning: dict[str, Ruleset]
        self.rules: dict[str, EarnRule]
        self.earning, self.rules = compile_earning(program, self.assets, self.names)
        self.quotas = {
            trigger: [limit.key for rule in rules.rules if rule.limits for limit in rule.limits.quotas]
            for trigger, rules in self.earning.items()
        }
        self.keeps_purchases = "order.completed" in self.earning or "order.completed" in self.counters
        self.ladders = compile_ladders(program, self.calendar, self.names)
        self.benefits = compile_benefits(program, self.names)
        self.coupons = compile_coupons(program, self.calendar, self.names)
        self.prices = compile_prices(program, self.names)
        self.stored_value = compile_stored_value(program, self.names)
        self.identities = terms_of(program.identities)
        self.announced = frozenset(program.announce)
        self.hold_microseconds = program.hold_minutes * 60_000_000

    def _counter(self, measure: Measure, keep_days: int) -> Counter:
        return Counter(
            measure,
            keep_days=keep_days,
            when=compile_condition(measure.when, names=self.names) if measure.when else None,
            lines=compile_condition(measure.lines, names=self.names) if measure.lines else None,
        )

    def counter(self, measure_id: str) -> Counter | None:
        return self._counters.get(measure_id)

    def is_stored_value(self, asset_id: str) -> bool:
        return self.assets[asset_id].asset.kind in (AssetKind.PRINCIPAL, AssetKind.BONUS)

    def worth(self, asset_id: str) -> tuple[int, int]:
        """What one smallest unit of the asset pays, in minor units, as an exact fraction. (0, 1) if nothing."""
        asset = self.assets[asset_id].asset
        if asset.redemption is None:
            return 0, 1
        top, bottom = ratio(asset.redemption.worth)
        return top * self.currency_scale, bottom * asset.redemption.per * 10**asset.scale


class Editions:
    """The published versions of one program, in the order in which they came into force."""

    __slots__ = ("_from", "compiled")

    def __init__(self, compiled: Iterable[Compiled]) -> None:
        self.compiled = sorted(compiled, key=lambda edition: (edition.effective_from, edition.version))
        if not self.compiled:
            raise ValueError("at least one version of the program is needed")
        self._from = [edition.effective_from for edition in self.compiled]

    @property
    def changes(self) -> bool:
        """Whether there is more than one version."""
        return len(self._from) > 1

    @property
    def newest(self) -> int:
        """The number of the version published last."""
        return max(edition.version for edition in self.compiled)

    def first_with(self, asset: str) -> Compiled:
        """The first version that has the asset. Raises StopIteration if none has."""
        return next(edition for edition in self.compiled if asset in edition.assets)

    def next_change(self, after: Instant) -> Instant:
        """When the next version after ``after`` comes into force; NEVER if none is known."""
        if len(self._from) == 1:
            return NEVER
        place = max(1, bisect_right(self._from, after))  # the first one is in force from the beginning
        return self._from[place] if place < len(self._from) else NEVER

    def is_change(self, instant: Instant) -> bool:
        """Whether a version after the first comes into force at this instant."""
        return instant in self._from[1:]

    def known_by(self, version: int) -> Editions:
        """The versions as they were known when ``version`` was the newest."""
        if version >= self.newest:
            return self
        return Editions(edition for edition in self.compiled if edition.version <= version)

    def at(self, instant: Instant) -> Compiled:
        """The version in force at ``instant``; before the first one came into force, the first."""
        if len(self._from) == 1:
            return self.compiled[0]
        return self.compiled[max(0, bisect_right(self._from, instant) - 1)]


def conditions_of(chapter: Any) -> Iterator[tuple[str, Any]]:
    """Every condition and term written anywhere below, with its path."""
    if isinstance(chapter, Chapter):
        for name in type(chapter).model_fields:
            for path, found in conditions_of(getattr(chapter, name)):
                yield (f"{name}{path}" if path.startswith("[") or not path else f"{name}.{path}"), found
    elif isinstance(chapter, list | tuple):
        for index, item in enumerate(chapter):
            for path, found in conditions_of(item):
                yield (f"[{index}]{path}" if path.startswith("[") or not path else f"[{index}].{path}"), found
    elif type(chapter).__module__ == Node.__args__[0].__module__:
        yield "", chapter


def asked_measures(chapter: Any) -> dict[str, int]:
    """The ids of the measures some condition below asks for, each with the days that must be kept for its longest
    window (0: only the lifetime total)."""
    asked: dict[str, int] = {}
    for _, found in conditions_of(chapter):
        used = uses(found) if isinstance(found, Node) else uses_of_term(found)
        for measure_id, window in used.measures:
            asked[measure_id] = max(asked.get(measure_id, 0), reach_days(window))
        for measure_id in used.streaks | used.days_since:
            asked[measure_id] = max(asked.get(measure_id, 0), _STREAK_DAYS)
    return asked


def tracked_measures(program: Program) -> list[tuple[Measure, int]]:
    """The measures some condition asks for, each with the days that must be kept for its longest window."""
    return [(measure_of(program, id_), keep) for id_, keep in sorted(asked_measures(program).items())]


def measure_of(program: Program, measure_id: str) -> Measure:
    """The measure of this id: declared, built in, or named where it is used."""
    return program.all_measures().get(measure_id) or _ad_hoc(measure_id)


def _ad_hoc(measure_id: str) -> Measure:
    """A measure that is named where it is used: ``count:<type>``, ``sum:<type>.<field>``, ``streak:<type>`` …"""
    kind, _, rest = measure_id.partition(":")
    if kind == "sum":
        activity, _, field = rest.rpartition(".")
        return Measure.model_construct(id=measure_id, kind="sum", of=f"payload.{field}", on=[activity])
    if kind == "earned":
        return Measure.model_construct(id=measure_id, kind="sum", of="earned", on=[])
    return Measure.model_construct(id=measure_id, kind="count" if kind == "count" else "days", of="amount", on=[rest])
