"""Coupons through their life: issued → held → redeemed → restored | expired | voided | given.

Only live coupons are in the member's hands; a redeemed one is remembered by its order, so that a refund can
restore it. How a coupon works in a cart is in ``coupon_use``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.codes import codes_told, opened_by, spoken_for, take_code, template_of_code
from shuke.engine.conditions import Names
from shuke.engine.coupon_terms import (
    Coupons,
    Template,
    count_issued,
    count_redeemed,
    coupon_id,
    is_in_hand,
    new_coupon,
    over_issue_limit,
    over_redemption_limit,
    plain_code,
    terms_of,
)
from shuke.engine.effects import CouponChanged, Refused, Wanted
from shuke.engine.member import Coupon, is_herself
from shuke.engine.orders import Used
from shuke.engine.turn import Turn
from shuke.program.document import Program
from shuke.values.instants import NEVER, Instant, LocalCalendar

_ISSUING = frozenset((of.COUPON_ISSUED, of.COUPON_CLAIMED))

MOST_AT_ONCE = 1_000
"""The most coupons one activity issues."""


def compile_coupons(program: Program, calendar: LocalCalendar, names: Names) -> Coupons:
    """Template id → template."""
    return Coupons(program, calendar, names)


def tell(turn: Turn, coupon: Coupon, state: str, *, rule: str | None = None, order_id: str | None = None) -> None:
    """Let the books know what became of a coupon."""
    turn.effects.coupons.append(
        CouponChanged(
            coupon.id,
            coupon.template,
            state,
            turn.now,
            coupon.valid_from,
            coupon.valid_until,
            None if state == "given" else coupon.code,
            order_id,
            rule,
        )
    )


# -- Issued -----------------------------------------------------------------------------------------------


def issue_template(
    turn: Turn,
    template_id: str | None,
    *,
    rule: str | None,
    why: dict[str, Any] | None,
    quantity: int = 1,
    codes: Sequence[str] = (),
) -> list[Coupon] | Refused:
    """Give the member ``quantity`` coupons of a template, all or none; the first ones get the ``codes``.

    Where the template has totals that all members share and this activity could not know (a tier that rises,
    a birthday), the issue is sent to the member's own inbox, where it can: the list is empty then.
    Refused: ``coupon_unknown``, ``quantity_invalid``, ``coupon_ended`` (no coupon of it is valid any more),
    ``coupon_limit``.
    """
    template = None if template_id is None else turn.program.coupons.get(template_id)
    if template_id is None or template is None:
        return Refused("coupon_unknown", {"template": template_id})
    if not 1 <= quantity <= MOST_AT_ONCE:
        return Refused("quantity_invalid", {"quantity": quantity, "most": MOST_AT_ONCE})
    valid_until = template.dates(turn.day)[1]
    if valid_until <= turn.now:
        return Refused("coupon_ended", {"template": template_id, "ended_at": valid_until})
    if turn.activity.type not in _ISSUING and template.quotas_of_issue(turn.day):
        _send_to_own_inbox(turn, template_id, rule, why, quantity)
        return []
    refused = over_issue_limit(turn, template, quantity)
    if refused is not None:
        return refused
    count_issued(turn, template, quantity)
    issued = []
    for number in range(quantity):
        coupon = new_coupon(turn, template, code=codes[number] if number < len(codes) else None)
        take_in(turn, coupon, rule=rule)
        issued.append(coupon)
    body: dict[str, Any] = {"template": template_id, "quantity": quantity, "valid_until": valid_until}
    turn.effects.wanted.append(Wanted("coupon.issued", body if why is None else {**body, **why}, turn.now))
    return issued


def take_in(turn: Turn, coupon: Coupon, *, rule: str | None = None, order_id: str | None = None) -> None:
    """Put a new coupon into the member's hands; its code is taken. Counting it is the caller's."""
    take_code(turn, coupon)
    turn.member.coupons[coupon.id] = coupon
    tell(turn, coupon, "issued", rule=rule, order_id=order_id)


def _send_to_own_inbox(
    turn: Turn, template_id: str, rule: str | None, why: dict[str, Any] | None, quantity: int
) -> None:
    activity = turn.activity
    number = len(turn.effects.activities)
    turn.effects.activities.append(
        Activity(
            type=of.COUPON_ISSUED,
            member_id=turn.member.id,
            occurred_at=turn.now,
            source=f"shuke:{activity.source}",
            key=f"{turn.now}:{number}:{activity.key}",
            payload={"template": template_id, "quantity": quantity, "rule": rule, "why": why},
        )
    )


def issue(turn: Turn) -> Refused | None:
    """``coupon.issued``: by hand, in bulk, or by a rule. Payload: ``template``, optional ``quantity``,
    ``codes`` (unique ones, made elsewhere or ahead; no more than coupons), ``rule``, ``reason``.

    Refused: ``code_unknown`` (what was told are no codes), ``code_used``, ``code_void``, and as ``issue_template``.
    """
    payload = turn.activity.payload or {}
    quantity = payload.get("quantity", 1)
    if isinstance(quantity, bool) or not isinstance(quantity, int):
        return Refused("quantity_invalid", {"quantity": quantity, "most": MOST_AT_ONCE})
    codes = codes_told(payload.get("codes"))
    if codes is None:
        return Refused("code_unknown", {"code": str(payload["codes"])})
    if len(codes) > quantity:
        return Refused("quantity_invalid", {"quantity": quantity, "most": len(codes)})
    template_id = _named_in(payload, "template")
    template = None if template_id is None else turn.program.coupons.get(template_id)
    refused = None if template is None else spoken_for(turn, template, codes)
    if refused is not None:
        return refused
    why = payload.get("why") or ({"reason": payload["reason"]} if payload.get("reason") else None)
    issued = issue_template(turn, template_id, rule=payload.get("rule"), why=why, quantity=quantity, codes=codes)
    return _answered(turn, issued)


def _named_in(payload: dict[str, Any], field: str) -> str | None:
    """The name in a field; None where there is none: nothing is called so."""
    told = payload.get(field)
    return None if told is None else str(told)


def _answered(turn: Turn, issued: list[Coupon] | Refused) -> Refused | None:
    if isinstance(issued, Refused):
        return issued
    turn.answer["coupons"] = [coupon.id for coupon in issued]
    if issued:
        first = issued[0]
        told = {"template": first.template, "valid_from": first.valid_from, "valid_until": first.valid_until}
        turn.answer["issued"] = {**told, "value": first.value, "codes": [one.code for one in issued if one.code]}
    return None


def claim(turn: Turn) -> Refused | None:
    """``coupon.claimed``: the member takes one. Payload: ``template`` (of the claim centre) or ``code``.

    Refused: ``coupon_not_claimable``, ``code_unknown``, ``code_used``, ``code_void``, and as ``issue_template``.
    """
    payload = turn.activity.payload or {}
    if payload.get("code") is None:
        template_id = _named_in(payload, "template")
        template = None if template_id is None else turn.program.coupons.get(template_id)
        if template is not None and not template.template.claimable:
            return Refused("coupon_not_claimable", {"template": template.id})
        return _answered(turn, issue_template(turn, template_id, rule=None, why=None))
    code = plain_code(str(payload["code"]))
    opened = template_of_code(turn, code)
    if isinstance(opened, Refused):
        return opened
    codes = [code] if code in turn.context.codes else []
    return _answered(turn, issue_template(turn, opened.id, rule=None, why=None, codes=codes))


def in_hand(turn: Turn, text: str) -> Coupon | None:
    """The member's live coupon with this id or unique code."""
    found = turn.member.coupons.get(text)
    if found is None:
        code = plain_code(text)
        for coupon in turn.member.coupons.values():
            if coupon.code is not None and coupon.code == code:
                return coupon
    return found


