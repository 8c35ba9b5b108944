"""Two members turn out to be one person: merged, and unmerged where that was a mistake.

    member.merged    on the one who goes: all she has leaves her by entries, and she is no longer herself
    member.absorbed  in the inbox of the one who stays: it arrives, and her counters come along
    member.unmerged  on the one who stays: what is left of it leaves again, and her part of every counter
    member.restored  in the inbox of the one who went: she is who she was, with what is left

Each takes place in the transaction of its cause (decision 8), so there is no moment at which value is in nobody's
hands. Nothing is given for a merge, and no tier rises by what both add up to before something new happens: a merge by
mistake has nothing to take back. What a merge changed and could not be told from the survivor's own is in ``Was``; the
policy for all of it is in decision 15.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.assets import Cause, post
from shuke.engine.coupons import tell
from shuke.engine.effects import AVAILABLE, DEBT, PENDING, TRANSIT, Effects, Refused, Settled, TierChanged
from shuke.engine.identity import give_up
from shuke.engine.lifecycle import barred
from shuke.engine.member import ERASED, FROZEN, LEFT, MERGED, STRANGER, Member, Merged, pack
from shuke.engine.turn import Other, Turn
from shuke.values.amounts import MAX_AMOUNT
from shuke.values.instants import NEVER

MOST_ABSORBED = 50
"""The most members who can have been merged into one, one through another or side by side."""

MOST_BYTES = 262_144
"""The most that both members may take together, so that nobody becomes too big to be settled."""

SURVIVOR, GOING, HIGHEST = "survivor", "merged", "highest"
"""Words of a policy: whose value stays."""


def other_of(member: Member, *, kept: bool) -> Other:
    """What the other one of a merge must know of ``member``."""
    has = {asset: purse.available + purse.pending + purse.held for asset, purse in member.purses.items()}
    before = member.merged.kept if kept and member.merged is not None else b""
    return Other(member.status, len(member.absorbed), has, len(pack(member)), before)


# -- Merged -----------------------------------------------------------------------------------------------


def merge(turn: Turn) -> Refused | None:
    """``member.merged``: the member goes into another. Payload: ``into``, ``reason``, optional ``traits`` (whose value
    stays where both have one: survivor, merged), ``fields`` (by trait, the same), ``tiers`` (highest, survivor).

    Nobody is merged in the past: a late fact is settled at the member's own time. Refused: ``survivor_unknown``,
    ``merge_to_self``, ``reason_missing``, ``member_erased``, ``member_merged``,
    ``member_frozen``, ``member_left`` (of who goes), ``holds_open``, ``too_many_merged``,
    ``merge_too_large``, ``balance_too_large``.
    """
    member, payload = turn.member, turn.activity.payload or {}
    if turn.now < member.now:
        turn.enter(member.now)
    into = payload.get("into")
    refused = _unfit(turn, into)
    if refused is not None:
        return refused
    kept = pack(member)
    cause = Cause("merge", None, None, {"into": into})
    moved: dict[str, int] = {}
    for asset, purse in member.purses.items():
        for account, lots in ((AVAILABLE, purse.lots), (PENDING, purse.ripening)):
            for lot in lots:
                post(turn, asset, debit=account, credit=TRANSIT, amount=lot.amount, lot=lot.no, cause=cause)
        if purse.debt:
            post(turn, asset, debit=TRANSIT, credit=DEBT, amount=purse.debt, lot=0, cause=cause)
        if purse.available + purse.pending:
            moved[asset] = purse.available + purse.pending
    for coupon in member.coupons.values():
        tell(turn, coupon, "given")
    for ladder, tier in member.tiers.items():
        turn.effects.tiers.append(TierChanged(ladder, tier, None, turn.now, turn.now, "merged"))
    turn.answer.update(into=into, moved=moved, coupons=len(member.coupons))
    give_up(turn)
    _go(member, Merged(str(into), turn.now, kept))
    told = {name: payload[name] for name in ("traits", "fields", "tiers") if payload.get(name) is not None}
    _send(turn, of.ABSORBED, str(into), {"merged_member": member.id, "state": b64encode(kept).decode(), **told})
    return None


def _unfit(turn: Turn, into: Any) -> Refused | None:
    member, payload = turn.member, turn.activity.payload or {}
    other = turn.context.others.get(into) if isinstance(into, str) else None
    if into == member.id:
        return Refused("merge_to_self", {})
    if other is None or other.status == STRANGER:
        return Refused("survivor_unknown", {})
    if not payload.get("reason"):
        return Refused("reason_missing", {})
    if other.status == ERASED:
        return Refused("member_erased", {"member": into})
    if other.status == MERGED:
        return Refused("member_merged", {"member": into})
    if member.status in (FROZEN, LEFT):
        return barred(member)
    if member.holds:
        return Refused("holds_open", {"count": len(member.holds)})
    if other.absorbed + len(member.absorbed) >= MOST_ABSORBED:
        return Refused("too_many_merged", {"most": MOST_ABSORBED})
    if other.size + len(pack(member)) > MOST_BYTES:
        return Refused("merge_too_large", {"most": MOST_BYTES})
    for asset, purse in member.purses.items():
        if purse.available + purse.pending + other.has.get(asset, 0) > MAX_AMOUNT:
            return Refused("balance_too_large", {"asset": asset, "most": MAX_AMOUNT})
    return None


def _go(member: Member, merged: Merged) -> None:
    """Nothing is left of her but her id, how many activities she had, and who she was."""
    nobody = Member(member.id, member.joined_at, MERGED)
    for name in Member.__struct_fields__:
        if name not in ("id", "joined_at", "now", "seq"):
            setattr(member, name, getattr(nobody, name))
    member.merged, member.due_at = merged, NEVER


def _send(turn: Turn, type_: str, to: str, payload: dict[str, Any]) -> None:
    source, key = f"shuke:{turn.activity.source}", turn.activity.key
    turn.effects.activities.append(Activity(type_, to, turn.now, source, key, payload))


def refuse(member: Member) -> Settled:
    """Whatever is told of one who is merged, and did not find its way to whom she went into."""
    member.seq += 1
    member.due_at = NEVER
    return Settled(member, Effects(), {}, Refused("member_merged", {"member": member.id}))
