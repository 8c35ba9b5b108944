"""What is measured: how settling goes, and what the books say is still to be done. Labels are few, and no id is one."""

from pathlib import Path

import httpx
import pytest

from shuke.books import deliveries, waiting, webhooks
from shuke.books.backlog import DISABLED, FAILING, HEALTHY, backlog
from shuke.books.waiting import Early
from shuke.books.webhooks import Endpoint, Secret
from shuke.engine.activity import UPDATED
from shuke.outreach.sending import Client
from shuke.outreach.webhooks import Courier, ping_of
from shuke.runtime.clock import now
from shuke.runtime.figures import ATTEMPT_OUTCOMES, Figures, shown
from shuke.runtime.settle import Settler
from shuke.runtime.work import watch
from shuke.values.instants import DAY, HOUR, SECOND, Instant
from shuke.web.frame import Measures
from tests.shop import Shop, order, told

ROOT = Path(__file__).resolve().parents[2]


def read(figures: Figures, name: str, **labels: str) -> float:
    found = figures.registry.get_sample_value(name, labels)
    assert found is not None, name
    return found


async def listen(shop: Shop, *, failing_since: Instant | None = None, disabled: bool = False) -> str:
    id_ = webhooks.new_id("whe")
    secret = Secret("whsec_c2VjcmV0")
    endpoint = Endpoint(id_, "http://127.0.0.1:1/", "", ["*"], "standard", [secret], "enabled", None, now(), None)
    async with shop.connections.connection() as connection:
        await webhooks.add_endpoint(connection, endpoint)
        if failing_since is not None:
            await connection.execute(deliveries.FAILING, (webhooks.as_datetime(failing_since), id_))
        if disabled:
            await webhooks.disable(connection, id_, why="by_hand")
    return id_


async def wait_for(shop: Shop, endpoint: str, *, since: Instant) -> None:
    async with shop.connections.connection() as connection:
        body = ping_of(endpoint, at=since)
        await deliveries.add_delivery(connection, endpoint, body=body, now=since)


@pytest.mark.database
async def test_what_waits_is_told_by_the_state_of_its_endpoint_with_the_age_of_the_oldest(shop: Shop):
    at = now()
    well, sick, off = await listen(shop), await listen(shop, failing_since=at), await listen(shop, disabled=True)
    for endpoint, hours in ((well, 1), (well, 3), (sick, 20), (off, 2)):
        await wait_for(shop, endpoint, since=at - hours * HOUR)
    figures = Figures()
    async with shop.connections.connection() as connection:
        figures.show(await backlog(connection, at=at), at=at)
    for state, waits, hours in ((HEALTHY, 2, 3), (FAILING, 1, 20), (DISABLED, 1, 2)):
        assert read(figures, "shuke_webhook_endpoints", endpoint=state) == 1
        assert read(figures, "shuke_webhook_waiting", endpoint=state) == waits
        assert read(figures, "shuke_webhook_oldest_seconds", endpoint=state) == pytest.approx(hours * 3600, abs=1)


@pytest.mark.database
async def test_the_depth_of_the_outbox_and_how_late_the_clock_is_are_told(shop: Shop):
    await listen(shop)
    long_ago = now() - 800 * DAY
    await shop.settle(*(order(f"m-{number}", f"o-{number}", 500, when=long_ago) for number in range(3)))
    figures, at = Figures(), now()
    async with shop.connections.connection() as connection:
        found = await backlog(connection, at=at)
    figures.show(found, at=at)
    assert read(figures, "shuke_outbox_waiting", kind="event") == found.outbox["event"].count >= 6
    assert 0 <= read(figures, "shuke_outbox_oldest_seconds", kind="event") < 60
    assert read(figures, "shuke_clock_due_members") == 3
    assert 0 < read(figures, "shuke_clock_lag_seconds") <= 800 * DAY / SECOND


@pytest.mark.database
async def test_what_waits_for_its_order_is_told_and_a_round_shows_all_of_it(shop: Shop):
    figures = Figures()
    early = Early("k", "ann", "o-1", "order.refunded", now(), b"", {"order_id": "o-1"})
    async with shop.connections.connection() as connection:
        await waiting.keep(connection, [early], source="track:web", now=now(), most=10)
    assert await watch(shop.connections, figures)() > 0
    assert read(figures, "shuke_tracking_waiting") == 1
    assert read(figures, "shuke_tracking_given_up") == 0
    assert read(figures, "shuke_books_read_timestamp_seconds") == pytest.approx(now() / SECOND, abs=60)


@pytest.mark.database
async def test_batches_are_measured_by_size_and_time_and_told_again_by_reason(shop: Shop):
    figures = Figures()
    settler = Settler(shop.connections, figures=figures)
    await settler.settle([order("ann", f"o-{number}", 500) for number in range(7)])
    assert read(figures, "shuke_settle_batch_activities_sum") == 7
    assert read(figures, "shuke_settle_batch_activities_count") == 1
    assert 0 < read(figures, "shuke_settle_batch_seconds_sum") < 60
    await settler.settle([order("ann", "o-1", 500)])  # told again: the key is there already
    assert read(figures, "shuke_settle_retries_total", why="collision") == 1
    await settler.settle([told(UPDATED, "ann", key="broken", traits={"name": "\ud800"})])  # half a character
    assert read(figures, "shuke_settle_failed_total") == 1


@pytest.mark.database
async def test_attempts_to_deliver_are_counted_by_what_they_came_to(shop: Shop):
    endpoint = await listen(shop)
    figures, at = Figures(), now()
    async with shop.connections.connection() as connection:
        body = {**ping_of(endpoint, at=at), "type": "order.settled"}
        await deliveries.add_delivery(connection, endpoint, body=body, now=at)
    await wait_for(shop, endpoint, since=at)  # a test is tried once
    async with Client(private=True) as client:
        courier = Courier(shop.connections, client, source="/shuke/test", figures=figures)
        await courier.round(at)
        await courier.finish()
    came_to = {outcome: read(figures, "shuke_webhook_attempts_total", outcome=outcome) for outcome in ATTEMPT_OUTCOMES}
    assert came_to == {"delivered": 0, "again": 1, "failed": 1}
    assert read(figures, "shuke_webhook_attempt_seconds_count") == 2


def test_a_process_that_serves_nothing_else_shows_its_figures_as_long_as_it_runs():
    figures = Figures()
    figures.failed.inc()
    with shown(figures, host="127.0.0.1", port=0) as port:
        page = httpx.get(f"http://127.0.0.1:{port}/metrics")
        assert "shuke_settle_failed_total 1.0" in page.text
        assert page.headers["content-type"].startswith("text/plain")
        with pytest.raises(OSError, match="in use"), shown(figures, host="127.0.0.1", port=port):
            pass
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")


ALLOWED = {"method", "route", "status", "endpoint", "kind", "outcome", "why", "le"}


def test_every_figure_has_its_words_on_the_operators_page_and_labels_that_are_closed():
    page = (ROOT / "docs" / "how-to" / "operate.md").read_text("utf-8")
    registry = Figures().registry
    Measures(registry)
    for family in registry.collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert f"`{name}`" in page, name
        assert family.documentation
        assert {label for sample in family.samples for label in sample.labels} <= ALLOWED
