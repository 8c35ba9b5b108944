"""Amounts: rounding, splitting, reading and printing, as tables."""

from decimal import Decimal

import pytest

from shuke.values.amounts import (
    MAX_AMOUNT,
    AmountError,
    Rounding,
    allocate,
    divide,
    format_amount,
    parse_amount,
    scale_by,
    share_taken,
)

F, C, U, E = Rounding.FLOOR, Rounding.CEILING, Rounding.HALF_UP, Rounding.HALF_EVEN


@pytest.mark.parametrize(
    ("numerator", "denominator", "floor", "ceiling", "half_up", "half_even"),
    [
        (0, 2, 0, 0, 0, 0),
        (6, 3, 2, 2, 2, 2),
        (-6, 3, -2, -2, -2, -2),
        (1, 2, 0, 1, 1, 0),
        (3, 2, 1, 2, 2, 2),
        (5, 2, 2, 3, 3, 2),
        (-1, 2, -1, 0, -1, 0),
        (-3, 2, -2, -1, -2, -2),
        (-5, 2, -3, -2, -3, -2),
        (1, 3, 0, 1, 0, 0),
        (2, 3, 0, 1, 1, 1),
        (-1, 3, -1, 0, 0, 0),
        (-2, 3, -1, 0, -1, -1),
        # A float would answer 1e17 to the first and lose the odd unit of the second.
        (10**17 + 1, 1, 10**17 + 1, 10**17 + 1, 10**17 + 1, 10**17 + 1),
        (2 * 10**17 + 3, 2, 10**17 + 1, 10**17 + 2, 10**17 + 2, 10**17 + 2),
    ],
)
def test_division_is_exact_and_rounds_as_named(numerator, denominator, floor, ceiling, half_up, half_even):
    rounded = [divide(numerator, denominator, rounding) for rounding in (F, C, U, E)]
    assert rounded == [floor, ceiling, half_up, half_even]


@pytest.mark.parametrize("denominator", [0, -1])
def test_division_refuses_a_denominator_that_is_not_above_zero(denominator):
    with pytest.raises(ValueError, match="above zero"):
        divide(1, denominator, F)


def test_scaling_multiplies_before_it_rounds():
    assert scale_by(10, 2, 3, F) == 6
    assert scale_by(999, 85, 100, U) == 849
    assert scale_by(-999, 85, 100, F) == -850


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (101, [1, 1, 1], [34, 34, 33]),
        (10, [1, 2, 3, 4], [1, 2, 3, 4]),
        (5, [3, 0, 7], [2, 0, 3]),
        (1, [0, 0, 5], [0, 0, 1]),
        (1, [1, 1], [1, 0]),
        (2, [10, 11, 10], [1, 1, 0]),
        (7, [0, 0], [7, 0]),
        (-7, [0, 0, 0], [-7, 0, 0]),
        (0, [1, 2], [0, 0]),
        (9, [4], [9]),
        (0, [], []),
    ],
)
def test_a_split_follows_the_weights_and_loses_nothing(total, weights, parts):
    assert allocate(total, weights) == parts


def test_a_split_over_nothing_or_by_negative_weights_is_refused():
    with pytest.raises(ValueError, match="no weights"):
        allocate(1, [])
    with pytest.raises(ValueError, match="negative weight"):
        allocate(1, [2, -1])


@pytest.mark.parametrize(
    ("total", "part", "whole", "taken"),
    [
        (50, 0, 3, 0),
        (50, 1, 3, 16),
        (50, 2, 3, 33),
        (50, 3, 3, 50),
        (1, 999, 1000, 0),
        (1, 1000, 1000, 1),
        (7, 0, 0, 7),
        (-50, 1, 3, -17),
        (-50, 3, 3, -50),
    ],
)
def test_the_share_taken_is_cumulative_and_complete(total, part, whole, taken):
    assert share_taken(total, part, whole) == taken


@pytest.mark.parametrize(("part", "whole"), [(-1, 3), (4, 3), (1, 0), (0, -1)])
def test_a_part_outside_of_the_whole_is_refused(part, whole):
    with pytest.raises(ValueError, match="between 0 and the whole"):
        share_taken(10, part, whole)


