"""Coupons: issued, claimed, redeemed at a till, given away, voided."""

from __future__ import annotations

from itertools import zip_longest
from typing import Annotated, Any

from pydantic import Field, model_validator

from shuke.engine import activity as of
from shuke.web.api import contract
from shuke.web.api.answers import Settlement, settlement, told
from shuke.web.api.callers import Call, writing
from shuke.web.api.contract import MemberId, Moment, Positive, Prose, Shown, ShownEnd, ShownMoment, Slug
from shuke.web.api.contract import Told as Body
from shuke.web.api.points import giver
from shuke.web.api.problems import documented
from shuke.web.api.routes import doors

router = doors("Coupons")

Text = Annotated[contract.Line, Field(min_length=1)]
Asked = Annotated[Text, Field(description="The coupon's id, or its code.", examples=["ten.7bq2mz8vf0x9v"])]
CodeText = Annotated[Text, Field(description="As printed; blanks around it and small letters do no harm.")]

_LIMITED = ["coupon_unknown", "coupon_ended", "coupon_limit"]
_CODES = ["code_unknown", "code_used", "code_void"]
_REDEEMING = ["coupon_unknown", "coupon_not_applicable", "coupon_limit", "code_used", "code_void", "amount_invalid"]


# -- Told -------------------------------------------------------------------------------------------------


class CouponsTold(Body):
    """Coupons for a member, by hand."""

    member_id: MemberId
    template: Slug = Field(examples=["ten"])
    quantity: int = Field(default=1, ge=1, le=1000)
    codes: list[Text] = Field(
        default_factory=list,
        max_length=1000,
        description="Codes for the first of them: made elsewhere, or ahead in a batch of this template.",
    )
    reason: Prose | None = Field(default=None, description="Why, for people.", examples=["Sorry for the wait"])
    occurred_at: Moment | None = Field(default=None, description="When it happened; now if left out.")

    @model_validator(mode="after")
    def _has_a_coupon_for_each_code(self) -> CouponsTold:
        if len(self.codes) > self.quantity:
            raise ValueError("there are more codes than coupons")
        return self


class ClaimTold(Body):
    """What a member takes herself: one of a template of the claim centre, or what a code opens."""

    member_id: MemberId
    template: Slug | None = Field(default=None, examples=["ten"])
    code: CodeText | None = Field(default=None, examples=["MAY-7KQ4WX9BT2"])
    occurred_at: Moment | None = None

    @model_validator(mode="after")
    def _is_one_thing(self) -> ClaimTold:
        if (self.template is None) == (self.code is None):
            raise ValueError("tell a template or a code")
        return self


class RedemptionTold(Body):
    """A coupon or code scanned at a till that prices by itself."""

    member_id: MemberId
    coupon: Asked
    amount: Positive | None = Field(
        default=None, description="Of a cash voucher, minor units; all that is left of it if left out.", examples=[1200]
    )
    order_id: contract.OrderId | None = None
    channel: contract.Line | None = None
    store: contract.Line | None = None
    occurred_at: Moment | None = None


class VoidTold(Body):
    """A coupon that is taken away by hand."""

    member_id: MemberId
    coupon: Asked
    reason: Annotated[Prose, Field(min_length=1, description="Why, for people.", examples=["Printed by mistake"])]
    occurred_at: Moment | None = None


class GiftTold(Body):
    """A coupon for another member."""

    member_id: MemberId
    to_member_id: MemberId
    coupon: Asked
    occurred_at: Moment | None = None


# -- Shown ------------------------------------------------------------------------------------------------


class NamedCoupon(Shown):
    """A coupon and, where it has one, its code."""

    coupon: str = Field(examples=["ten.7bq2mz8vf0x9v"])
    code: str | None = Field(examples=["MAY-7KQ4WX9BT2"])


class CouponsIssued(Settlement):
    """Coupons that came into the member's hands."""

    template: str = Field(examples=["ten"])
    coupons: list[NamedCoupon]
    valid_from: ShownMoment
    valid_until: ShownEnd
    value: int = Field(description="Of each, if these are cash vouchers, minor units; else 0.", examples=[0])


class CouponMoved(Settlement):
    """A coupon that something happened to."""

    coupon: str = Field(examples=["ten.7bq2mz8vf0x9v"])
    template: str = Field(examples=["ten"])
    code: str | None


class CouponRedeemed(CouponMoved):
    """A coupon that was redeemed, or a part of a cash voucher."""

    value: int = Field(description="Used of a cash voucher, minor units; else 0.", examples=[1200])
    left: int = Field(description="Left of it; it stays in the member's hands.", examples=[1800])


