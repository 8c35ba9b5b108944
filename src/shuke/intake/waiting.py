"""What overtook its order waits for it: settled once the order has come, given up if it does not come.

    told too early → waiting ──its order came──► settled (or refused: given up, and why)
                        └──────PATIENCE is over──► given up: order_unknown

Settling comes first and forgetting that it waited second, each in its own transaction. Who is stopped in between
settles it again, and exactly once: the activity has the key it was told under.
"""

from __future__ import annotations

from typing import Final

import structlog

from shuke.books import tracking, waiting
from shuke.books.waiting import GivenUp, Waiting
from shuke.engine.activity import Activity
from shuke.intake.ecommerce import Money, about_order
from shuke.replay.history.checks import Refusal
from shuke.runtime.clock import now
from shuke.runtime.settle import Answer
from shuke.runtime.shop import Shop
from shuke.runtime.work import Round
from shuke.values.instants import DAY, Instant

log = structlog.get_logger()

PATIENCE: Final = 3 * DAY
"""So long is an order waited for: whoever sends it tries for hours, and a weekend may lie in between."""

WAITING_MOST: Final = 10_000
"""About so many may wait in all books of a tenant; what comes then is refused at once."""

_TOGETHER: Final = 200
_LOOK_SECONDS: Final = 2.0


async def settle_waiting(shop: Shop, *, now: Instant, most: int = _TOGETHER) -> int:
    """Settle what has its order by now, and give up what has waited too long; returns how many of both."""
    async with shop.pool.connection() as connection:
        found = await waiting.come(connection, most=most)
        lost = await waiting.overdue(connection, before=now - PATIENCE, most=most)
    ends: list[tuple[str, GivenUp | None]] = [
        (one.id, GivenUp("order_unknown", {"order_id": one.early.order_id})) for one in lost
    ]
    if found:
        ends += await _settle(shop, found)
    if not ends:
        return 0
    refused = [(id_, why) for id_, why in ends if why is not None]
    for _, why in refused:
        log.warning("tracking.given_up", code=why.code)
    async with shop.pool.connection() as connection:
        await waiting.done(connection, [id_ for id_, why in ends if why is None])
        await waiting.give_up(connection, refused, now=now)
    log.info("tracking.settled_late", settled=len(ends) - len(refused), given_up=len(refused))
    return len(ends)


async def _settle(shop: Shop, found: list[Waiting]) -> list[tuple[str, GivenUp | None]]:
    """Each (by id) with why it is given up; None: it is settled."""
    program = await shop.program()
    money = Money(program.currency, program.scale)
    async with shop.pool.connection() as connection:
        pairs = {(one.early.member_id, one.early.order_id) for one in found}
        purchases = await tracking.purchases(connection, pairs)
    ends: list[tuple[str, GivenUp | None]] = []
    settling: list[tuple[Waiting, Activity]] = []
    for one in found:
        early = one.early
        try:
            payload = about_order(early.type, early.told, money, purchases.get((early.member_id, early.order_id)))
        except Refusal as refusal:
            ends.append((one.id, GivenUp(refusal.code, reason=refusal.reason)))
            continue
        activity = Activity(early.type, early.member_id, early.occurred_at, one.source, early.key, payload)
        settling.append((one, activity))
    answers = await shop.settler.settle(
        [activity for _, activity in settling], requests=[one.early.request for one, _ in settling]
    )
    ends += [(one.id, _why(answer)) for (one, _), answer in zip(settling, answers, strict=True)]
    return ends


def _why(answer: Answer) -> GivenUp | None:
    return None if answer.status == "settled" else GivenUp(answer.code or "", answer.facts)


def rounds(shop: Shop) -> Round:
    """The waiting as work that repeats: a round, and then how many seconds until the next one."""

    async def round_() -> float:
        return 0.0 if await settle_waiting(shop, now=now()) else _LOOK_SECONDS

    return round_
