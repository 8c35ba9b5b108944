"""Serving a shop: HTTP, and by default the workers beside it, until the process is told to stop.

On SIGTERM or Ctrl-C no new connection is taken, requests under way are answered (what is answered is durable), then
the workers end between two rounds, then the connections to the books are closed.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic

import structlog
import uvicorn

from shuke.runtime.shop import Shop
from shuke.runtime.work import Round, watch, work
from shuke.web.app import build
from shuke.web.protocol import Protocol, hang_up_on_slow

log = structlog.get_logger()

GRACE_SECONDS = 30
_YOUNG_MOST = 50_000  # objects of requests under way, most of which go without the collector's help
_REMEMBER_EVERY = 60.0  # seconds; when keys were last used
_LOOK_EVERY = 10.0  # seconds; which requests take too long to arrive


class _Server(uvicorn.Server):
    """uvicorn's own handling of signals raises them again when it is done, in the middle of our own ending."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)  # asked twice, it does not wait
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


async def serve(
    shop: Shop,
    *,
    listening: socket.socket,
    rounds: Callable[[asyncio.Event], Mapping[str, Round]],
    logged: bool = False,
    proxies: Sequence[str] = (),
    started: Callable[[str], None] | None = None,
) -> None:
    """Serve ``shop`` on a listening socket. ``rounds`` makes the workers' rounds (none: they run elsewhere);
    ``started`` hears the address. ``proxies`` are addresses and networks in front whose ``X-Forwarded-For`` says where
    a request comes from; from anybody else it says nothing."""
    app = build(shop, logged=logged)
    gate = app.state.gate
    stopping = asyncio.Event()

    async def remember_use() -> float:
        await gate.remember_use()
        return _REMEMBER_EVERY

    async def hang_up() -> float:
        hang_up_on_slow(server.server_state.connections, at=monotonic())
        return _LOOK_EVERY

    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),  # else anybody could write where he comes from
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=GRACE_SECONDS,
        timeout_keep_alive=75,  # longer than a proxy in front keeps its own
    )
    server = _Server(config)
    host, port = listening.getsockname()[:2]
    address = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    beside = asyncio.create_task(
        work(
            {
                "keys": remember_use,
                "connections": hang_up,
                "figures": watch(shop.pool, shop.figures),
                **rounds(stopping),
            },
            stopping=stopping,
        )
    )
    if started is not None:
        started(address)
    gc.collect()
    gc.freeze()  # routes, programs and libraries stay: the collector need not look at them again
    gc.set_threshold(_YOUNG_MOST, 20, 50)
    log.info("serve.started", address=address, tenant=shop.tenant)
    try:
        await server.serve([listening])
    finally:
        stopping.set()
        await beside
        await gate.remember_use()
        log.info("serve.stopped")


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A listening socket. ``shared`` with other processes that say so too: the kernel deals out connections.
    Raises OSError where the address is taken or not ours."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048, reuse_port=shared)
