"""What there is to know of coupons: whether one would work, whose there are, what a code is, what is left."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query
from pydantic import Field, model_validator

from shuke.books import codes, coupons, statements
from shuke.books.coupons import CouponRow
from shuke.engine.coupon_checks import Checked
from shuke.engine.coupon_terms import Template, plain_code
from shuke.engine.refusals import sentence
from shuke.engine.sentences import told as said
from shuke.program.coupons import CouponLimits
from shuke.program.document import Program
from shuke.runtime.clock import now
from shuke.values.instants import Instant
from shuke.web.api import contract
from shuke.web.api.callers import Call, reading
from shuke.web.api.cart_requests import Cart
from shuke.web.api.contract import MemberId, Page, Shown, ShownEnd, ShownMoment, Slug
from shuke.web.api.contract import Told as Body
from shuke.web.api.coupons import Asked, CodeText
from shuke.web.api.problems import Problem, documented, shown_facts
from shuke.web.api.routes import doors

router = doors("Coupons")


class QuestionTold(Body):
    """Whether a coupon or a code would work."""

    member_id: MemberId
    coupon: Asked
    channel: contract.Line | None = Field(default=None, description="Where, if it is known.", examples=["web"])
    store: contract.Line | None = None
    cart: Cart | None = Field(default=None, description="For these goods; whatever the cart's own `uses` ask for.")

    @model_validator(mode="after")
    def _is_in_one_place(self) -> QuestionTold:
        if self.cart is not None and (self.channel is not None or self.store is not None):
            raise ValueError("channel and store are those of the cart")
        return self


class MeantCoupon(Shown):
    """The coupon that was asked about: as it is, or as its code would open it."""

    coupon: str | None = Field(description="null: only its code is known, and it would be made when it is used.")
    template: str = Field(examples=["ten"])
    title: str = Field(description="In the caller's language.", examples=["10 off"])
    code: str | None
    valid_from: ShownMoment
    valid_until: ShownEnd
    value: int = Field(description="Left of a cash voucher, minor units; else 0.")


class CouponAnswer(Shown):
    """Whether it would work, and why not."""

    valid: bool
    code: str | None = Field(description="Why it would not work.", examples=["minimum_spend"])
    detail: str | None = Field(description="The same as a sentence in the caller's language.")
    facts: dict[str, Any] = Field(default_factory=dict)
    coupon: MeantCoupon | None = Field(description="null: there is none such for this member.")
    saves: int | None = Field(description="What it takes off the cart, minor units; null without one.", examples=[1000])


class CouponShown(Shown):
    """A coupon of a member."""

    coupon: str = Field(examples=["ten.7bq2mz8vf0x9v"])
    member_id: str
    template: str = Field(examples=["ten"])
    title: str = Field(description="In the caller's language.", examples=["10 off"])
    state: str = Field(description=", ".join(coupons.STATES), examples=["issued"])
    code: str | None
    value: int = Field(description="Left of a cash voucher in the member's hands, minor units; else 0.")
    issued_at: ShownMoment
    valid_from: ShownMoment
    valid_until: ShownEnd
    order_id: str | None = Field(description="Where it was used last.")


class CodeShown(Shown):
    """A code, and what became of it."""

    code: str
    kind: str = Field(description="shared (for everybody), batch (made ahead) or elsewhere (came with its coupon)")
    state: str = Field(description="free, taken or void; a shared one is always free", examples=["taken"])
    template: str = Field(examples=["ten"])
    title: str = Field(examples=["10 off"])
    batch: str | None = Field(examples=["cbt_12"])
    coupon: CouponShown | None = Field(description="The coupon it opened, in whoever's hands it is or was last.")


class LeftShown(Shown):
    """What is left for all members together; null: without limit."""

    issued: int | None
    issued_today: int | None
    redeemed: int | None


class TemplateShown(Shown):
    """A kind of coupon."""

    template: str = Field(examples=["ten"])
    title: str = Field(description="In the caller's language.", examples=["10 off"])
    give: dict[str, Any] = Field(
        description="What it takes off, as the program has it.", examples=[{"amount_off": "10"}]
    )
    codes: str = Field(description="none, shared or unique")
    code: str | None = Field(description="The shared one.")
    claimable: bool = Field(description="Whether members may take it themselves.")
    transferable: bool
    paid: bool = Field(description="Whether members pay for it.")
    minimum_spend: int = Field(description="Minor units.")
    minimum_items: int
    channels: list[str] = Field(description="Where it works; empty: everywhere.")
    stores: list[str]
    valid_from: ShownMoment = Field(description="If it were issued now.")
    valid_until: ShownEnd
    limits: CouponLimits
    left: LeftShown


def title_of(program: Program, template: str, call: Call) -> str:
    """What people read of a template: its title, else its id."""
    found = next((one for one in program.coupons if one.id == template), None)
    return (said(found.title, call.locale) if found is not None else None) or template


def coupon_shown(row: CouponRow, program: Program, call: Call) -> CouponShown:
    return CouponShown(
        coupon=row.coupon_id,
        member_id=row.member_id,
        template=row.template,
        title=title_of(program, row.template, call),
        state=row.state,
        code=row.code,
        value=row.value,
        issued_at=row.issued_at,
        valid_from=row.valid_from,
        valid_until=row.valid_until,
        order_id=row.order_id,
    )


# -- Routes -----------------------------------------------------------------------------------------------


@router.post("/coupons/validate", responses=documented("wrong_type", "body_too_large", "no_program"))
async def validate_coupon(question: QuestionTold, call: Annotated[Call, reading("coupons:read")]) -> CouponAnswer:
    """Ask whether a coupon or a code would work for a member. Nothing changes, and no Idempotency-Key is needed.

    Without a cart the member, dates, limits and (where told) the place are looked at; with one everything is, and the
    answer says what it would take off.
    """
    cart = question.cart
    at = now() if cart is None or cart.occurred_at is None else cart.occurred_at
    checked, edition = await call.shop.quotes.check(
        question.coupon,
        member_id=question.member_id,
        at=at,
        channel=question.channel,
        store=question.store,
        cart=None if cart is None else cart.purchase("cart"),
    )
    return _answer(checked, edition.document, call)


def _answer(checked: Checked, program: Program, call: Call) -> CouponAnswer:
    refused, coupon = checked.refused, checked.coupon
    meant = None
    if coupon is not None:
        meant = MeantCoupon(
            coupon=None if checked.is_new else coupon.id,
            template=coupon.template,
            title=title_of(program, coupon.template, call),
            code=coupon.code,
            valid_from=coupon.valid_from,
            valid_until=coupon.valid_until,
            value=coupon.value,
        )
    if refused is None:
        return CouponAnswer(valid=True, code=None, detail=None, coupon=meant, saves=checked.saves)
    code, facts = refused.code, refused.facts
    if code == "coupon_not_applicable":
        code, facts = facts["reason"], {name: fact for name, fact in facts.items() if name not in ("coupon", "reason")}
    detail = sentence(refused, program, call.locale)
    return CouponAnswer(
        valid=False, code=code, detail=detail, facts=shown_facts(code, facts), coupon=meant, saves=checked.saves
    )


@router.get("/members/{member_id}/coupons", responses=documented(unknown=["not_found"]))
async def list_coupons(
    member_id: MemberId,
    call: Annotated[Call, reading("coupons:read")],
    state: Annotated[Literal["issued", "held", "redeemed", "expired", "voided", "given"] | None, Query()] = None,
    cursor: Annotated[
        str | None, Query(pattern=r"^-?\d{1,17}~[^\x00]{1,100}$", description="`next` of the page before.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[CouponShown]:
    """A member's coupons, the latest first; those in one state if it is told."""
    before = None
    if cursor is not None:
        issued_at, _, coupon_id = cursor.partition("~")
        before = int(issued_at), coupon_id
    async with call.shop.pool.connection() as connection:
        member = await statements.member(connection, member_id)
        id_ = member_id if member is None else member.id
        found = await coupons.of_member(connection, id_, at=now(), state=state, before=before, most=limit + 1)
    if found is None:
        raise Problem("not_found")
    program = await call.shop.program()
    items = found[:limit]
    return Page(
        items=[coupon_shown(row, program, call) for row in items],
        next=f"{items[-1].issued_at}~{items[-1].coupon_id}" if len(found) > limit else None,
    )


