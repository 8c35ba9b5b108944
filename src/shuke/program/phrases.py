"""Parts of a program as short phrases: "1 point per 100", "12 months, then to the end of the month"."""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Any

from shuke.program.assets import Validity
from shuke.program.benefits import Holders, PercentBenefit
from shuke.program.chapter import Chapter
from shuke.program.conditions import Node, Term, show, show_term
from shuke.program.discounts import Discount, PercentOff
from shuke.program.earning import Give, Rule, Span
from shuke.program.tiers import TermEnd

MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def phrase(value: Any) -> str:
    """What a part of a document says, in a few words."""
    if isinstance(value, Node):
        return show(value)
    if isinstance(value, Term):
        return show_term(value)
    match value:
        case None:
            return "none"
        case bool():
            return "yes" if value else "no"
        case Enum():
            return str(value.value)
        case Decimal():
            return f"{value:f}"
        case int() | str():
            return str(value)
        case list():
            return ", ".join(phrase(item) for item in value) or "none"
        case dict():
            return f'"{value.get("en", next(iter(value.values()), ""))}"'
        case Chapter():
            return _chapter(value)
        case _:
            return str(value)


def _chapter(value: Chapter) -> str:
    match value:
        case Give():
            return give(value, "")
        case Validity():
            return validity(value)
        case TermEnd():
            later = {0: "", 1: ", one year later"}.get(value.years_later, f", {value.years_later} years later")
            return f"to the end of the {value.to_end_of}{later}"
        case Span():
            return span(value)
        case Discount():
            return discount(value)
        case PercentBenefit():
            scope = f" of {show(value.lines)}" if value.lines is not None else ""
            return f"{value.off:f} % off{scope}"
        case Holders():
            return f"{', '.join(value.tiers)} of {value.ladder}"
        case _:
            name = getattr(value, "id", None)
            return fields(value) if name is None else f"{name} ({fields(value)})"


def fields(value: Chapter) -> str:
    """What was said of a chapter, field by field."""
    said = [
        f"{(field.alias or name).replace('_', ' ')} {phrase(getattr(value, name))}"
        for name, field in type(value).model_fields.items()
        if name in value.model_fields_set and name not in ("id", "title")
    ]
    return ", ".join(said) or "nothing more"


def amount(number: Decimal, asset: str) -> str:
    """ "1 point", "20 points", and "20" where the asset is not said."""
    if not asset:
        return f"{number:f}"
    unit = asset[:-1] if number == 1 and asset.endswith("s") else asset
    return f"{number:f} {unit}"


def give(value: Give, asset: str) -> str:
    """What a rule gives, in units called after the asset."""
    if value.fixed is not None:
        return amount(value.fixed, asset)
    if value.per is not None:
        return f"{amount(value.per.points, asset)} per {value.per.amount:f}"
    if value.per_item is not None:
        return f"{amount(value.per_item, asset)} per item"
    if value.per_unit is not None:
        unit = value.per_unit
        return f"{amount(unit.points, asset)} per {unit.every:f} of {show_term(unit.of)}"
    if value.steps is not None:
        table = ", ".join(f"{amount(step.points, asset)} from {step.at_least:f}" for step in value.steps.table)
        return f"{table} of {show_term(value.steps.of)}"
    if value.multiply is not None:
        on = f" of {', '.join(value.multiply.rules)}" if value.multiply.rules else ""
        return f"times {value.multiply.by:f}{on}"
    return "nothing"


def rule(value: Rule) -> str:
    """A whole rule: what it gives, on what, and when."""
    on = "" if value.triggers == ("order.paid",) else f" on {', '.join(value.triggers)}"
    when = f" when {show(value.when)}" if value.when is not None else ""
    lines = f" for {show(value.lines)}" if value.lines is not None else ""
    return f"{give(value.give, value.asset)}{on}{lines}{when}"


def validity(value: Validity) -> str:
    """How long a lot lives."""
    start = " from ripening" if value.from_ == "ripened" else ""
    if value.on is not None:
        years = {0: "of the same year", 1: "of the next year"}
        later = years.get(value.on.years_later, f"{value.on.years_later} years on")
        return f"to {value.on.day} {MONTHS[value.on.month - 1]} {later}{start}"
    if value.first_of_month is not None:
        return f"to the first day of month {value.first_of_month}{start}"
    if value.inactivity is not None:
        return f"{value.inactivity} without activity"
    if value.after is None:
        return f"to the end of the {value.to_end_of}{start}"
    then = f", then to the end of the {value.to_end_of}" if value.to_end_of else ""
    return f"{value.after}{then}{start}"


def span(value: Span) -> str:
    """When something is in force."""
    parts = [
        f"from {value.from_}" if value.from_ else "",
        f"until {value.until}" if value.until else "",
        f"on {', '.join(value.weekdays)}" if value.weekdays else "",
        f"on days {', '.join(map(str, value.days_of_month))}" if value.days_of_month else "",
        f"at {', '.join(value.hours)}" if value.hours else "",
    ]
    return " ".join(part for part in parts if part) or "always"


def discount(value: Discount) -> str:
    """What a promotion or coupon takes off."""
    kind = value.kind
    inner = getattr(value, kind)
    if isinstance(inner, PercentOff):
        most = f", at most {inner.at_most:f}" if inner.at_most is not None else ""
        return f"{inner.off:f} % off{' shipping' if kind == 'shipping' else ''}{most}"
    words = {
        "amount_off": "{} off",
        "amount_off_each": "{} off each",
        "fixed_price": "a price of {}",
        "gift": "{} for nothing",
        "voucher": "a voucher of {}",
    }
    if kind in words:
        return words[kind].format(phrase(inner))
    return f"{kind.replace('_', ' ')}: {phrase(inner)}"
