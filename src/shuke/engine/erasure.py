"""Erasure: a person leaves for ever. What she had is ended by entries; nothing that tells who she was is kept.

    carts on hold                      are let go
    points, bonus, whatever else       is forfeited: it leaves her as expired
    principal of stored value          is paid out or waived, as told; without a word erasure is refused
    debts                              are forgiven
    coupons                            are voided; tiers end
    who was merged into her            is erased with her

The member stays under her id, with status ``erased`` and empty books, and everything told of her later is refused.
What the books keep of her log afterwards, and how it is proved, is in decision 13.
"""

from __future__ import annotations

from typing import Any

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.assets import Cause, post, take_from_lot
from shuke.engine.coupons import tell
from shuke.engine.effects import DEBT, EXPIRED, FORGIVEN, PAID_OUT, Effects, Refused, Settled, TierChanged
from shuke.engine.holds import let_all_go
from shuke.engine.identity import give_up
from shuke.engine.member import ERASED, Member, Purse
from shuke.engine.turn import Turn
from shuke.program.assets import AssetKind
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import NEVER

ANSWERS = ("paid_out", "waived")
"""What may become of the principal that is left."""


def erase(turn: Turn) -> Refused | None:
    """``member.erased``. Payload: ``stored_value`` (``paid_out`` or ``waived``) where principal is left.

    Nobody is erased in the past: a late fact is settled at the member's own time. Refused: ``value_left``.
    """
    member = turn.member
    if turn.now < member.now:
        turn.enter(member.now)
    said = (turn.activity.payload or {}).get("stored_value")
    for asset, purse in member.purses.items():
        left = purse.available + purse.pending + purse.held
        if left and said not in ANSWERS and _is_principal(turn, asset):
            return Refused("value_left", {"asset": asset, "amount": left})
    let_all_go(turn)
    for coupon in member.coupons.values():
        tell(turn, coupon, "voided")
    ended: dict[str, Any] = {}
    for asset, purse in member.purses.items():
        what, amount = _end(turn, asset, purse, said)
        if amount:
            ended.setdefault(what, {})[asset] = amount
    for ladder, tier in member.tiers.items():
        turn.effects.tiers.append(TierChanged(ladder, tier, None, turn.now, turn.now, "erased"))
    give_up(turn)
    turn.answer.update(ended)
    for entry in member.absorbed:  # the same person under other ids
        source, key = f"shuke:{turn.activity.source}", f"{turn.activity.key}:{entry.member_id}"
        turn.effects.activities.append(Activity(of.ERASED, entry.member_id, turn.now, source, key))
    _forget(member)
    return None


def _is_principal(turn: Turn, asset: str) -> bool:
    """Whether members paid money for the asset, in whichever version of the program."""
    editions = (edition for edition in turn.editions.compiled if asset in edition.assets)
    return any(edition.assets[asset].asset.kind is AssetKind.PRINCIPAL for edition in editions)


def _end(turn: Turn, asset: str, purse: Purse, said: str | None) -> tuple[str, int]:
    """Empty the purse; what became of its value, and how much it was."""
    if purse.debt:
        post(turn, asset, debit=FORGIVEN, credit=DEBT, amount=purse.debt, lot=0, cause=Cause("forgive"))
    what, cause, target = "forfeited", Cause("forfeit"), EXPIRED
    if _is_principal(turn, asset):
        if said == "paid_out":
            what, cause, target = "paid_out", Cause("pay_out"), PAID_OUT
        else:
            what, cause = "waived", Cause("waive")
    amount = 0
    for no in sorted({lot.no for lot in (*purse.lots, *purse.ripening)}):
        amount += take_from_lot(turn, asset, MAX_AMOUNT, no=no, target=target, cause=cause)
    return what, amount


def _forget(member: Member) -> None:
    """Nothing is left but the id, since when she was a member, and how many activities she had."""
    nobody = Member(member.id, member.joined_at)
    for name in Member.__struct_fields__:
        if name not in ("id", "joined_at", "now", "seq"):
            setattr(member, name, getattr(nobody, name))
    member.status = ERASED


def refuse(member: Member) -> Settled:
    """Whatever is told of an erased member: refused with ``member_erased``, and counted."""
    member.seq += 1
    member.due_at = NEVER
    return Settled(member, Effects(), {}, Refused("member_erased", {}))
