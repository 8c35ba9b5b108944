"""The life of a membership: active, dormant, frozen, left. (Erased is another matter: see ``erasure``.)

    active  → dormant   by the clock, after a time without anything of her own; the program says how long
    dormant → active    by the next thing she does
    any     → frozen    by somebody's hand, with a reason; → active by hand
    any     → left      she leaves; → active when she returns

Who is frozen or has left keeps all she has, and it ends by its dates as ever. Whether she earns and spends meanwhile,
the program says of who is frozen; who has left does neither. What was put on hold before is still paid: it was
promised.
Falling asleep and waking are activities of the house behind what brought them about, so that rules can answer them.
"""

from __future__ import annotations

from typing import Final

from shuke.engine import activity as of
from shuke.engine.activity import Activity, Purchase
from shuke.engine.effects import Refused
from shuke.engine.member import ACTIVE, DORMANT, FROZEN, LEFT, Member
from shuke.engine.turn import Turn
from shuke.program.profile import Profile
from shuke.values.instants import NEVER, Instant
from shuke.values.periods import Period, add

_SPENDING: Final = frozenset(
    (
        *(of.CART_HELD, of.ASSET_SPENT, of.ASSET_HELD, of.ASSET_TRANSFERRED),
        *(of.COUPON_CLAIMED, of.COUPON_REDEEMED, of.COUPON_GIVEN),
    )
)
_NOT_HERS: Final = frozenset(
    (
        *(of.TIME_PASSED, of.PROFILE_COMPLETED, of.CONSENT_GRANTED, of.CONSENT_WITHDRAWN),
        *(of.IDENTITY_ADDED, of.IDENTITY_REMOVED, of.IDENTITY_MOVED, of.IDENTITY_RECEIVED, of.IDENTITY_FINALIZED),
        *(of.ORDER_COMPLETED, of.ORDER_REFUNDED, of.ORDER_CANCELLED, of.ORDER_REOPENED, of.CART_RELEASED),
        *(of.ASSET_OPENED, of.ASSET_ADJUSTED, of.ASSET_GRANTED, of.ASSET_SPEND_REVERSED, of.ASSET_RELEASED),
        *(of.ASSET_RECEIVED, of.TOP_UP_REFUNDED, of.COUPON_ISSUED, of.COUPON_VOIDED, of.COUPON_RECEIVED),
        *(of.TIER_GRANTED, of.TIER_REVOKED, of.TIERS_APPLIED),
    )
)
"""What others do to her, or time does. Of the family ``member.`` only joining and returning are hers."""


class LifeRules:
    """What a program says of who does nothing, and of who is frozen."""

    __slots__ = ("awake_by", "dormant_after", "frozen_earns", "frozen_spends")

    def __init__(self, profile: Profile) -> None:
        dormancy = profile.dormancy
        self.dormant_after = None if dormancy is None else Period.parse(dormancy.after)
        self.awake_by = frozenset(() if dormancy is None else dormancy.on)
        self.frozen_earns, self.frozen_spends = profile.frozen.earn, profile.frozen.spend

    def is_hers(self, activity: Activity) -> bool:
        """Whether the activity is something she did, so that she is not asleep."""
        type_ = activity.type
        if self.awake_by:
            return type_ in self.awake_by
        if type_.startswith(("member.", "told.")):
            return type_ in (of.JOINED, of.RETURNED)
        return type_ not in _NOT_HERS


# -- By hand ----------------------------------------------------------------------------------------------


def freeze(turn: Turn) -> Refused | None:
    """``member.frozen``. Payload: ``reason``. Refused: ``reason_missing``, ``member_frozen``, ``member_left``."""
    reason = (turn.activity.payload or {}).get("reason")
    if not reason:
        return Refused("reason_missing", {})
    if turn.member.status in (FROZEN, LEFT):
        return barred(turn.member)
    _become(turn, FROZEN, str(reason))
    return None


def unfreeze(turn: Turn) -> Refused | None:
    """``member.unfrozen``. Payload: optional ``reason``. Refused: ``not_frozen``."""
    if turn.member.status != FROZEN:
        return Refused("not_frozen", {})
    _become(turn, ACTIVE)
    return None


