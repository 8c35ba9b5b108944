"""Types of activities: those the engine itself knows, and those that look as if they were meant to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from shuke.program.problems import Problem, closest, problem, warning

KNOWN: Final = (
    "member.joined",
    "member.updated",
    "member.identified",
    "identity.added",
    "identity.removed",
    "identity.moved",
    "identity.received",
    "identity.finalized",
    "member.erased",
    "member.frozen",
    "member.unfrozen",
    "member.left",
    "member.returned",
    "member.dormant",
    "member.woke",
    "member.tagged",
    "member.untagged",
    "member.merged",
    "member.absorbed",
    "member.unmerged",
    "member.restored",
    "profile.completed",
    "consent.granted",
    "consent.withdrawn",
    "order.paid",
    "order.completed",
    "order.refunded",
    "order.cancelled",
    "order.reopened",
    "cart.held",
    "cart.released",
    "asset.opened",
    "asset.adjusted",
    "asset.granted",
    "asset.spent",
    "asset.spend_reversed",
    "asset.held",
    "asset.captured",
    "asset.released",
    "asset.transferred",
    "asset.received",
    "stored_value.topped_up",
    "stored_value.refunded",
    "coupon.issued",
    "coupon.claimed",
    "coupon.redeemed",
    "coupon.voided",
    "coupon.given",
    "coupon.received",
    "tier.granted",
    "tier.revoked",
    "tiers.applied",
    "time.passed",
)
"""As in ``shuke.engine.activity``. Any other type is the merchant's own."""

_TYPE: Final = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*")


def check_trigger(path: str, trigger: str) -> Iterator[Problem]:
    """A type that is badly formed, or one letter away from one that the engine knows."""
    if not _TYPE.fullmatch(trigger):
        mended = re.sub(r"[^a-z0-9_.]+", "_", trigger.lower()).strip("_.")
        yield problem(path, "bad_trigger", mended if _TYPE.fullmatch(mended) else None, trigger=trigger)
    elif trigger not in KNOWN and trigger.split(".")[0] in _FAMILIES and (near := closest(trigger, KNOWN)):
        yield warning(path, "looks_like:trigger", near, trigger=trigger, near=near)


_FAMILIES: Final = frozenset(name.split(".")[0] for name in KNOWN) - {"member"}
