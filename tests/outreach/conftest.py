from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from shuke.books import webhooks
from shuke.books.webhooks import Form, Secret
from shuke.outreach.envelopes import new_secret
from shuke.outreach.sending import Client
from shuke.runtime.clock import now
from tests.outreach.receiver import Receiver, receiving
from tests.shop import Shop

Listen = Callable[..., Awaitable[str]]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    """Somebody else's server, which answers 204."""
    async with receiving() as opened:
        yield opened


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client that may call loopback."""
    async with Client(private=True) as opened:
        yield opened


@pytest.fixture
async def hasty() -> AsyncIterator[Client]:
    """A client that waits for no answer longer than a fifth of a second."""
    async with Client(private=True, seconds=0.2) as opened:
        yield opened


@pytest.fixture
def listen(shop: Shop, receiver: Receiver) -> Listen:
    """Make an endpoint of the receiver; returns its id."""

    async def made(
        *topics: str, path: str = "/hook", url: str = "", form: Form = "standard", secret: str | None = None
    ) -> str:
        id_ = webhooks.new_id("whe")
        endpoint = webhooks.Endpoint(
            id_,
            url or receiver.url(path),
            "",
            list(topics),
            form,
            [Secret(secret or new_secret())],
            "enabled",
            None,
            now(),
            None,
        )
        async with shop.connections.connection() as connection:
            await webhooks.add_endpoint(connection, endpoint)
        return id_

    return made
