"""ACCEPTANCE 10: killing the process or the database at any instant under load loses no acknowledged activity
and doubles none.

A process settles a seeded stream and says what was answered; it, or the server, is killed at random instants
and started again where its acknowledgements ended. SHUKE_PROVE_ROUNDS says how many streams are tried.
"""

# ruff: noqa: E501  # a statement is a line

import os
import random
import shutil
import signal
import tempfile
from multiprocessing import get_context
from pathlib import Path

import psycopg
import pytest

from shuke.books import server
from shuke.books.migrations import migrate
from tests.shop import open_shop
from tests.simulation.crashing import doomed_shop, settle_stream, stream, told_of

pytestmark = [pytest.mark.database, pytest.mark.crash]

ROUNDS = int(os.environ.get("SHUKE_PROVE_ROUNDS", "1"))
BATCHES, SIZE = 50, 12

# A clean process forks the ones that are to be killed: they need not import everything anew.
CONTEXT = get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.simulation.crashing"])


class Killer:
    """A process that settles the stream, and a server, both of which die often."""

    def __init__(self, home, tenant, batches, dice):
        self.home, self.tenant, self.batches, self.dice = home, tenant, batches, dice
        self.running = server.start(home)
        self.said = {}
        self.deaths = 0

    def run(self, kill):
        """Until everything is acknowledged, start a process at the first batch that is not, and ``kill``."""
        while len(self.said) < len(self.batches):
            self._one_life(kill)
        self.running.close()

    def _one_life(self, kill):
        ours, theirs = CONTEXT.Pipe(duplex=False)
        arguments = (self.running.url, self.tenant, self.batches, len(self.said), theirs)
        process = CONTEXT.Process(target=settle_stream, args=arguments)
        process.start()
        theirs.close()
        while all(self._listen(ours, seconds=60) for _ in range(self.dice.randrange(2, 14))):
            # Not right behind an answer but anywhere in the next batch or two.
            self._listen(ours, seconds=self.dice.random() * 0.02)
            kill(self, process)
            self.deaths += 1
        process.join(60)
        assert process.exitcode is not None

    def _listen(self, pipe, *, seconds):
        """Hear one acknowledgement; False if none came in time or none will come any more."""
        try:
            if not pipe.poll(seconds):
                return False
            heard = pipe.recv()
        except (EOFError, OSError):
            return False
        assert heard.batch == len(self.said)
        self.said[heard.batch] = heard.answers
        return True


def the_process(life, process):
    """kill -9 of the process that settles."""
    process.kill()


def the_server(life, process):
    """kill -9 of the server's parent process; its children notice and end. Then it is started again."""
    pid = int((life.running.data / "postmaster.pid").read_text().split()[0])
    with psycopg.connect(life.running.url) as witness:
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(psycopg.OperationalError):
            witness.execute("select pg_sleep(60)")
    life.running = server.start(life.home)


def at_once(life, process):
    """The server is told to stop without writing anything down, and started again."""
    life.running.stop(mode="immediate")
    life.running = server.start(life.home)


def both(life, process):
    """The process dies first, and the server while it cleans up behind it."""
    the_process(life, process)
    at_once(life, process)


@pytest.fixture(scope="module")
def doomed_home():
    """The home of a server that is killed again and again."""
    folder = Path(tempfile.mkdtemp(prefix="shuke-"))
    with server.start(folder):
        yield folder
    shutil.rmtree(folder)


CAUSE = "join activity a on a.id = e.activity_id"
ENTRY = "e.member_id, no, asset, kind, debit, credit, amount, lot, rule, order_id, e.version, e.occurred_at, why"
LOT = "e.member_id, asset, lot, opened_at, ripens_at, expires_at"
TIER = "e.member_id, no, ladder, from_tier, to_tier, at, until, reason"


async def books(shop):
    """Everything that does not depend on when it was settled."""
    return {
        "members": await shop.rows("select member_id, seq, due_at, tiers, balances, status, joined_at, traits, tags, state from member order by 1"),
        "entries": await shop.rows(f"select a.seq, {ENTRY} from entry e {CAUSE} order by e.member_id, a.seq, no"),
        "lots": await shop.rows(f"select a.seq, {LOT} from lot e {CAUSE} order by e.member_id, a.seq, asset, lot"),
        "orders": await shop.rows("select * from orders order by 1, 2, 3"),
        "coupons": await shop.rows("select * from coupon order by 1, 2, 3"),
        "tiers": await shop.rows(f"select a.seq, {TIER} from tier_change e {CAUSE} order by e.member_id, a.seq, no"),
        "log": await shop.rows("select member_id, seq, source, key, digest, answer::text, context from activity order by 1, 2"),
        "outbox": await shop.rows("select member_id, seq, topic, body from outbox order by 1, 2, 3, body::text"),
        "quotas": await shop.rows("select * from quota order by 1"),
        "codes": await shop.rows("select * from code order by 1"),
    }  # fmt: skip


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("kill", [the_process, the_server, at_once, both], ids=lambda kill: kill.__name__)
async def test_killing_at_any_instant_loses_nothing_acknowledged_and_doubles_nothing(doomed_home, kill, seed):
    with server.start(doomed_home) as running:
        tenant, calm = f"{kill.__name__}_{seed}", f"{kill.__name__}_{seed}_calm"
        for name in (tenant, calm):
            migrate(running.url, tenant=name)
        url = running.url
        async with doomed_shop(url, tenant=tenant):
            pass
    batches = stream(seed, batches=BATCHES, size=SIZE)
    life = Killer(doomed_home, tenant, batches, random.Random(seed))
    life.run(kill)
    assert life.deaths >= 3

    with server.start(doomed_home):
        async with open_shop(url, tenant=tenant, program=None) as shop:
            for number, batch in enumerate(batches):
                again = await shop.settle(*batch)
                assert all(answer.repeated for answer in again)
                assert [told_of(answer) for answer in again] == life.said[number]
            assert await shop.findings() == []
            survived = await books(shop)
        async with doomed_shop(url, tenant=calm) as shop:
            for batch in batches:
                await shop.settle(*batch)
            assert await books(shop) == survived
