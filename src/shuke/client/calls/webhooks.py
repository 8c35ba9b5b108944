"""Webhooks (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from shuke.client.shapes.webhooks import (
    DeliveryShown,
    DeliveryWhole,
    EndpointMade,
    EndpointShown,
    PageDeliveryShown,
    PageEndpointShown,
    PageTopicShown,
    TriedAgain,
)
from shuke.client.transport import Call, made


def list_events() -> Call[PageTopicShown]:
    """Every event there is, with the JSON Schema of what it says. All of them stand on one page."""
    return made("GET", "/v1/webhooks/events")


def create_endpoint(
    *,
    url: str,
    topics: list[str],
    description: str | None = None,
    form: Literal["standard", "cloudevents"] | None = None,
    idempotency_key: str | None = None,
) -> Call[EndpointMade]:
    """Make an endpoint, and its signing secret.

    It is told of what is settled from now on. URLs are https and lead to public addresses, unless the server was
    started to allow others.
    """
    return made(
        "POST",
        "/v1/webhooks/endpoints",
        body={"url": url, "topics": topics, "description": description, "form": form},
        once=idempotency_key or True,
    )


def list_endpoints(*, cursor: str | None = None, limit: int | None = None) -> Call[PageEndpointShown]:
    """All endpoints, in the order in which they were made."""
    return made("GET", "/v1/webhooks/endpoints", query={"cursor": cursor, "limit": limit})


def get_endpoint(endpoint_id: str) -> Call[EndpointShown]:
    """One endpoint: what it is told of, and whether that arrives."""
    return made("GET", "/v1/webhooks/endpoints/{endpoint_id}", place={"endpoint_id": endpoint_id})


def change_endpoint(
    endpoint_id: str,
    *,
    url: str | None = None,
    topics: list[str] | None = None,
    description: str | None = None,
    form: Literal["standard", "cloudevents"] | None = None,
    idempotency_key: str | None = None,
) -> Call[EndpointShown]:
    """Change where an endpoint is, what it is told of, or in which envelope. What waits goes where it is now."""
    return made(
        "PATCH",
        "/v1/webhooks/endpoints/{endpoint_id}",
        place={"endpoint_id": endpoint_id},
        body={"url": url, "topics": topics, "description": description, "form": form},
        once=idempotency_key or True,
    )


def remove_endpoint(endpoint_id: str, *, idempotency_key: str | None = None) -> Call[EndpointShown]:
    """Remove an endpoint with all its deliveries; the answer shows what it was."""
    return made(
        "DELETE",
        "/v1/webhooks/endpoints/{endpoint_id}",
        place={"endpoint_id": endpoint_id},
        once=idempotency_key or True,
    )


def disable_endpoint(endpoint_id: str, *, idempotency_key: str | None = None) -> Call[EndpointShown]:
    """Tell an endpoint of nothing more. What waits for it has failed; what happens meanwhile is not kept for it."""
    return made(
        "POST",
        "/v1/webhooks/endpoints/{endpoint_id}/disable",
        place={"endpoint_id": endpoint_id},
        once=idempotency_key or True,
    )


def enable_endpoint(endpoint_id: str, *, idempotency_key: str | None = None) -> Call[EndpointShown]:
    """Tell an endpoint again of what happens from now on. What failed before is asked for with ``redeliver``."""
    return made(
        "POST",
        "/v1/webhooks/endpoints/{endpoint_id}/enable",
        place={"endpoint_id": endpoint_id},
        once=idempotency_key or True,
    )


def rotate_secret(
    endpoint_id: str, *, old_secret_hours: int | None = None, idempotency_key: str | None = None
) -> Call[EndpointMade]:
    """Make a new signing secret. Until the old one ends, requests carry a signature of each."""
    return made(
        "POST",
        "/v1/webhooks/endpoints/{endpoint_id}/rotate",
        place={"endpoint_id": endpoint_id},
        body={"old_secret_hours": old_secret_hours},
        once=idempotency_key or True,
    )


def ping_endpoint(endpoint_id: str, *, idempotency_key: str | None = None) -> Call[DeliveryShown]:
    """Send a test event, ``webhook.ping``, also to a disabled endpoint. It is tried once; ask for the delivery to see
    what became of it.
    """
    return made(
        "POST",
        "/v1/webhooks/endpoints/{endpoint_id}/ping",
        place={"endpoint_id": endpoint_id},
        once=idempotency_key or True,
    )


def list_deliveries(
    endpoint_id: str,
    *,
    state: Literal["waiting", "delivered", "failed"] | None = None,
    topic: str | None = None,
    cursor: str | None = None,
    limit: int | None = None,
) -> Call[PageDeliveryShown]:
    """What became of the events for this endpoint, the newest first. Kept for 30 days."""
    return made(
        "GET",
        "/v1/webhooks/endpoints/{endpoint_id}/deliveries",
        place={"endpoint_id": endpoint_id},
        query={"state": state, "topic": topic, "cursor": cursor, "limit": limit},
    )


def get_delivery(delivery_id: str) -> Call[DeliveryWhole]:
    """One delivery, with the event."""
    return made("GET", "/v1/webhooks/deliveries/{delivery_id}", place={"delivery_id": delivery_id})


def redeliver(delivery_id: str, *, idempotency_key: str | None = None) -> Call[DeliveryShown]:
    """Deliver an event again, arrived or not, at once and from there on like a new one. ``webhook-id`` stays."""
    return made(
        "POST",
        "/v1/webhooks/deliveries/{delivery_id}/redeliver",
        place={"delivery_id": delivery_id},
        once=idempotency_key or True,
    )


def redeliver_failed(
    endpoint_id: str, *, since: str | datetime, until: str | datetime | None = None, idempotency_key: str | None = None
) -> Call[TriedAgain]:
    """Deliver again what failed in this time, test events aside: up to 10,000 at once, the oldest first."""
    return made(
        "POST",
        "/v1/webhooks/endpoints/{endpoint_id}/redeliver",
        place={"endpoint_id": endpoint_id},
        body={"since": since, "until": until},
        once=idempotency_key or True,
    )