# -- Redeemed without a cart ------------------------------------------------------------------------------


def redeem(turn: Turn) -> Refused | None:
    """``coupon.redeemed``: scanned at a till that prices by itself. Payload: ``coupon`` (id or code),
    optional ``order_id``, ``channel``, ``store`` and, for a cash voucher, ``amount`` (minor units).

    A code that nobody used before opens its coupon and redeems it in one. Refused: ``coupon_unknown``,
    ``code_used``, ``code_void``, ``coupon_not_applicable`` (with ``reason``), ``coupon_limit``, ``amount_invalid``.
    """
    payload = turn.activity.payload or {}
    asked = _named_in(payload, "coupon")
    coupon = Refused("coupon_unknown", {"coupon": None}) if asked is None else find(turn, asked)
    if isinstance(coupon, Refused):
        return coupon
    unfit = unfit_at_till(turn, coupon, channel=payload.get("channel"), store=payload.get("store"))
    if unfit is not None:
        return unfit
    amount = payload.get("amount")
    if amount is None or not coupon.value:
        amount = coupon.value
    if isinstance(amount, bool) or not isinstance(amount, int):
        return Refused("amount_invalid", {"amount": str(amount)})
    if not 0 <= amount <= coupon.value:
        facts = {"asked": amount, "available": coupon.value}
        return Refused("coupon_not_applicable", {"coupon": coupon.id, "reason": "value_exceeded", **facts})
    order_id = payload.get("order_id")
    if coupon.id not in turn.member.coupons:
        count_issued(turn, turn.program.coupons[coupon.template], 1)
        take_in(turn, coupon, order_id=order_id)
    redeem_one(turn, coupon, value=amount, order_id=order_id)
    count_redeemed(turn, coupon.template, 1)
    turn.answer["coupon"] = _named(coupon) | {"value": amount, "left": coupon.value}
    return None


