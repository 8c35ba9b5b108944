"""Value that moves without an order: given, spent, held, sent to another member, adjusted by hand."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator
from uuid_utils import uuid7

from shuke.books import statements
from shuke.engine import activity as of
from shuke.runtime.settle import Answer
from shuke.values.ids import typed_id
from shuke.web.api import contract, money
from shuke.web.api.answers import told
from shuke.web.api.callers import Call, writing
from shuke.web.api.contract import MemberId, Moment, Positive, Prose, ShownMoment, Signed, Slug, Told
from shuke.web.api.problems import Problem, documented
from shuke.web.api.purses import Moved, moved
from shuke.web.api.routes import doors

router = doors("Points")

SpendId = Annotated[contract.Id, Field(description="The spend's id: yours, or one we made (`spd_…`).")]
HoldKey = Annotated[contract.Id, Field(description="The key it is held under: yours, or one we made (`hld_…`).")]
Reason = Annotated[Prose, Field(min_length=1, description="Why, for people; shown in the member's statement.")]

_ASSET = ["asset_unknown", "amount_invalid"]
_ASKED = [*_ASSET, "not_spendable", "no_stored_value", "insufficient"]


class Said(Told):
    """What may be said of every movement."""

    reason: Prose | None = Field(default=None, description="Why, for people.", examples=["Reusable cup"])
    reference: contract.Line | None = Field(default=None, description="What you call it.", examples=["till-3/8841"])
    occurred_at: Moment | None = Field(default=None, description="When it happened; now if left out.")

    def payload(self) -> dict[str, Any]:
        """What the engine reads; what was left out is left out."""
        return self.model_dump(exclude_defaults=True, exclude={"member_id", "occurred_at"})


class GrantTold(Said):
    """Value the shop gives for a reason that no rule knows."""

    member_id: MemberId
    asset: Slug = Field(examples=["points"])
    amount: Positive = Field(description="The asset's smallest units.", examples=[50])
    reason: Reason = Field(examples=["Sorry for the wait"])
    approver: contract.Line | None = Field(default=None, description="Who approved of it.", examples=["mei"])
    ripens_at: Moment | None = Field(default=None, description="When it can be spent; as the asset says if left out.")
    expires_at: Moment | None = Field(default=None, description="When it ends; as the asset says if left out.")


class Asked(Said):
    """How much: of one asset, or of stored value."""

    member_id: MemberId
    asset: Slug | None = Field(default=None, examples=["points"])
    amount: Positive | None = Field(default=None, description="Of the asset, its smallest units.", examples=[80])
    stored_value: Positive | None = Field(
        default=None,
        description="Instead of an asset: minor units of money, from principal and bonus as the program orders them.",
    )
    quantity: int = Field(default=1, ge=1, le=1000, description="So many times that.")

    @model_validator(mode="after")
    def _is_one_thing(self) -> Asked:
        if (self.asset is None) != (self.amount is None) or (self.asset is None) == (self.stored_value is None):
            raise ValueError("tell an asset with an amount, or stored_value")
        if (self.amount or self.stored_value or 0) * self.quantity > contract.SAFE:
            raise ValueError("so many times the amount is beyond what every reader keeps exactly")
        return self


class SpendTold(Asked):
    """Value to be spent for something that is not an order."""

    spend: SpendId | None = Field(default=None, description="What to undo it by; made for you if left out.")

    def payload(self) -> dict[str, Any]:
        return _with_id(super().payload())


class HoldTold(Asked):
    """Value to be set aside for a time."""

    hold: HoldKey | None = Field(default=None, description="What to capture it by; made for you if left out.")
    minutes: int | None = Field(
        default=None, ge=1, le=10_080, description="How long; at most what the program allows, which is the default."
    )

    def payload(self) -> dict[str, Any]:
        found = super().payload()
        found.setdefault("hold", typed_id("hld", uuid7().bytes))
        return found


class PartTold(Said):
    """All of it, or a part."""

    member_id: MemberId
    amount: Positive | None = Field(default=None, description="A part, the asset's smallest units.")
    stored_value: Positive | None = Field(
        default=None, description="A part where stored value was asked for, minor units of money."
    )


class CaptureTold(PartTold):
    """What of a hold is spent. What is left goes back."""

    spend: SpendId | None = Field(default=None, description="What to undo it by; made for you if left out.")

    def payload(self) -> dict[str, Any]:
        return _with_id(super().payload())


class ReleaseTold(Told):
    """Whose hold it is."""

    member_id: MemberId
    occurred_at: Moment | None = None


class TransferTold(Told):
    """A gift to another member."""

    member_id: MemberId
    to_member_id: MemberId
    asset: Slug = Field(examples=["points"])
    amount: Positive = Field(description="The asset's smallest units.", examples=[20])
    occurred_at: Moment | None = None


class AdjustmentTold(Said):
    """A correction by hand, up or down."""

    member_id: MemberId
    asset: Slug = Field(examples=["points"])
    amount: Signed = Field(description="The asset's smallest units; below zero to take away.", examples=[-30])
    reason: Reason = Field(examples=["Booked twice on 3 May"])
    approver: contract.Line | None = Field(default=None, description="Who approved of it.", examples=["mei"])


class Spent(Moved):
    """A spend, and how much of it has come back."""

    spend: str = Field(description="What to undo it by.", examples=["spd_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    amount: int = Field(description="As it was asked for: the asset's smallest units, or minor units of stored value.")
    back: int = Field(description="So much of that has come back by now.")


class Held(Moved):
    """Value that was set aside."""

    hold: str = Field(description="What to capture or release it by.")
    lapses_at: ShownMoment = Field(description="When it goes back by itself.")


def _with_id(payload: dict[str, Any]) -> dict[str, Any]:
    payload["id"] = payload.pop("spend", None) or typed_id("spd", uuid7().bytes)
    return payload


async def _settle(call: Call, type_: str, body: Any, payload: dict[str, Any]) -> Answer:
    """Settle an act that names what it moves. Stored value is money: moving it needs a scope of its own as well."""
    await _demand(call, [payload["asset"]] if "asset" in payload else None)
    return await call.settle(type_, body.member_id, payload=payload, occurred_at=body.occurred_at)


async def _settle_named(
    call: Call, type_: str, body: Any, payload: dict[str, Any], *, assets: list[str], missing: str
) -> Answer:
    """Settle an act about something the address names, which moves ``assets``. ``missing`` is the refusal that says
    that it is not there: 404."""
    await _demand(call, assets)
    try:
        return await call.settle(type_, body.member_id, payload=payload, occurred_at=body.occurred_at)
    except Problem as problem:
        if problem.code == missing:
            problem.status_code = 404
        raise


async def _demand(call: Call, assets: list[str] | None) -> None:
    """Refused: ``scope_missing``, where stored value moves (None: it was asked for as such)."""
    if call.has(money.SCOPE):
        return
    if assets is None or money.is_among(assets, await call.shop.program()):
        call.demand(money.SCOPE)


async def giver(call: Call, member_id: str, to_member_id: str) -> str:
    """Who gives. Refused: ``receiver_unknown``."""
    async with call.shop.reading() as connection:
        if await statements.member(connection, to_member_id) is None:
            raise Problem("receiver_unknown", member_id=to_member_id)
    return member_id


async def _spent(call: Call, answer: Answer) -> Spent:
    spend = told(answer)["spend"]
    return await moved(call, answer, Spent, spend=spend["id"], amount=spend["amount"], back=spend.get("back", 0))


# -- Routes -----------------------------------------------------------------------------------------------


@router.post(
    "/points/earn",
    status_code=201,
    responses=documented(
        refusals=[*_ASSET, "not_given", "reason_missing", "balance_too_large", "already_expired"], writing=True
    ),
)
async def grant_points(grant: GrantTold, call: Annotated[Call, writing("points:write")]) -> Moved:
    """Give a member value for a reason that no rule knows: an apology, a game, a partner's campaign.

    It counts as earned (tiers see it) and gets the asset's usual dates unless others are told. Limits of earning
    rules do not apply: they are a rule's own. What corrects a mistake is an adjustment instead.
    """
    return await moved(call, await _settle(call, of.ASSET_GRANTED, grant, grant.payload()), Moved)


@router.post(
    "/points/spend",
    status_code=201,
    responses=documented(refusals=[*_ASKED, "quantity_invalid", "spend_exists"], writing=True),
)
async def spend_points(spend: SpendTold, call: Annotated[Call, writing("points:write")]) -> Spent:
    """Spend value for something that is not an order here: a reward at the counter, a partner's service.

    All of it or nothing, from the lots that the asset spends first. The answer says which, with their dates.
    """
    return await _spent(call, await _settle(call, of.ASSET_SPENT, spend, spend.payload()))


@router.post(
    "/points/spend/{spend}/reverse",
    responses=documented(
        unknown=["spend_unknown"],
        refusals=["spend_reversed", "reversal_exceeds_spend", "amount_invalid", "balance_too_large"],
        writing=True,
    ),
)
async def reverse_spend(spend: SpendId, part: PartTold, call: Annotated[Call, writing("points:write")]) -> Spent:
    """Undo a spend, or a part of it: the same lots get it back, with the same dates.

    Parts may be undone one after the other until all of it is back. What is past its date meanwhile follows the
    asset's policy: it ends at once, or starts anew.
    """
    assets = await money.assets_of_spend(call, part.member_id, spend)
    payload = {**part.payload(), "id": spend}
    answer = await _settle_named(call, of.ASSET_SPEND_REVERSED, part, payload, assets=assets, missing="spend_unknown")
    return await _spent(call, answer)


@router.post(
    "/points/holds",
    status_code=201,
    responses=documented(refusals=[*_ASKED, "quantity_invalid", "hold_exists", "too_many_holds"], writing=True),
)
async def hold_points(hold: HoldTold, call: Annotated[Call, writing("points:write")]) -> Held:
    """Set value aside for a limited time, so that nothing else can spend it meanwhile.

    It ends by a capture, by a release, or by itself when its time is over. Carts hold what they use on their own.
    """
    answer = await _settle(call, of.ASSET_HELD, hold, hold.payload())
    return await moved(call, answer, Held, **told(answer)["hold"])


@router.post(
    "/points/holds/{hold}/capture",
    responses=documented(
        unknown=["hold_unknown"],
        refusals=["hold_of_cart", "insufficient", "amount_invalid", "spend_exists"],
        writing=True,
    ),
)
async def capture_hold(hold: HoldKey, part: CaptureTold, call: Annotated[Call, writing("points:write")]) -> Spent:
    """Spend what is held, or a part of it. A capture ends the hold: what it leaves goes back at once."""
    assets = await money.assets_of_hold(call, part.member_id, hold)
    payload = {**part.payload(), "hold": hold}
    answer = await _settle_named(call, of.ASSET_CAPTURED, part, payload, assets=assets, missing="hold_unknown")
    return await _spent(call, answer)


@router.post("/points/holds/{hold}/release", responses=documented(unknown=["hold_unknown"], writing=True))
async def release_hold(hold: HoldKey, which: ReleaseTold, call: Annotated[Call, writing("points:write")]) -> Moved:
    """Let go of what is held: it goes back to the very lots it came from."""
    assets = await money.assets_of_hold(call, which.member_id, hold)
    answer = await _settle_named(call, of.ASSET_RELEASED, which, {"hold": hold}, assets=assets, missing="hold_unknown")
    return await moved(call, answer, Moved)


@router.post(
    "/points/transfer",
    status_code=201,
    responses=documented(
        "receiver_unknown",
        refusals=[*_ASSET, "transfer_not_allowed", "transfer_to_self", "transfer_limit", "insufficient"],
        writing=True,
    ),
)
async def transfer_points(gift: TransferTold, call: Annotated[Call, writing("points:write")]) -> Moved:
    """Give value from one member to another, where the program allows it, within its limits.

    It leaves one and reaches the other in the same moment. The receiver must be a member already.
    """
    await call.whose(giver(call, gift.member_id, gift.to_member_id))
    payload = {"asset": gift.asset, "amount": gift.amount, "to_member": gift.to_member_id}
    return await moved(call, await _settle(call, of.ASSET_TRANSFERRED, gift, payload), Moved)


@router.post(
    "/points/adjust",
    status_code=201,
    responses=documented(refusals=[*_ASSET, "reason_missing", "insufficient", "balance_too_large"], writing=True),
)
async def adjust_points(adjustment: AdjustmentTold, call: Annotated[Call, writing("points:write")]) -> Moved:
    """Correct the books by hand, up or down, with a reason. A balance never falls below zero by it.

    An adjustment does not count as earned; to give something, use `earn`.
    """
    return await moved(call, await _settle(call, of.ASSET_ADJUSTED, adjustment, adjustment.payload()), Moved)
