"""A real server for the whole run, a fresh tenant for each test, how Hypothesis looks for counterexamples.

With pytest-xdist every worker has a server of its own: they share nothing that could make tests depend on
each other.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from shuke.books import server
from shuke.books.migrations import migrate
from tests.shop import Shop, open_shop

# A busy machine is no counterexample, so there is no deadline. In CI the same commit tries the same examples
# and gets the same verdict; everywhere else each run looks somewhere new, and prints how to come back to it.
settings.register_profile("house", deadline=None, derandomize="CI" in os.environ, print_blob=True)
settings.load_profile("house")


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a server of the test's own. Its path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="shuke-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def books_url() -> Iterator[str]:
    """The address of a running server with no tenants of the test's name."""
    folder = Path(tempfile.mkdtemp(prefix="shuke-"))
    with server.start(folder) as running:
        yield running.url
    shutil.rmtree(folder)


_numbers = itertools.count(1)


@pytest.fixture
def unborn_tenant() -> str:
    """The name of a tenant that no test has used; it has no schema yet."""
    return f"test_{next(_numbers)}"


@pytest.fixture
def tenant(books_url: str, unborn_tenant: str) -> str:
    """The name of a fresh tenant whose books are at the newest revision, and empty."""
    migrate(books_url, tenant=unborn_tenant)
    return unborn_tenant


@pytest.fixture
async def shop(books_url: str, tenant: str) -> AsyncIterator[Shop]:
    """The coffee shop of ``tests.shop`` over fresh books, its program published."""
    async with open_shop(books_url, tenant=tenant) as opened:
        yield opened
