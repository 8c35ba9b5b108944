"""Declared traits: whether what is told of a member is what was asked, and whether it may be changed.

Values are kept as they are told: dates as texts (2026-05-01), money in minor units, numbers with a fraction as texts,
so that they stay exact. What was told before a trait was declared, or declared otherwise, stays; a condition that
cannot read it as the kind it has now takes it for missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from shuke.engine.effects import Refused
from shuke.engine.facts import day_in, exact_number, month_and_day_in
from shuke.engine.identity import identities_of
from shuke.engine.member import Member
from shuke.engine.turn import Turn
from shuke.program.profile import LIST_MOST, TEXT_MOST, Profile, Trait, TraitType
from shuke.values.instants import Instant, check_zone
from shuke.values.periods import Period, add

_MEMBER = "member"
_LANGUAGE_MOST = 35  # characters of a language tag


class TraitRules:
    """One declared trait, ready to be checked."""

    __slots__ = ("by_member", "by_merchant", "choices", "every", "least", "most", "scale", "trait")

    def __init__(self, trait: Trait, *, currency_scale: int) -> None:
        self.trait = trait
        self.choices = frozenset(choice.id for choice in trait.choices)
        self.scale = currency_scale if trait.type is TraitType.MONEY else 1
        self.least = None if trait.least is None else trait.least * self.scale
        self.most = None if trait.most is None else trait.most * self.scale
        self.by_member = "member" in trait.changed_by
        self.by_merchant = "merchant" in trait.changed_by
        self.every = None if trait.change_every is None else Period.parse(trait.change_every)

    def refuse(self, value: Any) -> Refused | None:
        """``trait_invalid``, ``trait_no_choice``, ``trait_out_of_range``: what is wrong with the value, if anything."""
        trait = self.trait
        if not self._is_of_its_type(value):
            return Refused("trait_invalid", {"trait": trait.id, "expected": f"trait.{trait.type}"})
        if self.choices and not self.choices.issuperset(value if isinstance(value, list) else [value]):
            return Refused("trait_no_choice", {"trait": trait.id, "choices": [choice.id for choice in trait.choices]})
        if self.least is not None or self.most is not None:
            number = exact_number(value)
            assert number is not None, "bounds are for numbers"
            below = self.least is not None and number < self.least
            if below or (self.most is not None and number > self.most):
                return Refused("trait_out_of_range", {"trait": trait.id, **self._bounds()})
        return None

    def _bounds(self) -> dict[str, str]:
        """As the program has them, in currency units where they are money."""
        said: dict[str, Decimal | None] = {"least": self.trait.least, "most": self.trait.most}
        return {name: f"{bound:f}" for name, bound in said.items() if bound is not None}

    def _is_of_its_type(self, value: Any) -> bool:
        match self.trait.type:
            case TraitType.TEXT:
                return isinstance(value, str) and 0 < len(value) <= TEXT_MOST
            case TraitType.CHOICE:
                return isinstance(value, str)
            case TraitType.NUMBER:
                return exact_number(value) is not None
            case TraitType.MONEY:
                return isinstance(value, int) and not isinstance(value, bool)
            case TraitType.BOOLEAN:
                return isinstance(value, bool)
            case TraitType.DATE:
                return day_in(value) is not None or (self.trait.without_year and month_and_day_in(value) is not None)
            case TraitType.LIST:
                return isinstance(value, list) and len(value) <= LIST_MOST and all(map(_is_short, value))
            case TraitType.LANGUAGE:
                return isinstance(value, str) and _is_language(value)
            case TraitType.ZONE:
                return isinstance(value, str) and _is_zone(value)

    def free_at(self, turn: Turn) -> Instant:
        """From when on the member herself may change it again: the start of a day. 0: at once."""
        set_at = turn.member.traits_set.get(self.trait.id)
        if set_at is None or self.every is None:
            return 0
        calendar = turn.program.calendar
        return calendar.day_start(add(calendar.day(set_at), self.every))


def _is_short(text: Any) -> bool:
    return isinstance(text, str) and 0 < len(text) <= TEXT_MOST


def _is_language(text: str) -> bool:
    parts = text.split("-")
    return len(text) <= _LANGUAGE_MOST and parts[0].isalpha() and all(1 <= len(part) <= 8 for part in parts)


def _is_zone(text: str) -> bool:
    try:
        check_zone(text)
    except ValueError:
        return False
    return True


class ProfileRules:
    """What a program asks of members."""

    __slots__ = ("closed", "identities", "required", "traits")

    def __init__(self, profile: Profile, *, currency_scale: int) -> None:
        self.traits = {trait.id: TraitRules(trait, currency_scale=currency_scale) for trait in profile.traits}
        self.required = [trait.id for trait in profile.traits if trait.required]
        self.identities = list(profile.required_identities)
        self.closed = profile.closed

    def missing(self, member: Member) -> list[str]:
        """What the profile still lacks, as ``traits.<id>`` and ``identities.<kind>``; empty where nothing is asked."""
        known = identities_of(member) if self.identities else {}
        lacking = [f"traits.{name}" for name in self.required if name not in member.traits]
        return lacking + [f"identities.{kind}" for kind in self.identities if kind not in known]

    def is_complete(self, member: Member) -> bool:
        """Whether all is there that is required, and something is."""
        return bool(self.required or self.identities) and not self.missing(member)


def refuse_traits(turn: Turn, told: Mapping[str, Any], *, by: str) -> Refused | None:
    """What of these traits cannot be told, by whom it is said (``merchant`` or ``member``); None forgets a trait.

    Refused: ``trait_unknown``, ``trait_not_changeable``, ``trait_changed_recently``, and as ``TraitRules.refuse``.
    """
    profile, traits = turn.program.profile, turn.member.traits
    for name, value in told.items():
        if name in traits and traits[name] == value:
            continue  # saying again what is known changes nothing
        rules = profile.traits.get(name)
        if rules is None:
            if profile.closed and value is not None:
                return Refused("trait_unknown", {"trait": name})
            continue
        if not (rules.by_member if by == _MEMBER else rules.by_merchant):
            return Refused("trait_not_changeable", {"trait": name, "by": f"by.{by}"})
        if by == _MEMBER and (free_at := rules.free_at(turn)) > turn.now:
            return Refused("trait_changed_recently", {"trait": name, "from": free_at})
        refused = None if value is None else rules.refuse(value)
        if refused is not None:
            return refused
    return None


def remember_changes(turn: Turn, told: Mapping[str, Any]) -> None:
    """When traits were set that may only be changed so often. To be asked before they are taken over."""
    member = turn.member
    for name, rules in turn.program.profile.traits.items():
        if rules.every is not None and name in told and member.traits.get(name) != told[name]:
            member.traits_set[name] = turn.now
