"""Stored value: the two assets it needs, offers that can be met, bounds that do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.assets import AssetKind
from shuke.program.checks.numbers import check_money, check_rising
from shuke.program.checks.spans import check_span
from shuke.program.condition_check import decimals_said
from shuke.program.document import Program
from shuke.program.problems import Problem, problem, warning
from shuke.program.sentences import Phrase
from shuke.program.stored_value import StoredValue


def check(program: Program) -> Iterator[Problem]:
    stored = program.stored_value
    yield from _kinds(program, stored)
    if stored is None:
        return
    for index, limits in enumerate(stored.limits):
        path = f"stored_value.limits[{index}]"
        bounds = [
            (f"{path}.{name}", getattr(limits, name))
            for name in ("minimum_top_up", "maximum_top_up", "maximum_balance")
        ]
        yield from check_money(bounds, program)
        yield from check_rising(bounds)
    yield from _offers(program, stored)


def _kinds(program: Program, stored: StoredValue | None) -> Iterator[Problem]:
    roles = {AssetKind.PRINCIPAL: "principal", AssetKind.BONUS: "bonus"}
    chosen = {"principal": stored.principal, "bonus": stored.bonus} if stored is not None else {}
    for index, asset in enumerate(program.assets):
        path = f"assets[{index}]"
        role = roles.get(asset.kind)
        if role is not None and chosen.get(role) != asset.id:
            hint = f"stored_value: {{{role}: {asset.id}}}"
            yield problem(f"{path}.kind", "not_stored_value", hint, asset=asset.id, kind=asset.kind.value)
        for name, chosen_id in chosen.items():
            if asset.id != chosen_id:
                continue
            if role != name:
                yield problem(
                    f"{path}.kind", "not_stored_value:kind", name, asset=asset.id, role=Phrase(f"role.{name}")
                )
            if asset.scale < program.scale:
                has = decimals_said(program.scale)
                place, hint = f"{path}.scale", str(program.scale)
                yield problem(place, "too_coarse", hint, asset=asset.id, currency=program.currency, decimals=has)


def _offers(program: Program, stored: StoredValue) -> Iterator[Problem]:
    most = [limits.maximum_top_up or limits.maximum_balance for limits in stored.limits]
    highest = max((bound for bound in most if bound is not None), default=None)
    bounded = highest is not None and None not in most and len(most) == 2
    first: dict[object, str] = {}
    for index, offer in enumerate(stored.offers):
        path = f"stored_value.offers[{index}]"
        yield from check_money([(f"{path}.pay", offer.pay), (f"{path}.bonus", offer.bonus)], program)
        yield from check_span(f"{path}.span", offer.span)
        if offer.when is None and offer.span is None:
            if offer.pay in first:
                yield problem(f"{path}.pay", "same_offer", offer=first[offer.pay], pay=offer.pay)
            first.setdefault(offer.pay, offer.id)
        if bounded and highest is not None and offer.pay > highest:
            yield warning(f"{path}.pay", "never_reached", highest, most=highest)