def leave(turn: Turn) -> Refused | None:
    """``member.left``. Payload: optional ``reason``. Refused: ``member_left`` (before)."""
    if turn.member.status == LEFT:
        return barred(turn.member)
    _become(turn, LEFT, str((turn.activity.payload or {}).get("reason") or ""))
    return None


def come_back(turn: Turn) -> Refused | None:
    """``member.returned``. Payload: optional ``reason``. Refused: ``not_left``."""
    if turn.member.status != LEFT:
        return Refused("not_left", {})
    _become(turn, ACTIVE)
    return None


def told(turn: Turn) -> Refused | None:
    """``member.dormant`` and ``member.woke``: of the house itself, behind the change. What they bring is for rules."""
    return None


def _become(turn: Turn, status: str, why: str = "") -> None:
    member = turn.member
    member.status, member.status_since, member.status_why = status, turn.now, why
    if status == ACTIVE and turn.program.life.dormant_after is not None:
        member.awake_at = max(member.awake_at, turn.now)  # who is let in again has not slept meanwhile


def barred(member: Member) -> Refused:
    """``member_frozen`` or ``member_left``."""
    if member.status == FROZEN:
        return Refused("member_frozen", {"since": member.status_since})
    return Refused("member_left", {"since": member.status_since})


# -- What the others may not ------------------------------------------------------------------------------


def earns(turn: Turn) -> bool:
    """Whether rules give the member anything."""
    status = turn.member.status
    return status != LEFT and (status != FROZEN or turn.program.life.frozen_earns)


def refuse_spending(turn: Turn, purchase: Purchase | None = None) -> Refused | None:
    """``member_frozen``, ``member_left``: where the activity (or the cart of a quote) would use what she has."""
    member = turn.member
    if member.status not in (FROZEN, LEFT) or (member.status == FROZEN and turn.program.life.frozen_spends):
        return None
    if purchase is not None:
        return barred(member) if _uses(purchase) else None
    activity = turn.activity
    if activity.type in _SPENDING:
        return barred(member)
    paid = activity.purchase if activity.type == of.ORDER_PAID else None
    return barred(member) if paid is not None and paid.hold is None and _uses(paid) else None


def _uses(purchase: Purchase) -> bool:
    uses = purchase.uses
    return uses is not None and bool(uses.coupons or uses.points or uses.stored_value)


# -- By the clock -----------------------------------------------------------------------------------------


def dormant_at(turn: Turn) -> Instant:
    """When the member falls asleep if she does nothing more; NEVER where the program knows no sleep.

    Who is met for the first time by a program that does counts from the day it came into force, so that nobody sleeps
    on the day it is published.
    """
    period, member = turn.program.life.dormant_after, turn.member
    if period is None:
        return NEVER
    if member.awake_at == 0:
        member.awake_at = max(member.joined_at, turn.program.effective_from)
    calendar = turn.program.calendar
    return calendar.day_start(add(calendar.day(member.awake_at), period))


def stay_awake(turn: Turn) -> None:
    """What she does keeps her awake, and wakes her."""
    rules, member = turn.program.life, turn.member
    if rules.dormant_after is None or not rules.is_hers(turn.activity):
        return
    member.awake_at = max(member.awake_at, turn.now)
    if member.status == DORMANT and dormant_at(turn) > max(member.now, turn.now):
        _become(turn, ACTIVE)
        _send_to_own_inbox(turn, of.WOKE)


def fall_due(turn: Turn) -> None:
    """Who has done nothing for too long falls asleep."""
    if turn.member.status == ACTIVE and dormant_at(turn) <= turn.now:
        _become(turn, DORMANT)
        _send_to_own_inbox(turn, of.DORMANT)


def next_due(turn: Turn) -> Instant:
    """When she falls asleep if she does nothing more."""
    if turn.program.life.dormant_after is None or turn.member.status != ACTIVE:
        return NEVER
    return max(dormant_at(turn), turn.now + 1)  # what time has brought by now has been done


def _send_to_own_inbox(turn: Turn, type_: str) -> None:
    activity = turn.activity
    turn.effects.activities.append(
        Activity(
            type=type_,
            member_id=turn.member.id,
            occurred_at=turn.now,
            source=f"shuke:{activity.source}",
            key=f"{type_}:{turn.now}:{activity.key}",
        )
    )
