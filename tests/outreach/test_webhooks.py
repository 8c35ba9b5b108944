"""Webhooks: an event reaches whoever asked for it, at least once, or somebody is told that it did not."""

import asyncio
import sys
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from shuke.books import deliveries, webhooks
from shuke.books.deliveries import Delivery, State
from shuke.books.webhooks import Endpoint, Secret
from shuke.outreach.envelopes import rotated
from shuke.outreach.sending import Client
from shuke.outreach.webhooks import KEPT, LEASE, SCHEDULE, Courier, deliver, delivering, ping_of, rounds, seconds_of
from shuke.runtime.clock import now
from shuke.values.instants import DAY, HOUR, MINUTE, SECOND, Instant
from tests.outreach.conftest import Listen
from tests.outreach.receiver import Answer, Receiver, after, endless, never, raw, status
from tests.shop import Shop, order

pytestmark = pytest.mark.database

ROOT = Path(__file__).resolve().parents[2]

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


async def orders(shop: Shop, count: int = 1) -> None:
    """So many orders are settled, each by itself an event ``order.settled``."""
    [[before]] = await shop.rows("select count(*) from orders")
    await shop.settle(*(order("ann", f"o-{before + number}", 500) for number in range(count)))


async def round_(shop: Shop, client: Client, at: Instant) -> int:
    return await deliver(shop.connections, now=at, client=client, source="/shuke/test")


async def made(shop: Shop, endpoint_id: str, *, state: State | None = None) -> list[Delivery]:
    """The endpoint's deliveries, the oldest first."""
    async with shop.connections.connection() as connection:
        return (await deliveries.deliveries(connection, endpoint_id, state=state, most=1000))[::-1]


async def known(shop: Shop, endpoint_id: str) -> Endpoint:
    async with shop.connections.connection() as connection:
        found = await webhooks.endpoint(connection, endpoint_id)
    assert found is not None
    return found


# -- What arrives -----------------------------------------------------------------------------------------


