"""The doors, and what works behind them: serve, work, keys."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from shuke.cli.connection import Books, opened, served, settings
from shuke.cli.instants import read_instant
from shuke.cli.teaching import add
from shuke.cli.terminal import FOUND, OK, Json, bars, facts, note, out, plural, print_json
from shuke.cli.troubles import NOTHING_CHANGED, Trouble

if TYPE_CHECKING:
    from socket import socket

    from shuke.books.keys import Key
    from shuke.runtime.settle import Pool, Settler
    from shuke.runtime.shop import Shop
    from shuke.runtime.work import Round
    from shuke.values.instants import Instant

_PANEL = "The doors"
_FEW, _MANY = 20, 500  # members the clock takes at a time: beside requests that wait, and alone

Metrics = Annotated[
    str | None,
    typer.Option(
        "--metrics",
        metavar="[HOST:]PORT",
        help="Show what is measured of this process for Prometheus here, too: of one that serves nothing or shares "
        "its port.",
    ),
]


def register(app: typer.Typer) -> None:
    """Hang the commands of this file on the command."""
    add(
        app,
        serve,
        panel=_PANEL,
        examples=[
            "shuke serve",
            "shuke serve --port 8080 --host 0.0.0.0",
            "shuke serve --share-port --no-work",
        ],
    )
    add(app, work, panel=_PANEL, examples=["shuke work", "shuke work --once", "shuke work --until 2017-12-31"])
    keys = typer.Typer(help="API keys: make one, see them all, end one.", no_args_is_help=True)
    add(
        keys,
        make_key,
        name="add",
        examples=[
            'shuke keys add "Web shop" --source webshop --scope all',
            'shuke keys add "Till 3" --source till --scope orders:write --scope members:read',
        ],
    )
    add(keys, list_keys, name="list", examples=["shuke keys list", "shuke keys list --json"])
    add(keys, revoke_key, name="revoke", examples=["shuke keys revoke key_01kaq2mz8vf0x9v6r3s1t5w7y9"])
    app.add_typer(keys, name="keys", rich_help_panel=_PANEL)


# -- serve ------------------------------------------------------------------------------------------------


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes a free one.")] = 8000,
    no_work: Annotated[
        bool, typer.Option("--no-work", metavar="", help="Serve only; the workers run elsewhere (shuke work).")
    ] = False,
    share_port: Annotated[
        bool, typer.Option("--share-port", metavar="", help="Other processes listen on the same port: one per core.")
    ] = False,
    log_requests: Annotated[
        bool, typer.Option("--log-requests", metavar="", help="A log line for every request.")
    ] = False,
    proxy: Annotated[
        list[str] | None,
        typer.Option(metavar="ADDRESS", help="A proxy in front, whose X-Forwarded-For is believed; a network, too."),
    ] = None,
    metrics: Metrics = None,
) -> int:
    """Open the doors: the HTTP API, and beside it the workers that let time pass and deliver webhooks.

    Books that are not there yet are made, old ones brought up to date. Runs until it is told to stop (Ctrl-C,
    SIGTERM): requests under way are still answered, and what was answered is durable. Any number may run at once,
    also on one port; only one of them need work beside it. Each counts its callers' requests for itself.
    """
    import uvloop

    from shuke.runtime.telemetry import set_up
    from shuke.web.serve import listen

    told = settings()
    proxies = [_network(address) for address in proxy or ()]
    try:
        listening = listen(host, port, shared=share_port)
    except OSError as error:
        taken = f"Cannot listen on {host} port {port}: {error.strerror}."
        raise Trouble(taken, kept=NOTHING_CHANGED, todo="Say another one: shuke serve --port 8001") from error
    with listening, _ready() as books:
        set_up(told.log, stream=sys.stderr)
        return uvloop.run(
            _serve(books, listening, working=not no_work, logged=log_requests, proxies=proxies, metrics=metrics)
        )


def _network(address: str) -> str:
    """An address or a network (10.0.0.0/8). Raises ``Trouble`` for anything else."""
    try:
        return str(ip_network(address))
    except ValueError as error:
        what = f"{address} is no address and no network of a proxy."
        raise Trouble(
            what, kept=NOTHING_CHANGED, todo="Write it like --proxy 10.0.0.7 or --proxy 10.0.0.0/8"
        ) from error


@contextmanager
def _ready() -> Iterator[Books]:
    """The books at the newest revision, made where there are none."""
    from shuke.books.migrations import migrate

    with served(settings()) as books:
        migrate(books.url, tenant=books.tenant)
        yield books


@contextmanager
def _showing(metrics: str | None, shop: Shop) -> Iterator[None]:
    """Show the shop's figures where ``--metrics`` says; nothing if it does not."""
    if metrics is None:
        yield
        return
    import structlog

    from shuke.runtime.figures import shown

    host, _, port = metrics.rpartition(":")
    with ExitStack() as stack:
        try:
            figures = shown(shop.figures, host=host.strip("[]") or "127.0.0.1", port=int(port))
            taken = stack.enter_context(figures)
        except (OSError, ValueError, OverflowError) as error:
            why = f"--metrics {metrics}: {error.strerror if isinstance(error, OSError) else 'this is no port'}."
            raise Trouble(why, kept=NOTHING_CHANGED, todo="Say a free one: --metrics 127.0.0.1:9464") from error
        structlog.get_logger().info("metrics.started", port=taken)
        yield


