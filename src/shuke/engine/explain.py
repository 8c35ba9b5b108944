"""Why value moved: one sentence for every entry of the books, in the reader's language.

An entry carries its cause (rule, order, version, the numbers that went in); the program of that version
carries the rule's own words. Nothing else is looked up, so a sentence reads the same for ever.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

from shuke.engine.effects import AVAILABLE, DEBT, FORGIVEN, PENDING, TRANSIT, Entry
from shuke.engine.sentences import Locale, Writer, writer
from shuke.engine.sentences.rendering import plain
from shuke.program.assets import Asset, Validity
from shuke.program.conditions import show_term
from shuke.program.document import Program


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


def _rule_name(entry: Entry, words: Writer) -> str:
    return words.named("rule", words.program.earning, entry.rule)


# -- Earning ----------------------------------------------------------------------------------------------


def _earn(entry: Entry, words: Writer) -> str:
    why = _why(entry)
    limit = why.get("limit")
    return words.entry(
        "earn",
        quantity=_quantity(entry, words),
        wanted=None if limit is None else words.number(entry.asset, why["wanted"]),
        limit=None if limit is None else words.limit(limit),
        order=entry.order_id,
        pending=words.part("not_yet") if entry.credit == PENDING else "",
        reckoning=_reckoning(entry, words),
        rule=_rule_name(entry, words),
        version=str(entry.version),
    )


def _reckoning(entry: Entry, words: Writer) -> str | None:
    """The rule's amount with the numbers that went in; None for a fixed amount, which says it all."""
    rule = next((rule for rule in words.program.earning if rule.id == entry.rule), None)
    why, asset = _why(entry), entry.asset
    if rule is None:
        return None
    give = rule.give
    if give.per is not None and "basis" in why:
        points, amount = words.whole(asset, give.per.points), words.price(give.per.amount)
        return words.part("per", points=points, amount=amount, basis=words.money(why["basis"]))
    if give.per_item is not None and "counted" in why:
        return words.part("per_item", points=words.whole(asset, give.per_item), count=fraction(why["counted"]))
    if give.per_unit is not None and "counted" in why:
        return words.part(
            "per_unit",
            points=words.whole(asset, give.per_unit.points),
            every=plain(give.per_unit.every),
            of=show_term(give.per_unit.of),
            count=fraction(why["counted"]),
        )
    if give.steps is not None:
        return words.part("steps", of=show_term(give.steps.of))
    if give.multiply is not None and "basis" in why:
        by = fraction(why["by"]) if "by" in why else plain(give.multiply.by)
        return words.part("multiply", basis=words.quantity(asset, why["basis"]), by=by)
    return None


def fraction(parts: list[int]) -> str:
    """An exact fraction [numerator, denominator] as it is read: to six decimals, where it has more."""
    number = Decimal(parts[0]) / Decimal(parts[1])
    return plain(round(number, 6))


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
    if "given" not in why:
        return words.entry("reverse.top_up", quantity=_quantity(entry, words))
    key = {DEBT: "reverse.debt", FORGIVEN: "reverse.forgiven"}.get(entry.debit, "reverse")
    return words.entry(
        key,
        quantity=_quantity(entry, words),
        order=entry.order_id or "-",
        rule=_rule_name(entry, words),
        given=words.quantity(entry.asset, why["given"]),
        version=str(why.get("version", entry.version)),
    )


def _restore(entry: Entry, words: Writer) -> str:
    return _said("restore.spend" if "spend" in _why(entry) else "restore")(entry, words)


def _regive(entry: Entry, words: Writer) -> str:
    order, rule = entry.order_id or "-", _rule_name(entry, words)
    return words.entry("regive", quantity=_quantity(entry, words), order=order, rule=rule)


def _gift(entry: Entry, words: Writer) -> str:
    why, program = _why(entry), words.program
    benefit = words.named("benefit", program.benefits, entry.rule)
    if "tier" not in why:
        return words.entry("gift.birthday", quantity=_quantity(entry, words), benefit=benefit)
    tiers = [tier for ladder in program.ladders if ladder.id == why.get("ladder") for tier in ladder.tiers]
    tier = words.name(tiers, why["tier"])
    return words.entry("gift.tier", quantity=_quantity(entry, words), benefit=benefit, tier=tier)


def _bonus(entry: Entry, words: Writer) -> str:
    stored_value = words.program.stored_value
    offers = stored_value.offers if stored_value is not None else []
    offer = None if entry.rule is None else words.name(offers, entry.rule)
    paid = words.money(_why(entry).get("paid", 0))
    return words.entry("bonus", quantity=_quantity(entry, words), paid=paid, offer=offer)


def _void(entry: Entry, words: Writer) -> str:
    ladder = words.name(words.program.ladders, entry.rule)
    return words.entry("void", quantity=_quantity(entry, words), ladder=ladder)


def _merge(entry: Entry, words: Writer) -> str:
    if DEBT in (entry.debit, entry.credit):
        return _said(f"{entry.kind}.debt")(entry, words)
    return _said(f"{entry.kind}.{'in' if entry.debit == TRANSIT else 'out'}")(entry, words)


def _other(entry: Entry, words: Writer) -> str:
    return words.entry(
        "other",
        quantity=_quantity(entry, words),
        debit=words.part(f"account.{entry.debit}"),
        credit=words.part(f"account.{entry.credit}"),
        kind=entry.kind,
    )


_TELL: Final[dict[str, Callable[[Entry, Writer], str]]] = {
    "adjust": _adjust,
    "bonus": _bonus,
    "earn": _earn,
    "expire": _expire,
    "fee": _said("fee"),
    "forfeit": _said("forfeit"),
    "forgive": _said("forgive"),
    "gift": _gift,
    "grant": _said("grant"),
    "hold": _said("hold"),
    "lapse": _said("lapse"),
    "merge": _merge,
    "open": _said("open"),
    "pay_out": _said("pay_out"),
    "receive": _said("receive"),
    "refund": _said("refund"),
    "regive": _regive,
    "release": _said("release"),
    "repay": _said("repay"),
    "restore": _restore,
    "reverse": _reverse,
    "ripen": _said("ripen"),
    "spend": _said("spend"),
    "top_up": _said("top_up"),
    "transfer": _said("transfer"),
    "unmerge": _merge,
    "void": _void,
    "waive": _said("waive"),
    "withhold": _said("withhold"),
}
"""By kind of entry. The kinds are written where value moves: ``Cause(kind, …)`` all over the engine."""

KINDS: Final = frozenset(_TELL)
