"""Stored value: offers, top-ups, paying a top-up back. It is spent by carts, or with points."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field
from uuid_utils import uuid7

from shuke.engine import activity as of
from shuke.engine.effects import Refused
from shuke.engine.offers import Offered, offers
from shuke.engine.sentences import told as in_language
from shuke.engine.stored_value import Bounds, StoredValueRules
from shuke.program.conditions import show
from shuke.runtime.clock import now
from shuke.values.ids import typed_id
from shuke.web.api import contract
from shuke.web.api.answers import told
from shuke.web.api.balances import known_member
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import MemberId, Moment, Positive, Shown, Told
from shuke.web.api.problems import Problem, documented, refusal
from shuke.web.api.purses import Moved, moved
from shuke.web.api.routes import doors

router = doors("Stored value")

TopUpId = Annotated[contract.Id, Field(description="The top-up's id: yours, or one we made (`top_…`).")]

_LIMITS = ["top_up_below_minimum", "top_up_above_maximum", "balance_above_maximum", "balance_too_large"]
_PAID_BACK = ["top_up_refunded", "stored_value_held", "refund_not_allowed", "nothing_to_refund"]


class TopUpTold(Told):
    """Money a member paid in."""

    member_id: MemberId
    amount: Positive = Field(description="What was paid, minor units.", examples=[100000])
    top_up: TopUpId | None = Field(default=None, description="What to pay it back by; made for you if left out.")
    card: Literal["named", "bearer"] = Field(default="named", description="Whose limits apply.")
    occurred_at: Moment | None = Field(default=None, description="When it was paid; now if left out.")


class TopUpRefundTold(Told):
    """Whose top-up is paid back."""

    member_id: MemberId
    occurred_at: Moment | None = None


class ToppedUp(Moved):
    """A top-up, and what it brought."""

    top_up: str = Field(description="What to pay it back by.", examples=["top_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    principal: int = Field(description="What was paid, minor units.")
    bonus: int = Field(description="What was given on top, minor units.")
    offer: str | None = Field(description="The offer that gave it.")


class TopUpRefunded(Moved):
    """What paying a top-up back came to, minor units."""

    top_up: str
    money: int = Field(description="To pay out to the member.")
    withheld: int = Field(description="Kept back for bonus that was used.")
    fee: int = Field(description="Kept as the fee.")
    bonus: int = Field(description="Bonus that was taken back.")


class OfferShown(Shown):
    """Pay in so much, get so much on top."""

    offer: str = Field(examples=["large"])
    title: str | None = Field(description="In the caller's language.")
    pay: int = Field(description="Minor units.", examples=[500000])
    bonus: int = Field(description="Minor units.", examples=[50000])
    open: bool = Field(description="Whether a top-up now would meet it.")
    condition: str | None = Field(description="For whom it is, as the program says it.", examples=["tag vip"])
    from_day: str | None = Field(description="The first day of it.", examples=["2026-11-01"])
    until_day: str | None = Field(description="The last day of it.", examples=["2026-11-30"])


class CardShown(Shown):
    """Limits of a kind of card, minor units; null: none."""

    card: str = Field(examples=["named"])
    maximum_balance: int | None
    maximum_top_up: int | None
    minimum_top_up: int | None


class OffersShown(Shown):
    """How stored value works here."""

    currency: str = Field(examples=["USD"])
    principal: str = Field(description="The asset that holds what was paid in.")
    bonus: str | None = Field(description="The asset that holds what was given on top.")
    spend: str = Field(description="principal_first, bonus_first or in_proportion")
    match: str = Field(description="How a top-up finds its offer: best, exact or multiple.")
    refundable: str = Field(description="always, or within the cooling_off days only")
    cooling_off_days: int = Field(description="So many days no fee is kept.")
    refund_fee_percent: str = Field(description="Kept of what is paid back after them.", examples=["3"])
    refund_bonus: str = Field(description="What becomes of the bonus: proportional, all_unspent, full_from_principal.")
    limits: list[CardShown]
    items: list[OfferShown]


def _offer(offered: Offered, call: Call) -> OfferShown:
    offer = offered.offer
    return OfferShown(
        offer=offer.id,
        title=in_language(offer.title, call.locale),
        pay=offered.pay,
        bonus=offered.bonus,
        open=offered.open,
        condition=None if offer.when is None else show(offer.when),
        from_day=None if offer.span is None or not offer.span.from_ else str(offer.span.from_),
        until_day=None if offer.span is None or not offer.span.until else str(offer.span.until),
    )


def _card(card: str, bounds: Bounds) -> CardShown:
    return CardShown(
        card=card,
        maximum_balance=bounds.maximum_balance,
        maximum_top_up=bounds.maximum_top_up,
        minimum_top_up=bounds.minimum_top_up,
    )


def _shown(rules: StoredValueRules, currency: str, found: list[Offered], call: Call) -> OffersShown:
    chapter = rules.chapter
    return OffersShown(
        currency=currency,
        principal=rules.principal,
        bonus=rules.bonus,
        spend=rules.spend,
        match=chapter.match,
        refundable=chapter.refundable,
        cooling_off_days=chapter.cooling_off_days,
        refund_fee_percent=f"{chapter.refund_fee_percent:f}",
        refund_bonus=chapter.refund_bonus,
        limits=[_card(card, bounds) for card, bounds in rules.bounds.items()],
        items=[_offer(offered, call) for offered in found],
    )


@router.get(
    "/stored-value/offers",
    responses=documented("member_unknown", "no_program", unknown=["no_stored_value"]),
)
async def list_offers(
    call: Annotated[Call, reading("stored_value:read")],
    member_id: Annotated[MemberId | None, Query(description="Whether this member would meet them.")] = None,
) -> OffersShown:
    """What a top-up brings today, for anybody or for one member, with the limits and how it is paid back."""
    editions, at = await call.shop.editions(), now()
    member = None if member_id is None else await known_member(call, member_id)
    edition = editions.at(at)
    if edition.stored_value is None:
        raise refusal(Refused("no_stored_value", {}), edition.document, call.locale, status=404)
    return _shown(edition.stored_value, edition.document.currency, offers(editions, member, at), call)


@router.post(
    "/stored-value/top-ups",
    status_code=201,
    responses=documented(refusals=["no_stored_value", "amount_invalid", "top_up_exists", *_LIMITS], writing=True),
)
async def top_up(paid: TopUpTold, call: Annotated[Call, writing("stored_value:write")]) -> ToppedUp:
    """Settle money a member paid in: principal, and the bonus of the offer that it meets.

    Take the money first; this only keeps the books.
    """
    id_ = paid.top_up or typed_id("top", uuid7().bytes)
    payload = {"id": id_, "amount": paid.amount, "card": paid.card}
    answer = await call.settle(of.TOPPED_UP, paid.member_id, payload=payload, occurred_at=paid.occurred_at)
    body = told(answer)
    return await moved(call, answer, ToppedUp, **_of_top_up(body, "principal", "bonus", "offer"))


@router.post(
    "/stored-value/top-ups/{top_up}/refund",
    responses=documented(unknown=["top_up_unknown"], refusals=_PAID_BACK, writing=True),
)
async def refund_top_up(
    top_up: TopUpId, which: TopUpRefundTold, call: Annotated[Call, writing("stored_value:write")]
) -> TopUpRefunded:
    """Pay back what is left of a top-up, by the policy of the day on which it was paid in.

    The answer says how much money to pay out, what is withheld for bonus that was used, and the fee.
    """
    try:
        answer = await call.settle(
            of.TOP_UP_REFUNDED, which.member_id, payload={"id": top_up}, occurred_at=which.occurred_at
        )
    except Problem as problem:
        if problem.code == "top_up_unknown":
            problem.status_code = 404
        raise
    body = told(answer)
    more = _of_top_up(body, "withheld", "fee", "bonus")
    return await moved(call, answer, TopUpRefunded, money=body["money"], **more)


def _of_top_up(body: dict[str, Any], *names: str) -> dict[str, Any]:
    found = body["top_up"]
    return {"top_up": found["id"], **{name: found[name] for name in names}}
