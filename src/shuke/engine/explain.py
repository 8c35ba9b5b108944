"""Why value moved: one sentence for every entry of the books, in the reader's language.

An entry carries its cause (rule, order, version, the numbers that went in); the program of that version
carries the rule's own words. Nothing else is looked up, so a sentence reads the same for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from shuke.engine.effects import AVAILABLE, DEBT, FORGIVEN, PENDING, Entry
from shuke.engine.sentences import Locale, Writer, told, writer
from shuke.engine.sentences.rendering import plain
from shuke.program.assets import Asset, Validity
from shuke.program.conditions import show_term
from shuke.program.document import Program
from shuke.program.earning import Rule


def explain_entry(entry: Entry, program: Program, locale: Locale) -> str:
    """Why the entry is there, in one sentence. ``program`` is that of the entry's version.

    A kind nobody wrote a sentence for is told by its accounts; a rule the program lacks by its id.
    """
    words = writer(program, locale)
    tell = _TELL.get(entry.kind, _other)
    return tell(entry, words)


def account_name(account: str, program: Program, locale: Locale) -> str:
    """What people call an account of the books."""
    return writer(program, locale).part(f"account.{account}")


def _quantity(entry: Entry, words: Writer) -> str:
    return words.quantity(entry.asset, entry.amount)


def _why(entry: Entry) -> dict[str, Any]:
    return entry.why or {}


def _rule_of(program: Program, rule_id: str | None) -> Rule | None:
    return next((rule for rule in program.earning if rule.id == rule_id), None)


def _rule_name(rule_id: str | None, words: Writer) -> str:
    rule = _rule_of(words.program, rule_id)
    return words.part("rule", rule=(rule and told(rule.title, words.locale)) or rule_id or "-")


# -- Earning ----------------------------------------------------------------------------------------------


def _earn(entry: Entry, words: Writer) -> str:
    why = _why(entry)
    limit = why.get("limit")
    return words.entry(
        "earn",
        quantity=_quantity(entry, words),
        wanted=None if limit is None else words.number(entry.asset, why["wanted"]),
        limit=None if limit is None else words.part(f"limit.{_limit_kind(limit)}"),
        order=entry.order_id,
        pending=words.part("not_yet") if entry.credit == PENDING else "",
        reckoning=_reckoning(entry, words),
        rule=_rule_name(entry.rule, words),
        version=str(entry.version),
    )


def _limit_kind(key: str) -> str:
    """Which limit of a rule a key of ``engine.limits`` names."""
    if key == "per_order":
        return "order"
    return "total" if key.startswith("earning/") else key.removesuffix("/times").rpartition("/")[2]


def _reckoning(entry: Entry, words: Writer) -> str | None:
    """The rule's amount with the numbers that went in; None for a fixed amount, which says it all."""
    rule, why = _rule_of(words.program, entry.rule), _why(entry)
    if rule is None or "basis" not in why:
        return None
    give, basis = rule.give, why["basis"]
    if give.per is not None:
        points = words.whole(entry.asset, give.per.points)
        return words.part("per", points=points, amount=words.price(give.per.amount), basis=words.money(basis))
    if give.per_item is not None:
        return words.part("per_item", points=words.whole(entry.asset, give.per_item), basis=f"{basis:,}")
    if give.per_unit is not None:
        return words.part(
            "per_unit",
            points=words.whole(entry.asset, give.per_unit.points),
            every=plain(give.per_unit.every),
            of=show_term(give.per_unit.of),
            basis=f"{basis:,}",
        )
    if give.steps is not None:
        return words.part("steps", of=show_term(give.steps.of))
    if give.multiply is not None:
        by = Decimal(why["by"][0]) / Decimal(why["by"][1]) if "by" in why else give.multiply.by
        return words.part("multiply", basis=words.quantity(entry.asset, basis), by=plain(by))
    return None


# -- Everything else --------------------------------------------------------------------------------------


def _said(key: str) -> Callable[[Entry, Writer], str]:
    """A sentence that needs no more than the entry and the texts of its cause."""

    def tell(entry: Entry, words: Writer) -> str:
        texts = {name: str(value) for name, value in _why(entry).items() if isinstance(value, str)}
        return words.entry(key, **{**texts, "quantity": _quantity(entry, words), "order": entry.order_id})

    return tell


def _adjust(entry: Entry, words: Writer) -> str:
    return _said("adjust.more" if entry.credit in (AVAILABLE, PENDING) else "adjust.less")(entry, words)


def _expire(entry: Entry, words: Writer) -> str:
    asset = next((asset for asset in words.program.assets if asset.id == entry.asset), None)
    if asset is not None and _ends_by_inactivity(asset):
        return words.entry("expire.inactivity", quantity=_quantity(entry, words))
    opened_at = _why(entry).get("opened_at")
    opened = None if opened_at is None else words.date(opened_at)
    return words.entry("expire", quantity=_quantity(entry, words), opened=opened)


def _ends_by_inactivity(asset: Asset) -> bool:
    return isinstance(asset.validity, Validity) and asset.validity.inactivity is not None


def _reverse(entry: Entry, words: Writer) -> str:
    why = _why(entry)
    key = {DEBT: "reverse.debt", FORGIVEN: "reverse.forgiven"}.get(entry.debit, "reverse")
    return words.entry(
        key,
        quantity=_quantity(entry, words),
        order=entry.order_id or "-",
        rule=_rule_name(entry.rule, words),
        given=words.quantity(entry.asset, why.get("given", entry.amount)),
        version=str(why.get("version", entry.version)),
    )


def _regive(entry: Entry, words: Writer) -> str:
    return words.entry(
        "regive",
        quantity=_quantity(entry, words),
        order=entry.order_id or "-",
        rule=_rule_name(entry.rule, words),
    )


def _other(entry: Entry, words: Writer) -> str:
    return words.entry(
        "other",
        quantity=_quantity(entry, words),
        debit=words.part(f"account.{entry.debit}"),
        credit=words.part(f"account.{entry.credit}"),
        kind=entry.kind,
    )


_TELL: Final[dict[str, Callable[[Entry, Writer], str]]] = {
    "earn": _earn,
    "open": _said("open"),
    "adjust": _adjust,
    "spend": _said("spend"),
    "restore": _said("restore"),
    "ripen": _said("ripen"),
    "expire": _expire,
    "reverse": _reverse,
    "regive": _regive,
    "repay": _said("repay"),
    "transfer": _said("transfer"),
    "receive": _said("receive"),
}
"""By kind of entry. The kinds are written where value moves: ``Cause(kind, …)`` all over the engine."""

KINDS: Final = frozenset(_TELL)
