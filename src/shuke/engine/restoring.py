"""One who was merged is herself again: as she was, with what is left of what she had (see ``merging``)."""

from __future__ import annotations

from base64 import b64decode
from bisect import insort
from typing import Any

from msgspec import convert

from shuke.engine.assets import Cause, post, purse_of, ripening_order
from shuke.engine.coupons import tell
from shuke.engine.effects import AVAILABLE, DEBT, PENDING, TRANSIT, LotOpened, Refused, TierChanged
from shuke.engine.identity import called
from shuke.engine.measures import add, uncount_start
from shuke.engine.member import Coupon, Identity, Lot, Member, unpack
from shuke.engine.orders import unpack_order
from shuke.engine.turn import Turn


def restore(turn: Turn) -> Refused | None:
    """``member.restored``: what is left arrives from the one she was merged into. Never refused.

    Payload: as ``absorbing.unmerge`` tells it. What has fallen due meanwhile is done behind this, each thing at its
    own instant; what has ended while it was not hers has ended there.
    """
    member, told = turn.member, turn.activity.payload or {}
    assert member.merged is not None, "only who was merged is restored"
    kept = unpack(member.merged.kept)
    for name in Member.__struct_fields__:
        if name not in ("id", "now", "seq"):
            setattr(member, name, getattr(kept, name))
    _value_comes(turn, told)
    for measure, day, amount, placed_at in told["counts"]:
        add(turn, measure, day, amount)
        for term in member.standings.values():
            uncount_start(turn, term, measure, day, -amount, placed_at=placed_at)
    member.carries = told["carries"].pop(member.id)
    for entry in member.absorbed:
        entry.carries = told["carries"][entry.member_id]
    coupons = convert(told["coupons"], list[Coupon])
    member.coupons = {coupon.id: coupon for coupon in coupons}
    for coupon in coupons:
        tell(turn, coupon, "issued")
    member.identities = convert(told["identities"], list[Identity])
    for identity in member.identities:
        turn.effects.identities.append(called(turn, identity))
    for packed in told["orders"]:
        order = unpack_order(b64decode(packed))
        turn.effects.orders[order.id] = order
        if order.adopted:  # of one who had been merged into her
            entry = next(found for found in member.absorbed if found.member_id == order.adopted[-1].member_id)
            if order.id not in entry.orders:
                entry.orders.append(order.id)
    for ladder, tier in member.tiers.items():
        standing = member.standings.get(ladder)
        until = turn.now if standing is None else standing.until
        turn.effects.tiers.append(TierChanged(ladder, None, tier, turn.now, until, "unmerged"))
    member.due_at = min(member.due_at, turn.now)
    return None


def _value_comes(turn: Turn, told: dict[str, Any]) -> None:
    cause = Cause("unmerge", None, None, {"from": told["from"]})
    for purse in turn.member.purses.values():
        purse.lots, purse.ripening = [], []
        purse.available = purse.pending = purse.debt = 0
    for asset, next_lot in told["next"].items():
        purse_of(turn.member, asset).next_lot = next_lot
    for asset, lots in told["lots"].items():
        purse, rules = purse_of(turn.member, asset), turn.rules_of(asset)
        for no, opened_at, ripens, expires_at, amount, ripe in lots:
            same = next((lot for lot in (purse.lots if ripe else purse.ripening) if lot.no == no), None)
            lot = same or Lot(no, opened_at, ripens, expires_at, 0)
            if same is None:
                insort(purse.lots if ripe else purse.ripening, lot, key=rules.lot_key if ripe else ripening_order)
                turn.effects.lots.append(LotOpened(asset, no, opened_at, ripens, expires_at))
            lot.amount += amount
            if ripe:
                purse.available += amount
            else:
                purse.pending += amount
            account = AVAILABLE if ripe else PENDING
            post(turn, asset, debit=TRANSIT, credit=account, amount=amount, lot=no, cause=cause)
    for asset, owed in told["debts"].items():
        purse_of(turn.member, asset).debt += owed
        post(turn, asset, debit=DEBT, credit=TRANSIT, amount=owed, lot=0, cause=cause)