async def _serve(
    books: Books, listening: socket, *, working: bool, logged: bool, proxies: list[str], metrics: str | None
) -> int:
    from shuke.books.keys import page
    from shuke.outreach.webhooks import delivering
    from shuke.runtime.shop import open_shop
    from shuke.web.serve import serve as serve_shop

    private = settings().private_webhooks
    async with (
        open_shop(books.url, tenant=books.tenant, private_webhooks=private) as shop,
        delivering(shop.pool, tenant=books.tenant, private=private, figures=shop.figures) as deliver,
    ):
        async with shop.pool.connection() as connection:
            keyless = not await page(connection, after="", limit=1)
        if keyless:
            note('Nobody has a key yet. Make one: shuke keys add "Web shop" --source webshop --scope all')
        with _showing(metrics, shop):
            await serve_shop(
                shop,
                listening=listening,
                rounds=rounds_of(shop, deliver, batch=_FEW) if working else lambda stopping: {},
                logged=logged,
                proxies=proxies,
                started=lambda address: out().print(f"Serving {books.tenant} on {address}/v1  (Ctrl-C stops)"),
            )
    return OK


def rounds_of(shop: Shop, deliver: Round, *, batch: int) -> Callable[[asyncio.Event], Mapping[str, Round]]:
    """Everything that works beside the doors, by name. ``batch`` members at a time are brought up to now;
    ``deliver`` takes webhooks out."""
    from shuke.intake.waiting import rounds
    from shuke.runtime import segments
    from shuke.runtime.work import clock, upkeep

    return lambda stopping: {
        "clock": clock(shop.pool, shop.settler, batch=batch, stopping=stopping),
        "webhooks": deliver,
        "waiting": rounds(shop),
        "segments": segments.rounds(shop.pool, shop.settler),
        "upkeep": upkeep(shop.pool),
    }


# -- work -------------------------------------------------------------------------------------------------


def work(
    once: Annotated[bool, typer.Option("--once", metavar="", help="Do what is due now, and end.")] = False,
    until: Annotated[
        str | None,
        typer.Option(metavar="INSTANT", help="Let time pass up to here, and end. A date means its whole day."),
    ] = None,
    metrics: Metrics = None,
) -> int:
    """Let time pass for members: value ripens and ends, tiers are reviewed, holds lapse; and deliver webhooks.

    Runs until it is told to stop (Ctrl-C, SIGTERM) and finishes what it has begun. Any number may run at once,
    on any number of machines. What is late is caught up with; nothing happens twice.
    """
    from shuke.runtime.telemetry import set_up

    with opened() as books:
        set_up(settings().log, stream=sys.stderr)
        return asyncio.run(_work(books, once=once, until=until, metrics=metrics))


class _Stopped(Exception):
    """Raised between two batches, after somebody asked to stop."""


async def _work(books: Books, *, once: bool, until: str | None, metrics: str | None) -> int:
    import structlog

    from shuke.outreach.webhooks import delivering
    from shuke.runtime.clock import now
    from shuke.runtime.shop import open_shop
    from shuke.runtime.work import watch
    from shuke.runtime.work import work as keep_working

    log = structlog.get_logger()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with open_shop(books.url, tenant=books.tenant, connections=4) as shop:
        if once or until is not None:
            end = now() if until is None else await _end(shop, until)
            return await _once(shop.pool, shop.settler, end, stopping)
        log.info("work.started", tenant=books.tenant)
        private = settings().private_webhooks
        async with delivering(shop.pool, tenant=books.tenant, private=private, figures=shop.figures) as deliver:
            rounds = rounds_of(shop, deliver, batch=_MANY)(stopping)
            with _showing(metrics, shop):
                await keep_working({**rounds, "figures": watch(shop.pool, shop.figures)}, stopping=stopping)
        log.info("work.stopped")
    return OK


async def _once(connections: Pool, settler: Settler, until: Instant, stopping: asyncio.Event) -> int:
    settled = await _advance(connections, settler, until, stopping)
    out().print(f"{plural(settled, 'member')} had something due." if settled else "Nothing was due.")
    left = await _count_due(connections, until)
    if left and not stopping.is_set():
        note(f"{plural(left, 'member')} could not be settled, or another worker is at it; see the log.")
    return FOUND if left and not stopping.is_set() else OK


