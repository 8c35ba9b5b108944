"""Python's collector of cycles, kept still while a batch is settled.

What a batch makes (members, orders, effects, rows) is alive until the batch ends and has no cycles. The collector
would go through all of it again and again and free nothing; that was a third of the time of a large batch.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_inside = 0


@contextmanager
def uncollected() -> Iterator[None]:
    """No collection inside the block. Blocks of several tasks may overlap; when the last one ends, Python catches
    up with its own next allocation. Where somebody has turned the collector off, it stays off."""
    global _inside
    if _inside == 0 and not gc.isenabled():
        yield
        return
    _inside += 1
    gc.disable()
    try:
        yield
    finally:
        _inside -= 1
        if _inside == 0:
            gc.enable()
