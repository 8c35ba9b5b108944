"""Work that takes the processor for long, in a process apart, so that requests keep flowing.

A thread would not do: it holds the interpreter for milliseconds at a time, and everybody who waits for an answer waits
for each of them. There is one such process; it starts with the first work, and work stands in line for it.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar

Found = TypeVar("Found")


class Apart:
    """Runs functions of modules (by name; what they are given and give back is copied). Close it when done."""

    def __init__(self) -> None:
        self._process: ProcessPoolExecutor | None = None

    async def run(self, work: Callable[..., Found], *given: Any) -> Found:
        """What ``work`` gives back, or raises. Raises ``BrokenProcessPool`` if the process died over it; the next
        work gets a new one."""
        if self._process is None:
            self._process = ProcessPoolExecutor(1, get_context("spawn"), _begin)
        process = self._process
        try:
            return await asyncio.get_running_loop().run_in_executor(process, work, *given)
        except BrokenProcessPool:
            if self._process is process:
                self.close()
            raise

    def close(self) -> None:
        """Let go of the process; what it still works on is nobody's any more."""
        if self._process is not None:
            self._process.shutdown(wait=False, cancel_futures=True)
            self._process = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _begin() -> None:
    """An interrupt is for the server to handle; and nobody is left behind when the server is killed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    server = parent_process()
    assert server is not None

    def leave() -> None:
        server.join()
        os._exit(0)

    Thread(target=leave, daemon=True).start()