async def test_an_event_arrives_signed_at_whoever_asked_for_it(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    id_ = await listen("order.*", path="/erp", secret=SECRET)
    await listen("coupon.*", path="/not-asked-for")
    await orders(shop)
    assert await round_(shop, client, now()) == 2  # an event and a delivery
    [arrived] = receiver.arrived
    told = Webhook(SECRET).verify(arrived.body, arrived.headers)
    [[activity_id]] = await shop.rows("select id from activity")
    assert arrived.path == "/erp"
    assert arrived.headers["content-type"] == "application/json"
    assert arrived.id == f"evt_{activity_id}_0"
    assert list(told) == ["type", "timestamp", "data"]
    assert (told["type"], told["data"]["order_id"], told["data"]["amount"]) == ("order.settled", "o-0", 500)
    [delivery] = await made(shop, id_)
    assert (delivery.state, delivery.attempts, delivery.answered, delivery.trouble) == ("delivered", 1, 204, None)
    assert delivery.due_at is None
    assert await round_(shop, client, now()) == 0


async def test_a_signature_is_of_this_body_and_this_secret(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    await listen("order.settled", secret=SECRET)
    await orders(shop)
    await round_(shop, client, now())
    [arrived] = receiver.arrived
    other = "whsec_" + "A" * 32
    for secret, body in ((SECRET, arrived.body + b" "), (other, arrived.body)):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, arrived.headers)


async def test_the_other_envelope_is_that_of_cloudevents(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    await listen("order.settled", form="cloudevents", secret=SECRET)
    await orders(shop)
    await round_(shop, client, now())
    [arrived] = receiver.arrived
    told = Webhook(SECRET).verify(arrived.body, arrived.headers)
    data = told.pop("data")
    assert arrived.headers["content-type"] == "application/cloudevents+json; charset=utf-8"
    assert told == {
        "specversion": "1.0",
        "id": arrived.id,
        "source": "/shuke/test",
        "type": "order.settled",
        "subject": "ann",
        "time": "2026-05-01T04:00:00Z",
        "datacontenttype": "application/json",
    }
    assert data["order_id"] == "o-0"


async def test_two_secrets_sign_while_the_old_one_lasts(shop: Shop, client: Client, receiver: Receiver, listen: Listen):
    id_ = await listen("order.settled", secret=SECRET)
    at = now()
    endpoint = await known(shop, id_)
    endpoint.secrets = rotated(endpoint.secrets, now=at, old_until=at + 2 * MINUTE)
    async with shop.connections.connection() as connection:
        await webhooks.change_endpoint(connection, endpoint)
    await orders(shop, 2)
    await round_(shop, client, now())
    both = receiver.arrived[0].headers
    assert len(both["webhook-signature"].split(" ")) == 2
    fresh = endpoint.secrets[0].secret
    assert fresh != SECRET
    for secret in (SECRET, fresh):
        Webhook(secret).verify(receiver.arrived[0].body, both)
    await orders(shop)
    await round_(shop, client, at + 2 * MINUTE)
    last = receiver.arrived[-1]
    Webhook(fresh).verify(last.body, last.headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(last.body, last.headers)


def test_rotating_again_and_again_keeps_three_secrets_and_lengthens_nobodys_time():
    found = [Secret(SECRET)]
    for number in range(5):
        found = rotated(found, now=number * HOUR, old_until=(number + 24 - 10 * number) * HOUR)
    assert [secret.until is None for secret in found] == [True, False, False][: len(found)]
    untils = [secret.until or 0 for secret in found[1:]]
    assert untils == sorted(untils)
    assert len({secret.secret for secret in found}) == len(found) <= 3


@pytest.mark.parametrize(
    ("topics", "arrives"),
    [
        (["order.settled"], ["order.settled"]),
        (["order.*"], ["order.settled"]),
        (["*"], ["asset.earned", "member.joined", "order.settled"]),
        (["asset.earned", "member.*"], ["asset.earned", "member.joined"]),
        (["asset.earned", "asset.*", "*"], ["asset.earned", "member.joined", "order.settled"]),
        (["tier.*", "order.refunded"], []),
    ],
)
async def test_an_endpoint_gets_each_event_it_asked_for_once(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen, topics: list[str], arrives: list[str]
):
    await listen(*topics)
    await listen("*", path="/everything")
    await orders(shop)
    await round_(shop, client, now())
    assert sorted(found.told["type"] for found in receiver.arrived if found.path == "/hook") == arrives


# -- Once, whoever works ----------------------------------------------------------------------------------


async def test_two_workers_make_one_delivery_of_each_event_and_deliver_each_once(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    ids = [await listen("order.*", path=f"/{name}") for name in ("a", "b", "c")]
    await orders(shop, 40)
    couriers = [Courier(shop.connections, client, source="/shuke/test") for _ in range(2)]
    at = now()
    while any(await asyncio.gather(*(courier.round(at) for courier in couriers))):
        await asyncio.gather(*(courier.finish() for courier in couriers))
    came = Counter((found.path, found.id) for found in receiver.arrived)
    assert (len(came), set(came.values())) == (120, {1})
    for id_ in ids:
        assert Counter(delivery.state for delivery in await made(shop, id_)) == {"delivered": 40}
    assert await shop.rows("select 1 from outbox where kind = 'event'") == []


async def test_what_a_worker_leaves_behind_is_due_again_when_its_lease_ends(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    id_ = await listen("order.*")
    await orders(shop)
    at = now()
    async with shop.connections.connection() as connection:
        await deliveries.fan_out(connection, now=at, most=10)
    async with shop.connections.connection() as connection:
        claimed = await deliveries.claim(connection, now=at, lease=at + LEASE, most=10, each=10, under_way={})
    assert len(claimed) == 1  # and now this worker is gone
    assert await round_(shop, client, at + LEASE - 1) == 0
    assert await round_(shop, client, at + LEASE) == 1
    [delivery] = await made(shop, id_)
    assert (delivery.state, delivery.attempts) == ("delivered", 2)
    [arrived] = receiver.arrived
    assert arrived.id == claimed[0].event_id


@pytest.mark.crash
async def test_a_worker_killed_while_it_delivers_loses_nothing(
    books_url: str, tenant: str, shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    id_ = await listen("order.*")
    await orders(shop, 3)
    receiver.answer(never)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.outreach.worker", books_url, tenant, cwd=ROOT
    )
    await receiver.has(3)
    worker.kill()
    await worker.wait()
    receiver.answer(status(204))
    assert Counter(delivery.state for delivery in await made(shop, id_)) == {"waiting": 3}
    await round_(shop, client, now() + LEASE)
    assert Counter(delivery.state for delivery in await made(shop, id_)) == {"delivered": 3}
    assert Counter(Counter(found.id for found in receiver.arrived).values()) == {2: 3}


async def test_a_worker_that_comes_back_after_its_lease_changes_nothing(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    id_ = await listen("order.*")
    await orders(shop)
    at = now()
    async with shop.connections.connection() as connection:
        await deliveries.fan_out(connection, now=at, most=10)
        [late] = await deliveries.claim(connection, now=at, lease=at + LEASE, most=10, each=10, under_way={})
    await round_(shop, client, at + LEASE)
    attempt = deliveries.Attempt(at, 1, 500, "not_accepted")
    async with shop.connections.connection() as connection:
        await deliveries.missed(connection, late, attempt, again_at=at + DAY)
    [delivery] = await made(shop, id_)
    assert (delivery.state, delivery.answered, delivery.due_at) == ("delivered", 204, None)


async def test_no_transaction_is_open_while_the_other_side_thinks(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    seen: list[int] = []

    async def look(arrived: object, writer: asyncio.StreamWriter) -> None:
        [[open_]] = await shop.rows(
            "select count(*) from pg_stat_activity where xact_start is not null and pid <> pg_backend_pid()"
            " and datname = current_database() and backend_type = 'client backend'"
        )
        seen.append(open_)
        await status(204)(receiver.arrived[-1], writer)

    receiver.answer(look)
    await listen("order.*")
    await orders(shop)
    await round_(shop, client, now())
    assert seen == [0]


async def test_who_does_not_answer_holds_up_nobody_else(shop: Shop, receiver: Receiver, listen: Listen):
    silent = await listen("order.*", path="/silent")
    quick = await listen("order.*", path="/quick")
    enough = asyncio.Event()

    async def by_path(arrived: object, writer: asyncio.StreamWriter) -> None:
        found = receiver.arrived[-1]
        await (after(enough, status(204)) if found.path == "/silent" else status(204))(found, writer)

    receiver.answer(by_path)
    await orders(shop, 30)
    async with Client(private=True) as patient:
        courier = Courier(shop.connections, patient, source="/shuke/test", most=12, each=6)
        work = rounds(courier, clock=now)
        while len(await made(shop, quick, state="delivered")) < 30:
            await work()
        assert await made(shop, silent, state="delivered") == []
        enough.set()
        while len(await made(shop, silent, state="delivered")) < 30:
            await work()
        await courier.finish()


async def test_what_works_beside_the_doors_delivers_and_ends_when_all_is_recorded(
    shop: Shop, tenant: str, receiver: Receiver, listen: Listen
):
    id_ = await listen("order.*", form="cloudevents")
    await orders(shop, 3)
    async with delivering(shop.connections, tenant=tenant, private=True) as work:
        while len(receiver.arrived) < 3:
            await work()
    assert states_of(await made(shop, id_)) == ["delivered"] * 3
    assert {found.told["source"] for found in receiver.arrived} == {f"/shuke/{tenant}"}


# -- What does not arrive ---------------------------------------------------------------------------------

NOT_HTTP = b"SSH-2.0-OpenSSH_9.6\r\n"

TROUBLES: dict[str, tuple[Answer, int | None, str]] = {
    "a fault of theirs": (status(500), 500, "not_accepted"),
    "not found": (status(404), 404, "not_accepted"),
    "overload": (status(503), 503, "not_accepted"),
    "a redirect": (status(307, location="/elsewhere"), 307, "redirected"),
    "a redirect to themselves": (status(301, location="/hook"), 301, "redirected"),
    "no answer": (never, None, "timeout"),
    "half an answer": (raw(b"HTTP/1.1 200 OK\r\ncontent-le"), None, "connection_lost"),
    "no HTTP": (raw(NOT_HTTP), None, "connection_lost"),
    "a closed connection": (raw(b""), None, "connection_lost"),
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_a_delivery_that_does_not_arrive_waits_and_says_why(
    shop: Shop, client: Client, hasty: Client, receiver: Receiver, listen: Listen, name: str
):
    answer, answered, trouble = TROUBLES[name]
    receiver.answer(answer, status(204))
    id_ = await listen("order.*")
    await orders(shop)
    at = now()
    await round_(shop, hasty if answer is never else client, at)
    [delivery] = await made(shop, id_)
    assert (delivery.state, delivery.attempts, delivery.answered, delivery.trouble) == ("waiting", 1, answered, trouble)
    assert delivery.tried_at == at
    assert delivery.due_at is not None
    assert SCHEDULE[0] <= delivery.due_at - at < SCHEDULE[0] * 11 // 10
    assert len(receiver.arrived) == 1
    assert (await known(shop, id_)).failing_since == at
    await round_(shop, client, delivery.due_at)
    [delivery] = await made(shop, id_)
    assert (delivery.state, delivery.attempts, delivery.answered, delivery.trouble) == ("delivered", 2, 204, None)
    assert (await known(shop, id_)).failing_since is None
    assert {found.id for found in receiver.arrived} == {delivery.event_id}


async def test_nobody_listening_and_names_that_lead_nowhere_are_told_apart(shop: Shop, client: Client, listen: Listen):
    nobody = await listen("order.*", url="http://127.0.0.1:9/hook")
    nowhere = await listen("order.*", url="http://nowhere.invalid/hook")
    await orders(shop)
    await round_(shop, client, now())
    assert [delivery.trouble for id_ in (nobody, nowhere) for delivery in await made(shop, id_)] == [
        "connect_failed",
        "not_resolved",
    ]


async def test_a_good_status_counts_whatever_comes_after_it(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    receiver.answer(endless, raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\nthat was all"))
    id_ = await listen("order.*")
    await orders(shop, 2)
    await round_(shop, client, now())
    assert [(delivery.state, delivery.answered) for delivery in await made(shop, id_)] == [("delivered", 200)] * 2


async def run_out(shop: Shop, client: Client, endpoint_id: str, at: Instant) -> list[Instant]:
    """Go on until the endpoint's first delivery is not tried again; the instants at which it was."""
    tries: list[Instant] = []
    while True:
        await round_(shop, client, at)
        first = (await made(shop, endpoint_id))[0]
        assert first.tried_at is not None
        tries.append(first.tried_at)
        if first.due_at is None:
            return tries
        at = first.due_at


async def test_a_delivery_is_tried_for_a_day_and_then_its_endpoint_is_disabled_with_notice(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    receiver.answer(status(500))
    id_ = await listen("order.*", path="/dead", secret=SECRET)
    await orders(shop)
    at = now()
    tries = await run_out(shop, client, id_, at)
    waits = [later - earlier for earlier, later in pairwise(tries)]
    assert len(waits) == len(SCHEDULE)
    for wait, stated in zip(waits, SCHEDULE, strict=True):
        assert stated <= wait < stated * 11 // 10
    assert DAY <= tries[-1] - at < 2 * DAY
    [delivery] = await made(shop, id_)
    assert (delivery.state, delivery.attempts, delivery.answered) == ("failed", 11, 500)
    endpoint = await known(shop, id_)
    assert (endpoint.status, endpoint.disabled_why, endpoint.failing_since) == ("disabled", "failing", at)

    receiver.answer(status(204))
    await listen("webhook.disabled", path="/staff")
    await shop.settle(order("ann", "o-unheard", 500))
    await round_(shop, client, tries[-1])
    notice = receiver.arrived[-1]
    assert notice.path == "/staff"
    assert notice.told["type"] == "webhook.disabled"
    assert notice.told["data"]["endpoint_id"] == id_
    assert (notice.told["data"]["why"], notice.told["data"]["answered"]) == ("failing", 500)
    assert len(await made(shop, id_)) == 1


async def test_one_that_is_gone_is_disabled_at_once_and_what_waits_for_it_has_failed(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    receiver.answer(status(500), status(500), status(410))
    id_ = await listen("order.*")
    await orders(shop, 2)
    at = now()
    await round_(shop, client, at)
    await orders(shop)
    await round_(shop, client, now())
    endpoint = await known(shop, id_)
    assert (endpoint.status, endpoint.disabled_why) == ("disabled", "gone")
    states = {(delivery.state, delivery.trouble) for delivery in await made(shop, id_)}
    assert states == {("failed", "gone"), ("failed", "not_accepted")}
    assert await shop.rows("select 1 from webhook_delivery where due_at is not null") == []


async def test_one_success_in_a_day_keeps_an_endpoint_enabled(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    id_ = await listen("order.*")
    await orders(shop)
    receiver.answer(status(500))
    at = now()
    await round_(shop, client, at)
    for hours in range(0, 72, 9):
        receiver.answer(status(500) if hours % 18 else status(204))
        await round_(shop, client, at + hours * HOUR + MINUTE)
        if not hours % 18:
            await orders(shop)
    assert (await known(shop, id_)).status == "enabled"


async def test_an_endpoint_that_fails_is_tried_with_one_delivery_at_a_time(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    receiver.answer(status(503))
    await listen("order.*")
    await orders(shop, 20)
    at = now()
    courier = Courier(shop.connections, client, source="/shuke/test", each=4)
    begun = []
    for number in range(3):
        begun.append(await courier.round(at + number))
        await courier.finish()
    assert begun == [20 + 4, 1, 1]
    receiver.answer(status(204))
    begun = []
    for number in range(3, 6):
        begun.append(await courier.round(at + number))
        await courier.finish()
    assert begun == [1, 4, 4]


@pytest.mark.parametrize(
    ("retry_after", "waits"),
    [
        ("120", 120 * SECOND),
        ("1", SCHEDULE[0]),
        ("86400", 6 * HOUR),
        ("99999999999999999999", 6 * HOUR),
        ("soon", SCHEDULE[0]),
        ("-5", SCHEDULE[0]),
    ],
)
async def test_a_receiver_may_ask_for_more_time(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen, retry_after: str, waits: Instant
):
    receiver.answer(status(429, retry_after=retry_after))
    id_ = await listen("order.*")
    await orders(shop)
    at = now()
    await round_(shop, client, at)
    [delivery] = await made(shop, id_)
    assert delivery.due_at is not None
    assert waits <= delivery.due_at - at < waits + SECOND


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("7", 7),
        (" 7 ", 7),
        ("²", 0),
        ("Fri, 01 May 2026 04:01:00 GMT", 60),
        ("Fri, 01 May 2026 03:59:00 GMT", 0),
        ("Fri, 01 May 2026 04:01:00", 0),
        ("Fri, 99 May 2026 04:01:00 GMT", 0),
    ],
)
def test_retry_after_is_a_number_of_seconds_or_a_date(told: str | None, seconds: int):
    assert seconds_of(told, at=1_777_608_000 * SECOND) == seconds


# -- By hand ----------------------------------------------------------------------------------------------


async def test_what_failed_can_be_asked_for_again_one_by_one_or_all_together(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    receiver.answer(*[status(500)] * 3, status(410))
    id_ = await listen("order.*")
    await orders(shop, 4)
    await round_(shop, client, now())
    assert Counter(delivery.state for delivery in await made(shop, id_)) == {"failed": 4}
    receiver.answer(status(204))
    at = now()
    async with shop.connections.connection() as connection:
        await webhooks.enable(connection, id_)
        first = (await made(shop, id_))[0]
        await deliveries.deliver_again(connection, first.id, now=at)
    await round_(shop, client, at)
    assert receiver.arrived[-1].id == first.event_id
    async with shop.connections.connection() as connection:
        times = {"since": at - HOUR, "until": at + HOUR, "now": at}
        counts = [await deliveries.deliver_failed_again(connection, id_, **times, but="", most=most) for most in (2, 9)]
    assert counts == [2, 1]
    await round_(shop, client, at)
    assert Counter(delivery.state for delivery in await made(shop, id_)) == {"delivered": 4}


async def ping(shop: Shop, endpoint_id: str, *, at: Instant) -> Delivery:
    async with shop.connections.connection() as connection:
        body = ping_of(endpoint_id, at=at)
        id_ = await deliveries.add_delivery(connection, endpoint_id, body=body, now=at)
        found = await deliveries.delivery(connection, id_)
    assert found is not None
    return found


async def test_a_test_event_reaches_also_who_is_disabled_and_is_tried_once(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    id_ = await listen("order.*", secret=SECRET)
    async with shop.connections.connection() as connection:
        await webhooks.disable(connection, id_, why="by_hand")
    at = now()
    await ping(shop, id_, at=at)
    await round_(shop, client, at)
    [arrived] = receiver.arrived
    assert Webhook(SECRET).verify(arrived.body, arrived.headers)["data"] == {"endpoint_id": id_}
    receiver.answer(status(500))
    await ping(shop, id_, at=at)
    await round_(shop, client, at)
    assert Counter(delivery.state for delivery in await made(shop, id_)) == {"delivered": 1, "failed": 1}
    endpoint = await known(shop, id_)
    assert (endpoint.status, endpoint.disabled_why, endpoint.failing_since) == ("disabled", "by_hand", None)


async def test_old_deliveries_are_forgotten_and_those_that_wait_are_not(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    receiver.answer(status(204), status(500))
    id_ = await listen("order.*")
    await orders(shop, 2)
    at = now()
    await round_(shop, client, at)
    assert len(await made(shop, id_)) == 2
    async with shop.connections.connection() as connection:
        assert await deliveries.forget(connection, before=at, most=10) == 0
    courier = Courier(shop.connections, client, source="/shuke/test")
    await shop.rows("update webhook_delivery set due_at = due_at + interval '60 days' where due_at is not null")
    await courier.round(at + KEPT + 1)
    assert [delivery.state for delivery in await made(shop, id_)] == ["waiting"]


def states_of(found: Sequence[Delivery]) -> list[State]:
    return [delivery.state for delivery in found]


async def test_an_endpoint_that_is_removed_takes_its_deliveries_with_it(
    shop: Shop, client: Client, receiver: Receiver, listen: Listen
):
    stays, goes = await listen("order.*"), await listen("order.*")
    await orders(shop)
    async with shop.connections.connection() as connection:
        await deliveries.fan_out(connection, now=now(), most=10)
        assert await webhooks.remove_endpoint(connection, goes)
        assert not await webhooks.remove_endpoint(connection, goes)
    await round_(shop, client, now())
    assert states_of(await made(shop, stays)) == ["delivered"]
    assert await made(shop, goes) == []
