"""Activities (written by scripts/write_client.py)."""

from __future__ import annotations

from typing import Any, Literal

from shuke.client.shapes.activities import PageWaitingShown, ShukeWebApiActivitiesBatchShown
from shuke.client.shapes.shared import ActivityShown
from shuke.client.transport import Call, made


def ingest_activities(*, activities: list[dict[str, Any]]) -> Call[ShukeWebApiActivitiesBatchShown]:
    """Tell up to 10,000 activities of any kind at once, as JSON or with one on each line.

    Every activity has its own key, so this needs no ``Idempotency-Key``: tell what is not answered again, and what
    was
    settled before is ``repeated``. One that is refused or invalid hurts none of its neighbours, and the answer is
    200.
    They are settled in their order. Every 100 of them count as one request against the key's rate. Kinds that the
    engine knows (``order.paid``, ``asset.spent`` …) need that scope too (``orders:write``, ``points:write`` …).
    """
    return made("POST", "/v1/activities", body={"activities": activities})


def get_activity(activity_id: str) -> Call[ActivityShown]:
    """One activity as it was told, and what was answered."""
    return made("GET", "/v1/activities/{activity_id}", place={"activity_id": activity_id})


def list_waiting(
    *, state: Literal["waiting", "given_up"] | None = None, cursor: str | None = None, limit: int | None = None
) -> Call[PageWaitingShown]:
    """What was told by tracking of orders that are not there, the newest first: refunds, cancellations and deliveries
    that overtook their order.

    They are settled within seconds once the order has come, and are then no longer here. What is given up stays for
    30
    days, with the reason: the order did not come in three days, or what was told does not fit it.
    """
    return made("GET", "/v1/tracking/waiting", query={"state": state, "cursor": cursor, "limit": limit})
