"""Calls without a good key, by the address they come from: who guesses is slowed down before the books are asked.

An address may fail ``FAILURES`` times in a minute. Addresses of IPv6 count by their network (/64), of which one machine
has all. Behind a proxy the address is the proxy's, unless the server was told to believe what the proxy says.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from math import ceil
from typing import Final

from msgspec import Struct

FAILURES: Final = 60
"""How often an address may come without a good key in a minute, and at once."""

ADDRESSES_MOST: Final = 10_000
"""So many addresses are remembered, those that failed last. What fails from more of them within a minute is not
slowed down by this: it takes a network's own means."""


class Allowance(Struct):
    """How much somebody has left at the moment: a bucket that fills in a minute. Below zero: what was taken was worth
    more than was left, and whatever follows waits for it."""

    left: float
    at: float  # seconds, monotonic

    def fill(self, most: int, *, at: float) -> None:
        """Let the time pass until ``at``; there are never more than ``most``."""
        self.left = min(float(most), self.left + (at - self.at) * most / 60)
        self.at = at

    def wait(self, most: int) -> int:
        """Seconds until one is there; 0 if it is."""
        return 0 if self.left >= 1 else ceil((1 - self.left) * 60 / most)


class Guesses:
    """What failed, in this process."""

    def __init__(self, *, failures: int = FAILURES, most: int = ADDRESSES_MOST) -> None:
        self._failures = failures
        self._most = most
        self._addresses: OrderedDict[str, Allowance] = OrderedDict()

    def take(self, address: str, *, at: float) -> int:
        """Count a failure from this address; 0, or if there were too many the seconds after which to come again, and
        it is not counted. ``at`` is the time in seconds, monotonic."""
        network = network_of(address)
        allowance = self._addresses.get(network)
        if allowance is None:
            allowance = self._addresses[network] = Allowance(float(self._failures), at)
            if len(self._addresses) > self._most:
                self._addresses.popitem(last=False)
        self._addresses.move_to_end(network)
        allowance.fill(self._failures, at=at)
        wait = allowance.wait(self._failures)
        if not wait:
            allowance.left -= 1
        return wait

    def give_back(self, address: str) -> None:
        """What was counted was no failure."""
        allowance = self._addresses.get(network_of(address))
        if allowance is not None:
            allowance.left += 1

    def __len__(self) -> int:
        return len(self._addresses)


@lru_cache(maxsize=1000)
def network_of(address: str) -> str:
    """What an address counts as: itself, or of IPv6 its network. A name (of a socket, of a test) is itself."""
    try:
        found = ip_address(address)
    except ValueError:
        return address[:100]  # whatever it is, it is remembered
    if not isinstance(found, IPv6Address):
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return f"{IPv6Address(int(found) >> 64 << 64)}/64"
