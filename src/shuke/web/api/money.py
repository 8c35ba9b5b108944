"""Stored value is money: whoever moves it needs a scope of its own, beside that of moving points."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from shuke.books import orders, statements
from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.spends import remembered_as
from shuke.program.assets import AssetKind
from shuke.program.document import Program
from shuke.web.api.callers import Call

SCOPE: Final = "stored_value:write"

_KINDS: Final = (AssetKind.PRINCIPAL, AssetKind.BONUS)


def is_among(assets: Iterable[str], program: Program) -> bool:
    """Whether one of the assets is stored value."""
    kinds = {asset.id: asset.kind for asset in program.assets}
    return any(kinds.get(asset) in _KINDS for asset in assets)


async def is_moved(call: Call, activity: Activity, program: Program) -> bool:
    """Whether an activity of the kinds that move value (``asset.…``) moves stored value."""
    payload = activity.payload or {}
    if activity.type == of.ASSET_SPEND_REVERSED:
        assets = await assets_of_spend(call, activity.member_id, payload["id"])
    elif activity.type in (of.ASSET_CAPTURED, of.ASSET_RELEASED):
        assets = await assets_of_hold(call, activity.member_id, payload["hold"])
    elif payload.get("stored_value") is not None:
        return True
    else:
        assets = [payload["asset"]] if payload.get("asset") is not None else []
    return is_among(assets, program)


async def assets_of_spend(call: Call, member_id: str, spend: str) -> list[str]:
    """What a spend took; nothing where there is none."""
    async with call.shop.pool.connection() as connection:
        found = await orders.find(connection, remembered_as(spend), member_id=member_id)
    return [] if found is None else [paid.asset for paid in found[1].paid]


async def assets_of_hold(call: Call, member_id: str, key: str) -> list[str]:
    """What is set aside under a key; nothing where there is none."""
    async with call.shop.pool.connection() as connection:
        found = await statements.member(connection, member_id)
    hold = None if found is None else found.holds.get(key)
    return [] if hold is None else [part.asset for part in hold.parts]
