"""Ids that are taken twice, and references that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shuke.program.document import ANNOUNCED, Program
from shuke.program.problems import Problem, closest, names, problem
from shuke.program.sentences import Listed

_TOPICS = (*ANNOUNCED, "order.settled")
# What conditions call by a name and brackets: a measure of that name could never be asked for.
_TAKEN = ("balance", "count", "days_since", "earned", "month", "streak", "sum", "tier")


def check(program: Program) -> Iterator[Problem]:
    for path, ids in _kinds(program):
        yield from _unique(path, ids)
    for index, measure in enumerate(program.measures):
        if measure.id in _TAKEN:
            yield problem(f"measures[{index}].id", "reserved_name", f"{measure.id}_measure", name=measure.id)
    for index, topic in enumerate(program.announce):
        if topic not in _TOPICS:
            near = closest(topic, _TOPICS)
            yield problem(f"announce[{index}]", "unknown_topic", near, topic=topic, known=Listed(_TOPICS))
    yield from _references(program)


def _kinds(program: Program) -> Iterator[tuple[str, list[str]]]:
    yield "profile.traits", [trait.id for trait in program.profile.traits]
    yield "profile.purposes", [purpose.id for purpose in program.profile.purposes]
    yield "measures", [measure.id for measure in program.measures]
    yield "assets", [asset.id for asset in program.assets]
    yield "earning", [rule.id for rule in program.earning]
    yield "ladders", [ladder.id for ladder in program.ladders]
    yield "benefits", [benefit.id for benefit in program.benefits]
    yield "coupons", [template.id for template in program.coupons]
    yield "prices.promotions", [promotion.id for promotion in program.prices.promotions]
    yield "prices.members_only", [rule.id for rule in program.prices.members_only]
    if program.stored_value is not None:
        yield "stored_value.offers", [offer.id for offer in program.stored_value.offers]


def _unique(path: str, ids: list[str]) -> Iterator[Problem]:
    first: dict[str, int] = {}
    for index, name in enumerate(ids):
        if name in first:
            place = f"{path}[{first[name]}]"
            yield problem(f"{path}[{index}].id", "id_taken", _free(name, ids), name=name, place=place)
        first.setdefault(name, index)


def _free(name: str, ids: list[str]) -> str:
    number = 2
    while f"{name}-{number}" in ids:
        number += 1
    return f"{name}-{number}"


def _references(program: Program) -> Iterator[Problem]:
    assets = [asset.id for asset in program.assets]
    coupons = [template.id for template in program.coupons]
    for index, rule in enumerate(program.earning):
        yield from _known(f"earning[{index}].asset", "asset", rule.asset, assets)
    for index, asset in enumerate(program.assets):
        if asset.validity_by_tier is not None:
            by_tier = asset.validity_by_tier
            yield from _tiers(program, f"assets[{index}].validity_by_tier", by_tier.ladder, by_tier.tiers)
    for index, ladder in enumerate(program.ladders):
        for at, voided in enumerate(ladder.void_assets):
            yield from _known(f"ladders[{index}].void_assets[{at}]", "asset", voided, assets)
    for index, benefit in enumerate(program.benefits):
        if benefit.for_ is not None:
            yield from _tiers(program, f"benefits[{index}].for", benefit.for_.ladder, benefit.for_.tiers)
        for name, gift in (("upgrade_gift", benefit.upgrade_gift), ("birthday_gift", benefit.birthday_gift)):
            if gift is not None and gift.asset is not None:
                yield from _known(f"benefits[{index}].{name}.asset", "asset", gift.asset, assets)
            if gift is not None and gift.coupon is not None:
                yield from _known(f"benefits[{index}].{name}.coupon", "coupon", gift.coupon, coupons)
    stored = program.stored_value
    if stored is not None:
        yield from _known("stored_value.principal", "asset", stored.principal, assets)
        if stored.bonus is not None:
            yield from _known("stored_value.bonus", "asset", stored.bonus, assets)
    categories = sorted({template.category for template in program.coupons})
    for index, category in enumerate(program.prices.coupon_order):
        yield from _known(f"prices.coupon_order[{index}]", "coupon_category", category, categories)


def _tiers(program: Program, path: str, ladder_id: str, tiers: list[str]) -> Iterator[Problem]:
    ladders = {ladder.id: [tier.id for tier in ladder.tiers] for ladder in program.ladders}
    if ladder_id not in ladders:
        yield from _known(f"{path}.ladder", "ladder", ladder_id, ladders)
        return
    for index, tier in enumerate(tiers):
        if tier not in ladders[ladder_id]:
            near = closest(tier, ladders[ladder_id])
            yield problem(f"{path}.tiers[{index}]", "unknown_tier", near, ladder=ladder_id, tier=tier)


def _known(path: str, what: str, name: str, known: Iterable[str]) -> Iterator[Problem]:
    there = list(known)
    if name not in there:
        near = closest(name, there)
        yield problem(path, f"unknown_{what}", near, name=name, known=names(there) if near is None else None)