@router.get("/coupons/by-code/{code}", responses=documented("not_found"))
async def get_code(code: CodeText, call: Annotated[Call, reading("coupons:read")]) -> CodeShown:
    """What a code is and what became of it: whose coupon it opened, or that it is still free."""
    text = plain_code(code)
    program = await call.shop.program()
    shared = next((one for one in program.coupons if one.code is not None and plain_code(one.code) == text), None)
    async with call.shop.pool.connection() as connection:
        made = None if shared is not None else await codes.code(connection, text)
        coupon = None if shared is not None else await coupons.by_code(connection, text, at=now())
    shown = None if coupon is None else coupon_shown(coupon, program, call)
    if shared is not None:
        kind, state, template = "shared", "free", shared.id
    elif made is not None:
        batch, row = made
        kind, template = "batch", batch.template
        state = "taken" if row.member_id is not None else "void" if batch.is_void else "free"
    elif shown is not None:
        kind, state, template = "elsewhere", "taken", shown.template
    else:
        raise Problem("not_found")
    return CodeShown(
        code=text,
        kind=kind,
        state=state,
        template=template,
        title=title_of(program, template, call),
        batch=None if made is None else f"cbt_{made[0].batch}",
        coupon=shown,
    )


@router.get("/coupons/templates", responses=documented("no_program"))
async def list_templates(
    call: Annotated[Call, reading("coupons:read")],
    claimable: Annotated[bool | None, Query(description="Only those members may (or may not) take themselves.")] = None,
    cursor: Annotated[Slug | None, Query(description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Page[TemplateShown]:
    """The kinds of coupons in the program in force, by id, and what is left of them for all members together."""
    at = now()
    edition = (await call.shop.editions()).at(at)
    day = edition.calendar.day(at)
    found = [
        template
        for id_, template in sorted(edition.coupons.items())
        if (cursor is None or id_ > cursor) and claimable in (None, template.template.claimable)
    ]
    items = found[:limit]
    quotas = [quota for one in items for quota, _, _ in [*one.quotas_of_issue(day), *one.quotas_of_redemption()]]
    async with call.shop.pool.connection() as connection:
        used = await coupons.used(connection, quotas) if quotas else {}
    return Page(
        items=[_template(one, edition.document, call, at=at, day=day, used=used) for one in items],
        next=items[-1].id if len(found) > limit else None,
    )


def _template(
    template: Template, program: Program, call: Call, *, at: Instant, day: int, used: dict[str, int]
) -> TemplateShown:
    chapter = template.template
    valid_from, valid_until = template.dates(day)
    left = {
        name: max(0, most - used.get(quota, 0))
        for quota, most, name in [*template.quotas_of_issue(day), *template.quotas_of_redemption()]
    }
    return TemplateShown(
        template=template.id,
        title=title_of(program, template.id, call),
        give=chapter.give.model_dump(mode="json", exclude_defaults=True),
        codes=chapter.codes,
        code=chapter.code,
        claimable=chapter.claimable,
        transferable=chapter.transferable,
        paid=chapter.consideration == "paid",
        minimum_spend=template.minimum_spend,
        minimum_items=template.minimum_items,
        channels=sorted(template.channels),
        stores=sorted(template.stores),
        valid_from=valid_from,
        valid_until=valid_until,
        limits=chapter.limits,
        left=LeftShown(
            issued=left.get("total"), issued_today=left.get("total_per_day"), redeemed=left.get("redeemed_total")
        ),
    )
