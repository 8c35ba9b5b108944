"""Parts of a program as short phrases in three languages: "1 point per 100", "12 months, then to the end of the month".

What a merchant wrote herself (ids, conditions, texts) stays as it is written. Fields, and the words that a field
allows, are called as the language calls them (``sentences.fields``).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Any, Final, Literal, get_args, get_origin

from shuke.program.assets import Validity
from shuke.program.benefits import Holders, PercentBenefit
from shuke.program.chapter import Chapter
from shuke.program.conditions import Node, Term, show, show_term
from shuke.program.discounts import Discount, PercentOff
from shuke.program.earning import Give, Rule, Span
from shuke.program.sentences import Listed, Locale, tell
from shuke.program.sentences.fields import name_of, word_of
from shuke.program.sentences.rendering import changed
from shuke.program.tiers import TermEnd
from shuke.program.wording import alternatives
from shuke.values.periods import Period

_PERIODS: Final = frozenset(
    ("after", "inactivity", "pending", "term", "lasts", "starts_after", "renewed_for", "cooldown", "change_every")
)
"""Fields that hold a period, such as "12 months", where they hold a text."""


def phrase(value: Any, locale: Locale, *, owner: type[Chapter] | None = None, name: str = "") -> str:
    """What a part of a document says, in a few words. ``owner`` and ``name`` are the chapter and the field (as the
    chapter has it) that it stands in."""
    if isinstance(value, Node):
        return show(value)
    if isinstance(value, Term):
        return show_term(value)
    match value:
        case None:
            return changed("none", locale)
        case bool():
            return changed("yes" if value else "no", locale)
        case Enum():
            return word_of(str(value.value), locale)
        case Decimal():
            return f"{value:f}"
        case str():
            return _text(value, locale, owner, name)
        case int():
            return str(value)
        case list():
            items = [phrase(item, locale, owner=owner, name=name) for item in value]
            return _listed(items, locale) if items else changed("none", locale)
        case dict():
            return changed("text", locale, text=str(text_of(value, locale)))
        case Chapter():
            return _chapter(value, locale)
        case _:
            return str(value)


def text_of(value: dict[str, Any], locale: str) -> Any:
    """A text in this language, else in English, else in whichever there is."""
    return value.get(locale) or value.get("en") or next(iter(value.values()), "")


def _text(value: str, locale: Locale, owner: type[Chapter] | None, name: str) -> str:
    if owner is not None and value in _words_allowed(owner, name):
        return word_of(value, locale)
    if name in _PERIODS and locale != "en":
        return _period(value, locale)
    return value


@cache
def _words_allowed(owner: type[Chapter], name: str) -> frozenset[str]:
    """The words a field may hold."""
    return frozenset(_literals(owner.model_fields[name].annotation)) if name in owner.model_fields else frozenset()


def _literals(annotation: Any) -> Iterable[str]:
    for shape in alternatives(annotation):
        if get_origin(shape) is Literal:
            yield from (word for word in get_args(shape) if isinstance(word, str))
        elif get_origin(shape) is list:
            yield from _literals(get_args(shape)[0])


def _period(text: str, locale: Locale) -> str:
    try:
        period = Period.parse(text)
    except ValueError:  # lifetime, never
        return text
    return text if locale == "en" else changed(f"period.{period.unit.value}", locale, count=period.count)


def _listed(items: Iterable[str], locale: Locale) -> str:
    return tell(Listed(tuple(items)), locale)


def _chapter(value: Chapter, locale: Locale) -> str:
    match value:
        case Give():
            return give(value, "", locale)
        case Validity():
            return validity(value, locale)
        case TermEnd():
            later = {0: None, 1: changed("later", locale)}.get(
                value.years_later, changed("years_later", locale, years=value.years_later)
            )
            return changed(f"term.{value.to_end_of}", locale, later=later)
        case Span():
            return span(value, locale)
        case Discount():
            return discount(value, locale)
        case PercentBenefit():
            lines = show(value.lines) if value.lines is not None else None
            return changed("percent", locale, off=value.off, lines=lines)
        case Holders():
            return changed("holders", locale, tiers=_listed(value.tiers, locale), ladder=value.ladder)
        case _:
            name = getattr(value, "id", None)
            said = fields(value, locale)
            return said if name is None else changed("item", locale, name=name, fields=said)


def fields(value: Chapter, locale: Locale) -> str:
    """What was said of a chapter, field by field."""
    owner = type(value)
    said = [
        changed(
            "field",
            locale,
            name=name_of(owner.__name__, field.alias or name, locale),
            value=phrase(getattr(value, name), locale, owner=owner, name=name),
        )
        for name, field in owner.model_fields.items()
        if name in value.model_fields_set and name not in ("id", "title")
    ]
    return _listed(said, locale) if said else changed("nothing_more", locale)


def amount(number: Decimal, asset: str, locale: Locale) -> str:
    """ "1 point", "20 points", and "20" where the asset is not said."""
    if not asset:
        return f"{number:f}"
    one = locale == "en" and number == 1 and asset.endswith("s")
    return f"{number:f} {asset[:-1] if one else asset}"


def give(value: Give, asset: str, locale: Locale) -> str:
    """What a rule gives, in units called after the asset."""
    if value.fixed is not None:
        return amount(value.fixed, asset, locale)
    if value.per is not None:
        return changed("give.per", locale, points=amount(value.per.points, asset, locale), money=value.per.amount)
    if value.per_item is not None:
        return changed("give.per_item", locale, points=amount(value.per_item, asset, locale))
    if value.per_unit is not None:
        unit = value.per_unit
        points = amount(unit.points, asset, locale)
        return changed("give.per_unit", locale, points=points, every=unit.every, of=show_term(unit.of))
    if value.steps is not None:
        steps = [
            changed("give.step", locale, points=amount(step.points, asset, locale), least=step.at_least)
            for step in value.steps.table
        ]
        return changed("give.steps", locale, table=_listed(steps, locale), of=show_term(value.steps.of))
    if value.multiply is not None:
        rules = _listed(value.multiply.rules, locale) if value.multiply.rules else None
        return changed("give.multiply", locale, by=value.multiply.by, rules=rules)
    return changed("nothing", locale)


def rule(value: Rule, locale: Locale) -> str:
    """A whole rule: what it gives, on what, and when."""
    return changed(
        "rule",
        locale,
        give=give(value.give, value.asset, locale),
        triggers=None if value.triggers == ("order.paid",) else _listed(value.triggers, locale),
        when=show(value.when) if value.when is not None else None,
        lines=show(value.lines) if value.lines is not None else None,
    )


def validity(value: Validity, locale: Locale) -> str:
    """How long a lot lives."""
    ripening = changed("ripening", locale) if value.from_ == "ripened" else None
    if value.on is not None:
        key = {0: "validity.on", 1: "validity.on_next"}.get(value.on.years_later, "validity.on_later")
        month = changed(f"month.{value.on.month}", locale)
        return changed(key, locale, day=value.on.day, month=month, years=value.on.years_later, ripening=ripening)
    if value.first_of_month is not None:
        return changed("validity.first_of_month", locale, month=value.first_of_month, ripening=ripening)
    if value.inactivity is not None:
        return changed("validity.inactivity", locale, period=_period(value.inactivity, locale))
    unit = word_of(value.to_end_of, locale) if value.to_end_of else None
    if value.after is None:
        return changed("validity.end", locale, unit=unit, ripening=ripening)
    return changed("validity.after", locale, period=_period(value.after, locale), unit=unit, ripening=ripening)


def span(value: Span, locale: Locale) -> str:
    """When something is in force."""
    weekdays = [word_of(day, locale) for day in value.weekdays]
    days = [str(day) for day in value.days_of_month]
    parts = [
        changed("span.from", locale, day=value.from_) if value.from_ else "",
        changed("span.until", locale, day=value.until) if value.until else "",
        changed("span.weekdays", locale, days=_listed(weekdays, locale)) if weekdays else "",
        changed("span.days", locale, days=_listed(days, locale)) if days else "",
        changed("span.hours", locale, hours=_listed(value.hours, locale)) if value.hours else "",
    ]
    return changed("span", locale).join(part for part in parts if part) or changed("always", locale)


def discount(value: Discount, locale: Locale) -> str:
    """What a promotion or coupon takes off."""
    kind = value.kind
    inner = getattr(value, kind)
    if isinstance(inner, PercentOff):
        key = "off.shipping" if kind == "shipping" else "off.percent"
        return changed(key, locale, off=inner.off, most=inner.at_most)
    if kind in ("amount_off", "amount_off_each", "fixed_price", "gift", "voucher"):
        return changed(f"off.{kind}", locale, amount=phrase(inner, locale))
    name = name_of("Discount", kind, locale)
    return changed("off.other", locale, name=name, what=phrase(inner, locale))
