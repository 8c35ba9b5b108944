"""What members have, and what there is to have: the assets of the program."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from shuke.books import statements
from shuke.engine.asset_words import rules_in_words
from shuke.engine.balances import Balance, balances
from shuke.engine.compiled import Editions
from shuke.engine.member import STRANGER, Hold, Lot, Member
from shuke.engine.sentences import told
from shuke.program.assets import Asset
from shuke.program.document import Program
from shuke.runtime.clock import now
from shuke.values.instants import Instant
from shuke.web.api.callers import Call, reading
from shuke.web.api.contract import MemberId, Shown, ShownEnd, ShownMoment
from shuke.web.api.problems import Problem, documented
from shuke.web.api.purses import EndingShown
from shuke.web.api.routes import doors

router = doors("Points")


class LotShown(Shown):
    """Value that arrived together and ends together."""

    lot: int = Field(examples=[3])
    amount: int = Field(description="What is left of it, the asset's smallest units.", examples=[120])
    opened_at: ShownMoment
    ripens_at: ShownMoment | None = Field(description="When it can be spent; null: it can already.")
    expires_at: ShownEnd


class BalanceShown(Shown):
    """One asset of a member, in its smallest units."""

    asset: str = Field(examples=["points"])
    available: int = Field(description="Can be spent now.", examples=[1240])
    pending: int = Field(description="Ripens later.", examples=[0])
    held: int = Field(description="Set aside by holds.", examples=[0])
    debt: int = Field(description="Owed; the next value that comes pays it.", examples=[0])
    lots: list[LotShown] = Field(description="What can be spent, in the order in which it is spent.")
    ripening: list[LotShown] = Field(description="What is pending, in the order in which it ripens.")
    endings: list[EndingShown] = Field(description="What ends when, the soonest first; what never ends is not here.")


class HoldShown(Shown):
    """Something set aside."""

    hold: str = Field(description="The key it is held under.", examples=["till-3/8841"])
    cart: bool = Field(description="Whether a cart holds it.")
    lapses_at: ShownMoment
    amounts: dict[str, int] = Field(description="Per asset, in its smallest units.", examples=[{"points": 40}])
    coupons: list[str]


class BalancesShown(Shown):
    """All a member has, as of now, whether or not the clock came by."""

    member_id: str
    at: ShownMoment
    balances: list[BalanceShown]
    holds: list[HoldShown]


class WorthShown(Shown):
    """What the asset pays in a cart: ``units`` pay ``amount``."""

    units: int = Field(description="The asset's smallest units.", examples=[100])
    amount: str = Field(description="Currency units, exact.", examples=["1.00"])


class AssetShown(Shown):
    """Something members can have."""

    asset: str = Field(examples=["points"])
    title: str = Field(description="In the caller's language.", examples=["Points"])
    unit: str | None = Field(description="What one of it is called, in the caller's language.", examples=["point"])
    kind: str = Field(description="spendable, qualifying (only counts), principal or bonus (of stored value)")
    scale: int = Field(description="Decimals: an amount of 12345 at scale 2 reads 123.45.", examples=[0])
    worth: WorthShown | None = Field(description="null: it does not pay in carts.")
    transferable: bool = Field(description="Whether members may give it to each other.")
    rules: list[str] = Field(description="Its rules in sentences, in the caller's language.")


class AssetsShown(Shown):
    """The assets of the program in force."""

    currency: str = Field(examples=["USD"])
    scale: int = Field(description="Decimals of money.", examples=[2])
    items: list[AssetShown]


def _lot(lot: Lot) -> LotShown:
    return LotShown(
        lot=lot.no,
        amount=lot.amount,
        opened_at=lot.opened_at,
        ripens_at=lot.ripens_at or None,
        expires_at=lot.expires_at,
    )


def _balance(balance: Balance) -> BalanceShown:
    return BalanceShown(
        asset=balance.asset,
        available=balance.available,
        pending=balance.pending,
        held=balance.held,
        debt=balance.debt,
        lots=[_lot(lot) for lot in balance.lots],
        ripening=[_lot(lot) for lot in balance.ripening],
        endings=[EndingShown(at=ending.at, amount=ending.amount) for ending in balance.endings],
    )


def _hold(hold: Hold) -> HoldShown:
    amounts: dict[str, int] = {}
    for part in hold.parts:
        amounts[part.asset] = amounts.get(part.asset, 0) + part.lot.amount
    return HoldShown(
        hold=hold.key,
        cart=hold.value is None,
        lapses_at=hold.lapses_at,
        amounts=amounts,
        coupons=hold.coupons,
    )


def _asset(asset: Asset, program: Program, call: Call) -> AssetShown:
    worth = asset.redemption
    return AssetShown(
        asset=asset.id,
        title=told(asset.title, call.locale) or asset.id,
        unit=told(asset.unit, call.locale),
        kind=asset.kind.value,
        scale=asset.scale,
        worth=None if worth is None else WorthShown(units=worth.per * 10**asset.scale, amount=f"{worth.worth:f}"),
        transferable=asset.transfer is not None,
        rules=rules_in_words(asset, program, call.locale),
    )


async def known_member(call: Call, member_id: str) -> Member:
    """The member as last settled. Refused: ``member_unknown``."""
    async with call.shop.pool.connection() as connection:
        found = await statements.member(connection, member_id)
    if found is None or found.status == STRANGER:
        raise Problem("member_unknown", member_id=member_id)
    return found


async def known_id(call: Call, member_id: str) -> str:
    """The id of a member there is. Refused: ``member_unknown``."""
    return (await known_member(call, member_id)).id


@router.get("/members/{member_id}/balances", responses=documented("member_unknown", "no_program"))
async def get_balances(member_id: MemberId, call: Annotated[Call, reading("points:read")]) -> BalancesShown:
    """What a member can spend, what ripens, what is held or owed, lot by lot, and what ends when.

    As of now: what is past its date is not told, also where the clock has not come by yet.
    """
    member = await known_member(call, member_id)
    return balances_shown(member, await call.shop.editions(), now())


def balances_shown(member: Member, editions: Editions, at: Instant) -> BalancesShown:
    found = balances(editions, member, at)
    return BalancesShown(
        member_id=member.id,
        at=at,
        balances=[_balance(balance) for balance in found.assets],
        holds=[_hold(hold) for hold in found.holds],
    )


@router.get("/assets", responses=documented("no_program"))
async def list_assets(call: Annotated[Call, reading("points:read")]) -> AssetsShown:
    """What members can have: points, stars, stored value … with their rules in the caller's language."""
    program = (await call.shop.editions()).at(now()).document
    items = [_asset(asset, program, call) for asset in program.assets]
    return AssetsShown(currency=program.currency, scale=program.scale, items=items)
