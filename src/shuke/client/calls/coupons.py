"""Coupons (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shuke.client.shapes.coupons import (
    BatchCounted,
    Cart,
    CodeShown,
    CouponAnswer,
    CouponGiven,
    CouponMoved,
    CouponRedeemed,
    CouponsIssued,
    PageBatchShown,
    PageCodeOfBatch,
    PageCouponShown,
    PageTemplateShown,
    ShukeWebApiCodesBatchShown,
)
from shuke.client.transport import Call, made


def issue_coupons(
    *,
    member_id: str,
    template: str,
    quantity: int | None = None,
    codes: list[str] | None = None,
    reason: str | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[CouponsIssued]:
    """Give a member coupons, all that are asked for or none. Every limit of the template holds.

    Rules of the program give coupons by themselves; this is for a hand, a campaign, a partner.
    """
    return made(
        "POST",
        "/v1/coupons",
        body={
            "member_id": member_id,
            "template": template,
            "quantity": quantity,
            "codes": codes,
            "reason": reason,
            "occurred_at": occurred_at,
        },
        once=idempotency_key or True,
    )


def claim_coupon(
    *,
    member_id: str,
    template: str | None = None,
    code: str | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[CouponsIssued]:
    """Let a member take a coupon: from the claim centre, or with a code.

    A unique code opens one coupon, once: of all who come with it one has it, and each other is told ``code_used``.
    """
    return made(
        "POST",
        "/v1/coupons/claim",
        body={"member_id": member_id, "template": template, "code": code, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def redeem_coupon(
    *,
    member_id: str,
    coupon: str,
    amount: int | None = None,
    order_id: str | None = None,
    channel: str | None = None,
    store: str | None = None,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[CouponRedeemed]:
    """Redeem a coupon at a till that prices by itself, without a cart here; a cash voucher also in parts.

    A code that nobody used before is claimed and redeemed in one. What the coupon asks of goods and amounts is for
    the
    till to see to; place, dates, conditions on the member and limits are looked at here.
    """
    return made(
        "POST",
        "/v1/coupons/redeem",
        body={
            "member_id": member_id,
            "coupon": coupon,
            "amount": amount,
            "order_id": order_id,
            "channel": channel,
            "store": store,
            "occurred_at": occurred_at,
        },
        once=idempotency_key or True,
    )


def void_coupon(
    *,
    member_id: str,
    coupon: str,
    reason: str,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[CouponMoved]:
    """Take a coupon out of a member's hands. Its code, if it has one, stays used."""
    return made(
        "POST",
        "/v1/coupons/void",
        body={"member_id": member_id, "coupon": coupon, "reason": reason, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def give_coupon(
    *,
    member_id: str,
    to_member_id: str,
    coupon: str,
    occurred_at: str | datetime | None = None,
    idempotency_key: str | None = None,
) -> Call[CouponGiven]:
    """Give a coupon to another member, where its template allows it. It leaves one and reaches the other in the same
    moment, with its dates, value and code, and counts against no limit. The receiver must be a member already.
    """
    return made(
        "POST",
        "/v1/coupons/give",
        body={"member_id": member_id, "to_member_id": to_member_id, "coupon": coupon, "occurred_at": occurred_at},
        once=idempotency_key or True,
    )


def validate_coupon(
    *, member_id: str, coupon: str, channel: str | None = None, store: str | None = None, cart: Cart | None = None
) -> Call[CouponAnswer]:
    """Ask whether a coupon or a code would work for a member. Nothing changes, and no Idempotency-Key is needed.

    Without a cart the member, dates, limits and (where told) the place are looked at; with one everything is, and
    the
    answer says what it would take off.
    """
    return made(
        "POST",
        "/v1/coupons/validate",
        body={"member_id": member_id, "coupon": coupon, "channel": channel, "store": store, "cart": cart},
    )


def list_coupons(
    member_id: str,
    *,
    state: Literal["issued", "held", "redeemed", "expired", "voided", "given"] | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[PageCouponShown]:
    """A member's coupons, the latest first; those in one state if it is told."""
    return made(
        "GET",
        "/v1/members/{member_id}/coupons",
        place={"member_id": member_id},
        query={"state": state, "cursor": cursor, "limit": limit},
    )


def get_code(code: str) -> Call[CodeShown]:
    """What a code is and what became of it: whose coupon it opened, or that it is still free."""
    return made("GET", "/v1/coupons/by-code/{code}", place={"code": code})


def list_templates(
    *, claimable: bool | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[PageTemplateShown]:
    """The kinds of coupons in the program in force, by id, and what is left of them for all members together."""
    return made("GET", "/v1/coupons/templates", query={"claimable": claimable, "cursor": cursor, "limit": limit})


def make_codes(
    *, template: str, size: int, prefix: str | None = None, note: str | None = None, idempotency_key: str | None = None
) -> Call[ShukeWebApiCodesBatchShown]:
    """Make codes ahead: to be printed, sent or handed to a partner, until somebody comes with one.

    A million of them take some seconds. They are drawn from a secure source, without letters that look
    alike, and are all different. Limits of the template hold for its codes as for any claim.
    """
    return made(
        "POST",
        "/v1/coupons/batches",
        body={"template": template, "size": size, "prefix": prefix, "note": note},
        once=idempotency_key or True,
    )


def list_batches(
    *, template: str | None = None, cursor: int | None = None, limit: int | None = None
) -> Call[PageBatchShown]:
    """Batches of codes, the latest first."""
    return made("GET", "/v1/coupons/batches", query={"template": template, "cursor": cursor, "limit": limit})


def get_batch(batch: str) -> Call[BatchCounted]:
    """One batch, and how many of its codes are free, taken, void and redeemed."""
    return made("GET", "/v1/coupons/batches/{batch}", place={"batch": batch})


def list_codes(
    batch: str, *, format: Literal["json", "csv"] | None = None, cursor: int | None = None, limit: int | None = None
) -> Call[PageCodeOfBatch | str]:
    """The codes of a batch, in the order in which they were made: by page, or all of them as CSV."""
    return made(
        "GET",
        "/v1/coupons/batches/{batch}/codes",
        place={"batch": batch},
        query={"format": format, "cursor": cursor, "limit": limit},
    )


def void_codes(batch: str, *, idempotency_key: str | None = None) -> Call[BatchCounted]:
    """Withdraw the codes of a batch that nobody has taken. What was taken stays a coupon in somebody's hands.

    Whoever comes with one of them afterwards is told ``code_void``. A batch that is void already stays as it is.
    """
    return made("POST", "/v1/coupons/batches/{batch}/void", place={"batch": batch}, once=idempotency_key or True)
