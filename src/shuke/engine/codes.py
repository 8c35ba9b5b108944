"""Coupon codes: what opens a coupon without being one.

A shared code stands in the program and opens a coupon for everybody. A unique code was made ahead in a batch and
opens one coupon, once: the shell looks it up, holds it locked and hands it in with the context; a step that uses it
says so (``CodeTaken``). Codes made elsewhere come with the coupon they belong to and open nothing by themselves.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.coupon_terms import Template, new_coupon, over_issue_limit, plain_code, template_of_id
from shuke.engine.effects import CodeTaken, Refused
from shuke.engine.member import Coupon
from shuke.engine.turn import Code, Turn
from shuke.values.instants import Day

if TYPE_CHECKING:
    from shuke.engine.compiled import Compiled
    from shuke.engine.needs import Needs


def template_of_code(turn: Turn, code: str) -> Template | Refused:
    """The template a code opens. Refused: ``code_unknown``; of a unique one ``code_used``, ``code_void``."""
    shared = turn.program.coupons.by_code.get(code)
    if shared is not None:
        return turn.program.coupons[shared]
    found = turn.context.codes.get(code)
    if found is None or found.state == "elsewhere":
        return Refused("code_unknown", {"code": code})
    if found.state != "free":
        return Refused("code_void" if found.state == "void" else "code_used", {"code": code})
    template = turn.program.coupons.get(found.template)
    return Refused("code_unknown", {"code": code}) if template is None else template


def opened_by(turn: Turn, code: str, *, beside: Sequence[Coupon] = ()) -> Coupon | Refused:
    """The coupon that a code would open now, ``beside`` new ones that others open. Changes nothing.

    Refused: as ``template_of_code``, and ``coupon_limit``.
    """
    template = template_of_code(turn, code)
    if isinstance(template, Refused):
        return template
    refused = over_issue_limit(turn, template, sum(other.template == template.id for other in beside) + 1)
    if refused is not None:
        return refused
    return new_coupon(turn, template, code=code if code in turn.context.codes else None)


def take_code(turn: Turn, coupon: Coupon) -> None:
    """Whoever has this new coupon has used up its code."""
    code = coupon.code
    if code is not None and code in turn.context.codes:
        turn.context.codes[code] = Code(coupon.template, "taken")
        turn.effects.codes.append(CodeTaken(code, coupon.id))


def codes_told(told: object) -> list[str] | None:
    """The codes of coupons that are issued, as they are compared; None if these are no codes."""
    if told is None:
        return []
    if not isinstance(told, list) or not all(isinstance(code, str) and plain_code(code) for code in told):
        return None
    return [plain_code(code) for code in told]


def spoken_for(turn: Turn, template: Template, codes: list[str]) -> Refused | None:
    """``code_used`` (or ``code_void``) if a coupon of ``template`` cannot be issued with one of these codes."""
    hers = {coupon.code for coupon in turn.member.coupons.values()}
    for place, code in enumerate(codes):
        found = turn.context.codes.get(code)
        if found is not None and found.state == "void":
            return Refused("code_void", {"code": code})
        if code in hers or code in codes[:place] or (found is not None and found != Code(template.id, "free")):
            return Refused("code_used", {"code": code})
    return None


# -- What a step needs ------------------------------------------------------------------------------------


def quotas_of_coupons(edition: Compiled, activity: Activity, found: Needs) -> None:
    """Add the codes to look up and the quotas to lock for this activity.

    A coupon's id names its template; so does a shared code. A code that is neither is unique or unknown:
    when the shell has looked it up, ``quotas_of_codes`` says what to lock beside it.
    """
    payload = activity.payload or {}
    day = edition.calendar.day(activity.occurred_at)
    if activity.type in (of.COUPON_ISSUED, of.COUPON_CLAIMED) and payload.get("template") is not None:
        found.quotas += _of_issue(edition, str(payload["template"]), day)
    if activity.type == of.COUPON_ISSUED and payload.get("codes") is not None:
        found.codes += codes_told(payload["codes"]) or ()
    for text in _asked_for(activity):
        template_id = template_of_id(text)
        if template_id is not None:
            found.quotas += _of_redemption(edition, template_id)
            continue
        code = plain_code(text)
        template_id = edition.coupons.by_code.get(code)
        if template_id is not None:
            found.quotas += _of_issue(edition, template_id, day)
            found.quotas += _of_redemption(edition, template_id)
        else:
            found.codes.append(code)


def _asked_for(activity: Activity) -> Iterable[str]:
    """The coupons this activity uses, by id or code."""
    payload = activity.payload or {}
    if activity.type == of.COUPON_CLAIMED and payload.get("code") is not None:
        yield str(payload["code"])
    elif activity.type == of.COUPON_REDEEMED and payload.get("coupon") is not None:
        yield str(payload["coupon"])
    purchase = activity.purchase
    if purchase is not None and purchase.uses is not None:
        yield from purchase.uses.coupons or ()


def quotas_of_codes(edition: Compiled, activity: Activity, codes: Mapping[str, Code]) -> list[str]:
    """The quotas to lock once ``codes`` were looked up: of issue where one is still free, and of redemption."""
    if activity.type == of.COUPON_ISSUED:  # its template has named them
        return []
    day = edition.calendar.day(activity.occurred_at)
    quotas: list[str] = []
    for code in codes.values():
        if code.state == "free":
            quotas += _of_issue(edition, code.template, day)
        if activity.type != of.COUPON_CLAIMED:
            quotas += _of_redemption(edition, code.template)
    return quotas


def _of_issue(edition: Compiled, template_id: str, day: Day) -> list[str]:
    template = edition.coupons.get(template_id)
    if template is None or not template.limits_shared:
        return []
    return [quota for quota, _, _ in template.quotas_of_issue(day)]


def _of_redemption(edition: Compiled, template_id: str) -> list[str]:
    template = edition.coupons.get(template_id)
    if template is None or not template.limits_shared:
        return []
    return [quota for quota, _, _ in template.quotas_of_redemption()]
