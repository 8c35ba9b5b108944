"""Group commit: requests that come at the same time share transactions, and none waits for what holds up another.

    the line ── a batch at a time ──►  settled
        │                                 ▲
        └── held by somebody else ──►  aside, with more patience ──►  settled, or ``Held``

Who needs a row that somebody else holds (an import that has the member, a transaction somebody forgot) steps aside
after a second, and all that comes for the same member behind it: the others of the batch are settled at once.
"""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from shuke.books.away import Held
from shuke.engine.activity import Activity
from shuke.runtime.settle import Answer, Patience, Settler
from shuke.runtime.telemetry import tracer

LINE: Final = Patience(lock=1, whole=20)
"""A second is many times what a batch holds its members for, and as long as others should wait because of one.
Twenty seconds are what clients wait for an answer before they give up."""

ASIDE: Final = Patience(lock=10, whole=20)
"""Whoever is aside holds up nobody, and an import has let go of its members by then."""


class _Asked(NamedTuple):
    activity: Activity
    request: bytes | None
    answer: asyncio.Future[Answer]


class GroupCommit:
    """Lets concurrent requests share transactions.

    Whoever comes while a transaction runs waits for the next one, together with everybody else who came;
    nobody waits when nothing runs. At most ``most`` activities share one transaction.
    """

    def __init__(self, settler: Settler, *, most: int = 500, line: Patience = LINE, aside: Patience = ASIDE) -> None:
        self._settler = settler
        self._most = most
        self._patience = (line, aside)
        self._line: list[_Asked] = []
        self._aside: list[_Asked] = []
        self._held: set[str] = set()  # members of those aside
        self._running: asyncio.Task[None] | None = None
        self._running_aside: asyncio.Task[None] | None = None

    async def submit(self, activity: Activity, *, request: bytes | None = None) -> Answer:
        """Settle one activity; the answer comes after the commit that made it durable.

        ``request`` is the digest of the request that told it, see ``Settler.settle``. Raises what that raises;
        ``Held`` if it was because of this activity that the books could not be written.
        """
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._line.append(_Asked(activity, request, answer))
        self._go_on()
        return await answer

    def _go_on(self) -> None:
        if self._line and (self._running is None or self._running.done()):
            self._running = asyncio.create_task(self._drain())
        if self._aside and (self._running_aside is None or self._running_aside.done()):
            self._running_aside = asyncio.create_task(self._drain_aside())

    async def _drain(self) -> None:
        while self._line:
            batch, self._line = self._line[: self._most], self._line[self._most :]
            if self._held:
                self._step_aside([asked for asked in batch if asked.activity.member_id in self._held])
                batch = [asked for asked in batch if asked.activity.member_id not in self._held]
            held = await self._settle(batch, self._patience[0])
            if held is not None:
                self._step_aside([batch[position] for position in sorted(held.positions)])
                others = [asked for position, asked in enumerate(batch) if position not in held.positions]
                self._line = others + self._line

    def _step_aside(self, held: list[_Asked]) -> None:
        self._aside += held
        self._held.update(asked.activity.member_id for asked in held)
        self._go_on()

    async def _drain_aside(self) -> None:
        while self._aside:
            batch, self._aside = self._aside[: self._most], self._aside[self._most :]
            held = await self._settle(batch, self._patience[1])
            self._held = {asked.activity.member_id for asked in self._aside}
            if held is not None:
                for position, asked in enumerate(batch):
                    if position not in held.positions:
                        self._line.append(asked)
                    elif not asked.answer.done():
                        asked.answer.set_exception(held)
            self._go_on()

    async def _settle(self, batch: list[_Asked], patience: Patience) -> Held | None:
        """Settle and answer these; answers nobody if some of them are held."""
        if not batch:
            return None
        try:
            with tracer.start_as_current_span("settle.batch", attributes={"shuke.activities": len(batch)}):
                answers = await self._settler.settle(
                    [asked.activity for asked in batch],
                    requests=[asked.request for asked in batch],
                    patience=patience,
                )
        except Held as held:
            return held
        except Exception as error:
            for asked in batch:
                if not asked.answer.done():
                    asked.answer.set_exception(error)
        else:
            for asked, answer in zip(batch, answers, strict=True):
                if not asked.answer.done():
                    asked.answer.set_result(answer)
        return None
