"""Refusals: the closed list of codes, what each may say of its case, and how it is said to people.

A refusal is an answer like any other. Its code is for machines and never changes; the sentence is for whoever
stands at the counter. What a quote skips has codes too: those of refusals, or of ``REASONS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any, Final

from shuke.engine.effects import Refused
from shuke.engine.sentences import Locale, Writer, writer
from shuke.program.document import Program


class Fact(Enum):
    """What a fact of a refusal is, hence how it is written."""

    TEXT = "text"
    COUNT = "count"
    MONEY = "money"  # minor units of the program's currency
    UNITS = "units"  # smallest units of the asset among the facts; money where there is none
    ASSET = "asset"  # the id of an asset
    TEMPLATE = "template"  # the id of a coupon template
    LADDER = "ladder"  # the id of a ladder
    TRAIT = "trait"  # the id of a declared trait
    PURPOSE = "purpose"  # the id of a purpose that members agree to
    CHOICES = "choices"  # ids of the choices of the trait among the facts
    DATE = "date"  # an instant, of which the date is told
    END = "end"  # the instant at which something ends: its last day is told
    LIST = "list"  # several texts
    LIMIT = "limit"  # the key of a limit
    WORD = "word"  # a word with its own translation
    REASON = "reason"  # another code of these lists, to which all further facts belong


Facts = dict[str, Fact]

_ORDER: Final[Facts] = {"order_id": Fact.TEXT}
_COUPON: Final[Facts] = {"coupon": Fact.TEXT}
_HOLD: Final[Facts] = {"hold": Fact.TEXT}
_TOP_UP: Final[Facts] = {"id": Fact.TEXT}
_SPEND: Final[Facts] = {"id": Fact.TEXT}

REFUSALS: Final[dict[str, Facts]] = {
    "already_expired": {"expires_at": Fact.END},
    "already_joined": {"joined_at": Fact.DATE},
    "amount_invalid": {"amount": Fact.TEXT},
    "asset_unknown": {"asset": Fact.TEXT},
    "balance_above_maximum": {"balance": Fact.MONEY, "maximum": Fact.MONEY},
    "balance_too_large": {"asset": Fact.ASSET, "most": Fact.UNITS},
    "cart_changed": _HOLD,
    "cart_empty": {},
    "code_unknown": {"code": Fact.TEXT},
    "code_used": {"code": Fact.TEXT},
    "code_void": {"code": Fact.TEXT},
    "consent_channel_unknown": {"purpose": Fact.PURPOSE, "channel": Fact.TEXT, "channels": Fact.LIST},
    "consent_unknown": {"purpose": Fact.TEXT},
    "coupon_ended": {"template": Fact.TEMPLATE, "ended_at": Fact.END},
    "coupon_expired": {"coupon": Fact.TEXT, "valid_until": Fact.END},
    "coupon_held": _COUPON,
    "coupon_limit": {
        "template": Fact.TEMPLATE,
        "limit": Fact.LIMIT,
        "left": Fact.COUNT,
        "most": Fact.COUNT,
    },
    "coupon_not_applicable": {"coupon": Fact.TEXT, "reason": Fact.REASON},
    "coupon_not_claimable": {"template": Fact.TEMPLATE},
    "coupon_not_transferable": _COUPON,
    "coupon_unavailable": {"coupon": Fact.TEXT, "order_id": Fact.TEXT},
    "coupon_unknown": {"coupon": Fact.TEXT, "template": Fact.TEXT},
    "grant_exists": {"ladder": Fact.LADDER, "ref": Fact.TEXT},
    "grant_unknown": {"ladder": Fact.LADDER, "ref": Fact.TEXT},
    "hold_exists": _HOLD,
    "hold_missing": {},
    "hold_not_of_cart": _HOLD,
    "hold_of_cart": _HOLD,
    "hold_unknown": _HOLD,
    "holds_open": {"count": Fact.COUNT},
    "identity_junk": {"kind": Fact.TEXT},
    "identity_limit": {"kind": Fact.TEXT, "most": Fact.COUNT},
    "identity_missing": {},
    "identity_reason_missing": {},
    "identity_receiver_missing": {},
    "identity_taken": {"kind": Fact.TEXT},
    "identity_unknown": {"kind": Fact.TEXT},
    "insufficient": {"asset": Fact.ASSET, "asked": Fact.UNITS, "available": Fact.UNITS},
    "ladder_unknown": {"ladder": Fact.TEXT},
    "line_unknown": {"order_id": Fact.TEXT, "line": Fact.TEXT},
    "member_erased": {"member": Fact.TEXT},
    "member_frozen": {"since": Fact.DATE},
    "member_left": {"since": Fact.DATE},
    "member_merged": {"member": Fact.TEXT},
    "members_only": {"rule": Fact.TEXT, "lines": Fact.LIST, "who": Fact.TEXT},
    "merge_to_self": {},
    "merge_too_large": {"most": Fact.COUNT},
    "merged_through": {"member": Fact.TEXT, "through": Fact.TEXT},
    "no_stored_value": {},
    "not_frozen": {},
    "not_given": {"asset": Fact.ASSET},
    "not_left": {},
    "not_merged": {"member": Fact.TEXT},
    "not_spendable": {"asset": Fact.ASSET},
    "nothing_to_refund": _TOP_UP,
    "order_cancelled": _ORDER,
    "order_completed": _ORDER,
    "order_exists": _ORDER,
    "order_missing": {},
    "order_not_cancelled": _ORDER,
    "order_refunded": _ORDER,
    "order_unknown": _ORDER,
    "points_not_applicable": {"asset": Fact.ASSET, "reason": Fact.REASON},
    "price_unknown": {"line": Fact.COUNT, "sku": Fact.TEXT},
    "quantity_invalid": {"quantity": Fact.TEXT, "most": Fact.COUNT},
    "reason_missing": {},
    "receiver_missing": {},
    "refund_exceeds_order": {
        "order_id": Fact.TEXT,
        "line": Fact.TEXT,
        "part": Fact.WORD,
        "left": Fact.MONEY,
        "amount": Fact.MONEY,
    },
    "refund_not_allowed": {"id": Fact.TEXT, "cooling_off_days": Fact.COUNT},
    "reversal_exceeds_spend": {"id": Fact.TEXT, "asset": Fact.ASSET, "left": Fact.UNITS, "amount": Fact.UNITS},
    "source_unknown": {"source": Fact.TEXT},
    "spend_exists": _SPEND,
    "spend_reversed": _SPEND,
    "spend_unknown": _SPEND,
    "stored_value_held": _TOP_UP,
    "stored_value_not_applicable": {"reason": Fact.REASON},
    "survivor_unknown": {},
    "tag_ended": {"until": Fact.END},
    "tier_unknown": {"ladder": Fact.LADDER, "tier": Fact.TEXT},
    "too_many_holds": {"most": Fact.COUNT},
    "too_many_identities": {"most": Fact.COUNT},
    "too_many_merged": {"most": Fact.COUNT},
    "too_many_tags": {"most": Fact.COUNT},
    "too_many_traits": {"most": Fact.COUNT},
    "top_up_above_maximum": {"amount": Fact.MONEY, "maximum": Fact.MONEY},
    "top_up_below_minimum": {"amount": Fact.MONEY, "minimum": Fact.MONEY},
    "top_up_exists": _TOP_UP,
    "top_up_refunded": _TOP_UP,
    "top_up_unknown": _TOP_UP,
    "trait_changed_recently": {"trait": Fact.TRAIT, "from": Fact.DATE},
    "trait_invalid": {"trait": Fact.TRAIT, "expected": Fact.WORD},
    "trait_no_choice": {"trait": Fact.TRAIT, "choices": Fact.CHOICES},
    "trait_not_changeable": {"trait": Fact.TRAIT, "by": Fact.WORD},
    "trait_out_of_range": {"trait": Fact.TRAIT, "least": Fact.TEXT, "most": Fact.TEXT},
    "trait_unknown": {"trait": Fact.TEXT},
    "transfer_limit": {"asset": Fact.ASSET, "left": Fact.UNITS},
    "transfer_not_allowed": {"asset": Fact.ASSET, "amount": Fact.UNITS},
    "transfer_to_self": {},
    "until_invalid": {"until": Fact.TEXT},
    "value_left": {"asset": Fact.ASSET, "amount": Fact.UNITS},
    # Answered by settling, before or instead of a step.
    "engine_failed": {},
    "key_reused": {},
}
"""Every code that an activity may be refused with, and the facts it may come with."""

REASONS: Final[dict[str, Facts]] = {
    "better_price_found": {},
    "category_taken": {"by": Fact.TEMPLATE, "category": Fact.TEXT},
    "condition_not_met": {"when": Fact.TEXT},
    "coupon_not_yet_valid": {"valid_from": Fact.DATE},
    "coupon_twice": {},
    "limit_reached": {"limit": Fact.LIMIT, "wanted": Fact.TEXT},
    "measure_too_large": {},
    "minimum_items": {"needs": Fact.COUNT},
    "minimum_spend": {"needs": Fact.MONEY},
    "no_matching_lines": {},
    "not_combinable": {"with": Fact.TEMPLATE},
    "nothing_to_pay": {},
    "nothing_to_pay_with": {"available": Fact.UNITS},
    "nothing_to_reduce": {},
    "points_above_limit": {"asked": Fact.UNITS, "most": Fact.UNITS},
    "points_not_in_steps": {"asked": Fact.UNITS, "step": Fact.UNITS, "minimum": Fact.UNITS},
    "points_worth_nothing": {"asked": Fact.UNITS},
    "stored_value_above_cart": {"asked": Fact.MONEY, "most": Fact.MONEY},
    "too_few_items": {},
    "too_many_coupons": {"most": Fact.COUNT},
    "value_exceeded": {"asked": Fact.MONEY, "available": Fact.MONEY},
    "wrong_channel": {"channels": Fact.LIST},
    "wrong_store": {"stores": Fact.LIST},
}
"""Further codes: why something asked for in a cart does not apply, or a rule gives nothing."""

CODES: Final[dict[str, Facts]] = REFUSALS | REASONS


def sentence(refused: Refused, program: Program, locale: Locale) -> str:
    """What is said to people. KeyError for a code off the list: nobody may answer with such a one."""
    return _told(writer(program, locale), refused.code, refused.facts)


def why_skipped(skipped: Mapping[str, Any], program: Program, locale: Locale) -> str:
    """Why something does not apply: for an item of ``skipped`` (``what``, ``code`` and facts) in an answer."""
    facts = {name: fact for name, fact in skipped.items() if name not in ("what", "code")}
    if any(asset.id == skipped["what"] for asset in program.assets):
        facts.setdefault("asset", skipped["what"])
    return _told(writer(program, locale), skipped["code"], facts)


def _told(words: Writer, code: str, facts: Mapping[str, Any]) -> str:
    return words.refusal(
        code,
        {
            name: _WRITE[kind](words, facts[name], facts)
            for name, kind in CODES[code].items()
            if facts.get(name) is not None
        },
    )


def _units(words: Writer, value: Any, facts: Mapping[str, Any]) -> str:
    return words.quantity(facts["asset"], value) if "asset" in facts else words.money(value)


def _choices(words: Writer, value: Any, facts: Mapping[str, Any]) -> str:
    choices = [one for trait in words.program.profile.traits if trait.id == facts["trait"] for one in trait.choices]
    return words.part("list").join(words.name(choices, choice) for choice in value)


_WRITE: Final[dict[Fact, Callable[[Writer, Any, Mapping[str, Any]], str]]] = {
    Fact.TEXT: lambda words, value, facts: str(value),
    Fact.COUNT: lambda words, value, facts: f"{value:,}",
    Fact.MONEY: lambda words, value, facts: words.money(value),
    Fact.UNITS: _units,
    Fact.ASSET: lambda words, value, facts: words.asset(value),
    Fact.TEMPLATE: lambda words, value, facts: words.name(words.program.coupons, value),
    Fact.LADDER: lambda words, value, facts: words.name(words.program.ladders, value),
    Fact.TRAIT: lambda words, value, facts: words.name(words.program.profile.traits, value),
    Fact.PURPOSE: lambda words, value, facts: words.name(words.program.profile.purposes, value),
    Fact.CHOICES: _choices,
    Fact.DATE: lambda words, value, facts: words.date(value),
    Fact.END: lambda words, value, facts: words.last_day(value),
    Fact.LIST: lambda words, value, facts: words.part("list").join(str(item) for item in value),
    Fact.LIMIT: lambda words, value, facts: words.limit(value),
    Fact.WORD: lambda words, value, facts: words.part(value),
    Fact.REASON: lambda words, value, facts: _told(words, value, facts),
}
