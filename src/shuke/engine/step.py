"""The heart: ``step(program, member, activity, context) → member, effects``.

Pure and deterministic: no clock, no chance, no environment. The member handed in is used up: whoever
needs her as she was before keeps a copy (``pack`` / ``unpack``).
"""

from __future__ import annotations

from collections.abc import Callable

from shuke.engine import (
    absorbing,
    adoption,
    assets,
    benefits,
    consents,
    coupons,
    earning,
    erasure,
    holds,
    identity,
    identity_moves,
    lifecycle,
    measures,
    merging,
    profile,
    purses,
    refunds,
    restoring,
    settling,
    spends,
    stored_value,
    tags,
    tiers,
    transfers,
    value_holds,
)
from shuke.engine import activity as of
from shuke.engine.activity import Activity
from shuke.engine.compiled import Editions
from shuke.engine.effects import Refused, Settled, Wanted
from shuke.engine.member import ERASED, MERGED, STRANGER, Member
from shuke.engine.turn import Context, Turn
from shuke.values.instants import NEVER, Instant

Act = Callable[[Turn], Refused | None]
Stage = Callable[[Turn], None]

ACTS: dict[str, Act] = {
    of.JOINED: profile.join,
    of.UPDATED: profile.update,
    of.ERASED: erasure.erase,
    of.FROZEN: lifecycle.freeze,
    of.UNFROZEN: lifecycle.unfreeze,
    of.LEFT: lifecycle.leave,
    of.RETURNED: lifecycle.come_back,
    of.DORMANT: lifecycle.told,
    of.WOKE: lifecycle.told,
    of.MERGED: merging.merge,
    of.ABSORBED: absorbing.absorb,
    of.UNMERGED: absorbing.unmerge,
    of.RESTORED: restoring.restore,
    of.PROFILE_COMPLETED: profile.complete,
    of.IDENTIFIED: identity.identify,
    of.IDENTITY_ADDED: identity.add,
    of.IDENTITY_REMOVED: identity.remove,
    of.TAGGED: tags.tag,
    of.UNTAGGED: tags.untag,
    of.CONSENT_GRANTED: consents.grant,
    of.CONSENT_WITHDRAWN: consents.withdraw,
    of.IDENTITY_MOVED: identity_moves.move,
    of.IDENTITY_RECEIVED: identity_moves.receive,
    of.IDENTITY_FINALIZED: identity_moves.finalize,
    of.ORDER_PAID: settling.pay,
    of.ORDER_COMPLETED: settling.complete,
    of.ORDER_REFUNDED: refunds.refund,
    of.ORDER_CANCELLED: refunds.cancel,
    of.ORDER_REOPENED: refunds.reopen,
    of.CART_HELD: holds.hold,
    of.CART_RELEASED: holds.release,
    of.ASSET_OPENED: transfers.open_balance,
    of.ASSET_ADJUSTED: transfers.adjust,
    of.ASSET_GRANTED: transfers.grant,
    of.ASSET_SPENT: spends.spend,
    of.ASSET_SPEND_REVERSED: spends.reverse,
    of.ASSET_HELD: value_holds.hold,
    of.ASSET_CAPTURED: value_holds.capture,
    of.ASSET_RELEASED: holds.release,
    of.ASSET_TRANSFERRED: transfers.send,
    of.ASSET_RECEIVED: transfers.receive,
    of.TOPPED_UP: stored_value.top_up,
    of.TOP_UP_REFUNDED: stored_value.refund_top_up,
    of.COUPON_ISSUED: coupons.issue,
    of.COUPON_CLAIMED: coupons.claim,
    of.COUPON_REDEEMED: coupons.redeem,
    of.COUPON_VOIDED: coupons.void,
    of.COUPON_GIVEN: coupons.give,
    of.COUPON_RECEIVED: coupons.receive,
    of.TIER_GRANTED: tiers.grant,
    of.TIER_REVOKED: tiers.revoke,
    of.TIERS_APPLIED: tiers.apply,
}
"""What an activity itself says. A type that is not here is custom: it can earn, count and trigger."""

PIPELINE: tuple[Stage, ...] = (
    measures.count,  # what this adds to spend, visits, nights …
    earning.earn,  # what the rules give for it
    tiers.rise,  # what that makes of her standing
    benefits.gift,  # what the new standing brings, once
)

_COUNTING: tuple[Stage, ...] = (measures.count,)
"""What follows for whom nothing is given: what happened is counted all the same."""

