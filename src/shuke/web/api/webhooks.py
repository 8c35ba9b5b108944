"""Webhooks: endpoints that are told of events, their secrets, and what became of each delivery."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from pydantic import AfterValidator, Field
from starlette.responses import Response

from shuke.books import deliveries, webhooks
from shuke.books.deliveries import Delivery, State
from shuke.books.load import Connection
from shuke.books.webhooks import Endpoint, Form, Secret, Status, Why
from shuke.outreach.addresses import NotAllowed, check_url
from shuke.outreach.envelopes import in_force, new_secret, rotated
from shuke.outreach.webhooks import KEPT, ping_of
from shuke.runtime.catalogue import PATTERNS, PING, TOPICS, schema_of
from shuke.runtime.clock import now
from shuke.values.instants import HOUR, Instant
from shuke.web.api import contract
from shuke.web.api.callers import Call, reading, writing
from shuke.web.api.contract import Id, Moment, Page, Shown, ShownMoment, Told
from shuke.web.api.problems import Problem, documented
from shuke.web.api.routes import doors

router = doors("Webhooks")

MOST_ENDPOINTS = 50
AGAIN_MOST = 10_000
_OLD_SECRET_HOURS = 24

Cursor = Annotated[contract.Line, Query(description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=200)]

_URLS = (
    "address_not_public",
    "url_invalid",
    "url_not_https",
    "url_too_long",
    "url_with_credentials",
    "url_with_fragment",
)


def _known(topics: list[str]) -> list[str]:
    unknown = [topic for topic in topics if topic not in PATTERNS]
    if unknown:
        raise ValueError(f"{unknown[0]} is no event; GET /v1/webhooks/events lists them")
    return sorted(set(topics))


Topics = Annotated[
    list[str],
    Field(
        min_length=1,
        max_length=100,
        description='Events by name, families of them ("order.*"), or "*" for all there are and will be.',
        examples=[["order.*", "tier.raised"]],
    ),
    AfterValidator(_known),
]
Url = Annotated[str, Field(min_length=1, max_length=2000, examples=["https://erp.example.com/hooks/shuke"])]


# -- What is told and shown -------------------------------------------------------------------------------


class EndpointTold(Told):
    """An endpoint to be made."""

    url: Url
    topics: Topics
    description: contract.Line = Field(default="", description="For people.", examples=["ERP"])
    form: Form = Field(
        default="standard",
        description="The envelope: that of Standard Webhooks (`type`, `timestamp`, `data`), or CloudEvents 1.0.",
    )


class EndpointChanged(Told):
    """What is to change of an endpoint; what is left out stays."""

    url: Url | None = None
    topics: Topics | None = None
    description: contract.Line | None = None
    form: Form | None = None


class SecretRotated(Told):
    """How long the old secret is still signed with."""

    old_secret_hours: int = Field(default=_OLD_SECRET_HOURS, ge=0, le=168)


class Again(Told):
    """Which failed deliveries to try again: those of events that were made in this time."""

    since: Moment
    until: Moment | None = Field(default=None, description="Not told: now.")


class EndpointShown(Shown):
    """A webhook endpoint."""

    endpoint_id: str = Field(examples=["whe_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    url: str
    topics: list[str]
    description: str
    form: Form
    status: Status
    disabled_why: Why | None = Field(
        description="`by_hand`; `gone`: it answered 410; `failing`: nothing arrived for a day."
    )
    failing_since: ShownMoment | None = Field(description="The first failure after the last success.")
    old_secret_until: ShownMoment | None = Field(description="How long a secret before this one is signed with too.")
    created_at: ShownMoment


class EndpointMade(EndpointShown):
    """An endpoint with its new signing secret, which is shown this once; null if the request is repeated."""

    secret: str | None = Field(examples=["whsec_…"])


class DeliveryShown(Shown):
    """One event for one endpoint."""

    delivery_id: str = Field(examples=["dlv_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    endpoint_id: str
    event_id: str = Field(description="`webhook-id`: the same for every attempt and every endpoint.")
    topic: str
    state: State
    attempts: int = Field(description="Since it was made, or last asked for by hand.")
    made_at: ShownMoment
    next_attempt_at: ShownMoment | None
    tried_at: ShownMoment | None = Field(description="The last attempt.")
    took_ms: int | None = Field(description="What it took.")
    answered: int | None = Field(description="The HTTP status it got; null: no answer.")
    trouble: str | None = Field(description="What was wrong with it.", examples=["timeout"])


class DeliveryWhole(DeliveryShown):
    """One event for one endpoint, with what is told."""

    event: dict[str, Any] = Field(description="`type`, `timestamp` and `data`, as they are sent.")


class TriedAgain(Shown):
    """How many deliveries are tried again."""

    deliveries: int


class TopicShown(Shown):
    """An event that endpoints can ask for."""

    topic: str = Field(examples=["order.settled"])
    title: str = Field(description="In the caller's language.")
    data_schema: dict[str, Any] = Field(description="JSON Schema of what stands under `data`.")


def endpoint_shown(endpoint: Endpoint, *, at: Instant) -> EndpointShown:
    """The endpoint without its secrets."""
    untils = [secret.until for secret in in_force(endpoint.secrets, now=at) if secret.until is not None]
    return EndpointShown(
        endpoint_id=endpoint.id,
        url=endpoint.url,
        topics=endpoint.topics,
        description=endpoint.description,
        form=endpoint.form,
        status=endpoint.status,
        disabled_why=endpoint.disabled_why,
        failing_since=endpoint.failing_since,
        old_secret_until=max(untils, default=None),
        created_at=endpoint.created_at,
    )


def _made(endpoint: Endpoint, *, at: Instant) -> EndpointMade:
    return EndpointMade(**dict(endpoint_shown(endpoint, at=at)), secret=endpoint.secrets[0].secret)


def delivery_shown(delivery: Delivery) -> DeliveryShown:
    """The delivery without its event."""
    return DeliveryShown(**_fields(delivery))


def _fields(delivery: Delivery) -> dict[str, Any]:
    return {
        "delivery_id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "topic": delivery.topic,
        "state": delivery.state,
        "attempts": delivery.attempts,
        "made_at": delivery.made_at,
        "next_attempt_at": delivery.due_at,
        "tried_at": delivery.tried_at,
        "took_ms": delivery.took_ms,
        "answered": delivery.answered,
        "trouble": delivery.trouble,
    }


# -- Events -----------------------------------------------------------------------------------------------


@router.get("/webhooks/events", responses=documented())
async def list_events(call: Annotated[Call, reading("webhooks:read")]) -> Page[TopicShown]:
    """Every event there is, with the JSON Schema of what it says. All of them stand on one page."""
    return Page(
        items=[
            TopicShown(topic=name, title=topic.title[call.locale], data_schema=schema_of(topic))
            for name, topic in TOPICS.items()
        ]
    )


# -- Endpoints --------------------------------------------------------------------------------------------


@router.post(
    "/webhooks/endpoints",
    status_code=201,
    response_model=EndpointMade,
    responses=documented(*_URLS, "too_many_endpoints", writing=True),
)
async def create_endpoint(told: EndpointTold, call: Annotated[Call, writing("webhooks:write")]) -> Response:
    """Make an endpoint, and its signing secret.

    It is told of what is settled from now on. URLs are https and lead to public addresses, unless the server was
    started to allow others.
    """
    at = now()
    endpoint = Endpoint(
        webhooks.new_id("whe"),
        told.url,
        told.description,
        told.topics,
        told.form,
        [Secret(new_secret())],
        "enabled",
        None,
        at,
        None,
    )

    async def act(connection: Connection) -> EndpointMade:
        _check(call, told.url)
        if await webhooks.count_endpoints(connection) >= MOST_ENDPOINTS:
            raise Problem("too_many_endpoints", most=MOST_ENDPOINTS)
        await webhooks.add_endpoint(connection, endpoint)
        return _made(endpoint, at=at)

    return await call.once(act, hidden=("secret",))


@router.get("/webhooks/endpoints", responses=documented())
async def list_endpoints(
    call: Annotated[Call, reading("webhooks:read")], cursor: Cursor = "", limit: Limit = 50
) -> Page[EndpointShown]:
    """All endpoints, in the order in which they were made."""
    async with call.shop.pool.connection() as connection:
        found = await webhooks.endpoints(connection, after=cursor, most=limit + 1)
    items = [endpoint_shown(endpoint, at=now()) for endpoint in found[:limit]]
    return Page(items=items, next=items[-1].endpoint_id if len(found) > limit else None)


@router.get("/webhooks/endpoints/{endpoint_id}", responses=documented("not_found"))
async def get_endpoint(endpoint_id: Id, call: Annotated[Call, reading("webhooks:read")]) -> EndpointShown:
    """One endpoint: what it is told of, and whether that arrives."""
    async with call.shop.pool.connection() as connection:
        return endpoint_shown(await _there(connection, endpoint_id, lock=False), at=now())


@router.patch(
    "/webhooks/endpoints/{endpoint_id}",
    response_model=EndpointShown,
    responses=documented("not_found", *_URLS, writing=True),
)
async def change_endpoint(
    endpoint_id: Id, told: EndpointChanged, call: Annotated[Call, writing("webhooks:write")]
) -> Response:
    """Change where an endpoint is, what it is told of, or in which envelope. What waits goes where it is now."""

    async def act(connection: Connection) -> EndpointShown:
        if told.url is not None:
            _check(call, told.url)
        endpoint = await _there(connection, endpoint_id)
        for name, value in told.model_dump(exclude_none=True).items():
            setattr(endpoint, name, value)
        await webhooks.change_endpoint(connection, endpoint)
        return endpoint_shown(endpoint, at=now())

    return await call.once(act, status=200)


@router.delete(
    "/webhooks/endpoints/{endpoint_id}",
    response_model=EndpointShown,
    responses=documented("not_found", writing=True),
)
async def remove_endpoint(endpoint_id: Id, call: Annotated[Call, writing("webhooks:write")]) -> Response:
    """Remove an endpoint with all its deliveries; the answer shows what it was."""

    async def act(connection: Connection) -> EndpointShown:
        endpoint = await _there(connection, endpoint_id)
        await webhooks.remove_endpoint(connection, endpoint_id)
        return endpoint_shown(endpoint, at=now())

    return await call.once(act, status=200)


@router.post(
    "/webhooks/endpoints/{endpoint_id}/disable",
    response_model=EndpointShown,
    responses=documented("not_found", writing=True),
)
async def disable_endpoint(endpoint_id: Id, call: Annotated[Call, writing("webhooks:write")]) -> Response:
    """Tell an endpoint of nothing more. What waits for it has failed; what happens meanwhile is not kept for it."""

    async def act(connection: Connection) -> EndpointShown:
        if (await _there(connection, endpoint_id)).status == "enabled":
            await webhooks.disable(connection, endpoint_id, why="by_hand")
        return endpoint_shown(await _there(connection, endpoint_id), at=now())

    return await call.once(act, status=200)


@router.post(
    "/webhooks/endpoints/{endpoint_id}/enable",
    response_model=EndpointShown,
    responses=documented("not_found", writing=True),
)
async def enable_endpoint(endpoint_id: Id, call: Annotated[Call, writing("webhooks:write")]) -> Response:
    """Tell an endpoint again of what happens from now on. What failed before is asked for with `redeliver`."""

    async def act(connection: Connection) -> EndpointShown:
        await _there(connection, endpoint_id)
        await webhooks.enable(connection, endpoint_id)
        return endpoint_shown(await _there(connection, endpoint_id), at=now())

    return await call.once(act, status=200)


@router.post(
    "/webhooks/endpoints/{endpoint_id}/rotate",
    status_code=201,
    response_model=EndpointMade,
    responses=documented("not_found", writing=True),
)
async def rotate_secret(
    endpoint_id: Id, told: SecretRotated, call: Annotated[Call, writing("webhooks:write")]
) -> Response:
    """Make a new signing secret. Until the old one ends, requests carry a signature of each."""
    at = now()

    async def act(connection: Connection) -> EndpointMade:
        endpoint = await _there(connection, endpoint_id)
        endpoint.secrets = rotated(endpoint.secrets, now=at, old_until=at + told.old_secret_hours * HOUR)
        await webhooks.change_endpoint(connection, endpoint)
        return _made(endpoint, at=at)

    return await call.once(act, hidden=("secret",))


@router.post(
    "/webhooks/endpoints/{endpoint_id}/ping",
    status_code=202,
    response_model=DeliveryShown,
    responses=documented("not_found", writing=True),
)
async def ping_endpoint(endpoint_id: Id, call: Annotated[Call, writing("webhooks:write")]) -> Response:
    """Send a test event, `webhook.ping`, also to a disabled endpoint. It is tried once; ask for the delivery to see
    what became of it."""
    at = now()

    async def act(connection: Connection) -> DeliveryShown:
        await _there(connection, endpoint_id)
        id_ = await deliveries.add_delivery(connection, endpoint_id, body=ping_of(endpoint_id, at=at), now=at)
        return delivery_shown(await _delivery(connection, id_))

    return await call.once(act, status=202)


# -- Deliveries -------------------------------------------------------------------------------------------


@router.get("/webhooks/endpoints/{endpoint_id}/deliveries", responses=documented("not_found"))
async def list_deliveries(
    endpoint_id: Id,
    call: Annotated[Call, reading("webhooks:read")],
    state: State | None = None,
    topic: Annotated[contract.Line | None, Query()] = None,
    cursor: Cursor = "",
    limit: Limit = 50,
) -> Page[DeliveryShown]:
    """What became of the events for this endpoint, the newest first. Kept for 30 days."""
    async with call.shop.pool.connection() as connection:
        await _there(connection, endpoint_id, lock=False)
        found = await deliveries.deliveries(
            connection, endpoint_id, before=cursor, state=state, topic=topic, most=limit + 1
        )
    items = [delivery_shown(delivery) for delivery in found[:limit]]
    return Page(items=items, next=items[-1].delivery_id if len(found) > limit else None)


@router.get("/webhooks/deliveries/{delivery_id}", responses=documented("not_found"))
async def get_delivery(delivery_id: Id, call: Annotated[Call, reading("webhooks:read")]) -> DeliveryWhole:
    """One delivery, with the event."""
    async with call.shop.pool.connection() as connection:
        delivery = await _delivery(connection, delivery_id)
    event = {name: delivery.body[name] for name in ("type", "timestamp", "data")}
    return DeliveryWhole(**_fields(delivery), event=event)


@router.post(
    "/webhooks/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=DeliveryShown,
    responses=documented("not_found", "endpoint_disabled", writing=True),
)
async def redeliver(delivery_id: Id, call: Annotated[Call, writing("webhooks:write")]) -> Response:
    """Deliver an event again, arrived or not, at once and from there on like a new one. `webhook-id` stays."""

    async def act(connection: Connection) -> DeliveryShown:
        await _enabled(connection, (await _delivery(connection, delivery_id)).endpoint_id)
        await deliveries.deliver_again(connection, delivery_id, now=now())
        return delivery_shown(await _delivery(connection, delivery_id))

    return await call.once(act, status=202)


@router.post(
    "/webhooks/endpoints/{endpoint_id}/redeliver",
    status_code=202,
    response_model=TriedAgain,
    responses=documented("not_found", "endpoint_disabled", writing=True),
)
async def redeliver_failed(endpoint_id: Id, told: Again, call: Annotated[Call, writing("webhooks:write")]) -> Response:
    """Deliver again what failed in this time, test events aside: up to 10,000 at once, the oldest first."""
    at = now()
    since = min(max(told.since, at - 2 * KEPT), at)  # nothing is older, or to come
    until = at if told.until is None else min(max(told.until, since), at)

    async def act(connection: Connection) -> TriedAgain:
        await _enabled(connection, endpoint_id)
        count = await deliveries.deliver_failed_again(
            connection,
            endpoint_id,
            since=since,
            until=until,
            but=PING,
            now=at,
            most=AGAIN_MOST,
        )
        return TriedAgain(deliveries=count)

    return await call.once(act, status=202)


async def _there(connection: Connection, endpoint_id: str, *, lock: bool = True) -> Endpoint:
    found = await webhooks.endpoint(connection, endpoint_id, lock=lock)
    if found is None:
        raise Problem("not_found")
    return found


async def _enabled(connection: Connection, endpoint_id: str) -> None:
    if (await _there(connection, endpoint_id)).status == "disabled":
        raise Problem("endpoint_disabled")


async def _delivery(connection: Connection, delivery_id: str) -> Delivery:
    found = await deliveries.delivery(connection, delivery_id)
    if found is None:
        raise Problem("not_found")
    return found


def _check(call: Call, url: str) -> None:
    try:
        check_url(url, private=call.shop.private_webhooks)
    except NotAllowed as refused:
        raise Problem(refused.why) from None
