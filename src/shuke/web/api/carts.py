"""Carts: priced for a member, held while she pays, committed or let go."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query
from pydantic import Field
from starlette.responses import Response
from uuid_utils import uuid7

from shuke.books import statements
from shuke.engine import activity as of
from shuke.engine.cart import Quote, unpack_quote
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused
from shuke.engine.member import Hold
from shuke.engine.sentences import Writer, writer
from shuke.program.document import Program
from shuke.runtime.clock import now
from shuke.runtime.settle import Answer
from shuke.values.ids import typed_id
from shuke.web.api import contract, ucp
from shuke.web.api.answers import Settlement, settlement, told
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.cart_requests import CartCommitTold, CartHoldTold, CartQuoteTold, CartReleaseTold, HoldKey
from shuke.web.api.contract import MemberId, Page, Shown
from shuke.web.api.problems import Problem, WrongField, documented, refusal
from shuke.web.api.quotes import QuoteShown, quote_json, quote_shown
from shuke.web.api.routes import doors
from shuke.web.api.sentences import ERRORS

router = doors("Carts")

HOLDS_MOST = 20
"""The most that a page of holds has; a member has no more."""

_UNPRICEABLE = ["price_unknown", "amount_invalid"]
"""A line without an amount needs the catalog to have one."""

_DECLINED = [
    *_UNPRICEABLE,
    "coupon_not_applicable",
    "points_not_applicable",
    "stored_value_not_applicable",
    "insufficient",
    "members_only",
]
"""What a cart that is to be held may be refused with; a quote tells it as skipped."""


class Reserved(Shown):
    """What a held cart keeps for itself."""

    assets: dict[str, int] = Field(description="Per asset, in its smallest units.", examples=[{"points": 25}])
    coupons: list[str] = Field(description="Their ids.")


class HeldCart(Shown):
    """A cart that is held. Its price is a promise: it is kept even if the program changes meanwhile."""

    hold: str = Field(description="What to commit or release it by.", examples=["hld_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    member_id: str
    lapses_at: contract.ShownMoment = Field(description="When everything goes back by itself.")
    reserved: Reserved
    quote: QuoteShown = Field(description="As promised. What it would earn and what would help only a quote tells.")


class CartHeld(Settlement):
    """A cart as it was held. Its price is a promise: it is kept even if the program changes meanwhile."""

    hold: str = Field(description="What to commit or release it by.", examples=["hld_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    lapses_at: contract.ShownMoment = Field(description="When everything goes back by itself.")
    reserved: Reserved
    quote: QuoteShown = Field(description="As promised. What it would earn and what would help only a quote tells.")


class CartPaid(Settlement):
    """A held cart as it was paid: an order from now on, to be completed and refunded as any other."""

    hold: str
    order_id: str
    money: int = Field(description="Paid in money, minor units.", examples=[6500])
    quote: QuoteShown = Field(description="The price as it was promised.")


class CartReleased(Settlement):
    """A held cart that was let go. Points, stored value and coupons are back where they were."""

    hold: str


# -- Routes -----------------------------------------------------------------------------------------------


@router.post(
    "/carts/quote",
    response_model=QuoteShown | ucp.UcpCart,
    responses=documented(
        *("body_too_large", "wrong_type", "no_program"),
        refusals=["member_erased", "member_frozen", "member_left", *_UNPRICEABLE],
    ),
)
async def quote_cart(
    cart: CartQuoteTold,
    call: Annotated[Call, reading("carts:read")],
    form: Annotated[
        Literal["shuke", "ucp"],
        Query(alias="as", description="`ucp`: a cart of the Universal Commerce Protocol with its loyalty extension."),
    ] = "shuke",
    claim: Annotated[
        str | None,
        Query(
            pattern=ucp.CLAIM,
            max_length=200,
            description="With `as=ucp`: the eligibility claim that stands for this program, in reverse-domain naming.",
            examples=["com.example.rewards"],
        ),
    ] = None,
) -> Response:
    """Price a cart. Nothing is changed, nothing is kept; ask as often as you like, no Idempotency-Key is needed.

    Member price, tier percent and promotions first, then coupons, points and stored value, shipping last: each to the
    cent and to the line. What was asked for and cannot be is `skipped`, with the reason; `hints` say what would help,
    `earns` what paying now would bring. Without a member the cart is a guest's. Somebody unknown is priced as who
    comes for the first time.
    """
    if form == "ucp" and claim is None:
        missing = WrongField(pointer="?claim", code="missing", detail=ERRORS["missing"][call.locale])
        raise Problem("invalid_request", errors=[missing])
    at = call.moment(cart.occurred_at)
    quoted = await call.shop.quotes.of(cart.purchase(cart.order_id), member_id=cart.member_id, at=at)
    program = quoted.edition.document
    if isinstance(quoted.quote, Refused):
        raise refusal(quoted.quote, program, call.locale)
    speaking = writer(program, call.locale)
    if claim is not None and form == "ucp":
        shown = ucp.cart(quoted.quote, speaking, member_id=cart.member_id, claim=claim, asked=cart.uses.coupons)
        return Response(shown.model_dump_json(exclude_none=True), media_type="application/json")
    return Response(quote_json(quoted.quote, speaking), media_type="application/json")


@router.post(
    "/carts/holds",
    status_code=201,
    responses=documented(
        refusals=[
            *(*_DECLINED, "hold_exists", "too_many_holds"),
            *("member_erased", "member_frozen", "member_left"),
        ],
        writing=True,
    ),
)
async def hold_cart(cart: CartHoldTold, call: Annotated[Call, writing("carts:write")]) -> CartHeld:
    """Hold a cart while its member pays: its price is promised, and what it uses is set aside.

    Coupons, points, stored value and shared quotas are reserved until the hold is committed, released or lapses. What
    was asked for must apply, all of it; a quote tells beforehand. Holding stored value takes the scope
    `stored_value:write` as well.
    """
    if cart.uses.stored_value:
        call.demand("stored_value:write")
    payload: dict[str, Any] = {"hold": cart.hold or typed_id("hld", uuid7().bytes)}
    if cart.minutes is not None:
        payload["minutes"] = cart.minutes
    purchase = cart.purchase(cart.order_id)
    answer = await call.settle(
        of.CART_HELD, cart.member_id, payload=payload, purchase=purchase, occurred_at=cart.occurred_at
    )
    body = told(answer)
    quote = msgspec.convert(body["quote"], Quote)
    reserved = _reserved(
        [(paid.asset, sum(paid.units)) for paid in quote.paid], [use.coupon.id for use in quote.coupons]
    )
    shown = quote_shown(quote, await _writer_of(call, quote.version))
    return await settlement(call, answer, CartHeld, **body["hold"], reserved=reserved, quote=shown)


@router.get("/carts/holds", responses=documented("no_program"))
async def list_held_carts(
    call: Annotated[Call, reading("carts:read")],
    member_id: Annotated[MemberId, Query()],
    cursor: Annotated[contract.Id | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=HOLDS_MOST)] = HOLDS_MOST,
) -> Page[HeldCart]:
    """The carts that a member holds now, by their keys."""
    async with call.shop.pool.connection() as connection:
        member = await statements.member(connection, member_id)
        editions = await call.shop.settler.editions(connection)
    at = now()
    live = sorted(
        (hold for hold in (member.holds.values() if member else ()) if hold.value is None and hold.lapses_at > at),
        key=lambda hold: hold.key,
    )
    behind = [hold for hold in live if cursor is None or hold.key > cursor]
    items = [_held(hold, member_id, editions, call) for hold in behind[:limit]]
    return Page(items=items, next=items[-1].hold if len(behind) > limit else None)


@router.post(
    "/carts/holds/{hold}/commit",
    status_code=201,
    responses=documented(
        unknown=["hold_unknown"],
        refusals=["cart_changed", "hold_not_of_cart", "order_exists", "member_erased"],
        writing=True,
    ),
)
async def commit_cart(hold: HoldKey, paid: CartCommitTold, call: Annotated[Call, writing("carts:write")]) -> CartPaid:
    """Commit a held cart once it is paid: it becomes an order, at exactly the price that was promised.

    What was held is spent, rules give what they give, tiers rise. From now on it is refunded like any order. A hold
    that has lapsed is gone, and so is its promise: quote and hold again.
    """
    answer = await _settle_held(
        call, of.ORDER_PAID, paid.member_id, purchase=paid.purchase(hold), occurred_at=paid.occurred_at
    )
    body = told(answer)
    quote = msgspec.convert(body["quote"], Quote)
    shown = quote_shown(quote, await _writer_of(call, quote.version))
    return await settlement(call, answer, CartPaid, hold=hold, order_id=paid.order_id, money=body["money"], quote=shown)


@router.post(
    "/carts/holds/{hold}/release",
    responses=documented(unknown=["hold_unknown"], refusals=["hold_not_of_cart", "member_erased"], writing=True),
)
async def release_cart(
    hold: HoldKey, which: CartReleaseTold, call: Annotated[Call, writing("carts:write")]
) -> CartReleased:
    """Let go of a held cart: what it kept goes back to the very lots and coupons it came from, once."""
    answer = await _settle_held(
        call, of.CART_RELEASED, which.member_id, payload={"hold": hold}, occurred_at=which.occurred_at
    )
    return await settlement(call, answer, CartReleased, hold=hold)


async def _settle_held(call: Call, type_: str, member_id: str, **activity: Any) -> Answer:
    """Settle an act about the hold that the address names. It is 404 where there is none."""
    try:
        return await call.settle(type_, member_id, **activity)
    except Problem as problem:
        if problem.code == "hold_unknown":
            problem.status_code = 404
        raise


async def _writer_of(call: Call, version: int) -> Writer:
    return writer(_program_of(await call.shop.editions(), version), call.locale)


def _program_of(editions: Editions, version: int) -> Program:
    """The version a promise was made by."""
    return next(edition.document for edition in editions.compiled if edition.version == version)


def _held(hold: Hold, member_id: str, editions: Editions, call: Call) -> HeldCart:
    quote = unpack_quote(hold.quote)
    return HeldCart(
        hold=hold.key,
        member_id=member_id,
        lapses_at=hold.lapses_at,
        reserved=_reserved([(part.asset, part.lot.amount) for part in hold.parts], hold.coupons),
        quote=quote_shown(quote, writer(_program_of(editions, quote.version), call.locale)),
    )


def _reserved(parts: list[tuple[str, int]], coupons: list[str]) -> Reserved:
    assets: dict[str, int] = {}
    for asset, units in parts:
        assets[asset] = assets.get(asset, 0) + units
    return Reserved(assets=assets, coupons=coupons)
