"""Currencies: which codes exist and how many decimals their money has (ISO 4217).

Source: ISO 4217 list one
(https://www.six-group.com/en/products-services/financial-information/data-standards.html). Left out are the
codes no shop can take: fund codes (CLF, UYW, USN …), metals, XDR, test codes. ANG and BGN were retired in
2025 and 2026 and stay, because merchants' histories are written in them.
"""

from typing import Final

_CODES: Final = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
    NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP
    STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD
    XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a table to be read, not 157 quoted words
)

# Everything else has two. ISO gives TWD two although shops there price in whole dollars: a program sets its
# own scale.
_NO_DECIMALS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"
_THREE_DECIMALS: Final = "BHD IQD JOD KWD LYD OMR TND"
_OTHER_DIGITS: Final = dict.fromkeys(_NO_DECIMALS.split(), 0) | dict.fromkeys(_THREE_DECIMALS.split(), 3)


def minor_digits(code: str) -> int:
    """How many decimals the currency has by ISO 4217: 2 for EUR, 0 for JPY, 3 for KWD.

    ValueError, with a sentence for people, for anything but the three capital letters of a currency in use.
    """
    if code in _CODES:
        return _OTHER_DIGITS.get(code, 2)
    upper = code.strip().upper()
    hint = f'did you mean "{upper}"?' if upper in _CODES else 'write an ISO 4217 code such as "TWD", "CNY" or "USD"'
    raise ValueError(f'"{code}" is not a currency code: {hint}')