DUES: tuple[Stage, ...] = (
    holds.fall_due,  # carts not paid in time let go
    assets.fall_due,  # lots ripen, lots end
    coupons.fall_due,  # coupons end
    tags.fall_due,  # tags come off
    lifecycle.fall_due,  # who does nothing falls asleep
    tiers.fall_due,  # grants end, standings are reviewed
    benefits.gift,
)
"""What time does, in this order where several things fall on one instant."""

NEXT_DUE: tuple[Callable[[Turn], Instant], ...] = (
    holds.next_due,
    assets.next_due,
    coupons.next_due,
    tags.next_due,
    lifecycle.next_due,
    tiers.next_due,
    benefits.next_due,
)


_GONE = frozenset((ERASED, MERGED))
_OF_MERGED = frozenset((of.RESTORED, of.ERASED))
_OF_MERGES = frozenset((of.ABSORBED, of.UNMERGED, of.RESTORED))  # nothing is given for these


def step(program: Editions, member: Member, activity: Activity, context: Context | None = None) -> Settled:
    """Settle one activity for one member.

    First time catches up with the activity's instant; then the activity acts; then the pipeline follows.
    A refused activity changes nothing beyond what time did. A late activity (before ``member.now``) is
    settled under the edition and dates of its own instant.
    """
    if member.status == ERASED:
        return erasure.refuse(member)
    if member.status == MERGED and activity.type not in _OF_MERGED:
        return merging.refuse(member)
    turn = Turn(program, member, activity, context or Context())
    if turn.context.orders:
        turn.context.orders = adoption.at_hand(activity, turn.context.orders)
    is_new = member.status == STRANGER
    if is_new:
        profile.welcome(turn)
    if program.changes and member.seq > 0:
        member.due_at = min(member.due_at, program.next_change(member.now))  # also of a version she has not met
    if member.due_at <= activity.occurred_at:
        catch_up(turn, activity.occurred_at)
        turn.enter(activity.occurred_at)
    act = ACTS.get(activity.type)
    refused = identity.nobody(turn) or lifecycle.refuse_spending(turn)
    if refused is None and act is not None:
        refused = act(turn)
    if is_new and (refused is not None or activity.type == of.TIME_PASSED):
        member.status = STRANGER
    if refused is None and member.status not in _GONE:
        if activity.type not in _OF_MERGES:
            identity.recognise(turn)
            for stage in PIPELINE if lifecycle.earns(turn) else _COUNTING:
                stage(turn)
            lifecycle.stay_awake(turn)
        announce(turn)
        if member.absorbed:
            adoption.remember(turn)
    if activity.occurred_at > member.now:
        member.now = activity.occurred_at
    elif activity.occurred_at < member.now:
        turn.enter(member.now)  # what is still to come is not for the edition of a late fact to say
    member.seq += 1
    schedule(turn)
    if member.due_at <= member.now:  # a late fact brought value that has already ended
        catch_up(turn, member.now)
    if "lots" in turn.answer:
        purses.tell(turn)
    if turn.effects.wanted:
        announced = turn.program.announced
        turn.effects.wanted = [wanted for wanted in turn.effects.wanted if wanted.topic in announced]
    return Settled(member, turn.effects, turn.answer, refused)


def announce(turn: Turn) -> None:
    """Tell whoever listens that an order was settled, where the program asks for it."""
    if turn.order is not None and "order.settled" in turn.program.announced:
        body = {"order_id": turn.order.id, "status": turn.order.status, **turn.answer}
        turn.effects.wanted.append(Wanted("order.settled", body, turn.now))


def catch_up(turn: Turn, until: Instant) -> None:
    """Let everything happen that time alone brings, each thing at its own instant, up to ``until``."""
    member = turn.member
    last = 0
    turn.due = True
    while member.due_at <= until:
        due = member.due_at
        turn.enter(due)
        for fall_due in DUES:
            fall_due(turn)
        if due > member.now:
            member.now = due
        schedule(turn)
        if member.due_at <= due and last == due:
            raise AssertionError(f"what fell due at {due} is still due")
        last = due
    turn.due = False


def schedule(turn: Turn) -> None:
    """The earliest instant at which something will happen to the member by itself: also that another version
    of the program comes into force, which may see her dates otherwise. Nothing happens to one who is gone."""
    if turn.member.status in _GONE:
        turn.member.due_at = NEVER
        return
    due = turn.editions.next_change(max(turn.now, turn.member.now))
    for next_due in NEXT_DUE:
        at = next_due(turn)
        if at < due:
            due = at
    turn.member.due_at = due
