"""How Stripe counts: like ISO 4217, in the smallest unit, but for a few currencies.

https://docs.stripe.com/currencies#special-cases
"""

from __future__ import annotations

HUNDREDTHS_OF_WHOLES = frozenset({"ISK", "UGX"})  # no decimals, and Stripe wants two zeros
WHOLES_OF_HUNDREDTHS = frozenset({"MGA"})  # two decimals, and Stripe knows none
LAST_DECIMAL_IS_ZERO = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})  # thousandths, in tens


class NotPayable(ValueError):
    def __init__(self, amount: int, currency: str) -> None:
        super().__init__(f"{amount} minor units of {currency} cannot be charged by this provider")


def to_stripe(amount: int, currency: str) -> int:
    """Raises NotPayable rather than to round."""
    if currency in HUNDREDTHS_OF_WHOLES:
        return amount * 100
    step = 100 if currency in WHOLES_OF_HUNDREDTHS else 10
    if currency in WHOLES_OF_HUNDREDTHS | LAST_DECIMAL_IS_ZERO and amount % step:
        raise NotPayable(amount, currency)
    return amount // 100 if currency in WHOLES_OF_HUNDREDTHS else amount


def from_stripe(amount: int, currency: str) -> int:
    """Stripe writes currencies in lower case."""
    code = currency.upper()
    if code in HUNDREDTHS_OF_WHOLES:
        return amount // 100
    return amount * 100 if code in WHOLES_OF_HUNDREDTHS else amount
