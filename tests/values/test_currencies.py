"""Currencies: decimals by ISO 4217."""

import pytest

from shuke.values.currencies import minor_digits

NONE = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
THREE = "BHD IQD JOD KWD LYD OMR TND"
TWO = "TWD CNY USD EUR HKD SGD MYR THB GBP CHF"


@pytest.mark.parametrize(("codes", "digits"), [(NONE, 0), (THREE, 3), (TWO, 2)])
def test_a_currency_has_the_decimals_that_iso_4217_gives_it(codes, digits):
    assert {code: minor_digits(code) for code in codes.split()} == dict.fromkeys(codes.split(), digits)


@pytest.mark.parametrize("code", ["NTD", "RMB", "XXX", "XAU", "USDT", "US", "", "DEM", "ＵＳＤ"])
def test_what_is_no_currency_in_use_is_refused(code):
    with pytest.raises(ValueError, match="write an ISO 4217 code"):
        minor_digits(code)


def test_a_code_in_small_letters_is_refused_with_the_right_one():
    with pytest.raises(ValueError, match='did you mean "TWD"'):
        minor_digits(" twd")
