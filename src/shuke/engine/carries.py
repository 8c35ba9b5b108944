"""Fractions of a unit that wait for the next time, exactly: 40 at 1 per 50, twice, is 1 and 3/5 kept."""

from __future__ import annotations

from math import gcd

from shuke.engine.member import Member


def carry(member: Member, asset: str, numerator: int, denominator: int) -> tuple[int, list[int]]:
    """Add ``numerator / denominator`` units (may be negative) to the fraction the member still has of the asset,
    whichever rules it came from.

    Returns the whole units this comes to and the fraction kept then, at least 0 and below 1, as
    [numerator, denominator] in lowest terms. Negative units are to be taken back. Changes nothing.
    """
    top, bottom = member.carries.get(asset, (0, 1))
    top, bottom = numerator * bottom + top * denominator, denominator * bottom
    units = top // bottom
    rest = top - units * bottom
    divisor = gcd(rest, bottom)
    return units, [rest // divisor, bottom // divisor]
