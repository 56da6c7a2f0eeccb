"""The currencies of ISO 4217 (list of 2026-01-01) and how many decimals their amounts have.

Codes without minor units of their own (metals, testing, SDR) are no money that an order is paid in.
"""

from __future__ import annotations

import re
from types import MappingProxyType

NO_DECIMALS = """
    BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF
"""
TWO_DECIMALS = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BMD BND BOB BOV BRL BSD BTN BWP BYN
    BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD
    FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW
    KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR
    MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG
    SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD
    USN UYU UZS VED VES WST XAD XCD XCG YER ZAR ZMW ZWG
"""
THREE_DECIMALS = """
    BHD IQD JOD KWD LYD OMR TND
"""
FOUR_DECIMALS = """
    CLF UYW
"""

EXPONENTS = MappingProxyType(
    {
        code: exponent
        for exponent, codes in (
            (0, NO_DECIMALS),
            (2, TWO_DECIMALS),
            (3, THREE_DECIMALS),
            (4, FOUR_DECIMALS),
        )
        for code in codes.split()
    }
)

DECIMAL = re.compile(r"(-?)(\d{1,15})(?:\.(\d{1,12}))?", re.ASCII)


class NotAnAmount(ValueError):
    def __init__(self, text: str, currency: str) -> None:
        super().__init__(f"{text[:40]!r} is no amount in {currency[:3]!r}")
        self.currency = currency


def minor_units(text: str, currency: str) -> int:
    """A decimal string as an integer of the smallest unit: exact, or refused; never a float."""
    found = DECIMAL.fullmatch(text)
    exponent = EXPONENTS.get(currency)
    if found is None or exponent is None:
        raise NotAnAmount(text, currency)
    sign, whole, decimals = found[1], found[2], (found[3] or "").ljust(exponent, "0")
    if decimals[exponent:].strip("0"):
        raise NotAnAmount(text, currency)
    return int(f"{sign}{whole}{decimals[:exponent]}")


def amount_text(amount: int, currency: str) -> str:
    """1234500 JPY has no decimals, 1234500 USD is 12,345.00: by the currency, never by a float."""
    exponent = EXPONENTS[currency]
    whole, decimals = divmod(abs(amount), 10**exponent)
    text = f"{whole:,}.{decimals:0{exponent}}" if exponent else f"{whole:,}"
    return f"{'-' if amount < 0 else ''}{text} {currency}"