def find(turn: Turn, asked: str, *, beside: Sequence[Coupon] = ()) -> Coupon | Refused:
    """The coupon meant by an id or a code: one in the member's hands, or the one a code would open now, ``beside``
    new ones that others open. Changes nothing.

    Refused: ``coupon_unknown``, ``code_used``, ``code_void``, ``coupon_limit``.
    """
    coupon = in_hand(turn, asked) or opened_by(turn, plain_code(asked), beside=beside)
    if isinstance(coupon, Refused) and coupon.code == "code_unknown":
        return Refused("coupon_unknown", {"coupon": asked})
    return coupon


def unfit_at_till(turn: Turn, coupon: Coupon, *, channel: str | None, store: str | None) -> Refused | None:
    """Why the coupon cannot be redeemed here and now, whatever is bought."""
    template = terms_of(turn, coupon.template, coupon.version)
    reason = unfit_by_itself(turn, coupon)
    if reason is None and template is not None:
        reason = unfit_place(template, channel, store)
        if reason is None and template.when is not None and not template.when(turn, None):
            reason = "condition_not_met", {"when": template.when_text}
        limited = over_redemption_limit(turn, template, 1)
        if limited is not None:
            return limited
    if reason is not None:
        return Refused("coupon_not_applicable", {"coupon": coupon.id, "reason": reason[0], **reason[1]})
    return None


Unfit = tuple[str, dict[str, Any]] | None


def unfit_by_itself(turn: Turn, coupon: Coupon) -> Unfit:
    """Why the coupon cannot be used now, wherever it is."""
    if coupon.state != "issued":
        return "coupon_held", {}
    if turn.now < coupon.valid_from:
        return "coupon_not_yet_valid", {"valid_from": coupon.valid_from}
    if turn.now >= coupon.valid_until:
        return "coupon_expired", {"valid_until": coupon.valid_until}
    return None


def unfit_place(template: Template, channel: str | None, store: str | None) -> Unfit:
    """Why the coupon cannot be used in this channel or store."""
    if template.channels and channel not in template.channels:
        return "wrong_channel", {"channels": sorted(template.channels)}
    if template.stores and store not in template.stores:
        return "wrong_store", {"stores": sorted(template.stores)}
    return None


def redeem_one(turn: Turn, coupon: Coupon, *, value: int, order_id: str | None) -> Used:
    """Use the coupon up; of a cash voucher only ``value``, and the rest stays in the member's hands.

    Counting it against limits is the caller's: a held cart has done so already.
    """
    before = replace(coupon, state="issued", order_id=None)
    coupon.value -= value
    if coupon.value > 0:
        coupon.state = "issued"
        tell(turn, coupon, "issued", order_id=order_id)
    else:
        turn.member.coupons.pop(coupon.id, None)
        tell(turn, coupon, "redeemed", order_id=order_id)
    return Used(before, value)


