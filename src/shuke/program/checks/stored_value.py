"""Stored value: the two assets it needs, offers that can be met, bounds that do not contradict each other."""

from __future__ import annotations

from collections.abc import Iterator

from shuke.program.assets import AssetKind
from shuke.program.checks.numbers import check_money, check_rising, plain
from shuke.program.checks.spans import check_span
from shuke.program.document import Program
from shuke.program.problems import Problem
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
            sentence = f"{asset.id!r} is of the kind {asset.kind}, but stored_value does not name it as that."
            yield Problem(f"{path}.kind", "not_stored_value", sentence, f"stored_value: {{{role}: {asset.id}}}")
        for name, chosen_id in chosen.items():
            if asset.id != chosen_id:
                continue
            if role != name:
                sentence = f"{asset.id!r} holds the {name} of stored value and must be of that kind."
                yield Problem(f"{path}.kind", "not_stored_value", sentence, name)
            if asset.scale < program.scale:
                sentence = f"One of {asset.id!r} is one {program.currency}, which has {program.scale} decimals."
                yield Problem(f"{path}.scale", "too_coarse", sentence, str(program.scale))


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
                sentence = f"{first[offer.pay]!r} already says what paying in {plain(offer.pay)} brings."
                yield Problem(f"{path}.pay", "same_offer", sentence)
            first.setdefault(offer.pay, offer.id)
        if bounded and highest is not None and offer.pay > highest:
            sentence = f"No card may be topped up with more than {plain(highest)} at once."
            yield Problem(f"{path}.pay", "never_reached", sentence, plain(highest), "warning")
