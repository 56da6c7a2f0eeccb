"""Amounts that may have more decimals than their currency: kept exact, rounded only together."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from oms.adapters.channels.shop_fields import LONGEST, Json, ShopFields, text
from oms.domain.currencies import EXPONENTS

NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,12})?([eE][+-]?[0-9]{1,2})?", re.ASCII)
LARGEST = Decimal(10) ** 15


class ExactFields(ShopFields):
    """Of a platform that computes with more decimals than anybody pays."""

    __slots__ = ()

    def number(self, value: Any, what: str) -> Decimal:
        """An integer, or a number's text. Exact."""
        given = "" if isinstance(value, bool) else str(value)
        found = Decimal(given) if NUMBER.fullmatch(given) else None
        if found is None or abs(found) >= LARGEST:
            raise self.refused(f"{what} is missing or is no number")
        return found

    def exact(self, value: Any, currency: str, what: str) -> Decimal:
        """In minor units; what is less than one of them is behind the point."""
        return self.number(value, what).scaleb(EXPONENTS[self.currency(currency)])

    def whole(self, units: Decimal, what: str) -> int:
        """Nobody can pay a part of a minor unit."""
        if units != units.to_integral_value():
            raise self.refused(f"{what} is {units} minor units")
        return int(units)

    def amount(self, value: Any, currency: str, what: str = "an amount") -> int:
        """In whole minor units: more decimals than the currency has are zeros, or refused."""
        return self.whole(self.exact(value, currency, what), what)


def rounded_together(units: Iterable[Decimal]) -> Iterator[int]:
    """Each rounded, what that leaves over carried to the next: their sum is the sum, rounded."""
    given, told = Decimal(0), 0
    for each in units:
        given += each
        yield int(given.to_integral_value()) - told
        told = int(given.to_integral_value())


def split(amount: Decimal, weights: Iterable[Decimal | int]) -> list[Decimal]:
    """By weight, the last part what is left: they add up to the amount."""
    by = list(weights)
    parts = [amount * each / (sum(by) or 1) for each in by[:-1]]
    return [*parts, amount - sum(parts)]


def decimal_text(amount: int, currency: str) -> str:
    """1234 USD is "12.34"; JPY has no point."""
    return f"{Decimal(amount).scaleb(-EXPONENTS[currency]):f}"


def discount(code: str, amount: int) -> list[Json]:
    return [{"code": code[:100] or "discount", "amount": amount}] if amount else []


def tax(amount: int, rate: str = "0") -> list[Json]:
    return [{"name": "tax", "rate": rate, "amount": amount}] if amount else []


def full_name(given: Any, family: Any) -> str:
    return f"{text(given)} {text(family)}".strip()[:LONGEST]