# -- Voided, given, received ------------------------------------------------------------------------------


def _coupon_asked(turn: Turn) -> Coupon | Refused:
    asked = _named_in(turn.activity.payload or {}, "coupon")
    coupon = None if asked is None else in_hand(turn, asked)
    if coupon is None:
        return Refused("coupon_unknown", {"coupon": asked})
    if coupon.state != "issued":
        return Refused("coupon_held", {"coupon": coupon.id})
    return coupon


def void(turn: Turn) -> Refused | None:
    """``coupon.voided``: taken away by hand. Payload: ``coupon``, ``reason``. Refused: ``coupon_unknown``,
    ``coupon_held``, ``reason_missing``."""
    coupon = _coupon_asked(turn)
    if isinstance(coupon, Refused):
        return coupon
    if not (turn.activity.payload or {}).get("reason"):
        return Refused("reason_missing", {})
    del turn.member.coupons[coupon.id]
    tell(turn, coupon, "voided")
    turn.answer["coupon"] = _named(coupon)
    return None


def _named(coupon: Coupon) -> dict[str, Any]:
    return {"coupon": coupon.id, "template": coupon.template, "code": coupon.code}


def give(turn: Turn) -> Refused | None:
    """``coupon.given``: to another member, whose inbox it reaches. Payload: ``coupon``, ``to_member``.

    Refused: ``coupon_unknown``, ``coupon_held``, ``coupon_expired``, ``coupon_not_transferable``,
    ``transfer_to_self``, ``receiver_missing``, ``member_erased``.
    """
    coupon = _coupon_asked(turn)
    if isinstance(coupon, Refused):
        return coupon
    to = (turn.activity.payload or {}).get("to_member")
    if not isinstance(to, str) or not to:
        return Refused("receiver_missing", {})
    if is_herself(turn.member, to):
        return Refused("transfer_to_self", {})
    if to in turn.context.erased:
        return Refused("member_erased", {"member": to})
    if coupon.valid_until <= turn.now:
        return Refused("coupon_expired", {"coupon": coupon.id})
    template = terms_of(turn, coupon.template, coupon.version)
    if template is None or not template.template.transferable:
        return Refused("coupon_not_transferable", {"coupon": coupon.id})
    del turn.member.coupons[coupon.id]
    tell(turn, coupon, "given")
    turn.answer["coupon"] = _named(coupon)
    turn.effects.activities.append(
        Activity(
            type=of.COUPON_RECEIVED,
            member_id=to,
            occurred_at=turn.now,
            source=f"shuke:{turn.activity.source}",
            key=turn.activity.key,
            payload={
                "from_member": turn.member.id,
                "template": coupon.template,
                "version": coupon.version,
                "valid_from": coupon.valid_from,
                "valid_until": coupon.valid_until,
                "code": coupon.code,
                "value": coupon.value,
            },
        )
    )
    return None


def receive(turn: Turn) -> Refused | None:
    """``coupon.received``: what another member gave, with its terms and dates. It counts against no limit."""
    told = turn.activity.payload or {}
    id_ = coupon_id(turn, told["template"])
    start, end = told["valid_from"], told["valid_until"]
    coupon = Coupon(id_, told["template"], told["version"], "issued", start, end, told.get("code"), None)
    coupon.value = told.get("value", 0)
    turn.member.coupons[id_] = coupon
    tell(turn, coupon, "issued")
    return None


# -- Time -------------------------------------------------------------------------------------------------


def next_due(turn: Turn) -> Instant:
    """When the next coupon ends. One in a held cart waits for the cart."""
    due = NEVER
    for coupon in turn.member.coupons.values():
        if coupon.valid_until < due and coupon.state == "issued":
            due = coupon.valid_until
    return due


def fall_due(turn: Turn) -> None:
    """Let go of coupons past their date."""
    coupons = turn.member.coupons
    ended = [coupon for coupon in coupons.values() if coupon.valid_until <= turn.now and is_in_hand(coupon)]
    for coupon in ended:
        del coupons[coupon.id]
        tell(turn, coupon, "expired")
