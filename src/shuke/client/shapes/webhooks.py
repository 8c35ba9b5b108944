"""Shapes of webhooks (written by scripts/write_client.py)."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NotRequired, TypedDict


class Again(TypedDict):
    """Which failed deliveries to try again: those of events that were made in this time."""

    since: str | datetime
    # Not told: now.
    until: NotRequired[str | datetime | None]


class DeliveryShown(TypedDict):
    """One event for one endpoint."""

    delivery_id: str
    endpoint_id: str
    # `webhook-id`: the same for every attempt and every endpoint.
    event_id: str
    topic: str
    state: Literal["waiting", "delivered", "failed"]
    # Since it was made, or last asked for by hand.
    attempts: int
    made_at: str
    next_attempt_at: str | None
    # The last attempt.
    tried_at: str | None
    # What it took.
    took_ms: int | None
    # The HTTP status it got; null: no answer.
    answered: int | None
    # What was wrong with it.
    trouble: str | None


class DeliveryWhole(TypedDict):
    """One event for one endpoint, with what is told."""

    delivery_id: str
    endpoint_id: str
    # `webhook-id`: the same for every attempt and every endpoint.
    event_id: str
    topic: str
    state: Literal["waiting", "delivered", "failed"]
    # Since it was made, or last asked for by hand.
    attempts: int
    made_at: str | datetime
    next_attempt_at: str | datetime | None
    # The last attempt.
    tried_at: str | datetime | None
    # What it took.
    took_ms: int | None
    # The HTTP status it got; null: no answer.
    answered: int | None
    # What was wrong with it.
    trouble: str | None
    # `type`, `timestamp` and `data`, as they are sent.
    event: dict[str, Any]


class EndpointChanged(TypedDict):
    """What is to change of an endpoint; what is left out stays."""

    url: NotRequired[str | None]
    topics: NotRequired[list[str] | None]
    description: NotRequired[str | None]
    form: NotRequired[Literal["standard", "cloudevents"] | None]


class EndpointMade(TypedDict):
    """An endpoint with its new signing secret, which is shown this once; null if the request is repeated."""

    endpoint_id: str
    url: str
    topics: list[str]
    description: str
    form: Literal["standard", "cloudevents"]
    status: Literal["enabled", "disabled"]
    # `by_hand`; `gone`: it answered 410; `failing`: nothing arrived for a day.
    disabled_why: Literal["by_hand", "gone", "failing"] | None
    # The first failure after the last success.
    failing_since: str | None
    # How long a secret before this one is signed with too.
    old_secret_until: str | None
    created_at: str
    secret: str | None


class EndpointShown(TypedDict):
    """A webhook endpoint."""

    endpoint_id: str
    url: str
    topics: list[str]
    description: str
    form: Literal["standard", "cloudevents"]
    status: Literal["enabled", "disabled"]
    # `by_hand`; `gone`: it answered 410; `failing`: nothing arrived for a day.
    disabled_why: Literal["by_hand", "gone", "failing"] | None
    # The first failure after the last success.
    failing_since: str | None
    # How long a secret before this one is signed with too.
    old_secret_until: str | None
    created_at: str


class EndpointTold(TypedDict):
    """An endpoint to be made."""

    url: str
    # Events by name, families of them ("order.*"), or "*" for all there are and will be.
    topics: list[str]
    # For people.
    description: NotRequired[str]
    # The envelope: that of Standard Webhooks (`type`, `timestamp`, `data`), or CloudEvents 1.0.
    form: NotRequired[Literal["standard", "cloudevents"]]


class PageDeliveryShown(TypedDict):
    """As told."""

    items: list[DeliveryShown]
    next: NotRequired[str | None]


class PageEndpointShown(TypedDict):
    """As told."""

    items: list[EndpointShown]
    next: NotRequired[str | None]


class PageTopicShown(TypedDict):
    """As told."""

    items: list[TopicShown]
    next: NotRequired[str | None]


class SecretRotated(TypedDict):
    """How long the old secret is still signed with."""

    old_secret_hours: NotRequired[int]


class TopicShown(TypedDict):
    """An event that endpoints can ask for."""

    topic: str
    # In the caller's language.
    title: str
    # JSON Schema of what stands under `data`.
    data_schema: dict[str, Any]


class TriedAgain(TypedDict):
    """How many deliveries are tried again."""

    deliveries: int
