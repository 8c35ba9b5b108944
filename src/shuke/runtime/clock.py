"""The one place that tells the time."""

from __future__ import annotations

import time

from shuke.values.instants import Instant


def now() -> Instant:
    """The present instant, microseconds since 1970 UTC."""
    return time.time_ns() // 1000