class CouponGiven(CouponMoved):
    """A coupon that another member has now, with the same dates, value and code."""

    to_member_id: str


# -- Acts -------------------------------------------------------------------------------------------------


@router.post(
    "/coupons",
    status_code=201,
    responses=documented(refusals=[*_LIMITED, *_CODES, "quantity_invalid"], writing=True),
)
async def issue_coupons(asked: CouponsTold, call: Annotated[Call, writing("coupons:write")]) -> CouponsIssued:
    """Give a member coupons, all that are asked for or none. Every limit of the template holds.

    Rules of the program give coupons by themselves; this is for a hand, a campaign, a partner.
    """
    payload = asked.model_dump(include={"template", "quantity", "codes", "reason"}, exclude_defaults=True)
    answer = await call.settle(of.COUPON_ISSUED, asked.member_id, payload=payload, occurred_at=asked.occurred_at)
    return await settlement(call, answer, CouponsIssued, **_issued(told(answer)))


@router.post(
    "/coupons/claim",
    status_code=201,
    responses=documented(refusals=[*_LIMITED, *_CODES, "coupon_not_claimable"], writing=True),
)
async def claim_coupon(asked: ClaimTold, call: Annotated[Call, writing("coupons:write")]) -> CouponsIssued:
    """Let a member take a coupon: from the claim centre, or with a code.

    A unique code opens one coupon, once: of all who come with it one has it, and each other is told `code_used`.
    """
    payload = {"template": asked.template} if asked.code is None else {"code": asked.code}
    answer = await call.settle(of.COUPON_CLAIMED, asked.member_id, payload=payload, occurred_at=asked.occurred_at)
    return await settlement(call, answer, CouponsIssued, **_issued(told(answer)))


def _issued(body: dict[str, Any]) -> dict[str, Any]:
    issued = body["issued"]
    return {
        "template": issued["template"],
        "coupons": [
            NamedCoupon(coupon=id_, code=code) for id_, code in zip_longest(body["coupons"], issued.get("codes", ()))
        ],
        "valid_from": issued["valid_from"],
        "valid_until": issued["valid_until"],
        "value": issued["value"],
    }


@router.post("/coupons/redeem", responses=documented(refusals=_REDEEMING, writing=True))
async def redeem_coupon(asked: RedemptionTold, call: Annotated[Call, writing("coupons:write")]) -> CouponRedeemed:
    """Redeem a coupon at a till that prices by itself, without a cart here; a cash voucher also in parts.

    A code that nobody used before is claimed and redeemed in one. What the coupon asks of goods and amounts is for the
    till to see to; place, dates, conditions on the member and limits are looked at here.
    """
    payload = asked.model_dump(exclude={"member_id", "occurred_at"}, exclude_none=True)
    answer = await call.settle(of.COUPON_REDEEMED, asked.member_id, payload=payload, occurred_at=asked.occurred_at)
    return await settlement(call, answer, CouponRedeemed, **told(answer)["coupon"])


@router.post(
    "/coupons/void", responses=documented(refusals=["coupon_unknown", "coupon_held", "reason_missing"], writing=True)
)
async def void_coupon(asked: VoidTold, call: Annotated[Call, writing("coupons:write")]) -> CouponMoved:
    """Take a coupon out of a member's hands. Its code, if it has one, stays used."""
    payload = {"coupon": asked.coupon, "reason": asked.reason}
    answer = await call.settle(of.COUPON_VOIDED, asked.member_id, payload=payload, occurred_at=asked.occurred_at)
    return await settlement(call, answer, CouponMoved, **told(answer)["coupon"])


@router.post(
    "/coupons/give",
    responses=documented(
        "receiver_unknown",
        refusals=["coupon_unknown", "coupon_held", "coupon_expired", "coupon_not_transferable", "transfer_to_self"],
        writing=True,
    ),
)
async def give_coupon(gift: GiftTold, call: Annotated[Call, writing("coupons:write")]) -> CouponGiven:
    """Give a coupon to another member, where its template allows it. It leaves one and reaches the other in the same
    moment, with its dates, value and code, and counts against no limit. The receiver must be a member already.
    """
    member_id = await call.whose(giver(call, gift.member_id, gift.to_member_id))
    payload = {"coupon": gift.coupon, "to_member": gift.to_member_id}
    answer = await call.settle(of.COUPON_GIVEN, member_id, payload=payload, occurred_at=gift.occurred_at)
    return await settlement(call, answer, CouponGiven, to_member_id=gift.to_member_id, **told(answer)["coupon"])
