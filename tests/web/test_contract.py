"""Every route against its own document: whatever is sent, no fault, and no answer that is not documented."""

import asyncio
import os
import threading
from collections.abc import Iterator
from queue import Queue

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from shuke.books.migrations import migrate
from shuke.web.api.callers import SCOPES
from shuke.web.api.guesses import Guesses
from shuke.web.document import document
from tests.web.conftest import serving
from tests.web.everything import PROGRAM

pytestmark = pytest.mark.database

ROUNDS = int(os.environ.get("SHUKE_PROVE_ROUNDS", "1"))


class Served:
    """A server in a thread of its own, because what sends here does not await."""

    def __init__(self, url: str, tenant: str) -> None:
        self._told: Queue[tuple[str, str]] = Queue()
        self._stopping = asyncio.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(url, tenant)), daemon=True)
        self._thread.start()
        self.address, self.secret = self._told.get(timeout=60)

    async def _serve(self, url: str, tenant: str) -> None:
        self._loop = asyncio.get_running_loop()
        async with serving(url, tenant, program=PROGRAM) as door:
            door.app.state.gate.guesses = Guesses(failures=1_000_000)  # each route is asked without a good key, too
            self._told.put((door.address, await door.secret(*SCOPES, per_minute=1_000_000)))
            await self._stopping.wait()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join()


@pytest.fixture(scope="module")
def served(books_url: str) -> Iterator[Served]:
    migrate(books_url, tenant="contract")
    server = Served(books_url, "contract")
    yield server
    server.stop()


schema = schemathesis.openapi.from_dict(document())
rejecting = schema.config.checks.negative_data_rejection
rejecting.expected_statuses = [*rejecting.expected_statuses, "413"]


BUSINESS = positive_data_acceptance
"""A request that fits the document may be refused for what the books say."""

KEPT_AS_TOLD = {"POST /v1/activities", "PUT /v1/programs/draft", "POST /v1/programs/check"}
"""Where the answer says what is wrong: with an item, beside what became of the others; with a draft, which is kept."""


def is_sent_whole(case: Case) -> bool:
    """Whether what was made up also leaves: of a parameter that is an empty list nothing is sent."""
    return all(value is not None and value not in ([], {}) for value in (case.query or {}).values())


@schema.parametrize()
@settings(max_examples=4 * ROUNDS, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_no_fault_and_no_undocumented_answer(case: Case, served: Served) -> None:
    accepting = case.operation.label in KEPT_AS_TOLD or not is_sent_whole(case)
    case.call_and_validate(
        base_url=served.address,
        headers={"Authorization": f"Bearer {served.secret}"},
        excluded_checks=[BUSINESS, *([negative_data_rejection] if accepting else [])],
        timeout=30,
    )