async def _count_due(connections: Pool, until: Instant) -> int:
    from shuke.books.statements import count_due

    async with connections.connection() as connection:
        return await count_due(connection, until)


async def _end(shop: Shop, until: str) -> Instant:
    zone = (await shop.editions()).compiled[-1].document.zone
    return read_instant(until, zone=zone, option="--until", whole_day=True)


async def _advance(connections: Pool, settler: Settler, until: Instant, stopping: asyncio.Event) -> int:
    """Settle what is due up to ``until``, or as much of it as was done when somebody asked to stop."""
    from shuke.runtime.due import advance

    due = await _count_due(connections, until)
    done = 0
    with bars() as drawn:

        def heard(total: int) -> None:
            nonlocal done
            done = total
            drawn.show("Letting time pass", total, due, "members")
            if stopping.is_set():
                raise _Stopped

        try:
            return await advance(settler, until=until, progress=heard)
        except _Stopped:
            return done


# -- keys -------------------------------------------------------------------------------------------------


def make_key(
    name: Annotated[str, typer.Argument(help="For people: whose key it is.")],
    source: Annotated[str, typer.Option(help="Names the system in the books; stays when the key is rotated.")],
    scope: Annotated[list[str], typer.Option(help="What it is good for, any number; 'all' for everything.")],
    per_minute: Annotated[int, typer.Option(min=1, help="Requests a minute.")] = 6000,
    as_json: Json = False,
) -> int:
    """Make an API key and print its secret, which is kept nowhere: this is the only time it is seen."""
    from pydantic import ValidationError

    from shuke.web.api.callers import SCOPES
    from shuke.web.api.keys import KeyTold
    from shuke.web.api.keys import make_key as make

    scopes = list(SCOPES) if "all" in scope else scope
    try:
        told = KeyTold(name=name, source=source, scopes=scopes, per_minute=per_minute)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        what = f"{first['loc'][0]}: {first['msg'].removeprefix('Value error, ')}"
        raise Trouble(what, kept=NOTHING_CHANGED, todo="See: shuke keys add --help") from None

    async def act() -> str:
        from shuke.books.connect import connect

        async with await connect(books.url, tenant=books.tenant) as connection:
            made = await make(
                connection, name=told.name, source=told.source, scopes=told.scopes, per_minute=told.per_minute
            )
        if as_json:
            print_json(made.model_dump(mode="json"))
        assert made.secret is not None  # it was made just now
        return made.secret

    with opened() as books:
        secret = asyncio.run(act())
    if not as_json:
        out().print(Text(secret, style="bold"))
        note("Keep it now: it is shown this once.")
    return OK


def list_keys(as_json: Json = False) -> int:
    """Show all API keys: whose they are, what they are good for, when they were last used."""
    from shuke.books.connect import connect
    from shuke.books.keys import page
    from shuke.web.api.keys import key_shown

    async def act() -> list[Key]:
        async with await connect(books.url, tenant=books.tenant) as connection:
            return await page(connection, after="", limit=10_000)

    with opened() as books:
        found = asyncio.run(act())
    if as_json:
        print_json([key_shown(key).model_dump(mode="json") for key in found])
        return OK
    if not found:
        out().print("There are no API keys.")
        return OK
    for key in found:
        state = "revoked" if key.revoked_at else "ends " + f"{key.expires_at:%Y-%m-%d}" if key.expires_at else "good"
        used = f"{key.last_used_at:%Y-%m-%d %H:%M} UTC" if key.last_used_at else "never"
        out().print(Text.assemble((key.key_id, "bold"), f"  {key.name}"))
        facts(
            [
                ("Secret", f"{key.hint}…"),
                ("Source", key.source),
                ("Scopes", ", ".join(key.scopes)),
                ("State", state),
                ("Last used", used),
            ]
        )
    return OK


def revoke_key(key_id: Annotated[str, typer.Argument(help="The key's id, as 'shuke keys list' shows it.")]) -> int:
    """End an API key for good. Servers that are running refuse it within five seconds."""
    from datetime import UTC, datetime

    from shuke.books.connect import connect
    from shuke.books.keys import revoke
    from shuke.runtime.clock import now

    async def act() -> Key | None:
        async with await connect(books.url, tenant=books.tenant) as connection:
            return await revoke(connection, key_id, at=datetime.fromtimestamp(now() / 1_000_000, UTC))

    with opened() as books:
        key = asyncio.run(act())
    if key is None:
        raise Trouble(f"There is no key {key_id}.", kept=NOTHING_CHANGED, todo="See them all: shuke keys list")
    out().print(f"{key.name} ({key.key_id}) is revoked.")
    return OK