@pytest.mark.parametrize(
    ("text", "scale", "amount"),
    [
        ("12.30", 2, 1230),
        ("12.3", 2, 1230),
        ("12", 2, 1200),
        ("12", 0, 12),
        ("007.50", 2, 750),
        ("-0.05", 2, -5),
        ("+1.5", 2, 150),
        (".5", 2, 50),
        ("5.", 2, 500),
        ("-0", 2, 0),
        ("100.00", 0, 100),
        ("12.300", 2, 1230),
        ("1E+3", 0, 1000),
        ("1.25e2", 0, 125),
        ("90071992547409.91", 2, MAX_AMOUNT),
        (12, 2, 1200),
        (-3, 0, -3),
        (Decimal("12.30"), 2, 1230),
        (Decimal("1E+2"), 2, 10000),
        (Decimal("-0.10"), 1, -1),
        (Decimal("0E-10"), 2, 0),
    ],
)
def test_an_amount_is_read_in_major_units(text, scale, amount):
    assert parse_amount(text, scale=scale) == amount


@pytest.mark.parametrize(
    ("text", "scale", "sentence"),
    [
        ("12.345", 2, "too many decimals: at most 2"),
        ("0.5", 0, "too many decimals: at most 0"),
        (Decimal("0.001"), 2, "too many decimals"),
        ("1,234.50", 2, "no separators"),
        ("1 234", 2, "not an amount"),
        ("1_234", 2, "not an amount"),
        (" 12", 2, "not an amount"),
        ("12\n", 2, "not an amount"),
        ("", 2, "not an amount"),
        (".", 2, "not an amount"),
        ("-", 2, "not an amount"),
        ("--1", 2, "not an amount"),
        ("NT$5", 2, "not an amount"),
        ("0x10", 2, "not an amount"),
        ("²", 2, "not an amount"),
        ("٣", 2, "not an amount"),
        ("１２", 2, "not an amount"),
        ("1.²", 2, "not an amount"),
        ("NaN", 2, "not an amount"),
        ("Infinity", 2, "not an amount"),
        (Decimal("NaN"), 2, "not a finite number"),
        (Decimal("sNaN"), 2, "not a finite number"),
        (Decimal("-Infinity"), 2, "not a finite number"),
        ("1e400", 2, "out of all bounds"),
        ("1e-400", 2, "out of all bounds"),
        (Decimal("1E+999999"), 2, "out of all bounds"),
        (Decimal("1E-999999"), 2, "out of all bounds"),
        ("90071992547409.92", 2, "too large"),
        ("-90071992547409.92", 2, "too large"),
        ("9" * 60, 2, "too large"),
        ("9" * 5000, 2, "too long"),
        pytest.param(10**5000, 2, "too large", id="5001 digits"),
        (True, 2, "not an amount"),
        (1.5, 2, "not an amount"),
        (None, 2, "not an amount"),
    ],
)
def test_what_is_no_amount_is_refused_with_a_sentence(text, scale, sentence):
    with pytest.raises(AmountError, match=sentence):
        parse_amount(text, scale=scale)


@pytest.mark.parametrize(
    ("amount", "scale", "plain", "grouped"),
    [
        (0, 2, "0.00", "0.00"),
        (5, 2, "0.05", "0.05"),
        (-5, 2, "-0.05", "-0.05"),
        (123450, 2, "1234.50", "1,234.50"),
        (-123456789, 0, "-123456789", "-123,456,789"),
        (1, 3, "0.001", "0.001"),
        (MAX_AMOUNT, 2, "90071992547409.91", "90,071,992,547,409.91"),
    ],
)
def test_an_amount_is_printed_with_all_its_decimals(amount, scale, plain, grouped):
    assert format_amount(amount, scale=scale) == plain
    assert format_amount(amount, scale=scale, group=True) == grouped


@pytest.mark.parametrize("scale", [-1, 19])
def test_a_scale_out_of_bounds_is_refused(scale):
    with pytest.raises(ValueError, match="between 0 and 18"):
        parse_amount("1", scale=scale)
    with pytest.raises(ValueError, match="between 0 and 18"):
        format_amount(1, scale=scale)
