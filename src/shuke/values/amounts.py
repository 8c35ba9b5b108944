"""Amounts: whole numbers of a smallest unit, how they are divided, split, read and printed.

An amount is an ``int`` of minor units: at scale 2 the amount 1230 means 12.30. Nothing here knows floats.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Final

MAX_AMOUNT: Final = 2**53 - 1
"""The largest amount that a door lets in: what a JavaScript number still holds exactly."""

MAX_SCALE: Final = 18
"""The most decimals an asset or a currency may have."""

_POWERS: Final = tuple(10**digits for digits in range(MAX_SCALE + 1))
_MAX_TEXT: Final = 64
_MAX_EXPONENT: Final = 18
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")


class AmountError(ValueError):
    """A text or number that is not an amount. Its sentence can be shown to the person who wrote it."""


class Rounding(StrEnum):
    """What becomes of the part of a division that does not fit into whole units."""

    FLOOR = "floor"  # towards minus infinity
    CEILING = "ceiling"  # towards plus infinity
    HALF_UP = "half_up"  # to the nearest; a tie goes away from zero
    HALF_EVEN = "half_even"  # to the nearest; a tie goes to the even neighbour


# An attribute of an Enum class costs a look-up through its metaclass; these are asked for on every line sold.
_FLOOR: Final = Rounding.FLOOR
_CEILING: Final = Rounding.CEILING
_HALF_UP: Final = Rounding.HALF_UP
_HALF_EVEN: Final = Rounding.HALF_EVEN


def divide(numerator: int, denominator: int, rounding: Rounding) -> int:
    """The exact quotient, rounded as told. ValueError unless ``denominator`` is above zero."""
    if denominator <= 0:
        raise ValueError(f"cannot divide by {denominator}: the denominator must be above zero")
    quotient, rest = divmod(numerator, denominator)
    if rounding is _FLOOR or rest == 0:
        return quotient
    if rounding is _CEILING:
        return quotient + 1
    twice = rest + rest
    if twice != denominator:
        return quotient + 1 if twice > denominator else quotient
    if rounding is _HALF_UP:
        # divmod floors, so below zero the quotient is already the neighbour further from zero.
        return quotient + 1 if numerator > 0 else quotient
    return quotient + (quotient & 1)


def scale_by(amount: int, numerator: int, denominator: int, rounding: Rounding) -> int:
    """``amount * numerator / denominator``, multiplied first, rounded once. ValueError as in ``divide``."""
    return divide(amount * numerator, denominator, rounding)


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """Split ``total`` in proportion to ``weights`` so that the parts sum to ``total`` exactly.

    Largest remainder (Hamilton): every part is within one unit of its exact share; units left over go to the
    largest remainders, ties to the first. A negative total is split as its mirror image. When all weights are
    zero the first takes everything.

    Raises ValueError for a negative weight, and for no weights unless the total is zero too.
    """
    if not weights:
        if total:
            raise ValueError(f"cannot split {total} over nothing: there are no weights")
        return []
    if min(weights) < 0:
        raise ValueError(f"cannot split by a negative weight: {min(weights)}")
    whole = sum(weights)
    if whole == 0:
        return [total, *([0] * (len(weights) - 1))]
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    parts = [total * weight // whole for weight in weights]
    left = total - sum(parts)
    if left == 1:
        rests = [total * weight % whole for weight in weights]
        parts[rests.index(max(rests))] += 1
    elif left:
        rests = [total * weight % whole for weight in weights]
        # A reversed sort keeps equals in their order, so ties go to the first.
        for index in sorted(range(len(rests)), key=rests.__getitem__, reverse=True)[:left]:
            parts[index] += 1
    return parts


def share_taken(total: int, part: int, whole: int) -> int:
    """How much of ``total`` has gone once ``part`` of ``whole`` has gone: ``floor(total * part / whole)``.

    Cumulative, hence exact over any number of steps: what one step takes is the difference of two calls, and
    when ``part`` reaches ``whole`` all of ``total`` has gone, whatever the steps were. For a positive total
    it never decreases as ``part`` grows, for a negative one it never increases. With ``whole`` zero there is
    nothing left to wait for: all of it.

    Raises ValueError unless ``0 <= part <= whole``.
    """
    if not 0 <= part <= whole:
        raise ValueError(f"the part taken must lie between 0 and the whole {whole}, not {part}")
    if part == whole:
        return total
    return total * part // whole


def parse_amount(text: str | int | Decimal, *, scale: int) -> int:
    """The amount written as a number of major units: "12.30" at scale 2 is 1230, and so is "12.300".

    Takes ASCII digits with an optional sign, point and small exponent ("1E+3"). Zeros past the scale lose
    nothing and are taken (platforms send "100.00" for currencies without decimals).

    Raises AmountError, with a sentence for people, for decimals that the scale cannot hold, NaN and
    infinities, thousands separators and blanks, exponents beyond 18, amounts beyond MAX_AMOUNT, booleans and
    floats. ValueError for a scale outside 0..18.
    """
    if not 0 <= scale <= MAX_SCALE:
        raise ValueError(f"a scale lies between 0 and {MAX_SCALE}, not {scale}")
    if isinstance(text, str):
        whole, _, fraction = text.partition(".")
        missing = scale - len(fraction)
        # Nearly everything that arrives is plain digits; "²" and "٣" are digits to Python, hence isascii.
        if missing >= 0 and len(text) <= _MAX_TEXT and text.isascii() and whole.isdigit():
            if fraction.isdigit():
                return _bounded(int(whole + fraction) * _POWERS[missing], text)
            if not fraction:
                return _bounded(int(whole) * _POWERS[scale], text)
        return _parse_decimal(_read_decimal(text), text, scale)
    if isinstance(text, Decimal):
        return _parse_decimal(text, text, scale)
    # Documents and files reach this door as they are, whatever the types promise; True is an int to Python.
    if type(text) is int:
        return _bounded(text * _POWERS[scale], text)
    raise AmountError(f'{text!r} is not an amount: write a number as text, for example "12.30"')


def _read_decimal(text: str) -> Decimal:
    if len(text) > _MAX_TEXT:
        raise AmountError(f'"{text[:_MAX_TEXT]}…" is too long for an amount')
    if not _NUMBER.fullmatch(text):
        raise AmountError(
            f'"{text}" is not an amount: write digits, a point for decimals, no separators, no blanks, '
            'for example "1234.50"'
        )
    return Decimal(text)


def _parse_decimal(number: Decimal, source: object, scale: int) -> int:
    if not number.is_finite():
        raise AmountError(f'"{source}" is not an amount: it is not a finite number')
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int), "only NaN and infinities have letters for exponents"
    # Decimal("1E+999999") would otherwise be multiplied out to a megabyte of zeros.
    if exponent > _MAX_EXPONENT or exponent < -_MAX_TEXT or len(digits) > _MAX_TEXT:
        raise AmountError(
            f'"{str(source)[:_MAX_TEXT]}" is not an amount: its exponent or its length is out of all bounds'
        )
    magnitude = int("".join(map(str, digits)))
    shift = exponent + scale
    if shift >= 0:
        amount = magnitude * 10**shift
    else:
        amount, lost = divmod(magnitude, 10**-shift)
        if lost:
            raise AmountError(f'"{source}" has too many decimals: at most {scale} can be kept')
    return _bounded(-amount if sign else amount, source)


def _bounded(amount: int, source: object) -> int:
    if -MAX_AMOUNT <= amount <= MAX_AMOUNT:
        return amount
    # An int can be too long to print (Python refuses beyond 4,300 digits); the bound says enough then.
    shown = f'"{source}"' if amount.bit_length() < 256 else "this number"
    raise AmountError(f"{shown} is too large: amounts go up to {MAX_AMOUNT} smallest units")


def format_amount(amount: int, *, scale: int, group: bool = False) -> str:
    """The amount in major units with exactly ``scale`` decimals: 123450 at scale 2 is "1234.50".

    ``group`` puts commas between thousands ("1,234.50"); such a text is for reading, ``parse_amount`` refuses
    it. ValueError for a scale outside 0..18.
    """
    if not 0 <= scale <= MAX_SCALE:
        raise ValueError(f"a scale lies between 0 and {MAX_SCALE}, not {scale}")
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), _POWERS[scale])
    written = f"{whole:,}" if group else str(whole)
    return f"{sign}{written}.{fraction:0{scale}d}" if scale else sign + written
